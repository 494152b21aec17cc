"""Series beside the scenario: demand by interval and distribution tables, from CSV or Excel.

Three forms of demand are read, told apart by their first columns:

- ``weekday,start``: a profile. Each row is used on every such weekday of the horizon.
- ``date,start``: a dated series; days outside the horizon are passed over.
- ``start`` alone, as ``2026-09-06T07:30``: the same in one column.

Then comes one column for each contact type: contacts in the interval that begins at ``start``.
Rows finer than the horizon's interval are summed. Each interval that is open needs its row; where
closed, rows are zero or absent.

On the day when clocks go back an hour comes twice. A profile row is used for both. A dated row that
stands once is the sum of both and is split in halves; two rows are the first and the second. The
hour that clocks skip must be zero or absent in a dated series; a profile's row is passed over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ccsim.errors import Problem, ScenarioError
from ccsim.scenario.calendar import Grid
from ccsim.scenario.case import Table
from ccsim.scenario.hours import WEEKDAYS, write_clock
from ccsim.scenario.model import Demand, Empirical, Scenario, Survival
from ccsim.scenario.problems import FieldPath, did_you_mean
from ccsim.scenario.sheets import Cell, Sheet, read_sheet
from ccsim.scenario.units import MICROSECONDS, came
from ccsim.scenario.yaml_reader import Place

MAXIMUM_SHOWN = 8
"""The most problems shown of one column."""
_MOST = 1e7  # contacts in one row, seconds in one table; nothing real is near
_NUMBER = re.compile(r"(\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d{1,2})?", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::00(?:\.0+)?)?", re.ASCII)

Key = tuple[int, int]
"""A weekday or a day of the horizon, and minutes after local midnight."""


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
            sheets[name] = None  # a file that cannot be read is said once
            try:
                sheets[name], series.files[name] = read_sheet(name, folder, locate(path), path)
            except ScenarioError as error:
                series.problems += error.problems
        return sheets[name]

    for name, contact_type in scenario.contact_types.items():
        given = contact_type.demand
        path: FieldPath = ("contact_types", name, "demand", "file")
        if given.file is not None and (sheet := sheet_of(given.file, path)) is not None:
            try:
                mean = demand_of(sheet, name, given, grid, grid.opening(contact_type.open))
                series.demand[name] = mean * given.scale
            except ScenarioError as error:
                series.problems += error.problems
    kinds: dict[str, type] = {}
    for path, table in tables_of(scenario):
        sheet = sheet_of(table.file, path)
        if sheet is None or kinds.setdefault(table.file, type(table)) is type(table):
            if sheet is not None and table.file not in series.tables:
                try:
                    series.tables[table.file] = table_of(sheet, table)
                except ScenarioError as error:
                    series.problems += error.problems
        else:
            message = f"{table.file!r} is read both as quantiles and as patience; use two files"
            series.problems.append(Problem(*locate(path), ".".join(map(str, path)), message))
    return series


def tables_of(scenario: Scenario) -> Iterator[tuple[FieldPath, Empirical | Survival]]:
    """Each distribution table that a scenario names, with the path of its ``file`` field."""
    for name, contact_type in scenario.contact_types.items():
        here: FieldPath = ("contact_types", name)
        works = [("talk_time", contact_type.talk_time), ("wrap_up", contact_type.wrap_up)]
        if contact_type.redial is not None:
            works.append(("redial", contact_type.redial.delay))
        for part, work in works:
            below = (*here, part, "delay") if part == "redial" else (*here, part)
            if work is not None and work.empirical is not None:
                yield (*below, "empirical", "file"), work.empirical
            for piece, component in ((work and work.mixture) or {}).items():
                if component.empirical is not None:
                    yield (*below, "mixture", piece, "empirical", "file"), component.empirical
        patience = contact_type.patience
        if patience is not None and patience.survival is not None:
            yield (*here, "patience", "survival", "file"), patience.survival


class Column:
    """A column of numbers with the problems found in it, raised together."""

    def __init__(self, sheet: Sheet, name: str) -> None:
        self.sheet = sheet
        self.name = name
        self.problems: list[Problem] = []

    def complain(self, row: int | None, message: str) -> None:
        """Note a problem in a row of the file."""
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
        """A number of at least 0; ValueError says what is wrong with it."""
        if isinstance(cell, str):
            text = cell.strip()
            match = _NUMBER.fullmatch(text)
            if match is None and _NUMBER.fullmatch(text[1:]) and text[0] == "-":
                raise ValueError(f"{came(cell)} is negative; write 0 or more")
            if match is None or ("," in text and not self.sheet.decimal_comma):
                hint = "; write decimals with a point" if match else "; write one, such as 12.5"
                raise ValueError(f"{came(cell)} is not a number{hint}")
            value = float(text.replace(",", "."))
        elif isinstance(cell, int | float) and not isinstance(cell, bool):
            value = float(cell)
        else:
            raise ValueError(f"{came(cell)} is not a number; write one, such as 12.5")
        if value < 0:
            raise ValueError(f"{came(cell)} is negative; write 0 or more")
        if not value <= _MOST:
            raise ValueError(f"{came(cell)} is too large; the most is {_MOST:.0f}")
        return value


def _is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def demand_of(
    sheet: Sheet, name: str, given: Demand, grid: Grid, is_open: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Contacts of each interval of the horizon, shape (n_intervals,), before scaling."""
    column = Column(sheet, given.column or name)
    at = sheet.position(column.name)
    form = _form(sheet)
    values: dict[Key, list[tuple[int, float]]] = {}
    minutes: set[int] = set()
    span: list[date] = []
    for row, cells in sheet.rows:
        try:
            day, minute = form(cells, span)
            if _is_blank(cells[at]):
                continue
            minutes.add(minute)
            value = column.number(cells[at])
        except ValueError as error:
            column.complain(row, str(error))
            continue
        if day is None:
            continue
        values.setdefault((day, minute), []).append((row, value))
    column.settle()
    step = _step(column, minutes, grid)
    keys = _keys(grid, sheet.is_dated)
    counts = _spread(column, values, keys, step, grid, is_open, sheet.is_dated)
    if span and not values:
        column.complain(
            None,
            f"the rows run from {min(span)} to {max(span)}, and the horizon from "
            f"{grid.dates[0]} to {grid.dates[-1]}; move horizon.start or use a weekday profile",
        )
        column.settle()
    return counts
