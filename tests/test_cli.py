"""The command line: what every verb prints, refuses and leaves on disk."""

from __future__ import annotations

import dataclasses
import errno
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import ccsim as public
from ccsim import study
from ccsim.cli import console
from ccsim.cli.main import PATIENCE, ccsim
from ccsim.cli.tables import reached
from ccsim.errors import InfeasibleError, SolverError
from ccsim.performance.promises import Kept, Promise
from ccsim.results import PlanResult
from ccsim.scenario import Target, read_all, read_case, scenario_json_schema, shipped_scenarios
from ccsim.statistics import Estimate
from ccsim.statistics.writing import plain
from tests.terminal import in_terminal

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden"
BROKEN = sorted(path.stem for path in (GOLDEN / "errors").glob("*.txt"))
QUICKSTART = "scenarios/quickstart_voice_8020.yaml"
HEAVY = {"numpy", "pandas", "scipy", "pydantic", "rich", "matplotlib", "simpy", "pulp", "joblib"}

HOUR = """\
version: 1
name: A help desk's hour
currency: EUR
time_zone: Europe/Berlin
horizon: {start: 2026-09-07, days: 1, interval: 30 min, begins: empty}
contact_types:
  help:
    open: {mon: "08:00-09:00"}
    demand: {rate: 60 calls/h}
    talk_time: {exponential: {mean: 3 min}}
    patience: {exponential: {mean: 2 min}}
    targets:
      - 80% answered within 20 s, over each day
      - at most 10% lost, over the horizon
agent_groups:
  desk: {skills: {help: {}}, rate_card: own, shifts: [morning]}
shifts:
  morning: {starts: ["08:00"], length: 1 h}
rate_cards:
  own: {paid_hour: 20 EUR, on_cost: 25%}
planning: {rounds: 2, replications: 32, certificate_replications: 640}
variants:
  partner:
    agent_groups: {desk: {rate_card: out, shifts: null}}
    rate_cards: {out: {handled_minute: 0.30 EUR, capacity: 20}}
  two_seats:
    agent_groups: {desk: {maximum_staff: 2}}
"""


def run(*arguments: str | Path) -> Result:
    """A verb in this process; no exception comes out of it that is not an exit."""
    result = CliRunner().invoke(ccsim, [str(each) for each in arguments])
    assert "Traceback" not in result.output
    return result


def fine(*arguments: str | Path) -> str:
    """What a verb prints that must succeed."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def one_object(text: str) -> dict[str, Any]:
    """The only JSON object of a text, in which no number is missing in an improper way."""

    def improper(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    document = json.loads(text, parse_constant=improper)
    assert text.count("\n") == 1, "one object, one line"
    assert re.fullmatch(r"ccsim/\w+/\d+", document["schema"])
    return dict(document)


def fresh(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A verb in a process and a group of its own, as a shell starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "ccsim", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
        **options,
    )


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hour") / "hour.yaml"
    path.write_text(HOUR, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def planned(hour: Path) -> PlanResult:
    return study.plan(hour, workers=1)


@pytest.fixture
def plans_at_once(planned: PlanResult, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let `study.plan` answer at once, with the verdict that is wanted."""

    def answer(verdict: str) -> None:
        certificate = dataclasses.replace(planned.planned.certificate, verdict=verdict)
        found = dataclasses.replace(planned.planned, certificate=certificate)
        result = dataclasses.replace(planned, planned=found)
        monkeypatch.setattr(study, "plan", lambda *_, **__: result)

    return answer


def fails_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(study, "estimate", fail)
    monkeypatch.setattr(study, "plan", fail)


# Start-up, help, public names ----------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["plan", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom ccsim.cli.main import ccsim\n"
        f"ccsim({arguments}, standalone_mode=False)\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not HEAVY & set(done.stderr.split())
    assert "ccsim" in done.stdout


def test_help_names_every_verb_in_a_line_that_is_not_cut() -> None:
    text = fine("--help")
    for name, command in ccsim.commands.items():
        short = command.get_short_help_str(limit=200)
        assert re.search(rf"^  {name} +{re.escape(short)}$", text, flags=re.MULTILINE), name


def test_every_verb_but_the_printers_knows_json_and_debug() -> None:
    verbs = {**ccsim.commands, **ccsim.commands["calibrate"].commands}  # type: ignore[attr-defined]
    del verbs["calibrate"]
    for name, command in verbs.items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--debug" in options, name
        assert "--json" in options or name == "schema", name


def test_a_misspelt_verb_is_guessed() -> None:
    result = run("chek", "x.yaml")
    assert result.exit_code == 2
    assert "check" in result.stderr


def test_importing_ccsim_costs_nothing() -> None:
    code = "import sys, ccsim; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(done.stdout.split())
    assert not HEAVY & loaded
    assert [name for name in loaded if name.startswith("ccsim")] == ["ccsim"]


def test_public_names_are_there_and_are_the_real_ones() -> None:
    for name in public.__all__:
        assert getattr(public, name) is not None
        assert name in dir(public)
    assert public.plan is study.plan
    assert public.read_case is read_case
    with pytest.raises(AttributeError, match="nothing_like_it"):
        public.nothing_like_it  # noqa: B018


def test_every_verb_of_study_has_its_command() -> None:
    verbs = {"check", "compare", "estimate", "plan", "simulate"}
    assert verbs <= set(ccsim.commands)
    assert verbs <= set(study.__all__)


# new, check, show, schema --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["template", *shipped_scenarios()])
def test_a_new_scenario_reads_and_is_not_overwritten(name: str, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "mine.yaml"
    result = run("new", name, "--out", target)
    assert result.exit_code == 0, result.output
    assert f"ccsim show {target}" in result.stderr
    fine("check", target)
    if name != "template":
        shipped = read_all(shipped_scenarios()[name])
        assert [c.fingerprint for c in read_all(target)] == [c.fingerprint for c in shipped]
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = run("new", name, "--out", target)
    assert again.exit_code == 2
    assert "not overwritten" in again.stderr
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == written


def test_new_leaves_a_data_file_of_somebody_else_alone(tmp_path: Path) -> None:
    mine = tmp_path / "data" / "bank_calls.csv"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    result = run("new", "bank_week", "--out", tmp_path / "week.yaml")
    assert result.exit_code == 2
    assert str(mine) in result.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]


@pytest.mark.parametrize(
    ("asked", "said"),
    [("bank_wek", "did you mean 'bank_week'"), ("mine.yaml", "ccsim new --out mine.yaml")],
)
def test_new_guesses_what_was_meant(asked: str, said: str) -> None:
    result = run("new", asked)
    assert result.exit_code == 2
    assert said in result.stderr


def test_new_lists_what_comes_with_ccsim() -> None:
    text = fine("new", "--list")
    listed = one_object(fine("new", "--list", "--json"))["scenarios"]
    names = [each["name"] for each in listed]
    assert names == ["template", *shipped_scenarios()]
    assert all(name in text for name in names)


@pytest.mark.parametrize("verb", ["check", "show", "estimate"])
def test_what_the_quick_start_prints(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # To renew one after a change that is meant: ccsim VERB scenarios/… > tests/golden/cli/VERB.txt
    monkeypatch.chdir(ROOT)
    expected = (GOLDEN / "cli" / f"{verb}.txt").read_text(encoding="utf-8")
    assert fine(verb, QUICKSTART) == expected


@pytest.mark.parametrize("name", BROKEN)
def test_check_names_what_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN / "errors")
    result = run("check", f"{name}.yaml")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == Path(f"{name}.txt").read_text(encoding="utf-8")


def test_check_reads_every_file_before_it_ends(hour: Path) -> None:
    broken = GOLDEN / "errors" / "typo_field.yaml"
    result = run("check", broken, hour, "missing.yaml")
    assert result.exit_code == 2
    assert f"{hour}: partner: ok" in result.stdout
    assert "missing.yaml: no such file" in result.stderr
    document = one_object(run("check", "--json", broken, hour).stdout)
    assert not document["valid"]
    first, second = document["files"]
    assert first["problems"][0]["file"] == str(broken)
    assert [each["variant"] for each in second["variants"]] == [None, "partner", "two_seats"]


@pytest.mark.parametrize("verb", ["show", "estimate", "simulate", "plan", "compare"])
def test_a_broken_file_stops_every_verb(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(verb, GOLDEN / "errors" / "typo_field.yaml", *["--all"] * (verb == "compare"))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.search(r"typo_field\.yaml:\d+:\d+: ", result.stderr)
    assert list(tmp_path.iterdir()) == []


def test_what_show_prints_is_the_same_scenario(tmp_path: Path) -> None:
    for name, path in shipped_scenarios().items():
        copy = tmp_path / name / "shown.yaml"
        fine("new", name, "--out", copy)
        for case in read_all(path):
            chosen = ["--variant", case.variant] if case.variant else []
            copy.write_text(fine("show", path, *chosen), encoding="utf-8")
            assert read_case(copy).fingerprint == case.fingerprint


def test_show_says_what_is_fresh_and_what_is_paid() -> None:
    path = shipped_scenarios()["bank_week"]
    case = read_case(path)
    text = fine("show", path)
    name, given_type = next(iter(case.scenario.contact_types.items()))
    assert given_type.redial is not None
    # The geometric series of redials, written out: what one fresh call is counted as.
    again = (given_type.demand.observed_abandonment or 0) * given_type.redial.probability
    counted_as = sum(again**n for n in range(given_type.redial.at_most + 1))
    counted = float(case.demand[name].sum())
    assert f"{name}: {counted:,.1f} counted, {counted / counted_as:,.1f} fresh" in text
    team = case.scenario.agent_groups["phone_team"].shrinkage
    scheduled = 100 * (1 - team.paid_not_scheduled)
    floor = scheduled * (1 - team.unplanned)
    assert f"100 h paid → {scheduled:.1f} h scheduled → {floor:.1f} h on the floor" in text


@pytest.mark.parametrize(("start", "hours"), [("2026-03-29", "23 h"), ("2026-10-25", "25 h")])
def test_show_names_the_days_when_clocks_change(start: str, hours: str, tmp_path: Path) -> None:
    path = tmp_path / "clock.yaml"
    path.write_text(HOUR.replace("2026-09-07", start).replace("mon:", "sun:"), encoding="utf-8")
    assert f"Sun {start} has {hours}: clocks go" in fine("show", path)


def test_show_as_json_holds_the_whole_scenario(hour: Path) -> None:
    document = one_object(fine("show", hour, "--json", "--variant", "partner"))
    assert document["variant"] == "partner"
    assert document["resolved"]["rate_cards"]["out"]["capacity"] == 20
    assert document["resolved"]["planning"]["margin"] == "1%"


def test_a_variant_that_is_not_there_is_guessed(hour: Path) -> None:
    result = run("show", hour, "--variant", "parter")
    assert result.exit_code == 2
    assert "did you mean 'partner'" in result.stderr


def test_schema_is_that_of_the_models() -> None:
    assert json.loads(fine("schema")) == scenario_json_schema()


def test_no_name_in_a_file_takes_over_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "evil.yaml"
    evil = r'name: "[bold]\e]0;owned\a\e[2J desk"'
    path.write_text(HOUR.replace("name: A help desk's hour", evil), encoding="utf-8")
    result = run("estimate", path)
    assert "[bold]" in result.output
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", result.output)


# estimate ------------------------------------------------------------------------------------


def erlang_c_in_time(load: float, agents: int, handle: float, wait: float) -> float:
    """The textbook sum, term by term."""
    terms = [load**n / math.factorial(n) for n in range(agents)]
    waiting = load**agents / math.factorial(agents) * agents / (agents - load)
    delayed = waiting / (sum(terms) + waiting)
    return 1 - delayed * math.exp(-(agents - load) * wait / handle)


def test_the_quick_start_gives_the_erlang_number() -> None:
    agents = next(n for n in range(11, 99) if erlang_c_in_time(10, n, 180, 20) >= 0.8)
    level = erlang_c_in_time(10, agents, 180, 20)
    said = f"{agents} agents, {level:.1%} within 20 s by Erlang C"
    assert f"call: {said}" in fine("estimate", ROOT / QUICKSTART)
    impatient = fine("estimate", ROOT / QUICKSTART, "--variant", "patient_for_5_minutes")
    assert f"if nobody gave up: {said}" in impatient
    assert "by Erlang A" in impatient


def test_the_table_by_interval_is_as_long_as_the_day(hour: Path) -> None:
    text = fine("estimate", hour, "--table")
    rows = re.findall(r"^2026-09-07  (\d\d:\d\d)  help +3\.00 ", text, flags=re.MULTILINE)
    assert rows == ["08:00", "08:30"]
    document = one_object(fine("estimate", hour, "--json"))
    intervals = document["tables"]["intervals"]
    assert [row["start"] for row in intervals] == rows
    for row in intervals:
        # Nobody answers more work than there is: what was not abandoned keeps the agents busy.
        assert 0 < row["occupancy"] * row["agents"] < row["load"]
        assert row["service_level"] >= 0.8
        assert "approximate" in row["formula"]


def test_a_pipe_gets_no_boxes_colours_or_blanks() -> None:
    for verb in ("check", "show", "estimate"):
        text = fine(verb, shipped_scenarios()["bank_week"])
        assert not re.search("[─│┃━╭\x1b]", text)
        assert not re.search(" $", text, flags=re.MULTILINE)
        ours = [line for line in text.splitlines() if verb == "estimate" or line[:1] == "#"]
        assert max(map(len, ours), default=0) <= 100


# simulate ------------------------------------------------------------------------------------


def test_a_roster_is_simulated_as_it_was_written(hour: Path, tmp_path: Path) -> None:
    options = ["--workers", "1", "--replications", "64", "--json"]
    result = run("simulate", hour, *options, "--out", tmp_path / "made")
    assert result.exit_code == 0, result.output
    made = one_object(result.stdout)
    assert made["replications"] == 64
    for roster in ("schedule.xlsx", "schedule.csv", ""):
        roster_again = fine("simulate", hour, *options, "--plan", tmp_path / "made" / roster)
        assert one_object(roster_again) == made
    assert json.loads((tmp_path / "made" / "run.json").read_text())["workers"] == 1


def test_simulate_says_how_many_it_really_did(hour: Path) -> None:
    result = run("simulate", hour, "--workers", "1", "--replications", "33")
    assert result.exit_code == 0
    assert "33 replications asked for, 64 simulated" in result.stderr
    assert "64 replications, seed 1" in result.stdout
    assert "no interval" in result.stdout
    assert "not a certificate" in result.stdout


def test_another_seed_is_another_day(hour: Path) -> None:
    options = ["--workers", "1", "--replications", "32", "--json"]
    one, same, other = (
        one_object(fine("simulate", hour, *options, "--seed", seed)) for seed in ("7", "7", "8")
    )
    assert one == same
    assert one["tables"]["promises"] != other["tables"]["promises"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such"), ("group,shift\n", "column"), ("nothing at all", "")],
)
def test_a_roster_that_does_not_fit_is_refused(
    content: str | None, said: str, hour: Path, tmp_path: Path
) -> None:
    roster = tmp_path / "roster.csv"
    if content is not None:
        roster.write_text(content, encoding="utf-8")
    result = run("simulate", hour, "--plan", roster)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert str(roster) in result.stderr
    assert said in result.stderr


# plan and compare ----------------------------------------------------------------------------


def test_the_main_job_from_a_file_to_a_folder(
    hour: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("plan", hour, "--workers", "1", "--variant", "partner")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 10
    assert "certified: every promise holds" in result.stdout
    report = Path("results/hour-partner/report.html")
    assert f"results: {report}" in result.stderr
    assert report.exists()
    shown = Path("results/hour-partner/scenario/scenario.yaml")
    assert read_case(shown).fingerprint == read_case(hour, "partner").fingerprint


VERDICTS = [("certified", 0), ("missed", 1), ("not decided", 3)]


@pytest.mark.parametrize(("verdict", "code"), VERDICTS)
def test_a_comparison_is_as_good_as_its_worst_plan(
    verdict: str,
    code: int,
    hour: Path,
    plans_at_once: Callable[..., None],
) -> None:
    plans_at_once(verdict)
    result = run(
        "compare", hour, "--variants", "two_seats", "--workers", "1", *["--replications", "32"]
    )
    assert result.exit_code == code
    assert ("no comparison at equal service" in result.stdout) == (verdict != "certified")
    # However few replications are asked for, a comparison has ten blocks and so its limits.
    assert "too few replications" not in result.stdout


@pytest.mark.parametrize(("verdict", "code"), VERDICTS)
def test_the_exit_code_is_the_verdict(
    verdict: str, code: int, hour: Path, tmp_path: Path, plans_at_once: Callable[..., None]
) -> None:
    plans_at_once(verdict)
    result = run("plan", hour, "--out", tmp_path / "out", "--json")
    assert result.exit_code == code
    document = one_object(result.stdout)
    assert document["verdict"] == verdict
    assert document["folder"] == str(tmp_path / "out")


def test_what_cannot_be_covered_is_a_no(hour: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("plan", hour, "--variant", "two_seats", "--workers", "1", "--out", out)
    assert result.exit_code == 1
    assert "maximum_staff of desk (2)" in result.stderr
    assert result.stdout == ""
    assert not out.exists()


@pytest.mark.parametrize("verb", ["simulate", "plan", "compare"])
def test_a_folder_is_refused_before_any_work(
    verb: str, hour: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("worked before it looked")

    monkeypatch.setattr(study, verb, work)
    monkeypatch.setattr("ccsim.scenario.read_case", work)
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, more, said in [
        ("mine", [], "exists and is not overwritten"),
        ("mine", ["--overwrite"], "no"),
        ("link", [], "exists and is not overwritten"),
        ("file/below", [], "is a file"),
    ]:
        result = run(verb, hour, "--out", tmp_path / name, *more)
        assert result.exit_code == 2, result.output
        assert said in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "mine"]
    assert list((tmp_path / "mine").iterdir()) == []


def test_results_are_replaced_when_told_to(
    hour: Path, tmp_path: Path, plans_at_once: Callable[..., None]
) -> None:
    plans_at_once("certified")
    out = tmp_path / "out"
    fine("plan", hour, "--out", out)
    (out / "note.txt").write_text("old", encoding="utf-8")
    assert run("plan", hour, "--out", out).exit_code == 2
    assert (out / "note.txt").exists()
    fine("plan", hour, "--out", out, "--overwrite")
    assert not (out / "note.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_replications_are_those_of_one_look(hour: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def plan(case: Any, **_: object) -> None:
        seen.append(case.scenario.planning.replications)
        raise InfeasibleError("enough")

    monkeypatch.setattr(study, "plan", plan)
    run("plan", hour, "--out", hour.parent / "never")
    run("plan", hour, "--out", hour.parent / "never", "--replications", "96")
    assert seen == [32, 96]


def test_compare_says_which_is_cheaper_and_by_how_much(hour: Path, tmp_path: Path) -> None:
    options = ["--workers", "1", "--variant", "partner", "--out", tmp_path / "both"]
    result = run("compare", hour, *options)
    assert result.exit_code == 0, result.output
    said = re.search(
        r"^partner: cheaper, by ([\d.]+) ± ([\d.]+) EUR, than as it stands$",
        result.stdout,
        flags=re.MULTILINE,
    )
    assert said is not None
    rows = re.findall(r"^(?:as it stands|partner) +([\d.]+) ±", result.stdout, flags=re.MULTILINE)
    costs = [float(value) for value in rows]
    assert "every plan is certified" in result.stdout
    assert abs(float(said[1]) - (costs[0] - costs[1])) <= 0.02
    # An hour in-house is paid whatever comes; sixty calls of 3 min at 0.30 a minute are 54 at most.
    assert costs[1] < 54.5
    assert costs[0] >= 4 * 25
    assert (tmp_path / "both" / "report.html").exists()


def test_compare_wants_to_know_what(hour: Path) -> None:
    for arguments in ([], ["--all", "--variants", "partner"]):
        result = run("compare", hour, *arguments)
        assert result.exit_code == 2
        assert "the file has partner, two_seats" in result.stderr
    assert "did you mean 'partner'" in run("compare", hour, "--variants", "partnr").stderr


def test_compare_names_the_variant_that_nothing_can_cover(
    hour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_with(monkeypatch, InfeasibleError("6 agents are missing"))
    result = run("compare", hour, "--all")
    assert result.exit_code == 1
    assert result.stderr.endswith("as it stands: 6 agents are missing\n")


# calibrate -----------------------------------------------------------------------------------


def test_counts_become_a_typical_week(tmp_path: Path) -> None:
    days = [f"2026-{month:02d}-{day:02d}" for month in (5, 6) for day in range(1, 29)]
    lines = [
        "date,08:00,08:30",
        *(f"{day},10,{20 + number % 3}" for number, day in enumerate(days)),
    ]
    counts, week = tmp_path / "counts.csv", tmp_path / "week.csv"
    counts.write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = fine("calibrate", "counts", counts, "--out", week)
    assert "forecast_error: {gamma: {shape: " in text or "forecast_error" in text
    assert f"{56 * 10 + sum(20 + n % 3 for n in range(56)):,} contacts on 56 days" in text
    rows = week.read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("weekday,start,contacts")
    assert {row.split(",")[2] for row in rows if ",08:00," in row} == {"10.00"}
    assert run("calibrate", "counts", counts, "--out", week).exit_code == 2


@pytest.mark.parametrize("arguments", [["bank", "a.gz", "b.gz"], ["counts", "a.csv"]])
def test_calibrate_says_what_is_missing(arguments: list[str], tmp_path: Path) -> None:
    assert "--out" in run("calibrate", *arguments).stderr
    result = run("calibrate", *arguments, "--out", tmp_path / "new")
    assert result.exit_code == 2
    assert "no such file" in result.stderr
    assert not (tmp_path / "new").exists()


# What goes wrong -----------------------------------------------------------------------------


def test_our_fault_takes_two_lines(hour: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails_with(monkeypatch, ZeroDivisionError("division by zero\nand more"))
    result = run("estimate", hour)
    assert result.exit_code == 4
    assert result.stdout == ""
    first, second = result.stderr.splitlines()
    assert first == "ccsim failed: ZeroDivisionError: division by zero"
    assert "our fault" in second
    assert "--debug" in second
    for arguments in (["--debug", "estimate", str(hour)], ["estimate", str(hour), "--debug"]):
        told = CliRunner().invoke(ccsim, arguments)
        assert told.exit_code == 4
        assert "Traceback" in told.stderr


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SolverError("stopped"), 3, "stopped\n"),
        (InfeasibleError("no schedule"), 1, "no schedule\n"),
        (OSError(errno.ENOSPC, "No space left on device", "out"), 2, "out: No space left"),
        (FileNotFoundError(errno.ENOENT, "No such file", "inside"), 4, "our fault"),
        (RecursionError(), 4, "our fault"),
        (KeyboardInterrupt(), 130, "interrupted: nothing was written"),
    ],
)
def test_every_failure_has_its_code_and_its_words(
    error: BaseException, code: int, said: str, hour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_with(monkeypatch, error)
    for arguments in (["estimate", hour], ["plan", hour, "--out", hour.parent / "never"]):
        result = run(*arguments)
        assert result.exit_code == code
        assert said in result.stderr
    assert not (hour.parent / "never").exists()


def test_interrupted_says_that_earlier_results_are_whole(
    hour: Path, tmp_path: Path, plans_at_once: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plans_at_once("certified")
    out = tmp_path / "out"
    fine("plan", hour, "--out", out)
    fails_with(monkeypatch, KeyboardInterrupt())
    result = run("plan", hour, "--out", out, "--overwrite")
    assert result.exit_code == 130
    assert f"{out} is whole" in result.stderr
    assert (out / "report.html").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals of a terminal")
def test_ctrl_c_ends_a_running_plan_and_leaves_nothing(tmp_path: Path) -> None:
    # The bank's week is still being scheduled: the solver is compiled code and hears nothing.
    process = fresh("plan", str(shipped_scenarios()["bank_week"]), "--workers", "1", cwd=tmp_path)
    assert process.stderr is not None
    first = process.stderr.readline()  # After two seconds something is always said.
    assert re.match(r"0:\d\d  \w", first)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "interrupted: nothing was written" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    assert time.monotonic() - began < PATIENCE + 20


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    process = fresh("show", str(shipped_scenarios()["bank_week"]))
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "version: 1\n"
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert said == ""


def test_ten_broken_files_in_one_go() -> None:
    files = [f"{name}.yaml" for name in BROKEN[:10]]
    process = fresh("check", *files, cwd=GOLDEN / "errors")
    out, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == ""
    texts = [GOLDEN / "errors" / f"{name}.txt" for name in BROKEN[:10]]
    assert said == "".join(text.read_text(encoding="utf-8") for text in texts)


# In a terminal -------------------------------------------------------------------------------


def test_a_terminal_gets_bold_unless_it_wants_no_colour() -> None:
    assert "\x1b[1m" in in_terminal("estimate", QUICKSTART)
    assert "\x1b[" not in in_terminal("estimate", QUICKSTART, NO_COLOR="1")


def test_eighty_columns_are_enough() -> None:
    for verb in ("estimate", "show"):
        seen = in_terminal(verb, QUICKSTART, NO_COLOR="1")
        lines = [line for line in seen.splitlines() if verb == "estimate" or line[:1] == "#"]
        assert max(map(len, lines)) <= (80 if verb == "estimate" else 100)


# Progress and numbers ------------------------------------------------------------------------


def test_progress_without_a_terminal_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "FIRST_WORD_AFTER", 0.05)
    monkeypatch.setattr(console, "LINE_EVERY", 0.2)
    began = time.monotonic()
    with console.progress("reading") as told:
        while time.monotonic() - began < 0.5:
            for done in range(100):
                told("simulating", done, 320)
            time.sleep(0.01)
    lines = capfd.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 4
    assert all(re.fullmatch(r"0:0\d  simulating, \d+ of 320 replications", each) for each in lines)


def test_what_is_quick_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with console.progress("reading"):
        pass
    assert capfd.readouterr() == ("", "")


@settings(deadline=None, max_examples=200)
@given(
    value=st.floats(-1e7, 1e7),
    half=st.floats(1e-4, 1e6),
)
def test_a_number_has_the_digits_that_its_interval_allows(value: float, half: float) -> None:
    estimate = Estimate(value, value - half, value + half, 0.95, "simulated", 10)
    text = plain(estimate, most=9, signed=True)
    if "±" not in text:  # a width that floats cannot hold beside the value
        assert half <= 1e-8 * abs(value)
        return
    said, width = (float(part.replace(",", "")) for part in text.split(" ± "))
    assert abs(said - value) <= 0.051 * max(half, width) * 1.01 + 1e-9 * abs(value)
    assert abs(width - half) <= 0.051 * half + 1e-8 * abs(value)
    figures = text.split(" ± ")[1].replace(",", "").replace(".", "").strip("0")
    assert len(figures) <= 2


@pytest.mark.parametrize(
    ("estimate", "unit", "text"),
    [
        (Estimate(math.nan, math.nan, math.nan, 0.95, "simulated", 10), "%", "nothing offered"),
        (Estimate(0.8, math.nan, math.nan, 0.95, "simulated", 4), "%", "80.0% (no interval)"),
        (Estimate(7.0, 7.0, 7.0, 0.95, "simulated", 10), "", "7.00 (every block alike)"),
        (Estimate(0.5, 0.3, 0.55, 0.95, "simulated", 40), "%", "50% [30, 55]"),
    ],
)
def test_numbers_without_an_even_interval(estimate: Estimate, unit: str, text: str) -> None:
    assert plain(estimate, unit) == text


@pytest.mark.parametrize(
    ("sense", "lower", "upper", "said"),
    [
        ("answered within", 0.81, 0.83, "yes"),
        ("answered within", 0.79, 0.81, "unsure"),
        ("answered within", 0.77, 0.79, "no"),
        ("lost", 0.77, 0.79, "yes"),
        ("lost", 0.79, 0.81, "unsure"),
        ("lost", 0.81, 0.83, "no"),
        ("lost", math.nan, math.nan, "unsure"),
    ],
)
def test_a_promise_is_reached_only_beyond_its_interval(
    sense: Any, lower: float, upper: float, said: str
) -> None:
    target = Target(sense, 0.8, 20_000_000, "day")
    estimate = Estimate(0.8, lower, upper, 0.95, "simulated", 10)
    kept = Kept(Promise("help", target, (0,), "help"), estimate, None, None)
    assert reached(kept) == said
    shares = dataclasses.replace(target, share_of_days=0.9)
    promise = dataclasses.replace(kept.promise, target=shares)
    days = Estimate(0.95, 0.91, 0.97, 0.95, "simulated", 320)
    assert reached(dataclasses.replace(kept, promise=promise, share_of_days=days)) == "yes"
