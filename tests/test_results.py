"""Results explain themselves: what they print, what they hand out, and what they never say."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccsim import study
from ccsim.errors import CcsimError
from ccsim.performance.words import short_name
from ccsim.results import (
    Comparison,
    Estimation,
    PlanResult,
    Simulation,
    cost_per_request,
    differences,
    standing,
    total_cost,
    verdict_lines,
)
from ccsim.results.wording import WIDTH, closest, search_cost
from ccsim.staffing.planner import Cheaper
from ccsim.statistics import Estimate
from ccsim.statistics.writing import decimals, plain, write
from tests.desk import compared, desk, planned, simulated

EVIL = "<script>alert('x')</script>"


@cache
def estimated() -> Estimation:
    """The desk by formulas."""
    return study.estimate(desk())


@cache
def thinner() -> Comparison:
    """The desk's plan beside the same plan with an agent fewer on one shift."""
    plan = planned().plan
    first, *rest = plan.schedule
    fewer = [replace(first, agents=first.agents - 1)] if first.agents > 1 else []
    return study.compare(
        [desk(), desk()],
        [plan, replace(plan, schedule=(*fewer, *rest))],
        seed=5,
        workers=1,
    )


@cache
def rough() -> Simulation:
    """One block: too few for any interval."""
    return study.simulate(desk(), planned().plan, replications=32, workers=1)


KINDS = (estimated, simulated, planned, compared)
each_kind = pytest.mark.parametrize("result", KINDS, ids=lambda make: make.__name__)


def searched(**changes: Any) -> PlanResult:
    """The desk's plan with something else in its search."""
    return replace(planned(), planned=replace(planned().planned, **changes))


def judged(**changes: Any) -> PlanResult:
    """The desk's plan with another certificate."""
    return searched(certificate=replace(planned().planned.certificate, **changes))


def line(result: PlanResult, word: str) -> str:
    """The only line of the verdict with a word in it."""
    (found,) = [each for each in verdict_lines(result) if word in each]
    return found


# What is printed -----------------------------------------------------------------------------


@each_kind
def test_every_kind_prints_and_names_its_scenario(result: Any) -> None:
    text = str(result())
    assert text.startswith("Desk")
    assert "nan" not in text.lower()
    if not isinstance(result(), PlanResult):
        assert len(text.splitlines()) == 2 + len(result().summary)


@each_kind
def test_html_is_a_table_and_escapes_what_a_scenario_says(result: Any) -> None:
    made = result()
    case = made.simulations[0].case if isinstance(made, Comparison) else made.case
    scenario = case.scenario.model_copy(update={"name": f"Desk {EVIL}"})
    case = replace(case, scenario=scenario, variant=EVIL)
    if isinstance(made, Comparison):
        first, *rest = made.simulations
        made = replace(made, simulations=(replace(first, case=case), *rest))
    else:
        made = replace(made, case=case)
    html = made._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<table" in html


def test_the_verdict_is_ten_lines_of_a_terminal() -> None:
    for result in (
        planned(),
        judged(verdict="missed", findings=findings("misses")),
        judged(verdict="not decided", more_blocks=7, findings=findings("not decided")),
        searched(dropped=0),
        searched(cheaper=Cheaper(0, 0)),
    ):
        lines = verdict_lines(result)
        assert len(lines) == 10
        assert max(map(len, lines)) <= WIDTH + 25
    assert str(planned()).splitlines() == verdict_lines(planned())


def findings(word: str) -> tuple[Any, ...]:
    """The certificate's findings, the first with another word."""
    first, *rest = planned().planned.certificate.findings
    return (replace(first, finding=word), *rest)


def test_it_opens_with_name_and_question() -> None:
    assert verdict_lines(planned())[:2] == ["Desk", "How many of us?"]
    result = planned()
    silent = result.case.scenario.model_copy(update={"question": None})
    asked = verdict_lines(replace(result, case=replace(result.case, scenario=silent)))
    assert asked[1] == "What is the cheapest plan that keeps every promise?"
    long = result.case.scenario.model_copy(update={"question": "why " * 100})
    cut = verdict_lines(replace(result, case=replace(result.case, scenario=long)))
    assert len(cut[1]) <= WIDTH
    assert cut[1].endswith("…")


@pytest.mark.parametrize(
    ("verdict", "word", "said"),
    [
        ("certified", "clears", "every promise holds, on 320 fresh replications"),
        ("missed", "misses", "it does not keep call, Mon 7 Sep: in 20 s (8"),
        ("not decided", "not decided", "leave it open; about 544 would decide"),
    ],
)
def test_each_verdict_in_a_sentence(verdict: str, word: str, said: str) -> None:
    assert planned().sample.replications == 320
    result = judged(verdict=verdict, findings=findings(word), more_blocks=7)
    third = verdict_lines(result)[2]
    assert third.startswith(f"{verdict}: ")
    assert said in third
    assert ("risk of error" in third) == (verdict == "certified")
    nothing = judged(verdict="not decided", findings=findings(word), more_blocks=0)
    assert "nothing was offered" in verdict_lines(nothing)[2]


def test_costs_have_the_digits_that_their_interval_allows() -> None:
    result = planned()
    said = line(result, "cost of the horizon")
    horizon = total_cost(result.cost, result.sample)
    request = cost_per_request(result.cost, result.sample)
    for estimate, most, after in ((horizon, 2, "horizon "), (request, 4, "per request ")):
        value, half = re.search(rf"{after}([\d.]+) ± ([\d.]+)", said).groups()  # type: ignore[union-attr]
        digits = decimals(estimate.half_width, most)
        assert len(value.partition(".")[2]) == len(half.partition(".")[2]) == digits
        assert abs(float(value) - estimate.value) <= 0.5 * 10.0**-digits
        assert abs(float(half) - estimate.half_width) <= 0.5 * 10.0**-digits
    # The search simulates fewer replications, so its costs never have more digits.
    shown = search_cost(result, result.planned.looks[0])
    assert len(shown.partition(".")[2]) <= decimals(horizon.half_width, 2)


def test_a_plan_below_the_model_bound_is_no_contradiction() -> None:
    result = planned()
    dropped, bound = result.planned.dropped, result.planned.solution.bound
    assert dropped > 0
    assert float(result.cost.total.mean) < bound
    said = line(result, "model bound")
    assert said.startswith(f"the shift model alone would not go below {bound:,.2f}"[:-1])
    assert said.endswith(f"the search went {dropped} shifts lower")
    assert line(searched(dropped=1), "model bound").endswith("1 shift lower")
    kept = line(searched(dropped=0), "model bound")
    assert kept.startswith("no schedule covering these requirements is cheaper than")
    assert kept.endswith("it prices by estimate what was simulated")
    cheaper_bound = replace(result.planned.solution, bound=1.0)
    assert line(searched(dropped=0, solution=cheaper_bound), "model bound").endswith(
        "1.00 EUR (model bound)"
    )


def test_no_plan_is_cheaper_than_the_valid_bound_says() -> None:
    (shown,) = re.findall(r"no plan can be cheaper than ([\d.,]+) EUR", str(planned()))
    assert planned().bound.cost - 0.01 < float(shown) <= planned().bound.cost


def test_formulas_alone_say_whether_and_where_simulation_refused() -> None:
    assert "margin of 1% included" in line(planned(), "formulas alone")
    first = planned().planned.looks[0]
    names = tuple(f"{one.promise.name} (71.20%)" for one in planned().kept)
    refused = searched(looks=(replace(first, missed=names),))
    short = short_name(planned().kept[0], planned().case.grid)
    assert line(refused, "formulas alone").endswith(f"simulation refused it: {short} and 1 more")
    fine = searched(looks=(replace(first, missed=()),))
    assert line(fine, "formulas alone").endswith("simulation saw every promise kept")


def test_plans_one_shift_cheaper_are_counted_or_the_reason_is_given() -> None:
    said = line(searched(cheaper=Cheaper(4, 3)), "one shift cheaper")
    assert said == "plans one shift cheaper: 4 tried, 3 rejected at 95%, none passed"
    none = searched(cheaper=Cheaper(0, 0))
    assert line(none, "one shift cheaper").endswith(
        "none tried, as the search found no room to spare in this one"
    )
    by_interval = replace(none.plan, schedule=(), by_interval={"desk": (1.0, 1.0, 1.0)})
    nobody = searched(cheaper=Cheaper(0, 0), plan=by_interval)
    assert line(nobody, "one shift cheaper").endswith("none tried, as nobody works in shifts")
    scenario = none.case.scenario
    group = scenario.agent_groups["desk"].model_copy(update={"minimum_staff": 99})
    full = scenario.model_copy(update={"agent_groups": {"desk": group}})
    held = replace(none, case=replace(none.case, scenario=full))
    assert line(held, "one shift cheaper").endswith(
        "as minimum staff and interval floors let no shift go"
    )


def test_the_closest_promise_is_the_missed_one_if_there_is_one() -> None:
    assert closest(planned()).startswith("closest: call")
    for index, one in enumerate(planned().kept):
        words = list(planned().findings)
        words[index] = replace(words[index], finding="misses")  # type: ignore[type-var]
        result = judged(verdict="missed", findings=tuple(words))
        assert closest(result).startswith(f"furthest off: {short_name(one, result.case.grid)}")
        assert standing(one, words[index]) == ("missed", "")


# What is handed out --------------------------------------------------------------------------


@each_kind
def test_tables_are_tidy(result: Any) -> None:
    for name, table in result().tables.items():
        assert len(table), name
        assert table.columns.is_unique
        assert all(isinstance(column, str) and column for column in table.columns)
        assert list(table.index) == list(range(len(table)))
        assert not table.map(lambda cell: isinstance(cell, list | tuple | dict)).any(axis=None)
        for column in table.columns:
            if column.endswith(("_lower", "_upper")):
                assert pd.api.types.is_numeric_dtype(table[column])
                assert column[: -len("_lower")] in table.columns


@each_kind
def test_json_has_a_version_and_only_json(result: Any) -> None:
    document = result().to_json()
    assert re.fullmatch(r"ccsim/(estimate|simulate|plan|compare)/\d+", document["schema"])
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again == document
    assert set(document["tables"]) == set(result().tables)
    for name, table in result().tables.items():
        assert len(document["tables"][name]) == len(table)


def test_a_number_that_is_none_is_null() -> None:
    document = json.loads(json.dumps(rough().to_json(), allow_nan=False))
    (row,) = document["tables"]["contact_types"]
    assert row["service_level_lower"] is None
    assert row["service_level"] > 0
    assert "no interval: fewer than ten blocks" in str(rough())
    endless = replace(planned().planned.solution, bound=-np.inf)
    assert searched(solution=endless).to_json()["model_bound"] is None


# Variants ------------------------------------------------------------------------------------


def test_a_difference_is_that_of_the_estimates_with_an_interval_of_its_own() -> None:
    comparison = thinner()
    table = comparison.tables["differences"].set_index("measure")
    assert list(table.columns) == ["variant", "against", "contact_type", "value", "lower", "upper"]
    first, other = comparison.simulations
    values = {
        "cost": [total_cost(one.cost, one.sample).value for one in (first, other)],
        "cost_per_request": [
            cost_per_request(one.cost, one.sample).value for one in (first, other)
        ],
    }
    shown = comparison.tables["contact_types"]
    for measure in ("service_level", "lost_share", "abandoned_share", "speed_of_answer"):
        values[measure] = shown[measure].tolist()
    assert set(values) == set(table.index)
    for measure, (before, after) in values.items():
        row = table.loc[measure]
        assert row["value"] == pytest.approx(after - before, rel=1e-9, abs=1e-12)
        assert row["lower"] < row["value"] < row["upper"]
    # One agent fewer: cheaper, and fewer are answered in time, both beyond doubt.
    assert table.loc["cost", "upper"] < 0
    assert table.loc["service_level", "upper"] < 0
    # On the same customers the difference is surer than two costs of their own would make it.
    widths = [total_cost(one.cost, one.sample).half_width for one in (first, other)]
    assert table.loc["cost", "upper"] - table.loc["cost", "value"] < np.hypot(*widths)


def test_the_same_plan_at_another_price_differs_in_cost_alone() -> None:
    table = compared().tables["differences"].set_index("measure")
    assert table.loc["cost", "lower"] > 0
    others = table.drop(["cost", "cost_per_request"])
    assert (others[["value", "lower", "upper"]] == 0).all(axis=None)
    turned = differences(*reversed(compared().simulations))
    assert {one.measure: -one.estimate.value for one in turned} == table["value"].to_dict()
    assert "every block alike" not in compared().summary["cost difference"][1]


def test_what_two_variants_count_differently_has_no_difference() -> None:
    scenario = desk().scenario
    call = scenario.contact_types["call"].model_dump(mode="json")
    targets = ["70% answered within 30 s, over each day"]
    waits = desk(contact_types={"call": {**call, "targets": targets}})
    renamed = desk(
        contact_types={"chat": call},
        agent_groups={
            "desk": {
                **scenario.agent_groups["desk"].model_dump(mode="json"),
                "skills": {"chat": {}},
            }
        },
    )
    comparison = study.compare(
        [desk(), waits, renamed], [planned().plan] * 3, replications=32, workers=1
    )
    _, *others = comparison.simulations
    measures = [
        {(one.measure, one.contact_type) for one in differences(comparison.simulations[0], other)}
        for other in others
    ]
    costs = {("cost", ""), ("cost_per_request", "")}
    names = ("lost_share", "abandoned_share", "speed_of_answer")
    assert measures[0] == costs | {(name, "call") for name in names}
    assert measures[1] == costs
    # However few are asked for: a comparison always has ten blocks, so that it has limits.
    table = comparison.tables["differences"]
    assert table["value"].notna().all()
    assert (table["lower"] <= table["value"]).all()


# Numbers in words ----------------------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(
    value=st.floats(0, 1),
    half=st.floats(1e-6, 0.3),
    lean=st.floats(0, 0.9),
    most=st.integers(0, 3),
)
def test_both_forms_say_the_same(value: float, half: float, lean: float, most: int) -> None:
    lower, upper = value - half * (1 - lean), value + half * (1 + lean)
    estimate = Estimate(value, lower, upper, 0.95, "simulated", 10)
    written, line = write(estimate, "%", most=most), plain(estimate, "%", most=most)
    assert line.startswith(written.value)
    if "[" in line:
        assert f"[{line.split('[')[1]}" == written.interval.replace("%", "")
    shown = [float(each.strip("[]%")) for each in written.interval.split(", ")]
    assert 0 <= shown[0] <= shown[1] <= 100


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (Estimate(12.34, 11.0, 13.68, 0.95, "simulated", 10), "+12.3 ± 1.3"),
        (Estimate(-12.34, -13.68, -11.0, 0.95, "simulated", 10), "-12.3 ± 1.3"),
        (Estimate(0.0, 0.0, 0.0, 0.95, "simulated", 10), "0.00 (every block alike)"),
        (Estimate(5.0, np.nan, np.nan, 0.95, "exact", 0), "+5.00 (exact)"),
    ],
)
def test_differences_have_a_sign(estimate: Estimate, said: str) -> None:
    assert plain(estimate, signed=True) == said


def test_what_a_scenario_means_prints_as_a_scenario(tmp_path) -> None:
    shown = study.show(desk())
    assert "Promises as they will be judged" in shown.meaning
    path = tmp_path / "again.yaml"
    path.write_text(str(shown), encoding="utf-8")
    assert study.check(path)[0].scenario == desk().scenario


def test_a_new_scenario_never_overwrites(tmp_path) -> None:
    target = tmp_path / "mine.yaml"
    assert study.new("quickstart_voice_8020", target) == (target,)
    assert study.check(target)
    with pytest.raises(CcsimError, match="exists and is not overwritten"):
        study.new("quickstart_voice_8020", target)
    with pytest.raises(CcsimError, match="no scenario 'bank_wek' comes with ccsim"):
        study.new("bank_wek", tmp_path / "other.yaml")
