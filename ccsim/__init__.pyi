"""Where the names of ccsim stand; each is loaded when it is first used."""

import typing

if typing.TYPE_CHECKING:  # everything imports ccsim: mypy is to follow these last
    from .errors import CcsimError as CcsimError
    from .errors import InfeasibleError as InfeasibleError
    from .errors import PlanError as PlanError
    from .errors import Problem as Problem
    from .errors import ScenarioError as ScenarioError
    from .errors import SolverError as SolverError
    from .plans import StaffingPlan as StaffingPlan
    from .plans import read_plan as read_plan
    from .results import Comparison as Comparison
    from .results import ErlangAnswer as ErlangAnswer
    from .results import Estimation as Estimation
    from .results import PlanResult as PlanResult
    from .results import Shown as Shown
    from .results import Simulation as Simulation
    from .results import Story as Story
    from .results import Verification as Verification
    from .scenario import Case as Case
    from .scenario import Scenario as Scenario
    from .scenario import case_from as case_from
    from .scenario import read_all as read_all
    from .scenario import read_case as read_case
    from .simulation.own_rule import Free as Free
    from .simulation.own_rule import RoutingRule as RoutingRule
    from .simulation.own_rule import Waiting as Waiting
    from .study import check as check
    from .study import compare as compare
    from .study import erlang as erlang
    from .study import estimate as estimate
    from .study import explain as explain
    from .study import new as new
    from .study import plan as plan
    from .study import show as show
    from .study import simulate as simulate
    from .study import verify as verify
    from .study import write_log as write_log

__version__: str
