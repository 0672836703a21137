"""The user's cache: results that can be recomputed, named by the hash of their input, bounded in size.

Entries are in the folder that KIT_CACHE names, or in ``korean-mrc-kit`` of the user's cache folder; an empty
KIT_CACHE turns the cache off.  Nothing depends on it: where it cannot be used, results are recomputed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from kit.errors import KitError
from kit.files import locked, replacing

VARIABLE = "KIT_CACHE"
LIMIT = 2 << 30
"""Bytes of all entries together; beyond it the least recently used ones are deleted."""
_NAME = re.compile(r"[0-9a-f]{64}\.kit")
_LEFTOVER = re.compile(r"\.[0-9a-f]{64}\.kit\..*\.part")
_DAY = 86_400
T = TypeVar("T")


def cache_folder() -> Path | None:
    """The folder of the entries; None where KIT_CACHE is set and empty, or there is no home folder."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named) if named else None
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "korean-mrc-kit"
    with contextlib.suppress(RuntimeError):
        return Path.home() / ".cache" / "korean-mrc-kit"
    return None


def content_key(recipe: str, *texts: Iterable[str]) -> str:
    """SHA-256, hex, of lists of texts and of the *recipe*: what is computed from them, and how."""
    whole = hashlib.sha256(recipe.encode())
    for part in map(list, texts):
        lengths = hashlib.sha256()
        for first in range(0, len(part), 1024):
            block = part[first : first + 1024]
            lengths.update(" ".join(str(len(text)) for text in block).encode() + b" ")
            whole.update("".join(block).encode("utf-8", "surrogatepass"))
        whole.update(f"\n{len(part)} {lengths.hexdigest()}\n".encode())
    return whole.hexdigest()


def cached(
    kind: str,
    key: str,
    read: Callable[[Path], T],
    write: Callable[[Path], object],
    *,
    size: int = 0,
    make: bool = True,
) -> T | None:
    """The content of entry *key* of *kind*, made first if it is missing; None where the cache cannot be used.

    *read* raises ValueError or OSError for a damaged file, which is then made again.  *write* fills a
    temporary file of at most about *size* bytes; one of several processes makes the entry and the
    others wait.  Without *make*, None where the entry is not there.
    """
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / kind / f"{key}.kit"
    if (found := _read(path, read)) is not None:
        return found
    if not make or not _has_room(folder, size):
        return None
    try:
        with locked(path):
            if (found := _read(path, read)) is not None:
                return found
            with replacing(path, verify=read) as temporary:
                write(temporary)
            _trim(folder, path)
            return _read(path, read)
    except (OSError, ValueError, KitError):  # full, read-only, or changed by the disk
        return None


def _read(path: Path, read: Callable[[Path], T]) -> T | None:
    try:
        found = read(path)
    except (OSError, ValueError):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # the most recently used is deleted last
    return found


def _has_room(folder: Path, size: int) -> bool:
    """Whether *size* bytes fit under the limit and on the disk."""
    try:
        existing = next((parent for parent in (folder, *folder.absolute().parents) if parent.exists()), None)
        return existing is not None and size <= LIMIT and size <= shutil.disk_usage(existing).free
    except OSError:
        return False


def entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The cache's own files below *folder*; other files there are ignored."""
    for path in folder.glob("*/*.kit"):
        if _NAME.fullmatch(path.name):
            with contextlib.suppress(OSError):
                yield path, path.stat()


def _trim(folder: Path, newest: Path) -> None:
    """Delete the least recently used entries until the rest fits, and temporary files older than a day."""
    total = 0
    for path, about in sorted(entries(folder), key=lambda entry: -entry[1].st_mtime):
        total += about.st_size
        if total > LIMIT and path != newest:
            with contextlib.suppress(OSError):
                path.unlink()
    for path in folder.glob("*/.*.part"):
        with contextlib.suppress(OSError):
            if _LEFTOVER.fullmatch(path.name) and time.time() - path.stat().st_mtime > _DAY:
                path.unlink()
