"""GIVEN: the words of a contact centre, frozen. The sentence under a field is its reference page.

Everything with a name is a mapping keyed by that name, so that `variants` and ``extends:`` merge.
Long series (demand, patience tables) live in CSV or Excel files beside the scenario.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from ccsim.queueing import ServiceLevelFormula
from ccsim.scenario.demand import Demand, Incident, RandomFactor, SpecialDay
from ccsim.scenario.distributions import HandleDistribution, PatienceDistribution
from ccsim.scenario.given import Given, Name, PartOfAll
from ccsim.scenario.hours import ALWAYS_OPEN, Day, Hours, OpeningHours, Starts, Weekdays
from ccsim.scenario.quantities import Duration, Length, Price, Share
from ccsim.scenario.special_days import hours_of
from ccsim.scenario.targets import Target, TargetSentence
from ccsim.scenario.units import MICROSECONDS as SECOND
from ccsim.scenario.units import Money, parse_duration

HOUR = 3600 * SECOND

AnnouncedEstimate = Literal["last_answered", "by_position"]
AgentChoice = Literal["longest_idle", "least_handling", "at_random", "in_order"]


class Elsewhere(Given):
    """Who tries another contact type the next time."""

    to: Name
    """The contact type that they try."""
    share: Share = 1.0
    """The share of those who come again. They get a handle time and a patience of that type."""


class Redial(Given):
    """Who calls again after giving up."""

    probability: Share
    """The chance that a customer who abandoned, or was blocked, calls again."""
    delay: HandleDistribution
    """How long after giving up or being blocked."""
    clock: Literal["calendar", "opening"] = "calendar"
    """Whether the delay runs round the clock, or only while the contact type is open."""
    at_most: Annotated[int, Field(ge=1, le=20)] = 3
    """The most later contacts of one request, repeats included; what this bound cuts is counted
    and shown."""
    elsewhere: Elsewhere | None = None
    """Who tries another contact type instead. None: all call again."""


class Repeat(Given):
    """Who contacts again because the matter was not resolved."""

    delay: HandleDistribution
    """How long after the end of the contact."""
    clock: Literal["calendar", "opening"] = "opening"
    """Whether the delay runs round the clock, or only while the contact type is open."""
    at_most: Annotated[int, Field(ge=1, le=20)] = 3
    """The most later contacts of one request, redials included; what this bound cuts is counted
    and shown."""
    elsewhere: Elsewhere | None = None
    """Who tries another contact type instead. None: nobody does."""


class Transfer(Given):
    """Who is passed on to another contact type, and what that costs."""

    to: Name
    """The contact type that they are passed on to; there they queue, and may give up, again."""
    probability: Share
    """The chance that an agent of this group passes such a contact on."""
    handle_time: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    """What she spends on a contact that she passes on, as a multiple of her handle time."""
    context_lost: Annotated[Duration, Field(le=8 * HOUR)] = 0
    """How much longer the next agent needs because the matter is told once more."""
    at_most: Annotated[int, Field(ge=1, le=20)] = 3
    """The most later contacts of one request, redials and repeats included; what this bound cuts
    is counted and shown."""


class AnnouncedWait(Given):
    """What customers are told on joining the queue, and who then hangs up."""

    estimate: AnnouncedEstimate = "last_answered"
    """`last_answered`: the wait of whoever of this contact type was taken last. `by_position`: so
    much for everybody who waits already, and for oneself."""
    per_waiting: Annotated[Duration, Field(le=24 * HOUR)] | None = None
    """How much each place in the queue adds, for `by_position`."""
    balking: Annotated[float, Field(ge=0.01, le=100)] | None = None
    """Who hangs up at once: whoever is told more than so many times her patience. None: nobody."""


class Callback(Given):
    """A place kept in the queue for customers who hang up and are called when it is their turn."""

    offered_from: Duration
    """The announced wait from which it is offered."""
    accepted: Share
    """The share of those offered it who accept. One study of a bank found 37 %."""
    reached: Share = 1.0
    """The share of them who answer when they are called; the others are lost."""
    dialling: Annotated[Duration, Field(le=HOUR)] = 0
    """How long an agent dials and lets it ring, whether the customer answers or not."""


class LineGroup(Given):
    """Telephone lines that contact types share."""

    lines: Annotated[int, Field(ge=1, le=100_000)]
    """How many customers can be in at once, waiting or talking. Whoever comes beyond is blocked;
    wrap-up needs no line."""


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
    repeat: Repeat | None = None
    """Who contacts again because the matter was not resolved; how often that happens is the
    `resolution` of each skill. None: whatever is unresolved does not come back."""
    announced_wait: AnnouncedWait | None = None
    """What customers are told on joining the queue. None: nothing."""
    callback: Callback | None = None
    """Who may hang up, keep the place in the queue and be called. None: nobody. They count for
    `queue_limit`, and hold no line."""
    queue_limit: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """The most customers who may wait; whoever comes beyond is blocked. None: no limit."""
    line_group: Name | None = None
    """The lines that its customers need. None: there are always enough."""
    at_closing: Literal["serve", "clear", "carry_over"] = "serve"
    """Who still waits when it closes is served out, or cleared: disconnected unanswered, or carried
    over: keeps the place in the queue, and nobody stays longer for that."""
    agent_choice: AgentChoice = "longest_idle"
    """Which of several free agents of equal priority gets it: who has been idle for longest, who
    has handled the least so far, anyone, or the first in the order of the plan."""
    head_start: Duration = 0
    """Moves the contact this far ahead in the queue, as if it had arrived earlier."""
    ageing: Annotated[float, Field(ge=0, le=100)] = 1.0
    """How fast it gains on others of equal priority while it waits: 2 counts every minute twice, 0
    leaves it at its head start."""
    service_level: ServiceLevelRule = ServiceLevelRule()
    """The service-level formula; every output names it."""
    targets: tuple[TargetSentence, ...] = ()
    """The promises: `80% answered within 20 s, over each day`."""
    interval_floor: PartOfAll = 0.0
    """A guard: no interval is staffed for less than this service level (by the formula)."""

    def works(self) -> Iterator[tuple[tuple[str, ...], HandleDistribution | None]]:
        """Each field that says how long work or a delay takes, by its path."""
        yield ("talk_time",), self.talk_time
        yield ("wrap_up",), self.wrap_up
        yield ("redial", "delay"), self.redial.delay if self.redial else None
        yield ("repeat", "delay"), self.repeat.delay if self.repeat else None


class Skill(Given):
    """That an agent group can handle a contact type."""

    priority: Annotated[int, Field(ge=1, le=99)] = 1
    """1 is taken first; among equals who has waited longest, head start included."""
    contact_priority: Annotated[int, Field(ge=1, le=99)] | None = None
    """Where a contact looks for a free agent: a group with 1 first. None: as `priority`."""
    handle_time: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    """Handle time of this group as a multiple of the contact type's: 1.15 is slower."""
    resolution: Share = 1.0
    """The share of contacts that settle the matter; the others lead to a `repeat`."""
    transfer: Transfer | None = None
    """Who is passed on to another contact type. None: nobody is."""
    after: Duration = 0
    """Timed overflow: this group gets a contact only once it has waited so long."""
    reserve: Annotated[int, Field(ge=0, le=100_000)] = 0
    """This group takes such a contact only while more than so many of its agents are free, so that
    they are there for others."""


class Untimely(Given):
    """How often agents come late, or leave early, and by how much."""

    share: Share
    """The share of agent-days on which it happens."""
    by: HandleDistribution
    """How much then."""


class Shrinkage(Given):
    """Paid time that is not on the floor, by its named parts."""

    unplanned: PartOfAll = 0.0
    """Absence on the day: scheduled and paid, but not there. Drawn per agent and day."""
    unplanned_day_error: RandomFactor | None = None
    """A shared factor on absence: some days many are ill."""
    log_in: Annotated[Duration, Field(le=4 * HOUR)] = 0
    """Paid minutes at the begin of each shift before the agent is on the floor: starting the
    computer, reading the news. No chance in it."""
    late: Untimely | None = None
    """Who comes late to her shift; log-in follows. Drawn per agent and day. None: nobody."""
    leaves_early: Untimely | None = None
    """Who leaves before her shift ends, with no contact in hand. Drawn per agent and day. None:
    nobody."""
    paid_not_scheduled: PartOfAll = 0.0
    """Leave and training: a share of paid time that is never scheduled; a factor on cost."""


FewTimes = Annotated[float, Field(ge=0.1, le=10)]
UpToTenfold = Annotated[float, Field(ge=0, le=10)]


class Tenure(Given):
    """How long some of the agents have been there, and how they work: new ones, old hands."""

    share: Share
    """The share of the group's agents; those whom no tenure has are plain ones."""
    handle_time: FewTimes = 1.0
    """Their handle time as a multiple of the group's: 1.35 in the first month."""
    resolution: UpToTenfold = 1.0
    """How often they settle a matter, as a multiple of each skill's `resolution`: 0.9 is a tenth
    less often. Nobody settles more than all."""


class Learning(Given):
    """What a group learns while the horizon goes on: coaching, a new tool, a process."""

    start: Day
    """The day on which it starts."""
    lag: Duration = 0
    """How long after the start before anything is felt."""
    ramp: Duration = 0
    """Over how long the effect then grows evenly to its full size; a day has the mean of it."""
    handle_time: FewTimes = 1.0
    """Handle time in the end, as a multiple of what it was: 0.95 is a twentieth less."""
    resolution: UpToTenfold = 1.0
    """How often a matter is settled in the end, as a multiple of each skill's `resolution`. Nobody
    settles more than all."""


class AgentGroup(Given):
    """Agents with the same skills, rules and pay; a partner's team is one too."""

    skills: dict[Name, Skill]
    """The contact types they handle."""
    rate_card: Name
    """How their time or their work is paid."""
    shifts: tuple[Name, ...] = ()
    """The shifts they may work. None: staffed interval by interval (a partner, a first look)."""
    time_zone: str | None = None
    """The IANA name of the place where they work, such as `Asia/Manila`: `starts` and `days` of
    their shifts are by the clocks there, in the scenario and in plan files. Nothing else is. None:
    the scenario's."""
    shrinkage: Shrinkage = Shrinkage()
    """What keeps paid agents off the floor."""
    ring: Annotated[Duration, Field(le=HOUR)] = 0
    """How long it rings before an agent answers: the customer waits on, and may give up."""
    late_break: Literal["keeps_end", "keeps_length"] = "keeps_end"
    """A break that begins late, because a contact was not over, ends as planned, or is as long."""
    tenure: Annotated[dict[Name, Tenure], Field(max_length=20)] = {}
    """How long its agents have been there, by name. Drawn for each agent of a replication, who then
    is the same on all days. None: all are alike."""
    handle_time_spread: Annotated[Share, Field(le=0.9)] = 0.0
    """How far each agent's own handle time lies below or above that of her tenure, evenly: 20% is
    from 0.8 to 1.2 times."""
    learning: Annotated[dict[Name, Learning], Field(max_length=4)] = {}
    """What the group learns over the horizon, by name; several are multiplied."""
    minimum_staff: Annotated[int, Field(ge=0, le=100_000)] = 0
    """The fewest agents on the floor in any interval that is open."""
    maximum_staff: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """The most agents on the floor at once: seats, or a partner's capacity."""
    agents: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """A given number on the floor whenever open: nothing is left to plan for this group."""

    def least_resolution(self, contact_type: str) -> float:
        """How often a matter is settled by whoever of the group settles least, whenever it is."""
        least = min([1.0, *(tenure.resolution for tenure in self.tenure.values())])
        for one in self.learning.values():
            least *= min(1.0, one.resolution)
        return self.skills[contact_type].resolution * least


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
    published: Duration | None = None
    """How long before its first day the plan is published: says which forecast error of
    `gamma_by_lead` holds, on all days. None: no error is given by lead."""
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
    special_days: dict[Name, SpecialDay] = {}
    """Days that are not like their weekday, by name."""
    incidents: dict[Name, Incident] = {}
    """Faults that bring more contacts, by name; a new one goes to the end, so that it leaves the
    others their luck."""
    agent_groups: dict[Name, AgentGroup]
    """Who answers, by name."""
    line_groups: dict[Name, LineGroup] = {}
    """Telephone lines, by name."""
    shifts: dict[Name, Shift] = {}
    """The kinds of shift, by name."""
    rate_cards: dict[Name, RateCard]
    """How agents and partners are paid, by name."""
    planning: Planning = Planning()
    """How the planner searches."""

    def hours(self, contact_type: str) -> OpeningHours:
        """When a contact type is open, special days included."""
        return hours_of(self, contact_type)

    def zone_of(self, group: str) -> str:
        """The time zone by whose clocks the shifts of an agent group start."""
        return self.agent_groups[group].time_zone or self.time_zone

    def next_types(self, contact_type: str) -> set[str]:
        """Contact types at which a request of this one may turn up next."""
        given = self.contact_types[contact_type]
        again = (given.redial, given.repeat)
        found = {one.elsewhere.to for one in again if one is not None and one.elsewhere is not None}
        skills = [g.skills.get(contact_type) for g in self.agent_groups.values()]
        return found | {one.transfer.to for one in skills if one is not None and one.transfer}

    def exchanges(self, contact_type: str) -> bool:
        """Whether requests of other contact types turn up at this one, or of this one at others."""
        coming = (contact_type in self.next_types(other) for other in self.contact_types)
        return bool(self.next_types(contact_type)) or any(coming)

    def targets(self) -> Iterator[tuple[str, Target]]:
        """Each contact type's name with each of its targets, in the order of the file."""
        for name, contact_type in self.contact_types.items():
            for target in contact_type.targets:
                yield name, target


__all__ = ["AgentGroup", "ContactType", "Money", "OpeningHours", "Scenario", "Shift", "Target"]
