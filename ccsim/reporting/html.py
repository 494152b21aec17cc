"""The report: one page, complete in itself, that opens without a network and without scripts.

The first screen answers the scenario's question; below it stands everything that the answer rests
on. Every text is escaped. The page has no date in it: the same result gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ccsim.economics import paid_chain
from ccsim.results import Comparison, PlanResult, Simulation, variant_name

if TYPE_CHECKING:
    from ccsim.reporting.content import Shown


@dataclass(frozen=True)
class Picture:
    """A plot with its caption; `described` is read aloud where it cannot be seen."""

    svg: str
    described: str
    caption: str


def report_html(result: PlanResult | Simulation | Comparison) -> str:
    """One self-contained page on a plan, a simulation or a comparison.

    Parameters
    ----------
    result : PlanResult, Simulation or Comparison
        What a verb of `ccsim.study` came to.

    Returns
    -------
    str
        HTML with its plots and styles inside; the same for the same result.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from ccsim.reporting.headline import headline

    environment = Environment(
        loader=PackageLoader("ccsim.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    if isinstance(result, Comparison):
        name, content = "comparison.html.j2", _comparison(result)
    elif isinstance(result, PlanResult):
        name, content = "plan.html.j2", _plan(result)
    else:
        name, content = "simulation.html.j2", _shown(result)
    return environment.get_template(name).render(head=headline(result), **content)


def _plan(result: PlanResult) -> dict[str, Any]:
    from ccsim.reporting import planning
    from ccsim.reporting.headline import sentence
    from ccsim.results.wording import formulas_sentence

    above, below = planning.over_and_under(result)
    return {
        **_shown(result),
        "search": planning.search_table(result),
        "attempts": planning.attempts_table(result),
        "above": f"{above:,.1f}",
        "below": f"{below:,.1f}",
        "alone": sentence(formulas_sentence(result)),
        "steps": planning.what_the_search_did(result),
        "risk": f"{result.planned.certificate.level:.2%}",
        "left_out": result.bound.left_out,
        "formulas": planning.formulas(result),
        "certain": f"{result.schedule_cost:,}",
        "solver": result.planned.solution,
    }


def _shown(result: Shown) -> dict[str, Any]:
    """What the pages on a plan and on a simulation share."""
    from ccsim import plots
    from ccsim.reporting import content, planning
    from ccsim.reporting.provenance import provenance

    case = result.case
    many = partial(_picture_by_day, result)
    return {
        "case": case,
        "dates": f"{case.grid.dates[0]} to {case.grid.dates[-1]}",
        "promises": content.promise_table(result),
        "services": content.service_table(result),
        "worst": content.worst_table(result),
        "cost_lines": content.cost_lines_table(result),
        "contact_costs": content.contact_cost_table(result),
        "schedule": planning.schedule_table(result),
        "chains": {name: str(paid_chain(g)) for name, g in case.scenario.agent_groups.items()},
        "sources": planning.sources_table(case),
        "provenance": provenance(result),
        "pictures": {
            "promises": _picture(
                plots.plot_promises(result), "promises", "Room beyond every promise", ""
            ),
            "staffing": many(plots.plot_staffing, "Agents by interval", _STAFFING),
            "service": many(plots.plot_service, "Service level by interval", _BAND),
            "speed": many(plots.plot_speed_of_answer, "Speed of answer by interval", _BAND),
            "abandonment": many(plots.plot_abandonment, "Abandonment by interval", _BAND)
            if any(given.patience for given in case.scenario.contact_types.values())
            else None,
            "cost": _picture(plots.plot_cost(result), "cost", "Cost by invoice line", ""),
        },
    }


_STAFFING = (
    "Agents on the floor by interval: required, scheduled less breaks, expected to be there."
)
_BAND = "Lines are estimates, bands their 95 % intervals; a band that runs out of the plot is cut."


def _comparison(result: Comparison) -> dict[str, Any]:
    from ccsim.reporting import content, planning
    from ccsim.reporting.provenance import provenance

    return {
        "case": result.simulations[0].case,
        "dates": " to ".join(
            (result.simulations[0].case.grid.dates[0], result.simulations[0].case.grid.dates[-1])
        ),
        "summary": content.comparison_table(result),
        "variants": [
            {
                "name": variant_name(one.case),
                "promises": content.promise_table(one),
                "services": content.service_table(one),
                "cost_lines": content.cost_lines_table(one),
            }
            for one in result.simulations
        ],
        "sources": planning.sources_table(result.simulations[0].case),
        "provenance": provenance(result),
    }


def _picture_by_day(result: Shown, plot: Any, described: str, caption: str) -> Picture:
    from ccsim.plots import by_day

    # Beyond two weeks a panel for each day would be a book.
    drawn = by_day(plot, result) if result.case.grid.days <= 14 else plot(result)
    return _picture(drawn, plot.__name__, described, caption)


def _picture(drawn: Any, name: str, described: str, caption: str) -> Picture:
    from ccsim.plots import figure_svg

    return Picture(figure_svg(drawn, f"ccsim-{name}"), described, caption)
