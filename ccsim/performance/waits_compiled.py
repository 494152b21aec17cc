"""Waits of a log counted into bins in one pass of machine code: the numbers of `waits.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.machine_code_compiled import compiled
from ccsim.simulation.log import ContactLog

_ANSWERED = 0
# As in `waits.py`.
_BEFORE = (1023 + 16) * 256


@compiled
def _count(
    contact_type: Any, arrival: Any, left_queue: Any, outcome: Any, day: Any, interval_us: Any,
    totals: Any,
) -> None:  # fmt: skip
    last = totals.shape[2] - 1
    end = day.size * interval_us
    for row in range(arrival.size):
        when = arrival[row]
        if outcome[row] != _ANSWERED or when < 0 or when >= end:
            continue
        wait, place = left_queue[row] - when, 0
        if wait > 0:
            bits = np.float64(wait).view(np.int64) >> 44
            place = min(max(bits - _BEFORE + 2, 1), last)
        totals[contact_type[row], day[when // interval_us], place] += np.uint32(1)


def count_into(
    log: ContactLog, day: NDArray[np.int64], interval_us: int, totals: NDArray[np.uint32]
) -> None:
    """Add the waits of a log to totals, shape (n_contact_types, n_days, n_bins)."""
    _count(
        log.contact_type, log.arrival, log.left_queue, log.outcome, day, interval_us, totals
    )  # fmt: skip
