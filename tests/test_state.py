"""A run goes on from the state of an instant as the whole run did, number by number."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

from ccsim.demand.draw import INTERVAL_ORIGIN, Contacts, Draw, draw_replications
from ccsim.demand.model import compile_demand
from ccsim.demand.table import NEVER
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import case_from
from ccsim.simulation import engine_compiled, reference
from ccsim.simulation import state as state_module
from ccsim.simulation.laid_out import laid_out
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.simulation.model import Model, compile_model
from ccsim.simulation.state import State, Underway, state_at, still_to_arrive
from ccsim.simulation.state_laid_out import laid_out_from
from tests.behaviour_oracles import chain_of
from tests.centres import HOUR, MINUTE
from tests.equality import Centre, differences, played_by_reference, some_days
from tests.oracles import scenario_of
from tests.test_slips import altered

STRETCHES = ("stretch_came", "stretch_left")


def tail(centre: Centre, state: State) -> ContactLog:
    """What of a whole run's log is not over at an instant.

    Who still waits at the end of a run has waited until its end, which is not before its begin.
    """
    log, instant, given = centre.log, state.instant, centre.log.agent >= 0
    stays = ~given & (log.outcome == Outcome.WAITING)
    rest = (log.arrival >= instant) | stays
    rest |= np.where(given, log.ended, log.left_queue) >= instant
    columns = {f.name: getattr(log, f.name) for f in fields(log)}
    for name in ("left_queue", "taken", "ended"):
        columns[name] = np.where(stays, np.maximum(columns[name], instant), columns[name])
    rows = {name: column[rest] for name, column in columns.items() if name not in STRETCHES}
    left = np.where(over(centre, state), log.stretch_came, log.stretch_left)
    return ContactLog(**rows, stretch_came=log.stretch_came, stretch_left=left)


def over(centre: Centre, state: State) -> np.ndarray:
    """Stretches that were over before the instant: nothing of them is in a run from its state."""
    there = set(np.flatnonzero(state.idle_since < NEVER).tolist())
    there |= set(state.contacts.agent[state.in_hand].tolist())
    now = [state.stretch[agent] for agent in there]
    came = centre.log.stretch_came
    return (came < state.instant) & ~np.isin(np.arange(len(came)), now)


def some_instant(chance: np.random.Generator, model: Model, log: ContactLog) -> int:
    """Any instant of a run, more often than not one at which something happens."""
    happens = np.concatenate(
        [log.arrival, log.taken, log.left_queue, log.ended, log.stretch_came, log.stretch_left]
    )
    most = model.end if model.cut else max(happens.max(initial=model.end), model.end) + 1
    instant = int(chance.integers(model.begin, most))
    happens = happens[(happens >= model.begin) & (happens < most)]
    if len(happens) and chance.random() < 0.6:
        instant = int(chance.choice(happens)) + int(chance.choice([0, 0, 0, 1]))
    return min(instant, most - 1)


def some_states(seed: int, centres: int) -> Iterator[tuple[Centre, State]]:
    """Centres, each with three states of its day."""
    chance = np.random.default_rng(seed)
    days = (day for days in some_days(chance, 4) for day in days)
    for day in islice((day for day in days if len(day.contacts.arrival) < 400), centres):
        centre = played_by_reference(chance, day)
        for _ in range(3):
            instant = some_instant(chance, centre.model, centre.log)
            yield centre, state_at(centre.model, centre.draw, centre.log, instant)


def compared(seed: int, centres: int) -> Counter[str]:
    """Hold runs from a state against the rest of whole runs; what was compared."""
    seen: Counter[str] = Counter()
    for centre, state in some_states(seed, centres):
        model, draw, held = centre.model, centre.draw, state.contacts
        where = f"seed {seed}, state {seen['states']}, instant {state.instant}"
        log = reference.run(model, draw, state=state)
        assert not differences(tail(centre, state), log), where
        assert not differences(log, engine_compiled.run(model, draw, state)), where
        lines = held.talk_ends > -NEVER
        there = {
            "states": True,
            "rows": np.ones(len(log.arrival), bool),
            "waiting": state.waiting,
            "in hand": state.in_hand,
            "to come": state.to_come,
            "to be called back": held.called_back & state.waiting,
            "talking on a line": held.talk_ends >= state.instant,
            "wrapping up without the line": lines & (held.talk_ends < state.instant),
            "ringing": state.in_hand & (held.left_queue >= state.instant),
            "taken at an instant": np.isin(held.ended, state.instant),
            "idle": state.idle_since < NEVER,
            "told of the last wait": state.last_wait > 0,
            "coming back late": np.ones(len(state.back)),
            "breaks that end otherwise": state.otherwise,
            "lasts": state.lasts > state.instant,
        }
        seen.update({name: int(np.sum(where)) for name, where in there.items()})
    return seen


def test_a_run_goes_on_from_any_state_as_the_whole_run_did(record_property: Any) -> None:
    seen: Counter[str] = Counter()
    for seed in range(4):
        seen.update(compared(seed, centres=150))
    record_property("compared", ", ".join(f"{number:,} {what}" for what, number in seen.items()))
    assert min(seen.values()) >= 3, seen


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_thousands_of_runs_go_on_from_a_state_as_the_whole_run_did(seed: int) -> None:
    compared(seed, centres=1000)


def test_the_loop_in_c_goes_on_from_a_state_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    import c_kernel

    if not c_kernel.compiler():
        pytest.skip("no C compiler")
    kernel = None
    for centre, state in some_states(5, centres=60):
        model, draw = centre.model, centre.draw
        kernel = kernel or c_kernel.Kernel("-O1", laid_out(model, draw))
        assert not differences(tail(centre, state), kernel.run(model, draw, state))


def test_a_rule_of_ones_own_goes_on_from_a_state_too() -> None:
    """The longest waiting to the longest idle, where everybody can do everything."""

    def rule(contacts: Any, agents: Any) -> tuple[int, int]:
        return 0, 0

    chance = np.random.default_rng(9)
    days = (day for days in some_days(chance, 4) for day in days)
    for day in islice((day for day in days if len(day.contacts.arrival) < 200), 100):
        centre = played_by_reference(chance, day)
        skills, announcing = centre.model.skills, centre.model.announcing
        everything = np.ones_like(skills.priority)
        model = replace(
            centre.model,
            skills=replace(skills, priority=everything, contact_priority=everything),
            announcing=replace(announcing, estimate=np.full_like(announcing.estimate, -1)),
        )
        log = reference.run(model, day, rule)
        played = Centre(model, day, centre.rules, log, centre.tally)
        state = state_at(model, day, log, some_instant(chance, model, log))
        assert not differences(tail(played, state), reference.run(model, day, rule, state))


class Told(NamedTuple):
    """What a state says of agents, lines and waits."""

    stretch: list[int]
    idle_since: list[int]
    handled: list[int]
    last_wait: list[int]
    free_lines: list[int]


def told_by(state: State, centre: Centre) -> Told:
    begun = laid_out_from(centre.model, still_to_arrive(centre.draw, state), state)
    handled = np.where(state.idle_since < NEVER, state.handled, 0)
    return Told(
        *(state.stretch.tolist(), state.idle_since.tolist(), handled.tolist()),
        *(state.last_wait.tolist(), begun.floor.free_lines.tolist()),
    )


def told_by_the_reference(centre: Centre, instant: int) -> Told:
    """Play until the instant, and look."""
    model = centre.model
    there = reference.Centre(model, centre.draw, None, None)
    if instant > model.begin:
        there.env.run(until=instant)
    over = [sum(end < instant for end in ends) for ends in there.lines.talk_ends]
    idle = [since is not None for since in there.idle_since]
    return Told(
        there.stretch_of,
        [NEVER if since is None else since for since in there.idle_since],
        [handled if here else 0 for handled, here in zip(there.handled, idle, strict=True)],
        there.last_wait,
        [free + more for free, more in zip(there.lines.free, over, strict=True)],
    )


@cache
def the_states(seed: int) -> list[tuple[Centre, State, Told]]:
    """The same for every slip."""
    return [
        (centre, state, told_by_the_reference(centre, state.instant))
        for centre, state in some_states(seed, centres=200)
        if centre.model.varied
    ]


@pytest.mark.parametrize("seed", range(2))
def test_a_state_is_read_off_a_log_as_the_reference_has_it(seed: int) -> None:
    for centre, state, told in the_states(seed):
        assert told_by(state, centre) == told


READ_WRONGLY = {
    "who is taken at the instant is gone": ("(self.off >= instant)", "(self.off > instant)"),
    "who is done at the instant is over": ("(log.ended >= instant)", "(log.ended > instant)"),
    "who gives up at the instant has decided": (
        "(self.off[self.before] < instant)",
        "(self.off[self.before] <= instant)",
    ),
    "idle since she came": (
        "np.maximum(came[stretch[idle]], free_since[idle])",
        "came[stretch[idle]]",
    ),
    "who leaves at the instant is gone": (
        "worked.end[stretch[idle]] >= instant",
        "worked.end[stretch[idle]] > instant",
    ),
    "the last one is the first one": ("last = max(", "last = min("),
    "who was handled is not counted": ("ended - taken)", "ended - ended)"),
    "a line is held until wrap-up is over": ("handle_time - wrap_up)", "handle_time)"),
    "a later attempt takes as long as the first": ("!= log.contact_type[before]:", "== -1:"),
    "context is not lost": ("if log.again[row] & PASSED_ON:", "if False:"),
    "nobody comes back late": ("back.append((until, after))", "pass"),
    "she came as planned": ("came[come] = log.stretch_came[come]", "pass"),
    "nothing lasts": ("if model.cut:", "if True:"),
}


@pytest.mark.parametrize("slip", READ_WRONGLY)
def test_a_slip_in_what_there_is_shows(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "altered", ModuleType("altered"))  # dataclasses look there
    other = altered(state_module, READ_WRONGLY[slip])
    for seed in range(12):
        for centre, state, told in the_states(seed):
            model, draw = centre.model, centre.draw
            wrong = other.state_at(model, draw, centre.log, state.instant)
            if told_by(wrong, centre) != told:
                return
            log = engine_compiled.run(model, draw, wrong)
            if differences(tail(centre, state), log):
                return
    pytest.fail(f"nothing tells that {slip}")


def in_system(model: Model, draw: Draw, instant: int, talking: int, waiting: int) -> State:
    """A centre of one type and one group in which all is memoryless, with so many there.

    What is left of a talk or of a patience is a new one.
    """
    number, agents = talking + waiting, len(model.agent_group)
    key = ((0, -INTERVAL_ORIGIN, ordinal, 0) for ordinal in range(number))
    lengths = [(draw.handle_time(k, 0, instant), draw.patience(k, 0)) for k in key]
    handle_time, patience = np.array(lengths, np.int64).reshape(-1, 2).T
    none, no, held = (
        np.zeros(number, np.int64),
        np.zeros(number, bool),
        np.arange(number) < talking,
    )
    contacts = Underway(
        contact_type=none,
        origin=none,
        interval=none - INTERVAL_ORIGIN,
        ordinal=np.arange(number),
        attempt=none,
        drawn=none,
        arrival=none + instant - 1,
        handle_time=handle_time,
        patience=patience + 1,
        outcome=np.where(held, Outcome.ANSWERED, Outcome.WAITING),
        left_queue=np.where(held, instant - 1, NEVER),
        taken=np.where(held, instant - 1, NEVER),
        ended=np.where(held, instant + handle_time, NEVER),
        agent=np.where(held, np.arange(number), -1),
        last=~no,
        again=np.zeros(number, np.int8),
        unresolved=no,
        called_back=no,
        transferred=no,
        cut=no,
        talk_ends=none - NEVER,
    )
    came, idle_since = model.stretches.start, np.full(agents, NEVER)
    stretch = np.flatnonzero((came < instant) & (model.stretches.end > instant))
    idle_since[talking:] = came[stretch[talking:]]
    return State(
        instant=instant,
        contacts=contacts,
        stretch=stretch,
        came=came,
        otherwise=np.zeros(len(came), bool),
        back=np.zeros((0, 2), np.int64),
        idle_since=idle_since,
        handled=np.zeros(agents, np.int64),
        last_wait=np.zeros(1, np.int64),
        lasts=instant,
    )


@pytest.mark.parametrize(("talking", "waiting"), [(4, 12), (4, 0), (1, 0)])
def test_from_a_number_in_the_system_a_queue_follows_its_law(talking: int, waiting: int) -> None:
    """M/M/4+M for 45 minutes from a number on: who gives up, and the time spent waiting.

    Rates per minute; two figures, three beginnings: |z| > 4.5 comes by chance once in 24,000 runs.
    """
    arrives, served, gives_up, agents, minutes, days = 0.9, 1 / 5, 1 / 8, 4, 45, 600

    def moves(there: int) -> list[tuple[float, int]]:
        queue = max(there - agents, 0)
        leaves = min(there, agents) * served + queue * gives_up
        return [(arrives, there + 1)] * (there < 90) + ([(leaves, there - 1)] if there else [])

    chain = chain_of(talking + waiting, moves)
    _, spent = chain.from_first(minutes)
    queued = chain.mean(spent, lambda there: max(there - agents, 0))  # minutes of waiting
    call = {
        "open": {"all": "00:00-24:00"},
        "demand": {"rate": f"{60 * arrives} calls/h"},
        "talk_time": {"exponential": {"mean": "5 min"}},
        "patience": {"exponential": {"mean": "8 min"}},
    }
    case = case_from(scenario_of({"call": call}))
    demand = compile_demand(case)
    plan = StaffingPlan(by_interval={"desk": (agents,) * case.grid.intervals})
    begin = 14 * HOUR
    end = begin + minutes * MINUTE
    model = replace(compile_model(case, demand, plan), cut=True, end=end)
    found = []
    for draw in draw_replications(demand, 11, range(days), block_size=1, compiled=True):
        state = in_system(model, draw, begin, talking, waiting)
        in_time = draw.contacts.arrival < end
        columns = (getattr(draw.contacts, f.name)[in_time] for f in fields(Contacts))
        log = engine_compiled.run(model, replace(draw, contacts=Contacts(*columns)), state)
        waited = np.minimum(log.left_queue, end) - np.maximum(log.arrival, begin)
        found.append(((log.outcome == Outcome.ABANDONED).sum(), np.maximum(waited, 0).sum()))
    counted = np.array(found) / [1, MINUTE]
    error = counted.std(axis=0, ddof=1) / np.sqrt(days)
    z = (counted.mean(axis=0) - [gives_up * queued, queued]) / error
    assert np.abs(z).max() < 4.5, (z, counted.mean(axis=0), queued)
