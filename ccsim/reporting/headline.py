"""What the first screen says: the question, the verdict, the cost, the bounds, what was tried."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ccsim.performance.promises import Kept
from ccsim.performance.words import day_name, short_name
from ccsim.reporting.content import Shown, findings_of, met, room, unit_of
from ccsim.reporting.numbers import Written, at_most, write
from ccsim.reporting.tables import Mark
from ccsim.results import Comparison, PlanResult, cost_per_handled, cost_per_request, total_cost
from ccsim.scenario import Case
from ccsim.scenario.units import write_share


@dataclass(frozen=True)
class Bound:
    """A line that costs cannot go below: what it says, and how long its bar is."""

    says: str
    amount: str
    share: float
    why: str

    @property
    def percent(self) -> str:
        """Its share of the cost, rounded down."""
        return f"{at_most(100 * self.share, 1)}%"


@dataclass(frozen=True)
class Fact:
    """A figure in large, and what it is."""

    figure: str
    says: str
    below: str = ""


@dataclass(frozen=True)
class Headline:
    """The first screen.

    Attributes
    ----------
    question, verdict, explained, answer : str
        In the order in which they are read.
    mark : str
        Whether the verdict is good, bad or open.
    costs, facts : tuple of Fact
        Cost of the horizon, per request, per handled contact; promises, and plans tried.
    bounds : tuple of Bound
        The valid bound and the model bound, each by itself.
    """

    question: str
    verdict: str
    mark: Mark
    explained: str
    answer: str
    costs: tuple[Fact, ...]
    bounds: tuple[Bound, ...]
    facts: tuple[Fact, ...]


def headline(result: Shown | Comparison) -> Headline:
    """The first screen of a result."""
    if isinstance(result, Comparison):
        return _of_comparison(result)
    return _of_plan(result) if isinstance(result, PlanResult) else _of_simulation(result)


def _of_plan(result: PlanResult) -> Headline:
    certificate, size = result.planned.certificate, result.sample.block_size
    replications = f"{result.sample.replications:,} fresh replications"
    mark: Mark = "open"
    if certificate.verdict == "certified":
        mark = "good"
        explained = (
            f"Every promise holds, on {replications} that the search never saw. A plan that falls "
            f"short of any promise passes this with a risk of at most {certificate.level:.1%}."
        )
    elif certificate.verdict == "missed":
        mark = "bad"
        broken = [
            f"{short_name(one, result.case.grid)} ({_value(one).value}, target {_bound(one)})"
            for one, finding in zip(result.kept, certificate.findings, strict=True)
            if met(one, finding).mark == "bad"
        ]
        more = f", and {len(broken) - 3} more" if len(broken) > 3 else ""
        explained = f"On {replications} this plan does not keep: {'; '.join(broken[:3])}{more}."
    elif certificate.more_blocks:
        wanted = (certificate.blocks + certificate.more_blocks) * size
        explained = (
            f"{result.sample.replications:,} replications leave it open; about {wanted:,} would "
            "decide. Raise planning.certificate_replications."
        )
    else:
        explained = "Nothing was offered, so there is nothing to certify."
    tried = result.planned.cheaper
    return Headline(
        question=result.case.scenario.question
        or "What is the cheapest plan that keeps every promise?",
        verdict=certificate.verdict,
        mark=mark,
        explained=explained,
        answer=_answer(result),
        costs=_costs(result),
        bounds=_bounds(result),
        facts=(
            _promises(result),
            Fact(
                f"{tried.tried} tried, {tried.rejected} rejected",
                "plans one shift cheaper",
                "rejected: shown at 95 % to break a promise"
                if tried.tried
                else "there is none to try",
            ),
        ),
    )


def _of_simulation(result: Shown) -> Headline:
    cells = [met(one, None) for one in result.kept]
    good, bad = (sum(cell.mark == mark for cell in cells) for mark in ("good", "bad"))
    mark: Mark = "bad" if bad else "good" if good == len(cells) and cells else "open"
    words = {
        "good": "promises kept",
        "bad": f"{bad} of {len(cells)} promises missed",
        "open": "too close to tell" if cells else "nothing promised",
    }
    return Headline(
        question=result.case.scenario.question or "What does this plan do?",
        verdict=words[mark],
        mark=mark,
        explained=(
            f"Simulated on {result.sample.replications:,} replications, each promise by its own "
            "95 % interval. This is no certificate; planning gives one."
        ),
        answer=_answer(result),
        costs=_costs(result),
        bounds=(),
        facts=(_promises(result),),
    )


def _of_comparison(result: Comparison) -> Headline:
    first = result.simulations[0]
    return Headline(
        question=first.case.scenario.question or "Which variant is cheaper at equal service?",
        verdict=f"{len(result.simulations)} variants compared",
        mark="",
        explained=(
            f"On the same {first.sample.replications:,} replications each; differences are paired, "
            f"against the first, {variant_name(first.case)}, with 95 % intervals."
        ),
        answer="",
        costs=(),
        bounds=(),
        facts=(),
    )


def variant_name(case: Case) -> str:
    """The variant, or that it is the scenario as it stands."""
    return case.variant or "as it stands"


def _answer(result: Shown) -> str:
    grid, plan = result.case.grid, result.plan
    parts = []
    if plan.schedule:
        agents = sum(shift.agents for shift in plan.schedule)
        hours = sum(shift.paid * shift.agents for shift in plan.schedule) / 3.6e9
        parts.append(f"{agents:,} shifts with {hours:,.1f} paid hours")
    if plan.by_interval:
        agents_hours = sum(map(sum, plan.by_interval.values())) * grid.interval_us / 3.6e9
        parts.append(f"{agents_hours:,.1f} agent hours, staffed by interval")
    days = day_name(grid.dates[0])
    if grid.days > 1:
        days = f"{days} to {day_name(grid.dates[-1])}"
    return f"{' and '.join(parts) or 'Nobody'}, {days} {grid.dates[-1][:4]}."


def _costs(result: Shown) -> tuple[Fact, ...]:
    cost, sample = result.cost, result.sample
    found = (
        ("cost of the horizon", write(total_cost(cost, sample))),
        ("per request", write(cost_per_request(cost, sample), most=4)),
        ("per handled contact", write(cost_per_handled(cost, sample), most=4)),
    )
    return tuple(Fact(written.value, says, written.interval) for says, written in found)


def _bounds(result: PlanResult) -> tuple[Bound, ...]:
    cost = float(result.cost.total.mean)
    valid, model = result.bound.cost, result.planned.solution.bound
    beyond = ""
    if model > cost:
        beyond = " This plan covers less than they ask for: the simulation showed that it may."
    return (
        Bound(
            "No plan can be cheaper than",
            at_most(valid),
            valid / cost if cost else 0.0,
            "Valid bound: by conservation of work, under the shift rules, whatever the routing.",
        ),
        Bound(
            "No schedule covering these requirements is cheaper than",
            at_most(model),
            model / cost if cost else 0.0,
            "Model bound: of the shift model for the agents required by interval, "
            f"and for no others.{beyond}",
        ),
    )


def _promises(result: Shown) -> Fact:
    findings = findings_of(result)
    judged = [
        (one, finding)
        for one, finding in zip(result.kept, findings, strict=True)
        if not np.isnan(one.estimate.value)
    ]
    if not judged:
        return Fact("none", "promises", "")
    good = sum(met(one, finding).mark == "good" for one, finding in judged)
    # A missed one before those that are met, and then the one with the least room.
    closest = min(judged, key=lambda pair: (met(*pair).mark != "bad", room(*pair)))
    one, word = closest[0], "furthest off" if met(*closest).mark == "bad" else "closest"
    return Fact(
        f"{good} of {len(judged)}",
        "promises met",
        f"{word}: {short_name(one, result.case.grid)}: {_value(one)}, target {_bound(one)}",
    )


def _value(one: Kept) -> Written:
    unit = unit_of(one)
    bound = one.promise.target.value
    return write(one.estimate, unit, most=2 if unit == "%" else 1, apart_from=bound)


def _bound(one: Kept) -> str:
    target = one.promise.target
    value = f"{target.value:g} s" if unit_of(one) == " s" else write_share(target.value)
    return f"{target.sense} {value}"
