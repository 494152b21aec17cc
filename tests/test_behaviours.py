"""Six behaviours on days made by hand, on both engines: every tie with its neighbours in the order.

Handle time by group, repeats, timed overflow, thresholds, lines and short queues, clearing at
closing. What must happen is worked out beside each day from docs/order.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from ccsim.demand.model import compile_demand
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import case_from
from ccsim.simulation.log import MET, REDIAL
from ccsim.simulation.model import compile_model
from tests.oracles import scenario_of
from tests.test_reference import HOUR, MINUTE, NINE, Caller, Play, Seen, shift

TWO: dict[str, dict[str, Any]] = {"call": {}, "vip": {}}
VIP = 1


@pytest.fixture(params=["reference", "compiled"])
def play(request: pytest.FixtureRequest) -> Play:
    return Play(request.param)


def answered_by(seen: Seen) -> list[str]:
    """The group that took each contact, or a dash."""
    agents = seen.log.agent.tolist()
    return [seen.model.groups[seen.model.agent_group[a]] if a >= 0 else "-" for a in agents]


def arrivals(seen: Seen) -> list[float]:
    return [value / MINUTE - NINE for value in seen.log.arrival.tolist()]


def handling(seen: Seen) -> list[float]:
    return [value / MINUTE for value in (seen.log.ended - seen.log.left_queue).tolist()]


def total(seen: Seen, measure: str, contact_type: int = 0) -> int:
    return int(seen.tally.measure(measure)[contact_type].sum())


# Handle time by group.


def test_a_slower_group_takes_longer_for_the_same_contact(play: Play) -> None:
    groups = {
        "desk": {"call": {"priority": 1}},
        "back": {"call": {"priority": 2, "handle_time": 1.5}},
    }
    callers = [Caller(0, 10), Caller(1, 10), Caller(2, 4)]
    seen = play(callers, shift(0, 60), shift(0, 60, group="back"), groups=groups)
    assert answered_by(seen) == ["desk", "back", "desk"]
    assert handling(seen) == [10, 15, 4]
    assert seen.wait == [0, 0, 8]
    assert seen.agents_time("handling", group=1) == 15
    assert seen.tally.handled.tolist() == [[14 * MINUTE], [15 * MINUTE]]


def test_half_a_microsecond_is_rounded_up(play: Play) -> None:
    groups = {"desk": {"call": {"handle_time": 0.5}}}
    seen = play([Caller(0, 3 / MINUTE)], shift(0, 60), groups=groups)
    assert (seen.log.ended - seen.log.left_queue).tolist() == [2]


# Repeats.


def repeating(delay: str = "10 min", at_most: int = 2, **given: Any) -> dict[str, dict[str, Any]]:
    return {"call": {"repeat": {"delay": delay, "at_most": at_most}, **given}}


NEVER_RESOLVED = {"desk": {"call": {"resolution": "0%"}}}


def test_what_is_not_resolved_comes_back_with_the_same_handle_time(play: Play) -> None:
    seen = play([Caller(0, 5)], shift(0, 60), types=repeating(), groups=NEVER_RESOLVED)
    # Five minutes of work, ten until she contacts again; twice, and the third is too often.
    assert arrivals(seen) == [0, 15, 30]
    assert handling(seen) == [5, 5, 5]
    log = seen.log
    assert log.again.tolist() == [0, MET, MET]
    assert log.unresolved.tolist() == [True] * 3
    assert log.last.tolist() == log.cut.tolist() == [False, False, True]
    assert (total(seen, "requests"), total(seen, "unresolved")) == (1, 3)
    assert (total(seen, "repeats"), total(seen, "repeats_cut")) == (2, 1)
    assert (total(seen, "redials"), total(seen, "redials_cut"), total(seen, "lost")) == (0, 0, 0)


def test_without_repeat_what_is_not_resolved_stays_so(play: Play) -> None:
    seen = play([Caller(0, 5)], shift(0, 60), groups=NEVER_RESOLVED)
    assert seen.log.unresolved.tolist() == [True]
    assert seen.log.cut.tolist() == [False]
    resolved = play([Caller(0, 5)], shift(0, 60), types=repeating())
    assert resolved.log.unresolved.tolist() == [False]


def test_a_repeat_waits_from_the_end_of_the_contact_and_takes_the_time_of_its_group(
    play: Play,
) -> None:
    groups = {"desk": {"call": {"resolution": "0%", "handle_time": 2}}, "back": {"call": 1}}
    seen = play(
        [Caller(0, 5)], shift(0, 10), shift(15, 60, group="back"), types=repeating(), groups=groups
    )
    assert arrivals(seen) == [0, 20]
    assert handling(seen) == [10, 5]
    assert seen.log.unresolved.tolist() == [True, False]


@pytest.mark.parametrize(("before", "cut"), [(16, [False, True]), (15, [True]), (3, [True])])
def test_a_repeat_at_or_after_the_end_of_the_horizon_is_cut_and_counted(
    play: Play, before: int, cut: list[bool]
) -> None:
    by_interval = {"desk": (1,) * 48}
    seen = play(
        [Caller(15 * 60 - before, 5)],
        types=repeating(at_most=9), groups=NEVER_RESOLVED, by_interval=by_interval,
    )  # fmt: skip
    assert seen.log.cut.tolist() == cut
    assert total(seen, "repeats_cut") == 1


def test_a_repeat_while_closed_ends_the_request_which_is_not_lost(play: Play) -> None:
    types = repeating(open={"all": "09:00-10:00"})
    types["call"]["repeat"]["clock"] = "calendar"
    seen = play([Caller(50, 5)], shift(0, 60), types=types, groups=NEVER_RESOLVED)
    assert arrivals(seen) == [50, 65]
    assert seen.outcome == ["answered", "closed"]
    assert (total(seen, "lost"), total(seen, "repeats"), total(seen, "unresolved")) == (0, 1, 1)


@pytest.mark.parametrize(
    ("called", "back"),
    [
        (44.0, 59.0),  # five minutes of work and ten of delay, all of it on the first day
        (45.0, 24 * 60.0),  # over at closing time, which is too late: when it opens
        (49.0, 24 * 60 + 4.0),
        (56.0, 24 * 60 + 10.0),  # done after closing: the clock stands until the next day
    ],
)
def test_a_delay_may_run_while_open_only(play: Play, called: float, back: float) -> None:
    types = repeating(open={"all": "09:00-10:00"}, at_most=1)
    types["call"]["repeat"]["clock"] = "opening"
    seen = play(
        [Caller(called, 5)], shift(0, 60), shift(24 * 60, 25 * 60),
        types=types, groups=NEVER_RESOLVED, days=2,
    )  # fmt: skip
    assert arrivals(seen) == [called, back]
    assert seen.outcome == ["answered", "answered"]
    last = play([Caller(56, 5)], shift(0, 60), types=types, groups=NEVER_RESOLVED)
    assert (last.log.cut.tolist(), total(last, "repeats_cut")) == ([True], 1)


def test_a_redial_may_wait_for_the_opening_too(play: Play) -> None:
    redial = {"probability": "100%", "delay": "20 min", "clock": "opening"}
    types = {"call": {"open": {"all": "09:00-10:00"}, "patience": "3 min", "redial": redial}}
    seen = play([Caller(50, 5, 3)], shift(24 * 60, 25 * 60), types=types, days=2)
    # Seven minutes of the delay are before closing, thirteen on the next day.
    assert arrivals(seen) == [50, 24 * 60 + 13]
    assert seen.outcome == ["abandoned", "answered"]


@pytest.mark.parametrize(("at_most", "cut"), [(1, True), (2, False)])
def test_who_gives_up_on_a_repeat_redials_if_no_bound_is_reached(
    play: Play, at_most: int, cut: bool
) -> None:
    redial = {"probability": "100%", "delay": "5 min", "at_most": at_most}
    types = repeating(patience="2 min", redial=redial)
    seen = play([Caller(0, 5, 2)], shift(0, 10), shift(20, 60), types=types, groups=NEVER_RESOLVED)
    # Back at 15, gone at 17, back at 22: later attempts of either kind count for both bounds.
    later = [] if cut else [22.0]
    assert arrivals(seen) == [0, 15, *later]
    assert seen.log.again.tolist() == [0, MET, *([] if cut else [MET | REDIAL])]
    assert seen.outcome == ["answered", "abandoned", *([] if cut else ["answered"])]
    assert total(seen, "redials_cut") == cut
    assert total(seen, "repeats_cut") == (not cut)
    assert total(seen, "lost") == 0


def test_a_repeat_at_the_instant_of_an_arrival_keeps_the_order_of_content(play: Play) -> None:
    groups = {"desk": {"call": 1, "vip": {"resolution": "0%"}}}
    types = {"call": {}, "vip": repeating(at_most=1)["call"]}
    # The vip's repeat, a first call and a first vip come at 15: the smaller contact type is first,
    # then the earlier interval.
    callers = [Caller(0, 5, contact_type=VIP), Caller(15, 2), Caller(15, 3, contact_type=VIP)]
    seen = play(callers, shift(0, 60), types=types, groups=groups)
    assert arrivals(seen)[:4] == [0, 15, 15, 15]
    assert seen.log.contact_type.tolist()[:4] == [1, 0, 1, 1]
    assert seen.log.attempt.tolist()[:4] == [0, 0, 1, 0]
    assert seen.wait[:4] == [0, 0, 2, 7]


def test_who_comes_back_the_moment_she_is_done_stands_behind_who_waited(play: Play) -> None:
    types = repeating("0 s", at_most=1)
    seen = play([Caller(0, 5), Caller(1, 2)], shift(0, 60), types=types, groups=NEVER_RESOLVED)
    # At 5 the agent takes the second first, then the repeats in the order in which they come.
    assert arrivals(seen) == [0, 1, 5, 7]
    assert seen.log.ordinal.tolist() == [0, 1, 0, 1]
    assert seen.wait == [0, 4, 2, 5]


# Timed overflow.


def overflow(after: str = "2 min", **more: Any) -> dict[str, dict[str, Any]]:
    return {"desk": {"call": 1}, "back": {"call": {"after": after}, **more}}


def test_a_group_gets_a_contact_once_it_has_waited_so_long(play: Play) -> None:
    seen = play(
        [Caller(0, 5), Caller(1, 3)],
        shift(0, 60, group="back", agents=2), groups=overflow(),
    )  # fmt: skip
    assert seen.wait == [2, 2]
    assert answered_by(seen) == ["back", "back"]


def test_the_own_group_free_at_the_instant_of_overflow_answers(play: Play) -> None:
    shifts = shift(0, 60), shift(0, 60, group="back")
    seen = play([Caller(0, 12), Caller(10, 5)], *shifts, groups=overflow())
    assert answered_by(seen) == ["desk", "desk"]
    assert seen.wait == [0, 2]
    later = play([Caller(0, 13), Caller(10, 5)], *shifts, groups=overflow())
    assert answered_by(later) == ["desk", "back"]
    assert later.wait == [0, 2]


@pytest.mark.parametrize("until", [11, 12, 13])
def test_an_overflow_agent_free_before_at_or_after_the_instant(play: Play, until: int) -> None:
    groups = overflow(vip=1)
    callers = [Caller(0, until, contact_type=VIP), Caller(10, 5)]
    seen = play(callers, shift(0, 60, group="back"), types=TWO, groups=groups)
    assert seen.wait == [0, max(until, 12) - 10]
    assert answered_by(seen) == ["back", "back"]


def test_overflow_is_before_patience_ends_if_somebody_is_free(play: Play) -> None:
    seen = play([Caller(0, 5, 2)], shift(0, 60, group="back"), groups=overflow())
    assert (seen.outcome, seen.wait) == (["answered"], [2])
    groups = overflow(vip=1)
    busy = [Caller(-1, 9, contact_type=VIP), Caller(0, 5, 2)]
    seen = play(busy, shift(-5, 60, group="back"), types=TWO, groups=groups)
    assert seen.outcome == ["answered", "abandoned"]
    seen = play([Caller(0, 5, 1.5)], shift(0, 60, group="back"), groups=overflow())
    assert (seen.outcome, seen.wait) == (["abandoned"], [1.5])


@pytest.mark.parametrize(
    ("called", "outcome", "wait"), [(58, "answered", 2), (59, "cleared", 1), (57, "answered", 2)]
)
def test_overflow_is_before_closing(play: Play, called: int, outcome: str, wait: int) -> None:
    types = {"call": {"open": {"all": "09:00-10:00"}, "at_closing": "clear"}}
    seen = play([Caller(called, 5)], shift(0, 120, group="back"), types=types, groups=overflow())
    assert (seen.outcome, seen.wait) == ([outcome], [wait])


def test_agents_come_and_leave_before_overflow(play: Play) -> None:
    came = play([Caller(0, 5, 9)], shift(2, 60, group="back"), groups=overflow())
    assert (came.outcome, came.wait) == (["answered"], [2])
    early = play([Caller(0, 5, 9)], shift(1, 60, group="back"), groups=overflow())
    assert (early.outcome, early.wait) == (["answered"], [2])
    gone = play([Caller(0, 5, 9)], shift(0, 2, group="back"), groups=overflow())
    assert (gone.outcome, gone.wait) == (["abandoned"], [9])


def test_who_overflows_is_before_who_arrives(play: Play) -> None:
    callers = [Caller(10, 5), Caller(12, 4, contact_type=VIP)]
    seen = play(callers, shift(0, 60, group="back"), types=TWO, groups=overflow(vip=1))
    assert seen.wait == [2, 5]


def test_of_two_who_overflow_at_one_instant_the_lower_content_is_first(play: Play) -> None:
    groups = {"desk": {}, "back": {"call": {"after": "1 min", "priority": 2}, "vip": 1}}
    groups["back"]["vip"] = {"after": "2 min", "priority": 1}
    # Free at 12, when the call overflows with the vip: contacts choose, and the call is first.
    callers = [Caller(11, 5), Caller(10, 4, contact_type=VIP)]
    seen = play(callers, shift(0, 60, group="back"), types=TWO, groups=groups)
    assert seen.log.contact_type.tolist() == [1, 0]
    assert seen.wait == [7, 1]
    # Who becomes free at that instant chooses herself, by priority: busy from 2 until 12.
    busy = [*callers, Caller(0, 10, contact_type=VIP)]
    seen = play(busy, shift(0, 60, group="back"), types=TWO, groups=groups)
    assert seen.log.contact_type.tolist() == [1, 1, 0]
    assert seen.wait == [2, 2, 5]


def test_overflow_goes_on_to_the_next_group(play: Play) -> None:
    groups = {
        "desk": {"call": 1},
        "back": {"call": {"after": "2 min"}, "vip": 1},
        "far": {"call": {"after": "4 min"}},
    }
    shifts = shift(0, 60, group="back"), shift(0, 60, group="far")
    busy = [Caller(0, 30, contact_type=VIP), Caller(1, 5)]
    seen = play(busy, *shifts, types=TWO, groups=groups)
    assert answered_by(seen) == ["back", "far"]
    assert seen.wait == [0, 4]


def test_of_groups_that_may_take_a_contact_now_the_better_priority_gets_it(play: Play) -> None:
    groups = {
        "desk": {"call": {"after": "2 min", "priority": 1}},
        "back": {"call": {"after": "2 min", "priority": 2}},
    }
    shifts = shift(0, 60, group="back"), shift(1, 60)
    assert answered_by(play([Caller(0, 5)], *shifts, groups=groups)) == ["desk"]


def test_an_agent_passes_over_who_has_not_waited_long_enough(play: Play) -> None:
    groups = {"desk": {}, "back": {"call": {"after": "5 min", "priority": 1}, "vip": {}}}
    groups["back"]["vip"] = {"priority": 2}
    callers = [
        Caller(0, 10, contact_type=VIP), Caller(6, 5), Caller(7, 3, contact_type=VIP),
    ]  # fmt: skip
    seen = play(callers, shift(0, 60, group="back"), types=TWO, groups=groups)
    # At 10 the call has waited 4: the vip is taken, then the call at 13.
    assert seen.wait == [0, 7, 3]


# Thresholds.


def reserving(reserve: int = 1, **given: Any) -> dict[str, dict[str, Any]]:
    return {"desk": {"call": {"reserve": reserve, "priority": 2, **given}, "vip": {"priority": 1}}}


def test_so_many_agents_are_kept_free_for_others(play: Play) -> None:
    callers = [Caller(0, 9), Caller(0, 9), Caller(0, 9), Caller(1, 5, contact_type=VIP)]
    seen = play(callers, shift(0, 60, agents=3), types=TWO, groups=reserving())
    # Three are free, two, and then only the one that is kept: the third waits until 6, when the
    # vip's agent is alone free, and on until 9.
    assert seen.wait == [0, 0, 9, 0]


def test_who_becomes_free_counts_herself(play: Play) -> None:
    seen = play([Caller(0, 5), Caller(1, 5)], shift(0, 60, agents=2), types=TWO, groups=reserving())
    assert seen.wait == [0, 4]
    none = play([Caller(0, 5, 9)], shift(0, 60), types=TWO, groups=reserving())
    assert none.outcome == ["abandoned"]


def test_an_agent_free_at_the_instant_of_an_arrival_counts(play: Play) -> None:
    callers = [Caller(0, 5, contact_type=VIP), Caller(5, 5), Caller(5, 5, 2)]
    seen = play(callers, shift(0, 60, agents=2), types=TWO, groups=reserving())
    assert seen.wait == [0, 0, 2]
    assert seen.outcome == ["answered", "answered", "abandoned"]


def test_of_agents_who_come_at_one_instant_each_counts_those_before_her(play: Play) -> None:
    seen = play(
        [Caller(-2, 5), Caller(-1, 5)], shift(0, 60, agents=3), types=TWO, groups=reserving()
    )
    # The first finds herself alone; the second and the third each find two free.
    assert seen.log.agent.tolist() == [1, 2]
    assert seen.wait == [2, 1]
    seen = play([Caller(-2, 5)], shift(0, 60), types=TWO, groups=reserving(), ends="cut")
    assert seen.outcome == ["waiting"]


def test_who_leaves_no_longer_counts_when_another_comes(play: Play) -> None:
    seen = play([Caller(20, 5, 30)], shift(0, 30), shift(30, 60), types=TWO, groups=reserving())
    assert seen.outcome == ["abandoned"]
    seen = play([Caller(20, 5, 30)], shift(0, 31), shift(30, 60), types=TWO, groups=reserving())
    assert (seen.outcome, seen.wait) == (["answered"], [10])
    assert seen.log.agent.tolist() == [1]


def test_who_leaves_still_counts_when_a_service_ends_at_that_instant(play: Play) -> None:
    callers = [Caller(0, 30, contact_type=VIP), Caller(20, 5, 30)]
    for end in (30, 29):
        # The vip goes to the first in the plan, who stays; the other leaves at 30, or before.
        seen = play(callers, shift(-5, 60), shift(-4, end), types=TWO, groups=reserving())
        assert seen.wait == [0, 10 if end == 30 else 30]
        assert seen.outcome[1] == ("answered" if end == 30 else "abandoned")


def test_overflow_minds_the_threshold(play: Play) -> None:
    groups = {"desk": {"call": 1}, "back": {"call": {"after": "2 min", "reserve": 1}, "vip": 1}}
    callers = [Caller(0, 5, contact_type=VIP), Caller(1, 5, 9)]
    seen = play(callers, shift(0, 60, group="back", agents=2), types=TWO, groups=groups)
    # At 3 only one is free, at 5 two.
    assert seen.wait == [0, 4]
    seen = play(callers[1:], shift(0, 60, group="back", agents=2), types=TWO, groups=groups)
    assert seen.wait == [2]


UNTIL_TEN = {"open": {"all": "09:00-10:00"}}


@pytest.mark.parametrize("at_closing", ["serve", "clear"])
def test_who_serves_out_minds_neither_thresholds_nor_how_long_one_waited(
    play: Play, at_closing: str
) -> None:
    types = {name: {**UNTIL_TEN, "at_closing": at_closing} for name in TWO}
    one = shift(0, 60)
    # She is idle beside who waits until her shift ends with the opening hours; leaving is before
    # closing, so that she takes one of them even if the others are cleared.
    kept_free = play([Caller(50, 5), Caller(51, 5)], one, types=types, groups=reserving())
    early = reserving(0, after="30 min")
    too_early = play([Caller(50, 5), Caller(51, 5)], one, types=types, groups=early)
    for seen in (kept_free, too_early):
        served = at_closing == "serve"
        assert seen.outcome == ["answered", "answered" if served else "cleared"]
        assert seen.wait == [10, 14 if served else 9]
    # With a contact in hand she does so when it ends.
    callers = [Caller(55, 15, contact_type=VIP), Caller(56, 5)]
    late = play(callers, one, types=types, groups=reserving(after="30 min"))
    assert late.outcome == ["answered", "answered" if served else "cleared"]
    assert late.wait == [0, 14 if served else 4]


def test_a_shift_that_ends_while_something_is_open_does_not_serve_out(play: Play) -> None:
    types = {"call": UNTIL_TEN, "vip": {}}
    seen = play([Caller(50, 5, 30)], shift(0, 60), types=types, groups=reserving())
    assert seen.outcome == ["abandoned"]


# Short queues and lines.


def test_who_finds_the_queue_full_is_blocked_at_once(play: Play) -> None:
    types = {"call": {"queue_limit": 1}}
    seen = play([Caller(0, 10), Caller(1, 5), Caller(2, 5)], shift(0, 60), types=types)
    assert seen.outcome == ["answered", "answered", "blocked"]
    assert seen.wait == [0, 9, 0]
    assert (total(seen, "offered"), total(seen, "blocked"), total(seen, "lost")) == (3, 1, 1)
    assert int(seen.tally.in_time.sum()) == 1


def test_with_no_place_to_wait_one_is_answered_or_blocked(play: Play) -> None:
    types = {"call": {"queue_limit": 0}}
    seen = play([Caller(0, 10), Caller(1, 5), Caller(10, 5)], shift(0, 60), types=types)
    assert seen.outcome == ["answered", "blocked", "answered"]
    assert seen.wait == [0, 0, 0]


@pytest.mark.parametrize(
    ("second", "at"), [(Caller(1, 5), 10), (Caller(1, 5, 3), 4)], ids=["answered", "gives up"]
)
@pytest.mark.parametrize("limit", ["queue", "lines"])
def test_who_leaves_at_the_instant_of_an_arrival_has_made_room(
    play: Play, limit: str, second: Caller, at: float
) -> None:
    given = {"queue_limit": 1} if limit == "queue" else {"line_group": "main"}
    lines = {} if limit == "queue" else {"main": 2}
    callers = [Caller(0, 10), second]
    for later, outcome in ((at, "answered"), (at - 0.5, "blocked")):
        seen = play([*callers, Caller(later, 1)], shift(0, 60), types={"call": given}, lines=lines)
        assert seen.outcome[2] == outcome


def test_a_line_is_free_again_at_the_instant_talk_ends(play: Play) -> None:
    types = {"call": {"line_group": "main"}}
    callers = [Caller(0, 10), Caller(9.5, 5), Caller(10, 5)]
    seen = play(callers, shift(0, 60, agents=2), types=types, lines={"main": 1})
    assert seen.outcome == ["answered", "blocked", "answered"]
    assert seen.log.agent.tolist() == [0, -1, 1]


@pytest.mark.parametrize("factor", [1, 2])
def test_wrap_up_needs_no_line(play: Play, factor: int) -> None:
    types = {"call": {"line_group": "main", "wrap_up": "2 min"}}
    groups = {"desk": {"call": {"handle_time": factor}}}
    # Of five minutes three are talk; a group that takes twice as long talks for six of ten.
    talk = 3 * factor
    callers = [Caller(0, 5), Caller(talk - 1, 5), Caller(talk, 5)]
    two = play(callers, shift(0, 60, agents=2), types=types, groups=groups, lines={"main": 1})
    assert two.outcome == ["answered", "blocked", "answered"]
    assert two.wait == [0, 0, 0]
    one = play(callers, shift(0, 60), types=types, groups=groups, lines={"main": 1})
    assert one.wait == [0, 0, 2 * factor]


def test_who_overflows_makes_room_in_the_queue(play: Play) -> None:
    types = {"call": {"queue_limit": 1}}
    callers = [Caller(0, 9), Caller(1, 9), Caller(2, 9), Caller(3, 9)]
    seen = play(callers, shift(0, 60, group="back", agents=2), types=types, groups=overflow())
    # The first overflows at 2, before the third arrives.
    assert seen.outcome == ["answered", "blocked", "answered", "blocked"]
    assert seen.wait == [2, 0, 2, 0]


def test_contact_types_share_lines_whoever_answers_them(play: Play) -> None:
    types = {name: {"line_group": "main"} for name in TWO}
    groups = {"desk": {"call": 1}, "back": {"vip": 1}}
    callers = [Caller(0, 10), Caller(1, 10), Caller(2, 5, contact_type=VIP)]
    shifts = shift(0, 60), shift(0, 60, group="back")
    seen = play(callers, *shifts, types=types, groups=groups, lines={"main": 2})
    assert seen.outcome == ["answered", "answered", "blocked"]
    types["vip"] = {"line_group": "other"}
    lines = {"main": 2, "other": 1}
    seen = play(callers, *shifts, types=types, groups=groups, lines=lines)
    assert seen.outcome == ["answered"] * 3


def test_who_finds_the_queue_full_gives_the_line_back(play: Play) -> None:
    types = {"call": {"line_group": "main", "queue_limit": 1}, "vip": {"line_group": "main"}}
    groups = {"desk": {"call": 1}, "back": {"vip": 1}}
    callers = [Caller(0, 10), Caller(1, 5), Caller(2, 5), Caller(3, 5, contact_type=VIP)]
    shifts = shift(0, 60), shift(0, 60, group="back")
    seen = play(callers, *shifts, types=types, groups=groups, lines={"main": 3})
    assert seen.outcome == ["answered", "answered", "blocked", "answered"]


def test_of_two_who_call_at_once_the_lower_content_gets_the_line(play: Play) -> None:
    types = {"call": {"line_group": "main"}}
    callers = [Caller(0, 5), Caller(0, 5), Caller(5, 0), Caller(5, 1)]
    seen = play(callers, shift(0, 60, agents=2), types=types, lines={"main": 1})
    # What takes no time has given its line back before the next of that instant.
    assert seen.outcome == ["answered", "blocked", "answered", "answered"]


def test_who_calls_while_closed_needs_no_line(play: Play) -> None:
    types = {"call": {"line_group": "main", **UNTIL_TEN}, "vip": {"line_group": "main"}}
    groups = {"desk": {"call": 1}, "back": {"vip": 1}}
    callers = [Caller(61, 5), Caller(62, 5, contact_type=VIP)]
    shifts = shift(0, 90), shift(0, 90, group="back")
    seen = play(callers, *shifts, types=types, groups=groups, lines={"main": 1})
    assert seen.outcome == ["closed", "answered"]


@pytest.mark.parametrize("by", ["queue", "lines"])
def test_who_is_blocked_redials_as_who_gives_up_does(play: Play, by: str) -> None:
    given = {"queue_limit": 0} if by == "queue" else {"line_group": "main"}
    lines = {} if by == "queue" else {"main": 1}
    redial = {"probability": "100%", "delay": "5 min", "at_most": 2}
    types = {"call": {**given, "redial": redial}}
    seen = play([Caller(0, 12), Caller(8, 5)], shift(0, 60), types=types, lines=lines)
    assert arrivals(seen) == [0, 8, 13]
    assert seen.outcome == ["answered", "blocked", "answered"]
    assert seen.log.again.tolist() == [0, 0, REDIAL]
    assert (total(seen, "redials"), total(seen, "lost")) == (1, 0)
    full = play([Caller(0, 30), Caller(8, 5)], shift(0, 60), types=types, lines=lines)
    assert full.outcome == ["answered", "blocked", "blocked", "blocked"]
    assert full.log.cut.tolist() == [False, False, False, True]
    assert (total(full, "redials"), total(full, "redials_cut"), total(full, "lost")) == (2, 1, 1)


# Which of several free agents.


@pytest.mark.parametrize(
    ("choice", "agents"),
    [
        ("longest_idle", [0, 1, 2, 1, 2]),
        ("in_order", [0, 1, 2, 0, 1]),
        ("least_handling", [0, 1, 2, 2, 1]),
    ],
)
def test_a_rule_chooses_among_free_agents(play: Play, choice: str, agents: list[int]) -> None:
    # At 15 agent 1 is free since 5, agent 2 since 6 and agent 0 since 9; they have handled 4, 4
    # and 9 minutes, but for the half minute that agent 1 has more.
    callers = [Caller(0, 9), Caller(0.5, 4.5), Caller(2, 4), Caller(15, 1), Caller(15, 1)]
    types = {"call": {"agent_choice": choice}}
    seen = play(callers, shift(0, 60, agents=3), types=types)
    assert seen.log.agent.tolist() == agents


def test_anyone_is_anyone(play: Play) -> None:
    # Three are free whenever somebody calls; who has been idle for longest is never the last one.
    callers = [Caller(3 * number, 1) for number in range(290)]
    types = {"call": {"agent_choice": "at_random"}}
    agents = play(callers, shift(0, 880, agents=3), types=types).log.agent
    fewest, most = binom.ppf([0.5e-6, 1 - 0.5e-6], len(agents), 1 / 3)
    assert all(fewest <= count <= most for count in np.bincount(agents))
    fewest, most = binom.ppf([0.5e-6, 1 - 0.5e-6], len(agents) - 1, 1 / 3)
    assert fewest <= (agents[1:] == agents[:-1]).sum() <= most


def test_a_rule_chooses_within_the_best_priority(play: Play) -> None:
    groups = {"desk": {"call": 2}, "back": {"call": 1}}
    types = {"call": {"agent_choice": "in_order"}}
    seen = play(
        [Caller(1, 5)], shift(0, 60), shift(0, 60, group="back"), groups=groups, types=types
    )
    assert answered_by(seen) == ["back"]


# Clearing at closing.


def clearing(**given: Any) -> dict[str, dict[str, Any]]:
    return {"call": {**UNTIL_TEN, "at_closing": "clear", **given}}


@pytest.mark.parametrize("end", [60, 120])
def test_who_waits_at_closing_is_cleared_after_who_is_free_then_took_one(
    play: Play, end: int
) -> None:
    callers = [Caller(50, 10), Caller(55, 5), Caller(56, 5), Caller(57, 5)]
    seen = play(callers, shift(0, end), types=clearing())
    assert seen.outcome == ["answered", "answered", "cleared", "cleared"]
    assert seen.wait == [0, 5, 4, 3]
    assert seen.left == [max(end, 65)]
    assert (total(seen, "offered"), total(seen, "cleared"), total(seen, "lost")) == (4, 2, 2)
    # Nobody waited to an end of her own.
    assert total(seen, "wait_all") == 5 * MINUTE


def test_patience_ends_before_closing_and_who_comes_then_is_too_late(play: Play) -> None:
    callers = [Caller(0, 90), Caller(50, 5, 10), Caller(51, 5, 10), Caller(60, 5)]
    seen = play(callers, shift(0, 120), types=clearing())
    assert seen.outcome == ["answered", "abandoned", "cleared", "closed"]
    assert seen.wait == [0, 10, 9, 0]


def test_who_comes_to_the_floor_at_closing_takes_one_before_the_others_are_cleared(
    play: Play,
) -> None:
    seen = play([Caller(50, 5), Caller(51, 5)], shift(60, 90), types=clearing())
    assert seen.outcome == ["answered", "cleared"]
    assert seen.wait == [10, 9]


def test_who_is_cleared_does_not_call_again(play: Play) -> None:
    redial = {"probability": "100%", "delay": "5 min", "at_most": 2}
    types = clearing(patience="30 min", redial=redial, open={"all": ["09:00-10:00", "11:00-12:00"]})
    seen = play([Caller(50, 5, 30)], shift(120, 180), types=types)
    assert (seen.outcome, seen.wait) == (["cleared"], [10])
    assert seen.log.last.tolist() == [True]
    assert seen.log.cut.tolist() == [False]


def test_only_what_closes_is_cleared_and_its_lines_are_free_at_once(play: Play) -> None:
    types = clearing(line_group="main") | {"vip": {"line_group": "main"}}
    groups = {"desk": {"vip": 1}}
    # A call that nobody answers holds the only line until it closes.
    callers = [
        Caller(50, 5), Caller(59, 5, contact_type=VIP), Caller(60, 5, contact_type=VIP),
    ]  # fmt: skip
    seen = play(callers, shift(0, 90), types=types, groups=groups, lines={"main": 1})
    assert seen.outcome == ["cleared", "blocked", "answered"]
    types = clearing() | {"vip": {}}
    seen = play(
        [Caller(50, 20, contact_type=VIP), Caller(51, 5), Caller(52, 5, contact_type=VIP)],
        shift(0, 90), types=types,
    )  # fmt: skip
    assert seen.outcome == ["answered", "cleared", "answered"]


def test_the_end_of_the_horizon_closes_unless_it_is_cut(play: Play) -> None:
    types = clearing(open={"all": "09:00-24:00"})
    callers = [Caller(15 * 60 - 9, 20), Caller(15 * 60 - 4, 5)]
    for ends, outcome in (("drain", "cleared"), ("cut", "waiting")):
        seen = play(callers, shift(0, 15 * 60), types=types, ends=ends)
        assert seen.outcome == ["answered", outcome]
        assert seen.wait == [0, 4]


def closings(*hours: str, **horizon: Any) -> list[float]:
    """Hours at which a call centre with these opening hours clears its queue."""
    case = case_from(scenario_of(clearing(open={"all": list(hours)}), **horizon))
    model = compile_model(case, compile_demand(case), StaffingPlan())
    assert (model.access.closing[:, 1] == 0).all()
    return (model.access.closing[:, 0] / HOUR).tolist()


def test_a_queue_is_cleared_whenever_it_closes() -> None:
    assert closings("09:00-10:00") == [10]
    assert closings("09:00-10:00", "11:00-12:00", days=2) == [10, 12, 34, 36]
    assert closings("09:00-24:00", days=2) == [24, 48]
    # In a cyclic horizon midnight is not closing time if it opens there.
    assert closings("00:00-06:00", "20:00-24:00", begins="empty") == [6, 24]
    assert closings("00:00-06:00", "20:00-24:00", begins="cyclic", warm_up="0 s") == [6]
    assert closings("09:00-10:00", begins="cyclic", warm_up="1 day", days=2) == [-14, 10, 34]
    assert closings("09:00-10:00", begins="cyclic", warm_up="14 h") == [10]
