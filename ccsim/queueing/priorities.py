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

# Gauss's rule on (π/2, π), (π/4, π/2), …: whatever happens near 0 happens in a few of these.
_LEGENDRE, _LEGENDRE_WEIGHTS = np.polynomial.legendre.leggauss(20)
_WIDTHS = np.pi / 2.0 ** np.arange(1, 61)[:, None]
_ANGLES = (_WIDTHS * (3 + _LEGENDRE) / 2).ravel()
_WEIGHTS = (_WIDTHS * _LEGENDRE_WEIGHTS / 2).ravel()
_HARDLY_ANY = 1e-100  # load per agent
_FOR_EVER = 1e200  # handle times, so that agents times it is a number
_CHUNK = 16  # rows at a time: their nodes fit the cache


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
    over the spectrum, here by a rule of fixed size (relative error about 1e-14, however full the
    agents). Means as in [1]_. With too much load of both, the second class waits for ever and the
    first as if all agents were always busy.

    References
    ----------
    .. [1] O. Kella, U. Yechiali (1985), "Waiting times in the non-preemptive priority M/M/c queue",
       Stochastic Models 1(2), 257-262.

    Examples
    --------
    10 erlangs on 12 agents, 3 of these erlangs from premium customers:

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
        time = np.minimum(t / h, _FOR_EVER)
        spare, left = np.maximum(n - a, 0.0), np.maximum(n - both, 0.0)
        # Mean waits in handle times.
        wait = np.where(spare > 0, waits / spare, np.inf)
        second_wait = np.where(left > 0, waits / spare * (n / left), np.inf)
        late = np.where(spare > 0, waits * np.exp(-spare * time), waits)
        second_late = waits * _still_waiting(a, b, n, time)
        occupancy = np.where(both < n, both / np.where(n > 0, n, 1.0), np.sign(both))
        rows = []
        for load, own_wait, missed in ((a, wait, late), (b, second_wait, second_late)):
            mean = np.where(both > 0, own_wait, 0.0)
            queue = np.where(load > 0, load * mean, 0.0)
            measures = (waits, np.zeros_like(a), mean * h, mean * h, 1 - missed, occupancy, queue)
            rows.append(PriorityClass(*(floats(measure, shape) for measure in measures)))
    return TwoPriorities(*rows)


def _still_waiting(first: Floats, second: Floats, agents: Floats, time: Floats) -> Floats:
    """Of the second class, who wait: the share that still does after so many handle times."""
    both = first + second
    found = np.ones_like(time)
    # With hardly any load nobody waits whose share could be told.
    where = np.flatnonzero((both < agents) & (both > _HARDLY_ANY * agents))
    for part in np.split(where, range(_CHUNK, where.size, _CHUNK)):
        a, b, n = first[part], second[part], agents[part]
        found[part] = _tail(a / n, b / n, (n - a) / n, (n - both[part]) / n, n * time[part])
    return np.clip(found, 0.0, 1.0)


def _tail(first: Floats, second: Floats, spare: Floats, left: Floats, time: Floats) -> Floats:
    """P(T > time), T emptying a geometric queue; loads per agent, time per completion.

    With b = first + second, r = √first and γ(θ) = 1 + first - 2 r cos θ it is (1 - b) (2/π) times
    the integral over (0, π) of sin²θ e^(-γ time) first / (γ (r² - 2 r b cos θ + b²)), and where
    b > r, of the pole besides, (b² - first) / (b second) e^(-(1 - b) second/b time). `spare` is
    1 - first and `left` 1 - b, given apart because nearly full agents lose their digits.
    """
    both, root = first + second, np.sqrt(first)
    beyond = np.where(first < 0.5, both * both - first, spare - 2 * left + left * left)
    share = np.where(beyond > 0, beyond / both / np.where(second > 0, second, 1.0), 0.0)
    pole = share * np.exp(-left * (second / both) * time)
    # 1 - cos θ is written 2 sin²(θ/2), so that nothing cancels.
    square = 4 * np.sin(_ANGLES / 2) ** 2
    rate = ((spare / (1 + root)) ** 2)[:, None] + root[:, None] * square
    kernel = ((beyond / (both + root)) ** 2)[:, None] + (root * both)[:, None] * square
    height = np.exp(-rate * time[:, None]) * first[:, None] / rate / kernel
    spectrum = (height * (np.sin(_ANGLES) ** 2 * _WEIGHTS)).sum(axis=1)
    return np.asarray(pole + left * (2 / np.pi) * spectrum)
