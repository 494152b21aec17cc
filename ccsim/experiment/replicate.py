"""Replications in whole blocks: draw once, run each plan, count, keep only what was counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from ccsim.demand.draw import BLOCK, draw_replications
from ccsim.demand.model import DemandModel, compile_demand
from ccsim.errors import CcsimError
from ccsim.experiment.checkpoint import Checkpoint
from ccsim.experiment.parallel import spread
from ccsim.experiment.precision import FIRST_LOOK, Precision, blocks_needed
from ccsim.performance.sample import Sample, block_sample, join_each
from ccsim.performance.tally import Rules, Tally, count, measuring_rules
from ccsim.performance.waits import add_waits, no_waits
from ccsim.plans.plan import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.simulation.engine import Engine, chosen, run
from ccsim.simulation.model import Model, compile_model
from ccsim.simulation.own_rule import RoutingRule

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
    rule: RoutingRule | None


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
    replications: int | Precision,
    block_size: int = BLOCK,
    workers: int = 1,
    cluster: str | None = None,
    engine: Engine = "auto",
    rule: RoutingRule | None = None,
    checkpoint: Checkpoint | None = None,
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
    replications : int or Precision
        Rounded up to whole blocks; or as many as make every promised share that precise.
    block_size : int
        Replications of a block, a complete set of strata of the days' busyness.
    workers : int
        Threads of the compiled engine, processes of the reference; the samples are the same for
        any number.
    cluster : str, optional
        Address of a Dask scheduler, whose workers play instead: the same samples.
    engine : str
        Which engine plays; the samples are the same for either. `auto` is what is done first.
    rule : RoutingRule, optional
        Who meets whom, by a Python function; the reference plays then.
    checkpoint : Checkpoint, optional
        Where finished blocks are kept, and those are taken from that are there already.
    progress : callable, optional
        Called with the replications done and their total, at the start and after every block; the
        total grows where a precision turns out to need more.

    Returns
    -------
    tuple of Sample
        One for each plan, all of the same replications.

    Raises
    ------
    CcsimError
        If a precision is asked for and there is no promise about a share, or a rule is given to
        the compiled engine or with a checkpoint, which knows nothing of it.
    """
    precise = replications if isinstance(replications, Precision) else None
    needed = FIRST_LOOK if precise else whole_blocks(replications, block_size) // block_size  # type: ignore[arg-type]
    job = _job(case, plans, seed, block_size, engine, needed)
    if rule is not None and not callable(rule):
        raise CcsimError(f"routing={rule!r}: give a function of who waits and who is free")
    if rule is not None:
        if engine == "compiled" or checkpoint is not None:
            raise CcsimError("a routing function is for the reference engine, without a checkpoint")
        job = replace(job, engine="reference", rule=rule)
    done = 0
    before: list[tuple[Sample, ...]] = []
    while done < needed:
        firsts = range(done * block_size, needed * block_size, block_size)
        blocks = _blocks(job, firsts, workers, cluster, checkpoint, progress)
        samples = join_each(chain(before, blocks), needed * block_size)
        done, before = needed, [samples]
        if precise:
            needed = blocks_needed(precise, samples, case, job.rules)
    return samples


def _job(
    case: Case,
    plans: Sequence[StaffingPlan],
    seed: int,
    block_size: int,
    engine: Engine,
    blocks: int,
) -> _Job:
    demand = compile_demand(case)
    return _Job(
        case=case,
        demand=demand,
        models=tuple(compile_model(case, demand, plan) for plan in plans),
        rules=measuring_rules(case.scenario),
        seed=seed,
        block_size=block_size,
        engine=chosen(engine, demand.contacts * blocks * block_size * len(plans)),
        rule=None,
    )


def _blocks(
    job: _Job,
    firsts: range,
    workers: int,
    cluster: str | None,
    checkpoint: Checkpoint | None,
    progress: Progress | None,
) -> Iterator[tuple[Sample, ...]]:
    """Samples of each block, in the order of their numbers."""
    there = {first: checkpoint.has(first) for first in firsts} if checkpoint else {}
    missing = [first for first in firsts if not there.get(first)]
    play, threads = partial(_run_block, job), job.engine == "compiled"
    # The first block is played here, so that what threads share is compiled once and before them.
    alone = 1 if threads and cluster is None else 0
    if progress is not None:
        progress(firsts.start, firsts.stop)
    played = chain(
        map(play, missing[:alone]),
        spread(play, missing[alone:], workers, threads=threads, cluster=cluster),
    )
    for first in firsts:
        if checkpoint and there[first]:
            block = checkpoint.kept(first, job.block_size)
        else:
            block = next(played)
            if checkpoint:
                checkpoint.keep(first, block)
        if progress is not None:
            progress(first + job.block_size, firsts.stop)
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
            log = run(model, draw, job.engine, job.rule)
            kept.append(count(model, log, job.rules, compiled=compiled))
            add_waits(log, grid, waited, compiled=compiled)
    return tuple(
        block_sample(kept, waited, grid, job.case.scenario)
        for kept, waited in zip(tallies, waits, strict=True)
    )
