"""GIVEN: the words of a contact centre, frozen. The sentence under a field is its reference page.

Everything with a name is a mapping keyed by that name, so that `variants` and ``extends:`` merge.
Long series (demand, patience tables) live in CSV or Excel files beside the scenario.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from ccsim.queueing import ServiceLevelFormula
from ccsim.scenario.hours import ALWAYS_OPEN, Day, Hours, OpeningHours, Starts, Weekdays
from ccsim.scenario.targets import Target, TargetSentence
from ccsim.scenario.units import (
    MICROSECONDS as SECOND,
)
from ccsim.scenario.units import (
    Duration,
    Length,
    Money,
    Price,
    Rate,
    Share,
    parse_duration,
)

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
FilePath = Annotated[str, Field(min_length=1, max_length=200)]
Positive = Annotated[float, Field(ge=0.001, le=1_000_000)]
PartOfAll = Annotated[Share, Field(lt=1)]


class Given(BaseModel):
    """Anything in a scenario file: frozen, and an unknown field is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _nothing_means_the_default(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {
            key: given for key, given in value.items() if given is not None or key not in optional
        }

    source: str | None = None
    """Where the numbers come from: a document, a system, a calibration, or "assumption"."""


class Constant(Given):
    """Always the same length."""

    value: Duration
    """The length."""


class Exponential(Given):
    """Memoryless, the assumption of the Erlang formulas."""

    mean: Length
    """The mean length."""


class Lognormal(Given):
    """Lognormal: the usual shape of talk times."""

    mean: Length
    """The mean length (not the median)."""
    cv: Positive
    """Coefficient of variation: standard deviation divided by mean."""


class Weibull(Given):
    """Weibull: shape below 1 means that who has waited long tends to stay."""

    mean: Length
    """The mean length."""
    shape: Positive
    """1 is exponential; below 1 the rate falls with time, above 1 it grows."""


class Empirical(Given):
    """A measured distribution: a table of quantiles in a CSV file."""

    file: FilePath
    """CSV with the columns `cumulative` (0 to 1, rising) and `seconds`."""


class Survival(Given):
    """A measured patience: the share still waiting after so many seconds (Kaplan-Meier)."""

    file: FilePath
    """CSV with the columns `seconds` and `still_waiting` (1 at 0 s, falling)."""
    tail: Literal["exponential", "never"] = "exponential"
    """Beyond the last row: the mean hazard goes on, or whoever stayed so long never leaves."""


class Gamma(Given):
    """A random factor with mean 1 on a whole day."""

    shape: Positive
    """1 / (squared coefficient of variation): 25 is a standard deviation of 20 %."""


class Component(Given):
    """One part of a mixture."""

    share: Share
    """The share of contacts of this part; all shares add to 100%."""
    constant: Constant | None = None
    """Always the same length."""
    exponential: Exponential | None = None
    """Memoryless."""
    lognormal: Lognormal | None = None
    """Lognormal."""
    weibull: Weibull | None = None
    """Weibull."""
    empirical: Empirical | None = None
    """A measured table of quantiles."""

    @model_validator(mode="after")
    def _one_kind(self) -> Component:
        one_of(self, ("constant", "exponential", "lognormal", "weibull", "empirical"))
        return self


class HandleDistribution(Given):
    """How long something takes; exactly one kind. A bare duration is a constant."""

    constant: Constant | None = None
    """Always the same length."""
    exponential: Exponential | None = None
    """Memoryless, the assumption of the Erlang formulas."""
    lognormal: Lognormal | None = None
    """Lognormal: the usual shape of talk times."""
    weibull: Weibull | None = None
    """Weibull."""
    empirical: Empirical | None = None
    """A measured table of quantiles, from a CSV file."""
    mixture: dict[Name, Component] | None = None
    """Several kinds of contact in one, each with its share."""

    @model_validator(mode="before")
    @classmethod
    def _bare_constant(cls, value: Any) -> Any:
        return bare_constant(value)

    @model_validator(mode="after")
    def _one_kind(self) -> HandleDistribution:
        one_of(self, ("constant", "exponential", "lognormal", "weibull", "empirical", "mixture"))
        if self.mixture is not None:
            total = sum(component.share for component in self.mixture.values())
            if abs(total - 1) > 1e-9:
                raise ValueError(f"the shares of the mixture add to {total:.2%}, not to 100%")
        return self


class PatienceDistribution(Given):
    """How long a customer waits before giving up; exactly one kind."""

    exponential: Exponential | None = None
    """Memoryless, the assumption of Erlang A."""
    lognormal: Lognormal | None = None
    """Lognormal."""
    weibull: Weibull | None = None
    """Weibull."""
    survival: Survival | None = None
    """A measured table of who is still waiting, from a CSV file."""
    constant: Constant | None = None
    """Everybody waits equally long."""

    @model_validator(mode="before")
    @classmethod
    def _bare_constant(cls, value: Any) -> Any:
        return bare_constant(value)

    @model_validator(mode="after")
    def _one_kind(self) -> PatienceDistribution:
        one_of(self, ("exponential", "lognormal", "weibull", "survival", "constant"))
        return self


def bare_constant(value: Any) -> Any:
    """``10 s`` is short for a constant; ``constant: 10 s`` for its only field."""
    if isinstance(value, str):
        return {"constant": {"value": value}}
    if isinstance(value, Mapping) and isinstance(value.get("constant"), str):
        return {**value, "constant": {"value": value["constant"]}}
    return value


def one_of(given: Given, kinds: tuple[str, ...]) -> None:
    """Refuse anything but exactly one of the named fields."""
    chosen = [kind for kind in kinds if getattr(given, kind) is not None]
    if len(chosen) != 1:
        came = " and ".join(chosen) if chosen else "none"
        hint = "; in a variant, 'null' takes the other away" if len(chosen) > 1 else ""
        raise ValueError(f"write exactly one of {', '.join(kinds)}; {came} came{hint}")


class RandomFactor(Given):
    """What a forecast gets wrong: a factor with mean 1, drawn once per day and contact type."""

    gamma: Gamma
    """A gamma-distributed factor."""


class Demand(Given):
    """How many contacts come, and what the count already holds."""

    file: FilePath | None = None
    """CSV or Excel with mean contacts per interval: `weekday,start` or `date,start`, then a
    column for each contact type."""
    column: str | None = None
    """The column of that file; the contact type's name if not given."""
    rate: Rate | None = None
    """A constant rate while open, instead of a file."""
    scale: Annotated[float, Field(ge=0, le=1000)] = 1.0
    """Multiplies every interval: 1.1 is ten per cent more."""
    measured_at: Literal["agent_queue"] = "agent_queue"
    """Where the contacts were counted. Counts of an ACD were taken at the agents' queue."""
    includes: tuple[Literal["redials"], ...] = ()
    """What the counts already hold. `redials`: fresh demand is backed out, or they would count
    twice."""
    observed_abandonment: Share | None = None
    """The share that abandoned when the counts were taken; needed to back redials out."""
    forecast_error: RandomFactor | None = None
    """How far whole days deviate from the forecast, beyond pure chance. None: the forecast is
    exact."""

    @model_validator(mode="after")
    def _one_origin(self) -> Demand:
        one_of(self, ("file", "rate"))
        if "redials" in self.includes and self.observed_abandonment is None:
            raise ValueError(
                "counts that include redials need observed_abandonment, the share that "
                "abandoned when they were counted"
            )
        return self


class Redial(Given):
    """Who calls again after giving up."""

    probability: Share
    """The chance that a customer who abandoned calls again."""
    delay: HandleDistribution
    """How long after giving up."""
    at_most: Annotated[int, Field(ge=1, le=20)] = 3
    """The most redials of one request; what this bound cuts is counted and shown."""


class ServiceLevelRule(Given):
    """Which of the trade's service-level formulas a contract or an ACD report means."""

    formula: ServiceLevelFormula = "of_offered"
    """See the nomenclature: on one and the same day they run from 81 to 86 %."""
    short_abandon: Duration = 5 * SECOND
    """Who gives up within this time is a short abandon."""


class ContactType(Given):
    """One kind of contact, with its demand, its work, its customers' patience and its promises."""

    channel: Literal["voice"] = "voice"
    """The channel."""
    open: Hours = ALWAYS_OPEN
    """When customers may get in: `always`, or weekdays with spans of local clock times."""
    demand: Demand
    """How many contacts come."""
    talk_time: HandleDistribution
    """How long agent and customer talk, hold included."""
    talk_time_error: RandomFactor | None = None
    """How far whole days deviate from the mean talk time. None: they do not."""
    wrap_up: HandleDistribution | None = None
    """After-contact work; the agent is not free before it is done."""
    patience: PatienceDistribution | None = None
    """How long customers wait before giving up. None: nobody ever gives up."""
    redial: Redial | None = None
    """Who calls again after giving up. None: nobody does."""
    head_start: Duration = 0
    """Moves the contact this far ahead in the queue, as if it had arrived earlier."""
    service_level: ServiceLevelRule = ServiceLevelRule()
    """The service-level formula; every output names it."""
    targets: tuple[TargetSentence, ...] = ()
    """The promises: `80% answered within 20 s, over each day`."""
    interval_floor: PartOfAll = 0.0
    """A guard: no interval is staffed for less than this service level (by the formula)."""


class Skill(Given):
    """That an agent group can handle a contact type."""

    priority: Annotated[int, Field(ge=1, le=99)] = 1
    """1 is taken first; among equals who has waited longest, head start included."""


class Shrinkage(Given):
    """Paid time that is not on the floor, by its named parts."""

    unplanned: PartOfAll = 0.0
    """Absence on the day: scheduled and paid, but not there. Drawn per agent and day."""
    unplanned_day_error: RandomFactor | None = None
    """A shared factor on absence: some days many are ill."""
    paid_not_scheduled: PartOfAll = 0.0
    """Leave and training: a share of paid time that is never scheduled; a factor on cost."""


class AgentGroup(Given):
    """Agents with the same skills, rules and pay; a partner's team is one too."""

    skills: dict[Name, Skill]
    """The contact types they handle."""
    rate_card: Name
    """How their time or their work is paid."""
    shifts: tuple[Name, ...] = ()
    """The shifts they may work. None: staffed interval by interval (a partner, a first look)."""
    shrinkage: Shrinkage = Shrinkage()
    """What keeps paid agents off the floor."""
    minimum_staff: Annotated[int, Field(ge=0, le=100_000)] = 0
    """The fewest agents on the floor in any interval that is open."""
    maximum_staff: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """The most agents on the floor at once: seats, or a partner's capacity."""
    agents: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """A given number on the floor whenever open: nothing is left to plan for this group."""


class Break(Given):
    """Time off the floor inside a shift."""

    length: Length
    """How long."""
    after: Annotated[str, Field(max_length=60)]
    """When it may begin, counted from the start of the shift: `2 h - 3 h`, or `4 h`."""
    paid: bool = False
    """Whether it is paid."""

    @property
    def window(self) -> tuple[int, int]:
        """Earliest and latest begin [µs] after the start of the shift."""
        first, _, last = self.after.partition("-")
        return parse_duration(first), parse_duration(last or first)

    @model_validator(mode="after")
    def _window_reads(self) -> Break:
        try:
            earliest, latest = self.window
        except ValueError as error:
            raise ValueError(f"after: {error}") from None
        if earliest > latest:
            raise ValueError(f"after: {self.after!r} ends before it starts")
        return self


class Shift(Given):
    """A kind of shift: when it may start, how long it is, where its breaks may lie."""

    starts: Starts
    """Local clock times: `06:30-16:00 every 30 min`, or a list of them."""
    days: Weekdays = (0, 1, 2, 3, 4, 5, 6)
    """The weekdays on which it may start."""
    length: Length
    """From start to end, breaks included."""
    breaks: dict[Name, Break] = {}
    """The breaks, in any order; their windows may not overlap."""
    at_most: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """The most agents of one group who may start it at one time. None: no limit."""


class InHouse(Given):
    """Own agents, paid by the hour."""

    paid_hour: Price
    """The wage of a paid hour."""
    on_cost: Share = 0.0
    """Employer's cost on top of the wage: social insurance, workplace, management."""
    after_shift: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Pay for finishing a contact after the shift has ended, as a multiple of the wage."""


class Partner(Given):
    """An outsourcing partner, paid by the handled minute."""

    handled_minute: Price
    """The price of one minute of handling."""
    capacity: Annotated[int, Field(ge=1, le=100_000)]
    """The most agents the partner puts on the floor: agreed, and never exceeded by a plan."""
    minimum: Share = 0.0
    """The share of the agreed forecast that is billed in any case."""
    forecast_share: Share = 1.0
    """The agreed forecast, as a share of the handling its contact types are forecast to need."""


def rate_card_kind(value: Any) -> str:
    """Which kind of rate card a mapping is, by the price it names."""
    if isinstance(value, Mapping):
        return "partner" if "handled_minute" in value or "capacity" in value else "in_house"
    return "partner" if isinstance(value, Partner) else "in_house"


RateCard = Annotated[
    Annotated[InHouse, Tag("in_house")] | Annotated[Partner, Tag("partner")],
    Discriminator(rate_card_kind),
]
"""How time or work is paid: in-house by the paid hour, a partner by the handled minute."""


class Horizon(Given):
    """Which days are planned, in which steps, and how they begin and end."""

    start: Day
    """The first day, in the scenario's time zone."""
    days: Annotated[int, Field(ge=1, le=366)] = 7
    """How many calendar days."""
    interval: Literal["15 min", "30 min", "60 min"] = "30 min"
    """The step of demand, requirement and reports."""
    begins: Literal["empty", "cyclic"] = "cyclic"
    """`empty`: nobody waits at the start. `cyclic`: a warm-up is simulated first and dropped,
    and shifts wrap round."""
    warm_up: Duration = 7 * 86_400 * SECOND
    """How much is simulated before a cyclic horizon, and dropped; at most the horizon itself."""
    ends: Literal["drain", "cut"] = "drain"
    """`drain`: whoever came in time is served out by those on the floor. `cut`: everything
    stops at the end."""

    @property
    def interval_us(self) -> int:
        """The length of an interval [µs]."""
        return parse_duration(self.interval)


class Planning(Given):
    """How the planner searches; none of it changes what a plan is worth."""

    margin: Share = 0.01
    """The search aims at each target plus this much, so that the certificate can succeed."""
    zone: Share = 0.0025
    """Above a target by less than this is reported as "not shown to exceed"."""
    rounds: Annotated[int, Field(ge=1, le=50)] = 8
    """The most times the schedule is raised and solved again."""
    gap: Share = 0.01
    """The solver stops when no schedule can be cheaper by more than this."""
    replications: Annotated[int, Field(ge=8, le=1_000_000)] = 160
    """Replications of one look during the search, rounded up to whole blocks."""
    certificate_replications: Annotated[int, Field(ge=320, le=1_000_000)] = 3200
    """The most replications of one certification."""


class Scenario(Given):
    """One contact centre, its promises and its options, over one horizon."""

    version: Literal[1]
    """The version of this file format."""
    name: Annotated[str, Field(min_length=1, max_length=120)]
    """What this scenario is called in reports."""
    question: Annotated[str, Field(max_length=400)] = ""
    """The question that it answers; the report opens with it."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """The currency of every price, three letters."""
    time_zone: str
    """An IANA name, such as `Europe/Berlin`; local clock times are in it."""
    horizon: Horizon
    """Which days are planned."""
    contact_types: dict[Name, ContactType]
    """What customers want, by name."""
    agent_groups: dict[Name, AgentGroup]
    """Who answers, by name."""
    shifts: dict[Name, Shift] = {}
    """The kinds of shift, by name."""
    rate_cards: dict[Name, RateCard]
    """How agents and partners are paid, by name."""
    planning: Planning = Planning()
    """How the planner searches."""

    def targets(self) -> Iterator[tuple[str, Target]]:
        """Each contact type's name with each of its targets, in the order of the file."""
        for name, contact_type in self.contact_types.items():
            for target in contact_type.targets:
                yield name, target


__all__ = ["AgentGroup", "ContactType", "Money", "OpeningHours", "Scenario", "Shift", "Target"]
