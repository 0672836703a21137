"""The leaderboards of a competition: public, private once it is published, and a whole one as a CSV."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.errors import DownloadError, KaggleError, SubmissionError
from kit.files import replacing
from kit.kaggle.client import Client
from kit.kaggle.compression import csv_member, suffix_of
from kit.kaggle.downloads.unzip import beginning
from kit.kaggle.submissions import every_page, score_of

PUBLIC, PRIVATE, UNKNOWN = "public", "private", "unknown"


@dataclass(frozen=True, slots=True)
class Board:
    """Every team's score on one board, lowest (best) first; ``missing`` says why there is none."""

    scores: tuple[float, ...] = ()
    missing: str = ""

    def place(self, score: float) -> int:
        """The place that *score* has among the teams, from 1."""
        return 1 + sum(other < score for other in self.scores)


@dataclass(frozen=True, slots=True)
class BoardFile:
    """A whole board as Kaggle gives it.

    ``board``: PUBLIC, PRIVATE or UNKNOWN.  ``teams``: how many have a score.
    """

    path: Path
    board: str
    teams: int


def public_board(client: Client, competition: str) -> Board:
    """The public board, also after the contest has ended."""
    return _read(client, competition, public=True)


def private_board(
    client: Client, competition: str, public: Board, scores: Sequence[tuple[float | None, float | None]]
) -> Board:
    """The private board, for a contest whose private scores are published.

    Kaggle answers with the public board until the private one is published, and does not tell which it is.
    *public* is the public board; *scores* are public and private score of own submissions: where they differ,
    so do the boards.
    """
    board = _read(client, competition, public=False)
    if board.scores and board.scores == public.scores and any(one != other for one, other in scores):
        return Board(missing="Kaggle shows no private board yet")
    return board


def download_board(client: Client, competition: str, name: str, folder: Path) -> BoardFile:
    """Download the whole board of *competition* into *folder*, as ``leaderboard-NAME-public.csv``.

    Or ``-private.csv``; without either where it is not known which it is.  A file of that name is replaced.
    Raises DownloadError for what is no board, a KaggleError by kind, WriteError.
    """
    member, content = _downloaded(client, competition)
    scores = board_scores(content, competition)
    board = _which(member.replace(competition, ""), scores, client, competition)
    ending = "" if board == UNKNOWN else f"-{board}"
    path = folder / f"leaderboard-{name}{ending}.csv"
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return BoardFile(path, board, len(scores))


def _read(client: Client, competition: str, *, public: bool) -> Board:
    # Without the field the answer is the private board once that is published.
    fields = {"override_public": True} if public else {}
    try:
        teams = every_page(client, "get_leaderboard", "reading the leaderboard", competition, **fields)
    except KaggleError as error:
        return Board(missing=str(error))
    scores = sorted(score for team in teams if (score := score_of(team.score)) is not None)
    return Board(tuple(scores), "" if scores else "no team has a score on it")


def _downloaded(client: Client, competition: str) -> tuple[str, bytes]:
    """Name and bytes of the CSV; the name of the archive, which is also the data's, says nothing."""
    with tempfile.TemporaryDirectory(prefix="kit-leaderboard-") as temporary:
        path = Path(temporary) / f"{competition}.zip"

        def call(api: Any) -> None:
            path.unlink(missing_ok=True)  # of an interrupted attempt
            api.competition_leaderboard_download(competition, temporary)

        client.read(call, "downloading the leaderboard", competition)
        content = path.read_bytes()
        if suffix_of(content) != ".zip":
            what = beginning(path)
            raise DownloadError(f"leaderboard of {competition}: is no zip archive but {what}; download again")
    try:
        return csv_member(content, Path(f"leaderboard of {competition}"))
    except SubmissionError as error:
        fault = str(error).rpartition(";")[0]  # its cure is for a CSV of the user
        raise DownloadError(f"{fault}; nothing was written, download again") from error


def board_scores(content: bytes, competition: str) -> list[float]:
    """The scores in the CSV of a board, lowest first.  Raises DownloadError for one without such a column."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DownloadError(
            f"leaderboard of {competition}: cannot be read ({error}); download again"
        ) from None
    if rows and "Score" not in rows[0]:
        names = ", ".join(str(name) for name in rows[0])
        raise DownloadError(f"leaderboard of {competition}: has no column Score (columns: {names})")
    return sorted(score for row in rows if (score := score_of(row["Score"])) is not None)


def _which(member: str, scores: list[float], client: Client, competition: str) -> str:
    """Which board a CSV is: its name mostly says it, else its scores are compared with both boards."""
    if (public := "public" in member.lower()) != ("private" in member.lower()):
        return PUBLIC if public else PRIVATE
    for board, public in ((PUBLIC, True), (PRIVATE, False)):
        if scores and _read(client, competition, public=public).scores == tuple(scores):
            return board
    return UNKNOWN
