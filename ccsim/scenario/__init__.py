"""GIVEN: the scenario, its words, its files and its calendar."""

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
