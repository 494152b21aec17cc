"""Factors on whole days and parts of days: how busy, how talkative, how many are ill.

Each has one stratified draw a day. What several have in common comes from one more, which they
share; both are turned into normal scores, mixed, and turned back (a Gaussian copula), so that each
factor keeps its own distribution [1]_.

References
----------
.. [1] R. B. Nelsen, "An Introduction to Copulas", 2nd edition, Springer 2006,
   :doi:`10.1007/0-387-28678-0`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.keyed import CERTAIN_PPM as PPM
from ccsim.demand.keyed import UNIFORM_BITS, stratified, stream_key
from ccsim.demand.table import TOP, QuantileTable, evaluate, mean_seconds

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST_PARTS = 64


@dataclass(frozen=True, eq=False)
class DayFactor:
    """A random factor on days.

    Attributes
    ----------
    table : QuantileTable
        Its distribution [per million].
    shared : float
        Correlation of the normal scores of two that share so much.
    parts : tuple of int
        Local minutes after midnight at which another part of the day begins.
    correlation : float
        Correlation of the normal scores of two parts of one day.
    """

    table: QuantileTable
    shared: float = 0.0
    parts: tuple[int, ...] = ()
    correlation: float = 1.0

    @property
    def mean(self) -> float:
        """The mean of the factor as it is drawn: next to 1."""
        return mean_seconds(self.table)


def day_factors(
    given: DayFactor | None,
    seed: int,
    purpose: str,
    name: str,
    members: Integers,
    block_size: int,
    day: Integers,
    minute: Integers | None = None,
) -> Integers:
    """Factor of each place in time [per million], (n_replications, n_places).

    Parameters
    ----------
    given : DayFactor or None
        None is a factor of 1.
    seed, purpose, name
        The key of its draws; what is shared goes by the purpose alone.
    members : ndarray of int64, shape (n_replications,)
        Numbers of the replications.
    block_size : int
        Replications in a complete set of strata.
    day, minute : ndarray of int64, shape (n_places,)
        Number of the day; minutes after midnight, for factors with parts.

    Notes
    -----
    Normal scores: √s · shared + √(1 − s) · own for a day, and for a part of it, with correlation c,
    √c · day + √(1 − c) · own part. The draws that are shared, own and own part are stratified over
    the block, each by itself.
    """
    if given is None:
        return np.full((len(members), len(day)), PPM, dtype=np.int64)

    def drawn(purpose: str, names: tuple[str, ...], part: Integers | int = 0) -> Integers:
        key = stream_key(seed, purpose, *names)
        return stratified(key, members[:, None], block_size, days[None, :], part)

    days, position = np.unique(day, return_inverse=True)
    own = drawn(purpose, (name,))
    if not given.shared and not given.parts:
        return evaluate(given.table, own)[:, position]
    score = _score(own)
    if given.shared:
        score = _mixed(_score(drawn(f"{purpose}, shared", ())), score, given.shared)
    if given.parts and minute is not None:
        part = np.searchsorted(given.parts, minute, side="right")
        begin, place = np.unique(day * _MOST_PARTS + part, return_inverse=True)
        of_day = np.searchsorted(days, begin // _MOST_PARTS)
        days, position = begin // _MOST_PARTS, place
        own_part = _score(drawn(f"{purpose}, part", (name,), begin[None, :] % _MOST_PARTS))
        score = _mixed(score[:, of_day], own_part, given.correlation)
    return evaluate(given.table, _uniform(score))[:, position]


def _mixed(common: Floats, own: Floats, share: float) -> Floats:
    """Normal scores of which two that share `common` have this correlation."""
    return sqrt(share) * common + sqrt(1 - share) * own


def _score(uniforms: Integers) -> Floats:
    """Normal scores of uniforms; the largest would round to 1, which has none."""
    from scipy.special import ndtri

    middle = (uniforms + 0.5) * 2.0**-UNIFORM_BITS
    return np.asarray(ndtri(np.minimum(middle, 1 - 2.0**-UNIFORM_BITS)))


def _uniform(score: Floats) -> Integers:
    """Uniforms of normal scores."""
    from scipy.special import ndtr

    lowest = np.floor(np.asarray(ndtr(score)) * TOP)
    return np.asarray(np.minimum(lowest, TOP - 1), np.int64)
