"""Verbs about data files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kit.api.arguments import Data, PathLike, dataset_of, path_given, several, text_given
from kit.data.readers import load as load_file
from kit.data.records import Dataset

if TYPE_CHECKING:
    from kit.data.checks import FileReport
    from kit.data.leaks import LeakReport
    from kit.kaggle.downloads.install import Download


def load(path: PathLike) -> Dataset:
    """Read questions from a file in any of the known formats.  Raises DataError."""
    return load_file(path_given(path, "load"))


def check(path: PathLike) -> FileReport:
    """Report everything about one data file that could hurt a training or a submission."""
    from kit.data.checks import check as check_file

    return check_file(path_given(path, "check"))


def leaks(train: Data | Sequence[Data], test: Data) -> LeakReport:
    """Contexts and questions of *train* that also occur, exactly or nearly, in *test*."""
    from kit.data.leaks import find_leaks

    return find_leaks([dataset_of(data) for data in several(train)], dataset_of(test))


def download(what: str, to: PathLike | None = None, *, force: bool = False, quiet: bool = False) -> Download:
    """Download the files of a competition ("goorm-2", or its slug) or of KorQuAD 1.0 ("korquad").

    They go into the folder *to*, by default ``data/goorm-2``, all at once and with a manifest.  A folder that
    has them already is verified and left alone; *force* replaces what was changed there.  *quiet*: no
    progress bar.  Raises KaggleError by kind, DownloadError for what is not what was offered, LockError.
    """
    from kit import terminal
    from kit.kaggle.client import connect
    from kit.kaggle.downloads import competition_files, korquad
    from kit.kaggle.downloads.install import download as fetch_and_place
    from kit.kaggle.retry import RetryPolicy
    from kit.kaggle.slugs import source_of

    source = source_of(text_given(what, "what"))
    folder = source.folder if to is None else path_given(to, "to")

    def fetch(files: Path, scratch: Path) -> str:
        with terminal.transfer(source.alias, hidden=quiet) as progress:
            if source.is_korquad:
                return korquad.fetch(RetryPolicy.from_environment(), progress, files)
            return competition_files.fetch(connect(), source, progress, files, scratch)

    return fetch_and_place(source, folder, fetch, force=force)
