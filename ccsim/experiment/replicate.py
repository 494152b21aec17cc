"""Replications in whole blocks: draw once, run each plan, count, keep only what was counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ccsim.demand.draw import BLOCK, draw_replication
from ccsim.demand.model import DemandModel, compile_demand
from ccsim.errors import CcsimError
from ccsim.experiment.parallel import spread
from ccsim.performance.sample import Sample, block_sample, join
from ccsim.performance.tally import Rules, Tally, count, measuring_rules
from ccsim.plans.plan import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.simulation.model import Model, compile_model
from ccsim.simulation.reference import run

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
        Processes; the samples are the same for any number.
    progress : callable, optional
        Called with the replications done and their total, after every block.

    Returns
    -------
    tuple of Sample
        One for each plan.
    """
    demand = compile_demand(case)
    job = _Job(
        case=case,
        demand=demand,
        models=tuple(compile_model(case, demand, plan) for plan in plans),
        rules=measuring_rules(case.scenario),
        seed=seed,
        block_size=block_size,
    )
    total = whole_blocks(replications, block_size)
    firsts = range(0, total, block_size)
    parts: list[tuple[Sample, ...]] = []
    blocks = spread(partial(_run_block, job), firsts, workers)
    for done, block in enumerate(blocks, 1):
        parts.append(block)
        if progress is not None:
            progress(done * block_size, total)
    return tuple(join(samples) for samples in zip(*parts, strict=True))


def _run_block(job: _Job, first: int) -> tuple[Sample, ...]:
    tallies: list[list[Tally]] = [[] for _ in job.models]
    for replication in range(first, first + job.block_size):
        draw = draw_replication(job.demand, job.seed, replication, job.block_size)
        for model, kept in zip(job.models, tallies, strict=True):
            kept.append(count(model, run(model, draw), job.rules))
    return tuple(block_sample(kept, job.case.grid, job.case.scenario) for kept in tallies)
