"""Centres of all kinds with what the reference says of them, to compare with machine code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from itertools import islice
from typing import Any

import numpy as np

from ccsim.demand.draw import Draw, draw_replications
from ccsim.performance.tally import (
    Rules,
    Tally,
    count,
)
from ccsim.simulation import (
    engine_compiled,
    reference,
)
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.simulation.model import Model
from tests.centres import (
    some_centre,
    some_demand,
)

DAYS = 20  # drawn of each demand


def differences(one: Any, other: Any) -> list[str]:
    """Columns of two draws, logs or tallies that are not equal, be it only in kind of number."""
    columns = [(f.name, getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]
    return [n for n, a, b in columns if a.dtype != b.dtype or not np.array_equal(a, b)]


def misdrawn(days: list[Draw]) -> list[str]:
    """What machine code draws otherwise."""
    one, members = days[0], [day.replication for day in days]
    again = draw_replications(one.demand, one.seed, members, one.block_size, compiled=True)
    pairs = zip(days, again, strict=True)
    return [name for day, fast in pairs for name in differences(day.contacts, fast.contacts)]


@dataclass(frozen=True, eq=False)
class Centre:
    """A centre, a day, and what the reference says of it."""

    model: Model
    draw: Draw
    rules: Rules
    log: ContactLog
    tally: Tally

    def misplayed(self) -> list[str]:
        """What the compiled engine plays otherwise."""
        return differences(self.log, engine_compiled.run(self.model, self.draw))

    def miscounted(self) -> list[str]:
        """What machine code counts otherwise."""
        return differences(self.tally, count(self.model, self.log, self.rules, compiled=True))

    @property
    def ties(self) -> int:
        """Arrivals, ends, comings and leavings in the microsecond of another one."""
        log = self.log
        ends = log.ended[log.outcome != Outcome.CLOSED]
        happens = np.concatenate([log.arrival, ends, log.stretch_came, log.stretch_left])
        return len(happens) - len(np.unique(happens))


def some_days(chance: np.random.Generator, number: int = DAYS) -> Iterator[list[Draw]]:
    """Days of one demand, then of another, without end."""
    while True:
        demand, seed = some_demand(chance), int(chance.integers(1000))
        yield list(draw_replications(demand, seed, range(seed, seed + number), block_size=8))


def played_by_reference(chance: np.random.Generator, day: Draw) -> Centre:
    model, day, rules = some_centre(chance, day)
    log = reference.run(model, day)
    return Centre(model, day, rules, log, count(model, log, rules))


@cache
def small_centres(demands: int = 250) -> tuple[Centre, ...]:
    """Hardly two centres of each demand, which plain Python plays in a moment."""
    chance = np.random.default_rng(3)
    days = (day for days in islice(some_days(chance, 2), demands) for day in days)
    centres = (played_by_reference(chance, day) for day in days if len(day.contacts.arrival) < 100)
    return tuple(centre for centre in centres if len(centre.log.arrival) < 300)
