"""Tables of a report: words, and numbers with their intervals below them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ccsim.statistics.writing import Written

Mark = Literal["", "good", "bad", "open", "strong"]
"""How a text is to be read."""


@dataclass(frozen=True)
class Cell:
    """What stands in a table: a text, a smaller one below it, and how it is to be read."""

    text: str
    below: str = ""
    mark: Mark = ""


@dataclass(frozen=True)
class Table:
    """A table of a report: the first `words` columns are words, the others numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1


def table(
    columns: tuple[str, ...], rows: list[tuple[Cell | Written | str, ...]], words: int = 1
) -> Table:
    """Make a table of texts, written numbers and cells."""
    return Table(columns, tuple(tuple(_cell(each) for each in row) for row in rows), words)


def _cell(each: Cell | Written | str) -> Cell:
    if isinstance(each, Cell):
        return each
    return Cell(each.value, each.interval) if isinstance(each, Written) else Cell(each)
