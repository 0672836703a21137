"""``kit demo``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

import kit
from kit import terminal
from kit.cli.tables import explain_scores
from kit.hints import command, next_step
from kit.settings.paths import COMPETITION_DATA, DATA, RUNS, TEST

_START, _PER_ARTICLE = 36.0, 0.06
"""Seconds on two cores with the default number of articles: set-up, decoding and report, and training."""


def demo(
    folder: Annotated[
        Path, typer.Option("--to", help="The folder of corpus, runs and submissions.")
    ] = Path(),
    seed: Annotated[int, typer.Option(help="Seed of corpus and training.")] = 2022,
    articles: Annotated[
        int,
        typer.Option(min=100, help="Articles to train on: fewer take less time, and the models learn less."),
    ] = 1200,
) -> None:
    """Run every step on a built-in corpus, with two tiny models that are trained in minutes.

    Example: kit demo
    """
    began = time.monotonic()
    expected = terminal.duration(_START + _PER_ARTICLE * articles)
    terminal.say(
        f"kit demo: trains two tiny models on {articles:,} made-up articles; about {expected} on two cores"
    )
    made = kit.demo(folder, seed=seed, articles=articles, say=terminal.say)
    terminal.show(made.tables())
    explain_scores(made.scores[0].blank_edit, [score.edit for score in made.scores])
    took = terminal.duration(time.monotonic() - began)
    terminal.say(
        f"{made.submission}: the submission; {made.report}: the report, for a browser; {took} in all"
    )
    test = folder / DATA / "demo" / TEST
    terminal.say(next_step("ensemble", made.recipe, data=test, explain=made.worst))
    terminal.say(f"then: {command('runs', folder / RUNS)}")
    terminal.say(f"then: {command('download', COMPETITION_DATA.name)}")
