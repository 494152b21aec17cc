"""Erlang X: customers give up, hear an engaged tone, call again, or were not helped and return."""

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
    fraction,
    positive_duration,
    quantity,
)
from ccsim.queueing._lines import MOST_LINES, Attempts, Centre, attempts, in_time
from ccsim.queueing.service_level import (
    SteadyStateFormula,
    check_formula,
    level_of_shares,
    names_short_abandons,
)

_WITHOUT_END = 1e12  # attempts per agent and request beyond which there is no steady state


class ErlangX(NamedTuple):
    """What Erlang X says of a queue; every field of the same shape.

    Attributes
    ----------
    attempts_load : float or array
        Offered load with redials and repeat contacts [erlang]; infinite where everybody tries for
        ever.
    blocked, waiting_probability, abandonment : float or array
        Shares of all attempts that hear an engaged tone, have to wait, and give up.
    mean_wait : float or array
        Mean wait of all attempts, blocked ones waiting 0 [s].
    mean_wait_accepted : float or array
        The same of attempts that get a line [s].
    speed_of_answer, virtual_wait : float or array
        Mean wait of the answered, and of one with endless patience who gets a line [s].
    service_level : float or array
        By the formula asked for, per attempt, a fraction.
    occupancy : float or array
        Share of the agents' time that is handling.
    queue_length : float or array
        Mean number of contacts waiting.
    served : float or array
        Share of requests whose last attempt is answered.
    """

    attempts_load: FloatOrArray
    blocked: FloatOrArray
    waiting_probability: FloatOrArray
    abandonment: FloatOrArray
    mean_wait: FloatOrArray
    mean_wait_accepted: FloatOrArray
    speed_of_answer: FloatOrArray
    virtual_wait: FloatOrArray
    service_level: FloatOrArray
    occupancy: FloatOrArray
    queue_length: FloatOrArray
    served: FloatOrArray


def erlang_x(
    load: ArrayLike,
    agents: ArrayLike,
    handle_time: ArrayLike,
    patience: ArrayLike,
    threshold: ArrayLike = 0.0,
    *,
    lines: ArrayLike = np.inf,
    redial: ArrayLike = 0.0,
    redial_blocked: ArrayLike = 0.0,
    repeat: ArrayLike = 0.0,
    formula: SteadyStateFormula = "of_offered",
    short_abandon: ArrayLike = 0.0,
) -> ErlangX:
    """What a group of agents gives when those who are not helped try again.

    Parameters
    ----------
    load : array_like
        Offered load of the requests [erlang]: first attempts only.
    agents : array_like
        Agents on the floor. With limited lines, between two whole numbers as if one agent more
        were there that share of the time; agents beyond the lines have nobody to talk to.
    handle_time : array_like
        Mean handle time [s].
    patience : array_like
        Mean patience [s], exponential, anew for every attempt; may be infinite or zero.
    threshold : array_like
        Acceptable waiting time [s].
    lines : array_like
        Contacts that can be talking or waiting at a time; more hear an engaged tone.
    redial, redial_blocked : array_like
        Shares of attempts that gave up, and of those that heard an engaged tone, that are tried
        again; fractions.
    repeat : array_like
        Share of answered attempts whose question was not solved and who call again, a fraction:
        (1 - first-contact resolution) times the share that bothers.
    formula, short_abandon
        As for `erlang_a_service_level`. A blocked attempt is offered, and never in time.

    Returns
    -------
    ErlangX

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a handle time is zero, a fraction is given as a
        percentage, or the formula is unknown; and if more than four million waiting places matter:
        millions of lines, hardly anybody giving up, and the load within a hair of the agents.

    Notes
    -----
    Redials and repeat contacts are taken as a further Poisson stream: the load L of all attempts
    solves L = load + redial · abandoned(L) + redial_blocked · blocked(L) + repeat · answered(L)
    with M/M/n/K+M at load L. That is an *approximation*, exact as the delay before trying again
    grows; who redials at once meets the same full queue, so the truth is then worse. Without
    redials and repeats it is exact: Erlang A with lines. The solution is unique. With a share of 1
    there is none where requests exceed what agents can answer: then `attempts_load` is infinite and
    nobody is in time.

    Where patience has no end, nor have lines, and requests exceed the agents, those whom nobody
    answers wait for ever: they are neither abandoned nor served.

    With limited lines more agents serve more, but may block more: where customers give up sooner
    than a contact lasts, one who is answered holds a line for longer.

    References
    ----------
    .. [1] G. Koole (2013), "Call Center Optimization", MG Books, chapter on the Erlang X model.
    .. [2] S. Aguir, F. Karaesmen, Z. Akşin, F. Chauvet (2004), "The impact of retrials on call
       center performance", OR Spectrum 26(3), 353-376.

    Examples
    --------
    10 calls a minute of 3 minutes, patience 2 minutes, 32 agents. Half of those who give up call
    again, so that 3 % of all attempts are second ones or later:

    >>> centre = erlang_x(30, 32, 180, 120, threshold=20, redial=0.5)
    >>> print(f"{centre.attempts_load / 30:.3f} attempts, {centre.service_level:.1%} in time, "
    ...       f"{centre.served:.1%} answered in the end")
    1.033 attempts, 80.2% in time, 96.7% answered in the end
    """
    check_formula(formula, virtual=True)
    shape, (a, n, h, p, t, k, r, b, q, short) = flattened(
        quantity("load", load),
        quantity("agents", agents),
        positive_duration("handle_time", handle_time),
        duration("patience", patience),
        duration("threshold", threshold),
        duration("lines", lines),
        fraction("redial", redial),
        fraction("redial_blocked", redial_blocked),
        fraction("repeat", repeat),
        duration("short_abandon", short_abandon),
    )
    total = _attempts_load(Centre(a, n, h, p, k), Again(r, b, q))
    finite = np.isfinite(total)
    centre = Centre(np.where(finite, total, _WITHOUT_END * (1 + a + n)), n, h, p, k)
    of = attempts(centre)
    level = _level(centre, of, t, short, formula)
    idle, answered = a == 0, of.answered > 0
    accepted = np.where(of.blocked > 0, of.abandoned + of.answered, 1.0)
    # Where everybody tries for ever and there is always a line, the queue has no end.
    rush = ~finite & (k > MOST_LINES) & (p > 0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        waited = np.where(accepted > 0, of.waited / accepted, np.where(of.waited > 0, np.inf, 0.0))
        speed = np.where(answered & ~rush, of.waited_by_answered / of.answered, np.inf)
        virtual = np.where(answered & ~rush, of.offered_wait / accepted, np.inf)
        served = (1 - q) * (centre.load * of.answered / np.where(idle, 1.0, a))
        handling = np.where(n > 0, centre.load * of.answered / np.where(n > 0, n, 1.0), 1.0)
        queue = np.where(rush, np.inf, np.where(of.waited > 0, centre.load / h * of.waited, 0.0))
    measures = (
        total,
        np.minimum(of.blocked, 1.0),
        np.minimum(of.waits, 1.0),
        np.minimum(of.abandoned, 1.0),
        of.waited,
        waited,
        np.where(idle, 0.0, speed),
        np.where(idle, 0.0, virtual),
        np.where(finite | idle, level, 0.0),
        np.where(idle, 0.0, np.minimum(handling, 1.0)),
        np.where(idle, 0.0, queue),
        np.where(idle, 1.0, np.clip(served, 0.0, 1.0)),
    )
    return ErlangX(*(floats(measure, shape) for measure in measures))


class Again(NamedTuple):
    """Who tries again: of those who gave up, of those blocked, of those answered; all (n,)."""

    redial: Floats
    redial_blocked: Floats
    repeat: Floats


def _attempts_load(centre: Centre, again: Again) -> Floats:
    """Load of all attempts: what is left of it when those who try again are taken away is given."""
    load = centre.load
    likeliest = np.maximum.reduce(again)
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.log(_WITHOUT_END) + np.log(load + centre.agents + 1) - np.log(load)
        most = np.fmin(most, 1e-9 - np.log1p(-likeliest))
    where = np.flatnonzero((likeliest > 0) & (load > 0))

    def grown(load: Floats, growth: Floats) -> Floats:
        root = np.exp(growth / 2)  # whose square may be beyond the doubles
        return load * root * root

    def excess(growth: Floats, load: Floats, *rest: Floats) -> Floats:
        tried = Centre(grown(load, growth), *rest[:4])
        with np.errstate(divide="ignore"):
            return np.log(_first_attempts(tried, Again(*rest[4:]))) - np.log(load)

    given = [column[where] for column in (*centre, *again)]
    beyond = excess(most[where], *given) < 0
    total = load.copy()
    total[where[beyond]] = np.inf
    where, given = where[~beyond], [column[~beyond] for column in given]
    if where.size:
        from scipy.optimize.elementwise import find_root

        bracket = (np.full(where.size, -1e-9), most[where])
        growth = find_root(excess, bracket, args=tuple(given)).x
        total[where] = grown(total[where], np.maximum(growth, 0.0))
    return total


def _first_attempts(centre: Centre, again: Again) -> Floats:
    """Load of first attempts that leads to so many attempts in all; it grows with them."""
    of = attempts(centre)
    ends = (
        (1 - again.redial) * of.abandoned
        + (1 - again.redial_blocked) * of.blocked
        + (1 - again.repeat) * of.answered
    )
    # In a queue without end there are some to whom nothing happens.
    lost = of.abandoned + of.blocked
    return centre.load * np.where(lost > 0, ends, ends + np.maximum(1 - of.answered, 0.0))


def _level(
    centre: Centre, of: Attempts, threshold: Floats, short: Floats, formula: SteadyStateFormula
) -> Floats:
    found = in_time(centre, threshold)
    gone = np.zeros_like(threshold)
    if names_short_abandons(formula):
        gone = np.where(short > 0, in_time(centre, short).abandoned, 0.0)
    return level_of_shares(
        formula,
        answered=of.answered,
        answered_in_time=found.answered,
        abandoned_in_time=found.abandoned,
        short_abandons=gone,
        offered_wait_in_time=found.offered_wait,
    )
