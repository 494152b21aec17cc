"""How many blocks until every promised share is known well enough."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ccsim.performance.promises import parts, promises
from ccsim.performance.sample import Sample
from ccsim.performance.tally import Rules
from ccsim.scenario.case import Case
from ccsim.statistics import ratio

_MORE = 1.1
"""Blocks asked for beyond what the widest interval says, so that one more look is seldom needed."""
_AT_ONCE = 4
"""Times as many blocks at the next look, at most: the first interval may be far too wide."""


def half_widths(
    sample: Sample, case: Case, rules: Rules, level: float = 0.95
) -> NDArray[np.float64]:
    """Half the width of the interval of every promised share; without contacts there is none."""
    found = []
    for promise in promises(case.scenario, case.grid):
        if promise.target.metric == "average speed of answer":
            continue
        over, under = parts(promise, sample, case.scenario, rules)
        estimate = ratio(sample.blocks(over), sample.blocks(under), level)
        if not math.isnan(estimate.value):
            found.append(estimate.half_width)
    return np.array(found)


def blocks_for(half_widths: NDArray[np.float64], wanted: float, blocks: int) -> int:
    """Blocks after which to look again; as many as there are when all are narrow enough.

    Widths fall with the square root of the blocks.

    Examples
    --------
    >>> blocks_for(np.array([0.004, 0.010]), 0.005, blocks=20)
    80
    >>> blocks_for(np.array([0.004, 0.0045]), 0.005, blocks=80)
    80
    """
    widest = float(half_widths.max())
    if widest <= wanted:
        return blocks
    needed = blocks * (widest / wanted) ** 2 * _MORE
    return int(min(math.ceil(needed), _AT_ONCE * blocks))
