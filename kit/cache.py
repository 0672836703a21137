"""The user's cache: what can be made again, named by its content, whole or not there, bounded in size.

Entries lie in the folder that KIT_CACHE names, or in ``korean-mrc-kit`` of the user's cache folder; an empty
KIT_CACHE keeps nothing.  Nothing depends on it: where it cannot be read or written, things are made anew.
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

PLACE = "KIT_CACHE"
LIMIT = 2 << 30
"""Bytes of all entries together; beyond it the ones used longest ago go."""
_NAME = re.compile(r"[0-9a-f]{64}\.kit")
_LEFTOVER = re.compile(r"\.[0-9a-f]{64}\.kit\..*\.part")
_DAY = 86_400
T = TypeVar("T")


def cache_folder() -> Path | None:
    """Where entries lie; None where KIT_CACHE is set and empty, or there is no home folder."""
    named = os.environ.get(PLACE)
    if named is not None:
        return Path(named) if named else None
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "korean-mrc-kit"
    with contextlib.suppress(RuntimeError):
        return Path.home() / ".cache" / "korean-mrc-kit"
    return None


def content_key(recipe: str, *texts: Iterable[str]) -> str:
    """SHA-256, hex, of lists of texts and of the *recipe*, which says what is made from them, and how."""
    whole = hashlib.sha256(recipe.encode())
    for part in map(list, texts):
        lengths = hashlib.sha256()
        for first in range(0, len(part), 1024):
            block = part[first : first + 1024]
            lengths.update(" ".join(str(len(text)) for text in block).encode() + b" ")
            whole.update("".join(block).encode("utf-8", "surrogatepass"))
        whole.update(f"\n{len(part)} {lengths.hexdigest()}\n".encode())
    return whole.hexdigest()


def kept(
    kind: str,
    key: str,
    read: Callable[[Path], T],
    write: Callable[[Path], object],
    *,
    size: int = 0,
    make: bool = True,
) -> T | None:
    """What entry *key* of *kind* holds, made first if need be; None where the cache is of no use.

    *read* raises ValueError or OSError for a damaged file, which is then made again.  *write* fills a
    temporary file of at most about *size* bytes; several processes that want the same entry wait for one that
    makes it.  Without *make*, None where the entry is not there.
    """
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / kind / f"{key}.kit"
    if (found := _sound(path, read)) is not None:
        return found
    if not make or not _has_room(folder, size):
        return None
    try:
        with locked(path):
            if (found := _sound(path, read)) is not None:
                return found
            with replacing(path, verify=read) as temporary:
                write(temporary)
            _trim(folder, path)
            return _sound(path, read)
    except (OSError, ValueError, KitError):  # full, read-only, or not kept as it was written
        return None


def _sound(path: Path, read: Callable[[Path], T]) -> T | None:
    try:
        found = read(path)
    except (OSError, ValueError):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # used now: the last to go
    return found


def _has_room(folder: Path, size: int) -> bool:
    """Whether *size* bytes fit under the limit and on the disk."""
    try:
        existing = next((parent for parent in (folder, *folder.absolute().parents) if parent.exists()), None)
        return existing is not None and size <= LIMIT and size <= shutil.disk_usage(existing).free
    except OSError:
        return False


def entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The cache's own files below *folder*; whatever else lies there is none of its business."""
    for path in folder.glob("*/*.kit"):
        if _NAME.fullmatch(path.name):
            with contextlib.suppress(OSError):
                yield path, path.stat()


def _trim(folder: Path, newest: Path) -> None:
    """Delete what was used longest ago until the rest fits, and what killed processes left a day ago."""
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
