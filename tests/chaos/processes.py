"""Commands as processes that may die: forked from one that has imported the libraries already.

``python -m kit`` spends seconds on importing torch, in which it writes nothing.  The process that waits here
has done so; a command is a child of it, in a process group of its own, that goes on with ``kit.cli.main``.
It ends with whoever asked for it: anything that arrives while a command is at work stops it.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import kit
from tests.chaos.moments import AFTER, UNDISTURBED, Moment, arm

PROJECT = Path(kit.__file__).resolve().parent.parent
LIGHT = (
    "numpy", "pandas", "scipy.stats", "lightgbm", "requests", "rich.progress", "kit.views.submissions",
    "kit.views.scores", "kit.submission.build", "kit.tuning.nested", "kit.reports.contents",
    "kit.reports.page", "kit.kaggle.import_client", "kit.submission.submitting",
    "kit.submission.selection", "kit.kaggle.downloads.competition_files",
    "kit.kaggle.downloads.korquad",
    "kit.kaggle.downloads.install", "kit.data.checks", "kit.views.kaggle", "kit.views.leaderboard",
    "kit.views.reports", "kit.views.tuning", "kit.views.checks", "kit.views.overview", "kit.cli",
    "kit.cli.app", "pyarrow.pandas_compat", "pydantic.type_adapter", "shellingham",
)  # fmt: skip
HEAVY = (
    "torch", "transformers.models.bert.modeling_bert", "kit.training.run", "kit.modeling.prediction",
    "kit.training.launch", "kit.data.leaks",
)  # fmt: skip
LIMIT = 100.0
"""Seconds after which a command counts as hanging, and is killed: less than pytest gives a test."""
_BLOCK = 1 << 16
_TURN = 0.01
"""Seconds between two looks at a command that says nothing."""
_STOPPED = {"stopped": True}


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended: its exit code (negative for a signal), what it said, and what it changed."""

    code: int
    out: str
    err: str
    seconds: float
    changes: tuple[str, ...] = ()
    """The changes of the file system, in order: ``os.rename runs/new/run.json``."""
    begun: float = 0.0
    """Seconds before the first of them."""

    @property
    def refused(self) -> bool:
        """Whether it failed as a command should: exit code 1, and one line."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        return self.code == 1 and len(lines) == 1 and "Traceback" not in self.err


class Warm:
    """A process that has imported *modules* and starts commands; a context manager."""

    def __init__(
        self, modules: Sequence[str] = LIGHT, environment: Mapping[str, str | None] | None = None
    ) -> None:
        """*environment*: what the libraries read while they are imported; None for a name that is not set."""
        self._home = tempfile.TemporaryDirectory()
        known = {**os.environ, **_SETTINGS, "HOME": self._home.name, **(environment or {})}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.processes", *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env={name: value for name, value in known.items() if value is not None},
        )

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
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

        *bound*: by permissions, also as root.
        """
        order = _order(words, folder, moment, environment)
        return _done(self._asked({**order, "do": "run", "bound": bound}))

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
        """The same with *environment* as it is, and without an eye on its changes.

        *program*: the module whose ``main`` is called.
        *processes*: so many at once, which know of each other as torchrun's do.
        *together*: all that is printed is in `Done.out`, in order; so it is on a terminal, *columns* wide.
        """
        order = {"words": list(words), "folder": str(folder), "moment": str(UNDISTURBED), "env": {}}
        order |= {"program": program, "processes": processes}
        order |= {"together": together or columns is not None, "columns": columns}
        return _done(self._asked({**order, "do": "run", "whole environment": dict(environment)}))

    def start(
        self, words: Sequence[str], folder: Path, moment: Moment, environment: Mapping[str, str] | None = None
    ) -> None:
        """The same until *moment*, which holds it; others may run meanwhile."""
        answer = self._asked({**_order(words, folder, moment, environment), "do": "start"})
        assert answer["held"], answer

    def finish(self) -> Done:
        """Let the command that is held go on, and wait for its end."""
        return _done(self._asked({"do": "finish"}))

    def _asked(self, order: dict[str, Any]) -> dict[str, Any]:
        try:
            self._say(order)
            answer: dict[str, Any] = json.loads(self._heard())
        except BaseException:  # a test that is out of time: so is its command
            with contextlib.suppress(BrokenPipeError):
                self._say({"do": "stop"})
                while self._heard() not in (json.dumps(_STOPPED), ""):
                    pass  # how the command ended, which nobody wants to know any more
            raise
        return answer

    def _say(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _heard(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")


def cold(words: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Done:
    """``python -m kit WORDS``: what a user starts."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "kit", *words],
        cwd=folder,
        env={**os.environ, **_SETTINGS, **_places(folder), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


_SETTINGS = {
    "PYTHONPATH": str(PROJECT), "NO_COLOR": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1", "COLUMNS": "100", "CUDA_VISIBLE_DEVICES": "",
}  # fmt: skip


def _places(folder: Path) -> dict[str, str]:
    """Temporary files and home inside the command's own folder."""
    for name in ("tmp", "home"):
        (folder / name).mkdir(exist_ok=True)
    return {"TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home")}


def _order(
    words: Sequence[str], folder: Path, moment: Moment, environment: Mapping[str, str] | None
) -> dict[str, Any]:
    given = {**_places(folder), **(environment or {})}
    return {"words": list(words), "folder": str(folder), "moment": str(moment), "env": given}


def _done(answer: dict[str, Any]) -> Done:
    return Done(**{**answer, "changes": tuple(answer["changes"])})


# ---- the process that waits


def serve(modules: Sequence[str]) -> None:
    """Import, then carry out one order a line of standard input."""
    for name in modules:
        importlib.import_module(name)
    if "kit.kaggle.import_client" in modules:
        from kit.kaggle.import_client import kaggle_api_class

        kaggle_api_class()
    sys.modules["kiwipiepy"] = None  # type: ignore[assignment]  # optional, and takes seconds to load its model
    gc.freeze()  # trainings collect garbage, and need not look through the libraries
    held: list[_Child] = []
    # Unbuffered: what has arrived and is not read can be seen on the descriptor.
    for line in os.fdopen(0, "rb", buffering=0, closefd=False):
        order = json.loads(line)
        if order["do"] == "stop":
            _end(held)
            answer = _STOPPED
        elif order["do"] == "finish":
            child = held.pop()
            os.kill(child.number, signal.SIGCONT)
            answer = child.ended()
        else:
            child = _forked(order)
            answer = child.ended(stopped=order["do"] == "start")
            if "held" in answer:
                held.append(child)
        with contextlib.suppress(BrokenPipeError):  # whoever asked has died
            os.write(1, (json.dumps(answer) + "\n").encode())
    _end(held)


@dataclass(slots=True)
class _Child:
    """A command at work.  Pipes, not files: a limit on the size of files is no limit on what can be said."""

    number: int
    moment: Moment
    pipes: tuple[int, ...]
    heard: tuple[bytearray, ...] = field(default_factory=lambda: (bytearray(), bytearray(), bytearray()))
    began: float = field(default_factory=time.monotonic)
    begun: float = 0.0
    closed: set[int] = field(default_factory=set)
    """Those of the pipes in which nothing will come any more."""

    def ended(self, *, stopped: bool = False) -> dict[str, Any]:
        """Wait for its end, or until it is *stopped*; kill it by the clock, or where another order comes."""
        limit = self.moment.seconds if self.moment.kind == AFTER else LIMIT
        while True:
            number, status = os.waitpid(self.number, os.WNOHANG | (os.WUNTRACED if stopped else 0))
            spent = time.monotonic() - self.began
            if number and os.WIFSTOPPED(status):
                return {"held": True}
            if not number and (spent >= limit or select.select([0], [], [], 0)[0]):
                number, status = self.killed()
            self._hear()
            if self.heard[2] and not self.begun:
                self.begun = spent
            if number:
                break
            open_ = [pipe for pipe in self.pipes if pipe not in self.closed]
            select.select([0, *open_], [], [], max(min(_TURN, limit - spent), 0))
        for pipe in self.pipes:
            os.close(pipe)
        out, err, changes = (own.decode(errors="replace") for own in self.heard)
        return {
            "code": os.waitstatus_to_exitcode(status), "out": out, "err": err,
            "changes": changes.splitlines(), "seconds": spent, "begun": self.begun,
        }  # fmt: skip

    def _hear(self) -> None:
        for pipe, own in zip(self.pipes, self.heard, strict=True):
            while pipe not in self.closed:
                try:
                    block = os.read(pipe, _BLOCK)
                except BlockingIOError:
                    break
                except OSError:  # what Linux says of a terminal whose other end is closed
                    block = b""
                own += block
                if not block:
                    self.closed.add(pipe)

    def killed(self) -> tuple[int, int]:
        """Kill it with all of its group, which it may not have founded yet; what ``waitpid`` says then."""
        try:
            os.killpg(self.number, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(self.number, signal.SIGKILL)
        return os.waitpid(self.number, 0)


def _end(held: list[_Child]) -> None:
    """Kill the commands that nobody will let go on."""
    while held:
        held.pop().killed()


def _forked(order: dict[str, Any]) -> _Child:
    pipes = [os.pipe() for _ in range(3)]
    if columns := order.get("columns"):
        for end in pipes[0]:
            os.close(end)
        pipes[0] = pty.openpty()
        fcntl.ioctl(pipes[0][1], termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    number = os.fork()
    if number == 0:
        _become(order, [end for _, end in pipes])
    for begin, end in pipes:
        os.close(end)
        os.set_blocking(begin, False)
    return _Child(number, Moment.parsed(order["moment"]), tuple(begin for begin, _ in pipes))


def _become(order: dict[str, Any], ends: Sequence[int]) -> NoReturn:
    """In the child: turn into the command."""
    code = 70
    try:
        os.setsid()
        os.chdir(order["folder"])
        if (environment := order.get("whole environment")) is not None:
            os.environ.clear()
            os.environ.update(environment)
        os.environ.update(order["env"])
        tempfile.tempdir = None
        os.dup2(ends[0] if order.get("columns") else os.open(os.devnull, os.O_RDONLY), 0)
        for end, stream in zip((ends[0], ends[0 if order.get("together") else 1]), (1, 2), strict=True):
            os.dup2(end, stream)
        # Anew: those of the waiting process remember what they wrote to.  With the habits of a fresh process.
        sys.stdout = os.fdopen(1, "w", encoding="utf-8")
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
        sys.argv = ["kit", *order["words"]]
        main = importlib.import_module(order.get("program", "kit.cli")).main
        if order.get("bound"):
            _give_up_capabilities()
        if environment is None:
            arm(Moment.parsed(order["moment"]), Path(order["folder"]), ends[2])
        code = _several(main, order["processes"]) if order.get("processes", 1) > 1 else _called(main)
    except BaseException:
        traceback.print_exc()
    finally:
        for output in (sys.stdout, sys.stderr):
            output.flush()
        os._exit(code)


def _called(main: Callable[[], object]) -> int:
    """The exit code that *main* ends with."""
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _several(main: Callable[[], object], count: int) -> int:
    """*main* in *count* processes that find each other; the exit code of the first that fails, or 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    numbers = []
    for rank in range(count):
        number = os.fork()
        if number == 0:
            os.environ.update(
                RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(count), LOCAL_WORLD_SIZE=str(count),
                MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
            )  # fmt: skip
            code = _called(main)
            atexit._run_exitfuncs()  # the group is left as at the end of any process
            for output in (sys.stdout, sys.stderr):
                output.flush()
            os._exit(code)
        numbers.append(number)
    failed = 0
    while numbers:
        number, status = os.wait()
        numbers.remove(number)
        code = os.waitstatus_to_exitcode(status)
        if code and not failed:
            failed = code
            for other in numbers:  # as a launcher does
                os.kill(other, signal.SIGTERM)
    return failed


def _give_up_capabilities() -> None:
    """Let permissions bind this process although it is root's (capset(2), version 3: none at all)."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if libc.capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    serve(sys.argv[1:])
