"""Erlang C: contacts that find every agent busy wait as long as it takes; nobody abandons."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ccsim.queueing._arrays import (
    Flags,
    FloatOrArray,
    Floats,
    IntOrArray,
    duration,
    flattened,
    floats,
    fraction,
    integers,
    positive_duration,
    positive_fraction,
    quantity,
)
from ccsim.queueing._incomplete_gamma import full_house
from ccsim.queueing.search import fewest_agents

_CEILING_TOLERANCE = 1e-9  # relative: 35.7 / 0.85 is 42.000000000000004 in doubles, and means 42


def waiting_probability(load: Floats, agents: Floats) -> Floats:
    """Compute `erlang_c` of flat, checked arrays."""
    blocked, carried = full_house(agents, load)
    spare = np.maximum(agents - load, 0.0) / np.where(agents > 0, agents, 1.0)
    stable = load < agents
    chance = blocked / np.where(stable, blocked + spare * carried, 1.0)
    return np.where(load == 0, 0.0, np.where(stable, chance, 1.0))


def _late(load: Floats, agents: Floats, handle_time: Floats, threshold: Floats) -> Floats:
    """P(wait > threshold), with its relative precision however small."""
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        passed = np.maximum(agents - load, 0.0) * (np.minimum(threshold, 1e300) / handle_time)
        return waiting_probability(load, agents) * np.exp(-passed)


def _occupancy(load: Floats, agents: Floats) -> Floats:
    return np.where(load < agents, load / np.where(load < agents, agents, 1.0), np.sign(load))


def within_ceiling(occupancy: Floats, ceiling: Floats) -> Flags:
    """Compare an occupancy with its ceiling, the rounding of doubles forgiven."""
    return occupancy <= ceiling * (1 + _CEILING_TOLERANCE)


def erlang_c(load: ArrayLike, agents: ArrayLike) -> FloatOrArray:
    """Share of contacts that find all agents busy and have to wait.

    Parameters
    ----------
    load : array_like
        Offered load [erlang].
    agents : array_like
        Agents on the floor; need not be whole.

    Returns
    -------
    Waiting probability, of the broadcast shape.

    Raises
    ------
    ValueError
        If an argument is negative, infinite or not a number.

    Notes
    -----
    M/M/n. C = B / (B + (1 - ρ)(1 - B)) with Erlang's B and ρ = load ÷ agents; both terms are
    positive, so nothing cancels. 1 where load ≥ agents (the queue grows without end); 0 without
    load.

    References
    ----------
    .. [1] A. K. Erlang (1917), "Solution of some problems in the theory of probabilities of
       significance in automatic telephone exchanges", Elektroteknikeren 13.

    Examples
    --------
    200 calls an hour of 3 minutes on 14 agents:

    >>> round(erlang_c(200 * 180 / 3600, 14), 4)
    0.1741
    """
    shape, (a, n) = flattened(quantity("load", load), quantity("agents", agents))
    return floats(waiting_probability(a, n), shape)


def erlang_c_service_level(
    load: ArrayLike, agents: ArrayLike, handle_time: ArrayLike, threshold: ArrayLike
) -> FloatOrArray:
    """Share of contacts answered within the threshold.

    Parameters
    ----------
    load : array_like
        Offered load [erlang].
    agents : array_like
        Agents on the floor.
    handle_time : array_like
        Mean handle time [s] (any unit, the same for all times).
    threshold : array_like
        Acceptable waiting time [s].

    Returns
    -------
    Service level, a fraction; 0 where load ≥ agents, 1 without load.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Notes
    -----
    1 - C exp(-(n - a) T / h). Everyone is answered in the end, so every formula of the service
    level gives the same.

    Examples
    --------
    >>> round(erlang_c_service_level(10, 14, handle_time=180, threshold=20), 4)
    0.8884
    """
    shape, (a, n, h, t) = flattened(
        quantity("load", load),
        quantity("agents", agents),
        positive_duration("handle_time", handle_time),
        duration("threshold", threshold),
    )
    return floats(1.0 - _late(a, n, h, t), shape)


def erlang_c_mean_wait(load: ArrayLike, agents: ArrayLike, handle_time: ArrayLike) -> FloatOrArray:
    """Average speed of answer (ASA): mean wait of all contacts, those that do not wait included.

    Parameters
    ----------
    load : array_like
        Offered load [erlang].
    agents : array_like
        Agents on the floor.
    handle_time : array_like
        Mean handle time [s].

    Returns
    -------
    Mean wait [s]; infinite where load ≥ agents, 0 without load.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Notes
    -----
    C h / (n - a).

    Examples
    --------
    >>> round(erlang_c_mean_wait(10, 14, handle_time=180), 2)
    7.84
    """
    shape, (a, n, h) = flattened(
        quantity("load", load),
        quantity("agents", agents),
        positive_duration("handle_time", handle_time),
    )
    return floats(mean_wait(a, n, h), shape)


def mean_wait(load: Floats, agents: Floats, handle_time: Floats) -> Floats:
    """`erlang_c_mean_wait` of flat, checked arrays."""
    stable = load < agents
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        wait = waiting_probability(load, agents) * (
            handle_time / np.where(stable, agents - load, 1.0)
        )
    return np.where(load == 0, 0.0, np.where(stable, wait, np.inf))


def erlang_c_queue_length(load: ArrayLike, agents: ArrayLike) -> FloatOrArray:
    """Mean number of contacts waiting.

    Parameters
    ----------
    load : array_like
        Offered load [erlang].
    agents : array_like
        Agents on the floor.

    Returns
    -------
    Mean queue length [contacts]; infinite where load ≥ agents, 0 without load.

    Raises
    ------
    ValueError
        If an argument is negative, infinite or not a number.

    Notes
    -----
    C a / (n - a), by Little's law.

    Examples
    --------
    >>> round(erlang_c_queue_length(10, 14), 4)
    0.4353
    """
    shape, (a, n) = flattened(quantity("load", load), quantity("agents", agents))
    with np.errstate(invalid="ignore"):
        waiting = np.where(a == 0, 0.0, a * mean_wait(a, n, np.ones_like(a)))
    return floats(waiting, shape)


def erlang_c_occupancy(load: ArrayLike, agents: ArrayLike) -> FloatOrArray:
    """Share of their time on the floor that agents spend handling contacts.

    Parameters
    ----------
    load : array_like
        Offered load [erlang].
    agents : array_like
        Agents on the floor.

    Returns
    -------
    Occupancy, a fraction: load ÷ agents, and 1 where the load is larger.

    Raises
    ------
    ValueError
        If an argument is negative, infinite or not a number.

    Examples
    --------
    >>> round(erlang_c_occupancy(10, 14), 3)
    0.714
    """
    shape, (a, n) = flattened(quantity("load", load), quantity("agents", agents))
    return floats(_occupancy(a, n), shape)


def erlang_c_agents(
    load: ArrayLike,
    handle_time: ArrayLike,
    threshold: ArrayLike = 0.0,
    service_level: ArrayLike = 0.0,
    *,
    speed_of_answer: ArrayLike = np.inf,
    maximum_occupancy: ArrayLike = 1.0,
) -> IntOrArray:
    """Fewest agents that keep every promise when nobody abandons.

    Parameters
    ----------
    load : array_like
        Offered load [erlang].
    handle_time : array_like
        Mean handle time [s].
    threshold : array_like
        Acceptable waiting time [s].
    service_level : array_like
        Share to be answered within the threshold, a fraction. 1 asks for what no number of
        agents gives; the answer is where the service level is 1 in doubles.
    speed_of_answer : array_like
        Longest mean wait [s].
    maximum_occupancy : array_like
        Largest share of their time that agents may be busy, a fraction above 0.

    Returns
    -------
    Whole numbers of agents on the floor, of the broadcast shape; zero load needs none.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a handle time is zero, or a fraction is given
        as a percentage.

    Notes
    -----
    The occupancy ceiling forgives a relative 1e-9, so that 35.7 erlangs at 85 % need 42 agents
    and not, by the rounding of doubles, 43.

    Examples
    --------
    80 % within 20 s, for 100, 200 and 1000 calls an hour of 5 minutes:

    >>> import numpy as np
    >>> erlang_c_agents(np.array([100, 200, 1000]) / 12, 300, 20, 0.80)
    array([12, 21, 91])
    >>> erlang_c_agents(35.7, 300, 20, 0.80, maximum_occupancy=0.85)
    42
    """
    shape, (a, h, t, target, slowest, ceiling) = flattened(
        quantity("load", load),
        positive_duration("handle_time", handle_time),
        duration("threshold", threshold),
        fraction("service_level", service_level),
        duration("speed_of_answer", speed_of_answer),
        positive_fraction("maximum_occupancy", maximum_occupancy),
    )

    def meets(agents: Floats, where: NDArray[np.int64]) -> Flags:
        load = a[where]
        reached: Flags = 1.0 - _late(load, agents, h[where], t[where]) >= target[where]
        reached &= mean_wait(load, agents, h[where]) <= slowest[where]
        return reached & within_ceiling(_occupancy(load, agents), ceiling[where])

    start = np.maximum(a + np.sqrt(a), a / ceiling)
    return integers(fewest_agents(meets, start), shape)
