"""YAML 1.2 with positions, and nothing else that YAML can do: the one file that knows ruamel.yaml.

A file is read as a stream of events. The stream is walked against a few limits (size, depth,
aliases, tags) before any tree is built, so that a file made to hurt is refused at once. The tree
keeps for every value and every key where it stands, and scalars follow the core schema of YAML 1.2:
``8:00``, ``off`` and ``NO`` stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, NamedTuple, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from ccsim.errors import Problem, ScenarioError

MAXIMUM_BYTES = 128 * 1024
"""The largest scenario file."""
MAXIMUM_DEPTH = 64
"""The deepest nesting, aliases followed."""
MAXIMUM_ALIASES = 1000
"""The most aliases (``*name``) in one file."""
MAXIMUM_VALUES = 100_000
"""The most values in one file, aliases followed: a short file can stand for 10^9 of them."""

Scalar = str | int | float | bool | None

_NULL = re.compile(r"(?:~|null|Null|NULL|)")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_WHOLE = re.compile(r"[-+]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d{1,3})?", re.ASCII)


_PLAINLY = {
    "<block end>": "the indentation does not fit the lines above; align it with them",
    "mapping values are not allowed": "a second ':' in one line; put the text in quotes",
    "could not find expected ':'": "a field without ':'; write 'field: value'",
    "'\\t'": "a tab; indent with spaces",
    "cannot start any token": "a text that begins with such a character needs quotes",
}
"""The parser's commonest complaints, as a planner would say them."""


class Place(NamedTuple):
    """Where something stands: file as the user gave it, line and column from 1."""

    file: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, eq=False)
class Node:
    """A value of a file with its place; mappings know the places of their keys too.

    Attributes
    ----------
    value : dict, list, str, int, float, bool or None
        Nested nodes, or a scalar.
    place : Place
        Where the value begins.
    keys : mapping of str to Place
        Where each key of a mapping stands.
    size, depth : int
        How many values it stands for and how deep they nest, aliases followed.
    """

    value: dict[str, Node] | list[Node] | Scalar
    place: Place
    keys: Mapping[str, Place] = field(default_factory=dict)
    size: int = 1
    depth: int = 1

    @property
    def entries(self) -> dict[str, Node]:
        """The values of a mapping by key; of anything else, none."""
        return self.value if isinstance(self.value, dict) else {}


def plain(node: Node) -> Any:
    """Strip a node of its places: the bare values."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def refuse(place: Place, message: str, name: str = "") -> NoReturn:
    """Stop with a single problem."""
    raise ScenarioError([Problem(*place, name, message)])


def parse_yaml(data: bytes, file: str) -> tuple[Node, list[Problem]]:
    r"""Build the tree of a YAML file, with the problems (a key twice) that do not hide others.

    Parameters
    ----------
    data : bytes
        The file's content.
    file : str
        The file's name for error texts.

    Raises
    ------
    ScenarioError
        For a file that is too large, too deep, binary, or not YAML.

    Examples
    --------
    >>> node, problems = parse_yaml(b"open: 8:00\nanswer: off", "day.yaml")
    >>> plain(node), node.keys["answer"].line
    ({'open': '8:00', 'answer': 'off'}, 2)
    """
    text = _decode(data, file)
    try:
        events = list(_guarded(YAML(typ="safe", pure=True).parse(StringIO(text)), file))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        what = " ".join(str(error.problem or error.context or "unreadable").split())
        plainly = next((words for sign, words in _PLAINLY.items() if sign in what), what[:200])
        refuse(place, f"not valid YAML: {plainly}")
    except (YAMLError, RecursionError, ValueError, IndexError, AttributeError, TypeError) as error:
        # Malformed input makes the parser stumble in more ways than its own errors.
        refuse(Place(file), f"not valid YAML: {' '.join(str(error).split())[:200]}")
    return _build(events, file)


def _decode(data: bytes, file: str) -> str:
    if len(data) > MAXIMUM_BYTES:
        refuse(
            Place(file),
            f"larger than {MAXIMUM_BYTES // 1024} KiB; put long series in a CSV file beside it "
            "and name that with 'file:'",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        refuse(Place(file, line), "not UTF-8 text; save the file as UTF-8")
    if "\0" in text:
        refuse(Place(file), "a binary file, not text; a scenario is a YAML text file")
    return text


def _place(event: Any, file: str) -> Place:
    return Place(file, event.start_mark.line + 1, event.start_mark.column + 1)


def _guarded(events: Iterator[Any], file: str) -> Iterator[Any]:
    """Pass events on until a limit is reached."""
    depth = aliases = documents = 0
    for event in events:
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                refuse(_place(event, file), "a second document ('---'); write one file for each")
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            depth += 1
            if depth > MAXIMUM_DEPTH:
                refuse(_place(event, file), f"nested more than {MAXIMUM_DEPTH} levels deep")
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            depth -= 1
        elif isinstance(event, AliasEvent):
            aliases += 1
            if aliases > MAXIMUM_ALIASES:
                refuse(_place(event, file), f"more than {MAXIMUM_ALIASES} aliases ('*name')")
        if getattr(event, "tag", None) is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            refuse(_place(event, file), f"unknown tag {tag!r}; write the value without it")
        yield event


def _scalar(event: Any) -> Scalar:
    text: str = event.value
    if event.style or not event.implicit[0]:
        return text
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text.lower() == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


@dataclass
class _Open:
    """A mapping or sequence whose end has not come yet."""

    event: Any
    place: Place
    mapping: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    key: str | None = None
    size: int = 1
    depth: int = 1

    def closed(self) -> Node:
        is_mapping = isinstance(self.event, MappingStartEvent)
        value: dict[str, Node] | list[Node] = self.mapping if is_mapping else self.items
        return Node(value, self.place, self.keys, self.size, self.depth)


def _build(events: list[Any], file: str) -> tuple[Node, list[Problem]]:
    """Build the tree on a stack of its own: no file is deep enough to break it."""
    problems: list[Problem] = []
    stack: list[_Open] = []
    anchors: dict[str, Node | None] = {}  # None while the node is still open
    root: Node | None = None
    for event in events:
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            if stack and isinstance(stack[-1].event, MappingStartEvent) and stack[-1].key is None:
                refuse(
                    _place(event, file),
                    "a key must be one word; a text with '{' or '[' needs quotes",
                )
            stack.append(_Open(event, _place(event, file)))
            if event.anchor:
                anchors[event.anchor] = None
            continue
        if isinstance(event, MappingEndEvent | SequenceEndEvent):
            opened = stack.pop()
            node, anchor = opened.closed(), opened.event.anchor
        elif isinstance(event, ScalarEvent):
            node, anchor = Node(_scalar(event), _place(event, file)), event.anchor
        elif isinstance(event, AliasEvent):
            node, anchor = _aliased(anchors, event, file), None
        else:
            continue
        if anchor:
            anchors[anchor] = node
        if not stack:
            root = node
        else:
            _add(stack[-1], node, event, file, problems)
    if root is None or root.value is None:
        refuse(Place(file), "the file is empty; 'ccsim new' writes a scenario to start from")
    return root, problems


def _aliased(anchors: Mapping[str, Node | None], event: Any, file: str) -> Node:
    if event.anchor not in anchors:
        refuse(
            _place(event, file),
            f"'*{event.anchor}' is not defined before; a text with '*' needs quotes",
        )
    node = anchors[event.anchor]
    if node is None:
        refuse(_place(event, file), f"'*{event.anchor}' contains itself")
    return node


def _add(parent: _Open, node: Node, event: Any, file: str, problems: list[Problem]) -> None:
    """Put a finished node into its parent: as a key, a value or an item."""
    parent.size += node.size
    parent.depth = max(parent.depth, node.depth + 1)
    if parent.size > MAXIMUM_VALUES:
        refuse(
            _place(event, file), f"aliases ('*name') stand for more than {MAXIMUM_VALUES} values"
        )
    if parent.depth > MAXIMUM_DEPTH:
        refuse(_place(event, file), f"nested more than {MAXIMUM_DEPTH} levels deep")
    if isinstance(parent.event, SequenceStartEvent):
        parent.items.append(node)
    elif parent.key is None:
        place = _place(event, file)
        if not isinstance(event, ScalarEvent):
            refuse(place, "a key must be one word")
        parent.key = event.value
        if parent.key == "<<" and not event.style:
            refuse(
                place, "'<<' is not supported; use 'variants:' or 'extends:' to build on something"
            )
        if parent.key in parent.keys:
            first = parent.keys[parent.key].line
            problems.append(
                Problem(
                    *place, parent.key, f"written twice, first on line {first}; keep one of them"
                )
            )
        else:
            parent.keys[parent.key] = place
    else:
        parent.mapping.setdefault(parent.key, node)  # of a key written twice the first stays
        parent.key = None


def write_yaml(data: Mapping[str, Any]) -> str:
    """Write plain values as YAML, in their order.

    Examples
    --------
    >>> print(write_yaml({"name": "A bank", "starts": ["07:00", "15:00"], "redial": None}), end="")
    name: A bank
    starts: [07:00, 15:00]
    redial: null
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 4096
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.representer.add_representer(
        type(None), lambda writer, _: writer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    yaml.dump(_laid_out(data), stream)
    return stream.getvalue()


def _laid_out(value: Any) -> Any:
    """Lists of short values stand on one line; what is not printable is escaped."""
    if isinstance(value, str) and not value.isprintable():
        return DoubleQuotedScalarString(value)
    if isinstance(value, Mapping):
        return {key: _laid_out(each) for key, each in value.items()}
    if isinstance(value, list) and all(len(str(each)) < 15 for each in value):
        row = CommentedSeq(value)
        row.fa.set_flow_style()
        return row
    return value
