"""How many CPU threads this process computes with, and how idle ones wait."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_COUNT, _WAITING = "OMP_NUM_THREADS", "OMP_WAIT_POLICY"


def let_threads_sleep() -> None:
    """Let idle threads sleep; call it before torch is imported, which reads the setting once.

    OpenMP's threads spin while they wait for one another.  Where several processes share the cores, a
    thread that spins takes the core from the one it waits for.  A value that the user has set stays.
    """
    os.environ.setdefault(_WAITING, "passive")


def usable_cores(root: Path = Path("/")) -> int:
    """The cores that this process may use: its CPU affinity, less where its cgroup has a quota; at least 1.

    *root*: where /proc and /sys are.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        cores = os.cpu_count() or 1
    return max(1, int(min([cores, *_quotas(root)])))


def threads_for(pieces: int) -> int:
    """Threads for *pieces* of work at once: as many as the user chose, else one a usable core; at least 1."""
    return max(1, min(chosen_threads() or usable_cores(), pieces))


def chosen_threads() -> int | None:
    """What the user chose by OMP_NUM_THREADS; None where that is not a number."""
    first = os.environ.get(_COUNT, "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) else None


def _quotas(root: Path) -> Iterator[float]:
    """CPU quotas in cores, of the process's cgroup and of all above it (cgroups 1 and 2)."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mount = root / "sys/fs/cgroup"
        elif "cpu" in controllers.split(","):
            mount = root / "sys/fs/cgroup/cpu"
        else:
            continue
        own = mount / path.lstrip("/")
        # Inside a container the path may be the host's: then the mount itself is the container's group.
        for folder in (own, *own.parents):
            if not controllers:
                quota, _, period = _text(folder / "cpu.max").partition(" ")
            else:
                quota, period = (_text(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
            if quota.strip().isdecimal() and period.strip().isdecimal() and int(period):
                yield int(quota) / int(period)
            if folder == mount:
                break


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
