"""The command ``ccsim``: its verbs in the order of a story, and what every failure looks like.

Exit codes: 0 certified or done, 1 no, 2 wrong usage or an invalid scenario, 3 not decided, 4 our
fault, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
import traceback
from typing import Any, NamedTuple, NoReturn

import click

from ccsim import __version__
from ccsim.cli.answering import compare, estimate, plan, simulate
from ccsim.cli.console import say
from ccsim.cli.erlang import erlang
from ccsim.cli.history import calibrate
from ccsim.cli.options import debug
from ccsim.cli.reading import check, new, schema, show
from ccsim.cli.verifying import verify
from ccsim.errors import CcsimError, InfeasibleError, SolverError

NO, INVALID, NOT_DECIDED, OUR_FAULT, INTERRUPTED = 1, 2, 3, 4, 130

PATIENCE = 2.0
"""How long after Ctrl-C whatever runs may take to stop by itself [s]."""
_SHOW_CURSOR = "\x1b[?25h"
_THEIRS = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}
"""What a disk or its owner refuses is no fault of ours."""


class Verbs(click.Group):
    """A group whose commands keep their order and whose failures have words and an exit code."""

    def list_commands(self, _: click.Context) -> list[str]:
        """The verbs as the story has them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; whatever goes wrong is said in a sentence."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            _interrupted(ctx)
        except Exception as error:
            if ctx.meta.get("ccsim.debug"):
                traceback.print_exc()
            # A library that is interrupted while it is loaded may fail with anything.
            if ctx.obj is not None and ctx.obj.heard.wait(0.1):
                _interrupted(ctx)
            ctx.exit(_said(error))


def _interrupted(ctx: click.Context) -> NoReturn:
    """Say so, once, and end."""
    if ctx.obj is not None:
        ctx.obj.said.set()
    say(f"interrupted: {_left_on_disk(ctx)}")
    ctx.exit(INTERRUPTED)


class Interrupts(NamedTuple):
    """Whether Ctrl-C was heard, and whether that was said."""

    heard: threading.Event
    said: threading.Event


def _said(error: Exception) -> int:
    """Say what went wrong, and give the exit code for it."""
    if isinstance(error, CcsimError):
        say(str(error))
        if isinstance(error, InfeasibleError):
            return NO
        return NOT_DECIDED if isinstance(error, SolverError) else INVALID
    if isinstance(error, OSError) and error.errno in _THEIRS:
        say(f"{error.filename or 'a file'}: {error.strerror}")
        return INVALID
    if isinstance(error, MemoryError):
        say("there is not enough memory for this: a shorter horizon or fewer --workers need less")
        return INVALID
    first = (str(error).splitlines() or [""])[0][:200]
    say(f"ccsim failed: {type(error).__name__}: {first}")
    say("This is our fault, not yours; with --debug the traceback is shown, to send with a report.")
    return OUR_FAULT


def _left_on_disk(context: click.Context) -> str:
    folder = context.meta.get("ccsim.out")
    if folder is None:
        return "nothing was written"
    if folder.exists():
        return f"nothing is half-written, {folder} is whole as it stands"
    return f"nothing was written to {folder}"


EPILOG = """\b
Begin with
  ccsim new quickstart_voice_8020 --out first.yaml
  ccsim estimate first.yaml
  ccsim plan first.yaml

Exit codes: 0 certified or done, 1 no, 2 wrong usage or invalid scenario, 3 not decided, 4 our
fault, 130 interrupted.
"""


@click.group(
    cls=Verbs,
    commands=[
        *(new, check, show, erlang, estimate, simulate, plan, compare),
        *(calibrate, verify, schema),
    ],
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "auto_envvar_prefix": "CCSIM",
    },
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="ccsim", message="%(prog)s %(version)s")
@debug
def ccsim() -> None:
    """The cheapest staffing plan that keeps its promises, from one scenario file."""


def main() -> NoReturn:
    """Run the command line."""
    try:
        ccsim(prog_name="ccsim", obj=_hear_interrupts())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(0)


def _hear_interrupts() -> Interrupts:
    """End the process soon after Ctrl-C even where compiled code does not hear it.

    A solver may run for minutes without letting Python see the signal. Results are written in one
    step at the very end, so that ending at any moment before leaves nothing half-written.
    """
    interrupts = Interrupts(threading.Event(), threading.Event())
    if os.name != "posix":
        return interrupts
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def watch() -> None:
        while os.read(reading, 1) != bytes([signal.SIGINT]):
            pass
        interrupts.heard.set()
        time.sleep(PATIENCE)
        if not interrupts.said.is_set():
            if sys.stderr.isatty():
                sys.stderr.write(f"{_SHOW_CURSOR}\n")
            say("interrupted: nothing was written")
        os._exit(INTERRUPTED)

    threading.Thread(target=watch, daemon=True).start()
    return interrupts
