"""Speed and errors of the Erlang formulas beside those of other packages, in one run.

Run `python benchmarks/formula_speed.py`; it takes some three minutes. Other packages are no
dependencies of this one: those found are measured, the others named as missing. To have all of
them, in an environment of its own with Python 3.12 or newer, from the root of the checkout:

    pip install -e . pyworkforce==0.5.4 turbotab==0.8.0 pyqueueing==0.1.1 line-solver==3.0.8.0 \
        call-center-tools==1.0.0 callcenterdim==0.0.3 wfmplan==1.2.2 erlanglib==1.2.0

Times are processor seconds of the whole process: threads add up, other jobs of the machine do not
count. The time limit needs POSIX.
"""

from __future__ import annotations

import json
import math
import os
import platform
import signal
import time
import timeit
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, localcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import formula_errors
import numpy as np
from formula_errors import Case, Golden
from formula_peers import Formula, Package, found_peers, multi_erlang_c
from numpy.typing import NDArray

from ccsim import queueing as q

Floats = NDArray[np.float64]

SIZES = (10, 100, 1_000, 10_000, 100_000)  # agents
MANY = 100_000  # different inputs in an array
SOLVES = 10_000  # staffing questions in an array
LONGEST = 1.0  # seconds for one answer of a package; what takes longer is called slow
WRONG = 1e-6  # relative error from which an answer is called wrong
OURS = formula_errors.FORMULAS
SHARED = Path(os.environ.get("CCSIM_SHARED", Path(__file__).parents[2] / "shared"))
STAFFING = SHARED / "cases" / "peer_schedules.json"


class Slow(BaseException):
    """An answer takes longer than its limit; no `except Exception` of a package catches it."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Break off what takes more processor seconds; their own timer would coarsen their clock."""
    start = time.process_time()

    def look(*_: object) -> None:
        if time.process_time() - start > seconds:
            raise Slow

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def best_time(call: Callable[[], object], budget: float) -> float:
    """Processor seconds of one call: the best of the measurements that the budget allows."""
    timer = timeit.Timer(call, timer=time.process_time)
    once = max(timer.timeit(1), 1e-6)
    number = max(1, int(budget / 5 / once))
    repeats = min(5, int(budget / once))
    return min([once, *(seconds / number for seconds in timer.repeat(repeats, number))])


class Answer(NamedTuple):
    """What a formula says to one question."""

    value: float
    seconds: float
    failure: str  # what went wrong, or nothing


def ask(formula: Formula, case: Case, budget: float = 0.002) -> Answer:
    """Put one question to one formula, which may fail in any way; time a quick answer again."""
    value, failure = math.nan, ""
    start = time.process_time()
    try:
        with at_most(LONGEST):
            value = float(formula(case))
    except Slow:
        failure = "slow"
    except Exception as error:
        failure = type(error).__name__
    seconds = time.process_time() - start
    if not failure and not math.isfinite(value):
        failure = str(value)
    if not failure and seconds < budget:
        seconds = best_time(lambda: formula(case), budget)
    return Answer(value, seconds, failure)


def shown_time(seconds: float) -> str:
    """Lay a time out with three digits, in a unit that fits."""
    units = ((1, "s"), (1e3, "ms"), (1e6, "µs"))
    scale, unit = next((pair for pair in units if seconds * pair[0] >= 0.9995), units[-1])
    digits = 2 - int(math.log10(max(seconds * scale, 1.0)) + 1e-3)
    return f"{seconds * scale:.{digits}f} {unit}"


def shown_ratio(ratio: float) -> str:
    """Lay out how many times ours it is."""
    if ratio >= 1e5:
        return f"×{ratio / 1e6:.1f}M"
    return f"×{ratio:,.0f}" if ratio >= 10 else f"×{ratio:.2g}"


def our_formulas(agents: int) -> dict[str, tuple[Callable[..., Any], tuple[Floats, ...]]]:
    """Every formula with its arrays of different inputs about one number of agents.

    Loads lie within three standard deviations of the agents, where customers wait and where the
    formulas take longest: below the agents for Erlang C, on both sides for the others.
    """
    random = np.random.default_rng(agents)
    n = np.full(MANY, float(agents))
    below = n - np.sqrt(n) * random.uniform(0.05, 3, MANY)
    load = n - np.sqrt(n) * random.uniform(-3, 3, MANY)
    h, p, t = (random.uniform(least, 5 * least, MANY) for least in (120, 60, 12))

    def level(name: q.SteadyStateFormula) -> Callable[..., Any]:
        return lambda *given: q.erlang_a_service_level(*given, formula=name, short_abandon=5)

    def wait(of: Any) -> Callable[..., Any]:
        return lambda *given: q.erlang_a_mean_wait(*given, of=of)

    some = slice(SOLVES)
    return {
        "Erlang B": (q.erlang_b, (load, n)),
        "C, waiting probability": (q.erlang_c, (below, n)),
        "C, service level": (q.erlang_c_service_level, (below, n, h, t)),
        "A, waiting probability": (q.erlang_a_waiting_probability, (load, n, h, p)),
        **{f"A, {name}": (level(name), (load, n, h, p, t)) for name in q.FORMULAS_IN_WORDS},
        **{f"A, mean wait of {of}": (wait(of), (load, n, h, p)) for of in ("all", "answered")},
        "A, mean virtual wait": (wait("virtual"), (load, n, h, p)),
        "B, agents to lose 1 %": (lambda a: q.erlang_b_agents(a, 0.01), (load[some],)),
        "C, agents for 80 %": (
            lambda *given: q.erlang_c_agents(*given, 0.8), (load[some], h[some], t[some]),
        ),
        "A, agents for 80 %": (
            lambda *given: q.erlang_a_agents(*given, 0.8),
            (load[some], h[some], p[some], t[some]),
        ),
    }  # fmt: skip


def speeds(_peers: dict[str, Package]) -> str:
    """Lay out how many thousand of each formula are computed in a second."""
    best: dict[str, dict[int, float]] = {}
    for _ in range(2):  # rounds, as a machine may be disturbed for a while
        for agents in SIZES:
            for name, (formula, given) in our_formulas(agents).items():
                seconds = best_time(lambda f=formula, g=given: f(*g), 0.1) / given[0].size
                found = best.setdefault(name, dict.fromkeys(SIZES, math.inf))
                found[agents] = min(found[agents], seconds)
    lines = [f"{'thousands a second; agents:':<30}" + "".join(f"{n:>9,}" for n in SIZES)]
    lines[0] += "  one call of 100"
    for name, (formula, given) in our_formulas(100).items():
        numbers = [float(values[0]) for values in given]
        alone = best_time(lambda f=formula, g=numbers: f(*g), 0.05)
        row = "".join(f"{1e-3 / seconds:>9,.0f}" for seconds in best[name].values())
        lines.append(f"{name:<30}{row}{shown_time(alone):>17}")
    return "\n".join(lines)


def _rising_sum(y: Decimal, x: Decimal) -> Decimal:
    """1F1(1; y + 1; x) = the sum of x^k / ((y + 1) ... (y + k)), all terms positive."""
    term = total = Decimal(1)
    k = 0
    while term > total * Decimal("1e-40"):
        k += 1
        term *= x / (y + k)
        total += term
    return total


def exact(c: Case) -> dict[str, float]:
    """Erlang B, C and A to 40 digits: by the recursion, and by the power series of α."""
    with localcontext() as context:
        context.prec = 60
        a, h, t, p = (Decimal(v) for v in (c.load, c.handle_time, c.threshold, c.patience))
        full = Decimal(1)  # 1 / B
        for n in range(1, c.agents + 1):
            full = 1 + full * n / a
        waits_c = 1 / (1 + (1 - a / c.agents) * (full - 1))

        x, y = a * p / h, c.agents * p / h
        later = x * (-t / p).exp()
        busy, busy_later = _rising_sum(y, x), _rising_sum(y + 1, later)
        waits = 1 / (1 + (full - 1) / busy)
        gives_up = (y / busy - (y - x)) / x
        late = y / x * later / (y + 1) * (x - later - y * t / p).exp() * busy_later / busy
        return {
            "erlang_b": float(1 / full),
            "erlang_c": float(waits_c),
            "c_sl": float(1 - waits_c * (-(c.agents - a) * t / h).exp()),
            "a_pwait": float(waits),
            "a_pabandon": float(waits * gives_up),
            "a_sl_offered": float(1 - waits * (gives_up + late)),
        }


ARRAYS: dict[str, Callable[..., Any]] = {
    "erlang_b": lambda a, n, *_: q.erlang_b(a, n),
    "erlang_c": lambda a, n, *_: q.erlang_c(a, n),
    "c_sl": lambda a, n, h, _, t: q.erlang_c_service_level(a, n, h, t),
    "a_pwait": lambda *given: q.erlang_a_waiting_probability(*given[:4]),
    "a_pabandon": lambda *given: q.erlang_a_abandonment(*given[:4]),
    "a_sl_offered": q.erlang_a_service_level,
}


def array_time(formula: Callable[..., Any], cases: Sequence[Case]) -> float:
    """Processor seconds for one of many different inputs."""
    many = np.tile(np.array([(*c.queue, c.threshold) for c in cases]).T, MANY // len(cases))
    many[0] *= 1 - np.linspace(0, 1e-6, many.shape[1])
    return best_time(lambda: formula(*many), 0.3) / many.shape[1]


def by_size(peers: dict[str, Package]) -> str:
    """Lay out time, ratio and worst error of one formula, package by package, at every size."""
    betas = (0.25, 1.0, 2.0, 2.8)
    grid = [[Case(n - b * math.sqrt(n), n, 300, 20, 180) for b in betas] for n in SIZES]
    truth = {case: exact(case) for cases in grid for case in cases}

    def worst(name: str, cases: Sequence[Case], values: Iterable[float]) -> str:
        pairs = zip(values, cases, strict=True)
        return f"{max(abs(value / truth[case][name] - 1) for value, case in pairs):.0e}"

    def cell(name: str, formula: Formula, cases: Sequence[Case], least: float) -> str:
        answers: list[Answer] = []
        for case in cases:
            answers.append(ask(formula, case, 0.01))
            if answers[-1].failure:
                return answers[-1].failure
        seconds = sum(answer.seconds for answer in answers) / len(answers)
        error = worst(name, cases, [answer.value for answer in answers])
        return f"{shown_time(seconds)} {shown_ratio(seconds / least)} {error}"

    lines = ["one formula: time, times that of our arrays, worst error"]
    for name, formula in ARRAYS.items():
        ours = [array_time(formula, cases) for cases in grid]
        errors = [worst(name, cases, [OURS[name](c) for c in cases]) for cases in grid]
        rows = {"": [f"{n:,} agents" for n in SIZES]}
        rows["ccsim, arrays"] = [f"{shown_time(s)} {e}" for s, e in zip(ours, errors, strict=True)]
        packages = {"ccsim, single calls": OURS} | peers
        for package in (package for package in packages if name in packages[package]):
            row = rows[package] = []
            for cases, least in zip(grid, ours, strict=True):
                slow = row[-1:] == ["slow"]  # and not quicker with more agents
                asked = packages[package][name]
                row.append("slow" if slow else cell(name, asked, cases, least))
        lines.append("")
        for package, row in rows.items():
            lines.append(f"{package or name:<20}" + "".join(f"{shown:>22}" for shown in row))
    return "\n".join(lines)


def golden_rows() -> list[tuple[Case, Golden]]:
    """Every golden row that has a value, with its arguments as packages want them."""
    return [
        (row.given._replace(agents=int(row.given.agents)), row)
        for row in formula_errors.golden_rows()
        if row.value is not None
    ]


def on_golden_rows(peers: dict[str, Package]) -> str:
    """Lay out what every package makes of the golden rows of the quantities it knows."""
    rows = golden_rows()
    known = {name for formulas in peers.values() for name in formulas} | set(ARRAYS)
    reference: Package = {name: lambda c, name=name: exact(c)[name] for name in ARRAYS}
    packages = {"ccsim": {name: OURS[name] for name in OURS if name in known}} | peers
    least: dict[str, float] = {}  # our time for all rows of a quantity, the better of two
    for name in packages["ccsim"] | reference:
        asked = [case for case, row in rows if row.quantity == name]
        least[name] = min(sum(ask(OURS[name], case).seconds for case in asked) for _ in range(2))
    lines = [
        f"{'40-digit rows':<19}{'quantity':<14}{'rows':>4}{'right':>6}{'wrong':>6}{'failed':>7}"
        f"{'worst error':>12}{'time':>9}{'÷ ours':>8}  where"
    ]
    for package, formulas in (packages | {"40 digits, above": reference}).items():
        for name, formula in formulas.items():
            asked = [(case, row) for case, row in rows if row.quantity == name]
            seconds = worst = 0.0
            trouble: dict[str, list[str]] = {}
            for case, row in asked:
                answer = ask(formula, case)
                seconds += answer.seconds
                expected = float(row.value)
                error = abs(answer.value - expected) / expected
                worst = max(worst, error)  # a NaN on the right is not larger
                if answer.failure or error > WRONG:
                    trouble.setdefault(answer.failure or "wrong", []).append(row.case)
            wrong = len(trouble.get("wrong", ()))
            failed = sum(map(len, trouble.values())) - wrong
            where = "; ".join(
                f"{what} {'everywhere' if len(names) == len(asked) else ' '.join(names)}"
                for what, names in trouble.items()
            )
            lines.append(
                f"{package:<19}{name:<14}{len(asked):>4}{len(asked) - wrong - failed:>6}"
                f"{wrong:>6}{failed:>7}{worst:>12.0e}{shown_time(seconds):>9}"
                f"{shown_ratio(seconds / least[name]):>8}  {where}".rstrip()
            )
    return "\n".join(lines)


def staffing(peers: dict[str, Package]) -> str:
    """Lay out the 1,680 staffing solves: sum of the agents, how many differ, time."""
    if not STAFFING.is_file():
        return "staffing solves: skipped, no folder shared/cases beside the checkout"
    facts = json.loads(STAFFING.read_text(encoding="utf-8"))["staffing_benchmark"]
    volumes = [volume or 6.0 for day in facts["volumes_per_half_hour"] for volume in day]
    cases = [
        Case(
            volume * channel["factor"] * channel["aht_s"] / 1800, 0, channel["aht_s"],
            channel["target_s"], facts["patience_s"],
        )
        for channel in facts["channels"] for volume in volumes
    ]  # fmt: skip
    load, _, h, p, t = np.array([(*c.queue, c.threshold) for c in cases]).T
    arrays: dict[str, tuple[str, Callable[[], Any]]] = {
        "n_c_80": ("Erlang C", lambda: q.erlang_c_agents(load, h, t, 0.8)),
        "n_a_80": ("Erlang A", lambda: q.erlang_a_agents(load, h, p, t, 0.8)),
    }
    truth = {"n_c_80": arrays["n_c_80"][1](), "n_a_80": np.array(facts["erlang_a_exact_agents"])}
    lines = [
        f"{'1,680 staffing solves':<36}{'agents':>8}{'differ':>8}{'by at most':>12}"
        f"{'failed':>8}{'time':>10}{'÷ ours':>9}"
    ]
    for name, (model, in_one) in arrays.items():
        least = best_time(in_one, 0.5)
        found: dict[str, tuple[Sequence[float], float]] = {"ccsim, arrays": (in_one(), least)}
        for package, formulas in ({"ccsim, single calls": OURS} | peers).items():
            if name in formulas:
                answers = [ask(formulas[name], case, 0) for case in cases]
                seconds = sum(answer.seconds for answer in answers)
                found[package] = [answer.value for answer in answers], seconds
        if name == "n_c_80" and "pyworkforce" in peers:
            start = time.process_time()
            solved = multi_erlang_c(cases)
            found["pyworkforce MultiErlangC"] = solved, time.process_time() - start
        for package, (values, seconds) in found.items():
            agents = np.asarray(values, dtype=float)
            apart = np.abs(agents - truth[name])
            lines.append(
                f"{f'{model}, {package}':<36}{np.nansum(agents):>8,.0f}{(apart > 0).sum():>8}"
                f"{np.nanmax(apart):>12.0f}{np.isnan(apart).sum():>8}{shown_time(seconds):>10}"
                f"{shown_ratio(seconds / least):>9}"
            )
    return "\n".join(lines)


def published(_peers: dict[str, Package]) -> str:
    """Lay our errors out on the published cases of Erlang B, C and A, by topic."""
    text = formula_errors.PUBLISHED.read_text(encoding="utf-8")
    topics = ("erlang_b", "erlang_b_continuous", "erlang_c", "erlang_c_staffing", "erlang_a")
    cases = [case for case in json.loads(text)["cases"] if case["topic"] in topics]
    return formula_errors.published_table(
        [row for case in cases for row in formula_errors.compare_case(case)]
    )


def processor() -> str:
    """Model of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def main() -> None:
    """Print every table."""
    start = time.perf_counter()
    print(f"ccsim {version('ccsim')}, {date.today():%d %B %Y}, {processor()}")
    print(f"Python {platform.python_version()}, numpy {np.__version__}, scipy {version('scipy')}")
    peers = found_peers()
    for table in (speeds, by_size, on_golden_rows, staffing, published):
        print(f"\n{table(peers)}", flush=True)
    print(f"\n{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
