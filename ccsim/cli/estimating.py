"""What `ccsim estimate` prints: the sentence a planner expects, then tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccsim.cli.console import strong, write, write_table
from ccsim.results.meaning import moment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccsim.results import Estimation
    from ccsim.scenario.targets import Target
    from ccsim.staffing import RequirementRow


def show_estimation(estimation: Estimation, *, by_interval: bool) -> None:
    """Write sentences, the table of contact types and, if wanted, that of intervals."""
    write(strong(f"{estimation.case.title}: what the formulas ask for (approximate)"))
    write()
    for row in _single(estimation):
        for sentence in sentences(estimation, row):
            write(sentence)
    write()
    hours = estimation.case.grid.interval_us / 3.6e9
    write_table(
        ["agents on the floor for", "load", "peak", "agents", "peak", "hours"],
        [_summary(row, hours) for row in estimation.requirement.rows],
    )
    methods = " and ".join(sorted({row.method for row in estimation.requirement.rows}))
    write(f"load [erlang] and agents while open, mean and peak; agent hours; {methods}")
    for line in _paid(estimation):
        write(line)
    if by_interval:
        write()
        rows = interval_rows(estimation)
        write_table(
            ["date", "start", "agents for", "load", "agents", "in time", "occupancy"],
            [
                (
                    row["date"],
                    row["start"],
                    row["contact_types"],
                    f"{row['load']:.2f}",
                    str(row["agents"]),
                    "" if row["service_level"] is None else f"{row['service_level']:.1%}",
                    "" if row["occupancy"] is None else f"{row['occupancy']:.1%}",
                )
                for row in rows
            ],
            left=3,
        )


def sentences(estimation: Estimation, row: RequirementRow) -> list[str]:
    """The Erlang number in words: ``14 agents, 88.8% within 20 s by Erlang C``.

    Where customers give up, the number that Erlang C gives when they are taken as patient follows.
    """
    from ccsim.queueing import erlang_c_agents, erlang_c_service_level

    (name,) = row.contact_types
    target = _target(estimation, name)
    if not row.load.any():
        return [f"{name}: nobody comes"]
    busiest = int(row.load.argmax())
    load, agents = float(row.load[busiest]), int(row.agents[busiest])
    is_open = row.load > 0
    constant = np.ptp(row.load[is_open]) < 1e-9 and np.ptp(row.agents[is_open]) == 0
    when = "" if constant else f", busiest interval {moment(estimation.case, busiest)}"
    handle = float(_handle(estimation, name)[busiest])
    per_hour = load * 3600 / handle
    work = f"{load:.2f} erlang: {per_hour:.4g} calls/h of {handle:.4g} s"
    if target is None:
        return [f"{name}{when}: {agents} agents for {work}; no service level is promised"]
    wait = f"{(target.threshold or 0) / 1e6:g} s"
    level = float(_service_level(estimation, row)[busiest])
    number = f"{agents} agents, {level:.1%} within {wait} by {row.method}"
    head = [f"{name}: {number}"] if constant else [f"{name}{when}:", f"  {number}"]
    said = [*head, f"  ({work})"]
    if row.method != "Erlang C":
        patient = int(erlang_c_agents(load, handle, (target.threshold or 0) / 1e6, target.value))
        level = float(erlang_c_service_level(load, patient, handle, (target.threshold or 0) / 1e6))
        said.append(f"  if nobody gave up: {patient} agents, {level:.1%} within {wait} by Erlang C")
    return said


def interval_rows(estimation: Estimation) -> list[dict[str, Any]]:
    """One row for each open interval and set of contact types: agents, and what they give.

    Service level and occupancy are by the row's formula, at the agents it asks for, contact types
    by themselves; where several are covered together there is none.
    """
    rows = []
    labels = [text.split(" ") for text in estimation.case.grid.labels]
    for row in estimation.requirement.rows:
        alone = len(row.contact_types) == 1
        level = _service_level(estimation, row) if alone else np.full(len(labels), np.nan)
        busy = _occupancy(estimation, row) if alone else np.full(len(labels), np.nan)
        for number in np.flatnonzero((row.load > 0) | (row.agents > 0)).tolist():
            date, start = labels[number]
            rows.append(
                {
                    "date": date,
                    "start": start,
                    "contact_types": row.name,
                    "load": float(row.load[number]),
                    "agents": int(row.agents[number]),
                    "service_level": None if np.isnan(level[number]) else float(level[number]),
                    "occupancy": None if np.isnan(busy[number]) else float(busy[number]),
                    "formula": f"{row.method}, approximate",
                }
            )
    return rows


def _single(estimation: Estimation) -> list[RequirementRow]:
    return [row for row in estimation.requirement.rows if len(row.contact_types) == 1]


def _target(estimation: Estimation, name: str) -> Target | None:
    """The first service level that a contact type promises."""
    promised = estimation.case.scenario.contact_types[name].targets
    return next((each for each in promised if each.metric == "answered within"), None)


def _handle(estimation: Estimation, name: str) -> NDArray[np.float64]:
    """Mean handle time in each interval [s]."""
    (given,) = (each for each in estimation.demand.contact_types if each.name == name)
    return given.handle_seconds


def _service_level(estimation: Estimation, row: RequirementRow) -> NDArray[np.float64]:
    """Service level by the formula at the required agents, NaN where nobody comes."""
    from ccsim.queueing import erlang_a_service_level, erlang_c_service_level

    (name,) = row.contact_types
    found = np.full(len(row.load), np.nan)
    target, some = _target(estimation, name), (row.load > 0) & (row.agents > 0)
    if target is None or not some.any():
        return found
    handle, wait = _handle(estimation, name)[some], (target.threshold or 0) / 1e6
    load, agents = row.load[some], row.agents[some]
    if row.method == "Erlang C":
        found[some] = erlang_c_service_level(load, agents, handle, wait)
    else:
        rule = estimation.case.scenario.contact_types[name].service_level
        found[some] = erlang_a_service_level(
            load,
            agents,
            handle,
            estimation.patience[name],
            wait,
            formula=rule.formula,
            short_abandon=rule.short_abandon / 1e6,
        )
    return found


def _occupancy(estimation: Estimation, row: RequirementRow) -> NDArray[np.float64]:
    from ccsim.queueing import erlang_a_occupancy, erlang_c_occupancy

    (name,) = row.contact_types
    found = np.full(len(row.load), np.nan)
    some = (row.load > 0) & (row.agents > 0)
    if some.any() and row.method == "Erlang C":
        found[some] = erlang_c_occupancy(row.load[some], row.agents[some])
    elif some.any():
        found[some] = erlang_a_occupancy(
            *(row.load[some], row.agents[some]),
            *(_handle(estimation, name)[some], estimation.patience[name]),
        )
    return found


def _summary(row: RequirementRow, hours: float) -> tuple[str, ...]:
    is_open = row.load > 0
    some = is_open.any()
    return (
        row.name,
        f"{row.load[is_open].mean() if some else 0:.2f}",
        f"{row.load.max(initial=0):.2f}",
        f"{row.agents[is_open].mean() if some else 0:.2f}",
        f"{row.agents.max(initial=0)}",
        f"{row.agents.sum() * hours:,.1f}",
    )


def _paid(estimation: Estimation) -> list[str]:
    """What an agent on the floor takes in paid time, where it is more than one."""
    from ccsim.economics.paid import paid_chain
    from ccsim.scenario.model import InHouse

    scenario = estimation.case.scenario
    return [
        f"{name}: {paid_chain(group)}"
        for name, group in scenario.agent_groups.items()
        if isinstance(scenario.rate_cards[group.rate_card], InHouse)
        and (group.shrinkage.unplanned or group.shrinkage.paid_not_scheduled)
    ]
