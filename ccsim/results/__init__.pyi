"""Where the names of this room stand: a calculator needs none of what a plan needs."""

import typing

if typing.TYPE_CHECKING:  # everything imports this room: mypy is to follow these last
    from .erlang import ErlangAnswer as ErlangAnswer
    from .erlang_question import ErlangQuestion as ErlangQuestion
    from .figures import Difference as Difference
    from .figures import Standing as Standing
    from .figures import cost_difference as cost_difference
    from .figures import cost_per_handled as cost_per_handled
    from .figures import cost_per_request as cost_per_request
    from .figures import cost_per_request_difference as cost_per_request_difference
    from .figures import differences as differences
    from .figures import room as room
    from .figures import standing as standing
    from .figures import total_cost as total_cost
    from .kinds import Comparison as Comparison
    from .kinds import Estimation as Estimation
    from .kinds import PlanResult as PlanResult
    from .kinds import Shown as Shown
    from .kinds import Simulation as Simulation
    from .story import Story as Story
    from .tables import coverage_table as coverage_table
    from .verified import Verification as Verification
    from .wording import variant_name as variant_name
    from .wording import verdict_lines as verdict_lines
