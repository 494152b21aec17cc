"""The reference page and the JSON schema of a scenario file, made from its models.

The sentence under a field in `ccsim.scenario.model` is its line on the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from ccsim.scenario.demand import Lead
from ccsim.scenario.distributions import HandleDistribution, PatienceDistribution
from ccsim.scenario.model import Scenario
from ccsim.scenario.problems import models_in
from ccsim.scenario.series import __doc__ as series_text
from ccsim.scenario.targets import GRAMMAR
from ccsim.scenario.templates import TEMPLATE

_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def scenario_json_schema() -> dict[str, Any]:
    """Describe a scenario file as a JSON schema, for editors that complete and check."""
    schema = Scenario.model_json_schema()
    definitions = schema["$defs"]
    length = {"type": "string", "examples": ["30 s"]}
    definitions["Constant"] = {"anyOf": [length, definitions["Constant"]]}
    for model in (HandleDistribution, PatienceDistribution):
        definitions[model.__name__] = {"anyOf": [length, definitions[model.__name__]]}
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "Another scenario file in this folder; this one is laid on top of it.",
    }
    partial = {"type": "object", "properties": {"description": {"type": "string"}}}
    schema["properties"]["variants"] = {
        "type": "object",
        "description": "Options by name: what each changes; null takes something away.",
        "additionalProperties": partial,
    }
    required = schema.pop("required")
    # A file that extends another may leave everything else to it.
    schema["anyOf"] = [{"required": required}, {"required": ["extends"]}]
    return {"$schema": _SCHEMA, **schema}


def reference_page() -> str:
    """Write ``docs/scenario.md``."""
    models = list(dict.fromkeys(_models(Scenario)))
    sections = [_HEAD.format(template=TEMPLATE.rstrip())]
    sections += [_section(model) for model in models]
    sections.append(_TAIL.format(grammar=_grammar(), series=_series()))
    return "\n\n".join(section.strip() for section in sections) + "\n"


def schema_text() -> str:
    """Write ``docs/scenario.schema.json``."""
    return json.dumps(scenario_json_schema(), indent=1, ensure_ascii=False) + "\n"


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Every model of a scenario, each after the one that first names it."""
    yield model
    for field in model.model_fields.values():
        for below in models_in(field.annotation):
            yield from _models(below)


def _section(model: type[BaseModel]) -> str:
    lines = [f"## {_title(model)}", "", f"{model.__doc__}", ""]
    lines += ["| field | what to write | default | |", "| --- | --- | --- | --- |"]
    for name, field in model.model_fields.items():
        if name == "source":
            continue
        sentence = " ".join((field.description or "").split()).replace("|", r"\|")
        lines.append(
            f"| `{name}` | {_words(field)} | {_default(model, name, field)} | {sentence} |"
        )
    return "\n".join(lines)


def _title(model: type[BaseModel]) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__)
    return words[0] + words[1:].lower()


def _link(model: type[BaseModel]) -> str:
    title = _title(model).lower()
    return f"[{title}](#{title.replace(' ', '-')})"


def _default(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    """The default as a file would have it."""
    if field.is_required():
        return "**needed**"
    value = field.default
    if value is None:
        return "none"
    if isinstance(value, BaseModel):
        return "the defaults below"
    written = model.model_construct(**{name: value}).model_dump(mode="json", include={name})[name]
    if written in ("", [], {}):
        return "none"
    return f"`{json.dumps(written) if isinstance(written, bool) else written}`"


def _words(field: FieldInfo) -> str:
    """What to write into a field."""
    models = models_in(field.annotation)
    links = " or ".join(_link(model) for model in models)
    kinds = (field.annotation, *get_args(field.annotation))
    for key, value in (get_args(kind) for kind in kinds if get_origin(kind) is dict):
        words = links or _schema_words(TypeAdapter(value).json_schema())
        return f"{'lengths of time' if key == Lead else 'names'}, each with {words}"
    if models:
        return links
    schema = _field_schema(field)
    return _schema_words(schema)


def _field_schema(field: FieldInfo) -> dict[str, Any]:
    annotation: Any = field.annotation
    for extra in field.metadata:
        annotation = Annotated[annotation, extra]
    return TypeAdapter(annotation).json_schema()


def _schema_words(schema: dict[str, Any]) -> str:
    """Put a small JSON schema into words."""
    if "examples" in schema:
        what = f"{schema['title']}, such as " if "title" in schema else ""
        return f"{what}`{schema['examples'][0]}`"
    if "enum" in schema or "const" in schema:
        choices = schema.get("enum", [schema.get("const")])
        return ", ".join(f"`{choice}`" for choice in choices)
    if "anyOf" in schema:
        kinds = [kind for kind in schema["anyOf"] if kind.get("type") != "null"]
        return " or ".join(dict.fromkeys(_schema_words(kind) for kind in kinds))
    if schema.get("type") == "array":
        return f"a list, each {_schema_words(schema['items'])}"
    if schema.get("pattern", "").startswith("^[A-Za-z]"):
        return "a name"
    words = {
        "integer": "a whole number",
        "number": "a number",
        "boolean": "`true` or `false`",
        "string": "text",
        "object": 'weekdays with spans: `{mon-fri: "08:00-18:00"}`',
    }[schema["type"]]
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    return words if low is None or high is None else f"{words}, {low:,} to {high:,}"


def _grammar() -> str:
    return "\n".join(f"- `{sentence}`" for sentence in re.findall(r"'([^']*)'", GRAMMAR)[:4])


def _series() -> str:
    """The text of the module that reads them, without its first line."""
    assert series_text is not None
    return series_text.partition("\n")[2].strip().replace("``", "`")


_HEAD = """
# The scenario file

<!-- Made by ccsim.scenario.reference from the models; a test holds it current. Edit those. -->

One YAML file says what is given: what customers want, who can answer, what was promised, what it
costs. `ccsim check FILE` finds everything that is wrong with it, with line and fix;
`ccsim show FILE` prints it with every default. A complete one:

```yaml
{template}
```

**How values are written.** A length of time has its unit (`90 s`, `30 min`, `8 h 30 min`), a share
its per cent sign (`80%`), a price its currency (`21.50 USD`), a rate both units (`200 calls/h`). A
bare number where a unit belongs is an error. Clock times are local: `07:30`, up to `24:00`.

**Names** (of contact types, agent groups, shifts, breaks, rate cards, variants) are yours: a
letter, then letters, digits or `_`. A field that is not on this page is an error, and so is a key
written twice. A field with nothing behind it has its default. Every part may say where its numbers
come from, in a field `source`.

**`variants:`** holds a manager's options by name. Each is a partial scenario laid on top: mappings
are merged key by key, `null` takes something away, everything else replaces
([RFC 7396](https://doi.org/10.17487/RFC7396)); `description:` says what it is. A distribution or
price of another kind needs the old kind taken away with `null`.

**`extends: base.yaml`** at the top lays the whole file on top of another, in the same folder or
below, by the same rule.

**Limits.** A file has at most 128 KiB; long series lie in CSV or Excel files beside it. Tags, `<<`
and several documents in one file are not used.

**Completion in an editor.** Put this first:
`# yaml-language-server: $schema=../docs/scenario.schema.json`
"""

_TAIL = """
## The target sentence

{grammar}

The window is `over each day` (one target for each calendar day), `over the week` (a horizon of
seven days) or `over the horizon`. A target is kept *on average* over days like this one, unless the
sentence goes on with `, on at least 90% of days` after `over each day`.

## Series in files

{series}

CSV may be separated by comma, semicolon or tab, in UTF-8 or Windows-1252; decimals may have a comma
where cells are not separated by one. Of an Excel file the first sheet is read. A distribution table
has the columns `cumulative,seconds`, rising from 0 to 1, or for patience `seconds,still_waiting`,
falling from 1 at 0 seconds. Files lie in the scenario's folder or below, and have at most 20 MiB.
"""
