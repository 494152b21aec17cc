"""CHOSEN: staffing plans and schedules."""

from ccsim.plans.coverage import scheduled_agents
from ccsim.plans.files import write_plan_csv, write_plan_excel
from ccsim.plans.plan import PlacedBreak, PlacedShift, Schedule, StaffingPlan
from ccsim.plans.reading import read_plan

__all__ = [
    "PlacedBreak",
    "PlacedShift",
    "Schedule",
    "StaffingPlan",
    "read_plan",
    "scheduled_agents",
    "write_plan_csv",
    "write_plan_excel",
]
