"""The offered wait under any law of patience, by quadrature; one queue at a time.

With a share G(x) still waiting after x handle times and H its integral from 0, the offered wait of
those who wait has the density exp(a H(x) - n x), but for a factor. Its exponent is concave: it is
followed from the likeliest wait, where a G(x) = n, until it has fallen by 45 on either side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ccsim.queueing._arrays import Floats
from ccsim.queueing._incomplete_gamma import NOBODY, full_house

_NODES = 16
_X, _W = np.polynomial.legendre.leggauss(_NODES)
_COEFFICIENTS = np.linalg.inv(np.polynomial.legendre.legvander(_X, _NODES - 1))
# Integral from -1 to each node of the polynomial through the nodes.
_UP_TO = np.stack(
    [
        np.polynomial.legendre.legval(
            _X, np.polynomial.legendre.legint(_COEFFICIENTS[:, node], lbnd=-1)
        )
        for node in range(_NODES)
    ],
    axis=1,
)
# At its ends a piece is looked at too: a jump may hide between the last node and the end.
_SEEN_AT = np.concatenate([[1e-9 - 1], _X, [1 - 1e-9]])
_AT_ENDS = np.polynomial.legendre.legvander(_SEEN_AT[[0, -1]], _NODES - 1) @ _COEFFICIENTS
_TAIL = 45.0  # what is e^-45 below the mode is left out
_PIECES = 1 << 16
_ROUNDS = 64
_ERROR = 1e-13
_OCTAVES = 2.0 ** -np.arange(53)  # pieces towards 0, where patience may have an infinite hazard
_NEVER = 1e15  # handle times; a wait that long has no end
_EVERYWHERE = np.concatenate([[0.0], _NEVER * 2.0 ** -np.arange(160.0)[::-1]])


class OfferedWait(NamedTuple):
    """What becomes of offered contacts; shares and waits per offered contact."""

    waits: float
    at_once: float
    answered: float  # of those who wait, as a share of offered
    gone: float
    balked: float
    mean: float
    answered_wait: float
    later: float  # offered wait above the threshold
    in_time: float  # offered wait up to it, without those who do not wait
    still_waiting: float  # patience too
    answered_in_time: float  # after some wait
    gone_in_time: float
    gone_in_short: float


Present = Callable[[Floats], Floats]
"""Share still waiting after each of some waits in handle times, (n,)."""


def offered_wait(
    load: float,
    agents: float,
    handle_time: float,
    stays: Callable[[Floats], ArrayLike],
    steps: Sequence[float] | NDArray[np.float64],
    threshold: float,
    balking: float,
    short: float,
) -> OfferedWait:
    """Solve one queue, in units of its handle time; `steps` are where `stays` jumps."""
    if load == 0:
        return OfferedWait(*([0.0] * len(OfferedWait._fields)))

    def present(x: Floats) -> Floats:
        waits = np.minimum(x, _NEVER) * handle_time
        with np.errstate(all="ignore"):  # laws are not made for waits of a million years
            shares = np.asarray(stays(waits), dtype=np.float64)
        _check(shares, waits)
        return (1 - balking) * np.minimum(shares, 1.0)

    limits = [min(limit / handle_time, _NEVER) for limit in (threshold, short)]
    for_ever = float(present(np.array([_NEVER]))[0])
    corners = np.array([*limits, *(np.asarray(steps) / handle_time)])
    if load * for_ever >= agents or agents < NOBODY:
        return _unstable(present, load, agents, handle_time, balking, limits, corners)
    panels = _panels(present, load, agents, corners)
    x, share = panels.x, panels.share
    blocked, carried = (float(part[0]) for part in full_house(*np.array([[agents], [load]])))
    weight = agents * blocked * panels.weight
    free = carried * np.exp(-panels.top)
    total = float(weight.sum()) + free
    chance = weight / total  # of an offered wait around each node

    def part(value: Floats | float, where: NDArray[np.bool_] | None = None) -> float:
        return min(float((chance * value)[slice(None) if where is None else where].sum()), 1.0)

    def mean(value: Floats) -> float:
        return float((chance * value).sum()) * handle_time

    waits = part(1.0)
    early, soon = (x < limit for limit in limits)
    later = part(1.0, ~early)
    after, after_short = (_at(present, limit) for limit in limits)
    return OfferedWait(
        waits=waits,
        at_once=free / total,
        answered=part(share),
        gone=part(1 - share),
        balked=waits * balking,
        mean=mean(panels.waited),
        answered_wait=mean(share * x),
        later=later,
        in_time=part(1.0, early),
        still_waiting=after * later,
        answered_in_time=part(share, early),
        gone_in_time=part(1 - share, early) + (1 - after) * later,
        gone_in_short=(part(1 - share, soon) + (1 - after_short) * part(1.0, ~soon))
        if short > 0
        else 0.0,
    )


def _at(present: Present, limit: float) -> float:
    return float(present(np.array([limit]))[0])


def _check(shares: Floats, waits: Floats) -> None:
    if shares.shape != waits.shape:
        raise ValueError(
            f"stays must give a share for each wait; got {shares.shape} for {waits.shape}"
        )
    bad = ~((shares >= 0) & (shares <= 1 + 1e-12))
    if bad.any():
        raise ValueError(
            f"stays must give fractions between 0 and 1; "
            f"got {float(shares[bad][0])!r} after a wait of {float(waits[bad][0])!r}"
        )
    if (np.diff(shares) > 1e-12).any():
        raise ValueError("stays must not rise with the wait; it is the share still waiting")


def _unstable(
    present: Present,
    load: float,
    agents: float,
    handle_time: float,
    balking: float,
    limits: list[float],
    corners: Floats,
) -> OfferedWait:
    """Nobody comes to the head of the queue: whoever has an end of patience leaves."""
    after, after_short, for_ever = (_at(present, limit) for limit in (*limits, _NEVER))
    edges = np.unique(np.concatenate([_EVERYWHERE, corners[corners < _NEVER]]))
    mean = float(_halved(present, 0.0, 0.0, edges, 0.0).waited[-1])
    if _NEVER * for_ever > 1e-3 * mean:  # it still grows
        mean = np.inf
    return OfferedWait(
        waits=1.0,
        at_once=0.0,
        answered=min(agents / load, for_ever),
        gone=1 - for_ever,
        balked=balking,
        mean=mean * handle_time,
        answered_wait=np.inf,
        later=1.0,
        in_time=0.0,
        still_waiting=after,
        answered_in_time=0.0,
        gone_in_time=1 - after,
        gone_in_short=1 - after_short if limits[1] > 0 else 0.0,
    )


class _Panels(NamedTuple):
    """Nodes of the rule, in order; all (n_nodes,) but the last."""

    x: Floats
    weight: Floats  # of the offered wait at x, in units of its likeliest
    share: Floats  # still waiting at x
    waited: Floats  # H(x): mean wait of those who are offered x
    top: float  # a H(x) - n x at the likeliest wait


def _panels(present: Present, load: float, agents: float, corners: Floats) -> _Panels:
    """Lay out pieces around the likeliest offered wait, halved until Gauss's rule is exact.

    The exponent a H(x) - n x has the slope a G(x) - n, which falls: it is concave. Its top is where
    the slope changes sign, and it has fallen by more than d/2 times the slope at a distance d/2.
    """

    def slope(x: float) -> float:
        return load * _at(present, x) - agents

    top = _sign_change(present, load, agents)
    right = _TAIL / agents
    while -slope(top + right / 2) * right / 2 < _TAIL:
        right *= 2
    left = _TAIL / load
    while left < top and slope(top - left / 2) * left / 2 < _TAIL:
        left *= 2
    around = [top * _OCTAVES, top + right * _OCTAVES, top - min(left, top) * _OCTAVES]
    inside = corners[(corners > 0) & (corners < top + right)]
    edges = np.unique(np.concatenate([np.zeros(1), *around, inside]))
    return _halved(present, load, agents, edges, top)


def _sign_change(present: Present, load: float, agents: float) -> float:
    """Wait from which on no more arrive who will still be there than agents can answer."""
    grid = _EVERYWHERE
    for _ in range(12):
        over = int((load * present(grid) > agents).sum())
        if over == 0:
            return 0.0
        grid = np.linspace(grid[over - 1], grid[over], 33)
    return float(grid[-1])


def _halved(present: Present, load: float, agents: float, edges: Floats, top: float) -> _Panels:
    most = edges.size + _PIECES
    for _ in range(_ROUNDS):
        panels, doubtful = _evaluated(present, load, agents, edges, top)
        if not doubtful.any() or edges.size > most:
            break
        middles = (edges[:-1] + edges[1:]) / 2
        edges = np.unique(np.concatenate([edges, middles[doubtful]]))
    return panels


def _evaluated(
    present: Present, load: float, agents: float, edges: Floats, top: float
) -> tuple[_Panels, NDArray[np.bool_]]:
    """Everything at the nodes of all pieces, and which pieces the rule is not sure of."""
    start, end = edges[:-1, None], edges[1:, None]
    half = (end - start) / 2
    seen_at = np.clip((start + half) + half * _SEEN_AT, start, end)
    shares = present(seen_at.reshape(-1)).reshape(seen_at.shape)
    x, share = seen_at[:, 1:-1], shares[:, 1:-1]
    slope = load * share - agents
    waited = np.concatenate([[0.0], np.cumsum((half * share) @ _W)])
    # Measured from the top on either side: there the exponent is huge and its slope is small.
    rises, here = (half * slope) @ _W, int(np.searchsorted(edges, top))
    below = -np.cumsum(rises[:here][::-1])[::-1]
    exponent = np.concatenate([below, [0.0], np.cumsum(rises[here:])])[:-1, None]
    height = np.exp(np.minimum(exponent + half * (slope @ _UP_TO.T), 0.0))
    area = float(((half * height) @ _W).sum())
    rough = [
        half[:, 0] * np.abs(values @ _COEFFICIENTS.T[:, -2:]).sum(axis=1)
        for values in (share, height)
    ]
    rough[0] += half[:, 0] * np.abs(share @ _AT_ENDS.T - shares[:, [0, -1]]).sum(axis=1)
    seen = height.max(axis=1) > 1e-25
    unsure = (load * seen * rough[0] > _ERROR) | (rough[0] > _ERROR * waited[-1])
    unsure &= rough[0] > 64 * 2.0**-52 * half[:, 0] * share[:, 0]  # what doubles can tell
    unsure |= rough[1] > 10 * _ERROR * area
    unsure &= half[:, 0] > 1e-15 * edges[1:]
    panels = _Panels(
        x=x.reshape(-1),
        weight=(half * _W * height).reshape(-1),
        share=share.reshape(-1),
        waited=(waited[:-1, None] + half * (share @ _UP_TO.T)).reshape(-1),
        top=-float(below[0]) if here else 0.0,
    )
    return panels, unsure
