"""Erlang X against chains solved by brute force, against Erlang A and B, and at its limits."""

from __future__ import annotations

import itertools
import math
import time
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.sparse.linalg import spsolve

from ccsim import queueing as q

EVERY_FORMULA = (*q.SERVICE_LEVEL_FORMULAS, "virtual")
checked = settings(deadline=None, max_examples=25)

loads = st.floats(0.03, 300)
staffing_ratios = st.floats(0.2, 2)
handle_times = st.floats(10, 2000)
patiences = st.floats(1, 20_000)
thresholds = st.floats(0, 4000)
shares = st.floats(0, 0.95)


# A centre solved by brute force ----------------------------------------------------------------


class Centre(NamedTuple):
    load: float
    agents: int
    handle_time: float
    patience: float
    lines: int

    @property
    def arrivals(self) -> float:
        return self.load / self.handle_time

    @property
    def completions(self) -> float:
        return self.agents / self.handle_time

    @property
    def waiting(self) -> NDArray[np.float64]:
        return np.maximum(np.arange(self.lines + 1.0) - self.agents, 0)


def stationary(generator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve π Q = 0, Σ π = 1, of any chain."""
    size = len(generator)
    equations = np.vstack([generator.T, np.ones(size)])
    return linalg.lstsq(equations, np.r_[np.zeros(size), 1.0])[0]


def states(centre: Centre) -> NDArray[np.float64]:
    """Chance of 0 … lines contacts in the centre."""
    in_hand = np.arange(centre.lines + 1) - centre.waiting
    leave = in_hand / centre.handle_time + centre.waiting / centre.patience
    generator = np.diag(np.full(centre.lines, centre.arrivals), 1) + np.diag(leave[1:], -1)
    return stationary(generator - np.diag(generator.sum(axis=1)))


def places(centre: Centre, own_patience: float) -> NDArray[np.float64]:
    """Generator of one customer's way from k ahead to the agent or out: (k …, answered, gone)."""
    room = centre.lines - centre.agents
    generator = np.zeros((room + 2, room + 2))
    for ahead in range(room):
        answered = room if ahead == 0 else ahead - 1
        generator[ahead, answered] += centre.completions + ahead / centre.patience
        generator[ahead, room + 1] += 1 / own_patience
    return generator - np.diag(generator.sum(axis=1))


def by_brute_force(centre: Centre, threshold: float, short: float, formula: str) -> dict[str, Any]:
    law = states(centre)
    found = law[centre.agents : -1]  # who finds k ahead, a line being free
    at_once = law[: centre.agents].sum()
    steps = places(centre, centre.patience)
    to_the_end = -steps[:-2, :-2]
    is_answered = linalg.solve(to_the_end, steps[:-2, -2])
    answered = at_once + found @ is_answered
    all_waits = found @ linalg.solve(to_the_end, np.ones(len(found)))
    answered_waits = found @ linalg.solve(to_the_end, is_answered)

    def within(limit: float, own_patience: float) -> NDArray[np.float64]:
        return found @ linalg.expm(places(centre, own_patience) * limit)[:-2, -2:]

    in_time, gone = within(threshold, centre.patience)
    virtual = -places(centre, math.inf)[:-2, :-2]
    level = {
        "of_offered": at_once + in_time,
        "of_answered": (at_once + in_time) / answered,
        "with_abandoned_in_time": at_once + in_time + gone,
        "without_abandoned_in_time": (at_once + in_time) / (1 - gone),
        "without_short_abandons": (at_once + in_time) / (1 - within(short, centre.patience)[1]),
        "with_short_abandons": at_once + in_time + within(short, centre.patience)[1],
        "virtual": at_once + within(threshold, math.inf)[0],
    }
    return {
        "attempts_load": centre.load,
        "blocked": law[-1],
        "waiting_probability": found.sum(),
        "abandonment": found @ (1 - is_answered),
        "mean_wait": all_waits,
        "mean_wait_accepted": all_waits / (1 - law[-1]),
        "speed_of_answer": answered_waits / answered,
        "virtual_wait": found @ linalg.solve(virtual, np.ones(len(found))) / (1 - law[-1]),
        "service_level": level[formula],
        "occupancy": centre.load * answered / centre.agents,
        "queue_length": law @ centre.waiting,
        "served": answered,
    }


CENTRES = [
    Centre(2, 3, 180, 120, 6),
    Centre(8, 5, 60, 15, 12),  # impatient
    Centre(1.5, 1, 300, 900, 4),
    Centre(0.3, 2, 180, 60, 3),
    Centre(40, 6, 100, 250, 20),  # far overloaded
    Centre(6, 6, 100, math.inf, 20),
    Centre(20, 6, 100, math.inf, 9),
    Centre(15, 12, 240, 20_000, 30),
]


class TestAgainstBruteForce:
    @pytest.mark.parametrize("formula", EVERY_FORMULA)
    @pytest.mark.parametrize("centre", CENTRES)
    def test_every_measure(self, centre: Centre, formula: q.SteadyStateFormula) -> None:
        truth = by_brute_force(centre, 25, 7, formula)
        found = q.erlang_x(
            *centre[:4], 25, lines=centre.lines, formula=formula, short_abandon=7
        )._asdict()
        # Least squares give shares to 1e-15; the waits are sums of them times hundreds of seconds.
        assert found == pytest.approx(truth, rel=1e-11, abs=1e-13)

    @pytest.mark.parametrize("patience", [math.inf, 90])
    def test_nobody_to_answer(self, patience: float) -> None:
        # With patience it is M/M/K/K of patience times; without end every line is held for ever.
        found = q.erlang_x(4, 0, 180, patience, 20, lines=5)
        blocked = q.erlang_b(4 * patience / 180, 5) if math.isfinite(patience) else 1.0
        assert found.blocked == pytest.approx(blocked, rel=1e-13)
        assert found.abandonment == pytest.approx(1 - blocked, rel=1e-13)
        waiting = 4 / 180 * patience * (1 - blocked) if math.isfinite(patience) else 5
        assert found.queue_length == pytest.approx(waiting, rel=1e-13)
        assert found.mean_wait_accepted == pytest.approx(patience)
        assert found.speed_of_answer == found.virtual_wait == math.inf
        assert found.service_level == found.served == 0

    @pytest.mark.parametrize("centre", [Centre(3, 3, 60, 40, 7), Centre(3, 0, 60, 40, 3)])
    def test_agents_between_two_whole_numbers(self, centre: Centre) -> None:
        # A quarter of the time one more is there: everything per contact is that mixture.
        few, more = (
            by_brute_force(centre._replace(agents=centre.agents + extra), 20, 0, "of_offered")
            if centre.agents + extra
            else dict.fromkeys(q.ErlangX._fields, 0.0)
            | q.erlang_x(*centre[:4], 20, lines=centre.lines)._asdict()
            for extra in (0, 1)
        )
        mixed = {name: 0.75 * few[name] + 0.25 * more[name] for name in few}
        found = q.erlang_x(3, centre.agents + 0.25, 60, 40, 20, lines=centre.lines)
        for name in (
            "blocked", "waiting_probability", "abandonment", "mean_wait", "service_level",
            "queue_length", "served",
        ):  # fmt: skip
            assert getattr(found, name) == pytest.approx(mixed[name], rel=1e-11), name
        # Ratios are ratios of mixtures. Nobody is answered while nobody is there.
        waits = [
            each["served"] * each["speed_of_answer"] if each["served"] else 0
            for each in (few, more)
        ]
        speed = (0.75 * waits[0] + 0.25 * waits[1]) / mixed["served"]
        assert found.speed_of_answer == pytest.approx(speed, rel=1e-11)
        handling = 3 * mixed["served"] / (centre.agents + 0.25)
        assert found.occupancy == pytest.approx(handling, rel=1e-11)

    def test_agents_beyond_the_lines_have_nobody_to_talk_to(self) -> None:
        many, enough = (q.erlang_x(5, agents, 180, 60, 20, lines=4.9) for agents in (7, 4))
        assert many._replace(occupancy=enough.occupancy) == enough
        assert many.occupancy == pytest.approx(enough.occupancy * 4 / 7)


class TestLimits:
    @given(loads, staffing_ratios, handle_times, patiences, thresholds)
    @checked
    def test_without_limits_it_is_erlang_a(
        self, load: float, ratio: float, handle_time: float, patience: float, threshold: float
    ) -> None:
        for seconds, formula in itertools.product((patience, 0.0, math.inf), EVERY_FORMULA):
            queue = (load, load * ratio, handle_time, seconds, threshold)
            ours = q.erlang_x(*queue, formula=formula, short_abandon=5)
            theirs = q.erlang_a(*queue, formula=formula, short_abandon=5)
            # The same steps, so bit by bit, but for two that are a product here.
            length = pytest.approx(theirs.queue_length, rel=1e-14)
            busy = pytest.approx(theirs.occupancy, rel=1e-12)
            for name, measure in (
                theirs._replace(occupancy=busy, queue_length=length)._asdict().items()
            ):
                assert getattr(ours, name) == measure, name
            assert ours.attempts_load == load
            assert ours.blocked == 0
            assert ours.mean_wait_accepted == pytest.approx(ours.mean_wait, rel=1e-12)

    @given(
        st.floats(0.03, 1e4), staffing_ratios, handle_times, patiences, thresholds,
        st.sampled_from(EVERY_FORMULA),
    )  # fmt: skip
    @checked
    def test_a_million_lines_are_as_good_as_endless(
        self,
        load: float,
        ratio: float,
        handle_time: float,
        patience: float,
        threshold: float,
        formula: q.SteadyStateFormula,
    ) -> None:
        # Sums over waiting places against incomplete gamma functions: not one step in common.
        agents = max(1.0, round(load * ratio))
        queue = (load, agents, handle_time, patience, threshold)
        ours = q.erlang_x(*queue, lines=1e6 + agents, formula=formula, short_abandon=5)
        theirs = q.erlang_a(*queue, formula=formula, short_abandon=5)
        # Weights are products of up to x factors, of which each is off by a rounding.
        slack = 1e-12 + 2.0**-52 * math.sqrt(load * patience / handle_time) * 10
        if load * patience / handle_time < 5e5:
            assert ours.blocked < 1e-15
            for name, measure in theirs._asdict().items():
                assert getattr(ours, name) == pytest.approx(measure, rel=slack, abs=1e-13), name

    @given(loads, staffing_ratios, handle_times, patiences)
    @checked
    def test_as_many_lines_as_agents_are_erlang_b(
        self, load: float, ratio: float, handle_time: float, patience: float
    ) -> None:
        lines = max(1.0, round(load * ratio))
        found = q.erlang_x(load, lines, handle_time, patience, 20, lines=lines)
        assert found.blocked == pytest.approx(q.erlang_b(load, lines), rel=1e-13, abs=1e-300)
        assert found.served == pytest.approx(1 - found.blocked, rel=1e-12)
        assert found.service_level == pytest.approx(1 - found.blocked, rel=1e-12)
        assert found.waiting_probability == found.abandonment == 0
        assert found.mean_wait == found.speed_of_answer == found.virtual_wait == 0

    @given(loads, staffing_ratios, handle_times, st.integers(1, 30))
    @checked
    def test_without_patience_it_is_erlang_b(
        self, load: float, ratio: float, handle_time: float, room: int
    ) -> None:
        agents = max(1.0, round(load * ratio))
        queue = (load, agents, handle_time, 0.0)
        blocked = q.erlang_b(load, agents)
        for lines in (agents + room, math.inf):
            found = q.erlang_x(*queue, 20, lines=lines)
            assert found.blocked == 0
            assert found.abandonment == pytest.approx(blocked, rel=1e-13)
            assert found.service_level == pytest.approx(1 - blocked, rel=1e-13)
            assert found.mean_wait == found.speed_of_answer == found.queue_length == 0
            # They give up at once; but a limit of 0 s makes nobody's abandonment a short one.
            for short, level in ((0.0, 1 - blocked), (5.0, 1.0)):
                how = {"formula": "with_short_abandons", "short_abandon": short}
                found_ = q.erlang_x(*queue, 20, lines=lines, **how)
                assert found_.service_level == pytest.approx(level, rel=1e-12)
            # Who would wait for ever waits for the first agent to be free, alone in the queue.
            wait = blocked * handle_time / agents
            assert found.virtual_wait == pytest.approx(wait, rel=1e-12)
            virtual = 1 - blocked * math.exp(-20 * agents / handle_time)
            level = q.erlang_x(*queue, 20, lines=lines, formula="virtual").service_level
            assert level == pytest.approx(virtual, rel=1e-12)

    @pytest.mark.parametrize("threshold", [5.0, 10.0, 60.0, 70.0])
    def test_little_patience_and_a_threshold_of_hundreds_of_them(self, threshold: float) -> None:
        # z = e^(-T/p) is 0 in doubles from T = 750 p on; the offered wait is not over by then.
        for patience in (0.2, 0.1, 0.01, 1e-300):
            ours = q.erlang_x(10, 14, 180, patience, threshold, lines=30, formula="virtual")
            theirs = q.erlang_a_service_level(10, 14, 180, patience, threshold, formula="virtual")
            assert ours.service_level == pytest.approx(theirs, rel=1e-12)

    def test_endless_patience_and_enough_lines_tend_to_erlang_c(self) -> None:
        found = q.erlang_x(10, 12, 180, math.inf, 20, lines=1000)
        assert found.waiting_probability == pytest.approx(q.erlang_c(10, 12), rel=1e-12)
        assert found.speed_of_answer == pytest.approx(q.erlang_c_mean_wait(10, 12, 180), rel=1e-12)
        assert found.abandonment == 0

    def test_tiny_abandonment_has_its_digits(self) -> None:
        # With one waiting place: w(1)/w(0) = a / (n + h/p), and who waits is alone.
        patience, handle_time, load, agents = 1e11, 1.0, 0.5, 1
        state = np.array([1, load, load**2 / (agents + handle_time / patience)])
        waits = state[1] / state.sum()
        gone = 1 / (1 + agents * patience / handle_time)
        found = q.erlang_x(load, agents, handle_time, patience, lines=2)
        assert found.abandonment == pytest.approx(waits * gone, rel=1e-14)


# Who tries again -------------------------------------------------------------------------------


class TestAgain:
    @given(
        loads, staffing_ratios, handle_times, st.one_of(patiences, st.just(math.inf)),
        st.one_of(st.integers(0, 60), st.just(math.inf)), shares, shares, shares,
    )  # fmt: skip
    @checked
    def test_the_fixed_point_put_back(
        self,
        load: float,
        ratio: float,
        handle_time: float,
        patience: float,
        room: float,
        redial: float,
        redial_blocked: float,
        repeat: float,
    ) -> None:
        agents = math.ceil(load * ratio)
        again = {"redial": redial, "redial_blocked": redial_blocked, "repeat": repeat}
        queue, lines = (agents, handle_time, patience, 20), agents + room
        found = q.erlang_x(load, *queue, lines=lines, **again)
        # The same attempts, if they all were first ones: everything but `served` is the same.
        once = q.erlang_x(found.attempts_load, *queue, lines=lines)
        served = found.served * load / found.attempts_load
        assert once._replace(served=served) == found._replace(served=served)
        answered = once.served
        assert served == pytest.approx((1 - repeat) * answered, rel=1e-12, abs=1e-300)
        tried_again = (
            redial * once.abandonment + redial_blocked * once.blocked + repeat * answered
        ) * found.attempts_load
        assert load + tried_again == pytest.approx(found.attempts_load, rel=1e-12)

    @given(
        loads, staffing_ratios, patiences, st.one_of(st.integers(0, 60), st.just(math.inf)),
        shares, shares, shares,
    )  # fmt: skip
    @checked
    def test_more_requests_and_more_who_try_again_mean_more_attempts(
        self,
        load: float,
        ratio: float,
        patience: float,
        room: float,
        redial: float,
        redial_blocked: float,
        repeat: float,
    ) -> None:
        agents = math.ceil(load * ratio)

        def tried(load: float, *again: float) -> float:
            names = ("redial", "redial_blocked", "repeat")
            given_ = dict(zip(names, again, strict=True))
            found = q.erlang_x(load, agents, 180, patience, lines=agents + room, **given_)
            return float(found.attempts_load)

        base = (redial, redial_blocked, repeat)
        assert tried(load * 1.01, *base) > tried(load, *base) >= load
        for which in range(3):
            more = [share + 0.04 * (which == number) for number, share in enumerate(base)]
            assert tried(load, *more) >= tried(load, *base) * (1 - 1e-12)

    def test_first_contact_resolution(self) -> None:
        # 80 % solved at the first contact, and nobody lost: each request is 1 / 0.8 contacts.
        found = q.erlang_x(8, 14, 180, math.inf, 20, repeat=0.2)
        assert found.attempts_load == pytest.approx(10, rel=1e-13)
        assert found.service_level == pytest.approx(q.erlang_c_service_level(10, 14, 180, 20))
        assert found.served == pytest.approx(1)  # each is helped in the end
        nobody = q.erlang_x(8, 60, 180, 300, 20, repeat=0.2)
        assert nobody.attempts_load == pytest.approx(10, rel=1e-12)

    def test_a_queue_without_end(self) -> None:
        # 12 agents answer 12 erlangs, of which a fifth returns, whatever the requests are.
        found = q.erlang_x(20, 12, 180, math.inf, 20, repeat=0.2)
        assert found.attempts_load == pytest.approx(20 + 0.2 * 12, rel=1e-13)
        assert found.served == pytest.approx(0.8 * 12 / 20, rel=1e-13)
        assert found.occupancy == pytest.approx(1)
        assert found.waiting_probability == 1
        assert found.mean_wait == found.speed_of_answer == found.queue_length == math.inf

    @pytest.mark.parametrize("formula", EVERY_FORMULA)
    @pytest.mark.parametrize(
        ("patience", "lines"), [(120, math.inf), (120, 12), (math.inf, 12), (120, 8), (0, math.inf)]
    )
    def test_overload_of_people_who_never_stop_trying(
        self, patience: float, lines: float, formula: q.SteadyStateFormula
    ) -> None:
        found = q.erlang_x(
            10, 8, 180, patience, 20, lines=lines, redial=1, redial_blocked=1, formula=formula
        )
        assert found.attempts_load == math.inf
        assert found.service_level == 0
        assert found.served == pytest.approx(8 / 10)  # agents answer what they can
        assert found.occupancy == pytest.approx(1)
        assert found.abandonment + found.blocked == pytest.approx(1)
        full = math.inf if math.isinf(lines) and patience else max(lines - 8, 0) * (patience > 0)
        if math.isfinite(lines) or patience:
            assert found.queue_length == pytest.approx(full)

    def test_those_who_never_stop_trying_are_all_helped_where_it_is_possible(self) -> None:
        for lines in (math.inf, 12, 10):
            found = q.erlang_x(
                7.9, 8, 180, 120, 20, lines=lines, redial=1, redial_blocked=1
            )  # fmt: skip
            assert math.isfinite(found.attempts_load)
            assert found.served == pytest.approx(1, rel=1e-12)
            assert found.occupancy == pytest.approx(7.9 / 8, rel=1e-12)


def with_an_orbit(
    centre: Centre, again: tuple[float, float, float], delay: float, threshold: float
) -> dict[str, float]:
    """The exact chain: contacts in the centre × customers who will try again after a delay."""
    redial, redial_blocked, repeat = again
    most = centre.load * delay / centre.handle_time  # in the orbit, if all attempts came back
    orbit = int(most + 12 * math.sqrt(most) + 30)
    inside, outside = centre.lines + 1, orbit + 1
    size = inside * outside
    rows, columns, rates = [], [], []

    def move(here: tuple[int, int], there: tuple[int, int], rate: float) -> None:
        if rate and there != here and there[1] <= orbit:
            rows.append(here[0] * outside + here[1])
            columns.append(there[0] * outside + there[1])
            rates.append(rate)

    for contacts in range(inside):
        waiting = max(contacts - centre.agents, 0)
        done = (contacts - waiting) / centre.handle_time
        gone = waiting / centre.patience
        for away in range(outside):
            here = (contacts, away)
            if contacts < centre.lines:
                move(here, (contacts + 1, away), centre.arrivals)
                if away:
                    move(here, (contacts + 1, away - 1), away / delay)
            else:
                move(here, (contacts, away + 1), centre.arrivals * redial_blocked)
                if away:
                    move(here, (contacts, away - 1), away / delay * (1 - redial_blocked))
            if contacts:
                move(here, (contacts - 1, away), done * (1 - repeat) + gone * (1 - redial))
                move(here, (contacts - 1, away + 1), done * repeat + gone * redial)
    flow = sparse.csc_array((rates, (rows, columns)), shape=(size, size))
    balance = (flow.T - sparse.diags_array(np.asarray(flow.sum(axis=1)))).tolil()
    balance[0, :] = 1.0
    law = spsolve(balance.tocsc(), np.eye(1, size).ravel()).reshape(inside, outside)
    tries = centre.arrivals + np.arange(outside) / delay
    seen = law @ tries / (law @ tries).sum()  # what attempts find
    found = seen[centre.agents : -1]
    within = found @ linalg.expm(places(centre, centre.patience) * threshold)[:-2, -2]
    return {
        "attempts_load": float((law @ tries).sum() * centre.handle_time),
        "blocked": float(seen[-1]),
        "abandonment": float(
            law.sum(axis=1) @ centre.waiting / centre.patience / (law @ tries).sum()
        ),
        "service_level": float(seen[: centre.agents].sum() + within),
    }


class TestAgainstAnOrbit:
    @pytest.mark.parametrize(
        ("centre", "again"),
        [
            (Centre(2, 2, 60, 40, 8), (0.6, 0.0, 0.0)),
            (Centre(2, 2, 60, 40, 3), (0.3, 0.8, 0.0)),
            (Centre(1.2, 2, 60, 60, 6), (0.5, 0.5, 0.25)),
        ],
    )
    def test_the_approximation_is_exact_as_the_delay_grows(
        self, centre: Centre, again: tuple[float, float, float]
    ) -> None:
        redial, redial_blocked, repeat = again
        ours = q.erlang_x(
            *centre[:4], 20, lines=centre.lines,
            redial=redial, redial_blocked=redial_blocked, repeat=repeat,
        )._asdict()  # fmt: skip
        soon, late, later = (with_an_orbit(centre, again, delay, 20) for delay in (60, 600, 6000))
        # Who returns soon meets the same full queue: the truth is worse.
        for truth in (soon, late, later):
            assert truth["service_level"] < ours["service_level"]
            assert truth["attempts_load"] > ours["attempts_load"]
        for name in soon:
            # The distance falls like 1 / delay, to nothing.
            distance, nearer, nearest = (
                abs(truth[name] / ours[name] - 1) for truth in (soon, late, later)
            )
            assert distance > 4 * nearer > 4 * 8.5 * nearest, name
            limit = later[name] + (later[name] - late[name]) / 9
            assert abs(limit / ours[name] - 1) < nearest / 10, name

    def test_the_orbit_chain_without_redials_is_the_centre(self) -> None:
        centre = CENTRES[0]
        truth = with_an_orbit(centre, (0.0, 0.0, 0.0), 60, 25)
        for name, value in by_brute_force(centre, 25, 7, "of_offered").items():
            if name in truth:
                assert truth[name] == pytest.approx(value, rel=1e-11)


# Laws, shapes, sizes, bad input ----------------------------------------------------------------


class TestLaws:
    @given(
        loads, staffing_ratios, handle_times, patiences, thresholds,
        st.one_of(st.integers(4, 60), st.just(math.inf)), st.floats(0, 0.9),
    )  # fmt: skip
    @checked
    def test_more_agents_serve_better(
        self,
        load: float,
        ratio: float,
        handle_time: float,
        patience: float,
        threshold: float,
        room: float,
        redial: float,
    ) -> None:
        agents = np.maximum(np.floor(load * ratio) + np.arange(4), 1)
        found = q.erlang_x(
            load, agents, handle_time, patience, threshold, lines=agents[0] + room, redial=redial
        )
        worse = [
            found.abandonment, found.mean_wait, found.queue_length, found.speed_of_answer,
            found.virtual_wait, -found.service_level, -found.served,
        ]  # fmt: skip
        if math.isinf(room):
            worse += [found.waiting_probability]  # who would be blocked may have to wait instead
        if patience >= handle_time:
            worse += [found.blocked]
        for measure in worse:
            slack = np.abs(measure[:-1]) * 1e-11 + 1e-300
            assert (measure[1:] <= measure[:-1] + slack).all()

    def test_agents_may_hold_lines_for_longer_than_those_who_give_up(self) -> None:
        blocked = q.erlang_x(3, [1, 2], 600, 5, lines=2).blocked
        assert blocked[1] > blocked[0]
        assert blocked[1] == pytest.approx(q.erlang_b(3, 2))

    @given(loads, staffing_ratios, handle_times, patiences, st.integers(0, 60))
    @checked
    def test_conservation(
        self, load: float, ratio: float, handle_time: float, patience: float, room: int
    ) -> None:
        agents = max(1.0, math.ceil(load * ratio))
        found = q.erlang_x(load, agents, handle_time, patience, 20, lines=agents + room)
        assert found.blocked + found.abandonment + found.served == pytest.approx(1, rel=1e-12)
        assert found.occupancy * agents == pytest.approx(load * found.served, rel=1e-12)
        queue = load / handle_time * found.mean_wait
        assert found.queue_length == pytest.approx(queue, rel=1e-12)
        # Those who wait leave at a constant rate.
        lost = found.mean_wait / patience
        assert found.abandonment == pytest.approx(lost, rel=1e-11, abs=1e-300)
        accepted = found.mean_wait_accepted * (1 - found.blocked)
        assert accepted == pytest.approx(found.mean_wait, rel=1e-9)


class TestShapes:
    def test_scalars_give_floats_and_nothing_gives_nothing(self) -> None:
        found = q.erlang_x(10, 14, 180, 300, 20, lines=20, redial=0.3)
        assert all(type(measure) is float for measure in found)
        none = q.erlang_x([], 14, 180, 300, 20, lines=20, redial=0.3)
        assert all(measure.shape == (0,) for measure in none)

    def test_each_cell_is_its_scalar(self) -> None:
        load = np.array([0.0, 0.5, 200])[:, None, None]
        agents = np.array([0, 12.5, 210])[:, None]
        lines = np.array([0, 15, 300, np.inf])
        rest = {"redial": 0.5, "redial_blocked": 1.0, "repeat": 0.1, "short_abandon": 5.0}
        for formula in ("with_short_abandons", "virtual"):
            found = q.erlang_x(
                load, agents, 180, 300, 20, lines=lines, formula=formula, **rest
            )  # fmt: skip
            assert found.served.shape == (3, 3, 4)
            for cell in np.ndindex(3, 3, 4):
                one = q.erlang_x(
                    load[cell[0], 0, 0], agents[cell[1], 0], 180, 300, 20,
                    lines=lines[cell[2]], formula=formula, **rest,
                )  # fmt: skip
                for name, measure in one._asdict().items():
                    assert getattr(found, name)[cell] == pytest.approx(measure, rel=1e-13), name

    def test_arguments_are_left_alone(self) -> None:
        load, lines = np.array([1.0, 5.0, 20.0]), np.array([4.0, np.inf, 30.0])
        q.erlang_x(load, 6, 300, 120, 20, lines=lines, redial=0.5)
        assert load.tolist() == [1, 5, 20]
        assert lines.tolist() == [4, np.inf, 30]


ends = st.sampled_from([0.0, 1e-300, 1.0, 1e300, math.inf])
fractions = st.one_of(st.sampled_from([0.0, 1e-12, 0.5, 1.0]), st.floats(0, 1))


class TestSizes:
    @given(
        st.one_of(st.sampled_from([0.0, 1e-300, 1e-9, 1.0, 7.0, 1e9]), st.floats(0, 1e9)),
        st.one_of(st.sampled_from([0.0, 1e-300, 0.5, 1.0, 7.0, 1e7]), st.floats(0, 1e7)),
        st.floats(1e-6, 1e12),
        st.one_of(ends, st.floats(0, 1e6)),
        st.one_of(ends, st.floats(0, 1e6)),
        st.one_of(st.sampled_from([0.0, 0.5, 1e3, 1e9, 1e15, 1e300, math.inf]), st.floats(0, 2e4)),
        st.tuples(fractions, fractions, fractions),
        st.sampled_from(EVERY_FORMULA),
    )
    @example(5, 0, 1, math.inf, math.inf, 3, (0, 0, 0), "of_offered")
    @example(7, 7, 1, math.inf, 20, 1e3, (0, 1, 0), "virtual")
    @example(1e-300, 0.5, 1e9, math.inf, 20, 2e3, (1, 0.5, 0), "of_offered")
    @example(1e9, 1e7, 180, 300, 20, 1e15, (0, 0, 0), "of_answered")
    @settings(deadline=None, max_examples=80)
    def test_any_size_gives_a_number_in_its_range(
        self,
        load: float,
        agents: float,
        handle_time: float,
        patience: float,
        threshold: float,
        lines: float,
        again: tuple[float, float, float],
        formula: q.SteadyStateFormula,
    ) -> None:
        redial, redial_blocked, repeat = again
        try:
            found = q.erlang_x(
                load, agents, handle_time, patience, threshold, lines=lines, redial=redial,
                redial_blocked=redial_blocked, repeat=repeat, formula=formula, short_abandon=5,
            )  # fmt: skip
        except ValueError as error:
            assert str(error).startswith("lines must leave at most 4,194,304 waiting places")  # noqa: PT017
            return
        for name in (
            "blocked", "waiting_probability", "abandonment", "service_level", "occupancy", "served"
        ):  # fmt: skip
            assert 0 <= getattr(found, name) <= 1, name
        for measure in found:
            assert measure >= 0
        assert found.attempts_load >= load
        if load == 0:
            assert found.service_level == found.served == 1
            assert found.mean_wait == found.queue_length == 0
        elif agents == 0:
            assert found.served == 0
            assert found.speed_of_answer == math.inf

    def test_endless_lines_by_a_large_number(self) -> None:
        # A table of 10^15 waiting places is not drawn up where nobody is ever found in them.
        few, many = (q.erlang_x(10, 12, 180, 120, 20, lines=lines) for lines in (1e4, 1e15))
        assert few == many
        # Overloaded and patient, the queue is as long as the lines: only its end matters.
        found = q.erlang_x(20, 10, 180, math.inf, 20, lines=1e9)
        assert found.blocked == pytest.approx(0.5, rel=1e-13)
        # Half of those who come is lost: the queue is geometric, one short of full in the mean.
        assert found.queue_length == pytest.approx(1e9 - 10 - 1, rel=1e-13)
        assert found.speed_of_answer == pytest.approx((1e9 - 11) * 180 / 10, rel=1e-13)
        # So it is where they give up, but only after longer than that.
        found = q.erlang_x(2e6, 1e6, 180, 1e6 * 180, 20, lines=2e6)
        assert found.blocked + found.abandonment == pytest.approx(0.5, rel=1e-12)
        assert found.queue_length == pytest.approx(1e6, rel=1e-5)

    def test_a_million_lines_take_no_time(self) -> None:
        begin = time.process_time()
        q.erlang_x(10, [9, 12], 180, 120, 20, lines=1e6, redial=0.5, redial_blocked=1)
        q.erlang_x(1e6, 1e6, 180, 120, 20, lines=1.1e6, redial=0.5)
        assert time.process_time() - begin < 2

    def test_too_many_places_that_matter(self) -> None:
        # As many as the agents can just answer: every length of the queue is equally likely.
        found = q.erlang_x(10, 10, 180, math.inf, 20, lines=1e5)
        assert found.queue_length == pytest.approx((1e5 - 10) / 2, rel=1e-3)
        with pytest.raises(ValueError, match=r"lines must leave .*be infinite; got 1000000000\.0"):
            q.erlang_x(10, 10, 180, math.inf, 20, lines=1e9)


GOOD: dict[str, Any] = {
    "load": 10, "agents": 14, "handle_time": 180, "patience": 300, "threshold": 20, "lines": 20,
    "redial": 0.4, "redial_blocked": 0.9, "repeat": 0.1, "short_abandon": 5,
}  # fmt: skip
FRACTIONS = ("redial", "redial_blocked", "repeat")
MAY_BE_ENDLESS = ("patience", "threshold", "lines", "short_abandon")


class TestBadInput:
    @pytest.mark.parametrize("name", GOOD)
    def test_names_argument_and_value(self, name: str) -> None:
        bad = [-1.0, math.nan, "many"]
        bad += [80.0, 1.0000001] if name in FRACTIONS else []
        bad += [math.inf] if name not in MAY_BE_ENDLESS else []
        bad += [0.0] if name == "handle_time" else []
        for value in bad:
            with pytest.raises(ValueError, match=f"^{name} must be ") as refused:
                q.erlang_x(**(GOOD | {name: value}))
            assert str(refused.value).endswith(f"got {value!r}")
        with pytest.raises(ValueError, match=rf"^{name} must be .* got -3\.0$"):
            q.erlang_x(**(GOOD | {name: np.array([GOOD[name], -3.0])}))

    def test_a_percentage_is_met_with_the_fraction_to_write(self) -> None:
        with pytest.raises(ValueError, match=r"redial must be a fraction.*0\.8 for 80 %.*got 40"):
            q.erlang_x(**(GOOD | {"redial": 40}))

    def test_unknown_formula(self) -> None:
        with pytest.raises(ValueError, match=r"formula must be one of .* got 'best'"):
            q.erlang_x(**GOOD, formula="best")
