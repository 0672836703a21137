"""How time and memory are measured: functions in turns, child processes, peaks above a starting point."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kit
from kit.memory import forget_peak, held_memory, peak_memory

RUNS = 3
PROJECT = Path(kit.__file__).resolve().parent.parent


def timed(*works: Callable[[], object]) -> list[float]:
    """Median seconds of each function, run in turns so that a slow moment affects all of them."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(RUNS):
        for work, own in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            own.append(time.perf_counter() - began)
    return [statistics.median(own) for own in times]


def child(
    module: str, *words: object, timeout: float | None = None, cwd: Path = PROJECT, **environment: str
) -> dict[str, Any]:
    """The JSON that ``python -m module words`` prints last.  Raises RuntimeError with its last error."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        check=False, capture_output=True, text=True, timeout=timeout, cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


Ask = Callable[..., dict[str, Any]]
"""`child`, or in tests a function that does the same in this process."""


class Memory:
    """Peak bytes of this process above what it held when this was made."""

    def __init__(self) -> None:
        forget_peak()
        self._before = held_memory() or peak_memory()

    def above(self) -> int:
        """The peak since then, less what was held before."""
        return max(peak_memory() - self._before, 0)
