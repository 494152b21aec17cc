"""The shift model: the cheapest schedule that covers a requirement, solved by HiGHS through PuLP.

minimise   cost of the agents who start each shift, and of those staffed by interval
such that  on the floor, by those who turn up, in every slot and row  >=  required
           the begins of every break of a shift  =  the agents who start it
           minimum staff  <=  on the floor  <=  seats or capacity;  starters  <=  at_most

On the floor are all who have started and not ended, less those on a break. This is the only file
that imports PuLP. Columns are created in the order of their names, so that every version of PuLP
gives HiGHS the same matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, inf, isfinite
from time import perf_counter
from typing import Any, Literal

from ccsim.errors import InfeasibleError, SolverError
from ccsim.experiment import spread
from ccsim.plans.plan import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.scenario.model import Partner
from ccsim.staffing.highs import (
    SolverAnswer,
    SolverProgress,
    Status,
    relative_gap,
    run_highs,
)
from ccsim.staffing.program import Column, Program, Row
from ccsim.staffing.requirement import Requirement, RequirementRow
from ccsim.staffing.shift_rules import (
    IntervalStaff,
    PossibleShift,
    ShiftRules,
    Terms,
    columns_of,
    plan_from,
    shift_rules,
)

_ROUNDING = 1e-9
_SLACK_GAP = 0.02
_CROWDED = 1.5  # a second agent missing in one place counts for more than the first


Solved = dict[object, SolverAnswer]
"""Answers by gap and program, whatever the names of its columns."""


@dataclass(frozen=True, eq=False)
class ShiftSolution:
    """A schedule with what the solver knows about it.

    Attributes
    ----------
    plan : StaffingPlan
        Shifts with their breaks, and agents by interval.
    cost : float
        Its cost in the model: own time as billed, a partner's as estimated [currency].
    bound : float
        Model bound: no schedule that covers *these requirements* is cheaper. Not a bound on plans
        that keep the targets; that is `ccsim.staffing.valid_bound`.
    gap : float
        (cost - bound) / cost.
    status : str
        ``optimal within gap``, ``interrupted`` (Ctrl-C: the best so far) or ``stopped``.
    columns, rows : int
        Size of the model.
    seconds : float
        Time to build and to solve.
    """

    plan: StaffingPlan
    cost: float
    bound: float
    gap: float
    status: Literal["optimal within gap", "interrupted", "stopped"]
    columns: int
    rows: int
    seconds: float


def schedule_shifts(
    case: Case,
    requirement: Requirement,
    *,
    gap: float,
    progress: Callable[[SolverProgress], None] | None = None,
    warm_start: StaffingPlan | None = None,
    solved: Solved | None = None,
    workers: int = 1,
) -> ShiftSolution:
    """Find the cheapest shifts, breaks and interval staff that cover a requirement.

    Parameters
    ----------
    case : Case
        The centre with its shift rules and rate cards.
    requirement : Requirement
        Agents needed on the floor, from `ccsim.staffing.require`.
    gap : float
        Stop when no schedule can be cheaper by more than this share; after 500 branches in one
        part of the model the best so far is kept, with the gap it has.
    progress : callable, optional
        Called now and then with a `SolverProgress`.
    warm_start : StaffingPlan, optional
        A schedule to begin with; one that does not cover everything is no harm and little help.
    solved : dict, optional
        Answers of parts of the model met before; new ones are added. A search that changes one day
        does not solve the others again.
    workers : int
        Processes; parts of the model, such as days, are solved side by side.

    Raises
    ------
    InfeasibleError
        No schedule covers the requirement; says where, how many are missing, what would give.
    KeyboardInterrupt
        Ctrl-C before any schedule was found.
    PlanError
        The shift rules contradict themselves.

    Notes
    -----
    The requirement counts agents who are present, so scheduled agents are weighted with the share
    that turns up; where a row's groups share that share, the requirement is rounded up to whole
    agents. In a cyclic horizon a shift near the end wraps round to the first hours.
    """
    began = perf_counter()
    rules = shift_rules(case, requirement)
    program = shift_program(rules, requirement.rows)
    start = columns_of(rules, warm_start) if warm_start is not None else None
    answer, values = solve_program(
        program, gap=gap, progress=progress, warm_start=start, solved=solved, workers=workers
    )
    status = answer.status
    if status == "infeasible":
        raise InfeasibleError(what_is_missing(case, rules, requirement, program))
    if not values and program.columns:
        if status == "interrupted":
            raise KeyboardInterrupt
        raise SolverError("HiGHS stopped before it found any schedule; simplify the shifts")
    return ShiftSolution(
        plan=plan_from(case, rules, lambda column: round(values[column])),
        cost=answer.objective,
        bound=answer.bound,
        gap=answer.gap,
        status=status,
        columns=len(program.columns),
        rows=len(program.rows),
        seconds=perf_counter() - began,
    )


def shift_program(
    rules: ShiftRules, required: Sequence[RequirementRow] = (), extra: Iterable[Row] = ()
) -> Program:
    """Write the shift model down: columns in the order of their names, then rows."""
    columns = [*_shift_columns(rules), *_interval_columns(rules)]
    rows = [*_break_rows(rules), *_staff_rows(rules)]
    for row in required:
        rows += coverage_rows(rules, row)
    return Program(tuple(sorted(columns, key=lambda c: c.name)), (*rows, *extra))


def _shift_columns(rules: ShiftRules) -> Iterator[Column]:
    for possible in rules.shifts:
        most = inf if possible.at_most is None else float(possible.at_most)
        yield Column(possible.column, possible.cost, most=most)
        for pause in possible.breaks:
            if pause.earliest < pause.latest:
                for begin in range(pause.earliest, pause.latest + 1):
                    yield Column(possible.break_column(pause, begin), 0.0)


def _interval_columns(rules: ShiftRules) -> Iterator[Column]:
    for group, staff in rules.by_interval.items():
        for i, (least, most, cost) in enumerate(
            zip(staff.least.tolist(), staff.most.tolist(), staff.cost.tolist(), strict=True)
        ):
            yield Column(IntervalStaff.column(group, i), cost, float(least), most)


def _break_rows(rules: ShiftRules) -> Iterator[Row]:
    """Everyone who starts a shift begins each of its breaks once."""
    for possible in rules.shifts:
        for pause in possible.breaks:
            if pause.earliest < pause.latest:
                begins = range(pause.earliest, pause.latest + 1)
                terms = {possible.break_column(pause, begin): 1.0 for begin in begins}
                name = f"takes.{possible.group}.{possible.shift}.{possible.start:06d}.{pause.name}"
                yield Row(name, {**terms, possible.column: -1.0}, 0.0, 0.0)


def _staff_rows(rules: ShiftRules) -> Iterator[Row]:
    """Minimum staff while open, and never more than there are seats."""
    for group, minimum in rules.minimum.items():
        before: Terms | None = None
        limits_before = (0.0, 0.0)
        for slot, terms in enumerate(rules.on_the_floor[group]):
            limits = (float(minimum[slot]), float(rules.maximum[group][slot]))
            if (terms, limits) != (before, limits_before) and (
                limits[0] > 0 or isfinite(limits[1])
            ):
                yield Row(f"staff.{group}.{slot:06d}", terms, limits[0], limits[1])
            before, limits_before = terms, limits


def coverage_rows(rules: ShiftRules, required: RequirementRow) -> list[Row]:
    """On the floor and present, at least the agents required, slot by slot.

    Where all groups have a given size there is nothing to choose: the simulation tells what comes.
    """
    given = [g in rules.by_interval and rules.by_interval[g].given for g in required.groups]
    if given and all(given):
        return []
    presence = {rules.presence[group] for group in required.groups}
    same = presence.pop() if len(presence) == 1 else None
    rows: list[Row] = []
    before: tuple[Terms, int] | None = None
    for slot in range(rules.slots):
        needed = int(required.agents[rules.interval[slot]])
        if needed <= 0:
            before = None
            continue
        if same is not None and same > 0:
            least = float(ceil(needed / same - _ROUNDING))
            weight = dict.fromkeys(required.groups, 1.0)
        else:
            least, weight = float(needed), {g: rules.presence[g] for g in required.groups}
        terms = {
            column: factor * weight[group]
            for group in required.groups
            for column, factor in rules.on_the_floor[group][slot].items()
        }
        if before != (terms, needed):
            rows.append(Row(f"cover.{required.name}.{slot:06d}", terms, least))
        before = (terms, needed)
    return rows


def solve_program(
    program: Program,
    *,
    gap: float,
    progress: Callable[[SolverProgress], None] | None = None,
    warm_start: Mapping[str, float] | None = None,
    solved: Solved | None = None,
    workers: int = 1,
) -> tuple[SolverAnswer, dict[str, float]]:
    """Solve a program part by part, each to the gap; the answer, and the value of each column.

    Parts that are alike, or were met before, are solved once.
    """
    began = perf_counter()
    if any(not row.terms and not row.least <= 0 <= row.most for row in program.rows):
        return SolverAnswer("infeasible", None, inf, -inf, inf, 0.0), {}
    answers = {} if solved is None else solved
    parts = [(part, (gap, part.fingerprint)) for part in program.parts()]
    new: dict[object, Program] = {}
    for part, key in parts:
        if key not in answers:
            new.setdefault(key, part)
    jobs = [(part, gap, _given(part, warm_start)) for part in new.values()]
    # A progress callback lives in this process alone.
    solve = _solve_part if progress is None else partial(_solve_part, progress=progress)
    answers.update(zip(new, spread(solve, jobs, workers if progress is None else 1), strict=True))
    values: dict[str, float] = {}
    cost = bound = 0.0
    status: Status = "optimal within gap"
    for part, key in parts:
        answer = answers[key]
        if answer.values is None:
            return replace(answer, seconds=perf_counter() - began), {}
        values |= zip((column.name for column in part.columns), answer.values, strict=True)
        cost, bound = cost + answer.objective, bound + answer.bound
        if answer.status != "optimal within gap":
            status = answer.status
    seconds = perf_counter() - began
    chosen = tuple(values[column.name] for column in program.columns)
    return SolverAnswer(status, chosen, cost, bound, relative_gap(cost, bound), seconds), values


def _given(part: Program, warm_start: Mapping[str, float] | None) -> dict[int, float] | None:
    """The columns of a part in a solution to begin with."""
    if warm_start is None:
        return None
    return {i: warm_start.get(column.name, 0.0) for i, column in enumerate(part.columns)}


def _solve_part(
    job: tuple[Program, float, dict[int, float] | None],
    progress: Callable[[SolverProgress], None] | None = None,
) -> SolverAnswer:
    """Hand one program to HiGHS through PuLP: a part, its gap, and values to begin with."""
    import pulp as typed

    pulp: Any = typed  # its types differ from one version to the next
    part, gap, given = job
    if not part.rows:  # Nothing asks for more than the least, and everything costs.
        least = tuple(column.least for column in part.columns)
        cost = sum(column.cost * column.least for column in part.columns)
        return SolverAnswer("optimal within gap", least, cost, cost, 0.0, 0.0)
    problem = pulp.LpProblem("shifts", pulp.LpMinimize)
    variable = {
        column.name: problem.add_variable(
            column.name,
            column.least,
            column.most if isfinite(column.most) else None,
            pulp.LpInteger if column.whole else pulp.LpContinuous,
        )
        for column in part.columns
    }
    problem += pulp.lpSum(column.cost * variable[column.name] for column in part.columns)
    for row in part.rows:
        total = pulp.lpSum(factor * variable[name] for name, factor in row.terms.items())
        if row.least == row.most:
            problem += total == row.least, row.name
            continue
        if isfinite(row.least):
            problem += total >= row.least, row.name
        if isfinite(row.most):
            problem += total <= row.most, f"{row.name}.most"
    solver = pulp.HiGHS(msg=False)
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    return run_highs(problem.solverModel, gap=gap, progress=progress, warm_start=given)


def what_is_missing(
    case: Case, rules: ShiftRules, requirement: Requirement, program: Program
) -> str:
    """Say where an impossible requirement cannot be covered, by how much, what would have to give.

    Solves again with agents that do not exist, as few as possible and no more in one place than
    need be.
    """
    soft = [row for row in program.rows if isfinite(row.least) and row.least > 0]
    columns = [replace(column, cost=0.0) for column in program.columns]
    columns += [Column(f"missing.{row.name}", 1.0, most=1.0) for row in soft]
    columns += [Column(f"more.{row.name}", _CROWDED) for row in soft]
    short = {row.name for row in soft}
    rows = tuple(
        replace(row, terms={**row.terms, f"missing.{row.name}": 1.0, f"more.{row.name}": 1.0})
        if row.name in short
        else row
        for row in program.rows
    )
    elastic = Program(tuple(sorted(columns, key=lambda c: c.name)), rows)
    answer, values = solve_program(elastic, gap=_SLACK_GAP)
    if not values:
        return (
            "no schedule keeps the minimum and the maximum of agents at once"
            if answer.status == "infeasible"
            else "no schedule covers the requirement"
        )
    missing = {
        row.name: round(values[f"missing.{row.name}"] + values[f"more.{row.name}"]) for row in soft
    }
    worst = max(soft, key=lambda row: missing[row.name])
    where = int(worst.name.rsplit(".", 1)[1])
    interval = int(rules.interval[where])
    places = {int(rules.interval[int(n.rsplit(".", 1)[1])]) for n, m in missing.items() if m > 0}
    kind, who = worst.name.split(".")[:2]
    if kind == "cover":
        groups = requirement.row(*who.split("+")).groups
        what = f"{' and '.join(who.split('+'))} cannot be covered"
    else:
        groups, what = (who,), f"the minimum staff of {who} cannot be kept"
    less = missing[worst.name]
    return (
        f"{what} on {case.grid.labels[interval]}: {worst.least:.0f} agents of "
        f"{', '.join(groups) or 'no group'} have to be scheduled on the floor, "
        f"{max(worst.least - less, 0):.0f} can be, {less:.0f} missing ({len(places)} intervals are "
        f"short). What would have to give: {_what_gives(case, rules, groups, where)}."
    )


def _what_gives(case: Case, rules: ShiftRules, groups: Sequence[str], slot: int) -> str:
    """The limits that hold a group back in a slot."""
    scenario = case.scenario
    limits: list[str] = []
    for name in groups:
        group = scenario.agent_groups[name]
        card = scenario.rate_cards[group.rate_card]
        if group.agents is not None:
            limits.append(f"agents of {name} ({group.agents})")
        elif name not in rules.by_interval:
            covering = [p for p in rules.shifts if p.group == name and _covers(rules, p, slot)]
            if not covering:
                limits.append(f"the shifts of {name}, none of which is on the floor then")
                continue
            kinds = sorted({p.shift for p in covering})
            limits += [
                f"at_most of shift {kind} ({scenario.shifts[kind].at_most})"
                for kind in kinds
                if scenario.shifts[kind].at_most is not None
            ]
            limits += [
                f"the break windows of shift {k}" for k in kinds if scenario.shifts[k].breaks
            ]
        if group.maximum_staff is not None:
            limits.append(f"maximum_staff of {name} ({group.maximum_staff})")
        if isinstance(card, Partner):
            limits.append(f"the capacity of {name} ({card.capacity})")
    return "; or ".join([*limits, "the target"])


def _covers(rules: ShiftRules, possible: PossibleShift, slot: int) -> bool:
    offset = slot - possible.start
    return 0 <= (offset % rules.slots if rules.cyclic else offset) < possible.length
