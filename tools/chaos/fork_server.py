"""The server side of processes.py: imports the kit, then forks one command per line of standard input."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import pty
import select
import signal
import socket
import struct
import sys
import tempfile
import termios
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import kit
from tools.chaos.moments import AFTER, Moment, arm
from tools.chaos.processes import LIMIT

_LIBRARIES = (
    "numpy", "pandas", "scipy.stats", "lightgbm", "requests", "rich.progress", "pyarrow.pandas_compat",
    "pydantic.type_adapter", "shellingham", "torch", "transformers.models.bert.modeling_bert",
)  # fmt: skip
_NOT_IMPORTED = {
    "kit.__main__",
    "kit.kaggle.mounts",
    "kit.kaggle.kernels.bootstrap",
    "kit.kaggle.kernels.runner",
}
"""A program, and modules that read their environment while they are imported."""
_BLOCK = 1 << 16
_TURN = 0.01
"""Seconds between two looks at a command that prints nothing."""


def serve(modules: Sequence[str]) -> None:
    """Import *modules* (default: all of the kit), then carry out one order per line of standard input."""
    for name in modules or _everything():
        importlib.import_module(name)
    if not modules:
        from kit.kaggle.import_client import kaggle_api_class

        kaggle_api_class()
    sys.modules["kiwipiepy"] = None  # type: ignore[assignment]  # optional, and takes seconds to load its model
    gc.freeze()  # trainings collect garbage, and need not look through the libraries
    held: list[_Child] = []
    # Unbuffered, so that select() sees what has arrived and is not read.
    for line in os.fdopen(0, "rb", buffering=0, closefd=False):
        order = json.loads(line)
        if order["do"] == "stop":
            _kill(held)
            answer: dict[str, Any] = {"stopped": True}
        elif order["do"] == "finish":
            child = held.pop()
            os.kill(child.number, signal.SIGCONT)
            answer = child.ended()
        else:
            child = _forked(order)
            answer = child.ended(stopped=order["do"] == "start")
            if "held" in answer:
                held.append(child)
        with contextlib.suppress(BrokenPipeError):  # the caller has died
            os.write(1, (json.dumps(answer) + "\n").encode())
    _kill(held)


def _everything() -> list[str]:
    found = [module.name for module in pkgutil.walk_packages(kit.__path__, "kit.")]
    return [*_LIBRARIES, *(name for name in found if name not in _NOT_IMPORTED)]


@dataclass(slots=True)
class _Child:
    """A running command.  Pipes, not files: a limit on the size of files must not limit its output."""

    number: int
    moment: Moment
    pipes: tuple[int, ...]
    heard: tuple[bytearray, ...] = field(default_factory=lambda: (bytearray(), bytearray(), bytearray()))
    """Standard output, standard error, changes."""
    began: float = field(default_factory=time.monotonic)
    begun: float = 0.0
    closed: set[int] = field(default_factory=set)
    """The pipes that are at their end."""

    def ended(self, *, stopped: bool = False) -> dict[str, Any]:
        """Wait for its end, or until it is *stopped*; kill it by the clock, or when another order comes."""
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
                except OSError:  # Linux, when the other end of a terminal is closed
                    block = b""
                own += block
                if not block:
                    self.closed.add(pipe)

    def killed(self) -> tuple[int, int]:
        """Kill it and its process group, which it may not have founded yet; returns what ``waitpid`` does."""
        try:
            os.killpg(self.number, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(self.number, signal.SIGKILL)
        return os.waitpid(self.number, 0)


def _kill(held: list[_Child]) -> None:
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
        watched = order.get("watched", True)
        if not watched:
            os.environ.clear()
        os.environ.update(order["env"])
        tempfile.tempdir = None
        os.dup2(ends[0] if order.get("columns") else os.open(os.devnull, os.O_RDONLY), 0)
        for end, stream in zip((ends[0], ends[0 if order.get("together") else 1]), (1, 2), strict=True):
            os.dup2(end, stream)
        # New stream objects (the server's remember what they were opened on), buffered as Python's own are.
        sys.stdout = os.fdopen(1, "w", encoding="utf-8")
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
        sys.argv = ["kit", *order["words"]]
        main = importlib.import_module(order.get("program", "kit.cli")).main
        if order.get("bound"):
            _drop_capabilities()
        if watched:
            arm(Moment.parsed(order["moment"]), Path(order["folder"]), ends[2])
        code = _several(main, order["processes"]) if order.get("processes", 1) > 1 else _called(main)
    except BaseException:
        traceback.print_exc()
    finally:
        _exit(code)


def _exit(code: int) -> NoReturn:
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
            atexit._run_exitfuncs()  # leaves the process group as at the end of any process
            _exit(code)
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


def _drop_capabilities() -> None:
    """Let file permissions apply to this process even where it is root's (capset(2), version 3)."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if libc.capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    serve(sys.argv[1:])
