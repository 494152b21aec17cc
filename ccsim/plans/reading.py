"""A roster that a planner edited, read back as a plan; everything wrong in it said at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

from ccsim.errors import PlanError, Problem
from ccsim.plans.files import (
    LONGEST,
    NAME,
    SCHEDULE_COLUMNS,
    ZONE_COLUMN,
    clock_of,
    merged,
)
from ccsim.plans.local_time import (
    ClockTime,
    Place,
    local_time,
    next_time,
    parse_clock_time,
    start_of,
)
from ccsim.plans.plan import PlacedBreak, PlacedShift, StaffingPlan
from ccsim.plans.sheets import BREAK_COLUMN, Cell, Table, read_tables
from ccsim.scenario.calendar import Grid, LocalClock
from ccsim.scenario.case import Case
from ccsim.scenario.hours import parse_date
from ccsim.scenario.problems import did_you_mean, unknown_name
from ccsim.scenario.units import came, write_duration

MOST_AGENTS = 100_000
"""The most agents in one cell, as in a scenario."""
MOST_SHIFTS = 1_000_000
"""The most agents in all rows: a year of 2,700 people."""
MOST_SHOWN = 20
"""The most problems shown."""
_BREAK = re.compile(r"([^-–]+)[-–]([^-–]+?)(?:\s+(paid|unpaid))?", re.IGNORECASE)
_WHOLE = re.compile(r"\d{1,9}(?:\.0+)?", re.ASCII)

T = TypeVar("T")


@dataclass
class _Reading:
    """A table being read, with what is wrong in it so far."""

    table: Table
    grid: Grid
    problems: list[Problem] = field(default_factory=list)

    def complain(self, row: int | None, column: str, message: str) -> None:
        self.problems.append(Problem(self.table.shown, row, None, column, message))

    def value(self, row: int, column: str, read: Callable[..., T], *given: Any) -> T | None:
        """What a function makes of a cell; None, and a problem noted, where it refuses."""
        try:
            return read(*given)
        except ValueError as error:
            self.complain(row, column, str(error))
            return None

    def cells(self) -> Iterator[tuple[int, dict[str, Cell]]]:
        """Each row's number and its cells by column."""
        for number, row in self.table.rows:
            yield number, dict(zip(self.table.columns, row, strict=False))


def read_plan(path: Path | str, case: Case) -> StaffingPlan:
    """Read a plan from Excel, CSV or a folder with CSV files, as `write_plan_csv` lays them out.

    Parameters
    ----------
    path : Path or str
        A workbook (``.xlsx``, sheets ``schedule`` and ``staffing``), a ``.csv`` with one of them,
        or a folder with ``schedule.csv``, ``staffing.csv`` or both.
    case : Case
        The scenario it is for.

    Returns
    -------
    StaffingPlan
        Sorted; agents of equal rows added up.

    Raises
    ------
    PlanError
        With every problem: file, row as Excel numbers it, column, what came, what to write.

    Notes
    -----
    Groups are those of the scenario. A shift may have any name, any breaks and any length up to
    24 h: what an invented shift gives is a good question. How times are read, also on the days when
    clocks change, is told in `ccsim.plans.local_time`.
    """
    readings = [_Reading(table, case.grid) for table in read_tables(Path(path))]
    schedule: list[PlacedShift] = []
    by_interval: dict[str, tuple[int, ...]] = {}
    for reading in readings:
        if reading.table.is_schedule:
            schedule += _schedule(reading, case)
        else:
            by_interval |= _staffing(reading, case)
    problems = [problem for reading in readings for problem in reading.problems]
    problems += [
        Problem(str(path), None, None, name, "has both shifts and agents by interval; keep one")
        for name in sorted({shift.group for shift in schedule} & set(by_interval))
    ]
    if sum(shift.agents for shift in schedule) > MOST_SHIFTS:
        message = f"more than {MOST_SHIFTS:,} agents in all rows; look for a wrong number"
        problems.append(Problem(str(path), None, None, "agents", message))
    if problems:
        lines = [str(problem) for problem in problems[:MOST_SHOWN]]
        rest = len(problems) - MOST_SHOWN
        raise PlanError("\n".join([*lines, f"and {rest} more problems"] if rest > 0 else lines))
    return StaffingPlan(merged(schedule), by_interval)


def _schedule(reading: _Reading, case: Case) -> list[PlacedShift]:
    breaks = sorted(
        (name for name in reading.table.columns if BREAK_COLUMN.fullmatch(name)),
        key=lambda name: int(name.removeprefix("break_")),
    )
    others = (*breaks, "note", ZONE_COLUMN)
    if not _columns_fit(reading, SCHEDULE_COLUMNS, others, "break_1", "break_2"):
        return []
    grid = reading.grid
    shifts = []
    for row, cells in reading.cells():
        group = reading.value(row, "group", _group, cells["group"], case)
        name = reading.value(row, "shift", _shift_name, cells["shift"])
        agents = reading.value(row, "agents", _agents, cells["agents"])
        clocks = grid.clock() if group is None else clock_of(case, group)
        if group is not None and cells.get(ZONE_COLUMN, "") != "":
            reading.value(row, ZONE_COLUMN, _zone, cells[ZONE_COLUMN], group, clocks)
        day = reading.value(row, "date", _day, cells["date"], grid, clocks)
        clock = reading.value(row, "start", parse_clock_time, cells["start"])
        until = reading.value(row, "end", parse_clock_time, cells["end"])
        written = [
            (at, reading.value(row, at, _break, cells[at])) for at in breaks if cells[at] != ""
        ]
        if day is None or clock is None or until is None:
            continue
        start = reading.value(row, "start", _start, grid, clocks, day, clock)
        if start is None:
            continue
        end = reading.value(row, "end", _end, clocks, day, until, start)
        if end is None:
            continue
        placed: list[PlacedBreak] = []
        for column, pause in written:
            if pause is not None:
                shift = (start, end, placed[-1] if placed else None)
                found = reading.value(row, column, _placed, clocks, day, pause, shift)
                placed += [] if found is None else [found]
        if group is not None and name is not None and agents is not None:
            shifts.append(PlacedShift(group, start, name, end - start, tuple(placed), agents))
    return shifts


def _staffing(reading: _Reading, case: Case) -> dict[str, tuple[int, ...]]:
    grid = case.grid
    groups = [name for name in reading.table.columns if name in case.scenario.agent_groups]
    if not _columns_fit(reading, ("date", "start"), (*groups, "note"), *case.scenario.agent_groups):
        return {}
    number = {start: interval for interval, start in enumerate(grid.starts.tolist())}
    seen: dict[int, int] = {}
    counts = {name: [0] * grid.intervals for name in groups}
    for row, cells in reading.cells():
        agents = [reading.value(row, name, _agents, cells[name]) for name in groups]
        day = reading.value(row, "date", _day, cells["date"], grid, grid.clock())
        clock = reading.value(row, "start", parse_clock_time, cells["start"])
        if day is None or clock is None:
            continue
        start = reading.value(row, "start", start_of, grid, day, clock)
        if start is None:
            continue
        if start not in number:
            length = write_duration(grid.interval_us)
            reading.complain(row, "start", f"'{clock}' begins no interval; they are {length} long")
        elif start in seen:
            reading.complain(
                row, "start", f"{day} {clock} stands twice, first in row {seen[start]}"
            )
        else:
            seen[start] = row
            for name, count in zip(groups, agents, strict=True):
                counts[name][number[start]] = count or 0
    missing = [start for start in number if start not in seen]
    if missing and not reading.problems:
        day, clock = local_time(grid, missing[0])
        message = (
            f"{len(missing)} intervals have no row, the first {day} {clock}; write 0 for nobody"
        )
        reading.complain(None, "", message)
    return {name: tuple(agents) for name, agents in counts.items()}


def _columns_fit(
    reading: _Reading, needed: Iterable[str], others: Iterable[str], *examples: str
) -> bool:
    """Whether every column that is needed is there; those that nobody knows are named."""
    table, needed, others = reading.table, tuple(needed), tuple(others)
    for name in dict.fromkeys(table.columns):
        if name and table.columns.count(name) > 1:
            reading.complain(table.header_row, name, "this column comes twice; rename one")
        if name and name not in (*needed, *others):
            hint = did_you_mean(name, [*needed, *examples])
            known = ", ".join([*needed, *examples])
            text = f"no such column{hint or f'; the columns are {known}'}; remarks go into 'note'"
            reading.complain(table.header_row, name, text)
    unnamed = [at for at, name in enumerate(table.columns) if not name]
    for row, cells in table.rows:
        if any(cells[at] != "" for at in unnamed):
            reading.complain(row, "", "a cell below no header; remarks go into a column 'note'")
    missing = [name for name in needed if name not in table.columns]
    for name in missing:
        reading.complain(
            table.header_row, name, f"this column is missing; write {', '.join(needed)}"
        )
    return not missing


def _group(cell: Cell, case: Case) -> str:
    if cell not in case.scenario.agent_groups:
        raise ValueError(unknown_name(cell, list(case.scenario.agent_groups), "agent group"))
    return str(cell)


def _shift_name(cell: Cell) -> str:
    if not (isinstance(cell, str) and NAME.fullmatch(cell)):
        raise ValueError(
            f"{came(cell)} is not a name: write a letter, then letters, digits or _, at most 40"
        )
    return cell


def _agents(cell: Cell) -> int:
    number = -1
    if isinstance(cell, str) and _WHOLE.fullmatch(cell):
        number = int(float(cell))
    elif isinstance(cell, int | float) and not isinstance(cell, bool) and cell == cell // 1:
        number = int(cell)
    if not 0 <= number <= MOST_AGENTS:
        raise ValueError(f"{came(cell)} is not a number of agents; write 0, 1, 2 … {MOST_AGENTS:,}")
    return number


def _zone(cell: Cell, group: str, clocks: LocalClock) -> None:
    if cell != clocks.time_zone:
        raise ValueError(
            f"{came(cell)} is not where {group} works in this scenario; write {clocks.time_zone}"
        )


def _day(cell: Cell, grid: Grid, clocks: LocalClock) -> date:
    if isinstance(cell, datetime) and cell.time() == datetime.min.time():
        cell = cell.date()
    day = parse_date(cell)
    known = grid.dates
    if clocks.time_zone != grid.time_zone:
        known = tuple(one.isoformat() for one in clocks.dates(grid.end))
    if day.isoformat() not in known:
        raise ValueError(f"{day} is outside the horizon; write {known[0]} to {known[-1]}")
    return day


def _start(grid: Grid, clocks: LocalClock, day: date, clock: ClockTime) -> int:
    start = start_of(clocks, day, clock)
    if not 0 <= start < grid.end:
        (first, begin), (last, end) = (local_time(clocks, at) for at in (0, grid.end))
        raise ValueError(
            f"{day} {clock} is outside the horizon, by the clocks of {clocks.time_zone} from "
            f"{first} {begin} to {last} {end}"
        )
    return start


def _break(cell: Cell) -> tuple[ClockTime, ClockTime, bool]:
    match = _BREAK.fullmatch(cell) if isinstance(cell, str) else None
    if match is None:
        raise ValueError(f"{came(cell)} is not a break; write 10:15-10:30 or 10:15-10:30 paid")
    paid = (match[3] or "").lower() == "paid"
    return parse_clock_time(match[1]), parse_clock_time(match[2]), paid


def _end(place: Place, day: date, clock: ClockTime, start: int) -> int:
    end = next_time(place, day, clock, start)
    if end - start > LONGEST:
        length = write_duration(end - start)
        raise ValueError(f"'{clock}' makes a shift of {length}; at most 24 h, so write two shifts")
    return end


def _placed(
    place: Place,
    day: date,
    pause: tuple[ClockTime, ClockTime, bool],
    shift: tuple[int, int, PlacedBreak | None],
) -> PlacedBreak:
    first, last, paid = pause
    start, end, before = shift
    begin = next_time(place, day, first, start - 1)
    until = next_time(place, day, last, begin)
    if until > end:
        span = f"{local_time(place, start)[1]}-{local_time(place, end)[1]}"
        raise ValueError(f"'{first}-{last}' does not lie inside the shift, {span}")
    if before is not None and begin < before.start + before.length:
        raise ValueError(
            f"'{first}-{last}' begins before the break before it ends; sort them by time"
        )
    return PlacedBreak(begin, until - begin, paid)
