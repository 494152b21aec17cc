"""The user's centre as it is written: rules that every log obeys, whatever chance does.

Judged from the draw and the roster alone, never from the state of an engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.draw import NEVER, content_id, scale
from ccsim.demand.model import PPM
from ccsim.simulation.attendance import Attendance, after_late_break, attendance, pauses, present
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.simulation.pace import MOST_PPM, pace
from ccsim.verification.centres import Centre
from ccsim.verification.playing import Law, Played, Reduction

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


Rule = Callable[[Played], float]
"""How many contacts of a log break a rule."""


def as_written(centre: Centre) -> Iterator[Reduction]:
    """Nothing is simplified: what must hold in every log, without any chance."""
    yield Reduction(
        "As written",
        "your whole centre with the roster",
        "nothing",
        centre.case,
        centre.plan,
        tuple(_never(name, rule) for name, rule in RULES.items()),
        least=8,
        most=32,
    )


def _never(name: str, rule: Rule) -> Law:
    return Law(
        name,
        np.zeros(1),
        lambda played: np.array([rule(played)]),
        lambda played: np.array([float(played.log.arrival.size)]),
        unit="%",
        allowed=False,
    )


def requests_lost_or_doubled(played: Played) -> float:
    """Every request that was drawn is in the log once, and ends once."""
    drawn, log = played.draw.contacts, played.log
    first = content_id(log.origin, log.interval, log.ordinal)
    wanted = content_id(drawn.contact_type, drawn.interval, drawn.ordinal)
    begun, ended = first[log.attempt == 0], first[log.last]
    return float(_not_alike(wanted, begun) + _not_alike(wanted, ended))


def _not_alike(wanted: Integers, found: Integers) -> int:
    """Numbers that are missing, or there and not wanted, or there twice."""
    one, other = np.sort(wanted), np.sort(found)
    if np.array_equal(one, other):
        return 0
    return int(np.setxor1d(one, other).size + other.size - np.unique(other).size)


def contacts_without_one_outcome(played: Played) -> float:
    """What is offered is answered, abandoned, closed, waiting, blocked, cleared or unreached."""
    named = ("answered", "abandoned", "closed", "waiting", "blocked", "cleared", "unreached")
    offered = played.tally.measure("offered")
    counted = np.sum([played.tally.measure(name) for name in named], axis=0)
    return float(np.abs(offered - counted).sum())


def agents_in_two_places(played: Played) -> float:
    """An agent has one contact at a time."""
    log = played.log
    given = np.flatnonzero(log.agent >= 0)
    by = (log.ended, log.taken, log.agent)
    order = given[np.lexsort([key[given] for key in by])]
    same = np.diff(log.agent[order]) == 0
    overlap = same & (log.taken[order][1:] < log.ended[order][:-1])
    return float(overlap.sum())


def answered_by_who_could_not(played: Played) -> float:
    """Who answers has the skill, and is there."""
    model, log, s = played.model, played.log, _worked(played)
    rows = np.flatnonzero(log.agent >= 0)
    agent, moment = log.agent[rows], log.taken[rows]
    skilled = model.skills.priority[model.agent_group[agent], log.contact_type[rows]] > 0
    until = np.where(s.serves_out, log.stretch_left, s.end)
    there = np.zeros(rows.size, bool)
    # Who serves out may still be there when a stretch begins for which she is absent.
    for stretch, hers in _stretches_from(played, agent, moment, -1):
        there |= hers & s.there[stretch] & (moment <= until[stretch])
    return float((~(skilled & there)).sum())


def handled_for_another_time(played: Played) -> float:
    """A contact takes as long as it was drawn, times the factor of the group.

    Who comes from another contact type, or has been there, is drawn anew: another rule.
    """
    model, log, drawn = played.model, played.log, played.draw.contacts
    rows = np.flatnonzero((log.outcome == Outcome.ANSWERED) & ~_changed_before(log))
    keys = content_id(drawn.contact_type, drawn.interval, drawn.ordinal)
    order = np.argsort(keys)
    mine = content_id(log.origin[rows], log.interval[rows], log.ordinal[rows])
    work = drawn.handle_time[order][np.searchsorted(keys[order], mine)]
    skill = model.agent_group[log.agent[rows]], log.contact_type[rows]
    passed_on = np.where(log.transferred[rows], model.skills.transfer_ppm[skill], PPM)
    factor, moment = model.skills.handle_ppm[skill], log.taken[rows]
    took = log.ended[rows] - log.left_queue[rows]
    right = model.cut & (log.ended[rows] >= model.end)
    if not model.agents_differ:
        return float(((took != scale(scale(work, factor), passed_on)) & ~right).sum())
    s, own = _worked(played), pace(model, played.draw).handle_time
    here = np.zeros(rows.size, bool)
    # The last stretch that had begun; at the very instant it may still have been the one before.
    for stretch, hers in _stretches_from(played, log.agent[rows], moment, -1):
        may = hers & s.there[stretch] & ~here
        hers_ppm = np.minimum(scale(factor, own[stretch]), MOST_PPM)
        right |= may & (took == scale(scale(work, hers_ppm), passed_on))
        here |= may & (s.start[stretch] < moment)
    return float((~right).sum())


def _changed_before(log: ContactLog) -> Booleans:
    """Contacts of requests that are, or have been, with another contact type, or passed on."""
    request = content_id(log.origin, log.interval, log.ordinal)
    return np.isin(request, request[(log.origin != log.contact_type) | log.transferred])


def waits_beyond_patience(played: Played) -> float:
    """Who gives up has waited as long as her patience, and whoever is answered no longer."""
    log, drawn = played.log, played.draw.contacts
    keys = content_id(drawn.contact_type, drawn.interval, drawn.ordinal)
    order = np.argsort(keys)
    ends = np.isin(log.outcome, [Outcome.ANSWERED, Outcome.ABANDONED])
    rows = np.flatnonzero((log.attempt == 0) & ends & ~log.called_back)
    mine = content_id(log.origin[rows], log.interval[rows], log.ordinal[rows])
    patience = drawn.patience[order][np.searchsorted(keys[order], mine)]
    gave_up, wait = log.outcome[rows] == Outcome.ABANDONED, log.wait[rows]
    wrong = np.where(gave_up, wait != patience, (wait > patience) & (patience < NEVER))
    return float((wrong | (wait < 0)).sum())


def overtaken_in_the_queue(played: Played) -> float:
    """Of one contact type, who came first is given to an agent first."""
    log = played.log
    rows = np.flatnonzero(log.agent >= 0)
    order = rows[np.lexsort((log.arrival[rows], log.contact_type[rows]))]
    same = np.diff(log.contact_type[order]) == 0
    later = np.diff(log.arrival[order]) > 0
    return float((same & later & (np.diff(log.taken[order]) < 0)).sum())


def waits_while_an_agent_is_free(played: Played) -> float:
    """Nobody waits while an agent who may answer is free; in pairs of group and contact type."""
    model, log = played.model, played.log
    waited = log.taken > log.arrival
    broken = 0.0
    free = [_free(played, group) for group in range(len(model.groups))]
    for contact_type in range(len(model.contact_types)):
        mine = waited & (log.contact_type == contact_type)
        for group in np.flatnonzero(model.skills.priority[:, contact_type] > 0).tolist():
            after = int(model.skills.after[group, contact_type])
            begins = log.arrival[mine] + after
            eligible = begins < log.taken[mine]
            begins, ends = begins[eligible], log.taken[mine][eligible]
            reserve = int(model.skills.reserve[group, contact_type])
            broken += _time_of_both(free[group], reserve, begins, ends) > 0
    return broken


def _free(played: Played, group: int) -> tuple[Integers, Integers]:
    """Instants at which the number of free agents of a group changes, and by how much."""
    model, log, s = played.model, played.log, _worked(played)
    stop = model.end if model.cut else NEVER
    here = s.there & (model.agent_group[model.stretches.agent] == group)
    one = np.ones(int(here.sum()), np.int64)
    times, steps = [s.start[here], np.minimum(s.end[here], stop)], [one, -one]
    rows = np.flatnonzero(log.agent >= 0)
    rows = rows[model.agent_group[log.agent[rows]] == group]
    begin, end = log.taken[rows], np.minimum(log.ended[rows], stop)
    # A contact may outlast a break, and the stretch after it too.
    for stretch, hers in _stretches_from(played, log.agent[rows], begin, 1):
        low, high = np.maximum(begin, s.start[stretch]), np.minimum(end, s.end[stretch])
        inside = hers & s.there[stretch] & (low < high)
        one = np.ones(int(inside.sum()), np.int64)
        times += [low[inside], high[inside]]
        steps += [-one, one]
    return np.concatenate(times), np.concatenate(steps)


def _time_of_both(
    free: tuple[Integers, Integers], reserve: int, begins: Integers, ends: Integers
) -> int:
    """How long somebody waits while more than so many agents are free [µs]."""
    if not begins.size or not free[0].size:
        return 0
    times = np.concatenate([free[0], begins, ends])
    zeros, ones = np.zeros(free[0].size, np.int64), np.ones(begins.size, np.int64)
    agents = np.concatenate([free[1], 0 * ones, 0 * ones])
    waiting = np.concatenate([zeros, ones, -ones])
    order = np.argsort(times, kind="stable")
    agents, waiting = np.cumsum(agents[order])[:-1], np.cumsum(waiting[order])[:-1]
    both = (agents > reserve) & (waiting > 0)
    return int(np.diff(times[order])[both].sum())


def _stretches_from(
    played: Played, agent: Integers, moment: Integers, direction: Literal[-1, 1]
) -> Iterator[tuple[Integers, Booleans]]:
    """Stretches of each agent: the last that has begun by a moment, then those after or before it.

    Each with whether it is one of hers at all; they end when none is, for anybody.
    """
    owner, start = played.model.stretches.agent, _worked(played).start
    order = np.lexsort((start, owner))
    if not (order.size and agent.size):
        return
    first = min(int(start.min()), int(moment.min()))
    span = max(int(start.max()), int(moment.max())) - first + 1
    keys = owner[order] * span + (start[order] - first)
    place = np.searchsorted(keys, agent * span + (moment - first), side="right") - 1
    for step in range(order.size):
        at = place + direction * step
        stretch = order[np.clip(at, 0, order.size - 1)]
        hers = (at >= 0) & (at < order.size) & (owner[stretch] == agent)
        if step and not hers.any():
            return
        yield stretch, hers


def _worked(played: Played) -> Attendance:
    """When the agents of the roster are there: not absent, late, gone early or still at a break."""
    model = played.model
    worked = attendance(model, played.draw, present(model, played.draw))
    breaks, left = pauses(model, worked), played.log.stretch_left
    there, start = worked.there.copy(), worked.start.copy()
    for before in breaks:  # by agent, in the order of her day
        if not there[before] or left[before] <= worked.end[before]:
            continue
        moved, back = after_late_break(breaks, worked.end, before, int(left[before]))
        *skipped, after = moved
        there[skipped] = False
        there[after] &= back < worked.end[after]
        start[after] = max(start[after], back)
    return worked._replace(there=there, start=start)


RULES: dict[str, Rule] = {
    "requests lost or doubled": requests_lost_or_doubled,
    "contacts without one outcome": contacts_without_one_outcome,
    "agents in two places": agents_in_two_places,
    "answered by who could not": answered_by_who_could_not,
    "handled for another time than drawn": handled_for_another_time,
    "waits beyond patience": waits_beyond_patience,
    "overtaken in their own queue": overtaken_in_the_queue,
    "waits while an agent is free": waits_while_an_agent_is_free,
}
"""What never happens, in a planner's words."""
