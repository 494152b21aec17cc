"""PAID: what a horizon costs, line by line, and which contact type it was spent on.

Two views of one total. By line: what was paid to whom. By contact type: handling at the cost of an
hour on the floor, and idle time, which belongs to nobody in particular and is therefore shown
under two drivers. Both add up to the total to the cent, and in every replication exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np

from ccsim.economics.contracts import GroupUsage, InvoiceLine, bill, check_counts, in_cents
from ccsim.economics.money import Integers, average, cent, frozen, share_out, spread, to_the_cent
from ccsim.scenario.model import InHouse, Scenario

Driver = Literal["handled_time", "contacts"]
"""How idle time is spread over contact types: by their handled time, or by contacts offered."""


@dataclass(frozen=True, eq=False)
class Amount:
    """A cost: its mean to the cent, and the amount of each replication [millionths]."""

    mean: Decimal
    per_replication: Integers


@dataclass(frozen=True, eq=False)
class TypeCost:
    """What one contact type costs.

    Attributes
    ----------
    contact_type, channel : str
        Which.
    direct : Amount
        Its handling, at the cost of a partner's minute or of an own hour on the floor.
    idle : mapping of {"handled_time", "contacts"} to Amount
        Its part of idle time under each driver.
    handled : ndarray of int64, shape (replications,)
        Its handled contacts, the denominator of its cost per handled contact.
    """

    contact_type: str
    channel: str
    direct: Amount
    idle: Mapping[Driver, Amount]
    handled: Integers

    def total(self, driver: Driver) -> Amount:
        """Add handling and idle time."""
        return Amount(
            self.direct.mean + self.idle[driver].mean,
            frozen(self.direct.per_replication + self.idle[driver].per_replication),
        )


@dataclass(frozen=True, eq=False)
class CostBreakdown:
    """The cost of a horizon: lines, total, and contact types.

    A cost per something is sum over sum: give `ccsim.statistics.ratio` the numerators and
    denominators (blocks summed first), both of shape (replications,).

    Attributes
    ----------
    currency : str
        Three letters.
    lines : tuple of InvoiceLine
        Their amounts add up to the total's mean.
    total : Amount
        Everything.
    by_contact_type : mapping of str to TypeCost
        Under each driver their totals add up to the total.
    idle : Amount
        Paid for and not used: idle time of own agents, a partner's minutes short of the minimum.
    requests : ndarray of int64, shape (replications,)
        Requests of all contact types, the denominator of the cost per request.
    """

    currency: str
    lines: tuple[InvoiceLine, ...]
    total: Amount
    by_contact_type: Mapping[str, TypeCost]
    idle: Amount
    requests: Integers

    @property
    def per_request(self) -> tuple[Integers, Integers]:
        """Numerators [millionths] and denominators of the cost per request."""
        return self.total.per_replication, self.requests

    def per_handled_contact(self, contact_type: str, driver: Driver) -> tuple[Integers, Integers]:
        """Numerators [millionths] and denominators of a contact type's cost per handled contact."""
        cost = self.by_contact_type[contact_type]
        return cost.total(driver).per_replication, cost.handled

    def by_group(self) -> dict[str, Decimal]:
        """Cost of each agent group, to the cent; adds up to the total."""
        groups: dict[str, Decimal] = {}
        for line in self.lines:
            groups[line.group] = groups.get(line.group, cent(self.currency) * 0) + line.amount
        return groups

    def __str__(self) -> str:
        rows = [(line.group, line.amount, line.driver) for line in self.lines]
        rows.append(("total", self.total.mean, self.currency))
        width = max(len(name) for name, _, _ in rows)
        return "\n".join(f"{name:<{width}} {amount:>14,}  {text}" for name, amount, text in rows)


def price(
    scenario: Scenario,
    usages: Sequence[GroupUsage],
    *,
    handled: Mapping[str, Integers],
    offered: Mapping[str, Integers],
    requests: Mapping[str, Integers],
) -> CostBreakdown:
    """Price what was used of every agent group, and allocate it to contact types.

    Parameters
    ----------
    scenario
        Gives rate cards, shrinkage, skills and the currency.
    usages
        One for each agent group.
    handled, offered, requests : mapping of contact type to (replications,)
        Contacts handled, contacts offered (a driver of idle time), and requests.

    Raises
    ------
    ValueError
        A group or contact type is missing, unknown or there twice, numbers of replications differ,
        a price is in another currency than the scenario's, or not above 0.

    Notes
    -----
    In each replication an own group of cost C with F µs on the floor and H handling (of the contact
    type) costs C·H/F directly, so breaks, absence, leave and on-cost are spread over floor time;
    the rest, C·(F - all handling)/F, is idle. Where handling exceeds F (handling counts by arrival,
    and the last contacts may end beyond the horizon) nothing is idle. A partner's handled minutes
    are direct; its top-up is idle. A group's idle time is spread over the contact types of its
    skills (all, if it has none), by what it handled of each or by what was offered of each, and
    equally if that is nothing at all.

    Examples
    --------
    Two agents, 80 hours paid and 70 on the floor, of which they handle 42 h calls and 14 h orders:

    >>> from datetime import date
    >>> from ccsim.scenario.calendar import HOUR_US
    >>> from ccsim.scenario.units import parse_money
    >>> kind = {"demand": {"rate": "4 calls/h"}, "talk_time": "5 min"}
    >>> centre = Scenario(
    ...     version=1, name="Branch", currency="USD", time_zone="UTC",
    ...     horizon={"start": date(2026, 9, 7)},
    ...     contact_types={"calls": kind, "orders": kind},
    ...     agent_groups={"branch": {
    ...         "skills": {"calls": {}, "orders": {}}, "rate_card": "own",
    ...         "shrinkage": {"paid_not_scheduled": "20%"}}},
    ...     rate_cards={"own": {"paid_hour": "21 USD", "on_cost": "30%", "after_shift": 1.5}},
    ... )
    >>> def number(n):
    ...     return np.array([n], dtype=np.int64)
    >>> week = GroupUsage(
    ...     "branch", 80 * HOUR_US, number(0),
    ...     {"calls": number(42 * HOUR_US), "orders": number(14 * HOUR_US)},
    ...     number(70 * HOUR_US),
    ... )
    >>> cost = price(
    ...     centre, [week],
    ...     handled={"calls": number(500), "orders": number(150)},
    ...     offered={"calls": number(540), "orders": number(180)},
    ...     requests={"calls": number(520), "orders": number(180)},
    ... )
    >>> print(cost)
    branch       1,680.00  80.0 scheduled hours × 21.00 USD
    branch         420.00  20.0 hours of leave and training × 21.00 USD
    branch           0.00  0.0 hours past shift end × 21.00 USD × 1.5
    branch         630.00  30% on wages of 2,100.00 USD
    total        2,730.00  USD

    70 hours on the floor cost 39 USD each. 14 of them were idle:

    >>> for name, each in cost.by_contact_type.items():
    ...     print(name, each.direct.mean, *(each.idle[driver].mean for driver in each.idle))
    calls 1638.00 409.50 409.50
    orders 546.00 136.50 136.50
    >>> print(cost.idle.mean, round(2730 / 700, 2), "USD per request")
    546.00 3.9 USD per request
    """
    usage = _checked(
        scenario, usages, {"handled": handled, "offered": offered, "requests": requests}
    )
    groups = scenario.agent_groups
    bills = {
        name: bill(usage[name], scenario.rate_cards[group.rate_card], group.shrinkage)
        for name, group in groups.items()
    }
    nothing = np.zeros(usages[0].replications, dtype=np.int64)
    direct = dict.fromkeys(scenario.contact_types, nothing)
    idle = nothing
    spread_idle: dict[Driver, dict[str, Integers]] = {
        "handled_time": dict(direct),
        "contacts": dict(direct),
    }
    for name, group in groups.items():
        if isinstance(scenario.rate_cards[group.rate_card], InHouse):
            of_types, unused = _own_cost(bills[name], usage[name])
        else:
            of_types, unused = _partner_cost(bills[name], nothing)
        for contact_type, cost in of_types.items():
            direct[contact_type] = direct[contact_type] + cost
        idle = idle + unused
        skills = group.skills or scenario.contact_types
        weights: dict[Driver, list[Integers]] = {
            "handled_time": [usage[name].handled_us.get(skill, nothing) for skill in skills],
            "contacts": [offered[skill] for skill in skills],
        }
        for driver, by_type in spread_idle.items():
            parts = share_out(unused, weights[driver])
            for skill, part in zip(skills, parts, strict=True):
                by_type[skill] = by_type[skill] + part

    lines = in_cents([line for name in groups for line in bills[name]])
    total = _sum([line.per_replication for line in lines], nothing)
    *direct_means, idle_mean = to_the_cent(
        [average(cost) for cost in (*direct.values(), idle)], scenario.currency
    )
    idle_means = {
        driver: dict(zip(by_type, _spread(idle_mean, by_type, scenario.currency), strict=True))
        for driver, by_type in spread_idle.items()
    }
    return CostBreakdown(
        currency=scenario.currency,
        lines=lines,
        total=Amount(sum((line.amount for line in lines), cent(scenario.currency) * 0), total),
        by_contact_type={
            name: TypeCost(
                contact_type=name,
                channel=given.channel,
                direct=Amount(mean, frozen(direct[name])),
                idle={
                    driver: Amount(idle_means[driver][name], frozen(by_type[name]))
                    for driver, by_type in spread_idle.items()
                },
                handled=frozen(handled[name]),
            )
            for (name, given), mean in zip(
                scenario.contact_types.items(), direct_means, strict=True
            )
        },
        idle=Amount(idle_mean, frozen(idle)),
        requests=_sum([requests[name] for name in scenario.contact_types], nothing),
    )


def _own_cost(
    lines: Sequence[InvoiceLine], usage: GroupUsage
) -> tuple[dict[str, Integers], Integers]:
    """Split an own group's cost by floor time: handling of each contact type, and idle."""
    floor = usage.on_the_floor_us
    # Nobody on the floor (all were absent): all that was paid is idle.
    rest = np.where(floor == 0, 1, np.maximum(floor - usage.all_handled_us, 0))
    cost = _sum([line.per_replication for line in lines], rest * 0)
    *handling, idle = share_out(cost, [*usage.handled_us.values(), rest])
    return dict(zip(usage.handled_us, handling, strict=True)), idle


def _partner_cost(
    lines: Sequence[InvoiceLine], nothing: Integers
) -> tuple[dict[str, Integers], Integers]:
    """Split a partner's bill: handled minutes of each contact type, and the top-up."""
    direct = {line.contact_type: line.per_replication for line in lines if line.contact_type}
    unused = [line.per_replication for line in lines if not line.contact_type]
    return direct, _sum(unused, nothing)


def _spread(total: Decimal, by_type: Mapping[str, Integers], currency: str) -> tuple[Decimal, ...]:
    return spread(total, [average(cost) for cost in by_type.values()], currency)


def _sum(amounts: Sequence[Integers], nothing: Integers) -> Integers:
    return frozen(np.sum([nothing, *amounts], axis=0))


def _checked(
    scenario: Scenario,
    usages: Sequence[GroupUsage],
    counts: Mapping[str, Mapping[str, Integers]],
) -> dict[str, GroupUsage]:
    """Usage by group, once everything is there, fits together and is in one currency."""
    names = [usage.group for usage in usages]
    if sorted(names) != sorted(scenario.agent_groups):
        raise ValueError(
            f"usages are of {', '.join(names) or 'no group'}; "
            f"one of each of {', '.join(scenario.agent_groups)} is needed"
        )
    replications = usages[0].replications
    for usage in usages:
        if usage.replications != replications:
            raise ValueError(
                f"{usage.group} has {usage.replications} replications, "
                f"{usages[0].group} has {replications}"
            )
        skills = scenario.agent_groups[usage.group].skills
        if unknown := [name for name in usage.handled_us if name not in skills]:
            raise ValueError(f"{usage.group} handled {', '.join(unknown)}, which is not its skill")
    for what, by_type in counts.items():
        if set(by_type) != set(scenario.contact_types):
            raise ValueError(
                f"{what} is of {', '.join(by_type) or 'no contact type'}; "
                f"one of each of {', '.join(scenario.contact_types)} is needed"
            )
        check_counts(
            {f"{what}[{name!r}]": each for name, each in by_type.items()}, replications, "price"
        )
    for name in {group.rate_card for group in scenario.agent_groups.values()}:
        card = scenario.rate_cards[name]
        rate = card.paid_hour if isinstance(card, InHouse) else card.handled_minute
        if rate.currency != scenario.currency:
            raise ValueError(
                f"rate card {name!r} is in {rate.currency}, the scenario in {scenario.currency}; "
                "write the price in the scenario's currency"
            )
    return dict(zip(names, usages, strict=True))
