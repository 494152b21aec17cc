"""The valid bound: a cost that no plan under the shift rules can beat, whatever its routing.

It rests on conservation of work alone. Targets force a least amount of handling; agents on the
floor do at most their time there, and the contact in hand at its end. The cheapest agents who could
do so much work cost the bound. Nothing in it is simulated and no formula for waiting is used, so it
may never be set against the model bound of stated requirements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.model import DemandModel
from ccsim.errors import InfeasibleError
from ccsim.scenario.case import Case
from ccsim.scenario.model import InHouse, Partner
from ccsim.scenario.units import MICROSECONDS
from ccsim.staffing.program import Column, Program, Row
from ccsim.staffing.shift_model import shift_program, solve_program
from ccsim.staffing.shift_rules import IntervalStaff, ShiftRules, Terms, shift_rules
from ccsim.staffing.work import (
    LATE,
    Need,
    handle_factors,
    needs,
    overshoot_seconds,
    present,
    work_of_day,
)

MINUTE_US = 60 * MICROSECONDS
_MIXED = 1.5
_LARGE = 300
_ROUNDING = 1e-7


@dataclass(frozen=True, eq=False)
class ValidBound:
    """No plan that keeps the targets costs less.

    Attributes
    ----------
    cost : float
        The bound [currency].
    needs : tuple of Need
        The work that the targets force.
    left_out : tuple of str
        Targets that the bound makes no use of; keeping them can only cost more.
    seconds : float
        Time it took.
    """

    cost: float
    needs: tuple[Need, ...]
    left_out: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class _Supply:
    """Minutes of work one agent can do in a window: for nothing, and past the end of the shift."""

    column: str
    free: float
    stretches: int
    after_shift: float
    ends_shift: bool


def valid_bound(case: Case, demand: DemandModel, *, gap: float = 0.001) -> ValidBound:
    """Bound the cost of every plan from below by conservation of work.

    Parameters
    ----------
    case : Case
        The centre.
    demand : DemandModel
        Its fresh demand and its distributions, as simulated.
    gap : float
        How closely the program behind it is solved; its dual bound is taken, so any gap is valid.

    Raises
    ------
    InfeasibleError
        Not even the work that the targets force can be done under the shift rules.

    Notes
    -----
    Used are targets on service level (answered in time ÷ offered), lost and abandoned, on average.
    The rest is left out, which keeps the bound valid. Handling is that of the mean day, answers
    gathered on the days of short talk times; routing does not know a handle time before it ends.
    The overshoot at the end of a stretch is bounded by Lorden's inequality, 1.5 times as much and
    summed over types where agents mix them. See ``docs/decisions/valid-bound.md``.
    """
    began = perf_counter()
    forced, left_out = needs(case, demand)
    rules = shift_rules(case)
    columns, rows = _work_program(case, demand, rules, forced)
    program = shift_program(rules, extra=rows)
    columns = sorted([*program.columns, *columns], key=lambda column: column.name)
    answer, _ = solve_program(_relaxed(Program(tuple(columns), program.rows)), gap=gap)
    if answer.status == "infeasible":
        raise InfeasibleError(
            "no plan under these shift rules can do the work that the targets force, however calls "
            "are routed: more agents, longer shifts or lower targets would have to give"
        )
    if answer.status == "interrupted":
        raise KeyboardInterrupt
    cost = max(answer.bound, 0.0) * (1 - _ROUNDING)
    return ValidBound(cost, tuple(forced), tuple(left_out), perf_counter() - began)


def _relaxed(program: Program) -> Program:
    """Let agents be fractions in large parts, which loses little and keeps the bound valid."""
    large = {
        column.name
        for part in program.parts()
        if len(part.columns) > _LARGE
        for column in part.columns
    }
    columns = (
        replace(column, whole=False) if column.name in large else column
        for column in program.columns
    )
    return Program(tuple(columns), program.rows)


def _work_program(
    case: Case, demand: DemandModel, rules: ShiftRules, forced: list[Need]
) -> tuple[list[Column], list[Row]]:
    """Columns of work done by group, type and day; rows that force it and rows that limit it."""
    scenario = case.scenario
    drawn = {each.name: each for each in demand.contact_types}
    overshoot = {
        name: overshoot_seconds(given, drawn[name]) / 60
        for name, given in scenario.contact_types.items()
    }
    most = work_of_day(case, demand)
    quickest = dict.fromkeys(scenario.agent_groups, 1.0)
    quickest |= {pace.group: pace.least for pace in demand.paces if pace is not None}
    columns: list[Column] = []
    rows: list[Row] = []
    paid: dict[str, Terms] = {}
    for name, group in scenario.agent_groups.items():
        card = scenario.rate_cards[group.rate_card]
        if isinstance(card, Partner):
            columns.append(
                Column(f"handled.{name}", float(card.handled_minute.amount), whole=False)
            )
        else:
            columns.append(Column(f"past.{name}", _past_minute(card), whole=False))
    for after in sorted({need.after for need in forced}):
        family = [need for need in forced if need.after == after]
        types = sorted({need.contact_type for need in family})
        days = sorted({day for need in family for day in need.days})
        for name, day in product(scenario.agent_groups, days):
            skilled = [c for c in types if c in scenario.agent_groups[name].skills]
            if skilled:
                new_columns, new_rows = _limits(
                    case, rules, name, skilled, overshoot, after, day, paid, quickest[name]
                )
                columns += new_columns
                rows += new_rows
        for contact_type, day in product(types, days):
            terms = _done(case, contact_type, (day,), after)
            limit = float(most[contact_type][day]) / 60
            rows.append(Row(f"all.{after}.{contact_type}.{day:03d}", terms, most=limit))
        for number, need in enumerate(family):
            terms = _done(case, need.contact_type, need.days, after)
            row = f"need.{after}.{need.contact_type}.{number:04d}"
            rows.append(Row(row, terms, least=need.seconds / 60))
    rows += [Row(f"pays.{key}", terms, least=0.0) for key, terms in paid.items()]
    return columns, rows


def _work(after: int, group: str, contact_type: str, day: int) -> str:
    return f"work.{after}.{group}.{contact_type}.{day:03d}"


def _done(case: Case, contact_type: str, days: tuple[int, ...], after: int) -> Terms:
    return {
        _work(after, name, contact_type, day): 1.0
        for name, group in case.scenario.agent_groups.items()
        if contact_type in group.skills
        for day in days
    }


def _limits(
    case: Case,
    rules: ShiftRules,
    name: str,
    skilled: list[str],
    overshoot: dict[str, float],
    after: int,
    day: int,
    paid: dict[str, Terms],
    quickest: float,
) -> tuple[list[Column], list[Row]]:
    """What a group can do for one day's requests, for each type alone and for all together."""
    group = case.scenario.agent_groups[name]
    partner = isinstance(case.scenario.rate_cards[group.rate_card], Partner)
    there = present(group.shrinkage.unplanned, group.shrinkage.unplanned_day_error)
    supplies = list(_supplies(case, rules, name, skilled, after, day))
    past = f"past.{after}.{name}.{day:03d}"
    columns = [Column(_work(after, name, c, day), 0.0, whole=False) for c in skilled]
    columns.append(Column(past, 0.0, whole=False))
    rows = []
    # Work is counted as the contact types have it; this group may take longer, or less long, and
    # each of its agents at least as long as the quickest could on any day.
    longer, overrun = {}, {}
    for c in skilled:
        longer[c], overrun[c] = (quickest * each for each in handle_factors(group.skills[c]))
    sets = [[c] for c in skilled] + ([skilled] if len(skilled) > 1 else [])
    for together in sets:
        excess = sum(overrun[c] * overshoot[c] for c in together)
        if len(together) > 1:
            excess *= _MIXED
        terms: Terms = {_work(after, name, c, day): -longer[c] for c in together}
        terms[past] = 1.0
        for supply in supplies:
            ends_free = supply.stretches - supply.ends_shift
            terms[supply.column] = there * (supply.free + ends_free * excess)
        rows.append(Row(f"can.{after}.{name}.{day:03d}.{'+'.join(together)}", terms, least=0.0))
    beyond: Terms = {past: -1.0}
    for supply in supplies:
        if supply.ends_shift:
            beyond[supply.column] = there * (supply.after_shift + excess)
    rows.append(Row(f"past.{after}.{name}.{day:03d}", beyond, least=0.0))
    # Each family of windows is a part of what happens: the bill is at least each of them.
    key = f"{after}.{name}"
    if partner:
        total = paid.setdefault(key, {f"handled.{name}": 1.0})
        total.update({_work(after, name, c, day): -longer[c] for c in skilled})
    else:
        paid.setdefault(key, {f"past.{name}": 1.0})[past] = -1.0
    return columns, rows


def _supplies(
    case: Case, rules: ShiftRules, name: str, skilled: list[str], after: int, day: int
) -> Iterator[_Supply]:
    """What one agent on each shift, or in each interval, can do for a day's requests."""
    grid = case.grid
    window = _Window(
        begin=int(grid.day_starts[day]),
        end=int(grid.day_starts[day + 1]),
        after=after,
        spans=_spans(case, skilled, after, day),
        is_open=_open_to(case, name),
        interval=grid.interval_us,
        ring=grid.end if rules.cyclic else 0,
    )
    if name in rules.by_interval:
        for interval in range(grid.intervals):
            start = interval * grid.interval_us
            column = IntervalStaff.column(name, interval)
            supply = _supply(window, column, start, start + grid.interval_us, [])
            if supply is not None:
                yield supply
        return
    for possible in rules.shifts:
        if possible.group == name:
            start = possible.start * rules.slot
            breaks = [
                [
                    (start + begin * rules.slot, start + (begin + pause.length) * rules.slot)
                    for begin in range(pause.earliest, pause.latest + 1)
                ]
                for pause in possible.breaks
            ]
            stop = start + possible.length * rules.slot
            supply = _supply(window, possible.column, start, stop, breaks)
            if supply is not None:
                yield supply


@dataclass(frozen=True)
class _Window:
    """When a day's requests can be picked up [µs]: spans, and the day they are of."""

    begin: int
    end: int
    after: int
    spans: list[tuple[int, int]]
    is_open: NDArray[np.bool_]
    interval: int
    ring: int

    def serves_out(self, moment: int) -> bool:
        """Whether a stretch that ends now goes on until nobody waits: all is closed, or past."""
        number = moment // self.interval
        return number >= len(self.is_open) or not self.is_open[number]


def _spans(case: Case, skilled: list[str], after: int, day: int) -> list[tuple[int, int]]:
    """The opening hours of a day, each prolonged by how long an answer may still begin."""
    grid = case.grid
    opening = [grid.opening(case.scenario.hours(c)) for c in skilled]
    is_open = np.flatnonzero(np.any(opening, axis=0) & (grid.day == day))
    if not len(is_open):
        return []
    if after == LATE:  # Whoever came before a closing hour may be answered after it.
        return [(int(grid.starts[is_open[0]]), int(grid.day_starts[day + 1]) + after)]
    spans: list[tuple[int, int]] = []
    for interval in is_open.tolist():
        start = interval * grid.interval_us
        stop = min(start + grid.interval_us, grid.end) + after
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], stop)
        else:
            spans.append((start, stop))
    return spans


def _supply(
    window: _Window, column: str, start: int, stop: int, breaks: list[list[tuple[int, int]]]
) -> _Supply | None:
    """What one agent can do, each break placed where it costs least."""
    free, stretches, ends_here = 0, 0, False
    for span in window.spans:
        inside = _overlap(start, stop, span, window.ring)
        if inside <= 0:
            continue
        free += inside
        stretches += 1
        ends_here |= span[0] < stop <= span[1]
        for places in breaks:
            free -= min(_overlap(begin, end, span, window.ring) for begin, end in places)
            # The stretch before a break may end in this span wherever the break can begin in it.
            stretches += any(
                _overlap(begin - 1, begin, span, window.ring) > 0 for begin, _ in places
            )
    if not stretches:
        return None
    free += window.after * sum(
        any(window.serves_out(begin) for begin, _ in places) for places in breaks
    )
    own = ends_here and window.begin + window.after < stop <= window.end
    ends = {stop, stop - window.ring} if stop > window.ring else {stop}
    out = window.after if any(window.serves_out(moment) for moment in ends) else 0
    return _Supply(
        column, (free + (0 if own else out)) / MINUTE_US, stretches, out / MINUTE_US, own
    )


def _overlap(start: int, stop: int, window: tuple[int, int], ring: int) -> int:
    """Time a stretch has inside a window [µs], on a ring in whichever turn."""
    turns = (-ring, 0, ring) if ring else (0,)
    return sum(max(0, min(stop + t, window[1]) - max(start + t, window[0])) for t in turns)


def _open_to(case: Case, name: str) -> NDArray[np.bool_]:
    """Whether any contact type of a group is open, shape (n_intervals,)."""
    skills = case.scenario.agent_groups[name].skills
    served = [case.grid.opening(case.scenario.hours(skill)) for skill in skills]
    closed = np.zeros(case.grid.intervals, dtype=bool)
    return np.asarray(np.any([closed, *served], axis=0))


def _past_minute(card: InHouse) -> float:
    """Cost of a minute past the end of a shift [currency]."""
    return float(card.paid_hour.amount) / 60 * card.after_shift * (1 + card.on_cost)
