"""Centres that another simulator published: every count inside the combined interval.

Theirs and ours come from days of their own: 1,000 and 1,024 of them. The rule is that of the case:
the difference is at most 1.2 times the sum of both half-widths. Their conventions are formed here
from the log, where they differ from the nomenclature.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ccsim.demand.draw import draw_replications
from ccsim.demand.model import compile_demand
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import case_from
from ccsim.scenario.model import Scenario
from ccsim.simulation.engine import chosen, run
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.simulation.model import Model, compile_model
from tests.oracles import scenario_of

DAYS = 1024
SECOND, MINUTE = 1_000_000, 60_000_000

Counts = Mapping[str, float]


def eight_hours(given: dict[str, Any]) -> tuple[Scenario, StaffingPlan, dict[str, Any]]:
    """One queue from empty; whoever came in time is served out."""
    hours = given["horizon_min"] // 60
    call = {
        "open": {"all": f"00:00-{hours:02d}:00"},
        "demand": {"rate": f"{given['lam_per_min']} calls/min"},
        "talk_time": {"exponential": {"mean": f"{given['mean_service_min']} min"}},
    }
    if "mean_patience_min" in given:
        call["patience"] = {"exponential": {"mean": f"{given['mean_patience_min']} min"}}
    level = (given["agents"],) * (2 * hours) + (0,) * (48 - 2 * hours)
    return scenario_of({"call": call}), StaffingPlan(by_interval={"desk": level}), {}


def counted_eight_hours(given: dict[str, Any], model: Model, log: ContactLog) -> Counts:
    answered, abandoned = log.outcome == Outcome.ANSWERED, log.outcome == Outcome.ABANDONED
    late = abandoned & (log.wait > given["awt_s"] * SECOND)
    good = int((answered & (log.wait <= given["awt_s"] * SECOND)).sum())
    # Busy and there in the opening hours; ours counts what is done after closing in both.
    end = given["horizon_min"] * MINUTE
    inside = np.minimum(log.ended, end) - np.minimum(log.left_queue, end)
    return {
        "good_contacts": good,
        "service_level": good,
        "sl_over_served": good,
        "sl_with_abandon": good,
        "served": int(answered.sum()),
        "served or late": int(answered.sum() + late.sum()),
        "abandoned": int(abandoned.sum()),
        "asa_min": int(log.wait[answered].sum()) / MINUTE,
        "occupancy": int(inside[answered].sum()),
        "there": given["agents"] * end,
    }


@pytest.mark.parametrize("name", ["cc_MMC", "cc_MMCAb"])
def test_eight_hours(published: dict[str, dict[str, Any]], name: str) -> None:
    given, expected = published[name]["inputs"], published[name]["outputs"]
    counts = played(*eight_hours(given), lambda model, log: counted_eight_hours(given, model, log))
    bases = {
        "service_level": "served",
        "sl_over_served": "served",
        "sl_with_abandon": "served or late",
        "asa_min": "served",
        "occupancy": "there",
    }
    for quantity in sorted(expected.keys() - {"cpu_s"}):
        agrees(quantity, counts, bases.get(quantity), expected[quantity])


def telethon(given: dict[str, Any]) -> tuple[Scenario, StaffingPlan, dict[str, Any]]:
    """Whoever has waited two minutes leaves a message: patience ends there at the latest."""
    longest = 60 * given["max_queue_min"]
    seconds = np.linspace(0, longest, 4 * longest + 1)
    stays = np.exp(-seconds / (60 * given["mean_patience_min"]))
    # The same moment twice: all who are left go then.
    seconds, stays = np.append(seconds, longest), np.append(stays, 0.0)
    scenario = scenario_of(
        {
            "call": {
                "open": {"all": "06:00-10:00"},
                "demand": {"rate": f"{given['lam_per_hour']} calls/h"},
                "talk_time": {"exponential": {"mean": f"{given['mean_service_min']} min"}},
                "patience": {"survival": {"file": "stays"}},
                "line_group": "trunk",
                "at_closing": "clear",
            }
        },
        lines={"trunk": given["lines"]},
        days=given["days"],
    )
    day = (0,) * 12 + (given["agents"],) * 8 + (0,) * 28
    plan = StaffingPlan(by_interval={"desk": day * given["days"]})
    return scenario, plan, {"stays": np.column_stack([seconds, stays])}


def counted_telethon(given: dict[str, Any], model: Model, log: ContactLog) -> Counts:
    answered, abandoned = log.outcome == Outcome.ANSWERED, log.outcome == Outcome.ABANDONED
    message = abandoned & (log.wait >= given["max_queue_min"] * MINUTE)
    busy = int((log.ended - log.left_queue)[answered].sum())
    stretches = model.stretches
    return {
        "arrived": len(log.arrival),
        "served": int(answered.sum()),
        "blocked": int((log.outcome == Outcome.BLOCKED).sum()),
        "abandoned": int((abandoned & ~message).sum()),
        "messages": int(message.sum()),
        "disconnected": int((log.outcome == Outcome.CLEARED).sum()),
        "in_target": int((answered & (log.wait <= given["awt_s"] * SECOND)).sum()),
        "asa_min": int(log.wait[answered].sum()) / MINUTE,
        "service_level_pct": 100 * int((answered & (log.wait <= given["awt_s"] * SECOND)).sum()),
        # What is done after closing counts above and not below.
        "occupancy_pct": 100 * busy,
        "hours there": int((stretches.end - stretches.start).sum()),
    }


def test_telethon(published: dict[str, dict[str, Any]]) -> None:
    case = published["cc_Telethon"]
    given, expected = case["inputs"], case["outputs"]
    counts = played(*telethon(given), lambda model, log: counted_telethon(given, model, log))
    hours = int(given["hours"][3:]) - int(given["hours"][:2])
    counts["arrivals expected"] = np.full(DAYS, given["lam_per_hour"] * hours * given["days"])
    bases = {
        "asa_min": "served",
        "service_level_pct": "arrivals expected",
        "occupancy_pct": "hours there",
    }
    compared = expected.keys() - {"cpu_s"}
    assert len(compared) == 10
    for quantity in compared:
        agrees(quantity, counts, bases.get(quantity), expected[quantity])


def simple_msk(given: dict[str, Any]) -> tuple[Scenario, StaffingPlan, dict[str, Any]]:
    """A type in a period is a contact type: handle times and patience go by the arrival's period.

    One factor a day makes all of them busy.
    """
    hours = 2
    types: dict[str, dict[str, Any]] = {}
    for kind, rates in enumerate(given["lam_per_min"]):
        for period, rate in enumerate(rates):
            talk, patience = (
                60 / given[f"{what}_rate_per_min_by_period"][period]
                for what in ("service", "patience")
            )
            types[f"type_{kind}_{period}"] = {
                "open": {"all": f"{hours * period:02d}:00-{hours * (period + 1):02d}:00"},
                "demand": {
                    "rate": f"{rate} calls/min",
                    "forecast_error": {"gamma": {"shape": 28.7}, "shared": "100%"},
                },
                "talk_time": {"exponential": {"mean": f"{talk:.9f} s"}},
                "patience": {"exponential": {"mean": f"{patience:.9f} s"}},
                "targets": [f"50% answered within {given['awt_s']} s, over each day"],
            }
    groups = {
        f"group_{number}": {name: 1 + number for name in types if int(name.split("_")[1]) in kinds}
        for number, kinds in enumerate(given["group_to_type"])
    }
    plan = {
        f"group_{number}": tuple(np.repeat(levels, 2 * hours).tolist()) + (0,) * 36
        for number, levels in enumerate(given["agents"])
    }
    # Those of the last period serve out, as theirs do.
    assert given["wrapup_agents"] == [levels[-1] for levels in given["agents"]]
    return scenario_of(types, groups), StaffingPlan(by_interval=plan), {}


def counted_simple_msk(given: dict[str, Any], model: Model, log: ContactLog) -> Counts:
    answered, abandoned = log.outcome == Outcome.ANSWERED, log.outcome == Outcome.ABANDONED
    in_time = log.wait <= given["awt_s"] * SECOND
    group = model.agent_group[log.agent[answered]]
    stretches = model.stretches
    floor = model.agent_group[stretches.agent] == 0
    # Theirs of the last period stay until the last contact of the day is over.
    last = stretches.end == stretches.end.max()
    left = np.where(last, max(log.ended.max(), stretches.end.max()), log.stretch_left)
    good = {
        f"good {name}": int((answered & in_time & (log.contact_type == index)).sum())
        for index, name in enumerate(model.contact_types)
    }
    return {
        "served": int(answered.sum()),
        "abandoned": int(abandoned.sum()),
        "service_level": sum(good.values()),
        "served or late": int(answered.sum() + (abandoned & ~in_time).sum()),
        "occupancy_group0": int((log.ended - log.left_queue)[answered][group == 0].sum()),
        "there": int((left - stretches.start)[floor].sum()),
        **good,
    }


def test_simple_msk(published: dict[str, dict[str, Any]]) -> None:
    case = published["cc_SimpleMSK"]
    given, expected = case["inputs"], case["outputs"]
    counts = played(*simple_msk(given), lambda model, log: counted_simple_msk(given, model, log))
    assert expected.keys() == {
        "served", "abandoned", "service_level", "occupancy_group0", "good_by_type_period",
    }  # fmt: skip
    bases = {"service_level": "served or late", "occupancy_group0": "there"}
    for quantity in ("served", "abandoned", "service_level", "occupancy_group0"):
        agrees(quantity, counts, bases.get(quantity), expected[quantity])
    for kind, periods in enumerate(expected["good_by_type_period"]):
        for period, stated in enumerate(periods):
            agrees(f"good type_{kind}_{period}", counts, None, stated)


def played(scenario: Scenario, plan: StaffingPlan, tables: dict[str, Any], counted: Any) -> Any:
    """What was counted on each day."""
    case = case_from(scenario, tables=tables)
    demand = compile_demand(case)
    model = compile_model(case, demand, plan)
    engine = chosen("auto", demand.contacts * DAYS)
    # Days of their own, as theirs are: blocks of one have no strata.
    draws = draw_replications(demand, 20260907, range(DAYS), 1, compiled=engine == "compiled")
    days = [counted(model, run(model, draw, engine)) for draw in draws]
    return {name: np.array([day[name] for day in days], float) for name in days[0]}


def agrees(quantity: str, counts: dict[str, np.ndarray], base: str | None, stated: Any) -> None:
    """Hold a mean, or a sum over a sum, against the value and half-width that were published."""
    over, under = counts[quantity], np.ones(DAYS) if base is None else counts[base]
    ours = over.sum() / under.sum()
    error = (over - ours * under).std(ddof=1) / under.mean() / np.sqrt(DAYS)
    half_width = float(stats.t.isf(0.025, DAYS - 1) * error)
    theirs, their_half_width = stated
    print(f"{quantity}: {ours:.4f} ± {half_width:.4f}, published {theirs} ± {their_half_width}")
    assert abs(ours - theirs) <= 1.2 * (their_half_width + half_width), quantity


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_tenth_more_or_less_is_refused(
    published: dict[str, dict[str, Any]], factor: float
) -> None:
    """Shows that the rule has teeth."""
    given = published["cc_Telethon"]["inputs"]
    other = given | {"lam_per_hour": factor * given["lam_per_hour"]}
    counts = played(*telethon(other), lambda model, log: counted_telethon(other, model, log))
    for quantity in ("arrived", "served", "abandoned", "messages"):
        with pytest.raises(AssertionError):
            agrees(quantity, counts, None, published["cc_Telethon"]["outputs"][quantity])
