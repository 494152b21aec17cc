"""How loops become machine code: the one place that knows numba's options."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from numba import njit
from numba.core import event

LOG = logging.getLogger(__name__)
"""Told when machine code is made, and when that is done: then a record has its `seconds`."""

# Our loops neither make nor keep an array. Counting the users of each at every call, as numba does
# to know when one may go, would take as long as all the rest: `_nrt` leaves it out.
_OPTIONS: dict[str, Any] = {"nogil": True, "_nrt": False}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function when it is first called, and keep the machine code for the next time.

    Beside the source if that may be written, else in the user's cache; where neither may, for as
    long as the program runs.
    """
    return _kept(function, _OPTIONS)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function into those that call it: to hand over all its arrays takes longer."""
    return _kept(function, {**_OPTIONS, "forceinline": True})


def _kept(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    listener = _listener()
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # numba: "no locator available"
        listener.kept = False
        return njit(**options)(function)


class _Listener(event.Listener):
    """Hears what is compiled; numba does not tell of machine code that it finds kept."""

    def __init__(self) -> None:
        self.kept = True
        self.depth = 0  # a loop is compiled with those that it calls
        self.began = 0.0

    def on_start(self, _: Any) -> None:
        self.depth += 1
        if self.depth == 1:
            self.began = time.perf_counter()
            again = "once on this machine" if self.kept else "as it cannot be kept on this machine"
            LOG.info("compiling the engine, %s", again)

    def on_end(self, _: Any) -> None:
        self.depth -= 1
        if self.depth == 0:
            seconds = time.perf_counter() - self.began
            LOG.info("compiled in %.1f s", seconds, extra={"seconds": seconds})


@cache
def _listener() -> _Listener:
    listener = _Listener()
    event.register("numba:compile", listener)
    return listener
