"""`ccsim verify`: sound programs pass, planted errors are found, and z is a normal score.

A check calls a sound program wrong so rarely that of 1,000 files one is; seeds here are fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from scipy import integrate
from scipy.special import gammaincinv, ndtr, ndtri

from ccsim import study
from ccsim.cli.main import ccsim
from ccsim.cli.verifying import show_verification
from ccsim.demand.draw import Contacts, Draw, draw_replications
from ccsim.demand.model import DemandModel, compile_demand, duration_table, patience_table
from ccsim.demand.table import mean_seconds, survival_at
from ccsim.plans import StaffingPlan
from ccsim.results import Verification
from ccsim.scenario import Case, case_from, read_case, shipped_scenarios
from ccsim.scenario.distributions import HandleDistribution, PatienceDistribution
from ccsim.scenario.model import Scenario
from ccsim.simulation.engine import run
from ccsim.simulation.log import ContactLog, Outcome
from ccsim.simulation.model import Model, compile_model
from ccsim.statistics import Estimate
from ccsim.verification import (
    CONTACTS,
    Check,
    Finding,
    Numbers,
    centre_of,
    play,
    read_file,
    reductions,
    simple_roster,
)
from ccsim.verification.lengths import LengthLaw, handle_law, in_hand, later, patience_law
from ccsim.verification.log_rules import RULES
from ccsim.verification.playing import Played, z_limit, z_scores
from tests.equality import Centre, small_centres
from tests.oracles import scenario_of

GOLDEN = Path(__file__).parent / "golden" / "cli"
PLAY = "ccsim.verification.playing"
TABLES = {
    "stays": np.array([[0.0, 0.95], [30.0, 0.8], [60.0, 0.8], [180.0, 0.3], [600.0, 0.1]]),
    "took": np.array([[0.0, 5.0], [0.2, 60.0], [0.3, 60.0], [0.9, 300.0], [1.0, 900.0]]),
}


def desk(**changes: Any) -> Case:
    """Two contact types with everything that some reduction is about."""
    given: dict[str, Any] = {
        "open": {"all": "08:00-18:00"},
        "demand": {
            "rate": "40 calls/h",
            "includes": ["redials"],
            "observed_abandonment": "8%",
            "forecast_error": {"gamma": {"shape": 20}},
        },
        "talk_time": {"lognormal": {"mean": "3 min", "cv": 1.3}},
        "wrap_up": "20 s",
        "patience": {"weibull": {"mean": "3 min", "shape": 0.8}},
        "redial": {
            "probability": "40%", "delay": {"exponential": {"mean": "8 min"}}, "at_most": 3,
        },
        "targets": ["80% answered within 20 s, over each day"],
    }  # fmt: skip
    sales = {
        "open": {"all": "08:00-18:00"},
        "demand": {"rate": "15 calls/h"},
        "talk_time": {"exponential": {"mean": "4 min"}},
        "patience": {"exponential": {"mean": "90 s"}},
        "queue_limit": 3,
        "repeat": {"delay": {"exponential": {"mean": "20 min"}}, "at_most": 2},
        "head_start": "30 s",
    }
    return case_from(
        Scenario.model_validate(
            {
                "version": 1,
                "name": "A desk",
                "currency": "EUR",
                "time_zone": "UTC",
                "horizon": {"start": "2026-09-07", "days": 2, "warm_up": "1 d"},
                "contact_types": {"help": given | changes, "sales": sales},
                "agent_groups": {
                    "desk": {
                        "skills": {"help": {}, "sales": {"resolution": "70%"}},
                        "rate_card": "own",
                        "shrinkage": {"unplanned": "8%"},
                    }
                },
                "rate_cards": {"own": {"paid_hour": "20 EUR"}},
            }
        ),
        tables=TABLES,
    )


def checked(case: Case, contacts: int = 60_000, only: str = "", **options: Any) -> list[Check]:
    """Checks of a case, of those reductions whose name has a part."""
    chosen = [r for r in reductions(case, simple_roster(case)) if only in r.name]
    return list(play(chosen, seed=7, contacts=contacts, **options))


# Laws that are read from the file once more.


@pytest.mark.parametrize(
    "given",
    [
        {"exponential": {"mean": "3 min"}},
        {"lognormal": {"mean": "3 min", "cv": 1.3}},
        {"constant": "90 s"},
        {"weibull": {"mean": "3 min", "shape": 0.7}},
        {"empirical": {"file": "took"}},
        {
            "mixture": {
                "quick": {"share": "30%", "constant": {"value": "20 s"}},
                "slow": {"share": "70%", "lognormal": {"mean": "5 min", "cv": 0.8}},
            }
        },
        {
            "stages": {
                "gather": {"lognormal": {"mean": "90 s", "cv": 0.8}, "scale": 0.6},
                "consult": {
                    "mixture": {
                        "nobody": {"share": "70%", "constant": "0 s"},
                        "expert": {"share": "30%", "exponential": {"mean": "2 min"}},
                    }
                },
                "solve": {"empirical": {"file": "took"}},
            }
        },
    ],
    ids=lambda given: next(iter(given)),
)
def test_handle_times_by_formula_are_those_drawn(given: dict[str, Any]) -> None:
    asked = HandleDistribution.model_validate(given)
    law, table = handle_law(asked, TABLES), duration_table(asked, TABLES)
    moments = np.array([1.0, 15.0, 45.0, 61.0, 170.0, 400.0, 2000.0])
    assert law.longer(moments) == pytest.approx(survival_at(table, moments), abs=2e-5)
    assert law.mean == pytest.approx(mean_seconds(table), rel=1e-5)  # a mixture: 4e-6
    off = 1e-5 if "stages" in given else 1e-6  # atoms lie on a grid
    assert law.mean == pytest.approx(integral(law, 1), rel=off)
    assert law.square == pytest.approx(integral(law, 2), rel=off)


@pytest.mark.parametrize("tail", ["exponential", "never"])
def test_patience_by_its_table_is_that_drawn(tail: str) -> None:
    asked = PatienceDistribution.model_validate({"survival": {"file": "stays", "tail": tail}})
    law, table = patience_law(asked, TABLES), patience_table(asked, TABLES)
    moments = np.array([0.0, 15.0, 45.0, 120.0, 599.0, 800.0])
    assert law.longer(moments) == pytest.approx(survival_at(table, moments), abs=1e-6)
    left = 1 - law.never
    assert law.never == (0.1 if tail == "never" else 0.0)
    for power, moment in ((1, law.mean), (2, law.square)):
        assert moment * left == pytest.approx(integral(law, power, law.never), rel=1e-6)


def integral(law: LengthLaw, power: int, never: float = 0.0) -> float:
    """A moment as the integral of its survival function, piece by piece."""
    edges = np.unique(np.concatenate([[0.0], law.knots, np.geomspace(1e-3, 1e7, 60)]))

    def slope(x: float) -> float:
        return power * x ** (power - 1) * (float(law.longer(np.array([x]))[0]) - never)

    return sum(float(integrate.quad(slope, *ends)[0]) for ends in pairwise(edges.tolist()))


def test_time_in_hand_is_that_of_the_exponential_law() -> None:
    """M(t)/M/∞ in closed form; and a length of two steps lies where it must."""
    mean, step = 200.0, 1800.0
    ends = np.arange(6) * step
    area = mean * ends + mean**2 * np.expm1(-ends / mean)
    law = handle_law(HandleDistribution.model_validate({"exponential": {"mean": "200 s"}}), {})
    exact = np.diff(np.append(0.0, np.diff(area))) / step
    assert in_hand(law, step, 5) == pytest.approx(exact, abs=1e-9)
    always = later(handle_law(None, {}), 2 * step)
    assert in_hand(always, step, 4) == pytest.approx([step / 2, step, step / 2, 0.0], abs=1e-9)


# Sound programs pass.


def test_a_desk_with_everything_passes() -> None:
    checks = checked(desk())
    assert {check.reduction.split(":")[0] for check in checks} == {
        "As written", "What comes", "The count comes back", "Who is there",
        "An agent for everybody", "Nobody there", "Not settled", "A whole day", "Patience",
        "One agent", "Who goes first", "Lines",
    }  # fmt: skip
    assert all(check.agrees for check in checks), [c for c in checks if not c.agrees]


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_scenarios())
def test_shipped_scenarios_pass(name: str) -> None:
    result = study.verify(shipped_scenarios()[name])
    assert result.agrees, str(result)
    assert not result.findings


@pytest.mark.parametrize("name", shipped_scenarios())
def test_shipped_scenarios_pass_a_short_look(name: str) -> None:
    result = study.verify(shipped_scenarios()[name], contacts=20_000)
    assert result.agrees, str(result)


def test_a_centre_with_everything_in_it_passes() -> None:
    """What a reduction does not speak of is taken away: pace, ring, transfers, other types."""
    redial = {"probability": "30%", "delay": "5 min", "elsewhere": {"to": "second"}}
    repeat = {"delay": "30 min", "elsewhere": {"to": "second", "share": "40%"}}
    call = {
        "open": {"all": "08:00-20:00"},
        "demand": {"rate": "60 calls/h"},
        "talk_time": {"exponential": {"mean": "3 min"}},
        "patience": {"exponential": {"mean": "2 min"}},
        "announced_wait": {"balking": 1.5},
        "callback": {"offered_from": "1 min", "accepted": "37%", "dialling": "20 s"},
        "at_closing": "carry_over",
        "ageing": 2,
    }
    transfer = {"to": "second", "probability": "10%", "context_lost": "30 s"}
    differ = {
        "ring": "5 s",
        "tenure": {"new": {"share": "20%", "handle_time": 1.5, "resolution": 0.9}},
        "handle_time_spread": "20%",
        "learning": {"coaching": {"start": "2026-09-07", "handle_time": 0.8, "resolution": 1.05}},
    }
    groups = {
        "desk": {"call": {"transfer": transfer, "resolution": "80%"}},
        "back": {"second": 1, "call": {"priority": 2, "contact_priority": 2, "resolution": "70%"}},
    }
    case = case_from(
        scenario_of(
            {"call": {**call, "redial": redial, "repeat": repeat}, "second": call},
            groups,
            differ=differ,
            days=7,
        )
    )
    result = study.verify(case, contacts=20_000)
    assert result.agrees, str(result)


def test_either_engine_gives_the_same_scores() -> None:
    pytest.importorskip("numba")
    one, other = (
        checked(desk(), 20_000, only="Patience: sales", engine=engine, workers=workers)
        for engine, workers in (("reference", 1), ("compiled", 2))
    )
    assert one == other


@pytest.mark.parametrize("rule", RULES)
def test_rules_hold_on_centres_full_of_ties(rule: str) -> None:
    assert sum(len(centre.log.arrival) for centre in small_centres()) > 5000
    assert not any(RULES[rule](played(centre)) for centre in small_centres())


def played(centre: Centre) -> Played:
    return Played(centre.model, centre.draw, centre.log, centre.tally)


# Errors planted in the program.

Slip = Callable[[pytest.MonkeyPatch], None]


def on_draws(change: Callable[[Draw], Draw]) -> Slip:
    """Alter whatever is drawn."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def drawn(*arguments: Any, **named: Any) -> Iterator[Draw]:
            return map(change, draw_replications(*arguments, **named))

        patch.setattr(f"{PLAY}.draw_replications", drawn)

    return plant


def on_contacts(change: Callable[[Contacts], dict[str, np.ndarray]]) -> Slip:
    """Alter columns of the contacts drawn."""
    return on_draws(lambda d: replace(d, contacts=replace(d.contacts, **change(d.contacts))))


def on_models(change: Callable[[Model], Model]) -> Slip:
    """Alter whatever a centre and its plan are compiled to."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(f"{PLAY}.compile_model", lambda *given: change(compile_model(*given)))

    return plant


def on_logs(change: Callable[[ContactLog], ContactLog]) -> Slip:
    """Alter whatever is played."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(f"{PLAY}.run", lambda *given: change(run(*given)))

    return plant


def on_demand(change: Callable[[DemandModel], DemandModel]) -> Slip:
    """Alter what is drawn from."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(f"{PLAY}.compile_demand", lambda case: change(compile_demand(case)))

    return plant


def thinned(drawn: Draw) -> Draw:
    """One contact in thirty is forgotten."""
    keep = np.arange(len(drawn.contacts.arrival)) % 30 > 0
    columns = {name: column[keep] for name, column in vars(drawn.contacts).items()}
    return replace(drawn, contacts=Contacts(**columns))


def eager_redials(demand: DemandModel) -> DemandModel:
    """Five points more of those who gave up call again."""
    types = [
        t if t.redial is None else
        replace(t, redial=replace(t.redial, probability_ppm=t.redial.probability_ppm + 50_000))
        for t in demand.contact_types
    ]  # fmt: skip
    return replace(demand, contact_types=tuple(types))


def nobody_absent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Draw, "present", lambda *key: np.ones(len(key[2]), bool))


def one_lost(log: ContactLog) -> ContactLog:
    """The last contact of each log is gone."""
    columns = vars(log) | {
        name: column[:-1] for name, column in vars(log).items() if not name.startswith("stretch")
    }
    return ContactLog(**columns)


def last_come_first(log: ContactLog) -> ContactLog:
    """Once in each log two who waited are answered in the wrong order."""
    rows = np.flatnonzero((log.outcome == Outcome.ANSWERED) & (log.wait > 0))
    for one, two in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True):
        if log.arrival[two] < log.left_queue[one] < log.left_queue[two] and (
            log.contact_type[one] == log.contact_type[two]
        ):
            left = log.left_queue.copy()
            left[[one, two]] = left[[two, one]]
            return replace(log, left_queue=left)
    return log


def arrivals_at_the_start(contacts: Contacts) -> dict[str, np.ndarray]:
    """Contacts come in the first half of their quarter of an hour."""
    begin = contacts.arrival // 900_000_000 * 900_000_000
    return {"arrival": begin + (contacts.arrival - begin) // 2}


def worse_first(model: Model) -> Model:
    """The better priority is taken last."""
    p = model.skills.priority
    return replace(model, skills=replace(model.skills, priority=np.where(p > 0, 3 - p, 0)))


def a_longer_queue(model: Model) -> Model:
    limit = model.access.queue_limit
    return replace(model, access=replace(model.access, queue_limit=limit + 1))


SLIPS: dict[str, tuple[Slip, str]] = {
    "handle times 4 % too long": (
        on_contacts(lambda c: {"handle_time": c.handle_time * 104 // 100}), "An agent for",
    ),
    "handle times all alike": (
        on_contacts(lambda c: {"handle_time": np.full_like(c.handle_time, 200_000_000)}),
        "One agent: help",
    ),
    "patience 6 % too short": (
        on_contacts(lambda c: {"patience": c.patience // 100 * 94}), "Nobody there",
    ),
    "one contact in thirty is not drawn": (on_draws(thinned), "What comes"),
    "contacts come early in the interval": (on_contacts(arrivals_at_the_start), "One agent: sales"),
    "five points more redials": (on_demand(eager_redials), "Nobody there"),
    "absent agents come": (nobody_absent, "Who is there"),
    "the wrong one first": (on_models(worse_first), "Who goes first"),
    "a place more in the queue": (on_models(a_longer_queue), "Lines"),
    "a contact lost": (on_logs(one_lost), "As written"),
    "last come, first served": (on_logs(last_come_first), "As written"),
}  # fmt: skip
"""What is planted, and the reduction that has to find it."""


@pytest.mark.parametrize("slip", SLIPS)
def test_an_error_in_the_program_is_found(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the limit of all checks together, though only those of one reduction are played."""
    plant, name = SLIPS[slip]
    case = desk()
    all_laws = sum(len(one.laws) for one in reductions(case, simple_roster(case)))
    assert max(abs(check.z) for check in checked(case, only=name)) < z_limit(all_laws)
    plant(monkeypatch)
    assert max(abs(check.z) for check in checked(case, only=name)) > z_limit(all_laws)


@pytest.mark.slow
def test_handle_times_one_per_cent_too_long_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the shipped bank, at what `ccsim verify` does by itself; it says that it would."""
    case = read_case(shipped_scenarios()["bank_week"])
    limit = z_limit(sum(len(one.laws) for one in reductions(case, simple_roster(case))))
    sound = [c for c in checked(case, CONTACTS, "An agent for") if "mean handle" in c.law]
    # With a chance of 95 % each, by the limit of the whole file.
    assert min(replace(c, limit=limit).finds for c in sound) < 0.01
    on_contacts(lambda c: {"handle_time": c.handle_time * 101 // 100})(monkeypatch)
    assert max(c.z for c in checked(case, CONTACTS, "An agent for")) > limit


@pytest.mark.slow
def test_what_a_check_says_it_finds_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handle times too long by just what is said to be found with 95 %: found 33 times of 40.

    With a chance of 95 % each, fewer than 33 would be found once in 5,000 tests.
    """
    case = desk()
    chosen = [r for r in reductions(case, simple_roster(case)) if r.name == "One agent: sales"]

    def found(seed: int) -> Check:
        return play(chosen, seed=seed, contacts=20_000)[-1]

    said = found(1).finds * 1e6
    # The mean wait behind one agent half of whose time is taken grows by three times as much: by
    # 1/(1 - ρ) once for the wait itself and once for the load.
    longer = round(said / 3)
    on_contacts(lambda c: {"handle_time": c.handle_time * (10**6 + longer) // 10**6})(monkeypatch)
    assert sum(not found(seed).agrees for seed in range(100, 140)) >= 33


# z is a normal score.


def test_scores_of_skewed_sums_are_normal_far_out() -> None:
    """Rare events: of 20,000 runs as many lie beyond 3 as should, on either side, within chance."""
    chance, runs, n = np.random.default_rng(3), 20_000, 200
    counts = chance.poisson(4.0, (runs, n)).astype(float) ** 2  # skewness 2
    differences = counts - (4.0 + 16.0)
    scores = np.array([z_scores(row[:, None])[0][0] for row in differences])
    tail = float(ndtr(-2.5))
    for beyond in ((scores > 2.5).sum(), (scores < -2.5).sum()):
        assert abs(beyond - runs * tail) < 4.9 * np.sqrt(runs * tail)
    raw = differences.mean(axis=1) / differences.std(axis=1, ddof=1) * np.sqrt(n)
    assert (raw < -2.5).sum() > 1.5 * runs * tail  # what is taken off


@pytest.mark.slow
def test_scores_of_a_sound_program_are_standard_normal() -> None:
    """Every check over 60 seeds: its mean is 0 and its variance 1 within chance.

    Some 60 tests of each kind at 1e-4 each: a false alarm in a hundred sets of seeds.
    """
    case, seeds = desk(), 60
    chosen = reductions(case, simple_roster(case))
    scores: dict[tuple[str, str], list[float]] = {}
    for seed in range(seeds):
        for check in play(chosen, seed=1000 + seed, contacts=60_000):
            if check.error:
                scores.setdefault((check.reduction, check.law), []).append(check.z)
    for name, values in scores.items():
        z = np.array(values)
        if "per interval" in name[1] or "in an interval" in name[1]:
            continue  # a bound: many places at once, each seldom called
        assert abs(z.mean()) * np.sqrt(len(z)) < -ndtri(5e-5), (name, z.mean())
        low, high = 2 * gammaincinv((len(z) - 1) / 2, [5e-5, 1 - 5e-5]) / (len(z) - 1)
        assert low < z.var(ddof=1) < high, (name, z.var(ddof=1))


# Errors planted in the file.


def reading(case: Case, plan: StaffingPlan, *, known: bool = True) -> tuple[Finding, ...]:
    return read_file(centre_of(case, plan), seed=1, known_roster=known, engine="compiled")[1]


def as_observed() -> tuple[Case, StaffingPlan]:
    """A desk whose file says what really gave up under its roster."""
    case = desk()
    plan = StaffingPlan(by_interval={"desk": tuple(int(n) for n in _short(case))})
    numbers, _ = read_file(centre_of(case, plan), seed=2, known_roster=False)
    return _observed(case, numbers[0].gives_up.value), plan


def _short(case: Case) -> NDArray[np.int64]:
    return np.maximum(np.array(simple_roster(case).by_interval["desk"], np.int64) - 1, 0)


def _observed(case: Case, share: float) -> Case:
    types = dict(case.scenario.contact_types)
    asked = types["help"].demand.model_copy(update={"observed_abandonment": share})
    types["help"] = types["help"].model_copy(update={"demand": asked})
    return replace(case, scenario=case.scenario.model_copy(update={"contact_types": types}))


def test_a_sound_file_contradicts_nothing() -> None:
    case, plan = as_observed()
    assert reading(case, plan) == ()


def test_a_doubled_volume_contradicts_who_gave_up() -> None:
    case, plan = as_observed()
    twice = replace(case, demand=dict(case.demand) | {"help": 2 * case.demand["help"]})
    kinds = {one.kind: one for one in reading(twice, plan)}
    assert "contradiction" in kinds
    said = kinds["contradiction"].sentence
    percent = float(said.split("it would fit if ")[1].split("%")[0])
    # Sales come twice as often as they would need to for half of all to fit exactly.
    assert 30 < percent < 70


def test_work_for_more_agents_than_the_roster_has_is_doubted() -> None:
    case = desk()
    found = reading(case, StaffingPlan(by_interval={"desk": (1,) * case.grid.intervals}))
    (doubt,) = [one for one in found if one.kind == "doubt"]
    # 40 calls of 200 s and 15 of 240 s an hour are 3.2 erlang; of one agent 8 % are absent.
    assert "work for 3.2 agents comes in, and the roster has 0.9" in doubt.sentence


@pytest.mark.parametrize(
    ("change", "about", "kind"),
    [
        ({"patience": {"weibull": {"mean": "3 s", "shape": 0.8}}}, "patience", "doubt"),
        ({"patience": {"weibull": {"mean": "3 h", "shape": 0.8}}}, "patience", "doubt"),
        ({"talk_time": {"lognormal": {"mean": "3 h", "cv": 1.3}}}, "talk_time", "doubt"),
        (
            {"patience": {"survival": {"file": "few", "tail": "never"}}},
            "observed_abandonment",
            "contradiction",
        ),
    ],
)
def test_units_that_cannot_be_are_doubted(change: dict[str, Any], about: str, kind: str) -> None:
    case = desk(**change)
    case = replace(case, tables=dict(case.tables) | {"few": np.array([[0.0, 1.0], [60.0, 0.95]])})
    found = reading(case, simple_roster(desk()), known=False)
    assert [(one.kind, one.about.rsplit(".", 1)[1]) for one in found] == [(kind, about)]


def test_a_half_hour_counted_twice_is_doubted() -> None:
    case = desk()
    demand = case.demand["help"].copy()
    demand[22] *= 2
    twice = replace(case, demand=dict(case.demand) | {"help": demand})
    (found,) = reading(twice, simple_roster(case), known=False)
    assert found.kind == "doubt"
    assert "2026-09-07 11:00 has 2.0 times" in found.sentence


def test_too_few_seats_contradict_who_gave_up() -> None:
    case = desk()
    groups = {"desk": case.scenario.agent_groups["desk"].model_copy(update={"maximum_staff": 2})}
    tight = replace(case, scenario=case.scenario.model_copy(update={"agent_groups": groups}))
    (found,) = reading(tight, simple_roster(tight), known=False)
    assert found.kind == "contradiction"
    assert "even with every seat taken" in found.sentence


# What is printed.


def check(**changes: Any) -> Check:
    given: dict[str, Any] = {
        "reduction": "One agent: help", "kept": "handle times as in your file",
        "simplified": "one agent, busy half of her time", "law": "mean wait", "unit": " s",
        "place": "", "exact": 180.0, "simulated": 181.25, "error": 0.75, "z": 1.667,
        "limit": 4.05, "replications": 1280, "places": 1,
    }  # fmt: skip
    return Check(**given | changes)


def test_the_table_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    # To renew it after a change that is meant: print what is captured to the file.
    case = desk()
    result = Verification(
        case=case,
        plan=simple_roster(case),
        checks=(
            check(
                reduction="As written", kept="your whole centre with the roster",
                simplified="nothing", law="a rule that holds", unit="%", exact=0.0, simulated=0.0,
                error=0.0, z=0.0,
            ),
            check(
                reduction="As written", kept="your whole centre with the roster",
                simplified="nothing", law="a rule that is broken", unit="%", exact=0.0,
                simulated=0.0125, error=0.0, z=np.inf,
            ),
            check(),
            check(law="have to wait", unit="%", exact=0.5, simulated=0.5102, error=0.0016, z=6.3),
            check(law="contacts", unit="", exact=12.5, simulated=12.25, error=0.125, places=20,
                  place="from 2026-09-07 11:00", z=-0.4),
        ),
        numbers=(
            Numbers("help", 400.0, "2026-09-07 11:00", 40.0, 200.0, 2.25, 117.0,
                    Estimate(0.0371, 0.035, 0.0392, 0.95, "simulated", 10), 0.08),
        ),
        findings=(Finding("doubt", "contact_types.help.patience", "half are gone at once"),),
        seed=1,
        given_plan=False,
    )  # fmt: skip
    show_verification(result, flat=True)
    printed = capsys.readouterr().out
    assert printed == (GOLDEN / "verify.txt").read_text(encoding="utf-8")
    assert not result.agrees
    assert [one.law for one in result.disagreeing] == ["a rule that is broken", "have to wait"]
    assert result.farthest.law == "have to wait"
    assert set(result.tables) == {"checks", "numbers", "findings"}
    assert result.to_json()["tables"]["checks"][2]["z"] == 1.667
    assert "doubt: half are gone at once" in str(result)
    assert "<table" in result._repr_html_()


HOUR = """\
version: 1
name: A help desk's hour
currency: EUR
time_zone: Europe/Berlin
horizon: {start: 2026-09-07, days: 1, interval: 30 min, begins: empty}
contact_types:
  help:
    open: {mon: "08:00-10:00"}
    demand: {rate: 60 calls/h, includes: [redials], observed_abandonment: OBSERVED}
    redial: {probability: 30%, delay: 5 min, at_most: 2}
    talk_time: {exponential: {mean: 3 min}}
    patience: {exponential: {mean: 2 min}}
agent_groups:
  desk: {skills: {help: {}}, rate_card: own, agents: 3}
rate_cards:
  own: {paid_hour: 20 EUR}
"""


@pytest.mark.parametrize(("observed", "code"), [("20%", 0), ("1%", 1)])
def test_the_verb_says_so_by_its_exit_code(tmp_path: Path, observed: str, code: int) -> None:
    """Three agents for 60 calls/h of 3 minutes lose a fifth: a file that says 1 % is not sound."""
    file = tmp_path / "hour.yaml"
    file.write_text(HOUR.replace("OBSERVED", observed), encoding="utf-8")
    words = ["verify", str(file), "--contacts", "10000", "--workers", "1"]
    result = CliRunner().invoke(ccsim, words)
    assert result.exit_code == code, result.output
    assert ("contradiction" in result.stdout) == bool(code)
    again = CliRunner().invoke(ccsim, [*words, "--json"])
    assert again.exit_code == code
    assert f'"agrees": {"false" if code else "true"}' in again.stdout
