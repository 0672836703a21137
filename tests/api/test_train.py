"""``kit.train``: its keywords are the options, for people, editors and type checkers."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import kit
from kit.api.train import training_job
from kit.errors import ConfigError
from kit.settings.job import TrainKeywords
from kit.settings.sweep_options import SweepOptions
from kit.settings.training import TrainingSettings

PROJECT = Path(kit.__file__).resolve().parent.parent


def test_the_signature_shows_every_option() -> None:
    train = inspect.signature(kit.train).parameters
    assert list(train) == ["backbone", "data", *TrainKeywords.model_fields]
    assert (train["lr"].default, train["run"].default) == (3e-5, inspect.Parameter.empty)
    assert list(inspect.signature(kit.settings_for).parameters) == [
        "backbone",
        *TrainingSettings.model_fields,
    ]
    assert list(inspect.signature(kit.sweep).parameters) == ["backbone", "data", *SweepOptions.model_fields]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"lrr": 1e-4}, "lrr is not a known key; did you mean lr?"),
        ({"learning_rate": 1e-4}, "learning_rate is not a known key; did you mean lr?"),
        ({"fp16": True}, "fp16 is not a known key; did you mean precision?"),
        ({"lr": "fast"}, '--lr is "fast"; input should be a valid number'),
        ({"jobs": "two"}, '--jobs is "two"; input should be a valid integer'),
        ({"run": 3}, "run: is the number 3; one path is wanted"),
    ],
)
def test_a_wrong_keyword_is_refused_before_a_file_is_read(given: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        kit.train("klue-bert", "nowhere.json", **{"run": "r", **given})
    assert says in str(refused.value)


def test_none_means_the_default() -> None:
    job = training_job("klue-bert", "a.json", {"run": "r", "lr": None, "resume": None, "valid": None})
    assert (job.settings, job.options.resume, job.valid) == (kit.settings_for("klue-bert"), False, None)
    assert job.data == (Path("a.json"),)


@pytest.mark.slow
def test_a_type_checker_knows_the_keywords(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    script = tmp_path / "script.py"
    script.write_text(
        "import kit\n"
        'kit.train("a", "b", run="r", lr=1e-4, folds=5, quiet=True)\n'
        'kit.train("a", ["b"], run="r", lrr=1e-4)\n'
        'kit.train("a", "b", lr="x", run="r")\n'
        'kit.train("a", "b")\n'
        'kit.settings_for("a", schedule="cosine")\n'
        'kit.sweep("a", "b", run="r", ranges={"lr": "1e-5:1e-4"}, trails=3)\n',
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(PROJECT / "pyproject.toml"), str(script)],
        cwd=PROJECT, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    found = [line.split(": error: ")[1] for line in done.stdout.splitlines() if ": error: " in line]
    assert len(found) == 4, done.stdout
    assert found[0].startswith('Unexpected keyword argument "lrr"')
    assert 'incompatible type "str"; expected "float"' in found[1]
    assert found[2].startswith('Missing named argument "run"')
    assert found[3].startswith('Unexpected keyword argument "trails"')
