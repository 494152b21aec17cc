"""The exact law of a centre whose volume and agents change, as the oracle for every rule."""

from __future__ import annotations

import itertools
import math
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ccsim.queueing import special
from ccsim.queueing._arrays import (
    Floats,
    duration,
    fraction,
    positive_duration,
    positive_fraction,
    quantity,
    single,
)
from ccsim.queueing._birth_death import Rates, instants, side_by_side, spread
from ccsim.queueing._lines import fate
from ccsim.queueing.service_level import (
    SteadyStateFormula,
    check_formula,
    level_of_shares,
    names_short_abandons,
)

ShiftEnd: TypeAlias = Literal["finish", "hand_over"]
"""What becomes of a contact whose agent leaves: she finishes it, or it goes back to the head of
the queue."""

_MOST_STATES = 2_000_000
_ROUNDS, _MIXED = 1000, 8  # periods until a cyclic centre has forgotten how it began


class Transient(NamedTuple):
    """A centre step by step; arrays are (n_steps,) unless said otherwise.

    Attributes
    ----------
    offered, abandoned : ndarray
        Contacts that arrive, and that give up, in the step.
    waiting_probability : ndarray
        Share of the step's arrivals that find all agents busy.
    waiting_at_start : ndarray
        The same at the instant in which the step begins.
    service_level : ndarray
        Of the step's arrivals, by the formula asked for; where none come, of one who would.
    queue_length, in_hand : ndarray
        Mean number waiting, and being handled (by agents past their shift too).
    occupancy : ndarray
        Of the agents on duty: share of time handling; 0 without any.
    distribution : ndarray, shape (n_states,)
        Law of the number waiting or with agents on duty, at the end.
    """

    offered: Floats
    abandoned: Floats
    waiting_probability: Floats
    waiting_at_start: Floats
    service_level: Floats
    queue_length: Floats
    in_hand: Floats
    occupancy: Floats
    distribution: Floats


def transient(
    rates: ArrayLike,
    agents: ArrayLike,
    handle_time: float,
    patience: float,
    threshold: float = 0.0,
    *,
    step: float,
    shift_end: ShiftEnd = "finish",
    begins: Literal["empty", "cyclic"] | ArrayLike = "empty",
    formula: SteadyStateFormula = "of_offered",
    short_abandon: float = 0.0,
    error: float = 1e-10,
) -> Transient:
    """What really happens, in law, when volume and agents change from step to step.

    Parameters
    ----------
    rates : array_like, shape (n_steps,)
        Contacts per unit of time, constant within a step.
    agents : array_like, shape (n_steps,)
        Agents on duty in each step, whole numbers.
    handle_time, patience : float
        Means, exponential; patience may be infinite or zero.
    threshold : float
        Acceptable waiting time.
    step : float
        Length of a step, in the unit of all times.
    shift_end : "finish" or "hand_over"
        When agents leave: whoever has a contact finishes it and takes no other, or the contact goes
        back to the head of the queue.
    begins : "empty", "cyclic" or array_like
        The first step follows an empty centre, or the last one; or the law of the number in the
        centre, with the agents of the first step. Unless cyclic, the last agents stay.
    formula, short_abandon
        As for `erlang_a_service_level`.
    error : float
        Largest error of a probability, from cutting off sums and states; below 1e-12 rounding is
        larger.

    Returns
    -------
    Transient

    Raises
    ------
    ValueError
        If an argument is out of range, the lists differ in length, no periodic law exists, or the
        centre would need more than two million states, or too many moves in a step.

    Notes
    -----
    M(t)/M/n(t)+M by uniformization (Jensen): within a step, the chain jumps at the instants of a
    Poisson process, and averages over the step are sums over the number of jumps, exactly. Who
    leaves is drawn among all on duty, whether busy or not.

    Whoever waits is followed until the threshold through every change of agents on the way; only
    where there is one, the mean over the arrivals before it is by Gauss's rule (error about 1e-10),
    everything else is exact.

    References
    ----------
    .. [1] W. K. Grassmann (1977), "Transient solutions in Markovian queueing systems", Computers &
       Operations Research 4(1), 47-53. doi:10.1016/0305-0548(77)90007-7
    .. [2] A. Ingolfsson, E. Akhmetshina, S. Budge, Y. Li, X. Wu (2007), "A survey and experimental
       comparison of service-level-approximation methods for nonstationary M(t)/M/s(t) queueing
       systems with exhaustive discipline", INFORMS Journal on Computing 19(2), 201-214.

    Examples
    --------
    Half an hour of 2 calls a minute of 3 minutes on 8 agents, from empty, then two go home:

    >>> day = transient([2, 2], [8, 6], 3, 2, threshold=1/3, step=30)
    >>> day.service_level.round(3).tolist(), day.abandoned.round(2).tolist()
    ([0.87, 0.612], [2.9, 9.97])
    """
    check_formula(formula, virtual=True)
    rate = np.atleast_1d(quantity("rates", rates))
    floor = np.atleast_1d(quantity("agents", agents))
    if rate.ndim != 1 or rate.shape != floor.shape or rate.size == 0:
        raise ValueError(
            f"rates and agents must be lists of one length; got {rate.shape} and {floor.shape}"
        )
    if (floor != np.floor(floor)).any():
        raise ValueError(f"agents must be whole numbers; got {floor.tolist()!r}")
    if floor.max() >= _MOST_STATES:
        raise ValueError(f"agents must be below {_MOST_STATES:,}; got {float(floor.max())!r}")
    if shift_end not in get_args(ShiftEnd):
        raise ValueError(f"shift_end must be 'finish' or 'hand_over'; got {shift_end!r}")
    asked = _Asked(
        formula,
        single("threshold", duration("threshold", threshold)),
        single("short_abandon", duration("short_abandon", short_abandon)),
    )
    precision = max(single("error", positive_fraction("error", error)), 1e-12)
    length = single("step", positive_duration("step", step))
    if not float(rate.max()) * length < 1e15:
        raise ValueError(f"rates must bring fewer than 1e15 contacts in a step; got {rate!r}")
    cyclic = isinstance(begins, str) and begins == "cyclic"
    centre = _Centre(
        rate,
        floor.astype(np.int64),
        single("handle_time", positive_duration("handle_time", handle_time)),
        single("patience", duration("patience", patience)),
        length,
        shift_end,
        cyclic,
        precision * (1e-4 if cyclic else 0.25) / rate.size,
        _next_change(floor, cyclic),
    )
    begun = _Now(_first_law(begins), 0.0, int(centre.agents[-1 if cyclic else 0]))
    if cyclic:
        begun = _periodic(centre, begun, precision)
    rows, end = _play(centre, begun, asked)
    gone, waits, at_start, level, queue, in_hand, busy = np.array(rows).T
    return Transient(
        offered=rate * length,
        abandoned=gone,
        waiting_probability=waits,
        waiting_at_start=at_start,
        service_level=level,
        queue_length=queue,
        in_hand=in_hand,
        occupancy=busy,
        distribution=end.law,
    )


class _Asked(NamedTuple):
    formula: SteadyStateFormula
    threshold: float
    short_abandon: float

    def limits(self) -> tuple[float, ...]:
        """Waits until which contacts are followed."""
        short = names_short_abandons(self.formula)
        return (self.threshold, self.short_abandon) if short else (self.threshold,)


class _Centre(NamedTuple):
    rate: Floats
    agents: NDArray[np.int64]
    handle_time: float
    patience: float
    step: float
    shift_end: ShiftEnd
    cyclic: bool
    slack: float  # of a probability, for each step
    next_change: Floats  # ends of steps, from this step's on, until agents change at one


class _Now(NamedTuple):
    law: Floats  # of the number waiting or with agents on duty
    finishing: float  # mean number with agents past their shift
    on_duty: int


class _Piece(NamedTuple):
    """A part of a step: from, until, law when it begins and on average, and the chain's rates."""

    begin: float
    end: float
    first: Floats
    mean: Floats
    rates: Rates


def _next_change(agents: Floats, cyclic: bool) -> Floats:
    after = np.append(agents[1:], agents[0] if cyclic else agents[-1])
    found = np.full(agents.size, np.inf)
    for _ in range(2 if cyclic else 1):
        for number in range(agents.size)[::-1]:
            later = found[(number + 1) % agents.size]
            found[number] = 1.0 if after[number] != agents[number] else 1.0 + later
    return found


def _first_law(begins: str | ArrayLike) -> Floats:
    if isinstance(begins, str):
        if begins not in ("empty", "cyclic"):
            raise ValueError(f"begins must be 'empty', 'cyclic' or a law; got {begins!r}")
        return np.ones(1)
    law = np.atleast_1d(fraction("begins", begins))
    if law.ndim != 1 or abs(law.sum() - 1) > 1e-9:
        raise ValueError(f"begins must be one list that adds up to 1; got {law.tolist()!r}")
    return np.asarray(law / law.sum())


def _periodic(centre: _Centre, begun: _Now, error: float) -> _Now:
    """Play period after period until nothing changes any more."""
    arrivals = float(centre.rate.sum() * centre.step)
    leave = np.maximum(np.roll(centre.agents, 1) - centre.agents, 0).sum()
    handled = float(centre.agents.sum()) * centre.step / centre.handle_time
    handled += float(leave) if centre.shift_end == "finish" else 0.0
    if math.isinf(centre.patience) and arrivals >= handled * (1 - 1e-9) and arrivals > 0:
        raise ValueError(
            f"rates must be below what agents can handle in a period that is repeated for ever; "
            f"got {arrivals!r} contacts for {handled!r}"
        )
    begun = begun._replace(law=_average_law(centre))
    least = math.inf
    ends: list[Floats] = []
    changes: list[Floats] = []
    for _ in range(_ROUNDS):
        after = _play(centre, begun, None)[1]
        start, end = side_by_side([np.append(now.finishing, now.law) for now in (begun, after)])
        change = float(np.abs(end - start).sum())
        # Near the doubles' last digit a change need not fall any further.
        if change <= max(error * 1e-3, 1e-14) or least <= change <= error:
            return after
        least = min(least, change)
        # Anderson's rule: begin with that mixture of the last ends whose changes all but cancel.
        ends, changes = [*ends[-_MIXED:], end], [*changes[-_MIXED:], end - start]
        rows, moves = side_by_side(ends), side_by_side(changes)
        parts = np.linalg.lstsq((moves[:-1] - moves[-1]).T, -moves[-1], rcond=1e-12)[0]
        finishing, *law = np.maximum(rows[-1] + parts @ (rows[:-1] - rows[-1]), 0.0)
        begun = _Now(np.array(law) / sum(law), float(finishing), begun.on_duty)
    raise ValueError(
        f"rates and agents must let the centre forget a period within {_ROUNDS} of them, or begins "
        f"must be a law; the last two differed by {change!r}"
    )


def _average_law(centre: _Centre) -> Floats:
    """Steady state if rates and agents changed so fast that only their averages counted."""
    rate, agents = centre.rate.mean(), centre.agents
    size = 2 * int(agents.max()) + 64
    while rate > 0 and size * agents.size <= _MOST_STATES:
        many = np.arange(1.0, size)[:, None]
        down = np.minimum(many, agents).mean(axis=1) / centre.handle_time
        if centre.patience > 0:
            down += np.maximum(many - agents, 0.0).mean(axis=1) / centre.patience
        logs = np.append(0.0, np.cumsum(np.log(rate) - np.log(np.maximum(down, 1e-300))))
        law = np.exp(logs - logs.max())
        if law[-1] < 1e-25:
            return np.asarray(law / law.sum())
        size *= 2
    return np.ones(1)


def _play(centre: _Centre, now: _Now, asked: _Asked | None) -> tuple[list[tuple[float, ...]], _Now]:
    """All steps once: a row of measures each, if asked for, and where the centre stands then."""
    rows: list[tuple[float, ...]] = []
    step, turns = centre.step, centre.step / centre.handle_time
    for number, (rate, agents) in enumerate(zip(centre.rate, centre.agents.tolist(), strict=True)):
        now, lost = _change_of_agents(centre, now, agents)
        at_start = float(now.law[agents:].sum())
        pieces, law = _pieces(centre, number, now.law, asked)
        finishing = now.finishing * special.exprel(-turns)
        now = _Now(law, now.finishing * math.exp(-turns), agents)
        if asked is None:
            continue
        waits, queue, busy = np.zeros(3)
        for piece in pieces:
            share, many = (piece.end - piece.begin) / step, np.arange(piece.mean.size)
            waits += share * piece.mean[agents:].sum()
            queue += share * (piece.mean @ np.maximum(many - agents, 0))
            busy += share * (piece.mean @ np.minimum(many, agents))
        # Without patience whoever would have to wait has gone.
        leave = queue / centre.patience if centre.patience > 0 else rate * waits
        level = _level(centre, number, pieces, asked)
        lost += leave * step
        occupancy = busy / agents if agents else 0.0
        rows.append((lost, waits, at_start, level, queue, busy + finishing, occupancy))
    return rows, now


def _change_of_agents(centre: _Centre, now: _Now, agents: int) -> tuple[_Now, float]:
    """Where the centre stands when a step begins, and who gives up that very moment."""
    law, finishing, lost = now.law, now.finishing, 0.0
    if agents < now.on_duty and centre.shift_end == "finish":
        law, busy = _leave(law, now.on_duty, agents)
        finishing += busy
    if centre.patience == 0 and law.size > agents:
        lost = float(law[agents:] @ np.arange(law.size - agents))
        law = np.append(law[:agents], law[agents:].sum())
    return _Now(law, finishing, agents), lost


def _leave(law: Floats, on_duty: int, stay: int) -> tuple[Floats, float]:
    """Let agents leave one by one with what they have in hand: the law then, who was busy."""
    many, busy = np.arange(law.size), 0.0
    for here in range(on_duty, stay, -1):
        taken = law * (np.minimum(many, here) / here)
        law = law * (np.maximum(here - many, 0) / here)
        law[:-1] += taken[1:]
        busy += float(taken.sum())
    return law, busy


def _pieces(
    centre: _Centre, number: int, law: Floats, asked: _Asked | None
) -> tuple[list[_Piece], Floats]:
    """Pass through a step, with a stop where contacts begin to see one change of agents more."""
    step, stops = centre.step, {0.0, centre.step}
    for limit in asked.limits() if asked else ():
        if math.isfinite(limit) and limit // step + 1 >= centre.next_change[number]:
            stops.add(step - math.fmod(limit, step))
    pieces = []
    for begin, end in itertools.pairwise(sorted(stops)):
        piece, law = _piece(centre, number, law, begin, end)
        pieces.append(piece)
    return pieces, law


def _piece(
    centre: _Centre, number: int, law: Floats, begin: float, end: float
) -> tuple[_Piece, Floats]:
    """Pass through a part of a step, with room for as many to wait as it takes."""
    rate, agents, patience = float(centre.rate[number]), int(centre.agents[number]), centre.patience
    seen = int(np.count_nonzero(np.cumsum(law[::-1]) > centre.slack * 1e-3))
    places = max(seen - agents, 0) + int(_queue_to_expect(centre, rate, agents, end - begin))
    while agents + 1 + places <= _MOST_STATES:
        many = np.arange(agents + 1 + (places if patience > 0 else 0), dtype=np.float64)
        up, down = np.full(many.size, rate), np.minimum(many, agents) / centre.handle_time
        up[-1] = 0.0
        if patience > 0:
            down += np.maximum(many - agents, 0.0) / patience
        rates, first = Rates(up, down, np.zeros_like(up)), np.zeros_like(up)
        first[:seen] = law[:seen]
        ends, means = spread(first[None], rates, np.array([end - begin]), centre.slack)
        if patience == 0 or rate * (end - begin) * means[0, -1] <= centre.slack:
            return _Piece(begin, end, first, means[0] / means[0].sum(), rates), ends[0]
        places *= 2
    raise ValueError(
        f"rates must leave the centre below {_MOST_STATES:,} contacts; "
        f"got {rate!r} with {agents!r} agents"
    )


def _queue_to_expect(centre: _Centre, rate: float, agents: int, time: float) -> float:
    """Places that more will wait in than before, most probably; the first guess, no more."""
    grows = max(rate - agents / centre.handle_time, 0.0) * min(time, centre.patience)
    places = grows + 4 * math.sqrt(agents + grows) + 16
    if math.isfinite(centre.patience):
        # Even if nobody were answered, those waiting would be a Poisson number.
        most = rate * centre.patience
        places = min(places, most + 8 * math.sqrt(most) + 8)
    return min(places, _MOST_STATES)


def _level(centre: _Centre, number: int, pieces: list[_Piece], asked: _Asked) -> float:
    """Service level of a step's arrivals, whatever happens until the last of them is in time."""

    def shares(limit: float) -> Floats:
        found = np.zeros(2)
        for piece in pieces:
            part = _within(centre, number, piece, limit, asked.formula == "virtual")
            found += (piece.end - piece.begin) / centre.step * np.array(part)
        return found

    in_time, gone = shares(asked.threshold)[:, None]
    short = np.zeros(1)
    if names_short_abandons(asked.formula) and asked.short_abandon > 0:
        short = shares(asked.short_abandon)[1:]
    level = level_of_shares(
        asked.formula,
        answered=shares(math.inf)[:1] if asked.formula == "of_answered" else np.ones(1),
        answered_in_time=in_time,
        abandoned_in_time=gone,
        short_abandons=short,
        offered_wait_in_time=in_time,
    )
    return float(level[0])


def _within(
    centre: _Centre, number: int, piece: _Piece, limit: float, virtual: bool
) -> tuple[float, float]:
    """Shares of a piece's arrivals that are answered, and that give up, within a limit."""
    middle = (piece.begin + piece.end) / 2
    if (middle + limit) // centre.step < centre.next_change[number]:
        # Nothing changes for any of them, so all that counts is how many each finds.
        answered, gone = _followed(
            centre, number, piece.mean[None], np.array([math.inf]), limit, virtual
        )
        return float(answered[0]), float(gone[0])
    times, weights = instants(piece.end - piece.begin, piece.rates.fastest())
    laws, _ = spread(piece.first[None], piece.rates, times, centre.slack)
    until = centre.step - piece.begin - times
    answered, gone = _followed(centre, number, laws, until, limit, virtual)
    return float(weights @ answered), float(weights @ gone)


def _followed(
    centre: _Centre, number: int, laws: Floats, until_end: Floats, limit: float, virtual: bool
) -> tuple[Floats, Floats]:
    """Follow arrivals who find the centre so, and who have such a time until the step ends.

    Those behind them do not matter, so they only move forward; until they are answered, they give
    up, or the limit ends. With endless patience of their own (`virtual`) they do not give up.
    """
    agents, left = int(centre.agents[number]), np.full(until_end.shape, limit)
    answered, gone = laws[:, :agents].sum(axis=1), np.zeros(len(laws))
    ahead = laws[:, agents:]  # who waits, by the number waiting ahead
    while (
        (left > until_end).any()
        and math.isfinite(centre.next_change[number])
        and centre.patience > 0
        and ahead.sum() > centre.slack * 1e-3
    ):
        many = np.arange(ahead.shape[1], dtype=np.float64)
        served = agents / centre.handle_time + many / centre.patience
        gives_up = np.full(many.size, 0.0 if virtual else 1 / centre.patience)
        # Who is answered stays for ever in a first state.
        rates = Rates(*(np.pad(part, (1, 0)) for part in (0 * served, served, gives_up)))
        found, _ = spread(np.pad(ahead, ((0, 0), (1, 0))), rates, until_end, centre.slack)
        answered, gone = answered + found[:, 0], gone + ahead.sum(axis=1) - found.sum(axis=1)
        left, until_end = left - until_end, np.full(until_end.shape, centre.step)
        number = (number + 1) % centre.agents.size
        more, agents = int(centre.agents[number]) - agents, int(centre.agents[number])
        ahead = found[:, 1:]
        answered += ahead[:, : max(more, 0)].sum(axis=1)
        ahead = ahead[:, max(more, 0) :]
        if centre.shift_end == "hand_over":
            ahead = np.pad(ahead, ((0, 0), (max(-more, 0), 0)))
    waiting = np.arange(ahead.shape[1], dtype=np.float64)
    with np.errstate(over="ignore"):
        turns = left[:, None] / centre.handle_time
    end = fate(agents, 1.0, centre.patience / centre.handle_time, waiting, turns)
    in_time = end.offered_wait if virtual else end.in_time
    return answered + (ahead * in_time).sum(axis=1), gone + (ahead * end.gone).sum(axis=1)
