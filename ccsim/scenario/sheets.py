"""A CSV or Excel file as a header and rows that remember their number in the file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from ccsim.errors import Problem, ScenarioError
from ccsim.scenario.folder import inside, read_up_to
from ccsim.scenario.problems import FieldPath, did_you_mean
from ccsim.scenario.workbook import why_not_opened
from ccsim.scenario.yaml_reader import Place, refuse

MAXIMUM_BYTES = 20 * 1024 * 1024
"""The largest CSV or Excel file; a year of 5-minute rows for twenty contact types is 10 MB."""
_EXCEL = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")

Cell = Any
"""Text from CSV; text, number, date or time from Excel; None where nothing stands."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table as it stands in a file.

    Attributes
    ----------
    shown : str
        The file's name for error texts.
    columns : tuple of str
        The header.
    rows : tuple of (int, tuple)
        Number of the row in the file, and its cells, as many as the header has.
    decimal_comma : bool
        Whether ``12,5`` is a number: only where cells are separated by something else.
    """

    shown: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]
    decimal_comma: bool = False

    def has(self, column: str) -> bool:
        """Whether there is a column of this name."""
        return column in self.columns

    def position(self, column: str) -> int:
        """Where a column stands; ScenarioError if there is none."""
        if column not in self.columns:
            hint = did_you_mean(column, self.columns)
            known = hint or f"; the columns are {', '.join(self.columns)[:200]}"
            refuse(Place(self.shown, 1), f"no column {column!r}{known}", column)
        return self.columns.index(column)


def read_sheet(name: str, folder: Path, place: Place, path: FieldPath) -> tuple[Sheet, bytes]:
    """Read a file that a scenario names; returns its table and its bytes."""
    field = ".".join(str(part) for part in path)
    target = inside(folder, folder, name, place, field)
    data = read_up_to(target, MAXIMUM_BYTES, place, field)
    if len(data) > MAXIMUM_BYTES:
        refuse(
            place,
            f"{name!r} is larger than {MAXIMUM_BYTES >> 20} MiB; keep the rows that are used",
            field,
        )
    shown = str(target)
    suffix = target.suffix.lower()
    if suffix in _EXCEL:
        sheet = _from_excel(data, shown)
    elif suffix in (".csv", ".tsv", ".txt"):
        sheet = _from_csv(data, shown)
    else:
        refuse(place, f"{name!r} is neither CSV nor Excel; write .csv or .xlsx", field)
    return sheet, data


def _from_csv(data: bytes, shown: str) -> Sheet:
    """UTF-8 (with or without BOM) or, failing that, Windows-1252; comma, semicolon or tab."""
    if b"\0" in data:
        refuse(Place(shown), "a binary file, not CSV; save it as CSV in UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    header = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        refuse(Place(shown, reader.line_num), f"not CSV here: {error}")
    return _sheet(shown, rows, decimal_comma=delimiter != ",")


def _from_excel(data: bytes, shown: str) -> Sheet:
    """The first sheet of a workbook."""
    import pandas as pd

    # The older .xls is not packed: calamine reads or refuses it by itself.
    reason = why_not_opened(data) if data[:2] == b"PK" else None
    if reason is not None:
        refuse(Place(shown), reason)
    try:
        frame = pd.read_excel(BytesIO(data), header=None, dtype=object, engine="calamine")
    except Exception as error:  # calamine's and pandas' own kinds, on whatever a user may have
        refuse(Place(shown), f"not a readable Excel file: {' '.join(str(error).split())[:200]}")
    cells = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return _sheet(shown, list(enumerate(cells, start=1)), decimal_comma=True)


def _is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _sheet(shown: str, rows: Sequence[tuple[int, Sequence[Cell]]], *, decimal_comma: bool) -> Sheet:
    filled = [(row, cells) for row, cells in rows if not all(map(_is_blank, cells))]
    if len(filled) < 2:
        refuse(Place(shown), "no rows; write a header and below it one row for each interval")
    header_row, header = filled[0]
    names = ["" if _is_blank(cell) else str(cell).strip() for cell in header]
    while names and not names[-1]:
        names.pop()
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        refuse(Place(shown, header_row), f"column {twice[0]!r} comes twice; rename one", twice[0])
    problems, body = [], []
    for row, cells in filled[1:]:
        if not all(map(_is_blank, cells[len(names) :])):
            message = (
                f"{len(cells)} cells below a header of {len(names)}; "
                "decimals need a point, or ';' between cells"
            )
            problems.append(Problem(shown, row, None, "", message))
        padded = [None if _is_blank(cell) else cell for cell in cells[: len(names)]]
        body.append((row, tuple(padded + [None] * (len(names) - len(padded)))))
    if problems:
        raise ScenarioError(problems[:8])
    keys = ("weekday", "date", "start", "cumulative", "seconds", "still_waiting")
    columns = tuple(name.lower() if name.lower() in keys else name for name in names)
    return Sheet(shown, columns, tuple(body), decimal_comma)
