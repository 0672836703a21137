"""``kit train``."""

from __future__ import annotations

import time
from typing import Any

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.lazy import PLAIN
from kit.cli.options import BackboneArgument, DataFiles, HelpAll, grouped_help, takes_options
from kit.cli.tables import explain_scores, print_json
from kit.hints import command, next_step
from kit.settings.job import TrainKeywords
from kit.settings.paths import own_test_file

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
    began = time.monotonic()
    trained = kit.train(backbone, data, **options)
    record = trained.record
    assert record is not None
    if as_json:
        print_json({"run": str(trained.folder), **record.model_dump(mode="json")})
        return
    terminal.show(trained.tables())
    explain_scores(record.mean("blank_edit"), [record.mean("edit")])
    for decoding in dict.fromkeys(fold.decoding for fold in record.folds.values()):
        own = [name for name, fold in sorted(record.folds.items()) if fold.decoding == decoding]
        which = "" if len(own) == len(record.folds) else f" of {', '.join(own)}"
        terminal.say(f"Edit Scores{which} are of answers decoded by {decoding}")
    if options.get("before_only"):
        terminal.say(f"next: the same command without --before-only; {trained.folder} is also a run")
        return
    out_of_fold = kit.out_of_fold(trained, data)
    for path, score in out_of_fold.items():
        terminal.say(f"out of fold, {path}: {score}")
    _say_time(time.monotonic() - began, sum(fold.seconds for fold in record.folds.values()))
    test = options.get("against") or own_test_file(data[0])
    if test is not None:
        terminal.say(next_step("predict", trained.folder, data=test))
    elif out_of_fold:
        terminal.say(next_step("report", trained.folder, data=data[0]))
    else:
        terminal.say(f"next: {command('predict', trained.folder)} --data FILE, the questions to answer")


def _say_time(whole: float, models: float) -> None:
    """The command's time; those of the models are a part of it, unless they ran before or side by side."""
    parts = (
        f": {terminal.duration(models)} for the models above, {terminal.duration(whole - models)} to read, "
        "compare and prepare"
    )
    terminal.say(f"this command took {terminal.duration(whole)}{parts if models <= whole else ''}")
