"""How many chats are open while no one waits: evenly spread, or as they come and go."""

from __future__ import annotations

from math import comb
from typing import NamedTuple

import numpy as np

from ccsim.queueing._arrays import Floats

MOST_STATES = 20_000
"""The exact chain is solved up to so many states."""


class Slots(NamedTuple):
    """The time without a queue, in proportion; weighted by what is open in it."""

    full: float  # every slot taken
    free: float  # some slot free
    chats: float  # open chats, while some slot is free
    busy: float  # agents with a chat, while some slot is free


def states(agents: int, slots: int) -> int:
    """Ways to spread agents over 0 … slots chats."""
    return comb(agents + slots, slots)


def balanced_slots(volume: float, agents: int, handle_times: Floats) -> Slots:
    """Birth-death over the number of open chats, as many with one agent as with another."""
    if agents == 0 or volume == 0:
        return Slots(float(agents == 0), float(agents > 0), 0.0, 0.0)
    slots = handle_times.size
    chats = np.arange(agents * slots + 1, dtype=np.float64)
    level = np.minimum(chats[1:] // agents, slots).astype(np.int64)
    ahead = chats[1:] - level * agents  # agents with one chat more than the others
    each = np.concatenate([[0.0], np.arange(1, slots + 1) / handle_times, [0.0]])
    rate = (agents - ahead) * each[level] + ahead * each[level + 1]
    logs = np.concatenate([[0.0], np.cumsum(np.log(volume / rate))])
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    some = weight[:-1]
    return Slots(
        full=float(weight[-1]),
        free=float(some.sum()),
        chats=float(some @ chats[:-1]),
        busy=float(some @ np.minimum(chats[:-1], agents)),
    )


def exact_slots(volume: float, agents: int, handle_times: Floats) -> Slots:
    """Markov chain over how many agents have so many chats; newcomers go to the least loaded."""
    if agents == 0 or volume == 0:
        return Slots(float(agents == 0), float(agents > 0), 0.0, 0.0)
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    slots = handle_times.size
    counts = _spreads(agents, slots)
    number = {tuple(row): index for index, row in enumerate(counts.tolist())}
    size = len(counts)
    chats = counts @ np.arange(slots + 1)
    rows, columns, rates = [], [], []
    for index, row in enumerate(counts.tolist()):
        moves = []
        level = next(level for level, here in enumerate(row) if here)
        if level < slots:
            moves.append((level, level + 1, volume))
        moves += [
            (level, level - 1, row[level] * level / handle_times[level - 1])
            for level in range(1, slots + 1)
            if row[level]
        ]
        for here, there, rate in moves:
            after = list(row)
            after[here] -= 1
            after[there] += 1
            rows.append(index)
            columns.append(number[tuple(after)])
            rates.append(rate)
    flow = sparse.coo_matrix((rates, (rows, columns)), shape=(size, size)).tocsr()
    out = np.asarray(flow.sum(axis=1)).ravel()
    balance = (flow.T - sparse.diags(out)).tolil()
    balance[0, :] = 1.0  # one equation too many: it is replaced by the sum
    total = np.zeros(size)
    total[0] = 1.0
    share = np.maximum(spsolve(balance.tocsc(), total), 0.0)
    full = chats == agents * slots
    some = np.where(full, 0.0, share)
    return Slots(
        full=float(share[full].sum()),
        free=float(some.sum()),
        chats=float(some @ chats),
        busy=float(some @ (agents - counts[:, 0])),
    )


def _spreads(agents: int, slots: int) -> np.ndarray:
    """Every way to spread agents over 0 … slots chats, (n_states, slots + 1)."""
    if slots == 0:
        return np.array([[agents]])
    return np.array(
        [
            [first, *rest]
            for first in range(agents + 1)
            for rest in _spreads(agents - first, slots - 1)
        ]
    )
