"""A test that is interrupted leaves no command at work, whether it was forked or begun from nothing."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.commands import run_kit, run_python
from tests.kaggle.server import Fault, Kaggle, running

FILE = "KorQuAD_v1.0_train.json"


class Interrupted(BaseException):
    """What a limit of pytest's does to a test."""


@pytest.fixture
def silent() -> Iterator[Kaggle]:
    """A server that never sends its first file; whoever asks for it is soon interrupted."""

    def interrupted(*_: object) -> None:
        raise Interrupted

    def interrupt() -> None:
        while not server.calls:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupted)
    with running() as server:
        server.fail(FILE, Fault("silence"))
        threading.Thread(target=interrupt, daemon=True).start()
        yield server
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("cold", [False, True])
def test_a_command_ends_with_the_test_that_asked_for_it(silent: Kaggle, tmp_path: Path, cold: bool) -> None:
    assert run_kit("--version", cwd=tmp_path).returncode == 0
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    words = [*(["-m", "kit"] if cold else []), "download", "korquad"]
    where = {"KIT_KORQUAD_URL": f"{silent.endpoint}/", "KIT_KAGGLE_TIMEOUT": "60"}
    with pytest.raises(Interrupted):
        (run_python if cold else run_kit)(*words, cwd=tmp_path, **where)
    assert silent.count(FILE) == 1
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before
    assert run_kit("--version", cwd=tmp_path).returncode == 0
