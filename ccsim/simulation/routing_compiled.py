"""Who meets whom, in machine code: what `reference_routing.py` says."""

from __future__ import annotations

from typing import Any

from ccsim.demand.machine_code_compiled import compiled
from ccsim.simulation.agenda_compiled import content
from ccsim.simulation.attempts_compiled import any_of, scaled
from ccsim.simulation.laid_out import LATER

# As in `ccsim.simulation.rules.CHOICES`.
LONGEST_IDLE, LEAST_HANDLING, AT_RANDOM, IN_ORDER = range(4)

# As in `ccsim.simulation.engine_compiled`.
_LAYOUT = 0x4CDD46BF


@compiled
def next_contact(
    centre: Any, floor: Any, rows: Any, group: Any, now: Any, serving_out: Any, varied: Any
) -> Any:
    """Find the waiting contact of best priority, then of most points, or -1.

    Who serves out minds neither reserves nor how long a contact has waited, and leaves those whose
    contact type carries them over.
    """
    best = -1
    best_key = LATER
    free = floor.free[group] + 1
    for place in range(centre.types_first[group], centre.types_first[group + 1]):
        contact_type = centre.types[place]
        row = floor.queue_first[contact_type]
        if row < 0:
            able = False
        elif varied is None:
            able = True
        elif serving_out:
            able = not centre.carries_over[contact_type]
        else:
            able = now - rows.arrival[row] >= centre.types_after[place]
            able &= free > centre.types_reserve[place]
        if able:
            key = rows.arrival[row] - centre.head_start[contact_type]
            if varied is not None:
                waited = scaled(now - rows.arrival[row], centre.ageing[contact_type])
                key = -(waited + centre.head_start[contact_type])
            if key < best_key or (key == best_key and content(rows, row) < content(rows, best)):
                best, best_key = row, key
        if best >= 0 and centre.types_last[place]:
            break
    return best


@compiled
def free_agent(centre: Any, floor: Any, contact_type: Any, waited: Any, varied: Any) -> Any:
    """Find the free agent of best priority, then idle for longest, or -1."""
    best = -1
    for place in range(centre.groups_first[contact_type], centre.groups_first[contact_type + 1]):
        group = centre.groups[place]
        agent = floor.idle_first[group]
        if (
            agent >= 0
            and (
                varied is None
                or (
                    waited >= centre.groups_after[place]
                    and floor.free[group] > centre.groups_reserve[place]
                )
            )
            and (
                best < 0
                or floor.idle_since[agent] < floor.idle_since[best]
                or (floor.idle_since[agent] == floor.idle_since[best] and agent < best)
            )
        ):
            best = agent
        if best >= 0 and centre.groups_last[place]:
            break
    return best


@compiled
def another(
    centre: Any, chance: Any, floor: Any, rows: Any, row: Any, waited: Any, agent: Any, member: Any
) -> Any:
    """Choose by another rule among all who are free with the priority of an agent who is."""
    contact_type = rows.contact_type[row]
    rule = centre.agent_choice[contact_type]
    first, past = centre.groups_first[contact_type], centre.groups_first[contact_type + 1]
    begins, ends, found, number = first, first, False, 0
    for place in range(first, past):  # the groups of that priority, and how many of them are free
        group = centre.groups[place]
        found |= group == centre.group_of[agent]
        if (
            waited >= centre.groups_after[place]
            and floor.free[group] > centre.groups_reserve[place]
        ):
            number += floor.free[group]
        ends = place + 1
        if centre.groups_last[place]:
            if found:
                break
            begins, number = ends, 0
    # At random: who has so many in front of her in the order of the plan; else the first of all.
    ahead = any_of(chance, rows, row, number, member) if rule == AT_RANDOM else 0
    passed, best = -1, -1
    while ahead >= 0:
        best = -1
        for place in range(begins, ends):
            group = centre.groups[place]
            able = waited >= centre.groups_after[place]
            able &= floor.free[group] > centre.groups_reserve[place]
            agent = floor.idle_first[group] if able else -1
            while agent >= 0:
                sooner = agent < best
                if rule == LEAST_HANDLING and best >= 0:
                    less = floor.handled[best] - floor.handled[agent]
                    sooner = less > 0 or (less == 0 and sooner)
                if agent > passed and (best < 0 or sooner):
                    best = agent
                agent = floor.idle_after[agent]
        passed, ahead = best, ahead - 1
    return best
