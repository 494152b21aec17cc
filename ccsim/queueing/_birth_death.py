"""Birth-death chains over time, by uniformization (Jensen): exact sums over a number of jumps.

A chain whose rates nowhere exceed Λ jumps, or stays where it is, at the instants of a Poisson
process of rate Λ. With P the matrix of a jump and N(t) the number of jumps,

* law at t = Σ P(N(t) = k) P^k law,
* mean law until t = Σ P(N(t) > k) / (Λ t) P^k law.

Every term is positive, so nothing cancels. Several jumps are taken at a time: with u = P^s,
Σ w(k) P^k = Σ over r < s of P^r (Σ over m of w(m s + r) u^m), the outer sum by Horner's rule.

References
----------
.. [1] W. K. Grassmann (1977), "Transient solutions in Markovian queueing systems", Computers &
   Operations Research 4(1), 47-53. doi:10.1016/0305-0548(77)90007-7
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ccsim.queueing import special
from ccsim.queueing._arrays import Floats

_MOST_WORK = 2e10  # jumps times numbers that each computes: a few minutes
_STRIDE, _CHUNK = 16, 128  # jumps at a time, and until sums are taken
_CELLS = 1 << 16  # of a sum: more go to several threads, which costs more than it saves

_NODES = 12  # instants in each part of a time over which a mean is taken


class Rates(NamedTuple):
    """Rates of a birth-death chain; all (n_states,), the last `up` and the first `down` 0."""

    up: Floats
    down: Floats
    gone: Floats  # of leaving the chain

    def fastest(self) -> float:
        """Largest rate of leaving a state."""
        return float((self.up + self.down + self.gone).max())


def spread(laws: Floats, rates: Rates, times: Floats, slack: float) -> tuple[Floats, Floats]:
    """Laws of a chain after each of some times, and on average until then, (n_times, n_states).

    From one law (1, n_states), or one for each time. No law is off by more than `slack` in all.
    """
    with np.errstate(over="ignore"):
        fastest = rates.fastest()
        jumps = (fastest * times)[:, None]
    longest, states = float(jumps.max()), laws.shape[1]
    if longest == 0:
        return laws + np.zeros_like(jumps), laws + np.zeros_like(jumps)
    too_many = (
        f"step must be shorter, or mean times longer, for fewer moves among {states:,} states; "
        f"got {longest!r} in a step"
    )
    if not longest < 1e15:
        raise ValueError(too_many)
    most = int(longest + 8 * math.sqrt(longest) + 12)
    stride = min(_STRIDE, 1 + most // (64 * times.size), 1 + _CELLS // states)
    count = min(_CHUNK // stride, 1 + most // stride, 1 + _CELLS // (stride * states))
    one = np.zeros((states, 3))  # a jump: what comes from below, stays, comes from above
    one[1:, 0], one[:-1, 2] = rates.up[:-1] / fastest, rates.down[1:] / fastest
    one[:, 1] = np.maximum(1.0 - (rates.up + rates.down + rates.gone) / fastest, 0.0)
    bands = _power(one, stride)
    rows = np.zeros((len(laws), count + 1, states + 2 * stride))
    inner, windows = rows[:, :, stride:-stride], _windows(rows, bands)
    inner[:, 0] = laws
    sums = np.zeros((times.size, 2 * stride, states))
    beyond, left = np.ones_like(jumps), np.ones_like(jumps)
    mark, marked = laws, 0
    for first in range(0, most, count * stride):
        for row in range(count):
            inner[:, row + 1] = np.einsum("msw,sw->ms", windows[:, row], bands)
        more = special.pdtrc(np.arange(first, first + count * stride), jumps)
        chance = np.concatenate([beyond, more[:, :-1]], axis=1) - more
        share = more / np.where(jumps > 0, jumps, 1.0)
        weights = np.stack([chance, share], axis=1).reshape(-1, 2, count, stride).swapaxes(2, 3)
        sums += weights.reshape(-1, 2 * stride, count) @ inner[:, :-1]
        beyond, left = more[:, -1:], left - share.sum(axis=1, keepdims=True)
        inner[:, 0] = inner[:, -1]
        done = first + count * stride
        if done >= 2 * marked:
            # No later jumps move the law by more than as many of these did.
            moved = float(np.abs(inner[:, 0] - mark).sum(axis=1).max())
            if moved * (most - done) <= slack * (done - marked):
                break
            mark, marked = inner[:, 0].copy(), done
        if done * (max(times.size, len(laws)) * states + 1000) > _MOST_WORK:
            raise ValueError(too_many)
    found = sums.reshape(-1, 2, stride, states)
    found[:, 0, 0] += beyond * inner[:, 0]
    found[:, 1, 0] += np.maximum(left, 0.0) * inner[:, 0]
    total = found[:, :, -1]
    for place in range(stride - 2, -1, -1):
        padded = np.pad(total, ((0, 0), (0, 0), (1, 1)))
        total = np.einsum("tpsw,sw->tps", _windows(padded, one), one) + found[:, :, place]
    return total[:, 0], total[:, 1]


def instants(time: float, fastest: float) -> tuple[Floats, Floats]:
    """Instants and weights for a mean over some time; denser to its ends, as fast as things go."""
    quarterings = int(np.clip(np.ceil(np.log2(max(fastest * time, 1.0)) / 2), 1, 20))
    edges = 0.5 * 0.25 ** np.arange(quarterings - 1, -1, -1.0)
    edges = time * np.concatenate([[0.0], edges, 1 - edges[-2::-1], [1.0]])
    x, w = np.polynomial.legendre.leggauss(_NODES)
    half = np.diff(edges)[:, None] / 2
    times = (edges[:-1, None] + half * (1 + x)).reshape(-1)
    return times, (half * w / time).reshape(-1)


def _windows(rows: Floats, bands: Floats) -> Floats:
    return np.lib.stride_tricks.sliding_window_view(rows, bands.shape[1], axis=-1)


def _power(one: Floats, jumps: int) -> Floats:
    """So many jumps at once, in bands: what each state gets from those around it."""
    states = len(one)
    bands = np.zeros((states + 2, 2 * jumps + 1))
    bands[1:-1, jumps] = 1.0
    for _ in range(jumps):
        after = np.zeros_like(bands)
        after[1:-1] = one[:, 1:2] * bands[1:-1]
        after[1:-1, :-1] += one[:, 0:1] * bands[:-2, 1:]
        after[1:-1, 1:] += one[:, 2:3] * bands[2:, :-1]
        bands = after
    return bands[1:-1]


def side_by_side(laws: list[Floats]) -> Floats:
    """Laws of different length as rows, (n_laws, n_states)."""
    width = max(law.size for law in laws)
    return np.stack([np.pad(law, (0, width - law.size)) for law in laws])
