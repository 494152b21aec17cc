"""Series beside the scenario: demand by interval and distribution tables, from CSV or Excel.

Three forms of demand are read, told apart by their first columns:

- ``weekday,start``: a profile. Each row is used on every such weekday of the horizon.
- ``date,start``: a dated series; days outside the horizon are passed over.
- ``start`` alone, as ``2026-09-06T07:30``: the same in one column.

Then comes one column for each contact type: contacts in the interval that begins at ``start``.
Rows finer than the horizon's interval are summed. Each interval that is open needs its row; where
closed, rows are zero or absent. On a special day a profile's rows are those of the weekday that it
is like, and are passed over while it is closed; a dated series counts the day as it is.

On the day when clocks go back an hour comes twice. A profile row is used for both. A dated row that
stands once is the sum of both and is split in halves; two rows are the first and the second. The
hour that clocks skip must be zero or absent in a dated series; a profile's row is passed over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ccsim.errors import Problem, ScenarioError
from ccsim.scenario.calendar import Grid
from ccsim.scenario.case import Table
from ccsim.scenario.demand import Demand
from ccsim.scenario.distributions import Empirical, HandleDistribution, Stage, Survival
from ccsim.scenario.hours import WEEKDAYS, parse_clock, parse_date, write_clock
from ccsim.scenario.model import Scenario
from ccsim.scenario.problems import FieldPath
from ccsim.scenario.sheets import Cell, Sheet, read_sheet
from ccsim.scenario.special_days import Profile, profile_of
from ccsim.scenario.units import MICROSECONDS, came
from ccsim.scenario.yaml_reader import Place

MAXIMUM_SHOWN = 8
"""The most problems shown of one column."""
_MOST = 1e7  # contacts in a row, seconds in a table: nothing real is near
_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d{1,2})?", re.ASCII)
_FULL_CLOCK = re.compile(r"(\d\d?:\d\d)(?::00(?:\.0+)?)?", re.ASCII)

Counted = tuple[int, float]
"""Number of the row in the file, and what it counts."""


@dataclass
class Series:
    """What the files beside a scenario hold, and what is wrong with them."""

    demand: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_series(
    scenario: Scenario, grid: Grid, folder: Path, locate: Callable[[FieldPath], Place]
) -> Series:
    """Read every file that a scenario names.

    Parameters
    ----------
    scenario : Scenario
        The scenario.
    grid : Grid
        Its calendar.
    folder : Path
        The scenario's folder; files lie in it or below.
    locate : callable
        Where a field of the scenario stands, for error texts.
    """
    series = Series()
    sheets: dict[str, Sheet | None] = {}

    def sheet_of(name: str, path: FieldPath) -> Sheet | None:
        if name not in sheets:
            sheets[name] = None  # a file that cannot be read is named once
            sheets[name], series.files[name] = read_sheet(name, folder, locate(path), path)
        return sheets[name]

    for name, contact_type in scenario.contact_types.items():
        try:
            given = contact_type.demand
            path: FieldPath = ("contact_types", name, "demand", "file")
            if given.file is not None and (sheet := sheet_of(given.file, path)) is not None:
                profile = profile_of(scenario, grid, name)
                is_open = grid.opening(scenario.hours(name))
                mean = demand_of(sheet, name, given, grid, is_open, profile)
                series.demand[name] = mean * given.scale * profile.scale
        except ScenarioError as error:
            series.problems += error.problems
    kinds: dict[str, type] = {}
    for path, table in tables_of(scenario):
        try:
            sheet = sheet_of(table.file, path)
            if kinds.setdefault(table.file, type(table)) is not type(table):
                message = f"{table.file!r} is read as quantiles and as patience; use two files"
                series.problems.append(Problem(*locate(path), ".".join(map(str, path)), message))
            elif sheet is not None and table.file not in series.tables:
                series.tables[table.file] = table_of(sheet, table)
        except ScenarioError as error:
            series.problems += error.problems
    return series


class Column:
    """A column of numbers, and what is wrong in it, raised together."""

    def __init__(self, sheet: Sheet, name: str) -> None:
        self.sheet = sheet
        self.name = name
        self.position = sheet.position(name)
        self.problems: list[Problem] = []

    def complain(self, row: int | None, message: str) -> None:
        """Note what is wrong in a row of the file."""
        self.problems.append(Problem(self.sheet.shown, row, None, self.name, message))

    def settle(self) -> None:
        """Raise what was found, the first few of many."""
        rest = len(self.problems) - MAXIMUM_SHOWN
        if rest > 0:
            del self.problems[MAXIMUM_SHOWN:]
            self.complain(None, f"and {rest} more problems in this column")
        if self.problems:
            raise ScenarioError(self.problems)

    def number(self, cell: Cell) -> float:
        """A number of at least 0; ValueError says what else came."""
        value = math.nan
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            value = float(cell)
        elif isinstance(cell, str) and _NUMBER.fullmatch(cell.strip()):
            if "," in cell and not self.sheet.decimal_comma:
                raise ValueError(f"{came(cell)} is not a number; write decimals with a point")
            value = float(cell.replace(",", "."))
        if math.isnan(value):
            raise ValueError(f"{came(cell)} is not a number; write one, such as 12.5")
        if value < 0:
            raise ValueError(f"{came(cell)} is negative; write 0 or more")
        if value > _MOST:
            raise ValueError(f"{came(cell)} is too large; the most is {_MOST:.0f}")
        return value


def demand_of(
    sheet: Sheet,
    name: str,
    given: Demand,
    grid: Grid,
    is_open: NDArray[np.bool_],
    profile: Profile,
) -> NDArray[np.float64]:
    """Contacts of each interval of the horizon, shape (n_intervals,), before scaling."""
    column = Column(sheet, given.column or name)
    rows = _rows_by_start(column)
    step = _step(column, {minute for _, minute in rows}, grid)
    return _on_the_grid(column, rows, step, grid, is_open, profile)


def _rows_by_start(column: Column) -> dict[tuple[int | str, int], list[Counted]]:
    """The filled rows by day and minute: a weekday's number in a profile, else an ISO date."""
    sheet = column.sheet
    start_at = sheet.position("start")
    day_name = next((word for word in ("weekday", "date") if sheet.has(word)), None)
    rows: dict[tuple[int | str, int], list[Counted]] = {}
    for row, cells in sheet.rows:
        try:
            key: tuple[int | str, int]
            if day_name is None:
                key = _moment(cells[start_at])
            else:
                read_day = _weekday if day_name == "weekday" else _date
                key = read_day(cells[sheet.position(day_name)]), _clock(cells[start_at])
            cell = cells[column.position]
            if cell is not None:
                rows.setdefault(key, []).append((row, column.number(cell)))
        except ValueError as error:
            column.complain(row, str(error))
    column.settle()
    if not rows:
        column.complain(None, "no numbers in this column")
        column.settle()
    return rows


def _weekday(cell: Cell) -> int:
    word = cell.strip().lower() if isinstance(cell, str) else ""
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    for day, (short, long) in enumerate(zip(WEEKDAYS, full, strict=True)):
        if word in (short, long):
            return day
    raise ValueError(f"weekday {came(cell)} is not known; write {', '.join(WEEKDAYS)}")


def _date(cell: Cell) -> str:
    day = cell.date() if isinstance(cell, datetime) else cell
    return parse_date(day).isoformat()


def _clock(cell: Cell) -> int:
    if isinstance(cell, datetime):
        cell = cell.time()
    if isinstance(cell, time) and not (cell.second or cell.microsecond):
        return cell.hour * 60 + cell.minute
    match = _FULL_CLOCK.fullmatch(cell.strip()) if isinstance(cell, str) else None
    minute = parse_clock(match[1]) if match else 24 * 60
    if minute >= 24 * 60:
        raise ValueError(f"start {came(cell)} is not a clock time; write 07:30 (00:00 to 23:59)")
    return minute


def _moment(cell: Cell) -> tuple[str, int]:
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = cell.isoformat()
    if isinstance(cell, datetime) and cell.tzinfo is None:
        return _date(cell), _clock(cell)
    day, _, clock = (
        cell.strip().replace("T", " ").partition(" ") if isinstance(cell, str) else ("",) * 3
    )
    try:
        return _date(day), _clock(clock)
    except ValueError:
        raise ValueError(
            f"start {came(cell)} is not a local time; write 2026-09-06T07:30, "
            "or add a column 'weekday' or 'date'"
        ) from None


def _step(column: Column, minutes: set[int], grid: Grid) -> int:
    """Minutes from row to row, at most the horizon's interval."""
    interval = grid.interval_us // (60 * MICROSECONDS)
    first = min(minutes)
    step = math.gcd(*(minute - first for minute in minutes)) or interval
    step = interval if step % interval == 0 else step
    if interval % step or first % step:
        column.complain(
            None,
            f"rows begin every {step} min, the first at {write_clock(first)}, and do not fill the "
            f"horizon's interval of {interval} min; write rows every {interval} min from midnight",
        )
        column.settle()
    return step


def _on_the_grid(
    column: Column,
    rows: dict[tuple[int | str, int], list[Counted]],
    step: int,
    grid: Grid,
    is_open: NDArray[np.bool_],
    profile: Profile,
) -> NDArray[np.float64]:
    """Lay the rows on the intervals of the horizon."""
    dated = not column.sheet.has("weekday")
    days: list[int | str] = [
        grid.dates[day] if dated else weekday
        for day, weekday in zip(grid.day.tolist(), profile.weekday.tolist(), strict=True)
    ]
    if dated and not {day for day, _ in rows} & set(grid.dates):
        first, last = min(rows)[0], max(rows)[0]
        column.complain(
            None,
            f"its days run from {first} to {last}, the horizon from {grid.dates[0]} to "
            f"{grid.dates[-1]}; move horizon.start, or write weekdays instead of dates",
        )
        column.settle()
    otherwise = np.flatnonzero(profile.weekday != grid.weekday) if dated else ()
    for special_day in dict.fromkeys(grid.dates[grid.day[interval]] for interval in otherwise):
        column.complain(
            None,
            f"{special_day} is a special day 'like' a weekday, and this file counts by the day; "
            "leave 'like' out, or write weekdays instead of dates",
        )
    keys = list(zip(days, grid.minute.tolist(), strict=True))
    offsets = range(0, grid.interval_us // (60 * MICROSECONDS), step)
    times: dict[tuple[int | str, int], int] = {}  # on how many intervals a dated row lies
    for day, minute in keys if dated else []:
        for offset in offsets:
            times[day, minute + offset] = times.get((day, minute + offset), 0) + 1
    _refuse_duplicates(column, rows, times, grid.dates if dated else ())

    # A weekday's profile does not know special days: it is passed over while they are closed.
    passed_over = profile.special & ~is_open & (not dated)
    counts = np.zeros(grid.intervals)
    passed: dict[tuple[int | str, int], int] = {}
    missing: list[int] = []
    for interval, (day, minute) in enumerate(keys):
        if passed_over[interval]:
            continue
        occurrence = passed.get((day, minute), 0)
        passed[day, minute] = occurrence + 1
        for offset in offsets:
            counted = rows.get((day, minute + offset))
            if counted is None:
                if is_open[interval] and interval not in missing[-1:]:
                    missing.append(interval)
                continue
            halves = times.get((day, minute + offset), 1) if len(counted) == 1 else 1
            row, value = counted[min(occurrence, len(counted) - 1)]
            counts[interval] += value / halves
            if value and not is_open[interval]:
                where = f"{day} {write_clock(minute)}" if dated else grid.labels[interval]
                column.complain(
                    row, f"{value:g} contacts while closed ({where}); write 0 or open then"
                )
    if missing:
        labels = grid.labels
        shown = ", ".join(labels[interval] for interval in missing[:3])
        more = ", ..." if len(missing) > 3 else ""
        column.complain(
            None,
            f"no row for {len(missing)} of {int(is_open.sum())} open intervals: {shown}{more}; "
            "write a row for each (0 if nobody comes), close then, or lengthen horizon.interval",
        )
    column.settle()
    return counts


def _refuse_duplicates(
    column: Column,
    rows: dict[tuple[int | str, int], list[Counted]],
    times: dict[tuple[int | str, int], int],
    dates: tuple[str, ...],
) -> None:
    """An interval twice, or in the hour that clocks skip."""
    for (day, minute), counted in rows.items():
        allowed = times.get((day, minute), 1)
        if len(counted) > allowed:
            shown = WEEKDAYS[day] if isinstance(day, int) else day
            column.complain(
                counted[allowed][0],
                f"{shown} {write_clock(minute)} stands twice, first in row {counted[0][0]}",
            )
        if day in dates and (day, minute) not in times and any(value for _, value in counted):
            column.complain(
                counted[0][0],
                f"{day} {write_clock(minute)} does not exist: clocks go forward; write 0 or no row",
            )
    column.settle()


def tables_of(scenario: Scenario) -> Iterator[tuple[FieldPath, Empirical | Survival]]:
    """Each distribution table that a scenario names, with the path of its ``file`` field."""
    for name, contact_type in scenario.contact_types.items():
        here: FieldPath = ("contact_types", name)
        for below, work in contact_type.works():
            if work is None:
                continue
            yield from _tables_of_work(work, (*here, *below))
            for stage, given in (work.stages or {}).items():
                yield from _tables_of_work(given, (*here, *below, "stages", stage))
        patience = contact_type.patience
        if patience is not None and patience.survival is not None:
            yield (*here, "patience", "survival", "file"), patience.survival


def _tables_of_work(
    work: HandleDistribution | Stage, here: FieldPath
) -> Iterator[tuple[FieldPath, Empirical | Survival]]:
    if work.empirical is not None:
        yield (*here, "empirical", "file"), work.empirical
    for part, component in (work.mixture or {}).items():
        if component.empirical is not None:
            yield (*here, "mixture", part, "empirical", "file"), component.empirical


def table_of(sheet: Sheet, given: Empirical | Survival) -> Table:
    """The two columns of a distribution table, shape (n_rows, 2), in the order of its reference.

    ``cumulative, seconds`` rises from 0 to 1; ``seconds, still_waiting`` falls from 1.
    """
    empirical = isinstance(given, Empirical)
    names = ("cumulative", "seconds") if empirical else ("seconds", "still_waiting")
    columns = [Column(sheet, name) for name in names]
    table: list[tuple[float, ...]] = []
    for row, cells in sheet.rows:
        numbers = []
        for column in columns:
            try:
                numbers.append(column.number(cells[column.position]))
            except ValueError as error:
                column.complain(row, str(error))
        if len(numbers) < 2:
            continue
        share = columns[0] if empirical else columns[1]
        if numbers[names.index(share.name)] > 1:
            share.complain(
                row, f"{numbers[names.index(share.name)]:g} is above 1; write a fraction"
            )
        if table:
            _check_order(columns, row, table[-1], numbers, empirical=empirical)
        table.append(tuple(numbers))
    first, last = columns
    if len(table) < 2:
        first.complain(None, "at least two rows are needed")
    elif empirical:
        if table[0][0] != 0 or table[-1][0] != 1:
            first.complain(
                None, f"runs from {table[0][0]:g} to {table[-1][0]:g}; it must be 0 to 1"
            )
        if table[-1][1] == 0:
            last.complain(None, "every length is 0")
    elif table[0] != (0.0, 1.0):
        first.complain(sheet.rows[0][0], "the first row must be 0 seconds with 1 still waiting")
    problems = first.problems + last.problems
    if problems:
        first.problems = sorted(problems, key=lambda problem: problem.line or 10**9)
        first.settle()
    return np.array(table)


def _check_order(
    columns: list[Column], row: int, before: tuple[float, ...], now: list[float], *, empirical: bool
) -> None:
    if now[0] <= before[0]:
        columns[0].complain(row, f"{now[0]:g} after {before[0]:g}; it must rise from row to row")
    if empirical and now[1] < before[1]:
        columns[1].complain(row, f"{now[1]:g} after {before[1]:g}; it may not fall")
    if not empirical and now[1] > before[1]:
        columns[1].complain(row, f"{now[1]:g} after {before[1]:g}; it may not rise")
