"""The grid of a horizon: local days and clock times laid on one line of UTC microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ccsim.scenario.units import MICROSECONDS

if TYPE_CHECKING:
    import pandas as pd

    from ccsim.scenario.hours import OpeningHours
    from ccsim.scenario.model import Horizon

Integers = NDArray[np.int64]

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class LocalClock:
    """What the clocks of a place show during a horizon, which may be laid in another time zone.

    Attributes
    ----------
    time_zone : str
        IANA name.
    start_utc : str
        The horizon's first instant, ISO 8601 in UTC; microsecond 0.
    """

    time_zone: str
    start_utc: str

    def instant(self, shown: datetime) -> int:
        """Microseconds at which the clocks first show a time; skipped, when they go forward.

        Examples
        --------
        >>> manila = LocalClock("Asia/Manila", "2026-10-24T22:00:00+00:00")
        >>> manila.instant(datetime(2026, 10, 25, 8)) // HOUR_US
        2
        """
        moment = moment_of(shown, ZoneInfo(self.time_zone))
        return (moment - datetime.fromisoformat(self.start_utc)) // _MICROSECOND

    def shown(self, instant: int) -> datetime:
        """Local date and time at an instant [µs], without zone; `fold` tells twins apart."""
        utc = datetime.fromisoformat(self.start_utc) + instant * _MICROSECOND
        return utc.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None)

    def dates(self, end: int) -> list[date]:
        """Every local date of a horizon that ends so late [µs], in part or whole."""
        first, last = self.shown(0).date(), self.shown(end - 1).date()
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]


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

    def clock(self, time_zone: str | None = None) -> LocalClock:
        """The clocks of another time zone, or of its own, over the same horizon."""
        return LocalClock(time_zone or self.time_zone, self.start_utc)

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
        local = datetime.fromisoformat(self.dates[0]) + timedelta(days=day, minutes=minute)
        return self.clock().instant(local)


def moment_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Instant in UTC at which the clocks of a zone first show a time.

    A time that they skip is the instant at which they go forward.

    Examples
    --------
    >>> berlin = ZoneInfo("Europe/Berlin")
    >>> for shown in ("2026-03-29T02:30", "2026-10-25T02:30"):
    ...     print(moment_of(datetime.fromisoformat(shown), berlin))
    2026-03-29 01:00:00+00:00
    2026-10-25 00:30:00+00:00
    """
    found = local.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return found
    # Skipped: with the offset of before it is read too late, with that of after too soon.
    sooner = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    seconds = (found - sooner) // timedelta(seconds=1)
    before = sooner.astimezone(zone).utcoffset()
    low, high = 0, seconds  # the change lies after the first, and not after the second
    while high - low > 1:
        middle = (low + high) // 2
        if (sooner + timedelta(seconds=middle)).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return sooner + timedelta(seconds=high)


def lay_grid(horizon: Horizon, time_zone: str) -> Grid:
    """Lay the intervals of a horizon on one line of time.

    Examples
    --------
    >>> from ccsim.scenario.model import Horizon
    >>> autumn = lay_grid(Horizon(start="2026-10-25", days=1), "Europe/Berlin")
    >>> autumn.intervals, autumn.labels[4:8]
    (50, ['2026-10-25 02:00', '2026-10-25 02:30', '2026-10-25 02:00', '2026-10-25 02:30'])
    """
    zone = ZoneInfo(time_zone)
    first = datetime.combine(horizon.start, time())
    midnights = [moment_of(first + timedelta(days=n), zone) for n in range(horizon.days + 1)]
    day_starts = np.array([(m - midnights[0]) // _MICROSECOND for m in midnights], dtype=np.int64)
    starts = np.arange(0, day_starts[-1], horizon.interval_us, dtype=np.int64)
    local = [
        (midnights[0] + timedelta(microseconds=start)).astimezone(zone) for start in starts.tolist()
    ]
    return Grid(
        time_zone=time_zone,
        start_utc=midnights[0].isoformat(),
        interval_us=horizon.interval_us,
        day_starts=day_starts,
        day=np.searchsorted(day_starts, starts, side="right").astype(np.int64) - 1,
        weekday=np.array([moment.weekday() for moment in local], dtype=np.int64),
        minute=np.array([moment.hour * 60 + moment.minute for moment in local], dtype=np.int64),
        dates=tuple(m.astimezone(zone).date().isoformat() for m in midnights[:-1]),
    )


HOUR_US = 3600 * MICROSECONDS
"""Microseconds in an hour."""
