"""How tests run `kit`: in a process of its own, forked from one that has imported the libraries already.

``python -m kit`` spends seconds on imports, dozens of times in a test run, and no test here is about them.
Tests of the start itself, of settings that are read at import, and of trainings that are killed start a new
interpreter.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import kit
from tools.chaos.processes import LIMIT, ForkServer

PROJECT = Path(kit.__file__).resolve().parent.parent
_HINT = re.compile(r"(?:(?:next|then|run): (kit .+)$)|`(kit [^`]+)`", re.MULTILINE)


def commands_in(text: str) -> Iterator[str]:
    """The commands in *text*: from ``next:``, ``then:`` or ``run:`` to the line's end, or in backticks."""
    for found in _HINT.finditer(text):
        yield found[1] or found[2]


@functools.cache
def fork_server() -> ForkServer:
    """The process from which commands are forked; one per test process, until `stop_fork_server`."""
    server = ForkServer().__enter__()
    atexit.register(stop_fork_server)
    return server


def stop_fork_server() -> None:
    """End the fork server, if there is one."""
    if fork_server.cache_info().currsize:
        fork_server().__exit__()
        fork_server.cache_clear()


def run_kit(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `kit` in *cwd* with this process's environment and *environment*."""
    return run_program("kit.cli", *arguments, cwd=cwd, **environment)


def run_program(
    program: str, *arguments: object, cwd: Path, processes: int = 1, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The same for the ``main`` of any module, in *processes* processes that share a job."""
    words = [str(one) for one in arguments]
    done = fork_server().undisturbed(
        words, cwd, {**_environment(), **environment}, program=program, processes=processes
    )
    return subprocess.CompletedProcess([program, *words], done.code, done.out, done.err)


def run_python(
    *words: object, cwd: Path, limit: float = LIMIT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """``run_python("-m", "kit", ...)`` is `kit` as a user starts it; it ends within *limit* seconds."""
    command = [sys.executable, *map(str, words)]
    with started(command, cwd, {**_environment(), **environment}, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=limit)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@contextlib.contextmanager
def started(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], stderr: int = subprocess.STDOUT
) -> Iterator[subprocess.Popen[str]]:
    """*command* running, its output in pipes; if the block fails, it and its children are killed."""
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
