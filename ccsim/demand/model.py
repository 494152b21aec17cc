"""What a replication is drawn from: fresh demand, and every distribution as a table of integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ccsim.demand import quantiles
from ccsim.demand.keyed import threshold_ppm
from ccsim.demand.table import QuantileTable, mean_seconds
from ccsim.scenario.calendar import Grid
from ccsim.scenario.case import Case, Table
from ccsim.scenario.model import (
    Component,
    Demand,
    Empirical,
    HandleDistribution,
    PatienceDistribution,
    RandomFactor,
    Redial,
)
from ccsim.scenario.units import MICROSECONDS

PPM = 1_000_000
"""Factors and probabilities are integers per million."""


@dataclass(frozen=True, eq=False)
class RedialModel:
    """Who calls again after giving up: chance [per million], delay, and the most redials."""

    probability_ppm: int
    delay: QuantileTable
    at_most: int


@dataclass(frozen=True, eq=False)
class ContactTypeDemand:
    """Everything random about one contact type.

    Attributes
    ----------
    name : str
        The contact type; it keys every random number, so other types move none of them.
    fresh : ndarray, shape (n_intervals,)
        Mean fresh contacts per interval, redials backed out.
    volume_factor, talk_factor : QuantileTable or None
        Forecast error of a day on volume and on talk time [per million].
    talk_time, wrap_up, patience : QuantileTable
        Lengths [µs].
    redial : RedialModel or None
        Who calls again.
    """

    name: str
    fresh: NDArray[np.float64]
    volume_factor: QuantileTable | None
    talk_factor: QuantileTable | None
    talk_time: QuantileTable
    wrap_up: QuantileTable
    patience: QuantileTable
    redial: RedialModel | None

    @property
    def mean_requests(self) -> NDArray[np.float64]:
        """Mean fresh contacts per interval, over days of every kind, shape (n_intervals,)."""
        busyness = 1.0 if self.volume_factor is None else mean_seconds(self.volume_factor)
        return self.fresh * busyness

    @property
    def mean_handle_seconds(self) -> float:
        """Mean talk time plus wrap-up [s], over days of every kind."""
        return mean_seconds(self.talk_time) + mean_seconds(self.wrap_up)


@dataclass(frozen=True, eq=False)
class AbsenceModel:
    """Unplanned absence of one agent group: chance [per million] and the factor agents share."""

    group: str
    unplanned_ppm: int
    day_factor: QuantileTable | None


@dataclass(frozen=True, eq=False)
class DemandModel:
    """What every replication is drawn from."""

    contact_types: tuple[ContactTypeDemand, ...]
    absence: tuple[AbsenceModel, ...]
    grid: Grid
    warm_up_intervals: int

    @property
    def contacts(self) -> float:
        """Mean first attempts of a horizon."""
        return sum(float(given.fresh.sum()) for given in self.contact_types)


def fresh_share(demand: Demand, redial: Redial | None) -> float:
    """Fresh contacts per counted contact, where the count already holds redials.

    Of every counted contact the observed share gives up and, with the redial probability, comes
    back, at most so many times; so one fresh contact was counted (1 - q^(n+1)) / (1 - q) times,
    q being their product. When redials return later in the day, the shape is taken as unchanged.

    Examples
    --------
    >>> redial = Redial(probability="50%", delay={"exponential": {"mean": "10 min"}}, at_most=20)
    >>> counted = Demand(rate="100 calls/h", includes=["redials"], observed_abandonment="20%")
    >>> round(fresh_share(counted, redial), 6)
    0.9
    """
    if redial is None or "redials" not in demand.includes:
        return 1.0
    again = (demand.observed_abandonment or 0.0) * redial.probability
    if again == 1:
        return 1 / (redial.at_most + 1)
    return float((1 - again) / (1 - again ** (redial.at_most + 1)))


@lru_cache(maxsize=8)  # a quarter of a second, and several steps of a study ask
def compile_demand(case: Case) -> DemandModel:
    """Turn a case into what replications are drawn from."""
    grid, horizon = case.grid, case.scenario.horizon
    cyclic = horizon.begins == "cyclic"
    warm_up = min(-(-horizon.warm_up // grid.interval_us), grid.intervals) if cyclic else 0
    contact_types = tuple(
        ContactTypeDemand(
            name=name,
            fresh=case.demand[name] * fresh_share(given.demand, given.redial),
            volume_factor=_day_factor(given.demand.forecast_error),
            talk_factor=_day_factor(given.talk_time_error),
            talk_time=duration_table(given.talk_time, case.tables),
            wrap_up=duration_table(given.wrap_up, case.tables),
            patience=patience_table(given.patience, case.tables),
            redial=_redial(given.redial, case.tables),
        )
        for name, given in case.scenario.contact_types.items()
    )
    absence = tuple(
        AbsenceModel(
            group=name,
            unplanned_ppm=threshold_ppm(group.shrinkage.unplanned),
            day_factor=_day_factor(group.shrinkage.unplanned_day_error),
        )
        for name, group in case.scenario.agent_groups.items()
    )
    return DemandModel(contact_types, absence, grid, warm_up)


def duration_table(given: HandleDistribution | None, tables: Mapping[str, Table]) -> QuantileTable:
    """Table of a length of work; none given is no work."""
    if given is None:
        return quantiles.constant(0.0)
    if given.mixture is not None:
        parts = given.mixture.values()
        return quantiles.mixture(
            [part.share for part in parts], [_simple_table(part, tables) for part in parts]
        )
    return _simple_table(given, tables)


def patience_table(
    given: PatienceDistribution | None, tables: Mapping[str, Table]
) -> QuantileTable:
    """Table of a patience; none given waits for ever."""
    if given is None:
        return quantiles.constant(float("inf"))
    if given.survival is not None:
        table = tables[given.survival.file]
        return quantiles.survival(table[:, 0], table[:, 1], tail=given.survival.tail)
    return _simple_table(given, tables)


def _simple_table(
    given: Component | HandleDistribution | PatienceDistribution, tables: Mapping[str, Table]
) -> QuantileTable:
    if given.constant is not None:
        return quantiles.constant(given.constant.value / MICROSECONDS)
    if given.exponential is not None:
        return quantiles.exponential(given.exponential.mean / MICROSECONDS)
    if given.lognormal is not None:
        return quantiles.lognormal(given.lognormal.mean / MICROSECONDS, given.lognormal.cv)
    if given.weibull is not None:
        return quantiles.weibull(given.weibull.mean / MICROSECONDS, given.weibull.shape)
    empirical: Empirical | None = getattr(given, "empirical", None)
    if empirical is None:
        raise ValueError(f"no distribution is given in {given!r}")
    table = tables[empirical.file]
    return quantiles.empirical(table[:, 1], table[:, 0])


def _day_factor(given: RandomFactor | None) -> QuantileTable | None:
    return None if given is None else quantiles.unit_gamma(given.gamma.shape)


def _redial(given: Redial | None, tables: Mapping[str, Table]) -> RedialModel | None:
    if given is None:
        return None
    return RedialModel(
        threshold_ppm(given.probability), duration_table(given.delay, tables), given.at_most
    )
