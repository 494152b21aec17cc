"""Quantile tables: a distribution of durations as whole microseconds, looked up and measured.

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
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEVER = 2**62
"""Microseconds that never pass: an infinite patience."""

SECOND = 1_000_000  # [µs]
CELLS = 256  # of an octave
SIDE = 53 * CELLS  # cells of one side: 53 octaves
CELLS_OF_A_TABLE = 2 * SIDE  # lines of patches follow
TOP = 2**53  # of a uniform
_END = 2**54  # of t
_LONGEST = 2**60  # 36,500 years: longer draws are held there
_FRACTION = 2**31 - 1
_CHUNK = 1 << 14
_BULK = 1e-3  # quantile errors are stated between this and its complement

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
        Largest error of a quantile between 0.1 % and 99.9 %, seen at the beginning and in the
        middle of every fourth cell [s].
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
    >>> from ccsim.demand.quantiles import exponential
    >>> median = evaluate(exponential(180), 2**52)  # 180 s · ln 2 = 124.7665 s
    >>> round(int(median) / 1e6, 4)
    124.7664
    """
    u = np.asarray(uniforms)
    if u.dtype.kind not in "iu" or (u.size and (u.min() < 0 or u.max() >= TOP)):
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
        cell[inside] = 2 * SIDE + patch[inside]
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
    if not 0 <= u < TOP:
        raise ValueError(f"uniform must be a whole number of 0 … 2**53 - 1, not {uniform!r}")
    patch = bisect_right(table.patch_from, u) - 1
    inside = patch >= 0 and u < table.patch_until[patch]
    upper = u >= TOP // 2
    t = _END - 2 * u - 1 if upper else 2 * u + 1
    octave = t.bit_length() - 1
    cell = octave * CELLS + ((t << 8 >> octave) & 255) + (SIDE if upper else 0)
    if inside:
        cell = 2 * SIDE + patch
    fraction = (t << 39 >> octave) & _FRACTION
    rise = int(table.rise[cell])
    value = int(table.start[cell]) + (rise >> 31) * fraction
    value += ((rise & _FRACTION) * fraction + 2**30) >> 31
    if inside:
        value = min(max(value, int(table.patch_low[patch])), int(table.patch_high[patch]))
    return value


def exact_sum(terms: NDArray[np.float64]) -> float:
    """A sum rounded once: its last digit does not depend on a processor's linear algebra.

    Examples
    --------
    >>> exact_sum(np.array([1e16, 1.0, -1e16]))
    1.0
    """
    return math.fsum(terms.tolist())


@lru_cache(maxsize=64)  # a hundredth of a second, and many ask
def mean_seconds(table: QuantileTable) -> float:
    """Return the mean of the table as evaluated [s]; infinite if some never give up.

    Notes
    -----
    Sum of the straight lines; rounding each draw to a microsecond moves it by less than 0.5 µs.

    Examples
    --------
    >>> from ccsim.demand.quantiles import lognormal
    >>> round(mean_seconds(lognormal(177, 1.2)), 4)
    177.0
    """
    lines = lines_of(table)
    if np.isinf(lines.high).any():
        return math.inf
    return exact_sum(lines.mass * (lines.low + lines.high)) / 2


def survival_at(table: QuantileTable, seconds: ArrayLike) -> Floats:
    """Return the share of draws that last longer than this, exactly as evaluated.

    Examples
    --------
    >>> from ccsim.demand.quantiles import exponential
    >>> print(f"{survival_at(exponential(180), 20):.6f}")  # exp(-20 / 180)
    0.894839
    """
    limit = np.floor(np.asarray(seconds, np.float64) * SECOND)
    if np.isnan(limit).any():
        raise ValueError(f"seconds must be numbers, not {seconds!r}")
    low = np.zeros(limit.shape, np.int64)
    high = np.full(limit.shape, TOP, np.int64)  # the first uniform that lasts longer
    while (low < high).any():
        middle = (low + high) >> 1
        longer = evaluate(table, np.minimum(middle, TOP - 1)) > limit
        open_ = low < high
        high = np.where(open_ & longer, middle, high)
        low = np.where(open_ & ~longer, middle + 1, low)
    return np.asarray((TOP - low) / TOP, np.float64)


@cache
def _edges() -> Floats:
    """Return where the cells of one side begin and end, as t = 2⁵⁴ · distance from the end."""
    number = np.arange(SIDE + 1)
    return np.ldexp(1 + number % CELLS / CELLS, number // CELLS)


def _locate(u: Integers) -> tuple[Integers, Integers]:
    """Return the cell of each uniform and how far it is into it, in 31 bits."""
    upper = u >= TOP // 2
    t = np.where(upper, _END - 1 - 2 * u, 2 * u + 1)
    # t < 2⁵³ is exact as a float64, whose bits *are* octave, cell and fraction: nothing is rounded.
    bits = t.astype(np.float64).view(np.int64)
    return (bits >> 44) - (1023 << 8) + upper * SIDE, (bits >> 13) & _FRACTION


def cell_of(uniforms: Integers) -> Integers:
    """Return the cell in which each uniform lies, patched or not."""
    return _locate(uniforms)[0]


def tabulate(
    description: str, quantile: Quantile, breaks: Integers, mean: float, *, scale: bool
) -> QuantileTable:
    """Lay a quantile function out in cells and patches; breaks are uniforms where pieces meet."""
    edges = _edges()
    sides: list[dict[str, Any]] = []
    bulks: list[Floats] = []
    for upper in (False, True):
        distance = (TOP - breaks if upper else breaks) * 2.0
        cuts = edges
        if breaks.size:
            cuts = np.union1d(edges, distance[(distance > 1) & (distance < TOP)])
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
        sides.append({"t0": t0, "t1": t1, "q0": q0, "q1": q1, "middle": middle})
        line, true = (q0[bulk] + q1[bulk]) / 2, at(middle[bulk], piece[bulk])
        bulks.append(np.stack([np.append(line, q0[bulk]), np.append(true, q0[bulk])]))
    factor = 1.0
    if scale:
        lines = sum(exact_sum((s["t1"] - s["t0"]) * (s["q0"] + s["q1"])) for s in sides) / 2
        factor = mean * _END / (lines + sum(float(s["q0"][0]) for s in sides))
    lower, upper_ = (
        _cells_and_patches(side, upper, factor * SECOND)
        for upper, side in zip((False, True), sides, strict=True)
    )
    patches = np.concatenate([lower[1], upper_[1][:, ::-1]], axis=1)
    start, rise = np.concatenate([lower[0], upper_[0], patches[4:]], axis=1)
    table = QuantileTable(description, start, rise, *(row.copy() for row in patches[:4]))
    laid = lines_of(table)
    finite = np.isfinite(laid.high)
    tabulated = exact_sum(laid.mass[finite] * (laid.low + laid.high)[finite]) / 2
    line, true = np.concatenate(bulks, axis=1)
    return replace(
        table,
        mean_error=abs(tabulated / mean - 1) if mean else tabulated,
        quantile_error=float(np.abs(line * factor - true).max(initial=0)),
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
    whole = (np.bincount(cell, minlength=SIDE) == 1)[cell]
    cells = np.zeros((2, SIDE), np.int64)
    cells[:, cell[whole]] = v0[whole], (v1 - v0)[whole]
    t0, t1, v0, v1, cell = (a[~whole] for a in (side["t0"], side["t1"], v0, v1, cell))
    width = edges[cell + 1] - edges[cell]
    slope = (v1 - v0) * width / (t1 - t0)
    slope = np.where(np.abs(slope) < 2.0**61, np.rint(slope), 0)
    start = v0 - np.rint(slope * (t0 - edges[cell]) / width).astype(np.int64)
    begin, until = (np.ceil((t - 1) / 2).astype(np.int64) for t in (t0, t1))
    if upper:
        begin, until = TOP - until, TOP - begin
    low, high = np.minimum(v0, v1), np.maximum(v0, v1)
    patches = np.stack([begin, until, low, high, start, slope.astype(np.int64)])
    return cells, patches[:, begin < until]


class Lines(NamedTuple):
    """The straight lines of a table from the lowest uniform to the highest, in seconds."""

    begin: Floats  # probability and its complement (2, n)
    end: Floats  # (2, n)
    mass: Floats
    low: Floats
    high: Floats


def lines_of(table: QuantileTable) -> Lines:
    """Read a table back as straight lines."""
    edges = _edges()
    patched, _ = _locate(table.patch_from)
    sides = []
    for upper in (False, True):
        whole = np.ones(SIDE, np.bool_)
        whole[patched[(patched >= SIDE) == upper] - upper * SIDE] = False
        cell = np.flatnonzero(whole)
        number = cell + upper * SIDE
        v0 = table.start[number]
        v1 = v0 + table.rise[number]
        t0, t1 = edges[cell], edges[cell + 1]
        t0[cell == 0] = 0  # beyond the last draw
        mine = (patched >= SIDE) == upper
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
    low, high = (np.where(v >= NEVER, math.inf, v / SECOND) for v in (low, high))
    return Lines(begin, end, mass, low, high)


def distribution(lines: Lines, x: Floats) -> tuple[Floats, Floats]:
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
