"""``kit auto``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import kit
from kit import terminal


def auto(
    data: Annotated[Path, typer.Argument(help="A folder with train.json and test.json.")],
    hours: Annotated[float, typer.Option(metavar="HOURS", help="The time for everything.")] = 8.0,
    backbone: Annotated[
        list[str] | None,
        typer.Option(metavar="BACKBONE", help="A backbone to train, again for each [chosen to fit]."),
    ] = None,
    folds: Annotated[int | None, typer.Option(min=2, help="Folds of each backbone [chosen to fit].")] = None,
    name: Annotated[str | None, typer.Option(help="What runs and files are called [as the folder].")] = None,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="Train although data occur in the test file.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Measure and print the commands; run none of them.")
    ] = False,
) -> None:
    """Make a submission in a given time: check, train, predict, tune, ensemble and report.

    Each step is a command of the kit, which is printed before it runs.  After an interruption the same
    command continues with the first unfinished step.

    Example: kit auto data/goorm-2 --hours 8
    """
    done = kit.auto(
        data, hours=hours, backbones=backbone or (), folds=folds, name=name, allow_leak=allow_leak,
        dry_run=dry_run, say=terminal.say,
    )  # fmt: skip
    if dry_run:
        rows = [
            (member.backbone, f"{member.epochs:g}", f"{member.max_length}", terminal.duration(member.seconds))
            for member in done.plan.members
        ]
        limit = "" if done.plan.limit is None else f", the first {done.plan.limit:,} questions"
        title = f"plan for {hours:g} h: {done.plan.folds} folds{limit}"
        terminal.table(title, ("backbone", "epochs", "window (tokens)", "time"), rows)
        for command in done.commands:
            terminal.line(command)
        return
    if not done.finished:
        terminal.say("some folds are not trained; the same command with more --hours trains them")
    terminal.say(f"{done.submission}: ready; next: kit submit {done.submission} --message 'kit auto'")
