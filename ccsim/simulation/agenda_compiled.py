"""What is under way and who stands in line, in machine code: a tree, heaps and linked lists.

Whatever of one rank happens at one instant does so in the order of content: docs/order.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ccsim.demand.draw import INTERVAL_ORIGIN
from ccsim.demand.machine_code_compiled import compiled
from ccsim.simulation.laid_out import LATER

# As in `ccsim.simulation.engine_compiled`.
_LAYOUT = 0x6F3A9117


@compiled
def content(rows: Any, row: Any) -> Any:
    """`Contacts.content_id`, and one more for each attempt."""
    place = rows.origin[row] << 20 | rows.interval[row] + INTERVAL_ORIGIN
    return ((place << 24 | rows.ordinal[row]) << 8) + rows.attempt[row]


@compiled
def before(rows: Any, time: Any, row: Any, other_time: Any, other: Any) -> Any:
    """Whether what happens to a row comes before what happens to another, of the same rank."""
    if time != other_time:
        return time < other_time
    return content(rows, row) < content(rows, other)


@compiled
def begin(agenda: Any, rows: Any, agent: Any, time: Any) -> None:
    """Note when an idle agent will be done: in the tree up to where somebody is sooner."""
    one = np.uint64(1)
    place = np.uint64(agenda.leaves + agent)
    agenda.done_when[place] = time
    place >>= one
    while place:
        mine, its = agenda.row_of[agent], agenda.row_of[agenda.done_who[place]]
        if before(rows, agenda.done_when[place], its, time, mine):
            break
        agenda.done_when[place], agenda.done_who[place] = time, agent
        place >>= one


@compiled
def settle(agenda: Any, rows: Any, agent: Any, time: Any) -> None:
    """Note when the agent who was done first will be done next: up to the top of the tree."""
    one = np.uint64(1)
    place = np.uint64(agenda.leaves + agent)
    agenda.done_when[place] = time
    while place > one:
        beside = place ^ one
        other = agenda.done_who[beside]
        later = agenda.done_when[beside] - time
        difference = later
        if later == 0:
            mine, its = agenda.row_of[agent], agenda.row_of[other]
            later -= np.int64(content(rows, its) < content(rows, mine))
        mask = later >> 63  # all ones if the other is first: a branch would be guessed wrong
        time += difference & mask
        agent += (other - agent) & mask
        place >>= one
        agenda.done_when[place], agenda.done_who[place] = time, agent


@compiled
def put(when: Any, what: Any, rows: Any, size: Any, time: Any, row: Any) -> Any:
    """Put a row on a heap; its new size."""
    one = np.uint64(1)
    place = np.uint64(size)
    while place:
        above = (place - one) >> one
        if before(rows, when[above], what[above], time, row):
            break
        when[place], what[place] = when[above], what[above]
        place = above
    when[place], what[place] = time, row
    return size + 1


@compiled
def replace_first(when: Any, what: Any, rows: Any, size: Any, time: Any, row: Any) -> None:
    """Put a row on a heap in the place of the first one."""
    one, count = np.uint64(1), np.uint64(size)
    place, child = np.uint64(0), np.uint64(1)
    while child < count:
        other = child + one
        if other < count:  # added, as a branch would be guessed wrong half the time
            child += np.uint64(before(rows, when[other], what[other], when[child], what[child]))
        if before(rows, time, row, when[child], what[child]):
            break
        when[place], what[place] = when[child], what[child]
        place, child = child, child + child + one
    when[place], what[place] = time, row


@compiled
def drop_first(when: Any, what: Any, rows: Any, size: Any) -> Any:
    """Take the first row off a heap; its new size."""
    size -= 1
    if size:
        replace_first(when, what, rows, size, when[size], what[size])
    else:
        when[0] = LATER
    return size


@compiled
def comes_back(
    floor: Any, stretch_end: Any, when: Any, what: Any, size: Any, stretch: Any, now: Any
) -> Any:
    """Note when an agent is back whose break began late and keeps its length; the heap's new size.

    What is left of her shift begins with the first stretch that is not over by then.
    """
    back, after = now + floor.pause[stretch], floor.follows[stretch]
    floor.comes_otherwise[after] = True
    while stretch_end[after] <= back and floor.pause[after] > 0:
        after = floor.follows[after]
        floor.comes_otherwise[after] = True
    back = max(back, floor.stretch_came[after])
    if back >= stretch_end[after]:
        return size
    place = size
    while place > 0:
        above = (place - 1) >> 1
        if when[above] < back or (when[above] == back and what[above] < after):
            break
        when[place], what[place] = when[above], what[above]
        place = above
    when[place], what[place] = back, after
    return size + 1


@compiled
def drop_moment(when: Any, what: Any, size: Any) -> Any:
    """Take the first moment off a heap of moments and numbers; its new size."""
    size -= 1
    last, number, place, child = when[size], what[size], 0, 1
    while child < size:
        other = child + 1
        if other < size and (
            when[other] < when[child] or (when[other] == when[child] and what[other] < what[child])
        ):
            child = other
        if last < when[child] or (last == when[child] and number < what[child]):
            break
        when[place], what[place] = when[child], what[child]
        place, child = child, 2 * child + 1
    when[place], what[place] = last, number
    if size == 0:
        when[0] = LATER
    return size


@compiled
def link(before: Any, after: Any, first: Any, last: Any, number: Any, item: Any, left: Any) -> None:
    """Put an item into list `number`, after the item `left` (-1: in front of all)."""
    right = after[left] if left >= 0 else first[number]
    before[item], after[item] = left, right
    if left >= 0:
        after[left] = item
    else:
        first[number] = item
    if right >= 0:
        before[right] = item
    else:
        last[number] = item


@compiled
def unlink(before: Any, after: Any, first: Any, last: Any, number: Any, item: Any) -> None:
    """Take an item out of list `number`."""
    left, right = before[item], after[item]
    if left >= 0:
        after[left] = right
    else:
        first[number] = right
    if right >= 0:
        before[right] = left
    else:
        last[number] = left
