"""Plots of a result, each onto axes of your own or new ones: `plot_staffing(result, day=0)`.

Every function draws one day, or the whole horizon, in local clock times and returns its axes;
`by_day` lays one of them out day by day. Nothing is kept between calls: figures are objects of
their own, never the current one. Colours are told apart by the colour-blind too (Okabe and Ito),
and lines by their dashes when printed in grey. This is the only file that imports matplotlib.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Protocol

import matplotlib as mpl
import matplotlib.style
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from ccsim.demand.attendance import expected_agents
from ccsim.performance.tally import measuring_rules
from ccsim.performance.words import (
    day_name,
    item_name,
    judged,
    judged_in_seconds,
    judged_sense,
    said,
    short_name,
)
from ccsim.plans import scheduled_agents
from ccsim.results import PlanResult, Simulation
from ccsim.scenario import Case
from ccsim.scenario.units import write_duration, write_share
from ccsim.staffing.requirement import RequirementRow

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Result = PlanResult | Simulation

INK, GREY, PALE = "#1F2933", "#697782", "#E4E9ED"
BLUE, SKY, SHORT, GOOD = "#0072B2", "#A9D3EC", "#D55E00", "#009E73"
TYPE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A6D00", "#56B4E9")
"""One for each contact type, in the order of the scenario."""
TYPE_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (7, 1.5, 1.5, 1.5)))
_STYLE = {
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.edgecolor": "#9AA5B1",
    "axes.labelcolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "none",
    "text.parse_math": False,
}


class Plot(Protocol):
    """A function that draws a result by interval."""

    def __call__(self, result: Result, *, ax: Axes | None = None, day: int | None = None) -> Axes:
        """Draw a day, or the whole horizon."""
        ...


@contextmanager
def _house_style() -> Iterator[None]:
    """Our style, whatever the user's own matplotlib settings are, and theirs again afterwards."""
    with matplotlib.style.context(["default", _STYLE]):
        yield


@dataclass(frozen=True, eq=False)
class _Span:
    """Which intervals are drawn, and where: hours since the start of the day or the horizon."""

    chosen: Flags
    corners: Floats

    def steps(self, values: Floats) -> Floats:
        """Values of the chosen intervals at both their ends, so that lines become steps."""
        return np.repeat(values[self.chosen], 2)


def plot_staffing(
    result: Result,
    *,
    ax: Axes | None = None,
    day: int | None = None,
    contact_types: str | None = None,
) -> Axes:
    """Agents required, expected on the floor, and too many or too few, by interval.

    Parameters
    ----------
    result : PlanResult or Simulation
        A simulation of a given plan has no requirement; then agents alone are drawn.
    ax : Axes, optional
        Where to draw; new axes if not given.
    day : int, optional
        Which day, counted from 0; the whole horizon if not given.
    contact_types : str, optional
        Contact types covered together, as ``billing+technical``; by default everything that hangs
        together by shared agents, added up.

    Notes
    -----
    Required are agents by formula with what the search raised (approximate); expected on the floor
    is scheduled less breaks and less the mean of absence, log-in, lateness and leaving early.
    """
    case = result.case
    rows = _rows(result, contact_types)
    groups = {group for row in rows for group in row.groups} or set(case.scenario.agent_groups)
    scheduled = scheduled_agents(
        result.plan, case.grid, cyclic=case.scenario.horizon.begins == "cyclic"
    )
    nobody = np.zeros(case.grid.intervals)
    planned, present, expected = nobody, nobody, expected_agents(result.plan, case)
    for name in case.scenario.agent_groups:
        if name in groups:
            planned = planned + scheduled.get(name, nobody)
            present = present + expected[name]
    needed = np.sum([row.agents for row in rows], axis=0) if rows else None
    with _house_style():
        ax = _axes(ax)
        span = _span(case, day)
        at, there = span.corners, span.steps(present)
        if needed is None:
            ax.fill_between(at, 0, there, color=SKY, lw=0, alpha=0.6)
        else:
            _over_and_under(ax, at, span.steps(needed.astype(np.float64)), there)
        ax.plot(at, there, color=BLUE, lw=1.3, label="expected on the floor")
        if not np.allclose(planned, present):
            ax.plot(at, span.steps(planned), color=GREY, lw=0.9, ls=":", label="scheduled")
        ax.set_ylim(bottom=0)
        ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        _finish(ax, case, day, "agents on the floor")
    return ax


def plot_service(result: Result, *, ax: Axes | None = None, day: int | None = None) -> Axes:
    """Service level by interval of each contact type with its 95 % band, against the target."""
    with _house_style():
        ax = _by_type(result, "service_level", ax, day, most=1.0)
        drawn = set()
        for given, thresholds in zip(
            result.case.scenario.contact_types.values(),
            measuring_rules(result.case.scenario).thresholds,
            strict=True,
        ):
            for target in given.targets:
                if target.metric == "answered within" and target.threshold == thresholds[0]:
                    drawn.add((target.value, target.threshold))
        for value, threshold in sorted(drawn):
            named = f"target {write_share(value)} within {write_duration(threshold)}"
            ax.axhline(value, color=INK, lw=1, ls=(0, (4, 2)), label=named)
        seen = _while_open(result, "service_level")[0]
        seen = seen[np.isfinite(seen)]
        least = min([float(seen.min(initial=1.0)), *(value for value, _ in drawn)])
        ax.set_ylim(max(0.0, np.floor(5 * (least - 0.1)) / 5), 1.01)
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        _finish(ax, result.case, day, "service level [%]")
    return ax


def plot_speed_of_answer(result: Result, *, ax: Axes | None = None, day: int | None = None) -> Axes:
    """Mean wait of answered contacts by interval of arrival, with its 95 % band."""
    with _house_style():
        ax = _by_type(result, "speed_of_answer", ax, day)
        _finish(ax, result.case, day, "speed of answer [s]")
    return ax


def plot_abandonment(result: Result, *, ax: Axes | None = None, day: int | None = None) -> Axes:
    """Share of offered contacts that abandon by interval of arrival, with its 95 % band."""
    with _house_style():
        ax = _by_type(result, "abandoned", ax, day, most=1.0)
        ax.yaxis.set_major_formatter(PercentFormatter(1.0))
        _finish(ax, result.case, day, "abandoned [% of offered]")
    return ax


def plot_promises(result: Result, *, ax: Axes | None = None) -> Axes:
    """How much room each promise has: its estimate with interval, as distance from the target.

    To the right of the line the promise holds, to the left it is broken, whichever way it is
    worded. In percentage points; for a speed of answer, in seconds.
    """
    kept = result.kept
    with _house_style():
        ax = _axes(ax, height=1.1 + 0.27 * max(len(kept), 2))
        limits = [0.0]
        for row, one in enumerate(kept):
            estimate, target = judged(one)
            scale = 1.0 if judged_in_seconds(one.promise.target) else 100.0
            sign = scale if judged_sense(one.promise.target) == "at least" else -scale
            room, low, high = (
                sign * (value - target)
                for value in (estimate.value, estimate.lower, estimate.upper)
            )
            limits += [number for number in (room, low, high) if np.isfinite(number)]
            colour = GOOD if room >= 0 else SHORT
            ax.plot([low, high], [row, row], color=colour, lw=2.2, solid_capstyle="butt")
            ax.plot(room, row, color=colour, ms=5.5, ls="", marker="o" if room >= 0 else "X")
            _columns(ax, row, said(one), INK)
        _columns(ax, -0.75, ("simulated", "promised", "share of days"), GREY)
        ax.axvline(0, color=INK, lw=1)
        width = max(max(limits) - min(limits), 1e-6)
        ax.set_xlim(min(limits) - 0.06 * width, max(limits) + 0.06 * width)
        ax.set_ylim(max(len(kept), 1) - 0.4, -0.6)
        ax.set_yticks(range(len(kept)), [short_name(one, result.case.grid) for one in kept])
        ax.grid(visible=False, axis="y")
        ax.grid(visible=True, axis="x")
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.spines["left"].set_visible(False)
        unit = "percentage points"
        if any(judged_in_seconds(one.promise.target) for one in kept):
            unit += ", or seconds for a speed of answer"
        ax.set_xlabel(f"room beyond the target, with 95 % interval [{unit}]")
    return ax


def plot_cost(result: Result, *, ax: Axes | None = None) -> Axes:
    """What the horizon costs, line by line of the invoice; the bars add up to the total."""
    cost = result.cost
    lines = [line for line in cost.lines if line.amount]
    with _house_style():
        ax = _axes(ax, height=0.9 + 0.3 * max(len(lines), 2))
        total = float(cost.total.mean)
        for row, line in enumerate(lines):
            amount = float(line.amount)
            ax.barh(row, amount, height=0.62, color=BLUE)
            ax.annotate(
                f"{amount:,.0f}  ({amount / total:.1%})",
                (amount, row),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
            )
        names = [
            " · ".join(
                part for part in (line.group, item_name(line.item), line.contact_type) if part
            )
            for line in lines
        ]
        ax.set_yticks(range(len(lines)), names)
        ax.set_ylim(max(len(lines), 1) - 0.4, -0.6)
        ax.set_xlim(0, 1.18 * max((float(line.amount) for line in lines), default=1.0))
        ax.grid(visible=False, axis="y")
        ax.grid(visible=True, axis="x")
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.xaxis.set_major_formatter("{x:,.0f}")
        ax.set_xlabel(f"expected cost of the horizon [{cost.currency}], {total:,.2f} in all")
    return ax


def by_day(plot: Plot, result: Result, *, columns: int = 4, height: float = 1.75) -> Figure:
    """Lay a plot out day by day, all days to the same scale.

    Examples
    --------
    ``by_day(plot_service, result).savefig("week.png")``
    """
    grid = result.case.grid
    across = min(columns, grid.days)
    down = -(-grid.days // across)
    with _house_style():
        figure = Figure(
            figsize=(11, 0.75 + (height if down > 1 else 1.5 * height) * down),
            layout="constrained",
        )
        panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        handles: dict[str, Artist] = {}
        for number, ax in enumerate(panels.ravel()):
            if number >= grid.days:
                ax.set_visible(False)
                continue
            plot(result, ax=ax, day=number)
            found, labels = ax.get_legend_handles_labels()
            handles |= dict(zip(labels, found, strict=True))
            if ax.get_legend() is not None:
                ax.get_legend().remove()
            ax.set_title(day_name(grid.dates[number]), loc="left")
            ax.set_title("", loc="right")
            ax.set_xlabel("")
            ax.tick_params(labelbottom=True)
            if number % across:
                ax.set_ylabel("")
        _whole_days(panels[0, 0], result.case, across)
        last = panels[-1, 0] if grid.days else panels[0, 0]
        last.set_xlabel(f"local time [h], {grid.time_zone}")
        if handles:
            figure.legend(
                list(handles.values()), list(handles), loc="outside upper left", ncols=len(handles)
            )
    return figure


def figure_svg(drawn: Figure | Axes, name: str) -> str:
    """SVG to put into a page: the same bytes for the same figure, text as text, no date.

    Parameters
    ----------
    drawn : Figure or Axes
        What to write; of axes, the figure they belong to.
    name : str
        Keys the identifiers inside, so that several figures can stand in one page.
    """
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    if figure is None:
        raise ValueError("drawn: these axes belong to no figure any more")
    text = StringIO()
    with _house_style(), mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    # Names that nothing refers to would stand in a page several times.
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', svg))
    svg = re.sub(r'(<\w+) id="([^"]+)"', lambda tag: tag[0] if tag[2] in used else tag[1], svg)
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # A hundredth of a point is finer than any screen or printer.
    return re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)


def covering_rows(rows: Sequence[RequirementRow]) -> tuple[RequirementRow, ...]:
    """The widest rows of a requirement: of contact types that hang together, all at once."""
    return tuple(
        row
        for row in rows
        if not any(set(row.contact_types) < set(other.contact_types) for other in rows)
    )


def _rows(result: Result, contact_types: str | None) -> tuple[RequirementRow, ...]:
    if isinstance(result, Simulation):
        return ()
    requirement = result.planned.formulas
    if contact_types is not None:
        return (requirement.row(*contact_types.split("+")),)
    return covering_rows(requirement.rows)


def _over_and_under(ax: Axes, at: Floats, needed: Floats, there: Floats) -> None:
    both = np.minimum(needed, there)
    ax.fill_between(at, 0, both, color=PALE, lw=0)
    ax.fill_between(at, both, there, color=SKY, lw=0, label="more than required")
    if np.any(needed > there):
        ax.fill_between(
            at,
            both,
            needed,
            facecolor="#F7C9A9",
            edgecolor=SHORT,
            hatch="////",
            lw=0,
            label="fewer than required",
        )
    ax.plot(at, needed, color=INK, lw=1.5, label="required")


def _by_type(
    result: Result, ratio: str, ax: Axes | None, day: int | None, most: float = np.inf
) -> Axes:
    """A line with its band for each contact type, in the intervals in which it is open."""
    case = result.case
    estimates = _while_open(result, ratio)
    ax = _axes(ax)
    span = _span(case, day)
    highest = 0.0
    for index, name in enumerate(case.scenario.contact_types):
        value, lower, upper = (numbers[index] for numbers in estimates)
        colour = TYPE_COLOURS[index % len(TYPE_COLOURS)]
        low, high = (span.steps(np.clip(limit, 0, most)) for limit in (lower, upper))
        ax.fill_between(span.corners, low, high, color=colour, alpha=0.2, lw=0)
        dashes = TYPE_DASHES[index % len(TYPE_DASHES)]
        ax.plot(span.corners, span.steps(value), color=colour, ls=dashes, lw=1.3, label=name)
        # The same for every day. A band far wider than its line is cut, or all lines were flat.
        highest = max(highest, np.max(value, initial=0, where=np.isfinite(value)))
    ax.set_ylim(0, min(1.6 * highest, 1.02 * most) or 1.0)
    return ax


def _while_open(result: Result, ratio: str) -> tuple[Floats, Floats, Floats]:
    """Value and limits by contact type and interval, NaN where the contact type is closed."""
    case = result.case
    scenario = case.scenario
    is_open = np.stack([case.grid.opening(scenario.hours(c)) for c in scenario.contact_types])
    found = result.sample.intervals.estimates(ratio)
    value, lower, upper = (
        np.where(is_open, numbers, np.nan) for numbers in (found.value, found.lower, found.upper)
    )
    return value, lower, upper


def _axes(ax: Axes | None, height: float = 2.9) -> Axes:
    if ax is not None:
        return ax
    figure = Figure(figsize=(11, height), layout="constrained")
    return figure.subplots()


def _span(case: Case, day: int | None) -> _Span:
    grid = case.grid
    chosen = np.ones(grid.intervals, dtype=bool) if day is None else grid.day == day
    if not chosen.any():
        raise ValueError(f"day={day}: the horizon has days 0 to {grid.days - 1}")
    starts = grid.starts[chosen] - (0 if day is None else grid.day_starts[day])
    return _Span(chosen, np.column_stack([starts, starts + grid.interval_us]).ravel() / 3.6e9)


def _finish(ax: Axes, case: Case, day: int | None, label: str) -> None:
    """Axes in local clock times, a label with its unit, and a legend above."""
    grid = case.grid
    ax.set_ylabel(label)
    if day is None and grid.days > 1:
        ax.set_xlim(0, grid.end / 3.6e9)
        every = -(-grid.days // 14)
        ticks = grid.day_starts[:-1:every] / 3.6e9
        ax.set_xticks(ticks, [day_name(one) for one in grid.dates[::every]], ha="left")
        ax.grid(visible=True, axis="x")
        ax.set_xlabel(f"local date, {grid.time_zone}")
    else:
        _whole_days(ax, case, 1, day or 0)
        ax.set_xlabel(f"local time [h], {grid.time_zone}")
    handles, labels = ax.get_legend_handles_labels()
    if labels:
        ax.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=len(labels),
            borderaxespad=0.2,
            borderpad=0,
        )
    if day is not None:
        ax.set_title(day_name(grid.dates[day]), loc="right")


def _whole_days(ax: Axes, case: Case, across: int, day: int | None = None) -> None:
    """Ticks at full local hours, over the hours in which anything is open or anybody works."""
    grid = case.grid
    is_open = np.any(
        [grid.opening(case.scenario.hours(name)) for name in case.scenario.contact_types], axis=0
    )
    hours = (grid.starts - grid.day_starts[grid.day]) / 3.6e9
    first, last = float(hours[is_open].min(initial=24)), float(hours[is_open].max(initial=0))
    last += grid.interval_us / 3.6e9
    if first >= last:
        first, last = 0.0, 24.0
    of_day = grid.day == (day or 0)
    ticks_at_most = 18 / min(across, 3)
    steps = [step for step in (1, 2, 3, 4, 6) if (last - first) / step <= ticks_at_most]
    step = steps[0] if steps else 12
    at = of_day & (grid.minute % (60 * step) == 0)
    ticks = [*hours[at].tolist(), float(hours[of_day][-1] + grid.interval_us / 3.6e9)]
    labels = [f"{minute // 60:02d}" for minute in grid.minute[at].tolist()] + ["24"]
    ax.set_xticks(ticks, labels)
    ax.set_xlim(first, last)


def _columns(ax: Axes, row: float, texts: Sequence[str], colour: str) -> None:
    """Words in columns to the right of a plot."""
    for points, text in zip((12, 74, 126), texts, strict=True):
        ax.annotate(
            text,
            (1, row),
            xycoords=ax.get_yaxis_transform(),
            xytext=(points, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=colour,
            annotation_clip=False,
        )
