"""What customers want, and what may change it: forecasts, causes, special days, incidents."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ccsim.scenario.given import FilePath, Given, Name, Positive, one_of
from ccsim.scenario.hours import Clock, Day, DayHours, Moment, Weekday
from ccsim.scenario.quantities import Duration, Length, Rate, Share, ShareRange
from ccsim.scenario.special_days import public_holidays
from ccsim.scenario.units import parse_duration, write_duration

MOST_INCIDENTS = 16
"""Incidents of a scenario: each has ordinals of its own in every interval."""

Multiple = Annotated[float, Field(ge=0, le=1000)]


def _lead(text: str) -> str:
    parse_duration(text)
    return text


def _known_place(where: str) -> str:
    public_holidays(where, (2026,))
    return where


Lead = Annotated[str, AfterValidator(_lead)]
"""How long before: kept as it is written, ``4 weeks``."""


class Gamma(Given):
    """A random factor with mean 1 on a whole day."""

    shape: Positive
    """1 / (squared coefficient of variation): 25 is a standard deviation of 20 %."""


class RandomFactor(Given):
    """What varies from day to day: a factor with mean 1, drawn once per day."""

    gamma: Gamma
    """A gamma-distributed factor."""
    shared: Share = 0.0
    """How far a busy day is busy for all that share it: the correlation of two that write the same
    share (of a and b: √(a b)), between their normal scores."""


class PartsOfDay(Given):
    """Parts of the day with factors of their own: a busy morning may be followed by anything."""

    begin: tuple[Clock, ...]
    """The clock times at which another part begins; the first one begins at midnight."""
    correlation: Share
    """The correlation of any two parts of one day, between their normal scores."""


class ForecastError(Given):
    """What a forecast of volume gets wrong: a factor with mean 1 on each day."""

    gamma: Gamma | None = None
    """A gamma-distributed factor."""
    gamma_by_lead: dict[Lead, Gamma] | None = None
    """The same for several leads, as `4 weeks` before: `horizon.published` says which one holds;
    between two leads the variance is interpolated."""
    shared: Share = 0.0
    """How far a busy day is busy for all contact types that share it: the correlation of two that
    write the same share (of a and b: √(a b)), between their normal scores."""
    parts: PartsOfDay | None = None
    """Parts of the day that err each by itself. None: one factor for the whole day."""

    @model_validator(mode="after")
    def _one_kind(self) -> ForecastError:
        one_of(self, ("gamma", "gamma_by_lead"))
        return self

    def shape(self, published: int | None) -> float:
        """Shape of the gamma factor, for a plan that is published so long before [µs].

        Its variance, 1/shape, is interpolated between the leads that are given.

        Raises
        ------
        ValueError
            If no lead is given that is as long, or as short.

        Examples
        --------
        >>> error = ForecastError(gamma_by_lead={"4 weeks": {"shape": 10}, "1 week": {"shape": 40}})
        >>> round(error.shape(parse_duration("2 weeks")), 4)  # a third of the way to 1/10: 1/20
        20.0
        """
        if self.gamma is not None:
            return self.gamma.shape
        by_lead = self.by_lead
        for (near, small), (far, large) in pairwise([by_lead[0], *by_lead]):
            if published is not None and near <= published <= far:
                way = (published - near) / (far - near) if far > near else 0.0
                return 1 / (small + way * (large - small))
        leads = f"{write_duration(by_lead[0][0])} to {write_duration(by_lead[-1][0])}"
        came = "nothing" if published is None else write_duration(published)
        raise ValueError(f"{came} came, and the forecast error is given for {leads}")

    @property
    def by_lead(self) -> list[tuple[int, float]]:
        """Each lead [µs] with the variance at it, the shortest first."""
        given = self.gamma_by_lead or {}
        return sorted((parse_duration(lead), 1 / gamma.shape) for lead, gamma in given.items())


class Cause(Given):
    """A root cause of requests, and how much of it goes away."""

    share: Share
    """The share of the contact type's fresh requests that come from it."""
    removed: ShareRange
    """The share of them that goes away: `60%`, or a range, of which each replication draws a
    value."""
    start: Day
    """The day on which its removal starts."""
    lag: Duration = 0
    """How long after the start before anything is felt."""
    ramp: Duration = 0
    """Over how long the effect then grows evenly to its full size."""


class Demand(Given):
    """How many contacts come, and what the count already holds."""

    file: FilePath | None = None
    """CSV or Excel with mean contacts per interval: `weekday,start` or `date,start`, then a
    column for each contact type."""
    column: str | None = None
    """The column of that file; the contact type's name if not given."""
    rate: Rate | None = None
    """A constant rate while open, instead of a file."""
    scale: Multiple = 1.0
    """Multiplies every interval: 1.1 is ten per cent more."""
    measured_at: Literal["agent_queue"] = "agent_queue"
    """Where the contacts were counted. Counts of an ACD were taken at the agents' queue."""
    includes: tuple[Literal["redials", "repeats"], ...] = ()
    """What the counts already hold: `redials`, `repeats`. Fresh demand is backed out, or they would
    count twice."""
    observed_abandonment: Share | None = None
    """The share that abandoned when the counts were taken; needed to back redials out."""
    observed_resolution: Share | None = None
    """The share of answered contacts that settled the matter when the counts were taken; needed to
    back repeats out."""
    forecast_error: ForecastError | None = None
    """How far days deviate from the forecast, beyond pure chance. None: the forecast is exact."""
    causes: dict[Name, Cause] = {}
    """Root causes that are being removed, by name."""

    @model_validator(mode="after")
    def _one_origin(self) -> Demand:
        one_of(self, ("file", "rate"))
        if "redials" in self.includes and self.observed_abandonment is None:
            raise ValueError(
                "counts that include redials need observed_abandonment, the share that "
                "abandoned when they were counted"
            )
        if "repeats" in self.includes and self.observed_resolution is None:
            raise ValueError(
                "counts that include repeats need observed_resolution, the share of answered "
                "contacts that settled the matter when they were counted"
            )
        return self


class OtherDay(Given):
    """What is different for one contact type on a special day."""

    open: DayHours | None = None
    """Its opening hours: `closed`, a span of clock times or a list of them. None: those of the
    weekday."""
    like: Weekday | None = None
    """The weekday whose opening hours and demand hold. None: its own."""
    scale: Multiple = 1.0
    """Multiplies the demand of the day."""


class SpecialDay(Given):
    """Days that are not like their weekday: a holiday, the day after, a campaign."""

    dates: tuple[Day, ...] = ()
    """The days; those outside the horizon are passed over."""
    public_holidays: Annotated[str, AfterValidator(_known_place)] | None = None
    """The public holidays of a country or a part of it, by ISO 3166: `DE` or `DE-BY`."""
    contact_types: dict[Name, OtherDay]
    """What is different, by contact type; the others have a day like any."""

    @model_validator(mode="after")
    def _has_days(self) -> SpecialDay:
        if not self.dates and self.public_holidays is None:
            raise ValueError("name the days: dates: [2026-12-24], or public_holidays: DE")
        return self


class Notice(Given):
    """An announcement, on the web or as a message in the IVR, that saves contacts."""

    after: Duration
    """How long after the start of the incident it is out."""
    saves: Share
    """The share of the contacts still to come that it saves."""


class Incident(Given):
    """A fault, a recall, a wrong bill: customers who would not have contacted do, for a while."""

    start: Moment
    """When it starts, in local time."""
    lasts: Length
    """How long it lasts; customers notice it evenly over this time."""
    customers: Annotated[int, Field(ge=1, le=100_000_000)]
    """How many customers it hits."""
    contacting: dict[Name, Share]
    """The share of these customers who contact, by contact type."""
    delay: Duration = 0
    """How long after noticing they contact: the mean of an exponential time; 0 s is at once."""
    talk_time: Annotated[float, Field(ge=0.1, le=10)] = 1.0
    """Talk time of the incident's own contacts as a multiple of the usual one: anger, or a script
    that shortens."""
    notice: Notice | None = None
    """An announcement. None: nobody is told."""
