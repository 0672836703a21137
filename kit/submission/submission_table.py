"""Submissions as a table: the cells that Kaggle's list and the ledger have in common."""

from __future__ import annotations

from collections.abc import Sequence

from kit.display import Table, shortened
from kit.kaggle.submissions import COMPLETE

SCORES = "scores in characters, lower is better"
MESSAGE, _REASON = 48, 120
"""Columns of a terminal that a message and Kaggle's reason may take in a table."""
_WORDS = ("CSV", "status", "reason", "message", "made", "by")


def submission_table(title: str, rows: Sequence[dict[str, str]]) -> Table:
    """*rows* of submissions, without the columns that are empty in all of them."""
    columns = [column for column in rows[0] if any(row[column] for row in rows)]
    return Table(title, columns, [[row[column] for column in columns] for row in rows], words=_WORDS)


def status_cells(status: str, reason: str) -> dict[str, str]:
    """Kaggle's word for a submission that has no score yet, or none at all, and why."""
    shown = "" if status == COMPLETE else status  # the scores say so
    return {"status": shown, "reason": shortened(reason, _REASON)}


def when(at: str) -> str:
    """A time to the minute."""
    return at[:16].replace("T", " ")
