"""Planted bugs: a line of a kernel is altered, and a few small centres tell."""

from __future__ import annotations

import inspect
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

from ccsim.demand import chance_compiled, draw_compiled, quantiles, table
from ccsim.demand.chance import TABLES, Chance, chance_of
from ccsim.demand.model import PPM, RedialModel, RepeatModel
from ccsim.performance import tally_compiled
from ccsim.simulation import (
    attempts_compiled,
    engine_compiled,
)
from tests.centres import (
    some_demand,
    tables,
)
from tests.equality import Centre, misdrawn, small_centres, some_days

Change = tuple[str, str]


def altered(module: ModuleType, *changes: Change) -> ModuleType:
    """A module with lines written otherwise, as plain Python: numba keeps no code of it.

    A change may be in another module of passes that this one takes some from.
    """
    text = Path(inspect.getfile(module)).read_text(encoding="utf-8")
    here = [change for change in changes if change[0] in text]
    text = re.sub(
        r"from ccsim.demand.machine_code_compiled import (\w+)\n",
        r"def \1(function): return function\n",
        text,
    )
    for old, new in here:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {module}"
        text = text.replace(old, new)
    made = ModuleType("altered")
    exec(compile(text, "altered", "exec"), made.__dict__)
    elsewhere = tuple(change for change in changes if change not in here)
    taken = {n: value for n, value in vars(made).items() if hasattr(value, "py_func")}
    for name, value in taken.items():
        setattr(made, name, getattr(plain(value.py_func.__module__, *elsewhere), name))
    return made


@cache
def plain(module: str, *changes: Change) -> ModuleType:
    """A module of passes as plain Python."""
    return altered(sys.modules[module], *changes)


PLAYED_WRONGLY = {
    # The order of simultaneous events.
    "who leaves goes after who comes": (
        "elif leaves == now:",
        # Not of one agent: she would be free twice.
        "elif leaves == now and (comes != now or "
        "stretch_agent[coming[next_coming]] == stretch_agent[leaving[next_leaving]]):",
    ),
    "patience ends before an agent comes": (
        "elif comes == now:",
        "elif comes == now and gives_up != now:",
    ),
    "an arrival before an agent comes": (
        "elif comes == now:",
        "elif comes == now and arrives != now:",
    ),
    "an arrival before patience ends": (
        "elif gives_up == now:",
        "elif gives_up == now and arrives != now:",
    ),
    "content without meaning": (
        "return ((place << 24 | rows.ordinal[row]) << 8) + rows.attempt[row]",
        "return row",
    ),
    "redials after all first attempts of the instant": (
        "arrives != now or content(rows, row) < content(rows, next_arrival)",
        "arrives != now",
    ),
    "redials before all first attempts of the instant": (
        "arrives != now or content(rows, row) < content(rows, next_arrival)",
        "True",
    ),
    "open at the instant of closing": ("while now >= edge:", "while now > edge:"),
    "a microsecond more before the cut": (
        "until = centre.end if centre.cut else _IDLE",
        "until = centre.end + 1 if centre.cut else _IDLE",
    ),
    # Who meets whom.
    "the agent who came last": (
        "agent = floor.idle_first[group]\n        if",
        "agent = floor.idle_last[group]\n        if",
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
    "groups without priority": ("best >= 0 and centre.groups_last[place]", "False"),
    "contact types without priority": ("centre.types_last[place]", "False"),
    "of two who waited equally long, the later contact type": (
        "if key < best_key or",
        "if key <= best_key or",
    ),
    "no head start": (" - centre.head_start[contact_type]", ""),
    "no head start among points": (
        "key = -(waited + centre.head_start[contact_type])",
        "key = -waited",
    ),
    "the last who came": (
        "row = floor.queue_first[contact_type]\n        if row < 0:",
        "row = floor.queue_last[contact_type]\n        if row < 0:",
    ),
    "all age alike": (
        "waited = scaled(now - rows.arrival[row], centre.ageing[contact_type])",
        "waited = now - rows.arrival[row]",
    ),
    "who serves out takes those carried over": (
        "able = not centre.carries_over[contact_type]",
        "able = True",
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
    "who leaves is still there": (
        "stretch_left[stretch] = now\n                continue\n            unlink",
        "continue\n            unlink",
    ),
    # Breaks that keep their length.
    "they keep their end": (
        "if varied is not None and floor.pause[stretch] and now > stretch_end[stretch]:",
        "if False:",
    ),
    "back as planned": ("if floor.comes_otherwise[stretch] or begins:", "if begins:"),
    "on through the break": (
        "if floor.comes_otherwise[stretch] or begins:",
        "if floor.comes_otherwise[stretch]:",
    ),
    "a stretch that is over by then": (
        "while stretch_end[after] <= back and floor.pause[after] > 0:",
        "while False:",
    ),
    "no note of when she came": (
        "stretch_of[agent], floor.stretch_came[stretch] = stretch, now",
        "stretch_of[agent] = stretch",
    ),
    # Patience and redials.
    "no end of patience": ("if stays < _NEVER:", "if False:"),
    "even the endlessly patient give up": ("if stays < _NEVER:", "if True:"),
    "as patient as the last time": (
        "rows.patience[new] = looked_up(chance, TABLES * to + PATIENCE, patience)",
        "rows.patience[new] = rows.patience[row]",
    ),
    "the chance of the attempt before": (
        "key(rows, row, member, attempt)",
        "key(rows, row, member, attempt - 1)",
    ),
    "warm-up and horizon mixed up": ("& 0xFFFFFFFF", "& 0xFFFF"),
    "one attempt more than allowed": (
        "rows.attempt[row] >= at_most",
        "rows.attempt[row] > at_most",
    ),
    "no redial in the last minute": ("when >= centre.end", "when >= centre.end - 60_000_000"),
    "a cut redial that nobody counts": ("rows.cut[row] = True", "pass"),
    "every attempt the last": ("rows.last[row] = False", "pass"),
    # The end of the run, and what is kept between two calls.
    "contacts that end after the run": ("picked_up, min(ends, until)", "picked_up, ends"),
    "a tree without content": ("later -= np.int64(", "later -= 0 * np.int64("),
    "an agent who begins goes to the top": (
        "if before(rows, agenda.done_when[place], its, time, mine):",
        "if False:",
    ),
    "moments of one instant in any order": (
        "return content(rows, row) < content(rows, other)",
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
    # Skills.
    "all groups equally fast": (
        "work = scaled(handle_time[row], handle_ppm)",
        "work = handle_time[row]",
    ),
    "rounded down": ("rest * factor_ppm + _PPM // 2", "rest * factor_ppm"),
    "overflow only after its time": (
        "waited >= centre.groups_after[place]\n                    and",
        "waited > centre.groups_after[place]\n                    and",
    ),
    "an agent takes it only after its time": (
        "now - rows.arrival[row] >= centre.types_after[place]",
        "now - rows.arrival[row] > centre.types_after[place]",
    ),
    "one overflow and no other": ("if due > now:", "if False:"),
    "overflow at the instant of a lost patience": (
        "elif varied is not None and over_when[0] == now:",
        "elif varied is not None and over_when[0] == now and gives_up != now:",
    ),
    "one more in reserve": (
        "and floor.free[group] > centre.groups_reserve[place]\n                )",
        "and floor.free[group] >= centre.groups_reserve[place]\n                )",
    ),
    "an agent does not count herself": (
        "free = floor.free[group] + 1",
        "free = floor.free[group]",
    ),
    "who serves out minds reserves": (
        "elif serving_out:",
        "elif False:",
    ),
    "who leaves takes nobody": (
        "if varied is not None and serves_out[stretch]:",
        "if False:",
    ),
    # Agents who differ.
    "all agents alike": ("own = stretch_pace[stretch]", "own = _PPM"),
    "all settle as often": ("if stretch_settles[stretch] != _PPM:", "if False:"),
    "an agent as in the stretch before": (
        "own = stretch_pace[stretch]",
        "own = stretch_pace[max(stretch - 1, 0)]",
    ),
    # Later attempts.
    "all resolved": (
        "uniform = np.int64(settled >> np.uint64(11))\n    if uniform >= below:",
        "uniform = np.int64(settled >> np.uint64(11))\n    if True:",
    ),
    "unresolved, and nobody notes it": ("rows.unresolved[row] = True", "pass"),
    "a repeat like a redial": ("to, 0, most, MET, member)", "to, 0, most, REDIAL, member)"),
    "a redial forgets that she was met": ("rows.again[row] & MET | REDIAL", "REDIAL"),
    "who redials after a transfer is a transfer": (
        "rows.again[row] & MET | REDIAL",
        "rows.again[row] | REDIAL",
    ),
    "nobody redials elsewhere": ("to = centre.redials_to[contact_type]", "pass"),
    "nobody repeats elsewhere": ("to = centre.repeats_to[contact_type]", "pass"),
    "all go elsewhere": (
        "uniform < scaled(below, centre.redials_elsewhere[contact_type])",
        "centre.redials_elsewhere[contact_type]",
    ),
    "elsewhere for as long as here": ("if to != rows.contact_type[row]:", "if False:"),
    "the length of an earlier attempt": ("rows.drawn[new] = attempt\n", "pass\n"),
    "the factor of another time of day": (
        "(when - centre.begin) // centre.interval_us",
        "0",
    ),
    "no context is lost": (
        "rows.handle_time[new] = handle_time + longer",
        "rows.handle_time[new] = handle_time",
    ),
    "what is passed on goes nowhere": (
        "to, longer = (\n        centre.transfer_to[group, contact_type],",
        "to, longer = (\n        contact_type,",
    ),
    "who passes on does all the work": (
        "work, wrap_up = scaled(work, shorter), scaled(wrap_up, shorter)",
        "wrap_up = scaled(wrap_up, shorter)",
    ),
    "its wrap-up is whole": (
        "work, wrap_up = scaled(work, shorter), scaled(wrap_up, shorter)",
        "work = scaled(work, shorter)",
    ),
    "passed on, and nobody notes it": ("rows.transferred[row] = True", "pass"),
    # What is announced, and ring time.
    "one place fewer": ("told = (waiting[contact_type] + 1) *", "told = waiting[contact_type] *"),
    "the wait of nobody": ("floor.last_wait[contact_type] = now - arrival[row]", "pass"),
    "offered a moment later": (
        "told >= centre.callback_from[contact_type]",
        "told > centre.callback_from[contact_type]",
    ),
    "who is told just her patience hangs up": (
        "told > scaled(stays, tolerance)",
        "told >= scaled(stays, tolerance)",
    ),
    "who is called back gives up": (
        "rows.called_back[row], stays = True, _NEVER",
        "rows.called_back[row] = True",
    ),
    "a callback that keeps the line": (
        "stays = True, _NEVER\n                        if lines >= 0:",
        "stays = True, _NEVER\n                        if False:",
    ),
    "who balks keeps the line": (
        "= now\n                        if lines >= 0:",
        "= now\n                        if False:",
    ),
    "who balks does not call again": (
        "free_lines[lines] += 1\n                        if redials(",
        "free_lines[lines] += 1\n                        if False and redials(",
    ),
    "all are reached": ("if answers >= centre.reached_below[contact_type]:", "if False:"),
    "nobody dials": ("now + centre.dialling[contact_type]", "now"),
    "it does not ring": ("now + centre.ring[group]", "now"),
    "who gives up as it is answered": (
        "arrival[row] + patience[row] < picked_up",
        "arrival[row] + patience[row] <= picked_up",
    ),
    "it rings through": ("if picked_up >= until:", "if False:"),
    "who gives up at the ring does not call again": (
        "elif became == _ABANDONED:\n                more = redials(",
        "elif became == _ABANDONED:\n                more = False and redials(",
    ),
    "ringing is no work": (
        "floor.handled[agent] += ends - now",
        "floor.handled[agent] += ends - picked_up",
    ),
    "taken when picked up": (
        "rows.taken[row], picked_up = now,",
        "rows.taken[row], picked_up = picked_up,",
    ),
    "cleared callbacks give lines back": (
        "line_group[contact_type] >= 0 and not rows.called_back[row]:\n                    free",
        "line_group[contact_type] >= 0:\n                    free",
    ),
    "a clock that never stands": ("if not opening:", "if True:"),
    "nobody blocked calls again": (
        " = now\n                    if redials(",
        " = now\n                    if False and redials(",
    ),
    # Lines and queues.
    "a line for wrap-up": (
        "silent = max(picked_up, ends - wrap_up)",
        "silent = ends",
    ),
    "a line that is free a moment later": (
        "while talk_when[0] <= now:",
        "while talk_when[0] < now:",
    ),
    "one more may wait": (
        "waiting[contact_type] >= centre.queue_limit[contact_type]",
        "waiting[contact_type] > centre.queue_limit[contact_type]",
    ),
    "who gives up keeps the line": (
        "if varied is not None and line_group[contact_type] >= 0:",
        "if False:",
    ),
    "closing before patience": (
        "elif gives_up == now:",
        "elif gives_up == now and closes != now:",
    ),
    "a queue that is never cleared": (
        "queue_first[contact_type] = queue_last[contact_type] = -1\n",
        "pass\n",
    ),
    # Which of several.
    "always who has been idle for longest": (
        "rows, row, 0, agent, member)",
        "rows, row, 0, agent, member) if False else agent",
    ),
    "of those who handled as long, the last in the plan": (
        "(less == 0 and sooner)",
        "(less == 0 and not sooner)",
    ),
    "who handled the most": ("less = floor.handled[best]", "less = -floor.handled[best]"),
    "the next one at random": ("ahead = any_of(", "ahead = 1 + any_of("),
    "at random among all priorities": ("            if found:\n", "            if False:\n"),
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

DELAYED_WRONGLY = {
    "a clock that never stands": ("if not opening:", "if True:"),
    "delays that end with the interval": (
        "if delay < follows - moment:",
        "if delay <= follows - moment:",
    ),
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
    "all time is past the shift": ("shift_end[stretch], left", "begin, left"),
    "handling that is nobody's": ("handled[group, kind] += handling", "pass"),
    "lost where the last attempt arrived": (
        "contacts[_LOST, origin[row], first_interval[row]] += 1",
        "contacts[_LOST, origin[row], min(when, end - 1) // interval_us] += 1",
    ),
    "lost although she was met": (" and not again[row] & _MET", ""),
    "a repeat is a redial": ("elif again[row] & _REDIAL:", "elif again[row]:"),
    "who redials after a repeat repeats": (
        "elif again[row] & _REDIAL:",
        "elif again[row] == _REDIAL:",
    ),
    "all cut are redials": (
        "_REPEATS_CUT if became == _ANSWERED else _REDIALS_CUT",
        "_REDIALS_CUT",
    ),
    "blocked as if closed": ("elif became == _BLOCKED:", "elif False:"),
    "cleared as if waiting": ("elif became == _CLEARED:", "elif False:"),
    "all settled": ("+= unresolved[row]", "+= 0"),
    "nobody passes on": ("+= transferred[row]", "+= 0"),
    "a transfer is a repeat": ("elif again[row] & _PASSED_ON:", "elif False:"),
    "no callbacks": ("+= called_back[row]", "+= 0"),
    "who balks has not abandoned": ("or became == _BALKED:", "or False:"),
    "not reached as if waiting": ("elif became == _UNREACHED:", "elif False:"),
    "only the answered are work": ("if agent[row] >= 0:", "if became == _ANSWERED:"),
    "ringing is no work": ("taken[row], ended[row]", "left, ended[row]"),
    "lost for the contact type she tried last": (
        "contacts[_LOST, origin[row], first_interval[row]] += 1",
        "contacts[_LOST, kind, first_interval[row]] += 1",
    ),
}


class NeverEndsError(Exception):
    """A list that a slip has tied to its own tail goes round for ever."""


@contextmanager
def seconds_at_most(limit: int) -> Iterator[None]:
    """Raise `NeverEndsError` after so long, where the system has an alarm."""

    def ring(*_: object) -> None:
        raise NeverEndsError

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(limit)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def shows(tells: Callable[[Any], object], day: Any) -> bool:
    """Whether a day is not as it should be, or never ends."""
    try:
        with seconds_at_most(5):
            return bool(tells(day))
    except NeverEndsError:
        return True


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
            after[slip] = next((n for n, day in enumerate(days, 1) if shows(tells, day)), None)
    assert after.pop("none") is None
    assert None not in after.values(), [slip for slip, n in after.items() if n is None]
    return f"{len(after)} slips, found after {sorted(after.values())} days"


def test_no_slip_of_the_engine_goes_unseen(record_property: Any) -> None:
    said = found(PLAYED_WRONGLY, engine_compiled, "run", Centre.misplayed, small_centres(900))
    record_property("planted", said)


def test_no_slip_of_the_draw_goes_unseen(record_property: Any) -> None:
    chance = np.random.default_rng(2)
    days = islice(some_days(chance, 2), 200)
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
            repeat=RepeatModel(three[1], 1),
        )
        for three in zip(all_tables, all_tables[1:], all_tables[2:], strict=False)
    ]
    chance = chance_of(replace(demand, contact_types=tuple(given)), 1)
    anywhere = np.random.default_rng(0).integers(0, table.TOP, 50)
    for number, one in enumerate(given):
        delays = one.redial.delay, one.repeat.delay
        for place, of in enumerate((one.talk_time, one.wrap_up, one.patience, *delays)):
            ends = np.concatenate([of.patch_from, of.patch_until, [0, table.TOP // 2, table.TOP]])
            near = (ends[:, None] + [-1, 0, 1]).ravel()
            for uniform in (*near[(near >= 0) & (near < table.TOP)].tolist(), *anywhere.tolist()):
                word = np.uint64(uniform << 11)
                yield chance, TABLES * number + place, word, table.evaluate_one(of, uniform)


def wrong(look_up: LookUp) -> bool:
    """Whether machine code finds something else."""
    chance, place, word, length = look_up
    return bool(chance_compiled.looked_up(chance, place, word) != length)


def test_machine_code_looks_up_what_the_table_says() -> None:
    assert not any(map(wrong, look_ups()))


class Clock(NamedTuple):
    """A contact type that is open now and then, and a delay that runs only then."""

    is_open: np.ndarray
    interval_us: int
    end: int
    moment: int
    delay: int

    def over(self) -> int:
        """Microsecond by microsecond."""
        left = self.delay
        for now in range(self.moment, self.end):
            if self.is_open[0, now // self.interval_us % self.is_open.shape[1]]:
                if left == 0:
                    return now
                left -= 1
        return self.end

    def wrong(self) -> bool:
        # As plain Python: machine code for a class of a test would be kept with the package's.
        later = getattr(attempts_compiled.later, "py_func", attempts_compiled.later)
        found = later(self, 0, self.moment, self.delay, True)
        return min(int(found), self.end) != self.over()


def clocks() -> list[Clock]:
    chance = np.random.default_rng(6)
    return [
        Clock(chance.random((1, 5)) < 0.6, 3, 15, int(chance.integers(-9, 16)), delay)
        for delay in range(12)
        for _ in range(30)
    ]


def test_a_delay_on_the_opening_clock_runs_while_open() -> None:
    assert not any(clock.wrong() for clock in clocks())


def test_no_slip_of_a_delay_goes_unseen(record_property: Any) -> None:
    said = found(DELAYED_WRONGLY, attempts_compiled, "later", Clock.wrong, clocks())
    record_property("planted", said)


def test_no_slip_of_a_look_up_goes_unseen(record_property: Any) -> None:
    said = found(LOOKED_UP_WRONGLY, chance_compiled, "looked_up", wrong, list(look_ups()))
    record_property("planted", said)
