"""What a plan can spare: shifts that may go without breaking a guard.

Guards are the minimum staff of a group, at every moment while it is open, and the interval floors
of contact types, by formula. Whether the promises can spare a shift, the simulation says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.model import DemandModel
from ccsim.demand.pace import mean_pace
from ccsim.demand.table import mean_seconds
from ccsim.performance.sample import Sample
from ccsim.plans import PlacedShift, StaffingPlan
from ccsim.scenario.case import Case
from ccsim.scenario.model import Skill
from ccsim.scenario.units import MICROSECONDS
from ccsim.staffing.adjust import present_agents
from ccsim.staffing.requirement import Requirement, covered_together, require
from ccsim.staffing.work import handle_factors

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

_ANY_NUMBER = 1_000_000
_TRANSFERS = 3
"""How often in a row a contact is passed on, for the formulas."""


def required(
    case: Case,
    demand: DemandModel,
    raised: dict[str, Integers] | None = None,
    *,
    margin: float = 0.0,
) -> Requirement:
    """What the formulas ask for; redials beyond the first attempts are left to the simulation.

    Unresolved contacts come back in the interval of the first one, whoever is passed on queues in
    it too, and groups that differ are taken as if each handled as many, as are agents of one group
    who differ. Who tries another contact type next, who balks and who is called back are left to
    the simulation too: a first answer.
    """
    volume, handle = {}, {}
    paces = {pace.group: pace for pace in demand.paces if pace is not None}
    for given in demand.contact_types:
        repeat = case.scenario.contact_types[given.name].repeat
        able = [
            (group.skills[given.name], mean_pace(paces.get(name), case.grid))
            for name, group in case.scenario.agent_groups.items()
            if given.name in group.skills
        ]
        settled = np.mean([np.minimum(skill.resolution * own[1], 1) for skill, own in able], axis=0)
        most = repeat.at_most if repeat else 0
        volume[given.name] = given.expected * sum((1 - settled) ** n for n in range(most + 1))
        longer = np.mean([handle_factors(skill)[0] * own[0] for skill, own in able], axis=0)
        handle[given.name] = given.handle_seconds * longer + _seconds_before(case, given.name)
    volume, handle = _with_transfers(case, volume, handle)
    return require(
        case,
        volume=volume,
        handle_seconds=handle,
        patience_seconds={
            given.name: mean_seconds(given.patience) for given in demand.contact_types
        },
        raised=raised,
        margin=margin,
    )


def _skills(case: Case, name: str) -> list[Skill]:
    return [g.skills[name] for g in case.scenario.agent_groups.values() if name in g.skills]


def _seconds_before(case: Case, name: str) -> float:
    """How long it rings on average before an agent answers: she is busy with it already."""
    groups = [g for g in case.scenario.agent_groups.values() if name in g.skills]
    return float(np.mean([group.ring for group in groups])) / MICROSECONDS


def _with_transfers(
    case: Case, volume: dict[str, Floats], handle: dict[str, Floats]
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Contacts that reach each queue, passed on ones too, and their mean handle time [s]."""
    skills = {name: _skills(case, name) for name in volume}
    transfers = [
        (name, skill.transfer, skill.transfer.probability / len(skills[name]))
        for name in volume
        for skill in skills[name]
        if skill.transfer is not None
    ]
    if not transfers:
        return volume, handle
    work = {name: volume[name] * handle[name] for name in volume}
    coming = volume
    for _ in range(_TRANSFERS):
        passed_on = {name: np.zeros_like(volume[name]) for name in volume}
        for name, transfer, share in transfers:
            more, lost = coming[name] * share, transfer.context_lost / MICROSECONDS
            passed_on[transfer.to] = passed_on[transfer.to] + more
            work[transfer.to] = work[transfer.to] + more * (handle[transfer.to] + lost)
        coming = passed_on
        volume = {name: volume[name] + coming[name] for name in volume}
    mean = {
        name: np.where(all_of > 0, work[name] / np.where(all_of > 0, all_of, 1.0), handle[name])
        for name, all_of in volume.items()
    }
    return volume, mean


def spare_shifts(
    case: Case, plan: StaffingPlan, sample: Sample, guards: Requirement
) -> list[PlacedShift]:
    """Shifts of which one agent can go without breaking a guard, least needed first."""
    edges = np.arange(case.grid.intervals + 1) * case.grid.interval_us
    level = sample.intervals.estimates("service_level").value
    offered = sample.intervals.estimates("offered").value
    late = (np.nan_to_num(1 - level) * offered).sum(axis=0)

    def need(shift: PlacedShift) -> float:
        """Contacts not answered in time while the shift is on the floor, per paid hour."""
        covered = np.zeros(case.grid.intervals)
        for moved in (0, -case.grid.end):
            for start, end in shift.on_the_floor:
                covered += np.diff(np.clip(edges, start + moved, end + moved)).astype(np.float64)
        return float((covered * late).sum() / max(shift.paid, 1))

    ranked = sorted(plan.schedule, key=lambda shift: (need(shift), shift))
    return [
        shift
        for shift in ranked
        if _keeps_minimum_staff(case, fewer := without(plan, [shift]))
        and _keeps_guards(case, fewer, guards)
    ]


def guards_of(case: Case, demand: DemandModel) -> Requirement:
    """What no search may go below: the interval floors of the contact types."""
    nobody = np.full(case.grid.intervals, -_ANY_NUMBER, dtype=np.int64)
    sets = covered_together(case.scenario)
    return required(case, demand, {"+".join(types): nobody for types in sets})


def _keeps_guards(case: Case, plan: StaffingPlan, guards: Requirement) -> bool:
    present = present_agents(plan, case)
    return all(
        (np.sum([present[group] for group in row.groups], axis=0) >= row.agents - 1e-6).all()
        for row in guards.rows
    )


def without(plan: StaffingPlan, shifts: Iterable[PlacedShift]) -> StaffingPlan:
    """The plan with one agent fewer on each of some shifts."""
    going = Counter(shifts)
    left = [replace(shift, agents=shift.agents - going[shift]) for shift in plan.schedule]
    return replace(plan, schedule=tuple(shift for shift in left if shift.agents > 0))


def _keeps_minimum_staff(case: Case, plan: StaffingPlan) -> bool:
    """Whether every group keeps its minimum at every moment while one of its types is open."""
    scenario, grid = case.scenario, case.grid
    turns = (0, -grid.end) if scenario.horizon.begins == "cyclic" else (0,)
    for name, group in scenario.agent_groups.items():
        mine = [shift for shift in plan.schedule if shift.group == name]
        if not group.minimum_staff or not mine:
            continue
        stretches = np.array(
            [
                (start + turn, end + turn, shift.agents)
                for shift in mine
                for start, end in shift.on_the_floor
                for turn in turns
            ]
        ).T
        # Staff changes only where a stretch begins or ends; opening hours on the grid.
        moments = np.unique(np.concatenate([stretches[0], stretches[1], grid.starts]))
        moments = moments[(moments >= 0) & (moments < grid.end)]
        is_open = np.any([grid.opening(scenario.hours(skill)) for skill in group.skills], axis=0)
        there = _so_far(stretches[0], stretches[2], moments) - _so_far(
            stretches[1], stretches[2], moments
        )
        if (there[is_open[moments // grid.interval_us]] < group.minimum_staff).any():
            return False
    return True


def _so_far(when: Integers, agents: Integers, moments: Integers) -> Integers:
    """Agents whose stretch has begun (or ended) by each moment."""
    order = np.argsort(when, kind="stable")
    total = np.concatenate([[0], np.cumsum(agents[order])])
    return np.asarray(total[np.searchsorted(when[order], moments, side="right")], dtype=np.int64)
