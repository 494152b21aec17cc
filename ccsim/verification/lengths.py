"""How long things take, by the formula or the table of the file itself.

The simulator draws from tables of integers (`ccsim.demand.table`). Here the same distributions are
read once more, each by its own formula, so that the one can be held against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import gamma, inf, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from ccsim.scenario.case import Table
from ccsim.scenario.distributions import Component, HandleDistribution, PatienceDistribution, Stage
from ccsim.scenario.units import MICROSECONDS

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
# Corners of smooth laws lie nowhere; panels that double eight at a time leave 1e-13.
_PANELS = np.exp2(np.arange(-320, 81) / 8)

_STEPS = 1 << 19  # of the grid on which stages are added
_BEYOND = 1e-9
_MOST_KNOTS = 10_000


@dataclass(frozen=True, eq=False)
class LengthLaw:
    """A distribution of lengths of time.

    Attributes
    ----------
    longer : callable
        Share that lasts longer than each of some times [s].
    mean, square : float
        Mean [s], and mean of the square [s²], of those that end.
    knots : ndarray
        Times at which `longer` has a corner or a jump [s].
    never : float
        The share that never ends: patience without end.
    """

    longer: Callable[[Floats], Floats]
    mean: float
    square: float
    knots: Floats
    never: float = 0.0

    @property
    def cv(self) -> float:
        """Standard deviation ÷ mean."""
        return sqrt(max(self.square / self.mean**2 - 1, 0.0)) if self.mean else 0.0


def constant(seconds: float) -> LengthLaw:
    """Always the same length [s]."""
    return LengthLaw(
        lambda x: (x < seconds).astype(np.float64), seconds, seconds**2, np.array([seconds])
    )


def exponential(mean: float) -> LengthLaw:
    """Memoryless, of a mean [s]."""
    return LengthLaw(lambda x: np.exp(-x / mean), mean, 2 * mean**2, np.empty(0))


def later(law: LengthLaw, seconds: float) -> LengthLaw:
    """A length, and then always the same time [s] more."""
    return LengthLaw(
        lambda x: np.where(x < seconds, 1.0, law.longer(np.maximum(x - seconds, 0.0))),
        law.mean + seconds,
        law.square + 2 * seconds * law.mean + seconds**2,
        np.append(law.knots + seconds, seconds),
        law.never,
    )


def handle_law(given: HandleDistribution | None, tables: Mapping[str, Table]) -> LengthLaw:
    """Law of a length of work; none given is no work."""
    if given is None:
        return constant(0.0)
    if given.stages is None:
        return _one_work(given, tables)
    stages = [(one, _one_work(one, tables)) for one in given.stages.values()]
    return _one_after_the_other([_longer_by(law, one.scale) for one, law in stages])


def _one_work(given: HandleDistribution | Stage, tables: Mapping[str, Table]) -> LengthLaw:
    if given.mixture is None:
        return _simple(given, tables)
    parts = [(part.share, _simple(part, tables)) for part in given.mixture.values()]
    return LengthLaw(
        lambda x: np.sum([share * law.longer(x) for share, law in parts], axis=0),
        sum(share * law.mean for share, law in parts),
        sum(share * law.square for share, law in parts),
        np.unique(np.concatenate([law.knots for _, law in parts])),
    )


def _longer_by(law: LengthLaw, scale: float) -> LengthLaw:
    """A length of so many times as much."""
    return LengthLaw(
        lambda x: law.longer(x / scale),
        law.mean * scale,
        law.square * scale**2,
        law.knots * scale,
    )


def _one_after_the_other(laws: list[LengthLaw]) -> LengthLaw:
    """Sum of independent lengths: each rounded to a step of a grid, their spectra multiplied.

    A step is a 500,000th of the end; a length beyond the end (one in 10⁹) is left out.
    """
    mean = sum(law.mean for law in laws)
    square = sum(law.square - law.mean**2 for law in laws) + mean**2
    end = 4 * mean
    while sum(float(law.longer(np.array([end / len(laws)]))[0]) for law in laws) > _BEYOND:
        end *= 1.5
    edges: Floats = (np.arange(_STEPS) + 0.5).astype(np.float64) * (end / _STEPS)
    spectrum = np.ones(_STEPS + 1, np.complex128)
    for law in laws:
        spectrum *= np.fft.rfft(np.diff(1 - law.longer(edges), prepend=0.0), 2 * _STEPS)
    ended = np.cumsum(np.fft.irfft(spectrum, 2 * _STEPS)[:_STEPS])
    longer = np.clip(1 - ended, 0.0, 1.0)
    knots = np.zeros(1)
    for law in laws:
        if knots.size * (law.knots.size + 1) <= _MOST_KNOTS:
            knots = np.unique(np.add.outer(knots, np.append(law.knots, 0.0)))
    return LengthLaw(
        lambda x: np.interp(x, edges, longer, left=1.0, right=0.0), mean, square, knots
    )


def patience_law(given: PatienceDistribution | None, tables: Mapping[str, Table]) -> LengthLaw:
    """Law of a patience; none given waits for ever."""
    if given is None:
        return LengthLaw(np.ones_like, 0.0, 0.0, np.empty(0), never=1.0)
    if given.survival is None:
        return _simple(given, tables)
    return _survival(tables[given.survival.file], given.survival.tail)


def _simple(
    given: Component | HandleDistribution | PatienceDistribution | Stage,
    tables: Mapping[str, Table],
) -> LengthLaw:
    if given.constant is not None:
        return constant(given.constant.value / MICROSECONDS)
    if given.exponential is not None:
        return exponential(given.exponential.mean / MICROSECONDS)
    if given.lognormal is not None:
        return _lognormal(given.lognormal.mean / MICROSECONDS, given.lognormal.cv)
    if given.weibull is not None:
        return _weibull(given.weibull.mean / MICROSECONDS, given.weibull.shape)
    empirical = None if isinstance(given, PatienceDistribution) else given.empirical
    if empirical is None:
        raise ValueError(f"no distribution is given in {given!r}")
    return _empirical(tables[empirical.file])


def _lognormal(mean: float, cv: float) -> LengthLaw:
    from scipy.special import ndtr

    variance = log1p(cv**2)

    def longer(x: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            score = (np.log(x / mean) + variance / 2) / sqrt(variance)
        return np.asarray(ndtr(-score))

    return LengthLaw(longer, mean, mean**2 * (1 + cv**2), np.empty(0))


def _weibull(mean: float, shape: float) -> LengthLaw:
    scale = mean / gamma(1 + 1 / shape)
    return LengthLaw(
        lambda x: np.exp(-((x / scale) ** shape)),
        mean,
        scale**2 * gamma(1 + 2 / shape),
        np.empty(0),
    )


def _empirical(table: Table) -> LengthLaw:
    """Straight lines between quantiles: columns cumulative, seconds."""
    share, x = table[:, 0], table[:, 1]
    step, low, high = np.diff(share), x[:-1], x[1:]
    return LengthLaw(
        lambda at: 1 - _broken_line(x, share, at),
        float(step @ (low + high)) / 2,
        float(step @ (low**2 + low * high + high**2)) / 3,
        np.unique(x),
    )


def _survival(table: Table, tail: str) -> LengthLaw:
    """Straight lines between rows (seconds, share still waiting) from (0, 1), then the tail."""
    x, share = np.append(0.0, table[:, 0]), np.append(1.0, table[:, 1])
    low, high, begin, end = x[:-1], x[1:], share[:-1], share[1:]
    waited = float((high - low) @ (begin + end)) / 2
    rest, last = float(share[-1]), float(x[-1])
    # Mean of the square of who leaves on a line from low to high, over that line.
    square = float((begin - end) @ (low**2 + low * high + high**2)) / 3
    if tail == "never":
        law = LengthLaw(lambda at: _broken_line(x, share, at), 0.0, 0.0, np.unique(x), never=rest)
        left = 1 - rest
        return replace(law, mean=(waited - rest * last) / left, square=square / left)
    stay = waited / (1 - rest) if rest else inf

    def longer(at: Floats) -> Floats:
        beyond = rest * np.exp(-np.maximum(at - last, 0.0) / stay)
        return np.where(at < last, _broken_line(x, share, at), beyond)

    if rest:
        square += rest * (last**2 + 2 * last * stay + 2 * stay**2)
    return LengthLaw(longer, waited + (rest * stay if rest else 0.0), square, np.unique(x))


def _broken_line(x: Floats, y: Floats, at: Floats) -> Floats:
    """Height of a line through points; where two share an x, that of the second one."""
    found = np.searchsorted(x, at, side="right")
    before, after = np.clip(found - 1, 0, x.size - 1), np.minimum(found, x.size - 1)
    gap = np.where(found < x.size, x[after] - x[before], 1.0)
    part = np.where((found > 0) & (found < x.size), (at - x[before]) / np.where(gap > 0, gap, 1), 0)
    return np.asarray(y[before] + part * (y[after] - y[before]))


def in_hand(law: LengthLaw, step: float, steps: int) -> Floats:
    """Time that contacts of one step are in hand during that step and each later one, if at once.

    Parameters
    ----------
    law : LengthLaw
        Handle time.
    step : float
        Length of a step [s]; contacts come evenly over it.
    steps : int
        How many steps are looked at.

    Returns
    -------
    ndarray, shape (n_steps,)
        Mean seconds in hand per contact; they add up to the mean handle time.

    Notes
    -----
    With J(x) the integral of (x - u) P(S > u) over 0 … x, a contact that comes evenly over a step
    spends J(step) / step in it, and (J((k+1) step) - 2 J(k step) + J((k-1) step)) / step in the
    k-th after it.

    References
    ----------
    S. Eick, W. Massey, W. Whitt (1993), "The physics of the Mt/G/∞ queue", Operations Research
    41(4), 731-742. doi:10.1287/opre.41.4.731

    Examples
    --------
    Half an hour each, always: half of it within the half-hour of arrival, half in the next.

    >>> in_hand(constant(1800), 1800, 3).round(6).tolist()
    [900.0, 900.0, 0.0]
    """
    ends = np.arange(steps + 1) * step
    edges = np.concatenate([[0.0], ends, law.knots, law.mean * _PANELS])
    edges = np.unique(edges[edges <= ends[-1]])
    half = np.diff(edges)[:, None] / 2
    at = edges[:-1, None] + half * (1 + _NODES)
    weight = half * _WEIGHTS * law.longer(at)
    short, moment = (
        np.append(0.0, np.cumsum(part.sum(axis=1)))[np.searchsorted(edges, ends)]
        for part in (weight, weight * at)
    )
    area = ends * short - moment
    return np.asarray(np.diff(np.append(0.0, np.diff(area))) / step)
