"""Waits in bins: none is lost, none is told wrongly by more than a bin, batches stay few."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccsim.demand.draw import draw_replication
from ccsim.demand.model import compile_demand
from ccsim.performance.waits import BINS, Waits, add_waits, bin_of, block_waits, edges, no_waits
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import case_from
from ccsim.simulation.log import Outcome
from ccsim.simulation.model import compile_model
from ccsim.simulation.reference import run
from tests.oracles import scenario_of

MOST_ERROR = 0.004


@given(st.lists(st.integers(0, 2**41), min_size=1, max_size=50))
@settings(deadline=None)
def test_every_wait_is_within_its_bin_and_bins_are_narrow(waits: list[int]) -> None:
    border = edges()
    for wait, place in zip(waits, bin_of(np.array(waits)).tolist(), strict=True):
        assert border[place] <= wait / 1e6 < border[place + 1] or wait == place == 0
        if 2 <= place < BINS - 1:
            assert border[place + 1] / border[place] - 1 < MOST_ERROR


def test_bins_are_in_order_and_all_are_used() -> None:
    border = edges()
    assert len(border) == BINS + 1
    assert (np.diff(border)[1:] > 0).all()
    middles = np.rint((border[1:-2] + border[2:-1]) / 2 * 1e6).astype(np.int64)
    assert bin_of(middles).tolist() == list(range(1, BINS - 1))


def test_compiled_or_not_the_same_waits_are_counted_by_day() -> None:
    pytest.importorskip("numba")
    given_ = {
        "call": {"patience": {"exponential": {"mean": "3 min"}}},
        "vip": {"patience": {"exponential": {"mean": "1 min"}}},
    }
    case = case_from(
        scenario_of(given_, {"desk": {"call": 2, "vip": 1}}, days=2, begins="cyclic", warm_up="1 d")
    )
    demand = compile_demand(case)
    plan = StaffingPlan((), {"desk": (2,) * case.grid.intervals})
    log = run(compile_model(case, demand, plan), draw_replication(demand, 3, 0))
    slow, fast = no_waits(2, case.grid), no_waits(2, case.grid)
    for _ in range(2):  # they add up
        add_waits(log, case.grid, slow)
        add_waits(log, case.grid, fast, compiled=True)
    assert np.array_equal(slow, fast)
    for contact_type in range(2):
        for day in range(2):
            mine = (
                (log.outcome == Outcome.ANSWERED)
                & (log.contact_type == contact_type)
                & (log.arrival >= case.grid.day_starts[day])
                & (log.arrival < case.grid.day_starts[day + 1])
            )
            assert mine.sum() > 10
            expected = 2 * np.bincount(bin_of(log.wait[mine]), minlength=BINS)
            assert np.array_equal(slow[contact_type, day], expected)


def block_of(waits: np.ndarray) -> Waits:
    counts = np.bincount(bin_of(waits), minlength=BINS).astype(np.uint32)
    return block_waits(counts.reshape(1, 1, BINS))


def test_batches_stay_few_and_hold_successive_blocks() -> None:
    # Block k holds one wait of k + 1 seconds, so that it can be recognised.
    blocks = [block_of(np.array([(number + 1) * 1_000_000])) for number in range(300)]
    for number, held in enumerate(accumulate(blocks, Waits.plus), 1):
        assert held.blocks == number
        assert len(held.batches) <= 32
        sizes = [int(batch.sum()) for batch in held.batches]
        assert sizes[:-1] == [held.size] * (len(sizes) - 1)
        assert 0 < sizes[-1] <= held.size
        assert sum(sizes) == number
    ends = np.cumsum(sizes)
    for end, batch in zip(ends, held.batches, strict=True):
        seconds = np.arange(end - batch.sum(), end) + 1
        assert np.array_equal(
            np.sort(bin_of(seconds * 1_000_000)), np.repeat(np.arange(batch.shape[-1]), batch[0, 0])
        )
        assert batch[0, 0, -1] > 0  # no bin beyond the longest wait


@pytest.mark.parametrize("order", [1, -1])
def test_batches_of_long_and_of_short_waits_add_up(order: int) -> None:
    nobody, short, long = (block_of(np.array(waits, np.int64)) for waits in ([], [5], [10**12, 5]))
    blocks = [nobody, short, long, nobody, *[short] * 60][::order]
    *_, held = accumulate(blocks, Waits.plus)
    counts = [batch.sum(axis=(0, 1)) for batch in held.batches]
    assert sum(int(count[1]) for count in counts) == 62
    assert sum(int(count[-1]) for count in counts if len(count) > 2) == 1


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9, 0.99])
def test_a_quantile_is_that_of_the_waits_themselves_to_a_bin(probability: float) -> None:
    random = np.random.default_rng(5)
    waits = [random.exponential(40e6, 400).astype(np.int64) for _ in range(100)]
    blocks = [block_of(one) for one in waits]
    *_, held = accumulate(blocks, Waits.plus)
    found = held.quantile(0, [0], probability)
    exact = np.quantile(np.concatenate(waits), probability, method="inverted_cdf") / 1e6
    assert exact <= found.value <= exact * (1 + MOST_ERROR)
    assert found.lower < found.value < found.upper
