"""The rules of a centre in words: who gets in, who meets whom, and who comes again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ccsim.statistics.writing import plural

if TYPE_CHECKING:
    from ccsim.scenario import Case
    from ccsim.scenario.model import ContactType, Scenario, Skill, Transfer


def routing(case: Case) -> list[str]:
    """Limits, and what is special about a skill; a plain centre has nothing to say."""
    scenario, lines = case.scenario, []
    for name, given in scenario.contact_types.items():
        said = [*_limits(scenario, given), *_order(given), *_told(given), *_again(given)]
        if said:
            lines.append(f"{name}: {'; '.join(said)}")
        able = {g: one for g, one in scenario.agent_groups.items() if name in one.skills}
        special = any(one.ring or _is_special(one.skills[name]) for one in able.values())
        for group, one in able.items() if special else ():
            lines.append(f"{name} by {group}: {', '.join(_skill(one.skills[name], one.ring))}")
    return lines


_AT_CLOSING = {
    "clear": "who still waits at closing is disconnected",
    "carry_over": "who still waits at closing keeps the place in the queue",
}
_CHOSEN = {
    "least_handling": "who has handled least so far",
    "at_random": "whom chance picks",
    "in_order": "who is first in the plan",
}


def _limits(scenario: Scenario, given: ContactType) -> Iterator[str]:
    if given.line_group is not None:
        there = plural(scenario.line_groups[given.line_group].lines, "line")
        yield f"shares {there} ({given.line_group}), whoever comes beyond is blocked"
    if given.queue_limit is not None:
        yield f"at most {given.queue_limit} wait, whoever comes beyond is blocked"
    if given.at_closing in _AT_CLOSING:
        yield _AT_CLOSING[given.at_closing]


def _order(given: ContactType) -> Iterator[str]:
    if given.head_start:
        from ccsim.scenario.units import write_duration

        yield f"goes {write_duration(given.head_start)} ahead in the queue"
    if given.ageing != 1:
        yield f"a minute of its wait counts as {given.ageing:g}"
    if given.agent_choice in _CHOSEN:
        yield f"of several free agents the one {_CHOSEN[given.agent_choice]}"


def _again(given: ContactType) -> Iterator[str]:
    if given.repeat is not None:
        yield f"unresolved contacts come back, at most {given.repeat.at_most} later ones"
    for again, word in ((given.redial, "call again"), (given.repeat, "come back")):
        if again is not None and again.elsewhere is not None:
            share, to = again.elsewhere.share, again.elsewhere.to
            yield f"{share:.1%} of those who {word} try {to} instead"


def _skill(skill: Skill, ring: int) -> Iterator[str]:
    from ccsim.scenario.units import write_duration

    yield f"priority {skill.priority}"
    if skill.contact_priority not in (None, skill.priority):
        yield f"a contact looks there as number {skill.contact_priority}"
    if skill.after:
        yield f"once it has waited {write_duration(skill.after)}"
    if skill.reserve:
        yield f"while more than {skill.reserve} of them are free"
    if ring:
        yield f"rings for {write_duration(ring)}"
    if skill.handle_time != 1:
        yield f"handle time × {skill.handle_time:g}"
    if skill.resolution != 1:
        yield f"{skill.resolution:.1%} resolved"
    if skill.transfer is not None:
        yield from _passed_on(skill.transfer)


def _told(given: ContactType) -> Iterator[str]:
    """What is said of the announced wait, and of what follows."""
    from ccsim.scenario.units import write_duration

    told, callback = given.announced_wait, given.callback
    if told is not None:
        yield (
            "the wait of whoever was taken last is announced"
            if told.estimate == "last_answered"
            else f"{write_duration(told.per_waiting or 0)} a place in the queue are announced"
        )
        if told.balking is not None:
            yield f"who is told more than {told.balking:g} × her patience hangs up at once"
    if callback is not None:
        yield (
            f"from {write_duration(callback.offered_from)} on a callback is offered, "
            f"{callback.accepted:.1%} accept, {callback.reached:.1%} of them are reached"
        )
        if callback.dialling:
            yield f"calling one takes {write_duration(callback.dialling)}"


def _passed_on(transfer: Transfer) -> Iterator[str]:
    from ccsim.scenario.units import write_duration

    yield f"{transfer.probability:.1%} passed on to {transfer.to}"
    if transfer.handle_time != 1:
        yield f"after {transfer.handle_time:g} × the handle time"
    if transfer.context_lost:
        yield f"where it takes {write_duration(transfer.context_lost)} longer"


def _is_special(skill: Skill) -> bool:
    return bool(skill.model_dump(exclude={"priority"}, exclude_defaults=True))
