"""Factors, repeats, overflow, thresholds, lines and clearing against exact laws; what follows them.

As in tests/test_oracles.py a comparison fails a perfect simulator with the chance 1e-6, the whole
file with some 80 of them once in about 12,000 seeds. Where a law is one of the steady state, that
an empty beginning is forgotten is computed, not hoped for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from ccsim.demand.draw import draw_replication
from ccsim.demand.model import compile_demand
from ccsim.performance.tally import Tally, count, measuring_rules
from ccsim.plans import StaffingPlan
from ccsim.queueing import (
    blending,
    erlang_a_abandonment,
    erlang_a_mean_wait,
    erlang_x,
    transient,
)
from ccsim.scenario.case import Case, case_from
from ccsim.simulation.engine import Engine, run
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.simulation.model import compile_model
from tests.behaviour_oracles import (
    BEHAVIOURS,
    FACTORS,
    HOURS,
    N_DESIGN,
    THRESHOLD,
    WINDOW,
    X_DESIGN,
    Chain,
    Orbit,
    Routing,
    Work,
    centre,
    closing_chain,
    erlang_b,
    laws_of,
    overflow_day,
    per_minute,
    places_day,
    staff,
    wrap_up_chain,
)
from tests.contact_oracles import CONTACTS, LOOKS, ageing_day, callback_day, ring_day
from tests.equality import differences
from tests.oracles import Oracle, scenario_of, z_scores

ENGINES: tuple[Engine, ...] = ("reference", "compiled")


EVERY = {**BEHAVIOURS, **CONTACTS}


@pytest.mark.parametrize("name", EVERY)
def test_reference_meets_the_exact_law(name: str) -> None:
    for score in z_scores(EVERY[name](), replications=32, seed=20260907):
        assert abs(score.z) < score.limit, score


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("M/M/4/7", places_day(4).laws),
        ("M/M/4/7 + M", places_day(2, 0.5).laws),
        ("overflow, M/M/4 + D", overflow_day(0.4).laws),
        ("threshold", laws_of(replace(THRESHOLD, limit=(60, 7)), ("call", "mail"))),
        (
            "X-design with thresholds",
            laws_of(
                replace(X_DESIGN, skills=(X_DESIGN.skills[0], {1: Work(1, 1.0), 0: Work(2, 0.8)})),
                ("a", "b"),
            ),
        ),
        ("points", ageing_day((1.0, 1.5)).laws),
        ("callbacks", callback_day(0.34).laws),
        ("ring", ring_day(0.4).laws),
    ],
)
def test_a_law_that_is_a_little_off_is_refused(
    name: str, wrong: Mapping[tuple[str, str, str], float]
) -> None:
    """Shows that the comparison has teeth: a line, a place, a threshold, six seconds more or less.

    Some law of each is off by more than chance gives; that none else fails is seen above.
    """
    right = EVERY[name]()
    scores = z_scores(replace(right, laws=wrong), 32, seed=20260907)
    assert any(abs(score.z) > score.limit for score in scores)


# The laws themselves, against each other and against the formulas.


@pytest.mark.parametrize(
    "chain",
    [
        *(routing.chain for routing in (THRESHOLD, FACTORS, N_DESIGN, X_DESIGN, LOOKS)),
        Orbit().chain(0.2),
        wrap_up_chain(4, 5),
    ],
    ids=["threshold", "factors", "N", "X", "looks", "redials", "wrap-up"],
)
def test_an_empty_beginning_is_forgotten_when_counting_begins(chain: Chain) -> None:
    steady = chain.steady
    assert steady.sum() == pytest.approx(1)
    assert steady.min() > -1e-12
    minutes = WINDOW[0] * 30
    law, spent = chain.from_first(minutes)
    assert spent.sum() == pytest.approx(minutes)
    # The distance of two laws of one chain never grows. Standard errors are some 1e-2 of what is
    # compared: this is a hundredth of them.
    assert np.abs(law - steady).sum() < 1e-4
    # Nobody is where a chain ends and the centre does not: the states found last.
    assert steady[-3:].max() < 1e-6 or len(steady) < 100


def test_a_chain_of_one_type_and_group_is_erlang_b_and_erlang_a() -> None:
    loss = Routing((4.0,), (0.0,), (0,), (5,), ({0: Work(1, 1.0)},))
    laws = laws_of(loss, ("call",))
    assert laws["call", "blocked", "offered"] == pytest.approx(erlang_b(4.0, 5), rel=1e-9)
    waits = Routing((4.0,), (0.5,), (60,), (5,), ({0: Work(1, 1.0)},))
    laws = laws_of(waits, ("call",))
    gone, wait = laws["call", "abandoned", "offered"], laws["call", "wait_all", "offered"]
    assert gone == pytest.approx(float(erlang_a_abandonment(4.0, 5, 60, 120)), rel=1e-9)
    assert wait == pytest.approx(float(erlang_a_mean_wait(4.0, 5, 60, 120)) * 1e6, rel=1e-9)


def test_places_and_lines_are_erlang_x_without_redials() -> None:
    laws = places_day(3, 0.5).laws
    formula = erlang_x(4.4, 4, 60, 120, threshold=20, lines=7)
    for measure, value in (
        ("blocked", formula.blocked),
        ("abandoned", formula.abandonment),
        ("wait_all", formula.mean_wait * 1e6),
        ("in_time", formula.service_level),
    ):
        assert laws["call", measure, "offered"] == pytest.approx(value, rel=1e-8)


def test_a_chain_with_much_deferrable_work_is_blending() -> None:
    # So much of it that one of 30 always waits: then it does not matter how many do.
    for reserve in (0, 1, 3):
        routing = Routing(
            arrival=(2.0, 60.0),
            give_up=(0.5, 0.0),
            limit=(40, 30),
            agents=(5,),
            skills=({0: Work(1, 1.0), 1: Work(2, 1.0, reserve)},),
        )
        laws = laws_of(routing, ("call", "mail"))
        formula = blending(2.0, 5, 60, reserve, patience=120)
        gone = laws["call", "abandoned", "offered"]
        assert gone == pytest.approx(formula.abandonment, rel=1e-6)
        busy = laws["call", "handling", "on_the_floor"]
        assert busy == pytest.approx(formula.occupancy, rel=1e-6)


def test_who_waits_at_closing_is_the_transient_law() -> None:
    for give_up, minutes in ((0.2, 30.0), (1.0, 30.0), (0.2, 180.0)):
        law, spent = closing_chain(5.0, 1.0, 4, give_up).from_first(minutes)
        exact = transient([5.0], [4], 1.0, 1 / give_up, step=minutes)
        waiting = np.maximum(np.arange(len(law)) - 4, 0)
        theirs = np.maximum(np.arange(len(exact.distribution)) - 4, 0) @ exact.distribution
        assert law @ waiting == pytest.approx(theirs, rel=1e-7)
        assert give_up * (spent @ waiting) == pytest.approx(exact.abandoned[0], rel=1e-7)


def test_redials_come_nearer_to_erlang_x_the_later_they_come() -> None:
    orbit = Orbit()
    formula = erlang_x(
        orbit.arrival / orbit.service, orbit.agents, 60 / orbit.service, 60 / orbit.give_up,
        lines=orbit.lines, redial=orbit.again, redial_blocked=orbit.again,
    )  # fmt: skip
    attempts = float(formula.attempts_load) / (orbit.arrival / orbit.service)
    off = [orbit.laws(1 / delay)["offered"] / attempts - 1 for delay in (0.25, 1, 4, 16, 64)]
    print([f"{value:.3%}" for value in off])
    # Who redials at once meets the same full queue: the formula is too low, ever less.
    assert all(later < sooner for sooner, later in pairwise(off))
    # The error falls like one over the delay: four times as late, a quarter of it, nearly.
    assert off[-1] / off[-2] == pytest.approx(1 / 4, rel=0.1)
    assert 0 < off[-1] < 0.002


# What holds path by path: the same customers in two centres.


def logs(case: Case, plan: StaffingPlan, days: int, engine: Engine) -> list[ContactLog]:
    demand = compile_demand(case)
    model = compile_model(case, demand, plan)
    return [run(model, draw_replication(demand, 7, day), engine) for day in range(days)]


def tallies(case: Case, plan: StaffingPlan, days: int) -> list[Tally]:
    demand = compile_demand(case)
    model = compile_model(case, demand, plan)
    found = logs(case, plan, days, "reference")
    return [count(model, log, measuring_rules(case.scenario)) for log in found]


BUSY: dict[str, Any] = {
    "demand": per_minute(4.4),
    "talk_time": {"lognormal": {"mean": "60 s", "cv": 1.3}},
    "patience": {"exponential": {"mean": "2 min"}},
    "redial": {"probability": "50%", "delay": {"exponential": {"mean": "3 min"}}},
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("places", [0, 1, 4])
def test_without_wrap_up_so_many_lines_more_than_agents_are_so_many_places(
    engine: Engine, places: int
) -> None:
    short = centre({"call": {**BUSY, "queue_limit": places}})
    lines = centre({"call": {**BUSY, "line_group": "main"}}, lines={"main": 4 + places})
    pairs = zip(*(logs(case, staff(desk=4), 3, engine) for case in (short, lines)), strict=True)
    for one, other in pairs:
        assert not differences(one, other)
        assert (one.outcome == Outcome.BLOCKED).any()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("given", "skill"),
    [
        ({"queue_limit": 1_000_000}, {}),
        ({"line_group": "main"}, {}),
        ({}, {"handle_time": 1.0, "resolution": "100%", "after": "0 s", "reserve": 0}),
        ({"repeat": {"delay": "1 min"}}, {}),
        ({"at_closing": "clear"}, {}),
    ],
    ids=["queue", "lines", "skill", "repeat", "closing"],
)
def test_a_limit_that_nobody_reaches_changes_nothing(
    engine: Engine, given: dict[str, Any], skill: dict[str, Any]
) -> None:
    # With nine agents hardly anybody waits when it closes; a day on which somebody does is no case.
    plain = centre({"call": BUSY}, {"desk": {"call": 1}})
    limited = centre({"call": BUSY | given}, {"desk": {"call": skill}}, lines={"main": 100_000})
    plan = staff(desk=9)
    pairs = zip(*(logs(case, plan, 3, engine) for case in (plain, limited)), strict=True)
    for one, other in pairs:
        if "at_closing" in given and (other.outcome == Outcome.CLEARED).any():
            continue
        assert not differences(one, other)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_factor_is_a_longer_handle_time(engine: Engine) -> None:
    """To the microsecond where both are whole."""
    constant = BUSY | {"talk_time": "50 s", "wrap_up": "10 s", "line_group": "main"}
    longer = constant | {"talk_time": "75 s", "wrap_up": "15 s"}
    plan, lines = staff(desk=5), {"main": 6}
    factor = centre({"call": constant}, {"desk": {"call": {"handle_time": 1.5}}}, lines=lines)
    plain = centre({"call": longer}, {"desk": {"call": 1}}, lines=lines)
    for one, other in zip(*(logs(case, plan, 3, engine) for case in (factor, plain)), strict=True):
        assert not differences(one, other)
        assert {Outcome.BLOCKED, Outcome.ABANDONED} <= set(one.outcome.tolist())


def test_clearing_serves_nobody_better() -> None:
    """Path by path: until it closes nothing is different, and then who is cleared is not in time.

    Only for the contact type itself: others find its agents free sooner.
    """
    cleared = 0
    for hours in (1, 2):
        served, turned_away = (
            tallies(
                case_from(scenario_of({"call": {
                    **BUSY, "open": {"all": f"00:00-{hours:02d}:00"}, "at_closing": at_closing,
                }})),
                staff(hours, desk=4), 20,
            )
            for at_closing in ("serve", "clear")
        )  # fmt: skip
        for one, other in zip(served, turned_away, strict=True):
            for measure in ("offered", "requests", "blocked", "short_abandons"):
                ours, theirs = one.measure(measure).sum(), other.measure(measure).sum()
                # Fewer may redial once all are turned away, into a closed centre.
                assert theirs <= ours, measure
            assert (other.in_time <= one.in_time).all()
            assert (other.measure("answered") <= one.measure("answered")).all()
            cleared += int(other.measure("cleared").sum())
            gone = one.measure("abandoned") + one.measure("answered")
            also = other.measure("abandoned") + other.measure("answered")
            assert ((gone - also) == other.measure("cleared")).all()
    assert cleared > 50


def test_fewer_lines_may_raise_a_service_level_and_never_above_who_is_let_in() -> None:
    """What turning away does to a service level, stated exactly.

    Whoever is blocked is offered and not in time, so that on every day in time ÷ offered is at most
    1 - blocked ÷ offered. That fewer lines never raise a level is not so, not even on average: in
    an overload they keep out some who would be late, and would make others late.
    """
    of_offered = ("call", "in_time", "offered")
    for give_up in (0.0, 0.5, 2.0):
        laws = [places_day(places, give_up).laws for places in range(1, 9)]
        assert all(few[of_offered] > many[of_offered] for few, many in pairwise(laws))
        # Whoever is answered at all are more with every line.
        unanswered = [
            law["call", "blocked", "offered"] + law.get(("call", "abandoned", "offered"), 0.0)
            for law in laws
        ]
        assert all(few > many for few, many in pairwise(unanswered))
    for places in (0, 1, 4):
        case = centre({"call": {**BUSY, "queue_limit": places}})
        for day in tallies(case, staff(desk=4), 3):
            let_in = day.measure("offered") - day.measure("blocked")
            assert (day.in_time[0] <= let_in).all()
            assert day.measure("blocked").sum() > 0


def test_the_sooner_contacts_overflow_the_less_they_wait() -> None:
    """On average, by the exact law; one by one a customer may wait longer, behind another."""
    waits = [overflow_day(after).laws["call", "wait_all", "offered"] for after in (0.4, 0.5, 1, 3)]
    assert waits == sorted(waits)
    oracles: list[Oracle] = [overflow_day(after) for after in (0.4, 3.0)]
    for oracle in oracles:
        for score in z_scores(oracle, replications=32, seed=1):
            assert abs(score.z) < score.limit, score


@pytest.mark.parametrize("engine", ENGINES)
def test_with_nobody_else_everybody_waits_exactly_until_overflow(engine: Engine) -> None:
    groups = {"desk": {"call": 1}, "back": {"call": {"after": "30 s"}}}
    given = {"demand": per_minute(3.0), "talk_time": {"exponential": {"mean": "1 min"}}}
    closes = HOURS * 3_600_000_000
    for patience, wait in (({}, 30), ({"patience": "30 s"}, 30), ({"patience": "29 s"}, 29)):
        case = centre({"call": given | patience}, groups)
        for log in logs(case, staff(back=60), 2, engine):
            assert len(log.wait) > 1000
            # Who serves out at closing minds no `after`: the last are answered then.
            last = log.arrival + wait * 1_000_000 > closes
            assert (log.wait[~last] == wait * 1_000_000).all()
            assert (log.left_queue[last] == closes).all()
            answered = last | (wait == 30)
            assert (log.outcome[answered] == Outcome.ANSWERED).all()
            assert (log.outcome[~answered] == Outcome.ABANDONED).all()
