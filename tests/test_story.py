"""The eight commands of the README, from the download to the leaderboard, against a Kaggle on loopback."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

import kit
from kit.data import demo_corpus
from kit.metrics.edit_distance import edit_distances
from kit.modeling.tiny import Shape, make_backbone
from kit.submission.csv import parse_submission
from tests.commands import run_kit
from tests.kaggle import serving_submissions
from tests.kaggle.server import running
from tests.kaggle.serving_data import offer

SLUG = "k-digital-goorm-2-korean-mrc"
TINY = "--epochs 1 --batch-size 16 --max-length 160 --lr 1e-3 --warmup 0.2"
"""What makes the training short: a tiny backbone in place of klue-bert, two folds, one epoch."""


def readme_commands(project: Path) -> list[str]:
    """The lines from a data file to a submission, in order."""
    text = (project / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## From a data file to a submission file\n.*?```console\n(.*?)```", text, re.S)
    assert block is not None
    return block[1].splitlines()


@pytest.mark.slow
def test_three_submissions_from_download_to_leaderboard(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = demo_corpus.write(tmp_path / "made", train_contexts=16, test_contexts=12)
    truth = kit.load(files.test_answers)
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    place = tmp_path / "here"
    make_backbone(place / "tiny", texts, "wordpiece", Shape(600, 32, 2, 2, 64, 160), seed=1)
    shutil.copytree(project / "ensembles", place / "ensembles")

    def judge(content: bytes) -> float:
        answers = parse_submission(content, Path("submitted"))
        distances = edit_distances([answers[question.guid] for question in truth],
                                   [question.golds for question in truth])  # fmt: skip
        return round(float(distances.mean()), 5)

    for name in [name for name in os.environ if name.startswith("KAGGLE_")]:
        monkeypatch.delenv(name)

    with running() as kaggle:
        kaggle.state["judge"] = judge
        named = ("train.json", "test.json", "sample_submission.csv")
        offer(kaggle, SLUG, {name: (tmp_path / "made" / name).read_bytes() for name in named})
        environment = {
            "KIT_KAGGLE_ENDPOINT": kaggle.endpoint, "KIT_KAGGLE_TIMEOUT": "5", "HOME": str(tmp_path),
            "KAGGLE_USERNAME": "person", "KAGGLE_KEY": "secret",
        }  # fmt: skip

        def run(line: str) -> str:
            command, *words = shlex.split(line)
            assert command == "kit"
            done = run_kit(*words, cwd=place, **environment)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            return done.stdout

        printed = {}
        for line in readme_commands(project):
            verb = line.split()[1]
            if verb == "train":
                line = line.replace("klue-bert --data", "tiny --data").replace(
                    "--folds 5", f"--folds 2 {TINY}"
                )
            printed[verb] = run(line)
        assert (
            "0 faults" in printed["check"] or "clean" in printed["check"] or "questions" in printed["check"]
        )
        others = {"second": "ensembles/course-2022.yaml --member runs/klue-bert", "third": "runs/klue-bert"}
        for name, recipe in others.items():
            run(f"kit ensemble {recipe} --data data/goorm-2/test.json --out submissions/{name}.csv")
            run(f"kit submit submissions/{name}.csv --message '{name} try'")
        again = run("kit submit submissions/first.csv --message again")
        assert "already, " in again
        standing = json.loads(run("kit leaderboard --refresh --pick 2 --json"))

    paths = [place / "submissions" / f"{name}.csv" for name in ("first", "second", "third")]
    expected = [judge(path.read_bytes()) for path in paths]
    assert len(set(expected)) == 3
    shown = standing["submissions"]
    assert [one["public"] for one in shown] == expected
    assert [one["status"] for one in shown] == ["complete"] * 3
    assert len(serving_submissions.records(kaggle)) == 3
    # Every submission had its estimate before it was sent, out of fold on the training file.
    assert all(one["low"] < one["estimate"] < one["high"] for one in shown)
    assert standing["tracking"]["submissions"] == 3
    assert len(standing["picks"]) == 2
