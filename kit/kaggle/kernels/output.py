"""The output of a kernel: its files are downloaded, compared by hash, and renamed to a run all at once.

The official client before 2.2.5 writes files wherever their names lead, and takes an error page for a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from kit.display import Brief
from kit.errors import ConfigError, DownloadError, KaggleError, KernelError, KitError, all_of, counted
from kit.files import flush_folder, fresh_beside, locked
from kit.kaggle.api_calls import ask, pages
from kit.kaggle.client import Client, Progress
from kit.kaggle.downloads.manifest import changes, total_size
from kit.kaggle.downloads.unzip import unsafe_name
from kit.kaggle.kernels.bootstrap import MANIFEST
from kit.kaggle.kernels.logs import end_of, read_log
from kit.kaggle.kernels.runner import RUN, KernelManifest
from kit.kaggle.kernels.status import address, status
from kit.settings.runs import read_run
from kit.settings.validation import read_record

_INSIDE = f"{RUN}/"


@dataclass(frozen=True, slots=True, repr=False)
class FetchedRun(Brief):
    """A run that a kernel trained; ``fresh`` is False where the folder had it already."""

    folder: Path
    manifest: KernelManifest
    fresh: bool


def fetch_run(
    client: Client,
    kernel: str,
    runs: Path,
    say: Callable[[str], object],
    progress: Progress,
    wanted: str | None = None,
) -> FetchedRun:
    """Put the run that *kernel* finished into ``runs/NAME``; a run that is there and the same is left alone.

    *kernel* is OWNER/SLUG or OWNER/SLUG/VERSION, *wanted* the run that it should hold.  Raises KernelError
    where the kernel still runs, failed, was stopped before the end, or holds another run (of a kernel that
    failed, *say* gets the end of its log); DownloadError where the files differ from what the kernel left;
    ConfigError where another run has that name.
    """
    found = status(client, kernel)
    if not found.over:
        raise KernelError(f"{kernel}: is {found.words}; ask again: `kit kernel status {kernel}`")
    place = runs / kernel.replace("/", "-")
    with locked(place, wait=False, purpose="output"), fresh_beside(place) as temporary:
        if found.state != "COMPLETE":
            end = _end_of_log(client, kernel, say)
            reason = (
                found.reason or _failure_message(client, kernel, temporary) or end or "Kaggle gives no reason"
            )
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
                f"{kernel}: has not finished {manifest.run} ({manifest.message}); continue it with the same "
                f"kit kernel push and --continue {'/'.join(kernel.split('/')[:2])}"
            )
        folder = runs / manifest.run
        with locked(folder, wait=False):
            if folder.exists():
                _refuse_another(folder, manifest)
                return FetchedRun(folder, manifest, fresh=False)
            say(f"{kernel}: {counted(len(manifest.files), 'file')}, {total_size(manifest.files):,} bytes")
            fetch_output(client, kernel, temporary, f"{_INSIDE}*", progress)
            if wrong := changes(temporary, manifest.files):
                raise DownloadError(f"{kernel}: {all_of(wrong)}; fetch it again")
            ready = _only_named(temporary, manifest)
            if read_run(ready) is None:
                raise DownloadError(f"{kernel}: its output has no run.json; look at it on {found.url}")
            flush_folder(ready)
            ready.rename(folder)
    return FetchedRun(folder, manifest, fresh=True)


def _fetch_manifest(client: Client, kernel: str, folder: Path) -> KernelManifest:
    fetch_output(client, kernel, folder, MANIFEST, lambda done, total: None)
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


def _failure_message(client: Client, kernel: str, folder: Path) -> str:
    """What a failed kernel wrote in its manifest; "" without one."""
    try:
        return _fetch_manifest(client, kernel, folder).message
    except KitError:
        return ""


def _end_of_log(client: Client, kernel: str, say: Callable[[str], object]) -> str:
    """Print the last lines of the log; returns the last one, "" without a log."""
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
    """Move the files that the manifest names into a folder without any others."""
    ready = folder / "ready"
    for file in manifest.files:
        target = ready / file.name.removeprefix(_INSIDE)
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / file.name).rename(target)
    return ready


def fetch_output(client: Client, kernel: str, folder: Path, pattern: str, progress: Progress) -> None:
    """Download the output files of *kernel* whose names match *pattern* (of fnmatch) into *folder*.

    All pages of them.  Another attempt keeps the files that are complete; the caller compares hashes.  Raises
    DownloadError for a name that leads out of *folder*, a KaggleError by kind.
    """
    import requests

    done: set[str] = set()

    def call(api: Any) -> None:
        # Listed again with every attempt: addresses expire.
        for file in _listed(api, kernel):
            name = file.file_name
            if name in done or not fnmatchcase(name, pattern):
                continue
            if reason := unsafe_name(name):
                raise DownloadError(
                    f"{kernel}: Refusing to download {name!r}, which {reason}; look at its output on "
                    f"{address(kernel)}"
                )
            response = requests.get(file.url, stream=True)  # noqa: S113 (`Client` sets it)
            response.raise_for_status()
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            api.download_file(response, str(folder / name), None)
            done.add(name)

    with client.downloading(progress):
        client.read(call, "downloading its output", kernel)


def output_names(client: Client, kernel: str) -> list[str]:
    """The names of all output files of *kernel*, OWNER/SLUG or OWNER/SLUG/VERSION."""
    return client.read(
        lambda api: [str(file.file_name) for file in _listed(api, kernel)], "listing its output", kernel
    )


def _listed(api: Any, kernel: str) -> Iterator[Any]:
    """The output files of OWNER/SLUG or OWNER/SLUG/VERSION, each with ``file_name`` and ``url``."""
    owner, slug, *version = kernel.split("/")
    fields: dict[str, Any] = {"user_name": owner, "kernel_slug": slug, "page_size": 200}
    if version:
        fields["version_label"] = f"v{version[0]}"
    for answer in pages(
        lambda token: ask(api, "kernels.kernels", "list_kernel_session_output", **fields, page_token=token)
    ):
        yield from answer.files or ()
