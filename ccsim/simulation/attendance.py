"""When agents are really there: stretches without who is absent, late or gone early.

All of it is drawn before anything moves, so that both engines take it as a plan that came true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.agents import late, leaves_early
from ccsim.demand.draw import Draw
from ccsim.simulation.model import Model

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


class Attendance(NamedTuple):
    """Each stretch of a model as it is worked in one replication, arrays of shape (n_stretches,).

    Attributes
    ----------
    there : ndarray of bool
        Whether its agent comes at all.
    start, end : ndarray of int64
        On the floor from, until [µs]; of a stretch without its agent as planned.
    serves_out : ndarray of bool
        Whether everything she serves is closed when it ends.
    """

    there: Booleans
    start: Integers
    end: Integers
    serves_out: Booleans


def present(model: Model, draw: Draw) -> Booleans:
    """Whether the agent of each stretch is there on its day, late or not."""
    stretches = model.stretches
    there = np.zeros(len(stretches.agent), dtype=bool)
    stretch_group = model.agent_group[stretches.agent]
    for group in range(len(model.groups)):
        mine = stretch_group == group
        there[mine] = draw.present(group, stretches.day[mine], stretches.ordinal[mine])
    return there


def attendance(model: Model, draw: Draw, there: Booleans) -> Attendance:
    """Take log-in, lateness and early leaving off the stretches.

    Parameters
    ----------
    model, draw
        The centre, and the chance of the replication.
    there : ndarray of bool, shape (n_stretches,)
        As by `present`.

    Notes
    -----
    A shift is worked from its begin plus lateness plus log-in until its end less what she leaves
    early; of each stretch what lies between remains, and a stretch of which nothing remains has
    nobody. Who leaves early while something she serves is open does not serve out.
    """
    s = model.stretches
    stretch_group = model.agent_group[s.agent]
    start, end, serves_out = s.start, s.end, s.serves_out
    for group, given in enumerate(draw.demand.absence):
        if given.timely:
            continue
        mine = np.flatnonzero((stretch_group == group) & s.in_shift & there)
        day, ordinal = s.day[mine], s.ordinal[mine]
        comes = np.maximum(s.start[mine], s.shift_start[mine] + late(draw, group, day, ordinal))
        goes = np.minimum(s.end[mine], s.shift_end[mine] - leaves_early(draw, group, day, ordinal))
        if start is s.start:
            there, serves_out = there.copy(), serves_out.copy()
            start, end = start.copy(), end.copy()
        there[mine] = comes < goes
        some, earlier = comes < goes, (comes < goes) & (goes < s.end[mine])
        start[mine[some]], end[mine[some]] = comes[some], goes[some]
        serves_out[mine[earlier]] = _closed(model, group, goes[earlier])
    return Attendance(there, start, end, serves_out)


def pauses(model: Model, worked: Attendance) -> dict[int, tuple[int, int]]:
    """Breaks that keep their length: by the stretch before, the stretch after and how long [µs]."""
    s = model.stretches
    mine = np.flatnonzero(
        worked.there & s.in_shift & model.keeps_breaks[model.agent_group[s.agent]]
    )
    mine = mine[np.lexsort((worked.start[mine], s.agent[mine]))]
    before, after = mine[:-1], mine[1:]
    length = worked.start[after] - worked.end[before]
    breaks = (s.agent[before] == s.agent[after]) & (length > 0)
    found = zip(after[breaks].tolist(), length[breaks].tolist(), strict=True)
    return dict(zip(before[breaks].tolist(), found, strict=True))


def after_late_break(
    breaks: Mapping[int, tuple[int, int]], end: Sequence[int] | Integers, stretch: int, left: int
) -> tuple[list[int], int]:
    """Stretches that do not begin as planned as a break began late, and when it is over [µs].

    The last of them is the one that she is back for, unless that is over by then too.

    Parameters
    ----------
    breaks : mapping
        As by `pauses`.
    end : sequence of int
        When each stretch ends [µs].
    stretch, left : int
        The stretch before the break, and when she left it.
    """
    after, length = breaks[stretch]
    moved = [after]
    while end[after] <= left + length and after in breaks:
        after, _ = breaks[after]
        moved.append(after)
    return moved, left + length


def _closed(model: Model, group: int, moment: Integers) -> Booleans:
    """Whether nobody can come any more to whom a group could talk: closed, or past the end."""
    served = model.open[model.skills.priority[group] > 0].any(axis=0)
    column = moment // model.interval_us % model.open.shape[1]
    return np.asarray((moment >= model.end) | ~served[column])
