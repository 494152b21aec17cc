"""Every shift that the rules allow, on one line of time cut into slots.

The line of a cyclic horizon is closed to a ring: what begins before its end may end after it, which
is where it covers the first hours. Every shift is represented by its start inside the horizon. Days
are no walls: a night shift covers the morning after, never the morning before.

Agents who start the same shift together and their breaks are counted apart (implicit breaks): so
many agents start, so many of them begin lunch at noon. As the windows of two breaks never overlap,
any such counts can be dealt out to agents.

References
----------
T. Aykin (1996), Optimal shift scheduling with multiple break windows, Management Science 42(4),
591-602, doi:10.1287/mnsc.42.4.591
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from math import gcd

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.attendance import kept_share
from ccsim.economics.paid import loaded_hour
from ccsim.errors import PlanError
from ccsim.plans.plan import PlacedBreak, PlacedShift, StaffingPlan
from ccsim.scenario.calendar import HOUR_US
from ccsim.scenario.case import Case
from ccsim.scenario.model import AgentGroup, Partner, Shift
from ccsim.scenario.units import MICROSECONDS, write_duration
from ccsim.staffing.requirement import Requirement

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Terms = dict[str, float]
"""A sum over columns: a factor for each column's name."""

SHORTEST_SLOT = 5 * 60 * MICROSECONDS
MINUTE_US = 60 * MICROSECONDS
_IDLE_PARTNER = 0.01  # occupancy that a partner's agent is priced at where the formulas see no load


@dataclass(frozen=True)
class PossibleBreak:
    """A break of a possible shift: earliest and latest begin after the start, length [slots]."""

    name: str
    earliest: int
    latest: int
    length: int
    paid: bool


@dataclass(frozen=True)
class PossibleShift:
    """A shift that agents of a group may start at one instant; `cost` is that of one agent."""

    group: str
    shift: str
    start: int
    length: int
    breaks: tuple[PossibleBreak, ...]
    cost: float
    at_most: int | None

    @property
    def column(self) -> str:
        """Name of the number of agents who work it."""
        return f"agents.{self.group}.{self.shift}.{self.start:06d}"

    def break_column(self, pause: PossibleBreak, offset: int) -> str:
        """Name of the number of them who begin a break so many slots after the start."""
        if pause.earliest == pause.latest:
            return self.column
        return f"break.{self.group}.{self.shift}.{self.start:06d}.{pause.name}.{offset:04d}"


@dataclass(frozen=True, eq=False)
class IntervalStaff:
    """A group staffed interval by interval: fewest, most, and cost of an agent per interval."""

    least: Integers
    most: Floats
    cost: Floats

    @property
    def given(self) -> bool:
        """Whether the group has a given size: nothing is left to choose."""
        return bool((self.least == self.most).all())

    @staticmethod
    def column(group: str, interval: int) -> str:
        """Name of the number of agents on the floor in an interval."""
        return f"staff.{group}.{interval:06d}"


@dataclass(frozen=True, eq=False)
class ShiftRules:
    """Everything a schedule may and must do, but for the requirement.

    Attributes
    ----------
    slot : int
        Length of a slot [µs]: the largest step on which everything begins and ends.
    slots : int
        Slots in the horizon.
    cyclic : bool
        Whether the line of time is a ring.
    interval : ndarray of int64, shape (slots,)
        The interval each slot lies in.
    shifts : tuple of PossibleShift
        Of all groups that work shifts.
    by_interval : mapping of str to IntervalStaff
        Groups staffed by interval, and groups of a given size.
    minimum, maximum : mapping of str to ndarray, shape (slots,)
        On the floor, for groups that work shifts: scheduled, whether or not they turn up.
    presence : mapping of str to float
        Share of scheduled time that they are expected there: absence, log-in and lateness off it.
    """

    slot: int
    slots: int
    cyclic: bool
    interval: Integers
    shifts: tuple[PossibleShift, ...]
    by_interval: Mapping[str, IntervalStaff]
    minimum: Mapping[str, Integers]
    maximum: Mapping[str, Floats]
    presence: Mapping[str, float]

    @cached_property
    def on_the_floor(self) -> Mapping[str, list[Terms]]:
        """Agents of each group on the floor in each slot, as sums over columns."""
        floor: dict[str, list[Terms]] = {
            name: [{} for _ in range(self.slots)] for name in self.presence
        }
        for name in self.by_interval:
            for slot, interval in enumerate(self.interval.tolist()):
                floor[name][slot][IntervalStaff.column(name, interval)] = 1.0
        for possible in self.shifts:
            terms = floor[possible.group]
            for offset in range(possible.length):
                terms[(possible.start + offset) % self.slots][possible.column] = 1.0
            for pause in possible.breaks:
                for begin in range(pause.earliest, pause.latest + 1):
                    column = possible.break_column(pause, begin)
                    for offset in range(begin, begin + pause.length):
                        here = terms[(possible.start + offset) % self.slots]
                        here[column] = here.get(column, 0.0) - 1.0
                        if here[column] == 0.0:
                            del here[column]
        return floor


def shift_rules(case: Case, requirement: Requirement | None = None) -> ShiftRules:
    """Lay every possible shift of a scenario on slots, with its cost.

    Parameters
    ----------
    case : Case
        The centre.
    requirement : Requirement, optional
        Tells how busy a partner's agents would be. Without it a partner's time costs nothing here.

    Raises
    ------
    PlanError
        If breaks overlap or lie outside their shift, a shift is longer than the horizon, or lengths
        and starts have no common step of five minutes or more.

    Notes
    -----
    Own agents cost paid hours x loaded wage, exactly as billed. A partner's agent is priced at the
    minutes the formulas expect: load / agents needed, in the row of most types. That is an estimate
    for the search; the simulation bills. A partner's agreed minimum is left to the bill.
    """
    scenario, grid = case.scenario, case.grid
    cyclic = scenario.horizon.begins == "cyclic"
    starts = {
        (kind, zone): _instants(case, scenario.shifts[kind], zone)
        for name, group in scenario.agent_groups.items()
        for kind in _shifts_of(group)
        for zone in [scenario.zone_of(name)]
    }
    slot = _slot(
        case,
        {
            used: (
                scenario.shifts[used],
                tuple(s for (kind, _), mine in starts.items() if kind == used for s in mine),
            )
            for used in sorted({kind for kind, _ in starts})
        },
    )
    slots = grid.end // slot
    interval = np.arange(slots, dtype=np.int64) * slot // grid.interval_us
    shifts: list[PossibleShift] = []
    by_interval, minimum, maximum = {}, {}, {}
    for name, group in scenario.agent_groups.items():
        served = [case.grid.opening(scenario.hours(c)) for c in group.skills]
        is_open = np.any(served, axis=0) if served else np.zeros(grid.intervals, dtype=bool)
        most = _most(case, group)
        minute_cost = _partner_minute(case, name, requirement)
        if not _shifts_of(group):
            by_interval[name] = _interval_staff(case, group, is_open, most, minute_cost)
            continue
        minimum[name] = np.where(is_open[interval], group.minimum_staff, 0)
        maximum[name] = np.full(slots, most)
        for kind in group.shifts:
            shift = scenario.shifts[kind]
            for start in starts[kind, scenario.zone_of(name)]:
                if not cyclic and start + shift.length > grid.end:
                    continue
                possible = _possible(name, kind, shift, start, slot)
                cost = _shift_cost(case, group, shift, possible, slots, interval, minute_cost, slot)
                shifts.append(PossibleShift(*possible, cost, shift.at_most))
    return ShiftRules(
        slot=slot,
        slots=slots,
        cyclic=cyclic,
        interval=interval,
        shifts=tuple(shifts),
        by_interval=by_interval,
        minimum=minimum,
        maximum=maximum,
        presence={name: kept_share(case, name) for name in scenario.agent_groups},
    )


def plan_from(case: Case, rules: ShiftRules, count: Callable[[str], int]) -> StaffingPlan:
    """Deal counted breaks out to agents: the earliest of each break go together.

    Parameters
    ----------
    case : Case
        The centre.
    rules : ShiftRules
        Its possible shifts.
    count : callable
        The number behind a column's name.
    """
    placed: list[PlacedShift] = []
    for possible in rules.shifts:
        agents = count(possible.column)
        if not agents:
            continue
        begins = [
            [
                begin
                for begin in range(pause.earliest, pause.latest + 1)
                for _ in range(count(possible.break_column(pause, begin)))
            ]
            for pause in possible.breaks
        ]
        together: dict[tuple[int, ...], int] = {}
        for each in zip(*begins, strict=True) if begins else [()] * agents:
            together[each] = together.get(each, 0) + 1
        placed += [
            PlacedShift(
                group=possible.group,
                start=possible.start * rules.slot,
                shift=possible.shift,
                length=possible.length * rules.slot,
                breaks=tuple(
                    PlacedBreak(
                        (possible.start + begin) * rules.slot, pause.length * rules.slot, pause.paid
                    )
                    for pause, begin in zip(possible.breaks, chosen, strict=True)
                ),
                agents=number,
            )
            for chosen, number in together.items()
        ]
    by_interval = {
        name: tuple(count(IntervalStaff.column(name, i)) for i in range(case.grid.intervals))
        for name in rules.by_interval
    }
    return StaffingPlan(tuple(sorted(placed)), by_interval)


def columns_of(rules: ShiftRules, plan: StaffingPlan) -> dict[str, float]:
    """The columns' values that stand for a plan, to start a search from it."""
    values: dict[str, float] = {}
    possible = {(p.group, p.shift, p.start): p for p in rules.shifts}
    for placed in plan.schedule:
        found = possible.get((placed.group, placed.shift, placed.start // rules.slot))
        if found is None:
            continue
        values[found.column] = values.get(found.column, 0.0) + placed.agents
        for pause, at in zip(found.breaks, placed.breaks, strict=False):
            column = found.break_column(pause, (at.start - placed.start) // rules.slot)
            if column != found.column:
                values[column] = values.get(column, 0.0) + placed.agents
    for name, agents in plan.by_interval.items():
        values |= {IntervalStaff.column(name, i): float(n) for i, n in enumerate(agents)}
    return values


def _shifts_of(group: AgentGroup) -> tuple[str, ...]:
    """The shifts that are to be planned: none for a group of a given size."""
    return () if group.agents is not None else group.shifts


def _instants(case: Case, shift: Shift, time_zone: str) -> tuple[int, ...]:
    """Every instant of the horizon at which a shift may start [µs], by the clocks of a zone."""
    clock, end = case.grid.clock(time_zone), case.grid.end
    found = {
        clock.instant(datetime.combine(day, time()) + timedelta(minutes=minute))
        for day in clock.dates(end)
        if day.weekday() in shift.days
        for minute in shift.starts
    }
    return tuple(sorted(start for start in found if 0 <= start < end))


def _slot(case: Case, used: Mapping[str, tuple[Shift, tuple[int, ...]]]) -> int:
    """Longest step on which every start, length and break begins and ends [µs]."""
    step = gcd(case.grid.interval_us, case.grid.end)
    for name, (shift, starts) in used.items():
        breaks = sorted(shift.breaks.items(), key=lambda each: each[1].window)
        for (first, one), (second, other) in pairwise(breaks):
            if one.window[1] + one.length > other.window[0]:
                raise PlanError(
                    f"shifts.{name}: {second!r} may begin before {first!r} has ended; "
                    "the windows of two breaks may not overlap"
                )
        for label, pause in breaks:
            if pause.window[1] + pause.length > shift.length:
                raise PlanError(f"shifts.{name}.breaks.{label}: may end after the shift has ended")
        if shift.length > case.grid.end:
            raise PlanError(
                f"shifts.{name}: its length of {write_duration(shift.length)} is more than the "
                f"whole horizon of {write_duration(case.grid.end)}"
            )
        step = gcd(step, shift.length, *starts)
        step = gcd(step, *(t for _, pause in breaks for t in (*pause.window, pause.length)))
        if step < SHORTEST_SLOT:
            raise PlanError(
                f"shifts.{name}: starts, lengths and breaks fit no common step of "
                f"{write_duration(SHORTEST_SLOT)}; round them to 5, 10, 15 or 30 min"
            )
    return step


def _most(case: Case, group: AgentGroup) -> float:
    card = case.scenario.rate_cards[group.rate_card]
    limits = [group.maximum_staff, card.capacity if isinstance(card, Partner) else None]
    return float(min((limit for limit in limits if limit is not None), default=np.inf))


def _interval_staff(
    case: Case,
    group: AgentGroup,
    is_open: NDArray[np.bool_],
    most: float,
    minute: Floats,
) -> IntervalStaff:
    card = case.scenario.rate_cards[group.rate_card]
    if group.agents is not None:
        least = np.where(is_open, group.agents, 0)
        limit = least.astype(np.float64)
    else:
        least = np.where(is_open, group.minimum_staff, 0)
        limit = np.full(case.grid.intervals, most)
    if isinstance(card, Partner):
        cost = minute * (case.grid.interval_us / MINUTE_US)
    else:
        hours = case.grid.interval_us / HOUR_US
        cost = np.full(case.grid.intervals, float(loaded_hour(card, group.shrinkage)) * hours)
    return IntervalStaff(least.astype(np.int64), limit, cost)


def _partner_minute(case: Case, name: str, requirement: Requirement | None) -> Floats:
    """What a minute of a partner's agent on the floor is expected to cost, by interval."""
    group = case.scenario.agent_groups[name]
    card = case.scenario.rate_cards[group.rate_card]
    if not isinstance(card, Partner) or requirement is None:
        return np.zeros(case.grid.intervals)
    rows = [row for row in requirement.rows if name in row.groups]
    busy = np.full(case.grid.intervals, _IDLE_PARTNER)
    if rows:
        largest = max(rows, key=lambda row: len(row.contact_types))
        expected = largest.load / np.maximum(largest.agents, 1)
        busy = np.clip(expected, _IDLE_PARTNER, 1.0)
    return busy * float(card.handled_minute.amount) * (1 - group.shrinkage.unplanned)


def _possible(
    group: str, kind: str, shift: Shift, start: int, slot: int
) -> tuple[str, str, int, int, tuple[PossibleBreak, ...]]:
    breaks = sorted(shift.breaks.items(), key=lambda each: each[1].window)
    return (
        group,
        kind,
        start // slot,
        shift.length // slot,
        tuple(
            PossibleBreak(
                name,
                pause.window[0] // slot,
                pause.window[1] // slot,
                pause.length // slot,
                pause.paid,
            )
            for name, pause in breaks
        ),
    )


def _shift_cost(
    case: Case,
    group: AgentGroup,
    shift: Shift,
    possible: tuple[str, str, int, int, tuple[PossibleBreak, ...]],
    slots: int,
    interval: Integers,
    minute: Floats,
    slot: int,
) -> float:
    """Cost of one agent who works a shift; a partner's is an estimate."""
    card = case.scenario.rate_cards[group.rate_card]
    unpaid = sum(pause.length for pause in shift.breaks.values() if not pause.paid)
    if not isinstance(card, Partner):
        hours = (shift.length - unpaid) / HOUR_US
        return float(loaded_hour(card, group.shrinkage)) * hours
    start, length = possible[2:4]
    covered = (start + np.arange(length)) % slots
    off = sum(pause.length for pause in shift.breaks.values()) / shift.length
    return float(minute[interval[covered]].sum()) * (slot / MINUTE_US) * (1 - off)
