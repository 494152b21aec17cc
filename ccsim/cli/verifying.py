"""The verb verify: the user's own centre against what is known exactly, and the file itself."""

from __future__ import annotations

from itertools import groupby
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccsim.cli import options
from ccsim.cli.console import progress, strong, write, write_json, write_table

if TYPE_CHECKING:
    from ccsim.results import Verification
    from ccsim.simulation.engine import Engine
    from ccsim.verification import Check, Numbers


@click.command(short_help="Does ccsim do what is known exactly of my centre? Is my file sound?")
@options.file
@click.option(
    "--plan",
    "roster",
    metavar="PLAN",
    help="The roster worked when contacts were counted: .xlsx, schedule.csv or a folder.",
)
@options.variant
@options.changes
@options.seed
@click.option(
    "--contacts",
    metavar="N",
    type=click.IntRange(10_000, 1_000_000_000),
    default=1_200_000,
    show_default=True,
    help="Contacts that each reduced centre is played with, roughly: more find smaller errors.",
)
@options.workers
@options.engine
@click.option("--table", "flat", is_flag=True, help="Add one table of all checks, in full figures.")
@options.as_json
@options.debug
@click.pass_context
def verify(
    context: click.Context,
    file: str,
    roster: str | None,
    variant: str | None,
    changes: tuple[str, ...],
    seed: int,
    contacts: int,
    workers: int | None,
    engine: Engine,
    flat: bool,
    as_json: bool,
) -> None:
    """Your own centre against what is known exactly, with z-scores; and the file against itself.

    Takes away from your centre until its law is known exactly, in several ways, and plays what is
    left with the same engine. Then shows the file in numbers you know, and what in it cannot be
    true together. Exit code 0: all agree. 1: something does not.
    """
    with progress("reading") as told:
        from ccsim import study
        from ccsim.plans import read_plan
        from ccsim.scenario import read_case

        case = read_case(file, variant, changes)
        chosen = None if roster is None else read_plan(Path(roster), case)
        result = study.verify(
            case, chosen, seed=seed, contacts=contacts, workers=workers, engine=engine,
            progress=told,
        )  # fmt: skip
    if as_json:
        document = result.to_json()
        write_json(document.pop("schema"), document)
    else:
        show_verification(result, flat=flat)
    context.exit(0 if result.agrees else 1)


def show_verification(result: Verification, *, flat: bool) -> None:
    """Write each reduction with its checks, the verdict, then the file in numbers."""
    what = "given" if result.given_plan else "agents by interval as the formulas ask for them"
    write(strong(f"{result.case.title}: what is simulated, against what is known exactly"))
    write(f"roster: {what}; seed {result.seed}; ± 95%")
    for name, checks in groupby(result.checks, key=lambda one: one.reduction):
        mine = list(checks)
        write()
        write(strong(name))
        write(click.wrap_text(f"kept: {mine[0].kept}", 78, "  ", "    "))
        write(click.wrap_text(f"simplified: {mine[0].simplified}", 78, "  ", "    "))
        write_table(["", "exact", "simulated", "z", ""], [_row(check) for check in mine])
    write()
    write(strong(click.wrap_text(result.verdict, 78)))
    write()
    _show_file(result)
    if flat:
        write()
        _show_flat(result)


def _row(check: Check) -> tuple[str, ...]:
    from ccsim.statistics.writing import decimals, number

    place = f", farthest of {check.places}: {check.place}" if check.places > 1 else ""
    verdict = "" if check.agrees else "DISAGREES"
    if not check.error:  # chance has no say
        exact, found = (_certain(value, check.unit) for value in (check.exact, check.simulated))
        return (f"{check.law}{place}", exact, found, "", verdict)
    scale = 100.0 if check.unit == "%" else 1.0
    half = 1.96 * check.error * scale
    digits = decimals(half, 6)
    return (
        f"{check.law}{place}",
        f"{number(check.exact * scale, digits + 1)}{check.unit}",
        f"{number(check.simulated * scale, digits)}{check.unit} ± {number(half, digits)}",
        f"{check.z:+.2f}",
        verdict,
    )


def _certain(value: float, unit: str) -> str:
    if not value:
        return "none"
    return f"{value:.2%}" if unit == "%" else f"{value:,.10g}{unit}"


def _show_file(result: Verification) -> None:
    write(strong("The file in numbers you know"))
    write_table(
        ["", "a day", "busiest", "then", "takes", "erlang", "half gone by", "give up", "file says"],
        [_known(one) for one in result.numbers],
        left=1,
    )
    under = "the roster given" if result.given_plan else "a roster by formula, not one worked"
    write(
        click.wrap_text(
            f"requests a day; an hour in the busiest interval; mean handle time; give up: under "
            f"{under}, simulated; file says: observed_abandonment",
            78,
        )
    )
    for one in result.findings:
        write()
        write(click.wrap_text(f"{one.kind}: {one.about}: {one.sentence}", 78, "", "  "))
    if not result.findings:
        write("nothing in it contradicts anything else")


def _known(one: Numbers) -> tuple[str, ...]:
    from ccsim.statistics.writing import plain
    from ccsim.verification.file_numbers import written

    return (
        one.contact_type,
        f"{one.per_day:,.1f}",
        one.busiest,
        f"{one.per_hour:.4g}/h",
        written(one.handle_time),
        f"{one.load:.2f}",
        written(one.patience) if isfinite(one.patience) else "never",
        plain(one.gives_up, "%"),
        "" if one.observed is None else f"{one.observed:.1%}",
    )


def _show_flat(result: Verification) -> None:
    write_table(
        ["reduction", "law", "exact", "simulated", "error", "z", "days", "finds an error of"],
        [
            (
                one.reduction,
                one.law,
                f"{one.exact:.6g}",
                f"{one.simulated:.6g}",
                f"{one.error:.2g}",
                f"{one.z:+.3f}" if one.error else "",
                str(one.replications),
                f"{one.finds:.2%}" if isfinite(one.finds) else "any",
            )
            for one in result.checks
        ],
        left=2,
    )
    write("error: standard error; finds: with a chance of 95%, relative to the exact value")
