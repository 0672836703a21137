"""Files and folders written completely or not at all: to a temporary name, flushed, then renamed; locks."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from kit.errors import KitError, LockError, WriteError, near_names

if sys.platform != "win32":
    import fcntl

_PART = ".part"
_LIKE = 0.75
"""How like two names of files are before one is proposed for the other: endings alone are not enough."""


def read_file(
    path: Path, refused: type[KitError], *, missing: str = "check the path", folder: str = "give a file in it"
) -> bytes:
    """The bytes of a file.

    Raises *refused* where it is missing, a folder or unreadable; *missing* and *folder* are the cures.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise refused(f"{path}: there is no such file; {did_you_mean(path) or missing}") from None
    except IsADirectoryError:
        raise refused(f"{path}: is a folder; {folder}") from None
    except OSError as error:
        raise refused(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None
    except ValueError:
        name = str(path).replace("\0", "\\u0000")
        raise refused(f"{name}: is not a valid file name; check the path") from None


def likely_path(path: Path) -> str:
    """The existing path that a misspelt one probably means, beside it or in a folder below; or ""."""
    try:
        if len(path.parts) == 1:
            name = glob.escape(path.name)
            below = itertools.chain(Path().glob(f"*/{name}"), Path("data").glob(f"*/{name}"))
            if found := next(below, None):
                return str(found)
        folder = Path(path.anchor)
        parts = path.relative_to(folder).parts
        for number, part in enumerate(parts, start=1):
            if (folder / part).exists():
                folder /= part
                continue
            names = [one.name for one in folder.iterdir() if not one.name.startswith(".")]
            whole = (folder.joinpath(name, *parts[number:]) for name in near_names(part, names, _LIKE))
            return next((str(one) for one in whole if one.exists()), "")
    except (OSError, ValueError):  # a folder that may not be read, a name that is none
        pass
    return ""


def did_you_mean(path: Path) -> str:
    """``did you mean runs/e5?`` for a misspelt path; "" where nothing is like it."""
    near = likely_path(path)
    return f"did you mean {near}?" if near else ""


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hex, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def now() -> str:
    """The current time as all files record it: UTC, to the second, ISO 8601."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_temporary(path: Path) -> bool:
    """Whether a file or folder is a temporary one of this module."""
    return path.name.startswith(".") and path.name.endswith(_PART)


@contextlib.contextmanager
def replacing(path: Path, verify: Callable[[Path], object] | None = None) -> Iterator[Path]:
    """Yield a temporary path beside *path*; on success verify it and rename it over *path*.

    *path* is never half-written: on any failure the temporary file is removed and an earlier file stays.
    Temporary files of killed processes are removed too.  Raises WriteError where the folder cannot be
    written or the disk is full.
    """
    temporary, held = None, -1
    try:
        with _write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _sweep(path)
            held, temporary = _held_beside(path)
            # mkstemp makes files private (0600); ours get the mode any new file would get.
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)
            yield temporary
            _flush(temporary)
            if verify is not None:
                verify(temporary)
            temporary.replace(path)
            temporary = None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):  # of a disk that failed: the first error says more
                temporary.unlink(missing_ok=True)
        if held >= 0:
            os.close(held)


@contextlib.contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    """Turn an OSError into a WriteError about *path*."""
    try:
        yield
    except OSError as error:
        raise WriteError(
            f"{path}: cannot be written ({error.strerror or error}); free space or choose a folder you may "
            "write to"
        ) from error


def _flush(path: Path) -> None:
    """Flush a file or folder to the disk."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _held_beside(path: Path) -> tuple[int, Path]:
    """A new temporary file for *path*, and a descriptor that holds a lock on it until it is closed; or -1."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_PART, dir=path.parent)
        if sys.platform == "win32":  # where an open file cannot be renamed
            os.close(handle)
            return -1, Path(name)
        with contextlib.suppress(OSError):  # not every file system has locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:  # nobody removed it before it was locked
            return handle, Path(name)
        os.close(handle)


def _sweep(path: Path) -> None:
    """Remove the temporary files of *path* that no living process holds a lock on."""
    if sys.platform == "win32":
        return
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*{_PART}"):
        with contextlib.suppress(OSError):  # it is held, gone, or may not be removed
            handle = os.open(leftover, os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                leftover.unlink()
            finally:
                os.close(handle)


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True, purpose: str = "") -> Iterator[None]:
    """Hold a lock on *path* (it need not exist) against other processes of this machine.

    The lock ends with its process.  Raises LockError at once where another
    process holds it and *wait* is False; WriteError where no lock can be made.
    """
    # In the machine's temporary folder: locks on network file systems are unreliable.
    key = hashlib.sha256(f"{path.resolve()}\n{purpose}".encode()).hexdigest()[:24]
    with contextlib.ExitStack() as held:
        try:
            place = Path(tempfile.gettempdir()) / f"kit-{key}.lock"
            held.enter_context(FileLock(place, timeout=-1 if wait else 0))
        except Timeout:
            raise LockError(f"{path}: another process is at work on it; wait for it, or stop it") from None
        except OSError as error:
            raise WriteError(
                f"{path}: cannot be locked, for lack of a temporary file ({error.strerror or error}); free "
                "space, or set TMPDIR to a folder you may write to"
            ) from error
        yield


def write_text(path: Path, text: str) -> None:
    """Write *text* as UTF-8 with ``\\n`` line ends, completely or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def refuse_links(*folders: Path) -> None:
    """Raises WriteError where one of *folders* is a symbolic link: its target may belong to somebody else."""
    for folder in folders:
        if folder.is_symlink():
            raise WriteError(
                f"{folder}: is a link, and its target is not overwritten; remove it, or choose another folder"
            )


def replacing_folder(folder: Path, fill: Callable[[Path], object]) -> None:
    """Put files into *folder*: *fill* writes them into a temporary folder inside it, then each is renamed.

    Files of the same name are replaced, others stay.  Raises WriteError where the disk is full, the
    folder cannot be written, or is a link; then nothing was replaced.
    """
    refuse_links(folder)
    temporary = folder / f".{os.getpid()}.part"
    try:
        with _write_errors(folder):
            for leftover in folder.glob(".*.part"):  # of a process that was killed
                shutil.rmtree(leftover)
            temporary.mkdir(parents=True)
            fill(temporary)
            written = sorted(temporary.iterdir())
            for path in written:
                _flush(path)
            for path in written:
                path.replace(folder / path.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def fresh_beside(folder: Path) -> Iterator[Path]:
    """A new temporary folder beside *folder*, to fill and rename; removed when the block ends.

    Hold a lock on *folder*: temporary folders of killed processes are removed.  Raises WriteError where the
    disk is full or cannot be written, here and inside the block.
    """
    target = folder.resolve()
    temporary: Path | None = None
    try:
        with _write_errors(folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            sweep_beside(folder)
            temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=_PART, dir=target.parent))
            yield temporary
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def sweep_beside(folder: Path) -> None:
    """Remove the temporary folders of killed processes beside *folder*; hold its lock."""
    target = folder.resolve()
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.*{_PART}"):
        shutil.rmtree(leftover, ignore_errors=True)


def flush_folder(folder: Path) -> None:
    """Flush everything below *folder* to the disk: a power cut leaves no name without its content."""
    for path in [folder, *folder.rglob("*")]:
        _flush(path)


def append_line(path: Path, line: bytes) -> None:
    """Add *line* to a file of lines and flush it to the disk; a half-written last line does not join it.

    The caller holds the file's lock.  Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if new:
        _flush(path.parent)
