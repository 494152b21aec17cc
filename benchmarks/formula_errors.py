"""Worst error of every formula against 40-digit and published values, by quantity and by case.

Run `python benchmarks/formula_errors.py`; the tests use the same functions.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from ccsim import queueing as q
from tests import published_cases

FACTS = Path(__file__).parents[1] / "tests" / "facts" / "golden_erlang.csv"
# What a double near 1 can say about its distance to 1: half a unit in the last place, doubled.
ROUNDING = 2.0**-52
PUBLISHED = FACTS.parent / "published_formulas.json"


class Case(NamedTuple):
    """Arguments of one golden row, times in seconds."""

    load: float
    agents: float
    handle_time: float
    threshold: float
    patience: float
    handle_times: tuple[float, ...] = ()  # by number of chats
    lines: float = math.inf
    redial: float = 0.0
    is_balanced: bool = True  # else the exact chain of chat

    @property
    def queue(self) -> tuple[float, float, float, float]:
        """Arguments of every Erlang A function."""
        return self.load, self.agents, self.handle_time, self.patience

    @property
    def chat(self) -> q.Chat:
        """Every measure of the chat rows; their `load` is that of one chat at a time."""
        solve = q.chat if self.is_balanced else q.chat_exact
        volume = self.load / self.handle_time
        return solve(volume, self.agents, self.handle_times, self.patience, self.threshold)

    def redials(self, formula: q.SteadyStateFormula = "of_offered") -> q.ErlangX:
        """Every measure of the Erlang X rows."""
        return q.erlang_x(
            *self.queue, self.threshold, lines=self.lines, redial=self.redial, formula=formula
        )


class Golden(NamedTuple):
    """One golden row; without a `value` there is nothing to compare."""

    case: str
    quantity: str
    unit: str
    given: Case
    value: Decimal | None


class Compared(NamedTuple):
    """One golden row and what the formula gives."""

    case: str
    quantity: str
    unit: str
    expected: float
    got: float
    error: float  # relative
    complement_error: float  # relative, of 1 - value; NaN where it has no meaning


FORMULAS: dict[str, Callable[[Case], float]] = {
    "erlang_b": lambda c: q.erlang_b(c.load, c.agents),
    "n_b_01": lambda c: q.erlang_b_agents(c.load, 0.01),
    "erlang_c": lambda c: q.erlang_c(c.load, c.agents),
    "c_sl": lambda c: q.erlang_c_service_level(c.load, c.agents, c.handle_time, c.threshold),
    "c_asa_s": lambda c: q.erlang_c_mean_wait(c.load, c.agents, c.handle_time),
    "c_lq": lambda c: q.erlang_c_queue_length(c.load, c.agents),
    "c_occ": lambda c: q.erlang_c_occupancy(c.load, c.agents),
    "n_c_80": lambda c: q.erlang_c_agents(c.load, c.handle_time, c.threshold, 0.8),
    "a_pwait": lambda c: q.erlang_a_waiting_probability(*c.queue),
    "a_pabandon": lambda c: q.erlang_a_abandonment(*c.queue),
    "a_ew_all_s": lambda c: q.erlang_a_mean_wait(*c.queue),
    "a_ew_served_s": lambda c: q.erlang_a_mean_wait(*c.queue, of="answered"),
    "a_ev_virtual_s": lambda c: q.erlang_a_mean_wait(*c.queue, of="virtual"),
    "a_lq": lambda c: q.erlang_a_queue_length(*c.queue),
    "a_occ": lambda c: q.erlang_a_occupancy(*c.queue),
    "a_sl_offered": lambda c: q.erlang_a_service_level(*c.queue, c.threshold),
    "a_sl_served": lambda c: q.erlang_a_service_level(*c.queue, c.threshold, formula="of_answered"),
    "a_sl_excl_early_ab": lambda c: q.erlang_a_service_level(
        *c.queue, c.threshold, formula="without_abandoned_in_time"
    ),
    "a_sl_virtual": lambda c: q.erlang_a_service_level(*c.queue, c.threshold, formula="virtual"),
    "x_lambda_total_per_hour": lambda c: c.redials().attempts_load * 3600 / c.handle_time,
    "x_pblock": lambda c: c.redials().blocked,
    "x_pwait": lambda c: c.redials().waiting_probability,
    "x_pabandon": lambda c: c.redials().abandonment,
    "x_ew_offered_s": lambda c: c.redials().mean_wait,
    "x_ew_accepted_s": lambda c: c.redials().mean_wait_accepted,
    "x_sl_offered": lambda c: c.redials().service_level,
    "x_sl_served": lambda c: c.redials("of_answered").service_level,
    "x_occ": lambda c: c.redials().occupancy,
    "x_fresh_served_fraction": lambda c: c.redials().served,
    "chat_pwait": lambda c: c.chat.waiting_probability,
    "chat_pabandon": lambda c: c.chat.abandonment,
    "chat_ew_all_s": lambda c: c.chat.mean_wait,
    "chat_sl_offered": lambda c: c.chat.service_level,
    "chat_mean_chats_per_agent": lambda c: c.chat.chats_per_agent,
    "chat_agent_busy": lambda c: c.chat.occupancy,
    "n_a_80": lambda c: q.erlang_a_agents(c.load, c.handle_time, c.patience, c.threshold, 0.8),
}


def _missed(case: Case) -> float:
    shares = q.erlang_a_outcomes(*case.queue, case.threshold)
    return shares.answered_late + shares.abandoned_in_time + shares.abandoned_late


# Complements that the package gives with their own precision; the others are 1 - value.
COMPLEMENTS: dict[str, Callable[[Case], float]] = {"a_sl_offered": _missed}


def golden_rows(facts: Path = FACTS) -> Iterator[Golden]:
    """Every golden row.

    Erlang C at load >= agents counts as a row without a value: without a steady state the golden
    file gives nothing, or (`c_occ` of g22) the offered load per agent, above 1.
    """
    with facts.open(encoding="utf-8") as lines:
        for row in csv.DictReader(line for line in lines if not line.startswith("#")):
            handle_times = tuple(float(part) for part in row["aht_s"].split(";"))
            given = Case(
                load=float(row["lam_per_hour"]) * handle_times[0] / 3600,
                agents=float(row["agents"]),
                handle_time=handle_times[0],
                threshold=float(row["target_s"]),
                patience=float(row["patience_s"]),
                handle_times=handle_times,
                lines=float(row["lines"] or math.inf),
                redial=float(row["redial"] or 0),
                is_balanced=not row["source"].startswith("golden_ctmc"),
            )
            unstable = row["model"] == "Erlang C" and given.load >= given.agents
            value = None if unstable or not row["value"] else Decimal(row["value"])
            yield Golden(row["case"], row["quantity"], row["unit"], given, value)


def compare_with_golden(facts: Path = FACTS) -> tuple[list[Compared], list[tuple[str, str]]]:
    """Compare every golden row that has a value; name the others."""
    compared, skipped = [], []
    for case, name, unit, given, value in golden_rows(facts):
        if value is None:
            skipped.append((case, name))
            continue
        expected, rest = float(value), float(1 - value)
        got = FORMULAS[name](given)
        complement_error = float("nan")
        if unit == "fraction" and rest > 0:
            precise = COMPLEMENTS.get(name)
            slack = 0.0 if precise else ROUNDING
            ours = precise(given) if precise else 1 - got
            complement_error = max(abs(ours - rest) - slack, 0.0) / rest
        error = abs(got - expected) / expected
        compared.append(Compared(case, name, unit, expected, got, error, complement_error))
    return compared, skipped


class Checked(NamedTuple):
    """One output of a published case; `error` in the terms of its tolerance."""

    case: str
    topic: str
    output: str
    expected: float
    got: float
    error: float
    tolerance: float


def compare_case(case: dict[str, Any]) -> list[Checked]:
    """Compare every output of a published case."""
    got = published_cases.ANSWERS[case["topic"]](case["inputs"])
    found = []
    for output, expected in case["outputs"].items():
        value = got.get(output)
        if value is None:  # between two counts, where the tolerance leaves it open
            value = min(max(expected, got[f"{output}_least"]), got[f"{output}_most"])
        error = abs(value - expected)
        if case["tolerance"]["type"] == "rel" and expected != 0:
            error /= abs(expected)
        found.append(
            Checked(
                case["id"], case["topic"], output, expected, float(value), float(error),
                case["tolerance"]["value"],
            )
        )  # fmt: skip
    return found


def compare_with_published(facts: Path = PUBLISHED) -> list[Checked]:
    """Compare every output of every published case of a formula."""
    cases = json.loads(facts.read_text(encoding="utf-8"))["cases"]
    return [row for case in cases for row in compare_case(case)]


def table(compared: list[Compared]) -> str:
    """Lay the worst errors out by quantity, one line each."""
    lines = [f"{'40-digit rows':<26}{'rows':>5}{'worst error':>14}{'of 1 - value':>15}  worst case"]
    for name in FORMULAS:
        rows = [row for row in compared if row.quantity == name]
        worst = max(rows, key=lambda row: row.error)
        rest = [row.complement_error for row in rows if row.complement_error >= 0]
        shown = f"{max(rest):.1e}" if rest else "-"
        lines.append(f"{name:<26}{len(rows):>5}{worst.error:>14.1e}{shown:>15}  {worst.case}")
    return "\n".join(lines)


def published_table(checked: list[Checked]) -> str:
    """Lay the worst errors out by topic, each as a part of its tolerance."""
    lines = [
        f"{'published cases':<26}{'outputs':>8}{'worst error':>14}{'tolerance':>12}  worst case"
    ]
    for topic in dict.fromkeys(row.topic for row in checked):
        rows = [row for row in checked if row.topic == topic]
        worst = max(rows, key=lambda row: row.error / row.tolerance)
        lines.append(
            f"{topic:<26}{len(rows):>8}{worst.error:>14.1e}{worst.tolerance:>12.0e}  "
            f"{worst.case} {worst.output}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    compared_rows, skipped_rows = compare_with_golden()
    print(table(compared_rows))
    print(f"{len(compared_rows)} rows compared, {len(skipped_rows)} skipped: {skipped_rows}")
    print()
    print(published_table(compare_with_published()))
