"""HiGHS, driven by ourselves: what it says is read from HiGHS and from nowhere else.

PuLP builds the model; its own reading of status and values is not used (it calls an interrupted
search optimal). The solver runs on one thread and stops on the gap, so that a rerun gives the same
schedule; it never stops on time.
"""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal, NamedTuple

from ccsim.errors import SolverError

MOST_NODES = 500
"""Where a search stops that does not reach its gap: a count, so that a rerun stops there too."""
Status = Literal["optimal within gap", "interrupted", "stopped", "infeasible"]


class SolverProgress(NamedTuple):
    """How far a search is: seconds, cheapest cost found (inf: none yet), bound, and their gap."""

    seconds: float
    cost: float
    bound: float
    gap: float


@dataclass(frozen=True, eq=False)
class SolverAnswer:
    """What HiGHS found.

    Attributes
    ----------
    status : str
        ``optimal within gap``, ``interrupted`` (Ctrl-C), ``stopped`` (a limit) or ``infeasible``.
    values : tuple of float or None
        A value for each column; None if no solution was found.
    objective, bound, gap : float
        Cost of the solution, what no solution can be below, and (objective - bound) / objective.
    seconds : float
        Time of the search.
    """

    status: Status
    values: tuple[float, ...] | None
    objective: float
    bound: float
    gap: float
    seconds: float


def run_highs(
    highs: Any,
    *,
    gap: float,
    progress: Callable[[SolverProgress], None] | None = None,
    warm_start: Mapping[int, float] | None = None,
    nodes: int = MOST_NODES,
) -> SolverAnswer:
    """Run a loaded `highspy.Highs` and say truthfully what came of it.

    Parameters
    ----------
    highs : highspy.Highs
        With a model in it.
    gap : float
        Stop when the solution is proved to be within this share of the best.
    progress : callable
        Called now and then.
    warm_start : mapping of int to float
        A value for every column, from a solution of a like model.
    nodes : int
        The most branches to look at; then the best so far is kept and the status is ``stopped``.

    Raises
    ------
    SolverError
        If HiGHS gives no answer, for instance because its threads were set differently before.
    """
    import highspy

    for option, value in (
        ("output_flag", True),  # without it no progress is called
        ("log_to_console", False),
        ("threads", 1),
        ("mip_rel_gap", gap),
        ("mip_max_nodes", nodes),
    ):
        highs.setOptionValue(option, value)
    if warm_start:
        order = sorted(warm_start)
        highs.setSolution(len(order), order, [warm_start[column] for column in order])
    kinds = highspy.cb.HighsCallbackType
    with _interrupts() as interrupted:

        def called(kind: Any, _: str, data_out: Any, data_in: Any, __: Any) -> None:
            if kind == kinds.kCallbackMipLogging:
                if progress is not None:
                    cost, bound = data_out.mip_primal_bound, data_out.mip_dual_bound
                    progress(
                        SolverProgress(
                            data_out.running_time, cost, bound, relative_gap(cost, bound)
                        )
                    )
            elif interrupted.is_set():
                data_in.user_interrupt = True

        highs.setCallback(called, None)
        for wanted in (
            kinds.kCallbackMipLogging,
            kinds.kCallbackMipInterrupt,
            kinds.kCallbackSimplexInterrupt,
        ):
            highs.startCallback(wanted)
        began = perf_counter()
        highs.run()
        seconds = perf_counter() - began
        for wanted in (
            kinds.kCallbackMipLogging,
            kinds.kCallbackMipInterrupt,
            kinds.kCallbackSimplexInterrupt,
        ):
            highs.stopCallback(wanted)
    return _read(highs, seconds)


def _read(highs: Any, seconds: float) -> SolverAnswer:
    import highspy

    model, info = highs.getModelStatus(), highs.getInfo()
    meaning: dict[Any, Status] = {
        highspy.HighsModelStatus.kOptimal: "optimal within gap",
        highspy.HighsModelStatus.kModelEmpty: "optimal within gap",
        highspy.HighsModelStatus.kInterrupt: "interrupted",
        highspy.HighsModelStatus.kTimeLimit: "stopped",
        highspy.HighsModelStatus.kIterationLimit: "stopped",
        highspy.HighsModelStatus.kSolutionLimit: "stopped",
        highspy.HighsModelStatus.kInfeasible: "infeasible",
        highspy.HighsModelStatus.kUnboundedOrInfeasible: "infeasible",
    }
    if model == getattr(highspy.HighsModelStatus, "kHighsInterrupt", None):
        model = highspy.HighsModelStatus.kInterrupt
    if model not in meaning:
        raise SolverError(
            f"HiGHS ended without an answer ({highs.modelStatusToString(model)}); if this process "
            "used HiGHS with another number of threads before, start a fresh one"
        )
    status = meaning[model]
    found = status != "infeasible" and (
        info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    )
    if status == "optimal within gap" and not found and highs.getNumCol():
        raise SolverError("HiGHS called the model optimal and gave no solution")
    objective = highs.getObjectiveValue() if found else math.inf
    has_integers = any(
        kind != highspy.HighsVarType.kContinuous for kind in highs.getLp().integrality_
    )
    if has_integers:
        bound = info.mip_dual_bound
    else:
        bound = objective if status == "optimal within gap" else -math.inf
    values = tuple(highs.getSolution().col_value) if found else None
    bound = min(bound, objective)
    return SolverAnswer(status, values, objective, bound, relative_gap(objective, bound), seconds)


def relative_gap(cost: float, bound: float) -> float:
    """(cost - bound) / cost; infinite as long as either is unknown."""
    if not (math.isfinite(cost) and math.isfinite(bound)):
        return math.inf
    return max(cost - bound, 0.0) / abs(cost) if cost else 0.0


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Note Ctrl-C instead of raising it, so that the best schedule so far is kept."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.signal(signal.SIGINT, lambda *_: pressed.set())
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
