"""All that decides the chance of a study, laid end to end for machine code: keys and tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.keyed import stream_key, uniform_limit
from ccsim.demand.model import DemandModel
from ccsim.demand.quantiles import constant
from ccsim.demand.table import CELLS_OF_A_TABLE, QuantileTable, cell_of

Integers = NDArray[np.int64]

TALK_TIME, WRAP_UP, PATIENCE, REDIAL_DELAY, REPEAT_DELAY = range(5)
"""Places of the tables of each contact type."""
TABLES = 5
"""How many it has."""
(
    ARRIVAL_KEY, HANDLE_KEY, PATIENCE_KEY, REDIAL_KEY, REPEAT_KEY, AGENT_KEY, TRANSFER_KEY,
    CALLBACK_KEY,
) = range(8)  # fmt: skip
"""Places of its keys."""


class Chance(NamedTuple):
    """Keys and tables of every contact type; tables stand one behind the other.

    Attributes
    ----------
    keys : ndarray of uint64, shape (n_contact_types, 8, 2)
        Stream keys, in the order of the places above.
    absence_keys : ndarray of uint64, shape (n_groups, 2)
        Stream keys of who of an agent group is absent.
    redial_below : ndarray of int64, shape (n_contact_types,)
        Uniforms below which who gave up calls again; 0 if nobody does.
    repeats : ndarray of bool, shape (n_contact_types,)
        Whether who is unresolved contacts again.
    start, rise : ndarray of int64
        Lines of all cells of all tables.
    patches : ndarray of int64, shape (n_patches, 5)
        Of all patches: from, until, low, high, and the cell that has their line.
    patches_of : ndarray of int64, shape (n_cells, 2)
        The first patch in a cell, and one past the last.
    first_cell : ndarray of int64, shape (5 * n_contact_types,)
        Of each table.
    """

    keys: NDArray[np.uint64]
    absence_keys: NDArray[np.uint64]
    redial_below: Integers
    repeats: NDArray[np.bool_]
    start: Integers
    rise: Integers
    patches: Integers
    patches_of: Integers
    first_cell: Integers


@lru_cache(maxsize=16)
def chance_of(demand: DemandModel, seed: int) -> Chance:
    """Lay out what a seed makes of a demand."""
    tables: list[QuantileTable] = []
    for given in demand.contact_types:
        delays = [
            constant(0.0) if again is None else again.delay
            for again in (given.redial, given.repeat)
        ]
        tables += [given.talk_time, given.wrap_up, given.patience, *delays]
    keys = [
        [stream_key(seed, purpose, given.name) for purpose in _PURPOSES]
        for given in demand.contact_types
    ]
    likely = [g.redial.probability_ppm if g.redial else 0 for g in demand.contact_types]
    absence = [stream_key(seed, "absence", given.group) for given in demand.absence]
    return Chance(
        np.array(keys, np.uint64),
        np.array(absence, np.uint64),
        uniform_limit(likely),
        np.array([given.repeat is not None for given in demand.contact_types]),
        *_end_to_end(tables),
    )


_PURPOSES = ("arrival", "handle", "patience", "redial", "repeat", "agent", "transfer", "callback")


def _end_to_end(tables: Sequence[QuantileTable]) -> tuple[Integers, ...]:
    """The columns of `Chance` that are about tables."""
    first_cell = np.cumsum([0, *(len(table.start) for table in tables)], dtype=np.int64)
    start, rise = (
        np.concatenate([getattr(table, column) for table in tables]) for column in ("start", "rise")
    )
    patches = np.concatenate(
        [
            np.stack(
                [
                    *(table.patch_from, table.patch_until, table.patch_low, table.patch_high),
                    cell + CELLS_OF_A_TABLE + np.arange(len(table.patch_from)),
                ],
                axis=1,
            )
            for table, cell in zip(tables, first_cell, strict=False)
        ]
    )
    home = np.concatenate(
        [cell + cell_of(table.patch_from) for table, cell in zip(tables, first_cell, strict=False)]
    )
    patches_of = np.zeros((len(start), 2), np.int64)
    number = np.arange(len(home))
    patches_of[home[::-1], 0] = number[::-1]  # the first one of a cell is written last
    patches_of[home, 1] = number + 1
    return start, rise, patches, patches_of, first_cell[:-1]
