"""Keyed draws: published vectors, two equal twins, and a key that nothing else can move."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ccsim.demand.keyed import (
    draw,
    draw_one,
    occurs,
    occurs_one,
    stratified,
    stream_key,
    threefry2x64,
    threefry2x64_one,
    threshold_ppm,
    uniform53,
    uniform53_one,
)

# Random123 (D. E. Shaw Research), tests/kat_vectors, rows "threefry2x64 20":
# counter, key, answer. With Salmon et al. 2011, doi 10.1145/2063384.2063405.
KNOWN_ANSWERS = [
    ((0, 0), (0, 0), (0xC2B6E3A8C2C69865, 0x6F81ED42F350084D)),
    ((2**64 - 1,) * 2, (2**64 - 1,) * 2, (0xE02CB7C4D95D277A, 0xD06633D0893B8B68)),
    (
        (0x243F6A8885A308D3, 0x13198A2E03707344),
        (0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x263C7D30BB0F0AF1, 0x56BE8361D3311526),
    ),
]
# Every statistical test below rejects a perfect generator with this chance, in either direction.
FALSE_ALARM = 1e-6

KEY = stream_key(20260906, "talk time", "banking_call")
words64 = st.integers(0, 2**64 - 1)
keys = st.tuples(words64, words64)
coordinates = st.tuples(
    st.integers(0, 2**32 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**16 - 1),
)


def assert_uniform_counts(counts: np.ndarray) -> None:
    expected = counts.sum() / counts.size
    statistic = float(((counts - expected) ** 2 / expected).sum())
    law = stats.chi2(counts.size - 1)
    assert law.ppf(FALSE_ALARM / 2) < statistic < law.isf(FALSE_ALARM / 2)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_published_vectors(counter, key, answer):
    assert threefry2x64_one(key, *counter) == answer
    first, second = threefry2x64(key, [counter[0]] * 3, [counter[1]] * 3)
    assert [int(w) for w in first] == [answer[0]] * 3
    assert [int(w) for w in second] == [answer[1]] * 3


@given(key=keys, counters=st.lists(st.tuples(words64, words64), min_size=1, max_size=20))
@settings(deadline=None, max_examples=200)
def test_array_and_plain_ints_are_twins(key, counters):
    high, low = (np.array(words, np.uint64) for words in zip(*counters, strict=True))
    first, second = threefry2x64(key, high, low)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [
        threefry2x64_one(key, *counter) for counter in counters
    ]


def test_twins_agree_across_the_seams_of_the_working_chunks():
    ordinals = np.arange(3 * 2**14 + 5)
    first, second = draw(KEY, 1, -3, ordinals)
    for ordinal in (0, 2**14 - 1, 2**14, 2**15, 3 * 2**14, 3 * 2**14 + 4):
        assert draw_one(KEY, 1, -3, ordinal) == (first[ordinal], second[ordinal])


@given(key=keys, where=coordinates)
@settings(deadline=None, max_examples=200)
def test_a_draw_is_the_block_of_its_packed_coordinates(key, where):
    replication, interval, ordinal, attempt, touch = where
    packed = (replication << 32) + interval % 2**32, (ordinal << 32) + (attempt << 16) + touch
    assert draw_one(key, *where) == threefry2x64_one(key, *packed)
    first, second = draw(key, *where)
    assert (int(first), int(second)) == draw_one(key, *where)
    assert first.dtype == second.dtype == np.uint64
    assert uniform53(first) == uniform53_one(int(first)) < 2**53


@given(key=keys, fewer=st.integers(0, 50), more=st.integers(0, 50), where=coordinates)
@settings(deadline=None, max_examples=50)
def test_more_volume_moves_nobody(key, fewer, more, where):
    replication, interval, _, attempt, touch = where
    few, _ = draw(key, replication, interval, np.arange(fewer), attempt, touch)
    many, _ = draw(key, replication, interval, np.arange(fewer + more), attempt, touch)
    assert (few == many[:fewer]).all()


def test_coordinates_broadcast_and_each_one_counts():
    replication, interval = np.arange(4)[:, None, None], np.arange(-2, 3)[:, None]
    first, second = draw(KEY, replication, interval, np.arange(6), touch=1)
    assert first.shape == second.shape == (4, 5, 6)
    assert draw_one(KEY, 3, -2, 5, 0, 1) == (first[3, 0, 5], second[3, 0, 5])
    base = (1, 1, 1, 1, 1)
    moved = [tuple(2 if i == place else 1 for i in range(5)) for place in range(5)]
    assert len({draw_one(KEY, *where) for where in [base, *moved]}) == 6


def test_empty_arrays_are_fine():
    first, second = draw(KEY, 0, 0, np.arange(0))
    assert first.shape == second.shape == (0,)


def test_stream_keys_are_content_and_their_parts_do_not_run_together():
    given_keys = [
        stream_key(1, "a", "bc"),
        stream_key(1, "ab", "c"),
        stream_key(1, "abc"),
        stream_key(1, "abc", ""),
        stream_key(11, "a", "bc"),
        stream_key(1, "a", "b", "c"),
        stream_key(2**200, "a", "bc"),
    ]
    assert len(set(given_keys)) == len(given_keys)
    assert stream_key(np.int64(1), "a", "bc") == given_keys[0]
    assert all(0 <= word < 2**64 for key in given_keys for word in key)


@pytest.mark.parametrize("word", [0, 1])
@pytest.mark.parametrize("along", ["ordinal", "replication", "interval", "attempt", "touch"])
def test_uniform_along_every_coordinate(word, along):
    number = np.arange(2**16)
    where = {"replication": 0, "interval": 0, "ordinal": 0} | {along: number}
    u = uniform53(draw(KEY, **where)[word])
    assert_uniform_counts(np.bincount(u >> 45, minlength=256))  # highest bits
    assert_uniform_counts(np.bincount(u & 255, minlength=256))  # lowest bits
    # neighbours: pairs that do not overlap, 16 × 16 cells
    pair = (u[::2] >> 49) * 16 + (u[1::2] >> 49)
    assert_uniform_counts(np.bincount(pair, minlength=256))


def test_words_purposes_and_seeds_are_independent():
    number = np.arange(2**16)
    first, second = draw(KEY, 0, 0, number)
    for other in (
        second,
        draw(stream_key(20260906, "patience", "banking_call"), 0, 0, number)[0],
        draw(stream_key(20260907, "talk time", "banking_call"), 0, 0, number)[0],
    ):
        pair = (uniform53(first) >> 49) * 16 + (uniform53(other) >> 49)
        assert_uniform_counts(np.bincount(pair, minlength=256))


def test_probabilities_round_to_parts_per_million_half_up():
    assert [threshold_ppm(p) for p in (0, 1, 0.55, 1e-6)] == [0, 10**6, 550_000, 1]
    assert [threshold_ppm(p) for p in (5e-7, 4.9e-7, 1.5e-6, 2.5e-6)] == [1, 0, 2, 3]
    assert threshold_ppm(0.1234565) == 123_457  # as written, though the float lies below


@given(ppm=st.integers(0, 10**6), word=words64, near=st.integers(-2, 2))
@settings(deadline=None, max_examples=300)
def test_occurs_compares_exactly(ppm, word, near):
    edge = -(-ppm * 2**53 // 10**6) + near  # where the answer turns
    for w in (word, min(max(edge, 0), 2**53 - 1) << 11):
        truth = Fraction(w >> 11, 2**53) < Fraction(ppm, 10**6)
        assert occurs_one(w, ppm) is truth
        assert bool(occurs(np.uint64(w), ppm)) is truth


def test_occurs_at_its_probability_and_nests():
    words, _ = draw(KEY, 0, 0, np.arange(200_000))
    low, high = occurs(words, 50_000), occurs(words, 550_000)
    assert not (low & ~high).any()
    for hits, probability in ((low, 0.05), (high, 0.55)):
        law = stats.binom(words.size, probability)
        assert law.ppf(FALSE_ALARM / 2) <= hits.sum() <= law.isf(FALSE_ALARM / 2)
    assert occurs(words[:3], [0, 1_000_000, 0]).tolist() == [False, True, False]


@given(
    key=keys,
    block_size=st.integers(1, 70),
    block=st.integers(0, 1000),
    day=st.integers(-400, 400),
    ordinal=st.integers(0, 9),
)
@settings(deadline=None, max_examples=80)
def test_each_block_meets_each_stratum_once(key, block_size, block, day, ordinal):
    members = block * block_size + np.arange(block_size)
    u = stratified(key, members, block_size, day, ordinal)
    assert u.dtype == np.int64
    assert sorted(int(v) * block_size >> 53 for v in u) == list(range(block_size))
    one = stratified(key, int(members[-1]), block_size, day, ordinal)
    assert one == u[-1]  # a replication needs none of the others to know its place


def test_strata_are_permuted_afresh_and_uniform_within():
    blocks, size = 4000, 8
    u = stratified(KEY, np.arange(blocks * size)[:, None], size, np.arange(2))
    stratum = (u * size >> 53).reshape(blocks, size, 2)
    assert_uniform_counts(np.bincount(stratum[:, 0, 0], minlength=size))  # by block
    assert_uniform_counts(np.bincount(stratum[:, 0, 0] * 8 + stratum[:, 0, 1]))  # by day
    pairs = stratum[:, 0, 0] * 8 + stratum[:, 1, 0]  # two members: each ordered pair alike
    assert_uniform_counts(np.bincount(pairs, minlength=64)[[i for i in range(64) if i % 9]])
    place = (u[:, 0] * size & (2**53 - 1)) >> 47
    assert_uniform_counts(np.bincount(place, minlength=64))


def test_the_mean_of_a_block_has_the_variance_of_the_theory():
    # One uniform per stratum of width 1/B: Var(mean) = 1 / (12 B³), against 1 / (12 B) plain.
    blocks, size = 4000, 8
    u = stratified(KEY, np.arange(blocks * size), size, 0) / 2**53
    means = u.reshape(blocks, size).mean(axis=1)
    ratio = means.var(ddof=1) * 12 * size**3
    # Sum of 8 uniforms: kurtosis 3 − 1.2/8; standard error of a sample variance.
    error = np.sqrt((3 - 1.2 / size - 1) / blocks)
    assert abs(ratio - 1) < stats.norm.isf(FALSE_ALARM / 2) * error


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("replication", -1),
        ("replication", 2**32),
        ("interval", 2**31),
        ("interval", -(2**31) - 1),
        ("ordinal", -1),
        ("ordinal", 2**32),
        ("attempt", 2**16),
        ("touch", -1),
        ("ordinal", 0.5),
        ("ordinal", "7"),
        ("ordinal", None),
        ("ordinal", 2**70),
    ],
)
def test_coordinates_out_of_range_are_named(name, value):
    where = {"replication": 0, "interval": 0, "ordinal": 0} | {name: value}
    for function in (draw, draw_one):
        with pytest.raises(ValueError, match=name) as caught:
            function(KEY, **where)
        assert str(value) in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 1.0, "1", None])
def test_bad_seeds(seed):
    with pytest.raises(ValueError, match="seed must be"):
        stream_key(seed, "a")


def test_bad_probabilities_and_blocks():
    for probability in (-0.1, 1.01, float("nan")):
        with pytest.raises(ValueError, match="probability must be 0 … 1"):
            threshold_ppm(probability)
    for ppm in (-1, 1_000_001, 0.5):
        with pytest.raises(ValueError, match="ppm must be"):
            occurs(np.uint64(0), ppm)
        with pytest.raises(ValueError, match="ppm must be"):
            occurs_one(0, ppm)
    for block_size in (0, 1025, 8.0):
        with pytest.raises(ValueError, match="block_size must be"):
            stratified(KEY, 0, block_size, 0)
