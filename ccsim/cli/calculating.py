"""What `ccsim erlang` prints: the answers in a line each, then what they rest on, then tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import floor, isinf, log10
from typing import Any

import numpy as np

from ccsim.cli.console import strong, write, write_table
from ccsim.queueing import FORMULAS_IN_WORDS, ErlangX, goals_kept
from ccsim.results.erlang import ErlangAnswer, share_in_words, write_agents
from ccsim.results.erlang_question import write_seconds
from ccsim.scenario.units import write_rate

_FEW, _MANY = 0.0001, 0.05
"""Shares of callers below which nobody asks why, and from which a planner should look."""
_LABELS = {**FORMULAS_IN_WORDS, "virtual": "in time, had customers endless patience"}
"""As reports say it, but for what does not fit three formulas into eighty columns."""


def show_answer(answer: ErlangAnswer, *, by_agents: bool) -> None:
    """Write the classic answer, the honest ones below it, and all measures beside each other."""
    for view in answer.views:
        number, by = answer.headline(view)
        write(f"{strong(number)} {by}")
    if not answer.question.load:
        write("nobody comes, so there is nothing to measure")
        return
    write()
    for line in [*_asked(answer), *_how_far(answer), *_differences(answer)]:
        write(line)
    write()
    _show_measures(answer)
    if by_agents:
        write()
        _show_by_agents(answer)
    hints = list(_hints(answer))
    if hints:
        write()
    for hint in hints:
        write(hint)


def _asked(answer: ErlangAnswer) -> list[str]:
    asked = answer.question
    work = f"{write_rate(asked.volume)} of {write_seconds(asked.handle_time)}"
    goals = ", ".join(asked.goals_in_words.values()) or "none"
    return [f"load: {asked.load:,.2f} erlang, {work}", f"goals: {goals}"]


def _how_far(answer: ErlangAnswer) -> list[str]:
    """Whether fewer would do, or the given agents do; and how much more they can take."""
    last, here, given = answer.views[-1], answer.looked_at, answer.question.agents is not None
    by = f"by {last.name}, " if len(answer.views) > 1 else ""
    most = _most(answer.largest_volume(last))
    if given and answer.missed(last):
        said = [f"{by}{write_agents(here)} would miss them: {_reached(answer, here)}"]
        return [*said, f"{by}{write_agents(here)} would keep them {most}"] if most else said
    said = [f"{by}{write_agents(here)} can keep them {most}"]
    if not given and here > 0:
        fewer = f"{by}{write_agents(here - 1)} would miss them: {_reached(answer, here - 1)}"
        return [fewer, *said]
    return said


def _reached(answer: ErlangAnswer, agents: int) -> str:
    """What is reached of the goals that are missed."""
    last, asked = answer.views[-1], answer.question
    found: Any = answer.measures(last, agents)
    level, within = answer.level_in_words(last, agents), write_seconds(asked.threshold)
    lost = share_in_words(found.abandonment, apart_from=asked.bounds["abandonment"])
    busy = share_in_words(found.occupancy, apart_from=asked.bounds["maximum_occupancy"])
    words = {
        "service_level": f"{level} within {within}",
        "speed_of_answer": f"speed of answer {_seconds(found.speed_of_answer)}",
        "abandonment": f"{lost} give up",
        "maximum_occupancy": f"occupancy {busy}",
    }
    return ", ".join(words[name] for name in answer.missed(last, agents))


def _most(per_hour: float) -> str:
    """The largest volume, rounded down so that it stays true; empty if there is none."""
    if per_hour == 0:
        return ""
    if isinf(per_hour):
        return "at any volume"
    digits = max(2 - floor(log10(per_hour)), 0)
    rounded = floor(per_hour * (1 + 1e-9) * 10**digits) / 10**digits
    return f"up to {rounded:,.{digits}f} calls/h"


def _differences(answer: ErlangAnswer) -> list[str]:
    """Why a formula takes fewer or more agents than the one before it."""
    said = []
    for before, after in pairwise(answer.views):
        count = answer.agents[after.name]
        more = count - answer.agents[before.name]
        if more == 0:
            continue
        found: Any = answer.measures(after, count)
        causes = [f"{share_in_words(found.abandonment)} give up"] * (after.name == "Erlang A")
        if found.blocked > _FEW:
            causes.append(f"{share_in_words(found.blocked)} hear an engaged tone")
        if after.kind == "approximate":
            attempts = found.attempts_load / answer.question.load
            causes.append(f"{_count(attempts)} attempts per request")
        said.append(
            f"{after.name} takes {write_agents(abs(more))} {'more' if more > 0 else 'fewer'} "
            f"than {before.name}: {', '.join(causes)}"
        )
    return said


def _show_measures(answer: ErlangAnswer) -> None:
    asked, views = answer.question, answer.views
    lost, again = asked.some_are_lost, views[-1].kind == "approximate"
    lines: list[tuple[str, bool, Callable[[float], str], Callable[[ErlangX], Any]]] = [
        ("have to wait", True, share_in_words, lambda m: m.waiting_probability),
        ("give up", not isinf(asked.patience), share_in_words, lambda m: m.abandonment),
        ("hear an engaged tone", not isinf(asked.lines), share_in_words, lambda m: m.blocked),
        ("speed of answer", True, _seconds, lambda m: m.speed_of_answer),
        ("mean wait of all", lost, _seconds, lambda m: m.mean_wait),
        ("contacts waiting", True, _count, lambda m: m.queue_length),
        ("occupancy", True, share_in_words, lambda m: m.occupancy),
        ("attempts per request", again, _count, lambda m: m.attempts_load / asked.load),
        ("requests answered in the end", lost, share_in_words, lambda m: m.served),
    ]
    found = [answer.measures(view) for view in views]
    rows = [
        *_levels(answer),
        *([title, *(say(of(each)) for each in found)] for title, tells, say, of in lines if tells),
        ["keeps the goals", *("no" if answer.missed(view) else "yes" for view in views)],
    ]
    write_table([f"at {write_agents(answer.looked_at)}", *(view.name for view in views)], rows)
    if lost:
        write("* the formula of the target")


def _levels(answer: ErlangAnswer) -> list[list[str]]:
    """The service level by every definition; in one row where nobody is lost, as all agree."""
    if not answer.question.some_are_lost:
        levels = [answer.level_in_words(view) for view in answer.views]
        return [["answered in time, by every definition", *levels]]
    return [
        [
            f"{words} *" if formula == answer.question.formula else words,
            *(share_in_words(answer.service_levels[view.name][formula]) for view in answer.views),
        ]
        for formula, words in _LABELS.items()
    ]


def _show_by_agents(answer: ErlangAnswer) -> None:
    asked, last, numbers = answer.question, answer.views[-1], answer.numbers_of_agents
    table, goal = {"agents": [f"{count:,}" for count in numbers]}, asked.bounds["service_level"]
    for view in answer.views:
        found = answer.measures(view, numbers)
        kept = goals_kept(asked.goals, found)
        table[f"in time, {view.name[-1]}"] = [
            f"{'+ ' * bool(keeps)}{share_in_words(level, apart_from=goal)}"
            for keeps, level in zip(kept, np.asarray(found.service_level), strict=True)
        ]
    found = answer.measures(last, numbers)
    if not isinf(asked.patience):
        table["give up"] = [share_in_words(each) for each in np.asarray(found.abandonment)]
    if not isinf(asked.lines):
        table["engaged"] = [share_in_words(each) for each in np.asarray(found.blocked)]
    table["speed of answer"] = [_seconds(each) for each in np.asarray(found.speed_of_answer)]
    table["occupancy"] = [share_in_words(each) for each in np.asarray(found.occupancy)]
    write_table(list(table), list(zip(*table.values(), strict=True)), left=0)
    by = "" if len(answer.views) == 1 else f"; columns without a letter by {last.name}"
    write(f"+ keeps the goals{by}")


def _hints(answer: ErlangAnswer) -> Iterator[str]:
    """What a planner should know before believing it."""
    asked, last = answer.question, answer.views[-1]
    if isinf(asked.patience):
        yield 'Customers do give up: add --patience "2 min" for the honest number.'
    if asked.redial and not asked.some_are_lost:
        yield "--redial does nothing: without --patience or --lines nobody goes unanswered."
    if last.kind == "approximate":
        yield "Erlang X has them call again much later; whoever calls at once finds it worse."
    lost = float(answer.measures(last).abandonment)
    if lost > _MANY and asked.bounds["abandonment"] == 1:
        yield f"{share_in_words(lost)} give up, and no goal bounds them: add --abandoned 5%."


def _seconds(value: float) -> str:
    return "without end" if isinf(value) else f"{value:,.1f} s"


def _count(value: float) -> str:
    return "without end" if isinf(value) else f"{value:,.2f}"
