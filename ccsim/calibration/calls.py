"""History call by call: the per-call file of a bank, in plain words and cleaned.

The layout is that of the "Anonymous Bank" file of the Technion: one row for every call that left
the voice-response unit (IVR) toward an agent. Customer ids stay in memory and agent names are not
even read: nothing here writes a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ccsim.calibration.tables import (
    read_table,
    require_columns,
    to_clock_seconds,
    to_dates,
    to_numbers,
)
from ccsim.errors import CcsimError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "customer_id",
    "priority",
    "type",
    "date",
    "vru_entry",
    "vru_exit",
    "vru_time",
    "q_time",
    "outcome",
    "ser_start",
    "ser_time",
)
SERVICES = {
    "PS": "service",
    "PE": "service_english",
    "NW": "prospect",
    "NE": "stock",
    "IN": "internet_help",
    "TT": "call_back",
}
CONTACT_TYPES = ("regular_call", "priority_call", "stock_call")
PRIORITY_CUSTOMER = 2


@dataclass(frozen=True)
class Cleaning:
    """What was dropped from a per-call file and what was kept with a repair, row by row counted.

    Attributes
    ----------
    rows_read, rows_kept : int
        Rows of the file, and rows that remain.
    phantom : int
        Dropped: outcome PHANTOM, which the file's authors ask to ignore.
    negative_ivr_time : int
        Dropped: IVR time below zero (and not PHANTOM).
    service_before_ivr_exit : int
        Kept: the agent's clock starts before the IVR's ends, so only recorded durations are used.
    past_midnight : int
        Kept: waiting or talk runs past midnight; counted in the interval and day of arrival.
    answered_without_talk_time : int
        Kept as answered, but no talk time was recorded.
    talk_without_answer : int
        Kept as not answered, the talk time recorded with it ignored.
    """

    rows_read: int
    rows_kept: int
    phantom: int
    negative_ivr_time: int
    service_before_ivr_exit: int
    past_midnight: int
    answered_without_talk_time: int
    talk_without_answer: int


def read_calls(path: Path | str) -> tuple[pd.DataFrame, Cleaning]:
    """Read a per-call file: one tidy row per call, with the count of what was dropped.

    Parameters
    ----------
    path : Path or str
        Tab-separated file, plain or gzipped.

    Returns
    -------
    calls : DataFrame
        In order of arrival: `arrival` (local time of entering the IVR, without zone), `service`
        (what the caller wanted), `priority` (0, 1; 2 is a priority customer; 0 also when nobody
        asked because the call did not queue), `queued`, `waited` [s], `outcome` (`answered`,
        `abandoned` in the queue, `left_before_queue`), `talk` [s] (missing unless answered and
        recorded), `joined_queue` (local time), `customer` (number for use in memory; 0 unknown).
    cleaning : Cleaning

    Raises
    ------
    CcsimError
        When the file is missing, is another file, or has a cell that cannot be read.
    """
    import numpy as np
    import pandas as pd

    table = read_table(path, "\t")
    require_columns(table, COLUMNS, path, "a per-call file (tab-separated)")
    if table.empty:
        raise CcsimError(f"{path}: a header and no calls")
    _known(table, "outcome", ("AGENT", "HANG", "PHANTOM"), path)
    _known(table, "type", tuple(SERVICES), path)

    midnight = to_dates(table, "date", path)
    entered = to_clock_seconds(table, "vru_entry", path)
    ivr = to_numbers(table, "vru_time", path)
    waited = to_numbers(table, "q_time", path)
    talk = to_numbers(table, "ser_time", path)
    for name, seconds in (("q_time", waited), ("ser_time", talk)):
        if (seconds < 0).any():
            raise CcsimError(f"{path}:{int((seconds < 0).argmax()) + 2}: {name} is below zero")

    phantom = (table["outcome"] == "PHANTOM").to_numpy()
    negative = ~phantom & (ivr < 0)
    kept = ~phantom & ~negative
    answered = (table["outcome"] == "AGENT").to_numpy()
    queued = waited > 0
    left_ivr = to_clock_seconds(table, "vru_exit", path)
    picked_up = to_clock_seconds(table, "ser_start", path)
    # Clocks wrap at midnight, so half a day separates "a second early" from "the day after".
    early = answered & ~queued & (picked_up < left_ivr) & (left_ivr - picked_up < 43_200)

    arrival = midnight + pd.to_timedelta(entered, unit="s")
    calls = pd.DataFrame(
        {
            "arrival": arrival,
            "joined_queue": arrival + pd.to_timedelta(ivr, unit="s"),
            "service": table["type"].map(SERVICES),
            "priority": to_numbers(table, "priority", path).astype(np.int64),
            "queued": queued,
            "waited": waited,
            "outcome": np.select(
                [answered, queued], ["answered", "abandoned"], "left_before_queue"
            ).astype(object),
            "talk": np.where(answered & (talk > 0), talk, np.nan),
            "customer": to_numbers(table, "customer_id", path).astype(np.int64),
        }
    )
    calls = calls[kept].sort_values("arrival", kind="stable").reset_index(drop=True)
    cleaning = Cleaning(
        rows_read=len(table),
        rows_kept=int(kept.sum()),
        phantom=int(phantom.sum()),
        negative_ivr_time=int(negative.sum()),
        service_before_ivr_exit=int((early & kept).sum()),
        past_midnight=int((kept & (entered + ivr + waited + talk >= 86_400)).sum()),
        answered_without_talk_time=int((kept & answered & (talk == 0)).sum()),
        talk_without_answer=int((kept & ~answered & (talk > 0)).sum()),
    )
    return calls, cleaning


def contact_type_weights(calls: pd.DataFrame) -> pd.DataFrame:
    """How much of each call belongs to each contact type: (n_calls, 3), rows sum to 1.

    Stock-exchange calls are `stock_call`. The others are `priority_call` when the caller is a
    priority customer, else `regular_call`. The file writes the priority only of calls that queued
    (others carry 0 whoever called), so a call that did not queue counts with the share of priority
    customers among the *queued* calls of its service. Limit: this takes it that who finds an idle
    agent does not depend on priority, given the service; an agent who is idle takes anybody.
    """
    import numpy as np
    import pandas as pd

    is_priority = (calls["priority"] == PRIORITY_CUSTOMER).astype(float)
    known = calls["queued"] | (calls["priority"] > 0)
    queued = calls["queued"]
    overall = float(is_priority[queued].mean()) if queued.any() else 0.0
    by_service = is_priority[queued].groupby(calls.loc[queued, "service"]).mean()
    expected = calls["service"].map(by_service).astype(float).fillna(overall)
    priority = np.where(known, is_priority, expected)
    stock = (calls["service"] == "stock").to_numpy()
    return pd.DataFrame(
        {
            "regular_call": np.where(stock, 0.0, 1.0 - priority),
            "priority_call": np.where(stock, 0.0, priority),
            "stock_call": stock.astype(float),
        },
        index=calls.index,
    )


def _known(table: pd.DataFrame, column: str, words: tuple[str, ...], path: Path | str) -> None:
    strange = ~table[column].isin(words)
    if strange.any():
        row = int(strange.to_numpy().argmax())
        raise CcsimError(
            f"{path}:{row + 2}: {column}: {table[column].iloc[row]!r} is not one of "
            f"{', '.join(words)}"
        )
