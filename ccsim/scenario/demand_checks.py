"""What has to fit together in a demand: special days, incidents, causes and forecast errors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ccsim.errors import Problem
from ccsim.scenario.demand import MOST_INCIDENTS, ForecastError, RandomFactor
from ccsim.scenario.hours import DAY_MINUTES, write_clock
from ccsim.scenario.model import Scenario
from ccsim.scenario.problems import At, Check, FieldPath
from ccsim.scenario.special_days import dates_of, other_days
from ccsim.scenario.units import MICROSECONDS, write_share

_MOST_PARTS = 24


def special_days_are_days(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Something is different on a special day, and no day is special twice."""
    for name, special in scenario.special_days.items():
        here: FieldPath = ("special_days", name)
        if not special.contact_types:
            yield at((*here, "contact_types"), "name the contact types that are different")
        for contact_type, other in special.contact_types.items():
            path = (*here, "contact_types", contact_type)
            if other.open is None and other.like is None and other.scale == 1:
                yield at(path, "nothing is different; write open, like or scale")
            elif other.scale == 0:
                yield at((*path, "scale"), "nobody comes; write 'open: closed' instead")
    for contact_type in scenario.contact_types:
        first: dict[object, str] = {}
        for day, name, _ in other_days(scenario, contact_type):
            if first.setdefault(day, name) != name:
                message = f"{day} is already {first[day]!r} for {contact_type}; keep one of them"
                yield at(("special_days", name, "contact_types", contact_type), message)


def special_hours_on_intervals(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Opening hours of special days begin and end where an interval does."""
    interval = scenario.horizon.interval_us // (60 * MICROSECONDS)
    for name, special in scenario.special_days.items():
        for contact_type, other in special.contact_types.items():
            off = [minute for span in other.open or () for minute in span if minute % interval]
            for minute in dict.fromkeys(off):
                message = (
                    f"{write_clock(minute)} is not on the interval of {interval} min; "
                    "move it, or write a finer horizon.interval"
                )
                yield at(("special_days", name, "contact_types", contact_type, "open"), message)


def incidents_happen(scenario: Scenario, at: At) -> Iterator[Problem]:
    """An incident starts in the horizon, somebody contacts, and a notice comes before all have."""
    first = scenario.horizon.start
    last = first + timedelta(days=scenario.horizon.days - 1)
    for number, (name, incident) in enumerate(scenario.incidents.items()):
        here: FieldPath = ("incidents", name)
        if number == MOST_INCIDENTS:
            yield at(here, f"at most {MOST_INCIDENTS} incidents; put some into a variant")
        if not first <= incident.start.date() <= last:
            message = f"the horizon runs from {first} to {last}; start on one of its days"
            yield at((*here, "start"), message)
        if not any(incident.contacting.values()):
            message = "nobody contacts; write a share of the customers for a contact type"
            yield at((*here, "contacting"), message)
        notice = incident.notice
        if notice is not None and incident.delay == 0 and notice.after >= incident.lasts:
            message = "all have contacted by then; write less than 'lasts', or a delay"
            yield at((*here, "notice", "after"), message)


def causes_are_parts(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Root causes of a contact type bring no more than all of its requests."""
    for name, contact_type in scenario.contact_types.items():
        causes = contact_type.demand.causes
        total = sum(cause.share for cause in causes.values())
        if total > 1 + 1e-9:
            message = (
                f"the shares of the causes add to {write_share(round(total, 9))}; at most 100%"
            )
            yield at(("contact_types", name, "demand", "causes"), message)


def leads_are_given(scenario: Scenario, at: At) -> Iterator[Problem]:
    """The lead of the published plan lies among those for which an error is given."""
    published = scenario.horizon.published
    used = False
    for path, error in _forecast_errors(scenario):
        if error.gamma_by_lead is None:
            continue
        used = True
        here: FieldPath = (*path, "gamma_by_lead")
        leads = [lead for lead, _ in error.by_lead]
        if not leads:
            yield at(here, "write at least one lead: '4 weeks: {shape: 10}'")
        elif len(set(leads)) < len(leads):
            yield at(here, "two leads are equally long; keep one")
        elif published is None:
            message = "say in horizon.published how long before its first day the plan is published"
            yield at(here, message)
        else:
            try:
                error.shape(published)
            except ValueError as problem:
                message = f"{problem}; add a lead, or publish at one of them"
                yield at(("horizon", "published"), message)
    if published is not None and not used:
        message = (
            "is only used with a forecast_error's gamma_by_lead; write that too, or leave it out"
        )
        yield at(("horizon", "published"), message)


def parts_of_day_fit(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Parts of the day begin on intervals, one after the other."""
    interval = scenario.horizon.interval_us // (60 * MICROSECONDS)
    for path, error in _forecast_errors(scenario):
        if error.parts is None:
            continue
        here, begin = (*path, "parts", "begin"), error.parts.begin
        if not begin or len(begin) >= _MOST_PARTS or list(begin) != sorted(set(begin)):
            message = "write one to 23 rising clock times, such as ['12:00', '17:00']"
            yield at(here, message)
        for minute in begin:
            if minute % interval or not 0 < minute < DAY_MINUTES:
                message = (
                    f"{write_clock(minute)} is not on the intervals of {interval} min in a day; "
                    "move it, or write a finer horizon.interval"
                )
                yield at(here, message)


def repeats_can_be_backed_out(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Counts that hold repeats say how many, and somebody repeats."""
    for name, contact_type in scenario.contact_types.items():
        demand, here = contact_type.demand, ("contact_types", name, "demand")
        repeats = "repeats" in demand.includes
        if repeats and contact_type.repeat is None:
            message = "repeats are counted, but there is no 'repeat'; write who contacts again"
            yield at((*here, "includes"), message)
        if demand.observed_resolution is not None and not repeats:
            message = "is only used with 'includes: [repeats]'; write that too, or leave it out"
            yield at((*here, "observed_resolution"), message)


def _forecast_errors(scenario: Scenario) -> Iterator[tuple[FieldPath, ForecastError]]:
    for name, contact_type in scenario.contact_types.items():
        error = contact_type.demand.forecast_error
        if error is not None:
            yield ("contact_types", name, "demand", "forecast_error"), error


DEMAND_CHECKS: tuple[Check, ...] = (
    special_days_are_days,
    special_hours_on_intervals,
    incidents_happen,
    causes_are_parts,
    leads_are_given,
    parts_of_day_fit,
    repeats_can_be_backed_out,
)
"""The checks of this file, in its order."""


def demand_remarks(scenario: Scenario) -> Iterator[str]:
    """What is no mistake, yet has no effect in this horizon."""
    for name, special in scenario.special_days.items():
        if not dates_of(special, scenario.horizon):
            yield f"special day {name}: none of its days lies in the horizon"
    end = scenario.horizon.start + timedelta(days=scenario.horizon.days)
    for name, contact_type in scenario.contact_types.items():
        for cause, given in contact_type.demand.causes.items():
            if given.start + timedelta(microseconds=given.lag) >= end:
                yield f"{name}: the removal of {cause} is not felt before the horizon ends"
    for field, sharing in _sharing(scenario).items():
        if len(sharing) == 1:
            yield f"{sharing[0]}: nobody else shares its {field}"


def _sharing(scenario: Scenario) -> dict[str, list[str]]:
    """Who states a share in a factor, by the field that has it."""
    types, groups = scenario.contact_types, scenario.agent_groups
    factors: dict[str, dict[str, RandomFactor | ForecastError | None]] = {
        "forecast_error": {name: given.demand.forecast_error for name, given in types.items()},
        "talk_time_error": {name: given.talk_time_error for name, given in types.items()},
        "unplanned_day_error": {
            name: given.shrinkage.unplanned_day_error for name, given in groups.items()
        },
    }
    return {
        field: [name for name, factor in named.items() if factor is not None and factor.shared]
        for field, named in factors.items()
    }
