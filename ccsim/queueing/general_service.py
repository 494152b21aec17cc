"""Handle times that are not exponential: one agent exactly, several approximately."""

from __future__ import annotations

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
from ccsim.queueing.erlang_c import mean_wait as exponential_wait
from ccsim.queueing.erlang_c import waiting_probability


class GeneralService(NamedTuple):
    """What a formula for any handle times says; every field of the same shape.

    Attributes
    ----------
    waiting_probability, abandonment : float or array
        Share that finds all agents busy; nobody abandons.
    mean_wait, speed_of_answer : float or array
        Mean wait [s]; the same, as everybody is answered.
    service_level : float or array
        Share answered within the threshold.
    occupancy : float or array
        Share of the agents' time that is handling.
    queue_length : float or array
        Mean number of contacts waiting.
    """

    waiting_probability: FloatOrArray
    abandonment: FloatOrArray
    mean_wait: FloatOrArray
    speed_of_answer: FloatOrArray
    service_level: FloatOrArray
    occupancy: FloatOrArray
    queue_length: FloatOrArray


def allen_cunneen(
    load: ArrayLike,
    agents: ArrayLike,
    handle_time: ArrayLike,
    threshold: ArrayLike = 0.0,
    *,
    cv: ArrayLike = 1.0,
    arrival_cv: ArrayLike = 1.0,
) -> GeneralService:
    """Allen and Cunneen's rule for any handle times and any regularity of arrivals.

    Parameters
    ----------
    load : array_like
        Offered load [erlang].
    agents : array_like
        Agents on the floor.
    handle_time : array_like
        Mean handle time [s].
    threshold : array_like
        Acceptable waiting time [s].
    cv, arrival_cv : array_like
        Standard deviation ÷ mean of handle times, and of the times between arrivals (1 for a
        Poisson process).

    Returns
    -------
    GeneralService

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Notes
    -----
    *Approximate*: the wait of Erlang C times (cv² + arrival_cv²) / 2 [1]_; Erlang C's waiting
    probability, and who waits is taken to wait exponentially. Exact for exponential handle times,
    and in its mean for one agent with Poisson arrivals. `m_g_n` is closer where arrivals are
    Poisson and cv is below 1.

    References
    ----------
    .. [1] A. O. Allen (1990), "Probability, Statistics, and Queueing Theory", 2nd ed., Academic
       Press, section 5.3.

    Examples
    --------
    Handle times that vary twice as much as exponential ones make the wait two and a half times:

    >>> queue = allen_cunneen(10, 14, 180, threshold=20, cv=[1.0, 2.0])
    >>> queue.mean_wait.round(1).tolist()
    [7.8, 19.6]
    """
    shape, (a, n, h, t, c, d) = flattened(*_given(load, agents, handle_time, threshold),
        quantity("cv", cv), quantity("arrival_cv", arrival_cv))  # fmt: skip
    return _scaled(a, n, h, t, (c * c + d * d) / 2, shape)


def m_g_n(
    load: ArrayLike,
    agents: ArrayLike,
    handle_time: ArrayLike,
    threshold: ArrayLike = 0.0,
    *,
    cv: ArrayLike = 1.0,
) -> GeneralService:
    """What a group of agents gives with any handle times: between exponential and constant ones.

    Parameters
    ----------
    load, agents, handle_time, threshold, cv : array_like
        As for `allen_cunneen`.

    Returns
    -------
    GeneralService

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Notes
    -----
    *Approximate*: mean wait cv² W(exponential) + (1 - cv²) W(constant), with Cosmetatos' wait for
    constant handle times, ½ (1 + (1 - ρ)(n - 1)(√(4 + 5n) - 2) / (16 n ρ)) W(exponential) [1]_;
    the correction is held at 2, where nothing waits at all. Above cv = 1 it is Allen and Cunneen's
    rule. Waiting probability and law of the wait as there.

    References
    ----------
    .. [1] G. P. Cosmetatos (1976), "Some approximate equilibrium results for the multi-server queue
       (M/G/r)", Operational Research Quarterly 27(3), 615-620.

    Examples
    --------
    >>> round(m_g_n(10, 14, 180, threshold=20, cv=0.0).mean_wait, 2)
    4.52
    """
    shape, (a, n, h, t, c) = flattened(
        *_given(load, agents, handle_time, threshold), quantity("cv", cv)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        spare = np.maximum(n - a, 0.0) / np.where(n > 0, n, 1.0)
        more = (np.maximum(n, 1.0) - 1) * (np.sqrt(4 + 5 * np.maximum(n, 1.0)) - 2) / 16
        correction = np.where(a > 0, 1 + spare * more / np.where(a > 0, a, 1.0), 2.0)
    constant = np.minimum(correction, 2.0) / 2
    square = c * c
    factor = np.where(square < 1, square + (1 - square) * constant, (1 + square) / 2)
    return _scaled(a, n, h, t, factor, shape)


def m_g_1(load: ArrayLike, handle_time: ArrayLike, *, cv: ArrayLike = 1.0) -> GeneralService:
    """What one agent gives with any handle times.

    Parameters
    ----------
    load : array_like
        Offered load [erlang].
    handle_time : array_like
        Mean handle time [s].
    cv : array_like
        Standard deviation ÷ mean of handle times.

    Returns
    -------
    GeneralService
        With the service level at a threshold of 0, the share that does not wait.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Notes
    -----
    *Exact* for Poisson arrivals: mean wait a h (1 + cv²) / (2 (1 - a)) (Pollaczek, Khinchine).

    References
    ----------
    .. [1] L. Kleinrock (1975), "Queueing Systems, Volume 1: Theory", Wiley, section 5.6.

    Examples
    --------
    Half busy with calls of constant length, then with wildly varying ones:

    >>> m_g_1(0.5, 180, cv=[0.0, 3.0]).mean_wait.round(6).tolist()
    [90.0, 900.0]
    """
    shape, (a, h, c) = flattened(
        quantity("load", load), positive_duration("handle_time", handle_time), quantity("cv", cv)
    )
    zero = np.zeros_like(a)
    return _scaled(a, zero + 1, h, zero, (1 + c * c) / 2, shape)


def _given(
    load: ArrayLike, agents: ArrayLike, handle_time: ArrayLike, threshold: ArrayLike
) -> tuple[Floats, ...]:
    return (
        quantity("load", load),
        quantity("agents", agents),
        positive_duration("handle_time", handle_time),
        duration("threshold", threshold),
    )


def _scaled(
    load: Floats,
    agents: Floats,
    handle_time: Floats,
    threshold: Floats,
    factor: Floats,
    shape: tuple[int, ...],
) -> GeneralService:
    """Erlang C with its waits so many times longer."""
    waits = waiting_probability(load, agents)
    stable = load < agents
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        wait = np.where(stable, factor * exponential_wait(load, agents, handle_time), np.inf)
        wait = np.where(load > 0, wait, 0.0)
        passed = (agents - load) * (np.minimum(threshold, 1e300) / handle_time) / factor
        passed = np.where(factor > 0, passed, np.inf)
        late = np.where(stable, waits * np.exp(-np.maximum(passed, 0.0)), waits)
        queue = np.where(load > 0, load / handle_time * wait, 0.0)
        busy = np.where(stable, load / np.where(stable, agents, 1.0), np.sign(load))
    measures = (waits, np.zeros_like(load), wait, wait, 1 - late, busy, queue)
    return GeneralService(*(floats(measure, shape) for measure in measures))
