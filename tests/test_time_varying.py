"""The load of each interval: against a differential equation, and by what staffing for it gives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from ccsim import queueing as q

checked = settings(deadline=None, max_examples=30)
volumes = st.lists(st.floats(0, 50), min_size=1, max_size=8)


def followed(rates: list[float], handle: float, step: float, load: float) -> tuple[Any, Any, Any]:
    """End, mean and largest of m' = rate - m / handle over each step, by a solver."""
    rows = []
    for rate in rates:
        found = solve_ivp(
            lambda _, m, rate=rate: [rate - m[0] / handle, m[0]], (0, step), [load, 0.0],
            rtol=1e-11, atol=1e-12, method="DOP853",
        )  # fmt: skip
        load = float(found.y[0, -1])
        rows.append((load, float(found.y[1, -1]) / step, float(found.y[0].max())))
    return tuple(np.array(rows).T)  # type: ignore[return-value]


@given(volumes, st.floats(0.2, 20), st.floats(0.1, 5))
@checked
def test_offered_load_is_the_equation(rates: list[float], handle: float, step: float) -> None:
    found = q.offered_load(rates, handle, step=step)
    end, average, most = followed(rates, handle, step, 0.0)
    assert found.at_end == pytest.approx(end, rel=1e-8, abs=1e-9)
    assert found.average == pytest.approx(average, rel=1e-8, abs=1e-9)
    assert found.maximum == pytest.approx(most, rel=1e-8, abs=1e-9)  # it is monotone within a step


@given(volumes, st.floats(0.2, 20), st.floats(0.1, 5))
@checked
def test_a_cyclic_load_follows_itself(rates: list[float], handle: float, step: float) -> None:
    found = q.offered_load(rates, handle, step=step, cyclic=True)
    end, _, _ = followed(rates, handle, step, float(found.at_end[-1]))
    assert found.at_end == pytest.approx(end, rel=1e-8, abs=1e-9)
    # All the work that comes in is in hand at some time.
    assert found.average.sum() == pytest.approx(sum(rates) * handle, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("rule", q.LOAD_RULES)
@pytest.mark.parametrize("handle", [0.1, 1.0, 7.3])
def test_volume_that_does_not_change_is_its_load(rule: q.LoadRule, handle: float) -> None:
    loads = q.interval_loads(
        [5.0] * 6, handle, step=1, steps_per_interval=2, rule=rule, cyclic=True
    )
    assert loads == pytest.approx([5 * handle] * 3, rel=1e-13)


@given(volumes, st.floats(0.05, 6))
@checked
def test_the_lag_is_the_volume_of_a_handle_time_before(rates: list[float], handle: float) -> None:
    # Counted on a fine grid, whose cells the corners of the lagged volume cut in two at most.
    parts = 4000
    instants = (np.arange(len(rates) * parts) + 0.5) / parts - handle
    earlier = np.array(rates)[np.floor(instants).astype(int) % len(rates)].reshape(-1, parts)
    average, most = (
        q.interval_loads(rates, handle, step=1, rule=rule, cyclic=True) / handle
        for rule in ("lag_average", "lag_maximum")
    )
    assert average == pytest.approx(earlier.mean(axis=1), abs=2 * max(rates) / parts)
    assert (most >= earlier.max(axis=1) - 1e-12).all()


def test_rules_are_in_order_and_shapes_broadcast() -> None:
    rates = np.random.default_rng(1).uniform(1, 20, (3, 24))
    given_: dict[str, Any] = {"step": 0.5, "steps_per_interval": 4, "cyclic": True}
    loads = {rule: q.interval_loads(rates, 0.7, rule=rule, **given_) for rule in q.LOAD_RULES}
    for kind in ("", "lag_", "offered_load_"):
        assert loads[f"{kind}average"].shape == (3, 6)
        assert (loads[f"{kind}average"] <= loads[f"{kind}maximum"] + 1e-12).all()
        total = loads[f"{kind}average"].sum(axis=1)
        assert total == pytest.approx(rates.reshape(3, 6, 4).mean(axis=2).sum(axis=1) * 0.7)
    alone = q.interval_loads(rates[1], 0.7, rule="lag_maximum", **given_)
    assert np.array_equal(alone, loads["lag_maximum"][1])
    # From empty there is less at first, and nobody came before.
    first = q.interval_loads(rates[0], 0.7, rule="lag_average", step=0.5, steps_per_interval=4)
    assert first[0] < loads["lag_average"][0, 0] or first[0] == pytest.approx(0)


def test_the_plain_average_misses_after_the_peak_and_the_offered_load_does_not() -> None:
    # Half-hour contacts on a sine of a day: work peaks half an hour after the volume does.
    hours = (np.arange(24 * 12) + 0.5) / 12
    rates, handle, threshold = 60 * (1 + 0.5 * np.sin(2 * np.pi * hours / 24)), 0.5, 20 / 3600
    worst = {}
    for rule in ("average", "offered_load_maximum"):
        loads = q.interval_loads(
            rates, handle, step=1 / 12, steps_per_interval=12, rule=rule, cyclic=True
        )
        agents = np.asarray(q.erlang_c_agents(loads, handle, threshold, 0.8))
        law = q.transient(
            rates, np.repeat(agents, 12), handle, math.inf, threshold, step=1 / 12,
            begins="cyclic", shift_end="hand_over", error=1e-7,
        )  # fmt: skip
        in_time = (law.service_level * law.offered).reshape(24, 12).sum(axis=1)
        worst[rule] = (in_time / law.offered.reshape(24, 12).sum(axis=1)).min()
    assert worst["average"] < 0.7
    assert worst["offered_load_maximum"] > 0.78


GOOD: dict[str, Any] = {"rates": [1.0, 2.0], "handle_time": 3.0, "step": 1.0}


@pytest.mark.parametrize("function", [q.offered_load, q.interval_loads])
@pytest.mark.parametrize(
    ("name", "bad"),
    [("rates", [-1.0, 2.0]), ("rates", [math.nan]), ("handle_time", 0.0), ("step", -1.0)],
)
def test_bad_input_is_named(function: Any, name: str, bad: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be .*; got "):
        function(**{**GOOD, name: bad})


def test_intervals_that_do_not_divide_and_rules_that_are_none() -> None:
    with pytest.raises(ValueError, match="steps_per_interval must divide the 2 steps; got 3"):
        q.interval_loads(**GOOD, steps_per_interval=3)
    with pytest.raises(ValueError, match=r"rule must be one of average, .*; got 'mean'"):
        q.interval_loads(**GOOD, rule="mean")  # type: ignore[arg-type]
