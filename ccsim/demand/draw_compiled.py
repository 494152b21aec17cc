"""First attempts, and who is there, in machine code: the numbers of `draw.py`, sooner."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.chance import (
    ARRIVAL_KEY,
    HANDLE_KEY,
    PATIENCE,
    PATIENCE_KEY,
    TABLES,
    TALK_TIME,
    WRAP_UP,
    Chance,
)
from ccsim.demand.chance_compiled import looked_up, random_words
from ccsim.demand.draw import Draw, first_day
from ccsim.demand.machine_code_compiled import compiled

Integers = NDArray[np.int64]

_PPM = 1_000_000
_LAYOUT = 0x9E362EE6  # as in `ccsim.simulation.engine_compiled`


@compiled
def _high(member: Any, interval_or_day: Any) -> Any:
    """First word of a counter: the replication and where in its horizon."""
    return np.uint64(member) << np.uint64(32) | np.uint64(interval_or_day & 0xFFFFFFFF)


@compiled
def _words_of(keys: Any, high: Any, count: Any, begin: Any, ones: Any, others: Any) -> None:
    """Random words of contacts 0, 1, … of an interval; always eight more or less, as vectors do."""
    first, second = keys
    for number in range((count + 7) // 8 * 8):
        place = np.uint64(begin + number)
        ones[place], others[place] = random_words(
            first, second, high, np.uint64(number) << np.uint64(32)
        )


@compiled
def _in_order(offset: Any, bucket: Any, begins: Any, order: Any, count: Any) -> None:
    """Order the contacts of an interval by offset, then by number.

    Offsets are uniform, so that buckets, one for each contact, leave next to nothing to sort.
    """
    for number in range(count + 1):
        begins[number] = 0
    for number in range(count):
        begins[bucket[number] + 1] += 1
    for number in range(count):
        begins[number + 1] += begins[number]
    for number in range(count):
        place = begins[bucket[number]]
        begins[bucket[number]] += 1
        order[place] = number
    for place in range(1, count):
        number, back = order[place], place
        while back:
            before = order[back - 1]
            # Two of one microsecond may lie in two buckets.
            if offset[before] < offset[number] or (
                offset[before] == offset[number] and before < number
            ):
                break
            order[back] = before
            back -= 1
        order[back] = number


@compiled
def _draw(
    chance: Any, counts: Any, talk_factor: Any, member: Any, first_interval: Any, interval_us: Any,
    columns: Any, spare: Any, words: Any,
) -> None:  # fmt: skip
    """Write the contacts of all intervals, in order of (arrival, content)."""
    row = 0
    types, intervals = counts.shape
    type_of, interval_of, ordinal_of, arrival, handle_time, patience = columns
    offset, bucket, begins, order, kind, ordinal = spare
    when, talk, wrap_up, stay, unused = words
    keys = chance.keys
    for place in range(intervals):
        interval = first_interval + place
        high = _high(member, interval)
        count = 0
        for contact_type in range(types):
            count += counts[contact_type, place]
        drawn = 0
        for contact_type in range(types):
            some = counts[contact_type, place]
            _words_of(keys[contact_type, ARRIVAL_KEY], high, some, drawn, when, unused)
            _words_of(keys[contact_type, HANDLE_KEY], high, some, drawn, talk, wrap_up)
            _words_of(keys[contact_type, PATIENCE_KEY], high, some, drawn, stay, unused)
            for number in range(some):
                moment = when[drawn] >> np.uint64(32)
                offset[drawn] = np.int64((moment * np.uint64(interval_us)) >> np.uint64(32))
                bucket[drawn] = np.int64((moment * np.uint64(count)) >> np.uint64(32))
                kind[drawn], ordinal[drawn] = contact_type, number
                drawn += 1
        _in_order(offset, bucket, begins, order, count)
        for number in range(count):
            drawn = order[number]
            contact_type = kind[drawn]
            talk_time = looked_up(chance, TABLES * contact_type + TALK_TIME, talk[drawn])
            factor = talk_factor[contact_type, place]
            if factor != _PPM:
                whole, rest = talk_time // _PPM, talk_time % _PPM
                talk_time = whole * factor + (rest * factor + _PPM // 2) // _PPM
            type_of[row], interval_of[row] = contact_type, interval
            ordinal_of[row] = ordinal[drawn]
            arrival[row] = interval * interval_us + offset[drawn]
            handle_time[row] = talk_time + looked_up(
                chance, TABLES * contact_type + WRAP_UP, wrap_up[drawn]
            )
            patience[row] = looked_up(chance, TABLES * contact_type + PATIENCE, stay[drawn])
            row += 1


def draw_contacts(
    chance: Chance,
    counts: Integers,
    talk_factor: Integers,
    replication: int,
    first_interval: int,
    interval_us: int,
) -> tuple[Integers, ...]:
    """Columns of `Contacts`, sorted by arrival, then by content.

    Parameters
    ----------
    chance : Chance
        Keys and tables.
    counts, talk_factor : ndarray of int64, shape (n_contact_types, n_intervals)
        Contacts, and the day's factor on talk time [per million], warm-up first.
    replication : int
        Its number.
    first_interval, interval_us : int
        Number of the first interval (negative with a warm-up) and length of each [µs].
    """
    columns = tuple(np.empty(int(counts.sum()), np.int64) for _ in range(6))
    room = int(counts.sum(axis=0).max(initial=0)) + 1
    spare = tuple(np.empty(room, np.int64) for _ in range(6))
    words = tuple(np.empty(room + 7, np.uint64) for _ in range(5))
    _draw(
        chance, counts, talk_factor, replication, first_interval, interval_us, columns, spare, words
    )
    return columns


@compiled
def _who_is_there(
    keys: Any, below: Any, group: Any, day: Any, ordinal: Any, first_day: Any, member: Any,
    there: Any,
) -> None:  # fmt: skip
    for place in range(group.size):
        first, second = keys[group[place]]
        word, _ = random_words(
            first, second, _high(member, day[place]), np.uint64(ordinal[place]) << np.uint64(32)
        )
        limit = below[group[place], day[place] - first_day]
        there[place] = np.int64(word >> np.uint64(11)) >= limit


def who_is_there(
    chance: Chance, draw: Draw, group: Integers, day: Integers, ordinal: Integers
) -> NDArray[np.bool_]:
    """`Draw.present` of agents of several groups, one of each array for each."""
    there = np.empty(len(group), bool)
    _who_is_there(
        chance.absence_keys, draw.absent_below, group, day, ordinal, first_day(draw.demand),
        draw.replication, there,
    )  # fmt: skip
    return there
