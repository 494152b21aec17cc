"""Scenarios to start from: a short one that needs no file, and those that come with ccsim."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

TEMPLATE = """\
version: 1
name: My contact centre
question: How many agents answer 80% of calls within 20 seconds?
currency: EUR
time_zone: Europe/Berlin
horizon: {start: 2026-09-07, days: 7, interval: 30 min}

contact_types:
  sales:
    open: {mon-fri: "08:00-20:00", sat: "09:00-14:00"}
    demand: {rate: 120 calls/h}          # or {file: calls.csv}, interval by interval
    talk_time: {lognormal: {mean: 4 min, cv: 0.8}}
    wrap_up: 30 s
    patience: {exponential: {mean: 3 min}}
    targets:
      - 80% answered within 20 s, over each day
      - at most 5% lost, over the week
    source: assumption

agent_groups:
  phone:
    skills: {sales: {}}
    rate_card: in_house
    shifts: [full_time, part_time]
    shrinkage: {unplanned: 6%, paid_not_scheduled: 15%}

shifts:
  full_time:
    starts: "08:00-11:30 every 30 min"
    length: 8 h 30 min
    breaks:
      morning: {length: 15 min, after: 1 h 30 min - 2 h 30 min, paid: true}
      lunch: {length: 30 min, after: 3 h 30 min - 5 h}
  part_time:
    starts: "08:00-16:00 every 30 min"
    length: 4 h

rate_cards:
  in_house: {paid_hour: 18.50 EUR, on_cost: 25%}
  partner: {handled_minute: 0.75 EUR, capacity: 40}

variants:
  outsourced:
    description: A partner takes every call
    agent_groups: {phone: {rate_card: partner, shifts: null, shrinkage: null}}
  busier:
    description: Half as many calls again
    contact_types: {sales: {demand: {scale: 1.5}}}
"""
"""A complete scenario; `ccsim new` writes it and the reference page shows it."""


def shipped_scenarios() -> Mapping[str, Path]:
    """Find the scenarios that come with ccsim: name and file.

    A wheel carries them inside the package; in a checkout they lie in ``scenarios/``.
    """
    package = Path(str(files("ccsim")))
    folder = package / "_scenarios"
    if not folder.is_dir():
        folder = package.parent / "scenarios"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
