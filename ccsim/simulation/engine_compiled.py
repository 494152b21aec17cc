"""The compiled engine: what `reference.py` says, played by a loop in machine code.

Same model, same draw, same log, `==` by `==`; the reference is the specification, docs/order.md the
order.

What is known beforehand needs no agenda: first attempts, agents who come and agents who leave are
three sorted streams. What is under way is kept by rank: ends of service in a tree with a place for
each agent, ends of patience and redials on a heap each. Who waits and who is idle stand in linked
lists, in the order in which they are taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ccsim.demand.chance import DELAY, PATIENCE, PATIENCE_KEY, REDIAL_KEY
from ccsim.demand.chance_compiled import looked_up, random_words
from ccsim.demand.draw import INTERVAL_ORIGIN, Draw
from ccsim.demand.machine_code_compiled import compiled
from ccsim.demand.table import NEVER
from ccsim.simulation.laid_out import (
    ARRIVAL,
    BACKS,
    COLUMN,
    COMING,
    EDGE,
    IDLE,
    LATER,
    LEAVING,
    NOW,
    ROWS,
    SEEN,
    WAITS,
    Begun,
    laid_out,
    log_of,
    with_more_room,
)
from ccsim.simulation.log import ContactLog
from ccsim.simulation.model import Model

_EVENTS_AT_A_TIME = 1 << 21
"""Events between two looks at the keyboard: a fraction of a second."""

# Outcomes as in `Outcome`; the ranks are the order of the branches in `_play`.
_ANSWERED, _ABANDONED, _CLOSED, _WAITING = 0, 1, 2, 3

_NEVER = int(NEVER)
_LATER = int(LATER)
_IDLE = int(IDLE)

_DONE, _MORE_EVENTS, _MORE_ROWS = 0, 1, 2

# Of the fields, constants and passes that come from elsewhere. Kept machine code goes by its own
# file alone; tests hold this number, so that the file changes with what it takes from others.
_LAYOUT = 0x421861E2


@compiled
def _content(rows: Any, row: Any) -> Any:
    """`Contacts.content_id`, and one more for each attempt."""
    place = rows.contact_type[row] << 20 | rows.interval[row] + INTERVAL_ORIGIN
    return ((place << 24 | rows.ordinal[row]) << 8) + rows.attempt[row]


@compiled
def _before(rows: Any, time: Any, row: Any, other_time: Any, other: Any) -> Any:
    """Whether what happens to a row comes before what happens to another, of the same rank."""
    if time != other_time:
        return time < other_time
    return _content(rows, row) < _content(rows, other)


@compiled
def _begin(agenda: Any, rows: Any, agent: Any, time: Any) -> None:
    """Note when an idle agent will be done: in the tree up to where somebody is sooner."""
    one = np.uint64(1)
    place = np.uint64(agenda.leaves + agent)
    agenda.done_when[place] = time
    place >>= one
    while place:
        mine, its = agenda.row_of[agent], agenda.row_of[agenda.done_who[place]]
        if _before(rows, agenda.done_when[place], its, time, mine):
            break
        agenda.done_when[place], agenda.done_who[place] = time, agent
        place >>= one


@compiled
def _settle(agenda: Any, rows: Any, agent: Any, time: Any) -> None:
    """Note when the agent who was done first will be done next: up to the top of the tree."""
    one = np.uint64(1)
    place = np.uint64(agenda.leaves + agent)
    agenda.done_when[place] = time
    while place > one:
        beside = place ^ one
        other = agenda.done_who[beside]
        later = agenda.done_when[beside] - time
        difference = later
        if later == 0:
            mine, its = agenda.row_of[agent], agenda.row_of[other]
            later -= np.int64(_content(rows, its) < _content(rows, mine))
        mask = later >> 63  # all ones if the other is first: a branch would be guessed wrong
        time += difference & mask
        agent += (other - agent) & mask
        place >>= one
        agenda.done_when[place], agenda.done_who[place] = time, agent


@compiled
def _put(when: Any, what: Any, rows: Any, size: Any, time: Any, row: Any) -> Any:
    """Put a row on a heap; its new size."""
    one = np.uint64(1)
    place = np.uint64(size)
    while place:
        above = (place - one) >> one
        if _before(rows, when[above], what[above], time, row):
            break
        when[place], what[place] = when[above], what[above]
        place = above
    when[place], what[place] = time, row
    return size + 1


@compiled
def _replace_first(when: Any, what: Any, rows: Any, size: Any, time: Any, row: Any) -> None:
    """Put a row on a heap in the place of the first one."""
    one, count = np.uint64(1), np.uint64(size)
    place, child = np.uint64(0), np.uint64(1)
    while child < count:
        other = child + one
        if other < count:  # added, as a branch would be guessed wrong half the time
            child += np.uint64(_before(rows, when[other], what[other], when[child], what[child]))
        if _before(rows, time, row, when[child], what[child]):
            break
        when[place], what[place] = when[child], what[child]
        place, child = child, child + child + one
    when[place], what[place] = time, row


@compiled
def _drop_first(when: Any, what: Any, rows: Any, size: Any) -> Any:
    """Take the first row off a heap; its new size."""
    size -= 1
    if size:
        _replace_first(when, what, rows, size, when[size], what[size])
    else:
        when[0] = _LATER
    return size


@compiled
def _link(
    before: Any, after: Any, first: Any, last: Any, number: Any, item: Any, left: Any
) -> None:
    """Put an item into list `number`, after the item `left` (-1: in front of all)."""
    right = after[left] if left >= 0 else first[number]
    before[item], after[item] = left, right
    if left >= 0:
        after[left] = item
    else:
        first[number] = item
    if right >= 0:
        before[right] = item
    else:
        last[number] = item


@compiled
def _unlink(before: Any, after: Any, first: Any, last: Any, number: Any, item: Any) -> None:
    """Take an item out of list `number`."""
    left, right = before[item], after[item]
    if left >= 0:
        after[left] = right
    else:
        first[number] = right
    if right >= 0:
        before[right] = left
    else:
        last[number] = left


@compiled
def _next_contact(centre: Any, floor: Any, rows: Any, group: Any) -> Any:
    """Find the waiting contact of best priority, then of longest wait with head start, or -1."""
    best = -1
    best_key = _LATER
    for place in range(centre.types_first[group], centre.types_first[group + 1]):
        contact_type = centre.types[place]
        row = floor.queue_first[contact_type]
        if row >= 0:
            key = rows.arrival[row] - centre.head_start[contact_type]
            if key < best_key or (key == best_key and _content(rows, row) < _content(rows, best)):
                best, best_key = row, key
        if best >= 0 and centre.types_last[place]:
            break
    return best


@compiled
def _free_agent(centre: Any, floor: Any, contact_type: Any) -> Any:
    """Find the free agent of best priority, then idle for longest, or -1."""
    best = -1
    for place in range(centre.groups_first[contact_type], centre.groups_first[contact_type + 1]):
        agent = floor.idle_first[centre.groups[place]]
        if agent >= 0 and (
            best < 0
            or floor.idle_since[agent] < floor.idle_since[best]
            or (floor.idle_since[agent] == floor.idle_since[best] and agent < best)
        ):
            best = agent
        if best >= 0 and centre.groups_last[place]:
            break
    return best


@compiled
def _redials(centre: Any, chance: Any, rows: Any, row: Any, new: Any, now: Any, member: Any) -> Any:
    """Whether who gave up calls again; her next attempt is then written to a new row."""
    contact_type = rows.contact_type[row]
    high = (np.uint64(member) << np.uint64(32)) | np.uint64(rows.interval[row] & 0xFFFFFFFF)
    low = (np.uint64(rows.ordinal[row]) << np.uint64(32)) | (
        np.uint64(rows.attempt[row]) << np.uint64(16)
    )
    first, second = chance.keys[contact_type, REDIAL_KEY]
    again, delay = random_words(first, second, high, low)
    if np.int64(again >> np.uint64(11)) >= chance.redial_below[contact_type]:
        return False
    when = now + looked_up(chance, 4 * contact_type + DELAY, delay)
    if rows.attempt[row] >= centre.redials_at_most[contact_type] or when >= centre.end:
        rows.redial_cut[row] = True
        return False
    low += np.uint64(1 << 16)  # the next attempt's
    first, second = chance.keys[contact_type, PATIENCE_KEY]
    patience, _ = random_words(first, second, high, low)
    rows.last[row] = False
    rows.contact_type[new] = contact_type
    rows.interval[new] = rows.interval[row]
    rows.ordinal[new] = rows.ordinal[row]
    rows.attempt[new] = rows.attempt[row] + 1
    rows.arrival[new] = when
    rows.handle_time[new] = rows.handle_time[row]
    rows.patience[new] = looked_up(chance, 4 * contact_type + PATIENCE, patience)
    return True


@compiled
def _play(
    state: Any, events: Any, centre: Any, chance: Any, rows: Any, floor: Any, agenda: Any,
    first_attempts: Any, member: Any,
) -> Any:  # fmt: skip
    """Play on, until nothing is left to happen, so many events have, or a redial finds no room.

    All that has happened is in the arrays, so that the loop goes on where it was when called again.
    """
    is_open, group_of = centre.is_open, centre.group_of
    stretch_agent, stretch_start = centre.stretch_agent, centre.stretch_start
    stretch_end, serves_out = centre.stretch_end, centre.serves_out
    type_of, arrival = rows.contact_type, rows.arrival
    handle_time, patience = rows.handle_time, rows.patience
    outcome, left_queue, ended, agent_of = rows.outcome, rows.left_queue, rows.ended, rows.agent
    last, redial_cut, order = rows.last, rows.redial_cut, rows.seen
    ahead, behind = floor.ahead, floor.behind
    queue_first, queue_last = floor.queue_first, floor.queue_last
    idle_before, idle_after, idle_since = floor.idle_before, floor.idle_after, floor.idle_since
    idle_first, idle_last = floor.idle_first, floor.idle_last
    busy, stretch_of, stretch_left = floor.busy, floor.stretch_of, floor.stretch_left
    coming, leaving, below = floor.coming, floor.leaving, chance.redial_below
    done_when, done_who, row_of = agenda.done_when, agenda.done_who, agenda.row_of
    gone_when, gone_row = agenda.gone_when, agenda.gone_row
    back_when, back_row = agenda.back_when, agenda.back_row

    now, next_arrival = state[NOW], state[ARRIVAL]
    next_coming, next_leaving = state[COMING], state[LEAVING]
    count, seen, waits, backs = state[ROWS], state[SEEN], state[WAITS], state[BACKS]
    column, edge = state[COLUMN], state[EDGE]
    interval_us, columns = centre.interval_us, is_open.shape[1]
    until = centre.end if centre.cut else _IDLE
    verdict = _MORE_EVENTS
    latest = state[NOW]  # end of a patience: an event, even of who was answered long ago

    arrives = arrival[next_arrival] if next_arrival < first_attempts else _LATER
    comes = stretch_start[coming[next_coming]] if next_coming < coming.size else _LATER
    leaves = stretch_end[leaving[next_leaving]] if next_leaving < leaving.size else _LATER
    for _ in range(events):
        done, gives_up, returns = done_when[1], gone_when[0], back_when[0]
        time = min(done, arrives, gives_up, returns, comes, leaves)
        if time >= until:
            verdict = _DONE
            break

        # In the order of the ranks.
        if done == time:
            agent = done_who[1]
            busy[agent] = False
        elif leaves == time:
            stretch = leaving[next_leaving]
            agent = stretch_agent[stretch]
            if stretch_of[agent] == stretch and idle_since[agent] != _LATER:
                _unlink(idle_before, idle_after, idle_first, idle_last, group_of[agent], agent)
                idle_since[agent] = _LATER
                stretch_left[stretch] = time
            next_leaving += 1
            leaves = stretch_end[leaving[next_leaving]] if next_leaving < leaving.size else _LATER
            now = time
            continue
        elif comes == time:
            stretch = coming[next_coming]
            agent = stretch_agent[stretch]
            next_coming += 1
            comes = stretch_start[coming[next_coming]] if next_coming < coming.size else _LATER
            now = time
            if busy[agent]:  # The last contact went on through the whole break.
                stretch_left[stretch_of[agent]] = now
                stretch_of[agent] = stretch
                continue
            stretch_of[agent] = stretch
        elif gives_up == time:
            again = False
            row = gone_row[0]
            if outcome[row] == _WAITING:
                contact_type = type_of[row]
                if below[contact_type]:
                    if count == arrival.size:
                        verdict = _MORE_ROWS
                        break
                    again = _redials(centre, chance, rows, row, count, time, member)
                outcome[row], agent_of[row] = _ABANDONED, -1
                left_queue[row] = ended[row] = time
                _unlink(ahead, behind, queue_first, queue_last, contact_type, row)
            now = time
            waits = _drop_first(gone_when, gone_row, rows, waits)
            if again:
                backs = _put(back_when, back_row, rows, backs, arrival[count], count)
                count += 1
            continue
        else:
            now = time
            row = back_row[0]
            if returns == time and (
                arrives != time or _content(rows, row) < _content(rows, next_arrival)
            ):
                backs = _drop_first(back_when, back_row, rows, backs)
            else:
                row = next_arrival
                next_arrival += 1
                arrives = arrival[next_arrival] if next_arrival < first_attempts else _LATER
            order[seen] = row
            seen += 1
            last[row], redial_cut[row] = True, False
            contact_type = type_of[row]
            while now >= edge:
                column, edge = column + 1, edge + interval_us
                column = 0 if column == columns else column
            if not is_open[contact_type, column]:
                outcome[row], agent_of[row] = _CLOSED, -1
                left_queue[row] = ended[row] = now
                continue
            agent = _free_agent(centre, floor, contact_type)
            if agent < 0:
                outcome[row], agent_of[row] = _WAITING, -1
                # Whoever arrives at one instant does so in order of content, redials too.
                left = queue_last[contact_type]
                _link(ahead, behind, queue_first, queue_last, contact_type, row, left)
                if patience[row] < _NEVER:
                    ends = now + patience[row]
                    latest = max(latest, ends)
                    if waits and outcome[gone_row[0]] != _WAITING:  # who was answered makes room
                        _replace_first(gone_when, gone_row, rows, waits, ends, row)
                    else:
                        waits = _put(gone_when, gone_row, rows, waits, ends, row)
                continue
            _unlink(idle_before, idle_after, idle_first, idle_last, group_of[agent], agent)
            idle_since[agent] = _LATER
            busy[agent] = True
            ends = now + handle_time[row]
            outcome[row], agent_of[row] = _ANSWERED, agent
            left_queue[row], ended[row] = now, min(ends, until)
            row_of[agent] = row
            _begin(agenda, rows, agent, ends)
            continue

        # An agent is free: she takes the next contact, or leaves when it is time, or is idle.
        now = time
        group, stretch = group_of[agent], stretch_of[agent]
        over = now >= stretch_end[stretch]
        row = -1
        if not over or serves_out[stretch]:
            row = _next_contact(centre, floor, rows, group)
        if row >= 0:
            _unlink(ahead, behind, queue_first, queue_last, type_of[row], row)
            busy[agent] = True
            ends = now + handle_time[row]
            outcome[row], agent_of[row] = _ANSWERED, agent
            left_queue[row], ended[row] = now, min(ends, until)
            row_of[agent] = row
            _settle(agenda, rows, agent, ends)
            continue
        if done == time:
            _settle(agenda, rows, agent, _IDLE + agent)
        if over:
            stretch_left[stretch] = now
        else:
            left = idle_last[group]
            while left >= 0 and idle_since[left] == now and left > agent:
                left = idle_before[left]
            _link(idle_before, idle_after, idle_first, idle_last, group, agent, left)
            idle_since[agent] = now

    state[NOW], state[ARRIVAL] = max(now, latest), next_arrival
    state[COMING], state[LEAVING] = next_coming, next_leaving
    state[ROWS], state[SEEN], state[WAITS], state[BACKS] = count, seen, waits, backs
    state[COLUMN], state[EDGE] = column, edge
    return verdict


@compiled
def _close(rows: Any, floor: Any, end: Any) -> None:
    """What has not ended by the end of the run ends with it."""
    for contact_type in range(floor.queue_first.size):
        row = floor.queue_first[contact_type]
        while row >= 0:
            rows.left_queue[row] = rows.ended[row] = end
            row = floor.behind[row]
    for agent in range(floor.busy.size):
        stretch = floor.stretch_of[agent]
        if stretch >= 0 and (floor.busy[agent] or floor.idle_since[agent] != _LATER):
            floor.stretch_left[stretch] = end


def run(model: Model, draw: Draw) -> ContactLog:
    """Play one replication in machine code: the log of `reference.run`, number by number."""
    return play(laid_out(model, draw), model, draw)


def play(begun: Begun, model: Model, draw: Draw) -> ContactLog:
    """Play a run that was laid out."""
    state, centre, chance, rows, floor, agenda = begun
    verdict = _MORE_EVENTS
    while verdict != _DONE:
        if verdict == _MORE_ROWS:
            rows, floor, agenda = with_more_room(rows, floor, agenda)
        verdict = _play(
            state, _EVENTS_AT_A_TIME, centre, chance, rows, floor, agenda,
            len(draw.contacts.arrival), draw.replication,
        )  # fmt: skip
    end = model.end if model.cut else int(state[NOW])
    _close(rows, floor, end)
    return log_of(rows, floor, int(state[ROWS]), len(draw.contacts.arrival))
