"""Counting: hand-made logs, the six service levels of one day, promises in their windows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ccsim.demand.model import compile_demand
from ccsim.performance.promises import (
    Promise,
    measure_promises,
    met_days,
    parts,
    promise_samples,
    promises,
)
from ccsim.performance.sample import Sample, block_sample, join
from ccsim.performance.tally import (
    CONTACT_MEASURES,
    DEFAULT_THRESHOLD,
    GROUP_MEASURES,
    Tally,
    count,
    measuring_rules,
)
from ccsim.performance.waits import no_waits
from ccsim.plans import PlacedShift, StaffingPlan
from ccsim.queueing.service_level import SERVICE_LEVEL_FORMULAS
from ccsim.scenario.case import Case, case_from
from ccsim.simulation.log import MET, REDIAL, ContactLog, Outcome
from ccsim.simulation.model import Model, compile_model
from ccsim.statistics import ShareSample, TargetSample
from tests.oracles import scenario_of

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def compiled(
    types: dict[str, dict[str, Any]], *shifts: PlacedShift, **horizon: Any
) -> tuple[Case, Model]:
    case = case_from(scenario_of(types, **horizon))
    return case, compile_model(case, compile_demand(case), StaffingPlan(shifts))


def log_of(model: Model, rows: list[dict[str, Any]]) -> ContactLog:
    """A log written by hand: arrival, wait and handling in seconds; agents leave on time."""

    def column(name: str, default: int = 0) -> np.ndarray:
        return np.array([row.get(name, default) for row in rows], dtype=np.int64)

    arrival = column("arrival") * SECOND
    left_queue = arrival + column("wait") * SECOND
    attempt = column("attempt")
    return ContactLog(
        contact_type=column("contact_type"),
        origin=column("contact_type"),
        interval=np.where(attempt == 0, arrival // model.interval_us, column("interval")),
        ordinal=np.arange(len(rows)),
        attempt=attempt,
        arrival=arrival,
        outcome=column("outcome"),
        left_queue=left_queue,
        taken=left_queue,
        ended=left_queue + column("handling") * SECOND,
        agent=np.where(column("outcome") == Outcome.ANSWERED, 0, -1),
        last=column("last", 1).astype(bool),
        again=column("again"),
        unresolved=column("unresolved").astype(bool),
        called_back=np.zeros(len(rows), bool),
        transferred=column("transferred").astype(bool),
        cut=column("cut").astype(bool),
        stretch_came=model.stretches.start.copy(),
        stretch_left=model.stretches.end.copy(),
    )


def shift(start: float, length: float, group: str = "desk") -> PlacedShift:
    return PlacedShift(group, round(start * HOUR), "any", round(length * HOUR))


def one_day(formula: str, targets: list[str]) -> tuple[Case, Tally]:
    """1000 answered, 860 of them within 20 s; 60 abandoned, 20 within 20 s, 10 within 5 s."""
    types = {"call": {"service_level": {"formula": formula}, "targets": targets}}
    case, model = compiled(types, shift(0, 24))
    waits = [20] * 860 + [21] * 140
    gone = [5] * 10 + [20] * 10 + [25] * 40
    rows = [{"arrival": 100, "wait": w, "outcome": Outcome.ANSWERED} for w in waits]
    rows += [{"arrival": 100, "wait": w, "outcome": Outcome.ABANDONED} for w in gone]
    return case, count(model, log_of(model, rows), measuring_rules(case.scenario))


# The six numbers that the trade computes from one and the same day (design, section 4).
SIX = {
    "with_abandoned_in_time": 83.02,
    "of_answered": 86.00,
    "of_offered": 81.13,
    "without_abandoned_in_time": 82.69,
    "with_short_abandons": 82.08,
    "without_short_abandons": 81.90,
}


def the_promise(case: Case, sample: Sample, number: int = 0) -> float:
    rules = measuring_rules(case.scenario)
    promise = promises(case.scenario, case.grid)[number]
    over, under = parts(promise, sample, case.scenario, rules)
    return float(over.sum() / under.sum())


@pytest.mark.parametrize("formula", SERVICE_LEVEL_FORMULAS)
def test_six_service_levels_of_one_day(formula: str) -> None:
    case, tally = one_day(formula, ["80% answered within 20 s, over each day"])
    sample = block_sample([tally], no_waits(1, case.grid), case.grid, case.scenario)
    assert round(100 * the_promise(case, sample), 2) == SIX[formula]
    assert sample.intervals.estimates("service_level").value[0, 0] == the_promise(case, sample)


def test_a_second_threshold_counts_its_own_abandonments() -> None:
    targets = ["80% answered within 60 s, over each day", "80% answered within 20 s, over each day"]
    case, tally = one_day("with_abandoned_in_time", targets)
    sample = block_sample([tally], no_waits(1, case.grid), case.grid, case.scenario)
    assert round(100 * the_promise(case, sample, 0), 2) == 100.00
    assert round(100 * the_promise(case, sample, 1), 2) == 83.02


def test_a_wait_on_the_threshold_is_in_time() -> None:
    case, model = compiled({"call": {}}, shift(0, 24))
    assert DEFAULT_THRESHOLD == 20 * SECOND
    rows = [
        {"arrival": 100, "wait": wait, "outcome": outcome}
        for wait in (5, 6, 20, 21)
        for outcome in (Outcome.ANSWERED, Outcome.ABANDONED)
    ]
    tally = count(model, log_of(model, rows), measuring_rules(case.scenario))
    assert tally.in_time.sum() == 3
    assert tally.abandoned_in_time[0].sum() == 3
    assert tally.measure("short_abandons").sum() == 1


def test_each_contact_counts_once_where_it_arrived() -> None:
    case, model = compiled({"call": {}, "vip": {}}, shift(0, 24), days=2)
    rows = [
        {"arrival": 1799, "wait": 5, "handling": 60, "outcome": Outcome.ANSWERED},
        {"arrival": 1800, "wait": 7, "outcome": Outcome.ABANDONED, "contact_type": 1, "last": 0},
        {
            "arrival": 3600 * 30,
            "interval": 1,
            "attempt": 1,
            "again": REDIAL,
            "outcome": Outcome.CLOSED,
            "contact_type": 1,
        },
        {"arrival": 3600 * 47, "wait": 3600, "outcome": Outcome.WAITING},
    ]
    tally = count(model, log_of(model, rows), measuring_rules(case.scenario))
    seen = {
        name: [tuple(cell) for cell in np.argwhere(tally.measure(name)).tolist()]
        for name in CONTACT_MEASURES
    }
    assert seen == {
        "offered": [(0, 0), (0, 94), (1, 1), (1, 60)],
        "answered": [(0, 0)],
        "abandoned": [(1, 1)],
        "short_abandons": [],
        "closed": [(1, 60)],
        "waiting": [(0, 94)],
        "wait_answered": [(0, 0)],
        "wait_all": [(0, 0), (1, 1)],
        "handle_time": [(0, 0)],
        "requests": [(0, 0), (0, 94), (1, 1)],
        # The vip called again on the second day, in vain: her request began on the first.
        "lost": [(0, 94), (1, 1)],
        "redials": [(1, 60)],
        "redials_cut": [],
        "blocked": [],
        "cleared": [],
        "unresolved": [],
        "repeats": [],
        "repeats_cut": [],
        "transferred": [],
        "transfers": [],
        "balked": [],
        "callbacks": [],
        "unreached": [],
    }
    assert tally.measure("wait_answered")[0, 0] == 5 * SECOND
    assert tally.measure("wait_all")[1, 1] == 7 * SECOND
    assert tally.handled.tolist() == [[60 * SECOND, 0]]


def test_later_attempts_are_counted_by_why_they_come() -> None:
    case, model = compiled({"call": {}}, shift(0, 24))
    answered = {"outcome": Outcome.ANSWERED, "handling": 60}
    again = {"outcome": Outcome.BLOCKED, "attempt": 1}
    rows = [
        # Answered in vain, back in vain; then tried once more, as a redial of a repeat, and cut.
        {"arrival": 100, "unresolved": 1, "last": 0, **answered},
        {"arrival": 2000, **again, "again": MET, "last": 0},
        {"arrival": 4000, **again, "attempt": 2, "again": MET | REDIAL, "cut": 1},
        # Blocked, then cleared: lost.
        {"arrival": 200, "outcome": Outcome.BLOCKED, "last": 0},
        {"arrival": 2100, **again, "outcome": Outcome.CLEARED, "again": REDIAL, "wait": 9},
        # Unresolved, and no further repeat is allowed.
        {"arrival": 300, "unresolved": 1, "cut": 1, **answered},
    ]
    tally = count(model, log_of(model, rows), measuring_rules(case.scenario))
    seen = {name: tally.measure(name)[0, :3].tolist() for name in CONTACT_MEASURES}
    assert {name: cells for name, cells in seen.items() if any(cells)} == {
        "offered": [3, 2, 1],
        "answered": [2, 0, 0],
        "handle_time": [120 * SECOND, 0, 0],
        "requests": [3, 0, 0],
        "lost": [1, 0, 0],  # not the first request: an agent was met
        "blocked": [1, 1, 1],
        "cleared": [0, 1, 0],
        "redials": [0, 1, 1],
        "redials_cut": [0, 0, 1],
        "unresolved": [2, 0, 0],
        "repeats": [0, 1, 0],
        "repeats_cut": [1, 0, 0],
    }


def test_the_warm_up_is_dropped_but_who_came_from_it_is_served() -> None:
    case, model = compiled({"call": {}}, shift(0, 24), begins="cyclic", warm_up="2 h")
    rows = [
        {"arrival": -60, "wait": 30, "handling": 120, "outcome": Outcome.ANSWERED},
        {"arrival": -10, "wait": 5, "outcome": Outcome.ABANDONED, "last": 0},
        {"arrival": 50, "interval": -1, "attempt": 1, "again": 1, "outcome": Outcome.ABANDONED},
    ]
    tally = count(model, log_of(model, rows), measuring_rules(case.scenario))
    # Of the warm-up only a redial is offered: a contact, but no request of this horizon.
    totals = {name: int(tally.measure(name).sum()) for name in CONTACT_MEASURES}
    assert totals == dict.fromkeys(CONTACT_MEASURES, 0) | {
        "offered": 1,
        "abandoned": 1,
        "short_abandons": 1,
        "redials": 1,
    }
    # Handling ran from 30 s before to 90 s after the beginning.
    assert tally.group_measure("handling").sum() == 90 * SECOND
    assert tally.group_measure("handling")[0, 0] == 90 * SECOND


def test_agents_time_counts_where_it_is_spent() -> None:
    _, model = compiled({"call": {}}, shift(9.25, 1.5), shift(23, 2))
    log = log_of(model, [{"arrival": 3600 * 10, "handling": 7200, "outcome": Outcome.ANSWERED}])
    left = model.stretches.end.copy()
    left[0] += 75 * MINUTE  # the contact in hand ends at 12:00, the shift ended at 10:45
    tally = count(model, replace(log, stretch_left=left), measuring_rules(_.scenario))
    in_minutes = {name: tally.group_measure(name)[0] / MINUTE for name in GROUP_MEASURES}
    assert in_minutes["on_the_floor"][18:25].tolist() == [15, 30, 30, 30, 30, 30, 0]
    assert in_minutes["handling"][18:25].tolist() == [0, 0, 30, 30, 30, 30, 0]
    assert in_minutes["after_shift"][18:25].tolist() == [0, 0, 0, 15, 30, 30, 0]
    # What lies beyond the end of a horizon that is not cyclic counts in its last interval.
    assert in_minutes["on_the_floor"][46:].tolist() == [30, 90]


def test_what_lies_beyond_a_cyclic_end_is_counted_at_its_beginning_only() -> None:
    for warm_up in ("4 h", "0 s"):
        case, model = compiled({"call": {}}, shift(22, 8), begins="cyclic", warm_up=warm_up)
        tally = count(model, log_of(model, []), measuring_rules(case.scenario))
        floor = tally.group_measure("on_the_floor")[0] / HOUR
        assert floor.sum() == 8
        assert (floor[:12].sum(), floor[-4:].sum()) == (6, 2)


# Samples.


def samples(values: list[list[int]], block_size: int, **scenario: Any) -> tuple[Case, Sample]:
    """Replications in which so many were answered in time, of so many offered, a day."""
    case, model = compiled({"call": scenario.pop("call", {})}, shift(0, 24), **scenario)
    tallies = []
    for good, offered in values:
        rows = [{"arrival": 40_000, "outcome": Outcome.ANSWERED, "wait": 1}] * good
        rows += [{"arrival": 40_000, "outcome": Outcome.ABANDONED, "wait": 90}] * (offered - good)
        tallies.append(count(model, log_of(model, rows), measuring_rules(case.scenario)))
    blocks = [tallies[i : i + block_size] for i in range(0, len(tallies), block_size)]
    return case, join(
        [block_sample(block, no_waits(1, case.grid), case.grid, case.scenario) for block in blocks]
    )


DAYS = [[8, 10], [0, 0], [5, 10], [9, 9], [18, 20], [3, 10], [7, 7], [8, 10], [10, 10], [16, 20]]


def test_joined_blocks_keep_every_replication_and_add_their_sums() -> None:
    _, sample = samples(DAYS * 2, 2)
    assert sample.replications == 20
    assert sample.measure("offered")[:, 0, 0].tolist() == [offered for _, offered in DAYS * 2]
    blocks = sample.blocks(sample.measure("offered")[:, 0, 0])
    assert blocks.tolist() == [10, 19, 30, 17, 30] * 2
    x, y, xx, xy, yy = sample.intervals.contact_types[:, 1, 0, 22]
    good = np.array([8, 14, 21, 15, 26] * 2)
    assert (x, y) == (good.sum(), blocks.sum())
    assert (xx, xy, yy) == ((good**2).sum(), (good * blocks).sum(), (blocks**2).sum())


def test_an_intervals_estimate_is_that_of_its_blocks() -> None:
    from ccsim.statistics import ratio

    case, sample = samples(
        DAYS * 2, 2, call={"targets": ["80% answered within 20 s, over each day"]}
    )
    by_interval = sample.intervals.estimates("service_level")
    (kept,) = measure_promises(sample, case.scenario, case.grid, measuring_rules(case.scenario))
    again = ratio(
        sample.blocks(sample.in_time[:, 0, 0, 0]), sample.blocks(sample.measure("offered")[:, 0, 0])
    )
    assert kept.estimate.value == again.value == pytest.approx(84 / 106)
    for name in ("value", "lower", "upper"):
        assert getattr(by_interval, name)[0, 22] == pytest.approx(getattr(kept.estimate, name))
    assert np.isnan(by_interval.value[0, 21])


def test_days_without_offers_neither_meet_nor_miss() -> None:
    promised = {"targets": ["80% answered within 20 s, over each day, on at least 50% of days"]}
    case, sample = samples(DAYS * 2, 2, call=promised)
    rules = measuring_rules(case.scenario)
    (kept,) = measure_promises(sample, case.scenario, case.grid, rules)
    assert kept.share_of_days is not None
    assert kept.share_of_days.value == pytest.approx(7 / 9)
    (judged,) = promise_samples(sample, case.scenario, case.grid, rules)
    assert isinstance(judged, ShareSample)
    assert (judged.successes, judged.trials, judged.trials_per_block) == (14, 18, 2)


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        ("at most 20% abandoned, over each day", 22 / 106, 7),
        ("at most 20% lost, over each day", 22 / 106, 7),
        ("average speed of answer at most 1 s, over each day", 1.0, 9),
    ],
)
def test_other_promises(target: str, value: float, met: int) -> None:
    case, sample = samples(DAYS, 1, call={"targets": [target]})
    rules = measuring_rules(case.scenario)
    (kept,) = measure_promises(sample, case.scenario, case.grid, rules)
    assert kept.estimate.value == pytest.approx(value)
    over, under = parts(kept.promise, sample, case.scenario, rules)
    assert met_days(kept.promise, over, under) == (met, 9)
    (judged,) = promise_samples(sample, case.scenario, case.grid, rules)
    assert isinstance(judged, TargetSample)


def test_a_day_target_is_a_promise_for_each_day_that_opens() -> None:
    targets = ["80% answered within 20 s, over each day", "at most 5% lost, over the horizon"]
    call = {"open": {"mon-fri": "08:00-18:00"}, "targets": targets}
    case, _ = compiled({"call": call}, shift(0, 24), days=7)
    made = promises(case.scenario, case.grid)
    assert [promise.days for promise in made] == [(d,) for d in range(5)] + [tuple(range(7))]
    assert made[0].name == "call, 2026-09-07: 80% answered within 20 s, over each day"
    assert made[5] == Promise("call", made[5].target, tuple(range(7)), f"call: {targets[1]}")


def test_days_are_local_days_when_clocks_change() -> None:
    case, model = compiled(
        {"call": {}}, shift(0, 24), time_zone="Europe/Berlin", start="2026-03-29", days=2
    )
    rows = [
        {"arrival": 23 * 3600 - 1, "outcome": Outcome.ABANDONED},
        {"arrival": 23 * 3600, "outcome": Outcome.ABANDONED},
        {"arrival": 23 * 3600 + 1, "outcome": Outcome.ABANDONED},
    ]
    tally = count(model, log_of(model, rows), measuring_rules(case.scenario))
    sample = block_sample([tally], no_waits(1, case.grid), case.grid, case.scenario)
    assert sample.measure("offered")[0, 0].tolist() == [1, 2]
    assert (sample.group_measure("on_the_floor")[0, 0] / HOUR).tolist() == [23, 1]
