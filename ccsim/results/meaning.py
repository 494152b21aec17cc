"""What a scenario means: the sentences below `ccsim show`."""

from __future__ import annotations

from collections.abc import Iterator
from math import isinf
from typing import TYPE_CHECKING, Any

import numpy as np

from ccsim.demand.table import mean_seconds
from ccsim.performance.words import WEEKDAYS
from ccsim.queueing import FORMULAS_IN_WORDS
from ccsim.results.agent_words import of_a_shift, of_breaks, who_differs
from ccsim.results.demand_words import changes, forecast, special_days, stages
from ccsim.results.routing_words import routing
from ccsim.statistics.writing import plural

if TYPE_CHECKING:
    from ccsim.demand.model import DemandModel
    from ccsim.scenario import Case
    from ccsim.scenario.model import ContactType


def meaning(case: Case, demand: DemandModel) -> dict[str, list[str]]:
    """Sentences by title: time, demand, staff, promises, guards, what is approximate, remarks."""
    from ccsim.scenario import remarks

    told = {
        "Time": _time(case),
        "Demand": _demand(case, demand),
        "Who gets in, and who meets whom": routing(case),
        "Staff: what is left of paid time": _staff(case, demand),
        "Promises as they will be judged": _promises(case),
        "Guards": _guards(case),
        "Approximate or assumed": _approximate(case, demand),
        "Remarks": list(remarks(case.scenario)),
    }
    return {title: lines for title, lines in told.items() if lines}


def day_name(date: str) -> str:
    """Weekday and date of an ISO date, ``Mon 2026-09-07``.

    Examples
    --------
    >>> day_name("2026-09-07")
    'Mon 2026-09-07'
    """
    from datetime import date as calendar_date

    return f"{WEEKDAYS[calendar_date.fromisoformat(date).weekday()]} {date}"


def moment(case: Case, interval: int) -> str:
    """Local day and clock time at which an interval starts."""
    date, clock = case.grid.labels[interval].split(" ")
    return f"{day_name(date)} {clock}"


def _time(case: Case) -> list[str]:
    from ccsim.scenario.units import write_duration

    grid, horizon = case.grid, case.scenario.horizon
    days = plural(grid.days, "day")
    until = "" if grid.days == 1 else f" to {day_name(grid.dates[-1])}"
    lines = [
        f"{day_name(grid.dates[0])}{until}, {days}, {grid.intervals} intervals of "
        f"{horizon.interval}, clock of {grid.time_zone}"
    ]
    for date, length in zip(grid.dates, np.diff(grid.day_starts), strict=True):
        hours = int(length) / 3.6e9
        if hours != 24:
            moved = "forward" if hours < 24 else "back"
            lines.append(f"{day_name(date)} has {hours:g} h: clocks go {moved}")
    lines += special_days(case)
    if horizon.begins == "cyclic":
        dropped = write_duration(min(horizon.warm_up, grid.end))
        lines.append(f"begins cyclic: {dropped} before it are simulated and dropped; shifts wrap")
    else:
        lines.append("begins empty: nobody waits when it starts")
    ends = {
        "drain": "ends by draining: whoever came in time is served by those on the floor",
        "cut": "ends by cutting: everything stops at the end",
    }
    return [*lines, ends[horizon.ends]]


def _demand(case: Case, demand: DemandModel) -> list[str]:
    from ccsim.demand.model import fresh_share

    lines = []
    for given in demand.contact_types:
        name = given.name
        counted, fresh = float(case.demand[name].sum()), float(given.fresh.sum())
        wanted = case.scenario.contact_types[name]
        is_open = case.grid.opening(case.scenario.hours(name))
        load = given.expected * given.handle_seconds / (case.grid.interval_us / 1e6)
        peak = int(load.argmax())
        redials = "redials" in wanted.demand.includes and wanted.redial is not None
        repeats = "repeats" in wanted.demand.includes and wanted.repeat is not None
        backed_out = redials or repeats
        what = (
            f"{counted:,.1f} counted, {fresh:,.1f} fresh" if backed_out else f"{fresh:,.1f} fresh"
        )
        lines.append(f"{name}: {what} contacts over the horizon")
        share = fresh_share(wanted.demand, wanted.redial, wanted.repeat)
        if repeats:
            settled = wanted.demand.observed_resolution or 0
            without = "repeats and redials" if redials else "repeats"
            lines.append(
                f"  fresh = counted × {share:.4f}: {without} are taken out; of those answered "
                f"when they were counted, {settled:.1%} were settled"
            )
        elif redials and wanted.redial is not None:
            again = (wanted.demand.observed_abandonment or 0) * wanted.redial.probability
            lines += [
                f"  fresh = counted × {share:.4f}: {wanted.demand.observed_abandonment or 0:.1%} "
                f"of those counted gave up and {wanted.redial.probability:.0%} of them",
                f"  call again, at most {wanted.redial.at_most} times; with q = {again:.2%} being "
                f"their product, (1 − q) ÷ (1 − q^{wanted.redial.at_most + 1})",
            ]
        lines += [*forecast(case, wanted), *changes(given, wanted)]
        lines.append(
            f"  handle time {given.mean_handle_seconds:.1f} s on average, "
            f"{_patience(mean_seconds(given.patience))}"
        )
        lines += stages(case, wanted)
        while_open = load[is_open]
        if not while_open.any():
            lines.append("  nobody comes while it is open")
        elif np.ptp(while_open) < 1e-9:
            lines.append(f"  offered load {float(while_open[0]):.2f} erlang while open")
        else:
            lines.append(
                f"  offered load {float(while_open.mean()):.2f} erlang on average while open, "
                f"at most {float(load[peak]):.2f} ({moment(case, peak)})"
            )
    return lines


def _patience(seconds: float) -> str:
    if isinf(seconds):
        return "nobody gives up"
    return f"patience {seconds:.1f} s on average"


def _staff(case: Case, demand: DemandModel) -> list[str]:
    from ccsim.economics.paid import paid_chain
    from ccsim.scenario.model import Partner

    lines = []
    paces = dict.fromkeys(case.scenario.agent_groups) | {p.group: p for p in demand.paces if p}
    absence = {given.group: given for given in demand.absence}
    for name, group in case.scenario.agent_groups.items():
        card = case.scenario.rate_cards[group.rate_card]
        if isinstance(card, Partner):
            lines.append(
                f"{name}: a partner, {card.handled_minute} a handled minute, at most "
                f"{card.capacity} agents; {card.minimum:.0%} of the forecast is billed in any case"
            )
            if group.shrinkage.unplanned:
                absent = group.shrinkage.unplanned
                lines.append(f"  100 agents planned → {100 * (1 - absent):.1f} on the floor")
            lines += who_differs(group, paces[name])
            continue
        chain = paid_chain(group)
        on_cost = f" + {card.on_cost:.0%} on top" if card.on_cost else ""
        lines += [
            f"{name}: {chain}",
            f"  an hour on the floor takes {chain.paid_per_floor_hour:.3f} paid hours of "
            f"{card.paid_hour}{on_cost}; "
            + ("breaks lie in the shifts" if group.shifts else "staffed interval by interval"),
            *of_a_shift(absence[name]),
            *of_breaks(group),
            *who_differs(group, paces[name]),
        ]
        lines += _elsewhere(case, name)
    return lines


def _elsewhere(case: Case, name: str) -> Iterator[str]:
    """By whose clock the shifts of a group start, and what that is by the scenario's."""
    from datetime import datetime, time, timedelta

    from ccsim.scenario.hours import write_clock

    scenario, grid = case.scenario, case.grid
    there, here = grid.clock(scenario.zone_of(name)), grid.clock()
    shifts = scenario.agent_groups[name].shifts
    if there == here or not shifts:
        return
    minute = min(min(scenario.shifts[kind].starts) for kind in shifts)
    shown = ""
    said: list[str] = []
    for day in there.dates(grid.end):
        instant = there.instant(datetime.combine(day, time()) + timedelta(minutes=minute))
        if 0 <= instant < grid.end and shown != f"{here.shown(instant):%H:%M}":
            shown = f"{here.shown(instant):%H:%M}"
            since = f" from {day_name(day.isoformat())}" if said else ""
            said.append(f"{shown} by {grid.time_zone}{since}")
    yield (
        f"  shifts start by the clocks of {there.time_zone}: {write_clock(minute)} there is "
        f"{', '.join(said)}"
    )


def _promises(case: Case) -> list[str]:
    from collections import Counter

    from ccsim.performance.promises import promises

    judged = Counter(
        (promise.contact_type, promise.target) for promise in promises(case.scenario, case.grid)
    )
    if not judged:
        return ["none: there is nothing to certify"]
    number = plural(judged.total(), "promise")
    lines = [f"{number}; a plan is certified only if it is shown to keep every one"]
    for (name, target), windows in judged.items():
        spread = f" ({plural(windows, 'day')})" if target.window == "day" else ""
        lines.append(f"{name}: {target}{spread}")
        lines.append(f"  {_judged(case.scenario.contact_types[name], target)}")
    return lines


def _judged(contact_type: ContactType, target: Any) -> str:
    from ccsim.scenario.units import write_share

    ratios = {
        "answered within": FORMULAS_IN_WORDS[contact_type.service_level.formula],
        "lost": "requests that never reach a person ÷ requests",
        "abandoned": "abandoned ÷ offered",
        "average speed of answer": "seconds waited by those answered ÷ answered",
    }
    ratio = ratios[target.metric]
    if target.share_of_days is not None:
        return f"on {write_share(target.share_of_days)} of days or more: {ratio}"
    return f"on average over days like it, sum over sum: {ratio}"


def _guards(case: Case) -> list[str]:
    from ccsim.scenario.units import write_share

    lines, without_floor, without_cap = [], [], []
    for name, given in case.scenario.contact_types.items():
        if given.interval_floor:
            floor = write_share(given.interval_floor)
            lines.append(f"{name}: no interval is staffed for less than {floor} (by formula)")
        else:
            without_floor.append(name)
        caps = [str(target) for target in given.targets if target.metric == "lost"]
        lines += [f"{name}: {cap}" for cap in caps]
        if not caps and given.patience is not None:
            without_cap.append(name)
    if without_cap:
        lines.append(f"no cap on lost customers: {', '.join(without_cap)}")
    if without_floor:
        lines.append(f"no floor for a single interval: {', '.join(without_floor)}")
    for name, group in case.scenario.agent_groups.items():
        if group.minimum_staff:
            lines.append(f"{name}: at least {group.minimum_staff} scheduled while open")
        if group.maximum_staff is not None:
            lines.append(f"{name}: at most {group.maximum_staff} at once")
        if group.agents is not None:
            lines.append(f"{name}: {group.agents} whenever open, nothing to plan")
    return lines


def _approximate(case: Case, demand: DemandModel) -> list[str]:
    scenario = case.scenario
    # Each type is sized by itself too, before any are pooled.
    endless = {isinf(mean_seconds(given.patience)) for given in demand.contact_types}
    formulas = " and ".join(f"Erlang {'C' if each else 'A'}" for each in sorted(endless))
    lines = [
        f"requirement by {formulas}: each interval by itself, as if it lasted for ever; "
        "simulation decides"
    ]
    departures = {
        "the formulas take handle times as exponential; simulation takes them as given": [
            name
            for name, given in scenario.contact_types.items()
            if given.talk_time.exponential is None or given.wrap_up is not None
        ],
        "the formulas take patience as exponential; simulation takes it as given": [
            name
            for name, given in scenario.contact_types.items()
            if given.patience is not None and given.patience.exponential is None
        ],
        "the formulas know nothing of announced waits, callbacks, and who tries another contact "
        "type; simulation does": [
            name
            for name, given in scenario.contact_types.items()
            if given.announced_wait is not None
            or any(again and again.elsewhere for again in (given.redial, given.repeat))
        ],
        "taking redials out of the counts keeps the shape of the day": [
            name
            for name, given in scenario.contact_types.items()
            if "redials" in given.demand.includes
        ],
    }
    lines += [f"{', '.join(names)}: {text}" for text, names in departures.items() if names]
    assumed = list(_assumed(scenario.model_dump(mode="json"), ()))
    if assumed:
        lines.append("assumptions by their source: " + ", ".join(assumed))
    return lines


def _assumed(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Where the scenario itself says that a number is assumed."""
    if not isinstance(value, dict):
        return
    if str(value.get("source") or "").casefold().startswith("assum"):
        yield ".".join(path) or "the whole scenario"
    for key, inner in value.items():
        yield from _assumed(inner, (*path, str(key)))
