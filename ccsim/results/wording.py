"""What a result says in words: one place for each sentence that terminal and report share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np

from ccsim.demand.model import compile_demand
from ccsim.economics import CostBreakdown
from ccsim.performance.promises import Kept
from ccsim.performance.sample import Sample
from ccsim.performance.words import (
    day_name,
    judged,
    judged_in_seconds,
    judged_sense,
    short_name,
)
from ccsim.results.figures import (
    cost_difference,
    cost_per_handled,
    cost_per_request,
    cost_per_request_difference,
    room,
    standing,
    total_cost,
)
from ccsim.scenario import Case
from ccsim.scenario.units import write_share
from ccsim.staffing.planner import Look
from ccsim.staffing.spare import guards_of, spare_shifts
from ccsim.statistics import Estimate, Finding
from ccsim.statistics.writing import (
    Unit,
    at_most,
    decimals,
    number,
    plain,
    plural,
    write,
)

if TYPE_CHECKING:
    import pandas as pd

    from ccsim.results.kinds import PlanResult, Simulation

WIDTH = 100
"""Characters that a line of the verdict takes, or a little more."""


@dataclass(frozen=True)
class BoundSaid:
    """A line that costs cannot go below, in words: ``says``, the amount, ``which`` and ``more``."""

    says: str
    amount: float
    which: str
    more: str = ""


def verdict_lines(result: PlanResult) -> list[str]:
    """The verdict in ten lines."""
    cost, sample, currency = result.cost, result.sample, result.cost.currency
    tried, why = one_shift_cheaper(result)
    rounds = plural(len(result.planned.looks), "round")
    return [
        shorten(result.case.title, WIDTH, placeholder=" …"),
        shorten(question(result.case), WIDTH, placeholder=" …"),
        f"{result.verdict}: {verdict_sentence(result, named=1)}{_risk(result)}",
        f"cost of the horizon {plain(total_cost(cost, sample), most=2)} {currency}, "
        f"per request {plain(cost_per_request(cost, sample), most=4)}, "
        f"per handled contact {plain(cost_per_handled(cost, sample), most=4)}",
        f"promises met: {promises_met(result)}; {closest(result)}",
        f"{roster(result)}, found in {rounds}",
        formulas_sentence(result),
        *(_bound_line(bound, currency) for bound in (valid_bound_said(result), model_said(result))),
        f"plans one shift cheaper: {tried}, {why}",
    ]


def question(case: Case) -> str:
    """What the scenario asks, in its own words, or else what planning answers."""
    return case.scenario.question or "What is the cheapest plan that keeps every promise?"


def verdict_sentence(result: PlanResult, named: int = 3) -> str:
    """What the certificate came to, with the first few promises that it says are missed."""
    certificate = result.planned.certificate
    replications = f"{result.sample.replications:,} fresh replications"
    if certificate.verdict == "certified":
        return f"every promise holds, on {replications} the search never saw"
    if certificate.verdict == "missed":
        broken = [
            f"{short_name(one, result.case.grid)} ({against_bound(one)})"
            for one, finding in zip(result.kept, certificate.findings, strict=True)
            if standing(one, finding)[0] == "missed"
        ]
        more = f", and {len(broken) - named} more" if len(broken) > named else ""
        return f"on {replications} it does not keep {'; '.join(broken[:named])}{more}"
    if certificate.more_blocks:
        wanted = (certificate.blocks + certificate.more_blocks) * result.sample.block_size
        return f"{replications} leave it open; about {wanted:,} would decide"
    return "nothing was offered, so there is nothing to certify"


def _risk(result: PlanResult) -> str:
    certificate = result.planned.certificate
    return f"; risk of error {certificate.level:.1%}" if certificate.verdict == "certified" else ""


def promises_met(result: PlanResult | Simulation) -> str:
    """How many promises are met, of those that anything was offered for."""
    pairs = _judged(result)
    good = sum(standing(one, finding)[0] == "met" for one, finding in pairs)
    return f"{good} of {len(pairs)}"


def closest(result: PlanResult | Simulation) -> str:
    """The promise with the least room, or the one furthest off where one is missed."""
    pairs = _judged(result)
    if not pairs:
        return "nothing to judge"
    one, finding = min(pairs, key=lambda pair: (standing(*pair)[0] != "missed", room(*pair)))
    word = "furthest off" if standing(one, finding)[0] == "missed" else "closest"
    return f"{word}: {short_name(one, result.case.grid)}: {against_bound(one)}"


def _judged(result: PlanResult | Simulation) -> list[tuple[Kept, Finding | None]]:
    pairs = zip(result.kept, result.findings, strict=True)
    return [(one, finding) for one, finding in pairs if not np.isnan(one.estimate.value)]


def against_bound(one: Kept) -> str:
    """What a promise is judged by, beside its bound: ``81.2% ± 0.3, target at least 80%``."""
    estimate, bound = judged(one)
    target = one.promise.target
    unit = judged_unit(one)
    said = plain(estimate, unit, most=2 if unit == "%" else 1, apart_from=bound)
    days = " of days" if target.share_of_days is not None else ""
    limit = f"{bound:g} s" if unit == " s" else write_share(bound)
    return f"{said}{days}, target {judged_sense(target)} {limit}"


def unit_of(one: Kept) -> Unit:
    """The unit of a promise's estimate: seconds for a speed of answer, else per cent."""
    return " s" if one.promise.target.metric == "average speed of answer" else "%"


def judged_unit(one: Kept) -> Unit:
    """The unit of what a promise is judged by: of days it is always per cent."""
    return " s" if judged_in_seconds(one.promise.target) else "%"


def roster(result: PlanResult | Simulation) -> str:
    """How many shifts and hours, from when to when."""
    grid, plan = result.case.grid, result.plan
    parts = []
    if plan.schedule:
        agents = sum(shift.agents for shift in plan.schedule)
        hours = sum(shift.paid * shift.agents for shift in plan.schedule) / 3.6e9
        parts.append(f"{plural(agents, 'shift')} with {hours:,.1f} scheduled hours")
    if plan.by_interval:
        agent_hours = sum(map(sum, plan.by_interval.values())) * grid.interval_us / 3.6e9
        parts.append(f"{agent_hours:,.1f} agent hours, staffed by interval")
    days = day_name(grid.dates[0])
    if grid.days > 1:
        days = f"{days} to {day_name(grid.dates[-1])}"
    return f"{' and '.join(parts) or 'nobody'}, {days} {grid.dates[-1][:4]}"


def formulas_sentence(result: PlanResult) -> str:
    """What the formulas alone led to, and what simulation said of it."""
    first = result.planned.looks[0]
    said = "simulation saw every promise kept"
    if first.missed:
        more = f" and {len(first.missed) - 1} more" if first.missed[1:] else ""
        said = f"simulation refused it: {_promise_in(first.missed[0], result)}{more}"
    margin = write_share(result.case.scenario.planning.margin)
    cost = f"{search_cost(result, first)} {result.cost.currency}"
    return f"formulas alone, margin of {margin} included: {cost}; {said}"


def _promise_in(missed: str, result: PlanResult) -> str:
    """The short name of the promise that a line of the search is about."""
    for one in result.kept:
        if missed.startswith(f"{one.promise.name} ("):
            return short_name(one, result.case.grid)
    return missed


def search_cost(result: PlanResult, look: Look) -> str:
    """A cost that the search saw, with the digits that an interval of its size would allow.

    The search keeps no intervals; the certificate's is narrower by the root of the replications.
    """
    half = total_cost(result.cost, result.sample).half_width
    fewer = sqrt(result.sample.replications / result.case.scenario.planning.replications)
    return number(look.cost, decimals(half * max(fewer, 1.0), 2))


def valid_bound_said(result: PlanResult) -> BoundSaid:
    """The bound that holds for every plan."""
    which = "valid bound by conservation of work"
    if result.bound.cost == 0 and result.bound.left_out:
        which += ", in which no promise of this scenario counts"
    return BoundSaid("no plan can be cheaper than", result.bound.cost, which)


def model_said(result: PlanResult) -> BoundSaid:
    """The shift model's bound, beside what the search left out because the simulation let it."""
    bound, dropped = result.planned.solution.bound, result.planned.dropped
    if dropped:
        return BoundSaid(
            "the shift model alone would not go below",
            bound,
            "model bound",
            f"the search went {plural(dropped, 'shift')} lower",
        )
    more = ""
    if bound > float(result.cost.total.mean):
        more = "it prices by estimate what was simulated"
    return BoundSaid(
        "no schedule covering these requirements is cheaper than", bound, "model bound", more
    )


def _bound_line(bound: BoundSaid, currency: str) -> str:
    more = f"; {bound.more}" if bound.more else ""
    return f"{bound.says} {at_most(bound.amount)} {currency} ({bound.which}){more}"


def one_shift_cheaper(result: PlanResult) -> tuple[str, str]:
    """How many plans one shift cheaper were tried and rejected, and what came of it."""
    cheaper = result.planned.cheaper
    if cheaper.tried:
        return f"{cheaper.tried} tried, {cheaper.rejected} rejected at 95%", "none passed"
    if not result.plan.schedule:
        return "none tried", "as nobody works in shifts"
    guards = guards_of(result.case, compile_demand(result.case))
    if not spare_shifts(result.case, result.plan, result.sample, guards):
        return "none tried", "as minimum staff and interval floors let no shift go"
    return "none tried", "as the search found no room to spare in this one"


def summary_table(kept: Sequence[Kept], cost: CostBreakdown, sample: Sample) -> pd.DataFrame:
    """One row for each promise, then the cost, in words."""
    import pandas as pd

    rows = [
        (
            one.promise.name,
            _promised(one, one.estimate),
            "" if one.share_of_days is None else str(write(one.share_of_days, "%", most=1)),
            "" if one.tenth_percentile is None else _promised(one, one.tenth_percentile),
        )
        for one in kept
    ]
    money = {
        f"cost of the horizon [{cost.currency}]": write(total_cost(cost, sample)),
        f"cost per request [{cost.currency}]": write(cost_per_request(cost, sample), most=4),
        f"cost per handled contact [{cost.currency}]": write(
            cost_per_handled(cost, sample), most=4
        ),
    }
    rows += [(name, str(said), "", "") for name, said in money.items()]
    columns = ["what", "simulated [95% interval]", "share of days", "tenth-percentile day"]
    return pd.DataFrame(rows, columns=columns)


def _promised(one: Kept, estimate: Estimate) -> str:
    unit = unit_of(one)
    most = 2 if unit == "%" else 1
    return str(write(estimate, unit, most=most, apart_from=one.promise.target.value))


def comparison_summary(simulations: Sequence[Simulation]) -> pd.DataFrame:
    """One row for each variant, in words: costs, paired differences, promises met."""
    import pandas as pd

    first = simulations[0]
    rows = []
    for one in simulations:
        horizon = request = ""
        if one is not first:
            horizon = str(write(cost_difference(first, one), signed=True))
            request = str(write(cost_per_request_difference(first, one), most=4, signed=True))
        rows.append(
            {
                "variant": variant_name(one.case),
                "cost": str(write(total_cost(one.cost, one.sample))),
                "cost difference": horizon,
                "cost per request": str(write(cost_per_request(one.cost, one.sample), most=4)),
                "per request difference": request,
                "promises met": promises_met(one),
            }
        )
    return pd.DataFrame(rows)


def variant_name(case: Case) -> str:
    """The variant, or that it is the scenario as it stands."""
    return case.variant or "as it stands"
