"""Chat against a chain of every agent by herself, against Erlang A, its laws and its limits."""

from __future__ import annotations

import importlib.util
import itertools
import math
import re
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import linalg
from scipy.special import logsumexp

from ccsim import queueing as q

EVERY_FORMULA = (*q.SERVICE_LEVEL_FORMULAS, "virtual")
checked = settings(deadline=None, max_examples=40)
ways = pytest.mark.parametrize("solve", [q.chat, q.chat_exact])

patiences = st.one_of(st.floats(1, 20_000), st.just(math.inf))
thresholds = st.floats(0, 4000)


def _benchmark() -> ModuleType:
    path = Path(__file__).parents[1] / "benchmarks" / "chat_optimism.py"
    spec = importlib.util.spec_from_file_location("chat_optimism", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stationary(generator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve π Q = 0, Σ π = 1, of any chain."""
    np.fill_diagonal(generator, 0)
    np.fill_diagonal(generator, -generator.sum(axis=1))
    size = len(generator)
    equations = np.vstack([generator.T, np.ones(size)])
    return linalg.lstsq(equations, np.r_[np.zeros(size), 1.0])[0]


def by_agent(
    volume: float, agents: int, handle_times: list[float], patience: float, most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Chance, open chats and agents with a chat of every state: chats of each agent, or a queue."""
    slots = len(handle_times)
    spreads = list(itertools.product(range(slots + 1), repeat=agents))
    number = {spread: index for index, spread in enumerate(spreads)}
    full = number[(slots,) * agents]
    generator = np.zeros((len(spreads) + most,) * 2)
    for spread, here in number.items():
        least = spread.index(min(spread))
        if spread[least] < slots:
            after = (*spread[:least], spread[least] + 1, *spread[least + 1 :])
            generator[here, number[after]] += volume
        for agent, level in enumerate(spread):
            if level:
                after = (*spread[:agent], level - 1, *spread[agent + 1 :])
                generator[here, number[after]] += level / handle_times[level - 1]
    completions = agents * slots / handle_times[-1]
    for waiting in range(most):  # behind the last spread, in which all slots are taken
        generator[full + waiting, full + waiting + 1] = volume
        generator[full + waiting + 1, full + waiting] = completions + (waiting + 1) / patience
    law = stationary(generator)
    assert law[-1] < 1e-12  # what is cut off does not matter
    chats = [sum(spread) for spread in spreads] + [agents * slots] * most
    busy = [np.count_nonzero(spread) for spread in spreads] + [agents] * most
    return law, np.array(chats), np.array(busy)


def by_brute_force(
    volume: float, agents: int, handle_times: list[float], patience: float, threshold: float,
    short: float, formula: str, most: int,
) -> dict[str, float]:  # fmt: skip
    law, chats, busy = by_agent(volume, agents, handle_times, patience, most)
    found = law[-most - 1 :]  # who finds every slot taken and k ahead
    at_once = law[: -most - 1].sum()
    slots, completions = len(handle_times), agents * len(handle_times) / handle_times[-1]

    def way(own_patience: float) -> NDArray[np.float64]:
        generator = np.zeros((most + 3, most + 3))
        for ahead in range(most + 1):
            answered = most + 1 if ahead == 0 else ahead - 1
            generator[ahead, answered] += completions + ahead / patience
            generator[ahead, most + 2] += 1 / own_patience
        return generator - np.diag(generator.sum(axis=1))

    steps = way(patience)
    is_answered = linalg.solve(-steps[:-2, :-2], steps[:-2, -2])
    answered = at_once + found @ is_answered
    waits = found @ linalg.solve(-steps[:-2, :-2], np.ones(most + 1))
    answered_waits = found @ linalg.solve(-steps[:-2, :-2], is_answered)
    in_time, gone = found @ linalg.expm(steps * threshold)[:-2, -2:]
    gone_in_short = (found @ linalg.expm(steps * short)[:-2, -2:])[1]
    virtual = (found @ linalg.expm(way(math.inf) * threshold)[:-2, -2:])[0]
    level = {
        "of_offered": at_once + in_time,
        "of_answered": (at_once + in_time) / answered,
        "with_abandoned_in_time": at_once + in_time + gone,
        "without_abandoned_in_time": (at_once + in_time) / (1 - gone),
        "without_short_abandons": (at_once + in_time) / (1 - gone_in_short),
        "with_short_abandons": at_once + in_time + gone_in_short,
        "virtual": at_once + virtual,
    }
    return {
        "waiting_probability": found.sum(),
        "abandonment": 1 - answered,
        "mean_wait": waits,
        "speed_of_answer": answered_waits / answered,
        "service_level": level[formula],
        "occupancy": law @ busy / agents,
        "slot_use": law @ chats / agents / slots,
        "chats_per_agent": law @ chats / agents,
        "mean_chat_time": law @ chats / (volume * answered),
        "queue_length": found @ np.arange(most + 1),
    }


CENTRES = [
    # volume a second, agents, handle times, patience, longest queue
    (0.009, 2, [600, 660, 780], 120, 30),
    (0.004, 2, [600, 900], 300, 40),
    (0.012, 3, [500, 550], 60, 30),
    (0.004, 2, [600, 610, 450], 200, 40),  # the third chat adds most
    (0.0065, 2, [600, 1300], 90, 30),  # two chats are slower than one
    (0.0031, 2, [600, 900], math.inf, 80),
    (0.004, 1, [600, 700, 800, 900], 100, 30),
]


class TestExact:
    @pytest.mark.parametrize("formula", EVERY_FORMULA)
    @pytest.mark.parametrize("centre", CENTRES)
    def test_every_measure_of_every_agent_by_herself(
        self, centre: tuple[Any, ...], formula: q.SteadyStateFormula
    ) -> None:
        truth = by_brute_force(*centre[:4], 25, 7, formula, centre[4])
        found = q.chat_exact(*centre[:4], 25, formula=formula, short_abandon=7)
        assert found._asdict() == pytest.approx(truth, rel=1e-9, abs=1e-13)

    def test_what_is_hardly_ever_seen_has_its_digits(self) -> None:
        # 2 agents, 2 slots, equal handle times: M/M/4, and with one chat in 10^12 s none waits.
        for volume in (1e-3, 1e-6, 1e-12, 1e-60):
            found = q.chat_exact(volume, 2, [600, 600], 120, 20)
            truth = q.erlang_a(volume * 600, 4, 600, 120, 20)
            assert found.waiting_probability == pytest.approx(
                truth.waiting_probability, rel=1e-11, abs=1e-300
            )
            assert found.occupancy == pytest.approx(volume * 600 / 2, rel=volume * 600 + 1e-12)
            assert found.mean_chat_time == pytest.approx(600, rel=1e-12)

    def test_many_agents_and_many_slots_within_the_limit(self) -> None:
        # A chance of all agents being free of e^-19000 is no start for a scale.
        many = q.chat_exact(19_000 / 600, 19_500, [600], 120, 20)
        assert many == pytest.approx(q.chat(19_000 / 600, 19_500, [600], 120, 20), rel=1e-9)
        slots = 600 * (1 + 0.05 * np.arange(3000))
        alone = q.chat_exact(1 / 60, 1, slots, 120, 20)
        assert alone == q.chat(1 / 60, 1, slots, 120, 20)


class TestBalanced:
    @pytest.mark.parametrize("centre", CENTRES)
    def test_is_a_birth_death_chain_of_evenly_spread_chats(self, centre: tuple[Any, ...]) -> None:
        volume, agents, handle_times, patience, most = centre
        slots = agents * len(handle_times)
        generator = np.zeros((slots + most + 1,) * 2)
        busy = np.full(slots + most + 1, agents)
        for chats in range(slots + most):
            generator[chats, chats + 1] = volume
        for chats in range(1, slots + most + 1):
            spread = [min(chats, slots) // agents] * agents
            for agent in range(min(chats, slots) % agents):
                spread[agent] += 1
            done = sum(level / handle_times[level - 1] for level in spread if level)
            generator[chats, chats - 1] = done + max(chats - slots, 0) / patience
            busy[chats] = np.count_nonzero(spread)
        busy[0] = 0
        law = stationary(generator)
        waiting = law @ np.maximum(np.arange(slots + most + 1) - slots, 0)
        lost = waiting / patience / volume
        found = q.chat(*centre[:4])
        assert found.waiting_probability == pytest.approx(law[slots:].sum(), rel=1e-10)
        assert found.abandonment == pytest.approx(lost, rel=1e-9, abs=1e-300)
        assert found.queue_length == pytest.approx(waiting, rel=1e-9)
        assert found.occupancy == pytest.approx(law @ busy / agents, rel=1e-10)
        chats = law @ np.minimum(np.arange(slots + most + 1), slots)
        assert found.chats_per_agent == pytest.approx(chats / agents, rel=1e-10)
        assert found.slot_use == pytest.approx(chats / slots, rel=1e-10)
        chat_time = chats / (volume * (1 - lost))
        assert found.mean_chat_time == pytest.approx(chat_time, rel=1e-9)

    @pytest.mark.parametrize(
        "centre",
        [
            (1.0, 103, [1, 300], 900),
            (1.0, 103, [1, 300], 13_397),  # chances of 1e-3000 decide how often
            (1.0, 103, [1, 300], 15_000),
            (1.45, 900, [600, 1300], 3000),
        ],
    )
    def test_a_centre_that_once_full_stays_full(self, centre: tuple[Any, ...]) -> None:
        # Full agents complete less than comes, others more: one state of affairs or the other.
        volume, agents, (alone, beside), patience = centre
        one_chat = np.arange(1, agents + 1) / alone
        more = np.arange(1, agents + 1)
        mixed = (agents - more) / alone + more * 2 / beside
        completed = 2 * agents / beside
        queue = completed + np.arange(1, 3 * volume * patience) / patience
        done = np.concatenate([one_chat, mixed, queue])
        logs = np.concatenate([[0.0], np.cumsum(np.log(volume / done))])
        waits = np.exp(logsumexp(logs[2 * agents :]) - logsumexp(logs))
        assert q.chat(*centre).waiting_probability == pytest.approx(waits, rel=1e-9)


class TestErlangA:
    @ways
    @given(
        st.floats(0.03, 150), st.floats(0.3, 2), st.floats(10, 2000), patiences, thresholds,
        st.sampled_from(EVERY_FORMULA),
    )  # fmt: skip
    @checked
    def test_one_slot(
        self, solve: Any, load: float, ratio: float, handle_time: float, patience: float,
        threshold: float, formula: q.SteadyStateFormula,
    ) -> None:  # fmt: skip
        agents = math.ceil(load * ratio)
        how = {"formula": formula, "short_abandon": 5.0}
        found = solve(load / handle_time, agents, [handle_time], patience, threshold, **how)
        truth = q.erlang_a(load, agents, handle_time, patience, threshold, **how)
        for name, measure in truth._asdict().items():
            if name != "virtual_wait":
                assert getattr(found, name) == pytest.approx(measure, rel=1e-9, abs=1e-13), name
        busy = pytest.approx(truth.occupancy, rel=1e-9)
        assert found.slot_use == found.chats_per_agent == busy
        if math.isfinite(truth.mean_wait):
            assert found.mean_chat_time == pytest.approx(handle_time, rel=1e-9)

    @ways
    @given(
        st.integers(1, 8), st.integers(2, 3), st.floats(0.1, 2), st.floats(10, 2000), patiences,
        thresholds, st.sampled_from(EVERY_FORMULA),
    )  # fmt: skip
    @checked
    def test_equal_handle_times(
        self, solve: Any, agents: int, slots: int, per_slot: float, handle_time: float,
        patience: float, threshold: float, formula: q.SteadyStateFormula,
    ) -> None:  # fmt: skip
        load = per_slot * agents * slots
        how = {"formula": formula, "short_abandon": 5.0}
        found = solve(load / handle_time, agents, [handle_time] * slots, patience, threshold, **how)
        truth = q.erlang_a(load, agents * slots, handle_time, patience, threshold, **how)
        for name, measure in truth._asdict().items():
            if name not in ("virtual_wait", "occupancy"):
                assert getattr(found, name) == pytest.approx(measure, rel=1e-9, abs=1e-13), name
        assert found.slot_use == pytest.approx(truth.occupancy, rel=1e-9)
        assert found.chats_per_agent == pytest.approx(slots * truth.occupancy, rel=1e-9)
        assert found.occupancy >= found.slot_use * (1 - 1e-12)

    def test_equal_handle_times_leave_agents_unevenly_busy(self) -> None:
        # Two agents with two slots, M/M/4. Two chats may end at the same one.
        balanced, exact = (solve(2 / 600, 2, [600, 600], 120) for solve in (q.chat, q.chat_exact))
        assert exact.occupancy < balanced.occupancy - 0.01
        rest = exact._replace(occupancy=balanced.occupancy)
        assert rest == pytest.approx(balanced, rel=1e-12)


@st.composite
def centres(draw: st.DrawFn, *, falling: bool) -> tuple[Any, ...]:
    """Volume, agents, handle times, patience; what a further chat adds falls, or rises."""
    slots = draw(st.integers(2, 3))
    steps = sorted(draw(st.lists(st.floats(0.05, 1), min_size=slots, max_size=slots)))
    completed = np.cumsum(steps[::-1] if falling else steps) / 600
    handle_times = np.arange(1, slots + 1) / completed
    agents = draw(st.integers(2, 6))
    volume = draw(st.floats(0.3, 1.5)) * agents * completed[-1]
    return float(volume), agents, handle_times.tolist(), draw(st.floats(10, 3000))


def worse(found: q.Chat) -> NDArray[np.float64]:
    """Measures by which a centre is the worse the more of it there is."""
    return np.array([
        found.waiting_probability, found.abandonment, found.mean_wait, found.queue_length,
        -found.service_level,
    ])  # fmt: skip


class TestOptimism:
    @given(centres(falling=True), thresholds)
    @checked
    def test_never_too_gloomy_where_each_further_chat_adds_less(
        self, centre: tuple[Any, ...], threshold: float
    ) -> None:
        hopeful, exact = (worse(solve(*centre, threshold)) for solve in (q.chat, q.chat_exact))
        assert (hopeful <= exact + np.abs(exact) * 1e-9 + 1e-14).all()

    @given(centres(falling=False), thresholds)
    @checked
    def test_never_too_hopeful_where_each_further_chat_adds_more(
        self, centre: tuple[Any, ...], threshold: float
    ) -> None:
        gloomy, exact = (worse(solve(*centre, threshold)) for solve in (q.chat, q.chat_exact))
        assert (gloomy >= exact - np.abs(exact) * 1e-9 - 1e-14).all()

    benchmark = _benchmark()

    @staticmethod
    def figures() -> dict[int, tuple[float, float]]:
        """Points by slots that the docstring states: of service level, of waiting probability."""
        rows = re.findall(r"^ +(\d) +2-\d+ +([\d.]+) +([\d.]+)$", q.chat.__doc__ or "", re.M)
        return {int(slots): (float(level), float(wait)) for slots, level, wait in rows}

    @pytest.mark.parametrize("slots", [2, 3, 4])
    def test_the_figures_of_the_docstring(self, slots: int) -> None:
        agents = self.benchmark.AGENTS[slots]
        assert f"{slots}        2-{agents[-1]} " in q.chat.__doc__
        # The worst is in small centres; larger ones are for the command.
        found = [self.benchmark.worst(slots, number) for number in agents if number <= 8]
        level, wait = (100 * max(each[which].difference for each in found) for which in (0, 1))
        assert (round(level, 2), round(wait, 2)) == self.figures()[slots]
        assert min(least for _, _, least in found) > -1e-12


class TestLaws:
    @given(centres(falling=True), st.floats(0, 600), st.sampled_from(EVERY_FORMULA))
    @checked
    def test_more_agents_serve_better(
        self, centre: tuple[Any, ...], threshold: float, formula: q.SteadyStateFormula
    ) -> None:
        volume, agents, *rest = centre
        for solve in (q.chat, q.chat_exact):
            few, some, more = (
                solve(volume, agents + extra, *rest, threshold, formula=formula, short_abandon=5)
                for extra in (0, 0.5, 1)
            )
            for better, base in ((some, few), (more, some)):
                slack = np.abs(worse(base)) * 1e-9 + 1e-14
                assert (worse(better) <= worse(base) + slack).all()
                assert better.speed_of_answer <= base.speed_of_answer * (1 + 1e-9)
                assert better.slot_use <= base.slot_use * (1 + 1e-9)

    @given(centres(falling=True), st.floats(1.01, 10))
    @checked
    def test_longer_patience_means_longer_queues_and_fewer_lost(
        self, centre: tuple[Any, ...], times: float
    ) -> None:
        *rest, patience = centre
        for solve in (q.chat, q.chat_exact):
            shorter, longer = solve(*rest, patience), solve(*rest, patience * times)
            assert longer.abandonment <= shorter.abandonment * (1 + 1e-9)
            assert longer.waiting_probability >= shorter.waiting_probability * (1 - 1e-9)
            assert longer.queue_length >= shorter.queue_length * (1 - 1e-9)
            assert longer.chats_per_agent >= shorter.chats_per_agent * (1 - 1e-9)

    @ways
    @given(centre=centres(falling=True))
    @checked
    def test_conservation(self, solve: Any, centre: tuple[Any, ...]) -> None:
        volume, agents, handle_times, patience = centre
        found = solve(*centre)
        assert found.mean_wait == pytest.approx(found.abandonment * patience, rel=1e-12)
        assert found.queue_length == pytest.approx(volume * found.mean_wait, rel=1e-12)
        assert found.chats_per_agent == pytest.approx(found.slot_use * len(handle_times))
        # Little's law of chats in hand.
        answered = volume * (1 - found.abandonment)
        in_hand = answered * found.mean_chat_time
        assert in_hand == pytest.approx(agents * found.chats_per_agent, rel=1e-9)
        assert min(handle_times) <= found.mean_chat_time * (1 + 1e-9)
        assert found.mean_chat_time <= max(handle_times) * (1 + 1e-9)
        assert found.slot_use <= found.occupancy <= found.chats_per_agent * (1 + 1e-9)

    @ways
    def test_endless_patience_is_the_limit(self, solve: Any) -> None:
        rest = (0.008, 3, [600, 660, 780])
        endless = solve(*rest, math.inf, 30)
        assert endless.abandonment == 0
        for patience in (1e9, 1e12):
            near = solve(*rest, patience, 30)
            # The first order of the distance is a wait ÷ patience, times the congestion squared.
            slack = 1e3 * endless.mean_wait / patience + 1e-11
            assert near == pytest.approx(endless, rel=slack, abs=slack)

    @ways
    @pytest.mark.parametrize("agents", [0.25, 2.25])
    def test_agents_between_two_whole_numbers(self, solve: Any, agents: float) -> None:
        rest = ([600, 660, 780], 120, 30)
        volume, low = 0.007, math.floor(agents)
        few, more = (solve(volume, low + extra, *rest)._asdict() for extra in (0, 1))
        found = solve(volume, agents, *rest)
        per_contact = (
            "waiting_probability", "abandonment", "mean_wait", "queue_length", "service_level",
        )  # fmt: skip
        for name in per_contact:
            mixed = 0.75 * few[name] + 0.25 * more[name]
            assert getattr(found, name) == pytest.approx(mixed, rel=1e-12), name

        # Ratios are ratios of mixtures: nobody is answered, or busy, while nobody is there.
        def mixture(name: str, base: str) -> tuple[float, float]:
            parts = [
                {"answered": 1 - each["abandonment"], "agents": low + extra}[base]
                for extra, each in enumerate((few, more))
            ]
            values = [
                part * each[name] if part else 0
                for part, each in zip(parts, (few, more), strict=True)
            ]
            return 0.75 * values[0] + 0.25 * values[1], 0.75 * parts[0] + 0.25 * parts[1]

        for name, base in (
            ("speed_of_answer", "answered"), ("mean_chat_time", "answered"),
            ("occupancy", "agents"), ("slot_use", "agents"), ("chats_per_agent", "agents"),
        ):  # fmt: skip
            whole, parts = mixture(name, base)
            assert getattr(found, name) == pytest.approx(whole / parts, rel=1e-12), name


class TestLimits:
    @ways
    def test_unstable(self, solve: Any) -> None:
        levels = [600, 660, 780]
        for volume, agents in ((3 * 3 / 780, 3), (1e6, 3), (1e-9, 0), (0.02, 0.5)):
            found = solve(volume, agents, levels, math.inf, 20)
            assert found.waiting_probability == found.occupancy == found.slot_use == 1
            assert found.mean_wait == found.speed_of_answer == found.queue_length == math.inf
            assert found.abandonment == found.service_level == 0
            assert found.chats_per_agent == 3
            assert found.mean_chat_time == pytest.approx(780)

    @ways
    def test_no_volume_and_no_agents(self, solve: Any) -> None:
        levels = [600, 660, 780]
        for formula in EVERY_FORMULA:
            none = solve(0, [0, 2, 2.5], levels, 120, 20, formula=formula)
            assert none.service_level.tolist() == [1, 1, 1]
            for name in set(none._fields) - {"service_level", "mean_chat_time"}:
                assert getattr(none, name).tolist() == [0, 0, 0], name
            assert none.mean_chat_time.tolist() == [600] * 3
        nobody = solve(0.01, 0, levels, 120, 20)
        assert nobody.waiting_probability == nobody.abandonment == 1
        assert nobody.mean_wait == pytest.approx(120)
        assert nobody.queue_length == pytest.approx(0.01 * 120)
        assert nobody.speed_of_answer == math.inf
        assert nobody.service_level == 0
        gone = solve(0.01, 0, levels, 120, 20, formula="with_abandoned_in_time").service_level
        assert gone == pytest.approx(-math.expm1(-20 / 120))

    @ways
    def test_no_patience_is_a_loss_system(self, solve: Any) -> None:
        found = solve(6 / 600, 3, [600, 600], 0, 20)
        blocked = q.erlang_b(6, 6)
        assert found.abandonment == found.waiting_probability == pytest.approx(blocked, rel=1e-12)
        assert found.service_level == pytest.approx(1 - blocked, rel=1e-12)
        assert found.mean_wait == found.speed_of_answer == found.queue_length == 0
        # They give up at once; but a limit of 0 s makes nobody's abandonment a short one.
        for short, level in ((0, 1 - blocked), (5, 1)):
            how = {"formula": "with_short_abandons", "short_abandon": short}
            found = solve(6 / 600, 3, [600, 600], 0, 20, **how)
            assert found.service_level == pytest.approx(level, rel=1e-12)

    sizes = st.one_of(st.sampled_from([0.0, 1e-300, 1e-9, 1.0, 1e9]), st.floats(0, 1e9))
    ends = st.one_of(
        st.sampled_from([0.0, 1e-300, 1.0, 1e300, math.inf]), st.floats(0, 1e6)
    )  # fmt: skip

    @given(
        sizes, st.one_of(st.sampled_from([0.0, 1e-9, 0.5, 1.0]), st.floats(0, 1e4)),
        st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=4), ends, ends,
        st.sampled_from(EVERY_FORMULA),
    )  # fmt: skip
    @settings(deadline=None, max_examples=150)
    def test_any_size_gives_a_number_in_its_range(
        self, volume: float, agents: float, levels: list[float], patience: float,
        threshold: float, formula: q.SteadyStateFormula,
    ) -> None:  # fmt: skip
        queue = (levels, patience, threshold)
        how = {"formula": formula, "short_abandon": 5.0}
        answers = [q.chat(volume, agents, *queue, **how)]
        answers += [q.chat_exact(volume, agents % 4, *queue, **how)]
        for found in answers:
            for name in (
                "waiting_probability", "abandonment", "service_level", "occupancy", "slot_use"
            ):  # fmt: skip
                assert 0 <= getattr(found, name) <= 1, name
            assert min(found) >= 0
            assert 0 <= found.chats_per_agent <= len(levels)
            assert found.mean_chat_time < math.inf

    def test_a_centre_of_ten_thousand_takes_no_time(self) -> None:
        begin = time.process_time()
        found = q.chat(10_000 * 3 / 780, 10_100, [600, 660, 780], 120, 30)
        assert time.process_time() - begin < 1
        assert 0.99 < found.service_level < 1


class TestShapes:
    @ways
    def test_scalars_give_floats_and_nothing_gives_nothing(self, solve: Any) -> None:
        found = solve(0.01, 3, [600, 660], 120, 20)
        assert all(type(measure) is float for measure in found)
        none = solve([], 3, [600, 660], 120, 20)
        assert all(measure.shape == (0,) for measure in none)

    @ways
    def test_each_cell_is_its_scalar(self, solve: Any) -> None:
        volume = np.array([0.0, 0.005, 1.0])[:, None]
        agents = np.array([0, 2.5, 4])
        for formula in EVERY_FORMULA:
            how = {"formula": formula, "short_abandon": 5}
            found = solve(volume, agents, (600, 660), [60, math.inf, 0], 20, **how)
            assert found.service_level.shape == (3, 3)
            for row, column in np.ndindex(3, 3):
                one = solve(
                    volume[row, 0], agents[column], np.array([600, 660]),
                    [60, math.inf, 0][column], 20, **how,
                )  # fmt: skip
                assert one == tuple(measure[row, column] for measure in found)


GOOD: dict[str, Any] = {
    "volume": 0.01, "agents": 4, "handle_times": [600, 660], "patience": 120, "threshold": 20,
    "short_abandon": 5,
}  # fmt: skip


@ways
class TestBadInput:
    @pytest.mark.parametrize("name", GOOD)
    def test_names_argument_and_value(self, solve: Any, name: str) -> None:
        bad = [-1.0, math.nan, "many"]
        bad += [math.inf] if name in ("volume", "agents", "handle_times") else []
        bad += [0.0] if name == "handle_times" else []
        for value in bad:
            with pytest.raises(ValueError, match=f"^{name} must be ") as refused:
                solve(**(GOOD | {name: [600, value] if name == "handle_times" else value}))
            shown = f"[600, {value!r}]" if value == "many" and name == "handle_times" else value
            assert str(refused.value).endswith(f"got {shown if shown != value else repr(value)}")
        with pytest.raises(ValueError, match=rf"^{name} must be .* got -3\.0$"):
            solve(**(GOOD | {name: np.array([5.0, -3.0])}))

    @pytest.mark.parametrize("levels", [600, [], [[600, 660]], [[600], [660, 780]]])
    def test_handle_times_are_a_list(self, solve: Any, levels: Any) -> None:
        with pytest.raises(ValueError, match=r"^handle_times must be .*got ") as refused:
            solve(**(GOOD | {"handle_times": levels}))
        assert str(refused.value).endswith(f"got {levels!r}")

    def test_too_many_agents(self, solve: Any) -> None:
        message = r"agents must be few enough for 5,000,000 slots; got 2500001\.0 with 2 slots"
        with pytest.raises(ValueError, match=message):
            solve(**(GOOD | {"agents": [3, 2.5e6 + 0.5]}))
        if solve is q.chat_exact:
            message = r"agents must be few enough for 20,000 states in chat_exact.*got 199\.0 with"
            with pytest.raises(ValueError, match=message):
                solve(**(GOOD | {"agents": [3, 198.5]}))

    def test_unknown_formula(self, solve: Any) -> None:
        with pytest.raises(ValueError, match=r"formula must be one of .* got 'best'"):
            solve(**GOOD, formula="best")
