"""MEASURED, one replication: a log counted into integers, interval by interval.

Every measure is a count or a sum of microseconds, so that replications add up exactly and in any
order. A contact is counted in the interval in which it arrived; agents' time where it was spent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ccsim.scenario.model import Scenario
from ccsim.scenario.units import MICROSECONDS
from ccsim.simulation.log import MET, PASSED_ON, REDIAL, ContactLog, Outcome
from ccsim.simulation.model import Model

Integers = NDArray[np.int64]

DEFAULT_THRESHOLD = 20 * MICROSECONDS
"""The wait by which *answered in time* is reported where no target names one."""

CONTACT_MEASURES = (
    "offered",
    "answered",
    "abandoned",
    "short_abandons",
    "closed",
    "waiting",
    "wait_answered",
    "wait_all",
    "handle_time",
    "requests",
    "lost",
    "redials",
    "redials_cut",
    "blocked",
    "cleared",
    "unresolved",
    "repeats",
    "repeats_cut",
    "transferred",
    "transfers",
    "balked",
    "callbacks",
    "unreached",
)
"""What is counted per contact type and interval; waits and handle times in µs."""

GROUP_MEASURES = ("handling", "on_the_floor", "after_shift")
"""What is counted per agent group and interval [µs]."""


@dataclass(frozen=True)
class Rules:
    """What each contact type is measured by: waits [µs] of *in time*, and of a short abandon.

    The first threshold is the reported one; each further one belongs to another target.
    """

    thresholds: tuple[tuple[int, ...], ...]
    short_abandon: tuple[int, ...]


def measuring_rules(scenario: Scenario) -> Rules:
    """Thresholds of every contact type, from its targets."""
    thresholds = []
    for given in scenario.contact_types.values():
        named = [target.threshold for target in given.targets if target.threshold is not None]
        thresholds.append(tuple(dict.fromkeys(named)) or (DEFAULT_THRESHOLD,))
    short = tuple(g.service_level.short_abandon for g in scenario.contact_types.values())
    return Rules(tuple(thresholds), short)


@dataclass(frozen=True, eq=False)
class Tally:
    """One replication (or a sum of several) in integers.

    Attributes
    ----------
    contacts : ndarray of int64, shape (n_measures, n_contact_types, n_intervals)
        `CONTACT_MEASURES` by the interval of arrival; requests and lost by the first attempt's.
    in_time, abandoned_in_time : ndarray of int64
        Answered, and abandoned, within each threshold of the contact type (rows beyond its own are
        zero), shape (n_thresholds, n_contact_types, n_intervals).
    groups : ndarray of int64, shape (n_measures, n_groups, n_intervals)
        `GROUP_MEASURES` by the interval in which the time was spent. Time after the end of the
        horizon counts in its last interval; in a cyclic week it belongs to the next one, as the
        warm-up's last work did to this one.
    handled : ndarray of int64, shape (n_groups, n_contact_types)
        Handling time of contacts that arrived in the horizon [µs].
    """

    contacts: Integers
    in_time: Integers
    abandoned_in_time: Integers
    groups: Integers
    handled: Integers

    def measure(self, name: str) -> Integers:
        """One contact measure, shape (n_contact_types, n_intervals)."""
        return np.asarray(self.contacts[CONTACT_MEASURES.index(name)])

    def group_measure(self, name: str) -> Integers:
        """One group measure, shape (n_groups, n_intervals)."""
        return np.asarray(self.groups[GROUP_MEASURES.index(name)])


def added(tallies: Sequence[Tally]) -> Tally:
    """Several tallies added up, exactly."""
    return Tally(
        *(
            np.sum([getattr(tally, field.name) for tally in tallies], axis=0)
            for field in fields(Tally)
        )
    )


def count(model: Model, log: ContactLog, rules: Rules, *, compiled: bool = False) -> Tally:
    """Count one replication's log; the warm-up is dropped.

    Parameters
    ----------
    model, log
        What was played, and what happened.
    rules : Rules
        What each contact type is measured by.
    compiled : bool
        In machine code: the same numbers, sooner.
    """
    types, intervals = len(model.contact_types), model.open.shape[1]
    most = max(len(named) for named in rules.thresholds)
    limits = np.array([[*t, *[-1] * (most - len(t))] for t in rules.thresholds], np.int64).T
    if compiled:
        from ccsim.performance.tally_compiled import count_into

        groups = len(model.groups)
        tally = Tally(
            np.zeros((len(CONTACT_MEASURES), types, intervals), np.int64),
            np.zeros((most, types, intervals), np.int64),
            np.zeros((most, types, intervals), np.int64),
            np.zeros((len(GROUP_MEASURES), groups, intervals), np.int64),
            np.zeros((groups, types), np.int64),
        )
        totals = tuple(getattr(tally, field.name) for field in fields(Tally))
        short = np.array(rules.short_abandon, np.int64)
        count_into(model, log, np.ascontiguousarray(limits), short, totals)
        return tally
    inside = (log.arrival >= 0) & (log.arrival < model.end)
    first = (log.interval >= 0) & (log.attempt == 0) & inside
    answered = inside & (log.outcome == Outcome.ANSWERED)
    balked = log.outcome == Outcome.BALKED
    abandoned = inside & (balked | (log.outcome == Outcome.ABANDONED))
    wait = log.wait
    short = np.array(rules.short_abandon)[log.contact_type]
    cell = log.contact_type * intervals + log.arrival // model.interval_us

    def per_cell(
        where: NDArray[np.bool_], weight: Integers | None = None, cells: Integers = cell
    ) -> Integers:
        weights = None if weight is None else weight[where].astype(np.float64)
        # Sums of µs stay far below 2**53, where float64 counts exactly.
        total = np.bincount(cells[where], weights, minlength=types * intervals)
        return total.astype(np.int64).reshape(types, intervals)

    handling = log.ended - log.left_queue
    # A request is lost when it never got an answer; it counts where it began.
    no_answer = (log.outcome != Outcome.ANSWERED) & (log.again & MET == 0)
    lost = log.last & no_answer & (log.interval >= 0)
    by_request = log.origin * intervals + np.maximum(log.interval, 0)
    contacts = np.stack(
        [
            per_cell(inside),
            per_cell(answered),
            per_cell(abandoned),
            per_cell(abandoned & (wait <= short)),
            per_cell(inside & (log.outcome == Outcome.CLOSED)),
            per_cell(inside & (log.outcome == Outcome.WAITING)),
            per_cell(answered, wait),
            per_cell(answered | abandoned, wait),
            per_cell(answered, handling),
            per_cell(first),
            per_cell(lost, cells=by_request),
            per_cell(inside & (log.again & REDIAL > 0)),
            per_cell(inside & log.cut & (log.outcome != Outcome.ANSWERED)),
            per_cell(inside & (log.outcome == Outcome.BLOCKED)),
            per_cell(inside & (log.outcome == Outcome.CLEARED)),
            per_cell(inside & log.unresolved),
            per_cell(inside & (log.again == MET)),
            per_cell(inside & log.cut & answered),
            per_cell(inside & log.transferred),
            per_cell(inside & (log.again & PASSED_ON > 0)),
            per_cell(inside & balked),
            per_cell(inside & log.called_back),
            per_cell(inside & (log.outcome == Outcome.UNREACHED)),
        ]
    )
    in_time, abandoned_in_time = (
        np.stack([per_cell(those & (wait <= row[log.contact_type])) for row in limits])
        for those in (answered, abandoned)
    )
    handled = np.zeros((len(model.groups), types), dtype=np.int64)
    group = model.agent_group[log.agent[answered]]
    np.add.at(handled, (group, log.contact_type[answered]), handling[answered])
    return Tally(contacts, in_time, abandoned_in_time, _agents_time(model, log), handled)


def _agents_time(model: Model, log: ContactLog) -> Integers:
    """Group measures: handling, on the floor, after the shift."""
    intervals = model.open.shape[1]
    stretches = model.stretches
    busy = log.agent >= 0
    came = log.stretch_left > log.stretch_came
    total = np.zeros((len(GROUP_MEASURES), len(model.groups), intervals), dtype=np.int64)
    contact_group = np.full(len(busy), -1)
    contact_group[busy] = model.agent_group[log.agent[busy]]
    stretch_group = model.agent_group[stretches.agent]
    for group in range(len(model.groups)):
        mine = contact_group == group
        here = came & (stretch_group == group)
        late = here & (log.stretch_left > stretches.shift_end)
        for row, (begins, ends) in enumerate(
            [
                (log.taken[mine], log.ended[mine]),
                (log.stretch_came[here], log.stretch_left[here]),
                (stretches.shift_end[late], log.stretch_left[late]),
            ]
        ):
            total[row, group] = _spent(begins, ends, model, intervals)
    return total


def _spent(begins: Integers, ends: Integers, model: Model, intervals: int) -> Integers:
    """Time within each interval of stretches from `begins` to `ends` [µs]."""
    edges = np.arange(intervals + 1, dtype=np.int64) * model.interval_us
    if not model.cyclic:
        edges[-1] = max(model.end, int(ends.max(initial=0)))
    return np.diff(_before(edges, begins) - _before(edges, ends))


def _before(edges: Integers, moments: Integers) -> Integers:
    """Sum over moments of the time from the moment to each edge, where it is before the edge."""
    ordered = np.sort(moments)
    sums = np.concatenate([[0], np.cumsum(ordered)])
    number = np.searchsorted(ordered, edges, side="left")
    before: Integers = edges * number - sums[number]
    return before
