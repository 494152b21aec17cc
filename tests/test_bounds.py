"""The valid bound: against hand counts, enumerated plans, and centres that were simulated."""

from __future__ import annotations

from itertools import product
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from ccsim.demand import quantiles
from ccsim.demand.draw import draw_replication
from ccsim.demand.model import compile_demand
from ccsim.errors import InfeasibleError
from ccsim.plans import PlacedBreak, PlacedShift, StaffingPlan
from ccsim.scenario.case import Case, case_from
from ccsim.scenario.model import RandomFactor, Scenario
from ccsim.simulation.log import Outcome
from ccsim.simulation.model import compile_model
from ccsim.simulation.reference import run
from ccsim.staffing import ValidBound, schedule_shifts, valid_bound
from ccsim.staffing.requirement import Requirement, RequirementRow
from ccsim.staffing.work import least_talk, needs, overshoot_seconds, present, second_moment

LEVEL_80 = "80% answered within 20 s, over each day"
ROUNDING = 1e-5


def centre(call: dict[str, Any] | None = None, **more: Any) -> Case:
    """Open from 8 to 16; shifts of eight and four hours at 20 USD an hour."""
    given = {
        "version": 1,
        "name": "desk",
        "currency": "USD",
        "time_zone": "UTC",
        "horizon": {"start": "2026-09-07", "days": 1, "interval": "60 min", "begins": "empty"},
        "contact_types": {
            "call": {
                "open": {"mon-sun": "08:00-16:00"},
                "demand": {"rate": "125 calls/h"},
                "talk_time": "3 min",
                "targets": [LEVEL_80],
                **(call or {}),
            }
        },
        "agent_groups": {
            "desk": {"skills": {"call": {}}, "rate_card": "own", "shifts": ["day", "half"]}
        },
        "shifts": {
            "day": {"starts": ["08:00"], "length": "8 h"},
            "half": {"starts": ["08:00", "12:00"], "length": "4 h"},
        },
        "rate_cards": {
            "own": {"paid_hour": "20 USD"},
            "outside": {"handled_minute": "0.30 USD", "capacity": 2},
        },
    }
    return case_from(Scenario.model_validate({**given, **more}))


def bound_of(case: Case) -> ValidBound:
    return valid_bound(case, compile_demand(case))


# By hand.


def test_eight_hundred_answers_of_three_minutes_need_five_agent_days() -> None:
    bound = bound_of(centre())
    # 1000 calls, 80 % of them, 180 s each: 2400 minutes, five agents for eight hours.
    assert bound.needs[0].seconds == pytest.approx(0.8 * 1000 * 180)
    assert bound.cost == pytest.approx(5 * 8 * 20, rel=ROUNDING)
    assert bound.left_out == ()


def test_absent_agents_do_no_work() -> None:
    group = {
        "skills": {"call": {}},
        "rate_card": "own",
        "shifts": ["day", "half"],
        "shrinkage": {"unplanned": "10%", "paid_not_scheduled": "20%"},
    }
    bound = bound_of(centre(agent_groups={"desk": group}))
    # 2400 / 0.9 / 240 = 11.1 half shifts, at 100 USD: eleven and some work past their end,
    # or a twelfth.
    past = (2400 - 11 * 240 * 0.9) / 60 * 20
    morning_ends_free = 3 * 0.9  # a contact in hand at noon, for each who goes then
    assert 11 * 100 + past - morning_ends_free * 11 <= bound.cost + 1e-6
    assert bound.cost <= 12 * 100


def test_agents_may_be_as_quick_as_the_quickest() -> None:
    group = {
        "skills": {"call": {}},
        "rate_card": "own",
        "shifts": ["day", "half"],
        "tenure": {
            "old": {"share": "10%", "handle_time": 0.8},
            "new": {"share": "90%", "handle_time": 1.5},
        },
        "handle_time_spread": "10%",
        "learning": {"coaching": {"start": "2026-09-07", "handle_time": 0.9}},
    }
    quick = bound_of(centre(agent_groups={"desk": group})).cost
    skill = {
        "skills": {"call": {"handle_time": 0.8 * 0.9 * 0.9}},
        "rate_card": "own",
        "shifts": ["day", "half"],
    }
    assert quick == pytest.approx(bound_of(centre(agent_groups={"desk": skill})).cost, rel=1e-4)


def test_a_partner_is_priced_by_the_minute_and_held_to_his_seats() -> None:
    groups = {
        "desk": {"skills": {"call": {}}, "rate_card": "own", "shifts": ["day", "half"]},
        "partner": {"skills": {"call": {}}, "rate_card": "outside"},
    }
    bound = bound_of(centre(agent_groups=groups))
    # Own minutes cost 0.333, the partner's 0.30: two seats for nine hours, the contacts in hand at
    # the end of each hour, and 20 s to serve out whoever came in time; the rest is own work.
    partner = 2 * (8 * (60 + 3) + 1 / 3 + 3 + 1 / 3)
    assert bound.cost >= 0.30 * 2400
    assert bound.cost >= 0.30 * partner + (2400 - partner) * 20 / 60 - 1
    assert bound.cost <= 0.30 * 960 + 3 * 160 + 1  # three own agents and two of the partner's


def test_without_targets_minimum_staff_is_all_that_is_paid() -> None:
    day = {
        "starts": ["08:00"],
        "length": "8 h",
        "breaks": {"lunch": {"length": "1 h", "after": "3 h - 4 h"}},
    }
    group = {"skills": {"call": {}}, "rate_card": "own", "shifts": ["day"], "minimum_staff": 2}
    for call in ({"targets": []}, {"demand": {"rate": "0 calls/h"}}):
        case = centre(call, agent_groups={"desk": group}, shifts={"day": day})
        bound = bound_of(case)
        assert bound.needs == ()
        nobody = np.zeros(24, dtype=np.int64)
        rows = (RequirementRow(("call",), ("desk",), nobody, nobody * 1.0, "Erlang C"),)
        cheapest = schedule_shifts(case, Requirement(rows), gap=0.0)
        assert bound.cost == pytest.approx(cheapest.cost, rel=ROUNDING) == pytest.approx(4 * 140)


def test_what_cannot_be_done_is_refused() -> None:
    group = {"skills": {"call": {}}, "rate_card": "own", "shifts": ["day"], "maximum_staff": 4}
    with pytest.raises(InfeasibleError, match="the work that the targets force"):
        bound_of(centre(agent_groups={"desk": group}))


def test_targets_it_makes_no_use_of_are_named() -> None:
    sentences = [
        "average speed of answer at most 30 s, over the horizon",
        "80% answered within 20 s, over each day, on at least 90% of days",
    ]
    bound = bound_of(centre({"targets": sentences}))
    assert bound.left_out == tuple(f"call: {sentence}" for sentence in sentences)
    assert bound.cost == 0


ABANDONED = "at most 5% abandoned, over each day"
LOST = "at most 5% lost, over each day"
CALLED_BACK = {
    "announced_wait": {},
    "callback": {"offered_from": "0 s", "accepted": "37%"},
}


@pytest.mark.parametrize(
    ("target", "given", "counts"),
    [
        (ABANDONED, {}, True),
        # With no place to wait nobody abandons, and nobody need be answered.
        (ABANDONED, {"queue_limit": 0}, False),
        (ABANDONED, {"at_closing": "clear"}, False),
        (ABANDONED, {"at_closing": "carry_over"}, False),
        (ABANDONED, CALLED_BACK, False),
        (LOST, {"queue_limit": 0}, True),
        (LOST, CALLED_BACK, False),
        (LEVEL_80, CALLED_BACK, True),
        (ABANDONED, {"announced_wait": {"balking": 1}}, True),
    ],
)
def test_a_cap_counts_only_where_it_forces_answers(
    target: str, given: dict[str, Any], counts: bool
) -> None:
    call = {"patience": {"exponential": {"mean": "2 min"}}, "targets": [target], **given}
    bound = bound_of(centre(call))
    assert (bound.cost > 0) == counts
    assert bound.left_out == (() if counts else (f"call: {target}",))


def test_nobody_abandons_where_nobody_may_wait() -> None:
    """Why a cap on abandoned contacts is then no reason for anybody to be there."""
    call = {"patience": "2 min", "targets": [ABANDONED], "queue_limit": 0}
    case = centre(call)
    demand = compile_demand(case)
    model = compile_model(case, demand, StaffingPlan())
    log = run(model, draw_replication(demand, 1, 0))
    assert not (log.outcome == Outcome.ABANDONED).any()


def test_contacts_of_others_and_contacts_that_try_others_force_nothing() -> None:
    redial = {"probability": "40%", "delay": "5 min"}
    patient = {"patience": {"exponential": {"mean": "2 min"}}, "redial": redial}
    both = two_types(patient, {"targets": [LEVEL_80]})
    assert [need.contact_type for need in bound_of(both).needs] == ["call", "other"]
    redial["elsewhere"] = {"to": "other", "share": "10%"}
    waits = {"patience": {"exponential": {"mean": "2 min"}}}
    bound = bound_of(two_types(patient, {"targets": [LEVEL_80, LOST], **waits}))
    # Requests of the other type are its own: at most so many of them are lost.
    assert bound.left_out == (f"call: {LEVEL_80}", f"other: {LEVEL_80}")
    assert [need.contact_type for need in bound.needs] == ["other"]


def two_types(call: dict[str, Any], other: dict[str, Any]) -> Case:
    """Calls and others, each with its own agents."""
    given = {
        "open": {"mon-sun": "08:00-16:00"},
        "demand": {"rate": "125 calls/h"},
        "talk_time": "3 min",
        "targets": [LEVEL_80],
    }
    group = {"rate_card": "own", "shifts": ["day", "half"]}
    return centre(
        contact_types={"call": given | call, "other": given | other},
        agent_groups={name: {"skills": {name: {}}, **group} for name in ("call", "other")},
    )


def test_agents_who_pass_contacts_on_are_done_sooner() -> None:
    """A quarter is passed on after 40 % of the time: 85 % of the work, at a smaller cost."""
    transfer = {"to": "expert", "probability": "25%", "handle_time": 0.4}
    types = {
        name: {
            "open": {"mon-sun": "08:00-16:00"},
            "demand": {"rate": "125 calls/h"},
            "talk_time": "3 min",
            "targets": [LEVEL_80] if name == "call" else [],
        }
        for name in ("call", "expert")
    }
    costs = []
    for skill in ({}, {"transfer": transfer}, {"handle_time": 0.85}):
        groups = {
            "desk": {"skills": {"call": skill}, "rate_card": "own", "shifts": ["day", "half"]},
            "back": {"skills": {"expert": {}}, "rate_card": "own", "shifts": ["day"]},
        }
        costs.append(bound_of(centre(contact_types=types, agent_groups=groups)).cost)
    assert costs[1] < costs[0]
    # As the mean of a shorter handle time, but with a longer overrun.
    assert costs[1] <= costs[2]


@given(st.floats(1, 60), st.integers(2, 12), st.floats(30, 99))
@settings(max_examples=15, deadline=None)
def test_no_enumerated_plan_that_could_do_the_work_is_cheaper(
    rate: float, minutes: int, level: float
) -> None:
    case = centre(
        {
            "demand": {"rate": f"{rate:.3f} calls/h"},
            "talk_time": f"{minutes} min",
            "targets": [f"{level:.2f}% answered within 20 s, over each day"],
        }
    )
    wanted = round(level, 2) / 100 * round(rate, 3) * 8
    bound = bound_of(case)
    # An agent who is never idle begins a contact every so many minutes, the last just in time;
    # whatever is not done within the shifts is done past their end, and paid.
    begun = {hours: ceil((hours * 60 + 1 / 3) / minutes) for hours in (4, 8)}
    best = np.inf
    for full, half in product(range(16), range(31)):
        if full * begun[8] + half * begun[4] >= wanted - 1e-9:
            past = max(wanted * minutes - 480 * full - 240 * half, 0)
            best = min(best, 160 * full + 80 * half + past * 20 / 60)
    assert bound.cost <= best + 1e-6
    # And it is no idle bound: all the work, at the wage.
    assert bound.cost >= wanted * minutes * 20 / 60 * (1 - 1e-6)


# Against what happened: whatever a plan reached, the bound for just that is no dearer.


def reached(case: Case, plan: StaffingPlan, replications: int) -> tuple[float, float, float]:
    """Answered in time, lost (both shares), and hours past shift end, by counting a log."""
    demand = compile_demand(case)
    model = compile_model(case, demand, plan)
    in_time = offered = lost = asked = past = 0.0
    for replication in range(replications):
        log = run(model, draw_replication(demand, 7, replication))
        mine = (log.arrival >= 0) & (log.arrival < case.grid.end)
        answered = log.outcome == Outcome.ANSWERED
        in_time += np.sum(mine & answered & (log.left_queue - log.arrival <= 20_000_000))
        offered += mine.sum()
        lost += np.sum(mine & log.last & ~answered)
        asked += np.sum(mine & log.last)
        ends = model.stretches.ends_shift.astype(bool)
        past += np.maximum(log.stretch_left - model.stretches.end, 0)[ends].sum() / 3.6e9
    return in_time / offered, lost / asked, past / replications


DIFFER = {
    "tenure": {
        "new": {"share": "30%", "handle_time": 1.3},
        "old": {"share": "40%", "handle_time": 0.7},
    },
    "handle_time_spread": "10%",
}


@pytest.mark.parametrize("agents", [4, 6])
@pytest.mark.parametrize("redial", [None, {"probability": "60%", "delay": "4 min", "at_most": 3}])
@pytest.mark.parametrize("differ", [{}, DIFFER], ids=["alike", "differ"])
def test_a_simulated_plan_costs_no_less(
    agents: int, redial: dict[str, Any] | None, differ: dict[str, Any]
) -> None:
    """Six agents at most for 6.25 erlangs: everybody is busy all day, where bounds are tight."""
    call = {
        "talk_time": {"lognormal": {"mean": "170 s", "cv": 1.2}},
        "wrap_up": "10 s",
        "talk_time_error": {"gamma": {"shape": 40}},
        "patience": {"exponential": {"mean": "2 min"}},
        "redial": redial,
    }
    more = {
        "agent_groups": {
            "desk": {
                "skills": {"call": {}},
                "rate_card": "own",
                "shifts": ["day"],
                "shrinkage": {"unplanned": "10%"},
                **differ,
            }
        },
        "shifts": {
            "day": {
                "starts": ["08:00"],
                "length": "8 h",
                "breaks": {"lunch": {"length": "30 min", "after": "3 h - 5 h", "paid": True}},
            }
        },
    }
    hour = 3_600_000_000
    plan = StaffingPlan(
        tuple(
            PlacedShift(
                "desk",
                8 * hour,
                "day",
                8 * hour,
                (PlacedBreak(11 * hour + k * hour // 2, hour // 2, True),),
            )
            for k in range(agents // 2)
            for _ in range(2)
        )
    )
    in_time, lost, past = reached(centre(call, **more), plan, 24)
    cost = agents * 160 + past * 20
    # Three standard errors of these shares, from the spread of busy days and of calls, are < 2 %.
    slack = 0.02
    for sentence in (
        f"{100 * (in_time - slack):.3f}% answered within 20 s, over each day",
        f"at most {100 * min(lost + slack, 1):.3f}% lost, over the horizon",
    ):
        bound = bound_of(centre({**call, "targets": [sentence]}, **more))
        assert bound.needs
        assert 0 < bound.cost <= cost, sentence


def test_stricter_targets_cost_more() -> None:
    costs = [
        bound_of(centre({"targets": [f"{level}% answered within 20 s, over each day"]})).cost
        for level in (10, 40, 70, 90, 99)
    ]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]
    both = bound_of(
        centre(
            {
                "targets": [LEVEL_80, "at most 5% lost, over the horizon"],
                "patience": {"exponential": {"mean": "2 min"}},
            }
        )
    )
    assert both.cost >= bound_of(centre()).cost


def test_types_that_share_agents_add_up_their_work() -> None:
    one = {
        "open": {"mon-sun": "08:00-16:00"},
        "demand": {"rate": "60 calls/h"},
        "talk_time": "3 min",
        "targets": [LEVEL_80],
    }
    group = {"skills": {"A": {}, "B": {}}, "rate_card": "own", "shifts": ["day"]}
    bound = bound_of(centre(contact_types={"A": one, "B": one}, agent_groups={"flex": group}))
    # 2 x 384 calls of 3 minutes, less at most 1.5 contacts of each type past each agent's end.
    work = 2 * 0.8 * 480 * 3
    assert work * 20 / 60 - 1e-6 <= bound.cost <= 5 * 160


# Its parts.


@pytest.mark.parametrize("shape", [4.0, 25.0, 200.0])
def test_the_cheapest_answers_are_those_of_days_with_short_talks(shape: float) -> None:
    law = stats.gamma(shape, scale=1 / shape)
    for share in (0.2, 0.8, 0.95):
        mean, _ = integrate.quad(lambda g: g * law.pdf(g), 0, law.ppf(share))
        assert least_talk(RandomFactor(gamma={"shape": shape}), share) == pytest.approx(
            mean, rel=1e-7
        )
    error = RandomFactor(gamma={"shape": shape})
    for unplanned in (0.05, 0.5):
        absent, _ = integrate.quad(
            lambda f, u=unplanned: min(1.0, u * f) * law.pdf(f),
            0,
            60,
            limit=400,
            points=[1 / unplanned],
        )
        assert present(unplanned, error) == pytest.approx(1 - absent, rel=1e-6)


def test_mean_squares() -> None:
    assert second_moment(quantiles.constant(180)) == pytest.approx(180**2)
    assert second_moment(quantiles.lognormal(180, 1.2)) == pytest.approx(
        180**2 * (1 + 1.2**2), rel=2e-3
    )


def test_lorden_holds_for_an_agent_who_is_never_idle() -> None:
    """Simulate the work begun in a stretch; the bound must not be below its mean."""
    case = centre({"talk_time": {"lognormal": {"mean": "170 s", "cv": 1.2}}, "wrap_up": "10 s"})
    drawn = compile_demand(case).contact_types[0]
    bound = overshoot_seconds(case.scenario.contact_types["call"], drawn)
    assert bound == pytest.approx(180 + 170**2 * 1.44 / 180, rel=1e-3)
    generator = np.random.default_rng(3)
    sigma = np.sqrt(np.log(1 + 1.44))
    for stretch in (10.0, 200.0, 3600.0):
        begun = np.zeros(20_000)
        while (open_ := begun < stretch).any():
            talk = generator.lognormal(np.log(170) - sigma**2 / 2, sigma, open_.sum())
            begun[open_] += talk + 10
        over = begun - stretch
        assert over.mean() - 4 * over.std() / np.sqrt(len(over)) <= bound


def test_redials_carried_into_a_day_lower_what_it_must_answer() -> None:
    """A day's redials of the day before count as offered, and as answers of another day's work."""
    always = {"open": "always", "patience": {"exponential": {"mean": "30 min"}}}
    horizon = {"start": "2026-09-07", "days": 2, "interval": "60 min"}
    plain = centre(always, horizon=horizon)
    redial = {"probability": "80%", "delay": "2 h", "at_most": 2}
    carried = centre({**always, "redial": redial}, horizon=horizon)
    seconds = [
        [need.seconds for need in needs(case, compile_demand(case))[0]] for case in (plain, carried)
    ]
    assert seconds[0] == pytest.approx([0.8 * 3000 * 180] * 2)
    assert all(0.6 * 3000 * 180 < with_ < without for without, with_ in zip(*seconds, strict=True))
