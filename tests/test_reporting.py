"""The report and the results folder: what stands in them, what never does, what is left on disk."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ccsim.reporting.folder as folder_module
from ccsim import study
from ccsim.errors import CcsimError
from ccsim.reporting import report_html, write_results
from ccsim.reporting.content import cost_lines_table, met, promise_table, worst_table
from ccsim.reporting.folder import csv_text, refuse_folder
from ccsim.reporting.headline import headline
from ccsim.reporting.planning import sources
from ccsim.results import Comparison, PlanResult, Simulation
from ccsim.scenario import resolved_yaml
from ccsim.statistics import Estimate
from ccsim.statistics.writing import at_most, decimals, number, write
from tests.desk import compared, desk, planned, simulated

RUN = {"engine": "simpy", "workers": 1, "seconds": 1.5, "date": "2026-11-22"}


class Page(HTMLParser):
    """Texts, tags and attributes of a page, and whether its tags close."""

    void = ("meta", "br", "link", "img", "path", "use", "image")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All words with single spaces."""
        return " ".join(" ".join(self.texts).split())


RESULTS = (planned, simulated, compared)


@pytest.mark.parametrize("result", RESULTS, ids=lambda make: make.__name__)
def test_page_is_complete_in_itself(result: Any) -> None:
    html = report_html(result())
    page = Page(html)
    assert not page.open
    assert "script" not in page.tags
    assert not {"iframe", "object", "link", "img"} & set(page.tags)
    # Names of XML namespaces are no addresses; everything else points into the page.
    links = [value for name, value in page.attributes if name in {"href", "src", "xlink:href"}]
    assert all(value.startswith("#") for value in links)
    assert not re.search(r"url\((?!#)|@import", html)
    assert "default-src 'none'" in html
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {link[1:] for name, link in page.attributes if name == "href" and link} <= set(ids)
    assert "@media print" in html


@pytest.mark.parametrize("result", RESULTS, ids=lambda make: make.__name__)
def test_same_result_same_bytes(result: Any) -> None:
    assert report_html(result()) == report_html(result())


EVIL = "<script>alert('x')</script>"


def test_every_text_of_the_scenario_is_escaped() -> None:
    result = planned()
    scenario = result.case.scenario.model_copy(
        update={"name": f"Desk {EVIL}", "question": EVIL, "source": f'"{EVIL}'}
    )
    case = replace(result.case, scenario=scenario, variant=EVIL, files={f"{EVIL}.csv": b""})
    look = replace(result.planned.looks[0], missed=(EVIL,), short=(EVIL,))
    html = report_html(replace(result, case=case, planned=replace(result.planned, looks=(look,))))
    assert "<script" not in html.lower()
    assert html.count("&lt;script&gt;") >= 6
    assert "script" not in Page(html).tags


def test_first_screen_answers_the_question() -> None:
    result = planned()
    page = Page(report_html(result).split("<main>")[0] + "</body></html>").text
    head = headline(result)
    assert "How many of us?" in page
    assert result.verdict.capitalize() in page
    assert f"{result.planned.certificate.level:.1%}" in page or result.verdict != "certified"
    assert [fact.says for fact in head.costs] == [
        "cost of the horizon",
        "per request",
        "per handled contact",
    ]
    for fact in (*head.costs, *head.facts):
        assert fact.figure in page
        assert fact.below in page
    valid, model = head.bounds
    assert valid.amount == at_most(result.bound.cost)
    assert "No plan can be cheaper" in valid.says
    assert model.amount == at_most(result.planned.solution.bound)
    # The simulation let shifts go that the shift model's requirement asked for: no contradiction.
    assert result.planned.dropped > 0
    assert model.says == "The shift model alone would not go below"
    assert f"The search went {result.planned.dropped} shift" in model.why
    as_asked = replace(result, planned=replace(result.planned, dropped=0))
    assert "covering these requirements" in headline(as_asked).bounds[1].says
    assert valid.amount in page
    assert model.amount in page
    cheaper = result.planned.cheaper
    assert f"{cheaper.tried} tried, {cheaper.rejected} rejected" in page
    assert re.search(r"\d of 2", head.facts[0].figure)
    assert "closest: call" in page


def with_certificate(**changes: Any) -> PlanResult:
    """The desk's plan with another certificate."""
    result = planned()
    certificate = replace(result.planned.certificate, **changes)
    return replace(result, planned=replace(result.planned, certificate=certificate))


def certificate_of(word: str) -> tuple[Any, ...]:
    """Findings in which the first promise has another word."""
    first, *rest = planned().planned.certificate.findings
    return (replace(first, finding=word), *rest)


def test_a_missed_plan_says_which_promise() -> None:
    result = with_certificate(verdict="missed", findings=certificate_of("misses"))
    head = headline(result)
    assert (head.verdict, head.mark) == ("missed", "bad")
    assert "call, Mon 7 Sep: in 20 s" in head.explained
    assert head.facts[0].figure == "1 of 2"
    assert "feasible" not in report_html(result)


def test_an_undecided_plan_says_how_many_more() -> None:
    findings = certificate_of("not decided")
    result = with_certificate(verdict="not decided", findings=findings, more_blocks=7)
    head = headline(result)
    assert (head.verdict, head.mark) == ("not decided", "open")
    blocks = result.planned.certificate.blocks + 7
    assert f"about {blocks * result.sample.block_size:,} would decide" in head.explained
    nothing = with_certificate(verdict="not decided", findings=findings, more_blocks=0)
    assert "nothing to certify" in headline(nothing).explained


def test_what_the_formulas_got_wrong_is_told() -> None:
    result = planned()
    first = replace(
        result.planned.looks[0], missed=("call: 71%",), short=("call: 71%", "other"), cost=99.0
    )
    later = replace(first, number=2, step="raised", missed=(), short=(), cost=120.0)
    told = Page(
        report_html(replace(result, planned=replace(result.planned, looks=(first, later))))
    ).text
    alone = r"Formulas alone, margin of 1% included: 99[.0]* EUR; simulation refused it: call: 71%"
    assert re.search(alone, told)
    assert "raised the requirement where promises were short (1 round)" in told
    assert "refused: 1 promise missed" in told


def test_invoice_lines_add_up_to_the_total_that_is_shown() -> None:
    result = planned()
    *lines, total = [row[-1].text for row in cost_lines_table(result).rows]
    amounts = [round(100 * float(text.replace(",", ""))) for text in lines]
    assert sum(amounts) == round(100 * float(total.replace(",", "")))
    assert total == f"{result.cost.total.mean:,}"
    assert cost_lines_table(result).rows[0][-1].below == "exact"


def test_worst_intervals_are_the_lowest_with_a_contact_expected() -> None:
    result = planned()
    shown = worst_table(result).rows
    frame = result.tables["intervals"]
    busy = frame[frame["offered"] >= 1].sort_values("service_level")
    assert 0 < len(shown) == min(5, len(busy))
    expected = [f"Mon 7 Sep, {start}" for start in busy["start"][: len(shown)]]
    assert [row[0].text for row in shown] == expected
    assert "agents required" in worst_table(result).columns
    assert "agents required" not in worst_table(simulated()).columns


def test_every_source_is_listed() -> None:
    found = dict(sources(planned().case.scenario, "the whole scenario"))
    assert found == {
        "contact_types.call.demand": "forecast <of> May",
        "agent_groups.desk.shrinkage": "assumption",
    }
    text = resolved_yaml(planned().case)
    assert text.count("source:") == len(found)
    page = Page(report_html(planned())).text
    assert "contact_types.call.demand forecast <of> May" in page


def test_a_promise_table_names_the_formula_and_the_limit() -> None:
    certified, not_certified = promise_table(planned()), promise_table(simulated())
    assert "one-sided limit" in certified.columns
    assert "one-sided limit" not in not_certified.columns
    rows = [[cell.text for cell in row] for row in certified.rows]
    assert rows[0][2] == "answered in time ÷ offered"
    assert rows[1][2] == "lost requests ÷ requests"
    assert all(len(row) == len(certified.columns) for row in rows)


@pytest.mark.parametrize(
    ("lower", "upper", "mark"),
    [(0.81, 0.9, "good"), (0.7, 0.79, "bad"), (0.7, 0.9, "open"), (np.nan, np.nan, "open")],
)
def test_without_a_certificate_the_interval_decides(lower: float, upper: float, mark: str) -> None:
    in_time, lost = planned().kept
    estimate = Estimate(0.8, lower, upper, 0.95, "simulated", 10)
    assert met(replace(in_time, estimate=estimate), None).mark == mark
    # The same numbers, turned round: 80 % answered is 20 % lost.
    turned = Estimate(0.2, 0.08 + 0.8 - upper, 0.08 + 0.8 - lower, 0.95, "simulated", 10)
    assert met(replace(lost, estimate=turned), None).mark == mark


def test_numbers_have_no_more_digits_than_their_interval() -> None:
    def said(value: float, half: float, **more: Any) -> str:
        return str(
            write(Estimate(value, value - half, value + half, 0.95, "simulated", 10), **more)
        )

    assert said(24196.6951, 3.0) == "24,196.7 [24,193.7, 24,199.7]"
    assert said(0.0002, 0.0004, unit="%") == "0.020% [0.000%, 0.060%]".replace(
        "0.020", "0.02"
    ).replace("0.000", "0.00").replace("0.060", "0.06")
    assert said(0.99, 0.04, unit="%") == "99.0% [95.0%, 100.0%]"
    assert said(-12.3, 3, signed=True) == "-12.3 [-15.3, -9.3]"
    assert said(12.3, 13, signed=True) == "+12 [-1, 25]"
    assert said(5.0, 0.0) == "5.00 every block alike"
    assert said(0.0, 0.0) == "0.00 none seen"
    assert said(np.nan, 1.0) == "– nothing offered"
    assert said(5.0, np.nan) == "5.00 no interval: fewer than ten blocks"
    assert str(write(Estimate(5.0, np.nan, np.nan, 0.95, "exact", 0))) == "5.00 exact"
    # 79.96 % is not 80 %, however wide the interval.
    assert said(0.7996, 0.02, unit="%", apart_from=0.8).startswith("79.96%")


@settings(deadline=None, max_examples=80)
@given(value=st.floats(-1e9, 1e9), half=st.floats(1e-6, 1e6), most=st.integers(0, 4))
def test_rounding_stays_well_inside_the_interval(value: float, half: float, most: int) -> None:
    digits = decimals(half, most)
    shown = float(number(value, digits).replace(",", ""))
    # Half a unit of the last digit is at most a twentieth of the half-width, or the most allowed.
    assert abs(shown - value) <= max(half / 20, 0.5 * 10.0**-most) * (1 + 1e-6) + 1e-6


@given(value=st.floats(0, 1e9), digits=st.integers(0, 2))
def test_a_bound_is_never_rounded_up(value: float, digits: int) -> None:
    assert float(at_most(value, digits).replace(",", "")) <= value


def test_csv_cells_are_never_formulas_and_keep_every_digit() -> None:
    frame = pd.DataFrame(
        {
            "=name": ["=1+1", "+1", "-1", "@x", "\tx", "plain"],
            "number": [0.1 + 0.2, -1.5, np.nan, 1e-17, 3.0, 2.0],
            "whole": [1, -2, 3, 4, 5, 6],
        }
    )
    rows = list(csv.reader(csv_text(frame).splitlines()))
    assert rows[0][0] == "'=name"
    assert [row[0] for row in rows[1:]] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "plain"]
    assert float(rows[1][1]) == 0.1 + 0.2
    assert rows[3][1] == ""
    assert [row[2] for row in rows[1:]] == ["1", "-2", "3", "4", "5", "6"]


@pytest.fixture
def quick_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """No plots, where a test is about folders."""
    monkeypatch.setattr(folder_module, "report_html", lambda _: "a page")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, but the one that may differ."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "run.json"
    }


def test_a_folder_reruns_to_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "calls.csv").write_text(
        "weekday,start,call\n"
        + "".join(
            f"mon,{hour:02d}:{minute:02d},{9 if 540 <= 60 * hour + minute < 630 else 0}\n"
            for hour in range(24)
            for minute in (0, 30)
        )
    )
    text = resolved_yaml(desk()).replace("rate: 24 calls/h", "file: data/calls.csv")
    text += "variants:\n  quiet:\n    contact_types: {call: {demand: {scale: 0.8}}}\n"
    (tmp_path / "desk.yaml").write_text(text)

    def run(scenario: Path, out: Path, **info: Any) -> Path:
        result = study.plan(scenario, variant="quiet", seed=4, workers=1)
        return write_results(result, out, run_info={**RUN, **info})

    first = run(tmp_path / "desk.yaml", tmp_path / "first")
    rerun = json.loads((first / "provenance.json").read_text())
    assert rerun["reruns_from_file"]
    assert rerun["command"] == "plan"
    assert rerun["seed"] == 4
    assert list(rerun["files"]) == ["data/calls.csv"]
    (command,) = rerun["rerun"]
    words = shlex.split(command)
    assert words == ["ccsim", "plan", "scenario/scenario.yaml", "--variant", "quiet", "--seed", "4"]
    second = run(first / words[2], tmp_path / "second", seconds=2.0)
    assert contents(first) == contents(second)
    assert (first / "run.json").read_bytes() != (second / "run.json").read_bytes()
    assert {"report.html", "schedule.csv", "schedule.xlsx", "provenance.json"} <= set(
        contents(first)
    )


@pytest.mark.parametrize("result", RESULTS, ids=lambda make: make.__name__)
def test_what_a_folder_holds(result: Any, tmp_path: Path) -> None:
    made: PlanResult | Simulation | Comparison = result()
    folder = write_results(made, tmp_path / "deep" / "below", run_info=RUN)
    held = contents(folder)
    assert {f"tables/{name}.csv" for name in made.tables} <= set(held)
    assert json.loads((folder / "run.json").read_text()) == RUN
    assert held["report.html"].decode() == report_html(made)
    kept = json.loads(held["provenance.json"])
    assert kept["reruns_from_file"]
    assert set(kept["versions"]) >= {
        "ccsim",
        "python",
        "numpy",
        "scipy",
        "simpy",
        "pulp",
        "highspy",
    }
    for command in kept["rerun"]:
        named = [word for word in shlex.split(command) if word.endswith((".yaml", ".xlsx"))]
        assert all((folder / name).is_file() for name in named)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["below"]


@pytest.mark.usefixtures("quick_page")
def test_a_case_made_in_python_says_that_no_file_reruns_it(tmp_path: Path) -> None:
    result = simulated()
    case = replace(result.case, demand={"call": result.case.demand["call"] * 1.01})
    folder = write_results(replace(result, case=case), tmp_path / "out", run_info=RUN)
    assert not json.loads((folder / "provenance.json").read_text())["reruns_from_file"]


@pytest.mark.usefixtures("quick_page")
def test_an_existing_folder_is_refused_and_replaced_only_if_ours(tmp_path: Path) -> None:
    ours = write_results(simulated(), tmp_path / "ours", run_info=RUN)
    (ours / "stale.txt").write_text("old")
    with pytest.raises(CcsimError, match="exists already"):
        write_results(simulated(), ours, run_info=RUN)
    assert (ours / "stale.txt").exists()
    write_results(simulated(), ours, overwrite=True, run_info=RUN)
    assert not (ours / "stale.txt").exists()
    assert (ours / "report.html").exists()

    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    (precious / "provenance.json").write_text('{"schema": "other"}')
    link = tmp_path / "link"
    link.symlink_to(ours)
    plain = tmp_path / "file"
    plain.write_text("")
    for place in (precious, link, plain):
        with pytest.raises(CcsimError, match="not a results folder of ccsim"):
            write_results(simulated(), place, overwrite=True, run_info=RUN)
        with pytest.raises(CcsimError, match="exists already"):
            refuse_folder(place)
    assert (precious / "thesis.txt").read_text() == "years of work"
    refuse_folder(tmp_path / "new")


@pytest.mark.usefixtures("quick_page")
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("moment", ["write_plan_excel", "report_html", "_move"])
def test_a_failure_leaves_nothing_behind(
    error: BaseException, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write_results(simulated(), tmp_path / "out", run_info=RUN)
    before = contents(old)

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(folder_module, moment, fail)
    expected = CcsimError if isinstance(error, OSError) else KeyboardInterrupt
    for place, overwrite in ((tmp_path / "new", False), (old, True)):
        with pytest.raises(expected):
            write_results(simulated(), place, overwrite=overwrite, run_info=RUN)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert contents(old) == before


@pytest.mark.usefixtures("quick_page")
def test_the_old_folder_comes_back_if_the_new_one_cannot_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write_results(simulated(), tmp_path / "out", run_info=RUN)
    before = contents(old)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if ".partial" in self.name:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(CcsimError, match="Input/output error"):
        write_results(simulated(), old, overwrite=True, run_info=RUN)
    assert contents(old) == before
    assert os.listdir(tmp_path) == ["out"]  # noqa: PTH208 - names alone


@pytest.mark.usefixtures("quick_page")
def test_the_folder_has_ordinary_permissions(tmp_path: Path) -> None:
    folder = write_results(simulated(), tmp_path / "out", run_info=RUN)
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    assert folder.stat().st_mode == ordinary.stat().st_mode
