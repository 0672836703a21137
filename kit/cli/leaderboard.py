"""``kit leaderboard``."""

from __future__ import annotations

import sys
from csv import DictWriter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Competition, Json, LedgerPath, To
from kit.cli.tables import print_json
from kit.settings.paths import SUBMISSIONS
from kit.submission.ledger import Entry

if TYPE_CHECKING:
    from kit.api.leaderboard import Standing


def leaderboard(
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask Kaggle for scores and the board.")] = False,
    pick: Annotated[int, typer.Option(help="Number of final submissions to propose.", min=0)] = 0,
    competition: Competition = None,
    ledger: LedgerPath = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the submissions as CSV.")] = False,
    download: Annotated[
        bool, typer.Option("--download", help="Only download the whole board, as a CSV.")
    ] = False,
    to: To = SUBMISSIONS,
    as_json: Json = False,
) -> None:
    """Show what was submitted: local estimate beside public and private score, and how well they agree.

    Places are on the public board for public scores, and on the private board for private scores.

    Example: kit leaderboard --refresh --pick 2
    """
    if download:
        _download(competition, to, ledger, as_json)
        return
    standing = kit.leaderboard(competition=competition, refresh=refresh, pick=pick, ledger=ledger)
    if as_json:
        print_json(_standing(standing))
        return
    for board, reason in standing.unread.items():
        terminal.say(f"no places on the {board} board: {reason}")
    if as_csv:
        writer = DictWriter(sys.stdout, [*Entry.model_fields, *_PLACES], lineterminator="\n")
        writer.writeheader()
        writer.writerows(_record(entry, standing) for entry in standing.entries)
        return
    if not standing.entries:
        terminal.say(
            f"no submission to {standing.competition} is in the ledger yet; kit submit makes the first"
        )
        return
    terminal.show(standing.tables())


def _download(competition: str | None, to: Path, ledger: Path | None, as_json: bool) -> None:
    """Download the whole board and say which it is."""
    from kit.kaggle.leaderboard import UNKNOWN

    done = kit.download_leaderboard(competition=competition, to=to, ledger=ledger)
    if as_json:
        print_json({"file": str(done.path), "board": done.board, "teams": done.teams})
        return
    which = "Kaggle does not say whether public or private" if done.board == UNKNOWN else done.board
    terminal.facts("leaderboard", [("board", which), ("teams", f"{done.teams:,}"), ("CSV", str(done.path))])


_PLACES = ("place", "private_place")
"""Names of the places on the public and on the private board in JSON and CSV."""


def _record(entry: Entry, standing: Standing) -> dict[str, object]:
    places = (standing.ranks.get(entry.number), standing.private_ranks.get(entry.number))
    return {**entry.model_dump(), **dict(zip(_PLACES, places, strict=True))}


def _standing(standing: Standing) -> dict[str, object]:
    return {
        "competition": standing.competition,
        "submissions": [_record(entry, standing) for entry in standing.entries],
        "teams": standing.teams,
        "boards": {
            "public": {"teams": standing.teams, "unread": standing.unread.get("public")},
            "private": {"teams": standing.private_teams, "unread": standing.unread.get("private")},
        },
        "tracking": None if standing.tracking is None else asdict(standing.tracking),
        "picks": [{"number": one.entry.number, "reason": one.reason} for one in standing.picks],
    }
