"""Targets to agents, agents to shifts: requirement, shift model and both bounds."""

from ccsim.staffing.bounds import ValidBound, valid_bound
from ccsim.staffing.highs import SolverProgress
from ccsim.staffing.requirement import Requirement, RequirementRow, require
from ccsim.staffing.shift_model import ShiftSolution, schedule_shifts
from ccsim.staffing.spare import required

__all__ = [
    "Requirement",
    "RequirementRow",
    "ShiftSolution",
    "SolverProgress",
    "ValidBound",
    "require",
    "required",
    "schedule_shifts",
    "valid_bound",
]
