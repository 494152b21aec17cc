"""What an attempt leads to, in machine code: a redial, a repeat, a transfer, or a cut."""

from __future__ import annotations

from typing import Any

import numpy as np

from ccsim.demand.chance import (
    AGENT_KEY,
    CALLBACK_KEY,
    HANDLE_KEY,
    PATIENCE,
    PATIENCE_KEY,
    REDIAL_DELAY,
    REDIAL_KEY,
    REPEAT_DELAY,
    REPEAT_KEY,
    TABLES,
    TALK_TIME,
    TRANSFER_KEY,
    WRAP_UP,
)
from ccsim.demand.chance_compiled import looked_up, random_words
from ccsim.demand.machine_code_compiled import inlined
from ccsim.simulation.log import MET, PASSED_ON, REDIAL

_PPM = 1_000_000

# As in `ccsim.simulation.engine_compiled`.
_LAYOUT = 0xEC646F71


@inlined
def key(rows: Any, row: Any, member: Any, attempt: Any) -> Any:
    """The counter of an attempt's random words."""
    high = (np.uint64(member) << np.uint64(32)) | np.uint64(rows.interval[row] & 0xFFFFFFFF)
    low = np.uint64(rows.ordinal[row]) << np.uint64(32) | np.uint64(attempt) << np.uint64(16)
    return high, low


@inlined
def scaled(length: Any, factor_ppm: Any) -> Any:
    """`ccsim.demand.draw.scale`."""
    if factor_ppm == _PPM:
        return length
    whole, rest = length // _PPM, length % _PPM
    return whole * factor_ppm + (rest * factor_ppm + _PPM // 2) // _PPM


@inlined
def words(chance: Any, rows: Any, row: Any, purpose: Any, member: Any, attempt: Any) -> Any:
    """The two random words of an attempt for a purpose."""
    high, low = key(rows, row, member, attempt)
    first, second = chance.keys[rows.origin[row], purpose]
    return random_words(first, second, high, low)


@inlined
def tries(
    centre: Any, chance: Any, floor: Any, rows: Any, row: Any, new: Any, when: Any, to: Any,
    longer: Any, at_most: Any, why: Any, member: Any,
) -> Any:  # fmt: skip
    """Write the next attempt of a request to a new row, or say that it is cut.

    It takes as long as the last one; for another contact type it is drawn anew.
    """
    if rows.attempt[row] >= at_most or when >= centre.end:
        rows.cut[row] = True
        return False
    attempt = rows.attempt[row] + 1
    patience, _ = words(chance, rows, row, PATIENCE_KEY, member, attempt)
    rows.last[row] = False
    rows.contact_type[new], rows.origin[new] = to, rows.origin[row]
    rows.interval[new] = rows.interval[row]
    rows.ordinal[new] = rows.ordinal[row]
    rows.attempt[new], rows.drawn[new] = attempt, rows.drawn[row]
    rows.again[new], rows.unresolved[new], rows.transferred[new] = why, False, False
    rows.called_back[new], rows.cut[new] = False, False
    rows.arrival[new] = when
    rows.patience[new] = looked_up(chance, TABLES * to + PATIENCE, patience)
    handle_time = rows.handle_time[row]
    if to != rows.contact_type[row]:
        rows.drawn[new] = attempt
        talk, wrap_up = words(chance, rows, row, HANDLE_KEY, member, attempt)
        factor = floor.talk_factor[to, (when - centre.begin) // centre.interval_us]
        handle_time = scaled(looked_up(chance, TABLES * to + TALK_TIME, talk), factor)
        handle_time += looked_up(chance, TABLES * to + WRAP_UP, wrap_up)
    rows.handle_time[new] = handle_time + longer
    return True


@inlined
def later(centre: Any, contact_type: Any, moment: Any, delay: Any, opening: Any) -> Any:
    """When a delay from a moment is over, perhaps on a clock that stands while closed."""
    if not opening:
        return moment + delay
    intervals, interval_us = centre.is_open.shape[1], centre.interval_us
    while moment < centre.end:
        interval = moment // interval_us
        follows = (interval + 1) * interval_us
        if centre.is_open[contact_type, interval % intervals]:
            if delay < follows - moment:
                return moment + delay
            delay -= follows - moment
        moment = follows
    return moment


@inlined
def redials(
    centre: Any, chance: Any, floor: Any, rows: Any, row: Any, new: Any, now: Any, member: Any
) -> Any:
    """Whether who gave up, or was blocked, calls again; her next attempt is then in a new row."""
    contact_type = rows.contact_type[row]
    below = chance.redial_below[contact_type]
    if below == 0:
        return False
    again, delay = words(chance, rows, row, REDIAL_KEY, member, rows.attempt[row])
    uniform = np.int64(again >> np.uint64(11))
    if uniform >= below:
        return False
    length = looked_up(chance, TABLES * contact_type + REDIAL_DELAY, delay)
    when = later(centre, contact_type, now, length, centre.redials_while_open[contact_type])
    to = contact_type
    if uniform < scaled(below, centre.redials_elsewhere[contact_type]):
        to = centre.redials_to[contact_type]
    most, why = centre.redials_at_most[contact_type], rows.again[row] & MET | REDIAL
    return tries(centre, chance, floor, rows, row, new, when, to, 0, most, why, member)


@inlined
def repeats(
    centre: Any, chance: Any, floor: Any, rows: Any, row: Any, new: Any, end: Any, below: Any,
    member: Any,
) -> Any:  # fmt: skip
    """Whether who is answered, but not done with the matter, contacts again, as by `redials`."""
    contact_type = rows.contact_type[row]
    settled, delay = words(chance, rows, row, REPEAT_KEY, member, rows.attempt[row])
    uniform = np.int64(settled >> np.uint64(11))
    if uniform >= below:
        return False
    rows.unresolved[row] = True
    if not chance.repeats[contact_type]:
        return False
    length = looked_up(chance, TABLES * contact_type + REPEAT_DELAY, delay)
    when = later(centre, contact_type, end, length, centre.repeats_while_open[contact_type])
    to = contact_type
    if uniform < scaled(below, centre.repeats_elsewhere[contact_type]):
        to = centre.repeats_to[contact_type]
    most = centre.repeats_at_most[contact_type]
    return tries(centre, chance, floor, rows, row, new, when, to, 0, most, MET, member)


@inlined
def is_passed_on(chance: Any, rows: Any, row: Any, below: Any, member: Any) -> Any:
    """Whether the agent passes the contact on."""
    if below == 0:
        return False
    word, _ = words(chance, rows, row, TRANSFER_KEY, member, rows.attempt[row])
    return np.int64(word >> np.uint64(11)) < below


@inlined
def unresolved_below(resolution_ppm: Any, multiple_ppm: Any) -> Any:
    """`ccsim.simulation.pace.unresolved_below`."""
    share = _PPM - min(scaled(resolution_ppm, multiple_ppm), _PPM)
    whole, left = share // 5**6, share % 5**6
    return (whole << 47) + ((left << 47) + 5**6 - 1) // 5**6


@inlined
def passes_on(
    centre: Any, chance: Any, floor: Any, rows: Any, row: Any, new: Any, end: Any, group: Any,
    member: Any,
) -> Any:  # fmt: skip
    """Write the attempt that follows when the agent is done; whether there is one."""
    contact_type = rows.contact_type[row]
    rows.transferred[row] = True
    to, longer = (
        centre.transfer_to[group, contact_type],
        centre.context_lost[group, contact_type],
    )
    most = centre.transfers_at_most[group, contact_type]
    why = MET | PASSED_ON
    return tries(centre, chance, floor, rows, row, new, end, to, longer, most, why, member)


@inlined
def callback(chance: Any, rows: Any, row: Any, member: Any) -> Any:
    """`ccsim.demand.draw.Draw.callback`."""
    accepts, answers = words(chance, rows, row, CALLBACK_KEY, member, rows.attempt[row])
    return np.int64(accepts >> np.uint64(11)), np.int64(answers >> np.uint64(11))


@inlined
def wrap_up_of(chance: Any, rows: Any, row: Any, member: Any) -> Any:
    """`ccsim.demand.draw.Draw.wrap_up`."""
    _, word = words(chance, rows, row, HANDLE_KEY, member, rows.drawn[row])
    return looked_up(chance, TABLES * rows.contact_type[row] + WRAP_UP, word)


@inlined
def any_of(chance: Any, rows: Any, row: Any, number: Any, member: Any) -> Any:
    """`ccsim.demand.draw.Draw.any_of`."""
    word, _ = words(chance, rows, row, AGENT_KEY, member, rows.attempt[row])
    return np.int64((word >> np.uint64(32)) * np.uint64(number) >> np.uint64(32))
