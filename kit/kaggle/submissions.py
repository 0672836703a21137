"""Submissions on Kaggle: send one, list all, download the file of one, and the day's allowance."""

from __future__ import annotations

import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.errors import UploadFailedError
from kit.kaggle.api_calls import ask, pages
from kit.kaggle.client import Client

PENDING, COMPLETE, ERROR = "pending", "complete", "error"
_SERVICE = "competitions.competition"


@dataclass(frozen=True, slots=True)
class ListedSubmission:
    """One submission in Kaggle's list.  ``at`` is UTC, ISO 8601; scores are None while unknown."""

    ref: int
    at: str
    description: str
    file_name: str
    status: str
    public: float | None
    private: float | None
    reason: str
    by: str = ""
    """The member of the team who made it."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many submissions were made, and how many are left for the rest of the day (UTC)."""

    today: int
    total: int
    left: int
    by_total: bool
    """Whether the allowance of the whole competition is the limit."""

    @property
    def used_up(self) -> bool:
        """Before the first submission Kaggle answers zeros, which is no limit."""
        return self.left == 0 and self.total > 0


def upload(client: Client, competition: str, name: str, content: bytes) -> str:
    """Upload the bytes; returns the token for them.  Nothing is submitted yet.

    Raises UploadFailedError where they did not arrive.
    """

    def start(api: Any) -> Any:
        return ask(
            api,
            _SERVICE,
            "start_submission_upload",
            competition_name=competition,
            file_name=name,
            content_length=len(content),
            last_modified_epoch_seconds=int(time.time()),
        )

    def put(api: Any) -> int:
        import requests

        # The client's own upload hides errors and retries for minutes.
        response = requests.put(begun.create_url, data=content, allow_redirects=True)  # noqa: S113 (`Client` sets it)
        if response.status_code == 407:  # of a proxy, which no later attempt changes
            response.raise_for_status()
        return response.status_code

    begun = client.read(start, "starting the upload", competition)
    try:
        status = client.read(put, "uploading", competition)
    except Exception as error:
        raise UploadFailedError(f"{name}: the upload failed, nothing was submitted ({error})") from error
    if status not in (200, 201):
        raise UploadFailedError(
            f"{name}: the upload failed with {status}, nothing was submitted; try again in a moment"
        )
    return str(begun.token)


def create(client: Client, competition: str, token: str, description: str) -> int:
    """Submit what was uploaded; returns Kaggle's number for it.  Tried once, whatever happens."""

    def call(api: Any) -> int:
        answer = ask(
            api,
            _SERVICE,
            "create_submission",
            competition_name=competition,
            blob_file_tokens=token,
            submission_description=description,
        )
        return int(answer.ref)

    return client.once(call, "submitting", competition)


def submissions(client: Client, competition: str) -> list[ListedSubmission]:
    """All submissions of the account's team, every page."""
    return [
        ListedSubmission(
            ref=int(one.ref),
            at=one.date.strftime("%Y-%m-%dT%H:%M:%SZ") if one.date else "",
            description=one.description or "",
            file_name=one.file_name or "",
            status=one.status.name.lower(),
            public=score_of(one.public_score),
            private=score_of(one.private_score),
            reason=one.error_description or "",
            by=one.submitted_by or "",
        )
        for one in every_page(client, "list_submissions", "listing submissions", competition)
    ]


def allowance(client: Client, competition: str) -> Allowance:
    """How many submissions are left today."""

    def call(api: Any) -> Allowance:
        limits = api.competition_get_submission_limits(competition)
        counts = limits.num_today or 0, limits.num_total or 0, limits.num_allowed_now or 0
        return Allowance(*counts, by_total=bool(limits.limited_by_total))

    return client.read(call, "asking for the day's allowance", competition)


def description(client: Client, ref: int) -> str:
    """The description of submission *ref*, of any competition."""

    answer = client.read(
        lambda api: ask(api, _SERVICE, "get_submission", ref=ref), "asking for the submission", str(ref)
    )
    return answer.description or ""


def fetch(client: Client, ref: int) -> bytes:
    """The file of submission *ref*, as Kaggle has it."""
    with tempfile.TemporaryDirectory(prefix="kit-submission-") as temporary:
        path = Path(temporary) / "submitted"

        def call(api: Any) -> None:
            response = ask(api, _SERVICE, "download_submission", submission_id=ref)
            api.download_file(response, str(path), None)

        client.read(call, "fetching the submission", str(ref))
        return path.read_bytes()


def every_page(client: Client, method: str, doing: str, competition: str, **fields: Any) -> list[Any]:
    """The submissions on all pages of *method*, a list of *competition*."""

    def page(token: str | None) -> Any:
        return client.read(
            lambda api: ask(
                api, _SERVICE, method, competition_name=competition, page_size=100, page_token=token, **fields
            ),
            doing,
            competition,
        )

    return [one for answer in pages(page) for one in answer.submissions or ()]


def score_of(text: object) -> float | None:
    """A score; Kaggle writes scores as text, "" while there is none."""
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
