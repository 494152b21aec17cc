"""The user's own day, interval by interval, as the exact law of a centre that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.keyed import draw, stream_key
from ccsim.performance.tally import GROUP_MEASURES
from ccsim.plans import PlacedShift, StaffingPlan
from ccsim.queueing import transient
from ccsim.scenario.calendar import lay_grid
from ccsim.scenario.case import Case
from ccsim.scenario.hours import OpeningHours
from ccsim.scenario.units import MICROSECONDS
from ccsim.verification.centres import (
    BUSY,
    TEAM,
    Centre,
    Pool,
    bare,
    contacts,
    exponential_patience,
    exponential_work,
    in_time,
    number,
    same_calendar,
    share,
    summed,
    to_microseconds,
    within,
)
from ccsim.verification.playing import Law, Played, Reduction

Floats = NDArray[np.float64]

_HOUR = 3600.0


def own_day(centre: Centre) -> Iterator[Reduction]:
    """M(t)/M/n(t)+M: the busiest day by interval, with the agents of the plan."""
    return map(_day_of, centre.pools)


def _day_of(pool: Pool) -> Reduction:
    case, step = pool.case, pool.step
    day = case.scenario.horizon.model_copy(update={"days": 1, "begins": "empty", "ends": "drain"})
    grid = lay_grid(day, "UTC")
    # A day of 25 hours is looked at for 24: what counts is the order of the intervals.
    window = _open_span(pool, grid.intervals)
    first, size = case.grid.day[window.start], window.stop - window.start
    coming = {kind.name: kind.coming[window] for kind in pool.kinds}
    volume = np.sum(list(coming.values()), axis=0)
    work = sum(float(coming[kind.name].sum()) * kind.handle.mean for kind in pool.kinds)
    handle = to_microseconds(work / float(volume.sum()))
    patience = _pooled_patience(pool, coming)
    agents = np.maximum(np.rint(pool.agents[window]), 1).astype(np.int64)
    if np.isinf(patience) and _floods(volume, agents, handle, step):
        # Where nobody gives up and too few are there, the queue would be all there is to see.
        agents = np.maximum(agents, np.ceil(volume * handle / step / BUSY).astype(np.int64))
    threshold = pool.kinds[0].threshold
    law = _law_of_day(volume / step, agents, handle, patience, threshold, step)
    minutes = round(step / 60)
    hours = OpeningHours((((0, size * minutes),),) * 7)
    types = {
        kind.name: bare(
            kind.given,
            open=hours,
            patience=exponential_patience(patience),
            targets=within(threshold),
            **exponential_work(handle),
        )
        for kind in pool.kinds
    }
    demand = {name: np.pad(c, (0, grid.intervals - size)) for name, c in coming.items()}
    base = same_calendar(case, types, demand)
    scenario = base.scenario.model_copy(update={"horizon": day, "time_zone": "UTC"})
    # The last interval of a horizon holds what is done after it.
    counted = min(size, grid.intervals - 1)
    indices = range(len(pool.kinds))
    offered = summed(*(contacts("offered", index) for index in indices))
    laws: list[Law] = [
        share(
            f"answered within {threshold:g} s",
            float(law["in_time"].sum() / volume.sum()),
            summed(*(in_time(index) for index in indices)),
            offered,
        ),
        number(
            "hours handling while open",
            float(law["in_hand"][:counted].sum() * step / _HOUR),
            _hours("handling", counted),
        ),
    ]
    if np.isfinite(patience):
        laws.insert(
            1,
            share(
                "give up",
                float(law["abandoned"].sum() / volume.sum()),
                summed(*(contacts("abandoned", index) for index in indices)),
                offered,
            ),
        )
    return Reduction(
        f"A whole day: {pool.names}",
        f"volume and agents of {case.grid.dates[first]}, interval by interval; mean handle time "
        f"{handle:.4g} s" + (f", mean patience {patience:.4g} s" if np.isfinite(patience) else ""),
        "all handle times and all patience exponential and alike, one queue, everybody can do "
        "everything; who goes home is drawn, and finishes her contact",
        Case(scenario, grid, demand, case.tables, case.variant),
        _roster(agents, round(step * MICROSECONDS), pool.names),
        tuple(laws),
    )


def _open_span(pool: Pool, most: int) -> slice:
    """The intervals without a gap, of one day, in which most work comes."""
    grid, load = pool.case.grid, pool.load
    best = max(range(grid.days), key=lambda day: float(load[grid.day == day].sum()))
    intervals = np.flatnonzero((grid.day == best) & (load > 0))
    runs = np.split(intervals, np.flatnonzero(np.diff(intervals) > 1) + 1)
    run = max(runs, key=lambda one: float(load[one].sum()))
    return slice(int(run[0]), int(run[:most][-1]) + 1)


def _pooled_patience(pool: Pool, coming: dict[str, Floats]) -> float:
    """Mean patience that gives all customers together their rate of giving up [s]."""
    volume = sum(float(part.sum()) for part in coming.values())
    rate = sum(float(coming[k.name].sum()) / k.patience_mean for k in pool.kinds if k.patience_mean)
    return to_microseconds(volume / rate) if rate > 0 else inf


def _floods(volume: Floats, agents: NDArray[np.int64], handle: float, step: float) -> bool:
    return bool((volume * handle / step > 0.98 * agents).any())


def _law_of_day(
    rates: Floats,
    agents: NDArray[np.int64],
    handle: float,
    patience: float,
    threshold: float,
    step: float,
) -> dict[str, Floats]:
    """Contacts in time and abandoned, and contacts in hand, of each step; served out at the end."""
    more = 1
    while True:
        law = transient(
            np.pad(rates, (0, more)),
            np.pad(agents, (0, more), mode="edge"),
            handle,
            patience,
            threshold,
            step=step,
        )
        if float(law.distribution[int(agents[-1]) + 1 :].sum()) < 1e-12:
            break
        more *= 2
    size = rates.size
    abandoned = law.abandoned[:size].copy()
    abandoned[-1] += law.abandoned[size:].sum()
    return {
        "in_time": (law.offered * law.service_level)[:size],
        "abandoned": abandoned,
        "in_hand": law.in_hand[:size],
    }


def _roster(
    agents: NDArray[np.int64], interval_us: int, name: str
) -> Callable[[int], StaffingPlan]:
    """Rosters, one for each replication: who goes home when fewer are needed is drawn.

    The exact law draws among all who are there, whether busy or not; a roster in which those who
    came last go first would favour the idle.
    """
    key = stream_key(0, "goes home", name)

    def of(replication: int) -> StaffingPlan:
        shifts: list[PlacedShift] = []
        here: list[tuple[int, int]] = []  # number, interval of arrival
        came = 0
        for interval, needed in enumerate([*agents.tolist(), 0]):
            for _ in range(needed - len(here)):
                here.append((came, interval))
                came += 1
            if needed < len(here):
                numbers = np.array([number_ for number_, _ in here])
                lots, _ = draw(key, replication, np.full(len(here), interval), numbers)
                order = np.argsort(lots, kind="stable") if needed else np.arange(len(here))
                for place in order[needed:].tolist():
                    begin = here[place][1]
                    length = (interval - begin) * interval_us
                    shifts.append(PlacedShift(TEAM, begin * interval_us, "any", length))
                here = [here[place] for place in sorted(order[:needed].tolist())]
        return StaffingPlan(schedule=tuple(sorted(shifts)))

    return of


def _hours(measure: str, size: int) -> Callable[[Played], Floats]:
    row = GROUP_MEASURES.index(measure)
    return lambda played: np.array(
        [played.tally.groups[row, 0, :size].sum() / (_HOUR * MICROSECONDS)]
    )
