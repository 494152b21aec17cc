"""Every random number of a day, each a pure function of (seed, replication, purpose, key).

A draw is looked up, not taken from a stream: the same contact has the same luck whatever the plan,
the order of events, the number of workers or the size of the centre. More volume extends the
ordinals and moves none; another contact type has a key of its own and touches nobody else's.

The function is Threefry-2x64 with 20 rounds [1]_, in 64-bit integers that wrap around: once on
NumPy arrays for first attempts, once on plain Python ints for what is only needed while a day runs.
Both give the same bits; no mathematical library takes part.

References
----------
.. [1] J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as
   1, 2, 3", SC'11, 2011, :doi:`10.1145/2063384.2063405`.
"""

from __future__ import annotations

import hashlib
import operator
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

StreamKey = tuple[int, int]
"""Two 64-bit words that stand for one seed, one purpose and one content name."""

UNIFORM_BITS = 53
"""A uniform is a whole number of 0 … 2⁵³ − 1; it stands for (u + ½) / 2⁵³, middle of its step."""

CERTAIN_PPM = 1_000_000

_WORD = 2**64 - 1
_PARITY = 0x1BD11BDAA9FC1A22  # of Skein 1.3; keeps the key schedule from vanishing for any key
_ROTATIONS = (16, 42, 12, 31, 16, 32, 24, 21)  # table 2 of [1]
_ROUNDS = 20
_CHUNK = 1 << 14  # words worked on at a time: 128 KiB, so the rounds stay in cache


@lru_cache(maxsize=4096)
def stream_key(seed: int, purpose: str, *names: str) -> StreamKey:
    """Turn a seed, a purpose and the name of the thing drawn for into the key of its draws.

    Parameters
    ----------
    seed
        Seed of the study, zero or a positive whole number of any size.
    purpose
        What is drawn, such as ``"talk time"``.
    *names
        Whom it is drawn for, such as the name of a contact type. Written as the user wrote it.

    Returns
    -------
    tuple of int
        Two words of 64 bits.

    Raises
    ------
    ValueError
        If the seed is not a whole number of zero or more.

    Notes
    -----
    BLAKE2b (128 bits) of the parts, each preceded by its length, so that ``("ab", "c")`` and
    ``("a", "bc")`` differ.

    Examples
    --------
    >>> stream_key(1, "patience", "sales") == stream_key(1, "patience", "support")
    False
    """
    digest = hashlib.blake2b(digest_size=16, person=b"ccsim draws 1")
    for part in (str(_whole("seed", seed, 0, None)), purpose, *names):
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    words = digest.digest()
    return int.from_bytes(words[:8], "little"), int.from_bytes(words[8:], "little")


def draw(
    key: StreamKey,
    replication: ArrayLike,
    interval: ArrayLike,
    ordinal: ArrayLike,
    attempt: ArrayLike = 0,
    touch: ArrayLike = 0,
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Look up the two random words of each contact (or agent-day) named by its coordinates.

    Parameters
    ----------
    key
        From `stream_key`.
    replication
        Which simulated horizon, 0 … 2³² − 1.
    interval
        Interval or day, −2³¹ … 2³¹ − 1; negative during warm-up.
    ordinal
        Number of the contact within its interval, 0 … 2³² − 1.
    attempt, touch
        Which attempt (redial) and which leg of it, 0 … 65 535 each.

    Returns
    -------
    tuple of uint64 arrays
        Two independent words for each element of the broadcast coordinates.

    Raises
    ------
    ValueError
        If a coordinate is not a whole number of its range.

    Notes
    -----
    The 128-bit counter is replication, interval (two's complement) | ordinal, attempt, touch. Two
    different sets of coordinates never share a counter, and Threefry is a bijection of counters
    under one key, so no two draws of a stream are ever the same draw.

    Examples
    --------
    >>> few, _ = draw(stream_key(1, "talk time", "sales"), 0, 18, range(3))
    >>> many, _ = draw(stream_key(1, "talk time", "sales"), 0, 18, range(300))
    >>> bool((few == many[:3]).all())
    True
    """
    high = (_words("replication", replication, 0, 2**32 - 1) << np.uint64(32)) | (
        _words("interval", interval, -(2**31), 2**31 - 1) & np.uint64(2**32 - 1)
    )
    low = (
        (_words("ordinal", ordinal, 0, 2**32 - 1) << np.uint64(32))
        | (_words("attempt", attempt, 0, 2**16 - 1) << np.uint64(16))
        | _words("touch", touch, 0, 2**16 - 1)
    )
    high, low = np.broadcast_arrays(high, low)
    return threefry2x64(key, high, low)


def draw_one(
    key: StreamKey, replication: int, interval: int, ordinal: int, attempt: int = 0, touch: int = 0
) -> tuple[int, int]:
    """Look up the two random words of one contact, in plain ints; the same bits as `draw`.

    Examples
    --------
    >>> key = stream_key(1, "redial", "sales")
    >>> draw_one(key, 3, -1, 7, 2) == tuple(int(word) for word in draw(key, 3, -1, 7, 2))
    True
    """
    high = (_whole("replication", replication, 0, 2**32 - 1) << 32) | (
        _whole("interval", interval, -(2**31), 2**31 - 1) & (2**32 - 1)
    )
    low = (
        (_whole("ordinal", ordinal, 0, 2**32 - 1) << 32)
        | (_whole("attempt", attempt, 0, 2**16 - 1) << 16)
        | _whole("touch", touch, 0, 2**16 - 1)
    )
    return threefry2x64_one(key, high, low)


def uniform53(words: ArrayLike) -> NDArray[np.int64]:
    """Turn random words into uniforms, whole numbers of 0 … 2⁵³ − 1 (the upper 53 bits).

    Examples
    --------
    >>> uniform53([0, 2**63]).tolist()
    [0, 4503599627370496]
    """
    return (np.asarray(words, np.uint64) >> np.uint64(64 - UNIFORM_BITS)).astype(np.int64)


def uniform53_one(word: int) -> int:
    """Turn one random word into a uniform; the same as `uniform53`."""
    return word >> (64 - UNIFORM_BITS)


def threshold_ppm(probability: float) -> int:
    """Round a probability to parts per million, half a part upwards.

    The one rounding rule for probabilities. It rounds the decimal digits the user wrote (the
    shortest that give the same float), so 0.0000005 is 1 ppm; less than that is never.

    Examples
    --------
    >>> threshold_ppm(0.55), threshold_ppm(0.0000005), threshold_ppm(1)
    (550000, 1, 1000000)
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"probability must be 0 … 1, not {probability!r}")
    exact = Decimal(repr(float(probability))) * CERTAIN_PPM
    return int(exact.to_integral_value(ROUND_HALF_UP))


def occurs(words: ArrayLike, ppm: ArrayLike) -> NDArray[np.bool_]:
    """Say for each random word whether what happens with this probability happens.

    Parameters
    ----------
    words
        Random words (uint64).
    ppm
        Probabilities in parts per million, 0 … 1 000 000; broadcast against the words.

    Notes
    -----
    True where u · 10⁶ < ppm · 2⁵³, compared exactly as u < ⌈ppm · 2⁴⁷ / 5⁶⌉. Whoever says yes at a
    low probability says yes at every higher one.

    Examples
    --------
    >>> words, _ = draw(stream_key(1, "redial", "sales"), 0, 0, range(10_000))
    >>> bool(occurs(words, 1_000_000).all()), bool(occurs(words, 0).any())
    (True, False)
    """
    return uniform53(words) < uniform_limit(ppm)


def uniform_limit(ppm: ArrayLike) -> NDArray[np.int64]:
    """Return the uniform below which what has this probability happens, ⌈ppm · 2⁴⁷ / 5⁶⌉.

    Examples
    --------
    >>> int(uniform_limit(500_000)) == 2**52
    True
    """
    share = _words("ppm", ppm, 0, CERTAIN_PPM).astype(np.int64)
    # 10⁶ = 2⁶ · 5⁶. Whole multiples of 5⁶ first: what is left times 2⁴⁷ stays below 2⁶¹.
    whole, left = share // 5**6, share % 5**6
    return np.asarray((whole << 47) - (-(left << 47) // 5**6), np.int64)


def occurs_one(word: int, ppm: int) -> bool:
    """Say whether what happens with this probability happens; the same as `occurs`."""
    return uniform53_one(word) * CERTAIN_PPM < _whole("ppm", ppm, 0, CERTAIN_PPM) << UNIFORM_BITS


def stratified(
    key: StreamKey,
    replication: ArrayLike,
    block_size: int,
    interval_or_day: ArrayLike,
    ordinal: ArrayLike = 0,
) -> NDArray[np.int64]:
    """Draw uniforms so that each block of replications meets every kind of day once.

    Of the ``block_size`` replications of a block (say 32), exactly one has its uniform in each of
    the ``block_size`` equal strata; which one is a fresh random permutation for each block, day and
    ordinal. Used for what decides a whole day, such as its busyness.

    Parameters
    ----------
    key, replication, interval_or_day, ordinal
        As in `draw`; they broadcast.
    block_size
        Replications in a block, 1 … 1024; one block is ``block_size`` successive replications.

    Returns
    -------
    int64 array
        Uniforms of 0 … 2⁵³ − 1, as `uniform53`.

    Raises
    ------
    ValueError
        If the block size or a coordinate is out of range.

    Notes
    -----
    Latin hypercube [2]_: the stratum is the rank of the replication's own first word among those of
    its block (ties, of chance 2⁻⁶⁴, by replication), the place v within it its second word, and
    u = ⌊(stratum · 2⁵³ + v) / block_size⌋, never below its stratum. Each u alone is uniform; those
    of one block are dependent, those of different blocks, days or ordinals are not: an interval
    for a mean comes from block means.

    References
    ----------
    .. [2] M. D. McKay, R. J. Beckman, W. J. Conover, "A comparison of three methods for selecting
       values of input variables", Technometrics 21, 1979, :doi:`10.2307/1268522`.

    Examples
    --------
    >>> u = stratified(stream_key(1, "busyness", "sales"), range(8), 8, interval_or_day=0)
    >>> sorted((u * 8 >> 53).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7]
    """
    block_size = _whole("block_size", block_size, 1, 1024)
    member = _words("replication", replication, 0, 2**32 - 1).astype(np.int64)
    slot = member % block_size
    own, place = draw(key, replication, interval_or_day, ordinal)
    # The first words of the whole block, in one look-up: its members along the last axis.
    others = np.arange(block_size)
    shape = (*own.shape, 1)
    words, _ = draw(
        key,
        (member - slot)[..., None] + others,
        np.broadcast_to(interval_or_day, own.shape).reshape(shape),
        np.broadcast_to(ordinal, own.shape).reshape(shape),
    )
    own, slot = own[..., None], np.broadcast_to(slot, own.shape)[..., None]
    ahead = (words < own) | ((words == own) & (others < slot))
    stratum = ahead.sum(axis=-1, dtype=np.int64)
    floor = -(-(stratum << UNIFORM_BITS) // block_size)
    drawn = ((stratum << UNIFORM_BITS) + uniform53(place)) // block_size
    return np.asarray(np.maximum(drawn, floor), np.int64)


def threefry2x64(
    key: StreamKey, high: ArrayLike, low: ArrayLike
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Encrypt 128-bit counters with Threefry-2x64-20, one pair of words for each.

    Parameters
    ----------
    key
        Two words of 64 bits.
    high, low
        First and second word of the counters (uint64), of one shape.

    Notes
    -----
    Sums wrap at 2⁶⁴; after every fourth round a word of the key schedule is added ([1]_, section
    3.2).

    Examples
    --------
    >>> first, second = threefry2x64((0, 0), [0], [0])
    >>> print(f"{first[0]:016x} {second[0]:016x}")  # of Random123's kat_vectors
    c2b6e3a8c2c69865 6f81ed42f350084d
    """
    first = np.array(high, np.uint64, order="C", ndmin=1)
    second = np.array(low, np.uint64, order="C", ndmin=1)
    schedule = tuple(np.uint64(word) for word in _schedule(key))
    a_all, b_all = first.reshape(-1), second.reshape(-1)  # views: worked on in place
    spare = np.empty(min(_CHUNK, a_all.size), np.uint64)
    for begin in range(0, a_all.size, _CHUNK):
        a, b = a_all[begin : begin + _CHUNK], b_all[begin : begin + _CHUNK]
        turned = spare[: a.size]
        a += schedule[0]
        b += schedule[1]
        for number in range(_ROUNDS):
            turn = _ROTATIONS[number % 8]
            a += b
            np.left_shift(b, np.uint64(turn), out=turned)
            b >>= np.uint64(64 - turn)
            b |= turned
            b ^= a
            if number % 4 == 3:
                stage = number // 4 + 1
                a += schedule[stage % 3]
                b += schedule[(stage + 1) % 3]
                b += np.uint64(stage)
    shape = np.shape(high)
    return first.reshape(shape), second.reshape(shape)


def threefry2x64_one(key: StreamKey, high: int, low: int) -> tuple[int, int]:
    """Encrypt one 128-bit counter in plain ints; the same bits as `threefry2x64`."""
    schedule = _schedule(key)
    a, b = (high + schedule[0]) & _WORD, (low + schedule[1]) & _WORD
    for number in range(_ROUNDS):
        turn = _ROTATIONS[number % 8]
        a = (a + b) & _WORD
        b = a ^ (((b << turn) & _WORD) | (b >> (64 - turn)))
        if number % 4 == 3:
            stage = number // 4 + 1
            a = (a + schedule[stage % 3]) & _WORD
            b = (b + schedule[(stage + 1) % 3] + stage) & _WORD
    return a, b


def _schedule(key: StreamKey) -> tuple[int, int, int]:
    """Return the key's two words and their parity."""
    return key[0], key[1], _PARITY ^ key[0] ^ key[1]


def _whole(name: str, value: int, lowest: int, highest: int | None) -> int:
    """Return one checked whole number as a plain int, whatever integer type it came as."""
    try:
        whole = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, not {value!r}") from None
    if whole < lowest or (highest is not None and whole > highest):
        limits = f"{lowest} or more" if highest is None else f"{lowest} … {highest}"
        raise ValueError(f"{name} must be {limits}, not {value!r}")
    return whole


def _words(name: str, values: ArrayLike, lowest: int, highest: int) -> NDArray[np.uint64]:
    """Return checked whole numbers as 64-bit words, negative ones in two's complement."""
    given = np.asarray(values)
    if given.dtype.kind not in "iu":
        raise ValueError(f"{name} must be whole numbers of {lowest} … {highest}, not {values!r}")
    if given.size:
        for extreme in (int(given.min()), int(given.max())):
            if not lowest <= extreme <= highest:
                raise ValueError(f"{name} must be {lowest} … {highest}, not {extreme}")
    return given.astype(np.uint64)
