"""Large files to Kaggle's store, resumed where an upload was interrupted.

The client keeps a note of every upload that began (in the temporary folder, readable by its owner alone); a
later process asks the store how much has come and sends only the rest.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from kit.errors import KaggleError, UnavailableError, UploadFailedError, WriteError
from kit.kaggle.client import Client, Heard
from kit.kaggle.import_client import kaggle_api_class

Come = Callable[[int], object]
"""Hears how many bytes of a file were read."""


@contextlib.contextmanager
def uploaded(client: Client, files: Mapping[Path, str], heard: Heard) -> Iterator[list[str]]:
    """Bring *files* (path → SHA-256) to Kaggle's store for a data set, and yield the token of each.

    Create what they are for inside the block: where that, or an upload, fails, the notes stay and the next
    call sends nothing that has come.  Raises UploadFailedError where a file did not arrive, WriteError where
    no notes can be kept.
    """
    total = sum(path.stat().st_size for path in files)
    tokens: list[str] = []
    before = 0
    with contextlib.ExitStack() as stack:
        try:
            notes = stack.enter_context(sys.modules[kaggle_api_class().__module__].ResumableUploadContext())
        except (OSError, ValueError) as error:
            raise WriteError(
                f"{tempfile.gettempdir()}: the client cannot keep its notes there ({error}); set TMPDIR to a "
                "folder of your own"
            ) from error
        for path, sha256 in files.items():

            def call(api: Any, path: Path = path, sha256: str = sha256, before: int = before) -> str:
                return _one(api, notes, path, f"kit-{sha256}", lambda come: heard(before + come, total))

            try:
                tokens.append(client.read(call, "uploading", path.name))
            except KaggleError as error:
                raise UploadFailedError(
                    f"{path}: did not arrive ({error}); give the same command again, it sends only the rest"
                ) from error
            before += path.stat().st_size
        yield tokens


def _one(api: Any, notes: Any, path: Path, key: str, come: Come) -> str:
    """Send *path*, or the rest of it; returns its token.  Raises UnavailableError to be tried again.

    *key* names the record of an unfinished upload after the file's content: another file never resumes it.
    """
    from kagglesdk.blobs.types.blob_api_service import ApiBlobType, ApiStartBlobUploadRequest

    size = path.stat().st_size
    request = ApiStartBlobUploadRequest()
    request.type, request.name, request.content_length = ApiBlobType.DATASET, path.name, size
    request.last_modified_epoch_seconds = int(path.stat().st_mtime)
    upload = notes.new_resumable_file_upload(key, request)
    start = 0
    if upload.can_resume:
        arrived = _arrived(upload.start_blob_upload_response.create_url, size)
        if arrived == size:
            return str(upload.start_blob_upload_response.token)
        if arrived is None:
            upload.upload_expired()
        start = arrived or 0
    if not upload.can_resume:
        with api.build_kaggle_client() as kaggle:
            upload.upload_initiated(kaggle.blobs.blob_api_client.start_blob_upload(request))
    _send(path, upload.start_blob_upload_response.create_url, start, size, come)
    return str(upload.start_blob_upload_response.token)


def _arrived(url: str, size: int) -> int | None:
    """How many bytes of an upload have come; None where the store knows it no more.

    The store is Google's: https://cloud.google.com/storage/docs/performing-resumable-uploads
    """
    answer = _put(url, b"", {"Content-Range": f"bytes */{size}"})
    if answer.status_code in (200, 201):
        return size
    if answer.status_code == 308:
        last = answer.headers.get("Range", "").rpartition("-")[2]
        return int(last) + 1 if last.isdecimal() else 0
    if answer.status_code >= 500 or answer.status_code in (408, 429):
        raise UnavailableError(f"the store behind Kaggle answered {answer.status_code}")
    return None


def _send(path: Path, url: str, start: int, size: int, come: Come) -> None:
    headers = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
    with path.open("rb") as file:
        answer = _put(url, _Rest(file, start, size, come), headers)
    if answer.status_code not in (200, 201):
        raise UnavailableError(f"the store behind Kaggle answered {answer.status_code}")


def _put(url: str, data: Any, headers: dict[str, str]) -> Any:
    import requests

    # The client's own upload swallows errors and tries for minutes.
    return requests.put(url, data=data, headers=headers)  # noqa: S113 (`_timeout`)


class _Rest:
    """A file from *start* on, of known length, that tells how much of it was read."""

    def __init__(self, file: BinaryIO, start: int, size: int, come: Come) -> None:
        self.file, self.start, self.size, self.come = file, start, size, come
        file.seek(start)

    def __len__(self) -> int:
        return self.size - self.start

    def read(self, size: int = -1) -> bytes:
        """As of a file."""
        block = self.file.read(size)
        self.come(self.file.tell())
        return block
