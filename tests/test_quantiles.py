"""Quantile tables: the laws they stand for, to computed errors, and exact where laws jump."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ccsim.demand import quantiles as q
from ccsim.demand.keyed import draw, stream_key, uniform53
from ccsim.demand.table import NEVER, evaluate, evaluate_one, mean_seconds, survival_at

TOP = 2**53
FIVE_SIGMA = 5.0  # false alarm 6e-7


def lognormal_law(mean, cv):
    variance = math.log1p(cv**2)
    return stats.lognorm(s=math.sqrt(variance), scale=mean * math.exp(-variance / 2))


SMOOTH = {
    "exponential": (q.exponential(180), stats.expon(scale=180)),
    "lognormal cv 0.5": (q.lognormal(177, 0.5), lognormal_law(177, 0.5)),
    "lognormal cv 1.2": (q.lognormal(177, 1.2), lognormal_law(177, 1.2)),
    "lognormal cv 3": (q.lognormal(177, 3), lognormal_law(177, 3)),
    "lognormal a day": (q.lognormal(86_400, 3), lognormal_law(86_400, 3)),
    "weibull 0.5": (q.weibull(300, 0.5), stats.weibull_min(0.5, scale=150)),
    "weibull 2": (q.weibull(300, 2), stats.weibull_min(2, scale=300 / math.gamma(1.5))),
    "gamma 0.3": (q.gamma(180, 0.3), stats.gamma(0.3, scale=600)),
    "gamma 4": (q.gamma(180, 4), stats.gamma(4, scale=45)),
    "unit gamma 27": (q.unit_gamma(27), stats.gamma(27, scale=1 / 27)),
    "uniform": (q.uniform(10, 70), stats.uniform(10, 60)),
}
WITH_JUMPS = {
    "constant": q.constant(12.5),
    "endless": q.constant(math.inf),
    "sample": q.empirical([30, 60, 60, 250, 31, 32, 33]),
    "quantiles": q.empirical(
        [5, 60, 60, 90, 300, math.inf, math.inf], [0, 0.3, 0.4, 0.7, 0.8, 0.8, 1]
    ),
    "kaplan-meier": q.survival([0, 30, 30, 60, 90, 300], [0.95, 0.9, 0.8, 0.8, 0.6, 0.5]),
    "kaplan-meier endless": q.survival([20, 60], [0.7, 0.5], tail="never"),
    "balking": q.mixture([0.05, 0.95], [q.constant(0), q.exponential(100)]),
    "gap": q.mixture([0.3, 0.3, 0.4], [q.uniform(10, 20), q.uniform(30, 40), q.constant(math.inf)]),
    "three": q.mixture(
        [0.2, 0.3, 0.5], [q.lognormal(9, 0.5), q.exponential(90), q.gamma(300, 0.5)]
    ),
    "shifted": q.shifted(q.survival([0, 60], [0.9, 0.4], tail="never"), 2.5),
}
TABLES = {name: table for name, (table, _) in SMOOTH.items()} | WITH_JUMPS
UNIFORMS = np.sort(uniform53(draw(stream_key(1, "test"), 0, 0, np.arange(2**18))[0]))


def awkward_uniforms(table):
    """Both ends, where octaves and patches meet, and everything next to them."""
    powers = 1 << np.arange(53)
    places = np.concatenate([powers, TOP - powers, table.patch_from, table.patch_until])
    around = (places[:, None] + np.arange(-3, 4)).ravel()
    return np.unique(np.clip(around, 0, TOP - 1))


@pytest.mark.parametrize("name", TABLES)
def test_never_falls_and_never_negative(name):
    table = TABLES[name]
    u = np.union1d(UNIFORMS, awkward_uniforms(table))
    values = evaluate(table, u)
    assert values.dtype == np.int64
    assert values[0] >= 0
    assert (np.diff(values) >= 0).all()


@pytest.mark.parametrize("name", TABLES)
@given(u=st.integers(0, TOP - 1), octave=st.integers(0, 53), end=st.booleans())
@settings(deadline=None, max_examples=60)
def test_array_and_plain_ints_are_twins(name, u, octave, end):
    table = TABLES[name]
    u >>= octave  # reach the tails, which a plain uniform does not
    u = TOP - 1 - u if end else u
    assert evaluate_one(table, u) == evaluate(table, np.array([u]))[0]


@pytest.mark.parametrize("name", TABLES)
def test_twins_agree_at_every_seam(name):
    table = TABLES[name]
    u = awkward_uniforms(table)
    assert evaluate(table, u).tolist() == [evaluate_one(table, int(v)) for v in u]


def integrated_mean(table):
    """Average over 16 evenly placed uniforms in each cell, weighted: exact for straight lines."""
    total = 0.0
    offsets = (np.arange(4096) + 0.5) / 4096
    for octave in range(12, 53):
        lower = ((2.0**octave) * (1 + offsets) / 2).astype(np.int64)
        weight = 2.0**octave / 2**54
        for u in (lower, TOP - 1 - lower):
            total += weight * float(evaluate(table, u).mean())
    return total / 1e6


@pytest.mark.parametrize("name", SMOOTH)
def test_mean_is_the_mean_of_the_law(name):
    table, law = SMOOTH[name]
    assert mean_seconds(table) == pytest.approx(law.mean(), rel=1e-8)
    assert table.mean_error < 1e-8
    # The uniforms left out below 2**-42 carry less than 1e-8 of any of these means.
    assert integrated_mean(table) == pytest.approx(law.mean(), rel=1e-6)


@pytest.mark.parametrize("name", SMOOTH)
def test_quantiles_are_within_the_stated_error(name):
    table, law = SMOOTH[name]
    u = UNIFORMS[::64]
    p = (u + 0.5) / TOP
    bulk = (p > 1e-3) & (p < 1 - 1e-3)
    error = np.abs(evaluate(table, u) / 1e6 - law.ppf(p))[bulk]
    # Stated from every fourth cell: a neighbour's may be a little larger; and a draw is rounded.
    assert error.max() <= 1.05 * table.quantile_error + 1e-6
    assert table.quantile_error <= 5e-5 * law.mean()


@pytest.mark.parametrize("name", SMOOTH)
def test_tails_follow_the_law(name):
    table, law = SMOOTH[name]
    u = 1 << np.arange(9, 45)
    upper = evaluate(table, TOP - 1 - u) / 1e6
    # A straight line over 1/256 of an octave: relative error below 1e-4 for all of these.
    np.testing.assert_allclose(upper, law.isf((u + 0.5) / TOP), rtol=1e-4, atol=1e-6)
    lower = evaluate(table, u) / 1e6
    np.testing.assert_allclose(lower, law.ppf((u + 0.5) / TOP), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", SMOOTH)
def test_drawn_moments(name):
    table, law = SMOOTH[name]
    values = evaluate(table, UNIFORMS) / 1e6
    mean, variance = law.stats("mv")
    assert abs(values.mean() - mean) < FIVE_SIGMA * math.sqrt(variance / values.size)
    inside = np.mean(values <= law.median())
    assert abs(inside - 0.5) < FIVE_SIGMA * math.sqrt(0.25 / values.size)


@pytest.mark.parametrize("name", SMOOTH)
def test_survival_is_that_of_the_law(name):
    table, law = SMOOTH[name]
    x = law.ppf([0.01, 0.2, 0.5, 0.9, 0.999])
    # A quantile off by e moves a probability by density · e.
    allowed = law.pdf(x) * (1.05 * table.quantile_error + 1e-6)
    assert (np.abs(survival_at(table, x) - law.sf(x)) <= allowed + 1e-12).all()


@pytest.mark.parametrize("name", TABLES)
def test_survival_counts_the_uniforms_that_last_longer(name):
    table = TABLES[name]
    values = evaluate(table, UNIFORMS)
    for x in (0.0, 20.0, 60.0, 123.456, 1e9):
        share = float(survival_at(table, x))
        first = TOP - round(share * TOP)
        if first > 0:
            assert evaluate_one(table, first - 1) <= x * 1e6
        if first < TOP:
            assert evaluate_one(table, first) > x * 1e6
        assert np.count_nonzero(values > x * 1e6) == np.count_nonzero(first <= UNIFORMS)


def test_balking_is_an_exact_atom_at_zero():
    table = TABLES["balking"]
    edge = round(0.05 * TOP)
    u = np.array([0, edge - 1, edge, edge + 2**30])
    values = evaluate(table, u)
    assert values[:2].tolist() == [0, 0]
    assert values[2] <= 1 < values[3]  # the exponential part begins at zero too
    # Within 0.05 · 2⁻⁵⁴ + half a microsecond's worth of the exponential.
    assert survival_at(table, 0) == pytest.approx(0.95, abs=0.95 * 1e-6 / 100)


def test_no_value_between_a_wait_and_never():
    for name, share, longest in (
        ("quantiles", 0.2, 300),
        ("kaplan-meier endless", 0.5, 60),
        ("gap", 0.4, 40),
        ("shifted", 0.4, 62.5),
    ):
        table = TABLES[name]
        first = TOP - round(share * TOP)
        assert evaluate_one(table, first) == NEVER
        assert abs(evaluate_one(table, first - 1) - longest * 1e6) <= 1
        assert survival_at(table, 1e9) == pytest.approx(share, abs=2**-52)
        assert mean_seconds(table) == math.inf


def test_nobody_falls_into_a_gap():
    table = TABLES["gap"]
    values = evaluate(table, np.union1d(UNIFORMS, awkward_uniforms(table)))
    assert not ((values > 20_000_000) & (values < 30_000_000)).any()
    edge = round(0.3 * TOP)
    assert abs(evaluate_one(table, edge - 1) - 20_000_000) <= 1
    assert abs(evaluate_one(table, edge) - 30_000_000) <= 1


def test_kaplan_meier_rows_are_met_and_the_tail_leaves_at_the_mean_rate():
    table = TABLES["kaplan-meier"]
    still = survival_at(table, [0, 30, 60, 75, 90, 195, 300])
    # Read at whole microseconds; at most 0.2 leave in the 30 s of a row.
    assert still == pytest.approx([0.95, 0.8, 0.8, 0.7, 0.6, 0.55, 0.5], abs=1e-8)
    assert survival_at(table, 29.999999) == pytest.approx(0.9, abs=1e-8)
    waited = 30 * 0.925 + 30 * 0.8 + 30 * 0.7 + 210 * 0.55
    stay = waited / 0.5
    assert survival_at(table, 300 + stay) == pytest.approx(0.5 * math.exp(-1), abs=1e-5)
    assert mean_seconds(table) == pytest.approx(waited + 0.5 * stay, rel=1e-5)
    assert mean_seconds(table) == pytest.approx(integrated_mean(table), rel=1e-6)


@pytest.mark.parametrize(
    ("weights", "parts"),
    [
        ([0.3, 0.7], ["exponential", "gamma 0.3"]),
        ([0.5, 0.25, 0.25], ["lognormal cv 3", "weibull 2", "uniform"]),
    ],
)
def test_mixture_adds_the_laws(weights, parts):
    table = q.mixture(weights, [SMOOTH[name][0] for name in parts])
    laws = [SMOOTH[name][1] for name in parts]
    mean = sum(w * law.mean() for w, law in zip(weights, laws, strict=True))
    assert mean_seconds(table) == pytest.approx(mean, rel=1e-5)
    assert table.mean_error < 1e-5
    x = np.array([1, 5, 20, 60, 100, 400, 1000, 5000.0])
    truth = sum(w * law.sf(x) for w, law in zip(weights, laws, strict=True))
    # Lines over cells of the parts and again of the mixture: each within 1e-5 in probability.
    assert survival_at(table, x) == pytest.approx(truth, abs=2e-5)


def test_mixture_of_itself_is_itself():
    part = q.lognormal(177, 1.2)
    table = q.mixture([0.25, 0.75], [part, part])
    assert mean_seconds(table) == pytest.approx(177, rel=1e-5)
    assert np.abs(evaluate(table, UNIFORMS) / evaluate(part, UNIFORMS) - 1).max() < 1e-4


@given(sample=st.lists(st.floats(0, 5000), min_size=1, max_size=40))
@settings(deadline=None, max_examples=60)
def test_a_sample_keeps_its_mean_and_its_range(sample):
    table = q.empirical(sample)
    assert mean_seconds(table) == pytest.approx(np.mean(sample), rel=1e-9, abs=1e-6)
    ends = evaluate(table, [0, TOP - 1]) / 1e6
    assert ends == pytest.approx([min(sample), max(sample)], abs=1e-6)


@given(data=st.data(), rows=st.integers(2, 12))
@settings(deadline=None, max_examples=80)
def test_a_table_of_quantiles_is_met_between_all_its_rows(data, rows):
    whole = st.integers(0, 1000)
    p = np.sort(data.draw(st.lists(whole, min_size=rows, max_size=rows)))
    p[0], p[-1] = 0, 1000
    x = np.sort(data.draw(st.lists(whole, min_size=rows, max_size=rows))).astype(float)
    table = q.empirical(x, p / 1000)
    at = np.rint(p / 1000 * TOP).astype(np.int64)
    u = np.concatenate([UNIFORMS[::512], at[:-1] + 2, at[1:] - 3])
    u = u[(u >= 0) & (u < TOP) & (np.abs(u[:, None] - at) > 1).all(axis=1)]
    expected = np.interp((u + 0.5) / TOP, p / 1000, x)
    # Rounding of start, rise and value, and of a fraction of 31 bits: below 2 µs together.
    assert np.abs(evaluate(table, u) / 1e6 - expected).max() <= 2e-6


def test_shifting_moves_every_draw_but_never():
    table = q.survival([0, 60], [0.9, 0.4], tail="never")
    before, after = evaluate(table, UNIFORMS), evaluate(TABLES["shifted"], UNIFORMS)
    assert (after[before < NEVER] - before[before < NEVER] == 2_500_000).all()
    assert (after[before == NEVER] == NEVER).all()
    assert (before == NEVER).any()


def test_constant_is_exact():
    assert (evaluate(q.constant(12.5), UNIFORMS) == 12_500_000).all()
    assert (evaluate(q.constant(0), UNIFORMS) == 0).all()
    assert (evaluate(q.constant(math.inf), UNIFORMS) == NEVER).all()


def test_shape_of_the_uniforms_is_kept_and_tables_are_frozen():
    table = q.exponential(10)
    assert evaluate(table, np.zeros((2, 0, 3), np.int64)).shape == (2, 0, 3)
    assert evaluate(table, UNIFORMS[:6].reshape(2, 3)).shape == (2, 3)
    with pytest.raises(FrozenInstanceError):
        table.mean_error = 0.0
    with pytest.raises(ValueError, match="read-only"):
        table.start[0] = 1


@pytest.mark.parametrize("bad", [[-1], [TOP], [0.5], ["a"], [None]])
def test_bad_uniforms(bad):
    table = TABLES["constant"]
    with pytest.raises(ValueError, match="uniforms must be"):
        evaluate(table, bad)


@pytest.mark.parametrize("bad", [-1, TOP])
def test_bad_uniform_one(bad):
    with pytest.raises(ValueError, match="uniform must be"):
        evaluate_one(TABLES["constant"], bad)


@pytest.mark.parametrize(
    ("make", "name", "value"),
    [
        (lambda: q.constant(-1), "seconds", "-1"),
        (lambda: q.constant(math.nan), "seconds", "nan"),
        (lambda: q.exponential(0), "mean", "0"),
        (lambda: q.exponential(math.inf), "mean", "inf"),
        (lambda: q.exponential(math.nan), "mean", "nan"),
        (lambda: q.lognormal(-5, 1), "mean", "-5"),
        (lambda: q.lognormal(5, 0), "cv", "0"),
        (lambda: q.gamma(5, -2), "shape", "-2"),
        (lambda: q.gamma(1e12, 2), "mean", "1000000000000"),
        (lambda: q.unit_gamma(0), "shape", "0"),
        (lambda: q.weibull(5, 0.01), "shape", "0.01"),
        (lambda: q.weibull(0, 1), "mean", "0"),
        (lambda: q.uniform(5, 4), "low", "5"),
        (lambda: q.uniform(0, math.inf), "high", "inf"),
        (lambda: q.empirical([]), "values", "[]"),
        (lambda: q.empirical([1, -1]), "values", "-1"),
        (lambda: q.empirical([1, math.inf]), "values", "inf"),
        (lambda: q.empirical([2, 1], [0, 1]), "values", "[2, 1]"),
        (lambda: q.empirical([math.inf, 1], [0, 1]), "values", "inf"),
        (lambda: q.empirical([1, 2], [0, 0.9]), "probabilities", "0.9"),
        (lambda: q.empirical([1, 2], [0.1, 1]), "probabilities", "0.1"),
        (lambda: q.empirical([1, 2, 3], [0, 1]), "probabilities", "[0, 1]"),
        (lambda: q.empirical([1, 2, 3], [0, math.nan, 1]), "probabilities", "nan"),
        (lambda: q.empirical([1, math.inf], [0, 1]), "values", "[0, 1]"),
        (lambda: q.survival([], []), "times", "[]"),
        (lambda: q.survival([2, 1], [0.5, 0.4]), "times", "[2, 1]"),
        (lambda: q.survival([-1], [0.5]), "times", "[-1]"),
        (lambda: q.survival([1, 2], [0.4, 0.5]), "survival", "[0.4, 0.5]"),
        (lambda: q.survival([1, 2], [0.4]), "survival", "[0.4]"),
        (lambda: q.survival([1], [1.5]), "survival", "1.5"),
        (lambda: q.survival([1], [0.5], tail="flat"), "tail", "flat"),
        (lambda: q.survival([10], [1.0]), "tail", "1.0"),
        (lambda: q.survival([0], [0.5]), "tail", "0.5"),
        (lambda: q.shifted(q.constant(1), -2), "seconds", "-2"),
        (lambda: q.mixture([], []), "weights", "[]"),
        (lambda: q.mixture([0.5, 0.4], [q.constant(1)] * 2), "weights", "0.4"),
        (lambda: q.mixture([1.5, -0.5], [q.constant(1)] * 2), "weights", "-0.5"),
        (lambda: q.mixture([1.0], [q.constant(1)] * 2), "weights", "1.0"),
        (lambda: survival_at(q.constant(1), math.nan), "seconds", "nan"),
    ],
)
def test_bad_input_is_named(make, name, value):
    with pytest.raises(ValueError, match=name) as caught:
        make()
    assert value in str(caught.value)
