"""Random words and look-ups in quantile tables, for the passes in machine code that need them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ccsim.demand.machine_code_compiled import compiled

# As in `ccsim.demand.keyed` and `ccsim.demand.table`.
_PARITY = np.uint64(0x1BD11BDAA9FC1A22)
_SIDE = 53 * 256
_TOP_HALF, _END = 1 << 52, 1 << 54
_FRACTION = (1 << 31) - 1


@compiled
def _turned(word: Any, bits: Any) -> Any:
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


@compiled
def random_words(first: Any, second: Any, high: Any, low: Any) -> Any:
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
def looked_up(chance: Any, table: Any, word: Any) -> Any:
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
