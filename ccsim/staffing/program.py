"""A mixed integer program in words, and its independent parts.

A week of a centre that closes at night is seven programs that share nothing. Solved together, a
search has to prove all days at once and takes minutes; solved one by one it takes seconds, and days
that are alike are solved once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf


@dataclass(frozen=True)
class Column:
    """A number to be chosen: cost of one, least and most, and whether it is whole."""

    name: str
    cost: float
    least: float = 0.0
    most: float = inf
    whole: bool = True


@dataclass(frozen=True, eq=False)
class Row:
    """A sum over columns and its limits."""

    name: str
    terms: Mapping[str, float]
    least: float = -inf
    most: float = inf


@dataclass(frozen=True, eq=False)
class Program:
    """Minimise the cost of the columns under the rows."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def fingerprint(self) -> object:
        """Equal for two programs that differ in nothing but names."""
        index = {column.name: i for i, column in enumerate(self.columns)}
        return (
            tuple(replace(column, name="") for column in self.columns),
            tuple(
                (tuple(sorted((index[n], f) for n, f in row.terms.items())), row.least, row.most)
                for row in self.rows
            ),
        )

    def parts(self) -> list[Program]:
        """Split into programs that share no column, in the order of their first columns.

        Examples
        --------
        >>> monday, tuesday = Column("monday", 1.0), Column("tuesday", 1.0)
        >>> rows = (Row("m", {"monday": 1.0}, least=3), Row("t", {"tuesday": 1.0}, least=4))
        >>> [part.rows[0].name for part in Program((monday, tuesday), rows).parts()]
        ['m', 't']
        """
        parent = {column.name: column.name for column in self.columns}

        def root(name: str) -> str:
            while parent[name] != name:
                parent[name] = name = parent[parent[name]]
            return name

        for row in self.rows:
            first: str | None = None
            for name in row.terms:
                if first is None:
                    first = root(name)
                else:
                    parent[root(name)] = first
        columns: dict[str, list[Column]] = {}
        for column in self.columns:
            columns.setdefault(root(column.name), []).append(column)
        rows: dict[str, list[Row]] = {top: [] for top in columns}
        for row in self.rows:
            if row.terms:
                rows[root(next(iter(row.terms)))].append(row)
        return [Program(tuple(columns[top]), tuple(rows[top])) for top in columns]
