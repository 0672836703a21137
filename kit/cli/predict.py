"""``kit predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json, Precision, Trust
from kit.cli.tables import print_json
from kit.hints import next_step


def predict(
    run: Annotated[Path, typer.Argument(help="A folder that kit train made, or one with any QA checkpoint.")],
    data: Annotated[Path, typer.Option("--data", help="The questions.")],
    fold: Annotated[int | None, typer.Option(help="Only this fold of the run.")] = None,
    max_length: Annotated[int | None, typer.Option(help="Tokens a window [as trained].")] = None,
    stride: Annotated[
        int | None, typer.Option(help="Tokens that neighbouring windows share [as trained].")
    ] = None,
    precision: Precision = "auto",
    again: Annotated[bool, typer.Option(help="Make the span file again if it exists.")] = False,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Predict although a fifth of common text is [UNK].")
    ] = False,
    trust_remote_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Write a run's span scores on a data file: all that later steps need of the model.

    Example: kit predict runs/klue-bert --data data/goorm-2/test.json
    """
    dataset = kit.load(data)
    written = kit.predict(
        run, dataset, fold=fold, max_length=max_length, stride=stride, precision=precision, again=again,
        allow_unknown=allow_unknown, trust_remote_code=trust_remote_code,
    )  # fmt: skip
    if as_json:
        print_json({"run": str(run), "data": str(data), "spans": [str(path) for path in written]})
        return
    rows = [
        (str(path), f"{len(dataset):,}", f"{path.stat().st_size / len(dataset) / 1000:.1f}")
        for path in written
    ]
    terminal.table("span scores", ("file", "questions", "kB a question"), rows)
    terminal.say(next_step("ensemble", run, data=data, answers=data if dataset.has_answers else None))
