"""The real command on something hostile: one line on standard error, exit code 1, nothing else happens."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

import pandas as pd  # noqa: F401

import kit.api.check
import kit.api.doctor
import kit.api.ensemble
import kit.api.runs
import kit.api.score
import kit.data.checks
import kit.metrics.scores
import kit.submission.build
import kit.submission.submit  # noqa: F401  (all of them once, before any fork)
from kit.cli import main
from tests.screens import obeyed


def refused(*arguments: object, cwd: Path, notes: bool = False, made: str = "nothing") -> str:
    """What `kit` says, run in *cwd*, where and beside which nothing may change.

    *notes*: whether lines about settings may come before; *made*: a folder that may have been begun.
    """
    before = _snapshot(cwd.parent, cwd / made)
    code, out, error = run(*arguments, cwd=cwd)
    assert (code, out) == (1, ""), error
    assert "Traceback" not in error
    if notes:
        error = error[error.index("error: ") :]
    assert error.startswith("error: "), error
    assert error.count("\n") == 1, error
    assert error.endswith("\n"), error
    assert obeyed(error) == []
    assert _snapshot(cwd.parent, cwd / made) == before
    return error.removeprefix("error: ").rstrip("\n")


def run(*arguments: object, cwd: Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `kit`.

    In a child of this process: the same entry point as the shell's, without its second of imports.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(error.fileno(), 2)
            os._exit(_in_child([str(one) for one in arguments], cwd))
        _, status = os.waitpid(child, 0)
        said = []
        for file in (out, error):
            file.seek(0)
            said.append(file.read().decode())
    return os.waitstatus_to_exitcode(status), said[0], said[1]


def _in_child(arguments: Sequence[str], cwd: Path) -> int:
    os.chdir(cwd)
    sys.argv = ["kit", *arguments]
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = io.TextIOWrapper(os.fdopen(number, "wb", closefd=False), encoding="utf-8")
        setattr(sys, name, stream)
    code: object = 0
    try:
        main()
    except SystemExit as done:
        code = done.code or 0
    except BaseException:  # what the interpreter would do
        traceback.print_exc()
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else 1


def _snapshot(folder: Path, but: Path) -> dict[str, str]:
    found = {}
    for path in folder.rglob("*"):
        if path.is_relative_to(but):
            continue
        if path.is_symlink():
            found[str(path)] = f"link to {path.readlink()}"
        elif path.is_file():
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
