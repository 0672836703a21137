"""``runs/kernels.jsonl``: the record of pushes from here, one event a line; and which kernel a name means."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ValidationError

from kit.errors import ConfigError, WriteError, nearest
from kit.files import append_line, locked
from kit.kaggle.slugs import kernel_named
from kit.settings.validation import Settings

FILE = "kernels.jsonl"
Record = TypeVar("Record", bound=Settings)
_KERNEL = re.compile(r"[a-z0-9_-]+/[a-z0-9-]{5,}")
_VERSION = re.compile(r"v?([1-9][0-9]*)")
_HOW = "give OWNER/SLUG or OWNER/SLUG/VERSION, the last parts of its address"


class PushRecord(Settings):
    """One push: ``kernel`` is OWNER/SLUG.

    It is written twice: before it is sent, as "unknown", and when the outcome is known.
    """

    kernel: str
    version: int
    """0 where it is not known."""
    url: str
    run: str
    backbone: str
    competition: str
    pushed: str
    """When, UTC, ISO 8601."""
    revision: str
    id: str = ""
    """The same in all lines of one push."""
    state: Literal["saved", "unknown", "refused"] = "saved"
    """"unknown": it was sent, and no answer says whether Kaggle saved it."""
    dataset: str = ""
    """OWNER/NAME of the data set with the weights of ``--weights``."""
    weights_sha256: str = ""
    """Of those weights: see `kit.kaggle.kernels.weights.LocalBackbone.sha256`."""


@dataclass(frozen=True, slots=True)
class NamedKernel:
    """A kernel that a person named: OWNER/SLUG or OWNER/SLUG/VERSION.

    ``run``: the run whose kernel was asked for, by its name or as the latest push; None where the kernel was
    named by its slug.
    """

    kernel: str
    run: str | None = None


def remember(runs: Path, pushed: PushRecord) -> None:
    """Add one line to the record of pushes.  Raises WriteError."""
    append_record(runs / FILE, pushed, f"look at {pushed.url} for what was pushed")


def all_pushed(runs: Path) -> list[PushRecord]:
    """Every push from here that Kaggle did not refuse, oldest first; a torn line is skipped."""
    found = {
        pushed.id or str(number): pushed
        for number, pushed in enumerate(read_records(runs / FILE, PushRecord))
    }
    return [pushed for pushed in found.values() if pushed.state != "refused"]


def append_record(path: Path, record: Settings, cure: str) -> None:
    """Add *record* as a line of JSON, flushed to the disk; several processes may write at the same time.

    Raises WriteError with *cure*.
    """
    try:
        with locked(path):
            append_line(path, record.model_dump_json().encode())
    except OSError as error:
        raise WriteError(f"{path}: cannot be written ({error.strerror}); {cure}") from error


def read_records(path: Path, model: type[Record]) -> Iterator[Record]:
    """The lines of *path* as *model*; torn lines are skipped, and without a file there are none."""
    if path.is_file():
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValidationError):
                yield model.model_validate_json(line)


def find_kernel(runs: Path, named: str | None) -> str:
    """OWNER/SLUG, or OWNER/SLUG/VERSION, of the kernel that *named* means: see `locate`."""
    return locate(runs, named).kernel


def locate(runs: Path, named: str | None) -> NamedKernel:
    """The kernel that *named* means.

    OWNER/SLUG, the address of its page, or a run or slug that was pushed from here, each with /VERSION where
    an older version is meant; without *named* the latest push.  Raises ConfigError where nothing fits.
    """
    pushes = all_pushed(runs)
    if named is None:
        if not pushes:
            raise ConfigError(f"{runs / FILE}: no kernel was pushed from here; name one, as OWNER/SLUG")
        return NamedKernel(pushes[-1].kernel, pushes[-1].run)
    text, version = _without_version(named.strip())
    if "/" in text:
        text, version = _without_version(kernel_named(named))
    if "/" in text:
        if not _KERNEL.fullmatch(text.lower()):
            raise ConfigError(f"{named!r}: is no kernel; {_HOW}")
        return NamedKernel(_versioned(text.lower(), version))
    for pushed in reversed(pushes):
        if text == pushed.run:
            return NamedKernel(_version_of_run(pushed, pushes, version), pushed.run)
        if text.lower() == pushed.kernel.split("/")[1]:
            return NamedKernel(_versioned(pushed.kernel, version))
    near = nearest(text, [name for pushed in pushes for name in (pushed.run, pushed.kernel.split("/")[1])])
    cure = f"did you mean {near}?" if near else _HOW
    raise ConfigError(f"{text}: no kernel or run of this name was pushed from here; {cure}")


def _without_version(text: str) -> tuple[str, int | None]:
    """*text* and the version behind its last slash; OWNER/SLUG has none, even where the slug is a number."""
    name, slash, last = text.rpartition("/")
    found = _VERSION.fullmatch(last)
    if slash and found and ("/" in name or len(last) < 5):
        return name, int(found[1])
    return text, None


def _versioned(kernel: str, version: int | None) -> str:
    return kernel if version is None else f"{kernel}/{version}"


def _version_of_run(pushed: PushRecord, pushes: list[PushRecord], version: int | None) -> str:
    """The kernel of a run, with the run's own version where a later push put another run over it."""
    if version is not None:
        return _versioned(pushed.kernel, version)
    later = pushes[pushes.index(pushed) + 1 :]
    others = [one.run for one in later if one.kernel == pushed.kernel and one.run != pushed.run]
    if not others:
        return pushed.kernel
    if not pushed.version:
        raise ConfigError(
            f"{pushed.run}: its kernel {pushed.kernel} was pushed again as {others[-1]}, and which version "
            f"it was is not known; give {pushed.kernel}/VERSION, as on {pushed.url}"
        )
    return _versioned(pushed.kernel, pushed.version)
