"""When agents are there: log-in, lateness, leaving early; by hand, by law, and what is paid."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ccsim.demand.attendance import expected_agents, kept_share
from ccsim.demand.draw import draw_replications
from ccsim.demand.model import compile_demand
from ccsim.economics.contracts import paid_per_scheduled
from ccsim.economics.paid import paid_time
from ccsim.performance.tally import count, measuring_rules
from ccsim.plans import PlacedBreak, PlacedShift, StaffingPlan
from ccsim.results.meaning import meaning
from ccsim.scenario.case import Case, case_from
from ccsim.scenario.checks import check
from ccsim.scenario.model import Scenario
from ccsim.simulation.attendance import attendance, present
from ccsim.simulation.engine import run
from ccsim.simulation.model import compile_model
from tests.desk import desk
from tests.oracles import FALSE_ALARM, scenario_of
from tests.test_reference import HOUR, MINUTE, NINE, Caller, Play, Seen, shift


@pytest.fixture(params=["reference", "compiled"])
def play(request: pytest.FixtureRequest) -> Play:
    return Play(request.param)


def always(by: str) -> dict[str, str]:
    return {"share": "100%", "by": by}


def came(seen: Seen) -> list[float]:
    """When each stretch was really begun [min after 09:00]."""
    return [value / MINUTE - NINE for value in seen.log.stretch_came.tolist()]


# Days made by hand.


def test_who_logs_in_is_not_there_yet(play: Play) -> None:
    seen = play([Caller(0, 5), Caller(1, 5)], shift(0, 60), shrinkage={"log_in": "10 min"})
    assert came(seen) == [10]
    assert seen.wait == [10, 14]
    assert seen.agents_time("on_the_floor") == 50


def test_who_is_late_logs_in_afterwards(play: Play) -> None:
    lost = {"log_in": "10 min", "late": always("5 min")}
    seen = play([Caller(0, 5)], shift(0, 60, (30, 40)), shrinkage=lost)
    assert came(seen) == [15, 40]
    assert seen.wait == [15]
    assert seen.agents_time("on_the_floor") == 35


@pytest.mark.parametrize(
    ("late", "begins", "left"),
    [(30, [0, 40], [0, 60]), (45, [0, 45], [0, 60]), (60, [0, 40], [0, 40])],
)
def test_who_is_later_than_a_whole_stretch_never_comes_to_it(
    play: Play, late: int, begins: list[float], left: list[float]
) -> None:
    """Thirty minutes late is the break; after it she is as late as the shift has gone on."""
    lost = {"late": always(f"{late} min")}
    seen = play([Caller(0, 5)], shift(0, 60, (30, 40)), shrinkage=lost)
    assert came(seen) == begins
    assert seen.left == left
    assert seen.outcome == (["waiting"] if late == 60 else ["answered"])


def test_who_leaves_early_takes_nobody_more(play: Play) -> None:
    """Open all day: she does not serve out, and whoever waits waits on."""
    lost = {"leaves_early": always("20 min")}
    seen = play([Caller(30, 5), Caller(40, 5)], shift(0, 60), shrinkage=lost)
    assert seen.left == [40]
    assert seen.outcome == ["answered", "waiting"]


def test_who_leaves_early_finishes_her_contact_in_paid_time(play: Play) -> None:
    lost = {"leaves_early": always("20 min")}
    seen = play([Caller(35, 15)], shift(0, 60), shrinkage=lost)
    assert seen.left == [50]
    assert seen.agents_time("on_the_floor") == 50
    assert seen.agents_time("after_shift") == 0
    # Past the end of the shift that is paid.
    seen = play([Caller(35, 40)], shift(0, 60), shrinkage=lost)
    assert seen.left == [75]
    assert seen.agents_time("after_shift") == 15


def test_who_leaves_in_the_break_does_not_come_back(play: Play) -> None:
    lost = {"leaves_early": always("25 min")}
    seen = play([Caller(28, 5), Caller(36, 5)], shift(0, 60, (30, 40)), shrinkage=lost)
    assert came(seen) == [0, 40]
    assert seen.left == [33, 40]
    lost = {"leaves_early": always("15 min")}
    seen = play([], shift(0, 60, (30, 40)), shrinkage=lost)
    assert seen.left == [30, 45]


def test_who_leaves_before_the_last_stretch_may_still_work_past_the_shift(play: Play) -> None:
    """Her contact lasts from before the break until ten minutes past the end."""
    lost = {"leaves_early": always("25 min")}
    seen = play([Caller(28, 42)], shift(0, 60, (30, 40)), shrinkage=lost)
    assert seen.left == [70, 40]
    assert seen.agents_time("on_the_floor") == 70
    assert seen.agents_time("after_shift") == 10


def test_who_leaves_early_after_closing_serves_out(play: Play) -> None:
    """Closed at 30; gone at 35 instead of 60, but the one who came in time is served first."""
    types = {"call": {"open": {"all": "09:00-09:30"}}}
    callers = [Caller(20, 16), Caller(25, 5)]
    lost = {"leaves_early": always("25 min")}
    seen = play(callers, shift(0, 60), types=types, shrinkage=lost)
    assert seen.outcome == ["answered", "answered"]
    assert seen.left == [41]
    seen = play(callers, shift(0, 60), types=types, shrinkage={"leaves_early": always("31 min")})
    assert seen.outcome == ["answered", "waiting"]


def test_of_agents_who_come_at_one_instant_late_the_first_in_the_plan_is_first(play: Play) -> None:
    """Both come at 20: one late, one by her shift; the earlier stretch of the plan is hers."""
    lost = {"late": always("10 min")}
    seen = play([Caller(0, 5)], shift(0, 60), shift(10, 50), shrinkage=lost)
    assert came(seen) == [10, 20]
    groups = {"desk": {"call": 1}, "back": {"call": 1}}
    seen = play([Caller(5, 5)], shift(0, 60, agents=2), groups=groups, shrinkage=lost)
    assert seen.log.agent.tolist() == [0]


def test_who_is_staffed_by_interval_is_never_late(play: Play) -> None:
    lost = {"log_in": "10 min", "late": always("20 min"), "leaves_early": always("20 min")}
    seen = play([Caller(0, 5)], by_interval={"desk": (1,) * 48}, shrinkage=lost)
    assert seen.wait == [0]
    assert seen.agents_time("on_the_floor") == 24 * 60


# Laws.

LATE = {
    "log_in": "4 min",
    "late": {"share": "30%", "by": {"exponential": {"mean": "10 min"}}},
    "leaves_early": {"share": "20%", "by": {"lognormal": {"mean": "15 min", "cv": 1}}},
}


def late_desk(agents: int, lost: dict[str, Any], pauses: bool = True) -> tuple[Case, StaffingPlan]:
    """So many agents from eight to sixteen o'clock, and nobody calls."""
    breaks = (PlacedBreak(12 * HOUR, 30 * MINUTE),) if pauses else ()
    plan = StaffingPlan((PlacedShift("desk", 8 * HOUR, "day", 8 * HOUR, breaks, agents),))
    scenario = scenario_of({"call": {"demand": {"rate": "0.001 calls/h"}}}, shrinkage=lost)
    return case_from(scenario), plan


def test_time_on_the_floor_is_what_arithmetic_leaves_of_it() -> None:
    """8 h less 30 min break, 4 min log-in, 30 % of 10 min and 20 % of 15 min on average.

    Nobody is so late that the break, half-way, would hide a part of it: that would be 24 means.
    """
    agents, days = 200, 40
    case, plan = late_desk(agents, LATE)
    demand = compile_demand(case)
    model = compile_model(case, demand, plan)
    first, last = [], []
    for drawn in draw_replications(demand, 5, range(days)):
        worked = attendance(model, drawn, present(model, drawn))
        assert worked.there.all()
        morning = model.stretches.start == 8 * HOUR
        first += (worked.start[morning] - 8 * HOUR).tolist()
        last += (16 * HOUR - worked.end[~morning]).tolist()
    late, early = np.array(first) / MINUTE - 4, np.array(last) / MINUTE
    n = agents * days
    for lost, share, mean, law in (
        (late, 0.3, 10, stats.expon(scale=10)),
        (early, 0.2, 15, stats.lognorm(s=np.sqrt(np.log(2)), scale=15 / np.sqrt(2))),
    ):
        assert stats.binomtest(int((lost > 0).sum()), n, share).pvalue > FALSE_ALARM
        assert stats.kstest(lost[lost > 0], law.cdf).pvalue > FALSE_ALARM
        variance = share * (law.var() + mean**2) - (share * mean) ** 2
        assert abs(lost.mean() - share * mean) < stats.norm.isf(FALSE_ALARM / 2) * np.sqrt(
            variance / n
        )
    # Who is late says nothing of who leaves early.
    both = ((late > 0) & (early > 0)).sum()
    assert stats.binomtest(int(both), n, 0.06).pvalue > FALSE_ALARM


def test_lateness_is_of_the_agent_day_and_moves_nothing_else() -> None:
    case, plan = late_desk(50, LATE)
    more, larger = late_desk(60, {**LATE, "unplanned": "0%"})
    early, _ = late_desk(50, {**LATE, "leaves_early": None})
    worked = []
    for one, whose in ((case, plan), (more, larger), (early, plan)):
        demand = compile_demand(one)
        model = compile_model(one, demand, whose)
        drawn = next(draw_replications(demand, 5, [3]))
        worked.append(attendance(model, drawn, present(model, drawn)))
    assert np.array_equal(worked[0].start[:50], worked[1].start[:50])
    assert np.array_equal(worked[0].start, worked[2].start)
    assert not np.array_equal(worked[0].end, worked[2].end)


@pytest.mark.parametrize(
    "lost",
    [
        {"log_in": "4 min"},
        LATE,
        {**LATE, "unplanned": "10%"},
        {"late": {"share": "50%", "by": {"exponential": {"mean": "5 h"}}}},
        {"log_in": "4 h", "late": always("30 min"), "leaves_early": always("2 h")},
    ],
)
def test_expected_agents_are_those_who_are_there_on_average(lost: dict[str, Any]) -> None:
    agents, days = 100, 60
    case, plan = late_desk(agents, lost)
    demand = compile_demand(case)
    model, rules = compile_model(case, demand, plan), measuring_rules(case.scenario)
    floor = np.array(
        [
            count(model, run(model, drawn), rules).group_measure("on_the_floor")[0]
            for drawn in draw_replications(demand, 2, range(days))
        ]
    )
    expected = expected_agents(plan, case)["desk"] * case.grid.interval_us
    # The first half-hour of the shift, the last one, and all: in others there is too little to see.
    parts = np.stack([np.eye(48)[16], np.eye(48)[31], np.ones(48)], axis=1)
    floor, expected = floor @ parts, expected @ parts
    mean, error = floor.mean(axis=0), floor.std(axis=0, ddof=1) / np.sqrt(days)
    # A microsecond an agent for rounding, where there is no chance.
    limit = stats.t.isf(FALSE_ALARM / 6, days - 1)
    assert (np.abs(mean - expected) <= limit * error + agents).all()


# However shrinkage is declared, the same hours are paid for the same hours on the floor.

NEEDED = 84
"""Hours on the floor, which every way of losing 30 % leaves of 120 paid hours."""
SPLITS = [
    parts
    for parts in product((Fraction(0), Fraction(1, 8), Fraction(1, 5), Fraction(3, 10)), repeat=4)
    if np.prod([1 - part for part in parts]) == Fraction(7, 10)
]
"""Shares in breaks, log-in, absence and leave, the product of what they leave being 70 %."""


def test_every_way_of_losing_thirty_per_cent_is_meant() -> None:
    assert len(SPLITS) == 4 + 12


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: "-".join(map(str, split)))
def test_paid_hours_are_the_same_however_thirty_per_cent_is_lost(
    split: tuple[Fraction, ...],
) -> None:
    """Shares of what the one before leaves: paid, scheduled, present, without breaks, logged in.

    Breaks and log-in are minutes of a shift of 10 h; absence is a chance, so that it holds for the
    mean; leave is never scheduled. 12 % and 20 % leave 70 %, not 68 %.
    """
    pauses, log_in, absent, leave = split
    left_of_shift = 10 * HOUR * (1 - pauses)
    pause, logging = (int(part) for part in (10 * HOUR * pauses, left_of_shift * log_in))
    scheduled = Fraction(NEEDED) / ((1 - pauses) * (1 - log_in) * (1 - absent))  # hours
    agents = scheduled / 10
    times = agents.denominator
    lost = {
        "log_in": f"{logging // 1_000_000} s",
        "unplanned": f"{float(absent * 100)}%",
        "paid_not_scheduled": f"{float(leave * 100)}%",
    }
    breaks = (PlacedBreak(13 * HOUR, pause, paid=True),) if pause else ()
    plan = StaffingPlan(
        (PlacedShift("desk", 8 * HOUR, "day", 10 * HOUR, breaks, agents.numerator),)
    )
    case = case_from(scenario_of({"call": {}}, shrinkage=lost))
    there = expected_agents(plan, case)["desk"].sum() * case.grid.interval_us / HOUR
    assert there == pytest.approx(NEEDED * times, rel=1e-12)
    paid = Fraction(paid_time(plan, case, "desk"), HOUR) * paid_per_scheduled(
        case.scenario.agent_groups["desk"].shrinkage
    )
    assert paid == 120 * times
    if not absent:  # then a day shows it to the microsecond
        demand = compile_demand(case)
        model = compile_model(case, demand, plan)
        drawn = next(draw_replications(demand, 1, [0]))
        worked = attendance(model, drawn, present(model, drawn))
        assert (worked.end - worked.start)[worked.there].sum() == NEEDED * times * HOUR


def test_lateness_that_is_certain_is_log_in() -> None:
    case, plan = late_desk(10, {"log_in": "40 min"})
    late, _ = late_desk(10, {"late": always("40 min")})
    assert np.array_equal(expected_agents(plan, case)["desk"], expected_agents(plan, late)["desk"])
    assert paid_time(plan, case, "desk") == paid_time(plan, late, "desk") == 10 * 7.5 * HOUR


# What a planner is told.


def with_shifts(lost: dict[str, Any], **group: Any) -> Scenario:
    agents = desk().scenario.agent_groups["desk"].model_dump(mode="json")
    return desk(agent_groups={"desk": {**agents, "shrinkage": lost, **group}}).scenario


def test_a_group_without_shifts_has_nothing_to_be_late_for() -> None:
    found = check(with_shifts(LATE, shifts=[]))
    assert [problem.message[:62] for problem in found] == [
        "the group is staffed by interval, so there is no shift that be"
    ] * 3
    assert not check(with_shifts(LATE))


def test_log_in_leaves_something_of_a_shift() -> None:
    (problem,) = check(with_shifts({"log_in": "30 min"}))
    assert "30 min are all of a shift of 30 min; shorten it" in problem.message


def test_show_says_what_a_shift_loses() -> None:
    case = case_from(with_shifts(LATE))
    said = "\n".join(meaning(case, compile_demand(case))["Staff: what is left of paid time"])
    assert (
        "of each shift: 4 min to log in, 30.0% late by 10.0 min, 20.0% gone early by 15.0" in said
    )
    assert "10.0 min on average, paid and not on the floor" in said


def test_the_search_expects_what_is_left_of_its_shifts() -> None:
    """Shifts of 90 and of 30 minutes without the last 9 are 90 % and 70 % of themselves."""
    case = case_from(with_shifts({"leaves_early": always("9 min"), "unplanned": "10%"}))
    assert kept_share(case, "desk") == pytest.approx(0.9 * (0.9 + 0.7) / 2, rel=1e-12)
