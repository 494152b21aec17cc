"""First attempts of a replication in one pass of machine code: the numbers of `draw.py`, faster.

Everything the pass calls stands in this file, since a cached pass does not notice a change
elsewhere; so Threefry and the look-up in a quantile table stand here once more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.chance import (
    ARRIVAL_KEY,
    HANDLE_KEY,
    PATIENCE,
    PATIENCE_KEY,
    TALK_TIME,
    WRAP_UP,
    Chance,
)
from ccsim.demand.machine_code_compiled import compiled

Integers = NDArray[np.int64]


_PARITY = np.uint64(0x1BD11BDAA9FC1A22)
_SIDE = 53 * 256
_TOP_HALF, _END = 1 << 52, 1 << 54
_FRACTION = (1 << 31) - 1
_PPM = 1_000_000
_LAYOUT = 0x2D23D7A1  # as in `ccsim.simulation.engine_compiled`


@compiled
def _turned(word: Any, bits: Any) -> Any:
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


@compiled
def _random_words(first: Any, second: Any, high: Any, low: Any) -> Any:
    """`ccsim.demand.keyed.threefry2x64_one`."""
    third = _PARITY ^ first ^ second
    a, b = high + first, low + second
    for stage in range(1, 6):
        odd = stage % 2 == 1
        a += b
        b = _turned(b, 16) ^ a
        a += b
        b = _turned(b, 42 if odd else 32) ^ a
        a += b
        b = _turned(b, 12 if odd else 24) ^ a
        a += b
        b = _turned(b, 31 if odd else 21) ^ a
        if stage % 3 == 1:
            a, b = a + second, b + third
        elif stage % 3 == 2:
            a, b = a + third, b + first
        else:
            a, b = a + first, b + second
        b += np.uint64(stage)
    return a, b


@compiled
def _words_of(keys: Any, high: Any, count: Any, begin: Any, ones: Any, others: Any) -> None:
    """Random words of contacts 0, 1, … of an interval; always eight more or less, as vectors do."""
    first, second = keys
    for number in range((count + 7) // 8 * 8):
        place = np.uint64(begin + number)
        ones[place], others[place] = _random_words(
            first, second, high, np.uint64(number) << np.uint64(32)
        )


@compiled
def _looked_up(chance: Any, table: Any, word: Any) -> Any:
    """`ccsim.demand.table.evaluate_one`."""
    u = np.int64(word >> np.uint64(11))
    upper = u >= _TOP_HALF
    t = _END - 2 * u - 1 if upper else 2 * u + 1
    bits = np.float64(t).view(np.int64)  # octave, cell and fraction; exact, as t < 2**53
    cell = chance.first_cell[table] + (bits >> 44) - (1023 << 8) + (_SIDE if upper else 0)
    first, past = chance.patches_of[cell, 0], chance.patches_of[cell, 1]
    while first < past and chance.patches[first, 1] <= u:  # patches that end before u
        first += 1
    patched = first < past and chance.patches[first, 0] <= u
    if patched:
        cell = chance.patches[first, 4]
    fraction, rise = (bits >> 13) & _FRACTION, chance.rise[cell]
    value = chance.start[cell] + (rise >> 31) * fraction
    value += ((rise & _FRACTION) * fraction + (1 << 30)) >> 31
    if patched:
        value = min(max(value, chance.patches[first, 2]), chance.patches[first, 3])
    return value


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
    high_part = np.uint64(member) << np.uint64(32)
    types, intervals = counts.shape
    type_of, interval_of, ordinal_of, arrival, handle_time, patience = columns
    offset, bucket, begins, order, kind, ordinal = spare
    when, talk, wrap_up, stay, unused = words
    keys = chance.keys
    for place in range(intervals):
        interval = first_interval + place
        high = high_part | np.uint64(interval & 0xFFFFFFFF)
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
            talk_time = _looked_up(chance, 4 * contact_type + TALK_TIME, talk[drawn])
            factor = talk_factor[contact_type, place]
            if factor != _PPM:
                whole, rest = talk_time // _PPM, talk_time % _PPM
                talk_time = whole * factor + (rest * factor + _PPM // 2) // _PPM
            type_of[row], interval_of[row] = contact_type, interval
            ordinal_of[row] = ordinal[drawn]
            arrival[row] = interval * interval_us + offset[drawn]
            handle_time[row] = talk_time + _looked_up(
                chance, 4 * contact_type + WRAP_UP, wrap_up[drawn]
            )
            patience[row] = _looked_up(chance, 4 * contact_type + PATIENCE, stay[drawn])
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
