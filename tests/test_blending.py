"""Blending against chains solved state by state, against Erlang A and C, and at its limits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from ccsim import queueing as q

EVERY_FORMULA = (*q.SERVICE_LEVEL_FORMULAS, "virtual")
checked = settings(deadline=None, max_examples=60)
loads = st.floats(0.01, 300)
handle_times = st.floats(10, 2000)
patiences = st.one_of(st.just(math.inf), st.floats(1, 20_000))
thresholds = st.floats(0, 2000)


def stationary(moves: list[tuple[Any, Any, float]]) -> dict[Any, float]:
    """Shares of time of the states of a chain, from its rates."""
    number = {state: place for place, state in enumerate(dict.fromkeys(m[0] for m in moves))}
    chain = np.zeros((len(number), len(number)))
    for before, after, rate in moves:
        chain[number[before], number[after]] += rate
        chain[number[before], number[before]] -= rate
    chain[:, 0] = 1.0  # one balance equation is redundant: shares sum to 1 instead
    shares = np.linalg.solve(chain.T, np.eye(len(number))[0])
    return dict(zip(number, shares.tolist(), strict=True))


def two_kinds_of_work(
    arrivals: float, service: float, agents: int, give_up: float, start: int, most: int
) -> dict[tuple[int, int, int], float]:
    """Shares of time with so many live and deferrable contacts in service, and so many waiting.

    Nothing is supposed about the sum of both: each kind is followed by itself.
    """
    waits = [(live, agents - live, line) for live in range(agents + 1) for line in range(most)]
    some_free = [
        (live, busy - live, 0) for busy in range(start, agents) for live in range(busy + 1)
    ]
    moves = []
    for live, deferrable, line in waits + some_free:
        here, busy = (live, deferrable, line), live + deferrable
        if busy < agents:
            moves.append((here, (live + 1, deferrable, 0), arrivals))
        elif line + 1 < most:
            moves.append((here, (live, deferrable, line + 1), arrivals))
        for kind, number in ((0, live), (1, deferrable)):
            left = [live, deferrable]
            left[kind] -= 1
            if line:
                after = (left[0] + 1, left[1], line - 1)
            elif busy - 1 < start:
                after = (left[0], left[1] + 1, 0)
            else:
                after = (left[0], left[1], 0)
            if number:
                moves.append((here, after, number * service))
        if line:
            moves.append((here, (live, deferrable, line - 1), line * give_up))
    return stationary(moves)


def fates(
    agents: int, service: float, give_up: float, own_give_up: float, time: float, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Answered and gone after so long a wait, by the number of contacts ahead."""
    ahead = np.arange(most)
    forward = agents * service + ahead * give_up
    chain = np.zeros((most + 2, most + 2))
    chain[ahead, ahead] = -(forward + own_give_up)
    chain[ahead[1:], ahead[:-1]] = forward[1:]
    chain[0, most] = forward[0]
    chain[ahead, most + 1] = own_give_up
    after = expm(chain * time)
    return after[:most, most], after[:most, most + 1]


def levels(in_time: float, answered: float, gone: float, short: float) -> dict[str, float]:
    """Service level by every formula, from shares of offered; `gone` in time, `short` sooner."""
    return {
        "of_offered": in_time,
        "of_answered": in_time / answered,
        "with_abandoned_in_time": in_time + gone,
        "without_abandoned_in_time": in_time / (1 - gone),
        "without_short_abandons": in_time / (1 - short),
        "with_short_abandons": in_time + short,
    }


class TestAgainstAChainOfBothKinds:
    handle_time, threshold, short, most = 180.0, 25.0, 7.0, 90

    @pytest.mark.parametrize("patience", [0.5, 60.0, 900.0, math.inf])
    @pytest.mark.parametrize(
        ("load", "agents", "reserved"),
        [(2.0, 4, 0), (2.0, 4, 1), (2.0, 4, 3), (2.0, 4, 4), (1.1, 3, 5), (0.4, 1, 0), (0.4, 1, 1)],
    )
    def test_every_measure_and_formula(
        self, load: float, agents: int, reserved: int, patience: float
    ) -> None:
        service, give_up = 1 / self.handle_time, 1 / patience
        start = max(agents - reserved, 0)
        shares = two_kinds_of_work(load * service, service, agents, give_up, start, self.most)

        def mean(of: Callable[[int, int, int], float]) -> float:
            return sum(share * of(*state) for state, share in shares.items())

        waiting = np.array([
            sum(shares[live, agents - live, line] for live in range(agents + 1))
            for line in range(self.most)
        ])  # fmt: skip
        at_once = mean(lambda *state: state[0] + state[1] < agents)
        line, live = mean(lambda *state: state[2]), mean(lambda *state: state[0])
        deferrable = mean(lambda *state: state[1])
        answered = live / load

        def by(time: float, own: float) -> tuple[float, float]:
            in_time, gone = fates(agents, service, give_up, own, time, self.most)
            return at_once + waiting @ in_time, waiting @ gone

        in_time, gone = by(self.threshold, give_up)
        truth = levels(in_time, answered, gone, short=by(self.short, give_up)[1])
        truth["virtual"] = by(self.threshold, 0.0)[0]
        for formula in EVERY_FORMULA:
            found = q.blending(
                load, agents, self.handle_time, reserved, self.threshold,
                patience=patience, formula=formula, short_abandon=self.short,
            )  # fmt: skip
            assert found.service_level == pytest.approx(truth[formula], rel=1e-9)
        assert found.waiting_probability == pytest.approx(waiting.sum(), rel=1e-9)
        assert found.abandonment == pytest.approx(1 - answered, abs=1e-10)
        assert found.queue_length == pytest.approx(line, rel=1e-9)
        assert found.mean_wait == pytest.approx(line / (load * service), rel=1e-9)
        assert found.deferrable_load == pytest.approx(deferrable, rel=1e-9, abs=1e-12)
        assert found.deferrable_rate == pytest.approx(deferrable * service, rel=1e-9, abs=1e-12)
        assert found.occupancy == pytest.approx((live + deferrable) / agents, rel=1e-9)

    @pytest.mark.parametrize("reserved", [0, 2])
    def test_speed_of_answer_is_the_integral_of_who_is_answered_later(self, reserved: int) -> None:
        queue = (3.0, 4, self.handle_time, reserved)
        nodes, weights = np.polynomial.legendre.leggauss(200)
        longest = 60 * self.handle_time / 4
        times, weights = longest * (nodes + 1) / 2, weights * longest / 2
        for patience in (60.0, 900.0):
            found = q.blending(*queue, times, patience=patience, formula="of_answered")
            by_answered = weights @ (1 - found.service_level)
            assert by_answered == pytest.approx(found.speed_of_answer[0], rel=1e-9)


def birth_death(
    load: float, agents: int, handle_time: float, reserved: int, patience: float
) -> dict[str, float]:
    """The number in the centre by its weights, summed until they vanish."""
    start = max(agents - reserved, 0)
    number = np.arange(start, agents + 20_000)
    leave = np.minimum(number, agents) / handle_time + np.maximum(number - agents, 0) / patience
    logs = np.concatenate([[0.0], np.cumsum(np.log(load / handle_time / leave[1:]))])
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    line = shares @ np.maximum(number - agents, 0)
    return {
        "waiting_probability": shares[agents - start :].sum(),
        "queue_length": line,
        "mean_wait": line * handle_time / load,
        "abandonment": line * handle_time / load / patience,
        # In the lowest state whatever ends makes room for deferrable work.
        "deferrable_load": shares[0] * start,
        "occupancy": shares @ np.minimum(number, agents) / agents,
    }


@given(
    loads, st.floats(0.3, 2), handle_times, st.integers(0, 400),
    st.one_of(st.just(math.inf), st.floats(0.01, 20)),
)  # fmt: skip
@checked
def test_number_in_the_centre_is_a_birth_death_chain(
    load: float, ratio: float, handle_time: float, reserved: int, turns: float
) -> None:
    agents, patience = max(1, round(load * ratio)), turns * handle_time
    # The sum above must end: a queue of patient customers needs agents to spare.
    agents = agents if math.isfinite(patience) else math.ceil(load * 1.02 + 0.1)
    truth = birth_death(load, agents, handle_time, reserved, patience)
    found = q.blending(load, agents, handle_time, reserved, 20, patience=patience)._asdict()
    for name, value in truth.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-13), name


@given(
    st.floats(0.01, 3000), st.floats(0.3, 2), handle_times, st.integers(0, 5), patiences,
    thresholds, st.sampled_from(EVERY_FORMULA),
)  # fmt: skip
@checked
def test_with_everybody_reserved_it_is_erlang_a(
    load: float, ratio: float, handle_time: float, more: int, patience: float, threshold: float,
    formula: q.SteadyStateFormula,
) -> None:  # fmt: skip
    agents = max(1, round(load * ratio))
    given_: dict[str, Any] = {"formula": formula, "short_abandon": 5}
    found = q.blending(
        load, agents, handle_time, agents + more, threshold, patience=patience, **given_
    )
    alone = q.erlang_a(load, agents, handle_time, patience, threshold, **given_)
    for name in (*q.Blending._fields[:7],):
        assert getattr(found, name) == pytest.approx(getattr(alone, name), rel=1e-9), name
    assert found.deferrable_load <= 1e-9 * agents
    if math.isinf(patience):
        level = q.erlang_c_service_level(load, agents, handle_time, threshold)
        assert found.service_level == pytest.approx(level, rel=1e-9)


@given(loads, st.integers(1, 400), handle_times, patiences, thresholds)
@checked
def test_with_nobody_reserved_agents_are_always_busy(
    load: float, agents: int, handle_time: float, patience: float, threshold: float
) -> None:
    found = q.blending(load, agents, handle_time, 0, threshold, patience=patience)
    assert found.occupancy == pytest.approx(1, rel=1e-9)
    assert found.waiting_probability == 1
    if math.isinf(patience) and load < agents:
        # Agents are one server that is never idle: whoever comes waits as in M/M/1's busy time.
        late = math.exp(-(agents - load) * threshold / handle_time)
        assert found.service_level == pytest.approx(1 - late, abs=1e-13)
        assert found.mean_wait == pytest.approx(handle_time / (agents - load), rel=1e-12)
        assert found.deferrable_load == pytest.approx(agents - load, rel=1e-9)


@given(
    loads, st.floats(0.1, 600), handle_times, st.integers(0, 600), patiences, thresholds,
    st.sampled_from(EVERY_FORMULA),
)  # fmt: skip
@checked
def test_work_is_conserved(
    load: float, agents: float, handle_time: float, reserved: int, patience: float,
    threshold: float, formula: q.SteadyStateFormula,
) -> None:  # fmt: skip
    found = q.blending(
        load, agents, handle_time, reserved, threshold, patience=patience, formula=formula
    )
    assert found.deferrable_rate * handle_time == pytest.approx(found.deferrable_load, rel=1e-12)
    wait = found.mean_wait * load / handle_time
    assert found.queue_length == pytest.approx(wait, rel=1e-12)
    if math.isinf(patience) and load > math.floor(agents):
        # A queue that grows without end answers as many as agents can.
        assert found.occupancy <= 1
        return
    done = load * (1 - found.abandonment) + found.deferrable_load
    assert found.occupancy == pytest.approx(done / agents, rel=1e-9)
    if math.isfinite(patience):
        assert found.abandonment == pytest.approx(found.mean_wait / patience, rel=1e-9)


@given(
    loads, st.floats(0.5, 2), handle_times, patiences, thresholds, st.sampled_from(EVERY_FORMULA)
)
@checked
def test_reserving_helps_live_contacts_at_the_cost_of_deferrable_work(
    load: float, ratio: float, handle_time: float, patience: float, threshold: float,
    formula: q.SteadyStateFormula,
) -> None:  # fmt: skip
    agents = max(1, round(load * ratio))
    reserved = np.unique(np.linspace(0, agents, 30).round())
    given_: dict[str, Any] = {"patience": patience, "formula": formula}
    more_reserved = q.blending(load, agents, handle_time, reserved, threshold, **given_)
    # Agents more do no harm to live contacts, whether they are reserved or not.
    more_agents = q.blending(load, agents + reserved, handle_time, 2, threshold, **given_)
    both = q.blending(load, agents + reserved, handle_time, 2 + reserved, threshold, **given_)

    def rises(values: np.ndarray, sign: int = 1) -> bool:
        return bool((sign * np.diff(values) >= -1e-9 * np.abs(values[1:]) - 1e-12).all())

    for found in (more_reserved, more_agents, both):
        assert rises(found.service_level)
        assert rises(found.waiting_probability, -1)
        assert rises(found.abandonment, -1)
    assert rises(more_reserved.deferrable_load, -1)
    assert rises(more_reserved.occupancy, -1)
    assert rises(more_agents.deferrable_load)
    if patience >= handle_time:  # else those who would have given up take the agents' time
        assert rises(both.deferrable_load)


volumes = st.one_of(st.just(0.0), st.floats(0.01, 25))


@given(
    volumes, volumes, handle_times, st.floats(0, 300), st.floats(0, 0.999),
    st.one_of(st.just(0.0), patiences),
)  # fmt: skip
@checked
def test_fewest_agents_are_those_of_trying_all(
    load: float, deferrable: float, handle_time: float, threshold: float, target: float,
    patience: float,
) -> None:  # fmt: skip
    agents, reserved = q.blending_agents(
        load, deferrable, handle_time, threshold, target, patience=patience
    )
    tried = itertools.product(range(agents + 2), repeat=2)
    every = np.array([(n, kept) for n, kept in tried if kept <= n]).T
    found = q.blending(load, every[0], handle_time, every[1], threshold, patience=patience)
    good = found.service_level >= target
    good &= found.deferrable_load >= deferrable * (1 - 1e-9)
    fewest = every[0][good].min()
    assert (agents, reserved) == (fewest, every[1][good & (every[0] == fewest)].min())


def test_agents_of_large_centres_are_found_at_once() -> None:
    # By conservation of work, what the reserved ones cost grows like a square root at most.
    for volume in (1e4, 1e6):
        agents, reserved = q.blending_agents(volume, volume, 180, 20, 0.8, patience=300)
        assert 1.8 * volume < agents <= 2 * volume + math.sqrt(volume)
        assert 0 <= reserved <= math.sqrt(volume)


def test_without_volume_nobody_is_needed() -> None:
    for patience in (0, 300, math.inf):
        assert q.blending_agents(0, 0, 180, 20, 0.8, patience=patience) == (0, 0)
        assert q.blending_agents(0, 0, 180, 0, 1.0, patience=patience) == (0, 0)
        # Deferrable work alone needs as many as it keeps busy, and none of them free.
        assert q.blending_agents(0, 3.2, 180, 20, 0.8, patience=patience) == (4, 0)
        found = q.blending(0, 15, 180, 2, 20, patience=patience)
        assert found == (0, 0, 0, 0, 1, 13 / 15, 0, 13, 13 / 180)
    assert q.blending(0, 0, 180, 0, 20) == (0, 0, 0, 0, 1, 0, 0, 0, 0)


def test_without_agents_nobody_is_answered() -> None:
    found = q.blending(7, 0, 180, 0, 20, patience=120)
    assert found.waiting_probability == found.abandonment == found.occupancy == 1
    assert found.mean_wait == 120
    assert found.speed_of_answer == math.inf
    assert found.service_level == found.deferrable_load == 0


def test_unstable_queue() -> None:
    for load, agents, reserved in ((20, 20, 0), (20, 19, 19), (1e9, 1, 0), (5, 0, 0)):
        found = q.blending(load, agents, 180, reserved, 20)
        assert found.waiting_probability == found.occupancy == 1
        assert found.mean_wait == found.speed_of_answer == found.queue_length == math.inf
        assert found.service_level == found.abandonment == found.deferrable_load == 0


ANY_TIME = st.one_of(
    st.sampled_from([0.0, 1e-300, 1e300, math.inf]), st.floats(0, allow_infinity=False)
)


@given(
    st.one_of(st.floats(0, 1e9), st.sampled_from([5e-324, 1e-300, 1e9])),
    st.one_of(st.floats(0, 1e6), st.integers(0, 10**6)),
    st.floats(1e-6, 1e12), st.integers(0, 2 * 10**6), ANY_TIME, ANY_TIME, ANY_TIME,
    st.sampled_from(EVERY_FORMULA),
)  # fmt: skip
@settings(deadline=None, max_examples=150)
def test_any_size_gives_a_number_in_its_range(
    load: float, agents: float, handle_time: float, reserved: int, threshold: float,
    patience: float, short: float, formula: q.SteadyStateFormula,
) -> None:  # fmt: skip
    found = q.blending(
        load, agents, handle_time, reserved, threshold,
        patience=patience, formula=formula, short_abandon=short,
    )  # fmt: skip
    assert min(found) >= 0  # false of NaN, too
    for name in ("waiting_probability", "abandonment", "service_level", "occupancy"):
        assert getattr(found, name) <= 1, name
    assert found.deferrable_load <= agents


@given(
    st.floats(0, 3e3), st.floats(0, 3e3), st.sampled_from([1e-6, 180, 1e12]), ANY_TIME,
    st.sampled_from([0, 1e-12, 0.8, 1 - 1e-12, 1]), ANY_TIME,
)  # fmt: skip
@settings(deadline=None, max_examples=25)
def test_search_ends_at_any_size(
    load: float, deferrable: float, handle_time: float, threshold: float, target: float,
    patience: float,
) -> None:  # fmt: skip
    agents, reserved = q.blending_agents(
        load, deferrable, handle_time, threshold, target, patience=patience
    )
    assert type(agents) is type(reserved) is int
    assert 0 <= reserved <= agents
    assert agents >= math.floor(deferrable * (1 - 1e-9))


def test_shapes() -> None:
    load = np.array([0.0, 0.5, 10, 300])[:, None]
    agents = np.array([0, 1, 12.5, 310])
    patience = np.array([300, 0, math.inf, 1e-3])
    found = q.blending(load, agents, 180, [0, 1, 3, 20], 20, patience=patience)
    for name, measure in found._asdict().items():
        assert measure.shape == (4, 4)
        for row, column in itertools.product(range(4), repeat=2):
            alone = q.blending(
                load[row, 0], agents[column], 180, [0, 1, 3, 20][column], 20,
                patience=patience[column],
            )  # fmt: skip
            assert type(getattr(alone, name)) is float
            assert measure[row, column] == pytest.approx(getattr(alone, name), rel=1e-14), name
    fewest = q.blending_agents(load, [4, 0], 180, 20, 0.8)
    for both in fewest:
        assert both.shape == (4, 2)
        assert both.dtype == np.int64
    for row, column in itertools.product(range(4), range(2)):
        alone = q.blending_agents(load[row, 0], [4, 0][column], 180, 20, 0.8)
        assert alone == (fewest[0][row, column], fewest[1][row, column])
    assert all(measure.shape == (0,) for measure in q.blending([], 15, 180, 2))
    assert all(number.shape == (0,) for number in q.blending_agents([], 4, 180, 20, 0.8))


GOOD: dict[str, Any] = {
    "load": 10, "agents": 15, "handle_time": 180, "reserved": 2, "threshold": 20, "patience": 300,
    "short_abandon": 5, "deferrable_load": 4, "service_level": 0.8,
}  # fmt: skip
ARGUMENTS = {
    q.blending: "load agents handle_time reserved threshold patience short_abandon",
    q.blending_agents: "load deferrable_load handle_time threshold service_level patience",
}
MAY_BE_ENDLESS = ("patience", "threshold", "short_abandon")


class TestBadInput:
    @pytest.mark.parametrize("function", ARGUMENTS, ids=lambda function: function.__name__)
    def test_names_argument_and_value(self, function: Any) -> None:
        good = {name: GOOD[name] for name in ARGUMENTS[function].split()}
        assert np.all(np.isfinite(function(**good)))
        for name, value_of_good in good.items():
            bad = [-1.0, math.nan, "many"]
            bad += [80.0, 1.0000001] if name == "service_level" else []
            bad += [math.inf] if name not in MAY_BE_ENDLESS else []
            bad += [0.0] if name == "handle_time" else []
            bad += [2.5] if name == "reserved" else []
            for value in bad:
                with pytest.raises(ValueError, match=f"^{name} must be ") as refused:
                    function(**(good | {name: value}))
                assert str(refused.value).endswith(f"got {value!r}")
            with pytest.raises(ValueError, match=rf"^{name} must be .* got -3\.0$"):
                function(**(good | {name: np.array([value_of_good, -3.0])}))

    def test_unknown_formula(self) -> None:
        with pytest.raises(ValueError, match=r"formula must be one of .* got 'best'"):
            q.blending(10, 15, 180, 2, formula="best")  # type: ignore[arg-type]

    def test_lists_that_do_not_fit(self) -> None:
        with pytest.raises(ValueError, match="broadcast"):
            q.blending([10, 11], [15, 16, 17], 180, 2)
