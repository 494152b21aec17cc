"""Verbs that answer: estimate, simulate, plan, compare; each the verb of `ccsim.study`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ccsim.cli import options
from ccsim.cli.console import Progress, progress, say, write, write_json

if TYPE_CHECKING:
    from ccsim.results import PlanResult
    from ccsim.scenario import Case
    from ccsim.simulation.engine import Engine

EXIT_CODES = {"certified": 0, "missed": 1, "not decided": 3}
"""What a verdict is for a shell."""


@click.command(short_help="Agents by Erlang formulas, at once.")
@options.file
@options.variant
@options.changes
@click.option("--table", "by_interval", is_flag=True, help="Add the table by interval.")
@options.as_json
@options.debug
def estimate(
    file: str, variant: str | None, changes: tuple[str, ...], by_interval: bool, as_json: bool
) -> None:
    """Agents by formula, at once: Erlang A, or Erlang C where nobody gives up.

    Approximate: each interval by itself, nothing simulated.
    """
    from ccsim import study
    from ccsim.cli.estimating import interval_rows, show_estimation

    estimation = study.estimate(_case(file, variant, changes))
    if as_json:
        document = estimation.to_json()
        document["tables"]["intervals"] = interval_rows(estimation)
        write_json(document.pop("schema"), document)
        return
    show_estimation(estimation, by_interval=by_interval)


@click.command(short_help="What do I get with this roster?")
@options.file
@click.option("--plan", "roster", metavar="PLAN", help="A roster: .xlsx, schedule.csv or a folder.")
@options.variant
@options.changes
@options.seed
@options.replications("Simulated horizons, rounded up to whole blocks of 32.", default=320)
@click.option(
    "--precision",
    "points",
    metavar="POINTS",
    type=click.FloatRange(0, 50, min_open=True),
    help="Instead of --replications: until every promised share is known to ± so many points.",
)
@options.workers
@options.cluster
@options.engine
@click.option("--checkpoint", metavar="FOLDER", help="Keep finished blocks in this new folder.")
@click.option("--resume", metavar="FOLDER", help="Go on with the finished blocks of this folder.")
@click.option("--log", "log_folder", metavar="FOLDER", help="Write every contact to Parquet files.")
@click.option(
    "--explain",
    "contact",
    metavar="CONTACT",
    help="Tell one contact's story instead: 'TYPE/DATE TIME/NUMBER', numbers from 0.",
)
@click.option(
    "--replication",
    metavar="N",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    help="With --explain: of which replication, from 0.",
)
@options.out("Write tables and report to this folder.")
@options.overwrite
@options.as_json
@options.debug
def simulate(
    file: str,
    roster: str | None,
    variant: str | None,
    changes: tuple[str, ...],
    seed: int,
    replications: int,
    points: float | None,
    workers: int | None,
    cluster: str | None,
    engine: Engine,
    checkpoint: str | None,
    resume: str | None,
    log_folder: str | None,
    contact: str | None,
    replication: int,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Simulate a roster: what customers live through under it, and what it costs.

    Without --plan the cheapest schedule is taken that covers what the formulas ask for.
    """
    if checkpoint and resume:
        raise click.UsageError("--checkpoint begins a folder, --resume goes on with one: write one")
    if contact is not None:
        _explain(_case(file, variant, changes), roster, seed, replication, contact, as_json)
        return
    if out is not None:
        options.refuse_existing(out, overwrite=overwrite)
    began = time.time()
    with progress("reading") as told:
        from ccsim import study
        from ccsim.cli.tables import show_simulation
        from ccsim.plans import read_plan
        from ccsim.reporting import write_results

        case = _case(file, variant, changes)
        chosen = None if roster is None else read_plan(Path(roster), case)
        if chosen is None:
            told("scheduling shifts for what the formulas ask for")
        result = study.simulate(
            case,
            chosen,
            seed=seed,
            replications=replications,
            points=points,
            workers=workers,
            cluster=cluster,
            engine=engine,
            checkpoint=checkpoint,
            resume=resume,
            progress=told.replications,
        )
        if log_folder is not None:
            told("writing every contact")
            study.write_log(
                case, log_folder, result.plan, seed=seed, replications=result.sample.replications,
                engine=engine,
            )  # fmt: skip
        if out is not None:
            told("writing the report")
            write_results(result, out, overwrite=overwrite, run_info=_run_info(began, workers))
    if points is None:
        _say_rounded(replications, result.sample.replications)
    if as_json:
        document = result.to_json()
        write_json(document.pop("schema"), document)
    else:
        show_simulation(result)
    _say_where(out)


def _explain(
    case: Case,
    roster: str | None,
    seed: int,
    replication: int,
    contact: str,
    as_json: bool,
) -> None:
    doing = "playing the replication"
    with progress(doing if roster else f"scheduling shifts for what the formulas ask for, {doing}"):
        from ccsim import study

        story = study.explain(case, contact, roster, seed=seed, replication=replication)
    if as_json:
        attempts = story.attempts.to_dict("records")
        write_json("ccsim/contact/1", {"title": story.title, "attempts": attempts})
    else:
        write(str(story))


@click.command(short_help="The cheapest certified plan: the main job.")
@options.file
@options.variant
@options.changes
@options.seed
@options.replications(
    "Simulated horizons of one look of the search; as in the scenario if not given.", least=8
)
@options.workers
@options.out("Folder for the results; results/FILE[-VARIANT] if not given.")
@options.overwrite
@options.as_json
@options.debug
@click.pass_context
def plan(
    context: click.Context,
    file: str,
    variant: str | None,
    changes: tuple[str, ...],
    seed: int,
    replications: int | None,
    workers: int | None,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """The cheapest plan found that keeps every promise: sized, scheduled, certified, priced.

    Exit code 0: certified. 1: a promise is missed, or nothing can cover it. 3: not decided.
    """
    folder = out or Path("results") / "-".join(filter(None, [Path(file).stem, variant]))
    options.refuse_existing(folder, overwrite=overwrite)
    began = time.time()
    with progress("reading") as told:
        from ccsim import study
        from ccsim.reporting import write_results
        from ccsim.results import verdict_lines

        case = _case(file, variant, changes, replications)
        result = study.plan(case, seed=seed, workers=workers, report=told)
        told("writing the report")
        write_results(result, folder, overwrite=overwrite, run_info=_run_info(began, workers))
    if as_json:
        document = result.to_json()
        write_json(document.pop("schema"), {**document, "folder": str(folder)})
    else:
        for line in verdict_lines(result):
            write(line)
    _say_where(folder)
    context.exit(EXIT_CODES[result.verdict])


@click.command(short_help="Variants side by side, with paired differences.")
@options.file
@click.option(
    "--variants", "--variant", "chosen", multiple=True, metavar="A,B", help="Variants to compare."
)
@click.option("--all", "every", is_flag=True, help="Compare every variant of the file.")
@options.changes
@options.seed
@options.replications("Simulated horizons of the comparison, whole blocks of 32.", default=320)
@options.workers
@options.out("Write the plans, and the comparison, to this folder.")
@options.overwrite
@options.as_json
@options.debug
@click.pass_context
def compare(
    context: click.Context,
    file: str,
    chosen: tuple[str, ...],
    every: bool,
    changes: tuple[str, ...],
    seed: int,
    replications: int,
    workers: int | None,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Lay variants side by side: which is cheaper, by how much, and how sure is that.

    Plans the file as it stands and each variant, then simulates the plans on the same customers.
    """
    if out is not None:
        options.refuse_existing(out, overwrite=overwrite)
    began = time.time()
    with progress("reading") as told:
        from ccsim import study
        from ccsim.cli.tables import show_comparison
        from ccsim.reporting import write_results

        cases = _cases(file, chosen, every, changes)
        plans = [_planned(case, seed, workers, told) for case in cases]
        told.prefix = "comparing: "
        comparison = study.compare(
            cases,
            [result.plan for result in plans],
            seed=seed,
            replications=replications,
            workers=workers,
            progress=told.replications,
        )
        if out is not None:
            told.prefix = ""
            told("writing the report")
            write_results(comparison, out, overwrite=overwrite, run_info=_run_info(began, workers))
    _say_rounded(replications, comparison.simulations[0].sample.replications)
    if as_json:
        document = comparison.to_json()
        document["verdicts"] = [
            {"variant": result.case.variant, "verdict": result.verdict} for result in plans
        ]
        write_json(document.pop("schema"), document)
    else:
        show_comparison(comparison, [result.verdict for result in plans])
    _say_where(out)
    context.exit(_worst([result.verdict for result in plans]))


def _case(
    file: str, variant: str | None, changes: tuple[str, ...], replications: int | None = None
) -> Case:
    """Read a scenario as changed, with the replications of one look where they are given."""
    from dataclasses import replace

    from ccsim.scenario import read_case

    look = () if replications is None else (f"planning.replications={replications}",)
    return replace(read_case(file, variant, (*changes, *look)), changes=changes)


def _cases(file: str, chosen: tuple[str, ...], every: bool, changes: tuple[str, ...]) -> list[Case]:
    """Read the file as it stands, and the variants that are asked for."""
    from ccsim.scenario import read_case, variants

    first, known = read_case(file, None, changes), variants(file)
    asked = [name.strip() for text in chosen for name in text.split(",")]
    if bool(asked) == every:
        there = f"the file has {', '.join(known)}" if known else "the file has none"
        raise click.UsageError(f"write --variants A,B or --all; {there}")
    if not known:
        raise click.UsageError(f"{file} has no variants to compare; write some under 'variants'")
    return [first, *(read_case(file, name, changes) for name in dict.fromkeys(asked or known))]


def _planned(case: Case, seed: int, workers: int | None, told: Progress) -> PlanResult:
    """Plan a variant; where nothing can cover it, say which one it was."""
    from ccsim import study
    from ccsim.errors import InfeasibleError

    name = case.variant or "as it stands"
    told.prefix = f"{name}: "
    try:
        return study.plan(case, seed=seed, workers=workers, report=told)
    except InfeasibleError as error:
        raise InfeasibleError(f"{name}: {error}") from error


def _worst(verdicts: list[str]) -> int:
    """One exit code for several verdicts: a miss outweighs what is not decided."""
    codes = {EXIT_CODES[verdict] for verdict in verdicts}
    return 1 if 1 in codes else max(codes)


def _run_info(began: float, workers: int | None) -> dict[str, Any]:
    """What differs between two runs of the same thing, and stands in `run.json` alone."""
    import os
    import sys
    from datetime import UTC, datetime

    return {
        "command": ["ccsim", *sys.argv[1:]],
        "workers": workers or os.cpu_count(),
        "started": datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - began, 1),
    }


def _say_rounded(asked: int, done: int) -> None:
    if asked != done:
        more = done - asked >= 32
        why = "an interval takes ten blocks of 32" if more else "they come in whole blocks of 32"
        say(f"{asked} replications asked for, {done} simulated: {why}")


def _say_where(folder: Path | None) -> None:
    if folder is None:
        return
    report = folder / "report.html"
    say(f"results: {report if report.exists() else folder}")
