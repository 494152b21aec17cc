"""`ccsim calibrate`: history into the numbers of a scenario."""

from __future__ import annotations

from pathlib import Path

import click

from ccsim.cli import options
from ccsim.cli.console import progress, say, write, write_json


@click.group(short_help="A history of calls into the numbers of a scenario.")
def calibrate() -> None:
    """Turn a history of calls or counts into the numbers of a scenario."""


@calibrate.command(short_help="The bank of the shipped scenario: calls and counts.")
@click.argument("calls")
@click.argument("counts")
@options.out("Folder for the tables; it must not exist.")
@options.as_json
@options.debug
def bank(calls: str, counts: str, out: Path | None, as_json: bool) -> None:
    """Demand, patience, talk times, redials and forecast error of the bank.

    CALLS is a file of single calls (anonymous_bank_1999), COUNTS one of a year's interval counts.
    """
    folder = _named(out)
    with progress("calibrating"):
        from ccsim.calibration import calibrate_bank, write_bank

        written = write_bank(calibrate_bank(_there(calls), _there(counts)), folder)
    _say_written([str(path) for path in written], as_json=as_json)


@calibrate.command(short_help="A typical week, from interval counts.")
@click.argument("file", metavar="FILE")
@options.out("CSV file for the typical week; it must not exist.")
@options.as_json
@options.debug
def counts(file: str, out: Path | None, as_json: bool) -> None:
    """A typical week by half-hour and the error of its forecast, from interval counts.

    FILE has one row a day and a column for each interval, or one row for each interval.
    """
    path = _named(out)
    with progress("calibrating"):
        from ccsim.calibration import calibrate_counts, counts_figures, write_counts

        calibration = calibrate_counts(_there(file))
        written = write_counts(calibration, path)
    figures = counts_figures(calibration)
    if as_json:
        write_json("ccsim/calibrate/1", {"files": [str(written)], "figures": figures})
        return
    error = figures["forecast_error"]
    write(
        f"{figures['contacts_in_file']:,.0f} contacts on {figures['days_in_file']} days, "
        f"{figures['first_day']} to {figures['last_day']}"
    )
    write(
        f"forecast_error: {{gamma: {{shape: {error['shape']:.3g}}}}}  # a day is off by "
        f"{error['standard_deviation']:.1%} (one standard deviation)"
    )
    for remark in figures["remarks"]:
        write(f"remark: {remark}")
    _say_written([str(written)], as_json=False)


def _named(out: Path | None) -> Path:
    if out is None:
        raise click.UsageError("say where the numbers go: --out NAME")
    options.refuse_existing(out, can_overwrite=False)
    return out


def _there(path: str) -> str:
    if not Path(path).is_file():
        raise click.UsageError(f"{path}: no such file")
    return path


def _say_written(written: list[str], *, as_json: bool) -> None:
    if as_json:
        write_json("ccsim/calibrate/1", {"files": written})
        return
    for path in written:
        write(f"wrote {path}")
    say("Next: name the files in a scenario, under demand, talk_time and patience.")
