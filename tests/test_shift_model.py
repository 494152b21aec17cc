"""The shift model: known optima, other solvers, counting by hand, the ends of the line of time."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from ccsim.errors import InfeasibleError, PlanError
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import Case, case_from
from ccsim.scenario.model import Scenario
from ccsim.staffing import Requirement, RequirementRow, SolverProgress, schedule_shifts
from ccsim.staffing.program import Program
from ccsim.staffing.shift_model import shift_program, solve_program
from ccsim.staffing.shift_rules import PossibleBreak, PossibleShift, ShiftRules, shift_rules

HOUR = 3_600_000_000
EXACT = 1e-9


def centre(shifts: dict[str, Any], group: dict[str, Any] | None = None, **more: Any) -> Case:
    """One group, paid 1 USD an hour, so that a plan's cost is its paid hours."""
    given = {
        "version": 1,
        "name": "desk",
        "currency": "USD",
        "time_zone": "UTC",
        "horizon": {"start": "2026-09-07", "days": 1, "interval": "60 min"},
        "contact_types": {"call": {"demand": {"rate": "1 calls/h"}, "talk_time": "3 min"}},
        "agent_groups": {
            "desk": {
                "skills": {"call": {}},
                "rate_card": "own",
                "shifts": list(shifts),
                **(group or {}),
            }
        },
        "shifts": shifts,
        "rate_cards": {"own": {"paid_hour": "1 USD"}},
    }
    return case_from(Scenario.model_validate({**given, **more}))


def need(agents: Any, *groups: str, contact_types: tuple[str, ...] = ("call",)) -> Requirement:
    needed = np.asarray(agents, dtype=np.int64)
    groups = groups or ("desk",)
    return Requirement((RequirementRow(contact_types, groups, needed, needed / 2, "Erlang A"),))


def on_the_floor(plan: StaffingPlan, case: Case, step: int = 300_000_000) -> np.ndarray:
    """Agents on the floor in every five minutes, counted from the plan alone."""
    slots = case.grid.end // step
    floor = np.zeros(slots, dtype=np.int64)
    for placed in plan.schedule:
        for begin, end in placed.on_the_floor:
            for slot in range(begin // step, end // step):
                if case.scenario.horizon.begins == "cyclic" or slot < slots:
                    floor[slot % slots] += placed.agents
    for agents in plan.by_interval.values():
        floor += np.repeat(np.array(agents), case.grid.interval_us // step)
    return floor


def covers(plan: StaffingPlan, case: Case, needed: np.ndarray, presence: float = 1.0) -> bool:
    each = np.repeat(needed, case.grid.interval_us // 300_000_000)
    return bool((on_the_floor(plan, case) * presence >= each - 1e-9).all())


# Known optima.


def instance(shared_cases: Path, name: str) -> dict[str, Any]:
    peers = json.loads((shared_cases / "peer_schedules.json").read_text())["instances"]
    return next(each for each in peers if each["id"] == name)


def published(shared_cases: Path, name: str) -> dict[str, Any]:
    cases = json.loads((shared_cases / "published_cases.json").read_text())["cases"]
    return next(each for each in cases if each["id"] == name)


def test_the_readme_instance_of_a_peer(shared_cases: Path) -> None:
    given = instance(shared_cases, "pw-readme-2x24")
    most = given["max_shift_concurrency"]
    day = {"length": "8 h", "at_most": most}
    case = centre(
        {
            "Morning": {"starts": ["05:00"], **day},
            "Afternoon": {"starts": ["13:00"], **day},
            "Mixed": {"starts": ["09:00"], **day},
            # Its night is hours 0-4 and 21-23 of one day: a day with sixteen hours off.
            "Night": {
                "starts": ["00:00"],
                "length": "24 h",
                "at_most": most,
                "breaks": {"off": {"length": "16 h", "after": "5 h"}},
            },
        },
        {"maximum_staff": given["max_period_concurrency"]},
        horizon={"start": "2026-09-07", "days": 2, "interval": "60 min", "begins": "empty"},
    )
    needed = np.concatenate(given["required"])
    solution = schedule_shifts(case, need(needed), gap=0.0)
    best = next(r for r in given["results"] if r["solver"] == "MinRequiredResources")
    assert solution.status == "optimal within gap"
    assert sum(placed.agents for placed in solution.plan.schedule) == best["objective"] == 113
    assert solution.cost == pytest.approx(8 * best["objective"])
    assert solution.bound == pytest.approx(solution.cost)
    assert covers(solution.plan, case, needed)
    assert on_the_floor(solution.plan, case).max() <= given["max_period_concurrency"]


def test_the_published_cyclic_day(shared_cases: Path) -> None:
    given = published(shared_cases, "milp_cyclic8h")
    case = centre({"eight": {"starts": "00:00-23:00 every 60 min", "length": "8 h"}})
    needed = np.array(given["inputs"]["demand"])
    solution = schedule_shifts(case, need(needed), gap=0.0)
    agents = sum(placed.agents for placed in solution.plan.schedule)
    assert agents == given["outputs"]["min_agents"] == 55
    assert solution.bound / 8 == pytest.approx(given["outputs"]["lp_bound"])
    assert covers(solution.plan, case, needed)
    assert all(0 <= placed.start < case.grid.end for placed in solution.plan.schedule)


@pytest.mark.parametrize("begin", [22, 8])
def test_night_breaks_are_refused_like_day_breaks(shared_cases: Path, begin: int) -> None:
    given = instance(shared_cases, "overnight-breaks")
    rule, length = given["break"], (given["shift"]["Night"][1] - given["shift"]["Night"][0]) % 24
    latest = length - rule["max_end_before"] - rule["duration_periods"]
    needed = np.zeros(24, dtype=np.int64)
    needed[(begin + np.arange(length)) % 24] = given["agents"]

    def night(agents: int) -> Case:
        pause = {"length": "1 h", "after": f"{rule['min_start_after']} h - {latest} h"}
        return centre(
            {
                "Night": {
                    "starts": [f"{begin:02d}:00"],
                    "length": f"{length} h",
                    "at_most": agents,
                    "breaks": {"meal": pause},
                }
            }
        )

    # n agents in three hours of breaks: n - ceil(n/3) stay, so five are needed for three.
    for agents in (given["agents"], 4):
        with pytest.raises(InfeasibleError) as refused:
            schedule_shifts(night(agents), need(needed), gap=0.0)
        assert "call cannot be covered on 2026-09-07" in str(refused.value)
        assert f"at_most of shift Night ({agents})" in str(refused.value)
        assert "1 missing" in str(refused.value)
        assert "break windows of shift Night" in str(refused.value)
    solution = schedule_shifts(night(5), need(needed), gap=0.0)
    assert sum(placed.agents for placed in solution.plan.schedule) == 5
    assert covers(solution.plan, night(5), needed)


def test_breaks_on_real_calls(shared_cases: Path, shared_data: Path) -> None:
    """Its rest and lunch windows overlap, which no scenario may: the rules are given directly."""
    pandas = pytest.importorskip("pandas")
    from ccsim.queueing import erlang_c_agents

    published_case = published(shared_cases, "milp_breaks_bankcalls")
    inputs, outputs = published_case["inputs"], published_case["outputs"]
    calls = pandas.read_csv(shared_data / "bank_calls_2003_5min.csv.gz", parse_dates=["DateTime"])
    minute = calls.DateTime.dt.hour * 60 + calls.DateTime.dt.minute
    quarter = (minute - 7 * 60) // 15
    days = calls.DateTime.dt.date.nunique()
    volume = calls.Calls[quarter < 56].groupby(quarter[quarter < 56]).sum().to_numpy() / days
    needed = np.asarray(erlang_c_agents(volume * 240 / 900, 240, 20, 0.8))
    assert needed.sum() == inputs["requirement_sum"]
    assert [needed[0], needed[-1]] == inputs["requirement_ends"]

    def breaks(length: int) -> tuple[PossibleBreak, ...]:
        half = length // 2
        if length < 24:
            return (PossibleBreak("rest", half - 3, half + 2, 1, True),)
        return (
            PossibleBreak("rest1", 5, 9, 1, True),
            PossibleBreak("lunch", half - 4, half + 4, 2, False),
            PossibleBreak("rest2", length - 9, length - 5, 1, True),
        )

    shifts = tuple(
        PossibleShift(
            "desk",
            f"h{length}",
            start,
            length,
            breaks(length),
            length / 4 - 0.5 * (length >= 24),
            None,
        )
        for length in (4 * hours for hours in inputs["shift_lengths_h"])
        for start in range(56 - length + 1)
    )
    rules = ShiftRules(
        slot=HOUR // 4,
        slots=56,
        cyclic=False,
        interval=np.arange(56),
        shifts=shifts,
        by_interval={},
        minimum={"desk": np.zeros(56, dtype=np.int64)},
        maximum={"desk": np.full(56, np.inf)},
        presence={"desk": 1.0},
    )
    answer, _ = solve_program(shift_program(rules, need(needed).rows), gap=1e-4)
    assert answer.status == "optimal within gap"
    assert answer.bound <= outputs["min_paid_hours"] * (1 + 1e-9)
    assert answer.objective == pytest.approx(outputs["min_paid_hours"], rel=1.01e-4)


# Other solvers, and counting.


def solved_by_scipy(program: Program) -> float | None:
    index = {column.name: i for i, column in enumerate(program.columns)}
    matrix = np.zeros((len(program.rows), len(index)))
    for i, row in enumerate(program.rows):
        for name, factor in row.terms.items():
            matrix[i, index[name]] = factor
    answer = milp(
        [column.cost for column in program.columns],
        integrality=[column.whole for column in program.columns],
        bounds=Bounds([c.least for c in program.columns], [c.most for c in program.columns]),
        constraints=LinearConstraint(
            matrix, [r.least for r in program.rows], [r.most for r in program.rows]
        ),
        options={"mip_rel_gap": 0.0},
    )
    return float(answer.fun) if answer.success else None


@given(
    st.lists(st.integers(0, 5), min_size=24, max_size=24),
    st.sampled_from([0.0, 8.0, 30.0]),
    st.sampled_from([None, 2, 4]),
    st.booleans(),
)
@settings(max_examples=20, deadline=None)
def test_another_solver_finds_the_same_cost_and_every_row_is_covered(
    needed: list[int], absent: float, at_most: int | None, cyclic: bool
) -> None:
    case = centre(
        {
            "long": {
                "starts": "00:00-20:00 every 120 min",
                "length": "8 h",
                "breaks": {"lunch": {"length": "1 h", "after": "3 h - 5 h"}},
                **({} if at_most is None else {"at_most": at_most}),
            },
            "short": {"starts": ["03:00", "11:00", "22:00"], "length": "4 h"},
        },
        {"shrinkage": {"unplanned": f"{absent}%"}, "maximum_staff": 12},
        horizon={
            "start": "2026-09-07",
            "days": 1,
            "interval": "60 min",
            "begins": "cyclic" if cyclic else "empty",
        },
    )
    requirement = need(needed)
    program = shift_program(shift_rules(case, requirement), requirement.rows)
    other = solved_by_scipy(program)
    if other is None:
        with pytest.raises(InfeasibleError, match="missing"):
            schedule_shifts(case, requirement, gap=0.0)
        return
    solution = schedule_shifts(case, requirement, gap=0.0)
    assert solution.cost == pytest.approx(other, abs=1e-6)
    assert solution.bound <= solution.cost + EXACT
    assert solution.gap <= 1e-6
    assert covers(solution.plan, case, np.array(needed), 1 - absent / 100)
    assert on_the_floor(solution.plan, case).max(initial=0) <= 12
    paid = sum(placed.paid * placed.agents for placed in solution.plan.schedule) / HOUR
    assert solution.cost == pytest.approx(paid)
    obeys(solution.plan, case)


def obeys(plan: StaffingPlan, case: Case) -> None:
    """Every shift starts where it may, and every break lies in its window."""
    started: dict[tuple[str, str, int], int] = {}
    for placed in plan.schedule:
        rule = case.scenario.shifts[placed.shift]
        day = int(np.searchsorted(case.grid.day_starts, placed.start, side="right")) - 1
        assert placed.start in {case.grid.instant(day, minute) for minute in rule.starts}
        assert placed.length == rule.length
        assert placed.agents > 0
        key = (placed.group, placed.shift, placed.start)
        started[key] = started.get(key, 0) + placed.agents
        windows = sorted(rule.breaks.values(), key=lambda pause: pause.window)
        assert len(windows) == len(placed.breaks)
        for pause, at in zip(windows, placed.breaks, strict=True):
            assert pause.window[0] <= at.start - placed.start <= pause.window[1]
            assert (at.length, at.paid) == (pause.length, pause.paid)
    for (_, shift, _), agents in started.items():
        most = case.scenario.shifts[shift].at_most
        assert most is None or agents <= most
    assert list(plan.schedule) == sorted(plan.schedule)
    assert len({replace(placed, agents=1) for placed in plan.schedule}) == len(plan.schedule)


@given(st.lists(st.integers(0, 2), min_size=4, max_size=4))
@settings(max_examples=15, deadline=None)
def test_nothing_cheaper_among_all_tiny_schedules(wanted: list[int]) -> None:
    case = centre(
        {
            "three": {
                "starts": ["08:00", "09:00"],
                "length": "3 h",
                "breaks": {"tea": {"length": "1 h", "after": "1 h"}},
            },
            "two": {
                "starts": ["08:00", "10:00"],
                "length": "2 h",
                "breaks": {"tea": {"length": "30 min", "after": "30 min - 1 h", "paid": True}},
            },
        }
    )
    needed = np.zeros(24, dtype=np.int64)
    needed[8:12] = wanted
    # By hand, in half-hours from 8:00.
    rows = [
        (np.array([1, 1, 0, 0, 1, 1, 0, 0]), 2.0),
        (np.array([0, 0, 1, 1, 0, 0, 1, 1]), 2.0),
    ]
    for start in (0, 4):
        for tea in (1, 2):
            row = np.zeros(8, dtype=int)
            row[start : start + 4] = 1
            row[start + tea] = 0
            rows.append((row, 2.0))
    each = np.repeat(wanted, 2)
    best = min(
        (
            sum(n * cost for n, (_, cost) in zip(counts, rows, strict=True))
            for counts in product(range(5), repeat=len(rows))
            if (np.tensordot(counts, [row for row, _ in rows], 1) >= each).all()
        ),
        default=None,
    )
    assert best is not None
    assert schedule_shifts(case, need(needed), gap=0.0).cost == pytest.approx(best)


# The line of time.


def test_a_night_shift_covers_the_morning_after_and_wraps_round_the_week() -> None:
    night = {"night": {"starts": ["22:00"], "length": "8 h"}}
    week = {"start": "2026-09-07", "days": 7, "interval": "60 min"}
    needed = np.zeros(168, dtype=np.int64)
    needed[:6] = 2  # Monday until six: only those who came on Sunday can be there.
    case = centre(night, horizon=week)
    (placed,) = schedule_shifts(case, need(needed), gap=0.0).plan.schedule
    assert (placed.start, placed.agents) == (6 * 24 * HOUR + 22 * HOUR, 2)
    assert placed.end > case.grid.end
    with pytest.raises(InfeasibleError, match="none of which is on the floor then"):
        schedule_shifts(centre(night, horizon={**week, "begins": "empty"}), need(needed), gap=0.0)
    needed = np.zeros(168, dtype=np.int64)
    needed[24:30] = 1
    (placed,) = schedule_shifts(case, need(needed), gap=0.0).plan.schedule
    assert placed.start == 22 * HOUR


def test_clock_changes_move_no_shift_off_its_clock_time() -> None:
    case = centre(
        {"day": {"starts": ["01:00", "08:00"], "length": "8 h"}},
        time_zone="Europe/Berlin",
        horizon={"start": "2026-03-28", "days": 2, "interval": "60 min", "begins": "empty"},
    )
    needed = np.isin(case.grid.minute // 60, range(8, 16)).astype(np.int64)
    plan = schedule_shifts(case, need(needed), gap=0.0).plan
    # The second day is an hour short: eight o'clock is 31 hours after the first midnight.
    assert [placed.start // HOUR for placed in plan.schedule] == [8, 31]
    assert covers(plan, case, needed)


def test_weekdays_limit_the_starts() -> None:
    case = centre(
        {"day": {"starts": ["08:00"], "days": "tue,thu", "length": "8 h"}},
        horizon={"start": "2026-09-07", "days": 7, "interval": "60 min"},
    )
    starts = {
        possible.start * shift_rules(case).slot // HOUR for possible in shift_rules(case).shifts
    }
    assert starts == {24 + 8, 72 + 8}


# Groups, money, guards.


def test_money_is_what_the_bill_says() -> None:
    from ccsim.economics.paid import schedule_cost

    case = centre(
        {
            "day": {
                "starts": ["08:00"],
                "length": "8 h",
                "breaks": {"lunch": {"length": "30 min", "after": "4 h"}},
            }
        },
        {"shrinkage": {"paid_not_scheduled": "18%", "unplanned": "8%"}},
        rate_cards={"own": {"paid_hour": "21 USD", "on_cost": "30%"}},
    )
    needed = np.zeros(24, dtype=np.int64)
    needed[8:12] = 10
    solution = schedule_shifts(case, need(needed), gap=0.0)
    # 10 present ask for 11 scheduled: 11 x 0.92 = 10.12.
    assert solution.plan.schedule[0].agents == 11
    assert solution.cost == pytest.approx(11 * 7.5 * 21 * 1.3 / 0.82)
    assert solution.cost == pytest.approx(
        float(schedule_cost(case.scenario, solution.plan, case.grid)), abs=0.01
    )


def two_groups(**more: Any) -> Case:
    return centre(
        {"day": {"starts": ["08:00"], "length": "8 h"}},
        agent_groups={
            "desk": {"skills": {"call": {}}, "rate_card": "own", "shifts": ["day"]},
            "partner": {"skills": {"call": {}}, "rate_card": "outside", **more},
        },
        rate_cards={
            "own": {"paid_hour": "10 USD"},
            "outside": {"handled_minute": "0.20 USD", "capacity": 4},
        },
    )


def test_a_partner_fills_what_is_dear_to_fill_and_never_beyond_capacity() -> None:
    needed = np.zeros(24, dtype=np.int64)
    needed[8:16] = 3
    needed[10] = 7
    case = two_groups()
    solution = schedule_shifts(case, need(needed, "desk", "partner"), gap=0.0)
    # Half busy by formula: 6 USD an hour for the partner, 10 for own agents: he takes all he may.
    partner = np.array(solution.plan.by_interval["partner"])
    assert partner.max() == 4
    assert sum(placed.agents for placed in solution.plan.schedule) == 3
    assert covers(solution.plan, case, needed)
    assert solution.cost == pytest.approx(3 * 80 + 4 * 6)
    needed[20] = 5  # Own shifts have ended; four seats are not five.
    with pytest.raises(InfeasibleError) as refused:
        schedule_shifts(case, need(needed, "desk", "partner"), gap=0.0)
    for words in (
        "20:00",
        "5 agents",
        "1 missing",
        "the capacity of partner (4)",
        "shifts of desk",
    ):
        assert words in str(refused.value)


def test_a_group_of_a_given_size_is_taken_as_it_is() -> None:
    case = two_groups(agents=2)
    needed = np.zeros(24, dtype=np.int64)
    needed[8:16] = 3
    solution = schedule_shifts(case, need(needed, "desk", "partner"), gap=0.0)
    assert set(solution.plan.by_interval["partner"]) == {2}
    assert sum(placed.agents for placed in solution.plan.schedule) == 1


def test_where_nothing_is_left_to_plan_nothing_is_refused() -> None:
    group = {"skills": {"call": {}}, "rate_card": "own", "agents": 2}
    solution = schedule_shifts(centre({}, agent_groups={"desk": group}), need([5] * 24), gap=0.0)
    assert set(solution.plan.by_interval["desk"]) == {2}  # too few; the simulation will say so
    assert solution.cost == pytest.approx(2 * 24)


def test_minimum_staff_while_open_breaks_included() -> None:
    case = centre(
        {
            "day": {
                "starts": ["08:00"],
                "length": "8 h",
                "breaks": {"lunch": {"length": "1 h", "after": "3 h - 4 h"}},
            }
        },
        {"minimum_staff": 1},
        contact_types={
            "call": {
                "demand": {"rate": "1 calls/h"},
                "talk_time": "3 min",
                "open": {"mon": "08:00-16:00"},
            }
        },
    )
    solution = schedule_shifts(case, need(np.zeros(24)), gap=0.0)
    assert sum(placed.agents for placed in solution.plan.schedule) == 2  # one goes to lunch first
    floor = on_the_floor(solution.plan, case)
    assert floor[8 * 12 : 16 * 12].min() == 1


def test_a_flexible_group_is_not_counted_twice() -> None:
    case = centre(
        {"day": {"starts": ["08:00"], "length": "8 h"}},
        contact_types={
            name: {"demand": {"rate": "1 calls/h"}, "talk_time": "3 min"} for name in "AB"
        },
        agent_groups={
            name: {"skills": {s: {} for s in skills}, "rate_card": card, "shifts": ["day"]}
            for name, skills, card in (("a", "A", "own"), ("b", "B", "own"), ("flex", "AB", "dear"))
        },
        rate_cards={"own": {"paid_hour": "10 USD"}, "dear": {"paid_hour": "14 USD"}},
    )
    agents = np.zeros(24, dtype=np.int64)
    agents[8:16] = 1

    def row(types: str, groups: str, number: int) -> RequirementRow:
        return RequirementRow(
            tuple(types), tuple(groups.split()), agents * number, agents, "Erlang C"
        )

    rows = (row("A", "a flex", 17), row("B", "b flex", 17), row("AB", "a b flex", 31))
    solution = schedule_shifts(case, Requirement(rows), gap=0.0)
    staff = {placed.group: placed.agents for placed in solution.plan.schedule}
    # Thirty-one in all, seventeen for each: three must be flexible.
    assert staff == {"a": 14, "b": 14, "flex": 3}


def test_no_requirement_needs_nobody() -> None:
    case = centre({"day": {"starts": ["08:00"], "length": "8 h"}})
    solution = schedule_shifts(case, need(np.zeros(24)), gap=0.0)
    assert (solution.plan.schedule, solution.cost, solution.bound) == ((), 0.0, 0.0)


# Truth about the search.


def hard_days(every: int = 30) -> tuple[Case, Requirement]:
    pause = {"length": "15 min", "after": "1 h 30 min - 2 h 30 min", "paid": True}
    lunch = {"length": "30 min", "after": "3 h 30 min - 4 h 30 min"}
    case = centre(
        {
            "nine": {
                "starts": f"00:00-23:30 every {every} min",
                "length": "9 h",
                "breaks": {"tea": pause, "lunch": lunch},
            },
            "six": {
                "starts": f"00:00-23:30 every {every} min",
                "length": "6 h",
                "breaks": {"tea": pause, "lunch": lunch},
            },
        },
        horizon={"start": "2026-09-07", "days": 2, "interval": "30 min"},
    )
    curve = 12 + 10 * np.sin(np.arange(96) * 2 * np.pi / 48) + np.arange(96) % 5
    return case, need(np.round(curve))


def test_interrupting_keeps_the_best_so_far_and_says_so() -> None:
    case, requirement = hard_days()
    seen: list[SolverProgress] = []

    def press(progress: SolverProgress) -> None:
        seen.append(progress)
        if np.isfinite(progress.cost) and len(seen) > 1:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    solution = schedule_shifts(case, requirement, gap=0.0, progress=press)
    assert signal.getsignal(signal.SIGINT) is before
    assert solution.status == "interrupted"
    assert solution.bound < solution.cost
    assert solution.gap == pytest.approx((solution.cost - solution.bound) / solution.cost)
    assert covers(solution.plan, case, requirement.rows[0].agents)
    obeys(solution.plan, case)


def test_the_same_twice_and_a_warm_start_is_never_worse() -> None:
    case, requirement = hard_days(every=240)
    gap = 0.05
    first, second = (schedule_shifts(case, requirement, gap=gap) for _ in range(2))
    assert first.status == "optimal within gap"
    assert first.gap <= gap
    assert (first.plan, first.cost, first.bound) == (second.plan, second.cost, second.bound)
    warm = schedule_shifts(case, requirement, gap=gap, warm_start=first.plan)
    assert warm.cost <= first.cost + EXACT


def test_days_that_share_nothing_are_solved_apart_to_the_same_cost() -> None:
    case = centre(
        {"day": {"starts": "07:00-10:00 every 60 min", "length": "6 h"}},
        horizon={"start": "2026-09-07", "days": 3, "interval": "60 min"},
    )
    day = np.zeros(24, dtype=np.int64)
    day[8:15] = [2, 3, 5, 4, 4, 2, 1]
    requirement = need(np.concatenate([day, day, day // 2]))
    program = shift_program(shift_rules(case, requirement), requirement.rows)
    parts = [part for part in program.parts() if part.rows]
    assert len(parts) == 3
    assert parts[0].fingerprint == parts[1].fingerprint != parts[2].fingerprint
    answer, values = solve_program(program, gap=0.0)
    assert answer.objective == pytest.approx(solved_by_scipy(program))
    assert sorted(values) == [column.name for column in program.columns]


# What cannot be.


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (
            {
                "length": "8 h",
                "breaks": {
                    "tea": {"length": "15 min", "after": "2 h - 3 h"},
                    "lunch": {"length": "30 min", "after": "3 h - 4 h"},
                },
            },
            "'lunch' may begin before 'tea' has ended",
        ),
        (
            {"length": "4 h", "breaks": {"tea": {"length": "15 min", "after": "3 h - 4 h"}}},
            "may end after the shift has ended",
        ),
        ({"length": "25 h"}, "more than the whole horizon"),
        ({"length": "7 h 59 min"}, "no common step of 5 min"),
    ],
)
def test_rules_that_contradict_themselves_are_named(shift: dict[str, Any], words: str) -> None:
    case = centre({"odd": {"starts": ["08:00"], **shift}})
    with pytest.raises(PlanError, match="odd") as refused:
        schedule_shifts(case, need(np.ones(24)), gap=0.0)
    assert words in str(refused.value)


def test_an_impossible_week_is_explained() -> None:
    day = {"day": {"starts": ["08:00"], "length": "8 h"}}
    case = centre(day, {"maximum_staff": 3})
    needed = np.zeros(24, dtype=np.int64)
    needed[8:16] = 2
    needed[12] = 7
    with pytest.raises(InfeasibleError) as refused:
        schedule_shifts(case, need(needed), gap=0.0)
    for words in ("call", "2026-09-07 12:00", "7 agents", "3 can be", "4 missing", "desk (3)"):
        assert words in str(refused.value)
    narrow = centre(day, {"minimum_staff": 4, "maximum_staff": 3})
    with pytest.raises(InfeasibleError):
        schedule_shifts(narrow, need(np.zeros(24)), gap=0.0)
