"""``kit report``."""

from __future__ import annotations

from pathlib import Path

from kit import api, terminal
from kit.reports.error_types import ERROR_TYPES
from kit.reports.overview import FacetRow, Overview, facet_rows, worst
from kit.views.output import EDIT, INTERVAL, edit, share

_WORST = 10


def run(
    subject: Path, data: Path | None, answers: Path | None, versus: Path | None, out: Path | None, text: bool
) -> None:
    """Write the page; or, with *text*, print its tables (and write the page only where *out* is given)."""
    if text and out is None:
        overview = api.overview(subject, data, answers=answers, versus=versus)
        show(overview)
        _cautions(overview)
        return
    made = api.report(subject, data, answers=answers, versus=versus, out=out)
    if text:
        show(made.contents.overview)
    else:
        _scores(made.contents.overview)
    _cautions(made.contents.overview)
    size = made.path.stat().st_size / 1e6
    terminal.say(f"{made.path}: the report, one file of {size:.1f} MB; open it in a browser")


def show(overview: Overview) -> None:
    """The report as tables: scores, error types, every facet, and the questions that cost most."""
    _scores(overview)
    for facet in overview.facets:
        if facet.reason:
            terminal.say(f"{facet.title}: unknown, {facet.reason}")
            continue
        columns = (facet.unit, "questions", "of them", "distance", "share of it", "mean (characters)")
        terminal.table(facet.title, columns, [_row(line) for line in facet_rows(overview, facet)])
    rows = [
        (one.guid, _quoted(one.answer), _quoted(one.gold), ERROR_TYPES[one.error_type], f"{one.distance}")
        for one in worst(overview, _WORST)
    ]
    heads = ("question", "answer", "gold", "error type", "distance (characters)")
    terminal.table("furthest off", heads, rows, words=heads[1:4])


def _scores(overview: Overview) -> None:
    name = overview.source.dataset.path.name
    fitted = ": A FIT, NOT AN ESTIMATE" if overview.source.fitted else ""
    rows = []
    for row in overview.scores:
        score, against = row.score, row.against
        versus = "" if against is None else f"{against.mean:+.3f} ({against.interval})"
        rows.append(
            (score.label, edit(score.edit), str(score.interval), share(score.exact), share(score.f1),
             share(score.blanks), versus)
        )  # fmt: skip
    columns = (
        "answers",
        EDIT,
        INTERVAL,
        "exact match",
        "character F1",
        "blank",
        "report against it",
    )
    terminal.table(f"{overview.source.name} on {name}{fitted}", columns, rows)


def _cautions(overview: Overview) -> None:
    for caution in overview.source.cautions:
        terminal.say(f"{'caution: ' if caution.fitted else ''}{caution.text}")


def _row(line: FacetRow) -> tuple[str, ...]:
    return (
        line.label,
        f"{line.questions:,}",
        share(line.share_of_questions),
        f"{line.distance:,}",
        share(line.share_of_distance),
        f"{line.mean:.2f}",
    )


def _quoted(text: str) -> str:
    short = text if len(text) <= 40 else f"{text[:39]}…"
    return f"“{short}”" if text else "(blank)"
