"""``kit report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kit
from kit import terminal
from kit.cli.tables import LEGEND, PLAIN_HELP, decoded_by, explain_scores
from kit.display import edit, quoted, share
from kit.phrase import Phrase
from kit.reports.language import Language, language_given, translated
from kit.settings.paths import RECIPE_SUFFIXES

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
    title: Annotated[str, typer.Option(help="The page's heading [NAME].")] = "",
    lang: Annotated[
        str | None, typer.Option(help="en or ko [the page: the browser's language; tables: en].")
    ] = None,
) -> None:
    """Show what answers get wrong: one HTML file with every question, or tables.

    Example: kit report submissions/first.csv --data data/test.json --answers data/test_answers.json
    """
    language = language_given(lang)
    made = None
    if text and out is None:
        overview = kit.overview(subject, data, answers=answers, versus=versus, plain=plain)
    else:
        made = kit.report(
            subject, data, answers=answers, versus=versus, plain=plain, out=out, title=title, lang=lang,
            say=terminal.say,
        )  # fmt: skip
        overview = made.contents.overview
    (_tables if text else _scores)(overview, language)
    _cautions(overview, language)
    _decoding(subject, overview, plain)
    if made is None:
        return
    size = f"{made.path.stat().st_size / 1e6:.1f}"
    written = "{file}: the report, one file of {size} MB; open it in a browser"
    terminal.say(_in(language, written, file=str(made.path), size=size))
    if not text:
        from kit.reports.suggestions import suggestions_of

        for suggestion in suggestions_of(overview)[:1]:
            terminal.say(f"next: {suggestion.command}")


def _in(language: Language | None, template: str, **values: str) -> str:
    return translated(Phrase(template, **values), language)


def _tables(overview: Overview, language: Language | None) -> None:
    """The report as tables: scores, next steps, every facet, and the questions that cost most."""
    from kit.reports.error_types import LABELS
    from kit.reports.overview import facet_rows, worst

    _scores(overview, language)
    _suggestions(overview, language)
    for facet in overview.facets:
        title = translated(facet.title, language)
        if facet.reason:
            terminal.say(_in(language, "{facet}: unknown, {reason}", facet=facet.title, reason=facet.reason))
            continue
        names = ("questions", "share", "distance (characters)", "share of distance", "mean (characters)")
        columns = (translated(facet.unit, language), *(_in(language, name) for name in names))
        rows = [(translated(line.label, language), *_row(line)) for line in facet_rows(overview, facet)]
        terminal.table(title, columns, rows)
    cases = [
        (
            one.guid,
            quoted(one.answer, _LONGEST),
            quoted(one.gold, _LONGEST),
            translated(LABELS[one.error_type], language),
            f"{one.distance}",
        )
        for one in worst(overview, _WORST)
    ]
    names = ("question", "answer", "gold", "error type", "distance (characters)")
    heads = tuple(_in(language, name) for name in names)
    terminal.table(_in(language, "furthest off"), heads, cases, words=heads[1:4])


def _scores(overview: Overview, language: Language | None) -> None:
    for table in overview.tables():
        columns = tuple(translated(Phrase(name), language) for name in table.columns)
        rows = [[translated(cell, language) for cell in row] for row in table.rows]
        terminal.table(translated(table.title, language), columns, rows, words=columns[-1:])
    if language == "ko":
        blank = edit(overview.own.score.blank_edit)
        terminal.line(
            _in(language, "{legend}; all blank would score {blank}", legend=Phrase(LEGEND), blank=blank)
        )
        return
    explain_scores(overview.own.score.blank_edit, [overview.own.score.edit])


def _suggestions(overview: Overview, language: Language | None) -> None:
    """What to do next; the commands are whole lines, to copy."""
    from kit.reports.suggestions import suggestions_of

    for number, one in enumerate(suggestions_of(overview), 1):
        bound = "at most {gain} characters, {condition}"
        gain = _in(language, bound, gain=f"−{one.gain:.3f}", condition=one.condition)
        terminal.say(f"{number}. {translated(one.finding, language)}")
        terminal.say(f"   {translated(one.remedy, language)} ({gain})")
        terminal.command(f"   {one.command}")


def _cautions(overview: Overview, language: Language | None) -> None:
    for caution in overview.source.cautions:
        text = Phrase("caution: {text}", text=caution.text) if caution.fitted else caution.text
        terminal.say(translated(text, language))


def _decoding(subject: Path, overview: Overview, plain: bool) -> None:
    """Say how a run was decoded."""
    from kit.decoding.default import Decoding

    if overview.source.recipe is not None and subject.suffix not in RECIPE_SUFFIXES:
        decoded_by("report", str(Decoding.of(overview.source.recipe)), plain)


def _row(line: FacetRow) -> tuple[str, ...]:
    return (
        f"{line.questions:,}",
        share(line.share_of_questions),
        f"{line.distance:,}",
        share(line.share_of_distance),
        f"{line.mean:.2f}",
    )
