"""What a user installs: the wheel, looked into and used from elsewhere; and what CI installs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ccsim.scenario import shipped_scenarios

ROOT = Path(__file__).parents[1]
LIST_SCENARIOS = """
import sys
sys.path.insert(0, {folder!r})
import ccsim
from ccsim.scenario import read_case, shipped_scenarios
for name, path in shipped_scenarios().items():
    read_case(path)
    print(name, path)
print(ccsim.__file__)
"""


def call(*command: str | Path, cwd: Path) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built by what is installed here: no network is asked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    call(sys.executable, "-m", "pip", *build, cwd=folder)
    (built,) = folder.glob("ccsim-*.whl")
    return built


def scenario_files() -> dict[str, bytes]:
    """Every file under ``scenarios/`` by its name there."""
    folder = ROOT / "scenarios"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_wheel_is_pure_and_carries_the_scenarios(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        prefix = "ccsim/_scenarios/"
        inside = [name for name in names if name.startswith(prefix)]
        carried = {name.removeprefix(prefix): archive.read(name) for name in inside}
    assert carried == scenario_files()
    assert any(name.endswith(".yaml") for name in carried)
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ccsim").rglob("*.py")}
    assert modules | {"ccsim/py.typed"} <= set(names)
    elsewhere = [name for name in names if not name.startswith(("ccsim/", "ccsim-"))]
    assert not elsewhere, f"would be installed beside the package: {elsewhere}"


def test_shipped_scenarios_are_read_from_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    folder = tmp_path / "installed"
    install = ("install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel)
    call(sys.executable, "-m", "pip", *install, cwd=tmp_path)
    code = LIST_SCENARIOS.format(folder=str(folder))
    *rows, package = call(sys.executable, "-I", "-c", code, cwd=tmp_path).splitlines()
    assert Path(package).is_relative_to(folder)
    found = dict(row.split(" ", 1) for row in rows)
    assert set(found) == {path.stem for path in (ROOT / "scenarios").glob("*.yaml")}
    assert all(Path(path).is_relative_to(folder) for path in found.values())


def test_shipped_scenarios_are_those_of_the_checkout() -> None:
    found = {name: path.read_bytes() for name, path in shipped_scenarios().items()}
    assert found == {path.stem: path.read_bytes() for path in (ROOT / "scenarios").glob("*.yaml")}


def test_the_command_exists() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["ccsim"].partition(":")
    source = (ROOT / Path(*module.split("."))).with_suffix(".py").read_text(encoding="utf-8")
    assert re.search(rf"^def {function}\(|^{function} = ", source, flags=re.MULTILINE)


def pins() -> dict[str, list[Requirement]]:
    """The pinned requirements by name; some have one for each range of Python versions."""
    text = (ROOT / "requirements" / "ci.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, list[Requirement]] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            assert " --hash=sha256:" in line, f"no hash: {line[:60]}"
            pin = Requirement(line.split(" --hash")[0].strip())
            found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


def test_ci_pins_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = pins()
    for text in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        wanted = Requirement(text)
        versions = [
            specifier.version
            for pin in pinned.get(canonicalize_name(wanted.name), [])
            for specifier in pin.specifier
        ]
        assert versions, f"{wanted.name} has no pin: make pins"
        assert all(wanted.specifier.contains(version) for version in versions), (text, versions)


def test_pins_hold_no_address() -> None:
    text = (ROOT / "requirements" / "ci.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)", text, flags=re.MULTILINE)


def test_the_readme_has_one_test_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^python3 -m venv \.venv && .*$", readme, flags=re.MULTILINE)
    assert len(lines) == 2
    assert [line.endswith("/pytest") for line in lines] == [False, True]
