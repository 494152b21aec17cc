"""From what a simulation showed to the next requirement: raise what is short, lower what is not.

The formulas only say *where* an agent helps most; how much is missing, and whether it was enough,
the simulation says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.attendance import expected_agents, kept_share
from ccsim.demand.model import DemandModel
from ccsim.demand.table import mean_seconds
from ccsim.performance.promises import Kept
from ccsim.performance.sample import Sample
from ccsim.plans import StaffingPlan
from ccsim.queueing import erlang_a_abandonment, erlang_a_mean_wait, erlang_a_service_level
from ccsim.scenario.case import Case
from ccsim.scenario.model import Planning
from ccsim.scenario.targets import Target
from ccsim.scenario.units import MICROSECONDS
from ccsim.staffing.requirement import Requirement, covered_together, groups_of, leaving_rate

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

_DAY_QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
_MOST_STEPS = 3
_CAUTION = 0.8


@dataclass(frozen=True)
class Gap:
    """How far a promise is from what the search aims at.

    Attributes
    ----------
    kept : Kept
        The promise and its estimate.
    aim : float
        The target plus the planning margin.
    missing : float
        Contacts (or seconds waited, for a speed of answer) short of the aim over the window, per
        replication; negative when there is a surplus.
    """

    kept: Kept
    aim: float
    missing: float


def aim_of(target: Target, planning: Planning, extra: float = 0.0) -> float:
    """What the search aims at: the target and its margin, never past half of what is left.

    Examples
    --------
    >>> from ccsim.scenario.targets import parse_target
    >>> aim_of(parse_target("80% answered within 20 s, over each day"), Planning(margin="1%"))
    0.81
    """
    margin = planning.margin + extra
    if target.metric == "answered within":
        return min(target.value + margin, (1 + target.value) / 2)
    if target.metric == "average speed of answer":
        return target.value * (1 - margin)
    return max(target.value - margin, target.value / 2)


def gaps(kept: Sequence[Kept], sample: Sample, case: Case, extra: float = 0.0) -> tuple[Gap, ...]:
    """The gap of every promise in a sample."""
    offered = sample.measure("offered").mean(axis=0)
    names = list(case.scenario.contact_types)
    found = []
    for one in kept:
        target = one.promise.target
        aim = aim_of(target, case.scenario.planning, extra)
        volume = offered[names.index(one.promise.contact_type), list(one.promise.days)].sum()
        value = one.estimate.value
        if target.share_of_days is not None:
            value = _deciding_day(one)
        sign = 1.0 if target.sense == "at least" else -1.0
        missing = 0.0 if np.isnan(value) else sign * (aim - value) * float(volume)
        found.append(Gap(one, aim, missing))
    return tuple(found)


def _deciding_day(one: Kept) -> float:
    """Where a share of days stands, as a value of the measure, from mean and tenth percentile."""
    share, tenth = one.share_of_days, one.tenth_percentile
    if share is None or tenth is None:
        return one.estimate.value
    wanted = one.promise.target.share_of_days or 0.0
    # The day that decides a share of nine in ten is the tenth percentile; others lie in proportion.
    weight = (wanted - 0.5) / 0.4
    return one.estimate.value + weight * (tenth.value - one.estimate.value)


def adjusted(
    raised: Mapping[str, Integers],
    found: Sequence[Gap],
    case: Case,
    demand: DemandModel,
    requirement: Requirement,
    plan: StaffingPlan,
) -> dict[str, Integers]:
    """Agents to add to the requirement of types that share agents, for the next round.

    Where a promise is short, agents are added in the intervals of its window where the formula
    promises most for one more agent, until the shortfall is made good; where every promise has a
    surplus, they are taken away where they are missed least. What several promises ask of the same
    agents is not added up: the largest counts.
    """
    result = {}
    for together in sharing_agents(case):
        mine = [gap for gap in found if gap.kept.promise.contact_type in together]
        pool = _Pool(case, demand, requirement, plan, together)
        more = np.zeros(case.grid.intervals, dtype=np.int64)
        for gap in mine:
            if gap.missing > 0:
                steps = _take(pool.gains(gap, +1), gap.missing, largest=True)
                more = np.maximum(more, steps)
        less = np.zeros(case.grid.intervals, dtype=np.int64)
        for days in _finest_windows(mine):
            over = [gap for gap in mine if set(gap.kept.promise.days) & days]
            if all(gap.missing < 0 for gap in over):
                less += np.min(
                    [
                        _take(-pool.gains(gap, -1), -gap.missing * _CAUTION, largest=False)
                        for gap in over
                        if set(gap.kept.promise.days) == days
                    ],
                    axis=0,
                )
        wanted = whole_agents(pool.present + (more - less) * pool.turnout)
        name = "+".join(together)
        change = np.where(more > 0, np.maximum(wanted - pool.asked, 0), 0)
        change += np.where(less > 0, np.minimum(wanted - pool.asked, 0), 0)
        result[name] = np.array(raised.get(name, 0)) + change
    return result


def sharing_agents(case: Case) -> tuple[tuple[str, ...], ...]:
    """The contact types in sets that share agents, each type in one of them."""
    sets = sorted(covered_together(case.scenario), key=len, reverse=True)
    widest: list[tuple[str, ...]] = []
    for together in sets:
        if not any(set(together) <= set(other) for other in widest):
            widest.append(together)
    return tuple(widest)


def _finest_windows(found: Sequence[Gap]) -> list[set[int]]:
    """The shortest windows among the promises; longer ones only say whether to lower at all."""
    windows = {frozenset(gap.kept.promise.days) for gap in found}
    return [set(w) for w in sorted(windows, key=sorted) if not any(o < w for o in windows)]


def whole_agents(present: Floats) -> Integers:
    """The requirement that so many present agents just cover.

    Examples
    --------
    >>> whole_agents(np.array([4.7, 5.0])).tolist()
    [4, 5]
    """
    return np.floor(present + 1e-6).astype(np.int64)


def present_agents(plan: StaffingPlan, case: Case) -> dict[str, Floats]:
    """Agents expected on the floor per interval and group: scheduled, less what shrinks there."""
    return expected_agents(plan, case)


class _Pool:
    """Contact types that share agents, seen as one queue by the formula."""

    def __init__(
        self,
        case: Case,
        demand: DemandModel,
        requirement: Requirement,
        plan: StaffingPlan,
        together: tuple[str, ...],
    ) -> None:
        self.case = case
        groups = groups_of(case.scenario, together)
        present = present_agents(plan, case)
        self.present = np.sum([present[group] for group in groups], axis=0)
        # One scheduled agent more or fewer is so many who turn up.
        self.turnout = float(np.mean([kept_share(case, group) for group in groups]))
        row = requirement.row(*together)
        self.asked, self.load = row.agents, row.load
        drawn = {one.name: one for one in demand.contact_types if one.name in together}
        self.volume = {name: drawn[name].expected for name in together}
        total = np.sum(list(self.volume.values()), axis=0)
        weight = np.array(list(self.volume.values())) / np.where(total > 0, total, 1.0)
        handle = np.array([drawn[name].handle_seconds for name in together])
        leaving = np.array([leaving_rate(mean_seconds(drawn[name].patience)) for name in together])
        some = total > 0
        self.handle = np.where(some, (handle * weight).sum(axis=0), 1.0)
        with np.errstate(divide="ignore"):
            self.patience = np.where(some, 1 / (leaving[:, None] * weight).sum(axis=0), np.inf)

    def gains(self, gap: Gap, sign: int) -> Floats:
        """What each further agent more or fewer changes, shape (most steps, n_intervals).

        Contacts per replication, by Erlang A, averaged over days of different busyness.
        """
        promise = gap.kept.promise
        busy = day_quantiles(self.case, promise.contact_type)
        levels = []
        for taken in range(_MOST_STEPS + 1):
            agents = whole_agents(self.present + sign * self.turnout * taken)
            value = _measure(
                promise.target,
                self.case,
                promise.contact_type,
                np.multiply.outer(busy, self.load),
                np.maximum(agents, 0).astype(np.float64),
                self.handle,
                self.patience,
            )
            levels.append(value.mean(axis=0) * self.volume[promise.contact_type])
        inside = np.isin(self.case.grid.day, promise.days) & (self.load > 0)
        change = np.where(inside, np.diff(np.array(levels), axis=0), 0.0)
        return np.asarray(change, dtype=np.float64)


def _measure(
    target: Target,
    case: Case,
    name: str,
    load: Floats,
    agents: Floats,
    handle: Floats,
    patience: Floats,
) -> Floats:
    """The target's measure by formula, so that more is better."""
    if target.metric == "answered within":
        rule = case.scenario.contact_types[name].service_level
        return np.asarray(
            erlang_a_service_level(
                load,
                agents,
                handle,
                patience,
                (target.threshold or 0) / MICROSECONDS,
                formula=rule.formula,
                short_abandon=rule.short_abandon / MICROSECONDS,
            )
        )
    if target.metric == "average speed of answer":
        wait = np.asarray(erlang_a_mean_wait(load, agents, handle, patience, of="answered"))
        return np.asarray(-np.minimum(wait, 3600.0), dtype=np.float64)
    lost = erlang_a_abandonment(load, agents, handle, patience)
    return np.asarray(-lost, dtype=np.float64)


def day_quantiles(case: Case, name: str) -> Floats:
    """Five equally likely kinds of day: the factor of the forecast error on volume."""
    error = case.scenario.contact_types[name].demand.forecast_error
    if error is None:
        return np.ones(1)
    from scipy.special import gammaincinv

    shape = error.shape(case.scenario.horizon.published)
    factors = gammaincinv(shape, np.array(_DAY_QUANTILES)) / shape
    return np.asarray(factors / factors.mean(), dtype=np.float64)


def _take(gain: Floats, wanted: float, *, largest: bool) -> Integers:
    """How many steps in each interval, best first, until their gains add up to what is wanted."""
    steps = np.zeros(gain.shape[1], dtype=np.int64)
    order = np.argsort(-gain if largest else gain, axis=None, kind="stable")
    total = 0.0
    for flat in order.tolist():
        step, interval = divmod(flat, gain.shape[1])
        worth = float(gain[step, interval])
        if worth <= 1e-12:
            if largest:
                break
            continue
        if not largest and total + worth > wanted:
            break
        # Steps of one interval come in order: the second only after the first.
        if steps[interval] == step:
            steps[interval] += 1
            total += worth
        if largest and total >= wanted:
            break
    return steps
