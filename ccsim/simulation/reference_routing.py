"""Who meets whom, in the reference engine: an agent and the queue, a contact and who is free."""

from __future__ import annotations

from heapq import heappop
from itertools import chain
from operator import index
from typing import TYPE_CHECKING

from ccsim.demand.draw import scale_one
from ccsim.errors import CcsimError
from ccsim.scenario.units import MICROSECONDS
from ccsim.simulation.log import Outcome
from ccsim.simulation.own_rule import Free, Waiting

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


def by_rule(
    centre: Centre, now: int, arriving: int | None = None, serving: int | None = None
) -> None:
    """Give contacts to agents for as long as a rule of one's own says so.

    Parameters
    ----------
    centre, now
        At that instant.
    arriving : int, optional
        A contact that is not in the queue yet.
    serving : int, optional
        An agent who is still there to serve out.
    """
    rule, model = centre.rule, centre.model
    while rule is not None:
        _tidy(centre)
        contacts = [contact for *_, contact in sorted(chain(*centre.queue))]
        if arriving is not None and centre.rows.agent[arriving] < 0:
            contacts.append(arriving)
        agents = [
            agent
            for _, agent in sorted(chain(*centre.idle))
            if centre.stretch_end[centre.stretch_of[agent]] > now or agent == serving
        ]
        if not contacts or not agents:
            return
        chosen = rule(
            tuple(
                Waiting(
                    model.contact_types[centre.contact_type[contact]],
                    (now - centre.arrival[contact]) / MICROSECONDS,
                )
                for contact in contacts
            ),
            tuple(
                Free(
                    model.groups[centre.group_of[agent]],
                    (now - _since(centre, agent)) / MICROSECONDS,
                    agent,
                )
                for agent in agents
            ),
        )
        if chosen is None:
            return
        contact, agent = _checked(chosen, contacts, agents)
        group, contact_type = centre.group_of[agent], centre.contact_type[contact]
        if agent == serving and centre.carries_over[contact_type]:
            raise CcsimError(
                f"routing: who serves out leaves {model.contact_types[contact_type]}, which is "
                "carried over; answer None, or another contact"
            )
        if not model.skills.priority[group, contact_type]:
            raise CcsimError(
                f"routing: {model.groups[group]} cannot take {model.contact_types[contact_type]}; "
                "choose an agent whose group has the skill"
            )
        centre.gives(agent, contact, now)


def _since(centre: Centre, agent: int) -> int:
    """Since when an agent who is free has been idle [µs]."""
    since = centre.idle_since[agent]
    assert since is not None
    return since


def _tidy(centre: Centre) -> None:
    """Take off the lists whoever no longer waits, or is no longer idle."""
    for queue in centre.queue:
        queue[:] = sorted(entry for entry in queue if centre.outcome[entry[2]] == WAITING)
    for idle in centre.idle:
        idle[:] = sorted({entry for entry in idle if centre.idle_since[entry[1]] == entry[0]})


def _checked(chosen: object, contacts: list[int], agents: list[int]) -> tuple[int, int]:
    """Contact and agent that a rule has chosen by their places."""
    match chosen:
        case (place, other) if hasattr(place, "__index__") and hasattr(other, "__index__"):
            first, second = index(place), index(other)
            if 0 <= first < len(contacts) and 0 <= second < len(agents):
                return contacts[first], agents[second]
    raise CcsimError(
        f"routing: {chosen!r} came; answer None, or the places of one of {len(contacts)} contacts "
        f"and of one of {len(agents)} agents, counted from 0"
    )


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
