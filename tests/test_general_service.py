"""Any handle times: exact laws of one agent, exact chains of several, and the errors stated."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse, special
from scipy.sparse.linalg import spsolve

from ccsim import queueing as q

checked = settings(deadline=None, max_examples=60)
agents_given = st.floats(0.5, 2000)
occupancies = st.floats(0.001, 0.999)
handle_times = st.floats(10, 2000)
thresholds = st.floats(0, 4000)
cvs = st.floats(0, 5)

BUSY = (0.5, 0.7, 0.8, 0.9, 0.95)
TIMES = np.array([0.0, 0.05, 0.1, 0.2, 0.5, 1.0])  # in handle times
TWO_KINDS = math.sqrt(0.6)


class Truth(NamedTuple):
    """An exact queue, times in handle times."""

    waits: float
    mean_wait: float
    in_time: np.ndarray  # shape (TIMES.size,)


def poisson(mean: float, number: np.ndarray) -> np.ndarray:
    """Chances of so many arrivals, none of a negative number."""
    some = np.maximum(number, 0)
    return np.where(
        number < 0, 0.0, np.exp(special.xlogy(some, mean) - mean - special.gammaln(some + 1.0))
    )


@functools.cache
def constant(agents: int, busy: float) -> Truth:
    """M/D/n (Crommelin 1932; the law of the wait as Franx 2001 gives it).

    Whoever is in service now is gone one handle time later, so the number in the centre then is
    the queue of now and what has come.
    """
    load, most = agents * busy, int(agents + 60 + 12 / (1 - busy))
    number = np.arange(most)
    queue = np.maximum(number - agents, 0)
    step = poisson(load, number[None, :] - queue[:, None])
    balance = (step - np.eye(most)).T
    balance[0] = 1.0  # one equation is redundant: shares sum to 1 instead
    shares = np.linalg.solve(balance, np.eye(most)[0])
    at_most = np.append(np.cumsum(shares)[agents:], np.ones(2 * agents))  # by length of the queue

    def in_time(time: float) -> float:
        turns = math.floor(time) + 1
        come = np.arange(turns * agents)
        chances = poisson(load * (turns - time), come)
        return float(chances @ at_most[turns * agents - 1 - come])

    return Truth(
        shares[agents:].sum(), shares @ queue / load, np.array([in_time(t) for t in TIMES])
    )


class Phases(NamedTuple):
    """Handle times of two exponential phases and mean 1: who begins in A may go on with B."""

    begin_in_a: float
    rate_a: float
    rate_b: float
    go_on: float

    @property
    def cv(self) -> float:
        b, both = 1 / self.rate_b, 1 / self.rate_a
        p, c = self.begin_in_a, self.go_on
        square = p * (2 * both**2 + c * (2 * both * b + 2 * b**2)) + (1 - p) * 2 * b**2
        return math.sqrt(square - 1)


ERLANG_2 = Phases(1.0, 2.0, 2.0, 1.0)
# Short and long contacts, each kind half of the work, so that cv is 2.
SHORT_AND_LONG = Phases((1 + TWO_KINDS) / 2, 1 + TWO_KINDS, 1 - TWO_KINDS, 0.0)


@functools.cache
def two_phases(agents: int, busy: float, phases: Phases) -> Truth:
    """M/PH/n as a chain of (in the centre, of those in service in phase A), and who waits in it."""
    # The queue is about geometric; it is followed until e^-28 of it is left.
    load, most = agents * busy, int(agents + 60 + 14 * (1 + phases.cv**2) / (1 - busy))
    begin, rate_a, rate_b, go_on = phases
    states = [(m, a) for m in range(most) for a in range(min(m, agents) + 1)]
    place = {state: i for i, state in enumerate(states)}

    def generator(arrivals: float, answered: int) -> sparse.csc_matrix:
        moves: list[tuple[int, int, float]] = []
        for (m, a), here in place.items():
            inside = min(m, agents)
            if m < agents:
                moves.append((here, place[m + 1, a + 1], arrivals * begin))
                moves.append((here, place[m + 1, a], arrivals * (1 - begin)))
            else:
                moves.append((here, place.get((m + 1, a), here), arrivals))
            if a:
                moves.append((here, place[m, a - 1], a * rate_a * go_on))
            for gone, rate in ((1, a * rate_a * (1 - go_on)), (0, (inside - a) * rate_b)):
                left = a - gone
                if not rate or m <= answered:
                    continue
                if m > agents:
                    moves.append((here, place[m - 1, left + 1], rate * begin))
                    moves.append((here, place[m - 1, left], rate * (1 - begin)))
                else:
                    moves.append((here, place[m - 1, left], rate))
        before, to, rates = (np.array(column) for column in zip(*moves, strict=True))
        flow = sparse.csr_matrix((rates, (to, before)), shape=(len(place), len(place)))
        return (flow - sparse.diags(np.asarray(flow.sum(axis=0)).ravel())).tocsc()

    flow = generator(load, 0)
    others = spsolve(flow[1:, 1:], -flow[1:, [0]].toarray().ravel())
    shares = np.append(1.0, others) / (1 + others.sum())
    number = np.array([m for m, _ in states])
    waits = number >= agents
    # She who comes now waits until one of the n + 1, … in the centre with her has ended, …, so
    # follow the chain without those who come after her, until nobody is left but those in service.
    law = np.zeros(len(states))
    for (m, a), here in place.items():
        if m >= agents and (m + 1, a) in place:
            law[place[m + 1, a]] = shares[here]
    alone = generator(0.0, agents)
    fastest = -alone.diagonal().min()
    step = (sparse.identity(len(states)) + alone / fastest).tocsr()
    ticks = np.arange(int(fastest + 12 * math.sqrt(fastest) + 40))
    left = []
    for _ in ticks:
        left.append(law[number > agents].sum())
        law = step @ law
    late = np.array([poisson(fastest * time, ticks) @ np.array(left) for time in TIMES])
    queue = np.maximum(number - agents, 0)
    return Truth(shares[waits].sum(), shares @ queue / load, 1 - late)


def test_the_exact_queues_agree_where_they_must() -> None:
    exponential = Phases(0.3, 1.0, 1.0, 0.0)
    assert (exponential.cv, ERLANG_2.cv, SHORT_AND_LONG.cv) == pytest.approx((1, 0.5**0.5, 2))
    for agents, busy in ((1, 0.5), (3, 0.8), (10, 0.7)):
        truth = two_phases(agents, busy, exponential)
        load = agents * busy
        assert truth.waits == pytest.approx(q.erlang_c(load, agents), rel=1e-9)
        assert truth.mean_wait == pytest.approx(q.erlang_c_mean_wait(load, agents, 1), rel=1e-9)
        level = q.erlang_c_service_level(load, agents, 1, TIMES)
        assert truth.in_time == pytest.approx(level, rel=1e-9)
    # One agent and constant handle times, with Erlang's own formula for less than one of them.
    truth = constant(1, 0.7)
    assert truth.waits == pytest.approx(0.7, rel=1e-12)
    assert truth.in_time[:-1] == pytest.approx(0.3 * np.exp(0.7 * TIMES[:-1]), rel=1e-12)


Formula = Callable[..., q.GeneralService]
ONE_TO_TWENTY = (1, 2, 5, 10, 20)


def errors(
    formula: Formula, truth: Callable[[int, float], Truth], cv: float, sizes: tuple[int, ...],
    busy: tuple[float, ...] = BUSY,
) -> tuple[list[float], float, float]:  # fmt: skip
    """Relative errors of mean waits; worst absolute ones of waiting probability, service level."""
    waits, chance, level = [], 0.0, 0.0
    for agents, occupancy in itertools.product(sizes, busy):
        exact = truth(agents, occupancy)
        found = formula(agents * occupancy, agents, 1.0, TIMES, cv=cv)
        waits.append(float(found.mean_wait[0]) / exact.mean_wait - 1)
        chance = max(chance, abs(float(found.waiting_probability[0]) - exact.waits))
        level = max(level, float(np.abs(found.service_level - exact.in_time).max()))
    return waits, chance, level


def of_phases(phases: Phases) -> Callable[[int, float], Truth]:
    return lambda agents, busy: two_phases(agents, busy, phases)


class TestStatedErrors:
    """The figures of the docstrings: nothing is worse, and something is nearly as bad."""

    def test_allen_cunneen_at_constant_handle_times(self) -> None:
        waits, chance, level = errors(q.allen_cunneen, constant, 0.0, ONE_TO_TWENTY)
        assert -0.34 - 0.005 < min(waits) < -0.33
        assert max(waits) < 1e-9
        assert chance < 0.03
        assert 0.05 < level < 0.06
        waits, *_ = errors(q.allen_cunneen, constant, 0.0, ONE_TO_TWENTY, (0.9, 0.95))
        assert -0.05 < min(waits) < -0.04

    def test_allen_cunneen_with_short_and_long_contacts(self) -> None:
        truth = of_phases(SHORT_AND_LONG)
        waits, chance, level = errors(q.allen_cunneen, truth, 2.0, ONE_TO_TWENTY)
        assert 0.93 < max(waits) < 0.94
        assert min(waits) > -1e-9
        assert chance < 0.03
        assert 0.06 < level < 0.07
        waits, *_ = errors(q.allen_cunneen, truth, 2.0, ONE_TO_TWENTY, (0.9, 0.95))
        assert 0.12 < max(waits) < 0.13

    def test_allen_cunneen_with_regular_arrivals(self) -> None:
        # D/M/1: an arrival every two handle times; who comes finds a geometric number.
        busy = optimize.brentq(lambda s: math.exp(-(1 - s) * 2) - s, 0, 0.9, xtol=1e-15)
        found = q.allen_cunneen(0.5, 1, 1.0, arrival_cv=0.0)
        assert found.mean_wait / (busy / (1 - busy)) - 1 == pytest.approx(0.97, abs=0.01)

    def test_m_g_n_at_constant_handle_times(self) -> None:
        waits, chance, level = errors(q.m_g_n, constant, 0.0, (*ONE_TO_TWENTY, 50))
        assert 0.06 < max(np.abs(waits)) < 0.07
        assert 0.02 < chance < 0.03
        assert 0.05 < level < 0.06
        quiet = (0.05, 0.1, 0.2, 0.26, 0.3, 0.4, 0.6)
        waits, *_ = errors(q.m_g_n, constant, 0.0, (2, 5, 10, 14, 20, 30), quiet)
        assert 0.15 < max(np.abs(waits)) < 0.16

    def test_m_g_n_between_constant_and_exponential(self) -> None:
        waits, chance, level = errors(q.m_g_n, of_phases(ERLANG_2), ERLANG_2.cv, ONE_TO_TWENTY)
        assert 0.01 < max(np.abs(waits)) < 0.02
        assert chance < 0.03
        assert level < 0.06

    def test_m_g_n_is_closer_than_allen_cunneen(self) -> None:
        for truth, cv in ((constant, 0.0), (of_phases(ERLANG_2), ERLANG_2.cv)):
            ours, *_ = errors(q.m_g_n, truth, cv, ONE_TO_TWENTY)
            theirs, *_ = errors(q.allen_cunneen, truth, cv, ONE_TO_TWENTY)
            assert (np.abs(ours) <= np.abs(theirs) + 1e-9).all()


class TestOneAgent:
    @pytest.mark.parametrize("load", [0.05, 0.5, 0.9])
    @pytest.mark.parametrize("cv", [0.0, 0.3, 1.0, 2.5])
    def test_mean_wait_is_that_of_the_number_left_behind(self, load: float, cv: float) -> None:
        # What a departure leaves behind is a chain; handle times are gamma, or constant.
        most = int(200 + 40 * (1 + cv * cv) / 2 / (1 - load))
        number = np.arange(most)
        if cv:
            shape = 1 / cv**2
            logs = special.gammaln(number + shape) - special.gammaln(shape)
            logs += shape * math.log(shape / (shape + load)) - special.gammaln(number + 1.0)
            come = np.exp(logs + number * math.log(load / (shape + load)))
        else:
            come = poisson(load, number)
        step = np.zeros((most, most))
        step[0] = come
        for left in range(1, most):
            step[left, left - 1 :] = come[: most - left + 1]
        balance = (step - np.diag(step.sum(axis=1))).T
        balance[0] = 1.0
        shares = np.linalg.solve(balance, np.eye(most)[0])
        # Poisson arrivals find what departures leave; Little's law takes off those in service.
        found = q.m_g_1(load, 180, cv=cv)
        assert found.queue_length == pytest.approx(shares @ number - load, rel=1e-9)
        assert found.mean_wait == pytest.approx((shares @ number / load - 1) * 180, rel=1e-9)
        assert found.waiting_probability == pytest.approx(1 - shares[0], rel=1e-9)
        assert found.service_level == pytest.approx(shares[0], rel=1e-9)

    def test_constant_handle_times(self) -> None:
        for load in (0.1, 0.6, 0.99):
            # Erlang 1909: half of what exponential ones make wait.
            assert q.m_g_1(load, 180, cv=0).mean_wait == pytest.approx(
                load * 180 / (2 * (1 - load)), rel=1e-13
            )

    @given(occupancies, handle_times, thresholds, cvs)
    @checked
    def test_every_formula_has_its_mean(
        self, load: float, handle_time: float, threshold: float, cv: float
    ) -> None:
        truth = load * handle_time * (1 + cv * cv) / (2 * (1 - load))
        for found in (
            q.m_g_1(load, handle_time, cv=cv),
            q.m_g_n(load, 1, handle_time, threshold, cv=cv),
            q.allen_cunneen(load, 1, handle_time, threshold, cv=cv),
        ):
            assert found.mean_wait == pytest.approx(truth, rel=1e-9)


@given(agents_given, st.floats(0.001, 1.2), handle_times, thresholds)
@checked
def test_exponential_handle_times_give_erlang_c(
    agents: float, busy: float, handle_time: float, threshold: float
) -> None:
    load = agents * busy
    for formula in (q.allen_cunneen, q.m_g_n):
        found = formula(load, agents, handle_time, threshold)
        assert found == formula(load, agents, handle_time, threshold, cv=1)
        assert found.waiting_probability == q.erlang_c(load, agents)
        assert found.occupancy == q.erlang_c_occupancy(load, agents)
        level = q.erlang_c_service_level(load, agents, handle_time, threshold)
        assert found.service_level == pytest.approx(level, rel=1e-14)
        wait = q.erlang_c_mean_wait(load, agents, handle_time)
        assert found.mean_wait == found.speed_of_answer == pytest.approx(wait, rel=1e-14)
        assert found.queue_length == pytest.approx(q.erlang_c_queue_length(load, agents), rel=1e-14)
        assert found.abandonment == 0
    if busy < 1:
        one = q.m_g_1(busy, handle_time)
        assert one.mean_wait == pytest.approx(q.erlang_c_mean_wait(busy, 1, handle_time), rel=1e-14)


@given(agents_given, occupancies, handle_times, thresholds, cvs, cvs)
@checked
def test_variation_makes_waits_longer(
    agents: float, busy: float, handle_time: float, threshold: float, cv: float, arrival_cv: float
) -> None:
    load, grow = agents * busy, np.linspace(0, 1, 20)
    for found in (
        q.allen_cunneen(load, agents, handle_time, threshold, cv=cv + grow, arrival_cv=arrival_cv),
        q.allen_cunneen(load, agents, handle_time, threshold, cv=cv, arrival_cv=arrival_cv + grow),
        q.m_g_n(load, agents, handle_time, threshold, cv=cv + grow),
        q.m_g_n(load, agents, handle_time, threshold, cv=grow),
    ):
        assert (np.diff(found.mean_wait) >= 0).all()
        assert (np.diff(found.service_level) <= 1e-15).all()
        line = load / handle_time * found.mean_wait
        assert found.queue_length == pytest.approx(line, rel=1e-12)
    # Their squares count alike, so together they stand for one.
    both = q.allen_cunneen(load, agents, handle_time, threshold, cv=cv, arrival_cv=arrival_cv)
    one = q.erlang_c_mean_wait(load, agents, handle_time)
    assert both.mean_wait == pytest.approx(one * (cv**2 + arrival_cv**2) / 2, rel=1e-12)


@given(agents_given, occupancies, handle_times, thresholds, cvs)
@checked
def test_more_agents_wait_less_and_more_contacts_more(
    agents: float, busy: float, handle_time: float, threshold: float, cv: float
) -> None:
    load, grow = agents * busy, np.linspace(1, 2, 20)
    for formula in (q.allen_cunneen, q.m_g_n):
        # Below one agent m_g_n takes her for one, so its factor has a kink there.
        for worse_first in (
            formula(load, max(agents, 1) * grow[::-1], handle_time, threshold, cv=cv),
            formula(load * grow, max(agents, 1), handle_time, threshold, cv=cv),
            formula(load, agents, handle_time, threshold * grow[::-1], cv=cv),
        ):
            waits = np.where(np.isinf(worse_first.mean_wait), 1e300, worse_first.mean_wait)
            assert (np.diff(waits) >= -1e-9 * waits[1:]).all()
            assert (np.diff(worse_first.service_level) <= 1e-12).all()


def test_unstable_queue() -> None:
    for cv in (0.0, 0.5, 3.0):
        found = [
            formula(load, agents, 180, threshold, cv=cv)
            for formula in (q.allen_cunneen, q.m_g_n)
            for load, agents in ((20, 20), (20, 19), (1e9, 1), (5, 0))
            for threshold in (0, 20, math.inf)
        ]
        for queue in (*found, q.m_g_1(1, 180, cv=cv), q.m_g_1(1e9, 180, cv=cv)):
            assert queue.waiting_probability == queue.occupancy == 1
            assert queue.mean_wait == queue.speed_of_answer == queue.queue_length == math.inf
            assert queue.service_level == queue.abandonment == 0


def test_nobody_comes() -> None:
    for formula, agents in itertools.product((q.allen_cunneen, q.m_g_n), (0, 1, 1e6)):
        for cv in (0, 1, 1e300):
            assert formula(0, agents, 180, 20, cv=cv) == (0, 0, 0, 0, 1, 0, 0)
    assert q.m_g_1(0, 180, cv=2) == (0, 0, 0, 0, 1, 0, 0)


def test_agents_for_goals() -> None:
    goals = q.Goals(service_level=0.8)
    exponential = q.erlang_c_agents(20, 300, 20, 0.8)
    for cv in (0.5, 1.0, 2.0):
        agents = q.agents_for(goals, lambda n, cv=cv: q.m_g_n(20, n, 300, 20, cv=cv))
        levels = q.m_g_n(20, [agents - 1, agents], 300, 20, cv=cv).service_level
        assert levels[0] < 0.8 <= levels[1]
        assert np.sign(agents - exponential) in (0, np.sign(cv - 1))


ANY_CV = st.one_of(st.floats(0, allow_infinity=False), st.sampled_from([0.0, 1e-200, 1e200]))


@given(
    st.one_of(st.floats(0, 1e9), st.sampled_from([5e-324, 1e-300, 1e9])),
    st.one_of(st.floats(0, 1e6), st.sampled_from([1e-300, 1e9, 1e12])),
    st.sampled_from([1e-300, 1e-6, 180.0, 1e12, 1e300]),
    st.one_of(st.floats(0), st.sampled_from([0.0, 5e-324, 1e300, math.inf])), ANY_CV, ANY_CV,
)  # fmt: skip
@example(5e-324, 2.225073858507e-311, 1e-300, 0.0, 0.0, 0.0)
@settings(deadline=None, max_examples=300)
def test_any_size_gives_a_number_in_its_range(
    load: float, agents: float, handle_time: float, threshold: float, cv: float, arrival_cv: float
) -> None:
    for found in (
        q.allen_cunneen(load, agents, handle_time, threshold, cv=cv, arrival_cv=arrival_cv),
        q.m_g_n(load, agents, handle_time, threshold, cv=cv),
        q.m_g_1(load, handle_time, cv=cv),
    ):
        for measure in found:
            assert measure >= 0  # false of NaN, too
        assert found.waiting_probability <= 1
        assert found.service_level <= 1
        assert found.occupancy <= 1


def test_shapes() -> None:
    load, agents = np.array([0.0, 0.5, 10, 300])[:, None], np.array([0, 1, 12.5, 310])
    cv = np.array([0, 0.5, 1, 3])
    for formula in (q.allen_cunneen, q.m_g_n):
        found = formula(load, agents, 180, 20, cv=cv)
        for row, column in itertools.product(range(4), repeat=2):
            alone = formula(load[row, 0], agents[column], 180, 20, cv=cv[column])
            for measure, value in zip(found, alone, strict=True):
                assert measure.shape == (4, 4)
                assert type(value) is float
                assert measure[row, column] == value
        assert all(measure.shape == (0,) for measure in formula([], 3, 180))
    one = q.m_g_1(load / 400, 180, cv=cv)
    assert one.mean_wait.shape == (4, 4)
    assert one.mean_wait[3, 3] == q.m_g_1(0.75, 180, cv=3).mean_wait
    assert type(q.m_g_1(0.5, 180).mean_wait) is float
    assert all(measure.shape == (0,) for measure in q.m_g_1([], 180))


GOOD: dict[str, Any] = {
    "load": 0.5, "agents": 2, "handle_time": 180, "threshold": 20, "cv": 0.5, "arrival_cv": 2,
}  # fmt: skip
ARGUMENTS = {
    q.allen_cunneen: "load agents handle_time threshold cv arrival_cv",
    q.m_g_n: "load agents handle_time threshold cv",
    q.m_g_1: "load handle_time cv",
}


class TestBadInput:
    @pytest.mark.parametrize("function", ARGUMENTS, ids=lambda function: function.__name__)
    def test_names_argument_and_value(self, function: Any) -> None:
        good = {name: GOOD[name] for name in ARGUMENTS[function].split()}
        assert np.all(np.isfinite(function(**good)))
        for name, value_of_good in good.items():
            bad = [-1.0, math.nan, "many"]
            bad += [math.inf] if name != "threshold" else []
            bad += [0.0] if name == "handle_time" else []
            for value in bad:
                with pytest.raises(ValueError, match=f"^{name} must be ") as refused:
                    function(**(good | {name: value}))
                assert str(refused.value).endswith(f"got {value!r}")
            with pytest.raises(ValueError, match=rf"^{name} must be .* got -3\.0$"):
                function(**(good | {name: np.array([value_of_good, -3.0])}))

    def test_lists_that_do_not_fit(self) -> None:
        with pytest.raises(ValueError, match="broadcast"):
            q.m_g_n([1, 2], [3, 4, 5], 180)
