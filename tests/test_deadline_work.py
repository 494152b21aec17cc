"""Work with a deadline against contacts followed parcel by parcel, and what planners rely on."""

from __future__ import annotations

import math
from collections import deque
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccsim import queueing as q
from ccsim.queueing.deadline_work import Clock

HOUR = 3600.0
ROUNDING = 1e-9


class Parcel(NamedTuple):
    """Contacts that come evenly from one moment to another, and are answered so too."""

    size: float
    came: tuple[float, float]
    left: tuple[float, float]


class Week(NamedTuple):
    """What is asked of the formulas."""

    contacts: list[int]
    agents: list[float]
    is_open: list[bool]
    handle_time: float
    deadline: float
    clock: Clock
    backlog: float
    cyclic: bool

    def given(self) -> dict[str, Any]:
        return {
            "contacts": self.contacts, "handle_time": self.handle_time, "deadline": self.deadline,
            "interval": HOUR, "is_open": self.is_open, "clock": self.clock,
            "backlog": self.backlog, "cyclic": self.cyclic,
        }  # fmt: skip

    def time(self, moment: float) -> float:
        """Reading of the clock."""
        if self.clock == "calendar":
            return moment
        hour = math.floor(moment / HOUR)
        before = sum(self.is_open[i % len(self.is_open)] for i in range(hour))
        part = moment - hour * HOUR
        return before * HOUR + (part if self.is_open[hour % len(self.is_open)] else 0.0)


def followed(week: Week, agents: list[float]) -> tuple[list[Parcel], list[float], list[float]]:
    """First come first served, interval by interval: parcels answered, answers, open at the end.

    A week that follows itself is followed for five, from no backlog.
    """
    weeks = 5 if week.cyclic else 1
    line: deque[list[float]] = deque()  # size, came from, until
    if week.backlog and not week.cyclic:
        line.append([week.backlog, 0.0, 0.0])
    parcels, answers, open_ = [], [], []
    for k in range(weeks * len(week.contacts)):
        i = k % len(week.contacts)
        begin, end = k * HOUR, (k + 1) * HOUR
        come = week.contacts[i] / HOUR
        serve = agents[i] / week.handle_time if week.is_open[i] else 0.0
        now, before = begin, len(parcels)
        while line and serve and now < end:
            size, since, until = line[0]
            part = min(1.0, (end - now) * serve / size)
            then = end if part < 1 else now + size / serve
            middle = since + (until - since) * part
            parcels.append(Parcel(size * part, (since, middle), (now, then)))
            now = then
            if part < 1:
                line[0] = [size * (1 - part), middle, until]
            else:
                line.popleft()
        # Those of this hour, while they queue, and those who do not have to any more.
        caught_up = end
        if not line and now < end and serve > come:
            caught_up = min(end, (serve * now - come * begin) / (serve - come))
        if line or not serve:
            if come:
                line.append([come * HOUR, begin, end])
        elif come:
            size = serve * (caught_up - now)
            until = begin + size / come
            if size:
                parcels.append(Parcel(size, (begin, until), (now, caught_up)))
            if caught_up < end:
                parcels.append(Parcel(come * (end - caught_up), (caught_up, end), (caught_up, end)))
            elif come * (end - until) > 1e-12 * come * HOUR:
                line.append([come * (end - until), until, end])
        answers.append(sum(parcel.size for parcel in parcels[before:]))
        open_.append(sum(size for size, *_ in line))
    return parcels, answers, open_


def measured(week: Week, agents: list[float]) -> q.DeadlineOutcome:
    """What parcels show, of the third of five weeks, or of the only one."""
    parcels, answers, open_ = followed(week, agents)
    count, total = len(week.contacts), sum(week.contacts)
    if week.cyclic:
        first, last = 2 * count * HOUR, 3 * count * HOUR
        middles = [(parcel, sum(parcel.came) / 2) for parcel in parcels]
        parcels = [parcel for parcel, middle in middles if first < middle < last]
        answers, open_ = answers[2 * count : 3 * count], open_[2 * count : 3 * count]
    else:
        total += week.backlog
    by_interval = np.array(open_), np.array(answers)
    most = HOUR / week.handle_time * np.where(week.is_open, agents, 0.0).sum()
    busy = sum(answers) / most if most else float(total > 0)
    if not total:
        return q.DeadlineOutcome(1.0, 0.0, 0.0, *by_interval, busy)
    in_time = waited = longest = answered = 0.0
    for size, came, left in parcels:
        waits = [week.time(end) - week.time(begin) for begin, end in zip(came, left, strict=True)]
        low, high = sorted(waits)
        limit = week.deadline + ROUNDING * (week.deadline + HOUR / 10)
        part = 1.0 if high <= limit else max(0.0, limit - low) / (high - low or math.inf)
        in_time += size * part
        waited += size * (low + high) / 2
        longest = max(longest, high) if size > ROUNDING * total else longest
        answered += size
    never = answered < total * (1 - ROUNDING)
    mean, longest = (math.inf, math.inf) if never else (waited / total, longest)
    return q.DeadlineOutcome(in_time / total, mean, longest, *by_interval, busy)


@st.composite
def weeks(draw: st.DrawFn) -> Week:
    size = draw(st.integers(1, 9))
    deadlines = st.one_of(
        st.just(0.0), st.integers(1, 40).map(lambda n: n * 900.0), st.floats(60, 12 * HOUR),
        st.just(math.inf),
    )  # fmt: skip
    staff = st.one_of(st.integers(0, 9).map(float), st.floats(0.01, 9))
    return Week(
        contacts=draw(st.lists(st.integers(0, 40), min_size=size, max_size=size)),
        agents=draw(st.lists(staff, min_size=size, max_size=size)),
        is_open=draw(st.lists(st.sampled_from([True, True, False]), min_size=size, max_size=size)),
        handle_time=draw(st.sampled_from([300.0, 600.0, 1234.5, 2 * HOUR])),
        deadline=draw(deadlines),
        clock=draw(st.sampled_from(["opening", "calendar"])),
        backlog=draw(st.one_of(st.just(0.0), st.floats(0.5, 60))),
        cyclic=draw(st.booleans()),
    )


@given(weeks())
@settings(deadline=None, max_examples=300)
def test_outcome_is_that_of_contacts_followed_one_by_one(week: Week) -> None:
    found = q.deadline_outcome(agents=week.agents, **week.given())
    per_agent = HOUR / week.handle_time
    most = per_agent * np.where(week.is_open, week.agents, 0.0)
    volume = sum(week.contacts)
    if week.cyclic and volume > most.sum() * (1 + ROUNDING):
        assert found[:3] == (0, math.inf, math.inf)
        assert np.isinf(found.backlog).all()
        assert found.answered == pytest.approx(most)
        assert found.occupancy == 1
        return
    truth = measured(week, week.agents)
    assert found.share_in_time == pytest.approx(truth.share_in_time, abs=1e-7)
    assert found.mean_wait == pytest.approx(truth.mean_wait, rel=1e-7, abs=1e-4)
    assert found.longest_wait == pytest.approx(truth.longest_wait, rel=1e-7, abs=1e-3)
    assert found.backlog == pytest.approx(truth.backlog, abs=1e-7)
    assert found.answered == pytest.approx(truth.answered, abs=1e-7)
    assert found.occupancy == pytest.approx(truth.occupancy, abs=1e-9)
    # Nothing is lost: what was open or came is answered or open.
    at_start = found.backlog[-1] if week.cyclic else week.backlog
    before = np.concatenate([[at_start], found.backlog[:-1]])
    assert before + week.contacts == pytest.approx(found.answered + found.backlog, abs=1e-7)
    assert (found.answered <= most * (1 + ROUNDING) + 1e-9).all()


@given(weeks(), st.integers(1, 5))
@settings(deadline=None, max_examples=100)
def test_finer_intervals_of_the_same_week_change_nothing(week: Week, parts: int) -> None:
    found = q.deadline_outcome(agents=week.agents, **week.given())
    finer = q.deadline_outcome(
        agents=np.repeat(week.agents, parts), **week.given() | {
            "contacts": np.repeat(week.contacts, parts) / parts, "interval": HOUR / parts,
            "is_open": np.repeat(week.is_open, parts),
        },
    )  # fmt: skip
    assert finer.share_in_time == pytest.approx(found.share_in_time, abs=1e-6)
    assert finer.mean_wait == pytest.approx(found.mean_wait, rel=1e-7, abs=1e-3)
    assert finer.longest_wait == pytest.approx(found.longest_wait, rel=1e-7, abs=1e-3)
    assert finer.backlog[parts - 1 :: parts] == pytest.approx(found.backlog, abs=1e-7)


goals = st.fixed_dictionaries({
    "share": st.one_of(st.just(1.0), st.floats(0.3, 1)),
    "tail": st.one_of(st.just(math.inf), st.floats(0, 12 * HOUR)),
})  # fmt: skip


def kept(found: q.DeadlineOutcome, goal: dict[str, float], slack: float = 1e-8) -> bool:
    tail = goal["tail"] + slack * (goal["tail"] + HOUR)
    return found.share_in_time >= goal["share"] - slack and found.longest_wait <= tail


@given(weeks(), goals)
@settings(deadline=None, max_examples=80)
def test_agents_asked_for_keep_the_goal_and_no_smaller_peak_does(
    week: Week, goal: dict[str, float]
) -> None:
    need = q.deadline_requirement(**week.given(), **goal)
    closed = ~np.array(week.is_open)
    assert (need.agents[closed] == 0).all()
    if math.isinf(need.peak):
        # A million agents are not enough either.
        many = q.deadline_outcome(agents=1e6, **week.given())
        assert not kept(many, goal, 0.0)
        assert np.isinf(need.agents[~closed]).all()
        return
    assert need.agents.max() <= need.peak * (1 + ROUNDING)
    found = q.deadline_outcome(agents=need.agents, **week.given())
    assert kept(found, goal)
    assert need.share_in_time == pytest.approx(found.share_in_time, abs=1e-9)
    assert need.longest_wait == pytest.approx(found.longest_wait)
    # A planner takes the next whole numbers; that delays nobody.
    whole = np.ceil(need.agents)
    assert kept(q.deadline_outcome(agents=whole, **week.given()), goal, 1e-6)
    # So does everybody at the peak, and with any fewer at most the goal is missed.
    assert kept(q.deadline_outcome(agents=need.peak, **week.given()), goal)
    if need.peak:
        fewer = q.deadline_outcome(agents=need.peak * (1 - 1e-5), **week.given())
        assert not kept(fewer, goal, 0.0)
    # Conservation of work, where everything is answered.
    work = (sum(week.contacts) + (0 if week.cyclic else week.backlog)) * week.handle_time / HOUR
    if math.isfinite(need.longest_wait):
        assert need.agents.sum() >= work * (1 - 1e-8)
    peak = q.deadline_outcome(agents=need.peak, **week.given())
    busy = peak.answered * week.handle_time / HOUR
    if kept(q.deadline_outcome(agents=busy * (1 + 1e-11), **week.given()), goal, 0.0):
        assert need.agents == pytest.approx(busy, rel=1e-7)


@given(weeks())
@settings(deadline=None, max_examples=12)
def test_more_in_time_and_sooner_needs_more(week: Week) -> None:
    def peak(**changed: Any) -> float:
        return q.deadline_requirement(**(week.given() | changed)).peak

    def rises(peaks: list[float]) -> bool:
        return all(a <= b * (1 + 1e-5) for a, b in pairwise(peaks))

    assert rises([peak(share=share) for share in (0.0, 0.3, 0.8, 0.95, 1.0)])
    assert rises([peak(deadline=hours * HOUR) for hours in (math.inf, 24, 9, 4.5, 2, 0.7, 0)])
    assert rises([peak(tail=hours * HOUR, share=0.5) for hours in (math.inf, 24, 4.5, 0.7)])
    busier = [(np.array(week.contacts) * times).tolist() for times in (0, 0.5, 1, 3)]
    assert rises([peak(contacts=contacts) for contacts in busier])
    if not week.cyclic:
        assert rises([peak(backlog=contacts) for contacts in (0, 5, 50)])


def office(**changed: Any) -> dict[str, Any]:
    """300 mails a day, evenly, at an office that is open from 8 to 18."""
    hours = np.arange(24)
    given_ = {
        "contacts": np.full(24, 12.5), "handle_time": 360, "deadline": 4 * HOUR, "interval": HOUR,
        "is_open": (hours >= 8) & (hours < 18), "cyclic": True,
    }  # fmt: skip
    return given_ | changed


class TestOfficeInTheHead:
    def test_four_opening_hours(self) -> None:
        # The 175 of the night are due at 12: 43.75 an hour, 10 an agent. They and the 50 of the
        # morning are done at 12 + 50 / (43.75 - 12.5) = 13:36.
        need = q.deadline_requirement(**office())
        assert need.peak == pytest.approx(4.375, rel=1e-7)
        assert need.agents[8:18] == pytest.approx([4.375] * 5 + [3.125] + [1.25] * 4, rel=1e-7)
        assert need.longest_wait == pytest.approx(4 * HOUR, rel=1e-7)
        assert need.agents.sum() == pytest.approx(300 * 360 / HOUR, rel=1e-7)

    def test_a_deadline_within_an_interval(self) -> None:
        # The 175 of the night within half an hour: 350 an hour; then those who come.
        need = q.deadline_requirement(**office(deadline=HOUR / 2))
        assert need.peak == pytest.approx(35, rel=1e-7)
        assert need.agents[8:18] == pytest.approx([35] + [1.25] * 9, rel=1e-6)
        # In an hour and a half: 175 / 1.5 an hour, and in the second hour until half past.
        need = q.deadline_requirement(**office(deadline=1.5 * HOUR))
        assert need.agents[8:11] == pytest.approx([175 / 15, 175 / 15, 1.25], rel=1e-6)

    def test_any_opening_day_is_soon_enough(self) -> None:
        need = q.deadline_requirement(**office(deadline=10 * HOUR))
        assert need.peak == 3  # and no hair more, of which a planner would make four
        assert need.agents[8:18].tolist() == [3.0] * 10

    def test_deadlines_by_the_calendar_that_end_before_opening(self) -> None:
        need = q.deadline_requirement(**office(clock="calendar", deadline=13 * HOUR))
        assert need.peak == math.inf
        assert np.isinf(need.agents[8:18]).all()
        assert need.agents.sum() == math.inf
        # Those who come from 18 to 19 are late, one in 24 (less those first at opening).
        assert need.share_in_time == pytest.approx(23 / 24, abs=1e-4)
        share = q.deadline_requirement(**office(clock="calendar", deadline=13 * HOUR, share=0.95))
        assert math.isfinite(share.peak)
        # With 14 hours nobody is; they are done in the order they came, an hour's in an hour.
        assert q.deadline_requirement(
            **office(clock="calendar", deadline=14 * HOUR)
        ).peak == pytest.approx(3, rel=1e-7)

    def test_a_backlog_is_worked_off_in_time(self) -> None:
        # 80 mails and nothing else, two hours: four agents; those who are late do not matter.
        empty = {"contacts": np.zeros(6), "handle_time": 360, "interval": HOUR, "backlog": 80}
        need = q.deadline_requirement(deadline=2 * HOUR, **empty)
        assert need.agents == pytest.approx([4, 4, 0, 0, 0, 0], rel=1e-7)
        need = q.deadline_requirement(deadline=2 * HOUR, share=0.25, **empty)
        assert need.peak == pytest.approx(1, rel=1e-7)
        need = q.deadline_requirement(deadline=2 * HOUR, share=0.25, tail=4 * HOUR, **empty)
        assert need.agents == pytest.approx([2, 2, 2, 2, 0, 0], rel=1e-7)

    def test_work_is_carried_over_but_not_lost(self) -> None:
        found = q.deadline_outcome([40, 0, 0, 0], 1, 360, 2 * HOUR, interval=HOUR)
        assert found.backlog.tolist() == [30, 20, 10, 0]
        assert found.answered.tolist() == [10, 10, 10, 10]
        # The last of the hour has waited three, and the first none.
        assert found[:3] == pytest.approx((2 / 3, 1.5 * HOUR, 3 * HOUR))
        assert found.occupancy == 1

    def test_who_is_open_at_the_end_has_missed(self) -> None:
        found = q.deadline_outcome([10, 10], 0.5, 360, 9 * HOUR, interval=HOUR)
        assert found == (0.5, math.inf, math.inf, *found[3:])
        assert found.backlog.tolist() == [5, 10]
        closed = q.deadline_requirement([10, 10], 360, 9 * HOUR, interval=HOUR, is_open=[1, 0])
        assert closed.peak == math.inf


def test_without_contacts_nobody_is_needed() -> None:
    for cyclic in (False, True):
        for deadline in (0, HOUR, math.inf):
            given_ = office(contacts=np.zeros(24), deadline=deadline, cyclic=cyclic)
            need = q.deadline_requirement(**given_, tail=0)
            assert (need.agents == 0).all()
            assert need[1:] == (0, 1, 0)
            for agents in (0, 3):
                found = q.deadline_outcome(agents=agents, **given_)
                assert found[:3] == (1, 0, 0)
                assert found.occupancy == 0
                assert (found.answered == 0).all()
                assert (found.backlog == 0).all()
    nothing_wanted = q.deadline_requirement(**office(), share=0)
    assert nothing_wanted.peak == nothing_wanted.agents.sum() == 0


def test_closed_all_the_time() -> None:
    for cyclic in (False, True):
        given_ = office(is_open=np.zeros(24, bool), cyclic=cyclic)
        assert q.deadline_requirement(**given_).peak == math.inf
        found = q.deadline_outcome(agents=1000, **given_)
        assert found[:3] == (0, math.inf, math.inf)
        assert found.occupancy == 1


def test_a_week_that_follows_itself_has_forgotten_its_backlog() -> None:
    without, much = (q.deadline_requirement(**office(), backlog=n) for n in (0, 1e4))
    assert much.peak == without.peak
    # Also with no agent to spare.
    for backlog in (0, 1e4):
        found = q.deadline_outcome(agents=3, backlog=backlog, **office())
        assert found.backlog.max() == pytest.approx(175)
        assert found.longest_wait == pytest.approx(175 / 30 * HOUR)


@given(
    st.lists(st.one_of(st.just(0.0), st.floats(1e-9, 1e9)), min_size=1, max_size=6),
    st.one_of(st.floats(0, 1e6), st.sampled_from([1e-300, 1e12])),
    st.sampled_from([1e-300, 1e-6, 360.0, 1e12]),
    st.one_of(st.floats(0), st.sampled_from([0.0, 1e-300, 1e300, math.inf])),
    st.sampled_from([1e-6, 900.0, 1e9]), st.floats(0, 1), st.floats(0, 1e9), st.booleans(),
    st.sampled_from(["opening", "calendar"]), st.data(),
)  # fmt: skip
@settings(deadline=None, max_examples=200)
def test_any_size_gives_a_number_in_its_range(
    contacts: list[float], agents: float, handle_time: float, deadline: float, interval: float,
    share: float, backlog: float, cyclic: bool, clock: Clock, data: st.DataObject,
) -> None:  # fmt: skip
    size = len(contacts)
    given_: dict[str, Any] = {
        "contacts": contacts, "handle_time": handle_time, "deadline": deadline,
        "interval": interval, "backlog": backlog, "cyclic": cyclic, "clock": clock,
        "is_open": data.draw(st.lists(st.booleans(), min_size=size, max_size=size)),
    }  # fmt: skip
    found = q.deadline_outcome(agents=agents, **given_)
    need = q.deadline_requirement(share=share, **given_)
    for number in (*found[:3], found.occupancy, *need[1:]):
        assert number >= 0  # false of NaN, too
    for numbers in (found.backlog, found.answered, need.agents):
        assert numbers.shape == (size,)
        assert (numbers >= 0).all()
    for part in (found.share_in_time, need.share_in_time, found.occupancy):
        assert part <= 1 + 1e-9


def test_one_number_of_agents_is_so_many_in_each_interval() -> None:
    one = q.deadline_outcome(agents=4, **office())
    for many in (np.full(24, 4), [4] * 24, np.where(office()["is_open"], 4, 99)):
        other = q.deadline_outcome(agents=many, **office())
        assert other[:3] == one[:3]
        assert other.backlog.tolist() == one.backlog.tolist()
    assert all(type(number) is float for number in (*one[:3], one.occupancy))
    agents = np.full(24, 4.0)
    q.deadline_outcome(agents=agents, **office())
    assert agents.tolist() == [4.0] * 24


GOOD: dict[str, Any] = {
    "contacts": [10.0, 20.0, 0.0], "agents": [3.0, 2.0, 1.0], "handle_time": 360.0,
    "deadline": 7200.0, "interval": 3600.0, "backlog": 5.0, "share": 0.9, "tail": 9000.0,
}  # fmt: skip
ARGUMENTS = {
    q.deadline_outcome: "contacts agents handle_time deadline interval backlog",
    q.deadline_requirement: "contacts handle_time deadline interval backlog share tail",
}


class TestBadInput:
    @pytest.mark.parametrize("function", ARGUMENTS, ids=lambda function: function.__name__)
    def test_names_argument_and_value(self, function: Any) -> None:
        good = {name: GOOD[name] for name in ARGUMENTS[function].split()}
        assert all(np.all(np.isfinite(measure)) for measure in function(**good))
        for name in good:
            bad = [-1.0, math.nan, "many"]
            bad += [80.0, 1.0000001] if name == "share" else []
            bad += [math.inf] if name not in ("deadline", "tail") else []
            bad += [0.0] if name in ("handle_time", "interval") else []
            for value in bad:
                given_ = [10.0, value, 0.0] if name in ("contacts", "agents") else value
                with pytest.raises(ValueError, match=f"^{name} must be ") as refused:
                    function(**(good | {name: given_}))
                assert repr(value) in str(refused.value)
            if name not in ("contacts", "agents"):
                with pytest.raises(ValueError, match=rf"^{name} must be one number; got \[1"):
                    function(**(good | {name: [1.0, 1.0, 1.0]}))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                {"contacts": []},
                r"contacts must be a list, a number for each interval; got shape \(0,\)",
            ),
            (
                {"contacts": 7},
                r"contacts must be a list, a number for each interval; got shape \(\)",
            ),
            ({"contacts": [[1, 2]]}, r"contacts must be a list.* got shape \(1, 2\)"),
            ({"agents": [1, 2]}, r"agents must be .* as long as contacts, 3; got shape \(2,\)"),
            ({"is_open": [True, False]}, r"is_open must be a list as long as contacts, 3; got"),
            ({"is_open": True}, r"is_open must be a list as long as contacts, 3; got shape \(\)"),
            ({"is_open": [1, 0, math.nan]}, r"is_open must be true or false .*got \[1, 0, nan\]"),
            ({"is_open": ["yes", "no", "no"]}, r"is_open must be true or false .*got \['yes'"),
            ({"clock": "office"}, r"clock must be 'opening' or 'calendar'; got 'office'"),
        ],
    )
    def test_lists_and_words(self, change: dict[str, Any], message: str) -> None:
        good = {name: GOOD[name] for name in ARGUMENTS[q.deadline_outcome].split()}
        with pytest.raises(ValueError, match=message):
            q.deadline_outcome(**(good | change))


def test_a_year_is_not_endless() -> None:
    # 365 days by the hour; a search of this takes a second or so.
    rate = 10 + np.arange(8760) % 24
    is_open = (np.arange(8760) % 24 >= 8) & (np.arange(8760) % 168 < 120)
    need = q.deadline_requirement(
        rate, 360, 24 * HOUR, interval=HOUR, is_open=is_open, cyclic=True, share=0.99
    )
    assert need.agents.sum() == pytest.approx(rate.sum() * 0.1, rel=1e-6)
    assert need.share_in_time == pytest.approx(0.99, abs=1e-6)
