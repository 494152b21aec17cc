"""How each kind of published case is put to the formulas: inputs in, outputs by name out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import stats

from ccsim import queueing as q

Inputs = Mapping[str, Any]
Outputs = Mapping[str, float]


def erlang_b(given: Inputs) -> Outputs:
    return {"blocking": q.erlang_b(given["offered_load"], given["servers"])}


def erlang_c(given: Inputs) -> Outputs:
    if "offered_load" in given:
        return {"p_wait": q.erlang_c(given["offered_load"], given["servers"])}
    load, agents, handle_time = given["lam_per_min"], given["agents"], 60.0
    p_wait = q.erlang_c(load, agents)
    return {
        "p_wait": p_wait,
        "asa_s": q.erlang_c_mean_wait(load, agents, handle_time),
        # the 90th percentile, from P(wait > t) = C exp(-(n - a) t / h) = 0.1
        "wait_p90_s": math.log(p_wait / 0.1) * handle_time / (agents - load),
        "mean_queue": q.erlang_c_queue_length(load, agents),
        "occupancy": q.erlang_c_occupancy(load, agents),
    }


def erlang_c_staffing(given: Inputs) -> Outputs:
    handle_time, threshold = given["aht_s"], given["awt_s"]
    load = given["calls_per_hour"] * handle_time / 3600
    agents = q.erlang_c_agents(load, handle_time, threshold, given["sl_target"])
    level = q.erlang_c_service_level(load, [agents, agents - 1], handle_time, threshold)
    return {
        "agents": agents,
        "p_wait": q.erlang_c(load, agents),
        "asa_s": q.erlang_c_mean_wait(load, agents, handle_time),
        "service_level": level[0],
        "occupancy": q.erlang_c_occupancy(load, agents),
        "service_level_n_minus_1": level[1],
    }


def erlang_a(given: Inputs) -> Outputs:
    queue = (
        given["lam"] / given["mu"], given["agents"], 1 / given["mu"], 1 / given["theta"],
    )  # fmt: skip
    awt = given["awt"]

    def level(formula: q.SteadyStateFormula) -> float:
        return float(q.erlang_a_service_level(*queue, awt, formula=formula, short_abandon=awt))

    return {
        "pw": q.erlang_a_waiting_probability(*queue),
        "lq": q.erlang_a_queue_length(*queue),
        "ew": q.erlang_a_mean_wait(*queue),
        "pab": q.erlang_a_abandonment(*queue),
        "occ": q.erlang_a_occupancy(*queue),
        "sl_virtual": level("virtual"),
        "sl_served_in_T_over_offered": level("of_offered"),
        "p_abandon_before_T": q.erlang_a_outcomes(*queue, awt).abandoned_in_time,
        "sl_served_in_T_over_(offered-short_abandons)": level("without_short_abandons"),
        "sl_served_in_T_over_served": level("of_answered"),
    }


def erlang_x(given: Inputs) -> Outputs:
    load, handle_time = given["lam_per_min"] * given["aht_min"], given["aht_min"] * 60
    queue = (load, given["agents"], handle_time, given["mean_patience_min"] * 60, given["awt_s"])
    found = q.erlang_x(*queue, redial=given["redial_prob"])
    return {
        "lam_eff": found.attempts_load / given["aht_min"],
        "pab": found.abandonment,
        "ew": found.mean_wait / 60,
        "pw": found.waiting_probability,
        "occ": found.occupancy,
        "sl_served_offered": found.service_level,
        "sl_virtual": q.erlang_x(
            *queue, redial=given["redial_prob"], formula="virtual"
        ).service_level,
        "p_lost_customer": 1 - found.served,
    }


def halfin_whitt(given: Inputs) -> Outputs:
    return {"p_wait": q.halfin_whitt(given["beta"])}


def garnett(given: Inputs) -> Outputs:
    return {"p_wait_limit": q.garnett(given["beta"], given["theta_over_mu"], 1.0)}


def blending(given: Inputs) -> Outputs:
    agents, mu = given["agents"], given["mu"]
    found = q.blending(given["lam"] / mu, agents, 1 / mu, agents - given["threshold_c"])
    return {
        "EW": found.mean_wait,
        "outbound": found.deferrable_rate,
        "pw": found.waiting_probability,
        "occ": found.occupancy,
    }


def chat(given: Inputs) -> Outputs:
    found = q.chat_exact(
        given["lam_per_min"],
        given["agents"],
        1 / np.array(given["per_chat_rate_per_min_by_level"]),
        1 / given["patience_rate_per_min"],
    )
    return {
        "pw": found.waiting_probability,
        "pab": found.abandonment,
        "ew": found.mean_wait,
        "mean_chats_per_agent": found.chats_per_agent,
        "agent_busy": found.occupancy,
        "mean_chat_dur": found.mean_chat_time,
    }


def patience_law(name: str) -> Callable[[Any], Any]:
    """Survival function of a patience named in the cases, in minutes."""
    kind = name.split(" ", maxsplit=1)[0].removeprefix("balk5pct_then_")
    if kind == "exp_mean2":
        return stats.expon(scale=2).sf
    if kind == "uniform_0_4":
        return stats.uniform(0, 4).sf
    if kind.startswith("weibull_k"):
        shape = float(kind.removeprefix("weibull_k").removesuffix("_mean2"))
        return stats.weibull_min(shape, scale=2 / math.gamma(1 + 1 / shape)).sf
    if kind == "lognormal_mean2_cv1.5":
        sigma = math.sqrt(math.log(1 + 1.5**2))
        return stats.lognorm(sigma, scale=2 / math.exp(sigma**2 / 2)).sf
    assert kind == "hyperexp_.3mean.2_.7mean2.771429", name
    return lambda x: 0.3 * np.exp(-x / 0.2) + 0.7 * np.exp(-x / 2.771429)


def general_patience(given: Inputs) -> Outputs:
    mu = given["mu_per_min"]
    found = q.general_patience(
        given["lam_per_min"] / mu,
        given["agents"],
        1 / mu,
        patience_law(given["patience"]),
        given["awt_s"] / 60,
        balking=0.05 if given["patience"].startswith("balk5pct") else 0.0,
    )
    return {
        "p_offered_wait_pos": found.waiting_probability,
        "p_abandon": found.abandonment,
        "mean_wait": found.mean_wait,
        "p_actual_wait_gt_T": found.waits_longer,
        "p_offered_wait_gt_T": found.offered_wait_longer,
    }


def continuous_staffing(given: Inputs) -> Outputs:
    """The law over one period after two, agents following ceil(R + beta sqrt(R)) without delay.

    Volume and agents are held for 1/200 of the unit of time; the sample is taken every 0.1 from the
    beginning of the third period, as the cases say.
    """
    parts = 20
    step, begin = 0.1 / parts, 4 * math.pi
    before = math.ceil(begin / 0.1)
    times = begin + (np.arange(round((before + 63) * parts)) - before * parts) * step
    load = 100 + 10 * (np.sin(times) - np.cos(times))
    if given["rule"] == "PSA":
        load = 100 + 20 * np.sin(times)
    agents = np.ceil(load + given["beta"] * np.sqrt(load))
    law = q.transient(
        100 + 20 * np.sin(times + step / 2),
        agents,
        1 / given["mu"],
        1 / given["theta"],
        step=step,
        shift_end="hand_over",
        begins=np.eye(1, 101, 100)[0],
        error=1e-8,
    )
    seen = np.arange(before * parts, len(times), parts)
    waits, gone = law.waiting_at_start[seen], (law.abandoned / law.offered)[seen]
    return {
        "p_wait_min": waits.min(),
        "p_wait_mean": waits.mean(),
        "p_wait_max": waits.max(),
        "s_min": agents[seen].min(),
        "s_max": agents[seen].max(),
        "mean_abandon_prob": gone.mean(),
        "mean_occupancy": law.occupancy[seen].mean(),
    }


def hourly_staffing(given: Inputs) -> Outputs:
    """A sinusoidal day staffed by the hour by a rule, and what it really gives."""
    parts, hour = 60, 1.0
    times = (np.arange(24 * parts) + 0.5) / parts
    peak = 300.0 if given["aht_min"] == 5 else 60.0
    rates = peak * (1 + 0.5 * np.sin(2 * np.pi * times / 24))
    handle_time, threshold = given["aht_min"] / 60, given["awt_s"] / 3600
    rule: q.LoadRule = {
        "SIPPavg": "average",
        "SIPPmax": "maximum",
        "lagSIPP": "lag_average",
        "MOL": "offered_load_maximum",
    }[given["rule"]]  # type: ignore[assignment]
    loads = q.interval_loads(
        rates, handle_time, step=hour / parts, steps_per_interval=parts, rule=rule, cyclic=True
    )
    agents = np.asarray(q.erlang_c_agents(loads, handle_time, threshold, given["sl_target"]))
    law = q.transient(
        rates, np.repeat(agents, parts), handle_time, math.inf, threshold, step=hour / parts,
        begins="cyclic", shift_end="hand_over",
    )  # fmt: skip
    # Of the hour's contacts, so that its busier minutes weigh more.
    in_time = (law.service_level * law.offered).reshape(24, parts).sum(axis=1)
    level = in_time / law.offered.reshape(24, parts).sum(axis=1)
    # An hour within the case's tolerance of the target counts to either side.
    below, clearly = (level < given["sl_target"] + slack for slack in (0.005, -0.005))
    return {
        "agent_hours": float(agents.sum()),
        "hourly_sl_min": level.min(),
        "hourly_sl_mean": level.mean(),
        "hourly_sl_max": level.max(),
        "hours_below_target_least": float(clearly.sum()),
        "hours_below_target_most": float(below.sum()),
    }


ANSWERS: Mapping[str, Callable[[Inputs], Outputs]] = {
    "erlang_b": erlang_b,
    "erlang_b_continuous": erlang_b,
    "erlang_c": erlang_c,
    "erlang_c_staffing": erlang_c_staffing,
    "erlang_a": erlang_a,
    "erlang_x_fixed_point": erlang_x,
    "halfin_whitt": halfin_whitt,
    "garnett_function": garnett,
    "blending_threshold": blending,
    "chat_concurrency": chat,
    "mmn_plus_g_patience": general_patience,
    "time_varying_staffing": continuous_staffing,
    "sipp_vs_lag_vs_mol": hourly_staffing,
}
"""By topic of the case."""
