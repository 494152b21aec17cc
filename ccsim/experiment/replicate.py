"""Replications in whole blocks: draw once, run each plan, count, keep only what was counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ccsim.demand.draw import BLOCK, draw_replications
from ccsim.demand.model import DemandModel, compile_demand
from ccsim.errors import CcsimError
from ccsim.experiment.parallel import spread
from ccsim.performance.sample import Sample, block_sample, join
from ccsim.performance.tally import Rules, Tally, count, measuring_rules
from ccsim.plans.plan import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.simulation.engine import Engine, chosen, run
from ccsim.simulation.model import Model, compile_model

Progress = Callable[[int, int], None]
"""Told how many replications are done, of how many."""


@dataclass(frozen=True, eq=False)
class _Job:
    """What a worker needs for any block."""

    case: Case
    demand: DemandModel
    models: tuple[Model, ...]
    rules: Rules
    seed: int
    block_size: int
    engine: Engine


def whole_blocks(replications: int, block_size: int = BLOCK) -> int:
    """Replications rounded up to whole blocks.

    Examples
    --------
    >>> whole_blocks(100)
    128
    """
    if replications < 1:
        raise CcsimError(f"replications={replications}: ask for 1 or more")
    return -(-replications // block_size) * block_size


def replicate(
    case: Case,
    plans: Sequence[StaffingPlan],
    *,
    seed: int,
    replications: int,
    block_size: int = BLOCK,
    workers: int = 1,
    progress: Progress | None = None,
    engine: Engine = "auto",
) -> tuple[Sample, ...]:
    """Simulate plans on the same customers.

    Parameters
    ----------
    case : Case
        The centre.
    plans : sequence of StaffingPlan
        The plans; within a replication each meets the same draw.
    seed : int
        Of every random number.
    replications : int
        Rounded up to whole blocks.
    block_size : int
        Replications of a block, a complete set of strata of the days' busyness.
    workers : int
        Threads of the compiled engine, processes of the reference; the samples are the same for
        any number.
    progress : callable, optional
        Called with the replications done and their total, after every block.
    engine : str
        Which engine plays; the samples are the same for either. `auto` is what is done first.

    Returns
    -------
    tuple of Sample
        One for each plan.
    """
    demand = compile_demand(case)
    total = whole_blocks(replications, block_size)
    expected = sum(float(given.fresh.sum()) for given in demand.contact_types)
    engine = chosen(engine, expected * total * len(plans))
    job = _Job(
        case=case,
        demand=demand,
        models=tuple(compile_model(case, demand, plan) for plan in plans),
        rules=measuring_rules(case.scenario),
        seed=seed,
        block_size=block_size,
        engine=engine,
    )
    firsts = range(0, total, block_size)
    parts: list[tuple[Sample, ...]] = []
    blocks = spread(partial(_run_block, job), firsts, workers, threads=engine == "compiled")
    for done, block in enumerate(blocks, 1):
        parts.append(block)
        if progress is not None:
            progress(done * block_size, total)
    return tuple(join(samples) for samples in zip(*parts, strict=True))


def _run_block(job: _Job, first: int) -> tuple[Sample, ...]:
    tallies: list[list[Tally]] = [[] for _ in job.models]
    members = range(first, first + job.block_size)
    compiled = job.engine == "compiled"
    draws = draw_replications(job.demand, job.seed, members, job.block_size, compiled=compiled)
    for draw in draws:
        for model, kept in zip(job.models, tallies, strict=True):
            log = run(model, draw, job.engine)
            kept.append(count(model, log, job.rules, compiled=compiled))
    return tuple(block_sample(kept, job.case.grid, job.case.scenario) for kept in tallies)
