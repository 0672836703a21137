"""The commands: parse, call, print.  What they do is in kit.verbs; heavy imports are inside them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from kit.cli import data, models, sweeps, kernels, answers, kaggle, overview  # isort: skip  (the order of --help)
from kit.cli.app import app
from kit.errors import KitError

__all__ = ["answers", "app", "data", "kaggle", "kernels", "main", "models", "overview", "sweeps"]

_PATIENCE = 3.0
"""Seconds in which a launcher stops the other processes once the first has given up."""


def main() -> None:
    """The console script: a KitError is one line on standard error and exit code 1."""
    from kit import terminal

    terminal.show_everything()
    others = sys.stderr
    if not _first_process():
        # Of several processes one speaks.
        sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    try:
        app(_several_after(_several_after(sys.argv[1:], "train", "--data"), "sweep", "--data"))
    except KitError as error:
        if not _first_process():
            # What stops all stops the first too, and it says so; left is what stops only this one.
            time.sleep(_PATIENCE)
            sys.stderr = others
        terminal.error(str(error))
        raise SystemExit(1) from None


def _first_process() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _several_after(arguments: list[str], command: str, option: str) -> list[str]:
    """Let *option* of *command* take several values, as in ``--data a.json b.json``.

    The parser knows only the option given again for each.  Only where the positional argument came first:
    otherwise it could not be told from one more value.
    """
    if arguments[:1] != [command] or not arguments[1:] or arguments[1].startswith("-"):
        return arguments
    expanded: list[str] = []
    inside = False
    for argument in arguments:
        if argument.startswith("-"):
            inside = argument == option
        elif inside and expanded[-1] != option:
            expanded.append(option)
        expanded.append(argument)
    return expanded
