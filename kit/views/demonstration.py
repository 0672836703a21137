"""``kit demo``."""

from __future__ import annotations

import time
from pathlib import Path

from kit import terminal
from kit.demonstration import run_demo
from kit.views.scores import table


def run(folder: Path, seed: int, articles: int) -> None:
    """Run the demo and print its table."""
    began = time.monotonic()
    made = run_demo(folder, seed, articles, terminal.say)
    table("articles that no model has seen (Edit Score: lower is better)", list(made.scores))
    terminal.say(f"{made.submission} written; {terminal.duration(time.monotonic() - began)} in all")
