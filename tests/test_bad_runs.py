"""What goes wrong with a run, and how it ends: in a number that holds, or in a sentence.

Queues without end, callers who never give up calling, a billion contacts, a cache that cannot be
kept, Ctrl-C, a full disk and too little memory.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from ccsim import study
from ccsim.cli.main import PATIENCE, ccsim
from ccsim.errors import CcsimError, ScenarioError
from ccsim.experiment.replicate import replicate
from ccsim.performance.sample import Sample
from ccsim.plans import StaffingPlan
from ccsim.scenario import read_all, read_case
from ccsim.scenario.case import MOST_CONTACTS, Case, case_from
from ccsim.simulation.engine import Engine
from tests.oracles import scenario_of

ROOT = Path(__file__).parents[1]
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")
BOTH = pytest.mark.parametrize("engine", ["reference", "compiled"])

CENTRE = """\
version: 1
name: A centre
currency: EUR
time_zone: UTC
horizon: {{start: 2026-09-07, days: {days}, interval: 30 min, begins: empty}}
contact_types:
  call:
    demand: {{rate: {rate} calls/h}}
    talk_time: {{exponential: {{mean: 3 min}}}}
    patience: {{exponential: {{mean: 2 min}}}}
    targets: ["80% answered within 20 s, over the horizon"]
agent_groups:
  desk: {{skills: {{call: {{}}}}, rate_card: own, agents: {agents}}}
rate_cards:
  own: {{paid_hour: 21 EUR}}
"""


def written(folder: Path, days: int = 1, rate: int = 60, agents: int = 5) -> Path:
    """A scenario file in an empty folder of its own."""
    path = folder / "given" / "centre.yaml"
    path.parent.mkdir()
    path.write_text(CENTRE.format(days=days, rate=rate, agents=agents), encoding="utf-8")
    return path


def one_block(case: Case, agents: int, engine: Engine) -> Sample:
    plan = StaffingPlan(by_interval={"desk": (agents,) * case.grid.intervals})
    (sample,) = replicate(case, [plan], seed=1, replications=2, block_size=2, engine=engine)
    return sample


# Queues without end.


@BOTH
@pytest.mark.parametrize("ends", ["cut", "drain"])
def test_a_year_of_three_times_what_the_agents_can_do(ends: str, engine: Engine) -> None:
    call = {"demand": {"rate": "3 calls/h"}, "talk_time": {"exponential": {"mean": "1 h"}}}
    case = case_from(scenario_of({"call": call}, days=366, ends=ends))
    sample = one_block(case, 1, engine)
    total = {
        name: sample.measure(name).sum()
        for name in ("offered", "answered", "abandoned", "closed", "waiting", "wait_answered")
    }
    hours = 2 * 366 * 24
    assert abs(total["offered"] - 3 * hours) < 6 * np.sqrt(3 * hours)
    assert total["offered"] == total["answered"] + total["waiting"]
    assert total["abandoned"] == total["closed"] == 0
    if ends == "drain":
        assert total["waiting"] == 0
    else:  # One agent, hardly ever idle, takes one an hour.
        assert abs(total["answered"] - hours) < 6 * np.sqrt(hours)
    # Whoever comes at t is answered at 3 t; with a cut that is so for those of four months.
    mean = total["wait_answered"] / total["answered"] / 3.6e9
    year = 366 * 24
    assert mean == pytest.approx(year if ends == "drain" else year / 3, rel=0.1)
    for measure in (sample.contacts, sample.groups, sample.in_time):
        assert np.isfinite(measure).all()
        assert (measure >= 0).all()


@BOTH
@pytest.mark.parametrize("delay", ["1 s", "0.001 s"])
def test_who_always_calls_again_is_cut_once_and_counted(delay: str, engine: Engine) -> None:
    """Nobody is there and nobody waits: each request ends at its bound, or the horizon's."""
    most = 20
    redial = {"probability": "100%", "delay": {"constant": delay}, "at_most": most}
    call = {"demand": {"rate": "40 calls/h"}, "patience": {"constant": "0 s"}, "redial": redial}
    sample = one_block(case_from(scenario_of({"call": call})), 0, engine)
    requests, offered, redials, cut, gone = (
        sample.measure(name).sum()
        for name in ("requests", "offered", "redials", "redials_cut", "abandoned")
    )
    assert requests > 1500
    assert cut == requests
    assert offered == requests + redials == gone
    assert most * (requests - 2) <= redials <= most * requests


def test_cut_redials_have_a_column_in_the_report() -> None:
    from ccsim.reporting.content import service_table

    redial = {"probability": "100%", "delay": {"constant": "1 s"}, "at_most": 1}
    call = {"patience": {"constant": "1 s"}, "redial": redial}
    case = case_from(scenario_of({"call": call | {"targets": ["at most 5% lost, over each day"]}}))
    plan = StaffingPlan(by_interval={"desk": (0,) * case.grid.intervals})
    shown: Any = service_table(study.simulate(case, plan, replications=32))
    assert "redials cut" in str(shown)


# A billion contacts.


def test_a_billion_contacts_are_refused_where_they_stand(tmp_path: Path) -> None:
    path = written(tmp_path, days=366, rate=120_000)
    with pytest.raises(ScenarioError) as caught:
        read_all(path)
    (problem,) = caught.value.problems
    assert (problem.line, problem.field) == (8, "contact_types.call.demand")
    assert problem.message == (
        "1,054,080,000 contacts over the horizon, and at most 100,000,000 can be simulated; "
        "lower the demand, or write fewer horizon.days"
    )
    for verb in ("check", "estimate", "simulate"):
        result = CliRunner().invoke(ccsim, [verb, str(path)])
        assert result.exit_code == 2
        assert "1,054,080,000 contacts" in result.stderr
    assert read_case(written(tmp_path / "given", days=34, rate=120_000)).demand["call"].sum() < 1e8


def test_a_billion_redials_are_contacts_too() -> None:
    def case(probability: str, patience: str | None) -> Case:
        redial = {"probability": probability, "delay": "1 min", "at_most": 20}
        given = {"demand": {"rate": "100000 calls/h"}, "patience": patience, "redial": redial}
        return case_from(scenario_of({"call": given, "vip": {}}, days=21))

    assert case("40%", "1 min").demand["call"].sum() > MOST_CONTACTS / 2
    assert case("100%", None).demand["call"].sum() > MOST_CONTACTS / 2
    with pytest.raises(
        CcsimError,
        match=r"contact_types\.call\.demand: 1,058,403,024 contacts with redials over the horizon, "
        r"1,058,400,000 of them here, and at most",
    ):
        case("100%", "1 min")


def test_a_billion_repeats_are_contacts_too() -> None:
    call = {"demand": {"rate": "100000 calls/h"}, "repeat": {"delay": "1 min", "at_most": 20}}
    with pytest.raises(CcsimError, match=r"1,058,400,000 contacts with repeats over the horizon"):
        case_from(scenario_of({"call": call}, {"desk": {"call": {"resolution": "0%"}}}, days=21))


def test_too_little_memory_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(study, "estimate", fail)
    result = CliRunner().invoke(ccsim, ["estimate", str(written(tmp_path))])
    assert result.exit_code == 2
    assert result.stderr.startswith("there is not enough memory for this: ")


# Machine code that cannot be kept.


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from numba import config

    from ccsim.demand.machine_code_compiled import _listener

    (tmp_path / "file").write_text("")
    (tmp_path / "__pycache__").write_text("")
    (tmp_path / "loops.py").write_text(
        "from ccsim.demand.machine_code_compiled import compiled\n\n"
        "@compiled\ndef doubled(number):\n    return number * 2\n"
    )
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(_listener(), "kept", True)
    spec = importlib.util.spec_from_file_location("loops", tmp_path / "loops.py")
    assert spec is not None
    assert spec.loader is not None
    loops = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loops)
    with caplog.at_level(logging.INFO, "ccsim"):
        assert loops.doubled(21) == 42
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "compiling the engine, as it cannot be kept on this machine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["__pycache__", "file", "loops.py"]


# Ctrl-C.

HOOKED = """
import importlib, sys, threading
replicate = importlib.import_module("ccsim.experiment.replicate")
wrapped = replicate.{name}
def hooked(*given, **named):
    if not {threaded} or threading.current_thread() is not threading.main_thread():
        print("here it is", file=sys.stderr, flush=True)
    return wrapped(*given, **named)
replicate.{name} = hooked
from ccsim.cli.main import main
main()
"""


@POSIX
@pytest.mark.parametrize(
    ("name", "threaded", "rate", "workers"),
    [("run", False, 125_000, 1), ("draw_replications", False, 125_000, 1), ("run", True, 2_000, 2)],
    ids=["loop", "draw", "threads"],
)
def test_ctrl_c_ends_machine_code_too(
    name: str, threaded: bool, rate: int, workers: int, tmp_path: Path
) -> None:
    path = written(tmp_path, rate=rate, agents=rate // 20)
    code = HOOKED.format(name=name, threaded=threaded)
    asked = ["simulate", str(path), "--engine", "compiled", "--replications", "3200"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *asked, "--workers", str(workers), "--out", "out"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    while "here it is" not in (line := process.stderr.readline()):
        assert line, "ended before it was interrupted"
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=60)
    took = time.monotonic() - began
    assert process.returncode == 130
    assert out == ""
    last = said.splitlines()[-1]
    assert last.startswith("interrupted: nothing was written")
    assert said.count("interrupted") == 1
    assert "Traceback" not in said
    assert [entry.name for entry in tmp_path.iterdir()] == ["given"]
    assert took < PATIENCE + 5  # on a machine with other things to do


# A full disk.

FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
from ccsim.cli.main import main
main()
"""


@POSIX
@pytest.mark.parametrize("option", ["--log", "--out", "--checkpoint"])
def test_a_full_disk_is_a_sentence_and_leaves_nothing(option: str, tmp_path: Path) -> None:
    path = written(tmp_path)
    asked = ["simulate", str(path), "--engine", "reference", "--replications", "32"]
    done = subprocess.run(
        [sys.executable, "-c", FULL, *asked, "--workers", "1", option, "kept"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert "kept" in last
    assert "make room" in last.lower()
    if option == "--checkpoint":  # what it is a checkpoint of
        assert [entry.name for entry in (tmp_path / "kept").iterdir()] == ["study.json"]
    else:
        assert [entry.name for entry in tmp_path.iterdir()] == ["given"]
