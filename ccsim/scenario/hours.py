"""Clock times, weekdays and opening hours as they are written: ``sun-thu: "07:00-24:00"``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from ccsim.scenario.units import came

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60

_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
_SPAN = re.compile(r"\s*(\d\d?:\d\d)\s*-\s*(\d\d?:\d\d)\s*")
_STARTS = re.compile(r"\s*(\d\d?:\d\d)\s*-\s*(\d\d?:\d\d)\s+every\s+(\d{1,3})\s*min\s*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_clock(text: object) -> int:
    """Minutes after midnight of a clock time, 24:00 being the end of the day.

    Examples
    --------
    >>> parse_clock("07:30"), parse_clock("8:00"), parse_clock("24:00")
    (450, 480, 1440)
    """
    match = _CLOCK.fullmatch(text.strip()) if isinstance(text, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else DAY_MINUTES + 1
    if minutes > DAY_MINUTES:
        raise ValueError(f"{came(text)} is not a clock time: write '07:30' (00:00 to 24:00)")
    return minutes


def write_clock(minutes: int) -> str:
    """Write minutes after midnight as a clock time.

    Examples
    --------
    >>> write_clock(450)
    '07:30'
    """
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def parse_date(value: object) -> date:
    """Read a day written as year-month-day.

    Examples
    --------
    >>> parse_date("2026-09-06")
    datetime.date(2026, 9, 6)
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _DATE.fullmatch(value.strip()):
            day = date.fromisoformat(value.strip())
            if 1970 <= day.year <= 2100:
                return day
    except ValueError:
        pass
    raise ValueError(f"{came(value)} is not a day from 1970 to 2100: write '2026-09-06'")


def parse_moment(value: object) -> datetime:
    """Read a local day with a clock time, ``2026-09-06 10:00``.

    Examples
    --------
    >>> parse_moment("2026-09-06 10:00")
    datetime.datetime(2026, 9, 6, 10, 0)
    """
    if isinstance(value, datetime):
        return value
    try:
        day, _, clock = str(value).strip().replace("T", " ").partition(" ")
        minutes = parse_clock(clock)
        return datetime.combine(parse_date(day), time(*divmod(minutes, 60)))
    except ValueError:
        raise ValueError(
            f"{came(value)} is not a day with a clock time: write '2026-09-06 10:00'"
        ) from None


def parse_weekday(value: object) -> int:
    """Number of one weekday; 0 is Monday.

    Examples
    --------
    >>> parse_weekday("sun")
    6
    """
    if type(value) is int and value in range(7):
        return value  # read before
    if isinstance(value, str) and value.strip().lower() in WEEKDAYS:
        return WEEKDAYS.index(value.strip().lower())
    raise ValueError(f"{came(value)} is not a weekday: write one of {', '.join(WEEKDAYS)}")


def parse_weekdays(text: object) -> tuple[int, ...]:
    """Weekdays (0 is Monday) of ``fri``, ``sun-thu``, ``mon,wed`` or ``all``.

    Examples
    --------
    >>> parse_weekdays("sun-tue"), parse_weekdays("mon, fri")
    ((6, 0, 1), (0, 4))
    """
    days: list[int] = []
    words = text.strip().lower() if isinstance(text, str) else ""
    for part in ["mon-sun"] if words == "all" else words.split(","):
        first, _, last = (end.strip() for end in part.partition("-"))
        if first not in WEEKDAYS or (last and last not in WEEKDAYS) or part.strip().endswith("-"):
            raise ValueError(
                f"{came(text)} does not name weekdays: write 'fri', 'sun-thu', 'mon,wed' or 'all'"
            )
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        days += [(start + step) % 7 for step in range((end - start) % 7 + 1)]
    return tuple(dict.fromkeys(days))


def write_weekdays(days: tuple[int, ...]) -> str:
    """Write weekdays, runs of them with a dash.

    Examples
    --------
    >>> write_weekdays((0, 4)), write_weekdays((6, 0, 1, 2, 3))
    ('mon,fri', 'sun-thu')
    """
    if days == tuple(range(7)):
        return "all"
    runs: list[list[int]] = []
    for day in days:
        if runs and day == (runs[-1][-1] + 1) % 7:
            runs[-1].append(day)
        else:
            runs.append([day])
    ends = ((WEEKDAYS[run[0]], WEEKDAYS[run[-1]]) for run in runs)
    return ",".join(first if first == last else f"{first}-{last}" for first, last in ends)


Spans = tuple[tuple[int, int], ...]
"""When it is open on one day: from, until, in minutes after local midnight."""


@dataclass(frozen=True)
class OpeningHours:
    """When customers may get in, by weekday (0 is Monday), and on days that are otherwise."""

    spans: tuple[Spans, ...]
    on: tuple[tuple[str, Spans], ...] = ()
    """Days (ISO dates) with hours of their own."""

    def is_open(self, weekday: int, minute: int, date: str = "") -> bool:
        """Whether the centre is open at a local minute of a weekday, or of that day."""
        spans = next((spans for day, spans in self.on if day == date), self.spans[weekday])
        return any(start <= minute < end for start, end in spans)

    def __str__(self) -> str:
        return "; ".join(
            f"{WEEKDAYS[day]} " + ", ".join(f"{write_clock(a)}-{write_clock(b)}" for a, b in spans)
            for day, spans in enumerate(self.spans)
            if spans
        )


ALWAYS_OPEN = OpeningHours((((0, DAY_MINUTES),),) * 7)


def parse_opening_hours(value: object) -> OpeningHours:
    """Read opening hours: ``always`` or a mapping of weekdays to spans of clock times."""
    if isinstance(value, OpeningHours):
        return value
    if value == "always":
        return ALWAYS_OPEN
    if not isinstance(value, dict):
        raise ValueError(
            f"{came(value)}: write 'always' or 'mon-fri: \"08:00-18:00\"' line by line"
        )
    spans: list[list[tuple[int, int]]] = [[] for _ in WEEKDAYS]
    for days, written in value.items():
        for text in written if isinstance(written, list | tuple) else [written]:
            match = _SPAN.fullmatch(text) if isinstance(text, str) else None
            if match is None:
                raise ValueError(
                    f"{days}: {came(text)} is not a span: write '08:00-18:00'; "
                    "a day that is not named is closed"
                )
            start, end = parse_clock(match[1]), parse_clock(match[2])
            if start >= end:
                raise ValueError(
                    f"{days}: {came(text)} ends before it starts; past midnight write two spans, "
                    "'22:00-24:00' and, on the next day, '00:00-06:00'"
                )
            for day in parse_weekdays(days):
                spans[day].append((start, end))
    for day, written_spans in enumerate(spans):
        ordered = sorted(written_spans)
        if any(a[1] > b[0] for a, b in pairwise(ordered)):
            raise ValueError(f"{WEEKDAYS[day]}: spans overlap; write each hour once")
        spans[day] = ordered
    return OpeningHours(tuple(tuple(day_spans) for day_spans in spans))


def parse_spans(value: object) -> Spans:
    """Read the opening hours of one day: ``closed``, a span of clock times or a list of them.

    Examples
    --------
    >>> parse_spans("10:00-14:00"), parse_spans("closed")
    (((600, 840),), ())
    """
    if value == "closed":
        return ()
    if isinstance(value, tuple):
        return value  # read before
    if isinstance(value, str | list) and value and value != "always":
        try:
            return parse_opening_hours({"mon": value}).spans[0]
        except ValueError as error:
            said = str(error).removeprefix("mon: ")
            if "is not a span" not in said:
                raise ValueError(said) from None
    raise ValueError(f"{came(value)}: write 'closed', '10:00-14:00' or a list of such spans")


def write_spans(spans: Spans) -> str | list[str]:
    """Write the opening hours of one day as the file has them."""
    return [f"{write_clock(a)}-{write_clock(b)}" for a, b in spans] or "closed"


def write_opening_hours(hours: OpeningHours) -> str | dict[str, list[str]]:
    """Write opening hours as the file has them."""
    if hours == ALWAYS_OPEN:
        return "always"
    days_of: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for day, spans in enumerate(hours.spans):
        days_of.setdefault(spans, []).append(day)
    return {
        write_weekdays(tuple(days)): [f"{write_clock(a)}-{write_clock(b)}" for a, b in spans]
        for spans, days in days_of.items()
        if spans
    }


def parse_starts(value: object) -> tuple[int, ...]:
    """Shift starts in minutes after midnight: a list of clock times or a span with a step.

    Examples
    --------
    >>> parse_starts("06:30-07:30 every 30 min")
    (390, 420, 450)
    """
    if isinstance(value, str) and (match := _STARTS.fullmatch(value)):
        first, last, step = parse_clock(match[1]), parse_clock(match[2]), int(match[3])
        if step < 1 or first > last:
            raise ValueError(
                f"{came(value)}: the first start is after the last, or the step is zero"
            )
        return tuple(range(first, last + 1, step))
    if isinstance(value, tuple) and all(type(start) is int for start in value):
        starts = set(value)  # read before
    else:
        try:
            starts = {
                parse_clock(start) for start in (value if isinstance(value, list) else [value])
            }
        except ValueError:
            starts = set()
    if not starts or any(not 0 <= start < DAY_MINUTES for start in starts):
        raise ValueError(
            f"{came(value)} does not say when shifts start: write '06:30-16:00 every 30 min' "
            "or a list of clock times, ['07:00', '15:00']"
        )
    return tuple(sorted(starts))


Hours = Annotated[
    OpeningHours,
    BeforeValidator(parse_opening_hours),
    PlainSerializer(write_opening_hours),
    WithJsonSchema({"anyOf": [{"const": "always"}, {"type": "object"}]}),
]
"""Opening hours: ``always`` or weekdays with spans of clock times."""

DayHours = Annotated[
    Spans,
    BeforeValidator(parse_spans),
    PlainSerializer(write_spans),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
            "examples": ["10:00-14:00"],
        }
    ),
]
"""Opening hours of one day: ``closed``, a span or a list of spans."""

Weekday = Annotated[
    int,
    BeforeValidator(parse_weekday),
    PlainSerializer(lambda day: WEEKDAYS[day]),
    WithJsonSchema({"enum": list(WEEKDAYS)}),
]
"""One weekday, kept as a number (0 is Monday)."""

Moment = Annotated[
    datetime,
    BeforeValidator(parse_moment),
    PlainSerializer(lambda moment: f"{moment:%Y-%m-%d %H:%M}"),
    WithJsonSchema(
        {
            "type": "string",
            "title": "a local time",
            "pattern": r"^\d{4}-\d\d-\d\d[ T]\d\d?:\d\d$",
            "examples": ["2026-09-06 10:00"],
        }
    ),
]
"""A day with a local clock time."""

Clock = Annotated[
    int,
    BeforeValidator(parse_clock),
    PlainSerializer(write_clock),
    WithJsonSchema({"type": "string", "title": "a clock time", "examples": ["12:00"]}),
]
"""A local clock time, kept as minutes after midnight."""

Starts = Annotated[
    tuple[int, ...],
    BeforeValidator(parse_starts),
    PlainSerializer(lambda starts: [write_clock(start) for start in starts]),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
            "examples": ["06:30-16:00 every 30 min"],
        }
    ),
]
"""Shift starts, kept as minutes after local midnight."""

Day = Annotated[
    date,
    BeforeValidator(parse_date),
    WithJsonSchema(
        {
            "type": "string",
            "title": "a day",
            "pattern": r"^\d{4}-\d\d-\d\d$",
            "examples": ["2026-09-06"],
        }
    ),
]
"""A calendar day."""

Weekdays = Annotated[
    tuple[int, ...],
    BeforeValidator(lambda value: value if isinstance(value, tuple) else parse_weekdays(value)),
    PlainSerializer(write_weekdays),
    WithJsonSchema({"type": "string", "title": "weekdays", "examples": ["sun-thu"]}),
]
"""Weekdays, kept as numbers (0 is Monday)."""
