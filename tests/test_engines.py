"""One truth in two engines: draws, logs and tallies are equal.

The reference is the specification, so that whatever differs by a microsecond on one centre of
thousands is a bug of its compiled twin.
"""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ccsim.demand import chance_compiled, draw_compiled, keyed, table
from ccsim.demand.chance import Chance
from ccsim.demand.draw import Draw, draw_replication
from ccsim.demand.incidents import FIRST_ORDINAL
from ccsim.demand.model import PPM, compile_demand
from ccsim.errors import CcsimError
from ccsim.experiment.replicate import replicate
from ccsim.performance import tally_compiled
from ccsim.performance.tally import (
    CONTACT_MEASURES,
    GROUP_MEASURES,
    measuring_rules,
)
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import Case, case_from
from ccsim.simulation import (
    agenda_compiled,
    attempts_compiled,
    engine,
    engine_compiled,
    laid_out,
    reference,
    routing_compiled,
)
from ccsim.simulation.attendance import attendance, present
from ccsim.simulation.engine import ENGINES, REFERENCE_SECONDS, chosen
from ccsim.simulation.log import MET, PASSED_ON, REDIAL, Outcome
from ccsim.simulation.model import Model, compile_model
from ccsim.simulation.pace import MOST_PPM, pace
from tests.centres import (
    MINUTE,
    Played,
    in_steps,
    played,
)
from tests.equality import (
    DAYS,
    Centre,
    differences,
    misdrawn,
    played_by_reference,
    small_centres,
    some_days,
)
from tests.oracles import scenario_of
from tests.samples import arrays, unequal


def compared(seed: int, centres: int) -> str:
    """Hold draws, logs and tallies of so many centres against each other; what was compared."""
    chance = np.random.default_rng(seed)
    seen: Counter[str] = Counter()
    for days in islice(some_days(chance), centres // DAYS):
        assert not misdrawn(days), f"seed {seed}, days after centre {seen['centres']}"
        for day in days:
            centre = played_by_reference(chance, day)
            where = f"seed {seed}, centre {seen['centres']}"
            assert not centre.misplayed(), where
            assert not centre.miscounted(), where
            seen["centres"] += 1
            seen["contacts"] += len(centre.log.arrival)
            seen["redials"] += int((centre.log.attempt > 0).sum())
            seen["events at the instant of another"] += centre.ties
    return ", ".join(f"{number:,} {what}" for what, number in seen.items())


# Any centre.


@pytest.mark.parametrize("seed", range(4))
def test_both_engines_give_the_same_numbers(seed: int, record_property: Any) -> None:
    record_property("compared", compared(seed, centres=500))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_both_engines_give_the_same_numbers_on_tens_of_thousands_of_centres(
    seed: int, record_property: Any
) -> None:
    record_property("compared", compared(seed, centres=3000))


def assert_the_same_is_said_of(day: Played) -> None:
    drawn = day.draw
    assert not misdrawn([draw_replication(drawn.demand, drawn.seed, drawn.replication)])
    rules = measuring_rules(day.case.scenario)
    centre = Centre(day.model, drawn, rules, day.log, day.tally)
    assert not centre.misplayed()
    assert not centre.miscounted()


patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(patient, max_examples=100)
@given(played())
def test_both_engines_give_the_same_numbers_on_any_day_of_a_scenario(day: Played) -> None:
    assert_the_same_is_said_of(day)


@pytest.mark.slow
@settings(patient, max_examples=1000)
@given(played())
def test_both_engines_give_the_same_numbers_on_a_thousand_days_of_scenarios(day: Played) -> None:
    assert_the_same_is_said_of(day)


def waited_for(centre: Centre) -> np.ndarray:
    """How long each contact had to wait for the group that answered it [µs]."""
    log, model = centre.log, centre.model
    answered = log.outcome == Outcome.ANSWERED
    after = np.zeros(len(log.arrival), np.int64)
    group = model.agent_group[log.agent[answered]]
    after[answered] = model.skills.after[group, log.contact_type[answered]]
    return after


def pace_of(centre: Centre) -> np.ndarray:
    """Handle time of who answered, as a multiple of her group's, on one of her days."""
    log, model = centre.log, centre.model
    found = np.full(len(log.arrival), PPM)
    for row in np.flatnonzero(log.outcome == Outcome.ANSWERED).tolist():
        stretch = np.flatnonzero(model.stretches.agent == log.agent[row])[0]
        found[row] = pace(model, centre.draw).handle_time[stretch]
    return found


def test_the_centres_compared_have_everything_in_them() -> None:
    """What a comparison says depends on what happens in it."""
    seen: Counter[str] = Counter()
    for centre in small_centres():
        log, model, contacts = centre.log, centre.model, centre.draw.contacts
        stretches, answered = model.stretches, log.outcome == Outcome.ANSWERED
        first = log.attempt == 0
        came = log.stretch_left > log.stretch_came
        worked = attendance(model, centre.draw, present(model, centre.draw))
        early = worked.there & (worked.end < stretches.end)
        late = came & (log.stretch_left > stretches.end)
        happens = {
            **{outcome.name: log.outcome == outcome for outcome in Outcome},
            "answered after a wait": answered & (log.wait > 0),
            "answered at the last moment": (answered & (log.wait > 0))[first]
            & (log.wait[first] == contacts.patience),
            "redial answered": answered & (log.attempt > 0),
            "redial at the instant of another arrival": (log.attempt > 0)
            & np.isin(log.arrival, contacts.arrival),
            "no handle time": answered & (log.ended == log.left_queue),
            "no patience": contacts.patience == 0,
            "endless patience": contacts.patience == table.NEVER,
            "after the shift": late & stretches.ends_shift,
            "a break cut short": late & ~stretches.ends_shift,
            "served out": late & stretches.serves_out,
            "on into the next stretch": (stretches.end[:, None] == stretches.start)
            & (stretches.agent[:, None] == stretches.agent),
            "absent": ~came,
            "late": worked.there & (log.stretch_came > stretches.start),
            "later than a whole stretch": present(model, centre.draw) & ~worked.there,
            "gone early": early,
            "early, with a contact in hand": early & (log.stretch_left > worked.end),
            "early, while open": early & ~worked.serves_out & stretches.serves_out,
            "no agents": len(stretches.start) == 0,
            "no contacts": len(log.arrival) == 0,
            "answered, of an incident": answered & (log.ordinal >= FIRST_ORDINAL),
            "redial, of an incident": (log.attempt > 0) & (log.ordinal >= FIRST_ORDINAL),
            "cut": model.cut,
            "drain": not model.cut,
            "cyclic without warm-up": model.cyclic and model.begin == 0,
            "warm-up": log.arrival < 0,
            "three priorities": model.skills.priority.max(initial=0) > 2,
            "head start": model.queueing.head_start > 0,
            "redial cut": log.cut & ~answered,
            "repeat": log.again == MET,
            "redial of a repeat": log.again == REDIAL | MET,
            "repeat cut": log.cut & answered,
            "unresolved": log.unresolved,
            "another handle time": model.skills.handle_ppm != PPM,
            "an agent who is quicker": answered & (pace_of(centre) < PPM),
            "an agent who is slower": answered & (pace_of(centre) > PPM),
            "answered by overflow": answered & (waited_for(centre) > 0),
            "a reserve": model.skills.reserve > 0,
            "a clock that stands": model.repeats.while_open | model.redials.while_open,
            "ages at another pace": model.queueing.ageing != PPM,
            "carried over": model.queueing.carries_over,
            "looks elsewhere first": model.skills.contact_priority != model.skills.priority,
            "balked": log.outcome == Outcome.BALKED,
            "called back": log.called_back & answered,
            "not reached": log.outcome == Outcome.UNREACHED,
            "rings in vain": (log.agent >= 0) & (log.outcome == Outcome.ABANDONED),
            "rings when the run is cut": (log.agent >= 0) & (log.outcome == Outcome.WAITING),
            "passed on": log.again & PASSED_ON > 0,
            "passing on is cut": log.transferred & log.cut,
            "changes to another contact type": (log.origin != log.contact_type)
            & (log.again & PASSED_ON == 0),
        }
        for name, where in happens.items():
            seen[name] += bool(np.any(where))
    assert min(seen.values()) >= 3, seen


def test_what_stands_twice_is_the_same() -> None:
    """Machine code has its own copies of some constants."""
    assert engine_compiled._NEVER == table.NEVER
    for module in (engine_compiled, tally_compiled):
        assert [vars(module)[f"_{outcome.name}"] for outcome in Outcome] == list(Outcome)
    constants = (keyed._PARITY, table.SIDE, table.TOP // 2, table._END, table._FRACTION)
    names = ("_PARITY", "_SIDE", "_TOP_HALF", "_END", "_FRACTION")
    assert tuple(int(vars(chance_compiled)[name]) for name in names) == constants
    assert draw_compiled._PPM == attempts_compiled._PPM == engine_compiled._PPM == PPM
    assert engine_compiled._MOST_PPM == MOST_PPM


STATE = (laid_out.Centre, laid_out.Rows, laid_out.Floor, laid_out.Agenda)
LAID_OUT = (
    (agenda_compiled, STATE),
    (attempts_compiled, (*STATE, Chance)),
    (draw_compiled, (Chance,)),
    (engine_compiled, (*STATE, Chance)),
    (routing_compiled, (*STATE, Chance)),
)


def test_a_kernel_is_written_anew_when_what_it_takes_from_elsewhere_changes() -> None:
    """Numba keeps machine code as long as the kernel's own file is the same."""
    for module, kinds in LAID_OUT:
        lines = ast.parse(inspect.getsource(module)).body
        names = sorted(
            alias.name for line in lines if isinstance(line, ast.ImportFrom) for alias in line.names
        )
        numbers = [(name, vars(module).get(name)) for name in names]
        numbers = [(name, number) for name, number in numbers if isinstance(number, int)]
        passes = [
            inspect.getsource(sys.modules[line.module])
            for line in lines
            if isinstance(line, ast.ImportFrom) and str(line.module).endswith("_compiled")
        ]
        layout = crc32(repr((numbers, [kind._fields for kind in kinds], passes)).encode())
        assert layout == module._LAYOUT, f"write _LAYOUT = {layout:#x} in {module.__name__}"


def test_rows_of_measures_are_in_their_order() -> None:
    rows = {
        "offered": "_OFFERED",
        "answered": "_TAKEN",
        "abandoned": "_LOST_PATIENCE",
        "short_abandons": "_SHORT",
        "closed": "_SHUT",
        "waiting": "_LEFT",
        "wait_answered": "_WAIT_ANSWERED",
        "wait_all": "_WAIT_ALL",
        "handle_time": "_HANDLE_TIME",
        "requests": "_REQUESTS",
        "lost": "_LOST",
        "redials": "_REDIALS",
        "redials_cut": "_REDIALS_CUT",
        "blocked": "_TURNED_AWAY",
        "cleared": "_DISCONNECTED",
        "unresolved": "_UNSETTLED",
        "repeats": "_REPEATS",
        "repeats_cut": "_REPEATS_CUT",
        "transferred": "_TRANSFERRED",
        "transfers": "_TRANSFERS",
        "balked": "_HUNG_UP",
        "callbacks": "_CALLBACKS",
        "unreached": "_NOT_REACHED",
    }
    assert tuple(rows) == CONTACT_MEASURES
    assert [vars(tally_compiled)[name] for name in rows.values()] == list(range(len(rows)))
    groups = [vars(tally_compiled)[f"_{name.upper()}"] for name in GROUP_MEASURES]
    assert groups == list(range(len(GROUP_MEASURES)))


# Room, calls of the loop, blocks, workers.


def day_of(case: Case, agents: int) -> tuple[Model, Draw]:
    """A day with so many agents round the clock."""
    demand = compile_demand(case)
    plan = StaffingPlan(by_interval={"desk": (agents,) * case.grid.intervals})
    return compile_model(case, demand, plan), draw_replication(demand, 1, 0)


def test_thousands_may_come_and_end_at_one_instant() -> None:
    call = {
        "open": {"all": "09:00-11:00"},
        "demand": {"rate": "4000 calls/h"},
        "talk_time": {"exponential": {"mean": "3 min"}},
        "patience": {"exponential": {"mean": "20 min"}},
        "redial": {"probability": "50%", "delay": "30 min"},
    }
    types = {"call": call, "vip": {**call, "head_start": "30 min"}}
    model, drawn = day_of(case_from(scenario_of(types)), agents=200)
    drawn = in_steps(drawn, model.interval_us, MINUTE)
    log = reference.run(model, drawn)
    assert np.unique(log.arrival, return_counts=True)[1].max() > 3000
    assert np.unique(log.ended[log.outcome == Outcome.ANSWERED]).size < 200
    assert not differences(log, engine_compiled.run(model, drawn))


STORM = {
    "open": {"all": "09:00-12:00"},
    "demand": {"rate": "60 calls/h"},
    "talk_time": "20 min",
    "patience": "0 s",
    "redial": {"probability": "100%", "delay": "1 s"},
}


def test_a_storm_of_redials_finds_room() -> None:
    model, drawn = day_of(case_from(scenario_of({"call": STORM})), agents=1)
    model = replace(model, redials=replace(model.redials, at_most=np.array([50])))
    log = reference.run(model, drawn)
    assert log.attempt.max() == 50
    assert len(log.arrival) > 16 * len(drawn.contacts.arrival)
    assert not differences(log, engine_compiled.run(model, drawn))


@pytest.mark.parametrize("events", [1, 2, 100])
def test_the_loop_goes_on_where_it_was(events: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_compiled, "_EVENTS_AT_A_TIME", events)
    model, drawn = day_of(case_from(scenario_of({"call": STORM})), agents=1)
    assert not differences(reference.run(model, drawn), engine_compiled.run(model, drawn))
    assert not any(centre.misplayed() for centre in small_centres(30))


def test_samples_have_the_same_bytes_with_either_engine_on_one_worker_and_on_two() -> None:
    types = {
        "call": {
            "open": {"all": "08:00-18:00"},
            "demand": {"rate": "20 calls/h", "forecast_error": {"gamma": {"shape": 20}}},
            "talk_time": {"lognormal": {"mean": "4 min", "cv": 1.2}},
            "patience": {"exponential": {"mean": "2 min"}},
            "redial": {"probability": "50%", "delay": "10 min"},
        },
        "vip": {"open": {"all": "08:00-12:00"}, "head_start": "1 min"},
    }
    absent = {"unplanned": "10%", "unplanned_day_error": {"gamma": {"shape": 4}}}
    case = case_from(scenario_of(types, begins="cyclic", warm_up="3 h", shrinkage=absent))
    plans = [StaffingPlan(by_interval={"desk": (n,) * 48}) for n in (2, 3)]
    samples = [
        replicate(case, plans, seed=3, replications=12, block_size=4, workers=workers, engine=which)
        for which in ENGINES
        for workers in (1, 2)
    ]
    first, *others = samples
    assert len(list(arrays(first))) > 2 * 8
    assert not [name for other in others for name in unequal(first, other)]


# Which engine plays.


def test_the_engine_is_the_one_that_is_done_first_or_the_one_asked_for() -> None:
    worth = engine._WORTH_LOADING / REFERENCE_SECONDS
    assert [chosen("auto", contacts) for contacts in (1, worth / 2, 2 * worth, 1e12)] == [
        *("reference", "reference", "compiled", "compiled")
    ]
    assert chosen("reference", 1e12) == "reference"
    assert chosen("compiled", 1) == "compiled"


def test_an_engine_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(CcsimError, match="engine='simpy': one of auto, compiled, reference"):
        chosen("simpy", 1)  # type: ignore[arg-type]


def test_without_numba_the_reference_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    assert chosen("auto", 1e12) == "reference"
    assert chosen("reference", 1) == "reference"
    with pytest.raises(CcsimError, match=r"numba, which is not installed.*engine reference"):
        chosen("compiled", 1)


def test_without_numba_everything_is_there() -> None:
    """In a process that cannot import it, though there is enough to play for machine code."""
    code = """
import sys
sys.modules["numba"] = None
from ccsim.experiment.replicate import replicate
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import case_from
from ccsim.simulation import engine
from tests.oracles import scenario_of
engine._WORTH_LOADING = 0
case = case_from(scenario_of({"call": {}}))
(sample,) = replicate(case, [StaffingPlan()], seed=1, replications=2, block_size=2)
assert sample.measure("offered").sum() > 0
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
