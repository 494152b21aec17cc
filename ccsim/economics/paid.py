"""What a plan costs before the first call: paid time, its chain down to the floor, certain cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from ccsim.economics.contracts import (
    GroupUsage,
    InvoiceLine,
    bill_in_house,
    in_cents,
    paid_per_scheduled,
)
from ccsim.economics.money import cent, exact
from ccsim.plans.plan import StaffingPlan
from ccsim.scenario.calendar import Grid
from ccsim.scenario.case import Case
from ccsim.scenario.model import AgentGroup, InHouse, Scenario, Shrinkage


@dataclass(frozen=True)
class PaidChain:
    """What remains of one paid hour: scheduled, and on the floor.

    Breaks are not in the chain: they are placed in the shift, where the plan shows them.
    """

    paid: float
    scheduled: float
    on_the_floor: float

    @property
    def paid_per_floor_hour(self) -> float:
        """Paid hours for one hour on the floor."""
        return self.paid / self.on_the_floor

    def __str__(self) -> str:
        return (
            f"100 h paid → {100 * self.scheduled:.1f} h scheduled → "
            f"{100 * self.on_the_floor:.1f} h on the floor"
        )


def paid_chain(group: AgentGroup) -> PaidChain:
    """Follow a paid hour through shrinkage: paid, scheduled, on the floor.

    Notes
    -----
    on the floor = paid · (1 - paid_not_scheduled) · (1 - unplanned). The parts multiply, because
    absence strikes scheduled hours only: 10 % and 20 % together are 28 %, not 30 %. So paid hours
    for the same floor are the same whichever part a percentage is declared as, and for every split
    with the same product (1 - paid_not_scheduled) · (1 - unplanned).

    Examples
    --------
    >>> print(paid_chain(AgentGroup(
    ...     skills={}, rate_card="own",
    ...     shrinkage=Shrinkage(unplanned="8%", paid_not_scheduled="18%"),
    ... )))
    100 h paid → 82.0 h scheduled → 75.4 h on the floor
    """
    scheduled = 1 / paid_per_scheduled(group.shrinkage)
    return PaidChain(
        1.0, float(scheduled), float(scheduled * (1 - exact(group.shrinkage.unplanned)))
    )


def loaded_hour(card: InHouse, shrinkage: Shrinkage) -> Fraction:
    """Cost of one scheduled paid hour with leave, training and on-cost [currency], exact.

    Examples
    --------
    >>> from ccsim.scenario.units import parse_money
    >>> card = InHouse(paid_hour=parse_money("21 USD"), on_cost="30%")
    >>> float(loaded_hour(card, Shrinkage(paid_not_scheduled="20%")))
    34.125
    """
    return (
        Fraction(card.paid_hour.amount) * paid_per_scheduled(shrinkage) * (1 + exact(card.on_cost))
    )


def paid_time(plan: StaffingPlan, case: Case, group: str) -> int:
    """Scheduled paid time of an agent group over the horizon [µs].

    Raises
    ------
    ValueError
        The group is not in the scenario.

    Notes
    -----
    Shifts count in full, without their unpaid breaks, in the horizon in which they start. Agents by
    interval count interval by interval. Absence strikes both when the day is simulated: whoever is
    absent was scheduled and is paid. Leave and training are not in it; they are billed.
    """
    return _paid_us(case.scenario, plan, case.grid, group)


def schedule_cost(scenario: Scenario, plan: StaffingPlan, grid: Grid) -> Decimal:
    """Certain cost of a plan, to the cent: own agents' wages, leave, training and on-cost.

    What depends on the calls is not in it: work past shift end, and whatever a partner bills.
    """
    none = np.zeros(1, dtype=np.int64)
    lines: list[InvoiceLine] = []
    for name, group in scenario.agent_groups.items():
        card = scenario.rate_cards[group.rate_card]
        if isinstance(card, InHouse):
            usage = GroupUsage(name, _paid_us(scenario, plan, grid, name), none, {}, none)
            lines += bill_in_house(usage, card, group.shrinkage)
    return sum((line.amount for line in in_cents(lines)), cent(scenario.currency) * 0)


def _paid_us(scenario: Scenario, plan: StaffingPlan, grid: Grid, group: str) -> int:
    if group not in scenario.agent_groups:
        known = ", ".join(scenario.agent_groups)
        raise ValueError(f"group={group!r} is not an agent group of the scenario ({known})")
    shifts = sum(placed.paid * placed.agents for placed in plan.schedule if placed.group == group)
    return shifts + sum(plan.by_interval.get(group, ())) * grid.interval_us
