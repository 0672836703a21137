"""``kit sweep``: its flags come from the options of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import kit
from kit.cli import app
from kit.errors import ConfigError
from kit.settings.option import from_given
from kit.settings.sweep_options import SweepOptions

pytest.importorskip("optuna")


def test_the_help_shows_every_flag() -> None:
    text = CliRunner().invoke(app, ["sweep", "--help"]).output
    for flag in [
        "--data",
        "--run",
        "--range",
        "--set",
        "--trials",
        "--valid",
        "--hours",
        "--keep",
        "--prune-after",
        "--storage",
        "--seed",
        "--against",
        "--allow-leak",
        "--trust-remote-code",
        "--json",
    ]:
        assert f"  {flag} " in text.replace("\n", " \n")
    assert "KIT_SWEEP_STORAGE" in text
    assert "Number of best trials whose weights are kept [1]." in " ".join(text.split())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"trials": 0}, "kit sweep: --trials is 0; input should be greater than or equal to 1"),
        ({"keep": -1, "prune_after": 0}, "--keep is -1; .*; --prune-after is 0"),
        ({"hours": 0.0}, "--hours is 0.0; input should be greater than 0"),
        ({"trails": 3}, "trails is not a known key; did you mean trials?"),
    ],
)
def test_numbers_out_of_bounds_are_refused_at_once(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace("?", r"\?")):
        kit.sweep("klue-bert", **given)
    assert from_given(SweepOptions, {"trials": None}, "kit sweep") == SweepOptions()


def test_a_mistyped_setting_gets_a_suggestion(tmp_path: Path) -> None:
    words = ["sweep", "klue-bert", "--data", "x.json", "--run", str(tmp_path / "s")]
    done = CliRunner().invoke(app, [*words, "--range", "lrr=1e-5:1e-4", "--set", "epoch=2"])
    assert isinstance(done.exception, ConfigError)
    assert "--set epoch=2: is no training setting; did you mean epochs?" in str(done.exception)
    assert "--range lrr=1e-5:1e-4: is no training setting; did you mean lr?" in str(done.exception)
