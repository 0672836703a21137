"""``kit demo``."""

from __future__ import annotations

import time
from pathlib import Path

from kit import terminal
from kit.demonstration import run_demo
from kit.views.scores import table


def run(folder: Path, seed: int) -> None:
    """Run the demo and print its table."""
    from kit.models.progress import TrainingProgress
    from kit.models.training import Listeners

    began = time.monotonic()
    listeners = Listeners(
        terminal.say,
        lambda cost: terminal.say(f"{cost.windows:,} windows, {cost.steps:,} steps"),
        (TrainingProgress(),),
    )
    made = run_demo(folder, seed, terminal.say, listeners)
    table("articles that no model has seen (Edit Score: lower is better)", list(made.scores))
    terminal.say(f"{made.submission} written; {terminal.duration(time.monotonic() - began)} in all")
