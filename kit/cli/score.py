"""``kit score``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json
from kit.cli.tables import print_json, score_table
from kit.errors import counted


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
    title = f"{answers} ({counted(own.questions, 'question')}, reference: {reference})"
    if own.versus is None:
        score_table(title, [own])
        return
    score_table(title, [own, own.versus.score])
    difference = own.versus.difference
    interval, p = difference.interval, difference.p_value
    sure = interval.known and (interval.high < 0 or interval.low > 0)
    terminal.say(
        f"{csv} is {abs(difference.mean):.3f} characters a question "
        f"{'better' if difference.mean < 0 else 'worse'} than {versus} (difference {difference.mean:+.3f}, "
        f"95 %: {interval}, {'p < 0.001' if p < 5e-4 else f'p = {p:.3f}'})"
        f"{'' if sure else ': no evidence of a difference'}"
    )
