"""Moments of a plan as a planner writes them: local date and clock time.

The start of a shift has its date. Everything else in its row (its end, its breaks) is written as a
clock time alone and means the *next* moment after the start at which the clock shows it: a shift
from 22:00 to 06:00 ends on the next morning, one from 07:00 to 07:00 after a day. Nobody has to
count minutes, and lengths are real time: 22:00 to 06:00 is seven hours in the night when clocks go
forward and nine when they go back.

Two marks are for the nights when clocks change, and the writer sets them only there. ``02:30B`` is
the second 02:30 of the day on which that hour comes twice; a bare 02:30 is the first that still
lies ahead. ``12:30+1`` is 12:30 on the day after the shift's date, whatever lies ahead.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ccsim.scenario.calendar import Grid, LocalClock
from ccsim.scenario.hours import DAY_MINUTES, parse_clock, write_clock
from ccsim.scenario.units import MICROSECONDS, came

MINUTE_US = 60 * MICROSECONDS
_MICROSECOND = timedelta(microseconds=1)
Place = Grid | LocalClock
"""Whose clock is meant: that of the scenario, or that of a site in another time zone."""
_WRITTEN = re.compile(r"(\d\d?:\d\d)(?::00)?\s*([ABab]?)\s*(?:\+\s*([0-2]))?", re.ASCII)


class ClockTime(NamedTuple):
    """A clock time as written: minutes after midnight, and its marks."""

    minute: int
    letter: str = ""
    later: int | None = None

    def __str__(self) -> str:
        days = "" if self.later is None else f"+{self.later}"
        return f"{write_clock(self.minute)}{self.letter}{days}"


def parse_clock_time(cell: object) -> ClockTime:
    """Read a clock time with its marks; a time cell of Excel will do as well.

    Examples
    --------
    >>> parse_clock_time("02:30b"), parse_clock_time("24:00")
    (ClockTime(minute=150, letter='B', later=None), ClockTime(minute=1440, letter='', later=None))
    """
    if isinstance(cell, time) and not (cell.second or cell.microsecond):
        return ClockTime(cell.hour * 60 + cell.minute)
    if cell == timedelta(days=1):  # how Excel keeps 24:00
        return ClockTime(DAY_MINUTES)
    match = _WRITTEN.fullmatch(cell.strip()) if isinstance(cell, str) else None
    if match is None:
        raise ValueError(f"{came(cell)} is not a clock time; write 07:30 (00:00 to 24:00)")
    later = int(match[3]) if match[3] else None
    return ClockTime(parse_clock(match[1]), match[2].upper(), later)


def local_time(place: Place, instant: int) -> tuple[date, ClockTime]:
    """Local date and clock time of an instant [µs], of its minute.

    Examples
    --------
    >>> from ccsim.scenario.calendar import HOUR_US, lay_grid
    >>> from ccsim.scenario.model import Horizon
    >>> autumn = lay_grid(Horizon(start="2026-10-25", days=1), "Europe/Berlin")
    >>> [str(local_time(autumn, hour * HOUR_US)[1]) for hour in (1, 2, 3, 4)]
    ['01:00', '02:00', '02:00B', '03:00']
    """
    local = LocalClock(place.time_zone, place.start_utc).shown(instant)
    return local.date(), ClockTime(local.hour * 60 + local.minute, "B" if local.fold else "")


def moments(place: Place, day: date, minute: int) -> list[int]:
    """Instants [µs] at which the clock shows a time of a day: one, or none or two by DST."""
    shown = datetime.combine(day, time()) + timedelta(minutes=minute)
    zone, origin = ZoneInfo(place.time_zone), datetime.fromisoformat(place.start_utc)
    found = []
    for fold in (0, 1):
        utc = shown.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        instant = (utc - origin) // _MICROSECOND
        if utc.astimezone(zone).replace(tzinfo=None) == shown and instant not in found:
            found.append(instant)
    return found


def start_of(place: Place, day: date, clock: ClockTime) -> int:
    """The instant [µs] of a date and a clock time; ValueError if there is none.

    In the hour that comes twice a bare time is the first.
    """
    if clock.later is not None or clock.minute == DAY_MINUTES:
        raise ValueError(
            f"'{clock}' is not a start; write the date on which it is, and 00:00 for 24:00"
        )
    found = moments(place, day, clock.minute)
    if not found:
        raise ValueError(_skipped(place, day, clock.minute))
    return _with_letter(clock, found, day)[0]


def next_time(place: Place, day: date, clock: ClockTime, after: int) -> int:
    """The next instant [µs] after another at which the clock shows a time.

    Parameters
    ----------
    place : Grid or LocalClock
        By whose clock.
    day : date
        The local date of the shift.
    clock : ClockTime
        As written; ``+1`` counts from `day`.
    after : int
        Not this instant and none before [µs].

    Raises
    ------
    ValueError
        If clocks skip the time then, or a mark does not fit.

    Examples
    --------
    >>> from ccsim.scenario.calendar import HOUR_US, lay_grid
    >>> from ccsim.scenario.model import Horizon
    >>> spring = lay_grid(Horizon(start="2026-03-28", days=2), "Europe/Berlin")
    >>> night = start_of(spring, date(2026, 3, 28), parse_clock_time("22:00"))
    >>> end = next_time(spring, date(2026, 3, 28), parse_clock_time("06:00"), night)
    >>> (end - night) // HOUR_US
    7
    """
    refused = f"'{clock}' does not lie after the start"
    for later in (0, 1, 2) if clock.later is None else (clock.later,):
        that_day = day + timedelta(days=later)
        found = moments(place, that_day, clock.minute)
        if not found and _after_the_gap(place, that_day, clock.minute) > after:
            raise ValueError(_skipped(place, that_day, clock.minute))
        try:
            found = _with_letter(clock, found, that_day)
        except ValueError as error:
            refused = str(error)
            continue
        for instant in found:
            if instant > after:
                return instant
    raise ValueError(refused)


def write_next_time(place: Place, day: date, instant: int, after: int) -> str:
    """Write an instant [µs] so that `next_time` finds it again; ValueError if none can."""
    if instant % MINUTE_US:
        raise ValueError("does not fall on a whole minute")
    that_day, clock = local_time(place, instant)
    for written in (clock, clock._replace(later=(that_day - day).days)):
        try:
            if next_time(place, day, written, after) == instant:
                return str(written)
        except ValueError:
            continue
    raise ValueError("lies before the start or days after it")


def _with_letter(clock: ClockTime, found: list[int], day: date) -> list[int]:
    if not clock.letter:
        return found
    if len(found) < 2:
        bare = write_clock(clock.minute)
        raise ValueError(f"{bare} comes only once on {day}; write it without {clock.letter!r}")
    return [found["AB".index(clock.letter)]]


def _after_the_gap(place: Place, day: date, minute: int) -> int:
    shown = datetime.combine(day, time()) + timedelta(minutes=minute)
    utc = shown.replace(tzinfo=ZoneInfo(place.time_zone)).astimezone(UTC)
    return (utc - datetime.fromisoformat(place.start_utc)) // _MICROSECOND


def _skipped(place: Place, day: date, minute: int) -> str:
    _, clock = local_time(place, _after_the_gap(place, day, minute))
    return (
        f"{write_clock(minute)} does not exist on {day}: clocks go forward; "
        f"that moment is called {clock}"
    )
