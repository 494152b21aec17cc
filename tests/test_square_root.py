"""Square-root laws: turned round they give themselves back, and large centres tend to them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccsim import queueing as q

checked = settings(deadline=None, max_examples=100)
shares = st.floats(1e-6, 1 - 1e-6)
means = st.floats(1, 1e5)


@given(shares)
@checked
def test_halfin_whitt_turned_round(share: float) -> None:
    assert q.halfin_whitt(q.halfin_whitt_surplus(share)) == pytest.approx(share, rel=1e-12)


@given(shares, means, means)
@checked
def test_garnett_turned_round(share: float, handle_time: float, patience: float) -> None:
    surplus = q.garnett_surplus(share, handle_time, patience)
    assert q.garnett(surplus, handle_time, patience) == pytest.approx(share, rel=1e-9)


@given(st.floats(-20, 20), st.floats(0.01, 5), means, means)
@checked
def test_more_agents_let_fewer_wait(
    surplus: float, more: float, handle_time: float, patience: float
) -> None:
    assert q.halfin_whitt(surplus + more) <= q.halfin_whitt(surplus)
    less = q.garnett(surplus + more, handle_time, patience)
    assert 0 <= less <= q.garnett(surplus, handle_time, patience) <= 1


def test_far_away_everybody_waits_or_nobody() -> None:
    assert q.halfin_whitt([-1e8, -1.0, 0.0]).tolist() == [1, 1, 1]
    assert q.halfin_whitt(1e8) == 0
    assert q.garnett([-1e6, 1e6], 180, 180).tolist() == pytest.approx([1, 0])
    assert q.garnett(0.0, 180, 180) == pytest.approx(0.5, rel=1e-14)
    # Where nobody gives up for very long, Garnett's law is Halfin and Whitt's.
    assert q.garnett(1.0, 1.0, 1e12) == pytest.approx(q.halfin_whitt(1.0), rel=1e-5)


@pytest.mark.parametrize("surplus", [0.2, 1.0, 2.0])
def test_erlang_c_tends_to_its_law_like_one_over_the_root_of_the_load(surplus: float) -> None:
    load = np.array([1e4, 4e4, 1.6e5])
    distance = np.abs(
        q.erlang_c(load, q.square_root_agents(load, surplus)) - q.halfin_whitt(surplus)
    )
    assert distance[-1] < 1e-3
    assert (np.abs(distance[1:] / distance[:-1] - 0.5) < 0.02).all()


def test_it_is_a_starting_point() -> None:
    # The waiting probability of the law is off by about 1 / √load of itself, so that the agents for
    # it are off by a number that does not grow with the load.
    load = np.array([3, 10, 100, 1000, 10_000.0])
    for share in (0.5, 0.2, 0.05):
        guess = q.square_root_agents(load, q.halfin_whitt_surplus(share))
        exact = q.fractional_agents_for(
            q.Goals(service_level=1 - share),
            lambda n: q.allen_cunneen(load, n, 180.0, 0.0), guess=load,
        )  # fmt: skip
        assert (np.abs(guess - exact) < 1).all()


def test_no_agents_below_zero() -> None:
    assert q.square_root_agents([0, 1, 100], -5).tolist() == [0, 0, 50]
    assert q.square_root_agents([], 1).shape == (0,)


GOOD: dict[str, Any] = {
    "load": 10, "surplus": 0.5, "handle_time": 180, "patience": 300, "waiting_probability": 0.2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (q.square_root_agents, ("load", "surplus")),
        (q.halfin_whitt, ("surplus",)),
        (q.garnett, ("surplus", "handle_time", "patience")),
        (q.halfin_whitt_surplus, ("waiting_probability",)),
        (q.garnett_surplus, ("waiting_probability", "handle_time", "patience")),
    ],
)
def test_bad_input_is_named(function: Any, names: tuple[str, ...]) -> None:
    for name in names:
        for bad in (math.nan, "many", *((80, -0.1, 0) if name == "waiting_probability" else ())):
            with pytest.raises(ValueError, match=f"^{name} must be .*; got {bad!r}"):
                function(**{n: bad if n == name else GOOD[n] for n in names})
        if name not in ("surplus", "waiting_probability"):
            with pytest.raises(ValueError, match=rf"^{name} must be .*; got -1\.0"):
                function(**{n: -1 if n == name else GOOD[n] for n in names})
