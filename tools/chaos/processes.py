"""Runs commands as child processes that may die, forked by a server that has imported the libraries once.

``python -m kit`` spends seconds on importing torch and writes nothing meanwhile.  The fork server
(fork_server.py) imports everything before; a command is a child of it in its own process group that calls
``kit.cli.main``.  When a caller fails or runs out of time, its command is stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kit
from tools.chaos.moments import UNDISTURBED, Moment

PROJECT = Path(kit.__file__).resolve().parent.parent
LIMIT = 100.0
"""Seconds after which a command counts as hanging and is killed: fewer than pytest allows a test."""
_SETTINGS = {
    "PYTHONPATH": str(PROJECT), "NO_COLOR": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1", "COLUMNS": "100", "CUDA_VISIBLE_DEVICES": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended: exit code (negative for a signal), output, and what it changed."""

    code: int
    out: str
    err: str
    seconds: float
    changes: tuple[str, ...] = ()
    """The changes of the file system, in order: ``os.rename runs/new/run.json``."""
    begun: float = 0.0
    """Seconds before the first change."""

    @property
    def refused(self) -> bool:
        """Whether it failed as a command should: exit code 1 and one line."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        return self.code == 1 and len(lines) == 1 and "Traceback" not in self.err


class ForkServer:
    """A process that has imported *modules* and forks commands; a context manager."""

    def __init__(
        self, modules: Sequence[str] = (), environment: Mapping[str, str | None] | None = None
    ) -> None:
        """*modules*: what to import (default: all of the kit).

        *environment*: variables that the libraries read while they are imported; None removes one.
        """
        self._home = tempfile.TemporaryDirectory()
        known = {**os.environ, **_SETTINGS, "HOME": self._home.name, **(environment or {})}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.chaos.fork_server", *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env={name: value for name, value in known.items() if value is not None},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._orders, self._answers = self._process.stdin, self._process.stdout

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._orders.close()
        self._process.wait(30)
        self._home.cleanup()

    def run(
        self,
        words: Sequence[str],
        folder: Path,
        moment: Moment = UNDISTURBED,
        environment: Mapping[str, str] | None = None,
        *,
        bound: bool = False,
    ) -> Done:
        """``kit WORDS`` in *folder*, which also holds its temporary files and its home.

        *bound*: file permissions also apply to root.
        """
        return _done(self._asked("run", words, folder, moment, env=_given(folder, environment), bound=bound))

    def undisturbed(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        program: str = "kit.cli",
        processes: int = 1,
        together: bool = False,
        columns: int | None = None,
    ) -> Done:
        """The same with exactly *environment*, and without recording changes.

        *program*: the module whose ``main`` is called.
        *processes*: their number; they know of each other as torchrun's do.
        *together*: `Done.out` holds all output in order; always so on a terminal, *columns* wide.
        """
        together = together or columns is not None
        return _done(self._asked("run", words, folder, env=dict(environment), watched=False, program=program,
                                 processes=processes, together=together, columns=columns))  # fmt: skip

    def start(
        self, words: Sequence[str], folder: Path, moment: Moment, environment: Mapping[str, str] | None = None
    ) -> None:
        """Run the command until *moment*, which holds it; other commands may run meanwhile."""
        answer = self._asked("start", words, folder, moment, env=_given(folder, environment))
        assert answer["held"], answer

    def finish(self) -> Done:
        """Let the command that is held continue, and wait for its end."""
        return _done(self._asked("finish"))

    def _asked(
        self, what: str, words: Sequence[str] = (), folder: Path = PROJECT, moment: Moment = UNDISTURBED,
        **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        order = {"do": what, "words": list(words), "folder": str(folder), "moment": str(moment), **more}
        try:
            self._send(order)
            answer: dict[str, Any] = json.loads(self._answers.readline())
        except BaseException:  # a test out of time: its command is stopped too
            with contextlib.suppress(BrokenPipeError):
                self._send({"do": "stop"})
                while (line := self._answers.readline()) and json.loads(line) != {"stopped": True}:
                    pass  # how the command ended, which nobody waits for
            raise
        return answer

    def _send(self, order: dict[str, Any]) -> None:
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()


def run_new_process(words: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Done:
    """``python -m kit WORDS`` in a new interpreter, as a user starts it."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "kit", *words], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, **_SETTINGS, **_given(folder, environment)}, timeout=LIMIT,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


def _given(folder: Path, environment: Mapping[str, str] | None) -> dict[str, str]:
    """*environment*, with temporary files, home and cache inside the command's folder."""
    for name in ("tmp", "home"):
        (folder / name).mkdir(exist_ok=True)
    home = folder / "home"
    inside = {"TMPDIR": str(folder / "tmp"), "HOME": str(home), "KIT_CACHE": str(home / "cache")}
    return {**inside, **(environment or {})}


def _done(answer: dict[str, Any]) -> Done:
    return Done(**{**answer, "changes": tuple(answer["changes"])})
