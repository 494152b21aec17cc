"""What a planner reads when a scenario is wrong: place, field, what came and what to write."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from ccsim.errors import Problem
from ccsim.scenario.model import Scenario
from ccsim.scenario.units import came, write_duration, write_share
from ccsim.scenario.yaml_reader import Node, Place

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FieldPath = tuple[str | int, ...]
"""The names that lead to a field: ``("contact_types", "sales", "demand")``."""


At = Callable[[FieldPath, str], Problem]
"""Makes a problem of a field's path and a sentence."""
Check = Callable[[Scenario, At], Iterator[Problem]]
"""Yields what does not fit together in a scenario."""


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """A hint at the nearest name, or nothing.

    Examples
    --------
    >>> did_you_mean("banking_cal", ["email", "banking_call"])
    "; did you mean 'banking_call'?"
    """
    folded = {known.casefold(): known for known in names}
    near = difflib.get_close_matches(str(name)[:100].casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""


def unknown_name(name: object, names: Sequence[str], kind: str) -> str:
    """Say that a name does not exist, and which do.

    Examples
    --------
    >>> unknown_name("nigth", ["day", "night"], "shift")
    "no shift 'nigth'; did you mean 'night'?"
    """
    known = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    hint = did_you_mean(name, names) or f"; known here: {known or 'none'}"
    return f"no {kind} {came(name)}{hint}"


def locate(root: Node, path: FieldPath) -> Place:
    """Where a field stands, or the nearest thing above it that is in the file.

    A scalar is found at its value, anything with parts at its key.
    """
    node, place = root, root.place
    for part in path:
        if isinstance(node.value, dict) and part in node.value:
            place = node.keys[str(part)]
            node = node.value[str(part)]
        elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            place = node.place
        else:
            return place
    return place if isinstance(node.value, dict | list) or node.value is None else node.place


def problem_at(root: Node, path: FieldPath, message: str) -> Problem:
    """A problem with a field of the file."""
    return Problem(*locate(root, path), ".".join(str(part) for part in path), message)


def settled(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, in the order of the files and their lines."""
    seen = {(each.file, each.line, each.column, each.message): each for each in problems}
    return sorted(seen.values(), key=lambda each: (each.file, each.line or 0, each.column or 0))


def problems_of(error: ValidationError, root: Node) -> list[Problem]:
    """What the models refused, in a planner's words and with places in the file."""
    problems = []
    for detail in error.errors(include_url=False):
        path = _path_in_file(detail["loc"], root)
        if detail["type"] in ("missing", "extra_forbidden"):
            path = (*path, detail["loc"][-1]) if path[-1:] != detail["loc"][-1:] else path
        place = locate(root, path)
        if detail["type"] == "extra_forbidden":
            place = _key_place(root, path) or place
        name = ".".join(str(part) for part in path)
        problems.append(Problem(*place, name, _in_words(detail)))
    return problems


def _path_in_file(loc: FieldPath, root: Node) -> FieldPath:
    """The path without what only the models know: the kind of a rate card, a short form's field."""
    node, path = root, []
    for part in loc:
        if isinstance(node.value, dict) and part in node.value:
            node = node.value[str(part)]
        elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _key_place(root: Node, path: FieldPath) -> Place | None:
    node = root
    for part in path[:-1]:
        node = node.value[int(part)] if isinstance(node.value, list) else node.entries[str(part)]
    return node.keys.get(str(path[-1]))


def _in_words(detail: ErrorDetails) -> str:
    """Translate one refusal."""
    kind, value, loc = detail["type"], detail["input"], detail["loc"]
    context = detail.get("ctx", {})
    came_text = came(value)
    words = f"{came_text}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    if kind == "value_error":
        words = detail["msg"].removeprefix("Value error, ")
    elif kind == "extra_forbidden":
        known = [name for model in models_at(loc[:-1]) for name in model.model_fields]
        known.sort(key=lambda name: name == "source")
        hint = did_you_mean(loc[-1], known) or f"; known here: {', '.join(dict.fromkeys(known))}"
        if str(loc[-1]).isdigit():
            hint = "; if it was a decimal comma, write a point"
        words = f"unknown field{hint}"
    elif kind in _WORDS and isinstance(value, str) and context:
        words = f"{came_text} {_WORDS[kind].format(**_as_written(value, context))}"
    elif kind == "missing" or value is None:
        words = f"needs a value{_sentence(loc)}"
    elif kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        hint = did_you_mean(value, choices) if isinstance(value, str) else ""
        words = f"{came_text} is not known{hint or '; write ' + context['expected']}"
    elif kind == "string_pattern_mismatch" and loc[-1] == "currency":
        words = f"{came_text} is not a currency: write three capital letters, such as EUR"
    elif kind == "string_pattern_mismatch":
        words = f"{came_text} is not a name: write a letter, then letters, digits or _, at most 40"
    elif kind in _WORDS:
        words = f"{came_text} {_WORDS[kind].format(**context)}"
    return words


_WORDS = {
    "int_parsing": "is not a whole number; write one, such as 7",
    "int_type": "is not a whole number; write one, such as 7",
    "int_from_float": "is not a whole number; write one, such as 7",
    "int_parsing_size": "is too large",
    "float_parsing": "is not a number; write one, such as 1.2",
    "float_type": "is not a number; write one, such as 1.2",
    "finite_number": "is not a finite number; write one, such as 1.2",
    "bool_parsing": "is neither; write true or false",
    "bool_type": "is neither; write true or false",
    "greater_than": "is too small; it must be more than {gt}",
    "greater_than_equal": "is too small; the least is {ge}",
    "less_than": "is too large; it must be less than {lt}",
    "less_than_equal": "is too large; the most is {le}",
    "string_type": "is not text; put it in quotes",
    "string_too_short": "is too short",
    "string_too_long": "is too long; at most {max_length} characters",
    "dict_type": "stands where names are needed; write each name with its fields below it",
    "model_type": "stands where fields are needed; write them below, one a line",
    "tuple_type": "is not a list; write [one, two]",
}


def _as_written(value: str, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Limits in the unit of what came: lengths of time and shares are kept as plain numbers."""

    def written(limit: Any) -> Any:
        if not isinstance(limit, int | float):
            return limit
        if "%" in value:
            return write_share(float(limit))
        if any(letter.isalpha() for letter in value):
            return write_duration(int(limit))
        return limit

    return {name: written(limit) for name, limit in limits.items()}


def _sentence(loc: FieldPath) -> str:
    """What a field is for, from its reference page."""
    for model in models_at(loc[:-1]):
        known = model.model_fields.get(str(loc[-1]))
        if known is not None and known.description:
            return f": {known.description[:1].lower()}{known.description[1:].rstrip('.')}"
    return ""


def models_at(loc: FieldPath) -> list[type[BaseModel]]:
    """The models a path of the scenario may lead to.

    Examples
    --------
    >>> [model.__name__ for model in models_at(("contact_types", "sales", "demand"))]
    ['Demand']
    """
    annotation: Any = Scenario
    for part in loc:
        models = models_in(annotation)
        if get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        elif fields := [m.model_fields[part] for m in models if part in m.model_fields]:
            annotation = _bare(fields[0].annotation)
        else:  # the tag of a kind, as in_house for InHouse
            tagged = [m for m in models if m.__name__.lower() == str(part).replace("_", "")]
            annotation = tagged[0] if tagged else annotation
    return models_in(annotation)


def _bare(annotation: Any) -> Any:
    """An annotation without 'or nothing'."""
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    optional = len(kinds) == 1 and get_origin(annotation) is not dict
    return kinds[0] if optional and len(get_args(annotation)) == 2 else annotation


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Every model that an annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]
