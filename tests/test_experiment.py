"""Precision, checkpoints, machines, logs and stories: the same numbers whatever was in between."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ccsim import study
from ccsim.demand.draw import draw_replication
from ccsim.demand.model import compile_demand
from ccsim.errors import CcsimError
from ccsim.experiment import Precision, new_checkpoint, old_checkpoint, replicate
from ccsim.experiment.precision import FIRST_LOOK, MOST_BLOCKS
from ccsim.performance.promises import parts, promises
from ccsim.performance.sample import Sample
from ccsim.performance.tally import measuring_rules
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import Case, case_from
from ccsim.simulation.engine import run
from ccsim.simulation.log import Outcome
from ccsim.simulation.model import compile_model
from ccsim.statistics import ratio
from tests.oracles import scenario_of
from tests.samples import unequal

BLOCK = 8


def centre(**more: Any) -> tuple[Case, StaffingPlan]:
    """Two hours of 30 calls an hour, some of whom call again, on three agents."""
    call = {
        "open": {"all": "08:00-10:00"},
        "demand": {"rate": "30 calls/h"},
        "talk_time": {"exponential": {"mean": "4 min"}},
        "patience": {"exponential": {"mean": "2 min"}},
        "redial": {"probability": "50%", "delay": "5 min", "at_most": 2},
        "targets": ["80% answered within 20 s, over each day", "at most 9% lost, over the horizon"],
    }
    case = case_from(scenario_of({"call": {**call, **more}}, {"desk": {"call": 1}}))
    is_open = case.grid.opening(case.scenario.contact_types["call"].open)
    return case, StaffingPlan((), {"desk": tuple((3 * is_open).tolist())})


# Precision.


def widest(case: Case, sample: Sample) -> float:
    rules = measuring_rules(case.scenario)
    widths = []
    for promise in promises(case.scenario, case.grid):
        over, under = parts(promise, sample, case.scenario, rules)
        widths.append(ratio(sample.blocks(over), sample.blocks(under)).half_width)
    return 100 * max(widths)


@pytest.mark.parametrize("points", [8.0, 1.5, 0.9])
def test_a_precision_is_reached_and_no_sooner_than_needed(points: float) -> None:
    case, plan = centre()
    given = {"seed": 1, "block_size": BLOCK}
    (sample,) = replicate(case, [plan], replications=Precision(points), **given)
    blocks = sample.intervals.blocks
    assert widest(case, sample) <= points
    (fixed,) = replicate(case, [plan], replications=blocks * BLOCK, **given)
    assert not unequal(sample, fixed)
    if points > 5:
        assert blocks == FIRST_LOOK
    else:
        # Widths fall like 1 / √blocks: a tenth more is asked for, and a look may be one too many.
        assert widest(case, sample) > points / math.sqrt(1.1 * 1.5)


def test_every_plan_is_known_to_the_precision() -> None:
    case, plan = centre()
    fewer = StaffingPlan((), {"desk": tuple(n - (n > 0) for n in plan.by_interval["desk"])})
    samples = replicate(
        case, [plan, fewer], seed=1, replications=Precision(1.5), block_size=BLOCK, workers=2
    )
    assert samples[0].replications == samples[1].replications
    assert max(widest(case, sample) for sample in samples) <= 1.5


def test_a_precision_that_would_take_for_ever_ends() -> None:
    assert MOST_BLOCKS < 100_000
    with pytest.raises(CcsimError, match="a precision is above 0 and below 100 points, not 0"):
        Precision(0)
    with pytest.raises(CcsimError, match="not nan"):
        Precision(math.nan)
    case, plan = centre(targets=["average speed of answer at most 30 s, over the horizon"])
    with pytest.raises(CcsimError, match=r"promises no share.*ask for replications instead"):
        replicate(case, [plan], seed=1, replications=Precision(1), block_size=BLOCK)


# Checkpoints.


def test_what_was_interrupted_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    case, plan = centre()
    given: dict[str, Any] = {"seed": 3, "block_size": BLOCK}
    whole = replicate(case, [plan, plan], replications=80, **given)

    def stop(done: int, _: int) -> None:
        if done == 40:
            raise KeyboardInterrupt

    folder = tmp_path / "kept"
    begun = new_checkpoint(folder, case, [plan, plan], 3, BLOCK)
    with pytest.raises(KeyboardInterrupt):
        replicate(
            case, [plan, plan], replications=80, checkpoint=begun, progress=stop, **given
        )  # fmt: skip
    assert len(list(folder.glob("block-*.npz"))) == 5
    (folder / "block-000000008.npz").write_bytes(b"torn")
    (folder / "block-000000016.npz").unlink()
    played: list[int] = []
    resumed = old_checkpoint(folder, case, [plan, plan], 3, BLOCK)
    keep = type(resumed).keep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(resumed),
            "keep",
            lambda self, first, s: (played.append(first), keep(self, first, s)),
        )
        again = replicate(case, [plan, plan], replications=80, checkpoint=resumed, **given)
    assert played == [8, 16, 40, 48, 56, 64, 72]
    assert not unequal(whole, again)


def test_a_checkpoint_of_another_study_is_refused(tmp_path: Path) -> None:
    case, plan = centre()
    folder = tmp_path / "kept"
    with pytest.raises(CcsimError, match="has nothing to resume: begin with --checkpoint"):
        old_checkpoint(folder, case, [plan], 1, BLOCK)
    new_checkpoint(folder, case, [plan], 1, BLOCK)
    with pytest.raises(CcsimError, match=r"exists: --resume .* goes on with it"):
        new_checkpoint(folder, case, [plan], 1, BLOCK)
    other, _ = centre(demand={"rate": "31 calls/h"})
    with pytest.raises(CcsimError, match=r"not the same: scenario, seed\. Resume with what"):
        old_checkpoint(folder, other, [plan], 2, BLOCK)
    (folder / "study.json").write_text("[]")
    with pytest.raises(CcsimError, match="not the same: ccsim, scenario, plan, seed, block_size"):
        old_checkpoint(folder, case, [plan], 1, BLOCK)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
def test_a_full_disk_is_said_and_leaves_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, plan = centre()
    begun = new_checkpoint(tmp_path / "kept", case, [plan], 1, BLOCK)
    replicate(case, [plan], seed=1, replications=8, block_size=BLOCK, checkpoint=begun)
    open_ = Path.open

    def full(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        return open_(Path("/dev/full") if mode == "wb" else path, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(
        CcsimError, match="block 8 cannot be kept: No space left on device; make room"
    ):
        replicate(case, [plan], seed=1, replications=16, block_size=BLOCK, checkpoint=begun)
    names = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert names == ["block-000000000.npz", "study.json"]


# Machines.


def test_no_cluster_is_a_sentence() -> None:
    pytest.importorskip("distributed")
    case, plan = centre()
    with pytest.raises(CcsimError, match=r"no cluster answers at tcp://127\.0\.0\.1:1: start"):
        replicate(
            case, [plan], seed=1, replications=8, block_size=BLOCK, cluster="tcp://127.0.0.1:1"
        )
    with pytest.raises(CcsimError, match="no cluster answers at nonsense"):
        replicate(case, [plan], seed=1, replications=8, block_size=BLOCK, cluster="nonsense")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    case, plan = centre()
    given: dict[str, Any] = {"seed": 2, "block_size": BLOCK, "replications": 60 * BLOCK}
    here = replicate(case, [plan], engine="reference", **given)
    address = tmp_path / "scheduler.json"
    command = [sys.executable, "-W", "ignore", "-m"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(
        [*command, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
         "--no-dashboard", "--scheduler-file", str(address)], **quiet,
    )  # fmt: skip
    workers = [
        subprocess.Popen(
            [*command, "distributed.cli.dask_worker", "--scheduler-file", str(address),
             "--nthreads", "1", "--no-dashboard", "--no-nanny"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, **quiet,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not address.exists() and time.monotonic() < until:
            time.sleep(0.1)
        from distributed import Client

        with Client(scheduler_file=str(address), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            where = client.scheduler.address

        def kill(done: int, _: int) -> None:
            if done == 4 * BLOCK:
                workers[0].kill()

        there = replicate(
            case, [plan], engine="reference", cluster=where, progress=kill, **given
        )  # fmt: skip
        assert workers[0].wait(10) != 0
        assert not unequal(here[0], there[0])
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()


# Every contact, and one.


def test_what_becomes_of_a_request_can_be_counted_from_its_contacts(tmp_path: Path) -> None:
    """Though contact types hand it on, and some are rung or called in vain."""
    import duckdb

    call = {
        "open": {"all": "09:00-12:00"},
        "demand": {"rate": "40 calls/h"},
        "talk_time": "5 min",
        "patience": {"exponential": {"mean": "2 min"}},
        "announced_wait": {"balking": 2},
        "callback": {
            "offered_from": "1 min", "accepted": "50%", "reached": "60%", "dialling": "20 s",
        },
    }  # fmt: skip
    transfer = {"to": "second", "probability": "30%"}
    groups = {"desk": {"call": {"transfer": transfer}}, "back": {"second": 1}}
    case = case_from(scenario_of({"call": call, "second": call}, groups, differ={"ring": "10 s"}))
    plan = StaffingPlan(by_interval=dict.fromkeys(groups, (3,) * case.grid.intervals))
    study.write_log(case, tmp_path / "log", plan, seed=2, replications=32)
    sample = study.simulate(case, plan, seed=2, replications=32, workers=1).sample
    files = tmp_path / "log" / "*.parquet"
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT origin, count(*), sum((NOT met)::INT) FROM ("
            "  SELECT origin, bool_or(outcome = 'answered') AS met FROM"
            f"  '{files}' GROUP BY replication, origin, interval, ordinal) GROUP BY 1 ORDER BY 1"
        ).fetchall()
        counted = connection.execute(
            "SELECT contact_type, sum(called_back::INT), sum(transferred::INT),"
            " sum((again & 4 > 0)::INT), sum((outcome = 'unreached')::INT)"
            f" FROM '{files}' GROUP BY 1 ORDER BY 1"
        ).fetchall()
        ((busy,),) = connection.execute(
            f"SELECT sum(wait_s + arrival_s - taken_s + coalesce(handle_s, 0)) FROM '{files}'"
            " WHERE agent IS NOT NULL"
        ).fetchall()
    for place, name in enumerate(("call", "second")):
        totals = {
            measure: int(sample.measure(measure)[:, place].sum())
            for measure in (
                "requests",
                "lost",
                "callbacks",
                "transferred",
                "transfers",
                "unreached",
            )
        }
        assert rows[place] == (name, totals["requests"], totals["lost"])
        found = tuple(totals[n] for n in ("callbacks", "transferred", "transfers", "unreached"))
        assert counted[place] == (name, *found)
    assert counted[0][2] > 0 < counted[1][3]
    assert busy == pytest.approx(sample.group_measure("handling").sum() / 1e6, rel=1e-12)


def test_every_contact_is_written_once(tmp_path: Path) -> None:
    import duckdb

    case, plan = centre()
    folder = tmp_path / "a 'quoted' name"
    files = study.write_log(case, folder, plan, seed=4, replications=40)
    assert [path.name for path in files] == [
        "contacts-000000000.parquet",
        "contacts-000000032.parquet",
    ]
    result = study.simulate(case, plan, seed=4, replications=64, workers=1)
    glob = str(folder / "*.parquet").replace("'", "''")
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT count(*), count(DISTINCT replication), sum((outcome = 'answered')::INT),"
            " sum(wait_s) FILTER (outcome = 'answered'), sum((attempt > 0)::INT), sum(handle_s),"
            f" min(arrival_utc), count(agent) FROM '{glob}'"
        ).fetchall()[0]
    sample = result.sample
    totals = {name: int(sample.measure(name).sum()) for name in
              ("offered", "answered", "wait_answered", "redials", "handle_time")}  # fmt: skip
    assert rows[:3] == (totals["offered"], 64, totals["answered"])
    assert rows[3] == pytest.approx(totals["wait_answered"] / 1e6, rel=1e-12)
    assert rows[4] == totals["redials"]
    assert rows[5] == pytest.approx(totals["handle_time"] / 1e6, rel=1e-12)
    assert rows[6].isoformat() >= case.grid.start_utc[:19]
    assert rows[7] == totals["answered"]
    with pytest.raises(CcsimError, match="exists and is not overwritten; give --log another"):
        study.write_log(case, folder, plan, replications=32)
    (tmp_path / "file").write_text("")
    with pytest.raises(CcsimError, match=r"cannot be written: .*; nothing of it is left"):
        study.write_log(case, tmp_path / "file" / "below", plan, replications=32)


def test_a_story_is_that_of_the_log() -> None:
    case, plan = centre()
    demand = compile_demand(case)
    model = compile_model(case, demand, plan)
    log = run(model, draw_replication(demand, 5, 3))
    again = np.flatnonzero((log.attempt == 1) & (log.outcome == Outcome.ANSWERED))
    row = int(again[0])
    label = case.grid.labels[log.interval[row]]
    story = study.explain(
        case, f"call/{label}/{log.ordinal[row]}", plan, seed=5, replication=3
    )  # fmt: skip
    assert story.attempts["outcome"].tolist() == ["abandoned", "answered"]
    assert story.attempts["wait"].iloc[1] == log.wait[row] / 1e6
    assert story.attempts["agent"].iloc[1] == log.agent[row]
    text = str(story)
    assert text.startswith(f"call, number {log.ordinal[row]} of the interval from {label}")
    assert text.count("gives up after") == text.count("calls again") == text.count("answered") == 1
    # Who gives up has found all agents busy, and was as patient as she was drawn.
    assert story.attempts["agents_busy"].iloc[0] == story.attempts["agents"].iloc[0] == 3
    assert story.attempts["patience"].iloc[0] == story.attempts["wait"].iloc[0]


@pytest.mark.parametrize(
    ("contact", "message"),
    [
        ("call", "write TYPE/DATE TIME/NUMBER, such as 'call/"),
        ("cal/2026-09-07 08:00/0", "'cal' is no contact type \\(call\\)"),
        ("call/2026-09-07 08:10/0", "'2026-09-07 08:10' is no interval; they begin every"),
        ("call/{open}/-1", "'-1' is no number of a contact, 0 or more"),
        ("call/{open}/999", "no contact 999: replication 0 has [0-9]+ contacts?, 0 to [0-9]+ of"),
        ("call/{closed}/0", "no contact 0: replication 0 has no contact of 'call' from"),
    ],
)
def test_a_contact_that_is_not_there_is_a_sentence(contact: str, message: str) -> None:
    case, plan = centre()
    is_open = case.grid.opening(case.scenario.contact_types["call"].open)
    labels = case.grid.labels
    text = contact.format(open=labels[int(is_open.argmax())], closed=labels[int(is_open.argmin())])
    with pytest.raises(CcsimError, match=message):
        study.explain(case, text, plan)
