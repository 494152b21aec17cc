"""The schedule as CSV and Excel, made to be edited and read back by `read_plan`.

One row is a number of agents who work the same shift with the same breaks, in local time; how times
are written is told in `ccsim.plans.local_time`. The same plan gives the same bytes every time.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from io import BytesIO, StringIO
from itertools import groupby
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccsim.errors import PlanError
from ccsim.plans.coverage import scheduled_agents
from ccsim.plans.local_time import MINUTE_US, local_time, write_next_time
from ccsim.plans.plan import PlacedShift, Schedule, StaffingPlan
from ccsim.scenario.calendar import HOUR_US, LocalClock
from ccsim.scenario.case import Case

if TYPE_CHECKING:
    import pandas as pd

SCHEDULE_COLUMNS = ("group", "shift", "date", "start", "end", "agents")
"""Columns of a schedule, before ``break_1``, ``break_2`` and so on."""
ZONE_COLUMN = "time_zone"
"""By whose clock a row is written: only there where groups work in other time zones."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
"""Names of groups and shifts, as in a scenario: no cell can begin like a formula."""
LONGEST = 24 * HOUR_US
"""The longest shift [µs]; longer ones are two."""

Row = tuple[str | int, ...]

READ_ME = """\
How to edit this plan and see what it gives

1. Change the sheet "schedule" (and "staffing", where there is one), save, and run
       ccsim simulate SCENARIO.yaml --plan THIS_FILE.xlsx
   The other sheets are for reading only; they are not read back.

2. One row is so many agents of a group who work the same shift with the same breaks. Add, copy or
   delete rows in any order; equal rows add up. Remarks go into a column "note".

3. "group" is an agent group of the scenario. "shift" is any name (letters, digits, _): one that the
   scenario does not know is fine, and so are other lengths and breaks than it has.

4. "date" is the day on which the shift starts, written 2026-09-06. Times are local ({zone}),
   written 07:30, as text. An end or a break is the next such time after the start: 22:00 to 06:00
   ends on the next morning, 07:00 to 07:00 lasts a day. No shift is longer than 24 h; write two.

5. Breaks stand in time order, one a column: 10:15-10:30, or 10:15-10:30 paid. For more of them add
   columns break_3, break_4 and so on.

6. When clocks go back, 02:30B is the second 02:30, and a bare 02:30 the first that lies ahead. When
   they go forward, the skipped hour is refused. Lengths are real time, on those days too. 12:30+1
   is 12:30 on the day after "date".

7. "staffing" holds agents on the floor of groups without shifts, a row for each interval.
"""


def merged(schedule: Iterable[PlacedShift]) -> Schedule:
    """The schedule in its one order, agents of equal shifts added up, shifts of nobody left out.

    Examples
    --------
    >>> from ccsim.plans.plan import PlacedShift
    >>> early = PlacedShift("desk", start=0, shift="early", length=HOUR_US, agents=2)
    >>> merged([early, early])[0].agents
    4
    """

    def alike(shift: PlacedShift) -> PlacedShift:
        return replace(shift, agents=1)

    together = groupby(sorted(schedule, key=alike), key=alike)
    summed = [replace(one, agents=sum(shift.agents for shift in same)) for one, same in together]
    return tuple(shift for shift in summed if shift.agents)


def write_plan_csv(plan: StaffingPlan, case: Case, folder: Path | str) -> tuple[Path, ...]:
    """Write ``schedule.csv`` and, where groups are staffed by interval, ``staffing.csv``.

    Files of these names in the folder are replaced; a ``staffing.csv`` that this plan does not have
    is removed, so that the folder reads back as this plan.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    PlanError
        If the plan has what no file can say: a shift over 24 h, a time within a minute.
    """
    folder = Path(folder)
    tables = {"schedule.csv": schedule_rows(plan, case), "staffing.csv": staffing_rows(plan, case)}
    if not plan.by_interval:
        del tables["staffing.csv"]
        (folder / "staffing.csv").unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        (folder / name).write_bytes(text.getvalue().encode())
    return tuple(folder / name for name in tables)


def write_plan_excel(
    plan: StaffingPlan,
    case: Case,
    path: Path | str,
    extra_sheets: Mapping[str, pd.DataFrame] | None = None,
) -> None:
    """Write the workbook that a planner opens, edits and reads back.

    Parameters
    ----------
    plan, case
        What to write, and the scenario it belongs to.
    path : Path or str
        The ``.xlsx`` file; one that exists is replaced.
    extra_sheets : mapping of str to DataFrame, optional
        More tables to look at, by the name of their sheet; not read back.

    Raises
    ------
    PlanError
        If the plan has what no file can say: a shift over 24 h, a time within a minute.
    """
    import xlsxwriter

    schedule, staffing = schedule_rows(plan, case), staffing_rows(plan, case)
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    content = BytesIO()
    with xlsxwriter.Workbook(content, {**options, "in_memory": True}) as book:
        # A fixed date, or no two files would be alike.
        book.set_properties({"title": case.title, "created": datetime(2000, 1, 1)})
        formats = {
            "header": book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EEF4"}),
            "text": book.add_format({"num_format": "@"}),  # so that 07:30 stays what was typed
            "title": book.add_format({"bold": True}),
        }
        _table(book, "schedule", schedule, formats)
        if plan.by_interval:
            _table(book, "staffing", staffing, formats)
        _coverage(book, plan, case, formats)
        for name, frame in (extra_sheets or {}).items():
            rows = [tuple(map(str, frame.columns)), *frame.itertuples(index=False, name=None)]
            _table(book, name, rows, formats)
        _read_me(book, case, formats)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(content.getvalue())


def schedule_rows(plan: StaffingPlan, case: Case) -> list[Row]:
    """The schedule as a header and rows of text, times by the clocks where a group works."""
    schedule = merged(plan.schedule)
    rows, problems = [], []
    for shift in schedule:
        try:
            rows.append(_schedule_row(shift, case))
        except ValueError as error:
            problems.append(f"a {shift.shift!r} shift of {shift.group!r} {error}")
    if problems:
        raise PlanError("\n".join(dict.fromkeys(problems)))
    most = max((len(shift.breaks) for shift in schedule), default=0)
    zoned = (ZONE_COLUMN,) if zones_apart(case) else ()
    header = (*SCHEDULE_COLUMNS, *zoned, *(f"break_{number}" for number in range(1, most + 1)))
    return [header, *(row + ("",) * (len(header) - len(row)) for row in rows)]


def zones_apart(case: Case) -> dict[str, str]:
    """The agent groups whose shifts are written by other clocks than the scenario's."""
    scenario = case.scenario
    return {
        name: zone
        for name in scenario.agent_groups
        for zone in [scenario.zone_of(name)]
        if zone != scenario.time_zone
    }


def clock_of(case: Case, group: str) -> LocalClock:
    """The clock by which the shifts of a group are written."""
    return case.grid.clock(zones_apart(case).get(group))


def _schedule_row(shift: PlacedShift, case: Case) -> Row:
    grid, clocks = case.grid, clock_of(case, shift.group)
    for name in (shift.group, shift.shift):
        if not NAME.fullmatch(name):
            raise ValueError(f"has a name that no file can hold: {name!r}")
    if shift.agents < 0:
        raise ValueError(f"has {shift.agents} agents")
    if shift.length <= 0:
        raise ValueError("ends where it starts")
    if shift.length > LONGEST:
        raise ValueError("is longer than 24 h; make it two")
    if not 0 <= shift.start < grid.end:
        raise ValueError("starts outside the horizon")
    if shift.start % MINUTE_US:
        raise ValueError("starts within a minute; files hold whole minutes")
    day, clock = local_time(clocks, shift.start)

    def written(what: str, instant: int, after: int) -> str:
        try:
            return write_next_time(clocks, day, instant, after)
        except ValueError as error:
            raise ValueError(f"has {what} that {error}") from None

    breaks, free_from = [], shift.start
    for pause in shift.breaks:
        until = pause.start + pause.length
        if not free_from <= pause.start < until <= shift.end:
            raise ValueError("has breaks outside it, empty, out of order or overlapping")
        first = written("a break", pause.start, shift.start - 1)
        last = written("a break", until, pause.start)
        breaks.append(f"{first}-{last}{' paid' * pause.paid}")
        free_from = until
    end = written("an end", shift.end, shift.start)
    zoned = (clocks.time_zone,) if zones_apart(case) else ()
    cells = (shift.group, shift.shift, day.isoformat(), str(clock), end, shift.agents)
    return (*cells, *zoned, *breaks)


def staffing_rows(plan: StaffingPlan, case: Case) -> list[Row]:
    """Agents by interval as a header and one row for each interval."""
    grid = case.grid
    for name, agents in plan.by_interval.items():
        if len(agents) != grid.intervals or min(agents, default=0) < 0 or not NAME.fullmatch(name):
            raise PlanError(
                f"the plan gives {name!r} {len(agents)} intervals, the fewest agents being "
                f"{min(agents, default=0)}; the horizon has {grid.intervals} intervals"
            )
    labels = [local_time(grid, start) for start in grid.starts.tolist()]
    columns = [map(int, agents) for agents in plan.by_interval.values()]
    return [
        ("date", "start", *plan.by_interval),
        *(
            (day.isoformat(), str(clock), *counts)
            for (day, clock), *counts in zip(labels, *columns, strict=True)
        ),
    ]


def _table(book: Any, name: str, rows: Sequence[Sequence[Any]], formats: Mapping[str, Any]) -> None:
    """A sheet with a frozen header, filters and columns as wide as what stands in them."""
    sheet = book.add_worksheet(name)
    header, *body = rows
    for column, title in enumerate(header):
        width = max(len(str(row[column])) for row in [header, *body[:1000]])
        is_text = all(isinstance(row[column], str) for row in body)
        style = formats["text"] if is_text and title != "agents" else None
        sheet.set_column(column, column, min(width + 4, 40), style)
    sheet.write_row(0, 0, header, formats["header"])
    for number, row in enumerate(body, start=1):
        for column, cell in enumerate(row):
            sheet.write(number, column, _cell(cell))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(body), 1), len(header) - 1)


def _cell(value: Any) -> str | Real | Decimal | None:
    """What Excel can hold of a value: numbers, nothing for what is missing, else text."""
    if value is None or value != value:  # noqa: PLR0124 - so are NaN and NaT told
        return None
    holds = isinstance(value, str | Decimal) or (isinstance(value, Real) and isfinite(value))
    return value if holds else str(value)


def _coverage(book: Any, plan: StaffingPlan, case: Case, formats: Mapping[str, Any]) -> None:
    """Dates down, times of the day across, agents scheduled on the floor: a block per group."""
    grid = case.grid
    places = [local_time(grid, start) for start in grid.starts.tolist()]
    in_order = sorted({clock for _, clock in places}, key=lambda clock: clock[:2])
    clocks = {clock: number for number, clock in enumerate(in_order)}
    dates = {day: number for number, day in enumerate(sorted({day for day, _ in places}))}
    sheet = book.add_worksheet("coverage")
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, len(clocks), 6)
    sheet.freeze_panes(0, 1)
    top = 0
    cyclic = case.scenario.horizon.begins == "cyclic"
    for group, agents in scheduled_agents(plan, grid, cyclic=cyclic).items():
        sheet.write(top, 0, f"{group}: agents scheduled on the floor, breaks off", formats["title"])
        sheet.write_row(top + 1, 0, ["date", *map(str, clocks)], formats["header"])
        for row, day in enumerate(dates, start=top + 2):
            sheet.write(row, 0, day.isoformat())
        for (day, clock), number in zip(places, agents.tolist(), strict=True):
            sheet.write(top + 2 + dates[day], 1 + clocks[clock], round(number, 2))
        last = top + 1 + len(dates)
        colours = {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#5B9BD5"}
        sheet.conditional_format(top + 2, 1, last, len(clocks), colours)
        top = last + 2


def _read_me(book: Any, case: Case, formats: Mapping[str, Any]) -> None:
    sheet = book.add_worksheet("read me")
    sheet.set_column(0, 0, 105)
    lines = READ_ME.replace("{zone}", case.grid.time_zone).splitlines()
    apart = [f"of {name} {zone}" for name, zone in zones_apart(case).items()]
    if apart:
        lines += [
            "",
            "8. Shifts are written by the clocks of the place where a group works, which the",
            f'   column "time_zone" repeats: {", ".join(apart)}.',
            f"   All other times are those of {case.grid.time_zone}.",
        ]
    for row, line in enumerate(lines):
        sheet.write(row, 0, line, formats["title"] if row == 0 else None)
