"""What the first screen says: the question, the verdict, the cost, the bounds, what was tried."""

from __future__ import annotations

from dataclasses import dataclass

from ccsim.reporting.content import Shown, met
from ccsim.reporting.tables import Mark
from ccsim.results import (
    Comparison,
    PlanResult,
    cost_per_handled,
    cost_per_request,
    total_cost,
    variant_name,
    wording,
)
from ccsim.statistics.writing import at_most, write


@dataclass(frozen=True)
class Bound:
    """A line that costs cannot go below: what it says, and how long its bar is."""

    says: str
    amount: str
    share: float
    why: str

    @property
    def percent(self) -> str:
        """Its share of the cost, rounded down."""
        return f"{at_most(100 * self.share, 1)}%"


@dataclass(frozen=True)
class Fact:
    """A figure in large, and what it is."""

    figure: str
    says: str
    below: str = ""


@dataclass(frozen=True)
class Headline:
    """The first screen.

    Attributes
    ----------
    question, verdict, explained, answer : str
        In the order in which they are read.
    mark : str
        Whether the verdict is good, bad or open.
    costs, facts : tuple of Fact
        Cost of the horizon, per request, per handled contact; promises, and plans tried.
    bounds : tuple of Bound
        The valid bound and the model bound, each by itself.
    """

    question: str
    verdict: str
    mark: Mark
    explained: str
    answer: str
    costs: tuple[Fact, ...]
    bounds: tuple[Bound, ...]
    facts: tuple[Fact, ...]


def headline(result: Shown | Comparison) -> Headline:
    """The first screen of a result."""
    if isinstance(result, Comparison):
        return _of_comparison(result)
    return _of_plan(result) if isinstance(result, PlanResult) else _of_simulation(result)


def _of_plan(result: PlanResult) -> Headline:
    certificate = result.planned.certificate
    marks: dict[str, Mark] = {"certified": "good", "missed": "bad", "not decided": "open"}
    explained = sentence(wording.verdict_sentence(result))
    if certificate.verdict == "certified":
        explained += (
            " A plan that falls short of any promise passes this with a risk of at most "
            f"{certificate.level:.1%}."
        )
    elif certificate.more_blocks:
        explained += " Raise planning.certificate_replications."
    tried, why = wording.one_shift_cheaper(result)
    return Headline(
        question=wording.question(result.case),
        verdict=certificate.verdict,
        mark=marks[certificate.verdict],
        explained=explained,
        answer=sentence(wording.roster(result)),
        costs=_costs(result),
        bounds=(
            _bound(result, wording.valid_bound_said(result), _VALID),
            _bound(result, wording.model_said(result), _MODEL),
        ),
        facts=(_promises(result), Fact(tried, "plans one shift cheaper", why)),
    )


def _of_simulation(result: Shown) -> Headline:
    cells = [met(one, None) for one in result.kept]
    good, bad = (sum(cell.mark == mark for cell in cells) for mark in ("good", "bad"))
    mark: Mark = "bad" if bad else "good" if good == len(cells) and cells else "open"
    words = {
        "good": "promises kept",
        "bad": f"{bad} of {len(cells)} promises missed",
        "open": "too close to tell" if cells else "nothing promised",
    }
    return Headline(
        question=result.case.scenario.question or "What does this plan do?",
        verdict=words[mark],
        mark=mark,
        explained=(
            f"Simulated on {result.sample.replications:,} replications, each promise by its own "
            "95 % interval. This is no certificate; planning gives one."
        ),
        answer=sentence(wording.roster(result)),
        costs=_costs(result),
        bounds=(),
        facts=(_promises(result),),
    )


def _of_comparison(result: Comparison) -> Headline:
    first = result.simulations[0]
    return Headline(
        question=first.case.scenario.question or "Which variant is cheaper at equal service?",
        verdict=f"{len(result.simulations)} variants compared",
        mark="",
        explained=(
            f"On the same {first.sample.replications:,} replications each; differences are paired, "
            f"against the first, {variant_name(first.case)}, with 95 % intervals."
        ),
        answer="",
        costs=(),
        bounds=(),
        facts=(),
    )


def _costs(result: Shown) -> tuple[Fact, ...]:
    cost, sample = result.cost, result.sample
    found = (
        ("cost of the horizon", write(total_cost(cost, sample))),
        ("per request", write(cost_per_request(cost, sample), most=4)),
        ("per handled contact", write(cost_per_handled(cost, sample), most=4)),
    )
    return tuple(Fact(written.value, says, written.interval) for says, written in found)


_VALID = "under the shift rules, whatever the routing"
_MODEL = "for the agents the search asked for by interval, and for no others"


def _bound(result: PlanResult, said: wording.BoundSaid, scope: str) -> Bound:
    cost = float(result.cost.total.mean)
    more = f" {sentence(said.more)}" if said.more else ""
    return Bound(
        says=sentence(said.says, end=""),
        amount=at_most(said.amount),
        share=said.amount / cost if cost else 0.0,
        why=f"{sentence(said.which, end=',')} {scope}.{more}",
    )


def _promises(result: Shown) -> Fact:
    return Fact(wording.promises_met(result), "promises met", wording.closest(result))


def sentence(text: str, end: str = ".") -> str:
    """A text as a sentence of its own.

    Examples
    --------
    >>> sentence("nobody, Mon 7 Sep")
    'Nobody, Mon 7 Sep.'
    """
    return f"{text[:1].upper()}{text[1:]}{end}"
