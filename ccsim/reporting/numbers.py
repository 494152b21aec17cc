"""Numbers as a report says them: no more digits than their interval allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ccsim.statistics import Estimate

Unit = Literal["", "%", " s"]


@dataclass(frozen=True)
class Written:
    """A number in words: the value, and below it its interval or why there is none."""

    value: str
    interval: str

    def __str__(self) -> str:
        return f"{self.value} {self.interval}".rstrip()


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
        The most digits after the point.
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
    scale = 100.0 if unit == "%" else 1.0
    if math.isnan(estimate.value):
        return Written("–", "nothing offered")
    half_width = estimate.half_width * scale
    digits = decimals(half_width, most)
    value = estimate.value * scale
    if apart_from is not None:
        bound = apart_from * scale
        while (
            digits < 6
            and value != bound
            and f"{value:.{max(digits, 0)}f}" == (f"{bound:.{max(digits, 0)}f}")
        ):
            digits = max(digits, 0) + 1
    sign = "+" if signed and value > 0 else ""
    said = f"{sign}{number(value, digits)}{unit}"
    if estimate.kind != "simulated":
        return Written(said, estimate.kind)
    if math.isnan(half_width):
        return Written(said, "no interval: fewer than ten blocks")
    if half_width == 0:
        return Written(said, "every block alike" if value else "none seen")
    least, largest = estimate.lower, estimate.upper
    if not signed:
        least = max(least, 0.0)
    if unit == "%" and not signed:
        largest = min(largest, 1.0)
    low, high = number(least * scale, digits), number(largest * scale, digits)
    return Written(said, f"[{low}{unit}, {high}{unit}]")


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
