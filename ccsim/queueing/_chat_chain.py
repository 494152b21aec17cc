"""How many chats are open while no one waits: evenly spread, or as they come and go."""

from __future__ import annotations

from itertools import combinations
from math import comb, log
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ccsim.queueing._arrays import Floats

MOST_STATES = 20_000
"""The exact chain is solved up to so many states."""

MOST_SLOTS = 5_000_000
"""The balanced chain is solved up to so many slots."""


Counts: TypeAlias = NDArray[np.int64]


class Slots(NamedTuple):
    """The time without a queue, in proportion; weighted by what is open in it."""

    full: float  # every slot taken
    log_full: float  # its logarithm, which may be below that of the smallest double
    free: float  # some slot free
    chats: float  # open chats, while some slot is free
    busy: float  # agents with a chat, while some slot is free


def states(agents: int, slots: int) -> int:
    """Ways to spread agents over 0 … slots chats."""
    return comb(agents + slots, slots)


def balanced_slots(volume: float, agents: int, handle_times: Floats) -> Slots:
    """Birth-death over the number of open chats, as many with one agent as with another."""
    if agents == 0 or volume == 0:
        return Slots(float(agents == 0), -np.inf, float(agents > 0), 0.0, 0.0)
    logs = _balanced(volume, agents, handle_times)
    weight = np.exp(logs)
    chats = np.arange(weight.size - 1, dtype=np.float64)
    some = weight[:-1]
    return Slots(
        full=float(weight[-1]),
        log_full=float(logs[-1]),
        free=float(some.sum()),
        chats=float(some @ chats),
        busy=float(some @ np.minimum(chats, agents)),
    )


def _balanced(volume: float, agents: int, handle_times: Floats) -> Floats:
    """Logarithm of the chance of each number of open chats, while no one waits."""
    each = np.concatenate([[0.0], np.arange(1, handle_times.size + 1) / handle_times])
    ahead = np.arange(1, agents + 1)  # agents with one chat more than the others
    rate = ((agents - ahead) * each[:-1, None] + ahead * each[1:, None]).reshape(-1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(volume) - np.log(rate))])
    logs -= logs.max()
    return np.asarray(logs - np.log(np.exp(logs).sum()))


def exact_slots(volume: float, agents: int, handle_times: Floats) -> Slots:
    """Markov chain over how many agents have so many chats; newcomers go to the least loaded."""
    if agents <= 1 or volume == 0:  # one agent is as even as can be
        return balanced_slots(volume, agents, handle_times)
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    slots = handle_times.size
    counts = _spreads(agents, slots)
    chats = counts @ np.arange(slots + 1)
    flow = _flow(volume, counts, handle_times)
    balance = (flow.T - sparse.diags_array(np.asarray(flow.sum(axis=1)).ravel())).tocsc()
    # One equation too many, and no scale: a likely state is given 1. With an unlikely one the
    # others would overflow.
    likely = int(np.argmax(_balanced(volume, agents, handle_times)))
    level, ahead = divmod(likely, agents)
    even = np.zeros(slots + 2, dtype=np.int64)
    even[level : level + 2] = agents - ahead, ahead
    given = (counts == even[:-1]).all(axis=1)
    others = np.flatnonzero(~given)
    right = -balance[others][:, np.flatnonzero(given)].toarray().ravel()
    share = np.ones(len(counts))
    share[others] = spsolve(balance[others][:, others], right)
    share = np.maximum(share, 0.0) / share.sum()
    full = chats == agents * slots
    some, taken = np.where(full, 0.0, share), float(share[full].sum())
    return Slots(
        full=taken,
        log_full=log(taken) if taken > 0 else -np.inf,
        free=float(some.sum()),
        chats=float(some @ chats),
        busy=float(some @ (agents - counts[:, 0])),
    )


def _flow(volume: float, counts: Counts, handle_times: Floats) -> Any:
    """Rates from each spread to each other one, sparse (n_states, n_states)."""
    from scipy import sparse

    slots = handle_times.size
    number = {tuple(row): index for index, row in enumerate(counts.tolist())}
    rows, columns, rates = [], [], []
    for index, row in enumerate(counts.tolist()):
        least = next(level for level, here in enumerate(row) if here)
        moves = [(least, least + 1, volume)] if least < slots else []
        moves += [
            (level, level - 1, row[level] * level / handle_times[level - 1])
            for level in range(1, slots + 1)
            if row[level]
        ]
        for here, there, rate in moves:
            after = row.copy()
            after[here] -= 1
            after[there] += 1
            rows.append(index)
            columns.append(number[tuple(after)])
            rates.append(rate)
    size = len(counts)
    return sparse.coo_array((rates, (rows, columns)), shape=(size, size)).tocsr()


def _spreads(agents: int, slots: int) -> Counts:
    """Every way to spread agents over 0 … slots chats, (n_states, slots + 1)."""
    bars = np.array(list(combinations(range(agents + slots), slots)))
    return np.diff(bars, axis=1, prepend=-1, append=agents + slots) - 1
