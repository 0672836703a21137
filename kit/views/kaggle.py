"""``kit submit`` and ``kit leaderboard``."""

from __future__ import annotations

import csv
import math
import sys
from dataclasses import asdict
from pathlib import Path

from kit import terminal, verbs
from kit.competition.code_submission import KernelVersion
from kit.competition.kaggle.submissions import COMPLETE
from kit.competition.ledger import Entry
from kit.competition.submitting import Checked, Outcome, expectation
from kit.competition.tracking import Bound, Tracking
from kit.verbs.kaggle import Standing
from kit.views.output import INTERVAL, difference, edit, print_json, share


def submit(
    path: Path | None,
    message: str,
    competition: str | None,
    data: Path | None,
    dry_run: bool,
    no_wait: bool,
    again: bool,
    ledger: Path | None,
    as_json: bool,
    *,
    kernel: str | None = None,
    file: str | None = None,
) -> None:
    """Submit and print what is known: what was checked, the estimate, what is left today, the score."""
    wait = 0.0 if no_wait else verbs.kaggle.WAIT_SECONDS
    outcome = verbs.submit(
        path, message, competition=competition, data=data, dry_run=dry_run, wait=wait, again=again,
        ledger=ledger, say=terminal.say, kernel=kernel, file=file,
    )  # fmt: skip
    if as_json:
        print_json(_as_dict(outcome, dry_run))
        return
    checked, entry = outcome.checked, outcome.entry
    rows = _of_csv(checked) if isinstance(checked, Checked) else _of_kernel(checked)
    if outcome.allowance is not None:
        # Asked before sending.
        sent_now = entry is not None and not outcome.already
        rows.append(("left today", str(max(outcome.allowance.left - sent_now, 0))))
    rows += [("not checked", f"{what}: needs Kaggle credentials") for what in outcome.left_out]
    if entry is None:
        rows.append(("submitted", "no: a dry run"))
    else:
        when = f"{entry.at} as {entry.ref}"
        rows.append(
            ("submitted", f"already, {when}; --again sends it once more" if outcome.already else when)
        )
        rows.append(("public score", _public(entry)))
    terminal.facts(checked.path.stem if isinstance(checked, Checked) else checked.kernel, rows)


def _of_csv(checked: Checked) -> list[tuple[str, str]]:
    order = "" if checked.in_order else ", in another order"
    return [
        ("CSV", f"{checked.path} (sha256 {checked.sha256[:16]})"),
        ("competition", checked.competition),
        ("questions", f"{checked.questions:,}, as in {checked.checked_against}{order}"),
        ("blank answers", f"{checked.blanks:,} ({share(checked.blanks / max(checked.questions, 1))})"),
        ("local estimate", expectation(checked.card)),
    ]


def _of_kernel(checked: KernelVersion) -> list[tuple[str, str]]:
    return [
        ("kernel", f"{checked.kernel}, version {checked.version}"),
        ("output", checked.file),
        ("competition", checked.competition),
    ]


def leaderboard(
    refresh: bool, pick: int, competition: str | None, ledger: Path | None, as_csv: bool, as_json: bool
) -> None:
    """Print the submissions, how local tracks public, and the picks."""
    standing = verbs.leaderboard(competition=competition, refresh=refresh, pick=pick, ledger=ledger)
    if as_json:
        print_json(_standing(standing))
        return
    if as_csv:
        writer = csv.DictWriter(sys.stdout, list(Entry.model_fields), lineterminator="\n")
        writer.writeheader()
        writer.writerows(entry.model_dump() for entry in standing.entries)
        return
    if not standing.entries:
        terminal.say(
            f"no submission to {standing.competition} is written down yet; kit submit makes the first"
        )
        return
    rows = [_row(entry, standing) for entry in standing.entries]
    columns = [column for column in rows[0] if any(row[column] for row in rows)]
    terminal.table(
        f"{standing.competition} (scores in characters, lower is better)",
        columns,
        [[row[column] for column in columns] for row in rows],
        words=("status", "message"),
    )
    if standing.tracking is not None:
        terminal.facts("does local track public?", _tracking(standing.tracking))
    for number, one in enumerate(standing.picks, start=1):
        terminal.line(f"pick {number}: {one.entry.csv or one.entry.ref}: {one.reason}")


def _row(entry: Entry, standing: Standing) -> dict[str, str]:
    low, high = entry.low, entry.high
    place = standing.ranks.get(entry.number)
    return {
        "CSV": Path(entry.csv).name if entry.csv else entry.kernel or str(entry.ref or ""),
        "local": _score(entry.estimate),
        INTERVAL: "" if low is None or high is None else f"{edit(low)} to {edit(high)}",
        "public": _score(entry.public),
        "private": _score(entry.private),
        "place": "" if place is None else f"{place:,} of {standing.teams:,}",
        "status": "" if entry.status == COMPLETE else entry.status,  # the scores say so
        "message": entry.message,
        "submitted (UTC)": entry.at[:16].replace("T", " "),
    }


def _tracking(found: Tracking) -> list[tuple[str, str]]:
    few = "" if found.offset.low is not None else "; intervals from 3 submissions on"
    rows = [("submissions with both", f"{found.submissions}{few}")]
    if not math.isnan(found.rank_correlation.value):
        rows.append(("rank correlation", _bound(found.rank_correlation, "{:.2f}")))
    rows.append(("public - local", f"{_bound(found.offset, '{:+.3f}')} characters"))
    return rows


def _bound(bound: Bound, how: str) -> str:
    text = how.format(bound.value)
    if bound.low is None or bound.high is None:
        return text
    return f"{text} (95 %: {how.format(bound.low)} to {how.format(bound.high)})"


def _public(entry: Entry) -> str:
    if entry.public is None:
        return f"not there yet ({entry.status}); kit leaderboard --refresh asks again"
    away = (
        ""
        if entry.estimate is None
        else f", {difference(entry.public - entry.estimate)} from the local estimate"
    )
    return f"{edit(entry.public)} characters{away}"


def _score(value: float | None) -> str:
    return "" if value is None else edit(value)


def _as_dict(outcome: Outcome, dry_run: bool) -> dict[str, object]:
    checked = outcome.checked
    if isinstance(checked, Checked):
        what: dict[str, object] = {
            "csv": str(checked.path), "sha256": checked.sha256, "questions": checked.questions,
            "blanks": checked.blanks, "in_order": checked.in_order,
        }  # fmt: skip
    else:
        what = {"kernel": checked.kernel, "version": checked.version, "file": checked.file}
    return {
        **what, "competition": checked.competition, "dry_run": dry_run, "not_checked": list(outcome.left_out),
        "already": outcome.already, "left": None if outcome.allowance is None else outcome.allowance.left,
        "entry": None if outcome.entry is None else outcome.entry.model_dump(),
    }  # fmt: skip


def _standing(standing: Standing) -> dict[str, object]:
    return {
        "competition": standing.competition,
        "submissions": [
            {**entry.model_dump(), "place": standing.ranks.get(entry.number)} for entry in standing.entries
        ],
        "teams": standing.teams,
        "tracking": None if standing.tracking is None else asdict(standing.tracking),
        "picks": [{"number": one.entry.number, "reason": one.reason} for one in standing.picks],
    }
