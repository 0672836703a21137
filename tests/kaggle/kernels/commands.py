"""`kit kernel` in this process."""

from __future__ import annotations

import sys

import pytest

from kit.cli import main


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of ``kit kernel WORDS``."""
    monkeypatch.setattr(sys, "argv", ["kit", "kernel", *words])
    with pytest.raises(SystemExit) as done:
        main()
    said = capsys.readouterr()
    return int(done.value.code or 0), said.out, said.err
