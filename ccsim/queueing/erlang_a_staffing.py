"""Fewest agents when customers abandon."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ccsim.queueing._arrays import (
    Flags,
    Floats,
    IntOrArray,
    duration,
    flattened,
    fraction,
    integers,
    positive_duration,
    positive_fraction,
    quantity,
)
from ccsim.queueing._patience import level_by_formula, occupancy, steady_state
from ccsim.queueing.erlang_a import mean_wait
from ccsim.queueing.erlang_c import within_ceiling
from ccsim.queueing.search import fewest_agents
from ccsim.queueing.service_level import SteadyStateFormula, check_formula


def erlang_a_agents(
    load: ArrayLike,
    handle_time: ArrayLike,
    patience: ArrayLike,
    threshold: ArrayLike = 0.0,
    service_level: ArrayLike = 0.0,
    *,
    speed_of_answer: ArrayLike = np.inf,
    abandonment: ArrayLike = 1.0,
    maximum_occupancy: ArrayLike = 1.0,
    formula: SteadyStateFormula = "of_offered",
    short_abandon: ArrayLike = 0.0,
) -> IntOrArray:
    """Fewest agents that keep every promise when customers abandon.

    Parameters
    ----------
    load, handle_time, patience : array_like
        As for `erlang_a_waiting_probability`.
    threshold : array_like
        Acceptable waiting time [s].
    service_level : array_like
        Service level to reach by `formula`, a fraction.
    speed_of_answer : array_like
        Longest mean wait of the answered [s].
    abandonment : array_like
        Largest share of offered contacts that may abandon, a fraction.
    maximum_occupancy : array_like
        Largest share of their time that agents may be busy, a fraction above 0.
    formula, short_abandon
        As for `erlang_a_service_level`.

    Returns
    -------
    Whole numbers of agents on the floor, of the broadcast shape; zero load needs none. The answer
    may lie below the load: who abandons needs no agent.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a handle time is zero, or a fraction is given
        as a percentage.

    Notes
    -----
    The occupancy ceiling forgives a relative 1e-9, see `erlang_c_agents`. With a short-abandon
    limit above the threshold the service level need not grow with every agent; the answer then
    still reaches it, and one agent fewer does not.

    Examples
    --------
    20 erlangs, 80 % within 20 s, patience 2 minutes: 22 agents where Erlang C wants 25.

    >>> erlang_a_agents(20, handle_time=300, patience=120, threshold=20, service_level=0.80)
    22

    No more than 3 % abandoning asks for three more:

    >>> erlang_a_agents(20, 300, 120, 20, 0.80, abandonment=0.03)
    25
    """
    check_formula(formula, virtual=True)
    shape, (a, h, p, t, target, slowest, lost, ceiling, short) = flattened(
        quantity("load", load),
        positive_duration("handle_time", handle_time),
        duration("patience", patience),
        duration("threshold", threshold),
        fraction("service_level", service_level),
        duration("speed_of_answer", speed_of_answer),
        fraction("abandonment", abandonment),
        positive_fraction("maximum_occupancy", maximum_occupancy),
        duration("short_abandon", short_abandon),
    )

    timed = bool(np.isfinite(slowest).any())  # it takes an integral, so only where it is asked for

    def meets(agents: Floats, where: NDArray[np.int64]) -> Flags:
        queue = steady_state(a[where], agents, h[where], p[where])
        kept: Flags = level_by_formula(queue, t[where], short[where], formula) >= target[where]
        kept &= queue.waits * queue.gives_up <= lost[where]
        kept &= within_ceiling(occupancy(queue), ceiling[where])
        if timed:
            kept &= mean_wait(queue, "answered") <= slowest[where]
        return kept

    return integers(fewest_agents(meets, a), shape)
