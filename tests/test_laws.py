"""What every day of every centre obeys: nothing is lost, nobody is in two places, turns are kept.

The log is judged from the draw and the plan alone, never from the engine's state.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings

from ccsim.demand.draw import NEVER
from ccsim.performance.sample import block_sample
from ccsim.performance.tally import measuring_rules
from ccsim.performance.waits import no_waits
from ccsim.simulation.log import ContactLog, Outcome
from tests.centres import Played, played


def key(log: ContactLog, row: int) -> tuple[int, int, int]:
    return int(log.contact_type[row]), int(log.interval[row]), int(log.ordinal[row])


def chains(log: ContactLog) -> dict[tuple[int, int, int], list[int]]:
    """Rows of the log by request, in order of the attempt."""
    rows: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for row in range(len(log.arrival)):
        rows[key(log, row)].append(row)
    return {k: sorted(of, key=lambda row: int(log.attempt[row])) for k, of in rows.items()}


def first_attempts(day: Played) -> dict[tuple[int, int, int], tuple[int, int, int]]:
    c = day.draw.contacts
    keys = zip(c.contact_type.tolist(), c.interval.tolist(), c.ordinal.tolist(), strict=True)
    values = zip(c.arrival.tolist(), c.handle_time.tolist(), c.patience.tolist(), strict=True)
    return dict(zip(keys, values, strict=True))


def idle_spans(day: Played) -> list[tuple[int, int, int]]:
    """(agent, from, until): meant to be on the floor, there, and with nobody."""
    model, log = day.model, day.log
    busy: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for agent, begin, end in zip(
        log.agent.tolist(), log.left_queue.tolist(), log.ended.tolist(), strict=True
    ):
        if agent >= 0:
            busy[agent].append((begin, end))
    stop = model.end if model.cut else max([2**61, *log.ended.tolist()])
    there = present(day)
    spans = []
    s = model.stretches
    rows = zip(s.agent.tolist(), s.start.tolist(), s.end.tolist(), there, strict=True)
    for agent, start, end, is_there in rows:
        if not is_there:
            continue
        free = start
        for begin, until in sorted(busy[agent]):
            if begin > free:
                spans.append((agent, free, min(begin, end, stop)))
            free = max(free, until)
        spans.append((agent, free, min(end, stop)))
    return [span for span in spans if span[1] < span[2]]


def present(day: Played) -> np.ndarray:
    """Whether the agent of each stretch is there on its day."""
    s = day.model.stretches
    there = np.ones(len(s.agent), dtype=bool)
    for group in range(len(day.model.groups)):
        mine = day.model.agent_group[s.agent] == group
        there[mine] = day.draw.present(group, s.day[mine], s.ordinal[mine])
    return there


def every_request_goes_its_way_to_one_end(day: Played) -> None:
    log, model = day.log, day.model
    rows, drawn = chains(log), first_attempts(day)
    end = model.end if model.cut else NEVER
    assert rows.keys() == drawn.keys()
    for request, attempts in rows.items():
        contact_type = request[0]
        assert log.attempt[attempts].tolist() == list(range(len(attempts)))
        assert len(attempts) <= model.redials_at_most[contact_type] + 1
        assert log.last[attempts].tolist() == [False] * (len(attempts) - 1) + [True]
        arrival, handle_time, patience = drawn[request]
        for row in attempts:
            assert log.arrival[row] == arrival
            waited, outcome = int(log.wait[row]), Outcome(int(log.outcome[row]))
            busy = int(log.ended[row] - log.left_queue[row])
            is_open = model.open[contact_type, arrival // model.interval_us % model.open.shape[1]]
            assert (outcome is Outcome.CLOSED) == (not is_open)
            assert (log.agent[row] >= 0) == (outcome is Outcome.ANSWERED)
            match outcome:
                case Outcome.ANSWERED:
                    assert 0 <= waited <= patience
                    assert busy == min(handle_time, end - int(log.left_queue[row]))
                case Outcome.ABANDONED:
                    assert (waited, busy) == (patience, 0)
                case Outcome.CLOSED:
                    assert (waited, busy) == (0, 0)
                case Outcome.WAITING:
                    assert model.cut or patience == NEVER
                    assert 0 <= waited <= patience
            again = day.draw.redial(*request, int(log.attempt[row]))
            if outcome is not Outcome.ABANDONED or again is None:
                assert log.last[row]
                assert not log.redial_cut[row]
                continue
            delay, patience = again
            arrival = int(log.left_queue[row]) + delay
            # Another attempt follows, or the bound or the end of the horizon cut it.
            assert log.redial_cut[row] == log.last[row]
            within = log.attempt[row] < model.redials_at_most[contact_type] and arrival < model.end
            assert log.last[row] == (not within)


def agents_answer_what_they_can_while_they_are_there_one_at_a_time(day: Played) -> None:
    log, model, s = day.log, day.model, day.model.stretches
    there = present(day)
    served: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in np.flatnonzero(log.outcome == Outcome.ANSWERED).tolist():
        agent, begin = int(log.agent[row]), int(log.left_queue[row])
        assert model.priority[model.agent_group[agent], log.contact_type[row]] > 0
        mine = (s.agent == agent) & there
        on_the_floor = bool((mine & (s.start <= begin) & (begin < s.end)).any())
        serving_out = mine & s.serves_out & (s.end <= begin) & (log.arrival[row] < s.end)
        assert on_the_floor or (serving_out & (begin <= log.stretch_left)).any()
        served[agent].append((begin, int(log.ended[row])))
    for spans in served.values():
        spans.sort()
        assert all(a[1] <= b[0] for a, b in pairwise(spans))


def nobody_waits_while_an_agent_who_could_answer_is_idle(day: Played) -> None:
    log, model = day.log, day.model
    waiting = np.flatnonzero(log.left_queue > log.arrival)
    for agent, begin, end in idle_spans(day):
        skilled = model.priority[model.agent_group[agent], log.contact_type[waiting]] > 0
        overlap = np.minimum(log.left_queue[waiting], end) - np.maximum(log.arrival[waiting], begin)
        assert (overlap[skilled] <= 0).all()


def turns_are_kept(day: Played) -> None:
    """An agent takes best priority, then longest wait with head start, then content."""
    log, model = day.log, day.model
    content = ((log.contact_type << 20 | log.interval + 2**19) << 24 | log.ordinal) << 8
    content += log.attempt
    turn = log.arrival - model.head_start[log.contact_type]
    waited = (log.outcome == Outcome.ANSWERED) & (log.wait > 0)
    for row in np.flatnonzero(waited).tolist():
        moment = log.left_queue[row]
        priority = model.priority[model.agent_group[log.agent[row]]][log.contact_type]
        passed = (log.arrival < moment) & (log.left_queue > moment) & (priority > 0)
        mine = (priority[row], turn[row], content[row])
        for other in np.flatnonzero(passed).tolist():
            assert mine < (priority[other], turn[other], content[other])


def a_contact_goes_to_the_group_of_best_priority_and_the_agent_idle_longest(
    day: Played,
) -> None:
    log, model = day.log, day.model
    spans = idle_spans(day)
    ends = {(agent, end): begin for agent, begin, end in spans}
    at_once = np.flatnonzero((log.outcome == Outcome.ANSWERED) & (log.wait == 0))
    for row in at_once.tolist():
        moment, chosen = int(log.left_queue[row]), int(log.agent[row])
        if (chosen, moment) not in ends:
            continue  # came or became free at this very moment
        order = model.priority[:, log.contact_type[row]][model.agent_group]
        mine = (order[chosen], ends[chosen, moment])
        for agent, begin, end in spans:
            if begin < moment < end and order[agent] > 0:
                assert mine <= (order[agent], begin)


def the_tally_is_the_log(day: Played) -> None:
    """Every count again, contact by contact; and Little's law in whole microseconds."""
    log, model, tally = day.log, day.model, day.tally
    rules = measuring_rules(day.case.scenario)
    expected: Counter[tuple[str, int, int]] = Counter()
    queue_time = 0
    events: list[tuple[int, int]] = []
    for row in range(len(log.arrival)):
        contact_type, arrival = int(log.contact_type[row]), int(log.arrival[row])
        outcome, wait = Outcome(int(log.outcome[row])), int(log.wait[row])
        origin = int(log.interval[row])
        if log.last[row] and outcome is not Outcome.ANSWERED and origin >= 0:
            expected["lost", contact_type, origin] += 1
        if arrival < 0:
            continue
        cell = (contact_type, arrival // model.interval_us)
        expected["offered", *cell] += 1
        expected[outcome.name.lower(), *cell] += 1
        expected["requests", *cell] += int(log.attempt[row] == 0)
        expected["redials", *cell] += int(log.attempt[row] > 0)
        expected["redials_cut", *cell] += int(log.redial_cut[row])
        if outcome is Outcome.ANSWERED:
            expected["wait_answered", *cell] += wait
            expected["handle_time", *cell] += int(log.ended[row] - log.left_queue[row])
        if outcome is Outcome.ABANDONED:
            in_time, short = rules.thresholds[contact_type][0], rules.short_abandon[contact_type]
            expected["abandoned_in_time", *cell] += int(wait <= in_time)
            expected["short_abandons", *cell] += int(wait <= short)
        if outcome in (Outcome.ANSWERED, Outcome.ABANDONED):
            expected["wait_all", *cell] += wait
            events += [(arrival, 1), (arrival + wait, -1)]
    names = {name for name, _, _ in expected}
    for name in names:
        first = tally.abandoned_in_time[0]
        counted = first if name == "abandoned_in_time" else tally.measure(name)
        again = np.zeros_like(counted)
        for (measure, contact_type, interval), value in expected.items():
            if measure == name:
                again[contact_type, interval] = value
        assert np.array_equal(counted, again), name
    events.sort()
    length = 0
    for (moment, step), (following, _) in pairwise(events):
        length += step
        queue_time += length * (following - moment)
    assert queue_time == tally.measure("wait_all").sum()
    assert np.array_equal(
        tally.measure("offered"),
        sum(tally.measure(name) for name in ("answered", "abandoned", "closed", "waiting")),
    )
    assert np.array_equal(
        tally.measure("offered"), tally.measure("requests") + tally.measure("redials")
    )


def time_on_the_floor_and_handling_are_counted_once(day: Played) -> None:
    log, model, s, tally = day.log, day.model, day.model.stretches, day.tally
    empty = day.case.scenario.horizon.begins == "empty"
    last = max(model.end, 2**61) if empty else model.end

    def inside(begins: np.ndarray, ends: np.ndarray) -> int:
        return int((np.clip(ends, 0, last) - np.clip(begins, 0, last)).sum())

    for group in range(len(model.groups)):
        mine = log.agent >= 0
        mine[mine] = model.agent_group[log.agent[mine]] == group
        ours = model.agent_group[s.agent] == group
        handling = tally.group_measure("handling")[group]
        floor = tally.group_measure("on_the_floor")[group]
        assert handling.sum() == inside(log.left_queue[mine], log.ended[mine])
        assert floor.sum() == inside(s.start[ours], log.stretch_left[ours])
        # Nobody handles anything off the floor.
        assert (handling <= floor).all()
    # An agent leaves between the end of a stretch and that of the contact in hand.
    came = log.stretch_left > s.start
    assert present(day)[came].all()
    if not model.cut:
        assert (log.stretch_left[came] >= s.end[came]).all()


def days_and_the_horizon_are_sums_of_intervals(day: Played) -> None:
    tally, grid = day.tally, day.case.grid
    waits = no_waits(len(day.model.contact_types), grid)
    sample = block_sample([tally, tally], waits, grid, day.case.scenario)
    for number in range(grid.days):
        of_day = grid.day == number
        for whole, daily in (
            (tally.contacts, sample.contacts),
            (tally.in_time, sample.in_time),
            (tally.groups, sample.groups),
        ):
            assert np.array_equal(daily[0, ..., number], whole[..., of_day].sum(axis=-1))
    assert np.array_equal(sample.contacts[0].sum(axis=-1), tally.contacts.sum(axis=-1))
    offered = sample.intervals.contact_types[0, 0]
    assert np.array_equal(offered, 2 * tally.measure("offered"))
    handled = tally.handled.sum(axis=0)
    assert np.array_equal(handled, tally.measure("handle_time").sum(axis=1))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(played())
def test_every_law_holds_on_any_day(day: Played) -> None:
    """One test, because making a day takes far longer than judging it."""
    every_request_goes_its_way_to_one_end(day)
    agents_answer_what_they_can_while_they_are_there_one_at_a_time(day)
    nobody_waits_while_an_agent_who_could_answer_is_idle(day)
    turns_are_kept(day)
    a_contact_goes_to_the_group_of_best_priority_and_the_agent_idle_longest(day)
    the_tally_is_the_log(day)
    time_on_the_floor_and_handling_are_counted_once(day)
    days_and_the_horizon_are_sums_of_intervals(day)
