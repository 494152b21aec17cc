"""What is drawn of each agent: how late she comes, how early she leaves, how she works."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.draw import Draw
from ccsim.demand.keyed import draw, occurs, stream_key, uniform53
from ccsim.demand.model import PPM, UntimelyModel
from ccsim.demand.table import evaluate

Integers = NDArray[np.int64]


def late(drawn: Draw, group: int, day: Integers, ordinal: Integers) -> Integers:
    """How long after the begin of a shift its agent is on the floor [µs], log-in included."""
    given = drawn.demand.absence[group]
    return given.log_in + _missing(drawn, "late", given.group, given.late, day, ordinal)


def leaves_early(drawn: Draw, group: int, day: Integers, ordinal: Integers) -> Integers:
    """How long before the end of a shift its agent leaves [µs]."""
    given = drawn.demand.absence[group]
    return _missing(drawn, "leaves early", given.group, given.leaves_early, day, ordinal)


def _missing(
    drawn: Draw,
    why: str,
    group: str,
    given: UntimelyModel | None,
    day: Integers,
    ordinal: Integers,
) -> Integers:
    if given is None or len(day) == 0:
        return np.zeros(len(day), np.int64)
    happens, by = draw(stream_key(drawn.seed, why, group), drawn.replication, day, ordinal)
    return np.where(occurs(happens, given.share_ppm), evaluate(given.by, uniform53(by)), 0)


def multiples(
    drawn: Draw, group: int, day: Integers, ordinal: Integers
) -> tuple[Integers, Integers]:
    """Handle time and resolution of agents as multiples of their group's [per million].

    An agent is the same on all days of a replication; what is learned goes by the day.
    """
    given = drawn.demand.paces[group]
    if given is None or len(day) == 0:
        return np.full(len(day), PPM), np.full(len(day), PPM)
    key = stream_key(drawn.seed, "pace", given.group)
    return given.of(draw(key, drawn.replication, 0, ordinal), day)
