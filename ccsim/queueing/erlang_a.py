"""Erlang A: contacts that find every agent busy wait, and give up when their patience ends.

M/M/n+M: Poisson arrivals, exponential handle times, exponential patience. `_patience.py` has the
mathematics and its sources.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

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
    after,
    answered_share,
    level_by_formula,
    mean_waits,
    occupancy,
    steady_state,
)
from ccsim.queueing.erlang_c import mean_wait as erlang_c_wait
from ccsim.queueing.service_level import ServiceLevelFormula, check_formula


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
    formula: ServiceLevelFormula = "of_offered",
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
        Which of `SERVICE_LEVEL_FORMULAS`; `service_level_from_counts` lists them.
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

    E-mail: 45 erlangs on 50 agents, 2 hours to answer, customers who wait a day:

    >>> round(erlang_a_service_level(45, 50, 360, 86400, threshold=7200), 4)
    0.9997
    """
    check_formula(formula)
    shape, (a, n, h, p, t, short) = flattened(
        *_arguments(load, agents, handle_time, patience),
        duration("threshold", threshold),
        duration("short_abandon", short_abandon),
    )
    return floats(level_by_formula(steady_state(a, n, h, p), t, short, formula), shape)


def erlang_a_virtual_service_level(
    load: ArrayLike,
    agents: ArrayLike,
    handle_time: ArrayLike,
    patience: ArrayLike,
    threshold: ArrayLike,
) -> FloatOrArray:
    """Share of contacts whose offered wait, had they endless patience, is within the threshold.

    Parameters
    ----------
    load, agents, handle_time, patience : array_like
        As for `erlang_a_waiting_probability`.
    threshold : array_like
        Acceptable waiting time [s].

    Returns
    -------
    P(offered wait ≤ threshold), a fraction.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Examples
    --------
    >>> round(erlang_a_virtual_service_level(48, 50, 60, 120, threshold=20), 4)
    0.9679
    """
    arguments = _arguments(load, agents, handle_time, patience)
    shape, flat = flattened(*arguments, duration("threshold", threshold))
    return floats(after(steady_state(*flat[:4]), flat[4]).offered_wait_in_time, shape)


def erlang_a_mean_wait(
    load: ArrayLike,
    agents: ArrayLike,
    handle_time: ArrayLike,
    patience: ArrayLike,
    of: Literal["all", "answered", "virtual"] = "all",
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
    if of not in ("all", "answered", "virtual"):
        raise ValueError(f"of must be 'all', 'answered' or 'virtual'; got {of!r}")
    shape, flat = flattened(*_arguments(load, agents, handle_time, patience))
    queue = steady_state(*flat)
    if of == "all":
        finite = np.isfinite(queue.patience)
        with np.errstate(invalid="ignore"):
            wait = queue.waits * queue.gives_up * queue.patience
        endless = erlang_c_wait(queue.load, queue.agents, queue.handle_time)
        return floats(np.where(finite, wait, endless), shape)
    answered, virtual = mean_waits(queue)
    if of == "virtual":
        return floats(virtual, shape)
    share = answered_share(queue)
    served = (share > 0) & (queue.agents > 0)
    wait = np.where(served, answered / np.where(served, share, 1.0), np.inf)
    return floats(np.where(queue.load == 0, 0.0, wait), shape)


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
    shape, (a, n, h, p) = flattened(*_arguments(load, agents, handle_time, patience))
    queue = steady_state(a, n, h, p)
    with np.errstate(over="ignore", invalid="ignore"):
        waiting = queue.waits * queue.gives_up * queue.x
        endless = a * erlang_c_wait(a, n, np.ones_like(a))
    return floats(np.where(a == 0, 0.0, np.where(np.isinf(p), endless, waiting)), shape)
