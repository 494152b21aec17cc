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
upper incomplete gamma function Q(k + 1, n T / h).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ccsim.queueing._arrays import Floats
from ccsim.queueing._incomplete_gamma import full_house
from ccsim.queueing._patience import after, answered_share, mean_waits, steady_state

_CELLS = 1 << 18  # of a table of (queue, waiting place) at a time
_ENDLESS = 1e12  # mean patiences in handle times beyond which nobody is seen to give up


Where: TypeAlias = NDArray[np.int64] | NDArray[np.bool_]


class Attempts(NamedTuple):
    """What becomes of offered contacts; all fields (n,), shares or waits per offered contact."""

    blocked: Floats
    waits: Floats
    abandoned: Floats
    answered: Floats
    waited: Floats  # mean wait of all [time]
    waited_by_answered: Floats  # sum of waits of the answered, per offered [time]
    offered_wait: Floats  # mean wait of one with endless patience who gets a line [time]


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
    endless = np.isinf(centre.lines)
    for where, solve in ((endless, _endless), (~endless, _limited)):
        if where.any():
            for column, part in zip(found, solve(centre.at(where)), strict=True):
                column[where] = part
    return found


def in_time(centre: Centre, threshold: Floats) -> InTime:
    """What has happened when a threshold has passed since the arrival of a contact."""
    found = InTime(*(np.empty_like(centre.load) for _ in InTime._fields))
    endless = np.isinf(centre.lines)
    for where, solve in ((endless, _endless_in_time), (~endless, _limited_in_time)):
        if where.any():
            for column, part in zip(found, solve(centre.at(where), threshold[where]), strict=True):
                column[where] = part
    return found


def _endless(c: Centre) -> Attempts:
    queue = steady_state(c.load, c.agents, c.handle_time, c.patience)
    waited_by_answered, offered_wait = mean_waits(queue)
    with np.errstate(invalid="ignore"):
        waited = np.where(
            np.isinf(queue.patience),
            waited_by_answered,
            queue.waits * queue.gives_up * queue.patience,
        )
    return Attempts(
        blocked=np.zeros_like(c.load),
        waits=queue.waits,
        abandoned=queue.waits * queue.gives_up,
        answered=answered_share(queue),
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
        answered, gone = room.stays, 1 - room.stays
        turn = (c.handle_time / np.maximum(c.agents, 1e-300))[:, None]
        # E[wait of the answered] sums the departures ahead, each as of one who does not give up.
        with np.errstate(invalid="ignore", divide="ignore"):
            finite = np.isfinite(y) & (y > 0)
            each = np.where(finite, turn * y / (y + k + 1), np.where(y > 0, turn, 0.0))
            alone = np.where(finite, turn * y / (y + k), np.where(y > 0, turn, np.inf))
        waited = np.cumsum(each, axis=1)
        waiting = _sum(room.weight, waited * answered)
        # Who gives up waits too: all waits together are those in the queue, by Little's law.
        in_queue = _sum(room.state, room.number) * c.handle_time / np.maximum(c.load, 1e-300)
        return [
            room.blocked,
            room.weight.sum(axis=1),
            _sum(room.weight, gone),
            room.at_once + _sum(room.weight, answered),
            in_queue,
            waiting,
            _sum(room.weight, np.cumsum(alone, axis=1)),
        ]

    return Attempts(*_between(centre, whole, len(Attempts._fields)))


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
        time = np.minimum(t, 1e300)
        y = np.where(p > _ENDLESS * h, np.inf, n * p / h)
        still = np.where(p > 0, np.exp(-time / np.where(p > 0, p, 1.0)), 0.0)
        some = np.isfinite(y) & (y > 0)
        z, yy = np.where(some, still, 0.5), np.where(some, y, 1.0)
        turns = np.where(np.isinf(y), n * (time / h), 1.0)
        endless = special.gammaincc(k + 1, np.minimum(turns, 1e300))
        nobody = np.where(np.isinf(y), endless, 1.0)
        late = np.where(some, special.betainc(yy, k + 1, z), nobody)
        late_if_there = np.where(some, special.betainc(yy + 1, k + 1, z), nobody)
        answered = np.where(np.isinf(y), 1.0, y / (np.where(np.isinf(y), 0.0, y) + k + 1))
    in_time = answered * (1 - late_if_there)
    return Fate(in_time, np.clip(1 - in_time - still * late, 0.0, 1.0), 1 - late)


class _Room(NamedTuple):
    """The waiting room of some queues; shares of offered contacts, (n,) and (n, places)."""

    y: Floats
    ahead: Floats  # k
    weight: Floats  # chance of finding k ahead, all agents busy and a line free
    stays: Floats  # chance that who finds k ahead is answered
    state: Floats  # chance of so many waiting
    number: Floats
    at_once: Floats
    blocked: Floats


def _room(c: Centre) -> _Room:
    places = np.maximum(c.lines - c.agents, 0.0)
    number = np.arange(int(places.max(initial=0)) + 1, dtype=np.float64)[None, :]
    exists = number <= places[:, None]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
        y = c.agents * c.patience / c.handle_time
        y = np.where(c.patience > _ENDLESS * c.handle_time, np.inf, y)
        leaves = c.agents[:, None] + number * (c.handle_time / c.patience)[:, None]
        leaves = np.where(np.isinf(y)[:, None], c.agents[:, None], leaves)
        ratio = np.log(c.load[:, None] / leaves)
        ratio[:, 0] = 0.0
        weight = np.cumsum(np.where(exists, ratio, 0.0), axis=1)
        weight = np.where(exists & ~np.isnan(weight), weight, -np.inf)
        # Without agents every waiting place fills, as far as patience allows.
        largest = np.maximum(weight.max(axis=1, keepdims=True), 0.0)
        full = np.isposinf(largest)
        weight = np.where(full, np.where(np.isposinf(weight), 0.0, -np.inf), weight - largest)
        weight = np.exp(weight)
        lost, carried = full_house(c.agents, c.load)
        below = carried * np.where(full, 0.0, np.exp(-largest))[:, 0]
    total = below + lost * weight.sum(axis=1)
    idle = c.load == 0
    total = np.where(total > 0, total, 1.0)
    state = np.where(idle[:, None], 0.0, lost[:, None] * weight / total[:, None])
    last = number == places[:, None]
    k, yy = number, y[:, None]
    stays = np.where(np.isinf(yy), 1.0, yy / (np.where(np.isinf(yy), 0.0, yy) + k + 1))
    return _Room(
        y=y,
        ahead=k,
        weight=np.where(last, 0.0, state),
        stays=stays,
        state=state,
        number=number,
        at_once=np.where(idle, 1.0, below / total),
        blocked=_sum(state, last),
    )


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
    low = np.floor(agents)
    share = agents - low
    found = [np.zeros_like(agents) for _ in range(fields)]
    widest = int((centre.lines - low).max(initial=0)) + 1
    step = max(1, _CELLS // widest)
    for number, part in ((low, 1 - share), (low + 1, share)):
        places = np.flatnonzero(part > 0)
        for first in range(0, places.size, step):
            where = places[first : first + step]
            some = centre.at(where)._replace(
                agents=number[where], lines=np.floor(centre.lines[where])
            )
            columns = whole(some, *(column[where] for column in more))
            for column, value in zip(found, columns, strict=True):
                column[where] += part[where] * value
    return found
