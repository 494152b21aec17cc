"""What a sample costs: usage of every agent group, billed by its rate card."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.model import DemandModel, compile_demand
from ccsim.economics import CostBreakdown, GroupUsage, paid_time, price
from ccsim.performance.sample import Sample
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.scenario.model import Partner
from ccsim.scenario.units import MICROSECONDS


def price_sample(case: Case, plan: StaffingPlan, sample: Sample) -> CostBreakdown:
    """Bill every replication of a sample and allocate the cost to contact types.

    Parameters
    ----------
    case, plan : Case, StaffingPlan
        What was simulated.
    sample : Sample
        What was measured.

    Returns
    -------
    CostBreakdown
        Mean amounts to the cent, and the cost of each replication.
    """
    scenario = case.scenario
    types = list(scenario.contact_types)
    agreed = _agreed_forecast(case, compile_demand(case))
    usages = [
        GroupUsage(
            group=group,
            paid_us=paid_time(plan, case, group),
            after_shift_us=sample.group_measure("after_shift")[:, index].sum(axis=1),
            handled_us={
                name: sample.handled[:, index, number]
                for number, name in enumerate(types)
                if name in scenario.agent_groups[group].skills
            },
            on_the_floor_us=sample.group_measure("on_the_floor")[:, index].sum(axis=1),
            forecast_handled_us=agreed[group],
        )
        for index, group in enumerate(scenario.agent_groups)
    ]

    def by_type(measure: str) -> dict[str, NDArray[np.int64]]:
        totals = sample.measure(measure).sum(axis=2)
        return {name: totals[:, number] for number, name in enumerate(types)}

    return price(
        scenario,
        usages,
        handled=by_type("answered"),
        offered=by_type("offered"),
        requests=by_type("requests"),
    )


def _agreed_forecast(case: Case, demand: DemandModel) -> dict[str, int]:
    """Handling that a partner's contract expects [µs]; no plan changes it."""
    scenario = case.scenario
    agreed = {}
    for name, group in scenario.agent_groups.items():
        card = scenario.rate_cards[group.rate_card]
        share = card.forecast_share if isinstance(card, Partner) else 0.0
        seconds = sum(
            float(given.expected.sum()) * given.mean_handle_seconds
            for given in demand.contact_types
            if given.name in group.skills
        )
        agreed[name] = round(share * seconds * MICROSECONDS)
    return agreed
