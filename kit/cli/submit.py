"""``kit submit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Competition, Json, LedgerPath
from kit.cli.tables import print_json
from kit.display import difference, edit, share

if TYPE_CHECKING:
    from kit.submission.checked_csv import CheckedCsv
    from kit.submission.code_submission import KernelVersion
    from kit.submission.ledger import Entry
    from kit.submission.submit import Outcome


def submit(
    message: Annotated[str, typer.Option(help="What is new about it; Kaggle shows it.")],
    csv: Annotated[
        Path | None, typer.Argument(help="A submission CSV, plain or as .csv.zip or .csv.gz.")
    ] = None,
    kernel: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[/VERSION]",
            help="In a code competition: submit the output of this kernel [its latest version].",
        ),
    ] = None,
    file: Annotated[
        str | None, typer.Option(help="The file in the kernel's output [submission.csv].")
    ] = None,
    competition: Competition = None,
    data: Annotated[Path | None, typer.Option(help="Test file or sample [the card's].")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, send nothing; works without credentials.")
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for the score.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Send the same bytes once more.")] = False,
    ledger: LedgerPath = None,
    as_json: Json = False,
) -> None:
    """Check a CSV (or a kernel's output), submit it once, wait for its score, record it in the ledger.

    Example: kit submit submissions/klue-bert.csv --message "klue-bert, 5 folds"
    """
    from kit.api.submit import WAIT_SECONDS
    from kit.submission.checked_csv import CheckedCsv

    outcome = kit.submit(
        csv, message, competition=competition, data=data, dry_run=dry_run, again=again, ledger=ledger,
        wait=0.0 if no_wait else WAIT_SECONDS, say=terminal.say, kernel=kernel, file=file,
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
    from kit.submission.submit import expectation

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
        return f"not there yet ({entry.status}); `kit leaderboard --refresh` asks again"
    score = f"{edit(entry.public)} characters"
    if entry.estimate is None:
        return score
    return f"{score}, {difference(entry.public - entry.estimate)} from the local estimate"


def _as_dict(outcome: Outcome, dry_run: bool) -> dict[str, object]:
    from kit.submission.checked_csv import CheckedCsv

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
