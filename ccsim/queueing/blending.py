"""Blending: agents do deferrable work, such as e-mail or outbound calls, while few others call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ccsim.queueing import special
from ccsim.queueing._arrays import (
    Flags,
    FloatOrArray,
    Floats,
    IntOrArray,
    duration,
    flattened,
    floats,
    fraction,
    integers,
    positive_duration,
    quantity,
    whole_numbers,
)
from ccsim.queueing._patience import answered_share, level_by_formula, mean_waits, queue_behind
from ccsim.queueing.erlang_a_staffing import erlang_a_agents
from ccsim.queueing.search import fewest_agents
from ccsim.queueing.service_level import SteadyStateFormula, check_formula

_ROUNDING = 1e-9  # relative: what doubles lose of a load
_NEGLIGIBLE = 9.0  # standard deviations: e^-40 of the likeliest


class Blending(NamedTuple):
    """What blending gives; every field of the same shape, waits and shares of live contacts.

    Attributes
    ----------
    waiting_probability, abandonment : float or array
        Shares of live contacts that find all agents busy, and that give up.
    mean_wait, speed_of_answer : float or array
        Mean wait of all live contacts, and of the answered [s].
    service_level : float or array
        By the formula asked for, a fraction.
    occupancy : float or array
        Share of the agents' time that is work of either kind.
    queue_length : float or array
        Mean number of live contacts waiting.
    deferrable_load : float or array
        Deferrable work done [erlang].
    deferrable_rate : float or array
        Deferrable contacts done per unit of time.
    """

    waiting_probability: FloatOrArray
    abandonment: FloatOrArray
    mean_wait: FloatOrArray
    speed_of_answer: FloatOrArray
    service_level: FloatOrArray
    occupancy: FloatOrArray
    queue_length: FloatOrArray
    deferrable_load: FloatOrArray
    deferrable_rate: FloatOrArray


_BUSY = Blending._fields.index("occupancy")  # busy agents until the end, where it becomes a share


def blending(
    load: ArrayLike,
    agents: ArrayLike,
    handle_time: ArrayLike,
    reserved: ArrayLike,
    threshold: ArrayLike = 0.0,
    *,
    patience: ArrayLike = np.inf,
    formula: SteadyStateFormula = "of_offered",
    short_abandon: ArrayLike = 0.0,
) -> Blending:
    """What agents give who turn to deferrable work unless some of them are kept free.

    Parameters
    ----------
    load : array_like
        Offered load of live contacts [erlang].
    agents : array_like
        Agents on the floor. Between two whole numbers measures are interpolated, but occupancy is
        always work done ÷ agents.
    handle_time : array_like
        Mean handle time [s], of either kind of work.
    reserved : array_like
        Agents kept free for live contacts, a whole number: deferrable work is begun whenever fewer
        than ``agents - reserved`` contacts of either kind are in the centre.
    threshold : array_like
        Acceptable waiting time of live contacts [s].
    patience : array_like
        Mean patience of live contacts [s], exponential; nobody gives up if not given.
    formula, short_abandon
        As for `erlang_a_service_level`.

    Returns
    -------
    Blending

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a handle time is zero, `reserved` is not whole,
        or the formula is unknown.

    Notes
    -----
    Exact for Poisson arrivals, one exponential handle time for both kinds, deferrable work that
    never runs out, and work once begun that is not put aside [1]_. With c = agents - reserved the
    number in the centre is a birth-death chain on c, c + 1, …, and deferrable work is begun at the
    rate c p(c) / h. With everybody reserved it is Erlang A (or C). Where the two kinds of work
    differ in length it is an approximation. Its cost grows like the square root of the agents.

    References
    ----------
    .. [1] S. Bhulai, G. Koole (2003), "A queueing model for call blending in call centers", IEEE
       Transactions on Automatic Control 48(8), 1434-1438.

    Examples
    --------
    10 erlangs of calls of 3 minutes on 15 agents. With two kept free the others do 4.1 erlangs of
    e-mail, and four calls in five are answered within half a minute:

    >>> found = blending(10, 15, 180, reserved=2, threshold=30)
    >>> print(f"{found.service_level:.1%} in time, {found.deferrable_load:.1f} erlang of e-mail")
    80.2% in time, 4.1 erlang of e-mail
    """
    check_formula(formula, virtual=True)
    shape, (a, n, h, kept, t, p, short) = flattened(
        quantity("load", load),
        quantity("agents", agents),
        positive_duration("handle_time", handle_time),
        _whole("reserved", reserved),
        duration("threshold", threshold),
        duration("patience", patience),
        duration("short_abandon", short_abandon),
    )
    measures = np.zeros((len(Blending._fields), n.size))
    for where, whole, part in whole_numbers(n):
        found = _measures(
            a[where], whole, h[where], kept[where], t[where], p[where], short[where],
            formula=formula,
        )  # fmt: skip
        measures[:, where] += part * found
    busy = measures[_BUSY]
    occupied = np.where(n > 0, np.minimum(busy / np.where(n > 0, n, 1.0), 1.0), np.sign(a))
    measures[_BUSY] = occupied
    return Blending(*(floats(measure, shape) for measure in measures))


def blending_agents(
    load: ArrayLike,
    deferrable_load: ArrayLike,
    handle_time: ArrayLike,
    threshold: ArrayLike,
    service_level: ArrayLike,
    *,
    patience: ArrayLike = np.inf,
) -> tuple[IntOrArray, IntOrArray]:
    """Fewest agents for live contacts in time and so much deferrable work, and how many to reserve.

    Parameters
    ----------
    load, handle_time, threshold, patience : array_like
        As for `blending`.
    deferrable_load : array_like
        Deferrable work to be done [erlang].
    service_level : array_like
        Share of live contacts to be answered within the threshold, a fraction of offered.

    Returns
    -------
    agents, reserved : int or array
        Fewest agents, and the fewest of them to be reserved so that live contacts are in time.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a handle time is zero, or a fraction is given
        as a percentage.

    Examples
    --------
    10 erlangs of calls, 80 % within 20 s, and 4 erlangs of e-mail beside them:

    >>> blending_agents(10, 4, 180, threshold=20, service_level=0.80)
    (16, 3)
    """
    shape, (a, b, h, t, target, p) = flattened(
        quantity("load", load),
        quantity("deferrable_load", deferrable_load),
        positive_duration("handle_time", handle_time),
        duration("threshold", threshold),
        fraction("service_level", service_level),
        duration("patience", patience),
    )
    # Whoever is in time is answered, so at least so much work is done.
    work = b + a * np.where(np.isinf(p), 1.0, target)
    alone = np.asarray(erlang_a_agents(a, h, p, t, target), dtype=np.float64).reshape(a.shape)
    reserved = np.zeros_like(a)

    def meets(agents: Floats, where: NDArray[np.int64]) -> Flags:
        # One more who is not reserved makes nobody wait longer, and does no less deferrable work.
        kept: Flags = agents >= alone[where]
        live = (a[where], agents, h[where], t[where], p[where])
        reserved[where] = _fewest_reserved(*live, target[where])
        done = _of_offered(*live, reserved[where])["deferrable_load"]
        return kept & (done >= b[where] * (1 - _ROUNDING))

    agents = fewest_agents(meets, np.maximum(alone, work * (1 - _ROUNDING)))
    reserved = _fewest_reserved(a, agents, h, t, p, target)
    return integers(agents, shape), integers(reserved, shape)


def _fewest_reserved(
    load: Floats, agents: Floats, handle: Floats, threshold: Floats, patience: Floats, aim: Floats
) -> Floats:
    """Halve between none reserved and everybody, with whom the goal is kept."""
    low, high = np.full_like(agents, -1.0), agents.copy()
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        found = _of_offered(load, agents, handle, threshold, patience, np.maximum(middle, 0.0))
        kept, open_ = found["service_level"] >= aim, high - low > 1
        high, low = np.where(open_ & kept, middle, high), np.where(open_ & ~kept, middle, low)
    return high


def _of_offered(
    load: Floats, agents: Floats, handle: Floats, threshold: Floats, patience: Floats,
    reserved: Floats,
) -> dict[str, Floats]:  # fmt: skip
    """All measures by name, the service level of offered."""
    found = _measures(
        load, agents, handle, reserved, threshold, patience, np.zeros_like(load),
        formula="of_offered",
    )  # fmt: skip
    return dict(zip(Blending._fields, found, strict=True))


def _whole(name: str, value: ArrayLike) -> Floats:
    array = quantity(name, value)
    bad = array != np.floor(array)
    if bad.any():
        raise ValueError(f"{name} must be a whole number; got {float(array[bad].flat[0])!r}")
    return array


def _measures(
    load: Floats,
    agents: Floats,
    handle_time: Floats,
    reserved: Floats,
    threshold: Floats,
    patience: Floats,
    short: Floats,
    *,
    formula: SteadyStateFormula,
) -> Floats:
    start = np.maximum(agents - reserved, 0.0)
    rows = [_states(*row) for row in zip(load, agents, start, strict=True)]
    full, free, lowest = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    idle = load == 0
    queue = queue_behind(load, agents, handle_time, patience, full, free)
    answered = answered_share(queue)
    by_answered, offered = mean_waits(queue)
    with np.errstate(invalid="ignore", over="ignore", under="ignore", divide="ignore"):
        gone = queue.waits * queue.gives_up
        waited = np.where(np.isinf(patience), offered, gone * queue.patience)
        waited = np.where(queue.waits > 0, waited, 0.0)
        speed = np.where((answered > 0) & (agents > 0), by_answered / answered, np.inf)
        queue_length = np.where(waited > 0, load * (waited / handle_time), 0.0)
        # The chance of the lowest state, where what ends is replaced by deferrable work.
        behind = np.where(free > 0, lowest / np.where(free > 0, free, 1.0) * queue.at_once, 0.0)
        at_start = np.where(start >= agents, queue.waits * queue.empty, behind)
        deferrable = start * np.where(idle, 1.0, at_start)
        stable = ~np.isinf(patience) | (load < agents)
        busy = np.where(stable, load * answered + deferrable, agents)
        rate = deferrable / handle_time
    return np.stack(
        [
            queue.waits,
            gone,
            waited,
            np.where(idle, 0.0, speed),
            level_by_formula(queue, threshold, short, formula),
            busy,
            queue_length,
            deferrable,
            rate,
        ]
    )


def _states(load: float, agents: float, start: float) -> tuple[float, float, float]:
    """Weights of all agents busy, of some free, and of the lowest of those states.

    Poisson's law on start, …, agents, each state load / j times the one below it.
    """
    if load == 0 or start >= agents:
        return 1.0, float(start < agents), 0.0
    likeliest = min(max(np.floor(load), start), agents)
    reach = np.ceil(_NEGLIGIBLE * np.sqrt(likeliest)) + 60
    low, high = max(start, likeliest - reach), min(agents, likeliest + reach)
    logs = np.cumsum(np.log(load) - np.log(np.arange(low + 1, high + 1)))
    logs = np.concatenate([[0.0], logs])
    # The ends matter by themselves, however far from the likeliest state.
    full = logs[-1] + _log_ratio(load, high, agents)
    lowest = logs[0] - _log_ratio(load, start, low)
    some = logs[:-1] if high == agents else logs
    top = max(logs.max(), full, lowest)
    return np.exp(full - top), np.exp(some - top).sum(), np.exp(lowest - top)


def _log_ratio(load: float, below: float, above: float) -> float:
    """Log of the weight of one state over that of another below it."""
    if below == above:
        return 0.0
    rise = special.gammaln(above + 1) - special.gammaln(below + 1)
    return float((above - below) * np.log(load) - rise)
