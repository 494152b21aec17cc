"""Contact-centre simulation and staffing optimization.

The verbs of the command line are functions here: ``ccsim.plan("week.yaml")``. Names are loaded when
they are first used, so that importing ccsim costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ccsim.errors import (
        CcsimError,
        InfeasibleError,
        PlanError,
        Problem,
        ScenarioError,
        SolverError,
    )
    from ccsim.plans import StaffingPlan, read_plan
    from ccsim.results import (
        Comparison,
        ErlangAnswer,
        Estimation,
        PlanResult,
        Shown,
        Simulation,
        Story,
    )
    from ccsim.scenario import Case, Scenario, case_from, read_all, read_case
    from ccsim.study import (
        check,
        compare,
        erlang,
        estimate,
        explain,
        new,
        plan,
        show,
        simulate,
        write_log,
    )

__version__ = "0.1.0"

__all__ = [
    "Case",
    "CcsimError",
    "Comparison",
    "ErlangAnswer",
    "Estimation",
    "InfeasibleError",
    "PlanError",
    "PlanResult",
    "Problem",
    "Scenario",
    "ScenarioError",
    "Shown",
    "Simulation",
    "SolverError",
    "StaffingPlan",
    "Story",
    "__version__",
    "case_from",
    "check",
    "compare",
    "erlang",
    "estimate",
    "explain",
    "new",
    "plan",
    "read_all",
    "read_case",
    "read_plan",
    "show",
    "simulate",
    "write_log",
]

_HOMES = {
    "ccsim.errors": (
        "CcsimError",
        "InfeasibleError",
        "PlanError",
        "Problem",
        "ScenarioError",
        "SolverError",
    ),
    "ccsim.plans": ("StaffingPlan", "read_plan"),
    "ccsim.results": (
        "Comparison",
        "ErlangAnswer",
        "Estimation",
        "PlanResult",
        "Shown",
        "Simulation",
        "Story",
    ),
    "ccsim.scenario": ("Case", "Scenario", "case_from", "read_all", "read_case"),
    "ccsim.study": (
        "check",
        "compare",
        "erlang",
        "estimate",
        "explain",
        "new",
        "plan",
        "show",
        "simulate",
        "write_log",
    ),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'ccsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
