"""Results that explain themselves: they print as a table, and hand out tidy tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ccsim.results.erlang import ErlangAnswer
    from ccsim.results.erlang_question import ErlangQuestion
    from ccsim.results.figures import (
        Difference,
        Standing,
        cost_difference,
        cost_per_handled,
        cost_per_request,
        cost_per_request_difference,
        differences,
        room,
        standing,
        total_cost,
    )
    from ccsim.results.kinds import (
        Comparison,
        Estimation,
        PlanResult,
        Shown,
        Simulation,
    )
    from ccsim.results.story import Story
    from ccsim.results.tables import coverage_table
    from ccsim.results.wording import variant_name, verdict_lines

__all__ = [
    "Comparison",
    "Difference",
    "ErlangAnswer",
    "ErlangQuestion",
    "Estimation",
    "PlanResult",
    "Shown",
    "Simulation",
    "Standing",
    "Story",
    "cost_difference",
    "cost_per_handled",
    "cost_per_request",
    "cost_per_request_difference",
    "coverage_table",
    "differences",
    "room",
    "standing",
    "total_cost",
    "variant_name",
    "verdict_lines",
]

_HOMES = {
    "erlang": ("ErlangAnswer",),
    "erlang_question": ("ErlangQuestion",),
    "figures": (
        "Difference",
        "Standing",
        "cost_difference",
        "cost_per_handled",
        "cost_per_request",
        "cost_per_request_difference",
        "differences",
        "room",
        "standing",
        "total_cost",
    ),
    "kinds": ("Comparison", "Estimation", "PlanResult", "Shown", "Simulation"),
    "story": ("Story",),
    "tables": ("coverage_table",),
    "wording": ("variant_name", "verdict_lines"),
}
"""Names are loaded when they are first used: a calculator needs none of what a plan needs."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
