"""Results that explain themselves: they print as a table, and hand out tidy tables."""

from ccsim.results.erlang import ErlangAnswer, ErlangQuestion
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
from ccsim.results.kinds import Comparison, Estimation, PlanResult, Shown, Simulation
from ccsim.results.meaning import meaning
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
    "cost_difference",
    "cost_per_handled",
    "cost_per_request",
    "cost_per_request_difference",
    "coverage_table",
    "differences",
    "meaning",
    "room",
    "standing",
    "total_cost",
    "variant_name",
    "verdict_lines",
]
