"""Pure staffing formulas: arrays in, arrays out, any unit of time as long as it is the same."""

from ccsim.queueing.blending import Blending, blending, blending_agents
from ccsim.queueing.chat import Chat, chat, chat_exact
from ccsim.queueing.deadline_work import (
    DeadlineOutcome,
    DeadlineRequirement,
    deadline_outcome,
    deadline_requirement,
)
from ccsim.queueing.erlang_a import (
    ErlangA,
    ErlangAOutcomes,
    erlang_a,
    erlang_a_abandonment,
    erlang_a_mean_wait,
    erlang_a_occupancy,
    erlang_a_outcomes,
    erlang_a_queue_length,
    erlang_a_service_level,
    erlang_a_waiting_probability,
)
from ccsim.queueing.erlang_a_staffing import erlang_a_agents
from ccsim.queueing.erlang_b import erlang_b, erlang_b_agents
from ccsim.queueing.erlang_c import (
    erlang_c,
    erlang_c_agents,
    erlang_c_mean_wait,
    erlang_c_occupancy,
    erlang_c_queue_length,
    erlang_c_service_level,
)
from ccsim.queueing.erlang_x import ErlangX, erlang_x
from ccsim.queueing.general_patience import GeneralPatience, PatienceTable, general_patience
from ccsim.queueing.general_service import GeneralService, allen_cunneen, m_g_1, m_g_n
from ccsim.queueing.inverse import (
    Goals,
    Measures,
    agents_for,
    fractional_agents_for,
    goals_kept,
    volume_for,
)
from ccsim.queueing.priorities import PriorityClass, TwoPriorities, two_priorities
from ccsim.queueing.search import fewest_agents
from ccsim.queueing.service_level import (
    FORMULAS_IN_WORDS,
    SERVICE_LEVEL_FORMULAS,
    ServiceLevelFormula,
    SteadyStateFormula,
    service_level_from_counts,
)
from ccsim.queueing.square_root import (
    garnett,
    garnett_surplus,
    halfin_whitt,
    halfin_whitt_surplus,
    square_root_agents,
)
from ccsim.queueing.time_varying import (
    LOAD_RULES,
    LoadRule,
    OfferedLoad,
    interval_loads,
    offered_load,
)
from ccsim.queueing.transient import ShiftEnd, Transient, transient
from ccsim.queueing.uncertain_load import UncertainLoad, over_uncertain_load

__all__ = [
    "FORMULAS_IN_WORDS",
    "LOAD_RULES",
    "SERVICE_LEVEL_FORMULAS",
    "Blending",
    "Chat",
    "DeadlineOutcome",
    "DeadlineRequirement",
    "ErlangA",
    "ErlangAOutcomes",
    "ErlangX",
    "GeneralPatience",
    "GeneralService",
    "Goals",
    "LoadRule",
    "Measures",
    "OfferedLoad",
    "PatienceTable",
    "PriorityClass",
    "ServiceLevelFormula",
    "ShiftEnd",
    "SteadyStateFormula",
    "Transient",
    "TwoPriorities",
    "UncertainLoad",
    "agents_for",
    "allen_cunneen",
    "blending",
    "blending_agents",
    "chat",
    "chat_exact",
    "deadline_outcome",
    "deadline_requirement",
    "erlang_a",
    "erlang_a_abandonment",
    "erlang_a_agents",
    "erlang_a_mean_wait",
    "erlang_a_occupancy",
    "erlang_a_outcomes",
    "erlang_a_queue_length",
    "erlang_a_service_level",
    "erlang_a_waiting_probability",
    "erlang_b",
    "erlang_b_agents",
    "erlang_c",
    "erlang_c_agents",
    "erlang_c_mean_wait",
    "erlang_c_occupancy",
    "erlang_c_queue_length",
    "erlang_c_service_level",
    "erlang_x",
    "fewest_agents",
    "fractional_agents_for",
    "garnett",
    "garnett_surplus",
    "general_patience",
    "goals_kept",
    "halfin_whitt",
    "halfin_whitt_surplus",
    "interval_loads",
    "m_g_1",
    "m_g_n",
    "offered_load",
    "over_uncertain_load",
    "service_level_from_counts",
    "square_root_agents",
    "transient",
    "two_priorities",
    "volume_for",
]
