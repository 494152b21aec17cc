"""How often does the certifier certify a plan that falls short? Counted on days with a known law.

The days are those of a small centre (4 agents, one call a minute, mean handle time 2.4 minutes,
answered within 20 s) and are sampled exactly, without the simulator: calls, services and the state
at opening come from the stationary law of the M/M/4 queue, waits from the Kiefer-Wolfowitz
recursion. Calls find the stationary queue (PASTA), and so does the moment of opening; hence

    E[in time] / E[offered] = P(ready at opening) = 1 - C(4, 2.4) · exp(-(4/2.4 - 1) · 1/3),

C being Erlang's delay probability: the true service level is known to the last digit, and so is
the share of days on which a call at opening would be answered in time.

Run with `python benchmarks/certifier_error.py [runs] [blocks]`.
"""

from __future__ import annotations

import math
import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ccsim.statistics import ShareSample, TargetSample, attempt_level, certify, proportion

AGENTS = 4
CALLS_PER_MINUTE = 1.0
HANDLE_MINUTES = 2.4
THRESHOLD_MINUTES = 1 / 3
DAY_MINUTES = 40.0
DAYS_PER_BLOCK = 32
RUNS_AT_ONCE = 50
FALSE_ALARM = 1e-3


class Days(NamedTuple):
    """What was counted on sampled days: per day, or per run and block."""

    in_time: NDArray[np.int64]
    offered: NDArray[np.int64]
    ready: NDArray[np.int64]


class Count(NamedTuple):
    """How many of the runs said so, against the most that the stated risk allows."""

    what: str
    said: int
    runs: int
    risk: float

    @property
    def most(self) -> int:
        """Count that a rate of `risk` exceeds with a probability of at most `FALSE_ALARM`."""
        counts = np.arange(self.runs + 1)
        return int(np.argmax(special.bdtr(counts, self.runs, self.risk) >= 1 - FALSE_ALARM))

    def __str__(self) -> str:
        share = proportion(self.said, self.runs)
        return (
            f"{self.what:<58} {share.value:7.2%} [{share.lower:.2%}, {share.upper:.2%}]"
            f"   stated {self.risk:.2%}, {self.said} of at most {self.most}"
        )


def delay_probability() -> float:
    """Erlang C of the small centre."""
    load = CALLS_PER_MINUTE * HANDLE_MINUTES
    blocked = 1.0
    for agents in range(1, AGENTS + 1):
        blocked = load * blocked / (agents + load * blocked)
    return AGENTS * blocked / (AGENTS - load * (1 - blocked))


def true_service_level() -> float:
    """Share of calls answered in time, exactly."""
    drain = AGENTS / HANDLE_MINUTES - CALLS_PER_MINUTE
    return 1 - delay_probability() * math.exp(-drain * THRESHOLD_MINUTES)


def sample_days(generator: np.random.Generator, days: int) -> Days:
    """Sample independent days of the small centre, all at once."""
    work = _work_at_opening(generator, days)
    clock = np.zeros(days)
    in_time = np.zeros(days, dtype=np.int64)
    offered = np.zeros(days, dtype=np.int64)
    ready = (work[:, 0] <= THRESHOLD_MINUTES).astype(np.int64)
    while True:
        gap = generator.exponential(1 / CALLS_PER_MINUTE, days)
        clock += gap
        open_ = clock < DAY_MINUTES
        if not open_.any():
            return Days(in_time, offered, ready)
        np.maximum(work - gap[:, None], 0.0, out=work)
        quick = work[:, 0] <= THRESHOLD_MINUTES
        offered += open_
        in_time += open_ & quick
        work[:, 0] += generator.exponential(HANDLE_MINUTES, days)
        work.sort(axis=1)


def _work_at_opening(generator: np.random.Generator, days: int) -> NDArray[np.float64]:
    """Work in front of each agent [min], ascending, in the stationary law."""
    load = CALLS_PER_MINUTE * HANDLE_MINUTES
    weights = np.array([load**calls / math.factorial(calls) for calls in range(AGENTS)])
    calls = generator.choice(AGENTS, days, p=weights / weights.sum())
    delayed = generator.random(days) < delay_probability()
    waiting = generator.geometric(1 - load / AGENTS, days) - 1
    calls = np.where(delayed, AGENTS + waiting, calls)
    work = np.zeros((days, AGENTS))
    for place in range(int(calls.max(initial=0))):
        handle = generator.exponential(HANDLE_MINUTES, days)
        work[:, 0] += np.where(place < calls, handle, 0.0)
        work.sort(axis=1)
    return work


def sample_blocks(generator: np.random.Generator, runs: int, blocks: int) -> Days:
    """Sample block totals (runs, blocks): in time, offered, openings without a long wait."""
    parts = []
    # Days by the ten thousand stay in the processor's cache.
    for start in range(0, runs, RUNS_AT_ONCE):
        some = min(RUNS_AT_ONCE, runs - start)
        days = sample_days(generator, some * blocks * DAYS_PER_BLOCK)
        parts.append([each.reshape(some, blocks, -1).sum(axis=2) for each in days])
    return Days(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def count_certificates(generator: np.random.Generator, runs: int, blocks: int) -> list[Count]:
    """Judge `runs` studies of plans whose truth is known; count the wrong answers."""
    truth, risk = true_service_level(), attempt_level(1)
    seen = sample_blocks(generator, runs, blocks)
    fresh = [sample_blocks(generator, runs, blocks) for _ in range(2)]
    said = dict.fromkeys(
        ["at", "below", "family", "share", "share below", "lost", "ever", "missed", "short"], 0
    )

    def average(run: int, over: float = 0.0, days: Days = seen) -> TargetSample:
        return TargetSample(
            "in time", "at least", truth + over, days.in_time[run], days.offered[run]
        )

    def ready(run: int, over: float = 0.0) -> ShareSample:
        met = int(seen.ready[run].sum())
        return ShareSample("ready at opening", truth + over, met, blocks * DAYS_PER_BLOCK)

    for run in range(runs):
        at = certify([average(run)], 1)
        said["at"] += at.verdict == "certified"
        said["missed"] += at.findings[0].finding == "misses"
        said["below"] += certify([average(run, 0.0025)], 1).verdict == "certified"
        several = [average(run), average(run, 0.0025), average(run, -0.05), ready(run, -0.05)]
        said["family"] += certify(several, 1).verdict == "certified"
        said["share"] += certify([ready(run)], 1).verdict == "certified"
        said["share below"] += certify([ready(run, 0.0025)], 1).verdict == "certified"
        late = seen.offered[run] - seen.in_time[run]
        lost = TargetSample("late", "at most", 1 - truth, late, seen.offered[run])
        said["lost"] += certify([lost], 1).verdict == "certified"
        held = [average(run, -0.02 * k) for k in range(4)]
        said["short"] += any(each.finding == "misses" for each in certify(held, 1).findings)
        later = (certify([average(run, 0.0, days)], k) for k, days in enumerate(fresh, start=2))
        said["ever"] += at.verdict == "certified" or any(c.verdict == "certified" for c in later)
    three_attempts = sum(attempt_level(attempt) for attempt in (1, 2, 3))
    labels = {
        "at": ("certified, truth at the target", risk),
        "below": ("certified, truth 0.25 points below", risk),
        "family": ("certified, four targets, two of them kept with room", risk),
        "share": ("certified, share of days at the target", risk),
        "share below": ("certified, share of days 0.25 points below", risk),
        "lost": ("certified, 'at most' with the truth at the target", risk),
        "ever": ("certified within three attempts, truth at the target", three_attempts),
        "missed": ("called missed, truth at the target", 0.05),
        "short": ("any of four kept targets called missed", 0.05),
    }
    return [Count(what, said[key], runs, stated) for key, (what, stated) in labels.items()]


def main() -> None:
    runs, blocks = (int(each) for each in (sys.argv[1:] + ["2000", "10"][len(sys.argv) - 1 :]))
    print(f"true service level {true_service_level():.6%}, {runs} runs of {blocks} blocks")
    for count in count_certificates(np.random.default_rng(20260906), runs, blocks):
        print(count)


if __name__ == "__main__":
    main()
