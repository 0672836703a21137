"""Kernels on Kaggle, by the official client: pushed once, and asked how they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from kit.errors import KaggleError, RejectedError, RulesNotAcceptedError
from kit.kaggle.client import Client
from kit.kaggle.errors import status_of
from kit.kaggle.kernels.refusals import cure_of, refusal

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
    """What Kaggle made of a push.

    ``trouble``: what is wrong with it although it was saved, or may have been; None where nothing is.
    """

    kernel: str
    url: str
    version: int
    """0 where the answer does not say it: then the kernel may not have been saved."""
    trouble: KaggleError | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A kernel that the account has: its latest version, and the source of that."""

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
        """The state as a person says it."""
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
    return f"{_WEB}/code/{'/'.join(kernel.split('/')[:2])}"


def needs_versions(client: Client, kernel: str) -> None:
    """Raise KaggleError where *kernel* names a version and the installed client would ignore that."""
    if kernel.count("/") == 2:
        client.needs("_kernel_version_label", f"{kernel}: asking for a version")


def save(client: Client, folder: Path, kernel: str, competition: str) -> Saved:
    """Push the kernel whose files are in *folder*; asked once, since asking again would run it twice.

    What the answer complains about is in ``trouble``.  Raises a KaggleError by kind where there is no answer
    that can be read, or a clear no: `kit.kaggle.errors.PERHAPS_DONE` tells them apart.
    """
    answer = client.once(lambda api: api.kernels_push(str(folder)), "pushing the kernel", competition)
    parts = (answer.ref or "").strip("/").split("/")
    named = "/".join(parts[-2:]) if len(parts) > 1 else kernel  # where Kaggle chose another slug
    url, version = answer.url or address(named), answer.version_number or 0
    saved = f"saved, see {url}, but"
    trouble: KaggleError | None = None
    if answer.error:
        what = f"{saved} Kaggle complains" if version else "Kaggle refused it"
        return Saved(named, url, version, refusal(kernel, answer.error, what))
    if competition in answer.invalid_competition_sources:
        trouble = RulesNotAcceptedError(
            f"{kernel}: {saved} without the data of {competition}; accept its rules at "
            f"{_WEB}/c/{competition}/rules, stop it on its page and push again with --replace"
        )
    elif wrong := [
        *answer.invalid_competition_sources,
        *answer.invalid_dataset_sources,
        *answer.invalid_kernel_sources,
        *answer.invalid_model_sources,
    ]:
        trouble = RejectedError(
            f"{kernel}: {saved} without {', '.join(map(str, wrong))}, which this account cannot see; correct "
            "the name, stop it on its page and push again with --replace"
        )
    return Saved(named, url, version or 1, trouble)


def known(client: Client, kernel: str) -> Known | None:
    """What the account has under *kernel* (OWNER/SLUG); None where it has, or shows, nothing."""

    def call(api: Any) -> Known:
        from kagglesdk.kernels.types.kernels_api_service import ApiGetKernelRequest

        request = ApiGetKernelRequest()
        request.user_name, request.kernel_slug = kernel.split("/")
        with api.build_kaggle_client() as kaggle:
            answer = kaggle.kernels.kernels_api_client.get_kernel(request)
        metadata, blob = answer.metadata, answer.blob
        return Known(metadata.current_version_number if metadata else 0, blob.source if blob else "")

    return _or_none(lambda: client.read(call, "looking for the kernel", kernel))


def status_if_any(client: Client, kernel: str) -> Status | None:
    """How *kernel* is; None where the account has, or shows, no such kernel."""
    return _or_none(lambda: status(client, kernel))


def _or_none(call: Callable[[], Result]) -> Result | None:
    try:
        return call()
    except KaggleError as error:
        # Kaggle answers 403 for a private kernel that is not there, too.
        if status_of(error) in (403, 404):
            return None
        raise


def status(client: Client, kernel: str) -> Status:
    """How *kernel* is: the latest version of OWNER/SLUG, or OWNER/SLUG/VERSION."""
    needs_versions(client, kernel)
    answer = client.read(lambda api: seen(lambda: api.kernels_status(kernel)), "asking", kernel)
    return Status(kernel, answer.status.name, " ".join(answer.failure_message.split()))


def seen(call: Callable[[], Result]) -> Result:
    """*call* (), with what the client words as a ValueError told apart."""
    try:
        return call()
    except ValueError as error:
        raise _behind(error) from None


def seen_items(items: Iterator[Result]) -> Iterator[Result]:
    """The same for what a call yields."""
    try:
        yield from items
    except ValueError as error:
        raise _behind(error) from None


def _behind(error: ValueError) -> Exception:
    cause = error.__context__
    answered = isinstance(cause, Exception) and getattr(cause, "response", None) is not None
    return cause if answered else error  # type: ignore[return-value]
