"""Whole certifications, engine included, of a plan that just keeps its target or falls short.

A small centre whose service level over a day from empty is known exactly (a Markov chain) is
certified on ten blocks of simulated days, over and over: with the target at the truth, and 0.25
points above it. How often does the certifier say yes?

Run with `python benchmarks/certifier_full_engine.py [runs]`; fifty runs take about a minute.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from ccsim.demand.draw import BLOCK
from ccsim.experiment import replicate
from ccsim.statistics import TargetSample, attempt_level, certify, proportion
from tests.oracles import erlang_day

BLOCKS = 10
HOURS = 3
ABOVE = (0.0, 0.0025)


def certified(runs: int) -> dict[float, int]:
    """How many of so many certifications said yes, by how far the target is above the truth."""
    oracle = erlang_day(arrival=1.0, agents=5, service=0.4, give_up=0.5, hours=HOURS)
    truth = oracle.laws["call", "in_time", "offered"]
    said = dict.fromkeys(ABOVE, 0)
    for run in range(runs):
        (sample,) = replicate(
            oracle.case, [oracle.plan], seed=1000 + run, replications=BLOCKS * BLOCK
        )
        good = sample.blocks(sample.in_time[:, 0, 0, 0])
        offered = sample.blocks(sample.measure("offered")[:, 0, 0])
        for above in ABOVE:
            target = TargetSample("the day", "at least", truth + above, good, offered)
            said[above] += certify([target], attempt=1).verdict == "certified"
    return said


def main(runs: int) -> None:
    """Print how often, with its interval, beside what is stated."""
    for above, count in certified(runs).items():
        share = proportion(count, runs)
        print(
            f"target {above:.2%} above the truth: {count} of {runs} certified, "
            f"{share.value:.1%} [{share.lower:.1%}, {share.upper:.1%}]; "
            f"stated: at most {attempt_level(1):.2%}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
