"""Two priorities against chains solved state by state, a transform inverted, and Erlang C."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, special
from scipy.sparse.linalg import spsolve

from ccsim import queueing as q

checked = settings(deadline=None, max_examples=60)
agents_given = st.floats(0.5, 2000)
# Of all agents: how many are busy, and for which part of it the first class is there.
occupancies = st.one_of(st.floats(0.01, 0.999), st.floats(1e-9, 1e-3).map(lambda left: 1 - left))
parts = st.floats(0, 1)
handle_times = st.floats(10, 2000)
thresholds = st.floats(0, 4000)


def lines_of_both(first: float, second: float, agents: int, most: int) -> dict[str, Any]:
    """M/M/n with two lines, solved as a chain: states (busy, first waiting, second waiting)."""
    free = [(busy, 0, 0) for busy in range(agents)]
    full = [(agents, i, j) for i in range(most) for j in range(most)]
    number = {state: place for place, state in enumerate(free + full)}
    moves = []
    for (busy, i, j), here in number.items():
        if busy < agents:
            moves.append((here, number[busy + 1, 0, 0], first + second))
        else:
            moves += [(here, number.get((busy, i + 1, j), here), first)]
            moves += [(here, number.get((busy, i, j + 1), here), second)]
        if i:
            after = (busy, i - 1, j)
        elif j:
            after = (busy, 0, j - 1)
        else:
            after = (busy - 1, 0, 0)
        if busy:
            moves.append((here, number[after], float(busy)))
    before, to, rates = (np.array(column) for column in zip(*moves, strict=True))
    size = len(number)
    flow = sparse.csr_matrix((rates, (to, before)), shape=(size, size))
    flow = (flow - sparse.diags(np.asarray(flow.sum(axis=0)).ravel())).tolil()
    flow[0, :] = 1.0  # one balance equation is redundant: shares sum to 1 instead
    shares = spsolve(flow.tocsc(), np.eye(1, size)[0])
    waiting = shares[agents:].reshape(most, most)
    lines = np.arange(most)
    return {
        "waits": waiting.sum(),
        "first": waiting.sum(axis=1) @ lines,
        "second": waiting.sum(axis=0) @ lines,
        "first_ahead": waiting.sum(axis=1),
        "all_ahead": np.array([np.trace(waiting[:, ::-1], most - 1 - k) for k in range(most)]),
    }


def still_waiting(ahead: np.ndarray, first: float, agents: float, time: float) -> float:
    """Of one with so many ahead of her, and the first class still coming: not yet answered.

    Uniformization: at the ticks of a Poisson process one comes ahead, or the next is answered.
    """
    come, total = first / (first + agents), (first + agents) * time
    last = int(total + 10 * math.sqrt(total) + 40)
    chances = np.exp(special.xlogy(np.arange(last), total) - total - special.gammaln(
        np.arange(last) + 1.0
    ))  # fmt: skip
    left, law = 0.0, ahead.copy()
    for chance in chances:
        left += chance * law.sum()
        moved = (1 - come) * np.append(law[1:], 0.0)
        moved[1:] += come * law[:-1]
        moved[-1] += come * law[-1]
        law = moved
    return left


@pytest.mark.parametrize(("first", "second"), [(0.4, 0.6), (0.9, 0.2), (0.1, 1.0)])
@pytest.mark.parametrize("agents", [2, 3])
def test_every_measure_against_the_chain(first: float, second: float, agents: int) -> None:
    handle_time, threshold = 180.0, 50.0
    truth = lines_of_both(first, second, agents, most=60)
    found = q.two_priorities(first, second, agents, handle_time, threshold)
    time = threshold / handle_time
    # The first class waits for those of her kind who are ahead, and for one agent more.
    late = truth["first_ahead"] @ special.gammaincc(np.arange(60) + 1, agents * time)
    assert found.first.service_level == pytest.approx(1 - late, rel=1e-9)
    late = still_waiting(truth["all_ahead"], first, agents, time)
    assert found.second.service_level == pytest.approx(1 - late, rel=1e-9)
    for one, load, line in (
        (found.first, first, truth["first"]),
        (found.second, second, truth["second"]),
    ):
        assert one.waiting_probability == pytest.approx(truth["waits"], rel=1e-9)
        assert one.queue_length == pytest.approx(line, rel=1e-8)
        assert one.mean_wait == pytest.approx(line / load * handle_time, rel=1e-8)
        assert one.speed_of_answer == one.mean_wait
        assert one.occupancy == pytest.approx((first + second) / agents, rel=1e-15)
        assert one.abandonment == 0


def second_class_tail(first: float, second: float, agents: float, time: float) -> float:
    """P(wait > time | wait) by the formula, time in handle times."""
    found = q.two_priorities(first, second, agents, 1.0, time).second
    return float((1 - found.service_level) / found.waiting_probability)


@pytest.mark.parametrize(
    ("first", "second", "time"),
    [(0.3, 0.4, 1.0), (0.5, 0.1, 9.0), (0.05, 0.9, 30.0), (0.25, 0.25, 4.0), (0.64, 0.16, 7.0),
     (0.9, 0.09, 200.0), (0.99, 0.009, 900.0), (0.999, 0.0005, 1500.0)],
)  # fmt: skip
def test_second_class_waits_as_followed_step_by_step(
    first: float, second: float, time: float
) -> None:
    # One agent of rate 1: only loads per agent and completions count.
    both = first + second
    ahead = (1 - both) * both ** np.arange(min(int(34 / -math.log(both)) + 5000, 80_000))
    truth = still_waiting(ahead, first, 1.0, time)
    assert second_class_tail(first, second, 1.0, time) == pytest.approx(truth, abs=1e-10)


def inverted(first: float, both: float, time: float) -> float:
    """P(T > time) from its Laplace transform (Abate and Whitt 1995, Euler's summation).

    B of M/M/1's busy period, T a geometric sum of them: (1 - B) / (s (1 - both B)).
    """

    def transform(s: complex) -> complex:
        root = np.sqrt((1 - first + s) ** 2 + 4 * first * s)
        busy = 2 / (1 + first + s + root)
        rest = (first - 1 + s + root) / (1 + first + s + root)
        return complex(rest / (s * (1 - both + both * rest))) if busy else 0j

    aim, terms, more = 25.0, 60, 14
    sums, total = [], 0.5 * transform(aim / (2 * time) + 0j).real
    for k in range(1, terms + more + 1):
        total += (-1) ** k * transform((aim + 2j * k * math.pi) / (2 * time)).real
        sums.append(total)
    weights = special.binom(more, np.arange(more + 1)) / 2**more
    return float(math.exp(aim / 2) / time * (weights @ np.array(sums[terms - 1 :])))


@pytest.mark.parametrize("first", [1e-6, 0.2, 0.9, 0.999, 0.9999, 1 - 1e-6])
@pytest.mark.parametrize("share_left", [1e-3, 0.3, 0.9])
def test_second_class_waits_as_its_transform_says(first: float, share_left: float) -> None:
    # Also where the first class alone leaves a millionth of the agents.
    left = (1 - first) * share_left
    second = 1 - first - left
    mean = 1 / (left * (1 - first))
    for time in mean * np.array([1e-3, 0.1, 1.0, 5.0]):
        truth = inverted(first, first + second, time)
        assert second_class_tail(first, second, 1.0, time) == pytest.approx(truth, abs=1e-8)


@given(agents_given, occupancies, parts, handle_times)
@settings(deadline=None, max_examples=30)
def test_waits_are_tails_integrated(
    agents: float, busy: float, part: float, handle_time: float
) -> None:
    first, second = agents * busy * part, agents * busy * (1 - part)
    found = q.two_priorities(first, second, agents, handle_time)
    nodes, weights = np.polynomial.legendre.leggauss(12)
    edges = np.r_[0, np.geomspace(1e-6, 200, 45)]  # in means of those who wait
    widths = np.diff(edges)[:, None] / 2
    scale = ((edges[:-1] + edges[1:])[:, None] / 2 + widths * nodes).ravel()
    weights = (widths * weights).ravel()
    for name in ("first", "second"):
        one = getattr(found, name)
        if one.waiting_probability < 1e-6:  # a service level next to 1 hides its complement
            continue
        times = one.mean_wait / one.waiting_probability * scale
        at = q.two_priorities(first, second, agents, handle_time, times)
        late = (1 - getattr(at, name).service_level) / one.waiting_probability
        assert weights @ late == pytest.approx(1, abs=1e-8)


@given(agents_given, occupancies, parts, handle_times, thresholds)
@checked
def test_laws(
    agents: float, busy: float, part: float, handle_time: float, threshold: float
) -> None:
    first, second = agents * busy * part, agents * busy * (1 - part)
    both = first + second
    found = q.two_priorities(first, second, agents, handle_time, threshold)
    # Conservation: no rule of precedence changes how much is waiting in all.
    together = q.erlang_c_mean_wait(both, agents, handle_time)
    waited = first * found.first.mean_wait + second * found.second.mean_wait
    assert waited == pytest.approx(both * together, rel=1e-6 if busy > 0.999 else 1e-10)
    # Kella and Yechiali: the second class pays for all, divided once more.
    ratio = agents / (agents - both)
    assert found.second.mean_wait == pytest.approx(found.first.mean_wait * ratio, rel=1e-12)
    alike = q.erlang_c_service_level(both, agents, handle_time, threshold)
    assert found.second.service_level - 1e-13 <= alike <= found.first.service_level + 1e-13
    for one, load in ((found.first, first), (found.second, second)):
        assert one.waiting_probability == q.erlang_c(both, agents)
        line = load / handle_time * one.mean_wait
        assert one.queue_length == pytest.approx(line, rel=1e-12, abs=1e-300)


@given(st.floats(0, 3000), agents_given, handle_times, thresholds)
@checked
def test_one_class_alone_is_erlang_c(
    load: float, agents: float, handle_time: float, threshold: float
) -> None:
    level = q.erlang_c_service_level(load, agents, handle_time, threshold)
    wait = q.erlang_c_mean_wait(load, agents, handle_time)
    second = q.two_priorities(0, load, agents, handle_time, threshold).second
    first = q.two_priorities(load, 0, agents, handle_time, threshold).first
    for one in (first, second):
        assert one.service_level == pytest.approx(level, abs=1e-12)
        assert one.mean_wait == pytest.approx(wait, rel=1e-12)
        assert one.waiting_probability == q.erlang_c(load, agents)
        assert one.queue_length == pytest.approx(q.erlang_c_queue_length(load, agents), rel=1e-12)
        assert one.occupancy == q.erlang_c_occupancy(load, agents)


@given(agents_given, st.floats(0.05, 1.3), parts, handle_times, thresholds)
@checked
def test_more_of_anybody_is_worse_for_everybody(
    agents: float, busy: float, part: float, handle_time: float, threshold: float
) -> None:
    first, second = agents * busy * part, agents * busy * (1 - part)
    grow = np.linspace(1, 1.5, 12)
    worse_first = (
        q.two_priorities(first * grow, second, agents, handle_time, threshold),
        q.two_priorities(first, second * grow, agents, handle_time, threshold),
        q.two_priorities(first, second, agents * grow[::-1], handle_time, threshold),
        q.two_priorities(first, second, agents, handle_time, threshold * grow[::-1]),
    )
    for found in worse_first:
        for one in found:
            assert (np.diff(one.service_level) <= 1e-12).all()
            waits = np.where(np.isinf(one.mean_wait), 1e300, one.mean_wait)
            assert (np.diff(waits) >= -1e-9 * waits[1:]).all()


def test_too_much_of_both_leaves_the_first_a_priority() -> None:
    found = q.two_priorities(3, 9, 12, 180, 20)
    assert found.first.waiting_probability == found.second.waiting_probability == 1
    # All agents always busy: the next is free after h / n, and 3 erlangs come before.
    assert found.first.mean_wait == pytest.approx(180 / (12 - 3), rel=1e-14)
    assert found.first.service_level == pytest.approx(1 - math.exp(-9 * 20 / 180), rel=1e-14)
    assert found.second.mean_wait == found.second.queue_length == math.inf
    assert found.second.service_level == 0
    assert found.first.occupancy == found.second.occupancy == 1
    for load, agents in ((12, 12), (1e9, 1), (5, 0)):
        for one in q.two_priorities(load, 1, agents, 180, 20):
            assert one.mean_wait == one.queue_length == math.inf
            assert one.service_level == 0


def test_nobody_comes() -> None:
    for agents in (0, 1, 1e6):
        for one in q.two_priorities(0, 0, agents, 180, 20):
            assert one == (0, 0, 0, 0, 1, 0, 0)
    # One of a class that does not come would still wait for the other.
    one = q.two_priorities(0, 10, 14, 180).first
    assert one.queue_length == 0
    assert one.mean_wait == pytest.approx(q.erlang_c(10, 14) * 180 / 14, rel=1e-14)


def test_agents_for_the_second_class() -> None:
    goals = q.Goals(service_level=0.8)
    agents = q.agents_for(goals, lambda n: q.two_priorities(3, 7, n, 180, 20).second)
    levels = q.two_priorities(3, 7, [agents - 1, agents], 180, 20).second.service_level
    assert levels[0] < 0.8 <= levels[1]


ANY_LOAD = st.one_of(st.floats(0, 1e9), st.sampled_from([0.0, 5e-324, 1e-300, 1e-150, 1e9]))


@given(
    ANY_LOAD, ANY_LOAD, st.one_of(st.floats(0, 1e6), st.sampled_from([0.0, 1e-300, 1e12])),
    st.sampled_from([1e-300, 1e-6, 180.0, 1e12, 1e300]),
    st.one_of(st.floats(0), st.sampled_from([0.0, 5e-324, 1e300, math.inf])),
)  # fmt: skip
@settings(deadline=None, max_examples=300)
def test_any_size_gives_a_number_in_its_range(
    first: float, second: float, agents: float, handle_time: float, threshold: float
) -> None:
    for one in q.two_priorities(first, second, agents, handle_time, threshold):
        for measure in one:
            assert measure >= 0  # false of NaN, too
        assert one.waiting_probability <= 1
        assert one.service_level <= 1
        assert one.occupancy <= 1


def test_shapes() -> None:
    first, second = np.array([0.0, 1, 5, 300])[:, None], np.array([0.0, 3, 7])
    found = q.two_priorities(first, second, 12.5, 180, [0, 20, math.inf])
    for row, column in itertools.product(range(4), range(3)):
        alone = q.two_priorities(
            first[row, 0], second[column], 12.5, 180, [0, 20, math.inf][column]
        )
        for one, single in zip(found, alone, strict=True):
            for measure, value in zip(one, single, strict=True):
                assert measure.shape == (4, 3)
                assert type(value) is float
                assert measure[row, column] == value
    many = q.two_priorities(np.linspace(0, 9, 1001), 2, 12, 180, 20).second.service_level
    assert many[700] == q.two_priorities(np.linspace(0, 9, 1001)[700], 2, 12, 180, 20)[1][4]
    for one in q.two_priorities([], 7, 12, 180):
        assert all(measure.shape == (0,) for measure in one)


GOOD: dict[str, Any] = {
    "first_load": 3, "second_load": 7, "agents": 12, "handle_time": 180, "threshold": 20,
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_bad_input_names_argument_and_value(name: str) -> None:
    bad = [-1.0, math.nan, "many"]
    bad += [math.inf] if name != "threshold" else []
    bad += [0.0] if name == "handle_time" else []
    for value in bad:
        with pytest.raises(ValueError, match=f"^{name} must be ") as refused:
            q.two_priorities(**(GOOD | {name: value}))
        assert str(refused.value).endswith(f"got {value!r}")
    with pytest.raises(ValueError, match=rf"^{name} must be .* got -3\.0$"):
        q.two_priorities(**(GOOD | {name: [GOOD[name], -3.0]}))


def test_lists_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        q.two_priorities([1, 2], [3, 4, 5], 12, 180)
