"""Replications: whole blocks, the same bytes however they are run, the same customers for all."""

from __future__ import annotations

import numpy as np
import pytest

from ccsim.demand.draw import draw_replication
from ccsim.demand.model import compile_demand
from ccsim.experiment.replicate import replicate, whole_blocks
from ccsim.performance.tally import count, measuring_rules
from ccsim.plans import PlacedBreak, PlacedShift, StaffingPlan
from ccsim.scenario.case import Case, case_from
from ccsim.simulation.log import ContactLog
from ccsim.simulation.model import compile_model
from ccsim.simulation.reference import run
from tests.oracles import scenario_of
from tests.samples import unequal

HOUR = 3_600_000_000

TYPES = {
    "call": {
        "open": {"all": "08:00-18:00"},
        "demand": {"rate": "20 calls/h", "forecast_error": {"gamma": {"shape": 20}}},
        "talk_time": {"lognormal": {"mean": "4 min", "cv": 1.2}},
        "patience": {"exponential": {"mean": "2 min"}},
        "redial": {"probability": "50%", "delay": "10 min"},
    },
    "vip": {"open": {"all": "08:00-12:00"}, "head_start": "1 min"},
}


@pytest.fixture(scope="module")
def centre() -> tuple[Case, list[StaffingPlan]]:
    case = case_from(
        scenario_of(
            TYPES,
            begins="cyclic",
            warm_up="3 h",
            shrinkage={"unplanned": "10%", "unplanned_day_error": {"gamma": {"shape": 4}}},
        )
    )
    lunch = (PlacedBreak(12 * HOUR, HOUR // 2),)
    shifts = (PlacedShift("desk", 8 * HOUR, "day", 10 * HOUR, lunch, 2),)
    by_interval = (0,) * 16 + (3,) * 20 + (0,) * 12
    return case, [StaffingPlan(shifts), StaffingPlan(by_interval={"desk": by_interval})]


def test_the_same_bytes_twice_and_on_one_and_on_two_processes(
    centre: tuple[Case, list[StaffingPlan]],
) -> None:
    case, plans = centre
    first = replicate(case, plans, seed=3, replications=24, block_size=8)
    again = replicate(case, plans, seed=3, replications=24, block_size=8)
    shared = replicate(case, plans, seed=3, replications=24, block_size=8, workers=2)
    for one, two, three in zip(first, again, shared, strict=True):
        assert not unequal(one, two)
        assert not unequal(one, three)


def test_a_log_has_the_same_bytes_twice(centre: tuple[Case, list[StaffingPlan]]) -> None:
    case, plans = centre
    demand = compile_demand(case)
    model = compile_model(case, demand, plans[0])
    first, again = (run(model, draw_replication(demand, 3, 1)) for _ in range(2))
    for name in ContactLog.__dataclass_fields__:
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes(), name


def test_another_seed_is_another_sample(centre: tuple[Case, list[StaffingPlan]]) -> None:
    case, plans = centre
    (one,), (other,) = (
        replicate(case, plans[:1], seed=seed, replications=4, block_size=4) for seed in (3, 4)
    )
    assert one.contacts.tobytes() != other.contacts.tobytes()


def test_plans_meet_the_same_customers_together_or_alone(
    centre: tuple[Case, list[StaffingPlan]],
) -> None:
    case, plans = centre
    both = replicate(case, plans, seed=3, replications=8, block_size=8)
    for plan, sample in zip(plans, both, strict=True):
        (alone,) = replicate(case, [plan], seed=3, replications=8, block_size=8)
        assert not unequal(sample, alone)
    requests = [sample.measure("requests") for sample in both]
    assert np.array_equal(*requests)
    assert not np.array_equal(both[0].measure("answered"), both[1].measure("answered"))


def test_more_replications_begin_with_the_fewer(centre: tuple[Case, list[StaffingPlan]]) -> None:
    case, plans = centre
    (few,) = replicate(case, plans[:1], seed=3, replications=8, block_size=4)
    (many,) = replicate(case, plans[:1], seed=3, replications=12, block_size=4)
    assert np.array_equal(many.contacts[:8], few.contacts)
    assert many.intervals.blocks == 3


def test_without_day_factors_blocks_are_only_bundles() -> None:
    """The same replications in blocks of any size; only the sums of squares know the blocks."""
    case = case_from(scenario_of({"call": {"demand": {"rate": "20 calls/h"}}}))
    plan = StaffingPlan(by_interval={"desk": (2,) * 48})
    by_size = [
        replicate(case, [plan], seed=3, replications=8, block_size=size)[0] for size in (1, 2, 8)
    ]
    for sample in by_size[1:]:
        for name in ("contacts", "in_time", "groups", "handled"):
            assert np.array_equal(getattr(sample, name), getattr(by_size[0], name))
        # Waits are added up in seconds, so that their last bits depend on the bundles.
        sums, first = (each.intervals.contact_types[:2] for each in (sample, by_size[0]))
        assert np.array_equal(sums[:, :3], first[:, :3])
        assert np.allclose(sums, first, rtol=1e-12, atol=0)


def test_a_sample_is_its_replications_drawn_run_and_counted_one_by_one(
    centre: tuple[Case, list[StaffingPlan]],
) -> None:
    case, plans = centre
    (sample,) = replicate(case, plans[:1], seed=3, replications=6, block_size=3)
    demand = compile_demand(case)
    model = compile_model(case, demand, plans[0])
    rules = measuring_rules(case.scenario)
    tallies = [count(model, run(model, draw_replication(demand, 3, n, 3)), rules) for n in range(6)]
    offered = np.array([tally.measure("offered").sum() for tally in tallies])
    assert np.array_equal(sample.measure("offered").sum(axis=(1, 2)), offered)
    assert np.array_equal(sample.handled, np.array([tally.handled for tally in tallies]))
    floor = np.sum([tally.group_measure("on_the_floor") for tally in tallies], axis=0)
    assert np.array_equal(sample.intervals.groups[0, 0], floor)


def test_replications_are_rounded_up_to_whole_blocks_and_reported_as_they_come(
    centre: tuple[Case, list[StaffingPlan]],
) -> None:
    assert [whole_blocks(n, 8) for n in (1, 8, 9)] == [8, 8, 16]
    case, plans = centre
    seen: list[tuple[int, int]] = []
    (sample,) = replicate(
        case,
        plans[:1],
        seed=3,
        replications=5,
        block_size=2,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert sample.replications == 6
    assert seen == [(0, 6), (2, 6), (4, 6), (6, 6)]


def test_an_empty_centre_counts_nothing() -> None:
    case = case_from(scenario_of({"call": {"open": {"all": "08:00-09:00"}}}))
    (sample,) = replicate(case, [StaffingPlan()], seed=1, replications=2, block_size=2)
    assert sample.measure("answered").sum() == 0
    assert sample.measure("waiting").sum() == sample.measure("offered").sum() > 0
    assert sample.groups.sum() == 0
