"""Erlang A: contacts that find every agent busy wait, and give up when their patience ends.

M/M/n+M: Poisson arrivals, exponential handle times, exponential patience. `_patience.py` has the
mathematics and its sources.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, get_args

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
from ccsim.queueing._patience import (
    Queue,
    after,
    answered_share,
    level_by_formula,
    mean_waits,
    occupancy,
    steady_state,
)
from ccsim.queueing.erlang_c import mean_wait as erlang_c_wait
from ccsim.queueing.service_level import SteadyStateFormula, check_formula

Wait: TypeAlias = Literal["all", "answered", "virtual"]
"""Whose wait: that of all offered contacts, of those answered, or of one with endless patience."""


def _arguments(
    load: ArrayLike, agents: ArrayLike, handle_time: ArrayLike, patience: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    return (
        quantity("load", load),
        quantity("agents", agents),
        positive_duration("handle_time", handle_time),
        duration("patience", patience),
    )


def erlang_a_waiting_probability(
    load: ArrayLike, agents: ArrayLike, handle_time: ArrayLike, patience: ArrayLike
) -> FloatOrArray:
    """Share of contacts that find all agents busy and have to wait, answered later or not.

    Parameters
    ----------
    load : array_like
        Offered load [erlang], abandoning contacts included.
    agents : array_like
        Agents on the floor; need not be whole.
    handle_time : array_like
        Mean handle time [s] (any unit, the same for all times).
    patience : array_like
        Mean patience [s], exponential. Infinite gives Erlang C, zero gives Erlang B.

    Returns
    -------
    Waiting probability, of the broadcast shape.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Notes
    -----
    1 / (1 + α (1/B - 1)); see the head of this file.

    Examples
    --------
    48 calls a minute of 1 minute, patience 2 minutes, 50 agents:

    >>> round(erlang_a_waiting_probability(48, 50, handle_time=60, patience=120), 4)
    0.4678
    """
    shape, flat = flattened(*_arguments(load, agents, handle_time, patience))
    return floats(steady_state(*flat).waits, shape)


def erlang_a_abandonment(
    load: ArrayLike, agents: ArrayLike, handle_time: ArrayLike, patience: ArrayLike
) -> FloatOrArray:
    """Share of offered contacts that abandon.

    Parameters
    ----------
    load, agents, handle_time, patience : array_like
        As for `erlang_a_waiting_probability`.

    Returns
    -------
    Abandonment, a fraction of offered. 0 with infinite patience.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Notes
    -----
    P(wait) times r; equal to mean wait ÷ mean patience.

    Examples
    --------
    >>> round(erlang_a_abandonment(48, 50, handle_time=60, patience=120), 4)
    0.0309
    """
    shape, flat = flattened(*_arguments(load, agents, handle_time, patience))
    queue = steady_state(*flat)
    return floats(queue.waits * queue.gives_up, shape)


class ErlangAOutcomes(NamedTuple):
    """What becomes of offered contacts: four shares that add up to 1, each precise when tiny."""

    answered_in_time: FloatOrArray
    answered_late: FloatOrArray
    abandoned_in_time: FloatOrArray
    abandoned_late: FloatOrArray


def erlang_a_outcomes(
    load: ArrayLike,
    agents: ArrayLike,
    handle_time: ArrayLike,
    patience: ArrayLike,
    threshold: ArrayLike,
) -> ErlangAOutcomes:
    """Shares of offered contacts answered or abandoned, before or after the threshold.

    Parameters
    ----------
    load, agents, handle_time, patience : array_like
        As for `erlang_a_waiting_probability`.
    threshold : array_like
        Acceptable waiting time [s].

    Returns
    -------
    Four shares. The last three are the complement of the service level, with its relative
    precision also where the service level is 1 in doubles.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Examples
    --------
    >>> shares = erlang_a_outcomes(48, 50, handle_time=60, patience=120, threshold=20)
    >>> [round(share, 4) for share in shares]
    [0.943, 0.0261, 0.0298, 0.0011]
    """
    arguments = _arguments(load, agents, handle_time, patience)
    shape, flat = flattened(*arguments, duration("threshold", threshold))
    queue = steady_state(*flat[:4])
    later = after(queue, flat[4])
    shares = (later.in_time, later.answered, later.gone, later.abandoned)
    return ErlangAOutcomes(*(floats(share, shape) for share in shares))


def erlang_a_service_level(
    load: ArrayLike,
    agents: ArrayLike,
    handle_time: ArrayLike,
    patience: ArrayLike,
    threshold: ArrayLike,
    *,
    formula: SteadyStateFormula = "of_offered",
    short_abandon: ArrayLike = 0.0,
) -> FloatOrArray:
    """Service level when customers abandon, by any of the formulas of the trade.

    Parameters
    ----------
    load, agents, handle_time, patience : array_like
        As for `erlang_a_waiting_probability`.
    threshold : array_like
        Acceptable waiting time [s]; hours are fine.
    formula : str
        Which of `SERVICE_LEVEL_FORMULAS`; `service_level_from_counts` lists them. Or "virtual":
        the share whose wait, had they endless patience, is within the threshold.
    short_abandon : array_like
        An abandonment before this wait [s] is a short one. Read by the formulas that name it.

    Returns
    -------
    Service level, a fraction; 1 without load, 0 where a denominator is zero because nobody is
    answered.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a handle time is zero, or the formula is
        unknown.

    Notes
    -----
    Expected answered in time ÷ expected base, in steady state. Answered late is
    P(V > T) e^(-T/p) times the share of answered among those who still wait then.

    Examples
    --------
    >>> round(erlang_a_service_level(48, 50, 60, 120, threshold=20), 4)
    0.943
    >>> round(erlang_a_service_level(48, 50, 60, 120, threshold=20, formula="of_answered"), 4)
    0.9731
    >>> round(erlang_a_service_level(48, 50, 60, 120, threshold=20, formula="virtual"), 4)
    0.9679

    E-mail: 45 erlangs on 50 agents, 2 hours to answer, customers who wait a day:

    >>> round(erlang_a_service_level(45, 50, 360, 86400, threshold=7200), 4)
    0.9997
    """
    check_formula(formula, virtual=True)
    shape, (a, n, h, p, t, short) = flattened(
        *_arguments(load, agents, handle_time, patience),
        duration("threshold", threshold),
        duration("short_abandon", short_abandon),
    )
    return floats(level_by_formula(steady_state(a, n, h, p), t, short, formula), shape)


def erlang_a_mean_wait(
    load: ArrayLike,
    agents: ArrayLike,
    handle_time: ArrayLike,
    patience: ArrayLike,
    of: Wait = "all",
) -> FloatOrArray:
    """Mean wait: of all contacts, of those answered (speed of answer), or as offered.

    Parameters
    ----------
    load, agents, handle_time, patience : array_like
        As for `erlang_a_waiting_probability`.
    of : "all", "answered" or "virtual"
        "all" ends a wait by an agent or by abandonment; "answered" is the ASA that an ACD
        reports; "virtual" is what a contact of endless patience would wait.

    Returns
    -------
    Mean wait [s], contacts answered at once included. Without agents the answered and the virtual
    wait are infinite.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a handle time is zero, or `of` is unknown.

    Notes
    -----
    "all" is abandonment times mean patience. The others are one integral by a rule of fixed size
    (relative error about 1e-14).

    Examples
    --------
    >>> for of in ("all", "answered", "virtual"):
    ...     print(of, round(erlang_a_mean_wait(10, 14, 180, 300, of=of), 2))
    all 4.2
    answered 3.88
    virtual 4.6
    """
    if of not in get_args(Wait):
        raise ValueError(f"of must be 'all', 'answered' or 'virtual'; got {of!r}")
    shape, flat = flattened(*_arguments(load, agents, handle_time, patience))
    return floats(mean_wait(steady_state(*flat), of), shape)


def erlang_a_occupancy(
    load: ArrayLike, agents: ArrayLike, handle_time: ArrayLike, patience: ArrayLike
) -> FloatOrArray:
    """Share of their time on the floor that agents spend handling contacts.

    Parameters
    ----------
    load, agents, handle_time, patience : array_like
        As for `erlang_a_waiting_probability`.

    Returns
    -------
    Occupancy, a fraction: load times the answered share ÷ agents.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Examples
    --------
    >>> round(erlang_a_occupancy(48, 50, handle_time=60, patience=120), 4)
    0.9303
    """
    shape, flat = flattened(*_arguments(load, agents, handle_time, patience))
    return floats(occupancy(steady_state(*flat)), shape)


def erlang_a_queue_length(
    load: ArrayLike, agents: ArrayLike, handle_time: ArrayLike, patience: ArrayLike
) -> FloatOrArray:
    """Mean number of contacts waiting.

    Parameters
    ----------
    load, agents, handle_time, patience : array_like
        As for `erlang_a_waiting_probability`.

    Returns
    -------
    Mean queue length [contacts].

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Notes
    -----
    Arrival rate times mean wait of all contacts, by Little's law.

    Examples
    --------
    >>> round(erlang_a_queue_length(48, 50, handle_time=60, patience=120), 2)
    2.97
    """
    shape, flat = flattened(*_arguments(load, agents, handle_time, patience))
    return floats(_queue_length(steady_state(*flat)), shape)


class ErlangA(NamedTuple):
    """Everything that Erlang A says of a queue; every field of the same shape.

    Attributes
    ----------
    waiting_probability : float or array
        Share of offered contacts that find all agents busy.
    abandonment : float or array
        Share of offered contacts that abandon.
    mean_wait, speed_of_answer, virtual_wait : float or array
        Mean wait [s] of all contacts, of those answered, and of one with endless patience.
    service_level : float or array
        By the formula asked for, a fraction.
    occupancy : float or array
        Share of the agents' time that is handling.
    queue_length : float or array
        Mean number of contacts waiting.
    """

    waiting_probability: FloatOrArray
    abandonment: FloatOrArray
    mean_wait: FloatOrArray
    speed_of_answer: FloatOrArray
    virtual_wait: FloatOrArray
    service_level: FloatOrArray
    occupancy: FloatOrArray
    queue_length: FloatOrArray


def erlang_a(
    load: ArrayLike,
    agents: ArrayLike,
    handle_time: ArrayLike,
    patience: ArrayLike,
    threshold: ArrayLike = 0.0,
    *,
    formula: SteadyStateFormula = "of_offered",
    short_abandon: ArrayLike = 0.0,
) -> ErlangA:
    """Everything at once: what a group of agents gives when customers abandon.

    Parameters
    ----------
    load, agents, handle_time, patience : array_like
        As for `erlang_a_waiting_probability`. Infinite patience gives Erlang C.
    threshold, formula, short_abandon
        As for `erlang_a_service_level`.

    Returns
    -------
    ErlangA
        Exact, each measure as its own function gives it. `agents_for` and `volume_for` ask the
        other way round.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a handle time is zero, or the formula is
        unknown.

    Examples
    --------
    >>> queue = erlang_a(10, 14, handle_time=180, patience=300, threshold=20)
    >>> print(f"{queue.service_level:.1%} in time, {queue.abandonment:.1%} give up, "
    ...       f"answered after {queue.speed_of_answer:.1f} s, agents busy {queue.occupancy:.1%}")
    91.7% in time, 1.4% give up, answered after 3.9 s, agents busy 70.4%
    """
    check_formula(formula, virtual=True)
    shape, (a, n, h, p, t, short) = flattened(
        *_arguments(load, agents, handle_time, patience),
        duration("threshold", threshold),
        duration("short_abandon", short_abandon),
    )
    queue = steady_state(a, n, h, p)
    measures = (
        queue.waits,
        queue.waits * queue.gives_up,
        mean_wait(queue, "all"),
        mean_wait(queue, "answered"),
        mean_wait(queue, "virtual"),
        level_by_formula(queue, t, short, formula),
        occupancy(queue),
        _queue_length(queue),
    )
    return ErlangA(*(floats(measure, shape) for measure in measures))


def mean_wait(queue: Queue, of: Wait) -> Floats:
    """`erlang_a_mean_wait` of a solved queue."""
    if of == "all":
        with np.errstate(invalid="ignore"):
            wait = queue.waits * queue.gives_up * queue.patience
        endless = erlang_c_wait(queue.load, queue.agents, queue.handle_time)
        return np.where(np.isfinite(queue.patience), wait, endless)
    answered, virtual = mean_waits(queue)
    if of == "virtual":
        return virtual
    share = answered_share(queue)
    served = (share > 0) & (queue.agents > 0)
    wait = np.where(served, answered / np.where(served, share, 1.0), np.inf)
    return np.where(queue.load == 0, 0.0, wait)


def _queue_length(queue: Queue) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        waiting = queue.waits * queue.gives_up * queue.x
        endless = queue.load * erlang_c_wait(queue.load, queue.agents, np.ones_like(queue.load))
    endless = np.where(np.isinf(queue.patience), endless, waiting)
    return np.where(queue.load == 0, 0.0, endless)
