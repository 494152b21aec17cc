"""Money: identities to the cent, properties of contracts, and bills that can be checked by hand."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccsim.economics import (
    MILLIONTHS,
    CostBreakdown,
    GroupUsage,
    bill,
    bill_in_house,
    bill_partner,
    loaded_hour,
    paid_chain,
    paid_time,
    price,
    schedule_cost,
)
from ccsim.economics.contracts import in_cents
from ccsim.economics.money import average, cent, share_out, spread, times, to_the_cent
from ccsim.plans import PlacedBreak, PlacedShift, StaffingPlan
from ccsim.scenario.calendar import HOUR_US
from ccsim.scenario.case import case_from
from ccsim.scenario.model import AgentGroup, InHouse, Partner, Scenario, Shrinkage
from ccsim.scenario.units import Money, write_share

MINUTE_US = HOUR_US // 60
WEEK_OF_A_THOUSAND = 40_000 * HOUR_US
DRIVERS = ("handled_time", "contacts")


def usd(amount: str, currency: str = "USD") -> Money:
    return Money(Decimal(amount), currency)


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def percent(share: float) -> str:
    return write_share(share)


def centre(**changes: object) -> Scenario:
    """Calls answered in-house and by a partner, orders in-house only."""
    kind = {"demand": {"rate": "60 calls/h"}, "talk_time": "3 min"}
    settings_ = {
        "version": 1,
        "name": "Two pools",
        "currency": "USD",
        "time_zone": "UTC",
        "horizon": {"start": date(2026, 9, 7), "days": 1, "interval": "60 min"},
        "contact_types": {"calls": kind, "orders": kind},
        "agent_groups": {
            "branch": {
                "skills": {"calls": {}, "orders": {}},
                "rate_card": "own",
                "shrinkage": {"paid_not_scheduled": "20%", "unplanned": "10%"},
            },
            "outside": {"skills": {"calls": {}}, "rate_card": "partner"},
        },
        "rate_cards": {
            "own": {"paid_hour": "21.37 USD", "on_cost": "30%", "after_shift": 1.5},
            "partner": {"handled_minute": "0.823 USD", "capacity": 30, "minimum": "90%"},
        },
    }
    return Scenario.model_validate(settings_ | changes)


@st.composite
def counts(draw: st.DrawFn, replications: int, most: int) -> np.ndarray:
    numbers = st.lists(st.integers(0, most), min_size=replications, max_size=replications)
    return np.array(draw(numbers), dtype=np.int64)


@st.composite
def breakdowns(draw: st.DrawFn) -> tuple[Scenario, CostBreakdown]:
    """Prices, shrinkage, sizes and luck at random, from nobody at work to a thousand agents."""
    prices = st.decimals("0.0001", "5000", places=4)
    shares = st.integers(0, 900).map(lambda permille: percent(permille / 1000))
    currency = draw(st.sampled_from(["USD", "JPY", "KWD"]))
    scenario = centre(
        currency=currency,
        agent_groups={
            "branch": {
                "skills": draw(st.sampled_from([{"calls": {}, "orders": {}}, {"orders": {}}, {}])),
                "rate_card": "own",
                "shrinkage": {"paid_not_scheduled": draw(shares)},
            },
            "outside": {"skills": {"calls": {}}, "rate_card": "partner"},
        },
        rate_cards={
            "own": {
                "paid_hour": f"{draw(prices):f} {currency}",
                "on_cost": draw(shares),
                "after_shift": draw(st.sampled_from([0, 1, 1.5, 2.25])),
            },
            "partner": {
                "handled_minute": f"{draw(prices):f} {currency}",
                "capacity": 5,
                "minimum": draw(shares),
            },
        },
    )
    n = draw(st.integers(1, 4))
    most = draw(st.sampled_from([0, 3, 10**6, WEEK_OF_A_THOUSAND]))
    usages = [
        GroupUsage(
            group=name,
            paid_us=draw(st.integers(0, most)),
            after_shift_us=draw(counts(n, most // 100)),
            handled_us={skill: draw(counts(n, most)) for skill in group.skills},
            on_the_floor_us=draw(counts(n, most)),
            forecast_handled_us=draw(st.integers(0, most)),
        )
        for name, group in scenario.agent_groups.items()
    ]
    contacts = {
        what: {name: draw(counts(n, 10**5)) for name in scenario.contact_types}
        for what in ("handled", "offered", "requests")
    }
    return scenario, price(scenario, usages, **contacts)


class TestIdentities:
    @settings(deadline=None, max_examples=150)
    @given(breakdowns())
    def test_every_view_adds_up_to_the_total_to_the_cent(
        self, drawn: tuple[Scenario, CostBreakdown]
    ) -> None:
        scenario, cost = drawn
        unit = cent(scenario.currency)
        total = cost.total.mean
        assert total == total.quantize(unit)
        assert sum(line.amount for line in cost.lines) == total
        assert sum(cost.by_group().values()) == total
        direct = sum(each.direct.mean for each in cost.by_contact_type.values())
        assert direct + cost.idle.mean == total
        for driver in DRIVERS:
            each = [kind.total(driver).mean for kind in cost.by_contact_type.values()]
            assert sum(each) == total
            idle = sum(kind.idle[driver].mean for kind in cost.by_contact_type.values())
            assert idle == cost.idle.mean

    @settings(deadline=None, max_examples=150)
    @given(breakdowns())
    def test_every_view_adds_up_in_every_replication(
        self, drawn: tuple[Scenario, CostBreakdown]
    ) -> None:
        _, cost = drawn
        total = cost.total.per_replication
        assert np.array_equal(sum(line.per_replication for line in cost.lines), total)
        for driver in DRIVERS:
            each = [kind.total(driver).per_replication for kind in cost.by_contact_type.values()]
            assert np.array_equal(sum(each), total)

    @settings(deadline=None, max_examples=150)
    @given(breakdowns())
    def test_written_means_are_the_means_of_the_replications(
        self, drawn: tuple[Scenario, CostBreakdown]
    ) -> None:
        scenario, cost = drawn
        unit = Fraction(cent(scenario.currency))
        assert abs(Fraction(cost.total.mean) - average(cost.total.per_replication)) <= unit / 2
        assert sum(average(line.per_replication) for line in cost.lines) == average(
            cost.total.per_replication
        )
        for line in cost.lines:
            assert abs(Fraction(line.amount) - average(line.per_replication)) < unit
        for kind in cost.by_contact_type.values():
            assert abs(Fraction(kind.direct.mean) - average(kind.direct.per_replication)) < unit

    @settings(deadline=None, max_examples=100)
    @given(breakdowns())
    def test_nothing_is_negative_and_nothing_can_be_written_to(
        self, drawn: tuple[Scenario, CostBreakdown]
    ) -> None:
        _, cost = drawn
        arrays = [cost.total.per_replication, cost.idle.per_replication, cost.requests]
        arrays += [line.per_replication for line in cost.lines]
        for kind in cost.by_contact_type.values():
            arrays += [kind.direct.per_replication, kind.handled]
            arrays += [kind.idle[driver].per_replication for driver in DRIVERS]
        for array in arrays:
            assert array.dtype == np.int64
            assert array.min() >= 0
            assert not array.flags.writeable
        assert min(line.amount for line in cost.lines) >= 0
        with pytest.raises(FrozenInstanceError):
            cost.currency = "EUR"  # type: ignore[misc]


class TestExactMoney:
    amounts = st.lists(st.fractions(0, 10**7, max_denominator=10**9), min_size=1, max_size=8)

    @settings(deadline=None, max_examples=200)
    @given(amounts, st.sampled_from(["USD", "JPY", "KWD"]))
    def test_rounded_parts_add_up_and_move_less_than_a_cent(
        self, amounts: list[Fraction], currency: str
    ) -> None:
        unit = Fraction(cent(currency))
        rounded = to_the_cent(amounts, currency)
        assert abs(sum(map(Fraction, rounded)) - sum(amounts)) <= unit / 2
        for before, after in zip(amounts, rounded, strict=True):
            assert abs(Fraction(after) - before) < unit

    @settings(deadline=None, max_examples=200)
    @given(amounts, st.integers(0, 10**9))
    def test_a_total_is_spread_whole_and_in_proportion(
        self, weights: list[Fraction], cents: int
    ) -> None:
        total = Decimal(cents).scaleb(-2)
        if not sum(weights):
            weights[0] = Fraction(1)
        parts = spread(total, weights, "USD")
        assert sum(parts) == total
        for weight, part in zip(weights, parts, strict=True):
            fair = Fraction(total) * weight / sum(weights)
            assert abs(Fraction(part) - fair) < Fraction(1, 100)

    @settings(deadline=None, max_examples=200)
    @given(st.data())
    def test_shares_of_a_replication_add_up_and_are_fair(self, data: st.DataObject) -> None:
        n = data.draw(st.integers(1, 3))
        amount = data.draw(counts(n, 10**14))
        weights = [data.draw(counts(n, 10**15)) for _ in range(data.draw(st.integers(1, 4)))]
        parts = share_out(amount, weights)
        assert np.array_equal(sum(parts), amount)
        for r in range(n):
            whole_weight = sum(int(weight[r]) for weight in weights)
            for weight, part in zip(weights, parts, strict=True):
                fair = (
                    Fraction(int(amount[r]) * int(weight[r]), whole_weight)
                    if whole_weight
                    else Fraction(int(amount[r]), len(weights))
                )
                assert abs(int(part[r]) - fair) < 1

    @settings(deadline=None, max_examples=100)
    @given(st.integers(0, 10**15), st.fractions(0, 1000, max_denominator=10**6))
    def test_a_product_is_rounded_once_to_the_nearest(self, number: int, factor: Fraction) -> None:
        assert abs(int(times(whole(number), factor)[0]) - number * factor) <= Fraction(1, 2)

    def test_a_product_beyond_int64_is_exact_inside(self) -> None:
        week = 1000 * 40 * HOUR_US
        per_us = Fraction(21) * MILLIONTHS / HOUR_US
        assert week * 21 * MILLIONTHS > np.iinfo(np.int64).max
        assert times(whole(week), per_us).tolist() == [840_000 * MILLIONTHS]

    def test_an_amount_beyond_int64_is_refused_and_never_wraps(self) -> None:
        with pytest.raises(OverflowError):
            times(whole(10**18), Fraction(100))

    def test_spreading_over_nothing_is_refused(self) -> None:
        with pytest.raises(ValueError, match="every weight is 0"):
            spread(Decimal("1.00"), [Fraction(0)], "USD")
        with pytest.raises(ValueError, match="0 or more"):
            spread(Decimal("1.00"), [Fraction(2), Fraction(-1)], "USD")


def usage_of(
    handled: np.ndarray, *, paid: int = 0, after: np.ndarray | None = None, forecast: int = 0
) -> GroupUsage:
    after = np.zeros(len(handled), dtype=np.int64) if after is None else after
    return GroupUsage("team", paid, after, {"calls": handled}, handled, forecast)


def total_of(lines: tuple) -> np.ndarray:
    return sum(line.per_replication for line in lines)


minutes = st.integers(0, 10**6).map(lambda number: number * MINUTE_US)
prices = st.decimals("0.01", "999", places=3).map(lambda amount: Money(amount, "USD"))
shares = st.integers(0, 99).map(lambda number: f"{number}%")


class TestContracts:
    @settings(deadline=None, max_examples=100)
    @given(st.lists(minutes, min_size=1, max_size=5), prices, shares, minutes)
    def test_the_minimum_never_lowers_a_bill_and_is_reached(
        self, handled: list[int], price_: Money, minimum: str, forecast: int
    ) -> None:
        usage = usage_of(whole(*handled), forecast=forecast)
        bare = total_of(bill_partner(usage, Partner(handled_minute=price_, capacity=1)))
        card = Partner(handled_minute=price_, capacity=1, minimum=minimum)
        billed = total_of(bill_partner(usage, card))
        assert np.all(billed >= bare)
        agreed = Fraction(int(minimum[:-1]), 100) * forecast
        per_us = Fraction(price_.amount) * MILLIONTHS / MINUTE_US
        for amount, us in zip(billed.tolist(), handled, strict=True):
            # One rounding to a millionth for each of the two lines, and the µs of the minimum.
            assert abs(amount - max(Fraction(us), agreed) * per_us) <= 1 + per_us / 2

    @settings(deadline=None, max_examples=100)
    @given(minutes, minutes, prices)
    def test_a_partner_above_the_minimum_is_linear_in_what_it_handles(
        self, first: int, second: int, price_: Money
    ) -> None:
        card = Partner(handled_minute=price_, capacity=1)
        both = total_of(bill_partner(usage_of(whole(first + second)), card))
        each = total_of(bill_partner(usage_of(whole(first, second)), card))
        assert abs(int(both[0]) - int(each.sum())) <= 1

    @settings(deadline=None, max_examples=100)
    @given(minutes, st.lists(minutes, min_size=1, max_size=4), prices, shares, shares)
    def test_doubling_a_price_doubles_every_bill(
        self, paid: int, handled: list[int], price_: Money, on_cost: str, leave: str
    ) -> None:
        twice = Money(2 * price_.amount, "USD")
        usage = usage_of(whole(*handled), paid=paid, after=whole(*handled), forecast=10**12)
        own = InHouse(paid_hour=price_, on_cost=on_cost, after_shift=1.5)
        partner = Partner(handled_minute=price_, capacity=1, minimum="90%")
        shrinkage = Shrinkage(paid_not_scheduled=leave)
        for card, double in (
            (own, own.model_copy(update={"paid_hour": twice})),
            (partner, partner.model_copy(update={"handled_minute": twice})),
        ):
            single = bill(usage, card, shrinkage)
            doubled = bill(usage, double, shrinkage)
            # Each line is rounded to a millionth, on-cost on rounded lines: two per line suffice.
            gap = np.abs(total_of(doubled) - 2 * total_of(single))
            assert gap.max() <= 2 * len(single)

    @settings(deadline=None, max_examples=100)
    @given(minutes, minutes, prices, shares, shares)
    def test_an_in_house_bill_is_the_formula(
        self, paid: int, after: int, price_: Money, on_cost: str, leave: str
    ) -> None:
        card = InHouse(paid_hour=price_, on_cost=on_cost, after_shift=1.5)
        shrinkage = Shrinkage(paid_not_scheduled=leave)
        usage = usage_of(whole(0), paid=paid, after=whole(after))
        scheduled, past = Fraction(paid, HOUR_US), Fraction(after, HOUR_US)
        share = Fraction(int(leave[:-1]), 100)
        wage = Fraction(price_.amount)
        loading = 1 + Fraction(int(on_cost[:-1]), 100)
        exactly = (scheduled / (1 - share) + past * Fraction(3, 2)) * wage * loading
        lines = bill_in_house(usage, card, shrinkage)
        assert abs(int(total_of(lines)[0]) - exactly * MILLIONTHS) <= 2 * len(lines)
        certain = scheduled * loaded_hour(card, shrinkage)
        assert exactly - certain == past * Fraction(3, 2) * wage * loading

    def test_a_minimum_is_billed_by_replication_and_not_on_the_average(self) -> None:
        card = Partner(handled_minute=usd("0.80"), capacity=5, minimum="80%")
        usage = usage_of(whole(500, 300) * MINUTE_US, forecast=500 * MINUTE_US)
        lines = bill_partner(usage, card)
        assert total_of(lines).tolist() == [400 * MILLIONTHS, 320 * MILLIONTHS]
        assert [line.item for line in lines] == ["handling", "minimum"]
        assert [line.contact_type for line in lines] == ["calls", None]
        assert sum(line.amount for line in lines) == Decimal("360.00")

    @pytest.mark.parametrize("amount", ["0", "0.00", "-1"])
    def test_free_capacity_is_refused(self, amount: str) -> None:
        usage = usage_of(whole(1))
        with pytest.raises(ValueError, match=r"team: handled_minute=.* must be above 0"):
            bill_partner(usage, Partner(handled_minute=usd(amount), capacity=5))
        with pytest.raises(ValueError, match=r"team: paid_hour=.* must be above 0"):
            bill_in_house(usage, InHouse(paid_hour=usd(amount)), Shrinkage())

    def test_lines_of_two_currencies_have_no_total(self) -> None:
        usage = usage_of(whole(MINUTE_US))
        lines = [
            line
            for money in (usd("1"), usd("1", "EUR"))
            for line in bill_partner(usage, Partner(handled_minute=money, capacity=5))
        ]
        with pytest.raises(ValueError, match="EUR and USD have no common total"):
            in_cents(lines)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"paid_us": -1}, "paid_us=-1 must be 0 or more"),
            ({"after_shift_us": whole(-5)}, "after_shift_us holds -5"),
            ({"after_shift_us": np.array([1.0])}, "after_shift_us is float64"),
            (
                {"handled_us": {"calls": whole(1, 2)}},
                r"handled_us\['calls'\] is int64 of shape \(2,\)",
            ),
            ({"on_the_floor_us": whole()}, "no replication"),
        ],
    )
    def test_usage_that_cannot_be_is_refused(self, change: dict, said: str) -> None:
        with pytest.raises(ValueError, match=f"team: .*{said}"):
            replace(usage_of(whole(1)), **change)


def two_pools(n: int = 2) -> list[GroupUsage]:
    none = np.zeros(n, dtype=np.int64)
    return [
        GroupUsage("branch", 80 * HOUR_US, none, {"calls": none, "orders": none}, none),
        GroupUsage("outside", 0, none, {"calls": none}, none),
    ]


def contacts(n: int = 2, number: int = 1) -> dict[str, dict[str, np.ndarray]]:
    some = np.full(n, number, dtype=np.int64)
    return {what: {"calls": some, "orders": some} for what in ("handled", "offered", "requests")}


class TestPrice:
    def test_an_hour_on_the_floor_carries_its_absence_and_leave(self) -> None:
        # 80 h · 21.37 / 0.8 · 1.3 = 2,778.10; 70 h on the floor, 35 of them with calls.
        busy = replace(
            two_pools(1)[0],
            handled_us={"calls": whole(35 * HOUR_US), "orders": whole(0)},
            on_the_floor_us=whole(70 * HOUR_US),
        )
        counted = contacts(1) | {"offered": {"calls": whole(300), "orders": whole(100)}}
        cost = price(centre(), [busy, two_pools(1)[1]], **counted)
        assert cost.total.mean == Decimal("2778.10")
        calls, orders = cost.by_contact_type["calls"], cost.by_contact_type["orders"]
        assert (calls.direct.mean, orders.direct.mean) == (Decimal("1389.05"), 0)
        # All handling was calls, but a quarter of what was offered was orders: 1,389.05 / 4.
        assert calls.idle["handled_time"].mean == Decimal("1389.05")
        assert calls.idle["contacts"].mean == Decimal("1041.79")
        assert orders.idle["contacts"].mean == Decimal("347.26")
        assert cost.by_group() == {"branch": Decimal("2778.10"), "outside": 0}
        assert calls.channel == "voice"

    def test_the_same_idle_time_under_either_driver_is_shared_by_its_own_skills_only(self) -> None:
        usages = two_pools(1)
        usages[1] = replace(usages[1], forecast_handled_us=100 * MINUTE_US)
        usages[0] = replace(usages[0], paid_us=0)
        cost = price(centre(), usages, **contacts(1, 7))
        # Nothing was handled: 90 minutes of the partner's minimum are idle, and calls' alone.
        assert cost.idle.mean == cost.total.mean == Decimal("74.07")
        for driver in DRIVERS:
            assert cost.by_contact_type["calls"].idle[driver].mean == Decimal("74.07")
            assert cost.by_contact_type["orders"].idle[driver].mean == 0

    def test_nobody_on_the_floor_is_all_idle(self) -> None:
        cost = price(centre(), two_pools(1), **contacts(1))
        assert cost.idle.mean == cost.total.mean == Decimal("2778.10")

    def test_work_that_ends_beyond_the_horizon_leaves_nothing_idle(self) -> None:
        late = replace(
            two_pools(1)[0],
            handled_us={"calls": whole(60 * HOUR_US), "orders": whole(20 * HOUR_US)},
            on_the_floor_us=whole(79 * HOUR_US),
        )
        cost = price(centre(), [late, two_pools(1)[1]], **contacts(1))
        assert cost.idle.mean == 0
        ratio = (
            cost.by_contact_type["calls"].direct.mean / cost.by_contact_type["orders"].direct.mean
        )
        assert ratio == pytest.approx(Decimal(3), abs=Decimal("0.0001"))

    def test_numerators_and_denominators_of_the_ratios(self) -> None:
        cost = price(centre(), two_pools(), **contacts(2, 50))
        numerators, denominators = cost.per_request
        assert denominators.tolist() == [100, 100]
        assert Fraction(int(numerators.sum()), MILLIONTHS) == 2 * Fraction("2778.10")
        numerators, denominators = cost.per_handled_contact("orders", "contacts")
        assert denominators.tolist() == [50, 50]
        assert Fraction(int(numerators.sum()), MILLIONTHS) == Fraction("2778.10")

    def test_the_order_of_usages_changes_nothing(self) -> None:
        forwards = price(centre(), two_pools(), **contacts())
        backwards = price(centre(), two_pools()[::-1], **contacts())
        assert str(forwards) == str(backwards)

    def test_an_invoice_reads(self) -> None:
        rows = str(price(centre(), two_pools(), **contacts())).splitlines()
        first, second, *_, last = (" ".join(row.split()) for row in rows)
        assert first == "branch 1,709.60 80.0 scheduled hours × 21.37 USD"
        assert second == "branch 427.40 20.0 hours of leave and training × 21.37 USD"
        assert last == "total 2,778.10 USD"

    def test_a_foreign_price_is_refused(self) -> None:
        with pytest.raises(
            ValueError, match=r"rate card '(own|partner)' is in USD, the scenario in EUR"
        ):
            price(centre(currency="EUR"), two_pools(), **contacts())

    @pytest.mark.parametrize(
        ("usages", "said"),
        [
            ([], "usages are of no group"),
            (two_pools()[:1], "one of each of branch, outside is needed"),
            ([*two_pools(), two_pools()[0]], "one of each"),
            ([two_pools()[0], two_pools(3)[1]], "outside has 3 replications, branch has 2"),
            (
                [two_pools()[0], replace(two_pools()[1], handled_us={"orders": whole(1, 1)})],
                "outside handled orders, which is not its skill",
            ),
        ],
    )
    def test_usage_that_does_not_fit_is_refused(self, usages: list[GroupUsage], said: str) -> None:
        with pytest.raises(ValueError, match=said):
            price(centre(), usages, **contacts())

    def test_contacts_that_do_not_fit_are_refused(self) -> None:
        with pytest.raises(ValueError, match="offered is of calls; one of each of calls, orders"):
            price(centre(), two_pools(), **contacts() | {"offered": {"calls": whole(1, 1)}})
        with pytest.raises(ValueError, match=r"handled\['calls'\] is int64 of shape \(3,\)"):
            price(centre(), two_pools(), **contacts() | {"handled": contacts(3)["handled"]})


class TestPaidTime:
    day = PlacedShift(
        "branch",
        8 * HOUR_US,
        "full",
        9 * HOUR_US,
        (PlacedBreak(10 * HOUR_US, HOUR_US // 4, paid=True), PlacedBreak(12 * HOUR_US, HOUR_US)),
        agents=3,
    )

    def test_shifts_are_paid_without_their_unpaid_breaks(self) -> None:
        case = case_from(centre())
        plan = StaffingPlan((self.day,), {"outside": (2,) * 24})
        assert paid_time(plan, case, "branch") == 3 * 8 * HOUR_US
        assert paid_time(plan, case, "outside") == 2 * 24 * HOUR_US
        assert paid_time(StaffingPlan(), case, "branch") == 0
        with pytest.raises(
            ValueError, match=r"group='brunch' is not an agent group .*branch, outside"
        ):
            paid_time(plan, case, "brunch")

    @pytest.mark.parametrize("by_interval", [{}, {"branch": (4,) * 24}])
    def test_the_certain_cost_is_the_price_of_a_day_without_calls(self, by_interval: dict) -> None:
        scenario = centre()
        case = case_from(scenario)
        plan = StaffingPlan(() if by_interval else (self.day,), by_interval)
        usages = two_pools(1)
        usages[0] = replace(usages[0], paid_us=paid_time(plan, case, "branch"))
        certain = schedule_cost(scenario, plan, case.grid)
        assert certain == price(scenario, usages, **contacts(1)).total.mean
        hours = Fraction(paid_time(plan, case, "branch"), HOUR_US)
        loaded = loaded_hour(scenario.rate_cards["own"], scenario.agent_groups["branch"].shrinkage)
        assert abs(Fraction(certain) - hours * loaded) <= Fraction(1, 200)

    def test_a_plan_of_nobody_costs_nothing(self) -> None:
        case = case_from(centre())
        assert str(schedule_cost(case.scenario, StaffingPlan(), case.grid)) == "0.00"


class TestPaidChain:
    def chain(self, leave: Fraction, absent: Fraction) -> float:
        shrinkage = Shrinkage(
            paid_not_scheduled=percent(float(leave)), unplanned=percent(float(absent))
        )
        return paid_chain(
            AgentGroup(skills={}, rate_card="own", shrinkage=shrinkage)
        ).paid_per_floor_hour

    @settings(deadline=None, max_examples=100)
    @given(st.integers(0, 95), st.integers(0, 95))
    def test_paid_hours_do_not_depend_on_how_shrinkage_is_declared(
        self, total: int, absent: int
    ) -> None:
        whole_ = Fraction(total, 100)
        part = Fraction(min(absent, total), 100)
        rest = 1 - (1 - whole_) / (1 - part)  # (1 - part)·(1 - rest) = 1 - total
        as_leave = self.chain(whole_, Fraction(0))
        assert as_leave == pytest.approx(float(1 / (1 - whole_)), rel=1e-12)
        assert self.chain(Fraction(0), whole_) == pytest.approx(as_leave, rel=1e-12)
        assert self.chain(rest, part) == pytest.approx(as_leave, rel=1e-9)

    def test_parts_multiply_and_do_not_add(self) -> None:
        assert self.chain(Fraction(1, 10), Fraction(2, 10)) == pytest.approx(1 / 0.72, rel=1e-12)

    @settings(deadline=None, max_examples=50)
    @given(st.integers(0, 95))
    def test_the_money_follows_the_chain(self, total: int) -> None:
        """One hour on the floor costs the same declared as leave or as absence."""
        card = InHouse(paid_hour=usd("21"), on_cost="30%")
        leave, absent = (
            Shrinkage(paid_not_scheduled=f"{total}%"),
            Shrinkage(unplanned=f"{total}%"),
        )
        there = 1 - Fraction(total, 100)
        assert loaded_hour(card, leave) == loaded_hour(card, absent) / there
