"""Start-up is a feature: what each quick verb loads, and what it leaves alone.

How long that takes on a machine, benchmarks/startup.py measures.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ccsim.cli import console
from ccsim.queueing import erlang_b
from ccsim.scenario.templates import shipped_scenarios

ROOT = Path(__file__).parents[1]
NEVER = {
    *("distributed", "duckdb", "highspy", "jinja2", "joblib", "matplotlib", "numba", "pint"),
    *("pulp", "python_calamine", "scipy.optimize", "scipy.sparse", "scipy.stats", "simpy"),
    *("ccsim.plots", "ccsim.staffing", "ccsim.study", "xlsxwriter"),
}
"""What none of them is in need of."""
CALLS = ["erlang", "200 calls/h", "3 min"]


def loaded_by(*arguments: str) -> set[str]:
    """Names of the modules in a fresh interpreter after a verb that went well."""
    code = (
        "import sys\nfrom ccsim.cli.main import ccsim\n"
        f"ended = ccsim({list(arguments)}, standalone_mode=False)\n"
        "print(*sys.modules, file=sys.stderr)\nsys.exit(ended)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["erlang", "--help"]])
def test_help_loads_no_library_but_its_own(arguments: list[str]) -> None:
    loaded = loaded_by(*arguments)
    assert not loaded & {*NEVER, "numpy", "pandas", "pydantic", "rich", "ruamel.yaml", "scipy"}


def test_a_plain_calculator_loads_no_more_than_numpy_and_a_table() -> None:
    loaded = loaded_by(*CALLS)
    assert {"numpy", "rich"} <= loaded
    assert not loaded & {*NEVER, "pandas", "pydantic", "ruamel.yaml", "scipy"}


def test_a_calculator_with_patience_loads_special_functions_too() -> None:
    loaded = loaded_by(*CALLS, "--patience", "5 min")
    assert "scipy.special" in loaded
    assert not loaded & {*NEVER, "pandas", "pydantic", "ruamel.yaml"}


@pytest.mark.parametrize("name", shipped_scenarios())
def test_check_loads_no_formula(name: str) -> None:
    loaded = loaded_by("check", str(shipped_scenarios()[name]))
    assert {"pydantic", "ruamel.yaml"} <= loaded
    assert not loaded & {*NEVER, "pandas", "rich", "scipy"}


@pytest.mark.parametrize("name", shipped_scenarios())
def test_show_loads_nothing_that_plans_or_simulates(name: str) -> None:
    assert not loaded_by("show", str(shipped_scenarios()[name])) & {*NEVER, "pandas"}


def blocked(load: Fraction, agents: int) -> Fraction:
    """Erlang's loss formula as he wrote it, in whole numbers."""
    term = total = Fraction(1)
    for n in range(1, agents + 1):
        term *= load / n
        total += term
    return term / total


@pytest.mark.parametrize("agents", [0, 1, 2, 10, 29, 30, 31, 99, 140])
def test_agents_counted_one_by_one_block_what_the_formula_says(agents: int) -> None:
    loads = [Fraction(n, 8) for n in (1, 7, 8, 80, 400, 720, 800, 880, 1600, 80_000)]
    exact = [float(blocked(load, agents)) for load in loads]
    found = erlang_b(np.array([float(load) for load in loads]), agents)
    np.testing.assert_allclose(found, exact, rtol=1e-14 if agents <= 30 else 1e-12)


def test_one_way_to_count_agents_ends_where_the_other_begins() -> None:
    loads = np.array([60.0, 90.0, 100.0, 110.0, 150.0])
    hair = 1e-9
    for agents in (3.0, 30.0):
        whole, more = erlang_b(loads, agents), erlang_b(loads, agents + hair)
        np.testing.assert_allclose(more, whole, rtol=10 * hair)
        assert (more < whole).all()


# The first time on a machine.

SIMULATE = ["simulate", str(shipped_scenarios()["quickstart_voice_8020"]), "--replications", "1"]


def test_compiling_is_told_as_one_thing(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("ccsim.demand.machine_code_compiled")
    with console.progress("reading") as told:
        told("scheduling")
        for seconds in (3.25, 0.5):
            log.info("compiling the engine, once on this machine")
            assert told.line == "0:00  compiling the engine, once on this machine"
            log.info("compiled in %.1f s", seconds, extra={"seconds": seconds})
            assert told.line == "0:00  scheduling"
        told.replications(32, 64)
        told.replications(64, 64)
    log.info("nobody listens any more")
    assert capsys.readouterr().err.splitlines() == [
        "0:00  compiling the engine, once on this machine",
        "0:00  compiled in 3.8 s",
    ]


def test_only_what_is_not_kept_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from numba import config

    from ccsim.demand.machine_code_compiled import compiled

    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))

    def tripled(number: int) -> int:
        return number * 3

    with caplog.at_level(logging.INFO, "ccsim"):
        assert compiled(tripled)(14) == 42
        first, second = caplog.records
        assert first.getMessage() == "compiling the engine, once on this machine"
        assert 0 < second.__dict__["seconds"] < 60
        assert compiled(tripled)(14) == 42
    assert len(caplog.records) == 2


@pytest.mark.slow
def test_the_first_time_on_a_machine_says_that_it_compiles(tmp_path: Path) -> None:
    def run(*more: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "ccsim", *SIMULATE, *more],
            capture_output=True, text=True, check=True, cwd=ROOT,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        )  # fmt: skip
        return done.stdout, done.stderr

    first, said = run("--engine", "compiled")
    assert re.search(r"^\d:\d\d  compiling the engine, once on this machine$", said, re.MULTILINE)
    assert re.search(r"^\d:\d\d  compiled in \d+\.\d s$", said, re.MULTILINE)
    again, silent = run("--engine", "compiled")
    other, quiet = run("--engine", "reference")
    assert first == again == other
    assert "compil" not in silent + quiet
