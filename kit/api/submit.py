"""``kit submit`` as a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.api.arguments import Data, PathLike, file_of, ledger_of, path_given, text_given
from kit.errors import ConfigError
from kit.kaggle.client import Client, connect
from kit.kaggle.kernels.history import all_pushed, locate
from kit.kaggle.slugs import source_of
from kit.settings.paths import RUNS
from kit.submission.card import DEFAULT_COMPETITION
from kit.submission.checked_csv import check_csv
from kit.submission.code_submission import OUTPUT, KernelVersion, check_kernel
from kit.submission.submit import Outcome
from kit.submission.submit import submit as send

WAIT_SECONDS = 1800.0
"""How long `submit` waits for a score: Kaggle mostly needs seconds, on a busy day minutes."""


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
    slug = source_of(text_given(competition, "competition")).slug if competition else None
    options: dict[str, Any] = {
        "ledger": ledger_of(ledger), "again": again, "dry_run": dry_run, "wait": wait, "say": say,
    }  # fmt: skip
    if kernel is not None:
        if csv is not None or data is not None:
            raise ConfigError("--kernel submits the output of a kernel; leave out the CSV and --data")
        kernel = text_given(kernel, "kernel")
        client = connect()
        checked_kernel = _check_kernel(client, kernel, slug, file or OUTPUT)
        return send(checked_kernel, message, client=client, **options)
    if csv is None:
        raise ConfigError("CSV is missing; name a submission, or give --kernel NAME")
    if file is not None:
        raise ConfigError("--file names the output of a kernel; give it with --kernel NAME")
    checked = check_csv(path_given(csv, "csv"), slug, None if data is None else file_of(data))
    return send(checked, message, **options)


def _check_kernel(client: Client, kernel: str, slug: str | None, file: str) -> KernelVersion:
    if slug is None:
        named = "/".join(locate(RUNS, kernel).kernel.split("/")[:2])
        pushed = [one.competition for one in all_pushed(RUNS) if one.kernel == named]
        slug = pushed[-1] if pushed else DEFAULT_COMPETITION
    return check_kernel(client, RUNS, kernel, slug, file)
