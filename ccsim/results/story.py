"""One contact's story: what was drawn for her, whom she met, and what became of each attempt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccsim.demand.draw import Draw
from ccsim.demand.table import NEVER
from ccsim.errors import CcsimError
from ccsim.performance.tally import Rules
from ccsim.performance.words import day_name
from ccsim.scenario import Case
from ccsim.scenario.units import MICROSECONDS, write_duration
from ccsim.simulation.log import PASSED_ON, ContactLog, Outcome
from ccsim.simulation.model import Model
from ccsim.statistics.writing import plural

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ContactKey:
    """What names a request: contact type, interval of its first attempt, number in it from 0."""

    contact_type: int
    interval: int
    ordinal: int


@dataclass(frozen=True, eq=False)
class Story:
    """A request from its first attempt to its last.

    Attributes
    ----------
    title : str
        Which request, of which replication.
    lines : tuple of str
        What happened, in order.
    attempts : DataFrame
        One row for each attempt, times in seconds.
    """

    title: str
    lines: tuple[str, ...]
    attempts: pd.DataFrame

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"  {line}" for line in self.lines)])

    def _repr_html_(self) -> str:
        html: str = self.attempts.to_html(index=False)
        return html


def read_contact(text: str, case: Case) -> ContactKey:
    """Read ``TYPE/DATE TIME/NUMBER``, such as ``call/2026-09-07 10:30/3``; numbers begin at 0.

    Raises
    ------
    CcsimError
        Saying which part is not understood.
    """
    names, labels = list(case.scenario.contact_types), case.grid.labels
    parts = [part.strip() for part in text.split("/")]
    if len(parts) != 3:
        raise CcsimError(
            f"contact {text!r}: write TYPE/DATE TIME/NUMBER, such as "
            f"'{names[0]}/{labels[len(labels) // 2]}/0'"
        )
    name, label, number = parts
    if name not in names:
        raise CcsimError(f"contact {text!r}: {name!r} is no contact type ({', '.join(names)})")
    if label not in labels:
        raise CcsimError(
            f"contact {text!r}: {label!r} is no interval; they begin every "
            f"{write_duration(case.grid.interval_us)} from {labels[0]} to {labels[-1]}"
        )
    if not number.isdecimal() or len(number) > 9:
        raise CcsimError(f"contact {text!r}: {number!r} is no number of a contact, 0 or more")
    return ContactKey(names.index(name), labels.index(label), int(number))


def story_of(
    case: Case, model: Model, draw: Draw, log: ContactLog, rules: Rules, key: ContactKey
) -> Story:
    """Tell one request's story from the log of its replication.

    Raises
    ------
    CcsimError
        If there is no such request, with how many there are.
    """
    import pandas as pd

    same = (log.origin == key.contact_type) & (log.interval == key.interval)
    rows = np.flatnonzero(same & (log.ordinal == key.ordinal))
    name, label = model.contact_types[key.contact_type], case.grid.labels[key.interval]
    if rows.size == 0:
        count = int((same & (log.attempt == 0)).sum())
        there = f"{plural(count, 'contact')}, 0 to {count - 1}" if count else "no contact"
        raise CcsimError(
            f"no contact {key.ordinal}: replication {draw.replication} has {there} of "
            f"{name!r} from {label}"
        )
    rows = rows[np.argsort(log.attempt[rows])]
    seen = [_Attempt(case, model, draw, log, rules, int(row)) for row in rows]
    return Story(
        title=f"{name}, number {key.ordinal} of the interval from {label}, replication "
        f"{draw.replication}, seed {draw.seed}",
        lines=tuple(line for attempt in seen for line in attempt.lines()),
        attempts=pd.DataFrame([attempt.row() for attempt in seen]),
    )


@dataclass(frozen=True, eq=False)
class _Attempt:
    """One attempt, and the centre at the instant in which it arrives."""

    case: Case
    model: Model
    draw: Draw
    log: ContactLog
    rules: Rules
    index: int

    @property
    def contact_type(self) -> int:
        return int(self.log.contact_type[self.index])

    @property
    def arrival(self) -> int:
        return int(self.log.arrival[self.index])

    @property
    def outcome(self) -> Outcome:
        return Outcome(int(self.log.outcome[self.index]))

    @property
    def wait(self) -> int:
        return int(self.log.wait[self.index])

    def ahead(self) -> int:
        """Contacts waiting whom an agent with the skill might take."""
        log, model = self.log, self.model
        groups = model.skills.priority[:, self.contact_type] > 0
        rivals: Flags = np.greater(model.skills.priority[groups].max(axis=0), 0)
        waiting = (log.arrival <= self.arrival) & (log.left_queue > self.arrival)
        waiting &= rivals[log.contact_type]
        waiting[self.index] = False
        return int(waiting.sum())

    def agents(self) -> tuple[int, int]:
        """Agents with the skill: busy, and on the floor."""
        log, model, now = self.log, self.model, self.arrival
        able: Flags = np.greater(model.skills.priority[model.agent_group, self.contact_type], 0)
        stretches = model.stretches
        there = (log.stretch_came <= now) & (log.stretch_left > now)
        busy = (log.agent >= 0) & (log.taken <= now) & (log.ended > now)
        busy[self.index] = False
        on_the_floor = np.unique(stretches.agent[there & able[stretches.agent]])
        at_work = np.unique(log.agent[busy])
        return int(np.count_nonzero(able[at_work])), len(
            np.union1d(on_the_floor, at_work[able[at_work]])
        )

    def lines(self) -> Iterator[str]:
        busy, there = self.agents()
        yield (
            f"{self._when(self.arrival)}  {self._comes()}; "
            f"{self.ahead()} waiting, {busy} of {plural(there, 'agent')} with the skill busy"
        )
        if self.log.called_back[self.index]:
            yield "hangs up, to be called back"
        left, wait = self._when(int(self.log.left_queue[self.index])), _written(self.wait)
        if self.outcome == Outcome.ANSWERED:
            agent = int(self.log.agent[self.index])
            group = self.model.groups[self.model.agent_group[agent]]
            limit = self.rules.thresholds[self.contact_type][0]
            late = "in time" if self.wait <= limit else "late"
            yield f"{left}  answered after {wait} by agent {agent} of {group}, {late}"
            length = int(self.log.ended[self.index]) - int(self.log.left_queue[self.index])
            yield (
                f"{self._when(int(self.log.ended[self.index]))}  over after {_written(length)} of "
                "talk and wrap-up"
            )
            if self.log.transferred[self.index]:
                yield "is passed on"
                if self.log.cut[self.index]:
                    yield "goes no further, for the bound on attempts or the end of the horizon"
            elif self.log.unresolved[self.index]:
                yield "the matter is not settled"
                yield from self._next_call()
        elif self.outcome == Outcome.ABANDONED:
            rings = " while it rings" if self.log.agent[self.index] >= 0 else ""
            yield f"{left}  gives up after {wait}{rings}, the end of her patience"
            yield from self._next_call()
        elif self.outcome == Outcome.BALKED:
            yield f"{left}  hangs up at once on being told how long it takes"
            yield from self._next_call()
        elif self.outcome == Outcome.UNREACHED:
            yield f"{left}  does not answer when called back after {wait}"
        elif self.outcome == Outcome.CLOSED:
            yield f"{left}  finds the line closed"
        elif self.outcome == Outcome.BLOCKED:
            yield f"{left}  finds no line, or the queue full"
            yield from self._next_call()
        elif self.outcome == Outcome.CLEARED:
            yield f"{left}  is disconnected after {wait}, at closing"
        else:
            yield f"{left}  still waits after {wait}, when the run ends"

    def _comes(self) -> str:
        again = int(self.log.again[self.index])
        here = ""
        if self.log.contact_type[self.index] != self.log.origin[self.index]:
            here = f", for {self.model.contact_types[self.contact_type]}"
        if again & PASSED_ON:
            return f"joins the queue{here}"
        return f"{'calls again' if again else 'arrives'}{here}"

    def _next_call(self) -> Iterator[str]:
        if self.log.cut[self.index]:
            yield "would call again, but for the bound on attempts or the end of the horizon"
        elif self.log.last[self.index]:
            yield "does not call again"

    def row(self) -> dict[str, object]:
        busy, there = self.agents()
        answered = self.outcome == Outcome.ANSWERED
        log, index = self.log, self.index
        return {
            "attempt": int(log.attempt[index]),
            "arrival": self._when(self.arrival),
            "waiting": self.ahead(),
            "agents_busy": busy,
            "agents": there,
            "outcome": self.outcome.name.lower(),
            "wait": self.wait / MICROSECONDS,
            "handle_time": (int(log.ended[index]) - int(log.left_queue[index])) / MICROSECONDS
            if answered
            else float("nan"),
            "agent": int(log.agent[index]) if answered else None,
            "patience": self._patience(),
        }

    def _patience(self) -> float:
        """Drawn for a first attempt; of a redial only its end is seen [s]."""
        if self.log.attempt[self.index]:
            given_up = self.outcome == Outcome.ABANDONED
            return self.wait / MICROSECONDS if given_up else float("nan")
        contacts = self.draw.contacts
        mine = (contacts.contact_type == int(self.log.origin[self.index])) & (
            contacts.interval == self.log.interval[self.index]
        )
        patience = int(
            contacts.patience[mine & (contacts.ordinal == self.log.ordinal[self.index])][0]
        )
        return float("inf") if patience >= NEVER else patience / MICROSECONDS

    def _when(self, instant: int) -> str:
        import pandas as pd

        moment = pd.Timestamp(self.case.grid.start_utc) + pd.Timedelta(instant, unit="us")
        local = moment.tz_convert(self.case.grid.time_zone)
        return f"{day_name(local.date().isoformat())} {local.strftime('%H:%M:%S')}"


def _written(microseconds: int) -> str:
    """A length of time to a tenth of a second, for a reader."""
    tenth = MICROSECONDS // 10
    return write_duration((microseconds + tenth // 2) // tenth * tenth)
