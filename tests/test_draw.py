"""All the chance of a day: who moves whom, and whether the numbers have the law they claim.

Statistical tests refuse a perfect draw with the chance 1e-6 each, in either direction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ccsim.demand.draw import NEVER, Contacts, content_id, draw_replication, scale
from ccsim.demand.model import DemandModel, compile_demand, fresh_share
from ccsim.scenario.case import case_from
from ccsim.scenario.model import Demand, Redial
from tests.oracles import FALSE_ALARM, scenario_of

CALL = {
    "demand": {"rate": "60 calls/h", "forecast_error": {"gamma": {"shape": 9}}},
    "talk_time": {"lognormal": {"mean": "3 min", "cv": 1.2}},
    "talk_time_error": {"gamma": {"shape": 50}},
    "wrap_up": "10 s",
    "patience": {"exponential": {"mean": "2 min"}},
    "redial": {"probability": "50%", "delay": {"exponential": {"mean": "9 min"}}},
}
ABSENCE = {"unplanned": "20%", "unplanned_day_error": {"gamma": {"shape": 4}}}
COLUMNS = ("contact_type", "interval", "ordinal", "arrival", "handle_time", "patience")


def demand_of(types: dict[str, dict[str, Any]], **horizon: Any) -> DemandModel:
    return compile_demand(case_from(scenario_of(types, **horizon)))


def rows(contacts: Contacts, contact_type: int = 0) -> set[tuple[int, ...]]:
    """Everything about the contacts of one type but the number of the type."""
    mine = contacts.contact_type == contact_type
    return set(zip(*(getattr(contacts, name)[mine].tolist() for name in COLUMNS[1:]), strict=True))


def z(values: np.ndarray, mean: float) -> float:
    return float((values.mean() - mean) / values.std(ddof=1) * np.sqrt(len(values)))


def limit(count: int) -> float:
    return float(stats.t.isf(FALSE_ALARM / 2, count - 1))


# Who moves whom.


def test_the_same_arguments_give_the_same_bytes() -> None:
    demand = demand_of({"call": CALL})
    first, again = (draw_replication(demand, 7, 5).contacts for _ in range(2))
    for name in COLUMNS:
        column = getattr(first, name)
        assert column.dtype == np.int64
        assert column.tobytes() == getattr(again, name).tobytes()


@pytest.mark.parametrize("other", [{"seed": 8}, {"replication": 6}])
def test_another_seed_or_replication_is_another_day(other: dict[str, int]) -> None:
    demand = demand_of({"call": CALL})
    given = {"seed": 7, "replication": 5}
    first = rows(draw_replication(demand, **given).contacts)
    assert not first & rows(draw_replication(demand, **given | other).contacts)


def test_a_new_contact_type_moves_nobody() -> None:
    alone = draw_replication(demand_of({"call": CALL}), 3, 1)
    many = draw_replication(demand_of({"email": CALL, "call": CALL, "vip": CALL}), 3, 1)
    assert rows(many.contacts, 1) == rows(alone.contacts)
    assert not rows(many.contacts, 0) & rows(alone.contacts)
    later = [(0, interval, ordinal, 0) for interval in range(4) for ordinal in range(4)]
    again = [(1, *key[1:]) for key in later]
    assert [alone.redial(key, 0) for key in later] == [many.redial(key, 1) for key in again]
    assert [alone.patience(key, 0) for key in later] == [many.patience(key, 1) for key in again]


@settings(max_examples=8, deadline=None)
@given(more=st.floats(1.0, 4.0), replication=st.integers(0, 200))
def test_more_demand_only_adds_contacts(more: float, replication: int) -> None:
    demand = demand_of({"call": CALL})
    (call,) = demand.contact_types
    scaled = replace(demand, contact_types=(replace(call, fresh=call.fresh * more),))
    few, many = (rows(draw_replication(d, 3, replication).contacts) for d in (demand, scaled))
    assert few <= many


def test_other_work_and_patience_move_neither_arrivals_nor_each_other() -> None:
    base = draw_replication(demand_of({"call": CALL}), 3, 1).contacts
    shorter = CALL | {"talk_time": "2 min"}
    other = draw_replication(demand_of({"call": shorter}), 3, 1).contacts
    for name in ("arrival", "ordinal", "interval", "patience"):
        assert np.array_equal(getattr(base, name), getattr(other, name))
    patient = {name: value for name, value in CALL.items() if name not in {"patience", "redial"}}
    other = draw_replication(demand_of({"call": patient}), 3, 1).contacts
    assert (other.patience == NEVER).all()
    assert np.array_equal(base.handle_time, other.handle_time)


def test_more_agents_leave_those_who_were_there_alone() -> None:
    drawn = draw_replication(demand_of({"call": CALL}, shrinkage=ABSENCE), 3, 1)
    day = np.zeros(100, dtype=np.int64)
    ordinal = np.arange(100)
    many = drawn.present(0, day, ordinal)
    assert np.array_equal(drawn.present(0, day[:40], ordinal[:40]), many[:40])
    assert np.array_equal(drawn.present(0, day[::-1], ordinal[::-1]), many[::-1])
    assert drawn.present(0, day[:0], ordinal[:0]).shape == (0,)


# Order and keys.


def test_contacts_come_in_order_inside_their_intervals() -> None:
    demand = demand_of({"call": CALL, "vip": CALL}, begins="cyclic", warm_up="5 h", days=2)
    contacts = draw_replication(demand, 1, 0).contacts
    half_hour = demand.grid.interval_us
    assert np.array_equal(contacts.arrival // half_hour, contacts.interval)
    order = np.lexsort((contacts.content_id, contacts.arrival))
    assert np.array_equal(order, np.arange(len(order)))
    assert contacts.interval.min() == -10
    assert contacts.interval.max() == 95
    assert len(set(contacts.content_id.tolist())) == len(contacts.arrival)
    for contact_type in (0, 1):
        for interval in range(-10, 96):
            here = (contacts.contact_type == contact_type) & (contacts.interval == interval)
            assert sorted(contacts.ordinal[here].tolist()) == list(range(here.sum()))


@given(
    st.tuples(*[st.integers(0, 255), st.integers(-(2**19), 2**19 - 1), st.integers(0, 2**24 - 1)]),
    st.tuples(*[st.integers(0, 255), st.integers(-(2**19), 2**19 - 1), st.integers(0, 2**24 - 1)]),
)
def test_content_ids_order_keys_and_leave_room_for_attempts(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    a, b = (int(content_id(*(np.array([part]) for part in key))[0]) for key in (one, other))
    assert (a < b) == (one < other)
    assert a == b or abs(a - b) >= 256
    assert 0 <= a < 2**60


def test_a_warm_up_day_is_a_day_of_its_own() -> None:
    """It repeats the demand of the day it stands for, not its luck."""
    demand = demand_of({"call": CALL}, begins="cyclic", warm_up="1 day")
    contacts = draw_replication(demand, 1, 0).contacts
    before, day = contacts.interval < 0, contacts.interval >= 0
    assert not set(contacts.handle_time[before]) & set(contacts.handle_time[day])
    short = demand_of({"call": CALL}, begins="cyclic", warm_up="3 h")
    later = draw_replication(short, 1, 0).contacts
    assert rows(later) == {row for row in rows(contacts) if row[0] >= -6}


def test_clock_changes_neither_double_nor_lose_an_hour() -> None:
    for start, intervals in (("2026-03-29", 46), ("2026-10-25", 50)):
        demand = demand_of(
            {"call": CALL | {"demand": {"rate": "600 calls/h"}}},
            time_zone="Europe/Berlin",
            start=start,
        )
        (call,) = demand.contact_types
        assert call.fresh.sum() == pytest.approx(600 * intervals / 2)
        contacts = draw_replication(demand, 1, 0).contacts
        assert contacts.interval.max() == intervals - 1
        assert 0 <= contacts.arrival.min() <= contacts.arrival.max() < demand.grid.end


# Laws.


def test_counts_are_poisson_and_arrivals_uniform_within_the_interval() -> None:
    rate = {"demand": {"rate": "24 calls/h"}}
    demand = demand_of({"call": rate})
    days = 200
    contacts = [draw_replication(demand, 11, number).contacts for number in range(days)]
    counts = np.array([np.bincount(c.interval, minlength=48) for c in contacts]).ravel()
    seen = np.append(np.bincount(counts, minlength=40)[:30], (counts >= 30).sum())
    expected = stats.poisson(12).pmf(np.arange(30)) * counts.size
    expected = np.append(expected, counts.size - expected.sum())
    common = expected >= 5
    statistic = ((seen - expected)[common] ** 2 / expected[common]).sum()
    assert statistic < stats.chi2(common.sum()).isf(FALSE_ALARM)
    assert abs(z(counts, 12)) < limit(counts.size)
    assert abs(z((counts - 12.0) ** 2, 12)) < limit(counts.size)
    # Counts of neighbouring half-hours have nothing to do with each other.
    table = counts.reshape(days, 48) - 12.0
    assert abs(z((table[:, 1:] * table[:, :-1]).ravel(), 0)) < limit(days * 47)
    offset = np.concatenate([c.arrival % demand.grid.interval_us for c in contacts])
    assert stats.kstest(offset / demand.grid.interval_us, "uniform").pvalue > FALSE_ALARM


@pytest.mark.parametrize("mean", [1e-6, 0.03, 1.0, 40.0, 3000.0])
def test_counts_are_the_inverse_of_the_poisson_law(mean: float) -> None:
    demand = demand_of({"call": {}})
    (call,) = demand.contact_types
    demand = replace(
        demand, contact_types=(replace(call, fresh=np.full(demand.grid.intervals, mean)),)
    )
    counts = np.concatenate(
        [
            np.bincount(draw_replication(demand, 2, n).contacts.interval, minlength=48)
            for n in range(20)
        ]
    )
    # P(this or fewer) of a count, spread within its step, is uniform.
    law = stats.poisson(mean)
    spread = np.random.default_rng(1).random(counts.size)
    place = law.cdf(counts - 1) + spread * law.pmf(counts)
    assert stats.kstest(place, "uniform").pvalue > FALSE_ALARM


def test_days_are_poisson_mixed_with_gamma() -> None:
    """Mean m and variance m + m²/shape of a day's total: here 1440 and 1440 + 1440²/9."""
    demand = demand_of({"call": CALL})
    totals = np.array(
        [len(draw_replication(demand, 5, n, block_size=1).contacts.arrival) for n in range(400)]
    )
    assert abs(z(totals, 1440)) < limit(400)
    assert abs(z((totals - 1440.0) ** 2, 1440 + 1440**2 / 9)) < limit(400)


def test_a_block_has_each_stratum_of_a_days_factor_once() -> None:
    constant = CALL | {"talk_time": "100 s", "wrap_up": "0 s"}
    demand = demand_of({"call": constant}, begins="cyclic", warm_up="2 h", days=2)
    for block in (0, 3):
        drawn = [
            draw_replication(demand, 5, 32 * block + member, block_size=32).contacts
            for member in range(32)
        ]
        for first, last in ((-4, 0), (0, 48), (48, 96)):
            factor = [
                c.handle_time[(first <= c.interval) & (c.interval < last)][0] / 100e6 for c in drawn
            ]
            place = np.sort(stats.gamma(50, scale=1 / 50).cdf(factor) * 32)
            # Factors are whole parts per million, which moves a place by less than 0.001.
            assert (np.abs(place - np.arange(32) - 0.5) < 0.501).all()


def test_blocks_vary_less_than_their_replications_would_alone() -> None:
    demand = demand_of({"call": CALL})
    size, blocks = 16, 30
    totals = np.array(
        [
            len(draw_replication(demand, 5, n, block_size=size).contacts.arrival)
            for n in range(size * blocks)
        ]
    ).reshape(blocks, size)
    assert abs(z(totals.mean(axis=1), 1440)) < limit(blocks)
    # Unstratified, the mean of a block would vary by this much; a sixth of it has then a chance
    # below that of a false alarm.
    plain = (1440 + 1440**2 / 9) / size
    assert stats.chi2(blocks - 1).cdf((blocks - 1) / 6) < FALSE_ALARM
    assert totals.mean(axis=1).var(ddof=1) < plain / 6


def test_the_days_factor_moves_talk_time_of_all_its_contacts_together() -> None:
    demand = demand_of({"call": CALL | {"talk_time": "100 s"}}, days=2)
    factors, totals = [], []
    for number in range(200):
        contacts = draw_replication(demand, 5, number, block_size=1).contacts
        for day in (0, 1):
            talk = contacts.handle_time[contacts.interval // 48 == day] - 10_000_000
            assert len(set(talk.tolist())) == 1
            factors.append(talk[0] / 100e6)
            totals.append(len(talk))
    assert abs(z(np.array(factors), 1)) < limit(400)
    assert abs(z((np.array(factors) - 1) ** 2, 1 / 50)) < limit(400)
    # Busy days are not days of long talks, nor is one day like the next.
    assert abs(np.corrcoef(factors, totals)[0, 1]) * 20 < limit(400)
    assert abs(np.corrcoef(factors[::2], factors[1::2])[0, 1]) * np.sqrt(200) < limit(200)


def test_handle_time_patience_and_redials_have_their_means() -> None:
    types = {"call": {name: value for name, value in CALL.items() if name != "talk_time_error"}}
    demand = demand_of(types)
    drawn = [draw_replication(demand, 9, n, block_size=1) for n in range(40)]
    handle = np.concatenate([d.contacts.handle_time for d in drawn]) / 1e6
    patience = np.concatenate([d.contacts.patience for d in drawn]) / 1e6
    count = len(handle)
    assert abs(z(handle, 190)) < limit(count)
    assert abs(z(patience, 120)) < limit(count)
    correlation = np.corrcoef(np.log(handle - 10), np.log(patience))[0, 1]
    assert abs(correlation) * np.sqrt(count) < limit(count)
    keys = [(0, i, n, k) for i in range(20) for n in range(100) for k in (0, 1)]
    tries = [drawn[0].redial(key, 0) for key in keys]
    again = np.array([outcome is not None for outcome in tries], dtype=float)
    assert abs(z(again, 0.5)) < limit(again.size)
    delay = np.array([outcome[0] for outcome in tries if outcome is not None]) / 1e6
    stay = np.array([drawn[0].patience(key, 0) for key in keys]) / 1e6
    assert abs(z(delay, 540)) < limit(delay.size)
    assert abs(z(stay, 120)) < limit(stay.size)
    # Patience of the second attempt is another draw than that of the first.
    first = {(i, n): p for i, n, _, _, p in rows(drawn[0].contacts)}
    assert all(drawn[0].patience((0, *k, 1), 0) != first[k] for k in first)
    assert all(drawn[0].patience((0, *k, 0), 0) == first[k] for k in first)


def test_agents_are_absent_as_often_as_said_and_together_on_bad_days() -> None:
    demand = demand_of({"call": {}}, shrinkage=ABSENCE, days=1)
    absent = []
    for number in range(400):
        drawn = draw_replication(demand, 5, number, 1)
        there = drawn.present(0, np.zeros(50, dtype=np.int64), np.arange(50))
        absent.append(50 - there.sum())
    # Given the factor F (gamma, shape 4), each of 50 is absent with chance min(1, F / 5).
    factor = stats.gamma(4, scale=1 / 4)
    chance = factor.expect(lambda f: min(1.0, f / 5))
    square = factor.expect(lambda f: min(1.0, f / 5) ** 2)
    variance = 50 * chance + 50 * 49 * square - (50 * chance) ** 2
    assert abs(z(np.array(absent), 50 * chance)) < limit(400)
    assert abs(z((np.array(absent) - 50 * chance) ** 2, variance)) < limit(400)


def test_nobody_is_absent_where_no_absence_is_given() -> None:
    drawn = draw_replication(demand_of({"call": CALL}), 3, 1)
    assert drawn.present(0, np.arange(5), np.arange(5)).all()


# Small parts.


@given(st.integers(0, 2**45), st.integers(0, 20_000_000))
def test_scaling_is_exact_to_half_a_microsecond(length: int, factor: int) -> None:
    scaled = int(scale(np.array([length]), np.array([factor]))[0])
    assert abs(scaled * 10**6 - length * factor) <= 500_000


def test_fresh_demand_is_what_redials_would_turn_into_the_count() -> None:
    """Add the attempts of one fresh contact one by one: 1 + q + q² + q³ with q = 0.3 · 0.5."""
    redial = Redial(probability="50%", delay="10 min", at_most=3)
    counted = Demand(rate="100 calls/h", includes=["redials"], observed_abandonment="30%")
    assert fresh_share(counted, redial) == pytest.approx(1 / (1 + 0.15 + 0.15**2 + 0.15**3))
    assert fresh_share(Demand(rate="100 calls/h"), redial) == 1
    everybody = Redial(probability="100%", delay="10 min", at_most=3)
    gone = Demand(rate="100 calls/h", includes=["redials"], observed_abandonment="100%")
    assert fresh_share(gone, everybody) == pytest.approx(1 / 4)
