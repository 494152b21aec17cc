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

from ccsim.demand.draw import Draw
from ccsim.demand.machine_code_compiled import compiled
from ccsim.demand.table import NEVER
from ccsim.simulation.agenda_compiled import (
    begin,
    comes_back,
    content,
    drop_first,
    drop_moment,
    link,
    put,
    replace_first,
    settle,
    unlink,
)
from ccsim.simulation.attempts_compiled import (
    callback,
    is_passed_on,
    passes_on,
    redials,
    repeats,
    scaled,
    unresolved_below,
    wrap_up_of,
)
from ccsim.simulation.laid_out import (
    ARRIVAL,
    BACKS,
    CLOSING,
    COLUMN,
    COMING,
    EDGE,
    IDLE,
    LATER,
    LATES,
    LEAVING,
    NOW,
    OVERS,
    ROWS,
    SEEN,
    TALKS,
    WAITS,
    Begun,
    laid_out,
    log_of,
    with_more_room,
)
from ccsim.simulation.log import ContactLog
from ccsim.simulation.model import Model
from ccsim.simulation.routing_compiled import LONGEST_IDLE, another, free_agent, next_contact
from ccsim.simulation.state import State, still_to_arrive
from ccsim.simulation.state_laid_out import laid_out_from

_EVENTS_AT_A_TIME = 1 << 21
"""Events between two looks at the keyboard: a fraction of a second."""

# Outcomes as in `Outcome`; the ranks are the order of the branches in `_play`.
_ANSWERED, _ABANDONED, _CLOSED, _WAITING, _BLOCKED, _CLEARED, _BALKED, _UNREACHED = range(8)

# As in `ccsim.simulation.pace`.
_PPM = 1_000_000
_MOST_PPM = 100 * _PPM

_NEVER = int(NEVER)
_LATER = int(LATER)
_IDLE = int(IDLE)

_DONE, _MORE_EVENTS, _MORE_ROWS = 0, 1, 2

# Of the fields, constants and passes that come from elsewhere. Kept machine code goes by its own
# file alone; tests hold this number, so that the file changes with what it takes from others.
_LAYOUT = 0xF44AD382


@compiled
def _play(
    state: Any, events: Any, centre: Any, chance: Any, rows: Any, floor: Any, agenda: Any,
    first_attempts: Any, grows: Any, varied: Any, member: Any,
) -> Any:  # fmt: skip
    """Play on, until nothing is left to happen, so many events have, or there is no room for more.

    All that has happened is in the arrays, so that the loop goes on where it was when called again.
    Where `varied` is None there are contact types, groups with priorities, stretches, patience and
    redials, and nothing else: it is compiled for that by itself, and all else costs it nothing.
    """
    is_open, group_of, line_group = centre.is_open, centre.group_of, centre.line_group
    stretch_agent, stretch_start = centre.stretch_agent, centre.stretch_start
    stretch_end, serves_out, closing = centre.stretch_end, centre.serves_out, centre.closing
    stretch_pace, stretch_settles = centre.stretch_pace, centre.stretch_settles
    over_first, overflows = centre.overflows_first, centre.overflows
    type_of, arrival = rows.contact_type, rows.arrival
    handle_time, patience = rows.handle_time, rows.patience
    outcome, left_queue, ended, agent_of = rows.outcome, rows.left_queue, rows.ended, rows.agent
    ahead, behind, waiting = floor.ahead, floor.behind, floor.waiting
    queue_first, queue_last = floor.queue_first, floor.queue_last
    idle_before, idle_after, idle_since = floor.idle_before, floor.idle_after, floor.idle_since
    idle_first, idle_last, free = floor.idle_first, floor.idle_last, floor.free
    busy, stretch_of, stretch_left = floor.busy, floor.stretch_of, floor.stretch_left
    coming, leaving, free_lines = floor.coming, floor.leaving, floor.free_lines
    done_when, done_who, row_of = agenda.done_when, agenda.done_who, agenda.row_of
    gone_when, gone_row = agenda.gone_when, agenda.gone_row
    back_when, back_row = agenda.back_when, agenda.back_row
    over_when, over_row = agenda.over_when, agenda.over_row
    talk_when, talk_row = agenda.talk_when, agenda.talk_row
    late_when, late_stretch = agenda.late_when, agenda.late_stretch

    now, next_arrival = state[NOW], state[ARRIVAL]
    next_coming, next_leaving, next_closing = state[COMING], state[LEAVING], state[CLOSING]
    count, seen, waits, backs = state[ROWS], state[SEEN], state[WAITS], state[BACKS]
    overs, talks, lates = state[OVERS], state[TALKS], state[LATES]
    column, edge = state[COLUMN], state[EDGE]
    interval_us, columns = centre.interval_us, is_open.shape[1]
    until = centre.end if centre.cut else _IDLE
    full = arrival.size if grows else -1
    verdict = _MORE_EVENTS
    latest = state[NOW]  # end of a patience: an event, even of who was answered long ago

    arrives = arrival[next_arrival] if next_arrival < first_attempts else _LATER
    comes = stretch_start[coming[next_coming]] if next_coming < coming.size else _LATER
    leaves = stretch_end[leaving[next_leaving]] if next_leaving < leaving.size else _LATER
    closes = closing[next_closing, 0] if next_closing < closing.shape[0] else _LATER
    rare = min(closes, over_when[0], late_when[0])
    for _ in range(events):
        done, gives_up, returns = done_when[1], gone_when[0], back_when[0]
        time = min(done, arrives, gives_up, returns, comes, leaves)
        if varied is not None:
            time = min(time, rare)
        if time >= until:
            verdict = _DONE
            break
        if count == full:
            verdict = _MORE_ROWS
            break
        now = time
        row = -1

        # In the order of the ranks: who is free, and perhaps whom she answers.
        if done == now:
            agent = done_who[1]
            busy[agent] = False
        elif leaves == now:
            stretch = leaving[next_leaving]
            agent = stretch_agent[stretch]
            next_leaving += 1
            leaves = stretch_end[leaving[next_leaving]] if next_leaving < leaving.size else _LATER
            if stretch_of[agent] != stretch or idle_since[agent] == _LATER:
                continue
            group = group_of[agent]
            unlink(idle_before, idle_after, idle_first, idle_last, group, agent)
            idle_since[agent] = _LATER
            free[group] -= 1
            if varied is not None and serves_out[stretch]:
                row = next_contact(centre, floor, rows, group, now, True, varied)
            if row < 0:
                stretch_left[stretch] = now
                continue
            unlink(ahead, behind, queue_first, queue_last, type_of[row], row)
            waiting[type_of[row]] -= 1
        elif (
            varied is not None
            and late_when[0] == now
            and (comes != now or late_stretch[0] < coming[next_coming])
        ):
            stretch = late_stretch[0]
            lates = drop_moment(late_when, late_stretch, lates)
            rare = min(closes, over_when[0], late_when[0])
            agent = stretch_agent[stretch]
            stretch_of[agent], floor.stretch_came[stretch] = stretch, now
        elif comes == now:
            stretch = coming[next_coming]
            agent = stretch_agent[stretch]
            next_coming += 1
            comes = stretch_start[coming[next_coming]] if next_coming < coming.size else _LATER
            if varied is not None:
                # The break before it is not over, or has not begun.
                begins = busy[agent] and floor.pause[stretch_of[agent]] > 0
                if floor.comes_otherwise[stretch] or begins:
                    continue
            if busy[agent]:  # The last contact went on through the whole break.
                stretch_left[stretch_of[agent]] = now
                stretch_of[agent] = stretch
                continue
            stretch_of[agent] = stretch
        elif varied is not None and over_when[0] == now:
            row = over_row[0]
            overs = drop_first(over_when, over_row, rows, overs)
            contact_type = type_of[row]
            agent = -1
            if outcome[row] == _WAITING and agent_of[row] < 0:
                waited = now - arrival[row]
                agent = free_agent(centre, floor, contact_type, waited, varied)
                if agent >= 0 and centre.agent_choice[contact_type] != LONGEST_IDLE:
                    agent = another(centre, chance, floor, rows, row, waited, agent, member)
                if agent < 0:
                    for place in range(over_first[contact_type], over_first[contact_type + 1]):
                        due = arrival[row] + overflows[place]
                        if due > now:
                            overs = put(over_when, over_row, rows, overs, due, row)
                            break
            rare = min(closes, over_when[0], late_when[0])
            if agent < 0:
                continue
            unlink(ahead, behind, queue_first, queue_last, contact_type, row)
            waiting[contact_type] -= 1
            unlink(idle_before, idle_after, idle_first, idle_last, group_of[agent], agent)
            idle_since[agent] = _LATER
            free[group_of[agent]] -= 1
        elif gives_up == now:
            row = gone_row[0]
            waits = drop_first(gone_when, gone_row, rows, waits)
            if outcome[row] == _WAITING:
                contact_type = type_of[row]
                outcome[row], agent_of[row] = _ABANDONED, -1
                left_queue[row] = ended[row] = now
                unlink(ahead, behind, queue_first, queue_last, contact_type, row)
                waiting[contact_type] -= 1
                if varied is not None and line_group[contact_type] >= 0:
                    free_lines[line_group[contact_type]] += 1
                if redials(centre, chance, floor, rows, row, count, now, member):
                    backs = put(back_when, back_row, rows, backs, arrival[count], count)
                    count += 1
            continue
        elif varied is not None and closes == now:
            contact_type = closing[next_closing, 1]
            next_closing += 1
            closes = closing[next_closing, 0] if next_closing < closing.shape[0] else _LATER
            rare = min(closes, over_when[0], late_when[0])
            row = queue_first[contact_type]
            while row >= 0:
                outcome[row], agent_of[row] = _CLEARED, -1
                left_queue[row] = ended[row] = now
                if line_group[contact_type] >= 0 and not rows.called_back[row]:
                    free_lines[line_group[contact_type]] += 1
                row = behind[row]
            queue_first[contact_type] = queue_last[contact_type] = -1
            waiting[contact_type] = 0
            continue
        else:
            row = back_row[0]
            if returns == now and (
                arrives != now or content(rows, row) < content(rows, next_arrival)
            ):
                backs = drop_first(back_when, back_row, rows, backs)
            else:
                row = next_arrival
                next_arrival += 1
                arrives = arrival[next_arrival] if next_arrival < first_attempts else _LATER
            rows.seen[seen] = row
            seen += 1
            rows.last[row] = True
            contact_type = type_of[row]
            while now >= edge:
                column, edge = column + 1, edge + interval_us
                column = 0 if column == columns else column
            if not is_open[contact_type, column]:
                outcome[row], agent_of[row] = _CLOSED, -1
                left_queue[row] = ended[row] = now
                continue
            if varied is None:
                agent = free_agent(centre, floor, contact_type, 0, varied)
            else:
                agent = -1
                lines = line_group[contact_type]
                if lines >= 0:
                    while talk_when[0] <= now:
                        free_lines[line_group[type_of[talk_row[0]]]] += 1
                        talks = drop_first(talk_when, talk_row, rows, talks)
                blocked = lines >= 0 and free_lines[lines] == 0
                if not blocked:
                    agent = free_agent(centre, floor, contact_type, 0, varied)
                    full_queue = waiting[contact_type] >= centre.queue_limit[contact_type]
                    blocked = agent < 0 and full_queue
                if blocked:
                    outcome[row], agent_of[row] = _BLOCKED, -1
                    left_queue[row] = ended[row] = now
                    if redials(centre, chance, floor, rows, row, count, now, member):
                        backs = put(back_when, back_row, rows, backs, arrival[count], count)
                        count += 1
                    continue
                if lines >= 0:
                    free_lines[lines] -= 1
                if agent >= 0 and centre.agent_choice[contact_type] != LONGEST_IDLE:
                    agent = another(centre, chance, floor, rows, row, 0, agent, member)
            if agent < 0:
                stays = patience[row]
                if varied is not None and centre.estimate[contact_type] >= 0:
                    told = floor.last_wait[contact_type]
                    if centre.estimate[contact_type] > 0:
                        told = (waiting[contact_type] + 1) * centre.per_waiting[contact_type]
                    accepts = _LATER
                    if told >= centre.callback_from[contact_type]:
                        accepts, _ = callback(chance, rows, row, member)
                    tolerance = centre.tolerance_ppm[contact_type]
                    if accepts < centre.accepted_below[contact_type]:
                        rows.called_back[row], stays = True, _NEVER
                        if lines >= 0:
                            free_lines[lines] += 1
                    elif tolerance and stays < _NEVER and told > scaled(stays, tolerance):
                        outcome[row], agent_of[row] = _BALKED, -1
                        left_queue[row] = ended[row] = now
                        if lines >= 0:
                            free_lines[lines] += 1
                        if redials(centre, chance, floor, rows, row, count, now, member):
                            backs = put(back_when, back_row, rows, backs, arrival[count], count)
                            count += 1
                        continue
                outcome[row], agent_of[row] = _WAITING, -1
                # Whoever arrives at one instant does so in order of content, later attempts too.
                left = queue_last[contact_type]
                link(ahead, behind, queue_first, queue_last, contact_type, row, left)
                waiting[contact_type] += 1
                if stays < _NEVER:
                    ends = now + stays
                    latest = max(latest, ends)
                    if waits and outcome[gone_row[0]] != _WAITING:  # who was answered makes room
                        replace_first(gone_when, gone_row, rows, waits, ends, row)
                    else:
                        waits = put(gone_when, gone_row, rows, waits, ends, row)
                if varied is not None and (over_first[contact_type] < over_first[contact_type + 1]):
                    due = now + overflows[over_first[contact_type]]
                    overs = put(over_when, over_row, rows, overs, due, row)
                    rare = min(closes, over_when[0], late_when[0])
                continue
            unlink(idle_before, idle_after, idle_first, idle_last, group_of[agent], agent)
            idle_since[agent] = _LATER
            free[group_of[agent]] -= 1

        group = group_of[agent]
        if row < 0:  # She takes the next contact, or leaves when it is time, or is idle.
            stretch = stretch_of[agent]
            over = now >= stretch_end[stretch]
            if not over or serves_out[stretch]:
                row = next_contact(centre, floor, rows, group, now, over, varied)
            if row < 0:
                if done == now:
                    settle(agenda, rows, agent, _IDLE + agent)
                if over:
                    stretch_left[stretch] = now
                    if varied is not None and floor.pause[stretch] and now > stretch_end[stretch]:
                        lates = comes_back(
                            floor, stretch_end, late_when, late_stretch, lates, stretch, now
                        )
                        rare = min(closes, over_when[0], late_when[0])
                    continue
                left = idle_last[group]
                while left >= 0 and idle_since[left] == now and left > agent:
                    left = idle_before[left]
                link(idle_before, idle_after, idle_first, idle_last, group, agent, left)
                idle_since[agent] = now
                free[group] += 1
                continue
            unlink(ahead, behind, queue_first, queue_last, type_of[row], row)
            waiting[type_of[row]] -= 1

        # She answers, or it rings in vain.
        contact_type = type_of[row]
        picked_up, ends, became = now, now + handle_time[row], _ANSWERED
        if varied is not None:
            floor.last_wait[contact_type] = now - arrival[row]
            if rows.called_back[row]:
                picked_up = now + centre.dialling[contact_type]
                _, answers = callback(chance, rows, row, member)
                if answers >= centre.reached_below[contact_type]:
                    became = _UNREACHED
            else:
                picked_up = now + centre.ring[group]
                if patience[row] < _NEVER and arrival[row] + patience[row] < picked_up:
                    picked_up, became = arrival[row] + patience[row], _ABANDONED
            on_a_line = line_group[contact_type] >= 0 and not rows.called_back[row]
            ends, wrap_up, more = picked_up, 0, False
            if picked_up >= until:
                became = _WAITING  # the end of the run comes first
            elif became == _ABANDONED:
                more = redials(centre, chance, floor, rows, row, count, picked_up, member)
            elif became == _ANSWERED:
                stretch = stretch_of[agent]
                own = stretch_pace[stretch]
                handle_ppm = min(scaled(centre.handle_ppm[group, contact_type], own), _MOST_PPM)
                work = scaled(handle_time[row], handle_ppm)
                if on_a_line:
                    wrap_up = scaled(wrap_up_of(chance, rows, row, member), handle_ppm)
                below = centre.transfer_below[group, contact_type]
                if is_passed_on(chance, rows, row, below, member):
                    shorter = centre.transfer_ppm[group, contact_type]
                    work, wrap_up = scaled(work, shorter), scaled(wrap_up, shorter)
                    ends += work
                    more = passes_on(centre, chance, floor, rows, row, count, ends, group, member)
                else:
                    ends += work
                    below = centre.unresolved_below[group, contact_type]
                    if stretch_settles[stretch] != _PPM:
                        resolution = centre.resolution_ppm[group, contact_type]
                        below = unresolved_below(resolution, stretch_settles[stretch])
                    if below:
                        more = repeats(centre, chance, floor, rows, row, count, ends, below, member)
            if on_a_line:
                silent = max(picked_up, ends - wrap_up)
                talks = put(talk_when, talk_row, rows, talks, silent, row)
            if more:
                backs = put(back_when, back_row, rows, backs, arrival[count], count)
                count += 1
            floor.handled[agent] += ends - now
            rows.taken[row], picked_up = now, min(picked_up, until)
        busy[agent] = True
        outcome[row], agent_of[row] = became, agent
        left_queue[row], ended[row] = picked_up, min(ends, until)
        row_of[agent] = row
        if done == now:
            settle(agenda, rows, agent, ends)
        else:
            begin(agenda, rows, agent, ends)

    state[NOW], state[ARRIVAL] = max(now, latest), next_arrival
    state[COMING], state[LEAVING], state[CLOSING] = next_coming, next_leaving, next_closing
    state[ROWS], state[SEEN], state[WAITS], state[BACKS] = count, seen, waits, backs
    state[OVERS], state[TALKS], state[LATES] = overs, talks, lates
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


def run(model: Model, draw: Draw, state: State | None = None) -> ContactLog:
    """Play one replication in machine code: the log of `reference.run`, number by number."""
    if state is None:
        return play(laid_out(model, draw), model, draw)
    draw = still_to_arrive(draw, state)
    return play(laid_out_from(model, draw, state), model, draw)


def play(begun: Begun, model: Model, draw: Draw) -> ContactLog:
    """Play a run that was laid out."""
    state, centre, chance, rows, floor, agenda = begun
    verdict, varied = _MORE_EVENTS, True if centre.varied else None
    while verdict != _DONE:
        if verdict == _MORE_ROWS:
            rows, floor, agenda = with_more_room(rows, floor, agenda)
        verdict = _play(
            state, _EVENTS_AT_A_TIME, centre, chance, rows, floor, agenda,
            len(draw.contacts.arrival), len(agenda.back_when) > 1, varied, draw.replication,
        )  # fmt: skip
    end = model.end if model.cut else int(state[NOW])
    _close(rows, floor, end)
    count = int(state[ROWS])
    return log_of(rows, floor, count, len(draw.contacts.arrival), varied=centre.varied)
