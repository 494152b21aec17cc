"""What a replication is drawn from: fresh demand, and every distribution as a table of integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ccsim.demand import quantiles
from ccsim.demand.day_factors import DayFactor
from ccsim.demand.incidents import IncidentModel, compile_incidents
from ccsim.demand.keyed import threshold_ppm
from ccsim.demand.pace import PaceModel, compile_pace
from ccsim.demand.sums import total
from ccsim.demand.table import QuantileTable, mean_seconds
from ccsim.scenario.calendar import Grid
from ccsim.scenario.case import Case, Table
from ccsim.scenario.demand import Cause, Demand, ForecastError, RandomFactor
from ccsim.scenario.distributions import (
    Component,
    Empirical,
    HandleDistribution,
    PatienceDistribution,
    Stage,
)
from ccsim.scenario.model import Redial, Repeat, Untimely
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
class RepeatModel:
    """Who contacts again because the matter was not resolved: delay, and the most attempts."""

    delay: QuantileTable
    at_most: int


@dataclass(frozen=True, eq=False)
class CauseModel:
    """A root cause that is being removed.

    Attributes
    ----------
    name : str
        The cause; with the contact type it keys how much of it is removed.
    least, most : float
        The share of it that is removed in the end; each replication draws one between them.
    effect : ndarray, shape (n_intervals,)
        The share of all fresh requests that removing the whole cause takes away.
    """

    name: str
    least: float
    most: float
    effect: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ContactTypeDemand:
    """Everything random about one contact type.

    Attributes
    ----------
    name : str
        The contact type; it keys every random number, so other types move none of them.
    fresh : ndarray, shape (n_intervals,)
        Mean fresh contacts per interval: redials backed out, no cause removed, no incident.
    volume_factor, talk_factor : DayFactor or None
        Forecast error of a day on volume and on talk time.
    talk_time, wrap_up, patience : QuantileTable
        Lengths [µs].
    redial : RedialModel or None
        Who calls again.
    repeat : RepeatModel or None
        Who contacts again, unresolved.
    causes : tuple of CauseModel
        Root causes that are being removed.
    incidents : tuple of IncidentModel
        What brings more contacts.
    """

    name: str
    fresh: NDArray[np.float64]
    volume_factor: DayFactor | None
    talk_factor: DayFactor | None
    talk_time: QuantileTable
    wrap_up: QuantileTable
    patience: QuantileTable
    redial: RedialModel | None
    repeat: RepeatModel | None = None
    causes: tuple[CauseModel, ...] = ()
    incidents: tuple[IncidentModel, ...] = ()

    @property
    def ordinary(self) -> NDArray[np.float64]:
        """Mean fresh contacts per interval without what causes no longer bring, (n_intervals,)."""
        removed = [(cause.least + cause.most) / 2 * cause.effect for cause in self.causes]
        return self.fresh * (1 - sum(removed)) if removed else self.fresh

    @property
    def expected(self) -> NDArray[np.float64]:
        """Mean first attempts per interval, those of incidents among them, (n_intervals,)."""
        return sum((incident.coming for incident in self.incidents), self.ordinary)

    @property
    def mean_requests(self) -> NDArray[np.float64]:
        """The same over days of every kind, by the factors as they are drawn, (n_intervals,)."""
        busyness = 1.0 if self.volume_factor is None else self.volume_factor.mean
        return sum((incident.coming for incident in self.incidents), self.ordinary * busyness)

    @property
    def handle_seconds(self) -> NDArray[np.float64]:
        """Mean talk time plus wrap-up of who comes in each interval [s], shape (n_intervals,)."""
        talk, wrap_up = mean_seconds(self.talk_time), mean_seconds(self.wrap_up)
        longer = sum(
            (one.coming * (one.talk_ppm / PPM - 1) for one in self.incidents),
            np.zeros(len(self.fresh)),
        )
        expected = self.expected
        return talk * (1 + longer / np.where(expected > 0, expected, 1.0)) + wrap_up

    @property
    def mean_handle_seconds(self) -> float:
        """Mean talk time plus wrap-up of all who come [s], over days of every kind."""
        expected = self.expected
        if not self.incidents or not expected.any():
            return mean_seconds(self.talk_time) + mean_seconds(self.wrap_up)
        return float(np.average(self.handle_seconds, weights=expected))


@dataclass(frozen=True, eq=False)
class UntimelyModel:
    """Who comes late, or leaves early: chance [per million], and by how much."""

    share_ppm: int
    by: QuantileTable


@dataclass(frozen=True, eq=False)
class AbsenceModel:
    """What keeps the scheduled agents of one group off the floor.

    Attributes
    ----------
    group : str
        The agent group; it keys the draws.
    unplanned_ppm : int
        Chance of unplanned absence [per million].
    day_factor : DayFactor or None
        The factor on it that agents share.
    log_in : int
        Time before each shift's first moment on the floor [µs].
    late, leaves_early : UntimelyModel or None
        Who comes late to a shift, and who leaves before its end.
    """

    group: str
    unplanned_ppm: int
    day_factor: DayFactor | None
    log_in: int = 0
    late: UntimelyModel | None = None
    leaves_early: UntimelyModel | None = None

    @property
    def timely(self) -> bool:
        """Whether every shift is worked from its begin to its end."""
        return not self.log_in and self.late is None and self.leaves_early is None


@dataclass(frozen=True, eq=False)
class DemandModel:
    """What every replication is drawn from."""

    contact_types: tuple[ContactTypeDemand, ...]
    absence: tuple[AbsenceModel, ...]
    grid: Grid
    warm_up_intervals: int
    paces: tuple[PaceModel | None, ...] = ()
    """How the agents of each group differ; none where all groups' agents are alike."""

    @property
    def contacts(self) -> float:
        """Mean first attempts of a horizon."""
        return sum(float(given.expected.sum()) for given in self.contact_types)


def fresh_share(demand: Demand, redial: Redial | None, repeat: Repeat | None = None) -> float:
    """Fresh contacts per counted contact, where the count already holds redials or repeats.

    Of every counted contact the observed share gives up and, with the redial probability, comes
    back, at most so many times; so one fresh contact was counted (1 - q^(n+1)) / (1 - q) times,
    q being their product. With repeats, the share that was answered and not settled comes back too,
    and one fresh contact was counted 1 + q₁ + q₁q₂ + … times: after its k-th contact another one
    follows with chance qₖ, to which each adds while its `at_most` allows. When they return later
    in the day, the shape is taken as unchanged.

    Examples
    --------
    >>> redial = Redial(probability="50%", delay={"exponential": {"mean": "10 min"}}, at_most=20)
    >>> counted = Demand(rate="100 calls/h", includes=["redials"], observed_abandonment="20%")
    >>> round(fresh_share(counted, redial), 6)
    0.9
    """
    if "repeats" in demand.includes and repeat is not None:
        abandoned = demand.observed_abandonment or 0.0
        unsettled = (1 - abandoned) * (1 - (demand.observed_resolution or 0.0))
        calls_again = (
            abandoned * redial.probability if redial and "redials" in demand.includes else 0
        )
        most = redial.at_most if redial else 0
        counted = follows = 1.0
        for number in range(max(most, repeat.at_most)):
            follows *= calls_again * (number < most) + unsettled * (number < repeat.at_most)
            counted += follows
        return 1 / counted
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
    incidents = compile_incidents(case)
    contact_types = tuple(
        ContactTypeDemand(
            name=name,
            fresh=case.demand[name] * fresh_share(given.demand, given.redial, given.repeat),
            volume_factor=_volume_factor(given.demand.forecast_error, horizon.published),
            talk_factor=_day_factor(given.talk_time_error),
            talk_time=duration_table(given.talk_time, case.tables),
            wrap_up=duration_table(given.wrap_up, case.tables),
            patience=patience_table(given.patience, case.tables),
            redial=_redial(given.redial, case.tables),
            repeat=_repeat(given.repeat, case.tables),
            causes=tuple(_cause(cause, one, grid) for cause, one in given.demand.causes.items()),
            incidents=incidents[name],
        )
        for name, given in case.scenario.contact_types.items()
    )
    absence = tuple(
        AbsenceModel(
            group=name,
            unplanned_ppm=threshold_ppm(group.shrinkage.unplanned),
            day_factor=_day_factor(group.shrinkage.unplanned_day_error),
            log_in=group.shrinkage.log_in,
            late=_untimely(group.shrinkage.late, case.tables),
            leaves_early=_untimely(group.shrinkage.leaves_early, case.tables),
        )
        for name, group in case.scenario.agent_groups.items()
    )
    first = first_day(grid, warm_up)
    paces = [
        compile_pace(name, group, grid, first) for name, group in case.scenario.agent_groups.items()
    ]
    differ = tuple(paces) if any(paces) else ()
    return DemandModel(contact_types, absence, grid, warm_up, differ)


def first_day(grid: Grid, warm_up_intervals: int) -> int:
    """Number of the first day: 0, or below with a warm-up, whose days are days of their own."""
    day = int(grid.day[-warm_up_intervals % grid.intervals])
    return day - (grid.days if warm_up_intervals else 0)


def duration_table(given: HandleDistribution | None, tables: Mapping[str, Table]) -> QuantileTable:
    """Table of a length of work; none given is no work."""
    if given is None:
        return quantiles.constant(0.0)
    if given.stages is not None:
        return total([stage_table(stage, tables) for stage in given.stages.values()])
    return _work_table(given, tables)


def stage_table(given: Stage, tables: Mapping[str, Table]) -> QuantileTable:
    """Table of one stage of work, as long as its `scale` makes it."""
    return _work_table(given, tables, given.scale)


def _work_table(
    given: HandleDistribution | Stage, tables: Mapping[str, Table], scale: float = 1.0
) -> QuantileTable:
    if given.mixture is None:
        return _simple_table(given, tables, scale)
    parts = given.mixture.values()
    return quantiles.mixture(
        [part.share for part in parts], [_simple_table(part, tables, scale) for part in parts]
    )


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
    given: Component | HandleDistribution | PatienceDistribution | Stage,
    tables: Mapping[str, Table],
    scale: float = 1.0,
) -> QuantileTable:
    second = MICROSECONDS / scale
    if given.constant is not None:
        return quantiles.constant(given.constant.value / second)
    if given.exponential is not None:
        return quantiles.exponential(given.exponential.mean / second)
    if given.lognormal is not None:
        return quantiles.lognormal(given.lognormal.mean / second, given.lognormal.cv)
    if given.weibull is not None:
        return quantiles.weibull(given.weibull.mean / second, given.weibull.shape)
    empirical: Empirical | None = getattr(given, "empirical", None)
    if empirical is None:
        raise ValueError(f"no distribution is given in {given!r}")
    table = tables[empirical.file]
    return quantiles.empirical(table[:, 1] * scale, table[:, 0])


def _day_factor(given: RandomFactor | None) -> DayFactor | None:
    if given is None:
        return None
    return DayFactor(quantiles.unit_gamma(given.gamma.shape), given.shared)


def _volume_factor(given: ForecastError | None, published: int | None) -> DayFactor | None:
    if given is None:
        return None
    table = quantiles.unit_gamma(given.shape(published))
    if given.parts is None:
        return DayFactor(table, given.shared)
    return DayFactor(table, given.shared, given.parts.begin, given.parts.correlation)


def _cause(name: str, given: Cause, grid: Grid) -> CauseModel:
    """Lay a cause on the grid: its effect in an interval is the mean of what grows meanwhile."""
    day = (given.start - date.fromisoformat(grid.dates[0])).days
    passed = np.append(grid.starts, grid.end) - grid.instant(day, 0) - given.lag
    growing = np.clip(passed, 0, given.ramp).astype(np.float64)  # squares pass 2**63
    area = growing**2 / max(2 * given.ramp, 1) + np.maximum(passed - given.ramp, 0)
    return CauseModel(name, *given.removed, given.share * np.diff(area) / grid.interval_us)


def _untimely(given: Untimely | None, tables: Mapping[str, Table]) -> UntimelyModel | None:
    if given is None:
        return None
    return UntimelyModel(threshold_ppm(given.share), duration_table(given.by, tables))


def _redial(given: Redial | None, tables: Mapping[str, Table]) -> RedialModel | None:
    if given is None:
        return None
    return RedialModel(
        threshold_ppm(given.probability), duration_table(given.delay, tables), given.at_most
    )


def _repeat(given: Repeat | None, tables: Mapping[str, Table]) -> RepeatModel | None:
    if given is None:
        return None
    return RepeatModel(duration_table(given.delay, tables), given.at_most)
