"""How agents differ: tenure, a pace of their own, what is learned; by hand and by law."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ccsim.demand.agents import multiples
from ccsim.demand.draw import draw_replications
from ccsim.demand.model import compile_demand
from ccsim.results.meaning import meaning
from ccsim.scenario.case import case_from
from ccsim.scenario.checks import check, remarks
from ccsim.scenario.model import Scenario
from ccsim.simulation import attempts_compiled
from ccsim.simulation.engine import Engine, run
from ccsim.simulation.model import compile_model
from ccsim.simulation.pace import unresolved_below
from ccsim.staffing.spare import required
from tests.behaviour_oracles import WINDOW, centre, chain_of, per_minute, staff
from tests.desk import desk
from tests.equality import differences
from tests.oracles import FALSE_ALARM, Oracle, scenario_of, z_scores
from tests.test_reference import MINUTE, Caller, Play, Seen, shift


@pytest.fixture(params=["reference", "compiled"])
def play(request: pytest.FixtureRequest) -> Play:
    return Play(request.param)


# Days made by hand.


def differs(**given: Any) -> dict[str, Any]:
    return {"differ": given}


def handling(seen: Seen) -> list[float]:
    return [value / MINUTE for value in (seen.log.ended - seen.log.left_queue).tolist()]


def test_an_agents_own_factor_is_multiplied_with_her_skills(play: Play) -> None:
    groups = {"desk": {"call": {"handle_time": 1.5}}}
    everybody = {"new": {"share": "100%", "handle_time": 1.2}}
    seen = play([Caller(0, 10)], shift(0, 60), groups=groups, **differs(tenure=everybody))
    assert handling(seen) == [18]


def test_products_of_factors_are_rounded_half_up_before_the_handle_time_is(play: Play) -> None:
    """0.333333 × 1.5 = 0.4999995 is 0.500000 per million; of 3 µs that is 1.5, so 2."""
    groups = {"desk": {"call": {"handle_time": 0.333333}}}
    everybody = {"new": {"share": "100%", "handle_time": 1.5}}
    seen = play([Caller(0, 3 / MINUTE)], shift(0, 60), groups=groups, **differs(tenure=everybody))
    assert (seen.log.ended - seen.log.left_queue).tolist() == [2]


def test_nobody_takes_longer_than_a_hundredfold(play: Play) -> None:
    groups = {"desk": {"call": {"handle_time": 50}}}
    everybody = {"new": {"share": "100%", "handle_time": 10}}
    seen = play([Caller(0, 1)], shift(0, 600), groups=groups, **differs(tenure=everybody))
    assert handling(seen) == [100]


@pytest.mark.parametrize(("multiple", "settled"), [(0.0, False), (1.25, True), (10, True)])
def test_nobody_settles_more_than_all(play: Play, multiple: float, settled: bool) -> None:
    groups = {"desk": {"call": {"resolution": "80%"}}}
    everybody = {"some": {"share": "100%", "resolution": multiple}}
    callers = [Caller(10 * n, 1) for n in range(40)]
    seen = play(callers, shift(0, 600), groups=groups, **differs(tenure=everybody))
    assert seen.log.unresolved.tolist() == [not settled] * 40


def test_what_is_learned_goes_by_the_day(play: Play) -> None:
    """Monday nothing; felt from Tuesday noon, over two days: 1/16, 1/2, 15/16 of it, then all."""
    coaching = {"start": "2026-09-07", "lag": "36 h", "ramp": "2 d", "handle_time": 0.5}
    days = range(5)
    callers = [Caller(24 * 60 * day, 16) for day in days]
    shifts = [shift(24 * 60 * day, 24 * 60 * day + 60) for day in days]
    seen = play(callers, *shifts, days=5, **differs(learning={"coaching": coaching}))
    # Tuesday's second half has a mean of 1/8, so the day 1/16.
    felt = [0, 1 / 16, 1 / 2, 15 / 16, 1]
    assert handling(seen) == [16 - 8 * part for part in felt]


def test_a_warm_up_comes_before_what_is_learned() -> None:
    """Learned at once on the first day: its warm-up, the same week once more, knows nothing."""
    taught = {"coaching": {"start": "2026-09-07", "handle_time": 0.5}}
    case = case_from(
        scenario_of({"call": {}}, differ={"learning": taught}, days=2, begins="cyclic")
    )
    (pace,) = compile_demand(case).paces
    assert pace is not None
    assert pace.first_day == -2
    assert pace.mean[0].tolist() == [1, 1, 0.5, 0.5]


def test_the_limit_of_what_an_agent_settles_is_the_same_in_machine_code() -> None:
    """At whole and half parts per million, at nothing, and beyond all."""
    limit = attempts_compiled.unresolved_below
    limit = getattr(limit, "py_func", limit)
    settled = [0, 1, 15_624, 15_625, 499_999, 500_000, 700_001, 999_999, 1_000_000]
    for one, multiple in product(settled, [0, 1, 500_000, 999_999, 1_000_000, 1_000_001, 10**7]):
        assert int(limit(one, multiple)) == unresolved_below(one, multiple)


# Agents who differ: laws.

MIXED = {
    "new": {"share": "25%", "handle_time": 1.4, "resolution": 0.8},
    "old": {"share": "35%", "handle_time": 0.9, "resolution": 1.1},
}


def test_agents_are_of_their_tenures_and_the_same_on_all_days() -> None:
    agents, days = 4000, 3
    differ = {"tenure": MIXED, "handle_time_spread": "20%"}
    case = case_from(scenario_of({"call": {}}, differ=differ, days=days))
    drawn = next(draw_replications(compile_demand(case), 3, [0]))
    day, ordinal = np.repeat(np.arange(days), agents), np.tile(np.arange(agents), days)
    handle, settles = (
        each.reshape(days, agents) for each in multiples(drawn, 0, day.astype(np.int64), ordinal)
    )
    assert (handle == handle[0]).all()
    assert (settles == settles[0]).all()
    tenures = [(0.25, 1.4, 0.8), (0.35, 0.9, 1.1), (0.4, 1.0, 1.0)]
    for share, longer, resolution in tenures:
        mine = settles[0] == round(resolution * 1e6)
        assert stats.binomtest(int(mine.sum()), agents, share).pvalue > FALSE_ALARM
        own = handle[0][mine] / 1e6 / longer
        assert stats.kstest(own, stats.uniform(0.8, 0.4).cdf).pvalue > FALSE_ALARM
    (pace,) = compile_demand(case).paces
    assert pace is not None
    mean = [sum(tenure[0] * tenure[k] for tenure in tenures) for k in (1, 2)]
    assert np.allclose(pace.mean, np.array(mean)[:, None], rtol=1e-12)
    assert (handle >= pace.least * 1e6).all()
    assert pace.least == pytest.approx(0.9 * 0.8, abs=1e-5)


def two_who_differ(speeds: tuple[float, float], arrival: float, give_up: float) -> dict[str, float]:
    """M/M/2 + M in the steady state, each agent with a speed; who is idle for longest is next.

    The state is who is idle, the longest first, and how many wait. Means per minute.
    """

    def moves(state: tuple[tuple[int, ...], int]) -> Iterable[tuple[float, Any]]:
        idle, waiting = state
        yield arrival, ((idle[1:], 0) if idle else (idle, waiting + 1))
        for agent in {0, 1} - set(idle):
            yield speeds[agent], ((idle, waiting - 1) if waiting else ((*idle, agent), 0))
        if waiting:
            yield waiting * give_up, (idle, waiting - 1)

    def bounded(state: tuple[tuple[int, ...], int]) -> Iterable[tuple[float, Any]]:
        return ((rate, to) for rate, to in moves(state) if to[1] <= 40)

    chain = chain_of(((0, 1), 0), bounded)
    law = chain.steady
    busy = [chain.mean(law, lambda s, a=agent: a not in s[0]) for agent in (0, 1)]
    waiting = chain.mean(law, lambda s: s[1])
    return {
        "handling": sum(busy) / 2,
        "answered": sum(share * speed for share, speed in zip(busy, speeds, strict=True)),
        "handle_time": sum(busy) * MINUTE,
        "abandoned": give_up * waiting,
        "wait_all": waiting * MINUTE,
    }


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_team_that_is_drawn_is_a_mixture_of_teams(engine: Engine) -> None:
    """Each of two agents is slow, quick or plain: nine chains, weighted by how likely they are."""
    arrival, give_up, skill = 1.6, 0.5, 1.1
    tenures = [(0.25, 2.0), (0.35, 0.5), (0.4, 1.0)]
    mixed = {
        name: {"share": f"{share:%}", "handle_time": longer}
        for name, (share, longer) in zip(("new", "old"), tenures, strict=False)
    }
    laws: Counter[str] = Counter()
    for one, other in product(tenures, repeat=2):
        speeds = (1 / (one[1] * skill), 1 / (other[1] * skill))
        for name, mean in two_who_differ(speeds, arrival, give_up).items():
            laws[name] += one[0] * other[0] * mean
    given = {
        "demand": per_minute(arrival),
        "talk_time": {"exponential": {"mean": "1 min"}},
        "patience": {"exponential": {"mean": f"{1 / give_up} min"}},
    }
    case = centre(
        {"call": given}, {"desk": {"call": {"handle_time": skill}}}, differ={"tenure": mixed}
    )
    oracle = Oracle(
        f"a team of two, drawn, {engine}",
        case,
        staff(desk=2),
        {("call", name, "offered"): laws[name] / arrival for name in laws if name != "handling"}
        | {("call", "handling", "on_the_floor"): laws["handling"]},
        WINDOW,
    )
    for score in z_scores(oracle, replications=200, seed=7, engine=engine):
        assert abs(score.z) < score.limit, score
    # Two agents of the mean handle time are no such team.
    alike = 1 / (skill * sum(share * longer for share, longer in tenures))
    wrong = two_who_differ((alike, alike), arrival, give_up)["handle_time"] / arrival
    oracle = replace(oracle, laws={("call", "handle_time", "offered"): wrong})
    (score,) = z_scores(oracle, replications=200, seed=7, engine=engine)
    assert abs(score.z) > score.limit


def test_how_often_an_agent_settles_a_matter_is_a_mixture_too() -> None:
    """One agent, who leaves nobody unanswered: whatever she is like, she answers as many."""
    groups = {"desk": {"call": {"resolution": "70%"}}}
    oracle = Oracle(
        "one agent, drawn",
        centre(
            {"call": {"demand": per_minute(0.3), "talk_time": "1 min"}},
            groups,
            differ={"tenure": MIXED},
        ),
        staff(desk=1),
        {("call", "unresolved", "answered"): 1 - 0.7 * (0.25 * 0.8 + 0.35 * 1.1 + 0.4)},
    )
    for score in z_scores(oracle, replications=400, seed=7):
        assert abs(score.z) < score.limit, score


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_team_of_one_tenure_is_a_group_of_that_factor(play: Play, engine: Engine) -> None:
    call = {
        "demand": per_minute(3), "talk_time": "50 s", "wrap_up": "10 s", "patience": "1 min",
        "line_group": "main", "repeat": {"delay": "5 min"},
    }  # fmt: skip
    all_new = {"tenure": {"new": {"share": "100%", "handle_time": 1.5, "resolution": 0.5}}}
    one = centre({"call": call}, lines={"main": 6}, differ=all_new)
    skill = {"desk": {"call": {"handle_time": 1.5, "resolution": "50%"}}}
    other = centre({"call": call}, skill, lines={"main": 6})
    played = []
    for case in (one, other):
        demand = compile_demand(case)
        model = compile_model(case, demand, staff(desk=5))
        played.append([run(model, drawn, engine) for drawn in draw_replications(demand, 1, [0, 1])])
    for here, there in zip(*played, strict=True):
        assert not differences(here, there)
        assert here.unresolved.any()


# Agents who differ: formulas and the bound.


def test_formulas_take_the_mean_of_the_group() -> None:
    """A fifth longer: the load that plain agents have at a volume a fifth larger."""
    call = {
        "demand": {"rate": "60 calls/h"},
        "targets": ["80% answered within 20 s, over each day"],
    }
    slow = {"tenure": {"new": {"share": "50%", "handle_time": 1.4}}}
    taught = {"learning": {"tool": {"start": "2026-09-08", "handle_time": 0.5}}}
    loads = []
    for differ in ({}, slow, taught):
        case = case_from(scenario_of({"call": call}, differ=differ, days=2))
        loads.append(required(case, compile_demand(case)).row("call").load)
    assert np.allclose(loads[1], 1.2 * loads[0])
    assert np.allclose(loads[2], loads[0] * np.repeat([1, 0.5], 48))


def test_formulas_count_who_comes_again_as_often_as_the_group_settles() -> None:
    call = {"demand": {"rate": "60 calls/h"}, "repeat": {"delay": "1 h", "at_most": 2}}
    groups = {"desk": {"call": {"resolution": "80%"}}}
    differ = {"tenure": {"new": {"share": "50%", "resolution": 0.5}}}
    case = case_from(scenario_of({"call": call}, groups, differ=differ))
    plain = case_from(scenario_of({"call": call}, groups))
    ratio = np.divide(
        *(required(one, compile_demand(one)).row("call").load for one in (case, plain))
    )
    assert np.allclose(ratio, (1 + 0.4 + 0.4**2) / (1 + 0.2 + 0.2**2))


# What a planner is told.


def with_shifts(lost: dict[str, Any], **group: Any) -> Scenario:
    agents = desk().scenario.agent_groups["desk"].model_dump(mode="json")
    return desk(agent_groups={"desk": {**agents, "shrinkage": lost, **group}}).scenario


def test_tenures_are_parts_of_a_group() -> None:
    (problem,) = check(with_shifts({}, tenure={**MIXED, "more": {"share": "60%"}}))
    assert "the shares add to 120.00%, more than all agents; lower one of them" in problem.message


def test_what_is_learned_after_the_horizon_is_said() -> None:
    taught = {"coaching": {"start": "2026-09-07", "lag": "1 week", "resolution": 1.1}}
    said = remarks(with_shifts({}, learning=taught))
    assert "desk: what coaching teaches is not felt before the horizon ends" in said


def test_show_says_how_agents_differ() -> None:
    taught = {
        "coaching": {"start": "2026-09-07", "lag": "1 d", "ramp": "1 week", "resolution": 1.1}
    }
    case = case_from(with_shifts({}, tenure=MIXED, handle_time_spread="20%", learning=taught))
    said = "\n".join(meaning(case, compile_demand(case))["Staff: what is left of paid time"])
    assert "new: 25% of agents, handle time × 1.4, resolution × 0.8" in said
    assert "handle time of each agent × 0.8 to 1.2, the same all days" in said
    assert "coaching: resolution × 1.1 from 2026-09-07, after 24 h, growing" in said
    # 0.25 · 1.4 + 0.35 · 0.9 + 0.4, and 0.25 · 0.8 + 0.35 · 1.1 + 0.4
    assert "on average handle time × 1.065, resolution × 0.985" in said
