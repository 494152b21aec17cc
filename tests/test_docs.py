"""The pages under docs/ and the other Markdown: examples run, links lead somewhere."""

from __future__ import annotations

import doctest
import re
import shlex
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ccsim import queueing
from ccsim.cli.main import ccsim
from ccsim.demand.draw import draw_replication
from ccsim.demand.model import compile_demand
from ccsim.scenario import read_case

ROOT = Path(__file__).parents[1]
FORMULAS = ROOT / "docs" / "formulas.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
LINK = re.compile(r"\]\(([^()\s]+)\)")


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> Iterator[str]:
    """What GitHub makes of headings: words and hyphens in small letters, numbered when repeated."""
    seen: dict[str, int] = {}
    for heading in HEADING.findall(prose(page)):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        count = seen[slug] = seen.get(slug, -1) + 1
        yield f"{slug}-{count}" if count else slug


def test_examples_of_the_formulas() -> None:
    found = doctest.testfile(str(FORMULAS), module_relative=False, encoding="utf-8")
    assert found.attempted
    assert not found.failed, "the output above says which"


def test_every_formula_is_on_the_page() -> None:
    public = {name: getattr(queueing, name) for name in queueing.__all__}
    functions = {name for name, what in public.items() if isinstance(what, types.FunctionType)}
    assert not functions - set(re.findall(r"`(\w+)`", prose(FORMULAS)))


def test_commands_print_what_stands_below_them() -> None:
    blocks = [
        body for kind, body in FENCED.findall(FORMULAS.read_text("utf-8")) if kind == "console"
    ]
    assert blocks
    for block in blocks:
        command, _, printed = block.partition("\n")
        words = shlex.split(command.removeprefix("$ ccsim "))
        assert CliRunner().invoke(ccsim, words, catch_exceptions=False).stdout == printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in set(anchors(target)), link


BEHAVIOURS = (ROOT / "docs" / "behaviours.md").read_text(encoding="utf-8")
BASE = """
version: 1
name: A centre to lay examples on
currency: EUR
time_zone: Europe/Berlin
horizon: {start: 2026-10-01, days: 7}
contact_types:
  sales: {open: {all: "08:00-20:00"}, talk_time: 4 min, patience: 2 min, demand: {rate: 60 calls/h}}
  support: {open: {all: "08:00-20:00"}, talk_time: 6 min, demand: {rate: 60 calls/h}}
agent_groups: {desk: {skills: {sales: {}, support: {}}, rate_card: own}}
rate_cards: {own: {paid_hour: 20 EUR}}
"""


def test_no_cell_of_the_behaviours_is_empty() -> None:
    rows = [line for line in BEHAVIOURS.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    assert len(cells) > 8
    assert {len(row) for row in cells} == {7}
    assert all(cell for row in cells for cell in row)


@pytest.mark.parametrize(
    "example", [body for kind, body in FENCED.findall(BEHAVIOURS) if kind == "yaml"]
)
def test_examples_of_the_behaviours_are_read_and_drawn(example: str, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "example.yaml").write_text(f"extends: base.yaml\n{example}", encoding="utf-8")
    demand = compile_demand(read_case(tmp_path / "example.yaml"))
    assert len(draw_replication(demand, 1, 0).contacts.arrival) > 1000


@pytest.mark.parametrize(
    "command", [body for kind, body in FENCED.findall(BEHAVIOURS) if kind == "console"]
)
def test_commands_of_the_behaviours_run(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "scenarios")
    for line in command.splitlines():
        words = shlex.split(line.removeprefix("$ ccsim "))
        quick = ["--replications", "32", "--workers", "1"] if words[0] == "simulate" else []
        assert CliRunner().invoke(ccsim, [*words, *quick], catch_exceptions=False).stdout
