"""What reductions are made of: the user's centre with much taken away, and what is read off it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.attendance import expected_agents
from ccsim.demand.model import compile_demand
from ccsim.performance.tally import CONTACT_MEASURES, DEFAULT_THRESHOLD
from ccsim.plans import StaffingPlan
from ccsim.scenario.calendar import lay_grid
from ccsim.scenario.case import Case, Table
from ccsim.scenario.distributions import HandleDistribution, PatienceDistribution
from ccsim.scenario.hours import ALWAYS_OPEN
from ccsim.scenario.model import AgentGroup, ContactType, Scenario, Skill
from ccsim.scenario.targets import Target
from ccsim.scenario.units import MICROSECONDS
from ccsim.staffing.requirement import covered_together
from ccsim.verification.lengths import LengthLaw, handle_law, later, patience_law
from ccsim.verification.playing import Law, Measure, Played

Floats = NDArray[np.float64]

TEAM = "team"
"""The agent group of a reduced centre."""
SHORT_STEP, DAY = 900.0, 86_400.0
"""Length of an interval of a made-up centre, and of a day [s]."""
BUSY = 0.85
"""Occupancy of a centre in which nobody gives up, where the user's own would never settle."""
LONGEST = 40
"""Days after which a centre that has not settled is not simulated."""


@dataclass(frozen=True, eq=False)
class Kind:
    """A contact type of the user's centre in the numbers that reductions need.

    Attributes
    ----------
    name : str
        Which.
    given : ContactType
        As it stands in the scenario.
    coming : ndarray, shape (n_intervals,)
        Mean first attempts per interval.
    handle : LengthLaw
        Talk time, then the mean wrap-up.
    wrap_up : float
        Its mean [s].
    patience : LengthLaw
        Until a waiting customer gives up.
    """

    name: str
    given: ContactType
    coming: Floats
    handle: LengthLaw
    wrap_up: float
    patience: LengthLaw

    @property
    def patience_mean(self) -> float:
        """Mean patience [s], taken as exponential where some never give up; infinite without."""
        left = 1 - self.patience.never
        return self.patience.mean / left if left > 0 else inf

    @property
    def threshold(self) -> float:
        """The wait of its first service level [s]."""
        named = [t.threshold for t in self.given.targets if t.threshold is not None]
        return (named[0] if named else DEFAULT_THRESHOLD) / MICROSECONDS


@dataclass(frozen=True, eq=False)
class Pool:
    """Contact types that share agents, those who come at all, and the agents.

    Attributes
    ----------
    case : Case
        The user's centre.
    kinds : tuple of Kind
        Its contact types.
    agents : ndarray, shape (n_intervals,)
        Agents that the plan puts on the floor for any of them, absence taken off.
    """

    case: Case
    kinds: tuple[Kind, ...]
    agents: Floats

    @property
    def step(self) -> float:
        """Length of an interval [s]."""
        return self.case.grid.interval_us / MICROSECONDS

    @property
    def load(self) -> Floats:
        """Work that comes in each interval [erlang]."""
        work = [kind.coming * kind.handle.mean for kind in self.kinds]
        return np.asarray(np.sum(work, axis=0) / self.step)

    @property
    def busiest(self) -> int:
        """The interval in which most work comes."""
        return int(self.load.argmax())

    @property
    def names(self) -> str:
        """Its contact types, for a sentence."""
        return " + ".join(kind.name for kind in self.kinds)


@dataclass(frozen=True, eq=False)
class Centre:
    """The user's centre as reductions see it.

    Attributes
    ----------
    case : Case
        It as it is written.
    plan : StaffingPlan
        Its roster.
    kinds : tuple of Kind
        Its contact types, those of which any come.
    pools : tuple of Pool
        The same, split into what shares no agents.
    """

    case: Case
    plan: StaffingPlan
    kinds: tuple[Kind, ...]
    pools: tuple[Pool, ...]


def centre_of(case: Case, plan: StaffingPlan) -> Centre:
    """Look at a case and its roster as reductions do."""
    scenario = case.scenario
    kinds = tuple(
        _kind(case, given.name, given.expected)
        for given in compile_demand(case).contact_types
        if float(given.expected.sum()) > 0
    )
    expected = expected_agents(plan, case)
    pools = []
    together = covered_together(scenario)
    for names in (one for one in together if not any(set(one) < set(two) for two in together)):
        mine = tuple(kind for kind in kinds if kind.name in names and kind.handle.mean > 0)
        there = [
            expected[name]
            for name, group in scenario.agent_groups.items()
            if set(group.skills) & set(names)
        ]
        if mine and there:
            pools.append(Pool(case, mine, np.asarray(np.sum(there, axis=0))))
    return Centre(case, plan, kinds, tuple(pools))


def _kind(case: Case, name: str, coming: Floats) -> Kind:
    given = case.scenario.contact_types[name]
    wrap_up = handle_law(given.wrap_up, case.tables).mean
    return Kind(
        name,
        given,
        coming,
        later(handle_law(given.talk_time, case.tables), wrap_up),
        wrap_up,
        patience_law(given.patience, case.tables),
    )


# The user's centre with much taken away.


def bare(given: ContactType, **kept: Any) -> ContactType:
    """A contact type that always gets in, without whatever is not named."""
    plain = {
        "open": ALWAYS_OPEN,
        "demand": given.demand.model_copy(
            update={"includes": (), "forecast_error": None, "causes": {}}
        ),
        "talk_time_error": None,
        "patience": None,
        "redial": None,
        "repeat": None,
        "queue_limit": None,
        "line_group": None,
        "at_closing": "serve",
        "head_start": 0,
        "ageing": 1.0,
        "announced_wait": None,
        "callback": None,
    }
    # Whoever would try another contact type tries this one again: others are not there.
    for again in ("redial", "repeat"):
        if kept.get(again) is not None:
            kept[again] = kept[again].model_copy(update={"elsewhere": None})
    return given.model_copy(update=plain | kept)


def exponential_work(seconds: float) -> dict[str, Any]:
    """Fields of a contact type whose handle time is exponential."""
    return {"talk_time": HandleDistribution(exponential={"mean": _text(seconds)}), "wrap_up": None}


def within(seconds: float) -> tuple[Target, ...]:
    """A promise that names a threshold, so that it is counted who is answered within it."""
    return (Target("answered within", 0.8, round(seconds * MICROSECONDS), "horizon"),)


def always(seconds: float) -> HandleDistribution | None:
    """Work that always takes so long."""
    return HandleDistribution(constant={"value": _text(seconds)}) if seconds else None


def exponential_patience(seconds: float) -> PatienceDistribution | None:
    """Exponential patience; none where it is endless."""
    if not np.isfinite(seconds):
        return None
    return PatienceDistribution(exponential={"mean": _text(seconds)})


def _text(seconds: float) -> str:
    return f"{seconds:.6f} s"


def to_microseconds(seconds: float) -> float:
    """A length as the simulator keeps it: whole microseconds [s]."""
    return round(seconds * MICROSECONDS) / MICROSECONDS


def _scenario(
    scenario: Scenario,
    contact_types: Mapping[str, ContactType],
    skills: Mapping[str, Skill] | None,
    **changes: Any,
) -> Scenario:
    """A scenario of these contact types and one team."""
    any_group = next(iter(scenario.agent_groups.values()))
    team = AgentGroup(
        skills=dict(skills or {name: Skill() for name in contact_types}),
        rate_card=any_group.rate_card,
    )
    plain = {
        "contact_types": dict(contact_types),
        "agent_groups": {TEAM: team},
        "line_groups": {},
        "incidents": {},
        "special_days": {},
        "shifts": {},
    }
    return scenario.model_copy(update=plain | changes)


def same_calendar(
    case: Case,
    contact_types: Mapping[str, ContactType],
    demand: Mapping[str, Floats],
    *,
    skills: Mapping[str, Skill] | None = None,
    tables: Mapping[str, Table] | None = None,
    keeps: Sequence[str] = (),
    **horizon: Any,
) -> Case:
    """A reduced centre on the user's own calendar; `keeps` names what else of it stays."""
    changes: dict[str, Any] = {name: getattr(case.scenario, name) for name in keeps}
    changes["horizon"] = case.scenario.horizon.model_copy(update=horizon)
    scenario = _scenario(case.scenario, contact_types, skills, **changes)
    return Case(scenario, case.grid, demand, {**case.tables, **(tables or {})}, case.variant)


@dataclass(frozen=True, eq=False)
class Steady:
    """A made-up centre in which contacts come evenly, and the intervals in which it has settled."""

    case: Case
    plan: StaffingPlan
    counted: slice


def steady(
    case: Case,
    contact_types: Mapping[str, ContactType],
    rates: Mapping[str, float],
    agents: int,
    settles: float,
    *,
    skills: Mapping[str, Skill] | None = None,
    **changes: Any,
) -> Steady | None:
    """A centre in which contacts come evenly [1/s], until long after it has settled.

    Parameters
    ----------
    case, contact_types, skills, changes
        What it is made of.
    rates : mapping of str to float
        Contacts a second.
    agents : int
        Always there.
    settles : float
        Time after which next to nothing is left of the empty start [s].

    Returns
    -------
    Steady or None
        None where it takes too many days to settle.
    """
    first = ceil(settles / SHORT_STEP)
    counted = max(3 * first, ceil(200 / sum(rates.values()) / SHORT_STEP))
    days = ceil((first + counted) * SHORT_STEP / DAY)
    if days > LONGEST:
        return None
    horizon = case.scenario.horizon.model_copy(
        update={"days": days, "interval": "15 min", "begins": "empty", "ends": "drain"}
    )
    scenario = _scenario(
        case.scenario, contact_types, skills, horizon=horizon, time_zone="UTC", **changes
    )
    grid = lay_grid(horizon, "UTC")
    busy = np.arange(grid.intervals) < first + counted
    demand = {n: np.asarray(rate * SHORT_STEP * busy, np.float64) for n, rate in rates.items()}
    return Steady(
        Case(scenario, grid, demand, case.tables, case.variant),
        StaffingPlan(by_interval={TEAM: (agents,) * grid.intervals}),
        slice(first, first + counted),
    )


# What is read off a replication.


def contacts(measure: str, index: int, counted: slice = slice(None), scale: float = 1.0) -> Measure:
    """A measure of one contact type, over the intervals of arrival that count."""
    row = CONTACT_MEASURES.index(measure)
    return lambda played: np.array([played.tally.contacts[row, index, counted].sum() / scale])


def in_time(index: int, counted: slice = slice(None)) -> Measure:
    """Contacts of a type that are answered within its first threshold."""
    return lambda played: np.array([played.tally.in_time[0, index, counted].sum()])


def gone_in_time(index: int, counted: slice = slice(None)) -> Measure:
    """Contacts of a type that give up within its first threshold."""
    return lambda played: np.array([played.tally.abandoned_in_time[0, index, counted].sum()])


def summed(*measures: Measure) -> Measure:
    """Several measures added up."""
    return lambda played: np.sum([measure(played) for measure in measures], axis=0)


def once(_: Played) -> Floats:
    """One for each replication: the ratio is then a mean per replication."""
    return np.ones(1)


def share(name: str, exact: float, over: Measure, under: Measure) -> Law:
    """A share of contacts."""
    return Law(name, np.array([exact]), over, under, unit="%", telling=min(exact, 1 - exact))


def seconds(name: str, exact: float, over: Measure, under: Measure, telling: float = 1.0) -> Law:
    """A mean time; `over` is in µs."""
    return Law(name, np.array([exact]), _scaled(over), under, unit=" s", telling=telling)


def number(name: str, exact: float, over: Measure, under: Measure = once) -> Law:
    """A mean number, for each replication unless said otherwise."""
    return Law(name, np.array([exact]), over, under)


def _scaled(measure: Measure) -> Measure:
    return lambda played: measure(played) / MICROSECONDS


def parts_of(expected: Floats, least: float) -> list[slice]:
    """Neighbouring intervals put together, so that each part expects at least so much.

    Examples
    --------
    >>> parts_of(np.array([1.0, 5.0, 6.0, 1.0, 1.0]), 6.0)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    edges, gathered = [0], 0.0
    for place, more in enumerate(expected.tolist()):
        gathered += more
        if gathered >= least:
            edges.append(place + 1)
            gathered = 0.0
    if len(edges) == 1:
        edges.append(len(expected))
    edges[-1] = len(expected)
    return [slice(a, b) for a, b in pairwise(edges)]
