"""Contracts are pure functions from usage to invoice lines: what was used, what it costs, and why.

Every line is billed replication by replication and then averaged. A minimum is not reached in some
weeks and is in others; billing the average week would leave the top-up out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Literal

import numpy as np

from ccsim.economics.money import (
    MILLIONTHS,
    Integers,
    average,
    exact,
    frozen,
    times,
    to_the_cent,
    write_price,
)
from ccsim.scenario.calendar import HOUR_US
from ccsim.scenario.model import InHouse, Partner, RateCard, Shrinkage
from ccsim.scenario.units import MICROSECONDS, Money, write_share

MINUTE_US = 60 * MICROSECONDS

Item = Literal["wages", "paid_not_scheduled", "after_shift", "on_cost", "handling", "minimum"]
"""What a line is for; `paid_not_scheduled` is leave and training, `minimum` a top-up."""


@dataclass(frozen=True, eq=False)
class GroupUsage:
    """What was used of one agent group over the horizon, in each replication.

    Attributes
    ----------
    group : str
        Name in the scenario.
    paid_us : int
        Scheduled paid time [µs]; who is absent unplanned is paid and counts.
    after_shift_us : ndarray of int64, shape (replications,)
        Worked past the end of the shift, with a contact in hand [µs].
    handled_us : mapping of str to ndarray of int64, shape (replications,)
        Handling by contact type: talk, hold and wrap-up [µs].
    on_the_floor_us : ndarray of int64, shape (replications,)
        Time on the floor, past shift end included, absence and breaks not [µs].
    forecast_handled_us : int
        Handling that the forecast gives this group [µs]; a partner's minimum is a share of it.

    Raises
    ------
    ValueError
        An array is not whole numbers of 0 or more, or not as long as the others.
    """

    group: str
    paid_us: int
    after_shift_us: Integers
    handled_us: Mapping[str, Integers]
    on_the_floor_us: Integers
    forecast_handled_us: int = 0

    def __post_init__(self) -> None:
        for name in ("paid_us", "forecast_handled_us"):
            if getattr(self, name) < 0:
                raise ValueError(f"{self.group}: {name}={getattr(self, name)} must be 0 or more")
        arrays = {f"handled_us[{name!r}]": each for name, each in self.handled_us.items()}
        arrays |= {"after_shift_us": self.after_shift_us, "on_the_floor_us": self.on_the_floor_us}
        check_counts(arrays, self.replications, self.group)

    @property
    def replications(self) -> int:
        """How many replications."""
        return len(self.on_the_floor_us)

    @property
    def all_handled_us(self) -> Integers:
        """Handling of all contact types [µs], shape (replications,)."""
        total = np.zeros(self.replications, dtype=np.int64)
        for handled in self.handled_us.values():
            total += handled
        return total


@dataclass(frozen=True, eq=False)
class InvoiceLine:
    """One line of a bill.

    Attributes
    ----------
    group : str
        The agent group that is paid for.
    item : str
        What for, one of `Item`.
    driver : str
        Quantity times price in words, averaged over the replications.
    currency : str
        Three letters.
    per_replication : ndarray of int64, shape (replications,)
        The amount of each replication [millionths of the currency].
    contact_type : str or None
        The contact type that caused it, where it is one alone.
    amount : Decimal
        The mean to the cent, rounded together with the lines it is added to.
    """

    group: str
    item: Item
    driver: str
    currency: str
    per_replication: Integers
    contact_type: str | None = None
    amount: Decimal = Decimal(0)


def bill_in_house(
    usage: GroupUsage, card: InHouse, shrinkage: Shrinkage
) -> tuple[InvoiceLine, ...]:
    """Bill own agents: scheduled paid hours, leave and training, work after the shift, on-cost.

    Raises
    ------
    ValueError
        The wage is not above 0: capacity without a price would take every contact.

    Notes
    -----
    With h scheduled paid hours, w the wage, p the share of paid time that is never scheduled:
    wages h·w; leave and training (h/(1-p) - h)·w; a hours past shift end a·w·multiple; on-cost on
    the sum of the three. Leave is not earned on time past shift end. Lines whose share is 0 in the
    contract are left out.

    Examples
    --------
    Two agents of 40 hours; a fifth of what is paid is leave and training:

    >>> usd = Money(Decimal("21"), "USD")
    >>> none = np.zeros(1, dtype=np.int64)
    >>> week = GroupUsage("branch", 80 * HOUR_US, none, {}, none)
    >>> card = InHouse(paid_hour=usd, on_cost="30%")
    >>> for line in bill_in_house(week, card, Shrinkage(paid_not_scheduled="20%")):
    ...     print(f"{line.amount:9,} {line.driver}")
     1,680.00 80.0 scheduled hours × 21.00 USD
       420.00 20.0 hours of leave and training × 21.00 USD
         0.00 0.0 hours past shift end × 21.00 USD
       630.00 30% on wages of 2,100.00 USD
    """
    wage = _above_zero(card.paid_hour, usage.group, "paid_hour")
    per_us = wage * MILLIONTHS / HOUR_US
    price, currency = write_price(card.paid_hour), card.paid_hour.currency
    beyond = paid_per_scheduled(shrinkage) - 1
    multiple = exact(card.after_shift)
    on_cost = exact(card.on_cost)
    line = partial(InvoiceLine, usage.group, currency=currency)
    scheduled = frozen(np.full(usage.replications, usage.paid_us))
    hours = _hours(Fraction(usage.paid_us))
    lines = [
        line(
            "wages", f"{hours} scheduled hours × {price}", per_replication=times(scheduled, per_us)
        )
    ]
    if beyond:
        hours = _hours(usage.paid_us * beyond)
        driver = f"{hours} hours of leave and training × {price}"
        lines.append(
            line("paid_not_scheduled", driver, per_replication=times(scheduled, per_us * beyond))
        )
    if multiple:
        hours = _hours(average(usage.after_shift_us) * MILLIONTHS)
        driver = f"{hours} hours past shift end × {price}"
        driver += "" if multiple == 1 else f" × {card.after_shift:g}"
        worked = times(usage.after_shift_us, per_us * multiple)
        lines.append(line("after_shift", driver, per_replication=worked))
    if on_cost:
        wages = _sum(lines)
        (amount,) = to_the_cent([average(wages)], currency)
        driver = f"{write_share(card.on_cost)} on wages of {amount:,} {currency}"
        lines.append(line("on_cost", driver, per_replication=times(wages, on_cost)))
    return in_cents(lines)


def bill_partner(usage: GroupUsage, card: Partner) -> tuple[InvoiceLine, ...]:
    """Bill a partner: handled minutes of each contact type, topped up to the agreed minimum.

    Raises
    ------
    ValueError
        The price is not above 0: a free partner would take every contact.

    Notes
    -----
    With H handled minutes of a replication, F forecast minutes, m the agreed share and c the price,
    a replication costs max(H, m·F)·c. The scenario's horizon is the billing period.

    Examples
    --------
    500 minutes in one week, 300 in the other; at least 80 % of 500 are billed. The average week
    reaches the minimum, and still there is a top-up:

    >>> usage = GroupUsage(
    ...     "partner", 0, np.zeros(2, dtype=np.int64),
    ...     {"calls": np.array([500, 300]) * MINUTE_US},
    ...     np.array([600, 600]) * MINUTE_US, 500 * MINUTE_US,
    ... )
    >>> price = Money(Decimal("0.80"), "USD")
    >>> card = Partner(handled_minute=price, capacity=5, minimum="80%")
    >>> for line in bill_partner(usage, card):
    ...     print(f"{line.amount:7,} {line.driver}")
     320.00 400.0 handled minutes of calls × 0.80 USD
      40.00 on average 50.0 minutes short of the agreed 400.0 × 0.80 USD
    """
    per_us = (
        _above_zero(card.handled_minute, usage.group, "handled_minute") * MILLIONTHS / MINUTE_US
    )
    price = write_price(card.handled_minute)
    line = partial(InvoiceLine, usage.group, currency=card.handled_minute.currency)
    lines = []
    for contact_type, handled in usage.handled_us.items():
        minutes = _minutes(average(handled) * MILLIONTHS)
        driver = f"{minutes} handled minutes of {contact_type} × {price}"
        billed = times(handled, per_us)
        lines.append(line("handling", driver, per_replication=billed, contact_type=contact_type))
    if card.minimum:
        agreed = round(exact(card.minimum) * usage.forecast_handled_us)
        short = np.maximum(agreed - usage.all_handled_us, 0)
        minutes = _minutes(average(short) * MILLIONTHS)
        of = _minutes(Fraction(agreed))
        driver = f"on average {minutes} minutes short of the agreed {of} × {price}"
        lines.append(line("minimum", driver, per_replication=times(short, per_us)))
    return in_cents(lines)


def bill(usage: GroupUsage, card: RateCard, shrinkage: Shrinkage) -> tuple[InvoiceLine, ...]:
    """Bill an agent group by the kind of its rate card."""
    if isinstance(card, Partner):
        return bill_partner(usage, card)
    return bill_in_house(usage, card, shrinkage)


def in_cents(lines: Sequence[InvoiceLine]) -> tuple[InvoiceLine, ...]:
    """Give lines their mean amounts to the cent, so that they add up to their rounded total.

    Raises
    ------
    ValueError
        The lines are in several currencies, which have no sum.
    """
    currencies = sorted({line.currency for line in lines})
    if len(currencies) > 1:
        raise ValueError(f"lines in {' and '.join(currencies)} have no common total")
    if not lines:
        return ()
    amounts = to_the_cent([average(line.per_replication) for line in lines], currencies[0])
    return tuple(replace(line, amount=each) for line, each in zip(lines, amounts, strict=True))


def paid_per_scheduled(shrinkage: Shrinkage) -> Fraction:
    """Paid hours for each scheduled hour: 1 / (1 - share that is never scheduled).

    Examples
    --------
    >>> paid_per_scheduled(Shrinkage(paid_not_scheduled="20%"))
    Fraction(5, 4)
    """
    return 1 / (1 - exact(shrinkage.paid_not_scheduled))


def check_counts(arrays: Mapping[str, Integers], replications: int, where: str) -> None:
    """Refuse anything but whole numbers of 0 or more, one for each replication."""
    if not replications:
        raise ValueError(f"{where}: there is no replication to price")
    for name, numbers in arrays.items():
        if not np.issubdtype(numbers.dtype, np.integer) or numbers.shape != (replications,):
            raise ValueError(
                f"{where}: {name} is {numbers.dtype} of shape {numbers.shape}; "
                f"whole numbers of shape ({replications},) are needed"
            )
        if numbers.min() < 0:
            raise ValueError(f"{where}: {name} holds {numbers.min()}; 0 or more is needed")


def _sum(lines: Sequence[InvoiceLine]) -> Integers:
    total: Integers = np.sum([line.per_replication for line in lines], axis=0)
    return total


def _above_zero(price: Money, group: str, name: str) -> Fraction:
    if price.amount <= 0:
        raise ValueError(
            f"{group}: {name}={price} must be above 0; "
            "capacity without a price would take every contact"
        )
    return Fraction(price.amount)


def _hours(microseconds: Fraction) -> str:
    return _write(microseconds / HOUR_US)


def _minutes(microseconds: Fraction) -> str:
    return _write(microseconds / MINUTE_US)


def _write(number: Fraction) -> str:
    """Two digits, as quarters of an hour need, or one where the second is 0."""
    return f"{float(number):,.2f}".removesuffix("0")
