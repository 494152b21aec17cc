"""Two engines, one truth: which of them plays, and what comes with it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal, TypeAlias, get_args

from ccsim.demand.draw import Draw
from ccsim.errors import CcsimError
from ccsim.simulation.log import ContactLog
from ccsim.simulation.model import Model
from ccsim.simulation.own_rule import RoutingRule
from ccsim.simulation.state import State

Engine: TypeAlias = Literal["auto", "compiled", "reference"]
"""`reference` is SimPy, written to be read; `compiled` gives the same numbers in machine code."""

ENGINES: tuple[Engine, ...] = get_args(Engine)

REFERENCE_SECONDS = 8e-6
"""What the reference takes for a contact, roughly [s]."""
_WORTH_LOADING = 2.0
"""Seconds of the reference for which machine code is not even loaded."""


def chosen(engine: Engine, contacts: float) -> Engine:
    """Turn `auto` into the engine that is done first; both give the same numbers.

    Parameters
    ----------
    engine : str
        One of `ENGINES`.
    contacts : float
        How many contacts are to be played, roughly.

    Raises
    ------
    CcsimError
        If there is no such engine, or it cannot be had here.
    """
    if engine not in ENGINES:
        raise CcsimError(f"engine={engine!r}: one of {', '.join(ENGINES)}")
    here = find_spec("numba") is not None
    if engine == "compiled" and not here:
        raise CcsimError(
            "the compiled engine needs the package numba, which is not installed: "
            "`pip install numba`, or use engine reference, which gives the same numbers"
        )
    if engine != "auto":
        return engine
    worth = contacts * REFERENCE_SECONDS > _WORTH_LOADING
    return "compiled" if here and worth else "reference"


def run(
    model: Model,
    draw: Draw,
    engine: Engine = "reference",
    rule: RoutingRule | None = None,
    state: State | None = None,
) -> ContactLog:
    """Play one replication of a centre with a plan.

    Parameters
    ----------
    model : Model
        The centre and its plan, compiled.
    draw : Draw
        All the chance of the replication.
    engine : str
        Either engine gives the same log, number by number.
    rule : RoutingRule, optional
        Who meets whom, instead of what the model says; for the reference.
    state : State, optional
        What there is at an instant, to go on from there.
    """
    if engine == "compiled":
        from ccsim.simulation import engine_compiled

        return engine_compiled.run(model, draw, state)
    from ccsim.simulation import reference

    return reference.run(model, draw, rule, state)
