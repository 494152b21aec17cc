"""What an attempt leads to, in the reference engine: a redial, a repeat, a transfer, or a cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccsim.demand.draw import Comes, scale_one
from ccsim.simulation.log import MET, PASSED_ON, REDIAL
from ccsim.simulation.rules import Again

if TYPE_CHECKING:
    from ccsim.simulation.reference import Centre


def may_redial(centre: Centre, contact: int, moment: int) -> None:
    """Whoever gave up, or was turned away, at a moment may call again."""
    contact_type = centre.contact_type[contact]
    again = centre.draw.redial(centre.rows.key(contact), contact_type)
    if again is not None:
        why = centre.rows.again[contact] & MET | REDIAL
        _comes_again(centre, contact, moment, again, centre.model.redials, why)


def may_repeat(centre: Centre, contact: int, below: int, end: int) -> None:
    """Whoever was answered and is not done with the matter may contact again."""
    contact_type = centre.contact_type[contact]
    unresolved, again = centre.draw.unresolved(centre.rows.key(contact), contact_type, below)
    centre.rows.unresolved[contact] = unresolved
    if again is not None:
        _comes_again(centre, contact, end, again, centre.model.repeats, MET)


def pass_on(centre: Centre, contact: int, group: int, end: int) -> None:
    """Whoever is passed on queues for another contact type as soon as the agent is done."""
    skills, contact_type = centre.model.skills, centre.contact_type[contact]
    centre.rows.transferred[contact] = True
    _tries(
        centre, contact, end,
        to=int(skills.transfer_to[group, contact_type]),
        longer=int(skills.context_lost[group, contact_type]),
        at_most=int(skills.transfers_at_most[group, contact_type]),
        why=MET | PASSED_ON,
    )  # fmt: skip


def _comes_again(
    centre: Centre, contact: int, moment: int, again: Comes, rules: Again, why: int
) -> None:
    """After a delay, and perhaps elsewhere: by the uniform that made her come again at all."""
    contact_type, (delay, uniform, below) = centre.contact_type[contact], again
    arrival = centre.model.later(
        contact_type, moment, delay, opening=bool(rules.while_open[contact_type])
    )
    elsewhere = uniform < scale_one(below, int(rules.elsewhere_ppm[contact_type]))
    _tries(
        centre, contact, arrival,
        to=int(rules.to[contact_type]) if elsewhere else contact_type,
        longer=0,
        at_most=int(rules.at_most[contact_type]),
        why=why,
    )  # fmt: skip


def _tries(
    centre: Centre, contact: int, arrival: int, to: int, longer: int, at_most: int, why: int
) -> None:
    """Append the next attempt of a request, unless it is cut.

    It takes as long as the last one; for another contact type it is drawn anew.
    """
    rows, draw = centre.rows, centre.draw
    if rows.attempt[contact] >= at_most or arrival >= centre.model.end:
        rows.cut[contact] = True
        return
    later = rows.next_attempt(contact, to, arrival, why)
    key = rows.key(later)
    rows.patience[later] = draw.patience(key, to)
    if to != rows.contact_type[contact]:
        rows.drawn[later] = key[3]
        rows.handle_time[later] = draw.handle_time(key, to, arrival)
    rows.handle_time[later] += longer
    centre.comes_later(later, arrival)
