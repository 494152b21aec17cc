"""How fast the engines are: against C, against other programs, and as centres and studies grow.

Every ratio is of figures of one run on one machine, by processor time, each the best of several
repetitions. Run `python benchmarks/engine_speed.py`: some five minutes on two idle cores;
`--quick` is smaller and rougher. Ciw is measured if it is installed, C if there is a compiler.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import c_kernel
import centres
import numpy as np
import peers

from ccsim.demand.draw import BLOCK, Draw, draw_replications
from ccsim.experiment import available_cores, replicate
from ccsim.performance.tally import count, measuring_rules
from ccsim.simulation import engine_compiled
from ccsim.simulation.engine import run
from ccsim.simulation.laid_out import Begun, laid_out
from ccsim.simulation.log import ContactLog
from ccsim.simulation.model import Model

PLAIN = "SimPy, process per call"


Play = Callable[[Begun, Model, Draw], ContactLog]
OPTIONS = ("-O2", "-O3", "-O3 -march=native")
"""Of the C compiler, each for a kernel of its own."""


class Size(NamedTuple):
    """How much is measured, and how often each figure is taken."""

    repetitions: int
    calls: int
    calls_of_peers: int
    replications: int
    many_replications: int
    most_contacts: int


FULL = Size(7, 1_000_000, 20_000, 320, 3200, 1_000_000)
QUICK = Size(3, 200_000, 5_000, 96, 320, 100_000)


class Row(NamedTuple):
    """A figure, and how it stands to what is wanted."""

    what: str
    figure: str
    ratio: str = ""
    wanted: str = ""
    met: bool | None = None


def table(title: str, rows: Iterable[Row], figure: str) -> None:
    """Print a section, row by row as it is measured."""
    print(f"\n## {title}\n\n| what | {figure} | ratio | wanted | |")
    print("| --- | ---: | ---: | ---: | --- |")
    for row in rows:
        met = {None: "", True: "met", False: "**missed**"}[row.met]
        print(f"| {row.what} | {row.figure} | {row.ratio} | {row.wanted} | {met} |", flush=True)


def best(work: Callable[[Any], Any], times: int, prepare: Callable[[], Any] = tuple) -> float:
    """Least processor time [s] of some work; preparing it is not counted."""
    least = float("inf")
    for _ in range(times):
        given = prepare()
        before = time.thread_time()
        work(given)
        least = min(least, time.thread_time() - before)
    return least


def in_turn(
    works: Mapping[Any, tuple[Callable[[Any], Any], Callable[[], Any]]], times: int
) -> dict[Any, float]:
    """Least time [s] of each work, with what prepares it; in turn: all see the machine alike."""
    least = dict.fromkeys(works, float("inf"))
    for _ in range(times):
        for name, (work, prepare) in works.items():
            least[name] = min(least[name], best(work, 1, prepare))
    return least


def rate(contacts: float, seconds: float) -> str:
    """Contacts a second."""
    return f"{contacts / seconds:,.0f}"


def at_least(ratio: float, wanted: float) -> tuple[str, str, bool]:
    """The last columns of a row whose ratio is to be at least so much."""
    return f"{ratio:,.2f}" if wanted < 10 else f"{ratio:,.0f}", f"≥ {wanted:g}", ratio >= wanted


def same(one: ContactLog, other: ContactLog) -> bool:
    """Whether two logs are equal, number by number."""
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(ContactLog)
    )


def one_queue(size: Size) -> Iterable[Row]:
    """M/M/50 + M, calls drawn before: the compiled engine, C, SimPy, Ciw."""
    of = centres.erlang_a(50, size.calls)
    draw = centres.first_contacts(centres.drawn(of), size.calls)
    log = run(of.model, draw, "compiled")

    def ready() -> Begun:
        return laid_out(of.model, draw)

    loops: dict[str, Play] = {"": engine_compiled.play}
    for options in OPTIONS if c_kernel.compiler() else ():
        loops[options] = c_kernel.Kernel(options, ready()).play
    works: dict[Any, Any] = {}
    for name, play in loops.items():
        if not same(play(ready(), of.model, draw), log):
            raise AssertionError(f"the loop in C {name} has another log")
        works[name, "alone"] = lambda begun, p=play: p(begun, of.model, draw), ready
        works[name, "whole"] = lambda _, p=play: p(ready(), of.model, draw), tuple
    times = in_turn(works, size.repetitions)
    loop, seconds = times["", "alone"], times["", "whole"]
    each = seconds / size.calls
    yield Row(f"ccsim, compiled engine, {size.calls:,} calls", rate(size.calls, seconds), "1")
    yield Row("its loop alone, without arrays made", rate(size.calls, loop))
    if len(loops) == 1:
        yield Row("the same loop in C", "no compiler here")
    for name in list(loops)[1:]:
        alone, whole = times[name, "alone"], times[name, "whole"]
        met = at_least(alone / loop, 0.8)
        yield Row(
            f"the loop in C, {name}, log equal: its time over ours", rate(size.calls, alone), *met
        )
        met = at_least(whole / seconds, 0.8)
        yield Row("— with arrays made, as the engine does", rate(size.calls, whole), *met)
    few = size.calls_of_peers
    calls = peers.calls_of(draw, few)
    own = run(of.model, centres.first_contacts(draw, few), "compiled")
    waits = sorted(wait for wait, _ in peers.simpy_resource(calls, 50))
    if not np.allclose(waits, np.sort(own.wait) / 1e6, atol=1e-5):
        raise AssertionError("SimPy's waits are others")
    slow = best(lambda _: peers.simpy_resource(calls, 50), 3)
    yield Row(
        f"{PLAIN} (`Resource`), the first {few:,}, waits equal",
        rate(few, slow), *at_least(slow / few / each, 300),
    )  # fmt: skip
    reference = best(lambda d: run(of.model, d, "reference"), 3,
                     lambda: centres.first_contacts(draw, few))  # fmt: skip
    yield Row(
        "ccsim, reference engine: times SimPy's process per call",
        rate(few, reference), *at_least(slow / reference, 3),
    )  # fmt: skip
    library = peers.ciw()
    if library is None:
        yield Row("Ciw", "not installed")
        return
    network = peers.ciw_network(library, 48 / 60, 60, 120, 50)
    ciw = best(lambda _: peers.ciw_run(library, network, few), 2)
    yield Row(
        f"Ciw {version('ciw')}, {few:,} calls of its own",
        rate(few, ciw), *at_least(ciw / few / each, 500),
    )  # fmt: skip


def whole_centres(size: Size) -> Iterable[Row]:
    """A week and a day with everything, against SimPy; draw, run and count together."""
    for name, of in (
        ("bank week", centres.bank_week()),
        ("skills day", centres.skills_day()),
    ):
        draw = centres.drawn(of)
        log = run(of.model, draw, "compiled")
        contacts = len(log.arrival)
        label = f"{name}, {contacts:,} contacts, {len(of.model.agent_group)} agents"
        if not same(run(of.model, draw, "reference"), log):
            raise AssertionError(f"{name}: the engines differ")
        fast = best(lambda _, o=of, d=draw: run(o.model, d, "compiled"), 10 * size.repetitions)
        yield Row(f"{label}: compiled engine", rate(contacts, fast))

        def set_up(o: centres.Centre = of, d: Draw = draw) -> peers.SkillsCentre:
            return peers.SkillsCentre(o.model, d)

        attempts = len(set_up().run())
        slow = best(lambda made: made.run(), 3, set_up)
        yield Row(
            f"— {PLAIN}, {attempts:,} attempts",
            rate(attempts, slow), *at_least(slow / attempts / (fast / contacts), 80),
        )  # fmt: skip
        reference = best(lambda _, o=of, d=draw: run(o.model, d, "reference"), 3)
        yield Row(
            "— reference engine: times SimPy's process per call",
            rate(contacts, reference),
            *at_least(slow / attempts / (reference / contacts), 3),
        )  # fmt: skip
        yield from together(of, size, wanted=2e6)


def together(of: centres.Centre, size: Size, wanted: float | None) -> Iterable[Row]:
    """Draw, run and count a block; then the same through `replicate`."""
    rules = measuring_rules(of.case.scenario)

    def block(_: Any) -> int:
        contacts = 0
        for draw in draw_replications(of.demand, 1, range(BLOCK), compiled=True):
            log = run(of.model, draw, "compiled")
            count(of.model, log, rules, compiled=True)
            contacts += len(log.arrival)
        return contacts

    contacts = block(None)
    seconds = best(block, size.repetitions)
    met = None if wanted is None else contacts / seconds >= wanted
    goal = "" if wanted is None else f"≥ {wanted:,.0f}"
    yield Row("— drawing, running, counting", rate(contacts, seconds), "", goal, met)
    if wanted is not None:
        number = size.replications

        def study(_: Any) -> None:
            replicate(of.case, [of.plan], seed=1, replications=number, engine="compiled")

        seconds = best(study, 3)
        contacts = contacts * number // BLOCK
        met = contacts / seconds >= wanted
        yield Row(f"— `replicate`, {number} replications", rate(contacts, seconds), "", goal, met)


def behaviours(size: Size) -> Iterable[Row]:
    """Time of a contact [ns] without and with each behaviour; every log is the reference's."""
    for name, of in (("bank week", centres.bank_week()), ("skills day", centres.skills_day())):
        # Without second choices nobody overflows, and one contact type is passed on to none.
        several = (of.model.skills.priority > 1).any()
        each = [k for k in centres.BEHAVIOURS if several or k not in ("overflow", "transfers")]
        days = {"plain": (), **{key: (key,) for key in each}, "all": tuple(each)}
        works: dict[Any, Any] = {}
        contacts = {}
        for label, some in days.items():
            model, draw, kernel, contacts[label] = played_alike(of, some)
            works[label] = lambda _, m=model, d=draw: run(m, d, "compiled"), tuple
            for loop, play in (("loop", engine_compiled.play), ("C", kernel and kernel.play)):
                if play and label in ("plain", "all"):
                    works[label, loop] = (
                        lambda begun, p=play, m=model, d=draw: p(begun, m, d),
                        lambda m=model, d=draw: laid_out(m, d),
                    )
        times = in_turn(works, 10 * size.repetitions)
        for label in days:
            figure = times[label] / contacts[label]
            said = centres.BEHAVIOURS.get(label, ", ".join(days["all"]))
            yield Row(
                f"{name}, {label}" if label == "plain" else f"— {label}: {said}",
                f"{figure * 1e9:.0f}",
                f"{figure / (times['plain'] / contacts['plain']):.2f}",
            )
            if (label, "C") in times:
                alone, ours = times[label, "C"], times[label, "loop"]
                yield Row(
                    f"— the loops alone, ours and in C, {OPTIONS[0]}: its time over ours",
                    f"{ours / contacts[label] * 1e9:.0f}, {alone / contacts[label] * 1e9:.0f}",
                    *at_least(alone / ours, 0.8),
                )


def played_alike(
    of: centres.Centre, some: Iterable[str]
) -> tuple[Model, Draw, c_kernel.Kernel | None, int]:
    """A centre with behaviours, the loop in C for it, and how many contacts; all logs are equal."""
    other = centres.with_behaviours(of, *some)
    model, draw = other.model, centres.drawn(other)
    log = run(model, draw, "compiled")
    kernel = c_kernel.Kernel(OPTIONS[0], laid_out(model, draw)) if c_kernel.compiler() else None
    logs = [run(model, draw, "reference"), *([kernel.run(model, draw)] if kernel else [])]
    if not all(same(one, log) for one in logs):
        raise AssertionError(f"with {some} the engines differ")
    return model, draw, kernel, len(log.arrival)


def contact_centres(size: Size) -> Iterable[Row]:
    """Examples of ContactCenters: drawing, running and counting, beside what it states."""
    for example in centres.published():
        (row,) = together(example.centre, size, wanted=None)
        stated = f"{example.rate:,.0f}" if example.rate else "no time stated"
        yield Row(example.name, row.figure, stated)


def growth(size: Size) -> Iterable[Row]:
    """Time of a contact [ns] as the centre grows, and as the day does."""
    most = size.most_contacts
    days = [10**power for power in range(3, 7) if 10**power <= most]
    for centres_of in ([(n, most) for n in (13, 50, 500, 12_000)], [(50, n) for n in days]):
        first = None
        for agents, contacts in centres_of:
            of = centres.erlang_a(agents, contacts)
            draw = centres.first_contacts(centres.drawn(of), contacts)
            times = max(1, 100_000 // contacts)

            def some(_: Any, o: centres.Centre = of, d: Draw = draw, t: int = times) -> None:
                for _again in range(t):
                    run(o.model, d, "compiled")

            each = best(some, size.repetitions) / times / contacts
            first = first or each
            last = (agents, contacts) == centres_of[-1]
            yield Row(
                f"{agents:,} agents, {contacts:,} contacts",
                f"{each * 1e9:.0f}", f"{each / first:.2f}",
                "< 2" if last else "", each < 2 * first if last else None,
            )  # fmt: skip


def memory(size: Size) -> Iterable[Row]:
    """Peak memory of a process [MB] that simulates the bank week so many times."""
    first = None
    for number in (32, size.many_replications):
        peak = child("memory", str(number))["peak"]
        first = first or peak
        last = number != 32
        yield Row(
            f"bank week, {number:,} replications", f"{peak:.0f}", f"{peak / first:.2f}",
            "flat" if last else "", peak < 1.1 * first if last else None,
        )  # fmt: skip


def two_cores(size: Size) -> Iterable[Row]:
    """Wall-clock time [s] of studies with one worker and with two."""
    number = size.many_replications
    for name, of in (("bank week", centres.bank_week()), ("skills day", centres.skills_day())):
        seconds = {}
        for workers in (1, 2):
            least = float("inf")
            for _ in range(2):
                before = time.perf_counter()
                replicate(
                    of.case, [of.plan], seed=1, replications=number, workers=workers,
                    engine="compiled",
                )  # fmt: skip
                least = min(least, time.perf_counter() - before)
            seconds[workers] = least
            last = at_least(seconds[1] / least, 1.8) if workers == 2 else ()
            what = f"{name}, {number:,} replications, {workers} of {available_cores()} cores"
            yield Row(what, f"{least:.2f}", *last)


def start() -> Iterable[Row]:
    """Seconds until the first result: importing, compiling, and with machine code kept."""
    with tempfile.TemporaryDirectory() as folder:
        for label in ("machine code compiled (first time on a machine)", "machine code kept"):
            told = child("start", cache=folder)
            yield Row(f"{label}: first replication", f"{told['first']:.2f}")
        yield Row("the same in a process that has run it", f"{told['again']:.3f}")
        yield Row("import of `ccsim.study`", f"{told['study']:.2f}")
        yield Row("import of numba", f"{told['numba']:.2f}")


def child(what: str, *given: str, cache: str | None = None) -> dict[str, float]:
    """What a process of its own tells."""
    kept = {"NUMBA_CACHE_DIR": cache} if cache else {}
    done = subprocess.run(
        [sys.executable, __file__, "--child", what, *given],
        env={**os.environ, **kept}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told: dict[str, float] = json.loads(done.stdout)
    return told


def told(what: str, given: list[str]) -> dict[str, float]:
    """The other side of `child`."""
    of = centres.bank_week()
    if what == "memory":
        replicate(of.case, [of.plan], seed=1, replications=int(given[0]), engine="compiled")
        return {"peak": peak_memory()}
    seconds = {}
    for name in ("first", "again"):
        before = time.perf_counter()
        for draw in draw_replications(of.demand, 1, [0], compiled=True):
            log = run(of.model, draw, "compiled")
            count(of.model, log, measuring_rules(of.case.scenario), compiled=True)
        seconds[name] = time.perf_counter() - before
    for name, module in (("study", "ccsim.study"), ("numba", "numba")):
        code = (
            f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              check=True, cwd=Path(__file__).parents[1])  # fmt: skip
        seconds[name] = float(done.stdout)
    return seconds


def peak_memory() -> float:
    """The most memory this process has held [MB].

    On Linux its own from its start; `ru_maxrss` begins there with what its parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def processor() -> str:
    """The processor's model, as the system calls it."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main(size: Size) -> None:
    before = time.perf_counter()
    parts = [f"{name} {version(name)}" for name in ("numpy", "numba", "simpy")]
    compiler = c_kernel.compiler_version() if c_kernel.compiler() else "no C compiler"
    print(f"{processor()}, {available_cores()} cores; Python {platform.python_version()}, "
          f"{', '.join(parts)}; {compiler}.")  # fmt: skip
    table("M/M/50 + M, 96 % load, patience two handle times", one_queue(size), "calls/s")
    table("Whole centres, one core", whole_centres(size), "contacts/s")
    print("\nThe ratio is that of one contact's time.")
    table("Behaviours switched on", behaviours(size), "ns a contact")
    print("\nThe ratio is to the plain centre, but for C.")
    table("Examples of ContactCenters, drawn, run and counted", contact_centres(size), "contacts/s")
    print("\nIn place of a ratio: contacts a second as its result files state, on another machine.")
    table("Growth", growth(size), "ns a contact")
    table("Peak memory", memory(size), "MB")
    if available_cores() > 1:
        table("Two cores, wall clock", two_cores(size), "s")
    table("Start", start(), "s")
    print(f"\n{time.perf_counter() - before:.0f} s in all.")


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(told(sys.argv[2], sys.argv[3:])))
    else:
        main(QUICK if "--quick" in sys.argv else FULL)
