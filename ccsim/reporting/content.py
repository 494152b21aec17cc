"""What a report says, section by section, as plain words and tables; how it looks is elsewhere."""

from __future__ import annotations

import numpy as np

from ccsim.economics import MILLIONTHS
from ccsim.performance.promises import Kept
from ccsim.performance.tables import LEVEL
from ccsim.performance.words import RARE_COUNTS, day_name, item_name, short_name
from ccsim.plots import covering_rows
from ccsim.queueing import FORMULAS_IN_WORDS
from ccsim.reporting.tables import Cell, Table, table
from ccsim.results import (
    Comparison,
    PlanResult,
    Simulation,
    cost_difference,
    cost_per_request,
    cost_per_request_difference,
    standing,
    total_cost,
    variant_name,
)
from ccsim.results.wording import judged_unit, promises_met, unit_of
from ccsim.statistics import Estimate, Finding, ratio
from ccsim.statistics.writing import Unit, Written, number, write

Shown = PlanResult | Simulation

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
    certified = isinstance(result, PlanResult)
    for one, finding in zip(result.kept, result.findings, strict=True):
        target = one.promise.target
        unit = unit_of(one)
        scenario = result.case.scenario.contact_types[one.promise.contact_type]
        limit: Cell | str = ""
        if finding is not None and np.isfinite(finding.one_sided_limit):
            limit = Cell(_limit(finding, judged_unit(one)), finding.sense)
        rows.append(
            (
                Cell(short_name(one, result.case.grid), str(target)),
                met(one, finding),
                METRICS.get(target.metric) or FORMULAS_IN_WORDS[scenario.service_level.formula],
                write(one.estimate, unit, most=2 if unit == "%" else 1, apart_from=target.value),
                *((limit,) if certified else ()),
                "" if one.share_of_days is None else write(one.share_of_days, "%", most=1),
                "" if one.tenth_percentile is None else write(one.tenth_percentile, unit, most=1),
            )
        )
    limits = ("one-sided limit",) if certified else ()
    columns = ("promise", "met?", "counted as", "simulated", *limits)
    return table((*columns, "share of days", "tenth-percentile day"), rows, words=3)


def met(one: Kept, finding: Finding | None) -> Cell:
    """Whether a promise is met: by the certificate, or else by the estimate's own interval."""
    stands, why = standing(one, finding)
    if stands == "met":
        return Cell("✓ met", mark="good")
    return Cell("✕ missed", why, "bad") if stands == "missed" else Cell(f"? {why}", mark="open")


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
        closed = not case.grid.opening(case.scenario.hours(name))[interval]
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
        for row in covering_rows(result.planned.formulas.rows)
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
    total = write(total_cost(cost, sample))
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
        "speed_of_answer": " s", "wait_p90": " s", "abandoned_share": "%", "lost_share": "%",
    }  # fmt: skip
    # What few centres have: a column each where there is any.
    rare = [name for name in RARE_COUNTS if frame[name].any()]
    units.update(dict.fromkeys(rare, ""))
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
        "nine in ten answered within",
        "abandoned",
        "lost",
        *map(RARE_COUNTS.__getitem__, rare),
        "redials cut",
    )
    return table(columns, rows)


def comparison_table(result: Comparison) -> Table:
    """Each variant's cost and promises, with its paired differences from the first."""
    first = result.simulations[0]
    rows: list[tuple[Cell | Written | str, ...]] = []
    for one in result.simulations:
        horizon: Written | str = ""
        request: Written | str = ""
        if one is not first:
            horizon = write(cost_difference(first, one), signed=True)
            request = write(cost_per_request_difference(first, one), most=4, signed=True)
        every = all(standing(kept)[0] == "met" for kept in one.kept)
        rows.append(
            (
                Cell(variant_name(one.case), mark="strong"),
                Cell(promises_met(one), mark="good" if every else "bad"),
                write(total_cost(one.cost, one.sample)),
                horizon,
                write(cost_per_request(one.cost, one.sample), most=4),
                request,
            )
        )
    columns = ("variant", "promises met", "cost", "difference", "per request", "difference")
    return table(columns, rows, words=2)


def _limit(finding: Finding, unit: Unit) -> str:
    """A one-sided limit, with the digits that the estimate's interval allows."""
    value, half = finding.one_sided_limit, finding.estimate.half_width
    estimate = Estimate(value, value - half, value + half, LEVEL, "simulated", 0)
    return write(estimate, unit, apart_from=finding.target).value
