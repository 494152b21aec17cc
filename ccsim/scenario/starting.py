"""A scenario to start from, written to a place of the user's: never over something of hers."""

from __future__ import annotations

from pathlib import Path

from ccsim.errors import CcsimError
from ccsim.scenario.problems import did_you_mean
from ccsim.scenario.reader import read_all
from ccsim.scenario.templates import TEMPLATE, shipped_scenarios

TEMPLATE_NAME = "template"
"""The scenario that is written when no name is given."""
_EDITOR_LINE = b"# yaml-language-server:"


def write_new(name: str | None = None, out: Path | None = None) -> tuple[Path, ...]:
    """Write a shipped scenario, or the template, with the data files it needs.

    Parameters
    ----------
    name : str, optional
        One of `shipped_scenarios`; the commented template if not given.
    out : Path, optional
        The scenario file to write; ``NAME.yaml`` here if not given. Data files go beside it.

    Returns
    -------
    tuple of Path
        What was written, the scenario first; a data file that was there with the very same bytes
        is left alone.

    Raises
    ------
    CcsimError
        If the name is not known, or a file would be overwritten.
    """
    shipped = shipped_scenarios()
    chosen = name or TEMPLATE_NAME
    if chosen != TEMPLATE_NAME and chosen not in shipped:
        known = [TEMPLATE_NAME, *shipped]
        hint = did_you_mean(chosen, known) or f"; there are {', '.join(known)}"
        raise CcsimError(f"no scenario {chosen!r} comes with ccsim{hint}")
    target = out or Path(f"{chosen}.yaml")
    content = {target: TEMPLATE.encode()}
    if chosen != TEMPLATE_NAME:
        lines = shipped[chosen].read_bytes().splitlines(keepends=True)
        # The line tells an editor where the checkout keeps the schema; elsewhere it points nowhere.
        content[target] = b"".join(line for line in lines if not line.startswith(_EDITOR_LINE))
        for case in read_all(shipped[chosen]):
            content |= {target.parent / file: read for file, read in case.files.items()}
    _write_all(content, target)
    return tuple(content)


def _write_all(content: dict[Path, bytes], target: Path) -> None:
    there = [path for path in content if path.is_symlink() or path.exists()]
    changed = [path for path in there if not path.is_file() or path.read_bytes() != content[path]]
    if target in there or changed:
        names = ", ".join(
            str(path) for path in dict.fromkeys([*([target] * (target in there)), *changed])
        )
        raise CcsimError(f"{names} exists and is not overwritten; give another --out")
    for path, read in content.items():
        if path not in there:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(read)
