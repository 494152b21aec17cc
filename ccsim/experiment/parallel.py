"""Work spread over threads, processes or machines: the only place that knows how."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from ccsim.errors import CcsimError

Given = TypeVar("Given")
Made = TypeVar("Made")

_CONNECT_SECONDS = 10


def spread(
    function: Callable[[Given], Made],
    given: Sequence[Given],
    workers: int,
    *,
    threads: bool = False,
    cluster: str | None = None,
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
    cluster : str, optional
        Address of the scheduler of a Dask cluster, whose workers do it instead.

    Raises
    ------
    CcsimError
        If the cluster cannot be reached, is no fit for this program, or goes away.

    Examples
    --------
    >>> list(spread(abs, [-1, 2, -3], workers=1))
    [1, 2, 3]
    """
    if cluster is None and (workers <= 1 or len(given) <= 1):
        yield from map(function, given)
        return
    from joblib import Parallel, delayed

    calls = (delayed(function)(one) for one in given)
    if cluster is None:
        backend = "threading" if threads else "loky"
        yield from Parallel(n_jobs=workers, backend=backend, return_as="generator")(calls)
        return
    with _connected(cluster):
        yield from Parallel(n_jobs=-1, return_as="generator")(calls)


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """Let joblib send its work to a Dask cluster, whose workers are of our version."""
    try:
        from distributed import Client
    except ImportError:
        raise CcsimError(
            "a cluster needs the package distributed, which is not installed: "
            "`pip install 'ccsim[cluster]'`"
        ) from None
    from joblib import parallel_config

    try:
        client: Any = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise CcsimError(
            f"no cluster answers at {address}: start `dask scheduler` there and a `dask worker` "
            f"on every machine, or leave --cluster out ({_first_line(error)})"
        ) from error
    try:
        with client:
            _check_versions(client, address)
            with parallel_config(backend="dask", client=client, wait_for_workers_timeout=1):
                yield
    except Exception as error:
        if type(error).__name__ in ("FutureCancelledError", "KilledWorker", "CommClosedError"):
            raise CcsimError(
                f"the cluster at {address} went away before all was done "
                f"({_first_line(error)}): start it again; with --checkpoint, --resume goes on "
                "from the last finished block"
            ) from error
        raise


def _check_versions(client: Any, address: str) -> None:
    from ccsim import __version__

    found = client.run(_version)
    if not found:
        raise CcsimError(f"the cluster at {address} has no workers: start `dask worker {address}`")
    others = {worker: version for worker, version in found.items() if version != __version__}
    if others:
        worker, version = next(iter(sorted(others.items())))
        raise CcsimError(
            f"{worker} has {'no ccsim' if version is None else f'ccsim {version}'}, this is "
            f"{__version__}: install the same version on every machine"
        )


def _version() -> str | None:
    try:
        from ccsim import __version__
    except ImportError:
        return None
    return __version__


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def available_cores() -> int:
    """Processor cores this process may use."""
    import joblib

    return int(joblib.cpu_count())
