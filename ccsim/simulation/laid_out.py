"""What the compiled engine works on: a model, a draw and the state of a run as flat arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.draw import Draw
from ccsim.simulation.log import ContactLog
from ccsim.simulation.model import Model

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

LATER = 2**63 - 1
"""The instant of what does not happen."""


class Centre(NamedTuple):
    """A model; lists of a contact type or a group stand one behind the other."""

    begin: int
    end: int
    cut: bool
    interval_us: int
    is_open: Booleans  # (n_contact_types, n_intervals)
    head_start: Integers
    group_of: Integers  # of an agent
    groups_first: Integers  # of a contact type: where its groups begin, one more for the end
    groups: Integers  # by priority
    groups_last: Booleans  # whether the next group has another priority
    types_first: Integers  # of a group, likewise
    types: Integers
    types_last: Booleans
    stretch_agent: Integers
    stretch_start: Integers
    stretch_end: Integers
    serves_out: Booleans
    redials_at_most: Integers


class Rows(NamedTuple):
    """The contacts: first attempts, then redials as they come about."""

    contact_type: Integers
    interval: Integers
    ordinal: Integers
    attempt: Integers
    content: Integers
    arrival: Integers
    handle_time: Integers
    patience: Integers
    outcome: Integers
    left_queue: Integers
    ended: Integers
    agent: Integers
    last: Booleans
    redial_cut: Booleans
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
    busy: Booleans
    stretch_of: Integers
    stretch_left: Integers
    coming: Integers  # stretches of agents who are there, by start and by end
    leaving: Integers


class Heap(NamedTuple):
    """What is under way, the earliest first: when it happens, and what it is."""

    when: Integers
    what: Integers


def laid_out(model: Model, draw: Draw, *, room: bool) -> tuple[Centre, Rows, Floor, Heap]:
    """A model and a draw as the loop takes them, with nobody on the floor yet.

    With `room` for some redials; more is made when it is needed.
    """
    centre, by_end = _centre(model)
    stretches = model.stretches
    there = np.ones(len(stretches.agent), dtype=bool)
    stretch_group = centre.group_of[stretches.agent]
    for group in range(len(model.groups)):
        mine = np.flatnonzero(stretch_group == group)
        there[mine] = draw.present(group, stretches.day[mine], stretches.ordinal[mine])
    first_attempts = len(draw.contacts.arrival)
    rows = _rows(draw, first_attempts + (first_attempts // 4 + 64 if room else 0))
    floor = _floor(model, len(rows.arrival), np.flatnonzero(there), by_end[there[by_end]])
    # An end of service of each agent, and one more entry of each row.
    entries = len(model.agent_group) + len(rows.arrival) + 1
    return centre, rows, floor, Heap(np.empty(entries, np.int64), np.empty(entries, np.int64))


def with_more_room(rows: Rows, floor: Floor, heap: Heap) -> tuple[Rows, Floor, Heap]:
    """The same state with room for twice the rows."""
    more = len(rows.arrival)
    return (
        Rows(*(_longer(column, 2 * more) for column in rows)),
        floor._replace(
            ahead=_longer(floor.ahead, 2 * more), behind=_longer(floor.behind, 2 * more)
        ),
        Heap(*(_longer(column, len(column) + more) for column in heap)),
    )


def log_of(rows: Rows, floor: Floor, count: int, first_attempts: int) -> ContactLog:
    """The log of a run that is over, sorted by arrival, then by content."""

    def column(values: Any) -> Any:
        # Without redials the rows are first attempts, which are sorted.
        return values[:count] if count == first_attempts else values[rows.seen[:count]]

    return ContactLog(
        contact_type=column(rows.contact_type),
        interval=column(rows.interval),
        ordinal=column(rows.ordinal),
        attempt=column(rows.attempt),
        arrival=column(rows.arrival),
        outcome=column(rows.outcome),
        left_queue=column(rows.left_queue),
        ended=column(rows.ended),
        agent=column(rows.agent),
        last=column(rows.last),
        redial_cut=column(rows.redial_cut),
        stretch_left=floor.stretch_left,
    )


@lru_cache(maxsize=16)
def _centre(model: Model) -> tuple[Centre, Integers]:
    """A model, and its stretches by end."""
    groups_first, groups, groups_last = _end_to_end(model.priority.T)
    types_first, types, types_last = _end_to_end(model.priority)
    stretches = model.stretches
    centre = Centre(
        begin=model.begin,
        end=model.end,
        cut=model.cut,
        interval_us=model.interval_us,
        is_open=np.ascontiguousarray(model.open),
        head_start=model.head_start,
        group_of=model.agent_group,
        groups_first=groups_first,
        groups=groups,
        groups_last=groups_last,
        types_first=types_first,
        types=types,
        types_last=types_last,
        stretch_agent=stretches.agent,
        stretch_start=stretches.start,
        stretch_end=stretches.end,
        serves_out=stretches.serves_out,
        redials_at_most=model.redials_at_most,
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


def _rows(draw: Draw, length: int) -> Rows:
    """First attempts, and room for redials up to a length."""
    contacts = draw.contacts

    def given(values: Integers) -> Integers:
        return _longer(values, length) if length > len(values) else values

    def empty(kind: type = np.int64) -> Any:
        return np.empty(length, kind)

    return Rows(
        contact_type=given(contacts.contact_type),
        interval=given(contacts.interval),
        ordinal=given(contacts.ordinal),
        attempt=np.zeros(length, np.int64),
        content=given(contacts.content_id),
        arrival=given(contacts.arrival),
        handle_time=given(contacts.handle_time),
        patience=given(contacts.patience),
        outcome=empty(),
        left_queue=empty(),
        ended=empty(),
        agent=empty(),
        last=empty(bool),
        redial_cut=empty(bool),
        seen=empty(),
    )


def _floor(model: Model, rows: int, coming: Integers, leaving: Integers) -> Floor:
    """Nobody is there, nobody waits."""
    types, groups = len(model.contact_types), len(model.groups)
    agents = len(model.agent_group)
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
        busy=np.zeros(agents, bool),
        stretch_of=np.full(agents, -1),
        stretch_left=model.stretches.start.copy(),
        coming=coming,
        leaving=leaving,
    )


def _longer(values: Any, length: int) -> Any:
    """The same values with room behind them."""
    longer = np.empty(length, values.dtype)
    longer[: len(values)] = values
    return longer
