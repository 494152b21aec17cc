"""A small desk, planned in a second or two: what plots and reports are tested on."""

from __future__ import annotations

from functools import cache
from typing import Any

from ccsim import study
from ccsim.results import Comparison, PlanResult, Simulation
from ccsim.scenario import Case, Scenario, case_from


def desk(**more: Any) -> Case:
    """Three half-hours a day, 24 calls an hour, two kinds of shift; fields may be replaced."""
    call = {
        "open": {"mon-sun": "09:00-10:30"},
        "demand": {"rate": "24 calls/h", "source": "forecast <of> May"},
        "talk_time": {"exponential": {"mean": "3 min"}},
        "patience": {"exponential": {"mean": "2 min"}},
        "redial": {"probability": "30%", "delay": "5 min", "at_most": 2},
        "targets": ["80% answered within 20 s, over each day", "at most 8% lost, over the horizon"],
    }
    agents = {
        "skills": {"call": {}},
        "rate_card": "own",
        "shifts": ["early", "short"],
        "shrinkage": {"unplanned": "5%", "source": "assumption"},
    }
    pause = {"length": "10 min", "after": "30 min - 1 h", "paid": True}
    given = {
        "version": 1,
        "name": "Desk",
        "question": "How many of us?",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "horizon": {"start": "2026-09-07", "days": 1, "interval": "30 min", "begins": "empty"},
        "contact_types": {"call": call},
        "agent_groups": {"desk": agents},
        "shifts": {
            "early": {"starts": ["09:00"], "length": "1 h 30 min", "breaks": {"tea": pause}},
            "short": {"starts": "09:00-10:00 every 30 min", "length": "30 min"},
        },
        "rate_cards": {"own": {"paid_hour": "21 EUR", "on_cost": "30%"}},
        "planning": {"rounds": 2, "replications": 32, "certificate_replications": 320},
    }
    return case_from(Scenario.model_validate({**given, **more}))


@cache
def planned() -> PlanResult:
    """The desk's plan."""
    return study.plan(desk(), seed=3, workers=1)


@cache
def simulated() -> Simulation:
    """The desk's plan, simulated as a given one."""
    return study.simulate(desk(), planned().plan, seed=5, workers=1)


@cache
def compared() -> Comparison:
    """The desk beside a dearer one."""
    dear = desk(rate_cards={"own": {"paid_hour": "30 EUR", "on_cost": "30%"}})
    return study.compare([desk(), dear], [planned().plan] * 2, seed=5, workers=1)
