"""A centre that is simple enough to be known exactly, played, and held against what is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf, sqrt
from typing import Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.draw import BLOCK, Draw, draw_replications
from ccsim.demand.model import DemandModel, compile_demand
from ccsim.experiment.parallel import spread
from ccsim.performance.tally import Rules, Tally, count, measuring_rules
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.simulation.engine import Engine, chosen, run
from ccsim.simulation.log import ContactLog
from ccsim.simulation.model import Model, compile_model

Floats = NDArray[np.float64]
Report = Callable[[str, int, int], None]
"""Told what is done, how many replications of it, of how many."""

FALSE_ALARM = 0.001
"""The chance that a healthy program is called wrong on a file, all checks of the file together."""
FEWEST, FEWEST_STRATIFIED, MOST = 32, 320, 1280
"""Replications of a reduced centre; in blocks there are more, as only blocks are independent."""
CONTACTS = 1_200_000
"""How many contacts a reduced centre is played with, roughly, where nothing else is asked for."""
_ENOUGH_FOR_SKEWNESS = 64
_TELLING = 400.0
"""Contacts that tell anything: with fewer a sum is too skewed to look at it far out."""


@dataclass(frozen=True, eq=False)
class Played:
    """One replication of a reduced centre: what was drawn, what happened, what was counted."""

    model: Model
    draw: Draw
    log: ContactLog
    tally: Tally


Measure = Callable[[Played], Floats]
"""What is read off a replication, shape (n_places,)."""


@dataclass(frozen=True, eq=False)
class Law:
    """A ratio of two means that is known exactly, at one place or at several.

    Attributes
    ----------
    name : str
        What it is, in a planner's words.
    exact : ndarray, shape (n_places,)
        The mean of `over` divided by the mean of `under`.
    over, under : callable
        Read off a replication.
    unit : str
        Of what is printed: a share in per cent, seconds, or a plain number.
    places : tuple of str
        What the places are called; of several the worst is shown.
    allowed : bool
        Whether chance may move it. If not, every replication has to show it exactly.
    telling : float
        The share of what is counted that tells anything: of a mean wait, those who wait. Where it
        is too rare, nothing can be said, and the law is left out.
    """

    name: str
    exact: Floats
    over: Measure
    under: Measure
    unit: Literal["", "%", " s"] = ""
    places: tuple[str, ...] = ("",)
    allowed: bool = True
    telling: float = 1.0


@dataclass(frozen=True, eq=False)
class Reduction:
    """A centre made from the user's own, with every law it has to obey.

    Attributes
    ----------
    name : str
        What it is.
    kept, simplified : str
        What of the user's centre is in it, and what is not.
    case : Case
        The reduced centre.
    plan : StaffingPlan or callable
        Who is there; or who is there in each replication.
    laws : tuple of Law
        What is known of it.
    stratified : bool
        Whether replications come in the blocks of a study; else each is independent of all others.
    least, most : int
        Replications that are needed, and that are enough.
    """

    name: str
    kept: str
    simplified: str
    case: Case
    plan: StaffingPlan | Callable[[int], StaffingPlan]
    laws: tuple[Law, ...]
    stratified: bool = False
    least: int = FEWEST
    most: int = MOST

    @property
    def block(self) -> int:
        """Replications that are played at a time."""
        return BLOCK if self.stratified else 8


@dataclass(frozen=True)
class Check:
    """One law against what was simulated.

    Attributes
    ----------
    reduction, kept, simplified, law, unit : str
        Which, in words.
    place : str
        Of several places the one that is farthest from its law.
    exact, simulated : float
        There.
    error : float
        Standard error of `simulated`.
    z : float
        The difference in standard errors, by Student's law turned into a normal score; of several
        places the score of the farthest, as the farthest of so many.
    limit : float
        The |z| beyond which the two disagree.
    replications : int
        How many were played.
    places : int
        How many were compared.
    """

    reduction: str
    kept: str
    simplified: str
    law: str
    unit: Literal["", "%", " s"]
    place: str
    exact: float
    simulated: float
    error: float
    z: float
    limit: float
    replications: int
    places: int

    @property
    def agrees(self) -> bool:
        """Whether the difference may be chance."""
        return abs(self.z) <= self.limit

    @property
    def finds(self) -> float:
        """The relative error of the program that this check finds with a chance of 95 %."""
        return (self.limit + 1.645) * self.error / abs(self.exact) if self.exact else inf


@dataclass(frozen=True, eq=False)
class _Job:
    reduction: Reduction
    demand: DemandModel
    rules: Rules
    seed: int
    engine: Engine
    size: int


def play(
    reductions: Sequence[Reduction],
    *,
    seed: int,
    contacts: int = CONTACTS,
    workers: int = 1,
    engine: Engine = "auto",
    report: Report | None = None,
) -> tuple[Check, ...]:
    """Simulate reduced centres and hold them against their laws.

    Parameters
    ----------
    reductions : sequence of Reduction
        The reduced centres.
    seed : int
        Of every random number; each reduction has luck of its own.
    contacts : int
        How many contacts each is played with, roughly.
    workers, engine
        As for `ccsim.experiment.replicate`.
    report : callable, optional
        Told what is done.
    """
    sizes = [_replications(one, contacts) for one in reductions]
    work = sum(compile_demand(r.case).contacts * n for r, n in zip(reductions, sizes, strict=True))
    player = chosen(engine, work)
    found: list[Check] = []
    for reduction, size in zip(reductions, sizes, strict=True):
        demand = compile_demand(reduction.case)
        own_seed = seed << 32 | crc32(reduction.name.encode())
        rules = measuring_rules(reduction.case.scenario)
        job = _Job(reduction, demand, rules, own_seed, player, size)
        blocks = []
        for block in _blocks(job, workers):
            blocks.append(block)
            if report is not None:
                report(reduction.name, len(blocks) * reduction.block, size)
        over, under = (np.concatenate(part) for part in zip(*blocks, strict=True))
        found += _checks(reduction, over, under)
    # What chance cannot move raises no false alarm.
    limit = z_limit(sum(one.error > 0 for one in found))
    return tuple(replace(one, limit=limit) for one in found)


def z_limit(checks: int) -> float:
    """The |z| that the farthest of so many healthy checks exceeds once in a thousand files.

    Šidák's: exact where the checks are independent, and on the safe side where they move together.

    Examples
    --------
    >>> round(z_limit(1), 3), round(z_limit(40), 3)
    (3.291, 4.215)
    """
    from scipy.special import ndtri

    each = -np.expm1(np.log1p(-FALSE_ALARM) / max(checks, 1))
    return float(-ndtri(each / 2))


def _replications(reduction: Reduction, contacts: int) -> int:
    expected = max(compile_demand(reduction.case).contacts, 1.0)
    least = FEWEST_STRATIFIED if reduction.stratified else reduction.least
    wanted = min(max(contacts / expected, least), reduction.most)
    return -(-round(wanted) // reduction.block) * reduction.block


def _blocks(job: _Job, workers: int) -> Iterator[tuple[Floats, Floats]]:
    firsts, one = range(0, job.size, job.reduction.block), partial(_play_block, job)
    threads = job.engine == "compiled"
    # The first is played here, so that what threads share is compiled once and before them.
    alone = 1 if threads else 0
    yield from map(one, firsts[:alone])
    yield from spread(one, firsts[alone:], workers, threads=threads)


def _play_block(job: _Job, first: int) -> tuple[Floats, Floats]:
    """Over and under of every law, shape (n_replications, n_places of all laws)."""
    reduction, compiled = job.reduction, job.engine == "compiled"
    members = range(first, first + reduction.block)
    size = BLOCK if reduction.stratified else 1
    fixed = None
    if isinstance(reduction.plan, StaffingPlan):
        fixed = compile_model(reduction.case, job.demand, reduction.plan)
    rows: list[tuple[Floats, Floats]] = []
    draws = draw_replications(job.demand, job.seed, members, size, compiled=compiled)
    for number, draw in zip(members, draws, strict=True):
        model = fixed
        if not isinstance(reduction.plan, StaffingPlan):
            model = compile_model(reduction.case, job.demand, reduction.plan(number))
        assert model is not None
        log = run(model, draw, job.engine)
        played = Played(model, draw, log, count(model, log, job.rules, compiled=compiled))
        over, under = (
            np.concatenate([np.broadcast_to(m(played), law.exact.shape) for law, m in measures])
            for measures in (
                [(law, law.over) for law in reduction.laws],
                [(law, law.under) for law in reduction.laws],
            )
        )
        rows.append((over, under))
    both = tuple(np.array(part, dtype=np.float64) for part in zip(*rows, strict=True))
    if reduction.stratified:  # only whole blocks are independent of each other
        both = tuple(part.sum(axis=0, keepdims=True) for part in both)
    return both[0], both[1]


def _checks(reduction: Reduction, over: Floats, under: Floats) -> Iterator[Check]:
    begin = 0
    for law in reduction.laws:
        here = slice(begin, begin + law.exact.size)
        begin = here.stop
        if law.telling * float(under[:, here].sum()) >= _TELLING or law.telling == 1:
            yield _check(reduction, law, over[:, here], under[:, here])


def _check(reduction: Reduction, law: Law, over: Floats, under: Floats) -> Check:
    scores, errors = z_scores(over - law.exact * under)
    base = under.sum(axis=0)
    simulated = over.sum(axis=0) / np.where(base > 0, base, 1.0)
    if not law.allowed:
        off = (~np.isclose(over, law.exact * under, rtol=1e-12, atol=0)).sum(axis=0)
        scores, errors = np.where(off > 0, inf, 0.0), np.zeros(law.exact.size)
    worst = int(np.abs(scores).argmax())
    mean_base = base[worst] / len(under)
    return Check(
        reduction=reduction.name,
        kept=reduction.kept,
        simplified=reduction.simplified,
        law=law.name,
        unit=law.unit,
        place=law.places[worst],
        exact=float(law.exact[worst]),
        simulated=float(simulated[worst]),
        error=float(errors[worst] / mean_base) if mean_base else 0.0,
        z=_farthest_of(float(scores[worst]), law.exact.size),
        limit=inf,
        replications=len(over) * (BLOCK if reduction.stratified else 1),
        places=law.exact.size,
    )


def z_scores(differences: Floats) -> tuple[Floats, Floats]:
    """Normal scores and standard errors of means that should be 0, each of its own column.

    Parameters
    ----------
    differences : ndarray, shape (n, n_places)
        Independent rows.

    Notes
    -----
    Student's t, with its skewness taken off by Hall's transformation [1]_ where there are enough
    rows to know it: rare events, such as abandonments on a good day, are skewed, and z is looked
    at far out. Then the normal score of the same probability.

    References
    ----------
    .. [1] P. Hall (1992), "On the removal of skewness by transformation", Journal of the Royal
       Statistical Society B 54(1), 221-228. doi:10.1111/j.2517-6161.1992.tb01876.x
    """
    from scipy.special import ndtri, stdtr

    n = len(differences)
    mean, spread_ = differences.mean(axis=0), differences.std(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(spread_ > 0, mean / spread_ * sqrt(n), np.sign(mean) * inf)
        t = np.where((spread_ == 0) & (mean == 0), 0.0, t)
        if n >= _ENOUGH_FOR_SKEWNESS:
            skewness = np.where(
                spread_ > 0, ((differences - mean) ** 3).mean(axis=0) / spread_**3, 0.0
            )
            a = skewness / sqrt(n)
            t = np.where(np.isfinite(t), t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6, t)
        tail = stdtr(n - 1, -np.abs(t))
    z = np.sign(t) * -ndtri(np.maximum(tail, 1e-300))
    return np.asarray(z), np.asarray(spread_ / sqrt(n))


def _farthest_of(z: float, places: int) -> float:
    """The normal score that is as rare as the farthest of so many being so far."""
    from scipy.special import ndtr, ndtri

    if places == 1 or not np.isfinite(z):
        return z
    both = 2 * float(ndtr(-abs(z)))
    any_of_them = -np.expm1(places * np.log1p(-both)) if both < 1 else 1.0
    return float(np.copysign(-ndtri(max(any_of_them / 2, 1e-300)), z))
