"""`kit` as tests start it: its own process, but forked from one that has imported the libraries already.

``python -m kit`` spends seconds on that, dozens of times in a test run; nothing of it is what is tested here.
Tests of the start itself, of settings that are read while importing, and of trainings that are killed begin a
process from nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import kit
from tools.chaos.processes import HEAVY, LIGHT, LIMIT, Warm

PROJECT = Path(kit.__file__).resolve().parent.parent


@functools.cache
def warm() -> Warm:
    """The process from which commands are forked; one a test process, until `stop_warm`."""
    process = Warm((*LIGHT, *HEAVY)).__enter__()
    atexit.register(stop_warm)
    return process


def stop_warm() -> None:
    """End the waiting process, if there is one."""
    if warm.cache_info().currsize:
        warm().__exit__()
        warm.cache_clear()


def run_kit(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`kit` with this process's environment and *environment*, in *cwd*."""
    return run_program("kit.cli", *arguments, cwd=cwd, **environment)


def run_program(
    program: str, *arguments: object, cwd: Path, processes: int = 1, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The same for the ``main`` of any module, in *processes* processes that share a job."""
    words = [str(one) for one in arguments]
    done = warm().undisturbed(
        words, cwd, {**_environment(), **environment}, program=program, processes=processes
    )
    return subprocess.CompletedProcess([program, *words], done.code, done.out, done.err)


def run_python(*words: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python from nothing: ``run_python("-m", "kit", ...)`` is `kit` as a user starts it."""
    command = [sys.executable, *map(str, words)]
    with started(command, cwd, {**_environment(), **environment}, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=LIMIT)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@contextlib.contextmanager
def started(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], stderr: int = subprocess.STDOUT
) -> Iterator[subprocess.Popen[str]]:
    """*command* at work, its words in pipes; where the block fails, it and all that it started is killed."""
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
        text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT), "NO_COLOR": "1"}
