"""What has to fit together in who gets in, who meets whom, and who comes again."""

from __future__ import annotations

from collections.abc import Iterator

from ccsim.errors import Problem
from ccsim.scenario.hours import DAY_MINUTES
from ccsim.scenario.model import AgentGroup, Scenario
from ccsim.scenario.problems import At, Check


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
        skills = [g.skills[name] for g in scenario.agent_groups.values() if name in g.skills]
        if contact_type.repeat is not None and all(skill.resolution == 1 for skill in skills):
            message = (
                "every contact is resolved, so nobody repeats; write a 'resolution' below 100% "
                f"in the skill {name} of an agent group"
            )
            yield at(("contact_types", name, "repeat"), message)


def closing_can_clear(scenario: Scenario, at: At) -> Iterator[Problem]:
    """What is cleared at closing closes."""
    for name, contact_type in scenario.contact_types.items():
        around_the_clock = all(spans == ((0, DAY_MINUTES),) for spans in scenario.hours(name).spans)
        if contact_type.at_closing == "clear" and around_the_clock:
            message = "it never closes, so nobody is cleared; write when it is 'open'"
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


ROUTING_CHECKS: tuple[Check, ...] = (
    redials_can_happen,
    unresolved_contacts_repeat,
    closing_can_clear,
    contacts_reach_somebody,
)
