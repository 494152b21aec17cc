"""M/M/n/K+M on flat and checked arrays: agents, a limited number of lines, impatient customers.

In units of p(n), the chance of exactly n contacts in the centre, the states with k waiting have the
weights w(k) = Π a / (n + i h/p), i = 1 … k, and those with somebody free together 1/B - 1, B being
Erlang's loss probability. Who finds k waiting is answered after the (k+1)-th departure if still
there; with i ahead, departures come at the rate (n + i h/p) / h. So, with y = n p/h completions per
mean patience and z = e^(-T/p),

* answered in the end: y / (y + k + 1),
* answered within T: that, times 1 - I_z(y + 1, k + 1),
* offered wait above T: I_z(y, k + 1),

I being the regularized incomplete beta function; with endless patience it becomes the regularized
upper incomplete gamma function Q(k + 1, n T / h). Of a large waiting room only those places are
summed over that anybody is ever found in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ccsim.queueing import special
from ccsim.queueing._arrays import Floats, whole_numbers
from ccsim.queueing._incomplete_gamma import full_house
from ccsim.queueing._patience import after, answered_share, mean_waits, steady_state

_CELLS = 1 << 18  # of a table of (queue, waiting place) at a time
_ENDLESS = 1e12  # mean patiences in handle times beyond which nobody is seen to give up
_VANISHED = 600.0  # patiences after which the doubles hold nothing of e^-t worth a product
_DEEP = 745.0  # e^-745 is the smallest double
_MOST_PLACES = 1 << 22
MOST_LINES = 1e15  # doubles count no further; more are as good as endless

Where: TypeAlias = NDArray[np.int64] | NDArray[np.bool_]


class Attempts(NamedTuple):
    """What becomes of offered contacts; all fields (n,), shares or waits per offered contact."""

    blocked: Floats
    waits: Floats
    abandoned: Floats
    answered: Floats
    waited: Floats  # mean wait of all [time]
    waited_by_answered: Floats  # sum of waits of the answered, per offered [time]
    offered_wait: Floats  # sum of what they would wait with endless patience, likewise [time]


class InTime(NamedTuple):
    """What has happened within a threshold; all fields (n,), shares of offered contacts."""

    answered: Floats
    abandoned: Floats
    offered_wait: Floats


class Centre(NamedTuple):
    """Arguments, flat and checked: load, agents, handle_time, patience, lines; all (n,)."""

    load: Floats
    agents: Floats
    handle_time: Floats
    patience: Floats
    lines: Floats

    def at(self, where: Where) -> Centre:
        """Those of some queues."""
        return Centre(*(column[where] for column in self))


def attempts(centre: Centre) -> Attempts:
    """Solve queues, with any number of lines; agents between whole numbers as `_between` does."""
    found = Attempts(*(np.empty_like(centre.load) for _ in Attempts._fields))
    endless = centre.lines > MOST_LINES
    for where, solve in ((endless, _endless), (~endless, _limited)):
        if where.any():
            for column, part in zip(found, solve(centre.at(where)), strict=True):
                column[where] = part
    return found


def in_time(centre: Centre, threshold: Floats) -> InTime:
    """What has happened when a threshold has passed since the arrival of a contact."""
    found = InTime(*(np.empty_like(centre.load) for _ in InTime._fields))
    endless = centre.lines > MOST_LINES
    for where, solve in ((endless, _endless_in_time), (~endless, _limited_in_time)):
        if where.any():
            for column, part in zip(found, solve(centre.at(where), threshold[where]), strict=True):
                column[where] = part
    return found


def _endless(c: Centre) -> Attempts:
    queue = steady_state(c.load, c.agents, c.handle_time, c.patience)
    waited_by_answered, offered_wait = mean_waits(queue)
    endless = np.isinf(queue.patience)
    answered = answered_share(queue)
    with np.errstate(invalid="ignore", divide="ignore"):
        waited = queue.waits * queue.gives_up * queue.patience
        waited = np.where(endless, waited_by_answered, waited)
        # A queue without end hides that agents answer what they can.
        answered = np.where(endless, np.fmin(answered, c.agents / c.load), answered)
    return Attempts(
        blocked=np.zeros_like(c.load),
        waits=queue.waits,
        abandoned=queue.waits * queue.gives_up,
        answered=answered,
        waited=np.where(queue.waits > 0, waited, 0.0),
        waited_by_answered=waited_by_answered,
        offered_wait=offered_wait,
    )


def _endless_in_time(c: Centre, threshold: Floats) -> InTime:
    later = after(steady_state(c.load, c.agents, c.handle_time, c.patience), threshold)
    return InTime(later.in_time, later.gone, later.offered_wait_in_time)


def _limited(centre: Centre) -> Attempts:
    def whole(c: Centre) -> list[Floats]:
        room = _room(c)
        k, y = room.ahead, room.y[:, None]
        endless = np.isinf(y)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            turn = (c.handle_time / c.agents)[:, None]
            patience = np.minimum(c.patience, _ENDLESS * c.handle_time)[:, None]
            y = np.where(endless, 1.0, y)
            answered = np.where(endless, 1.0, y / (y + k + 1))
            gone = np.where(endless, 0.0, (k + 1) / (y + k + 1))
            # The wait of who is answered is the sum of the departures ahead and of her own, each
            # as of one who does not give up; with endless patience the last is a completion.
            waited = np.where(endless, (k + 1) * turn, patience * _harmonic(y, k + 1))
            offered_wait = turn + np.where(endless, k * turn, patience * _harmonic(y, k))
            # Who gives up waits too: all waits together are those in the queue, by Little's law.
            queued = _sum(room.state, k) / np.where(c.load > 0, c.load, 1.0) * c.handle_time
        return [
            room.blocked,
            room.weight.sum(axis=1),
            _sum(room.weight, gone),
            room.at_once + _sum(room.weight, answered),
            queued,
            _sum(room.weight, waited * answered),
            _sum(room.weight, offered_wait),
        ]

    return Attempts(*_between(centre, whole, len(Attempts._fields)))


def _harmonic(y: Floats, k: Floats) -> Floats:
    """Sum of 1 / (y + i), i = 1 … k: a difference of digammas, which cancel where y is large."""

    def rest(z: Floats) -> Floats:
        inverse: Floats = 1 / (z * z)
        return inverse * (1 / 24 - inverse * (7 / 960 - inverse * 31 / 8064))

    half = np.maximum(y, 30.0) + 0.5
    large = np.log1p(k / half) + rest(half + k) - rest(half)
    small = np.minimum(y, 30.0) + 1
    return np.where(y > 30, large, special.digamma(small + k) - special.digamma(small))


def _limited_in_time(centre: Centre, threshold: Floats) -> InTime:
    def whole(c: Centre, threshold: Floats) -> list[Floats]:
        room = _room(c)
        found = fate(
            c.agents[:, None], c.handle_time[:, None], c.patience[:, None], room.ahead,
            threshold[:, None],
        )  # fmt: skip
        return [
            room.at_once + _sum(room.weight, found.in_time),
            _sum(room.weight, found.gone),
            room.at_once + _sum(room.weight, found.offered_wait),
        ]

    return InTime(*_between(centre, whole, len(InTime._fields), threshold))


class Fate(NamedTuple):
    """What has become of who found k ahead, when a threshold has passed; of one shape."""

    in_time: Floats
    gone: Floats
    offered_wait: Floats  # would have been answered, had patience been endless


def fate(
    agents: ArrayLike, handle_time: ArrayLike, patience: ArrayLike, ahead: Floats, limit: ArrayLike
) -> Fate:
    """Follow a customer who finds all agents busy and so many waiting ahead."""
    n, h, p, k, t = np.broadcast_arrays(agents, handle_time, patience, ahead, limit)
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        time, endless = np.minimum(t, 1e300), p > _ENDLESS * h
        tau = np.where(p > 0, time / np.where(p > 0, p, 1.0), np.inf)
        turns = np.minimum(n * (time / h), 1e300)
        ever = np.where(endless, 1.0, n * (p / h))
        y, still, risen = np.maximum(ever, 1e-300), np.exp(-tau), -np.expm1(-tau)
        # 1 - I_z(y, k + 1) is I_(1-z)(k + 1, y): whichever is the small one is computed.
        soon = tau < 1
        tail = special.betainc(
            np.where(soon, k + 1, y), np.where(soon, y, k + 1), np.where(soon, risen, still)
        )
        offered_wait = np.where(n > 0, np.where(soon, tail, 1 - tail), 0.0)
        if_there = special.betainc(k + 1, y + 1, risen)
        gone_by = tau > _VANISHED
        if gone_by.any():
            # z vanishes from the doubles; z^y, which I_z tends to, need not.
            late = np.exp(-turns - np.log(y) - special.betaln(y, k + 1))
            offered_wait = np.where(gone_by, 1 - np.minimum(late, 1.0), offered_wait)
        if endless.any():
            drained = special.gammainc(k + 1, turns)
            offered_wait = np.where(endless, drained, offered_wait)
            if_there = np.where(endless, drained, if_there)
        stays = np.where(endless, 1.0, ever / (ever + k + 1))
    in_time = stays * if_there
    gone = 1 - in_time - still * (1 - offered_wait)
    return Fate(in_time, np.clip(gone, 0.0, 1.0), offered_wait)


class _Room(NamedTuple):
    """The waiting room of some queues; shares of offered contacts, (n,) and (n, places)."""

    y: Floats  # infinite where patience is as good as endless
    ahead: Floats  # k
    weight: Floats  # chance of finding k ahead, all agents busy and a line free
    state: Floats  # chance of so many waiting
    at_once: Floats
    blocked: Floats


def _room(c: Centre) -> _Room:
    with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
        endless = c.patience > _ENDLESS * c.handle_time
        patience = np.minimum(c.patience, _ENDLESS * c.handle_time)
        y = np.where(endless & (c.agents > 0), np.inf, c.agents * (patience / c.handle_time))
        leaving = np.where(endless, 0.0, c.handle_time / c.patience)
        places = c.lines - c.agents
        first, last = _places_that_matter(c, leaving, places)
        width = int((last - first).max(initial=0)) + 1
        number = first[:, None] + np.arange(width)
        departures = c.agents[:, None] + number * leaving[:, None]
        # Without agents, and patience without end, every place fills.
        ratio = np.minimum(-np.log(departures / c.load[:, None]), 1e4)
        ratio[:, 0] = 0.0
        weight = np.where(number <= last[:, None], np.cumsum(ratio, axis=1), -np.inf)
        largest = np.maximum(weight.max(axis=1), 0.0)
        weight = np.exp(weight - largest[:, None])
        lost, carried = full_house(c.agents, c.load)
        below = carried * np.exp(-largest)  # nothing, where the first places do not matter
        total = below + lost * weight.sum(axis=1)
    idle = c.load == 0
    total = np.where(total > 0, total, 1.0)
    state = np.where(idle[:, None], 0.0, lost[:, None] * weight / total[:, None])
    full = number == places[:, None]
    return _Room(
        y=y,
        ahead=number,
        weight=np.where(full, 0.0, state),
        state=state,
        at_once=np.where(idle, 1.0, below / total),
        blocked=_sum(state, full),
    )


def _places_that_matter(c: Centre, leaving: Floats, places: Floats) -> tuple[Floats, Floats]:
    """First and last number of waiting contacts that doubles can tell from impossible.

    log w(k) is concave: k places from its top it has fallen by k times the slope there, and by
    k² / 2 (c + k/3) where c is y plus the number at the top.
    """
    busiest = np.where(c.load > c.agents, (c.load - c.agents) / leaving, 0.0)
    top = np.floor(np.minimum(busiest, places))
    departures = c.agents + np.where(top > 0, top * leaving, 0.0)
    slope = np.abs(np.log(np.maximum(c.load, 1e-300) / departures))
    fall = _DEEP + np.sqrt(2 * _DEEP * (c.agents / leaving + top))
    reach = np.ceil(np.fmin(_DEEP / slope, fall)) + 2
    first, last = np.maximum(top - reach, 0.0), np.fmin(top + reach, places)
    wide = last - first > _MOST_PLACES
    if wide.any():
        raise ValueError(
            f"lines must leave at most {_MOST_PLACES:,} waiting places that matter, or be "
            f"infinite; got {float(c.lines[wide][0])!r}"
        )
    return first, last


def _sum(weight: Floats, value: Floats) -> Floats:
    """Weighted sums over the places; what has no weight counts nothing, though it be infinite."""
    sums: Floats = np.where(weight > 0, weight * np.where(weight > 0, value, 0.0), 0.0).sum(axis=1)
    return sums


def _between(
    centre: Centre, whole: Callable[..., list[Floats]], fields: int, *more: Floats
) -> list[Floats]:
    """Solve whole numbers of agents; between two, as if one were there that share of the time.

    More agents than lines cannot all talk, so they are left out.
    """
    agents = np.minimum(centre.agents, np.floor(centre.lines))
    found = [np.zeros_like(agents) for _ in range(fields)]
    widest = int((centre.lines - np.floor(agents)).max(initial=0)) + 1
    step = max(1, _CELLS // widest)
    for places, number, share in whole_numbers(agents):
        for first in range(0, places.size, step):
            part = slice(first, first + step)
            where = places[part]
            some = centre.at(where)._replace(
                agents=number[part], lines=np.floor(centre.lines[where])
            )
            columns = whole(some, *(column[where] for column in more))
            for column, value in zip(found, columns, strict=True):
                column[where] += share[part] * value
    return found
