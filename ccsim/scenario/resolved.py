"""A scenario written out in full, with every default visible."""

from __future__ import annotations

from typing import Any

from ccsim.scenario.case import Case
from ccsim.scenario.demand import Demand, ForecastError
from ccsim.scenario.distributions import Component, HandleDistribution, PatienceDistribution, Stage
from ccsim.scenario.given import Given
from ccsim.scenario.yaml_reader import write_yaml

_CHOICES = (Component, Demand, ForecastError, HandleDistribution, PatienceDistribution, Stage)
"""Models of which one field is chosen; the others are not written."""


def resolved_yaml(case: Case) -> str:
    """Write a case's scenario in full: defaults, what it extends and its variant worked in.

    Read again with the same files beside it, it gives an equal scenario: results are rerun from it.
    """
    return write_yaml(_written(case.scenario))


def _written(given: Given) -> dict[str, Any]:
    """Write a model as a file has it."""
    dumped = given.model_dump(mode="json")
    fields: dict[str, Any] = {}
    # `source` belongs to every model and is read last.
    for name in sorted(dumped, key=lambda name: name == "source"):
        value = getattr(given, name)
        if value is None and (name == "source" or isinstance(given, _CHOICES)):
            continue
        if isinstance(value, Given):
            fields[name] = _written(value)
        elif isinstance(value, dict):
            fields[name] = {
                key: _written(each) if isinstance(each, Given) else dumped[name][key]
                for key, each in value.items()
            }
        else:
            fields[name] = dumped[name]
    return fields
