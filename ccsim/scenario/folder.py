"""Files beside a scenario: found in its folder or below, read up to a limit, never elsewhere."""

from __future__ import annotations

from pathlib import Path

from ccsim.scenario.problems import did_you_mean
from ccsim.scenario.yaml_reader import Place, refuse


def beside(path: Path) -> list[str]:
    """Names of what lies in the same folder."""
    try:
        return sorted(entry.name for entry in path.parent.iterdir())
    except (OSError, ValueError):
        return []


def inside(folder: Path, base: Path, name: str, place: Place, field: str) -> Path:
    """The file that a scenario names, refused where it leads out of the folder, links followed.

    Parameters
    ----------
    folder : Path
        The scenario's folder, which is not left.
    base : Path
        The folder that the name is relative to.
    name : str
        As the scenario writes it.
    place, field
        Where, for the error text.
    """
    target = base / name
    try:
        stays = target.resolve().is_relative_to(folder.resolve()) and not Path(name).is_absolute()
    except (OSError, ValueError, RuntimeError):
        stays = False
    if not stays:
        message = f"{name!r} lies outside the scenario's folder; put it beside the scenario"
        refuse(place, message, field)
    try:
        found = target.is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        refuse(place, f"no file {name!r}{did_you_mean(target.name, beside(target))}", field)
    return target


def read_up_to(path: Path, limit: int, place: Place, field: str = "") -> bytes:
    """The content of an ordinary file, at most one byte more than the limit."""
    try:
        if not path.is_file():
            what = "is a folder, not a file" if path.is_dir() else "no such file"
            refuse(place, f"{what}{did_you_mean(path.name, beside(path))}", field)
        with path.open("rb") as file:
            return file.read(limit + 1)
    except (OSError, ValueError) as error:
        refuse(place, f"cannot be read: {error}", field)
