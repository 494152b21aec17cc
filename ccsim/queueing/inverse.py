"""The other way round, for every formula: agents for a set of goals, volume for given agents.

Each model of this room gives its measures for a number of agents; what a planner asks is which
number keeps her goals. One search serves them all: it takes the model as a function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ccsim.queueing._arrays import (
    Flags,
    FloatOrArray,
    Floats,
    IntOrArray,
    duration,
    floats,
    fraction,
    integers,
    positive_fraction,
    quantity,
)
from ccsim.queueing.erlang_c import within_ceiling
from ccsim.queueing.search import fewest_agents

_MOST_VOLUME = 1e15  # whoever keeps the goals with this keeps them with any; its inverse is none
_HALVINGS = 60  # of an interval that a double splits into 2^52 parts at most


class Measures(Protocol):
    """What every model of this room says of a queue, among other things."""

    @property
    def service_level(self) -> FloatOrArray:
        """By the formula asked for, a fraction."""

    @property
    def speed_of_answer(self) -> FloatOrArray:
        """Mean wait of the answered, in the model's unit of time."""

    @property
    def abandonment(self) -> FloatOrArray:
        """Share of offered contacts."""

    @property
    def occupancy(self) -> FloatOrArray:
        """Share of the agents' time."""


@dataclass(frozen=True)
class Goals:
    """What agents must achieve, all of it; a goal that is not given asks for nothing.

    Attributes
    ----------
    service_level : array_like
        At least this share in time, a fraction; threshold and formula are the model's.
    speed_of_answer : array_like
        Mean wait of the answered, at most, in the model's unit of time.
    abandonment : array_like
        At most this share of offered contacts, a fraction.
    maximum_occupancy : array_like
        At most this share of the agents' time, a fraction above 0. A relative 1e-9 is forgiven, so
        that 35.7 erlangs at 85 % need 42 agents.

    Raises
    ------
    ValueError
        If a goal is negative, not a number, or a fraction is given as a percentage.
    """

    service_level: ArrayLike = 0.0
    speed_of_answer: ArrayLike = np.inf
    abandonment: ArrayLike = 1.0
    maximum_occupancy: ArrayLike = 1.0

    def __post_init__(self) -> None:
        fraction("service_level", self.service_level)
        duration("speed_of_answer", self.speed_of_answer)
        fraction("abandonment", self.abandonment)
        positive_fraction("maximum_occupancy", self.maximum_occupancy)


Model = Callable[[Floats], Measures]
"""A model with everything given but one number: agents, or a volume."""


def goals_kept(goals: Goals, measures: Measures) -> Flags:
    """Tell where all goals are kept, of the broadcast shape."""
    kept = np.asarray(measures.service_level) >= goals.service_level
    kept = kept & (np.asarray(measures.speed_of_answer) <= goals.speed_of_answer)
    kept = kept & (np.asarray(measures.abandonment) <= goals.abandonment)
    busy = np.asarray(measures.occupancy, dtype=np.float64)
    return np.asarray(kept & within_ceiling(busy, np.asarray(goals.maximum_occupancy)))


def agents_for(goals: Goals, model: Model, *, guess: ArrayLike = 1.0) -> IntOrArray:
    """Fewest agents that keep every goal, under any model.

    Parameters
    ----------
    goals : Goals
        What must be achieved.
    model : callable
        Takes numbers of agents, a float array, and gives the measures of a model of this room.
        More agents must never break a goal.
    guess : array_like
        First guess [agents]; any guess gives the same answer, a near one sooner.

    Returns
    -------
    Whole numbers of agents, of the broadcast shape of goals and model.

    Raises
    ------
    ValueError
        If no number of agents below 2^50 keeps the goals.

    Examples
    --------
    200 calls an hour of 3 minutes, patience 5 minutes, 60 lines, and 40 % of those who are lost
    call again: how many agents for 80 % within 20 s and no more than 2 % lost a call?

    >>> from ccsim.queueing import Goals, agents_for, erlang_x
    >>> goals = Goals(service_level=0.80, abandonment=0.02)
    >>> agents_for(goals, lambda n: erlang_x(10, n, 180, 300, 20, lines=60, redial=0.4))
    14
    """
    shape = _shape(goals, model, quantity("guess", guess))
    start = np.broadcast_to(np.asarray(guess, dtype=np.float64), shape).reshape(-1)
    return integers(_whole(goals, model, start, shape), shape)


def fractional_agents_for(goals: Goals, model: Model, *, guess: ArrayLike = 1.0) -> FloatOrArray:
    """Agents that keep every goal when they need not be whole: the last one part of the time.

    Parameters
    ----------
    goals, model, guess
        As for `agents_for`.

    Returns
    -------
    Numbers of agents, never above those of `agents_for` and less than one below them.

    Raises
    ------
    ValueError
        If no number of agents below 2^50 keeps the goals.

    Notes
    -----
    Halves the last agent until doubles tell no more difference. Between whole numbers each model
    is continued as its own docstring says.

    Examples
    --------
    >>> from ccsim.queueing import Goals, erlang_a, fractional_agents_for
    >>> model = lambda agents: erlang_a(20, agents, 300, 120, threshold=20)
    >>> round(fractional_agents_for(Goals(service_level=0.80), model), 2)
    21.68
    """
    shape = _shape(goals, model, quantity("guess", guess))
    start = np.broadcast_to(np.asarray(guess, dtype=np.float64), shape).reshape(-1)
    whole = _whole(goals, model, start, shape)
    too_few = np.maximum(whole - 1, 0.0)
    return floats(_halved(_kept(goals, model, shape), too_few, whole)[1], shape)


def volume_for(goals: Goals, model: Model) -> FloatOrArray:
    """Largest volume under which given agents keep every goal.

    Parameters
    ----------
    goals : Goals
        What must be achieved.
    model : callable
        Takes volumes, a float array, in the model's own unit (a load in erlangs, or contacts per
        unit of time), and gives the measures of a model of this room. More volume must never mend
        a goal.

    Returns
    -------
    Volumes, of the broadcast shape of goals and model; 0 where not even the smallest volume keeps
    the goals, infinite where any does.

    Examples
    --------
    How many calls of 3 minutes an hour can 14 agents take at 80 % within 20 s?

    >>> from ccsim.queueing import Goals, erlang_a, volume_for
    >>> load = volume_for(Goals(service_level=0.80), lambda a: erlang_a(a, 14, 180, 300, 20))
    >>> round(load * 3600 / 180, 1)
    232.7
    """
    shape = _shape(goals, model, np.float64(1.0))
    kept = _kept(goals, model, shape)
    trial = np.ones(int(np.prod(shape)))
    upwards = kept(trial).copy()
    open_ = np.full(trial.size, True)
    while open_.any():
        trial[open_] *= np.where(upwards, 2.0, 0.5)[open_]
        open_ &= (kept(trial) == upwards) & (trial < _MOST_VOLUME) & (trial > 1 / _MOST_VOLUME)
    none, endless = trial <= 1 / _MOST_VOLUME, trial >= _MOST_VOLUME
    fine, broken = np.where(upwards, trial / 2, trial), np.where(upwards, trial, 2 * trial)
    volume = _halved(lambda trial: ~kept(trial), fine, broken)[0]
    return floats(np.where(endless, np.inf, np.where(none, 0.0, volume)), shape)


def _shape(goals: Goals, model: Model, guess: ArrayLike) -> tuple[int, ...]:
    given = [np.shape(getattr(goals, field.name)) for field in fields(goals)]
    at_guess = model(np.asarray(guess, dtype=np.float64))
    return np.broadcast_shapes(*given, np.shape(at_guess.service_level), np.shape(guess))


def _kept(goals: Goals, model: Model, shape: tuple[int, ...]) -> Callable[[Floats], Flags]:
    def kept(trial: Floats) -> Flags:
        together = goals_kept(goals, model(trial.reshape(shape)))
        return np.broadcast_to(together, shape).reshape(-1)

    return kept


def _whole(goals: Goals, model: Model, start: Floats, shape: tuple[int, ...]) -> Floats:
    kept, trial = _kept(goals, model, shape), np.ceil(start)

    def meets(agents: Floats, where: NDArray[np.int64]) -> Flags:
        trial[where] = agents
        found: Flags = kept(trial)[where]
        return found

    return fewest_agents(meets, start)


def _halved(met: Callable[[Floats], Flags], below: Floats, above: Floats) -> tuple[Floats, Floats]:
    """Close in on the smallest number that is met, from below (not met) and above (met)."""
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        if ((middle == below) | (middle == above)).all():  # no double is left between them
            break
        enough = met(middle)
        above, below = np.where(enough, middle, above), np.where(enough, below, middle)
    return below, above
