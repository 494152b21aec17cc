"""What an attempt saw of each promise, and the one-sided limits it supports."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ccsim.queueing import special
from ccsim.statistics.intervals import Array, Estimate, binomial_limit, proportion, ratio

Sense = Literal["at least", "at most"]
Side = Literal["lower", "upper"]


@dataclass(frozen=True, eq=False)
class TargetSample:
    """What an average target saw: block totals of a ratio, such as in time ÷ offered.

    Attributes
    ----------
    name
        The promise in its own words, as it is to be printed.
    sense
        "at least" (service level) or "at most" (lost, abandoned).
    target
        The promised ratio, as a fraction.
    numerators, denominators : (n_blocks,)
        Totals of one block each; counts, where the ratio is a share.
    """

    name: str
    sense: Sense
    target: float
    numerators: ArrayLike
    denominators: ArrayLike

    def __post_init__(self) -> None:
        if self.sense not in {"at least", "at most"}:
            raise ValueError(f"sense: 'at least' or 'at most', got {self.sense!r}")
        if not math.isfinite(self.target):
            raise ValueError(f"target: a finite number, got {self.target}")
        for field in ("numerators", "denominators"):
            totals = np.array(getattr(self, field), dtype=float)
            if totals.ndim != 1 or not (np.isfinite(totals) & (totals >= 0)).all():
                raise ValueError(f"{field}: one total per block, none negative, got {totals}")
            totals.setflags(write=False)
            object.__setattr__(self, field, totals)
        if np.shape(self.numerators) != np.shape(self.denominators):
            shapes = f"{np.shape(self.numerators)} and {np.shape(self.denominators)}"
            raise ValueError(f"numerators, denominators: one pair per block, got {shapes}")

    @property
    def blocks(self) -> int:
        """Blocks in the sample."""
        return int(np.size(self.denominators))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was offered, so that there is no service level."""
        return not np.any(self.denominators)

    def estimate(self, level: float) -> Estimate:
        """Ratio with its two-sided interval."""
        return ratio(self.numerators, self.denominators, level)

    def limit(self, risk: float, side: Side, blocks: int | None = None) -> float:
        """One-sided limit at `risk`, on these blocks or on as many blocks like them.

        Notes
        -----
        Delta method, moved outwards where the blocks lean to that side: with skewness g the
        Student quantile t becomes t + |g|(2t² + 1)/(6√n) (Johnson 1978; never moved inwards).
        Where the totals are counts, the limit is never better than the Clopper-Pearson limit of
        as many independent contacts.
        """
        if self.is_empty:
            return math.nan
        count = self.blocks if blocks is None else blocks
        value, spread, skewness = self._moments()
        sign = -1.0 if side == "lower" else 1.0
        student = float(special.stdtrit(count - 1, 1 - risk))
        lean = max(sign * skewness, 0.0) * (2 * student**2 + 1) / (6 * math.sqrt(count))
        limit = value + sign * (student + lean) * spread / math.sqrt(count)
        over, under = np.asarray(self.numerators), np.asarray(self.denominators)
        if (over <= under).all():
            grown = count / self.blocks
            at_best = binomial_limit(over.sum() * grown, under.sum() * grown, risk, side)
            limit = min(limit, at_best) if side == "lower" else max(limit, at_best)
        return limit

    def would_clear(self, blocks: int, risk: float, power: float) -> bool:
        """Whether so many blocks clear the target with this power if the estimate is the truth."""
        if self.blocks < 2:
            return False
        side, sign = good_side(self.sense)
        luck = float(special.stdtrit(blocks - 1, power)) * self._moments()[1] / math.sqrt(blocks)
        return sign * self.limit(risk, side, blocks) - luck >= sign * self.target

    def _moments(self) -> tuple[float, float, float]:
        """Ratio, and standard deviation and skewness of one block's residual around it."""
        over, under = np.asarray(self.numerators), np.asarray(self.denominators)
        count = under.size
        value = float(over.sum() / under.sum())
        residuals: Array = (over - value * under) / under.mean()
        squares = float((residuals**2).sum())
        if count < 3 or squares == 0:
            return value, math.sqrt(squares / max(count - 1, 1)), 0.0
        plain = float((residuals**3).mean()) / (squares / count) ** 1.5
        skewness = plain * math.sqrt(count * (count - 1)) / (count - 2)
        return value, math.sqrt(squares / (count - 1)), skewness


@dataclass(frozen=True)
class ShareSample:
    """What a share-of-days target saw: on how many of the days the promise was kept.

    Attributes
    ----------
    name
        The promise in its own words, as it is to be printed.
    share
        Least share of days, as a fraction.
    successes, trials
        Days that reached it, and days that had anything offered. Days must not depend on each
        other: days of one week with a shared backlog do.
    trials_per_block
        Days in one block, to tell blocks from days.
    """

    name: str
    share: float
    successes: int
    trials: int
    trials_per_block: int = 32

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share: between 0 and 1, got {self.share}")
        if self.trials < 0 or not 0 <= self.successes <= self.trials:
            raise ValueError(f"successes: between 0 and {self.trials}, got {self.successes}")
        if self.trials_per_block < 1:
            raise ValueError(f"trials_per_block: at least 1, got {self.trials_per_block}")

    @property
    def sense(self) -> Sense:
        """A share of days is promised from below."""
        return "at least"

    @property
    def target(self) -> float:
        """Least share of days."""
        return self.share

    @property
    def blocks(self) -> int:
        """Blocks the days came from; days with nothing offered may be missing from them."""
        return -(-self.trials // self.trials_per_block)

    @property
    def is_empty(self) -> bool:
        """Whether no day had anything offered."""
        return self.trials == 0

    def estimate(self, level: float) -> Estimate:
        """Share of days with its Clopper-Pearson interval."""
        return proportion(self.successes, self.trials, level)

    def limit(self, risk: float, side: Side, blocks: int | None = None) -> float:
        """One-sided Clopper-Pearson limit at `risk`, on these days or on as many blocks of them."""
        if self.is_empty:
            return math.nan
        grown = 1.0 if blocks is None else blocks * self.trials_per_block / self.trials
        return binomial_limit(self.successes * grown, self.trials * grown, risk, side)

    def would_clear(self, blocks: int, risk: float, power: float) -> bool:
        """Whether so many blocks clear the target with this power if the estimate is the truth."""
        share, trials = self.successes / self.trials, blocks * self.trials_per_block
        luck = float(special.ndtri(power)) * math.sqrt(trials * share * (1 - share))
        met = max(0, math.floor(trials * share - luck))
        return binomial_limit(met, trials, risk, "lower") >= self.share


def good_side(sense: Sense) -> tuple[Side, float]:
    """Side of the limit that must clear the target, and the sign that turns better into more."""
    return ("lower", 1.0) if sense == "at least" else ("upper", -1.0)
