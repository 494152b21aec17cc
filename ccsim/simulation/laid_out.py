"""What the compiled engine works on: a model, a draw and the state of a run as flat arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ccsim.demand import draw_compiled
from ccsim.demand.chance import Chance, chance_of
from ccsim.demand.draw import Draw
from ccsim.demand.model import PPM
from ccsim.simulation.attendance import Attendance, attendance, pauses
from ccsim.simulation.log import REDIAL, ContactLog
from ccsim.simulation.model import Model
from ccsim.simulation.pace import pace

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

LATER = 2**63 - 1
"""The instant of what does not happen."""
IDLE = 3 * 2**61
"""From here on stand agents who are not busy, each at an instant of her own that never comes."""


class Centre(NamedTuple):
    """A model; lists of a contact type or a group stand one behind the other."""

    begin: int
    end: int
    cut: bool
    interval_us: int
    is_open: Booleans  # (n_contact_types, n_intervals)
    head_start: Integers
    ageing: Integers
    carries_over: Booleans
    group_of: Integers  # of an agent
    groups_first: Integers  # of a contact type: where its groups begin, one more for the end
    groups: Integers  # in the order in which a contact looks
    groups_last: Booleans  # whether the next group has another priority
    groups_after: Integers  # how long it must have waited for them
    groups_reserve: Integers  # how many of them stay free
    types_first: Integers  # of a group, likewise
    types: Integers
    types_last: Booleans
    types_after: Integers
    types_reserve: Integers
    varied: bool  # whether there is more than priorities, stretches, patience and redials
    handle_ppm: Integers  # (n_groups, n_contact_types)
    unresolved_below: Integers
    resolution_ppm: Integers
    transfer_below: Integers
    transfer_to: Integers
    transfer_ppm: Integers
    context_lost: Integers
    transfers_at_most: Integers
    line_group: Integers
    agent_choice: Integers
    estimate: Integers  # how to tell the wait, or -1
    per_waiting: Integers
    tolerance_ppm: Integers
    callback_from: Integers
    accepted_below: Integers
    reached_below: Integers
    dialling: Integers
    ring: Integers  # of a group
    overflows_first: Integers  # of a contact type: waits after which more groups may take it
    overflows: Integers
    queue_limit: Integers
    closing: Integers  # (n_closings, 2)
    stretch_agent: Integers
    stretch_start: Integers
    stretch_end: Integers
    serves_out: Booleans
    stretch_pace: Integers  # handle time and resolution of its agent, as multiples of the group's
    stretch_settles: Integers
    redials_at_most: Integers
    redials_while_open: Booleans
    redials_elsewhere: Integers  # the share, per million
    redials_to: Integers
    repeats_at_most: Integers
    repeats_while_open: Booleans
    repeats_elsewhere: Integers
    repeats_to: Integers


class Rows(NamedTuple):
    """The contacts: first attempts, then redials as they come about."""

    contact_type: Integers
    origin: Integers  # the same array where nobody changes to another contact type
    interval: Integers
    ordinal: Integers
    attempt: Integers
    drawn: Integers  # the attempt by which the handle time was drawn
    arrival: Integers
    handle_time: Integers
    patience: Integers
    outcome: Integers
    left_queue: Integers
    taken: Integers
    ended: Integers
    agent: Integers
    last: Booleans
    again: NDArray[np.int8]
    unresolved: Booleans
    called_back: Booleans
    transferred: Booleans
    cut: Booleans
    seen: Integers  # rows in the order in which they arrived


class Floor(NamedTuple):
    """Who waits, who is idle, who is there; lists end with -1."""

    ahead: Integers  # of a waiting row
    behind: Integers
    queue_first: Integers  # of a contact type
    queue_last: Integers
    idle_before: Integers  # of an idle agent
    idle_after: Integers
    idle_since: Integers  # `LATER` if she is not
    idle_first: Integers  # of a group
    idle_last: Integers
    free: Integers  # of a group: how many are idle
    waiting: Integers  # of a contact type
    last_wait: Integers  # of whoever was taken last
    free_lines: Integers  # of a line group
    busy: Booleans
    handled: Integers  # how long each agent has handled contacts so far
    stretch_of: Integers
    stretch_came: Integers
    stretch_left: Integers
    pause: Integers  # after each stretch: a break that keeps its length, or 0
    follows: Integers  # the stretch after it
    comes_otherwise: Booleans  # stretches that do not begin as planned
    coming: Integers  # stretches of agents who are there, by start and by end
    leaving: Integers
    talk_factor: Integers  # of the day, (n_contact_types, n_intervals)


class Agenda(NamedTuple):
    """What is under way: ends of service in a tree, all else on heaps of rows.

    An agent's place in the tree is `leaves` plus her number; of two places beside each other,
    whoever is done first stands above, at half their number, and who is first of all at place 1.
    """

    leaves: int
    done_when: Integers  # (2 * leaves,)
    done_who: Integers
    row_of: Integers  # of a busy agent
    gone_when: Integers  # ends of patience, the earliest first; some of who was answered
    gone_row: Integers
    back_when: Integers  # later attempts
    back_row: Integers
    over_when: Integers  # timed overflow
    over_row: Integers
    talk_when: Integers  # ends of talk of who needs a line
    talk_row: Integers
    late_when: Integers  # agents who come back from a break late: moment and stretch
    late_stretch: Integers


NOW, ARRIVAL, COMING, LEAVING, CLOSING, COLUMN, EDGE = range(7)
"""What the loop keeps between two calls: the clock, the next of each stream, which column of the
opening hours, and when it ends; then how many there are of what grows."""
WAITS, BACKS, OVERS, TALKS, LATES, ROWS, SEEN = range(7, 14)
"""Rows on each heap, rows in all, and rows that arrived."""


class Begun(NamedTuple):
    """A run about to begin."""

    state: Integers
    centre: Centre
    chance: Chance
    rows: Rows
    floor: Floor
    agenda: Agenda


def laid_out(model: Model, draw: Draw, held: int = 0) -> Begun:
    """A model and a draw as the loop takes them, with nobody on the floor yet.

    There is room for so many contacts of a state, and for some later attempts; more is made when
    it is needed.
    """
    centre, by_end = _centre(model)
    chance, stretches = chance_of(draw.demand, draw.seed), model.stretches
    there = draw_compiled.who_is_there(
        chance, draw, model.agent_group[stretches.agent], stretches.day, stretches.ordinal
    )
    worked = attendance(model, draw, there)
    coming, leaving = np.flatnonzero(worked.there), by_end[worked.there[by_end]]
    if worked.start is not stretches.start:
        centre = centre._replace(
            stretch_start=worked.start, stretch_end=worked.end, serves_out=worked.serves_out
        )
        # Both are in order of content where instants tie.
        coming, leaving = (
            coming[np.argsort(when[coming], kind="stable")] for when in (worked.start, worked.end)
        )
    settles_less = centre.unresolved_below.any(axis=0)
    if model.agents_differ:
        works = pace(model, draw)
        centre = centre._replace(stretch_pace=works.handle_time, stretch_settles=works.resolution)
        settles_less = settles_less | bool((works.resolution < PPM).any())
    room = bool(
        held
        or chance.redial_below.any()
        or (settles_less & chance.repeats).any()
        or centre.transfer_below.any()
    )
    first_attempts = len(draw.contacts.arrival)
    length = first_attempts + (first_attempts // 4 + 64 + held if room else 0)
    rows = _rows(draw, length, varied=model.varied)
    floor = _floor(model, draw, worked, len(rows.arrival), coming, leaving)
    agenda = _agenda(model, centre, len(rows.arrival), room)
    state = np.zeros(SEEN + 1, np.int64)
    state[NOW], state[ROWS] = model.begin, first_attempts
    passed = model.begin // model.interval_us
    state[COLUMN], state[EDGE] = passed % model.open.shape[1], (passed + 1) * model.interval_us
    return Begun(state, centre, chance, rows, floor, agenda)


def with_more_room(rows: Rows, floor: Floor, agenda: Agenda) -> tuple[Rows, Floor, Agenda]:
    """The same state with room for twice the rows."""
    more = len(rows.arrival)
    return (
        Rows(*(_longer(column, 2 * more) for column in rows)),
        floor._replace(
            ahead=_longer(floor.ahead, 2 * more), behind=_longer(floor.behind, 2 * more)
        ),
        agenda._replace(
            gone_when=_longer(agenda.gone_when, 2 * more),
            gone_row=_longer(agenda.gone_row, 2 * more),
            back_when=_longer(agenda.back_when, 2 * more),
            back_row=_longer(agenda.back_row, 2 * more),
            over_when=_longer(agenda.over_when, 2 * more if len(agenda.over_when) > 1 else 1),
            over_row=_longer(agenda.over_row, 2 * more if len(agenda.over_row) > 1 else 1),
        ),
    )


def log_of(
    rows: Rows, floor: Floor, count: int, first_attempts: int, *, varied: bool
) -> ContactLog:
    """The log of a run that is over, sorted by arrival, then by content."""
    order = rows.seen[:count]

    def column(values: Any) -> Any:
        # Without redials the rows are first attempts, which are sorted.
        return values[:count] if count == first_attempts else values.take(order)

    attempt, left_queue, agent = map(column, (rows.attempt, rows.left_queue, rows.agent))
    no = np.zeros(count, bool)
    return ContactLog(
        contact_type=column(rows.contact_type),
        origin=column(rows.origin if varied else rows.contact_type),
        interval=column(rows.interval),
        ordinal=column(rows.ordinal),
        attempt=attempt,
        arrival=column(rows.arrival),
        outcome=column(rows.outcome),
        left_queue=left_queue,
        taken=np.where(agent >= 0, column(rows.taken), left_queue) if varied else left_queue,
        ended=column(rows.ended),
        agent=agent,
        last=column(rows.last),
        # Without repeats every later attempt is a redial.
        again=column(rows.again) if varied else (attempt > 0).astype(np.int8) * REDIAL,
        unresolved=column(rows.unresolved) if varied else no,
        called_back=column(rows.called_back) if varied else no,
        transferred=column(rows.transferred) if varied else no,
        cut=column(rows.cut),
        stretch_came=floor.stretch_came,
        stretch_left=floor.stretch_left,
    )


@lru_cache(maxsize=16)
def _centre(model: Model) -> tuple[Centre, Integers]:
    """A model, and its stretches by end."""
    skills, access, stretches = model.skills, model.access, model.stretches
    redials, repeats = model.redials, model.repeats
    groups_first, groups, groups_last = _end_to_end(skills.contact_priority.T)
    types_first, types, types_last = _end_to_end(skills.priority)
    type_of_place = np.repeat(np.arange(len(model.contact_types)), np.diff(groups_first))
    group_of_place = np.repeat(np.arange(len(model.groups)), np.diff(types_first))
    overflows = model.overflows
    alike = np.full(len(stretches.agent), PPM)
    centre = Centre(
        begin=model.begin,
        end=model.end,
        cut=model.cut,
        interval_us=model.interval_us,
        is_open=np.ascontiguousarray(model.open),
        head_start=model.queueing.head_start,
        ageing=model.queueing.ageing,
        carries_over=model.queueing.carries_over,
        group_of=model.agent_group,
        groups_first=groups_first,
        groups=groups,
        groups_last=groups_last,
        groups_after=skills.after[groups, type_of_place],
        groups_reserve=skills.reserve[groups, type_of_place],
        types_first=types_first,
        types=types,
        types_last=types_last,
        types_after=skills.after[group_of_place, types],
        types_reserve=skills.reserve[group_of_place, types],
        varied=model.varied,
        handle_ppm=skills.handle_ppm,
        unresolved_below=skills.unresolved_below,
        resolution_ppm=skills.resolution_ppm,
        transfer_below=skills.transfer_below,
        transfer_to=skills.transfer_to,
        transfer_ppm=skills.transfer_ppm,
        context_lost=skills.context_lost,
        transfers_at_most=skills.transfers_at_most,
        overflows_first=np.cumsum([0, *map(len, overflows)], dtype=np.int64),
        overflows=np.array([after for some in overflows for after in some], np.int64),
        queue_limit=access.queue_limit,
        line_group=access.line_group,
        closing=access.closing,
        agent_choice=access.agent_choice,
        estimate=model.announcing.estimate,
        per_waiting=model.announcing.per_waiting,
        tolerance_ppm=model.announcing.tolerance_ppm,
        callback_from=model.announcing.callback_from,
        accepted_below=model.announcing.accepted_below,
        reached_below=model.announcing.reached_below,
        dialling=model.announcing.dialling,
        ring=model.ring,
        stretch_agent=stretches.agent,
        stretch_start=stretches.start,
        stretch_end=stretches.end,
        serves_out=stretches.serves_out,
        stretch_pace=alike,
        stretch_settles=alike,
        redials_at_most=redials.at_most,
        redials_while_open=redials.while_open,
        redials_elsewhere=redials.elsewhere_ppm,
        redials_to=redials.to,
        repeats_at_most=repeats.at_most,
        repeats_while_open=repeats.while_open,
        repeats_elsewhere=repeats.elsewhere_ppm,
        repeats_to=repeats.to,
    )
    return centre, np.argsort(stretches.end, kind="stable")


def _end_to_end(priorities: Integers) -> tuple[Integers, Integers, Booleans]:
    """Indices in each row that have a priority, best first; where each row's begin.

    And whether the next one has another priority. Priority 0 is no skill.
    """
    rows = [
        sorted((priority, index) for index, priority in enumerate(row) if priority)
        for row in priorities.tolist()
    ]
    first = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    index = np.array([index for row in rows for _, index in row], dtype=np.int64)
    last = [
        number + 1 == len(row) or row[number + 1][0] != priority
        for row in rows
        for number, (priority, _) in enumerate(row)
    ]
    return first, index, np.array(last, dtype=bool)


def _rows(draw: Draw, length: int, *, varied: bool) -> Rows:
    """First attempts, and room for later ones up to a length."""
    contacts = draw.contacts

    def given(values: Integers) -> Integers:
        return _longer(values, length) if length > len(values) else values

    def empty(kind: type = np.int64) -> Any:
        return np.empty(length, kind)

    contact_type = given(contacts.contact_type)
    return Rows(
        contact_type=contact_type,
        origin=contact_type.copy() if varied else contact_type,
        interval=given(contacts.interval),
        ordinal=given(contacts.ordinal),
        attempt=np.zeros(length, np.int64),
        drawn=np.zeros(length, np.int64),
        arrival=given(contacts.arrival),
        handle_time=given(contacts.handle_time),
        patience=given(contacts.patience),
        outcome=empty(),
        left_queue=empty(),
        taken=empty(),
        ended=empty(),
        agent=empty(),
        last=empty(bool),
        again=np.zeros(length, np.int8),
        unresolved=np.zeros(length, bool),
        called_back=np.zeros(length, bool),
        transferred=np.zeros(length, bool),
        cut=np.zeros(length, bool),
        seen=empty(),
    )


def _floor(
    model: Model, draw: Draw, worked: Attendance, rows: int, coming: Integers, leaving: Integers
) -> Floor:
    """Nobody is there, nobody waits."""
    types, groups = len(model.contact_types), len(model.groups)
    agents = len(model.agent_group)
    pause, follows = np.zeros((2, len(worked.start)), np.int64)
    for before, (after, length) in pauses(model, worked).items():
        pause[before], follows[before] = length, after
    return Floor(
        ahead=np.empty(rows, np.int64),
        behind=np.empty(rows, np.int64),
        queue_first=np.full(types, -1),
        queue_last=np.full(types, -1),
        idle_before=np.full(agents, -1),
        idle_after=np.full(agents, -1),
        idle_since=np.full(agents, LATER),
        idle_first=np.full(groups, -1),
        idle_last=np.full(groups, -1),
        free=np.zeros(groups, np.int64),
        waiting=np.zeros(types, np.int64),
        last_wait=np.zeros(types, np.int64),
        free_lines=model.access.lines.copy(),
        busy=np.zeros(agents, bool),
        handled=np.zeros(agents, np.int64),
        stretch_of=np.full(agents, -1),
        stretch_came=worked.start.copy() if model.keeps_breaks.any() else worked.start,
        stretch_left=worked.start.copy(),
        pause=pause,
        follows=follows,
        comes_otherwise=np.zeros(len(pause), bool),
        coming=coming,
        leaving=leaving,
        talk_factor=np.ascontiguousarray(draw.talk_factor),
    )


def _agenda(model: Model, centre: Centre, rows: int, room: bool) -> Agenda:
    """Nothing is under way."""
    agents = len(model.agent_group)
    leaves = 1 << (max(agents, 2) - 1).bit_length()
    gone, back, over, talk, late = (
        np.empty((2, most + 1), np.int64)
        for most in (
            rows,
            rows if room else 0,
            rows if len(centre.overflows) else 0,
            int(model.access.lines.sum()),
            agents if model.keeps_breaks.any() else 0,
        )
    )
    gone[0, 0] = back[0, 0] = over[0, 0] = talk[0, 0] = late[0, 0] = LATER
    return Agenda(
        leaves,
        IDLE + np.concatenate([np.full(leaves, leaves), np.arange(leaves)]),
        np.tile(np.arange(leaves), 2),
        np.zeros(leaves, np.int64),
        *gone,
        *back,
        *over,
        *talk,
        *late,
    )


def _longer(values: Any, length: int) -> Any:
    """The same values with room behind them."""
    longer = np.empty(length, values.dtype)
    longer[: len(values)] = values
    return longer
