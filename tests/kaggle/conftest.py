"""A running server, an account on it, and nothing of the machine's own Kaggle settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kaggle import serving_competitions  # noqa: F401  (its methods of the server)
from tests.kaggle.server import Kaggle, running


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    """The server; the kit is pointed at it, with the legacy key of an account there."""
    clean(tmp_path, monkeypatch)
    monkeypatch.setenv("KAGGLE_USERNAME", "person")
    monkeypatch.setenv("KAGGLE_KEY", "secret")
    with running() as server:
        monkeypatch.setenv("KIT_KAGGLE_ENDPOINT", server.endpoint)
        monkeypatch.setenv("KIT_KAGGLE_TIMEOUT", "0.6")
        yield server


def clean(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home without Kaggle settings, and no variables of Kaggle's."""
    for name in list(os.environ):
        if name.startswith("KAGGLE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
