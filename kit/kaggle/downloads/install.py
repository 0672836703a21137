"""A download is fetched beside its folder, described in a manifest, and then renamed into place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kit.display import Brief
from kit.errors import ConfigError, DownloadError, all_of
from kit.files import flush_folder, fresh_beside, locked, sha256_file, sweep_beside
from kit.kaggle.downloads.manifest import MANIFEST, Manifest, changes, describe, read_manifest
from kit.kaggle.slugs import Source
from kit.settings.validation import write_record


@dataclass(frozen=True, slots=True, repr=False)
class Download(Brief):
    """A folder with all files of its manifest; ``fresh`` is False where it was there before."""

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
        if (present := _present(folder, source, force)) is not None:
            sweep_beside(folder)  # a process that was killed after it had placed the files
            return Download(folder, present, fresh=False)
        with fresh_beside(folder) as temporary:
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
            write_record(files / MANIFEST, manifest)
            flush_folder(files)
            _place(files, folder, manifest, force)
    return Download(folder, manifest, fresh=True)


def _present(folder: Path, source: Source, force: bool) -> Manifest | None:
    """The manifest of a complete download; None where there is none, or *force* downloads again."""
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
