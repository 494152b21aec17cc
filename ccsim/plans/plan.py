"""CHOSEN: who works when. A plan is shifts with their breaks, or agents interval by interval."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class PlacedBreak:
    """A break at its place: begin and length [µs since the start of the horizon]."""

    start: int
    length: int
    paid: bool = False


@dataclass(frozen=True, order=True)
class PlacedShift:
    """A number of agents of one group who work the same shift with the same breaks.

    Attributes
    ----------
    group, shift : str
        Names in the scenario.
    start, length : int
        Begin and length, breaks included [µs since the start of the horizon].
    breaks : tuple of PlacedBreak
        In time order, inside the shift.
    agents : int
        How many.
    """

    group: str
    start: int
    shift: str
    length: int
    breaks: tuple[PlacedBreak, ...] = ()
    agents: int = 1

    @property
    def end(self) -> int:
        """End of the shift [µs]."""
        return self.start + self.length

    @property
    def on_the_floor(self) -> tuple[tuple[int, int], ...]:
        """The stretches between the breaks: begin and end [µs]."""
        begins = [self.start, *(pause.start + pause.length for pause in self.breaks)]
        ends = [*(pause.start for pause in self.breaks), self.end]
        return tuple((a, b) for a, b in zip(begins, ends, strict=True) if a < b)

    @property
    def paid(self) -> int:
        """Paid time of one agent [µs]: the shift without its unpaid breaks."""
        return self.length - sum(pause.length for pause in self.breaks if not pause.paid)


Schedule = tuple[PlacedShift, ...]
"""Placed shifts, sorted."""


@dataclass(frozen=True)
class StaffingPlan:
    """A plan for the whole centre: each agent group is scheduled or staffed by interval.

    Attributes
    ----------
    schedule : tuple of PlacedShift
        The shifts of every group that works shifts.
    by_interval : mapping of str to tuple of int
        Agents on the floor in each interval, for groups without shifts.
    """

    schedule: Schedule = ()
    by_interval: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The plan as text, the same for the same plan: it keys the certificate's seed."""
        shifts = [
            [s.group, s.shift, s.start, s.length, [[b.start, b.length] for b in s.breaks], s.agents]
            for s in sorted(self.schedule)
        ]
        by_interval = {name: list(agents) for name, agents in sorted(self.by_interval.items())}
        return json.dumps([shifts, by_interval])
