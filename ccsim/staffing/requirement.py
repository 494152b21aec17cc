"""Agents on the floor that the formulas ask for, interval by interval, without double counting.

Contact types that share agents are covered together: besides a row for each type there is a row for
every set of types that hang together, with the load pooled. An agent who has two skills is counted
once in the row of both, and cannot be counted twice over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ccsim.queueing import erlang_a_agents, erlang_c_agents
from ccsim.scenario.case import Case
from ccsim.scenario.model import ContactType, Redial, Scenario
from ccsim.scenario.targets import Target
from ccsim.scenario.units import MICROSECONDS

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Method = Literal["Erlang A", "Erlang C"]

EVERY_SET_UP_TO = 5
"""Among so many connected contact types every set has a row; among more, singles and the whole."""
_NEAREST_TO_ALL = 0.9999  # no number of agents answers all in time


@dataclass(frozen=True, eq=False)
class RequirementRow:
    """Agents that a set of contact types needs together.

    Attributes
    ----------
    contact_types : tuple of str
        The types that are covered together.
    groups : tuple of str
        The agent groups with a skill for any of them.
    agents : ndarray of int64, shape (n_intervals,)
        Agents needed on the floor, present.
    load : ndarray, shape (n_intervals,)
        Offered load [erlang].
    method : str
        The formula; its answer is always an approximation: every interval is taken by itself.
    """

    contact_types: tuple[str, ...]
    groups: tuple[str, ...]
    agents: Integers
    load: Floats
    method: Method

    @property
    def name(self) -> str:
        """The contact types joined by a plus sign."""
        return "+".join(self.contact_types)


@dataclass(frozen=True, eq=False)
class Requirement:
    """What the formulas ask for: one row for each set of types that are covered together."""

    rows: tuple[RequirementRow, ...]

    def row(self, *contact_types: str) -> RequirementRow:
        """The row of exactly these contact types.

        Raises
        ------
        KeyError
            If there is none.
        """
        wanted = set(contact_types)
        for row in self.rows:
            if set(row.contact_types) == wanted:
                return row
        raise KeyError("+".join(contact_types))


def require(
    case: Case,
    volume: Mapping[str, Floats],
    handle_seconds: Mapping[str, float | Floats],
    patience_seconds: Mapping[str, float],
    raised: Mapping[str, Integers] | None = None,
    margin: float = 0.0,
) -> Requirement:
    """Agents on the floor that keep every promise in every interval, by Erlang A or C.

    Parameters
    ----------
    case : Case
        The centre.
    volume : mapping of str to ndarray, shape (n_intervals,)
        Contacts that reach the queue, expected redials included.
    handle_seconds : mapping of str to float or ndarray, shape (n_intervals,)
        Mean handle time [s].
    patience_seconds : mapping of str to float
        Mean patience [s]; infinite patience: nobody leaves, Erlang C.
    raised : mapping of str to ndarray of int64, shape (n_intervals,)
        Agents to add, by contact type or by the name of a row (``billing+technical``). It counts
        for every row that holds all the types named. May be negative.
    margin : float
        Added to every service level, taken from every cap, so that a certificate can succeed.

    Returns
    -------
    Requirement

    Raises
    ------
    ValueError
        If `raised` names a contact type that the scenario lacks.

    Notes
    -----
    Each interval by itself, in steady state, at its mean load (stationary, independent, period by
    period); the strictest of the targets of the types in the row, and `interval_floor`. A target
    on a share of days is met at that quantile of the day's load. A cap on lost requests is turned
    into one on attempts as if attempts failed independently. Pooling takes handle times and
    abandonment rates weighted by volume. All of it is a first answer: simulation decides.

    References
    ----------
    L. Green, P. Kolesar, W. Whitt (2007), Coping with time-varying demand when setting staffing
    requirements, Production and Operations Management 16(1), 13-39,
    doi:10.1111/j.1937-5956.2007.tb00164.x

    Examples
    --------
    Twenty erlangs and 80 % within 20 s; callers wait two minutes, or for ever:

    >>> from ccsim.scenario.case import case_from
    >>> from ccsim.scenario.model import Scenario
    >>> centre = case_from(Scenario.model_validate({
    ...     "version": 1, "name": "desk", "currency": "USD", "time_zone": "UTC",
    ...     "horizon": {"start": "2026-09-07", "days": 1},
    ...     "contact_types": {"call": {
    ...         "demand": {"rate": "240 calls/h"}, "talk_time": "5 min",
    ...         "targets": ["80% answered within 20 s, over each day"]}},
    ...     "agent_groups": {"desk": {"skills": {"call": {}}, "rate_card": "own"}},
    ...     "rate_cards": {"own": {"paid_hour": "21 USD"}}}))
    >>> for patience in (120.0, np.inf):
    ...     rows = require(centre, centre.demand, {"call": 300.0}, {"call": patience}).rows
    ...     print(rows[0].method, rows[0].agents[0])
    Erlang A 22
    Erlang C 25
    """
    scenario = case.scenario
    extra = dict(raised or {})
    for key in extra:
        for name in key.split("+"):
            if name not in scenario.contact_types:
                known = ", ".join(scenario.contact_types)
                raise ValueError(f"raised={key!r}: no contact type {name!r} (there are {known})")
    rows = []
    for together in covered_together(scenario):
        pool = _pool(case, together, volume, handle_seconds, patience_seconds)
        agents = np.zeros(case.grid.intervals, dtype=np.int64)
        guarded = agents
        for name in together:
            given = scenario.contact_types[name]
            for target in given.targets:
                busy = _busy_day(given, target, scenario.horizon.published)
                agents = np.maximum(agents, _agents(pool, given, target, busy, margin))
            guarded = np.maximum(guarded, _floor(pool, given))
        for key, more in extra.items():
            if set(key.split("+")) <= set(together):
                agents = agents + np.asarray(more, dtype=np.int64)
        least = np.maximum(guarded, (agents.max(initial=0) > 0) & (pool.load > 0))
        rows.append(
            RequirementRow(
                contact_types=together,
                groups=groups_of(scenario, together),
                agents=np.maximum(agents, least).astype(np.int64),
                load=pool.load,
                method="Erlang C" if np.isinf(pool.patience).all() else "Erlang A",
            )
        )
    return Requirement(tuple(rows))


def groups_of(scenario: Scenario, contact_types: tuple[str, ...]) -> tuple[str, ...]:
    """Agent groups with a skill for any of the contact types, in the order of the scenario."""
    return tuple(
        name
        for name, group in scenario.agent_groups.items()
        if any(contact_type in group.skills for contact_type in contact_types)
    )


def covered_together(scenario: Scenario) -> tuple[tuple[str, ...], ...]:
    """Sets of contact types that hang together by shared agents, single types first.

    Types that share no agents are never pooled: their sum would ask for less than each alone.
    """
    names = list(scenario.contact_types)
    sets: set[tuple[str, ...]] = set()
    for component in _components(scenario, names):
        sizes = (
            range(1, len(component) + 1)
            if len(component) <= EVERY_SET_UP_TO
            else (1, len(component))
        )
        for size in sizes:
            sets.update(
                chosen
                for chosen in combinations(component, size)
                if len(list(_components(scenario, list(chosen)))) == 1
            )
    return tuple(sorted(sets, key=lambda chosen: (len(chosen), [names.index(c) for c in chosen])))


def _components(scenario: Scenario, names: list[str]) -> Iterator[list[str]]:
    """Contact types connected by agents who handle two of them."""
    skills = [set(group.skills) for group in scenario.agent_groups.values()]
    left = list(names)
    while left:
        reached = {left[0]}
        while True:
            more = set().union(*(skill for skill in skills if skill & reached)) & set(names)
            if more <= reached:
                break
            reached |= more
        yield [name for name in names if name in reached]
        left = [name for name in left if name not in reached]


@dataclass(frozen=True, eq=False)
class _Pool:
    """Several contact types seen as one queue: load [erlang], handle time and patience [s]."""

    load: Floats
    handle: Floats
    patience: Floats


def _pool(
    case: Case,
    together: tuple[str, ...],
    volume: Mapping[str, Floats],
    handle_seconds: Mapping[str, float | Floats],
    patience_seconds: Mapping[str, float],
) -> _Pool:
    contacts = np.array([np.asarray(volume[name], dtype=np.float64) for name in together])
    handle = np.array(
        [np.broadcast_to(handle_seconds[name], contacts.shape[1:]) for name in together]
    )
    leaving = np.array([leaving_rate(patience_seconds[name]) for name in together])
    total = contacts.sum(axis=0)
    weight = np.where(total > 0, contacts / np.where(total > 0, total, 1.0), 1 / len(together))
    with np.errstate(divide="ignore"):
        patience = 1 / (leaving[:, None] * weight).sum(axis=0)
    seconds = case.grid.interval_us / MICROSECONDS
    work = (handle * contacts).sum(axis=0)
    return _Pool(work / seconds, (handle * weight).sum(axis=0), patience)


def leaving_rate(patience: float) -> float:
    """Who leaves a second, of those who wait; no patience at all is a millisecond of it."""
    return 1 / max(patience, 1e-3)


def _agents(
    pool: _Pool, given: ContactType, target: Target, busy: float, margin: float
) -> Integers:
    """Fewest agents that keep one target in every interval, on a day so much busier."""
    load, value = pool.load * busy, target.value
    if target.metric == "answered within":
        aim = min(value + margin, (1 + value) / 2, _NEAREST_TO_ALL)
        return _service(pool, load, given, (target.threshold or 0) / MICROSECONDS, aim)
    if target.metric == "average speed of answer":
        agents = erlang_a_agents(
            load, pool.handle, pool.patience, speed_of_answer=value * (1 - margin)
        )
        return np.asarray(agents, dtype=np.int64)
    cap = value if target.metric == "abandoned" else attempts_lost(value, given.redial)
    cap = max(cap - margin, cap / 2, 1 - _NEAREST_TO_ALL)
    endless = np.isinf(pool.patience)  # Nobody is lost, if only the queue does not grow.
    agents = erlang_a_agents(
        np.where(endless, 0.0, load), pool.handle, pool.patience, abandonment=cap
    )
    stable = np.floor(load).astype(np.int64) + 1
    return np.where(endless & (load > 0), stable, np.asarray(agents, dtype=np.int64))


def _service(
    pool: _Pool, load: Floats, given: ContactType, threshold: float, aim: float
) -> Integers:
    """Fewest agents for a service level, Erlang C wherever nobody leaves."""
    rule = given.service_level
    endless = np.isinf(pool.patience)
    patient = erlang_c_agents(np.where(endless, load, 0.0), pool.handle, threshold, aim)
    leaving = erlang_a_agents(
        np.where(endless, 0.0, load),
        pool.handle,
        pool.patience,
        threshold,
        aim,
        formula=rule.formula,
        short_abandon=rule.short_abandon / MICROSECONDS,
    )
    return np.where(endless, np.asarray(patient, np.int64), np.asarray(leaving, np.int64))


def _floor(pool: _Pool, given: ContactType) -> Integers:
    """Agents of the guard `interval_floor`, at the threshold of the first service target."""
    thresholds = [t.threshold for t in given.targets if t.metric == "answered within"]
    if not given.interval_floor or not thresholds:
        return np.zeros(len(pool.load), dtype=np.int64)
    aim = min(given.interval_floor, _NEAREST_TO_ALL)
    return _service(pool, pool.load, given, (thresholds[0] or 0) / MICROSECONDS, aim)


def _busy_day(given: ContactType, target: Target, published: int | None) -> float:
    """How much busier than the mean the day is on which a share-of-days target is decided."""
    if target.share_of_days is None:
        return 1.0
    from scipy.special import gammaincinv

    volume, talk = given.demand.forecast_error, given.talk_time_error
    spread = 0.0 if volume is None else 1 / volume.shape(published)
    spread += 0.0 if talk is None else 1 / talk.gamma.shape
    if spread == 0:
        return 1.0
    return float(gammaincinv(1 / spread, min(target.share_of_days, _NEAREST_TO_ALL)) * spread)


def attempts_lost(requests_lost: float, redial: Redial | None) -> float:
    """Share of attempts that may fail when so many requests may be lost.

    Parameters
    ----------
    requests_lost : float
        Largest share of requests that never reach a person.
    redial : Redial or None
        Who calls again.

    Notes
    -----
    Solves lost(a) = a (1-p) (1 + ap + … + (ap)^(m-1)) + a (ap)^m for a: every attempt fails with
    chance a, whatever happened before, and is followed by another with chance p, at most m times.

    Examples
    --------
    Half of the callers who gave up call again: 5 % lost allow 9.5 % of the calls to be abandoned.

    >>> again = Redial(probability="50%", delay={"exponential": {"mean": "10 min"}}, at_most=20)
    >>> round(attempts_lost(0.05, again), 4)
    0.0952
    """
    if redial is None:
        return requests_lost
    again, most = redial.probability, redial.at_most

    def lost(a: float) -> float:
        tried = sum((a * again) ** k for k in range(most))
        return a * (1 - again) * tried + a * (a * again) ** most

    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if lost(middle) <= requests_lost else (low, middle)
    return low
