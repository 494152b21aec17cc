"""Erlang B, C and A against numbers nobody here made, against their laws, and at their limits."""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from ccsim import queueing as q

GOLDEN_TOLERANCE = 1e-10
# Laws are checked up to rounding: 100 units in the last place.
ROUNDING = 100 * 2.0**-52
EVERY_FORMULA = (*q.SERVICE_LEVEL_FORMULAS, "virtual")

loads = st.floats(0.01, 3000)
staffing_ratios = st.floats(0.2, 2.5)
handle_times = st.floats(10, 2000)
patiences = st.floats(1, 20_000)
thresholds = st.floats(0, 4000)
checked = settings(deadline=None, max_examples=60)


def _benchmark() -> ModuleType:
    path = Path(__file__).parents[1] / "benchmarks" / "formula_errors.py"
    spec = importlib.util.spec_from_file_location("formula_errors", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestGolden:
    errors = _benchmark()
    compared, skipped = errors.compare_with_golden()

    @pytest.mark.parametrize("quantity", errors.FORMULAS)
    def test_every_row_of_a_quantity(self, quantity: str) -> None:
        rows = [row for row in self.compared if row.quantity == quantity]
        assert rows
        for row in rows:
            limit = 0.0 if row.unit == "agents" else GOLDEN_TOLERANCE
            assert row.error <= limit, row
            assert not row.complement_error > GOLDEN_TOLERANCE, row

    def test_rows_are_all_there_and_the_skipped_ones_known(self) -> None:
        unstable = {
            (case, quantity)
            for case in ("g08", "g22")
            for quantity in ("erlang_c", "c_sl", "c_asa_s", "c_lq", "c_occ")
        }
        not_computed = {(case, "n_a_80") for case in ("g13", "g14", "g16", "g17", "g28")}
        assert set(self.skipped) == unstable | not_computed
        assert len(self.compared) == 488

    def test_facts_are_those_of_the_shared_file(self, shared_cases: Path) -> None:
        shared = (shared_cases / "golden_erlang.csv").read_text(encoding="utf-8").splitlines()
        assert self.errors.FACTS.read_text(encoding="utf-8").splitlines()[1:] == shared


class TestPublished:
    errors = TestGolden.errors
    facts: ClassVar = json.loads(errors.PUBLISHED.read_text(encoding="utf-8"))["cases"]

    @pytest.mark.parametrize("case", facts, ids=lambda case: case["id"])
    def test_every_output_of_a_case(self, case: dict[str, Any]) -> None:
        checked_ = self.errors.compare_case(case)
        assert len(checked_) == len(case["outputs"])
        for row in checked_:
            assert row.error <= row.tolerance, row

    def test_facts_are_those_of_the_shared_file(self, shared_cases: Path) -> None:
        text = (shared_cases / "published_cases.json").read_text(encoding="utf-8")
        kinds = ("erlang", "garnett", "halfin", "mmng", "blend", "chat", "tv_", "sipp")
        shared = [case for case in json.loads(text)["cases"] if case["id"].startswith(kinds)]
        assert shared == self.facts

    def test_exact_waiting_probability_tends_to_garnetts_limit(self) -> None:
        # The limit law is reached like 1 / sqrt(agents): the distance halves when they quadruple.
        cases = [case for case in self.facts if case["topic"] == "garnett_function"]
        assert cases
        for case in cases:
            ratio, beta = case["inputs"]["theta_over_mu"], case["inputs"]["beta"]
            agents = np.array([1e4, 4e4, 1.6e5])
            # load such that agents = load + beta sqrt(load)
            load = (np.sqrt(agents + beta**2 / 4) - beta / 2) ** 2
            exact = q.erlang_a_waiting_probability(load, agents, 1.0, 1 / ratio)
            distance = np.abs(exact - case["outputs"]["p_wait_limit"])
            assert (np.abs(distance[1:] / distance[:-1] - 0.5) < 0.02).all()
            extrapolated = 2 * exact[1:] - exact[:-1]  # what is left is of the order 1 / agents
            assert (np.abs(extrapolated - case["outputs"]["p_wait_limit"]) < 1 / agents[:-1]).all()


class TestStaffingBenchmark:
    def test_sums_and_every_solve(self, shared_cases: Path) -> None:
        text = (shared_cases / "peer_schedules.json").read_text(encoding="utf-8")
        facts = json.loads(text)["staffing_benchmark"]
        volumes = np.ravel(facts["volumes_per_half_hour"])
        volumes = np.where(volumes == 0, 6.0, volumes)
        channels = facts["channels"]
        column = {
            name: np.array([channel[name] for channel in channels])[:, None]
            for name in ("factor", "aht_s", "target_s")
        }
        load = volumes * column["factor"] / 1800 * column["aht_s"]
        target, level = column["target_s"], facts["service_level"]
        with_patience = q.erlang_a_agents(load, column["aht_s"], facts["patience_s"], target, level)
        without = q.erlang_c_agents(load, column["aht_s"], target, level)
        assert with_patience.dtype == np.int64
        assert np.array_equal(with_patience.ravel(), facts["erlang_a_exact_agents"])
        assert with_patience.sum() == 26_273
        assert without.sum() == 29_636
        assert (with_patience <= without).all()
        assert (with_patience < load).any()  # the search goes below the load


def _wait_integrals(
    load: float, agents: float, handle_time: float, patience: float, threshold: float
) -> dict[str, float]:
    """Erlang A by brute force: state probabilities summed, waits integrated numerically."""
    arrivals, completions = load / handle_time, agents / handle_time
    states = np.arange(4000)
    rates = np.minimum(states, agents) / handle_time + np.maximum(states - agents, 0) / patience
    weights = np.concatenate([[0.0], np.cumsum(np.log(arrivals / rates[1:]))])
    shares = np.exp(weights - weights.max())
    shares /= shares.sum()

    def density(wait: float) -> float:
        still_there = patience * -math.expm1(-wait / patience)
        return (
            completions
            * shares[int(agents)]
            * math.exp(arrivals * still_there - completions * wait)
        )

    def integral(weight: Any, low: float, high: float) -> float:
        scale = min(patience, handle_time)
        edges = np.unique(np.clip(np.r_[0, scale * np.geomspace(1e-3, 60, 40)], low, high))
        pieces = itertools.pairwise(edges)
        return float(sum(
            integrate.quad(lambda t: weight(t) * density(t), a, b, epsabs=0, epsrel=1e-12)[0]
            for a, b in pieces
        ))  # fmt: skip

    end = 60 * min(patience, handle_time)
    at_once = float(shares[: int(agents)].sum())
    present = lambda t: math.exp(-t / patience)  # noqa: E731
    answered = at_once + integral(present, 0, end)
    return {
        "in_time": at_once + integral(present, 0, threshold),
        "answered": answered,
        "still_waiting": math.exp(-threshold / patience) * integral(lambda _: 1.0, threshold, end),
        "virtual": integral(lambda t: t, 0, end),
        "of_answered": integral(lambda t: t * present(t), 0, end) / answered,
    }


def _virtual_in_time(
    load: float, agents: float, handle_time: float, patience: float, threshold: float
) -> float:
    """P(offered wait <= threshold), state by state.

    With k waiting ahead, k + 1 departures must come, the i-th at rate agents / handle_time + i /
    patience: their sum exceeds t with probability I_{exp(-t / patience)}(y, k + 1), the regularized
    incomplete beta function, y being the completions per mean patience.
    """
    states = np.arange(4000)
    leaving = np.minimum(states[1:], agents) / handle_time
    leaving = leaving + np.maximum(states[1:] - agents, 0) / patience
    logs = np.concatenate([[0.0], np.cumsum(np.log(load / handle_time / leaving))])
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    ahead = states[int(agents) :] - agents
    y, still = agents * patience / handle_time, math.exp(-threshold / patience)
    return 1 - float(shares[int(agents) :] @ special.betainc(y, ahead + 1, still))


class TestAgainstAnIndependentIntegral:
    @pytest.mark.parametrize(
        "queue",
        [
            (20, 22, 300, 120),
            (20, 15, 300, 120),
            (6, 9, 180, 900),
            (40, 30, 60, 15),
            (3, 1, 60, 60),
        ],
    )
    def test_every_formula_and_every_wait(self, queue: tuple[float, ...]) -> None:
        limit, short = 25.0, 7.0
        truth = _wait_integrals(*queue, limit)
        truth_short = _wait_integrals(*queue, short)
        # abandoned within t = 1 - answered within t - still waiting at t
        gone = 1 - truth["in_time"] - truth["still_waiting"]
        gone_short = 1 - truth_short["in_time"] - truth_short["still_waiting"]
        good = truth["in_time"]
        expected = {
            "of_offered": good,
            "of_answered": good / truth["answered"],
            "with_abandoned_in_time": good + gone,
            "without_abandoned_in_time": good / (1 - gone),
            "without_short_abandons": good / (1 - gone_short),
            "with_short_abandons": good + gone_short,
        }
        assert tuple(expected) == q.SERVICE_LEVEL_FORMULAS
        for formula in q.SERVICE_LEVEL_FORMULAS:
            level = q.erlang_a_service_level(*queue, limit, formula=formula, short_abandon=short)
            assert level == pytest.approx(expected[formula], rel=1e-9)
        level = q.erlang_a_service_level(*queue, limit, formula="virtual")
        assert level == pytest.approx(_virtual_in_time(*queue, limit), rel=1e-12)
        for of in ("virtual", "of_answered"):
            wait = q.erlang_a_mean_wait(*queue, of=of.removeprefix("of_"))
            assert wait == pytest.approx(truth[of], rel=1e-9)


class TestLaws:
    @given(loads, staffing_ratios)
    @checked
    def test_blocking_is_less_than_waiting(self, load: float, ratio: float) -> None:
        agents = max(1.0, round(load * ratio))
        assert q.erlang_b(load, agents) <= q.erlang_c(load, agents) * (1 + ROUNDING)

    @given(loads, staffing_ratios)
    @checked
    def test_erlang_b_recursion(self, load: float, ratio: float) -> None:
        # Also for agents that are not whole: 1/B(n+1) = 1 + (n+1) / (a B(n))
        agents = load * ratio
        before, after = q.erlang_b(load, [agents, agents + 1])
        if after > 1e-280:
            assert 1 / after == pytest.approx(1 + (agents + 1) / (load * before), rel=1e-11)

    @given(loads, staffing_ratios, handle_times, patiences, thresholds)
    @checked
    def test_more_agents_serve_better_and_more_load_serves_worse(
        self, load: float, ratio: float, handle_time: float, patience: float, threshold: float
    ) -> None:
        agents = np.floor(load * ratio) + np.arange(4)
        grid = load * np.array([1, 1.01, 1.1, 1.5])

        def measures(load: Any, agents: Any) -> list[Any]:
            rest = (load, agents, handle_time, patience)
            return [
                q.erlang_b(load, agents), q.erlang_c(load, agents),
                -q.erlang_c_service_level(load, agents, handle_time, threshold),
                q.erlang_a_waiting_probability(*rest), q.erlang_a_abandonment(*rest),
                q.erlang_a_occupancy(*rest), q.erlang_a_mean_wait(*rest, of="virtual"),
                *(-q.erlang_a_service_level(*rest, threshold, formula=formula)
                  for formula in EVERY_FORMULA),
            ]  # fmt: skip

        for worse_first in measures(load, np.maximum(agents, 1)):
            later, earlier = worse_first[1:], worse_first[:-1]
            assert (later <= earlier + np.abs(earlier) * ROUNDING * 100).all()
        for better_first in measures(grid, agents[0] + 1):
            later, earlier = better_first[1:], better_first[:-1]
            assert (later >= earlier - np.abs(earlier) * ROUNDING * 100).all()

    @given(loads, staffing_ratios, handle_times, patiences, thresholds)
    @checked
    def test_erlang_a_identities(
        self, load: float, ratio: float, handle_time: float, patience: float, threshold: float
    ) -> None:
        agents = max(1.0, round(load * ratio))
        queue = (load, agents, handle_time, patience)
        lost = q.erlang_a_abandonment(*queue)
        assert q.erlang_a_mean_wait(*queue) == pytest.approx(lost * patience, rel=1e-12)
        rate = load / handle_time
        wait = q.erlang_a_mean_wait(*queue)
        assert q.erlang_a_queue_length(*queue) == pytest.approx(rate * wait, rel=1e-12)
        # conservation of work: what is answered keeps the agents busy
        busy = q.erlang_a_occupancy(*queue) * agents
        assert busy == pytest.approx(load * (1 - lost), rel=1e-11)
        # outcomes are shares of one whole, and consistent with the formulas
        outcomes = q.erlang_a_outcomes(*queue, threshold)
        assert sum(outcomes) == pytest.approx(1, rel=1e-12)
        assert min(outcomes) >= 0
        assert outcomes.abandoned_in_time + outcomes.abandoned_late == pytest.approx(lost, rel=1e-9)
        assert outcomes.answered_in_time == q.erlang_a_service_level(*queue, threshold)
        # mean waits of all are those of answered and of abandoning contacts, so they lie between
        virtual = q.erlang_a_mean_wait(*queue, of="virtual")
        assert wait <= virtual * (1 + ROUNDING * 100)

    @given(loads, st.floats(1.02, 2.0), handle_times, thresholds)
    @checked
    def test_erlang_a_tends_to_c_as_patience_grows(
        self, load: float, ratio: float, handle_time: float, threshold: float
    ) -> None:
        agents = max(load * ratio, load + 0.5)
        limit = q.erlang_c_service_level(load, agents, handle_time, threshold)
        asa = q.erlang_c_mean_wait(load, agents, handle_time)
        # The first-order distance is (offered wait) / patience times a factor of the congestion.
        congestion = (agents / (agents - load)) ** 2
        for patience in (1e9, 1e12):
            queue = (load, agents, handle_time, patience)
            slack = 10 * congestion * (handle_time + threshold) / patience + ROUNDING * congestion
            for formula in q.SERVICE_LEVEL_FORMULAS:
                level = q.erlang_a_service_level(*queue, threshold, formula=formula)
                assert abs(level - limit) <= slack
            for of in ("all", "answered", "virtual"):
                wait = q.erlang_a_mean_wait(*queue, of=of)
                assert abs(wait - asa) <= slack * asa + 1e-300
        endless = (load, agents, handle_time, np.inf)
        assert q.erlang_a_service_level(*endless, threshold) == pytest.approx(limit, rel=1e-13)
        assert q.erlang_a_waiting_probability(*endless) == pytest.approx(
            q.erlang_c(load, agents), rel=1e-13
        )
        assert q.erlang_a_mean_wait(*endless, of="answered") == pytest.approx(asa, rel=1e-13)
        assert q.erlang_a_abandonment(*endless) == 0

    @given(loads, staffing_ratios, handle_times)
    @checked
    def test_without_patience_it_is_erlang_b(
        self, load: float, ratio: float, handle_time: float
    ) -> None:
        queue = (load, max(1.0, round(load * ratio)), handle_time)
        blocked = q.erlang_b(load, queue[1])
        assert q.erlang_a_abandonment(*queue, 0.0) == pytest.approx(blocked, rel=1e-13)
        assert q.erlang_a_service_level(*queue, 0.0, 20) == pytest.approx(1 - blocked, abs=1e-13)
        assert q.erlang_a_mean_wait(*queue, 0.0, of="answered") == 0

    @given(
        st.tuples(loads, handle_times, patiences, st.floats(0, 600)),
        st.tuples(
            st.floats(0.01, 0.999),
            st.floats(0.3, 1),
            st.floats(0.001, 1),
            st.one_of(st.floats(0.1, 1e4), st.just(math.inf)),
        ),
        st.sampled_from(EVERY_FORMULA),
    )
    @checked
    def test_staffing_answer_meets_and_one_agent_fewer_does_not(
        self,
        centre: tuple[float, ...],
        promises: tuple[float, ...],
        formula: q.SteadyStateFormula,
    ) -> None:
        load, handle_time, patience, threshold = centre
        target, ceiling, most_lost, slowest = promises

        def meets_c(agents: int) -> bool:
            level = q.erlang_c_service_level(load, agents, handle_time, threshold)
            return (
                level >= target
                and q.erlang_c_mean_wait(load, agents, handle_time) <= slowest
                and q.erlang_c_occupancy(load, agents) <= ceiling * (1 + 1e-9)
            )

        def meets_a(agents: int) -> bool:
            queue = (load, agents, handle_time, patience)
            level = q.erlang_a_service_level(*queue, threshold, formula=formula)
            return (
                level >= target
                and q.erlang_a_mean_wait(*queue, of="answered") <= slowest
                and q.erlang_a_abandonment(*queue) <= most_lost
                and q.erlang_a_occupancy(*queue) <= ceiling * (1 + 1e-9)
            )

        agents = q.erlang_c_agents(
            load, handle_time, threshold, target,
            speed_of_answer=slowest, maximum_occupancy=ceiling,
        )  # fmt: skip
        assert meets_c(agents)
        assert not meets_c(agents - 1)
        agents = q.erlang_a_agents(
            load, handle_time, patience, threshold, target,
            speed_of_answer=slowest, abandonment=most_lost, maximum_occupancy=ceiling,
            formula=formula,
        )  # fmt: skip
        assert meets_a(agents)
        assert agents == 0 or not meets_a(agents - 1)

    @given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20), st.floats(0, 10**6))
    @checked
    def test_search_finds_any_number_from_any_guess(self, needed: list[int], start: float) -> None:
        seats = np.array(needed, dtype=float)
        found = q.fewest_agents(lambda n, where: n >= seats[where], np.full(seats.size, start))
        assert np.array_equal(found, seats)


class TestShapes:
    def test_scalars_give_floats_and_ints(self) -> None:
        assert type(q.erlang_b(10, 14)) is float
        assert type(q.erlang_c_mean_wait(10, 14, 180)) is float
        assert type(q.erlang_a_service_level(10, 14, 180, 300, 20)) is float
        assert type(q.erlang_c_agents(10, 180, 20, 0.8)) is int
        assert type(q.erlang_a_agents(10, 180, 300, 20, 0.8)) is int

    def test_arrays_broadcast_and_each_cell_is_its_scalar(self) -> None:
        load = np.array([0.0, 0.5, 10, 2000])[:, None]
        agents = np.array([0, 1, 12, 2100.5])
        levels = q.erlang_a_service_level(load, agents, 180, 300, 20)
        assert levels.shape == (4, 4)
        for row, a in enumerate(load[:, 0]):
            for column, n in enumerate(agents):
                assert levels[row, column] == q.erlang_a_service_level(a, n, 180, 300, 20)
        assert q.erlang_a_agents(load, 180, 300, 20, [0.8, 0.9]).shape == (4, 2)

    def test_everything_at_once_is_each_by_itself(self) -> None:
        load = np.array([0.0, 0.5, 10, 2000])[:, None]
        queue = (load, np.array([0, 1, 12, 2100.5]), 180, np.array([300, 0, np.inf, 1e-3]))
        for formula in EVERY_FORMULA:
            given_ = {"formula": formula, "short_abandon": 5}
            alone = {
                "waiting_probability": q.erlang_a_waiting_probability(*queue),
                "abandonment": q.erlang_a_abandonment(*queue),
                "mean_wait": q.erlang_a_mean_wait(*queue),
                "speed_of_answer": q.erlang_a_mean_wait(*queue, of="answered"),
                "virtual_wait": q.erlang_a_mean_wait(*queue, of="virtual"),
                "service_level": q.erlang_a_service_level(*queue, 20, **given_),
                "occupancy": q.erlang_a_occupancy(*queue),
                "queue_length": q.erlang_a_queue_length(*queue),
            }
            together = q.erlang_a(*queue, 20, **given_)._asdict()
            assert together.keys() == alone.keys()
            for name, measure in alone.items():
                assert np.array_equal(together[name], measure), name

    def test_nothing_in_nothing_out(self) -> None:
        assert q.erlang_c([], 3).shape == (0,)
        assert q.erlang_a_service_level([], 3, 180, 300, 20).shape == (0,)
        assert q.erlang_a_mean_wait([], 3, 180, 300, of="virtual").shape == (0,)
        assert q.erlang_a_agents([], 180, 300, 20, 0.8).shape == (0,)

    def test_arguments_are_left_alone(self) -> None:
        load = np.array([1.0, 5.0, 20.0])
        agents = np.array([2.0, 5.0, 15.0])
        q.erlang_a_service_level(load, agents, 300, 120, 20)
        q.erlang_a_agents(load, 300, 120, 20, 0.8)
        assert load.tolist() == [1, 5, 20]
        assert agents.tolist() == [2, 5, 15]


class TestLimits:
    def test_unstable_queue(self) -> None:
        for load, agents in ((20, 20), (20, 19), (1e9, 1), (5, 0)):
            assert q.erlang_c(load, agents) == 1
            assert q.erlang_c_service_level(load, agents, 300, 20) == 0
            assert q.erlang_c_mean_wait(load, agents, 300) == np.inf
            assert q.erlang_c_queue_length(load, agents) == np.inf
            assert q.erlang_c_occupancy(load, agents) == 1
            endless = (load, agents, 300, np.inf)
            assert q.erlang_a_waiting_probability(*endless) == 1
            assert q.erlang_a_mean_wait(*endless) == np.inf
            assert q.erlang_a_queue_length(*endless) == np.inf
            for formula in q.SERVICE_LEVEL_FORMULAS:
                assert q.erlang_a_service_level(*endless, 20, formula=formula) == 0

    def test_no_load(self) -> None:
        for agents in (0, 1, 1e6):
            queue = (0, agents, 300, 120)
            assert q.erlang_b(0, agents) == q.erlang_c(0, agents) == 0
            assert q.erlang_c_service_level(0, agents, 300, 20) == 1
            assert q.erlang_c_mean_wait(0, agents, 300) == q.erlang_c_queue_length(0, agents) == 0
            assert q.erlang_a_waiting_probability(*queue) == q.erlang_a_abandonment(*queue) == 0
            assert q.erlang_a_occupancy(*queue) == q.erlang_a_queue_length(*queue) == 0
            for of in ("all", "answered", "virtual"):
                assert q.erlang_a_mean_wait(*queue, of=of) == 0
            for formula in q.SERVICE_LEVEL_FORMULAS:
                assert q.erlang_a_service_level(*queue, 20, formula=formula, short_abandon=5) == 1
        assert q.erlang_c_agents(0, 300, 20, 0.8) == 0
        assert q.erlang_a_agents(0, 300, 120, 20, 0.8, abandonment=0.0) == 0
        assert q.erlang_b_agents(0, 0.0) == 0

    def test_no_agents(self) -> None:
        queue = (7, 0, 300, 120)
        assert q.erlang_b(7, 0) == 1
        assert q.erlang_a_waiting_probability(*queue) == q.erlang_a_abandonment(*queue) == 1
        assert q.erlang_a_mean_wait(*queue) == 120
        assert q.erlang_a_mean_wait(*queue, of="answered") == np.inf
        assert q.erlang_a_mean_wait(*queue, of="virtual") == np.inf
        assert q.erlang_a_service_level(*queue, 20, formula="virtual") == 0
        gone = -math.expm1(-20 / 120)
        outcomes = q.erlang_a_outcomes(*queue, 20)
        assert outcomes == pytest.approx((0, 0, gone, 1 - gone), rel=1e-13)
        for formula in q.SERVICE_LEVEL_FORMULAS:
            level = q.erlang_a_service_level(*queue, 20, formula=formula)
            assert level == pytest.approx(gone if formula == "with_abandoned_in_time" else 0)

    def test_occupancy_ceiling_forgives_rounding(self) -> None:
        assert 35.7 / 0.85 > 42  # in doubles
        assert q.erlang_c_agents(35.7, 300, 20, 0.5, maximum_occupancy=0.85) == 42
        assert q.erlang_c_agents(35.70001, 300, 20, 0.5, maximum_occupancy=0.85) == 43

    def test_staffing_below_the_load_when_customers_abandon(self) -> None:
        agents = q.erlang_a_agents(100, 300, 60, 20, 0.5)
        assert agents < 100
        assert q.erlang_a_service_level(100, [agents, agents - 1], 300, 60, 20) == pytest.approx(
            [0.5, 0.5], abs=0.05
        )

    def test_targets_of_hours(self) -> None:
        # 0.638 in a peer whose exponential underflows
        level = q.erlang_a_service_level(45, 50, 360, 86_400, threshold=7200)
        assert level == pytest.approx(0.9997028009223936537370525, rel=GOLDEN_TOLERANCE)
        assert q.erlang_a_service_level(45, 50, 360, 86_400, threshold=np.inf) == pytest.approx(
            1 - q.erlang_a_abandonment(45, 50, 360, 86_400), rel=1e-14
        )

    def test_any_size_gives_a_number_in_its_range(self) -> None:
        sizes = np.array([0, 1e-300, 1e-9, 0.03, 1, 37, 1e3, 1e6, 1e12])
        times = np.array([1e-6, 1, 1e5, 1e12])
        load, agents, handle_time, patience, threshold = np.meshgrid(
            sizes, sizes, times, np.r_[0, 1e-300, times, 1e300, np.inf], np.r_[0, times, np.inf]
        )
        queue = (load, agents, handle_time, patience)
        shares = [
            q.erlang_b(load, agents), q.erlang_c(load, agents), q.erlang_c_occupancy(load, agents),
            q.erlang_c_service_level(load, agents, handle_time, threshold),
            q.erlang_a_waiting_probability(*queue), q.erlang_a_abandonment(*queue),
            q.erlang_a_occupancy(*queue), *q.erlang_a_outcomes(*queue, threshold),
            *(q.erlang_a_service_level(*queue, threshold, formula=formula, short_abandon=5)
              for formula in EVERY_FORMULA),
        ]  # fmt: skip
        # The outcomes are one whole, as far as `_patience.py` promises digits.
        whole = np.abs(sum(shares[7:11]) - 1)
        with np.errstate(over="ignore"):
            turns = np.where(np.isinf(patience), 0, patience / handle_time)
            promised = np.maximum(load, agents) * turns < 1e10
        assert promised.mean() > 0.5
        assert whole[promised].max() < 1e-11
        for share in shares:
            assert ((share >= 0) & (share <= 1)).all()
        amounts = [
            q.erlang_c_mean_wait(load, agents, handle_time), q.erlang_c_queue_length(load, agents),
            q.erlang_a_queue_length(*queue),
            *(q.erlang_a_mean_wait(*(part[..., 0] for part in queue), of=of)
              for of in ("all", "answered", "virtual")),
        ]  # fmt: skip
        for amount in amounts:
            assert (amount >= 0).all()

    def test_searches_end_at_any_size(self) -> None:
        load = np.array([1e-300, 1e-9, 0.03, 1, 1e3, 1e6, 1e12])[:, None]
        level = np.array([0, 1e-12, 0.8, 1 - 1e-12, 1])
        for agents in (
            q.erlang_c_agents(load, 300, 20, level),
            q.erlang_a_agents(load, 300, 120, 20, level, abandonment=0.01),
            q.erlang_a_agents(load, 1e-3, 1e9, 1e9, level),
        ):
            assert (np.diff(agents, axis=0) >= 0).all()
            assert (np.diff(agents, axis=1) >= 0).all()
        assert (q.erlang_b_agents(load, [0, 1e-9, 1]) >= 0).all()
        with pytest.raises(ValueError, match="no whole number of agents"):
            q.erlang_c_agents(1e12, 300, 20, 0.8, maximum_occupancy=1e-9)


class TestCounts:
    day: ClassVar[dict[str, Any]] = dict(  # noqa: C408
        offered=1060, answered=1000, answered_in_time=860, abandoned_in_time=20, short_abandons=10
    )

    def test_the_six_answers_of_one_day(self) -> None:
        levels = {
            formula: round(100 * q.service_level_from_counts(**self.day, formula=formula), 2)
            for formula in q.SERVICE_LEVEL_FORMULAS
        }
        assert sorted(levels.values()) == sorted([83.02, 86.00, 81.13, 82.69, 82.08, 81.90])
        assert levels["of_offered"] == 81.13  # 860 / 1060
        assert levels["with_abandoned_in_time"] == 83.02  # 880 / 1060

    def test_an_empty_window_has_no_service_level(self) -> None:
        empty = dict.fromkeys(self.day, 0)
        for formula in q.SERVICE_LEVEL_FORMULAS:
            assert math.isnan(q.service_level_from_counts(**empty, formula=formula))
        both = q.service_level_from_counts(**(self.day | {"offered": [1060, 2000]}))
        assert both == pytest.approx([860 / 1060, 860 / 2000])

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"answered": -1}, "answered must be zero or more.*-1"),
            ({"answered_in_time": 1001}, "answered_in_time must be at most answered; got 1001"),
            ({"answered": 1061}, "answered must be at most offered; got 1061"),
            ({"abandoned_in_time": 61}, "abandoned_in_time must be at most offered - answered"),
            ({"short_abandons": 61}, "short_abandons must be at most offered - answered"),
            ({"formula": "telephone"}, "formula must be one of of_offered, .*'telephone'"),
        ],
    )
    def test_bad_counts(self, change: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            q.service_level_from_counts(**(self.day | change))


GOOD: dict[str, Any] = {
    "load": 10, "agents": 14, "handle_time": 180, "patience": 300, "threshold": 20,
    "service_level": 0.8, "maximum_occupancy": 0.9, "abandonment": 0.05, "blocking": 0.01,
    "short_abandon": 5, "speed_of_answer": 30,
}  # fmt: skip
ARGUMENTS = {
    q.erlang_b: "load agents",
    q.erlang_b_agents: "load blocking",
    q.erlang_c: "load agents",
    q.erlang_c_service_level: "load agents handle_time threshold",
    q.erlang_c_mean_wait: "load agents handle_time",
    q.erlang_c_queue_length: "load agents",
    q.erlang_c_occupancy: "load agents",
    q.erlang_c_agents: "load handle_time threshold service_level speed_of_answer maximum_occupancy",
    q.erlang_a_waiting_probability: "load agents handle_time patience",
    q.erlang_a_abandonment: "load agents handle_time patience",
    q.erlang_a_outcomes: "load agents handle_time patience threshold",
    q.erlang_a_service_level: "load agents handle_time patience threshold short_abandon",
    q.erlang_a: "load agents handle_time patience threshold short_abandon",
    q.erlang_a_mean_wait: "load agents handle_time patience",
    q.erlang_a_occupancy: "load agents handle_time patience",
    q.erlang_a_queue_length: "load agents handle_time patience",
    q.erlang_a_agents: "load handle_time patience threshold service_level speed_of_answer"
    " abandonment maximum_occupancy short_abandon",
}
FRACTIONS = ("service_level", "maximum_occupancy", "abandonment", "blocking")
MAY_BE_ENDLESS = ("patience", "threshold", "short_abandon", "speed_of_answer")


class TestBadInput:
    @pytest.mark.parametrize("function", ARGUMENTS, ids=lambda function: function.__name__)
    def test_names_argument_and_value(self, function: Any) -> None:
        good = {name: GOOD[name] for name in ARGUMENTS[function].split()}
        assert np.all(np.isfinite(function(**good)))
        for name, value_of_good in good.items():
            bad = [-1.0, math.nan, "many"]
            bad += [80.0, 1.0000001] if name in FRACTIONS else []
            bad += [math.inf] if name not in MAY_BE_ENDLESS else []
            bad += [0.0] if name in ("handle_time", "maximum_occupancy") else []
            for value in bad:
                with pytest.raises(ValueError, match=f"^{name} must be ") as refused:
                    function(**(good | {name: value}))
                assert str(refused.value).endswith(f"got {value!r}")
            with pytest.raises(ValueError, match=rf"^{name} must be .* got -3\.0$"):
                function(**(good | {name: np.array([value_of_good, -3.0])}))

    def test_a_percentage_is_met_with_the_fraction_to_write(self) -> None:
        with pytest.raises(ValueError, match=r"service_level must be a fraction.*0\.8 for 80 %"):
            q.erlang_c_agents(10, 180, 20, 80)

    def test_unknown_words(self) -> None:
        with pytest.raises(
            ValueError, match=r"of must be 'all', 'answered' or 'virtual'; got 'asa'"
        ):
            q.erlang_a_mean_wait(10, 14, 180, 300, of="asa")
        for function in (q.erlang_a_service_level, q.erlang_a_agents):
            good = [GOOD[name] for name in ARGUMENTS[function].split()[:5]]
            with pytest.raises(ValueError, match=r"formula must be one of .* got 'best'"):
                function(*good, formula="best")
