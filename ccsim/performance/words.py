"""Promises, dates and invoice items in a few words, the same in plots and in reports."""

from __future__ import annotations

from datetime import date
from typing import Literal

import numpy as np

from ccsim.performance.promises import Kept
from ccsim.scenario.calendar import Grid
from ccsim.scenario.targets import Target
from ccsim.scenario.units import write_duration, write_share
from ccsim.statistics import Estimate

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

RARE_COUNTS = {
    "balked": "hung up on the announced wait",
    "blocked": "blocked",
    "closed": "came while closed",
    "cleared": "cleared",
    "waiting": "waiting at the end",
    "callbacks": "callbacks",
    "unreached": "not reached",
    "transferred": "passed on",
    "transfers": "passed on to it",
    "repeats": "repeats",
    "unresolved": "unresolved",
}
"""Counts of contacts that few centres have, and what they are called."""


def judged(kept: Kept) -> tuple[Estimate, float]:
    """What a promise is judged by, and its bound: the value itself, or the share of days."""
    target = kept.promise.target
    if target.share_of_days is not None and kept.share_of_days is not None:
        return kept.share_of_days, target.share_of_days
    return kept.estimate, target.value


def short_name(kept: Kept, grid: Grid) -> str:
    """A promise in a few words: ``sales, Mon 7 Sep: in 20 s``."""
    target = kept.promise.target
    when = day_name(grid.dates[kept.promise.days[0]]) if target.window == "day" else target.window
    what: str = target.metric
    if target.metric == "answered within":
        what = f"in {write_duration(target.threshold or 0)}"
    return f"{kept.promise.contact_type}, {when}: {what}"


def day_name(iso_date: str) -> str:
    """A date as a planner says it.

    Examples
    --------
    >>> day_name("2026-09-07")
    'Mon 7 Sep'
    """
    day = date.fromisoformat(iso_date)
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"


def item_name(item: str) -> str:
    """An invoice item in words."""
    names = {
        "paid_not_scheduled": "leave and training",
        "after_shift": "past shift end",
        "on_cost": "on-cost",
        "minimum": "minimum not reached",
    }
    return names.get(item, item)


def judged_in_seconds(target: Target) -> bool:
    """Whether what a target is judged by is in seconds rather than a share."""
    return target.metric == "average speed of answer" and target.share_of_days is None


def judged_sense(target: Target) -> Literal["at least", "at most"]:
    """Whether more is better of what a target is judged by; of days, more always is."""
    return "at least" if target.share_of_days is not None else target.sense


def said(kept: Kept) -> tuple[str, str, str]:
    """Simulated, promised, share of days, as words beside a plot."""
    target = kept.promise.target
    seconds = target.metric == "average speed of answer"
    value = kept.estimate.value
    simulated = (
        "nothing offered" if np.isnan(value) else f"{value:.1f} s" if seconds else f"{value:.1%}"
    )
    bound = f"{target.value:g} s" if seconds else write_share(target.value)
    days = "" if kept.share_of_days is None else f"{kept.share_of_days.value:.0%}"
    if target.share_of_days is not None:
        days += f" (promised {write_share(target.share_of_days)})"
    return simulated, f"{'≥' if target.sense == 'at least' else '≤'} {bound}", days
