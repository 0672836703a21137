"""``kit train``."""

from __future__ import annotations

from typing import Any

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.json_output import print_json
from kit.cli.lazy import PLAIN
from kit.cli.options import BackboneArgument, DataFiles, HelpAll, grouped_help, takes_options
from kit.settings.job import TrainKeywords

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
    terminal.show(trained.tables())
    if options.get("before_only"):
        terminal.say(f"next: the same command without --before-only; {trained.folder} is also a run")
        return
    for path, score in kit.out_of_fold(trained, data).items():
        terminal.say(f"out of fold, {path}: {score}")
    terminal.say(f"next: kit predict {trained.folder} --data test.json")
