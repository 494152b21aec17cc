"""Handle times, patience and busyness as quantile tables of whole microseconds.

A distribution is turned into integers once; after that a duration is looked up from a uniform by
shifts and one multiplication, bit for bit the same in every engine, and never by a logarithm whose
last bit depends on the machine.

How a table is laid out
-----------------------
A uniform u of 0 … 2⁵³ − 1 stands for the probability (u + ½)/2⁵³, that is t/2⁵⁴ from the *nearer*
end of [0, 1] with t odd. Each of the 53 octaves of t, on both sides, is cut into 256 cells, so that
both tails are followed to 2⁻⁵⁴; beyond that the largest value stands. Inside a cell the quantile is
a straight line: ``start + rise · fraction``, fraction in 31 bits, |rise| < 2⁶², worked in two
halves that stay below 2⁶³. Smooth distributions are then scaled, by some 10⁻⁶, to their true mean.

Where the quantile jumps or has a corner (an atom, a gap, a row of a table) the cell is replaced by
*patches* that end exactly there (to 2⁻⁵³): no value is made up between a finite wait and `NEVER`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEVER = 2**62
"""Microseconds that never pass: an infinite patience."""

_LONGEST = 2**60  # 36,500 years: longer draws are held there
_SECOND = 1_000_000  # [µs]
_OCTAVES, _CELLS = 53, 256
_SIDE = _OCTAVES * _CELLS
_TOP, _END = 2**53, 2**54  # of u and of t
_FRACTION = 2**31 - 1
_CHUNK = 1 << 14
_MEANS = (1e-3, 1e9)  # [s]: a millisecond to thirty years
_BULK = 1e-3  # quantile errors are stated between this and its complement
_SMALLEST_ATOM = 2.0**-21  # of a mixture: below half a part per million, not kept exact

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Quantile = Callable[[Floats, Floats, Integers], Floats]  # of probability, complement, piece


@dataclass(frozen=True, eq=False)
class QuantileTable:
    """A distribution of durations, as whole microseconds (or of factors, as parts per million).

    Attributes
    ----------
    description
        What the table is of, such as ``lognormal(mean=177, cv=1.2)``.
    start, rise
        Line of each cell: 13 568 cells from the lower end up, as many from the upper end down, then
        one for each patch [µs].
    patch_from, patch_until
        Uniforms that a patch holds for, first and one past the last (n_patches,).
    patch_low, patch_high
        What a patch is clipped to [µs].
    mean_error
        Relative error of the mean (of what is finite).
    quantile_error
        Largest error of a quantile between 0.1 % and 99.9 %, seen in the middle of every
        fourth cell [s].
    """

    description: str
    start: Integers = field(repr=False)
    rise: Integers = field(repr=False)
    patch_from: Integers = field(repr=False)
    patch_until: Integers = field(repr=False)
    patch_low: Integers = field(repr=False)
    patch_high: Integers = field(repr=False)
    mean_error: float = 0.0
    quantile_error: float = 0.0

    def __post_init__(self) -> None:
        for array in (self.start, self.rise, self.patch_from, self.patch_until):
            array.flags.writeable = False
        self.patch_low.flags.writeable = self.patch_high.flags.writeable = False


def evaluate(table: QuantileTable, uniforms: ArrayLike) -> Integers:
    """Look up the duration that belongs to each uniform.

    Parameters
    ----------
    table
        The distribution.
    uniforms
        Whole numbers of 0 … 2⁵³ − 1, as `ccsim.demand.keyed.uniform53` gives them.

    Returns
    -------
    int64 array
        [µs], or `NEVER`; never falls as the uniform rises.

    Raises
    ------
    ValueError
        If a uniform is out of range.

    Examples
    --------
    >>> median = 2**52
    >>> evaluate(exponential(180), [0, median, 2**53 - 1]).tolist()  # 180 s · ln 2 = 124.766 s
    [0, 124766494, 6737336126]
    """
    u = np.asarray(uniforms)
    if u.dtype.kind not in "iu" or (u.size and (u.min() < 0 or u.max() >= _TOP)):
        raise ValueError(f"uniforms must be whole numbers of 0 … 2**53 - 1, not {uniforms!r}")
    flat = u.astype(np.int64).reshape(-1)
    values = np.empty_like(flat)
    for begin in range(0, flat.size, _CHUNK):
        values[begin : begin + _CHUNK] = _evaluate_chunk(table, flat[begin : begin + _CHUNK])
    return values.reshape(u.shape)


def _evaluate_chunk(table: QuantileTable, u: Integers) -> Integers:
    cell, fraction = _locate(u)
    inside = None
    if table.patch_from.size:
        patch = table.patch_from.searchsorted(u, "right") - 1
        inside = np.flatnonzero((patch >= 0) & (u < table.patch_until.take(patch, mode="clip")))
        cell[inside] = 2 * _SIDE + patch[inside]
    rise = table.rise.take(cell)
    value = table.start.take(cell) + (rise >> 31) * fraction
    value += ((rise & _FRACTION) * fraction + 2**30) >> 31
    if inside is not None and inside.size:
        which = patch[inside]
        value[inside] = np.clip(value[inside], table.patch_low[which], table.patch_high[which])
    return value


def evaluate_one(table: QuantileTable, uniform: int) -> int:
    """Look up the duration of one uniform in plain ints; the same bits as `evaluate`."""
    u = int(uniform)
    if not 0 <= u < _TOP:
        raise ValueError(f"uniform must be a whole number of 0 … 2**53 - 1, not {uniform!r}")
    patch = bisect_right(table.patch_from, u) - 1
    inside = patch >= 0 and u < table.patch_until[patch]
    upper = u >= _TOP // 2
    t = _END - 2 * u - 1 if upper else 2 * u + 1
    octave = t.bit_length() - 1
    cell = octave * _CELLS + ((t << 8 >> octave) & 255) + (_SIDE if upper else 0)
    if inside:
        cell = 2 * _SIDE + patch
    fraction = (t << 39 >> octave) & _FRACTION
    rise = int(table.rise[cell])
    value = int(table.start[cell]) + (rise >> 31) * fraction
    value += ((rise & _FRACTION) * fraction + 2**30) >> 31
    if inside:
        value = min(max(value, int(table.patch_low[patch])), int(table.patch_high[patch]))
    return value


def mean_seconds(table: QuantileTable) -> float:
    """Return the mean of the table as evaluated [s]; infinite if some never give up.

    Notes
    -----
    Sum of the straight lines; rounding each draw to a microsecond moves it by less than 0.5 µs.

    Examples
    --------
    >>> round(mean_seconds(lognormal(177, 1.2)), 4)
    177.0
    """
    lines = _lines(table)
    if np.isinf(lines.high).any():
        return math.inf
    return float(lines.mass @ (lines.low + lines.high)) / 2


def survival_at(table: QuantileTable, seconds: ArrayLike) -> Floats:
    """Return the share of draws that last longer than this, exactly as evaluated.

    Examples
    --------
    >>> print(f"{survival_at(exponential(180), 20):.6f}")  # exp(-20 / 180)
    0.894839
    """
    limit = np.floor(np.asarray(seconds, np.float64) * _SECOND)
    if np.isnan(limit).any():
        raise ValueError(f"seconds must be numbers, not {seconds!r}")
    low = np.zeros(limit.shape, np.int64)
    high = np.full(limit.shape, _TOP, np.int64)  # the first uniform that lasts longer
    while (low < high).any():
        middle = (low + high) >> 1
        longer = evaluate(table, np.minimum(middle, _TOP - 1)) > limit
        open_ = low < high
        high = np.where(open_ & longer, middle, high)
        low = np.where(open_ & ~longer, middle + 1, low)
    return np.asarray((_TOP - low) / _TOP, np.float64)


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


def exponential(mean: float) -> QuantileTable:
    """Let a duration end at a constant rate, whatever it has lasted [s]."""
    return _smooth(f"exponential(mean={mean:g})", mean, lambda p, w, _: -mean * _log_survival(p, w))


def weibull(mean: float, shape: float) -> QuantileTable:
    """Weibull durations [s]: a shape below 1 gives up early or hardly at all."""
    scale = mean / math.gamma(1 + 1 / _within("shape", shape, 0.2, 100))
    return _smooth(
        f"weibull(mean={mean:g}, shape={shape:g})",
        mean,
        lambda p, w, _: scale * (-_log_survival(p, w)) ** (1 / shape),
    )


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
    return _from_vertices(f"empirical({x.size} rows)", p, 1 - p, x)


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
    waited = float(np.diff(t) @ (s[1:] + s[:-1])) / 2
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
        shares = rest * np.exp2(-np.arange(1, _SIDE + 1) / _CELLS)
        first, last = np.append(first, t.size - 1), np.append(last, t.size + _SIDE)
        t = np.concatenate([t, t[-1] + mean_stay * np.log(rest / shares)])
        t, s, mean = (
            np.append(t, t[-1]),
            np.concatenate([s, shares, [0]]),
            waited + rest * mean_stay,
        )
    name = f"survival({first.size} rows, tail={tail})"
    return _from_vertices(name, 1 - s, s, t, (first, last), mean)


def shifted(table: QuantileTable, seconds: float) -> QuantileTable:
    """Make every duration longer by the same time [s]; what never ends still never ends."""
    if not 0 <= seconds < math.inf:
        raise ValueError(f"seconds must be zero or more and finite, not {seconds!r}")
    more = round(seconds * _SECOND)

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
    >>> table = mixture([0.2, 0.8], [constant(0), exponential(100)])
    >>> print(survival_at(table, 0), round(mean_seconds(table), 4))
    0.8 80.0
    """
    share = np.asarray(weights, np.float64)
    if share.shape != (len(tables),) or not len(tables) or not (share >= 0).all():
        raise ValueError(f"weights must be one share of zero or more for each table: {weights!r}")
    if not abs(share.sum() - 1) <= 1e-9:
        raise ValueError(f"weights must sum to 1, not {share.sum()!r} ({weights!r})")
    lines = [_lines(table) for table, s in zip(tables, share, strict=True) if s > 0]
    share = share[share > 0] / share.sum()
    x = np.unique(np.concatenate([ends for line in lines for ends in (line.low, line.high)]))
    before, after = np.zeros((2, 2, x.size))  # probability and complement, just before and at x
    moves = np.zeros(x.size - 1, np.bool_)  # somebody's duration ends between x and the next
    for s, line in zip(share, lines, strict=True):
        just_before, at = _distribution(line, x)
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


@cache
def _edges() -> Floats:
    """Return where the cells of one side begin and end, as t = 2⁵⁴ · distance from the end."""
    number = np.arange(_SIDE + 1)
    return np.ldexp(1 + number % _CELLS / _CELLS, number // _CELLS)


def _locate(u: Integers) -> tuple[Integers, Integers]:
    """Return the cell of each uniform and how far it is into it, in 31 bits."""
    upper = u >= _TOP // 2
    t = np.where(upper, _END - 1 - 2 * u, 2 * u + 1)
    # t < 2⁵³ is exact as a float64, whose bits *are* octave, cell and fraction: nothing is rounded.
    bits = t.astype(np.float64).view(np.int64)
    return (bits >> 44) - (1023 << 8) + upper * _SIDE, (bits >> 13) & _FRACTION


def _smooth(description: str, mean: float, quantile: Quantile) -> QuantileTable:
    """Tabulate a distribution without atoms and gaps, and scale it to its mean."""
    _within("mean", mean, *_MEANS)
    return _tabulate(description, quantile, np.empty(0, np.int64), mean, scale=True)


def _from_vertices(  # noqa: PLR0917 - three of them are one polyline
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
    at = np.where(p <= w, np.rint(p * _TOP), _TOP - np.rint(w * _TOP)).astype(np.int64)
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
        mean = float(mass[both] @ (x[1:] + x[:-1])[both]) / 2
    return _tabulate(description, quantile, at[first][1:], mean, scale=False)


def _tabulate(
    description: str, quantile: Quantile, breaks: Integers, mean: float, *, scale: bool
) -> QuantileTable:
    """Lay a quantile function out in cells and patches; breaks are uniforms where pieces meet."""
    edges = _edges()
    sides: list[dict[str, Any]] = []
    for upper in (False, True):
        distance = (_TOP - breaks if upper else breaks) * 2.0
        cuts = edges
        if breaks.size:
            cuts = np.union1d(edges, distance[(distance > 1) & (distance < _TOP)])
        t0, t1 = cuts[:-1], cuts[1:]
        middle = (t0 + t1) / 2
        position = (_END - middle if upper else middle) / 2
        piece = breaks.searchsorted(position, "right")
        at = _one_sided(quantile, upper)
        if breaks.size:
            q0, q1 = at(t0, piece), at(t1, piece)
        else:  # every end is shared: evaluate once, and let no last bit break the order
            q = at(edges, np.zeros(edges.size, np.int64))
            q = (np.maximum if upper else np.minimum).accumulate(q[::-1])[::-1]
            q0, q1 = q[:-1], q[1:]
        bulk = np.flatnonzero((t0 >= _BULK * _END) & np.isfinite(q0))[::4]
        error = np.abs((q0[bulk] + q1[bulk]) / 2 - at(middle[bulk], piece[bulk]))
        sides.append({"t0": t0, "t1": t1, "q0": q0, "q1": q1, "middle": middle, "error": error})
    factor = 1.0
    if scale:
        lines = sum(float((s["t1"] - s["t0"]) @ (s["q0"] + s["q1"])) for s in sides) / 2
        factor = mean * _END / (lines + sum(float(s["q0"][0]) for s in sides))
    lower, upper_ = (
        _cells_and_patches(side, upper, factor * _SECOND)
        for upper, side in zip((False, True), sides, strict=True)
    )
    patches = np.concatenate([lower[1], upper_[1][:, ::-1]], axis=1)
    start, rise = np.concatenate([lower[0], upper_[0], patches[4:]], axis=1)
    table = QuantileTable(description, start, rise, *(row.copy() for row in patches[:4]))
    laid = _lines(table)
    finite = np.isfinite(laid.high)
    tabulated = float(laid.mass[finite] @ (laid.low + laid.high)[finite]) / 2
    errors = np.concatenate([side["error"] for side in sides])
    return replace(
        table,
        mean_error=abs(tabulated / mean - 1) if mean else tabulated,
        quantile_error=float(errors.max(initial=0)),
    )


def _cells_and_patches(
    side: dict[str, Any], upper: bool, scale: float
) -> tuple[Integers, Integers]:
    """Return (start, rise) of each cell, and six rows of patches in the order of t.

    A patch's line is drawn through its two ends and continued over the cell, so that it is read
    with the fraction of the cell like any other; clipping holds it to its ends. One too steep for
    62 bits (it then holds less than 2⁻⁵³ of anything) is level.
    """
    edges = _edges()
    v0, v1 = (
        np.where(np.isinf(q), NEVER, np.rint(np.minimum(q * scale, _LONGEST))).astype(np.int64)
        for q in (np.where(np.isinf(side[end]), math.inf, side[end]) for end in ("q0", "q1"))
    )
    cell = edges.searchsorted(side["middle"], "right") - 1
    whole = (np.bincount(cell, minlength=_SIDE) == 1)[cell]
    cells = np.zeros((2, _SIDE), np.int64)
    cells[:, cell[whole]] = v0[whole], (v1 - v0)[whole]
    t0, t1, v0, v1, cell = (a[~whole] for a in (side["t0"], side["t1"], v0, v1, cell))
    width = edges[cell + 1] - edges[cell]
    slope = (v1 - v0) * width / (t1 - t0)
    slope = np.where(np.abs(slope) < 2.0**61, np.rint(slope), 0)
    start = v0 - np.rint(slope * (t0 - edges[cell]) / width).astype(np.int64)
    begin, until = (np.ceil((t - 1) / 2).astype(np.int64) for t in (t0, t1))
    if upper:
        begin, until = _TOP - until, _TOP - begin
    low, high = np.minimum(v0, v1), np.maximum(v0, v1)
    patches = np.stack([begin, until, low, high, start, slope.astype(np.int64)])
    return cells, patches[:, begin < until]


class _Lines(NamedTuple):
    """The straight lines of a table from the lowest uniform to the highest, in seconds."""

    begin: Floats  # probability and its complement (2, n)
    end: Floats  # (2, n)
    mass: Floats
    low: Floats
    high: Floats


def _lines(table: QuantileTable) -> _Lines:
    """Read a table back as straight lines."""
    edges = _edges()
    patched, _ = _locate(table.patch_from)
    sides = []
    for upper in (False, True):
        whole = np.ones(_SIDE, np.bool_)
        whole[patched[(patched >= _SIDE) == upper] - upper * _SIDE] = False
        cell = np.flatnonzero(whole)
        number = cell + upper * _SIDE
        v0 = table.start[number]
        v1 = v0 + table.rise[number]
        t0, t1 = edges[cell], edges[cell + 1]
        t0[cell == 0] = 0  # beyond the last draw
        mine = (patched >= _SIDE) == upper
        begin, until = table.patch_from[mine] * 2.0, table.patch_until[mine] * 2.0
        v0, v1 = (v1, v0) if upper else (v0, v1)
        t0, t1 = (
            np.concatenate([t0, _END - until if upper else begin]),
            np.concatenate([t1, _END - begin if upper else until]),
        )
        low = np.concatenate([v0, table.patch_low[mine]])
        high = np.concatenate([v1, table.patch_high[mine]])
        order = np.argsort(-t1 if upper else t0)
        near, far = t0[order] / _END, t1[order] / _END
        begin_end = (
            ((1 - far, far), (1 - near, near)) if upper else ((near, 1 - near), (far, 1 - far))
        )
        sides.append((*map(np.stack, begin_end), far - near, low[order], high[order]))
    begin, end, mass, low, high = (
        np.concatenate(parts, axis=-1) for parts in zip(*sides, strict=True)
    )
    low, high = (np.where(v >= NEVER, math.inf, v / _SECOND) for v in (low, high))
    return _Lines(begin, end, mass, low, high)


def _distribution(lines: _Lines, x: Floats) -> tuple[Floats, Floats]:
    """Return probability and complement (2, n) of ending before x, and by x."""
    value = np.stack([lines.low, lines.high], axis=1).reshape(-1)
    reached = np.stack([lines.begin, lines.end], axis=2).reshape(2, -1)
    value = np.concatenate([[-1], value, [math.inf]])
    reached = np.concatenate([reached[:, :1], reached, reached[:, -1:]], axis=1)
    left, right = value.searchsorted(x, "left"), value.searchsorted(x, "right")
    here = left < right
    below, above = right - 1, np.minimum(left, value.size - 1)
    gap = np.where(here, 1, value[above] - np.where(here, 0, value[below]))
    part = (np.where(here, 0, x) - np.where(here, 0, value[below])) / gap
    between = reached[:, below] + part * (reached[:, above] - reached[:, below])
    return np.where(here, reached[:, above], between), np.where(here, reached[:, below], between)


def _one_sided(quantile: Quantile, upper: bool) -> Callable[[Floats, Integers], Floats]:
    """Return the quantile as a function of t, the distance from one end."""

    def at(t: Floats, piece: Integers) -> Floats:
        near = t / _END
        return quantile(1 - near, near, piece) if upper else quantile(near, 1 - near, piece)

    return at
