"""The fewest agents that keep every promise, for many intervals at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ccsim.queueing._arrays import Flags, Floats

Meets = Callable[[Floats, NDArray[np.int64]], Flags]
"""Given numbers of agents and the positions they belong to: are all promises kept there?"""

_MOST_AGENTS = 2.0**50  # beyond this, one agent more is no longer a different double


def fewest_agents(meets: Meets, start: Floats) -> Floats:
    """Find the smallest whole number of agents, zero or more, that keeps every promise.

    Parameters
    ----------
    meets : callable
        `meets(agents, where)` takes trial numbers of agents (k,) and the positions (k,) they
        belong to, and gives booleans (k,). More agents must never break a promise. Only the
        positions that are still open are asked for.
    start : (n,)
        First guesses [agents]; any guess gives the same answer, a near one sooner.

    Returns
    -------
    (n,) whole numbers, as floats.

    Raises
    ------
    ValueError
        If 2^50 agents do not keep the promises either.

    Notes
    -----
    Steps away from the guess, doubling, until the answer lies between a number that fails and one
    that does; then halves. The search goes down from the guess as readily as up: when customers
    abandon, the answer may lie below the load.

    Examples
    --------
    >>> import numpy as np
    >>> seats_needed = np.array([0.0, 3.0, 41.5])
    >>> fewest_agents(lambda agents, where: agents >= seats_needed[where], np.full(3, 10.0))
    array([ 0.,  3., 42.])
    """
    guess = np.clip(np.ceil(start), 0.0, _MOST_AGENTS)
    enough = np.full_like(guess, np.inf)  # the fewest known to keep the promises
    too_few = np.full_like(guess, -1.0)  # the most known to break one
    trial = guess.copy()
    step = np.maximum(np.rint(np.sqrt(guess) / 4), 1.0)
    where = np.arange(guess.size)
    while where.size:
        kept = meets(trial[where], where)
        enough[where[kept]] = trial[where[kept]]
        too_few[where[~kept]] = trial[where[~kept]]
        where = where[enough[where] - too_few[where] > 1]
        if (too_few[where] >= _MOST_AGENTS).any():
            raise ValueError("no whole number of agents below 2^50 keeps these promises")
        low, high = too_few[where], enough[where]
        down, up = low < 0, np.isinf(high)
        middle = np.floor((np.where(up, low, high) + low) / 2)
        trial[where] = np.select(
            [up, down], [low + step[where], np.maximum(high - step[where], 0.0)], middle
        )
        step[where] *= 2
    return enough
