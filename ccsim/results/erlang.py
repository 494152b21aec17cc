"""The planner's calculator: the classic Erlang answer, and the honest one beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ccsim.errors import InfeasibleError
from ccsim.queueing import (
    FORMULAS_IN_WORDS,
    ErlangX,
    Goals,
    SteadyStateFormula,
    agents_for,
    erlang_x,
    fractional_agents_for,
    goals_kept,
    volume_for,
)
from ccsim.results.erlang_question import ErlangQuestion, write_seconds
from ccsim.scenario.units import write_share

if TYPE_CHECKING:
    import pandas as pd

_AROUND = 3
"""The table over agents goes so many to either side of every number that was asked for."""
_NO_SUCH_NUMBER = 2.0**50
_ROUNDING = 1e-12
"""What doubles leave of nobody, or of everybody."""


@dataclass(frozen=True)
class View:
    """One way to see the centre: a formula with what it takes account of.

    Attributes
    ----------
    name : str
        Erlang C, A or X.
    kind : str
        exact or approximate.
    supposes : str
        What it supposes of customers, in words.
    lines : float
        Contacts that can be talking or waiting; infinite where the formula knows no lines.
    model : callable
        Load [erlang], agents and service-level formula to all measures.
    """

    name: str
    kind: str
    supposes: str
    lines: float
    model: Callable[[ArrayLike, ArrayLike, SteadyStateFormula], ErlangX]


@dataclass(frozen=True, eq=False)
class ErlangAnswer:
    """Agents by Erlang C, and by what customers really do; the measures at one number of agents.

    Attributes
    ----------
    question : ErlangQuestion
        What was asked.
    views : tuple of View
        The formulas, each taking account of more than the one before.
    agents : dict of str to int
        Fewest agents that keep the goals, by formula.
    """

    question: ErlangQuestion
    views: tuple[View, ...]
    agents: dict[str, int]

    @property
    def looked_at(self) -> int:
        """The agents at which the measures are given: those asked about, or the last formula's."""
        asked = self.question.agents
        return self.agents[self.views[-1].name] if asked is None else asked

    def measures(self, view: View, agents: ArrayLike | None = None) -> ErlangX:
        """All measures of a view, at the agents looked at or at others."""
        here = self.looked_at if agents is None else agents
        return view.model(self.question.load, here, self.question.formula)

    def missed(self, view: View, agents: int | None = None) -> list[str]:
        """The goals that the agents looked at, or others, miss by a view; named as in `Goals`."""
        return _missed(self.question.goals, self.measures(view, agents))

    def fractional_agents(self, view: View) -> float:
        """Fewest agents by a view, when the last one may be there part of the time."""
        guess = self.agents[view.name]
        goals = self.question.goals
        return float(fractional_agents_for(goals, lambda n: self.measures(view, n), guess=guess))

    def largest_volume(self, view: View) -> float:
        """Requests [contacts/h] that the agents looked at can take and keep the goals."""
        q, here = self.question, self.looked_at
        load = volume_for(q.goals, lambda load: view.model(load, here, q.formula))
        return float(load) * 3600 / q.handle_time

    @cached_property
    def service_levels(self) -> dict[str, dict[SteadyStateFormula, float]]:
        """Every definition of the service level at the agents looked at, by view."""
        load, here = self.question.load, self.looked_at
        return {
            view.name: {
                formula: float(view.model(load, here, formula).service_level)
                for formula in FORMULAS_IN_WORDS
            }
            for view in self.views
        }

    @property
    def numbers_of_agents(self) -> list[int]:
        """The rows of the table over agents: around each number that a formula asks for."""
        asked = {*self.agents.values(), self.looked_at}
        around = (range(max(n - _AROUND, min(n, 1)), n + _AROUND + 1) for n in asked)
        return sorted({number for numbers in around for number in numbers})

    @cached_property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Tidy rows by table: `agents` (what each formula asks for), `by_agents`, `service_levels`.

        Where nobody comes there is no service level: it is NaN.
        """
        asked = [
            {
                "formula": view.name,
                "kind": view.kind,
                "supposes": view.supposes,
                "agents": self.agents[view.name],
                "fractional_agents": self.fractional_agents(view),
                "looked_at": self.looked_at,
                "goals_missed": ", ".join(self.missed(view)),
                "largest_volume_per_hour": self.largest_volume(view),
            }
            for view in self.views
        ]
        numbers = self.numbers_of_agents
        by_agents = []
        for view in self.views:
            measures = self.measures(view, numbers)
            kept = goals_kept(self.question.goals, measures).tolist()
            columns = [np.asarray(column).tolist() for column in measures]
            by_agents += [
                {"agents": count, "formula": view.name, "goals_kept": keeps}
                | dict(zip(measures._fields, row, strict=True))
                for count, keeps, *row in zip(numbers, kept, *columns, strict=True)
            ]
        levels = [
            {"formula": name, "service_level_formula": formula, "service_level": level}
            for name, found in self.service_levels.items()
            for formula, level in found.items()
        ]
        if not self.question.load:
            for row in [*by_agents, *levels]:
                row["service_level"] = np.nan
        return {"agents": asked, "by_agents": by_agents, "service_levels": levels}

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The same rows as tidy tables."""
        import pandas as pd

        return {name: pd.DataFrame(rows) for name, rows in self.rows.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the version of its schema; what is infinite or is not there is null."""
        return {
            "schema": "ccsim/erlang/1",
            "question": _plain(asdict(self.question)),
            "load": self.question.load,
            "tables": _plain(self.rows),
        }

    def headline(self, view: View) -> tuple[str, str]:
        """What a view asks for and what that gives; then its name and what it supposes."""
        count = self.agents[view.name]
        words, by = write_agents(count), f"by {view.name}, {view.kind}: {view.supposes}"
        if not self.question.load:
            return words, by
        threshold = write_seconds(self.question.threshold)
        return f"{words}, {self.level_in_words(view, count)} within {threshold}", by

    def level_in_words(self, view: View, agents: int | None = None) -> str:
        """Write a service level, never rounded onto the goal that it keeps or misses."""
        level = float(self.measures(view, agents).service_level)
        return share_in_words(level, apart_from=self.question.bounds["service_level"])

    def __str__(self) -> str:
        return "\n".join(" ".join(self.headline(view)) for view in self.views)

    def _repr_html_(self) -> str:
        html: str = self.tables["agents"].to_html(index=False)
        return html


def answer(question: ErlangQuestion) -> ErlangAnswer:
    """Ask every formula that has something to say.

    Raises
    ------
    InfeasibleError
        If no number of agents keeps the goals, with what is in the way.

    Examples
    --------
    >>> print(answer(ErlangQuestion(200, 180, 20, Goals(service_level=0.8), patience=300)))
    14 agents, 88.84% within 20 s by Erlang C, exact: nobody gives up
    13 agents, 85.82% within 20 s by Erlang A, exact: patience 5 min
    """
    seen = views(question)
    return ErlangAnswer(question, seen, {view.name: _fewest(question, view) for view in seen})


def views(question: ErlangQuestion) -> tuple[View, ...]:
    """The formulas for a question: C, then A if customers give up, then X if they call again."""
    q = question

    def of(patience: float, lines: float = np.inf, redial: float = 0.0, repeat: float = 0.0) -> Any:
        def model(load: ArrayLike, agents: ArrayLike, formula: SteadyStateFormula) -> ErlangX:
            return erlang_x(
                load, agents, q.handle_time, patience, q.threshold, lines=lines,
                redial=redial, redial_blocked=redial, repeat=repeat, formula=formula,
                short_abandon=q.short_abandon,
            )  # fmt: skip

        return model

    found = [View("Erlang C", "exact", "nobody gives up", np.inf, of(np.inf))]
    if isfinite(q.patience):
        patience = f"patience {write_seconds(q.patience)}"
        found.append(View("Erlang A", "exact", patience, np.inf, of(q.patience)))
    redial = q.redial if q.some_are_lost else 0.0
    more = [
        *([f"redial {write_share(redial)}"] if redial else []),
        *([f"repeat {write_share(q.repeat)}"] if q.repeat else []),
        *([f"{q.lines:,.0f} {'line' if q.lines == 1 else 'lines'}"] if isfinite(q.lines) else []),
    ]
    if more:
        kind = "approximate" if redial or q.repeat else "exact"
        model = of(q.patience, q.lines, redial, q.repeat)
        found.append(View("Erlang X", kind, ", ".join(more), q.lines, model))
    return tuple(found)


def write_agents(count: int) -> str:
    """Write a number of agents.

    Examples
    --------
    >>> write_agents(1), write_agents(10081)
    ('1 agent', '10,081 agents')
    """
    return "1 agent" if count == 1 else f"{count:,} agents"


def share_in_words(value: float, apart_from: float | None = None) -> str:
    """Write a share with two digits: never rounded to nobody, to everybody or onto a goal.

    Examples
    --------
    >>> share_in_words(0.888353), share_in_words(0.9999999), share_in_words(0.00001)
    ('88.84%', '> 99.99%', '< 0.01%')
    >>> share_in_words(0.799999, apart_from=0.8)
    '79.9999%'
    """
    digits, of_goal = 2, None if value == apart_from else apart_from
    if of_goal is not None:
        while digits < 9 and round(100 * value, digits) == round(100 * of_goal, digits):
            digits += 1
    if digits == 2 and 0.99995 <= value < 1 - _ROUNDING:
        return "> 99.99%"
    if digits == 2 and _ROUNDING < value < 0.00005:
        return "< 0.01%"
    return f"{100 * value:.{digits}f}%"


def _fewest(question: ErlangQuestion, view: View) -> int:
    goals, load = question.goals, question.load

    def model(agents: ArrayLike) -> ErlangX:
        return view.model(load, agents, question.formula)

    best = model(_NO_SUCH_NUMBER)
    missed = _missed(goals, best)
    if load and not isfinite(view.lines):
        # Agents without end keep these, and no number of them: it only comes ever nearer.
        at_its_end = Goals(
            service_level=1.0 if goals.service_level == 1 else 0.0,
            speed_of_answer=0.0 if goals.speed_of_answer == 0 else np.inf,
            abandonment=0.0 if goals.abandonment == 0 else 1.0,
        )
        missed += _missed(at_its_end, model(max(ceil(load), 1)))
    if missed:
        raise InfeasibleError(_why_not(question, view, best, missed))
    return int(agents_for(goals, model, guess=load))


def _missed(goals: Goals, measures: ErlangX) -> list[str]:
    """Names of the goals that ask for something and are not kept."""
    given = {each.name: getattr(goals, each.name) for each in fields(goals)}
    return [
        each.name
        for each in fields(goals)
        if given[each.name] != each.default
        and not goals_kept(Goals(**{each.name: given[each.name]}), measures)
    ]


def _why_not(question: ErlangQuestion, view: View, best: ErlangX, missed: list[str]) -> str:
    words = question.goals_in_words
    goals = ", ".join(words[name] for name in dict.fromkeys(missed))
    no = f"{view.name}: no number of agents keeps {goals}"
    if best.occupancy > 0.5:
        return f"{no}: callers come again without end; give a lower share that calls again"
    if not isfinite(view.lines):
        return f"{no}: it would take agents without end; ask for less"
    return (
        f"{no}: with an agent for every line {share_in_words(float(best.service_level))} are in "
        f"time and {share_in_words(float(best.blocked))} hear an engaged tone; give more lines "
        f"than {view.lines:,.0f}, or ask for less"
    )


def _plain(value: Any) -> Any:
    """Plain data in which what is infinite or not a number is None."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value
