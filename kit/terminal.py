"""What people see in a shell: tables, progress and one-line messages, in one look.

Results go to standard output, everything else to standard error.  Text from data is shown, never
obeyed: control characters in it are made visible.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

_WIDE = 200


def _console(stream_is_error: bool) -> Console:
    stream = sys.stderr if stream_is_error else sys.stdout
    # A pipe has no width of its own; cutting a table to 80 columns there would lose text.
    width = None if stream.isatty() else _WIDE
    return Console(file=stream, width=width, highlight=False, soft_wrap=True, emoji=False, markup=False)


def visible(text: str) -> str:
    """*text* with control characters (terminal escapes, line ends, bidi overrides) made visible."""
    return "".join(c if c.isprintable() or c == " " else _shown(c) for c in text)


def _shown(character: str) -> str:
    return {"\n": "⏎", "\t": "⇥"}.get(character) or f"\\u{{{ord(character):x}}}"


def say(line: str) -> None:
    """One line for the person, on standard error."""
    _console(True).print(Text(visible(line)))


def error(line: str) -> None:
    """The one line of a failure, on standard error."""
    text = Text("error: ", style="bold red")
    text.append(visible(line), style="default")
    _console(True).print(text)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output: the first column to the left, the others to the right."""
    grid = Table(title=Text(title), title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        grid.add_column(Text(column), justify="left" if number == 0 else "right", header_style="dim")
    for row in rows:
        grid.add_row(*(Text(visible(cell)) for cell in row))
    _console(False).print(grid)


def facts(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Names and values on standard output, one pair a line."""
    console = _console(False)
    console.print(Text(visible(title), style="bold"))
    width = max((cell_len(name) for name, _ in rows), default=0)
    for name, value in rows:
        line = Text(name + " " * (width - cell_len(name) + 2), style="dim")
        line.append(visible(value), style="default")
        console.print(line)


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar over *total* things; yields a function that hears how many more are done.

    Nothing is shown where standard error is not a terminal, or *total* is 0.
    """
    bar = progress_bar()
    bar.disable = bar.disable or not total
    with bar:
        task = bar.add_task(what, total=total, note="")
        yield lambda done: bar.advance(task, done)


@contextlib.contextmanager
def transfer(what: str, *, hidden: bool = False) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar over bytes; yields a function that hears how many have come, and of how many.

    Nothing is shown until the first has come, nor where standard error is not a terminal, or *hidden*.
    """
    console = _console(True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=hidden or not console.is_terminal,
    )
    with bar:
        task = bar.add_task(what, total=None, visible=False)
        yield lambda come, total: bar.update(task, completed=come, total=total, visible=True)


def progress_bar() -> Progress:
    """The kit's progress bar, with a ``note`` field behind it; silent where nobody watches."""
    console = _console(True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
        disable=not console.is_terminal,
    )


def duration(seconds: float) -> str:
    """Seconds as a person says them: 40 s, 12 min, 3 h 5 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
