"""A first schedule for a week that never closes, day by day.

A centre that closes at night falls into days that are solved one by one. One that does not is a
ring, and the solver's own first guesses on a whole ring are poor. So the week is filled as a planner
would: each day in whole agents with the next day in view, then pairs of days are improved with the
others as they stand (relax and fix, fix and optimise).

References
----------
Y. Pochet, L. A. Wolsey (2006), Production Planning by Mixed Integer Programming, section 3.6,
doi:10.1007/0-387-33477-7
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ccsim.staffing.highs import run_highs

_FILLING = 0.01  # gap of a day that will be improved anyhow
_NODES = 300
_ROUNDS = 2


def first_schedule(highs: Any, days: Sequence[int], *, gap: float) -> dict[int, float] | None:
    """Find a good solution of a loaded program; None if filling day by day leads nowhere.

    Parameters
    ----------
    highs : highspy.Highs
        With a model of whole numbers in it; left as it was.
    days : sequence of int, one for each column
        The day a column belongs to.
    gap : float
        The gap that the whole search is after; pairs of days are solved that closely.
    """
    return _Week(highs, np.asarray(days)).solve(gap)


class _Week:
    """A loaded program with its columns and rows by day."""

    def __init__(self, highs: Any, days: NDArray[np.int64]) -> None:
        import highspy

        self.highs, self.days = highs, days
        model = highs.getLp()
        self.kinds = list(model.integrality_)
        self.free = highspy.HighsVarType.kContinuous
        self.low, self.high = np.array(model.col_lower_), np.array(model.col_upper_)
        self.row_low, self.row_high = list(model.row_lower_), list(model.row_upper_)
        self.order = sorted(set(days.tolist()))
        matrix = model.a_matrix_
        lines = np.repeat(np.arange(len(matrix.start_) - 1), np.diff(np.array(matrix.start_)))
        across = np.array(matrix.index_, dtype=np.int64)
        by_row = matrix.format_ == highspy.MatrixFormat.kRowwise
        rows, columns = (lines, across) if by_row else (across, lines)
        place = np.searchsorted(self.order, days)
        self.touches = np.zeros((len(self.row_low), len(self.order)), dtype=bool)
        self.touches[rows, place[columns]] = True
        self.values = np.zeros(len(days))

    def solve(self, gap: float) -> dict[int, float] | None:
        settled: set[int] = set()
        try:
            for at, day in enumerate(self.order):
                nearby = {self.order[at - 1], self.order[(at + 1) % len(self.order)]} - settled
                if not self._step({day}, nearby - {day}, settled, _FILLING):
                    return None
                settled.add(day)
            pairs = list(pairwise([*self.order, self.order[0]]))
            for turn in range(_ROUNDS):
                for pair in pairs[turn % 2 :: 2] if len(pairs) > 2 else pairs:
                    if not self._step(set(pair), set(), settled - set(pair), gap / _ROUNDS):
                        return None
        finally:
            self._restore()
        return dict(enumerate(self.values.tolist()))

    def _step(self, whole: set[int], part: set[int], settled: set[int], gap: float) -> bool:
        """Choose some days, others beside them as fractions, the settled ones as they stand."""
        highs = self.highs
        known = whole | part | settled
        unknown = [day not in known for day in self.order]
        active = ~self.touches[:, unknown].any(axis=1)
        for row, use in enumerate(active.tolist()):
            low, high = (self.row_low[row], self.row_high[row]) if use else (-np.inf, np.inf)
            highs.changeRowBounds(row, low, high)
        for column, day in enumerate(self.days.tolist()):
            fixed = day not in whole and day not in part
            value = float(self.values[column]) if day in settled else 0.0
            highs.changeColBounds(
                column,
                value if fixed else float(self.low[column]),
                value if fixed else float(self.high[column]),
            )
            highs.changeColIntegrality(column, self.kinds[column] if day in whole else self.free)
        start = None if part else dict(enumerate(self.values.tolist()))
        answer = run_highs(highs, gap=gap, nodes=_NODES, warm_start=start)
        if answer.status == "interrupted":
            raise KeyboardInterrupt
        if answer.values is None:
            return False
        found = np.array(answer.values)
        mine = np.isin(self.days, list(whole))
        continuous = np.array([kind == self.free for kind in self.kinds])
        found = np.where(continuous, found, np.rint(found))
        self.values = np.where(mine, found, self.values)
        return True

    def _restore(self) -> None:
        highs = self.highs
        for column, kind in enumerate(self.kinds):
            highs.changeColBounds(column, float(self.low[column]), float(self.high[column]))
            highs.changeColIntegrality(column, kind)
        for row, (low, high) in enumerate(zip(self.row_low, self.row_high, strict=True)):
            highs.changeRowBounds(row, low, high)


