"""What a process prints into a pipe or on a terminal, and whether a terminal would obey any of it."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from tests.commands import PROJECT, fork_server

_OURS = re.compile(r"\x1b\[[0-9;]*m")
"""A colour: what the kit itself sends a terminal."""
_BAR = re.compile(r"\x1b\[\?25[lh]|\x1b\[[0-9]*[AK]|\r")
"""How a progress bar is drawn over itself."""
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def in_pipe(arguments: Sequence[object], cwd: Path, **environment: str) -> tuple[int, str]:
    """Exit code of `kit`, and all that came out of standard output and standard error."""
    done = fork_server().undisturbed([*map(str, arguments)], cwd, _environment(environment), together=True)
    return done.code, done.out


def on_terminal(
    arguments: Sequence[object], cwd: Path, *, columns: int = 80, **environment: str
) -> tuple[int, str]:
    """The same on a pseudo-terminal so many columns wide."""
    given = _environment({"TERM": "xterm-256color", **environment})
    done = fork_server().undisturbed([*map(str, arguments)], cwd, given, columns=columns)
    return done.code, done.out.replace("\r\n", "\n")


def obeyed(text: str) -> list[str]:
    """The characters in *text* that a terminal would obey, or that turn the reading direction."""
    return [c for c in text if c != "\n" and (unicodedata.category(c) in ("Cc", "Cs") or c in BIDI)]


def without_colours(text: str) -> str:
    """*text* as it is read."""
    return _OURS.sub("", text)


def without_bar(text: str) -> str:
    """*text* without what moves a progress bar."""
    return _BAR.sub("", text)


def _environment(more: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    return {**kept, "PYTHONPATH": str(PROJECT), **more}
