"""Intervals against laws that are known exactly.

Where coverage can be added up it is added up. Where it is counted on random samples, the count
must lie inside binomial bounds that a right interval leaves with probability `FALSE_ALARM`; the
seeds are fixed, so a test that passes once passes always.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from ccsim import statistics
from ccsim.statistics import (
    Estimate,
    binomial_limit,
    bonferroni,
    controlled_ratio,
    mean,
    means,
    paired_difference,
    paired_ratio_difference,
    proportion,
    quantile,
    quantile_from_histograms,
    ratio,
    ratio_from_sums,
    ratios,
    ratios_from_sums,
)

FALSE_ALARM = 1e-4

counts = hnp.arrays(
    np.int64, st.integers(10, 30).map(lambda n: (n, 2)), elements=st.integers(0, 500)
)


def assert_rate(hits: int, runs: int, rate: float, *, at_least_only: bool = False) -> None:
    """Assert that so many hits are what this rate gives, but for one run in 1/FALSE_ALARM."""
    low, high = stats.binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], runs, rate)
    assert hits >= low
    assert at_least_only or hits <= high


def covers(estimate: Estimate, truth: float) -> bool:
    return estimate.lower <= truth <= estimate.upper


# Means and ratios


@pytest.mark.parametrize("level", [0.80, 0.95, 0.99])
@pytest.mark.parametrize("size", [10, 25])
def test_mean_of_normal_samples_is_covered_at_exactly_its_level(size: int, level: float) -> None:
    runs = 4000
    samples = np.random.default_rng(1).normal(21.0, 4.0, (size, runs))
    every = means(samples, level)
    hits = int(((every.lower <= 21.0) & (every.upper >= 21.0)).sum())
    assert_rate(hits, runs, level)


def test_mean_agrees_with_the_table_of_student() -> None:
    # Sum of squares 90 over 10 samples: the standard error is 1, and t(9) at 97.5 % is 2.262157.
    estimate = mean([9, 11, 9, 11, 9, 11, 9, 11, 10 - math.sqrt(41), 10 + math.sqrt(41)])
    assert estimate.value == pytest.approx(10)
    assert estimate.half_width == pytest.approx(2.262157, abs=5e-7)
    assert (estimate.kind, estimate.samples, estimate.level) == ("simulated", 10, 0.95)


def test_ratio_is_covered_at_its_level() -> None:
    # Residuals are normal; what the delta method neglects is of order cv²/n = 6e-5 here, far
    # inside the binomial bounds (± 1.4 points).
    runs, size, truth = 4000, 40, 0.8
    generator = np.random.default_rng(2)
    offered = generator.normal(3200, 160, (size, runs))
    in_time = truth * offered + generator.normal(0, 60, (size, runs))
    every = ratios(in_time, offered)
    hits = int(((every.lower <= truth) & (every.upper >= truth)).sum())
    assert_rate(hits, runs, 0.95)


def test_ratio_is_sum_over_sum_and_not_the_mean_of_daily_percentages() -> None:
    assert ratio([10, 0], [10, 90]).value == 0.1


def test_controlled_ratio_is_covered_and_narrower_by_what_the_control_explains() -> None:
    # In time falls by 2.4 for each call more: of its variance the control explains all but 0.1.
    runs, size, expected = 4000, 20, 3200.0
    generator = np.random.default_rng(2)
    requests = generator.normal(expected, 60, (runs, size))
    spread = 2.4 * 60 * math.sqrt(1 / 9)
    offered = requests + generator.normal(100, 1, (runs, size))
    in_time = 2600 - 2.4 * (requests - expected) + generator.normal(0, spread, (runs, size))
    truth = 2600 / 3300
    controlled = [
        controlled_ratio(x, y, c, expected)
        for x, y, c in zip(in_time, offered, requests, strict=True)
    ]
    assert_rate(sum(covers(one, truth) for one in controlled), runs, 0.95)
    plain = ratios(in_time.T, offered.T)
    # With r = truth, x - r y moves by 2.4 + r a call.
    explained = (2.4 + truth) ** 2 * 60**2
    wanted = math.sqrt(spread**2 / (spread**2 + explained))
    narrower = np.mean([one.half_width for one in controlled]) / np.mean(plain.upper - plain.value)
    # Student's law with one degree less, and the slope that is estimated: 3 % together.
    assert narrower == pytest.approx(wanted, rel=0.06)


def test_a_control_that_says_all_leaves_nothing_to_chance() -> None:
    requests = np.random.default_rng(4).poisson(100, 12)
    known = controlled_ratio(3 * requests - 40, requests, requests, expected=100)
    assert (known.value, known.lower, known.upper) == pytest.approx((2.6, 2.6, 2.6), abs=1e-9)


def test_a_control_that_never_differs_controls_nothing() -> None:
    in_time, offered = np.random.default_rng(5).integers(80, 120, (2, 15))
    idle = controlled_ratio(in_time, offered, np.full(15, 7), expected=7)
    plain = ratio(in_time, offered)
    assert idle.value == pytest.approx(plain.value)
    assert idle.half_width == pytest.approx(plain.half_width, rel=0.06)  # 13 degrees instead of 14


def test_controlled_ratio_says_what_it_cannot() -> None:
    with pytest.raises(ValueError, match="one number per block each, got shapes"):
        controlled_ratio([1, 2], [1, 2], [1], expected=1)
    with pytest.raises(ValueError, match="finite numbers"):
        controlled_ratio([1, math.nan], [1, 2], [1, 2], expected=1)
    assert math.isnan(controlled_ratio([0] * 12, [0] * 12, range(12), expected=5).value)
    few = controlled_ratio(range(9), range(1, 10), range(9), expected=4)
    assert math.isnan(few.lower)
    assert few.value == pytest.approx(0.8)


def test_ratio_with_equal_denominators_is_the_mean() -> None:
    samples = np.random.default_rng(3).gamma(2.0, 40.0, 17)
    of_means, of_ratios = mean(samples / 50), ratio(samples, np.full(17, 50))
    assert of_ratios.lower == pytest.approx(of_means.lower, rel=1e-12)
    assert of_ratios.upper == pytest.approx(of_means.upper, rel=1e-12)


@given(counts)
@settings(deadline=None, max_examples=60)
def test_running_sums_give_the_interval_of_the_blocks(totals: np.ndarray) -> None:
    x, y = totals[:, 0], totals[:, 1]
    whole = ratio(x, y)
    streamed = ratio_from_sums(
        len(x), x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum()
    )
    if y.sum() == 0:
        assert math.isnan(whole.value)
        assert math.isnan(streamed.value)
        return
    # Σe² is a difference of sums of about Σx² + 2rΣxy + r²Σy²: each rounds to 1e-16 of that.
    size = float((x * x).sum() + 2 * whole.value * (x * y).sum() + whole.value**2 * (y * y).sum())
    slack = 3 * math.sqrt(8e-16 * size / (len(x) * (len(x) - 1))) / y.mean()
    assert streamed.value == whole.value
    assert streamed.lower == pytest.approx(whole.lower, rel=1e-9, abs=slack)
    assert streamed.upper == pytest.approx(whole.upper, rel=1e-9, abs=slack)


@given(counts, st.floats(0.01, 1e6), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_ratio_knows_neither_unit_nor_order_and_mirrors(totals, unit, random) -> None:
    x, y = totals[:, 0], totals[:, 1]
    if y.sum() == 0:
        return
    whole = ratio(x, y)
    # Residuals as large as the totals round; √eps of the ratio's size covers a spread of nothing.
    slack = 1e-7 * max(1.0, whole.value)
    order = list(range(len(x)))
    random.shuffle(order)
    same = ratio(unit * x[order], unit * y[order])
    rest = ratio(y - x, y)
    for limit, again, mirrored in (
        (whole.lower, same.lower, rest.upper),
        (whole.upper, same.upper, rest.lower),
    ):
        assert again == pytest.approx(limit, abs=slack)
        assert 1 - mirrored == pytest.approx(limit, abs=slack)


def test_many_ratios_at_once_are_the_ratios_one_by_one() -> None:
    generator = np.random.default_rng(4)
    offered = generator.poisson(30, (12, 3, 5))
    offered[:, 1, 2] = 0
    in_time = generator.binomial(offered, 0.8)
    every = ratios(in_time, offered)
    sums = [
        each.sum(axis=0) for each in (in_time, offered, in_time**2, in_time * offered, offered**2)
    ]
    streamed = ratios_from_sums(12, *sums)
    assert every.value.shape == (3, 5)
    for place in np.ndindex(3, 5):
        alone = ratio(in_time[:, *place], offered[:, *place])
        for one in (every[place], streamed[place]):
            assert one.value == pytest.approx(alone.value, nan_ok=True)
            assert one.lower == pytest.approx(alone.lower, nan_ok=True)
            assert one.upper == pytest.approx(alone.upper, nan_ok=True)
    assert math.isnan(every[1, 2].value)


def test_one_denominator_serves_many_numerators() -> None:
    offered = np.full((10, 1), 100)
    every = ratios(np.tile([[80, 90]], (10, 1)), offered)
    assert every.value.tolist() == [0.8, 0.9]


@pytest.mark.parametrize("size", [0, 1, 9])
def test_fewer_than_ten_blocks_have_no_interval(size: int) -> None:
    for estimate in (
        mean(np.arange(size)) if size else mean([]),
        ratio(np.arange(size), np.full(size, 9)),
        quantile(np.arange(size), 0.5),
        paired_difference(np.arange(size), np.zeros(size)),
        ratio_from_sums(size, 1, 2, 1, 2, 4),
    ):
        assert math.isnan(estimate.lower)
        assert math.isnan(estimate.upper)
        assert math.isnan(estimate.half_width)
        assert estimate.samples == size


def test_nothing_offered_is_no_service_level() -> None:
    estimate = ratio(np.zeros(20), np.zeros(20))
    assert math.isnan(estimate.value)
    assert math.isnan(estimate.half_width)


# Shares


@pytest.mark.parametrize("trials", [1, 10, 32, 320])
@pytest.mark.parametrize("level", [0.90, 0.97])
def test_share_is_covered_at_least_at_its_level(trials: int, level: float) -> None:
    intervals = [proportion(successes, trials, level) for successes in range(trials + 1)]
    for share in (0.001, 0.05, 0.1, 0.5, 0.77, 0.9, 0.999):
        law = stats.binom.pmf(np.arange(trials + 1), trials, share)
        too_high = sum(p for p, each in zip(law, intervals, strict=True) if each.lower > share)
        too_low = sum(p for p, each in zip(law, intervals, strict=True) if each.upper < share)
        assert too_high <= (1 - level) / 2 + 1e-12
        assert too_low <= (1 - level) / 2 + 1e-12


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(deadline=None, max_examples=60)
def test_share_is_the_clopper_pearson_interval_of_scipy(case: tuple[int, int]) -> None:
    successes, trials = case
    theirs = stats.binomtest(successes, trials).proportion_ci(0.95, method="exact")
    ours = proportion(successes, trials)
    assert ours.lower == pytest.approx(theirs.low, rel=1e-9, abs=1e-12)
    assert ours.upper == pytest.approx(theirs.high, rel=1e-9, abs=1e-12)


def test_share_of_no_days_is_none_and_limits_stay_inside() -> None:
    nothing = proportion(0, 0)
    assert math.isnan(nothing.value)
    assert math.isnan(nothing.lower)
    assert proportion(0, 5).lower == 0
    assert proportion(5, 5).upper == 1
    # Nothing seen in n trials: the limit solves (1 - p)^n = risk.
    assert binomial_limit(0, 59, 0.05, "upper") == pytest.approx(1 - 0.05 ** (1 / 59))
    assert binomial_limit(5e11, 1e12, 0.03, "lower") == pytest.approx(
        0.5 + stats.norm.ppf(0.03) * 0.5e-6, abs=1e-11
    )


# Quantiles


@pytest.mark.parametrize("count", [10, 32, 100, 320, 1000])
@pytest.mark.parametrize("probability", [0.1, 0.25, 0.5, 0.9])
def test_quantile_ranks_hold_their_level_and_no_closer_rank_does(
    count: int, probability: float
) -> None:
    level, tail = 0.95, 0.025
    estimate = quantile(np.random.default_rng(5).permutation(count) + 1, probability, level)
    seen = stats.binom(count, probability)
    assert estimate.value == math.ceil(round(count * probability, 9))
    if math.isnan(estimate.lower):
        # Even the outermost sample is on the wrong side too often.
        assert max(seen.cdf(0), seen.sf(count - 1)) > tail
        return
    lower, upper = int(estimate.lower), int(estimate.upper)
    # x_(k) lies above the quantile if fewer than k samples are below it.
    assert seen.cdf(lower - 1) <= tail < seen.cdf(lower)
    assert seen.sf(upper - 1) <= tail < seen.sf(upper - 2)
    assert seen.cdf(upper - 1) - seen.cdf(lower - 1) >= level


def test_tenth_percentile_day_needs_enough_days() -> None:
    # 0.9^35 = 2.50 % and 0.9^36 = 2.25 %: from 36 days on there is a lower limit.
    assert math.isnan(quantile(np.arange(35), 0.1).lower)
    assert quantile(np.arange(36), 0.1).lower == 0


def test_quantile_of_waits_in_histograms_is_covered() -> None:
    # Exponential waits, independent inside the block: the 80th percentile is ln 5. Rounding
    # outwards to whole bins only adds to the coverage.
    runs, blocks, waits = 400, 20, 150
    edges = np.concatenate([[0.0], np.geomspace(0.01, 50.0, 300), [np.inf]])
    generator = np.random.default_rng(6)
    hits = 0
    for _ in range(runs):
        bins = np.searchsorted(edges, generator.exponential(1.0, (blocks, waits)), "right") - 1
        tally = np.stack([np.bincount(each, minlength=edges.size - 1) for each in bins])
        estimate = quantile_from_histograms(edges, tally, 0.8)
        assert estimate.lower <= estimate.value <= estimate.upper
        hits += covers(estimate, math.log(5))
    assert_rate(hits, runs, 0.95, at_least_only=True)


def test_quantile_of_histograms_feels_that_waits_hang_together() -> None:
    # Half of the blocks are quiet, half busy: the median is anywhere in between, however many
    # contacts each block has.
    edges = [0.0, 1.0, 2.0, 3.0]
    quiet, busy = [10_000, 100, 0], [0, 100, 10_000]
    estimate = quantile_from_histograms(edges, [quiet, busy] * 10, 0.5)
    assert (estimate.lower, estimate.upper) == (0.0, 3.0)


def test_quantile_of_histograms_without_contacts_or_blocks() -> None:
    assert math.isnan(quantile_from_histograms([0, 1, 2], np.zeros((12, 2)), 0.5).value)
    few = quantile_from_histograms([0, 1, 2], [[3, 1]] * 4, 0.5)
    assert few.value == 1
    assert math.isnan(few.lower)


# Differences on the same days


def test_paired_difference_is_covered_at_its_level_and_uses_the_pairing() -> None:
    runs, size = 4000, 10
    generator = np.random.default_rng(7)
    day = generator.normal(0, 50, (size, runs))
    first = 100 + day + generator.normal(0, 3, (size, runs))
    second = 97 + day + generator.normal(0, 3, (size, runs))
    every = [paired_difference(first[:, run], second[:, run]) for run in range(runs)]
    assert_rate(sum(covers(each, 3.0) for each in every), runs, 0.95)
    # The day's spread of 50 is gone: the standard error is 3·√2/√10.
    typical = np.mean([each.half_width for each in every])
    assert typical < 1.1 * stats.t.ppf(0.975, 9) * 3 * math.sqrt(2 / 10)


def test_paired_ratio_difference_is_covered_at_its_level() -> None:
    runs, size = 2000, 40
    generator = np.random.default_rng(8)
    offered = generator.normal(3200, 160, (size, runs))
    day = generator.normal(0, 200, (size, runs))
    first = 0.82 * offered + day + generator.normal(0, 20, (size, runs))
    second = 0.80 * offered + day + generator.normal(0, 20, (size, runs))
    hits = sum(
        covers(
            paired_ratio_difference(first[:, k], offered[:, k], second[:, k], offered[:, k]), 0.02
        )
        for k in range(runs)
    )
    assert_rate(hits, runs, 0.95)


@given(counts)
@settings(deadline=None, max_examples=40)
def test_a_plan_does_not_differ_from_itself(totals: np.ndarray) -> None:
    x, y = totals[:, 0], totals[:, 1]
    itself = paired_ratio_difference(x, y, x, y)
    expected = math.nan if y.sum() == 0 else 0.0
    assert (itself.value, itself.lower, itself.upper) == pytest.approx((expected,) * 3, nan_ok=True)


def test_paired_ratio_difference_with_equal_denominators_is_the_paired_difference() -> None:
    generator = np.random.default_rng(9)
    first, second = generator.poisson(80, 15), generator.poisson(75, 15)
    hundred = np.full(15, 100)
    by_ratio = paired_ratio_difference(first, hundred, second, hundred)
    by_mean = paired_difference(first / 100, second / 100)
    assert by_ratio.lower == pytest.approx(by_mean.lower, abs=1e-12)
    assert by_ratio.upper == pytest.approx(by_mean.upper, abs=1e-12)


# Families, bad input, names


def test_bonferroni_keeps_the_family() -> None:
    assert bonferroni(0.95, 1) == pytest.approx(0.95)
    assert 20 * (1 - bonferroni(0.95, 20)) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: mean([[1, 2]]), ["samples", "(1, 2)"]),
        (lambda: mean([1, math.nan]), ["samples", "nan"]),
        (lambda: mean([1, 2], 95), ["level", "95"]),
        (lambda: mean([1, 2], 1.0), ["level", "1.0"]),
        (lambda: ratio([1, math.inf], [1, 1]), ["numerators", "inf"]),
        (lambda: ratio([1, 2], [[1, 1]]), ["denominators", "(1, 2)"]),
        (lambda: proportion(3, 2), ["successes", "3", "2"]),
        (lambda: proportion(-1, 2), ["successes", "-1"]),
        (lambda: quantile([1, 2], 1.0), ["probability", "1.0"]),
        (lambda: quantile_from_histograms([0, 1], [[1, 2]], 0.5), ["counts", "(1, 2)"]),
        (lambda: paired_difference([1, 2], [1]), ["first", "second", "1"]),
        (lambda: paired_ratio_difference([1], [1], [1, 2], [1]), ["second_numerators", "2"]),
        (lambda: bonferroni(0.95, 0), ["count", "0"]),
    ],
)
def test_bad_input_names_the_argument_and_the_value(call, names: list[str]) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert all(name in str(error.value) for name in names)


def test_public_names_are_there_and_sorted() -> None:
    names = statistics.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert all(hasattr(statistics, name) for name in names)
