"""The exact law over time against the matrix exponential, against its limits, and its own laws."""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import expm

from ccsim import queueing as q

Array = np.ndarray
EVERY_FORMULA = (*q.SERVICE_LEVEL_FORMULAS, "virtual")
MEASURES = q.Transient._fields[:-1]
rules = st.sampled_from(["finish", "hand_over"])


class Day(NamedTuple):
    """A small centre whose every state can be written down."""

    rates: list[float]
    agents: list[int]
    handle_time: float
    patience: float
    step: float

    def law(self, threshold: float = 0.0, **given_: Any) -> q.Transient:
        return q.transient(
            self.rates, self.agents, self.handle_time, self.patience, threshold,
            step=self.step, **given_,
        )  # fmt: skip


# At most 4 agents and a Poisson number of 3 waiting: beyond 30 in the centre there is 1e-17.
MOST = 30
days = st.integers(1, 3).flatmap(
    lambda steps: st.builds(
        Day,
        rates=st.lists(st.sampled_from([0.0, 0.3, 1.0, 2.0]), min_size=steps, max_size=steps),
        agents=st.lists(st.integers(0, 4), min_size=steps, max_size=steps),
        handle_time=st.floats(0.2, 5),
        patience=st.floats(0.05, 1.5),
        step=st.floats(0.1, 10),
    )
)


def after(law: Array, chain: Array, counted: Array, time: float) -> tuple[Array, Array]:
    """Law after a time, and the integrals over it of what is counted, by one exponential."""
    size, columns = counted.shape
    both = np.block([[chain, counted], [np.zeros((columns, size + columns))]])
    found = law @ expm(both * time)[:size]
    return found[:size], found[size:]


def by_the_generator(day: Day, shift_end: str) -> dict[str, Array]:
    """All measures but the service level, from the chain (here, finishing) of a whole day."""
    late = sum(max(was - now, 0) for was, now in itertools.pairwise(day.agents))
    late = late if shift_end == "finish" else 0
    states = [(here, past) for here in range(MOST + 1) for past in range(late + 1)]
    index = {state: place for place, state in enumerate(states)}
    here, past = np.array(states, dtype=float).T
    law = np.eye(1, len(states))[0]
    rows = []
    before = day.agents[0]
    for rate, agents in zip(day.rates, day.agents, strict=True):
        if agents < before and shift_end == "finish":
            moved = np.zeros_like(law)
            for (number, finishing), chance in zip(states, law, strict=True):
                busy, leaving = min(number, before), before - agents
                for taken in range(min(busy, leaving) + 1):
                    ways = math.comb(busy, taken) * math.comb(before - busy, leaving - taken)
                    if ways and finishing + taken <= late:  # more can not be
                        share = ways / math.comb(before, leaving)
                        moved[index[number - taken, finishing + taken]] += share * chance
            law = moved
        before = agents
        chain = np.zeros((len(states), len(states)))
        for (number, finishing), place in index.items():
            served = min(number, agents) / day.handle_time
            given_up = max(number - agents, 0) / day.patience
            moves = [
                ((number + 1, finishing), rate),
                ((number - 1, finishing), served + given_up),
                ((number, finishing - 1), finishing / day.handle_time),
            ]
            for there, speed in moves:
                if there in index:
                    chain[place, index[there]] += speed
        chain -= np.diag(chain.sum(axis=1))
        waiting, busy = np.maximum(here - agents, 0), np.minimum(here, agents)
        counted = np.stack([waiting, busy, here >= agents, past], axis=1)
        at_start = law @ (here >= agents)
        law, sums = after(law, chain, counted, day.step)
        queue, handling, waits, finishing = sums / day.step
        rows.append(
            {
                "offered": rate * day.step,
                "abandoned": queue / day.patience * day.step,
                "waiting_probability": waits,
                "waiting_at_start": at_start,
                "queue_length": queue,
                "in_hand": handling + finishing,
                "occupancy": handling / agents if agents else 0.0,
            }
        )
    found = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    found["distribution"] = np.array([law[here == number].sum() for number in range(MOST + 1)])
    return found


@given(days, rules)
@example(Day([2.0, 2.0, 0.0], [4, 0, 4], 3.0, 1.0, 1.0), "finish")
@example(Day([2.0, 1.0, 2.0], [1, 4, 2], 3.0, 1.0, 0.5), "hand_over")
@settings(deadline=None, max_examples=25)
def test_every_measure_is_that_of_the_generator(day: Day, shift_end: Any) -> None:
    found = day.law(shift_end=shift_end)
    truth = by_the_generator(day, shift_end)
    for name in truth.keys() - {"distribution"}:
        assert getattr(found, name) == pytest.approx(truth[name], rel=1e-9, abs=1e-10), name
    law = np.zeros(max(MOST + 1, found.distribution.size))
    law[: found.distribution.size] = found.distribution
    assert np.abs(law[: MOST + 1] - truth["distribution"]).sum() < 1e-10
    assert found.distribution.sum() == pytest.approx(1, abs=1e-12)
    assert (found.distribution >= 0).all()


def by_following(day: Day, shift_end: str, limit: float, virtual: bool = False) -> Array:
    """Shares of each step's arrivals answered, and given up, within a limit, (n_steps, 2).

    A customer is followed by the number waiting ahead of her, backwards from her limit, through
    every change of agents; the mean over her step is by a rule of 12 points, on either
    side of the instant from which they see one change more.
    """
    most = 16
    places = np.arange(most + 1)

    def chances(number: int, until_end: float, left: float) -> Array:
        """Answered and given up, by the number ahead."""
        agents = day.agents[number]
        future = np.zeros((places.size, 2))
        if left > until_end:
            last = number + 2 == len(day.agents)
            later = chances(number + 1, math.inf if last else day.step, left - until_end)
            moves = day.agents[number + 1] - agents
            moves = max(moves, 0) if shift_end == "finish" else moves
            there = places - moves
            future = later[np.clip(there, 0, most)]
            future[there < 0] = (1.0, 0.0)
        served = agents / day.handle_time + places / day.patience
        gives_up = 0.0 if virtual else 1 / day.patience
        chain = np.diag(served[1:], -1) - np.diag(served + gives_up)
        ends = np.zeros((places.size, 2))
        ends[0, 0], ends[:, 1] = served[0], gives_up
        whole = np.block([[chain, ends], [np.zeros((2, places.size + 2))]])
        moved = expm(whole * min(left, until_end))[: places.size]
        return moved[:, : places.size] @ future + moved[:, places.size :]

    x, w = np.polynomial.legendre.leggauss(12)
    number = np.arange(most + 1)
    law, rows = np.eye(1, most + 1)[0], []
    for step, (rate, agents) in enumerate(zip(day.rates, day.agents, strict=True)):
        if step and agents < day.agents[step - 1] and shift_end == "finish":
            gone = stats.hypergeom(day.agents[step - 1], day.agents[step - 1] - agents,
                np.minimum(number, day.agents[step - 1]))  # fmt: skip
            moved = np.zeros_like(law)
            for taken in range(day.agents[step - 1] - agents + 1):
                moved[: most + 1 - taken] += (law * gone.pmf(taken))[taken:]
            law = moved
        death = np.minimum(number, agents) / day.handle_time
        death = death + np.maximum(number - agents, 0) / day.patience
        chain = np.diag(np.full(most, rate), 1) + np.diag(death[1:], -1)
        chain -= np.diag(chain.sum(axis=1))
        total = np.zeros(2)
        stop = day.step - math.fmod(limit, day.step)
        for begin, end in itertools.pairwise(sorted({0.0, stop, day.step})):
            for point, weight in zip(x, w, strict=True):
                time = begin + (end - begin) * (1 + point) / 2
                now = law @ expm(chain * time)
                last = step == len(day.agents) - 1
                fate = chances(step, math.inf if last else day.step - time, limit)
                share = (end - begin) / day.step * weight / 2
                total += share * (now[agents:] @ fate[: most + 1 - agents])
                total[0] += share * now[:agents].sum()
        rows.append(total)
        law = law @ expm(chain * day.step)
    return np.array(rows)


FOLLOWED = [
    (Day([1.0, 1.0, 0.5], [4, 1, 3], 1.0, 1.0, 1.0), 0.3),
    (Day([1.0, 0.5, 1.0], [2, 0, 4], 0.5, 1.2, 2.0), 2.5),
]


@pytest.mark.parametrize("shift_end", ["finish", "hand_over"])
@pytest.mark.parametrize(("day", "threshold"), FOLLOWED, ids=["short", "long"])
def test_service_level_follows_customers_through_changes(
    day: Day, threshold: float, shift_end: Any
) -> None:
    short = threshold / 3
    in_time, gone = by_following(day, shift_end, threshold).T
    gone_in_short = by_following(day, shift_end, short)[:, 1]
    answered = by_following(day, shift_end, 60.0)[:, 0]  # 40 patiences and more
    truth = {
        "of_offered": in_time,
        "of_answered": in_time / answered,
        "with_abandoned_in_time": in_time + gone,
        "without_abandoned_in_time": in_time / (1 - gone),
        "without_short_abandons": in_time / (1 - gone_in_short),
        "with_short_abandons": in_time + gone_in_short,
        "virtual": by_following(day, shift_end, threshold, virtual=True)[:, 0],
    }
    for formula in EVERY_FORMULA:
        found = day.law(threshold, shift_end=shift_end, formula=formula, short_abandon=short)
        assert found.service_level == pytest.approx(truth[formula], abs=1e-9), formula


def test_who_waits_for_the_shop_to_open() -> None:
    # Nobody is there in the first hour and everybody's agent from then on: only patience counts.
    step, threshold, short = 60.0, 10.0, 4.0
    for patience in (5.0, 200.0, math.inf):
        rate = 1 / patience if patience < math.inf else 0.0

        def given_up(time: float, rate: float = rate) -> float:
            return -math.expm1(-time * rate)

        def mean(time: float, rate: float = rate) -> float:
            """Of e^(-rate u) over the last u of the hour."""
            return given_up(time) / rate / step if rate else time / step

        early = 1 - threshold / step  # who comes then is past the threshold at any rate
        in_time, answered = mean(threshold), mean(step)
        gone = early * given_up(threshold) + threshold / step - mean(threshold)
        gone_in_short = (1 - short / step) * given_up(short) + short / step - mean(short)
        truth = {
            "of_offered": in_time,
            "of_answered": in_time / answered,
            "with_abandoned_in_time": in_time + gone,
            "without_abandoned_in_time": in_time / (1 - gone),
            "without_short_abandons": in_time / (1 - gone_in_short),
            "with_short_abandons": in_time + gone_in_short,
            "virtual": threshold / step,
        }
        for formula in EVERY_FORMULA:
            day = q.transient(
                [0.5, 0], [0, 200], 3, patience, threshold, step=step, formula=formula,
                short_abandon=short,
            )  # fmt: skip
            assert day.service_level[0] == pytest.approx(truth[formula], abs=1e-10), formula
        # They are a Poisson number, as if each were served by her own impatience.
        waiting = 0.5 * (mean(step) * step)
        assert day.waiting_at_start[1] == pytest.approx(stats.poisson(waiting).sf(199), abs=1e-10)
        assert day.abandoned[0] == pytest.approx(0.5 * step - waiting, abs=1e-9)
        assert day.waiting_probability[0] == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("patience", [0.0, 2.0, 40.0, math.inf])
@pytest.mark.parametrize("begins", ["empty", "cyclic"])
def test_at_last_it_is_erlang_a(patience: float, begins: Any) -> None:
    rate, handle_time, agents, threshold, short = 1.7, 3.0, 7, 0.6, 0.2
    # 4000 handle times, of which the first half forgets how it began.
    length = 2000 * handle_time if begins == "empty" else 1.0
    queue = (rate * handle_time, agents, handle_time, patience)
    for formula in EVERY_FORMULA:
        given_ = {"formula": formula, "short_abandon": short}
        day = q.transient(
            [rate] * 2, [agents] * 2, handle_time, patience, threshold, step=length,
            begins=begins, **given_,
        )  # fmt: skip
        steady = q.erlang_a(*queue, threshold, **given_)
        assert day.service_level[1] == pytest.approx(steady.service_level, abs=1e-10), formula
    lost = day.abandoned[1] / day.offered[1]
    assert day.waiting_probability[1] == pytest.approx(steady.waiting_probability, abs=1e-10)
    assert day.waiting_at_start[1] == pytest.approx(steady.waiting_probability, abs=1e-10)
    assert lost == pytest.approx(steady.abandonment, abs=1e-10)
    assert day.queue_length[1] == pytest.approx(steady.queue_length, abs=1e-8)
    assert day.occupancy[1] == pytest.approx(steady.occupancy, abs=1e-10)
    assert day.in_hand[1] == pytest.approx(steady.occupancy * agents, abs=1e-9)


@pytest.mark.parametrize("patience", [1.0, 600.0, math.inf])
def test_a_large_centre_is_erlang_a_too(patience: float) -> None:
    # A thousand agents: 24,000 moves of the chain in an hour.
    day = q.transient(
        [3.2] * 2, [1000] * 2, 300, patience, 20, step=3600, begins="cyclic"
    )  # fmt: skip
    steady = q.erlang_a(960, 1000, 300, patience, 20)
    assert day.service_level == pytest.approx([steady.service_level] * 2, abs=1e-9)
    assert day.queue_length == pytest.approx([steady.queue_length] * 2, abs=1e-7)


@pytest.mark.parametrize("cyclic", [False, True])
def test_with_an_agent_for_everybody_it_is_the_offered_load(cyclic: bool) -> None:
    rates, handle_time, step = [0.0, 4.0, 9.0, 1.0, 0.0, 2.0], 5.0, 2.0
    load = q.offered_load(rates, handle_time, step=step, cyclic=cyclic)
    for shift_end in ("finish", "hand_over"):
        day = q.transient(
            rates, [120] * 6, handle_time, 1.0, step=step, shift_end=shift_end,
            begins="cyclic" if cyclic else "empty",
        )  # fmt: skip
        assert day.in_hand == pytest.approx(load.average, abs=1e-8)
        # M(t)/M/infinity: a Poisson number at any time.
        number = np.arange(day.distribution.size)
        poisson = stats.poisson.pmf(number, load.at_end[-1])
        assert day.distribution == pytest.approx(poisson, abs=1e-11)
        assert (day.service_level > 1 - 1e-10).all()
        assert day.abandoned == pytest.approx([0] * 6, abs=1e-9)
    # Agents who leave and finish what they have are as good as there.
    fewer = q.transient(
        rates, [120, 120, 120, 100, 90, 90], handle_time, 1.0, step=step,
        begins="cyclic" if cyclic else "empty",
    )  # fmt: skip
    assert fewer.in_hand == pytest.approx(load.average, abs=1e-8)


wide_days = st.integers(1, 4).flatmap(
    lambda steps: st.builds(
        Day,
        rates=st.lists(st.floats(0, 6), min_size=steps, max_size=steps),
        agents=st.lists(st.integers(0, 15), min_size=steps, max_size=steps),
        handle_time=st.floats(0.1, 10),
        patience=st.one_of(st.floats(0.05, 50), st.sampled_from([0.0, math.inf])),
        step=st.just(10.0),
    )
)


@given(wide_days, rules, st.floats(0, 30))
@settings(deadline=None, max_examples=12)
def test_nobody_appears_and_nobody_vanishes(day: Day, shift_end: Any, threshold: float) -> None:
    inside = 0.0
    for steps in range(1, len(day.rates) + 1):
        part = day._replace(rates=day.rates[:steps], agents=day.agents[:steps])
        law = part.law(shift_end=shift_end)
        now = float(law.distribution @ np.arange(law.distribution.size))
        served = law.in_hand[-1] * day.step / day.handle_time
        moved = law.offered[-1] - law.abandoned[-1] - served
        if shift_end == "hand_over":
            assert now - inside == pytest.approx(moved, abs=1e-6)
        inside = now
    # At the end of a long night everybody is served or gone, and who is answered is served.
    night = 60
    whole = day._replace(rates=[*day.rates, *[0.0] * night], agents=[*day.agents, *[20] * night])
    law = whole.law(threshold, shift_end=shift_end)
    served = law.in_hand.sum() * day.step / day.handle_time
    assert served + law.abandoned.sum() == pytest.approx(law.offered.sum(), rel=1e-7, abs=1e-7)
    of_answered = whole.law(threshold, shift_end=shift_end, formula="of_answered").service_level
    if shift_end == "finish" and (of_answered > 0).all():
        answered = law.offered @ (law.service_level / of_answered)
        assert answered == pytest.approx(served, rel=1e-7, abs=1e-7)


@given(wide_days, rules, st.floats(0, 30), st.sampled_from(EVERY_FORMULA))
@settings(deadline=None, max_examples=25)
def test_measures_stay_in_their_range(
    day: Day, shift_end: Any, threshold: float, formula: Any
) -> None:
    law = day.law(threshold, shift_end=shift_end, formula=formula, short_abandon=threshold / 2)
    for name in ("waiting_probability", "waiting_at_start", "service_level", "occupancy"):
        share = getattr(law, name)
        assert ((share >= 0) & (share <= 1 + 1e-12)).all(), name
    for name in ("offered", "abandoned", "queue_length", "in_hand"):
        assert (getattr(law, name) >= 0).all(), name
    # More agents never make anybody wait longer.
    more = day._replace(agents=[number + 1 for number in day.agents])
    better = more.law(threshold, shift_end=shift_end)
    of_offered = day.law(threshold, shift_end=shift_end).service_level
    assert (better.service_level >= of_offered - 1e-9).all()


CYCLE = Day([1.0, 4.0, 0.0, 2.0], [3, 6, 2, 4], 1.5, 4.0, 2.0)


@pytest.mark.parametrize("shift_end", ["finish", "hand_over"])
@pytest.mark.parametrize("patience", [0.0, 4.0, math.inf])
def test_a_cycle_has_no_first_period(patience: float, shift_end: Any) -> None:
    day = CYCLE._replace(patience=patience)
    law = day.law(1.0, shift_end=shift_end, begins="cyclic", formula="of_answered")
    given_ = {"shift_end": shift_end, "begins": "cyclic", "formula": "of_answered"}
    # Two periods are one after the other, and a period may be cut anywhere.
    twice = day._replace(rates=day.rates * 2, agents=day.agents * 2).law(1.0, **given_)
    turned = day._replace(
        rates=[*day.rates[1:], day.rates[0]], agents=[*day.agents[1:], day.agents[0]]
    ).law(1.0, **given_)
    for name in MEASURES:
        once = getattr(law, name)
        assert getattr(twice, name) == pytest.approx(np.tile(once, 2), abs=1e-8), name
        assert getattr(turned, name) == pytest.approx(np.roll(once, -1), abs=1e-8), name
    # Who comes in a period is who goes.
    served = law.in_hand.sum() * day.step / day.handle_time
    assert served + law.abandoned.sum() == pytest.approx(law.offered.sum(), rel=1e-9)
    # A long run from empty ends in the same law.
    long = day._replace(rates=day.rates * 30, agents=day.agents * 30)
    last = long.law(1.0, shift_end=shift_end)
    for name in set(MEASURES) - {"service_level"}:  # the last agents stay, as nobody comes after
        tail = getattr(last, name)[-4:]
        assert tail == pytest.approx(getattr(law, name), abs=1e-8), name


def test_a_cycle_that_hardly_forgets_is_solved_all_the_same() -> None:
    # Nearly as much comes as can be handled, in periods short against all times.
    day = Day([1.9, 1.7], [2, 2], 1.0, math.inf, 0.2)
    law = day.law(begins="cyclic")
    number = np.arange(1, 600)
    down = np.minimum(number, 2.0)
    moves = np.eye(600)
    for rate in day.rates:
        chain = np.diag(np.full(599, rate), 1) + np.diag(down, -1)
        moves = moves @ expm((chain - np.diag(chain.sum(axis=1))) * day.step)
    balance = np.vstack([(moves.T - np.eye(600))[1:], np.ones(600)])
    truth = np.linalg.solve(balance, np.eye(1, 600, 599)[0])
    found = law.distribution
    assert np.abs(found[:300] - truth[:300]).sum() < 1e-8


def test_a_cycle_needs_agents_enough() -> None:
    with pytest.raises(ValueError, match=r"rates must be below what agents can handle.*12\.0"):
        q.transient([4.0, 2.0], [3, 3], 1.0, math.inf, step=2.0, begins="cyclic")
    # Three who leave with a contact each, every period, are just what it takes.
    rates, agents = [2.0, 1.0], [4, 1]
    with pytest.raises(ValueError, match="rates must be below what agents can handle"):
        q.transient(
            rates, agents, 2.0, math.inf, step=2.0, begins="cyclic", shift_end="hand_over"
        )  # fmt: skip
    law = q.transient(rates, agents, 2.0, math.inf, step=2.0, begins="cyclic")
    assert law.in_hand.sum() == pytest.approx(sum(rates) * 2.0, rel=1e-8)
    # Whoever gives up makes room.
    crowded = q.transient([4.0, 2.0], [0, 1], 1.0, 3.0, step=2.0, begins="cyclic")
    gone = crowded.abandoned.sum() + 2.0 * crowded.in_hand.sum()
    assert gone == pytest.approx(crowded.offered.sum(), rel=1e-8)


def test_whoever_begins_goes_on() -> None:
    # Played in two parts, a day is what it was; those who finish are only in the first.
    day = Day([2.0, 1.0, 3.0, 1.0], [3, 5, 2, 4], 1.5, 2.0, 1.0)
    whole = day.law(shift_end="hand_over")
    first = day._replace(rates=day.rates[:2], agents=day.agents[:2]).law(shift_end="hand_over")
    second = day._replace(rates=day.rates[2:], agents=day.agents[2:]).law(
        shift_end="hand_over", begins=first.distribution
    )
    for name in set(MEASURES) - {"service_level"}:
        both = np.concatenate([getattr(first, name), getattr(second, name)])
        assert both == pytest.approx(getattr(whole, name), abs=1e-9), name


@pytest.mark.parametrize("patience", [2.0, math.inf])
@pytest.mark.parametrize("error", [1e-3, 1e-5, 1e-7, 1e-9])
def test_error_is_kept(error: float, patience: float) -> None:
    day = Day([2.0, 6.0, 1.0], [6, 4, 8], 2.0, patience, 5.0)
    for shift_end in ("finish", "hand_over"):
        rough = day.law(0.5, shift_end=shift_end, error=error)
        fine = day.law(0.5, shift_end=shift_end, error=1e-12)
        for name in ("waiting_probability", "waiting_at_start", "service_level", "occupancy"):
            assert np.abs(getattr(rough, name) - getattr(fine, name)).max() <= error, name
        assert rough.distribution.size < fine.distribution.size


def test_without_patience_nobody_waits() -> None:
    # A loss system: from the exponential of its generator, and in the end Erlang B.
    rate, handle_time, agents, step = 1.7, 3.0, 5, 2.0
    law = q.transient([rate] * 2, [agents] * 2, handle_time, 0.0, 1.0, step=step)
    up, down = np.full(agents, rate), np.arange(1, agents + 1) / handle_time
    chain = np.diag(up, 1) + np.diag(down, -1)
    chain -= np.diag(chain.sum(axis=1))
    counted = np.stack([np.arange(agents + 1), np.arange(agents + 1) == agents], axis=1) * 1.0
    now = np.eye(1, agents + 1)[0]
    for place in range(2):
        now, (busy, full) = after(now, chain, counted, step)
        assert law.in_hand[place] == pytest.approx(busy / step, abs=1e-12)
        assert law.waiting_probability[place] == pytest.approx(full / step, abs=1e-12)
        assert law.abandoned[place] == pytest.approx(rate * full, abs=1e-12)
        assert law.service_level[place] == pytest.approx(1 - full / step, abs=1e-12)
    assert (law.queue_length == 0).all()
    forever = q.transient([rate], [agents], handle_time, 0.0, step=2.0, begins="cyclic")
    blocked = q.erlang_b(rate * handle_time, agents)
    assert forever.waiting_probability[0] == pytest.approx(blocked, abs=1e-10)
    # Of those handed over, who finds nobody free is gone at once.
    three = q.transient(
        [0, 0], [3, 1], handle_time, 0.0, step=1e-9, begins=[0, 0, 0, 1], shift_end="hand_over"
    )  # fmt: skip
    assert three.abandoned == pytest.approx([0, 2], abs=1e-8)
    # Hardly any patience is hardly another: in 0.0001 an agent comes free with 0.0002.
    hardly = q.transient([rate] * 2, [agents] * 2, handle_time, 1e-4, 1.0, step=step)
    assert hardly.abandoned == pytest.approx(law.abandoned, abs=2e-4 * rate * step)


def test_nobody_there_and_nobody_coming() -> None:
    quiet = q.transient([0, 0], [3, 0], 2.0, 1.0, 0.5, step=1.0)
    assert quiet.service_level == pytest.approx([1, 0], abs=1e-14)  # of one who would come
    for name in set(MEASURES) - {"service_level", "waiting_probability", "waiting_at_start"}:
        assert getattr(quiet, name).tolist() == [0, 0], name
    assert quiet.waiting_probability.tolist() == [0, 1]
    # Without agents, those waiting are a Poisson number; endless patience lets it grow.
    for patience, mean in ((4.0, 12 * -math.expm1(-0.5)), (math.inf, 6.0)):
        closed = q.transient([3.0], [0], 2.0, patience, 0.5, step=2.0)
        number = np.arange(closed.distribution.size)
        assert closed.distribution == pytest.approx(stats.poisson.pmf(number, mean), abs=1e-11)
        assert closed.abandoned[0] == pytest.approx(6 - mean, abs=1e-9)
        assert closed.service_level[0] == closed.occupancy[0] == closed.in_hand[0] == 0
        nobody = q.transient([3.0], [0], 2.0, patience, 0.5, step=2.0, formula="of_answered")
        assert nobody.service_level[0] == 0


def test_a_step_is_its_parts() -> None:
    day = Day([2.0, 5.0], [6, 4], 2.0, 3.0, 4.0)
    parts = Day([2.0] * 8 + [5.0] * 8, [6] * 8 + [4] * 8, 2.0, 3.0, 0.5)
    for formula in EVERY_FORMULA:
        given_ = {"formula": formula, "short_abandon": 0.4}
        whole, split = day.law(1.2, **given_), parts.law(1.2, **given_)
        if formula in ("of_offered", "with_abandoned_in_time", "with_short_abandons", "virtual"):
            level = split.service_level.reshape(2, 8).mean(axis=1)
            assert level == pytest.approx(whole.service_level, abs=1e-10), formula
    for name in ("offered", "abandoned"):
        total = getattr(split, name).reshape(2, 8).sum(axis=1)
        assert total == pytest.approx(getattr(whole, name), abs=1e-9)
    for name in ("waiting_probability", "queue_length", "in_hand", "occupancy"):
        mean = getattr(split, name).reshape(2, 8).mean(axis=1)
        assert mean == pytest.approx(getattr(whole, name), abs=1e-9)


extremes = st.sampled_from([0.0, 1e-300, 1e-9, 0.03, 1.0, 37.0, 1e6, 1e12, 1e300])


@given(
    st.lists(extremes, min_size=2, max_size=2),
    st.lists(st.sampled_from([0, 1, 37, 2000, 10**7]), min_size=2, max_size=2),
    extremes.filter(lambda time: time > 1e-3),
    st.one_of(extremes, st.just(math.inf)),
    st.one_of(extremes, st.just(math.inf)),
    extremes.filter(bool),
    rules,
    st.sampled_from(["empty", "cyclic"]),
    st.sampled_from(EVERY_FORMULA),
)
@settings(deadline=None, max_examples=60)
def test_any_size_gives_numbers_or_says_what_is_too_large(
    rates: list[float], agents: list[int], handle_time: float, patience: float, threshold: float,
    step: float, shift_end: Any, begins: Any, formula: Any,
) -> None:  # fmt: skip
    try:
        with mock.patch("ccsim.queueing._birth_death._MOST_WORK", 1e7):
            law = q.transient(
                rates, agents, handle_time, patience, threshold, step=step, shift_end=shift_end,
                begins=begins, formula=formula, short_abandon=threshold,
            )  # fmt: skip
    except ValueError as refused:
        assert str(refused).startswith(("rates ", "agents ", "step "))  # noqa: PT017
        return
    for name in MEASURES:
        assert (getattr(law, name) >= 0).all(), name
    for name in ("waiting_probability", "waiting_at_start", "service_level", "occupancy"):
        assert (getattr(law, name) <= 1 + 1e-9).all(), name


GOOD: dict[str, Any] = {
    "rates": [1.0, 2.0], "agents": [3, 4], "handle_time": 2.0, "patience": 3.0, "threshold": 0.5,
    "step": 1.0, "short_abandon": 0.1, "error": 1e-8,
}  # fmt: skip
BAD = [
    *((name, value) for name in GOOD for value in (-1.0, math.nan, "many")),
    *((name, math.inf) for name in ("rates", "agents", "handle_time", "step", "error")),
    *((name, 0.0) for name in ("handle_time", "step", "error")),
    *((name, [0.5, 0.25]) for name in GOOD if name not in ("rates", "agents")),
    ("error", 80.0), ("agents", [3, 4.5]), ("agents", [3, 1e9]), ("shift_end", "overtime"),
    ("begins", "full"), ("begins", [0.5, 0.4]), ("begins", [[1.0]]), ("begins", [-0.5, 1.5]),
    ("formula", "best"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD, ids=str)
def test_bad_input_is_named_with_its_value(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be .*got ") as refused:
        q.transient(**(GOOD | {name: value}))
    wrong = value[-1] if name == "agents" and isinstance(value, list) else value
    wrong = -0.5 if wrong == [-0.5, 1.5] else wrong
    assert repr(wrong) in str(refused.value)


def test_lists_must_match() -> None:
    with pytest.raises(ValueError, match=r"rates and agents must be lists of one length.*\(3,\)"):
        q.transient([1.0, 2.0, 3.0], [1, 2], 1.0, 1.0, step=1.0)
    with pytest.raises(ValueError, match="rates and agents must be lists of one length"):
        q.transient([], [], 1.0, 1.0, step=1.0)
    with pytest.raises(ValueError, match="rates and agents must be lists of one length"):
        q.transient([[1.0]], [[1]], 1.0, 1.0, step=1.0)
