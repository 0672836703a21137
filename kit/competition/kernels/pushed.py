"""``runs/kernels.jsonl``: the kernels that were pushed from here, one line each, the latest last."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from kit.competition.kaggle.addresses import kernel_named
from kit.config.validation import Settings
from kit.errors import ConfigError, WriteError
from kit.files import append_line, locked

FILE = "kernels.jsonl"
_KERNEL = re.compile(r"[A-Za-z0-9_-]+/[A-Za-z0-9-]{5,}(/[0-9]+)?")


class Pushed(Settings):
    """One push: ``kernel`` is OWNER/SLUG."""

    kernel: str
    version: int
    url: str
    run: str
    backbone: str
    competition: str
    pushed: str
    """When, UTC, ISO 8601."""
    revision: str


def remember(runs: Path, pushed: Pushed) -> None:
    """Add one line, flushed to the disk, also while another process adds its own."""
    path = runs / FILE
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with locked(path):
            append_line(path, pushed.model_dump_json().encode())
    except OSError as error:
        raise WriteError(f"{path}: cannot be written ({error.strerror}); {pushed.url} was pushed") from error


def all_pushed(runs: Path) -> list[Pushed]:
    """Every push from here, oldest first; a torn line is passed over."""
    path = runs / FILE
    if not path.is_file():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(Pushed.model_validate_json(line))
        except ValidationError:
            continue
    return found


def find_kernel(runs: Path, named: str | None) -> str:
    """OWNER/SLUG of the kernel that *named* means.

    That itself, a slug or run that was pushed from here, or without *named* the latest push.  Raises
    ConfigError where nothing fits.
    """
    named = None if named is None else kernel_named(named)
    if named is not None and "/" in named:
        if not _KERNEL.fullmatch(named):
            raise ConfigError(f"{named!r}: is no kernel; give OWNER/SLUG, the last parts of its address")
        return named
    for pushed in reversed(all_pushed(runs)):
        if named is None or named in (pushed.run, pushed.kernel.split("/")[1]):
            return pushed.kernel
    if named is None:
        raise ConfigError(f"{runs / FILE}: no kernel was pushed from here; name one, as OWNER/SLUG")
    raise ConfigError(f"{named}: no kernel or run of this name was pushed from here; give OWNER/SLUG")
