"""Commands from span scores to a scored submission."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kit.cli.app import Json, app


@app.command()
def ensemble(
    recipe: Annotated[list[Path], typer.Argument(help="A recipe (.yaml), or a run.")],
    data: Annotated[Path, typer.Option("--data", help="The questions.")],
    out: Annotated[Path | None, typer.Option(help="The CSV [submissions/NAME.csv].")] = None,
    answers: Annotated[
        Path | None, typer.Option(help="The same questions with answers: scores the result.")
    ] = None,
    member: Annotated[
        list[Path] | None, typer.Option(help="Runs in place of the recipe's own members.")
    ] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="GUID", help="Write nothing; show how this answer comes about.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Decode span scores as a recipe says; write the submission CSV and its card.

    Example: kit ensemble ensembles/course-2022.yaml --data data/goorm-2/test.json
    """
    from kit.views import submissions

    submissions.run(recipe, data, out, answers, member or [], explain, as_json)


@app.command()
def tune(
    recipe: Annotated[Path, typer.Argument(help="A recipe whose members were trained with --folds.")],
    out: Annotated[Path | None, typer.Option(help="The tuned recipe [tuned/NAME.yaml beside it].")] = None,
    data: Annotated[
        Path | None, typer.Option(help="The members' training file [found below this folder by its hash].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fit temperatures, weights, prior and rules out of fold; show what each part gains.

    Example: kit tune ensembles/five-backbones.yaml
    """
    from kit.views import tuning

    tuning.run(recipe, out, data, as_json)


@app.command()
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
    from kit.views import scores

    scores.run(csv, answers, reference, versus, as_json)


@app.command()
def report(
    subject: Annotated[Path, typer.Argument(help="A recipe (.yaml), a run, or a CSV.")],
    data: Annotated[
        Path | None,
        typer.Option(help="The questions [of the CSV's card; the run's training file, out of fold]."),
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="The same questions with answers, where the data withhold them.")
    ] = None,
    versus: Annotated[Path | None, typer.Option(help="Another CSV: what got better and what worse.")] = None,
    out: Annotated[Path | None, typer.Option(help="The page [reports/NAME.html].")] = None,
    text: Annotated[bool, typer.Option("--text", help="Print tables; write a page only with --out.")] = False,
) -> None:
    """Show what answers get wrong: one HTML file with every question, or tables.

    Example: kit report submissions/first.csv --data data/test.json --answers data/test_answers.json
    """
    from kit.views import reports

    reports.run(subject, data, answers, versus, out, text)
