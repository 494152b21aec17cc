"""From a bank's history to the numbers of a scenario: the year's counts and a month of calls.

The counts say how many come and when, the calls say who they are, how long they talk, how long they
would wait and who calls again. Both files start after the IVR: what stayed inside it is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ccsim.calibration.calls import (
    CONTACT_TYPES,
    PRIORITY_CUSTOMER,
    Cleaning,
    contact_type_weights,
    read_calls,
)
from ccsim.calibration.counts import CountsRead, read_counts, sum_to
from ccsim.calibration.demand_fits import (
    DayFactor,
    forecast_error,
    talk_day_factor,
    trailing_forecast,
    unusual_days,
    unusual_intervals,
    weekday_profile,
)
from ccsim.calibration.fits import (
    CellPatience,
    Patience,
    Redial,
    TalkTime,
    patience_from_cells,
    patience_kaplan_meier,
    redial_share,
    talk_time_fit,
)
from ccsim.errors import CcsimError
from ccsim.scenario.hours import WEEKDAYS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

ACKNOWLEDGEMENT = (
    "Anonymous Bank data, Technion: Avi Mandelbaum and Ilan Guedj; "
    "free for teaching and research, acknowledgement requested"
)
OPENING: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("sun", "mon", "tue", "wed", "thu"), ("07:00", "24:00")),
    "fri": ("07:00", "14:00"),
    "sat": ("20:00", "24:00"),
}
WORKING_DAYS = ("sun", "mon", "tue", "wed", "thu")
FORECAST_WEEKS = 6


@dataclass(frozen=True)
class CountsCalibration:
    """A typical week and the error of its forecast, from interval counts alone.

    Attributes
    ----------
    read : CountsRead
        What the file held; its remarks say what was left out on reading.
    profile : DataFrame
        As from `weekday_profile`, by half-hour, opening hours only.
    forecast_error : DayFactor
        Days against the mean of the same weekday's last six usual days.
    unusual_days, unusual_intervals : tuple of (text, float)
        Left out of the profile: day and its ratio to the weeks around; start and its count.
    share_outside_opening : float
        Share of the contacts that came outside opening hours and are left out.
    first_day, last_day : str
        ISO dates.
    remarks : tuple of str
    """

    read: CountsRead
    profile: pd.DataFrame
    forecast_error: DayFactor
    unusual_days: tuple[tuple[str, float], ...]
    unusual_intervals: tuple[tuple[str, float], ...]
    share_outside_opening: float
    first_day: str
    last_day: str
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class ContactTypeCalibration:
    """One contact type's share, talk time, patience and abandonment.

    Attributes
    ----------
    share : float
        Of the contacts that reached the agents.
    priority_share : float
        Priority customers among its queued calls.
    abandonment : float
        Abandoned ÷ reached the agents, as observed.
    talk_time : TalkTime
    patience : Patience
    """

    share: float
    priority_share: float
    abandonment: float
    talk_time: TalkTime
    patience: Patience


@dataclass(frozen=True)
class BankCalibration:
    """Everything that a scenario of the bank needs, computed from its history.

    Attributes
    ----------
    counts : CountsCalibration
        The year's counts: calls that left the IVR or abandoned.
    cleaning : Cleaning
        What was dropped from the per-call file.
    demand : DataFrame
        `weekday`, `start` and one column per contact type: mean contacts that reach the agents in a
        half-hour of a typical week.
    reached_agents : float
        Share of the counted calls that reached the agents (opening hours, bursts left out).
    contact_types : dict of str to ContactTypeCalibration
    talk_day_factor : DayFactor
        Day-to-day movement of the mean talk time, Sunday to Thursday.
    patience_check : CellPatience
    redial : Redial
    days_of_calls : int
    """

    counts: CountsCalibration
    cleaning: Cleaning
    demand: pd.DataFrame
    reached_agents: float
    contact_types: dict[str, ContactTypeCalibration]
    talk_day_factor: DayFactor
    patience_check: CellPatience
    redial: Redial
    days_of_calls: int


def calibrate_counts(
    path: Path | str, opening: Mapping[str, tuple[str, str]] | None = None
) -> CountsCalibration:
    """Compute a typical week by half-hour and the forecast's error from interval counts.

    Parameters
    ----------
    path : Path or str
        Wide or long file of interval counts (`read_counts`).
    opening : mapping of weekday to (from, to), optional
        Opening hours, `HH:MM` up to `24:00`; without it everything in the file is open.
    """
    import pandas as pd

    counts, read = read_counts(path)
    half_hours, remarks = sum_to(counts, 30)
    everything = float(half_hours["count"].sum())
    if opening is not None:
        half_hours = half_hours[_is_open(pd.DatetimeIndex(half_hours.index), opening)]
    if half_hours.empty:
        raise CcsimError(f"{path}: no count falls into the opening hours")
    daily = half_hours["count"].groupby(pd.DatetimeIndex(half_hours.index).normalize()).sum()
    odd_days = unusual_days(daily)
    usual = half_hours[~pd.DatetimeIndex(half_hours.index).normalize().isin(odd_days.index)]
    bursts = unusual_intervals(usual)
    usual_days = daily.drop(odd_days.index)
    expected = trailing_forecast(usual_days, weeks=FORECAST_WEEKS)
    if int(expected.notna().sum()) < 3:
        raise CcsimError(
            f"{path}: {len(usual_days)} usual days; a forecast from the last {FORECAST_WEEKS} "
            "days of the same weekday needs a longer history"
        )
    return CountsCalibration(
        read=read,
        profile=weekday_profile(usual, without_intervals=list(bursts.index)),
        forecast_error=forecast_error(usual_days, expected),
        unusual_days=tuple((f"{day:%Y-%m-%d}", float(ratio)) for day, ratio in odd_days.items()),
        unusual_intervals=tuple((f"{at:%Y-%m-%d %H:%M}", float(n)) for at, n in bursts.items()),
        share_outside_opening=1.0 - float(half_hours["count"].sum()) / everything,
        first_day=f"{daily.index[0]:%Y-%m-%d}",
        last_day=f"{daily.index[-1]:%Y-%m-%d}",
        remarks=read.remarks + remarks,
    )


def calibrate_bank(
    calls_path: Path | str,
    year_counts_path: Path | str,
    opening: Mapping[str, tuple[str, str]] = OPENING,
) -> BankCalibration:
    """Compute the numbers of a scenario from a month of single calls and a year of counts.

    Demand of a half-hour = the year's mean count × share of calls that reached the agents × share
    of the contact type. The type shares come from the calls: priority share by service over the
    whole month (queued calls, `contact_type_weights`), mix of services by weekday and hour.

    Parameters
    ----------
    calls_path, year_counts_path : Path or str
        Per-call file and file of interval counts, of the same centre.
    opening : mapping of weekday to (from, to)
        Opening hours.
    """
    import pandas as pd

    counts = calibrate_counts(year_counts_path, opening)
    calls, cleaning = read_calls(calls_path)
    reached = calls[calls["outcome"] != "left_before_queue"]
    if reached.empty:
        raise CcsimError(f"{calls_path}: no call reached an agent or waited for one")
    weights = contact_type_weights(reached)
    abandoned = reached["outcome"] == "abandoned"

    # Counts hold every row of the per-call file, so the share is of all rows, dropped ones too.
    bursts = pd.to_datetime([start for start, _ in counts.unusual_intervals])
    plain = calls[
        _is_open(pd.DatetimeIndex(calls["arrival"]), opening)
        & ~calls["arrival"].dt.floor("30min").isin(bursts)
    ]
    came_through = float((plain["outcome"] != "left_before_queue").mean())
    reached_agents = came_through * cleaning.rows_kept / cleaning.rows_read

    begin = calls["arrival"].min()
    arrival = (calls["arrival"] - begin).dt.total_seconds()
    ended = (calls["joined_queue"] - begin).dt.total_seconds()
    ended = ended + calls["waited"] + calls["talk"].fillna(0.0)
    working = _weekday_names(pd.DatetimeIndex(reached["arrival"])).isin(WORKING_DAYS)
    talked = reached[working & reached["talk"].notna()]
    try:
        return BankCalibration(
            counts=counts,
            cleaning=cleaning,
            demand=_demand(counts.profile, reached, weights, reached_agents),
            reached_agents=reached_agents,
            contact_types={
                name: _contact_type(reached, weights[name], abandoned) for name in CONTACT_TYPES
            },
            talk_day_factor=talk_day_factor(talked["arrival"].dt.normalize(), talked["talk"]),
            patience_check=patience_from_cells(
                reached.loc[working, "joined_queue"].dt.floor("h"),
                reached.loc[working, "waited"],
                abandoned[working],
            ),
            redial=redial_share(
                customer=calls["customer"],
                day=calls["arrival"].dt.normalize(),
                arrival=arrival,
                ended=ended,
                abandoned=calls["outcome"] == "abandoned",
                answered=calls["outcome"] == "answered",
            ),
            days_of_calls=int(calls["arrival"].dt.normalize().nunique()),
        )
    except ValueError as reason:
        raise CcsimError(f"{calls_path}: too little history for a fit: {reason}") from reason


def _contact_type(
    reached: pd.DataFrame, weight: pd.Series[float], abandoned: pd.Series[bool]
) -> ContactTypeCalibration:
    # Every queued call belongs to one type, so its patience needs no fractions of calls.
    own_queued = reached["queued"] & (weight == 1.0)
    talked = reached["talk"].notna()
    return ContactTypeCalibration(
        share=float(weight.mean()),
        priority_share=float((reached.loc[own_queued, "priority"] == PRIORITY_CUSTOMER).mean()),
        abandonment=float((weight * abandoned).sum() / weight.sum()),
        talk_time=talk_time_fit(reached.loc[talked, "talk"], weight[talked]),
        patience=patience_kaplan_meier(reached.loc[own_queued, "waited"], abandoned[own_queued]),
    )


def _demand(
    profile: pd.DataFrame, reached: pd.DataFrame, weights: pd.DataFrame, reached_agents: float
) -> pd.DataFrame:
    """Mean contacts by weekday, half-hour and contact type."""
    import numpy as np
    import pandas as pd

    arrival = pd.DatetimeIndex(reached["arrival"])
    hour = pd.Series(arrival.hour, index=reached.index).astype(str).str.zfill(2)
    weekday = pd.Series(_weekday_names(arrival), index=reached.index)
    # Priority by service over the month; mix of services by hour: the average weight of a service
    # stands for each of its calls, which steadies the hours with few calls.
    by_service = weights.groupby(reached["service"]).mean().reindex(reached["service"])
    by_service.index = reached.index
    shares = by_service.groupby(weekday + " " + hour).mean()
    overall = weights.mean()
    keys = profile["weekday"] + " " + profile["start"].str[:2]
    share = shares.reindex(keys).fillna(overall).to_numpy(np.float64)
    demand = profile[["weekday", "start"]].copy()
    mean = profile["mean"].to_numpy(np.float64) * reached_agents
    for column, name in enumerate(CONTACT_TYPES):
        demand[name] = mean * share[:, column]
    return demand


def _weekday_names(index: pd.DatetimeIndex) -> pd.Index[str]:
    import numpy as np
    import pandas as pd

    names: pd.Index[str] = pd.Index(np.array(WEEKDAYS, dtype=object)[index.day_of_week])
    return names


def _is_open(
    index: pd.DatetimeIndex, opening: Mapping[str, tuple[str, str]]
) -> npt.NDArray[np.bool_]:
    names = _weekday_names(index)
    clock = index.strftime("%H:%M")
    opens = names.map({day: hours[0] for day, hours in opening.items()}).fillna("99:99")
    closes = names.map({day: hours[1] for day, hours in opening.items()}).fillna("00:00")
    inside: npt.NDArray[np.bool_] = ((clock >= opens) & (clock < closes)).astype(bool)
    return inside
