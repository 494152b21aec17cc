"""The Erlang formulas of other packages, each asked in the words of the golden file.

Left out are packages that ask a web service, know a single agent only or start from recorded
times, and functions that round to whole seconds by design.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from formula_errors import Case

Formula = Callable[[Case], float]
Package = dict[str, Formula]
"""Formulas by the names of the golden file; `Case.agents` is an int for them."""


def hourly(c: Case) -> float:
    """Contacts an hour."""
    return c.load / c.handle_time * 3600


def pyworkforce() -> Package:
    from pyworkforce.queuing import ErlangA, ErlangB, ErlangC  # times in minutes

    def b(c: Case) -> Any:
        return ErlangB(hourly(c), c.handle_time / 60, interval=60)

    def waiting(c: Case) -> Any:
        return ErlangC(hourly(c), c.handle_time / 60, c.threshold / 60, interval=60)

    def impatient(c: Case) -> Any:
        return ErlangA(hourly(c), c.handle_time / 60, c.threshold / 60, 60, c.patience / 60)

    return {
        "erlang_b": lambda c: b(c).blocking_probability(c.agents),
        "n_b_01": lambda c: b(c).required_positions(0.01)["raw_positions"],
        "erlang_c": lambda c: waiting(c).waiting_probability(c.agents),
        "c_sl": lambda c: waiting(c).service_level(c.agents),
        "n_c_80": lambda c: waiting(c).required_positions(0.8)["raw_positions"],
        "a_pwait": lambda c: impatient(c).waiting_probability(c.agents),
        "a_pabandon": lambda c: impatient(c).abandonment_probability(c.agents),
        "a_ew_all_s": lambda c: impatient(c).average_speed_of_answer(c.agents) * 60,
        "a_sl_offered": lambda c: impatient(c).service_level(c.agents),
        "n_a_80": lambda c: impatient(c).required_positions(0.8)["raw_positions"],
    }


def turbotab() -> Package:
    from mod_turbotab.agents.capacity import agents_required
    from mod_turbotab.calculations.erlang import erlang_a, erlang_b, erlang_c
    from mod_turbotab.queues.queues import sla_metric

    def impatient(c: Case) -> Any:
        return erlang_a(c.agents, c.load, c.patience, c.handle_time)

    def agents(c: Case, patience: float | None) -> float:
        return agents_required(0.8, c.threshold, hourly(c), c.handle_time, 3600, patience)

    return {
        "erlang_b": lambda c: erlang_b(c.agents, c.load),
        "erlang_c": lambda c: erlang_c(c.agents, c.load),
        "c_sl": lambda c: sla_metric(c.agents, c.threshold, hourly(c), c.handle_time, 3600),
        "n_c_80": lambda c: agents(c, None),
        "a_pwait": lambda c: impatient(c)["pw"],
        "a_pabandon": lambda c: impatient(c)["abandon_rate"],
        "a_sl_offered": lambda c: impatient(c)["sla"](c.threshold),
        "n_a_80": lambda c: agents(c, c.patience),
    }


def pyqueueing() -> Package:
    from pyqueueing.models.erlang_a import ErlangA
    from pyqueueing.models.erlang_b import ErlangB
    from pyqueueing.models.erlang_c import ErlangC
    from pyqueueing.planner import CallCenterPlanner

    def b(c: Case) -> Any:
        return ErlangB(c.load, 1, c.agents)  # the handle time is the unit of time

    def waiting(c: Case) -> Any:
        return ErlangC(c.load, 1, c.agents)

    def impatient(c: Case) -> Any:
        return ErlangA(c.load, 1, c.agents, c.handle_time / c.patience)

    def agents_c(c: Case) -> float:
        goal = (c.threshold / c.handle_time, 0.8)
        return ErlangC(c.load, 1).required_servers(target_service_level=goal)

    def agents_a(c: Case) -> float:  # solves Erlang C as well
        planner = CallCenterPlanner(c.load, 1, c.handle_time / c.patience)
        goal = (c.threshold / c.handle_time, 0.8)
        return planner.required_agents(target_service_level=goal)["erlang_a"]

    return {
        "erlang_b": lambda c: b(c).prob_block(),
        "n_b_01": lambda c: b(c).required_servers(0.01),
        "erlang_c": lambda c: waiting(c).prob_wait(),
        "c_sl": lambda c: waiting(c).service_level(c.threshold / c.handle_time),
        "c_asa_s": lambda c: waiting(c).mean_wait() * c.handle_time,
        "n_c_80": agents_c,
        "a_pwait": lambda c: impatient(c).prob_wait(),
        "a_pabandon": lambda c: impatient(c).prob_abandon(),
        "a_ew_all_s": lambda c: impatient(c).mean_wait() * c.handle_time,
        "a_ew_served_s": lambda c: impatient(c).mean_wait_answered() * c.handle_time,
        "a_sl_offered": lambda c: impatient(c).service_level(c.threshold / c.handle_time),
        "n_a_80": agents_a,
    }


def call_center_tools() -> Package:
    import call_center_tools as tools

    def waits(c: Case) -> float:
        return tools.erlang_c(c.load, c.agents)

    def level(c: Case) -> float:
        return tools.calc_service_level(c.load, c.agents, waits(c), c.threshold, c.handle_time)

    def wait(c: Case) -> float:
        return tools.calc_average_speed_of_answer(c.load, c.agents, waits(c), c.handle_time)

    def agents(c: Case) -> float:
        return tools.calc_staffing(hourly(c), c.handle_time, None, 1.0, c.threshold, 0.8).agents

    return {
        "erlang_b": lambda c: tools.erlang_b(c.load, c.agents),
        "erlang_c": waits,
        "c_sl": level,
        "c_asa_s": wait,
        "n_c_80": agents,
    }


def callcenterdim() -> Package:
    from callcenterdim.Dimensionamento import AgentsReq, ProbCallWaits, ServiceLevel

    return {
        "erlang_c": lambda c: ProbCallWaits(hourly(c), 60, c.handle_time, c.agents),
        "c_sl": lambda c: ServiceLevel(hourly(c), 60, c.handle_time, c.threshold, c.agents),
        "n_c_80": lambda c: AgentsReq(hourly(c), 60, c.handle_time, 0.8, c.threshold),
    }


def wfmplan() -> Package:
    from wfmplan.AgentOptimizer import Optimizer

    def optimizer(c: Case) -> Any:
        return Optimizer(hourly(c), c.handle_time, 3600, sla=0.8, st=c.threshold, method="sla")

    return {
        "erlang_c": lambda c: optimizer(c).prob_waiting(c.load, c.agents),
        "n_c_80": lambda c: optimizer(c).predict()["agent_req"],
    }


def erlanglib() -> Package:
    import erlanglib as lib

    def waits(c: Case) -> float:
        return lib.erlang_c(c.agents, c.load)

    def level(c: Case) -> float:
        return lib.service_level(c.agents, c.load, waits(c), c.threshold, c.handle_time)

    return {
        "erlang_b": lambda c: lib.erlang_b(c.agents, c.load),
        "n_b_01": lambda c: lib.required_channels(c.load, 0.01),
        "erlang_c": waits,
        "c_sl": level,
        "c_asa_s": lambda c: lib.average_speed_of_answer(
            c.agents, c.load, waits(c), c.handle_time
        ),
    }  # fmt: skip


def line_solver() -> Package:
    from line_solver.api.lossn.erlang import erlang_b, erlang_c
    from line_solver.api.qsys.basic import qsys_mmk

    return {
        "erlang_b": lambda c: erlang_b(c.load, c.agents),
        "erlang_c": lambda c: erlang_c(c.load, c.agents),
        "c_asa_s": lambda c: qsys_mmk(c.load, 1, c.agents)["Wq"] * c.handle_time,
    }


def multi_erlang_c(cases: Sequence[Case]) -> list[float]:
    """Answer with pyworkforce's grid in one process, one grid for each pair of times."""
    from pyworkforce.queuing import MultiErlangC

    grids: dict[tuple[float, float], list[float]] = {}
    for c in cases:
        grids.setdefault((c.handle_time / 60, c.threshold / 60), []).append(hourly(c))
    solved = []
    for (minutes, threshold), volumes in grids.items():
        given = {"transactions": volumes, "aht": [minutes], "asa": [threshold], "interval": [60]}
        solved += MultiErlangC(given, n_jobs=1).required_positions({"service_level": [0.8]})
    return [solution["raw_positions"] for solution in solved]


PEERS: dict[str, Callable[[], Package]] = {
    "pyworkforce": pyworkforce,
    "turbotab": turbotab,
    "pyqueueing": pyqueueing,
    "call-center-tools": call_center_tools,
    "callcenterdim": callcenterdim,
    "wfmplan": wfmplan,
    "erlanglib": erlanglib,
    "line-solver": line_solver,
}


def found_peers() -> dict[str, Package]:
    """Load the packages that are installed, and name them all."""
    found = {}
    for name, load in PEERS.items():
        try:
            found[name] = load()
            print(f"{name} {version(name)}")
        except ImportError:
            print(f"{name} is missing")
    return found
