"""The grid of a horizon: local days and clock times laid on one line of UTC microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ccsim.scenario.units import MICROSECONDS

if TYPE_CHECKING:
    import pandas as pd

    from ccsim.scenario.hours import OpeningHours
    from ccsim.scenario.model import Horizon

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Grid:
    """Every interval of the horizon, in time order.

    On the days when clocks change a day has 46 or 50 half-hours; nothing is doubled or lost.

    Attributes
    ----------
    time_zone : str
        IANA name.
    start_utc : str
        The horizon's first instant, ISO 8601 in UTC; microsecond 0 of the clock.
    interval_us : int
        Length of an interval [µs].
    day_starts : ndarray of int64, shape (n_days + 1,)
        Each local midnight [µs since the start]; the last is the end of the horizon.
    day : ndarray of int64, shape (n_intervals,)
        The number of the local day an interval belongs to.
    weekday, minute : ndarray of int64, shape (n_intervals,)
        Weekday (0 is Monday) and local minutes after midnight at which an interval starts.
    dates : tuple of str
        ISO date of each day.
    """

    time_zone: str
    start_utc: str
    interval_us: int
    day_starts: Integers
    day: Integers
    weekday: Integers
    minute: Integers
    dates: tuple[str, ...]

    @property
    def intervals(self) -> int:
        """How many intervals."""
        return len(self.day)

    @property
    def days(self) -> int:
        """How many calendar days."""
        return len(self.dates)

    @property
    def end(self) -> int:
        """The end of the horizon [µs]."""
        return int(self.day_starts[-1])

    @property
    def starts(self) -> Integers:
        """Start of each interval [µs], shape (n_intervals,)."""
        return np.arange(self.intervals, dtype=np.int64) * self.interval_us

    @property
    def labels(self) -> list[str]:
        """Local date and clock time of each interval, ``2026-09-06 07:30``."""
        return [
            f"{self.dates[day]} {minute // 60:02d}:{minute % 60:02d}"
            for day, minute in zip(self.day.tolist(), self.minute.tolist(), strict=True)
        ]

    def opening(self, hours: OpeningHours) -> NDArray[np.bool_]:
        """Whether each interval is open, shape (n_intervals,)."""
        columns = (self.weekday.tolist(), self.minute.tolist(), self.day.tolist())
        return np.array(
            [
                hours.is_open(weekday, minute, self.dates[day])
                for weekday, minute, day in zip(*columns, strict=True)
            ]
        )

    def local_times(self) -> pd.DatetimeIndex:
        """Start of each interval in local time, with its time zone."""
        import pandas as pd

        start = pd.Timestamp(self.start_utc)
        steps = pd.to_timedelta(self.starts, unit="us")
        return (start + steps).tz_convert(self.time_zone)

    def instant(self, day: int, minute: int) -> int:
        """Microseconds since the start of a local clock time on a day (day may be outside).

        Examples
        --------
        >>> from ccsim.scenario.model import Horizon
        >>> spring = lay_grid(Horizon(start="2026-03-29", days=1), "Europe/Berlin")
        >>> spring.instant(0, 8 * 60) // 3_600_000_000, spring.intervals
        (7, 46)
        """
        import pandas as pd

        local = pd.Timestamp(self.dates[0]) + pd.Timedelta(days=day, minutes=minute)
        moment = local.tz_localize(self.time_zone, nonexistent="shift_forward", ambiguous=True)
        return int((moment - pd.Timestamp(self.start_utc)) // pd.Timedelta(microseconds=1))


def lay_grid(horizon: Horizon, time_zone: str) -> Grid:
    """Lay the intervals of a horizon on one line of time.

    Examples
    --------
    >>> from ccsim.scenario.model import Horizon
    >>> autumn = lay_grid(Horizon(start="2026-10-25", days=1), "Europe/Berlin")
    >>> autumn.intervals, autumn.labels[4:8]
    (50, ['2026-10-25 02:00', '2026-10-25 02:30', '2026-10-25 02:00', '2026-10-25 02:30'])
    """
    import pandas as pd

    first: date = horizon.start
    midnights = pd.date_range(first, periods=horizon.days + 1, freq="D").tz_localize(
        time_zone, nonexistent="shift_forward", ambiguous=True
    )
    interval = pd.Timedelta(microseconds=horizon.interval_us)
    local = pd.date_range(midnights[0], midnights[-1], freq=interval, inclusive="left")
    microsecond = pd.Timedelta(microseconds=1)
    day_starts = np.array([(m - midnights[0]) // microsecond for m in midnights], dtype=np.int64)
    starts = np.arange(len(local), dtype=np.int64) * (horizon.interval_us)
    return Grid(
        time_zone=time_zone,
        start_utc=midnights[0].tz_convert("UTC").isoformat(),
        interval_us=horizon.interval_us,
        day_starts=day_starts,
        day=np.searchsorted(day_starts, starts, side="right").astype(np.int64) - 1,
        weekday=local.day_of_week.to_numpy(dtype=np.int64),
        minute=(local.hour * 60 + local.minute).to_numpy(dtype=np.int64),
        dates=tuple(m.date().isoformat() for m in midnights[:-1]),
    )


HOUR_US = 3600 * MICROSECONDS
"""Microseconds in an hour."""
