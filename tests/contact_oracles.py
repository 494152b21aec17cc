"""Exact laws of what follows a contact, and of what it is told: transfers, points, callbacks, ring.

Built like those of `tests/behaviour_oracles.py`; played by the same test and the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ccsim.queueing import erlang_a_abandonment, erlang_c
from ccsim.scenario.case import case_from
from tests.behaviour_oracles import (
    BEYOND,
    HOURS,
    MINUTE_US,
    WINDOW,
    Routing,
    Work,
    centre,
    chain_of,
    laws_of,
    per_minute,
    staff,
)
from tests.oracles import Oracle, _exponential, _open_until, general_patience, scenario_of


def mean_wait(arrival: float, agents: int) -> float:
    """Of M/M/n with a mean handle time of a minute [min]."""
    return float(erlang_c(arrival, agents)) / (agents - arrival)


def transfer_day(passed_on: float = 0.3) -> Oracle:
    """Two queues of M/M/n one behind the other: what leaves the first is Poisson (Burke).

    P. Burke (1956), The output of a queuing system, Operations Research 4(6), 699-704.
    """
    first, own, desk, experts = 3.0, 0.6, 4, 3
    later = own + passed_on * first
    types = {
        "call": {"demand": per_minute(first), "talk_time": _exponential(1)},
        "expert": {"demand": per_minute(own), "talk_time": _exponential(1)},
    }
    groups = {
        "desk": {"call": {"transfer": {"to": "expert", "probability": f"{passed_on:%}"}}},
        "back": {"expert": {}},
    }
    return Oracle(
        "transfers, M/M/4 before M/M/3 (Burke)",
        centre(types, groups),
        staff(desk=desk, back=experts),
        {
            ("call", "transferred", "answered"): passed_on,
            ("call", "wait_all", "offered"): mean_wait(first, desk) * MINUTE_US,
            ("expert", "transfers", "offered"): passed_on * first / later,
            ("expert", "wait_all", "offered"): mean_wait(later, experts) * MINUTE_US,
            ("expert", "handle_time", "answered"): MINUTE_US,
        },
        WINDOW,
    )


def shorter_day(passed_on: float = 0.25, factor: float = 0.4, lost: float = 0.5) -> Oracle:
    """What agents spend on contacts that they pass on, and the next ones; nobody ever waits."""
    arrival, plenty = 2.0, 40
    types = {
        "call": {"demand": per_minute(arrival), "talk_time": _exponential(2)},
        "expert": {"demand": per_minute(0.5), "talk_time": _exponential(3)},
    }
    transfer = {
        "to": "expert",
        "probability": f"{passed_on:%}",
        "handle_time": factor,
        "context_lost": f"{60 * lost} s",
    }
    groups = {"desk": {"call": {"transfer": transfer}}, "back": {"expert": {}}}
    share = passed_on * arrival / (passed_on * arrival + 0.5)
    return Oracle(
        "handle times of transfers",
        centre(types, groups),
        staff(desk=plenty, back=plenty),
        {
            ("call", "handle_time", "answered"): 2 * (1 - passed_on * (1 - factor)) * MINUTE_US,
            ("expert", "handle_time", "answered"): (3 + share * lost) * MINUTE_US,
        },
        WINDOW,
    )


def elsewhere_day(again: float = 0.6) -> Oracle:
    """Erlang A, where many of those who gave up come to another queue, and nobody comes back."""
    arrival, give_up, agents = 4.5, 1.0, 4
    gone = float(erlang_a_abandonment(arrival, agents, 1.0, 1 / give_up))
    redial = {
        "probability": f"{again:%}",
        "delay": _exponential(10),
        "at_most": 1,
        "elsewhere": {"to": "other"},
    }
    types = {
        "call": {
            "demand": per_minute(arrival),
            "talk_time": _exponential(1),
            "patience": _exponential(1 / give_up),
            "redial": redial,
        },
        "other": {"demand": per_minute(2.0), "talk_time": _exponential(1)},
    }
    coming = arrival * gone * again
    return Oracle(
        "redials to another contact type",
        centre(types, {"desk": {"call": 1}, "back": {"other": 1}}),
        staff(desk=agents, back=30),
        {
            ("call", "abandoned", "offered"): gone,
            ("other", "redials", "offered"): coming / (coming + 2.0),
            ("other", "handle_time", "answered"): MINUTE_US,
        },
        WINDOW,
    )


def accumulating(arrivals: tuple[float, float], ageing: tuple[float, float], agents: int) -> Any:
    """Mean waits of two types that gain points as they wait, handle time a minute [min].

    L. Kleinrock (1964), A delay dependent queue discipline, Naval Research Logistics Quarterly
    11(3-4), 329-341; for several agents with equal exponential handle times the same argument
    holds, with the wait of whoever finds them all busy.
    """
    load = np.array(arrivals) / agents
    slow, fast = np.argsort(ageing)
    ratio = ageing[slow] / ageing[fast]
    together = mean_wait(sum(arrivals), agents)
    waits = np.empty(2)
    # Work is conserved: the load-weighted mean of both is the wait without any order.
    waits[slow] = together / (1 - load[fast] * (1 - ratio))
    waits[fast] = (together * load.sum() - load[slow] * waits[slow]) / load[fast]
    return waits


def ageing_day(ageing: tuple[float, float] = (1.0, 4.0)) -> Oracle:
    """M/M/n with accumulating priorities."""
    arrivals, agents = (1.2, 1.1), 3
    waits = accumulating(arrivals, ageing, agents)
    types = {
        name: {"demand": per_minute(rate), "talk_time": _exponential(1), "ageing": pace}
        for name, rate, pace in zip(("slow", "fast"), arrivals, ageing, strict=True)
    }
    return Oracle(
        "M/M/3, points accumulate (Kleinrock)",
        centre(types),
        staff(desk=agents),
        {
            (name, "wait_answered", "answered"): wait * MINUTE_US
            for name, wait in zip(types, waits, strict=True)
        },
        WINDOW,
    )


LOOKS = Routing(
    arrival=(2.0, 1.0),
    give_up=(0.5, 0.4),
    limit=(24, 24),
    agents=(2, 2),
    skills=({0: Work(1, 1.0, looks=2), 1: Work(2, 0.8)}, {0: Work(1, 0.7, looks=1)}),
)


def looks_day() -> Oracle:
    """Contacts try the slower group first, whose agents the other one would rather spare."""
    routing = LOOKS
    types: dict[str, dict[str, Any]] = {
        name: {
            "demand": per_minute(rate),
            "talk_time": _exponential(1),
            "patience": _exponential(1 / leaves),
        }
        for name, rate, leaves in zip("ab", routing.arrival, routing.give_up, strict=True)
    }
    groups = {
        "one": {
            "a": {"priority": 1, "contact_priority": 2},
            "b": {"priority": 2, "handle_time": 1 / 0.8},
        },
        "two": {"a": {"priority": 1, "handle_time": 1 / 0.7}},
    }
    return Oracle(
        "contacts look in another order",
        centre(types, groups),
        staff(one=2, two=2),
        laws_of(routing, ("a", "b")),
        WINDOW,
    )


def balking_day(hurried: float = 0.5, places: int = 2) -> Oracle:
    """M/M/n in which a share hangs up on being told a long wait, and nobody later on.

    They have a patience of an hour, the others for ever; each place in the queue is said to add
    half an hour and a little. So from two places on they balk, and no real wait is ever so long.
    """
    arrival, agents = 3.8, 4

    def moves(n: int) -> Iterable[tuple[float, int]]:
        if n < agents + BEYOND:
            yield arrival * (1.0 if n < agents + places else 1 - hurried), n + 1
        if n:
            yield min(n, agents), n - 1

    chain = chain_of(0, moves)
    law = chain.steady
    given = {
        "demand": per_minute(arrival),
        "talk_time": _exponential(1),
        "patience": {"survival": {"file": "hurried", "tail": "never"}},
        "announced_wait": {
            "estimate": "by_position",
            "per_waiting": f"{3600 // places - 1} s",
            "balking": 1,
        },
    }
    hurry = np.array([[0.0, 1.0], [3599.0, 1.0], [3600.0, 1 - hurried]])
    opened = _open_until(HOURS, **given)
    return Oracle(
        "M/M/4, half balk when told an hour",
        case_from(scenario_of({"call": opened}), tables={"hurried": hurry}),
        staff(desk=agents),
        {
            ("call", "balked", "offered"): hurried
            * chain.mean(law, lambda n: n >= agents + places),
            ("call", "wait_all", "offered"): chain.mean(law, lambda n: max(n - agents, 0))
            / arrival
            * MINUTE_US,
        },
        WINDOW,
    )


def callback_day(accepted: float = 0.37, give_up: float = 0.5) -> Oracle:
    """M/M/n + G: who accepts to be called back waits for ever, the others give up."""
    arrival, agents = 4.4, 4

    def stays(minutes: float) -> float:
        return accepted + (1 - accepted) * float(np.exp(-give_up * minutes))

    law = general_patience(arrival, 1.0, agents, stays, 1 / 3)
    given = {
        "demand": per_minute(arrival),
        "talk_time": _exponential(1),
        "patience": _exponential(1 / give_up),
        "announced_wait": {},
        "callback": {"offered_from": "0 s", "accepted": f"{accepted:%}"},
    }
    return Oracle(
        "M/M/4 + M, 37 % are called back",
        centre({"call": given}),
        staff(desk=agents),
        {
            ("call", "callbacks", "offered"): accepted * law.must_wait,
            ("call", "abandoned", "offered"): law.abandoned,
            ("call", "wait_all", "offered"): law.mean_wait * MINUTE_US,
            ("call", "in_time", "offered"): law.in_time,
        },
        WINDOW,
    )


def unreached_day(reached: float = 0.7) -> Oracle:
    """M/M/n in which all who wait are called back, and some do not answer: they take no time."""
    arrival, agents = 4.4, 4

    def moves(n: int) -> Iterable[tuple[float, int]]:
        if n < agents + BEYOND:
            yield arrival, n + 1
        if 0 < n <= agents:
            yield n, n - 1
        waiting = n - agents
        for in_vain in range(waiting):  # so many are called before one answers
            yield agents * reached * (1 - reached) ** in_vain, n - 1 - in_vain
        if waiting > 0:
            yield agents * (1 - reached) ** waiting, agents - 1

    chain = chain_of(0, moves)
    law = chain.steady
    waits = chain.mean(law, lambda n: n >= agents)
    queue = chain.mean(law, lambda n: max(n - agents, 0))
    given = {
        "demand": per_minute(arrival),
        "talk_time": _exponential(1),
        "announced_wait": {},
        "callback": {"offered_from": "0 s", "accepted": "100%", "reached": f"{reached:%}"},
    }
    return Oracle(
        "M/M/4, all are called back, 70 % answer",
        centre({"call": given}),
        staff(desk=agents),
        {
            ("call", "callbacks", "offered"): waits,
            ("call", "unreached", "offered"): waits * (1 - reached),
            ("call", "wait_answered", "offered"): reached * queue / arrival * MINUTE_US,
        },
        WINDOW,
    )


def ring_day(ring: float = 0.2, arrival: float = 0.5) -> Oracle:
    """M/G/1 with the ring time in front of each handle time (Pollaczek and Khinchine)."""
    busy, square = ring + 1, ring**2 + 2 * ring + 2
    load = arrival * busy
    queue = arrival * square / (2 * (1 - load))
    given = {"demand": per_minute(arrival), "talk_time": _exponential(1)}
    return Oracle(
        "M/G/1, ring time and handle time",
        centre({"call": given}, ring=f"{60 * ring:g} s"),
        staff(desk=1),
        {
            ("call", "wait_all", "offered"): (queue + ring) * MINUTE_US,
            ("call", "handle_time", "answered"): MINUTE_US,
            ("call", "handling", "on_the_floor"): load,
        },
        WINDOW,
    )


def rings_in_vain_day(ring: float = 0.5, give_up: float = 1.0) -> Oracle:
    """Somebody is always free, and some give up before she answers."""
    given = {
        "demand": per_minute(2.0),
        "talk_time": _exponential(1),
        "patience": _exponential(1 / give_up),
    }
    gone = 1 - np.exp(-give_up * ring)
    return Oracle(
        "ring time and patience",
        centre({"call": given}, ring=f"{60 * ring:g} s"),
        staff(desk=40),
        {
            ("call", "abandoned", "offered"): float(gone),
            ("call", "wait_all", "offered"): float(gone) / give_up * MINUTE_US,
            ("call", "handling", "on_the_floor"): 2.0 * float(gone / give_up + 1 - gone) / 40,
        },
        WINDOW,
    )


CONTACTS: Mapping[str, Callable[[], Oracle]] = {
    "transfers": transfer_day,
    "handle times of transfers": shorter_day,
    "elsewhere": elsewhere_day,
    "points": ageing_day,
    "contacts look": looks_day,
    "balking": balking_day,
    "callbacks": callback_day,
    "callbacks not reached": unreached_day,
    "ring": ring_day,
    "ring in vain": rings_in_vain_day,
}
"""Every centre with an exact law of one of these, by name."""
