"""Replications until every promised share is known well enough: how many more it takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ccsim.errors import CcsimError
from ccsim.performance.promises import parts, promises
from ccsim.performance.sample import Sample
from ccsim.performance.tally import Rules
from ccsim.scenario.case import Case
from ccsim.statistics import ratio

FIRST_LOOK = 20
"""Blocks after which a precision is first looked at: fewer tell too little of the spread."""
MOST_BLOCKS = 10_000
"""Blocks at which it ends, reached or not."""
_MORE = 1.1
"""Blocks asked for beyond what the widest interval says, so that one more look is seldom needed."""
_AT_ONCE = 4
"""Times as many blocks at the next look, at most: the first interval may be far too wide."""


@dataclass(frozen=True)
class Precision:
    """How well every promised share is to be known.

    Attributes
    ----------
    points : float
        Half the width of its 95 % interval, in percentage points.

    Raises
    ------
    CcsimError
        If it is not above 0 and below 100.

    Notes
    -----
    Looks after 20 blocks, then after as many as the widest interval says are needed and a tenth
    more, four times as many at most; ends when every interval is narrow enough. Blocks are taken in
    the order of their numbers, so that the result is the same for any number of workers. Such a
    rule keeps its confidence as the precision asked for grows [1]_; few looks, and none before 20
    blocks, keep it close to that for any precision: docs/verification.md says how close.

    References
    ----------
    .. [1] P. W. Glynn, W. Whitt (1992), "The asymptotic validity of sequential stopping rules for
       stochastic simulations", Annals of Applied Probability 2(1), 180-198.
       doi:10.1214/aoap/1177005777
    """

    points: float

    def __post_init__(self) -> None:
        if not 0 < self.points < 100:
            raise CcsimError(f"a precision is above 0 and below 100 points, not {self.points!r}")


def blocks_needed(precision: Precision, samples: Sequence[Sample], case: Case, rules: Rules) -> int:
    """Blocks after which to look again; as many as there are when all is precise enough."""
    blocks = samples[0].intervals.blocks
    widths = [width for sample in samples for width in _half_widths(sample, case, rules)]
    if not widths:
        raise CcsimError(
            f"{case.title!r} promises no share, so there is nothing to know to "
            f"±{precision.points:g} points: ask for replications instead"
        )
    return min(_look_after(max(widths), precision.points / 100, blocks), max(MOST_BLOCKS, blocks))


def _look_after(widest: float, wanted: float, blocks: int) -> int:
    """Blocks at which the widest interval will be narrow enough: widths fall like 1 / √blocks.

    Examples
    --------
    >>> _look_after(0.010, 0.005, blocks=20), _look_after(0.0045, 0.005, blocks=80)
    (80, 80)
    >>> _look_after(0.006, 0.005, blocks=80)
    127
    """
    if widest <= wanted:
        return blocks
    return min(math.ceil(blocks * (widest / wanted) ** 2 * _MORE), _AT_ONCE * blocks)


def _half_widths(sample: Sample, case: Case, rules: Rules) -> Iterator[float]:
    """Half the width of the interval of every promised share; without contacts there is none."""
    for promise in promises(case.scenario, case.grid):
        if promise.target.metric != "average speed of answer":
            over, under = parts(promise, sample, case.scenario, rules)
            estimate = ratio(sample.blocks(over), sample.blocks(under))
            if not math.isnan(estimate.value):
                yield estimate.half_width
