"""``kit report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kit
from kit import terminal
from kit.cli.tables import PLAIN_HELP, decoded_by, explain_scores
from kit.display import quoted, share

if TYPE_CHECKING:
    from kit.reports.overview import FacetRow, Overview

_WORST = 10
_LONGEST = 40
"""Characters of an answer in a table."""


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
    plain: Annotated[bool, typer.Option("--plain", help=PLAIN_HELP)] = False,
    text: Annotated[bool, typer.Option("--text", help="Print tables; write a page only with --out.")] = False,
) -> None:
    """Show what answers get wrong: one HTML file with every question, or tables.

    Example: kit report submissions/first.csv --data data/test.json --answers data/test_answers.json
    """
    if text and out is None:
        with terminal.working(f"comparing the answers of {subject} with the gold answers"):
            overview = kit.overview(subject, data, answers=answers, versus=versus, plain=plain)
        _tables(overview)
        _cautions(overview)
        _decoding(subject, overview, plain)
        return
    with terminal.working(f"comparing the answers of {subject} with the gold answers"):
        made = kit.report(
            subject, data, answers=answers, versus=versus, plain=plain, out=out, say=terminal.say
        )
    (_tables if text else _scores)(made.contents.overview)
    _cautions(made.contents.overview)
    _decoding(subject, made.contents.overview, plain)
    size = made.path.stat().st_size / 1e6
    terminal.say(f"{made.path}: the report, one file of {size:.1f} MB; open it in a browser")


def _tables(overview: Overview) -> None:
    """The report as tables: scores, error types, every facet, and the questions that cost most."""
    from kit.reports.error_types import ERROR_TYPES
    from kit.reports.overview import facet_rows, worst

    _scores(overview)
    for facet in overview.facets:
        if facet.reason:
            terminal.say(f"{facet.title}: unknown, {facet.reason}")
            continue
        columns = (facet.unit, "questions", "of them", "distance", "share of it", "mean (characters)")
        terminal.table(facet.title, columns, [_row(line) for line in facet_rows(overview, facet)])
    rows = [
        (
            one.guid,
            quoted(one.answer, _LONGEST),
            quoted(one.gold, _LONGEST),
            ERROR_TYPES[one.error_type],
            f"{one.distance}",
        )
        for one in worst(overview, _WORST)
    ]
    heads = ("question", "answer", "gold", "error type", "distance (characters)")
    terminal.table("furthest off", heads, rows, words=heads[1:4])


def _scores(overview: Overview) -> None:
    terminal.show(overview.tables())
    explain_scores(overview.own.score.blank_edit, [overview.own.score.edit])


def _cautions(overview: Overview) -> None:
    for caution in overview.source.cautions:
        terminal.say(f"{'caution: ' if caution.fitted else ''}{caution.text}")


def _decoding(subject: Path, overview: Overview, plain: bool) -> None:
    """Say how a run was decoded."""
    from kit.api.arguments import is_recipe
    from kit.decoding.default import Decoding

    if overview.source.recipe is not None and not is_recipe(subject):
        decoded_by("report", str(Decoding.of(overview.source.recipe)), plain)


def _row(line: FacetRow) -> tuple[str, ...]:
    return (
        line.label,
        f"{line.questions:,}",
        share(line.share_of_questions),
        f"{line.distance:,}",
        share(line.share_of_distance),
        f"{line.mean:.2f}",
    )
