"""Every way to reduce a centre to something that is known exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ccsim.plans import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.verification.centres import Centre, centre_of
from ccsim.verification.log_rules import as_written
from ccsim.verification.playing import Reduction
from ccsim.verification.whole_day import own_day
from ccsim.verification.with_waiting import full_lines, one_agent, own_patience, two_classes
from ccsim.verification.without_waiting import (
    absent_agents,
    as_counted,
    endless_agents,
    nobody_there,
    not_settled,
    what_comes,
)

REDUCTIONS: tuple[Callable[[Centre], Iterator[Reduction]], ...] = (
    as_written,
    what_comes,
    as_counted,
    absent_agents,
    endless_agents,
    nobody_there,
    not_settled,
    own_day,
    own_patience,
    one_agent,
    two_classes,
    full_lines,
)
"""Every way to reduce a centre, from next to nothing taken away to next to nothing left. A new
behaviour adds a function here: it gives a centre of which something is known exactly."""


def reductions(case: Case, plan: StaffingPlan) -> tuple[Reduction, ...]:
    """Every reduction that applies to a centre with a roster."""
    centre = centre_of(case, plan)
    return tuple(one for reduce in REDUCTIONS for one in reduce(centre))
