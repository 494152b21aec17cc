"""Where the names of this room stand: units are read without any of it."""

import typing

if typing.TYPE_CHECKING:  # everything imports this room: mypy is to follow these last
    from .calendar import Grid as Grid
    from .calendar import lay_grid as lay_grid
    from .case import Case as Case
    from .case import case_from as case_from
    from .checks import check as check
    from .checks import remarks as remarks
    from .model import Scenario as Scenario
    from .reader import read_all as read_all
    from .reader import read_case as read_case
    from .reader import variants as variants
    from .reference import reference_page as reference_page
    from .reference import scenario_json_schema as scenario_json_schema
    from .resolved import resolved_yaml as resolved_yaml
    from .targets import Target as Target
    from .templates import TEMPLATE as TEMPLATE
    from .templates import shipped_scenarios as shipped_scenarios
