"""The planner's calculator: the classic Erlang answer, and the honest one beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ccsim.errors import CcsimError, InfeasibleError
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
from ccsim.queueing.service_level import check_formula
from ccsim.scenario.units import MICROSECONDS, came, parse_duration, parse_rate, parse_share

if TYPE_CHECKING:
    import pandas as pd

_AROUND = 3
"""The table over agents goes so many beyond the fewest and the most that a formula asks for."""
_MOST_ROWS = 40
_NO_SUCH_NUMBER = 2.0**50


@dataclass(frozen=True)
class ErlangQuestion:
    """What a planner types into a calculator: one interval that lasts for ever.

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

    @property
    def load(self) -> float:
        """Offered load of the requests [erlang]."""
        return self.volume * self.handle_time / 3600


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
    model : callable
        Load [erlang], agents and formula to all measures.
    """

    name: str
    kind: str
    supposes: str
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
    fractional_agents : dict of str to float
        The same, when the last agent may be there part of the time.
    looked_at : int
        The agents at which the measures are given: those asked about, or the last formula's.
    largest_volume : dict of str to float
        Requests [contacts/h] that `looked_at` agents can take and keep the goals, by formula.
    """

    question: ErlangQuestion
    views: tuple[View, ...]
    agents: dict[str, int]
    fractional_agents: dict[str, float]
    looked_at: int
    largest_volume: dict[str, float]

    def measures(self, view: View, agents: ArrayLike | None = None) -> ErlangX:
        """All measures of a view, at the agents looked at or at others."""
        here = self.looked_at if agents is None else agents
        return view.model(self.question.load, here, self.question.formula)

    def keeps_goals(self, view: View, agents: ArrayLike) -> np.ndarray:
        """Tell whether so many agents keep every goal, by a view."""
        return goals_kept(self.question.goals, self.measures(view, agents))

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
    def range_of_agents(self) -> range:
        """The numbers of agents in the table: around what the formulas ask for."""
        asked = [*self.agents.values(), self.looked_at]
        first, last = max(min(asked) - _AROUND, 1), max(asked) + _AROUND
        return range(first, last + 1, max(1, (last - first) // _MOST_ROWS + 1))

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name: `agents` (what each formula asks for), `by_agents`, `formulas`."""
        import pandas as pd

        asked = [
            {
                "formula": view.name,
                "kind": view.kind,
                "supposes": view.supposes,
                "agents": self.agents[view.name],
                "fractional_agents": self.fractional_agents[view.name],
                "looked_at": self.looked_at,
                "largest_volume_per_hour": self.largest_volume[view.name],
            }
            for view in self.views
        ]
        numbers = np.array(self.range_of_agents)
        by_agents = [
            {"agents": agents, "formula": view.name, "goals_kept": bool(kept), **measures}
            for view in self.views
            for agents, kept, measures in zip(
                numbers.tolist(),
                self.keeps_goals(view, numbers),
                _rows(self.measures(view, numbers)),
                strict=True,
            )
        ]
        levels = [
            {"formula": name, "service_level_formula": formula, "service_level": level}
            for name, found in self.service_levels.items()
            for formula, level in found.items()
        ]
        return {
            "agents": pd.DataFrame(asked),
            "by_agents": pd.DataFrame(by_agents),
            "service_levels": pd.DataFrame(levels),
        }

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the version of its schema; what is infinite is null."""
        import json

        return {
            "schema": "ccsim/erlang/1",
            "load": self.question.load,
            "tables": {
                name: json.loads(table.to_json(orient="records", double_precision=15))
                for name, table in self.tables.items()
            },
        }

    def __str__(self) -> str:
        return self.tables["agents"].to_string(index=False)

    def _repr_html_(self) -> str:
        html: str = self.tables["agents"].to_html(index=False)
        return html


def read_question(**written: Any) -> ErlangQuestion:
    """Read what was typed: text with units by the names of `ccsim.study.erlang`, None left out.

    Raises
    ------
    CcsimError
        With everything that cannot be understood.

    Examples
    --------
    >>> read_question(volume="200 calls/h", handle_time="3 min", target="80/20").load
    10.0
    >>> read_question(volume="200", handle_time="3", target="80")
    Traceback (most recent call last):
    ccsim.errors.CcsimError: volume: '200' is not a rate of contacts: write '200 calls/h'
    handle_time: '3' is not a length of time: write '90 s', '30 min' or '8 h 30 min'
    target: '80' is not a target: write '80% within 20 s' or '80/20'
    """
    read, problems = {}, []
    for name, text in written.items():
        if text is None:
            continue
        try:
            read[name] = _READERS[name](text)
        except ValueError as error:
            problems.append(f"{name}: {error}")
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


def _seconds(text: str) -> float:
    return parse_duration(text) / MICROSECONDS


def _some_seconds(text: str) -> float:
    seconds = _seconds(text)
    if seconds == 0:
        raise ValueError(f"{came(text)} is no time at all; write '3 min'")
    return seconds


def _some_share(text: str) -> float:
    share = parse_share(text)
    if share == 0:
        raise ValueError(f"{came(text)} would need agents without end; write '85%'")
    return share


def _target(text: str) -> tuple[float, float]:
    short, long = _SHORT_TARGET.fullmatch(text.strip()), _LONG_TARGET.fullmatch(text.strip())
    if short:
        return parse_share(f"{short[1]}%"), _seconds(f"{short[2]} s")
    if long:
        return parse_share(long[1]), _seconds(long[2])
    raise ValueError(f"{came(text)} is not a target: write '80% within 20 s' or '80/20'")


def _formula(text: str) -> str:
    check_formula(text, virtual=True)
    return text


_SHORT_TARGET = re.compile(r"(\d{1,3}(?:\.\d+)?) ?/ ?(\d{1,9})")
_LONG_TARGET = re.compile(r"(\d{1,3}(?:\.\d+)? ?%) (?:answered )?(?:with)?in (.{1,40})")
_READERS: dict[str, Callable[[Any], Any]] = {
    "volume": parse_rate,
    "handle_time": _some_seconds,
    "target": _target,
    "patience": _seconds,
    "redial": parse_share,
    "repeat": parse_share,
    "lines": float,
    "abandoned": parse_share,
    "speed_of_answer": _seconds,
    "occupancy": _some_share,
    "formula": _formula,
    "short_abandon": _seconds,
}


def answer(question: ErlangQuestion, agents: int | None = None) -> ErlangAnswer:
    """Ask every formula that has something to say.

    Parameters
    ----------
    question : ErlangQuestion
        One interval.
    agents : int, optional
        Agents to look at; those of the last formula if not given.

    Raises
    ------
    InfeasibleError
        If no number of agents keeps the goals, with what is in the way.

    Examples
    --------
    >>> found = answer(ErlangQuestion(200, 180, 20, Goals(service_level=0.8), patience=300))
    >>> found.agents
    {'Erlang C': 14, 'Erlang A': 13}
    """
    seen = views(question)
    needed = {view.name: _agents(question, view) for view in seen}
    looked_at = needed[seen[-1].name][0] if agents is None else agents
    return ErlangAnswer(
        question=question,
        views=seen,
        agents={name: whole for name, (whole, _) in needed.items()},
        fractional_agents={name: some for name, (_, some) in needed.items()},
        looked_at=looked_at,
        largest_volume={view.name: _per_hour(question, view, looked_at) for view in seen},
    )


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

    found = [View("Erlang C", "exact", "nobody gives up", of(np.inf))]
    if np.isfinite(q.patience):
        found.append(View("Erlang A", "exact", "customers give up", of(q.patience)))
    extra = [
        *(["some hear an engaged tone"] if np.isfinite(q.lines) else []),
        *(["some call again"] if q.redial or q.repeat else []),
    ]
    if extra:
        kind = "approximate" if q.redial or q.repeat else "exact"
        model = of(q.patience, q.lines, q.redial, q.repeat)
        found.append(View("Erlang X", kind, " and ".join(extra), model))
    return tuple(found)


def _agents(question: ErlangQuestion, view: View) -> tuple[int, float]:
    goals, load = question.goals, question.load

    def model(agents: ArrayLike) -> ErlangX:
        return view.model(load, agents, question.formula)

    best = model(_NO_SUCH_NUMBER)
    if not goals_kept(goals, best):
        raise InfeasibleError(_why_not(question, view, best))
    return agents_for(goals, model, guess=load), fractional_agents_for(goals, model, guess=load)


def _why_not(question: ErlangQuestion, view: View, best: ErlangX) -> str:
    reached = f"{float(best.service_level):.2%}"
    if np.isinf(question.lines):
        return (
            f"{view.name}: no number of agents keeps these goals; even with agents without end "
            f"{reached} are in time: ask for less"
        )
    return (
        f"{view.name}: no number of agents keeps these goals; with an agent for every line "
        f"{reached} are in time and {float(best.blocked):.2%} hear an engaged tone: "
        f"give more lines than {question.lines:g}, or ask for less"
    )


def _per_hour(question: ErlangQuestion, view: View, agents: int) -> float:
    load = volume_for(question.goals, lambda load: view.model(load, agents, question.formula))
    return float(load) * 3600 / question.handle_time


def _rows(measures: ErlangX) -> list[dict[str, float]]:
    columns = {
        name: np.asarray(value, dtype=np.float64).tolist()
        for name, value in measures._asdict().items()
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
