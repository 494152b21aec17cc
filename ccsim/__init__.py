"""Contact-centre simulation and staffing optimization.

The verbs of the command line are functions here: ``ccsim.plan("week.yaml")``. Names stand in
``__init__.pyi`` and are loaded when they are first used, so that importing ccsim costs nothing.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, _names, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __dir__() -> list[str]:  # what is loaded already, as the version, belongs to it
    return sorted({*globals(), *__all__})
