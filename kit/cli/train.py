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
from kit.cli.tables import EDIT, edit, explain_scores, print_json, share
from kit.hints import command, next_step
from kit.settings.job import TrainKeywords
from kit.settings.paths import own_test_file
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
    began = time.monotonic()
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
    blank, own = (_mean(record, name) for name in ("blank_edit", "edit"))
    explain_scores(blank, [own])
    _by_source(record)
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


def _mean(record: RunRecord, metric: str) -> float:
    """The mean over all held-out questions of the run's models."""
    folds = record.folds.values()
    return sum(fold.metrics[metric] * fold.held_out for fold in folds) / sum(fold.held_out for fold in folds)


def _say_time(whole: float, models: float) -> None:
    """The command's time; those of the models are a part of it, unless they ran before or side by side."""
    parts = (
        f": {terminal.duration(models)} for the models above, {terminal.duration(whole - models)} to read, "
        "compare and prepare"
    )
    terminal.say(f"this command took {terminal.duration(whole)}{parts if models <= whole else ''}")


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
