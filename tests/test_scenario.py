"""Reading good scenarios: units, merging, series, calendars, what is written out and documented."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import jsonschema
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ccsim.errors import ScenarioError
from ccsim.scenario import (
    TEMPLATE,
    Case,
    check,
    read_all,
    read_case,
    reference_page,
    remarks,
    resolved_yaml,
    scenario_json_schema,
    shipped_scenarios,
    templates,
    variants,
)
from ccsim.scenario.checks import CHECKS
from ccsim.scenario.hours import (
    parse_clock,
    parse_opening_hours,
    parse_starts,
    parse_weekdays,
    write_opening_hours,
    write_weekdays,
)
from ccsim.scenario.merge import merge
from ccsim.scenario.reference import schema_text
from ccsim.scenario.targets import parse_target
from ccsim.scenario.units import (
    parse_duration,
    parse_money,
    parse_rate,
    parse_share,
    write_duration,
    write_rate,
    write_share,
)
from ccsim.scenario.workbook import why_not_opened
from ccsim.scenario.yaml_reader import Node, Place, parse_yaml, plain

GOLDEN = Path(__file__).parent / "golden" / "errors"
DOCS = Path(__file__).parents[1] / "docs"
BASE = (GOLDEN / "base.yaml").read_text(encoding="utf-8")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    return path


# Units and words ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 s", 90), ("90s", 90), ("1.5 min", 90), ("8 h 30 min", 30_600), ("7 d", 604_800)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds * 1_000_000


@pytest.mark.parametrize(
    "text",
    ["1:30", "3 Min", "3 m", "9**9", "-3 s", "90", "", "s", "5 if", "1e3 s", "3 min/h", "٣ s x"],
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|ten years"):
        parse_duration(text)


@settings(deadline=None, max_examples=200)
@given(microseconds=st.integers(0, 10**14))
def test_durations_are_written_as_read(microseconds: int) -> None:
    assert parse_duration(write_duration(microseconds)) == microseconds


@settings(deadline=None, max_examples=200)
@given(share=st.floats(0, 1), rate=st.floats(0, 1e6).map(lambda rate: round(rate, 9)))
def test_numbers_are_written_as_read(share: float, rate: float) -> None:
    if len(write_share(share)) <= 60:
        assert parse_share(write_share(share)) == share
    assert parse_rate(write_rate(rate)) == rate


@given(digits=st.decimals(0, 1_000_000, places=2))
def test_money_is_exact(digits: Any) -> None:
    assert str(parse_money(f"{digits} EUR")) == f"{digits} EUR"


@given(days=st.lists(st.integers(0, 6), min_size=1, unique=True).map(tuple))
def test_weekdays_are_written_as_read(days: tuple[int, ...]) -> None:
    assert parse_weekdays(write_weekdays(days)) == days


@given(
    cuts=st.lists(
        st.lists(st.integers(0, 288).map(lambda slot: slot * 5), unique=True, max_size=6).map(
            sorted
        ),
        min_size=7,
        max_size=7,
    )
)
def test_opening_hours_are_written_as_read(cuts: list[list[int]]) -> None:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    clock = "{:02d}:{:02d}".format
    written = {
        day: [
            f"{clock(*divmod(a, 60))}-{clock(*divmod(b, 60))}"
            for a, b in zip(c[::2], c[1::2], strict=False)
        ]
        for day, c in zip(days, cuts, strict=True)
    }
    hours = parse_opening_hours(written)
    assert parse_opening_hours(write_opening_hours(hours)) == hours
    for day, c in enumerate(cuts):
        spans = list(zip(c[::2], c[1::2], strict=False))
        assert [hours.is_open(day, minute) for minute in range(0, 1440, 5)] == [
            any(a <= minute < b for a, b in spans) for minute in range(0, 1440, 5)
        ]


def test_clock_times_with_one_digit_are_understood() -> None:
    assert parse_clock("8:00") == parse_clock("08:00") == 480
    assert parse_starts("8:00-9:00 every 30 min") == (480, 510, 540)
    assert parse_starts("8:00") == (480,)


@pytest.mark.parametrize("value", [480, [480], [8.0], True, [], "24:00", "off", [["08:00"]]])
def test_what_is_no_shift_start(value: object) -> None:
    with pytest.raises(ValueError, match="when shifts start"):
        parse_starts(value)


@given(
    share=st.integers(1, 999).map(lambda mille: f"{mille / 10:g}%"),
    wait=st.integers(1, 7200).map(lambda seconds: f"{seconds} s"),
    over=st.sampled_from(["each day", "the week", "the horizon"]),
    form=st.sampled_from(
        [
            "{share} answered within {wait}, over {over}",
            "at most {share} lost, over {over}",
            "at most {share} abandoned, over {over}",
            "average speed of answer at most {wait}, over {over}",
        ]
    ),
    days=st.booleans(),
)
def test_targets_are_written_as_read(
    share: str, wait: str, over: str, form: str, days: bool
) -> None:
    sentence = form.format(share=share, wait=wait, over=over)
    if days and over == "each day":
        sentence += ", on at least 90% of days"
    target = parse_target(sentence)
    assert parse_target(str(target)) == target
    assert (target.share_of_days == 0.9) is sentence.endswith("of days")


def test_scalars_follow_yaml_1_2() -> None:
    text = (
        b"{a: 8:00, b: off, c: NO, d: 1_000, e: 010, f: true, g: ~, "
        b"h: 1e3, i: '5', j: 0x10, k: yes}"
    )
    assert plain(parse_yaml(text, "x")[0]) == {
        **{"a": "8:00", "b": "off", "c": "NO", "d": "1_000", "e": 10, "f": True, "g": None},
        **{"h": 1000.0, "i": "5", "j": "0x10", "k": "yes"},
    }


def test_places_are_those_of_the_file() -> None:
    node, _ = parse_yaml("a: 1\nbüro:\n  c: [x, y]\n".encode(), "x")
    assert node.keys["büro"] == Place("x", 2, 1)
    items = node.entries["büro"].entries["c"].value
    assert isinstance(items, list)
    assert items[1].place == Place("x", 3, 10)


# Merging ------------------------------------------------------------------------------------

RFC_7396 = [  # appendix A, without the rows on which this is stricter
    ('{"a":"b"}', '{"a":"c"}', {"a": "c"}),
    ('{"a":"b"}', '{"b":"c"}', {"a": "b", "b": "c"}),
    ('{"a":"b"}', '{"a":null}', {}),
    ('{"a":"b","b":"c"}', '{"a":null}', {"b": "c"}),
    ('{"a":["b"]}', '{"a":"c"}', {"a": "c"}),
    ('{"a":"c"}', '{"a":["b"]}', {"a": ["b"]}),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', {"a": [1]}),
    ('["a","b"]', '["c","d"]', ["c", "d"]),
    ('{"a":"b"}', '["c"]', ["c"]),
    ('{"a":"foo"}', '"bar"', "bar"),
    ('{"e":null}', '{"a":1}', {"e": None, "a": 1}),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d"}}', {"a": {"b": "d"}}),
]


@pytest.mark.parametrize(("base", "patch", "merged"), RFC_7396)
def test_merging_follows_the_rfc(base: str, patch: str, merged: object) -> None:
    nodes = [parse_yaml(text.encode(), "x")[0] for text in (base, patch)]
    assert plain(merge(*nodes)) == merged


JSON = st.recursive(
    st.integers() | st.text("abc", max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)


def node_of(value: object) -> Node:
    if isinstance(value, dict):
        place = Place("x")
        children = {key: node_of(each) for key, each in value.items()}
        return Node(children, place, dict.fromkeys(children, place))
    return Node(value, Place("x"))  # type: ignore[arg-type]


@given(base=JSON, patch=JSON)
def test_merging_twice_changes_nothing(base: object, patch: object) -> None:
    once = merge(node_of(base), node_of(patch))
    assert plain(merge(once, node_of(patch))) == plain(once)
    assert plain(merge(node_of(base), node_of({}))) == (base if isinstance(base, dict) else {})


def test_extends_finds_files_beside_the_file_that_names_them(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    (folder / "calls.csv").write_text(profile(3.0), encoding="utf-8")
    text = BASE.replace("rate: 120 calls/h", "file: calls.csv")
    (folder / "base.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "week.yaml").write_text("extends: bank/base.yaml\nname: Week\n", encoding="utf-8")
    case = read_case(tmp_path / "week.yaml")
    assert case.scenario.name == "Week"
    assert dict(case.files) == {"bank/calls.csv": profile(3.0).encode()}
    assert case.demand["sales"].sum() == 5 * 20 * 3.0


def test_variants_and_overrides(template: Path) -> None:
    assert variants(template) == ("outsourced", "busier")
    plain_case, outsourced, busier = read_all(template)
    assert plain_case.variant is None
    assert outsourced.scenario.agent_groups["phone"].rate_card == "partner"
    assert outsourced.scenario.agent_groups["phone"].shifts == ()
    assert busier.demand["sales"].sum() == pytest.approx(1.5 * plain_case.demand["sales"].sum())
    assert busier.title == "My contact centre (busier)"
    scaled = read_case(
        template, "busier", ["contact_types.sales.demand.scale=2", "horizon.begins=empty"]
    )
    assert scaled.scenario.contact_types["sales"].demand.scale == 2
    assert scaled.scenario.horizon.begins == "empty"


# Written out --------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", [None, "outsourced", "busier"])
def test_the_resolved_scenario_is_the_same_scenario(template: Path, variant: str | None) -> None:
    case = read_case(template, variant)
    again = template.parent / "resolved.yaml"
    again.write_text(resolved_yaml(case), encoding="utf-8")
    assert read_case(again).scenario == case.scenario
    assert resolved_yaml(read_case(again)) == resolved_yaml(case)


def test_every_default_is_visible(template: Path) -> None:
    text = resolved_yaml(read_case(template))
    for default in ("begins: cyclic", "formula: of_offered", "redial: null", "warm_up: 7 d"):
        assert default in text
    for name in ("mean_", "survival", "mixture"):
        assert name not in text


@settings(deadline=None, max_examples=60)
@example(name="line\x85end\u2028", cv=1.0, talk=1, price=1)
@example(name="null", cv=1e-3, talk=1, price=1)
@given(
    name=st.text(min_size=1, max_size=30),
    cv=st.floats(0.001, 1e6),
    talk=st.integers(1, 10**12),
    price=st.decimals("0.0001", 1000, places=4),
)
def test_any_values_survive_being_written(
    name: str, cv: float, talk: int, price: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "one.yaml").write_text(BASE, encoding="utf-8")
    try:
        case = read_case(
            folder / "one.yaml",
            overrides=[
                f"name={json.dumps(name)}",
                f"contact_types.sales.talk_time.lognormal={{mean: {talk / 1e6:.6f} s, cv: {cv!r}}}",
                f"rate_cards.in_house.paid_hour={price} EUR",
            ],
        )
    except ScenarioError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:  # a character that YAML does not hold
        assert "name" in refused.replace("--set name", "")
        return
    (folder / "two.yaml").write_bytes(resolved_yaml(case).encode())
    assert read_case(folder / "two.yaml").scenario == case.scenario


# Series -------------------------------------------------------------------------------------


def profile(value: float, separator: str = ",", step: int = 30) -> str:
    rows = [
        separator.join([day, f"{minute // 60:02d}:{minute % 60:02d}", f"{value:g}"])
        for day in ("mon", "tue", "wed", "thu", "fri")
        for minute in range(8 * 60, 18 * 60, step)
    ]
    return "\n".join([separator.join(["weekday", "start", "sales"]), *rows]) + "\n"


def dated(case_dates: list[str], columns: str = "date,start,sales", joint: str = ",") -> str:
    rows = [
        f"{date}{joint}{minute // 60:02d}:{minute % 60:02d},{3 if minute < 720 else 5}"
        for date in case_dates
        for minute in range(8 * 60, 18 * 60, 30)
    ]
    return "\n".join([columns, *rows]) + "\n"


def read_with(
    folder: Path, content: bytes | str, name: str = "calls.csv", text: str = BASE
) -> Case:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    scenario = text.replace("demand: {rate: 120 calls/h}", f"demand: {{file: {name}}}")
    (folder / "scenario.yaml").write_text(scenario, encoding="utf-8")
    return read_case(folder / "scenario.yaml")


WEEK = [f"2026-09-{day:02d}" for day in range(7, 12)]


def test_a_profile_fills_open_intervals(tmp_path: Path) -> None:
    case = read_with(tmp_path, profile(3))
    is_open = case.grid.opening(case.scenario.contact_types["sales"].open)
    assert np.array_equal(case.demand["sales"], np.where(is_open, 3.0, 0.0))
    assert case.files["calls.csv"] == profile(3).encode()


@pytest.mark.parametrize("step", [5, 6, 10, 15])
def test_finer_rows_are_summed(tmp_path: Path, step: int) -> None:
    case = read_with(tmp_path, profile(2, step=step))
    assert case.demand["sales"].max() == 2 * 30 / step
    assert case.demand["sales"].sum() == 2 * 5 * 600 / step


def test_dates_and_moments_say_the_same(tmp_path: Path) -> None:
    one = read_with(tmp_path, dated(["2026-08-31", *WEEK, "2026-10-01"]))
    two = read_with(tmp_path, dated(WEEK, "start,sales", "T"))
    assert np.array_equal(one.demand["sales"], two.demand["sales"])
    assert one.demand["sales"].sum() == 5 * (8 * 3 + 12 * 5)


@pytest.mark.parametrize(
    "content",
    [
        profile(2.5, ";").replace("2.5", "2,5").encode(),
        profile(2.5, "\t").encode(),
        b"\xef\xbb\xbf" + profile(2.5).encode(),
        profile(2.5).replace("\n", "\r\n\r\n").encode(),
        profile(2.5).replace("mon,", "Monday,").replace("08:00", "8:00:00").encode(),
        profile(2.5).replace("sales", "sales,B\xfcro").replace("2.5\n", "2.5,x\n").encode("cp1252"),
        profile(2.5).replace("weekday,start", "Weekday,Start").encode(),
    ],
    ids=["semicolon", "tab", "bom", "blank lines", "long words", "cp1252", "capitals"],
)
def test_csv_as_it_is_exported(tmp_path: Path, content: bytes) -> None:
    assert read_with(tmp_path, content).demand["sales"].sum() == 2.5 * 100


@pytest.mark.parametrize("form", ["profile", "date", "moment"])
def test_excel_says_the_same(tmp_path: Path, form: str) -> None:
    import datetime as dt

    import xlsxwriter

    path = tmp_path / "calls.xlsx"
    header = {"profile": ["weekday", "start"], "date": ["date", "start"], "moment": ["start"]}[form]
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        sheet = book.add_worksheet()
        clock = book.add_format({"num_format": "hh:mm"})
        sheet.write_row(0, 0, [*header, "sales"])
        row = 1
        for day in range(5):
            for minute in range(8 * 60, 18 * 60, 30):
                start = dt.time(minute // 60, minute % 60)
                date = dt.date(2026, 9, 7 + day)
                if form == "moment":
                    sheet.write_datetime(row, 0, dt.datetime.combine(date, start))
                else:
                    sheet.write_datetime(row, 1, start, clock)
                if form == "date":
                    sheet.write_datetime(row, 0, date)
                if form == "profile":
                    sheet.write_string(row, 0, ("mon", "tue", "wed", "thu", "fri")[day])
                sheet.write_number(row, len(header), 2.5)
                row += 1
    assert read_with(tmp_path, path.read_bytes(), "calls.xlsx").demand["sales"].sum() == 250


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            profile(3).replace("mon,08:30,3\n", ""),
            "no row for 1 of 100 open intervals: 2026-09-07 08:30; w",
        ),
        (profile(3).replace("mon,08:30,3", "mon,08:30,"), "no row for 1 of 100 open"),
        (profile(3, step=60), "no row for 50 of 100 open intervals: 2026-09-07 08:30"),
        (profile(3, step=20), "rows begin every 20 min"),
        (profile(3).replace(":30,", ":45,").replace(":00,", ":15,"), "the first at 08:15"),
        (profile(3) + "sat,08:00,1\n", "calls.csv:102: sales: 1 contacts while closed"),
        (
            profile(3) + "mon,08:00,1\n",
            "calls.csv:102: sales: mon 08:00 stands twice, first in row 2",
        ),
        (dated(WEEK) + "2026-09-07,08:00,1\n", "2026-09-07 08:00 stands twice, first in row 2"),
        (dated(["2025-09-08"]), "its days run from 2025-09-08 to 2025-09-08, the horizon from"),
        (profile(3).replace("fri,17:30,3", "fri,17:30,3,5"), "calls.csv:101: 4 cells below"),
        (profile(3).replace("fri,17:30,3", 'fri,17:30,"3,5"'), "write decimals with a point"),
        (profile(3).replace("fri,17:30,3", "fri,17:30,nan"), "'nan' is not a number"),
        (profile(3).replace("fri,17:30,3", "fri,17:30,1e9"), "is too large"),
        (profile(3).replace("start", "begin"), "no column 'start'; the columns are"),
        (profile(3).replace(",start,", ",start,sales,"), "column 'sales' comes twice"),
        ("weekday,start,sales\n", "no rows"),
        ("weekday,start,sales\nmon,08:00,\n", "no numbers in this column"),
        ("\n".join(["weekday,start,sales", *["mon,08:00,x"] * 20]), "and 12 more problems"),
        (
            dated(WEEK, "start,sales", "T").replace("T08:00,", "T08:00+02:00,"),
            "is not a local time",
        ),
        (b"weekday,start\0", "a binary file"),
        ('weekday,start,sales\n"mon', "not CSV here"),
    ],
)
def test_what_is_wrong_with_a_series(tmp_path: Path, content: str | bytes, expected: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_with(tmp_path, content)
    assert expected in str(caught.value)


def test_zero_rows_while_closed_are_fine(tmp_path: Path) -> None:
    assert (
        read_with(tmp_path, profile(3) + "sat,08:00,0\nsun,08:00,\n").demand["sales"].sum() == 300
    )


# Clocks change in Berlin on 29 March and 25 October 2026, both Sundays, at 02:00 and 03:00.
NIGHT = BASE.replace('open: {mon-fri: "08:00-18:00"}', "open: always").replace("days: 7", "days: 1")
HALF_HOURS = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(0, 1440, 30)]


def test_autumn_has_fifty_half_hours(tmp_path: Path) -> None:
    text = NIGHT.replace("2026-09-07", "2026-10-25")
    rows = "".join(f"sun,{start},4\n" for start in HALF_HOURS)
    weekly = read_with(tmp_path, f"weekday,start,sales\n{rows}", text=text)
    assert weekly.grid.intervals == 50
    assert weekly.demand["sales"].sum() == 50 * 4  # the profile holds for both
    once = "date,start,sales\n" + rows.replace("sun", "2026-10-25")
    case = read_with(tmp_path, once, text=text)
    assert case.demand["sales"].sum() == 48 * 4  # what was counted is what comes
    assert case.demand["sales"][4:8].tolist() == [2, 2, 2, 2]
    twice = once + "2026-10-25,02:00,1\n2026-10-25,02:30,2\n"
    case = read_with(tmp_path, twice, text=text)
    assert case.demand["sales"][4:8].tolist() == [4, 4, 1, 2]
    with pytest.raises(ScenarioError, match="2026-10-25 02:00 stands twice"):
        read_with(tmp_path, twice + "2026-10-25,02:00,1\n", text=text)


def test_spring_has_forty_six(tmp_path: Path) -> None:
    text = NIGHT.replace("2026-09-07", "2026-03-29")
    rows = "".join(f"sun,{start},4\n" for start in HALF_HOURS)
    case = read_with(tmp_path, f"weekday,start,sales\n{rows}", text=text)
    assert (case.grid.intervals, case.demand["sales"].sum()) == (46, 46 * 4)
    once = "date,start,sales\n" + rows.replace("sun", "2026-03-29")
    with pytest.raises(ScenarioError, match="2026-03-29 02:00 does not exist: clocks go forward"):
        read_with(tmp_path, once, text=text)
    skipped = once.replace("02:00,4", "02:00,0").replace("2026-03-29,02:30,4\n", "")
    assert read_with(tmp_path, skipped, text=text).demand["sales"].sum() == 46 * 4


@settings(deadline=None, max_examples=30)
@given(
    counts=st.lists(st.integers(0, 50), min_size=48, max_size=48),
    day=st.sampled_from(["2026-03-28", "2026-10-25", "2026-06-01"]),
)
def test_dated_contacts_are_neither_lost_nor_doubled(
    counts: list[int], day: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = "".join(f"{day},{s},{n}\n" for s, n in zip(HALF_HOURS, counts, strict=True))
    text = NIGHT.replace("2026-09-07", day)
    case = read_with(tmp_path_factory.getbasetemp(), f"date,start,sales\n{rows}", text=text)
    assert case.demand["sales"].sum() == sum(counts)


QUANTILES = "cumulative,seconds\n0,5\n0.5,60\n1,600\n"
SURVIVAL = "seconds,still_waiting\n0,1\n30,0.8\n600,0.1\n"


def test_distribution_tables(tmp_path: Path) -> None:
    (tmp_path / "talk.csv").write_text(QUANTILES)
    (tmp_path / "patience.csv").write_text(SURVIVAL)
    text = BASE.replace("talk_time: 4 min", "talk_time: {empirical: {file: talk.csv}}")
    text = text.replace("{exponential: {mean: 3 min}}", "{survival: {file: patience.csv}}")
    (tmp_path / "scenario.yaml").write_text(text)
    case = read_case(tmp_path / "scenario.yaml")
    assert case.tables["talk.csv"].tolist() == [[0, 5], [0.5, 60], [1, 600]]
    assert case.tables["patience.csv"].tolist() == [[0, 1], [30, 0.8], [600, 0.1]]
    assert set(case.files) == {"talk.csv", "patience.csv"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (QUANTILES.replace("1,600", "0.9,600"), "runs from 0 to 0.9; it must be 0 to 1"),
        (
            QUANTILES.replace("0.5,60", "0.5,700"),
            "talk.csv:4: seconds: 600 after 700; it may not fall",
        ),
        (QUANTILES.replace("0.5,60", "0,60"), "0 after 0; it must rise from row to row"),
        (QUANTILES.replace("0.5,60", "50,60"), "50 is above 1; write a fraction"),
        (QUANTILES.replace("60", "0").replace(",5\n", ",0\n"), "every length is 0"),
        ("cumulative,seconds\n0,5\n", "at least two rows are needed"),
        (QUANTILES.replace("seconds", "second"), "no column 'seconds'; did you mean 'second'?"),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "talk.csv").write_text(content)
    text = BASE.replace("talk_time: 4 min", "talk_time: {empirical: {file: talk.csv}}")
    (tmp_path / "scenario.yaml").write_text(text)
    with pytest.raises(ScenarioError) as caught:
        read_case(tmp_path / "scenario.yaml")
    assert expected in str(caught.value)


# Checks -------------------------------------------------------------------------------------

PARTNER = "in_house: {handled_minute: 1 EUR, capacity: 30}"
OWN = "in_house: {paid_hour: 20 EUR}"


def special_day(days: str, other: str) -> dict[str, str]:
    """The edit that makes a day special for sales."""
    text = f"special_days: {{a: {{{days}, contact_types: {{sales: {{{other}}}}}}}}}"
    return {"contact_types:": f"{text}\ncontact_types:"}


def incident(more: str = "", **changes: str) -> dict[str, str]:
    """The edit that lets something happen on the second day."""
    given = {
        "start": "2026-09-08 10:00",
        "lasts": "2 h",
        "customers": "1000",
        "contacting": "{sales: 5%}",
    } | changes
    fields = ", ".join(f"{name}: {value}" for name, value in given.items())
    text = f"incidents: {{one: &one {{{fields}}}, {more}}}"
    return {"contact_types:": f"{text}\ncontact_types:"}


def forecast_error(fields: str) -> dict[str, str]:
    """The edit that makes the forecast wrong."""
    return {"rate: 120 calls/h": f"rate: 9 calls/h, forecast_error: {{{fields}}}"}


TRIPS = [
    ("time_zone_exists", {"Europe/Berlin": "Berlin"}, "did you mean 'Europe/Berlin'?"),
    ("time_zone_exists", {"Europe/Berlin": "../etc/passwd"}, "no time zone"),
    (
        "days_hold_whole_intervals",
        {
            "Europe/Berlin": "Australia/Lord_Howe",
            "2026-09-07, days: 7": "2026-10-04, days: 7, interval: 60 min",
        },
        "2026-10-04 lasts 23 h 30 min there",
    ),
    (
        "opening_hours_on_intervals",
        {"08:00-18:00": "08:15-18:00"},
        "mon 08:15 is not on the interval",
    ),
    ("contact_types_are_answered", {"skills: {sales: {}}": "skills: {}"}, "nobody can answer it"),
    ("groups_have_skills", {"skills: {sales: {}}": "skills: {}"}, "no skills; name"),
    ("demand_is_used", {"rate: 120 calls/h": "rate: 9 calls/h, column: x"}, "has no column"),
    ("demand_is_used", {"rate: 120 calls/h": "rate: 0 calls/h"}, "nobody ever comes"),
    ("demand_is_used", {"120 calls/h": "9 calls/h, observed_abandonment: 5%"}, "is only used with"),
    (
        "redials_can_happen",
        {"120 calls/h": "9 calls/h, includes: [redials], observed_abandonment: 5%"},
        "no 'redial'",
    ),
    (
        "redials_can_happen",
        {
            "120 calls/h": "9 calls/h, includes: [redials], observed_abandonment: 100%",
            "    patience": "    redial: {probability: 100%, delay: 1 min}\n    patience",
        },
        "no fresh demand is left",
    ),
    (
        "redials_can_happen",
        {"patience: {exponential: {mean: 3 min}}": "redial: {probability: 50%, delay: 1 min}"},
        "nobody gives up without patience",
    ),
    (
        "unresolved_contacts_repeat",
        {"    patience": "    repeat: {delay: 1 d}\n    patience"},
        "every contact is resolved",
    ),
    (
        "closing_happens",
        {'open: {mon-fri: "08:00-18:00"}': "at_closing: clear"},
        "it never closes",
    ),
    (
        "closing_happens",
        {'open: {mon-fri: "08:00-18:00"}': "at_closing: carry_over"},
        "it never closes",
    ),
    (
        "others_are_others",
        {
            "    patience": "    redial: {probability: 50%, delay: 1 min, elsewhere: {to: sales}}\n"
            "    patience"
        },
        "sales is where they were",
    ),
    (
        "others_are_others",
        {
            "120 calls/h": "9 calls/h, includes: [redials], observed_abandonment: 5%",
            "    patience": "    redial: {probability: 9%, delay: 1 min, elsewhere: {to: sales}}\n"
            "    patience",
        },
        "leave redials out of 'includes'",
    ),
    (
        "others_are_others",
        {"skills: {sales: {}}": "skills: {sales: {transfer: {to: sales, probability: 5%}}}"},
        "sales is where they are",
    ),
    (
        "waits_are_announced",
        {"    patience": "    callback: {offered_from: 1 min, accepted: 37%}\n    patience"},
        "write announced_wait: {}",
    ),
    (
        "waits_are_announced",
        {"    patience": "    announced_wait: {estimate: by_position, balking: 1}\n    patience"},
        "write per_waiting: 20 s",
    ),
    (
        "waits_are_announced",
        {"    patience": "    announced_wait: {per_waiting: 9 s, balking: 1}\n    patience"},
        "only estimate: by_position uses it",
    ),
    (
        "waits_are_announced",
        {"patience: {exponential: {mean: 3 min}}": "announced_wait: {balking: 1}"},
        "nobody hangs up without patience",
    ),
    (
        "somebody_waits_for_the_ring",
        {
            "patience: {exponential: {mean: 3 min}}": "patience: 30 s",
            "skills: {sales: {}}": "ring: 40 s\n    skills: {sales: {}}",
        },
        "it rings for 40 s, and all who call sales give up after 30 s",
    ),
    (
        "late_breaks_are_planned",
        {
            "shifts: [day]": "late_break: keeps_length",
        },
        "staffed by interval and has no breaks",
    ),
    (
        "contacts_reach_somebody",
        {"skills: {sales: {}}": "skills: {sales: {after: 20 s}}"},
        "every group waits",
    ),
    (
        "contacts_reach_somebody",
        {"skills: {sales: {}}": "maximum_staff: 5\n    skills: {sales: {reserve: 5}}"},
        "5 of at most 5 agents are kept free",
    ),
    (
        "special_days_are_days",
        special_day("dates: [2026-09-08]", "scale: 1"),
        "nothing is different",
    ),
    (
        "special_days_are_days",
        special_day("dates: [2026-09-08]", "scale: 0"),
        "write 'open: closed'",
    ),
    (
        "special_days_are_days",
        {
            "contact_types:": "special_days: {a: {dates: [2026-09-08], contact_types: {}}}\n"
            "contact_types:"
        },
        "name the contact types that are different",
    ),
    (
        "special_days_are_days",
        special_day(
            "dates: [2026-09-08]",
            "like: sun}}}, b: {dates: [2026-09-08], contact_types: {sales: {scale: 2",
        ),
        "2026-09-08 is already 'a' for sales; keep one of them",
    ),
    (
        "special_hours_on_intervals",
        special_day("dates: [2026-09-08]", "open: '09:10-12:00'"),
        "09:10 is not on the interval of 30 min",
    ),
    ("incidents_happen", incident(start="2026-10-01 10:00"), "start on one of its days"),
    ("incidents_happen", incident(contacting="{sales: 0%}"), "nobody contacts"),
    (
        "incidents_happen",
        incident(notice="{after: 2 h, saves: 10%}"),
        "all have contacted by then",
    ),
    (
        "incidents_happen",
        incident(more=", ".join(f"i{n}: *one" for n in range(16))),
        "at most 16 incidents",
    ),
    (
        "causes_are_parts",
        {
            "rate: 120 calls/h": "rate: 9 calls/h, causes: {a: &c {share: 60%, removed: 10% - 15%, "
            "start: 2026-09-07}, b: *c}"
        },
        "the shares of the causes add to 120%; at most 100%",
    ),
    (
        "leads_are_given",
        forecast_error("gamma_by_lead: {4 weeks: {shape: 9}}"),
        "say in horizon.published",
    ),
    ("leads_are_given", forecast_error("gamma_by_lead: {}"), "write at least one lead"),
    (
        "leads_are_given",
        forecast_error("gamma_by_lead: {7 d: {shape: 9}, 1 week: {shape: 8}}"),
        "equally long",
    ),
    (
        "leads_are_given",
        {
            **forecast_error("gamma_by_lead: {4 weeks: {shape: 9}}"),
            "days: 7": "days: 7, published: 1 week",
        },
        "7 d came, and the forecast error is given for 28 d to 28 d; add a lead",
    ),
    ("leads_are_given", {"days: 7": "days: 7, published: 1 week"}, "is only used with"),
    (
        "parts_of_day_fit",
        forecast_error("gamma: {shape: 9}, parts: {begin: [], correlation: 50%}"),
        "one to 23 rising clock times",
    ),
    (
        "parts_of_day_fit",
        forecast_error("gamma: {shape: 9}, parts: {begin: ['12:00', '09:00'], correlation: 50%}"),
        "one to 23 rising clock times",
    ),
    (
        "parts_of_day_fit",
        forecast_error("gamma: {shape: 9}, parts: {begin: ['12:10'], correlation: 50%}"),
        "12:10 is not on the intervals of 30 min in a day",
    ),
    (
        "repeats_can_be_backed_out",
        {"120 calls/h": "9 calls/h, includes: [repeats], observed_resolution: 70%"},
        "no 'repeat'",
    ),
    (
        "repeats_can_be_backed_out",
        {"120 calls/h": "9 calls/h, observed_resolution: 70%"},
        "is only used with 'includes: [repeats]'",
    ),
    ("work_takes_time", {"talk_time: 4 min": "talk_time: 0 s"}, "takes no time"),
    (
        "stages_are_work",
        {"talk_time: 4 min": "talk_time: {stages: {}}"},
        "0 stages; write 1 to 12",
    ),
    ("targets_can_be_kept", {"within 20 s": "within 0 s"}, "no plan can be shown to keep 0"),
    ("targets_can_be_kept", {"80% answered": "100% answered"}, "between 0% and 100%"),
    (
        "targets_can_be_kept",
        {"over each day": "over each day, on at least 100% of days"},
        "share of days",
    ),
    ("targets_can_be_kept", {"days: 7": "days: 6", "over each day": "over the week"}, "has 6 days"),
    (
        "staffing_fits",
        {"shifts: [day]": "shifts: [day]\n    agents: 3"},
        "given together with shifts",
    ),
    (
        "staffing_fits",
        {"shifts: [day]": "minimum_staff: 3\n    maximum_staff: 2"},
        "3 is more than",
    ),
    ("staffing_fits", {OWN: PARTNER}, "a partner plans its own shifts"),
    (
        "staffing_fits",
        {OWN: PARTNER, "shifts: [day]": "maximum_staff: 31"},
        "more than the capacity",
    ),
    (
        "staffing_fits",
        {OWN: PARTNER, "shifts: [day]": "agents: 31"},
        "31 is more than the capacity",
    ),
    (
        "lateness_has_a_shift",
        {"shifts: [day]": "shrinkage: {late: {share: 5%, by: 10 min}}"},
        "staffed by interval, so there is no shift",
    ),
    (
        "lateness_has_a_shift",
        {
            "shifts: [day]": "shifts: [day]\n    shrinkage: {log_in: 4 h}",
            "length: 8 h": "length: 4 h",
        },
        "4 h are all of a shift of 4 h; shorten it",
    ),
    (
        "tenures_are_parts",
        {"shifts: [day]": "shifts: [day]\n    tenure: {new: {share: 60%}, old: {share: 41%}}"},
        "the shares add to 101.00%, more than all agents",
    ),
    ("prices_are_paid", {"20 EUR": "0 EUR"}, "is free, and free work makes any plan free"),
    (
        "prices_are_paid",
        {OWN: PARTNER.replace("1 EUR", "0.00 EUR"), "shifts: [day]": ""},
        "is free",
    ),
    ("prices_are_paid", {"20 EUR": "20 USD"}, "write it in EUR"),
    ("shifts_lie_on_slots", {"08:00-10:00": "08:01-10:01"}, "08:01 is not a multiple of 5 min"),
    ("shifts_lie_on_slots", {"length: 8 h": "length: 25 h"}, "longer than 24 h"),
    (
        "shifts_lie_on_slots",
        {"length: 8 h": "length: 8 h, breaks: {tea: {length: 7 min, after: 2 h}}"},
        "7 min is not a multiple",
    ),
    (
        "breaks_fit_in_shifts",
        {"length: 8 h": "length: 8 h, breaks: {tea: {length: 30 min, after: 2 h - 7 h 35 min}}"},
        "past the shift of 8 h",
    ),
    (
        "breaks_fit_in_shifts",
        {
            "length: 8 h": "length: 8 h, breaks: {a: {length: 30 min, after: 2 h}, "
            "b: {length: 5 min, after: 2 h 25 min}}"
        },
        "may overlap 'a'",
    ),
]


@pytest.mark.parametrize(("name", "edits", "expected"), TRIPS)
def test_each_check_trips(tmp_path: Path, name: str, edits: dict[str, str], expected: str) -> None:
    text = BASE
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "scenario.yaml").write_text(text)
    with pytest.raises(ScenarioError) as caught:
        read_case(tmp_path / "scenario.yaml")
    assert expected in str(caught.value)
    assert name in {each.__name__ for each in CHECKS}


def test_no_check_is_without_a_case() -> None:
    assert {each.__name__ for each in CHECKS} == {name for name, _, _ in TRIPS}


def test_contact_types_that_somebody_goes_to_exist(tmp_path: Path) -> None:
    again = "redial: {probability: 9%, delay: 1 d, elsewhere: {to: sale}}"
    text = BASE.replace("    patience", f"    {again}\n    patience").replace(
        "skills: {sales: {}}", "skills: {sales: {transfer: {to: seles, probability: 5%}}}"
    )
    (tmp_path / "scenario.yaml").write_text(text)
    with pytest.raises(ScenarioError) as raised:
        read_case(tmp_path / "scenario.yaml")
    said = [problem.message for problem in raised.value.problems]
    assert len(said) == 2
    assert all("did you mean 'sales'?" in each for each in said)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("ring: 400 d", "'400 d' is too large; the most is 1 h"),
        ("handle_time_spread: 95%", "'95%' is too large; the most is 90%"),
        ("maximum_staff: -1", "-1 is too small; the least is 0"),
    ],
)
def test_limits_are_written_as_the_value_was(tmp_path: Path, field: str, said: str) -> None:
    text = BASE.replace("skills: {sales: {}}", f"{field}\n    skills: {{sales: {{}}}}")
    (tmp_path / "scenario.yaml").write_text(text)
    with pytest.raises(ScenarioError, match=re.escape(said)):
        read_case(tmp_path / "scenario.yaml")


def test_only_the_requests_of_others_may_come(tmp_path: Path) -> None:
    """A second line has no callers of its own."""
    second = (
        "  second:\n    demand: {rate: 0 calls/h}\n    talk_time: 5 min\nagent_groups:\n"
        "  back: {skills: {second: {}}, rate_card: in_house, shifts: [day]}\n"
    )
    text = BASE.replace("agent_groups:\n", second)
    transfer = "skills: {sales: {transfer: {to: second, probability: 5%}}}"
    (tmp_path / "scenario.yaml").write_text(text.replace("skills: {sales: {}}", transfer, 1))
    case = read_case(tmp_path / "scenario.yaml")
    assert case.scenario.next_types("sales") == {"second"}
    assert case.scenario.exchanges("second")
    (tmp_path / "scenario.yaml").write_text(text)
    with pytest.raises(ScenarioError, match="nobody ever comes"):
        read_case(tmp_path / "scenario.yaml")


def test_a_change_of_what_is_not_there_is_a_slip_of_the_pen(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(BASE)
    with pytest.raises(ScenarioError, match="no contact type 'sale'; did you mean 'sales'"):
        read_case(tmp_path / "scenario.yaml", None, ["contact_types.sale.demand.scale=1.2"])


def test_names_that_differ_only_in_capitals(tmp_path: Path) -> None:
    text = BASE.replace(
        "shifts:\n  day:", "shifts:\n  Day: {starts: ['08:00'], length: 4 h}\n  day:"
    )
    (tmp_path / "scenario.yaml").write_text(text)
    with pytest.raises(ScenarioError, match="differ only in capitals"):
        read_case(tmp_path / "scenario.yaml")


def test_a_scenario_made_in_python_is_checked_too(template: Path) -> None:
    scenario = read_case(template).scenario
    assert check(scenario) == []
    abroad = scenario.model_copy(update={"currency": "USD"})
    assert {problem.field for problem in check(abroad)} == {
        "rate_cards.in_house.paid_hour",
        "rate_cards.partner.handled_minute",
    }


def test_remarks_say_what_is_easily_missed(template: Path) -> None:
    assert remarks(read_case(template).scenario) == ()
    overrides = [
        "horizon.days=2",
        "contact_types.sales.targets=['80% answered within 20 s, over each day']",
    ]
    said = " ".join(remarks(read_case(template, overrides=overrides).scenario))
    assert "48 h are simulated and dropped" in said
    assert "no cap on lost customers" in said


# Documents ----------------------------------------------------------------------------------


def test_the_reference_page_is_current() -> None:
    assert (DOCS / "scenario.md").read_text(encoding="utf-8") == reference_page()
    assert (DOCS / "scenario.schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_example_of_the_page_is_read(tmp_path: Path) -> None:
    page = (DOCS / "scenario.md").read_text(encoding="utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "example.yaml").write_text(example, encoding="utf-8")
    assert len(read_all(tmp_path / "example.yaml")) == 3


def test_the_schema_accepts_what_the_reader_accepts(template: Path) -> None:
    validator = jsonschema.Draft202012Validator(scenario_json_schema())
    for text in (TEMPLATE, BASE, resolved_yaml(read_case(template)), "extends: base.yaml\nname: x"):
        assert list(validator.iter_errors(plain(parse_yaml(text.encode(), "x")[0]))) == []
    for broken in ("typo_field", "wrong_unit", "wrong_kind", "missing_values"):
        node, _ = parse_yaml((GOLDEN / f"{broken}.yaml").read_bytes(), "x")
        assert list(validator.iter_errors(plain(node)))


def test_shipped_scenarios_are_found_in_a_wheel_and_in_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "files", lambda _: tmp_path / "ccsim")
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "week.yaml").touch()
    assert shipped_scenarios() == {"week": tmp_path / "scenarios" / "week.yaml"}
    packed = tmp_path / "ccsim" / "_scenarios"
    packed.mkdir(parents=True)
    (packed / "packed.yaml").touch()
    assert shipped_scenarios() == {"packed": packed / "packed.yaml"}


@pytest.mark.parametrize("name", list(shipped_scenarios()))
def test_shipped_scenarios_are_good_and_rerun_from_what_is_written(
    name: str, tmp_path: Path
) -> None:
    for case in read_all(shipped_scenarios()[name]):
        for file, content in case.files.items():
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_bytes(content)
        (tmp_path / "again.yaml").write_text(resolved_yaml(case), encoding="utf-8")
        again = read_case(tmp_path / "again.yaml")
        assert again.scenario == case.scenario
        assert again.files == case.files
        for contact_type, mean in case.demand.items():
            assert np.array_equal(again.demand[contact_type], mean)


def test_a_cell_very_far_out_is_refused_before_it_is_read():
    """A reader would fill everything up to it; the process would not survive that."""
    sheet = b'<worksheet><sheetData><c r="A1"/><c r="XFD1048576"/></sheetData></worksheet>'
    packed = BytesIO()
    with ZipFile(packed, "w") as workbook:
        workbook.writestr("xl/worksheets/sheet1.xml", sheet)
    assert why_not_opened(packed.getvalue()) == (
        "reaches row 1048576 and column 16384; delete what is far out"
    )
