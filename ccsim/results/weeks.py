"""Week by week: what a variant changes, and when the hours it takes off the floor are back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ccsim.performance.promises import Promise, parts
from ccsim.performance.tally import measuring_rules
from ccsim.results.figures import comparable_service
from ccsim.scenario.targets import Target
from ccsim.statistics import Estimate, paired_difference, paired_ratio_difference

if TYPE_CHECKING:
    import pandas as pd

    from ccsim.results.kinds import Simulation

Floats = NDArray[np.float64]

HOUR_US = 3.6e9
LEVEL = 0.95
_WEEK = 7


@dataclass(frozen=True)
class WeekDifference:
    """A variant minus the first in one week, paired.

    Attributes
    ----------
    week : int
        From 1; seven days each, from the first day of the horizon.
    measure : str
        `service_level`, `repeats`, `saved_hours`, `on_the_floor_hours`, or `hours_back`: of all
        weeks so far, what is saved less the time taken off the floor.
    contact_type : str
        Of the first two, else nothing.
    estimate : Estimate
        The difference.
    """

    week: int
    measure: str
    contact_type: str
    estimate: Estimate


def weeks_of(days: int) -> list[tuple[int, ...]]:
    """Days of each week of a horizon; none where there are not two whole ones.

    Examples
    --------
    >>> [len(days) for days in weeks_of(17)], weeks_of(13)
    ([7, 7, 3], [])
    """
    if days < 2 * _WEEK:
        return []
    return [tuple(range(day, min(day + _WEEK, days))) for day in range(0, days, _WEEK)]


def week_differences(first: Simulation, other: Simulation) -> Iterator[WeekDifference]:
    """Every difference of every week, for contact types that both have.

    Notes
    -----
    Saved is handle time for as many served requests: of each contact type what the first spent,
    times requests served here ÷ served there, less what is spent here. Handle time alone would
    count as saved whatever customers who gave up no longer cost. Contact types that exchange
    contacts count as one. Ring time and dialling are not in it.
    """
    weeks = weeks_of(first.case.grid.days)
    nothing = np.zeros(first.sample.replications // first.sample.block_size)
    back = nothing
    for number, days in enumerate(weeks, 1):
        for name in first.case.scenario.contact_types:
            if name not in other.case.scenario.contact_types:
                continue
            if comparable_service(first, other, name):
                pairs = [_service(one, name, days) for one in (other, first)]
                level = paired_ratio_difference(*pairs[0], *pairs[1], level=LEVEL)
                yield WeekDifference(number, "service_level", name, level)
            here, there = (_count(one, "repeats", name, days) for one in (other, first))
            yield WeekDifference(number, "repeats", name, paired_difference(here, there, LEVEL))
        saved = _saved(first, other, days)
        yield WeekDifference(number, "saved_hours", "", paired_difference(saved, nothing, LEVEL))
        here, there = (_on_the_floor(one, days) for one in (other, first))
        less = paired_difference(here, there, LEVEL)
        yield WeekDifference(number, "on_the_floor_hours", "", less)
        back = back + saved + here - there
        yield WeekDifference(number, "hours_back", "", paired_difference(back, nothing, LEVEL))


def pays_back(first: Simulation, other: Simulation) -> tuple[int | None, int | None]:
    """By the end of which week the hours taken off the floor are back: may be, and surely.

    The first week of which the interval reaches above nothing, and the first that lies above it
    with all later ones; None where that is after the horizon.
    """
    back = [one.estimate for one in week_differences(first, other) if one.measure == "hours_back"]
    may = next((week for week, one in enumerate(back, 1) if one.upper >= 0), None)
    below = [week for week, one in enumerate(back, 1) if not one.lower > 0]
    surely = max(below, default=0) + 1
    return may, surely if surely <= len(back) else None


def week_table(simulations: Sequence[Simulation]) -> pd.DataFrame:
    """One row for each variant, week and measure: the difference from the first, its limits."""
    import pandas as pd

    from ccsim.results.wording import variant_name

    first, *others = simulations
    return pd.DataFrame(
        [
            {
                "variant": variant_name(other.case),
                "week": one.week,
                "measure": one.measure,
                "contact_type": one.contact_type,
                "difference": one.estimate.value,
                "lower": one.estimate.lower,
                "upper": one.estimate.upper,
            }
            for other in others
            for one in week_differences(first, other)
        ]
    )


def _service(
    one: Simulation, name: str, days: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Block totals of the service level of some days."""
    scenario, rules = one.case.scenario, measuring_rules(one.case.scenario)
    wait = rules.thresholds[list(scenario.contact_types).index(name)][0]
    promise = Promise(name, Target("answered within", 0.0, wait, "horizon"), days, name)
    over, under = parts(promise, one.sample, scenario, rules)
    return one.sample.blocks(over), one.sample.blocks(under)


def _count(one: Simulation, measure: str, name: str, days: tuple[int, ...]) -> Floats:
    """Contacts of some days in each block, by replication."""
    index = list(one.case.scenario.contact_types).index(name)
    counted = one.sample.measure(measure)[:, index, days[0] : days[-1] + 1].sum(axis=1)
    return one.sample.blocks(counted) / one.sample.block_size


def _saved(first: Simulation, other: Simulation, days: tuple[int, ...]) -> Floats:
    """Handle time that as many served requests no longer take [h], of some days in each block."""
    both = [n for n in first.case.scenario.contact_types if n in other.case.scenario.contact_types]
    apart = [n for n in both if not any(one.case.scenario.exchanges(n) for one in (first, other))]
    # What contact types hand to each other is work for the requests of all of them.
    pools = [[name] for name in apart] + [[name for name in both if name not in apart]]
    saved = np.zeros(first.sample.replications // first.sample.block_size)
    for names in pools:
        spent, asked, lost = (
            [sum(_count(one, measure, n, days) for n in names) for one in (first, other)]
            for measure in ("handle_time", "requests", "lost")
        )
        served = [np.asarray(a - gone) for a, gone in zip(asked, lost, strict=True)]
        if served[0].all():
            saved += spent[0] * served[1] / served[0] - spent[1]
    return saved / HOUR_US


def takes_hours_off(first: Simulation, other: Simulation) -> bool:
    """Whether a variant has fewer hours on the floor in some week, so that they may come back."""
    return any(
        one.measure == "on_the_floor_hours" and one.estimate.upper < 0
        for one in week_differences(first, other)
    )


def _on_the_floor(one: Simulation, days: tuple[int, ...]) -> Floats:
    """Agents' hours on the floor of some days in each block, by replication, all groups."""
    spent = one.sample.group_measure("on_the_floor")[:, :, days[0] : days[-1] + 1]
    return one.sample.blocks(spent.sum(axis=(1, 2))) / one.sample.block_size / HOUR_US
