"""The figures that every result is about: what it costs, how two differ, whether promises stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ccsim.economics import MILLIONTHS, CostBreakdown
from ccsim.performance.promises import Kept, Promise, parts
from ccsim.performance.sample import Sample
from ccsim.performance.tables import LEVEL
from ccsim.performance.tally import measuring_rules
from ccsim.performance.words import judged, judged_in_seconds, judged_sense
from ccsim.scenario import Target
from ccsim.scenario.targets import Metric
from ccsim.statistics import (
    Estimate,
    Finding,
    paired_difference,
    paired_ratio_difference,
    ratio,
)

if TYPE_CHECKING:
    from ccsim.results.kinds import Simulation

Standing = Literal["met", "missed", "open"]
"""Where a promise stands; open: neither shown."""


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


def standing(one: Kept, finding: Finding | None = None) -> tuple[Standing, str]:
    """Whether a promise is met, and why it is open: by the certificate, or by its own interval."""
    if finding is not None:
        return _certified_standing(finding)
    estimate, bound = judged(one)
    if np.isnan(estimate.value):
        return "open", "nothing offered"
    if np.isnan(estimate.lower):
        return "open", "no interval"
    at_least = judged_sense(one.promise.target) == "at least"
    if estimate.lower >= bound if at_least else estimate.upper <= bound:
        return "met", ""
    broken = estimate.upper < bound if at_least else estimate.lower > bound
    return ("missed", "") if broken else ("open", "too close")


def _certified_standing(finding: Finding) -> tuple[Standing, str]:
    word = finding.finding
    if word == "clears":
        return "met", ""
    if word in ("not decided", "no service level"):
        return "open", word
    return "missed", "" if word == "misses" else word


def room(one: Kept, finding: Finding | None = None) -> float:
    """How far a promise is from its bound by its limit, as a share; the least is the closest."""
    estimate, bound = judged(one)
    value = estimate.value
    if finding is not None and np.isfinite(finding.one_sided_limit):
        value = finding.one_sided_limit
    at_least = judged_sense(one.promise.target) == "at least"
    left = value - bound if at_least else bound - value
    return left / bound if judged_in_seconds(one.promise.target) else left


@dataclass(frozen=True)
class Difference:
    """By how much a variant differs from the first in one measure, on the same customers.

    Attributes
    ----------
    measure : str
        ``cost``, ``cost_per_request``, ``service_level``, ``lost_share``, ``abandoned_share`` or
        ``speed_of_answer`` [s].
    contact_type : str
        Whose; empty for costs.
    estimate : Estimate
        The variant less the first, paired block by block.
    """

    measure: str
    contact_type: str
    estimate: Estimate


def cost_difference(first: Simulation, other: Simulation) -> Estimate:
    """How much more the horizon costs than in the first, paired."""
    here, there = (
        one.sample.blocks(one.cost.total.per_replication) / MILLIONTHS / one.sample.block_size
        for one in (other, first)
    )
    return paired_difference(here, there, LEVEL)


def cost_per_request_difference(first: Simulation, other: Simulation) -> Estimate:
    """How much more a request costs than in the first, paired."""

    def blocks(one: Simulation) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        over, under = one.cost.per_request
        return one.sample.blocks(over) / MILLIONTHS, one.sample.blocks(under)

    return paired_ratio_difference(*blocks(other), *blocks(first), level=LEVEL)


def differences(first: Simulation, other: Simulation) -> Iterator[Difference]:
    """Every measure in which a variant can be compared with the first.

    What only one of them has (a contact type), or each counts in its own way (another wait or
    formula behind the service level), has no difference.
    """
    yield Difference("cost", "", cost_difference(first, other))
    yield Difference("cost_per_request", "", cost_per_request_difference(first, other))
    for name in first.case.scenario.contact_types:
        if name not in other.case.scenario.contact_types:
            continue
        for measure, metric in _MEASURES.items():
            if metric == "answered within" and not comparable_service(first, other, name):
                continue
            pairs = [_blocks(one, name, metric) for one in (other, first)]
            estimate = paired_ratio_difference(*pairs[0], *pairs[1], level=LEVEL)
            yield Difference(measure, name, estimate)


_MEASURES: dict[str, Metric] = {
    "service_level": "answered within",
    "lost_share": "lost",
    "abandoned_share": "abandoned",
    "speed_of_answer": "average speed of answer",
}


def comparable_service(first: Simulation, other: Simulation, name: str) -> bool:
    """Whether both count the service level of a contact type in the same way."""
    return _counting(first, name) == _counting(other, name)


def _counting(one: Simulation, name: str) -> tuple[object, ...]:
    """What a service level depends on besides what happened: the wait and the formula."""
    scenario = one.case.scenario
    index = list(scenario.contact_types).index(name)
    wait = measuring_rules(scenario).thresholds[index][0]
    return wait, scenario.contact_types[name].service_level


def _blocks(
    one: Simulation, name: str, metric: Metric
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Block totals of a measure over the whole horizon: numerators and denominators."""
    scenario, rules = one.case.scenario, measuring_rules(one.case.scenario)
    wait = rules.thresholds[list(scenario.contact_types).index(name)][0]
    target = Target(metric, 0.0, wait if metric == "answered within" else None, "horizon")
    whole = Promise(name, target, tuple(range(one.case.grid.days)), name)
    over, under = parts(whole, one.sample, scenario, rules)
    return one.sample.blocks(over), one.sample.blocks(under)
