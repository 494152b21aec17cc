"""The other way round: agents for goals and volume for agents, against each model's own answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccsim import queueing as q

checked = settings(deadline=None, max_examples=40)
loads = st.floats(0.05, 2000)
handle_times = st.floats(10, 2000)
patiences = st.one_of(st.floats(1, 20_000), st.just(math.inf))
thresholds = st.floats(0, 4000)
goals_given = st.builds(
    q.Goals,
    service_level=st.floats(0, 0.999),
    speed_of_answer=st.one_of(st.floats(0.1, 1e4), st.just(math.inf)),
    abandonment=st.floats(0.001, 1),
    maximum_occupancy=st.floats(0.3, 1),
)


class Seats(NamedTuple):
    """A model one can work out in the head: so many seats are enough for everybody."""

    service_level: Any
    speed_of_answer: Any
    abandonment: Any
    occupancy: Any


def seats(needed: Any, agents: Any) -> Seats:
    enough = np.asarray(agents) >= np.asarray(needed)
    return Seats(enough * 1.0, np.where(enough, 0.0, 60.0), ~enough * 1.0, ~enough * 1.0)


@given(loads, handle_times, patiences, thresholds, goals_given)
@checked
def test_agents_are_those_of_the_fast_search(
    load: float, handle_time: float, patience: float, threshold: float, goals: q.Goals
) -> None:
    ours = q.agents_for(goals, lambda n: q.erlang_a(load, n, handle_time, patience, threshold))
    fast = q.erlang_a_agents(
        load, handle_time, patience, threshold, goals.service_level,
        speed_of_answer=goals.speed_of_answer, abandonment=goals.abandonment,
        maximum_occupancy=goals.maximum_occupancy,
    )  # fmt: skip
    assert type(ours) is int
    assert ours == fast


@given(loads, handle_times, patiences, thresholds, goals_given)
@checked
def test_fractional_agents_are_just_enough(
    load: float, handle_time: float, patience: float, threshold: float, goals: q.Goals
) -> None:
    def model(agents: Any) -> q.ErlangA:
        return q.erlang_a(load, agents, handle_time, patience, threshold)

    whole, some = q.agents_for(goals, model), q.fractional_agents_for(goals, model)
    assert whole - 1 < some <= whole or whole == some == 0
    assert q.goals_kept(goals, model(some))
    fewer = some * (1 - 1e-12) - 1e-12
    assert fewer < 0 or not q.goals_kept(goals, model(fewer))


@given(st.integers(1, 500), handle_times, patiences, thresholds, goals_given)
@checked
def test_volume_is_as_much_as_the_agents_can_take(
    agents: int, handle_time: float, patience: float, threshold: float, goals: q.Goals
) -> None:
    def model(load: Any) -> q.ErlangA:
        return q.erlang_a(load, agents, handle_time, patience, threshold)

    load = q.volume_for(goals, model)
    if math.isinf(load):
        assert q.goals_kept(goals, model(1e15))
        return
    assert load == 0 or q.goals_kept(goals, model(load))
    assert not q.goals_kept(goals, model(load * (1 + 1e-12) + 1e-14))


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=6), st.floats(0, 1e6))
@checked
def test_any_guess_gives_the_same_answer(needed: list[float], guess: float) -> None:
    goals = q.Goals(service_level=1.0)
    found = q.agents_for(goals, lambda n: seats(needed, n), guess=guess)
    assert found.tolist() == [math.ceil(number) for number in needed]
    exact = q.fractional_agents_for(goals, lambda n: seats(needed, n), guess=guess)
    assert exact == pytest.approx(needed, rel=1e-15, abs=1e-15)


def test_volume_far_from_one_has_all_its_digits() -> None:
    for most in (1e-12, 3e-7, 1.0, 7e13):
        found = q.volume_for(q.Goals(service_level=1.0), lambda v, most=most: seats(v, most))
        assert found == pytest.approx(most, rel=1e-14)
        assert found <= most


def test_goals_and_model_broadcast() -> None:
    goals = q.Goals(service_level=[0.8, 0.9, 0.95])
    load = np.array([[0.0], [10.0], [200.0], [3000.0]])
    found = q.agents_for(goals, lambda n: q.erlang_a(load, n, 180, 300, 20))
    assert found.dtype == np.int64
    assert np.array_equal(found, q.erlang_a_agents(load, 180, 300, 20, [0.8, 0.9, 0.95]))
    assert q.fractional_agents_for(goals, lambda n: q.erlang_a(load, n, 180, 300, 20)).shape == (
        4,
        3,
    )
    assert q.volume_for(goals, lambda a: q.erlang_a(a, load, 180, 300, 20)).shape == (4, 3)


def test_edges() -> None:
    def endless(agents: Any) -> q.ErlangA:
        return q.erlang_a(10, agents, 180, math.inf, 20)

    # Without a goal nobody is needed; without load neither; nobody takes no volume.
    assert q.agents_for(q.Goals(), endless) == 0
    assert q.agents_for(q.Goals(service_level=0.8), lambda n: q.erlang_a(0, n, 180, 300, 20)) == 0
    assert q.volume_for(q.Goals(service_level=0.8), lambda a: q.erlang_a(a, 0, 180, 300, 20)) == 0
    assert q.volume_for(q.Goals(), lambda a: q.erlang_a(a, 14, 180, 300, 20)) == math.inf
    # A finite speed of answer needs a stable queue, and the slightest surplus is stable.
    assert q.agents_for(q.Goals(speed_of_answer=1e9), endless) == 11
    with pytest.raises(ValueError, match="no whole number of agents"):
        q.agents_for(q.Goals(service_level=1.0), lambda n: seats(math.inf, n))


def test_an_occupancy_ceiling_forgives_the_rounding_of_doubles() -> None:
    # 35.7 / 0.85 is 42.000000000000004 in doubles.
    goals = q.Goals(maximum_occupancy=0.85)
    assert q.agents_for(goals, lambda n: q.erlang_a(35.7, n, 300, math.inf, 20)) == 42


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"service_level": 80}, r"service_level must be a fraction.*0\.8 for 80 %.*got 80\.0"),
        ({"speed_of_answer": -1}, r"speed_of_answer must be zero or more; got -1\.0"),
        ({"abandonment": math.nan}, r"abandonment must be a fraction.*got nan"),
        ({"maximum_occupancy": 0}, r"maximum_occupancy must be a fraction above 0.*got 0\.0"),
    ],
)
def test_bad_goals(given_: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        q.Goals(**given_)


# Every other formula, as a function of a load [erlang] and agents.


def waiting_in_classes(load: Any, agents: Any) -> q.TwoPriorities:
    return q.two_priorities(0.3 * np.asarray(load), 0.7 * np.asarray(load), agents, 180, 20)


def over_days(load: Any, agents: Any) -> q.UncertainLoad:
    return q.over_uncertain_load(lambda a: q.m_g_n(a, agents, 180, 20, cv=0.4), load, shape=27)


table = q.PatienceTable([5, 30, 60, 120, 300], [0.97, 0.85, 0.7, 0.5, 0.0])
FORMULAS: dict[str, Callable[[Any, Any], Any]] = {
    "allen_cunneen": lambda a, n: q.allen_cunneen(a, n, 180, 20, cv=1.5, arrival_cv=0.7),
    "m_g_n": lambda a, n: q.m_g_n(a, n, 180, 20, cv=0.4),
    "erlang_x with lines": lambda a, n: q.erlang_x(a, n, 180, 120, 20, lines=60),
    "erlang_x with redials": lambda a, n: q.erlang_x(
        a, n, 180, 120, 20, lines=60, redial=0.5, redial_blocked=0.8, repeat=0.1
    ),
    "chat": lambda a, n: q.chat(np.asarray(a) / 600, n, (600, 660, 780), 120, 30),
    "blending": lambda a, n: q.blending(a, n, 180, 2, 20),
    "blending with patience": lambda a, n: q.blending(a, n, 180, 2, 20, patience=120),
    "general_patience": lambda a, n: q.general_patience(
        a, n, 180, lambda wait: np.exp(-((wait / 80) ** 0.6)), 20
    ),
    "a table with balking": lambda a, n: q.general_patience(a, n, 180, table, 20, balking=0.05),
    "first of two_priorities": lambda a, n: waiting_in_classes(a, n).first,
    "second of two_priorities": lambda a, n: waiting_in_classes(a, n).second,
    "over_uncertain_load": over_days,
}
GOALS = (q.Goals(service_level=0.8), q.Goals(speed_of_answer=10, abandonment=0.03))
NO_SUCH_NUMBER = {"chat": "few enough for 5,000,000 slots"}
every_formula = pytest.mark.parametrize("name", FORMULAS)


@every_formula
def test_agents_are_the_fewest_under_every_formula(name: str) -> None:
    formula = FORMULAS[name]
    for goals in GOALS:
        agents = q.agents_for(goals, lambda n: formula(10, n))
        kept = q.goals_kept(goals, formula(10, np.arange(agents + 1.0)))
        assert kept.tolist() == [False] * agents + [True]


@every_formula
def test_fractional_agents_are_just_enough_under_every_formula(name: str) -> None:
    formula, goals = FORMULAS[name], GOALS[0]
    whole = q.agents_for(goals, lambda n: formula(10, n))
    some = q.fractional_agents_for(goals, lambda n: formula(10, n), guess=whole)
    assert whole - 1 < some <= whole
    assert q.goals_kept(goals, formula(10, some))
    assert not q.goals_kept(goals, formula(10, some * (1 - 1e-9)))


@every_formula
def test_volume_is_as_much_as_agents_can_take_under_every_formula(name: str) -> None:
    formula = FORMULAS[name]
    for goals in GOALS:
        most = q.volume_for(goals, lambda a: formula(a, 14))
        assert q.goals_kept(goals, formula(most, 14))
        assert not q.goals_kept(goals, formula(most * (1 + 1e-9), 14))


@every_formula
def test_loads_together_and_alone_take_the_same_agents(name: str) -> None:
    formula, goals, loads = FORMULAS[name], GOALS[0], np.array([0.0, 3.0, 10.0])
    together = q.agents_for(goals, lambda n: formula(loads, n))
    assert together.dtype == np.int64
    assert together[0] == 0
    alone = [q.agents_for(goals, lambda n, a=load: formula(a, n)) for load in loads]
    assert together.tolist() == alone
    assert all(type(agents) is int for agents in alone)


@every_formula
def test_agents_together_and_alone_take_the_same_volume(name: str) -> None:
    formula, goals, agents = FORMULAS[name], GOALS[0], np.array([4, 14])
    together = q.volume_for(goals, lambda a: formula(a, agents))
    alone = [q.volume_for(goals, lambda a, n=n: formula(a, n)) for n in agents]
    assert together == pytest.approx(alone, rel=1e-9)


@every_formula
def test_a_goal_that_no_number_keeps_is_refused_under_every_formula(name: str) -> None:
    goals = q.Goals(maximum_occupancy=1e-20)
    with pytest.raises(ValueError, match=NO_SUCH_NUMBER.get(name, "no whole number of agents")):
        q.agents_for(goals, lambda n: FORMULAS[name](10, n))
