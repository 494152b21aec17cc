"""Both engines on days made by hand, and what a plan becomes before it runs.

Every day is a few customers at whole minutes, so that the right log can be written down beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from ccsim.demand.draw import NEVER, Contacts, draw_replication
from ccsim.demand.model import compile_demand
from ccsim.errors import PlanError
from ccsim.performance.tally import Tally, count, measuring_rules
from ccsim.plans import PlacedBreak, PlacedShift, StaffingPlan
from ccsim.scenario.case import Case, case_from
from ccsim.simulation.engine import Engine, run
from ccsim.simulation.log import REDIAL, ContactLog, Outcome
from ccsim.simulation.model import Model, compile_model
from tests.oracles import scenario_of

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NINE = 9 * 60


class Caller(NamedTuple):
    """A customer: when she calls [min after 09:00], how long she talks and waits [min]."""

    at: float
    talk: float
    patience: float = float("inf")
    contact_type: int = 0


@dataclass(frozen=True)
class Seen:
    """What became of the callers, in minutes, in order of arrival."""

    model: Model
    log: ContactLog
    tally: Tally

    @property
    def outcome(self) -> list[str]:
        return [Outcome(value).name.lower() for value in self.log.outcome.tolist()]

    @property
    def wait(self) -> list[float]:
        return [value / MINUTE for value in self.log.wait.tolist()]

    @property
    def left(self) -> list[float]:
        """When each stretch was really left [min after 09:00]."""
        return [value / MINUTE - NINE for value in self.log.stretch_left.tolist()]

    def agents_time(self, measure: str, group: int = 0) -> float:
        return float(self.tally.group_measure(measure)[group].sum() / MINUTE)


def shift(
    start: float, end: float, *breaks: tuple[float, float], agents: int = 1, group: str = "desk"
) -> PlacedShift:
    """A shift with its breaks, from and until [min after 09:00]."""

    def at(minutes: float) -> int:
        return round((NINE + minutes) * MINUTE)

    return PlacedShift(
        group,
        at(start),
        "any",
        at(end) - at(start),
        tuple(PlacedBreak(at(a), at(b) - at(a)) for a, b in breaks),
        agents,
    )


def customers(callers: list[Caller], interval_us: int) -> Contacts:
    arrival = [round((NINE + caller.at) * MINUTE) for caller in callers]
    patience = [
        NEVER if np.isinf(caller.patience) else round(caller.patience * MINUTE)
        for caller in callers
    ]
    columns = (
        [caller.contact_type for caller in callers],
        [moment // interval_us for moment in arrival],
        list(range(len(callers))),
        arrival,
        [round(caller.talk * MINUTE) for caller in callers],
        patience,
    )
    order = sorted(range(len(callers)), key=lambda row: (arrival[row], columns[0][row], row))
    return Contacts(*(np.array(column, dtype=np.int64)[order] for column in columns))


@dataclass(frozen=True)
class Play:
    """Plays days on one of the engines."""

    engine: Engine

    def __call__(
        self,
        callers: list[Caller],
        *shifts: PlacedShift,
        types: dict[str, dict[str, Any]] | None = None,
        groups: dict[str, dict[str, int]] | None = None,
        by_interval: dict[str, tuple[int, ...]] | None = None,
        **horizon: Any,
    ) -> Seen:
        """Play a day of these callers under these shifts."""
        case = case_from(scenario_of(types or {"call": {}}, groups, **horizon))
        demand = compile_demand(case)
        model = compile_model(case, demand, StaffingPlan(tuple(sorted(shifts)), by_interval or {}))
        contacts = customers(callers, model.interval_us)
        drawn = replace(draw_replication(demand, 1, 0), contacts=contacts)
        log = run(model, drawn, self.engine)
        return Seen(model, log, count(model, log, measuring_rules(case.scenario)))


@pytest.fixture(params=["reference", "compiled"])
def play(request: pytest.FixtureRequest) -> Play:
    return Play(request.param)


# One queue.


def test_first_come_first_served(play: Play) -> None:
    seen = play([Caller(0, 10), Caller(1, 10), Caller(2, 1)], shift(0, 60))
    assert seen.wait == [0, 9, 18]
    assert seen.outcome == ["answered"] * 3


def test_of_two_who_call_at_once_the_lower_content_is_first(play: Play) -> None:
    seen = play([Caller(0, 5), Caller(1, 5), Caller(1, 5)], shift(0, 60))
    assert seen.log.ordinal.tolist() == [0, 1, 2]
    assert seen.wait == [0, 4, 9]


def test_the_agent_idle_longest_takes_the_next_call(play: Play) -> None:
    # Agents 0 and 1 come at once; 0 first. Agent 1 is free from 5, agent 0 from 10.
    seen = play([Caller(0, 10), Caller(1, 4), Caller(20, 1), Caller(20, 1)], shift(0, 60, agents=2))
    assert seen.log.agent.tolist() == [0, 1, 1, 0]


def test_who_gives_up_waited_exactly_as_long_as_the_patience(play: Play) -> None:
    seen = play([Caller(0, 10), Caller(1, 10, 3.5), Caller(2, 1, 20)], shift(0, 60))
    assert seen.outcome == ["answered", "abandoned", "answered"]
    assert seen.wait == [0, 3.5, 8]


def test_without_patience_one_gives_up_at_once_unless_somebody_is_free(play: Play) -> None:
    seen = play([Caller(0, 10, 0), Caller(1, 10, 0)], shift(0, 60))
    assert seen.outcome == ["answered", "abandoned"]
    assert seen.wait == [0, 0]


# What happens first when everything happens at once.


def test_service_ends_before_patience_and_before_the_next_arrival(play: Play) -> None:
    seen = play([Caller(0, 10), Caller(4, 5, 6), Caller(10, 1)], shift(0, 60))
    assert seen.outcome == ["answered"] * 3
    assert seen.wait == [0, 6, 5]


def test_an_agent_comes_before_patience_ends_and_before_an_arrival(play: Play) -> None:
    seen = play([Caller(-5, 5, 5), Caller(0, 5, 0)], shift(0, 60, agents=2))
    assert seen.outcome == ["answered", "answered"]
    assert seen.wait == [5, 0]


def test_an_agent_leaves_before_who_calls_at_that_moment(play: Play) -> None:
    seen = play([Caller(30, 5, 1)], shift(0, 30))
    assert seen.outcome == ["abandoned"]
    seen = play([Caller(30, 5, 1)], shift(0, 30), shift(30, 60))
    assert seen.log.agent.tolist() == [1]
    assert seen.wait == [0]


def test_a_contact_that_ends_with_the_shift_is_the_agents_last(play: Play) -> None:
    seen = play([Caller(0, 30), Caller(1, 5, 40)], shift(0, 30))
    assert seen.outcome == ["answered", "abandoned"]
    assert seen.agents_time("after_shift") == 0


def test_what_takes_no_time_is_over_before_the_next_arrival_of_that_instant(play: Play) -> None:
    seen = play([Caller(0, 0), Caller(0, 5), Caller(0, 5, 0), Caller(0, 5)], shift(0, 60))
    assert seen.outcome == ["answered", "answered", "abandoned", "answered"]
    assert seen.wait == [0, 0, 0, 5]


def test_who_come_at_one_instant_take_contacts_in_the_order_of_the_plan(play: Play) -> None:
    seen = play([Caller(-2, 5), Caller(-1, 5)], shift(0, 60, agents=2))
    assert seen.log.agent.tolist() == [0, 1]


def test_who_are_free_at_one_instant_take_contacts_in_the_order_of_those_that_end(
    play: Play,
) -> None:
    # Agent 1's contact is of the first type, so that it ends first.
    callers = [Caller(0, 10, contact_type=1), Caller(1, 9), Caller(2, 5), Caller(3, 5)]
    seen = play(callers, shift(0, 60, agents=2), types={"call": {}, "vip": {}})
    assert seen.log.agent.tolist() == [0, 1, 1, 0]
    assert seen.wait == [0, 0, 8, 7]


# Shifts and breaks.


def test_a_contact_in_hand_is_finished_after_the_shift_and_the_time_counts(play: Play) -> None:
    seen = play([Caller(25, 20), Caller(26, 1, 60)], shift(0, 30))
    assert seen.outcome == ["answered", "abandoned"]
    assert seen.left == [45]
    assert seen.agents_time("handling") == 20
    assert seen.agents_time("on_the_floor") == 45
    assert seen.agents_time("after_shift") == 15


def test_a_break_begins_late_when_a_contact_is_in_hand_and_ends_on_time(play: Play) -> None:
    seen = play([Caller(25, 10), Caller(27, 1, 60)], shift(0, 60, (30, 40)))
    assert seen.left == [35, 60]
    assert seen.wait == [0, 13]
    assert seen.agents_time("on_the_floor") == 55
    assert seen.agents_time("after_shift") == 0


def test_a_contact_longer_than_the_break_swallows_it(play: Play) -> None:
    seen = play([Caller(25, 30), Caller(27, 1, 60)], shift(0, 60, (30, 40)))
    assert seen.left == [40, 60]
    assert seen.wait == [0, 28]
    assert seen.agents_time("on_the_floor") == 60


def test_a_contact_may_swallow_breaks_and_the_end_of_the_shift(play: Play) -> None:
    seen = play([Caller(25, 60)], shift(0, 60, (30, 35), (40, 45)))
    assert seen.left == [35, 45, 85]
    assert seen.agents_time("on_the_floor") == 85
    assert seen.agents_time("after_shift") == 25


def test_nobody_is_called_out_of_a_break(play: Play) -> None:
    seen = play([Caller(30, 5)], shift(0, 60, (30, 40)))
    assert seen.wait == [10]
    assert seen.agents_time("on_the_floor") == 50


# Groups, skills, priorities, head starts.

TWO = {"call": {}, "vip": {}}


def test_a_contact_goes_to_the_group_that_puts_it_first(play: Play) -> None:
    groups = {"desk": {"call": 2}, "back": {"call": 1}}
    seen = play(
        [Caller(1, 5), Caller(2, 5)], shift(0, 60), shift(0, 60, group="back"), groups=groups
    )
    named = [seen.model.groups[seen.model.agent_group[agent]] for agent in seen.log.agent]
    assert named == ["back", "desk"]


def test_an_agent_takes_what_her_group_puts_first_whoever_waited_longer(play: Play) -> None:
    callers = [Caller(0, 10), Caller(1, 5), Caller(2, 5, contact_type=1)]
    seen = play(callers, shift(0, 60), types=TWO, groups={"desk": {"call": 2, "vip": 1}})
    assert seen.log.contact_type.tolist() == [0, 0, 1]
    assert seen.wait == [0, 14, 8]
    equal = play(callers, shift(0, 60), types=TWO, groups={"desk": {"call": 1, "vip": 1}})
    assert equal.wait == [0, 9, 13]


def test_without_the_skill_nobody_answers(play: Play) -> None:
    callers = [Caller(0, 5, 3, contact_type=1)]
    groups = {"desk": {"call": 1}, "back": {"vip": 1}}
    seen = play(callers, shift(0, 60), types=TWO, groups=groups)
    assert seen.outcome == ["abandoned"]


@pytest.mark.parametrize(
    ("head_start", "waits"), [("0 s", [0, 9, 13]), ("2 min", [0, 14, 8]), ("1 min", [0, 9, 13])]
)
def test_a_head_start_counts_as_having_come_earlier(
    play: Play, head_start: str, waits: list[float]
) -> None:
    # The vip calls a minute after the other; with a minute's head start they are level, and
    # content decides.
    callers = [Caller(0, 10), Caller(1, 5), Caller(2, 5, contact_type=1)]
    types = {"call": {}, "vip": {"head_start": head_start}}
    assert play(callers, shift(0, 60), types=types).wait == waits


# Closing, the end of the horizon, redials.

UNTIL_TEN = {"call": {"open": {"all": "09:00-10:00"}}}


def test_who_calls_after_closing_is_offered_and_never_answered(play: Play) -> None:
    seen = play([Caller(59, 1), Caller(60, 1)], shift(0, 120), types=UNTIL_TEN)
    assert seen.outcome == ["answered", "closed"]
    assert seen.tally.measure("offered").sum() == 2
    assert seen.tally.measure("lost").sum() == 1


def test_agents_whose_shift_ends_at_closing_serve_out_who_came_in_time(play: Play) -> None:
    callers = [Caller(50, 20), Caller(51, 5), Caller(52, 5)]
    seen = play(callers, shift(0, 60, agents=2), types=UNTIL_TEN)
    assert seen.wait == [0, 0, 4]
    late = play(callers, shift(0, 60), types=UNTIL_TEN)
    assert late.outcome == ["answered"] * 3
    assert late.wait == [0, 19, 23]
    assert late.left == [80]
    early = play(callers, shift(0, 58), types=UNTIL_TEN)
    assert early.outcome == ["answered", "waiting", "waiting"]


def test_the_horizon_is_served_out_or_cut(play: Play) -> None:
    last = 15 * 60 - 5  # 23:55
    callers = [Caller(last, 10), Caller(last + 1, 10), Caller(last + 1, 10, 2)]
    by_interval = {"desk": (1,) * 48}
    drained = play(callers, by_interval=by_interval, ends="drain")
    assert drained.outcome == ["answered", "answered", "abandoned"]
    assert drained.left == [15 * 60 + 15]
    cut = play(callers, by_interval=by_interval, ends="cut")
    assert cut.outcome == ["answered", "waiting", "abandoned"]
    assert cut.wait == [0, 4, 2]
    # Everything stops: what is still in hand is neither handled nor paid beyond the end.
    assert cut.left == [15 * 60]
    assert cut.agents_time("handling") == 5
    assert cut.tally.handled.tolist() == [[5 * MINUTE]]


def test_what_would_end_with_the_horizon_is_served_out_or_still_under_way(play: Play) -> None:
    last = 15 * 60 - 5  # 23:55
    callers = [Caller(last, 5), Caller(last + 1, 10, 4), Caller(last + 2, 10, 3)]
    by_interval = {"desk": (1,) * 48}
    cut = play(callers, by_interval=by_interval, ends="cut")
    assert cut.outcome == ["answered", "waiting", "waiting"]
    assert cut.wait == [0, 4, 3]
    drained = play(callers, by_interval=by_interval, ends="drain")
    assert drained.outcome == ["answered", "answered", "abandoned"]
    assert drained.left == [15 * 60 + 10]


def test_redials_follow_until_the_bound_and_the_request_counts_where_it_began(play: Play) -> None:
    types = {
        "call": {
            "patience": "3 min",
            "redial": {"probability": "100%", "delay": "30 min", "at_most": 2},
        }
    }
    seen = play([Caller(0, 5, 3)], types=types)
    log, tally = seen.log, seen.tally
    assert ((log.arrival / MINUTE) - NINE).tolist() == [0, 33, 66]
    assert log.attempt.tolist() == [0, 1, 2]
    assert log.last.tolist() == [False, False, True]
    assert log.cut.tolist() == [False, False, True]
    assert log.again.tolist() == [0, REDIAL, REDIAL]
    assert tally.measure("requests")[0, 18:21].tolist() == [1, 0, 0]
    assert tally.measure("lost")[0, 18:21].tolist() == [1, 0, 0]
    assert tally.measure("redials")[0, 18:21].tolist() == [0, 1, 1]
    answered = play([Caller(0, 5, 3)], shift(20, 60), types=types)
    assert answered.outcome == ["abandoned", "answered"]
    assert answered.tally.measure("lost").sum() == 0
    # A redial talks as long as the first attempt would have.
    assert answered.agents_time("handling") == 5


@pytest.mark.parametrize(("before", "cut"), [(34, [False, True]), (33, [True]), (10, [True])])
def test_a_redial_at_or_after_the_end_of_the_horizon_is_cut_and_counted(
    play: Play, before: int, cut: list[bool]
) -> None:
    types = {"call": {"patience": "3 min", "redial": {"probability": "100%", "delay": "30 min"}}}
    seen = play([Caller(15 * 60 - before, 5, 3)], types=types)
    assert seen.log.cut.tolist() == cut
    assert seen.tally.measure("redials_cut").sum() == 1


def test_absent_agents_never_come(play: Play) -> None:
    seen = play([Caller(0, 5, 1)], shift(0, 60, agents=40), shrinkage={"unplanned": "50%"})
    there = seen.log.stretch_left > seen.model.stretches.start
    assert 0 < there.sum() < 40
    assert seen.agents_time("on_the_floor") == 60 * there.sum()


# What a plan becomes.


def compiled(plan: StaffingPlan, **scenario: Any) -> tuple[Case, Model]:
    case = case_from(scenario_of({"call": scenario.pop("call", {})}, **scenario))
    return case, compile_model(case, compile_demand(case), plan)


def rows(model: Model) -> list[tuple[float, float, int]]:
    """Stretches: start and end [h], and the day of the agent."""
    s = model.stretches
    return [
        (start / HOUR, end / HOUR, int(day))
        for start, end, day in zip(s.start, s.end, s.day, strict=True)
    ]


def test_the_kth_agent_is_there_while_k_are_needed() -> None:
    level = (0,) * 18 + (1, 2, 3, 2) + (0,) * 26
    _, model = compiled(StaffingPlan(by_interval={"desk": level}))
    assert rows(model) == [(9, 11, 0), (9.5, 11, 0), (10, 10.5, 0)]
    assert model.stretches.ordinal.tolist() == [0, 1, 2]
    _, closed = compiled(StaffingPlan(by_interval={"desk": (0,) * 48}))
    assert len(closed.stretches.start) == 0


def test_a_cyclic_horizon_is_preceded_by_its_own_last_hours() -> None:
    level = (2,) * 4 + (0,) * 40 + (1,) * 4
    _, model = compiled(StaffingPlan(by_interval={"desk": level}), begins="cyclic", warm_up="3 h")
    assert model.begin == -3 * HOUR
    # One agent goes on over midnight, as another agent-day; a second comes.
    assert rows(model) == [(-2, 0, -1), (0, 2, 0), (0, 2, 0), (22, 24, 0)]
    assert model.stretches.ends_shift.tolist() == [False, True, True, True]


def test_who_is_staffed_by_interval_round_the_clock_may_be_absent_on_any_day() -> None:
    plan = StaffingPlan(by_interval={"desk": (20,) * 48 * 4})
    case, model = compiled(plan, shrinkage={"unplanned": "50%"}, days=4)
    drawn = draw_replication(compile_demand(case), 1, 0)
    s = model.stretches
    there = drawn.present(0, s.day, s.ordinal)
    by_agent = [there[s.agent == agent] for agent in range(20)]
    # That every agent has four days alike has a chance of 8^-20.
    assert any(0 < days.sum() < 4 for days in by_agent)


def test_a_night_shift_at_the_weeks_end_is_there_at_its_beginning() -> None:
    night = PlacedShift("desk", 6 * DAY + 22 * HOUR, "night", 8 * HOUR)
    pause = PlacedBreak(7 * DAY + HOUR, HOUR)
    _, model = compiled(StaffingPlan((night,)), begins="cyclic", warm_up="1 day", days=7)
    assert rows(model) == [(-2, 6, -1), (166, 174, 6)]
    broken = PlacedShift("desk", night.start, "night", night.length, (pause,))
    _, model = compiled(StaffingPlan((broken,)), begins="cyclic", warm_up="0 s", days=7)
    # Without a warm-up only what lies in the week is left of the copy before it.
    assert rows(model) == [(0, 1, -1), (2, 6, -1), (166, 169, 6), (170, 174, 6)]
    assert model.stretches.ends_shift.tolist() == [False, True, False, True]
    _, empty = compiled(StaffingPlan((night,)), begins="empty", days=7)
    assert rows(empty) == [(166, 174, 6)]


def test_days_that_change_the_clocks_keep_local_days() -> None:
    case, model = compiled(
        StaffingPlan(by_interval={"desk": (0,) * 40 + (1,) * 6 + (0,) * 4 + (1,) * 44}),
        time_zone="Europe/Berlin",
        start="2026-03-29",
        days=2,
    )
    assert case.grid.intervals == 46 + 48
    assert rows(model) == [(20, 23, 0), (25, 47, 1)]


def test_who_serves_out() -> None:
    call = {"open": {"all": "09:00-17:00"}}
    plan = StaffingPlan((shift(0, 8 * 60), shift(0, 8 * 60 - 30), shift(0, 8 * 60 - 5)))
    _, model = compiled(plan, call=call)
    assert dict(
        zip((model.stretches.end / HOUR).tolist(), model.stretches.serves_out, strict=True)
    ) == {
        17.0: True,
        16.5: False,
        17 - 5 / 60: False,
    }
    always = PlacedShift("desk", 0, "long", DAY), PlacedShift("desk", 0, "short", 12 * HOUR)
    _, model = compiled(StaffingPlan(always))
    assert (model.stretches.end[model.stretches.serves_out] == DAY).all()
    assert model.stretches.serves_out.sum() == 1


def test_a_group_closes_with_the_last_of_its_contact_types() -> None:
    types = {"call": {"open": {"all": "09:00-17:00"}}, "vip": {"open": {"all": "09:00-18:00"}}}
    groups = {"desk": {"call": 1}, "back": {"call": 1, "vip": 1}}
    case = case_from(scenario_of(types, groups))
    plan = StaffingPlan((shift(0, 480), shift(0, 480, group="back"), shift(0, 540, group="back")))
    model = compile_model(case, compile_demand(case), plan)
    flags = {
        (model.groups[model.agent_group[agent]], end / HOUR): bool(out)
        for agent, end, out in zip(
            model.stretches.agent, model.stretches.end, model.stretches.serves_out, strict=True
        )
    }
    assert flags == {("desk", 17): True, ("back", 17): False, ("back", 18): True}


def test_everything_wrong_with_a_plan_is_said_at_once() -> None:
    wrong = (
        PlacedShift("nobody", 0, "day", HOUR),
        PlacedShift("desk", 30 * HOUR, "late", HOUR),
        PlacedShift("desk", 0, "odd", HOUR, (PlacedBreak(2 * HOUR, 1),)),
        PlacedShift("desk", 0, "few", HOUR, (), -1),
    )
    with pytest.raises(PlanError) as caught:
        compiled(StaffingPlan(wrong, {"desk": (1,) * 47, "ghost": (-1,) * 48}))
    said = str(caught.value)
    for part in (
        "'nobody'",
        "'ghost'",
        "both shifts and agents by interval for 'desk'",
        "'desk' 47 intervals; the horizon has 48",
        "negative number of agents of 'ghost'",
        "'late' shift of 'desk' starts outside the horizon",
        "'odd' shift of 'desk' has breaks outside it",
        "'few' shift of 'desk' has",
    ):
        assert part in said


@pytest.mark.parametrize(
    "breaks",
    [
        (PlacedBreak(30 * MINUTE, 20 * MINUTE), PlacedBreak(40 * MINUTE, 5 * MINUTE)),
        (PlacedBreak(40 * MINUTE, 5 * MINUTE), PlacedBreak(20 * MINUTE, 5 * MINUTE)),
        (PlacedBreak(50 * MINUTE, 20 * MINUTE),),
    ],
    ids=["overlap", "order", "beyond"],
)
def test_breaks_lie_in_order_inside_the_shift(breaks: tuple[PlacedBreak, ...]) -> None:
    with pytest.raises(PlanError, match="breaks outside it, out of order or overlapping"):
        compiled(StaffingPlan((PlacedShift("desk", 0, "day", HOUR, breaks),)))
