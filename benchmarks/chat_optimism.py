"""By how much is the balanced chat formula too hopeful? Against the exact chain, over a grid.

A chat of 10 minutes alone takes by 10, 20, 30 or 50 % of that longer with each further chat beside
it; 70 to 130 % of what full agents complete arrives; patience is 1, 2, 5 or 10 minutes; the service
level is that within 30 or 60 s.

Run `python benchmarks/chat_optimism.py`; it takes seconds. The tests use the same function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ccsim.queueing import chat, chat_exact

ALONE = 600.0  # a chat beside no other [s]
SLOWER = (0.1, 0.2, 0.3, 0.5)
LOADS = np.array([0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.1, 1.3])
PATIENCES = np.array([60.0, 120.0, 300.0, 600.0])
THRESHOLDS = (30.0, 60.0)
AGENTS = {
    2: (2, 3, 4, 5, 6, 8, 10, 15, 20, 30),
    3: (2, 3, 4, 5, 6, 8, 10, 15, 20, 30),
    4: (2, 3, 4, 5, 6, 8, 10),
}


class Worst(NamedTuple):
    """The largest difference of a measure, and where it is."""

    slots: int
    agents: int
    difference: float  # of shares
    exact: float
    slower: float
    load: float
    patience: float
    threshold: float


def worst(slots: int, agents: int, slowers: Sequence[float] = SLOWER) -> tuple[Worst, Worst, float]:
    """Largest excess of service level, largest lack of waiting, and the smallest of both."""
    levels, waits, least = [], [], []
    for slower in slowers:
        handle_times = ALONE * (1 + slower * np.arange(slots))
        volume = LOADS[:, None, None] * agents * slots / handle_times[-1]
        queue = (volume, agents, handle_times, PATIENCES[:, None], THRESHOLDS)
        hopeful, exact = chat(*queue), chat_exact(*queue)
        excess = hopeful.service_level - exact.service_level
        lack = exact.waiting_probability - hopeful.waiting_probability
        levels.append(_at_most(excess, exact.service_level, slots, agents, slower))
        waits.append(_at_most(lack, exact.waiting_probability, slots, agents, slower))
        least += [float(excess.min()), float(lack.min())]
    return max(levels, key=_difference), max(waits, key=_difference), min(least)


def _difference(found: Worst) -> float:
    return found.difference


def _at_most(
    difference: NDArray[np.float64],
    exact: NDArray[np.float64],
    slots: int,
    agents: int,
    slower: float,
) -> Worst:
    load, patience, threshold = np.unravel_index(int(difference.argmax()), difference.shape)
    return Worst(
        slots,
        agents,
        float(difference[load, patience, threshold]),
        float(exact[load, patience, threshold]),
        slower,
        float(LOADS[load]),
        float(PATIENCES[patience]),
        THRESHOLDS[threshold],
    )


def _line(name: str, slots: int, found: Sequence[Worst], *, timed: bool) -> str:
    most = max(found, key=_difference)
    agents = f"{found[0].agents}-{found[-1].agents}"
    within = f" within {most.threshold:.0f} s" if timed else ""
    return (
        f"{name:<20}{slots:>6}{agents:>9}{100 * most.difference:>12.2f}  {most.agents} agents, "
        f"+{most.slower:.0%} a chat, load {most.load:.0%}, patience {most.patience:.0f} s: "
        f"truly {most.exact:.1%}{within}"
    )


def main() -> None:
    print(f"{'measure':<20}{'slots':>6}{'agents':>9}{'points off':>12}  where")
    least = 0.0
    for slots, numbers in AGENTS.items():
        found = [worst(slots, agents) for agents in numbers]
        print(_line("service level", slots, [level for level, _, _ in found], timed=True))
        print(_line("waiting probability", slots, [wait for _, wait, _ in found], timed=False))
        least = min(least, *(each for _, _, each in found))
    print(f"where it is not hopeful, it is too gloomy by {abs(100 * least):.0e} points at most")


if __name__ == "__main__":
    main()
