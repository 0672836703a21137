"""Kernels on Kaggle, by the official client: pushed once, and asked how they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kit.competition.kaggle.client import Client
from kit.errors import (
    OutcomeUnknownError,
    RejectedError,
    RulesNotAcceptedError,
    UnavailableError,
)

_WEB = "https://www.kaggle.com"
_WORDS = {
    "QUEUED": "waiting for a machine",
    "RUNNING": "running",
    "COMPLETE": "finished",
    "ERROR": "failed",
    "CANCEL_REQUESTED": "being cancelled",
    "CANCEL_ACKNOWLEDGED": "cancelled",
    "NEW_SCRIPT": "saved, never run",
}
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Saved:
    """What Kaggle made of a push."""

    kernel: str
    url: str
    version: int


@dataclass(frozen=True, slots=True)
class Status:
    """How a kernel is: Kaggle's word, and what it says of a failure."""

    kernel: str
    state: str
    message: str

    @property
    def words(self) -> str:
        """The state as a person says it."""
        return _WORDS.get(self.state, self.state.lower())

    @property
    def url(self) -> str:
        """Its page."""
        return address(self.kernel)

    @property
    def over(self) -> bool:
        """Whether it will not change any more."""
        return self.state in {"COMPLETE", "ERROR", "CANCEL_ACKNOWLEDGED"}


def address(kernel: str) -> str:
    """The page of a kernel."""
    return f"{_WEB}/code/{kernel}"


def save(client: Client, folder: Path, kernel: str, competition: str) -> Saved:
    """Push the kernel whose files are in *folder*; asked once, since asking again would run it twice.

    Raises RejectedError for what Kaggle refuses, also where its answer calls that a success;
    OutcomeUnknownError where no answer came.
    """
    try:
        answer = client.once(lambda api: api.kernels_push(str(folder)), "pushing the kernel", competition)
    except UnavailableError as error:
        raise OutcomeUnknownError(
            f"{kernel}: {error}; whether it was saved is not known: look at {address(kernel)} before "
            "pushing again"
        ) from error
    if answer.error:
        raise RejectedError(f"{kernel}: Kaggle did not save it ({' '.join(answer.error.split())})")
    if competition in answer.invalid_competition_sources:
        raise RulesNotAcceptedError(
            f"{kernel}: saved, but without the data of {competition}; accept its rules at "
            f"{_WEB}/c/{competition}/rules and push again"
        )
    if wrong := [*answer.invalid_dataset_sources, *answer.invalid_kernel_sources]:
        raise RejectedError(
            f"{kernel}: saved, but without {', '.join(wrong)}, which this account cannot see; correct the "
            "name and push again"
        )
    parts = (answer.ref or "").strip("/").split("/")
    named = "/".join(parts[-2:]) if len(parts) > 1 else kernel  # where Kaggle chose another slug
    return Saved(named, answer.url or address(named), answer.version_number or 1)


def status(client: Client, kernel: str) -> Status:
    """How *kernel* (OWNER/SLUG) is."""
    answer = client.read(lambda api: _seen(lambda: api.kernels_status(kernel), kernel), "asking", kernel)
    return Status(kernel, answer.status.name, " ".join(answer.failure_message.split()))


def _seen(call: Callable[[], Result], kernel: str) -> Result:
    """*call* (), with what the client words as a ValueError told apart."""
    try:
        return call()
    except ValueError as error:
        cause = error.__context__
        if cause is not None and getattr(cause, "response", None) is not None:
            raise cause from None
        raise
