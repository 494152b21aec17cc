"""From a file to a `Case`: the story of reading a scenario.

A document is opened with everything it extends; a variant and the overrides are laid on top; the
models check each field and the checks look across fields; then the calendar is laid out and the
series beside the file are read. Every problem of a step is collected before any is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from ccsim.errors import Problem, ScenarioError
from ccsim.scenario.calendar import lay_grid
from ccsim.scenario.case import Case, constant_rates, too_many
from ccsim.scenario.checks import NAMED, check, check_names
from ccsim.scenario.folder import inside, read_up_to
from ccsim.scenario.merge import EMPTY, merge, override, without
from ccsim.scenario.model import Scenario
from ccsim.scenario.problems import (
    did_you_mean,
    locate,
    problem_at,
    problems_of,
    settled,
    unknown_name,
)
from ccsim.scenario.series import read_series
from ccsim.scenario.yaml_reader import (
    MAXIMUM_BYTES,
    Node,
    Place,
    parse_yaml,
    plain,
    refuse,
)

MAXIMUM_EXTENDS = 10
"""The longest chain of ``extends:``."""


@dataclass(frozen=True, eq=False)
class Document:
    """A scenario file with everything it extends, before it is checked."""

    path: Path
    root: Node
    variants: Node

    @property
    def folder(self) -> Path:
        """Files the scenario names lie in this folder or below."""
        return self.path.parent


def read_case(path: str | Path, variant: str | None = None, overrides: Sequence[str] = ()) -> Case:
    """Read a scenario file and every file it names.

    Parameters
    ----------
    path : str or Path
        The scenario file; it is printed in error texts as given here.
    variant : str, optional
        The variant to lay on top.
    overrides : sequence of str
        Single fields to set last, as ``contact_types.sales.demand.scale=1.2``.

    Raises
    ------
    ScenarioError
        With every problem found, each with file, line, field, what came and what to write.
    """
    document = _open(path)
    return _case(document, variant, overrides)


def read_all(path: str | Path, overrides: Sequence[str] = ()) -> tuple[Case, ...]:
    """Read a scenario and each of its variants: the whole file is checked, problems all at once."""
    document = _open(path)
    cases: list[Case] = []
    problems: list[Problem] = []
    for variant in (None, *document.variants.entries):
        try:
            cases.append(_case(document, variant, overrides))
        except ScenarioError as error:
            known = {replace(each, field="") for each in problems}
            for each in error.problems:
                if replace(each, field="") not in known:
                    where = f"{each.field} (variant {variant})" if variant else each.field
                    problems.append(replace(each, field=where))
    if problems:
        raise ScenarioError(settled(problems))
    return tuple(cases)


def variants(path: str | Path) -> tuple[str, ...]:
    """List the names of a scenario's variants, in the order of the file."""
    return tuple(_open(path).variants.entries)


def _open(path: str | Path) -> Document:
    """Parse a file and what it extends, and set its variants apart."""
    first = Path(path)
    root, problems = _load(first, first, ())
    named = root.entries.get("variants", EMPTY)
    if not isinstance(named.value, dict):
        refuse(named.place, "write a name for each variant and below it what changes", "variants")
    for name, changes in named.entries.items():
        field = f"variants.{name}"
        if not isinstance(changes.value, dict):
            problems.append(Problem(*named.keys[name], field, "write below it what changes"))
        else:
            problems += [
                Problem(*changes.keys[key], f"{field}.{key}", "a variant cannot change this")
                for key in ("version", "extends", "variants")
                if key in changes.value
            ]
    if problems:
        # A key written twice hides what was meant, yet the rest of the file can still be checked.
        problems += _field_problems(without(root, "variants"))
        raise ScenarioError(settled(problems))
    return Document(first, without(root, "variants"), named)


def _load(path: Path, first: Path, chain: tuple[Path, ...]) -> tuple[Node, list[Problem]]:
    """Parse a file on top of the one it extends."""
    node, problems = parse_yaml(read_up_to(path, MAXIMUM_BYTES, Place(str(path))), str(path))
    if not isinstance(node.value, dict):
        refuse(node.place, "a scenario is fields with values, such as 'name: My centre'")
    if path != first:
        node = _named_from(first, path, node)
    base = node.entries.get("extends")
    if base is None:
        return without(node, "extends"), problems
    place = base.place
    chain = (*chain, path.resolve())
    if not isinstance(base.value, str) or not base.value:
        refuse(place, "write the name of a scenario file in this folder", "extends")
    below = inside(first.parent, path.parent, base.value, place, "extends")
    if below.resolve() in chain:
        names = " extends ".join([*(link.name for link in chain), below.name])
        refuse(place, f"goes round in a circle: {names}", "extends")
    if len(chain) > MAXIMUM_EXTENDS:
        refuse(place, f"more than {MAXIMUM_EXTENDS} files extend one another", "extends")
    base_node, base_problems = _load(below, first, chain)
    return merge(base_node, without(node, "extends")), base_problems + problems


def _named_from(first: Path, path: Path, node: Node) -> Node:
    """Names of files as seen from the first file's folder, though written in a deeper one."""
    here = path.parent.resolve().relative_to(first.parent.resolve())
    if here == Path() or not isinstance(node.value, dict | list):
        return node
    if isinstance(node.value, list):
        return Node([_named_from(first, path, child) for child in node.value], node.place)
    children = {}
    for key, child in node.value.items():
        if key == "file" and isinstance(child.value, str) and not Path(child.value).is_absolute():
            children[key] = Node((here / child.value).as_posix(), child.place)
        else:
            children[key] = _named_from(first, path, child)
    return Node(children, node.place, node.keys)


def _case(document: Document, variant: str | None, overrides: Sequence[str]) -> Case:
    root, names = document.root, tuple(document.variants.entries)
    if variant is not None:
        if variant not in names:
            hint = (
                did_you_mean(variant, names) or f"; the variants here: {', '.join(names) or 'none'}"
            )
            refuse(Place(str(document.path)), f"no variant {variant!r}{hint}")
        root = merge(root, without(document.variants.entries[variant], "description"))
    for text in overrides:
        patch = override(text)
        _refuse_new_names(root, patch, text)
        root = merge(root, patch)
    problems = _field_problems(root)
    if problems:
        raise ScenarioError(settled(problems))
    scenario = Scenario.model_validate(plain(root))
    grid = lay_grid(scenario.horizon, scenario.time_zone)
    series = read_series(scenario, grid, document.folder, lambda path: locate(root, path))
    if series.problems:
        raise ScenarioError(settled(series.problems))
    demand = {**constant_rates(scenario, grid), **series.demand}
    if crowded := too_many(scenario, demand):
        raise ScenarioError([problem_at(root, ("contact_types", crowded[0], "demand"), crowded[1])])
    return Case(
        scenario=scenario,
        grid=grid,
        demand=demand,
        tables=series.tables,
        variant=variant,
        changes=tuple(overrides),
        files=series.files,
    )


def _refuse_new_names(root: Node, patch: Node, text: str) -> None:
    """A field of something that is not there: the name is misspelled."""
    for part in NAMED:
        known = root.entries.get(part, EMPTY)
        given = patch.entries.get(part, EMPTY)
        for name, below in given.entries.items() if isinstance(given.value, dict) else ():
            deeper = text.partition("=")[0].count(".") > 1
            if deeper and isinstance(below.value, dict) and name not in known.entries:
                kind = part.removesuffix("s").replace("_", " ")
                refuse(
                    below.place, unknown_name(name, tuple(known.entries), kind), f"{part}.{name}"
                )


def _field_problems(root: Node) -> list[Problem]:
    """What is wrong with the fields of a scenario, one by one and across."""
    data = plain(root)
    names = check_names(data, root)
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        return [*problems_of(error, root), *names]
    return names + check(scenario, root)
