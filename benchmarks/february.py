"""A real month played again: the calls of February 1999 as they came, against what happened then.

    python benchmarks/february.py [replications]

Arrivals at the agents' queue and talk times are those of the file (trace-driven); what it does not
hold is drawn or inferred, by these rules:

- **Patience.** Who gave up has the patience that she showed. Who was answered would have waited
  longer than she did: the rest is drawn from the Kaplan-Meier table of her contact type.
- **Talk time** of who gave up, or whose talk was not recorded: drawn from those of her type.
- **Priority** of who did not queue is not written: drawn with the share of her service.
- **Presence.** An agent is there from the begin of a call she took to the end of the next one,
  unless she takes none for longer than a `BREAK`. Who took 491 short calls is not said.
- Every agent takes every call; priority customers are 90 s ahead; there is no after-call work.

The file is read from `CCSIM_SHARED` (or `shared` beside the checkout); no row of it is written.
Data: Anonymous Bank, Technion; Avi Mandelbaum and Ilan Guedj, with acknowledgement.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from ccsim.calibration import contact_type_weights, patience_kaplan_meier, read_calls
from ccsim.calibration.calls import PRIORITY_CUSTOMER
from ccsim.demand.draw import Contacts, Draw, content_id
from ccsim.demand.keyed import draw, stream_key, uniform53
from ccsim.demand.model import PPM, DemandModel, compile_demand
from ccsim.demand.quantiles import empirical, survival
from ccsim.demand.table import QuantileTable, evaluate, survival_at
from ccsim.plans import StaffingPlan
from ccsim.plans.plan import PlacedBreak, PlacedShift
from ccsim.scenario import case_from
from ccsim.scenario.case import Case
from ccsim.scenario.model import Scenario
from ccsim.simulation.engine import chosen, run
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.simulation.model import Model, compile_model

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

FILE = "data/anonymous_bank_1999_02.tsv.gz"
SHARED = Path(os.environ.get("CCSIM_SHARED", Path(__file__).parents[2] / "shared"))
FIRST, DAYS = pd.Timestamp("1999-02-01"), 28
SECOND, HOUR = 1_000_000, 3_600_000_000
BREAK = 20
"""Minutes without a call after which an agent is taken to have been away."""
TYPES = ("regular_call", "priority_call", "stock_call", "stock_priority_call")
TOP = 2**53


@dataclass(frozen=True, eq=False)
class Month:
    """The month as recorded: one row for each call that reached the agents' queue.

    Attributes
    ----------
    arrival : ndarray of int64, shape (n_calls,)
        When it joined the queue [µs since the first midnight], rising.
    waited : ndarray of float64
        [s], whole seconds.
    abandoned : ndarray of bool
    talk : ndarray of float64
        [s]; nan where none was recorded.
    is_stock : ndarray of bool
    priority : ndarray of float64
        The chance that it was a priority customer: 0 or 1 where the file says so.
    busy : tuple of (from, until)
        The calls that each agent took, by agent, each pair of shape (n_calls_of_agent,) [µs].
    all_round : tuple of bool
        Whether stock calls are at least 2 % of them.
    """

    arrival: Integers
    waited: Floats
    abandoned: NDArray[np.bool_]
    talk: Floats
    is_stock: NDArray[np.bool_]
    priority: Floats
    busy: tuple[tuple[Integers, Integers], ...]
    all_round: tuple[bool, ...]


def read_month(path: Path) -> Month:
    """Read the calls that reached the agents' queue, and when each agent had one."""
    calls, _ = read_calls(path)
    calls = calls[calls["outcome"] != "left_before_queue"]
    calls = calls.sort_values("joined_queue", kind="stable").reset_index(drop=True)
    weights = contact_type_weights(calls)
    stock = (calls["service"] == "stock").to_numpy()
    known = (calls["queued"] | (calls["priority"] > 0)).to_numpy()
    is_priority = (calls["priority"] == PRIORITY_CUSTOMER).to_numpy(np.float64)
    of_stock = is_priority[stock & known].mean()
    priority = np.where(stock, np.where(known, is_priority, of_stock), weights["priority_call"])
    since = (calls["joined_queue"] - FIRST) / pd.Timedelta(microseconds=1)
    return Month(
        arrival=since.to_numpy().astype(np.int64),
        waited=calls["waited"].to_numpy(np.float64),
        abandoned=(calls["outcome"] == "abandoned").to_numpy(),
        talk=calls["talk"].to_numpy(np.float64),
        is_stock=stock,
        priority=priority,
        **_agents(path),
    )


def _agents(path: Path) -> dict[str, Any]:
    """When each agent had a call, and whether she takes stock calls; names stay here."""
    columns = ["date", "vru_entry", "type", "outcome", "ser_start", "ser_time", "server"]
    table = pd.read_csv(path, sep="\t", usecols=columns, dtype=str)
    table = table[(table["outcome"] == "AGENT") & (table["server"] != "NO_SERVER")]
    midnight = pd.to_datetime(table["date"], format="%y%m%d")
    begin, entered = (
        pd.to_timedelta(table[column]).dt.total_seconds() for column in ("ser_start", "vru_entry")
    )
    begin = begin + 86_400 * (begin < entered - 43_200)  # picked up after midnight
    seconds = (midnight - FIRST).dt.total_seconds() + begin
    start = (seconds * SECOND).astype(np.int64)
    end = start + table["ser_time"].astype(np.int64) * SECOND
    rows = pd.DataFrame({"start": start, "end": end, "stock": table["type"] == "NE"})
    agents = [mine for _, mine in rows.sort_values("start", kind="stable").groupby(table["server"])]
    return {
        "busy": tuple((mine["start"].to_numpy(), mine["end"].to_numpy()) for mine in agents),
        "all_round": tuple(bool(mine["stock"].mean() >= 0.02) for mine in agents),
    }


def presence(
    month: Month, longest_gap: float = BREAK, *, busy_elsewhere: bool = False
) -> StaffingPlan:
    """Who was there when: from the first to the last call between two gaps longer than that.

    Parameters
    ----------
    month : Month
        Two calls of one agent that overlap (one in a hundred) count as one.
    longest_gap : float
        [min].
    busy_elsewhere : bool
        An agent between two calls who took nobody while somebody waited is taken to have been on a
        break just then. This reads presence from the queue that is to be explained: it says how
        much of it the missing record of presence would explain.
    """
    waits = queue_times(month)
    shifts = []
    for (begins, ends), all_round in zip(month.busy, month.all_round, strict=True):
        group = "all_round" if all_round else "desk"
        reached = np.maximum.accumulate(ends)
        gaps = begins[1:] - reached[:-1]
        away = np.flatnonzero(gaps > longest_gap * 60 * SECOND)
        for first, last in zip(
            np.append(0, away + 1), np.append(away, len(begins) - 1), strict=True
        ):
            begin, end = int(begins[first]), int(reached[last])
            between = np.stack([reached[first:last], begins[first + 1 : last + 1]], axis=1).tolist()
            breaks = (
                tuple(one for gap in between for one in _waited_in(*gap, *waits))
                if busy_elsewhere
                else ()
            )
            if 0 <= begin < min(end, DAYS * 24 * HOUR):
                shifts.append(PlacedShift(group, begin, "seen", end - begin, breaks))
    return StaffingPlan(schedule=tuple(sorted(shifts)))


def queue_times(month: Month) -> tuple[Integers, Integers]:
    """From when until when somebody waited [µs]."""
    queued = month.waited > 0
    begins = month.arrival[queued]
    reached = np.maximum.accumulate(begins + (month.waited[queued] * SECOND).astype(np.int64))
    apart = np.flatnonzero(begins[1:] > reached[:-1])
    return begins[np.append(0, apart + 1)], reached[np.append(apart, len(begins) - 1)]


def _waited_in(begin: int, end: int, begins: Integers, ends: Integers) -> Iterator[PlacedBreak]:
    """The parts of a gap in which somebody waited."""
    first, last = np.searchsorted(ends, begin, "right"), np.searchsorted(begins, end, "left")
    for one in range(int(first), int(last)):
        start, until = max(begin, int(begins[one])), min(end, int(ends[one]))
        if start < until:
            yield PlacedBreak(start, until - start)


def hours_present(plan: StaffingPlan) -> float:
    """Agents' hours on the floor."""
    return sum(shift.paid for shift in plan.schedule) / HOUR


def centre(head_start: str = "90 s", *, skills_as_seen: bool = False) -> Case:
    """The bank in the words of a scenario; its contacts come from the file."""
    stock = [] if skills_as_seen else list(TYPES[2:])
    plain = {"demand": {"rate": "1 calls/h"}, "talk_time": "1 min"}  # not drawn from
    scenario = Scenario.model_validate(
        {
            "version": 1,
            "name": "February 1999",
            "currency": "USD",
            "time_zone": "Asia/Jerusalem",
            "horizon": {
                "start": f"{FIRST:%Y-%m-%d}", "days": DAYS, "interval": "60 min", "begins": "empty",
            },
            "contact_types": {
                name: {**plain, "head_start": head_start if "priority" in name else "0 s"}
                for name in TYPES
            },
            "agent_groups": {
                "all_round": {"skills": {name: {} for name in TYPES}, "rate_card": "own"},
                "desk": {"skills": {name: {} for name in [*TYPES[:2], *stock]}, "rate_card": "own"},
            },
            "rate_cards": {"own": {"paid_hour": "21 USD"}},
        }
    )  # fmt: skip
    return case_from(scenario)


@dataclass(frozen=True, eq=False)
class Unrecorded:
    """What is drawn from: talk times and patience by contact type."""

    talk: Mapping[str, QuantileTable]
    patience: Mapping[str, QuantileTable]


def fitted(month: Month) -> Unrecorded:
    """Talk times and patience of the three contact types of the calibration."""
    talks, patience = {}, {}
    for number, name in enumerate(TYPES):
        stock, priority = number >= 2, number % 2 == 1
        mine = month.is_stock == stock
        # Stock customers of both kinds share their tables: few of one kind queued.
        sure = mine & (stock | (month.priority == priority))
        talk = month.talk[sure & ~np.isnan(month.talk)]
        fit = patience_kaplan_meier(month.waited[sure], month.abandoned[sure])
        times, still = zip(*fit.table, strict=True)
        talks[name], patience[name] = empirical(talk), survival(times, still)
    return Unrecorded(talks, patience)


def draw_month(
    month: Month,
    demand: DemandModel,
    tables: Unrecorded,
    replication: int,
    *,
    as_shown: bool = True,
    after_call: float = 0.0,
    seed: int = 1999,
) -> Draw:
    """One replication: the calls of the file, and what it does not say by the rules above.

    The ordinal of a contact is the number of its call.

    Parameters
    ----------
    month, demand, tables, replication, seed
        What is played, and the key of its chance.
    as_shown : bool
        Patience is what was seen of it; else all of it is drawn from the tables.
    after_call : float
        Work after each call [s].
    """
    calls = np.arange(len(month.arrival))
    word, other = (
        uniform53(words) for words in draw(stream_key(seed, "february"), replication, 0, calls)
    )
    third, _ = draw(stream_key(seed, "february", "priority"), replication, 0, calls)
    is_priority = uniform53(third) < month.priority * TOP
    kind = 2 * month.is_stock.astype(np.int64) + is_priority
    talk, patience = np.empty((2, calls.size), np.int64)
    for number, name in enumerate(TYPES):
        mine = np.flatnonzero(kind == number)
        drawn = evaluate(tables.talk[name], word[mine])
        said = month.talk[mine]
        talk[mine] = np.where(np.isnan(said), drawn, np.nan_to_num(said) * SECOND)
        waited = month.waited[mine]
        left = survival_at(tables.patience[name], waited if as_shown else np.zeros(mine.size))
        # Beyond what she waited: the uniform of those who are left then.
        beyond = np.minimum(TOP - 1, TOP - left * (TOP - other[mine])).astype(np.int64)
        stays = evaluate(tables.patience[name], np.maximum(beyond, 0))
        if as_shown:
            seen = (waited * SECOND).astype(np.int64)
            stays = np.where(month.abandoned[mine], seen, np.maximum(stays, seen + SECOND // 2))
        patience[mine] = stays
    interval = month.arrival // HOUR
    columns = (kind, interval, calls, month.arrival, talk + round(after_call * SECOND), patience)
    # Calls of one second stand in the order of their content, as an engine takes them.
    order = np.lexsort((content_id(kind, interval, calls), month.arrival))
    contacts = Contacts(*(column[order] for column in columns))
    nobody_absent = np.zeros((2, DAYS), np.int64)
    as_usual = np.full((len(TYPES), DAYS * 24), PPM)
    return Draw(demand, seed, replication, 1, contacts, nobody_absent, as_usual)


@dataclass(frozen=True, eq=False)
class Figures:
    """What is compared, for each of some cells: the hours of the day, or contact types."""

    calls: Floats
    wait: Floats  # mean of all who came [s]
    waiting: Floats  # share that waited for a second or more
    abandoned: Floats  # share


def figures(cell: Integers, cells: int, waited: Floats, abandoned: NDArray[np.bool_]) -> Figures:
    """Count; the last cell is all of them."""

    def mean(value: NDArray[np.generic]) -> Floats:
        value = value.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            by_cell = np.bincount(cell, value, cells) / np.bincount(cell, minlength=cells)
        return np.append(by_cell, value.mean())

    number = np.bincount(cell, minlength=cells).astype(np.float64)
    number = np.append(number, cell.size)
    return Figures(number, mean(waited), mean(waited >= 1), mean(abandoned))


def actual(month: Month) -> Figures:
    """What happened, by hour of arrival at the queue."""
    hour = month.arrival // HOUR % 24
    return figures(hour, 24, month.waited, month.abandoned)


def simulated(log: ContactLog) -> Figures:
    """The same of a log."""
    return figures(
        log.arrival // HOUR % 24, 24, log.wait / SECOND, log.outcome == Outcome.ABANDONED
    )


def by_type(kind: Integers, waited: Floats, abandoned: NDArray[np.bool_]) -> Figures:
    """By contact type, both kinds of stock calls together."""
    return figures(np.minimum(kind, 2), 3, waited, abandoned)


def played(model: Model, month: Month, demand: DemandModel, tables: Unrecorded,
           replications: int, **rules: Any) -> Iterator[tuple[Draw, ContactLog]]:  # fmt: skip
    """Each replication drawn and played, on whichever engine is done first."""
    engine = chosen("auto", replications * len(month.arrival))
    for replication in range(replications):
        day = draw_month(month, demand, tables, replication, **rules)
        yield day, run(model, day, engine)


def spread(found: list[Figures], of: str) -> tuple[Floats, Floats]:
    """Mean over replications, and how far 95 in 100 months would be from it (Student)."""
    values = np.array([getattr(one, of) for one in found])
    far = stats.t.ppf(0.975, len(found) - 1) * np.sqrt(1 + 1 / len(found))
    return values.mean(axis=0), far * values.std(axis=0, ddof=1)


MEASURES = (("mean wait [s]", "wait", 1, 1), ("waiting", "waiting", 100, 1),
            ("abandoned", "abandoned", 100, 1))  # fmt: skip


def table(names: list[str], real: Figures, found: list[Figures]) -> None:
    """Print actual, simulated with its interval, and difference, a line for each cell."""
    heads = [f"{title}: actual | simulated | difference" for title, *_ in MEASURES]
    print(f"\n|  | calls | {' | '.join(heads)} |")
    print("| --- |" + " ---: |" * 10)
    for place, name in enumerate(names):
        if not real.calls[place]:
            continue
        cells = [name, f"{real.calls[place]:,.0f}"]
        for _, of, times, digits in MEASURES:
            mean, half = spread(found, of)
            was = getattr(real, of)[place]
            unit = " %" if times == 100 else ""
            cells += [
                f"{times * was:.{digits}f}{unit}",
                f"{times * mean[place]:.{digits}f} ± {times * half[place]:.{digits}f}",
                f"{times * (mean[place] - was):+.{digits}f}",
            ]
        print("| " + " | ".join(cells) + " |")


def main(replications: int = 40) -> None:
    """Print the month by hour and by contact type, and what the rules change."""
    path = SHARED / FILE
    if not path.exists():
        sys.exit(f"no file {FILE} in {SHARED}; CCSIM_SHARED may name another folder")
    month = read_month(path)
    case, tables = centre(), fitted(month)
    demand = compile_demand(case)
    plan = presence(month)
    model = compile_model(case, demand, plan)
    hours, types = [], []
    real_types = []
    for day, log in played(model, month, demand, tables, replications):
        hours.append(simulated(log))
        kind = day.contacts.contact_type[np.argsort(day.contacts.ordinal)]
        types.append(by_type(log.contact_type, log.wait / SECOND, log.outcome == Outcome.ABANDONED))
        real_types.append(by_type(kind, month.waited, month.abandoned))
    real = actual(month)
    print(f"{len(month.arrival):,} calls, {hours_present(plan):,.0f} agent-hours, "
          f"{replications} replications")  # fmt: skip
    table([f"{hour:02d}:00" for hour in range(24)] + ["all"], real, hours)
    mean_types = Figures(*(
        np.mean([getattr(one, of) for one in real_types], axis=0)
        for of in ("calls", "wait", "waiting", "abandoned")
    ))  # fmt: skip
    table(["regular", "priority", "stock", "all"], mean_types, types)

    print("\n| rule | agent-hours | mean wait [s] | waiting | abandoned |")
    print("| --- | ---: | ---: | ---: | ---: |")
    print(f"| what happened | | {real.wait[-1]:.1f} | {100 * real.waiting[-1]:.1f} % "
          f"| {100 * real.abandoned[-1]:.1f} % |")  # fmt: skip
    few = max(4, replications // 4)
    for rule in RULES:
        plan = presence(month, rule.gap, busy_elsewhere=rule.busy_elsewhere)
        other = centre(rule.head_start, skills_as_seen=rule.skills_as_seen)
        model = compile_model(other, demand, plan)
        said = {"as_shown": rule.as_shown, "after_call": rule.after_call}
        found = [simulated(log) for _, log in played(model, month, demand, tables, few, **said)]
        wait, waiting, abandoned = (spread(found, of) for _, of, *_ in MEASURES)
        print(f"| {rule.name} | {hours_present(plan):,.0f} | "
              f"{wait[0][-1]:.1f} ± {wait[1][-1]:.1f} | "
              f"{100 * waiting[0][-1]:.1f} ± {100 * waiting[1][-1]:.1f} % | "
              f"{100 * abandoned[0][-1]:.1f} ± {100 * abandoned[1][-1]:.1f} % |")  # fmt: skip


class Rule(NamedTuple):
    """What is not recorded, taken another way."""

    name: str
    gap: float = BREAK
    busy_elsewhere: bool = False
    head_start: str = "90 s"
    skills_as_seen: bool = False
    after_call: float = 0.0
    as_shown: bool = True


RULES = (
    Rule("away after 5 min without a call", gap=5),
    Rule("away after 10 min", gap=10),
    Rule("away after 15 min", gap=15),
    Rule("away after 20 min: the tables above"),
    Rule("away after 30 min", gap=30),
    Rule("away after 60 min", gap=60),
    Rule("10 s of after-call work", after_call=10),
    Rule("20 s of after-call work", after_call=20),
    Rule("stock calls only by agents of whose calls they are 2 % or more", skills_as_seen=True),
    Rule("all patience drawn from the tables", as_shown=False),
    Rule("no head start", head_start="0 s"),
    Rule("busy elsewhere while somebody waited", busy_elsewhere=True),
    Rule("the same, away after 5 min, 10 s of after-call work, stock calls as seen",
         gap=5, busy_elsewhere=True, after_call=10, skills_as_seen=True),
)  # fmt: skip

if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
