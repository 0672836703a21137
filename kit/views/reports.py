"""``kit report``."""

from __future__ import annotations

from pathlib import Path

from kit import api, terminal
from kit.reports.error_types import KINDS
from kit.reports.overview import Overview
from kit.reports.summary import Line, facet_lines, worst
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
    """The report as tables: scores, kinds of error, every facet, and the questions that cost most."""
    _scores(overview)
    for facet in overview.facets:
        if facet.reason:
            terminal.say(f"{facet.title}: not known, {facet.reason}")
            continue
        columns = (facet.unit, "questions", "of them", "distance", "share of it", "mean (characters)")
        terminal.table(facet.title, columns, [_row(line) for line in facet_lines(overview, facet)])
    rows = [
        (one.guid, _quoted(one.answer), _quoted(one.gold), KINDS[one.kind], f"{one.distance}")
        for one in worst(overview, _WORST)
    ]
    heads = ("question", "answer", "gold", "kind of error", "distance (characters)")
    terminal.table("furthest off", heads, rows, words=heads[1:4])


def _scores(overview: Overview) -> None:
    name = overview.subject.dataset.path.name
    fitted = ": A FIT, NOT AN ESTIMATE" if overview.subject.fitted else ""
    rows = []
    for standing in overview.standings:
        score, against = standing.score, standing.against
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
    terminal.table(f"{overview.subject.name} on {name}{fitted}", columns, rows)


def _cautions(overview: Overview) -> None:
    for caution in overview.subject.cautions:
        terminal.say(f"{'caution: ' if caution.fitted else ''}{caution.text}")


def _row(line: Line) -> tuple[str, ...]:
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
