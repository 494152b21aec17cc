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

from ccsim.demand import model
from ccsim.demand.chance import chance_of
from ccsim.demand.counts import poisson_counts
from ccsim.demand.day_factors import day_factors
from ccsim.demand.incidents import FIRST_ORDINAL, ROOM, IncidentModel
from ccsim.demand.keyed import (
    UNIFORM_BITS,
    draw,
    draw_one,
    stratified,
    stream_key,
    uniform53,
    uniform53_one,
    uniform_limit,
)
from ccsim.demand.model import PPM, ContactTypeDemand, DemandModel
from ccsim.demand.table import NEVER, evaluate, evaluate_one

Integers = NDArray[np.int64]

BLOCK = 32
"""Replications in a block: each is a complete set of strata of the days' busyness."""

Key = tuple[int, int, int, int]
"""Of an attempt: contact type, interval and ordinal of the first one, and its own number."""

Comes = tuple[int, int, int]
"""Somebody comes again: after which delay [µs], and by which uniform below which limit."""

INTERVAL_ORIGIN = 1 << 19
"""Added to an interval in a content id, as intervals of the warm-up are negative."""


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
    talk_factor : ndarray of int64, shape (n_contact_types, n_intervals)
        Factors of the day on talk time [per million], warm-up intervals first.
    """

    demand: DemandModel
    seed: int
    replication: int
    block_size: int
    contacts: Contacts
    absent_below: Integers
    talk_factor: Integers

    def redial(self, key: Key, contact_type: int) -> Comes | None:
        """What follows when someone gave up.

        The draw of a later attempt is a pure function of its key, so it is evaluated when needed.

        Parameters
        ----------
        key : tuple of int
            Contact type, interval and ordinal of the first attempt, and which attempt gave up.
        contact_type : int
            Where it gave up.
        """
        given = self.demand.contact_types[contact_type].redial
        if given is None:
            return None
        again, delay = self._words("redial", key)
        below = int(uniform_limit(given.probability_ppm))
        if uniform53_one(again) >= below:
            return None
        return evaluate_one(given.delay, uniform53_one(delay)), uniform53_one(again), below

    def unresolved(self, key: Key, contact_type: int, below: int) -> tuple[bool, Comes | None]:
        """Whether an answer did not settle the matter, and what follows as by `redial`.

        It did not if the uniform of its key is below the limit of the skill.
        """
        given = self.demand.contact_types[contact_type].repeat
        settled, delay = self._words("repeat", key)
        if uniform53_one(settled) >= below:
            return False, None
        if given is None:
            return True, None
        return True, (
            evaluate_one(given.delay, uniform53_one(delay)),
            uniform53_one(settled),
            below,
        )

    def transferred(self, key: Key, below: int) -> bool:
        """Whether who answers passes it on: the uniform is below the limit of the skill."""
        return uniform53_one(self._words("transfer", key)[0]) < below

    def callback(self, key: Key) -> tuple[int, int]:
        """Uniforms of whether a callback is accepted, and of whether she answers it."""
        accepts, answers = self._words("callback", key)
        return uniform53_one(accepts), uniform53_one(answers)

    def any_of(self, number: int, key: Key) -> int:
        """One of so many numbers from 0, all equally likely."""
        return (self._words("agent", key)[0] >> 32) * number >> 32

    def patience(self, key: Key, contact_type: int) -> int:
        """How long someone waits for a contact type [µs]."""
        given = self.demand.contact_types[contact_type]
        return evaluate_one(given.patience, uniform53_one(self._words("patience", key)[0]))

    def handle_time(self, key: Key, contact_type: int, moment: int) -> int:
        """Talk time plus wrap-up of who comes at a moment from another contact type [µs]."""
        given, interval = self.demand.contact_types[contact_type], self.demand.grid.interval_us
        talk, wrap_up = map(uniform53_one, self._words("handle", key))
        place = moment // interval + self.demand.warm_up_intervals
        factor = int(self.talk_factor[contact_type, place])
        talk_time = scale_one(evaluate_one(given.talk_time, talk), factor)
        return talk_time + evaluate_one(given.wrap_up, wrap_up)

    def wrap_up(self, key: Key, contact_type: int) -> int:
        """The part of a handle time that needs no line [µs]."""
        given = self.demand.contact_types[contact_type]
        return evaluate_one(given.wrap_up, uniform53_one(self._words("handle", key)[1]))

    def _words(self, purpose: str, key: Key) -> tuple[int, int]:
        origin, *place = key
        name = self.demand.contact_types[origin].name
        return draw_one(stream_key(self.seed, purpose, name), self.replication, *place)

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
    return model.first_day(demand.grid, demand.warm_up_intervals)


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
    incidents = _incident_counts(demand, seed, members)
    for number, replication in enumerate(members.tolist()):
        columns = _contacts(
            demand, seed, replication, counts[number], talk_factor[number], compiled=compiled
        )
        if incidents:
            more = [
                _of_incident(
                    *(demand, seed, replication, index, incident),
                    *(count[number], talk_factor[number, index]),
                )
                for index, incident, count in incidents
            ]
            columns = _in_order([columns, *more])
        yield Draw(
            *(demand, seed, replication, block_size),
            *(Contacts(*columns), absent_below[number], talk_factor[number]),
        )


def _by_interval(
    demand: DemandModel, seed: int, members: Integers, block_size: int
) -> tuple[Integers, Integers]:
    """Contacts, and factors on talk time, (n_replications, n_contact_types, n_intervals)."""
    grid = demand.grid
    intervals = _intervals(demand)
    cyclic = intervals % grid.intervals
    # A warm-up day is a day of its own: it has a negative number and its own factors.
    day = grid.day[cyclic] - np.where(intervals < 0, grid.days, 0)
    minute = grid.minute[cyclic]
    counts, factors = [], []
    for given in demand.contact_types:
        volume, talk = (
            day_factors(factor, seed, purpose, given.name, members, block_size, day, minute)
            for factor, purpose in (
                (given.volume_factor, "volume"),
                (given.talk_factor, "talk day"),
            )
        )
        mean = given.fresh[cyclic] * (volume / PPM)
        if given.causes:
            mean = mean * _left_by_causes(given, seed, members, block_size)[:, cyclic]
        words, _ = draw(
            stream_key(seed, "count", given.name), members[:, None], intervals[None, :], 0
        )
        counts.append(poisson_counts(given.name, mean, words, FIRST_ORDINAL))
        factors.append(talk)
    return np.stack(counts, axis=1), np.stack(factors, axis=1)


def _left_by_causes(
    given: ContactTypeDemand, seed: int, members: Integers, block_size: int
) -> NDArray[np.float64]:
    """Share of the fresh requests that still come, (n_replications, n_intervals)."""
    left = np.ones((len(members), len(given.fresh)))
    for cause in given.causes:
        key = stream_key(seed, "cause", given.name, cause.name)
        place = (stratified(key, members, block_size, 0) + 0.5) * 2.0**-UNIFORM_BITS
        removed = cause.least + (cause.most - cause.least) * place
        left -= removed[:, None] * cause.effect
    return np.maximum(left, 0.0)


def _incident_counts(
    demand: DemandModel, seed: int, members: Integers
) -> list[tuple[int, IncidentModel, Integers]]:
    """Of each incident and contact type: contacts without a notice, (n_replications, n_intervals).

    An incident happens once: not in the warm-up.
    """
    interval = np.arange(demand.grid.intervals, dtype=np.int64)
    found = []
    for index, given in enumerate(demand.contact_types):
        for incident in given.incidents:
            key = stream_key(seed, "incident", given.name, incident.name)
            words, _ = draw(key, members[:, None], interval, 0)
            mean = np.broadcast_to(incident.mean, words.shape)
            count = poisson_counts(f"{incident.name}: {given.name}", mean, words, ROOM)
            found.append((index, incident, count))
    return found


def _absent_below(demand: DemandModel, seed: int, members: Integers, block_size: int) -> Integers:
    """`Draw.absent_below` of each replication, (n_replications, n_groups, n_days)."""
    day = np.arange(first_day(demand), demand.grid.days)
    below = []
    for given in demand.absence:
        factor = day_factors(
            given.day_factor, seed, "absence day", given.group, members, block_size, day
        )
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
    return _in_order(parts)


def _in_order(parts: Sequence[tuple[Integers, ...]]) -> tuple[Integers, ...]:
    """Columns of `Contacts` put together, sorted by arrival, then by content."""
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
    interval_us = demand.grid.interval_us
    interval, ordinal = np.repeat(_intervals(demand), counts), _numbered(counts)
    begin, length = interval * interval_us, np.uint64(interval_us)
    factor = np.repeat(talk_factor, counts)
    given = demand.contact_types[index]
    columns, _ = _of_keys(given, seed, replication, interval, ordinal, begin, length, factor)
    return np.full(len(interval), index, dtype=np.int64), *columns


def _of_incident(
    demand: DemandModel,
    seed: int,
    replication: int,
    index: int,
    incident: IncidentModel,
    counts: Integers,
    talk_factor: Integers,
) -> tuple[Integers, ...]:
    """Columns of `Contacts` for what an incident brings to one contact type, unsorted.

    They come evenly while it lasts; the notice takes away who would have come later.
    """
    interval = np.repeat(np.arange(demand.grid.intervals, dtype=np.int64), counts)
    ordinal = incident.first_ordinal + _numbered(counts)
    begin, length = incident.begin[interval], incident.length[interval].astype(np.uint64)
    factor = scale(talk_factor[demand.warm_up_intervals + interval], np.asarray(incident.talk_ppm))
    given = demand.contact_types[index]
    columns, spare = _of_keys(given, seed, replication, interval, ordinal, begin, length, factor)
    arrival = columns[2]
    saved = (arrival >= incident.notice) & (uniform53(spare) < uniform_limit(incident.saved_ppm))
    contact_type = np.full(len(interval), index, dtype=np.int64)
    return tuple(column[~saved] for column in (contact_type, *columns))


def _numbered(counts: Integers) -> Integers:
    """Number the contacts of each interval from 0."""
    first = np.repeat(np.cumsum(counts) - counts, counts)
    return np.arange(len(first), dtype=np.int64) - first


def _of_keys(
    given: ContactTypeDemand,
    seed: int,
    replication: int,
    interval: Integers,
    ordinal: Integers,
    begin: Integers,
    length: np.uint64 | NDArray[np.uint64],
    factor: Integers,
) -> tuple[tuple[Integers, ...], NDArray[np.uint64]]:
    """Columns of `Contacts` but the first, and a word of each contact that nothing else uses."""
    when, spare = draw(stream_key(seed, "arrival", given.name), replication, interval, ordinal)
    talk, wrap_up = draw(stream_key(seed, "handle", given.name), replication, interval, ordinal)
    stay, _ = draw(stream_key(seed, "patience", given.name), replication, interval, ordinal)
    offset = ((when >> np.uint64(32)) * length) >> np.uint64(32)
    talk_time = scale(evaluate(given.talk_time, uniform53(talk)), factor)
    columns = (
        interval,
        ordinal,
        begin + offset.astype(np.int64),
        talk_time + evaluate(given.wrap_up, uniform53(wrap_up)),
        evaluate(given.patience, uniform53(stay)),
    )
    return columns, spare


def scale(length: Integers, factor_ppm: Integers) -> Integers:
    """Length times a factor per million, rounded half up, without overflow.

    Examples
    --------
    >>> scale(np.array([3, 10**13]), np.array([500_000, 1_500_000])).tolist()
    [2, 15000000000000]
    """
    whole, rest = np.divmod(length, PPM)
    return whole * factor_ppm + (rest * factor_ppm + PPM // 2) // PPM


def scale_one(length: int, factor_ppm: int) -> int:
    """The same for one length."""
    return (length * factor_ppm + PPM // 2) // PPM


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
    "scale_one",
]
