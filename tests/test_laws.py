"""What every day of every centre obeys: nothing is lost, nobody is in two places, turns are kept.

The log is judged from the draw and the plan alone, never from the engine's state.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from functools import lru_cache
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ccsim.demand.agents import late as late_by
from ccsim.demand.agents import leaves_early as early_by
from ccsim.demand.agents import multiples
from ccsim.demand.draw import NEVER, scale_one
from ccsim.demand.keyed import uniform_limit
from ccsim.demand.model import PPM
from ccsim.performance.sample import block_sample
from ccsim.performance.waits import no_waits
from ccsim.simulation.log import MET, PASSED_ON, REDIAL, ContactLog, Outcome
from ccsim.simulation.model import Model, Stretches
from ccsim.simulation.rules import CHOICES
from tests.centres import Played, played
from tests.equality import Centre, played_by_reference, some_days

Day = Played | Centre
UNANSWERED = (Outcome.ABANDONED, Outcome.BLOCKED, Outcome.BALKED)
"""Who redials."""


def key(log: ContactLog, row: int) -> tuple[int, int, int]:
    return int(log.origin[row]), int(log.interval[row]), int(log.ordinal[row])


def whole_key(log: ContactLog, row: int) -> tuple[int, int, int, int]:
    return *key(log, row), int(log.attempt[row])


def chains(log: ContactLog) -> dict[tuple[int, int, int], list[int]]:
    """Rows of the log by request, in order of the attempt."""
    rows: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for row in range(len(log.arrival)):
        rows[key(log, row)].append(row)
    return {k: sorted(of, key=lambda row: int(log.attempt[row])) for k, of in rows.items()}


def first_attempts(day: Day) -> dict[tuple[int, int, int], tuple[int, int, int]]:
    c = day.draw.contacts
    keys = zip(c.contact_type.tolist(), c.interval.tolist(), c.ordinal.tolist(), strict=True)
    values = zip(c.arrival.tolist(), c.handle_time.tolist(), c.patience.tolist(), strict=True)
    return dict(zip(keys, values, strict=True))


def idle_spans(day: Day) -> list[tuple[int, int, int]]:
    """(agent, from, until): meant to be on the floor, there, and with nobody."""
    model, log = day.model, day.log
    busy: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for agent, begin, end in zip(
        log.agent.tolist(), log.taken.tolist(), log.ended.tolist(), strict=True
    ):
        if agent >= 0:
            busy[agent].append((begin, end))
    stop = model.end if model.cut else max([2**61, *log.ended.tolist()])
    spans = []
    s, there = worked(day)
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


@lru_cache(maxsize=4)
def worked(day: Day) -> tuple[Stretches, np.ndarray]:
    """Stretches as they are worked, stretch by stretch, and whether their agents come at all."""
    s, groups = day.model.stretches, day.model.agent_group
    start, end, serves_out = s.start.copy(), s.end.copy(), s.serves_out.copy()
    there = np.ones(len(s.agent), dtype=bool)
    for row, agent in enumerate(s.agent.tolist()):
        group, key = int(groups[agent]), (s.day[row : row + 1], s.ordinal[row : row + 1])
        there[row] = day.draw.present(group, *key)[0]
        if not s.in_shift[row] or not there[row]:
            continue
        late, early = (int(drawn(day.draw, group, *key)[0]) for drawn in (late_by, early_by))
        comes = max(int(s.start[row]), int(s.shift_start[row]) + late)
        goes = min(int(s.end[row]), int(s.shift_end[row]) - early)
        there[row] = comes < goes
        if there[row]:
            start[row], end[row] = comes, goes
        if there[row] and goes < s.end[row]:
            interval = goes // day.model.interval_us % day.model.open.shape[1]
            served = np.flatnonzero(day.model.skills.priority[group])
            serves_out[row] = goes >= day.model.end or not day.model.open[served, interval].any()
    for mine in (np.flatnonzero((s.agent == a) & there & s.in_shift) for a in range(len(groups))):
        comes_back_later(day, mine[np.argsort(start[mine])].tolist(), start, end, there)
    return replace(s, start=start, end=end, serves_out=serves_out), there


def comes_back_later(
    day: Day, mine: list[int], start: np.ndarray, end: np.ndarray, there: np.ndarray
) -> None:
    """Breaks of one agent that keep their length, in the order of her day."""
    if (
        not mine
        or not day.model.keeps_breaks[day.model.agent_group[day.model.stretches.agent[mine[0]]]]
    ):
        return
    planned = start[mine].tolist()
    at = 0
    while at + 1 < len(mine):
        left, length = int(day.log.stretch_left[mine[at]]), planned[at + 1] - int(end[mine[at]])
        at += 1
        if length == 0 or left <= end[mine[at - 1]]:
            continue
        back = left + length
        while end[mine[at]] <= back and at + 1 < len(mine) and planned[at + 1] > end[mine[at]]:
            there[mine[at]] = False
            at += 1
        there[mine[at]] = back < end[mine[at]]
        start[mine[at]] = max(planned[at], back)


def paces(day: Day, row: int) -> list[tuple[int, int]]:
    """Factors on handle time, skill included, and on resolution, of who answered [per million].

    They are those of the stretch she is in. At the instant at which one follows another, a contact
    that ends comes before who comes, so that she may still be in the one before.
    """
    log, model = day.log, day.model
    agent, moment = int(log.agent[row]), int(log.taken[row])
    group = int(model.agent_group[agent])
    skill = int(model.skills.handle_ppm[group, log.contact_type[row]])
    if not model.agents_differ:
        return [(skill, PPM)]
    s, there = worked(day)
    begun = np.flatnonzero((s.agent == agent) & there & (s.start <= moment))
    found = []
    for stretch in begun[::-1].tolist():
        one = slice(stretch, stretch + 1)
        handle, settles = multiples(day.draw, group, s.day[one], s.ordinal[one])
        found.append((min(scale_one(skill, int(handle[0])), 100 * PPM), int(settles[0])))
        if s.start[stretch] < moment:
            break
    return found


def pace_at(day: Day, row: int, drawn: int) -> tuple[int, int]:
    """The one of them by which she took as long as she did, if any."""
    took = int(day.log.ended[row] - day.log.left_queue[row])
    found = paces(day, row)
    right = [one for one in found if passed_on(day, row, scale_one(drawn, one[0])) == took]
    return [*right, *found][0]


def passed_on(day: Day, row: int, length: int) -> int:
    """Less or more time, if she passed the contact on."""
    log, skills = day.log, day.model.skills
    skill = day.model.agent_group[log.agent[row]], log.contact_type[row]
    return scale_one(length, int(skills.transfer_ppm[skill])) if log.transferred[row] else length


def handle_time(day: Day, row: int, drawn: int) -> int:
    """How long the agent who answered takes, less or more if she passes the contact on."""
    return passed_on(day, row, scale_one(drawn, pace_at(day, row, drawn)[0]))


class Expected(NamedTuple):
    """An attempt as the draw has it: its length, by which attempt's draw, patience and reason."""

    contact_type: int
    arrival: int
    length: int
    drawn: int
    patience: int
    why: int
    most: int = 0


def expected(day: Day) -> dict[int, Expected]:
    """Of every row, followed from the first attempt; and of -1 - row what was cut after it."""
    found, first = {}, first_attempts(day)
    for request, attempts in chains(day.log).items():
        arrival, length, patience = first[request]
        one: Expected | None = Expected(request[0], arrival, length, 0, patience, 0)
        for row in attempts:
            assert one is not None
            found[row], before = one, one
            one = next_attempt(day, row, before)
        if one is not None:
            found[-1 - attempts[-1]] = one
    return found


def when_open(model: Model, contact_type: int, moment: int, delay: int) -> int:
    """When a contact type will have been open for so long after a moment; late if never."""
    columns = model.open.shape[1]
    number = np.arange(moment // model.interval_us, model.end // model.interval_us)
    number = number[model.open[contact_type, number % columns]]
    begin = np.maximum(number * model.interval_us, moment)
    passed = np.cumsum((number + 1) * model.interval_us - begin)
    place = int(np.searchsorted(passed, delay, side="right"))
    if place == len(passed):
        return NEVER
    return int(begin[place] + delay - (passed[place - 1] if place else 0))


def every_request_goes_its_way_to_one_end(day: Day) -> None:
    log, model, lives = day.log, day.model, expected(day)
    assert chains(log).keys() == first_attempts(day).keys()
    for attempts in chains(log).values():
        assert log.attempt[attempts].tolist() == list(range(len(attempts)))
        assert log.last[attempts].tolist() == [False] * (len(attempts) - 1) + [True]
        for row in attempts:
            one = lives[row]
            assert (log.contact_type[row], log.arrival[row]) == (one.contact_type, one.arrival)
            assert log.again[row] == one.why
            interval = one.arrival // model.interval_us % model.open.shape[1]
            is_open = model.open[one.contact_type, interval]
            assert (log.outcome[row] == Outcome.CLOSED) == (not is_open)
            ends_as_drawn(day, row, one)
            assert (log.unresolved[row], log.transferred[row]) == follows_an_answer(
                day, row, one.length
            )
            # Another attempt follows, or the bound or the end of the horizon cut it.
            cut = lives.get(-1 - row)
            assert log.cut[row] == (cut is not None)
            if cut is not None:
                assert log.attempt[row] >= cut.most or cut.arrival >= model.end


def ends_as_drawn(day: Day, row: int, one: Expected) -> None:
    """How long it waits, rings and is handled, by its outcome."""
    log, model, announcing = day.log, day.model, day.model.announcing
    end = model.end if model.cut else NEVER
    waited, outcome = int(log.wait[row]), Outcome(int(log.outcome[row]))
    busy, left, taken = (int(column[row]) for column in (log.ended, log.left_queue, log.taken))
    busy -= left
    called = bool(log.called_back[row])
    assert (log.agent[row] >= 0) or taken == left
    rings = 0
    if log.agent[row] >= 0:
        rings = int(model.ring[model.agent_group[log.agent[row]]])
    accepts, answers = day.draw.callback(whole_key(log, row))
    if called:
        rings = int(announcing.dialling[one.contact_type])
        assert accepts < announcing.accepted_below[one.contact_type]
        assert announcing.estimate[one.contact_type] >= 0
    reached = answers < announcing.reached_below[one.contact_type]
    match outcome:
        case Outcome.ANSWERED:
            assert waited >= 0
            assert (waited <= one.patience) if not called else reached
            assert left == taken + rings
            assert busy == min(handle_time(day, row, one.length), end - left)
        case Outcome.ABANDONED:
            assert (waited, busy, called) == (one.patience, 0, False)
            assert log.agent[row] < 0 or taken <= left < taken + rings
        case Outcome.CLOSED | Outcome.BLOCKED:
            assert (waited, busy, called) == (0, 0, False)
        case Outcome.BALKED:
            assert (waited, busy, called) == (0, 0, False)
            assert announcing.tolerance_ppm[one.contact_type] > 0
        case Outcome.CLEARED:
            assert waited > 0
            assert busy == 0
            assert called or waited <= one.patience
        case Outcome.UNREACHED:
            assert called
            assert not reached
            assert (left, busy) == (taken + rings, 0)
        case Outcome.WAITING:
            assert model.cut or called or one.patience == NEVER
            assert waited >= 0
            assert called or waited <= one.patience
            assert log.agent[row] < 0 or left == end


def follows_an_answer(day: Day, row: int, length: int) -> tuple[bool, bool]:
    """Whether an answer did not settle the matter, and whether the contact was passed on."""
    if day.log.outcome[row] != Outcome.ANSWERED:
        return False, False
    log, skills = day.log, day.model.skills
    skill = day.model.agent_group[log.agent[row]], log.contact_type[row]
    if day.draw.transferred(whole_key(log, row), int(skills.transfer_below[skill])):
        return False, True
    return repeat_of(day, row, length)[0], False


def repeat_of(day: Day, row: int, length: int) -> tuple[bool, tuple[int, int, int] | None]:
    """What the draw says of an answer by this agent."""
    group, contact_type = day.model.agent_group[day.log.agent[row]], day.log.contact_type[row]
    settled = int(day.model.skills.resolution_ppm[group, contact_type])
    settled = min(scale_one(settled, pace_at(day, row, length)[1]), PPM)
    below = int(uniform_limit(PPM - settled))
    return day.draw.unresolved(whole_key(day.log, row), int(contact_type), below)


def next_attempt(day: Day, row: int, one: Expected) -> Expected | None:
    """The attempt that would follow, if one would."""
    log, model, moment = day.log, day.model, int(day.log.left_queue[row])
    outcome, longer = log.outcome[row], 0
    origin, interval, ordinal, attempt = whole_key(log, row)
    if outcome == Outcome.ANSWERED:
        moment += handle_time(day, row, one.length)
    if outcome == Outcome.ANSWERED and log.transferred[row]:
        skill = model.agent_group[log.agent[row]], one.contact_type
        to, why = int(model.skills.transfer_to[skill]), MET | PASSED_ON
        longer, most = (
            int(model.skills.context_lost[skill]),
            int(model.skills.transfers_at_most[skill]),
        )
        arrival = moment
    elif outcome in UNANSWERED or outcome == Outcome.ANSWERED:
        if outcome == Outcome.ANSWERED:
            again, rules, why = repeat_of(day, row, one.length)[1], model.repeats, MET
        else:
            again = day.draw.redial((origin, interval, ordinal, attempt), one.contact_type)
            rules, why = model.redials, one.why & MET | REDIAL
        if again is None:
            return None
        delay, uniform, below = again
        to, most = one.contact_type, int(rules.at_most[one.contact_type])
        if uniform < scale_one(below, int(rules.elsewhere_ppm[to])):
            to = int(rules.to[to])
        arrival = moment + delay
        if rules.while_open[one.contact_type]:
            arrival = when_open(model, one.contact_type, moment, delay)
    else:
        return None
    length, drawn, place = one.length, one.drawn, (origin, interval, ordinal, attempt + 1)
    if to != one.contact_type:
        in_time = min(arrival, model.end - 1)  # whoever comes later is cut, whatever the length
        length, drawn = day.draw.handle_time(place, to, in_time), attempt + 1
    return Expected(to, arrival, length + longer, drawn, day.draw.patience(place, to), why, most)


def serving_out(day: Day, agent: int, moment: int) -> bool:
    """Whether all she serves was closed when a stretch of hers ended, and she has not left."""
    (s, there), log = worked(day), day.log
    late = (s.agent == agent) & s.serves_out & (s.end <= moment) & (moment <= log.stretch_left)
    return bool((late & there).any())


def agents_answer_what_they_can_while_they_are_there_one_at_a_time(day: Day) -> None:
    log, model = day.log, day.model
    s, there = worked(day)
    served: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in np.flatnonzero(log.agent >= 0).tolist():
        agent, begin = int(log.agent[row]), int(log.taken[row])
        assert model.skills.priority[model.agent_group[agent], log.contact_type[row]] > 0
        mine = (s.agent == agent) & there
        on_the_floor = bool((mine & (s.start <= begin) & (begin < s.end)).any())
        assert on_the_floor or serving_out(day, agent, begin)
        served[agent].append((begin, int(log.ended[row])))
    for spans in served.values():
        spans.sort()
        assert all(a[1] <= b[0] for a, b in pairwise(spans))


def groups_mind_thresholds_and_how_long_a_contact_waited(day: Day) -> None:
    """Unless an agent serves out."""
    log, model, skills = day.log, day.model, day.model.skills
    s, there = worked(day)
    for row in np.flatnonzero(log.agent >= 0).tolist():
        agent, moment = int(log.agent[row]), int(log.taken[row])
        group, contact_type = model.agent_group[agent], log.contact_type[row]
        reserve = skills.reserve[group, contact_type]
        if serving_out(day, agent, moment):
            continue
        assert moment - log.arrival[row] >= skills.after[group, contact_type]
        if reserve:
            # At most those are free whom nothing kept: not all of them were at this very instant.
            ours = there & (model.agent_group[s.agent] == group)
            on_the_floor = set(s.agent[ours & (s.start <= moment) & (moment <= s.end)].tolist())
            busy = log.agent[(log.taken < moment) & (log.ended > moment)].tolist()
            assert len(on_the_floor - set(busy)) > reserve


def spans_with_more_free(spans: list[tuple[int, int, int]], reserve: int) -> list[tuple[int, int]]:
    """When more than so many of a group's agents were free: from, until."""
    steps = sorted([(begin, 1) for _, begin, _ in spans] + [(end, -1) for _, _, end in spans])
    free, found = 0, []
    for (moment, step), (follows, _) in pairwise(steps):
        free += step
        if free > reserve and follows > moment:
            found.append((moment, follows))
    return found


def nobody_waits_while_an_agent_who_could_answer_is_idle(day: Day) -> None:
    """Once the contact has waited long enough for her group, and enough of that group are free."""
    log, model, skills = day.log, day.model, day.model.skills
    idle = idle_spans(day)
    for group, contact_type in np.argwhere(skills.priority > 0).tolist():
        waits_from = log.arrival + skills.after[group, contact_type]
        waiting = (log.contact_type == contact_type) & (log.taken > waits_from)
        ours = [span for span in idle if model.agent_group[span[0]] == group]
        for begin, end in spans_with_more_free(ours, skills.reserve[group, contact_type]):
            overlap = np.minimum(log.taken, end) - np.maximum(waits_from, begin)
            assert (overlap[waiting] <= 0).all()


def turns_are_kept(day: Day) -> None:
    """An agent takes best priority, then most points, then content; of one type who came first.

    Of those whom her group takes by now; where a threshold holds some back, that is another law.
    """
    log, model, skills = day.log, day.model, day.model.skills
    content = ((log.origin << 20 | log.interval + 2**19) << 24 | log.ordinal) << 8
    content += log.attempt
    head_start, ageing, carries_over = (
        getattr(model.queueing, name)[log.contact_type]
        for name in ("head_start", "ageing", "carries_over")
    )
    wait = log.taken - log.arrival
    idle = {(agent, end) for agent, _, end in idle_spans(day)}
    for row in np.flatnonzero((log.agent >= 0) & (wait > 0)).tolist():
        moment, agent = log.taken[row], int(log.agent[row])
        group = model.agent_group[agent]
        after = skills.after[group][log.contact_type]
        out = serving_out(day, agent, int(moment))
        if not out and ((agent, int(moment)) in idle or wait[row] == after[row] > 0):
            continue  # here the contact found her, when it had waited long enough
        priority = skills.priority[group][log.contact_type]
        passed = (log.arrival < moment) & (log.taken > moment) & (priority > 0)
        if out:
            passed &= ~carries_over
        else:
            passed &= (log.arrival + after <= moment) & (
                skills.reserve[group][log.contact_type] == 0
            )

        def turn(one: int, now: int = moment, order: np.ndarray = priority) -> tuple[int, ...]:
            points = head_start[one] + scale_one(int(now - log.arrival[one]), int(ageing[one]))
            return order[one], -points, content[one]

        for kind in range(len(model.contact_types)):
            others = np.flatnonzero(passed & (log.contact_type == kind)).tolist()
            if not others:
                continue
            first = min(others, key=lambda one: (log.arrival[one], content[one]))
            if kind == log.contact_type[row]:
                assert (log.arrival[row], content[row]) < (log.arrival[first], content[first])
            else:
                assert turn(row) < turn(first)


def a_contact_goes_to_the_group_of_best_priority_and_the_agent_by_its_rule(day: Day) -> None:
    """On arrival, and when it has waited long enough for more groups."""
    log, model, skills = day.log, day.model, day.model.skills
    spans = idle_spans(day)
    ends = {(agent, end): begin for agent, begin, end in spans}
    group_of = model.agent_group.tolist()
    for row in np.flatnonzero(log.agent >= 0).tolist():
        moment, chosen, kind = int(log.taken[row]), int(log.agent[row]), log.contact_type[row]
        at_once = (log.agent == chosen) & (log.ended == moment)
        if (chosen, moment) not in ends or serving_out(day, chosen, moment) or at_once.any():
            continue  # came or became free at this very moment
        since = {agent: begin for agent, begin, end in spans if begin < moment < end}
        since[chosen] = ends[chosen, moment]
        free = Counter(group_of[agent] for agent in since if agent != chosen)
        order = skills.contact_priority[:, kind]
        may = (order > 0) & (skills.after[:, kind] <= moment - log.arrival[row])
        enough = {group: free[group] > skills.reserve[group, kind] for group in free}
        # Those who could surely answer: the chosen one did, and the others not only thanks to her.
        best = {
            agent: order[group_of[agent]]
            for agent in since
            if agent == chosen or (may[group_of[agent]] and enough[group_of[agent]])
        }
        turn = {agent: (best[agent], *turn_of(day, row, agent, since[agent])) for agent in best}
        assert min(turn.values()) == turn[chosen]


def turn_of(day: Day, row: int, agent: int, idle_since: int) -> tuple[int, ...]:
    """What decides between free agents of equal priority, the smallest first."""
    log = day.log
    match CHOICES[day.model.access.agent_choice[log.contact_type[row]]]:
        case "longest_idle":
            return idle_since, agent
        case "least_handling":
            earlier = (log.agent == agent) & (log.taken < log.taken[row])
            return int((log.ended - log.taken)[earlier].sum()), agent
        case "in_order":
            return (agent,)
        case _:
            return ()  # anyone


def who_gets_in_and_who_does_not(day: Day) -> None:
    """Lines and short queues, counted again at every arrival from who came before and is not gone.

    A line is held while waiting and talking, not in wrap-up.
    """
    log, access = day.log, day.model.access
    turned_away = np.isin(log.outcome, [Outcome.CLOSED, Outcome.BLOCKED, Outcome.BALKED])
    # Who waits when the run ends is still there.
    waits_on = (log.outcome == Outcome.WAITING) & (log.agent < 0)
    leaves = np.where(waits_on, NEVER, log.taken)
    free_again = np.where(log.outcome == Outcome.WAITING, NEVER, log.left_queue)
    lives = expected(day)
    for row in np.flatnonzero(log.outcome == Outcome.ANSWERED).tolist():
        place = (*key(log, row), lives[row].drawn)
        factor, _ = pace_at(day, row, lives[row].length)
        wrap_up = scale_one(day.draw.wrap_up(place, lives[row].contact_type), factor)
        wrap_up = passed_on(day, row, wrap_up)
        free_again[row] += max(handle_time(day, row, lives[row].length) - wrap_up, 0)
    free_again[log.called_back] = log.arrival[log.called_back]
    line_group = access.line_group[log.contact_type]
    for row in range(len(log.arrival)):
        contact_type, now = log.contact_type[row], log.arrival[row]
        if log.outcome[row] == Outcome.CLOSED:
            continue
        inside = ~turned_away[:row]
        lines = inside & (line_group[:row] == line_group[row]) & (free_again[:row] > now)
        engaged = line_group[row] >= 0 and lines.sum() == access.lines[line_group[row]]
        assert line_group[row] < 0 or lines.sum() <= access.lines[line_group[row]]
        waiting = inside & (log.contact_type[:row] == contact_type) & (leaves[:row] > now)
        full = waiting.sum() == access.queue_limit[contact_type]
        assert waiting.sum() <= access.queue_limit[contact_type]
        at_once = log.agent[row] >= 0 and log.taken[row] == now
        assert (log.outcome[row] == Outcome.BLOCKED) == (engaged or (full and not at_once))


def a_queue_is_cleared_when_it_closes(day: Day) -> None:
    log, model = day.log, day.model
    closing = {(moment, kind) for moment, kind in model.access.closing.tolist()}
    cleared = np.flatnonzero(log.outcome == Outcome.CLEARED)
    assert closing >= {(int(log.left_queue[row]), int(log.contact_type[row])) for row in cleared}
    for moment, contact_type in closing:
        if model.cut and moment >= model.end:
            continue
        through = (log.arrival < moment) & (log.taken > moment)
        assert not (through & (log.contact_type == contact_type)).any()


def the_tally_is_the_log(day: Day) -> None:  # noqa: PLR0915 (every count once)
    """Every count again, contact by contact; and Little's law in whole microseconds."""
    log, model, tally, rules = day.log, day.model, day.tally, day.rules
    expected: Counter[tuple[str, int, int]] = Counter()
    queue_time = 0
    events: list[tuple[int, int]] = []
    for row in range(len(log.arrival)):
        contact_type, arrival = int(log.contact_type[row]), int(log.arrival[row])
        outcome, wait = Outcome(int(log.outcome[row])), int(log.wait[row])
        began = int(log.interval[row])
        again = int(log.again[row])
        met = outcome is Outcome.ANSWERED or again & MET
        if log.last[row] and not met and began >= 0:
            expected["lost", int(log.origin[row]), began] += 1
        if not 0 <= arrival < model.end:
            continue
        cell = (contact_type, arrival // model.interval_us)
        expected["offered", *cell] += 1
        expected[outcome.name.lower(), *cell] += 1
        kinds = {REDIAL: "redials", PASSED_ON: "transfers", MET: "repeats"}
        kind = next((word for bit, word in kinds.items() if again & bit), "requests")
        expected[kind, *cell] += 1
        expected["callbacks", *cell] += int(log.called_back[row])
        expected["transferred", *cell] += int(log.transferred[row])
        answered = outcome is Outcome.ANSWERED
        expected["repeats_cut" if answered else "redials_cut", *cell] += int(log.cut[row])
        expected["unresolved", *cell] += int(log.unresolved[row])
        if outcome is Outcome.ANSWERED:
            expected["wait_answered", *cell] += wait
            expected["handle_time", *cell] += int(log.ended[row] - log.left_queue[row])
        if outcome is Outcome.BALKED:
            expected["abandoned", *cell] += 1
        if outcome in (Outcome.ABANDONED, Outcome.BALKED):
            in_time, short = rules.thresholds[contact_type][0], rules.short_abandon[contact_type]
            expected["abandoned_in_time", *cell] += int(wait <= in_time)
            expected["short_abandons", *cell] += int(wait <= short)
        if outcome in (Outcome.ANSWERED, Outcome.ABANDONED, Outcome.BALKED):
            expected["wait_all", *cell] += wait
            events += [(arrival, 1), (arrival + wait, -1)]
    names = {name for name, _, _ in expected}
    for name in names:
        first = tally.abandoned_in_time[0]
        counted = first if name == "abandoned_in_time" else tally.measure(name)
        recounted = np.zeros_like(counted)
        for (measure, contact_type, interval), value in expected.items():
            if measure == name:
                recounted[contact_type, interval] = value
        assert np.array_equal(counted, recounted), name
    events.sort()
    length = 0
    for (moment, step), (following, _) in pairwise(events):
        length += step
        queue_time += length * (following - moment)
    assert queue_time == tally.measure("wait_all").sum()
    offered = tally.measure("offered")
    ends = set(Outcome) - {Outcome.BALKED}  # which are among the abandoned
    assert np.array_equal(offered, sum(tally.measure(outcome.name.lower()) for outcome in ends))
    came = [tally.measure(kind) for kind in ("requests", "redials", "repeats", "transfers")]
    assert np.array_equal(offered, sum(came))
    # Whoever is turned away is offered and not in time.
    not_answered = ("closed", "blocked", "cleared", "balked", "unreached")
    turned_away = sum(tally.measure(name) for name in not_answered)
    assert (tally.in_time <= offered - turned_away).all()


def time_on_the_floor_and_handling_are_counted_once(day: Day) -> None:
    log, model, tally = day.log, day.model, day.tally
    s, there = worked(day)
    last = model.end if model.cyclic else max(model.end, 2**61)

    def inside(begins: np.ndarray, ends: np.ndarray) -> int:
        return int((np.clip(ends, 0, last) - np.clip(begins, 0, last)).sum())

    for group in range(len(model.groups)):
        mine = log.agent >= 0
        mine[mine] = model.agent_group[log.agent[mine]] == group
        ours = model.agent_group[s.agent] == group
        handling = tally.group_measure("handling")[group]
        floor = tally.group_measure("on_the_floor")[group]
        assert handling.sum() == inside(log.taken[mine], log.ended[mine])
        assert floor.sum() == inside(log.stretch_came[ours], log.stretch_left[ours])
        # Nobody handles anything off the floor.
        assert (handling <= floor).all()
    # An agent leaves between the end of a stretch and that of the contact in hand.
    came = log.stretch_left > log.stretch_came
    assert there[came].all()
    # Who would be back from a late break after the end of a run that is cut is not.
    begun = there & (s.start < model.end) if model.cut else there
    assert (log.stretch_came == s.start)[begun].all()
    kept = model.keeps_breaks[model.agent_group[s.agent]]
    assert (log.stretch_came == s.start)[~kept].all()
    assert (log.stretch_came == log.stretch_left)[~there].all()
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


def every_law_holds(day: Day) -> None:
    every_request_goes_its_way_to_one_end(day)
    agents_answer_what_they_can_while_they_are_there_one_at_a_time(day)
    groups_mind_thresholds_and_how_long_a_contact_waited(day)
    nobody_waits_while_an_agent_who_could_answer_is_idle(day)
    turns_are_kept(day)
    a_contact_goes_to_the_group_of_best_priority_and_the_agent_by_its_rule(day)
    who_gets_in_and_who_does_not(day)
    a_queue_is_cleared_when_it_closes(day)
    the_tally_is_the_log(day)
    time_on_the_floor_and_handling_are_counted_once(day)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(played())
def test_every_law_holds_on_any_day(day: Played) -> None:
    """One test, because making a day takes far longer than judging it."""
    every_law_holds(day)
    days_and_the_horizon_are_sums_of_intervals(day)


@pytest.mark.parametrize("seed", range(2))
def test_every_law_holds_on_centres_straight_from_a_seed(seed: int) -> None:
    """Far more ties, and everything at once."""
    chance = np.random.default_rng(20260907 + seed)
    seen: Counter[str] = Counter()
    for days in islice(some_days(chance, 4), 60):
        for drawn in days:
            if len(drawn.contacts.arrival) < 200:
                day = played_by_reference(chance, drawn)
                every_law_holds(day)
                seen.update(what_happened(day))
    assert all(seen.values()), seen


def worked_as_planned(day: Day) -> np.ndarray:
    """When stretches would begin if no break kept its length."""
    plain = replace(day.model, keeps_breaks=np.zeros_like(day.model.keeps_breaks))
    return worked(replace(day, model=plain))[0].start


def what_happened(day: Day) -> dict[str, int]:
    """How often what the laws are about."""
    log, skills, access = day.log, day.model.skills, day.model.access
    rows = np.flatnonzero(log.outcome == Outcome.ANSWERED)
    skill = day.model.agent_group[log.agent[rows]], log.contact_type[rows]
    blocked, wait = log.outcome == Outcome.BLOCKED, log.wait[rows]
    has_line = access.line_group[log.contact_type] >= 0
    out = np.array([serving_out(day, log.agent[row], log.left_queue[row]) for row in rows], bool)
    return {
        **{outcome.name: int((log.outcome == outcome).sum()) for outcome in Outcome},
        "blocked by lines or queue": int((blocked & has_line).sum()),
        "blocked by the queue": int((blocked & ~has_line).sum()),
        "answered by another factor": int((skills.handle_ppm[skill] != PPM).sum()),
        "answered at overflow": int((wait == skills.after[skill])[wait > 0].sum()),
        "answered beyond a threshold": int((skills.reserve[skill] > 0).sum()),
        "served out too early for overflow": int((out & (wait < skills.after[skill])).sum()),
        "unresolved": int(log.unresolved.sum()),
        "repeat": int((log.again == MET).sum()),
        "redial of a repeat": int((log.again == MET | REDIAL).sum()),
        "cut": int(log.cut.sum()),
        "passed on": int((log.again & PASSED_ON > 0).sum()),
        "elsewhere": int(((log.origin != log.contact_type) & (log.again & PASSED_ON == 0)).sum()),
        "called back": int((log.called_back & (log.outcome == Outcome.ANSWERED)).sum()),
        "rings in vain": int(((log.agent >= 0) & (log.outcome == Outcome.ABANDONED)).sum()),
        "carried over": int(day.model.queueing.carries_over.sum()),
        "back late from a break": int((log.stretch_came > worked_as_planned(day)).sum()),
    }
