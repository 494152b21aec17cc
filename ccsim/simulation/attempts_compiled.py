"""What an attempt leads to, in machine code: a redial, a repeat, a line that is free again."""

from __future__ import annotations

from typing import Any

import numpy as np

from ccsim.demand.chance import (
    AGENT_KEY,
    HANDLE_KEY,
    PATIENCE,
    PATIENCE_KEY,
    REDIAL_DELAY,
    REDIAL_KEY,
    REPEAT_DELAY,
    REPEAT_KEY,
    TABLES,
    WRAP_UP,
)
from ccsim.demand.chance_compiled import looked_up, random_words
from ccsim.demand.machine_code_compiled import inlined
from ccsim.simulation.log import MET, REDIAL

_PPM = 1_000_000

# As in `ccsim.simulation.engine_compiled`.
_LAYOUT = 0x81BFB0B0


@inlined
def key(rows: Any, row: Any, member: Any, attempt: Any) -> Any:
    """The counter of an attempt's random words."""
    high = (np.uint64(member) << np.uint64(32)) | np.uint64(rows.interval[row] & 0xFFFFFFFF)
    low = np.uint64(rows.ordinal[row]) << np.uint64(32) | np.uint64(attempt) << np.uint64(16)
    return high, low


@inlined
def tries_again(
    centre: Any, chance: Any, rows: Any, row: Any, new: Any, when: Any, at_most: Any, why: Any,
    member: Any,
) -> Any:  # fmt: skip
    """Write the next attempt of a request to a new row, or say that it is cut."""
    if rows.attempt[row] >= at_most or when >= centre.end:
        rows.cut[row] = True
        return False
    contact_type, attempt = rows.contact_type[row], rows.attempt[row] + 1
    high, low = key(rows, row, member, attempt)
    first, second = chance.keys[contact_type, PATIENCE_KEY]
    patience, _ = random_words(first, second, high, low)
    rows.last[row] = False
    rows.contact_type[new] = contact_type
    rows.interval[new] = rows.interval[row]
    rows.ordinal[new] = rows.ordinal[row]
    rows.attempt[new] = attempt
    rows.again[new], rows.unresolved[new], rows.cut[new] = why, False, False
    rows.arrival[new] = when
    rows.handle_time[new] = rows.handle_time[row]
    rows.patience[new] = looked_up(chance, TABLES * contact_type + PATIENCE, patience)
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
def redials(centre: Any, chance: Any, rows: Any, row: Any, new: Any, now: Any, member: Any) -> Any:
    """Whether who gave up, or was blocked, calls again; her next attempt is then in a new row."""
    contact_type = rows.contact_type[row]
    if chance.redial_below[contact_type] == 0:
        return False
    high, low = key(rows, row, member, rows.attempt[row])
    first, second = chance.keys[contact_type, REDIAL_KEY]
    again, delay = random_words(first, second, high, low)
    if np.int64(again >> np.uint64(11)) >= chance.redial_below[contact_type]:
        return False
    length = looked_up(chance, TABLES * contact_type + REDIAL_DELAY, delay)
    when = later(centre, contact_type, now, length, centre.redials_while_open[contact_type])
    most, why = centre.redials_at_most[contact_type], rows.again[row] | REDIAL
    return tries_again(centre, chance, rows, row, new, when, most, why, member)


@inlined
def repeats(
    centre: Any, chance: Any, rows: Any, row: Any, new: Any, end: Any, below: Any, member: Any
) -> Any:
    """Whether who is answered, but not done with the matter, contacts again, as by `_redials`."""
    contact_type = rows.contact_type[row]
    high, low = key(rows, row, member, rows.attempt[row])
    first, second = chance.keys[contact_type, REPEAT_KEY]
    settled, delay = random_words(first, second, high, low)
    if np.int64(settled >> np.uint64(11)) >= below:
        return False
    rows.unresolved[row] = True
    if not chance.repeats[contact_type]:
        return False
    length = looked_up(chance, TABLES * contact_type + REPEAT_DELAY, delay)
    when = later(centre, contact_type, end, length, centre.repeats_while_open[contact_type])
    most = centre.repeats_at_most[contact_type]
    return tries_again(centre, chance, rows, row, new, when, most, MET, member)


@inlined
def scaled(length: Any, factor_ppm: Any) -> Any:
    """`ccsim.demand.draw.scale`."""
    if factor_ppm == _PPM:
        return length
    whole, rest = length // _PPM, length % _PPM
    return whole * factor_ppm + (rest * factor_ppm + _PPM // 2) // _PPM


@inlined
def talk_ends(chance: Any, rows: Any, row: Any, end: Any, handle_ppm: Any, member: Any) -> Any:
    """When the line of an answered contact will be free: wrap-up needs none."""
    contact_type = rows.contact_type[row]
    high, low = key(rows, row, member, 0)
    first, second = chance.keys[contact_type, HANDLE_KEY]
    _, word = random_words(first, second, high, low)
    wrap_up = looked_up(chance, TABLES * contact_type + WRAP_UP, word)
    return max(rows.left_queue[row], end - scaled(wrap_up, handle_ppm))


@inlined
def any_of(chance: Any, rows: Any, row: Any, number: Any, member: Any) -> Any:
    """`ccsim.demand.draw.Draw.any_of`."""
    high, low = key(rows, row, member, rows.attempt[row])
    first, second = chance.keys[rows.contact_type[row], AGENT_KEY]
    word, _ = random_words(first, second, high, low)
    return np.int64((word >> np.uint64(32)) * np.uint64(number) >> np.uint64(32))
