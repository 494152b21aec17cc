"""History to scenario: published statistics of the bank, known truths recovered, traps counted."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccsim import calibration as cal
from ccsim.errors import CcsimError

CALLS = "anonymous_bank_1999_02.tsv.gz"
YEAR = "anonymous_bank_1999_arrivals_6min.csv.gz"
SECOND_BANK = "bank_calls_2003_5min.csv.gz"


def case(shared_cases: Path, name: str) -> tuple[dict, dict]:
    published = json.loads((shared_cases / "published_cases.json").read_text("utf-8"))
    found = next(entry for entry in published["cases"] if entry["id"] == name)
    return found["outputs"], found["tolerance"]


# --- the real files against published statistics ------------------------------------------------


@pytest.fixture(scope="module")
def february(shared_data: Path) -> tuple[pd.DataFrame, cal.Cleaning]:
    return cal.read_calls(shared_data / CALLS)


@pytest.fixture(scope="module")
def reached(february) -> pd.DataFrame:
    calls, _ = february
    return calls[calls["outcome"] != "left_before_queue"]


@pytest.fixture(scope="module")
def bank(shared_data: Path) -> cal.BankCalibration:
    return cal.calibrate_bank(shared_data / CALLS, shared_data / YEAR)


def test_february_rows_and_services(february, shared_cases):
    calls, cleaning = february
    facts, _ = case(shared_cases, "real_bank_feb")
    assert (cleaning.rows_read, cleaning.rows_kept) == (facts["rows_raw"], facts["rows"])
    assert cleaning.rows_read - cleaning.phantom - cleaning.negative_ivr_time == facts["rows"]
    assert calls["outcome"].value_counts().to_dict() == {
        "answered": facts["served"],
        "abandoned": facts["abandoned_in_queue"],
        "left_before_queue": facts["left_in_vru"],
    }
    words = {"PS": "service", "NW": "prospect", "NE": "stock", "TT": "call_back"}
    words |= {"IN": "internet_help", "PE": "service_english"}
    services = calls["service"].value_counts().to_dict()
    assert services == {words[code]: n for code, n in facts["types"].items()}


def test_february_waits_and_talk(february, reached, shared_cases):
    facts, tolerance = case(shared_cases, "real_bank_feb")
    near = tolerance["value"]
    calls, _ = february
    talk = cal.talk_time_fit(reached["talk"].dropna())
    abandoned = reached["outcome"] == "abandoned"
    in_time = (reached["outcome"] == "answered") & (reached["waited"] <= 20)
    ivr = (calls["joined_queue"] - calls["arrival"]).dt.total_seconds()
    seen = {
        "mean_service_s": talk.mean,
        "sd_service_s": talk.mean * talk.cv,
        "median_service_s": talk.median,
        "log_service_mean_ge10": talk.log_mean,
        "log_service_sd_ge10": talk.log_sd,
        "mean_vru_s": ivr.mean(),
        "p_wait": reached["queued"].mean(),
        "p_abandon": abandoned.mean(),
        "mean_wait_s": reached["waited"].mean(),
        "sl20": in_time.mean(),
    }
    for name, value in seen.items():
        assert value == pytest.approx(facts[name], rel=near), name
    # The published share counts answered calls without a talk time as short; the fit has them out.
    _, cleaning = february
    short = talk.short_share * talk.calls + cleaning.answered_without_talk_time
    assert short / facts["served"] == pytest.approx(facts["share_service_lt10s"], rel=near)


def test_february_patience(reached, shared_cases):
    facts, tolerance = case(shared_cases, "real_bank_feb")
    near = tolerance["value"]
    # The published table goes on where fewer than 50 callers still wait, so ask for those rows.
    fit = cal.patience_kaplan_meier(
        reached["waited"], reached["outcome"] == "abandoned", fewest_waiting=5
    )
    still = dict(fit.table)
    for seconds, survival in facts["km_survival"].items():
        assert still[float(seconds)] == pytest.approx(survival, rel=near), seconds
    assert fit.median == pytest.approx(facts["km_median_s"], rel=near)
    assert fit.exponential_mean == pytest.approx(facts["mle_exp_patience_s"], rel=near)
    assert fit.abandoned == facts["abandoned_in_queue"]


def test_february_redials(bank, shared_cases):
    facts, tolerance = case(shared_cases, "real_bank_feb")
    near = tolerance["value"]
    redial = bank.redial
    known = facts["redial_same_day_given_abandon_id_known"]
    assert redial.again_after_abandoning == pytest.approx(known, rel=near)
    assert redial.again_within_10_min == pytest.approx(facts["redial_within_10min"], rel=near)
    assert redial.again_within_1_h == pytest.approx(facts["redial_within_1h"], rel=near)
    assert redial.probability < redial.again_after_abandoning


def test_february_line_of_abandonment_against_wait(bank, shared_cases):
    facts, tolerance = case(shared_cases, "real_bank_linear")
    line, fact = bank.patience_check, facts["feb"]
    assert line.cells == fact["cells"]
    assert line.patience == pytest.approx(fact["slope_patience_s"], rel=tolerance["value"])
    assert line.correlation == pytest.approx(fact["corr"], rel=tolerance["value"])
    assert line.intercept == pytest.approx(fact["intercept"], rel=tolerance["value"])
    affine = fact["affine_patience_s"]
    assert line.patience_with_intercept == pytest.approx(affine, rel=tolerance["value"])


def test_year_of_counts(shared_data, shared_cases):
    facts, _ = case(shared_cases, "real_bank_year")
    counts, read = cal.read_counts(shared_data / YEAR)
    assert (read.days, read.contacts, read.interval_minutes) == (facts["days"], facts["calls"], 6)
    month = counts["count"].groupby(pd.DatetimeIndex(counts.index).month).sum()
    assert (month[2], month[8]) == (facts["feb"], facts["aug"])
    day, cells = facts["interpolated_day"].split()[0], facts["interpolated_day"].split("(")[1]
    assert len(read.remarks) == 1
    assert read.remarks[0].startswith(f"{day} dropped: {cells.split()[0]} ")
    assert pd.Timestamp(day) not in pd.DatetimeIndex(counts.index).normalize()


def test_second_bank_through_the_same_importer(shared_data, shared_cases):
    facts, _ = case(shared_cases, "real_bankcalls")
    counts, read = cal.read_counts(shared_data / SECOND_BANK)
    daily = counts["count"].groupby(pd.DatetimeIndex(counts.index).normalize()).sum()
    assert (read.rows, read.days, read.contacts) == (facts["rows"], facts["days"], facts["calls"])
    assert (daily.min(), daily.max()) == (facts["min_day"], facts["max_day"])
    assert round(daily.mean(), 2) == facts["mean_per_day"]
    assert round(daily.std(ddof=0), 2) == facts["sd_per_day"]
    fitted = cal.calibrate_counts(shared_data / SECOND_BANK)
    assert set(fitted.profile["weekday"]) == {"mon", "tue", "wed", "thu", "fri"}
    assert fitted.profile["start"].max() == "20:30"
    assert any("21:00" in remark for remark in fitted.remarks)


def test_profile_gives_back_the_calls_it_was_made_of(bank, shared_data):
    """Weeks of the profile × days used = calls of the usual half-hours, and types add up."""
    profile = bank.counts.profile
    counts, _ = cal.read_counts(shared_data / YEAR)
    half_hours, _ = cal.sum_to(counts)
    index = pd.DatetimeIndex(half_hours.index)
    out = pd.to_datetime([day for day, _ in bank.counts.unusual_days])
    bursts = pd.to_datetime([start for start, _ in bank.counts.unusual_intervals])
    used = half_hours[~index.normalize().isin(out) & ~index.isin(bursts)]
    used_index = pd.DatetimeIndex(used.index)
    number = used_index.day_of_week
    is_open = (number.isin([6, 0, 1, 2, 3]) & (used_index.hour >= 7)) | (
        (number == 4) & (used_index.hour >= 7) & (used_index.hour < 14)
    )
    is_open |= (number == 5) & (used_index.hour >= 20)
    total = (profile["mean"] * profile["days"]).sum()
    assert total == pytest.approx(used.loc[is_open, "count"].sum(), rel=1e-12)
    types = bank.demand[list(bank.contact_types)].sum(axis=1)
    np.testing.assert_allclose(types, profile["mean"] * bank.reached_agents, rtol=1e-12)


def test_contact_types_together_are_the_whole(bank, reached):
    types = bank.contact_types.values()
    assert sum(t.share for t in types) == pytest.approx(1.0, rel=1e-12)
    talk = sum(t.talk_time.calls * t.talk_time.mean for t in types)
    assert talk == pytest.approx(reached["talk"].sum(), rel=1e-9)
    abandoned = sum(t.share * t.abandonment for t in types)
    assert abandoned == pytest.approx((reached["outcome"] == "abandoned").mean(), rel=1e-9)
    assert sum(t.patience.waits for t in types) == reached["queued"].sum()


def test_written_files_are_rounded_aggregates_and_the_same_twice(bank, shared_data, tmp_path):
    first = cal.write_bank(bank, tmp_path / "a")
    again = cal.calibrate_bank(shared_data / CALLS, shared_data / YEAR)
    second = cal.write_bank(again, tmp_path / "b")
    assert [path.name for path in first] == [path.name for path in second]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(first, second, strict=True))
    rows = list(csv.DictReader(io.StringIO(first[0].read_text("utf-8"))))
    assert list(rows[0]) == ["weekday", "start", "regular_call", "priority_call", "stock_call"]
    assert len(rows) == 5 * 34 + 14 + 8
    figures = json.loads(first[-1].read_text("utf-8"))
    assert "Avi Mandelbaum and Ilan Guedj" in figures["acknowledgement"]
    assert sum(figures["weekly_contacts"].values()) == pytest.approx(
        sum(float(row[name]) for row in rows for name in list(row)[2:]), abs=0.005 * 3 * len(rows)
    )
    calls, _ = cal.read_calls(shared_data / CALLS)
    ids = {str(number) for number in calls["customer"].unique() if number > 1_000_000}
    text = " ".join(path.read_text("utf-8") for path in first)
    with gzip.open(shared_data / CALLS, "rt", newline="") as source:
        agents = {row["server"] for row in csv.DictReader(source, delimiter="\t")}
    assert not [word for word in ids | agents if word in text]


def test_tables_are_read_with_straight_lines(bank):
    """What a scenario makes of the written tables: the mean talk time, a falling survival."""
    for fitted in bank.contact_types.values():
        level, seconds = np.array(fitted.talk_time.table).T
        assert level[0] == 0
        assert level[-1] == 1
        assert (np.diff(seconds) >= 0).all()
        assert np.trapezoid(seconds, level) == pytest.approx(fitted.talk_time.mean, rel=1e-9)
        times, still = np.array(fitted.patience.table).T
        assert (times[0], still[0], still[-1]) == (0, 1, 0)
        assert (np.diff(times) > 0).all()
        assert (np.diff(still) <= 0).all()


# --- known truths -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [8.0, 27.0, 120.0])
def test_forecast_error_recovers_the_gamma_shape(shape):
    """Within 4 standard errors of a sample variance, from the negative binomial's kurtosis."""
    from scipy import stats

    random = np.random.default_rng(int(shape))
    days, mean = 2000, 1500.0
    totals = random.poisson(mean * random.gamma(shape, 1 / shape, days))
    fit = cal.forecast_error(totals, np.full(days, mean))
    law = stats.nbinom(shape, shape / (shape + mean))
    variance, excess = (float(value) for value in law.stats("vk"))
    error = variance / mean**2 * math.sqrt((excess + 2) / days)
    # Dividing by the seen mean ratio adds its own error: its sd, twice over, times 1/k.
    error = math.hypot(error, 2 / shape * math.sqrt(variance / days) / mean)
    assert abs(1 / fit.shape - 1 / shape) < 4 * error
    assert fit.shape_low < fit.shape < fit.shape_high


def test_forecast_error_of_poisson_days_covers_no_error():
    """Poisson days have no factor: the upper limit is infinite in 97.5 % of tries or more."""
    random = np.random.default_rng(5)
    tries = 400
    reach = sum(
        math.isinf(cal.forecast_error(random.poisson(400.0, 200), np.full(200, 400.0)).shape_high)
        for _ in range(tries)
    )
    assert reach > 0.975 * tries - 4 * math.sqrt(tries * 0.975 * 0.025)


def test_talk_day_factor_recovers_the_shape():
    """Normal days: MSB is σ²χ²/(D−1), so the days' variance has a relative sd of √(2/(D−1))."""
    random = np.random.default_rng(11)
    shape, days, calls = 100.0, 400, 300
    factor = random.gamma(shape, 1 / shape, days)
    seconds = random.lognormal(4.6, 1.0, (days, calls)) * factor[:, None]
    fit = cal.talk_day_factor(np.repeat(np.arange(days), calls), seconds.ravel())
    chance = (math.e - 1) / calls  # the lognormal's squared cv, per day
    error = (1 / shape + chance) * math.sqrt((2 + 6 / shape) / (days - 1))
    assert abs(1 / fit.shape - 1 / shape) < 4 * error
    assert fit.shape_low < fit.shape < fit.shape_high


def test_kaplan_meier_without_censoring_is_the_empirical_survival():
    waits = np.repeat([5.0, 10.0, 30.0, 60.0], 100)
    fit = cal.patience_kaplan_meier(waits, np.ones(400, bool))
    still = dict(fit.table)
    assert [still[t] for t in (2.0, 5.0, 10.0, 20.0, 30.0)] == pytest.approx(
        [1.0, 0.75, 0.5, 0.5, 0.25]
    )
    assert fit.median == 10


def test_kaplan_meier_recovers_a_weibull_through_censoring():
    """Within 4 Greenwood standard errors, bounded by the binomial error of those still at risk."""
    random = np.random.default_rng(3)
    patience = 300 * random.weibull(0.8, 20_000)
    offered = random.exponential(120.0, 20_000)
    waited = np.minimum(patience, offered)
    fit = cal.patience_kaplan_meier(waited, patience <= offered)
    for (seconds, still), low, high in zip(fit.table, fit.low, fit.high, strict=False):
        if seconds == 0:
            continue
        truth = math.exp(-((seconds / 300) ** 0.8))
        # The 95 % limits stand 1.96 errors away; 4 errors are about twice as far.
        assert low - 1.1 * (high - low) / 2 < truth < high + 1.1 * (high - low) / 2, seconds
        assert low <= still <= high


def test_patience_tail_is_exponential_with_its_mean():
    random = np.random.default_rng(9)
    patience, offered = random.exponential(200.0, 40_000), random.exponential(150.0, 40_000)
    waited, gave_up = np.minimum(patience, offered), patience <= offered
    fit = cal.patience_kaplan_meier(waited, gave_up)
    # A rate from n events has the relative error 1/√n.
    late = (gave_up & (waited > fit.tail_from / 2)).sum()
    assert fit.exponential_mean == pytest.approx(200.0, rel=4 / math.sqrt(gave_up.sum()))
    assert fit.tail_mean == pytest.approx(200.0, rel=4 / math.sqrt(late))
    times, still = np.array([point for point in fit.table if point[0] >= fit.tail_from]).T
    # Chords over steps of h means lie h²/12 above an exponential: here ln(100)/20 means.
    chord = (math.log(100) / 20) ** 2 / 12
    assert np.trapezoid(still, times) == pytest.approx(still[0] * fit.tail_mean, rel=1.01 * chord)
    assert still[-1] == 0


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 900), st.booleans()), min_size=4, max_size=60),
    st.integers(1, 50),
)
def test_calls_answered_at_once_say_nothing_about_patience(calls, at_once):
    waited, abandoned = (np.array(column) for column in zip(*calls, strict=True))
    abandoned[:2] = True
    alone = cal.patience_kaplan_meier(waited, abandoned)
    with_them = cal.patience_kaplan_meier(
        np.r_[waited, np.zeros(at_once)], np.r_[abandoned, np.zeros(at_once, bool)]
    )
    assert alone == with_them
    times, still = np.array(alone.table).T
    assert (np.diff(times) > 0).all()
    assert (np.diff(still) <= 0).all()
    assert still[-1] == 0


def test_redial_share_separates_those_who_call_anyway():
    """30 % call again anyway; half of those who give up call again because of it."""
    random = np.random.default_rng(21)
    customers = 6000
    gave_up = np.arange(customers) < customers // 2
    anyway = np.where(
        random.random(customers) < 0.3, random.uniform(600, 20_000, customers), np.inf
    )
    because = np.where(
        gave_up & (random.random(customers) < 0.5), random.exponential(300, customers), np.inf
    )
    again = np.minimum(anyway, because)
    again_known = np.isfinite(again)
    first = {"customer": np.arange(1, customers + 1), "arrival": np.zeros(customers)}
    second = {"customer": first["customer"][again_known], "arrival": again[again_known]}
    extra = int(again_known.sum())
    fit = cal.redial_share(
        customer=np.r_[first["customer"], second["customer"]],
        day=np.zeros(customers + extra),
        arrival=np.r_[first["arrival"], second["arrival"]],
        ended=np.r_[first["arrival"], second["arrival"]],
        abandoned=np.r_[gave_up, np.zeros(extra, bool)],
        answered=np.r_[~gave_up, np.zeros(extra, bool)],
    )
    # a = 1 − 0.5·0.7 = 0.65, b = 0.3: delta method on 1 − (1−a)/(1−b), 3000 callers each.
    half = customers // 2
    error = math.hypot(
        math.sqrt(0.65 * 0.35 / half) / 0.7, 0.35 / 0.49 * math.sqrt(0.3 * 0.7 / half)
    )
    assert abs(fit.probability - 0.5) < 4 * error
    assert abs(fit.again_after_abandoning - 0.65) < 4 * math.sqrt(0.65 * 0.35 / half)
    # The median of an exponential; a quantile's error is 0.5/√n over its density.
    median_error = 0.5 / math.sqrt(half * 0.5) / (0.5 / 300) + 4 * 300 * error
    assert abs(fit.delay_median_because - 300 * math.log(2)) < 4 * median_error
    assert fit.delay_median > fit.delay_median_because


def test_redial_on_another_day_or_by_an_unknown_caller_is_none():
    fit = cal.redial_share(
        customer=[7, 7, 0, 0, 8],
        day=[1, 2, 1, 1, 1],
        arrival=[0, 90_000, 10, 20, 30],
        ended=[5, 90_005, 15, 25, 35],
        abandoned=[True, False, True, True, False],
        answered=[False, True, False, False, True],
    )
    assert (fit.abandoned, fit.again_after_abandoning, fit.probability) == (1, 0.0, 0.0)


def test_talk_time_mixture_and_weights():
    seconds = np.r_[np.full(10, 5.0), np.exp(np.random.default_rng(1).normal(4.8, 0.9, 5000))]
    fit = cal.talk_time_fit(seconds)
    body = np.log(seconds[seconds >= 10])
    assert fit.log_mean == pytest.approx(body.mean())
    assert abs(fit.log_mean - 4.8) < 4 * 0.9 / math.sqrt(5000) + 0.02  # a little is cut under 10 s
    assert fit.short_share == pytest.approx((seconds < 10).mean())
    twice = cal.talk_time_fit(
        np.r_[seconds, seconds], np.r_[np.full(5010, 0.25), np.full(5010, 0.75)]
    )
    assert twice.mean == pytest.approx(fit.mean)
    assert twice.cv == pytest.approx(fit.cv)
    assert np.allclose(twice.table, fit.table)


def test_unusual_days_are_found_and_ordinary_ones_are_not():
    days = pd.date_range("2025-01-06", periods=26 * 7)
    level = np.array([1500, 1400, 1450, 1400, 1300, 300, 200])[days.day_of_week]
    random = np.random.default_rng(2)
    daily = pd.Series(random.poisson(level * random.gamma(40, 1 / 40, len(days))), index=days)
    holidays = pd.to_datetime(["2025-02-11", "2025-04-21", "2025-05-01"])
    daily[holidays] = daily[holidays] // 6
    found = cal.unusual_days(daily.astype(float))
    assert set(holidays) <= set(found.index)
    # Ratios are near normal: 0.27 % beyond three robust sds; 5 of 182 would be one in a thousand.
    assert len(found) <= len(holidays) + 5


def test_trailing_forecast_knows_only_the_past():
    days = pd.date_range("2025-01-06", periods=70)
    daily = pd.Series(np.arange(70.0), index=days)
    expected = cal.trailing_forecast(daily, weeks=4)
    assert expected.iloc[:28].isna().all()
    assert expected.iloc[28] == np.mean([0, 7, 14, 21])
    changed = daily.copy()
    changed.iloc[50] = 9999.0
    after = cal.trailing_forecast(changed, weeks=4)
    pd.testing.assert_series_equal(expected.iloc[:51], after.iloc[:51])


# --- small files with the traps -----------------------------------------------------------------

HEADER = [
    "vru+line",
    "call_id",
    "customer_id",
    "priority",
    "type",
    "date",
    "vru_entry",
    "vru_exit",
    "vru_time",
    "q_start",
    "q_exit",
    "q_time",
    "outcome",
    "ser_start",
    "ser_exit",
    "ser_time",
    "server",
]


def row(**cells: str) -> dict[str, str]:
    plain = dict.fromkeys(HEADER, "0") | {
        "type": "PS",
        "date": "990201",
        "vru_entry": "9:00:00",
        "vru_exit": "9:00:10",
        "vru_time": "10",
        "outcome": "AGENT",
        "ser_start": "9:00:09",
        "ser_exit": "9:02:09",
        "ser_time": "120",
        "server": "SOMEBODY",
    }
    return plain | cells


def write_calls(path: Path, rows: list[dict[str, str]], header: list[str] = HEADER) -> Path:
    lines = ["\t".join(header), *("\t".join(r[name] for name in header) for r in rows)]
    path.write_bytes(gzip.compress(("\r\n".join(lines) + "\r\n").encode()))
    return path


def test_traps_of_the_per_call_file_are_counted(tmp_path):
    abandons = {"outcome": "HANG", "q_time": "40", "ser_start": "0:00:00", "ser_time": "0"}
    path = write_calls(
        tmp_path / "calls.tsv.gz",
        [
            row(),
            row(outcome="PHANTOM", vru_time="-3"),
            row(vru_time="-5"),
            row(**abandons, priority="2", customer_id="17"),
            row(**(abandons | {"q_time": "0"})),
            row(ser_time="0"),
            row(**abandons | {"ser_time": "9"}),
            row(vru_entry="23:59:30", vru_exit="23:59:40", ser_start="23:59:41", date="1999-02-02"),
        ],
    )
    calls, cleaning = cal.read_calls(path)
    assert cleaning == cal.Cleaning(
        rows_read=8,
        rows_kept=6,
        phantom=1,
        negative_ivr_time=1,
        service_before_ivr_exit=2,
        past_midnight=1,
        answered_without_talk_time=1,
        talk_without_answer=1,
    )
    assert calls["outcome"].value_counts().to_dict() == {
        "answered": 3,
        "abandoned": 2,
        "left_before_queue": 1,
    }
    assert calls["talk"].notna().sum() == 2
    assert calls["arrival"].max() == pd.Timestamp("1999-02-02 23:59:30")
    assert "server" not in calls.columns


def test_priority_of_calls_that_did_not_queue_comes_from_those_that_did(tmp_path):
    queued = [row(q_time="9", priority=p) for p in ("2", "2", "2", "1")]
    at_once = [row(priority="0") for _ in range(4)]
    stock = [row(type="NE", q_time="9", priority="2"), row(type="NE")]
    calls, _ = cal.read_calls(write_calls(tmp_path / "c.tsv.gz", [*queued, *at_once, *stock]))
    weights = cal.contact_type_weights(calls)
    assert weights.sum().to_dict() == {"regular_call": 2.0, "priority_call": 6.0, "stock_call": 2.0}
    assert (weights.sum(axis=1) == 1).all()


def test_a_made_up_bank_from_end_to_end(tmp_path):
    """Twelve weeks at 10 contacts a half-hour, all of them called: the scenario must say so."""
    days = pd.date_range("1999-01-03", periods=84)
    random = np.random.default_rng(4)
    clock = [f"{h:02}:{m:02}" for h in range(24) for m in (0, 30)]
    lines = [
        f"{day:%Y-%m-%d}," + ",".join(map(str, random.poisson(10.0, len(clock)))) for day in days
    ]
    counts = tmp_path / "counts.csv"
    counts.write_text("\n".join(["date," + ",".join(clock), *lines]))
    rows = []
    for number in range(3000):
        day, second = days[number % 28], int(random.integers(10 * 3600, 13 * 3600))
        gave_up = number % 5 == 0
        at = f"{second // 3600}:{second // 60 % 60:02}:{second % 60:02}"
        rows.append(
            row(
                date=f"{day:%Y-%m-%d}",
                vru_entry=at,
                vru_exit=at,
                vru_time="0",
                ser_start=at,
                customer_id=str(number % 700 + 1),
                priority=str(1 + number % 2),
                type=("PS", "PS", "NE")[number % 3],
                q_time=str(int(random.exponential(90)) + 1),
                outcome="HANG" if gave_up else "AGENT",
                ser_time="0" if gave_up else str(int(random.exponential(150)) + 1),
            )
        )
    bank = cal.calibrate_bank(write_calls(tmp_path / "calls.tsv.gz", rows), counts)
    assert bank.reached_agents == 1.0
    shares = {name: fitted.share for name, fitted in bank.contact_types.items()}
    assert shares == pytest.approx(
        {"regular_call": 1 / 3, "priority_call": 1 / 3, "stock_call": 1 / 3}
    )
    assert all(t.abandonment == pytest.approx(0.2, abs=0.002) for t in bank.contact_types.values())
    cells = 5 * 34 + 14 + 8
    assert len(bank.demand) == cells
    usual = int(bank.counts.profile["days"].sum())
    mean = bank.demand[list(shares)].sum(axis=1).mean()
    assert abs(mean - 10.0) < 4 * math.sqrt(10.0 / usual)
    written = cal.write_bank(bank, tmp_path / "out")
    assert len(written) == 8
    profile = cal.write_counts(bank.counts, tmp_path / "out" / "counts.csv").read_text()
    assert profile.startswith("weekday,start,contacts,standard_error,days\nsun,07:00,")


def test_two_layouts_of_counts_are_one(tmp_path):
    wide = tmp_path / "wide.csv"
    wide.write_text("date,09:00,09:15,09:30\n2025-03-03,4,5,6\n2025-03-04,7,8.5,9\n")
    long = tmp_path / "long.csv"
    long.write_text(
        "rownames,DateTime,Calls\n1,2025-03-03T09:00:00Z,4\n2,2025-03-03T09:15:00Z,5\n"
        "3,2025-03-03T09:30:00Z,6\n"
    )
    one, read = cal.read_counts(wide)
    other, _ = cal.read_counts(long)
    pd.testing.assert_frame_equal(one, other, check_freq=False, check_index_type=False)
    assert read.contacts == 39.5
    assert read.remarks == (
        "2025-03-04 dropped: 1 counts are not whole, so the day was interpolated",
    )
    half_hours, remarks = cal.sum_to(one)
    assert half_hours["count"].to_dict() == {pd.Timestamp("2025-03-03 09:00"): 9.0}
    assert "09:30" in remarks[0]
    assert "6 of 15 contacts" in remarks[0]


# --- what a user may hand over by mistake -------------------------------------------------------


def test_a_per_call_file_that_is_another_file(tmp_path):
    wrong = tmp_path / "counts.csv"
    wrong.write_text("rownames,DateTime,Calls\n1,2025-03-03T09:00:00Z,4\n")
    with pytest.raises(CcsimError, match=r"counts.csv: not a per-call file.*came: rownames,Date"):
        cal.read_calls(wrong)
    few = write_calls(tmp_path / "few.tsv.gz", [row()], [n for n in HEADER if n != "q_time"])
    with pytest.raises(CcsimError, match=r"no column 'q_time'; came: vru\+line.*expected: cust"):
        cal.read_calls(few)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"vru_time": "ten"}, r":3: vru_time: 'ten' is not a number"),
        ({"vru_time": ""}, r":3: vru_time: '' is not a number"),
        ({"vru_entry": "29:00:00"}, r":3: vru_entry: '29:00:00' is not a time of day"),
        ({"date": "02/01/99"}, r":3: date: '02/01/99' is not a day"),
        ({"outcome": "LOST"}, r":3: outcome: 'LOST' is not one of AGENT, HANG, PHANTOM"),
        ({"type": "XX"}, r":3: type: 'XX' is not one of"),
        ({"q_time": "-4"}, r":3: q_time is below zero"),
    ],
)
def test_a_bad_cell_is_named_with_its_line(tmp_path, cells, says):
    with pytest.raises(CcsimError, match=says):
        cal.read_calls(write_calls(tmp_path / "c.tsv.gz", [row(), row(**cells)]))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", r"columns a, b came; expected: date and one column per interval"),
        ("date,total\n2025-03-03,5\n", r"column 'total' came, expected: date, then one column"),
        ("date,09:00,09:10\n2025-03-03,5,many\n", r":2: 09:10: 'many' is not a number"),
        ("date,09:00,09:10\nMonday,5,6\n", r":2: date: 'Monday' is not a day"),
        ("date,09:00,09:10\n2025-03-03,5,-6\n", r"count at 2025-03-03 09:10 is below zero"),
        ("date,09:00,09:10\n2025-03-03,1,2\n2025-03-03,1,2\n", r"09:00 stands there twice"),
        ("date,09:00,09:07\n2025-03-03,1,2\n", r"one length that divides a day"),
        ("DateTime,Calls\nsoon,4\n", r":2: DateTime: 'soon' is not a time"),
        ("DateTime,Calls\n2025-03-03T09:00:00+02:00,4\n", r"offset from UTC"),
        ("DateTime,Calls\n", r"a header and no counts"),
        ("", r"the file is empty"),
    ],
)
def test_a_bad_file_of_counts_says_what_came(tmp_path, text, says):
    path = tmp_path / "counts.csv"
    path.write_text(text)
    with pytest.raises(CcsimError, match=says):
        cal.read_counts(path)


def test_files_that_are_no_tables(tmp_path):
    broken = tmp_path / "calls.tsv.gz"
    broken.write_bytes(b"not gzip at all")
    with pytest.raises(CcsimError, match="not a readable text table"):
        cal.read_calls(broken)
    cut = tmp_path / "cut.csv.gz"
    whole = gzip.compress(b"date,09:00,09:30\n" + b"2025-03-03,5,6\n" * 500)
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CcsimError, match="not a readable text table"):
        cal.read_counts(cut)
    binary = tmp_path / "counts.csv"
    binary.write_bytes(bytes(range(128, 256)) * 10)
    with pytest.raises(CcsimError, match="not a readable text table"):
        cal.read_counts(binary)
    with pytest.raises(CcsimError, match="no such file"):
        cal.read_counts(tmp_path / "nowhere.csv")


def test_calls_too_few_to_calibrate_from(tmp_path):
    counts = tmp_path / "counts.csv"
    days = pd.date_range("2025-01-05", periods=84)
    counts.write_text(
        "date,09:00,09:30\n" + "".join(f"{day:%Y-%m-%d},{day.day % 5 + 5},6\n" for day in days)
    )
    calls = write_calls(tmp_path / "calls.tsv.gz", [row(), row(q_time="5")])
    with pytest.raises(CcsimError, match=r"calls.tsv.gz: too little history"):
        cal.calibrate_bank(calls, counts)


def test_a_history_too_short_for_a_forecast(tmp_path):
    path = tmp_path / "short.csv"
    path.write_text("date,09:00,09:30\n" + "".join(f"2025-03-{d:02},5,6\n" for d in range(3, 17)))
    with pytest.raises(CcsimError, match="needs a longer history"):
        cal.calibrate_counts(path)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cal.forecast_error([1, 2], [1, 2]), "three or more"),
        (lambda: cal.forecast_error([1, 2, 3], [1, 0, 1]), "above 0"),
        (lambda: cal.forecast_error([1, 2, 3], [1, 2]), "differ in shape"),
        (lambda: cal.patience_kaplan_meier([1, -2], [True, True]), "0 or more"),
        (lambda: cal.patience_kaplan_meier([5, 6, 0], [True, False, True]), "1 calls gave up"),
        (lambda: cal.talk_time_fit([0.0, 5.0]), "above 0"),
        (lambda: cal.talk_time_fit([]), "one call or more"),
        (lambda: cal.talk_day_factor([1, 1], [5, 6]), "two days"),
        (lambda: cal.patience_from_cells([1, 1], [5, 6], [1, 0]), "three are needed"),
    ],
)
def test_pure_fits_refuse_what_they_cannot_fit(call, says):
    with pytest.raises(ValueError, match=says):
        call()
