"""The files of a Kaggle competition, by the official client."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

from kit.errors import DownloadError, WriteError
from kit.kaggle.client import Client, Heard
from kit.kaggle.downloads.sources import Source
from kit.kaggle.downloads.unzip import unpack

_MOST_PAGES = 1000


def fetch(client: Client, source: Source, heard: Heard, files: Path, scratch: Path) -> str:
    """Put all files of *source* into the folder *files* and return where they are from.

    *scratch* is a folder for the archive; *heard* hears of its bytes.  Raises a KaggleError by kind,
    DownloadError where what came is not what is listed.
    """
    listed = list_files(client, source.slug)
    needed, free = 2 * sum(listed.values()), shutil.disk_usage(scratch).free
    if free < needed:  # the archive, and what comes out of it
        raise WriteError(
            f"{source.alias}: needs about {needed:,} bytes of disk and {free:,} are free; free space or "
            "choose another disk with --to"
        )

    def call(api: Any) -> None:
        # Another attempt begins from nothing: the client would append to what it cannot check.
        shutil.rmtree(scratch, ignore_errors=True)
        api.competition_download_files(source.slug, path=str(scratch), force=True, quiet=True)

    with client.heard_by(heard):
        client.read(call, f"downloading {source.alias}", source.slug)
    archives = [path for path in scratch.rglob("*") if path.is_file()]
    if len(archives) != 1:
        raise DownloadError(f"{source.alias}: {len(archives)} files came instead of one; download again")
    unpack(archives[0], files, listed)
    return source.address


def list_files(client: Client, slug: str) -> dict[str, int]:
    """Name → bytes of every file of a competition, all pages.  Raises DownloadError where there is none."""
    found: dict[str, int] = {}
    token: str | None = None
    for _ in range(_MOST_PAGES):
        page = client.read(partial(_page, slug, token), "listing files", slug)
        for file in page.files or ():
            found[file.name] = file.total_bytes
        token = page.next_page_token
        if not token:
            break
    else:
        raise DownloadError(f"{slug}: its list of files does not end; try again later")
    if not found:
        raise DownloadError(f"{slug}: Kaggle lists no file for it; look at the Data tab of its page")
    return found


def _page(slug: str, token: str | None, api: Any) -> Any:
    return api.competition_list_files(slug, token, 200)
