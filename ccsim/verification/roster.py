"""A roster at once, where none is given: what the formulas ask for, interval by interval."""

from __future__ import annotations

import numpy as np

from ccsim.plans import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.staffing import required
from ccsim.staffing.requirement import covered_together


def simple_roster(case: Case) -> StaffingPlan:
    """Agents by interval as the formulas ask for them; shifts are not looked at.

    Contact types that share agents are sized together, and their groups share the number in
    proportion to the work that each could do. Given and least numbers of a group, its seats and its
    absence are kept to.
    """
    from ccsim.demand.model import compile_demand

    scenario, grid = case.scenario, case.grid
    requirement = required(case, compile_demand(case))
    single = {row.contact_types[0]: row for row in requirement.rows if len(row.contact_types) == 1}
    together = covered_together(scenario)
    by_interval = {}
    for names in (one for one in together if not any(set(one) < set(two) for two in together)):
        groups = {g: o for g, o in scenario.agent_groups.items() if set(o.skills) & set(names)}
        able = {name: sum(name in one.skills for one in groups.values()) for name in names}
        work = {
            group: np.sum([single[n].load / able[n] for n in names if n in one.skills], axis=0)
            for group, one in groups.items()
        }
        total = np.sum(list(work.values()), axis=0) if work else np.zeros(grid.intervals)
        is_open = np.any([grid.opening(scenario.hours(name)) for name in names], axis=0)
        for group, one in groups.items():
            part = work[group] / np.where(total > 0, total, 1.0)
            there = np.ceil(requirement.row(*names).agents * part - 1e-9)
            there = np.ceil(there / (1 - one.shrinkage.unplanned) - 1e-9)
            there = np.maximum(there, one.minimum_staff * is_open)
            if one.maximum_staff is not None:
                there = np.minimum(there, one.maximum_staff)
            if one.agents is not None:
                there = one.agents * is_open
            by_interval[group] = tuple(int(number) for number in there)
    return StaffingPlan(by_interval=by_interval)
