"""HAPPENED: what became of every contact, and when agents were really on the floor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class Outcome(IntEnum):
    """Where a contact ended; each ends in exactly one of these."""

    ANSWERED = 0
    ABANDONED = 1
    CLOSED = 2
    """Came while the contact type was closed; offered, and never in time."""
    WAITING = 3
    """Still waiting when the run ended."""
    BLOCKED = 4
    """Found no line, or the queue full; offered, and never in time."""
    CLEARED = 5
    """Disconnected unanswered, waiting when the contact type closed."""
    BALKED = 6
    """Hung up at once on being told how long it takes; offered, and never in time."""
    UNREACHED = 7
    """Was to be called back, and did not answer; offered, and never in time."""


REDIAL, MET, PASSED_ON = 1, 2, 4
"""Bits of `ContactLog.again`: this attempt follows one without an answer; an agent was met before;
an agent passed the contact on."""


@dataclass(frozen=True, eq=False)
class ContactLog:
    """One row per contact (an attempt), sorted by arrival, then by content.

    Attributes
    ----------
    contact_type : ndarray of int64, shape (n_contacts,)
        Whose queue it joins.
    origin, interval, ordinal, attempt : ndarray of int64
        The key: contact type, interval and ordinal are those of the first attempt.
    arrival : ndarray of int64
        [µs].
    outcome : ndarray of int64
        An `Outcome`.
    left_queue : ndarray of int64
        When the wait ended: picked up, given up, or the run's end [µs].
    taken : ndarray of int64
        From when on an agent was busy with it, ringing or dialling included; else as `left_queue`.
    ended : ndarray of int64
        When the agent was done (answered contacts), else as `left_queue` [µs].
    agent : ndarray of int64
        Index of the agent-day whom it was given to, or -1. Not all of these are answered: some
        give up while it rings, some do not answer when called back.
    last : ndarray of bool
        Whether the request ends with this contact.
    again : ndarray of int8
        Why it is not a first attempt: 0 for a first one, `REDIAL`, `MET` (a repeat), both (a
        redial of whoever was answered before), or `MET` and `PASSED_ON`.
    unresolved : ndarray of bool
        Whether an agent answered and the matter was not settled.
    called_back : ndarray of bool
        Whether she hung up to be called back.
    transferred : ndarray of bool
        Whether the agent who answered passed it on.
    cut : ndarray of bool
        Whether another attempt would have followed but for the bound or the end of the horizon.
    stretch_came, stretch_left : ndarray of int64, shape (n_stretches,)
        When the agent of each stretch really came to the floor and left it [µs]; who never came
        has the start of the stretch for both.
    """

    contact_type: Integers
    origin: Integers
    interval: Integers
    ordinal: Integers
    attempt: Integers
    arrival: Integers
    outcome: Integers
    left_queue: Integers
    taken: Integers
    ended: Integers
    agent: Integers
    last: NDArray[np.bool_]
    again: NDArray[np.int8]
    unresolved: NDArray[np.bool_]
    called_back: NDArray[np.bool_]
    transferred: NDArray[np.bool_]
    cut: NDArray[np.bool_]
    stretch_came: Integers
    stretch_left: Integers

    @property
    def wait(self) -> Integers:
        """Time in the queue [µs]."""
        return self.left_queue - self.arrival
