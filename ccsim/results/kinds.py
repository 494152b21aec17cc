"""The four kinds of result: what formulas say, what a plan does, the plan found, and variants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ccsim.demand.model import DemandModel
from ccsim.economics import CostBreakdown
from ccsim.performance.promises import Kept
from ccsim.performance.sample import Sample
from ccsim.plans import StaffingPlan
from ccsim.results.tables import (
    comparison_table,
    coverage_table,
    difference_table,
    requirement_table,
    sample_tables,
    search_table,
    variant_contact_types,
)
from ccsim.results.weeks import week_table, weeks_of
from ccsim.results.wording import comparison_summary, summary_table, verdict_lines
from ccsim.scenario import Case
from ccsim.staffing import Requirement, ValidBound
from ccsim.staffing.planner import Planned
from ccsim.statistics import Finding

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
"""Version of the JSON that results turn into."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A scenario with every default visible, and what it means in a planner's words.

    Attributes
    ----------
    case : Case
        The scenario.
    resolved : str
        It as YAML with every default.
    meaning : dict of str to list of str
        Sentences by title.
    """

    case: Case
    resolved: str
    meaning: dict[str, list[str]]

    def __str__(self) -> str:
        lines = [self.resolved.rstrip("\n")]
        for title, sentences in self.meaning.items():
            lines += ["#", f"# {title}", *(f"#   {sentence}" for sentence in sentences)]
        return "\n".join(lines)


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
        return as_json("estimate", self.case, self.tables, summary=self.summary)

    def __str__(self) -> str:
        return as_text(f"{self.case.title}: what the formulas ask for", self.summary)

    def _repr_html_(self) -> str:
        return as_html(self.case.title, self.summary)


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
    routing : str or None
        The name of the Python function that said who met whom, if one did: then no file can rerun
        this.
    """

    case: Case
    plan: StaffingPlan
    sample: Sample
    cost: CostBreakdown
    kept: tuple[Kept, ...]
    seed: int
    given_plan: bool
    routing: str | None = None

    @property
    def findings(self) -> tuple[Finding | None, ...]:
        """What a certificate found of each promise: nothing, as there is none."""
        return (None,) * len(self.kept)

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
        return as_json(
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
        if self.routing is not None:
            heading += f", routing by {self.routing}"
        return as_text(heading, self.summary)

    def _repr_html_(self) -> str:
        return as_html(self.case.title, self.summary)


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
    def findings(self) -> tuple[Finding | None, ...]:
        """What the certificate found of each promise."""
        return self.planned.certificate.findings

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name."""
        tables = sample_tables(self.case, self.plan, self.sample, self.kept, self.cost)
        tables["coverage"] = coverage_table(self.case, self.planned, self.plan)
        tables["search"] = search_table(self.planned)
        return tables

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each promise, then cost."""
        return summary_table(self.kept, self.cost, self.sample)

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the version of its schema."""
        return as_json(
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
        return as_html(f"{self.case.title}: {self.verdict}", self.summary)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Variants side by side on the same customers; the first is what the others differ from."""

    simulations: tuple[Simulation, ...]
    seed: int

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each variant: cost and service, and the paired difference from the first."""
        return comparison_summary(self.simulations)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name: ``differences`` has every paired difference with its limits.

        Of two weeks or more ``weeks`` has them week by week.
        """
        return {
            "comparison": comparison_table(self.simulations),
            "differences": difference_table(self.simulations),
            "contact_types": variant_contact_types(self.simulations),
            **({"weeks": week_table(self.simulations)} if self.weeks else {}),
        }

    @property
    def weeks(self) -> int:
        """Weeks of the horizon that can be told apart; none of a short one."""
        return len(weeks_of(self.simulations[0].case.grid.days))

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the version of its schema."""
        first = self.simulations[0]
        return as_json(
            "compare",
            first.case,
            self.tables,
            summary=self.summary,
            seed=self.seed,
            replications=first.sample.replications,
        )

    def __str__(self) -> str:
        return as_text(f"{self.simulations[0].case.scenario.name}: variants compared", self.summary)

    def _repr_html_(self) -> str:
        return as_html(self.simulations[0].case.scenario.name, self.summary)


def as_text(heading: str, table: pd.DataFrame) -> str:
    """A heading over a table."""
    return f"{heading}\n{table.to_string(index=False)}"


def as_html(heading: str, table: pd.DataFrame) -> str:
    """The same for a notebook."""
    from html import escape

    return f"<h4>{escape(heading)}</h4>{table.to_html(index=False, escape=True)}"


def as_json(verb: str, case: Case, tables: dict[str, pd.DataFrame], **more: Any) -> dict[str, Any]:
    """What a result is as plain data; a number that is none is None."""
    return {
        "schema": f"ccsim/{verb}/{SCHEMA}",
        "scenario": case.scenario.name,
        "variant": case.variant,
        **({"changes": list(case.changes)} if case.changes else {}),
        **{name: _plain(value) for name, value in more.items()},
        "tables": {name: _plain(table) for name, table in tables.items()},
    }


def _plain(value: Any) -> Any:
    import json

    if hasattr(value, "to_json"):
        return json.loads(value.to_json(orient="records", double_precision=15))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
