"""The reference engine: the centre as SimPy events, written to be read.

It is the specification. Every event carries its rank and the content of what it is about, so that
simultaneous events have one written order (docs/order.md) that does not depend on who scheduled
first. Contacts are callbacks, not processes: a contact costs three or four events.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from heapq import heappop, heappush
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from ccsim.demand.draw import Draw
from ccsim.demand.table import NEVER
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.simulation.model import Model

Integers = NDArray[np.int64]


class Rank(IntEnum):
    """Which of two events at one instant comes first; the table is docs/order.md."""

    SERVICE_ENDS = 0
    AGENT_LEAVES = 1
    AGENT_COMES = 2
    PATIENCE_ENDS = 3
    CONTACT_ARRIVES = 4


# Each rank above every content id, so that one integer carries both. Members of an enumeration
# are slow to reach and to compare with; these are plain.
SERVICE_ENDS, AGENT_LEAVES, AGENT_COMES, PATIENCE_ENDS, CONTACT_ARRIVES = (
    rank << 62 for rank in Rank
)
ANSWERED, ABANDONED, CLOSED, WAITING = map(int, Outcome)


class Moment(simpy.Event):
    """Something that will happen, ranked by kind and by content.

    Attributes
    ----------
    whom : int
        The contact, agent or place in a stream that it happens to.
    """

    def __init__(
        self,
        env: Any,
        delay: int,
        rank: int,
        content: int,
        whom: int,
        callback: Callable[[Any], None],
    ) -> None:
        # What the parent's does, without a call: much of the time goes into making events.
        self.env, self.callbacks = env, [callback]
        self._ok, self._value = True, None
        self.whom = whom
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
        self._will = partial(Moment, self.env)
        self.interval_us = model.interval_us
        contacts = draw.contacts
        # One row per contact; redials are appended.
        self.contact_type: list[int] = contacts.contact_type.tolist()
        self.interval: list[int] = contacts.interval.tolist()
        self.ordinal: list[int] = contacts.ordinal.tolist()
        self.attempt: list[int] = [0] * len(self.ordinal)
        self.arrival: list[int] = contacts.arrival.tolist()
        self.handle_time: list[int] = contacts.handle_time.tolist()
        self.patience: list[int] = contacts.patience.tolist()
        self.content: list[int] = contacts.content_id.tolist()
        count = self.first_attempts = len(self.ordinal)
        self.outcome: list[int] = [WAITING] * count
        self.left_queue: list[int] = [NEVER] * count
        self.ended: list[int] = [NEVER] * count
        self.agent: list[int] = [-1] * count
        self.last: list[bool] = [True] * count
        self.redial_cut: list[bool] = [False] * count

        types, groups = range(len(model.contact_types)), range(len(model.groups))
        priority = model.priority.tolist()
        self.is_open = model.open.tolist()
        self.head_start = model.head_start.tolist()
        # Whom a contact may go to, and what a group takes, both in order of priority.
        self.groups_of = [_by_priority([(priority[g][t], g) for g in groups]) for t in types]
        self.types_of = [_by_priority([(priority[g][t], t) for t in types]) for g in groups]
        self.queue: list[list[tuple[int, int, int]]] = [[] for _ in types]
        self.idle: list[list[tuple[int, int]]] = [[] for _ in groups]

        stretches = model.stretches
        self.group_of = model.agent_group.tolist()
        there = np.zeros(len(stretches.agent), dtype=bool)
        stretch_group = model.agent_group[stretches.agent]
        for group in groups:
            mine = stretch_group == group
            there[mine] = draw.present(group, stretches.day[mine], stretches.ordinal[mine])
        self.stretch_agent = stretches.agent.tolist()
        self.stretch_end = stretches.end.tolist()
        self.serves_out = stretches.serves_out.tolist()
        self.stretch_left = stretches.start.tolist()
        self.idle_since: list[int | None] = [None] * len(self.group_of)
        self.busy = [False] * len(self.group_of)
        self.stretch_of = [-1] * len(self.group_of)
        self.comings = self._sorted(stretches.start, there)
        self.leavings = self._sorted(stretches.end, there)
        self._next_arrival(0)
        self._next_coming(0)
        self._next_leaving(0)

    def _sorted(self, when: Integers, there: NDArray[np.bool_]) -> list[tuple[int, int]]:
        """Moments of the stretches of agents who are there: (instant, stretch), in order."""
        stretches = np.flatnonzero(there)
        return sorted(zip(when[stretches].tolist(), stretches.tolist(), strict=True))

    # The three streams that are known beforehand: each event announces the next of its stream,
    # so that the event list stays as short as what is going on.

    def _next_arrival(self, contact: int) -> None:
        if contact < self.first_attempts:
            self._will(
                self.arrival[contact] - self.env.now,
                CONTACT_ARRIVES,
                self.content[contact],
                contact,
                self._first_attempt,
            )

    def _next_coming(self, number: int) -> None:
        if number < len(self.comings):
            when, stretch = self.comings[number]
            self._will(when - self.env.now, AGENT_COMES, stretch, number, self._comes)

    def _next_leaving(self, number: int) -> None:
        if number < len(self.leavings):
            when, stretch = self.leavings[number]
            self._will(when - self.env.now, AGENT_LEAVES, stretch, number, self._leaves)

    # Contacts.

    def _first_attempt(self, arrival: Moment) -> None:
        self._next_arrival(arrival.whom + 1)
        self._arrives(arrival)

    def _arrives(self, arrival: Moment) -> None:
        contact, now = arrival.whom, self.env.now
        contact_type = self.contact_type[contact]
        is_open = self.is_open[contact_type]
        if not is_open[now // self.interval_us % len(is_open)]:
            self._ends_without_answer(contact, CLOSED)
            return
        agent = self._free_agent(contact_type, now)
        if agent is not None:
            self._answers(agent, contact, now)
            return
        key = now - self.head_start[contact_type]
        content, patience = self.content[contact], self.patience[contact]
        heappush(self.queue[contact_type], (key, content, contact))
        if patience < NEVER:
            self._will(patience, PATIENCE_ENDS, content, contact, self._gives_up)

    def _gives_up(self, end_of_patience: Moment) -> None:
        contact = end_of_patience.whom
        if self.outcome[contact] != WAITING:
            return
        self._ends_without_answer(contact, ABANDONED)
        contact_type, attempt = self.contact_type[contact], self.attempt[contact]
        interval, ordinal = self.interval[contact], self.ordinal[contact]
        again = self.draw.redial(contact_type, interval, ordinal, attempt)
        if again is None:
            return
        delay, patience = again
        beyond = self.env.now + delay >= self.model.end
        if attempt >= self.model.redials_at_most[contact_type] or beyond:
            self.redial_cut[contact] = True
            return
        self.last[contact] = False
        self._redials(contact, delay, patience)

    def _redials(self, contact: int, delay: int, patience: int) -> None:
        redial = len(self.arrival)
        # The attempt is the last part of a content id: the next attempt's is one more.
        self.contact_type.append(self.contact_type[contact])
        self.interval.append(self.interval[contact])
        self.ordinal.append(self.ordinal[contact])
        self.attempt.append(self.attempt[contact] + 1)
        self.content.append(self.content[contact] + 1)
        self.arrival.append(self.env.now + delay)
        self.handle_time.append(self.handle_time[contact])
        self.patience.append(patience)
        self.outcome.append(WAITING)
        self.left_queue.append(NEVER)
        self.ended.append(NEVER)
        self.agent.append(-1)
        self.last.append(True)
        self.redial_cut.append(False)
        self._will(delay, CONTACT_ARRIVES, self.content[redial], redial, self._arrives)

    def _ends_without_answer(self, contact: int, outcome: int) -> None:
        self.outcome[contact] = outcome
        self.left_queue[contact] = self.ended[contact] = self.env.now

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
        if not self.busy[agent] and self.stretch_of[agent] == stretch:
            self._goes(agent)

    def _goes(self, agent: int) -> None:
        self.idle_since[agent] = None
        self.stretch_left[self.stretch_of[agent]] = self.env.now

    def _service_ends(self, end_of_service: Moment) -> None:
        self.busy[end_of_service.whom] = False
        self._is_free(end_of_service.whom)

    def _is_free(self, agent: int) -> None:
        """Take the next contact, or leave when it is time, or wait for one."""
        stretch, now = self.stretch_of[agent], self.env.now
        over = now >= self.stretch_end[stretch]
        contact = None if over and not self.serves_out[stretch] else self._next_contact(agent)
        if contact is not None:
            self._answers(agent, contact, now)
        elif over:
            self._goes(agent)
        else:
            self.idle_since[agent] = now
            heappush(self.idle[self.group_of[agent]], (now, agent))

    def _answers(self, agent: int, contact: int, now: int) -> None:
        handle_time = self.handle_time[contact]
        self.busy[agent], self.idle_since[agent] = True, None
        self.outcome[contact], self.agent[contact] = ANSWERED, agent
        self.left_queue[contact], self.ended[contact] = now, now + handle_time
        self._will(handle_time, SERVICE_ENDS, self.content[contact], agent, self._service_ends)

    # Who meets whom.

    def _next_contact(self, agent: int) -> int | None:
        """Take the waiting contact of best priority, then of longest wait with head start."""
        for contact_types in self.types_of[self.group_of[agent]]:
            best: tuple[int, int, int] | None = None
            chosen = -1
            for contact_type in contact_types:
                queue = self.queue[contact_type]
                while queue and self.outcome[queue[0][2]] != WAITING:
                    heappop(queue)
                if queue and (best is None or queue[0] < best):
                    best, chosen = queue[0], contact_type
            if best is not None:
                return heappop(self.queue[chosen])[2]
        return None

    def _free_agent(self, contact_type: int, now: int) -> int | None:
        """Find the free agent of best priority, then idle for longest."""
        for groups in self.groups_of[contact_type]:
            best: tuple[int, int] | None = None
            chosen = -1
            for group in groups:
                idle = self.idle[group]
                while idle and (
                    self.idle_since[idle[0][1]] != idle[0][0]
                    or self.stretch_end[self.stretch_of[idle[0][1]]] <= now
                ):
                    heappop(idle)
                if idle and (best is None or idle[0] < best):
                    best, chosen = idle[0], group
            if best is not None:
                return heappop(self.idle[chosen])[1]
        return None

    def log(self) -> ContactLog:
        """Put the log into arrays; what has not ended by the end of the run ends with it."""
        end = self.env.now
        arrival = np.array(self.arrival, dtype=np.int64)
        order = np.lexsort((np.array(self.content, dtype=np.int64), arrival))

        def column(values: list[int]) -> Integers:
            return np.array(values, dtype=np.int64)[order]

        left = np.array(self.stretch_left, dtype=np.int64)
        for agent, stretch in enumerate(self.stretch_of):
            if stretch >= 0 and (self.busy[agent] or self.idle_since[agent] is not None):
                left[stretch] = end
        return ContactLog(
            contact_type=column(self.contact_type),
            interval=column(self.interval),
            ordinal=column(self.ordinal),
            attempt=column(self.attempt),
            arrival=arrival[order],
            outcome=column(self.outcome),
            left_queue=np.minimum(column(self.left_queue), end),
            ended=np.minimum(column(self.ended), end),
            agent=column(self.agent),
            last=np.array(self.last, dtype=bool)[order],
            redial_cut=np.array(self.redial_cut, dtype=bool)[order],
            stretch_left=left,
        )


def _by_priority(pairs: list[tuple[int, int]]) -> list[list[int]]:
    """Group indices by priority, the smallest first; priority 0 is no skill."""
    levels = sorted({priority for priority, _ in pairs if priority})
    return [[index for priority, index in pairs if priority == level] for level in levels]
