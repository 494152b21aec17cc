"""Comparisons week by week: on samples made by hand, and coaching against capacity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ccsim import study
from ccsim.demand.model import compile_demand
from ccsim.economics.contracts import paid_per_scheduled
from ccsim.economics.paid import paid_time
from ccsim.performance.tally import CONTACT_MEASURES, GROUP_MEASURES
from ccsim.plans import StaffingPlan
from ccsim.results import Comparison, Simulation
from ccsim.results.weeks import pays_back, week_differences, week_table, weeks_of
from ccsim.scenario import case_from, read_case
from ccsim.staffing.spare import required
from tests.oracles import scenario_of

HOUR = 3_600_000_000
COACHING = Path(__file__).parents[1] / "scenarios" / "coaching_vs_capacity.yaml"


def simulated(**differ: Any) -> Simulation:
    """Three weeks of hardly anybody."""
    call = {"demand": {"rate": "0.1 calls/h"}}
    case = case_from(scenario_of({"call": call}, differ=differ, days=21))
    plan = StaffingPlan(by_interval={"desk": (1,) * case.grid.intervals})
    return study.simulate(case, plan, seed=1, replications=320, engine="compiled")


def with_counts(one: Simulation, weeks: list[dict[str, int]]) -> Simulation:
    """The same, with other counts on the first day of each week and none on the others."""
    contacts, groups = np.zeros_like(one.sample.contacts), np.zeros_like(one.sample.groups)
    for week, counts in enumerate(weeks):
        for name, value in counts.items():
            if name in CONTACT_MEASURES:
                contacts[:, CONTACT_MEASURES.index(name), :, 7 * week] = value
            else:
                groups[:, GROUP_MEASURES.index(name), :, 7 * week] = value
    return replace(one, sample=replace(one.sample, contacts=contacts, groups=groups))


def week(requests: int, lost: int, hours: float, floor: float, repeats: int = 0) -> dict[str, int]:
    return {
        "offered": requests,
        "requests": requests,
        "lost": lost,
        "handle_time": round(hours * HOUR),
        "on_the_floor": round(floor * HOUR),
        "repeats": repeats,
    }


def test_hours_saved_are_for_as_many_served_requests() -> None:
    """Who gives up saves nothing: 80 served in 16 hours take as long each as 100 in 20."""
    one = simulated()
    first = with_counts(one, [week(100, 0, 20, 50)] * 3)
    other = with_counts(one, [week(100, 20, 16, 48), week(100, 0, 17, 48), week(100, 0, 15, 48)])
    found = {(d.week, d.measure): d.estimate for d in week_differences(first, other)}
    assert [found[n, "saved_hours"].value for n in (1, 2, 3)] == pytest.approx([0, 3, 5])
    assert [found[n, "on_the_floor_hours"].value for n in (1, 2, 3)] == pytest.approx([-2] * 3)
    assert [found[n, "hours_back"].value for n in (1, 2, 3)] == pytest.approx([-2, -1, 2])
    assert pays_back(first, other) == (3, 3)
    assert pays_back(other, first)[1] is None
    table = week_table((first, other))
    assert len(table) == 3 * 5
    assert list(table.columns)[:4] == ["variant", "week", "measure", "contact_type"]


def test_short_horizons_have_no_weeks() -> None:
    assert weeks_of(7) == []
    assert weeks_of(13) == []
    assert [len(days) for days in weeks_of(17)] == [7, 7, 3]


def test_coaching_is_paid_like_capacity() -> None:
    """One of forty is away, and leave and training of 2.5 % make 39 scheduled 40 paid ones."""
    paid = {}
    for variant in (None, "coached", "in_vain"):
        case = read_case(COACHING, variant)
        group = case.scenario.agent_groups["desk"]
        is_open = case.grid.opening(case.scenario.hours("helpdesk"))
        plan = StaffingPlan(by_interval={"desk": tuple((group.agents or 0) * is_open)})
        hours = paid_time(plan, case, "desk") * paid_per_scheduled(group.shrinkage)
        paid[variant] = hours / HOUR
    assert paid[None] == paid["coached"] == paid["in_vain"] == 40 * 8 * 60


def test_what_coaching_does_is_what_its_fields_say() -> None:
    """Nothing for two weeks, half of it in the fifth, all from the ninth on; for formulas too."""
    plain, coached = (
        required(case, compile_demand(case)).row("helpdesk").load
        for case in (read_case(COACHING), read_case(COACHING, "coached"))
    )
    (pace,) = compile_demand(read_case(COACHING, "coached")).paces
    assert pace is not None
    handle, settles = pace.learned / 1e6
    assert (handle[:14] == 1).all()
    assert (handle[56:] == 0.97).all()
    assert (settles[56:] == 1.06).all()
    # The day in the middle of the six weeks has half of it, a half-day before it ends.
    assert handle[35] == pytest.approx(1 - 0.03 * 21.5 / 42, abs=1e-6)
    is_open = plain > 0
    ratio = (coached[is_open] / plain[is_open]).reshape(60, -1)[:, 0]
    assert ratio[:10] == pytest.approx(1)
    assert (np.diff(ratio) <= 1e-12).all()
    resolution = 0.72 * (0.25 * 0.92 + 0.75)
    attempts = [sum((1 - r) ** n for n in range(4)) for r in (resolution, 1.06 * resolution)]
    assert ratio[-1] == pytest.approx(0.97 * attempts[1] / attempts[0], rel=1e-6)


def test_a_comparison_of_weeks_has_them_in_its_tables() -> None:
    one = simulated()
    comparison = Comparison((one, one), seed=1)
    assert comparison.weeks == 3
    assert set(comparison.tables["weeks"]["difference"]) == {0}
