"""The commands: NAME.py parses what ``kit NAME`` is given, calls ``kit.NAME`` and prints the result."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from kit.cli.app import app, words_of
from kit.errors import KitError

__all__ = ["app", "main"]

_PATIENCE = 3.0
"""Seconds in which a launcher stops the other processes after the first one has failed."""


def main() -> None:
    """The console script: a KitError is one line on standard error and exit code 1."""
    from kit import terminal

    terminal.escape_output()
    others = sys.stderr
    if not _first_process():
        # Of several processes only the first prints.
        sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    try:
        app(words_of(sys.argv[1:]))
    except KitError as error:
        if not _first_process():
            # An error of all processes is printed by the first; after the wait this one's is its own.
            time.sleep(_PATIENCE)
            sys.stderr = others
        terminal.error(str(error))
        raise SystemExit(1) from None


def _first_process() -> bool:
    return os.environ.get("RANK", "0") == "0"
