"""How a kernel on Kaggle is, and its latest version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kit.kaggle.api_calls import ask
from kit.kaggle.client import Client
from kit.kaggle.errors import WEB, or_none
from kit.kaggle.kernels.limits import cure_of

_WORDS = {
    "QUEUED": "waiting for a machine",
    "RUNNING": "running",
    "COMPLETE": "finished",
    "ERROR": "failed",
    "CANCEL_REQUESTED": "being cancelled",
    "CANCEL_ACKNOWLEDGED": "cancelled",
    "NEW_SCRIPT": "saved, never run",
}


@dataclass(frozen=True, slots=True)
class LatestVersion:
    """The latest version of a kernel that the account has: its number, and its source."""

    version: int
    source: str


@dataclass(frozen=True, slots=True)
class Status:
    """How a kernel is: Kaggle's word, and what it says of a failure."""

    kernel: str
    state: str
    message: str

    @property
    def words(self) -> str:
        """The state in plain words."""
        return _WORDS.get(self.state, self.state.lower())

    @property
    def reason(self) -> str:
        """Kaggle's message of a failure, with the cure where that is known; "" without a message."""
        cure = cure_of(self.message)
        return f"{self.message}; {cure}" if cure else self.message

    @property
    def url(self) -> str:
        """Its page."""
        return address(self.kernel)

    @property
    def over(self) -> bool:
        """Whether it will not change any more."""
        return self.state in {"COMPLETE", "ERROR", "CANCEL_ACKNOWLEDGED"}

    @property
    def busy(self) -> bool:
        """Whether it waits for a machine, or has one."""
        return not self.over and self.state != "NEW_SCRIPT"


def address(kernel: str) -> str:
    """The page of a kernel, OWNER/SLUG or OWNER/SLUG/VERSION; Kaggle has none for a version by its number."""
    return f"{WEB}/code/{'/'.join(kernel.split('/')[:2])}"


def needs_versions(client: Client, kernel: str) -> None:
    """Raise KaggleError where *kernel* names a version and the installed client would ignore that."""
    if kernel.count("/") == 2:
        client.needs("_kernel_version_label", f"{kernel}: asking for a version")


def latest_version(client: Client, kernel: str) -> LatestVersion | None:
    """What the account has under *kernel* (OWNER/SLUG); None where it has, or shows, nothing."""

    def call(api: Any) -> LatestVersion:
        owner, slug = kernel.split("/")
        answer = ask(api, "kernels.kernels", "get_kernel", user_name=owner, kernel_slug=slug)
        metadata, blob = answer.metadata, answer.blob
        return LatestVersion(metadata.current_version_number if metadata else 0, blob.source if blob else "")

    return or_none(lambda: client.read(call, "looking for the kernel", kernel))


def status_if_any(client: Client, kernel: str) -> Status | None:
    """How *kernel* is; None where the account has, or shows, no such kernel."""
    return or_none(lambda: status(client, kernel))


def status(client: Client, kernel: str) -> Status:
    """How *kernel* is: the latest version of OWNER/SLUG, or OWNER/SLUG/VERSION."""
    needs_versions(client, kernel)
    answer = client.read(lambda api: api.kernels_status(kernel), "asking", kernel)
    return Status(kernel, answer.status.name, " ".join(answer.failure_message.split()))
