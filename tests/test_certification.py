"""The certifier: how often it is wrong, and what it says when nothing can be said."""

import hashlib
import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from ccsim.statistics import (
    Certificate,
    ShareSample,
    TargetSample,
    attempt_level,
    blocks_needed,
    certify,
    seed_for,
)

FALSE_ALARM = 1e-4


def service(in_time, offered, target: float = 0.8, name: str = "calls") -> TargetSample:
    return TargetSample(name, "at least", target, in_time, offered)


def normal_blocks(value: float, spread: float, blocks: int, seed: int = 0) -> np.ndarray:
    """Counts in time of 10,000 whose mean and standard deviation are (nearly) these."""
    noise = np.random.default_rng(seed).normal(size=blocks)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    return np.round(10_000 * (value + spread * noise))


def judged(value: float, spread: float = 0.01, blocks: int = 30, target: float = 0.8, **more):
    sample = service(normal_blocks(value, spread, blocks), np.full(blocks, 10_000), target)
    return certify([sample], 1, **more)


@st.composite
def block_totals(draw, fewest: int, most: int):
    size = draw(st.integers(fewest, most))
    offered = draw(hnp.arrays(np.int64, size, elements=st.integers(0, 60)))
    shares = draw(hnp.arrays(float, size, elements=st.floats(0, 1)))
    return np.floor(offered * shares), offered


# The risk


def load_benchmark():
    path = Path(__file__).parents[1] / "benchmarks" / "certifier_error.py"
    spec = importlib.util.spec_from_file_location("certifier_error", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_sampled_days_have_the_service_level_that_erlang_says() -> None:
    benchmark = load_benchmark()
    days = benchmark.sample_days(np.random.default_rng(11), 60_000)
    truth = benchmark.true_service_level()
    residuals = days.in_time - truth * days.offered
    z_scores = [
        residuals.mean() / (residuals.std() / math.sqrt(residuals.size)),
        (days.offered.mean() - 40) / math.sqrt(40 / residuals.size),
        (days.ready.mean() - truth) / math.sqrt(truth * (1 - truth) / residuals.size),
    ]
    assert np.abs(z_scores).max() < stats.norm.isf(FALSE_ALARM / 6)


def assert_errors_within_the_stated_risk(runs: int, seed: int) -> None:
    benchmark = load_benchmark()
    for count in benchmark.count_certificates(np.random.default_rng(seed), runs, 10):
        assert count.said <= count.most, str(count)


def test_certifier_errs_no_more_often_than_it_states() -> None:
    assert_errors_within_the_stated_risk(runs=400, seed=12)


@pytest.mark.slow
def test_certifier_errs_no_more_often_than_it_states_in_2000_runs() -> None:
    assert_errors_within_the_stated_risk(runs=2000, seed=13)


def test_attempt_levels_add_up_to_the_budget() -> None:
    attempts = np.arange(1, 20_001)
    total = sum(attempt_level(int(attempt)) for attempt in attempts)
    # The rest of Σ1/k² beyond K lies between 1/(K + 1) and 1/K.
    rest = 0.05 * 6 / math.pi**2 / 20_000
    assert 0.05 - rest <= total < 0.05
    assert attempt_level(1, 0.2) == pytest.approx(4 * attempt_level(1))


def test_size_from_a_pilot_gives_the_wanted_power() -> None:
    # A pilot that is right about everything; then 1,000 attempts of that size on normal blocks.
    power, runs = 0.9, 1000
    pilot = service(normal_blocks(0.806, 0.012, 400), np.full(400, 10_000))
    size = blocks_needed([pilot], 1, power=power)
    assert not size.capped
    assert size.decided_by == "calls"
    noise = np.random.default_rng(14).normal(0.806, 0.012, (runs, size.blocks))
    offered = np.full(size.blocks, 10_000)
    passed = sum(
        certify([service(np.round(10_000 * each), offered)], 1).verdict == "certified"
        for each in noise
    )
    # Widening for skewness that is only noise costs a little: half of √(6/n) on average, at
    # (2t² + 1)/(6√n) each, moves the limit by so many standard errors.
    t = stats.t.isf(attempt_level(1), size.blocks - 1)
    widening = math.sqrt(6 / size.blocks / (2 * math.pi)) * (2 * t * t + 1) / 6
    widening /= math.sqrt(size.blocks)
    expected = stats.norm.cdf(stats.norm.ppf(power) - widening)
    low = stats.binom.ppf(FALSE_ALARM, runs, expected)
    assert low <= passed
    assert passed / runs < power + 0.05


def test_size_for_a_share_of_days_gives_the_wanted_power() -> None:
    power = 0.9
    size = blocks_needed([ShareSample("days", 0.9, 930, 1000)], 1, power=power)
    trials = size.blocks * 32
    met = np.arange(trials + 1)
    passes = [
        certify([ShareSample("days", 0.9, int(each), trials)], 1).verdict == "certified"
        for each in met
    ]
    reached = float(stats.binom.pmf(met, trials, 0.93) @ passes)
    # Normal quantile of a binomial law: Berry-Esseen, 0.4748·(p² + q²)/√(npq).
    error = 0.4748 * (0.93**2 + 0.07**2) / math.sqrt(trials * 0.93 * 0.07)
    assert reached >= power - error


def test_size_is_capped_and_says_so() -> None:
    short = service(normal_blocks(0.79, 0.01, 20), np.full(20, 10_000))
    assert blocks_needed([short], 1, maximum=64) == type(blocks_needed([short], 1))(
        64, True, "calls"
    )
    easy = service(normal_blocks(0.95, 0.01, 20), np.full(20, 10_000))
    assert blocks_needed([easy], 1).blocks == 10
    assert blocks_needed([easy], 1, minimum=3).blocks == 10
    assert blocks_needed([easy, short], 1).decided_by == "calls"
    assert blocks_needed([service([5], [6])], 1, maximum=50).capped
    assert blocks_needed([service(np.zeros(9), np.zeros(9))], 1).blocks == 10
    assert blocks_needed([], 1).decided_by == ""


def test_later_attempts_and_more_targets_need_more_blocks() -> None:
    pilot = service(normal_blocks(0.806, 0.012, 40), np.full(40, 10_000))
    sizes = [blocks_needed([pilot], attempt).blocks for attempt in (1, 2, 5, 20)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    assert blocks_needed([pilot] * 4, 1).blocks > sizes[0]


# The verdict


@pytest.mark.parametrize(
    ("value", "verdict", "finding"),
    [
        (0.83, "certified", "clears"),
        (0.77, "missed", "misses"),
        (0.803, "not decided", "not decided"),
    ],
)
def test_verdict_of_one_target(value: float, verdict: str, finding: str) -> None:
    certificate = judged(value)
    assert certificate.verdict == verdict
    assert certificate.findings[0].finding == finding
    assert certificate.findings[0].shortfall == pytest.approx(0.8 - value, abs=1e-5)
    assert (certificate.more_blocks > 0) == (verdict == "not decided")


def test_limit_is_that_of_student_at_the_level_of_the_attempt() -> None:
    # Blocks without skewness and far more spread than counts alone would have.
    noise = np.tile([-1.0, 1.0], 10)
    sample = service(10_000 * (0.85 + 0.01 * noise), np.full(20, 10_000))
    for attempt in (1, 2, 3):
        limit = certify([sample], attempt).findings[0].one_sided_limit
        student = stats.t.isf(attempt_level(attempt), 19)
        assert limit == pytest.approx(0.85 - student * 0.01 / math.sqrt(19), abs=1e-12)


def test_limit_moves_outwards_only_where_blocks_lean_to_the_bad_side() -> None:
    noise = np.full(20, 1.0)
    noise[:2] = -9.0
    leaning = certify([service(10_000 * (0.85 + 0.01 * noise), np.full(20, 10_000))], 1)
    away = certify([service(10_000 * (0.85 - 0.01 * noise), np.full(20, 10_000))], 1)
    plain = stats.t.isf(attempt_level(1), 19) * noise.std(ddof=1) * 0.01 / math.sqrt(20)
    skewness = stats.skew(noise, bias=False)
    factor = 1 - skewness * (2 * stats.t.isf(attempt_level(1), 19) ** 2 + 1) / (
        6 * math.sqrt(20) * stats.t.isf(attempt_level(1), 19)
    )
    assert factor > 1
    assert leaning.findings[0].one_sided_limit == pytest.approx(0.85 - factor * plain, abs=1e-12)
    assert away.findings[0].one_sided_limit == pytest.approx(0.85 - plain, abs=1e-12)


def test_the_target_itself_is_the_yardstick_and_the_zone_lies_above_it() -> None:
    # 80.1 %, known to ± 0.02: inside the zone, yet certified, since it clears the target.
    assert judged(0.801, spread=0.0005, blocks=1000).verdict == "certified"
    # Just at the target, known as well: nothing would ever clear it.
    at = judged(0.8, spread=0.0005, blocks=1000)
    assert (at.verdict, at.findings[0].finding) == ("missed", "not shown to exceed")
    assert judged(0.8, spread=0.0005, blocks=1000, zone=0.0).verdict == "not decided"


def test_at_most_has_a_word_of_its_own_inside_the_zone() -> None:
    lost = normal_blocks(0.05, 0.0005, 1000)
    sample = TargetSample("lost", "at most", 0.05, lost, np.full(1000, 10_000))
    assert certify([sample], 1).findings[0].finding == "not shown to stay below"


def test_more_targets_make_it_harder_to_call_one_missed_and_no_easier_to_certify() -> None:
    offered = np.full(30, 10_000)
    short = service(normal_blocks(0.7963, 0.01, 30), offered, name="short")
    # 2.03 standard errors below the target: beyond t(29) at 5 %, within it at 5 % ÷ 20.
    fine = [service(normal_blocks(0.9, 0.01, 30), offered, name=f"fine {k}") for k in range(19)]
    assert certify([short], 1, zone=0.0).findings[0].finding == "misses"
    assert certify([short, *fine], 1, zone=0.0).findings[0].finding == "not decided"
    # One target that clears by a hair still clears among twenty.
    hair = service(normal_blocks(0.8037, 0.01, 30), offered)
    assert certify([hair], 1).verdict == "certified"
    assert certify([hair, *fine], 1).verdict == "certified"


def test_missed_outweighs_not_decided_and_names_the_target() -> None:
    offered = np.full(30, 10_000)
    samples = [
        service(normal_blocks(0.83, 0.01, 30), offered, name="calls"),
        service(normal_blocks(0.801, 0.01, 30), offered, name="chats"),
        service(normal_blocks(0.75, 0.01, 30), offered, name="e-mails"),
    ]
    certificate = certify(samples, 1)
    assert certificate.verdict == "missed"
    assert [each.finding for each in certificate.findings] == ["clears", "not decided", "misses"]
    assert str(certificate).startswith("missed: e-mails, short by 5.0 points")


@given(block_totals(10, 25), st.floats(0, 1), st.integers(1, 5))
@settings(deadline=None, max_examples=100)
def test_late_at_most_is_the_mirror_of_in_time_at_least(totals, target, attempt) -> None:
    in_time, offered = totals
    late = TargetSample("late", "at most", 1 - target, offered - in_time, offered)
    first = certify([service(in_time, offered, target)], attempt).findings[0]
    second = certify([late], attempt).findings[0]
    assert second.one_sided_limit == pytest.approx(1 - first.one_sided_limit, abs=1e-6, nan_ok=True)
    # Where a limit falls on the target, rounding decides.
    assume(math.isnan(first.one_sided_limit) or abs(first.one_sided_limit - target) > 1e-6)
    assert (first.finding == "clears") == (second.finding == "clears")


@given(st.lists(st.tuples(block_totals(12, 12), st.floats(0, 1)), min_size=1, max_size=4))
@settings(deadline=None, max_examples=100)
def test_certified_if_and_only_if_every_target_clears_alone(cases) -> None:
    samples = [service(*totals, target) for totals, target in cases]
    alone = [certify([each], 1) for each in samples]
    offered = [each for each in alone if each.findings[0].finding != "no service level"]
    expected = bool(offered) and all(each.verdict == "certified" for each in offered)
    assert (certify(samples, 1).verdict == "certified") == expected


@given(block_totals(0, 25), st.floats(-0.5, 1.5), st.sampled_from(["at least", "at most"]))
@settings(deadline=None, max_examples=200)
def test_certifier_has_an_answer_to_everything(totals, target, sense) -> None:
    sample = TargetSample("calls", sense, target, *totals)
    certificate = certify([sample], 1)
    finding = certificate.findings[0]
    assert str(certificate).startswith(certificate.verdict)
    assert (finding.more_blocks >= 1) == (finding.finding == "not decided")
    assert (finding.finding == "no service level") == (totals[1].sum() == 0)
    if sample.blocks < 10:
        assert certificate.verdict == "not decided"
        assert math.isnan(finding.one_sided_limit)
    size = blocks_needed([sample], 1, maximum=40)
    assert 10 <= size.blocks <= 40


@given(
    st.integers(0, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(0, 1),
)
@settings(deadline=None, max_examples=100)
def test_share_of_days_is_judged_by_clopper_and_pearson(days, share) -> None:
    successes, trials = days
    certificate = certify([ShareSample("days", share, successes, trials)], 1)
    if trials == 0:
        assert certificate.findings[0].finding == "no service level"
    elif trials <= 9 * 32:
        assert certificate.verdict == "not decided"
    else:
        # The limit clears if so many days met, or more, are too lucky at the promised share.
        chance = stats.binom.sf(successes - 1, trials, share)
        assume(abs(chance - attempt_level(1)) > 1e-9)
        assert (certificate.verdict == "certified") == (chance < attempt_level(1) or share == 0)


@given(st.integers(1, 40), st.floats(0.5, 0.99))
@settings(deadline=None, max_examples=60)
def test_a_handful_of_calls_without_a_miss_proves_no_more_than_coins_would(calls, target) -> None:
    certificate = certify([service(np.full(10, calls), np.full(10, calls), target)], 1)
    limit = attempt_level(1) ** (1 / (10 * calls))
    assert certificate.findings[0].one_sided_limit == pytest.approx(limit, rel=1e-9)
    assume(abs(limit - target) > 1e-9)
    assert (certificate.verdict == "certified") == (limit > target)


def test_fewer_than_ten_blocks_are_never_certified_nor_missed() -> None:
    for value in (0.1, 1.0):
        certificate = certify([service(np.full(9, 9000 * value), np.full(9, 9000))], 1)
        assert certificate.verdict == "not decided"
        assert certificate.more_blocks >= 1
        assert "no interval" in str(certificate)


def test_nothing_offered_asks_nothing_and_proves_nothing() -> None:
    closed = service(np.zeros(30), np.zeros(30), name="night")
    assert certify([closed], 1).verdict == "not decided"
    assert "nothing to certify" in str(certify([closed], 1))
    good = service(normal_blocks(0.83, 0.01, 30), np.full(30, 10_000))
    both = certify([closed, good, ShareSample("night", 0.9, 0, 0)], 1)
    assert both.verdict == "certified"
    assert both.blocks == 30
    assert both.findings[0].finding == "no service level"
    # An empty window takes no part in the correction either.
    assert both.findings[1].estimate.level == pytest.approx(0.95)


def test_average_above_one_is_judged_as_well() -> None:
    waits = np.random.default_rng(15).gamma(50, 400, 30)
    sample = TargetSample("speed of answer [s]", "at most", 30.0, waits, np.full(30, 1000))
    certificate = certify([sample], 1, zone=0.5)
    assert certificate.verdict == "certified"
    assert "%" not in str(certificate.findings[0])


# How many more


@given(st.floats(-1, 1.5), st.floats(0.008, 0.02), st.integers(10, 40))
@settings(deadline=None, max_examples=60)
def test_so_many_more_blocks_like_these_do_decide(errors, spread, blocks) -> None:
    # So many standard errors above the target: too close to decide, as a rule.
    in_time = normal_blocks(0.8 + errors * spread / math.sqrt(blocks), spread, blocks)
    first = certify([service(in_time, np.full(blocks, 10_000))], 1)
    assume(first.verdict == "not decided")
    # Whole copies keep the estimate; their spread is a little smaller than the planned one.
    copies = math.ceil((blocks + first.more_blocks) / blocks)
    assume(copies * blocks < 100_000)
    again = service(np.tile(in_time, copies), np.full(copies * blocks, 10_000))
    assert certify([again], 2).verdict != "not decided"


def test_not_decided_is_finite_even_exactly_at_the_target_and_inside_the_zone() -> None:
    for value in (0.8, 0.80125, 0.8025):
        certificate = judged(value, spread=0.01, blocks=30)
        assert certificate.verdict == "not decided"
        # Half a zone away at worst, two limits of less than three standard errors each.
        assert 1 <= certificate.more_blocks <= (3 * 0.01 / 0.00125) ** 2
    days = certify([ShareSample("days", 0.9, 288, 320)], 1)
    assert 1 <= days.more_blocks <= (3 * 0.3 / 0.00125) ** 2 / 32


# Words and seeds


def test_certificate_reads_verdict_first_and_keeps_limit_and_target_apart() -> None:
    lines = str(judged(0.805)).splitlines()
    assert lines[0] == ("certified: every target holds; risk of error 3.04% (attempt 1, 30 blocks)")
    assert lines[1].startswith("  calls: 80.50% [80.13%, 80.87%], lower limit ")
    assert lines[1].endswith("target at least 80.00%: clears")
    # A limit that clears by a hair is written with as many digits as show it.
    close = judged(0.8037)
    shown = str(close).split("lower limit ")[1].split("%")[0]
    assert float(shown) > 80
    assert float(shown) == pytest.approx(100 * close.findings[0].one_sided_limit, abs=1e-4)
    undecided = judged(0.803)
    head, line = str(undecided).splitlines()
    assert head.startswith(f"not decided: a next attempt needs about {30 + undecided.more_blocks} ")
    assert line.endswith(f"not decided, about {undecided.more_blocks} blocks more")
    lost = TargetSample("lost", "at most", 0.05, normal_blocks(0.06, 0.01, 30), np.full(30, 10_000))
    assert str(certify([lost], 1)).startswith("missed: lost, over by 1.0 points")


def test_certificate_is_frozen_and_samples_cannot_change_behind_it() -> None:
    totals = np.full(10, 90.0)
    sample = service(totals, np.full(10, 100))
    totals[:] = 0
    assert sample.numerators[0] == 90
    with pytest.raises(ValueError, match="read-only"):
        sample.numerators[0] = 0
    certificate = certify([sample], 1)
    assert isinstance(certificate, Certificate)
    with pytest.raises(AttributeError):
        certificate.verdict = "certified"


def test_seed_is_63_bits_of_blake2b_over_parts_that_cannot_run_together() -> None:
    text = b"s2:ab" + b"i1:7" + b"b1:x" + b"f" + b"%d:" % len((0.5).hex()) + (0.5).hex().encode()
    whole = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
    assert seed_for("ab", 7, b"x", 0.5) == whole >> 1
    parts = [("ab", "c"), ("a", "bc"), ("abc",), ("ab", "c", ""), (1,), ("1",), (1.0,), (b"1",), ()]
    seeds = [seed_for(*each) for each in parts]
    assert len(set(seeds)) == len(parts)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seed_for(np.int64(7)) == seed_for(7)


@given(st.text(), st.integers(), st.integers(2, 20))
@settings(deadline=None, max_examples=50)
def test_every_attempt_has_a_seed_of_its_own(scenario, seed, attempts) -> None:
    seeds = {seed_for(scenario, seed, "plan", attempt) for attempt in range(attempts)}
    assert len(seeds) == attempts


# Bad input


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: certify([], 1), ["samples"]),
        (lambda: certify([service([1], [1])], 0), ["attempt", "0"]),
        (lambda: certify([service([1], [1])], 1, budget=5), ["budget", "5"]),
        (lambda: certify([service([1], [1])], 1, zone=-0.1), ["zone", "-0.1"]),
        (lambda: certify([service([1], [1])], 1, zone=math.nan), ["zone", "nan"]),
        (lambda: TargetSample("x", "above", 0.8, [1], [1]), ["sense", "above"]),
        (lambda: service([1], [1], math.nan), ["target", "nan"]),
        (lambda: service([1, 2], [1]), ["numerators", "(2,)", "(1,)"]),
        (lambda: service([math.nan], [1]), ["numerators", "nan"]),
        (lambda: service([1], [-1]), ["denominators", "-1"]),
        (lambda: service([[1]], [[1]]), ["numerators", "[[1.]]"]),
        (lambda: ShareSample("x", 90, 1, 2), ["share", "90"]),
        (lambda: ShareSample("x", 0.9, 3, 2), ["successes", "3"]),
        (lambda: ShareSample("x", 0.9, 1, 2, 0), ["trials_per_block", "0"]),
        (lambda: blocks_needed([], 1, power=1.0), ["power", "1.0"]),
        (lambda: blocks_needed([], 1, maximum=9), ["maximum", "9"]),
    ],
)
def test_bad_input_names_the_argument_and_the_value(call, names: list[str]) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert all(name in str(error.value) for name in names)


def test_seed_refuses_what_has_no_bytes_of_its_own() -> None:
    with pytest.raises(TypeError):
        seed_for(None)
