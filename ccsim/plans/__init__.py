"""CHOSEN: staffing plans and schedules."""

from ccsim.plans.coverage import scheduled_agents
from ccsim.plans.plan import PlacedBreak, PlacedShift, Schedule, StaffingPlan

__all__ = ["PlacedBreak", "PlacedShift", "Schedule", "StaffingPlan", "scheduled_agents"]
