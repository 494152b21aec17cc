"""Chat: agents who handle several contacts at a time, each the slower the more there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ccsim.queueing._arrays import (
    FloatOrArray,
    Floats,
    duration,
    flattened,
    floats,
    positive_duration,
    quantity,
)
from ccsim.queueing._chat_chain import MOST_STATES, Slots, balanced_slots, exact_slots, states
from ccsim.queueing._patience import answered_share, level_by_formula, mean_waits, queue_behind
from ccsim.queueing.service_level import SteadyStateFormula, check_formula


class Chat(NamedTuple):
    """What a chat formula says; every field of the same shape.

    Attributes
    ----------
    waiting_probability, abandonment : float or array
        Shares of offered contacts that find every slot taken, and that give up.
    mean_wait, speed_of_answer : float or array
        Mean wait of all, and of the answered, in the unit of the handle times.
    service_level : float or array
        By the formula asked for, a fraction.
    occupancy : float or array
        Share of the agents' time with at least one chat.
    slot_use : float or array
        Share of all slots that is taken.
    chats_per_agent : float or array
        Mean number of chats of an agent.
    mean_chat_time : float or array
        Mean time from answer to end.
    queue_length : float or array
        Mean number of contacts waiting.
    """

    waiting_probability: FloatOrArray
    abandonment: FloatOrArray
    mean_wait: FloatOrArray
    speed_of_answer: FloatOrArray
    service_level: FloatOrArray
    occupancy: FloatOrArray
    slot_use: FloatOrArray
    chats_per_agent: FloatOrArray
    mean_chat_time: FloatOrArray
    queue_length: FloatOrArray


def chat(
    volume: ArrayLike,
    agents: ArrayLike,
    handle_times: ArrayLike,
    patience: ArrayLike,
    threshold: ArrayLike = 0.0,
    *,
    formula: SteadyStateFormula = "of_offered",
    short_abandon: ArrayLike = 0.0,
) -> Chat:
    """What agents with several chats at a time give, for centres of any size.

    Parameters
    ----------
    volume : array_like
        Contacts per unit of time, the same unit as all times: 120 an hour are 120 / 3600 a second.
    agents : array_like
        Agents on the floor; between two whole numbers as if one agent more were there that share
        of the time.
    handle_times : array_like, shape (n_levels,)
        Mean time of a chat while its agent handles 1, 2, … at once; their number is the number of
        slots.
    patience : array_like
        Mean patience, exponential; may be infinite.
    threshold : array_like
        Acceptable waiting time.
    formula, short_abandon
        As for `erlang_a_service_level`.

    Returns
    -------
    Chat

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a handle time is zero, or the formula is
        unknown.

    Notes
    -----
    Approximate: chats are taken to be spread evenly over agents at every moment, as if they were
    handed over whenever one agent has two more than another. Then the number of chats is a
    birth-death chain with rate Σ k / h_k over the agents' levels k, and the queue behind it that of
    Erlang A. Newcomers do go to the least-loaded agent, but chats that end leave agents uneven, so
    wherever an agent finishes more chats an hour the more she has, the truth is a little worse;
    `chat_exact` says by how much, for small centres. With one slot it is Erlang A, and with equal
    handle times Erlang A with an agent for each slot, both exact.

    References
    ----------
    .. [1] J. Luo, J. Zhang (2013), "Staffing and control of instant messaging contact centers",
       Operations Research 61(2), 328-343.
    .. [2] T. Tezcan, J. Zhang (2014), "Routing and staffing in customer service chat systems with
       impatient customers", Operations Research 62(4), 943-956.

    Examples
    --------
    120 chats an hour, of 10 minutes alone, 11 beside another and 13 beside two, on 10 agents:

    >>> found = chat(120 / 3600, 10, [600, 660, 780], patience=120, threshold=30)
    >>> print(f"{found.service_level:.1%} in time, {found.abandonment:.1%} give up, "
    ...       f"{found.chats_per_agent:.1f} chats per agent")
    93.1% in time, 3.2% give up, 2.3 chats per agent
    """
    return _chat(
        balanced_slots, volume, agents, handle_times, patience, threshold, formula, short_abandon
    )


def chat_exact(
    volume: ArrayLike,
    agents: ArrayLike,
    handle_times: ArrayLike,
    patience: ArrayLike,
    threshold: ArrayLike = 0.0,
    *,
    formula: SteadyStateFormula = "of_offered",
    short_abandon: ArrayLike = 0.0,
) -> Chat:
    """What agents with several chats at a time give, exactly, for small centres.

    Parameters
    ----------
    volume, agents, handle_times, patience, threshold, formula, short_abandon
        As for `chat`.

    Returns
    -------
    Chat

    Raises
    ------
    ValueError
        As `chat`, and if the chain has more than 20,000 states (50 agents with 3 slots have
        23,426).

    Notes
    -----
    Exact: the Markov chain of how many agents have 0, 1, 2, … chats, newcomers going to the
    least-loaded agent, first come first served when all slots are taken; solved as a sparse linear
    system.

    Examples
    --------
    The same centre as in `chat`, which is a quarter of a point too hopeful:

    >>> found = chat_exact(120 / 3600, 10, [600, 660, 780], patience=120, threshold=30)
    >>> print(f"{found.service_level:.1%} in time, {found.abandonment:.1%} give up")
    92.9% in time, 3.3% give up
    """
    return _chat(
        exact_slots, volume, agents, handle_times, patience, threshold, formula, short_abandon
    )


Solve = Callable[[float, int, Floats], Slots]


def _chat(
    solve: Solve,
    volume: ArrayLike,
    agents: ArrayLike,
    handle_times: ArrayLike,
    patience: ArrayLike,
    threshold: ArrayLike,
    formula: SteadyStateFormula,
    short_abandon: ArrayLike,
) -> Chat:
    check_formula(formula, virtual=True)
    levels = positive_duration("handle_times", handle_times)
    if levels.ndim != 1 or levels.size == 0:
        raise ValueError(f"handle_times must be a list with one time a level; got {handle_times!r}")
    shape, (v, n, p, t, short) = flattened(
        quantity("volume", volume),
        quantity("agents", agents),
        duration("patience", patience),
        duration("threshold", threshold),
        duration("short_abandon", short_abandon),
    )
    low = np.floor(n)
    share = n - low
    if solve is exact_slots and n.size:
        _refuse_large(float(np.ceil(n).max()), levels)
    measures = np.zeros((len(Chat._fields), n.size))
    for whole, part in ((low, 1 - share), (low + 1, share)):
        where = np.flatnonzero(part > 0)
        if where.size:
            found = _measures(
                solve, levels, v[where], whole[where], p[where], t[where], short[where], formula
            )
            measures[:, where] += part[where] * found
    return Chat(*(floats(measure, shape) for measure in measures))


def _refuse_large(agents: float, levels: Floats) -> None:
    size = states(int(min(agents, 1e6)), levels.size)
    if size > MOST_STATES:
        raise ValueError(
            f"agents must be few enough for {MOST_STATES:,} states in chat_exact, use chat for "
            f"more; got {agents!r} with {levels.size} slots"
        )


def _measures(
    solve: Solve,
    levels: Floats,
    volume: Floats,
    agents: Floats,
    patience: Floats,
    threshold: Floats,
    short: Floats,
    formula: SteadyStateFormula,
) -> Floats:
    rows = [solve(float(v), int(n), levels) for v, n in zip(volume, agents, strict=True)]
    full, free, chats, busy = np.array(rows, dtype=np.float64).T
    most = agents * levels.size
    rate = most / levels[-1]
    one = np.ones_like(volume)
    queue = queue_behind(volume, rate, one, patience, full, free)
    answered = answered_share(queue)
    by_answered, offered = mean_waits(queue)
    endless = np.isinf(patience)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        gone = queue.waits * queue.gives_up
        waited = np.where(queue.waits > 0, np.where(endless, offered, gone * queue.patience), 0.0)
        speed = np.where((answered > 0) & (agents > 0), by_answered / answered, np.inf)
        # Without a queue everything is as the slots say; behind one, every slot is taken.
        open_ = chats / np.where(free > 0, free, 1.0) * queue.at_once + most * queue.waits
        any_ = busy / np.where(free > 0, free, 1.0) * queue.at_once + agents * queue.waits
        per_agent = open_ / np.where(agents > 0, agents, 1.0)
        occupancy = np.where(agents > 0, any_ / np.where(agents > 0, agents, 1.0), 1.0)
        chat_time = open_ / np.where(volume * answered > 0, volume * answered, 1.0)
        stuck = np.isinf(waited) & (rate > 0)
        chat_time = np.where(stuck, levels[-1], chat_time)
        waiting = np.where(waited > 0, volume * waited, 0.0)
    idle = volume == 0
    return np.stack(
        [
            queue.waits,
            gone,
            np.where(idle, 0.0, waited),
            np.where(idle, 0.0, speed),
            level_by_formula(queue, threshold, short, formula),
            np.where(idle, 0.0, np.minimum(occupancy, 1.0)),
            np.where(idle, 0.0, np.minimum(per_agent / levels.size, 1.0)),
            np.where(idle, 0.0, np.minimum(per_agent, levels.size)),
            np.where(idle, levels[0], chat_time),
            np.where(idle, 0.0, waiting),
        ]
    )
