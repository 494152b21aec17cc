"""Who meets whom, in the reference engine: an agent and the queue, a contact and who is free."""

from __future__ import annotations

from heapq import heappop
from typing import TYPE_CHECKING

from ccsim.demand.draw import scale_one
from ccsim.simulation.log import Outcome

if TYPE_CHECKING:
    from ccsim.simulation.reference import Centre

WAITING = int(Outcome.WAITING)

Skill = tuple[int, int, int]
"""A group or a contact type, how long a contact must have waited, and how many stay free."""


def by_priority(pairs: list[tuple[int, Skill]]) -> list[list[Skill]]:
    """Skills by priority, the smallest first; priority 0 is no skill."""
    levels = sorted({priority for priority, _ in pairs if priority})
    return [[skill for priority, skill in pairs if priority == level] for level in levels]


def next_contact(centre: Centre, agent: int, now: int, *, serving_out: bool) -> int | None:
    """Take the waiting contact of best priority, then of most points, off its queue.

    Who serves out minds neither reserves nor how long a contact has waited, and leaves those whose
    contact type carries them over.
    """
    group = centre.group_of[agent]
    free = centre.free[group] + 1
    for skills in centre.types_of[group]:
        best: tuple[int, int] | None = None
        chosen = -1
        for contact_type, after, reserve in skills:
            queue = centre.queue[contact_type]
            while queue and centre.outcome[queue[0][2]] != WAITING:
                heappop(queue)
            if not queue:
                continue
            arrival, content, _ = queue[0]
            if centre.varied:
                if serving_out:
                    if centre.carries_over[contact_type]:
                        continue
                elif now - arrival < after or free <= reserve:
                    continue
            key = (-_points(centre, contact_type, now - arrival), content)
            if best is None or key < best:
                best, chosen = key, contact_type
        if best is not None:
            return heappop(centre.queue[chosen])[2]
    return None


def _points(centre: Centre, contact_type: int, waited: int) -> int:
    """What a contact counts for after a wait [µs]: its head start, and the wait as it ages."""
    if centre.varied:
        waited = scale_one(waited, centre.ageing[contact_type])
    points: int = centre.head_start[contact_type] + waited
    return points


def announced_wait(centre: Centre, contact_type: int) -> int | None:
    """How long the wait will be, as whoever joins the queue is told [µs]; None: nothing is."""
    announcing = centre.model.announcing
    match announcing.estimate[contact_type]:
        case -1:
            return None
        case 0:
            return centre.last_wait[contact_type]
        case _:
            places = number_waiting(centre, contact_type) + 1
            return places * int(announcing.per_waiting[contact_type])


def number_waiting(centre: Centre, contact_type: int) -> int:
    """How many wait, to be called back or on the line."""
    return sum(centre.outcome[contact] == WAITING for *_, contact in centre.queue[contact_type])


def free_agent(centre: Centre, contact: int, waited: int, now: int) -> int | None:
    """Choose among the free agents of best priority, by the rule of the contact type."""
    contact_type = centre.contact_type[contact]
    for skills in centre.groups_of[contact_type]:
        best: tuple[int, int] | None = None
        for group, after, reserve in skills:
            if waited < after or centre.free[group] <= reserve:
                continue
            idle = centre.idle[group]
            while idle and (
                centre.idle_since[idle[0][1]] != idle[0][0]
                or centre.stretch_end[centre.stretch_of[idle[0][1]]] <= now
            ):
                heappop(idle)
            if idle and (best is None or idle[0] < best):
                best = idle[0]
        if best is not None:
            if centre.choice[contact_type] is None:
                return best[1]
            able = [
                group
                for group, after, reserve in skills
                if waited >= after and centre.free[group] > reserve
            ]
            return _one_of(centre, able, contact, now)
    return None


def _one_of(centre: Centre, groups: list[int], contact: int, now: int) -> int:
    """Choose one of several free agents by another rule."""
    free = sorted(
        {
            agent
            for group in groups
            for since, agent in centre.idle[group]
            if centre.idle_since[agent] == since
            and centre.stretch_end[centre.stretch_of[agent]] > now
        }
    )
    match centre.choice[centre.contact_type[contact]]:
        case "least_handling":
            return min(free, key=lambda agent: (centre.handled[agent], agent))
        case "at_random":
            return free[centre.draw.any_of(len(free), centre.rows.key(contact))]
        case _:
            return free[0]
