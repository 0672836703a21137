"""``kit train``."""

from __future__ import annotations

from typing import Any

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.lazy import PLAIN
from kit.cli.options import BackboneArgument, DataFiles, HelpAll, grouped_help, takes_options
from kit.cli.tables import EDIT, edit, print_json, share
from kit.settings.job import TrainKeywords
from kit.settings.runs import RunRecord

train = typer.Typer(**PLAIN)


@train.command("train", cls=grouped_help(TrainKeywords))
@takes_options(TrainKeywords)
def run_train(
    backbone: BackboneArgument,
    data: DataFiles,
    as_json: Json = False,
    help_all: HelpAll = False,
    **options: Any,
) -> None:
    """Train one backbone: the best checkpoint by Edit Score is kept, or one model for each fold.

    Example: kit train klue-bert --data data/goorm-2/train.json --folds 5 --run runs/klue-bert
    """
    trained = kit.train(backbone, data, **options)
    record = trained.record
    assert record is not None
    if as_json:
        print_json({"run": str(trained.folder), **record.model_dump(mode="json")})
        return
    rows = [
        (
            name,
            edit(fold.metrics["edit"]),
            edit(fold.metrics["blank_edit"]),
            share(fold.metrics["exact"]),
            f"{fold.held_out:,}",
            f"{fold.steps:,}",
            terminal.duration(fold.seconds),
        )
        for name, fold in sorted(record.folds.items())
    ]
    columns = ("model", EDIT, "if all blank", "equal to gold", "questions held out", "steps", "time")
    terminal.table(f"{trained.folder} ({record.backbone}, {record.device})", columns, rows)
    _by_source(record)
    if options.get("before_only"):
        terminal.say(f"next: the same command without --before-only; {trained.folder} is also a run")
        return
    for path, score in kit.out_of_fold(trained, data).items():
        terminal.say(f"out of fold, {path}: {score}")
    terminal.say(f"next: kit predict {trained.folder} --data test.json")


def _by_source(record: RunRecord) -> None:
    """The same scores for each data file, where there are several."""
    rows = [
        (
            name,
            source,
            edit(score.metrics["edit"]),
            edit(score.metrics["blank_edit"]),
            share(score.metrics["exact"]),
            f"{score.held_out:,}",
        )
        for name, fold in sorted(record.folds.items())
        for source, score in fold.sources.items()
    ]
    if rows:
        judge = record.mixture.judge
        title = f"by data file ({judge} judges)" if judge else "by data file (all of them judge)"
        columns = ("model", "data", EDIT, "if all blank", "equal to gold", "questions held out")
        terminal.table(title, columns, rows, words=("data",))
