"""Tidy tables of a sample, for notebooks, CSV files and reports: one row, one thing measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ccsim.performance.promises import Kept
from ccsim.performance.sample import GROUP_RATIOS, TYPE_RATIOS, Sample, service_level_parts
from ccsim.scenario.calendar import Grid
from ccsim.scenario.model import Scenario
from ccsim.statistics import Estimate, ratio

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
"""Confidence of every interval that a report shows."""


def interval_table(sample: Sample, scenario: Scenario, grid: Grid) -> pd.DataFrame:
    """One row for each interval and contact type, every estimate with its limits.

    Offered contacts per replication, service level (the contact type's formula), share abandoned,
    and speed of answer [s]; intervals in which nothing is ever offered have no ratios.
    """
    return _by_interval(sample, "contact_type", tuple(scenario.contact_types), TYPE_RATIOS, grid)


def group_table(sample: Sample, scenario: Scenario, grid: Grid) -> pd.DataFrame:
    """One row for each interval and agent group: agents really on the floor, and occupancy."""
    return _by_interval(sample, "agent_group", tuple(scenario.agent_groups), GROUP_RATIOS, grid)


def _by_interval(
    sample: Sample, label: str, names: Sequence[str], ratios: Sequence[str], grid: Grid
) -> pd.DataFrame:
    import pandas as pd

    labels = [text.split(" ") for text in grid.labels]
    columns: dict[str, object] = {
        "date": [day for day, _ in labels] * len(names),
        "start": [start for _, start in labels] * len(names),
        label: np.repeat(names, grid.intervals),
    }
    for name in ratios:
        estimates = sample.intervals.estimates(name, LEVEL)
        columns[name] = estimates.value.ravel()
        columns[f"{name}_lower"] = estimates.lower.ravel()
        columns[f"{name}_upper"] = estimates.upper.ravel()
    return pd.DataFrame(columns)


def contact_type_table(
    sample: Sample, scenario: Scenario, grid: Grid, *, by_day: bool = False
) -> pd.DataFrame:
    """One row for each contact type (and local day): counts and ratios with their limits.

    Counts are means per replication. Speed of answer in seconds, and the waits that half, and nine
    in ten, of those answered did not exceed (to 0.4 %); lost and settled are of requests, abandoned
    and blocked of offered, resolved of answered.
    """
    import pandas as pd

    windows = [(date, [day]) for day, date in enumerate(grid.dates)]
    rows = []
    for date, days in windows if by_day else [("horizon", list(range(grid.days)))]:
        for index, (name, given) in enumerate(scenario.contact_types.items()):
            totals = {
                measure: sample.measure(measure)[:, index][:, days].sum(axis=1)
                for measure in _COUNTS
            }
            contacts = sample.contacts[:, :, index][:, :, days].sum(axis=2)
            in_time, abandoned_in_time = (
                counts[:, 0, index][:, days].sum(axis=1)[None]
                for counts in (sample.in_time, sample.abandoned_in_time)
            )
            good, base = service_level_parts(
                [given.service_level.formula], contacts.T[:, None], in_time, abandoned_in_time
            )
            settled = totals["answered"] - totals["unresolved"] - totals["transferred"]
            ratios = {
                "service_level": (good[0], base[0]),
                "abandoned_share": (totals["abandoned"], totals["offered"]),
                "blocked_share": (totals["blocked"], totals["offered"]),
                "lost_share": (totals["lost"], totals["requests"]),
                "transferred_share": (totals["transferred"], totals["answered"]),
                "resolved_share": (settled, totals["answered"]),
                # Of whose requests, where contact types exchange them?
                "settled_share": (settled, totals["requests"] * (not scenario.exchanges(name))),
                "speed_of_answer": (totals["wait_answered"] / 1e6, totals["answered"]),
            }
            row: dict[str, object] = {"window": date, "contact_type": name}
            for measure in _COUNTS[:-1]:
                row |= _columns(measure, _mean(sample, totals[measure]))
            for measure, (over, under) in ratios.items():
                estimate = ratio(sample.blocks(over), sample.blocks(under), LEVEL)
                row |= _columns(measure, estimate)
            for percent in (50, 90):
                wait = sample.waits.quantile(index, days, percent / 100, LEVEL)
                row |= _columns(f"wait_p{percent}", wait)
            rows.append(row)
    return pd.DataFrame(rows)


_COUNTS = (
    "requests",
    "offered",
    "answered",
    "abandoned",
    "balked",
    "blocked",
    "closed",
    "cleared",
    "waiting",
    "callbacks",
    "unreached",
    "unresolved",
    "transferred",
    "redials",
    "repeats",
    "transfers",
    "lost",
    "wait_answered",
)


def promise_table(kept: Sequence[Kept]) -> pd.DataFrame:
    """One row for each promise: bound, estimate, share of days, tenth-percentile day."""
    import pandas as pd

    rows = []
    for one in kept:
        promise = one.promise
        row: dict[str, object] = {
            "promise": promise.name,
            "contact_type": promise.contact_type,
            "metric": promise.target.metric,
            "bound": promise.target.value,
            "sense": promise.target.sense,
        }
        row |= _columns("estimate", one.estimate)
        row |= _columns("share_of_days", one.share_of_days)
        row |= _columns("tenth_percentile_day", one.tenth_percentile)
        rows.append(row)
    return pd.DataFrame(rows)


def _mean(sample: Sample, values: np.ndarray) -> Estimate:
    blocks = sample.blocks(values)
    return ratio(blocks, np.full(len(blocks), sample.block_size), LEVEL)


def _columns(name: str, estimate: Estimate | None) -> dict[str, object]:
    value, lower, upper = (
        (estimate.value, estimate.lower, estimate.upper) if estimate else (np.nan,) * 3
    )
    return {name: value, f"{name}_lower": lower, f"{name}_upper": upper}
