"""One replication's log counted in one pass of machine code: the numbers of `tally.py`, faster."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.machine_code_compiled import compiled
from ccsim.simulation.log import ContactLog
from ccsim.simulation.model import Model

Integers = NDArray[np.int64]


_ANSWERED, _ABANDONED, _CLOSED, _WAITING, _BLOCKED, _CLEARED, _BALKED, _UNREACHED = range(8)
_REDIAL, _MET, _PASSED_ON = 1, 2, 4
# Rows of `CONTACT_MEASURES` and `GROUP_MEASURES`; tests hold them against each other.
(
    _OFFERED, _TAKEN, _LOST_PATIENCE, _SHORT, _SHUT, _LEFT, _WAIT_ANSWERED, _WAIT_ALL, _HANDLE_TIME,
    _REQUESTS, _LOST, _REDIALS, _REDIALS_CUT, _TURNED_AWAY, _DISCONNECTED, _UNSETTLED, _REPEATS,
    _REPEATS_CUT, _TRANSFERRED, _TRANSFERS, _HUNG_UP, _CALLBACKS, _NOT_REACHED,
) = range(23)  # fmt: skip
_HANDLING, _ON_THE_FLOOR, _AFTER_SHIFT = range(3)
_LATER = 2**63 - 1


@compiled
def _spend(total: Any, begin: Any, end: Any, interval_us: Any, cyclic: Any) -> None:
    """Add the time from `begin` to `end` to the intervals in which it lies."""
    intervals = total.size
    begin = max(begin, 0)
    if cyclic:
        end = min(end, intervals * interval_us)
    interval = min(begin // interval_us, intervals - 1)
    while begin < end:
        # What is past the last interval counts there.
        edge = (interval + 1) * interval_us if interval < intervals - 1 else _LATER
        until = min(edge, end)
        total[interval] += until - begin
        begin, interval = until, interval + 1


@compiled
def _count(
    log: Any, group_of: Any, stretches: Any, thresholds: Any, short: Any, end: Any,
    interval_us: Any, cyclic: Any, contacts: Any, in_time: Any, gone_in_time: Any, groups: Any,
    handled: Any,
) -> None:  # fmt: skip
    (
        contact_type, origin, first_interval, attempt, arrival, outcome, left_queue, taken, ended,
        agent, last, again, unresolved, called_back, transferred, cut, stretch_came, stretch_left,
    ) = log  # fmt: skip
    for row in range(arrival.size):
        kind, became = contact_type[row], outcome[row]
        when, left = arrival[row], left_queue[row]
        handling = ended[row] - left
        if agent[row] >= 0:
            group = group_of[agent[row]]
            _spend(groups[_HANDLING, group], taken[row], ended[row], interval_us, cyclic)
        never_met = became != _ANSWERED and not again[row] & _MET
        if never_met and last[row] and first_interval[row] >= 0:
            # A request is lost when it never got an answer; it counts where it began.
            contacts[_LOST, origin[row], first_interval[row]] += 1
        if when < 0 or when >= end:
            continue
        interval, wait = when // interval_us, left - when
        contacts[_OFFERED, kind, interval] += 1
        if attempt[row] == 0:
            contacts[_REQUESTS, kind, interval] += first_interval[row] >= 0
        elif again[row] & _REDIAL:
            contacts[_REDIALS, kind, interval] += 1
        elif again[row] & _PASSED_ON:
            contacts[_TRANSFERS, kind, interval] += 1
        else:
            contacts[_REPEATS, kind, interval] += 1
        contacts[_CALLBACKS, kind, interval] += called_back[row]
        if cut[row]:
            what = _REPEATS_CUT if became == _ANSWERED else _REDIALS_CUT
            contacts[what, kind, interval] += 1
        if became == _ANSWERED:
            contacts[_TAKEN, kind, interval] += 1
            contacts[_WAIT_ANSWERED, kind, interval] += wait
            contacts[_WAIT_ALL, kind, interval] += wait
            contacts[_HANDLE_TIME, kind, interval] += handling
            contacts[_UNSETTLED, kind, interval] += unresolved[row]
            contacts[_TRANSFERRED, kind, interval] += transferred[row]
            handled[group, kind] += handling
            for number in range(thresholds.shape[0]):
                in_time[number, kind, interval] += wait <= thresholds[number, kind]
        elif became == _ABANDONED or became == _BALKED:  # noqa: PLR1714, SIM109 (slower)
            contacts[_HUNG_UP, kind, interval] += became == _BALKED
            contacts[_LOST_PATIENCE, kind, interval] += 1
            contacts[_WAIT_ALL, kind, interval] += wait
            contacts[_SHORT, kind, interval] += wait <= short[kind]
            for number in range(thresholds.shape[0]):
                gone_in_time[number, kind, interval] += wait <= thresholds[number, kind]
        elif became == _CLOSED:
            contacts[_SHUT, kind, interval] += 1
        elif became == _UNREACHED:
            contacts[_NOT_REACHED, kind, interval] += 1
        elif became == _BLOCKED:
            contacts[_TURNED_AWAY, kind, interval] += 1
        elif became == _CLEARED:
            contacts[_DISCONNECTED, kind, interval] += 1
        else:
            contacts[_LEFT, kind, interval] += 1

    stretch_agent, shift_end = stretches
    for stretch in range(stretch_agent.size):
        group = group_of[stretch_agent[stretch]]
        begin, left = stretch_came[stretch], stretch_left[stretch]
        _spend(groups[_ON_THE_FLOOR, group], begin, left, interval_us, cyclic)
        _spend(groups[_AFTER_SHIFT, group], shift_end[stretch], left, interval_us, cyclic)


def count_into(
    model: Model,
    log: ContactLog,
    thresholds: Integers,
    short: Integers,
    totals: tuple[Integers, ...],
) -> None:
    """Add a log to totals, the arrays of a `Tally` in their order.

    Parameters
    ----------
    model, log
        What was played, and what happened.
    thresholds : ndarray of int64, shape (n_thresholds, n_contact_types)
        Waits [µs] by which *in time* is counted; -1 counts nobody.
    short : ndarray of int64, shape (n_contact_types,)
        Longest wait of a short abandon [µs].
    totals : tuple of ndarray of int64
        Counted into.
    """
    stretches = model.stretches
    _count(
        (
            log.contact_type, log.origin, log.interval, log.attempt, log.arrival, log.outcome,
            log.left_queue, log.taken, log.ended, log.agent, log.last, log.again, log.unresolved,
            log.called_back, log.transferred, log.cut, log.stretch_came, log.stretch_left,
        ),
        model.agent_group,
        (stretches.agent, stretches.shift_end),
        thresholds, short, model.end, model.interval_us, model.cyclic, *totals,
    )  # fmt: skip
