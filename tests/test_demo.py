"""The demo is the main job: it must run, learn, and leave a submission."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kit
from kit.competition.csv import check_submission, read_submission

PROJECT = Path(kit.__file__).resolve().parent.parent


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kit", "demo", "--articles", "1800"],  # and it learns as well as it must
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "NO_COLOR": "1"},
    )


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_the_demo_learns_and_leaves_a_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = demo(tmp_path)
    assert result.returncode == 0, result.stderr
    truth = kit.load(tmp_path / "data" / "demo" / "test_answers.json")
    assert len(truth) >= 600
    assert len({question.context for question in truth}) >= 200
    answers = read_submission(tmp_path / "submissions" / "demo.csv")
    check_submission(answers, [question.guid for question in truth])
    blank = kit.score(dict.fromkeys(answers, ""), truth)
    assert kit.score(answers, truth).edit < blank.edit / 2
    # the other tokenizer's model has learned as well
    recipe = tmp_path / "wordpiece.yaml"
    recipe.write_text("members: [{run: runs/demo-wordpiece}]\nlength_prior: 0.5\n")
    monkeypatch.chdir(tmp_path)
    assert kit.score(kit.decode(recipe, "data/demo/test.json"), truth).edit < blank.edit / 2
    for label in (
        "all blank",
        "demo-unigram, course-2022",
        "demo-wordpiece, argmax",
        "demo-wordpiece, length prior",
        "both, vote, argmax",
        "both, mean, edit",
    ):
        assert label in result.stdout
    card = json.loads((tmp_path / "submissions" / "demo.json").read_text(encoding="utf-8"))
    assert card["recipe"]["decoder"] == "edit"
    assert len(card["members"]) == 2

    again = demo(tmp_path)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("already trained with these settings") == 2
    assert again.stdout == result.stdout
