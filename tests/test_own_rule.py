"""A routing rule of one's own, in the reference engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ccsim import study
from ccsim.demand.draw import draw_replication
from ccsim.demand.model import compile_demand
from ccsim.errors import CcsimError
from ccsim.plans import StaffingPlan
from ccsim.reporting.provenance import provenance
from ccsim.scenario import shipped_scenarios
from ccsim.scenario.case import case_from
from ccsim.simulation.log import ContactLog
from ccsim.simulation.model import compile_model
from ccsim.simulation.own_rule import Free, RoutingRule, Waiting
from ccsim.simulation.reference import run
from tests.equality import differences
from tests.oracles import _exponential, scenario_of
from tests.test_reference import MINUTE, Caller, customers, shift

CALL = {"demand": {"rate": "40 calls/h"}, "open": {"all": "09:00-12:00"}}


def first_come(waiting: tuple[Waiting, ...], free: tuple[Free, ...]) -> tuple[int, int]:
    return 0, 0


def last_come(waiting: tuple[Waiting, ...], free: tuple[Free, ...]) -> tuple[int, int]:
    return len(waiting) - 1, 0


def nobody(waiting: tuple[Waiting, ...], free: tuple[Free, ...]) -> None:
    return None


def days(call: dict[str, Any], rule: RoutingRule | None, agents: int = 4) -> list[Any]:
    """Ten days of so many agents."""
    case = case_from(scenario_of({"call": CALL | call}))
    demand = compile_demand(case)
    plan = StaffingPlan(by_interval={"desk": tuple(agents * (18 <= n < 24) for n in range(48))})
    model = compile_model(case, demand, plan)
    return [run(model, draw_replication(demand, 3, n), rule) for n in range(10)]


@pytest.mark.parametrize(
    "call",
    [
        {},
        {"patience": _exponential(2), "redial": {"probability": "60%", "delay": "5 min"}},
        {"patience": _exponential(2), "queue_limit": 2},
        {"at_closing": "clear"},
    ],
)
def test_who_writes_the_plain_rule_gets_the_plain_log(call: dict[str, Any]) -> None:
    """First come, first served by whoever has been idle longest; limits, redials, serving out."""
    talk = {"talk_time": _exponential(5)}
    for plain, own in zip(days(call | talk, None), days(call | talk, first_come), strict=True):
        assert not differences(plain, own)


def test_the_last_first_waits_as_long_on_average_and_less_evenly() -> None:
    """With constant handle times the queue is as long at every moment, whoever is taken."""
    orderly, other = (days({"talk_time": "6 min"}, rule) for rule in (None, last_come))
    assert [log.wait.sum() for log in orderly] == [log.wait.sum() for log in other]
    assert sum(np.square(log.wait / 6e7).sum() for log in orderly) < sum(
        np.square(log.wait / 6e7).sum() for log in other
    )


def test_a_rule_that_takes_nobody_answers_nobody() -> None:
    for log in days({"talk_time": "6 min"}, nobody):
        assert (log.agent == -1).all()


GROUPS = {"desk": {"call": 1}, "back": {"call": 1, "vip": 1}}


def log_of(rule: RoutingRule, callers: list[Caller]) -> ContactLog:
    """One agent of each group for an hour."""
    case = case_from(scenario_of({"call": {}, "vip": {}}, GROUPS))
    demand = compile_demand(case)
    plan = StaffingPlan(tuple(sorted([shift(0, 60), shift(0, 60, group="back")])))
    model = compile_model(case, demand, plan)
    contacts = customers(callers, model.interval_us)
    return run(model, replace(draw_replication(demand, 1, 0), contacts=contacts), rule)


def test_a_rule_may_hold_somebody_back_for_somebody_else() -> None:
    """The back answers calls only while a vip could not come: never here; the desk takes them."""

    def spared(waiting: tuple[Waiting, ...], free: tuple[Free, ...]) -> tuple[int, int] | None:
        for place, contact in enumerate(waiting):
            wanted = "desk" if contact.contact_type == "call" else "back"
            for other, agent in enumerate(free):
                if agent.group == wanted:
                    return place, other
        return None

    log = log_of(spared, [Caller(0, 5), Caller(1, 5), Caller(2, 5, contact_type=1)])
    assert (log.wait / MINUTE).tolist() == [0, 4, 0]
    assert log.agent.tolist() == [0, 0, 1]


def test_a_rule_is_told_how_long_they_wait_and_are_idle() -> None:
    told: list[tuple[list[float], list[float]]] = []

    def listens(waiting: tuple[Waiting, ...], free: tuple[Free, ...]) -> tuple[int, int]:
        told.append(([one.waited for one in waiting], [one.idle for one in free]))
        return 0, 0

    log_of(listens, [Caller(1, 5), Caller(3, 5), Caller(4, 5)])
    # Both idle from 0; at 6 the first is done, and the third has waited two minutes.
    assert told == [([0], [60, 60]), ([0], [180]), ([120], [0])]


def test_an_agent_is_idle_since_she_came_be_it_at_the_very_beginning() -> None:
    case = case_from(scenario_of({"call": {}}))
    demand = compile_demand(case)
    plan = StaffingPlan(by_interval={"desk": (1,) * 48})
    told: list[float] = []

    def listens(waiting: tuple[Waiting, ...], free: tuple[Free, ...]) -> Any:
        told.extend(one.idle for one in free)
        return np.int64(0), np.int64(0)  # as `argmax` answers

    drawn = draw_replication(demand, 1, 0)
    callers = customers([Caller(0, 5)], case.grid.interval_us)
    run(compile_model(case, demand, plan), replace(drawn, contacts=callers), listens)
    assert told == [9 * 3600]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((1, 0), "answer None, or the places of one of 1 contacts and of one of 2 agents"),
        ((0, 2), r"routing: \(0, 2\) came"),
        ((-1, 0), "counted from 0"),
        ("first", "routing: 'first' came"),
        ((0, 0), "desk cannot take vip; choose an agent whose group has the skill"),
    ],
)
def test_what_a_rule_cannot_answer_is_said(answer: Any, said: str) -> None:
    with pytest.raises(CcsimError, match=said):
        log_of(lambda _waiting, _free: answer, [Caller(0, 5, contact_type=1)])


QUICK = shipped_scenarios()["quickstart_voice_8020"]


def test_what_cannot_be_rerun_from_the_file_says_so(tmp_path: Path) -> None:
    result = study.simulate(QUICK, replications=32, workers=2, routing=last_come)
    assert "routing by last_come" in str(result)
    told = provenance(result)
    assert told["rerun"] == []
    assert told["routing"] == "last_come, a Python function: cannot be rerun from the file"
    again = study.simulate(QUICK, replications=32, workers=1, routing=last_come)
    assert np.array_equal(result.sample.contacts, again.sample.contacts)
    assert "routing" not in provenance(study.simulate(QUICK, replications=32, workers=1))


def test_a_rule_is_a_function() -> None:
    with pytest.raises(CcsimError, match="routing=5: give a function"):
        study.simulate(QUICK, replications=32, routing=5)  # type: ignore[arg-type]


def test_only_the_reference_asks_a_function(tmp_path: Path) -> None:
    for more in ({"engine": "compiled"}, {"checkpoint": tmp_path / "new"}):
        with pytest.raises(CcsimError, match="reference engine, without a checkpoint"):
            study.simulate(QUICK, replications=32, routing=last_come, **more)
