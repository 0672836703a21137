"""An account on the loopback Kaggle server whose state can be restored."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kit.submission.csv import write_submission
from tests.kaggle.server import Kaggle, running
from tests.kaggle.serving_data import offer
from tests.kaggle.serving_submissions import bytes_of, records
from tools.chaos.fixtures import SLUG

_GUIDS = ("a", "b", "c")
_SCORE = 1.75


class Account:
    """A running server with one competition."""

    def __init__(self, kaggle: Kaggle) -> None:
        self._kaggle = kaggle
        self.environment = {
            "KIT_KAGGLE_ENDPOINT": kaggle.endpoint, "KIT_KAGGLE_TIMEOUT": "5", "KAGGLE_USERNAME": "person",
            "KAGGLE_KEY": "secret", "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1",
        }  # fmt: skip

    @classmethod
    @contextmanager
    def opened(cls, files: Mapping[str, bytes]) -> Iterator[Account]:
        """On a new server that offers *files* for download and scores every submission."""
        with running() as kaggle:
            offer(kaggle, SLUG, files)
            kaggle.state["judge"] = lambda content: _SCORE
            yield cls(kaggle)

    def offer_csvs(self, folder: Path) -> None:
        """Two CSVs in *folder*, and the sample submission that lists the questions."""
        write_submission(folder / "data/goorm-2/sample_submission.csv", _GUIDS, ["", "", ""])
        write_submission(folder / "submissions/x.csv", _GUIDS, ["서울", "", "부산, 대구"])
        write_submission(folder / "submissions/y.csv", _GUIDS, ["", "", "부산"])

    def kept(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """The server's state now."""
        with self._kaggle.lock:
            return copy.deepcopy(self._kaggle.state), dict(self._kaggle.stored)

    def put_back(self, kept: tuple[dict[str, Any], dict[str, bytes]]) -> None:
        """Restore that state."""
        with self._kaggle.lock:
            self._kaggle.state = copy.deepcopy(kept[0])
            self._kaggle.stored = dict(kept[1])
            self._kaggle.calls.clear()

    def submitted(self) -> list[tuple[str, bytes]]:
        """Description and bytes of every submission that the server has recorded."""
        return [(one["description"], bytes_of(self._kaggle, one)) for one in records(self._kaggle)]

    def forget(self) -> None:
        """Remove all submissions."""
        with self._kaggle.lock:
            for name in ("submissions", "uploads", "left"):
                self._kaggle.state.pop(name, None)
            for path in [path for path in self._kaggle.stored if path.startswith("/upload/")]:
                del self._kaggle.stored[path]
