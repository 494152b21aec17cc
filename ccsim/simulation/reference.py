"""The reference engine: the centre as SimPy events, written to be read.

It is the specification. Every event carries its rank and the content of what it is about, so that
simultaneous events have one written order (docs/order.md) that does not depend on who scheduled
first. Contacts are callbacks, not processes: a contact costs three or four events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from enum import IntEnum
from heapq import heappop, heappush
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from ccsim.demand.draw import Draw, scale_one
from ccsim.demand.table import NEVER
from ccsim.simulation.log import MET, REDIAL, ContactLog, Outcome
from ccsim.simulation.model import CHOICES, Model
from ccsim.simulation.reference_lines import Lines
from ccsim.simulation.reference_rows import Rows

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
ANSWERED, ABANDONED, CLOSED, WAITING, BLOCKED, CLEARED = map(int, Outcome)


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


def run(model: Model, draw: Draw) -> ContactLog:
    """Play one replication of a centre with a plan.

    Parameters
    ----------
    model : Model
        The centre and its plan, compiled.
    draw : Draw
        All the chance of the replication.

    Returns
    -------
    ContactLog
        What happened to every contact, and when agents left the floor.
    """
    centre = _Centre(model, draw)
    if model.cut:
        centre.env.run(until=model.end)
    else:
        centre.env.run()
    return centre.log()


class _Centre:
    """The state of a run: who waits, who is free, who is meant to be on the floor."""

    def __init__(self, model: Model, draw: Draw) -> None:
        self.model, self.draw = model, draw
        self.env: Any = simpy.Environment(initial_time=model.begin)  # its clock is one of integers
        self.interval_us = model.interval_us
        rows = self.rows = Rows(draw)
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
        self._next_arrival(0, model.begin)
        self._next_coming(0)
        self._next_leaving(0)
        self._next_closing(0)

    def _skills(self, model: Model) -> None:
        """Who may meet whom."""
        types, groups = range(len(model.contact_types)), range(len(model.groups))
        self.varied, self.head_start = model.varied, model.head_start.tolist()
        priority, self.handle_ppm, self.unresolved_below, after, reserve = (
            getattr(model.skills, field.name).tolist() for field in fields(model.skills)
        )
        # Whom a contact may go to, and what a group takes, both in order of priority.
        self.groups_of = [
            _by_priority([(priority[g][t], (g, after[g][t], reserve[g][t])) for g in groups])
            for t in types
        ]
        self.types_of = [
            _by_priority([(priority[g][t], (t, after[g][t], reserve[g][t])) for t in types])
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

    def _agents(self, model: Model, draw: Draw) -> None:
        """Who will be there."""
        stretches = model.stretches
        self.group_of = model.agent_group.tolist()
        there = np.zeros(len(stretches.agent), dtype=bool)
        stretch_group = model.agent_group[stretches.agent]
        for group in range(len(model.groups)):
            mine = stretch_group == group
            there[mine] = draw.present(group, stretches.day[mine], stretches.ordinal[mine])
        self.stretch_agent = stretches.agent.tolist()
        self.stretch_end = stretches.end.tolist()
        self.serves_out = stretches.serves_out.tolist()
        self.stretch_left = stretches.start.tolist()
        self.idle_since: list[int | None] = [None] * len(self.group_of)
        self.busy = [False] * len(self.group_of)
        self.handled = [0] * len(self.group_of)
        self.stretch_of = [-1] * len(self.group_of)
        self.comings = self._sorted(stretches.start, there)
        self.leavings = self._sorted(stretches.end, there)

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
            self._may_redial(contact)
            return
        agent = self._free_agent(contact, 0, now)
        if agent is not None:
            self._answers(agent, contact, now)
            return
        if self._is_full(contact_type):
            self.lines.give_back(contact_type)
            self._ends_without_answer(contact, BLOCKED)
            self._may_redial(contact)
            return
        key = now - self.head_start[contact_type]
        content, patience = self.content[contact], self.patience[contact]
        heappush(self.queue[contact_type], (key, content, contact))
        if patience < NEVER:
            Moment(self.env, patience, PATIENCE_ENDS, content, contact, self._gives_up)
        if self.overflows[contact_type]:
            self._overflows_after(0, contact)

    def _is_full(self, contact_type: int) -> bool:
        """Whether as many wait as may."""
        limit: int = self.queue_limit[contact_type]
        if limit == NEVER:
            return False
        waiting = (self.outcome[contact] == WAITING for *_, contact in self.queue[contact_type])
        return sum(waiting) >= limit

    def _overflows_after(self, waited: int, contact: int) -> None:
        """Announce when more groups may take a waiting contact."""
        for after in self.overflows[self.contact_type[contact]]:
            if after > waited:
                content = self.content[contact]
                Moment(
                    self.env, after - waited, CONTACT_OVERFLOWS, content, contact, self._overflows
                )
                return

    def _overflows(self, overflow: Moment) -> None:
        contact, now = overflow.whom, self.env.now
        if self.outcome[contact] != WAITING:
            return
        waited = now - self.arrival[contact]
        agent = self._free_agent(contact, waited, now)
        if agent is None:
            self._overflows_after(waited, contact)
            return
        self._answers(agent, contact, now)

    def _gives_up(self, end_of_patience: Moment) -> None:
        contact = end_of_patience.whom
        if self.outcome[contact] == WAITING:
            self._leaves_queue(contact, ABANDONED)
            self._may_redial(contact)

    def _closes(self, closing: Moment) -> None:
        """Disconnect all who wait."""
        self._next_closing(closing.whom + 1)
        _, contact_type = self.closing[closing.whom]
        for _, _, contact in self.queue[contact_type]:
            if self.outcome[contact] == WAITING:
                self._leaves_queue(contact, CLEARED)
        self.queue[contact_type].clear()

    def _leaves_queue(self, contact: int, outcome: int) -> None:
        self.lines.give_back(self.contact_type[contact])
        self._ends_without_answer(contact, outcome)

    def _ends_without_answer(self, contact: int, outcome: int) -> None:
        self.outcome[contact] = outcome
        self.left_queue[contact] = self.ended[contact] = self.env.now

    # Later attempts.

    def _may_redial(self, contact: int) -> None:
        """Whoever gave up, or was blocked, may call again."""
        again = self.draw.redial(*self.rows.key(contact))
        if again is not None:
            model, contact_type = self.model, self.contact_type[contact]
            opening = model.redials_while_open[contact_type]
            arrival = model.later(contact_type, self.env.now, again[0], opening=opening)
            most, why = model.redials_at_most[contact_type], self.rows.again[contact] | REDIAL
            self._tries_again(contact, arrival, again[1], most, why)

    def _may_repeat(self, contact: int, below: int, end: int) -> None:
        """Whoever was answered and is not done with the matter may contact again."""
        key = self.rows.key(contact)
        self.rows.unresolved[contact], again = self.draw.unresolved(*key, below)
        if again is not None:
            model, contact_type = self.model, self.contact_type[contact]
            opening = model.repeats_while_open[contact_type]
            arrival = model.later(contact_type, end, again[0], opening=opening)
            self._tries_again(contact, arrival, again[1], model.repeats_at_most[contact_type], MET)

    def _tries_again(
        self, contact: int, arrival: int, patience: int, at_most: int, why: int
    ) -> None:
        """Append the next attempt of a request, unless it is cut."""
        if self.rows.attempt[contact] >= at_most or arrival >= self.model.end:
            self.rows.cut[contact] = True
            return
        later = self.rows.next_attempt(contact, arrival, patience, why)
        delay = arrival - self.env.now
        Moment(self.env, delay, CONTACT_ARRIVES, self.content[later], later, self._later_attempt)

    # Agents.

    def _comes(self, coming: Moment) -> None:
        self._next_coming(coming.whom + 1)
        _, stretch = self.comings[coming.whom]
        agent = self.stretch_agent[stretch]
        before = self.stretch_of[agent]
        self.stretch_of[agent] = stretch
        if self.busy[agent]:  # The last contact went on through the whole break.
            self.stretch_left[before] = self.env.now
        else:
            self._is_free(agent)

    def _leaves(self, leaving: Moment) -> None:
        self._next_leaving(leaving.whom + 1)
        _, stretch = self.leavings[leaving.whom]
        agent = self.stretch_agent[stretch]
        if self.idle_since[agent] is not None and self.stretch_of[agent] == stretch:
            now, contact = self.env.now, None
            if self.serves_out[stretch]:
                contact = self._next_contact(agent, now, serving_out=True)
            if contact is not None:
                self._answers(agent, contact, now)
            else:
                self._goes(agent)

    def _goes(self, agent: int) -> None:
        if self.idle_since[agent] is not None:
            self.idle_since[agent] = None
            self.free[self.group_of[agent]] -= 1
        self.stretch_left[self.stretch_of[agent]] = self.env.now

    def _service_ends(self, end_of_service: Moment) -> None:
        self.busy[end_of_service.whom] = False
        self._is_free(end_of_service.whom)

    def _is_free(self, agent: int) -> None:
        """Take the next contact, or leave when it is time, or wait for one."""
        stretch, now = self.stretch_of[agent], self.env.now
        over = now >= self.stretch_end[stretch]
        none = over and not self.serves_out[stretch]
        contact = None if none else self._next_contact(agent, now, serving_out=over)
        if contact is not None:
            self._answers(agent, contact, now)
        elif over:
            self._goes(agent)
        else:
            self.idle_since[agent] = now
            self.free[self.group_of[agent]] += 1
            heappush(self.idle[self.group_of[agent]], (now, agent))

    def _answers(self, agent: int, contact: int, now: int) -> None:
        handle_time = self.handle_time[contact]
        if self.varied:
            handle_time = self._handled(agent, contact, now)
        if self.idle_since[agent] is not None:
            self.idle_since[agent] = None
            self.free[self.group_of[agent]] -= 1
        self.busy[agent] = True
        self.outcome[contact], self.rows.agent[contact] = ANSWERED, agent
        self.left_queue[contact], self.ended[contact] = now, now + handle_time
        Moment(
            self.env, handle_time, SERVICE_ENDS, self.content[contact], agent, self._service_ends
        )

    def _handled(self, agent: int, contact: int, now: int) -> int:
        """How long it takes this agent, and what follows from that."""
        group, contact_type = self.group_of[agent], self.contact_type[contact]
        handle_ppm = self.handle_ppm[group][contact_type]
        handle_time = scale_one(self.handle_time[contact], handle_ppm)
        self.handled[agent] += handle_time
        if self.lines.needed(contact_type):
            key = self.rows.key(contact)
            wrap_up = scale_one(self.draw.wrap_up(*key[:3]), handle_ppm)
            self.lines.talks(contact_type, max(now, now + handle_time - wrap_up))
        below = self.unresolved_below[group][contact_type]
        if below:
            self._may_repeat(contact, below, now + handle_time)
        return handle_time

    # Who meets whom.

    def _next_contact(self, agent: int, now: int, *, serving_out: bool) -> int | None:
        """Take the waiting contact of best priority, then of longest wait with head start.

        Who serves out minds neither reserves nor how long a contact has waited.
        """
        group = self.group_of[agent]
        free = self.free[group] + 1
        for skills in self.types_of[group]:
            best: tuple[int, int, int] | None = None
            chosen = -1
            for contact_type, after, reserve in skills:
                queue = self.queue[contact_type]
                while queue and self.outcome[queue[0][2]] != WAITING:
                    heappop(queue)
                if not queue or (best is not None and best < queue[0]):
                    continue
                if self.varied and not serving_out:
                    waited = now - self.arrival[queue[0][2]]
                    if waited < after or free <= reserve:
                        continue
                best, chosen = queue[0], contact_type
            if best is not None:
                return heappop(self.queue[chosen])[2]
        return None

    def _free_agent(self, contact: int, waited: int, now: int) -> int | None:
        """Choose among the free agents of best priority, by the rule of the contact type."""
        contact_type = self.contact_type[contact]
        for skills in self.groups_of[contact_type]:
            best: tuple[int, int] | None = None
            for group, after, reserve in skills:
                if waited < after or self.free[group] <= reserve:
                    continue
                idle = self.idle[group]
                while idle and (
                    self.idle_since[idle[0][1]] != idle[0][0]
                    or self.stretch_end[self.stretch_of[idle[0][1]]] <= now
                ):
                    heappop(idle)
                if idle and (best is None or idle[0] < best):
                    best = idle[0]
            if best is not None:
                if self.choice[contact_type] is None:
                    return best[1]
                able = [
                    group
                    for group, after, reserve in skills
                    if waited >= after and self.free[group] > reserve
                ]
                return self._one_of(able, contact, now)
        return None

    def _one_of(self, groups: list[int], contact: int, now: int) -> int:
        """Choose one of several free agents by another rule."""
        free = sorted(
            {
                agent
                for group in groups
                for since, agent in self.idle[group]
                if self.idle_since[agent] == since
                and self.stretch_end[self.stretch_of[agent]] > now
            }
        )
        match self.choice[self.contact_type[contact]]:
            case "least_handling":
                return min(free, key=lambda agent: (self.handled[agent], agent))
            case "at_random":
                return free[self.draw.any_of(len(free), *self.rows.key(contact))]
            case _:
                return free[0]

    def log(self) -> ContactLog:
        """What happened; what has not ended by the end of the run ends with it."""
        end = self.env.now
        for agent, stretch in enumerate(self.stretch_of):
            if stretch >= 0 and (self.busy[agent] or self.idle_since[agent] is not None):
                self.stretch_left[stretch] = end
        return self.rows.log(end, self.stretch_left)


Skill = tuple[int, int, int]
"""A group or a contact type, how long a contact must have waited, and how many stay free."""


def _by_priority(pairs: list[tuple[int, Skill]]) -> list[list[Skill]]:
    """Skills by priority, the smallest first; priority 0 is no skill."""
    levels = sorted({priority for priority, _ in pairs if priority})
    return [[skill for priority, skill in pairs if priority == level] for level in levels]
