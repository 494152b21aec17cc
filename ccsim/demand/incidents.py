"""Contacts that an incident brings: how many, when, and how many a notice saves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.keyed import CERTAIN_PPM as PPM
from ccsim.demand.keyed import threshold_ppm
from ccsim.scenario.calendar import Grid
from ccsim.scenario.case import Case
from ccsim.scenario.demand import MOST_INCIDENTS, Incident
from ccsim.scenario.units import MICROSECONDS

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

FIRST_ORDINAL = 1 << 23
"""Ordinals of an interval from here on belong to incidents; below are the ordinary contacts."""
ROOM = FIRST_ORDINAL // MOST_INCIDENTS
"""Ordinals of one incident in an interval."""
_AT_ONCE = 1e-9  # [s]


@dataclass(frozen=True, eq=False)
class IncidentModel:
    """What one incident brings to one contact type.

    Attributes
    ----------
    name : str
        The incident; with the contact type it keys how many come.
    number : int
        Its place among the scenario's incidents: it says which ordinals are its own.
    mean : ndarray, shape (n_intervals,)
        Mean contacts without a notice, while open.
    begin, length : ndarray of int64, shape (n_intervals,)
        When in each interval they come, evenly [µs since the start of the horizon].
    talk_ppm : int
        Talk time as a multiple of the usual [per million].
    notice : int
        From when on the notice saves contacts [µs]; the end of the horizon if there is none.
    saved_ppm : int
        The chance that it saves one [per million].
    shut_out : float
        Mean contacts that do not come: closed then, or after the horizon.
    """

    name: str
    number: int
    mean: Floats
    begin: Integers
    length: Integers
    talk_ppm: int
    notice: int
    saved_ppm: int
    shut_out: float

    @property
    def first_ordinal(self) -> int:
        """The smallest of its ordinals in every interval."""
        return FIRST_ORDINAL + self.number * ROOM

    @property
    def saved(self) -> Floats:
        """Mean contacts that the notice saves, shape (n_intervals,)."""
        end = self.begin + self.length
        after = np.clip(end - self.notice, 0, self.length) / np.maximum(self.length, 1)
        return np.asarray(self.mean * after * (self.saved_ppm / PPM))

    @property
    def coming(self) -> Floats:
        """Mean contacts that come in spite of the notice, shape (n_intervals,)."""
        return self.mean - self.saved


def come_by(seconds: Floats, lasts: float, delay: float) -> Floats:
    """Share of an incident's contacts that have come so long after its start [s].

    Notes
    -----
    Customers notice evenly over its length L and contact after an exponential time of mean d:
    up to L it is (t − d (1 − e^(−t/d))) / L, and then 1 − (d/L) e^(−(t−L)/d) (1 − e^(−L/d)).

    Examples
    --------
    >>> come_by(np.array([0.0, 1800.0, 3600.0, 7200.0]), 3600.0, 0.0).tolist()
    [0.0, 0.5, 1.0, 1.0]
    >>> come_by(np.array([3600.0, 7200.0]), 3600.0, 1200.0).round(4).tolist()
    [0.6833, 0.9842]
    """
    t = np.maximum(seconds, 0.0)
    during = np.minimum(t, lasts)
    if delay < _AT_ONCE:
        return during / lasts
    growing = during + delay * np.expm1(-during / delay)
    later = np.maximum(t - lasts, 0.0)
    rest = -delay * np.expm1(-lasts / delay)  # of those who noticed, still to come at the end
    return np.asarray((growing - rest * np.expm1(-later / delay)) / lasts)


def compile_incidents(case: Case) -> Mapping[str, tuple[IncidentModel, ...]]:
    """What the scenario's incidents bring, by contact type."""
    scenario, grid = case.scenario, case.grid
    return {
        name: tuple(
            _incident(name, key, number, given, grid, grid.opening(scenario.hours(name)))
            for number, (key, given) in enumerate(scenario.incidents.items())
            if given.contacting.get(name)
        )
        for name in scenario.contact_types
    }


def _incident(
    contact_type: str,
    name: str,
    number: int,
    given: Incident,
    grid: Grid,
    is_open: NDArray[np.bool_],
) -> IncidentModel:
    start = given.start
    day = (start.date() - date.fromisoformat(grid.dates[0])).days
    begins = grid.instant(day, start.hour * 60 + start.minute)
    starts, ends = grid.starts, grid.starts + grid.interval_us
    begin = np.clip(begins, starts, ends)
    # Without a delay the last ones come as it ends.
    stop = np.clip(begins + given.lasts, starts, ends) if given.delay == 0 else ends
    edges = np.append(starts, grid.end) - begins
    come = come_by(edges / MICROSECONDS, given.lasts / MICROSECONDS, given.delay / MICROSECONDS)
    total = given.customers * given.contacting[contact_type]
    mean = np.where(is_open, total * np.diff(come), 0.0)
    notice, saves = grid.end, 0.0
    if given.notice is not None:
        notice, saves = begins + given.notice.after, given.notice.saves
    return IncidentModel(
        name=name,
        number=number,
        mean=mean,
        begin=begin,
        length=np.maximum(stop - begin, 0),
        talk_ppm=round(given.talk_time * PPM),
        notice=notice,
        saved_ppm=threshold_ppm(saves),
        shut_out=float(total - mean.sum()),
    )
