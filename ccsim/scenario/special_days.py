"""Special days: which they are, when it is open on them, and what their demand is like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ccsim.scenario.units import came

if TYPE_CHECKING:
    from ccsim.scenario.calendar import Grid
    from ccsim.scenario.demand import OtherDay, SpecialDay
    from ccsim.scenario.hours import OpeningHours
    from ccsim.scenario.model import Horizon, Scenario


class Profile(NamedTuple):
    """What the demand of each interval is like, arrays of shape (n_intervals,)."""

    weekday: NDArray[np.int64]
    """The weekday whose demand it has."""
    scale: NDArray[np.float64]
    """What multiplies it."""
    special: NDArray[np.bool_]
    """Whether it lies on a special day of the contact type."""


@lru_cache(maxsize=64)
def public_holidays(where: str, years: tuple[int, ...]) -> dict[date, str]:
    """Names of the public holidays of a country or a part of it, by day.

    Raises
    ------
    ValueError
        If the country or its part is not known.

    Examples
    --------
    >>> public_holidays("DE-BY", (2026,))[date(2026, 1, 6)]
    'Epiphany'
    """
    import holidays

    country, _, part = where.partition("-")
    try:
        found = holidays.country_holidays(
            country, subdiv=part or None, years=years, observed=True, language="en_US"
        )
    except NotImplementedError:
        raise ValueError(
            f"no public holidays of {came(where)} are known; write DE or DE-BY, or name the dates"
        ) from None
    return dict(found.items())


def dates_of(special: SpecialDay, horizon: Horizon) -> tuple[date, ...]:
    """Days of the horizon on which a special day lies, in order."""
    days = [horizon.start + timedelta(days=number) for number in range(horizon.days)]
    named = set(special.dates)
    if special.public_holidays is not None:
        years = tuple(sorted({day.year for day in days}))
        named |= set(public_holidays(special.public_holidays, years))
    return tuple(day for day in days if day in named)


def other_days(scenario: Scenario, contact_type: str) -> Iterator[tuple[date, str, OtherDay]]:
    """Days of the horizon that are different for a contact type, and what is."""
    for name, special in scenario.special_days.items():
        if contact_type in special.contact_types:
            for day in dates_of(special, scenario.horizon):
                yield day, name, special.contact_types[contact_type]


def hours_of(scenario: Scenario, contact_type: str) -> OpeningHours:
    """When a contact type is open, with the hours of its special days."""
    usual = scenario.contact_types[contact_type].open
    on = []
    for day, _, other in other_days(scenario, contact_type):
        weekday = day.weekday() if other.like is None else other.like
        spans = usual.spans[weekday] if other.open is None else other.open
        on.append((day.isoformat(), spans))
    return replace(usual, on=tuple(sorted(on))) if on else usual


def profile_of(scenario: Scenario, grid: Grid, contact_type: str) -> Profile:
    """What the demand of each interval is like."""
    weekday, scale = grid.weekday.copy(), np.ones(grid.intervals)
    special = np.zeros(grid.intervals, dtype=bool)
    for day, _, other in other_days(scenario, contact_type):
        here = grid.day == grid.dates.index(day.isoformat())
        special |= here
        scale[here] = other.scale
        if other.like is not None:
            weekday[here] = other.like
    return Profile(weekday, scale, special)
