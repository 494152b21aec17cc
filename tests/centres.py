"""Centres made by chance: small scenarios by hypothesis, and, far faster, models from a seed.

Both mix several contact types, groups and priorities, breaks, absence, redials, head starts and
impatience; many of them on whole steps of time only, so that everything happens at once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ccsim.demand import quantiles
from ccsim.demand.day_factors import DayFactor
from ccsim.demand.draw import NEVER, Contacts, Draw, draw_replication
from ccsim.demand.incidents import IncidentModel
from ccsim.demand.keyed import uniform_limit
from ccsim.demand.model import (
    PPM,
    AbsenceModel,
    CauseModel,
    ContactTypeDemand,
    DemandModel,
    RedialModel,
    RepeatModel,
    UntimelyModel,
    compile_demand,
)
from ccsim.demand.pace import PaceModel
from ccsim.demand.sums import total
from ccsim.demand.table import QuantileTable
from ccsim.performance.tally import Rules, Tally, count, measuring_rules
from ccsim.plans import PlacedBreak, PlacedShift, StaffingPlan
from ccsim.scenario.calendar import Grid
from ccsim.scenario.case import Case, case_from
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.simulation.model import Model, Stretches, compile_model
from ccsim.simulation.reference import run
from ccsim.simulation.rules import CHOICES, Access, Again, Announcing, Queueing, Skills
from tests.oracles import scenario_of

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

minutes = st.integers(1, 12).map(lambda m: f"{m} min")


@dataclass(frozen=True, eq=False, repr=False)
class Played:
    """A centre, a draw, a plan and the log of the day."""

    case: Case
    model: Model
    draw: Draw
    log: ContactLog

    def __repr__(self) -> str:
        ends = Counter(Outcome(value).name for value in self.log.outcome.tolist())
        return f"Played({self.case.scenario!r}, seed={self.draw.seed}, {dict(ends)})"

    @property
    def rules(self) -> Rules:
        return measuring_rules(self.case.scenario)

    @property
    def tally(self) -> Tally:
        return count(self.model, self.log, self.rules)


def in_steps(drawn: Draw, arrivals: int, lengths: int) -> Draw:
    """The same customers, all their times rounded down to whole steps [µs]: ties everywhere."""
    c = drawn.contacts
    arrival = c.arrival // arrivals * arrivals
    patience = np.where(c.patience < NEVER, c.patience // lengths * lengths, NEVER)
    columns = (
        *(c.contact_type, c.interval, c.ordinal),
        *(arrival, c.handle_time // lengths * lengths, patience),
    )
    order = np.lexsort((c.content_id, arrival))
    return replace(drawn, contacts=Contacts(*(column[order] for column in columns)))


@st.composite
def contact_types(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    types: dict[str, dict[str, Any]] = {}
    for name in draw(st.sampled_from([["call"], ["call", "chatty"], ["call", "chatty", "vip"]])):
        first = draw(st.integers(7, 10))
        last = draw(st.sampled_from([first + 2, first + 4, 24]))
        types[name] = {
            "open": {"all": f"{first:02d}:00-{last:02d}:00"},
            "demand": {"rate": f"{draw(st.integers(2, 24))} calls/h"},
            "talk_time": draw(
                st.one_of(minutes, st.just({"lognormal": {"mean": "6 min", "cv": 1.5}}))
            ),
            "head_start": draw(st.sampled_from(["0 s", "2 min", "10 min"])),
        }
        patience = draw(
            st.sampled_from(
                [
                    None,
                    "3 min",
                    "0 s",
                    {"exponential": {"mean": "4 min"}},
                    {"weibull": {"mean": "8 min", "shape": 0.6}},
                ]
            )
        )
        if patience is not None:
            types[name]["patience"] = patience
        types[name] |= draw(limits)
        limited = types[name].keys() & {"queue_limit", "line_group"}
        if (patience is not None or limited) and draw(st.booleans()):
            types[name]["redial"] = {
                "probability": draw(st.sampled_from(["40%", "100%"])),
                "delay": draw(
                    st.sampled_from(["2 min", "45 min", {"exponential": {"mean": "9 min"}}])
                ),
                "at_most": draw(st.integers(1, 3)),
                "clock": draw(st.sampled_from(["calendar", "opening"])),
            }
        if draw(st.booleans()):
            types[name]["repeat"] = draw(repeats)
    return types


limits = st.fixed_dictionaries(
    {},
    optional={
        "wrap_up": st.sampled_from(["1 min", {"exponential": {"mean": "2 min"}}]),
        "queue_limit": st.sampled_from([0, 1, 3]),
        "line_group": st.just("main"),
        "at_closing": st.just("clear"),
        "agent_choice": st.sampled_from(CHOICES),
    },
)
"""Who gets in, who must leave and who answers; a contact type's lines are the only ones."""

repeats = st.fixed_dictionaries(
    {
        "delay": st.sampled_from(["2 min", "1 h", {"exponential": {"mean": "9 min"}}]),
        "at_most": st.integers(1, 3),
        "clock": st.sampled_from(["calendar", "opening"]),
    }
)

skills = st.fixed_dictionaries(
    {"priority": st.integers(1, 2)},
    optional={
        "handle_time": st.sampled_from([0.5, 1.15, 2]),
        "resolution": st.sampled_from(["0%", "60%"]),
        "after": st.sampled_from(["1 min", "3 min", "20 s"]),
        "reserve": st.integers(1, 2),
    },
)


@st.composite
def shifts(draw: st.DrawFn, group: str, days: int) -> PlacedShift:
    start = draw(st.integers(0, days - 1)) * DAY + draw(st.integers(12, 44)) * 30 * MINUTE
    length = draw(st.integers(2, 20)) * 30 * MINUTE
    breaks, begin = [], start
    for _ in range(draw(st.integers(0, 2))):
        begin += draw(st.integers(1, 6)) * 15 * MINUTE
        pause = draw(st.sampled_from([1, 5, 15, 30])) * MINUTE
        if begin + pause < start + length:
            breaks.append(PlacedBreak(begin, pause))
            begin += pause
    return PlacedShift(group, start, "any", length, tuple(breaks), draw(st.integers(0, 3)))


@st.composite
def played(draw: st.DrawFn) -> Played:
    types = draw(contact_types())
    groups = {
        name: draw(st.dictionaries(st.sampled_from(sorted(types)), skills, min_size=1))
        for name in draw(st.sampled_from([["desk"], ["desk", "back"]]))
    }
    horizon = draw(
        st.sampled_from(
            [
                {"begins": "empty"},
                {"begins": "empty", "days": 2},
                {"begins": "cyclic", "warm_up": "1 day", "days": 2},
                {"begins": "cyclic", "warm_up": "90 min"},
                {"begins": "cyclic", "warm_up": "0 s"},
            ]
        )
    )
    case = case_from(
        scenario_of(
            types,
            groups,
            lines={"main": draw(st.integers(1, 5))},
            differ=draw(
                st.sampled_from(
                    [
                        {},
                        {
                            "tenure": {
                                "new": {"share": "40%", "handle_time": 1.35, "resolution": 0.7},
                                "old": {"share": "30%", "handle_time": 0.8, "resolution": 1.2},
                            },
                            "handle_time_spread": "20%",
                            "learning": {
                                "coaching": {
                                    "start": "2026-09-06",
                                    "ramp": "3 d",
                                    "handle_time": 0.9,
                                    "resolution": 1.3,
                                }
                            },
                        },
                    ]
                )
            ),
            ends=draw(st.sampled_from(["drain", "cut"])),
            shrinkage=draw(
                st.sampled_from(
                    [
                        {},
                        {"unplanned": "30%", "unplanned_day_error": {"gamma": {"shape": 2}}},
                        {
                            "unplanned": "10%",
                            "log_in": "5 min",
                            "late": {"share": "50%", "by": {"exponential": {"mean": "40 min"}}},
                            "leaves_early": {"share": "40%", "by": "30 min"},
                        },
                    ]
                )
            ),
            **horizon,
        )
    )
    days = case.grid.days
    schedule: list[PlacedShift] = []
    by_interval: dict[str, tuple[int, ...]] = {}
    for group in groups:
        if draw(st.booleans()):
            schedule += draw(st.lists(shifts(group, days), max_size=4))
        else:
            level = draw(st.lists(st.integers(0, 3), min_size=12, max_size=12))
            by_interval[group] = tuple(np.resize(np.repeat(level, 4), case.grid.intervals).tolist())
    demand = compile_demand(case)
    plan = StaffingPlan(tuple(sorted(schedule)), by_interval)
    model = compile_model(case, demand, plan)
    drawn = draw_replication(demand, draw(st.integers(0, 99)), draw(st.integers(0, 40)))
    if draw(st.booleans()):
        drawn = in_steps(drawn, MINUTE, MINUTE)
    return Played(case, model, drawn, run(model, drawn))


# Straight from a seed: to write, check and compile a scenario takes far longer than to play it.


class Tables(NamedTuple):
    """How long things last: not at all, constants and atoms that tie, gaps, for ever, smoothly."""

    lengths: tuple[QuantileTable, ...]
    patience: tuple[QuantileTable, ...]
    factors: tuple[DayFactor | None, ...]


@cache
def tables() -> Tables:
    nothing, never = quantiles.constant(0), quantiles.constant(float("inf"))
    minute, three = quantiles.constant(60), quantiles.constant(180)
    rows = [0.0, 30.0, 180.0, 600.0], [0.95, 0.8, 0.3, 0.1]
    return Tables(
        lengths=(
            *(nothing, minute, three, quantiles.constant(3600)),
            quantiles.mixture([0.3, 0.4, 0.3], [nothing, minute, three]),
            quantiles.lognormal(200, 1.5),
            quantiles.empirical([5, 60, 60, 240, 900, 2000], [0, 0.2, 0.5, 0.5, 0.9, 1]),
            total([minute, quantiles.mixture([0.6, 0.4], [nothing, quantiles.exponential(90)])]),
        ),
        patience=(
            *(nothing, never, minute, three),
            quantiles.mixture([0.2, 0.5, 0.3], [nothing, three, never]),
            quantiles.exponential(150),
            quantiles.survival(*rows),
            quantiles.survival(*rows, tail="never"),
        ),
        factors=(
            *(None, DayFactor(quantiles.unit_gamma(4))),
            DayFactor(quantiles.unit_gamma(4), shared=0.6),
            DayFactor(quantiles.unit_gamma(9), shared=0.3, parts=(480, 960), correlation=0.5),
        ),
    )


def some_demand(chance: np.random.Generator) -> DemandModel:
    """Up to five contact types and groups on a few short days, seldom very busy."""

    def one_of(choices: Any, p: Any = None) -> Any:
        return choices[chance.choice(len(choices), p=p)]

    days, of_day = one_of([1, 2, 3]), one_of([3, 4, 6, 8])
    intervals = days * of_day
    # In intervals of 7 µs even what is drawn ties.
    interval_us = one_of([7, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE], [0.1, 0.2, 0.45, 0.25])
    warm_up = one_of([0, 0, 1, int(chance.integers(intervals + 1))])
    lengths, patience, factors = tables()

    groups = int(chance.integers(1, 6))

    def contact_type(name: str) -> ContactTypeDemand:
        contacts = one_of([0.3, 1, 3, 60], [0.45, 0.35, 0.18, 0.02])
        redial = RedialModel(
            one_of([0, 1, 300_000, 300_000, 1_000_000]),
            one_of(lengths[:4] + lengths),
            one_of([0, 1, 2, 3, 4, 1, 2, 20]),
        )
        return ContactTypeDemand(
            name=name,
            fresh=contacts * 2 * chance.random(intervals) * (chance.random(intervals) < 0.8),
            volume_factor=one_of(factors),
            talk_factor=one_of(factors),
            talk_time=one_of(lengths),
            wrap_up=one_of(lengths[:2] + lengths[4:6]),
            patience=one_of(patience + patience[1:5]),
            redial=one_of([None, redial, redial]),
            repeat=one_of(
                [None, *[RepeatModel(one_of(lengths[:4] + lengths), one_of([1, 2, 5]))] * 3]
            ),
            **some_changes(chance, intervals, interval_us),
        )

    return DemandModel(
        tuple(contact_type(name) for name in "abcde"[: chance.integers(1, 6)]),
        tuple(
            AbsenceModel(
                *(name, one_of([0, 0, 200_000, 1_000_000]), one_of(factors)),
                log_in=one_of([0, 0, 2 * MINUTE]),
                late=one_of([None, None, UntimelyModel(600_000, one_of(lengths[1:]))]),
                leaves_early=one_of([None, None, UntimelyModel(400_000, one_of(lengths[1:]))]),
            )
            for name in "vwxyz"[:groups]
        ),
        Grid(
            time_zone="UTC",
            start_utc="2026-09-07T00:00:00+00:00",
            interval_us=interval_us,
            day_starts=np.arange(days + 1) * of_day * interval_us,
            day=np.repeat(np.arange(days), of_day),
            weekday=np.zeros(intervals, np.int64),
            minute=np.tile(np.arange(of_day) * (1440 // of_day), days),
            dates=("",) * days,
        ),
        warm_up,
        paces=some_paces(chance, groups, days, -days if warm_up else 0),
    )


def some_paces(
    chance: np.random.Generator, groups: int, days: int, first_day: int
) -> tuple[PaceModel | None, ...]:
    """Tenures, own paces and learning, in some demands for some groups."""
    if chance.random() < 0.6:
        return ()
    multiples = [PPM, PPM, 1_350_000, 333_333, 2_000_001]
    return tuple(
        PaceModel(
            group=name,
            up_to=uniform_limit(np.sort(chance.choice([0, 1, 300_000, 700_000, PPM], 2))),
            tenure=chance.choice(multiples, (2, 3)),
            own=[None, quantiles.uniform(0.5, 1.5)][chance.integers(2)],
            learned=chance.choice(multiples, (2, days - first_day)),
            first_day=first_day,
        )
        if chance.random() < 0.7
        else None
        for name in "vwxyz"[:groups]
    )


def some_changes(chance: np.random.Generator, intervals: int, interval_us: int) -> dict[str, Any]:
    """Causes that are removed and incidents with their notices, in some demands."""
    causes, incidents = [], []
    if chance.random() < 0.2:
        causes.append(CauseModel("slip", 0.2, 0.9, chance.random(intervals)))
    for number, name in enumerate("xyz"[: chance.choice(4, p=[0.7, 0.2, 0.05, 0.05])]):
        begin = chance.integers(0, interval_us, intervals)
        mean = 4 * chance.random(intervals) * (chance.random(intervals) < 0.4)
        incidents.append(
            IncidentModel(
                name,
                number,
                mean,
                begin=np.arange(intervals) * interval_us + begin,
                length=chance.integers(1, interval_us - begin + 1),
                talk_ppm=int(chance.choice([PPM, 1_300_000, 500_001])),
                notice=int(chance.integers(0, intervals * interval_us + 1)),
                saved_ppm=int(chance.choice([0, 400_000, PPM])),
                shut_out=0.0,
            )
        )
    return {"causes": tuple(causes), "incidents": tuple(incidents)}


def some_stretches(
    chance: np.random.Generator, demand: DemandModel, step: int
) -> list[tuple[int, int, int, int, int, bool]]:
    """One agent's stretches: start, end, day, start and end of the shift, and whether it is one."""
    grid = demand.grid
    number = np.arange(-demand.warm_up_intervals, grid.intervals)
    day = grid.day[number % grid.intervals] - np.where(number < 0, grid.days, 0)
    begin = int(number[0]) * grid.interval_us
    in_shift = chance.random() >= 0.3
    if not in_shift:  # by interval: at midnight her stretch goes on, as another day
        there = np.concatenate([[False], chance.random(len(number)) < 0.8, [False]])
        midnight = np.concatenate([[True], np.diff(day) != 0, [True]])
        start = np.flatnonzero(there[1:] & (~there[:-1] | midnight))
        end = np.flatnonzero(there[:-1] & (~there[1:] | midnight))
        days = day[start]
        goes = np.flatnonzero(there[:-1] & ~there[1:])
        ends = begin + goes[np.searchsorted(goes, end)] * grid.interval_us
        start, end = begin + start * grid.interval_us, begin + end * grid.interval_us
    else:  # a shift with up to three breaks, some of no length, some after the horizon
        most = (grid.end + grid.interval_us - begin) // step + 2
        edges = begin + step * np.sort(chance.integers(0, most, 2 * chance.integers(1, 5)))
        start, end = edges[::2], edges[1::2]
        start, end = start[start < end], end[start < end]
        days = np.full(len(start), chance.choice(day))
        ends = np.full(len(start), end.max(initial=begin))
    return [
        (*stretch, int(start[0]), shift_end, in_shift)
        for *stretch, shift_end in zip(
            *(column.tolist() for column in (start, end, days, ends)), strict=True
        )
    ]


def some_skills(chance: np.random.Generator, groups: int, types: int) -> Skills:
    """Who handles what: each behaviour in some centres, for some groups and contact types."""

    def some(values: list[int], often: float = 0.3) -> np.ndarray:
        if chance.random() >= often:
            return np.full((groups, types), values[0])
        return chance.choice(values, (groups, types))

    priority = chance.integers(0, chance.integers(2, 5), (groups, types))
    looks = priority if chance.random() < 0.7 else chance.integers(1, 4, (groups, types))
    unresolved = some([0, 1, 250_000, PPM, PPM], often=0.5)
    return Skills(
        priority=priority,
        contact_priority=np.where(priority > 0, looks, 0),
        handle_ppm=some([PPM, 1_150_000, 333_333, 2_000_001]),
        unresolved_below=uniform_limit(unresolved),
        resolution_ppm=PPM - unresolved,
        after=some([0, 20 * SECOND, MINUTE, 3 * MINUTE]),
        reserve=some([0, 1, 2]),
        transfer_below=uniform_limit(some([0, 1, 400_000, PPM], often=0.5)),
        transfer_to=chance.integers(0, types, (groups, types)),
        transfer_ppm=some([PPM, 0, 333_333, 2_000_001]),
        context_lost=some([0, 20 * SECOND, MINUTE, 1]),
        transfers_at_most=chance.integers(1, 4, (groups, types)),
    )


def some_queueing(chance: np.random.Generator, types: int) -> Queueing:
    """Head starts, ageing, and queues that stand overnight."""
    return Queueing(
        head_start=chance.choice([0, MINUTE, 10 * MINUTE], types, p=[0.6, 0.2, 0.2]),
        ageing=chance.choice([PPM, 0, 333_333, 2_000_000, 7 * PPM], types)
        if chance.random() < 0.3
        else np.full(types, PPM),
        carries_over=chance.random(types) < chance.choice([0, 0, 0.5]),
    )


def some_announcing(chance: np.random.Generator, types: int) -> Announcing:
    """What is told on joining the queue: in most centres nothing."""
    silent = chance.random() < 0.7
    return Announcing(
        estimate=np.full(types, -1) if silent else chance.integers(-1, 2, types),
        per_waiting=chance.choice([0, 20 * SECOND, 3 * MINUTE], types),
        tolerance_ppm=chance.choice([0, 333_333, PPM, 3 * PPM], types),
        callback_from=chance.choice([NEVER, 0, MINUTE, 3 * MINUTE], types),
        accepted_below=uniform_limit(chance.choice([0, 400_000, PPM], types)),
        reached_below=uniform_limit(chance.choice([0, 600_000, PPM], types)),
        dialling=chance.choice([0, 20 * SECOND, MINUTE], types),
    )


def some_again(chance: np.random.Generator, at_most: list[int]) -> Again:
    """Who comes again; some of them elsewhere."""
    types = len(at_most)
    elsewhere = chance.choice([0, 400_000, PPM], types) * (chance.random() < 0.4)
    return Again(
        at_most=np.array(at_most),
        while_open=chance.random(types) < chance.choice([0, 0, 0.5]),
        elsewhere_ppm=elsewhere.astype(np.int64),
        to=chance.integers(0, types, types),
    )


def some_access(chance: np.random.Generator, demand: DemandModel, step: int) -> Access:
    """Who gets in: few lines, short queues, moments at which queues are cleared."""
    types, groups, grid = len(demand.contact_types), int(chance.integers(1, 3)), demand.grid
    begin = -demand.warm_up_intervals * grid.interval_us
    moments = chance.integers(begin // step + 1, grid.end // step + 3, chance.integers(0, 5))
    closing = {(int(moment) * step, int(chance.integers(types))) for moment in moments}
    return Access(
        queue_limit=chance.choice([NEVER, 0, 1, 3], types, p=[0.7, 0.1, 0.1, 0.1]),
        line_group=np.where(chance.random(types) < chance.choice([0, 0.7]), groups - 1, -1),
        lines=chance.integers(1, 6, groups),
        closing=np.array(sorted(closing), np.int64).reshape(-1, 2),
        agent_choice=chance.integers(0, len(CHOICES), types) * (chance.random() < 0.4),
    )


def some_model(chance: np.random.Generator, demand: DemandModel, step: int) -> Model:
    """A few agents on whole steps of time, with skills, opening hours and head starts by chance."""
    given, grid = demand.contact_types, demand.grid
    types, groups = len(given), len(demand.absence)
    agent_group = chance.integers(0, groups, chance.integers(0, 13))
    rows = sorted(
        (start, agent, end, day, *shift)
        for agent in range(len(agent_group))
        for start, end, day, *shift in some_stretches(chance, demand, step)
    )
    start, agent, end, day, shift_start, shift_end, in_shift = (
        np.array(rows, np.int64).reshape(-1, 7).T.copy()
    )
    return Model(
        contact_types=tuple(one.name for one in given),
        groups=tuple(one.group for one in demand.absence),
        skills=some_skills(chance, groups, types),
        access=some_access(chance, demand, step),
        queueing=some_queueing(chance, types),
        announcing=some_announcing(chance, types),
        ring=chance.choice([0, 5 * SECOND, MINUTE, 20 * MINUTE], groups)
        if chance.random() < 0.3
        else np.zeros(groups, np.int64),
        keeps_breaks=chance.random(groups) < chance.choice([0, 0, 0.6]),
        open=chance.random((types, grid.intervals)) < chance.choice([0.7, 1]),
        interval_us=grid.interval_us,
        begin=-demand.warm_up_intervals * grid.interval_us,
        end=grid.end,
        cyclic=demand.warm_up_intervals > 0 or chance.random() < 0.3,
        cut=chance.random() < 0.5,
        redials=some_again(chance, [t.redial.at_most if t.redial else 0 for t in given]),
        repeats=some_again(chance, [t.repeat.at_most if t.repeat else 0 for t in given]),
        agent_group=agent_group,
        stretches=Stretches(
            agent=agent,
            ordinal=chance.integers(0, 3, len(rows)),
            day=day,
            start=start,
            end=end,
            shift_start=shift_start,
            shift_end=shift_end,
            in_shift=in_shift.astype(bool),
            serves_out=chance.random(len(rows)) < 0.4,
        ),
        agents_differ=bool(demand.paces),
    )


def plainly(model: Model) -> Model:
    """The same centre with skills of some priority, patience and redials, and nothing else."""
    skills, types = model.skills, len(model.contact_types)
    no, none = np.zeros_like(skills.priority), np.zeros(types, np.int64)
    whole, endless = np.full(types, PPM), np.full(types, NEVER)
    return replace(
        model,
        skills=replace(
            skills,
            handle_ppm=no + PPM,
            unresolved_below=no,
            resolution_ppm=no + PPM,
            after=no,
            reserve=no,
            transfer_below=no,
        ),
        access=Access(endless, none - 1, none[:0], np.zeros((0, 2), np.int64), none),
        queueing=replace(model.queueing, ageing=whole, carries_over=none.astype(bool)),
        announcing=replace(model.announcing, estimate=none - 1),
        ring=np.zeros_like(model.ring),
        keeps_breaks=np.zeros_like(model.keeps_breaks),
        redials=replace(model.redials, elsewhere_ppm=none),
        repeats=replace(model.repeats, elsewhere_ppm=none),
        agents_differ=False,
    )


def some_rules(chance: np.random.Generator, model: Model) -> Rules:
    """Limits on the wait that whole minutes meet exactly."""
    limits = [0, 20 * SECOND, MINUTE, 3 * MINUTE]
    return Rules(
        tuple(
            tuple(chance.choice(limits, chance.integers(1, 3)).tolist())
            for _ in model.contact_types
        ),
        tuple(chance.choice(limits, len(model.contact_types)).tolist()),
    )


def some_centre(chance: np.random.Generator, drawn: Draw) -> tuple[Model, Draw, Rules]:
    """A centre for a draw, perhaps on whole steps of time, and what it is measured by."""
    interval_us = drawn.demand.grid.interval_us
    arrivals = min(int(chance.choice([1, SECOND, MINUTE, MINUTE, interval_us])), interval_us)
    lengths = min(arrivals, MINUTE)
    model = some_model(chance, drawn.demand, int(chance.choice([lengths, interval_us])))
    if chance.random() < 0.3:
        model = plainly(model)
    return model, in_steps(drawn, arrivals, lengths), some_rules(chance, model)
