"""What keeps agents off the floor, and how they differ, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ccsim.demand.table import mean_seconds

if TYPE_CHECKING:
    from ccsim.demand.model import AbsenceModel, UntimelyModel
    from ccsim.demand.pace import PaceModel
    from ccsim.scenario.model import AgentGroup, Learning, Tenure


def of_a_shift(given: AbsenceModel) -> Iterator[str]:
    """Log-in, who comes late and who leaves early, and what that costs a shift on average."""
    from ccsim.scenario.units import write_duration

    if given.timely:
        return
    said, lost = [], given.log_in / 1e6
    if given.log_in:
        said.append(f"{write_duration(given.log_in)} to log in")
    for untimely, words in ((given.late, "late"), (given.leaves_early, "gone early")):
        if untimely is not None:
            said.append(_untimely(untimely, words))
            lost += untimely.share_ppm / 1e6 * mean_seconds(untimely.by)
    yield f"  of each shift: {', '.join(said)}"
    yield (
        f"    {lost / 60:.1f} min on average, paid and not on the floor, at the begin and the end; "
        "formulas spread them over the shift"
    )


def of_breaks(group: AgentGroup) -> Iterator[str]:
    """What a break keeps that begins late, if not its end."""
    if group.late_break == "keeps_length":
        yield "  a break that begins late keeps its length"


def who_differs(group: AgentGroup, given: PaceModel | None) -> Iterator[str]:
    """Tenures, how far agents differ, what is learned, and what that makes of the group's mean."""
    from ccsim.scenario.units import write_duration, write_share

    if given is None:
        return
    for name, band in group.tenure.items():
        yield f"  {name}: {write_share(band.share)} of agents, {_multiples(band)}"
    if group.handle_time_spread:
        spread = group.handle_time_spread
        yield f"  handle time of each agent × {1 - spread:g} to {1 + spread:g}, the same all days"
    for name, one in group.learning.items():
        pace = f", after {write_duration(one.lag)}" if one.lag else ""
        pace += f", growing over {write_duration(one.ramp)}" if one.ramp else ""
        yield f"  {name}: {_multiples(one)} from {one.start}{pace}"
    handle, settles = (mean[-given.first_day :] for mean in given.mean)
    said = []
    for what, mean in (("handle time", handle), ("resolution", settles)):
        first, last = f"{mean[0]:.3f}", f"{mean[-1]:.3f}"
        if first != last:
            said.append(f"{what} × {first} on the first day and {last} on the last")
        elif first != "1.000":
            said.append(f"{what} × {first}")
    if said:
        yield f"    on average {', '.join(said)}"


def _multiples(given: Tenure | Learning) -> str:
    both = {"handle time": given.handle_time, "resolution": given.resolution}
    said = [f"{what} × {multiple:g}" for what, multiple in both.items() if multiple != 1]
    return ", ".join(said) or "nothing changes"


def _untimely(given: UntimelyModel, words: str) -> str:
    return f"{given.share_ppm / 1e6:.1%} {words} by {mean_seconds(given.by) / 60:.1f} min"
