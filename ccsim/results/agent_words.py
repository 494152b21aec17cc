"""What keeps agents off the floor, and how they differ, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ccsim.demand.table import mean_seconds

if TYPE_CHECKING:
    from ccsim.demand.model import AbsenceModel, UntimelyModel


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


def _untimely(given: UntimelyModel, words: str) -> str:
    return f"{given.share_ppm / 1e6:.1%} {words} by {mean_seconds(given.by) / 60:.1f} min"
