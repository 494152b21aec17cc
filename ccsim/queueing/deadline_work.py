"""Work with a deadline of hours or days: what is not done now is done later, but in time."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ccsim.queueing._arrays import Floats, duration, fraction, positive_duration, quantity

Clock: TypeAlias = Literal["opening", "calendar"]
"""Whether a wait counts only while somebody could answer, or always."""

_HALVINGS = 60
_MOST_ROUNDS = 400
_ROUNDING = 1e-9


class DeadlineOutcome(NamedTuple):
    """What agents do with work that has a deadline.

    Attributes
    ----------
    share_in_time : float
        Share of contacts answered within the deadline; 1 without contacts.
    mean_wait, longest_wait : float
        On the clock; infinite where some are not answered by the end.
    backlog : ndarray, shape (n_intervals,)
        Contacts open at the end of each interval.
    answered : ndarray, shape (n_intervals,)
        Contacts answered in each interval.
    occupancy : float
        Share of the agents' time that is handling.
    """

    share_in_time: float
    mean_wait: float
    longest_wait: float
    backlog: Floats
    answered: Floats
    occupancy: float


class DeadlineRequirement(NamedTuple):
    """Agents that work with a deadline needs.

    Attributes
    ----------
    agents : ndarray, shape (n_intervals,)
        Agents busy with it in each interval; not rounded.
    peak : float
        The most of them at a time: so many suffice. Infinite where no number does.
    share_in_time, longest_wait : float
        What they reach.
    """

    agents: Floats
    peak: float
    share_in_time: float
    longest_wait: float


def deadline_outcome(
    contacts: ArrayLike,
    agents: ArrayLike,
    handle_time: float,
    deadline: float,
    *,
    interval: float,
    is_open: ArrayLike | None = None,
    clock: Clock = "opening",
    backlog: float = 0.0,
    cyclic: bool = False,
) -> DeadlineOutcome:
    """How much of e-mail or other deferrable work is answered in time by given agents.

    Parameters
    ----------
    contacts : array_like, shape (n_intervals,)
        Contacts that arrive in each interval, evenly; also while closed.
    agents : array_like
        Agents for this work in each interval, or one number for all; closed intervals have none.
    handle_time : float
        Mean handle time.
    deadline : float
        Within how much time on the clock a contact is to be answered.
    interval : float
        Length of an interval, in the unit of all times.
    is_open : array_like of bool, shape (n_intervals,), optional
        When agents may work; always if not given.
    clock : "opening" or "calendar"
        Whether time counts only while open: what comes in the night is then as if it came at
        opening.
    backlog : float
        Contacts open at the start, as if they had just come.
    cyclic : bool
        Whether the last interval is followed by the first, as week follows week.

    Returns
    -------
    DeadlineOutcome

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a time is zero, or lists differ in length.

    Notes
    -----
    *Fluid*: volumes are certain, and agents are busy as long as anything is open; first come first
    served, evenly within an interval. Good where the deadline is long against the handle time and
    there are many contacts; chance is for the simulation. What is open at the end of a week that is
    not cyclic has missed.

    Examples
    --------
    30 mails an hour round the clock, 6 minutes each, eight agents from 8 to 18, 4 opening hours to
    answer. Those of the night wait too long:

    >>> hours = np.arange(24)
    >>> outcome = deadline_outcome(
    ...     np.full(24, 30), 8, 360, 4 * 3600, interval=3600,
    ...     is_open=(hours >= 8) & (hours < 18), cyclic=True)
    >>> print(f"{outcome.share_in_time:.0%}, {outcome.backlog.max():.0f} open at most")
    78%, 420 open at most
    """
    given = _given(
        contacts, agents, handle_time, deadline, interval, is_open, clock, backlog, cyclic
    )
    return _outcome(given, given.agents)


def deadline_requirement(
    contacts: ArrayLike,
    handle_time: float,
    deadline: float,
    *,
    interval: float,
    share: float = 1.0,
    tail: float = np.inf,
    is_open: ArrayLike | None = None,
    clock: Clock = "opening",
    backlog: float = 0.0,
    cyclic: bool = False,
) -> DeadlineRequirement:
    """Fewest agents that answer a share of deferrable work in time, and when they are busy.

    Parameters
    ----------
    contacts, handle_time, deadline, interval, is_open, clock, backlog, cyclic
        As for `deadline_outcome`.
    share : float
        Share of contacts to be answered within the deadline, a fraction.
    tail : float
        Within how much time on the clock every contact is to be answered.

    Returns
    -------
    DeadlineRequirement

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a time is zero, a fraction is given as a
        percentage, or lists differ in length.

    Notes
    -----
    *Fluid*, as `deadline_outcome`. The smallest constant number of agents is found by halving; they
    work whenever anything is open, so in quiet intervals fewer are busy. With ``share`` below 1
    the late contacts are those around the peaks.

    Examples
    --------
    300 mails a day at an office that is open from 8 to 18, evenly over 24 hours, 6 minutes each:
    everything within 4 opening hours.

    >>> hours = np.arange(24)
    >>> need = deadline_requirement(
    ...     np.full(24, 300 / 24), 360, 4 * 3600, interval=3600,
    ...     is_open=(hours >= 8) & (hours < 18), cyclic=True)
    >>> round(need.peak, 2), need.agents[8:18].round(2).tolist()
    (4.37, [4.37, 4.37, 4.37, 4.37, 4.37, 3.13, 1.25, 1.25, 1.25, 1.25])
    """
    wanted = float(fraction("share", share))
    longest = float(duration("tail", tail))
    given = _given(contacts, 0.0, handle_time, deadline, interval, is_open, clock, backlog, cyclic)

    def reached(peak: float) -> DeadlineOutcome:
        return _outcome(given, np.where(given.is_open, peak, 0.0))

    def enough(found: DeadlineOutcome) -> bool:
        in_time = found.share_in_time >= wanted - _ROUNDING
        return in_time and found.longest_wait <= longest * (1 + _ROUNDING)

    work = float(given.contacts.sum() + given.backlog) * given.handle_time / given.interval
    low, high = 0.0, work + 1.0  # so many do everything within an interval
    best = reached(high)
    if not enough(best):
        low, high = high, np.inf
    else:
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            found = reached(middle)
            if enough(found):
                high, best = middle, found
            else:
                low = middle
        if not work:
            high = 0.0
    busy = best.answered * given.handle_time / given.interval
    return DeadlineRequirement(busy, high, best.share_in_time, best.longest_wait)


class _Given(NamedTuple):
    contacts: Floats
    agents: Floats
    handle_time: float
    deadline: float
    interval: float
    is_open: NDArray[np.bool_]
    clock: Clock
    backlog: float
    cyclic: bool


def _given(
    contacts: ArrayLike,
    agents: ArrayLike,
    handle_time: float,
    deadline: float,
    interval: float,
    is_open: ArrayLike | None,
    clock: Clock,
    backlog: float,
    cyclic: bool,
) -> _Given:
    arrive = np.atleast_1d(quantity("contacts", contacts))
    floor = quantity("agents", agents)
    opening = np.ones(arrive.shape, bool) if is_open is None else np.asarray(is_open, dtype=bool)
    if arrive.ndim != 1 or arrive.size == 0 or opening.shape != arrive.shape:
        raise ValueError(
            f"contacts and is_open must be lists of one length; got {arrive.shape} and "
            f"{opening.shape}"
        )
    if floor.shape not in ((), arrive.shape):
        raise ValueError(
            f"agents must be a number or a list as long as contacts; got {floor.shape}"
        )
    if clock not in get_args(Clock):
        raise ValueError(f"clock must be 'opening' or 'calendar'; got {clock!r}")
    return _Given(
        contacts=arrive,
        agents=np.where(opening, floor, 0.0),
        handle_time=float(positive_duration("handle_time", handle_time)),
        deadline=float(duration("deadline", deadline)),
        interval=float(positive_duration("interval", interval)),
        is_open=opening,
        clock=clock,
        backlog=float(quantity("backlog", backlog)),
        cyclic=cyclic,
    )


def _outcome(given: _Given, agents: Floats) -> DeadlineOutcome:
    count = given.contacts.size
    most = agents * given.interval / given.handle_time
    demand = float(given.contacts.sum())
    behind = given.backlog
    if given.cyclic:
        if demand > float(most.sum()) * (1 + _ROUNDING):
            grows = np.full(count, np.inf)
            return DeadlineOutcome(0.0, np.inf, np.inf, grows, most, 1.0)
        for _ in range(2):  # the second week begins as every other does
            behind = _served(given.contacts, most, behind)[1][-1]
        behind = _steady(given, most, behind)
    answered, open_ = _served(given.contacts, most, behind)
    capacity = float(most.sum())
    busy = float(answered.sum()) / capacity if capacity else float(demand > 0)
    if demand + (0.0 if given.cyclic else given.backlog) == 0:
        return DeadlineOutcome(1.0, 0.0, 0.0, open_, answered, busy)
    # What is open is answered in the weeks that follow, or never.
    all_answered, left = [answered], float(open_[-1])
    while given.cyclic and left > _ROUNDING * demand and len(all_answered) < _MOST_ROUNDS:
        after, still = _served(np.zeros(count), most, left)
        all_answered.append(after)
        left = float(still[-1])
    share, mean, longest = _waits(given, np.concatenate(all_answered), behind)
    return DeadlineOutcome(share, mean, longest, open_, answered, busy)


def _steady(given: _Given, most: Floats, behind: float) -> float:
    """Backlog with which a week begins and ends."""
    for _ in range(_MOST_ROUNDS):
        after = float(_served(given.contacts, most, behind)[1][-1])
        if abs(after - behind) <= _ROUNDING * float(given.contacts.sum()):
            break
        behind = after
    return behind


def _served(contacts: Floats, most: Floats, behind: float) -> tuple[Floats, Floats]:
    """Contacts answered in each interval, and open at its end."""
    # As a reflected walk: what agents could not use is the running shortfall of work.
    free = np.cumsum(contacts - most)
    unused = np.maximum(np.maximum.accumulate(-(behind + free)), 0.0)
    open_ = np.maximum(behind + free + unused, 0.0)
    before = np.concatenate([[behind], open_[:-1]])
    return np.clip(before + contacts - open_, 0.0, None), open_


def _waits(given: _Given, answered: Floats, behind: float) -> tuple[float, float, float]:
    """Share in time, mean and longest wait of the contacts of one week, first come first served.

    By the number of the contact, arrival and answer are piecewise linear in time, and so is the
    clock in time: every piece is a straight line, known from two points inside.
    """
    count, length = given.contacts.size, given.interval
    edges: Floats = np.arange(answered.size + 1, dtype=np.float64) * length
    ticks = np.tile(given.is_open if given.clock == "opening" else np.ones(count, bool),
                    answered.size // count)  # fmt: skip
    clock = np.concatenate([[0.0], np.cumsum(np.where(ticks, length, 0.0))])
    came = np.concatenate([[0.0], np.cumsum(given.contacts)])
    done = np.concatenate([[0.0], np.cumsum(answered)]) - (behind if given.cyclic else 0.0)
    if not given.cyclic:
        came = came + given.backlog  # who was there is ahead of all
    first = 0.0
    numbers = np.unique(np.concatenate([[first], came, done[(done > first) & (done < came[-1])]]))
    size = np.diff(numbers)
    some = size > _ROUNDING * came[-1] / (count + 1)
    start, size = numbers[:-1][some], size[some]
    inside = start[:, None] + size[:, None] * np.array([0.25, 0.75])
    arrived = np.where(inside < came[0], 0.0, _crossing(inside, came, edges[: count + 1]))
    left = _crossing(inside, done, edges)
    lost = inside > done[-1]
    wait = np.interp(left, edges, clock) - np.interp(arrived, edges, clock)
    wait = np.where(lost, np.inf, np.maximum(wait, 0.0))
    with np.errstate(invalid="ignore"):
        slope = wait[:, 1] - wait[:, 0]
        begins, ends = wait[:, 0] - slope / 2, wait[:, 1] + slope / 2
        high, low = np.maximum(begins, ends), np.minimum(begins, ends)
        limit = given.deadline * (1 + _ROUNDING)
        part = np.where(high > low, (limit - low) / np.where(high > low, high - low, 1.0), 1.0)
        part = np.where(high <= limit, 1.0, np.where(low > limit, 0.0, np.clip(part, 0.0, 1.0)))
    part = np.where(lost.any(axis=1), 0.0, part)
    never = bool(lost.any())
    total = float(size.sum())
    mean = np.inf if never else float((size * wait.mean(axis=1)).sum()) / total
    longest = np.inf if never else float(max(high.max(), 0.0))
    return float((size * part).sum()) / total, mean, longest


def _crossing(numbers: Floats, cumulative: Floats, edges: Floats) -> Floats:
    """When a cumulative count passes a number strictly inside one of its pieces."""
    piece = np.clip(np.searchsorted(cumulative, numbers, side="left") - 1, 0, edges.size - 2)
    rise = cumulative[piece + 1] - cumulative[piece]
    share = (numbers - cumulative[piece]) / np.where(rise > 0, rise, 1.0)
    return np.asarray(edges[piece] + np.clip(share, 0.0, 1.0) * (edges[piece + 1] - edges[piece]))
