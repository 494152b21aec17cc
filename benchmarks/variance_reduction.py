"""How many replications each way of drawing saves, by measure, and that all give the same answer.

Plain: every replication on its own. Strata: blocks of 32 in which each day's busyness falls once
into every thirty-second part of its law, as ccsim always does. Control: strata, and the estimate
moved by what the requests drawn were off their known mean (`ccsim.statistics.controlled_ratio`).
Common: the difference of two plans on the same customers, against customers of their own. z: of the
difference between the plain and the stratified estimate. A factor of 4 means a quarter of the
replications for the same interval. Then the seconds until every promise is known to half a point.

Run `python benchmarks/variance_reduction.py 3200`; a minute on two cores.
"""

from __future__ import annotations

import sys
import time

import centres
import numpy as np

from ccsim.demand.draw import BLOCK
from ccsim.demand.model import compile_demand
from ccsim.experiment import Precision, available_cores, replicate
from ccsim.performance.promises import parts, promises
from ccsim.performance.sample import Sample
from ccsim.performance.tally import measuring_rules
from ccsim.plans import StaffingPlan
from ccsim.scenario import Case, read_case
from ccsim.statistics import Estimate, controlled_ratio, paired_ratio_difference, ratio


def squared(estimate: Estimate) -> float:
    """Variance of an estimate, but for the factor that turns it into an interval."""
    return estimate.half_width**2


def busy_day() -> tuple[Case, StaffingPlan]:
    """A day of 20 erlangs whose busyness is uncertain by 19 %: 25 agents, ten hours."""
    call = {
        "open": {"mon-sun": "08:00-18:00"},
        "demand": {"rate": "400 calls/h", "forecast_error": {"gamma": {"shape": 27}}},
        "talk_time": {"exponential": {"mean": "3 min"}},
        "patience": {"exponential": {"mean": "5 min"}},
        "targets": ["80% answered within 20 s, over each day", "at most 5% lost, over the horizon"],
    }
    return centres.desk(call, 25)


def bank_week() -> tuple[Case, StaffingPlan]:
    """The bank's week with ten agents while open."""
    case = read_case(centres.SCENARIOS / "bank_week.yaml")
    return case, centres.while_open(case, 10)


def one_more(plan: StaffingPlan) -> StaffingPlan:
    """The plan with an agent more wherever there is one."""
    return StaffingPlan(
        (), {name: tuple(n + (n > 0) for n in level) for name, level in plan.by_interval.items()}
    )


def compare(case: Case, plan: StaffingPlan, replications: int) -> list[str]:
    """One line for each promise."""
    rules, demand = measuring_rules(case.scenario), compile_demand(case)
    names = list(case.scenario.contact_types)

    def played(plans: list[StaffingPlan], seed: int, block_size: int) -> tuple[Sample, ...]:
        return replicate(
            case, plans, seed=seed, replications=replications, block_size=block_size,
            engine="compiled", workers=available_cores(),
        )  # fmt: skip

    (plain,) = played([plan], 1, 1)
    strata, more = played([plan, one_more(plan)], 2, BLOCK)
    (others,) = played([one_more(plan)], 3, BLOCK)
    lines = []
    for promise in promises(case.scenario, case.grid):
        kind = names.index(promise.contact_type)

        def of(sample: Sample, promise=promise) -> tuple[np.ndarray, np.ndarray]:
            over, under = parts(promise, sample, case.scenario, rules)
            return sample.blocks(over).astype(float), sample.blocks(under).astype(float)

        requests = strata.measure("requests")[:, kind][:, list(promise.days)].sum(axis=1)
        mean_requests = np.bincount(case.grid.day, demand.contact_types[kind].mean_requests)
        expected = BLOCK * mean_requests[list(promise.days)].sum()
        first, second = ratio(*of(plain)), ratio(*of(strata))
        third = controlled_ratio(*of(strata), strata.blocks(requests), expected)
        common = paired_ratio_difference(*of(more), *of(strata))
        apart = squared(second) + squared(ratio(*of(others)))
        spread = np.sqrt(squared(first) + squared(second)) / 1.96
        lines.append(
            f"{promise.name[:52]:<54}{second.value:>8.4f}{squared(first) / squared(second):>12.1f}"
            f"{squared(second) / squared(third):>12.2f}{apart / squared(common):>9.1f}"
            f"{(first.value - second.value) / spread:>9.2f}"
        )
    return lines


def to_half_a_point(case: Case, plan: StaffingPlan) -> list[str]:
    """How long until every promised share is known to half a point, plain and in strata."""
    lines = []
    for name, block_size in (("plain", 1), ("in strata", BLOCK)):
        before = time.perf_counter()
        (sample,) = replicate(
            case, [plan], seed=1, replications=Precision(0.5), block_size=block_size,
            engine="compiled", workers=available_cores(),
        )  # fmt: skip
        seconds = time.perf_counter() - before
        lines.append(
            f"every promise to ±0.5 points, {name}: {sample.replications:,} replications, "
            f"{seconds:.2f} s on {available_cores()} cores"
        )
    return lines


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3200
    for name, (case_, plan_) in {"a busy day": busy_day(), "bank week": bank_week()}.items():
        print(f"{name}, {count} replications")
        print(f"{'':<54}{'value':>8}{'strata ×':>12}{'control ×':>12}{'common ×':>9}{'z':>9}")
        print("\n".join([*compare(case_, plan_, count), *to_half_a_point(case_, plan_)]))
