"""``manifest.json``: what was downloaded, from where and when, and which files changed since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from kit.files import now, sha256_file
from kit.settings.validation import Settings, Sha256, read_record
from kit.version import __version__

MANIFEST = "manifest.json"


class StoredFile(Settings):
    """One file: its path below the folder, with ``/``, its size in bytes and its SHA-256."""

    name: Annotated[str, Field(min_length=1)]
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class Manifest(Settings):
    """The content of manifest.json; a folder without it, or that differs from it, is not a whole download."""

    source: str
    """The address it came from."""
    slug: str
    downloaded: str
    """When, UTC, ISO 8601."""
    kit: str
    files: Annotated[tuple[StoredFile, ...], Field(strict=False, min_length=1)]


def describe(folder: Path, source: str, slug: str) -> Manifest:
    """The manifest of all files below *folder*, read once each."""
    files = stored_files(folder, sorted(path for path in folder.rglob("*") if path.is_file()))
    return Manifest(source=source, slug=slug, downloaded=now(), kit=__version__, files=files)


def stored_files(folder: Path, paths: Sequence[Path]) -> tuple[StoredFile, ...]:
    """Name, size and hash of *paths*, which lie below *folder*."""
    return tuple(
        StoredFile(
            name=path.relative_to(folder).as_posix(), size=path.stat().st_size, sha256=sha256_file(path)
        )
        for path in paths
    )


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of *folder*; None where there is none.  Raises ConfigError if it is damaged."""
    return read_record(folder / MANIFEST, Manifest, cure="download again with --force")


def total_size(files: Sequence[StoredFile]) -> int:
    """Bytes of all *files*."""
    return sum(file.size for file in files)


def changes(folder: Path, files: Sequence[StoredFile]) -> list[str]:
    """How *files* below *folder* changed, in words: one entry a changed file."""
    found = []
    for file in files:
        path = folder / file.name
        if not path.is_file():
            found.append(f"{file.name} is missing")
        elif (size := path.stat().st_size) != file.size:
            found.append(f"{file.name} has {size:,} bytes, not {file.size:,}")
        elif sha256_file(path) != file.sha256:
            found.append(f"{file.name} has other content")
    return found
