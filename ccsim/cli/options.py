"""The options that verbs share, and the refusal of a folder that exists."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Verb = TypeVar("Verb", bound=Callable[..., Any])


def _debug(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.meta["ccsim.debug"] = True


debug = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_debug,
    help="Show the traceback when ccsim itself fails.",
)
as_json = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on stdout, nothing else there."
)
file = click.argument("file", metavar="FILE", help="The scenario file.")
variant = click.option("--variant", metavar="NAME", help="A variant of the scenario file.")
changes = click.option(
    "--set",
    "changes",
    metavar="FIELD=VALUE",
    multiple=True,
    help="What if: contact_types.sales.demand.scale=1.2, on top of all else; several allowed.",
)
seed = click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Of every random number.",
)
workers = click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(min=1),
    help="Threads or processes; all cores if not given.",
)
cluster = click.option(
    "--cluster", metavar="ADDRESS", help="Simulate on a Dask cluster: tcp://HOST:8786."
)
engine = click.option(
    "--engine",
    type=click.Choice(["auto", "compiled", "reference"]),
    default="auto",
    show_default=True,
    help="Either engine gives the same numbers; auto is what is done first.",
)
overwrite = click.option(
    "--overwrite", is_flag=True, help="Replace what stands in the folder of results."
)


def replications(text: str, default: int | None = None, least: int = 1) -> Callable[[Verb], Verb]:
    """The option ``--replications``, with what it counts in this verb."""
    return click.option(
        "--replications",
        metavar="N",
        type=click.IntRange(least, 1_000_000),
        default=default,
        show_default=default is not None,
        help=text,
    )


def out(text: str) -> Callable[[Verb], Verb]:
    """The option ``--out`` for a folder."""
    return click.option("--out", metavar="FOLDER", type=click.Path(path_type=Path), help=text)


def refuse_existing(path: Path, *, overwrite: bool = False, can_overwrite: bool = True) -> None:
    """Refuse what exists, or what cannot be written, before any work is done.

    Raises
    ------
    click.UsageError
        Saying what stands there and what to do.
    CcsimError
        If --overwrite names what is no results folder.
    """
    if os.path.lexists(path):
        if not overwrite:
            choice = ", or --overwrite" if can_overwrite else ""
            raise click.UsageError(
                f"{path} exists and is not overwritten; give another --out{choice}"
            )
        from ccsim.reporting.folder import refuse_folder

        refuse_folder(path, overwrite=True)
    above = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
    if not above.is_dir():
        raise click.UsageError(f"{above} is a file, so nothing can be written below it")
    if not os.access(above, os.W_OK | os.X_OK):
        raise click.UsageError(f"{above} cannot be written to; give another --out")
    click.get_current_context().meta["ccsim.out"] = path
