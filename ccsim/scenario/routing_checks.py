"""What has to fit together in who gets in, who meets whom, and who comes again."""

from __future__ import annotations

from collections.abc import Iterator

from ccsim.errors import Problem
from ccsim.scenario.hours import DAY_MINUTES
from ccsim.scenario.model import AgentGroup, Partner, Scenario
from ccsim.scenario.problems import At, Check
from ccsim.scenario.units import write_duration


def redials_can_happen(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Who redials has abandoned or was blocked; counts that hold redials say how many did."""
    for name, contact_type in scenario.contact_types.items():
        redial, demand = contact_type.redial, contact_type.demand
        here = ("contact_types", name)
        limited = contact_type.line_group is not None or contact_type.queue_limit is not None
        if redial is not None and contact_type.patience is None and not limited:
            message = "nobody gives up without patience, so nobody redials; write a patience"
            yield at((*here, "redial"), message)
        if "redials" not in demand.includes:
            continue
        path = (*here, "demand", "includes")
        if redial is None:
            yield at(path, "redials are counted, but there is no 'redial'; write who calls again")
        elif redial.probability * (demand.observed_abandonment or 0.0) >= 1:
            message = (
                "everybody abandoned and everybody calls again, so no fresh demand is left; "
                "lower observed_abandonment or redial.probability"
            )
            yield at(path, message)


def unresolved_contacts_repeat(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Who repeats has a matter that was not resolved."""
    for name, contact_type in scenario.contact_types.items():
        able = [group for group in scenario.agent_groups.values() if name in group.skills]
        settles_all = all(group.least_resolution(name) == 1 for group in able)
        if contact_type.repeat is not None and settles_all:
            message = (
                "every contact is resolved, so nobody repeats; write a 'resolution' below 100% "
                f"in the skill {name} of an agent group"
            )
            yield at(("contact_types", name, "repeat"), message)


def closing_happens(scenario: Scenario, at: At) -> Iterator[Problem]:
    """What is cleared or carried over at closing closes."""
    for name, contact_type in scenario.contact_types.items():
        around_the_clock = all(spans == ((0, DAY_MINUTES),) for spans in scenario.hours(name).spans)
        if contact_type.at_closing != "serve" and around_the_clock:
            message = "it never closes, so nobody waits at closing; write when it is 'open'"
            yield at(("contact_types", name, "at_closing"), message)


def contacts_reach_somebody(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Overflow and thresholds leave somebody who takes a contact."""
    for name in scenario.contact_types:
        able = {g: group for g, group in scenario.agent_groups.items() if name in group.skills}
        if able and all(group.skills[name].after for group in able.values()):
            message = "every group waits before it takes one; leave 'after' out of one of them"
            yield at(("agent_groups", next(iter(able)), "skills", name, "after"), message)
        for group_name, group in able.items():
            reserve, most = group.skills[name].reserve, _most_agents(scenario, group)
            if most is not None and reserve >= most:
                message = f"{reserve} of at most {most} agents are kept free, so none takes it"
                path = ("agent_groups", group_name, "skills", name, "reserve")
                yield at(path, f"{message}; lower it")


def others_are_others(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Who goes to another contact type leaves this one, and counts know nothing of that."""
    for name, given in scenario.contact_types.items():
        for field, again in (("redial", given.redial), ("repeat", given.repeat)):
            path = ("contact_types", name, field, "elsewhere")
            if again is None or again.elsewhere is None:
                continue
            if again.elsewhere.to == name:
                yield at((*path, "to"), f"{name} is where they were; name another contact type")
            if f"{field}s" in given.demand.includes:
                message = (
                    f"the demand counts {field}s, and those who try {again.elsewhere.to} are not "
                    f"among them; leave {field}s out of 'includes' and write the fresh demand"
                )
                yield at(path, message)
    for group, one in scenario.agent_groups.items():
        for name, skill in one.skills.items():
            if skill.transfer is not None and skill.transfer.to == name:
                where = ("agent_groups", group, "skills", name, "transfer", "to")
                yield at(where, f"{name} is where they are; name another contact type")


def waits_are_announced(scenario: Scenario, at: At) -> Iterator[Problem]:
    """What depends on the announced wait has one, and can be worked out."""
    for name, given in scenario.contact_types.items():
        here, told = ("contact_types", name), given.announced_wait
        if given.callback is not None and told is None:
            message = "it is offered by the announced wait, and none is; write announced_wait: {}"
            yield at((*here, "callback"), message)
        if told is None:
            continue
        by_position = told.estimate == "by_position"
        if by_position and not told.per_waiting:
            message = "by_position needs to know how much each place adds; write per_waiting: 20 s"
            yield at((*here, "announced_wait", "estimate"), message)
        if not by_position and told.per_waiting is not None:
            message = "only estimate: by_position uses it; write that, or leave it out"
            yield at((*here, "announced_wait", "per_waiting"), message)
        if told.balking is not None and given.patience is None:
            message = "nobody hangs up without patience; write a patience, or leave balking out"
            yield at((*here, "announced_wait", "balking"), message)


def somebody_waits_for_the_ring(scenario: Scenario, at: At) -> Iterator[Problem]:
    """A phone that rings longer than anybody waits is never answered."""
    for group, one in scenario.agent_groups.items():
        for name in one.skills:
            patience = given.patience if (given := scenario.contact_types.get(name)) else None
            constant = None if patience is None else patience.constant
            if constant is not None and one.ring > constant.value:
                message = (
                    f"it rings for {write_duration(one.ring)}, and all who call {name} give up "
                    f"after {write_duration(constant.value)}; shorten it"
                )
                yield at(("agent_groups", group, "ring"), message)


def late_breaks_are_planned(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Only a shift has breaks."""
    for group, one in scenario.agent_groups.items():
        if one.late_break != "keeps_end" and not one.shifts:
            message = "the group is staffed by interval and has no breaks; give it shifts"
            yield at(("agent_groups", group, "late_break"), message)


def _most_agents(scenario: Scenario, group: AgentGroup) -> int | None:
    """The most who can be on the floor, if there is a limit."""
    card = scenario.rate_cards.get(group.rate_card)
    limits = [group.agents, group.maximum_staff, getattr(card, "capacity", None)]
    return min((limit for limit in limits if limit is not None), default=None)


def routing_remarks(scenario: Scenario) -> Iterator[str]:
    """What is no mistake, yet worth saying."""
    needed = {given.line_group for given in scenario.contact_types.values()}
    for name in scenario.line_groups:
        if name not in needed:
            yield f"line group {name} is used by no contact type"
    for name, given in scenario.contact_types.items():
        told = given.announced_wait
        if told is not None and told.balking is None and given.callback is None:
            yield f"{name}: nothing follows from the announced wait; write balking or a callback"
        overnight = given.at_closing == "carry_over" and told is not None
        if overnight and told is not None and told.estimate == "last_answered":
            yield (
                f"{name}: in the morning the wait of whoever was carried over is announced, the "
                "night included; by_position knows no nights"
            )
        for other in sorted(scenario.next_types(name)):
            if scenario.hours(other).spans != scenario.hours(name).spans:
                yield f"{name}: whoever goes on to {other} may find it closed"
    for group, one in scenario.agent_groups.items():
        card, group_card = scenario.rate_cards.get(one.rate_card), one.rate_card
        if (
            isinstance(card, Partner)
            and card.minimum
            and any(
                name in scenario.next_types(other)
                for name in one.skills
                for other in scenario.contact_types
            )
        ):
            yield (
                f"{group}: the forecast of {group_card} counts requests of its own contact types, "
                "and not what is passed on to them"
            )


ROUTING_CHECKS: tuple[Check, ...] = (
    redials_can_happen,
    unresolved_contacts_repeat,
    closing_happens,
    others_are_others,
    waits_are_announced,
    somebody_waits_for_the_ring,
    late_breaks_are_planned,
    contacts_reach_somebody,
)
