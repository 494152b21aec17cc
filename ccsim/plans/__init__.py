"""CHOSEN: staffing plans and schedules."""

from ccsim.plans.plan import PlacedBreak, PlacedShift, Schedule, StaffingPlan

__all__ = ["PlacedBreak", "PlacedShift", "Schedule", "StaffingPlan"]
