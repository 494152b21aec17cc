"""How agents of one group differ: tenure, a pace of their own, and what they learn over the days.

An agent keeps her tenure and her pace on all days of a replication; what is learned goes by the
day. All three are factors on handle time and on resolution, known before anything moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ccsim.demand import quantiles
from ccsim.demand.keyed import CERTAIN_PPM as PPM
from ccsim.demand.keyed import threshold_ppm, uniform53, uniform_limit
from ccsim.demand.table import QuantileTable, evaluate
from ccsim.scenario.calendar import Grid
from ccsim.scenario.model import AgentGroup, Learning

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PaceModel:
    """How the agents of one group differ.

    Attributes
    ----------
    group : str
        The agent group; it keys the draws.
    up_to : ndarray of int64, shape (n_bands,)
        Uniforms below which an agent is of a tenure or of one before it; beyond all she is plain.
    tenure : ndarray of int64, shape (2, n_bands + 1)
        Handle time and resolution of each, and of a plain agent, as multiples [per million].
    own : QuantileTable or None
        Handle time of an agent as a multiple of her tenure's [1, as if in seconds].
    learned : ndarray of int64, shape (2, n_days)
        Handle time and resolution by day, warm-up days first, as multiples [per million].
    first_day : int
        Number of the first of them.
    least_own : int
        The least multiple that `own` can be [per million].
    """

    group: str
    up_to: Integers
    tenure: Integers
    own: QuantileTable | None
    learned: Integers
    first_day: int
    least_own: int = PPM

    def of(
        self, words: tuple[NDArray[np.uint64], NDArray[np.uint64]], day: Integers
    ) -> tuple[Integers, Integers]:
        """Multiples of handle time and resolution of agents on their days [per million].

        Parameters
        ----------
        words : tuple of ndarray of uint64
            Two random words of each agent, the same on all days.
        day : ndarray of int64
            The day of each.

        Notes
        -----
        Tenure times own pace times what is learned, each product rounded half up.
        """
        band = np.searchsorted(self.up_to, uniform53(words[0]), side="right")
        handle, settles = self.tenure[:, band]
        if self.own is not None:
            handle = times(handle, evaluate(self.own, uniform53(words[1])))
        learned = self.learned[:, np.maximum(day - self.first_day, 0)]
        return times(handle, learned[0]), times(settles, learned[1])

    @property
    def mean(self) -> Floats:
        """Mean multiples of handle time and resolution by day, shape (2, n_days)."""
        below = np.concatenate([self.up_to, uniform_limit([PPM])])
        share = np.diff(below, prepend=0) / uniform_limit(PPM)
        return np.asarray((self.tenure @ share)[:, None] * self.learned / PPM**2)

    @property
    def least(self) -> float:
        """No agent has a smaller multiple of handle time on any day."""
        smallest = float(self.tenure[0].min()) * float(self.learned[0].min()) / PPM**2
        # Each of three products may be half a part per million less.
        return max(smallest * self.least_own / PPM - 2e-6, 1e-6)


def mean_pace(given: PaceModel | None, grid: Grid) -> Floats:
    """Mean multiples of handle time and resolution of a group, shape (2, n_intervals)."""
    if given is None:
        return np.ones((2, grid.intervals))
    return given.mean[:, grid.day - given.first_day]


def times(one: Integers, other: Integers) -> Integers:
    """Product of two factors per million, rounded half up; they stay far below 2⁶³."""
    return np.asarray((one * other + PPM // 2) // PPM, np.int64)


def compile_pace(name: str, group: AgentGroup, grid: Grid, first_day: int) -> PaceModel | None:
    """How the agents of a group differ, or None where all are alike."""
    if not group.tenure and not group.learning and not group.handle_time_spread:
        return None
    bands = list(group.tenure.values())
    shares = np.cumsum([0, *(threshold_ppm(band.share) for band in bands)])[1:]
    multiples = [(band.handle_time, band.resolution) for band in bands] + [(1.0, 1.0)]
    spread = group.handle_time_spread
    learned = np.full((2, grid.days - first_day), PPM, np.int64)
    for one in group.learning.values():
        felt = _felt(one, grid, first_day)
        for row, full in enumerate((one.handle_time, one.resolution)):
            learned[row] = times(
                learned[row], np.rint(PPM * (1 + (full - 1) * felt)).astype(np.int64)
            )
    return PaceModel(
        group=name,
        up_to=uniform_limit(np.minimum(shares, PPM)),
        tenure=np.rint(np.array(multiples).T * PPM).astype(np.int64),
        # Tables hold microseconds: a multiple of 1 is a second of it.
        own=quantiles.uniform(1 - spread, 1 + spread) if spread else None,
        learned=learned,
        first_day=first_day,
        least_own=round((1 - spread) * PPM),
    )


def _felt(given: Learning, grid: Grid, first_day: int) -> Floats:
    """How much of what is learned is felt on each day: the mean over it of what grows meanwhile."""
    start = grid.instant((given.start - date.fromisoformat(grid.dates[0])).days, 0)
    days = np.arange(first_day, grid.days)
    # Warm-up days are those of the horizon once more, so much earlier.
    turn = np.where(days < 0, grid.end, 0)
    begin, end = (grid.day_starts[days % grid.days + edge] - turn for edge in (0, 1))
    area = [_area(edge - start - given.lag, given.ramp) for edge in (begin, end)]
    return np.asarray((area[1] - area[0]) / (end - begin))


def _area(passed: Integers, ramp: int) -> Floats:
    """Time integral of what grows evenly from 0 to 1 over a ramp [µs]."""
    growing = np.clip(passed, 0, ramp).astype(np.float64)
    return np.asarray(growing**2 / max(2 * ramp, 1) + np.maximum(passed - ramp, 0))
