"""What an engine needs, compiled from a case and a plan to plain integers and arrays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.model import DemandModel
from ccsim.errors import PlanError
from ccsim.plans.plan import StaffingPlan
from ccsim.scenario.case import Case

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Stretches:
    """When agents are meant to be on the floor, one row for each stretch without a break.

    An agent-day (group, ordinal, day) has one or more stretches; the last ends the shift.

    Attributes
    ----------
    agent : ndarray of int64, shape (n_stretches,)
        Index of the agent-day.
    start, end : ndarray of int64
        On the floor from, until [µs]; sorted by start, then agent.
    ends_shift : ndarray of bool
        Whether the shift ends with this stretch (else a break follows).
    serves_out : ndarray of bool
        Whether it ends at closing time: then the agent serves whoever came in time.
    """

    agent: Integers
    start: Integers
    end: Integers
    ends_shift: Booleans
    serves_out: Booleans


@dataclass(frozen=True, eq=False)
class Model:
    """A centre with its plan, compiled; read by an engine, changed by nobody.

    Attributes
    ----------
    contact_types, groups : tuple of str
        Names; every index below points into them.
    priority : ndarray of int64, shape (n_groups, n_contact_types)
        1 is taken first; 0 means that the group lacks the skill.
    head_start : ndarray of int64, shape (n_contact_types,)
        [µs].
    open : ndarray of bool, shape (n_contact_types, n_intervals)
        Whether an arrival is let in.
    interval_us, begin, end : int
        Length of an interval; begin of the run (negative with a warm-up) and end of the horizon.
    cyclic : bool
        Whether what lies beyond the end belongs to the beginning.
    cut : bool
        Whether everything stops at the end, or whoever came in time is served out.
    redials_at_most : ndarray of int64, shape (n_contact_types,)
        The most redials of one request.
    agent_group, agent_ordinal, agent_day : ndarray of int64, shape (n_agents,)
        The key of each agent-day.
    stretches : Stretches
        When they are meant to be on the floor.
    """

    contact_types: tuple[str, ...]
    groups: tuple[str, ...]
    priority: Integers
    head_start: Integers
    open: Booleans
    interval_us: int
    begin: int
    end: int
    cyclic: bool
    cut: bool
    redials_at_most: Integers
    agent_group: Integers
    agent_ordinal: Integers
    agent_day: Integers
    stretches: Stretches


@dataclass(frozen=True, order=True)
class _AgentDay:
    group: int
    day: int
    shift: tuple[int, int, str]
    stretches: tuple[tuple[int, int], ...]


def compile_model(case: Case, demand: DemandModel, plan: StaffingPlan) -> Model:
    """Compile a case and a plan.

    Raises
    ------
    PlanError
        If the plan names a group that the scenario lacks, or leaves one out.
    """
    scenario, grid = case.scenario, case.grid
    contact_types, groups = tuple(scenario.contact_types), tuple(scenario.agent_groups)
    check_plan(case, plan)
    is_open = np.array([grid.opening(given.open) for given in scenario.contact_types.values()])
    priority = np.array(
        [
            [group.skills[name].priority if name in group.skills else 0 for name in contact_types]
            for group in scenario.agent_groups.values()
        ],
        dtype=np.int64,
    ).reshape(len(groups), len(contact_types))
    begin = -demand.warm_up_intervals * grid.interval_us
    agent_days = sorted(
        [
            *_scheduled(case, plan, begin, cyclic=scenario.horizon.begins == "cyclic"),
            *_by_interval(case, plan, demand.warm_up_intervals),
        ]
    )
    ordinals: dict[tuple[int, int], int] = {}
    keys, rows = [], []
    for index, agent in enumerate(agent_days):
        ordinal = ordinals.get((agent.group, agent.day), 0)
        ordinals[agent.group, agent.day] = ordinal + 1
        keys.append((agent.group, ordinal, agent.day))
        served = is_open[priority[agent.group] > 0].any(axis=0)
        rows += [
            (start, index, end, number == len(agent.stretches), _closes(case, served, end))
            for number, (start, end) in enumerate(agent.stretches, 1)
        ]
    rows.sort()
    start, owner, end, ends_shift, serves_out = (
        np.array(column, dtype=np.int64)
        for column in (zip(*rows, strict=True) if rows else [()] * 5)
    )
    key = np.array(keys, dtype=np.int64).reshape(-1, 3).T
    return Model(
        contact_types=contact_types,
        groups=groups,
        priority=priority,
        head_start=np.array(
            [g.head_start for g in scenario.contact_types.values()], dtype=np.int64
        ),
        open=is_open,
        interval_us=grid.interval_us,
        begin=begin,
        end=grid.end,
        cyclic=scenario.horizon.begins == "cyclic",
        cut=scenario.horizon.ends == "cut",
        redials_at_most=np.array(
            [given.redial.at_most if given.redial else 0 for given in demand.contact_types],
            dtype=np.int64,
        ),
        agent_group=key[0],
        agent_ordinal=key[1],
        agent_day=key[2],
        stretches=Stretches(owner, start, end, ends_shift.astype(bool), serves_out.astype(bool)),
    )


def check_plan(case: Case, plan: StaffingPlan) -> None:
    """Refuse a plan that does not fit the scenario, naming everything that does not."""
    groups = case.scenario.agent_groups
    scheduled = {shift.group for shift in plan.schedule}
    problems = [
        f"the plan staffs {name!r}, which is no agent group of {case.title!r} ({', '.join(groups)})"
        for name in sorted((scheduled | set(plan.by_interval)) - set(groups))
    ]
    problems += [
        f"the plan has both shifts and agents by interval for {name!r}; keep one of them"
        for name in sorted(scheduled & set(plan.by_interval))
    ]
    problems += [
        f"the plan gives {name!r} {len(agents)} intervals; the horizon has {case.grid.intervals}"
        for name, agents in plan.by_interval.items()
        if len(agents) != case.grid.intervals
    ]
    problems += [
        f"the plan puts a negative number of agents of {name!r} on the floor"
        for name, agents in plan.by_interval.items()
        if min(agents, default=0) < 0
    ]
    for shift in plan.schedule:
        inside = [(b.start, b.start + b.length) for b in shift.breaks]
        edges = [shift.start, *(edge for pause in inside for edge in pause), shift.end]
        if shift.agents < 0 or any(a > b for a, b in pairwise(edges)):
            problems.append(
                f"a {shift.shift!r} shift of {shift.group!r} has breaks outside it, out of order "
                "or overlapping, or a negative number of agents"
            )
        if not 0 <= shift.start < case.grid.end:
            problems.append(
                f"a {shift.shift!r} shift of {shift.group!r} starts outside the horizon"
            )
    if problems:
        raise PlanError("\n".join(dict.fromkeys(problems)))


def _scheduled(case: Case, plan: StaffingPlan, begin: int, *, cyclic: bool) -> list[_AgentDay]:
    """Agent-days of the shifts; a cyclic week is preceded by itself."""
    names = list(case.scenario.agent_groups)
    grid = case.grid
    agent_days = []
    for shift in plan.schedule:
        day = int(np.searchsorted(grid.day_starts, shift.start, side="right")) - 1
        for turn in (-1, 0) if cyclic else (0,):
            moved = turn * grid.end
            stretches = tuple(
                (max(a + moved, begin), b + moved)
                for a, b in shift.on_the_floor
                if b + moved > begin
            )
            if stretches:
                key = (shift.start, shift.length, shift.shift)
                agent = _AgentDay(names.index(shift.group), day + turn * grid.days, key, stretches)
                agent_days += [agent] * shift.agents
    return agent_days


def _by_interval(case: Case, plan: StaffingPlan, warm_up: int) -> list[_AgentDay]:
    """Agent-days of groups staffed by interval: the k-th agent is there while k are needed."""
    names = list(case.scenario.agent_groups)
    grid = case.grid
    agent_days = []
    for name, agents in plan.by_interval.items():
        level = np.concatenate(
            [np.array(agents)[grid.intervals - warm_up :], np.array(agents), [0]]
        )
        for k in range(int(level.max(initial=0))):
            there = np.concatenate([[0], (level > k).astype(np.int64)])
            for start, end in zip(
                np.flatnonzero(np.diff(there) == 1),
                np.flatnonzero(np.diff(there) == -1),
                strict=True,
            ):
                first = int(start) - warm_up
                day = int(grid.day[first % grid.intervals]) - (grid.days if first < 0 else 0)
                stretch = (first * grid.interval_us, (int(end) - warm_up) * grid.interval_us)
                agent_days.append(_AgentDay(names.index(name), day, (k, 0, ""), (stretch,)))
    return agent_days


def _closes(case: Case, served: Booleans, moment: int) -> bool:
    """Whether every contact type of a group closes just at this moment (or the horizon ends)."""
    grid = case.grid
    if moment >= grid.end:
        return moment == grid.end
    interval, rest = divmod(moment, grid.interval_us)
    before, after = served[(interval - 1) % grid.intervals], served[interval % grid.intervals]
    return rest == 0 and bool(before) and not bool(after)
