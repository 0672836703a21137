"""``kit submissions``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Json, LedgerPath, To
from kit.cli.tables import print_json
from kit.settings.paths import SUBMISSIONS

if TYPE_CHECKING:
    from kit.submission.kaggle_list import Submissions


def submissions(
    fetch: Annotated[
        int | None, typer.Option(metavar="REF", help="Download this submission's CSV and compare its hash.")
    ] = None,
    competition: Annotated[str | None, typer.Option(help="Slug, or goorm-2 [the last submission's].")] = None,
    ledger: LedgerPath = None,
    to: To = SUBMISSIONS,
    as_json: Json = False,
) -> None:
    """List all submissions that Kaggle has of this account, also those made elsewhere; or download one.

    Example: kit submissions
    """
    if fetch is not None:
        _fetch(fetch, to, ledger, as_json)
        return
    found = kit.submissions(competition=competition, ledger=ledger)
    if as_json:
        print_json(_listed(found))
        return
    if found.made:
        terminal.show(found.tables())
    else:
        terminal.say(f"Kaggle lists no submission to {found.competition}")
    for entry in found.unlisted:
        known = "with its outcome unknown" if entry.ref is None else f"as {entry.ref}"
        terminal.say(f"{entry.name}: is in the ledger {known}, and Kaggle does not list it")


def _fetch(ref: int, to: Path, ledger: Path | None, as_json: bool) -> None:
    """Download one CSV and print what its hash was compared with."""
    done = kit.fetch_submission(ref, to=to, ledger=ledger)
    if as_json:
        print_json({**asdict(done), "path": str(done.path), "compared": bool(done.expected)})
        return
    compared = {0: "no record of what was sent: nothing to compare with", 64: "as in the ledger"}
    rows = [
        ("CSV", str(done.path) if done.fresh else f"{done.path}, which was there already"),
        ("bytes", f"{done.size:,}"),
        ("sha256", f"{done.sha256[:16]}, {compared.get(len(done.expected), 'as in its description')}"),
    ]
    terminal.facts(f"submission {ref}", rows)


def _listed(found: Submissions) -> dict[str, object]:
    return {
        "competition": found.competition,
        "submissions": [
            {
                **asdict(made.listed), "message": made.message, "made": made.origin,
                "entry": None if made.entry is None else made.entry.model_dump(),
            }
            for made in found.made
        ],
        "unlisted": [entry.model_dump() for entry in found.unlisted],
    }  # fmt: skip
