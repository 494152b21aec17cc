"""Reductions in which customers wait: Erlang's laws and their relatives, with her numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, inf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ccsim.queueing import (
    erlang_x,
    general_patience,
    m_g_1,
    two_priorities,
)
from ccsim.scenario.model import Skill
from ccsim.verification.centres import (
    BUSY,
    Centre,
    Kind,
    Pool,
    always,
    bare,
    contacts,
    exponential_patience,
    exponential_work,
    in_time,
    seconds,
    share,
    steady,
    to_microseconds,
    within,
)
from ccsim.verification.playing import Law, Played, Reduction

Floats = NDArray[np.float64]

_SETTLED = 12.0
"""Relaxation times after which e⁻¹² of an empty start is left."""


def _erlang_relaxation(load: float, agents: int, handle: float) -> float:
    """Time in which M/M/n forgets how it began, by a factor e [s]."""
    return handle / (sqrt(agents) - sqrt(load)) ** 2 if agents > load else inf


# One contact type at a time, in its busiest interval, for ever.


def _each(centre: Centre) -> Iterator[tuple[Pool, Kind]]:
    return ((pool, kind) for pool in centre.pools for kind in pool.kinds)


def _own_agents(pool: Pool, kind: Kind) -> tuple[float, int]:
    """Contacts a second of a type in its busiest interval, and its part of the agents then."""
    busiest = int(kind.coming.argmax())
    rate = float(kind.coming[busiest]) / pool.step
    part = rate * kind.handle.mean / float(pool.load[busiest])
    return rate, max(round(float(pool.agents[busiest]) * part), 1)


def own_patience(centre: Centre) -> Iterator[Reduction]:
    """M/M/n+G: patience as it is in the file, in the busiest interval."""
    for pool, kind in _each(centre):
        at_zero = float(kind.patience.longer(np.zeros(1))[0])
        if kind.patience.never == 1 or at_zero == 0:
            continue
        rate, agents = _own_agents(pool, kind)
        handle = to_microseconds(kind.handle.mean)
        load = rate * handle
        if load * kind.patience.never >= agents:
            continue
        relaxation = min(
            _erlang_relaxation(load, agents, handle),
            max(handle, kind.patience.mean) * (1 if kind.patience.never == 0 else inf),
        )
        if not np.isfinite(relaxation):
            continue
        made = steady(
            pool.case,
            {
                kind.name: bare(
                    kind.given,
                    patience=kind.given.patience,
                    targets=within(kind.threshold),
                    **exponential_work(handle),
                )
            },
            {kind.name: rate},
            agents,
            _SETTLED * relaxation,
        )
        if made is None:
            continue
        stays = kind.patience.longer
        law = general_patience(
            load,
            agents,
            handle,
            lambda x, stays=stays, at_zero=at_zero: stays(np.asarray(x)) / at_zero,  # type: ignore[misc]
            threshold=kind.threshold,
            balking=1 - at_zero,
        )
        offered = contacts("offered", 0, made.counted)
        yield Reduction(
            f"Patience: {kind.name}",
            f"patience as in your file; the busiest interval, {rate * 3600:.4g} contacts/h on "
            f"{agents} agents, mean handle time {handle:.4g} s",
            "that interval for ever, handle times exponential, nobody calls again",
            made.case,
            made.plan,
            (
                share(
                    f"answered within {kind.threshold:g} s",
                    float(law.service_level),
                    in_time(0, made.counted),
                    offered,
                ),
                share(
                    "give up",
                    float(law.abandonment),
                    contacts("abandoned", 0, made.counted),
                    offered,
                ),
                seconds(
                    "mean wait",
                    float(law.mean_wait),
                    contacts("wait_all", 0, made.counted),
                    offered,
                    telling=float(law.waiting_probability),
                ),
            ),
        )


def one_agent(centre: Centre) -> Iterator[Reduction]:
    """M/G/1: handle times as they are in the file, one agent, half of her time."""
    for pool, kind in _each(centre):
        handle, cv, load = kind.handle.mean, kind.handle.cv, 0.5
        if cv > 3:
            continue
        settles = _SETTLED * max(1.0, (1 + cv**2) / 2) * _erlang_relaxation(load, 1, handle)
        rate = load / handle
        made = steady(
            pool.case,
            {kind.name: bare(kind.given, wrap_up=always(kind.wrap_up))},
            {kind.name: rate},
            1,
            settles,
        )
        if made is None:
            continue
        law = m_g_1(load, handle, cv=cv)
        answered = contacts("answered", 0, made.counted)
        yield Reduction(
            f"One agent: {kind.name}",
            f"handle times as in your file, mean {handle:.4g} s, spread {cv:.3g} times that",
            "one agent, busy half of her time, wrap-up always of its mean length, nobody gives up",
            made.case,
            made.plan,
            (
                share("have to wait", load, _must_wait(made.counted), answered),
                seconds(
                    "mean wait",
                    float(law.mean_wait),
                    contacts("wait_answered", 0, made.counted),
                    answered,
                    telling=load,
                ),
            ),
        )


def _must_wait(counted: slice) -> Callable[[Played], Floats]:
    def count(played: Played) -> Floats:
        log, step = played.log, played.model.interval_us
        inside = (log.arrival >= counted.start * step) & (log.arrival < counted.stop * step)
        return np.array([float((inside & (log.left_queue > log.arrival)).sum())])

    return count


def two_classes(centre: Centre) -> Iterator[Reduction]:
    """M/M/n with two priorities: the two largest contact types, one always taken first."""
    return filter(None, map(_first_and_second, centre.pools))


def _first_and_second(pool: Pool) -> Reduction | None:
    if len(pool.kinds) < 2:
        return None
    busiest = pool.busiest
    largest = sorted(pool.kinds, key=lambda kind: float(kind.coming[busiest]), reverse=True)[:2]
    # Who has the head start in the file goes first here.
    first, second = sorted(largest, key=lambda kind: -kind.given.head_start)
    rates = {kind.name: float(kind.coming[busiest]) / pool.step for kind in (first, second)}
    if min(rates.values()) <= 0:
        return None
    volume = sum(rates.values())
    handle = to_microseconds(
        sum(rates[kind.name] * kind.handle.mean for kind in (first, second)) / volume
    )
    load = volume * handle
    agents = round(float(pool.agents[busiest]))
    if not 0.5 < load / max(agents, 1) < 0.95:
        agents = ceil(load / BUSY)
    threshold = pool.kinds[0].threshold
    made = steady(
        pool.case,
        {
            kind.name: bare(kind.given, targets=within(threshold), **exponential_work(handle))
            for kind in (first, second)
        },
        rates,
        agents,
        _SETTLED * _erlang_relaxation(load, agents, handle),
        skills={first.name: Skill(priority=1), second.name: Skill(priority=2)},
    )
    if made is None:
        return None
    law = two_priorities(
        rates[first.name] * handle, rates[second.name] * handle, agents, handle, threshold
    )
    laws: list[Law] = []
    for index, (kind, own) in enumerate(zip((first, second), law, strict=True)):
        offered = contacts("offered", index, made.counted)
        laws += [
            share(
                f"{kind.name}: answered within {threshold:g} s",
                float(own.service_level),
                in_time(index, made.counted),
                offered,
            ),
            seconds(
                f"{kind.name}: mean wait",
                float(own.mean_wait),
                contacts("wait_answered", index, made.counted),
                offered,
                telling=float(own.waiting_probability),
            ),
        ]
    return Reduction(
        f"Who goes first: {first.name} before {second.name}",
        f"their volume in the busiest interval on {agents} agents, mean handle time {handle:.4g} s",
        f"{first.name} always goes first, handle times exponential and alike, nobody gives up",
        made.case,
        made.plan,
        tuple(laws),
    )


def full_lines(centre: Centre) -> Iterator[Reduction]:
    """M/M/n/K+M: the lines or the places in the queue, in the busiest interval."""
    for pool, kind in _each(centre):
        given, scenario = kind.given, pool.case.scenario
        if given.line_group is None and given.queue_limit is None:
            continue
        rate, agents = _own_agents(pool, kind)
        changes: dict[str, Any] = {}
        lines = inf
        if given.line_group is not None:
            lines = scenario.line_groups[given.line_group].lines
            agents = min(agents, int(lines))
            changes["line_groups"] = scenario.line_groups
        if given.queue_limit is not None:
            lines = min(lines, agents + given.queue_limit)
        handle = to_microseconds(kind.handle.mean)
        patience = kind.patience_mean
        patience = to_microseconds(patience) if np.isfinite(patience) else inf
        load = rate * handle
        # With so many lines none is ever missing: let more come, so that some are.
        if (crowd := 0.9 * lines / load) > 1:
            rate, load = rate * crowd, load * crowd
        made = steady(
            pool.case,
            {
                kind.name: bare(
                    given,
                    patience=exponential_patience(patience),
                    queue_limit=given.queue_limit,
                    line_group=given.line_group,
                    targets=within(kind.threshold),
                    **exponential_work(handle),
                )
            },
            {kind.name: rate},
            agents,
            _SETTLED * max(handle, lines * handle / agents),
            **changes,
        )
        if made is None:
            continue
        law = erlang_x(load, agents, handle, patience, kind.threshold, lines=lines)
        offered = contacts("offered", 0, made.counted)
        laws = [
            share("blocked", float(law.blocked), contacts("blocked", 0, made.counted), offered),
            share(
                f"answered within {kind.threshold:g} s",
                float(law.service_level),
                in_time(0, made.counted),
                offered,
            ),
        ]
        if np.isfinite(patience):
            gone = contacts("abandoned", 0, made.counted)
            laws.append(share("give up", float(law.abandonment), gone, offered))
        yield Reduction(
            f"Lines: {kind.name}",
            f"{lines:g} lines, {agents} agents, mean handle time {handle:.4g} s",
            f"{rate * 3600:.4g} contacts/h for ever, handle times and patience exponential, "
            "nobody calls again",
            made.case,
            made.plan,
            tuple(laws),
        )
