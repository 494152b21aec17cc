"""How numbers are written in a terminal: with their interval, and no more digits than it allows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ccsim.statistics import Estimate


def plural(number: int, word: str) -> str:
    """A number of things.

    Examples
    --------
    >>> plural(1, "day"), plural(7, "day")
    ('1 day', '7 days')
    """
    return f"{number:,} {word}{'s' * (number != 1)}"


def digits_for(half_width: float) -> int:
    """Digits after the point, or before it, that leave two figures of the half-width.

    Examples
    --------
    >>> [digits_for(half) for half in (513.0, 51.3, 5.13, 0.0513)]
    [-1, 0, 1, 3]
    """
    return 1 - math.floor(math.log10(half_width))


def plain(estimate: Estimate, unit: str = "") -> str:
    """A value with half its interval, or both limits where they lie unevenly.

    Examples
    --------
    >>> from ccsim.statistics import Estimate
    >>> plain(Estimate(29_453.12, 28_943.0, 29_963.2, 0.95, "simulated", 10))
    '29,450 ± 510'
    >>> plain(Estimate(0.972, 0.951, 0.986, 0.95, "simulated", 320), "%")
    '97.2% [95.1, 98.6]'
    """
    scale = 100 if unit == "%" else 1
    value, lower, upper = (
        scale * each for each in (estimate.value, estimate.lower, estimate.upper)
    )
    some = 1 if unit else 2
    if math.isnan(value):
        return "none offered"
    if math.isnan(lower):
        return f"{_rounded(value, some)}{unit} (no interval)"
    half = (upper - lower) / 2
    # What rounding leaves of a sum is no width.
    if half <= 1e-9 * max(abs(value), 1e-9):
        return f"{_rounded(value, some)}{unit} (in every block)"
    digits = digits_for(half)
    if abs(upper + lower - 2 * value) > 0.1 * half:
        digits = min(digits, 1) if unit else digits
        limits = ", ".join(_rounded(limit, digits) for limit in (lower, upper))
        return f"{_rounded(value, digits)}{unit} [{limits}]"
    return f"{_rounded(value, digits)}{unit} ± {_rounded(half, digits)}"


def _rounded(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:,.{max(digits, 0)}f}"
