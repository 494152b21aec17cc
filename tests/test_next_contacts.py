"""Transfers, other contact types, points, callbacks and ring time on days made by hand.

Both engines, and every tie with its neighbours in docs/order.md worked out beside each day.
"""

from __future__ import annotations

from typing import Any

import pytest

from ccsim.demand.draw import draw_replication
from ccsim.demand.model import compile_demand
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import case_from
from ccsim.simulation.log import MET, PASSED_ON, REDIAL, Outcome
from ccsim.simulation.model import compile_model
from ccsim.simulation.reference import run
from tests.oracles import _exponential, scenario_of
from tests.test_behaviours import VIP, answered_by, arrivals, handling, total
from tests.test_reference import HOUR, MINUTE, NINE, Caller, Play, shift

EXPERT = 1


@pytest.fixture(params=["reference", "compiled"])
def play(request: pytest.FixtureRequest) -> Play:
    return Play(request.param)


# Transfers.


def passing(probability: str = "100%", **more: Any) -> dict[str, dict[str, Any]]:
    """A desk that passes calls on to experts."""
    transfer = {"to": "expert", "probability": probability, **more}
    return {"desk": {"call": {"transfer": transfer}}, "back": {"expert": {}}}


def two_types(**expert: Any) -> dict[str, dict[str, Any]]:
    return {"call": {}, "expert": {"talk_time": "7 min", **expert}}


def test_who_is_passed_on_queues_for_the_other_contact_type(play: Play) -> None:
    seen = play(
        [Caller(0, 4), Caller(1, 4), Caller(2, 6, contact_type=EXPERT)],
        shift(0, 60), shift(0, 60, group="back"), types=two_types(), groups=passing(),
    )  # fmt: skip
    log = seen.log
    assert arrivals(seen) == [0, 1, 2, 4, 8]
    assert log.contact_type.tolist() == [0, 0, 1, 1, 1]
    assert log.origin.tolist() == [0, 0, 1, 0, 0]
    # The first expert contact of its own keeps the agent until 8; the handle time is the expert's.
    assert seen.wait == [0, 3, 0, 4, 7]
    assert handling(seen) == [4, 4, 6, 7, 7]
    assert log.again.tolist() == [0, 0, 0, MET | PASSED_ON, MET | PASSED_ON]
    assert log.transferred.tolist() == [True, True, False, False, False]
    assert [total(seen, name) for name in ("requests", "transferred", "transfers")] == [2, 2, 0]
    counted = [total(seen, name, EXPERT) for name in ("requests", "offered", "transfers", "lost")]
    assert counted == [1, 3, 2, 0]


def test_the_agent_spends_a_part_and_the_next_one_hears_it_again(play: Play) -> None:
    groups = passing(handle_time=0.25, context_lost="2 min")
    seen = play(
        [Caller(0, 4)], shift(0, 60), shift(0, 60, group="back"), types=two_types(), groups=groups
    )
    assert handling(seen) == [1, 9]
    assert arrivals(seen) == [0, 1]
    assert seen.agents_time("handling") == 1


def test_an_agent_takes_her_next_contact_before_the_transfer_arrives(play: Play) -> None:
    """Rank 0 before 6: the one agent of both types takes who waits, then the transfer queues."""
    transfer = {"to": "expert", "probability": "100%"}
    groups = {"desk": {"call": {"transfer": transfer}, "expert": 1}}
    seen = play([Caller(0, 4), Caller(1, 2)], shift(0, 60), types=two_types(), groups=groups)
    assert arrivals(seen) == [0, 1, 4, 6]
    assert seen.wait == [0, 3, 2, 7]


def test_who_gives_up_after_a_transfer_is_not_lost_and_may_redial(play: Play) -> None:
    redial = {"probability": "100%", "delay": "5 min", "at_most": 2}
    types = two_types(patience="3 min", redial=redial)
    seen = play([Caller(0, 4)], shift(0, 60), types=types, groups=passing())
    assert seen.outcome == ["answered", "abandoned", "abandoned"]
    assert arrivals(seen) == [0, 4, 12]
    assert seen.log.again.tolist() == [0, MET | PASSED_ON, MET | REDIAL]
    assert seen.log.cut.tolist() == [False, False, True]
    assert (total(seen, "lost"), total(seen, "lost", EXPERT)) == (0, 0)
    assert (total(seen, "redials", EXPERT), total(seen, "redials_cut", EXPERT)) == (1, 1)


def test_a_bound_cuts_a_transfer_and_it_is_counted(play: Play) -> None:
    back = {"transfer": {"to": "call", "probability": "100%", "at_most": 2}}
    groups = {"desk": {"call": passing(at_most=2)["desk"]["call"]}, "back": {"expert": back}}
    seen = play(
        [Caller(0, 4)], shift(0, 60), shift(0, 60, group="back"), types=two_types(), groups=groups
    )
    # To the expert, back to the desk with the handle time of a call, and no further.
    assert seen.log.contact_type.tolist() == [0, 1, 0]
    assert handling(seen) == [4, 7, 5]
    assert seen.log.transferred.tolist() == [True] * 3
    assert seen.log.cut.tolist() == [False, False, True]
    assert (total(seen, "repeats_cut"), total(seen, "transfers")) == (1, 1)


def test_a_transfer_takes_the_line_that_it_gives_up(play: Play) -> None:
    types = two_types(line_group="main")
    types["call"]["line_group"] = "main"
    callers = [Caller(0, 4), Caller(3.5, 4), Caller(6, 4)]
    seen = play(
        callers, shift(0, 60), shift(0, 60, group="back"),
        types=types, groups=passing(), lines={"main": 1},
    )  # fmt: skip
    assert seen.outcome == ["answered", "blocked", "answered", "blocked"]
    assert arrivals(seen) == [0, 3.5, 4, 6]


def test_a_transfer_whose_contact_type_is_closed_finds_it_closed(play: Play) -> None:
    types = two_types(open={"all": "08:00-09:00"})
    seen = play([Caller(0, 4)], shift(0, 60), types=types, groups=passing())
    assert seen.outcome == ["answered", "closed"]
    assert total(seen, "lost") == 0


# Another contact type on the next attempt.


def test_whoever_redials_elsewhere_gets_a_handle_time_and_patience_of_that_type(
    play: Play,
) -> None:
    redial = {
        "probability": "100%", "delay": "5 min", "at_most": 3,
        "elsewhere": {"to": "expert", "share": "100%"},
    }  # fmt: skip
    types = two_types(patience="1 min")
    types["call"] |= {"patience": "3 min", "redial": redial}
    groups = {"desk": {"call": 1}, "back": {"expert": {}}}
    seen = play([Caller(0, 4, 3)], shift(10, 20, group="back"), types=types, groups=groups)
    assert seen.log.contact_type.tolist() == [0, 1]
    assert (arrivals(seen), seen.outcome) == ([0, 8], ["abandoned", "abandoned"])
    assert seen.wait == [3, 1]
    seen = play([Caller(3, 4, 3)], shift(10, 20, group="back"), types=types, groups=groups)
    assert (handling(seen), seen.outcome) == ([0, 7], ["abandoned", "answered"])
    assert seen.log.again.tolist() == [0, REDIAL]
    assert (total(seen, "redials", EXPERT), total(seen, "lost"), total(seen, "requests")) == (
        1,
        0,
        1,
    )


@pytest.mark.parametrize("share", ["0%", "100%"])
def test_repeats_may_come_elsewhere(play: Play, share: str) -> None:
    types = two_types()
    types["call"]["repeat"] = {
        "delay": "5 min", "at_most": 1, "elsewhere": {"to": "expert", "share": share},
    }  # fmt: skip
    groups = {"desk": {"call": {"resolution": "0%"}, "expert": 1}}
    seen = play([Caller(0, 4)], shift(0, 60), types=types, groups=groups)
    assert seen.log.contact_type.tolist() == [0, int(share == "100%")]
    assert handling(seen) == [4, 7 if share == "100%" else 4]


def test_a_share_goes_elsewhere_whatever_else_is_drawn(play: Play) -> None:
    """Nested: whoever goes elsewhere at 30 % does so at 60 %, and who redials is the same."""
    seen = {}
    for share in ("30%", "60%"):
        redial = {"probability": "70%", "delay": "5 min", "elsewhere": {"to": "expert"}}
        redial["elsewhere"]["share"] = share
        types = two_types()
        types["call"] |= {"patience": "1 min", "redial": redial | {"at_most": 1}}
        groups = {"desk": {"expert": 1, "call": 1}}
        seen[share] = play([Caller(n, 4, 0) for n in range(30)], types=types, groups=groups).log
    few, many = (set(log.ordinal[log.contact_type == EXPERT].tolist()) for log in seen.values())
    again = [sorted(log.ordinal[log.attempt == 1].tolist()) for log in seen.values()]
    assert again[0] == again[1]
    assert 0 < len(few) < len(many) < len(again[0])
    assert few < many


# Points.

BOTH: dict[str, dict[str, Any]] = {"call": {}, "vip": {"ageing": 3}}


@pytest.mark.parametrize(
    ("vip_at", "first"), [(6.0, "vip"), (6.9, "vip"), (7.0, "call"), (7.5, "call")]
)
def test_a_type_that_ages_faster_overtakes(play: Play, vip_at: float, first: str) -> None:
    """At 10 the call has waited 9 minutes, a vip since 7 counts as much: the lower content then."""
    callers = [Caller(0, 10), Caller(1, 5), Caller(vip_at, 5, contact_type=VIP)]
    seen = play(callers, shift(0, 60), types=BOTH)
    waits = dict(zip(["busy", "call", "vip"], seen.wait, strict=True))
    assert waits == {
        "busy": 0,
        "call": 9 if first == "call" else 14,
        "vip": pytest.approx((15 if first == "call" else 10) - vip_at),
    }


def test_without_ageing_a_type_stays_at_its_head_start(play: Play) -> None:
    types = {"call": {}, "vip": {"ageing": 0, "head_start": "4 min"}}
    callers = [
        Caller(0, 10), Caller(2, 1, contact_type=VIP), Caller(5, 1, contact_type=VIP), Caller(7, 1),
    ]  # fmt: skip
    # Each vip counts 4 minutes; the call 3 at 10, and 4 at 11, where its content is the lower one.
    assert play(callers, shift(0, 60), types=types).wait == [0, 8, 7, 4]


def test_a_contact_may_look_for_groups_in_another_order_than_they_take(play: Play) -> None:
    groups = {
        "desk": {"call": {"priority": 1, "contact_priority": 2}, "vip": {"priority": 2}},
        "back": {"call": {"priority": 2, "contact_priority": 1}},
    }
    types: dict[str, dict[str, Any]] = {"call": {}, "vip": {}}
    seen = play(
        [Caller(0, 5), Caller(1, 5)], shift(0, 60), shift(0, 60, group="back"),
        types=types, groups=groups,
    )  # fmt: skip
    assert answered_by(seen) == ["back", "desk"]
    # The desk still takes calls before vips.
    callers = [Caller(0, 5), Caller(1, 5, contact_type=VIP), Caller(2, 5)]
    seen = play(callers, shift(0, 60), types=types, groups=groups)
    assert seen.wait == [0, 9, 3]


# Carried over.


def carrying(**given: Any) -> dict[str, dict[str, Any]]:
    return {"call": {"open": {"all": "09:00-10:00"}, "at_closing": "carry_over", **given}}


def test_who_is_carried_over_is_served_when_somebody_comes_again(play: Play) -> None:
    callers = [Caller(50, 20), Caller(55, 5), Caller(56, 5)]
    day = 24 * 60
    seen = play(callers, shift(0, 60), shift(day, day + 60), types=carrying(), days=2)
    assert seen.outcome == ["answered"] * 3
    assert seen.wait == [0, day - 55, day + 5 - 56]
    assert seen.left == [70, day + 60]


def test_agents_on_the_floor_go_on_and_nobody_stays_for_it(play: Play) -> None:
    callers = [Caller(50, 15), Caller(55, 5), Caller(56, 5)]
    seen = play(callers, shift(0, 70), types=carrying())
    assert seen.outcome == ["answered", "answered", "waiting"]
    assert seen.wait[:2] == [0, 10]
    assert seen.left == [70]
    kept = play(callers, shift(0, 70), types={"call": {"open": {"all": "09:00-10:00"}}})
    assert kept.outcome == ["answered"] * 3
    assert kept.left == [75]


def test_who_serves_out_leaves_those_carried_over(play: Play) -> None:
    types = carrying() | {"vip": {"open": {"all": "09:00-10:00"}}}
    callers = [Caller(50, 15), Caller(55, 5), Caller(56, 5, contact_type=VIP)]
    seen = play(callers, shift(0, 60), types=types)
    assert seen.outcome == ["answered", "waiting", "answered"]
    assert seen.wait[2] == 9
    assert seen.left == [70]


def test_clearing_disconnects_just_those_who_would_be_carried_over() -> None:
    """On days drawn by chance, with one agent too few."""
    opened = {"demand": {"rate": "20 calls/h"}, "open": {"all": "09:00-12:00"}}
    logs = {}
    for at_closing in ("clear", "carry_over"):
        types = {"call": {**opened, "talk_time": _exponential(5), "at_closing": at_closing}}
        case = case_from(scenario_of(types, days=2))
        demand = compile_demand(case)
        there = [18 <= n % 48 < 24 for n in range(96)]
        plan = StaffingPlan(by_interval={"desk": tuple(map(int, there))})
        model = compile_model(case, demand, plan)
        logs[at_closing] = [run(model, draw_replication(demand, 7, n)) for n in range(20)]
    noon, next_day = 12 * HOUR, 24 * HOUR + 9 * HOUR
    seen = 0
    for cleared, carried in zip(logs["clear"], logs["carry_over"], strict=True):
        gone = (cleared.outcome == Outcome.CLEARED) & (cleared.arrival < noon)
        later = (carried.arrival < noon) & (carried.left_queue >= next_day)
        assert cleared.ordinal[gone].tolist() == carried.ordinal[later].tolist()
        assert cleared.interval[gone].tolist() == carried.interval[later].tolist()
        seen += int((carried.outcome[later] == Outcome.ANSWERED).sum())
    assert seen > 20


# What is announced.


def announcing(**given: Any) -> dict[str, dict[str, Any]]:
    told = {"estimate": "by_position", "per_waiting": "5 min"} | given.pop("told", {})
    return {"call": {"announced_wait": told, **given}}


def test_who_is_told_more_than_her_patience_hangs_up_at_once(play: Play) -> None:
    types = announcing(told={"balking": 1}, patience="1 h")
    # Told 5, then 10 minutes; a patience of exactly that much stays.
    callers = [Caller(0, 4), Caller(1, 1, 5), Caller(2, 1, 9.9), Caller(2, 1, 10)]
    seen = play(callers, shift(0, 60), types=types)
    assert seen.outcome == ["answered", "answered", "balked", "answered"]
    assert seen.wait == [0, 3, 0, 3]
    counted = ("offered", "abandoned", "balked", "short_abandons", "lost", "answered")
    assert [total(seen, name) for name in counted] == [4, 1, 1, 1, 1, 3]


def test_a_tolerance_is_a_multiple_of_patience_and_no_wait_balks_nobody(play: Play) -> None:
    types = announcing(told={"balking": 0.5}, patience="1 h")
    seen = play([Caller(0, 4, 0), Caller(1, 1, 9.9), Caller(1, 1, 10)], shift(0, 60), types=types)
    assert seen.outcome == ["answered", "balked", "answered"]


def test_the_wait_of_whoever_was_taken_last_is_told(play: Play) -> None:
    told = {"estimate": "last_answered", "per_waiting": None, "balking": 1}
    types = announcing(told=told, patience="1 h")
    callers = [
        Caller(0, 4), Caller(1, 4, 10), Caller(5, 1, 2.9), Caller(5, 1, 3), Caller(30, 1, 0),
    ]  # fmt: skip
    seen = play(callers, shift(0, 60), types=types)
    # Nobody has waited yet at 1; at 5 the last one taken had waited 3 minutes.
    assert seen.outcome == ["answered", "answered", "balked", "answered", "answered"]


def test_who_balks_may_call_again_and_needs_no_line(play: Play) -> None:
    redial = {"probability": "100%", "delay": "10 min", "at_most": 1}
    types = announcing(told={"balking": 1}, patience="1 min", redial=redial, line_group="main")
    callers = [Caller(0, 8), Caller(1, 1, 1), Caller(2, 1, 60)]
    seen = play(callers, shift(0, 60), types=types, lines={"main": 2})
    assert seen.outcome == ["answered", "balked", "answered", "answered"]
    assert arrivals(seen) == [0, 1, 2, 11]
    assert seen.log.again.tolist() == [0, 0, 0, REDIAL]


def calling_back(**given: Any) -> dict[str, dict[str, Any]]:
    callback = {"offered_from": "5 min", "accepted": "100%"} | given.pop("callback", {})
    return announcing(callback=callback, **given)


def test_who_is_called_back_keeps_the_place_and_does_not_give_up(play: Play) -> None:
    types = calling_back(patience="1 h", callback={"dialling": "30 s"})
    callers = [Caller(0, 10), Caller(1, 5, 2), Caller(2, 5, 60)]
    seen = play(callers, shift(0, 60), types=types)
    assert seen.outcome == ["answered"] * 3
    # Dialling is before the contact: the wait, and the agent's time.
    assert seen.wait == [0, 9.5, 14]
    assert handling(seen) == [10, 5, 5]
    assert seen.log.called_back.tolist() == [False, True, True]
    assert seen.agents_time("handling") == 21
    assert (total(seen, "callbacks"), total(seen, "abandoned")) == (2, 0)


def test_it_is_offered_from_a_wait_on(play: Play) -> None:
    types = calling_back(callback={"offered_from": "10 min"})
    seen = play([Caller(0, 10), Caller(1, 1), Caller(2, 1)], shift(0, 60), types=types)
    assert seen.log.called_back.tolist() == [False, False, True]


def test_who_does_not_answer_when_called_is_lost_and_kept_an_agent(play: Play) -> None:
    types = calling_back(callback={"reached": "0%", "dialling": "1 min"})
    seen = play([Caller(0, 10), Caller(1, 5), Caller(12, 2)], shift(0, 60), types=types)
    assert seen.outcome == ["answered", "unreached", "answered"]
    assert seen.wait == [0, 10, 0]
    assert seen.log.agent.tolist() == [0, 0, 0]
    assert seen.agents_time("handling") == 13
    counted = ("answered", "unreached", "lost", "abandoned", "handle_time")
    assert [total(seen, name) for name in counted] == [2, 1, 1, 0, 12 * MINUTE]


def test_a_callback_holds_no_line_and_counts_in_the_queue(play: Play) -> None:
    types = calling_back(line_group="main", queue_limit=1)
    callers = [Caller(0, 10), Caller(1, 5), Caller(2, 5), Caller(20, 1)]
    seen = play(callers, shift(0, 60), types=types, lines={"main": 2})
    assert seen.outcome == ["answered", "answered", "blocked", "answered"]
    without = calling_back(line_group="main")
    seen = play(callers, shift(0, 60), types=without, lines={"main": 2})
    assert seen.outcome == ["answered"] * 4


def test_a_callback_is_cleared_at_closing(play: Play) -> None:
    types = calling_back(open={"all": "09:00-10:00"}, at_closing="clear")
    seen = play([Caller(50, 20), Caller(55, 5)], shift(0, 60), types=types)
    assert (seen.outcome, seen.wait) == (["answered", "cleared"], [0, 5])


# Ring time.


def test_ring_time_is_waited_and_keeps_the_agent_busy(play: Play) -> None:
    seen = play([Caller(0, 4), Caller(1, 2)], shift(0, 60), ring="30 s")
    assert seen.wait == [0.5, 4]
    assert handling(seen) == [4, 2]
    assert (seen.log.taken - seen.log.arrival).tolist() == [0, 3.5 * MINUTE]
    assert seen.agents_time("handling") == 7
    assert total(seen, "handle_time") == 6 * MINUTE


@pytest.mark.parametrize(("patience", "outcome"), [(0.5, "answered"), (0.4, "abandoned")])
def test_who_gives_up_while_it_rings_frees_the_agent_then(
    play: Play, patience: float, outcome: str
) -> None:
    seen = play([Caller(0, 4, patience), Caller(0.2, 2)], shift(0, 60), ring="30 s")
    assert seen.outcome == [outcome, "answered"]
    assert seen.wait[0] == patience
    answered = outcome == "answered"
    assert seen.wait[1] == pytest.approx(4.5 - 0.2 + 0.5 if answered else 0.2 + 0.5)
    assert seen.log.agent.tolist() == [0, 0]
    assert seen.agents_time("handling") == (7 if answered else pytest.approx(2.9))


def test_without_patience_a_ring_is_too_long(play: Play) -> None:
    redial = {"probability": "100%", "delay": "1 min", "at_most": 1}
    types = {"call": {"patience": "0 s", "redial": redial}}
    seen = play([Caller(0, 4, 0)], shift(0, 60), types=types, ring="1 s")
    assert seen.outcome == ["abandoned"] * 2
    assert arrivals(seen) == [0, 1]


def test_who_rings_has_left_the_queue(play: Play) -> None:
    """Not cleared at closing, and no longer counted in its limit."""
    types = {"call": {"open": {"all": "09:00-10:00"}, "at_closing": "clear", "queue_limit": 1}}
    callers = [Caller(50, 9), Caller(51, 5), Caller(59.4, 5), Caller(59.6, 5)]
    seen = play(callers, shift(0, 60), types=types, ring="42 s")
    # The second is taken at 59.7 and rings over closing time; the third finds the queue full.
    assert seen.outcome == ["answered", "answered", "blocked", "blocked"]
    callers[3] = Caller(59.8, 5)
    seen = play(callers, shift(0, 60), types=types, ring="42 s")
    assert seen.outcome == ["answered", "answered", "blocked", "cleared"]
    assert seen.wait == pytest.approx([0.7, 59.7 + 0.7 - 51, 0, 0.2])


def test_who_rings_when_the_run_is_cut_still_waits(play: Play) -> None:
    end = 15 * 60
    by_interval = {"desk": (1,) * 48}
    # The second is taken 10 seconds before the end, and would be answered 10 after it.
    for patience, outcome in ((1.9, "abandoned"), (2, "waiting"), (9, "waiting")):
        callers = [Caller(end - 5, 4.5), Caller(end - 2, 4, patience)]
        seen = play(callers, by_interval=by_interval, ends="cut", ring="20 s")
        assert seen.outcome == ["answered", outcome]
    late = play([Caller(end - 0.2, 4, 0.3)], by_interval=by_interval, ends="cut", ring="20 s")
    assert (late.outcome, late.log.cut.tolist()) == (["waiting"], [False])
    assert late.wait == [pytest.approx(0.2)]
    assert late.agents_time("handling") == pytest.approx(0.2)


def test_ring_and_callback_are_apart(play: Play) -> None:
    """Who is called back does not ring: the agent dials."""
    types = calling_back(callback={"dialling": "1 min"})
    seen = play([Caller(0, 10), Caller(1, 5)], shift(0, 60), types=types, ring="2 min")
    assert seen.wait == [2, 12 - 1 + 1]


# Breaks that keep their length.

KEPT = {"late_break": "keeps_length"}


def test_a_break_that_begins_late_keeps_its_length(play: Play) -> None:
    """Five minutes late at a break from 20 to 30, back at 35; at the next one she is in time."""
    day = shift(0, 60, (20, 30), (45, 50))
    callers = [Caller(15, 10), Caller(28, 5), Caller(44.5, 0.1)]
    seen = play(callers, day, differ=KEPT)
    assert seen.wait == pytest.approx([0, 7, 0])
    assert [value / MINUTE - NINE for value in seen.log.stretch_came.tolist()] == [0, 35, 50]
    assert seen.left == [25, 45, 60]
    assert seen.agents_time("on_the_floor") == 25 + 10 + 10
    plain = play(callers, day)
    assert plain.wait == pytest.approx([0, 2, 0])
    assert plain.left == [25, 45, 60]


def test_a_break_may_begin_when_it_should_have_been_over(play: Play) -> None:
    day = shift(0, 60, (20, 30))
    seen = play([Caller(15, 25), Caller(31, 5)], day, differ=KEPT)
    assert (seen.wait, seen.left) == ([0, 50 - 31], [40, 60])
    # Who keeps the end goes on into the next stretch.
    assert play([Caller(15, 25), Caller(31, 5)], day).wait == [0, 40 - 31]


def test_a_stretch_that_the_break_takes_up_is_never_worked(play: Play) -> None:
    """Late by 25 at the first break: back at 55, after the second one; and the third is in time."""
    day = shift(0, 90, (20, 30), (40, 45), (70, 75))
    seen = play([Caller(15, 30), Caller(50, 5), Caller(60, 1)], day, differ=KEPT)
    assert [value / MINUTE - NINE for value in seen.log.stretch_came.tolist()] == [0, 30, 55, 75]
    assert seen.left == [45, 30, 70, 90]
    assert seen.wait == [0, 5, 0]
    # So late that nothing is left of the shift.
    gone = play([Caller(15, 65), Caller(50, 5)], shift(0, 90, (20, 30)), differ=KEPT)
    assert (gone.outcome, gone.left) == (["answered", "waiting"], [80, 30])


def test_who_is_back_late_and_who_comes_do_so_in_the_order_of_the_plan(play: Play) -> None:
    """At 35 the agent of the earlier stretch is first, whichever is hers."""
    callers = [Caller(15, 10), Caller(33, 5), Caller(33.5, 5)]
    seen = play(callers, shift(0, 60, (20, 30)), shift(35, 60), differ=KEPT)
    assert seen.wait == [0, 2, 1.5]
    assert seen.log.agent.tolist() == [0, 0, 1]
