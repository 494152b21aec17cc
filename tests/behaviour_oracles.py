"""Exact laws of what a centre does beyond one queue: factors, repeats, overflow, thresholds, lines.

Markov chains again, built from the words of docs/order.md over numbers of contacts, not from the
engines. `tests/test_behaviour_laws.py` plays few days of them, `benchmarks/oracles_table.py` many.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import spsolve

from ccsim.plans import StaffingPlan
from ccsim.queueing import blending
from ccsim.scenario.case import Case, case_from
from tests.oracles import (
    HALF_HOURS,
    Oracle,
    _exponential,
    _open_until,
    day_from_empty,
    fate_of_waiting,
    scenario_of,
)

State = Hashable
Moves = Callable[[Any], Iterable[tuple[float, Any]]]
MINUTE_US = 60e6

HOURS, COUNTED = 9, (2, 8)
"""How long a centre in the steady state is open, and between which hours contacts count."""


# Chains over states that are found by walking; rates per minute.


class Chain(NamedTuple):
    """States in the order in which they were found, and their generator."""

    states: list[Any]
    generator: csr_array

    @property
    def steady(self) -> np.ndarray:
        """The steady state: balance in all states but one, and a sum of 1."""
        size = len(self.states)
        balance = self.generator.T.tolil()
        balance[0] = np.ones(size)
        return np.asarray(spsolve(balance.tocsc(), np.eye(size, 1).ravel()))

    def from_first(self, minutes: float) -> tuple[np.ndarray, np.ndarray]:
        """Law after so many minutes from the first state, and the time spent in each.

        Uniformization (Jensen): the number of jumps until then is Poisson.
        """
        from scipy.stats import poisson

        fastest = float(-self.generator.diagonal().min())
        jumps = np.arange(int(fastest * minutes + 12 * np.sqrt(fastest * minutes) + 40))
        happens, more = poisson.pmf(jumps, fastest * minutes), poisson.sf(jumps, fastest * minutes)
        jump = (self.generator.T / fastest).tocsr()
        now = np.eye(len(self.states), 1).ravel()
        law, spent = np.zeros_like(now), np.zeros_like(now)
        for number in jumps:
            law += happens[number] * now
            spent += more[number] / fastest * now
            now = now + jump @ now
        return law, spent

    def mean(self, law: np.ndarray, what: Callable[[Any], float]) -> float:
        return float(law @ np.array([what(state) for state in self.states]))


def chain_of(first: State, moves: Moves) -> Chain:
    """Every state that can be reached, with the rates between them."""
    number = {first: 0}
    states, rows, columns, rates = [first], [], [], []
    for state in states:  # grows while it is walked
        for rate, follows in moves(state):
            if follows not in number:
                number[follows] = len(states)
                states.append(follows)
            rows += [number[state]] * 2
            columns += [number[follows], number[state]]
            rates += [rate, -rate]
    size = len(states)
    return Chain(states, csr_array((rates, (rows, columns)), shape=(size, size)))


class Work(NamedTuple):
    """A skill: its priority, how fast it is done, and how many agents are kept free of it.

    `looks` is where a contact looks for the group, if not by its priority.
    """

    priority: int
    rate: float
    reserve: int = 0
    looks: int | None = None


@dataclass(frozen=True)
class Routing:
    """Contact types in groups, exponential throughout.

    No two skills of a group, and no two groups of a contact type, have the same priority: then
    what happens depends on numbers alone.
    """

    arrival: tuple[float, ...]
    give_up: tuple[float, ...]
    limit: tuple[int, ...]
    agents: tuple[int, ...]
    skills: tuple[Mapping[int, Work], ...]

    def free(self, busy: tuple[tuple[int, ...], ...], group: int) -> int:
        return self.agents[group] - sum(busy[group])

    def takes(self, busy: tuple[tuple[int, ...], ...], contact_type: int) -> int | None:
        """The group that a contact which arrives now goes to."""
        able = [
            (skills[contact_type].looks or skills[contact_type].priority, group)
            for group, skills in enumerate(self.skills)
            if contact_type in skills and self.free(busy, group) > skills[contact_type].reserve
        ]
        return min(able)[1] if able else None

    def moves(self, state: Any) -> Iterable[tuple[float, Any]]:
        busy, queue = state
        for kind, rate in enumerate(self.arrival):
            group = self.takes(busy, kind)
            if group is not None:
                yield rate, (_with(busy, group, kind, 1), queue)
            elif queue[kind] < self.limit[kind]:
                yield rate, (busy, _plus(queue, kind, 1))
            if queue[kind] and self.give_up[kind]:
                yield queue[kind] * self.give_up[kind], (busy, _plus(queue, kind, -1))
        for group, skills in enumerate(self.skills):
            for kind, work in skills.items():
                if not busy[group][kind]:
                    continue
                after = _with(busy, group, kind, -1)
                waits = [
                    (skill.priority, other)
                    for other, skill in skills.items()
                    if queue[other] and self.free(after, group) > skill.reserve
                ]
                rate = busy[group][kind] * work.rate
                if waits:
                    other = min(waits)[1]
                    yield rate, (_with(after, group, other, 1), _plus(queue, other, -1))
                else:
                    yield rate, (after, queue)

    @property
    def chain(self) -> Chain:
        nobody = (0,) * len(self.arrival)
        return chain_of(((nobody,) * len(self.agents), nobody), self.moves)


def _plus(numbers: tuple[int, ...], place: int, step: int) -> tuple[int, ...]:
    return (*numbers[:place], numbers[place] + step, *numbers[place + 1 :])


def _with(
    busy: tuple[tuple[int, ...], ...], group: int, kind: int, step: int
) -> tuple[tuple[int, ...], ...]:
    return (*busy[:group], _plus(busy[group], kind, step), *busy[group + 1 :])


def laws_of(routing: Routing, names: tuple[str, ...]) -> dict[tuple[str, str, str], float]:
    """What contacts of each type show in the steady state.

    Poisson arrivals see the state as it is; waits by Little's law.
    """
    chain = routing.chain
    law = chain.steady
    laws = {}
    for kind, name in enumerate(names):
        arrival = routing.arrival[kind]
        waiting = chain.mean(law, lambda state, kind=kind: state[1][kind])
        laws[name, "wait_all", "offered"] = waiting / arrival * MINUTE_US
        if routing.give_up[kind]:
            laws[name, "abandoned", "offered"] = routing.give_up[kind] * waiting / arrival
        blocked = chain.mean(
            law,
            lambda state, kind=kind: (
                state[1][kind] >= routing.limit[kind] and routing.takes(state[0], kind) is None
            ),
        )
        if blocked > 1e-6:  # else a bound of the chain, and not of the centre
            laws[name, "blocked", "offered"] = blocked
        works = [(g, skills[kind]) for g, skills in enumerate(routing.skills) if kind in skills]
        doing = [chain.mean(law, lambda s, g=g, kind=kind: s[0][g][kind]) for g, _ in works]
        done = [busy * work.rate for busy, (_, work) in zip(doing, works, strict=True)]
        laws[name, "handle_time", "answered"] = sum(doing) / sum(done) * MINUTE_US
    in_hand = chain.mean(law, lambda state: sum(map(sum, state[0])))
    laws[names[0], "handling", "on_the_floor"] = in_hand / sum(routing.agents)
    return laws


# Centres that obey such laws.


def centre(
    types: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, Mapping[str, Any]] | None = None,
    **more: Any,
) -> Case:
    """A case in which everything is open for `HOURS`."""
    opened = {name: _open_until(HOURS, **given) for name, given in types.items()}
    return case_from(scenario_of(opened, groups, **more))


def staff(hours: int = HOURS, **agents: int) -> StaffingPlan:
    """So many of each group from midnight on, for so many hours."""
    half = 2 * hours
    return StaffingPlan(
        by_interval={name: (n,) * half + (0,) * (HALF_HOURS - half) for name, n in agents.items()}
    )


def per_minute(rate: float) -> dict[str, Any]:
    return {"rate": f"{rate} calls/min"}


WINDOW = (2 * COUNTED[0], 2 * COUNTED[1])
BEYOND = 60
"""Waiting places of a queue without a limit, beyond which hardly anybody is."""


def erlang_b(load: float, agents: int) -> float:
    """Share blocked, by the terms of Poisson's law up to the number of agents."""
    terms = np.cumprod(np.concatenate([[1.0], load / np.arange(1, agents + 1)]))
    return float(terms[-1] / terms.sum())


def loss_day(talk: Mapping[str, Any], by: str) -> Oracle:
    """Erlang B: as many lines as agents, or no place to wait; any talk time of that mean."""
    agents, arrival = 5, 4.0
    given: dict[str, Any] = {"demand": per_minute(arrival), "talk_time": talk}
    given |= {"line_group": "main"} if by == "lines" else {"queue_limit": 0}
    blocked = erlang_b(arrival * 1.0, agents)
    kind = "exponential" if "exponential" in talk else "lognormal"
    return Oracle(
        f"Erlang B by {by}, {kind} talk time",
        centre({"call": given}, lines={"main": agents}),
        staff(desk=agents),
        {
            ("call", "blocked", "offered"): blocked,
            ("call", "wait_all", "offered"): 0.0,
            ("call", "handling", "on_the_floor"): arrival * (1 - blocked) / agents,
        },
        WINDOW,
    )


def places_day(places: int = 3, give_up: float = 0.0, by: str = "lines") -> Oracle:
    """M/M/n/n+K, or with patience: contacts that find all lines taken are blocked."""
    agents, arrival = 4, 4.4
    most = agents + places
    number = np.arange(1, most + 1)
    deaths = np.minimum(number, agents) * 1.0 + np.maximum(number - agents, 0) * give_up
    weights = np.cumprod(np.concatenate([[1.0], arrival / deaths]))
    share = weights / weights.sum()
    fate = fate_of_waiting(agents, 1.0, give_up, 1 / 3, places)
    waits = share[agents:most]
    laws = {
        "blocked": share[-1],
        "in_time": share[:agents].sum() + waits @ fate.in_time,
        "wait_all": waits @ fate.wait * MINUTE_US,
    }
    given: dict[str, Any] = {"demand": per_minute(arrival), "talk_time": _exponential(1)}
    given |= {"line_group": "main"} if by == "lines" else {"queue_limit": places}
    if give_up:
        laws["abandoned"] = waits @ (1 - fate.answered)
        given["patience"] = _exponential(1 / give_up)
    return Oracle(
        f"M/M/{agents}/{most}{' + M' if give_up else ''} by {by}",
        centre({"call": given}, lines={"main": most}),
        staff(desk=agents),
        {("call", name, "offered"): float(value) for name, value in laws.items()},
        WINDOW,
    )


WRAP_UP = {"arrival": 2.4, "talk": 1 / 1.2, "wrap_up": 1 / 0.8, "give_up": 0.4}


def wrap_up_chain(agents: int, lines: int) -> Chain:
    """How many wait, talk and are in wrap-up; a line is held by the first two."""
    arrival, talk, wrap_up, give_up = WRAP_UP.values()

    def moves(state: tuple[int, int, int]) -> Iterable[tuple[float, Any]]:
        waiting, talking, writing = state
        if waiting + talking < lines:
            if talking + writing < agents:
                yield arrival, (waiting, talking + 1, writing)
            else:
                yield arrival, (waiting + 1, talking, writing)
        if talking:
            yield talking * talk, (waiting, talking - 1, writing + 1)
        if writing:
            taken = min(waiting, 1)
            yield writing * wrap_up, (waiting - taken, talking + taken, writing - 1)
        if waiting:
            yield waiting * give_up, (waiting - 1, talking, writing)

    return chain_of((0, 0, 0), moves)


def wrap_up_day(agents: int = 4, lines: int = 5) -> Oracle:
    """Lines that are free while their agent is in wrap-up: talk and wrap-up as two phases."""
    arrival, talk, wrap_up, give_up = WRAP_UP.values()
    chain = wrap_up_chain(agents, lines)
    law = chain.steady
    waiting = chain.mean(law, lambda state: state[0])
    given = {
        "demand": per_minute(arrival),
        "talk_time": _exponential(1 / talk),
        "wrap_up": _exponential(1 / wrap_up),
        "patience": _exponential(1 / give_up),
        "line_group": "main",
    }
    return Oracle(
        f"{lines} lines for {agents} agents with wrap-up",
        centre({"call": given}, lines={"main": lines}),
        staff(desk=agents),
        {
            ("call", "blocked", "offered"): chain.mean(law, lambda s: s[0] + s[1] == lines),
            ("call", "abandoned", "offered"): give_up * waiting / arrival,
            ("call", "wait_all", "offered"): waiting / arrival * MINUTE_US,
            ("call", "handling", "on_the_floor"): chain.mean(law, lambda s: s[1] + s[2]) / agents,
        },
        WINDOW,
    )


def routing_day(
    name: str, routing: Routing, names: tuple[str, ...], groups: tuple[str, ...]
) -> Oracle:
    """The centre of a `Routing`: the fastest group of a contact type sets its talk time."""
    fastest = [
        max(skills[kind].rate for skills in routing.skills if kind in skills)
        for kind in range(len(names))
    ]
    types: dict[str, dict[str, Any]] = {}
    for kind, title in enumerate(names):
        types[title] = {
            "demand": per_minute(routing.arrival[kind]),
            "talk_time": _exponential(1 / fastest[kind]),
        }
        if routing.give_up[kind]:
            types[title]["patience"] = _exponential(1 / routing.give_up[kind])
        if routing.limit[kind] < 10:  # else a bound of the chain
            types[title]["queue_limit"] = routing.limit[kind]
    written = {
        title: {
            names[kind]: {
                "priority": work.priority,
                "reserve": work.reserve,
                "handle_time": fastest[kind] / work.rate,
            }
            for kind, work in skills.items()
        }
        for title, skills in zip(groups, routing.skills, strict=True)
    }
    plan = staff(**dict(zip(groups, routing.agents, strict=True)))
    return Oracle(name, centre(types, written), plan, laws_of(routing, names), WINDOW)


THRESHOLD = Routing(
    arrival=(1.6, 2.0),
    give_up=(1 / 3, 0.0),
    limit=(BEYOND, 6),
    agents=(4,),
    skills=({0: Work(1, 1.0), 1: Work(2, 0.7, reserve=2)},),
)
FACTORS = Routing(
    arrival=(3.0,),
    give_up=(0.4,),
    limit=(BEYOND,),
    agents=(2, 2),
    skills=({0: Work(1, 1.0)}, {0: Work(2, 0.5)}),
)
N_DESIGN = Routing(
    arrival=(2.2, 0.8),
    give_up=(0.5, 0.3),
    limit=(24, 24),
    agents=(2, 2),
    skills=({0: Work(1, 1.0)}, {1: Work(1, 0.5), 0: Work(2, 0.8)}),
)
X_DESIGN = Routing(
    arrival=(1.6, 1.4),
    give_up=(0.5, 0.4),
    limit=(18, 18),
    agents=(2, 2),
    skills=(
        {0: Work(1, 1.0), 1: Work(2, 0.8, reserve=1)},
        {1: Work(1, 1.0), 0: Work(2, 0.8, reserve=1)},
    ),
)


def factors_day() -> Oracle:
    """Two groups of different speed and resolution, one preferred."""
    oracle = routing_day("two groups of different speed", FACTORS, ("call",), ("fast", "slow"))
    chain = FACTORS.chain
    law = chain.steady
    done = [rate * chain.mean(law, lambda s, g=g: s[0][g][0]) for g, rate in ((0, 1.0), (1, 0.5))]
    groups = {
        "fast": {"call": {"priority": 1, "resolution": "90%"}},
        "slow": {"call": {"priority": 2, "resolution": "60%", "handle_time": 2}},
    }
    given = {
        "demand": per_minute(FACTORS.arrival[0]),
        "talk_time": _exponential(1),
        "patience": _exponential(1 / FACTORS.give_up[0]),
    }
    unresolved = (0.1 * done[0] + 0.4 * done[1]) / sum(done)
    laws = {**oracle.laws, ("call", "unresolved", "answered"): unresolved}
    return replace(oracle, case=centre({"call": given}, groups), laws=laws)


def two_speeds_day(choice: str = "longest_idle") -> Oracle:
    """Two agents of different speed and equal priority: a rule decides who gets the contact."""
    arrival, give_up, rate = 1.2, 0.5, (1.0, 0.5)

    def moves(state: tuple[str, int]) -> Iterable[tuple[float, Any]]:
        which, number = state
        if which == "idle":  # both; `number` has been so for longest
            chosen = {"longest_idle": (number,), "in_order": (0,), "at_random": (0, 1)}[choice]
            for agent in chosen:
                yield arrival / len(chosen), ("busy", agent)
        elif which == "busy":  # only `number`
            yield arrival, ("waiting", 0)
            yield rate[number], ("idle", 1 - number)
        elif number:
            yield sum(rate) + number * give_up, ("waiting", number - 1)
        else:
            yield rate[0], ("busy", 1)
            yield rate[1], ("busy", 0)
        if which == "waiting" and number < BEYOND:
            yield arrival, ("waiting", number + 1)

    chain = chain_of(("idle", 0), moves)
    law = chain.steady
    waiting = chain.mean(law, lambda s: s[1] if s[0] == "waiting" else 0)
    doing = [
        chain.mean(law, lambda s, who=who: s[0] == "waiting" or s == ("busy", who))
        for who in range(2)
    ]
    done = sum(busy * speed for busy, speed in zip(doing, rate, strict=True))
    given = {
        "demand": per_minute(arrival),
        "talk_time": _exponential(1),
        "patience": _exponential(1 / give_up),
        "agent_choice": choice,
    }
    return Oracle(
        f"two agents of different speed, {choice}",
        centre({"call": given}, {"fast": {"call": 1}, "slow": {"call": {"handle_time": 2}}}),
        staff(fast=1, slow=1),
        {
            ("call", "handle_time", "answered"): sum(doing) / done * MINUTE_US,
            ("call", "abandoned", "offered"): give_up * waiting / arrival,
            ("call", "wait_all", "offered"): waiting / arrival * MINUTE_US,
            ("call", "handling", "on_the_floor"): sum(doing) / 2,
        },
        WINDOW,
    )


def factor_day(factor: float = 1.25, give_up: float = 0.0, hours: int = 8) -> Oracle:
    """M/M/n (+ M) from empty whose group takes longer: as if everybody's contacts were longer."""
    arrival, agents, service = 4.2, 12, 0.5
    given = _open_until(hours, demand=per_minute(arrival), talk_time=_exponential(1 / service))
    laws = day_from_empty(arrival, service / factor, agents, give_up, hours * 60, 1 / 3)
    if give_up:
        given["patience"] = _exponential(1 / give_up)
    else:
        del laws["abandoned"]
    return Oracle(
        f"M/M/{agents}{' + M' if give_up else ''}, handle time x {factor}",
        case_from(scenario_of({"call": given}, {"desk": {"call": {"handle_time": factor}}})),
        staff(hours, desk=agents),
        {("call", "handling", "on_the_floor"): laws.pop("occupancy")}
        | {("call", name, "offered"): value for name, value in laws.items()},
        (0, 2 * hours),
    )


def blending_day(give_up: float = 1 / 3) -> Oracle:
    """Calls over e-mail that never runs out, against `ccsim.queueing.blending`."""
    arrival, agents, reserved, handle = 2.0, 6, 2, 1.5
    patience = 1 / give_up if give_up else np.inf
    law = blending(arrival * handle, agents, handle, reserved, 1 / 3, patience=patience)
    call = {"demand": per_minute(arrival), "talk_time": _exponential(handle)}
    if give_up:
        call["patience"] = _exponential(patience)
    mail = {
        "demand": per_minute(6.0),
        "talk_time": _exponential(handle),
        "at_closing": "clear",
    }
    skills = {"call": 1, "mail": {"priority": 2, "reserve": reserved}}
    laws = {
        ("call", "in_time", "offered"): float(law.service_level),
        ("call", "wait_all", "offered"): float(law.mean_wait) * MINUTE_US,
        ("call", "handling", "on_the_floor"): float(law.occupancy),
    }
    if give_up:
        laws["call", "abandoned", "offered"] = float(law.abandonment)
    return Oracle(
        f"blending{' + M' if give_up else ''}, {reserved} of {agents} kept free",
        centre({"call": call, "mail": mail}, {"desk": skills}),
        staff(desk=agents),
        laws,
        WINDOW,
    )


def first_hours(case: Case, hours: int) -> Case:
    """The same with nobody new after so many hours, so that whoever comes back finds it open."""
    demand = {name: numbers.copy() for name, numbers in case.demand.items()}
    for numbers in demand.values():
        numbers[2 * hours :] = 0
    return replace(case, demand=demand)


def repeats_day(unresolved: float = 0.4, at_most: int = 3) -> Oracle:
    """Everybody is answered, and so often it is in vain: a geometric number of contacts, cut."""
    given = {
        "demand": per_minute(2.0),
        "talk_time": _exponential(1),
        "repeat": {"delay": _exponential(5), "at_most": at_most},
    }
    skills = {"desk": {"call": {"resolution": f"{1 - unresolved:%}"}}}
    powers = unresolved ** np.arange(at_most + 2)
    laws = {
        "answered": powers[:-1].sum(),
        "unresolved": powers[1:].sum(),
        "repeats": powers[1:-1].sum(),
        "repeats_cut": powers[-1],
        "lost": 0.0,
    }
    return Oracle(
        f"repeats of {unresolved:.0%}, at most {at_most}",
        first_hours(case_from(scenario_of({"call": given}, skills)), 8),
        staff(24, desk=40),
        {("call", name, "requests"): float(value) for name, value in laws.items()},
    )


def engaged_day(again: float = 0.6, at_most: int = 4) -> Oracle:
    """Everybody is blocked, and so many call again: a geometric number of attempts, cut."""
    given = {
        "demand": per_minute(2.0),
        "queue_limit": 0,
        "redial": {"probability": f"{again:%}", "delay": _exponential(5), "at_most": at_most},
    }
    powers = again ** np.arange(at_most + 2)
    laws = {
        "blocked": powers[:-1].sum(),
        "redials": powers[1:-1].sum(),
        "redials_cut": powers[-1],
        "lost": 1.0,
    }
    return Oracle(
        f"everybody blocked, {again:.0%} redial, at most {at_most}",
        first_hours(case_from(scenario_of({"call": given})), 8),
        staff(24, desk=0),
        {("call", name, "requests"): float(value) for name, value in laws.items()},
    )


def overflow_day(after: float = 0.5) -> Oracle:
    """Whoever waited so long goes to ample agents, who take twice as long: M/M/n + D.

    The own group's queue is one that everybody leaves after a constant time. The offered wait has
    the density exp((arrival - n·service)·x) until then, and exp(-n·service·x) beyond, up to a
    factor (Baccelli & Hebuterne 1981).
    """
    arrival, agents, slope = 4.2, 4, 0.2
    free = sum(
        arrival ** (k - agents + 1) * np.prod(np.arange(k + 1, agents, dtype=float))
        for k in range(agents)
    )
    until = (np.exp(slope * after) - 1) / slope
    weighed = after * np.exp(slope * after) / slope - until / slope
    beyond = np.exp(slope * after) / agents
    total = free + arrival * (until + beyond)
    late = arrival * beyond / total
    in_time = (free + arrival * (np.exp(slope / 3) - 1) / slope) / total
    wait = arrival * (weighed + after * beyond) / total
    groups = {
        "desk": {"call": 1},
        "back": {"call": {"after": f"{after * 60} s", "handle_time": 2, "priority": 2}},
    }
    given = {"demand": per_minute(arrival), "talk_time": _exponential(1)}
    return Oracle(
        f"M/M/{agents} + D: overflow after {after * 60:g} s",
        centre({"call": given}, groups),
        staff(desk=agents, back=60),
        {
            ("call", "in_time", "offered"): float(in_time),
            ("call", "wait_all", "offered"): float(wait) * MINUTE_US,
            ("call", "handle_time", "answered"): (1 + late) * MINUTE_US,
        },
        WINDOW,
    )


def overflow_only_day(after: float = 0.5, give_up: float = 1.0) -> Oracle:
    """Nobody but an overflow group: who is patient enough is answered then."""
    groups = {"desk": {"call": 1}, "back": {"call": {"after": f"{after * 60} s"}}}
    given = {
        "demand": per_minute(3.0),
        "talk_time": _exponential(1),
        "patience": _exponential(1 / give_up),
    }
    gone = 1 - np.exp(-give_up * after)
    return Oracle(
        f"overflow after {after * 60:g} s, nobody before",
        centre({"call": given}, groups),
        staff(back=60),
        {
            ("call", "abandoned", "offered"): float(gone),
            ("call", "wait_all", "offered"): float(gone / give_up) * MINUTE_US,
            ("call", "wait_answered", "answered"): after * MINUTE_US,
        },
        WINDOW,
    )


def closing_chain(
    arrival: float, service: float, agents: int, give_up: float, most: int = 160
) -> Chain:
    """M/M/n + M by the number in the centre."""

    def moves(n: int) -> Iterable[tuple[float, int]]:
        if n < most:
            yield arrival, n + 1
        if n:
            yield min(n, agents) * service + max(n - agents, 0) * give_up, n - 1

    return chain_of(0, moves)


def cleared_day(give_up: float = 0.2, hours: int = 3) -> Oracle:
    """Who waits at closing of an overloaded M/M/n + M from empty is cleared."""
    arrival, agents = 5.0, 4
    chain = closing_chain(arrival, 1.0, agents, give_up)
    law, spent = chain.from_first(hours * 60)
    requests = arrival * hours * 60

    def waiting(n: int) -> int:
        return max(n - agents, 0)

    given = _open_until(
        hours,
        demand=per_minute(arrival),
        talk_time=_exponential(1),
        patience=_exponential(1 / give_up),
        at_closing="clear",
    )
    return Oracle(
        f"M/M/{agents} + M, cleared after {hours} h",
        case_from(scenario_of({"call": given})),
        staff(hours, desk=agents),
        {
            ("call", "cleared", "requests"): chain.mean(law, waiting) / requests,
            ("call", "abandoned", "requests"): give_up * chain.mean(spent, waiting) / requests,
        },
        (0, 2 * hours),
    )


class Orbit(NamedTuple):
    """M/M/n/K + M in which so many of the blocked and of those who gave up come back."""

    arrival: float = 2.0
    service: float = 0.8
    agents: int = 2
    lines: int = 4
    give_up: float = 0.5
    again: float = 0.6

    def chain(self, back: float) -> Chain:
        """How many are in the centre, and how many mean to call again, each at the rate `back`."""
        arrival, service, agents, lines, give_up, again = self
        most = int(arrival * again / (1 - again) / back + 30)
        most = int(most + 6 * np.sqrt(most))

        def moves(state: tuple[int, int]) -> Iterable[tuple[float, Any]]:
            inside, orbit = state
            leaves = max(inside - agents, 0) * give_up
            full, joins = inside == lines, min(orbit + 1, most)
            if not full:
                yield arrival, (inside + 1, orbit)
            elif joins > orbit:
                yield arrival * again, (inside, joins)
            if orbit and not full:
                yield orbit * back, (inside + 1, orbit - 1)
            elif orbit:
                yield orbit * back * (1 - again), (inside, orbit - 1)
            if inside:
                yield min(inside, agents) * service + leaves * (1 - again), (inside - 1, orbit)
            if leaves:
                yield leaves * again, (inside - 1, joins)

        return chain_of((0, 0), moves)

    def laws(self, back: float) -> dict[str, float]:
        """Contacts per request."""
        chain = self.chain(back)
        law = chain.steady
        attempts = chain.mean(law, lambda s: self.arrival + back * s[1])
        blocked = chain.mean(law, lambda s: (self.arrival + back * s[1]) * (s[0] == self.lines))
        gone = chain.mean(law, lambda s: max(s[0] - self.agents, 0) * self.give_up)
        totals = {
            "offered": attempts,
            "blocked": blocked,
            "abandoned": gone,
            "answered": attempts - blocked - gone,
        }
        return {name: value / self.arrival for name, value in totals.items()}


def orbit_day(orbit: Orbit = Orbit(), back: float = 0.2) -> Oracle:  # noqa: B008 (frozen)
    """Redials of those who gave up or were blocked, steady state."""
    given = {
        "demand": per_minute(orbit.arrival),
        "talk_time": _exponential(1 / orbit.service),
        "patience": _exponential(1 / orbit.give_up),
        "redial": {
            "probability": f"{orbit.again:%}",
            "delay": _exponential(1 / back),
            "at_most": 20,
        },
        "line_group": "main",
    }
    return Oracle(
        f"{orbit.lines} lines with redials after {1 / back:g} min",
        centre({"call": given}, lines={"main": orbit.lines}),
        staff(desk=orbit.agents),
        {("call", name, "requests"): value for name, value in orbit.laws(back).items()},
        WINDOW,
    )


BEHAVIOURS: Mapping[str, Callable[[], Oracle]] = {
    "Erlang B, lines": partial(loss_day, _exponential(1), "lines"),
    "Erlang B, no queue, lognormal": partial(
        loss_day, {"lognormal": {"mean": "60 s", "cv": 1.5}}, "queue"
    ),
    "M/M/4/7": places_day,
    "M/M/4/7 + M": partial(places_day, give_up=0.5),
    "M/M/4/6 + M, short queue": partial(places_day, 2, 0.5, "queue"),
    "lines and wrap-up": wrap_up_day,
    "lines and redials": orbit_day,
    "everybody blocked": engaged_day,
    "handle time x 1.25": factor_day,
    "handle time x 1.25 + M": partial(factor_day, give_up=1.0),
    "two speeds": factors_day,
    "two speeds, longest idle": two_speeds_day,
    "two speeds, at random": partial(two_speeds_day, "at_random"),
    "two speeds, in order": partial(two_speeds_day, "in_order"),
    "repeats": repeats_day,
    "overflow, M/M/4 + D": overflow_day,
    "overflow only": overflow_only_day,
    "threshold": partial(routing_day, "threshold", THRESHOLD, ("call", "mail"), ("desk",)),
    "blending": partial(blending_day, 0.0),
    "blending + M": blending_day,
    "N-design": partial(routing_day, "N-design", N_DESIGN, ("a", "b"), ("one", "two")),
    "X-design with thresholds": partial(
        routing_day, "X-design", X_DESIGN, ("a", "b"), ("one", "two")
    ),
    "cleared": cleared_day,
}
"""Every centre with an exact law of one of the behaviours, by name."""
