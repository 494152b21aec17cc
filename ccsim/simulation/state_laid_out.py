"""A state as the compiled engine takes it: filled into the arrays of a run that is about to begin.

The loop then goes on from it as it does between two calls.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.draw import Draw, content_id
from ccsim.demand.table import NEVER
from ccsim.simulation.laid_out import (
    BACKS,
    CLOSING,
    COLUMN,
    COMING,
    EDGE,
    LATER,
    LATES,
    LEAVING,
    NOW,
    OVERS,
    ROWS,
    SEEN,
    TALKS,
    WAITS,
    Agenda,
    Begun,
    Floor,
    laid_out,
)
from ccsim.simulation.model import Model
from ccsim.simulation.state import State, Underway

Integers = NDArray[np.int64]


def laid_out_from(model: Model, draw: Draw, state: State) -> Begun:
    """A model and the rest of a draw as the loop takes them, with everybody where a state has them.

    Parameters
    ----------
    model : Model
        The centre.
    draw : Draw
        As by `still_to_arrive`.
    state : State
        Who is where.
    """
    contacts, first = state.contacts, len(draw.contacts.arrival)
    held = len(contacts.arrival)
    begun = laid_out(model, draw, held)
    rows = begun.rows
    for name in rows._fields:
        if name != "seen":
            getattr(rows, name)[first : first + held] = getattr(contacts, name)
    content = np.zeros(len(rows.arrival), np.int64)
    content[first : first + held] = _content(contacts)
    arrived = held - int(state.to_come.sum())
    rows.seen[:arrived] = first + np.arange(arrived)
    _fill_floor(begun.floor, model, state, first)
    number = _fill_agenda(begun.agenda, model, state, first, content)
    number |= {
        NOW: max(state.instant, state.lasts),
        COMING: _passed(begun.centre.stretch_start[begun.floor.coming], state.instant),
        LEAVING: _passed(begun.centre.stretch_end[begun.floor.leaving], state.instant),
        CLOSING: _passed(begun.centre.closing[:, 0], state.instant),
        ROWS: first + held,
        SEEN: arrived,
    }
    passed = state.instant // model.interval_us
    number |= {
        COLUMN: passed % model.open.shape[1],
        EDGE: (passed + 1) * model.interval_us,
    }
    for place, value in number.items():
        begun.state[place] = value
    return begun


def _content(contacts: Underway) -> Integers:
    return content_id(contacts.origin, contacts.interval, contacts.ordinal) + contacts.attempt


def _passed(when: Integers, instant: int) -> int:
    """How many of a sorted stream happened before an instant."""
    return int(np.searchsorted(when, instant))


def _fill_floor(floor: Floor, model: Model, state: State, first: int) -> None:
    """Who waits, who is idle, who is there, and which lines are free."""
    contacts = state.contacts
    queue = np.flatnonzero(state.waiting)
    queue = queue[np.lexsort((_content(contacts)[queue], contacts.arrival[queue]))]
    for contact_type in range(len(model.contact_types)):
        line = first + queue[contacts.contact_type[queue] == contact_type]
        _link(floor.ahead, floor.behind, floor.queue_first, floor.queue_last, contact_type, line)
        floor.waiting[contact_type] = len(line)
    idle = np.flatnonzero(state.idle_since < NEVER)
    idle = idle[np.argsort(state.idle_since[idle], kind="stable")]
    for group in range(len(model.groups)):
        line = idle[model.agent_group[idle] == group]
        _link(floor.idle_before, floor.idle_after, floor.idle_first, floor.idle_last, group, line)
        floor.free[group] = len(line)
    floor.idle_since[idle] = state.idle_since[idle]
    floor.busy[contacts.agent[state.in_hand]] = True
    floor.handled[:] = state.handled
    floor.stretch_of[:] = state.stretch
    if model.keeps_breaks.any():
        floor.stretch_came[:] = floor.stretch_left[:] = state.came
        floor.comes_otherwise[:] = state.otherwise
    floor.last_wait[:] = state.last_wait
    holds = (state.waiting & ~contacts.called_back) | (contacts.talk_ends >= state.instant)
    lines = model.access.line_group[contacts.contact_type[holds]]
    np.subtract.at(floor.free_lines, lines[lines >= 0], 1)


def _link(
    before: Integers, after: Integers, first: Integers, last: Integers, number: int, line: Integers
) -> None:
    """Write list `number` in the order of a line."""
    if len(line):
        first[number], last[number] = line[0], line[-1]
        before[line] = [-1, *line[:-1]]
        after[line] = [*line[1:], -1]


def _fill_agenda(
    agenda: Agenda, model: Model, state: State, first: int, content: Integers
) -> dict[int, int]:
    """What is under way; how many rows there are on each heap."""
    contacts = state.contacts
    arrival, waited = contacts.arrival, state.instant - contacts.arrival
    patient = state.waiting & (contacts.patience < NEVER) & ~contacts.called_back
    over = np.full(len(arrival), LATER)
    for contact_type, overflows in enumerate(model.overflows):
        for after in reversed(overflows):
            due = state.waiting & (contacts.contact_type == contact_type) & (after >= waited)
            over[due] = arrival[due] + after
    talks = contacts.talk_ends >= state.instant
    _finish(agenda, contacts, state, first, content)
    backs = len(state.back)  # sorted, so that they are a heap
    agenda.late_when[:backs], agenda.late_stretch[:backs] = state.back.T
    return {LATES: backs} | {
        number: _heap(when, what, at[chosen], first + np.flatnonzero(chosen), content)
        for number, when, what, at, chosen in (
            (WAITS, agenda.gone_when, agenda.gone_row, arrival + contacts.patience, patient),
            (BACKS, agenda.back_when, agenda.back_row, arrival, state.to_come),
            (OVERS, agenda.over_when, agenda.over_row, over, over < LATER),
            (TALKS, agenda.talk_when, agenda.talk_row, contacts.talk_ends, talks),
        )
    }


def _heap(when: Integers, what: Integers, at: Integers, rows: Integers, content: Integers) -> int:
    """Write rows to a heap: in order of instant, then of content, they are one. How many."""
    order = np.lexsort((content[rows], at))
    when[: len(rows)], what[: len(rows)] = at[order], rows[order]
    return len(rows)


def _finish(
    agenda: Agenda, contacts: Underway, state: State, first: int, content: Integers
) -> None:
    """Write the tree of who is done when, from the leaves to the top."""
    when, who, row_of = agenda.done_when, agenda.done_who, agenda.row_of
    in_hand = np.flatnonzero(state.in_hand)
    agent = contacts.agent[in_hand]
    row_of[agent] = first + in_hand
    when[agenda.leaves + agent] = contacts.ended[in_hand]
    begin = agenda.leaves
    while begin > 1:
        left, right = np.arange(begin, 2 * begin).reshape(-1, 2).T
        sooner = when[right] < when[left]
        tied = np.flatnonzero(when[right] == when[left])  # of busy agents only
        mine, others = (content[row_of[who[side[tied]]]] for side in (left, right))
        sooner[tied] = others < mine
        best = np.where(sooner, right, left)
        begin //= 2
        when[begin : 2 * begin], who[begin : 2 * begin] = when[best], who[best]
