"""``kit submit``."""

from __future__ import annotations

from pathlib import Path

from kit import api, terminal
from kit.submission.checked_csv import CheckedCsv
from kit.submission.code_submission import KernelVersion
from kit.submission.ledger import Entry
from kit.submission.submit import Outcome, expectation
from kit.views.output import difference, edit, print_json, share


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
    wait = 0.0 if no_wait else api.kaggle.WAIT_SECONDS
    outcome = api.submit(
        path, message, competition=competition, data=data, dry_run=dry_run, wait=wait, again=again,
        ledger=ledger, say=terminal.say, kernel=kernel, file=file,
    )  # fmt: skip
    if as_json:
        print_json(_as_dict(outcome, dry_run))
        return
    checked, entry = outcome.checked, outcome.entry
    rows = _of_csv(checked) if isinstance(checked, CheckedCsv) else _of_kernel(checked)
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
        if entry.private is not None:
            rows.append(("private score", f"{edit(entry.private)} characters (the contest is over)"))
    terminal.facts(checked.path.stem if isinstance(checked, CheckedCsv) else checked.kernel, rows)


def _of_csv(checked: CheckedCsv) -> list[tuple[str, str]]:
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


def _public(entry: Entry) -> str:
    if entry.public is None:
        return f"not there yet ({entry.status}); kit leaderboard --refresh asks again"
    away = (
        ""
        if entry.estimate is None
        else f", {difference(entry.public - entry.estimate)} from the local estimate"
    )
    return f"{edit(entry.public)} characters{away}"


def _as_dict(outcome: Outcome, dry_run: bool) -> dict[str, object]:
    checked = outcome.checked
    if isinstance(checked, CheckedCsv):
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
