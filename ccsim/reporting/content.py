"""What a report says, section by section, as plain words and tables; how it looks is elsewhere."""

from __future__ import annotations

import numpy as np

from ccsim.economics import MILLIONTHS
from ccsim.performance.promises import Kept
from ccsim.performance.tables import LEVEL
from ccsim.performance.words import (
    day_name,
    item_name,
    judged,
    judged_in_seconds,
    judged_sense,
    short_name,
)
from ccsim.plots import covering_rows
from ccsim.reporting.numbers import Unit, Written, number, write
from ccsim.reporting.tables import Cell, Table, table
from ccsim.results import (
    Comparison,
    PlanResult,
    Simulation,
    cost_per_request,
    total_cost,
)
from ccsim.statistics import (
    Estimate,
    Finding,
    paired_difference,
    paired_ratio_difference,
    ratio,
)

Shown = PlanResult | Simulation

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
            limit = Cell(_limit(finding, " s" if judged_in_seconds(target) else "%"), finding.sense)
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
    at_least = judged_sense(one.promise.target) == "at least"
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
    at_least = judged_sense(one.promise.target) == "at least"
    left = value - bound if at_least else bound - value
    return left / bound if judged_in_seconds(one.promise.target) else left


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


def _limit(finding: Finding, unit: Unit) -> str:
    """A one-sided limit, with the digits that the estimate's interval allows."""
    value, half = finding.one_sided_limit, finding.estimate.half_width
    estimate = Estimate(value, value - half, value + half, LEVEL, "simulated", 0)
    return write(estimate, unit, apart_from=finding.target).value
