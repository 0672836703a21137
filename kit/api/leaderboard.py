"""``kit leaderboard`` as functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from kit.api.arguments import PathLike, competition_of, ledger_of, path_given
from kit.display import INTERVAL, Displayed, Table, edit, shortened
from kit.errors import counted
from kit.kaggle.client import connect
from kit.kaggle.leaderboard import Board, BoardFile, download_board
from kit.kaggle.slugs import source_of
from kit.settings.paths import SUBMISSIONS
from kit.submission import kaggle_list, selection
from kit.submission.ledger import Entry
from kit.submission.selection import Bound, Pick, Tracking
from kit.submission.submission_table import MESSAGE, SCORES, status_cells, submission_table, when


@dataclass(frozen=True, slots=True, repr=False)
class Standing(Displayed):
    """The ledger's submissions to one competition, and what they tell.

    ``ranks``: entry number → the place its public score would have on the public board, where that was
    read; ``teams``: how many stand there.  ``private_ranks``, ``private_teams``: the same of private scores
    on the private board.  ``unread``: "public", "private" → why that board gives no places.
    """

    competition: str
    entries: tuple[Entry, ...]
    tracking: Tracking | None
    picks: tuple[Pick, ...]
    ranks: dict[int, int]
    teams: int
    private_ranks: dict[int, int]
    private_teams: int
    unread: dict[str, str]

    @property
    def headline(self) -> str:
        return f"{self.competition}: {counted(len(self.entries), 'submission')} in the ledger"

    def tables(self) -> list[Table]:
        if not self.entries:
            return [Table(f"{self.headline}; kit submit makes the first", (), ())]
        title = f"{self.competition} ({SCORES})"
        found = [submission_table(title, [self._cells(entry) for entry in self.entries])]
        if self.tracking is not None:
            found.append(Table("does local track public?", (), _agreement(self.tracking)))
        if self.picks:
            picks = [(f"pick {n}: {one.entry.name}", one.reason) for n, one in enumerate(self.picks, 1)]
            found.append(Table("proposed for the end", (), picks))
        return found

    def _cells(self, entry: Entry) -> dict[str, str]:
        low, high = entry.low, entry.high
        return {
            "CSV": Path(entry.csv).name if entry.csv else entry.kernel or str(entry.ref or ""),
            "local": edit(entry.estimate),
            INTERVAL: "" if low is None or high is None else f"{edit(low)} to {edit(high)}",
            "public": edit(entry.public),
            "public place": _place(self.ranks.get(entry.number), self.teams),
            "private": edit(entry.private),
            "private place": _place(self.private_ranks.get(entry.number), self.private_teams),
            **status_cells(entry.status, entry.reason),
            "message": shortened(entry.message, MESSAGE),
            "submitted (UTC)": when(entry.at),
        }


def leaderboard(
    *, competition: str | None = None, refresh: bool = False, pick: int = 0, ledger: PathLike | None = None
) -> Standing:
    """The submissions written in the ledger, how well local estimates track the public board, and picks.

    With *refresh* Kaggle is asked for scores, for submissions made elsewhere and for the public board, and
    where there are private scores for the private board, too.  Without *competition* it is that of the last
    submission.
    """
    book = ledger_of(ledger)
    slug = competition_of(competition, book)
    public, private = kaggle_list.refresh(book, slug) if refresh else (Board(), Board())
    own = tuple(entry for entry in book.entries() if entry.competition == slug)
    return Standing(
        competition=slug,
        entries=own,
        tracking=selection.tracking(own),
        picks=tuple(selection.picks(own, pick, selection.answers_of)) if pick else (),
        ranks=_places(public, {entry.number: entry.public for entry in own}),
        teams=len(public.scores),
        private_ranks=_places(private, {entry.number: entry.private for entry in own}),
        private_teams=len(private.scores),
        unread={
            name: board.missing for name, board in (("public", public), ("private", private)) if board.missing
        },
    )


def download_leaderboard(
    *, competition: str | None = None, to: PathLike = SUBMISSIONS, ledger: PathLike | None = None
) -> BoardFile:
    """Download the whole leaderboard as a CSV, ``leaderboard-NAME-public.csv`` in the folder *to*.

    After the end of a contest it may be the private one: the file's name and the result say which.  Without
    *competition* it is that of the last submission.  Raises a KaggleError by kind, WriteError.
    """
    slug = competition_of(competition, ledger_of(ledger))
    return download_board(connect(), slug, source_of(slug).alias, path_given(to, "to"))


def _places(board: Board, scores: dict[int, float | None]) -> dict[int, int]:
    """Entry number → the place of its score on *board*; empty without a board."""
    known = {number: score for number, score in scores.items() if score is not None}
    return {number: board.place(score) for number, score in known.items()} if board.scores else {}


def _agreement(found: Tracking) -> list[tuple[str, str]]:
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
