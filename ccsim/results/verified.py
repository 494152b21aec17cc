"""What `verify` comes to: every check with its z-score, and what the file says of itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from ccsim.plans import StaffingPlan
from ccsim.results.kinds import as_html, as_json, as_text
from ccsim.scenario import Case
from ccsim.verification import FALSE_ALARM, Check, Finding, Numbers

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Verification:
    """The user's centre, reduced to what is known exactly, against what was simulated of it.

    Attributes
    ----------
    case, plan : Case, StaffingPlan
        What was verified.
    checks : tuple of Check
        Each law beside what was simulated.
    numbers : tuple of Numbers
        Each contact type in numbers that a planner knows.
    findings : tuple of Finding
        What in the file cannot be true together, or is hard to believe.
    seed : int
        Of every random number.
    given_plan : bool
        Whether the plan was given, or made from the formulas.
    """

    case: Case
    plan: StaffingPlan
    checks: tuple[Check, ...]
    numbers: tuple[Numbers, ...]
    findings: tuple[Finding, ...]
    seed: int
    given_plan: bool

    @property
    def disagreeing(self) -> tuple[Check, ...]:
        """The checks in which the program does not do what the law says."""
        return tuple(check for check in self.checks if not check.agrees)

    @property
    def contradictions(self) -> tuple[Finding, ...]:
        """What in the file cannot be true together."""
        return tuple(one for one in self.findings if one.kind == "contradiction")

    @property
    def agrees(self) -> bool:
        """Whether program and file are both free of contradiction."""
        return not self.disagreeing and not self.contradictions

    @property
    def farthest(self) -> Check:
        """The check with the largest |z|, of those in which chance has a say."""
        return max(self.checks, key=lambda check: abs(check.z) if check.error else 0.0)

    @property
    def verdict(self) -> str:
        """A sentence on the program."""
        wrong, worst = len(self.disagreeing), self.farthest
        said = "all agree" if not wrong else f"{wrong} DISAGREE: please report"
        return (
            f"{len(self.checks)} checks, {said}; largest |z| {abs(worst.z):.2f} "
            f"({worst.reduction}, {worst.law}); beyond {worst.limit:.2f} is called wrong, "
            f"which happens to {FALSE_ALARM * 1000:g} sound file in 1,000"
        )

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name: every check, the file in numbers, and what was found in it."""
        import pandas as pd

        rows = [
            asdict(one) | {"agrees": one.agrees, "finds": one.finds if isfinite(one.finds) else 0.0}
            for one in self.checks
        ]
        numbers = []
        for one in self.numbers:
            row: dict[str, Any] = asdict(one)
            gives_up = row.pop("gives_up")
            row |= {f"gives_up{end}": gives_up[key] for end, key in _ENDS.items()}
            numbers.append(row)
        return {
            "checks": pd.DataFrame(rows),
            "numbers": pd.DataFrame(numbers),
            "findings": pd.DataFrame(
                [asdict(one) for one in self.findings], columns=["kind", "about", "sentence"]
            ),
        }

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each check: exact, simulated, standard error, z."""
        columns = ["reduction", "law", "place", "exact", "simulated", "error", "z", "agrees"]
        return self.tables["checks"][columns]

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the version of its schema."""
        return as_json(
            "verify", self.case, self.tables,
            seed=self.seed, agrees=self.agrees, verdict=self.verdict,
        )  # fmt: skip

    def __str__(self) -> str:
        said = [f"{one.kind}: {one.sentence}" for one in self.findings]
        return "\n".join([as_text(self.case.title, self.summary), self.verdict, *said])

    def _repr_html_(self) -> str:
        return as_html(f"{self.case.title}: {self.verdict}", self.summary)


_ENDS = {"": "value", "_lower": "lower", "_upper": "upper"}
