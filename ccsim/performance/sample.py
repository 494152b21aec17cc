"""MEASURED, many replications: day counts of each, and running sums for every interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ccsim.performance.tally import CONTACT_MEASURES, GROUP_MEASURES, Tally, added
from ccsim.performance.waits import Counts, Waits, block_waits
from ccsim.queueing.service_level import ServiceLevelFormula, good_and_base
from ccsim.scenario.calendar import Grid
from ccsim.scenario.model import Scenario
from ccsim.statistics import Estimates, ratios_from_sums

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Numbers = NDArray[Any]

TYPE_RATIOS = ("offered", "service_level", "abandoned", "speed_of_answer")
"""What is estimated for each contact type in each interval."""
GROUP_RATIOS = ("on_the_floor", "occupancy")
"""What is estimated for each agent group in each interval."""


BY_REPLICATION = ("contacts", "in_time", "abandoned_in_time", "groups", "handled")
"""What a sample has of each of its replications."""


@dataclass(frozen=True, eq=False)
class RunningSums:
    """Sums of block totals x and y, of their squares and product: enough for a ratio's interval.

    Attributes
    ----------
    blocks : int
        How many blocks.
    contact_types : ndarray, shape (5, n_ratios, n_contact_types, n_intervals)
        Sums of x, y, xx, xy, yy for each of `TYPE_RATIOS`.
    groups : ndarray, shape (5, n_ratios, n_groups, n_intervals)
        The same for each of `GROUP_RATIOS`.
    """

    blocks: int
    contact_types: Floats
    groups: Floats

    def __add__(self, other: RunningSums) -> RunningSums:
        return RunningSums(
            self.blocks + other.blocks,
            self.contact_types + other.contact_types,
            self.groups + other.groups,
        )

    def estimates(self, ratio: str, level: float = 0.95) -> Estimates:
        """Estimate a ratio by interval, shape (n_contact_types or n_groups, n_intervals)."""
        family = self.contact_types if ratio in TYPE_RATIOS else self.groups
        names = TYPE_RATIOS if ratio in TYPE_RATIOS else GROUP_RATIOS
        x, y, xx, xy, yy = family[:, names.index(ratio)]
        return ratios_from_sums(self.blocks, x, y, xx, xy, yy, level)


@dataclass(frozen=True, eq=False)
class Sample:
    """What a number of whole blocks of replications measured under one plan.

    Attributes
    ----------
    contacts : ndarray of int64, shape (n_replications, n_measures, n_contact_types, n_days)
        `CONTACT_MEASURES` of each replication by local day.
    in_time, abandoned_in_time : ndarray of int64
        Answered, and abandoned, within each threshold, shape (n_replications, n_thresholds,
        n_contact_types, n_days).
    groups : ndarray of int64, shape (n_replications, n_measures, n_groups, n_days)
        `GROUP_MEASURES` by local day [µs].
    handled : ndarray of int64, shape (n_replications, n_groups, n_contact_types)
        Handling time [µs].
    intervals : RunningSums
        For the estimates of every interval.
    waits : Waits
        Histograms of how long those answered waited.
    block_size : int
        Replications in a block; intervals of estimates come from block totals.
    """

    contacts: Integers
    in_time: Integers
    abandoned_in_time: Integers
    groups: Integers
    handled: Integers
    intervals: RunningSums
    waits: Waits
    block_size: int

    @property
    def replications(self) -> int:
        """How many replications."""
        return len(self.contacts)

    def measure(self, name: str) -> Integers:
        """One contact measure, shape (n_replications, n_contact_types, n_days)."""
        return np.asarray(self.contacts[:, CONTACT_MEASURES.index(name)])

    def group_measure(self, name: str) -> Integers:
        """One group measure [µs], shape (n_replications, n_groups, n_days)."""
        return np.asarray(self.groups[:, GROUP_MEASURES.index(name)])

    def blocks(self, values: Integers) -> Integers:
        """Block totals of values by replication, shape (n_blocks, ...)."""
        blocks: Integers = values.reshape(-1, self.block_size, *values.shape[1:]).sum(axis=1)
        return blocks


def join(samples: Sequence[Sample]) -> Sample:
    """Put whole blocks together, in the order given."""
    replications = sum(sample.replications for sample in samples)
    return join_each(((sample,) for sample in samples), replications)[0]


def join_each(blocks: Iterable[Sequence[Sample]], replications: int) -> tuple[Sample, ...]:
    """Put the samples of several plans together, block by block in the order given.

    As the blocks come, what is of a fixed size is added up, and the rest goes where it will stay:
    none is kept.

    Parameters
    ----------
    blocks : iterable of sequence of Sample
        One of each plan.
    replications : int
        How many there will be in all.
    """
    joined: list[Sample] = []
    done = 0
    for block in blocks:
        if not joined:
            joined = [_with_room(one, replications) for one in block]
        else:
            joined = [
                replace(
                    before,
                    intervals=before.intervals + one.intervals,
                    waits=before.waits.plus(one.waits),
                )
                for before, one in zip(joined, block, strict=True)
            ]
        rows = slice(done, done + block[0].replications)
        for all_of_them, one in zip(joined, block, strict=True):
            for name in BY_REPLICATION:
                getattr(all_of_them, name)[rows] = getattr(one, name)
        done = rows.stop
    assert done == replications
    return tuple(joined)


def _with_room(first: Sample, replications: int) -> Sample:
    """A sample whose arrays by replication have room for so many, still to be written."""
    room = {
        name: np.empty((replications, *getattr(first, name).shape[1:]), np.int64)
        for name in BY_REPLICATION
    }
    return Sample(**room, intervals=first.intervals, waits=first.waits, block_size=first.block_size)


def block_sample(tallies: Sequence[Tally], waits: Counts, grid: Grid, scenario: Scenario) -> Sample:
    """One block's sample from the tallies of its replications, and all their waits."""
    first_of_day = np.searchsorted(grid.day, np.arange(grid.days))

    def days(values: Integers) -> Integers:
        totals: Integers = np.add.reduceat(values, first_of_day, axis=-1)
        return totals

    contacts = np.stack([tally.contacts for tally in tallies])
    in_time = np.stack([tally.in_time for tally in tallies])
    abandoned_in_time = np.stack([tally.abandoned_in_time for tally in tallies])
    groups = np.stack([tally.groups for tally in tallies])
    return Sample(
        contacts=days(contacts),
        in_time=days(in_time),
        abandoned_in_time=days(abandoned_in_time),
        groups=days(groups),
        handled=np.stack([tally.handled for tally in tallies]),
        intervals=_running_sums(added(tallies), len(tallies), grid, scenario),
        waits=block_waits(waits),
        block_size=len(tallies),
    )


def _running_sums(total: Tally, replications: int, grid: Grid, scenario: Scenario) -> RunningSums:
    offered = total.measure("offered")
    formulas = [given.service_level.formula for given in scenario.contact_types.values()]
    good, base = service_level_parts(
        formulas, total.contacts, total.in_time[0], total.abandoned_in_time[0]
    )
    many = np.full(offered.shape, replications)
    floor = total.group_measure("on_the_floor")
    there = np.full(floor.shape, replications * grid.interval_us)
    pairs = [
        (offered, many),
        (good, base),
        (total.measure("abandoned"), offered),
        (total.measure("wait_answered") / 1e6, total.measure("answered")),
    ]
    group_pairs = [(floor, there), (total.group_measure("handling"), floor)]
    return RunningSums(1, _products(pairs), _products(group_pairs))


def _products(pairs: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> Floats:
    x, y = (np.stack(column).astype(np.float64) for column in zip(*pairs, strict=True))
    return np.stack([x, y, x * x, x * y, y * y])


def service_level_parts(
    formulas: Sequence[ServiceLevelFormula],
    contacts: Integers,
    in_time: Integers,
    abandoned_in_time: Integers,
) -> tuple[Numbers, Numbers]:
    """Numerator and denominator of each contact type's service level.

    Parameters
    ----------
    formulas : sequence of str, length n_contact_types
        The formula of each contact type.
    contacts : ndarray, shape (n_measures, n_contact_types, ...)
        `CONTACT_MEASURES`.
    in_time, abandoned_in_time : ndarray, shape (n_contact_types, ...)
        Answered, and abandoned, within the threshold.

    Returns
    -------
    tuple of ndarray, shape (n_contact_types, ...)
    """

    def row(name: str, index: int) -> Numbers:
        return np.asarray(contacts[CONTACT_MEASURES.index(name), index])

    parts = [
        good_and_base(
            formula,
            offered=row("offered", index),
            answered=row("answered", index),
            answered_in_time=in_time[index],
            abandoned_in_time=abandoned_in_time[index],
            short_abandons=row("short_abandons", index),
        )
        for index, formula in enumerate(formulas)
    ]
    good, base = (np.stack(column) for column in zip(*parts, strict=True))
    return good, base
