"""A schedule written to CSV and Excel comes back as it was; what an editor breaks is named."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from ccsim.errors import PlanError
from ccsim.plans import (
    PlacedBreak,
    PlacedShift,
    StaffingPlan,
    read_plan,
    scheduled_agents,
    write_plan_csv,
    write_plan_excel,
)
from ccsim.plans.files import merged
from ccsim.scenario.calendar import HOUR_US
from ccsim.scenario.case import Case, case_from
from ccsim.scenario.model import Scenario

MINUTE = HOUR_US // 60
COLUMNS = ("group", "shift", "date", "start", "end", "agents", "break_1", "break_2")
CELLS = ("desk", "early", "2026-09-06", "07:00", "15:00", "4", "10:00-10:15 paid", "12:00-12:30")


def case_of(
    start: str, zone: str = "UTC", days: int = 7, begins: str = "cyclic", interval: str = "30 min"
) -> Case:
    group = {"skills": {"call": {}}, "rate_card": "in_house"}
    return case_from(
        Scenario.model_validate(
            {
                "version": 1,
                "name": "Plans on paper",
                "currency": "EUR",
                "time_zone": zone,
                "horizon": {"start": start, "days": days, "begins": begins, "interval": interval},
                "contact_types": {
                    "call": {"demand": {"rate": "10 calls/h"}, "talk_time": "3 min"},
                },
                "agent_groups": {"desk": group, "night_desk": group, "partner": group},
                "rate_cards": {"in_house": {"paid_hour": "20 EUR"}},
            }
        )
    )


PLAIN = case_of("2026-09-06")
SPRING = case_of("2026-03-26", "Europe/Berlin")  # Sunday 29 March: 02:00 becomes 03:00
AUTUMN = case_of("2026-10-22", "Europe/Berlin")  # Sunday 25 October: 03:00 becomes 02:00
CASES = {
    "no clock changes": PLAIN,
    "Berlin in spring": SPRING,
    "Berlin in autumn": AUTUMN,
    "Jerusalem, clocks forward on a Friday": case_of("2026-03-26", "Asia/Jerusalem", 3),
    "Cairo, where midnight is skipped": case_of("2026-04-23", "Africa/Cairo", 3),
    "Cairo, starting in the skipped hour": case_of("2026-04-24", "Africa/Cairo", 2),
    "Havana, where midnight comes twice": case_of("2026-10-31", "America/Havana", 3),
    "Lord Howe, by half an hour": case_of("2026-04-03", "Australia/Lord_Howe", 3),
}


def placed(
    start_hour: float, hours: float, *breaks: tuple[float, float, bool], agents: int = 1
) -> PlacedShift:
    pauses = tuple(
        PlacedBreak(round(at * HOUR_US), round(length * HOUR_US), paid)
        for at, length, paid in breaks
    )
    start, length = round(start_hour * HOUR_US), round(hours * HOUR_US)
    return PlacedShift("desk", start, "early", length, pauses, agents)


def written_by_hand(folder: Path, *rows: str, header: str = "", name: str = "schedule.csv") -> Path:
    header = header or ",".join(COLUMNS)
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def problems_of(path: Path, case: Case = PLAIN) -> list[str]:
    with pytest.raises(PlanError) as caught:
        read_plan(path, case)
    return str(caught.value).splitlines()


@st.composite
def shifts(draw: st.DrawFn, case: Case) -> PlacedShift:
    start = draw(st.integers(0, case.grid.end // MINUTE - 1))
    length = draw(st.integers(1, 24 * 60) | st.sampled_from([480, 23 * 60 + 30, 24 * 60]))
    cuts = draw(st.lists(st.integers(0, length), max_size=6, unique=True).map(sorted))
    breaks = tuple(
        PlacedBreak((start + a) * MINUTE, (b - a) * MINUTE, draw(st.booleans()))
        for a, b in zip(cuts[::2], cuts[1::2], strict=False)
    )
    return PlacedShift(
        group=draw(st.sampled_from(["desk", "night_desk"])),
        start=start * MINUTE,
        shift=draw(st.sampled_from(["early", "late", "invented_1"])),
        length=length * MINUTE,
        breaks=breaks,
        agents=draw(st.integers(0, 40)),
    )


@st.composite
def plans(draw: st.DrawFn, case: Case) -> StaffingPlan:
    schedule = draw(st.lists(shifts(case), max_size=8))
    counts = st.lists(
        st.integers(0, 500), min_size=case.grid.intervals, max_size=case.grid.intervals
    )
    partner = {"partner": tuple(draw(counts))} if draw(st.booleans()) else {}
    return StaffingPlan(tuple(schedule), partner)


@pytest.mark.parametrize("name", CASES)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_what_is_written_to_csv_is_read_back(name, data):
    case = CASES[name]
    plan = data.draw(plans(case))
    with TemporaryDirectory() as folder:
        write_plan_csv(plan, case, folder)
        back = read_plan(folder, case)
    assert back == StaffingPlan(merged(plan.schedule), plan.by_interval)


@pytest.mark.parametrize("name", CASES)
@settings(deadline=None, max_examples=5)
@given(data=st.data())
def test_what_is_written_to_excel_is_read_back(name, data):
    case = CASES[name]
    plan = data.draw(plans(case))
    with TemporaryDirectory() as folder:
        path = Path(folder, "plan.xlsx")
        write_plan_excel(plan, case, path)
        back = read_plan(path, case)
    assert back == StaffingPlan(merged(plan.schedule), plan.by_interval)


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_merging_keeps_every_agent_and_no_two_equal_rows(data):
    schedule = data.draw(st.lists(shifts(PLAIN), max_size=6))
    schedule += [replace(shift, agents=1) for shift in schedule]
    once = merged(schedule)
    alike = [replace(shift, agents=1) for shift in once]
    assert len(set(alike)) == len(alike)
    assert list(once) == sorted(once, key=lambda shift: replace(shift, agents=1))
    before, after = (
        scheduled_agents(StaffingPlan(tuple(each)), PLAIN.grid, cyclic=True)
        for each in (schedule, once)
    )
    for group in after:
        np.testing.assert_allclose(after[group], before[group], atol=1e-9)
    assert sum(shift.agents for shift in once) == sum(shift.agents for shift in schedule)


def test_golden_csv(tmp_path):
    schedule = (
        placed(7, 8.5, (9.25, 0.25, True), (12, 0.5, False), agents=12),
        replace(
            placed(22, 8, (24 + 1.75, 0.5, False), agents=3), group="night_desk", shift="night"
        ),
        placed(6 * 24 + 20, 8, agents=2),  # over the end of the week
    )
    files = write_plan_csv(StaffingPlan(schedule), PLAIN, tmp_path)
    assert files == (tmp_path / "schedule.csv",)
    assert files[0].read_bytes().decode() == (
        "group,shift,date,start,end,agents,break_1,break_2\n"
        "desk,early,2026-09-06,07:00,15:30,12,09:15-09:30 paid,12:00-12:30\n"
        "desk,early,2026-09-12,20:00,04:00,2,,\n"
        "night_desk,night,2026-09-06,22:00,06:00,3,01:45-02:15,\n"
    )


def test_golden_staffing_of_the_night_with_one_hour_twice(tmp_path):
    case = case_of("2026-10-25", "Europe/Berlin", days=1, interval="60 min")
    plan = StaffingPlan(by_interval={"partner": tuple(range(25))})
    files = write_plan_csv(plan, case, tmp_path)
    assert [path.name for path in files] == ["schedule.csv", "staffing.csv"]
    assert files[1].read_text().splitlines()[:6] == [
        "date,start,partner",
        "2026-10-25,00:00,0",
        "2026-10-25,01:00,1",
        "2026-10-25,02:00,2",
        "2026-10-25,02:00B,3",
        "2026-10-25,03:00,4",
    ]


def test_marks_stand_only_where_a_bare_time_would_be_another(tmp_path):
    saturday_noon = 2 * 24 + 12
    spring = StaffingPlan((placed(saturday_noon, 23.5), placed(saturday_noon + 10, 7)))
    autumn = StaffingPlan((placed(3 * 24 + 3.5, 8), placed(3 * 24 - 2, 9, (75, 0.5, True))))
    ends = []
    for plan, case in ((spring, SPRING), (autumn, AUTUMN)):
        (path,) = write_plan_csv(plan, case, tmp_path)
        ends += [line.split(",", 3)[3] for line in path.read_text().splitlines()[1:]]
    assert ends == [
        "12:00,12:30+1,1",
        "22:00,06:00,1",
        "22:00,06:00,1,02:00B-02:30B paid",
        "02:30B,10:30,1,",
    ]


@pytest.mark.parametrize(
    ("case", "day", "start", "end", "hours"),
    [
        (PLAIN, "2026-09-06", "22:00", "06:00", 8),
        (PLAIN, "2026-09-06", "07:00", "07:00", 24),
        (PLAIN, "2026-09-06", "16:00", "24:00", 8),
        (PLAIN, "2026-09-06", "16:00", "00:00+1", 8),
        (SPRING, "2026-03-28", "22:00", "06:00", 7),  # the night of 23 hours
        (SPRING, "2026-03-28", "12:00", "12:30", 0.5),
        (SPRING, "2026-03-28", "12:00", "12:30+1", 23.5),
        (SPRING, "2026-03-29", "00:00", "03:00", 2),
        (AUTUMN, "2026-10-24", "22:00", "06:00", 9),  # the night of 25 hours
        (AUTUMN, "2026-10-25", "02:30", "03:00", 1.5),
        (AUTUMN, "2026-10-25", "02:30A", "03:00", 1.5),
        (AUTUMN, "2026-10-25", "02:30B", "03:00", 0.5),
        (AUTUMN, "2026-10-25", "02:30", "02:30B", 1),
        (AUTUMN, "2026-10-25", "02:45", "02:30", 0.75),  # the next 02:30 is the second
        (AUTUMN, "2026-10-24", "20:00", "02:30b", 7.5),
    ],
)
def test_a_shift_lasts_until_the_clock_next_shows_its_end(case, day, start, end, hours, tmp_path):
    path = written_by_hand(tmp_path, f"desk,early,{day},{start},{end},4,,")
    (shift,) = read_plan(path, case).schedule
    assert shift.length == hours * HOUR_US
    # pandas, not us, says when the shift starts; A or nothing is the first of two.
    local = pd.Timestamp(f"{day} {start[:5]}").tz_localize(
        case.grid.time_zone, ambiguous="B" not in start
    )
    since = local - pd.Timestamp(case.grid.start_utc)
    assert shift.start == since // pd.Timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("group", "dek", "no agent group 'dek'; did you mean 'desk'?"),
        ("group", "", "no agent group ''; "),
        ("shift", "=1+1", "'=1+1' is not a name: write a letter"),
        ("date", "2026-09-13", "is outside the horizon; write 2026-09-06 to 2026-09-12"),
        ("date", "6.9.2026", "'6.9.2026' is not a day"),
        ("start", "7h", "'7h' is not a clock time; write 07:30"),
        ("start", "24:00", "'24:00' is not a start; write the date"),
        ("start", "07:00+1", "'07:00+1' is not a start"),
        ("end", "25:00", "'25:00' is not a clock time"),
        ("end", "", "'' is not a clock time"),
        ("end", "15:00+1", "'15:00+1' makes a shift of 32 h; at most 24 h, so write two shifts"),
        ("end", "06:00+0", "'06:00+0' does not lie after the start"),
        ("end", "15:00B", "15:00 comes only once on 2026-09-0"),
        ("agents", "2.5", "'2.5' is not a number of agents; write 0, 1"),
        ("agents", "-1", "'-1' is not a number of agents"),
        ("agents", "", "'' is not a number of agents"),
        ("agents", "1e9", "'1e9' is not a number of agents"),
        ("break_1", "lunch", "'lunch' is not a break; write 10:15-10:30"),
        ("break_1", "10:00-10:70", "'10:70' is not a clock time"),
        ("break_2", "14:45-15:15", "'14:45-15:15' does not lie inside the shift, 07:00-15:00"),
        ("break_2", "06:00-06:30", "'06:00-06:30' does not lie inside the shift"),
        ("break_2", "12:30-12:30", "'12:30-12:30' does not lie inside the shift"),
        ("break_2", "09:00-09:15", "'09:00-09:15' begins before the break before it ends; sort"),
        ("break_2", "10:10-10:20", "'10:10-10:20' begins before the break before it ends"),
    ],
)
def test_a_wrong_cell_is_named_with_row_and_column(column, cell, says, tmp_path):
    wrong = [cell if name == column else right for name, right in zip(COLUMNS, CELLS, strict=True)]
    path = written_by_hand(tmp_path, ",".join(CELLS), "", ",".join(wrong))
    (problem,) = problems_of(path)
    assert problem.startswith(f"{path}:4: {column}: ")
    assert says in problem


def test_a_cell_below_no_header_is_named(tmp_path):
    path = written_by_hand(tmp_path, ",".join([*CELLS, "ask Jane"]))
    assert problems_of(path) == [
        f"{path}:2: a cell below no header; remarks go into a column 'note'"
    ]


@pytest.mark.parametrize(
    ("start", "end", "pause", "column", "says"),
    [
        ("02:30", "10:00", "", "start", "02:30 does not exist on 2026-03-29: clocks go forward; "),
        ("01:00", "02:30", "", "end", "that moment is called 03:30"),
        ("00:00", "08:00", "02:00-02:15", "break_1", "02:00 does not exist on 2026-03-29"),
        ("00:00", "08:00", "01:45-02:15", "break_1", "02:15 does not exist on 2026-03-29"),
    ],
)
def test_the_hour_that_clocks_skip_is_refused(start, end, pause, column, says, tmp_path):
    path = written_by_hand(tmp_path, f"desk,early,2026-03-29,{start},{end},4,{pause},")
    (problem,) = problems_of(path, SPRING)
    assert problem.startswith(f"{path}:2: {column}: ")
    assert says in problem


def test_everything_wrong_is_said_at_once_with_the_rows_of_excel(tmp_path):
    path = tmp_path / "edited.xlsx"
    plan = StaffingPlan((placed(7, 8), placed(31, 8), placed(55, 8)))
    write_plan_excel(plan, PLAIN, path)
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("schedule").to_python()
    rows[1][0], rows[1][5] = "dsk", 1.5
    rows[3][2], rows[3][4] = "2027-01-01", "soon"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Schedule")
        for number, row in enumerate(rows):
            sheet.write_row(number + 2, 0, row)  # two blank rows above
    problems = problems_of(path)
    where = f"{path} (Schedule)"
    expected = ["4: group", "4: agents", "6: date", "6: end"]
    assert [
        line.removeprefix(f"{where}:").rsplit(": ", 1)[0][:9].strip(": ") for line in problems
    ] == [each[:9] for each in expected]


def test_many_problems_are_counted_not_all_shown(tmp_path):
    path = written_by_hand(tmp_path, *["nobody,early,2026-09-06,07:00,15:00,4,,"] * 50)
    problems = problems_of(path)
    assert len(problems) == 21
    assert problems[-1] == "and 30 more problems"


@pytest.mark.parametrize(
    ("header", "row", "says"),
    [
        (
            "group,shift,date,start,agents",
            "desk,early,2026-09-06,07:00,4",
            [":1: end: this column is missing; write group, shift, date, start, end, agents"],
        ),
        (
            "group,shift,date,start,end,agents,braek_1",
            "desk,early,2026-09-06,07:00,15:00,4,",
            [":1: braek_1: no such column; did you mean 'break_1'?; remarks go into 'note'"],
        ),
        (
            "group,shift,date,start,end,agents,agents",
            "desk,early,2026-09-06,07:00,15:00,4,5",
            [":1: agents: this column comes twice; rename one"],
        ),
    ],
)
def test_a_wrong_header_is_named(header, row, says, tmp_path):
    path = written_by_hand(tmp_path, row, header=header)
    assert problems_of(path) == [f"{path}{each}" for each in says]


def staffing_lines(case: Case) -> list[str]:
    labels = [label.split() for label in case.grid.labels]
    return [f"{day},{clock},3" for day, clock in labels]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[:-2], "2 intervals have no row, the first 2026-09-12 23:00; write 0"),
        (lambda lines: [*lines, lines[0]], ":338: start: 2026-09-06 00:00 stands twice, first in"),
        (lambda lines: ["2026-09-06,00:10,3", *lines], "'00:10' begins no interval; they are 30"),
        (lambda lines: [lines[0][:-1], *lines[1:]], ":2: partner: '' is not a number of agents"),
    ],
)
def test_wrong_staffing_is_named(change, says, tmp_path):
    lines = change(staffing_lines(PLAIN))
    path = written_by_hand(tmp_path, *lines, header="date,start,partner", name="staffing.csv")
    (problem,) = problems_of(path)
    assert says in problem


def test_a_group_has_shifts_or_intervals(tmp_path):
    written_by_hand(tmp_path, "desk,early,2026-09-06,07:00,15:00,4,,")
    written_by_hand(tmp_path, *staffing_lines(PLAIN), header="date,start,desk", name="staffing.csv")
    assert problems_of(tmp_path) == [
        f"{tmp_path}: desk: has both shifts and agents by interval; keep one"
    ]


def test_an_unknown_group_in_staffing_is_named(tmp_path):
    path = written_by_hand(
        tmp_path, *staffing_lines(PLAIN), header="date,start,partnr", name="anything.csv"
    )
    assert "partnr: no such column; did you mean 'partner'?" in problems_of(path)[0]


def test_an_invented_shift_is_allowed_and_equal_rows_add_up(tmp_path):
    row = "desk,saturday_extra,2026-09-12,11:00,13:00,4,,"
    (shift,) = read_plan(written_by_hand(tmp_path, row, row), PLAIN).schedule
    assert (shift.shift, shift.length, shift.agents) == ("saturday_extra", 2 * HOUR_US, 8)


def test_as_german_excel_saves_it(tmp_path):
    text = (
        "Group;Shift;Date;Start;End;Agents;Break_1;Note\r\n"
        "desk;early; 2026-09-06 ;7:00;15:00;4;10:00 – 10:15 Paid;für Jürgen\r\n"
        ";;;;;;;\r\n"
    )
    path = tmp_path / "dienstplan.csv"
    path.write_bytes(text.encode("cp1252"))
    assert read_plan(path, PLAIN).schedule == (placed(7, 8, (10, 0.25, True), agents=4),)


def test_dates_and_times_that_excel_made_of_text(tmp_path):
    path = tmp_path / "typed.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("schedule")
        sheet.write_row(0, 0, ["group", "shift", "date", "start", "end", "agents"])
        sheet.write_row(1, 0, ["desk", "early"])
        sheet.write_datetime(1, 2, date(2026, 9, 6), book.add_format({"num_format": "dd.mm.yyyy"}))
        sheet.write_datetime(1, 3, time(7, 30), book.add_format({"num_format": "hh:mm"}))
        sheet.write_datetime(1, 4, timedelta(days=1), book.add_format({"num_format": "[h]:mm"}))
        sheet.write(1, 5, 4)
    assert read_plan(path, PLAIN).schedule == (placed(7.5, 16.5, agents=4),)


@settings(deadline=None, max_examples=150)
@given(
    cells=st.lists(
        st.tuples(
            st.integers(0, 7),
            st.text(max_size=12)
            | st.text("0123456789:+-AB. paidT", max_size=14)
            | st.sampled_from(["٣", "1_0", "²", "inf", "nan", "9" * 9, "0:0", "2026-9-6", "24:00"]),
        ),
        max_size=4,
    )
)
def test_any_cell_gives_a_plan_or_a_planners_error(cells):
    row = list(CELLS)
    for column, text in cells:
        row[column] = text
    with TemporaryDirectory() as folder:
        path = Path(folder, "schedule.csv")
        with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
            csv.writer(file).writerows([COLUMNS, row])
        try:
            plan = read_plan(path, PLAIN)
        except PlanError as error:
            refused = str(error)
        else:
            refused = str(path)
            for shift in plan.schedule:
                assert 0 <= shift.start < PLAIN.grid.end
                assert 0 < shift.length <= 24 * HOUR_US
                assert sum(b - a for a, b in shift.on_the_floor) == shift.length - sum(
                    pause.length for pause in shift.breaks
                )
        assert refused.startswith(str(path))


@pytest.mark.parametrize(
    ("shift", "says"),
    [
        (placed(7, 24.5), "is longer than 24 h; make it two"),
        (placed(7, 0), "ends where it starts"),
        (placed(-1, 8), "starts outside the horizon"),
        (placed(7 * 24, 8), "starts outside the horizon"),
        (placed(7 + 1 / 3600, 8), "starts within a minute"),
        (placed(7, 8 + 1 / 3600), "has an end that does not fall on a whole minute"),
        (placed(7, 8, (10, 1 / 3600, False)), "has a break that does not fall on a whole minute"),
        (placed(7, 8, (6, 2, False)), "breaks outside it"),
        (placed(7, 8, (10, 0, False)), "breaks outside it, empty"),
        (placed(7, 8, (10, 1, False), (10.5, 1, False)), "out of order or overlapping"),
        (placed(7, 8, agents=-1), "has -1 agents"),
        (replace(placed(7, 8), shift="=HYPERLINK()"), "a name that no file can hold"),
        (replace(placed(7, 8), group="@desk"), "a name that no file can hold"),
    ],
)
def test_what_no_file_can_say_is_not_written(shift, says, tmp_path):
    folder = tmp_path / "out"
    with pytest.raises(PlanError, match="shift of") as caught:
        write_plan_csv(StaffingPlan((shift,)), PLAIN, folder)
    assert says in str(caught.value)
    assert not folder.exists()


def test_staffing_of_another_horizon_is_not_written(tmp_path):
    with pytest.raises(PlanError, match="'partner' 3 intervals"):
        write_plan_csv(StaffingPlan(by_interval={"partner": (1, 2, 3)}), PLAIN, tmp_path)


def test_an_old_staffing_file_does_not_join_a_new_plan(tmp_path):
    with_partner = StaffingPlan((placed(7, 8),), {"partner": (1,) * PLAIN.grid.intervals})
    write_plan_csv(with_partner, PLAIN, tmp_path)
    without = StaffingPlan((placed(8, 8),))
    write_plan_csv(without, PLAIN, tmp_path)
    assert read_plan(tmp_path, PLAIN) == without


EXTRA = {
    "costs": pd.DataFrame(
        {
            "line": ["=1+1", "https://example.org", "paid"],
            "amount": [1.5, np.nan, np.inf],
            "agents": np.array([1, 2, 3], dtype=np.int64),
            "day": [date(2026, 9, 6), None, datetime(2026, 9, 7, 7)],
            "began": pd.to_datetime(["2026-09-06", None, "2026-09-07"]),
        }
    )
}


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    """A workbook of the night with one hour twice."""
    case = case_of("2026-10-24", "Europe/Berlin", days=2)
    shift = placed(22, 9, (26.25, 0.25, True), agents=3)
    plan = StaffingPlan((shift,), {"partner": tuple(range(case.grid.intervals))})
    path = tmp_path_factory.mktemp("book") / "plan.xlsx"
    write_plan_excel(plan, case, path, EXTRA)
    return case, plan, path


def test_the_same_plan_gives_the_same_workbook(workbook, tmp_path):
    case, plan, path = workbook
    again = tmp_path / "again.xlsx"
    write_plan_excel(plan, case, again, EXTRA)
    assert again.read_bytes() == path.read_bytes()
    with ZipFile(path) as packed:  # nothing in it tells the time of day
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2000-01-01T00:00:00Z" in packed.read("docProps/core.xml")


def test_text_in_a_workbook_never_becomes_a_formula_or_a_link(workbook):
    with ZipFile(workbook[2]) as packed:
        sheets = [packed.read(name) for name in packed.namelist() if "worksheets/" in name]
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)
    assert any(b"autoFilter" in sheet and b'state="frozen"' in sheet for sheet in sheets)
    costs = CalamineWorkbook.from_path(str(workbook[2])).get_sheet_by_name("costs").to_python()
    assert costs[1] == ["=1+1", 1.5, 1, "2026-09-06", "2026-09-06 00:00:00"]
    assert costs[2] == ["https://example.org", "", 2, "", ""]
    assert costs[3][1] == "inf"


def test_the_coverage_sheet_shows_who_is_scheduled(workbook):
    case, plan, path = workbook
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("coverage").to_python()
    titles = [number for number, row in enumerate(rows) if str(row[0]).endswith("breaks off")]
    expected = scheduled_agents(plan, case.grid, cyclic=True)
    assert [str(rows[at][0]).partition(":")[0] for at in titles] == list(expected)
    for at, agents in zip(titles, expected.values(), strict=True):
        header = rows[at + 1]
        assert header[5:9] == ["02:00", "02:00B", "02:30", "02:30B"]
        in_order = [*header[1:6], "02:30", "02:00B", *header[8:]]
        shown = {
            (row[0], clock): row[header.index(clock)]
            for row in rows[at + 2 : at + 4]
            for clock in in_order
            if row[header.index(clock)] != ""
        }
        np.testing.assert_allclose(list(shown.values()), agents, atol=0.005)


def test_the_workbook_says_how_it_is_edited(workbook):
    book = CalamineWorkbook.from_path(str(workbook[2]))
    assert book.sheet_names == ["schedule", "staffing", "coverage", "costs", "read me"]
    text = "\n".join(str(row[0]) for row in book.get_sheet_by_name("read me").to_python())
    assert "ccsim simulate SCENARIO.yaml --plan THIS_FILE.xlsx" in text
    assert "Europe/Berlin" in text


def far_cell() -> bytes:
    data = BytesIO()
    with xlsxwriter.Workbook(data) as book:
        sheet = book.add_worksheet("schedule")
        sheet.write("A1", "group")
        sheet.write("XFD1048576", "x")
    return data.getvalue()


def bomb() -> bytes:
    data = BytesIO()
    with ZipFile(data, "w", ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (101 << 20))
    return data.getvalue()


def other_sheets() -> bytes:
    data = BytesIO()
    with xlsxwriter.Workbook(data) as book:
        book.add_worksheet("Sheet1").write("A1", "group")
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("plan.xlsx", far_cell, "reaches row 1048576 and column 16384; delete what is far out"),
        ("plan.xlsx", bomb, "unpacks to more than 100 MiB"),
        ("plan.xlsx", other_sheets, "no sheet 'schedule' or 'staffing'; the sheets are Sheet1"),
        ("plan.xlsx", lambda: b"PK\x03\x04 broken", "not a readable Excel file"),
        ("plan.xlsx", lambda: b"group,shift", "not a readable Excel file"),
        ("plan.xlsx", lambda: b"", "not a readable Excel file"),
        ("plan.csv", lambda: b"", "empty; write a header"),
        ("plan.csv", lambda: b"group\0", "a binary file, not CSV"),
        ("plan.csv", lambda: b'group,shift\n"desk', "not CSV in row 2"),
        ("plan.csv", lambda: b"x" * ((20 << 20) + 1), "larger than 20 MiB"),
        ("plan.pdf", lambda: b"%PDF", "neither Excel nor CSV; save it as .xlsx or .csv"),
    ],
)
def test_what_is_no_schedule_is_refused(name, content, says, tmp_path):
    path = tmp_path / name
    path.write_bytes(content())
    (problem,) = problems_of(path)
    assert problem.startswith(f"{path}: ")
    assert says in problem


def test_a_file_that_is_not_there(tmp_path):
    written_by_hand(tmp_path, "desk,early,2026-09-06,07:00,15:00,4,,", name="edited.csv")
    assert problems_of(tmp_path / "editd.csv")[0].endswith(
        "no such file; did you mean 'edited.csv'?"
    )
    assert "a folder without schedule.csv" in problems_of(tmp_path)[0]


def test_a_wrong_number_does_not_fill_the_memory(tmp_path):
    path = written_by_hand(tmp_path, *["desk,early,2026-09-06,07:00,15:00,100000,,"] * 11)
    assert "more than 1,000,000 agents in all rows" in problems_of(path)[0]
