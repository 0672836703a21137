"""A kernel's output becomes a run: every file as the kernel left it, put in place at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from kit.errors import ConfigError, DownloadError, KaggleError, KernelError, KitError, all_of, counted
from kit.files import flush_folder, fresh_beside, locked
from kit.kaggle.client import Client, Heard
from kit.kaggle.downloads.manifest import StoredFile, changes
from kit.kaggle.downloads.unzip import unsafe_name
from kit.kaggle.kernels.bootstrap import MANIFEST
from kit.kaggle.kernels.logs import end_of, read_log
from kit.kaggle.kernels.output_files import fetch_output
from kit.kaggle.kernels.remote import status
from kit.kaggle.kernels.runner import RUN
from kit.settings.runs import read_run
from kit.settings.validation import Settings, read_record

_INSIDE = f"{RUN}/"


class KernelManifest(Settings):
    """What a kernel wrote about its output; ``files`` have their path in it, all below ``run/``."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    backbone: str
    competition: str
    kit: str
    revision: str
    state: Literal["finished", "unfinished", "failed"]
    message: str
    seconds: Annotated[int, Field(ge=0)]
    files: Annotated[tuple[StoredFile, ...], Field(strict=False)]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A run that a kernel made; ``fresh`` is False where it was there already."""

    folder: Path
    manifest: KernelManifest
    fresh: bool


def fetch_run(
    client: Client,
    kernel: str,
    runs: Path,
    say: Callable[[str], object],
    heard: Heard,
    wanted: str | None = None,
) -> Fetched:
    """Put the run that *kernel* finished into ``runs/NAME``; a run that is there and the same is left alone.

    *kernel* is OWNER/SLUG or OWNER/SLUG/VERSION, *wanted* the run that it should hold.  Raises KernelError
    where the kernel is not over, failed, was stopped before the end, or holds another run (of a kernel that
    failed, *say* hears the end of its log); DownloadError where what came is not what the kernel left;
    ConfigError where another run has that name.
    """
    found = status(client, kernel)
    if not found.over:
        raise KernelError(f"{kernel}: is {found.words}; ask again: `kit kernel status {kernel}`")
    place = runs / kernel.replace("/", "-")
    with locked(place, wait=False, purpose="output"), fresh_beside(place) as temporary:
        if found.state != "COMPLETE":
            end = _end_of_log(client, kernel, say)
            reason = found.reason or _own_words(client, kernel, temporary) or end or "Kaggle gives no reason"
            raise KernelError(f"{kernel}: {found.words} ({reason}); its log is on {found.url}")
        manifest = _fetch_manifest(client, kernel, temporary)
        if wanted is not None and manifest.run != wanted:
            raise KernelError(
                f"{kernel}: holds the run {manifest.run}, not {wanted}; older versions are "
                f"{'/'.join(kernel.split('/')[:2])}/VERSION, see {found.url}"
            )
        if manifest.state == "failed":  # Kaggle calls it finished all the same
            _end_of_log(client, kernel, say)
            raise KernelError(f"{kernel}: failed ({manifest.message}); its log is on {found.url}")
        if manifest.state != "finished":
            raise KernelError(
                f"{kernel}: is not done with {manifest.run} ({manifest.message}); go on by the same kit "
                f"kernel push with --continue {'/'.join(kernel.split('/')[:2])}"
            )
        folder = runs / manifest.run
        with locked(folder, wait=False):
            if folder.exists():
                _refuse_another(folder, manifest)
                return Fetched(folder, manifest, fresh=False)
            size = sum(file.size for file in manifest.files)
            say(f"{kernel}: {counted(len(manifest.files), 'file')}, {size:,} bytes")
            fetch_output(client, kernel, temporary, f"^{re.escape(_INSIDE)}", heard)
            if wrong := changes(temporary, manifest.files):
                raise DownloadError(f"{kernel}: {all_of(wrong)}; fetch it again")
            ready = _only_named(temporary, manifest)
            if read_run(ready) is None:
                raise DownloadError(f"{kernel}: its output has no run.json; look at it on {found.url}")
            flush_folder(ready)
            ready.rename(folder)
    return Fetched(folder, manifest, fresh=True)


def _fetch_manifest(client: Client, kernel: str, folder: Path) -> KernelManifest:
    fetch_output(client, kernel, folder, f"^{re.escape(MANIFEST)}$", lambda come, total: None)
    manifest = read_record(folder / MANIFEST, KernelManifest, cure="fetch it again")
    if manifest is None:
        raise KernelError(f"{kernel}: left no {MANIFEST}; only kernels of kit kernel push can be fetched")
    for file in manifest.files:
        reason = unsafe_name(file.name)
        if reason or not file.name.startswith(_INSIDE):
            raise DownloadError(
                f"{kernel}: its manifest names {file.name!r}, which {reason or 'is no file of the run'}; "
                "nothing was fetched"
            )
    return manifest


def _own_words(client: Client, kernel: str, folder: Path) -> str:
    """What a failed kernel wrote about it; "" where that cannot be had."""
    try:
        return _fetch_manifest(client, kernel, folder).message
    except KitError:
        return ""


def _end_of_log(client: Client, kernel: str, say: Callable[[str], object]) -> str:
    """Tell the last lines of the log; returns the last one, "" without a log."""
    try:
        lines = end_of(read_log(client, kernel))
    except KaggleError as error:
        say(f"{kernel}: its log cannot be read ({error})")
        return ""
    if lines:
        say(f"{kernel}: the end of its log (`kit kernel logs {kernel}` shows all):")
    for line in lines:
        say(f"  {line}")
    return lines[-1] if lines else ""


def _refuse_another(folder: Path, manifest: KernelManifest) -> None:
    files = [file.model_copy(update={"name": file.name.removeprefix(_INSIDE)}) for file in manifest.files]
    if wrong := changes(folder, files):
        raise ConfigError(
            f"{folder}: is another run than the kernel's ({all_of(wrong, 3)}); move it away, or give another "
            "folder with --to"
        )


def _only_named(folder: Path, manifest: KernelManifest) -> Path:
    """The files that the manifest names, and no other that came, in a folder of their own."""
    ready = folder / "ready"
    for file in manifest.files:
        target = ready / file.name.removeprefix(_INSIDE)
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / file.name).rename(target)
    return ready
