"""The search for the cheapest certified plan: size, schedule, simulate, raise what is short.

Formulas size every interval and the shift model finds the cheapest shifts that cover them. Then
the plan is simulated: where a promise is short the requirement is raised and the model solved
again; where there is a surplus it is lowered. The best plan found is certified on replications
that the search never saw. Nothing that is not certified is called feasible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.draw import BLOCK
from ccsim.demand.model import DemandModel, compile_demand
from ccsim.experiment import price_sample, replicate
from ccsim.performance.promises import Kept, measure_promises, promise_samples
from ccsim.performance.sample import Sample
from ccsim.performance.tally import measuring_rules
from ccsim.plans import PlacedShift, StaffingPlan
from ccsim.scenario.case import Case
from ccsim.staffing.adjust import Gap, adjusted, gaps
from ccsim.staffing.requirement import Requirement
from ccsim.staffing.shift_model import ShiftSolution, Solved, schedule_shifts
from ccsim.staffing.spare import guards_of, required, spare_shifts, without
from ccsim.statistics import Certificate, blocks_needed, certify, seed_for

Integers = NDArray[np.int64]

ATTEMPTS = 3
"""The most certifications of one study; each has fresh replications and a stricter level."""
TRIED_AT_ONCE = 4
"""Cheaper plans simulated side by side on the same customers."""
DECIDING = 10 * BLOCK
"""Replications that can show a plan to fail: ten blocks, the fewest with intervals."""
PILOT = 5 * BLOCK
"""The fewest replications whose spread tells how large a certification must be."""

Report = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, of how much."""


@dataclass(frozen=True)
class Look:
    """One round of the search: a plan, what it costs, and what the simulation showed.

    Attributes
    ----------
    number : int
        From 1.
    step : str
        ``formulas`` (the first), ``raised``, ``lowered``, ``shifts dropped`` or
        ``one shift fewer``.
    cost : float
        Expected cost of the horizon under the plan.
    short : tuple of str
        The promises short of what the search aims at, worst first, each with its estimate.
    missed : tuple of str
        Those of them whose estimate is short of the target itself.
    """

    number: int
    step: str
    cost: float
    short: tuple[str, ...]
    missed: tuple[str, ...]

    @property
    def passes(self) -> bool:
        """Whether every promise clears what the search aims at."""
        return not self.short


@dataclass(frozen=True, eq=False)
class Candidate:
    """A plan of the search with what its simulation showed."""

    plan: StaffingPlan
    requirement: Requirement
    solution: ShiftSolution
    sample: Sample
    found: tuple[Gap, ...]
    look: Look


@dataclass(frozen=True)
class Cheaper:
    """Plans one shift cheaper that were tried and did not pass; how many were shown to fail."""

    tried: int
    rejected: int


@dataclass(frozen=True, eq=False)
class Planned:
    """What the search came to.

    Attributes
    ----------
    plan : StaffingPlan
        The plan, certified or not: the verdict says.
    certificate : Certificate
        The last attempt.
    attempts : tuple of Certificate
        Every attempt, in order.
    sample : Sample
        What the last attempt's replications measured.
    certificate_seed : int
        Their seed.
    requirement : Requirement
        What the plan's schedule had to cover.
    formulas : Requirement
        What the formulas alone asked for, without margin.
    solution : ShiftSolution
        The shift model's answer, with the model bound.
    looks : tuple of Look
        Every round.
    dropped : int
        Shifts that the search took below what the requirement asked for, the simulation allowing.
    cheaper : Cheaper
        The plans one shift cheaper that were tried last; none of them passed.
    """

    plan: StaffingPlan
    certificate: Certificate
    attempts: tuple[Certificate, ...]
    sample: Sample
    certificate_seed: int
    requirement: Requirement
    formulas: Requirement
    solution: ShiftSolution
    looks: tuple[Look, ...]
    dropped: int
    cheaper: Cheaper


def find_plan(
    case: Case,
    *,
    seed: int,
    workers: int = 1,
    report: Report | None = None,
) -> Planned:
    """Search for the cheapest plan that keeps every promise, and certify it.

    Parameters
    ----------
    case : Case
        The scenario.
    seed : int
        The user's seed; search, comparison and certification have their own, made from it.
    workers : int
        Processes.
    report : callable, optional
        Told of progress.

    Returns
    -------
    Planned
        With its verdict; a plan that is not certified is returned as what it is.

    Raises
    ------
    InfeasibleError
        If no schedule covers the requirement under the shift rules.
    """
    search = _Search(case, compile_demand(case), seed, workers, report or _silent)
    return search.run()


class _Search:
    """The state of one search: the adjustments so far, every look, every attempt."""

    def __init__(
        self, case: Case, demand: DemandModel, seed: int, workers: int, report: Report
    ) -> None:
        self.case, self.demand, self.seed = case, demand, seed
        self.workers, self.report = workers, report
        self.planning = case.scenario.planning
        self.rules = measuring_rules(case.scenario)
        self.fingerprint = case.fingerprint
        self.guards = guards_of(case, demand)
        self.extra = 0.0
        self.solved: Solved = {}
        self.looks: list[Look] = []
        self.attempts: list[Certificate] = []

    def run(self) -> Planned:
        formulas = required(self.case, self.demand)
        raised: dict[str, Integers] = {}
        candidate = self._schedule(raised, "formulas", None)
        while True:
            best, raised = self._improve(candidate, raised)
            best, by_day = self._drop_shifts(best)
            best, one_by_one, cheaper = self._try_cheaper(best)
            certificate, sample, certificate_seed = self._certify(best)
            done = certificate.verdict == "certified" or len(self.attempts) == ATTEMPTS
            if done or len(self.looks) >= 2 * self.planning.rounds:
                return Planned(
                    plan=best.plan,
                    certificate=certificate,
                    attempts=tuple(self.attempts),
                    sample=sample,
                    certificate_seed=certificate_seed,
                    requirement=best.requirement,
                    formulas=formulas,
                    solution=best.solution,
                    looks=tuple(self.looks),
                    dropped=by_day + one_by_one,
                    cheaper=cheaper,
                )
            # What the certificate could not show is aimed at with more room the next time.
            self.extra += max(self.planning.margin / 2, _worst_shortfall(certificate))
            found = gaps(self._kept(best.sample), best.sample, self.case, self.extra)
            raised = self._adjusted(raised, found, best)
            candidate = self._schedule(raised, "raised", best.plan)

    def _improve(
        self, candidate: Candidate, raised: dict[str, Integers]
    ) -> tuple[Candidate, dict[str, Integers]]:
        """Raise until every promise clears the aim, lower while that makes it cheaper."""
        best: tuple[Candidate, dict[str, Integers]] | None = None
        failures = 0
        for _ in range(self.planning.rounds - 1):
            passes = candidate.look.passes
            cheaper = best is None or candidate.look.cost < best[0].look.cost - 1e-6
            if passes and cheaper:
                best = candidate, raised
            elif best is not None:
                failures += 1
            if not candidate.found or failures >= 2:
                break
            following = self._adjusted(raised, candidate.found, candidate)
            if all(np.array_equal(following[name], raised.get(name, 0)) for name in following):
                break
            raised = following
            step = "lowered" if passes else "raised"
            candidate = self._schedule(raised, step, candidate.plan)
        if candidate.look.passes and (best is None or candidate.look.cost < best[0].look.cost):
            best = candidate, raised
        return best or (candidate, raised)

    def _adjusted(
        self, raised: dict[str, Integers], found: Sequence[Gap], candidate: Candidate
    ) -> dict[str, Integers]:
        return adjusted(
            raised, found, self.case, self.demand, candidate.requirement, candidate.plan
        )

    def _schedule(
        self, raised: dict[str, Integers], step: str, warm_start: StaffingPlan | None
    ) -> Candidate:
        """Solve the shift model for a requirement and simulate the schedule."""
        requirement = required(self.case, self.demand, raised, margin=self.planning.margin)
        self.report("scheduling shifts", 0, 0)
        solution = schedule_shifts(
            self.case,
            requirement,
            gap=self.planning.gap,
            warm_start=warm_start,
            solved=self.solved,
            workers=self.workers,
        )
        if solution.status == "interrupted":
            raise KeyboardInterrupt
        (candidate,) = self._simulate([solution.plan], requirement, solution, step)
        self.looks.append(candidate.look)
        return candidate

    def _simulate(
        self,
        plans: Sequence[StaffingPlan],
        requirement: Requirement,
        solution: ShiftSolution,
        step: str,
        replications: int = 0,
    ) -> list[Candidate]:
        """Simulate plans side by side on the search's own replications."""
        samples = replicate(
            self.case,
            plans,
            seed=seed_for("search", self.fingerprint, self.seed),
            replications=max(replications, self.planning.replications),
            workers=self.workers,
            progress=lambda done, total: self.report(f"simulating, {step}", done, total),
        )
        candidates = []
        for plan, sample in zip(plans, samples, strict=True):
            found = gaps(self._kept(sample), sample, self.case, self.extra)
            cost = float(price_sample(self.case, plan, sample).total.mean)
            look = Look(len(self.looks) + 1, step, cost, *_short(found))
            candidates.append(Candidate(plan, requirement, solution, sample, found, look))
        return candidates

    def _kept(self, sample: Sample) -> tuple[Kept, ...]:
        return measure_promises(sample, self.case.scenario, self.case.grid, self.rules)

    def _drop_shifts(self, best: Candidate) -> tuple[Candidate, int]:
        """Take one shift from every day that can spare it, until no day can; how many were taken.

        Days hardly depend on each other, so one simulation tries a shift of each day at once; a
        day whose promises suffer keeps its shift and is left alone from then on.
        """
        days = set(range(self.case.grid.days))
        plan, dropped, verified, verified_dropped = best.plan, 0, best, 0
        while days and best.look.passes and len(self.looks) < 4 * self.planning.rounds:
            drops = self._one_a_day(plan, best, days)
            days &= set(drops)
            if not drops:
                break
            (tried,) = self._simulate(
                [without(plan, drops.values())], best.requirement, best.solution, "shifts dropped"
            )
            short = [gap for gap in tried.found if gap.missing > 0]
            suffering = {day for gap in short for day in gap.kept.promise.days}
            kept = {day: shift for day, shift in drops.items() if day not in suffering}
            plan, dropped = without(plan, kept.values()), dropped + len(kept)
            days -= suffering
            if not short:
                verified, verified_dropped = tried, dropped
                self.looks.append(tried.look)
        if verified_dropped < dropped:
            (last,) = self._simulate([plan], best.requirement, best.solution, "shifts dropped")
            if last.look.passes:
                verified, verified_dropped = last, dropped
                self.looks.append(last.look)
        return verified, verified_dropped

    def _one_a_day(
        self, plan: StaffingPlan, best: Candidate, days: set[int]
    ) -> dict[int, PlacedShift]:
        """The shift needed least on each of the days, where there is one to spare."""
        grid = self.case.grid
        drops: dict[int, PlacedShift] = {}
        for shift in spare_shifts(self.case, plan, best.sample, self.guards):
            day = int(np.searchsorted(grid.day_starts, shift.start, side="right")) - 1
            if day in days:
                drops.setdefault(day, shift)
        return drops

    def _try_cheaper(self, best: Candidate) -> tuple[Candidate, int, Cheaper]:
        """Try plans one shift cheaper, one by one, until none of them passes."""
        dropped = 0
        while best.look.passes:
            spare = spare_shifts(self.case, best.plan, best.sample, self.guards)[:TRIED_AT_ONCE]
            plans = [without(best.plan, [shift]) for shift in spare]
            if not plans:
                break
            candidates = self._simulate(
                plans, best.requirement, best.solution, "one shift fewer", DECIDING
            )
            passing = [candidate for candidate in candidates if candidate.look.passes]
            if not passing or len(self.looks) >= 4 * self.planning.rounds:
                rejected = sum(self._is_rejected(candidate) for candidate in candidates)
                return best, dropped, Cheaper(len(plans), rejected)
            best = min(passing, key=lambda candidate: candidate.look.cost)
            dropped += 1
            self.looks.append(best.look)
        return best, dropped, Cheaper(0, 0)

    def _is_rejected(self, candidate: Candidate) -> bool:
        """Whether some promise is shown, at 95 %, to be broken."""
        samples = promise_samples(candidate.sample, self.case.scenario, self.case.grid, self.rules)
        return any(
            finding.finding == "misses" for finding in certify(samples, 1, zone=0.0).findings
        )

    def _certify(self, best: Candidate) -> tuple[Certificate, Sample, int]:
        """One attempt, on fresh replications of a size fixed by the search's sample."""
        attempt = len(self.attempts) + 1
        scenario, grid = self.case.scenario, self.case.grid
        looked = best.sample
        if looked.replications < PILOT:
            (again,) = self._simulate([best.plan], best.requirement, best.solution, "pilot", PILOT)
            looked = again.sample
        pilot = promise_samples(looked, scenario, grid, self.rules)
        most = -(-self.planning.certificate_replications // BLOCK)
        size = blocks_needed(pilot, attempt, maximum=most).blocks if pilot else most
        seed = seed_for("certify", self.fingerprint, self.seed, best.plan.text, attempt)
        (sample,) = replicate(
            self.case,
            [best.plan],
            seed=seed,
            replications=size * BLOCK,
            workers=self.workers,
            progress=lambda done, total: self.report(f"certifying, attempt {attempt}", done, total),
        )
        samples = promise_samples(sample, scenario, grid, self.rules)
        certificate = certify(samples, attempt, zone=self.planning.zone)
        self.attempts.append(certificate)
        return certificate, sample, seed


def _short(found: Sequence[Gap]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The promises short of the aim, worst first, and those short of the target itself."""
    short = sorted((gap for gap in found if gap.missing > 0), key=lambda gap: -gap.missing)
    named = [(gap, f"{gap.kept.promise.name} ({_said(gap)})") for gap in short]
    return tuple(name for _, name in named), tuple(name for gap, name in named if _misses(gap))


def _said(gap: Gap) -> str:
    value = gap.kept.estimate.value
    if gap.kept.promise.target.metric == "average speed of answer":
        return f"{value:.1f} s"
    return f"{value:.2%}"


def _misses(gap: Gap) -> bool:
    target, kept = gap.kept.promise.target, gap.kept
    if target.share_of_days is not None:
        return kept.share_of_days is not None and kept.share_of_days.value < target.share_of_days
    if target.sense == "at least":
        return kept.estimate.value < target.value
    return kept.estimate.value > target.value


def _worst_shortfall(certificate: Certificate) -> float:
    return max((max(finding.shortfall, 0.0) for finding in certificate.findings), default=0.0)


def _silent(_what: str, _done: int, _total: int) -> None:
    """Say nothing."""
