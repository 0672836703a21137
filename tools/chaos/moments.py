"""Moments at which a process is killed or the file system fails, counted in changes that the process makes.

A change alters the file system below one folder: a file opened for writing, a rename, a removal, a folder
made or removed.  Counting changes (by an audit hook) gives the same moment on fast and on slow machines.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

BEFORE, TORN, AFTER = "before", "torn", "after"
FULL, DENIED = "full", "denied"
HELD, NEVER = "held", "never"
KILLS = (BEFORE, TORN, AFTER)
FAULTS = (FULL, DENIED)


@dataclass(frozen=True, slots=True)
class Moment:
    """What happens, and when.

    before: killed just before the *change*-th change
    torn: from the *change*-th on, killed inside the write that makes any file larger than *size* bytes
    after: killed with its process group after *seconds*
    full: from the *change*-th on, no file gets larger than *size* bytes (EFBIG)
    denied: from the *change*-th on, every change fails (EROFS)
    held: stopped just before the *change*-th change, until it may continue
    """

    kind: str = NEVER
    change: int = 0
    size: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        if self.kind == AFTER:
            return f"{self.kind}:{self.seconds:.3f}"
        if self.kind in (TORN, FULL):
            return f"{self.kind}:{self.change}:{self.size}"
        return f"{self.kind}:{self.change}"

    @classmethod
    def parsed(cls, text: str) -> Moment:
        """The moment that ``str`` wrote."""
        kind, *numbers = text.split(":")
        if kind == AFTER:
            return cls(kind, seconds=float(numbers[0]))
        return cls(kind, *map(int, numbers))

    @property
    def deadly(self) -> bool:
        """Whether it kills the process."""
        return self.kind in KILLS

    def sooner(self) -> Moment:
        """An earlier one of its kind, for a command that ended before it came."""
        change = max(self.change // 2, 1) if self.kind == TORN else self.change
        return replace(self, change=change, size=self.size // 3, seconds=self.seconds * 0.8)


UNDISTURBED = Moment()


def arm(moment: Moment, folder: Path, journal: int) -> None:
    """Make *moment* happen to this process; changes below *folder* are written to descriptor *journal*."""
    root = os.path.realpath(folder) + os.sep
    count = 0

    def watch(event: str, words: tuple[object, ...]) -> None:
        nonlocal count
        path = _changed(event, words, root)
        if path is None:
            return
        count += 1
        os.write(journal, f"{event} {path}\n".encode(errors="replace"))
        if not moment.change or count < moment.change:
            return
        if moment.kind == DENIED:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        if count == moment.change:
            _come(moment)

    sys.addaudithook(watch)


def _come(moment: Moment) -> None:
    if moment.kind == BEFORE:
        os.killpg(0, signal.SIGKILL)
    elif moment.kind == HELD:
        os.kill(os.getpid(), signal.SIGSTOP)
    elif moment.kind in (TORN, FULL):
        # Python ignores this signal and raises an error; the default action kills the process that writes.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if moment.kind == TORN else signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (moment.size, resource.RLIM_INFINITY))


_PATH_IN = {
    "os.rename": (1, 3), "os.remove": (0, 1), "os.rmdir": (0, 1), "os.mkdir": (0, 2), "os.link": (1, 3),
    "os.symlink": (1, 2), "os.truncate": (0, None),
}  # fmt: skip
"""The index of the path in an event's arguments, and of the descriptor of the folder it is relative to."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def _changed(event: str, words: tuple[object, ...], root: str) -> str | None:
    """The path below *root* that an audit event is about to change, relative to it; None for other events."""
    start: object = None
    if event == "open":
        path, mode, flags = words
        if not (isinstance(flags, int) and flags & _WRITING) and not set("wax+") & set(str(mode or "")):
            return None
    elif event in _PATH_IN:
        at, begins = _PATH_IN[event]
        path, start = words[at], None if begins is None else words[begins]
    else:
        return None
    if isinstance(path, int) or path is None:
        return None
    text = os.fsdecode(path)  # type: ignore[arg-type]
    if isinstance(start, int) and start >= 0:
        text = f"{Path(f'/proc/self/fd/{start}').readlink()}/{text}"
    text = os.path.abspath(text)  # noqa: PTH100  (no link is to be followed)
    return text.removeprefix(root) if text.startswith(root) else None
