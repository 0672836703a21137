"""A process that pushes a kernel, and may die by SIGKILL before or after it is sent."""

from __future__ import annotations

import os
import signal
import sys

import kit
from kit.kaggle.kernels import push as pushing


def main() -> None:
    """Alone, or with "before" or "after"."""
    send = pushing.save

    def last(*words: object) -> object:
        if sys.argv[1] == "after":
            send(*words)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("it was killed")

    if sys.argv[1:]:
        pushing.save = last  # type: ignore[assignment]
    kit.push_kernel("klue-bert", run_name="five", quiet=True)
