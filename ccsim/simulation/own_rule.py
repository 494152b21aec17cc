"""A routing rule of one's own, written in Python: what it is asked, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Waiting:
    """A contact that waits.

    Attributes
    ----------
    contact_type : str
        Its contact type.
    waited : float
        How long so far [s].
    """

    contact_type: str
    waited: float


@dataclass(frozen=True)
class Free:
    """An agent who is free.

    Attributes
    ----------
    group : str
        Her agent group.
    idle : float
        Since when [s].
    number : int
        Who she is: the place of her working day in the plan.
    """

    group: str
    idle: float
    number: int


RoutingRule: TypeAlias = Callable[[tuple[Waiting, ...], tuple[Free, ...]], tuple[int, int] | None]
"""Which contact goes to which agent now: their places in what is given, or None for nobody.

It is asked whenever a contact arrives, has waited for an `after`, or an agent is free, and again
until it answers None. Contacts stand in the order of their arrival, agents from the longest idle.
The skill is needed; priorities, points, reserves and `after` are the rule's business.
"""
