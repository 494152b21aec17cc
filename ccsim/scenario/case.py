"""A scenario ready for use: one variant, its calendar laid out, every file it names read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ccsim.errors import CcsimError
from ccsim.scenario.calendar import Grid, lay_grid
from ccsim.scenario.model import Scenario
from ccsim.scenario.special_days import profile_of

MOST_CONTACTS = 100_000_000
"""Contacts of one horizon: while it is simulated they take some ten gigabytes."""

Table = NDArray[np.float64]
"""Two columns of a CSV file: shape (n_rows, 2)."""


@dataclass(frozen=True, eq=False)
class Case:
    """What every later step reads: the scenario and the numbers of its files.

    Attributes
    ----------
    scenario : Scenario
        The resolved scenario (after ``extends:`` and the variant).
    grid : Grid
        Its calendar.
    demand : mapping of str to ndarray, shape (n_intervals,)
        Mean contacts per interval as counted (scaled, before redials are backed out).
    tables : mapping of str to ndarray, shape (n_rows, 2)
        Distribution tables by file name as the scenario writes it.
    variant : str or None
        The variant's name.
    changes : tuple of str
        Single fields set on top of file and variant, as ``horizon.days=14``.
    files : mapping of str to bytes
        Every file that was read, by the name the scenario uses, to rerun from the provenance.
    """

    scenario: Scenario
    grid: Grid
    demand: Mapping[str, NDArray[np.float64]]
    tables: Mapping[str, Table] = field(default_factory=dict)
    variant: str | None = None
    changes: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The scenario's name with its variant, and what was set on top."""
        said = [*([self.variant] if self.variant else []), *self.changes]
        return f"{self.scenario.name} ({', '.join(said)})" if said else self.scenario.name

    @property
    def fingerprint(self) -> str:
        """A hash of everything a result depends on: scenario, demand and tables.

        Seeds come from it. Defaults are left out, so that a new field moves no seed of those who
        do not use it.
        """
        given = self.scenario.model_dump_json(exclude_defaults=True)
        digest = hashlib.blake2b(given.encode(), digest_size=16)
        for name, numbers in sorted({**self.demand, **self.tables}.items()):
            digest.update(name.encode() + b"\0" + numbers.tobytes())
        return digest.hexdigest()


def constant_rates(scenario: Scenario, grid: Grid) -> dict[str, NDArray[np.float64]]:
    """Mean contacts per interval of the contact types whose demand is a constant rate."""
    hours = grid.interval_us / 3.6e9
    return {
        name: grid.opening(scenario.hours(name))
        * np.float64(given.demand.rate * given.demand.scale * hours)
        * profile_of(scenario, grid, name).scale
        for name, given in scenario.contact_types.items()
        if given.demand.rate is not None
    }


def too_many(
    scenario: Scenario, demand: Mapping[str, NDArray[np.float64]]
) -> tuple[str, str] | None:
    """The contact type that most come of, and a sentence, if more come than can be simulated.

    Each counts with all redials, or repeats: the patience of a full queue is none.
    """
    contacts = {}
    for name in scenario.contact_types:
        attempts = _most_attempts(scenario, name)
        brought = sum(i.customers * i.contacting.get(name, 0) for i in scenario.incidents.values())
        contacts[name] = (float(np.sum(demand.get(name, 0.0))) + brought) * attempts
    total = sum(contacts.values())
    if total <= MOST_CONTACTS:
        return None
    largest = max(contacts, key=lambda name: contacts[name])
    of_all = f", {contacts[largest]:,.0f} of them here" if len(contacts) > 1 else ""
    types = scenario.contact_types.values()
    again = [name for name in ("redials", "repeats") if any(getattr(t, name[:-1]) for t in types)]
    later = f" with {' and '.join(again)}" if again else ""
    return largest, (
        f"{total:,.0f} contacts{later} over the horizon{of_all}, and at most {MOST_CONTACTS:,} "
        "can be simulated; lower the demand, or write fewer horizon.days"
    )


def _most_attempts(scenario: Scenario, name: str) -> float:
    """Attempts of a request if whoever may give up does, or else is never done with it."""
    given, likely, most = scenario.contact_types[name], 0.0, 0
    limited = given.line_group is not None or given.queue_limit is not None
    if given.redial is not None and (given.patience is not None or limited):
        likely, most = given.redial.probability, given.redial.at_most
    if given.repeat is not None:
        groups = scenario.agent_groups.values()
        settled = [group.least_resolution(name) for group in groups if name in group.skills]
        likely = max(likely, 1 - min(settled, default=1.0))
        most = max(most, given.repeat.at_most)
    return sum(likely**n for n in range(1 + most))


def case_from(
    scenario: Scenario,
    demand: Mapping[str, NDArray[np.float64]] | None = None,
    tables: Mapping[str, Table] | None = None,
) -> Case:
    """Make a case in Python, without files: rates from the scenario, the rest as arguments."""
    grid = lay_grid(scenario.horizon, scenario.time_zone)
    given = {**constant_rates(scenario, grid), **(demand or {})}
    if crowded := too_many(scenario, given):
        raise CcsimError(f"contact_types.{crowded[0]}.demand: {crowded[1]}")
    return Case(scenario=scenario, grid=grid, demand=given, tables=tables or {})
