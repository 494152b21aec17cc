"""DRAWN: all the chance of one replication, settled before anything moves.

Every number is a pure function of (seed, replication, purpose, key); the key is content: contact
type, interval, ordinal and attempt, or agent group, day and ordinal. So the draw depends neither
on the plan nor on the order of events: two plans meet the same customers, a new contact type
moves nobody else's, and more volume adds contacts without shifting the ones that were there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.chance import chance_of
from ccsim.demand.keyed import (
    draw,
    draw_one,
    occurs_one,
    stratified,
    stream_key,
    uniform53,
    uniform53_one,
    uniform_limit,
)
from ccsim.demand.model import PPM, DemandModel
from ccsim.demand.table import NEVER, QuantileTable, evaluate, evaluate_one
from ccsim.errors import CcsimError

Integers = NDArray[np.int64]

BLOCK = 32
"""Replications in a block: each is a complete set of strata of the days' busyness."""

INTERVAL_ORIGIN = 1 << 19
"""Added to an interval in a content id, as intervals of the warm-up are negative."""
_MOST_IN_INTERVAL = 1 << 24  # of one contact type: the width of the ordinal in a content id


@dataclass(frozen=True, eq=False)
class Contacts:
    """First attempts of one replication, sorted by arrival, then by content.

    Attributes
    ----------
    contact_type, interval, ordinal : ndarray of int64, shape (n_contacts,)
        The key of each contact; intervals of the warm-up are negative.
    arrival : ndarray of int64
        Arrival at the agents' queue [µs since the start of the horizon].
    handle_time : ndarray of int64
        Talk time (times the day's factor) plus wrap-up [µs].
    patience : ndarray of int64
        How long the customer waits before giving up [µs]; `NEVER` waits for ever.
    """

    contact_type: Integers
    interval: Integers
    ordinal: Integers
    arrival: Integers
    handle_time: Integers
    patience: Integers

    @property
    def content_id(self) -> Integers:
        """One integer per contact, built from its key; orders whatever happens at one instant."""
        return content_id(self.contact_type, self.interval, self.ordinal)


@dataclass(frozen=True, eq=False)
class Draw:
    """One replication: its contacts, and what decides about later attempts and about absence.

    Attributes
    ----------
    demand : DemandModel
        What it was drawn from.
    seed, replication, block_size : int
        The key of all its chance.
    contacts : Contacts
        First attempts.
    absent_below : ndarray of int64, shape (n_groups, n_days)
        Uniforms below which an agent of a group is absent on a day, warm-up days first.
    """

    demand: DemandModel
    seed: int
    replication: int
    block_size: int
    contacts: Contacts
    absent_below: Integers

    def redial(
        self, contact_type: int, interval: int, ordinal: int, attempt: int
    ) -> tuple[int, int] | None:
        """Delay and patience [µs] of the next attempt of someone who gave up, or None.

        The draw of a later attempt is a pure function of its key, so it is evaluated when needed.
        """
        given = self.demand.contact_types[contact_type]
        if given.redial is None:
            return None
        key = stream_key(self.seed, "redial", given.name)
        again, delay = draw_one(key, self.replication, interval, ordinal, attempt)
        if not occurs_one(again, given.redial.probability_ppm):
            return None
        key = stream_key(self.seed, "patience", given.name)
        patience, _ = draw_one(key, self.replication, interval, ordinal, attempt + 1)
        return (
            evaluate_one(given.redial.delay, uniform53_one(delay)),
            evaluate_one(given.patience, uniform53_one(patience)),
        )

    def present(self, group: int, day: Integers, ordinal: Integers) -> NDArray[np.bool_]:
        """Whether agents are there on their day, shape as `day` and `ordinal`."""
        given = self.demand.absence[group]
        if given.unplanned_ppm == 0 or len(day) == 0:
            return np.ones(len(day), dtype=bool)
        words, _ = draw(
            stream_key(self.seed, "absence", given.group), self.replication, day, ordinal
        )
        below = self.absent_below[group, day - first_day(self.demand)]
        return np.asarray(uniform53(words) >= below)


def content_id(contact_type: Integers, interval: Integers, ordinal: Integers) -> Integers:
    """One integer of a first attempt's key, so that simultaneous events have a total order.

    The k-th redial has this number plus k.

    Examples
    --------
    >>> earlier, later = content_id(np.array([1, 1]), np.array([-3, 2]), np.array([7, 0]))
    >>> bool(earlier < later)
    True
    """
    return ((contact_type << 20 | interval + INTERVAL_ORIGIN) << 24 | ordinal) << 8


def first_day(demand: DemandModel) -> int:
    """Number of the first day: 0, or below with a warm-up, whose days are days of their own."""
    grid = demand.grid
    return int(grid.day[-demand.warm_up_intervals % grid.intervals]) - (
        grid.days if demand.warm_up_intervals else 0
    )


def draw_replication(
    demand: DemandModel, seed: int, replication: int, block_size: int = BLOCK
) -> Draw:
    """Draw all the chance of one replication.

    Parameters
    ----------
    demand : DemandModel
        What it is drawn from.
    seed : int
        The study's seed.
    replication : int
        Number of the replication, from 0.
    block_size : int
        How many replications form a complete set of strata.

    Returns
    -------
    Draw
        The same for the same arguments, whatever the plan, the engine or the number of processes.
    """
    return next(draw_replications(demand, seed, [replication], block_size))


def draw_replications(
    demand: DemandModel,
    seed: int,
    replications: Sequence[int],
    block_size: int = BLOCK,
    *,
    compiled: bool = False,
) -> Iterator[Draw]:
    """Draw several replications, one after the other; what is per day or interval all at once.

    Parameters
    ----------
    demand, seed, block_size
        As for `draw_replication`.
    replications : sequence of int
        Their numbers.
    compiled : bool
        In machine code: the same numbers, sooner.
    """
    members = np.asarray(replications, dtype=np.int64)
    counts, talk_factor = _by_interval(demand, seed, members, block_size)
    absent_below = _absent_below(demand, seed, members, block_size)
    for number, replication in enumerate(members.tolist()):
        columns = _contacts(
            demand, seed, replication, counts[number], talk_factor[number], compiled=compiled
        )
        yield Draw(demand, seed, replication, block_size, Contacts(*columns), absent_below[number])


def _by_interval(
    demand: DemandModel, seed: int, members: Integers, block_size: int
) -> tuple[Integers, Integers]:
    """Contacts, and factors on talk time, (n_replications, n_contact_types, n_intervals)."""
    grid = demand.grid
    intervals = _intervals(demand)
    cyclic = intervals % grid.intervals
    # A warm-up day is a day of its own: it has a negative number and its own factors.
    day = grid.day[cyclic] - np.where(intervals < 0, grid.days, 0)
    counts, factors = [], []
    for given in demand.contact_types:
        volume, talk = (
            _day_factors(table, stream_key(seed, purpose, given.name), members, block_size, day)
            for table, purpose in (
                (given.volume_factor, "volume"),
                (given.talk_factor, "talk day"),
            )
        )
        words, _ = draw(
            stream_key(seed, "count", given.name), members[:, None], intervals[None, :], 0
        )
        count = _poisson(given.fresh[cyclic] * (volume / PPM), words)
        if count.max(initial=0) >= _MOST_IN_INTERVAL:
            raise CcsimError(
                f"{given.name!r}: {count.max():,} contacts in one interval; up to "
                f"{_MOST_IN_INTERVAL - 1:,} can be drawn: check the unit of the demand"
            )
        counts.append(count)
        factors.append(talk)
    return np.stack(counts, axis=1), np.stack(factors, axis=1)


def _absent_below(demand: DemandModel, seed: int, members: Integers, block_size: int) -> Integers:
    """`Draw.absent_below` of each replication, (n_replications, n_groups, n_days)."""
    day = np.arange(first_day(demand), demand.grid.days)
    below = []
    for given in demand.absence:
        key = stream_key(seed, "absence day", given.group)
        factor = _day_factors(given.day_factor, key, members, block_size, day)
        below.append(uniform_limit(np.minimum(given.unplanned_ppm * factor // PPM, PPM)))
    return np.stack(below, axis=1)


def _intervals(demand: DemandModel) -> Integers:
    return np.arange(-demand.warm_up_intervals, demand.grid.intervals, dtype=np.int64)


def _contacts(
    demand: DemandModel,
    seed: int,
    replication: int,
    counts: Integers,
    talk_factor: Integers,
    *,
    compiled: bool,
) -> tuple[Integers, ...]:
    """Columns of `Contacts`."""
    interval_us = demand.grid.interval_us
    if compiled:
        from ccsim.demand.draw_compiled import draw_contacts

        chance = chance_of(demand, seed)
        first = -demand.warm_up_intervals
        return draw_contacts(chance, counts, talk_factor, replication, first, interval_us)
    parts = [
        _of_type(demand, seed, replication, index, counts[index], talk_factor[index])
        for index in range(len(demand.contact_types))
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    contact_type, interval, ordinal, arrival = columns[:4]
    order = np.lexsort((content_id(contact_type, interval, ordinal), arrival))
    return tuple(column[order] for column in columns)


def _of_type(
    demand: DemandModel,
    seed: int,
    replication: int,
    index: int,
    counts: Integers,
    talk_factor: Integers,
) -> tuple[Integers, ...]:
    """Columns of `Contacts` for one contact type, unsorted."""
    given, interval_us = demand.contact_types[index], demand.grid.interval_us
    interval = np.repeat(_intervals(demand), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    ordinal = np.arange(len(interval), dtype=np.int64) - first
    when, _ = draw(stream_key(seed, "arrival", given.name), replication, interval, ordinal)
    talk, wrap_up = draw(stream_key(seed, "handle", given.name), replication, interval, ordinal)
    stay, _ = draw(stream_key(seed, "patience", given.name), replication, interval, ordinal)
    offset = ((when >> np.uint64(32)) * np.uint64(interval_us)) >> np.uint64(32)
    talk_time = scale(evaluate(given.talk_time, uniform53(talk)), np.repeat(talk_factor, counts))
    return (
        np.full(len(interval), index, dtype=np.int64),
        interval,
        ordinal,
        interval * interval_us + offset.astype(np.int64),
        talk_time + evaluate(given.wrap_up, uniform53(wrap_up)),
        evaluate(given.patience, uniform53(stay)),
    )


def scale(length: Integers, factor_ppm: Integers) -> Integers:
    """Length times a factor per million, rounded half up, without overflow.

    Examples
    --------
    >>> scale(np.array([3, 10**13]), np.array([500_000, 1_500_000])).tolist()
    [2, 15000000000000]
    """
    whole, rest = np.divmod(length, PPM)
    return whole * factor_ppm + (rest * factor_ppm + PPM // 2) // PPM


def _day_factors(
    table: QuantileTable | None,
    key: tuple[int, int],
    members: Integers,
    block_size: int,
    day: Integers,
) -> Integers:
    """Factor of each day [per million], (n_replications, len(day)).

    One draw a day, stratified over the block.
    """
    if table is None:
        return np.full((len(members), len(day)), PPM, dtype=np.int64)
    days, position = np.unique(day, return_inverse=True)
    uniforms = stratified(key, members[:, None], block_size, days[None, :])
    return evaluate(table, uniforms)[:, position]


def _poisson(mean: NDArray[np.float64], words: NDArray[np.uint64]) -> Integers:
    """Poisson counts by inversion, so that a larger mean only adds contacts."""
    from scipy.special import ndtri, pdtr

    where = mean > 0
    some = mean[where]
    # The largest uniform would round to 1, which no count has.
    chance = np.minimum((uniform53(words[where]) + 0.5) * 2.0**-53, 1 - 2.0**-53)
    # Cornish and Fisher's guess is hardly ever more than one off.
    normal = ndtri(chance)
    guess = some + np.sqrt(some) * normal + (normal * normal - 1) / 6
    count = np.maximum(np.floor(guess), 0.0)
    enough = pdtr(count, some) >= chance
    down, up = np.flatnonzero(enough), np.flatnonzero(~enough)
    while down.size:  # the fewest that are enough
        down = down[count[down] > 0]
        down = down[pdtr(count[down] - 1, some[down]) >= chance[down]]
        count[down] -= 1
    while up.size:
        count[up] += 1
        up = up[pdtr(count[up], some[up]) < chance[up]]
    counts = np.zeros(mean.shape, np.int64)
    counts[where] = count
    return counts


__all__ = [
    "BLOCK",
    "NEVER",
    "Contacts",
    "Draw",
    "content_id",
    "draw_replication",
    "draw_replications",
    "first_day",
    "scale",
]
