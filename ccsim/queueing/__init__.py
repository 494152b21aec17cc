"""Pure staffing formulas: arrays in, arrays out, any unit of time as long as it is the same."""

from ccsim.queueing.erlang_a import (
    ErlangAOutcomes,
    erlang_a_abandonment,
    erlang_a_mean_wait,
    erlang_a_occupancy,
    erlang_a_outcomes,
    erlang_a_queue_length,
    erlang_a_service_level,
    erlang_a_virtual_service_level,
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
from ccsim.queueing.search import fewest_agents
from ccsim.queueing.service_level import (
    SERVICE_LEVEL_FORMULAS,
    ServiceLevelFormula,
    service_level_from_counts,
)

__all__ = [
    "SERVICE_LEVEL_FORMULAS",
    "ErlangAOutcomes",
    "ServiceLevelFormula",
    "erlang_a_abandonment",
    "erlang_a_agents",
    "erlang_a_mean_wait",
    "erlang_a_occupancy",
    "erlang_a_outcomes",
    "erlang_a_queue_length",
    "erlang_a_service_level",
    "erlang_a_virtual_service_level",
    "erlang_a_waiting_probability",
    "erlang_b",
    "erlang_b_agents",
    "erlang_c",
    "erlang_c_agents",
    "erlang_c_mean_wait",
    "erlang_c_occupancy",
    "erlang_c_queue_length",
    "erlang_c_service_level",
    "fewest_agents",
    "service_level_from_counts",
]
