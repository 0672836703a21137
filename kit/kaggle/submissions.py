"""Submissions as Kaggle has them: sending one, listing all, fetching a file back, the day's allowance."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kit.errors import UploadFailedError
from kit.kaggle.client import Client

PENDING, COMPLETE, ERROR = "pending", "complete", "error"
_PAGE = 100
_MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Listed:
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
    """Who of the team made it."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many submissions are made, and left for the rest of the day (UTC)."""

    today: int
    total: int
    left: int
    by_total: bool
    """The competition's whole allowance is what limits."""

    @property
    def used_up(self) -> bool:
        """Before the first submission Kaggle answers zeros, which is no limit."""
        return self.left == 0 and self.total > 0


def upload(client: Client, competition: str, name: str, content: bytes) -> str:
    """Bring the bytes to Kaggle's store; returns the token that stands for them.  Nothing is submitted yet.

    Raises UploadFailedError where they did not arrive.
    """

    def start(api: Any) -> tuple[str, str]:
        from kagglesdk.competitions.types.competition_api_service import ApiStartSubmissionUploadRequest

        request = ApiStartSubmissionUploadRequest()
        request.competition_name, request.file_name = competition, name
        request.content_length = len(content)
        request.last_modified_epoch_seconds = int(datetime.now(UTC).timestamp())
        with api.build_kaggle_client() as kaggle:
            answer = kaggle.competitions.competition_api_client.start_submission_upload(request)
        return answer.create_url, answer.token

    def put(api: Any) -> int:
        import requests

        # The client's own upload swallows errors and retries for minutes.
        response = requests.put(url, data=content, allow_redirects=True)  # noqa: S113 (`_timeout`)
        if response.status_code == 407:  # of a proxy, which no later attempt changes
            response.raise_for_status()
        return response.status_code

    url, token = client.read(start, "starting the upload", competition)
    try:
        status = client.read(put, "uploading", competition)
    except Exception as error:
        raise UploadFailedError(f"{name}: the upload failed, nothing was submitted ({error})") from error
    if status not in (200, 201):
        raise UploadFailedError(
            f"{name}: the upload failed with {status}, nothing was submitted; try again in a moment"
        )
    return token


def create(client: Client, competition: str, token: str, description: str) -> int:
    """Submit what was uploaded; returns Kaggle's number for it.  Tried once, whatever happens."""

    def call(api: Any) -> int:
        from kagglesdk.competitions.types.competition_api_service import ApiCreateSubmissionRequest

        request = ApiCreateSubmissionRequest()
        request.competition_name, request.blob_file_tokens = competition, token
        request.submission_description = description
        with api.build_kaggle_client() as kaggle:
            answer = kaggle.competitions.competition_api_client.create_submission(request)
        return int(answer.ref)

    return client.once(call, "submitting", competition)


def submissions(client: Client, competition: str) -> list[Listed]:
    """All submissions of the account's team, every page."""

    def page(kaggle: Any, token: str) -> Any:
        from kagglesdk.competitions.types.competition_api_service import ApiListSubmissionsRequest

        request = asking(ApiListSubmissionsRequest(), competition, token)
        return kaggle.competitions.competition_api_client.list_submissions(request)

    return [_listed(one) for one in every_page(client, page, "listing submissions", competition)]


def allowance(client: Client, competition: str) -> Allowance:
    """How many submissions are left today."""

    def call(api: Any) -> Allowance:
        limits = api.competition_get_submission_limits(competition)
        return Allowance(
            limits.num_today or 0, limits.num_total or 0, limits.num_allowed_now or 0,
            bool(limits.limited_by_total),
        )  # fmt: skip

    return client.read(call, "asking for the day's allowance", competition)


def description(client: Client, ref: int) -> str:
    """The description of submission *ref*, of whatever competition."""

    def call(api: Any) -> str:
        from kagglesdk.competitions.types.competition_api_service import ApiGetSubmissionRequest

        request = ApiGetSubmissionRequest()
        request.ref = ref
        with api.build_kaggle_client() as kaggle:
            answer = kaggle.competitions.competition_api_client.get_submission(request)
        return str(answer.description or "")

    return client.read(call, "asking for the submission", str(ref))


def fetch(client: Client, ref: int) -> bytes:
    """The file of submission *ref*, as Kaggle has it."""
    with tempfile.TemporaryDirectory(prefix="kit-submission-") as temporary:
        path = Path(temporary) / "submitted"

        def call(api: Any) -> None:
            from kagglesdk.competitions.types.competition_api_service import ApiDownloadSubmissionRequest

            request = ApiDownloadSubmissionRequest()
            request.submission_id = ref
            with api.build_kaggle_client() as kaggle:
                response = kaggle.competitions.competition_api_client.download_submission(request)
                api.download_file(response, str(path), kaggle.http_client())

        client.read(call, "fetching the submission", str(ref))
        return path.read_bytes()


def asking(request: Any, competition: str, token: str) -> Any:
    """*request* for the page of *competition* that *token* ("" for the first) stands for."""
    request.competition_name, request.page_size = competition, _PAGE
    if token:
        request.page_token = token
    return request


def every_page(client: Client, page: Callable[[Any, str], Any], doing: str, competition: str) -> list[Any]:
    """The submissions on all pages that *page* (kaggle, token) answers with."""
    found: list[Any] = []
    token = ""
    for _ in range(_MOST_PAGES):

        def call(api: Any, token: str = token) -> Any:
            with api.build_kaggle_client() as kaggle:
                return page(kaggle, token)

        answer = client.read(call, doing, competition)
        found += answer.submissions or []
        token = answer.next_page_token or ""
        if not token:
            break
    return found


def _listed(one: Any) -> Listed:
    return Listed(
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


def score_of(text: object) -> float | None:
    """A score; Kaggle writes scores as text, "" while there is none."""
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
