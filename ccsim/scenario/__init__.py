"""GIVEN: the scenario, its words, its files and its calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ccsim.scenario.calendar import Grid, lay_grid
    from ccsim.scenario.case import Case, case_from
    from ccsim.scenario.checks import check, remarks
    from ccsim.scenario.model import Scenario
    from ccsim.scenario.reader import read_all, read_case, variants
    from ccsim.scenario.reference import reference_page, scenario_json_schema
    from ccsim.scenario.resolved import resolved_yaml
    from ccsim.scenario.targets import Target
    from ccsim.scenario.templates import TEMPLATE, shipped_scenarios

__all__ = [
    "TEMPLATE",
    "Case",
    "Grid",
    "Scenario",
    "Target",
    "case_from",
    "check",
    "lay_grid",
    "read_all",
    "read_case",
    "reference_page",
    "remarks",
    "resolved_yaml",
    "scenario_json_schema",
    "shipped_scenarios",
    "variants",
]

_HOMES = {
    "calendar": ("Grid", "lay_grid"),
    "case": ("Case", "case_from"),
    "checks": ("check", "remarks"),
    "model": ("Scenario",),
    "reader": ("read_all", "read_case", "variants"),
    "reference": ("reference_page", "scenario_json_schema"),
    "resolved": ("resolved_yaml",),
    "targets": ("Target",),
    "templates": ("TEMPLATE", "shipped_scenarios"),
}
"""Names are loaded when they are first used: units are read without any of it."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
