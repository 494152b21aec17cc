"""Every promise of a scenario beside what was measured: one line for each target and window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ccsim.performance.sample import Sample, service_level_parts
from ccsim.performance.tally import CONTACT_MEASURES, Rules
from ccsim.scenario.calendar import Grid
from ccsim.scenario.model import Scenario
from ccsim.scenario.targets import Target
from ccsim.statistics import (
    Estimate,
    ShareSample,
    TargetSample,
    proportion,
    quantile,
    ratio,
)

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Promise:
    """One target in one of its windows: the days it spans, and its name in reports."""

    contact_type: str
    target: Target
    days: tuple[int, ...]
    name: str


@dataclass(frozen=True)
class Kept:
    """A promise beside what was simulated.

    Attributes
    ----------
    promise : Promise
        The target and its window.
    estimate : Estimate
        What the target bounds, over the window: ratio of sums over all replications.
    share_of_days : Estimate or None
        On which share of replications this day reached the target's value (day windows).
    tenth_percentile : Estimate or None
        The value that nine days in ten are at least as good as (day windows).
    """

    promise: Promise
    estimate: Estimate
    share_of_days: Estimate | None
    tenth_percentile: Estimate | None


def promises(scenario: Scenario, grid: Grid) -> tuple[Promise, ...]:
    """Every target of a scenario, spread over its windows; days that never open have none."""
    return tuple(_promises(scenario, grid))


def _promises(scenario: Scenario, grid: Grid) -> Iterator[Promise]:
    for name, target in scenario.targets():
        is_open = grid.opening(scenario.hours(name))
        days = tuple(np.unique(grid.day[is_open]).tolist())
        if target.window == "day":
            for day in days:
                yield Promise(name, target, (day,), f"{name}, {grid.dates[day]}: {target}")
        else:
            yield Promise(name, target, tuple(range(grid.days)), f"{name}: {target}")


def parts(
    promise: Promise, sample: Sample, scenario: Scenario, rules: Rules
) -> tuple[Integers, Integers]:
    """Numerator and denominator of a promise in each replication, shape (n_replications,).

    A service level by its formula; lost ÷ requests; abandoned ÷ offered; seconds waited ÷ answered
    (in µs ÷ 10^6 contacts, so that both stay whole numbers).
    """
    index = list(scenario.contact_types).index(promise.contact_type)
    given = scenario.contact_types[promise.contact_type]
    contacts = sample.contacts[:, :, index][:, :, list(promise.days)].sum(axis=2)
    measures = dict(zip(CONTACT_MEASURES, contacts.T, strict=True))
    match promise.target.metric:
        case "answered within":
            row = rules.thresholds[index].index(promise.target.threshold or 0)
            in_time = sample.in_time[:, row, index][:, list(promise.days)].sum(axis=1)
            abandoned = sample.abandoned_in_time[:, row, index][:, list(promise.days)].sum(axis=1)
            good, base = service_level_parts(
                [given.service_level.formula], contacts.T[:, None], in_time[None], abandoned[None]
            )
            return good[0], base[0]
        case "lost":
            return measures["lost"], measures["requests"]
        case "abandoned":
            return measures["abandoned"], measures["offered"]
        case "average speed of answer":
            return measures["wait_answered"], measures["answered"] * 1_000_000


def measure_promises(
    sample: Sample, scenario: Scenario, grid: Grid, rules: Rules, level: float = 0.95
) -> tuple[Kept, ...]:
    """Each promise beside its estimate."""
    return tuple(
        _kept(promise, sample, scenario, rules, level) for promise in promises(scenario, grid)
    )


def _kept(promise: Promise, sample: Sample, scenario: Scenario, rules: Rules, level: float) -> Kept:
    over, under = parts(promise, sample, scenario, rules)
    estimate = ratio(sample.blocks(over), sample.blocks(under), level)
    if promise.target.window != "day":
        return Kept(promise, estimate, None, None)
    met, days = met_days(promise, over, under)
    some = under > 0
    daily = over[some] / under[some]
    worst_tenth = 0.1 if promise.target.sense == "at least" else 0.9
    return Kept(
        promise,
        estimate,
        proportion(met, days, level) if days else None,
        quantile(daily, worst_tenth, level) if days else None,
    )


def met_days(promise: Promise, over: Integers, under: Integers) -> tuple[int, int]:
    """On how many days the promise's value was reached, of those with anything offered."""
    some = under > 0
    bound = promise.target.value * under[some]
    at_least = promise.target.sense == "at least"
    met = over[some] >= bound - 1e-9 if at_least else over[some] <= bound + 1e-9
    return int(met.sum()), int(some.sum())


def promise_samples(
    sample: Sample, scenario: Scenario, grid: Grid, rules: Rules
) -> tuple[TargetSample | ShareSample, ...]:
    """What the certifier judges: block totals of each promise, or days that met it."""
    samples: list[TargetSample | ShareSample] = []
    for promise in promises(scenario, grid):
        over, under = parts(promise, sample, scenario, rules)
        target = promise.target
        if target.share_of_days is not None:
            met, days = met_days(promise, over, under)
            samples.append(
                ShareSample(promise.name, target.share_of_days, met, days, sample.block_size)
            )
        else:
            samples.append(
                TargetSample(
                    promise.name,
                    target.sense,
                    target.value,
                    sample.blocks(over),
                    sample.blocks(under),
                )
            )
    return tuple(samples)
