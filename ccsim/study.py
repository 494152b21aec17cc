"""The verbs, as on the command line: new, check, show, erlang, estimate, simulate, plan and so on.

Each takes a `Case` (or the path of a scenario file) and returns a frozen result that prints as a
table, shows itself in a notebook, and hands out tidy tables.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ccsim import verification
from ccsim.demand.draw import BLOCK, draw_replication
from ccsim.demand.model import compile_demand
from ccsim.demand.table import mean_seconds
from ccsim.economics import schedule_cost
from ccsim.errors import CcsimError
from ccsim.experiment import (
    Precision,
    available_cores,
    new_checkpoint,
    old_checkpoint,
    price_sample,
    replicate,
    whole_blocks,
    write_contacts,
)
from ccsim.experiment.replicate import Progress
from ccsim.performance.promises import measure_promises
from ccsim.performance.tally import measuring_rules
from ccsim.plans import StaffingPlan, read_plan
from ccsim.results import (
    Comparison,
    ErlangAnswer,
    Estimation,
    PlanResult,
    Shown,
    Simulation,
    Verification,
)
from ccsim.results.erlang import answer
from ccsim.results.erlang_question import read_question
from ccsim.results.meaning import meaning
from ccsim.results.story import Story, read_contact, story_of
from ccsim.scenario import Case, read_all, read_case, resolved_yaml
from ccsim.scenario.starting import write_new
from ccsim.simulation.engine import Engine, run
from ccsim.simulation.model import compile_model
from ccsim.simulation.own_rule import RoutingRule
from ccsim.staffing import planner, required, schedule_shifts, valid_bound
from ccsim.statistics import seed_for

DEFAULT_SEED = 1
"""The seed where none is given: the same answer on every run."""
DEFAULT_REPLICATIONS = 320
"""Ten blocks, the fewest with intervals."""

Source = Case | str | os.PathLike[str]


def new(name: str | None = None, out: str | os.PathLike[str] | None = None) -> tuple[Path, ...]:
    """Write a scenario to start from, with the data files it needs; what was written."""
    return write_new(name, None if out is None else Path(out))


def check(path: str | os.PathLike[str]) -> tuple[Case, ...]:
    """Read a scenario file with all its variants; raise every problem at once.

    Returns
    -------
    tuple of Case
        The scenario as it stands, then each variant.

    Raises
    ------
    ScenarioError
        With every problem found.
    """
    return read_all(Path(path))


def show(source: Source, *, variant: str | None = None) -> Shown:
    """A scenario with every default visible, and what it means in a planner's words."""
    case = _case(source, variant)
    return Shown(case, resolved_yaml(case), meaning(case, compile_demand(case)))


def erlang(
    volume: str,
    handle_time: str,
    *,
    target: str = "80% within 20 s",
    patience: str | None = None,
    redial: str | None = None,
    repeat: str | None = None,
    lines: int | None = None,
    abandoned: str | None = None,
    speed_of_answer: str | None = None,
    occupancy: str | None = None,
    formula: str = "of_offered",
    short_abandon: str = "5 s",
    agents: int | None = None,
) -> ErlangAnswer:
    """The Erlang calculator: agents for one interval, by every formula that has something to say.

    Parameters
    ----------
    volume, handle_time : str
        Requests and their mean handle time: ``"200 calls/h"`` or ``"100 calls/30 min"``,
        ``"3 min"``.
    target : str
        ``"80% within 20 s"``, or ``"80/20"``; ``"0/20"`` asks for nothing.
    patience : str, optional
        Mean time until a waiting customer gives up; without it nobody does.
    redial, repeat : str, optional
        Share of those not answered that call again, and of the answered that have to.
    lines : int, optional
        Contacts that can be talking or waiting.
    abandoned, speed_of_answer, occupancy : str, optional
        Further goals, each "at most".
    formula : str
        The service-level formula of the target.
    short_abandon : str
        Up to this wait giving up is a short abandonment.
    agents : int, optional
        Look at so many agents; at those of the last formula if not given.

    Raises
    ------
    CcsimError
        With everything that cannot be understood.
    InfeasibleError
        If no number of agents keeps the goals.

    Examples
    --------
    >>> erlang("200 calls/h", "3 min", patience="5 min").agents
    {'Erlang C': 14, 'Erlang A': 13}
    """
    question = read_question(
        volume=volume,
        handle_time=handle_time,
        target=target,
        patience=patience,
        redial=redial,
        repeat=repeat,
        lines=lines,
        abandoned=abandoned,
        speed_of_answer=speed_of_answer,
        occupancy=occupancy,
        formula=formula,
        short_abandon=short_abandon,
        agents=agents,
    )
    return answer(question)


def estimate(source: Source, *, variant: str | None = None) -> Estimation:
    """Size every interval by Erlang formulas: the classic answer, at once and approximate."""
    case = _case(source, variant)
    demand = compile_demand(case)
    return Estimation(
        case=case,
        demand=demand,
        requirement=required(case, demand),
        patience={given.name: mean_seconds(given.patience) for given in demand.contact_types},
    )


def simulate(
    source: Source,
    plan: StaffingPlan | str | os.PathLike[str] | None = None,
    *,
    variant: str | None = None,
    seed: int = DEFAULT_SEED,
    replications: int = DEFAULT_REPLICATIONS,
    points: float | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    engine: Engine = "auto",
    routing: RoutingRule | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """What customers and agents would live through under a plan.

    Parameters
    ----------
    source : Case or path
        The scenario.
    plan : StaffingPlan or path, optional
        The plan, or the file or folder it is in; without one, the cheapest schedule for what the
        formulas ask for.
    variant : str, optional
        Of the scenario file.
    seed : int
        Of every random number.
    replications : int
        Rounded up to whole blocks of 32; fewer than ten blocks have no intervals.
    points : float, optional
        Instead: as many as make the 95 % interval of every promised share so narrow, ± so many
        percentage points.
    workers : int, optional
        Threads or processes; all cores if not given. The result is the same for any number.
    cluster : str, optional
        Address of a Dask scheduler, ``tcp://…``, whose workers simulate instead.
    engine : str
        ``compiled`` or ``reference``: the same numbers. ``auto`` is what is done first.
    routing : RoutingRule, optional
        A Python function that says who meets whom, instead of the scenario: reference engine, and
        nothing that a file could rerun.
    checkpoint, resume : path, optional
        A new folder in which finished blocks are kept, and one to go on with.
    progress : callable, optional
        Told how many replications are done.

    Examples
    --------
    Whoever came last is answered first:

    >>> def last_in_first_out(waiting, free):
    ...     return len(waiting) - 1, 0
    >>> from ccsim.scenario import shipped_scenarios
    >>> result = simulate(shipped_scenarios()["quickstart_voice_8020"], replications=32,
    ...                   workers=1, routing=last_in_first_out)
    >>> print(str(result).splitlines()[0].rpartition(", ")[2])
    routing by last_in_first_out
    """
    case = _case(source, variant)
    chosen = _chosen(case, plan)
    kept = None
    if resume is not None:
        kept = old_checkpoint(Path(resume), case, [chosen], seed, BLOCK)
    elif checkpoint is not None:
        kept = new_checkpoint(Path(checkpoint), case, [chosen], seed, BLOCK)
    (sample,) = replicate(
        case,
        [chosen],
        seed=seed,
        replications=replications if points is None else Precision(points),
        workers=workers or available_cores(),
        cluster=cluster,
        engine=engine,
        rule=routing,
        checkpoint=kept,
        progress=progress,
    )
    return Simulation(
        case=case,
        plan=chosen,
        sample=sample,
        cost=price_sample(case, chosen, sample),
        kept=measure_promises(sample, case.scenario, case.grid, measuring_rules(case.scenario)),
        seed=seed,
        given_plan=plan is not None,
        routing=None if routing is None else getattr(routing, "__qualname__", repr(routing)),
    )


def explain(
    source: Source,
    contact: str,
    plan: StaffingPlan | str | os.PathLike[str] | None = None,
    *,
    variant: str | None = None,
    seed: int = DEFAULT_SEED,
    replication: int = 0,
) -> Story:
    """What one customer lives through: each attempt, whom she meets, and how it ends.

    Parameters
    ----------
    source, plan, variant, seed
        As for `simulate`, whose replications are the ones told of.
    contact : str
        ``TYPE/DATE TIME/NUMBER``: the contact type, the interval of the first attempt, and which
        of it, from 0.
    replication : int
        Of which simulated horizon, from 0.

    Raises
    ------
    CcsimError
        If there is no such contact.
    """
    case = _case(source, variant)
    key = read_contact(contact, case)
    demand = compile_demand(case)
    model = compile_model(case, demand, _chosen(case, plan))
    draw = draw_replication(demand, seed, replication)
    return story_of(case, model, draw, run(model, draw), measuring_rules(case.scenario), key)


def write_log(
    source: Source,
    folder: str | os.PathLike[str],
    plan: StaffingPlan | str | os.PathLike[str] | None = None,
    *,
    variant: str | None = None,
    seed: int = DEFAULT_SEED,
    replications: int = DEFAULT_REPLICATIONS,
    engine: Engine = "auto",
    progress: Progress | None = None,
) -> list[Path]:
    """Write every contact of every replication to Parquet files, one for each block.

    Parameters
    ----------
    source, plan, variant, seed, replications, engine, progress
        As for `simulate`, whose contacts they are.
    folder : path
        A new one.

    Raises
    ------
    CcsimError
        If the folder exists or cannot be written.
    """
    case = _case(source, variant)
    return write_contacts(
        case, _chosen(case, plan), Path(folder), seed=seed, replications=replications,
        engine=engine, progress=progress,
    )  # fmt: skip


def _chosen(case: Case, plan: StaffingPlan | str | os.PathLike[str] | None) -> StaffingPlan:
    """A plan as it was given; without one, the cheapest schedule for what the formulas ask for."""
    if plan is None:
        return formula_plan(case)
    return plan if isinstance(plan, StaffingPlan) else read_plan(Path(plan), case)


def formula_plan(case: Case) -> StaffingPlan:
    """The cheapest schedule that covers what the formulas ask for, with nothing simulated."""
    requirement = required(case, compile_demand(case))
    return schedule_shifts(case, requirement, gap=case.scenario.planning.gap).plan


def plan(
    source: Source,
    *,
    variant: str | None = None,
    seed: int = DEFAULT_SEED,
    workers: int | None = None,
    report: planner.Report | None = None,
) -> PlanResult:
    """The cheapest plan found that keeps every promise, with its certificate and its bounds.

    Raises
    ------
    CcsimError
        If the scenario makes no promise: then there is nothing to certify.
    InfeasibleError
        If no schedule covers the requirement under the shift rules.
    """
    case = _case(source, variant)
    if not any(case.scenario.targets()):
        raise CcsimError(
            f"{case.title!r} makes no promise to certify: give a contact type a line under "
            "`targets`, such as '80% answered within 20 s, over each day'"
        )
    found = planner.find_plan(case, seed=seed, workers=workers or available_cores(), report=report)
    scenario = case.scenario
    return PlanResult(
        case=case,
        planned=found,
        cost=price_sample(case, found.plan, found.sample),
        schedule_cost=schedule_cost(scenario, found.plan, case.grid),
        kept=measure_promises(found.sample, scenario, case.grid, measuring_rules(scenario)),
        bound=valid_bound(case, compile_demand(case)),
        seed=seed,
    )


def compare(
    cases: Sequence[Case],
    plans: Sequence[StaffingPlan],
    *,
    seed: int = DEFAULT_SEED,
    replications: int = DEFAULT_REPLICATIONS,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Lay variants side by side on the same customers, each difference with its interval.

    The first case is what the others are compared with. Comparison has replications of its own,
    disjoint from those of any search or certificate, and never fewer than have intervals.
    """
    own_seed = seed_for("compare", seed)
    replications = max(replications, DEFAULT_REPLICATIONS)
    total = whole_blocks(replications) * len(cases)
    simulations = []
    for number, (case, chosen) in enumerate(zip(cases, plans, strict=True)):
        before = number * whole_blocks(replications)
        simulations.append(
            simulate(
                case,
                chosen,
                seed=own_seed,
                replications=replications,
                workers=workers,
                progress=None
                if progress is None
                else lambda done, _, before=before: progress(before + done, total),  # type: ignore[misc]
            )
        )
    return Comparison(tuple(simulations), seed)


def verify(
    source: Source,
    plan: StaffingPlan | str | os.PathLike[str] | None = None,
    *,
    variant: str | None = None,
    seed: int = DEFAULT_SEED,
    contacts: int | None = None,
    workers: int | None = None,
    engine: Engine = "auto",
    progress: verification.Report | None = None,
) -> Verification:
    """Your own centre, reduced step by step to what is known exactly, against what is simulated.

    Parameters
    ----------
    source, variant, workers, engine
        As for `simulate`.
    plan : StaffingPlan or path, optional
        The roster that was worked when the contacts were counted, or the file or folder it is in:
        then who gives up under it is held against what the file says. Without one, agents by
        interval as the formulas ask for them.
    seed : int
        Of every random number.
    contacts : int, optional
        How many contacts each reduced centre is played with, roughly; 1,200,000 if not given.
    progress : callable, optional
        Told what is done, how many replications of it, of how many.
    """
    case = _case(source, variant)
    chosen = verification.simple_roster(case) if plan is None else _chosen(case, plan)
    cores = workers or available_cores()
    own_seed = seed_for("verify", seed)
    checks = verification.play(
        verification.reductions(case, chosen),
        seed=own_seed,
        contacts=contacts or verification.CONTACTS,
        workers=cores,
        engine=engine,
        report=progress,
    )
    if progress is not None:
        progress("reading the file once more", 0, 0)
    numbers, findings = verification.read_file(
        verification.centre_of(case, chosen),
        seed=own_seed,
        known_roster=plan is not None,
        workers=cores,
        engine=engine,
    )
    return Verification(case, chosen, checks, numbers, findings, seed, plan is not None)


def _case(source: Source, variant: str | None) -> Case:
    if isinstance(source, Case):
        if variant is not None:
            raise CcsimError(
                f"variant={variant!r} came with a case that is read already: give the path of the "
                "scenario file, or take the variant from `study.check(path)`"
            )
        return source
    return read_case(Path(source), variant)


__all__ = [
    "BLOCK",
    "DEFAULT_REPLICATIONS",
    "DEFAULT_SEED",
    "check",
    "compare",
    "erlang",
    "estimate",
    "explain",
    "formula_plan",
    "new",
    "plan",
    "show",
    "simulate",
    "verify",
    "write_log",
]
