"""Runs the tests of a module with one mutant at a time, each in a new process."""

from __future__ import annotations

import ast
import contextlib
import importlib.machinery
import importlib.util
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_WARM = (
    "hypothesis", "numpy", "pandas", "pydantic", "pytest", "rapidfuzz", "rapidfuzz.process", "rich",
    "safetensors", "scipy.stats", "typer", "yaml", "filelock",
)  # fmt: skip


class Verdict(StrEnum):
    """The result of the tests."""

    KILLED = "killed"
    SURVIVED = "survived"
    TOO_SLOW = "too slow"
    """Reached its time limit, which counts as killed: a hanging test would be noticed."""


def warm_up() -> None:
    """Import once, before any fork, what every test imports and no mutant changes."""
    for name in _WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def judged(
    module: str, source: str, tests: Sequence[str], limit: float, examples: int, *, quick: bool
) -> tuple[Verdict, float]:
    """Run *tests* with *source* in the place of *module* (a path from the root).

    *limit*: CPU seconds; sleeping tests get ten times as much of the clock.  *examples*: the most that any
    property is tried with.  *quick*: as `make test` runs them, without slow tests and with its examples.
    Returns the verdict and the CPU seconds.

    The module is replaced inside this process's child only, so that commands which a test starts still
    have the true one: what only they would notice is not noticed.
    """
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os._exit(_in_child(module, source, tests, limit, examples, quick))
    while True:
        done, status, used = os.wait4(child, os.WNOHANG)
        if done:
            seconds = used.ru_utime + used.ru_stime
            code = os.waitstatus_to_exitcode(status)
            if code == -signal.SIGXCPU:
                return Verdict.TOO_SLOW, seconds
            # Anything but 0 and 1 (a crash, nothing collected) is no test's verdict, but is noticed.
            return (Verdict.SURVIVED if code == 0 else Verdict.KILLED), seconds
        if time.monotonic() - began > 10 * limit:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return Verdict.TOO_SLOW, limit
        time.sleep(0.02)


def _in_child(
    module: str, source: str, tests: Sequence[str], limit: float, examples: int, quick: bool
) -> int:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, resource.RLIM_INFINITY))
    folder = Path(tempfile.mkdtemp(prefix="mutant-"))
    with (folder / "output").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.chdir(ROOT)
    name = module.removesuffix(".py").replace("/", ".")
    code = compile(ast.parse(source), str(ROOT / module), "exec")
    sys.meta_path.insert(0, _Instead(name, str(ROOT / module), code))
    import pytest
    from hypothesis import Phase, settings

    # The same examples for every mutant, and none is made smaller: that one fails is all we ask.
    settings.register_profile(
        "mutants", database=None, derandomize=True, deadline=None, max_examples=20 if quick else 100,
        phases=[Phase.explicit, Phase.generate],
    )  # fmt: skip
    found = [test for test in tests if (ROOT / test.partition("::")[0]).exists()]
    options = ["-xqp", "no:cacheprovider", "--hypothesis-profile=mutants", f"--basetemp={folder / 'tmp'}"]
    options += ["-m", "not slow"] * quick
    try:
        return int(pytest.main([*options, *found], plugins=[_FewExamples(examples)]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _FewExamples:
    """Caps also the properties that ask for many examples themselves."""

    def __init__(self, most: int) -> None:
        self._most = most

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        from hypothesis import settings

        for item in items:
            test = getattr(item, "obj", None)
            if (own := getattr(test, "_hypothesis_internal_use_settings", None)) is not None:
                few = settings(own, max_examples=min(own.max_examples, self._most))
                test._hypothesis_internal_use_settings = few


class _Instead(importlib.machinery.SourceFileLoader):
    """Finds one module, and gives it other code."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def find_spec(self, fullname: str, path: object, target: object = None) -> object:
        known = fullname == self.name
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self) if known else None

    def get_code(self, fullname: str) -> CodeType:
        return self._code
