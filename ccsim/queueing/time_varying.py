"""Volume that changes: the load that each interval should be staffed for."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from ccsim.queueing._arrays import Floats, positive_duration, quantity, single

LoadRule: TypeAlias = Literal[
    "average",
    "maximum",
    "lag_average",
    "lag_maximum",
    "offered_load_average",
    "offered_load_maximum",
]
"""How an interval's load is told from volume that changes within it and before it."""

LOAD_RULES: tuple[LoadRule, ...] = get_args(LoadRule)


class OfferedLoad(NamedTuple):
    """Mean number of contacts in hand if agents were endless [erlang]; all (…, n_steps).

    Attributes
    ----------
    at_end : ndarray
        At the end of each step.
    average, maximum : ndarray
        Over each step.
    """

    at_end: Floats
    average: Floats
    maximum: Floats


def offered_load(
    rates: ArrayLike, handle_time: float, *, step: float, cyclic: bool = False
) -> OfferedLoad:
    """How much work is in the centre when volume changes: it lags behind and is smoother.

    Parameters
    ----------
    rates : array_like, shape (…, n_steps)
        Contacts per unit of time, constant within a step.
    handle_time : float
        Mean handle time, exponential, in the same unit of time.
    step : float
        Length of a step.
    cyclic : bool
        Whether the last step is followed by the first; else the centre starts empty.

    Returns
    -------
    OfferedLoad

    Raises
    ------
    ValueError
        If an argument is negative or not a number, or a time is zero.

    Notes
    -----
    *Exact*: M(t)/M/∞, m' = rate - m / handle_time, step by step. Patience and agents do not enter.

    References
    ----------
    .. [1] S. Eick, W. Massey, W. Whitt (1993), "The physics of the Mt/G/∞ queue", Operations
       Research 41(4), 731-742. doi:10.1287/opre.41.4.731

    Examples
    --------
    100 calls an hour for an hour, of half an hour each, from empty:

    >>> offered_load([100 / 60] * 4, 30, step=15).at_end.round(1).tolist()
    [19.7, 31.6, 38.8, 43.2]
    """
    rate = np.atleast_1d(quantity("rates", rates))
    handle = single("handle_time", positive_duration("handle_time", handle_time))
    length = single("step", positive_duration("step", step))
    target = rate * handle
    kept = np.exp(-length / handle)
    fills = -np.expm1(-length / handle)
    load = np.zeros(rate.shape[:-1])
    if cyclic:
        # One round from empty; what is left of the beginning after it is kept^n of it.
        for number in range(rate.shape[-1]):
            load = load * kept + target[..., number] * fills
        load = load / -np.expm1(-length * rate.shape[-1] / handle)
    ends, averages, most = np.empty_like(rate), np.empty_like(rate), np.empty_like(rate)
    for number in range(rate.shape[-1]):
        goal = target[..., number]
        end = load * kept + goal * fills
        averages[..., number] = goal + (load - goal) * fills * handle / length
        most[..., number] = np.maximum(load, end)
        ends[..., number] = load = end
    return OfferedLoad(ends, averages, most)


def interval_loads(
    rates: ArrayLike,
    handle_time: float,
    *,
    step: float,
    steps_per_interval: int = 1,
    rule: LoadRule = "offered_load_maximum",
    cyclic: bool = False,
) -> Floats:
    """Load of each interval for which a formula of the steady state should find the agents.

    Parameters
    ----------
    rates : array_like, shape (…, n_steps)
        Contacts per unit of time, constant within a step.
    handle_time : float
        Mean handle time.
    step : float
        Length of a step.
    steps_per_interval : int
        Steps in an interval; their number must divide.
    rule : str
        Which of `LOAD_RULES`: ``average`` and ``maximum`` rate of the interval; the same of the
        rate one handle time earlier (``lag_…``); or average and maximum of the modified offered
        load, `offered_load`.
    cyclic : bool
        Whether the last step is followed by the first; else nothing came before the first.

    Returns
    -------
    ndarray, shape (…, n_intervals)
        Loads [erlang], as for `erlang_c_agents` and the others.

    Raises
    ------
    ValueError
        If an argument is negative or not a number, a time is zero, the rule is unknown, or the
        intervals do not divide the steps.

    Notes
    -----
    *Approximate*: each interval is then staffed by itself, as if it lasted for ever (SIPP,
    "stationary independent period by period") [1]_. The plain average misses targets in the hours
    after a peak as soon as handle times are long against the changes; the lag [2]_ mends most of
    that, the modified offered load [3]_ is safe also for long handle times and costs most.
    `transient` says what each really gives.

    References
    ----------
    .. [1] L. Green, P. Kolesar, J. Soares (2001), "Improving the SIPP approach for staffing service
       systems that have cyclic demands", Operations Research 49(4), 549-564.
       doi:10.1287/opre.49.4.549.11228
    .. [2] L. Green, P. Kolesar, J. Soares (2003), "An improved heuristic for staffing telephone
       call centers with limited operating hours", Production and Operations Management 12(1),
       46-61.
    .. [3] O. Jennings, A. Mandelbaum, W. Massey, W. Whitt (1996), "Server staffing to meet
       time-varying demand", Management Science 42(10), 1383-1394. doi:10.1287/mnsc.42.10.1383

    Examples
    --------
    Calls of half an hour; 60, then 120, then 60 an hour. In the third hour the calls of the second
    are still there:

    >>> for rule in ("average", "lag_average", "offered_load_maximum"):
    ...     loads = interval_loads([1, 2, 1], 30, step=60, rule=rule, cyclic=True)
    ...     print(rule, loads.round(1).tolist())
    average [30.0, 60.0, 30.0]
    lag_average [30.0, 45.0, 45.0]
    offered_load_maximum [33.5, 56.0, 56.0]
    """
    if rule not in LOAD_RULES:
        raise ValueError(f"rule must be one of {', '.join(LOAD_RULES)}; got {rule!r}")
    rate = np.atleast_1d(quantity("rates", rates))
    handle = single("handle_time", positive_duration("handle_time", handle_time))
    length = single("step", positive_duration("step", step))
    if steps_per_interval < 1 or rate.shape[-1] % steps_per_interval:
        raise ValueError(
            f"steps_per_interval must divide the {rate.shape[-1]} steps; got {steps_per_interval!r}"
        )
    if rule.startswith("offered_load"):
        load = offered_load(rate, handle, step=length, cyclic=cyclic)
        average, maximum = load.average, load.maximum
    elif rule.startswith("lag"):
        average, maximum = (part * handle for part in _lagged(rate, handle / length, cyclic))
    else:
        average = maximum = rate * handle
    shape = (*rate.shape[:-1], -1, steps_per_interval)
    if rule.endswith("average"):
        return np.asarray(average.reshape(shape).mean(axis=-1))
    return np.asarray(maximum.reshape(shape).max(axis=-1))


def _lagged(rate: Floats, lag: float, cyclic: bool) -> tuple[Floats, Floats]:
    """Average and maximum over each step of the rate so many steps before."""
    count = rate.shape[-1]
    whole = int(np.floor(lag))
    part = lag - whole
    if part < 1e-12:
        part = 0.0
    earlier = np.arange(count) - whole

    def at(numbers: np.ndarray) -> Floats:
        if cyclic:
            return np.asarray(rate[..., numbers % count])
        return np.where(numbers < 0, 0.0, rate[..., np.maximum(numbers, 0)])

    newer, older = at(earlier), at(earlier - 1)
    most = np.maximum(newer, older) if part else newer
    return (1 - part) * newer + part * older, most
