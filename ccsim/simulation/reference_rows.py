"""Contacts of the reference engine, row by row: first attempts, then others as they come."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.draw import Draw
from ccsim.demand.table import NEVER
from ccsim.simulation.log import ContactLog, Outcome


class Rows:
    """One list for each column of the log, and what has yet to happen to a contact."""

    def __init__(self, draw: Draw) -> None:
        contacts = draw.contacts
        self.contact_type: list[int] = contacts.contact_type.tolist()
        self.origin = self.contact_type.copy()
        self.interval: list[int] = contacts.interval.tolist()
        self.ordinal: list[int] = contacts.ordinal.tolist()
        self.arrival: list[int] = contacts.arrival.tolist()
        self.handle_time: list[int] = contacts.handle_time.tolist()
        self.patience: list[int] = contacts.patience.tolist()
        self.content: list[int] = contacts.content_id.tolist()
        count = len(self.arrival)
        self.attempt = [0] * count
        self.drawn = [0] * count
        self.outcome = [int(Outcome.WAITING)] * count
        self.left_queue: list[int] = [NEVER] * count
        self.ended: list[int] = [NEVER] * count
        self.taken: list[int] = [NEVER] * count
        self.called_back = [False] * count
        self.agent = [-1] * count
        self.last = [True] * count
        self.again = [0] * count
        self.unresolved = [False] * count
        self.transferred = [False] * count
        self.cut = [False] * count

    def key(self, contact: int) -> tuple[int, int, int, int]:
        """What its random numbers go by: contact type, interval, ordinal, attempt."""
        return (
            self.origin[contact],
            self.interval[contact],
            self.ordinal[contact],
            self.attempt[contact],
        )

    def key_of_length(self, contact: int) -> tuple[int, int, int, int]:
        """What its handle time went by: of the first attempt, or of a later one drawn anew."""
        return *self.key(contact)[:3], self.drawn[contact]

    def next_attempt(self, contact: int, contact_type: int, arrival: int, why: int) -> int:
        """Append the next attempt of a request, as long and as patient as the last one; its row."""
        self.last[contact] = False
        # The attempt is the last part of a content id: the next attempt's is one more.
        self.contact_type.append(contact_type)
        self.origin.append(self.origin[contact])
        self.interval.append(self.interval[contact])
        self.ordinal.append(self.ordinal[contact])
        self.attempt.append(self.attempt[contact] + 1)
        self.drawn.append(self.drawn[contact])
        self.content.append(self.content[contact] + 1)
        self.arrival.append(arrival)
        self.handle_time.append(self.handle_time[contact])
        self.patience.append(self.patience[contact])
        self.outcome.append(int(Outcome.WAITING))
        self.left_queue.append(NEVER)
        self.ended.append(NEVER)
        self.taken.append(NEVER)
        self.called_back.append(False)
        self.agent.append(-1)
        self.last.append(True)
        self.again.append(why)
        self.unresolved.append(False)
        self.transferred.append(False)
        self.cut.append(False)
        return len(self.arrival) - 1

    def log(self, end: int, stretch_came: list[int], stretch_left: list[int]) -> ContactLog:
        """All rows, sorted by arrival, then by content; none ends after the run."""
        arrival = np.array(self.arrival, dtype=np.int64)
        order = np.lexsort((np.array(self.content, dtype=np.int64), arrival))

        def column(values: list[Any], kind: type = np.int64) -> NDArray[Any]:
            return np.array(values, dtype=kind)[order]

        left_queue = np.minimum(column(self.left_queue), end)
        return ContactLog(
            contact_type=column(self.contact_type),
            origin=column(self.origin),
            interval=column(self.interval),
            ordinal=column(self.ordinal),
            attempt=column(self.attempt),
            arrival=arrival[order],
            outcome=column(self.outcome),
            left_queue=left_queue,
            taken=np.minimum(column(self.taken), left_queue),
            ended=np.minimum(column(self.ended), end),
            agent=column(self.agent),
            last=column(self.last, bool),
            again=column(self.again, np.int8),
            unresolved=column(self.unresolved, bool),
            called_back=column(self.called_back, bool),
            transferred=column(self.transferred, bool),
            cut=column(self.cut, bool),
            stretch_came=np.array(stretch_came, dtype=np.int64),
            stretch_left=np.array(stretch_left, dtype=np.int64),
        )
