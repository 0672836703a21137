"""``kit submissions`` as functions."""

from __future__ import annotations

from kit.api.arguments import PathLike, competition_of, ledger_of, path_given
from kit.settings.paths import SUBMISSIONS
from kit.submission.kaggle_list import FetchedCsv, Submissions, fetch_csv, list_submissions


def submissions(*, competition: str | None = None, ledger: PathLike | None = None) -> Submissions:
    """Every submission that Kaggle lists for the account, those made elsewhere too, beside the ledger.

    Nothing is written.  Without *competition* it is that of the last submission.  Raises a KaggleError by
    kind.
    """
    book = ledger_of(ledger)
    return list_submissions(book, competition_of(competition, book))


def fetch_submission(ref: int, *, to: PathLike = SUBMISSIONS, ledger: PathLike | None = None) -> FetchedCsv:
    """Bring back the CSV of the submission with Kaggle's number *ref*, as ``REF.csv`` in the folder *to*.

    Its hash is compared with what the ledger, or else the submission's description, has.  Raises
    DownloadError where they differ, ConfigError where another file has that name, a KaggleError by kind.
    """
    return fetch_csv(ledger_of(ledger), ref, path_given(to, "to"))
