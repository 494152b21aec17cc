"""A forecast that may be wrong, against an integral over the gamma law and a count of its days."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from ccsim import queueing as q

SHAPES = [0.3, 4.0, 27.0, 400.0]


def centre(agents: Any) -> Any:
    return lambda load: q.erlang_a(load, agents, 180, 300, 20)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("agents", [15, 25])
def test_means_are_integrals_over_the_days(shape: float, agents: int) -> None:
    law = stats.gamma(shape, scale=1 / shape)
    model = centre(agents)

    def mean(of: Any) -> float:
        # In the law's own probability the integrand has no singularity; quad says how sure it is.
        found, error = integrate.quad(
            lambda p: of(law.ppf(p)), 0, 1, limit=500, epsabs=1e-10, points=[1e-3, 0.5, 0.999]
        )
        assert error < 1e-7
        return float(found)

    days = q.over_uncertain_load(model, 20, shape)
    level = mean(lambda f: f * model(20 * f).service_level)
    lost = mean(lambda f: f * model(20 * f).abandonment)
    busy = mean(lambda f: model(20 * f).occupancy)
    assert days.service_level == pytest.approx(level, abs=1e-6)
    assert days.abandonment == pytest.approx(lost, abs=1e-6)
    assert days.occupancy == pytest.approx(busy, abs=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("agents", [18, 25, 30])
def test_days_met_are_those_that_reach_it(shape: float, agents: int) -> None:
    count = 40_000
    factors = stats.gamma(shape, scale=1 / shape).ppf((np.arange(count) + 0.5) / count)
    levels = centre(agents)(20 * factors).service_level
    days = q.over_uncertain_load(centre(agents), 20, shape, service_level=0.8)
    # Equally likely days, so that the share is off by one of them at most.
    assert days.days_met == pytest.approx((levels >= 0.8).mean(), abs=1 / count)
    # Nine days in ten are at least as good: days are in order of their load.
    place = int(0.9 * count)
    assert levels[place] <= days.tenth_percentile <= levels[place - 1]


def test_a_forecast_that_is_right_is_the_plain_formula() -> None:
    plain, days = centre(25)(20), q.over_uncertain_load(centre(25), 20, math.inf)
    assert days.service_level == pytest.approx(plain.service_level, rel=1e-14)
    assert days.tenth_percentile == pytest.approx(plain.service_level, rel=1e-14)
    assert days.speed_of_answer == pytest.approx(plain.speed_of_answer, rel=1e-14)
    assert (days.days_met, q.over_uncertain_load(centre(21), 20, math.inf).days_met) == (1, 0)
    nearly = q.over_uncertain_load(centre(25), 20, 1e10)
    assert nearly.service_level == pytest.approx(plain.service_level, abs=1e-5)


def test_a_busy_day_weighs_more() -> None:
    # Of contacts, not of days: the mean over days is kinder.
    law = stats.gamma(27, scale=1 / 27)
    factors = law.ppf((np.arange(10_000) + 0.5) / 10_000)
    over_days = centre(25)(20 * factors).service_level.mean()
    assert q.over_uncertain_load(centre(25), 20, 27).service_level < over_days - 0.01


def test_25_or_28_agents() -> None:
    fewest = [
        q.agents_for(q.Goals(service_level=0.8), model, guess=20)
        for model in (lambda n: q.erlang_a(20, n, 180, 300, 20), _over_days)
    ]
    assert fewest[1] == 25 > fewest[0]
    met = [q.over_uncertain_load(centre(n), 20, 27).days_met for n in (27, 28)]
    assert met[0] < 0.9 <= met[1]


def _over_days(agents: Any) -> Any:
    return q.over_uncertain_load(centre(agents), 20, 27)


def test_more_agents_and_more_certainty_are_better() -> None:
    agents = np.arange(15, 40)
    found = q.over_uncertain_load(centre(agents), 20, 27)
    for better in (found.service_level, found.days_met, found.tenth_percentile, -found.abandonment):
        assert (np.diff(better) >= 0).all()
    worst = [q.over_uncertain_load(centre(28), 20, s).tenth_percentile for s in (4, 27, 400)]
    assert worst == sorted(worst)


def test_shapes_and_edges() -> None:
    found = q.over_uncertain_load(centre(np.array([[20], [28]])), [10.0, 20.0, 0.0], 27)
    assert found.service_level.shape == (2, 3)
    one = q.over_uncertain_load(centre(28), 20.0, 27)
    assert found.service_level[1, 1] == pytest.approx(one.service_level, rel=1e-12)
    assert type(one.days_met) is float
    assert found.service_level[:, 2].tolist() == found.days_met[:, 2].tolist() == [1, 1]
    nobody = q.over_uncertain_load(centre(0), 20.0, 27)
    assert (nobody.service_level, nobody.days_met) == (0, 0)
    assert nobody.abandonment == pytest.approx(1)
    assert nobody.speed_of_answer == math.inf
    assert q.over_uncertain_load(centre(0), 20.0, 27, service_level=0).days_met == 1


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"load": -1}, r"^load must be zero or more.*got -1\.0"),
        ({"shape": 0}, r"^shape must be more than zero; got 0\.0"),
        ({"shape": math.nan}, "^shape must be more than zero; got nan"),
        ({"service_level": 80}, r"^service_level must be a fraction.*got 80\.0"),
    ],
)
def test_bad_input(given_: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        q.over_uncertain_load(centre(25), **{"load": 20, "shape": 27, **given_})
