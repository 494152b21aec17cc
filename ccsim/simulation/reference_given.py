"""A contact given to an agent, in the reference engine: how it rings, how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccsim.demand.draw import scale_one
from ccsim.demand.model import PPM
from ccsim.demand.table import NEVER
from ccsim.simulation.log import Outcome
from ccsim.simulation.pace import handle_factor, unresolved_below
from ccsim.simulation.reference_attempts import may_redial, may_repeat, pass_on

if TYPE_CHECKING:
    from ccsim.simulation.reference import Centre

ANSWERED, ABANDONED, UNREACHED = map(int, (Outcome.ANSWERED, Outcome.ABANDONED, Outcome.UNREACHED))


def is_given(centre: Centre, agent: int, contact: int, now: int) -> tuple[int, int]:
    """When it is picked up, or no more, and when the agent is done; what follows from that."""
    group, contact_type = centre.group_of[agent], centre.contact_type[contact]
    called_back = centre.rows.called_back[contact]
    centre.last_wait[contact_type] = now - centre.arrival[contact]
    if called_back:
        picked_up = now + int(centre.model.announcing.dialling[contact_type])
        _, answers = centre.draw.callback(centre.rows.key(contact))
        outcome = ANSWERED
        if answers >= centre.model.announcing.reached_below[contact_type]:
            outcome = UNREACHED
    else:
        picked_up, outcome = now + int(centre.model.ring[group]), ANSWERED
        patience, arrival = centre.patience[contact], centre.arrival[contact]
        if patience < NEVER and arrival + patience < picked_up:
            outcome, picked_up = ABANDONED, arrival + patience
    ends = picked_up
    if centre.model.cut and picked_up >= centre.model.end:
        centre.ringing.append(contact)  # the end of the run comes first
        outcome = ANSWERED
    elif outcome == ANSWERED:
        ends += _handled(centre, agent, contact, picked_up)
    elif outcome == ABANDONED:
        may_redial(centre, contact, picked_up)
    if outcome != ANSWERED and not called_back and centre.lines.needed(contact_type):
        centre.lines.talks(contact_type, picked_up)
    centre.outcome[contact] = outcome
    centre.handled[agent] += ends - now
    return picked_up, ends


def _handled(centre: Centre, agent: int, contact: int, now: int) -> int:
    """How long it takes this agent, and what follows from that."""
    group, stretch = centre.group_of[agent], centre.stretch_of[agent]
    contact_type, skills, draw = centre.contact_type[contact], centre.model.skills, centre.draw
    below = int(skills.transfer_below[group, contact_type])
    passed_on = below > 0 and draw.transferred(centre.rows.key(contact), below)
    handle_ppm = handle_factor(centre.handle_ppm[group][contact_type], centre.pace[stretch])
    handle_time = scale_one(centre.handle_time[contact], handle_ppm)
    wrap_up, on_a_line = 0, centre.lines.needed(contact_type)
    on_a_line = on_a_line and not centre.rows.called_back[contact]
    if on_a_line:
        key = centre.rows.key_of_length(contact)
        wrap_up = scale_one(draw.wrap_up(key, contact_type), handle_ppm)
    if passed_on:
        shorter = int(skills.transfer_ppm[group, contact_type])
        handle_time, wrap_up = scale_one(handle_time, shorter), scale_one(wrap_up, shorter)
    if on_a_line:
        centre.lines.talks(contact_type, max(now, now + handle_time - wrap_up))
    below = centre.unresolved_below[group][contact_type]
    if centre.settles[stretch] != PPM:
        settled = int(skills.resolution_ppm[group, contact_type])
        below = unresolved_below(settled, centre.settles[stretch])
    if passed_on:
        pass_on(centre, contact, group, now + handle_time)
    elif below:
        may_repeat(centre, contact, below, now + handle_time)
    return handle_time
