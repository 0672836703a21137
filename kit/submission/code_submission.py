"""Submitting the output of a kernel, as code competitions want it: find the version, check it, submit it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.errors import KernelError, all_of
from kit.kaggle.client import Client
from kit.kaggle.kernels.history import all_pushed, find_kernel
from kit.kaggle.kernels.output import output_names
from kit.kaggle.kernels.status import latest_version, status
from kit.submission.card import Card
from kit.submission.ledger import kernel_tag

OUTPUT = "submission.csv"
"""The file that Kaggle takes from a kernel unless another is named."""


@dataclass(frozen=True, slots=True)
class KernelVersion:
    """One version of a kernel whose output *file* may be submitted; ``kernel`` is OWNER/SLUG."""

    kernel: str
    version: int
    file: str
    competition: str
    card: Card | None = None
    """Always None: there is no local estimate."""

    @property
    def name(self) -> str:
        """OWNER/SLUG/VERSION:FILE."""
        return f"{self.kernel}/{self.version}:{self.file}"

    @property
    def tag(self) -> str:
        """The start of its description on Kaggle; it makes sure that the same file is submitted once."""
        return kernel_tag(self.name)

    @property
    def identity(self) -> dict[str, str]:
        """The ledger fields that identify it."""
        return {"kernel": self.name}

    def notes(self) -> list[str]:
        """None."""
        return []


def check_kernel(
    client: Client, runs: Path, named: str, competition: str, file: str = OUTPUT
) -> KernelVersion:
    """The version of a kernel that *named* means (NAME or OWNER/SLUG, each with /VERSION).

    Without a version the latest one.  Raises ConfigError where no kernel is meant, KernelError where its
    version is not known, is not finished, or left no *file*.
    """
    owner, slug, *version = find_kernel(runs, named).split("/")
    kernel = f"{owner}/{slug}"
    number = int(version[0]) if version else _latest(client, runs, kernel)
    one = f"{kernel}/{number}"
    found = status(client, one)
    if found.state != "COMPLETE":
        raise KernelError(f"{one}: is {found.words}; only a finished version can be submitted ({found.url})")
    names = output_names(client, one)
    if file not in names:
        raise KernelError(
            f"{one}: its output has no {file} (it has {all_of(sorted(names), 5) or 'no files'}); name "
            "the file with --file, or push a kernel that writes it"
        )
    return KernelVersion(kernel, number, file, competition)


def _latest(client: Client, runs: Path, kernel: str) -> int:
    found = latest_version(client, kernel)
    recorded = (pushed.version for pushed in all_pushed(runs) if pushed.kernel == kernel)
    number = max(found.version if found else 0, *recorded, 0)
    if not number:
        raise KernelError(f"{kernel}: its latest version is not known; give {kernel}/VERSION")
    return number


def create_from_kernel(client: Client, one: KernelVersion, description: str) -> int:
    """Have Kaggle submit the file of *one*; returns Kaggle's number for it.  Never retried."""

    def call(api: Any) -> int:
        given = one.file, description, one.competition, one.kernel, one.version
        return int(api.competition_submit_code(*given, quiet=True).ref)

    return client.once(call, "submitting", one.competition)
