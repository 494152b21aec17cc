"""The calendar against pandas, which reads the same time zones another way.

Where clocks skip anything but an hour, pandas shifts forward to a moment that is not that of the
change (version 3.1); there the definition is held: a second before, the clock shows less.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ccsim.scenario.calendar import lay_grid, moment_of
from ccsim.scenario.model import Horizon

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
CHANGES = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("Europe/Dublin", "2026-10-25"),  # winter is what is saved there
    ("America/Havana", "2026-03-08"),  # midnight is skipped
    ("America/Havana", "2026-11-01"),  # midnight comes twice
    ("Africa/Cairo", "2026-04-24"),  # as in Cairo
    ("Asia/Beirut", "2026-03-29"),
    ("America/Asuncion", "2023-10-01"),
    ("Australia/Lord_Howe", "2026-10-04"),  # half an hour
    ("Africa/Casablanca", "2026-02-15"),
    ("Antarctica/Troll", "2026-03-29"),  # two hours
    ("Asia/Manila", "2026-06-01"),
]
"""Where clocks change, or never do."""


def by_pandas(horizon: Horizon, time_zone: str) -> dict[str, Any]:
    midnights = pd.date_range(horizon.start, periods=horizon.days + 1, freq="D").tz_localize(
        time_zone, nonexistent="shift_forward", ambiguous=True
    )
    step = pd.Timedelta(microseconds=horizon.interval_us)
    local = pd.date_range(midnights[0], midnights[-1], freq=step, inclusive="left")
    microsecond = pd.Timedelta(microseconds=1)
    day_starts = np.array([(m - midnights[0]) // microsecond for m in midnights], dtype=np.int64)
    starts = np.arange(len(local), dtype=np.int64) * horizon.interval_us
    return {
        "time_zone": time_zone,
        "start_utc": midnights[0].tz_convert("UTC").isoformat(),
        "interval_us": horizon.interval_us,
        "day_starts": day_starts,
        "day": np.searchsorted(day_starts, starts, side="right").astype(np.int64) - 1,
        "weekday": local.day_of_week.to_numpy(dtype=np.int64),
        "minute": (local.hour * 60 + local.minute).to_numpy(dtype=np.int64),
        "dates": tuple(m.date().isoformat() for m in midnights[:-1]),
    }


def assert_same(time_zone: str, start: date, days: int, interval: str) -> None:
    horizon = Horizon(start=start.isoformat(), days=days, interval=interval)
    grid = lay_grid(horizon, time_zone)
    for name, expected in by_pandas(horizon, time_zone).items():
        found = getattr(grid, name)
        if isinstance(expected, np.ndarray):
            assert found.dtype == expected.dtype
            assert (found == expected).all(), (name, time_zone, start)
            assert found.shape == expected.shape
        else:
            assert found == expected, (name, time_zone, start)


@pytest.mark.parametrize("interval", ["15 min", "30 min", "60 min"])
@pytest.mark.parametrize(("time_zone", "day"), CHANGES)
def test_grids_are_those_of_pandas_where_clocks_change(
    time_zone: str, day: str, interval: str
) -> None:
    first = date.fromisoformat(day)
    for before in (0, 1, 3):
        assert_same(time_zone, first - timedelta(days=before), 5, interval)


@given(
    st.sampled_from(ZONES),
    st.dates(date(1975, 1, 1), date(2090, 12, 31)),
    st.integers(1, 20),
    st.sampled_from(["15 min", "30 min", "60 min"]),
)
@settings(deadline=None, max_examples=150)
def test_grids_are_those_of_pandas(time_zone: str, start: date, days: int, interval: str) -> None:
    assert_same(time_zone, start, days, interval)


def test_every_zone_for_a_year() -> None:
    for time_zone in ZONES[::7]:
        assert_same(time_zone, date(2026, 1, 1), 366, "60 min")


@given(st.sampled_from(ZONES), st.datetimes(datetime(1975, 1, 1), datetime(2090, 12, 31)))
@example("Europe/Berlin", datetime(2026, 3, 29, 2, 30))
@example("America/Havana", datetime(2026, 3, 8, 0, 0))
@example("Pacific/Apia", datetime(2011, 12, 30, 12, 0))
@settings(deadline=None, max_examples=300)
def test_moments_are_those_of_pandas(time_zone: str, shown: datetime) -> None:
    assert_moment(
        moment_of(shown.replace(second=0, microsecond=0), ZoneInfo(time_zone)),
        shown.replace(second=0, microsecond=0),
        time_zone,
    )


def assert_moment(moment: datetime, shown: datetime, time_zone: str) -> None:
    zone = ZoneInfo(time_zone)
    clock = moment.astimezone(zone).replace(tzinfo=None)
    second_before = (moment - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert second_before < shown <= clock
    if clock in (shown, shown.replace(minute=0) + timedelta(hours=1)):
        expected = pd.Timestamp(shown).tz_localize(
            time_zone, nonexistent="shift_forward", ambiguous=True
        )
        skipped = (clock - second_before) - timedelta(seconds=1)
        if skipped in (timedelta(0), timedelta(hours=1)):
            assert moment == expected.tz_convert("UTC").to_pydatetime()


def test_skipped_times_are_the_moment_of_the_change() -> None:
    """A day that never was, a quarter of an hour, half an hour, two hours."""
    for time_zone, shown, utc in (
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00"),
        ("Asia/Kathmandu", "1986-01-01 00:10", "1985-12-31 18:30"),
        ("Australia/Lord_Howe", "2026-10-04 02:10", "2026-10-03 15:30"),
        ("Antarctica/Troll", "2026-03-29 02:30", "2026-03-29 01:00"),
    ):
        found = moment_of(datetime.fromisoformat(shown), ZoneInfo(time_zone))
        assert found == datetime.fromisoformat(f"{utc}+00:00")
        assert_moment(found, datetime.fromisoformat(shown), time_zone)


@given(st.sampled_from(CHANGES), st.integers(-2, 3), st.integers(0, 1440))
@settings(deadline=None, max_examples=200)
def test_instants_are_those_of_pandas(change: tuple[str, str], day: int, minute: int) -> None:
    time_zone, first = change
    grid = lay_grid(Horizon(start=first, days=2), time_zone)
    moment = datetime.fromisoformat(grid.start_utc) + timedelta(
        microseconds=grid.instant(day, minute)
    )
    shown = datetime.fromisoformat(grid.dates[0]) + timedelta(days=day, minutes=minute)
    assert_moment(moment, shown, time_zone)
