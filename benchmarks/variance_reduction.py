"""How many replications each way of drawing saves, by measure, and that all give the same answer.

Plain: every replication on its own. Strata: blocks of 32 in which each day's busyness falls once
into every thirty-second part of its law, as ccsim always does. Control: strata, and the estimate
moved by what the arrivals drawn were off their mean (regression on block totals). Common: the
difference of two plans on the same customers, against customers of their own. z: of the difference
between the plain and the stratified estimate.

A factor of 4 means a quarter of the replications for the same interval. Run
`python benchmarks/variance_reduction.py 3200`; a minute on two cores.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ccsim.experiment import available_cores, replicate
from ccsim.performance.promises import parts, promises
from ccsim.performance.sample import Sample
from ccsim.performance.tally import measuring_rules
from ccsim.plans import StaffingPlan
from ccsim.scenario import Case, Scenario, case_from, read_case

ROOT = Path(__file__).parents[1]


class Variance(NamedTuple):
    """A ratio, and the variance of its estimate."""

    value: float
    variance: float


def ratio(over: np.ndarray, under: np.ndarray, control: np.ndarray | None = None) -> Variance:
    """Sum over sum with its delta-method variance, perhaps with what a control explains removed."""
    value = over.sum() / under.sum()
    left = over - value * under
    lost = 1
    if control is not None:
        deviation = control - control.mean()
        left = left - deviation * (left @ deviation) / (deviation @ deviation)
        lost = 2
    variance = (left @ left) / (len(left) - lost) / len(left) / under.mean() ** 2
    return Variance(float(value), float(variance))


def busy_day() -> tuple[Case, StaffingPlan]:
    """A day of 20 erlangs whose busyness is uncertain by 19 %: 25 agents, ten hours."""
    call = {
        "open": {"mon-sun": "08:00-18:00"},
        "demand": {"rate": "400 calls/h", "forecast_error": {"gamma": {"shape": 27}}},
        "talk_time": {"exponential": {"mean": "3 min"}},
        "patience": {"exponential": {"mean": "5 min"}},
        "targets": ["80% answered within 20 s, over each day", "at most 5% lost, over the horizon"],
    }
    given = {
        "version": 1,
        "name": "A busy day",
        "question": "How much do strata save?",
        "currency": "EUR",
        "time_zone": "UTC",
        "horizon": {"start": "2026-09-07", "days": 1, "interval": "30 min", "begins": "empty"},
        "contact_types": {"call": call},
        "agent_groups": {"desk": {"skills": {"call": {}}, "rate_card": "own"}},
        "rate_cards": {"own": {"paid_hour": "20 EUR"}},
    }
    case = case_from(Scenario.model_validate(given))
    is_open = case.grid.opening(case.scenario.contact_types["call"].open)
    return case, StaffingPlan((), {"desk": tuple(25 * is_open)})


def bank_week() -> tuple[Case, StaffingPlan]:
    """The bank's week with ten agents while open."""
    case = read_case(ROOT / "scenarios" / "bank_week.yaml")
    is_open = case.grid.opening(case.scenario.contact_types["regular_call"].open)
    (group,) = case.scenario.agent_groups
    return case, StaffingPlan((), {group: tuple(10 * is_open)})


def one_more(plan: StaffingPlan) -> StaffingPlan:
    """The plan with an agent more wherever there is one."""
    return StaffingPlan(
        (), {name: tuple(n + (n > 0) for n in level) for name, level in plan.by_interval.items()}
    )


def compare(case: Case, plan: StaffingPlan, replications: int) -> list[str]:
    """One line for each promise."""
    rules = measuring_rules(case.scenario)
    names = list(case.scenario.contact_types)

    def played(plans: list[StaffingPlan], seed: int, block_size: int) -> tuple[Sample, ...]:
        return replicate(
            case, plans, seed=seed, replications=replications, block_size=block_size,
            engine="compiled", workers=available_cores(),
        )  # fmt: skip

    (plain,) = played([plan], 1, 1)
    strata, more = played([plan, one_more(plan)], 2, 32)
    (others,) = played([one_more(plan)], 3, 32)
    lines = []
    for promise in promises(case.scenario, case.grid):
        kind = names.index(promise.contact_type)

        def of(sample: Sample, promise=promise) -> tuple[np.ndarray, np.ndarray]:
            over, under = parts(promise, sample, case.scenario, rules)
            return sample.blocks(over).astype(float), sample.blocks(under).astype(float)

        requests = strata.measure("requests")[:, kind][:, list(promise.days)].sum(axis=1)
        first, second = ratio(*of(plain)), ratio(*of(strata))
        third = ratio(*of(strata), strata.blocks(requests).astype(float))
        (over, under), (over_more, under_more) = of(strata), of(more)
        left = (over_more - ratio(over_more, under_more).value * under_more) / under_more.mean()
        left -= (over - second.value * under) / under.mean()
        common = (left @ left) / (len(left) - 1) / len(left)
        apart = second.variance + ratio(*of(others)).variance
        z = (first.value - second.value) / np.sqrt(first.variance + second.variance)
        lines.append(
            f"{promise.name[:52]:<54}{second.value:>8.4f}{first.variance / second.variance:>12.1f}"
            f"{second.variance / third.variance:>12.2f}{apart / common:>9.1f}{z:>9.2f}"
        )
    return lines


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3200
    for name, (case_, plan_) in {"a busy day": busy_day(), "bank week": bank_week()}.items():
        print(f"{name}, {count} replications")
        print(f"{'':<54}{'value':>8}{'strata ×':>12}{'control ×':>12}{'common ×':>9}{'z':>9}")
        print("\n".join(compare(case_, plan_, count)))
