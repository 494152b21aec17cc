"""The file itself: numbers that a planner knows by heart, and what in it cannot be true together.

A law can only tell that the program does what the file says. Whether the file says what the planner
meant shows in numbers that she recognises, and in numbers that the file states twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ccsim.experiment.replicate import replicate
from ccsim.performance.sample import Sample
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.scenario.model import Partner, Scenario
from ccsim.simulation.engine import Engine
from ccsim.statistics import Estimate, ratio
from ccsim.verification.centres import Centre, Kind, Pool
from ccsim.verification.lengths import LengthLaw

Floats = NDArray[np.float64]

FEWER, MORE = 0.8, 1.25
"""Volume may be wrong by so much before numbers are said to contradict each other."""
_LOOK, _GLANCE = 10, 2
"""Blocks of a look at the whole centre, and of a glance."""
_BLOCK, _CONTACTS = 16, 30_000
"""Replications of a block at most, and its contacts where that is fewer."""
_SHORT_PATIENCE, _LONG_PATIENCE = 5.0, 3600.0
_SHORT_HANDLE, _LONG_HANDLE = 10.0, 7200.0
_TWICE, _CALLS = 1.7, 8.0
"""An interval stands out that has so many times the contacts of its neighbours, and so many."""


@dataclass(frozen=True)
class Numbers:
    """A contact type in numbers that a planner knows.

    Attributes
    ----------
    contact_type : str
        Which.
    per_day : float
        Requests of a day on which any come.
    busiest : str
        Local date and time of the interval with most work.
    per_hour : float
        Requests an hour then.
    handle_time : float
        Mean, wrap-up included [s].
    load : float
        Work that comes then [erlang].
    patience : float
        The wait at which half of the customers have given up [s]; infinite if fewer ever do.
    gives_up : Estimate
        Share of contacts that give up under the roster, by simulation.
    observed : float or None
        The share that the file says gave up when contacts were counted.
    """

    contact_type: str
    per_day: float
    busiest: str
    per_hour: float
    handle_time: float
    load: float
    patience: float
    gives_up: Estimate
    observed: float | None


@dataclass(frozen=True)
class Finding:
    """Something in the file to look at: what cannot be true together, or is hard to believe."""

    kind: Literal["contradiction", "doubt"]
    about: str
    sentence: str


Look = Callable[[float, StaffingPlan, int], Sample]
"""Simulate the whole centre with so many times the volume, under a roster, so often."""


def read_file(
    centre: Centre, *, seed: int, known_roster: bool, workers: int = 1, engine: Engine = "auto"
) -> tuple[tuple[Numbers, ...], tuple[Finding, ...]]:
    """Numbers that a planner knows, and what contradicts what.

    Parameters
    ----------
    centre : Centre
        The user's centre.
    seed : int
        Of the simulations.
    known_roster : bool
        Whether the roster is one that was worked, so that who gives up under it can be compared
        with what was seen. One made by formula only says what would be.
    workers, engine
        As for `ccsim.experiment.replicate`.
    """
    coming = sum(float(kind.coming.sum()) for kind in centre.kinds)
    size = int(min(max(_CONTACTS / max(coming, 1.0), 1), _BLOCK))

    def look(volume: float, plan: StaffingPlan, blocks: int) -> Sample:
        (sample,) = replicate(
            _with_volume(centre.case, volume), [plan],
            seed=seed, replications=blocks * size, block_size=size, workers=workers, engine=engine,
        )  # fmt: skip
        return sample

    sample = look(1.0, centre.plan, _LOOK)
    numbers = tuple(_numbers(centre.case, kind, sample) for kind in centre.kinds)
    found = [
        *_lengths(centre),
        *_neighbours(centre),
        *(_work_for_more(centre) if known_roster else ()),
        *_against_roster(centre, numbers, look, known_roster=known_roster),
    ]
    return numbers, tuple(found)


def _with_volume(case: Case, factor: float) -> Case:
    if factor == 1:
        return case
    return replace(case, demand={name: factor * each for name, each in case.demand.items()})


def _numbers(case: Case, kind: Kind, sample: Sample) -> Numbers:
    step = case.grid.interval_us / 1e6
    busiest = int(kind.coming.argmax())
    days = np.bincount(case.grid.day, kind.coming)
    return Numbers(
        contact_type=kind.name,
        per_day=float(days[days > 0].mean()),
        busiest=case.grid.labels[busiest],
        per_hour=float(kind.coming[busiest]) * 3600 / step,
        handle_time=kind.handle.mean,
        load=float(kind.coming[busiest]) * kind.handle.mean / step,
        patience=_median(kind.patience),
        gives_up=_gives_up(case.scenario, kind.name, sample),
        observed=kind.given.demand.observed_abandonment,
    )


def _gives_up(scenario: Scenario, name: str, sample: Sample) -> Estimate:
    index = list(scenario.contact_types).index(name)
    gone, offered = (
        sample.blocks(sample.measure(measure)[:, index]).sum(axis=-1)
        for measure in ("abandoned", "offered")
    )
    return ratio(gone, offered)


def _median(law: LengthLaw) -> float:
    """The time at which half have ended [s]."""
    if law.never >= 0.5:
        return float("inf")
    if float(law.longer(np.zeros(1))[0]) <= 0.5:
        return 0.0
    low, high = 0.0, 1.0
    while float(law.longer(np.array([high]))[0]) > 0.5:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        longer = float(law.longer(np.array([middle]))[0]) > 0.5
        low, high = (middle, high) if longer else (low, middle)
    return high


# What is hard to believe.


def _lengths(centre: Centre) -> Iterator[Finding]:
    for kind in centre.kinds:
        handle, patience, name = kind.handle.mean, _median(kind.patience), kind.name
        if not _SHORT_HANDLE <= handle <= _LONG_HANDLE:
            yield Finding(
                "doubt", f"contact_types.{name}.talk_time",
                f"a contact of {name} takes {written(handle)} on average: is the unit right?",
            )  # fmt: skip
        if 0 < patience < _SHORT_PATIENCE or _LONG_PATIENCE < patience < float("inf"):
            yield Finding(
                "doubt", f"contact_types.{name}.patience",
                f"half of the customers of {name} who wait have given up after "
                f"{written(patience)}: is the unit right?",
            )  # fmt: skip
        observed, ever = kind.given.demand.observed_abandonment, 1 - kind.patience.never
        if observed is not None and observed > ever:
            yield Finding(
                "contradiction", f"contact_types.{name}.demand.observed_abandonment",
                f"{observed:.1%} of {name} gave up when they were counted, but by their patience "
                f"no more than {ever:.1%} ever would",
            )  # fmt: skip


def _neighbours(centre: Centre) -> Iterator[Finding]:
    """An interval that has about twice the contacts of both its neighbours."""
    case = centre.case
    for kind in centre.kinds:
        seen: dict[str, float] = {}
        x, day = case.demand[kind.name], case.grid.day
        for place in range(1, x.size - 1):
            before, here, after = x[place - 1 : place + 2].tolist()
            same_day = day[place - 1] == day[place + 1]
            if not (same_day and min(before, after) > 0 and here >= _CALLS):
                continue
            # Twice the larger neighbour too, so that a steep morning is no double count.
            if here > _TWICE * max(before, after):
                seen[case.grid.labels[place]] = here / ((before + after) / 2)
        if seen and len(seen) <= max(case.grid.days, 2):
            label, times = max(seen.items(), key=lambda one: one[1])
            more = f", and {len(seen) - 1} more like it" if len(seen) > 1 else ""
            yield Finding(
                "doubt", f"contact_types.{kind.name}.demand",
                f"{label} has {times:.1f} times the {kind.name} of the intervals beside it{more}: "
                "was it counted twice?",
            )  # fmt: skip


def _work_for_more(centre: Centre) -> Iterator[Finding]:
    for pool in centre.pools:
        load, busiest = pool.load, _most_overloaded(pool)
        if load[busiest] > MORE * pool.agents[busiest]:
            yield Finding(
                "doubt", " + ".join(kind.name for kind in pool.kinds),
                f"{centre.case.grid.labels[busiest]}: work for {load[busiest]:.1f} agents comes "
                f"in, and the roster has {pool.agents[busiest]:.1f} on the floor",
            )  # fmt: skip


def _most_overloaded(pool: Pool) -> int:
    return int((pool.load - MORE * pool.agents).argmax())


# What contradicts what.


def _against_roster(
    centre: Centre, numbers: tuple[Numbers, ...], look: Look, *, known_roster: bool
) -> Iterator[Finding]:
    """Who gave up when contacts were counted, against who gives up under a roster."""
    stated = [one for one in numbers if one.observed is not None]
    if not stated:
        return
    scenario = centre.case.scenario
    seats = _every_seat(centre.case)
    if known_roster:
        fewer, more = look(FEWER, centre.plan, _LOOK), look(MORE, centre.plan, _LOOK)
        for one in stated:
            observed = one.observed or 0.0
            low = _gives_up(scenario, one.contact_type, fewer).lower
            high = _gives_up(scenario, one.contact_type, more).upper
            if not low <= observed <= high:
                yield _contradicts(one, low, high, _fits(centre, one, look, observed < low))
    elif seats is not None:
        fewer = look(FEWER, seats, _LOOK)
        for one in stated:
            low, observed = _gives_up(scenario, one.contact_type, fewer).lower, one.observed or 0.0
            if observed < low:
                yield Finding(
                    "contradiction", f"contact_types.{one.contact_type}.demand",
                    f"even with every seat taken and a fifth fewer contacts {low:.1%} of "
                    f"{one.contact_type} would give up, and the file says that {observed:.1%} did: "
                    "look at volume, handle time, patience and the seats",
                )  # fmt: skip


def _contradicts(one: Numbers, low: float, high: float, fits: float | None) -> Finding:
    percent = 100 * (fits or 0.0)
    would = "" if fits is None else f"; it would fit if {percent:.0f}% as many came"
    return Finding(
        "contradiction",
        f"contact_types.{one.contact_type}.demand",
        f"with this roster {one.gives_up.value:.1%} of {one.contact_type} give up, "
        f"{max(low, 0.0):.1%} to {high:.1%} if volume is wrong by a fifth, and the file says that "
        f"{one.observed or 0.0:.1%} did{would}: look at volume, handle time, patience, and whether "
        "the roster is that of the days counted",
    )


def _fits(centre: Centre, one: Numbers, look: Look, fewer: bool) -> float | None:
    """The multiple of the volume under which the roster loses what the file says; None beyond 4."""
    low, high = (0.01, FEWER) if fewer else (MORE, 4.0)
    scenario, observed = centre.case.scenario, one.observed or 0.0

    def lost(volume: float) -> float:
        return _gives_up(scenario, one.contact_type, look(volume, centre.plan, _GLANCE)).value

    if not fewer and lost(high) < observed:
        return None
    for _ in range(6):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if lost(middle) < observed else (low, middle)
    return float(np.sqrt(low * high))


def _every_seat(case: Case) -> StaffingPlan | None:
    """The roster with every seat taken whenever open; None where some group has no limit."""
    scenario, grid = case.scenario, case.grid
    by_interval = {}
    for name, group in scenario.agent_groups.items():
        card = scenario.rate_cards[group.rate_card]
        limits = [group.agents, group.maximum_staff]
        limits.append(card.capacity if isinstance(card, Partner) else None)
        known = [limit for limit in limits if limit is not None]
        if not known:
            return None
        opens = [grid.opening(scenario.hours(skill)) for skill in group.skills]
        is_open = np.any(opens, axis=0) if opens else np.zeros(grid.intervals, bool)
        by_interval[name] = tuple(int(number) for number in min(known) * is_open)
    return StaffingPlan(by_interval=by_interval)


def written(seconds: float) -> str:
    """A length of time as a planner says it.

    Examples
    --------
    >>> written(1.4), written(210), written(5400)
    ('1.4 s', '3.5 min', '1.5 h')
    """
    if seconds < 90:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.3g} min" if seconds < 5400 else f"{seconds / 3600:.3g} h"
