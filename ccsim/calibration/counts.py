"""History by interval: how many contacts arrived, whatever the layout of the file.

Two layouts are read by one function: *wide*, one row a day and one column per interval
(`date,00:00,00:06,…`), and *long*, one row per interval (`DateTime,Calls`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ccsim.calibration.tables import read_table, to_dates, to_numbers
from ccsim.errors import CcsimError

if TYPE_CHECKING:
    import pandas as pd

START_NAMES = ("datetime", "start", "interval_start", "timestamp")
COUNT_NAMES = ("calls", "count", "contacts", "arrivals")


@dataclass(frozen=True)
class CountsRead:
    """What a file of interval counts held and what was left out of it.

    Attributes
    ----------
    rows, days : int
        Data rows and calendar days in the file.
    contacts : float
        Sum of all counts in the file, before anything is left out.
    interval_minutes : int
        Length of one interval [min].
    remarks : tuple of str
        Every departure from the file, one sentence each.
    """

    rows: int
    days: int
    contacts: float
    interval_minutes: int
    remarks: tuple[str, ...]


def read_counts(path: Path | str) -> tuple[pd.DataFrame, CountsRead]:
    """Contacts by interval: column `count`, indexed by the local start of the interval.

    A day with a count that is not whole was made up by somebody (interpolated): the day is dropped
    and said. Local time has no zone here; a clock written with `Z` is taken as wall-clock time,
    and on the day the clocks change the file has its ordinary columns.

    Raises
    ------
    CcsimError
        When the file is missing, has another layout, or holds a count that cannot be one.
    """
    import numpy as np
    import pandas as pd

    table = read_table(path, ",")
    if table.empty:
        raise CcsimError(f"{path}: a header and no counts")
    counts = _wide(table, path) if table.columns[0].lower() == "date" else _long(table, path)
    counts = counts.sort_index()
    if counts.index.has_duplicates:
        twice = counts.index[counts.index.duplicated()][0]
        raise CcsimError(f"{path}: interval {twice:%Y-%m-%d %H:%M} stands there twice")
    if (counts["count"] < 0).any():
        when = counts.index[(counts["count"] < 0).to_numpy()][0]
        raise CcsimError(f"{path}: the count at {when:%Y-%m-%d %H:%M} is below zero")

    steps = np.diff(counts.index.to_numpy()).astype("timedelta64[s]").astype(np.int64)
    minutes = int(steps.min()) // 60 if len(steps) else 0
    if minutes < 1 or 1440 % minutes or (steps % (minutes * 60)).any():
        raise CcsimError(f"{path}: the intervals do not have one length that divides a day")

    days = pd.DatetimeIndex(counts.index).normalize()
    broken = counts["count"] % 1 != 0
    remarks = []
    for day in days[broken.to_numpy()].unique():
        cells = int(broken[days == day].sum())
        remarks.append(
            f"{day:%Y-%m-%d} dropped: {cells} counts are not whole, so the day was interpolated"
        )
    kept = counts[~days.isin(days[broken.to_numpy()])]
    read = CountsRead(
        rows=len(table),
        days=len(days.unique()),
        contacts=float(counts["count"].sum()),
        interval_minutes=minutes,
        remarks=tuple(remarks),
    )
    return kept, read


def sum_to(counts: pd.DataFrame, minutes: int = 30) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Sum counts to longer intervals; an interval that is not complete is left out and said.

    A file of 5-minute counts that covers 07:00 to 21:05 has one count in the half-hour that starts
    at 21:00: a sixth of it would pass for the whole.

    Parameters
    ----------
    counts : DataFrame
        As from `read_counts`.
    minutes : int
        Length of the new interval [min], a multiple of the present one.
    """
    import numpy as np
    import pandas as pd

    index = pd.DatetimeIndex(counts.index)
    if len(index) < 2:
        raise CcsimError("sum_to needs two intervals or more to know their length")
    step = int(np.diff(index.to_numpy()).min().astype("timedelta64[m]").astype(np.int64))
    if minutes % step:
        raise CcsimError(f"intervals of {step} min do not fill intervals of {minutes} min")
    groups = counts.groupby(index.floor(f"{minutes}min"))["count"]
    summed = groups.sum().rename_axis("start").to_frame()
    complete = (groups.size() == minutes // step).to_numpy()
    if complete.all():
        return summed, ()
    lost = summed[~complete]
    times = sorted({f"{start:%H:%M}" for start in pd.DatetimeIndex(lost.index)})
    remark = (
        f"{len(lost)} intervals of {minutes} min left out because the file covers them in part "
        f"(they start at {', '.join(times[:5])}{' …' if len(times) > 5 else ''}); "
        f"{lost['count'].sum():.0f} of {summed['count'].sum():.0f} contacts"
    )
    return summed[complete], (remark,)


def _wide(table: pd.DataFrame, path: Path | str) -> pd.DataFrame:
    import pandas as pd

    clock = pd.to_timedelta([f"{name}:00" for name in table.columns[1:]], errors="coerce")
    if clock.isna().any() or not len(clock):
        came = [name for name, bad in zip(table.columns[1:], clock.isna(), strict=True) if bad]
        raise CcsimError(
            f"{path}: not a file of counts by day: column {(came or ['date'])[0]!r} came, "
            "expected: date, then one column per interval named HH:MM"
        )
    days = to_dates(table, str(table.columns[0]), path)
    parts = [
        pd.DataFrame(
            {"count": to_numbers(table, name, path)}, index=pd.DatetimeIndex(days) + offset
        )
        for name, offset in zip(table.columns[1:], clock, strict=True)
    ]
    return pd.concat(parts).rename_axis("start")


def _long(table: pd.DataFrame, path: Path | str) -> pd.DataFrame:
    import pandas as pd

    named = {str(name).lower(): str(name) for name in table.columns}
    start = next((named[name] for name in START_NAMES if name in named), None)
    count = next((named[name] for name in COUNT_NAMES if name in named), None)
    if start is None or count is None:
        raise CcsimError(
            f"{path}: not a file of interval counts: columns "
            f"{', '.join(map(str, list(table.columns)[:8]))} came; expected: date and one column "
            f"per interval (HH:MM), or one of {', '.join(START_NAMES)} with one of "
            f"{', '.join(COUNT_NAMES)}"
        )
    local = table[start].str.replace("Z$", "", regex=True)
    starts = pd.to_datetime(local, errors="coerce", format="ISO8601")
    if starts.isna().any():
        row = int(starts.isna().to_numpy().argmax())
        raise CcsimError(f"{path}:{row + 2}: {start}: {table[start].iloc[row]!r} is not a time")
    if starts.dt.tz is not None:
        raise CcsimError(f"{path}: {start}: times with an offset from UTC; write local time")
    values = to_numbers(table, count, path)
    return pd.DataFrame({"count": values}, index=pd.DatetimeIndex(starts)).rename_axis("start")
