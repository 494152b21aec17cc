"""`ccsim erlang`: the planner's calculator, with the honest answer beside the classic one."""

from __future__ import annotations

from typing import Any

import click

from ccsim.cli import options
from ccsim.cli.console import write_json

EPILOG = """\b
For example
  ccsim erlang "200 calls/h" "3 min"
  ccsim erlang "100 calls/30 min" "3 min" --target 90/10 --patience "2 min" --redial 40% --table
"""


@click.command(short_help="The Erlang calculator: no scenario, one line.", epilog=EPILOG)
@click.argument("volume", help="Requests: '200 calls/h', or '100 calls/30 min'.")
@click.argument("handle_time", help="Mean handle time: '3 min'.")
@click.option(
    "--target",
    metavar="TARGET",
    default="80% within 20 s",
    show_default=True,
    help="What share is answered within which time; 80/20 will do, 0/20 asks for nothing.",
)
@click.option("--patience", metavar="TIME", help="Mean time until a waiting customer gives up.")
@click.option("--redial", metavar="SHARE", help="Of those not answered, who calls again: 40%.")
@click.option("--repeat", metavar="SHARE", help="Of those answered, who has to call again: 12%.")
@click.option("--lines", metavar="N", help="Contacts that can be talking or waiting.")
@click.option("--abandoned", metavar="SHARE", help="At most so many give up: 5%.")
@click.option("--speed-of-answer", metavar="TIME", help="At most this mean wait of the answered.")
@click.option("--occupancy", metavar="SHARE", help="Agents are busy at most so much: 85%.")
@click.option(
    "--formula",
    metavar="NAME",
    default="of_offered",
    show_default=True,
    help="The service-level formula of the target: of_answered, with_abandoned_in_time, "
    "without_abandoned_in_time, without_short_abandons, with_short_abandons, virtual.",
)
@click.option(
    "--short-abandon",
    metavar="TIME",
    default="5 s",
    show_default=True,
    help="Up to this wait giving up is a short abandonment.",
)
@click.option("--agents", metavar="N", help="Look at so many agents: do they keep the goals?")
@click.option("--table", "by_agents", is_flag=True, help="Add the table over agents.")
@options.as_json
@options.debug
def erlang(by_agents: bool, as_json: bool, **given: Any) -> None:
    """How many agents for so many calls: by Erlang C, and by what customers really do.

    Erlang C has nobody give up. With --patience they do (Erlang A), with --redial, --repeat or
    --lines they call again or hear an engaged tone (Erlang X).

    Agents on the floor: breaks and absence come on top. For one interval as if it lasted for
    ever, calls coming at random, handle times and patience exponential: then C and A are exact.
    """
    # Not by `ccsim.study`, which loads all that a plan needs: a calculator answers at once.
    from ccsim.cli.calculating import show_answer
    from ccsim.results.erlang import answer
    from ccsim.results.erlang_question import read_question

    found = answer(read_question(_as_typed, **given))
    if as_json:
        document = found.to_json()
        write_json(document.pop("schema"), document)
        return
    show_answer(found, by_agents=by_agents)


def _as_typed(name: str) -> str:
    """An argument as the command line knows it."""
    if name in {"volume", "handle_time"}:
        return name.upper()
    return f"--{name.replace('_', '-')}"
