"""How each agent works: her factors on handle time and on resolution, stretch by stretch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ccsim.demand import agents
from ccsim.demand.draw import Draw, scale_one
from ccsim.demand.keyed import uniform_limit
from ccsim.demand.model import PPM
from ccsim.simulation.model import Model

Integers = NDArray[np.int64]

MOST_PPM = 100 * PPM
"""No contact takes an agent longer than a hundred times the contact type's handle time."""


class Pace(NamedTuple):
    """Multiples of the group's by stretch [per million], arrays of shape (n_stretches,)."""

    handle_time: Integers
    resolution: Integers


def pace(model: Model, draw: Draw) -> Pace:
    """Look up who works how."""
    s = model.stretches
    stretch_group = model.agent_group[s.agent]
    found = Pace(np.full(len(s.agent), PPM), np.full(len(s.agent), PPM))
    for group in range(len(model.groups)) if model.agents_differ else ():
        mine = stretch_group == group
        multiples = agents.multiples(draw, group, s.day[mine], s.ordinal[mine])
        for column, values in zip(found, multiples, strict=True):
            column[mine] = values
    return found


def handle_factor(skill_ppm: int, pace_ppm: int) -> int:
    """Handle time of an agent as a multiple of the contact type's [per million].

    The product of her skill's and her own, rounded half up, and then the handle time times that.
    """
    return min(scale_one(skill_ppm, pace_ppm), MOST_PPM)


def unresolved_below(resolution_ppm: int, multiple_ppm: int) -> int:
    """Uniforms below which a contact with an agent does not settle the matter."""
    return int(uniform_limit(PPM - min(scale_one(resolution_ppm, multiple_ppm), PPM)))
