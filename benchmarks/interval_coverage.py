"""How often a 95 % interval holds the truth, for a centre whose truth is known exactly.

Four agents, two hours from empty, 24 calls an hour of 5 minutes, patience 2 minutes: the law of
the day by uniformization (`ccsim.queueing.transient`), and the chance of a day without a single
abandonment from the generator of the chain in which an abandonment ends everything.

Run `python benchmarks/interval_coverage.py 1000`: so many studies of ten blocks, and as many that
go on until the service level is known to 0.4 points. Some minutes on two cores.
"""

from __future__ import annotations

import sys
from functools import cache, partial
from typing import NamedTuple

import centres
import numpy as np
from scipy.linalg import expm
from scipy.optimize import brentq

from ccsim.experiment import Precision, available_cores, replicate, spread
from ccsim.performance.promises import parts, promises
from ccsim.performance.tally import measuring_rules
from ccsim.plans import StaffingPlan
from ccsim.queueing import transient
from ccsim.scenario import Case
from ccsim.statistics import Estimate, proportion, ratio, seed_for

AGENTS, RATE, HANDLE, PATIENCE, HOURS = 4, 24 / 3600, 300.0, 120.0, 2
THRESHOLD = 20.0
STATES = 60
POINTS = 0.4


class Truth(NamedTuple):
    """What a day gives, exactly."""

    abandoned: float
    service_level: float
    wait_p95: float
    days_without_abandonment: float


@cache
def centre() -> tuple[Case, StaffingPlan]:
    """The centre, and its plan."""
    call = {
        "open": {"mon-sun": "08:00-10:00"},
        "demand": {"rate": f"{RATE * 3600:g} calls/h"},
        "talk_time": {"exponential": {"mean": f"{HANDLE:g} s"}},
        "patience": {"exponential": {"mean": f"{PATIENCE:g} s"}},
        "targets": [f"80% answered within {THRESHOLD:g} s, over each day"],
    }
    return centres.desk(call, AGENTS)


@cache
def truth() -> Truth:
    """The day's law; after closing those who are there are served, so that two hours are added."""
    steps = 2 * (HOURS + 2)
    rates = np.where(np.arange(steps) < 2 * HOURS, RATE, 0.0)

    def day(threshold: float):
        return transient(
            rates, np.full(steps, AGENTS), HANDLE, PATIENCE, threshold, step=1800, error=1e-12
        )

    law = day(THRESHOLD)
    offered, abandoned = law.offered.sum(), law.abandoned.sum()

    def in_time(threshold: float) -> float:
        found = day(threshold)
        return float((found.service_level * found.offered).sum())

    p95 = brentq(lambda t: in_time(t) / (offered - abandoned) - 0.95, 1.0, 600.0, xtol=1e-6)
    # A chain that an abandonment ends: what is left of its law is the chance of none.
    number = np.arange(STATES)
    served, gives_up = (
        np.minimum(number, AGENTS) / HANDLE,
        np.maximum(number - AGENTS, 0) / PATIENCE,
    )

    def generator(rate: float) -> np.ndarray:
        flow = np.diag(np.full(STATES - 1, rate), 1) + np.diag(served[1:], -1)
        return flow - np.diag(rate + served + gives_up)

    start = np.eye(1, STATES)[0]
    left = start @ expm(generator(RATE) * 3600 * HOURS) @ expm(generator(0.0) * 86400)
    return Truth(abandoned, in_time(THRESHOLD) / offered, p95, float(left.sum()))


def study(number: int, precise: bool) -> list[Estimate]:
    """One study: its estimates, in the order of `Truth`."""
    case, plan = centre()
    (sample,) = replicate(
        case,
        [plan],
        seed=seed_for("coverage", number, str(precise)),
        replications=Precision(POINTS) if precise else 320,
        engine="compiled",
    )
    abandoned = sample.measure("abandoned").sum(axis=(1, 2))
    (promise,) = promises(case.scenario, case.grid)
    over, under = parts(promise, sample, case.scenario, measuring_rules(case.scenario))
    blocks = sample.blocks(abandoned)
    return [
        ratio(blocks, np.full(len(blocks), sample.block_size)),
        ratio(sample.blocks(over), sample.blocks(under)),
        sample.waits.quantile(0, [0], 0.95),
        proportion(int((abandoned == 0).sum()), len(abandoned)),
    ]


def table(studies: int, precise: bool) -> list[str]:
    """Coverage of each measure with its own interval."""
    play, cores = partial(study, precise=precise), available_cores()
    # The first one compiles what the threads of the others share.
    found = [play(0), *spread(play, range(1, studies), cores, threads=True)]
    lines = []
    for place, (name, exact) in enumerate(truth()._asdict().items()):
        estimates = [row[place] for row in found]
        held = sum(one.lower <= exact <= one.upper for one in estimates)
        share = proportion(held, studies)
        width = np.mean([one.half_width for one in estimates])
        lines.append(
            f"{name:<26}{exact:>10.5f}{100 * share.value:>10.1f}"
            f"  [{100 * share.lower:.1f}, {100 * share.upper:.1f}]{width:>12.5f}"
        )
    return lines


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{'measure':<26}{'truth':>10}{'held %':>10}  95 % of that{'mean ±':>12}")
    print(f"{count} studies of 320 replications")
    print("\n".join(table(count, precise=False)))
    print(f"{count} studies until the service level is known to {POINTS:g} points")
    print("\n".join(table(count, precise=True)))
