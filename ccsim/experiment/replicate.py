"""Replications in whole blocks: draw once, run each plan, count, keep only what was counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np

from ccsim.demand.draw import BLOCK, draw_replications
from ccsim.demand.model import DemandModel, compile_demand
from ccsim.errors import CcsimError
from ccsim.experiment.parallel import spread
from ccsim.experiment.precision import blocks_for, half_widths
from ccsim.performance.sample import Sample, block_sample, join_each
from ccsim.performance.tally import Rules, Tally, count, measuring_rules
from ccsim.performance.waits import add_waits, no_waits
from ccsim.plans.plan import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.simulation.engine import Engine, chosen, run
from ccsim.simulation.model import Model, compile_model

Progress = Callable[[int, int], None]
"""Told how many replications are done, of how many."""

FIRST_LOOK = 20
"""Blocks after which a precision is first looked at: fewer tell too little of the spread."""
MOST_BLOCKS = 10_000
"""Blocks at which the search for a precision ends, reached or not."""


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
    total = whole_blocks(replications, block_size)
    job = _job(case, plans, seed, block_size, engine, total)
    return join_each(_blocks(job, range(0, total, block_size), total, workers, progress))


def replicate_to_precision(
    case: Case,
    plans: Sequence[StaffingPlan],
    *,
    seed: int,
    points: float,
    block_size: int = BLOCK,
    workers: int = 1,
    progress: Progress | None = None,
    engine: Engine = "auto",
) -> tuple[Sample, ...]:
    """Simulate plans on the same customers until every promised share is known precisely enough.

    Parameters
    ----------
    case, plans, seed, block_size, workers, progress, engine
        As for `replicate`; the total that progress is told grows with what is still needed.
    points : float
        Half the width that the 95 % interval of every promised share may have, in percentage
        points.

    Returns
    -------
    tuple of Sample
        One for each plan, all of the same replications.

    Raises
    ------
    CcsimError
        If the precision is not above 0, or there is no promise about a share.

    Notes
    -----
    Looks after 20 blocks, then after as many as the widest interval says are needed and a tenth
    more, up to four times as many at once; ends when every interval is narrow enough. Blocks are
    taken in the order of their numbers, so that the result is the same for any number of workers.
    Such a rule keeps its confidence as the precision asked for grows [1]_; few looks, and none
    before 20 blocks, keep it close to that for any precision: docs/verification.md says how close.

    References
    ----------
    .. [1] P. W. Glynn, W. Whitt (1992), "The asymptotic validity of sequential stopping rules for
       stochastic simulations", Annals of Applied Probability 2(1), 180-198.
       doi:10.1214/aoap/1177005777
    """
    if not 0 < points < 100:
        raise CcsimError(f"a precision is above 0 and below 100 points, not {points!r}")
    wanted = points / 100
    job = _job(case, plans, seed, block_size, engine, FIRST_LOOK * block_size)
    done, needed = 0, FIRST_LOOK
    before: list[tuple[Sample, ...]] = []
    while done < needed:
        firsts = range(done * block_size, needed * block_size, block_size)
        blocks = _blocks(job, firsts, needed * block_size, workers, progress)
        samples = join_each(chain(before, blocks))
        done, before = needed, [samples]
        widths = np.concatenate([half_widths(sample, case, job.rules) for sample in samples])
        if widths.size == 0:
            raise CcsimError(
                f"{case.title!r} promises no share, so there is nothing to know to "
                f"±{points:g} points: ask for replications instead"
            )
        needed = min(blocks_for(widths, wanted, done), MOST_BLOCKS)
    return samples


def _job(
    case: Case,
    plans: Sequence[StaffingPlan],
    seed: int,
    block_size: int,
    engine: Engine,
    least: int,
) -> _Job:
    demand = compile_demand(case)
    contacts = sum(float(given.fresh.sum()) for given in demand.contact_types)
    return _Job(
        case=case,
        demand=demand,
        models=tuple(compile_model(case, demand, plan) for plan in plans),
        rules=measuring_rules(case.scenario),
        seed=seed,
        block_size=block_size,
        engine=chosen(engine, contacts * least * len(plans)),
    )


def _blocks(
    job: _Job, firsts: Sequence[int], total: int, workers: int, progress: Progress | None
) -> Iterator[tuple[Sample, ...]]:
    """Samples of each block, in the order of their numbers."""
    play, threads = partial(_run_block, job), job.engine == "compiled"
    # The first block is played here, so that what threads share is compiled once and before them.
    alone = 1 if threads else 0
    samples = chain(
        map(play, firsts[:alone]), spread(play, firsts[alone:], workers, threads=threads)
    )
    for first, block in zip(firsts, samples, strict=True):
        if progress is not None:
            progress(first + job.block_size, total)
        yield block


def _run_block(job: _Job, first: int) -> tuple[Sample, ...]:
    tallies: list[list[Tally]] = [[] for _ in job.models]
    grid = job.case.grid
    waits = [no_waits(len(job.demand.contact_types), grid) for _ in job.models]
    members = range(first, first + job.block_size)
    compiled = job.engine == "compiled"
    draws = draw_replications(job.demand, job.seed, members, job.block_size, compiled=compiled)
    for draw in draws:
        for model, kept, waited in zip(job.models, tallies, waits, strict=True):
            log = run(model, draw, job.engine)
            kept.append(count(model, log, job.rules, compiled=compiled))
            add_waits(log, grid, waited, compiled=compiled)
    return tuple(
        block_sample(kept, waited, grid, job.case.scenario)
        for kept, waited in zip(tallies, waits, strict=True)
    )
