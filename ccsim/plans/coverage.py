"""How many agents a plan puts on the floor, interval by interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ccsim.plans.plan import StaffingPlan
from ccsim.scenario.calendar import Grid


def scheduled_agents(
    plan: StaffingPlan, grid: Grid, *, cyclic: bool
) -> dict[str, NDArray[np.float64]]:
    """Agents scheduled on the floor per interval, by group, breaks taken off.

    A break of half an interval counts half. In a cyclic week what lies beyond the end wraps round.

    Returns
    -------
    dict of str to ndarray, shape (n_intervals,)

    Examples
    --------
    >>> from ccsim.plans import PlacedShift, StaffingPlan
    >>> from ccsim.scenario.calendar import HOUR_US, lay_grid
    >>> from ccsim.scenario.model import Horizon
    >>> grid = lay_grid(Horizon(start="2026-09-06", days=1, interval="60 min"), "UTC")
    >>> early = PlacedShift("desk", start=7 * HOUR_US, shift="early", length=3 * HOUR_US, agents=4)
    >>> scheduled_agents(StaffingPlan((early,)), grid, cyclic=False)["desk"][6:11].tolist()
    [0.0, 4.0, 4.0, 4.0, 0.0]
    """
    edges = np.arange(grid.intervals + 1, dtype=np.int64) * grid.interval_us
    time: dict[str, NDArray[np.float64]] = {}
    for group, agents in plan.by_interval.items():
        time[group] = np.array(agents, dtype=np.float64) * grid.interval_us
    for shift in plan.schedule:
        total = time.setdefault(shift.group, np.zeros(grid.intervals))
        for moved in (0, -grid.end) if cyclic else (0,):
            for start, end in shift.on_the_floor:
                inside = np.clip(edges, start + moved, end + moved)
                total += np.diff(inside) * float(shift.agents)
    return {group: spent / grid.interval_us for group, spent in time.items()}
