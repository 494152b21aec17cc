"""Chat: agents who handle several contacts at a time, each the slower the more there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ccsim.queueing import special
from ccsim.queueing._arrays import (
    FloatOrArray,
    Floats,
    duration,
    flattened,
    floats,
    positive_duration,
    quantity,
    whole_numbers,
)
from ccsim.queueing._chat_chain import (
    MOST_SLOTS,
    MOST_STATES,
    Slots,
    balanced_slots,
    exact_slots,
    states,
)
from ccsim.queueing._patience import (
    Queue,
    after,
    answered_share,
    gone_in_short,
    mean_waits,
    queue_behind,
)
from ccsim.queueing.service_level import SteadyStateFormula, check_formula, level_of_shares

_SMALL = 1e-290  # below it the doubles soon have no digits


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
        If an argument is negative or not a number, a handle time is zero, the formula is unknown,
        or there are more than five million slots.

    Notes
    -----
    Approximate: chats are taken to be spread evenly over agents at every moment, as if they were
    handed over whenever one agent has two more than another. Then the number of chats is a
    birth-death chain with rate Σ k / h_k over the agents' levels k, and the queue behind it that of
    Erlang A. Newcomers do go to the least-loaded agent, but chats that end leave agents uneven.

    As long as each further chat adds no more to what an agent completes an hour than the one before
    did (k / h_k is concave: so it is if each makes all others slower by as much), an even spread
    completes the most, and the truth is never better. `python benchmarks/chat_optimism.py` finds
    the worst of 10-minute chats, each further one making all 10 to 50 % of that longer, at loads of
    70 to 130 % and a patience of 1 to 10 minutes, in points of a percentage:

    =======  ======  ============================  ===================
    slots    agents  service level within 30-60 s  waiting probability
    =======  ======  ============================  ===================
    2        2-30    1.38                          1.58
    3        2-30    1.03                          1.15
    4        2-10    0.73                          0.80
    =======  ======  ============================  ===================

    Where further chats add more than earlier ones, it is too gloomy instead; `chat_exact` has the
    truth for small centres. With one slot it is Erlang A, and with equal handle times Erlang A with
    an agent for each slot, both exact, but for `occupancy`: with several slots agents are less
    evenly busy.

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
    _refuse_large(solve, float(np.ceil(n).max(initial=0)), levels.size)
    sums = _Sums(*np.zeros((len(_Sums._fields), n.size)))
    for where, whole, part in whole_numbers(n):
        found = _sums(solve, levels, v[where], whole, p[where], t[where], short[where], formula)
        for column, more in zip(sums, found, strict=True):
            column[where] += part * more
    return Chat(*(floats(measure, shape) for measure in _measures(sums, v, n, levels, formula)))


def _refuse_large(solve: Solve, agents: float, slots: int) -> None:
    if agents * slots > MOST_SLOTS:
        raise ValueError(
            f"agents must be few enough for {MOST_SLOTS:,} slots; got {agents!r} with {slots} slots"
        )
    if solve is exact_slots and states(int(agents), slots) > MOST_STATES:
        raise ValueError(
            f"agents must be few enough for {MOST_STATES:,} states in chat_exact, use chat for "
            f"more; got {agents!r} with {slots} slots"
        )


class _Sums(NamedTuple):
    """Per offered contact, but the last two; all (n,). They add up over the time, ratios do not."""

    waits: Floats
    gone: Floats
    answered: Floats
    waited: Floats
    waited_by_answered: Floats
    in_time: Floats
    gone_in_time: Floats
    gone_in_short: Floats
    offered_wait_in_time: Floats
    open: Floats  # mean number of chats
    busy: Floats  # mean number of agents with a chat


def _sums(
    solve: Solve,
    levels: Floats,
    volume: Floats,
    agents: Floats,
    patience: Floats,
    threshold: Floats,
    short: Floats,
    formula: SteadyStateFormula,
) -> _Sums:
    pairs = list(zip(volume.tolist(), agents.tolist(), strict=True))
    solved = {pair: solve(pair[0], int(pair[1]), levels) for pair in set(pairs)}
    full, log_full, free, chats, busy = np.array([solved[pair] for pair in pairs]).T
    most = agents * levels.size
    rate = most / levels[-1]
    queue = queue_behind(volume, rate, np.ones_like(volume), patience, full, free)
    queue = _in_logarithms(queue, full, log_full, free)
    later = after(queue, threshold)
    waited_by_answered, offered_wait = mean_waits(queue)
    answered, gone, endless = (
        answered_share(queue),
        queue.waits * queue.gives_up,
        patience == np.inf,
    )
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        waited = np.where(queue.waits > 0, np.where(endless, offered_wait, gone * patience), 0.0)
        # A queue without end hides that agents answer what they can.
        answered = np.where(endless, np.fmin(answered, rate / volume), answered)
        # Without a queue everything is as the slots say; behind one, every slot is taken.
        open_ = chats / np.where(free > 0, free, 1.0) * queue.at_once + most * queue.waits
        some = busy / np.where(free > 0, free, 1.0) * queue.at_once + agents * queue.waits
    return _Sums(
        queue.waits,
        gone,
        answered,
        waited,
        waited_by_answered,
        later.in_time,
        later.gone,
        gone_in_short(queue, short, formula),
        later.offered_wait_in_time,
        open_,
        some,
    )


def _in_logarithms(queue: Queue, full: Floats, log_full: Floats, free: Floats) -> Queue:
    """Mend what is below the doubles: full slots hardly ever seen, but a queue that then stays.

    So it is in large centres where full agents are much slower than others.
    """
    q = queue
    deep = ((full < _SMALL) | (q.empty < _SMALL)) & (q.load > 0) & (q.agents > 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # Nothing else than an overload makes alpha so small, and then P(y, x) is 1.
        log_empty = special.xlogy(q.y, q.x) - q.x - special.gammaln(q.y + 1)
        log_empty = np.where(q.empty < _SMALL, log_empty, np.log(q.empty))
        odds = np.exp(np.minimum(log_full - np.log(free) - log_empty, 700.0))
    unstable = np.isinf(q.patience) & (q.empty == 0)
    waits = np.where(unstable, 1.0, odds / (1 + odds))
    at_once = np.where(unstable, 0.0, 1 / (1 + odds))
    return q._replace(
        waits=np.where(deep, waits, q.waits), at_once=np.where(deep, at_once, q.at_once)
    )


def _measures(
    sums: _Sums, volume: Floats, agents: Floats, levels: Floats, formula: SteadyStateFormula
) -> tuple[Floats, ...]:
    level = level_of_shares(
        formula,
        answered=sums.answered,
        answered_in_time=sums.in_time,
        abandoned_in_time=sums.gone_in_time,
        short_abandons=sums.gone_in_short,
        offered_wait_in_time=sums.offered_wait_in_time,
    )
    idle, answered, nobody = volume == 0, sums.answered > 0, agents == 0
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        speed = np.where(answered, sums.waited_by_answered / sums.answered, np.inf)
        per_agent = np.where(nobody, levels.size, sums.open / agents)
        occupancy = np.where(nobody, 1.0, sums.busy / agents)
        # The fewer there are to answer, the more the one who does has beside her.
        begun = volume * sums.answered
        chat_time = np.where(begun > 0, sums.open / begun, levels[-1])
        waiting = np.where(sums.waited > 0, volume * sums.waited, 0.0)
    return (
        sums.waits,
        sums.gone,
        np.where(idle, 0.0, sums.waited),
        np.where(idle, 0.0, speed),
        np.where(idle, 1.0, level),
        np.where(idle, 0.0, np.minimum(occupancy, 1.0)),
        np.where(idle, 0.0, np.minimum(per_agent / levels.size, 1.0)),
        np.where(idle, 0.0, np.minimum(per_agent, levels.size)),
        np.where(idle, levels[0], chat_time),
        np.where(idle, 0.0, waiting),
    )
