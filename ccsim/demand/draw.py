"""DRAWN: all the chance of one replication, settled before anything moves.

Every number is a pure function of (seed, replication, purpose, key); the key is content: contact
type, interval, ordinal and attempt, or agent group, day and ordinal. So the draw depends neither
on the plan nor on the order of events: two plans meet the same customers, a new contact type
moves nobody else's, and more volume adds contacts without shifting the ones that were there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.keyed import (
    draw,
    draw_one,
    occurs,
    occurs_one,
    stratified,
    stream_key,
    uniform53,
    uniform53_one,
)
from ccsim.demand.model import PPM, AbsenceModel, ContactTypeDemand, DemandModel
from ccsim.demand.table import NEVER, QuantileTable, evaluate, evaluate_one
from ccsim.errors import CcsimError

Integers = NDArray[np.int64]

BLOCK = 32
"""Replications in a block: each is a complete set of strata of the days' busyness."""

_INTERVAL_ORIGIN = 1 << 19
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
    """One replication: its contacts, and what decides about later attempts and about absence."""

    demand: DemandModel
    seed: int
    replication: int
    block_size: int
    contacts: Contacts

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
        factor = self._absence_factor(given, day)
        absent = np.minimum(given.unplanned_ppm * factor // PPM, PPM)
        words, _ = draw(
            stream_key(self.seed, "absence", given.group), self.replication, day, ordinal
        )
        return ~occurs(words, absent)

    def _absence_factor(self, given: AbsenceModel, day: Integers) -> Integers:
        key = stream_key(self.seed, "absence day", given.group)
        return _day_factors(given.day_factor, key, self.replication, self.block_size, day)


def content_id(contact_type: Integers, interval: Integers, ordinal: Integers) -> Integers:
    """One integer of a first attempt's key, so that simultaneous events have a total order.

    The k-th redial has this number plus k.

    Examples
    --------
    >>> earlier, later = content_id(np.array([1, 1]), np.array([-3, 2]), np.array([7, 0]))
    >>> bool(earlier < later)
    True
    """
    return ((contact_type << 20 | interval + _INTERVAL_ORIGIN) << 24 | ordinal) << 8


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
    parts = [
        _contacts(demand, index, given, seed, replication, block_size)
        for index, given in enumerate(demand.contact_types)
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    contact_type, interval, ordinal, arrival = columns[:4]
    order = np.lexsort((content_id(contact_type, interval, ordinal), arrival))
    contacts = Contacts(*(column[order] for column in columns))
    return Draw(demand, seed, replication, block_size, contacts)


def _contacts(
    demand: DemandModel,
    index: int,
    given: ContactTypeDemand,
    seed: int,
    replication: int,
    block_size: int,
) -> tuple[Integers, ...]:
    """Columns of `Contacts` for one contact type, unsorted."""
    grid = demand.grid
    intervals = np.arange(-demand.warm_up_intervals, grid.intervals, dtype=np.int64)
    cyclic = intervals % grid.intervals
    # A warm-up day is a day of its own: it has a negative number and its own factors.
    day = grid.day[cyclic] - np.where(intervals < 0, grid.days, 0)
    factor = _day_factors(
        given.volume_factor, stream_key(seed, "volume", given.name), replication, block_size, day
    )
    counts = _poisson(
        given.fresh[cyclic] * (factor / PPM),
        draw(stream_key(seed, "count", given.name), replication, intervals, 0)[0],
    )
    if counts.max(initial=0) >= _MOST_IN_INTERVAL:
        raise CcsimError(
            f"{given.name!r}: {counts.max():,} contacts in one interval; up to "
            f"{_MOST_IN_INTERVAL - 1:,} can be drawn: check the unit of the demand"
        )
    interval = np.repeat(intervals, counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    ordinal = np.arange(len(interval), dtype=np.int64) - first
    when, _ = draw(stream_key(seed, "arrival", given.name), replication, interval, ordinal)
    talk, wrap_up = draw(stream_key(seed, "handle", given.name), replication, interval, ordinal)
    stay, _ = draw(stream_key(seed, "patience", given.name), replication, interval, ordinal)
    offset = ((when >> np.uint64(32)) * np.uint64(grid.interval_us)) >> np.uint64(32)
    talk_factor = _day_factors(
        given.talk_factor, stream_key(seed, "talk day", given.name), replication, block_size, day
    )
    talk_time = evaluate(given.talk_time, uniform53(talk))
    if given.talk_factor is not None:
        talk_time = scale(talk_time, np.repeat(talk_factor, counts))
    return (
        np.full(len(interval), index, dtype=np.int64),
        interval,
        ordinal,
        interval * grid.interval_us + offset.astype(np.int64),
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
    replication: int,
    block_size: int,
    day: Integers,
) -> Integers:
    """Factor of each day [per million], one draw a day, stratified over the block."""
    if table is None:
        return np.full(len(day), PPM, dtype=np.int64)
    days, position = np.unique(day, return_inverse=True)
    return evaluate(table, stratified(key, replication, block_size, days))[position]


def _poisson(mean: NDArray[np.float64], words: NDArray[np.uint64]) -> Integers:
    """Poisson counts by inversion, so that a larger mean only adds contacts."""
    from scipy.special import pdtr, pdtrik

    # The largest uniform would round to 1, which no count has.
    chance = np.minimum((uniform53(words) + 0.5) * 2.0**-53, 1 - 2.0**-53)
    guess = np.ceil(pdtrik(chance, np.maximum(mean, 1e-300)))
    count = np.where(pdtr(np.maximum(guess - 1, 0), mean) >= chance, guess - 1, guess)
    return np.where(mean > 0, np.maximum(count, 0), 0).astype(np.int64)


__all__ = ["BLOCK", "NEVER", "Contacts", "Draw", "content_id", "draw_replication", "scale"]
