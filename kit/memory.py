"""How much memory this process has held at most."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

if sys.platform != "win32":
    import resource


def forget_peak() -> None:
    """Let `peak_memory` count from now on.

    Only Linux can do it; elsewhere an earlier peak may hide a later one.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory() -> int:
    """Bytes this process held at most; 0 on Windows, where nobody tells.

    Where Linux tells, of its own program alone: getrusage counts the process that it was forked from, too.
    """
    if sys.platform == "win32":
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def held_memory() -> int | None:
    """Bytes this process holds now; None where the system does not tell."""
    return _status("VmRSS")


def _status(name: str) -> int | None:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None
