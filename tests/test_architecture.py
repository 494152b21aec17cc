"""The rules of the house, read from the source: who imports whom, and what may stand in a file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ccsim"

ROOMS = (
    "errors",
    "queueing",
    "statistics",
    "scenario",
    "plans",
    "demand",
    "simulation",
    "performance",
    "economics",
    "experiment",
    "staffing",
    "verification",
    "calibration",
    "results",
    "study",
    "plots",
    "reporting",
    "cli",
)
"""From given to paid, then what is made of it: a room imports only from rooms above it."""

HOMES = {
    "click": "cli/*.py",
    "distributed": "experiment/*.py",
    "highspy": "staffing/highs.py",
    "jinja2": "reporting/*.py",
    "joblib": "experiment/*.py",
    "matplotlib": "plots.py",
    "numba": "*_compiled.py",
    "pint": "scenario/units.py",
    "pulp": "staffing/*.py",
    "pydantic": "scenario/*.py",
    "ruamel": "scenario/yaml_reader.py",
    "simpy": "simulation/reference.py",
}
"""Where a heavy dependency may be imported."""

ONE_FILE = (
    "distributed",
    "highspy",
    "jinja2",
    "joblib",
    "matplotlib",
    "pint",
    "pulp",
    "ruamel",
    "simpy",
)
"""Dependencies that one file alone imports, so that one file is changed when they go."""

HEAVY = (
    "distributed",
    "highspy",
    "joblib",
    "matplotlib",
    "numba",
    "pandas",
    "pint",
    "pulp",
    "scipy.optimize",
    "scipy.stats",
    "xlsxwriter",
)
"""What no import of ours may pull in: each is imported inside the function that uses it."""

MOST_LINES = 500
# numpy, scipy.special, pydantic, ruamel and simpy are some 600; pandas alone adds 700.
MOST_MODULES = 900
IMPORT_NAMES = {"ruamel.yaml": "ruamel", "pydantic": "pydantic pydantic_core"}


def sources() -> list[Path]:
    """Every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def room_of(name: str) -> str:
    """The room of a dotted name or of a path below the package."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def dotted(path: Path) -> str:
    """``ccsim.queueing.erlang_c`` of a file; of a package's ``__init__`` the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, wherever it stands; relative ones begin with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            # `from ccsim import plots` is an import of the room, not of the public face.
            yield from (
                (node.lineno, f"{module}.{alias.name}" if module == "ccsim" else module)
                for alias in node.names
            )


def parsed() -> list[tuple[Path, ast.Module]]:
    """Every module with its syntax tree."""
    return [(path, ast.parse(path.read_text(encoding="utf-8"), path)) for path in sources()]


def at(path: Path, line: int) -> str:
    """A place as an editor opens it."""
    return f"{path.relative_to(ROOT)}:{line}"


def test_every_file_belongs_to_a_room() -> None:
    top = {dotted(path) for path in sources()} - {"ccsim", "ccsim.__main__"}
    unknown = sorted(name for name in top if room_of(name) not in ROOMS)
    assert not unknown, f"no room of the design: {unknown}"


def test_rooms_import_only_from_rooms_above() -> None:
    wrong = []
    for path, tree in parsed():
        if dotted(path) in {"ccsim", "ccsim.__main__"}:
            continue
        own = room_of(dotted(path))
        above = ("__version__", *ROOMS[: ROOMS.index(own)])
        for line, name in imports(tree):
            if name.startswith("."):
                wrong.append(f"{at(path, line)}: relative import {name}")
            elif name.split(".")[0] == "ccsim" and room_of(name) not in {
                own,
                *above,
                "__version__",
            }:
                wrong.append(f"{at(path, line)}: {own} imports {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ["errors", "queueing"])
def test_pure_rooms_know_no_type_of_ours(room: str) -> None:
    foreign = [
        f"{at(path, line)}: {name}"
        for path, tree in parsed()
        if room_of(dotted(path)) == room
        for line, name in imports(tree)
        if name.split(".")[0] == "ccsim" and room_of(name) != room
    ]
    assert not foreign, "\n".join(foreign)


def test_heavy_dependencies_stay_in_their_homes() -> None:
    wrong, files = [], {name: set[str]() for name in HOMES}
    for path, tree in parsed():
        place = path.relative_to(PACKAGE).as_posix()
        for line, name in imports(tree):
            package = name.split(".")[0]
            if package in HOMES:
                files[package].add(place)
                if not fnmatch(place, HOMES[package]):
                    wrong.append(f"{at(path, line)}: {package} belongs into {HOMES[package]}")
    wrong += [
        f"{package} is imported by several files: {sorted(files[package])}"
        for package in ONE_FILE
        if len(files[package]) > 1
    ]
    assert not wrong, "\n".join(wrong)


def test_what_is_imported_is_declared() -> None:
    declared = set(sys.stdlib_module_names) | {"ccsim"}
    extras = project()["optional-dependencies"]
    users = [name for extra in set(extras) - {"dev"} for name in extras[extra]]
    for requirement in [*project()["dependencies"], *users]:
        name = requirement_name(requirement)
        declared |= set(IMPORT_NAMES.get(name, name.replace("-", "_")).split())
    undeclared = [
        f"{at(path, line)}: {name} is not among the dependencies of pyproject.toml"
        for path, tree in parsed()
        for line, name in imports(tree)
        if name.split(".")[0] not in declared
    ]
    assert not undeclared, "\n".join(undeclared)


def modules_after(statement: str) -> set[str]:
    """Names of the modules in a fresh interpreter after a statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def faces() -> list[str]:
    """What a user imports: the package, every room, and the command."""
    rooms = [f"ccsim.{room}" for room in ROOMS if any(PACKAGE.glob(f"{room}/__init__.py"))]
    files = [f"ccsim.{room}" for room in ROOMS if (PACKAGE / f"{room}.py").exists()]
    command = ["ccsim.cli.main"] if (PACKAGE / "cli" / "main.py").exists() else []
    # Drawing is what plots.py is for; whoever imports it wants matplotlib.
    return ["ccsim", *(name for name in [*rooms, *files, *command] if name != "ccsim.plots")]


@pytest.mark.parametrize("face", faces())
def test_nothing_heavy_happens_at_import(face: str) -> None:
    modules = modules_after(f"import {face}")
    assert not modules & set(HEAVY), f"import {face} pulls in {sorted(modules & set(HEAVY))}"
    assert len(modules) <= MOST_MODULES, f"import {face} loads {len(modules)} modules"


def test_nothing_is_done_at_import() -> None:
    """At module level stand definitions, not actions: no loop, no file, no bare call."""
    allowed = (
        ast.Import,
        ast.ImportFrom,
        ast.FunctionDef,
        ast.ClassDef,
        ast.Assign,
        ast.AnnAssign,
        ast.If,
        ast.TypeAlias if sys.version_info >= (3, 12) else ast.Assign,
    )
    wrong = []
    for path, tree in parsed():
        for node in tree.body:
            is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            is_guard = not isinstance(node, ast.If) or ast.unparse(node.test) in {
                "TYPE_CHECKING",
                "__name__ == '__main__'",
            }
            if not (is_text or (isinstance(node, allowed) and is_guard)):
                wrong.append(f"{at(path, node.lineno)}: {ast.unparse(node)[:60]}")
            opened = {c.func.id for c in calls(node) if isinstance(c.func, ast.Name)}
            if opened & {"open", "print", "input", "exec", "eval"}:
                wrong.append(f"{at(path, node.lineno)}: {sorted(opened)} at import")
    assert not wrong, "\n".join(wrong)


def calls(node: ast.stmt) -> Iterator[ast.Call]:
    """The calls that run when a module-level statement runs."""
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr) and node.value is not None:
        yield from (part for part in ast.walk(node.value) if isinstance(part, ast.Call))


def names_in_all(tree: ast.Module) -> list[str] | None:
    """The names of ``__all__``, or None."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def test_public_names_are_sorted_and_complete() -> None:
    wrong = []
    for path, tree in parsed():
        public = names_in_all(tree)
        if public is not None:
            # Constants, then types, then functions, as the linter sorts them.
            ordered = sorted(public, key=lambda name: (not name.isupper(), name[0].islower(), name))
            if public != ordered or len(set(public)) < len(public):
                wrong.append(f"{at(path, 1)}: __all__ should be {ordered}")
        if path.name == "__init__.py":
            offered = {
                alias.asname or alias.name
                for node in tree.body
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ccsim")
                for alias in node.names
            }
            missing = offered - set(public or [])
            if missing:
                wrong.append(f"{at(path, 1)}: imported and not in __all__: {sorted(missing)}")
    assert not wrong, "\n".join(wrong)


def test_no_file_holds_two_stories() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    long = [f"{at(path, 1)}: {n} lines" for path, n in lengths.items() if n > MOST_LINES]
    assert not long, "\n".join(long)


def undocumented(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of everything public without a docstring."""
    if ast.get_docstring(tree) is None:
        yield 1, "the module"
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    todo: list[ast.Module | ast.ClassDef] = [tree]
    for scope in todo:
        for node in scope.body:
            if isinstance(node, definitions) and not node.name.startswith("_"):
                if ast.get_docstring(node) is None:
                    yield node.lineno, node.name
                if isinstance(node, ast.ClassDef):
                    todo.append(node)


def test_public_things_have_docstrings() -> None:
    bare = [f"{at(path, n)}: {name}" for path, tree in parsed() for n, name in undocumented(tree)]
    assert not bare, "\n".join(bare)


def project() -> dict[str, list[str]]:
    """The ``[project]`` table."""
    table: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def requirement_name(requirement: str) -> str:
    """The distribution's name in a requirement."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return match.group()


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = tomllib.loads(text)["project"].get("optional-dependencies", {})
    wanted = [*project()["dependencies"], *(name for extra in extras.values() for name in extra)]
    explained = dict(re.findall(r'^\s*"([^"]+)",\s*#\s*(\S.*)$', text, flags=re.MULTILINE))
    assert not [name for name in wanted if len(explained.get(name, "").split()) < 1]


def files_of_the_project() -> list[Path]:
    """What is committed or would be: by git in a checkout, else everything that is not built."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
        return [path for path in paths if path.is_file()]
    built = ("__pycache__", "*.egg-info", "build", "dist")
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and path.relative_to(ROOT).parts[0] != "results"
        and not any(
            (part.startswith(".") and part not in {".ci", ".gitignore"})
            or any(fnmatch(part, pattern) for pattern in built)
            for part in path.relative_to(ROOT).parts
        )
    ]


def test_no_file_names_a_machine_or_a_registry() -> None:
    # Written so that this file does not name them either.
    folders = "|".join(["work", "root", "tmp", "home", "Users", "farm"])
    hosts = "|".join(["py" + "pi", "python" + "hosted", "ana" + "conda", "npm" + "js"])
    options = "|".join(["index" + "[-_]url", "find" + "-links", "/sim" + "ple/"])
    forbidden = re.compile(
        rf"(?<![\w.~-])/(?:{folders})/|\b[\w.-]*(?:{hosts})\.(?:org|com|io)\b|{options}"
    )
    found, read = [], 0
    for path in files_of_the_project():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # Spreadsheets and the like.
        read += 1
        found += [
            f"{at(path, number)}: {line.strip()[:80]}"
            for number, line in enumerate(lines, 1)
            if forbidden.search(line)
        ]
    assert not found, "\n".join(found)
    assert read > len(sources()), "the list of files is shorter than the package"


def test_the_order_is_written_as_it_is_run() -> None:
    from ccsim.simulation.reference import Rank

    text = (ROOT / "docs" / "order.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", text, flags=re.MULTILINE)
    assert rows == [(str(rank.value), rank.name) for rank in Rank]


def test_the_nomenclature_names_what_is_counted() -> None:
    from ccsim.performance.tally import CONTACT_MEASURES, GROUP_MEASURES
    from ccsim.queueing import SERVICE_LEVEL_FORMULAS
    from ccsim.simulation.log import Outcome

    text = (ROOT / "docs" / "nomenclature.md").read_text(encoding="utf-8")
    words = [
        *SERVICE_LEVEL_FORMULAS,
        *CONTACT_MEASURES,
        *GROUP_MEASURES,
        *(outcome.name for outcome in Outcome),
    ]
    assert not [word for word in words if f"`{word}`" not in text]
