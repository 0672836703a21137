"""``kit demo``."""

from __future__ import annotations

import time
from pathlib import Path

from kit import terminal
from kit.demonstration import run_demo
from kit.views.scores import table

_START, _PER_ARTICLE = 20.0, 0.07
"""Seconds on two cores, measured with the default number of articles: set-up and decoding, and training."""


def run(folder: Path, seed: int, articles: int) -> None:
    """Run the demo and print its table."""
    began = time.monotonic()
    expected = terminal.duration(_START + _PER_ARTICLE * articles)
    terminal.say(
        f"kit demo: trains two tiny models on {articles:,} made-up articles; about {expected} on two cores"
    )
    made = run_demo(folder, seed, articles, terminal.say)
    table("articles that no model has seen (Edit Score: lower is better)", list(made.scores))
    terminal.say(f"{made.submission} written; {terminal.duration(time.monotonic() - began)} in all")
