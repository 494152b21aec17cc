"""Work spread over processes: the only place that knows how."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def spread(
    function: Callable[[Given], Made],
    given: Sequence[Given],
    workers: int,
    *,
    threads: bool = False,
) -> Iterator[Made]:
    """Results of a function in the order of what it was given, from one or several workers.

    Parameters
    ----------
    function : callable
        With a name at the top of a module, so that another process finds it.
    given : sequence
        One argument for each call.
    workers : int
        Processes, or threads; 1 stays in this one.
    threads : bool
        For a function that leaves the interpreter alone most of the time.

    Examples
    --------
    >>> list(spread(abs, [-1, 2, -3], workers=1))
    [1, 2, 3]
    """
    if workers <= 1 or len(given) <= 1:
        yield from map(function, given)
        return
    from joblib import Parallel, delayed

    backend = "threading" if threads else "loky"
    parallel = Parallel(n_jobs=workers, backend=backend, return_as="generator")
    yield from parallel(delayed(function)(one) for one in given)


def available_cores() -> int:
    """Processor cores this process may use."""
    import joblib

    return int(joblib.cpu_count())
