"""Work done in stages: the sum of independent lengths against laws, quadrature and arithmetic."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from ccsim.demand import quantiles as q
from ccsim.demand.draw import draw_replication
from ccsim.demand.keyed import draw, stream_key, uniform53
from ccsim.demand.model import compile_demand, duration_table
from ccsim.demand.sums import total
from ccsim.demand.table import (
    CELLS_OF_A_TABLE,
    QuantileTable,
    evaluate,
    lines_of,
    mean_seconds,
    survival_at,
)
from ccsim.plans import StaffingPlan
from ccsim.results.meaning import meaning
from ccsim.scenario import resolved_yaml
from ccsim.scenario.case import Case, case_from
from ccsim.scenario.checks import check
from ccsim.scenario.distributions import HandleDistribution
from ccsim.scenario.model import Scenario
from ccsim.simulation import engine_compiled, reference
from ccsim.simulation.model import compile_model
from tests.equality import differences
from tests.oracles import scenario_of

TOP = 2**53
PROBABILITIES = np.array([1e-6, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1 - 1e-6])
AT = np.rint(PROBABILITIES * TOP).astype(np.int64)
UNIFORMS = uniform53(draw(stream_key(3, "stages"), 0, 0, np.arange(2**17))[0])


class Hypoexponential:
    """Exponential stages of different means, by partial fractions."""

    def __init__(self, *means: float) -> None:
        self.means = np.array(means)
        others = self.means[:, None] - self.means + np.eye(self.means.size)
        factors = self.means[:, None] / others
        np.fill_diagonal(factors, 1.0)
        self.weights = factors.prod(axis=1)

    def sf(self, x: Any) -> Any:
        return np.exp(-np.asarray(x)[..., None] / self.means) @ self.weights


LAWS = {
    "Erlang 2": ([q.exponential(100)] * 2, stats.gamma(2, scale=100)),
    "Erlang 5": ([q.exponential(60)] * 5, stats.gamma(5, scale=60)),
    "hypoexponential": ([q.exponential(20), q.exponential(90), q.exponential(200)],
                        Hypoexponential(20, 90, 200)),
    "gamma": ([q.gamma(21, 0.7), q.gamma(130, 130 / 30)],
              stats.gamma(0.7 + 130 / 30, scale=30)),
    "two uniforms": ([q.uniform(10, 30), q.uniform(0, 20)], stats.triang(0.5, 10, 40)),
    "wide and narrow": ([q.gamma(0.05, 0.5), q.gamma(99.95, 999.5)],
                        stats.gamma(1000, scale=0.1)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAWS)
def test_sums_have_the_law_of_the_books(name: str) -> None:
    tables, law = LAWS[name]
    table = total(tables)
    seconds = evaluate(table, AT) / 1e6
    # The share still under way at the tabulated quantile, from whichever end is near.
    near = np.minimum(PROBABILITIES, 1 - PROBABILITIES)
    off = np.abs(law.sf(seconds) - (1 - PROBABILITIES)) / near
    assert off[near > 1e-4].max() < 5e-5
    assert off.max() < 1e-3
    x = np.linspace(seconds[0], seconds[-1], 2000)
    assert np.abs(survival_at(table, x) - law.sf(x)).max() < 5e-6  # Kolmogorov's distance
    seconds = evaluate(table, UNIFORMS) / 1e6
    assert stats.ks_1samp(seconds, lambda x: 1 - law.sf(x)).pvalue > 1e-6


@pytest.mark.parametrize("name", ["Erlang 2", "Erlang 5", "gamma", "two uniforms"])
def test_quantiles_are_off_by_no_more_than_is_stated(name: str) -> None:
    tables, law = LAWS[name]
    table = total(tables)
    p = np.linspace(0.001, 0.999, 4001)
    off = np.abs(evaluate(table, np.rint(p * TOP).astype(np.int64)) / 1e6 - law.ppf(p))
    assert off.max() <= 1.25 * table.quantile_error + 1e-6  # seen at fewer quantiles
    assert table.quantile_error < 1e-4 * law.ppf(0.999)


def test_both_tails_of_lognormal_stages_are_those_of_quadrature() -> None:
    """Heavy tails: P(X + Y > x) by adaptive quadrature of the density, relative, to 10⁻¹²."""
    laws, tables = [], []
    for mean, cv in ((60, 0.5), (180, 1.2)):
        variance = math.log1p(cv**2)
        scale = mean * math.exp(-variance / 2)
        laws.append(stats.lognorm(s=math.sqrt(variance), scale=scale))
        tables.append(q.lognormal(mean, cv))
    table = total(tables)
    narrow, wide = laws
    ends = np.array([1e-9, 1e-3, 0.5, 0.999, 1 - 1e-9, 1 - 1e-12])
    for p, x in zip(ends, evaluate(table, np.rint(ends * TOP).astype(np.int64)) / 1e6, strict=True):
        above = p > 0.5
        share = wide.sf if above else wide.cdf

        def part(t: float, x: float = x, share: Any = share) -> float:
            return float(narrow.pdf(t) * share(x - t))

        knots = [x - wide.ppf(0.5), narrow.ppf(0.5), x / 2]
        found = integrate.quad(
            part, 0, x, points=sorted(k for k in knots if 0 < k < x), epsabs=0, limit=400
        )[0]
        found += narrow.sf(x) if above else 0.0
        assert found == pytest.approx(1 - p if above else p, rel=2e-4)


def test_constants_move_and_add_exactly() -> None:
    talk = q.lognormal(180, 1.2)
    both = total([q.constant(20), talk, q.constant(1.5)])
    assert (evaluate(both, UNIFORMS) == evaluate(talk, UNIFORMS) + 21_500_000).all()
    assert (evaluate(total([q.constant(20), q.constant(5)]), UNIFORMS) == 25_000_000).all()
    alone = total([talk])
    assert (alone.start == talk.start).all()
    assert (alone.rise == talk.rise).all()
    assert (evaluate(total([q.constant(0), talk]), AT) == evaluate(talk, AT)).all()


def test_values_that_many_take_are_exact() -> None:
    """A stage that 20 %, 50 % and 3 % need: each sum with its own probability, and no other."""
    stages = [(0.2, 30), (0.5, 45), (0.03, 600)]
    table = total(
        [q.mixture([1 - p, p], [q.constant(0), q.constant(seconds)]) for p, seconds in stages]
    )
    shares: dict[int, float] = {}
    for needed in itertools.product([0, 1], repeat=3):
        value = sum(seconds * yes for (_, seconds), yes in zip(stages, needed, strict=True))
        chance = math.prod(p if yes else 1 - p for (p, _), yes in zip(stages, needed, strict=True))
        shares[value] = shares.get(value, 0) + chance
    assert set(evaluate(table, UNIFORMS).tolist()) == {v * 1_000_000 for v in shares}
    for value, chance in shares.items():
        before = survival_at(table, value - 1e-6) - survival_at(table, value)
        assert before == pytest.approx(chance, abs=1e-12)


def test_what_nobody_needs_leaves_the_rest_as_it_was() -> None:
    """40 % are over at once, and nothing is made up between what they and the others take."""
    table = total(
        [
            q.mixture([0.8, 0.2], [q.constant(0), q.constant(30)]),
            q.mixture([0.5, 0.5], [q.constant(0), q.exponential(100)]),
        ]
    )
    assert survival_at(table, 0) == pytest.approx(0.6, abs=1e-8)  # a microsecond more
    for x in (5.0, 29.0, 31.0, 300.0):
        later = 0.8 * 0.5 * math.exp(-x / 100)
        later += 0.2 * (0.5 * (x < 30) + 0.5 * math.exp(-max(x - 30, 0) / 100))
        assert survival_at(table, x) == pytest.approx(later, abs=2e-6)
    assert table.mean_error < 1e-5
    gap = total([q.uniform(10, 11), q.mixture([0.5, 0.5], [q.constant(0), q.constant(1000)])])
    values = evaluate(gap, UNIFORMS)
    assert not ((values > 11_000_100) & (values < 1_009_999_900)).any()


@st.composite
def lengths(chance: st.DrawFn) -> QuantileTable:
    """A stage of any kind."""
    mean = chance(st.floats(0.5, 2000))
    kind = chance(st.sampled_from(["exponential", "lognormal", "weibull", "sample", "some"]))
    if kind == "exponential":
        return q.exponential(mean)
    if kind == "lognormal":
        return q.lognormal(mean, chance(st.floats(0.1, 3)))
    if kind == "weibull":
        return q.weibull(mean, chance(st.floats(0.5, 4)))
    if kind == "sample":
        values = chance(st.lists(st.floats(0, 3000), min_size=2, max_size=12))
        return q.empirical([*values, mean])
    share = chance(st.floats(0.05, 0.95))
    return q.mixture([share, 1 - share], [q.constant(0), q.exponential(mean)])


@given(st.lists(lengths(), min_size=2, max_size=3), st.randoms())
@settings(deadline=None, max_examples=8)
def test_means_and_variances_add_and_the_order_is_nothing(
    stages: list[QuantileTable], chance: Any
) -> None:
    table = total(stages)
    mean = sum(mean_seconds(one) for one in stages)
    assert mean_seconds(table) == pytest.approx(mean, rel=2e-5, abs=1e-5)
    assert table.mean_error == pytest.approx(abs(mean_seconds(table) / mean - 1), abs=1e-8)
    assert variance(table) == pytest.approx(sum(map(variance, stages)), rel=2e-3, abs=1e-6)
    uniforms = np.sort(UNIFORMS[:5000])
    values = evaluate(table, uniforms)
    assert (np.diff(values) >= 0).all()
    assert values[0] >= sum(int(evaluate(one, 0)) for one in stages) - 1
    assert not table.start[:CELLS_OF_A_TABLE].min() < 0
    mixed = list(stages)
    chance.shuffle(mixed)
    spread = 3e-5 * math.sqrt(variance(table)) + 1e-5
    x = np.quantile(values, [0.05, 0.3, 0.5, 0.8, 0.99]) / 1e6
    other = total(mixed)
    assert (survival_at(other, x + spread) <= survival_at(table, x) + 1e-5).all()
    assert (survival_at(other, x - spread) >= survival_at(table, x) - 1e-5).all()


def variance(table: QuantileTable) -> float:
    lines = lines_of(table)
    square = lines.mass @ (lines.low**2 + lines.low * lines.high + lines.high**2) / 3
    return float(square) - mean_seconds(table) ** 2


def test_what_may_never_end_is_no_stage() -> None:
    with pytest.raises(ValueError, match=r"tables must end, and constant\(inf\) may not"):
        total([q.exponential(60), q.constant(math.inf)])


# In a scenario ---------------------------------------------------------------------------

STAGES = {
    "identify": "20 s",
    "gather": {"lognormal": {"mean": "90 s", "cv": 0.6}},
    "consult": {
        "mixture": {
            "nobody": {"share": "70%", "constant": "0 s"},
            "expert": {"share": "30%", "exponential": {"mean": "2 min"}},
        }
    },
    "solve": {"weibull": {"mean": "100 s", "shape": 1.5}},
}


def staged(scale: float = 1.0, **fields: Any) -> Case:
    stages = {**STAGES, "gather": {**STAGES["gather"], "scale": scale}}  # type: ignore[dict-item]
    call = {
        "demand": {"rate": "60 calls/h"},
        "talk_time": {"stages": stages},
        "wrap_up": {"stages": {"notes": {"exponential": {"mean": "20 s"}}, "code": "10 s"}},
        "patience": {"exponential": {"mean": "2 min"}},
    }
    return case_from(scenario_of({"call": {**call, **fields}}))


def test_assistance_shortens_the_stage_it_is_for() -> None:
    """90 s of 246 s become 54 s; the draw has the mean, to five standard errors."""
    with_it, without = (compile_demand(staged(scale)).contact_types[0] for scale in (0.6, 1.0))
    assert mean_seconds(without.talk_time) == pytest.approx(246, rel=1e-6)
    assert mean_seconds(with_it.talk_time) == pytest.approx(210, rel=1e-6)
    shorter = variance(q.lognormal(54, 0.6)) - variance(q.lognormal(90, 0.6))
    assert variance(with_it.talk_time) - variance(without.talk_time) == pytest.approx(
        shorter, rel=1e-3
    )
    talk = evaluate(with_it.talk_time, UNIFORMS) / 1e6
    error = math.sqrt(variance(with_it.talk_time) / talk.size)
    assert abs(talk.mean() - 210) < 5 * error


def test_a_scale_is_that_of_the_means() -> None:
    for kind in (
        {"lognormal": {"mean": "90 s", "cv": 0.6}},
        {"exponential": {"mean": "90 s"}},
        {"weibull": {"mean": "90 s", "shape": 2}},
        {"constant": "90 s"},
        {"mixture": {"a": {"share": "40%", "constant": "90 s"},
                     "b": {"share": "60%", "exponential": {"mean": "90 s"}}}},
        {"empirical": {"file": "took"}},
    ):  # fmt: skip
        tables = {"took": np.array([[0, 30], [0.5, 60], [1, 240]])}
        whole, part = (
            duration_table(
                HandleDistribution.model_validate({"stages": {"only": {**kind, "scale": scale}}}),
                tables,
            )
            for scale in (1.0, 0.5)
        )
        assert np.abs(evaluate(whole, AT) / 2 - evaluate(part, AT)).max() <= 2
        plain = duration_table(HandleDistribution.model_validate(kind), tables)
        assert (evaluate(whole, UNIFORMS) == evaluate(plain, UNIFORMS)).all()


def test_stages_move_no_arrival_and_no_patience() -> None:
    first, second = (
        draw_replication(compile_demand(staged(scale)), 5, 0).contacts for scale in (0.6, 1.0)
    )
    assert (first.arrival == second.arrival).all()
    assert (first.patience == second.patience).all()
    assert (first.handle_time <= second.handle_time).all()
    assert (first.handle_time < second.handle_time).mean() > 0.99


def test_both_engines_play_stages_alike() -> None:
    case = staged(talk_time_error={"gamma": {"shape": 25}})
    demand = compile_demand(case)
    model = compile_model(case, demand, StaffingPlan(by_interval={"desk": (5,) * 48}))
    for replication in range(3):
        day = draw_replication(demand, 5, replication)
        assert differences(reference.run(model, day), engine_compiled.run(model, day)) == []


def test_no_stage_given_moves_no_seed() -> None:
    """The fingerprint, from which searches and certificates have their seeds, knows no stages."""
    plain = case_from(
        scenario_of({"call": {"demand": {"rate": "60 calls/h"}, "talk_time": "3 min"}})
    )
    assert "stages" in plain.scenario.model_dump_json()
    named = plain.scenario.model_copy(update={"question": '",\\"stages\\":null'})
    assert case_from(named).fingerprint != plain.fingerprint
    assert staged(0.6).fingerprint != staged().fingerprint


def test_stages_are_shown_with_their_shares_and_written_again() -> None:
    case = staged(0.6)
    text = "\n".join(meaning(case, compile_demand(case))["Demand"])
    assert "talk time by stages, 210.0 s in all:" in text
    assert "gather 54.0 s (90.0 s × 0.6), 25.7%" in text
    assert "identify 20.0 s, 9.5%" in text
    assert "wrap-up by stages, 30.0 s in all:" in text
    written = resolved_yaml(case)
    assert "scale: 0.6" in written
    again = Scenario.model_validate(case.scenario.model_dump(mode="json", exclude_none=True))
    assert again == case.scenario


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"talk_time": {"stages": {}}}, "0 stages; write 1 to 12"),
        ({"talk_time": {"stages": dict.fromkeys("abcdefghijklm", "5 s")}}, "13 stages; write 1"),
        ({"talk_time": {"stages": {"a": "0 s", "b": "0 s"}}}, "takes no time"),
        (
            {"talk_time": {"stages": {"a": {"scale": 0.01, "exponential": {"mean": "50 s"}},
                                      "b": {"exponential": {"mean": "0.0005 s"}}}}},
            "stages.b: is shorter than a millisecond on average; leave it out",
        ),
        (
            {"redial": {"probability": "30%", "delay": {"stages": {"a": "5 min"}}}},
            "redial.delay.stages: nobody works during a delay; write one distribution",
        ),
    ],
)  # fmt: skip
def test_stages_that_make_no_sense_are_refused(fields: dict[str, Any], says: str) -> None:
    found = [str(problem) for problem in check(staged(**fields).scenario)]
    assert len(found) == 1
    assert says in found[0]


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        ({"scale": 0, "constant": "5 s"}, "greater than or equal to 0.01"),
        ({"scale": 0.5}, "write exactly one of constant"),
        ({"stages": {"a": "5 s"}}, "Extra inputs are not permitted"),
        ({"mixture": {"a": {"share": "30%", "constant": "5 s"}}}, "add to 30.00%, not to 100%"),
    ],
)
def test_a_stage_is_one_distribution(stage: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        HandleDistribution.model_validate({"stages": {"gather": stage}})
