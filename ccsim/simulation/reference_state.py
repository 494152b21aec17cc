"""How the reference engine goes on from a state."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from ccsim.demand.draw import content_id
from ccsim.demand.table import NEVER
from ccsim.simulation.state import State, Underway

if TYPE_CHECKING:
    from ccsim.simulation.reference import Centre

COLUMNS = tuple(field.name for field in fields(Underway) if field.name != "talk_ends")


def goes_on_from(centre: Centre, state: State) -> None:
    """Put everybody where the state has them; the clock shows its instant."""
    contacts, rows = state.contacts, centre.rows
    first = len(rows.arrival)
    for name in COLUMNS:
        getattr(rows, name).extend(getattr(contacts, name).tolist())
    content = content_id(contacts.origin, contacts.interval, contacts.ordinal)
    rows.content.extend((content + contacts.attempt).tolist())
    centre.stretch_of = state.stretch.tolist()
    centre.stretch_came, centre.stretch_left = state.came.tolist(), state.came.tolist()
    centre.comes_otherwise = set(np.flatnonzero(state.otherwise).tolist())
    for until, stretch in state.back.tolist():
        centre.comes_back(stretch, until)
    centre.handled = state.handled.tolist()
    centre.last_wait = state.last_wait.tolist()
    for agent in np.flatnonzero(state.idle_since < NEVER).tolist():
        centre.is_idle(agent, int(state.idle_since[agent]))
    for place in np.flatnonzero(state.waiting).tolist():
        _waits(centre, first + place)
    for place in np.flatnonzero(state.in_hand).tolist():
        agent, contact = int(contacts.agent[place]), first + place
        centre.busy[agent] = True
        centre.is_done_at(int(contacts.ended[place]), agent, contact)
        _talks(centre, contact, int(contacts.talk_ends[place]))
    for place in np.flatnonzero(state.to_come).tolist():
        centre.comes_later(first + place, int(contacts.arrival[place]))
    centre.nothing_until(state.lasts)


def _waits(centre: Centre, contact: int) -> None:
    """Whose patience or overflow is due at the instant itself: that is still to happen."""
    contact_type, called_back = centre.contact_type[contact], centre.rows.called_back[contact]
    waited = centre.env.now - centre.arrival[contact]
    centre.waits(contact, NEVER if called_back else centre.patience[contact], waited - 1)
    if centre.lines.needed(contact_type) and not called_back:
        centre.lines.free[centre.lines.group[contact_type]] -= 1


def _talks(centre: Centre, contact: int, until: int) -> None:
    """Hold a line; one whose talk is over is free."""
    if until >= centre.env.now:
        contact_type = centre.contact_type[contact]
        centre.lines.free[centre.lines.group[contact_type]] -= 1
        centre.lines.talks(contact_type, until)
