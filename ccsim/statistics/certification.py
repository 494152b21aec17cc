"""Does this plan keep its promises? The verdict, with a stated risk of being wrong.

A plan that falls short of any target is certified with a probability of at most 5 % over a whole
study, however many plans and attempts it tries: attempt k brings fresh days and may err with
probability 0.05 · 6/(π²k²), and these risks add up to 0.05. Inside an attempt the number of
blocks is fixed beforehand (`blocks_needed`), never raised until it passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from operator import index
from typing import Literal

from ccsim.statistics.intervals import FEWEST_SAMPLES, Estimate, bonferroni
from ccsim.statistics.targets import Sense, ShareSample, Side, TargetSample, good_side

Sample = TargetSample | ShareSample
Verdict = Literal["certified", "missed", "not decided"]
Word = Literal[
    "clears",
    "misses",
    "not shown to exceed",
    "not shown to stay below",
    "not decided",
    "no service level",
]

# Planning a size: no study is longer than this many blocks, whatever the arithmetic says.
_MOST_BLOCKS = 10**9


@dataclass(frozen=True)
class Finding:
    """What an attempt found about one target.

    Attributes
    ----------
    estimate
        With its two-sided interval; the intervals of all targets hold together.
    one_sided_limit
        The limit that must clear the target: lower for "at least", upper for "at most".
    finding
        One word for the target.
    shortfall
        By how much the estimate falls short of the target, in its unit; negative with room left.
    more_blocks
        Blocks by which the next attempt, all on fresh days, should be larger to decide.
    """

    name: str
    estimate: Estimate
    one_sided_limit: float
    target: float
    finding: Word
    shortfall: float
    sense: Sense
    more_blocks: int

    def __str__(self) -> str:
        value, limit = self.estimate.value, self.one_sided_limit
        if math.isnan(value):
            return f"{self.name}: nothing offered, {self.finding}"
        if math.isnan(limit):
            write = _writer(self.target, 0.001, self.target, value)
            seen = f"{write(value)}, no interval"
        else:
            write = _writer(self.target, self.estimate.half_width, self.target, limit)
            between = f"[{write(self.estimate.lower)}, {write(self.estimate.upper)}]"
            side, _ = good_side(self.sense)
            seen = f"{write(value)} {between}, {side} limit {write(limit)}"
        more = f", about {_blocks(self.more_blocks)} more" if self.more_blocks else ""
        promised = f"target {self.sense} {write(self.target)}"
        return f"{self.name}: {seen}, {promised}: {self.finding}{more}"


@dataclass(frozen=True)
class Certificate:
    """The verdict of one attempt on one plan.

    Attributes
    ----------
    verdict
        "certified" only if every target clears; "missed" names at least one target that does
        not; else "not decided".
    attempt, level
        Which attempt of the study, and its risk of certifying a plan that falls short.
    blocks
        Blocks of the smallest sample.
    more_blocks
        By how many blocks the next attempt should be larger; 0 once decided.
    budget, zone
        Risk of the whole study; width of the zone beyond the target.
    """

    verdict: Verdict
    attempt: int
    level: float
    blocks: int
    findings: tuple[Finding, ...]
    more_blocks: int
    budget: float
    zone: float

    def __str__(self) -> str:
        say = f"attempt {self.attempt}, {_blocks(self.blocks)}"
        if self.verdict == "certified":
            head = f"certified: every target holds; risk of error {self.level:.2%} ({say})"
        elif self.verdict == "missed":
            short = [each for each in self.findings if _is_missed(each.finding)]
            by = "; ".join(f"{each.name}, {_by_how_much(each)}" for each in short)
            head = f"missed: {by} ({say})"
        elif self.more_blocks:
            fresh = _blocks(self.blocks + self.more_blocks)
            head = f"not decided: a next attempt needs about {fresh}, all fresh ({say})"
        else:
            head = f"not decided: nothing was offered, so there is nothing to certify ({say})"
        return "\n".join([head, *(f"  {each}" for each in self.findings)])


@dataclass(frozen=True)
class AttemptSize:
    """How many blocks a certification takes, fixed before it begins.

    Attributes
    ----------
    blocks
        Blocks to simulate.
    capped
        True if more would be needed for the wanted power: expect "not decided".
    decided_by
        Name of the target that needs the most blocks; empty without any.
    """

    blocks: int
    capped: bool
    decided_by: str


def attempt_level(attempt: int, budget: float = 0.05) -> float:
    """Risk that attempt k may take of certifying a plan that falls short: budget · 6/(π²k²).

    Examples
    --------
    >>> [round(attempt_level(k), 4) for k in (1, 2, 3)]
    [0.0304, 0.0076, 0.0034]
    """
    if attempt < 1:
        raise ValueError(f"attempt: counted from 1, got {attempt}")
    if not 0 < budget < 1:
        raise ValueError(f"budget: a probability between 0 and 1, got {budget}")
    return budget * 6 / (math.pi * attempt) ** 2


def certify(
    samples: Sequence[Sample],
    attempt: int,
    *,
    zone: float = 0.0025,
    budget: float = 0.05,
) -> Certificate:
    """Judge a plan by days that nobody has seen before.

    Parameters
    ----------
    samples
        One per target, from the same fresh blocks.
    attempt
        Which attempt of the whole study this is, whatever the plan; counted from 1.
    zone
        Width beyond the target, in the target's unit (0.0025 = 0.25 points), inside which a plan
        is too close to be told from one that falls short.
    budget
        Risk of the whole study; also the risk of naming a miss that is none, over all targets of
        this attempt.

    Notes
    -----
    *Certified* if and only if every target's one-sided limit at the attempt's level clears the
    target itself. This needs no correction for the number of targets: a plan that falls short
    somewhere must pass the very target it fails (intersection-union test). *Missed* if some
    target's opposite limit, at `budget` divided by the number of targets (Bonferroni), falls
    short of the target, or of target + zone ("not shown to exceed"). Else *not decided*. A target
    with nothing offered has no service level and asks nothing; with no other target nothing is
    certified. With fewer than ten blocks nothing is certified, nor called missed.

    The limit of a ratio is that of the delta method, moved outwards where the blocks lean to the
    bad side (Johnson 1978), and never better than the Clopper-Pearson limit of as many independent
    contacts: ten calls of ten in time do not prove 100 %. What no block has shown at all, a rare
    disastrous day, stays outside of any such limit.

    References
    ----------
    Berger, R. L. (1982). Technometrics 24, 295-300. doi:10.1080/00401706.1982.10487790
    Johnson, N. J. (1978). J. Amer. Statist. Assoc. 73, 536-544.
    doi:10.1080/01621459.1978.10480051

    Examples
    --------
    >>> in_time = [2596, 2577, 2620, 2588, 2569, 2601, 2610, 2583, 2594, 2602]
    >>> calls = TargetSample("calls in 20 s", "at least", 0.80, in_time, [3200] * 10)
    >>> print(certify([calls], attempt=1))
    certified: every target holds; risk of error 3.04% (attempt 1, 10 blocks)
      calls in 20 s: 81.06% [80.72%, 81.41%], lower limit 80.65%, target at least 80.00%: clears
    """
    if not samples:
        raise ValueError("samples: at least one target, got none")
    if not zone >= 0:
        raise ValueError(f"zone: not negative, got {zone}")
    level = attempt_level(attempt, budget)
    live = [each for each in samples if not each.is_empty]
    corrected = 1 - bonferroni(1 - budget, max(1, len(live)))
    next_level = attempt_level(attempt + 1, budget)
    findings = tuple(_judge(each, level, corrected, next_level, zone) for each in samples)
    words = {each.finding for each in findings}
    verdict: Verdict = "not decided"
    if any(_is_missed(word) for word in words):
        verdict = "missed"
    elif "clears" in words and words <= {"clears", "no service level"}:
        verdict = "certified"
    blocks = min(each.blocks for each in live or samples)
    more = max(each.more_blocks for each in findings) if verdict == "not decided" else 0
    return Certificate(verdict, attempt, level, blocks, findings, more, budget, zone)


def blocks_needed(
    pilot: Sequence[Sample],
    attempt: int,
    *,
    power: float = 0.9,
    minimum: int = FEWEST_SAMPLES,
    maximum: int = 1000,
    budget: float = 0.05,
) -> AttemptSize:
    """Fix the size of a certification from a pilot that is then thrown away.

    Parameters
    ----------
    pilot
        One sample per target, from blocks that the certification will not use.
    attempt
        Which attempt of the study is being sized.
    power
        Probability of "certified" if the pilot's estimates are the truth.
    minimum, maximum
        Fewest (never below ten) and most blocks.
    budget
        Risk of the whole study.

    Notes
    -----
    The pilot is taken plainly at its word: its estimates and its spread are used as if they were
    known, so a lucky pilot gives a certification that is too small, which costs power and never
    adds risk. Each of m targets is sized for power 1 - (1 - power)/m, so that all clear together.
    A target that the pilot does not see cleared, or a pilot of a single block, asks for the
    maximum.

    Examples
    --------
    >>> in_time = [2596, 2577, 2620, 2588, 2569, 2601, 2610, 2583, 2594, 2602]
    >>> calls = TargetSample("calls in 20 s", "at least", 0.805, in_time, [3200] * 10)
    >>> blocks_needed([calls], attempt=1).blocks
    13
    """
    if not 0 < power < 1:
        raise ValueError(f"power: a probability between 0 and 1, got {power}")
    fewest = max(minimum, FEWEST_SAMPLES)
    if maximum < fewest:
        raise ValueError(f"maximum: at least {fewest} blocks, got {maximum}")
    risk = attempt_level(attempt, budget)
    live = [each for each in pilot if not each.is_empty]
    each_power = 1 - (1 - power) / max(1, len(live))
    size, decided_by = fewest, ""
    for sample in live:
        needed = _smallest(
            partial(sample.would_clear, risk=risk, power=each_power), fewest, maximum + 1
        )
        if needed > size or not decided_by:
            size, decided_by = max(size, needed), sample.name
    return AttemptSize(min(size, maximum), size > maximum, decided_by)


def seed_for(*parts: str | bytes | int | float) -> int:
    """Seed that belongs to these parts alone, such as scenario, user's seed, plan and attempt.

    The same on every machine and in every process: 63 bits of BLAKE2b over the parts, each with
    its kind and length, so that ("ab", "c") and ("a", "bc") differ.

    Examples
    --------
    >>> seed_for("bank week", 1, "plan 7f3a", 1) == seed_for("bank week", 1, "plan 7f3a", 2)
    False
    """
    digest = blake2b(digest_size=8)
    for part in parts:
        kind, text = _encoded(part)
        digest.update(b"%s%d:" % (kind, len(text)))
        digest.update(text)
    return int.from_bytes(digest.digest(), "big") >> 1


def _encoded(part: str | bytes | int | float) -> tuple[bytes, bytes]:
    if isinstance(part, str):
        return b"s", part.encode()
    if isinstance(part, bytes):
        return b"b", part
    if isinstance(part, float):
        return b"f", float(part).hex().encode()
    return b"i", str(index(part)).encode()


def _judge(
    sample: Sample, level: float, corrected: float, next_level: float, zone: float
) -> Finding:
    """Find for one target what its limits say."""
    estimate, target = sample.estimate(1 - corrected), sample.target
    good, sign = good_side(sample.sense)
    bad: Side = "upper" if good == "lower" else "lower"
    enough = sample.blocks >= FEWEST_SAMPLES
    limit = sample.limit(level, good) if enough else math.nan
    opposite = sample.limit(corrected, bad) if enough else math.nan
    word: Word = "not decided"
    more = 0
    # Comparisons with NaN are false: without limits every target stays undecided.
    if sample.is_empty:
        word = "no service level"
    elif sign * limit >= sign * target:
        word = "clears"
    elif sign * opposite < sign * target:
        word = "misses"
    elif sign * opposite < sign * target + zone:
        word = "not shown to exceed" if sample.sense == "at least" else "not shown to stay below"
    else:
        more = _more_blocks(sample, next_level, corrected, zone)
    shortfall = sign * (target - estimate.value)
    return Finding(sample.name, estimate, limit, target, word, shortfall, sample.sense, more)


def _more_blocks(sample: Sample, level: float, corrected: float, zone: float) -> int:
    """Blocks to add so that the next attempt decides, if the estimate is the truth.

    Either end decides: the limit that clears the target, or the opposite limit that comes below
    target + zone; at least one of the two is half a zone away from the estimate.
    """
    good, sign = good_side(sample.sense)
    bad: Side = "upper" if good == "lower" else "lower"

    def decides(blocks: int) -> bool:
        clears = sign * sample.limit(level, good, blocks) >= sign * sample.target
        short = sign * sample.limit(corrected, bad, blocks) < sign * sample.target + zone
        return clears or short

    now = sample.blocks
    return _smallest(decides, max(now + 1, FEWEST_SAMPLES), _MOST_BLOCKS) - now


def _is_missed(word: Word) -> bool:
    return word in {"misses", "not shown to exceed", "not shown to stay below"}


def _smallest(holds: Callable[[int], bool], first: int, last: int) -> int:
    """Smallest number from `first` on that holds, taking it to hold from there on; else `last`."""
    step, low = 1, first
    if first >= last or holds(first):
        return min(first, last)
    while low + step < last and not holds(low + step):
        low, step = low + step, 2 * step
    high = min(low + step, last)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _writer(target: float, width: float, *told_apart: float) -> Callable[[float], str]:
    """Write numbers with the digits their interval allows, and enough to tell these two apart."""
    share = 0 <= target <= 1
    factor, sign = (100, "%") if share else (1, "")
    digits = 2 if width <= 0 else 1 - math.floor(math.log10(width * factor))
    digits = min(max(digits, 0), 6)
    first, second = told_apart
    while (
        digits < 6
        and first != second
        and f"{first * factor:.{digits}f}" == (f"{second * factor:.{digits}f}")
    ):
        digits += 1
    return lambda number: f"{number * factor:.{digits}f}{sign}"


def _by_how_much(finding: Finding) -> str:
    if finding.finding != "misses":
        return finding.finding
    share = 0 <= finding.target <= 1
    amount = abs(finding.shortfall) * (100 if share else 1)
    digits = min(max(1 - math.floor(math.log10(amount)), 0), 6) if amount > 0 else 0
    word = "short" if finding.sense == "at least" else "over"
    return f"{word} by {amount:.{digits}f}{' points' if share else ''}"


def _blocks(count: int) -> str:
    return f"{count} block" if count == 1 else f"{count} blocks"
