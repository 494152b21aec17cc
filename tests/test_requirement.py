"""Agents per interval: against the formulas, against double counting, against rising demands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccsim.queueing import (
    erlang_a_abandonment,
    erlang_a_mean_wait,
    erlang_a_service_level,
    erlang_c_agents,
    erlang_c_service_level,
)
from ccsim.scenario.case import Case, case_from
from ccsim.scenario.model import Redial, Scenario
from ccsim.staffing import require
from ccsim.staffing.requirement import attempts_lost, covered_together


def centre(
    targets: dict[str, list[str]], groups: dict[str, list[str]], **more: dict[str, Any]
) -> Case:
    return case_from(
        Scenario.model_validate(
            {
                "version": 1,
                "name": "desk",
                "currency": "USD",
                "time_zone": "UTC",
                "horizon": {"start": "2026-09-07", "days": 1, "interval": "60 min"},
                "contact_types": {
                    name: {
                        "demand": {"rate": "100 calls/h"},
                        "talk_time": "3 min",
                        "targets": wanted,
                        **more.get(name, {}),
                    }
                    for name, wanted in targets.items()
                },
                "agent_groups": {
                    name: {"skills": {skill: {} for skill in skills}, "rate_card": "own"}
                    for name, skills in groups.items()
                },
                "rate_cards": {"own": {"paid_hour": "21 USD"}},
            }
        )
    )


EIGHTY_20 = "80% answered within 20 s, over each day"


@given(
    st.lists(st.floats(0, 2000), min_size=24, max_size=24),
    st.floats(30, 900),
    st.one_of(st.just(np.inf), st.floats(20, 2000)),
)
@settings(max_examples=25, deadline=None)
def test_one_agent_less_would_miss_and_no_contacts_need_nobody(
    volume: list[float], handle: float, patience: float
) -> None:
    contacts = np.array(volume)
    row = require(
        centre({"call": [EIGHTY_20]}, {"desk": ["call"]}),
        {"call": contacts},
        {"call": handle},
        {"call": patience},
    ).rows[0]
    assert row.method == ("Erlang C" if np.isinf(patience) else "Erlang A")
    load = contacts * handle / 3600
    assert (row.agents[load == 0] == 0).all()
    some = load > 0
    at = load[some], row.agents[some]
    if np.isinf(patience):
        reached = erlang_c_service_level(at[0], at[1], handle, 20)
        less = erlang_c_service_level(at[0], np.maximum(at[1] - 1, 0), handle, 20)
    else:
        reached = erlang_a_service_level(at[0], at[1], handle, patience, 20)
        less = erlang_a_service_level(at[0], np.maximum(at[1] - 1, 0), handle, patience, 20)
    assert (np.asarray(reached) >= 0.8).all()
    assert ((np.asarray(less) < 0.8) | (at[1] == 1)).all()


def test_caps_and_speed_of_answer_are_met_with_the_fewest_agents() -> None:
    contacts = np.linspace(5, 400, 24)
    load = contacts * 180 / 3600
    for sentence, met in (
        (
            "at most 3% abandoned, over the week",
            lambda n: erlang_a_abandonment(load, n, 180, 240) <= 0.03,
        ),
        (
            "average speed of answer at most 15 s, over the horizon",
            lambda n: np.asarray(erlang_a_mean_wait(load, n, 180, 240, of="answered")) <= 15,
        ),
    ):
        case = centre({"call": [sentence]}, {"desk": ["call"]})
        agents = require(case, {"call": contacts}, {"call": 180.0}, {"call": 240.0}).rows[0].agents
        assert met(agents).all(), sentence
        assert (~met(np.maximum(agents - 1, 0)) | (agents == 1)).all(), sentence


def test_where_nobody_leaves_a_cap_asks_for_a_queue_that_does_not_grow() -> None:
    case = centre({"call": ["at most 3% lost, over the week"]}, {"desk": ["call"]})
    row = require(case, {"call": np.full(24, 100.0)}, {"call": 180.0}, {"call": np.inf}).rows[0]
    assert set(row.agents) == {6}  # 5 erlangs


def test_the_strictest_target_counts_and_the_guard_holds_what_is_lowered() -> None:
    both = [EIGHTY_20, "at most 1% abandoned, over the week"]
    case = centre({"call": both}, {"desk": ["call"]}, call={"interval_floor": "70%"})
    volume, handle, patience = {"call": np.full(24, 300.0)}, {"call": 180.0}, {"call": 240.0}
    row = require(case, volume, handle, patience).rows[0]
    singles = [
        require(centre({"call": [one]}, {"desk": ["call"]}), volume, handle, patience).rows[0]
        for one in both
    ]
    assert (row.agents == np.maximum(singles[0].agents, singles[1].agents)).all()
    lowered = require(case, volume, handle, patience, {"call": np.full(24, -50)}).rows[0].agents
    assert (erlang_a_service_level(row.load, lowered, 180, 240, 20) >= 0.7).all()
    assert (erlang_a_service_level(row.load, lowered - 1, 180, 240, 20) < 0.7).all()


def test_a_flexible_agent_is_counted_once(shared_cases: Path) -> None:
    instance = next(
        each
        for each in json.loads((shared_cases / "peer_schedules.json").read_text())["instances"]
        if each["id"] == "multiskill-double-count"
    )
    case = centre(
        {"A": [EIGHTY_20], "B": [EIGHTY_20]}, {"a": ["A"], "b": ["B"], "flex": ["A", "B"]}
    )
    requirement = require(
        case,
        {
            name: np.full(24, 2.0 * given["calls_per_30min"])
            for name, given in instance["skills"].items()
        },
        {"A": 180.0, "B": 180.0},
        {"A": np.inf, "B": np.inf},
    )
    alone = requirement.row("A")
    assert (alone.agents == instance["per_skill_erlang_c"]).all()
    assert alone.groups == ("a", "flex")
    union = requirement.row("B", "A")
    assert union.groups == ("a", "b", "flex")
    assert (union.load == instance["offered_load_total_erlang"]).all()
    assert (union.agents == 31).all()  # full pooling by Erlang C, as the case states


def test_only_types_that_share_agents_are_pooled() -> None:
    types = {name: [EIGHTY_20] for name in "ABCD"}
    case = centre(types, {"ab": ["A", "B"], "bc": ["B", "C"], "d": ["D"]})
    # A and C hang together only through B.
    assert set(covered_together(case.scenario)) == {
        ("A",),
        ("B",),
        ("C",),
        ("D",),
        ("A", "B"),
        ("B", "C"),
        ("A", "B", "C"),
    }
    many = {name: [EIGHTY_20] for name in "ABCDEF"}
    large = centre(many, {"all": list("ABCDEF")})
    assert [len(each) for each in covered_together(large.scenario)] == [1] * 6 + [6]


def test_pooling_weights_handle_times_by_volume() -> None:
    case = centre({"A": [EIGHTY_20], "B": [EIGHTY_20]}, {"flex": ["A", "B"]})
    requirement = require(
        case,
        {"A": np.full(24, 60.0), "B": np.full(24, 30.0)},
        {"A": 120.0, "B": 480.0},
        {"A": np.inf, "B": np.inf},
    )
    assert (requirement.row("A", "B").agents == erlang_c_agents(6.0, 240.0, 20, 0.8)).all()


def test_raising_a_type_raises_every_row_it_is_in() -> None:
    case = centre({"A": [EIGHTY_20], "B": [EIGHTY_20]}, {"flex": ["A", "B"], "b": ["B"]})
    volume = {"A": np.full(24, 60.0), "B": np.full(24, 60.0)}
    numbers = {"A": 180.0, "B": 180.0}
    before = require(case, volume, numbers, numbers)
    more = np.arange(24)
    after = require(case, volume, numbers, numbers, {"A": more, "A+B": np.ones(24, dtype=int)})
    rises = {row.name: after.row(*row.contact_types).agents - row.agents for row in before.rows}
    assert (rises["A"] == more).all()
    assert (rises["B"] == 0).all()
    assert (rises["A+B"] == more + 1).all()
    with pytest.raises(ValueError, match="no contact type 'C'"):
        require(case, volume, numbers, numbers, {"A+C": more})
    with pytest.raises(KeyError):
        before.row("C")


def test_a_margin_and_a_share_of_days_ask_for_more() -> None:
    volume, numbers = {"call": np.full(24, 600.0)}, {"call": 180.0}
    plain = require(centre({"call": [EIGHTY_20]}, {"desk": ["call"]}), volume, numbers, numbers)
    aimed = require(
        centre({"call": [EIGHTY_20]}, {"desk": ["call"]}), volume, numbers, numbers, margin=0.05
    )
    level = erlang_a_service_level(30, aimed.rows[0].agents[0], 180, 180, 20)
    assert level >= 0.85 > erlang_a_service_level(30, aimed.rows[0].agents[0] - 1, 180, 180, 20)
    assert (aimed.rows[0].agents > plain.rows[0].agents).all()
    # Nine in ten days: as for the day that is busier than nine in ten, gamma of shape 27.
    error = {"demand": {"rate": "100 calls/h", "forecast_error": {"gamma": {"shape": 27}}}}
    case = centre(
        {"call": [f"{EIGHTY_20}, on at least 90% of days"]}, {"desk": ["call"]}, call=error
    )
    often = require(case, volume, numbers, numbers).rows[0].agents[0]
    factors = np.random.default_rng(1).gamma(27, 1 / 27, 200_000)
    reached = erlang_a_service_level(30 * factors, often, 180, 180, 20) >= 0.8
    spread = 4 * np.sqrt(0.09 / len(factors))
    assert np.mean(reached) > 0.9 - spread
    assert (
        np.mean(erlang_a_service_level(30 * factors, often - 1, 180, 180, 20) >= 0.8) < 0.9 + spread
    )


@given(st.floats(0.001, 0.999), st.floats(0, 1), st.integers(1, 20))
@settings(deadline=None, max_examples=50)
def test_attempts_lost_inverts_the_chain_of_redials(cap: float, again: float, most: int) -> None:
    redial = Redial(
        probability=f"{100 * again:.10f}%", delay={"constant": {"value": "5 min"}}, at_most=most
    )
    a = attempts_lost(cap, redial)
    # Walk the chain: attempt k happens with (a p)^k; it is the last in vain if nobody calls again.
    alive, lost = 1.0, 0.0
    for attempt in range(most + 1):
        lost += alive * a * (1 - redial.probability if attempt < most else 1.0)
        alive *= a * redial.probability
    assert lost == pytest.approx(cap, abs=1e-9)
    assert attempts_lost(cap, None) == cap
