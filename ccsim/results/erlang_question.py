"""What a planner types into an Erlang calculator, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ccsim.errors import CcsimError
from ccsim.queueing import FORMULAS_IN_WORDS, Goals, SteadyStateFormula
from ccsim.scenario.units import (
    MICROSECONDS,
    came,
    parse_duration,
    parse_rate,
    parse_share,
    write_duration,
    write_share,
)

MOST_LINES = 100_000
"""A waiting room of so many places takes ten seconds."""
MOST_AGENTS = 10_000_000


@dataclass(frozen=True)
class ErlangQuestion:
    """One interval that lasts for ever, and what agents must achieve in it.

    Attributes
    ----------
    volume : float
        Requests [contacts/h].
    handle_time : float
        Mean handle time [s].
    threshold : float
        Acceptable waiting time [s].
    goals : Goals
        What must be achieved.
    patience : float
        Mean patience [s], exponential; infinite: nobody gives up.
    redial : float
        Share of those who were not answered that call again.
    repeat : float
        Share of the answered that call again, as they were not helped.
    lines : float
        Contacts that can be talking or waiting at a time; more hear an engaged tone.
    formula : str
        The service-level formula of the goal.
    short_abandon : float
        Longest wait of a short abandonment [s].
    agents : int, optional
        Agents to look at, instead of those that the goals ask for.
    """

    volume: float
    handle_time: float
    threshold: float
    goals: Goals = field(default_factory=Goals)
    patience: float = np.inf
    redial: float = 0.0
    repeat: float = 0.0
    lines: float = np.inf
    formula: SteadyStateFormula = "of_offered"
    short_abandon: float = 5.0
    agents: int | None = None

    @property
    def load(self) -> float:
        """Offered load of the requests [erlang]."""
        return self.volume * self.handle_time / 3600

    @property
    def some_are_lost(self) -> bool:
        """Whether anybody gives up or hears an engaged tone; all formulas agree if nobody does."""
        return bool(np.isfinite(self.patience) or np.isfinite(self.lines))

    @property
    def bounds(self) -> dict[str, float]:
        """The goals as numbers, by their name in `Goals`."""
        return {each.name: float(getattr(self.goals, each.name)) for each in fields(self.goals)}

    @property
    def goals_in_words(self) -> dict[str, str]:
        """What is asked for, as a planner writes it, by its name in `Goals`.

        Examples
        --------
        >>> question = ErlangQuestion(200, 180, 20, Goals(0.8, maximum_occupancy=0.85))
        >>> question.goals_in_words
        {'service_level': '80% within 20 s', 'maximum_occupancy': 'occupancy ≤ 85%'}
        """
        goals, words = self.bounds, {}
        if goals["service_level"] > 0:
            level, within = write_share(goals["service_level"]), write_seconds(self.threshold)
            formula = "" if self.formula == "of_offered" else f" ({self.formula})"
            words["service_level"] = f"{level} within {within}{formula}"
        if goals["abandonment"] < 1:
            words["abandonment"] = f"abandoned ≤ {write_share(goals['abandonment'])}"
        if np.isfinite(goals["speed_of_answer"]):
            words["speed_of_answer"] = (
                f"speed of answer ≤ {write_seconds(goals['speed_of_answer'])}"
            )
        if goals["maximum_occupancy"] < 1:
            words["maximum_occupancy"] = f"occupancy ≤ {write_share(goals['maximum_occupancy'])}"
        return words


def read_question(named: Callable[[str], str] = str, **written: Any) -> ErlangQuestion:
    """Read what was typed: text with units by the names of `ccsim.study.erlang`, None left out.

    Parameters
    ----------
    named : callable
        What the reader of an error knows an argument by.
    **written
        The arguments.

    Raises
    ------
    CcsimError
        With everything that cannot be understood.

    Examples
    --------
    >>> read_question(volume="100 calls/30 min", handle_time="3 min", target="80/20").load
    10.0
    >>> read_question(volume="200", handle_time="3", target="80")
    Traceback (most recent call last):
    ccsim.errors.CcsimError: volume: '200' is not a rate of contacts: write '200 calls/h'
    handle_time: '3' is not a length of time: write '90 s', '30 min' or '8 h 30 min'
    target: '80' is not a target: write '80% within 20 s' or '80/20'
    """
    read, problems = {}, []
    for name, reader in _READERS.items():
        if written.get(name) is None:
            continue
        try:
            read[name] = reader(written[name])
        except ValueError as error:
            problems.append(f"{named(name)}: {error}")
    if problems:
        raise CcsimError("\n".join(problems))
    service_level, threshold = read.pop("target")
    goals = Goals(
        service_level=service_level,
        speed_of_answer=read.pop("speed_of_answer", np.inf),
        abandonment=read.pop("abandoned", 1.0),
        maximum_occupancy=read.pop("occupancy", 1.0),
    )
    return ErlangQuestion(threshold=threshold, goals=goals, **read)


def write_seconds(seconds: float) -> str:
    """Write a length of time as a planner would.

    Examples
    --------
    >>> write_seconds(150)
    '2 min 30 s'
    """
    return write_duration(round(seconds * MICROSECONDS))


def _volume(value: object) -> float:
    """Contacts per hour, also of a count in an interval, as forecasts have them."""
    counted = _PER_INTERVAL.fullmatch(str(value).strip())
    if counted is None:
        return parse_rate(value)
    return parse_rate(f"{float(counted[1]) * 3600 / _some_seconds(counted[2]):.9f} calls/h")


def _seconds(value: object) -> float:
    clock = _CLOCK.fullmatch(str(value).strip())
    if clock:
        seconds = 60 * int(clock[1]) + int(clock[2])
        short, long = write_seconds(seconds), write_seconds(60 * seconds)
        raise ValueError(f"{came(value)} may be minutes or hours: write '{short}' or '{long}'")
    return parse_duration(value) / MICROSECONDS


def _some_seconds(value: object) -> float:
    seconds = _seconds(value)
    if seconds == 0:
        raise ValueError(f"{came(value)} is no time at all; write '3 min'")
    return seconds


def _some_share(value: object) -> float:
    share = parse_share(value)
    if share == 0:
        raise ValueError(f"{came(value)} would need agents without end; write '85%'")
    return share


def _target(value: object) -> tuple[float, float]:
    text = str(value).strip()
    short, long = _SHORT_TARGET.fullmatch(text), _LONG_TARGET.fullmatch(text)
    if short:
        return parse_share(f"{short[1]}%"), _seconds(f"{short[2]} s")
    if long:
        return parse_share(long[1]), _seconds(long[2])
    raise ValueError(f"{came(value)} is not a target: write '80% within 20 s' or '80/20'")


def _formula(value: object) -> str:
    if value not in FORMULAS_IN_WORDS:
        raise ValueError(
            f"{came(value)} is no formula: write one of {', '.join(FORMULAS_IN_WORDS)}"
        )
    return str(value)


def _whole(value: object, least: int, most: int) -> int:
    text = str(value).strip()
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{came(value)} is not a whole number: write '30'")
    if not least <= int(text) <= most:
        raise ValueError(
            f"{came(value)} is outside {least} to {most:,}; write a number between them"
        )
    return int(text)


def _lines(value: object) -> float:
    return float(_whole(value, 1, MOST_LINES))


def _agents(value: object) -> int:
    return _whole(value, 0, MOST_AGENTS)


_CLOCK = re.compile(r"(\d{1,3}):(\d\d)")
_WHOLE = re.compile(r"-?\d{1,18}")
_PER_INTERVAL = re.compile(r"(\d{1,9}(?:\.\d+)?) ?(?:calls?|contacts?) ?(?:/|per) ?(\d.{0,40})")
_SHORT_TARGET = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%? ?/ ?(\d{1,9}) ?s?")
_LONG_TARGET = re.compile(r"(\d{1,3}(?:\.\d+)? ?%) (?:answered )?(?:with)?in (.{1,40})")
_READERS: dict[str, Callable[[Any], Any]] = {
    "volume": _volume,
    "handle_time": _some_seconds,
    "target": _target,
    "patience": _seconds,
    "redial": parse_share,
    "repeat": parse_share,
    "lines": _lines,
    "abandoned": parse_share,
    "speed_of_answer": _seconds,
    "occupancy": _some_share,
    "formula": _formula,
    "short_abandon": _seconds,
    "agents": _agents,
}
