"""Verbs that talk to Kaggle about submissions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kit.api.arguments import Data, PathLike, path_given, path_of, text_given
from kit.data.records import Dataset
from kit.errors import ConfigError

if TYPE_CHECKING:
    from kit.kaggle.leaderboard import Board, BoardFile
    from kit.submission.kaggle_list import FetchedCsv, Submissions
    from kit.submission.ledger import Entry, Ledger
    from kit.submission.selection import Pick, Tracking
    from kit.submission.submit import Outcome

WAIT_SECONDS = 1800.0
"""How long `submit` waits for a score: Kaggle mostly needs seconds, on a busy day minutes."""


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


def submit(
    csv: PathLike | None = None,
    message: str = "",
    *,
    kernel: str | None = None,
    file: str | None = None,
    competition: str | None = None,
    data: Data | None = None,
    dry_run: bool = False,
    wait: float = WAIT_SECONDS,
    again: bool = False,
    ledger: PathLike | None = None,
    say: Callable[[str], object] = lambda line: None,
) -> Outcome:
    """Submit *csv* to Kaggle once, and wait up to *wait* seconds for its score.

    In a code competition, *kernel* in its place (OWNER/SLUG, or a run or slug that was pushed from here, each
    with /VERSION): Kaggle takes the output *file* (submission.csv) of that version.
    Competition and test file come from the card beside the CSV, unless given.  The same bytes a second
    time are not sent again unless *again*: their record comes back.  With *dry_run* all is done but
    sending; without credentials, all that needs no account.  Raises SubmissionError for a CSV that Kaggle
    would refuse and a KaggleError by kind.
    """
    from kit.kaggle.slugs import source_of
    from kit.submission.checked_csv import check_csv
    from kit.submission.submit import submit as send

    book = _ledger(ledger)
    if kernel is not None:
        if csv is not None or data is not None:
            raise ConfigError("--kernel submits the output of a kernel; leave out the CSV and --data")
        return _submit_kernel(
            text_given(kernel, "kernel"), message, competition, file,
            ledger=book, again=again, dry_run=dry_run, wait=wait, say=say,
        )  # fmt: skip
    if csv is None:
        raise ConfigError("CSV is missing; name a submission, or give --kernel NAME")
    if file is not None:
        raise ConfigError("--file names the output of a kernel; give it with --kernel NAME")
    named = data if data is None or isinstance(data, Dataset) else path_of(data)
    slug = source_of(text_given(competition, "competition")).slug if competition else None
    checked = check_csv(path_given(csv, "csv"), slug, named)
    return send(checked, message, ledger=book, again=again, dry_run=dry_run, wait=wait, say=say)


def _submit_kernel(
    kernel: str, message: str, competition: str | None, file: str | None, **options: Any
) -> Outcome:
    from kit.api.kernels import RUNS
    from kit.kaggle.client import connect
    from kit.kaggle.kernels.history import all_pushed, locate
    from kit.kaggle.slugs import source_of
    from kit.submission.card import DEFAULT_COMPETITION
    from kit.submission.code_submission import OUTPUT, check_kernel
    from kit.submission.submit import submit as send

    client = connect()
    slug = source_of(text_given(competition, "competition")).slug if competition else None
    if slug is None:
        named = "/".join(locate(RUNS, kernel).kernel.split("/")[:2])
        pushed = [one.competition for one in all_pushed(RUNS) if one.kernel == named]
        slug = pushed[-1] if pushed else DEFAULT_COMPETITION
    checked = check_kernel(client, RUNS, kernel, slug, file or OUTPUT)
    return send(checked, message, client=client, **options)


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

    book = _ledger(ledger)
    slug = _competition(competition, book)
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

    slug = _competition(competition, _ledger(ledger))
    return download_board(connect(), slug, source_of(slug).alias, path_given(to, "to"))


def submissions(*, competition: str | None = None, ledger: PathLike | None = None) -> Submissions:
    """Every submission that Kaggle lists for the account, those made elsewhere too, beside the ledger.

    Nothing is written.  Without *competition* it is that of the last submission.  Raises a KaggleError by
    kind.
    """
    from kit.submission.kaggle_list import list_submissions

    book = _ledger(ledger)
    return list_submissions(book, _competition(competition, book))


def fetch_submission(ref: int, *, to: PathLike = "submissions", ledger: PathLike | None = None) -> FetchedCsv:
    """Bring back the CSV of the submission with Kaggle's number *ref*, as ``REF.csv`` in the folder *to*.

    Its hash is compared with what the ledger, or else the submission's description, has.  Raises
    DownloadError where they differ, ConfigError where another file has that name, a KaggleError by kind.
    """
    from kit.submission.kaggle_list import fetch_csv

    return fetch_csv(_ledger(ledger), ref, path_given(to, "to"))


def _ledger(given: PathLike | None) -> Ledger:
    from kit.submission.ledger import DEFAULT, Ledger

    return Ledger(DEFAULT if given is None else path_given(given, "ledger"))


def _competition(given: str | None, ledger: Ledger) -> str:
    """The slug of *given*, or of the ledger's last submission."""
    from kit.kaggle.slugs import source_of
    from kit.submission.card import DEFAULT_COMPETITION

    if given:
        return source_of(text_given(given, "competition")).slug
    entries = ledger.entries()
    return entries[-1].competition if entries else DEFAULT_COMPETITION


def _places(board: Board, scores: dict[int, float | None]) -> dict[int, int]:
    """Entry number → the place of its score on *board*; empty without a board."""
    known = {number: score for number, score in scores.items() if score is not None}
    return {number: board.place(score) for number, score in known.items()} if board.scores else {}
