"""The target sentence: ``80% answered within 20 s, over each day``.

A target names value, threshold, window and statistic; nothing is assumed except the statistic,
which is *on average* unless the sentence says on which share of days it must be met.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from ccsim.scenario.units import came, parse_duration, parse_share, write_duration, write_share

Metric = Literal["answered within", "lost", "abandoned", "average speed of answer"]
Window = Literal["day", "week", "horizon"]

_SHARE = r"(\d+(?:\.\d+)?\s*%)"
_TIME = r"(\d[\w. ]*?)"
_WINDOW = r"over (each day|the week|the horizon)"
_STATISTIC = rf"(?:,? on average|,? on at least {_SHARE} of days)?"
_FORMS: tuple[tuple[Metric, re.Pattern[str]], ...] = (
    ("answered within", re.compile(rf"{_SHARE} answered within {_TIME},? {_WINDOW}{_STATISTIC}")),
    ("lost", re.compile(rf"at most {_SHARE} lost,? {_WINDOW}{_STATISTIC}")),
    ("abandoned", re.compile(rf"at most {_SHARE} abandoned,? {_WINDOW}{_STATISTIC}")),
    (
        "average speed of answer",
        re.compile(rf"average speed of answer at most {_TIME},? {_WINDOW}{_STATISTIC}"),
    ),
)
GRAMMAR = (
    "'80% answered within 20 s, over each day', 'at most 5% lost, over the week', "
    "'at most 5% abandoned, over each day' or "
    "'average speed of answer at most 30 s, over the horizon'; "
    "after 'over each day' may stand ', on at least 90% of days'"
)


@dataclass(frozen=True)
class Target:
    """One promise: what is measured, its bound, over which window, by which statistic.

    Attributes
    ----------
    metric : str
        ``answered within``, ``lost``, ``abandoned`` or ``average speed of answer``.
    value : float
        The bound: a fraction, or seconds for the average speed of answer.
    threshold : int or None
        The acceptable wait [µs] of ``answered within``.
    window : str
        ``day``: one target for each calendar day; ``week`` and ``horizon``: one for all of it.
    share_of_days : float or None
        None: on average over days like this one; else the least share of days that must meet it.
    """

    metric: Metric
    value: float
    threshold: int | None
    window: Window
    share_of_days: float | None = None

    @property
    def sense(self) -> Literal["at least", "at most"]:
        """Whether more is better (``at least``) or less (``at most``)."""
        return "at least" if self.metric == "answered within" else "at most"

    def __str__(self) -> str:
        over = "each day" if self.window == "day" else f"the {self.window}"
        on = (
            f", on at least {write_share(self.share_of_days)} of days" if self.share_of_days else ""
        )
        if self.metric == "average speed of answer":
            return (
                f"{self.metric} at most {write_duration(round(self.value * 1e6))}, over {over}{on}"
            )
        if self.metric == "answered within":
            wait = write_duration(self.threshold or 0)
            return f"{write_share(self.value)} answered within {wait}, over {over}{on}"
        return f"at most {write_share(self.value)} {self.metric}, over {over}{on}"


def parse_target(value: object) -> Target:
    """Read a target sentence.

    Examples
    --------
    >>> print(parse_target("80 % answered within 20 s over each day on at least 90% of days"))
    80% answered within 20 s, over each day, on at least 90% of days
    """
    if isinstance(value, Target):
        return value
    if isinstance(value, str) and len(value) <= 200:
        words = " ".join(value.split())
        for metric, form in _FORMS:
            match = form.fullmatch(words)
            if match is None:
                continue
            bound, *threshold, over, share = match.groups()
            window: Window = {"each day": "day", "the week": "week"}.get(over, "horizon")  # type: ignore[assignment]
            if share is not None and window != "day":
                raise ValueError(f"{came(value)}: 'of days' needs the window 'over each day'")
            is_time = metric == "average speed of answer"
            return Target(
                metric=metric,
                value=parse_duration(bound) / 1e6 if is_time else parse_share(bound),
                threshold=parse_duration(threshold[0]) if threshold else None,
                window=window,
                share_of_days=None if share is None else parse_share(share),
            )
        if any(form.fullmatch(f"{words}, over each day") for _, form in _FORMS):
            raise ValueError(f"{came(value)} names no window: add ', over each day'")
    raise ValueError(f"{came(value)} is not a target: write {GRAMMAR}")


TargetSentence = Annotated[
    Target,
    BeforeValidator(parse_target),
    PlainSerializer(str),
    WithJsonSchema(
        {
            "type": "string",
            "title": "a target",
            "examples": ["80% answered within 20 s, over each day"],
        }
    ),
]
"""A target as a sentence in the file, a `Target` in the program."""
