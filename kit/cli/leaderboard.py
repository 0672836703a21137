"""``kit leaderboard``."""

from __future__ import annotations

import math
import sys
from csv import DictWriter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kit
from kit import terminal
from kit.cli.app import Competition, Json, LedgerPath, To
from kit.cli.tables import (
    INTERVAL,
    MESSAGE,
    SCORES,
    edit,
    print_json,
    score_cell,
    status_cells,
    submission_table,
    when,
)

if TYPE_CHECKING:
    from kit.api.leaderboard import Standing
    from kit.submission.ledger import Entry
    from kit.submission.selection import Bound, Tracking


def leaderboard(
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask Kaggle for scores and the board.")] = False,
    pick: Annotated[int, typer.Option(help="Number of final submissions to propose.", min=0)] = 0,
    competition: Competition = None,
    ledger: LedgerPath = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the submissions as CSV.")] = False,
    download: Annotated[
        bool, typer.Option("--download", help="Only download the whole board, as a CSV.")
    ] = False,
    to: To = Path("submissions"),
    as_json: Json = False,
) -> None:
    """Show what was submitted: local estimate beside public and private score, and how well they agree.

    Places are on the public board for public scores, and on the private board for private scores.

    Example: kit leaderboard --refresh --pick 2
    """
    from kit.submission.ledger import Entry

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
    submission_table(
        f"{standing.competition} ({SCORES})", [_row(entry, standing) for entry in standing.entries]
    )
    if standing.tracking is not None:
        terminal.facts("does local track public?", _tracking(standing.tracking))
    for number, one in enumerate(standing.picks, start=1):
        terminal.line(f"pick {number}: {one.entry.name}: {one.reason}")


def _download(competition: str | None, to: Path, ledger: Path | None, as_json: bool) -> None:
    """Download the whole board and say which it is."""
    from kit.kaggle.leaderboard import UNKNOWN

    done = kit.download_leaderboard(competition=competition, to=to, ledger=ledger)
    if as_json:
        print_json({"file": str(done.path), "board": done.board, "teams": done.teams})
        return
    which = "Kaggle does not say whether public or private" if done.board == UNKNOWN else done.board
    terminal.facts("leaderboard", [("board", which), ("teams", f"{done.teams:,}"), ("CSV", str(done.path))])


def _row(entry: Entry, standing: Standing) -> dict[str, str]:
    low, high = entry.low, entry.high
    return {
        "CSV": Path(entry.csv).name if entry.csv else entry.kernel or str(entry.ref or ""),
        "local": score_cell(entry.estimate),
        INTERVAL: "" if low is None or high is None else f"{edit(low)} to {edit(high)}",
        "public": score_cell(entry.public),
        "public place": _place(standing.ranks.get(entry.number), standing.teams),
        "private": score_cell(entry.private),
        "private place": _place(standing.private_ranks.get(entry.number), standing.private_teams),
        **status_cells(entry.status, entry.reason),
        "message": terminal.shortened(entry.message, MESSAGE),
        "submitted (UTC)": when(entry.at),
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


def _place(place: int | None, teams: int) -> str:
    # A late submission is no team's on the board: behind all of them it is one more.
    return "" if place is None else f"{place:,} of {max(place, teams):,}"


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
