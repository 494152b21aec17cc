"""The exact law of a centre whose volume and agents change, as the oracle for every rule."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ccsim.queueing._arrays import Floats, duration, fraction, positive_duration, quantity
from ccsim.queueing._lines import fate

ShiftEnd: TypeAlias = Literal["finish", "hand_over"]
"""What becomes of a contact whose agent leaves: she finishes it, or it goes back to the head of
the queue."""

_MOST_STATES = 2_000_000
_MOST_JUMPS = 2000.0  # mean number of jumps in a part of a step
_ROUNDS = 200  # periods until a cyclic centre has forgotten how it began


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
        Share of the step's arrivals answered within the threshold.
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
        Means, exponential; patience may be infinite.
    threshold : float
        Acceptable waiting time.
    step : float
        Length of a step, in the unit of all times.
    shift_end : "finish" or "hand_over"
        When agents leave: whoever has a contact finishes it and takes no other, or the contact goes
        back to the head of the queue.
    begins : "empty", "cyclic" or array_like
        The first step follows an empty centre, or the last one; or the law of the number in the
        centre, with the agents of the first step.
    error : float
        Largest error of a probability, from cutting off sums and states.

    Returns
    -------
    Transient

    Raises
    ------
    ValueError
        If an argument is out of range, the lists differ in length, or the centre would need more
        than two million states.

    Notes
    -----
    M(t)/M/n(t)+M by uniformization (Jensen): within a step, the chain jumps at the instants of a
    Poisson process, and averages over the step are sums over the number of jumps, exactly. Who
    leaves is drawn among all on duty, whether busy or not. The service level takes the agents of
    the arrival's step to stay for as long as the threshold; everything else is exact.

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
    rate = np.atleast_1d(quantity("rates", rates))
    floor = np.atleast_1d(quantity("agents", agents))
    handle = float(positive_duration("handle_time", handle_time))
    stays = float(duration("patience", patience))
    limit = float(duration("threshold", threshold))
    length = float(positive_duration("step", step))
    precision = float(fraction("error", error))
    if rate.ndim != 1 or rate.shape != floor.shape or rate.size == 0:
        raise ValueError(
            f"rates and agents must be lists of one length; got {rate.shape} and {floor.shape}"
        )
    if (floor != np.floor(floor)).any():
        raise ValueError(f"agents must be whole numbers; got {floor.tolist()!r}")
    if shift_end not in get_args(ShiftEnd):
        raise ValueError(f"shift_end must be 'finish' or 'hand_over'; got {shift_end!r}")
    centre = _Centre(rate, floor, handle, stays, limit, length, shift_end, precision)
    cyclic = isinstance(begins, str) and begins == "cyclic"
    if isinstance(begins, str):
        if begins not in ("empty", "cyclic"):
            raise ValueError(f"begins must be 'empty', 'cyclic' or a law; got {begins!r}")
        first = np.ones(1)
    else:
        first = np.atleast_1d(fraction("begins", begins))
        if abs(first.sum() - 1) > 1e-9:
            raise ValueError(f"begins must add up to 1; got {float(first.sum())!r}")
    size = max(int(floor.max() + 4 * np.sqrt(floor.max() + 1) + 32), 2 * first.size)
    while size <= _MOST_STATES:
        found = _play(centre, size, first, cyclic)
        if found is not None:
            return found
        size *= 2
    raise ValueError(f"rates must leave the centre below {_MOST_STATES:,} contacts; got {rates!r}")


class _Centre(NamedTuple):
    rate: Floats
    agents: Floats
    handle_time: float
    patience: float
    threshold: float
    step: float
    shift_end: ShiftEnd
    error: float


def _play(centre: _Centre, size: int, first: Floats, cyclic: bool) -> Transient | None:
    """Play all steps with so many states; None if they are too few."""
    law = np.zeros(size)
    law[: first.size] = first
    leavers, on_duty = 0.0, centre.agents[-1 if cyclic else 0]
    for _ in range(_ROUNDS if cyclic else 1):
        begun = (law, leavers)
        rows, law, leavers, edge = _round(centre, law, leavers, on_duty)
        if edge > centre.error:
            return None
        if cyclic and np.abs(law - begun[0]).sum() + abs(leavers - begun[1]) <= centre.error:
            break
    gone, waits, at_start, in_time, queue, in_hand, busy = np.array(rows).T
    return Transient(
        offered=centre.rate * centre.step,
        abandoned=gone,
        waiting_probability=waits,
        waiting_at_start=at_start,
        service_level=in_time,
        queue_length=queue,
        in_hand=in_hand,
        occupancy=busy,
        distribution=law,
    )


def _round(
    centre: _Centre, law: Floats, leavers: float, on_duty: float
) -> tuple[list[tuple[float, ...]], Floats, float, float]:
    """All steps once: a row of measures each, then the law, who finishes, and the last state."""
    number = np.arange(law.size, dtype=np.float64)
    rows: list[tuple[float, ...]] = []
    edge = 0.0
    for rate, agents in zip(centre.rate, centre.agents, strict=True):
        if agents < on_duty and centre.shift_end == "finish":
            law, busy = _leave(law, int(on_duty), int(on_duty - agents))
            leavers += busy
        on_duty = agents
        handling, waiting = np.minimum(number, agents), np.maximum(number - agents, 0.0)
        death = handling / centre.handle_time
        if centre.patience > 0:
            death = death + waiting / centre.patience
        else:
            law, death = _all_leave(law, int(agents), death)
        at_start = float(law[int(agents) :].sum())
        mean, law = _step(law, rate, death, centre.step, centre.error)
        if centre.patience == 0:
            law, _ = _all_leave(law, int(agents), death)
        edge = max(edge, float(law[-1]), float(mean[-1]))
        finishing = leavers * -np.expm1(-centre.step / centre.handle_time)
        leavers -= finishing
        found = fate(agents, centre.handle_time, centre.patience, waiting, centre.threshold)
        in_time = np.where(number < agents, 1.0, found.in_time)
        busy, queue = float(mean @ handling), float(mean @ waiting)
        waits = float(mean[int(agents) :].sum())
        # Without patience whoever would have to wait has gone.
        leave = queue / centre.patience if centre.patience > 0 else float(rate) * waits
        rows.append(
            (
                leave * centre.step,
                waits,
                at_start,
                float(mean @ in_time),
                queue,
                float(busy + finishing * centre.handle_time / centre.step),
                float(busy / agents) if agents else 0.0,
            )
        )
    return rows, law, leavers, edge


def _step(
    law: Floats, rate: float, death: Floats, length: float, error: float
) -> tuple[Floats, Floats]:
    """Average law over a step, and the law at its end."""
    fastest = float(rate + death.max())
    if fastest == 0:
        return law, law
    parts = int(np.ceil(fastest * length / _MOST_JUMPS))
    jumps = fastest * length / parts
    most = int(jumps + 8 * np.sqrt(jumps) + 40)
    count = np.arange(most)
    beyond = special.pdtrc(count, jumps)
    most = int(np.searchsorted(-beyond, -error * 1e-3)) + 1
    chance = np.exp(count * np.log(jumps) - jumps - special.gammaln(count + 1))
    up, down = rate / fastest, death / fastest
    stay = 1.0 - down
    stay[:-1] -= up
    mean = np.zeros_like(law)
    for _ in range(parts):
        end = np.zeros_like(law)
        for jump in range(min(most, count.size)):
            end += chance[jump] * law
            mean += beyond[jump] / (jumps * parts) * law
            after = stay * law
            after[1:] += up * law[:-1]
            after[:-1] += down[1:] * law[1:]
            law = after
        law = end / end.sum()
    return mean / mean.sum(), law


def _leave(law: Floats, on_duty: int, leaving: int) -> tuple[Floats, float]:
    """Let agents leave with what they have in hand: the law then, and how many were busy."""
    after = np.zeros_like(law)
    busy = 0.0
    number = np.arange(law.size)
    handling = np.minimum(number, on_duty)
    for taken in range(leaving + 1):
        ways = (
            _log_choose(handling, taken)
            + _log_choose(on_duty - handling, leaving - taken)
            - _log_choose(np.array(on_duty), leaving)
        )
        moved = law * np.exp(ways)
        after[: law.size - taken] += moved[taken:]
        busy += taken * float(moved.sum())
    return after, busy


def _log_choose(of: Floats, some: int) -> Floats:
    with np.errstate(invalid="ignore"):
        ways = special.gammaln(of + 1) - special.gammaln(some + 1) - special.gammaln(of - some + 1)
    return np.where((some >= 0) & (of >= some), ways, -np.inf)


def _all_leave(law: Floats, agents: int, death: Floats) -> tuple[Floats, Floats]:
    """Without patience nobody waits: whoever would has gone."""
    kept = law.copy()
    kept[agents] += kept[agents + 1 :].sum()
    kept[agents + 1 :] = 0.0
    return kept, death
