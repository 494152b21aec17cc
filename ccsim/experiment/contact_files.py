"""Every contact of a simulation as Parquet files, for whoever wants to look for herself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ccsim.demand.draw import BLOCK, draw_replications
from ccsim.demand.model import compile_demand
from ccsim.errors import CcsimError
from ccsim.experiment.replicate import Progress, whole_blocks
from ccsim.plans.plan import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.simulation.engine import Engine, chosen, run
from ccsim.simulation.log import Outcome
from ccsim.simulation.model import Model, compile_model

if TYPE_CHECKING:
    from ccsim.simulation.log import ContactLog

_COPY = """
COPY (
  SELECT
    replication, contact_types.name AS contact_type, origins.name AS origin, interval, ordinal,
    attempt,
    make_timestamp({start} + arrival) AS arrival_utc, arrival / 1e6 AS arrival_s,
    outcomes.name AS outcome, wait / 1e6 AS wait_s, handle_time / 1e6 AS handle_s,
    agent_groups.name AS agent_group, agent, taken / 1e6 AS taken_s, last, unresolved, called_back,
    transferred, again, cut
  FROM contacts
    JOIN contact_types USING (contact_type)
    JOIN origins USING (origin)
    JOIN outcomes USING (outcome)
    LEFT JOIN agent_groups USING (agent_group)
  ORDER BY replication, arrival, place
) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""


def write_contacts(
    case: Case,
    plan: StaffingPlan,
    folder: Path,
    *,
    seed: int,
    replications: int,
    engine: Engine = "auto",
    progress: Progress | None = None,
) -> list[Path]:
    """Play replications and write each contact, one file for each block.

    Parameters
    ----------
    case, plan, seed, replications, engine, progress
        As for `ccsim.experiment.replicate`, whose contacts they are.
    folder : Path
        A new one; it appears when all is written. A request is named by replication, origin,
        interval and ordinal; `again` adds 1 where the contact follows one without an answer, 2
        where an agent was met before, 4 where one passed it on. Who rang or dialled in vain is the
        agent of a contact that is not answered; `taken_s` is from when on.

    Raises
    ------
    CcsimError
        If it exists or cannot be written.
    """
    import tempfile

    import duckdb

    if folder.exists():
        raise CcsimError(f"{folder} exists and is not overwritten; give --log another folder")
    total = whole_blocks(replications)
    demand = compile_demand(case)
    engine = chosen(engine, demand.contacts * total)
    model = compile_model(case, demand, plan)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            unfinished = Path(scratch) / "contacts"
            unfinished.mkdir()
            for first in range(0, total, BLOCK):
                members = range(first, first + BLOCK)
                draws = draw_replications(demand, seed, members, compiled=engine == "compiled")
                logs = [(draw.replication, run(model, draw, engine)) for draw in draws]
                _write(case, model, logs, unfinished / f"contacts-{first:09d}.parquet")
                if progress is not None:
                    progress(first + BLOCK, total)
            unfinished.replace(folder)
    except (OSError, duckdb.IOException) as error:
        reason = getattr(error, "strerror", None) or "the disk is full, or failed"
        raise CcsimError(
            f"{folder} cannot be written: {reason}; nothing of it is left. Make room or name "
            "another folder"
        ) from error
    except RuntimeError as error:
        if "interrupted" in str(error):  # what DuckDB makes of Ctrl-C
            raise KeyboardInterrupt from error
        raise
    return sorted(folder.iterdir())


def _write(case: Case, model: Model, logs: list[tuple[int, ContactLog]], path: Path) -> None:
    import duckdb
    import pandas as pd

    def column(name: str) -> Any:
        return np.concatenate([getattr(log, name) for _, log in logs])

    answered = column("outcome") == Outcome.ANSWERED
    agent = column("agent")
    tables: dict[str, dict[str, Any]] = {
        "contacts": {
            "replication": np.repeat(
                [number for number, _ in logs], [len(log.arrival) for _, log in logs]
            ),
            "place": np.arange(len(agent)),
            **{
                name: column(name)
                for name in (
                    "contact_type", "origin", "interval", "ordinal", "attempt", "arrival",
                    "outcome", "wait", "taken", "last", "unresolved", "called_back", "transferred",
                    "again", "cut",
                )
            },
            "handle_time": np.ma.masked_array(column("ended") - column("left_queue"), ~answered),
            "agent": np.ma.masked_array(agent, agent < 0),
            "agent_group": np.where(agent >= 0, model.agent_group[agent], -1)
            if len(model.agent_group)
            else np.full(len(agent), -1),
        },
        "contact_types": _names("contact_type", model.contact_types),
        "origins": _names("origin", model.contact_types),
        "outcomes": _names("outcome", [outcome.name.lower() for outcome in Outcome]),
        "agent_groups": _names("agent_group", model.groups),
    }  # fmt: skip
    start = pd.Timestamp(case.grid.start_utc).value // 1000
    with duckdb.connect(":memory:") as connection:
        for name, columns in tables.items():
            connection.register(name, columns)
        text = str(path).replace("'", "''")
        connection.execute(_COPY.format(start=start, path=text))


def _names(key: str, names: Any) -> dict[str, Any]:
    return {key: np.arange(len(names)), "name": np.array(names, dtype=object)}
