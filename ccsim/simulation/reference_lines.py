"""Telephone lines in the reference engine: held while waiting and talking, not during wrap-up."""

from __future__ import annotations

from heapq import heappop, heappush

from ccsim.simulation.rules import Access


class Lines:
    """How many are free in each line group, and until when those are held that talk goes on over.

    A line whose talk has ended is only found free when somebody asks for one.
    """

    def __init__(self, access: Access) -> None:
        self.group = access.line_group.tolist()
        self.free = access.lines.tolist()
        self.talk_ends: list[list[int]] = [[] for _ in self.free]

    def needed(self, contact_type: int) -> bool:
        """Whether its customers hold a line."""
        return bool(self.group[contact_type] >= 0)

    def take(self, contact_type: int, now: int) -> bool:
        """Take a line, if one is free or none is needed."""
        if not self.needed(contact_type):
            return True
        group = self.group[contact_type]
        talks = self.talk_ends[group]
        while talks and talks[0] <= now:
            heappop(talks)
            self.free[group] += 1
        if not self.free[group]:
            return False
        self.free[group] -= 1
        return True

    def give_back(self, contact_type: int) -> None:
        """Free the line of whoever has not been answered."""
        if self.needed(contact_type):
            self.free[self.group[contact_type]] += 1

    def talks(self, contact_type: int, until: int) -> None:
        """Hold the line of whoever is answered until the talk ends."""
        heappush(self.talk_ends[self.group[contact_type]], until)
