"""Work that has to be done whatever the routing, and what a stretch on the floor can do at most.

The two sides of the valid bound (`ccsim.staffing.bounds`); the argument is written out in
``docs/decisions/valid-bound.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.keyed import threshold_ppm
from ccsim.demand.model import PPM, ContactTypeDemand, DemandModel
from ccsim.demand.table import (
    QuantileTable,
    exact_sum,
    lines_of,
    mean_seconds,
    survival_at,
)
from ccsim.scenario.case import Case
from ccsim.scenario.demand import RandomFactor
from ccsim.scenario.model import ContactType, Scenario, Skill
from ccsim.scenario.targets import Target
from ccsim.scenario.units import MICROSECONDS

Floats = NDArray[np.float64]

LATE = 3600 * MICROSECONDS
"""Without a threshold, answers up to an hour after the end of a day still count for it [µs]."""
_GRID = 4096


@dataclass(frozen=True, eq=False)
class Need:
    """Handling [s] that one target forces, of the requests first made on each of some days.

    Attributes
    ----------
    contact_type : str
    days : tuple of int
        Any of these days; one day for a target over each day.
    seconds : float
        Least expected handling.
    after : int
        How long after the end of a day an answer may still begin [µs].
    """

    contact_type: str
    days: tuple[int, ...]
    seconds: float
    after: int


def second_moment(table: QuantileTable) -> float:
    """Mean square of a length as it is drawn [s²].

    Examples
    --------
    >>> from ccsim.demand.quantiles import exponential
    >>> round(second_moment(exponential(180)) / (2 * 180**2), 5)
    1.0
    """
    lines = lines_of(table)
    low, high = lines.low, lines.high
    return exact_sum(lines.mass * (low * low + low * high + high * high)) / 3


def overshoot_seconds(given: ContactType, drawn: ContactTypeDemand) -> float:
    """Bound on how much work one contact type puts past the end of a stretch [s].

    Notes
    -----
    Lorden's inequality: the work begun in a stretch of length x exceeds x by at most
    E[H²] / E[H] in expectation, H being a handle time on that day; averaged over the day's talk
    factor, on a fine grid of its quantiles with the upper end of each step. Contacts of incidents
    with a talk time of their own are types of their own: then 1.5 times the sum of all.

    References
    ----------
    G. Lorden (1970), On excess over the boundary, Annals of Mathematical Statistics 41(2),
    520-527, doi:10.1214/aoms/1177697092
    """
    talk, wrap = mean_seconds(drawn.talk_time), mean_seconds(drawn.wrap_up)
    talk_square, wrap_square = second_moment(drawn.talk_time), second_moment(drawn.wrap_up)
    factor = np.ones(1)
    if given.talk_time_error is not None:
        from scipy.special import gammaincinv

        shape = given.talk_time_error.gamma.shape
        factor = gammaincinv(shape, (np.arange(_GRID) + 0.5) / _GRID) / shape
    multiples = sorted({1.0, *(one.talk_ppm / PPM for one in drawn.incidents)})
    bounds = []
    for multiple in multiples:
        longer = factor * multiple
        mean = longer * talk + wrap
        square = longer**2 * talk_square + 2 * longer * talk * wrap + wrap_square
        bounds.append(float(np.mean(square / mean)) if mean.all() else 0.0)
    return bounds[0] if len(bounds) == 1 else 1.5 * sum(bounds)


def handle_factors(skill: Skill) -> tuple[float, float]:
    """Handle time of a group as a multiple of the contact type's: its mean, and its overrun.

    Notes
    -----
    A contact that is passed on takes a share of the time, by chance B: the mean is f·E[B], and
    E[H²] / E[H], by which a stretch is overrun, is f·E[B²] / E[B] times that of the type.

    Examples
    --------
    >>> from ccsim.scenario.model import Transfer
    >>> passes_on = Transfer(to="experts", probability="25%", handle_time=0.4)
    >>> handle_factors(Skill(handle_time=1.1, transfer=passes_on))
    (0.935, 1.0223529411764707)
    """
    factor, transfer = round(skill.handle_time * PPM) / PPM, skill.transfer
    if transfer is None:
        return factor, factor
    share = round(transfer.handle_time * PPM) / PPM
    passed_on = threshold_ppm(transfer.probability) / PPM
    mean = 1 - passed_on + passed_on * share
    square = 1 - passed_on + passed_on * share**2
    return factor * mean, factor * (square / mean if mean else 0.0)


def least_talk(error: RandomFactor | None, share: float) -> float:
    """Mean talk factor per offered contact when only a share is answered, on the best days.

    Notes
    -----
    E[G; G in its lowest share s] = P(k+1, k q) with P(k, k q) = s, for a gamma factor of mean 1
    and shape k, P the regularised incomplete gamma function.

    Examples
    --------
    >>> least_talk(None, 0.8), round(least_talk(RandomFactor(gamma={"shape": 25}), 0.8), 4)
    (0.8, 0.7411)
    """
    if error is None:
        return share
    from scipy.special import gammainc, gammaincinv

    shape = error.gamma.shape
    return float(gammainc(shape + 1, gammaincinv(shape, share)))


def present(unplanned: float, error: RandomFactor | None) -> float:
    """Share of scheduled agents who turn up, over days of every kind.

    Notes
    -----
    1 - E[min(1, u F)]: a bad day cannot make more than everybody ill.

    Examples
    --------
    >>> present(0.08, None), round(present(0.5, RandomFactor(gamma={"shape": 4})), 4)
    (0.92, 0.5074)
    """
    if error is None or unplanned == 0:
        return 1 - unplanned
    from scipy.special import gammainc

    shape = error.gamma.shape
    edge = shape / unplanned
    absent = unplanned * gammainc(shape + 1, edge) + (1 - gammainc(shape, edge))
    return float(1 - absent)


def needs(case: Case, demand: DemandModel) -> tuple[list[Need], list[str]]:
    """Work that the targets force, and the targets that force none (or that we leave out)."""
    forced: list[Need] = []
    left_out: list[str] = []
    drawn = {each.name: each for each in demand.contact_types}
    for name, target in case.scenario.targets():
        found = _forced(case, name, drawn[name], target)
        forced += found
        if not found:
            left_out.append(f"{name}: {target}")
    return forced, left_out


def _forced(case: Case, name: str, drawn: ContactTypeDemand, target: Target) -> list[Need]:
    given, grid = case.scenario.contact_types[name], case.grid
    in_time = target.metric == "answered within"
    if (
        target.share_of_days is not None
        or target.metric == "average speed of answer"
        or (in_time and given.service_level.formula != "of_offered")
        or (given.repeat is not None and target.metric != "lost")  # more answers a request
        or (target.metric != "lost" and _others_come(case.scenario, name))
        or (given.redial is not None and given.redial.elsewhere is not None)
        or (target.metric == "abandoned" and _some_neither_wait_nor_abandon(given))
        or (not in_time and given.callback is not None)  # they wait for as long as it takes
    ):
        return []
    fresh = np.where(grid.opening(case.scenario.hours(name)), drawn.expected, 0.0)
    by_day = np.bincount(grid.day, weights=fresh, minlength=grid.days)
    talk, wrap = mean_seconds(drawn.talk_time), mean_seconds(drawn.wrap_up)
    # Whoever an incident brings may be shorter, and may be all who are answered.
    shortest = min([1.0, *(one.talk_ppm / PPM for one in drawn.incidents)])
    spread = _Spread(drawn)
    after = (target.threshold or 0) if in_time else LATE
    answered = np.zeros(grid.days)  # Requests of a day to be answered on that day.
    for day in range(grid.days):
        if in_time:
            carried = _carried(case, fresh, day, spread)
            answered[day] = target.value * by_day[day] - (1 - target.value) * carried
        else:
            late = _late(case, fresh, day, spread)
            answered[day] = (1 - target.value) * by_day[day] - late
    spans = (
        [(day,) for day in range(grid.days)]
        if target.window == "day"
        else [tuple(range(grid.days))]
    )
    forced = []
    for days in spans:
        total, offered = answered[list(days)].sum(), by_day[list(days)].sum()
        if total > 0:
            share = min(total / offered, 1.0)
            least = least_talk(given.talk_time_error, share) * shortest
            seconds = offered * (share * wrap + least * talk)
            forced.append(Need(name, days, float(seconds), after))
    return forced


def _others_come(scenario: Scenario, name: str) -> bool:
    """Whether requests of other contact types are passed on to this one, or try it next."""
    return any(name in scenario.next_types(other) for other in scenario.contact_types)


def _some_neither_wait_nor_abandon(given: ContactType) -> bool:
    """Whether some of those who have not abandoned are not answered either."""
    turned_away = given.queue_limit is not None or given.line_group is not None
    return turned_away or given.at_closing != "serve"


class _Spread:
    """How long a request may stay alive: its attempts' patience and the delays between them."""

    def __init__(self, drawn: ContactTypeDemand) -> None:
        self.patience, redial = drawn.patience, drawn.redial
        most = redial.at_most if redial else 0
        again = redial.probability_ppm / 1e6 if redial else 0.0
        self.attempts = sum(again**k for k in range(most + 1))
        self.delays = self.attempts - 1
        self.delay = redial.delay if redial else None
        self.parts = 2 * most + 1
        self.mean = self.attempts * mean_seconds(drawn.patience)
        if self.delay is not None:
            self.mean += self.delays * mean_seconds(self.delay)

    def beyond(self, gap: Floats) -> Floats:
        """Bound on the chance that a request is still alive after so long [s]: Markov, or parts."""
        part = np.maximum(gap, 0.0) / self.parts
        some = self.attempts * survival_at(self.patience, part)
        if self.delay is not None:
            some = some + self.delays * survival_at(self.delay, part)
        with np.errstate(divide="ignore"):
            markov = np.where(gap > 0, self.mean / np.where(gap > 0, gap, 1.0), 1.0)
        return np.minimum(np.minimum(some, markov), 1.0)


def _carried(case: Case, fresh: Floats, day: int, spread: _Spread) -> float:
    """Most requests of earlier days that call again on this day."""
    grid = case.grid
    if spread.delay is None:
        return 0.0
    begins = grid.day_starts[day]
    open_now = np.flatnonzero((fresh > 0) & (grid.day == day))
    if len(open_now):
        begins = grid.starts[open_now[0]]
    total = 0.0
    ends = grid.starts + grid.interval_us
    turns = (0, 1) if case.scenario.horizon.begins == "cyclic" else (0,)
    for turn in turns:
        gap = (begins - ends + turn * grid.end) / MICROSECONDS
        earlier = fresh * ((grid.day < day) if turn == 0 else True)
        total += exact_sum(earlier * np.where(earlier > 0, spread.beyond(gap), 0.0))
    return total


def _late(case: Case, fresh: Floats, day: int, spread: _Spread) -> float:
    """Most requests of this day that can still be answered after its window."""
    grid = case.grid
    limit = int(grid.day_starts[day + 1]) + LATE
    if case.scenario.horizon.ends == "cut":
        limit = min(limit, grid.end)
    gap = (limit - grid.starts - grid.interval_us) / MICROSECONDS
    mine = np.where(grid.day == day, fresh, 0.0)
    return exact_sum(mine * np.where(mine > 0, spread.beyond(gap), 0.0))


def work_of_day(case: Case, demand: DemandModel) -> Mapping[str, Floats]:
    """Handling of all requests of each day [s], shape (n_days,): none can do more."""
    day, days = case.grid.day, case.grid.days
    return {
        each.name: np.bincount(day, each.expected * each.handle_seconds, days).astype(np.float64)
        for each in demand.contact_types
    }
