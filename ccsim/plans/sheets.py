"""The tables of an edited roster as they stand in Excel or CSV, within bounds."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, NoReturn

from ccsim.errors import PlanError
from ccsim.plans.files import SCHEDULE_COLUMNS, ZONE_COLUMN
from ccsim.scenario.folder import beside
from ccsim.scenario.problems import did_you_mean
from ccsim.scenario.workbook import why_not_opened

MAXIMUM_BYTES = 20 << 20
"""The largest file that is read."""
BREAK_COLUMN = re.compile(r"break_(\d{1,2})", re.ASCII)

Cell = Any
"""Text from CSV; text, number, date or time from Excel; empty text where nothing stands."""
Rows = list[tuple[int, list[Cell]]]


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it stands in a file.

    Attributes
    ----------
    shown : str
        File and sheet for error texts.
    is_schedule : bool
        Shifts, or agents by interval.
    header_row : int
        Number of the header in the file.
    columns : tuple of str
        The header.
    rows : tuple of (int, tuple)
        Number of the row in the file, and its cells, as many as the header has.
    """

    shown: str
    is_schedule: bool
    header_row: int
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]


def read_tables(path: Path) -> list[Table]:
    """The tables of a workbook, a CSV file or a folder."""
    if path.is_dir():
        names = [name for name in ("schedule.csv", "staffing.csv") if (path / name).is_file()]
        if not names:
            _refuse(str(path), "a folder without schedule.csv or staffing.csv; name another")
        return [_from_csv(_bytes(path / name), str(path / name)) for name in names]
    data = _bytes(path)
    if path.suffix.lower() == ".xlsx":
        return _from_excel(data, str(path))
    if path.suffix.lower() != ".csv":
        _refuse(str(path), "neither Excel nor CSV; save it as .xlsx or .csv")
    return [_from_csv(data, str(path))]


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            _refuse(str(path), f"no such file{did_you_mean(path.name, beside(path))}")
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except (OSError, ValueError) as error:
        _refuse(str(path), f"cannot be read: {error}")
    if len(data) > MAXIMUM_BYTES:
        _refuse(str(path), f"larger than {MAXIMUM_BYTES >> 20} MiB; this is no schedule")
    return data


def _from_csv(data: bytes, shown: str) -> Table:
    """UTF-8 or, failing that, Windows-1252; comma, semicolon or tab, as Excel saves it."""
    if b"\0" in data:
        _refuse(shown, "a binary file, not CSV; save it as CSV in UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    delimiter = max(",;\t", key=text.lstrip("\r\n").partition("\n")[0].count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        _refuse(shown, f"not CSV in row {reader.line_num}: {error}")
    return _table_of(shown, rows, Path(shown).stem)


def _from_excel(data: bytes, shown: str) -> list[Table]:
    """The sheets ``schedule`` and ``staffing``, whatever the case of their names."""
    from python_calamine import CalamineError, CalamineWorkbook

    reason = why_not_opened(data)
    if reason is not None:
        _refuse(shown, reason)
    try:
        with CalamineWorkbook.from_filelike(BytesIO(data)) as book:
            names = [n for n in book.sheet_names if n.strip().lower() in ("schedule", "staffing")]
            if not names:
                sheets = ", ".join(book.sheet_names)[:200]
                _refuse(shown, f"no sheet 'schedule' or 'staffing'; the sheets are {sheets}")
            return [
                _table_of(f"{shown} ({name})", list(enumerate(rows, start=1)), name)
                for name in names
                for rows in [book.get_sheet_by_name(name).to_python(skip_empty_area=False)]
            ]
    except CalamineError as error:
        _refuse(shown, f"not a readable Excel file: {' '.join(str(error).split())[:200]}")


def _table_of(shown: str, rows: Rows, name: str) -> Table:
    """A header and the rows below it, blank ones left out."""
    stripped = [
        (number, [cell.strip() if isinstance(cell, str) else cell for cell in cells])
        for number, cells in rows
    ]
    filled = [(number, cells) for number, cells in stripped if any(cell != "" for cell in cells)]
    if not filled:
        _refuse(shown, "empty; write a header and below it one row for each shift or interval")
    header_row, header = filled[0]
    width = max(len(cells) for _, cells in filled)
    titles = [str(cell) for cell in header] + [""] * (width - len(header))
    known = (*SCHEDULE_COLUMNS, ZONE_COLUMN, "note")
    columns = tuple(
        title.lower() if title.lower() in known or BREAK_COLUMN.fullmatch(title.lower()) else title
        for title in titles
    )
    word = name.strip().lower()
    named = word in ("schedule", "staffing")  # any other CSV file is known by its columns
    shifts = not {"group", "shift", "agents"}.isdisjoint(columns)
    is_schedule = word == "schedule" if named else shifts
    body = tuple((number, (*cells, *[""] * (width - len(cells)))) for number, cells in filled[1:])
    return Table(shown, is_schedule, header_row, columns, body)


def _refuse(shown: str, message: str) -> NoReturn:
    raise PlanError(f"{shown}: {message}")
