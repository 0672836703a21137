"""The files that a kernel left: listed page by page, each downloaded from nothing into one folder.

The official client before 2.2.5 writes them wherever their names lead, and takes an error's page for a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kit.errors import DownloadError
from kit.kaggle.client import Client, Heard
from kit.kaggle.downloads.unzip import unsafe_name
from kit.kaggle.kernels.remote import address

_PAGE = 200
_MOST_PAGES = 1000


def fetch_output(client: Client, kernel: str, folder: Path, pattern: str, heard: Heard) -> None:
    """Download the output files of *kernel* whose names match *pattern* (a regular expression) into *folder*.

    All pages of them.  Another attempt keeps what came whole; the caller compares hashes.  Raises
    DownloadError for a name that leads out of *folder*, a KaggleError by kind.
    """
    wanted = re.compile(pattern)
    come: set[str] = set()

    def call(api: Any) -> None:
        # Listed again with every attempt: addresses expire.
        for file in _listed(api, kernel):
            name = file.file_name
            if wanted.search(name) is None or name in come:
                continue
            if reason := unsafe_name(name):
                raise DownloadError(
                    f"{kernel}: Refusing to download {name!r}, which {reason}; look at its output on "
                    f"{address(kernel)}"
                )
            _fetch(api, file.url, folder / name)
            come.add(name)

    with client.heard_by(heard):
        client.read(call, "downloading its output", kernel)


def output_names(client: Client, kernel: str) -> list[str]:
    """The names of all output files of *kernel*, OWNER/SLUG or OWNER/SLUG/VERSION."""
    return client.read(
        lambda api: [str(file.file_name) for file in _listed(api, kernel)], "listing its output", kernel
    )


def _fetch(api: Any, url: str, target: Path) -> None:
    import requests

    target.parent.mkdir(parents=True, exist_ok=True)
    response = requests.get(url, stream=True)  # noqa: S113 (`Client` sets it)
    response.raise_for_status()
    api.download_file(response, str(target), None)


def _listed(api: Any, kernel: str) -> Iterator[Any]:
    """The output files of OWNER/SLUG or OWNER/SLUG/VERSION, each with ``file_name`` and ``url``."""
    from kagglesdk.kernels.types.kernels_api_service import ApiListKernelSessionOutputRequest

    owner, slug, *version = kernel.split("/")
    token = ""
    for _ in range(_MOST_PAGES):
        request = ApiListKernelSessionOutputRequest()
        request.user_name, request.kernel_slug, request.page_size = owner, slug, _PAGE
        if version:
            request.version_label = f"v{version[0]}"
        if token:
            request.page_token = token
        with api.build_kaggle_client() as kaggle:
            answer = kaggle.kernels.kernels_api_client.list_kernel_session_output(request)
        yield from answer.files or ()
        token = answer.next_page_token or ""
        if not token:
            return
