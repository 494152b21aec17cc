"""How a plan was found and what it is: the search, the certification, the schedule, the sources."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ccsim.performance.words import day_name
from ccsim.plots import covering_rows
from ccsim.reporting.content import Shown
from ccsim.reporting.tables import Cell, Mark, Table, table
from ccsim.results import PlanResult, coverage_table
from ccsim.results.wording import search_cost
from ccsim.scenario import Case
from ccsim.scenario.given import Given
from ccsim.statistics.writing import Written, number, plural


def search_table(result: PlanResult) -> Table:
    """Round after round: what was tried, what it costs, what the simulation refused."""
    steps = {
        "formulas": "what the formulas ask for",
        "raised": "requirement raised where a promise was short",
        "lowered": "requirement lowered where there was room",
        "shifts dropped": "shifts taken away, one a day, where the day could spare it",
        "one shift fewer": "one shift taken away",
    }
    rows: list[tuple[Cell | Written | str, ...]] = []
    for look in result.planned.looks:
        said = Cell("every promise with room to spare", mark="good")
        if look.missed:
            said = Cell(
                f"refused: {plural(len(look.missed), 'promise')} missed", look.missed[0], "bad"
            )
        elif look.short:
            said = Cell(
                "all reached, some without the margin for a certificate", look.short[0], "open"
            )
        rows.append(
            (str(look.number), steps.get(look.step, look.step), said, search_cost(result, look))
        )
    return table(
        ("round", "what was tried", "what simulation said", f"cost [{result.cost.currency}]"),
        rows,
        words=3,
    )


def what_the_search_did(result: PlanResult) -> str:
    """The rounds after the first one, in a sentence."""
    steps = [look.step for look in result.planned.looks[1:]]
    raised, lowered = steps.count("raised"), steps.count("lowered")
    did = []
    if raised:
        did.append(f"raised the requirement where promises were short ({plural(raised, 'round')})")
    if lowered:
        did.append(f"lowered the requirement where there was room ({plural(lowered, 'round')})")
    if result.planned.dropped:
        spared = plural(result.planned.dropped, "shift")
        did.append(f"took away {spared} that the simulation showed to be spare")
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
    """Agents who start each kind of shift, by day, and their scheduled paid hours."""
    grid, plan = result.case.grid, result.plan
    by_weekday = grid.days > 10
    weekdays = [day_name(one).split(" ")[0] for one in grid.dates]
    heads = list(dict.fromkeys(weekdays)) if by_weekday else [day_name(one) for one in grid.dates]
    column = [heads.index(name) for name in weekdays] if by_weekday else list(range(grid.days))
    counts: dict[tuple[str, str], list[float]] = {}
    paid: dict[tuple[str, str], float] = {}
    scenario = result.case.scenario
    for shift in plan.schedule:
        zone = scenario.zone_of(shift.group)
        # Start and day of a site elsewhere are its own; here they are counted by our days.
        apart = "" if zone == grid.time_zone else f" (in {zone}; days of {grid.time_zone})"
        key = f"{shift.group}{apart}", shift.shift
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
    return table(("agent group", "shift", *heads, "in all", "scheduled hours"), rows, words=2)


def sources_table(case: Case) -> Table:
    """Every source that the scenario gives, with what it stands for."""
    places: dict[str, list[str]] = {}
    for path, source in sources(case.scenario, "the whole scenario"):
        places.setdefault(source, []).append(path)
    rows: list[tuple[Cell | Written | str, ...]] = [
        (
            Cell(", ".join(paths)),
            Cell(source, mark="open" if source.lower().startswith("assum") else ""),
        )
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


def over_and_under(result: PlanResult) -> tuple[float, float]:
    """Agent hours above and below the requirement, on the widest sets of contact types."""
    frame = coverage_table(result.case, result.planned, result.plan)
    widest = {row.name for row in covering_rows(result.planned.formulas.rows)}
    beyond = frame[frame["contact_types"].isin(widest)]["over_under"].to_numpy(dtype=float)
    hours = result.case.grid.interval_us / 3.6e9
    return float(beyond.clip(0).sum() * hours), float((-beyond).clip(0).sum() * hours)


def formulas(result: PlanResult) -> tuple[str, ...]:
    """Which formula the agents of each set of contact types come from."""
    return tuple(
        f"{' + '.join(row.contact_types)}: {row.method}"
        for row in covering_rows(result.planned.formulas.rows)
    )
