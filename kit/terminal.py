"""Terminal output in one style: tables, progress bars and one-line messages.

Results go to standard output, everything else to standard error.  Control characters in text from data are
made visible, so that the terminal never executes them.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import textwrap
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any, Literal, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from kit.display import Table as Shown
from kit.display import duration as duration
from kit.display import shortened as shortened
from kit.display import visible as visible

_GAP = 2
_COMMAND = re.compile(r"\b(?:next|then|run): (?:kit|kaggle) ")
_SPEED_SECONDS = 300.0
"""The time left is estimated from this much of the past: on a CPU a step takes up to a minute."""
_NARROWEST = 12
"""The narrowest column that words are wrapped to; a table that needs less becomes a list."""


class EscapedStream(io.TextIOBase):
    """A stream that makes control characters visible, also those of libraries, warnings and tracebacks.

    The kit's own coloured text goes to ``stream``, the stream behind it.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str, /) -> int:
        """Write *text*, its line ends as they are."""
        self.stream.write("\n".join(map(visible, text.split("\n"))))
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.stream.encoding


def escape_output() -> None:
    """From now on escape control characters, and characters that the console cannot print."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console without Hangul
    if not isinstance(sys.stdout, EscapedStream):
        sys.stdout, sys.stderr = EscapedStream(sys.stdout), EscapedStream(sys.stderr)


def _console(stream_is_error: bool) -> Console:
    stream = sys.stderr if stream_is_error else sys.stdout
    if isinstance(stream, EscapedStream):
        stream = stream.stream
    plain = not stream.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Console(
        file=stream, force_terminal=stream.isatty(), color_system=None if plain else "auto",
        highlight=False, soft_wrap=True, emoji=False, markup=False, force_jupyter=False,
    )  # fmt: skip


def say(line: str) -> None:
    """Print one line for the user on standard error; a terminal wraps it at words."""
    _print(Text(visible(line)), _console(True))


def command(text: str) -> None:
    """Print a command on standard error, on one line of any length, so that it can be copied."""
    _console(True).print(Text(visible(text)))


def error(line: str) -> None:
    """Print the one line of a failure on standard error."""
    text = Text("error: ", style="bold red")
    text.append(visible(line), style="default")
    _print(text, _console(True))


def line(text: str) -> None:
    """Print one line of a result on standard output."""
    _print(Text(visible(text)), _console(False))


def _print(text: Text, console: Console) -> None:
    """Print a message, on a terminal wrapped at words.

    A command at its end gets its own line and is not wrapped, so that it can be copied.
    """
    if not console.is_terminal or text.cell_len <= console.width:
        console.print(text)
        return
    found = _COMMAND.search(text.plain)
    words, *commands = text.divide([found.start()]) if found else [text]
    for one in words.divide(_line_ends(words.plain, console.width)):
        one.rstrip()
        console.print(one)
    for one in commands:
        console.print(one)


def _line_ends(text: str, width: int) -> list[int]:
    """Where lines of at most *width* columns end, between words; a longer word is left whole."""
    ends, begin = [], 0
    for word in re.finditer(r"\S+\s*", text):
        if word.start() > begin and cell_len(text[begin : word.end()].rstrip()) > width:
            begin = word.start()
            ends.append(begin)
    return ends


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], words: Container[str] = ()
) -> None:
    """Print a table on standard output: the first column and those in *words* left-aligned, the others right.

    On a narrow terminal words are wrapped, then intervals between their two ends, but never numbers; where
    that is not enough, each row becomes a list.  In a pipe nothing is wrapped.
    """
    heads = [visible(column) for column in columns]
    cells = [[visible(cell) for cell in row] for row in rows]
    wordy = [number == 0 or column in words for number, column in enumerate(columns)]
    console = _console(False)
    _print(Text(visible(title), style="bold"), console)
    limit = console.width if console.is_terminal else None
    widths = _widths(heads, cells, wordy, limit)
    if widths is None:
        folded = [_folded(row, wordy) for row in cells]
        widths = _widths(heads, folded, wordy, limit)
        cells = cells if widths is None else folded
    if widths is None:
        for row in cells:
            _pairs(console, list(zip(heads, row, strict=True)))
            console.print()
        return
    grid = Table(box=None, pad_edge=False, padding=(0, _GAP // 2))
    for head, width, left in zip(heads, widths, wordy, strict=True):
        justify: Literal["left", "right"] = "left" if left else "right"
        grid.add_column(Text(head), justify=justify, header_style="dim", width=width, overflow="fold")
    for row in cells:
        grid.add_row(*map(Text, row))
    console.width = max(sum(widths) + _GAP * len(widths), 1)
    console.print(grid, soft_wrap=False)


def show(shown: Iterable[Shown]) -> None:
    """Print tables on standard output, one after another; a table without columns as names and values."""
    for one in shown:
        if one.columns:
            table(one.title, one.columns, one.rows, words=one.words)
        else:
            facts(one.title, [(row[0], row[1]) for row in one.rows])


def _folded(row: Sequence[str], wordy: Sequence[bool]) -> list[str]:
    """The cells of a row, with each interval (or the words in its place) on several lines."""
    return [cell if left else _in_lines(cell) for cell, left in zip(row, wordy, strict=True)]


def _in_lines(figures: str) -> str:
    if not any(map(str.isdigit, figures)):
        return "\n".join(textwrap.wrap(figures, _NARROWEST))
    return figures.replace(" to ", " to\n").replace(" ~ ", " ~\n").replace(" (", "\n(")


def _widths(
    heads: Sequence[str], rows: Sequence[Sequence[str]], wordy: Sequence[bool], limit: int | None
) -> list[int] | None:
    """The columns' widths in terminal columns; None where figures do not fit into *limit*."""
    cells = [
        max((cell_len(line) for row in rows for line in row[number].split("\n")), default=0)
        for number in range(len(heads))
    ]
    widths = [max(cell_len(head), width) for head, width in zip(heads, cells, strict=True)]
    gaps = _GAP * (len(heads) - 1)
    if limit is None or sum(widths) + gaps <= limit:
        return widths
    longest = [max(map(cell_len, head.split()), default=0) for head in heads]
    widths = [max(pair) for pair in zip(longest, cells, strict=True)]
    room = limit - gaps - sum(width for width, left in zip(widths, wordy, strict=True) if not left)
    texts = [width for width, left in zip(widths, wordy, strict=True) if left]
    limits = range(max(*texts, _NARROWEST), _NARROWEST - 1, -1)
    most = next((most for most in limits if sum(min(most, width) for width in texts) <= room), None)
    if most is None:
        return None
    return [min(width, most) if left else width for width, left in zip(widths, wordy, strict=True)]


def facts(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print names and values on standard output, one pair a line; on a terminal long values are wrapped."""
    console = _console(False)
    _print(Text(visible(title), style="bold"), console)
    _pairs(console, [(visible(name), visible(value)) for name, value in rows])


def _pairs(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    width = max((cell_len(name) for name, _ in rows), default=0)
    room = console.width - width - _GAP
    for name, value in rows:
        if not console.is_terminal:
            text = Text(name + " " * (width - cell_len(name) + _GAP), style="dim")
            console.print(text.append(value, style="default"))
            continue
        grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
        if room >= _NARROWEST or max(map(cell_len, value.split()), default=0) <= room:
            grid.add_column(style="dim", width=width)
            grid.add_column(overflow="fold", max_width=room)
            grid.add_row(Text(name), Text(value))
        else:  # beside its name a number or a word would be cut
            grid.add_column(overflow="fold")
            grid.add_row(Text(name, style="dim"))
            grid.add_row(Padding(Text(value), (0, 0, 0, _GAP)))
        console.print(grid, soft_wrap=False)


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar over *total* items; yields a function to call with how many more are done.

    It disappears at the end.  Nothing is shown where standard error is not a terminal, or *total* is 0.
    """
    bar = progress_bar()
    bar.live.transient = True
    bar.disable = bar.disable or not total
    with bar:
        task = bar.add_task(visible(what), total=total, note="")
        yield lambda done: bar.advance(task, done)


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """One line of what a command works on and for how long; nothing where standard error is no terminal."""
    with _bar(SpinnerColumn(), TimeElapsedColumn(), transient=True) as bar:
        bar.add_task(visible(what))
        yield


@contextlib.contextmanager
def transfer(what: str, *, hidden: bool = False) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar over bytes; yields a function to call with the bytes so far and their total.

    Nothing is shown before the first call, where standard error is not a terminal, or if *hidden*.
    """
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with _bar(*columns, hidden=hidden) as bar:
        task = bar.add_task(visible(what), total=None, visible=False)
        yield lambda come, total: bar.update(task, completed=come, total=total, visible=True)


def progress_bar() -> Progress:
    """The kit's progress bar, with a ``note`` field at its end; hidden outside a terminal."""
    note = TextColumn("{task.fields[note]}", markup=False)
    columns = BarColumn(), MofNCompleteColumn(), TaskProgressColumn(), TimeRemainingColumn(), note
    return _bar(*columns, speed_estimate_period=_SPEED_SECONDS)


def _bar(*columns: ProgressColumn, hidden: bool = False, **settings: Any) -> Progress:
    """A progress display on standard error: what it is about, then *columns*; hidden outside a terminal."""
    console = _console(True)
    what = TextColumn("{task.description}", markup=False)
    off = hidden or not console.is_terminal
    return Progress(what, *columns, console=console, disable=off, **settings)
