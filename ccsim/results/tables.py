"""Tidy tables of results: one row, one thing said of it; every estimate with its limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ccsim.demand.attendance import expected_agents
from ccsim.economics import CostBreakdown
from ccsim.performance.promises import Kept
from ccsim.performance.sample import Sample
from ccsim.performance.tables import (
    contact_type_table,
    group_table,
    interval_table,
    promise_table,
)
from ccsim.plans import StaffingPlan, scheduled_agents
from ccsim.results.figures import cost_per_request, differences, standing, total_cost
from ccsim.results.wording import variant_name
from ccsim.scenario import Case
from ccsim.staffing import Requirement
from ccsim.staffing.adjust import present_agents
from ccsim.staffing.planner import Planned
from ccsim.statistics import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from ccsim.results.kinds import Simulation


def sample_tables(
    case: Case,
    plan: StaffingPlan,
    sample: Sample,
    kept: Sequence[Kept],
    cost: CostBreakdown,
) -> dict[str, pd.DataFrame]:
    """The tidy tables of a simulated plan."""
    scenario, grid = case.scenario, case.grid
    return {
        "promises": promise_table(kept),
        "contact_types": contact_type_table(sample, scenario, grid),
        "days": contact_type_table(sample, scenario, grid, by_day=True),
        "intervals": interval_table(sample, scenario, grid),
        "agent_groups": group_table(sample, scenario, grid),
        "scheduled": scheduled_table(case, plan),
        "cost": cost_table(cost),
    }


def requirement_table(case: Case, requirement: Requirement) -> pd.DataFrame:
    """One row for each interval and set of contact types: load [erlang], agents, formula.

    By Erlang A where customers abandon, else by Erlang C; both are approximate, each interval
    being taken by itself.
    """
    import pandas as pd

    parts = []
    for row in requirement.rows:
        labels = [text.split(" ") for text in case.grid.labels]
        parts.append(
            pd.DataFrame(
                {
                    "date": [day for day, _ in labels],
                    "start": [start for _, start in labels],
                    "contact_types": row.name,
                    "load": row.load,
                    "agents": row.agents,
                    "formula": row.method,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def scheduled_table(case: Case, plan: StaffingPlan) -> pd.DataFrame:
    """One row for each interval and agent group: scheduled on the floor, and expected there."""
    import pandas as pd

    cyclic = case.scenario.horizon.begins == "cyclic"
    scheduled = scheduled_agents(plan, case.grid, cyclic=cyclic)
    expected = expected_agents(plan, case)
    labels = [text.split(" ") for text in case.grid.labels]
    parts = []
    for name in case.scenario.agent_groups:
        agents = scheduled.get(name, np.zeros(case.grid.intervals))
        parts.append(
            pd.DataFrame(
                {
                    "date": [day for day, _ in labels],
                    "start": [start for _, start in labels],
                    "agent_group": name,
                    "scheduled": agents,
                    "expected_present": expected[name],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def coverage_table(case: Case, planned: Planned, plan: StaffingPlan) -> pd.DataFrame:
    """One row for each interval and set of contact types: required, present, over/under.

    Required is what the formula asks for; `aimed_at` is what the search asked of the schedule
    instead, after simulation showed where the day needs more and where it can do with less.
    """
    table = requirement_table(case, planned.formulas).rename(columns={"agents": "required"})
    present = present_agents(plan, case)
    table["aimed_at"] = np.concatenate([row.agents for row in planned.requirement.rows])
    table["expected_present"] = np.concatenate(
        [np.sum([present[group] for group in row.groups], axis=0) for row in planned.formulas.rows]
    )
    table["over_under"] = table["expected_present"] - table["required"]
    return table


def cost_table(cost: CostBreakdown) -> pd.DataFrame:
    """One row for each invoice line, with what drives it; the amounts add up to the total."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "agent_group": line.group,
                "item": line.item.replace("_", " "),
                "contact_type": line.contact_type or "",
                "amount": line.amount,
                "currency": line.currency,
                "driver": line.driver,
            }
            for line in cost.lines
        ]
    )


def search_table(planned: Planned) -> pd.DataFrame:
    """One row for each round of the search."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "look": look.number,
                "step": look.step,
                "cost": look.cost,
                "short_of_aim": len(look.short),
                "short_of_target": len(look.missed),
                "worst": look.short[0] if look.short else "",
            }
            for look in planned.looks
        ]
    )


def comparison_table(simulations: Sequence[Simulation]) -> pd.DataFrame:
    """One row for each variant: its costs, and how many promises are met by their interval."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "variant": variant_name(one.case),
                **_limits("cost", total_cost(one.cost, one.sample)),
                **_limits("cost_per_request", cost_per_request(one.cost, one.sample)),
                "currency": one.cost.currency,
                "promises": len(one.kept),
                "promises_met": sum(standing(kept)[0] == "met" for kept in one.kept),
            }
            for one in simulations
        ]
    )


def difference_table(simulations: Sequence[Simulation]) -> pd.DataFrame:
    """One row for each measure of each variant but the first: how much more, paired, with limits.

    Costs in the scenario's currency, shares as fractions, speed of answer in seconds.
    """
    import pandas as pd

    first, *others = simulations
    columns = ("variant", "against", "measure", "contact_type", "value", "lower", "upper")
    rows = [
        (
            variant_name(other.case),
            variant_name(first.case),
            one.measure,
            one.contact_type,
            one.estimate.value,
            one.estimate.lower,
            one.estimate.upper,
        )
        for other in others
        for one in differences(first, other)
    ]
    return pd.DataFrame(rows, columns=list(columns))


def variant_contact_types(simulations: Sequence[Simulation]) -> pd.DataFrame:
    """One row for each variant and contact type: counts and ratios with their limits."""
    import pandas as pd

    parts = []
    for one in simulations:
        table = contact_type_table(one.sample, one.case.scenario, one.case.grid)
        table.insert(0, "variant", variant_name(one.case))
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def _limits(name: str, estimate: Estimate) -> dict[str, float]:
    return {
        name: estimate.value,
        f"{name}_lower": estimate.lower,
        f"{name}_upper": estimate.upper,
    }
