"""Agents who may be expected on the floor: scheduled, less absence, log-in and lateness.

Means over all that chance may do, worked out from the very tables from which it is drawn.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.model import PPM, AbsenceModel, UntimelyModel, compile_demand
from ccsim.demand.table import exact_sum, survival_at
from ccsim.plans.coverage import scheduled_agents
from ccsim.plans.plan import PlacedShift, StaffingPlan
from ccsim.scenario.case import Case
from ccsim.scenario.units import MICROSECONDS

Floats = NDArray[np.float64]


def expected_agents(plan: StaffingPlan, case: Case) -> dict[str, Floats]:
    """Agents expected on the floor per interval and group, breaks taken off.

    Returns
    -------
    dict of str to ndarray, shape (n_intervals,)

    Notes
    -----
    Of every agent of a shift P(late + log-in ≤ x) · P(leaves early < rest) · (1 - unplanned) is on
    the floor x after its begin. Second by second: exact where lateness comes in whole seconds.
    """
    cyclic = case.scenario.horizon.begins == "cyclic"
    scheduled = scheduled_agents(plan, case.grid, cyclic=cyclic)
    nobody = np.zeros(case.grid.intervals)
    edges = np.arange(case.grid.intervals + 1, dtype=np.int64) * case.grid.interval_us
    expected = {}
    for given in compile_demand(case).absence:
        on_the_floor = scheduled.get(given.group, nobody)
        for shift in plan.schedule if not given.timely else ():
            if shift.group == given.group:
                lost = np.zeros(case.grid.intervals)
                for moved in (0, -case.grid.end) if cyclic else (0,):
                    for start, end in shift.on_the_floor:
                        inside = np.clip(edges - moved, start, end)
                        lost += np.diff(inside) - np.diff(_worked_until(given, shift, inside))
                on_the_floor = on_the_floor - lost * (shift.agents / case.grid.interval_us)
        shrinkage = case.scenario.agent_groups[given.group].shrinkage
        expected[given.group] = on_the_floor * (1 - shrinkage.unplanned)
    return expected


def _worked_until(given: AbsenceModel, shift: PlacedShift, moments: NDArray[np.int64]) -> Floats:
    """Mean time from the begin of a shift that is worked until moments, breaks counted too [µs]."""
    begin, end = shift.on_the_floor[0][0], shift.on_the_floor[-1][1]
    worked = _worked(given, end - begin)
    return np.interp((moments - begin) / MICROSECONDS, np.arange(len(worked)), worked) * (
        MICROSECONDS
    )


@lru_cache(maxsize=64)
def _worked(given: AbsenceModel, length: int) -> Floats:
    """Mean time worked in the first 0, 1, … seconds of a shift so long [s]."""
    seconds = -(-length // MICROSECONDS)
    middle: Floats = np.arange(seconds, dtype=np.float64) + 0.5
    come = _by(given.late, np.asarray(middle - given.log_in / MICROSECONDS, np.float64))
    gone = _by(given.leaves_early, np.asarray(length / MICROSECONDS - middle, np.float64))
    return np.concatenate([[0.0], np.cumsum(come * gone)])


def _by(given: UntimelyModel | None, seconds: Floats) -> Floats:
    """The chance that it happens by no more than so much."""
    if given is None:
        return (seconds >= 0).astype(np.float64)
    more = given.share_ppm / PPM * survival_at(given.by, np.maximum(seconds, 0.0))
    return np.where(seconds >= 0, 1 - more, 0.0)


def kept_share(case: Case, group: str) -> float:
    """Share of its scheduled time on the floor that a group is expected there.

    The mean over its kinds of shift, each as if it had no breaks: where a shift begins and ends the
    loss is larger, in its middle there is none but absence.
    """
    scenario = case.scenario
    given = next(one for one in compile_demand(case).absence if one.group == group)
    lengths = [scenario.shifts[kind].length for kind in scenario.agent_groups[group].shifts]
    kept = [_worked(given, length)[-1] * MICROSECONDS / length for length in lengths]
    timely = exact_sum(np.array(kept)) / len(kept) if kept and not given.timely else 1.0
    return timely * (1 - scenario.agent_groups[group].shrinkage.unplanned)
