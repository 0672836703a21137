"""``kit leaderboard`` and ``kit submissions``."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from kit import api, terminal
from kit.api.kaggle import Standing
from kit.errors import counted
from kit.kaggle.leaderboard import UNKNOWN
from kit.kaggle.submissions import COMPLETE
from kit.submission.kaggle_list import FetchedCsv, Made, Submissions
from kit.submission.ledger import Entry
from kit.submission.selection import Bound, Tracking
from kit.views.output import INTERVAL, edit, print_json

_MESSAGE, _REASON = 48, 120
"""Columns of a terminal that a message and Kaggle's reason may take in a table."""
_SCORES = "scores in characters, lower is better"


def leaderboard(
    refresh: bool, pick: int, competition: str | None, ledger: Path | None, as_csv: bool, as_json: bool
) -> None:
    """Print the submissions, how local tracks public, and the picks."""
    standing = api.leaderboard(competition=competition, refresh=refresh, pick=pick, ledger=ledger)
    if as_json:
        print_json(_standing(standing))
        return
    for board, reason in standing.unread.items():
        terminal.say(f"no places on the {board} board: {reason}")
    if as_csv:
        writer = csv.DictWriter(sys.stdout, [*Entry.model_fields, *_PLACES], lineterminator="\n")
        writer.writeheader()
        writer.writerows(_record(entry, standing) for entry in standing.entries)
        return
    if not standing.entries:
        terminal.say(
            f"no submission to {standing.competition} is written down yet; kit submit makes the first"
        )
        return
    _table(f"{standing.competition} ({_SCORES})", [_row(entry, standing) for entry in standing.entries])
    if standing.tracking is not None:
        terminal.facts("does local track public?", _tracking(standing.tracking))
    for number, one in enumerate(standing.picks, start=1):
        terminal.line(f"pick {number}: {one.entry.name}: {one.reason}")


def download(competition: str | None, to: Path, ledger: Path | None, as_json: bool) -> None:
    """Download the whole board and say which it is."""
    done = api.download_leaderboard(competition=competition, to=to, ledger=ledger)
    if as_json:
        print_json({"file": str(done.path), "board": done.board, "teams": done.teams})
        return
    which = "Kaggle does not say whether public or private" if done.board == UNKNOWN else done.board
    terminal.facts("leaderboard", [("board", which), ("teams", f"{done.teams:,}"), ("CSV", str(done.path))])


def submissions(competition: str | None, ledger: Path | None, as_json: bool) -> None:
    """Print what Kaggle lists, and what only the ledger has."""
    found = api.submissions(competition=competition, ledger=ledger)
    if as_json:
        print_json(_listed(found))
        return
    if not found.made:
        terminal.say(f"Kaggle lists no submission to {found.competition}")
    else:
        team = len({made.listed.by for made in found.made}) > 1
        rows = [_made(made, team) for made in found.made]
        _table(f"{found.competition}: {counted(len(rows), 'submission')} ({_SCORES})", rows)
    for entry in found.unlisted:
        known = "with its outcome unknown" if entry.ref is None else f"as {entry.ref}"
        terminal.say(f"{entry.name}: is in the ledger {known}, and Kaggle does not list it")


def fetched(ref: int, to: Path, ledger: Path | None, as_json: bool) -> None:
    """Bring one CSV back and say what its hash was compared with."""
    done = api.fetch_submission(ref, to=to, ledger=ledger)
    if as_json:
        print_json({**asdict(done), "path": str(done.path), "compared": bool(done.expected)})
        return
    terminal.facts(f"submission {ref}", _fetched(done))


def _table(title: str, rows: Sequence[dict[str, str]]) -> None:
    """The columns that have something in any row."""
    columns = [column for column in rows[0] if any(row[column] for row in rows)]
    cells = [[row[column] for column in columns] for row in rows]
    terminal.table(title, columns, cells, words=("CSV", "status", "reason", "message", "made", "by"))


def _row(entry: Entry, standing: Standing) -> dict[str, str]:
    low, high = entry.low, entry.high
    return {
        "CSV": Path(entry.csv).name if entry.csv else entry.kernel or str(entry.ref or ""),
        "local": _score(entry.estimate),
        INTERVAL: "" if low is None or high is None else f"{edit(low)} to {edit(high)}",
        "public": _score(entry.public),
        "public place": _place(standing.ranks.get(entry.number), standing.teams),
        "private": _score(entry.private),
        "private place": _place(standing.private_ranks.get(entry.number), standing.private_teams),
        **_status(entry.status, entry.reason),
        "message": terminal.shortened(entry.message, _MESSAGE),
        "submitted (UTC)": _when(entry.at),
    }


def _made(made: Made, team: bool) -> dict[str, str]:
    one = made.listed
    return {
        "ref": str(one.ref),
        "CSV": terminal.shortened(Path(made.name).name, _MESSAGE),
        "public": _score(one.public),
        "private": _score(one.private),
        **_status(one.status, one.reason),
        "message": terminal.shortened(made.message, _MESSAGE),
        "made": made.origin,
        "by": one.by if team else "",
        "submitted (UTC)": _when(one.at),
    }


def _status(status: str, reason: str) -> dict[str, str]:
    shown = "" if status == COMPLETE else status  # the scores say so
    return {"status": shown, "reason": terminal.shortened(reason, _REASON)}


def _fetched(done: FetchedCsv) -> list[tuple[str, str]]:
    compared = {0: "nobody knows what was sent: nothing to compare with", 64: "as in the ledger"}
    return [
        ("CSV", str(done.path) if done.fresh else f"{done.path}, which was there already"),
        ("bytes", f"{done.size:,}"),
        ("sha256", f"{done.sha256[:16]}, {compared.get(len(done.expected), 'as in its description')}"),
    ]


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


def _score(value: float | None) -> str:
    return "" if value is None else edit(value)


def _place(place: int | None, teams: int) -> str:
    # A late submission is no team's on the board: behind all of them it is one more.
    return "" if place is None else f"{place:,} of {max(place, teams):,}"


def _when(at: str) -> str:
    return at[:16].replace("T", " ")


_PLACES = ("place", "private_place")
"""What JSON and CSV call the places on the public and on the private board."""


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
