"""``kit score``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.tables import explain_scores, print_json
from kit.hints import next_step


def score(
    csv: Annotated[Path, typer.Argument(help="A submission CSV.")],
    answers: Annotated[Path, typer.Option(help="The same questions with answers.")],
    reference: Annotated[str, typer.Option(help="Which gold counts: first, min or mean.")] = "first",
    versus: Annotated[Path | None, typer.Option(help="Another CSV: the paired difference to it.")] = None,
    as_json: Json = False,
) -> None:
    """Score a CSV: Edit Score with interval, exact match, character F1, blanks.

    Example: kit score submissions/klue-bert.csv --answers data/valid.json --versus submissions/old.csv
    """
    own = kit.score(csv, answers, reference=reference, versus=versus, say=terminal.say)
    if as_json:
        print_json(own.as_dict())
        return
    scores = own.tables()[0]
    terminal.show([replace(scores, title=f"{answers} ({scores.title})")])
    others = [] if own.versus is None else [own.versus.score]
    explain_scores(own.blank_edit, [score.edit for score in (own, *others)])
    if own.versus is not None:
        terminal.say(own.versus.sentence(str(csv)))
    terminal.say(next_step("report", csv, data=answers, versus=versus))
