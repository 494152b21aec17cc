"""One tree of exceptions: whatever a user can put right is a `CcsimError`."""

from __future__ import annotations

from dataclasses import dataclass


class CcsimError(Exception):
    """Something the user can put right; its text says where, what came and what to do."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file: where it stands, what came, what to write.

    Examples
    --------
    >>> print(Problem("week.yaml", 4, 7, "horizon.days", "'seven' is not a whole number; write 7"))
    week.yaml:4:7: horizon.days: 'seven' is not a whole number; write 7
    """

    file: str
    line: int | None
    column: int | None
    field: str
    message: str

    def __str__(self) -> str:
        position = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return ": ".join(part for part in (position, self.field, self.message) if part)


class ScenarioError(CcsimError):
    """A scenario (or a file it names) that cannot be used, with every problem found."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class PlanError(CcsimError):
    """A staffing plan or schedule that does not fit the scenario."""


class InfeasibleError(CcsimError):
    """No schedule can keep the rules; the text names what cannot be covered and what would give."""


class SolverError(CcsimError):
    """The solver stopped without an answer."""
