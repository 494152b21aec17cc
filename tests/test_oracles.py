"""The reference engine against exact laws, in standard errors; and against a published simulator.

Days are independent (no day factors), so `seen - exact` over its standard error is Student's t. A
comparison fails a perfect simulator with the chance `FALSE_ALARM`, 1e-6; with some 35 of them the
whole file does so once in about 30,000 seeds.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracles import (
    ORACLES,
    PATIENCE,
    day_from_empty,
    erlang_c_wait,
    erlang_day,
    general_patience,
    one_agent_waits,
    two_priorities,
    z_scores,
)

PUBLISHED_PATIENCE = {
    "exp_mean2": "exponential",
    "uniform_0_4": "survival table, uniform 0-4 min",
    "weibull_k0.6_mean2": "Weibull, shape 0.6",
    "weibull_k2_mean2": "Weibull, shape 2",
    "lognormal_mean2_cv1.5": "lognormal, cv 1.5",
}


# The laws themselves, against numbers from elsewhere and against each other.


def test_general_patience_gives_the_published_values(published: dict[str, dict[str, Any]]) -> None:
    met = 0
    for case in published.values():
        given = case["inputs"]
        kind = PUBLISHED_PATIENCE.get(str(given.get("patience", "")).removesuffix(" (minutes)"))
        if case["topic"] != "mmn_plus_g_patience" or kind is None:
            continue
        law = general_patience(
            given["lam_per_min"],
            given["mu_per_min"],
            given["agents"],
            PATIENCE[kind][1],
            given["awt_s"] / 60,
        )
        expected = case["outputs"]
        assert (law.must_wait, law.abandoned, law.mean_wait, law.waits_longer) == pytest.approx(
            (
                expected["p_offered_wait_pos"],
                expected["p_abandon"],
                expected["mean_wait"],
                expected["p_actual_wait_gt_T"],
            ),
            rel=case["tolerance"]["value"],
        )
        met += 1
    assert met == 7


def test_a_long_day_from_empty_is_erlang_a(published: dict[str, dict[str, Any]]) -> None:
    case = published["erlangA_l4.2_m0.5_t1_n12"]
    day, longer = (day_from_empty(4.2, 0.5, 12, 1.0, minutes, 1 / 3) for minutes in (2e4, 4e4))
    # What starting empty takes away is a fixed number of contacts: it fades as 1 / length.
    for name, expected in (
        ("in_time", case["outputs"]["sl_served_in_T_over_offered"]),
        ("abandoned", case["outputs"]["pab"]),
        ("wait_all", case["outputs"]["ew"] * 60e6),
    ):
        assert 2 * longer[name] - day[name] == pytest.approx(expected, rel=1e-7)


def test_laws_of_waiting_agree_where_they_meet() -> None:
    # M/M/1: the mean wait is load / (service - arrival), whichever law says so.
    assert erlang_c_wait(0.6, 1.0, 1) == pytest.approx(0.6)
    assert one_agent_waits([(0.6, 1.0, 1.0)]) == pytest.approx((1.5,))
    assert two_priorities((0.2, 0.4), 1.0, 1) == pytest.approx(
        one_agent_waits([(0.2, 1.0, 1.0), (0.4, 1.0, 1.0)])
    )


# The engine against the laws.


@pytest.mark.parametrize("name", ORACLES)
def test_reference_meets_the_exact_law(name: str) -> None:
    for score in z_scores(ORACLES[name](), replications=32, seed=20260907):
        assert abs(score.z) < score.limit, score


def test_a_law_that_is_a_little_off_is_refused() -> None:
    """Shows that the comparison has teeth: 13 agents are told from 12 within 32 days."""
    twelve, thirteen = erlang_day(4.2, 12, give_up=1.0), erlang_day(4.2, 13, give_up=1.0)
    wrong = type(twelve)(twelve.name, twelve.case, twelve.plan, thirteen.laws, twelve.intervals)
    assert all(abs(score.z) > score.limit for score in z_scores(wrong, 32, seed=20260907))
