"""The search: what formulas call fine, simulation may refuse; what the loop does about it."""

from __future__ import annotations

import numpy as np
import pytest

from ccsim import study
from ccsim.demand.model import compile_demand
from ccsim.errors import CcsimError
from ccsim.performance.promises import measure_promises
from ccsim.performance.tally import measuring_rules
from ccsim.plans import PlacedShift, StaffingPlan, write_plan_csv
from ccsim.scenario import case_from
from ccsim.scenario.model import Scenario
from ccsim.scenario.targets import parse_target
from ccsim.staffing import adjust, spare

HOUR = 3_600_000_000


def small_centre(**changes):
    """Two hours of sixty calls each, on days of very different busyness."""
    given = {
        "version": 1,
        "name": "small",
        "currency": "USD",
        "time_zone": "UTC",
        "horizon": {"start": "2026-09-07", "days": 1, "begins": "empty", "interval": "30 min"},
        "contact_types": {
            "call": {
                "open": {"all": "08:00-10:00"},
                "demand": {"rate": "60 calls/h", "forecast_error": {"gamma": {"shape": 5}}},
                "talk_time": {"exponential": {"mean": "3 min"}},
                "patience": {"exponential": {"mean": "4 min"}},
                "targets": ["80% answered within 20 s, over each day"],
            }
        },
        "agent_groups": {"desk": {"skills": {"call": {}}, "rate_card": "own"}},
        "rate_cards": {"own": {"paid_hour": "20 USD"}},
        "planning": {"margin": "1%", "rounds": 6},
    }
    return case_from(Scenario.model_validate(given | changes))


@pytest.fixture(scope="module")
def result():
    return study.plan(small_centre(), seed=3, workers=1)


class TestAPlanThatFormulasCallFine:
    """Erlang A knows nothing of busy days: its staffing misses, and simulation says so."""

    def test_simulation_refuses_it(self, result):
        first = result.planned.looks[0]
        assert first.step == "formulas"
        assert first.missed

    def test_the_loop_raises_until_it_is_certified(self, result):
        assert [look.step for look in result.planned.looks][1] == "raised"
        assert result.verdict == "certified"
        assert result.planned.looks[-1].cost > result.planned.looks[0].cost

    def test_the_certificate_saw_other_replications(self, result):
        again = study.simulate(
            result.case,
            result.plan,
            seed=result.planned.certificate_seed,
            replications=result.sample.replications,
            workers=1,
        )
        np.testing.assert_array_equal(again.sample.contacts, result.sample.contacts)
        other = study.simulate(result.case, result.plan, seed=3, workers=1)
        assert not np.array_equal(other.sample.contacts[:320], result.sample.contacts[:320])

    def test_bounds_stand_in_order(self, result):
        # The valid bound holds for every plan; the model bound only for these requirements.
        assert result.bound.cost <= float(result.cost.total.mean)
        assert result.planned.solution.bound <= result.planned.solution.cost + 1e-6

    def test_the_same_plan_again(self, result):
        again = study.plan(small_centre(), seed=3, workers=2)
        assert again.plan == result.plan
        assert again.to_json() == result.to_json()

    def test_the_verdict_has_ten_lines(self, result):
        assert len(str(result).splitlines()) == 10


def test_a_promise_nobody_can_keep_is_missed_not_certified():
    """One agent for three erlangs of patient callers: missed, with by how much."""
    case = small_centre(
        agent_groups={"desk": {"skills": {"call": {}}, "rate_card": "own", "agents": 2}}
    )
    result = study.plan(case, seed=1, workers=1)
    assert result.verdict == "missed"
    assert result.planned.certificate.findings[0].shortfall > 0


def test_a_scenario_without_a_promise_is_told_so():
    with pytest.raises(Exception, match="makes no promise"):
        study.plan(case_without_targets(), workers=1)


def case_without_targets():
    case = small_centre()
    call = case.scenario.contact_types["call"].model_copy(update={"targets": ()})
    return case_from(case.scenario.model_copy(update={"contact_types": {"call": call}}))


class TestAdjusting:
    def test_what_is_short_is_raised_and_a_surplus_lowered(self):
        case = small_centre()
        demand = compile_demand(case)
        requirement = spare.required(case, demand)
        for agents, sign in ((2, 1), (9, -1)):
            plan = StaffingPlan(by_interval={"desk": (0,) * 16 + (agents,) * 4 + (0,) * 28})
            simulation = study.simulate(case, plan, replications=64, workers=1)
            found = adjust.gaps(simulation.kept, simulation.sample, case)
            assert np.sign(found[0].missing) == sign
            changed = adjust.adjusted({}, found, case, demand, requirement, plan)["call"]
            if sign > 0:
                assert (requirement.rows[0].agents + changed)[16:20].max() > agents
            else:
                assert (requirement.rows[0].agents + changed)[16:20].min() < agents
            assert not changed[:16].any()
            assert not changed[20:].any()

    @pytest.mark.parametrize(
        ("sentence", "aim"),
        [
            ("80% answered within 20 s, over each day", 0.81),
            ("99% answered within 20 s, over each day", 0.995),
            ("at most 5% lost, over the horizon", 0.04),
            ("at most 1% abandoned, over each day", 0.005),
            ("average speed of answer at most 30 s, over each day", 29.7),
        ],
    )
    def test_the_search_aims_past_the_target(self, sentence, aim):
        planning = small_centre().scenario.planning
        assert adjust.aim_of(parse_target(sentence), planning) == pytest.approx(aim, abs=1e-12)


def test_only_shifts_above_the_minimum_staff_can_be_spared():
    case = small_centre(
        agent_groups={
            "desk": {
                "skills": {"call": {}},
                "rate_card": "own",
                "shifts": ["day"],
                "minimum_staff": 2,
            }
        },
        shifts={"day": {"starts": ["08:00"], "length": "2 h"}},
    )
    for agents, can_go in ((2, 0), (3, 1)):
        shift = PlacedShift("desk", 8 * HOUR, "day", 2 * HOUR, (), agents)
        simulation = study.simulate(case, StaffingPlan((shift,)), replications=32, workers=1)
        guards = spare.guards_of(case, compile_demand(case))
        found = spare.spare_shifts(case, simulation.plan, simulation.sample, guards)
        assert len(found) == can_go


def test_a_floor_for_every_interval_is_never_dropped_below():
    case = small_centre(
        agent_groups={"desk": {"skills": {"call": {}}, "rate_card": "own", "shifts": ["day"]}},
        shifts={"day": {"starts": ["08:00"], "length": "2 h"}},
    )
    call = case.scenario.contact_types["call"].model_copy(update={"interval_floor": 0.7})
    guarded = case_from(case.scenario.model_copy(update={"contact_types": {"call": call}}))
    simulation = study.simulate(case, formula_plan_of(5), replications=32, workers=1)
    for centre, can_go in ((case, 1), (guarded, 0)):
        guards = spare.guards_of(centre, compile_demand(centre))
        # Erlang A: five agents answer 76 % in time, four 57 %.
        assert guards.rows[0].agents[16:20].max() == (5 if can_go == 0 else 0)
        found = spare.spare_shifts(centre, simulation.plan, simulation.sample, guards)
        assert len(found) == can_go


def test_without_floors_no_set_of_contact_types_is_guarded():
    """A promise is no floor: the simulation says what it can spare, of one type and of several."""
    types = {name: small_centre().scenario.contact_types["call"] for name in "abc"}
    groups = {
        "all": {"skills": {name: {} for name in "abc"}, "rate_card": "own"},
        "pair": {"skills": {name: {} for name in "ab"}, "rate_card": "own"},
    }
    case = small_centre(contact_types=types, agent_groups=groups)
    guards = spare.guards_of(case, compile_demand(case))
    assert len(guards.rows) == 7
    assert not any(row.agents.any() for row in guards.rows)


def formula_plan_of(agents):
    return StaffingPlan((PlacedShift("desk", 8 * HOUR, "day", 2 * HOUR, (), agents),))


def test_promises_are_measured_on_their_own_days():
    case = small_centre(horizon={"start": "2026-09-07", "days": 2, "begins": "empty"})
    nights = (0,) * 16, (0,) * 44, (0,) * 28
    agents = (*nights[0], *(6,) * 4, *nights[1], *(2,) * 4, *nights[2])
    plan = StaffingPlan(by_interval={"desk": agents})
    simulation = study.simulate(case, plan, replications=320, workers=1)
    good, bad = measure_promises(
        simulation.sample, case.scenario, case.grid, measuring_rules(case.scenario)
    )
    assert good.estimate.lower > bad.estimate.upper


def test_a_variant_is_not_asked_of_a_case_that_is_read_already():
    with pytest.raises(CcsimError, match=r"variant='busier' came with a case"):
        study.estimate(small_centre(), variant="busier")


def test_no_replications_are_refused_in_words():
    with pytest.raises(CcsimError, match="replications=0: ask for 1 or more"):
        study.simulate(small_centre(), formula_plan_of(5), replications=0, workers=1)


def test_a_plan_may_be_given_by_its_path(tmp_path):
    case = small_centre()
    write_plan_csv(formula_plan_of(5), case, tmp_path)
    by_path = study.simulate(case, tmp_path, replications=32, workers=1)
    assert by_path.plan == formula_plan_of(5)
