"""Plots show the numbers they say they show; same result, same bytes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ccsim import plots, study
from ccsim.performance.words import judged
from ccsim.plans import StaffingPlan
from ccsim.reporting import report_html
from ccsim.scenario.targets import parse_target
from tests.desk import desk, planned, simulated

BY_INTERVAL = (
    plots.plot_staffing,
    plots.plot_service,
    plots.plot_speed_of_answer,
    plots.plot_abandonment,
)


def line(ax: Axes, label: str) -> np.ndarray:
    """The steps of a labelled line, one value for each interval."""
    (found,) = [one for one in ax.get_lines() if one.get_label() == label]
    assert isinstance(found, Line2D)
    values = np.asarray(found.get_ydata(), dtype=float)
    np.testing.assert_array_equal(values[::2], values[1::2])
    return values[::2]


def test_staffing_draws_the_requirement_and_who_is_expected() -> None:
    result = planned()
    ax = plots.plot_staffing(result, day=0)
    coverage = result.tables["coverage"]
    np.testing.assert_array_equal(line(ax, "required"), coverage["required"])
    np.testing.assert_allclose(line(ax, "expected on the floor"), coverage["expected_present"])
    scheduled = result.tables["scheduled"]["scheduled"]
    np.testing.assert_allclose(line(ax, "scheduled"), scheduled)
    assert ax.get_ylabel() == "agents on the floor"
    assert "Europe/Berlin" in ax.get_xlabel()


def test_too_many_and_too_few_are_marked_only_where_there_are_any() -> None:
    result = planned()
    nobody = StaffingPlan(by_interval={"desk": (0,) * result.case.grid.intervals})
    crowd = StaffingPlan(by_interval={"desk": (50,) * result.case.grid.intervals})
    for plan, short in ((nobody, True), (crowd, False)):
        other = replace(result, planned=replace(result.planned, plan=plan))
        labels = plots.plot_staffing(other, day=0).get_legend_handles_labels()[1]
        assert ("fewer than required" in labels) == short


def test_a_simulation_has_no_requirement() -> None:
    labels = plots.plot_staffing(simulated()).get_legend_handles_labels()[1]
    assert labels == ["expected on the floor", "scheduled"]


def test_requirement_of_a_named_row() -> None:
    ax = plots.plot_staffing(planned(), contact_types="call")
    row = planned().planned.formulas.row("call")
    np.testing.assert_array_equal(line(ax, "required"), row.agents)
    with pytest.raises(KeyError, match="sales"):
        plots.plot_staffing(planned(), contact_types="sales")


@pytest.mark.parametrize(
    ("plot", "ratio"),
    [
        (plots.plot_service, "service_level"),
        (plots.plot_speed_of_answer, "speed_of_answer"),
        (plots.plot_abandonment, "abandoned"),
    ],
)
def test_lines_are_the_estimates_while_open(plot: plots.Plot, ratio: str) -> None:
    result = planned()
    is_open = result.case.grid.opening(result.case.scenario.contact_types["call"].open)
    estimate = result.sample.intervals.estimates(ratio)
    ax = plot(result)
    drawn = line(ax, "call")
    np.testing.assert_array_equal(drawn[is_open], estimate.value[0][is_open])
    assert np.isnan(drawn[~is_open]).all()
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.max() == pytest.approx(estimate.upper[0][is_open].max())
    assert heights.min() == pytest.approx(max(estimate.lower[0][is_open].min(), 0))
    assert "[" in ax.get_ylabel()


def test_service_draws_its_target_and_shows_it() -> None:
    ax = plots.plot_service(planned(), day=0)
    (target,) = [one for one in ax.get_lines() if "target" in str(one.get_label())]
    assert target.get_label() == "target 80% within 20 s"
    assert set(target.get_ydata()) == {0.8}
    bottom, top = ax.get_ylim()
    assert bottom < 0.8 < top


def test_room_of_a_promise_is_right_of_the_line_when_kept() -> None:
    result = planned()
    ax = plots.plot_promises(result)
    dots = [one for one in ax.get_lines() if one.get_marker() in {"o", "X"}]
    in_time, lost = result.kept
    assert dots[0].get_xdata()[0] == pytest.approx(100 * (in_time.estimate.value - 0.80))
    assert dots[1].get_xdata()[0] == pytest.approx(100 * (0.08 - lost.estimate.value))
    texts = [text.get_text() for text in ax.texts]
    assert f"{in_time.share_of_days.value:.0%}" in texts  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("sentence", "bound"),
    [
        ("80% answered within 20 s, over each day, on at least 90% of days", 0.9),
        ("average speed of answer at most 9 s, over each day", 9.0),
    ],
)
def test_other_kinds_of_promise_are_judged_by_what_they_bound(sentence: str, bound: float) -> None:
    first = planned().kept[0]
    promised = replace(first, promise=replace(first.promise, target=parse_target(sentence)))
    estimate, target = judged(promised)
    assert target == bound
    assert estimate is (first.share_of_days if bound == 0.9 else first.estimate)
    ax = plots.plot_promises(replace(planned(), kept=(promised,)))
    (dot,) = [one for one in ax.get_lines() if one.get_marker() in {"o", "X"}]
    sign = 100 if bound == 0.9 else -1
    assert dot.get_xdata()[0] == pytest.approx(sign * (estimate.value - bound))


def test_cost_bars_add_up_to_the_total() -> None:
    result = planned()
    ax = plots.plot_cost(result)
    widths = [bar.get_width() for bar in ax.patches]
    assert sum(widths) == pytest.approx(float(result.cost.total.mean))
    assert len(widths) == sum(1 for one in result.cost.lines if one.amount)
    assert "EUR" in ax.get_xlabel()


def test_given_axes_are_used_and_given_back() -> None:
    ax = Figure().subplots()
    assert plots.plot_service(planned(), ax=ax, day=0) is ax


def test_no_such_day() -> None:
    with pytest.raises(ValueError, match="day=7: the horizon has days 0 to 0"):
        plots.plot_staffing(planned(), day=7)


def test_a_long_horizon_names_only_some_days() -> None:
    horizon = {"start": "2026-09-01", "days": 30, "interval": "60 min", "begins": "empty"}
    case = desk(
        horizon=horizon,
        contact_types={"call": {"demand": {"rate": "0.1 calls/h"}, "talk_time": "3 min"}},
        shifts={},
        agent_groups={"desk": {"skills": {"call": {}}, "rate_card": "own"}},
    )
    plan = StaffingPlan(by_interval={"desk": (1,) * case.grid.intervals})
    result = study.simulate(case, plan, replications=32, workers=1)
    labels = [text.get_text() for text in plots.plot_staffing(result).get_xticklabels()]
    assert labels[:2] == ["Tue 1 Sep", "Fri 4 Sep"]
    assert len(labels) == 10
    page = report_html(result)  # which promises nothing, and has nobody who gives up
    assert "The scenario makes no promise." in page
    assert "Nobody ever gives up in this scenario" in page
    assert "Wed 30 Sep" not in page.split('id="intervals"')[1].split('id="worst"')[0]


def test_clock_times_on_the_day_clocks_go_forward() -> None:
    horizon = {"start": "2026-03-29", "days": 2, "interval": "60 min", "begins": "empty"}
    case = desk(
        horizon=horizon,
        contact_types={"call": {"demand": {"rate": "2 calls/h"}, "talk_time": "3 min"}},
        shifts={},
        agent_groups={"desk": {"skills": {"call": {}}, "rate_card": "own"}},
    )
    plan = StaffingPlan(by_interval={"desk": (2,) * case.grid.intervals})
    result = study.simulate(case, plan, replications=32, workers=1)
    ax = plots.plot_staffing(result, day=0)
    shown = {
        text.get_text(): float(x)
        for text, x in zip(ax.get_xticklabels(), ax.get_xticks(), strict=True)
    }
    assert shown["00"] == 0
    assert shown["04"] == 3  # an hour is missing
    assert shown["24"] == 23
    week = plots.plot_staffing(result)
    assert [text.get_text() for text in week.get_xticklabels()] == ["Sun 29 Mar", "Mon 30 Mar"]
    assert list(week.get_xticks()) == [0, 23]
    panels = [ax for ax in plots.by_day(plots.plot_staffing, result).axes if ax.get_visible()]
    assert [ax.get_title(loc="left") for ax in panels] == ["Sun 29 Mar", "Mon 30 Mar"]


@pytest.mark.parametrize("plot", BY_INTERVAL, ids=lambda plot: plot.__name__)
def test_same_bytes_whatever_the_users_settings(plot: plots.Plot) -> None:
    once = plots.figure_svg(plots.by_day(plot, planned()), "x")
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.grid": True}):
        before = dict(mpl.rcParams)
        again = plots.figure_svg(plots.by_day(plot, planned()), "x")
        assert dict(mpl.rcParams) == before
    assert again == once
    assert "<text" in once
    assert "date" not in once.lower()


def test_svg_is_well_formed_and_several_fit_into_one_page() -> None:
    figures = [
        plots.figure_svg(plots.by_day(plot, planned()), plot.__name__)  # type: ignore[attr-defined]
        for plot in BY_INTERVAL
    ]
    page = ElementTree.fromstring(f"<page>{''.join(figures)}</page>")
    names = [one.get("id") for one in page.iter() if one.get("id") is not None]
    assert len(names) == len(set(names))


def test_the_current_figure_is_left_alone() -> None:
    code = "import sys, ccsim.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
