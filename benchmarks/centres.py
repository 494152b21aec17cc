"""The centres that the benchmarks share, with their plans."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ccsim.demand import quantiles
from ccsim.demand.draw import Draw, draw_replications
from ccsim.demand.keyed import uniform_limit
from ccsim.demand.model import PPM, DemandModel, RepeatModel, compile_demand
from ccsim.plans import StaffingPlan
from ccsim.plans.plan import PlacedBreak, PlacedShift
from ccsim.scenario import Case, Scenario, case_from, read_case
from ccsim.simulation.model import Model, compile_model
from ccsim.staffing import required

SCENARIOS = Path(__file__).parents[1] / "scenarios"
MINUTE = 60_000_000
HOUR = 60 * MINUTE


class Centre(NamedTuple):
    """A case with a plan, compiled."""

    case: Case
    plan: StaffingPlan
    demand: DemandModel
    model: Model


def centre(case: Case, plan: StaffingPlan) -> Centre:
    """A case with a plan, compiled."""
    demand = compile_demand(case)
    return Centre(case, plan, demand, compile_model(case, demand, plan))


def drawn(of: Centre, seed: int = 1, replication: int = 0) -> Draw:
    """One replication's chance."""
    return next(draw_replications(of.demand, seed, [replication], compiled=True))


def first_contacts(draw: Draw, number: int) -> Draw:
    """The same draw with only its first contacts."""
    contacts = draw.contacts
    kept = {field.name: getattr(contacts, field.name)[:number] for field in fields(contacts)}
    return replace(draw, contacts=replace(contacts, **kept))


def _scenario(
    contact_types: Mapping[str, Any],
    groups: Mapping[str, Mapping[str, int]],
    days: int = 1,
    lines: Mapping[str, int] | None = None,
) -> Scenario:
    """A scenario in few words: contact types, and the priorities of each group's skills."""
    return Scenario.model_validate(
        {
            "version": 1,
            "name": "a centre to measure on",
            "currency": "USD",
            "time_zone": "UTC",
            "horizon": {"start": "2026-09-07", "days": days, "begins": "empty"},
            "contact_types": contact_types,
            "line_groups": {name: {"lines": number} for name, number in (lines or {}).items()},
            "agent_groups": {
                name: {
                    "skills": {skill: {"priority": p} for skill, p in skills.items()},
                    "rate_card": "own",
                }
                for name, skills in groups.items()
            },
            "rate_cards": {"own": {"paid_hour": "21 USD"}},
        }
    )


def _exponential(minutes: float) -> dict[str, Any]:
    return {"exponential": {"mean": f"{minutes * 60:.6f} s"}}


def while_open(case: Case, agents: int) -> StaffingPlan:
    """So many agents in the only group, while the first contact type is open."""
    (group,) = case.scenario.agent_groups
    first = next(iter(case.scenario.contact_types.values()))
    levels = agents * case.grid.opening(first.open)
    return StaffingPlan(by_interval={group: tuple(levels.tolist())})


def desk(contact_type: Mapping[str, Any], agents: int, days: int = 1) -> tuple[Case, StaffingPlan]:
    """Calls of one type, and so many agents at a desk while they come."""
    case = case_from(_scenario({"call": contact_type}, {"desk": {"call": 1}}, days))
    return case, while_open(case, agents)


def erlang_a(
    agents: int,
    calls: int,
    per_minute: float | None = None,
    handle: float = 1.0,
    patience: float | None = 2.0,
) -> Centre:
    """M/M/n + M at 96 % load, the patience two handle times, open for at least so many calls.

    Parameters
    ----------
    agents, calls : int
        On the floor all the time; how many calls come, or a few per cent more.
    per_minute : float, optional
        Calls; those of a load of 96 % if not given.
    handle, patience : float
        Means [min]; with a patience of None nobody gives up.
    """
    per_minute = per_minute or 0.96 * agents / handle
    hours = math.ceil((calls + 4 * math.sqrt(calls)) / per_minute / 60)
    days = math.ceil(hours / 24)
    given = {
        "open": "always" if days > 1 else {"all": f"00:00-{hours:02d}:00"},
        "demand": {"rate": f"{per_minute} calls/min"},
        "talk_time": _exponential(handle),
    }
    if patience:
        given["patience"] = _exponential(patience)
    return centre(*desk(given, agents, days))


def bank_week() -> Centre:
    """The shipped week of a bank, staffed by interval as the formulas require."""
    case = read_case(SCENARIOS / "bank_week.yaml")
    row = required(case, compile_demand(case)).row(*case.scenario.contact_types)
    agents = tuple(row.agents.tolist())
    return centre(case, StaffingPlan(by_interval={"phone_team": agents}))


def skills_day() -> Centre:
    """Some 10,000 contacts of three types on one day, four groups, priorities, redials, breaks."""
    types = {
        name: {
            "open": {"all": "07:00-22:00"},
            "demand": {"rate": f"{rate} calls/h"},
            "talk_time": {"lognormal": {"mean": f"{handle} min", "cv": 1.1}},
            "wrap_up": "20 s",
            "patience": _exponential(4),
            "redial": {"probability": "40%", "delay": _exponential(15), "at_most": 3},
            "head_start": head_start,
        }
        for name, rate, handle, head_start in (
            ("sales", 250, 4, "60 s"),
            ("service", 300, 6, "0 s"),
            ("billing", 117, 5, "0 s"),
        )
    }
    groups = {
        "all_round": {"sales": 1, "service": 1, "billing": 1},
        "sellers": {"sales": 1, "service": 2},
        "helpers": {"service": 1, "billing": 2},
        "clerks": {"billing": 1, "service": 2, "sales": 3},
    }
    shifts = [
        PlacedShift(group, start * HOUR, name, 8 * HOUR, _breaks(start * HOUR, wave), agents)
        for group, size in zip(groups, (10, 6, 10, 4), strict=True)
        for name, start, agents in (("early", 7, size), ("mid", 11, 1), ("late", 14, size))
        for wave in (0, 1)
    ]
    return centre(case_from(_scenario(types, groups)), StaffingPlan(schedule=tuple(sorted(shifts))))


def _breaks(start: int, wave: int) -> tuple[PlacedBreak, ...]:
    """A short break, lunch and another short break, a little later in the second wave."""
    begins = start + wave * 45 * MINUTE
    return tuple(
        PlacedBreak(begins + after * MINUTE, minutes * MINUTE)
        for after, minutes in ((90, 15), (200, 30), (350, 15))
    )


BEHAVIOURS = {
    "lines": "six lines more than agents",
    "overflow": "second choices after 45 s",
    "factors": "handle times × 0.97, second choices × 1.1",
    "repeats": "15 % unresolved",
    "transfers": "5 % passed on to the next contact type",
    "callbacks": "the wait announced, from a minute on 37 % called back",
    "points": "the first contact type ages twice as fast",
    "ring": "3 s before an agent answers",
}


def with_behaviours(of: Centre, *behaviours: str) -> Centre:
    """The same centre with some of `BEHAVIOURS`."""
    demand, model = of.demand, of.model
    skills, access, types = model.skills, model.access, len(model.contact_types)
    second = skills.priority > 1
    if "lines" in behaviours:
        begins, ends = np.sort(model.stretches.start), np.sort(model.stretches.end)
        there = np.arange(1, len(begins) + 1) - np.searchsorted(ends, begins, side="right")
        lines = np.array([there.max() + 6])
        access = replace(access, line_group=np.zeros(types, np.int64), lines=lines)
    if "overflow" in behaviours:
        skills = replace(skills, after=np.where(second, 45 * MINUTE // 60, 0))
    if "factors" in behaviours:
        skills = replace(skills, handle_ppm=np.where(second, 1_100_000, 970_000))
    if "repeats" in behaviours:
        unresolved = np.full(skills.priority.shape, 15 * PPM // 100)
        skills = replace(skills, unresolved_below=uniform_limit(unresolved))
        repeat = RepeatModel(quantiles.exponential(40 * 60), at_most=3)
        given = tuple(replace(one, repeat=repeat) for one in demand.contact_types)
        demand = replace(demand, contact_types=given)
        model = replace(model, repeats=replace(model.repeats, at_most=np.full(types, 3)))
    if "transfers" in behaviours:
        passed_on = np.full(skills.priority.shape, uniform_limit(5 * PPM // 100))
        to = np.broadcast_to((np.arange(types) + 1) % types, passed_on.shape).copy()
        skills = replace(skills, transfer_below=passed_on, transfer_to=to)
        skills = replace(skills, transfers_at_most=np.full_like(passed_on, 2))
    if "callbacks" in behaviours:
        announcing = replace(
            model.announcing,
            estimate=np.zeros(types, np.int64),
            callback_from=np.full(types, MINUTE),
            accepted_below=np.full(types, uniform_limit(37 * PPM // 100)),
            reached_below=np.full(types, uniform_limit(PPM)),
        )
        model = replace(model, announcing=announcing)
    if "points" in behaviours:
        ageing = np.where(np.arange(types) == 0, 2 * PPM, PPM)
        model = replace(model, queueing=replace(model.queueing, ageing=ageing))
    if "ring" in behaviours:
        model = replace(model, ring=np.full_like(model.ring, 3 * MINUTE // 60))
    return of._replace(demand=demand, model=replace(model, skills=skills, access=access))


# Examples of ContactCenters (Universite de Montreal, Apache-2.0, doc/examples).


class Published(NamedTuple):
    """One of its examples: what its result file says of 1,000 days or weeks."""

    name: str
    centre: Centre
    contacts: float
    seconds: float | None

    @property
    def rate(self) -> float | None:
        """Contacts a second, as published; the machine is not named."""
        return self.seconds and 1000 * self.contacts / self.seconds


def published() -> list[Published]:
    """The examples that a scenario can say, and where it says less."""
    return [
        Published("MMC", _eight_hours(None), 2016, 1.56),
        Published("MMCAb", _eight_hours(1.0), 2016, 1.75),
        Published("Telethon", _telethon(), 1000, 1.2),
        Published("SimpleMSK, busyness by type", _simple_msk(), 5208, None),
    ]


def _eight_hours(patience: float | None) -> Centre:
    """MMC and MMCAb: 12 agents, 4.2 calls a minute of 2 minutes, eight hours from empty."""
    return erlang_a(12, 1840, per_minute=4.2, handle=2.0, patience=patience)


def _telethon() -> Centre:
    """Five days, 6 to 10, 12 agents, 50 calls an hour of 10 minutes; two minutes' wait at most.

    On 24 lines; whoever waits at closing is disconnected.
    """
    seconds = np.arange(0.0, 121.0)
    stays = np.exp(-seconds / 120)
    stays[-1] = 0.0
    given = {
        "open": {"all": "06:00-10:00"},
        "demand": {"rate": "50 calls/h"},
        "talk_time": _exponential(10),
        "patience": {"survival": {"file": "stays"}},
        "line_group": "trunk",
        "at_closing": "clear",
    }
    case = case_from(
        _scenario({"call": given}, {"desk": {"call": 1}}, days=5, lines={"trunk": 24}),
        tables={"stays": np.column_stack([seconds, stays])},
    )
    day = (0,) * 12 + (12,) * 8 + (0,) * 28
    return centre(case, StaffingPlan(by_interval={"desk": day * 5}))


def _simple_msk() -> Centre:
    """Three types, two groups, three periods of two hours, each with laws of its own.

    A type in a period is a contact type here, so that the busyness, one factor a day there, is
    drawn for each of them.
    """
    rates = ((4.2, 5.3, 3.2), (5.1, 4.3, 4.8), (6.3, 5.2, 4.8))  # of a type, by period
    talks, patience = (1 / 0.5, 1 / 0.6, 1 / 0.4), (1 / 0.3, 1 / 0.4, 1 / 0.2)
    types = {
        f"type_{kind}_{period}": {
            "open": {"all": f"{2 * period:02d}:00-{2 * period + 2:02d}:00"},
            "demand": {
                "rate": f"{rates[kind][period]} calls/min",
                "forecast_error": {"gamma": {"shape": 28.7}},
            },
            "talk_time": _exponential(talks[period]),
            "patience": _exponential(patience[period]),
        }
        for kind in range(3)
        for period in range(3)
    }
    # A contact goes to its first group with someone free; an agent takes who waits longest.
    groups = {
        "first": {name: 1 for name in types if name[5] in "01"},
        "second": {name: 2 for name in types if name[5] in "12"},
    }
    agents = {"first": (12, 18, 9), "second": (15, 20, 11)}
    plan = {
        name: tuple(np.repeat(levels, 4).tolist()) + (0,) * 36 for name, levels in agents.items()
    }
    return centre(case_from(_scenario(types, groups)), StaffingPlan(by_interval=plan))
