"""Handle times, patience and busyness: each distribution as a table of whole microseconds.

How such a table is laid out, looked up and measured is told in `ccsim.demand.table`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from ccsim.demand.table import (
    CELLS,
    NEVER,
    SECOND,
    SIDE,
    TOP,
    Floats,
    Integers,
    Quantile,
    QuantileTable,
    distribution,
    exact_sum,
    lines_of,
    tabulate,
)

_MEANS = (1e-3, 1e8)  # [s]: a millisecond to three years
_KEPT = 16  # tables of a kind, half a megabyte each: contact types of a centre are much alike
_SMALLEST_ATOM = 2.0**-21  # of a mixture: below half a part per million, not kept exact


def constant(seconds: float) -> QuantileTable:
    """Give everybody the same duration [s]; ``math.inf`` is a patience without end."""
    if not seconds >= 0:
        raise ValueError(f"seconds must be zero or more, not {seconds!r}")
    return _from_vertices(f"constant({seconds:g})", [0, 1], [1, 0], [seconds, seconds])


def uniform(low: float, high: float) -> QuantileTable:
    """Spread durations evenly between two limits [s]."""
    if not 0 <= low <= high < math.inf:
        raise ValueError(f"low and high must be 0 <= low <= high, not {low!r} and {high!r}")
    return _from_vertices(f"uniform({low:g}, {high:g})", [0, 1], [1, 0], [low, high])


@lru_cache(maxsize=_KEPT)
def exponential(mean: float) -> QuantileTable:
    """Let a duration end at a constant rate, whatever it has lasted [s]."""
    return _smooth(f"exponential(mean={mean:g})", mean, lambda p, w, _: -mean * _log_survival(p, w))


@lru_cache(maxsize=_KEPT)
def weibull(mean: float, shape: float) -> QuantileTable:
    """Weibull durations [s]: a shape below 1 gives up early or hardly at all."""
    scale = mean / math.gamma(1 + 1 / _within("shape", shape, 0.2, 100))
    return _smooth(
        f"weibull(mean={mean:g}, shape={shape:g})",
        mean,
        lambda p, w, _: scale * (-_log_survival(p, w)) ** (1 / shape),
    )


@lru_cache(maxsize=_KEPT)
def lognormal(mean: float, cv: float) -> QuantileTable:
    """Lognormal durations of a mean [s] and a coefficient of variation: most talk times.

    Notes
    -----
    σ² = ln(1 + cv²), μ = ln mean − σ²/2; the quantile is exp(μ + σ Φ⁻¹(p)).
    """
    from scipy.special import ndtri

    _within("mean", mean, *_MEANS)
    variance = math.log1p(_within("cv", cv, 1e-3, 30) ** 2)
    centre, spread = math.log(mean) - variance / 2, math.sqrt(variance)
    return _smooth(
        f"lognormal(mean={mean:g}, cv={cv:g})",
        mean,
        lambda p, w, _: np.exp(centre + spread * np.where(p <= w, 1, -1) * ndtri(np.minimum(p, w))),
    )


@lru_cache(maxsize=_KEPT)
def gamma(mean: float, shape: float) -> QuantileTable:
    """Gamma durations of a mean [s]; a whole-numbered shape is a chain of exponential steps."""
    from scipy.special import gammainccinv, gammaincinv

    _within("shape", shape, 0.02, 1e6)

    def quantile(p: Floats, w: Floats, _: Integers) -> Floats:
        below = p <= w
        standard = np.empty_like(p)
        standard[below] = gammaincinv(shape, p[below])
        standard[~below] = gammainccinv(shape, w[~below])
        return mean / shape * standard

    return _smooth(f"gamma(mean={mean:g}, shape={shape:g})", mean, quantile)


def unit_gamma(shape: float) -> QuantileTable:
    """Gamma factor of mean 1, in parts per million: how busy a day is against its forecast.

    Examples
    --------
    >>> from ccsim.demand.table import evaluate_one
    >>> table = unit_gamma(27)  # spread 1/√27 = 19 %
    >>> round(evaluate_one(table, 2**53 // 10) / 1e6, 3)  # the tenth-percentile day
    0.763
    """
    return gamma(1.0, shape)


def empirical(
    values: Sequence[float] | Floats, probabilities: Sequence[float] | Floats | None = None
) -> QuantileTable:
    """Take durations from a sample, or from a table of quantiles.

    Parameters
    ----------
    values
        Durations [s] (n,). Without `probabilities` a sample in any order; with them quantiles, in
        rising order, ``math.inf`` for never.
    probabilities
        Share that lasts no longer than each value (n,), rising from 0 to 1.

    Notes
    -----
    A table is joined by straight lines. The same value at two probabilities is an atom, two values
    at the same probability are a gap; both are exact. A sample x₁ ≤ … ≤ xₙ is put at
    the probabilities (i − ½)/n and is flat beyond the ends: its mean is the sample's mean.

    Examples
    --------
    >>> from ccsim.demand.table import mean_seconds
    >>> round(mean_seconds(empirical([30, 60, 60, 250])), 6)
    100.0
    """
    x = np.asarray(values, np.float64)
    if x.ndim != 1 or not x.size or np.isnan(x).any() or (x < 0).any():
        raise ValueError(f"values must be a list of durations of zero or more, not {values!r}")
    if probabilities is None:
        if np.isinf(x).any():
            raise ValueError(f"values must be finite without probabilities, not {values!r}")
        x = np.sort(x)
        p = np.concatenate([[0], (np.arange(x.size) + 0.5) / x.size, [1]])
        x = x[np.r_[0, 0 : x.size, -1]]
    else:
        p = np.asarray(probabilities, np.float64)
        if (np.diff(x[np.isfinite(x)]) < 0).any() or (np.diff(np.isinf(x).astype(int)) < 0).any():
            raise ValueError(f"values must rise, not {values!r}")
        if p.shape != x.shape or not (p[0] == 0 and p[-1] == 1) or not (np.diff(p) >= 0).all():
            raise ValueError(
                "probabilities must be one for each value and rise from 0 to 1, "
                f"not {probabilities!r}"
            )
        into_never = np.isinf(x[1:]) & np.isfinite(x[:-1])
        if (into_never & (np.diff(p) > 0)).any():
            raise ValueError(
                "values may reach infinity only by a jump: the last finite value and the first "
                f"infinite one need the same probability, not {probabilities!r}"
            )
    return _from_vertices(f"empirical({np.size(values)} values)", p, 1 - p, x)


def survival(
    times: Sequence[float] | Floats, survival: Sequence[float] | Floats, tail: str = "exponential"
) -> QuantileTable:
    """Take patience from a Kaplan–Meier table: who is still waiting after how long.

    Parameters
    ----------
    times
        Rising times [s] (n,).
    survival
        Share still waiting at (just after) each time, falling (n,). Below 1 at time 0 is balking,
        exact; a time given twice is a share that leaves at that very moment.
    tail
        What the rest does after the last row: ``"exponential"`` leaves at the mean rate of the
        table (share that left ÷ mean time waited within the table), ``"never"`` stays for ever.

    Notes
    -----
    Straight lines between rows, from (0, 1).

    References
    ----------
    E. L. Kaplan, P. Meier, "Nonparametric estimation from incomplete observations", JASA 53, 1958,
    :doi:`10.1080/01621459.1958.10501452`.

    Examples
    --------
    >>> from ccsim.demand.table import survival_at
    >>> table = survival([0, 60, 300], [0.95, 0.8, 0.5], tail="never")
    >>> survival_at(table, [0, 60, 86_400]).round(6).tolist()
    [0.95, 0.8, 0.5]
    """
    t, s = np.asarray(times, np.float64), np.asarray(survival, np.float64)
    if t.ndim != 1 or not t.size or not (np.isfinite(t).all() and t[0] >= 0):
        raise ValueError(f"times must be a list of finite times of zero or more, not {times!r}")
    if not (np.diff(t) >= 0).all():
        raise ValueError(f"times must rise, not {times!r}")
    if s.shape != t.shape or not ((s >= 0) & (s <= 1)).all() or not (np.diff(s) <= 0).all():
        raise ValueError(f"survival must fall within 1 … 0, one for each time, not {survival!r}")
    if tail not in {"exponential", "never"}:
        raise ValueError(f"tail must be 'exponential' or 'never', not {tail!r}")
    t, s = np.concatenate([[0], t]), np.concatenate([[1], s])
    waited = exact_sum(np.diff(t) * (s[1:] + s[:-1])) / 2
    mean: float | None = waited
    first = np.arange(t.size - 1)
    last = first + 1
    rest = float(s[-1])
    if rest > 0 and tail == "never":
        t, s = np.concatenate([t, [math.inf] * 2]), np.concatenate([s, [rest, 0]])
        first, last, mean = np.append(first, first.size + 1), np.append(last, last.size + 2), None
    elif rest > 0:
        if rest == 1 or waited == 0:
            raise ValueError(f"tail 'exponential' needs rows in which some leave, not {survival!r}")
        mean_stay = waited / (1 - rest)
        shares = rest * np.exp2(-np.arange(1, SIDE + 1) / CELLS)
        first, last = np.append(first, t.size - 1), np.append(last, t.size + SIDE)
        t = np.concatenate([t, t[-1] + mean_stay * np.log(rest / shares)])
        t, s, mean = (
            np.append(t, t[-1]),
            np.concatenate([s, shares, [0]]),
            waited + rest * mean_stay,
        )
    name = f"survival({np.size(times)} rows, tail={tail})"
    return _from_vertices(name, 1 - s, s, t, (first, last), mean)


def shifted(table: QuantileTable, seconds: float) -> QuantileTable:
    """Make every duration longer by the same time [s]; what never ends still never ends."""
    more = round(_within("seconds", seconds, 0, _MEANS[1]) * SECOND)

    def later(values: Integers) -> Integers:
        return np.where(values == NEVER, NEVER, values + more)

    return replace(
        table,
        description=f"{table.description} + {seconds:g}",
        start=later(table.start),
        patch_low=later(table.patch_low),
        patch_high=later(table.patch_high),
    )


def mixture(weights: Sequence[float], tables: Sequence[QuantileTable]) -> QuantileTable:
    """Mix distributions: a share of the contacts from each.

    Parameters
    ----------
    weights
        Shares that sum to 1 (n,).
    tables
        One distribution for each share (n,).

    Notes
    -----
    The distribution functions of the tables are added at every end of a line of any of them, and
    the sum is inverted; monotone by construction. Atoms of at least half a part per million and
    gaps that all share stay exact.

    Examples
    --------
    >>> from ccsim.demand.table import mean_seconds, survival_at
    >>> table = mixture([0.2, 0.8], [constant(0), exponential(100)])
    >>> print(f"{survival_at(table, 0):.6f} {mean_seconds(table):.4f}")
    0.800000 80.0000
    """
    share = np.asarray(weights, np.float64)
    if share.shape != (len(tables),) or not len(tables) or not (share >= 0).all():
        raise ValueError(f"weights must be one share of zero or more for each table: {weights!r}")
    if not abs(share.sum() - 1) <= 1e-9:
        raise ValueError(f"weights must sum to 1, not {share.sum()!r} ({weights!r})")
    lines = [lines_of(table) for table, s in zip(tables, share, strict=True) if s > 0]
    share = share[share > 0] / share.sum()
    x = np.unique(np.concatenate([ends for line in lines for ends in (line.low, line.high)]))
    before, after = np.zeros((2, 2, x.size))  # probability and complement, just before and at x
    moves = np.zeros(x.size - 1, np.bool_)  # somebody's duration ends between x and the next
    for s, line in zip(share, lines, strict=True):
        just_before, at = distribution(line, x)
        before += s * just_before
        after += s * at
        moves |= (just_before[:, 1:] != at[:, :-1]).any(axis=0)
    mass = np.where(after[0] <= 0.5, after[0] - before[0], before[1] - after[1])
    atom = (mass >= _SMALLEST_ATOM) | np.isinf(x)
    atom[[0, -1]] = True
    # Two vertices for each x; a piece begins where an atom does, ends or a gap is crossed.
    p, w = np.stack([before, after], axis=2).reshape(2, -1)
    p, w = np.maximum.accumulate(p), np.minimum.accumulate(w)  # against last bits
    p[[0, -1]], w[[0, -1]] = (0, 1), (1, 0)
    begins = np.stack([atom, atom], axis=1)
    begins[1:, 0] |= ~moves
    begins[:-1, 1] |= ~moves
    first = np.flatnonzero(begins)
    name = "mixture(" + ", ".join(table.description for table in tables) + ")"
    return _from_vertices(name, p, w, np.repeat(x, 2), (first[:-1], first[1:]))


def _within(name: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ValueError(f"{name} must be {low:g} … {high:g}, not {value!r}")
    return value


def _log_survival(p: Floats, w: Floats) -> Floats:
    """Return ln w, from whichever of p and w = 1 − p is small and so has its digits."""
    return np.where(p <= w, np.log1p(-np.minimum(p, w)), np.log(w))


def _smooth(description: str, mean: float, quantile: Quantile) -> QuantileTable:
    """Tabulate a distribution without atoms and gaps, and scale it to its mean."""
    _within("mean", mean, *_MEANS)
    return tabulate(description, quantile, np.empty(0, np.int64), mean, scale=True)


def _from_vertices(
    description: str,
    probability: ArrayLike,
    complement: ArrayLike,
    seconds: ArrayLike,
    pieces: tuple[Integers, Integers] | None = None,
    mean: float | None = None,
) -> QuantileTable:
    """Tabulate straight lines between vertices, exact at the ends of each piece.

    Pieces are (first, last) vertex; without them every line is one. A line that stands upright in
    the quantile (same probability, two values) is a gap and holds no uniform.
    """
    p, w = np.asarray(probability, np.float64), np.asarray(complement, np.float64)
    x = np.asarray(seconds, np.float64)
    first, last = pieces or (np.arange(x.size - 1), np.arange(1, x.size))
    at = np.where(p <= w, np.rint(p * TOP), TOP - np.rint(w * TOP)).astype(np.int64)
    held = at[first] < at[last]
    first, last = first[held], last[held]
    low, high = x[first], x[last]
    finite = np.where(np.isinf(x), 0, x)
    finite = np.maximum.accumulate(finite)

    def quantile(p_: Floats, w_: Floats, piece: Integers) -> Floats:
        near = np.where(p_ <= w_, np.interp(p_, p, finite), np.interp(-w_, -w, finite))
        return np.asarray(np.clip(near, low[piece], high[piece]), np.float64)

    if mean is None:
        mass = np.where(p[1:] <= 0.5, np.diff(p), -np.diff(w))
        both = np.isfinite(x[1:]) & np.isfinite(x[:-1])
        mean = exact_sum(mass[both] * (x[1:] + x[:-1])[both]) / 2
    return tabulate(description, quantile, at[first][1:], mean, scale=False)
