"""What has to fit together across the fields of a scenario: small named checks.

Each check yields a `Problem` for each thing that does not fit. `check_names` reads the raw values,
so that a name that does not exist is found even while other fields are still wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, pairwise
from typing import Any

from ccsim.errors import Problem
from ccsim.scenario.agent_checks import AGENT_CHECKS, agent_remarks
from ccsim.scenario.demand_checks import DEMAND_CHECKS, demand_remarks
from ccsim.scenario.distributions import Component, Stage
from ccsim.scenario.hours import DAY_MINUTES, WEEKDAYS, write_clock
from ccsim.scenario.merge import EMPTY
from ccsim.scenario.model import AgentGroup, InHouse, Money, Partner, Scenario, Shift
from ccsim.scenario.problems import At, Check, FieldPath, did_you_mean, problem_at, unknown_name
from ccsim.scenario.routing_checks import ROUTING_CHECKS, routing_remarks
from ccsim.scenario.units import MICROSECONDS, came, write_duration, write_share
from ccsim.scenario.yaml_reader import Node

SLOT_MINUTES = 5
"""Shifts, breaks and opening hours lie on a grid of these."""
_MINUTE = 60 * MICROSECONDS
_DAY = DAY_MINUTES * _MINUTE
_MOST_STAGES = 12
_SHORTEST_STAGE = MICROSECONDS // 1000


NAMED = (
    "contact_types",
    "special_days",
    "incidents",
    "agent_groups",
    "line_groups",
    "shifts",
    "rate_cards",
)
"""Parts of a scenario that hold names."""


def check(scenario: Scenario, root: Node = EMPTY) -> list[Problem]:
    """Everything that does not fit together in a scenario.

    Parameters
    ----------
    scenario : Scenario
        Its fields are valid one by one.
    root : Node, optional
        The file it was read from, for places.
    """

    def at(path: FieldPath, message: str) -> Problem:
        return problem_at(root, path, message)

    return [problem for each in CHECKS for problem in each(scenario, at)]


def check_names(data: Any, root: Node = EMPTY) -> list[Problem]:
    """Names that are used and do not exist: contact types, shifts, rate cards."""
    problems = []
    for path, word, part, kind in chain(_uses(data), _passed_on(data)):
        known = tuple(_below(data, part))
        if word not in known:
            problems.append(problem_at(root, path, unknown_name(word, known, kind)))
    for part in NAMED:
        folded: dict[str, str] = {}
        for name in _below(data, part):
            first = folded.setdefault(name.casefold(), name)
            if first != name:
                message = f"{name!r} and {first!r} differ only in capitals; rename one"
                problems.append(problem_at(root, (part, name), message))
    return problems


def _below(data: Any, field: str) -> Mapping[str, Any]:
    """What stands below a field, by name; nothing where there are no names."""
    value = data.get(field) if isinstance(data, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _uses(data: Any) -> Iterator[tuple[FieldPath, object, str, str]]:
    """Each name that is used: where, the name, and the part and kind of what it names."""
    for part, field in (
        ("special_days", "contact_types"),
        ("incidents", "contacting"),
        ("agent_groups", "skills"),
    ):
        for name, given in _below(data, part).items():
            for word in _below(given, field):
                yield (part, name, field, word), word, "contact_types", "contact type"
    for name, given in _below(data, "contact_types").items():
        line_group = given.get("line_group") if isinstance(given, Mapping) else None
        if isinstance(line_group, str):
            path = ("contact_types", name, "line_group")
            yield path, line_group, "line_groups", "line group"
    for name, group in _below(data, "agent_groups").items():
        if not isinstance(group, Mapping):
            continue
        here = ("agent_groups", name)
        shifts, card = group.get("shifts"), group.get("rate_card")
        for position, shift in enumerate(shifts if isinstance(shifts, list | tuple) else ()):
            yield (*here, "shifts", position), shift, "shifts", "shift"
        if isinstance(card, str):
            yield (*here, "rate_card"), card, "rate_cards", "rate card"


def _passed_on(data: Any) -> Iterator[tuple[FieldPath, object, str, str]]:
    """The same for contact types at which somebody may turn up next."""
    found: list[tuple[FieldPath, Mapping[str, Any]]] = []
    for name, one in _below(data, "contact_types").items():
        for field in ("redial", "repeat"):
            elsewhere = _below(_below(one, field), "elsewhere")
            found.append((("contact_types", name, field, "elsewhere", "to"), elsewhere))
    for name, group in _below(data, "agent_groups").items():
        for skill, one in _below(group, "skills").items():
            transfer = _below(one, "transfer")
            found.append((("agent_groups", name, "skills", skill, "transfer", "to"), transfer))
    for path, given in found:
        if isinstance(given.get("to"), str):
            yield path, given["to"], "contact_types", "contact type"


def time_zone_exists(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Time zones are those of the IANA database."""
    from zoneinfo import ZoneInfo, available_timezones

    zones: list[tuple[FieldPath, str]] = [(("time_zone",), scenario.time_zone)]
    for name, group in scenario.agent_groups.items():
        if group.time_zone is not None:
            zones.append((("agent_groups", name, "time_zone"), group.time_zone))
    for path, zone in zones:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            known = available_timezones()
            tail = zone.rpartition("/")[2].casefold()
            same = [one for one in sorted(known) if one.rpartition("/")[2].casefold() == tail]
            hint = f"; did you mean {same[0]!r}?" if same else did_you_mean(zone, known)
            yield at(path, f"no time zone {came(zone)}{hint or '; write Europe/Berlin'}")


def days_hold_whole_intervals(scenario: Scenario, at: At) -> Iterator[Problem]:
    """On a day when clocks change, too, the intervals fit."""
    from ccsim.scenario.calendar import lay_grid

    try:
        grid = lay_grid(scenario.horizon, scenario.time_zone)
    except (LookupError, ValueError, OSError):
        return  # the time zone is named by its own check
    for date, start, end in zip(grid.dates, grid.day_starts, grid.day_starts[1:], strict=False):
        if (end - start) % grid.interval_us:
            hours = write_duration(int(end - start))
            message = f"{date} lasts {hours} there, no whole number of intervals; write 30 min"
            yield at(("horizon", "interval"), message)


def opening_hours_on_intervals(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Opening hours begin and end where an interval does."""
    interval = scenario.horizon.interval_us // _MINUTE
    for name, contact_type in scenario.contact_types.items():
        off: dict[str, str] = {}  # each clock time with the first day it is written for
        for weekday, spans in zip(WEEKDAYS, contact_type.open.spans, strict=True):
            for minute in (minute for span in spans for minute in span if minute % interval):
                off.setdefault(write_clock(minute), weekday)
        for clock, day in off.items():
            message = (
                f"{day} {clock} is not on the interval of {interval} min; "
                "move it, or write a finer horizon.interval"
            )
            yield at(("contact_types", name, "open"), message)


def contact_types_are_answered(scenario: Scenario, at: At) -> Iterator[Problem]:
    """There is a contact type, and somebody who can answer it."""
    if not scenario.contact_types:
        yield at(("contact_types",), "write at least one contact type")
    if not scenario.agent_groups:
        yield at(("agent_groups",), "write at least one agent group")
        return
    skilled = {skill for group in scenario.agent_groups.values() for skill in group.skills}
    if skilled - set(scenario.contact_types):
        return  # a misspelt skill is named by check_names
    for name in scenario.contact_types:
        if name not in skilled:
            message = f"nobody can answer it; write 'skills: {{{name}: {{}}}}' in an agent group"
            yield at(("contact_types", name), message)


def groups_have_skills(scenario: Scenario, at: At) -> Iterator[Problem]:
    """An agent group can answer something."""
    for name, group in scenario.agent_groups.items():
        if not group.skills:
            some = next(iter(scenario.contact_types), "sales")
            message = f"no skills; name the contact types it handles, as {{{some}: {{}}}}"
            yield at(("agent_groups", name, "skills"), message)


def demand_is_used(scenario: Scenario, at: At) -> Iterator[Problem]:
    """No field of a demand is written in vain."""
    for name, contact_type in scenario.contact_types.items():
        demand, here = contact_type.demand, ("contact_types", name, "demand")
        if demand.column is not None and demand.rate is not None:
            yield at((*here, "column"), "a constant rate has no column; leave it out")
        if demand.observed_abandonment is not None and not demand.includes:
            message = "is only used with 'includes: [redials]'; write that too, or leave it out"
            yield at((*here, "observed_abandonment"), message)
        others = any(name in scenario.next_types(other) for other in scenario.contact_types)
        others = others or any(name in one.contacting for one in scenario.incidents.values())
        if (demand.scale == 0 or demand.rate == 0) and not others:
            field = "scale" if demand.scale == 0 else "rate"
            message = "nobody ever comes; in a variant take the contact type away with 'null'"
            yield at((*here, field), message)


def work_takes_time(scenario: Scenario, at: At) -> Iterator[Problem]:
    """A constant talk time is more than zero, in stages too."""
    for name, contact_type in scenario.contact_types.items():
        talk = contact_type.talk_time
        stages = [talk] if talk.stages is None else list(talk.stages.values())
        if stages and all(one.constant and one.constant.value == 0 for one in stages):
            yield at(("contact_types", name, "talk_time"), "takes no time; write more than 0 s")


def stages_are_work(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Work has some stages, none of them over before it begins; a delay has none."""
    for name, contact_type in scenario.contact_types.items():
        for path, given in contact_type.works():
            if given is None or given.stages is None:
                continue
            here: FieldPath = ("contact_types", name, *path, "stages")
            if path[-1] == "delay":
                yield at(here, "nobody works during a delay; write one distribution")
            elif not 1 <= len(given.stages) <= _MOST_STAGES:
                message = f"{len(given.stages)} stages; write 1 to {_MOST_STAGES}"
                yield at(here, message)
            for stage, one in given.stages.items():
                parts: list[Stage | Component] = [one, *(one.mixture or {}).values()]
                for part in parts:
                    smooth = part.exponential or part.lognormal or part.weibull
                    if smooth is not None and smooth.mean * one.scale < _SHORTEST_STAGE:
                        message = "is shorter than a millisecond on average; leave it out"
                        yield at((*here, stage), message)


def targets_can_be_kept(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Targets that no plan can miss or none can be shown to keep, and windows that do not fit."""
    for name, contact_type in scenario.contact_types.items():
        seen: set[str] = set()
        for position, target in enumerate(contact_type.targets):
            path: FieldPath = ("contact_types", name, "targets", position)
            said = repr(str(target))
            if str(target) in seen:
                yield at(path, f"{said} stands twice; keep one")
            seen.add(str(target))
            if target.window == "week" and scenario.horizon.days != 7:
                days = scenario.horizon.days
                yield at(path, f"{said}: the horizon has {days} days; write 'over the horizon'")
            if target.threshold == 0 or (target.sense == "at most" and target.value == 0):
                yield at(path, f"{said}: no plan can be shown to keep 0; write a little more")
            elif target.sense == "at least" and target.value in (0, 1):
                yield at(path, f"{said}: write a share between 0% and 100%, neither included")
            if target.share_of_days in (0, 1):
                yield at(
                    path, f"{said}: write a share of days between 0% and 100%, neither included"
                )


def staffing_fits(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Numbers of agents agree with each other and with how the group is paid."""
    for name, group in scenario.agent_groups.items():
        here = ("agent_groups", name)
        most, why = group.maximum_staff, "maximum_staff"
        card = scenario.rate_cards.get(group.rate_card)
        if isinstance(card, Partner):
            yield from _partner_fits(group, card, here, at)
            if most is None or most > card.capacity:
                most, why = card.capacity, f"the capacity of rate card {group.rate_card}"
        if group.agents is not None and group.shifts:
            yield at((*here, "agents"), "given together with shifts; leave out one of them")
        for field in ("agents", "minimum_staff"):
            number = getattr(group, field)
            if number is not None and most is not None and number > most:
                yield at((*here, field), f"{number} is more than {why}, {most}; lower it")


def _partner_fits(group: AgentGroup, card: Partner, here: FieldPath, at: At) -> Iterator[Problem]:
    if group.shifts:
        message = "a partner plans its own shifts; leave shifts out, or use an in-house rate card"
        yield at((*here, "shifts"), message)
    if group.maximum_staff is not None and group.maximum_staff > card.capacity:
        message = (
            f"{group.maximum_staff} is more than the capacity of {group.rate_card}, "
            f"{card.capacity}; lower it"
        )
        yield at((*here, "maximum_staff"), message)


def prices_are_paid(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Every price is above zero and in the scenario's currency."""
    for name, card in scenario.rate_cards.items():
        field = "paid_hour" if isinstance(card, InHouse) else "handled_minute"
        price: Money = getattr(card, field)
        path = ("rate_cards", name, field)
        if price.amount == 0:
            yield at(
                path, f"{price} is free, and free work makes any plan free; write what it costs"
            )
        if price.currency != scenario.currency:
            message = f"{price} is not in the scenario's currency; write it in {scenario.currency}"
            yield at(path, message)


def shifts_lie_on_slots(scenario: Scenario, at: At) -> Iterator[Problem]:
    """Starts, lengths and breaks are whole multiples of five minutes."""
    for name, shift in scenario.shifts.items():
        for path, what, minutes in _times(shift):
            if minutes % SLOT_MINUTES:
                message = f"{what} is not a multiple of {SLOT_MINUTES} min; round it"
                yield at(("shifts", name, *path), message)
        if not shift.days:
            yield at(("shifts", name, "days"), "name at least one weekday")
        if shift.length > _DAY:
            yield at(("shifts", name, "length"), "longer than 24 h; write two shifts")


def _times(shift: Shift) -> Iterator[tuple[FieldPath, str, float]]:
    for start in shift.starts:
        yield ("starts",), write_clock(start), start
    yield ("length",), write_duration(shift.length), shift.length / _MINUTE
    for name, pause in shift.breaks.items():
        yield ("breaks", name, "length"), write_duration(pause.length), pause.length / _MINUTE
        for moment in dict.fromkeys(pause.window):
            yield ("breaks", name, "after"), write_duration(moment), moment / _MINUTE


def breaks_fit_in_shifts(scenario: Scenario, at: At) -> Iterator[Problem]:
    """A break lies inside its shift wherever its window lets it, and meets no other break."""
    for name, shift in scenario.shifts.items():
        for label, pause in shift.breaks.items():
            end = pause.window[1] + pause.length
            if end > shift.length:
                late = write_duration(end)
                whole = write_duration(shift.length)
                message = f"may end {late} after the start, past the shift of {whole}"
                yield at(
                    ("shifts", name, "breaks", label, "after"), f"{message}; let it begin earlier"
                )
        ordered = sorted(shift.breaks.items(), key=lambda item: item[1].window)
        for (first, earlier), (second, later) in pairwise(ordered):
            if earlier.window[1] + earlier.length > later.window[0]:
                until = write_duration(earlier.window[1] + earlier.length)
                message = f"may overlap {first!r}, which may last until {until}; let it begin later"
                yield at(("shifts", name, "breaks", second, "after"), message)


CHECKS: tuple[Check, ...] = (
    time_zone_exists,
    days_hold_whole_intervals,
    opening_hours_on_intervals,
    contact_types_are_answered,
    groups_have_skills,
    demand_is_used,
    *DEMAND_CHECKS,
    *ROUTING_CHECKS,
    work_takes_time,
    stages_are_work,
    targets_can_be_kept,
    staffing_fits,
    *AGENT_CHECKS,
    prices_are_paid,
    shifts_lie_on_slots,
    breaks_fit_in_shifts,
)
"""Every check across fields, in the order of the file."""


def remarks(scenario: Scenario) -> tuple[str, ...]:
    """What is no mistake, yet worth saying: `ccsim show` and `ccsim check` print it."""
    said = []
    horizon = scenario.horizon
    if horizon.begins == "cyclic" and horizon.warm_up > horizon.days * _DAY:
        said.append(
            f"horizon.warm_up {write_duration(horizon.warm_up)} is longer than the horizon; "
            f"{horizon.days * 24} h are simulated and dropped"
        )
    for name, group in scenario.agent_groups.items():
        if group.time_zone is not None and not group.shifts:
            said.append(f"{name}: time_zone says when its shifts start, and it has none")
    for name, contact_type in scenario.contact_types.items():
        if not contact_type.targets:
            said.append(f"{name} has no target: no plan can miss it")
        elif contact_type.patience is not None and not any(
            target.metric == "lost" for target in contact_type.targets
        ):
            said.append(
                f"{name} has no cap on lost customers; add 'at most 5% lost, over each day'"
            )
        redial = contact_type.redial
        if "redials" in contact_type.demand.includes and redial is not None:
            share = redial.probability * (contact_type.demand.observed_abandonment or 0.0)
            said.append(
                f"{name}: the counts hold redials; if {write_share(redial.probability)} of the "
                f"abandoned call again, about {share:.1%} of them; taken out before drawing"
            )
    return (*said, *routing_remarks(scenario), *demand_remarks(scenario), *agent_remarks(scenario))
