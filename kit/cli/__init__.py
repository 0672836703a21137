"""The commands: parse, call, print.  What they do is in kit.api; heavy imports are inside them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from kit.cli import data, train, sweep, predict, kernels, answers, kaggle, overview  # isort: skip  (the order of --help)
from kit.cli.app import app, several_after
from kit.errors import KitError

__all__ = ["answers", "app", "data", "kaggle", "kernels", "main", "overview", "predict", "sweep", "train"]

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
        words = several_after(sys.argv[1:], "train", "--data", "--before")
        app(several_after(words, "sweep", "--data"))
    except KitError as error:
        if not _first_process():
            # What stops all stops the first too, and it says so; left is what stops only this one.
            time.sleep(_PATIENCE)
            sys.stderr = others
        terminal.error(str(error))
        raise SystemExit(1) from None


def _first_process() -> bool:
    return os.environ.get("RANK", "0") == "0"
