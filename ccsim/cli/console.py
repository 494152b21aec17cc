"""Where words go: results to stdout, everything else to stderr, in a terminal or in a pipe."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

FIRST_WORD_AFTER = 2.0
"""Whatever takes longer than this says what it does [s]."""
LINE_EVERY = 10.0
"""Without a terminal, progress is a line this often at most [s]."""
WIDE = 500
"""Columns where nobody's terminal limits them: lines in a pipe are not wrapped."""

# What a name in a file must not do to somebody's terminal; tabs, new lines and colours may pass.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\[[0-9;]*m)")


def write(text: str = "") -> None:
    """Write part of a result to stdout; a reader who has seen enough ends nothing."""
    try:
        click.echo(_CONTROL.sub("�", text))
        sys.stdout.flush()
    except BrokenPipeError:
        # `ccsim … | head -1`: the rest goes nowhere, and the exit code stays what it is.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Say something that is not a result, on stderr."""
    click.echo(_CONTROL.sub("�", text), err=True)


def write_json(schema: str, content: Mapping[str, Any]) -> None:
    """Write one object on stdout: its schema first, then its content; no number is null."""
    document = _plain({"schema": schema, **content})
    write(json.dumps(document, ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if hasattr(value, "tolist"):  # numpy
        return _plain(value.tolist())
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, bool | int | str | None) else str(value)


def write_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
    """Write a table: the first columns flush left, the others flush right; no boxes in a pipe."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console = _console()
    in_terminal = console.is_terminal
    table = Table(
        box=box.SIMPLE_HEAD if in_terminal else None,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1 if in_terminal else 2, 0, 0),
    )
    for number, title in enumerate(header):
        table.add_column(Text(title), justify="left" if number < left else "right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    with console.capture() as captured:
        console.print(table)
    write("\n".join(line.rstrip() for line in captured.get().splitlines()))


def strong(text: str) -> str:
    """Text that stands out in a terminal which likes colours."""
    return click.style(text, bold=True) if _console().color_system else text


def _console() -> Console:
    from rich.console import Console

    in_terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        markup=False,
        emoji=False,
        highlight=False,
        width=None if in_terminal else WIDE,
        # Rich leaves bold where NO_COLOR is set; who sets it wants plain text.
        color_system="auto" if in_terminal and not os.environ.get("NO_COLOR") else None,
    )


class Progress:
    """What is being done, and how much of it: a bar in a terminal, else a line now and then."""

    def __init__(self) -> None:
        self.prefix = ""
        self.what, self.done, self.total = "starting", 0, 0
        self.began = time.monotonic()
        self.tell: Callable[[str], None] = say
        self.compiling = ""
        self.compiled: float | None = None

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        """Tell what is being done, how much of it, of how much (0: nobody knows)."""
        self.say_compiled()
        self.what, self.done, self.total = f"{self.prefix}{what}", done, total

    def replications(self, done: int, total: int) -> None:
        """Tell how many replications are simulated."""
        self("simulating", done, total)

    def hear(self, record: logging.LogRecord) -> None:
        """Say that the engine is being compiled: several loops, and all of them one thing."""
        seconds = getattr(record, "seconds", None)
        self.compiling = "" if seconds else record.getMessage()
        if self.compiled is None:
            self.compiled = 0.0
            self.tell(self.line)
        self.compiled += seconds or 0.0

    def say_compiled(self) -> None:
        """Say how long compiling took, now that something else is news."""
        if self.compiled is not None:
            self.tell(self.after(f"compiled in {self.compiled:.1f} s"))
            self.compiled = None

    @property
    def line(self) -> str:
        """One line of plain text."""
        amount = f", {self.done} of {self.total} replications" if self.total else ""
        return self.after(self.compiling or f"{self.what}{amount}")

    def after(self, what: str) -> str:
        """What is the case, behind the time since the beginning."""
        seconds = round(time.monotonic() - self.began)
        return f"{seconds // 60}:{seconds % 60:02d}  {what}"


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """Show progress on stderr while something long is done.

    Nothing of it stays in a terminal, but that the engine had to be compiled.
    """
    from rich.console import Console

    told = Progress()
    told(what)
    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    show = _bar if console.is_terminal and not console.is_dumb_terminal else _lines
    with show(told, console), _hearing(told):
        yield told


class _Ear(logging.Handler):
    """Hands on what the library logs."""

    def __init__(self, told: Progress) -> None:
        super().__init__(logging.INFO)
        self.told = told

    def emit(self, record: logging.LogRecord) -> None:
        self.told.hear(record)


@contextmanager
def _hearing(told: Progress) -> Iterator[None]:
    """Listen to what the engine has to say of itself: that it is compiled first."""
    handler, logger = _Ear(told), logging.getLogger("ccsim")
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
        told.say_compiled()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@contextmanager
def _lines(told: Progress, _: Console) -> Iterator[None]:
    ended = threading.Event()

    def speak() -> None:
        pause = FIRST_WORD_AFTER
        while not ended.wait(pause):
            say(told.line)
            pause = LINE_EVERY

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _bar(told: Progress, console: Console) -> Iterator[None]:
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.spinner import Spinner
    from rich.table import Table

    spinner = Spinner("dots")

    def seen() -> Table:
        grid = Table.grid(padding=(0, 1))
        for _ in range(3):
            grid.add_column(no_wrap=True, overflow="ellipsis")
        bar = ProgressBar(told.total or 1, told.done, width=20) if told.total else ""
        grid.add_row(spinner, bar, told.line)
        return grid

    told.tell = console.print  # above the bar
    with Live(get_renderable=seen, console=console, transient=True, refresh_per_second=8):
        yield
