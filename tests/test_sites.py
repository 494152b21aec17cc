"""Sites in several time zones: shifts start by the clocks there, and nothing else does."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from ccsim.demand.model import compile_demand
from ccsim.errors import PlanError
from ccsim.plans import (
    PlacedBreak,
    PlacedShift,
    StaffingPlan,
    read_plan,
    write_plan_csv,
    write_plan_excel,
)
from ccsim.results.meaning import meaning
from ccsim.scenario import resolved_yaml
from ccsim.scenario.calendar import HOUR_US
from ccsim.scenario.case import Case, case_from
from ccsim.scenario.checks import check, remarks
from ccsim.scenario.model import Scenario
from ccsim.staffing import required, schedule_shifts
from ccsim.staffing.shift_rules import shift_rules

MINUTE = HOUR_US // 60
DAY = {"starts": "06:00-16:00 every 60 min", "length": "8 h", "days": "mon-fri"}
ZONES = [
    *("Europe/Berlin", "Asia/Manila", "Asia/Kathmandu", "America/New_York", "America/Havana"),
    *("Australia/Lord_Howe", "Africa/Cairo", "Africa/Casablanca", "Pacific/Auckland", "UTC"),
]
DAYS = [date(2026, 3, 6), date(2026, 3, 27), date(2026, 4, 3), date(2026, 4, 23), date(2026, 9, 25),
        date(2026, 10, 2), date(2026, 10, 23), date(2026, 10, 30), date(2026, 6, 1)]  # fmt: skip
"""First days of horizons in which clocks change in one zone or another, and in none."""


def two_sites(
    away: str | None, home: str = "Europe/Berlin", start: date = date(2026, 10, 23), days: int = 5,
    shift: dict[str, Any] | None = None, begins: str = "cyclic",
) -> Case:  # fmt: skip
    group = {"skills": {"call": {}}, "rate_card": "own", "shifts": ["day"]}
    return case_from(
        Scenario.model_validate(
            {
                "version": 1,
                "name": "Two sites",
                "currency": "EUR",
                "time_zone": home,
                "horizon": {"start": start.isoformat(), "days": days, "begins": begins},
                "contact_types": {
                    "call": {
                        "demand": {"rate": "30 calls/h"},
                        "talk_time": "3 min",
                        "targets": ["80% answered within 20 s, over the horizon"],
                    },
                },
                "agent_groups": {"home": group, "away": {**group, "time_zone": away}},
                "shifts": {"day": shift or DAY},
                "rate_cards": {"own": {"paid_hour": "20 EUR"}},
            }
        )
    )


def starts_of(case: Case, group: str) -> list[int]:
    rules = shift_rules(case)
    return sorted(one.start * rules.slot for one in rules.shifts if one.group == group)


def local(case: Case, instant: int, zone: str) -> datetime:
    utc = datetime.fromisoformat(case.grid.start_utc) + timedelta(microseconds=instant)
    return utc.astimezone(ZoneInfo(zone))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("start", DAYS)
def test_shifts_start_when_the_clocks_there_say_so(zone: str, start: date) -> None:
    """Every instant of the horizon, five minutes by five, looked at by the clock of the site."""
    case = two_sites(zone, start=start)
    seen = [
        instant
        for instant in range(0, case.grid.end, 5 * MINUTE)
        for there in [local(case, instant, zone)]
        if there.weekday() < 5 and there.minute == 0 and 6 <= there.hour <= 16
    ]
    assert starts_of(case, "away") == seen
    at_home = [local(case, instant, "Europe/Berlin") for instant in starts_of(case, "home")]
    assert {there.hour for there in at_home} <= set(range(6, 17))


def test_a_skipped_start_is_the_moment_clocks_go_forward_there() -> None:
    """02:30 in New York on 8 March 2026 is when 02:00 becomes 03:00: 08:00 in Berlin."""
    shift = {"starts": ["02:30"], "length": "8 h"}
    case = two_sites("America/New_York", start=date(2026, 3, 7), days=3, shift=shift)
    starts = [local(case, at, "UTC").strftime("%d %H:%M") for at in starts_of(case, "away")]
    assert starts == ["07 07:30", "08 07:00", "09 06:30"]


def test_it_is_as_if_the_same_instants_were_written_at_home() -> None:
    """In June 08:00 in Manila is 02:00 in Berlin: the same rules, and so the same arrays."""
    starts = {"starts": ["08:00", "09:30"], "length": "8 h"}
    moved = {"starts": ["02:00", "03:30"], "length": "8 h"}
    there = shift_rules(two_sites("Asia/Manila", start=date(2026, 6, 1), shift=starts))
    here = shift_rules(two_sites(None, start=date(2026, 6, 1), shift=moved))
    chosen = [
        [
            (one.shift, one.start, one.cost, one.breaks)
            for one in rules.shifts
            if one.group == "away"
        ]
        for rules in (there, here)
    ]
    assert chosen[0] == chosen[1] != []


def test_the_scenarios_own_zone_is_no_other() -> None:
    same, none = two_sites("Europe/Berlin"), two_sites(None)
    assert shift_rules(same).shifts == shift_rules(none).shifts
    assert '"time_zone":null' in none.scenario.model_dump_json()
    plan = StaffingPlan((PlacedShift("away", 30 * HOUR_US, "day", 8 * HOUR_US),))
    with TemporaryDirectory() as folder:
        for case in (same, none):
            (path,) = write_plan_csv(plan, case, folder)
            assert path.read_text().splitlines() == [
                "group,shift,date,start,end,agents",
                "away,day,2026-10-24,06:00,14:00,1",
            ]


@st.composite
def shifts(draw: st.DrawFn, case: Case) -> PlacedShift:
    start = draw(st.integers(0, case.grid.end // MINUTE - 1))
    length = draw(st.integers(1, 24 * 60) | st.sampled_from([480, 23 * 60 + 30, 24 * 60]))
    cuts = draw(st.lists(st.integers(0, length), max_size=4, unique=True).map(sorted))
    breaks = tuple(
        PlacedBreak((start + a) * MINUTE, (b - a) * MINUTE, draw(st.booleans()))
        for a, b in zip(cuts[::2], cuts[1::2], strict=False)
    )
    group = draw(st.sampled_from(["home", "away"]))
    return PlacedShift(group, start * MINUTE, "day", length * MINUTE, breaks, 1)


@given(st.data(), st.sampled_from(ZONES), st.sampled_from(ZONES), st.sampled_from(DAYS))
@settings(deadline=None, max_examples=80)
def test_plans_come_back_from_files_whatever_the_clocks_do(
    data: st.DataObject, home: str, away: str, start: date
) -> None:
    case = two_sites(away, home, start)
    drawn = data.draw(st.lists(shifts(case), min_size=1, max_size=6, unique_by=lambda s: s.start))
    plan = StaffingPlan(tuple(sorted(drawn)))
    with TemporaryDirectory() as folder:
        write_plan_csv(plan, case, folder)
        assert read_plan(folder, case) == plan
        rows = list(csv.DictReader((Path(folder) / "schedule.csv").read_text().splitlines()))
    assert ("time_zone" in rows[0]) == (home != away)
    for row, shift in zip(rows, sorted(plan.schedule), strict=True):
        zone = away if row["group"] == "away" else home
        assert row.get("time_zone", zone) == zone
        there = local(case, shift.start, zone)
        assert (row["date"], row["start"][:5]) == (f"{there:%Y-%m-%d}", f"{there:%H:%M}")


def written(folder: Path, *rows: str, header: str = "") -> Path:
    path = folder / "schedule.csv"
    path.write_text("\n".join([header or "group,shift,date,start,end,agents,time_zone", *rows]))
    return path


def test_a_file_says_in_which_zone_and_another_is_refused(tmp_path: Path) -> None:
    case = two_sites("Asia/Manila")
    path = written(
        tmp_path,
        "away,day,2026-10-26,07:00,15:00,2,Asia/Manila",
        "away,day,2026-10-26,07:00,15:00,2,",
        "home,day,2026-10-26,07:00,15:00,1,Europe/Berlin",
    )
    first, second = read_plan(path, case).schedule
    assert (first.group, first.agents, second.group) == ("away", 4, "home")
    assert local(case, first.start, "UTC") == datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert local(case, second.start, "UTC") == datetime(2026, 10, 26, 6, tzinfo=UTC)
    written(tmp_path, "away,day,2026-10-26,07:00,15:00,2,Europe/Berlin")
    with pytest.raises(
        PlanError, match=r"'Europe/Berlin' is not where away works in this .*Manila"
    ):
        read_plan(path, case)


def test_the_horizon_of_a_site_has_days_of_its_own(tmp_path: Path) -> None:
    """Friday 00:00 to Wednesday 00:00 in Berlin is Friday 06:00 to Wednesday 07:00 in Manila."""
    case = two_sites("Asia/Manila")
    path = written(tmp_path, "away,day,2026-10-28,06:30,15:00,2,Asia/Manila")
    assert local(case, read_plan(path, case).schedule[0].start, "Asia/Manila").day == 28
    for row, says in (
        ("away,day,2026-10-28,07:30,15:00,2,", "from 2026-10-23 06:00 to 2026-10-28 07:00"),
        ("away,day,2026-10-23,05:30,15:00,2,", "outside the horizon, by the clocks of Asia/Manila"),
        ("away,day,2026-10-29,06:30,15:00,2,", "write 2026-10-23 to 2026-10-28"),
        ("home,day,2026-10-28,06:30,15:00,2,", "write 2026-10-23 to 2026-10-27"),
    ):
        written(tmp_path, row)
        with pytest.raises(PlanError, match=says):
            read_plan(path, case)


def test_the_workbook_reads_back_and_says_whose_clocks_are_meant(tmp_path: Path) -> None:
    case = two_sites("America/New_York")
    plan = StaffingPlan(
        tuple(
            PlacedShift(group, hour * HOUR_US, "day", 8 * HOUR_US, (), 2)
            for group in ("away", "home")
            for hour in (8, 30, 55)
        )
    )
    path = tmp_path / "plan.xlsx"
    write_plan_excel(plan, case, path)
    assert read_plan(path, case) == plan
    (text,) = [
        "\n".join(str(row[0]) for row in book.get_sheet_by_name("read me").to_python())
        for book in [CalamineWorkbook.from_path(path)]
    ]
    assert "of away America/New_York" in text
    assert "All other times are those of Europe/Berlin" in text


def test_plans_put_a_site_to_work_by_its_own_clocks() -> None:
    """Whoever is away works her day while it is night at home."""
    shift = {**DAY, "days": "mon-sun"}
    case = two_sites("Asia/Manila", start=date(2026, 6, 1), shift=shift)
    plan = schedule_shifts(case, required(case, compile_demand(case)), gap=0.01).plan
    assert {shift.group for shift in plan.schedule} == {"home", "away"}
    for shift in plan.schedule:
        there = local(case, shift.start, case.scenario.zone_of(shift.group))
        assert 6 <= there.hour <= 16


def test_show_says_what_the_clocks_there_are_here() -> None:
    case = two_sites("Asia/Manila")
    text = "\n".join(meaning(case, compile_demand(case))["Staff: what is left of paid time"])
    assert (
        "shifts start by the clocks of Asia/Manila: 06:00 there is 00:00 by Europe/Berlin, "
        "23:00 by Europe/Berlin from Mon 2026-10-26"
    ) in text
    assert text.count("shifts start by the clocks") == 1
    assert "time_zone: Asia/Manila" in resolved_yaml(case)


def test_zones_that_do_not_exist_are_named_and_those_without_shifts_remarked() -> None:
    (problem,) = check(two_sites("Manila").scenario)
    assert "agent_groups.away.time_zone: no time zone 'Manila'; did you mean 'Asia/Manila'?" in str(
        problem
    )
    without = two_sites("Asia/Manila").scenario.model_dump(mode="json")
    without["agent_groups"]["away"]["shifts"] = []
    said = remarks(Scenario.model_validate(without))
    assert "away: time_zone says when its shifts start, and it has none" in said
