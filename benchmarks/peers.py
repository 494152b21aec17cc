"""The same centres as others write them: SimPy with one process per call, and Ciw.

None is slowed down on purpose: the calls are drawn beforehand, nothing is logged but what became
of each call, and no list is longer than it must be.
"""

from __future__ import annotations

import importlib
import random
from collections import deque
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import simpy

from ccsim.demand.draw import Draw
from ccsim.demand.table import NEVER
from ccsim.scenario.units import MICROSECONDS
from ccsim.simulation.attendance import attendance, present
from ccsim.simulation.model import Model

Events = Iterator[simpy.Event]


class Call(NamedTuple):
    """A call already drawn; times in seconds."""

    contact_type: int
    arrival: float
    handle_time: float
    patience: float


def calls_of(draw: Draw, first: int | None = None) -> list[Call]:
    """The first attempts of a draw, or only the first so many."""
    contacts = draw.contacts
    patience = np.where(contacts.patience == NEVER, 10**6 * MICROSECONDS, contacts.patience)
    columns = (
        contacts.contact_type.tolist(),
        *((c / MICROSECONDS).tolist() for c in (contacts.arrival, contacts.handle_time, patience)),
    )
    return [Call(*row) for row in zip(*(column[:first] for column in columns), strict=True)]


# SimPy, one pool of agents: the example of its documentation, once per call.


def simpy_resource(calls: Sequence[Call], agents: int) -> list[tuple[float, bool]]:
    """One process per call and one `Resource`; wait [s] of each call, and whether answered."""
    env = simpy.Environment()
    desk = simpy.Resource(env, capacity=agents)
    seen: list[tuple[float, bool]] = []

    def one_call(call: Call) -> Events:
        arrived = env.now
        with desk.request() as request:
            result = yield request | env.timeout(call.patience)
            answered = request in result
            seen.append((env.now - arrived, answered))
            if answered:
                yield env.timeout(call.handle_time)

    def source() -> Events:
        for call in calls:
            yield env.timeout(call.arrival - env.now)
            env.process(one_call(call))

    env.process(source())
    env.run()
    return seen


# SimPy, several contact types and agent groups with priorities, shifts, breaks and redials.


class Agent:
    """Someone on the floor, free or not."""

    def __init__(self, group: int) -> None:
        self.group = group
        self.busy = False
        self.leaves = 0.0


class SkillsCentre:
    """One process per call, one per agent; calls wait in a list for each contact type.

    Who waits is an event that an agent who becomes free triggers; waiting is
    `yield answered | env.timeout(patience)`, as with a resource.
    """

    def __init__(self, model: Model, draw: Draw) -> None:
        self.env = simpy.Environment(initial_time=model.begin / MICROSECONDS)
        self.calls = calls_of(draw)
        self.open = model.open.tolist()
        self.interval = model.interval_us / MICROSECONDS
        self.end = model.end / MICROSECONDS
        self.head_start = (model.queueing.head_start / MICROSECONDS).tolist()
        types, groups = range(len(model.contact_types)), range(len(model.groups))
        priority = model.skills.priority.tolist()
        self.types_of = [
            sorted((t for t in types if priority[g][t]), key=priority[g].__getitem__)
            for g in groups
        ]
        self.groups_of = [
            sorted((g for g in groups if priority[g][t]), key=lambda g, t=t: priority[g][t])
            for t in types
        ]
        self.priority = priority
        self.waiting: list[deque[tuple[float, simpy.Event]]] = [deque() for _ in types]
        self.free: list[dict[Agent, float]] = [{} for _ in groups]  # the longest free first
        self.seen: list[tuple[float, bool]] = []
        self.random = random.Random(1)
        self.redial = [
            (given.redial.probability_ppm / 1e6, given.redial.at_most) if given.redial else (0, 0)
            for given in draw.demand.contact_types
        ]
        patience = [[c.patience for c in self.calls if c.contact_type == t] for t in types]
        self.patience = [some or [0.0] for some in patience]
        self._staff(model, draw)

    def _staff(self, model: Model, draw: Draw) -> None:
        worked = attendance(model, draw, present(model, draw))
        spans: dict[int, list[tuple[float, float]]] = {}
        for stretch, agent in enumerate(model.stretches.agent.tolist()):
            if worked.there[stretch]:
                span = (worked.start[stretch], worked.end[stretch])
                spans.setdefault(agent, []).append(tuple(t / MICROSECONDS for t in span))
        for agent, mine in spans.items():
            self.env.process(self._shift(Agent(int(model.agent_group[agent])), mine))

    def run(self) -> list[tuple[float, bool]]:
        """Play it; wait [s] of each attempt, and whether answered."""
        self.env.process(self._source())
        self.env.run()
        return self.seen

    def _source(self) -> Events:
        for call in self.calls:
            yield self.env.timeout(call.arrival - self.env.now)
            self.env.process(self._call(call))

    def _call(self, call: Call) -> Events:
        env, contact_type, patience = self.env, call.contact_type, call.patience
        probability, at_most = self.redial[contact_type]
        attempt = 0
        while True:
            arrived = env.now
            hours = self.open[contact_type]
            if not hours[int(arrived // self.interval) % len(hours)]:
                return
            agent = self._free_agent(contact_type)
            if agent is None:
                answered = env.event()
                entry = (arrived - self.head_start[contact_type], answered)
                self.waiting[contact_type].append(entry)
                yield answered | env.timeout(patience)
                if answered.triggered:
                    agent = answered.value
                else:
                    self.waiting[contact_type].remove(entry)
            self.seen.append((env.now - arrived, agent is not None))
            if agent is not None:
                yield env.timeout(call.handle_time)
                agent.busy = False
                self._is_free(agent)
                return
            if attempt == at_most or self.random.random() >= probability:
                return
            attempt += 1
            yield env.timeout(self.random.expovariate(1 / 600))
            if env.now >= self.end:
                return
            patience = self.random.choice(self.patience[contact_type])

    def _shift(self, agent: Agent, spans: list[tuple[float, float]]) -> Events:
        for start, end in spans:
            yield self.env.timeout(max(start - self.env.now, 0))
            agent.leaves = end
            if not agent.busy:
                self._is_free(agent)
            yield self.env.timeout(end - self.env.now)
            self.free[agent.group].pop(agent, None)

    def _is_free(self, agent: Agent) -> None:
        if self.env.now >= agent.leaves and not self._serves_out(agent):
            return
        best: tuple[int, float] | None = None
        chosen = -1
        for contact_type in self.types_of[agent.group]:
            waiting = self.waiting[contact_type]
            if waiting:
                key = (self.priority[agent.group][contact_type], waiting[0][0])
                if best is None or key < best:
                    best, chosen = key, contact_type
        if best is not None:
            agent.busy = True
            self.waiting[chosen].popleft()[1].succeed(agent)
        elif self.env.now < agent.leaves:
            self.free[agent.group][agent] = self.env.now

    def _serves_out(self, agent: Agent) -> bool:
        """Whether nothing that she serves is open any more."""
        number = int(self.env.now // self.interval)
        return self.env.now >= self.end or not any(
            self.open[t][number % len(self.open[t])] for t in self.types_of[agent.group]
        )

    def _free_agent(self, contact_type: int) -> Agent | None:
        best: tuple[int, float] | None = None
        chosen: Agent | None = None
        for group in self.groups_of[contact_type]:
            for agent, since in self.free[group].items():  # only the first
                key = (self.priority[group][contact_type], since)
                if best is None or key < best:
                    best, chosen = key, agent
                break
        if chosen is not None:
            del self.free[chosen.group][chosen]
            chosen.busy = True
        return chosen


# Ciw, which draws for itself.


def ciw() -> ModuleType | None:
    """Ciw, if it is installed."""
    try:
        return importlib.import_module("ciw")
    except ImportError:
        return None


def ciw_network(
    library: Any, calls_per_second: float, handle: float, patience: float, agents: int
) -> Any:
    """M/M/n + M as a Ciw network; means in seconds."""
    exponential = library.dists.Exponential
    return library.create_network(
        arrival_distributions=[exponential(rate=calls_per_second)],
        service_distributions=[exponential(rate=1 / handle)],
        reneging_time_distributions=[exponential(rate=1 / patience)],
        number_of_servers=[agents],
    )


def ciw_run(library: Any, network: Any, calls: int) -> Any:
    """Play until so many calls have left; the simulation."""
    library.seed(1)
    simulation = library.Simulation(network)
    simulation.simulate_until_max_customers(calls, method="Finish")
    return simulation
