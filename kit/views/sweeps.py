"""``kit sweep``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import kit
from kit import terminal
from kit.cli.json_output import print_json
from kit.display import edit

if TYPE_CHECKING:
    from kit.sweeps.results import Sweep


def run(
    backbone: str,
    data: Sequence[Path],
    folder: Path | None,
    *,
    ranges: Sequence[str],
    fixed: Sequence[str],
    trials: int,
    storage: str | None,
    valid: Path | None,
    hours: float | None,
    keep: int,
    prune_after: int,
    seed: int,
    against: Path | None,
    allow_leak: bool,
    trust_remote_code: bool,
    as_json: bool,
) -> None:
    """Search, or show what a search found."""
    found = kit.sweep(
        backbone,
        list(data) or None,
        run=folder,
        ranges=ranges,
        fixed=fixed,
        trials=trials,
        storage=storage,
        valid=valid,
        hours=hours,
        keep=keep,
        prune_after=prune_after,
        seed=seed,
        against=against,
        allow_leak=allow_leak,
        trust_remote_code=trust_remote_code,
    )
    if as_json:
        print_json(found.as_dict())
        return
    terminal.show(found.tables())
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
    terminal.say(found.command)
