"""How sure a simulated number is: intervals for means, ratios, shares, quantiles and differences.

Every function takes samples that are independent of each other, as a rule the totals of whole
blocks of replications, and gives the estimate with its limits. Fewer than `FEWEST_SAMPLES`
blocks give the estimate and no interval (limits NaN): a spread from nine blocks is a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ccsim.queueing import special

Array = NDArray[np.float64]
Kind = Literal["simulated", "exact", "approximate"]

FEWEST_SAMPLES = 10


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and how sure it is.

    `lower` and `upper` are NaN where there is no interval; `value` is NaN where there is no
    number (nothing offered, no service level). `samples` counts what the interval rests on.
    """

    value: float
    lower: float
    upper: float
    level: float
    kind: Kind
    samples: int

    @property
    def half_width(self) -> float:
        """Half the interval's width; NaN without an interval."""
        return (self.upper - self.lower) / 2


@dataclass(frozen=True, eq=False, slots=True)
class Estimates:
    """Many estimates of one kind as arrays, one per interval or contact type; index for one."""

    value: Array
    lower: Array
    upper: Array
    level: float
    kind: Kind
    samples: int

    def __getitem__(self, index: int | tuple[int, ...]) -> Estimate:
        """Give the single estimate at this place."""
        value, lower, upper = (float(each[index]) for each in (self.value, self.lower, self.upper))
        return Estimate(value, lower, upper, self.level, self.kind, self.samples)


def mean(samples: ArrayLike, level: float = 0.95) -> Estimate:
    """Average of independent samples with its Student interval.

    Parameters
    ----------
    samples : (n,)
        One number per block, for instance the cost of its mean replication.
    level
        Confidence of the two-sided interval.

    Examples
    --------
    >>> week = mean([98, 104, 101, 95, 102, 99, 107, 94, 100, 100])
    >>> round(week.value), round(week.half_width, 1)
    (100, 2.8)
    """
    return _only(means(_one_dimensional(samples, "samples"), level))


def means(samples: ArrayLike, level: float = 0.95) -> Estimates:
    """Averages over the first axis, each with its Student interval; see `mean`."""
    values = _finite(samples, "samples")
    return ratios(values, np.ones_like(values), level)


def ratio(numerators: ArrayLike, denominators: ArrayLike, level: float = 0.95) -> Estimate:
    """Sum over sum, such as answered in time ÷ offered, with its delta-method interval.

    Parameters
    ----------
    numerators, denominators : (n,)
        Totals of one block each, pairwise.
    level
        Confidence of the two-sided interval.

    Notes
    -----
    With r = Σx/Σy and residuals e = x - r·y, the limits are r ± t·√(Σe²/(n(n-1)))/ȳ, t from
    Student's law with n - 1 degrees of freedom. Averaging the daily percentages instead would
    give a quiet day the weight of a busy one. The limits are not cut at 0 and 100 %. Where no
    block differs from another the interval has no width: it says nothing about what is too rare
    to have happened.

    References
    ----------
    Law, A. M. (2015). Simulation Modeling and Analysis, 5th ed., section 9.5. McGraw-Hill.
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed., chapter 6. Wiley.

    Examples
    --------
    >>> level = ratio([80, 78, 85, 81, 79, 83, 77, 82, 80, 75], [100] * 10)
    >>> round(level.value, 3), round(level.lower, 3), round(level.upper, 3)
    (0.8, 0.779, 0.821)
    """
    return _only(
        ratios(
            _one_dimensional(numerators, "numerators"),
            _one_dimensional(denominators, "denominators"),
            level,
        )
    )


def ratios(numerators: ArrayLike, denominators: ArrayLike, level: float = 0.95) -> Estimates:
    """Many ratios at once: sums over sums along the first axis; see `ratio`.

    Parameters
    ----------
    numerators, denominators : (n, ...)
        Block totals; the shapes broadcast, so that one denominator serves many numerators.
    """
    over = _finite(numerators, "numerators")
    under = _finite(denominators, "denominators")
    over, under = np.broadcast_arrays(over, under)
    count = over.shape[0] if over.ndim else 0
    total = under.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(total == 0, np.nan, over.sum(axis=0) / total)
        residuals = over - value * under
    return _delta(value, (residuals**2).sum(axis=0), total, count, level)


def ratio_from_sums(
    count: int,
    sum_x: float,
    sum_y: float,
    sum_xx: float,
    sum_xy: float,
    sum_yy: float,
    level: float = 0.95,
) -> Estimate:
    """Sum over sum from running sums, so that no block needs to be kept; see `ratio`.

    Parameters
    ----------
    count
        Number of blocks added up.
    sum_x, sum_y, sum_xx, sum_xy, sum_yy
        Sums over blocks of numerators, denominators, their squares and their products. Give
        floats (or Python integers): squares of microseconds leave int64.
    """
    return _only(ratios_from_sums(count, sum_x, sum_y, sum_xx, sum_xy, sum_yy, level))


def ratios_from_sums(
    count: int,
    sum_x: ArrayLike,
    sum_y: ArrayLike,
    sum_xx: ArrayLike,
    sum_xy: ArrayLike,
    sum_yy: ArrayLike,
    level: float = 0.95,
) -> Estimates:
    """Many ratios at once, from running sums of any one shape; see `ratio_from_sums`."""
    sums = {"sum_x": sum_x, "sum_y": sum_y, "sum_xx": sum_xx, "sum_xy": sum_xy, "sum_yy": sum_yy}
    x, y, xx, xy, yy = (_finite(each, name) for name, each in sums.items())
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(y == 0, np.nan, x / y)
    # Rounding can bring a spread of nothing a hair below zero.
    squares = np.maximum(xx - 2 * value * xy + value**2 * yy, 0.0)
    return _delta(value, squares, y, count, level)


def proportion(successes: int, trials: int, level: float = 0.95) -> Estimate:
    """Share of independent trials that succeed, such as days that met the target.

    Parameters
    ----------
    successes, trials
        Counts. No trials: no share, no interval.
    level
        Confidence of the two-sided interval.

    Notes
    -----
    Clopper-Pearson: never below its level, for any number of trials. It stays on the safe side
    when the trials of a block come from different strata (Hoeffding 1956), but not when days
    help each other to succeed, as days of one week with a shared backlog do.

    References
    ----------
    Clopper, C. J., Pearson, E. S. (1934). Biometrika 26, 404-413. doi:10.1093/biomet/26.4.404
    Hoeffding, W. (1956). Ann. Math. Statist. 27, 713-721. doi:10.1214/aoms/1177728178

    Examples
    --------
    >>> share = proportion(288, 320)
    >>> f"{share.value:.1%} [{share.lower:.1%}, {share.upper:.1%}]"
    '90.0% [86.2%, 93.1%]'
    """
    if trials < 0 or not 0 <= successes <= trials:
        raise ValueError(f"successes: between 0 and trials ({trials}), got {successes}")
    tail = (1 - check_level(level)) / 2
    if trials == 0:
        return Estimate(np.nan, np.nan, np.nan, level, "simulated", 0)
    lower = binomial_limit(successes, trials, tail, "lower")
    upper = binomial_limit(successes, trials, tail, "upper")
    return Estimate(successes / trials, lower, upper, level, "simulated", trials)


def binomial_limit(
    successes: float, trials: float, risk: float, side: Literal["lower", "upper"]
) -> float:
    """One-sided Clopper-Pearson limit of a share, wrong with a probability of at most `risk`."""
    if side == "upper":
        return 1.0 - binomial_limit(trials - successes, trials, risk, "lower")
    if successes <= 0:
        return 0.0
    return float(special.betaincinv(successes, trials - successes + 1, risk))


def quantile(samples: ArrayLike, probability: float, level: float = 0.95) -> Estimate:
    """Quantile of independent samples, such as the tenth-percentile day, by order statistics.

    Parameters
    ----------
    samples : (n,)
        In any order. Waits inside one day hang together: for those see
        `quantile_from_histograms`.
    probability
        Which quantile, between 0 and 1.
    level
        Least confidence of the two-sided interval, whatever the law of the samples.

    Notes
    -----
    The value is the smallest sample that at least this share of the samples does not exceed. The
    limits are order statistics whose ranks come from the binomial law. Where the samples are too
    few for either limit (the tenth percentile of 20 days) there is no interval.

    References
    ----------
    Conover, W. J. (1999). Practical Nonparametric Statistics, 3rd ed., section 3.2. Wiley.

    Examples
    --------
    >>> day = quantile(np.linspace(0.60, 0.90, 301), 0.10)
    >>> round(day.value, 3), round(day.lower, 3), round(day.upper, 3)
    (0.63, 0.619, 0.641)
    """
    ordered = np.sort(_one_dimensional(samples, "samples"))
    _check_probability(probability)
    tail = (1 - check_level(level)) / 2
    count = ordered.size
    if count == 0:
        return Estimate(np.nan, np.nan, np.nan, level, "simulated", 0)
    value = float(ordered[max(_ceiling(count * probability), 1) - 1])
    lower_rank = _binomial_rank(count, probability, tail)
    upper_rank = count + 1 - _binomial_rank(count, 1 - probability, tail)
    if count < FEWEST_SAMPLES or lower_rank < 1 or upper_rank > count:
        return Estimate(value, np.nan, np.nan, level, "simulated", count)
    lower, upper = float(ordered[lower_rank - 1]), float(ordered[upper_rank - 1])
    return Estimate(value, lower, upper, level, "simulated", count)


def quantile_from_histograms(
    edges: ArrayLike, counts: ArrayLike, probability: float, level: float = 0.95
) -> Estimate:
    """Quantile of waits that were counted into bins, block by block.

    Parameters
    ----------
    edges : (bins + 1,)
        Ascending borders of the bins, in the unit of the answer; the last may be infinite.
    counts : (n, bins)
        Contacts per block and bin.
    probability, level
        As in `quantile`.

    Notes
    -----
    Woodruff's interval: the borders at which the share of contacts below them, a ratio with its
    delta-method interval over blocks, can still equal the probability. Value and limits are
    upper borders of bins (the lower limit a lower border), hence too large by at most one bin.

    References
    ----------
    Woodruff, R. S. (1952). J. Amer. Statist. Assoc. 47, 635-646.
    doi:10.1080/01621459.1952.10483443
    """
    borders, tally = np.asarray(edges, dtype=float), _finite(counts, "counts")
    _check_probability(probability)
    if tally.ndim != 2 or borders.shape != (tally.shape[1] + 1,):
        raise ValueError(
            f"counts: shape (blocks, {borders.size - 1}) to fit the edges, got {tally.shape}"
        )
    below = np.cumsum(tally, axis=1)
    # The last bin holds everything: its share is 1 by definition and needs no interval.
    share = ratios(below, below[:, -1:], level)
    if tally.sum() == 0:
        return Estimate(np.nan, np.nan, np.nan, level, "simulated", tally.shape[0])
    value = float(borders[1:][np.argmax(share.value >= probability)])
    if tally.shape[0] < FEWEST_SAMPLES:
        return Estimate(value, np.nan, np.nan, level, "simulated", tally.shape[0])
    lower = float(borders[:-1][np.argmax(share.upper >= probability)])
    upper = float(borders[1:][np.argmax(share.lower >= probability)])
    return Estimate(value, lower, upper, level, "simulated", tally.shape[0])


def paired_difference(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Estimate:
    """First minus second, where both were simulated on the same days.

    Parameters
    ----------
    first, second : (n,)
        One number per block and plan, pairwise from the same draws.

    Examples
    --------
    >>> base = np.array([98, 104, 101, 95, 102, 99, 107, 94, 100, 100])
    >>> saving = paired_difference(base, base - [3, 2, 3, 3, 2, 4, 3, 3, 3, 4])
    >>> round(saving.value, 1), round(saving.half_width, 1)
    (3.0, 0.5)
    """
    one, other = _one_dimensional(first, "first"), _one_dimensional(second, "second")
    _check_pairs({"first": one, "second": other})
    return mean(one - other, level)


def paired_ratio_difference(
    first_numerators: ArrayLike,
    first_denominators: ArrayLike,
    second_numerators: ArrayLike,
    second_denominators: ArrayLike,
    level: float = 0.95,
) -> Estimate:
    """First ratio minus second, both sum over sum, simulated on the same days.

    Parameters
    ----------
    first_numerators, first_denominators, second_numerators, second_denominators : (n,)
        Block totals, pairwise from the same draws.

    Notes
    -----
    Delta method on the joint sums: a block's residual is e₁/ȳ₁ - e₂/ȳ₂ with e = x - r·y, so what
    the two plans share on a day cancels.

    Examples
    --------
    >>> offered = np.array([100, 90, 110, 95, 105, 100, 98, 102, 97, 103])
    >>> gain = paired_ratio_difference(0.8 * offered, offered, 0.75 * offered, offered)
    >>> round(gain.value, 4), round(gain.half_width, 4)
    (0.05, 0.0)
    """
    totals = {
        name: _one_dimensional(each, name)
        for name, each in {
            "first_numerators": first_numerators,
            "first_denominators": first_denominators,
            "second_numerators": second_numerators,
            "second_denominators": second_denominators,
        }.items()
    }
    _check_pairs(totals)
    x1, y1, x2, y2 = totals.values()
    if y1.sum() == 0 or y2.sum() == 0:
        return Estimate(np.nan, np.nan, np.nan, check_level(level), "simulated", x1.size)
    r1, r2 = x1.sum() / y1.sum(), x2.sum() / y2.sum()
    spread = mean((x1 - r1 * y1) / y1.mean() - (x2 - r2 * y2) / y2.mean(), level).half_width
    difference = float(r1 - r2)
    lower, upper = difference - spread, difference + spread
    return Estimate(difference, lower, upper, level, "simulated", x1.size)


def bonferroni(level: float, count: int) -> float:
    """Level at which each of `count` intervals must be drawn for all to hold together at `level`.

    Examples
    --------
    >>> round(bonferroni(0.95, 5), 6)
    0.99
    """
    if count < 1:
        raise ValueError(f"count: at least 1, got {count}")
    return 1 - (1 - check_level(level)) / count


def check_level(level: float) -> float:
    """Give the level back, or say that it is none."""
    if not 0 < level < 1:
        raise ValueError(f"level: a confidence between 0 and 1, such as 0.95, got {level}")
    return level


def _delta(value: Array, squares: Array, total: Array, count: int, level: float) -> Estimates:
    """Limits around a ratio from the sum of its squared residuals."""
    tail = (1 - check_level(level)) / 2
    if count < FEWEST_SAMPLES:
        none = np.full_like(value, np.nan)
        return Estimates(value, none, none, level, "simulated", count)
    student = float(special.stdtrit(count - 1, 1 - tail))
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(squares / (count * (count - 1))) / np.abs(total / count)
    lower, upper = value - student * error, value + student * error
    return Estimates(value, lower, upper, level, "simulated", count)


def _only(estimates: Estimates) -> Estimate:
    return estimates[()]


def _finite(values: ArrayLike, name: str) -> Array:
    array = np.asarray(values, dtype=float)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: finite numbers, got {array[~np.isfinite(array)][0]}")
    return array


def _one_dimensional(values: ArrayLike, name: str) -> Array:
    array = _finite(values, name)
    if array.ndim != 1:
        raise ValueError(f"{name}: one number per block, got an array of shape {array.shape}")
    return array


def _check_pairs(totals: dict[str, Array]) -> None:
    sizes = {name: each.size for name, each in totals.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"{', '.join(sizes)}: one entry per block each, got sizes {sizes}")


def _check_probability(probability: float) -> None:
    if not 0 < probability < 1:
        raise ValueError(f"probability: between 0 and 1, got {probability}")


def _ceiling(number: float) -> int:
    # 0.1 × 30 is 3.0000000000000004: a share of whole samples must not slip by one rank.
    return int(np.ceil(number - 1e-9))


def _binomial_rank(count: int, probability: float, tail: float) -> int:
    """Largest rank k with P(Binomial(count, probability) < k) ≤ tail; 0 where there is none."""
    lowest, beyond = 0, count + 1
    while beyond - lowest > 1:
        middle = (lowest + beyond) // 2
        if special.bdtr(middle - 1, count, probability) <= tail:
            lowest = middle
        else:
            beyond = middle
    return lowest
