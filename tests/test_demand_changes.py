"""What changes a demand: special days, incidents, causes, correlated days, leads of a forecast.

Counts are held against arithmetic, calendars and laws; what is added moves no other random number.
Statistical tests refuse a perfect draw with the chance 1e-6 each, in either direction.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from ccsim.demand.day_factors import DayFactor, day_factors
from ccsim.demand.draw import Contacts, draw_replication, draw_replications
from ccsim.demand.incidents import FIRST_ORDINAL, come_by
from ccsim.demand.model import ContactTypeDemand, DemandModel, compile_demand, fresh_share
from ccsim.demand.quantiles import unit_gamma
from ccsim.errors import ScenarioError
from ccsim.performance.promises import promises
from ccsim.plans import StaffingPlan
from ccsim.results.meaning import meaning
from ccsim.scenario import read_case, resolved_yaml
from ccsim.scenario.case import Case, case_from
from ccsim.scenario.demand import Demand, ForecastError
from ccsim.scenario.model import Redial, Repeat, Scenario
from ccsim.scenario.special_days import dates_of
from ccsim.scenario.units import parse_duration
from ccsim.simulation.log import Outcome
from ccsim.simulation.model import compile_model
from ccsim.simulation.reference import run
from ccsim.staffing.spare import required
from ccsim.staffing.work import needs
from tests.oracles import FALSE_ALARM, scenario_of

CALL = {
    "demand": {"rate": "60 calls/h", "forecast_error": {"gamma": {"shape": 9}}},
    "talk_time": {"lognormal": {"mean": "3 min", "cv": 1.2}},
    "talk_time_error": {"gamma": {"shape": 50}},
    "wrap_up": "10 s",
    "patience": {"exponential": {"mean": "2 min"}},
}
OUTAGE = {
    "start": "2026-09-07 10:10",
    "lasts": "2 h",
    "customers": 10_000,
    "contacting": {"call": "6%"},
    "talk_time": 1.3,
}
NOTICE = {"after": "25 min", "saves": "40%"}
MINUTE = 60_000_000
COLUMNS = ("interval", "ordinal", "arrival", "handle_time", "patience")


def changed(types: dict[str, Any], horizon: dict[str, Any] | None = None, **parts: Any) -> Case:
    """A small centre with special days or incidents."""
    scenario = scenario_of(types, **(horizon or {})).model_dump(mode="json")
    return case_from(Scenario.model_validate({**scenario, **parts}))


def demand_of(*args: Any, **parts: Any) -> DemandModel:
    return compile_demand(changed(*args, **parts))


def rows(contacts: Contacts, contact_type: int = 0) -> set[tuple[int, ...]]:
    mine = contacts.contact_type == contact_type
    return set(zip(*(getattr(contacts, name)[mine].tolist() for name in COLUMNS), strict=True))


def drawn(demand: DemandModel, replications: int = 3, seed: int = 5) -> list[Contacts]:
    days = draw_replications(demand, seed, range(replications), 1)
    return [day.contacts for day in days]


def counts(demand: DemandModel, replications: int, block_size: int = 1) -> np.ndarray:
    """Contacts by replication, contact type and interval of the horizon."""
    shape = len(demand.contact_types), demand.grid.intervals
    days = draw_replications(demand, 5, range(replications), block_size)
    found = []
    for day in days:
        c = day.contacts
        here = c.interval >= 0
        place = c.contact_type[here] * shape[1] + c.interval[here]
        found.append(np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape))
    return np.array(found)


def z(values: np.ndarray, mean: float) -> float:
    return float((values.mean() - mean) / values.std(ddof=1) * np.sqrt(len(values)))


def limit(count: int) -> float:
    return float(stats.t.isf(FALSE_ALARM / 2, count - 1))


# Special days -------------------------------------------------------------------------------


def test_special_hours_are_those_of_the_calendar_on_the_day_clocks_go_back() -> None:
    other = {"open": ["01:00-04:00", "22:00-24:00"]}
    case = changed(
        {"call": {"open": {"all": "08:00-20:00"}}},
        {"start": "2026-10-24", "days": 3, "time_zone": "Europe/Berlin"},
        special_days={"clocks": {"dates": ["2026-10-25"], "contact_types": {"call": other}}},
    )
    start = datetime.fromisoformat(case.grid.start_utc)
    half_hour = timedelta(minutes=30)
    expected = []
    for number in range(case.grid.intervals):
        local = (start + number * half_hour).astimezone(ZoneInfo("Europe/Berlin"))
        spans = [(1, 4), (22, 24)] if local.day == 25 else [(8, 20)]
        expected.append(any(a <= local.hour < b for a, b in spans))
    assert case.grid.opening(case.scenario.hours("call")).tolist() == expected
    assert sum(expected) == 24 + 12 + 24  # of the special day: 3 h, one of them twice, and 2 h
    # Nobody comes while it is closed, and whoever comes has the rate.
    assert np.array_equal(case.demand["call"] > 0, expected)


def write_case(folder: Path, csv: str, **parts: Any) -> Case:
    (folder / "calls.csv").write_text(csv, encoding="utf-8")
    given = {"call": {"open": {"all": "08:00-10:00"}, "demand": {"file": "calls.csv"}}}
    horizon = {"start": "2026-09-07", "days": 7, "interval": "60 min"}
    case = case_from(
        Scenario.model_validate({**scenario_of(given, **horizon).model_dump(mode="json"), **parts}),
        {"call": np.zeros(168)},
    )
    (folder / "scenario.yaml").write_text(resolved_yaml(case), encoding="utf-8")
    return read_case(folder / "scenario.yaml")


def special(**other: Any) -> dict[str, Any]:
    days = {"dates": ["2026-09-09"], "contact_types": {"call": other}}
    return {"special_days": {"holiday": days}}


PROFILE = "weekday,start,call\n" + "".join(
    f"{day},{hour:02d}:00,{10 * number + hour}\n"
    for number, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 1)
    for hour in (8, 9)
)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"scale": 0.5}, [0.5 * 38, 0.5 * 39]),  # Wednesday has 30 + hour
        ({"like": "sun"}, [78, 79]),
        ({"like": "sun", "scale": 2}, [2 * 78, 2 * 79]),
        ({"open": "closed"}, [0, 0]),
        ({"open": "09:00-10:00", "like": "mon"}, [0, 19]),
    ],
)
def test_a_weekdays_profile_changes_on_a_special_day_alone(
    tmp_path: Path, other: dict[str, Any], expected: list[float]
) -> None:
    usual = write_case(tmp_path, PROFILE).demand["call"].reshape(7, 24)
    case = write_case(tmp_path, PROFILE, **special(**other))
    day = case.demand["call"].reshape(7, 24)
    assert day[2, 8:10].tolist() == expected
    assert day[2].sum() == sum(expected)
    assert np.array_equal(np.delete(day, 2, axis=0), np.delete(usual, 2, axis=0))


def test_a_dated_series_is_scaled_and_never_made_like_a_weekday(tmp_path: Path) -> None:
    dated = "date,start,call\n" + "".join(
        f"2026-09-{7 + day:02d},{hour:02d}:00,{10 * day}\n" for day in range(7) for hour in (8, 9)
    )
    case = write_case(tmp_path, dated, **special(scale=3))
    assert case.demand["call"].reshape(7, 24)[:, 8].tolist() == [0, 10, 60, 30, 40, 50, 60]
    with pytest.raises(ScenarioError, match="a special day 'like' a weekday"):
        write_case(tmp_path, dated, **special(like="sun"))
    with pytest.raises(ScenarioError, match="20 contacts while closed"):
        write_case(tmp_path, dated, **special(open="closed"))
    with pytest.raises(ScenarioError, match="no row for 2 of 16 open intervals"):
        write_case(tmp_path, PROFILE, **special(open="07:00-11:00"))


def test_a_closed_day_promises_nothing() -> None:
    types = {"call": {"targets": ["80% answered within 20 s, over each day"]}}
    usual = changed(types, {"days": 3})
    closed = changed(
        types,
        {"days": 3},
        special_days={
            "holiday": {"dates": ["2026-09-08"], "contact_types": {"call": {"open": "closed"}}}
        },
    )
    days = [[p.days for p in promises(c.scenario, c.grid)] for c in (usual, closed)]
    assert days == [[(0,), (1,), (2,)], [(0,), (2,)]]
    assert required(closed, compile_demand(closed)).row("call").agents[48:96].max() == 0


def test_public_holidays_are_those_of_the_law() -> None:
    """Bavaria has Epiphany, Germany as a whole has not; Easter 2027 is on 28 March."""
    other = {"call": {"open": "closed"}}

    def found(where: str, start: str, days: int) -> list[date]:
        case = changed(
            {"call": {}},
            {"start": start, "days": days},
            special_days={"holidays": {"public_holidays": where, "contact_types": other}},
        )
        return list(dates_of(case.scenario.special_days["holidays"], case.scenario.horizon))

    assert found("DE-BY", "2026-12-20", 28) == [
        *(date(2026, 12, 25), date(2026, 12, 26)),
        *(date(2027, 1, 1), date(2027, 1, 6)),
    ]
    assert found("DE", "2026-12-20", 28)[-1] == date(2027, 1, 1)
    assert found("DE", "2027-03-20", 14) == [date(2027, 3, 26), date(2027, 3, 29)]


def test_a_special_day_moves_no_other_day_and_no_other_type() -> None:
    types, week = {"call": CALL, "mail": CALL}, {"days": 3}
    usual = demand_of(types, week)
    busy = {"dates": ["2026-09-08"], "contact_types": {"call": {"scale": 2}}}
    special_days = demand_of(types, week, special_days={"campaign": busy})
    for before, after in zip(drawn(usual), drawn(special_days), strict=True):
        assert rows(before, 1) == rows(after, 1)
        assert rows(before) <= rows(after)
        assert {interval // 48 for interval, *_ in rows(after) - rows(before)} == {1}


# Incidents ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1, 86_400),
    st.one_of(st.just(0.0), st.floats(0.01, 50_000)),
    st.floats(0, 200_000),
)
def test_incident_contacts_come_by_the_integral(lasts: float, delay: float, at: float) -> None:
    """Noticed evenly over the length, contacted after an exponential time."""
    until = min(at, lasts)
    if delay == 0:
        expected = until / lasts
    else:
        # Who noticed so long ago has contacted but for e^(-50) of them.
        least, most = at - until, min(at, at - until + 50 * delay)
        missing, _ = integrate.quad(lambda ago: np.exp(-ago / delay), least, most)
        expected = (until - missing) / lasts
    assert float(come_by(np.array([at]), lasts, delay)[0]) == pytest.approx(expected, abs=1e-9)


def test_an_incident_moves_nobody() -> None:
    types = {"call": CALL, "mail": CALL}
    usual, struck = demand_of(types), demand_of(types, incidents={"outage": OUTAGE})
    both = {"outage": OUTAGE, "wrong_bill": {**OUTAGE, "contacting": {"call": "2%", "mail": "3%"}}}
    for before, after, more in zip(
        *(drawn(demand) for demand in (usual, struck, demand_of(types, incidents=both))),
        strict=True,
    ):
        assert rows(before, 1) == rows(after, 1)
        assert rows(before) < rows(after) < rows(more)
        assert rows(after, 1) < rows(more, 1)
        assert {row for row in rows(after) if row[1] < FIRST_ORDINAL} == rows(before)
        order = np.lexsort((more.content_id, more.arrival))
        assert np.array_equal(order, np.arange(len(order)))
        assert len(set(more.content_id.tolist())) == len(order)


def own(contacts: Contacts) -> np.ndarray:
    """Which contacts an incident brought."""
    return contacts.ordinal >= FIRST_ORDINAL


@pytest.mark.parametrize("delay", ["0 s", "20 min"])
def test_an_incident_brings_what_arithmetic_says_when_it_says(delay: str) -> None:
    """10,000 customers of whom 6 % contact: 600, by half-hour the share that has come by then."""
    demand = demand_of({"call": CALL}, incidents={"outage": {**OUTAGE, "delay": delay}})
    (incident,) = demand.contact_types[0].incidents
    start, lasts = 610 * MINUTE, 120 * MINUTE
    edges = (np.arange(49) * 30 * MINUTE - start) / 1e6
    mean = 600 * np.diff(come_by(edges, lasts / 1e6, parse_duration(delay) / 1e6))
    assert incident.mean == pytest.approx(mean, abs=1e-9)
    days = drawn(demand, 300)
    arrivals = [c.arrival[own(c)] for c in days]
    assert min(a.min() for a in arrivals) >= start
    if delay == "0 s":
        assert max(a.max() for a in arrivals) < start + lasts
        pooled = np.concatenate(arrivals)
        assert stats.kstest((pooled - start) / lasts, "uniform").pvalue > FALSE_ALARM
    totals = np.array([len(a) for a in arrivals])
    assert abs(z(totals, mean.sum())) < limit(300)
    assert abs(z((totals - mean.sum()) ** 2, mean.sum())) < limit(300)
    seen = np.bincount(np.concatenate(arrivals) // (30 * MINUTE), minlength=48)
    some = mean * 300 >= 5
    assert seen[mean == 0].sum() == 0
    statistic = ((seen - mean * 300)[some] ** 2 / (mean * 300)[some]).sum()
    assert statistic < stats.chi2(some.sum()).isf(FALSE_ALARM)


def test_a_notice_saves_its_share_of_those_still_to_come_and_moves_nobody() -> None:
    told = {**OUTAGE, "notice": NOTICE}
    silent, said = (demand_of({"call": CALL}, incidents={"outage": o}) for o in (OUTAGE, told))
    notice = (610 + 25) * MINUTE
    gone, later = [], []
    for before, after in zip(drawn(silent, 200), drawn(said, 200), strict=True):
        assert rows(after) <= rows(before)
        saved = rows(before) - rows(after)
        assert all(ordinal >= FIRST_ORDINAL and when >= notice for _, ordinal, when, *_ in saved)
        gone.append(len(saved))
        later.append(int((before.arrival[own(before)] >= notice).sum()))
    # Of 600 come 95 / 120 after the notice; the chance of so many of them is binomial.
    assert abs(z(np.array(later), 600 * 95 / 120)) < limit(200)
    assert stats.binomtest(sum(gone), sum(later), 0.4).pvalue > FALSE_ALARM
    (incident,) = said.contact_types[0].incidents
    assert incident.saved.sum() == pytest.approx(600 * 95 / 120 * 0.4)
    assert said.contact_types[0].expected.sum() == pytest.approx(60 * 24 + 600 - 190)


def test_earlier_and_larger_notices_save_the_same_customers_and_more() -> None:
    left = []
    for after, saves in (
        ("2 h 5 min", "40%"),
        ("25 min", "40%"),
        ("25 min", "70%"),
        ("5 min", "70%"),
    ):
        told = {**OUTAGE, "delay": "10 min", "notice": {"after": after, "saves": saves}}
        left.append([rows(c) for c in drawn(demand_of({"call": CALL}, incidents={"o": told}))])
    for more, fewer in pairwise(left):
        assert all(small < large for large, small in zip(more, fewer, strict=True))


def test_anger_lengthens_the_talk_of_the_incidents_contacts_alone() -> None:
    types = {"call": {**CALL, "talk_time": "100 s"}}
    calm, angry = (
        drawn(demand_of(types, incidents={"outage": {**OUTAGE, "talk_time": factor}}))
        for factor in (1.0, 1.3)
    )
    for before, after in zip(calm, angry, strict=True):
        assert np.array_equal(before.arrival, after.arrival)
        talk, longer = (c.handle_time - 10_000_000 for c in (before, after))
        mine = own(after)
        assert np.array_equal(talk[~mine], longer[~mine])
        assert np.abs(longer[mine] - 1.3 * talk[mine]).max() < 100  # a millionth of 100 s


def test_an_incident_leaves_the_warm_up_and_closed_hours_alone() -> None:
    open_until_noon = {"call": {**CALL, "open": {"all": "08:00-12:00"}}}
    horizon = {"begins": "cyclic", "warm_up": "1 d"}
    demand = demand_of(open_until_noon, horizon, incidents={"outage": OUTAGE})
    (incident,) = demand.contact_types[0].incidents
    assert incident.mean.sum() == pytest.approx(600 * 110 / 120)  # 10:10 to 12:00
    assert incident.shut_out == pytest.approx(600 * 10 / 120)
    for contacts in drawn(demand):
        assert contacts.interval[own(contacts)].min() >= 20
        assert contacts.interval.min() < 0


def test_wrap_up_of_an_incidents_contact_is_the_part_of_its_handle_time_that_it_is() -> None:
    types = {"call": {**CALL, "talk_time": "1 s", "wrap_up": {"exponential": {"mean": "1 min"}}}}
    demand = demand_of(types, incidents={"outage": {**OUTAGE, "talk_time": 1.0}})
    day = draw_replication(demand, 1, 0)
    c = day.contacts
    for row in np.flatnonzero(own(c))[:50].tolist():
        wrap_up = day.wrap_up((0, int(c.interval[row]), int(c.ordinal[row]), 0), 0)
        assert 0 < c.handle_time[row] - wrap_up < 3_000_000  # a second, times the day's factor


def test_the_formulas_see_the_incident_interval_by_interval() -> None:
    """From 10:30 to 11:00 come 30 ordinary calls of 190 s and 150 of 244 s: 23.5 erlang."""
    types = {
        "call": {
            **{name: value for name, value in CALL.items() if name != "talk_time_error"},
            "targets": ["80% answered within 20 s, over each day"],
        }
    }
    case = changed(types, incidents={"outage": OUTAGE})
    demand = compile_demand(case)
    (call,) = demand.contact_types
    assert call.handle_seconds[20] == pytest.approx((20 * 0 + 30 * 190 + 100 * 244) / 130)
    row = required(case, demand).row("call")
    assert row.load[21] == pytest.approx((30 * 190 + 150 * 244) / 1800, rel=1e-6)
    assert row.load[10] == pytest.approx(30 * 190 / 1800, rel=1e-6)
    assert row.agents[21] > row.load[21] > row.agents[10]
    # The work that targets force never takes more than what simply has to be done.
    (need,) = needs(case, demand)[0]
    assert need.seconds <= 0.8 * (1440 + 600) * 190 * (1 + 1e-9)


# Causes -------------------------------------------------------------------------------------


def with_cause(removed: str, **cause: Any) -> ContactTypeDemand:
    given = {"share": "25%", "removed": removed, "start": "2026-09-07", **cause}
    types = {"call": {**CALL, "demand": {"rate": "60 calls/h", "causes": {"invoice": given}}}}
    return demand_of(types, {"days": 4}).contact_types[0]


def test_a_cause_fades_as_its_lag_and_ramp_say() -> None:
    """Nothing on the first day, then evenly more over two: shares are means over each interval."""
    (cause,) = with_cause("60%", lag="1 d", ramp="2 d").causes
    day = (np.arange(192) + 0.5) / 48
    assert cause.effect == pytest.approx(0.25 * np.clip((day - 1) / 2, 0, 1))
    (at_once,) = with_cause("60%", start="2026-09-08", lag="15 min").causes
    assert at_once.effect[:48].max() == 0
    assert at_once.effect[48:50].tolist() == [0.125, 0.25]  # the middle of the first half-hour
    gone = with_cause("60%", lag="1 d")
    assert gone.ordinary.sum() == pytest.approx(1440 * (1 + 3 * (1 - 0.25 * 0.6)))


def test_removing_a_cause_takes_requests_away_and_moves_none() -> None:
    types = {"call": CALL, "mail": CALL}
    share = {"share": "30%", "removed": "20% - 80%", "start": "2026-09-01"}
    less = {**types, "call": {**CALL, "demand": {**CALL["demand"], "causes": {"bug": share}}}}
    usual, removed = demand_of(types, {"days": 2}), demand_of(less, {"days": 2})
    for before, after in zip(drawn(usual), drawn(removed), strict=True):
        assert rows(after) < rows(before)
        assert rows(after, 1) == rows(before, 1)


def test_an_uncertain_removal_is_one_value_a_replication_and_spread_evenly() -> None:
    """Removed is uniform on 20 % to 80 % of 40 %: total N has mean m·0.8 and the variance
    m·0.8 + m²·(0.4·0.6)²/12."""
    cause = {"share": "40%", "removed": "20% - 80%", "start": "2026-09-01"}
    types = {"call": {"demand": {"rate": "600 calls/h", "causes": {"bug": cause}}}}
    demand = demand_of(types)
    totals = counts(demand, 400).sum(axis=(1, 2))
    mean = 14_400 * 0.8
    assert demand.contact_types[0].ordinary.sum() == pytest.approx(mean)
    assert abs(z(totals, mean)) < limit(400)
    variance = mean + 14_400**2 * 0.24**2 / 12
    assert abs(z((totals - mean) ** 2, variance)) < limit(400)
    # Both halves of a day have the same value.
    halves = counts(demand, 400)[:, 0].reshape(400, 2, 24).sum(axis=2) - mean / 2
    assert abs(z(halves[:, 0] * halves[:, 1], 7200**2 * 0.24**2 / 12)) < limit(400)
    # And a block of 32 has each of its strata once.
    block = counts(demand, 32, block_size=32).sum(axis=(1, 2))
    removed = np.sort((1 - block / 14_400) / 0.4)
    strata = 0.2 + 0.6 * (np.arange(32) + 0.5) / 32
    assert np.abs(removed - strata).max() < 0.6 / 64 + 6 * np.sqrt(mean) / 14_400 / 0.4


# Days that go together ----------------------------------------------------------------------


def covariance_of_gammas(one: float, other: float, correlation: float) -> float:
    """Covariance of two gamma factors of mean 1 under a Gaussian copula, by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()

    def factor(shape: float, score: np.ndarray) -> np.ndarray:
        law = stats.gamma(shape, scale=1 / shape)
        below, above = stats.norm.cdf(score), stats.norm.sf(score)
        return np.where(score < 0, law.ppf(np.minimum(below, 0.5)), law.isf(np.minimum(above, 0.5)))

    mixed = correlation * nodes[:, None] + np.sqrt(1 - correlation**2) * nodes[None, :]
    product = factor(one, nodes)[:, None] * factor(other, mixed)
    return float(weights @ product @ weights) - 1


def test_days_are_correlated_as_stated_and_keep_their_own_law() -> None:
    """Cov of day totals: m₁·m₂·Cov(G₁, G₂), with a correlation √(0.8·0.45) = 0.6 of the scores."""
    types = {
        name: {
            "demand": {
                "rate": "20 calls/h",
                "forecast_error": {"gamma": {"shape": shape}, "shared": shared},
            }
        }
        for name, shape, shared in (("call", 9, "80%"), ("mail", 4, "45%"), ("chat", 9, "0%"))
    }
    demand = demand_of(types)
    call, mail, chat = counts(demand, 3000).sum(axis=2).T - 480.0
    covariance = 480**2 * covariance_of_gammas(9, 4, 0.6)
    assert abs(z(call * mail, covariance)) < limit(3000)
    assert abs(z(call * chat, 0)) < limit(3000)
    for total, shape in ((call, 9), (mail, 4), (chat, 9)):
        assert abs(z(total, 0)) < limit(3000)
        assert abs(z(total**2, 480 + 480**2 / shape)) < limit(3000)
    # Independent factors would be far outside.
    assert abs(z(call * mail, 0)) > 3 * limit(3000)


def test_parts_of_a_day_are_correlated_as_stated() -> None:
    error = {
        "gamma": {"shape": 9},
        "shared": "50%",
        "parts": {"begin": ["08:00", "16:00"], "correlation": "70%"},
    }
    types = {
        name: {"demand": {"rate": "20 calls/h", "forecast_error": error}}
        for name in ("call", "mail")
    }
    part = counts(demand_of(types), 3000).reshape(3000, 2, 3, 16).sum(axis=3) - 160.0
    same_day = 160**2 * covariance_of_gammas(9, 9, 0.7)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert abs(z(part[:, 0, one] * part[:, 0, other], same_day)) < limit(3000)
    # Of two contact types the days have half in common, whichever the part: 0.7 · 0.5.
    others = 160**2 * covariance_of_gammas(9, 9, 0.35)
    assert abs(z(part[:, 0, 0] * part[:, 1, 0], others)) < limit(3000)
    assert abs(z(part[:, 0, 0] * part[:, 1, 2], others)) < limit(3000)
    assert abs(z(part[:, 0, 1] ** 2, 160 + 160**2 / 9)) < limit(3000)


def factors(given: DayFactor, name: str, replications: int, block_size: int) -> np.ndarray:
    days = np.repeat(np.arange(2), 3)
    minutes = np.tile([0, 480, 960], 2)
    members = np.arange(replications)
    return day_factors(given, 5, "volume", name, members, block_size, days, minutes)


def test_what_is_shared_has_each_stratum_once_in_a_block() -> None:
    all_of_it = DayFactor(unit_gamma(9), shared=1.0)
    one, other = (factors(all_of_it, name, 64, 32) for name in ("call", "mail"))
    assert np.array_equal(one, other)
    for block in (one[:32, 0], one[32:, 0], one[:32, 3]):
        place = np.sort(stats.gamma(9, scale=1 / 9).cdf(block / 1e6) * 32)
        assert (np.abs(place - np.arange(32) - 0.5) < 0.501).all()
    assert not np.array_equal(one[:, 0], one[:, 3])  # another day


def test_mixed_factors_keep_their_law() -> None:
    mixed = DayFactor(unit_gamma(9), shared=0.4, parts=(480, 960), correlation=0.3)
    drawn_factors = factors(mixed, "call", 4000, 1) / 1e6
    for place in range(6):
        law = stats.gamma(9, scale=1 / 9)
        assert stats.kstest(drawn_factors[:, place], law.cdf).pvalue > FALSE_ALARM


def test_parts_that_agree_wholly_are_one_day() -> None:
    whole = factors(DayFactor(unit_gamma(9)), "call", 50, 1)
    parts = factors(DayFactor(unit_gamma(9), parts=(480, 960), correlation=1.0), "call", 50, 1)
    assert np.array_equal(parts[:, ::3], parts[:, 1::3])
    # Through the normal score and back, a factor moves by its last millionth at most.
    assert np.abs(parts - whole).max() <= 1


def test_sharing_moves_nobody_who_does_not_share() -> None:
    error = {
        "gamma": {"shape": 9},
        "shared": "50%",
        "parts": {"begin": ["12:00"], "correlation": "0%"},
    }
    shares = {**CALL, "demand": {"rate": "60 calls/h", "forecast_error": error}}
    usual, shared = (
        demand_of({"call": CALL, "mail": CALL}),
        demand_of({"call": shares, "mail": CALL}),
    )
    for before, after in zip(drawn(usual), drawn(shared), strict=True):
        assert rows(before, 1) == rows(after, 1)
        assert rows(before) != rows(after)


def test_absence_and_talk_are_shared_too() -> None:
    ill = {"unplanned": "20%", "unplanned_day_error": {"gamma": {"shape": 4}, "shared": "100%"}}
    talk = {"gamma": {"shape": 50}, "shared": "100%"}
    types = {name: {"talk_time": "100 s", "talk_time_error": talk} for name in ("call", "mail")}
    groups = {"desk": {"call": 1}, "back": {"mail": 1}}
    demand = compile_demand(case_from(scenario_of(types, groups, shrinkage=ill)))
    for replication in range(5):
        day = draw_replication(demand, 1, replication)
        assert day.absent_below[0] == day.absent_below[1]
        assert len(set(day.contacts.handle_time.tolist())) == 1


# Leads --------------------------------------------------------------------------------------

BY_LEAD = {"4 weeks": {"shape": 10}, "1 week": {"shape": 40}, "1 d": {"shape": 200}}


@pytest.mark.parametrize(
    ("published", "variance"),
    [
        *(("4 weeks", 1 / 10), ("1 week", 1 / 40), ("1 d", 1 / 200)),
        ("2 weeks", 1 / 40 + (1 / 10 - 1 / 40) / 3),
        ("4 d", (1 / 40 + 1 / 200) / 2),
    ],
)
def test_the_error_is_that_of_the_lead_at_which_the_plan_is_published(
    published: str, variance: float
) -> None:
    error = ForecastError(gamma_by_lead=BY_LEAD)
    assert 1 / error.shape(parse_duration(published)) == pytest.approx(variance)
    types = {
        "call": {"demand": {"rate": "60 calls/h", "forecast_error": {"gamma_by_lead": BY_LEAD}}}
    }
    totals = counts(demand_of(types, {"published": published}), 600).sum(axis=(1, 2))
    assert abs(z(totals, 1440)) < limit(600)
    assert abs(z((totals - 1440.0) ** 2, 1440 + 1440**2 * variance)) < limit(600)


def test_published_at_a_lead_is_the_gamma_of_that_lead() -> None:
    def first(error: dict[str, Any], **horizon: Any) -> set[tuple[int, ...]]:
        types = {"call": {"demand": {"rate": "60 calls/h", "forecast_error": error}}}
        return rows(drawn(demand_of(types, horizon), 1)[0])

    plain = first({"gamma": {"shape": 40}})
    assert first({"gamma_by_lead": BY_LEAD}, published="7 d") == plain


@pytest.mark.parametrize("published", [None, "5 weeks", "12 h"])
def test_no_lead_is_made_up(published: str | None) -> None:
    with pytest.raises(ValueError, match=r"is given for 24 h to 28 d"):
        ForecastError(gamma_by_lead=BY_LEAD).shape(published and parse_duration(published))


# What if ------------------------------------------------------------------------------------

OUTAGE_DAY = Path(__file__).parents[1] / "scenarios" / "outage_day.yaml"
CAUSES = "contact_types.hotline.demand.causes"


@pytest.mark.parametrize(
    ("overrides", "first_attempts"),
    [
        ([], 1800 + 1200),
        (["incidents.outage.customers=60000"], 1800 + 2400),
        (["incidents.outage.contacting.hotline=1%"], 1800 + 300),
        (["incidents=null"], 1800),
        (["contact_types.hotline.demand.scale=2"], 3600 + 1200),
        (["incidents.outage={delay: 0 s, notice: {after: 1 h, saves: 50%}}"], 1800 + 900),
        (["special_days.fair={dates: [2026-09-08], contact_types: {hotline: {scale: 3}}}"], 6600),
        ([f"{CAUSES}.bug={{share: 50%, removed: 20%, start: 2026-09-01}}"], 1620 + 1200),
        (
            [
                f"{CAUSES}.bug={{share: 50%, removed: 20%, start: 2026-09-01}}",
                f"{CAUSES}.bug.removed=100%",
            ],
            900 + 1200,
        ),
    ],
)
def test_every_change_can_be_overridden(overrides: list[str], first_attempts: float) -> None:
    demand = compile_demand(read_case(OUTAGE_DAY, None, overrides))
    assert demand.contacts == pytest.approx(first_attempts, abs=0.01)  # some come after eight


def test_show_says_what_changes(template_parts: dict[str, Any]) -> None:
    case = changed(**template_parts)
    told = meaning(case, compile_demand(case))
    said = "\n".join(told["Time"] + told["Demand"])
    for sentence in (
        "fair: Tue 8 Sep",
        "  call open 08:00-12:00, like sun, demand × 0.5",
        "bug: 20% - 40% of its 50% of requests goes away from 2026-09-08, after 24 h",
        # A third day of 1440 requests, of which 30 % of 50 % go.
        "    216.0 requests of the horizon, which the results no longer count",
        "forecast error: a part of a day is off by 22.4% (one standard deviation)",
        "as of the plan published 14 d before; the variance lies on the line between 7 d and 28 d",
        "another part begins at 13:00; two parts of one day are correlated by 70%",
        "60% of it is shared",
        "outage brings 600.0 contacts, talk time × 1.3",
        "its notice saves 190.0, so 410.0 come",
        f"{case.demand['call'].sum():,.1f} fresh contacts",
    ):
        assert sentence in said


@pytest.fixture
def template_parts() -> dict[str, Any]:
    """Everything at once."""
    error = {
        "gamma_by_lead": {"4 weeks": {"shape": 10}, "1 week": {"shape": 40}},
        "shared": "60%",
        "parts": {"begin": ["13:00"], "correlation": "70%"},
    }
    bug = {"share": "50%", "removed": "20% - 40%", "start": "2026-09-08", "lag": "1 d"}
    call = {"demand": {"rate": "60 calls/h", "forecast_error": error, "causes": {"bug": bug}}}
    other = {"open": "08:00-12:00", "like": "sun", "scale": 0.5}
    return {
        "types": {"call": call},
        "horizon": {"days": 3, "published": "2 weeks"},
        "special_days": {"fair": {"dates": ["2026-09-08"], "contact_types": {"call": other}}},
        "incidents": {"outage": {**OUTAGE, "notice": NOTICE}},
    }


# All together -------------------------------------------------------------------------------


def test_expected_contacts_are_those_that_come_on_average() -> None:
    """Interval by interval, with everything at once; and what an estimate may lean on."""
    error = {
        "gamma": {"shape": 20},
        "shared": "50%",
        "parts": {"begin": ["12:00"], "correlation": "60%"},
    }
    cause = {"share": "40%", "removed": "20% - 80%", "start": "2026-09-07", "ramp": "2 d"}
    call = {
        "open": {"all": "08:00-18:00"},
        "demand": {"rate": "60 calls/h", "forecast_error": error, "causes": {"bug": cause}},
    }
    case = changed(
        {"call": call, "mail": call},
        {"days": 2},
        special_days={
            "campaign": {"dates": ["2026-09-08"], "contact_types": {"call": {"scale": 1.5}}}
        },
        incidents={
            "outage": {**OUTAGE, "delay": "20 min", "notice": NOTICE},
            "late": {**OUTAGE, "start": "2026-09-08 17:00", "contacting": {"mail": "1%"}},
        },
    )
    demand = compile_demand(case)
    seen = counts(demand, 640, block_size=1)
    for number, one in enumerate(demand.contact_types):
        assert one.mean_requests == pytest.approx(one.expected, rel=1e-6)
        for interval in np.flatnonzero(one.expected):
            assert abs(z(seen[:, number, interval], one.expected[interval])) < limit(640)
        assert seen[:, number, one.expected == 0].sum() == 0


# Counts that hold redials and repeats -------------------------------------------------------


def again(**fields: Any) -> dict[str, Any]:
    return {"probability": "50%", "delay": "2 min", "at_most": 2, **fields}


def test_fresh_demand_is_what_redials_and_repeats_would_turn_into_the_count() -> None:
    """Of each contact 20 % give up, half of them call again, twice at most; of the 80 % who are
    answered a quarter are not settled and repeat, three times at most: 0.1 and 0.2."""
    counted = Demand(
        rate="100 calls/h",
        includes=["redials", "repeats"],
        observed_abandonment="20%",
        observed_resolution="75%",
    )
    redial = Redial.model_validate(again())
    repeat = Repeat.model_validate({"delay": "1 h", "at_most": 3})
    attempts = 1 + 0.3 + 0.3**2 + 0.3**2 * 0.2
    assert fresh_share(counted, redial, repeat) == pytest.approx(1 / attempts)
    alone = counted.model_copy(update={"includes": ("repeats",)})
    assert fresh_share(alone, redial, repeat) == pytest.approx(1 / (1 + 0.2 + 0.2**2 + 0.2**3))
    only_redials = counted.model_copy(update={"includes": ("redials",)})
    assert fresh_share(only_redials, redial, repeat) == pytest.approx(1 / (1 + 0.1 + 0.1**2))


def test_fresh_demand_comes_back_from_what_a_run_counts() -> None:
    """Simulate a known demand, count as an ACD would, back out: the first attempts again."""
    call = {
        "demand": {"rate": "60 calls/h"},
        "talk_time": {"exponential": {"mean": "3 min"}},
        "patience": {"exponential": {"mean": "1 min"}},
        "redial": again(at_most=9),
        "repeat": {"delay": "4 min", "at_most": 9},
    }
    given = scenario_of({"call": call}).model_dump(mode="json")
    given["agent_groups"]["desk"]["skills"]["call"]["resolution"] = "70%"
    case = case_from(Scenario.model_validate(given))
    demand = compile_demand(case)
    model = compile_model(case, demand, StaffingPlan(by_interval={"desk": (4,) * 48}))
    logs = [run(model, day) for day in draw_replications(demand, 3, range(60), 1)]
    seen = np.array(
        [
            [
                len(log.arrival),
                (log.outcome == Outcome.ABANDONED).sum(),
                log.unresolved.sum(),
                (log.attempt == 0).sum(),
            ]
            for log in logs
        ]
    )
    counted, abandoned, unresolved, first = seen.sum(axis=0).tolist()
    assert abandoned / counted > 0.05
    report = Demand(
        rate="1 calls/h",
        includes=["redials", "repeats"],
        observed_abandonment=f"{100 * abandoned / counted:.9f}%",
        observed_resolution=f"{100 - 100 * unresolved / (counted - abandoned):.9f}%",
    )
    contact_type = case.scenario.contact_types["call"]
    share = fresh_share(report, contact_type.redial, contact_type.repeat)
    assert counted / first > 1.3
    assert abs(z(share * seen[:, 0] - seen[:, 3], 0)) < limit(60)
