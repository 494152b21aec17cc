"""`ccsim erlang`: the classic answer, the honest one beside it, and everything it refuses."""

from __future__ import annotations

import json
import math
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from ccsim import queueing as q
from ccsim import study
from ccsim.cli.main import ccsim
from ccsim.errors import CcsimError
from ccsim.results.erlang import ErlangAnswer, answer
from ccsim.results.erlang_question import ErlangQuestion
from ccsim.scenario import units
from tests.terminal import in_terminal

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden" / "erlang"
CALLS = ("200 calls/h", "3 min")
HONEST = (*CALLS, "--patience", "2 min")
REDIAL = (*HONEST, "--redial", "40%")


def run(*arguments: str) -> Result:
    """The calculator in this process; no exception comes out of it that is not an exit."""
    result = CliRunner().invoke(ccsim, ["erlang", *arguments])
    assert "Traceback" not in result.output
    assert result.exit_code != 4, result.output
    return result


def fine(*arguments: str) -> str:
    """What it prints when there is an answer."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def document(*arguments: str) -> dict[str, Any]:
    """Its JSON, in which no number is missing in an improper way."""

    def improper(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    text = fine(*arguments, "--json")
    assert text.count("\n") == 1, "one object, one line"
    return dict(json.loads(text, parse_constant=improper))


def rows(text: str) -> dict[str, list[str]]:
    """The lines of its tables by what they begin with."""
    parts = (re.split(r" {2,}", line.strip()) for line in text.splitlines())
    return {first: rest for first, *rest in parts if rest}


# The classic answer --------------------------------------------------------------------------


def erlang_c_in_time(load: float, agents: int, handle: float, wait: float) -> float:
    """The textbook sum, term by term."""
    terms = [load**n / math.factorial(n) for n in range(agents)]
    waiting = load**agents / math.factorial(agents) * agents / (agents - load)
    delayed = waiting / (sum(terms) + waiting)
    return 1 - delayed * math.exp(-(agents - load) * wait / handle)


def test_the_first_line_is_the_classic_answer() -> None:
    agents = next(n for n in range(11, 99) if erlang_c_in_time(10, n, 180, 20) >= 0.8)
    level = erlang_c_in_time(10, agents, 180, 20)
    assert (agents, round(level, 4)) == (14, 0.8884)
    first = "14 agents, 88.84% within 20 s by Erlang C, exact: nobody gives up"
    assert fine(*CALLS).splitlines()[0] == first
    assert fine(*REDIAL, "--lines", "30").splitlines()[0] == first


@pytest.mark.parametrize(
    ("volume", "target", "agents"),
    # Twelve calls of 5 minutes an hour are an erlang.
    [("1200 calls/h", "80/20", 108), ("12 calls/h", "80/20", 3), ("120 calls/h", "90/10", 15)],
)
def test_the_textbook_at_other_sizes(volume: str, target: str, agents: int) -> None:
    load = float(volume.split(maxsplit=1)[0]) / 12
    share, wait = (float(part) for part in target.split("/"))
    levels = {n: erlang_c_in_time(load, n, 300, wait) for n in (agents - 1, agents)}
    assert levels[agents - 1] < share / 100 <= levels[agents]
    said = f"{agents} agents, {levels[agents]:.2%} within {wait:.0f} s by Erlang C"
    assert fine(volume, "5 min", "--target", target).startswith(said)


@pytest.mark.parametrize(
    ("volume", "handle_time", "target"),
    [
        ("200 calls/h", "180 s", "80/20"),
        ("200 contacts / hour", "0.05 h", "80 / 20"),
        ("100 calls/30 min", "3min", "80% within 20 s"),
        ("50 calls per 15 min", "2 min 60 s", "80 % in 20 sec"),
        ("100 contacts/0.5 h", "3 minutes", "80%/20s"),
        (" 4800 calls/d ", " 3 min ", " 80% answered within 20 s "),
    ],
)
def test_a_planner_may_write_it_her_way(volume: str, handle_time: str, target: str) -> None:
    assert fine(volume, handle_time, "--target", target) == fine(*CALLS)


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.txt")))
def test_what_it_prints(name: str) -> None:
    # To renew one after a change that is meant: put what the first line prints below it.
    command, expected = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").split("\n", 1)
    prompt, program, verb, *arguments = shlex.split(command)
    assert (prompt, program, verb) == ("$", "ccsim", "erlang")
    result = run(*arguments)
    assert result.exit_code == {"everything_wrong": 2, "impossible": 1}.get(name, 0)
    assert result.stdout == ("" if result.exit_code else expected)
    assert result.stderr == (expected if result.exit_code else "")


# The honest one beside it --------------------------------------------------------------------


def test_with_patience_the_second_line_is_erlang_a() -> None:
    agents = q.erlang_a_agents(10, 180, 120, 20, service_level=0.8)
    level = q.erlang_a_service_level(10, agents, 180, 120, 20)
    second = fine(*HONEST).splitlines()[1]
    assert second == f"{agents} agents, {level:.2%} within 20 s by Erlang A, exact: patience 2 min"


def test_with_redials_the_third_line_is_erlang_x_and_says_approximate() -> None:
    def level(agents: int) -> float:
        found = q.erlang_x(
            10, agents, 180, 120, 20, lines=30, redial=0.4, redial_blocked=0.4, repeat=0.12
        )
        return float(found.service_level)

    agents = next(n for n in range(99) if level(n) >= 0.8)
    text = fine(*REDIAL, "--repeat", "12%", "--lines", "30")
    assert text.splitlines()[2] == (
        f"{agents} agents, {level(agents):.2%} within 20 s by Erlang X, "
        "approximate: redial 40%, repeat 12%, 30 lines"
    )
    assert f"by Erlang X, {agents - 1} agents would miss them: {level(agents - 1):.2%}" in text
    assert "whoever calls at once finds it worse" in text


def test_lines_alone_are_exact_and_count_the_engaged_as_not_in_time() -> None:
    text = fine(*CALLS, "--lines", "14", "--agents", "14")
    # As many lines as agents: nobody waits, and Erlang's loss formula has the rest.
    blocked = q.erlang_b(10, 14)
    found = rows(text)
    assert found["answered in time ÷ offered *"][-1] == f"{1 - blocked:.2%}"
    assert found["answered in time ÷ answered"][-1] == "100.00%"
    assert found["hear an engaged tone"] == ["0.00%", f"{blocked:.2%}"]
    assert "by Erlang X, exact: 14 lines" in text


@pytest.mark.parametrize("formula", q.FORMULAS_IN_WORDS)
def test_every_definition_of_the_service_level_is_there(formula: Any) -> None:
    options = ("--formula", formula, "--short-abandon", "8 s", "--agents", "11")
    table = document(*HONEST, *options)["tables"]["service_levels"]
    said = {
        row["service_level_formula"]: row["service_level"]
        for row in table
        if row["formula"] == "Erlang A"
    }
    queue = {"load": 10, "agents": 11, "handle_time": 180, "patience": 120, "threshold": 20}
    for each, level in said.items():
        assert level == pytest.approx(
            q.erlang_a_service_level(**queue, formula=each, short_abandon=8), rel=1e-12
        )
    assert list(said) == list(q.FORMULAS_IN_WORDS)
    starred = [title for title in rows(fine(*HONEST, *options)) if title.endswith("*")]
    (title,) = starred
    assert formula == "virtual" or title == f"{q.FORMULAS_IN_WORDS[formula]} *"


def test_every_measure_is_that_of_the_formula() -> None:
    found = rows(fine(*REDIAL, "--agents", "11"))
    queue = (10, 11, 180, 120)
    x = q.erlang_x(*queue, 20, redial=0.4, redial_blocked=0.4)
    assert found["at 11 agents"] == ["Erlang C", "Erlang A", "Erlang X"]
    assert found["have to wait"] == [
        f"{q.erlang_c(10, 11):.2%}",
        f"{q.erlang_a_waiting_probability(*queue):.2%}",
        f"{x.waiting_probability:.2%}",
    ]
    assert found["give up"][1:] == [
        f"{q.erlang_a_abandonment(*queue):.2%}",
        f"{x.abandonment:.2%}",
    ]
    assert found["mean wait of all"][:2] == [
        f"{q.erlang_c_mean_wait(10, 11, 180):.1f} s",
        f"{q.erlang_a_mean_wait(*queue):.1f} s",
    ]
    assert found["contacts waiting"][:2] == [
        f"{q.erlang_c_queue_length(10, 11):.2f}",
        f"{q.erlang_a_queue_length(*queue):.2f}",
    ]
    assert found["occupancy"][:2] == [
        f"{q.erlang_c_occupancy(10, 11):.2%}",
        f"{q.erlang_a_occupancy(*queue):.2%}",
    ]
    # Every attempt is of a request: L = load + redial · L · abandoned.
    attempts = 1 / (1 - 0.4 * float(x.abandonment))
    assert found["attempts per request"][-1] == f"{attempts:.2f}"
    lost = 0.6 * attempts * float(x.abandonment)
    assert found["requests answered in the end"][-1] == f"{1 - lost:.2%}"


def test_nobody_lost_is_one_row() -> None:
    text = fine(*CALLS)
    assert rows(text)["answered in time, by every definition"] == ["88.84%"]
    assert "÷" not in text


# Do so many agents do? -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--agents", "13"], "13 agents would miss them: 79.56% within 20 s"),
        (["--agents", "10"], "10 agents would miss them: 0.00% within 20 s"),
        (["--occupancy", "70%"], "14 agents would miss them: occupancy 71.43%"),
        (["--speed-of-answer", "5 s"], "14 agents would miss them: speed of answer 7.8 s"),
        (["--target", "0/20", "--agents", "9"], "9 agents can keep them at any volume"),
    ],
)
def test_it_says_which_goal_is_missed(options: list[str], said: str) -> None:
    assert said in fine(*CALLS, *options).splitlines()


def test_it_says_how_many_calls_so_many_agents_can_take() -> None:
    most = next(n for n in range(200, 300) if erlang_c_in_time((n + 1) / 20, 15, 180, 20) < 0.8)
    assert f"15 agents can keep them up to {most} calls/h" in fine(*CALLS, "--agents", "15")
    most = next(n for n in range(1, 200) if erlang_c_in_time((n + 1) / 20, 9, 180, 20) < 0.8)
    assert f"9 agents would keep them up to {most} calls/h" in fine(*CALLS, "--agents", "9")


def test_the_keeping_of_goals_is_said_for_every_formula() -> None:
    assert rows(fine(*REDIAL, "--agents", "13"))["keeps the goals"] == ["no", "yes", "yes"]
    assert rows(fine(*REDIAL, "--agents", "11"))["keeps the goals"] == ["no", "no", "no"]


def test_a_level_is_never_rounded_onto_its_goal() -> None:
    level = 100 * erlang_c_in_time(10, 13, 180, 20)
    text = fine(*CALLS, "--target", f"{level + 0.0003:.4f}/20", "--agents", "13")
    (said,) = rows(text)["answered in time, by every definition"]
    assert float(said.rstrip("%")) == pytest.approx(level, abs=1e-3)
    assert float(said.rstrip("%")) < round(level + 0.0003, 4)
    assert f"13 agents would miss them: {said} within 20 s" in text
    assert "> 99.99% within 1 h" in fine(*CALLS, "--target", "80% in 1 h")


def test_it_says_why_formulas_differ() -> None:
    lost = q.erlang_a_abandonment(10, 12, 180, 120)
    said = f"Erlang A takes 2 agents fewer than Erlang C: {lost:.2%} give up"
    text = fine(*HONEST)
    assert said in text
    assert f"{lost:.2%} give up, and no goal bounds them: add --abandoned 5%." in text
    bounded = fine(*HONEST, "--abandoned", "5%")
    assert "no goal bounds them" not in bounded
    again = fine(*HONEST, "--repeat", "12%")
    (agents,) = re.findall(r"^(\d+) agents.* by Erlang X", again, flags=re.MULTILINE)
    attempts = q.erlang_x(10, int(agents), 180, 120, repeat=0.12).attempts_load / 10
    assert int(agents) > 12
    more = "1 agent" if int(agents) == 13 else f"{int(agents) - 12} agents"
    said = f"Erlang X takes {more} more than Erlang A: {attempts:.2f} attempts per request"
    assert said in again


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ([], 'Customers do give up: add --patience "2 min" for the honest number.'),
        (["--redial", "40%"], "--redial does nothing: without --patience or --lines nobody goes"),
    ],
)
def test_hints(options: list[str], hint: str) -> None:
    assert hint in fine(*CALLS, *options)
    assert hint not in fine(*HONEST, *options)


def test_zero_volume_takes_nobody() -> None:
    text = fine("0 calls/h", "3 min", "--patience", "2 min", "--redial", "40%", "--table")
    assert [line.split(" by ")[0] for line in text.splitlines()[:3]] == ["0 agents"] * 3
    assert text.splitlines()[3:] == ["nobody comes, so there is nothing to measure"]
    found = document("0 calls/h", "3 min")
    # Neither 0 nor 100 %: there is no service level where nobody comes.
    levels = found["tables"]["service_levels"] + found["tables"]["by_agents"]
    assert {row["service_level"] for row in levels} == {None}
    assert found["tables"]["agents"][0]["agents"] == 0


# The table and JSON --------------------------------------------------------------------------


def test_the_table_marks_what_keeps_the_goals() -> None:
    text = fine(*HONEST, "--table")
    lines = re.findall(
        r"^ *(\d+) +(\+ )?([\d.]+%) +(\+ )?([\d.]+%) +([\d.]+)% +([\d.]+) s +([\d.]+)%$",
        text,
        flags=re.MULTILINE,
    )
    numbers = [int(line[0]) for line in lines]
    assert numbers == list(range(9, 18))
    for agents, by_c, c, by_a, a, lost, *_ in lines:
        n = int(agents)
        assert c == f"{q.erlang_c_service_level(10, n, 180, 20):.2%}"
        assert a == f"{q.erlang_a_service_level(10, n, 180, 120, 20):.2%}"
        assert lost == f"{100 * q.erlang_a_abandonment(10, n, 180, 120):.2f}"
        assert bool(by_c) == (n >= 14)
        assert bool(by_a) == (n >= 12)


def test_json_holds_what_was_asked_and_every_table() -> None:
    found = document(*REDIAL, "--abandoned", "5%", "--agents", "9")
    assert list(found) == ["schema", "question", "load", "tables"]
    assert found["schema"] == "ccsim/erlang/1"
    assert found["load"] == pytest.approx(10, rel=1e-15)
    assert found["question"] == {
        "volume": 200.0,
        "handle_time": 180.0,
        "threshold": 20.0,
        "goals": {
            "service_level": 0.8,
            "speed_of_answer": None,
            "abandonment": 0.05,
            "maximum_occupancy": 1.0,
        },
        "patience": 120.0,
        "redial": 0.4,
        "repeat": 0.0,
        "lines": None,
        "formula": "of_offered",
        "short_abandon": 5.0,
        "agents": 9,
    }
    by_formula = {row["formula"]: row for row in found["tables"]["agents"]}
    assert {name: row["agents"] for name, row in by_formula.items()} == {
        "Erlang C": 14,
        "Erlang A": 13,
        "Erlang X": 13,
    }
    assert by_formula["Erlang X"]["goals_missed"] == "service_level, abandonment"
    assert by_formula["Erlang X"]["kind"] == "approximate"
    for row in by_formula.values():
        assert row["agents"] - 1 < row["fractional_agents"] <= row["agents"]
    overloaded = [
        row
        for row in found["tables"]["by_agents"]
        if row["agents"] <= 10 and row["formula"] == "Erlang C"
    ]
    assert overloaded
    # What has no end is null, not a number that nobody can read.
    assert {row["speed_of_answer"] for row in overloaded} == {None}
    assert not any(row["goals_kept"] for row in overloaded)


def test_the_answer_in_python_is_the_same() -> None:
    found = study.erlang(*CALLS, patience="2 min", target="90/10")
    options = (*HONEST, "--target", "90/10")
    assert isinstance(found, ErlangAnswer)
    assert str(found) == "\n".join(fine(*options).splitlines()[:2])
    assert "Erlang A" in found._repr_html_()
    assert json.loads(json.dumps(found.to_json(), allow_nan=False)) == document(*options)
    for name, table in found.tables.items():
        assert len(table) == len(found.to_json()["tables"][name])


# What goes wrong -----------------------------------------------------------------------------

LENGTH = "is not a length of time: write '90 s', '30 min' or '8 h 30 min'"
SHARE = "is outside 0% to 100%; write a percentage between them"
FORMULAS = ", ".join(q.FORMULAS_IN_WORDS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["200", "3 min"], "VOLUME: '200' is not a rate of contacts: write '200 calls/h'"),
        (["", "3 min"], "VOLUME: '' is not a rate of contacts: write '200 calls/h'"),
        (
            ["100 per half hour", "3 min"],
            "VOLUME: '100 per half hour' is not a rate of contacts: write '200 calls/h'",
        ),
        (
            ["200 mails/h", "3 min"],
            "VOLUME: 'mails/h' in '200 mails/h' is not a unit of contacts per time: "
            "write '200 calls/h' or '4 contacts/min'",
        ),
        (["100 calls/0 min", "3 min"], "VOLUME: '0 min' is no time at all; write '3 min'"),
        (
            ["2000000 calls/h", "3 min"],
            "VOLUME: '2000000 calls/h' is more than a million contacts an hour",
        ),
        (["200 calls/h", "3"], f"HANDLE_TIME: '3' {LENGTH}"),
        (["200 calls/h", "0 s"], "HANDLE_TIME: '0 s' is no time at all; write '3 min'"),
        (
            ["200 calls/h", "3:00"],
            "HANDLE_TIME: '3:00' may be minutes or hours: write '3 min' or '3 h'",
        ),
        (
            ["200 calls/h", "3:30"],
            "HANDLE_TIME: '3:30' may be minutes or hours: write '3 min 30 s' or '3 h 30 min'",
        ),
        (
            [*CALLS, "--target", "80"],
            "--target: '80' is not a target: write '80% within 20 s' or '80/20'",
        ),
        ([*CALLS, "--target", "80% within 20"], f"--target: '20' {LENGTH}"),
        ([*CALLS, "--target", "120/20"], f"--target: '120%' {SHARE}"),
        ([*CALLS, "--patience", "long"], f"--patience: 'long' {LENGTH}"),
        ([*CALLS, "--redial", "0.4"], "--redial: '0.4' is not a percentage: write '80%'"),
        ([*CALLS, "--repeat", "140%"], f"--repeat: '140%' {SHARE}"),
        ([*CALLS, "--abandoned=-5%"], f"--abandoned: '-5%' {SHARE}"),
        ([*CALLS, "--speed-of-answer", "20"], f"--speed-of-answer: '20' {LENGTH}"),
        (
            [*CALLS, "--occupancy", "0%"],
            "--occupancy: '0%' would need agents without end; write '85%'",
        ),
        (
            [*CALLS, "--lines", "0"],
            "--lines: '0' is outside 1 to 100,000; write a number between them",
        ),
        # A waiting room of a billion places would not fit into memory.
        (
            [*CALLS, "--lines", "1000000000"],
            "--lines: '1000000000' is outside 1 to 100,000; write a number between them",
        ),
        ([*CALLS, "--agents", "13.5"], "--agents: '13.5' is not a whole number: write '30'"),
        (
            [*CALLS, "--agents=-1"],
            "--agents: '-1' is outside 0 to 10,000,000; write a number between them",
        ),
        (
            [*CALLS, "--formula", "of_ofered"],
            f"--formula: 'of_ofered' is no formula: write one of {FORMULAS}",
        ),
        ([*CALLS, "--short-abandon", "five"], f"--short-abandon: 'five' {LENGTH}"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments: list[str], said: str) -> None:
    for more in ([], ["--json"], ["--table"]):
        result = run(*arguments, *more)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr == f"{said}\n"


def test_everything_wrong_is_said_at_once_and_in_order() -> None:
    # The golden text `everything_wrong` has a line for every argument.
    lines = (GOLDEN / "everything_wrong.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split(":")[0] for line in lines[1:]] == [
        "VOLUME",
        "HANDLE_TIME",
        *(
            option
            for parameter in ccsim.commands["erlang"].params
            for option in parameter.opts
            if option.startswith("--") and option not in {"--table", "--json", "--debug", "--help"}
        ),
    ]


def test_python_names_its_arguments_as_it_knows_them() -> None:
    with pytest.raises(CcsimError, match=r"^volume: 200 needs a unit: write '200 calls/h'\n"):
        study.erlang(200, 180, speed_of_answer="x")  # type: ignore[arg-type]
    with pytest.raises(CcsimError, match=r"\nhandle_time: 180 needs a unit of time"):
        study.erlang(200, 180)  # type: ignore[arg-type]
    with pytest.raises(CcsimError, match=r"^speed_of_answer: 'x' is not a length"):
        study.erlang(*CALLS, speed_of_answer="x")
    with pytest.raises(CcsimError, match=r"^target: 80 is not a target"):
        study.erlang(*CALLS, target=80)  # type: ignore[arg-type]
    assert study.erlang(*CALLS, lines=14, agents=12).looked_at == 12


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'VOLUME'"),
        (["200 calls/h"], "Missing argument 'HANDLE_TIME'"),
        ([*CALLS, "more"], "unexpected extra argument (more)"),
        ([*CALLS, "--patiense", "2 min"], "No such option '--patiense'"),
        ([*CALLS, "--patiense", "2 min"], "'--patience'"),
        ([*CALLS, "--patience"], "Option '--patience' requires an argument"),
        (["-200 calls/h", "3 min"], "No such option '-2'"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--target", "100/20"],
            "Erlang C: no number of agents keeps 100% within 20 s: "
            "it would take agents without end; ask for less",
        ),
        (
            ["--patience", "2 min", "--abandoned", "0%"],
            "Erlang A: no number of agents keeps abandoned ≤ 0%: "
            "it would take agents without end; ask for less",
        ),
        (
            ["--speed-of-answer", "0 s", "--target", "100/20"],
            "Erlang C: no number of agents keeps 100% within 20 s, speed of answer ≤ 0 s: "
            "it would take agents without end; ask for less",
        ),
        (
            ["--repeat", "100%"],
            "Erlang X: no number of agents keeps 80% within 20 s: "
            "callers come again without end; give a lower share that calls again",
        ),
    ],
)
def test_what_no_number_of_agents_keeps_is_a_no(options: list[str], said: str) -> None:
    for more in ([], ["--json"], ["--agents", "20"]):
        result = run(*CALLS, *options, *more)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr == f"{said}\n"


def test_too_few_lines_are_a_no_with_the_number_that_is_reached() -> None:
    blocked = q.erlang_b(10, 5)
    result = run(*CALLS, "--lines", "5")
    assert result.exit_code == 1
    assert f"{1 - blocked:.2%} are in time and {blocked:.2%} hear an engaged tone" in result.stderr
    # Of those that are answered everybody is at once, so these lines are enough for that.
    assert "100.00%" in fine(*CALLS, "--lines", "5", "--formula", "of_answered", "--agents", "5")


# Laws ----------------------------------------------------------------------------------------

QUESTIONS = st.builds(
    ErlangQuestion,
    volume=st.floats(0.5, 2000),
    handle_time=st.floats(20, 1200),
    threshold=st.floats(0, 120),
    goals=st.builds(
        q.Goals,
        service_level=st.floats(0.3, 0.99),
        abandonment=st.sampled_from([1.0, 0.1, 0.03]),
        maximum_occupancy=st.sampled_from([1.0, 0.85]),
        speed_of_answer=st.sampled_from([np.inf, 30.0]),
    ),
    patience=st.one_of(st.just(np.inf), st.floats(20, 1200)),
    redial=st.sampled_from([0.0, 0.0, 0.4]),
    repeat=st.sampled_from([0.0, 0.0, 0.15]),
    formula=st.sampled_from(sorted(q.FORMULAS_IN_WORDS)),
)


@settings(deadline=None, max_examples=25)
@given(question=QUESTIONS)
def test_the_fewest_agents_keep_the_goals_and_one_fewer_does_not(question: ErlangQuestion) -> None:
    found = answer(question)
    assert found.looked_at == found.agents[found.views[-1].name]
    for view in found.views:
        fewest = found.agents[view.name]
        assert found.missed(view, fewest) == []
        assert found.missed(view, fewest - 1)
        # The table has both, for every formula.
        assert {fewest - 1, fewest} - {0} <= set(found.numbers_of_agents)
    numbers = found.numbers_of_agents
    assert numbers == sorted(set(numbers))
    assert len(numbers) <= 7 * len(found.views)


@settings(deadline=None, max_examples=25)
@given(question=QUESTIONS)
def test_who_calls_again_never_takes_fewer_agents(question: ErlangQuestion) -> None:
    found = answer(question)
    before = next((view for view in found.views[::-1] if view.name != "Erlang X"), None)
    if before is not None and found.views[-1].name == "Erlang X":
        assert found.agents["Erlang X"] >= found.agents[before.name]


@settings(deadline=None, max_examples=40)
@given(
    volume=st.floats(0.5, 2000),
    patience=st.floats(10, 1200),
    threshold=st.floats(0, 120),
    level=st.floats(0.3, 0.99),
)
def test_who_gives_up_shortens_the_queue_of_the_others(
    volume: float, patience: float, threshold: float, level: float
) -> None:
    # For whoever stays, that is: who is gone before she is answered is not answered in time.
    goals = q.Goals(service_level=level)
    question = ErlangQuestion(volume, 180, threshold, goals, patience, formula="virtual")
    found = answer(question)
    assert found.agents["Erlang A"] <= found.agents["Erlang C"]


@settings(deadline=None, max_examples=10)
@given(question=QUESTIONS)
def test_the_largest_volume_takes_all_the_agents_and_no_more(question: ErlangQuestion) -> None:
    found = answer(question)
    last = found.views[-1]
    most = found.largest_volume(last)
    assert most >= question.volume * (1 - 1e-9)
    for volume, kept in ((most * (1 - 1e-6), True), (most * (1 + 1e-6), False)):
        load = volume * question.handle_time / 3600
        measures = last.model(load, found.looked_at, question.formula)
        assert bool(q.goals_kept(question.goals, measures)) is kept


@pytest.mark.parametrize("options", [[], ["--patience", "2 min"], ["--lines", "20"]])
def test_the_largest_volume_that_is_printed_can_be_asked_for(options: list[str]) -> None:
    text = fine(*CALLS, *options)
    (agents, volume) = re.findall(r"(\d+) agents can keep them up to (\d+) calls/h", text)[0]
    for calls, enough in ((int(volume), True), (int(volume) + 1, False)):
        kept = rows(fine(f"{calls} calls/h", "3 min", *options, "--agents", agents))
        assert (kept["keeps the goals"][-1] == "yes") is enough


# In a terminal -------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [CALLS, (*REDIAL, "--table"), ("--help",)])
def test_eighty_columns_are_enough(arguments: tuple[str, ...]) -> None:
    shown = in_terminal("erlang", *arguments, NO_COLOR="1").splitlines()
    seen = [line for line in shown if "ccsim erlang" not in line]
    assert max(map(len, seen)) <= 80
    if "--table" in arguments:
        # Nothing had to be broken: as many lines as in a pipe, and the rules below two headers.
        piped = fine(*arguments).splitlines()
        assert [line for line in seen if "──" not in line and "  " not in line] == [
            line for line in piped if "  " not in line
        ]
        assert len(seen) == len(piped) + 2


@pytest.mark.parametrize("number", ["0.1", "7", "180", "4.2"])
@pytest.mark.parametrize("unit", ["s", "min", "h", "d"])
def test_plain_units_are_those_of_pint(number: str, unit: str) -> None:
    registry = units._registry()
    seconds = registry.Quantity(float(number), unit).to("second").magnitude
    assert units.parse_duration(f"{number} {unit}") == round(seconds * units.MICROSECONDS)
    for what in ("calls", "contacts"):
        rate = registry.Quantity(float(number), f"{what}/{unit}").to("contact / hour").magnitude
        assert units.parse_rate(f"{number} {what} / {unit}") == round(rate, 9)


def test_a_calculator_loads_no_planner() -> None:
    code = (
        "import sys\nfrom ccsim.cli.main import ccsim\n"
        f"ccsim(['erlang', *{CALLS!r}], standalone_mode=False)\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(done.stderr.split())
    unused = {"pandas", "scipy.optimize", "scipy.stats", "matplotlib", "joblib", "pint"}
    assert not loaded & unused
    assert not loaded & {"ccsim.study", "ccsim.scenario.model", "ccsim.results.kinds"}
