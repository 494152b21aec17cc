"""What a report says, section by section, as plain words and tables; how it looks is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ccsim.economics import MILLIONTHS
from ccsim.performance.promises import Kept
from ccsim.performance.tables import LEVEL
from ccsim.plots import covering_rows, day_name, item_name, judged, short_name
from ccsim.reporting.numbers import Unit, Written, number, write
from ccsim.results import (
    Comparison,
    PlanResult,
    Simulation,
    cost_per_request,
    coverage_table,
    total_cost,
)
from ccsim.scenario import Case
from ccsim.scenario.model import Given
from ccsim.statistics import (
    Estimate,
    Finding,
    paired_difference,
    paired_ratio_difference,
    ratio,
)

Shown = PlanResult | Simulation
Mark = Literal["", "good", "bad", "open", "strong"]

FORMULAS = {
    "of_offered": "answered in time ÷ offered",
    "of_answered": "answered in time ÷ answered",
    "with_abandoned_in_time": "(answered in time + abandoned in time) ÷ offered",
    "without_abandoned_in_time": "answered in time ÷ (offered − abandoned in time)",
    "without_short_abandons": "answered in time ÷ (offered − short abandons)",
    "with_short_abandons": "(answered in time + short abandons) ÷ offered",
}
"""Every service-level formula in words."""
METRICS = {
    "lost": "lost requests ÷ requests",
    "abandoned": "abandoned ÷ offered",
    "average speed of answer": "seconds waited by answered contacts ÷ answered",
}
WORST = 5
"""How many of the worst intervals are shown."""


@dataclass(frozen=True)
class Cell:
    """What stands in a table: a text, a smaller one below it, and how it is to be read."""

    text: str
    below: str = ""
    mark: Mark = ""


@dataclass(frozen=True)
class Table:
    """A table of a report: the first `words` columns are words, the others numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1


def table(
    columns: tuple[str, ...], rows: list[tuple[Cell | Written | str, ...]], words: int = 1
) -> Table:
    """Make a table of texts, written numbers and cells."""
    return Table(columns, tuple(tuple(_cell(each) for each in row) for row in rows), words)


def promise_table(result: Shown) -> Table:
    """Each promise: met or not, its estimate, the one-sided limit, days, and how it is counted."""
    rows: list[tuple[Cell | Written | str, ...]] = []
    findings = findings_of(result)
    certified = isinstance(result, PlanResult)
    for one, finding in zip(result.kept, findings, strict=True):
        target = one.promise.target
        unit = unit_of(one)
        scenario = result.case.scenario.contact_types[one.promise.contact_type]
        limit: Cell | str = ""
        if finding is not None and np.isfinite(finding.one_sided_limit):
            limit_unit: Unit = "%" if target.share_of_days is not None else unit
            bound = Estimate(finding.one_sided_limit, np.nan, np.nan, LEVEL, "simulated", 0)
            half = finding.estimate.half_width
            side = "at least" if finding.sense == "at least" else "at most"
            limit = Cell(_with_digits_of(bound.value, half, limit_unit, finding.target), side)
        rows.append(
            (
                Cell(short_name(one, result.case.grid), str(target)),
                met(one, finding),
                METRICS.get(target.metric) or FORMULAS[scenario.service_level.formula],
                write(one.estimate, unit, most=2 if unit == "%" else 1, apart_from=target.value),
                *((limit,) if certified else ()),
                "" if one.share_of_days is None else write(one.share_of_days, "%", most=1),
                "" if one.tenth_percentile is None else write(one.tenth_percentile, unit, most=1),
            )
        )
    limits = ("one-sided limit",) if certified else ()
    columns = ("promise", "met?", "counted as", "simulated", *limits)
    return table((*columns, "share of days", "tenth-worst day"), rows, words=3)


def findings_of(result: Shown) -> tuple[Finding | None, ...]:
    """What the certificate found of each promise, in their order; nothing without one."""
    if isinstance(result, PlanResult):
        return result.planned.certificate.findings
    return (None,) * len(result.kept)


def met(one: Kept, finding: Finding | None) -> Cell:
    """Whether a promise is met: by the certificate, or else by the estimate's own interval."""
    if finding is not None:
        word = finding.finding
        if word == "clears":
            return Cell("✓ met", mark="good")
        if word in ("not decided", "no service level"):
            return Cell(f"? {word}", mark="open")
        return Cell("✕ missed", "" if word == "misses" else word, mark="bad")
    estimate, bound = judged(one)
    if not np.isfinite(estimate.lower):
        return Cell("? no interval", mark="open")
    at_least = (
        one.promise.target.share_of_days is not None or one.promise.target.sense == "at least"
    )
    holds = estimate.lower >= bound if at_least else estimate.upper <= bound
    breaks = estimate.upper < bound if at_least else estimate.lower > bound
    if holds:
        return Cell("✓ met", mark="good")
    return Cell("✕ missed", mark="bad") if breaks else Cell("? too close", mark="open")


def room(one: Kept, finding: Finding | None) -> float:
    """How far a promise is from its bound by its limit, as a share; the least is the closest."""
    estimate, bound = judged(one)
    value = estimate.value
    if finding is not None and np.isfinite(finding.one_sided_limit):
        value = finding.one_sided_limit
    at_least = (
        one.promise.target.share_of_days is not None or one.promise.target.sense == "at least"
    )
    left = value - bound if at_least else bound - value
    return (
        left / bound if unit_of(one) == " s" and one.promise.target.share_of_days is None else left
    )


def unit_of(one: Kept) -> Unit:
    """Per cent, or seconds for a speed of answer."""
    return " s" if one.promise.target.metric == "average speed of answer" else "%"


def worst_table(result: Shown) -> Table:
    """The intervals of lowest service level, of those with at least one contact expected."""
    case, sample = result.case, result.sample
    estimates = {
        name: sample.intervals.estimates(name, LEVEL)
        for name in ("offered", "service_level", "speed_of_answer", "abandoned", "on_the_floor")
    }
    offered, level = estimates["offered"].value, estimates["service_level"].value
    eligible = (offered >= 1) & np.isfinite(level)
    places = sorted(zip(*np.nonzero(eligible), strict=True), key=lambda at: (level[at], at))
    groups = list(case.scenario.agent_groups)
    required = _required(result)
    rows: list[tuple[Cell | Written | str, ...]] = []
    for kind, interval in places[:WORST]:
        name = list(case.scenario.contact_types)[kind]
        day, start = case.grid.labels[interval].split(" ")
        skilled = [
            i for i, group in enumerate(groups) if name in case.scenario.agent_groups[group].skills
        ]
        there = [estimates["on_the_floor"][i, int(interval)] for i in skilled]
        present = (
            write(there[0], most=1) if len(there) == 1 else number(sum(e.value for e in there), 1)
        )
        closed = not case.grid.opening(case.scenario.contact_types[name].open)[interval]
        rows.append(
            (
                Cell(f"{day_name(day)}, {start}", "closed" if closed else ""),
                name,
                write(estimates["offered"][kind, interval], most=1),
                write(estimates["service_level"][kind, interval], "%", most=1),
                write(estimates["speed_of_answer"][kind, interval], " s", most=1),
                write(estimates["abandoned"][kind, interval], "%", most=1),
                *((required[name][interval],) if required else ()),
                present,
            )
        )
    columns = (
        "interval",
        "contact type",
        "offered",
        "service level",
        "speed of answer",
        "abandoned",
    )
    more = ("agents required", "on the floor") if required else ("on the floor",)
    return table((*columns, *more), rows, words=2)


def _required(result: Shown) -> dict[str, list[str]]:
    """Agents required in each interval by the widest set that a contact type belongs to."""
    if isinstance(result, Simulation):
        return {}
    return {
        name: [f"{agents}" for agents in row.agents.tolist()]
        for row in covering_rows(result.planned.requirement.rows)
        for name in row.contact_types
    }


def cost_lines_table(result: Shown) -> Table:
    """The invoice, line by line, with the total that it adds up to."""
    cost, sample = result.cost, result.sample
    rows: list[tuple[Cell | Written | str, ...]] = []
    for line in cost.lines:
        blocks = sample.blocks(line.per_replication) / MILLIONTHS
        estimate = ratio(blocks, np.full(len(blocks), sample.block_size), LEVEL)
        certain = bool(np.all(line.per_replication == line.per_replication[0]))
        note = "exact" if certain else write(estimate).interval
        what = " · ".join(part for part in (item_name(line.item), line.contact_type) if part)
        rows.append((line.group, what, Cell(line.driver), Cell(f"{line.amount:,}", note)))
    total = write(
        ratio(
            sample.blocks(cost.total.per_replication) / MILLIONTHS,
            np.full(len(sample.blocks(cost.requests)), sample.block_size),
            LEVEL,
        )
    )
    rows.append(
        (
            Cell("total", mark="strong"),
            "",
            "",
            Cell(f"{cost.total.mean:,}", total.interval, "strong"),
        )
    )
    return table(
        ("agent group", "for", "quantity × price", f"amount [{cost.currency}]"), rows, words=3
    )


def contact_cost_table(result: Shown) -> Table:
    """Cost per handled contact of each contact type, idle time under its two drivers."""
    cost, sample = result.cost, result.sample
    rows: list[tuple[Cell | Written | str, ...]] = []
    for name, each in cost.by_contact_type.items():
        direct = ratio(
            sample.blocks(each.direct.per_replication) / MILLIONTHS,
            sample.blocks(each.handled),
            LEVEL,
        )
        per = []
        for driver in ("handled_time", "contacts"):
            over, under = cost.per_handled_contact(name, driver)
            per.append(
                write(ratio(sample.blocks(over) / MILLIONTHS, sample.blocks(under), LEVEL), most=4)
            )
        rows.append((name, write(direct, most=4), *per))
    columns = (
        "contact type",
        "handling alone",
        "with idle time by handled time",
        "with idle time by contacts",
    )
    return table(columns, rows)


def service_table(result: Shown) -> Table:
    """What each contact type lives through over the horizon."""
    from ccsim.performance.tables import contact_type_table

    frame = contact_type_table(result.sample, result.case.scenario, result.case.grid)
    cut = result.sample.measure("redials_cut").sum(axis=2)
    sizes = np.full(result.sample.intervals.blocks, result.sample.block_size)
    units: dict[str, Unit] = {
        "requests": "", "offered": "", "redials": "", "service_level": "%",
        "speed_of_answer": " s", "abandoned_share": "%", "lost_share": "%",
    }  # fmt: skip
    rows: list[tuple[Cell | Written | str, ...]] = []
    for index, row in enumerate(frame.to_dict("records")):
        cells: list[Cell | Written | str] = [str(row["contact_type"])]
        for name, unit in units.items():
            value, lower, upper = (float(row[f"{name}{end}"]) for end in ("", "_lower", "_upper"))
            estimate = Estimate(
                value, lower, upper, LEVEL, "simulated", result.sample.intervals.blocks
            )
            cells.append(write(estimate, unit, most=2 if unit == "%" else 1))
        cells.append(write(ratio(result.sample.blocks(cut[:, index]), sizes, LEVEL), most=3))
        rows.append(tuple(cells))
    columns = (
        "contact type",
        "requests",
        "offered",
        "redials",
        "service level",
        "speed of answer",
        "abandoned",
        "lost",
        "redials cut",
    )
    return table(columns, rows)


def search_table(result: PlanResult) -> Table:
    """Round after round: what was tried, what it costs, what the simulation refused."""
    steps = {
        "formulas": "what the formulas ask for",
        "raised": "requirement raised where a promise was short",
        "lowered": "requirement lowered where there was room",
        "one shift fewer": "one shift taken away",
    }
    rows: list[tuple[Cell | Written | str, ...]] = []
    for look in result.planned.looks:
        said = Cell("every promise with room to spare", mark="good")
        if look.missed:
            said = Cell(
                f"refused: {_counted(len(look.missed), 'promise')} missed", look.missed[0], "bad"
            )
        elif look.short:
            said = Cell(
                "all reached, some without the margin for a certificate", look.short[0], "open"
            )
        rows.append((str(look.number), steps.get(look.step, look.step), said, f"{look.cost:,.2f}"))
    return table(
        ("round", "what was tried", "what simulation said", f"cost [{result.cost.currency}]"),
        rows,
        words=3,
    )


def what_the_search_did(result: PlanResult) -> str:
    """The rounds after the first one, in a sentence."""
    steps = [look.step for look in result.planned.looks[1:]]
    raised, lowered, fewer = (steps.count(s) for s in ("raised", "lowered", "one shift fewer"))
    did = []
    if raised:
        did.append(
            f"raised the requirement where promises were short ({_counted(raised, 'round')})"
        )
    if lowered:
        did.append(f"lowered the requirement where there was room ({_counted(lowered, 'round')})")
    if fewer:
        did.append(f"took away {_counted(fewer, 'shift')}, one by one")
    if not did:
        return "There was nothing left to adjust."
    return f"The search then {', '.join(did[:-1])}{' and ' if did[1:] else ''}{did[-1]}."


def attempts_table(result: PlanResult) -> Table:
    """Every attempt to certify, on replications of its own."""
    marks: dict[str, Mark] = {"certified": "good", "missed": "bad", "not decided": "open"}
    rows: list[tuple[Cell | Written | str, ...]] = [
        (
            str(one.attempt),
            Cell(one.verdict, mark=marks[one.verdict]),
            f"{one.level:.2%}",
            f"{one.blocks * result.sample.block_size:,}",
        )
        for one in result.planned.attempts
    ]
    return table(
        ("attempt", "verdict", "risk of a false certificate", "replications"), rows, words=2
    )


def schedule_table(result: Shown) -> Table:
    """Agents who start each kind of shift, by day, and their paid hours."""
    grid, plan = result.case.grid, result.plan
    by_weekday = grid.days > 10
    weekdays = [day_name(one).split(" ")[0] for one in grid.dates]
    heads = list(dict.fromkeys(weekdays)) if by_weekday else [day_name(one) for one in grid.dates]
    column = [heads.index(name) for name in weekdays] if by_weekday else list(range(grid.days))
    counts: dict[tuple[str, str], list[float]] = {}
    paid: dict[tuple[str, str], float] = {}
    for shift in plan.schedule:
        key = shift.group, shift.shift
        day = int(np.searchsorted(grid.day_starts, shift.start, side="right")) - 1
        counts.setdefault(key, [0.0] * len(heads))[column[day]] += shift.agents
        paid[key] = paid.get(key, 0.0) + shift.paid * shift.agents / 3.6e9
    digits = dict.fromkeys(counts, 0)
    for group, agents in plan.by_interval.items():
        key = group, "by interval, agent hours"
        hours = np.array(agents) * grid.interval_us / 3.6e9
        per_day = np.bincount(np.array(column)[grid.day], hours, minlength=len(heads))
        counts[key], paid[key], digits[key] = per_day.tolist(), float(hours.sum()), 1
    rows: list[tuple[Cell | Written | str, ...]] = [
        (
            *key,
            *(number(n, digits[key]) if n else "·" for n in each),
            number(sum(each), digits[key]),
            number(paid[key], 1),
        )
        for key, each in counts.items()
    ]
    return table(("agent group", "shift", *heads, "in all", "paid hours"), rows, words=2)


def sources_table(case: Case) -> Table:
    """Every source that the scenario gives, with what it stands for."""
    places: dict[str, list[str]] = {}
    for path, source in sources(case.scenario, "the whole scenario"):
        places.setdefault(source, []).append(path)
    rows: list[tuple[Cell | Written | str, ...]] = [
        (Cell(", ".join(paths)), Cell(source, mark="open" if "assum" in source.lower() else ""))
        for source, paths in places.items()
    ]
    return table(("what", "source"), rows, words=2)


def sources(given: Given, path: str = "") -> Iterator[tuple[str, str]]:
    """Each place in a scenario that names its source."""
    if given.source is not None:
        yield path, given.source
    inside = "" if path == "the whole scenario" else f"{path}."
    for name in type(given).model_fields:
        value = getattr(given, name)
        if isinstance(value, Given):
            yield from sources(value, f"{inside}{name}")
        elif isinstance(value, dict):
            for key, each in value.items():
                if isinstance(each, Given):
                    yield from sources(each, f"{inside}{name}.{key}")


def comparison_table(result: Comparison) -> Table:
    """Each variant's cost and promises, with its paired differences from the first."""
    first = result.simulations[0]
    rows: list[tuple[Cell | Written | str, ...]] = []
    for one in result.simulations:
        good = sum(met(kept, None).mark == "good" for kept in one.kept)
        differences: tuple[Cell | Written | str, ...] = ("", "")
        if one is not first:
            here, there = (
                each.sample.blocks(each.cost.total.per_replication) / MILLIONTHS
                for each in (one, first)
            )
            size = one.sample.block_size
            requests = [each.sample.blocks(each.cost.requests) for each in (one, first)]
            differences = (
                write(paired_difference(here / size, there / size, LEVEL), signed=True),
                write(
                    paired_ratio_difference(here, requests[0], there, requests[1], LEVEL),
                    most=4,
                    signed=True,
                ),
            )
        rows.append(
            (
                Cell(one.case.variant or "as it stands", mark="strong"),
                Cell(f"{good} of {len(one.kept)}", mark="good" if good == len(one.kept) else "bad"),
                write(total_cost(one.cost, one.sample)),
                differences[0],
                write(cost_per_request(one.cost, one.sample), most=4),
                differences[1],
            )
        )
    columns = ("variant", "promises met", "cost", "difference", "per request", "difference")
    return table(columns, rows, words=2)


def over_and_under(result: PlanResult) -> tuple[float, float]:
    """Agent hours above and below the requirement, on the widest sets of contact types."""
    frame = coverage_table(result.case, result.planned.requirement, result.plan)
    widest = {row.name for row in covering_rows(result.planned.requirement.rows)}
    beyond = frame[frame["contact_types"].isin(widest)]["over_under"].to_numpy(dtype=float)
    hours = result.case.grid.interval_us / 3.6e9
    return float(beyond.clip(0).sum() * hours), float((-beyond).clip(0).sum() * hours)


def formulas(result: PlanResult) -> tuple[str, ...]:
    """Which formula the agents of each set of contact types come from."""
    return tuple(
        f"{' + '.join(row.contact_types)}: {row.method}"
        for row in covering_rows(result.planned.requirement.rows)
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _with_digits_of(value: float, half_width: float, unit: Unit, target: float) -> str:
    """A limit with the digits of its estimate's interval."""
    written = write(
        Estimate(value, value - half_width, value + half_width, LEVEL, "simulated", 0),
        unit,
        apart_from=target,
    )
    return written.value


def _cell(each: Cell | Written | str) -> Cell:
    if isinstance(each, Cell):
        return each
    return Cell(each.value, each.interval) if isinstance(each, Written) else Cell(each)
