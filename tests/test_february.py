"""The real month that `benchmarks/february.py` plays: what is recorded is played as it was."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ccsim.demand.draw import Contacts
from ccsim.demand.model import compile_demand
from ccsim.demand.table import survival_at
from ccsim.plans import StaffingPlan
from ccsim.simulation import engine_compiled, reference
from ccsim.simulation.model import compile_model
from tests.equality import differences


def _benchmark() -> ModuleType:
    path = Path(__file__).parents[1] / "benchmarks" / "february.py"
    spec = importlib.util.spec_from_file_location("february", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["february"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


february = _benchmark()


@pytest.fixture(scope="module")
def month(shared_data: Path) -> Any:
    return february.read_month(shared_data / Path(february.FILE).name)


@pytest.fixture(scope="module")
def tables(month: Any) -> Any:
    return february.fitted(month)


@pytest.fixture(scope="module")
def drawn(month: Any, tables: Any) -> Any:
    return february.draw_month(month, compile_demand(february.centre()), tables, 0)


@pytest.fixture(scope="module")
def contacts(drawn: Any) -> Any:
    """In the order of the file: calls of one second are played in that of their content."""
    order = np.argsort(drawn.contacts.ordinal)
    return Contacts(*(getattr(drawn.contacts, f.name)[order] for f in fields(Contacts)))


def test_the_month_is_the_published_one(month: Any, published: Any) -> None:
    facts = published["real_bank_feb"]["outputs"]
    assert len(month.arrival) == facts["served"] + facts["abandoned_in_queue"]
    assert month.abandoned.sum() == facts["abandoned_in_queue"]
    real = february.actual(month)
    assert real.calls[-1] == real.calls[:-1].sum() == len(month.arrival)
    assert real.abandoned[-1] == pytest.approx(month.abandoned.mean())
    assert np.nansum(real.wait[:-1] * real.calls[:-1]) == pytest.approx(month.waited.sum())


def test_what_is_recorded_is_played(month: Any, drawn: Any, contacts: Any) -> None:
    assert (contacts.arrival == month.arrival).all()
    assert (np.diff(drawn.contacts.arrival) >= 0).all()
    said = ~np.isnan(month.talk)
    assert (contacts.handle_time[said] == month.talk[said] * 1e6).all()
    assert (contacts.handle_time > 0).all()
    gave_up, waited = month.abandoned, month.waited * 1e6
    assert (contacts.patience[gave_up] == waited[gave_up]).all()
    assert (contacts.patience[~gave_up] > waited[~gave_up]).all()
    assert ((contacts.contact_type >= 2) == month.is_stock).all()
    sure = np.isin(month.priority, (0, 1))
    assert (contacts.contact_type[sure] % 2 == month.priority[sure]).all()


def test_the_rest_of_a_patience_is_drawn_from_the_table(
    month: Any, tables: Any, contacts: Any
) -> None:
    """S(patience) ÷ S(waited) is uniform for whoever was answered: Kolmogorov-Smirnov, 1e-6."""
    places = []
    for number, name in enumerate(february.TYPES):
        table = tables.patience[name]
        # Where a wait went past the table nobody is left to draw from.
        mine = (contacts.contact_type == number) & ~month.abandoned
        left = survival_at(table, month.waited[mine])
        mine[mine] = left > 1e-3
        places.append(
            survival_at(table, contacts.patience[mine] / 1e6)
            / survival_at(table, month.waited[mine])
        )
    place = np.concatenate(places)
    assert len(place) > 20_000
    # Half a second more than was waited is the least: it may hold a few per cent of nobody.
    assert stats.ks_1samp(place, stats.uniform.cdf).pvalue > 1e-6


def test_with_agents_enough_nobody_waits_and_every_talk_is_handled(drawn: Any) -> None:
    case = february.centre()
    there = (200,) * case.grid.intervals
    plan = StaffingPlan(by_interval={"all_round": there})
    log = engine_compiled.run(compile_model(case, drawn.demand, plan), drawn)
    assert (log.wait == 0).all()
    assert not february.simulated(log).abandoned[-1]
    assert (log.ended - log.arrival).sum() == drawn.contacts.handle_time.sum()


def test_agents_are_there_whenever_they_had_a_call(month: Any) -> None:
    """Presence holds all recorded talk (union by agent), grows with the gap, and breaks take."""
    hours = []
    for gap in (5, 20, 60):
        plan = february.presence(month, gap)
        hours.append(february.hours_present(plan))
        fewer = february.presence(month, gap, busy_elsewhere=True)
        assert february.hours_present(fewer) < hours[-1]
        assert [(s.group, s.start, s.end) for s in fewer.schedule] == [
            (s.group, s.start, s.end) for s in plan.schedule
        ]
    assert hours == sorted(hours)
    talk = 0
    for begins, ends in month.busy:
        reached = np.maximum.accumulate(ends)
        talk += int((reached - np.maximum(begins, np.append(0, reached[:-1]))).clip(0).sum())
    february_end = february.DAYS * 24 * february.HOUR
    least = february.presence(month, 0)
    assert all(0 <= shift.start < february_end for shift in least.schedule)
    assert february.hours_present(least) == pytest.approx(talk / february.HOUR, rel=1e-9)


def test_breaks_lie_where_somebody_waited_and_no_call_was_taken(month: Any) -> None:
    begins, ends = february.queue_times(month)
    assert (begins[1:] > ends[:-1]).all()
    assert (begins < ends).all()
    for shift in february.presence(month, busy_elsewhere=True).schedule[:200]:
        for pause in shift.breaks:
            at = np.searchsorted(ends, pause.start, side="right")
            assert begins[at] <= pause.start
            assert pause.start + pause.length <= ends[at]


def test_both_engines_play_the_month_alike(month: Any, drawn: Any) -> None:
    case = february.centre()
    model = compile_model(case, drawn.demand, february.presence(month))
    log = reference.run(model, drawn)
    assert differences(log, engine_compiled.run(model, drawn)) == []
    assert len(log.arrival) == len(month.arrival)


def test_tables_say_actual_simulated_and_difference(
    month: Any, tables: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    case = february.centre()
    demand = compile_demand(case)
    model = compile_model(case, demand, february.presence(month))
    logs = [log for _, log in february.played(model, month, demand, tables, 3)]
    real, found = february.actual(month), [february.simulated(log) for log in logs]
    february.table([str(hour) for hour in range(24)] + ["all"], real, found)
    lines = capsys.readouterr().out.splitlines()
    (last,) = [line for line in lines if line.startswith("| all |")]
    assert f"| {len(month.arrival):,} |" in last
    mean, half = february.spread(found, "wait")
    assert f"{real.wait[-1]:.1f} | {mean[-1]:.1f} ± {half[-1]:.1f}" in last
    assert half[-1] > 0
