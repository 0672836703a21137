"""Private data sets of the account: upload files (resumed after an interruption), create, update, wait."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from kit.errors import KaggleError, RejectedError, UnavailableError, UploadFailedError, WriteError
from kit.kaggle.api_calls import ask, request_of, send
from kit.kaggle.client import Client, Progress
from kit.kaggle.errors import WEB, or_none
from kit.kaggle.import_client import kaggle_api_class

_SERVICE = "datasets.dataset"
_READY_TIMEOUTS = 10
"""Number of timeouts of a call that a data set may take to be ready: 10 minutes."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set as the account shows it: ``texts`` are the notes of its latest version and its description.

    Version 0 and no texts where the account has it but shows no details.
    """

    version: int
    private: bool
    texts: tuple[str, ...]


def address(name: str) -> str:
    """The page of OWNER/NAME."""
    return f"{WEB}/datasets/{name}"


def find(client: Client, name: str) -> Dataset | None:
    """The data set OWNER/NAME; None where the account has, or shows, none."""

    def call(api: Any) -> Dataset:
        owner, slug = name.split("/")
        found = ask(api, _SERVICE, "get_dataset", owner_slug=owner, dataset_slug=slug)
        latest = max(found.versions or [], key=lambda one: one.version_number, default=None)
        notes = [latest.version_notes] if latest is not None and latest.version_notes else []
        texts = (*notes, found.description or "")
        return Dataset(found.current_version_number or 0, bool(found.is_private), texts)

    if (found := or_none(lambda: client.read(call, "looking for the data set", name))) is not None:
        return found
    return None if _state(client, name) is None else Dataset(0, True, ())


def _state(client: Client, name: str) -> str | None:
    """How the latest version is: "ready", "failed", ...; None where there is no such data set."""
    return or_none(
        lambda: client.read(lambda api: str(api.dataset_status(name)), "asking for the data set", name)
    )


def create(client: Client, name: str, description: str, tokens: Sequence[str]) -> None:
    """Create the private data set OWNER/NAME from what was uploaded as *tokens*; tried once.

    Raises RejectedError with Kaggle's words, also where the answer has the status of a success.
    """

    def call(api: Any) -> Any:
        owner, slug = name.split("/")
        return ask(
            api,
            _SERVICE,
            "create_dataset",
            owner_slug=owner,
            slug=slug,
            title=slug,
            license_name="unknown",
            is_private=True,
            description=description,
            files=_files(tokens),
        )

    _check(name, client.once(call, "creating the data set", name))


def add_version(client: Client, name: str, notes: str, description: str, tokens: Sequence[str]) -> None:
    """Replace the files of OWNER/NAME by what was uploaded as *tokens*; otherwise as `create`."""

    def call(api: Any) -> Any:
        from kagglesdk.datasets.types.dataset_api_service import ApiCreateDatasetVersionRequestBody

        owner, slug = name.split("/")
        body = ApiCreateDatasetVersionRequestBody()
        body.version_notes, body.description, body.files = notes, description, _files(tokens)
        return ask(api, _SERVICE, "create_dataset_version", owner_slug=owner, dataset_slug=slug, body=body)

    _check(name, client.once(call, "updating the data set", name))


def wait_until_ready(client: Client, name: str) -> None:
    """Wait until Kaggle has unpacked the latest version, so that kernels can attach it.

    Raises RejectedError where that failed, UnavailableError where it takes too long.
    """
    until = time.monotonic() + client.retry.timeout * _READY_TIMEOUTS
    while True:
        state = _state(client, name) or "not shown yet"
        if state == "ready":
            return
        if state in ("failed", "deleted"):
            raise RejectedError(f"{name}: Kaggle could not use the files ({state}); look at {address(name)}")
        if time.monotonic() > until:
            raise UnavailableError(
                f"{name}: is not ready yet ({state}); give the same command again, nothing is uploaded twice"
            )
        time.sleep(client.retry.poll)


def _files(tokens: Sequence[str]) -> list[Any]:
    from kagglesdk.datasets.types.dataset_api_service import ApiDatasetNewFile

    files = []
    for token in tokens:
        file = ApiDatasetNewFile()
        file.token = token
        files.append(file)
    return files


def _check(name: str, answer: Any) -> None:
    if answer.error or (answer.status or "").lower() == "error":
        words = " ".join((answer.error or "no reason").split())
        raise RejectedError(f"{name}: Kaggle did not make the data set ({words}); correct what it names")


@contextlib.contextmanager
def uploaded(client: Client, files: Mapping[Path, str], progress: Progress) -> Iterator[list[str]]:
    """Upload *files* (path → SHA-256) for a data set, and yield the token of each.

    Create the data set inside the block.  The client keeps notes of every upload that began (in the temporary
    folder, readable by its owner alone): where an upload or the creation fails they stay, and the next call
    asks the store how much arrived and sends only the rest.  Raises UploadFailedError where a file did not
    arrive, WriteError where no notes can be kept.
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
                return _upload(api, notes, path, f"kit-{sha256}", lambda done: progress(before + done, total))

            try:
                tokens.append(client.read(call, "uploading", path.name))
            except KaggleError as error:
                raise UploadFailedError(
                    f"{path}: did not arrive ({error}); give the same command again, it sends only the rest"
                ) from error
            before += path.stat().st_size
        yield tokens


def _upload(api: Any, notes: Any, path: Path, key: str, report: Callable[[int], object]) -> str:
    """Send *path*, or the rest of it; returns its token.  Raises UnavailableError to be tried again.

    *key* names the record of an unfinished upload after the file's content: another file never resumes it.
    """
    from kagglesdk.blobs.types.blob_api_service import ApiBlobType

    size = path.stat().st_size
    request = request_of(
        "blobs.blob",
        "start_blob_upload",
        type=ApiBlobType.DATASET,
        name=path.name,
        content_length=size,
        last_modified_epoch_seconds=int(path.stat().st_mtime),
    )
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
        upload.upload_initiated(send(api, "blobs.blob", "start_blob_upload", request))
    begun = upload.start_blob_upload_response
    headers = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
    with path.open("rb") as file:
        answer = _put(begun.create_url, _Rest(file, start, size, report), headers)
    if answer.status_code not in (200, 201):
        raise UnavailableError(f"the store behind Kaggle answered {answer.status_code}")
    return str(begun.token)


def _arrived(url: str, size: int) -> int | None:
    """How many bytes of an upload arrived; None where the store no longer knows it.

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


def _put(url: str, data: Any, headers: dict[str, str]) -> Any:
    import requests

    # The client's own upload hides errors and retries for minutes.
    return requests.put(url, data=data, headers=headers)  # noqa: S113 (`Client` sets it)


class _Rest:
    """A file from *start* to its end that reports how many bytes were read."""

    def __init__(self, file: BinaryIO, start: int, size: int, report: Callable[[int], object]) -> None:
        self.file, self.start, self.size, self.report = file, start, size, report
        file.seek(start)

    def __len__(self) -> int:
        return self.size - self.start

    def read(self, size: int = -1) -> bytes:
        """As `io.RawIOBase.read`."""
        block = self.file.read(size)
        self.report(self.file.tell())
        return block
