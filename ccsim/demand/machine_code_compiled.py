"""How loops become machine code: the one place that knows numba's options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

# Our loops neither make nor keep an array. Counting the users of each at every call, as numba does
# to know when one may go, would take as long as all the rest: `_nrt` leaves it out.
_OPTIONS: dict[str, Any] = {"nogil": True, "_nrt": False}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function when it is first called, and keep the machine code for the next time.

    Beside the source if that may be written, else in the user's cache; where neither may, for as
    long as the program runs.
    """
    try:
        return njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # numba: "no locator available"
        return njit(**_OPTIONS)(function)
