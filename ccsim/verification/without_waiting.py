"""Reductions in which nobody waits for an agent: what comes, how long it takes, who gives up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.attendance import expected_agents
from ccsim.demand.model import compile_demand
from ccsim.performance.tally import CONTACT_MEASURES
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import Case
from ccsim.scenario.distributions import PatienceDistribution
from ccsim.scenario.model import Skill
from ccsim.scenario.units import MICROSECONDS
from ccsim.verification.centres import (
    TEAM,
    Centre,
    Kind,
    always,
    bare,
    contacts,
    gone_in_time,
    number,
    once,
    parts_of,
    same_calendar,
    seconds,
    share,
)
from ccsim.verification.lengths import handle_law, in_hand
from ccsim.verification.playing import CONTACTS, Law, Measure, Played, Reduction

Floats = NDArray[np.float64]

_NOBODY = StaffingPlan()
_HOUR = 3600.0


def what_comes(centre: Centre) -> Iterator[Reduction]:
    """The volume of the file, with its forecast error, nobody answering."""
    case = centre.case
    demand = compile_demand(case)
    laws: list[Law] = []
    for index, given in enumerate(demand.contact_types):
        if not float(given.expected.sum()):
            continue
        mean = _mean_requests(case, given.name)
        laws.append(
            number(f"{given.name}: requests of the horizon", mean, contacts("requests", index))
        )
        if (law := _spread_of_forecast(case, given.name, index)) is not None:
            laws.append(law)
    if laws:
        yield Reduction(
            "What comes",
            "your volume with opening hours, special days, incidents and forecast error, "
            "in the blocks of a study",
            "nobody is there to answer, and everybody leaves after a second",
            same_calendar(
                case,
                {
                    name: bare(
                        given,
                        open=given.open,
                        demand=given.demand.model_copy(update={"includes": ()}),
                        patience=PatienceDistribution(constant={"value": "1 s"}),
                    )
                    for name, given in case.scenario.contact_types.items()
                },
                _fresh(case),
                keeps=("incidents", "special_days"),
                ends="cut",
            ),
            _NOBODY,
            tuple(laws),
            stratified=True,
        )


def _fresh(case: Case) -> dict[str, Floats]:
    """What the file counts, without the redials and repeats that it holds."""
    return {given.name: given.fresh for given in compile_demand(case).contact_types}


def _spread_of_forecast(case: Case, name: str, index: int) -> Law | None:
    """Variance of the volume of a day: chance, and what the forecast gets wrong."""
    asked = case.scenario.contact_types[name].demand
    error = asked.forecast_error
    if error is None or error.parts is not None or asked.causes or case.scenario.incidents:
        return None
    day = case.grid.day
    mean = np.bincount(day, _fresh(case)[name])
    variance = float((mean + mean**2 / error.shape(case.scenario.horizon.published)).sum())
    requests = _by_interval("requests", index)
    return number(
        f"{name}: spread of the days ÷ chance and forecast error",
        1.0,
        lambda played: np.array([((np.bincount(day, requests(played)) - mean) ** 2).sum()]),
        lambda _: np.array([variance]),
    )


def _mean_requests(case: Case, name: str) -> float:
    (given,) = (one for one in compile_demand(case).contact_types if one.name == name)
    return float(given.mean_requests.sum())


def endless_agents(centre: Centre) -> Iterator[Reduction]:
    """M(t)/G/∞: volume by interval and handle times of the file, an agent for everybody."""
    case, kinds = centre.case, centre.kinds
    if not kinds:
        return
    grid, step = case.grid, case.grid.interval_us / MICROSECONDS
    cyclic = case.scenario.horizon.begins == "cyclic"
    reduced = same_calendar(
        case,
        {kind.name: bare(kind.given, wrap_up=always(kind.wrap_up)) for kind in kinds},
        {kind.name: kind.coming for kind in kinds},
        ends="drain",
    )
    busy, laws = np.zeros(grid.intervals), []
    least = _part_size(sum(float(kind.coming.sum()) for kind in kinds))
    for index, kind in enumerate(kinds):
        coming, name = kind.coming, kind.name
        laws += [
            _spread_of_days(f"{name}: spread of the volume ÷ chance", coming, index),
            _by_part(
                f"{name}: contacts per interval",
                case,
                coming,
                _by_interval("offered", index),
                least,
            ),
            seconds(
                f"{name}: mean handle time",
                kind.handle.mean,
                contacts("handle_time", index),
                contacts("answered", index),
            ),
            Law(
                f"{name}: has to wait",
                np.zeros(1),
                _waits(index),
                contacts("offered", index),
                unit="%",
                allowed=False,
            ),
        ]
        before = compile_demand(reduced).warm_up_intervals if cyclic else 0
        came = np.concatenate([coming[len(coming) - before :], coming])
        hand = in_hand(kind.handle, step, came.size) / step
        hand = hand[: int(np.searchsorted(hand.cumsum(), hand.sum() * (1 - 1e-14))) + 1]
        busy += np.convolve(came, hand)[before : came.size]
    # Outside a cyclic week the last interval holds what is done after it.
    last = grid.intervals if cyclic else grid.intervals - 1
    work = np.sum([kind.coming for kind in kinds], axis=0)
    if last and float(busy[:last].sum()):
        laws.append(
            _by_part("agents busy in an interval", case, busy, _handling, least, work, last)
        )
    peak = float(max(np.sum([k.coming * k.handle.mean for k in kinds], axis=0))) / step
    enough = int(np.ceil(peak + 10 * np.sqrt(peak) + 25))
    yield Reduction(
        "An agent for everybody",
        "your volume by interval and your handle times",
        "agents without end, forecast exact, wrap-up always of its mean length",
        reduced,
        StaffingPlan(by_interval={TEAM: (enough,) * grid.intervals}),
        tuple(laws),
    )


def _part_size(contacts_of_horizon: float) -> float:
    """Contacts that a part must expect, so that the sums of all replications are hardly skewed."""
    replications = max(CONTACTS / max(contacts_of_horizon, 1.0), 1.0)
    return 10_000 / min(replications, 1280)


def _by_interval(measure: str, index: int) -> Measure:
    row = CONTACT_MEASURES.index(measure)
    return lambda played: played.tally.contacts[row, index].astype(np.float64)


def _handling(played: Played) -> Floats:
    return np.asarray(played.tally.group_measure("handling")[0] / played.model.interval_us)


def _by_part(
    name: str,
    case: Case,
    exact: Floats,
    measure: Measure,
    least: float,
    contacts_expected: Floats | None = None,
    last: int | None = None,
) -> Law:
    """A law for each part of the horizon in which enough contacts come."""
    expected = (exact if contacts_expected is None else contacts_expected)[:last]
    parts = parts_of(expected, least)
    labels = case.grid.labels
    begins = np.array([part.start for part in parts])
    lengths = np.array([part.stop - part.start for part in parts])

    def by_part(played: Played) -> Floats:
        return np.asarray(np.add.reduceat(measure(played)[:last], begins) / lengths)

    return Law(
        name,
        np.add.reduceat(exact[:last], begins) / lengths,
        by_part,
        once,
        places=tuple(f"from {labels[part.start]}" for part in parts),
    )


def _spread_of_days(name: str, coming: Floats, index: int) -> Law:
    """Variance of the volume of a horizon ÷ its mean: 1 where chance is Poisson's."""
    mean, offered = float(coming.sum()), contacts("offered", index)
    return Law(
        name,
        np.ones(1),
        lambda played: (offered(played) - mean) ** 2,
        lambda _: np.array([mean]),
    )


def _waits(index: int) -> Measure:
    def count(played: Played) -> Floats:
        log = played.log
        mine = (log.contact_type == index) & (log.arrival >= 0)
        return np.array([float((mine & (log.left_queue > log.arrival)).sum())])

    return count


def nobody_there(centre: Centre) -> Iterator[Reduction]:
    """Everybody who is not endlessly patient gives up: patience and redials by themselves."""
    case = centre.case
    kinds = [kind for kind in centre.kinds if kind.patience.never < 1]
    if not kinds:
        return
    warm_up = case.grid.end
    laws: list[Law] = []
    for index, kind in enumerate(kinds):
        name, leave = kind.name, 1 - kind.patience.never
        offered = contacts("offered", index)
        gone = contacts("abandoned", index)
        law = kind.patience
        laws += [
            seconds(f"{name}: mean patience", law.mean, contacts("wait_all", index), gone),
            share(
                f"{name}: gone within {kind.threshold:g} s",
                1 - float(law.longer(np.array([kind.threshold]))[0]),
                gone_in_time(index),
                offered,
            ),
        ]
        redial = kind.given.redial
        if redial is not None and _soon_over(kind, case, warm_up):
            again = leave * redial.probability
            attempts = sum(again**n for n in range(redial.at_most + 1))
            requests = contacts("requests", index)
            laws.append(number(f"{name}: attempts per request", attempts, offered, requests))
    yield Reduction(
        "Nobody there",
        "your volume, your customers' patience, and who calls again and when",
        "no agent at all: everybody gives up; always open, forecast exact",
        same_calendar(
            case,
            {
                kind.name: bare(kind.given, patience=kind.given.patience, redial=kind.given.redial)
                for kind in kinds
            },
            {kind.name: kind.coming for kind in kinds},
            **_round(warm_up),
        ),
        _NOBODY,
        tuple(laws),
    )


def _round(warm_up: int) -> dict[str, Any]:
    """A warm-up as long as the horizon: what is cut at its end came over its begin."""
    return {"begins": "cyclic", "warm_up": warm_up, "ends": "drain"}


def _soon_over(kind: Kind, case: Case, warm_up: int) -> bool:
    """Whether a chain of redials is over within the warm-up, but for next to nothing."""
    redial = kind.given.redial
    if redial is None:
        return False
    delay = handle_law(redial.delay, case.tables)
    chain = redial.at_most * (kind.patience.mean + delay.mean)
    return bool(max(delay.cv, kind.patience.cv) < 3 and 10 * chain < warm_up / MICROSECONDS)


def as_counted(centre: Centre) -> Iterator[Reduction]:
    """Redials backed out of the count, and played again: the count of the file must come back."""
    case, warm_up = centre.case, centre.case.grid.end
    kinds = [
        kind
        for kind in centre.kinds
        if kind.given.demand.includes == ("redials",) and _soon_over(kind, case, warm_up)
    ]
    if not kinds:
        return
    types, tables = {}, {}
    for kind in kinds:
        asked = kind.given.demand.model_copy(update={"forecast_error": None, "causes": {}})
        table = f"observed abandonment of {kind.name}"
        tables[table] = np.array([[0.0, 1 - (asked.observed_abandonment or 0.0)]])
        gives_up = PatienceDistribution(survival={"file": table, "tail": "never"})
        types[kind.name] = bare(
            kind.given, demand=asked, patience=gives_up, redial=kind.given.redial
        )
    yield Reduction(
        "The count comes back",
        "your counts, the share that gave up when they were taken, and who calls again",
        "exactly that share gives up, and at once; always open, forecast exact",
        same_calendar(
            case,
            types,
            {kind.name: case.demand[kind.name] for kind in kinds},
            tables=tables,
            **_round(warm_up),
        ),
        _NOBODY,
        tuple(
            number(
                f"{kind.name}: contacts as counted",
                float(case.demand[kind.name].sum()),
                contacts("offered", index),
            )
            for index, kind in enumerate(kinds)
        ),
    )


def not_settled(centre: Centre) -> Iterator[Reduction]:
    """Who contacts again because the matter was not settled, everybody answered at once."""
    case, warm_up, resolution = centre.case, centre.case.grid.end, dict[str, float]()
    for name, given in case.scenario.contact_types.items():
        settles = [
            group.skills[name].resolution
            for group in case.scenario.agent_groups.values()
            if name in group.skills
        ]
        if given.repeat is None or not settles or min(settles) == 1:
            continue
        delay = handle_law(given.repeat.delay, case.tables)
        if delay.cv < 3 and 10 * given.repeat.at_most * delay.mean < warm_up / MICROSECONDS:
            resolution[name] = min(settles)
    kinds = [kind for kind in centre.kinds if kind.name in resolution]
    if not kinds:
        return
    step = case.grid.interval_us / MICROSECONDS
    laws = []
    for index, kind in enumerate(kinds):
        again = 1 - resolution[kind.name]
        most = kind.given.repeat.at_most if kind.given.repeat else 0
        repeats = sum(again**n for n in range(1, most + 1))
        laws.append(
            number(
                f"{kind.name}: repeat contacts per request",
                repeats,
                contacts("repeats", index),
                contacts("requests", index),
            )
        )
    most_load = sum(
        float(kind.coming.max()) * kind.handle.mean / step * _attempts(kind, resolution)
        for kind in kinds
    )
    enough = int(np.ceil(most_load + 10 * np.sqrt(most_load) + 25))
    yield Reduction(
        "Not settled",
        "your volume, how often a contact settles the matter, and who contacts again and when",
        "everybody is answered at once by the group that settles least; always open",
        same_calendar(
            case,
            {kind.name: bare(kind.given, repeat=kind.given.repeat) for kind in kinds},
            {kind.name: kind.coming for kind in kinds},
            skills={
                kind.name: Skill().model_copy(update={"resolution": resolution[kind.name]})
                for kind in kinds
            },
            **_round(warm_up),
        ),
        StaffingPlan(by_interval={TEAM: (enough,) * case.grid.intervals}),
        tuple(laws),
    )


def _attempts(kind: Kind, resolution: dict[str, float]) -> float:
    most = kind.given.repeat.at_most if kind.given.repeat else 0
    return float(sum((1 - resolution[kind.name]) ** n for n in range(most + 1)))


def absent_agents(centre: Centre) -> Iterator[Reduction]:
    """Hours on the floor of the plan itself, absence taken off."""
    case, plan = centre.case, centre.plan
    scenario, grid = case.scenario, case.grid
    hours = {
        name: float(agents.sum()) * grid.interval_us / (_HOUR * MICROSECONDS)
        for name, agents in expected_agents(plan, case).items()
        if agents.any()
    }
    if not hours:
        return
    laws = []
    for index, (name, group) in enumerate(scenario.agent_groups.items()):
        if name in hours:
            law = number(f"{name}: hours on the floor", hours[name], _on_the_floor(index))
            lost = group.shrinkage
            chance = bool(lost.unplanned or lost.late or lost.leaves_early)
            laws.append(replace(law, allowed=chance))
    quiet = {name: bare(given, open=given.open) for name, given in scenario.contact_types.items()}
    yield Reduction(
        "Who is there",
        "your roster with its breaks, and your absence",
        "no customers",
        same_calendar(
            case,
            quiet,
            {name: np.zeros(grid.intervals) for name in quiet},
            keeps=("agent_groups", "special_days", "line_groups"),
            ends="drain",
        ),
        plan,
        tuple(laws),
        stratified=any(
            group.shrinkage.unplanned_day_error for group in scenario.agent_groups.values()
        ),
    )


def _on_the_floor(index: int) -> Measure:
    def hours(played: Played) -> Floats:
        spent = played.tally.group_measure("on_the_floor")[index].sum()
        return np.array([spent / (_HOUR * MICROSECONDS)])

    return hours
