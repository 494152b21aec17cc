"""What an engine needs, compiled from a case and a plan to plain integers and arrays."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.model import PPM, DemandModel
from ccsim.demand.table import NEVER
from ccsim.errors import PlanError
from ccsim.plans.plan import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.simulation.rules import (
    Access,
    Again,
    Announcing,
    Queueing,
    Skills,
    access_of,
    again_of,
    announcing_of,
    queueing_of,
    skills_of,
)

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Stretches:
    """When agents are meant to be on the floor, one row for each stretch without a break.

    Attributes
    ----------
    agent : ndarray of int64, shape (n_stretches,)
        Index of the agent.
    ordinal, day : ndarray of int64
        With the group, the agent-day that decides whether she is there.
    start, end : ndarray of int64
        On the floor from, until [µs]; sorted by start, then agent.
    shift_start, shift_end : ndarray of int64
        When the first stretch of her shift begins, and the last one ends [µs].
    in_shift : ndarray of bool
        Whether it is of a shift; who is staffed by interval has none to be late for.
    serves_out : ndarray of bool
        Whether everything she serves is closed when it ends: then she serves whoever came in time.
    """

    agent: Integers
    ordinal: Integers
    day: Integers
    start: Integers
    end: Integers
    shift_start: Integers
    shift_end: Integers
    in_shift: Booleans
    serves_out: Booleans

    @property
    def ends_shift(self) -> Booleans:
        """Whether the shift ends with this stretch (else a break follows)."""
        return np.asarray(self.end == self.shift_end)


@dataclass(frozen=True, eq=False)
class Model:
    """A centre with its plan, compiled; read by an engine, changed by nobody.

    Attributes
    ----------
    contact_types, groups : tuple of str
        Names; every index below points into them.
    skills : Skills
        Who handles what, and how.
    access : Access
        Who gets in.
    queueing : Queueing
        Who is taken first.
    announcing : Announcing
        What is told on joining the queue.
    ring : ndarray of int64, shape (n_groups,)
        How long it rings before an agent answers [µs].
    keeps_breaks : ndarray of bool, shape (n_groups,)
        Whether a break that begins late keeps its length, and not its end.
    open : ndarray of bool, shape (n_contact_types, n_intervals)
        Whether an arrival is let in.
    interval_us, begin, end : int
        Length of an interval; begin of the run (negative with a warm-up) and end of the horizon.
    cyclic : bool
        Whether what lies beyond the end belongs to the beginning.
    cut : bool
        Whether everything stops at the end, or whoever came in time is served out.
    redials, repeats : Again
        Who contacts again, because of no answer or because the matter was not settled.
    agent_group : ndarray of int64, shape (n_agents,)
        The group of each agent.
    stretches : Stretches
        When they are meant to be on the floor.
    agents_differ : bool
        Whether agents of one group may differ in handle time or resolution.
    """

    contact_types: tuple[str, ...]
    groups: tuple[str, ...]
    skills: Skills
    access: Access
    queueing: Queueing
    announcing: Announcing
    ring: Integers
    keeps_breaks: Booleans
    open: Booleans
    interval_us: int
    begin: int
    end: int
    cyclic: bool
    cut: bool
    redials: Again
    repeats: Again
    agent_group: Integers
    stretches: Stretches
    agents_differ: bool = False

    def later(self, contact_type: int, moment: int, delay: int, *, opening: bool) -> int:
        """When a delay from a moment is over [µs], perhaps on a clock that stands while closed."""
        if not opening:
            return moment + delay
        is_open = self.open[contact_type]
        while moment < self.end:
            interval = moment // self.interval_us
            follows = (interval + 1) * self.interval_us
            if is_open[interval % len(is_open)]:
                if delay < follows - moment:
                    return moment + delay
                delay -= follows - moment
            moment = follows
        return moment

    @property
    def overflows(self) -> list[list[int]]:
        """Waits after which more groups may take a contact [µs], rising, by contact type."""
        skilled, after = self.skills.priority > 0, self.skills.after
        return [
            sorted(set(after[skilled[:, kind], kind].tolist()) - {0})
            for kind in range(len(self.contact_types))
        ]

    @property
    def varied(self) -> bool:
        """Whether there is more than skills with priorities, stretches, patience and redials."""
        skills, access, queueing = self.skills, self.access, self.queueing
        return bool(
            (skills.handle_ppm != PPM).any()
            or skills.unresolved_below.any()
            or skills.after.any()
            or skills.reserve.any()
            or skills.transfer_below.any()
            or self.redials.elsewhere_ppm.any()
            or self.repeats.elsewhere_ppm.any()
            or (queueing.ageing != PPM).any()
            or queueing.carries_over.any()
            or (self.announcing.estimate >= 0).any()
            or self.ring.any()
            or self.keeps_breaks.any()
            or (access.queue_limit < NEVER).any()
            or (access.line_group >= 0).any()
            or access.agent_choice.any()
            or len(access.closing)
            or self.agents_differ
        )


@dataclass(frozen=True, order=True)
class _Agent:
    """Someone who works: group, first day, what tells her from others, and her stretches.

    Each stretch has start, end, the day that decides about absence, and when the shift of which it
    is a part starts and ends. Only agents by interval have an ordinal of their own.
    """

    group: int
    day: int
    key: tuple[int, int, str]
    stretches: tuple[tuple[int, int, int, int, int], ...]
    ordinal: int | None = None


def compile_model(case: Case, demand: DemandModel, plan: StaffingPlan) -> Model:
    """Compile a case and a plan.

    Raises
    ------
    PlanError
        If the plan does not fit the scenario. A group that it leaves out has nobody there.
    """
    scenario, grid = case.scenario, case.grid
    contact_types, groups = tuple(scenario.contact_types), tuple(scenario.agent_groups)
    check_plan(case, plan)
    is_open = np.array([grid.opening(scenario.hours(name)) for name in contact_types])
    skills = skills_of(scenario)
    begin = -demand.warm_up_intervals * grid.interval_us
    agents = sorted(
        [
            *_scheduled(case, plan, begin, cyclic=scenario.horizon.begins == "cyclic"),
            *_by_interval(case, plan, demand.warm_up_intervals),
        ],
        key=lambda agent: (agent.group, agent.day, agent.key, agent.stretches),
    )
    ordinals: Counter[tuple[int, int]] = Counter()
    rows = []
    for index, agent in enumerate(agents):
        ordinal = ordinals[agent.group, agent.day] if agent.ordinal is None else agent.ordinal
        ordinals[agent.group, agent.day] += 1
        is_closed = partial(_is_closed, case, is_open[skills.priority[agent.group] > 0].any(axis=0))
        rows += [
            (start, index, end, ordinal, day, *shift, agent.ordinal is None, is_closed(end))
            for start, end, day, *shift in agent.stretches
        ]
    rows.sort()
    start, owner, end, ordinal_of, day_of, shift_start, shift_end, in_shift, serves_out = (
        np.array(column, dtype=np.int64)
        for column in (zip(*rows, strict=True) if rows else [()] * 9)
    )
    return Model(
        contact_types=contact_types,
        groups=groups,
        skills=skills,
        access=access_of(scenario, grid, is_open, begin),
        queueing=queueing_of(scenario),
        announcing=announcing_of(scenario),
        ring=np.array([group.ring for group in scenario.agent_groups.values()], np.int64),
        keeps_breaks=np.array(
            [group.late_break == "keeps_length" for group in scenario.agent_groups.values()]
        ),
        open=is_open,
        interval_us=grid.interval_us,
        begin=begin,
        end=grid.end,
        cyclic=scenario.horizon.begins == "cyclic",
        cut=scenario.horizon.ends == "cut",
        redials=again_of(contact_types, [g.redial for g in scenario.contact_types.values()]),
        repeats=again_of(contact_types, [g.repeat for g in scenario.contact_types.values()]),
        agent_group=np.array([agent.group for agent in agents], dtype=np.int64),
        stretches=Stretches(
            agent=owner,
            ordinal=ordinal_of,
            day=day_of,
            start=start,
            end=end,
            shift_start=shift_start,
            shift_end=shift_end,
            in_shift=in_shift.astype(bool),
            serves_out=serves_out.astype(bool),
        ),
        agents_differ=bool(demand.paces),
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


def _scheduled(case: Case, plan: StaffingPlan, begin: int, *, cyclic: bool) -> list[_Agent]:
    """Agents of the shifts; a cyclic week is preceded by itself."""
    names = list(case.scenario.agent_groups)
    grid = case.grid
    agents = []
    for shift in plan.schedule:
        first = int(np.searchsorted(grid.day_starts, shift.start, side="right")) - 1
        for turn in (-1, 0) if cyclic else (0,):
            moved, day = turn * grid.end, first + turn * grid.days
            on_the_floor = [(start + moved, end + moved) for start, end in shift.on_the_floor]
            stretches = tuple(
                (max(start, begin), end, day, on_the_floor[0][0], on_the_floor[-1][1])
                for start, end in on_the_floor
                if end > begin
            )
            if stretches:
                key = (shift.start, shift.length, shift.shift)
                agents += [_Agent(names.index(shift.group), day, key, stretches)] * shift.agents
    return agents


def _by_interval(case: Case, plan: StaffingPlan, warm_up: int) -> list[_Agent]:
    """Agents of groups staffed by interval: the k-th is there while more than k are needed.

    At midnight her stretch goes on, but as another day, on which she may be absent.
    """
    names = list(case.scenario.agent_groups)
    grid = case.grid
    numbers = np.arange(-warm_up, grid.intervals)
    days = grid.day[numbers % grid.intervals] - np.where(numbers < 0, grid.days, 0)
    agents = []
    for name, planned in plan.by_interval.items():
        level = np.array(planned, dtype=np.int64)[numbers % grid.intervals]
        for k in range(int(level.max(initial=0))):
            there = np.concatenate([[False], level > k, [False]])
            new_day = np.concatenate([[False], np.diff(days) != 0, [False]])
            begins = np.flatnonzero(there[1:] & (~there[:-1] | new_day))
            ends = np.flatnonzero(there[:-1] & (~there[1:] | new_day))
            # What goes on at midnight began when the whole of it did, and ends with it.
            comes = np.flatnonzero(there[1:] & ~there[:-1])
            goes = np.flatnonzero(there[:-1] & ~there[1:])
            whole = np.searchsorted(comes, begins, side="right") - 1
            first, last, shift_start, shift_end = (
                ((edges - warm_up) * grid.interval_us).tolist()
                for edges in (begins, ends, comes[whole], goes[whole])
            )
            day = days[begins].tolist()
            stretches = tuple(zip(first, last, day, shift_start, shift_end, strict=True))
            group = names.index(name)
            agents.append(_Agent(group, stretches[0][2], (k, 0, ""), stretches, ordinal=k))
    return agents


def _is_closed(case: Case, served: Booleans, moment: int) -> bool:
    """Whether nobody can come any more to whom a group could talk: closed, or past the end."""
    grid = case.grid
    if moment >= grid.end:
        return True
    return not served[moment // grid.interval_us % grid.intervals]
