"""Results that explain themselves: they print as a table, and hand out tidy tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.model import DemandModel
from ccsim.economics import MILLIONTHS, CostBreakdown
from ccsim.performance.promises import Kept
from ccsim.performance.sample import Sample
from ccsim.performance.tables import (
    LEVEL,
    contact_type_table,
    group_table,
    interval_table,
    promise_table,
)
from ccsim.plans import StaffingPlan, scheduled_agents
from ccsim.scenario import Case
from ccsim.staffing import Requirement, ValidBound
from ccsim.staffing.adjust import present_agents
from ccsim.staffing.planner import Planned
from ccsim.statistics import Estimate, paired_difference, paired_ratio_difference, ratio

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
"""Version of the JSON that results turn into."""


@dataclass(frozen=True, eq=False)
class Estimation:
    """What the formulas say: agents by interval, approximate, nothing simulated.

    Attributes
    ----------
    case : Case
        The scenario.
    demand : DemandModel
        Fresh demand and the distributions as tables.
    requirement : Requirement
        Agents on the floor for every set of contact types covered together.
    patience : dict of str to float
        Mean patience [s]; infinite where nobody gives up.
    """

    case: Case
    demand: DemandModel
    requirement: Requirement
    patience: dict[str, float]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name."""
        return {"requirement": requirement_table(self.case, self.requirement)}

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each set of contact types: peak and mean agents, load, formula."""
        import pandas as pd

        hours = self.case.grid.interval_us / 3.6e9
        rows = []
        for row in self.requirement.rows:
            is_open = row.load > 0
            rows.append(
                {
                    "contact types": " + ".join(row.contact_types),
                    "peak load [erlang]": round(float(row.load.max(initial=0)), 2),
                    "peak agents": int(row.agents.max(initial=0)),
                    "mean agents while open": round(float(row.agents[is_open].mean()), 2)
                    if is_open.any()
                    else 0.0,
                    "agent hours": round(float(row.agents.sum() * hours), 1),
                    "formula": f"{row.method}, approximate",
                }
            )
        return pd.DataFrame(rows)

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the version of its schema."""
        return _json("estimate", self.case, self.tables, summary=self.summary)

    def __str__(self) -> str:
        return _text(f"{self.case.title}: what the formulas ask for", self.summary)

    def _repr_html_(self) -> str:
        return _html(self.case.title, self.summary)


@dataclass(frozen=True, eq=False)
class Simulation:
    """What a plan does: every promise, cost and service with intervals.

    Attributes
    ----------
    case, plan : Case, StaffingPlan
        What was simulated.
    sample : Sample
        What was measured.
    cost : CostBreakdown
        What it costs.
    kept : tuple of Kept
        Each promise beside its estimate.
    seed : int
        Of every random number.
    given_plan : bool
        Whether the plan was given, or made from the formulas.
    """

    case: Case
    plan: StaffingPlan
    sample: Sample
    cost: CostBreakdown
    kept: tuple[Kept, ...]
    seed: int
    given_plan: bool

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name."""
        return sample_tables(self.case, self.plan, self.sample, self.kept, self.cost)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each promise, then cost: value, its interval, what was promised."""
        return summary_table(self.kept, self.cost, self.sample)

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the version of its schema."""
        return _json(
            "simulate",
            self.case,
            self.tables,
            summary=self.summary,
            seed=self.seed,
            replications=self.sample.replications,
        )

    def __str__(self) -> str:
        what = "the given plan" if self.given_plan else "a schedule made from the formulas"
        heading = f"{self.case.title}: {what}, {self.sample.replications} replications"
        return _text(heading, self.summary)

    def _repr_html_(self) -> str:
        return _html(self.case.title, self.summary)


@dataclass(frozen=True, eq=False)
class PlanResult:
    """The cheapest plan found, its certificate, its cost and two bounds.

    Attributes
    ----------
    case : Case
        The scenario.
    planned : Planned
        The search and what it came to.
    cost : CostBreakdown
        On the certificate's replications.
    schedule_cost : Decimal
        The certain part: paid time of the schedule.
    kept : tuple of Kept
        Each promise beside its estimate, on the certificate's replications.
    bound : ValidBound
        No plan that keeps the promises can be cheaper.
    seed : int
        The user's seed.
    """

    case: Case
    planned: Planned
    cost: CostBreakdown
    schedule_cost: Decimal
    kept: tuple[Kept, ...]
    bound: ValidBound
    seed: int

    @property
    def plan(self) -> StaffingPlan:
        """Who works when."""
        return self.planned.plan

    @property
    def sample(self) -> Sample:
        """What the certificate's replications measured."""
        return self.planned.sample

    @property
    def verdict(self) -> str:
        """``certified``, ``missed`` or ``not decided``."""
        return self.planned.certificate.verdict

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name."""
        tables = sample_tables(self.case, self.plan, self.sample, self.kept, self.cost)
        tables["coverage"] = coverage_table(self.case, self.planned.requirement, self.plan)
        tables["search"] = search_table(self.planned)
        return tables

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each promise, then cost."""
        return summary_table(self.kept, self.cost, self.sample)

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the version of its schema."""
        return _json(
            "plan",
            self.case,
            self.tables,
            summary=self.summary,
            seed=self.seed,
            verdict=self.verdict,
            certificate=str(self.planned.certificate).splitlines(),
            certificate_seed=self.planned.certificate_seed,
            attempts=len(self.planned.attempts),
            replications=self.sample.replications,
            cost=float(self.cost.total.mean),
            currency=self.cost.currency,
            valid_bound=self.bound.cost,
            model_bound=self.planned.solution.bound,
        )

    def __str__(self) -> str:
        return "\n".join(verdict_lines(self))

    def _repr_html_(self) -> str:
        return _html(f"{self.case.title}: {self.verdict}", self.summary)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Variants side by side on the same customers; the first is what the others differ from."""

    simulations: tuple[Simulation, ...]
    seed: int

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each variant: cost and service, and the paired difference from the first."""
        import pandas as pd

        first = self.simulations[0]
        rows = []
        for one in self.simulations:
            row: dict[str, object] = {"variant": one.case.variant or "as it stands"}
            row["cost"] = write_estimate(total_cost(one.cost, one.sample))
            row["cost difference"] = _difference(first, one)
            row["cost per request"] = write_estimate(cost_per_request(one.cost, one.sample))
            row["per request difference"] = _request_difference(first, one)
            missed = [kept for kept in one.kept if not _reached(kept)]
            row["promises reached"] = f"{len(one.kept) - len(missed)} of {len(one.kept)}"
            rows.append(row)
        return pd.DataFrame(rows)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name."""
        import pandas as pd

        parts = []
        for one in self.simulations:
            table = contact_type_table(one.sample, one.case.scenario, one.case.grid)
            table.insert(0, "variant", one.case.variant or "as it stands")
            parts.append(table)
        return {"comparison": self.summary, "contact_types": pd.concat(parts, ignore_index=True)}

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the version of its schema."""
        first = self.simulations[0]
        return _json(
            "compare",
            first.case,
            self.tables,
            summary=self.summary,
            seed=self.seed,
            replications=first.sample.replications,
        )

    def __str__(self) -> str:
        return _text(f"{self.simulations[0].case.scenario.name}: variants compared", self.summary)

    def _repr_html_(self) -> str:
        return _html(self.simulations[0].case.scenario.name, self.summary)


def total_cost(cost: CostBreakdown, sample: Sample) -> Estimate:
    """Expected cost of the horizon, in the scenario's currency."""
    blocks = sample.blocks(cost.total.per_replication) / MILLIONTHS
    return ratio(blocks, np.full(len(blocks), sample.block_size), LEVEL)


def cost_per_request(cost: CostBreakdown, sample: Sample) -> Estimate:
    """Cost per request: expected cost divided by expected requests."""
    over, under = cost.per_request
    return ratio(sample.blocks(over) / MILLIONTHS, sample.blocks(under), LEVEL)


def cost_per_handled(cost: CostBreakdown, sample: Sample) -> Estimate:
    """Cost per handled contact, all contact types together."""
    handled = sum(one.handled for one in cost.by_contact_type.values())
    over = sample.blocks(cost.total.per_replication) / MILLIONTHS
    return ratio(over, sample.blocks(np.asarray(handled)), LEVEL)


def write_estimate(estimate: Estimate, digits: int = 2, unit: str = "") -> str:
    """A value with its interval, or with the word that says why there is none.

    Examples
    --------
    >>> write_estimate(Estimate(0.8, 0.78, 0.82, 0.95, "simulated", 40), unit="%")
    '80.00% [78.00%, 82.00%]'
    """
    scale = 100 if unit == "%" else 1

    def said(value: float) -> str:
        return f"{value * scale:,.{digits}f}{unit}"

    if np.isnan(estimate.value):
        return "nothing offered"
    if np.isnan(estimate.lower):
        return f"{said(estimate.value)} (no interval: fewer than ten blocks)"
    return f"{said(estimate.value)} [{said(estimate.lower)}, {said(estimate.upper)}]"


def write_promised(kept: Kept, estimate: Estimate) -> str:
    """An estimate in the unit of its promise."""
    seconds = kept.promise.target.metric == "average speed of answer"
    return write_estimate(estimate, 1, " s") if seconds else write_estimate(estimate, 2, "%")


def summary_table(kept: Sequence[Kept], cost: CostBreakdown, sample: Sample) -> pd.DataFrame:
    """One row for each promise, then the cost."""
    import pandas as pd

    rows = [
        {
            "what": one.promise.name,
            "simulated [95% interval]": write_promised(one, one.estimate),
            "share of days": ""
            if one.share_of_days is None
            else write_estimate(one.share_of_days, 1, "%"),
            "tenth-worst day": ""
            if one.tenth_percentile is None
            else write_promised(one, one.tenth_percentile),
        }
        for one in kept
    ]
    money = {
        f"cost of the horizon [{cost.currency}]": total_cost(cost, sample),
        f"cost per request [{cost.currency}]": cost_per_request(cost, sample),
        f"cost per handled contact [{cost.currency}]": cost_per_handled(cost, sample),
    }
    rows += [
        {
            "what": name,
            "simulated [95% interval]": write_estimate(estimate),
            "share of days": "",
            "tenth-worst day": "",
        }
        for name, estimate in money.items()
    ]
    return pd.DataFrame(rows)


def verdict_lines(result: PlanResult) -> list[str]:
    """The verdict in ten lines."""
    planned, cost, sample = result.planned, result.cost, result.sample
    certificate = planned.certificate
    first = planned.looks[0]
    worst = min(
        (finding for finding in certificate.findings),
        key=lambda finding: (
            finding.estimate.value - finding.target
            if finding.sense == "at least"
            else finding.target - finding.estimate.value
        ),
    )
    shifts = sum(shift.agents for shift in result.plan.schedule)
    currency = cost.currency
    cheaper = planned.cheaper
    said = (
        f"formulas alone: {first.cost:,.2f} {currency} and every promise kept"
        if not first.missed
        else f"formulas alone: {first.cost:,.2f} {currency}, and simulation shows "
        f"{len(first.missed)} of {len(result.kept)} promises missed"
    )
    tried = (
        f"{cheaper.tried} tried, {cheaper.rejected} rejected at 95%, none passed"
        if cheaper.tried
        else "none tried"
    )
    return [
        f"{result.case.title}",
        f"{str(certificate).splitlines()[0]}; {sample.replications} replications",
        f"cost of the horizon: {write_estimate(total_cost(cost, sample))} {currency}",
        f"cost per request: {write_estimate(cost_per_request(cost, sample))} {currency}; "
        f"per handled contact: {write_estimate(cost_per_handled(cost, sample))} {currency}",
        f"closest promise: {worst.name}: {write_estimate(worst.estimate, 2, '%')}"
        if worst.target <= 1
        else f"closest promise: {worst.name}: {write_estimate(worst.estimate, 1, ' s')}",
        f"schedule: {shifts} shifts, {len(planned.looks)} looks, "
        f"{len(planned.attempts)} certification attempt(s)",
        said,
        f"no plan can beat {result.bound.cost:,.2f} {currency} (valid bound, conservation of work)",
        f"no schedule covering these requirements beats {planned.solution.bound:,.2f} {currency} "
        "(model bound)",
        f"one shift cheaper: {tried}",
    ]


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
    """One row for each interval and set of contact types: load, agents, service by the formula.

    The service level at the required agents is by Erlang A where customers abandon, else by
    Erlang C; both are approximate, each interval being taken by itself.
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
    labels = [text.split(" ") for text in case.grid.labels]
    parts = []
    for name, group in case.scenario.agent_groups.items():
        agents = scheduled.get(name, np.zeros(case.grid.intervals))
        parts.append(
            pd.DataFrame(
                {
                    "date": [day for day, _ in labels],
                    "start": [start for _, start in labels],
                    "agent_group": name,
                    "scheduled": agents,
                    "expected_present": agents * (1 - group.shrinkage.unplanned),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def coverage_table(case: Case, requirement: Requirement, plan: StaffingPlan) -> pd.DataFrame:
    """One row for each interval and set of contact types: required, present, over/under."""
    table = requirement_table(case, requirement).rename(columns={"agents": "required"})
    present = present_agents(plan, case)
    table["expected_present"] = np.concatenate(
        [np.sum([present[group] for group in row.groups], axis=0) for row in requirement.rows]
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


def _difference(first: Simulation, other: Simulation) -> str:
    if other is first:
        return ""
    here, there = (
        one.sample.blocks(one.cost.total.per_replication) / MILLIONTHS / one.sample.block_size
        for one in (other, first)
    )
    return write_estimate(paired_difference(here, there, LEVEL))


def _request_difference(first: Simulation, other: Simulation) -> str:
    if other is first:
        return ""

    def blocks(one: Simulation) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        over, under = one.cost.per_request
        return one.sample.blocks(over) / MILLIONTHS, one.sample.blocks(under)

    return write_estimate(paired_ratio_difference(*blocks(other), *blocks(first), level=LEVEL))


def _reached(kept: Kept) -> bool:
    target, value = kept.promise.target, kept.estimate.value
    if target.share_of_days is not None:
        return kept.share_of_days is not None and kept.share_of_days.value >= target.share_of_days
    return value >= target.value if target.sense == "at least" else value <= target.value


def _text(heading: str, table: pd.DataFrame) -> str:
    return f"{heading}\n{table.to_string(index=False)}"


def _html(heading: str, table: pd.DataFrame) -> str:
    from html import escape

    return f"<h4>{escape(heading)}</h4>{table.to_html(index=False, escape=True)}"


def _json(verb: str, case: Case, tables: dict[str, pd.DataFrame], **more: Any) -> dict[str, Any]:
    import json

    def plain(value: Any) -> Any:
        if hasattr(value, "to_json"):
            return json.loads(value.to_json(orient="records", double_precision=15))
        return value

    return {
        "schema": f"ccsim/{verb}/{SCHEMA}",
        "scenario": case.scenario.name,
        "variant": case.variant,
        **{name: plain(value) for name, value in more.items()},
        "tables": {name: plain(table) for name, table in tables.items()},
    }
