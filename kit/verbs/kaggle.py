"""Verbs that talk to Kaggle about submissions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kit.data.records import Dataset
from kit.errors import ConfigError
from kit.verbs.arguments import Data, PathLike, path_given, path_of, text_given

if TYPE_CHECKING:
    from kit.competition.ledger import Entry
    from kit.competition.submitting import Outcome
    from kit.competition.tracking import Pick, Tracking

WAIT_SECONDS = 1800.0
"""How long `submit` waits for a score: Kaggle mostly needs seconds, on a busy day minutes."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The ledger's submissions to one competition, and what they tell.

    ``ranks``: entry number → the place its public score would have on the public board, where that was
    read; ``teams``: how many stand there.
    """

    competition: str
    entries: tuple[Entry, ...]
    tracking: Tracking | None
    picks: tuple[Pick, ...]
    ranks: dict[int, int]
    teams: int


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
    from kit.competition.downloading.sources import source_of
    from kit.competition.ledger import DEFAULT, Ledger
    from kit.competition.submitting import check_csv
    from kit.competition.submitting import submit as send

    book = Ledger(DEFAULT if ledger is None else path_given(ledger, "ledger"))
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
    from kit.competition.card import DEFAULT_COMPETITION
    from kit.competition.code_submission import OUTPUT, check_kernel
    from kit.competition.downloading.sources import source_of
    from kit.competition.kaggle.client import connect
    from kit.competition.kernels.pushed import all_pushed, locate
    from kit.competition.submitting import submit as send
    from kit.verbs.kernels import RUNS

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

    With *refresh* Kaggle is asked for scores, for submissions made elsewhere and for the public board.
    Without *competition* it is that of the last submission.
    """
    from kit.competition import tracking
    from kit.competition.card import DEFAULT_COMPETITION
    from kit.competition.downloading.sources import source_of
    from kit.competition.ledger import DEFAULT, Ledger

    book = Ledger(DEFAULT if ledger is None else path_given(ledger, "ledger"))
    entries = book.entries()
    last = entries[-1].competition if entries else DEFAULT_COMPETITION
    slug = source_of(text_given(competition, "competition")).slug if competition else last
    teams: list[float] = []
    if refresh:
        _, teams = tracking.refresh(book, slug)
        entries = book.entries()
    own = tuple(entry for entry in entries if entry.competition == slug)
    ranks = {e.number: tracking.rank(e.public, teams) for e in own if teams and e.public is not None}
    picked = tuple(tracking.picks(own, pick, tracking.answers_of)) if pick else ()
    return Standing(slug, own, tracking.tracking(own), picked, ranks, len(teams))
