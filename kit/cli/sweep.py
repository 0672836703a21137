"""``kit sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.options import DATA_HELP, takes_options
from kit.cli.tables import explain_scores, print_json
from kit.display import edit
from kit.settings.sweep_options import SweepOptions

if TYPE_CHECKING:
    from kit.sweeps.results import Sweep


@takes_options(SweepOptions)
def sweep(
    backbone: Annotated[
        str, typer.Argument(help="As for kit train; or a sweep's folder alone, to show what it found.")
    ],
    data: Annotated[list[Path] | None, typer.Option("--data", metavar="FILE", help=DATA_HELP)] = None,
    as_json: Json = False,
    **options: Any,
) -> None:
    """Search ranges of training settings; each trial is a run, and those that lag behind stop early.

    The same command continues where it was interrupted, and may run in several shells at the same time.

    Example: kit sweep klue-bert --data data/goorm-2/train.json --run runs/sweep-1 --range lr=1e-5:1e-4:log
    """
    found = kit.sweep(backbone, data or None, **options)
    if as_json:
        print_json(found.as_dict())
        return
    terminal.show(found.tables())
    edits = [trial.edit for trial in found.trials if trial.edit is not None]
    explain_scores(found.blank_edit, edits[:1] and [min(edits)])
    for trial in found.trials:
        if trial.error is not None:
            terminal.say(f"{trial.name} failed: {trial.error}")
    _in_earnest(found)


def _in_earnest(found: Sweep) -> None:
    """What the best score is worth, and the command that finds out."""
    from kit.sweeps.results import PLOT_FILE

    picture = found.folder / PLOT_FILE
    if picture.is_file():
        terminal.say(f"picture: {picture}")
    if found.best is None or found.best.edit is None or found.command is None:
        return
    terminal.say(
        f"{edit(found.best.edit)} is the lowest score (trials that finished: {len(found.finished)}) on the "
        "very questions that chose it, and so optimistic; for one to believe, train the winner with folds:"
    )
    terminal.say(f"next: {found.command}")
