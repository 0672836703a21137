"""A download is fetched beside its folder, described, and only then put in place."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kit.competition.downloading.manifest import (
    MANIFEST,
    Manifest,
    changes,
    describe,
    read_manifest,
    write_manifest,
)
from kit.competition.downloading.sources import Source
from kit.errors import ConfigError, DownloadError, WriteError, all_of
from kit.files import locked, sha256_file

_SUFFIX = ".part"


@dataclass(frozen=True, slots=True)
class Download:
    """A folder with everything that its manifest names; ``fresh`` is False where it was there already."""

    folder: Path
    manifest: Manifest
    fresh: bool

    @property
    def paths(self) -> tuple[Path, ...]:
        """Its files."""
        return tuple(self.folder / file.name for file in self.manifest.files)


def download(
    source: Source,
    folder: Path,
    fetch: Callable[[Path, Path], str],
    *,
    force: bool = False,
) -> Download:
    """Have *fetch* (files, scratch) put the files of *source* into one folder, and place that as *folder*.

    *fetch* returns the address they are from; ``scratch`` is a second folder, for what is not kept.

    A folder that holds the whole download already is verified, and nothing is fetched.  Files are first
    written beside *folder*, and get there only when all are complete, with the manifest last; other files in
    *folder* stay.  Without *force*, a file that was changed since, is missing, or is another of that name
    is an error.  Raises DownloadError, WriteError, LockError where another process downloads there.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: is a file; choose another folder with --to")
    with locked(folder, wait=False, purpose="download"):
        if (kept := _kept(folder, source, force)) is not None:
            return Download(folder, kept, fresh=False)
        with _beside(folder) as temporary, _disk(folder):
            files, scratch = temporary / "files", temporary / "scratch"
            files.mkdir()
            scratch.mkdir()
            address = fetch(files, scratch)
            if (files / MANIFEST).exists():
                raise DownloadError(
                    f"{source.alias}: holds a file called {MANIFEST}, which the kit writes itself; download "
                    "this one by hand"
                )
            manifest = describe(files, address, source.slug)
            write_manifest(files, manifest)
            _flush(files)
            _place(files, folder, manifest, force)
    return Download(folder, manifest, fresh=True)


def _kept(folder: Path, source: Source, force: bool) -> Manifest | None:
    """The manifest of a download that is whole; None where there is none yet, or it is to be made again."""
    try:
        manifest = read_manifest(folder)
    except ConfigError:
        if force:
            return None
        raise
    if manifest is None:
        return None
    if manifest.slug != source.slug:
        raise DownloadError(f"{folder}: holds the files of {manifest.slug}; choose another folder with --to")
    if force:
        return None
    if wrong := changes(folder, manifest.files):
        raise DownloadError(
            f"{folder}: {all_of(wrong)} since the download of {manifest.downloaded[:10]}; --force downloads "
            "again and replaces what was changed"
        )
    return manifest


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A fresh folder on the same disk; what killed processes left of theirs goes (ours is the lock)."""
    parent = folder.resolve().parent
    with _disk(folder):
        parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{folder.resolve().name}."
        for leftover in parent.glob(f"{prefix}*{_SUFFIX}"):
            shutil.rmtree(leftover, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(prefix=prefix, suffix=_SUFFIX, dir=parent))
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _place(files: Path, folder: Path, manifest: Manifest, force: bool) -> None:
    if not folder.is_symlink():
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
        if not folder.exists():
            files.rename(folder)  # all of it at once
            return
    inside = folder.resolve()
    if not force:
        others = [
            file.name
            for file in manifest.files
            if (folder / file.name).exists() and sha256_file(folder / file.name) != file.sha256
        ]
        if others:
            raise DownloadError(
                f"{folder}: has another {', '.join(others[:3])}, which no download wrote; --force replaces "
                "it, --to chooses another folder"
            )
    for name in [file.name for file in manifest.files] + [MANIFEST]:  # the manifest says that all are there
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.parent.resolve().is_relative_to(inside):
            raise DownloadError(f"{target}: lies outside {folder}, through a link; remove the link")
        (files / name).replace(target)


def _flush(folder: Path) -> None:
    """Onto the disk, names included, so that not even a power cut leaves a manifest without its files."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and os.name == "nt":
            continue
        handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(
            f"{folder}: cannot be written ({error.strerror or error}); free space or choose another with --to"
        ) from error
