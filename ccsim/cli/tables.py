"""What `ccsim simulate` and `ccsim compare` print: tables that fit a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from math import isnan
from typing import TYPE_CHECKING, Any

from ccsim.cli.console import strong, write, write_table
from ccsim.results.meaning import day_name
from ccsim.statistics.writing import Unit, plain

if TYPE_CHECKING:
    from ccsim.performance.promises import Kept
    from ccsim.results import Comparison, Simulation
    from ccsim.scenario import Target
    from ccsim.statistics import Estimate


def show_simulation(result: Simulation) -> None:
    """Write every promise beside what was simulated, then service by contact type, then cost."""
    what = "the roster given" if result.given_plan else "a schedule made from the formulas"
    write(strong(f"{result.case.title}: {what}"))
    write(
        f"simulated, {result.sample.replications} replications, seed {result.seed}; "
        "95% intervals; not a certificate"
    )
    for (name, target), kept in groupby(
        result.kept, key=lambda one: (one.promise.contact_type, one.promise.target)
    ):
        write()
        write(strong(f"{name}: {target}"))
        _show_promise(result, target, list(kept))
    write()
    _show_service(result)
    write()
    _show_cost(result)


def reached(kept: Kept) -> str:
    """Whether a promise was reached, by the interval of what it bounds.

    ``yes`` or ``no`` only where the whole interval lies on one side of the bound.
    """
    from ccsim.results import standing

    stands, why = standing(kept)
    if why == "nothing offered":
        return why
    return {"met": "yes", "missed": "no", "open": "unsure"}[stands]


def _show_promise(result: Simulation, target: Target, kept: Sequence[Kept]) -> None:
    from ccsim.results.wording import unit_of

    unit = unit_of(kept[0])
    daily = target.window == "day"
    header = ["day" if daily else "", "simulated", "reached"]
    if daily:
        header += ["share of days", "tenth-percentile day"]
    rows = []
    for one in kept:
        days = one.promise.days
        row = [
            _short_day(result.case.grid.dates[days[0]]) if daily else f"the {target.window}",
            plain(one.estimate, unit, apart_from=target.value),
            reached(one),
        ]
        if daily:
            row.append("" if one.share_of_days is None else plain(one.share_of_days, "%"))
            row.append("" if one.tenth_percentile is None else plain(one.tenth_percentile, unit))
        rows.append(row)
    write_table(header, rows)


def _short_day(date: str) -> str:
    """Weekday, month and day: what a table of 80 columns has room for."""
    weekday, whole = day_name(date).split(" ")
    return f"{weekday} {whole[5:]}"


def _show_service(result: Simulation) -> None:
    from ccsim.performance.tables import contact_type_table

    table = contact_type_table(result.sample, result.case.scenario, result.case.grid)
    samples = result.kept[0].estimate.samples if result.kept else 0

    def cell(row: Mapping[Any, Any], name: str, unit: Unit = "") -> str:
        from ccsim.statistics import Estimate

        limits = row[f"{name}_lower"], row[f"{name}_upper"]
        return plain(Estimate(row[name], *limits, 0.95, "simulated", samples), unit)

    records = table.to_dict("records")
    write_table(
        ["contact type", "offered", "abandoned", "lost", "speed of answer", "9 in 10 in"],
        [
            (
                str(row["contact_type"]),
                cell(row, "offered"),
                cell(row, "abandoned_share", "%"),
                cell(row, "lost_share", "%"),
                cell(row, "speed_of_answer", " s"),
                cell(row, "wait_p90", " s"),
            )
            for row in records
        ],
    )
    from ccsim.performance.words import RARE_COUNTS

    # What few centres have: a column each where there is any.
    rare = [name for name in RARE_COUNTS if table[name].any()]
    if rare:
        write()
        write_table(
            ["contact type", *map(RARE_COUNTS.__getitem__, rare)],
            [(str(row["contact_type"]), *(cell(row, name) for name in rare)) for row in records],
        )


def _show_cost(result: Simulation) -> None:
    from ccsim.results import cost_per_handled, cost_per_request, total_cost

    cost, sample = result.cost, result.sample
    money = {
        "cost of the horizon": total_cost(cost, sample),
        "cost per request": cost_per_request(cost, sample),
        "cost per handled contact": cost_per_handled(cost, sample),
    }
    write_table(["", cost.currency], [(name, plain(estimate)) for name, estimate in money.items()])


def show_comparison(comparison: Comparison, verdicts: Sequence[str]) -> None:
    """Write variants side by side, then in a sentence each what differs from the first."""
    from ccsim.results import (
        cost_difference,
        cost_per_request,
        cost_per_request_difference,
        total_cost,
        variant_name,
    )

    first, *others = comparison.simulations
    currency = first.cost.currency
    write(strong(f"{first.case.title}: variants compared"))
    write(
        f"each planned, then simulated on the same customers, {first.sample.replications} "
        f"replications; {currency}, 95% intervals"
    )
    write()
    certified = set(verdicts) == {"certified"}
    rows = []
    for one, verdict in zip(comparison.simulations, verdicts, strict=True):
        row = [
            variant_name(one.case),
            plain(total_cost(one.cost, one.sample)),
            "" if one is first else plain(cost_difference(first, one), signed=True),
            plain(cost_per_request(one.cost, one.sample)),
            "" if one is first else plain(cost_per_request_difference(first, one), signed=True),
        ]
        rows.append(row if certified else [*row, verdict])
    header = ["variant", "cost", "difference", "per request", "difference"]
    write_table(header if certified else [*header, "plan is"], rows)
    write()
    for one in others:
        said = _said(cost_difference(first, one), currency)
        write(f"{variant_name(one.case)}: {said} {variant_name(first.case)}")
    write(
        "every plan is certified"
        if certified
        else "not every plan is certified, so this is no comparison at equal service"
    )
    if comparison.weeks:
        show_weeks(comparison)


def show_weeks(comparison: Comparison) -> None:
    """Write what each variant changes week by week, and when it pays its hours back."""
    from ccsim.results import variant_name
    from ccsim.results.weeks import pays_back, takes_hours_off, week_differences

    first, *others = comparison.simulations
    for other in others:
        weeks: dict[int, list[str]] = {}
        names = []
        for one in week_differences(first, other):
            points = one.measure == "service_level"
            shown = plain(_times(one.estimate, 100) if points else one.estimate, signed=True)
            weeks.setdefault(one.week, []).append(shown)
            if one.week == 1:
                what = "in time, points" if points else one.measure.replace("_", " ")
                names.append(f"{one.contact_type} {what}".strip())
        write()
        write(f"{variant_name(other.case)}, week by week against {variant_name(first.case)}")
        rows = [(str(week), *values) for week, values in weeks.items()]
        write_table(["week", *names], rows)
        write(
            "  saved hours: handle time that as many served requests no longer take; hours back: "
            "saved so far, less time taken off the floor"
        )
        if not takes_hours_off(first, other):
            continue
        may, surely = pays_back(first, other)
        if surely is not None:
            early = f"; perhaps by that of week {may}" if may != surely else ""
            write(f"  its hours are back by the end of week {surely}{early}")
        else:
            perhaps = f", perhaps by the end of week {may}" if may is not None else ""
            write(f"  its hours are not shown to be back in {len(weeks)} weeks{perhaps}")


def _times(estimate: Estimate, factor: float) -> Estimate:
    from dataclasses import replace

    value, lower, upper = estimate.value, estimate.lower, estimate.upper
    return replace(estimate, value=factor * value, lower=factor * lower, upper=factor * upper)


def _said(difference: Estimate, currency: str) -> str:
    if isnan(difference.lower):
        return "too few replications to say whether it is cheaper than"
    if difference.upper < 0:
        return f"cheaper, by {_size(difference)} {currency}, than"
    if difference.lower > 0:
        return f"dearer, by {_size(difference)} {currency}, than"
    return f"not shown to differ ({plain(difference, signed=True)} {currency}) from"


def _size(difference: Estimate) -> str:
    from dataclasses import replace

    value, lower, upper = sorted(map(abs, (difference.value, difference.lower, difference.upper)))
    return plain(replace(difference, value=lower, lower=value, upper=upper))
