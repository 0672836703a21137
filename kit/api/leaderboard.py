"""``kit leaderboard`` as functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kit.api.arguments import PathLike, competition_of, ledger_of, path_given

if TYPE_CHECKING:
    from kit.kaggle.leaderboard import Board, BoardFile
    from kit.submission.ledger import Entry
    from kit.submission.selection import Pick, Tracking


@dataclass(frozen=True, slots=True)
class Standing:
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


def leaderboard(
    *,
    competition: str | None = None,
    refresh: bool = False,
    pick: int = 0,
    ledger: PathLike | None = None,
) -> Standing:
    """The submissions written in the ledger, how well local estimates track the public board, and picks.

    With *refresh* Kaggle is asked for scores, for submissions made elsewhere and for the public board, and
    where there are private scores for the private board, too.  Without *competition* it is that of the last
    submission.
    """
    from kit.kaggle.leaderboard import Board
    from kit.submission import kaggle_list, selection

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
    *, competition: str | None = None, to: PathLike = "submissions", ledger: PathLike | None = None
) -> BoardFile:
    """Download the whole leaderboard as a CSV, ``leaderboard-NAME-public.csv`` in the folder *to*.

    After the end of a contest it may be the private one: the file's name and the result say which.  Without
    *competition* it is that of the last submission.  Raises a KaggleError by kind, WriteError.
    """
    from kit.kaggle.client import connect
    from kit.kaggle.leaderboard import download_board
    from kit.kaggle.slugs import source_of

    slug = competition_of(competition, ledger_of(ledger))
    return download_board(connect(), slug, source_of(slug).alias, path_given(to, "to"))


def _places(board: Board, scores: dict[int, float | None]) -> dict[int, int]:
    """Entry number → the place of its score on *board*; empty without a board."""
    known = {number: score for number, score in scores.items() if score is not None}
    return {number: board.place(score) for number, score in known.items()} if board.scores else {}
