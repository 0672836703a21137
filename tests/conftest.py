"""What all tests share: the real data beside the project where it exists, and nothing but loopback."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

# Two files are tested at a time: tiny models gain nothing from a second thread, and lose much by waiting.
# And weights are equal to the last bit only where all processes use as many.  Set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

LONG = ("tests/test_demo.py", "tests/notebooks", "tests/test_training.py", "tests/test_road.py")
"""What is to begin first, so that nothing long is left for one process at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; the others, and the tests of a file, stay in their order."""
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if item.nodeid.startswith(name)), 99))


@pytest.fixture(scope="session")
def project() -> Path:
    """The repository's root."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real Korean data and small real models; the test skips where there is none."""
    folder = Path(os.environ.get("KIT_SHARED") or PROJECT.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip("no real data beside the project (set KIT_SHARED to their folder)")
    return folder.resolve()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test, and no process that it starts, touches the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_CACHE", str(tmp_path_factory.mktemp("cache")))
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
