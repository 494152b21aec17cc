"""The reference engine: the centre as SimPy events, written to be read.

It is the specification. Every event carries its rank and the content of what it is about, so that
simultaneous events have one written order (docs/order.md) that does not depend on who scheduled
first. Contacts are callbacks, not processes: a contact costs three or four events.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import fields
from enum import IntEnum
from heapq import heappush
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from ccsim.demand.draw import Draw, scale_one
from ccsim.demand.table import NEVER
from ccsim.simulation.attendance import after_late_break, attendance, pauses, present
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.simulation.model import Model
from ccsim.simulation.own_rule import RoutingRule
from ccsim.simulation.pace import pace
from ccsim.simulation.reference_attempts import may_redial
from ccsim.simulation.reference_given import is_given
from ccsim.simulation.reference_lines import Lines
from ccsim.simulation.reference_routing import (
    announced_wait,
    by_priority,
    by_rule,
    free_agent,
    next_contact,
    number_waiting,
)
from ccsim.simulation.reference_rows import Rows
from ccsim.simulation.reference_state import goes_on_from
from ccsim.simulation.rules import CHOICES
from ccsim.simulation.state import State, still_to_arrive

Integers = NDArray[np.int64]


class Rank(IntEnum):
    """Which of two events at one instant comes first; the table is docs/order.md."""

    SERVICE_ENDS = 0
    AGENT_LEAVES = 1
    AGENT_COMES = 2
    CONTACT_OVERFLOWS = 3
    PATIENCE_ENDS = 4
    TYPE_CLOSES = 5
    CONTACT_ARRIVES = 6


# Each rank above every content id, so that one integer carries both. Members of an enumeration
# are slow to reach and to compare with; these are plain.
(
    SERVICE_ENDS, AGENT_LEAVES, AGENT_COMES, CONTACT_OVERFLOWS, PATIENCE_ENDS, TYPE_CLOSES,
    CONTACT_ARRIVES,
) = (rank << 62 for rank in Rank)  # fmt: skip
ANSWERED, ABANDONED, CLOSED, WAITING, BLOCKED, CLEARED, BALKED, UNREACHED = map(int, Outcome)


class Moment(simpy.Event):
    """Something that will happen, ranked by kind and by content.

    Attributes
    ----------
    whom : int
        The contact, agent or place in a stream that it happens to.
    """

    _ok = True

    def __init__(
        self,
        env: Any,
        delay: int,
        rank: int,
        content: int,
        whom: int,
        callback: Callable[[Any], None],
    ) -> None:
        # Only what SimPy reads of an event that has happened: much of the time goes into them.
        self.callbacks, self.whom = [callback], whom
        env.schedule(self, rank | content, delay)


def run(
    model: Model, draw: Draw, rule: RoutingRule | None = None, state: State | None = None
) -> ContactLog:
    """Play one replication of a centre with a plan.

    Parameters
    ----------
    model : Model
        The centre and its plan, compiled.
    draw : Draw
        All the chance of the replication.
    rule : RoutingRule, optional
        Who meets whom, instead of what the model says.
    state : State, optional
        What there is at an instant, to go on from there.

    Returns
    -------
    ContactLog
        What happened to every contact, and when agents left the floor.
    """
    centre = Centre(model, draw, rule, state)
    if model.cut:
        centre.env.run(until=model.end)
    else:
        centre.env.run()
    return centre.log()


class Centre:
    """The state of a run: who waits, who is free, who is meant to be on the floor."""

    def __init__(
        self, model: Model, draw: Draw, rule: RoutingRule | None, state: State | None
    ) -> None:
        self.model, self.draw, self.rule = model, draw, rule
        begin = model.begin if state is None else state.instant
        self.env: Any = simpy.Environment(initial_time=begin)  # its clock is one of integers
        self.interval_us = model.interval_us
        rows = self.rows = Rows(draw if state is None else still_to_arrive(draw, state))
        self.first_attempts = len(rows.arrival)
        self.contact_type, self.content, self.arrival = (
            rows.contact_type,
            rows.content,
            rows.arrival,
        )
        self.handle_time, self.patience, self.outcome = (
            rows.handle_time,
            rows.patience,
            rows.outcome,
        )
        self.left_queue, self.ended = rows.left_queue, rows.ended
        self._skills(model)
        self._access(model)
        self._agents(model, draw)
        self._next_arrival(0, begin)
        self._next_coming(bisect_left(self.comings, (begin,)))
        self._next_leaving(bisect_left(self.leavings, (begin,)))
        self._next_closing(bisect_left(self.closing, [begin]))
        if state is not None:
            goes_on_from(self, state)

    def _skills(self, model: Model) -> None:
        """Who may meet whom."""
        types, groups = range(len(model.contact_types)), range(len(model.groups))
        self.varied, skills = model.varied, model.skills
        self.head_start, self.ageing, self.carries_over = (
            getattr(model.queueing, field.name).tolist() for field in fields(model.queueing)
        )
        self.handle_ppm, self.unresolved_below = (
            skills.handle_ppm.tolist(),
            skills.unresolved_below.tolist(),
        )
        after, reserve, priority = (
            skills.after.tolist(),
            skills.reserve.tolist(),
            skills.priority.tolist(),
        )
        looks = skills.contact_priority.tolist()
        # Whom a contact may go to, and what a group takes, both in order of priority.
        self.groups_of = [
            by_priority([(looks[g][t], (g, after[g][t], reserve[g][t])) for g in groups])
            for t in types
        ]
        self.types_of = [
            by_priority([(priority[g][t], (t, after[g][t], reserve[g][t])) for t in types])
            for g in groups
        ]
        self.overflows = model.overflows
        self.queue: list[list[tuple[int, int, int]]] = [[] for _ in types]
        self.idle: list[list[tuple[int, int]]] = [[] for _ in groups]
        self.free = [0 for _ in groups]

    def _access(self, model: Model) -> None:
        """Who gets in."""
        access = model.access
        self.is_open, self.queue_limit = model.open.tolist(), access.queue_limit.tolist()
        # How to choose an agent, if not by who has been idle for longest.
        self.choice = [CHOICES[place] if place else None for place in access.agent_choice.tolist()]
        self.lines, self.limited = Lines(access), bool((access.line_group >= 0).any())
        self.closing = access.closing.tolist()
        self.last_wait = [0 for _ in self.is_open]
        self.ringing: list[int] = []  # at the end of the run

    def _agents(self, model: Model, draw: Draw) -> None:
        """Who will be there."""
        stretches = model.stretches
        self.group_of = model.agent_group.tolist()
        worked = attendance(model, draw, present(model, draw))
        there, start, end, serves_out = worked
        self.pauses = pauses(model, worked)
        self.comes_otherwise = set[int]()
        self.stretch_agent = stretches.agent.tolist()
        self.stretch_end = end.tolist()
        self.serves_out = serves_out.tolist()
        self.stretch_came, self.stretch_left = start.tolist(), start.tolist()
        self.pace, self.settles = (column.tolist() for column in pace(model, draw))
        self.idle_since: list[int | None] = [None] * len(self.group_of)
        self.busy = [False] * len(self.group_of)
        self.handled = [0] * len(self.group_of)
        self.stretch_of = [-1] * len(self.group_of)
        self.comings = self._sorted(start, there)
        self.leavings = self._sorted(end, there)

    def _sorted(self, when: Integers, there: NDArray[np.bool_]) -> list[tuple[int, int]]:
        """Moments of the stretches of agents who are there: (instant, stretch), in order."""
        stretches = np.flatnonzero(there)
        return sorted(zip(when[stretches].tolist(), stretches.tolist(), strict=True))

    # The streams that are known beforehand: each event announces the next of its stream,
    # so that the event list stays as short as what is going on.

    def _next_arrival(self, contact: int, now: int) -> None:
        if contact < self.first_attempts:
            delay, content = self.arrival[contact] - now, self.content[contact]
            Moment(self.env, delay, CONTACT_ARRIVES, content, contact, self._first_attempt)

    def _next_coming(self, number: int) -> None:
        if number < len(self.comings):
            when, stretch = self.comings[number]
            Moment(self.env, when - self.env.now, AGENT_COMES, stretch, number, self._comes)

    def _next_leaving(self, number: int) -> None:
        if number < len(self.leavings):
            when, stretch = self.leavings[number]
            Moment(self.env, when - self.env.now, AGENT_LEAVES, stretch, number, self._leaves)

    def _next_closing(self, number: int) -> None:
        if number < len(self.closing):
            when, contact_type = self.closing[number]
            Moment(self.env, when - self.env.now, TYPE_CLOSES, contact_type, number, self._closes)

    def comes_later(self, contact: int, arrival: int) -> None:
        """Announce a later attempt."""
        delay, content = arrival - self.env.now, self.content[contact]
        Moment(self.env, delay, CONTACT_ARRIVES, content, contact, self._later_attempt)

    def comes_back(self, stretch: int, instant: int) -> None:
        """Announce when an agent is back from a break that began late."""
        delay = instant - self.env.now
        Moment(self.env, delay, AGENT_COMES, stretch, stretch, self._comes_late)

    def nothing_until(self, instant: int) -> None:
        """Announce what nothing comes of, if it is yet to come."""
        if instant > self.env.now:
            Moment(self.env, instant - self.env.now, PATIENCE_ENDS, 0, -1, lambda _: None)

    # Contacts.

    def _first_attempt(self, arrival: Moment) -> None:
        now = self.env.now
        self._next_arrival(arrival.whom + 1, now)
        self._arrives(arrival.whom, now)

    def _later_attempt(self, arrival: Moment) -> None:
        self._arrives(arrival.whom, self.env.now)

    def _arrives(self, contact: int, now: int) -> None:
        contact_type = self.contact_type[contact]
        is_open = self.is_open[contact_type]
        if not is_open[now // self.interval_us % len(is_open)]:
            self._ends_without_answer(contact, CLOSED)
            return
        if self.limited and not self.lines.take(contact_type, now):
            self._ends_without_answer(contact, BLOCKED)
            may_redial(self, contact, self.env.now)
            return
        if self.rule is not None:
            by_rule(self, now, arriving=contact)
            if self.rows.agent[contact] >= 0:
                return
        elif (agent := free_agent(self, contact, 0, now)) is not None:
            self.gives(agent, contact, now)
            return
        if self._is_full(contact_type):
            self.lines.give_back(contact_type)
            self._ends_without_answer(contact, BLOCKED)
            may_redial(self, contact, self.env.now)
            return
        patience = self.patience[contact]
        told = announced_wait(self, contact_type) if self.varied else None
        if told is not None:
            patience = self._hears_the_wait(contact, told)
            if patience < 0:
                self._leaves_queue(contact, BALKED)
                may_redial(self, contact, now)
                return
        self.waits(contact, patience, 0)

    def waits(self, contact: int, patience: int, past: int) -> None:
        """Stand in the queue, as patient as that, with the overflows of a wait past."""
        arrival, content = self.arrival[contact], self.content[contact]
        heappush(self.queue[self.contact_type[contact]], (arrival, content, contact))
        if patience < NEVER:
            delay = arrival + patience - self.env.now
            Moment(self.env, delay, PATIENCE_ENDS, content, contact, self._gives_up)
        if self.overflows[self.contact_type[contact]]:
            self._overflows_after(past, contact)

    def _is_full(self, contact_type: int) -> bool:
        """Whether as many wait as may."""
        limit: int = self.queue_limit[contact_type]
        return limit < NEVER and number_waiting(self, contact_type) >= limit

    def _hears_the_wait(self, contact: int, told: int) -> int:
        """Her patience: endless if she is to be called back, -1 if she hangs up at once."""
        announcing, contact_type = self.model.announcing, self.contact_type[contact]
        patience = self.patience[contact]
        if told >= announcing.callback_from[contact_type]:
            accepts, _ = self.draw.callback(self.rows.key(contact))
            if accepts < announcing.accepted_below[contact_type]:
                self.rows.called_back[contact] = True
                self.lines.give_back(contact_type)
                return NEVER
        tolerance = int(announcing.tolerance_ppm[contact_type])
        if tolerance and patience < NEVER and told > scale_one(patience, tolerance):
            return -1
        return patience

    def _overflows_after(self, past: int, contact: int) -> None:
        """Announce when more groups may take a waiting contact."""
        for after in self.overflows[self.contact_type[contact]]:
            if after > past:
                delay, content = self.arrival[contact] + after - self.env.now, self.content[contact]
                Moment(self.env, delay, CONTACT_OVERFLOWS, content, contact, self._overflows)
                return

    def _overflows(self, overflow: Moment) -> None:
        contact, now = overflow.whom, self.env.now
        if self.outcome[contact] != WAITING:
            return
        waited = now - self.arrival[contact]
        if self.rule is not None:
            by_rule(self, now)
        elif (agent := free_agent(self, contact, waited, now)) is not None:
            self.gives(agent, contact, now)
        if self.rows.agent[contact] < 0:
            self._overflows_after(waited, contact)

    def _gives_up(self, end_of_patience: Moment) -> None:
        contact = end_of_patience.whom
        if self.outcome[contact] == WAITING:
            self._leaves_queue(contact, ABANDONED)
            may_redial(self, contact, self.env.now)

    def _closes(self, closing: Moment) -> None:
        """Disconnect all who wait."""
        self._next_closing(closing.whom + 1)
        _, contact_type = self.closing[closing.whom]
        for _, _, contact in self.queue[contact_type]:
            if self.outcome[contact] == WAITING:
                self._leaves_queue(contact, CLEARED)
        self.queue[contact_type].clear()

    def _leaves_queue(self, contact: int, outcome: int) -> None:
        if not self.rows.called_back[contact]:
            self.lines.give_back(self.contact_type[contact])
        self._ends_without_answer(contact, outcome)

    def _ends_without_answer(self, contact: int, outcome: int) -> None:
        self.outcome[contact] = outcome
        self.left_queue[contact] = self.ended[contact] = self.env.now

    # Agents.

    def _comes(self, coming: Moment) -> None:
        self._next_coming(coming.whom + 1)
        _, stretch = self.comings[coming.whom]
        agent = self.stretch_agent[stretch]
        before = self.stretch_of[agent]
        if stretch in self.comes_otherwise or (self.busy[agent] and before in self.pauses):
            return  # the break before it is not over, or has not begun
        self.stretch_of[agent] = stretch
        if self.busy[agent]:  # The last contact went on through the whole break.
            self.stretch_left[before] = self.env.now
        else:
            self._is_free(agent)

    def _comes_late(self, coming: Moment) -> None:
        """Be back from a break that began late and kept its length."""
        stretch = coming.whom
        agent = self.stretch_agent[stretch]
        self.stretch_of[agent], self.stretch_came[stretch] = stretch, self.env.now
        self._is_free(agent)

    def _leaves(self, leaving: Moment) -> None:
        self._next_leaving(leaving.whom + 1)
        _, stretch = self.leavings[leaving.whom]
        agent = self.stretch_agent[stretch]
        if self.idle_since[agent] is not None and self.stretch_of[agent] == stretch:
            now, contact = self.env.now, None
            if self.serves_out[stretch]:
                if self.rule is not None:
                    by_rule(self, now, serving=agent)
                else:
                    contact = next_contact(self, agent, now, serving_out=True)
            if contact is not None:
                self.gives(agent, contact, now)
            elif not self.busy[agent]:
                self._goes(agent)

    def _goes(self, agent: int) -> None:
        if self.idle_since[agent] is not None:
            self.idle_since[agent] = None
            self.free[self.group_of[agent]] -= 1
        now, stretch = self.env.now, self.stretch_of[agent]
        self.stretch_left[stretch] = now
        if now > self.stretch_end[stretch] and stretch in self.pauses:
            moved, back = after_late_break(self.pauses, self.stretch_end, stretch, now)
            self.comes_otherwise.update(moved)
            follows = moved[-1]
            back = max(back, self.stretch_came[follows])
            if back < self.stretch_end[follows]:
                self.comes_back(follows, back)

    def _service_ends(self, end_of_service: Moment) -> None:
        self.busy[end_of_service.whom] = False
        self._is_free(end_of_service.whom)

    def _is_free(self, agent: int) -> None:
        """Take the next contact, or leave when it is time, or wait for one."""
        stretch, now = self.stretch_of[agent], self.env.now
        over = now >= self.stretch_end[stretch]
        if self.rule is not None:
            self._is_free_for(agent, now, over=over)
            return
        none = over and not self.serves_out[stretch]
        contact = None if none else next_contact(self, agent, now, serving_out=over)
        if contact is not None:
            self.gives(agent, contact, now)
        elif over:
            self._goes(agent)
        else:
            self.is_idle(agent, now)

    def is_idle(self, agent: int, since: int) -> None:
        """Wait for a contact."""
        self.idle_since[agent] = since
        self.free[self.group_of[agent]] += 1
        heappush(self.idle[self.group_of[agent]], (since, agent))

    def _is_free_for(self, agent: int, now: int, *, over: bool) -> None:
        """Be there for a rule of one's own, unless it is time to leave."""
        if not over or self.serves_out[self.stretch_of[agent]]:
            self.is_idle(agent, now)
            by_rule(self, now, serving=agent if over else None)
        if over and not self.busy[agent]:
            self._goes(agent)

    def gives(self, agent: int, contact: int, now: int) -> None:
        """Give a contact to an agent, for as long as it keeps her busy."""
        if self.idle_since[agent] is not None:
            self.idle_since[agent] = None
            self.free[self.group_of[agent]] -= 1
        self.busy[agent], self.rows.agent[contact] = True, agent
        picked_up, ends = now, now + self.handle_time[contact]
        if self.varied:
            picked_up, ends = is_given(self, agent, contact, now)
        else:
            self.outcome[contact] = ANSWERED
        self.rows.taken[contact] = now
        self.left_queue[contact], self.ended[contact] = picked_up, ends
        self.is_done_at(ends, agent, contact)

    def is_done_at(self, ends: int, agent: int, contact: int) -> None:
        """Announce when an agent will be done."""
        delay, content = ends - self.env.now, self.content[contact]
        Moment(self.env, delay, SERVICE_ENDS, content, agent, self._service_ends)

    def log(self) -> ContactLog:
        """What happened; what has not ended by the end of the run ends with it."""
        end = self.env.now
        for agent, stretch in enumerate(self.stretch_of):
            if stretch >= 0 and (self.busy[agent] or self.idle_since[agent] is not None):
                self.stretch_left[stretch] = end
        for contact in self.ringing:
            self.outcome[contact] = WAITING
        return self.rows.log(end, self.stretch_came, self.stretch_left)
