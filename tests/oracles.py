"""Exact laws of small centres, and the centres they hold for; nothing here comes from the formulas.

Markov chains are solved by linear algebra, waiting times of impatient customers by integrals. Each
`Oracle` names a centre, a plan and what its contacts must show on average; `z_scores` plays days of
it. `tests/test_oracles.py` plays few days, `benchmarks/oracles_table.py` many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from scipy import stats
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.special import gamma, gammaln, ndtr

from ccsim.demand.draw import draw_replication
from ccsim.demand.model import compile_demand
from ccsim.performance.tally import CONTACT_MEASURES, GROUP_MEASURES, count, measuring_rules
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import Case, case_from
from ccsim.scenario.model import Scenario
from ccsim.simulation.engine import Engine, run
from ccsim.simulation.model import compile_model

FALSE_ALARM = 1e-6
"""Chance that a perfect simulator fails one comparison (two-sided)."""

HALF_HOURS = 48


def scenario_of(
    contact_types: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, Mapping[str, int | Mapping[str, Any]]] | None = None,
    *,
    time_zone: str = "UTC",
    shrinkage: Mapping[str, Any] | None = None,
    lines: Mapping[str, int] | None = None,
    ring: str = "0 s",
    differ: Mapping[str, Any] | None = None,
    **horizon: Any,
) -> Scenario:
    """A scenario in few words: contact types, each group's skills or their priorities, lines."""
    groups = groups or {"desk": dict.fromkeys(contact_types, 1)}
    return Scenario.model_validate(
        {
            "version": 1,
            "name": "small centre",
            "currency": "USD",
            "time_zone": time_zone,
            "horizon": {"start": "2026-09-07", "days": 1, "begins": "empty"} | horizon,
            "contact_types": {
                name: {"demand": {"rate": "6 calls/h"}, "talk_time": "5 min"} | dict(given)
                for name, given in contact_types.items()
            },
            "agent_groups": {
                name: {
                    "skills": {
                        skill: {"priority": given} if isinstance(given, int) else dict(given)
                        for skill, given in skills.items()
                    },
                    "rate_card": "own",
                    "shrinkage": shrinkage or {},
                    "ring": ring,
                    **(differ or {}),
                }
                for name, skills in groups.items()
            },
            "line_groups": {name: {"lines": number} for name, number in (lines or {}).items()},
            "rate_cards": {"own": {"paid_hour": "21 USD"}},
        }
    )


# Markov chains from empty. Rates are per minute throughout, waits in minutes.


class Fate(NamedTuple):
    """What becomes of a customer who finds so many waiting ahead, shape (n_ahead,)."""

    answered: np.ndarray
    in_time: np.ndarray
    wait_if_answered: np.ndarray  # E[wait; answered]
    wait: np.ndarray  # E[wait], answered or not


def fate_of_waiting(agents: int, service: float, give_up: float, in_time: float, most: int) -> Fate:
    """Follow one customer: those ahead are served or give up, or she gives up herself."""
    ahead = np.arange(most)
    forward = agents * service + ahead * give_up
    chain = np.diag(-(forward + give_up)) + np.diag(forward[1:], -1)
    answer = np.zeros(most)
    answer[0] = agents * service
    answered = np.linalg.solve(-chain, answer)
    return Fate(
        answered=answered,
        in_time=answered - expm(chain * in_time) @ answered,
        wait_if_answered=np.linalg.solve(-chain, answered),
        wait=np.linalg.solve(-chain, np.ones(most)),
    )


def time_in_states(chain: np.ndarray, minutes: float) -> np.ndarray:
    """Expected minutes in each state during the first so many, starting in state 0."""
    size = len(chain)
    both = np.zeros((2 * size, 2 * size))
    both[:size, :size], both[:size, size:] = chain, np.eye(size)
    return np.asarray(expm(both * minutes)[0, size:])


def birth_death(births: np.ndarray, deaths: np.ndarray) -> np.ndarray:
    """Generator of a chain that moves by one; `deaths[n]` leaves state n + 1."""
    chain = np.diag(births, 1) + np.diag(deaths, -1)
    return chain - np.diag(chain.sum(axis=1))


def day_from_empty(
    arrival: float, service: float, agents: int, give_up: float, minutes: float, in_time: float
) -> dict[str, float]:
    """Laws of M/M/n (+ M) on a day that starts empty and serves out whoever came.

    Poisson arrivals see the state as it is (Wolff 1982, doi 10.1287/opre.30.2.223): of all
    contacts of the day, the share that finds n others is the share of time spent in n.
    """
    most = agents + 160
    number = np.arange(1, most + 1)
    deaths = np.minimum(number, agents) * service + np.maximum(number - agents, 0) * give_up
    share = time_in_states(birth_death(np.full(most, arrival), deaths), minutes) / minutes
    fate = fate_of_waiting(agents, service, give_up, in_time, most + 1 - agents)
    at_once, waits = share[:agents].sum(), share[agents:]
    return {
        "in_time": at_once + waits @ fate.in_time,
        "abandoned": 1 - at_once - waits @ fate.answered,
        "wait_answered": waits @ fate.wait_if_answered * 60e6,
        "wait_all": waits @ fate.wait * 60e6,
        "occupancy": share @ np.minimum(np.arange(most + 1), agents) / agents,
    }


def redials_from_empty(
    arrival: float,
    service: float,
    agents: int,
    give_up: float,
    again: float,
    back: float,
    minutes: float,
) -> dict[str, float]:
    """Redials and abandonments per request of M/M/n + M with an orbit, from empty.

    Of those who give up a share calls again after an exponential delay; the state is how many are
    in the centre and how many mean to call again.
    """
    inside, orbit = agents + 14, 24
    chain = np.zeros((inside, orbit, inside, orbit))
    for n in range(inside):
        for m in range(orbit):
            here = chain[n, m]
            leaves = max(n - agents, 0) * give_up
            if n + 1 < inside:
                here[n + 1, m] += arrival
                if m:
                    here[n + 1, m - 1] += m * back
            if n:
                here[n - 1, m] += min(n, agents) * service + leaves * (1 - again)
                here[n - 1, min(m + 1, orbit - 1)] += leaves * again
    flat = chain.reshape(inside * orbit, -1)
    flat -= np.diag(flat.sum(axis=1))
    spent = time_in_states(flat, minutes).reshape(inside, orbit)
    coming = spent * (arrival + back * np.arange(orbit))
    fate = fate_of_waiting(agents, service, give_up, 1.0, inside - agents)
    requests = arrival * minutes
    gone = coming[agents:].sum(axis=1) @ (1 - fate.answered)
    return {"redials": (coming.sum() - requests) / requests, "abandoned": gone / requests}


# Steady states.


class GeneralPatience(NamedTuple):
    """M/M/n + G in the steady state; waits in minutes."""

    must_wait: float
    abandoned: float
    mean_wait: float
    waits_longer: float
    in_time: float


def general_patience(
    arrival: float, service: float, agents: int, stays: Callable[[float], float], limit: float
) -> GeneralPatience:
    """Exact law of M/M/n with patience of any distribution.

    `stays(x)` is the share still waiting after x minutes. The offered wait has the density
    exp(arrival·H(x) - n·service·x) up to a factor, H being the integral of `stays`. Baccelli &
    Hebuterne 1981; Zeltyn & Mandelbaum 2005, doi 10.1007/s11134-005-3699-8.
    """

    def slopes(x: float, sums: np.ndarray) -> list[float]:
        density = np.exp(arrival * sums[0] - agents * service * x)
        return [stays(x), density, density * stays(x), density * sums[0]]

    def sums_to(end: float, begin: float, sums: np.ndarray) -> np.ndarray:
        path = solve_ivp(slopes, (begin, end), sums, rtol=1e-9, atol=1e-13, max_step=0.1)
        return np.asarray(path.y[:, -1])

    short = sums_to(limit, 0.0, np.zeros(4))
    _, offered, served, waited = sums_to(12.0, limit, short)
    n, load = np.arange(agents), arrival / service
    free = np.exp(gammaln(agents) - gammaln(n + 1) + (n - agents + 1) * np.log(load)).sum()
    free /= service
    total = free + arrival * offered
    return GeneralPatience(
        must_wait=arrival * offered / total,
        abandoned=1 - (free + arrival * served) / total,
        mean_wait=arrival * waited / total,
        waits_longer=arrival * stays(limit) * (offered - short[1]) / total,
        in_time=(free + arrival * short[2]) / total,
    )


def erlang_c_wait(arrival: float, service: float, agents: int) -> float:
    """Probability of waiting in M/M/n, summed term by term."""
    load = arrival / service
    terms = np.cumprod(np.concatenate([[1.0], load / np.arange(1, agents + 1)]))
    last = terms[-1] * agents / (agents - load)
    return float(last / (terms[:-1].sum() + last))


def two_priorities(
    arrivals: tuple[float, float], service: float, agents: int
) -> tuple[float, float]:
    """Mean waits of M/M/n with two classes, the first served first, nobody interrupted.

    Kella & Yechiali 1985, doi 10.1002/nav.3800320106: C(n, a) / (n·service·(1 - s1)·(1 - s2))
    with s the load per agent of this class and the better ones.
    """
    work = agents * service
    first, both = arrivals[0] / work, sum(arrivals) / work
    residual = erlang_c_wait(sum(arrivals), service, agents) / work
    return residual / (1 - first), residual / ((1 - first) * (1 - both))


def one_agent_waits(classes: Sequence[tuple[float, float, float]]) -> tuple[float, ...]:
    """Mean waits of M/G/1 by priority class: (arrival rate, mean service, its cv).

    With one class Pollaczek-Khinchine; with more Cobham 1954, doi 10.1287/opre.2.1.70.
    """
    residual = sum(rate * mean**2 * (1 + cv**2) / 2 for rate, mean, cv in classes)
    loads = np.cumsum([0.0, *(rate * mean for rate, mean, _ in classes)])
    return tuple(residual / ((1 - a) * (1 - b)) for a, b in pairwise(loads.tolist()))


# Played days against the laws.


@dataclass(frozen=True)
class Oracle:
    """A centre, its plan, and for (contact type, measure, base) the exact ratio of their means.

    Only contacts that arrive in `intervals` count: in a steady state neither the first hours nor
    the last.
    """

    name: str
    case: Case
    plan: StaffingPlan
    laws: Mapping[tuple[str, str, str], float]
    intervals: tuple[int, int] = (0, HALF_HOURS)


class Score(NamedTuple):
    """One law against so many days.

    `error` is the standard error of `seen`, `z` the difference in standard errors, `limit` the z
    that a perfect simulator passes only with the chance `FALSE_ALARM`.
    """

    law: tuple[str, str, str]
    exact: float
    seen: float
    error: float
    z: float
    limit: float


def play(
    oracle: Oracle, replications: int, seed: int, engine: Engine = "reference"
) -> dict[tuple[str, str], np.ndarray]:
    """Totals of every day by (contact type, measure), shape (n_days,).

    The oracle's name is part of the seed, so that no two centres share their luck.
    Time of the agents is that of all groups, and stands under every contact type.
    """
    demand = compile_demand(oracle.case)
    model = compile_model(oracle.case, demand, oracle.plan)
    rules = measuring_rules(oracle.case.scenario)
    counted = slice(*oracle.intervals)
    own_seed = seed << 32 | crc32(oracle.name.encode())
    days: list[dict[tuple[str, str], int]] = []
    for replication in range(replications):
        drawn = draw_replication(demand, own_seed, replication, block_size=1)
        tally = count(model, run(model, drawn, engine), rules)
        agents = tally.groups[..., counted].sum(axis=(1, 2))
        day = {}
        for index, name in enumerate(model.contact_types):
            contacts = tally.contacts[:, index, counted].sum(axis=1)
            day |= {(name, m): v for m, v in zip(CONTACT_MEASURES, contacts, strict=True)}
            day |= {(name, m): v for m, v in zip(GROUP_MEASURES, agents, strict=True)}
            day[name, "in_time"] = tally.in_time[0, index, counted].sum()
            day[name, "abandoned_in_time"] = tally.abandoned_in_time[0, index, counted].sum()
        days.append(day)
    return {key: np.array([day[key] for day in days], dtype=np.float64) for key in days[0]}


def z_scores(
    oracle: Oracle, replications: int, seed: int, engine: Engine = "reference"
) -> list[Score]:
    """Play days and compare. `measure - exact · base` has mean exactly 0 on independent days."""
    totals = play(oracle, replications, seed, engine)
    limit = float(stats.t.isf(FALSE_ALARM / 2, replications - 1))
    scores = []
    for law, exact in oracle.laws.items():
        contact_type, measure, base = law
        over, under = totals[contact_type, measure], totals[contact_type, base]
        difference = over - exact * under
        error = difference.std(ddof=1) / np.sqrt(replications)
        # What holds on every day has no error, and must not be missed on any.
        surely = 0.0 if not difference.any() else np.inf
        scores.append(
            Score(
                law=law,
                exact=float(exact),
                seen=float(over.sum() / under.sum()),
                error=float(error / under.mean()),
                z=float(difference.mean() / error) if error else surely,
                limit=limit,
            )
        )
    return scores


def _open_until(hour: int, **given: Any) -> dict[str, Any]:
    return {"open": {"all": f"00:00-{hour:02d}:00"}, **given}


def _staffed(agents: int, hours: int) -> StaffingPlan:
    return StaffingPlan(
        by_interval={"desk": (agents,) * 2 * hours + (0,) * (HALF_HOURS - 2 * hours)}
    )


def _exponential(minutes: float) -> dict[str, Any]:
    return {"exponential": {"mean": f"{minutes * 60:.6f} s"}}


def erlang_day(
    arrival: float, agents: int, service: float = 0.5, give_up: float = 0.0, hours: int = 8
) -> Oracle:
    """M/M/n or M/M/n + M from an empty floor, served out at closing time.

    Occupancy is that of the opening hours: what is done after closing is not in it.
    """
    given = _open_until(
        hours, demand={"rate": f"{arrival} calls/min"}, talk_time=_exponential(1 / service)
    )
    laws = day_from_empty(arrival, service, agents, give_up, hours * 60, 1 / 3)
    if give_up:
        given["patience"] = _exponential(1 / give_up)
    else:
        del laws["abandoned"]
    return Oracle(
        f"M/M/{agents}{' + M' if give_up else ''} from empty, {arrival} calls/min, {hours} h",
        case_from(scenario_of({"call": given})),
        _staffed(agents, hours),
        {("call", "handling", "on_the_floor"): laws.pop("occupancy")}
        | {("call", name, "offered"): value for name, value in laws.items()},
        (0, 2 * hours),
    )


def redial_day(hours: int = 4) -> Oracle:
    """M/M/2 + M whose impatient customers call again, from an empty floor."""
    arrival, service, give_up, again, back = 1.0, 0.4, 0.5, 0.6, 0.2
    given = _open_until(
        hours,
        demand={"rate": f"{arrival} calls/min"},
        talk_time=_exponential(1 / service),
        patience=_exponential(1 / give_up),
        redial={"probability": f"{again:%}", "delay": _exponential(1 / back), "at_most": 20},
    )
    laws = redials_from_empty(arrival, service, 2, give_up, again, back, hours * 60)
    return Oracle(
        f"M/M/2 + M with redials from empty, {hours} h",
        case_from(scenario_of({"call": given})),
        _staffed(2, hours),
        {("call", name, "requests"): value for name, value in laws.items()},
        (0, 2 * hours),
    )


def one_agent_day(cv: float = 1.2) -> Oracle:
    """M/G/1, lognormal talk time, in the steady state (counted from the fifth hour)."""
    arrival, mean = 1.2, 0.5
    given = _open_until(
        20,
        demand={"rate": f"{arrival} calls/min"},
        talk_time={"lognormal": {"mean": f"{mean * 60} s", "cv": cv}},
    )
    (wait,) = one_agent_waits([(arrival, mean, cv)])
    return Oracle(
        f"M/G/1, lognormal talk time of cv {cv}",
        case_from(scenario_of({"call": given})),
        _staffed(1, 20),
        {("call", "wait_answered", "answered"): wait * 60e6},
        (10, 40),
    )


PATIENCE: dict[str, tuple[dict[str, Any], Callable[[float], float]]] = {
    "exponential": (_exponential(2), lambda x: float(np.exp(-x / 2))),
    "Weibull, shape 0.6": (
        {"weibull": {"mean": "2 min", "shape": 0.6}},
        lambda x: float(np.exp(-((x / (2 / gamma(1 + 1 / 0.6))) ** 0.6))),
    ),
    "Weibull, shape 2": (
        {"weibull": {"mean": "2 min", "shape": 2}},
        lambda x: float(np.exp(-((x / (2 / gamma(1.5))) ** 2))),
    ),
    "lognormal, cv 1.5": (
        {"lognormal": {"mean": "2 min", "cv": 1.5}},
        lambda x: float(
            ndtr(-(np.log(max(x, 1e-300)) - np.log(2 / np.sqrt(3.25))) / np.sqrt(np.log(3.25)))
        ),
    ),
    "survival table, uniform 0-4 min": (
        {"survival": {"file": "uniform"}},
        lambda x: max(0.0, 1 - x / 4),
    ),
    "survival table, 5 % balk": (
        {"survival": {"file": "balking"}},
        lambda x: float(np.interp(x, [0, 0.5, 3, 10], [0.95, 0.8, 0.3, 0])) if x > 0 else 1.0,
    ),
}
"""Patience of the general-patience centres, and the share still waiting after so many minutes."""

TABLES = {
    "uniform": np.array([[0.0, 1.0], [240.0, 0.0]]),
    "balking": np.array([[0.0, 0.95], [30.0, 0.8], [180.0, 0.3], [600.0, 0.0]]),
}


def patience_day(
    kind: str, arrival: float = 5.5, agents: int = 5, hours: tuple[int, int] = (3, 9)
) -> Oracle:
    """M/M/n + G in the steady state, mean talk time a minute; counted between two hours."""
    written, stays = PATIENCE[kind]
    given = _open_until(
        hours[1],
        demand={"rate": f"{arrival} calls/min"},
        talk_time=_exponential(1),
        patience=written,
    )
    law = general_patience(arrival, 1.0, agents, stays, 1 / 3)
    return Oracle(
        f"M/M/{agents} + G, {kind}, {arrival} calls/min",
        case_from(scenario_of({"call": given}), tables=TABLES),
        _staffed(agents, hours[1]),
        {
            ("call", "in_time", "offered"): law.in_time,
            ("call", "abandoned", "offered"): law.abandoned,
            ("call", "wait_all", "offered"): law.mean_wait * 60e6,
        },
        (2 * hours[0], 2 * hours[1]),
    )


def priority_day(agents: int = 3) -> Oracle:
    """M/M/n, two contact types, one taken first; steady state, long before closing time."""
    arrivals = (0.9, 1.2)
    names = ("urgent", "normal")
    types = {
        name: _open_until(18, demand={"rate": f"{rate} calls/min"}, talk_time=_exponential(1))
        for name, rate in zip(names, arrivals, strict=True)
    }
    waits = two_priorities(arrivals, 1.0, agents)
    return Oracle(
        f"M/M/{agents}, two priorities (Kella & Yechiali)",
        case_from(scenario_of(types, {"desk": {"urgent": 1, "normal": 2}})),
        _staffed(agents, 18),
        {
            (name, "wait_answered", "answered"): wait * 60e6
            for name, wait in zip(names, waits, strict=True)
        },
        (8, 28),
    )


def one_agent_priority_day() -> Oracle:
    """M/G/1, two contact types with talk times of their own, one taken first; steady state."""
    classes = {"urgent": (0.5, 0.4, 0.5), "normal": (0.4, 1.0, 1.2)}
    types = {
        name: _open_until(
            22,
            demand={"rate": f"{rate} calls/min"},
            talk_time={"lognormal": {"mean": f"{mean * 60} s", "cv": cv}},
        )
        for name, (rate, mean, cv) in classes.items()
    }
    waits = one_agent_waits(list(classes.values()))
    return Oracle(
        "M/G/1, two priorities (Cobham)",
        case_from(scenario_of(types, {"desk": {"urgent": 1, "normal": 2}})),
        _staffed(1, 22),
        {
            (name, "wait_answered", "answered"): wait * 60e6
            for name, wait in zip(classes, waits, strict=True)
        },
        (10, 40),
    )


ORACLES: Mapping[str, Callable[[], Oracle]] = {
    "M/M/12": lambda: erlang_day(4.2, 12),
    "M/M/12 + M": lambda: erlang_day(4.2, 12, give_up=1.0),
    "M/M/10 + M, overloaded": lambda: erlang_day(5.5, 10, give_up=0.4),
    "M/M/2 + M with redials": redial_day,
    "M/G/1": one_agent_day,
    "M/M/3, two priorities": priority_day,
    "M/G/1, two priorities": one_agent_priority_day,
    **{f"M/M/5 + G, {kind}": partial(patience_day, kind) for kind in PATIENCE},
}
"""Every centre with an exact law, by name."""
