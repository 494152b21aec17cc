"""The rules of a centre as plain integers: who gets in, who meets whom, who comes again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.keyed import threshold_ppm, uniform_limit
from ccsim.demand.model import PPM
from ccsim.demand.table import NEVER
from ccsim.scenario.calendar import Grid
from ccsim.scenario.model import (
    AgentChoice,
    AnnouncedEstimate,
    AnnouncedWait,
    Callback,
    Redial,
    Repeat,
    Scenario,
    Skill,
    Transfer,
)

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


CHOICES: tuple[AgentChoice, ...] = get_args(AgentChoice)
"""Rules by which one of several free agents is chosen."""


@dataclass(frozen=True, eq=False)
class Skills:
    """What each group does with each contact type, arrays of shape (n_groups, n_contact_types).

    Attributes
    ----------
    priority : ndarray of int64
        1 is taken first; 0 means that the group lacks the skill.
    contact_priority : ndarray of int64
        Where a contact looks first; 0 likewise.
    handle_ppm : ndarray of int64
        Handle time as a multiple of the contact type's [per million].
    unresolved_below : ndarray of int64
        Uniforms below which a contact does not settle the matter.
    resolution_ppm : ndarray of int64
        The share that settles it [per million], of which the former are made.
    after : ndarray of int64
        How long a contact must have waited for this group [µs].
    reserve : ndarray of int64
        It takes such a contact only while more than so many of its agents are free.
    transfer_below : ndarray of int64
        Uniforms below which a contact is passed on.
    transfer_to : ndarray of int64
        To which contact type.
    transfer_ppm : ndarray of int64
        What the agent then spends, as a multiple of her handle time [per million].
    context_lost : ndarray of int64
        How much longer the next one takes [µs].
    transfers_at_most : ndarray of int64
        The later contacts of one request after which nobody is passed on.
    """

    priority: Integers
    contact_priority: Integers
    handle_ppm: Integers
    unresolved_below: Integers
    resolution_ppm: Integers
    after: Integers
    reserve: Integers
    transfer_below: Integers
    transfer_to: Integers
    transfer_ppm: Integers
    context_lost: Integers
    transfers_at_most: Integers


@dataclass(frozen=True, eq=False)
class Queueing:
    """In which order who waits is taken, arrays of shape (n_contact_types,).

    Attributes
    ----------
    head_start : ndarray of int64
        [µs].
    ageing : ndarray of int64
        What a wait counts, as a multiple of itself [per million].
    carries_over : ndarray of bool
        Whether who waits at closing waits on, and nobody stays longer for that.
    """

    head_start: Integers
    ageing: Integers
    carries_over: Booleans


ESTIMATES: tuple[AnnouncedEstimate, ...] = get_args(AnnouncedEstimate)
"""Ways to tell how long the wait will be; none told is -1."""


@dataclass(frozen=True, eq=False)
class Announcing:
    """What is told on joining the queue, and what follows, arrays of shape (n_contact_types,).

    Attributes
    ----------
    estimate : ndarray of int64
        Places in `ESTIMATES`, or -1.
    per_waiting : ndarray of int64
        How much each place in the queue adds [µs].
    tolerance_ppm : ndarray of int64
        Who is told more than her patience times this hangs up [per million]; 0: nobody does.
    callback_from : ndarray of int64
        The wait from which to be called back is offered [µs].
    accepted_below, reached_below : ndarray of int64
        Uniforms below which this is accepted, and the customer then answers.
    dialling : ndarray of int64
        How long an agent takes to call [µs].
    """

    estimate: Integers
    per_waiting: Integers
    tolerance_ppm: Integers
    callback_from: Integers
    accepted_below: Integers
    reached_below: Integers
    dialling: Integers


@dataclass(frozen=True, eq=False)
class Again:
    """Who contacts again for one reason, arrays of shape (n_contact_types,).

    Attributes
    ----------
    at_most : ndarray of int64
        The later contacts of one request after which there is none.
    while_open : ndarray of bool
        Whether the delay runs only while the contact type is open.
    elsewhere_ppm : ndarray of int64
        The share who try another contact type [per million].
    to : ndarray of int64
        Which one.
    """

    at_most: Integers
    while_open: Booleans
    elsewhere_ppm: Integers
    to: Integers


@dataclass(frozen=True, eq=False)
class Access:
    """Who gets in and who must leave: limits of each contact type.

    Attributes
    ----------
    queue_limit : ndarray of int64, shape (n_contact_types,)
        The most who may wait.
    line_group : ndarray of int64, shape (n_contact_types,)
        Index of the lines that it needs, or -1.
    lines : ndarray of int64, shape (n_line_groups,)
        How many there are.
    closing : ndarray of int64, shape (n_closings, 2)
        Instants [µs] and contact types whose queue is cleared then, in this order.
    agent_choice : ndarray of int64, shape (n_contact_types,)
        Places in `CHOICES`: which of several free agents gets it.
    """

    queue_limit: Integers
    line_group: Integers
    lines: Integers
    closing: Integers
    agent_choice: Integers


def skills_of(scenario: Scenario) -> Skills:
    """Skills of every group; what lacks a skill has the values of a plain one."""
    plain = Skill()
    rows = [
        [group.skills.get(name, plain) for name in scenario.contact_types]
        for group in scenario.agent_groups.values()
    ]

    def of(value: Callable[[Skill], int]) -> Integers:
        values = [[value(skill) for skill in row] for row in rows]
        return np.array(values, np.int64).reshape(len(rows), len(scenario.contact_types))

    has = [
        [name in group.skills for name in scenario.contact_types]
        for group in scenario.agent_groups.values()
    ]

    def passed_on(value: Callable[[Transfer], int], nobody: int = 0) -> Integers:
        return of(lambda skill: value(skill.transfer) if skill.transfer else nobody)

    names = list(scenario.contact_types)
    resolution = of(lambda skill: threshold_ppm(skill.resolution))
    return Skills(
        priority=np.where(has, of(lambda skill: skill.priority), 0),
        contact_priority=np.where(has, of(lambda s: s.contact_priority or s.priority), 0),
        handle_ppm=of(lambda skill: round(skill.handle_time * PPM)),
        unresolved_below=uniform_limit(PPM - resolution),
        resolution_ppm=resolution,
        after=of(lambda skill: skill.after),
        reserve=of(lambda skill: skill.reserve),
        transfer_below=uniform_limit(passed_on(lambda one: threshold_ppm(one.probability))),
        transfer_to=passed_on(lambda one: names.index(one.to)),
        transfer_ppm=passed_on(lambda one: round(one.handle_time * PPM), PPM),
        context_lost=passed_on(lambda one: one.context_lost),
        transfers_at_most=passed_on(lambda one: one.at_most),
    )


def queueing_of(scenario: Scenario) -> Queueing:
    """In which order who waits is taken."""
    given = scenario.contact_types.values()
    return Queueing(
        head_start=np.array([one.head_start for one in given], np.int64),
        ageing=np.array([round(one.ageing * PPM) for one in given], np.int64),
        carries_over=np.array([one.at_closing == "carry_over" for one in given]),
    )


def announcing_of(scenario: Scenario) -> Announcing:
    """What customers are told."""
    given = scenario.contact_types.values()

    def told(value: Callable[[AnnouncedWait], int], nothing: int = 0) -> Integers:
        found = [value(one.announced_wait) if one.announced_wait else nothing for one in given]
        return np.array(found, np.int64)

    def called(value: Callable[[Callback], int], nobody: int = 0) -> Integers:
        return np.array(
            [value(one.callback) if one.callback else nobody for one in given], np.int64
        )

    return Announcing(
        estimate=told(lambda one: ESTIMATES.index(one.estimate), -1),
        per_waiting=told(lambda one: one.per_waiting or 0),
        tolerance_ppm=told(lambda one: round((one.balking or 0) * PPM)),
        callback_from=called(lambda one: one.offered_from, NEVER),
        accepted_below=uniform_limit(called(lambda one: threshold_ppm(one.accepted))),
        reached_below=uniform_limit(called(lambda one: threshold_ppm(one.reached))),
        dialling=called(lambda one: one.dialling),
    )


def again_of(names: tuple[str, ...], given: Sequence[Redial | Repeat | None]) -> Again:
    """Who contacts again for one reason; names are those of the contact types."""
    elsewhere = [one.elsewhere if one else None for one in given]
    return Again(
        at_most=np.array([one.at_most if one else 0 for one in given], np.int64),
        while_open=np.array([one is not None and one.clock == "opening" for one in given]),
        elsewhere_ppm=np.array(
            [threshold_ppm(one.share) if one else 0 for one in elsewhere], np.int64
        ),
        to=np.array([names.index(one.to) if one else 0 for one in elsewhere], np.int64),
    )


def access_of(scenario: Scenario, grid: Grid, is_open: Booleans, begin: int) -> Access:
    """Who gets in, and when queues are cleared in a run that begins at an instant."""
    given, line_groups = scenario.contact_types.values(), list(scenario.line_groups)
    closing = []
    for index, contact_type in enumerate(given):
        if contact_type.at_closing == "clear":
            follows = np.roll(is_open[index], -1)
            if scenario.horizon.begins != "cyclic":
                follows[-1] = False
            ends = (np.flatnonzero(is_open[index] & ~follows) + 1) * grid.interval_us
            # A warm-up is the end of the horizon once more.
            both = np.concatenate([ends - grid.end, ends])
            closing += [(int(end), index) for end in both if begin < end]
    return Access(
        queue_limit=np.array(
            [NEVER if one.queue_limit is None else one.queue_limit for one in given], np.int64
        ),
        line_group=np.array(
            [-1 if one.line_group is None else line_groups.index(one.line_group) for one in given],
            np.int64,
        ),
        lines=np.array([one.lines for one in scenario.line_groups.values()], np.int64),
        closing=np.array(sorted(closing), np.int64).reshape(-1, 2),
        agent_choice=np.array([CHOICES.index(one.agent_choice) for one in given], np.int64),
    )
