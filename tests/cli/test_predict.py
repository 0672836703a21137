"""``kit predict``: its flags, and what a wrong folder is told."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from kit.cli import app
from kit.errors import KitError


def test_the_help_shows_every_flag() -> None:
    text = CliRunner().invoke(app, ["predict", "--help"]).output
    for flag in [
        "--data",
        "--fold",
        "--max-length",
        "--stride",
        "--precision",
        "--again",
        "--allow-unknown",
        "--trust-remote-code",
        "--json",
    ]:
        assert f"  {flag} " in text
    assert "[as trained]" in text


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["predict", str(tmp_path / "run"), "--data", str(tmp_path / "x.json")])
    assert isinstance(done.exception, KitError)
    assert "x.json" in str(done.exception)
    assert "\n" not in str(done.exception)
