"""What has to fit together in when agents are there, and in how they differ."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ccsim.errors import Problem
from ccsim.scenario.model import Scenario
from ccsim.scenario.problems import At, Check
from ccsim.scenario.units import write_duration


def lateness_has_a_shift(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Who logs in, is late or leaves early has a shift, which log-in does not use up."""
    for name, group in scenario.agent_groups.items():
        lost = group.shrinkage
        given = [field for field in ("log_in", "late", "leaves_early") if getattr(lost, field)]
        for field in given if not group.shifts else ():
            message = (
                "the group is staffed by interval, so there is no shift that begins or ends; "
                "give it shifts, or leave it out"
            )
            yield at(("agent_groups", name, "shrinkage", field), message)
        lengths = [scenario.shifts[kind].length for kind in group.shifts if kind in scenario.shifts]
        if lost.log_in and lengths and lost.log_in >= min(lengths):
            message = (
                f"{write_duration(lost.log_in)} are all of a shift of "
                f"{write_duration(min(lengths))}; shorten it"
            )
            yield at(("agent_groups", name, "shrinkage", "log_in"), message)


def tenures_are_parts(scenario: Scenario, at: At) -> Iterator[Problem]:
    """An agent is of one tenure or of none."""
    for name, group in scenario.agent_groups.items():
        total = sum(tenure.share for tenure in group.tenure.values())
        if total > 1 + 1e-9:
            message = f"the shares add to {total:.2%}, more than all agents; lower one of them"
            yield at(("agent_groups", name, "tenure"), message)


def agent_remarks(scenario: Scenario) -> Iterator[str]:
    """What is no mistake, yet has no effect in this horizon."""
    end = scenario.horizon.start + timedelta(days=scenario.horizon.days)
    for name, group in scenario.agent_groups.items():
        for label, one in group.learning.items():
            if one.start + timedelta(microseconds=one.lag) >= end:
                yield f"{name}: what {label} teaches is not felt before the horizon ends"


AGENT_CHECKS: tuple[Check, ...] = (lateness_has_a_shift, tenures_are_parts)
