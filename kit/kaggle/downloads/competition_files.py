"""The files of a Kaggle competition, by the official client."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from kit.errors import DownloadError, WriteError
from kit.kaggle.api_calls import pages
from kit.kaggle.client import Client, Progress
from kit.kaggle.downloads.unzip import unpack
from kit.kaggle.slugs import Source


def fetch(client: Client, source: Source, progress: Progress, files: Path, scratch: Path) -> str:
    """Put all files of *source* into the folder *files* and return where they are from.

    *scratch* is a folder for the archive.  Raises a KaggleError by kind, DownloadError where
    the files are not those that Kaggle lists.
    """
    listed = list_files(client, source.slug)
    needed, free = 2 * sum(listed.values()), shutil.disk_usage(scratch).free
    if free < needed:  # the archive, and the files in it
        raise WriteError(
            f"{source.alias}: needs about {needed:,} bytes of disk and {free:,} are free; free space or "
            "choose another disk with --to"
        )

    def call(api: Any) -> None:
        # Another attempt begins from nothing: the client would append to what it cannot check.
        shutil.rmtree(scratch, ignore_errors=True)
        api.competition_download_files(source.slug, path=str(scratch), force=True, quiet=True)

    with client.downloading(progress):
        client.read(call, f"downloading {source.alias}", source.slug)
    archives = [path for path in scratch.rglob("*") if path.is_file()]
    if len(archives) != 1:
        raise DownloadError(f"{source.alias}: {len(archives)} files arrived instead of one; download again")
    unpack(archives[0], files, listed)
    return source.address


def list_files(client: Client, slug: str) -> dict[str, int]:
    """Name → bytes of every file of a competition, all pages.  Raises DownloadError where there is none."""

    def page(token: str | None) -> Any:
        return client.read(lambda api: api.competition_list_files(slug, token, 200), "listing files", slug)

    found = {file.name: file.total_bytes for answer in pages(page) for file in answer.files or ()}
    if not found:
        raise DownloadError(f"{slug}: Kaggle lists no file for it; look at the Data tab of its page")
    return found
