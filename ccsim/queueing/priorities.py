"""Two classes of customers, one of them first in line."""

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
from ccsim.queueing.erlang_c import waiting_probability

_FEWEST_NODES, _MOST_NODES = 64, 1 << 18


class PriorityClass(NamedTuple):
    """What one class sees; every field of the same shape.

    Attributes
    ----------
    waiting_probability, abandonment : float or array
        Share that finds all agents busy; nobody abandons.
    mean_wait, speed_of_answer : float or array
        Mean wait [s]; the same, as everybody is answered.
    service_level : float or array
        Share answered within the threshold.
    occupancy : float or array
        Share of the agents' time that is handling, of either class.
    queue_length : float or array
        Mean number of contacts of the class waiting.
    """

    waiting_probability: FloatOrArray
    abandonment: FloatOrArray
    mean_wait: FloatOrArray
    speed_of_answer: FloatOrArray
    service_level: FloatOrArray
    occupancy: FloatOrArray
    queue_length: FloatOrArray


class TwoPriorities(NamedTuple):
    """The class that goes first, and the other."""

    first: PriorityClass
    second: PriorityClass


def two_priorities(
    first_load: ArrayLike,
    second_load: ArrayLike,
    agents: ArrayLike,
    handle_time: ArrayLike,
    threshold: ArrayLike = 0.0,
) -> TwoPriorities:
    """What two classes of customers see when one is always taken first.

    Parameters
    ----------
    first_load, second_load : array_like
        Offered loads [erlang]: of those who go first, and of the others.
    agents : array_like
        Agents on the floor; need not be whole.
    handle_time : array_like
        Mean handle time [s], of either class.
    threshold : array_like
        Acceptable waiting time [s].

    Returns
    -------
    TwoPriorities
        With fields ``first`` and ``second``.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a handle time is zero.

    Notes
    -----
    M/M/n, nobody abandons, nobody is interrupted, first come first served within a class. *Exact*:
    the first class waits with Erlang C's probability C, then exponentially with rate (n - a₁)/h.
    Given a wait, the second class waits until a queue of geometric length is empty into which the
    first class keeps coming, a busy period of M/M/1; its tail is one exponential and one integral
    over the spectrum, here by the trapezoidal rule (error about 1e-12; 1e-6 where the first class
    alone fills 99.99 % of the agents). Means as in [1]_. With too much load of both, the second
    class waits for ever and the first as if all agents were always busy.

    References
    ----------
    .. [1] O. Kella, U. Yechiali (1985), "Waiting times in the non-preemptive priority M/M/c queue",
       Stochastic Models 1(2), 257-262.

    Examples
    --------
    10 erlangs on 12 agents, 3 of them premium customers:

    >>> queue = two_priorities(3, 7, 12, handle_time=180, threshold=20)
    >>> print(f"{queue.first.service_level:.1%} and {queue.second.service_level:.1%}")
    83.5% and 63.1%
    """
    shape, (a, b, n, h, t) = flattened(
        quantity("first_load", first_load),
        quantity("second_load", second_load),
        quantity("agents", agents),
        positive_duration("handle_time", handle_time),
        duration("threshold", threshold),
    )
    both = a + b
    waits = waiting_probability(both, n)
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        time = np.minimum(t, 1e300) / h
        spare = np.maximum(n - a, 0.0)
        wait = np.where(spare > 0, waits * h / spare, np.inf)
        late = waits * np.exp(-spare * time)
        left = np.maximum(n - both, 0.0)
        second_wait = np.where(left > 0, waits * h * n / (spare * left), np.inf)
        second_late = waits * _still_waiting(a, b, n, time)
        occupancy = np.where(both < n, both / np.where(n > 0, n, 1.0), np.sign(both))
    nobody = both == 0
    rows = []
    for load, own_wait, missed in ((a, wait, late), (b, second_wait, second_late)):
        mean = np.where(nobody, 0.0, own_wait)
        with np.errstate(invalid="ignore"):
            queue = np.where(load > 0, load / h * mean, 0.0)
        measures = (waits, np.zeros_like(a), mean, mean, 1 - missed, occupancy, queue)
        rows.append(PriorityClass(*(floats(measure, shape) for measure in measures)))
    return TwoPriorities(*rows)


def _still_waiting(first: Floats, second: Floats, agents: Floats, time: Floats) -> Floats:
    """Of the second class, who wait: the share that still does after so many handle times."""
    load = np.where(agents > 0, (first + second) / np.where(agents > 0, agents, 1.0), np.inf)
    found = np.ones_like(time)
    for row in np.flatnonzero((load < 1) & (time > 0) & (first + second > 0)):
        found[row] = _tail(first[row] / agents[row], load[row], agents[row] * time[row])
    return np.clip(found, 0.0, 1.0)


def _tail(first: float, both: float, time: float) -> float:
    """P(T > time), T emptying a geometric queue; loads per agent, time per completion.

    With q = both / √first and γ(θ) = 1 + first - 2 √first cos θ it is (1 - both) (2/π) times the
    integral over (0, π) of sin²θ e^(-γ time) / (γ (1 - 2 q cos θ + q²)), and where q > 1, of the
    pole besides, (both² - first) / (both (both - first)) e^(-(1 - both)(1 - first/both) time).
    """
    pole = 0.0
    if both * both > first:
        share = (both * both - first) / (both * (both - first))
        pole = share * np.exp(-(1 - both) * (1 - first / both) * time)
    if first == 0:
        return float(pole)
    root = np.sqrt(first)
    nodes = 80 / -np.log(first) + 12 * np.sqrt(time * root) + _FEWEST_NODES
    count = int(min(2 ** np.ceil(np.log2(nodes)), _MOST_NODES))
    angle = np.pi * np.arange(count + 1) / count
    rate = (1 - root) ** 2 + 4 * root * np.sin(angle / 2) ** 2
    height = np.exp(-rate * time) / rate
    q = both / root
    # sin² / (1 - 2 q cos + q²) is a polynomial of cos and a Poisson kernel, sharp where q is near
    # 1; so the kernel is integrated against the cosine series, term by term.
    from scipy.fft import dct

    series = dct(height, type=1) / count
    series[0] /= 2
    series[-1] /= 2
    powers = min(q, 1 / q) ** np.arange(count + 1)
    smooth = (1 + q * q) / (4 * q * q) * series[0] + series[1] / (4 * q)
    kernel = abs(1 - q * q) / (4 * q * q) * float(series @ powers)
    return float(pole + 2 * (1 - both) * (smooth - kernel))
