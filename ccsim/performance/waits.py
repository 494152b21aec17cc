"""MEASURED, many replications: how long those answered waited, counted into bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ccsim.scenario.calendar import Grid
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.statistics import Estimate, quantile_from_histograms

Integers = NDArray[np.int64]
Counts = NDArray[np.uint32]

# A wait as a float64 has its octave and 256 cells of it in its upper 20 bits; the first octave that
# is told apart begins at 2^16 µs, the last one ends at 2^40 µs.
_FIRST, _LAST, _CELLS = 16, 40, 256
_BEFORE = (1023 + _FIRST) * _CELLS
BINS = (_LAST - _FIRST) * _CELLS + 2
"""No wait at all; up to 66 ms; then 256 bins an octave (at most 0.4 % wide) up to 12 days."""

_MOST_BATCHES = 32


def edges() -> NDArray[np.float64]:
    """Borders of the bins [s], shape (BINS + 1,): the last bin holds all that is longer."""
    number = np.arange((_LAST - _FIRST) * _CELLS)
    octaves = np.ldexp(1 + number % _CELLS / _CELLS, _FIRST + number // _CELLS) / 1e6
    return np.concatenate([[0.0, 0.0], octaves, [np.inf]])


def bin_of(waits: Integers) -> Integers:
    """Number of the bin of each wait [µs].

    Examples
    --------
    >>> bin_of(np.array([0, 1, 65_536, 20_000_000])).tolist()
    [0, 1, 2, 2099]
    >>> print(edges()[2099:2101])
    [19.98848  20.054016]
    """
    bits = waits.astype(np.float64).view(np.int64) >> 44
    return np.where(waits == 0, 0, np.clip(bits - _BEFORE + 2, 1, BINS - 1))


def no_waits(contact_types: int, grid: Grid) -> Counts:
    """Nothing counted yet, shape (n_contact_types, n_days, BINS)."""
    return np.zeros((contact_types, grid.days, BINS), np.uint32)


def add_waits(log: ContactLog, grid: Grid, totals: Counts, *, compiled: bool = False) -> None:
    """Count the waits of those answered, by contact type and local day of arrival.

    Parameters
    ----------
    log : ContactLog
        What happened; the warm-up is dropped.
    grid : Grid
        Which interval is of which day.
    totals : ndarray of uint32, shape (n_contact_types, n_days, BINS)
        Counted into.
    compiled : bool
        In machine code: the same numbers, sooner.
    """
    if compiled:
        from ccsim.performance.waits_compiled import count_into

        count_into(log, grid.day, grid.interval_us, totals)
        return
    inside = (log.outcome == Outcome.ANSWERED) & (log.arrival >= 0) & (log.arrival < grid.end)
    day = grid.day[log.arrival[inside] // grid.interval_us]
    place = (log.contact_type[inside] * grid.days + day) * BINS + bin_of(log.wait[inside])
    totals += np.bincount(place, minlength=totals.size).astype(np.uint32).reshape(totals.shape)


@dataclass(frozen=True, eq=False)
class Waits:
    """Histograms of waits in batches of successive blocks, of a size that grows with their number.

    There are never more than 32, whatever the number of replications, and the same number of
    blocks always makes the same batches.

    Attributes
    ----------
    batches : tuple of ndarray of uint32, each (n_contact_types, n_days, n_bins)
        Contacts answered, in bins up to the last that holds any.
    blocks : int
        Blocks counted.
    """

    batches: tuple[Counts, ...]
    blocks: int

    @property
    def size(self) -> int:
        """Blocks in a batch; the last batch may hold fewer."""
        size = 1
        while -(-self.blocks // size) > _MOST_BATCHES:
            size *= 2
        return size

    def plus(self, block: Waits) -> Waits:
        """These and the next block."""
        held = Waits(self.batches, self.blocks + 1)
        batches = self.batches
        if held.size > self.size:
            batches = tuple(_sum(*pair) for pair in zip(*[iter(batches)] * 2, strict=True))
        if self.blocks % held.size:
            return Waits((*batches[:-1], _sum(batches[-1], block.batches[0])), held.blocks)
        return Waits((*batches, block.batches[0]), held.blocks)

    def quantile(
        self, contact_type: int, days: list[int], probability: float, level: float = 0.95
    ) -> Estimate:
        """Wait [s] that a share of those answered does not exceed; too large by 0.4 % at most."""
        counts = np.zeros((len(self.batches), BINS), np.int64)
        for total, batch in zip(counts, self.batches, strict=True):
            total[: batch.shape[-1]] = batch[contact_type, days].sum(axis=0)
        return quantile_from_histograms(edges(), counts, probability, level)


def block_waits(totals: Counts) -> Waits:
    """Waits of one block, without the bins beyond the longest."""
    some = np.flatnonzero(totals.any(axis=(0, 1)))
    return Waits((totals[..., : some[-1] + 1 if some.size else 0].copy(),), 1)


def _sum(one: Counts, other: Counts) -> Counts:
    """Counts of two batches, each with as many bins as it needs."""
    longer, shorter = (one, other) if one.shape[-1] >= other.shape[-1] else (other, one)
    both = longer.copy()
    both[..., : shorter.shape[-1]] += shorter
    return both
