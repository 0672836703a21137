"""KorQuAD 1.0 from its own site, over plain HTTP; needs no Kaggle account."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kit.data.readers import read
from kit.errors import DataError, DownloadError, KaggleError, RateLimitedError, UnavailableError
from kit.kaggle.client import Progress
from kit.kaggle.downloads.unzip import beginning
from kit.kaggle.errors import later, refusal_of
from kit.kaggle.network import network_error, proxy_refused, reason_of
from kit.kaggle.retry import RetryPolicy

if TYPE_CHECKING:
    import requests

ADDRESS = "KIT_KORQUAD_URL"
_SITE = "https://korquad.github.io/dataset"
FILES = ("KorQuAD_v1.0_train.json", "KorQuAD_v1.0_dev.json")
_BLOCK = 1 << 18


def fetch(retry: RetryPolicy, progress: Progress, files: Path) -> str:
    """Put train and dev set into the folder *files* and return where they are from.

    From KorQuAD's site, or from KIT_KORQUAD_URL.  Raises a KaggleError by kind, DownloadError where the files
    are not KorQuAD.
    """
    site = os.environ.get(ADDRESS, "").rstrip("/") or _SITE
    for name in FILES:
        target = files / name
        retry.run(partial(_get, f"{site}/{name}", target, retry, progress))
        _refuse_other_content(target)
    return site


def _get(address: str, target: Path, retry: RetryPolicy, progress: Progress) -> None:
    """One attempt, from nothing.  Raises a KaggleError by kind."""
    import requests

    try:
        with requests.get(address, stream=True, timeout=retry.timeout) as response:
            if response.status_code >= 400:
                raise _refused(address, response) from requests.HTTPError(response=response)
            # What is sent compressed has a Content-Length of its own.
            plain = "Content-Encoding" not in response.headers
            length = response.headers.get("Content-Length") if plain else None
            total = int(length) if length and length.isdecimal() else None
            size = 0
            with target.open("wb") as out:
                for block in response.iter_content(_BLOCK):
                    out.write(block)
                    size += len(block)
                    progress(size, total)
    except OSError as error:
        if (found := network_error(error, address)) is not None:
            raise found from error
        if not isinstance(error, requests.RequestException):
            raise  # of the disk
        raise UnavailableError(
            f"{address}: no readable answer ({reason_of(error)}); try again later"
        ) from error
    if total is not None and size != total:
        raise UnavailableError(f"{address}: {size:,} of {total:,} bytes came; try again later")


def _refused(address: str, response: requests.Response) -> KaggleError:
    status, words = response.status_code, refusal_of(response).words
    if status == 407:
        return proxy_refused(address, address, f"407 ({words})")
    if status == 429:
        return RateLimitedError(f"{address}: too many calls; try again {later(response)}")
    if status >= 500:
        return UnavailableError(f"{address}: answered {status} ({words}); try again later")
    return DownloadError(
        f"{address}: answered {status} ({words}); if the files have moved, set {ADDRESS} to the folder they "
        "are in"
    )


def _refuse_other_content(path: Path) -> None:
    try:
        found = read(path)
    except DataError:
        raise DownloadError(
            f"{path.name}: what came is not KorQuAD's JSON ({beginning(path)}); try again later"
        ) from None
    if found.format != "korquad":
        raise DownloadError(
            f"{path.name}: what came has the layout {found.format}, not KorQuAD's; check "
            f"{ADDRESS} where it is set"
        )
