"""``kit runs``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.tables import print_json
from kit.display import EDIT, edit, share
from kit.errors import counted
from kit.settings.paths import RUNS


def runs(
    folder: Annotated[Path, typer.Argument(help="The folder of runs.")] = RUNS,
    as_json: Json = False,
) -> None:
    """List the runs of a folder with their settings and held-out scores.

    Example: kit runs
    """
    found = kit.runs(folder)
    if as_json:
        print_json(found.as_dict())
        return
    rows = []
    for name, record in found.records.items():
        for fold, result in record.folds.items():
            rows.append(
                (
                    name,
                    record.backbone,
                    fold,
                    edit(result.metrics["edit"]) if "edit" in result.metrics else "",
                    share(result.metrics["exact"]) if "exact" in result.metrics else "",
                    f"{result.held_out:,}",
                    terminal.duration(result.seconds),
                )
            )
        if not record.folds:
            rows.append((name, record.backbone, "unfinished", "", "", "", ""))
    rows += [(name, "", "cannot be read", "", "", "", "") for name in found.unreadable]
    columns = ("run", "backbone", "model", EDIT, "equal to gold", "questions held out", "time")
    title = f"{counted(len(found.records), 'run')} in {folder}"
    terminal.table(title, columns, rows, words=("backbone", "model"))
    if any(record.folds for record in found.records.values()):
        explain_scores(None)
    for reason in found.unreadable.values():
        terminal.say(reason)
