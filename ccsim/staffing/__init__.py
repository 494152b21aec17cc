"""From targets to agents to shifts: formulas, the shift model, bounds, and the certified search."""

from ccsim.staffing.bounds import ValidBound, valid_bound
from ccsim.staffing.requirement import Requirement, RequirementRow, require
from ccsim.staffing.shift_model import ShiftSolution, schedule_shifts

__all__ = [
    "Requirement",
    "RequirementRow",
    "ShiftSolution",
    "ValidBound",
    "require",
    "schedule_shifts",
    "valid_bound",
]
