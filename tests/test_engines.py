"""One truth in two engines: draws, logs and tallies are equal, and no slip of a line goes unseen.

The reference is the specification, so that whatever differs by a microsecond on one centre of
thousands is a bug of its compiled twin. Then such bugs are planted, and each is found.
"""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ccsim.demand import chance_compiled, draw_compiled, keyed, quantiles, table
from ccsim.demand.chance import Chance, chance_of
from ccsim.demand.draw import Draw, draw_replication, draw_replications
from ccsim.demand.model import PPM, RedialModel, compile_demand
from ccsim.errors import CcsimError
from ccsim.experiment.replicate import replicate
from ccsim.performance import tally_compiled
from ccsim.performance.tally import (
    CONTACT_MEASURES,
    GROUP_MEASURES,
    Rules,
    Tally,
    count,
    measuring_rules,
)
from ccsim.plans import StaffingPlan
from ccsim.scenario.case import Case, case_from
from ccsim.simulation import engine, engine_compiled, laid_out, reference
from ccsim.simulation.engine import ENGINES, REFERENCE_SECONDS, chosen
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.simulation.model import Model, compile_model
from tests.centres import (
    MINUTE,
    Played,
    in_steps,
    played,
    some_centre,
    some_demand,
    tables,
)
from tests.oracles import scenario_of

DAYS = 20  # drawn of each demand


def differences(one: Any, other: Any) -> list[str]:
    """Columns of two draws, logs or tallies that are not equal, be it only in kind of number."""
    columns = [(f.name, getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]
    return [n for n, a, b in columns if a.dtype != b.dtype or not np.array_equal(a, b)]


def misdrawn(days: list[Draw]) -> list[str]:
    """What machine code draws otherwise."""
    one, members = days[0], [day.replication for day in days]
    again = draw_replications(one.demand, one.seed, members, one.block_size, compiled=True)
    pairs = zip(days, again, strict=True)
    return [name for day, fast in pairs for name in differences(day.contacts, fast.contacts)]


@dataclass(frozen=True, eq=False)
class Centre:
    """A centre, a day, and what the reference says of it."""

    model: Model
    draw: Draw
    rules: Rules
    log: ContactLog
    tally: Tally

    def misplayed(self) -> list[str]:
        """What the compiled engine plays otherwise."""
        return differences(self.log, engine_compiled.run(self.model, self.draw))

    def miscounted(self) -> list[str]:
        """What machine code counts otherwise."""
        return differences(self.tally, count(self.model, self.log, self.rules, compiled=True))

    @property
    def ties(self) -> int:
        """Arrivals, ends, comings and leavings in the microsecond of another one."""
        log = self.log
        ends = log.ended[log.outcome != Outcome.CLOSED]
        happens = np.concatenate([log.arrival, ends, self.model.stretches.start, log.stretch_left])
        return len(happens) - len(np.unique(happens))


def some_days(chance: np.random.Generator, number: int = DAYS) -> Iterator[list[Draw]]:
    """Days of one demand, then of another, without end."""
    while True:
        demand, seed = some_demand(chance), int(chance.integers(1000))
        yield list(draw_replications(demand, seed, range(seed, seed + number), block_size=8))


def played_by_reference(chance: np.random.Generator, day: Draw) -> Centre:
    model, day, rules = some_centre(chance, day)
    log = reference.run(model, day)
    return Centre(model, day, rules, log, count(model, log, rules))


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


def test_the_centres_compared_have_everything_in_them() -> None:
    """What a comparison says depends on what happens in it."""
    seen: Counter[str] = Counter()
    for centre in small_centres():
        log, model, contacts = centre.log, centre.model, centre.draw.contacts
        stretches, answered = model.stretches, log.outcome == Outcome.ANSWERED
        first = log.attempt == 0
        came = log.stretch_left > stretches.start
        late = came & (log.stretch_left > stretches.end)
        happens = {
            **{outcome.name: log.outcome == outcome for outcome in Outcome},
            "answered after a wait": answered & (log.wait > 0),
            "answered at the last moment": (answered & (log.wait > 0))[first]
            & (log.wait[first] == contacts.patience),
            "redial answered": answered & (log.attempt > 0),
            "redial cut": log.redial_cut,
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
            "no agents": len(stretches.start) == 0,
            "no contacts": len(log.arrival) == 0,
            "cut": model.cut,
            "drain": not model.cut,
            "cyclic without warm-up": model.cyclic and model.begin == 0,
            "warm-up": log.arrival < 0,
            "three priorities": model.priority.max(initial=0) > 2,
            "head start": model.head_start > 0,
        }
        for name, where in happens.items():
            seen[name] += bool(np.any(where))
    assert min(seen.values()) >= 3, seen


# Planted bugs: a line of a kernel is altered, and a few small centres tell.

Change = tuple[str, str]


def altered(module: ModuleType, *changes: Change) -> ModuleType:
    """A module with lines written otherwise, as plain Python: numba keeps no code of it."""
    text = Path(inspect.getfile(module)).read_text(encoding="utf-8")
    decorator = "from ccsim.demand.machine_code_compiled import compiled\n"
    for old, new in [(decorator, "def compiled(function): return function\n"), *changes]:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {module}"
        text = text.replace(old, new)
    made = ModuleType("altered")
    exec(compile(text, "altered", "exec"), made.__dict__)
    for name, taken in vars(made).copy().items():  # from other passes
        if hasattr(taken, "py_func"):
            setattr(made, name, getattr(plain(taken.py_func.__module__), name))
    return made


@cache
def plain(module: str) -> ModuleType:
    """A module of passes as plain Python."""
    return altered(sys.modules[module])


@cache
def small_centres(demands: int = 200) -> tuple[Centre, ...]:
    """Hardly two centres of each demand, which plain Python plays in a moment."""
    chance = np.random.default_rng(1)
    days = (day for days in islice(some_days(chance, 2), demands) for day in days)
    centres = (played_by_reference(chance, day) for day in days if len(day.contacts.arrival) < 100)
    return tuple(centre for centre in centres if len(centre.log.arrival) < 300)


PLAYED_WRONGLY = {
    # The order of simultaneous events.
    "who leaves goes after who comes": (
        "elif leaves == time:",
        "elif leaves == time and comes != time:",
    ),
    "patience ends before an agent comes": (
        "elif comes == time:",
        "elif comes == time and gives_up != time:",
    ),
    "an arrival before an agent comes": (
        "elif comes == time:",
        "elif comes == time and arrives != time:",
    ),
    "an arrival before patience ends": (
        "elif gives_up == time:",
        "elif gives_up == time and arrives != time:",
    ),
    "content without meaning": (
        "return ((place << 24 | rows.ordinal[row]) << 8) + rows.attempt[row]",
        "return row",
    ),
    "redials after all first attempts of the instant": (
        "arrives != time or _content(rows, row) < _content(rows, next_arrival)",
        "arrives != time",
    ),
    "redials before all first attempts of the instant": (
        "arrives != time or _content(rows, row) < _content(rows, next_arrival)",
        "True",
    ),
    "open at the instant of closing": ("while now >= edge:", "while now > edge:"),
    "a microsecond more before the cut": (
        "until = centre.end if centre.cut else _IDLE",
        "until = centre.end + 1 if centre.cut else _IDLE",
    ),
    # Who meets whom.
    "the agent who came last": (
        "agent = floor.idle_first[centre.groups[place]]",
        "agent = floor.idle_last[centre.groups[place]]",
    ),
    "idle longest within the group alone": (
        "floor.idle_since[agent] < floor.idle_since[best]",
        "False",
    ),
    "any of those idle equally long": (
        "floor.idle_since[agent] == floor.idle_since[best] and agent < best",
        "False",
    ),
    "idle since one instant, the last in the plan first": (
        "idle_since[left] == now and left > agent",
        "idle_since[left] == now and left < agent",
    ),
    "groups without priority": ("centre.groups_last[place]", "False"),
    "contact types without priority": ("centre.types_last[place]", "False"),
    "of two who waited equally long, the later contact type": (
        "if key < best_key or",
        "if key <= best_key or",
    ),
    "no head start": (" - centre.head_start[contact_type]", ""),
    "the last who came": (
        "row = floor.queue_first[contact_type]\n        if row >= 0",
        "row = floor.queue_last[contact_type]\n        if row >= 0",
    ),
    # Stretches.
    "one more contact at the end of a stretch": (
        "over = now >= stretch_end[stretch]",
        "over = now > stretch_end[stretch]",
    ),
    "nobody serves out": ("if not over or serves_out[stretch]:", "if not over:"),
    "all serve out": ("if not over or serves_out[stretch]:", "if True:"),
    "a swallowed break that ends late": (
        "stretch_left[stretch_of[agent]] = now\n",
        "pass\n",
    ),
    "a swallowed break that never ends": (
        "                stretch_of[agent] = stretch\n                continue\n",
        "                continue\n",
    ),
    "who leaves is still there": ("stretch_left[stretch] = time\n", "pass\n"),
    # Patience and redials.
    "no end of patience": ("if patience[row] < _NEVER:", "if False:"),
    "even the endlessly patient give up": ("if patience[row] < _NEVER:", "if True:"),
    "as patient as the last time": (
        "rows.patience[new] = looked_up(chance, 4 * contact_type + PATIENCE, patience)",
        "rows.patience[new] = rows.patience[row]",
    ),
    "the chance of the attempt before": ("low += np.uint64(1 << 16)", "low += np.uint64(0)"),
    "warm-up and horizon mixed up": ("& 0xFFFFFFFF", "& 0xFFFF"),
    "one redial more than allowed": (
        "rows.attempt[row] >= centre.redials_at_most[contact_type]",
        "rows.attempt[row] > centre.redials_at_most[contact_type]",
    ),
    "no redial in the last minute": ("when >= centre.end", "when >= centre.end - 60_000_000"),
    "a cut redial that nobody counts": ("rows.redial_cut[row] = True", "pass"),
    "every attempt the last": ("rows.last[row] = False", "pass"),
    # The end of the run, and what is kept between two calls.
    "contacts that end after the run": (
        "now, min(ends, until)\n            row_of[agent] = row\n            _begin",
        "now, ends\n            row_of[agent] = row\n            _begin",
    ),
    "a tree without content": ("later -= np.int64(", "later -= 0 * np.int64("),
    "an agent who begins goes to the top": (
        "if _before(rows, agenda.done_when[place], its, time, mine):",
        "if False:",
    ),
    "moments of one instant in any order": (
        "return _content(rows, row) < _content(rows, other)",
        "return False",
    ),
    "who gave up long ago makes no room": (
        "if waits and outcome[gone_row[0]] != _WAITING:",
        "if waits:",
    ),
    "who is in the middle of a contact has left": (
        "floor.busy[agent] or floor.idle_since[agent] != _LATER",
        "floor.idle_since[agent] != _LATER",
    ),
    "a clock that is not kept": (
        "state[NOW], state[ARRIVAL] = max(now, latest), next_arrival",
        "state[ARRIVAL] = next_arrival",
    ),
}

DRAWN_WRONGLY = {
    "two of one microsecond, as they come": (" and before < number", ""),
    "the factor of no day": ("if factor != _PPM:", "if False:"),
    "rounded down": ("rest * factor + _PPM // 2", "rest * factor"),
    "wrap-up as long as talk": ("wrap_up[drawn]", "talk[drawn]"),
    "warm-up and horizon mixed up": ("& 0xFFFFFFFF", "& 0xFFFF"),
}

LOOKED_UP_WRONGLY = {
    "all cells whole": (
        "patched = first < past and chance.patches[first, 0] <= u",
        "patched = False",
    ),
    "a patch without its end": ("chance.patches[first, 1] <= u", "chance.patches[first, 1] < u"),
    "a patch without its beginning": (
        "chance.patches[first, 0] <= u",
        "chance.patches[first, 0] < u",
    ),
    "one half for the other": ("upper = u >= _TOP_HALF", "upper = u > _TOP_HALF"),
    "not rounded": (" + (1 << 30)) >> 31", ") >> 31"),
}

SEEN_WRONGLY = {
    "all groups alike": ("keys[group[place]]", "keys[0]"),
    "the limit of the day before": ("day[place] - first_day", "day[place] - first_day - 1"),
    "all agents of a group or none": ("np.uint64(ordinal[place])", "np.uint64(0)"),
    "those are absent who are there": (">= limit", "< limit"),
}

COUNTED_WRONGLY = {
    "in time only before the limit": (
        "\n                in_time[number, kind, interval] += wait <= thresholds[number, kind]",
        "\n                in_time[number, kind, interval] += wait < thresholds[number, kind]",
    ),
    "short only before the limit": ("wait <= short[kind]", "wait < short[kind]"),
    "the warm-up counts": ("begin = max(begin, 0)", "pass"),
    "the end counts in a week without end": ("    if cyclic:\n", "    if False:\n"),
    "every stretch ends a shift": ("begin < left and ends_shift[stretch]", "begin < left"),
    "handling that is nobody's": ("handled[group, kind] += handling", "pass"),
    "lost where the last attempt arrived": (
        "contacts[_LOST, kind, first_interval[row]] += 1",
        "contacts[_LOST, kind, min(when, end - 1) // interval_us] += 1",
    ),
}


def found(
    slips: dict[str, Change],
    module: ModuleType,
    name: str,
    tells: Callable[[Any], object],
    days: Sequence[Any],
) -> str:
    """After how many days each slip shows; without one, plain Python shows nothing."""
    after = {}
    with pytest.MonkeyPatch.context() as patch, np.errstate(over="ignore"):
        for slip, changes in {"none": [], **{slip: [slips[slip]] for slip in slips}}.items():
            made = altered(module, *changes)
            made._EVENTS_AT_A_TIME = 17
            patch.setattr(module, name, getattr(made, name))
            after[slip] = next((n for n, day in enumerate(days, 1) if tells(day)), None)
    assert after.pop("none") is None
    assert None not in after.values(), [slip for slip, n in after.items() if n is None]
    return f"{len(after)} slips, found after {sorted(after.values())} days"


def test_no_slip_of_the_engine_goes_unseen(record_property: Any) -> None:
    said = found(PLAYED_WRONGLY, engine_compiled, "run", Centre.misplayed, small_centres())
    record_property("planted", said)


def test_no_slip_of_the_draw_goes_unseen(record_property: Any) -> None:
    chance = np.random.default_rng(2)
    days = islice(some_days(chance, 2), 100)
    small = [pair for pair in days if sum(len(day.contacts.arrival) for day in pair) < 200]
    said = found(DRAWN_WRONGLY, draw_compiled, "draw_contacts", misdrawn, small)
    record_property("planted", said)


def test_no_slip_of_who_is_there_goes_unseen(record_property: Any) -> None:
    said = found(SEEN_WRONGLY, draw_compiled, "who_is_there", Centre.misplayed, small_centres())
    record_property("planted", said)


def test_no_slip_of_the_count_goes_unseen(record_property: Any) -> None:
    said = found(COUNTED_WRONGLY, tally_compiled, "count_into", Centre.miscounted, small_centres())
    record_property("planted", said)


# Look-ups that centres seldom make.


LookUp = tuple[Chance, int, np.uint64, int]


def look_ups() -> Iterator[LookUp]:
    """At every end of a patch and of a half, and anywhere: of which table, which word, how long."""
    lengths, patience, _ = tables()
    # Several patches in one cell.
    crowded = quantiles.empirical(
        [10, 10, 20, 20, 30, 30, 40, 40], [0, 0.4, 0.4, 0.4002, 0.4002, 0.4004, 0.4004, 1]
    )
    all_tables = (*lengths, *patience, crowded)
    demand = some_demand(np.random.default_rng(0))
    given = [
        replace(
            demand.contact_types[0],
            **dict(zip(("talk_time", "wrap_up", "patience"), three, strict=True)),
            redial=RedialModel(PPM, three[0], 1),
        )
        for three in zip(all_tables, all_tables[1:], all_tables[2:], strict=False)
    ]
    chance = chance_of(replace(demand, contact_types=tuple(given)), 1)
    anywhere = np.random.default_rng(0).integers(0, table.TOP, 50)
    for number, one in enumerate(given):
        for place, of in enumerate((one.talk_time, one.wrap_up, one.patience, one.redial.delay)):
            ends = np.concatenate([of.patch_from, of.patch_until, [0, table.TOP // 2, table.TOP]])
            near = (ends[:, None] + [-1, 0, 1]).ravel()
            for uniform in (*near[(near >= 0) & (near < table.TOP)].tolist(), *anywhere.tolist()):
                word = np.uint64(uniform << 11)
                yield chance, 4 * number + place, word, table.evaluate_one(of, uniform)


def wrong(look_up: LookUp) -> bool:
    """Whether machine code finds something else."""
    chance, place, word, length = look_up
    return bool(chance_compiled.looked_up(chance, place, word) != length)


def test_machine_code_looks_up_what_the_table_says() -> None:
    assert not any(map(wrong, look_ups()))


def test_no_slip_of_a_look_up_goes_unseen(record_property: Any) -> None:
    said = found(LOOKED_UP_WRONGLY, chance_compiled, "looked_up", wrong, list(look_ups()))
    record_property("planted", said)


def test_what_stands_twice_is_the_same() -> None:
    """Machine code has its own copies of some constants."""
    assert engine_compiled._NEVER == table.NEVER
    for module in (engine_compiled, tally_compiled):
        assert [vars(module)[f"_{outcome.name}"] for outcome in Outcome] == list(Outcome)
    constants = (keyed._PARITY, table.SIDE, table.TOP // 2, table._END, table._FRACTION)
    names = ("_PARITY", "_SIDE", "_TOP_HALF", "_END", "_FRACTION")
    assert tuple(int(vars(chance_compiled)[name]) for name in names) == constants
    assert draw_compiled._PPM == PPM


def test_a_kernel_is_written_anew_when_what_it_takes_from_elsewhere_changes() -> None:
    """Numba keeps machine code as long as the kernel's own file is the same."""
    state = (laid_out.Centre, laid_out.Rows, laid_out.Floor, laid_out.Agenda)
    for module, kinds in ((engine_compiled, (*state, Chance)), (draw_compiled, (Chance,))):
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
        "redials_cut": "_CUT",
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
    model = replace(model, redials_at_most=np.array([50]))
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


def arrays(sample: Any) -> Iterator[np.ndarray]:
    """Every array and number of a result, in order."""
    if is_dataclass(sample):
        for field in fields(sample):
            yield from arrays(getattr(sample, field.name))
    elif isinstance(sample, tuple):
        for part in sample:
            yield from arrays(part)
    else:
        yield np.asarray(sample)


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
    first, *others = [
        [(a.dtype, a.shape, a.tobytes()) for a in arrays(sample)] for sample in samples
    ]
    assert len(first) > 2 * 8
    assert all(other == first for other in others)


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
