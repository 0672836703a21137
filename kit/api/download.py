"""``kit download`` as a function."""

from __future__ import annotations

from pathlib import Path

from kit import terminal
from kit.api.arguments import PathLike, path_given, text_given
from kit.kaggle.client import connect
from kit.kaggle.downloads import competition_files, korquad
from kit.kaggle.downloads.install import Download
from kit.kaggle.downloads.install import download as fetch_and_place
from kit.kaggle.retry import RetryPolicy
from kit.kaggle.slugs import source_of


def download(what: str, to: PathLike | None = None, *, force: bool = False, quiet: bool = False) -> Download:
    """Download the files of a competition ("goorm-2", or its slug) or of KorQuAD 1.0 ("korquad").

    They are put into the folder *to*, by default ``data/goorm-2``, all at once and with a manifest.  Files
    that are there already are verified and kept; *force* replaces those that were changed.  *quiet*: no
    progress bar.  Raises KaggleError by kind, DownloadError where the files differ from what was offered,
    LockError.
    """
    source = source_of(text_given(what, "what"))
    folder = source.folder if to is None else path_given(to, "to")

    def fetch(files: Path, scratch: Path) -> str:
        with terminal.transfer(source.alias, hidden=quiet) as progress:
            if source.is_korquad:
                return korquad.fetch(RetryPolicy.from_environment(), progress, files)
            return competition_files.fetch(connect(), source, progress, files, scratch)

    return fetch_and_place(source, folder, fetch, force=force)
