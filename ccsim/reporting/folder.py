"""A results folder: written beside its place and moved there whole, or not at all.

Everything in it is the same for the same result, but `run.json`: there stands what may differ from
run to run (when, how long, by how many processes). From `scenario/` and `provenance.json` the
result can be run again.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccsim.errors import CcsimError
from ccsim.plans import write_plan_csv, write_plan_excel
from ccsim.reporting.html import report_html
from ccsim.reporting.provenance import SCENARIO_FILE, SCHEMA, cases, provenance, variant_folders
from ccsim.results import Comparison, PlanResult, Simulation
from ccsim.scenario import Case, resolved_yaml

if TYPE_CHECKING:
    import pandas as pd

RUN_FILE = "run.json"
"""The only file that may differ between two runs of the same thing."""
SHEETS = ("promises", "contact_types", "days", "cost")
"""Tables that the Excel file has besides the schedule."""


def write_results(
    result: PlanResult | Simulation | Comparison,
    folder: Path | str,
    *,
    overwrite: bool = False,
    run_info: Mapping[str, Any],
) -> Path:
    """Write report, schedule, tables, scenario and provenance into a new folder.

    Parameters
    ----------
    result : PlanResult, Simulation or Comparison
        What a verb of `ccsim.study` came to.
    folder : Path or str
        Where to; folders above it are made.
    overwrite : bool
        Whether an earlier results folder of ccsim may be replaced, whole. Anything else that
        stands there is never touched.
    run_info : mapping
        What may differ between runs, for `run.json`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    CcsimError
        If something stands there already, or the disk cannot take it. Nothing is left behind.
    """
    folder = Path(folder)
    refuse_folder(folder, overwrite=overwrite)
    partial = _beside(folder, "partial")
    try:
        partial.mkdir(parents=True)
        _write(result, partial, run_info)
        _move(partial, folder)
    except OSError as error:
        why = error.strerror or str(error)
        raise CcsimError(
            f"{folder}: the results cannot be written: {why}; nothing was left behind. "
            "Make room or name another folder"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def refuse_folder(folder: Path | str, *, overwrite: bool = False) -> None:
    """Refuse a folder that results must not be written to; worth asking before a long run.

    Raises
    ------
    CcsimError
        If it exists and may not be replaced, or is no results folder of ccsim.
    """
    folder = Path(folder)
    if not os.path.lexists(folder):
        return
    if not overwrite:
        raise CcsimError(
            f"{folder} exists already; name another folder, or say that it may be overwritten"
        )
    if folder.is_symlink() or not _is_ours(folder):
        raise CcsimError(
            f"{folder} is not a results folder of ccsim (it has no provenance.json of ours), so it "
            "is not overwritten; name another folder"
        )


def csv_text(frame: pd.DataFrame) -> str:
    """A table as CSV: every digit of a number, text that looks like a formula marked as text.

    Examples
    --------
    >>> import pandas as pd
    >>> print(csv_text(pd.DataFrame({"name": ["=1+1"], "share": [0.1], "limit": [None]})), end="")
    name,share,limit
    '=1+1,0.1,
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_csv_cell(name) for name in frame.columns])
    for row in frame.itertuples(index=False, name=None):
        writer.writerow([_csv_cell(cell) for cell in row])
    return text.getvalue()


def _csv_cell(cell: Any) -> str:
    if cell is None or cell != cell:  # noqa: PLR0124 - a number that is none
        return ""
    if isinstance(cell, str):
        # A spreadsheet would take such a text for a formula and run it.
        return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
    return repr(float(cell)) if isinstance(cell, float) else str(cell)


def _write(
    result: PlanResult | Simulation | Comparison, folder: Path, run_info: Mapping[str, Any]
) -> None:
    tables = result.tables
    (folder / "tables").mkdir()
    for name, frame in tables.items():
        _put(folder / "tables" / f"{name}.csv", csv_text(frame))
    if isinstance(result, Comparison):
        for one, below in zip(result.simulations, variant_folders(result), strict=True):
            (folder / below).mkdir(parents=True)
            _write_case(one, folder / below, one.tables)
    else:
        _write_case(result, folder, tables)
    _put(folder / "report.html", report_html(result))
    _put(folder / "provenance.json", _json({**provenance(result), **_reruns(result, folder)}))
    _put(folder / RUN_FILE, _json(dict(run_info)))


def _write_case(
    result: PlanResult | Simulation, folder: Path, tables: Mapping[str, pd.DataFrame]
) -> None:
    """The schedule as CSV and Excel, and the scenario with every file that it names."""
    write_plan_csv(result.plan, result.case, folder)
    sheets = {name: tables[name] for name in SHEETS}
    write_plan_excel(result.plan, result.case, folder / "schedule.xlsx", extra_sheets=sheets)
    case, home = result.case, folder / Path(SCENARIO_FILE).parent
    home.mkdir()
    text = resolved_yaml(case)
    if case.variant:
        # Worked in already; the name is kept so that the same command finds it.
        text += f"variants:\n  {json.dumps(case.variant)}: {{}}\n"
    _put(folder / SCENARIO_FILE, text)
    for name, data in case.files.items():
        place = home / name
        if not place.resolve().is_relative_to(home.resolve()):
            raise CcsimError(f"the scenario names {name!r}, which lies outside its folder")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def _reruns(result: PlanResult | Simulation | Comparison, folder: Path) -> dict[str, Any]:
    """Whether the scenario as written is the one that was run: one made in Python may not be."""
    below = variant_folders(result) if isinstance(result, Comparison) else ("",)
    same = all(
        _same(case, folder / place) for case, place in zip(cases(result), below, strict=True)
    )
    return {"reruns_from_file": same}


def _same(case: Case, folder: Path) -> bool:
    from ccsim.errors import ScenarioError
    from ccsim.scenario import read_case

    try:
        return read_case(folder / SCENARIO_FILE, case.variant).fingerprint == case.fingerprint
    except ScenarioError:
        return False


def _move(partial: Path, folder: Path) -> None:
    """Put the new folder into place; an old one is taken away only once the new one stands."""
    if not folder.exists():
        partial.rename(folder)
        return
    old = _beside(folder, "old")
    folder.rename(old)
    try:
        partial.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    try:
        found = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("schema") == SCHEMA


def _beside(folder: Path, what: str) -> Path:
    return folder.parent / f".{folder.name}.{what}-{os.getpid()}"


def _put(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
