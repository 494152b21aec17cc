r"""The mathematics of Erlang A, on flat and checked arrays; `erlang_a.py` is its public face.

M/M/n+M: Poisson arrivals, exponential handle times and exponential patience. In units of the mean
patience p, let x = a p/h contacts arrive, y = n p/h be completed while all agents are busy, and
let V be the *offered* (virtual) wait: what a contact of endless patience would wait. Given V > 0,
its density at s p is proportional to exp(φ(s)) with φ(s) = x(1 - e^-s) - y s, and after a wait of
T the rest of V has the same law with x e^(-T/p) in the place of x. So all of Erlang A follows from

* α = 1 / 1F1(1; y+1; x), share of the busy time without a queue, P(wait) = 1 / (1 + α(1/B - 1)),
* r = share of those who wait that abandons = (yα - (y - x)) / x,
* P(V > T) ÷ P(V > 0) = P(y, x e^(-T/p)) ÷ P(y, x), an incomplete gamma function,

each computed where it is small as well as where it is large; `_incomplete_gamma.py` says how.
Relative errors stay below 1e-10 (measured: 1e-12) up to x = 10^10. Beyond, and only within three
standard deviations of load = agents, digits are lost like 10^-16 √x, as y - x is lost in doubles.

References
----------
.. [1] C. Palm (1957), "Research on telephone traffic carried by full availability groups", Tele.
.. [2] O. Garnett, A. Mandelbaum, M. Reiman (2002), "Designing a call center with impatient
   customers", Manufacturing & Service Operations Management 4(3), 208-227.
   doi:10.1287/msom.4.3.208.7753
.. [3] A. Mandelbaum, S. Zeltyn (2007), "Service engineering in action: the Palm/Erlang-A queue",
   in Advances in Services Innovations, 17-45. doi:10.1007/978-3-540-29860-1_2
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ccsim.queueing import special
from ccsim.queueing._arrays import Floats
from ccsim.queueing._incomplete_gamma import (
    NOBODY,
    below_diagonal,
    exp_minus_linear,
    full_house,
    impatient_queue,
    lower_gamma,
)
from ccsim.queueing._virtual_wait import mean_of_virtual_wait
from ccsim.queueing.service_level import (
    SteadyStateFormula,
    level_of_shares,
    names_short_abandons,
)


class Queue(NamedTuple):
    """A steady state; all fields (n,), shares of all offered contacts unless said otherwise."""

    load: Floats
    agents: Floats
    handle_time: Floats
    patience: Floats
    x: Floats  # arrivals per mean patience
    y: Floats  # completions per mean patience while all agents are busy
    surplus: Floats  # y - x
    empty: Floats  # alpha: of the busy time, the share without a queue
    waits: Floats
    at_once: Floats  # 1 - waits, with its own relative precision
    gives_up: Floats  # of those who wait
    is_answered: Floats  # of those who wait


def steady_state(load: Floats, agents: Floats, handle_time: Floats, patience: Floats) -> Queue:
    """Solve the queue; infinite patience gives Erlang C, zero patience Erlang B."""
    return queue_behind(load, agents, handle_time, patience, *full_house(agents, load))


def queue_behind(
    load: Floats,
    agents: Floats,
    handle_time: Floats,
    patience: Floats,
    full: Floats,
    free: Floats,
) -> Queue:
    """Solve a queue behind anything that completes agents ÷ handle_time contacts while it is full.

    `full` and `free` are in proportion to the time without a queue in which everything is busy, and
    in which something is free.
    """
    endless = np.isinf(patience)
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        most = 1e290 / np.maximum(np.maximum(load, agents), 1.0)
        turns = np.where(endless, 0.0, np.minimum(patience / handle_time, most))
        patience = np.where(endless, np.inf, turns * handle_time)
        x, y, surplus = load * turns, agents * turns, (agents - load) * turns
        empty, gives_up, is_answered = impatient_queue(y, x, surplus)
        # With endless patience nobody gives up, and alpha is 1 - load / agents, or 0.
        spare = np.maximum(agents - load, 0.0) / np.where(agents > 0, agents, 1.0)
        empty = np.where(endless, spare, empty)
        gives_up = np.where(endless, 0.0, gives_up)
        is_answered = np.where(endless, 1.0, is_answered)
        idle = free * empty
        waits = np.where(load == 0, 0.0, full / (full + idle))
        at_once = np.where(load == 0, 1.0, idle / (full + idle))
    return Queue(
        load, agents, handle_time, patience, x, y, surplus, empty,
        waits, at_once, gives_up, is_answered,
    )  # fmt: skip


class Later(NamedTuple):
    """What happens after a threshold has passed, and before; all fields (n,), of offered."""

    offered_wait: Floats  # P(V > threshold)
    answered: Floats
    abandoned: Floats
    in_time: Floats  # answered within the threshold: the complement, precise when small
    offered_wait_in_time: Floats  # P(V <= threshold), likewise
    gone: Floats  # abandoned within the threshold


def after(queue: Queue, threshold: Floats) -> Later:
    """Look at the queue when a threshold has passed since the arrival of a contact."""
    q = queue
    endless = np.isinf(q.patience)
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        time = np.minimum(threshold, 1e300)
        # No patience at all ends before any threshold, also before a threshold of zero.
        tau = np.where(q.patience > 0, time / q.patience, np.inf)
        fades = np.exp(-tau)
        z = q.x * fades
        surplus = np.where(tau < 0.5, q.surplus - q.x * np.expm1(-tau), q.y - z)
        empty, gives_up, is_answered = impatient_queue(q.y, z, surplus)

        turns = np.minimum(time / q.handle_time, 1e300)
        exceeds = _lightly_loaded(q, turns, tau, empty)
        heavy = ~below_diagonal(q.x, q.surplus) & (q.y >= NOBODY) & ~endless
        if heavy.any():
            y, x, total = q.y[heavy], q.x[heavy], special.gammainc(q.y[heavy], q.x[heavy])
            # Hundreds of patiences on, z vanishes from the doubles; z^y, which is left of P, need
            # not.
            lower = lower_gamma(y, z[heavy], surplus[heavy], empty[heavy])
            left = np.exp(y * (np.log(x) - tau[heavy]) - special.gammaln(y + 1))
            exceeds[heavy] = np.where(z[heavy] < 1e-250, left, lower) / total

        offered_wait = q.waits * exceeds
        answered = offered_wait * fades * np.where(endless, 1.0, is_answered)
        abandoned = offered_wait * fades * np.where(endless, 0.0, gives_up)
        in_time = 1.0 - (answered + q.waits * q.gives_up)
        offered_wait_in_time = 1.0 - offered_wait
        # Overloaded, and the threshold ends before the likeliest wait: now the service level is
        # the small share, so it is the one to be computed, as a difference of upper tails.
        early = heavy & (z > q.y)
        if early.any():
            x, y, z = q.x[early], q.y[early], z[early]
            waits, at_once, total = q.waits[early], q.at_once[early], special.gammainc(y, x)
            upper = special.gammaincc(y, z) - special.gammaincc(y, x)
            offered_wait_in_time[early] = at_once + waits * upper / total
            upper = special.gammaincc(y + 1, z) - special.gammaincc(y + 1, x)
            in_time[early] = at_once + waits * (y / x) * upper / total
        # Of two differences that give the early abandons, the one between the smaller numbers.
        lost = q.waits * q.gives_up
        by_answered = offered_wait * -np.expm1(-tau) + (offered_wait_in_time - in_time)
        gone = np.where(lost < in_time, lost - abandoned, by_answered)
    return Later(
        offered_wait,
        answered,
        abandoned,
        np.clip(in_time, 0.0, 1.0),
        np.clip(offered_wait_in_time, 0.0, 1.0),
        np.clip(gone, 0.0, 1.0),
    )


def _lightly_loaded(queue: Queue, turns: Floats, tau: Floats, empty: Floats) -> Floats:
    """P(V > T) / P(V > 0) as exp(phi(tau)) times a ratio of alphas, all terms of phi negative."""
    q = queue
    short = -q.x * exp_minus_linear(-np.minimum(tau, 1.0)) - (q.agents - q.load) * turns
    long = -q.x * np.expm1(-tau) - q.agents * turns
    ratio = np.exp(np.where(tau < 0.5, short, long)) * q.empty / empty
    # Without agents, or without patience, the queue plays no part.
    ratio = np.where(q.y < NOBODY, np.exp(-q.agents * turns), ratio)
    drained = np.exp(-np.maximum(q.agents - q.load, 0.0) * turns)
    return np.where(np.isinf(q.patience), drained, ratio)


def mean_waits(queue: Queue) -> tuple[Floats, Floats]:
    """Sum of the waits of answered contacts ÷ offered, and mean offered wait [time]."""
    q = queue
    stable = q.load < q.agents
    spare = np.where(stable, q.agents - q.load, 1.0)
    finite = np.isfinite(q.patience)
    # Weighting with e^-s, the chance to be still there, is the same law with y + 1 for y.
    mean = np.zeros_like(q.load)
    here = finite & (q.load > 0)
    mean[here] = mean_of_virtual_wait(q.y[here] + 1, q.x[here], q.surplus[here] + 1)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        endless = np.where(stable, q.handle_time / spare, np.inf)
        answered = np.where(finite, q.patience * q.is_answered * mean, endless)
        # E[V | V > 0] = (h/n)(1 + x E[s e^-s]), integrating by parts: nothing cancels
        turn = np.where(q.agents > 0, q.handle_time / q.agents, np.inf)
        virtual = np.where(finite, turn * (1 + q.x * q.is_answered * mean), endless)
    waited = q.waits > 0
    return (
        np.where(waited, np.where(waited, q.waits, 1.0) * answered, 0.0),
        np.where(waited, np.where(waited, q.waits, 1.0) * virtual, 0.0),
    )


def answered_share(queue: Queue) -> Floats:
    """Share of offered that is answered: 1 - abandonment, with its own relative precision."""
    return queue.at_once + queue.waits * queue.is_answered


def occupancy(queue: Queue) -> Floats:
    """Share of the agents' time that is handling; 1 where there is load and nobody to handle it."""
    q = queue
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        busy = q.waits * (1 - q.empty) + q.at_once * q.load / q.agents
    return np.where(q.load == 0, 0.0, np.where(q.agents > 0, np.minimum(busy, 1.0), 1.0))


def level_by_formula(
    queue: Queue, threshold: Floats, short_abandon: Floats, formula: SteadyStateFormula
) -> Floats:
    """Service level by any formula; 0 where nobody is answered and the formula has no base."""
    later = after(queue, threshold)
    return level_of_shares(
        formula,
        answered=answered_share(queue),
        answered_in_time=later.in_time,
        abandoned_in_time=later.gone,
        short_abandons=gone_in_short(queue, short_abandon, formula),
        offered_wait_in_time=later.offered_wait_in_time,
    )


def gone_in_short(queue: Queue, short_abandon: Floats, formula: SteadyStateFormula) -> Floats:
    """Short abandons ÷ offered, where the formula asks for them.

    A limit of zero counts nobody, also where patience is zero.
    """
    if not names_short_abandons(formula):
        return np.zeros_like(short_abandon)
    return np.where(short_abandon > 0, after(queue, short_abandon).gone, 0.0)
