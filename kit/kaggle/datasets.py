"""Private data sets of the account: what is in one, a new one, a new version, and whether it is ready."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kit.errors import KaggleError, RejectedError, UnavailableError
from kit.kaggle.client import Client
from kit.kaggle.errors import status_of

_WEB = "https://www.kaggle.com/datasets"
_LICENCE = "unknown"
_POLL_SHARE = 1 / 12
"""Of the time limit of a call, between two looks at a data set that is not ready: 5 s of 60."""
_READY_LIMITS = 10
"""How many time limits of a call a data set may take to be ready: 10 minutes."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set as the account shows it: ``texts`` are the notes of its latest version and its description.

    Version 0 and no texts where the account has it, and shows no more than that.
    """

    version: int
    private: bool
    texts: tuple[str, ...]


def address(name: str) -> str:
    """The page of OWNER/NAME."""
    return f"{_WEB}/{name}"


def find(client: Client, name: str) -> Dataset | None:
    """The data set OWNER/NAME; None where the account has, or shows, none."""

    def call(api: Any) -> Dataset:
        from kagglesdk.datasets.types.dataset_api_service import ApiGetDatasetRequest

        request = ApiGetDatasetRequest()
        request.owner_slug, request.dataset_slug = name.split("/")
        with api.build_kaggle_client() as kaggle:
            found = kaggle.datasets.dataset_api_client.get_dataset(request)
        latest = max(found.versions or [], key=lambda one: one.version_number, default=None)
        notes = [latest.version_notes] if latest is not None and latest.version_notes else []
        texts = (*notes, found.description or "")
        return Dataset(found.current_version_number or 0, bool(found.is_private), texts)

    try:
        return client.read(call, "looking for the data set", name)
    except KaggleError as error:
        if status_of(error) not in (403, 404):
            raise
    return None if _state(client, name) is None else Dataset(0, True, ())


def _state(client: Client, name: str) -> str | None:
    """How the latest version is: "ready", "failed", ...; None where there is no such data set."""
    try:
        return client.read(lambda api: str(api.dataset_status(name)), "asking for the data set", name)
    except KaggleError as error:
        if status_of(error) in (403, 404):
            return None
        raise


def create(client: Client, name: str, description: str, tokens: Sequence[str]) -> None:
    """Make the private data set OWNER/NAME of what was uploaded as *tokens*; tried once.

    Raises RejectedError with Kaggle's words, also where its answer calls that a success.
    """

    def call(api: Any) -> Any:
        from kagglesdk.datasets.types.dataset_api_service import ApiCreateDatasetRequest

        request = ApiCreateDatasetRequest()
        request.owner_slug, request.slug = name.split("/")
        request.title, request.license_name, request.is_private = request.slug, _LICENCE, True
        request.description, request.files = description, _files(tokens)
        with api.build_kaggle_client() as kaggle:
            return kaggle.datasets.dataset_api_client.create_dataset(request)

    _check(name, client.once(call, "creating the data set", name))


def add_version(client: Client, name: str, notes: str, description: str, tokens: Sequence[str]) -> None:
    """Put what was uploaded as *tokens* in place of the files of OWNER/NAME; as `create`."""

    def call(api: Any) -> Any:
        from kagglesdk.datasets.types.dataset_api_service import (
            ApiCreateDatasetVersionRequest,
            ApiCreateDatasetVersionRequestBody,
        )

        request, body = ApiCreateDatasetVersionRequest(), ApiCreateDatasetVersionRequestBody()
        request.owner_slug, request.dataset_slug = name.split("/")
        body.version_notes, body.description, body.files = notes, description, _files(tokens)
        request.body = body
        with api.build_kaggle_client() as kaggle:
            return kaggle.datasets.dataset_api_client.create_dataset_version(request)

    _check(name, client.once(call, "updating the data set", name))


def wait_until_ready(client: Client, name: str) -> None:
    """Wait until Kaggle has unpacked the latest version, so that kernels can attach it.

    Raises RejectedError where that failed, UnavailableError where it takes too long.
    """
    until = time.monotonic() + client.patience.timeout * _READY_LIMITS
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
        time.sleep(client.patience.timeout * _POLL_SHARE)


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
