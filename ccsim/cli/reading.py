"""Verbs that read a scenario and compute next to nothing: new, check, show, schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ccsim.cli import options
from ccsim.cli.console import say, strong, write, write_json

if TYPE_CHECKING:
    from ccsim.scenario import Case


@click.command(short_help="Write a scenario to start from, with its data files.")
@click.argument("name", required=False)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The scenario file to write; NAME.yaml if not given.",
)
@click.option("--list", "as_list", is_flag=True, help="List the scenarios that come with ccsim.")
@options.as_json
@options.debug
def new(name: str | None, out: Path | None, as_list: bool, as_json: bool) -> None:
    """Write a scenario to start from, with the data files it needs.

    NAME is one of those that --list shows; without it a small commented template is written.
    """
    from ccsim import study
    from ccsim.errors import CcsimError
    from ccsim.scenario import shipped_scenarios
    from ccsim.scenario.starting import TEMPLATE_NAME

    if as_list:
        _list(shipped_scenarios(), as_json=as_json)
        return
    if name is not None and name.endswith((".yaml", ".yml")):
        raise click.UsageError(f"{name} is a file name; write: ccsim new --out {name}")
    try:
        written = study.new(name, out)
    except CcsimError as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        files = [str(path) for path in written]
        write_json("ccsim/new/1", {"scenario": name or TEMPLATE_NAME, "files": files})
        return
    for path in written:
        write(f"wrote {path}")
    target = written[0]
    say(f"Next: ccsim show {target}, then ccsim estimate {target}, then ccsim plan {target}")


def _list(shipped: Any, *, as_json: bool) -> None:
    from ccsim.scenario import read_case
    from ccsim.scenario.starting import TEMPLATE_NAME

    rows = [(TEMPLATE_NAME, "A small commented scenario that needs no other file; the default.")]
    for name, path in shipped.items():
        scenario = read_case(path).scenario
        rows.append((name, scenario.question or scenario.name))
    if as_json:
        named = [{"name": name, "question": question} for name, question in rows]
        write_json("ccsim/new/1", {"scenarios": named})
        return
    for name, question in rows:
        write(strong(name))
        write(click.wrap_text(question, 78, "    ", "    "))


@click.command(short_help="Name everything that is wrong in scenario files.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@options.changes
@options.as_json
@options.debug
@click.pass_context
def check(
    context: click.Context, files: tuple[str, ...], changes: tuple[str, ...], as_json: bool
) -> None:
    """Read scenario files with all their variants and name everything that is wrong.

    Each problem is one line on stderr, `file:line:column: field: message`, and the exit code is 2.
    """
    from ccsim.errors import ScenarioError
    from ccsim.scenario import read_all, remarks

    read: list[dict[str, Any]] = []
    for file in files:
        try:
            cases = read_all(file, changes)
        except ScenarioError as error:
            for problem in error.problems:
                say(str(problem))
            read.append({"file": file, "problems": error.problems})
        else:
            named = [(case, remarks(case.scenario)) for case in cases]
            read.append({"file": file, "cases": named})
            if not as_json:
                _say_fine(file, named)
    valid = not any("problems" in each for each in read)
    if as_json:
        write_json("ccsim/check/1", {"valid": valid, "files": [_checked(each) for each in read]})
    context.exit(0 if valid else 2)


def _say_fine(file: str, named: list[tuple[Case, tuple[str, ...]]]) -> None:
    """One line for each variant; a remark is made once, where it first holds."""
    made: set[str] = set()
    for case, said in named:
        write(f"{file}: {case.variant or 'as it stands'}: ok, {_size(case)}")
        for remark in said:
            if remark not in made:
                write(f"  remark: {remark}")
        made |= set(said)


def _size(case: Case) -> str:
    from ccsim.performance.promises import promises
    from ccsim.statistics.writing import plural

    scenario, grid = case.scenario, case.grid
    counted = [
        (len(scenario.contact_types), "contact type"),
        (len(scenario.agent_groups), "agent group"),
        (grid.days, "day"),
        (len(promises(scenario, grid)), "promise"),
    ]
    return ", ".join(plural(number, word) for number, word in counted)


def _checked(read: dict[str, Any]) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "file": read["file"],
        "problems": [asdict(problem) for problem in read.get("problems", ())],
        "variants": [
            {"variant": case.variant, "remarks": said} for case, said in read.get("cases", ())
        ],
    }


@click.command(short_help="A scenario with every default, and what it means.")
@options.file
@options.variant
@options.changes
@options.as_json
@options.debug
def show(file: str, variant: str | None, changes: tuple[str, ...], as_json: bool) -> None:
    """Print a scenario with every default, then what it means in a planner's words.

    What it means stands in comments, so that the output is itself a scenario.
    """
    from ccsim.demand.model import compile_demand
    from ccsim.results.meaning import meaning
    from ccsim.scenario import read_case, resolved_yaml
    from ccsim.scenario.yaml_reader import parse_yaml, plain

    case = read_case(file, variant, changes)
    resolved, found = resolved_yaml(case), meaning(case, compile_demand(case))
    if as_json:
        tree, _ = parse_yaml(resolved.encode(), file)
        about: dict[str, Any] = {"scenario": case.scenario.name, "variant": case.variant}
        if changes:
            about["changes"] = list(changes)
        write_json("ccsim/show/1", {**about, "resolved": plain(tree), "meaning": found})
        return
    write(resolved.rstrip("\n"))
    for title, lines in found.items():
        write("#")
        write(strong(f"# {title}"))
        for line in lines:
            indent = "#   " + " " * (len(line) - len(line.lstrip()))
            write(click.wrap_text(line.strip(), 98, indent, f"{indent}  "))


@click.command(short_help="The JSON schema of scenario files, for editors.")
@options.debug
def schema() -> None:
    """Print the JSON schema of scenario files, for editors that complete and check as you type."""
    from ccsim.scenario.reference import schema_text

    write(schema_text().rstrip("\n"))
