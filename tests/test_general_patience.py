"""M/M/n+G against Erlang A, closed forms, a chain solved by brute force, its laws and limits."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate, sparse, stats
from scipy.sparse.linalg import spsolve

from ccsim import queueing as q

EVERY_FORMULA = (*q.SERVICE_LEVEL_FORMULAS, "virtual")
checked = settings(deadline=None, max_examples=40)

loads = st.floats(0.03, 1e4)
staffing_ratios = st.floats(0.2, 2.5)
handle_times = st.floats(10, 2000)
patiences = st.floats(1, 20_000)
thresholds = st.floats(0, 4000)

Law = Callable[[NDArray[np.float64]], Any]


def exponential(mean: float) -> Law:
    return lambda waits: np.exp(-waits / mean)


# Laws of one shape parameter each, with jumps, infinite hazards, heavy tails, and an end or none.
LAWS: dict[str, Law] = {
    "exponential": exponential(120),
    "uniform": stats.uniform(0, 240).sf,
    "steep at 0": stats.weibull_min(0.4, scale=60).sf,
    "bell": stats.weibull_min(4, scale=120).sf,
    "heavy": stats.lomax(1.5, scale=100).sf,
    "lognormal": stats.lognorm(1.2, scale=90).sf,
    "two kinds": lambda waits: 0.4 * np.exp(-waits / 20) + 0.6 * np.exp(-waits / 400),
    "some never": lambda waits: 0.8 * np.exp(-waits / 90) + 0.2,
    "jump": lambda waits: np.where(waits < 77.7, np.exp(-waits / 300), 0.5 * np.exp(-waits / 300)),
    "table": q.PatienceTable([5, 30, 31, 300], [0.9, 0.7, 0.4, 0.0]),
}


def erlang_b(load: float, agents: int) -> float:
    blocked = 1.0
    for number in range(1, agents + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


class TestExponentialIsErlangA:
    @given(
        loads, staffing_ratios, handle_times, patiences, thresholds,
        st.sampled_from(EVERY_FORMULA), st.floats(0, 60),
    )  # fmt: skip
    @settings(deadline=None, max_examples=100)
    def test_every_measure_by_every_formula(
        self,
        load: float,
        ratio: float,
        handle_time: float,
        patience: float,
        threshold: float,
        formula: q.SteadyStateFormula,
        short: float,
    ) -> None:
        queue = (load, load * ratio, handle_time)
        how = {"formula": formula, "short_abandon": short}
        ours = q.general_patience(*queue, exponential(patience), threshold, **how)
        theirs = q.erlang_a(*queue, patience, threshold, **how)
        late = 1 - q.erlang_a_service_level(*queue, patience, threshold, formula="virtual")
        # The rule sees no error of 1e-12; the exponent, of up to x = load · p / h, and what is
        # left of the share still waiting, 1 - share, cost a rounding each.
        rounding = 2.0**-52 * (1 + handle_time * load / patience)
        close = {"rel": 1e-11, "abs": 1e-15 + rounding}
        assert ours.waiting_probability == pytest.approx(theirs.waiting_probability, **close)
        assert ours.abandonment == pytest.approx(theirs.abandonment, **close)
        assert ours.mean_wait == pytest.approx(theirs.mean_wait, rel=1e-11)
        assert ours.speed_of_answer == pytest.approx(theirs.speed_of_answer, rel=1e-11)
        assert ours.service_level == pytest.approx(theirs.service_level, **close)
        assert ours.occupancy == pytest.approx(theirs.occupancy, rel=1e-11)
        assert ours.queue_length == pytest.approx(theirs.queue_length, rel=1e-11)
        assert ours.offered_wait_longer == pytest.approx(late, rel=1e-9, abs=1e-15)
        still = late * math.exp(-threshold / patience)
        assert ours.waits_longer == pytest.approx(still, rel=1e-9, abs=1e-15)
        assert ours.balked == 0

    @pytest.mark.parametrize("ratio", [0.5, 0.95, 1.0, 1.002, 1.05])
    @pytest.mark.parametrize("load", [1e5, 1e7])
    def test_any_size(self, load: float, ratio: float) -> None:
        queue = (load, load * ratio, 180)
        ours = q.general_patience(*queue, exponential(300), 20)
        theirs = q.erlang_a(*queue, 300, 20)._asdict()
        for name, measure in theirs.items():
            if name != "virtual_wait":
                assert getattr(ours, name) == pytest.approx(measure, rel=1e-10, abs=1e-15), name

    @given(loads, staffing_ratios, handle_times, thresholds)
    @checked
    def test_no_patience_and_endless_patience(
        self, load: float, ratio: float, handle_time: float, threshold: float
    ) -> None:
        agents = max(1.0, round(load * ratio))
        nobody = q.general_patience(load, agents, handle_time, np.zeros_like, threshold)
        blocked = q.erlang_b(load, agents)
        assert nobody.abandonment == pytest.approx(blocked, rel=1e-12, abs=1e-300)
        assert nobody.service_level == pytest.approx(1 - blocked, rel=1e-12)
        assert nobody.mean_wait == nobody.speed_of_answer == 0
        everybody = q.general_patience(load, agents, handle_time, np.ones_like, threshold)
        assert everybody.abandonment == 0
        assert everybody.waiting_probability == pytest.approx(
            q.erlang_c(load, agents), rel=1e-11, abs=1e-300
        )
        wait = q.erlang_c_mean_wait(load, agents, handle_time)
        assert everybody.mean_wait == pytest.approx(wait, rel=1e-9, abs=1e-300)
        level = q.erlang_c_service_level(load, agents, handle_time, threshold)
        assert everybody.service_level == pytest.approx(level, rel=1e-9, abs=1e-14)


def by_steps(
    load: float, agents: int, handle_time: float, times: list[float], shares: list[float],
    threshold: float,
) -> dict[str, float]:  # fmt: skip
    """Patience in steps, in closed form: between two of them the density is an exponential."""
    arrivals, completions = load / handle_time, agents / handle_time
    edges = sorted({0.0, threshold, *times})
    steps = dict(zip(times, shares, strict=True))
    sums = dict.fromkeys(("area", "answered", "waited", "answered_wait", "late", "in_time"), 0.0)
    exponent, waited, share = 0.0, 0.0, 1.0
    for start, end in zip(edges, [*edges[1:], math.inf], strict=True):
        share = steps.get(start, share)
        slope, length = arrivals * share - completions, end - start
        if math.isinf(length):
            area = completions * math.exp(exponent) / -slope
            moment = area / -slope
        else:
            area = completions * math.exp(exponent) * math.expm1(slope * length) / slope
            moment = completions * math.exp(exponent + slope * length) * length / slope
            moment -= area / slope
        sums["area"] += area
        sums["answered"] += share * area
        sums["answered_wait"] += share * (start * area + moment)
        sums["waited"] += waited * area + share * moment
        sums["late" if start >= threshold else "in_time"] += area if start >= threshold else (
            share * area
        )  # fmt: skip
        exponent += slope * length
        waited += share * length if share else 0.0
    free = 1 / erlang_b(load, agents) - 1
    total = free + sums["area"]
    answered = (free + sums["answered"]) / total
    return {
        "waiting_probability": sums["area"] / total,
        "abandonment": 1 - answered,
        "mean_wait": sums["waited"] / total,
        "speed_of_answer": sums["answered_wait"] / total / answered,
        "service_level": (free + sums["in_time"]) / total,
        "offered_wait_longer": sums["late"] / total,
        "occupancy": load * answered / agents,
        "queue_length": arrivals * sums["waited"] / total,
    }


class TestSteps:
    @pytest.mark.parametrize("queue", [(8, 10, 180), (11, 10, 180), (60, 50, 30), (0.4, 1, 600)])
    @pytest.mark.parametrize("threshold", [20.0, 50.0])
    @pytest.mark.parametrize(
        ("times", "shares"),
        [
            ([45.0], [0.0]),  # everybody waits for 45 s: M/M/n+D
            ([5.0, 30.0, 31.0, 300.0], [0.9, 0.7, 0.4, 0.0]),
            ([10.0, 50.0], [0.75, 0.25]),  # a quarter stays
        ],
    )
    def test_closed_form(
        self, queue: tuple[float, int, float], times: list[float], shares: list[float],
        threshold: float,
    ) -> None:  # fmt: skip
        truth = by_steps(*queue, times, shares, threshold)
        table = q.PatienceTable(times, shares)
        for stays in (table, table.__call__):  # of the second it is not known where it jumps
            found = q.general_patience(*queue, stays, threshold)
            for name, measure in truth.items():
                assert getattr(found, name) == pytest.approx(measure, rel=1e-11), name

    def test_known_patience_in_numbers_of_everyday(self) -> None:
        # One agent, load 1, patience of one handle time for all. The density is flat until then,
        # so: free 1, area 1 before and 1 after it; a third is lost.
        found = q.general_patience(1, 1, 60, q.PatienceTable([60], [0]), 30)
        assert found.abandonment == pytest.approx(1 / 3, rel=1e-14)
        assert found.waiting_probability == pytest.approx(2 / 3, rel=1e-14)
        assert found.service_level == pytest.approx((1 + 1 / 2) / 3, rel=1e-14)
        assert found.speed_of_answer == pytest.approx(30 / 2, rel=1e-14)
        assert found.mean_wait == pytest.approx((30 + 60) / 3, rel=1e-14)

    def test_a_fine_table_of_an_exponential_tends_to_erlang_a(self) -> None:
        limit = q.erlang_a(20, 19, 180, 120, 20)._asdict()
        distances = []
        for step in (8.0, 4.0, 2.0, 1.0):
            times = np.arange(step / 2, 40 * 120, step)  # the share of a cell is that of its middle
            table = q.PatienceTable(times, np.exp(-(times + step / 2) / 120))
            found = q.general_patience(20, 19, 180, table, 20)
            distances.append([
                abs(getattr(found, name) / limit[name] - 1)
                for name in ("abandonment", "mean_wait", "speed_of_answer", "waiting_probability")
            ])  # fmt: skip
        falls = np.divide(distances[:-1], distances[1:])
        assert np.allclose(falls, 4, rtol=0.02)  # the second power of the step
        assert np.max(distances[-1]) < 1e-4

    def test_what_a_table_says(self) -> None:
        table = q.PatienceTable([0, 30, 300], [0.9, 0.8, 0.1])
        assert table([0, 29.9, 30, 299, 300, 1e9]).tolist() == [0.9, 0.9, 0.8, 0.8, 0.1, 0.1]
        assert q.PatienceTable([30], [0.8])([0, 29]).tolist() == [1, 1]


def with_two_kinds(
    load: float, agents: int, handle_time: float, kinds: list[tuple[float, float]], most: int
) -> dict[str, float]:
    """A chain of who waits in which order, up to so many: each kind gives up at its own rate."""
    queues = [kind for size in range(most + 1) for kind in itertools.product((0, 1), repeat=size)]
    number = {queue: agents + index for index, queue in enumerate(queues)}
    arrivals, done = load / handle_time, 1 / handle_time
    rows, columns, rates = [], [], []

    def move(here: int, there: int, rate: float) -> None:
        rows.append(here)
        columns.append(there)
        rates.append(rate)

    for free in range(agents):
        move(free, free + 1, arrivals)
        move(free + 1, free, (free + 1) * done)
    gone = np.zeros(agents + len(queues))
    waiting = np.zeros(agents + len(queues))
    for queue, here in number.items():
        waiting[here] = len(queue)
        for kind, (share, rate) in enumerate(kinds):
            if len(queue) < most:
                move(here, number[(*queue, kind)], arrivals * share)
            for place, who in enumerate(queue):
                if who == kind and rate:
                    move(here, number[queue[:place] + queue[place + 1 :]], rate)
                    gone[here] += rate
        if queue:
            move(here, number[queue[1:]], agents * done)
    flow = sparse.csc_array((rates, (rows, columns)), shape=(gone.size, gone.size))
    balance = (flow.T - sparse.diags_array(np.asarray(flow.sum(axis=1)))).tolil()
    balance[0, :] = 1.0
    law = spsolve(balance.tocsc(), np.eye(1, gone.size).ravel())
    assert law[waiting == most].sum() < 3e-8  # what is cut off does not matter
    return {
        "waiting_probability": law[agents:].sum(),
        "abandonment": law @ gone / arrivals,
        "queue_length": law @ waiting,
        "mean_wait": law @ waiting / arrivals,
        "occupancy": float(law @ np.minimum(np.arange(gone.size), agents)) / agents,
    }


class TestAgainstBruteForce:
    @pytest.mark.parametrize(
        "kinds",
        [
            [(0.4, 1 / 20), (0.6, 1 / 200)],
            [(0.7, 1 / 30), (0.3, 0.0)],  # three in ten never give up
            [(0.5, 1 / 2), (0.5, 1 / 60)],
        ],
    )
    @pytest.mark.parametrize("queue", [(0.9, 3, 60), (0.4, 1, 40)])
    def test_two_kinds_of_customers(
        self, queue: tuple[float, int, float], kinds: list[tuple[float, float]]
    ) -> None:
        truth = with_two_kinds(*queue, kinds, 10)

        def stays(waits: NDArray[np.float64]) -> Any:
            return sum(share * np.exp(-rate * waits) for share, rate in kinds)

        found = q.general_patience(*queue, stays, 20)
        for name, measure in truth.items():
            assert getattr(found, name) == pytest.approx(measure, rel=1e-7), name

    @pytest.mark.parametrize("law", ["uniform", "steep at 0", "bell", "heavy", "lognormal"])
    @pytest.mark.parametrize("queue", [(20.0, 22, 300.0), (20.0, 15, 300.0), (0.8, 1, 60.0)])
    def test_every_formula_by_another_rule(self, law: str, queue: tuple[float, int, float]) -> None:
        load, agents, handle_time = queue
        stays = LAWS[law]
        arrivals, done, leave = load / handle_time, agents / handle_time, 0.15
        limit, short = 25.0, 7.0

        def present(wait: float) -> float:
            return (1 - leave) * float(stays(np.array([wait]))[0])

        # H and the integrals of the density, by a finely stepped trapezium of a smooth variable:
        # wait = end · u^6 smooths what is steep at 0.
        end, u = 4000.0, np.linspace(0, 1, 60_001)
        waits, slope = end * u**6, 6 * end * u**5
        share = (1 - leave) * np.asarray(stays(waits))
        mean = integrate.cumulative_simpson(share * slope, x=u, initial=0)
        height = done * np.exp(arrivals * mean - done * waits) * slope

        def integral(value: NDArray[np.float64], upto: float = end) -> float:
            inside = height * value
            whole = integrate.cumulative_simpson(inside, x=u, initial=0)
            return float(np.interp((upto / end) ** (1 / 6), u, whole))

        every, free = np.ones_like(u), 1 / erlang_b(load, agents) - 1
        total = free + integral(every)
        answered = (free + integral(share)) / total
        in_time = (free + integral(share, limit)) / total
        left = {
            wait: (
                integral(1 - share, wait)
                + (1 - present(wait)) * (integral(every) - integral(every, wait))
            )
            / total
            for wait in (limit, short)
        }
        levels = {
            "of_offered": in_time,
            "of_answered": in_time / answered,
            "with_abandoned_in_time": in_time + left[limit],
            "without_abandoned_in_time": in_time / (1 - left[limit]),
            "without_short_abandons": in_time / (1 - left[short]),
            "with_short_abandons": in_time + left[short],
            "virtual": (free + integral(every, limit)) / total,
        }
        for formula, level in levels.items():
            found = q.general_patience(
                *queue, stays, limit, balking=leave, formula=formula, short_abandon=short
            )
            assert found.service_level == pytest.approx(level, rel=1e-7), formula
        assert found.abandonment == pytest.approx(1 - answered, rel=1e-7)
        assert found.balked == pytest.approx(leave * (1 - free / total), rel=1e-7)
        assert found.mean_wait == pytest.approx(integral(mean) / total, rel=1e-7)
        speed = integral(share * waits) / total / answered
        assert found.speed_of_answer == pytest.approx(speed, rel=1e-7)


class TestLaws:
    @pytest.mark.parametrize("law", LAWS)
    @given(
        st.floats(0.05, 2000), staffing_ratios, st.floats(10, 2000), st.floats(0, 600),
        st.floats(0, 1),
    )  # fmt: skip
    @settings(deadline=None, max_examples=8)
    def test_conservation(
        self, law: str, load: float, ratio: float, handle_time: float, threshold: float,
        balking: float,
    ) -> None:  # fmt: skip
        agents = load * (0.2 + ratio)  # a fifth may wait for ever
        queue = (load, agents, handle_time, LAWS[law], threshold)
        found = q.general_patience(*queue, balking=balking)
        # Agents are busy with what is answered, and that is what is not lost.
        assert found.occupancy * agents == pytest.approx(load * (1 - found.abandonment), rel=1e-10)
        wait = found.queue_length / (load / handle_time)
        assert found.mean_wait == pytest.approx(wait, rel=1e-12)
        assert found.balked == pytest.approx(balking * found.waiting_probability, rel=1e-12)
        assert found.balked <= found.abandonment * (1 + 1e-12) + 1e-300
        # Answered, gone, or still there when the threshold has passed.
        answered_or_gone = q.general_patience(
            *queue, balking=balking, formula="with_abandoned_in_time"
        ).service_level
        assert answered_or_gone + found.waits_longer == pytest.approx(1, rel=1e-10)
        virtual = q.general_patience(*queue, balking=balking, formula="virtual").service_level
        assert virtual + found.offered_wait_longer == pytest.approx(1, rel=1e-10)

    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize("load", [0.3, 40.0])
    def test_more_agents_serve_better(self, law: str, load: float) -> None:
        agents = load * np.linspace(0.3, 1.7, 8)
        for formula in EVERY_FORMULA:
            found = q.general_patience(
                load, agents, 180, LAWS[law], 20, formula=formula, short_abandon=5
            )
            for worse in (
                found.waiting_probability, found.abandonment, found.balked, found.mean_wait,
                found.speed_of_answer, -found.service_level, found.waits_longer,
                found.offered_wait_longer, found.occupancy, found.queue_length,
            ):  # fmt: skip
                assert (np.diff(worse) <= np.abs(worse[:-1]) * 1e-11 + 1e-15).all(), formula

    @pytest.mark.parametrize("law", LAWS)
    def test_longer_patience_means_longer_queues_and_fewer_lost(self, law: str) -> None:
        # All times of the law stretched: who would have given up may still be answered.
        shorter, longer = (
            q.general_patience(20, [10, 19, 24], 180, lambda w, by=by: LAWS[law](w / by), 20)
            for by in (1.0, 1.5)
        )
        assert (longer.abandonment < shorter.abandonment).all()
        assert (longer.waiting_probability > shorter.waiting_probability).all()
        assert (longer.queue_length > shorter.queue_length).all()
        assert (longer.occupancy > shorter.occupancy).all()

    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize("formula", ["of_answered", "with_short_abandons", "virtual"])
    def test_who_balks_has_no_patience_at_all(
        self, law: str, formula: q.SteadyStateFormula
    ) -> None:
        queue = (20, [10, 19, 24], 180)
        how = {"threshold": 20, "formula": formula, "short_abandon": 5}
        balking = q.general_patience(*queue, LAWS[law], balking=0.3, **how)
        mass = q.general_patience(*queue, lambda waits: 0.7 * LAWS[law](waits), **how)
        for name, measure in mass._replace(balked=balking.balked)._asdict().items():
            assert getattr(balking, name) == pytest.approx(measure, rel=1e-11, abs=1e-15), name
        all_ = q.general_patience(*queue, LAWS[law], balking=1, **how)
        blocked = q.erlang_b(*queue[:2])
        assert all_.balked == pytest.approx(blocked, rel=1e-13)
        assert all_.abandonment == pytest.approx(blocked, rel=1e-13)
        assert all_.mean_wait.tolist() == [0, 0, 0]

    def test_lost_share_is_mean_wait_by_mean_patience_for_exponential_patience_only(self) -> None:
        queue = (20, 19, 180)
        mean = 120.0

        def lost_against_rule(stays: Law) -> float:
            found = q.general_patience(*queue, stays)
            return float(found.abandonment / (found.mean_wait / mean))

        assert lost_against_rule(exponential(mean)) == pytest.approx(1, rel=1e-12)
        # Whose hazard rises loses fewer in the short waits there are, whose hazard falls more.
        rising, falling = (
            stats.weibull_min(shape, scale=mean / math.gamma(1 + 1 / shape)).sf
            for shape in (2, 0.5)
        )
        assert lost_against_rule(rising) < 0.6
        assert lost_against_rule(stats.uniform(0, 2 * mean).sf) < 0.8
        assert lost_against_rule(falling) > 1.5


class TestLimits:
    def test_some_who_wait_for_ever_are_too_many(self) -> None:
        # Half of 10 erlangs never give up, and there are 4 agents.
        def stays(waits: NDArray[np.float64]) -> Any:
            return 0.5 + 0.5 * np.exp(-waits / 60)

        found = q.general_patience(10, [4, 5], 180, stays, 20)
        assert found.waiting_probability.tolist() == found.occupancy.tolist() == [1, 1]
        assert found.mean_wait.tolist() == found.queue_length.tolist() == [math.inf] * 2
        assert found.speed_of_answer.tolist() == [math.inf] * 2
        assert found.service_level.tolist() == [0, 0]
        assert found.abandonment == pytest.approx(0.5)  # whose patience ends
        assert found.waits_longer == pytest.approx(0.5 + 0.5 * math.exp(-20 / 60))
        # With one agent more than those there is a steady state.
        stable = q.general_patience(10, 6, 180, stays, 20)
        assert math.isfinite(stable.mean_wait)
        assert stable.occupancy == pytest.approx(10 * (1 - stable.abandonment) / 6)

    def test_no_load_and_no_agents(self) -> None:
        for law in LAWS.values():
            none = q.general_patience(0, [0, 7], 180, law, 20)
            assert none.service_level.tolist() == [1, 1]
            assert none._replace(service_level=np.zeros(2)) == pytest.approx(np.zeros((10, 2)))
        # Nobody answers: all lose patience, whose mean is 120 s.
        for law in (exponential(120), stats.uniform(0, 240).sf, q.PatienceTable([120], [0])):
            found = q.general_patience(7, 0, 180, law, 20)
            assert found.mean_wait == pytest.approx(120, rel=1e-12)
            assert found.abandonment == found.waiting_probability == found.occupancy == 1
            assert found.service_level == 0
            assert found.speed_of_answer == math.inf
            assert found.waits_longer == pytest.approx(float(law(np.array([20.0]))[0]))
        # 1 / (1 + x / 100) has no mean.
        assert q.general_patience(7, 0, 180, stats.lomax(1, scale=100).sf).mean_wait == math.inf
        assert q.general_patience(7, 0, 180, np.ones_like).mean_wait == math.inf

    @pytest.mark.parametrize("law", [*LAWS, "at once", "never"])
    def test_any_size_gives_a_number_in_its_range_and_soon(self, law: str) -> None:
        stays = {"at once": np.zeros_like, "never": np.ones_like}.get(law) or LAWS[law]
        sizes = [1e-300, 1, 37, 1e5, 1e9]
        begin, cells = time.process_time(), 0
        for load, agents, handle_time in itertools.product(sizes, sizes, [1, 180, 1e12]):
            for threshold in (0.0, math.inf):
                cells += 1
                found = q.general_patience(
                    load, agents, handle_time, stays, threshold, balking=0.1, short_abandon=5,
                    formula="without_short_abandons",
                )  # fmt: skip
                waits = (found.mean_wait, found.speed_of_answer, found.queue_length)
                for share in set(found) - set(waits):
                    assert 0 <= share <= 1
                assert min(waits) >= 0
        # A few milliseconds each; a search that does not end takes seconds.
        assert (time.process_time() - begin) / cells < 0.1

    def test_patience_of_any_size(self) -> None:
        for patience in (1e-300, 1e-9, 1e12, 1e18, 1e300):
            for agents in (8, 12):
                found = q.general_patience(10, agents, 180, exponential(patience), 20)
                limit = patience if patience < 1e15 else math.inf
                theirs = q.erlang_a(10, agents, 180, limit, 20)
                assert found.service_level == pytest.approx(theirs.service_level, abs=1e-9)
                assert found.occupancy == pytest.approx(theirs.occupancy, rel=1e-9)

    def test_barely_stable(self) -> None:
        queue = (10, 10 + 1e-9, 180)
        found = q.general_patience(*queue, np.ones_like, 20)
        assert found.mean_wait == pytest.approx(q.erlang_c_mean_wait(*queue), rel=1e-9)

    def test_targets_of_days_under_a_law_made_for_minutes(self) -> None:
        def stays(waits: NDArray[np.float64]) -> Any:  # whose powers leave the doubles
            return np.exp(-((waits / 300) ** 40))

        found = q.general_patience(10, 9, 180, stays, 7 * 86_400)
        assert found.service_level == pytest.approx(1 - found.abandonment, rel=1e-12)


class TestShapes:
    def test_scalars_give_floats_and_nothing_gives_nothing(self) -> None:
        found = q.general_patience(10, 12, 180, exponential(60), 20)
        assert all(type(measure) is float for measure in found)
        none = q.general_patience([], 12, 180, exponential(60), 20)
        assert all(measure.shape == (0,) for measure in none)

    def test_each_cell_is_its_scalar(self) -> None:
        load = np.array([0.0, 0.5, 200])[:, None]
        agents = np.array([0, 12.5, 210])
        for formula in EVERY_FORMULA:
            how = {"formula": formula, "short_abandon": 5}
            found = q.general_patience(load, agents, 180, LAWS["table"], 20, **how)
            assert found.service_level.shape == (3, 3)
            for cell in np.ndindex(3, 3):
                one = q.general_patience(
                    load[cell[0], 0], agents[cell[1]], 180, LAWS["table"], 20, **how
                )
                assert one == tuple(measure[cell] for measure in found)


GOOD: dict[str, Any] = {
    "load": 10, "agents": 14, "handle_time": 180, "threshold": 20, "balking": 0.1,
    "short_abandon": 5,
}  # fmt: skip


class TestBadInput:
    @pytest.mark.parametrize("name", GOOD)
    def test_names_argument_and_value(self, name: str) -> None:
        def ask(value: Any) -> None:
            q.general_patience(**(GOOD | {name: value}), stays=exponential(60))

        bad = [-1.0, math.nan, "many"]
        bad += [80.0, 1.0000001] if name == "balking" else []
        bad += [math.inf] if name not in ("threshold", "short_abandon") else []
        bad += [0.0] if name == "handle_time" else []
        for value in bad:
            with pytest.raises(ValueError, match=f"^{name} must be ") as refused:
                ask(value)
            assert str(refused.value).endswith(f"got {value!r}")
        with pytest.raises(ValueError, match=rf"^{name} must be .* got -3\.0$"):
            ask(np.array([GOOD[name], -3.0]))

    @pytest.mark.parametrize(
        ("stays", "message"),
        [
            (120, r"stays must be a function of waits, or a PatienceTable; got 120"),
            ("exponential", r"stays must be a function of waits.*got 'exponential'"),
            (lambda waits: 80 * np.exp(-waits), r"stays must give fractions.* got 80\.0 after a"),
            (lambda waits: np.exp(-waits) - 0.5, r"stays must give fractions.* got -0\.\d+ after"),
            (lambda waits: waits * math.nan, r"stays must give fractions.* got nan after a wait"),
            (stats.expon(scale=60).cdf, r"stays must not rise with the wait"),
            (lambda _: 1.0, r"stays must give a share for each wait; got \(\) for \(\d+,\)"),
        ],
    )
    def test_what_is_no_survival_function(self, stays: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            q.general_patience(**GOOD, stays=stays)

    @pytest.mark.parametrize(
        ("times", "shares", "message"),
        [
            ([10, 20], [0.5], r"times and still_waiting .* of one length; got \(2,\) and \(1,\)"),
            ([], [], r"times and still_waiting must be lists of one length; got \(0,\)"),
            (10, 0.5, r"times and still_waiting must be lists of one length; got \(\) and \(\)"),
            ([20, 10], [0.5, 0.4], r"times must rise and be finite; got \[20\.0, 10\.0\]"),
            ([10, 10], [0.5, 0.4], r"times must rise and be finite"),
            ([10, math.inf], [0.5, 0.4], r"times must rise and be finite"),
            ([-1, 10], [0.5, 0.4], r"times must be zero or more; got -1\.0"),
            ([math.nan, 10], [0.5, 0.4], r"times must be zero or more; got nan"),
            (["soon", 10], [0.5, 0.4], r"times must be a number .*soon"),
            ([10, 20], [80, 40], r"still_waiting must be a fraction.* got 80\.0"),
            ([10, 20], [0.5, math.nan], r"still_waiting must be a fraction.* got nan"),
            ([10, 20], [0.4, 0.5], r"still_waiting must not rise; got \[0\.4, 0\.5\]"),
        ],
    )
    def test_tables(self, times: Any, shares: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            q.PatienceTable(times, shares)

    def test_unknown_formula(self) -> None:
        with pytest.raises(ValueError, match=r"formula must be one of .* got 'best'"):
            q.general_patience(**GOOD, stays=exponential(60), formula="best")
