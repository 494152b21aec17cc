"""`ccsim erlang`: the planner's calculator, with the honest answer beside the classic one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ccsim.cli import options
from ccsim.cli.console import strong, write, write_json, write_table

if TYPE_CHECKING:
    from ccsim.queueing import ErlangX
    from ccsim.results.erlang import ErlangAnswer, View


@click.command(short_help="The Erlang calculator: no scenario, one line.")
@click.argument("volume", help="Contacts, as '200 calls/h'.")
@click.argument("handle_time", help="Mean handle time, as '3 min'.")
@click.option(
    "--target",
    default="80% within 20 s",
    show_default=True,
    help="What share is answered within which time; 80/20 will do.",
)
@click.option("--patience", metavar="TIME", help="Mean time until a waiting customer gives up.")
@click.option("--redial", metavar="SHARE", help="Of those not answered, who calls again: 40%.")
@click.option("--repeat", metavar="SHARE", help="Of those answered, who has to call again: 12%.")
@click.option("--lines", metavar="N", type=click.IntRange(1), help="Contacts talking or waiting.")
@click.option("--abandoned", metavar="SHARE", help="At most so many give up: 5%.")
@click.option("--speed-of-answer", metavar="TIME", help="At most this mean wait of the answered.")
@click.option("--occupancy", metavar="SHARE", help="Agents are busy at most so much: 85%.")
@click.option(
    "--formula",
    metavar="NAME",
    default="of_offered",
    show_default=True,
    help="The service-level formula of the target; the answer lists them all.",
)
@click.option(
    "--short-abandon",
    metavar="TIME",
    default="5 s",
    show_default=True,
    help="Up to this wait giving up is a short abandonment.",
)
@click.option(
    "--agents", metavar="N", type=click.IntRange(0, 10**7), help="Look at so many agents instead."
)
@click.option("--table", "by_agents", is_flag=True, help="Add the table over agents.")
@options.as_json
@options.debug
def erlang(by_agents: bool, as_json: bool, **given: Any) -> None:
    r"""How many agents for so many calls: by Erlang C, and by what customers really do.

    Erlang C has nobody give up. With --patience they do (Erlang A), with --redial, --repeat or
    --lines they call again or hear an engaged tone (Erlang X). One interval, as if it lasted for
    ever.

    \b
    ccsim erlang "200 calls/h" "3 min"
    ccsim erlang "200 calls/h" "3 min" --patience "2 min" --redial 40% --table
    """
    from ccsim import study

    answer = study.erlang(**given)
    if as_json:
        document = answer.to_json()
        write_json(document.pop("schema"), document)
        return
    for line in _sentences(answer):
        write(line)
    write()
    write(strong(f"At {_agents(answer.looked_at)}"))
    _show_measures(answer)
    if by_agents:
        write()
        _show_by_agents(answer)
    if len(answer.views) == 1:
        write()
        write('Customers do give up: add --patience "2 min" for the honest number.')


def _sentences(answer: ErlangAnswer) -> list[str]:
    """The classic answer in one line, the honest ones below it."""
    from ccsim.scenario.units import write_rate
    from ccsim.statistics.writing import number

    asked = answer.question
    work = f"{write_rate(asked.volume)} of {_time(asked.handle_time)}"
    lines = [f"{asked.load:.2f} erlang: {work}"]
    width = max(len(_agents(count)) for count in answer.agents.values())
    for view in answer.views:
        count = answer.agents[view.name]
        measures = answer.measures(view, count)
        level = _share(measures.service_level)
        lines.append(
            strong(f"{_agents(count):>{width}}, {level} within {_time(asked.threshold)}")
            + f" by {view.name}, {view.kind}: {view.supposes}"
        )
    last = answer.views[-1]
    volume = answer.largest_volume[last.name]
    if volume > 0:
        lines.append(
            f"{_agents(answer.looked_at)} keep this up to {number(volume, 0)} calls/h ({last.name})"
        )
    return lines


def _show_measures(answer: ErlangAnswer) -> None:
    from ccsim.queueing import FORMULAS_IN_WORDS

    rows = [
        (
            f"{words}{' *' if formula == answer.question.formula else ''}",
            *(_share(answer.service_levels[view.name][formula]) for view in answer.views),
        )
        for formula, words in FORMULAS_IN_WORDS.items()
    ]
    found = [answer.measures(view) for view in answer.views]
    rows += [
        ("have to wait", *(_share(each.waiting_probability) for each in found)),
        ("give up", *(_share(each.abandonment) for each in found)),
        ("hear an engaged tone", *(_share(each.blocked) for each in found)),
        ("speed of answer", *(_seconds(each.speed_of_answer) for each in found)),
        ("mean wait of all", *(_seconds(each.mean_wait) for each in found)),
        ("contacts waiting", *(_count(each.queue_length) for each in found)),
        ("occupancy", *(_share(each.occupancy) for each in found)),
        ("attempts per request", *(_attempts(answer, each) for each in found)),
        ("requests answered in the end", *(_share(each.served) for each in found)),
    ]
    write_table(["", *(view.name for view in answer.views)], rows)
    write("* the formula of the target")


def _show_by_agents(answer: ErlangAnswer) -> None:
    numbers = answer.range_of_agents
    header, columns = ["agents"], [[f"{count}" for count in numbers]]
    for view in answer.views:
        header.append(f"in time, {view.name[-1]}")
        columns.append(_levels(answer, view, numbers))
    last = answer.views[-1]
    found = [answer.measures(last, count) for count in numbers]
    header += ["give up", "speed of answer", "occupancy"]
    columns += [
        [_share(each.abandonment) for each in found],
        [_seconds(each.speed_of_answer) for each in found],
        [_share(each.occupancy) for each in found],
    ]
    write_table(header, list(zip(*columns, strict=True)), left=0)
    write(f"+ keeps every goal; the last three columns by {last.name}")


def _levels(answer: ErlangAnswer, view: View, numbers: range) -> list[str]:
    kept = answer.keeps_goals(view, list(numbers))
    levels = answer.measures(view, list(numbers)).service_level
    return [
        f"{'+ ' if keeps else ''}{_share(level)}" for level, keeps in zip(levels, kept, strict=True)
    ]


def _agents(count: int) -> str:
    return "1 agent" if count == 1 else f"{count} agents"


def _share(value: float) -> str:
    return f"{value:.2%}"


def _seconds(value: float) -> str:
    return "without end" if value == float("inf") else f"{value:,.1f} s"


def _count(value: float) -> str:
    return "without end" if value == float("inf") else f"{value:,.2f}"


def _time(seconds: float) -> str:
    from ccsim.scenario.units import write_duration

    return write_duration(round(seconds * 1_000_000))


def _attempts(answer: ErlangAnswer, measures: ErlangX) -> str:
    load = answer.question.load
    return _count(measures.attempts_load / load) if load else "–"
