"""Values with units, as a planner writes them: ``30 min``, ``8 h 30 min``, ``55 %``, ``21 USD``.

Text goes through a narrow gate before `pint` sees it, so that ``1:30``, ``3 Min`` or ``9**9`` are
refused instead of being understood as something else. A bare number where a unit is needed is an
error that shows the fix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint

MICROSECONDS = 1_000_000
"""Microseconds in a second: the clock of every engine is an int64 of these."""

NUMBER = r"\d+(?:\.\d+)?"
"""A number without a sign, as a pattern."""

_QUANTITY = re.compile(rf"\s*([+-]?{NUMBER})\s*([A-Za-z%]+(?:\s*/\s*[A-Za-z]+)?)\s*")
_COMPOUND = re.compile(rf"\s*(?:{NUMBER}\s*[A-Za-z]+\s*)+")
_PART = re.compile(rf"({NUMBER})\s*([A-Za-z]+)")
_CLOCK = re.compile(r"\s*(\d{1,2}):(\d\d)\s*")
_MONEY = re.compile(rf"\s*({NUMBER})\s*([A-Z]{{3}})\s*")
_MAXIMUM_CHARACTERS = 60
# Bounds that no centre reaches, so that nothing downstream overflows.
_LONGEST = 10 * 366 * 86_400
_FASTEST = 1_000_000
_DEAREST = 1_000_000_000


def came(value: object) -> str:
    """What came, short enough for one line of error text.

    Examples
    --------
    >>> came("8:30"), came({"mean": "3 min", "cv": 1.2})
    ("'8:30'", "{'mean': '3 min', 'cv': 1.2}")
    """
    text = repr(value)
    return text if len(text) <= _MAXIMUM_CHARACTERS else f"{text[: _MAXIMUM_CHARACTERS - 4]} ..."


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None)
    for definition in (
        "second = [time] = s = sec = seconds",
        "minute = 60*second = min = minutes",
        "hour = 60*minute = h = hours",
        "day = 24*hour = d = days",
        "week = 7*day = weeks",
        "contact = [contact] = contacts = call = calls",
    ):
        registry.define(definition)
    return registry


_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "week": 604_800, "weeks": 604_800}
"""What nearly everybody writes is read without pint, which takes its time to load."""


def _convert(number: str, unit: str, to: str) -> float:
    if to == "second" and unit in _SECONDS:
        return float(number) * _SECONDS[unit]
    what, _, per = unit.replace(" ", "").partition("/")
    if to == "contact / hour" and what in {"calls", "contacts"} and per in _SECONDS:
        return float(number) * (3600 / _SECONDS[per])
    import pint

    registry = _registry()
    try:
        return float(registry.Quantity(float(number), unit).to(to).magnitude)
    except (pint.errors.PintError, ValueError, TypeError, AttributeError):
        kind, fix = _UNITS[to]
        raise ValueError(
            f"{unit!r} in '{number} {unit}' is not a unit of {kind}: write {fix}"
        ) from None


_UNITS = {
    "second": ("time", "s, min, h, d or weeks"),
    "contact / hour": ("contacts per time", "'200 calls/h' or '4 contacts/min'"),
}


def parse_duration(value: object) -> int:
    """Microseconds of a written length of time.

    Examples
    --------
    >>> parse_duration("8 h 30 min") // MICROSECONDS
    30600
    """
    if isinstance(value, str) and len(value) <= _MAXIMUM_CHARACTERS and _COMPOUND.fullmatch(value):
        total = sum(_convert(number, unit, "second") for number, unit in _PART.findall(value))
        if total > _LONGEST:
            raise ValueError(f"{came(value)} is longer than ten years")
        return round(total * MICROSECONDS)
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} needs a unit of time: write '{value} s' or '{value} min'")
    if isinstance(value, str) and (clock := _CLOCK.fullmatch(value)):
        fix = f"{int(clock[1])} h {int(clock[2])} min" if int(clock[2]) else f"{int(clock[1])} h"
        raise ValueError(f"{came(value)} is a clock time, not a length: write {fix!r}")
    raise ValueError(
        f"{came(value)} is not a length of time: write '90 s', '30 min' or '8 h 30 min'"
    )


def write_duration(microseconds: int) -> str:
    """Write a length of time as a planner would.

    Examples
    --------
    >>> write_duration(30_600_000_000), write_duration(1_500_000), write_duration(604_800_000_000)
    ('8 h 30 min', '1.5 s', '7 d')
    """
    days, part_of_day = divmod(microseconds, 86_400 * MICROSECONDS)
    if days > 1 and not part_of_day:
        return f"{days} d"
    minutes, rest = divmod(microseconds, 60 * MICROSECONDS)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    if rest or not parts:
        seconds = Decimal(rest) / MICROSECONDS
        parts.append(f"{seconds.normalize():f} s")
    return " ".join(parts)


def parse_share(value: object) -> float:
    """Read a fraction between 0 and 1 written as a percentage.

    Examples
    --------
    >>> parse_share("80 %")
    0.8
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} needs a per cent sign: write '{value}%' or '{value * 100:g}%'")
    if not isinstance(value, str) or len(value) > _MAXIMUM_CHARACTERS:
        raise ValueError(f"{came(value)} is not a percentage: write '80%'")
    match = _QUANTITY.fullmatch(value)
    if match is None or match[2] != "%":
        raise ValueError(f"{came(value)} is not a percentage: write '80%'")
    share = float(Decimal(match[1]) / 100)
    if not 0 <= share <= 1:
        raise ValueError(f"{came(value)} is outside 0% to 100%; write a percentage between them")
    return share


def parse_share_range(value: object) -> tuple[float, float]:
    """Read one percentage, or two with a dash.

    Examples
    --------
    >>> parse_share_range("40% - 80%"), parse_share_range("60%")
    ((0.4, 0.8), (0.6, 0.6))
    """
    if isinstance(value, tuple):
        return value  # read before
    if not isinstance(value, str) or len(value) > _MAXIMUM_CHARACTERS:
        raise ValueError(f"{came(value)} is not a share or a range: write '60%' or '40% - 80%'")
    first, dash, last = value.partition("-")
    low, high = parse_share(first), parse_share(last if dash else first)
    if low > high:
        raise ValueError(f"{came(value)} ends below its start; write the smaller share first")
    return low, high


def write_share_range(shares: tuple[float, float]) -> str:
    """Write a range of percentages.

    Examples
    --------
    >>> write_share_range((0.4, 0.8)), write_share_range((0.6, 0.6))
    ('40% - 80%', '60%')
    """
    low, high = map(write_share, shares)
    return low if low == high else f"{low} - {high}"


def write_share(share: float) -> str:
    """Write a fraction as a percentage.

    Examples
    --------
    >>> write_share(0.8), write_share(0.055)
    ('80%', '5.5%')
    """
    return f"{_digits(Decimal(repr(float(share))) * 100)}%"


def _digits(number: Decimal) -> str:
    """Every digit of a number and no more, without an exponent."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_rate(value: object) -> float:
    """Contacts per hour of a written rate.

    Examples
    --------
    >>> parse_rate("200 calls/h"), parse_rate("4.2 calls/min")
    (200.0, 252.0)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} needs a unit: write '{value} calls/h'")
    match = (
        isinstance(value, str) and len(value) <= _MAXIMUM_CHARACTERS and _QUANTITY.fullmatch(value)
    )
    if not match:
        raise ValueError(f"{came(value)} is not a rate of contacts: write '200 calls/h'")
    rate = round(_convert(match[1], match[2], "contact / hour"), 9)
    if rate < 0:
        raise ValueError(f"{came(value)} is negative; a rate is 0 or more")
    if rate > _FASTEST:
        raise ValueError(f"{came(value)} is more than a million contacts an hour")
    return rate


def write_rate(rate: float) -> str:
    """Write contacts per hour.

    Examples
    --------
    >>> write_rate(200.0)
    '200 calls/h'
    """
    return f"{_digits(Decimal(repr(float(rate))))} calls/h"


@dataclass(frozen=True)
class Money:
    """An amount in one currency, exact to the digit written."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


def parse_money(value: object) -> Money:
    """Read an amount with its currency.

    Examples
    --------
    >>> print(parse_money("21.50 USD"))
    21.50 USD
    """
    if isinstance(value, Money):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} needs a currency: write '{value} USD'")
    match = isinstance(value, str) and len(value) <= _MAXIMUM_CHARACTERS and _MONEY.fullmatch(value)
    if not match:
        raise ValueError(f"{came(value)} is not an amount of money: write '21.50 USD'")
    money = Money(Decimal(match[1]), match[2])
    if money.amount > _DEAREST:
        raise ValueError(f"{came(value)} is more than a billion")
    return money
