"""What is needed to rerun a result, and nothing that differs from run to run."""

from __future__ import annotations

import platform
import re
import shlex
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ccsim import __version__
from ccsim.results import Comparison, PlanResult, Simulation
from ccsim.scenario import Case

Result = PlanResult | Simulation | Comparison

SCHEMA = "ccsim/provenance/1"
"""Name and version of the file's format."""
LIBRARIES = ("numpy", "scipy", "pandas", "simpy", "pulp", "highspy")
"""Those whose version may change a number or a schedule."""
SCENARIO_FILE = "scenario/scenario.yaml"
"""Where a results folder keeps its scenario, in full."""


def provenance(result: Result) -> dict[str, Any]:
    """Command, seeds, fingerprint and versions as plain data, the same for the same result."""
    return {
        "schema": SCHEMA,
        "rerun": rerun_commands(result),
        **_of_routing(result),
        **_of_scenario(cases(result)),
        **_of_chance(result),
        "versions": versions(),
    }


def _of_routing(result: Result) -> dict[str, Any]:
    if isinstance(result, Simulation) and result.routing is not None:
        return {"routing": f"{result.routing}, a Python function: cannot be rerun from the file"}
    return {}


def versions() -> dict[str, str]:
    """Versions of ccsim, Python (its minor one) and the libraries that numbers depend on."""
    found = {"ccsim": __version__, "python": ".".join(platform.python_version_tuple()[:2])}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def cases(result: Result) -> tuple[Case, ...]:
    """The case of a result; of a comparison one for each variant."""
    if isinstance(result, Comparison):
        return tuple(one.case for one in result.simulations)
    return (result.case,)


def variant_folders(result: Comparison) -> tuple[str, ...]:
    """Where a comparison's results folder keeps what belongs to each of its variants."""
    return tuple(
        f"variants/{number}-{re.sub(r'[^A-Za-z0-9_-]', '_', one.case.variant or 'as_it_stands')}"
        for number, one in enumerate(result.simulations, start=1)
    )


def rerun_commands(result: Result) -> list[str]:
    """The commands that give the same numbers again, run inside the results folder."""
    if isinstance(result, Comparison):
        return [
            _simulate(one, f"{below}/", True)
            for one, below in zip(result.simulations, variant_folders(result), strict=True)
        ]
    if isinstance(result, Simulation) and result.routing is not None:
        return []
    if isinstance(result, Simulation):
        return [_simulate(result, "", result.given_plan)]
    command = ["ccsim", "plan", SCENARIO_FILE, *_variant(result.case), "--seed", str(result.seed)]
    return [shlex.join(command)]


def _simulate(one: Simulation, folder: str, with_plan: bool) -> str:
    plan = ["--plan", f"{folder}schedule.xlsx"] if with_plan else []
    chance = ["--seed", str(one.seed), "--replications", str(one.sample.replications)]
    start = ["ccsim", "simulate", f"{folder}{SCENARIO_FILE}", *_variant(one.case)]
    return shlex.join([*start, *plan, *chance])


def _variant(case: Case) -> list[str]:
    return ["--variant", case.variant] if case.variant else []


def _of_scenario(given: tuple[Case, ...]) -> dict[str, Any]:
    files = {name: data for case in given for name, data in case.files.items()}
    return {
        "scenario": given[0].scenario.name,
        "variant": given[0].variant if len(given) == 1 else [case.variant for case in given],
        **({"changes": list(given[0].changes)} if given[0].changes else {}),
        "fingerprint": given[0].fingerprint if len(given) == 1 else [c.fingerprint for c in given],
        "files": {
            name: blake2b(data, digest_size=16).hexdigest() for name, data in sorted(files.items())
        },
    }


def _of_chance(result: Result) -> dict[str, Any]:
    if isinstance(result, PlanResult):
        return {
            "command": "plan",
            "seed": result.seed,
            "certificate_seed": result.planned.certificate_seed,
            "attempts": len(result.planned.attempts),
            "replications": result.sample.replications,
            "block_size": result.sample.block_size,
        }
    first = result.simulations[0] if isinstance(result, Comparison) else result
    return {
        "command": "compare" if isinstance(result, Comparison) else "simulate",
        "seed": result.seed,
        "replications": first.sample.replications,
        "block_size": first.sample.block_size,
    }
