"""A forecast that may be wrong: what a group of agents gives over days of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ccsim.queueing import special
from ccsim.queueing._arrays import (
    FloatOrArray,
    Floats,
    floats,
    fraction,
    positive_number,
    quantity,
)
from ccsim.queueing.inverse import Goals, Measures, volume_for

_PIECES, _NODES = 24, 16
_FURTHEST = 9.0  # standard deviations of the normal scale on which days are laid out
_CERTAIN = 1e12  # shapes beyond which no day differs from another


class UncertainLoad(NamedTuple):
    """What days of every kind give together; every field of the same shape.

    Attributes
    ----------
    service_level, abandonment : float or array
        Sums over all days: contacts in time ÷ contacts offered, and abandoned ÷ offered.
    speed_of_answer : float or array
        Mean wait of all contacts answered.
    occupancy : float or array
        Mean over days.
    days_met : float or array
        Share of days that reach the service level asked for.
    tenth_percentile : float or array
        The service level that nine days in ten are at least as good as.
    """

    service_level: FloatOrArray
    abandonment: FloatOrArray
    speed_of_answer: FloatOrArray
    occupancy: FloatOrArray
    days_met: FloatOrArray
    tenth_percentile: FloatOrArray


def over_uncertain_load(
    model: Callable[[Floats], Measures],
    load: ArrayLike,
    shape: ArrayLike,
    service_level: ArrayLike = 0.8,
) -> UncertainLoad:
    """Mean service level over days busier or quieter than forecast, and the share that meets it.

    Parameters
    ----------
    model : callable
        Takes loads [erlang], a float array, and gives the measures of a model of this room, agents
        and the rest given.
    load : array_like
        Forecast load [erlang].
    shape : array_like
        Of the gamma law of a day's factor, whose mean is 1: its coefficient of variation is
        1 / √shape. Infinite: the forecast is right.
    service_level : array_like
        What a day has to reach to count as met, a fraction.

    Returns
    -------
    UncertainLoad

    Raises
    ------
    ValueError
        If the load is negative, the shape not above zero, or the service level no fraction.

    Notes
    -----
    Within a day arrivals are Poisson, so counts are negative binomial [1]_. The mean is contacts in
    time ÷ contacts offered over all days, in which busy days weigh more, as in a month's report;
    integrals by Gauss's rule on the normal scale, relative error about 1e-8 where the service level
    falls over a few per cent of load, less where it falls more slowly. The share of days is exact:
    the largest load that still reaches the service level, looked up in the gamma law.

    References
    ----------
    .. [1] G. Jongbloed, G. Koole (2001), "Managing uncertainty in call centres using Poisson
       mixtures", Applied Stochastic Models in Business and Industry 17(4), 307-318.
       doi:10.1002/asmb.444

    Examples
    --------
    20 erlangs of 3 minutes, patience 5 minutes; days scatter by 19 %. The agents that keep 80 %
    within 20 s on average keep it on three days in four:

    >>> from ccsim.queueing import erlang_a
    >>> for agents in (25, 28):
    ...     days = over_uncertain_load(lambda a: erlang_a(a, agents, 180, 300, 20), 20, shape=27)
    ...     print(f"{agents} agents: {days.service_level:.1%}, met on {days.days_met:.0%} of days")
    25 agents: 82.1%, met on 74% of days
    28 agents: 91.9%, met on 91% of days
    """
    forecast, order = quantity("load", load), positive_number("shape", shape)
    goal = fraction("service_level", service_level)
    forecast, order, goal = np.broadcast_arrays(forecast, order, goal)
    found = np.broadcast_shapes(forecast.shape, np.shape(model(forecast).service_level))
    forecast, order, goal = (np.broadcast_to(array, found) for array in (forecast, order, goal))
    factor, weight = _days(order)

    measures = model(forecast * factor)
    level, lost, wait, busy = (
        np.broadcast_to(measure, (len(factor), *found)).astype(np.float64)
        for measure in (
            measures.service_level, measures.abandonment, measures.speed_of_answer,
            measures.occupancy,
        )
    )  # fmt: skip
    offered = weight * factor
    answered = offered * (1 - lost)
    total = offered.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        waited = np.where(answered > 0, answered * wait, 0.0).sum(axis=0)
        speed = np.where(answered.sum(axis=0) > 0, waited / answered.sum(axis=0), np.inf)

    most = np.asarray(volume_for(Goals(service_level=goal), model))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = np.where(most == forecast, 1.0, most / forecast)
        met = special.gammainc(np.minimum(order, _CERTAIN), np.minimum(order, _CERTAIN) * ratio)
    met = np.where(order >= _CERTAIN, ratio >= 1, np.where(np.isinf(ratio), 1.0, met))
    met = np.where(forecast == 0, 1.0, met)
    busy_day = forecast * _factor(order, np.full(order.shape, special.ndtri(0.9)))
    tenth = np.broadcast_to(model(busy_day).service_level, found)

    def given(values: Floats) -> FloatOrArray:
        return floats(np.broadcast_to(values, found).reshape(-1), found)

    return UncertainLoad(
        service_level=given((offered * level).sum(axis=0) / total),
        abandonment=given((offered * lost).sum(axis=0) / total),
        speed_of_answer=given(np.where(forecast == 0, 0.0, speed)),
        occupancy=given((weight * busy).sum(axis=0)),
        days_met=given(met),
        tenth_percentile=given(np.asarray(tenth, dtype=np.float64)),
    )


def _days(order: Floats) -> tuple[Floats, Floats]:
    """Factors of days of every kind and how many days each stands for, (n_days, …)."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    edges = np.linspace(-_FURTHEST, _FURTHEST, _PIECES + 1)
    half = np.diff(edges)[:, None] / 2
    scores = ((edges[:-1, None] + half) + half * x).reshape(-1)
    weight = (half * w).reshape(-1) * np.exp(-(scores**2) / 2)
    weight /= weight.sum()
    column = (len(scores), *(1,) * order.ndim)
    scores, weight = scores.reshape(column), weight.reshape(column)
    return _factor(np.broadcast_to(order, (len(scores), *order.shape)), scores), weight


def _factor(order: Floats, score: Floats) -> Floats:
    """The day's factor at a score of the normal scale."""
    some = np.minimum(order, _CERTAIN)
    low, high = special.ndtr(score), special.ndtr(-score)
    factor = (
        np.where(score < 0, special.gammaincinv(some, low), special.gammainccinv(some, high)) / some
    )
    return np.where(order >= _CERTAIN, 1.0, factor)
