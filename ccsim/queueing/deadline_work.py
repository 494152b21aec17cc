"""Work with a deadline of hours or days: what is not done now is done later, but in time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ccsim.queueing._arrays import (
    Flags,
    Floats,
    duration,
    fraction,
    positive_duration,
    quantity,
    single,
)

Clock: TypeAlias = Literal["opening", "calendar"]
"""Whether a wait counts only while somebody could answer, or always."""

_HALVINGS = 36
_ROUNDING = 1e-9  # of contacts and of times: more than doubles lose on the way
_SPECK = 1e-10  # of all contacts: fewer are no contacts but rounding
_HAIR = 1e-8  # of the peak: what is added so that rounding makes nobody late
_AT_ONCE = 1e6  # who does all the work in this part of an interval is as good as any more


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
        Agents for this work in each interval; not rounded. These, or more of them in any interval,
        such as the next whole numbers, keep the goal.
    peak : float
        The most of them in an interval; no smaller one keeps the goal. Infinite where no number
        does, and so are the agents then.
    share_in_time, longest_wait : float
        What they reach; what could be reached at most where no number keeps the goal.
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
        Contacts open at the start, as if they had just come. A week that follows itself has
        forgotten them.
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
    *Fluid*: volumes are certain, contacts come evenly within an interval, agents work as fast as
    they can while anything is open, first come first served; of that it is the exact law. Good
    where the deadline is long against the handle time and there are many contacts; chance is for
    the simulation. What is open at the end of a week that is not cyclic has missed, also where its
    deadline lies beyond.

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
    *Fluid*, as `deadline_outcome`. First the smallest peak: the fewest agents, the same number in
    every open interval, that keep the goal; by halving. They work as soon as anything is open. In
    an interval in which they run out of work, fewer are asked for: as many as are done with
    everything at its end, or, where a deadline ends within the interval, with what must be done by
    then. So nothing is put off to the last moment, no smaller peak would do, and as long as
    deadlines are longer than intervals the sum is hardly more than the work itself. With ``share``
    below 1 the late contacts are those around the peaks. Infinite where not even all the work of
    the week done in a millionth of an interval is in time, as when a deadline by the calendar ends
    before the office opens.

    Examples
    --------
    300 mails a day at an office that is open from 8 to 18, evenly over 24 hours, 6 minutes each:
    everything within 4 opening hours.

    >>> hours = np.arange(24)
    >>> need = deadline_requirement(
    ...     np.full(24, 300 / 24), 360, 4 * 3600, interval=3600,
    ...     is_open=(hours >= 8) & (hours < 18), cyclic=True)
    >>> round(need.peak, 3), need.agents[8:18].round(3).tolist()
    (4.375, [4.375, 4.375, 4.375, 4.375, 4.375, 3.125, 1.25, 1.25, 1.25, 1.25])
    >>> np.ceil(need.agents[8:18]).astype(int).tolist()
    [5, 5, 5, 5, 5, 4, 2, 2, 2, 2]
    """
    wanted = single("share", fraction("share", share))
    longest = single("tail", duration("tail", tail))
    given = _given(contacts, 0.0, handle_time, deadline, interval, is_open, clock, backlog, cyclic)

    def reached(agents: float | Floats) -> DeadlineOutcome:
        return _outcome(given, np.where(given.is_open, agents, 0.0))

    def enough(found: DeadlineOutcome) -> bool:
        in_time = found.share_in_time >= wanted - 1e-12
        return in_time and found.longest_wait <= _limit(given, longest)

    peak = 0.0
    if not enough(reached(peak)):
        open_at_start = 0.0 if given.cyclic else given.backlog
        work = float(given.contacts.sum() + open_at_start) * given.handle_time / given.interval
        best = reached(work * _AT_ONCE)
        if not enough(best):
            agents = np.where(given.is_open, np.inf, 0.0)
            return DeadlineRequirement(agents, np.inf, best.share_in_time, best.longest_wait)
        peak = _smallest(lambda peak: enough(reached(peak)), work / given.contacts.size)
        peak = float(_whole_if_meant(np.asarray(peak * (1 + _HAIR))))
    agents = _whole_if_meant(_spread(given, peak, longest))
    found = reached(agents)
    return DeadlineRequirement(agents, peak, found.share_in_time, found.longest_wait)


def _smallest(met: Callable[[float], bool], guess: float) -> float:
    """Double until it is met, then halve the last step."""
    low, high = 0.0, guess
    while not met(high):
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if met(middle) else (middle, high)
    return high


def _whole_if_meant(agents: Floats) -> Floats:
    """Round 3.00000001 to 3, so that the next whole number is not 4."""
    whole = np.rint(agents)
    return np.where(np.abs(agents - whole) <= 3 * _HAIR * agents, whole, agents)


def _spread(given: _Given, peak: float, longest: float) -> Floats:
    """Agents of each interval who answer as many in time as the peak would."""
    most = np.where(given.is_open, peak, 0.0)
    full, in_full = _solved(given, most)
    even = full.answered * given.handle_time / given.interval * (1 + 1e-12)  # rounded up
    few = np.where(full.backlog > 0, most, np.minimum(even, most))
    speck = _ROUNDING / given.contacts.size * (given.contacts.sum() + given.backlog)
    most_late, slowest = _by_interval(given, in_full)
    slowest = np.maximum(slowest * (1 + _ROUNDING), _limit(given, longest))

    def harmed(agents: Floats) -> Flags:
        """Intervals that answer worse; each by itself, as none leaves more open than before."""
        late, slow = _by_interval(given, _solved(given, agents)[1])
        return np.asarray((late > most_late + speck) | (slow > slowest))

    many = np.where(harmed(few), most, few)
    if (many > few).any():
        for _ in range(_HALVINGS):
            middle = (few + many) / 2
            worse = harmed(middle)
            few, many = np.where(worse, middle, few), np.where(worse, many, middle)
    return many


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
    arrive = quantity("contacts", contacts)
    if arrive.ndim != 1 or arrive.size == 0:
        raise ValueError(
            f"contacts must be a list, a number for each interval; got shape {arrive.shape}"
        )
    floor = quantity("agents", agents)
    if floor.shape not in ((), arrive.shape):
        raise ValueError(
            f"agents must be a number or a list as long as contacts, {arrive.size}; "
            f"got shape {floor.shape}"
        )
    opening = np.ones(arrive.shape, bool) if is_open is None else np.asarray(is_open)
    if opening.shape != arrive.shape:
        raise ValueError(
            f"is_open must be a list as long as contacts, {arrive.size}; got shape {opening.shape}"
        )
    if not np.isin(opening, (False, True)).all():
        raise ValueError(f"is_open must be true or false in each interval; got {is_open!r}")
    if clock not in get_args(Clock):
        raise ValueError(f"clock must be 'opening' or 'calendar'; got {clock!r}")
    opening = opening.astype(bool)
    return _Given(
        contacts=arrive,
        agents=np.where(opening, floor, 0.0),
        handle_time=single("handle_time", positive_duration("handle_time", handle_time)),
        deadline=single("deadline", duration("deadline", deadline)),
        interval=single("interval", positive_duration("interval", interval)),
        is_open=opening,
        clock=clock,
        backlog=single("backlog", quantity("backlog", backlog)),
        cyclic=cyclic,
    )


def _limit(given: _Given, time: float) -> float:
    """What counts as within a time, the rounding of doubles forgiven."""
    return time + _ROUNDING * (time + given.interval / 10)


def _outcome(given: _Given, agents: Floats) -> DeadlineOutcome:
    return _solved(given, agents)[0]


class _Pieces(NamedTuple):
    """Contacts in pieces within which the wait is a straight line, all fields (n_pieces,)."""

    size: Floats
    begins: Floats  # waits at both ends, infinite where they are never answered
    ends: Floats
    interval: NDArray[np.int64]  # in which they are answered


def _solved(given: _Given, agents: Floats) -> tuple[DeadlineOutcome, _Pieces]:
    count = given.contacts.size
    with np.errstate(over="ignore"):
        most = agents * given.interval / given.handle_time
        demand, capacity = float(given.contacts.sum()), float(most.sum())
    behind, weeks = given.backlog, 1
    if given.cyclic:
        if demand > capacity * (1 + _ROUNDING):
            grows = np.full(count, np.inf)
            return DeadlineOutcome(0.0, np.inf, np.inf, grows, most, 1.0), _NO_PIECES
        most = most * max(1.0, demand / capacity if capacity else 1.0)
        # The backlog with which a week ends that began with none is that of every week: a smaller
        # one could not be, and a larger one is worked off. The next week is enough for it, and
        # nobody who comes then is answered before.
        behind, weeks = float(_served(given.contacts, most, 0.0)[1][-1]), 2
    contacts = np.concatenate([given.contacts, np.zeros((weeks - 1) * count)])
    answered, open_ = _served(contacts, np.tile(most, weeks), behind)
    busy = float(answered[:count].sum())
    pieces = _in_pieces(given, contacts, np.tile(most, weeks), behind, answered, open_)
    size, begins, ends, _ = pieces
    total = float(size.sum())
    occupancy = busy / capacity if capacity else float(demand + behind > 0)
    if not total:
        return DeadlineOutcome(1.0, 0.0, 0.0, open_[:count], answered[:count], occupancy), pieces
    in_time = float((size * _share_within(pieces, _limit(given, given.deadline))).sum()) / total
    outcome = DeadlineOutcome(
        share_in_time=in_time,
        mean_wait=float((size * (begins + ends) / 2).sum()) / total,
        longest_wait=float(np.maximum(begins, ends).max()),
        backlog=open_[:count],
        answered=answered[:count],
        occupancy=min(occupancy, 1.0),
    )
    return outcome, pieces


def _served(contacts: Floats, most: Floats, behind: float) -> tuple[Floats, Floats]:
    """Contacts answered in each interval, and open at its end."""
    gains = (contacts - most).tolist()
    left = accumulate(gains, lambda backlog, gain: max(backlog + gain, 0.0), initial=behind)
    open_ = np.array(list(left))
    return np.maximum(open_[:-1] + contacts - open_[1:], 0.0), open_[1:]


def _in_pieces(
    given: _Given, contacts: Floats, most: Floats, behind: float, answered: Floats, open_: Floats
) -> _Pieces:
    """Follow the contacts of one week by their number, first come first served.

    By the number of the contact, arrival and answer are piecewise linear in time, and so is the
    clock in time: every piece is a straight line, known from two points inside.
    """
    count, length = given.contacts.size, given.interval
    edges: Floats = np.arange(contacts.size + 1, dtype=np.float64) * length
    ticks = given.is_open if given.clock == "opening" else np.ones(count, bool)
    steps = np.tile(np.where(ticks, length, 0.0), contacts.size // count)
    clock = np.concatenate([[0.0], np.cumsum(steps)])
    # In a week that is not cyclic who was there at its start is ahead of all.
    ahead = 0.0 if given.cyclic else behind
    came = ahead + np.concatenate([[0.0], np.cumsum(given.contacts)])
    done = ahead - behind + np.concatenate([[0.0], np.cumsum(answered)])
    # Agents who run out of work within an interval have answered the backlog faster than the rest.
    before = np.concatenate([[behind], open_[:-1]])
    runs_out = (before > 0) & (open_ == 0) & (most - contacts > before)
    part = before / np.where(runs_out, most - contacts, np.inf)
    turns = np.where(runs_out, done[:-1] + before + contacts * part, done[:-1])
    done = np.append(np.column_stack([done[:-1], np.minimum(turns, done[1:])]).ravel(), done[-1])
    times = np.column_stack([edges[:-1], edges[:-1] + length * np.where(runs_out, part, 0.0)])
    times = np.append(times.ravel(), edges[-1])

    numbers = np.unique(np.concatenate([[0.0], came, done[(done > 0) & (done < came[-1])]]))
    size = np.diff(numbers)
    some = size > _SPECK * came[-1]
    start, size = numbers[:-1][some], size[some]
    inside = start[:, None] + size[:, None] * np.array([0.25, 0.75])
    arrived = np.where(inside < came[0], 0.0, _crossing(inside, came, edges[: count + 1]))
    left = _crossing(inside, done, times)
    wait = np.maximum(np.interp(left, edges, clock) - np.interp(arrived, edges, clock), 0.0)
    slope = wait[:, 1] - wait[:, 0]
    lost = (inside > done[-1]).any(axis=1)
    begins, ends = np.maximum(wait - 0.5 * slope[:, None] * np.array([1, -1]), 0.0).T
    interval = np.searchsorted(edges, left.mean(axis=1), side="right") - 1
    return _Pieces(
        size, np.where(lost, np.inf, begins), np.where(lost, np.inf, ends), interval % count
    )


_NO_PIECES = _Pieces(np.empty(0), np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))


def _share_within(pieces: _Pieces, limit: float) -> Floats:
    """Share of each piece that waits no longer."""
    low, high = np.minimum(pieces.begins, pieces.ends), np.maximum(pieces.begins, pieces.ends)
    rises = np.isfinite(high) & (low <= limit) & (limit < high)
    low, rise = np.where(rises, low, 0.0), np.where(rises, high, 1.0) - np.where(rises, low, 0.0)
    part = (limit - low) / rise
    return np.where(rises, part, np.where(np.isfinite(high) & (high <= limit), 1.0, 0.0))


def _by_interval(given: _Given, pieces: _Pieces) -> tuple[Floats, Floats]:
    """Contacts that each interval answers late, and the longest wait that it ends."""
    late = pieces.size * (1 - _share_within(pieces, _limit(given, given.deadline)))
    slowest = np.zeros(given.contacts.size)
    np.maximum.at(slowest, pieces.interval, np.maximum(pieces.begins, pieces.ends))
    return np.bincount(pieces.interval, late, given.contacts.size).astype(float), slowest


def _crossing(numbers: Floats, cumulative: Floats, edges: Floats) -> Floats:
    """When a cumulative count passes a number strictly inside one of its pieces."""
    piece = np.clip(np.searchsorted(cumulative, numbers, side="left") - 1, 0, edges.size - 2)
    rise = cumulative[piece + 1] - cumulative[piece]
    share = (numbers - cumulative[piece]) / np.where(rise > 0, rise, 1.0)
    return np.asarray(edges[piece] + np.clip(share, 0.0, 1.0) * (edges[piece + 1] - edges[piece]))
