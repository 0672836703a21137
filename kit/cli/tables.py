"""What several commands print: numbers in tables, the table of scores, quoted answers, and JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kit import terminal

if TYPE_CHECKING:
    from kit.metrics.bootstrap import Interval
    from kit.metrics.scores import Score

EDIT, INTERVAL = "Edit Score (characters)", "95 % interval"
"""Column names that most tables have."""
SCORES = "scores in characters, lower is better"
LEGEND = "Edit Score: mean Levenshtein distance in characters; lower is better"
MESSAGE, _REASON = 48, 120
"""Columns of a terminal that a message and Kaggle's reason may take in a table."""
_ROUNDING = 1e-9
_UNPRINTABLE = re.compile(r"[^ -~\n]")


def print_json(data: object) -> None:
    """Print *data* on standard output, indented; a command with ``--json`` prints nothing else there.

    Characters that a terminal would obey (also bidi overrides, which JSON allows) are escaped; a parser reads
    the same text.
    """
    text = json.dumps(data, ensure_ascii=False, indent=2)
    print(_UNPRINTABLE.sub(lambda found: _escaped(found[0]), text))


def print_json_line(data: object) -> None:
    """The same on one line, flushed: for objects that are printed one after another."""
    text = json.dumps(data, ensure_ascii=False)
    print(_UNPRINTABLE.sub(lambda found: _escaped(found[0]), text), flush=True)


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def edit(value: float) -> str:
    """An Edit Score, in characters."""
    return f"{value:.3f}"


def share(value: float) -> str:
    """A share as per cent."""
    return f"{value * 100:.1f} %"


def difference(value: float) -> str:
    """By how many characters one Edit Score is above another (+) or below it."""
    return f"{value:+.3f}"


def scored(value: float, interval: Interval | None) -> str:
    """An Edit Score with its interval: ``1.942 (95 %: 1.574 to 2.299)``."""
    return edit(value) if interval is None else f"{edit(value)} (95 %: {interval})"


def quoted(text: str, longest: int | None = None) -> str:
    """An answer in quotation marks, cut after *longest* characters."""
    short = text if longest is None or len(text) <= longest else f"{text[: longest - 1]}…"
    return f"“{short}”" if text else "(blank)"


def cells(score: Score) -> tuple[str, ...]:
    """The cells of a score under `SCORE_COLUMNS`."""
    return (
        score.label, edit(score.edit), str(score.interval), share(score.exact), share(score.f1),
        share(score.blanks),
    )  # fmt: skip


SCORE_COLUMNS = ("answers", EDIT, INTERVAL, "exact match", "character F1", "blank")


PLAIN_HELP = "Decode runs by plain argmax, cap 60, instead of the default."


def decoded_by(command: str, decoding: str, plain: bool) -> None:
    """Say how *command* decoded runs, for which no recipe said it, and how to get plain argmax."""
    from kit.decoding.default import NO_PRIOR

    turned_off = f"kit {command} --plain: plain argmax"
    if plain:
        terminal.say(f"decoded by {decoding}")
    elif NO_PRIOR in decoding:
        terminal.say(
            f"decoded by {decoding}: no answer lengths are recorded; in a recipe, lengths: train.json gives "
            f"them ({turned_off})"
        )
    else:
        terminal.say(f"decoded by {decoding} ({turned_off})")


def score_table(title: str, scores: Sequence[Score]) -> None:
    """Scores side by side, and what they mean."""
    terminal.table(title, SCORE_COLUMNS, [cells(score) for score in scores])
    explain_scores(scores[0].blank_edit, [score.edit for score in scores])


def explain_scores(blank: float | None, edits: Sequence[float] = ()) -> None:
    """What an Edit Score is, below the first one that a command prints.

    *blank*: that of all blank; where one of *edits* is worse, also why that happens and what helps.
    """
    if blank is None or math.isnan(blank):
        terminal.line(LEGEND)
        return
    terminal.line(f"{LEGEND}; all blank would score {edit(blank)}")
    if any(one > blank + _ROUNDING for one in edits):
        terminal.line(
            f"{edit(max(edits))} is worse than all blank: a weak model often takes start and end from "
            "different places, and such answers are far too long; length_prior in a recipe, the rules of "
            "course-2022, or kit tune shorten them, and more training helps"
        )


def submission_table(title: str, rows: Sequence[dict[str, str]]) -> None:
    """A table of submissions, without the columns that are empty in all rows."""
    columns = [column for column in rows[0] if any(row[column] for row in rows)]
    cells = [[row[column] for column in columns] for row in rows]
    terminal.table(title, columns, cells, words=("CSV", "status", "reason", "message", "made", "by"))


def status_cells(status: str, reason: str) -> dict[str, str]:
    from kit.kaggle.submissions import COMPLETE

    shown = "" if status == COMPLETE else status  # the scores say so
    return {"status": shown, "reason": terminal.shortened(reason, _REASON)}


def score_cell(value: float | None) -> str:
    return "" if value is None else edit(value)


def when(at: str) -> str:
    return at[:16].replace("T", " ")
