"""``--set``: what if, without writing a variant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ccsim.cli.main import ccsim
from ccsim.scenario.templates import shipped_scenarios

FILE = str(shipped_scenarios()["quickstart_voice_8020"])
FEW = ["--replications", "32", "--workers", "1"]


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(ccsim, list(arguments), catch_exceptions=False)


def document(*arguments: str) -> dict[str, Any]:
    result = ran(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


@pytest.fixture(scope="module")
def name() -> str:
    """A contact type of the scenario."""
    return next(iter(document("show", FILE)["resolved"]["contact_types"]))


def test_show_has_the_changed_fields_and_names_them(name: str) -> None:
    plain = document("show", FILE)
    changes = [f"contact_types.{name}.demand.scale=1.2", "horizon.begins=empty"]
    changed = document("show", FILE, "--set", changes[0], "--set", changes[1])
    assert "changes" not in plain
    assert changed["changes"] == changes
    assert changed["resolved"]["contact_types"][name]["demand"]["scale"] == 1.2
    assert changed["resolved"]["horizon"]["begins"] == "empty"
    expected = plain["resolved"]
    expected["contact_types"][name]["demand"]["scale"] = 1.2
    expected["horizon"]["begins"] = "empty"
    assert changed["resolved"] == expected


def test_the_last_of_two_holds_and_null_takes_away(name: str) -> None:
    field = f"contact_types.{name}.demand.scale"
    twice = document("show", FILE, "--set", f"{field}=2", "--set", f"{field}=3")
    assert twice["resolved"]["contact_types"][name]["demand"]["scale"] == 3
    gone = document("show", FILE, "--set", f"contact_types.{name}.wrap_up=null")
    assert gone["resolved"]["contact_types"][name]["wrap_up"] is None


@pytest.mark.parametrize("verb", ["check", "show", "estimate", "simulate", "plan", "verify"])
def test_mistakes_name_the_change_and_the_field(verb: str, name: str) -> None:
    for change, says in (
        (f"contact_types.{name}.demand.scael=2", "did you mean 'scale'?"),
        (f"contact_types.{name}.head_start=200", "needs a unit of time"),
        ("horizon.days", "write a field and its value"),
        ("horizon.days=[", "not valid YAML"),
        ("agent_groups.nobody.skills={}", "no agent group 'nobody'"),
    ):
        result = ran(verb, FILE, "--set", change)
        assert result.exit_code == 2
        assert f"--set {change}" in result.stderr
        assert says in result.stderr
        assert "Traceback" not in result.stderr


def test_check_reads_every_variant_with_the_change(name: str) -> None:
    fine = ran("check", FILE, "--set", "horizon.days=2")
    assert fine.exit_code == 0
    assert "2 days" in fine.stdout
    assert ran("check", FILE, "--set", "horizon.days=0").exit_code == 2


def test_a_change_is_worth_what_the_same_file_is_worth(tmp_path: Path, name: str) -> None:
    """Twenty per cent more by --set, and written into a file: the same numbers."""
    change = f"contact_types.{name}.demand.scale=1.2"
    written = tmp_path / "more.yaml"
    shown = ran("show", FILE, "--set", change)
    written.write_text(shown.stdout, encoding="utf-8")
    by_set = document("simulate", FILE, "--set", change, *FEW)
    by_file = document("simulate", str(written), *FEW)
    assert by_set["tables"] == by_file["tables"]
    assert by_set["tables"] != document("simulate", FILE, *FEW)["tables"]


def test_results_name_the_change_and_run_again_without_it(tmp_path: Path, name: str) -> None:
    change = f"contact_types.{name}.demand.scale=1.1"
    out = tmp_path / "out"
    said = ran("simulate", FILE, "--set", change, *FEW, "--out", str(out))
    assert said.exit_code == 0
    assert change in said.stdout
    provenance = json.loads((out / "provenance.json").read_text())
    assert provenance["changes"] == [change]
    assert change in (out / "report.html").read_text(encoding="utf-8")
    assert not any("--set" in command for command in provenance["rerun"])
    again = document("simulate", str(out / "scenario" / "scenario.yaml"), *FEW)
    assert again["tables"] == document("simulate", FILE, "--set", change, *FEW)["tables"]


def test_compare_changes_every_variant(tmp_path: Path, name: str) -> None:
    variants = tmp_path / "two.yaml"
    text = Path(FILE).read_text(encoding="utf-8").partition("\nvariants:")[0]
    slower = f"{{contact_types: {{{name}: {{wrap_up: 1 min}}}}}}"
    variants.write_text(f"{text}\nvariants:\n  slower: {slower}\n", encoding="utf-8")
    changes = ["--set", "horizon.days=1", "--set", "planning.rounds=1"]
    result = ran("compare", str(variants), "--all", *changes, *FEW, "--json")
    assert result.exit_code in (0, 1, 3)
    assert json.loads(result.stdout)["changes"] == ["horizon.days=1", "planning.rounds=1"]
