"""The offered wait under any law of patience, by quadrature; one queue at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ccsim.queueing._arrays import Floats
from ccsim.queueing._incomplete_gamma import full_house

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
_TAIL = 45.0  # what is e^-45 below the mode is left out
_ROUNDS = 64
_ERROR = 1e-15
_OCTAVES = 52  # pieces towards 0, where patience may have an infinite hazard
_NEVER = 1e15  # handle times; a wait that long has no end


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
    still_waiting: float  # patience too
    answered_in_time: float  # after some wait
    gone_in_time: float
    gone_in_short: float


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
        shares = np.asarray(stays(x * handle_time), dtype=np.float64)
        _check(shares, x * handle_time)
        return (1 - balking) * shares

    limits = [min(limit / handle_time, _NEVER) for limit in (threshold, short)]
    for_ever = float(present(np.array([_NEVER]))[0])
    if load * for_ever >= agents:
        return _unstable(present, load, agents, for_ever, handle_time, balking, limits)
    panels = _panels(present, load, agents, [*limits, *(np.asarray(steps) / handle_time)])
    x, share, slope = panels.x, panels.share, panels.exponent
    height = np.exp(slope - slope.max())
    weight = panels.weight * height
    area = weight.sum()
    blocked, carried = (float(part[0]) for part in full_house(*np.array([[agents], [load]])))
    free = carried * np.exp(-slope.max())
    total = agents * area * blocked + free
    chance = agents * blocked / total * weight  # of an offered wait around each node
    waits = float(chance.sum())

    def part(value: Floats, where: NDArray[np.bool_] | None = None) -> float:
        return float((chance * value if where is None else (chance * value)[where]).sum())

    early, soon = (x < limit for limit in limits)
    later = part(np.ones_like(x), ~early)
    after, after_short = (_at(present, limit) for limit in limits)
    return OfferedWait(
        waits=waits,
        at_once=float(free / total),
        answered=part(share),
        gone=part(1 - share),
        balked=waits * balking,
        mean=part(panels.waited) * handle_time,
        answered_wait=part(share * x) * handle_time,
        later=later,
        still_waiting=after * later,
        answered_in_time=part(share, early),
        gone_in_time=part(1 - share, early) + (1 - after) * later,
        gone_in_short=(part(1 - share, soon) + (1 - after_short) * part(np.ones_like(x), ~soon))
        if short > 0
        else 0.0,
    )


def _at(present: Callable[[Floats], Floats], limit: float) -> float:
    return float(present(np.array([limit]))[0])


def _check(shares: Floats, waits: Floats) -> None:
    bad = ~((shares >= 0) & (shares <= 1 + 1e-12))
    if bad.any():
        raise ValueError(
            f"stays must give fractions between 0 and 1; "
            f"got {float(shares[bad][0])!r} after a wait of {float(waits[bad][0])!r}"
        )
    if (np.diff(shares.reshape(-1)) > 1e-12).any():
        raise ValueError("stays must not rise with the wait; it is the share still waiting")


def _unstable(
    present: Callable[[Floats], Floats],
    load: float,
    agents: float,
    for_ever: float,
    handle_time: float,
    balking: float,
    limits: list[float],
) -> OfferedWait:
    """Nobody comes to the head of the queue: whoever has an end of patience leaves."""
    after, after_short = (_at(present, limit) for limit in limits)
    mean = np.inf
    if for_ever == 0:
        panels = _panels(present, load, 1e-9 + agents, limits)
        mean = float(panels.waited[-1]) * handle_time
    return OfferedWait(
        waits=1.0,
        at_once=0.0,
        answered=min(agents / load, for_ever),
        gone=1 - for_ever,
        balked=balking,
        mean=mean,
        answered_wait=np.inf,
        later=1.0,
        still_waiting=after,
        answered_in_time=0.0,
        gone_in_time=1 - after,
        gone_in_short=1 - after_short if limits[1] > 0 else 0.0,
    )


class _Panels(NamedTuple):
    """Nodes of the rule, in order; all (n_nodes,)."""

    x: Floats
    weight: Floats
    share: Floats  # still waiting at x
    waited: Floats  # H(x): mean wait of those who are offered x
    exponent: Floats  # λ H(x) - n x


def _panels(
    present: Callable[[Floats], Floats], load: float, agents: float, corners: Sequence[float]
) -> _Panels:
    """Lay out pieces up to where the density has died, halved until Gauss's rule is exact."""
    end = 1.0 / (1.0 + agents + load)
    while end < _NEVER and not _has_died(present, load, agents, end):
        end *= 2
    inner = [corner for corner in corners if 0 < corner < end]
    edges = np.unique(np.concatenate([[0.0], end * 2.0 ** -np.arange(_OCTAVES), inner]))
    for _ in range(_ROUNDS):
        panels, doubtful = _evaluated(present, load, agents, edges)
        if not doubtful.any():
            break
        middles = (edges[:-1] + edges[1:]) / 2
        edges = np.unique(np.concatenate([edges, middles[doubtful]]))
    return panels


def _has_died(present: Callable[[Floats], Floats], load: float, agents: float, end: float) -> bool:
    edges = end * np.concatenate(
        [
            [0.0],
            2.0 ** np.arange(-_OCTAVES, 1),
        ]
    )
    panels, _ = _evaluated(present, load, agents, edges)
    return bool(panels.exponent[-1] < panels.exponent.max() - _TAIL)


def _evaluated(
    present: Callable[[Floats], Floats], load: float, agents: float, edges: Floats
) -> tuple[_Panels, NDArray[np.bool_]]:
    """Everything at the nodes of all pieces, and which pieces the rule is not sure of."""
    half = np.diff(edges)[:, None] / 2
    x = (edges[:-1, None] + half) + half * _X
    share = present(x.reshape(-1)).reshape(x.shape)
    before = np.concatenate([[0.0], np.cumsum((half * share) @ _W)])[:-1, None]
    waited = before + half * (share @ _UP_TO.T)
    exponent = load * waited - agents * x
    height = np.exp(exponent - exponent.max())
    area = float(((half * height) @ _W).sum())
    rough = [np.abs(values @ _COEFFICIENTS.T[:, -2:]).sum(axis=1) for values in (share, height)]
    unsure = load * half[:, 0] * rough[0] * (height.max(axis=1) > 1e-25) > _ERROR * (1 + load)
    unsure |= half[:, 0] * rough[1] > _ERROR * area
    unsure &= half[:, 0] > 1e-15 * edges[1:]
    columns = (x, half * _W, share, waited, exponent)
    return _Panels(*(column.reshape(-1) for column in columns)), unsure
