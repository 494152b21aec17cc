"""UNDER WAY: what there is in a centre at an instant, before any event of that instant.

An engine goes on from it as if it had played all that came before: the rest of a day from the
state of its noon is the afternoon of the whole day, number by number.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.draw import Contacts, Draw, content_id, scale_one
from ccsim.demand.model import PPM
from ccsim.demand.table import NEVER
from ccsim.simulation.attendance import Attendance, after_late_break, attendance, pauses, present
from ccsim.simulation.log import PASSED_ON, ContactLog, Outcome
from ccsim.simulation.model import Model
from ccsim.simulation.pace import handle_factor, pace

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Underway:
    """Contacts that are not over, one row each: those that have arrived first.

    Who has an agent is in her hands, and how that ends is settled. Of the others, who has arrived
    is waiting; who has not is a later attempt that is already decided.

    Attributes
    ----------
    contact_type, origin, interval, ordinal, attempt, arrival, outcome, left_queue, taken, ended, \
agent, last, again, unresolved, called_back, transferred, cut : ndarray, shape (n_contacts,)
        As in `ContactLog`; what has yet to happen to somebody is at `NEVER`.
    drawn : ndarray of int64
        The attempt by which the handle time was drawn.
    handle_time, patience : ndarray of int64
        From the beginning, with what has passed of them [µs].
    talk_ends : ndarray of int64
        Until when who is in an agent's hands holds a line [µs]; `-NEVER` is not at all.
    """

    contact_type: Integers
    origin: Integers
    interval: Integers
    ordinal: Integers
    attempt: Integers
    drawn: Integers
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
    talk_ends: Integers


@dataclass(frozen=True, eq=False)
class State:
    """What there is at an instant.

    Attributes
    ----------
    instant : int
        What happens at it has not happened yet [µs].
    contacts : Underway
        Who waits, who is in an agent's hands, who will come again.
    stretch : ndarray of int64, shape (n_agents,)
        The stretch that each agent came for last, or -1; it may be over.
    came : ndarray of int64, shape (n_stretches,)
        When each stretch began, or is meant to [µs].
    otherwise : ndarray of bool, shape (n_stretches,)
        Whether a break that began late and keeps its length ends otherwise than by that stretch.
    back : ndarray of int64, shape (n_backs, 2)
        When agents are back from such breaks [µs], and the stretches that they are back for.
    idle_since : ndarray of int64, shape (n_agents,)
        From when on she has waited for a contact [µs]; `NEVER` if she does not.
    handled : ndarray of int64, shape (n_agents,)
        How long she has handled contacts, with all of the one in hand [µs].
    last_wait : ndarray of int64, shape (n_contact_types,)
        The wait of whoever was taken last [µs].
    lasts : int
        A run that drains lasts until then at least [µs], though nothing comes of it: the last end
        of patience and the last overflow of those who wait no more.
    """

    instant: int
    contacts: Underway
    stretch: Integers
    came: Integers
    otherwise: Booleans
    back: Integers
    idle_since: Integers
    handled: Integers
    last_wait: Integers
    lasts: int

    @property
    def to_come(self) -> Booleans:
        """Which contacts are later attempts that have not arrived."""
        return np.asarray(self.contacts.arrival >= self.instant)

    @property
    def in_hand(self) -> Booleans:
        """Which contacts an agent has."""
        return np.asarray(self.contacts.agent >= 0)

    @property
    def waiting(self) -> Booleans:
        """Which contacts are in the queue."""
        return ~(self.to_come | self.in_hand)


def still_to_arrive(draw: Draw, state: State) -> Draw:
    """The same draw without the first attempts from before a state."""
    later = draw.contacts.arrival >= state.instant
    columns = (getattr(draw.contacts, field.name)[later] for field in fields(Contacts))
    return replace(draw, contacts=Contacts(*columns))


def state_at(model: Model, draw: Draw, log: ContactLog, instant: int) -> State:
    """Read off a run what there was at an instant of it.

    Parameters
    ----------
    model, draw
        What was played.
    log : ContactLog
        The log of the whole run.
    instant : int
        From the begin of the run on; before its end, if it is cut there [µs].

    Notes
    -----
    Of several contacts taken at one instant the one taken last, whose wait may be announced, is
    known by the order of events. With a rule of one's own it is the rule that decides, so that
    `State.last_wait` may then be that of another of them.
    """
    past = _Past(model, draw, log, instant)
    worked = attendance(model, draw, present(model, draw))
    contacts = past.underway(worked)
    stretch = np.full(len(model.agent_group), -1)
    come = np.flatnonzero(past.come & (log.stretch_came < instant))
    come = come[np.argsort(log.stretch_came[come], kind="stable")]
    stretch[model.stretches.agent[come]] = come
    came = worked.start.copy()
    came[come] = log.stretch_came[come]
    agent, taken = log.agent[past.given], log.taken[past.given]
    handled, free_since = np.zeros(len(stretch), np.int64), np.full(len(stretch), model.begin)
    ended = log.ended[past.given]
    np.add.at(handled, agent, ended - taken)
    np.maximum.at(free_since, agent, ended)
    idle = stretch >= 0
    idle[contacts.agent[contacts.agent >= 0]] = False
    idle[idle] = worked.end[stretch[idle]] >= instant
    idle_since = np.full(len(stretch), NEVER)
    idle_since[idle] = np.maximum(came[stretch[idle]], free_since[idle])
    return State(
        instant,
        contacts,
        stretch,
        came,
        *past.late_breaks(worked),
        idle_since,
        handled,
        past.last_wait(worked),
        past.lasts(),
    )


class _Past:
    """A log up to an instant, with what of its contacts was drawn.

    Attributes
    ----------
    off : ndarray of int64
        When each contact left the queue, by an agent or not [µs].
    given : ndarray of bool
        Which ones had been given to an agent.
    come : ndarray of bool, shape (n_stretches,)
        Whether somebody came for a stretch, before the instant or later.
    """

    def __init__(self, model: Model, draw: Draw, log: ContactLog, instant: int) -> None:
        self.model, self.draw, self.log, self.instant = model, draw, log, instant
        self.off = np.where(log.agent >= 0, log.taken, log.left_queue)
        self.given = (log.agent >= 0) & (log.taken < instant)
        self.content = content_id(log.origin, log.interval, log.ordinal) + log.attempt
        order = np.argsort(self.content)
        before = np.searchsorted(self.content[order], self.content - 1)
        self.before = order[np.minimum(before, len(order) - 1)]  # the attempt before a later one
        self.come = log.stretch_left > log.stretch_came
        self.drawn_at = np.cumsum(log.attempt == 0) - 1  # the place in the draw of a first one

    def underway(self, worked: Attendance) -> Underway:
        """Contacts that are not over."""
        log, instant = self.log, self.instant
        arrived = log.arrival < instant
        in_hand = self.given & (log.ended >= instant)
        stays = (log.outcome == Outcome.WAITING) & (log.agent < 0)
        waiting = arrived & ((self.off >= instant) | stays)
        decided = (log.attempt > 0) & (self.off[self.before] < instant)
        rows = np.flatnonzero(in_hand | waiting | (~arrived & decided))
        held = in_hand[rows]
        lengths = [self.length(row) for row in rows.tolist()]

        def settled(column: NDArray[Any], otherwise: int) -> Any:
            return np.where(held, column[rows], otherwise).astype(column.dtype)

        return Underway(
            contact_type=log.contact_type[rows],
            origin=log.origin[rows],
            interval=log.interval[rows],
            ordinal=log.ordinal[rows],
            attempt=log.attempt[rows],
            drawn=np.array([drawn for _, drawn in lengths], np.int64),
            arrival=log.arrival[rows],
            handle_time=np.array([length for length, _ in lengths], np.int64),
            patience=np.array([self.patience(row) for row in rows.tolist()], np.int64),
            outcome=settled(log.outcome, Outcome.WAITING),
            left_queue=settled(log.left_queue, NEVER),
            taken=settled(log.taken, NEVER),
            ended=settled(log.ended, NEVER),
            agent=settled(log.agent, -1),
            last=settled(log.last, True),
            again=log.again[rows],
            unresolved=settled(log.unresolved, False),
            called_back=log.called_back[rows] & arrived[rows],
            transferred=settled(log.transferred, False),
            cut=settled(log.cut, False),
            talk_ends=self.talk_ends(rows, held, worked),
        )

    def patience(self, row: int) -> int:
        """How long a contact would wait [µs]."""
        if self.log.attempt[row]:
            return self.draw.patience(self.key(row), int(self.log.contact_type[row]))
        return int(self.draw.contacts.patience[self.drawn_at[row]])

    def length(self, row: int) -> tuple[int, int]:
        """How long a contact takes [µs], before any agent's factor, and by which attempt."""
        log = self.log
        if not log.attempt[row]:
            return int(self.draw.contacts.handle_time[self.drawn_at[row]]), 0
        before, contact_type = int(self.before[row]), int(log.contact_type[row])
        handle_time, drawn = self.length(before)
        if contact_type != log.contact_type[before]:
            drawn = int(log.attempt[row])
            handle_time = self.draw.handle_time(self.key(row), contact_type, int(log.arrival[row]))
        if log.again[row] & PASSED_ON:
            group = self.model.agent_group[log.agent[before]]
            handle_time += int(self.model.skills.context_lost[group, log.contact_type[before]])
        return handle_time, drawn

    def key(self, row: int) -> tuple[int, int, int, int]:
        """What the random numbers of a contact go by."""
        log = self.log
        columns = (log.origin, log.interval, log.ordinal, log.attempt)
        origin, interval, ordinal, attempt = (int(column[row]) for column in columns)
        return origin, interval, ordinal, attempt

    def talk_ends(self, rows: Integers, held: Booleans, worked: Attendance) -> Integers:
        """Until when lines are held by who is in an agent's hands."""
        log, model = self.log, self.model
        ends = np.full(len(rows), -NEVER)
        on_a_line = held & (model.access.line_group[log.contact_type[rows]] >= 0)
        on_a_line &= ~log.called_back[rows]
        paces = pace(model, self.draw).handle_time if on_a_line.any() else None
        for place in np.flatnonzero(on_a_line).tolist():
            row = int(rows[place])
            match log.outcome[row]:
                case Outcome.ABANDONED:
                    ends[place] = log.left_queue[row]
                case Outcome.ANSWERED if paces is not None:
                    own = int(paces[self.stretch_of(row, worked)])
                    ends[place] = self.talk_end(row, own)
                case _:  # it rings when the run is cut
                    ends[place] = NEVER
        return ends

    def talk_end(self, row: int, own: int) -> int:
        """When an agent of that pace and the customer have talked [µs]; wrap-up follows."""
        log, skills = self.log, self.model.skills
        contact_type = int(log.contact_type[row])
        group = self.model.agent_group[log.agent[row]]
        handle_time, drawn = self.length(row)
        wrap_up = self.draw.wrap_up((*self.key(row)[:3], drawn), contact_type)
        factor = handle_factor(int(skills.handle_ppm[group, contact_type]), own)
        shorter = int(skills.transfer_ppm[group, contact_type]) if log.transferred[row] else PPM
        handle_time, wrap_up = (
            scale_one(scale_one(length, factor), shorter) for length in (handle_time, wrap_up)
        )
        picked_up = int(log.left_queue[row])
        return max(picked_up, picked_up + handle_time - wrap_up)

    def stretch_of(self, row: int, worked: Attendance) -> int:
        """In which stretch an agent took a contact.

        Who serves out at the instant at which her next stretch begins takes it in the old one.
        """
        log, model, taken = self.log, self.model, self.log.taken[row]
        came = log.stretch_came
        places = np.flatnonzero(
            self.come & (model.stretches.agent == log.agent[row]) & (came <= taken)
        )
        *earlier, stretch = places[np.argsort(came[places], kind="stable")].tolist()
        if (
            earlier
            and came[stretch] == taken
            and log.stretch_left[earlier[-1]] == taken
            and worked.serves_out[earlier[-1]]
            and log.arrival[row] < taken
            and not model.queueing.carries_over[log.contact_type[row]]
        ):
            return int(earlier[-1])
        return int(stretch)

    def last_wait(self, worked: Attendance) -> Integers:
        """Wait of whoever was taken last, by contact type.

        Of several at one instant it is the one that docs/order.md puts last: first who was in
        front of the queue, for agents who became free or came; then who overflowed, in the order
        of content; then who arrived.
        """
        log, waits = self.log, np.zeros(len(self.model.contact_types), np.int64)
        for contact_type in range(len(waits)):
            mine = np.flatnonzero(self.given & (log.contact_type == contact_type))
            if len(mine) == 0:
                continue
            at = log.taken[mine].max()
            last = max(mine[log.taken[mine] == at], key=lambda row: self.turn(row, worked))
            waits[contact_type] = at - log.arrival[last]
        return waits

    def turn(self, row: int, worked: Attendance) -> tuple[int, ...]:
        """In which order the contacts of one type that are taken at one instant are taken."""
        log, at, agent = self.log, self.log.taken[row], self.log.agent[row]
        in_queue = int(log.arrival[row]), int(self.content[row])
        if log.arrival[row] == at:
            return 2, *in_queue
        hers, stretches = log.agent == agent, self.model.stretches.agent == agent
        came = self.come & stretches & (log.stretch_came == at)
        leaves = self.come & stretches & (worked.end == at)
        if (hers & (log.taken < at) & (log.ended == at)).any() or came.any() or leaves.any():
            return 0, *in_queue
        # She was idle, so that it, or what she took just before and ended at once, overflowed.
        return 1, int(self.content[hers & (log.taken == at)].min()), *in_queue

    def late_breaks(self, worked: Attendance) -> tuple[Booleans, Integers]:
        """`State.otherwise` and `State.back`."""
        otherwise, back = np.zeros(len(self.come), bool), []
        breaks = pauses(self.model, worked)
        for stretch in breaks:
            left = int(self.log.stretch_left[stretch])
            if self.come[stretch] and worked.end[stretch] < left < self.instant:
                moved, until = after_late_break(breaks, worked.end, stretch, left)
                otherwise[moved] = True
                after = moved[-1]
                until = max(until, int(worked.start[after]))
                if self.instant <= until < worked.end[after]:
                    back.append((until, after))
        return otherwise, np.array(sorted(back), np.int64).reshape(-1, 2)

    def lasts(self) -> int:
        """`State.lasts`."""
        log, model = self.log, self.model
        lasts = model.begin
        if model.cut:
            return lasts
        gone = (log.outcome == Outcome.ABANDONED) | (log.outcome == Outcome.CLEARED)
        queued = (log.agent >= 0) | gone
        queued &= (self.off > log.arrival) & (self.off < self.instant)
        overflows = model.overflows
        for row in np.flatnonzero(queued).tolist():
            arrival, off = int(log.arrival[row]), int(self.off[row])
            patience = NEVER if log.called_back[row] else self.patience(row)
            if patience < NEVER:
                lasts = max(lasts, arrival + patience)
            # Who goes unanswered as more groups may take her goes after that.
            fired = off - arrival - (1 if log.agent[row] >= 0 else 0)
            due = [after for after in overflows[log.contact_type[row]] if after > fired]
            lasts = max(lasts, arrival + due[0]) if due else lasts
        return lasts
