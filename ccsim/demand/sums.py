"""Work done in stages: the sum of independent lengths as one table of whole microseconds.

The narrower of two lengths is cut into about a thousand shares, each spread evenly with the mean
and the variance that it has; the wider one stays as its table has it. So the distribution function
of the sum is, at any microsecond, a sum of areas under straight lines, and both tails keep their
digits. It is looked for where it changes, and read backwards along a smooth monotone curve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.quantiles import constant, shifted
from ccsim.demand.table import (
    NEVER,
    SECOND,
    TOP,
    Floats,
    Integers,
    QuantileTable,
    evaluate,
    exact_sum,
    lines_of,
    mean_seconds,
    tabulate,
)

_BULK, _TAIL = 16, 4  # shares of an octave: of those nearest the middle, and further out
_MIDDLE = 14  # octaves
_STEP = 0.05  # two neighbours are no further apart in log odds
_FORESEEN = 2e-6  # relative error of the middle between two neighbours
_MOST = 20_000  # points at which a distribution function is looked at
_ROUNDS = 64  # enough to halve ten years to a microsecond
_NOTHING = 1e-9  # of what lies beyond: that little in between is a gap
_SMALLEST = 2.0**-60
_SMALLEST_ATOM = 2.0**-21  # as of a mixture: below half a part per million, not kept exact
_CHECKED = 1e-3  # errors are stated between this and its complement, as in `ccsim.demand.table`
_AT_ONCE = 1 << 15


def total(tables: Sequence[QuantileTable]) -> QuantileTable:
    """Add independent lengths: what is done one after the other.

    Parameters
    ----------
    tables
        One distribution for each stage (n,); none of them endless.

    Returns
    -------
    QuantileTable
        Its `quantile_error` also holds what the addition may add to those of the stages: seen
        at four hundred quantiles against twice as many shares. A sum without jumps is scaled to
        the sum of the means.

    Notes
    -----
    Constants move the others and stay exact, and so does a value of the sum that at least half
    a part per million of the contacts take, where others are a twentieth of log odds away.

    Examples
    --------
    Two exponential stages of one mean are an Erlang distribution, of median 1.678347 means.

    >>> from ccsim.demand.quantiles import exponential
    >>> from ccsim.demand.table import evaluate_one
    >>> both = total([exponential(100), exponential(100)])
    >>> print(f"{evaluate_one(both, 2**52) / 1e6:.2f} of {mean_seconds(both):.4f}")
    167.83 of 200.0000
    """
    return _total(tuple(tables))


@lru_cache(maxsize=16)  # a quarter of a second for each stage, and contact types are much alike
def _total(tables: tuple[QuantileTable, ...]) -> QuantileTable:
    always, moving = 0, []
    for table in tables:
        least, most = (int(evaluate(table, end)) for end in (0, TOP - 1))
        if most >= NEVER:
            raise ValueError(f"tables must end, and {table.description} may not")
        if least == most:
            always += least
        else:
            moving.append(table)
    if not moving:
        found = constant(always / SECOND)
    else:
        found = shifted(reduce(_add, moving), always / SECOND)
    mean = sum(mean_seconds(one) for one in tables)
    return replace(
        found,
        description=f"sum({', '.join(one.description for one in tables)})",
        mean_error=abs(mean_seconds(found) / mean - 1) if mean else 0.0,
    )


@dataclass(frozen=True, eq=False)
class _Wide:
    """A distribution function of straight lines, and the areas under it and above it [µs]."""

    x: Floats
    share: Floats  # (2, n): ending by x, and later
    slope: Floats  # (2, n): how they go on from there [1/µs]
    area: Floats  # (2, n): under the first from the left, under the second from the right


@dataclass(frozen=True, eq=False)
class _Narrow:
    """A distribution as shares that are each spread evenly over low … high [µs]."""

    mass: Floats
    low: Floats
    high: Floats


def _add(one: QuantileTable, other: QuantileTable) -> QuantileTable:
    narrow, wide = sorted((one, other), key=_deviation)
    cut, lines = _cut(narrow, 1), _wide(wide)
    least = sum(int(evaluate(each, 0)) for each in (one, other))
    most = sum(int(evaluate(each, TOP - 1)) for each in (one, other))
    x, share = _found(cut, lines, least, most)
    curve = _Curve(x, share)
    name = f"{one.description} + {other.description}"
    mean = mean_seconds(one) + mean_seconds(other)
    table = tabulate(name, curve.seconds, curve.breaks, mean, scale=not curve.breaks.size)
    finer = _cut(narrow, 2)
    odds = np.linspace(math.log(_CHECKED), -math.log(_CHECKED), 400)
    at = np.rint(curve.at(odds)).astype(np.int64)
    again = curve.at(_log_odds(_ending_by(finer, lines, at)))
    error = float(np.abs(again - at).max(initial=0, where=~curve.is_level(odds))) / SECOND
    added = one.quantile_error + other.quantile_error + error
    return replace(table, quantile_error=table.quantile_error + added)


def _deviation(table: QuantileTable) -> float:
    lines = lines_of(table)
    square = exact_sum(lines.mass * (lines.low**2 + lines.low * lines.high + lines.high**2)) / 3
    return square - mean_seconds(table) ** 2


def _wide(table: QuantileTable) -> _Wide:
    lines = lines_of(table)
    x = np.rint(np.stack([lines.low, lines.high], axis=1).reshape(-1) * SECOND)
    share = np.stack([lines.begin, lines.end], axis=2).reshape(2, -1)
    share[:, 0], share[:, -1] = (0, 1), (1, 0)
    # The first point twice, so that the line before it is level as well.
    x, share = np.append(x[0], x), np.concatenate([share[:, :1], share], axis=1)
    step = np.diff(x)
    slope = np.diff(share) / np.where(step > 0, step, np.inf)
    slices = step * (share[:, 1:] + share[:, :-1]) / 2
    under = np.concatenate([[0.0], np.cumsum(slices[0])])
    above = np.concatenate([np.cumsum(slices[1][::-1])[::-1], [0.0]])
    level = np.concatenate([slope, np.zeros((2, 1))], axis=1)
    return _Wide(x, share, level, np.stack([under, above]))


def _cut(table: QuantileTable, finer: int) -> _Narrow:
    """Cut a table into shares, atoms apart, each with the mean and the variance that it has."""
    lines = lines_of(table)
    low, high = lines.low * SECOND, lines.high * SECOND
    middle = (lines.begin + lines.end) / 2
    near = np.log2(np.maximum(middle.min(axis=0), _SMALLEST))
    octave = np.floor(near)
    fine = np.where(octave >= -_MIDDLE, _BULK, _TAIL) * finer
    part = octave * 2 * _BULK + np.floor((np.exp2(near - octave) - 1) * fine)
    level = lines.low == lines.high
    jump = np.append(True, low[1:] > high[:-1] + 0.5 * level[:-1])
    new = jump | np.append(True, (np.diff(part) != 0) | (level[1:] != level[:-1]))
    new |= level & np.append(True, np.diff(low) != 0)
    new |= np.append(True, np.diff(middle[0] > middle[1]) != 0)
    first = np.flatnonzero(new)
    mass = np.add.reduceat(lines.mass, first)
    centre = np.add.reduceat(lines.mass * (low + high) / 2, first) / mass
    off = (low + high) / 2 - np.repeat(centre, np.diff(np.append(first, low.size)))
    variance = np.add.reduceat(lines.mass * (off**2 + (high - low) ** 2 / 12), first) / mass
    half = np.sqrt(3 * variance)
    still = level[first]
    centre = np.where(still, low[first], centre)
    half = np.where(still, 0.0, np.minimum(half, centre))
    return _Narrow(mass, centre - half, centre + half)


def _ending_by(narrow: _Narrow, wide: _Wide, x: Integers) -> Floats:
    """Return the shares of the sum that end by x [µs], and later, shape (2, n)."""
    found = np.empty((2, x.size))
    many = max(1, _AT_ONCE // narrow.mass.size)
    width = np.maximum(narrow.high - narrow.low, 1e-300)
    for begin in range(0, x.size, many):
        at = x[begin : begin + many].astype(np.float64)
        later, sooner = (
            _read(wide, (at - end[:, None]).reshape(-1)) for end in (narrow.low, narrow.high)
        )
        for side in (0, 1):
            less, more = (later, sooner) if side else (sooner, later)
            area = (more[1][side] - less[1][side]).reshape(-1, at.size) / width[:, None]
            low, high = (one[0][side].reshape(-1, at.size) for one in (less, more))
            # Where a share is too narrow for its area to have digits, its ends bound it.
            held = np.clip(area, low, high)
            found[side, begin : begin + many] = (narrow.mass[:, None] * held).sum(axis=0)
    return np.minimum(found, 1.0)


def _read(wide: _Wide, at: Floats) -> tuple[Floats, Floats]:
    """Return shares and areas of the wider length at some times, each of shape (2, n)."""
    before = np.maximum(wide.x.searchsorted(at, "right") - 1, 0)
    past = at - wide.x[before]
    share, area = np.empty((2, 2, at.size))
    for side, sign in ((0, 1), (1, -1)):
        low = wide.share[side][before]
        rise = wide.slope[side][before]
        rise *= past
        np.add(low, rise, out=share[side])
        rise *= 0.5
        rise += low
        rise *= past
        np.add(wide.area[side][before], sign * rise, out=area[side])
    return share, area


def _log_odds(share: Floats) -> Floats:
    p, w = np.maximum(share, _SMALLEST)
    return np.asarray(np.log(p) - np.log(w))


def _found(narrow: _Narrow, wide: _Wide, least: int, most: int) -> tuple[Integers, Floats]:
    """Look for the distribution of a sum: halve until the curve is known, or to a microsecond.

    A curve is known where neighbours are close in log odds, and the last halving was foreseen.
    """
    x = np.geomspace(1, most - least + 1, 100).astype(np.int64) + least - 1
    x = np.unique(np.concatenate([[least - 1, least, most - 1, most], x]))
    share = _ending_by(narrow, wide, x)
    share[:, -1] = (1, 0)
    foreseen = np.zeros(x.size - 1, np.bool_)
    for _ in range(_ROUNDS):
        odds, beyond = _log_odds(share), share.min(axis=0)
        step, near = np.diff(odds), np.minimum(beyond[1:], beyond[:-1])
        wanted = np.where(near > _CHECKED / 10, step > _STEP, step > 4 * _STEP)
        wanted |= ~foreseen & (near > _NOTHING) & ~_empty(share)
        wanted &= np.diff(x) > 1
        if not wanted.any() or x.size > _MOST:
            break
        between = np.flatnonzero(wanted)
        new = x[between] + (x[between + 1] - x[between]) // 2
        more = _ending_by(narrow, wide, new)
        close = _is_foreseen(x, odds, between, new, _log_odds(more))
        foreseen[between] = close
        foreseen = np.insert(foreseen, between + 1, close)
        x = np.insert(x, between + 1, new)
        share = np.insert(share, between + 1, more, axis=1)
    share[0] = np.maximum.accumulate(share[0])
    share[1] = np.minimum.accumulate(share[1])
    return x, share


def _is_foreseen(
    x: Integers, odds: Floats, between: Integers, new: Integers, new_odds: Floats
) -> NDArray[np.bool_]:
    """Say whether a curve through four neighbours would have met the new point in the middle."""
    four = np.clip(between[:, None] + [-1, 0, 1, 2], 0, x.size - 1)
    known, value = odds[four], x[four].astype(np.float64)
    met = np.zeros(new.size)
    with np.errstate(divide="ignore", invalid="ignore"):
        for one in range(4):
            weight = np.ones(new.size)
            for other in range(4):
                if other != one:
                    gap = known[:, one] - known[:, other]
                    weight *= (new_odds - known[:, other]) / gap
            met += weight * value[:, one]
        return np.asarray(np.abs(met - new) <= np.maximum(_FORESEEN * new, 1))


def _empty(share: Floats) -> NDArray[np.bool_]:
    """Say between which neighbours next to nobody ends, though many do on both sides."""
    mass = np.abs(np.diff(share)).max(axis=0)
    beyond = share.min(axis=0)
    near = np.minimum(beyond[1:], beyond[:-1])
    return np.asarray((near > _NOTHING) & (mass <= _NOTHING * near))


class _Curve:
    """The quantiles of a sum: smooth between jumps, level where many take the same value."""

    def __init__(self, x: Integers, share: Floats) -> None:
        from scipy.interpolate import PchipInterpolator

        odds = _log_odds(share)
        mass = np.abs(np.diff(share)).max(axis=0)
        atom = (mass >= _SMALLEST_ATOM) & (np.diff(odds) > _STEP) & (np.diff(x) <= 1)
        kind = np.where(atom, 2, np.where(_empty(share), 1, 0))
        # An atom is a piece of its own; smooth steps without an atom or a gap between are one.
        new = np.append(True, (kind[1:] != kind[:-1]) | atom[1:])
        first = np.flatnonzero(new)
        last = np.append(first[1:], kind.size)
        at = np.where(share[0] <= 0.5, np.rint(share[0] * TOP), TOP - np.rint(share[1] * TOP))
        at = at.astype(np.int64)
        at[0], at[-1] = 0, TOP
        held = (kind[first] != 1) & (at[first] < at[last])
        first, last = first[held], last[held]
        self._pieces = []
        for begin, end in zip(first.tolist(), last.tolist(), strict=True):
            keep = np.append(True, np.diff(odds[begin : end + 1]) > 1e-12)
            where, value = odds[begin : end + 1][keep], x[begin : end + 1][keep]
            smooth = kind[begin] == 0 and where.size > 1
            curve = PchipInterpolator(where, value) if smooth else None
            self._pieces.append((curve, where[0], where[-1], float(x[begin]), float(x[end])))
        self.breaks: Integers = at[first][1:]
        self._begins = odds[first][1:]

    def at(self, odds: Floats, piece: Integers | None = None) -> Floats:
        """Return the quantile at some log odds [µs]."""
        if piece is None:
            piece = self._begins.searchsorted(odds, "right")
        found = np.empty(odds.size)
        for number in np.unique(piece).tolist():
            mine = piece == number
            curve, begin, end, low, high = self._pieces[number]
            if curve is None:
                found[mine] = high
            else:
                found[mine] = np.clip(curve(np.clip(odds[mine], begin, end)), low, high)
        return np.maximum(found, 0.0)

    def is_level(self, odds: Floats) -> NDArray[np.bool_]:
        """Say where the quantile is that of an atom."""
        level = np.array([curve is None for curve, *_ in self._pieces])
        return np.asarray(level[self._begins.searchsorted(odds, "right")])

    def seconds(self, p: Floats, w: Floats, piece: Integers) -> Floats:
        """Return the quantile at probabilities and their complements [s]."""
        return self.at(_log_odds(np.stack([p, w])), piece) / SECOND
