"""Numbers in words: with their interval, and no more digits than it allows.

One way to write them, in two forms: `write` for tables with room (the interval below the value),
`plain` for a line of a terminal. Both round to two figures of the interval's half-width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ccsim.statistics.intervals import Estimate

Unit = Literal["", "%", " s"]
"""Money and counts, shares, seconds."""
NOTHING = "nothing offered"
"""What stands where there is no number."""


@dataclass(frozen=True)
class Written:
    """A number in words: the value, and its interval or why there is none."""

    value: str
    interval: str

    def __str__(self) -> str:
        return f"{self.value} {self.interval}".rstrip()


def write(
    estimate: Estimate,
    unit: Unit = "",
    *,
    most: int = 2,
    apart_from: float | None = None,
    signed: bool = False,
) -> Written:
    """Write an estimate with its interval.

    Parameters
    ----------
    estimate : Estimate
        Shares as fractions; limits below 0, and of a share above 100 %, are cut.
    unit : str
        Per cent, seconds, or none for money and counts.
    most : int
        The most digits after the point; without an interval two (one with a unit) are enough.
    apart_from : float, optional
        A bound that the value must not be rounded onto: it gets as many digits as that takes.
    signed : bool
        A difference: written with its sign, its limits as they are.

    Examples
    --------
    >>> print(write(Estimate(0.80912, 0.80622, 0.81202, 0.95, "simulated", 10), "%"))
    80.91% [80.62%, 81.20%]
    >>> print(write(Estimate(48213.4, 47961.0, 48466.0, 0.95, "simulated", 10)))
    48,210 [47,960, 48,470]
    """
    if math.isnan(estimate.value):
        return Written("–", NOTHING)
    value, lower, upper = _scaled(estimate, unit, signed)
    digits = _digits(estimate, unit, most, apart_from)
    said = f"{_signed(value, digits, signed)}{unit}"
    missing = _why_no_interval(estimate, signed)
    if missing:
        return Written(said, missing)
    return Written(said, f"[{number(lower, digits)}{unit}, {number(upper, digits)}{unit}]")


def plain(
    estimate: Estimate,
    unit: Unit = "",
    *,
    most: int = 6,
    apart_from: float | None = None,
    signed: bool = False,
) -> str:
    """Write an estimate on one short line: half its interval, or both limits if they lie unevenly.

    Parameters
    ----------
    estimate, unit, most, apart_from, signed
        As in `write`.

    Examples
    --------
    >>> plain(Estimate(29_453.12, 28_943.0, 29_963.2, 0.95, "simulated", 10))
    '29,450 ± 510'
    >>> plain(Estimate(0.972, 0.951, 0.986, 0.95, "simulated", 320), "%")
    '97.2% [95.1, 98.6]'
    """
    if math.isnan(estimate.value):
        return NOTHING
    value, lower, upper = _scaled(estimate, unit, signed)
    digits = _digits(estimate, unit, most, apart_from)
    said = f"{_signed(value, digits, signed)}{unit}"
    missing = _why_no_interval(estimate, signed)
    if missing:
        return f"{said} ({missing.split(':')[0]})"
    half = (upper - lower) / 2
    if abs(upper + lower - 2 * value) > 0.1 * half:
        return f"{said} [{number(lower, digits)}, {number(upper, digits)}]"
    return f"{said} ± {number(half, digits)}"


def decimals(half_width: float, most: int) -> int:
    """Digits after the point that an interval allows: two of its half-width, at most so many.

    Examples
    --------
    >>> [decimals(half, most=2) for half in (0.004, 0.29, 12.0, 340.0)]
    [2, 2, 0, -1]
    """
    if not half_width > 0:
        return most
    return min(max(1 - math.floor(math.log10(half_width)), -6), most)


def number(value: float, digits: int) -> str:
    """Round to so many digits after the point, or before it where that is negative.

    Examples
    --------
    >>> number(48213.4, -1), number(0.5, 2), number(-0.001, 1)
    ('48,210', '0.50', '0.0')
    """
    return f"{round(value, digits) + 0.0:,.{max(digits, 0)}f}"


def at_most(value: float, digits: int = 2) -> str:
    """Write a lower bound, rounded down so that it stays one.

    Examples
    --------
    >>> at_most(3987.699)
    '3,987.69'
    """
    return f"{math.floor(value * 10**digits) / 10**digits:,.{digits}f}"


def plural(count: int, word: str) -> str:
    """A number of things.

    Examples
    --------
    >>> plural(1, "day"), plural(7, "day")
    ('1 day', '7 days')
    """
    return f"{count:,} {word}{'s' * (count != 1)}"


def _why_no_interval(estimate: Estimate, signed: bool) -> str:
    """The word that stands in place of an interval; empty where there is one."""
    if estimate.kind != "simulated":
        return estimate.kind
    if math.isnan(estimate.half_width):
        return "no interval: fewer than ten blocks"
    if _has_width(estimate):
        return ""
    return "every block alike" if estimate.value or signed else "none seen"


def _has_width(estimate: Estimate) -> bool:
    # What rounding leaves of a sum is no width.
    return estimate.half_width > 1e-9 * max(abs(estimate.value), 1e-3)


def _digits(estimate: Estimate, unit: Unit, most: int, apart_from: float | None) -> int:
    scale = _scale(unit)
    digits = min(most, 1 if unit else 2)
    if _has_width(estimate):
        digits = decimals(estimate.half_width * scale, most)
    if apart_from is None or estimate.value == apart_from:
        return digits
    while digits < 6 and (
        number(estimate.value * scale, max(digits, 0)) == number(apart_from * scale, max(digits, 0))
    ):
        digits = max(digits, 0) + 1
    return digits


def _scaled(estimate: Estimate, unit: Unit, signed: bool) -> tuple[float, float, float]:
    """Value and limits in the unit; limits that only a difference can have are cut."""
    lower, upper = estimate.lower, estimate.upper
    if not signed:
        lower = max(lower, 0.0)
        upper = min(upper, 1.0) if unit == "%" else upper
    scale = _scale(unit)
    return estimate.value * scale, lower * scale, upper * scale


def _scale(unit: Unit) -> float:
    return 100.0 if unit == "%" else 1.0


def _signed(value: float, digits: int, signed: bool) -> str:
    return f"{'+' if signed and value > 0 else ''}{number(value, digits)}"
