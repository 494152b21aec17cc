"""The computed numbers as files a scenario names: CSV tables and one JSON that explains itself.

Only aggregates are written, rounded, in the same bytes every time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccsim.calibration.bank import (
    ACKNOWLEDGEMENT,
    FORECAST_WEEKS,
    BankCalibration,
    CountsCalibration,
)

if TYPE_CHECKING:
    from ccsim.calibration.demand_fits import DayFactor

WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def write_bank(calibration: BankCalibration, folder: Path | str) -> tuple[Path, ...]:
    """Write the bank's demand, patience and talk tables and `bank_calibration.json`.

    Parameters
    ----------
    calibration : BankCalibration
    folder : Path or str
        Made when missing; files of the same names are replaced.

    Returns
    -------
    tuple of Path
        `bank_calls.csv` (weekday, start, mean contacts of each contact type in that half-hour),
        for each type `bank_patience_<type>.csv` (seconds, still_waiting) and
        `bank_talk_<type>.csv` (cumulative, seconds), then the JSON.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    demand = calibration.demand
    names = list(calibration.contact_types)
    rows = sorted(
        demand.to_dict("records"), key=lambda row: (WEEK.index(row["weekday"]), row["start"])
    )
    written = [
        _csv(
            folder / "bank_calls.csv",
            ("weekday", "start", *names),
            (
                (row["weekday"], row["start"], *(f"{row[name]:.2f}" for name in names))
                for row in rows
            ),
        )
    ]
    for name, contact_type in calibration.contact_types.items():
        written.append(
            _csv(
                folder / f"bank_patience_{name}.csv",
                ("seconds", "still_waiting"),
                ((f"{t:.0f}", f"{s:.4f}") for t, s in contact_type.patience.table),
            )
        )
        written.append(
            _csv(
                folder / f"bank_talk_{name}.csv",
                ("cumulative", "seconds"),
                ((f"{p:.4f}", f"{t:.1f}") for p, t in contact_type.talk_time.table),
            )
        )
    report = folder / "bank_calibration.json"
    report.write_bytes(
        (
            json.dumps(_rounded(_bank_figures(calibration)), indent=1, ensure_ascii=False) + "\n"
        ).encode()
    )
    return (*written, report)


def write_counts(calibration: CountsCalibration, path: Path | str) -> Path:
    """Write a typical week as CSV: weekday, start, contacts (mean), standard_error, days."""
    profile = calibration.profile
    rows = sorted(
        profile.to_dict("records"), key=lambda row: (WEEK.index(row["weekday"]), row["start"])
    )
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return _csv(
        Path(path),
        ("weekday", "start", "contacts", "standard_error", "days"),
        (
            (
                r["weekday"],
                r["start"],
                f"{r['mean']:.2f}",
                f"{r['standard_error']:.2f}",
                str(r["days"]),
            )
            for r in rows
        ),
    )


def _bank_figures(calibration: BankCalibration) -> dict[str, Any]:
    demand = calibration.demand
    names = list(calibration.contact_types)
    redial = calibration.redial
    return {
        "acknowledgement": ACKNOWLEDGEMENT,
        "scope": "The history starts after the IVR: calls that ended in self-service are not in "
        "it. Redials are in it. Volumes are of calls that reached the agents' queue.",
        "cleaning": {
            **asdict(calibration.cleaning),
            "means": "rows of the per-call file; phantom and negative_ivr_time were dropped, the "
            "other counts were kept (durations are taken from the recorded durations)",
        },
        "days_of_calls": calibration.days_of_calls,
        "counts": counts_figures(calibration.counts),
        "reached_agents": {
            "value": calibration.reached_agents,
            "means": "share of the counted calls that reached the agents, in opening hours outside "
            "bursts; the rest hung up in the IVR or was dropped; the counts are scaled by it",
        },
        "weekly_contacts": {name: float(demand[name].sum()) for name in names},
        "contact_types": {
            name: {
                "share": fitted.share,
                "priority_share_of_queued": fitted.priority_share,
                "observed_abandonment": fitted.abandonment,
                "talk_time": {k: v for k, v in asdict(fitted.talk_time).items() if k != "table"},
                "patience": {
                    k: v
                    for k, v in asdict(fitted.patience).items()
                    if k not in {"table", "low", "high"}
                },
            }
            for name, fitted in calibration.contact_types.items()
        },
        "contact_types_mean": "regular_call: not a priority customer; priority_call: priority "
        "customer, 90 s head start; stock_call: stock exchange, whoever calls. The file writes the "
        "priority of queued calls only; a call answered at once counts with the priority share of "
        "the queued calls of its service. Talk time is that of answered calls with a talk time; "
        "short_share are calls under 10 s, log_mean and log_sd describe the rest. Patience is "
        "Kaplan-Meier over queued calls; calls answered at once carry no information on it.",
        "talk_day_factor": {
            **_day_factor(calibration.talk_day_factor),
            "means": "gamma shape of the factor a day's mean talk time shares, Sunday to Thursday, "
            "sampling noise removed",
        },
        "patience_check": {
            **asdict(calibration.patience_check),
            "means": "patience from abandonment against mean wait by day and hour, Sunday to "
            "Thursday: a second route to exponential patience, all contact types together",
        },
        "redial": {
            **asdict(redial),
            "means": "known customers, same day; probability is the share that calls again because "
            "the call was abandoned, corrected for those who call again after being answered",
        },
    }


def counts_figures(calibration: CountsCalibration) -> dict[str, Any]:
    """List the figures behind a typical week, with what was left out and why."""
    days = calibration.profile.groupby("weekday")["days"].max()
    return {
        "contacts_in_file": calibration.read.contacts,
        "days_in_file": calibration.read.days,
        "interval_minutes": calibration.read.interval_minutes,
        "first_day": calibration.first_day,
        "last_day": calibration.last_day,
        "days_used": {name: int(days[name]) for name in WEEK if name in days.index},
        "share_outside_opening": calibration.share_outside_opening,
        "forecast_error": {
            **_day_factor(calibration.forecast_error),
            "means": "gamma shape of the factor between a day and its forecast, beyond Poisson "
            f"chance; the forecast is the mean of the last {FORECAST_WEEKS} usual days of the same "
            "weekday",
        },
        "unusual_days": dict(calibration.unusual_days),
        "unusual_days_mean": "left out: day against the median of the same weekday four weeks "
        "around is more than 3 robust standard deviations away in logarithm",
        "unusual_intervals": dict(calibration.unusual_intervals),
        "unusual_intervals_mean": "left out of the typical week, kept in the forecast error: count "
        "above m + 6 sqrt(m + (m/4)^2), m the median of that weekday and time",
        "remarks": list(calibration.remarks),
    }


def _day_factor(factor: DayFactor) -> dict[str, float]:
    return {
        "shape": factor.shape,
        "shape_low": factor.shape_low,
        "shape_high": factor.shape_high,
        "standard_deviation": factor.shape**-0.5 if math.isfinite(factor.shape) else 0.0,
        "mean_ratio": factor.mean_ratio,
        "days": factor.days,
    }


def _rounded(value: Any) -> Any:
    """Four significant digits, large sums to a tenth; whole numbers stay; infinity is null."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        if abs(value) >= 1000:
            value = round(value, 1)
        return (
            int(value)
            if value == int(value)
            else float(f"{value:.{4 if abs(value) < 1000 else 12}g}")
        )
    return value


def _csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    lines = [",".join(header), *(",".join(row) for row in rows)]
    path.write_bytes(("\n".join(lines) + "\n").encode())
    return path
