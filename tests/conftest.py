"""What all tests share: the real data beside the project where it exists, and nothing but loopback."""

from __future__ import annotations

import gc
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from filelock import FileLock
from hypothesis import settings

from tests.commands import stop_fork_server

PROJECT = Path(__file__).resolve().parent.parent

# Two files are tested at a time: tiny models gain nothing from a second thread, and lose much by waiting.
# And weights are equal to the last bit only where all processes use as many.  Set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("quick", max_examples=20, derandomize=True, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)
settings.load_profile("quick")

_SLOW_SECONDS = 300
"""The limit of a slow test; that of the others is in pyproject.toml."""

LONG = (
    "tests/cli/test_demo.py",
    "tests/notebooks",
    "tests/test_training.py",
    "tests/kaggle/kernels/test_output.py",
    "tests/cli/test_auto.py",
    "tests/test_story.py",
    "tests/crash_safety",
    "tests/reports/test_page.py",
    "tests/test_sweep.py",
    "tests/tuning/test_nested.py",
    "tests/training",
)
"""What is to begin first, so that nothing long is left for one process at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; the others, and the tests of a file, stay in their order.

    Slow tests get more time.
    """
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_SLOW_SECONDS))
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if item.nodeid.startswith(name)), 99))


gc.disable()


def pytest_collection_finish() -> None:
    """What is imported by now stays: garbage is looked for in the rest only, and less often than usual."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session")
def project() -> Path:
    """The repository's root."""
    return PROJECT


def real_data() -> Path | None:
    """The folder with real Korean data and small real models, where there is one."""
    folder = Path(os.environ.get("KIT_SHARED") or PROJECT.parent / "shared")
    return folder.resolve() if (folder / "data").is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of `real_data`; the test skips where there is none."""
    folder = real_data()
    if folder is None:
        pytest.skip("no real data beside the project (set KIT_SHARED to their folder)")
    return folder


@pytest.fixture(scope="module")
def several_threads() -> Iterator[None]:
    """What can be done in pieces is, at the same time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "3")
        yield


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """At the end no process is at work that a test started, and no temporary file is left."""
    folder = tmp_path_factory.mktemp("tmp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        yield
        stop_fork_server()
    children = psutil.Process().children(recursive=True)
    _, alive = psutil.wait_procs(children, timeout=3)
    left = [" ".join(child.cmdline()) for child in alive]
    # Python 3.12 and newer keep one of their own until this process ends.
    assert [command for command in left if "multiprocessing.resource_tracker" not in command] == []
    # The file of a lock stays (removing it would race with the next process), but nobody holds it any more.
    for path in folder.glob("kit-*.lock"):
        with FileLock(path, timeout=0):
            path.unlink()
    (folder / "kit-machine").unlink(missing_ok=True)  # by which sweeps know a machine again
    assert sorted(path.name for path in folder.iterdir()) == []


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test, and no process that it starts, touches the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path_factory.mktemp("inductor")))
        yield


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach anything but this machine, nor may a process that it starts."""
    # Their HTTP goes to a port where nobody listens.
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost,::1")
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> object:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])  # type: ignore[index]
            if not (host.startswith("127.") or host in {"::1", "localhost"}):
                raise AssertionError(f"a test tried to reach {host}; only loopback is allowed")
        return connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
