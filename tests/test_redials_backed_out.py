"""The round trip of a count: known demand, played, counted as an ACD would, written, backed out.

The fresh rate must come back. Its error is the jackknife's over replications; a perfect round trip
fails with the chance 1e-6 each. What comes back is the number, not the shape of the day.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from ccsim.demand.draw import draw_replications
from ccsim.demand.model import compile_demand
from ccsim.plans import StaffingPlan
from ccsim.scenario import read_case, resolved_yaml
from ccsim.scenario.case import Case, case_from
from ccsim.scenario.model import Scenario
from ccsim.simulation.log import Outcome
from ccsim.simulation.model import compile_model
from ccsim.simulation.reference import run
from tests.oracles import FALSE_ALARM, scenario_of

REPLICATIONS = 64
HALF_HOUR = 1_800_000_000


class Counted(NamedTuple):
    """What an ACD counts, by replication and interval: it does not know who has called before."""

    offered: NDArray[np.int64]
    abandoned: NDArray[np.int64]
    unresolved: NDArray[np.int64]


def centre(agents: int, resolution: str = "100%", **call: Any) -> tuple[Case, StaffingPlan]:
    given = {
        "demand": {"rate": "60 calls/h"},
        "talk_time": {"exponential": {"mean": "3 min"}},
        "patience": {"exponential": {"mean": "1 min"}},
        **call,
    }
    groups = {"desk": {"call": {"priority": 1, "resolution": resolution}}}
    case = case_from(scenario_of({"call": given}, groups, begins="cyclic", warm_up="1 d"))
    return case, StaffingPlan(by_interval={"desk": (agents,) * 48})


def counted(case: Case, plan: StaffingPlan, seed: int = 3) -> Counted:
    demand = compile_demand(case)
    model = compile_model(case, demand, plan)
    logs = [run(model, day) for day in draw_replications(demand, seed, range(REPLICATIONS), 1)]

    def by_interval(of: str) -> NDArray[np.int64]:
        rows = []
        for log in logs:
            mine = {
                "offered": np.ones(len(log.arrival), np.bool_),
                "abandoned": log.outcome == Outcome.ABANDONED,
                "unresolved": log.unresolved.astype(np.bool_),
            }[of]
            mine &= (log.arrival >= 0) & (log.arrival < case.grid.end)
            rows.append(np.bincount(log.arrival[mine] // HALF_HOUR, minlength=case.grid.intervals))
        return np.array(rows)

    return Counted(*map(by_interval, Counted._fields))


def written(case: Case, seen: Counted, includes: list[str]) -> dict[str, Any]:
    """What somebody who has only the ACD's report writes as demand, without rate or file."""
    offered, abandoned, unresolved = (int(column.sum()) for column in seen)
    demand: dict[str, Any] = {"includes": includes}
    demand["observed_abandonment"] = f"{100 * abandoned / offered:.12f}%"
    if "repeats" in includes:
        settled = 1 - unresolved / (offered - abandoned)
        demand["observed_resolution"] = f"{100 * settled:.12f}%"
    return demand


def fresh(case: Case, seen: Counted, includes: list[str]) -> NDArray[np.float64]:
    """Fresh contacts by interval of the scenario that has the count as its demand."""
    scenario = case.scenario.model_dump(mode="json")
    per_hour = seen.offered.sum() / len(seen.offered) / 24
    demand = {"rate": f"{per_hour:.9f} calls/h", **written(case, seen, includes)}
    scenario["contact_types"]["call"]["demand"] = demand
    (given,) = compile_demand(case_from(Scenario.model_validate(scenario))).contact_types
    return given.fresh


def z_score(case: Case, seen: Counted, includes: list[str], truth: float) -> float:
    """Fresh contacts that came back less those that came, in jackknife errors."""
    whole = float(fresh(case, seen, includes).sum())
    one_out = np.array(
        [
            fresh(case, Counted(*(np.delete(c, gone, axis=0) for c in seen)), includes).sum()
            for gone in range(REPLICATIONS)
        ]
    )
    error = np.sqrt((REPLICATIONS - 1) ** 2 / REPLICATIONS * one_out.var(ddof=1))
    return float((whole - truth) / error)


LIMIT = float(stats.t.isf(FALSE_ALARM / 2, REPLICATIONS - 1))
REDIAL = {"probability": "60%", "delay": {"exponential": {"mean": "4 min"}}, "at_most": 20}
REPEAT = {"delay": {"exponential": {"mean": "20 min"}}, "at_most": 20, "clock": "calendar"}
CENTRES: dict[str, tuple[dict[str, Any], list[str], float]] = {
    "redials, one in three gives up": (
        {"agents": 2, "redial": REDIAL}, ["redials"], 1.2,
    ),
    "redials within half a minute": (
        {"agents": 3, "redial": {**REDIAL, "delay": "30 s"}}, ["redials"], 1.1,
    ),
    "repeats alone": (
        {"agents": 6, "resolution": "70%", "repeat": REPEAT}, ["redials", "repeats"], 1.3,
    ),
    "redials and repeats": (
        {"agents": 4, "resolution": "75%", "redial": REDIAL, "repeat": REPEAT},
        ["redials", "repeats"], 1.4,
    ),
    "redials and repeats after hours": (
        {"agents": 4, "resolution": "80%", "redial": {**REDIAL, "delay": "90 min"},
         "repeat": {**REPEAT, "delay": "2 h"}},
        ["redials", "repeats"], 1.2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CENTRES)
def test_the_fresh_rate_comes_back(name: str) -> None:
    """Round the clock after a warm-up, so that what is cut at the end came over the begin."""
    given, includes, at_least = CENTRES[name]
    case, plan = centre(**{"redial": REDIAL, **given})
    seen = counted(case, plan)
    truth = float(compile_demand(case).contact_types[0].fresh.sum())
    assert seen.offered.sum() / REPLICATIONS > at_least * truth  # there is something to back out
    assert abs(z_score(case, seen, includes, truth)) < LIMIT


def test_a_bound_that_many_reach_is_not_backed_out_wholly() -> None:
    """The formula takes each attempt to be given up with the same chance. Who calls again at once
    finds the queue that she left: more reach the bound than it says, and fresh demand is too low.
    """
    case, plan = centre(3, redial={"probability": "100%", "delay": "5 s", "at_most": 3})
    seen = counted(case, plan)
    truth = float(compile_demand(case).contact_types[0].fresh.sum())
    assert z_score(case, seen, ["redials"], truth) < -LIMIT


def test_the_number_comes_back_and_the_shape_stays_that_of_the_count(tmp_path: Path) -> None:
    """A peak of four half-hours, whose redials call two hours later, each exactly.

    The file of the count is read again. All fresh contacts come back; the peak is too low by the
    redials it sent on, and two hours later it is too high by those it received: the shape of the
    day is taken as unchanged.
    """
    profile = np.where((np.arange(48) >= 18) & (np.arange(48) < 22), 90.0, 10.0)
    case, plan = centre(4, redial={**REDIAL, "delay": "2 h"})
    case = case_from(case.scenario, {"call": profile})
    seen = counted(case, plan)
    truth = float(compile_demand(case).contact_types[0].fresh.sum())
    assert truth == profile.sum()
    assert abs(z_score(case, seen, ["redials"], truth)) < LIMIT

    mean = seen.offered.mean(axis=0)
    clocks = [f"{i // 2:02d}:{i % 2 * 30:02d}" for i in range(48)]
    rows = [f"2026-09-07,{clock},{count:.9f}" for clock, count in zip(clocks, mean, strict=True)]
    (tmp_path / "counts.csv").write_text("\n".join(["date,start,call", *rows]), encoding="utf-8")
    rated = resolved_yaml(case).replace("rate: 60 calls/h", "rate: 1 calls/h")
    (tmp_path / "rated.yaml").write_text(rated, encoding="utf-8")
    report = written(case, seen, ["redials"]) | {"rate": None, "file": "counts.csv"}
    lines = "\n".join(f"      {key}: {_yaml(value)}" for key, value in report.items())
    text = f"extends: rated.yaml\ncontact_types:\n  call:\n    demand:\n{lines}\n"
    (tmp_path / "counted.yaml").write_text(text, encoding="utf-8")
    (back,) = compile_demand(read_case(tmp_path / "counted.yaml")).contact_types
    assert back.fresh.sum() == pytest.approx(fresh(case, seen, ["redials"]).sum(), rel=1e-9)

    share = back.fresh.sum() / mean.sum()
    again = np.roll(0.6 * seen.abandoned.mean(axis=0), 4)  # two hours later
    expected = share * (profile + again)
    error = seen.offered.std(axis=0, ddof=1) / np.sqrt(REPLICATIONS)
    assert (np.abs(back.fresh - expected) < LIMIT * (error + 0.05)).all()
    assert (back.fresh[18:22] < profile[18:22] - LIMIT * error[18:22]).all()
    assert (back.fresh[22:26] > profile[22:26] + LIMIT * error[22:26]).all()


def _yaml(value: Any) -> str:
    return "null" if value is None else str(value).replace("'", "")
