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
from tests.conftest import real_data
from tests.kaggle import serving_submissions
from tests.kaggle.server import running
from tests.kaggle.serving_data import offer

SLUG = "k-digital-goorm-2-korean-mrc"
SHORT = "--epochs 1 --batch-size 16 --max-length 160 --stride 32 --warmup 0.2"
"""What makes the training short: a small backbone in place of klue-bert, two folds, one epoch."""


def readme_commands(project: Path) -> list[str]:
    """The lines from a data file to a submission, in order."""
    text = (project / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## From a data file to a submission file\n.*?```console\n(.*?)```", text, re.S)
    assert block is not None
    return block[1].splitlines()


def invented(made: Path) -> str:
    """Invented data in the folder *made*; the name of a tiny backbone."""
    files = demo_corpus.write(made, train_contexts=16, test_contexts=12)
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    make_backbone(made.parent / "tiny", texts, "wordpiece", Shape(600, 32, 2, 2, 64, 160), seed=1)
    return str(made.parent / "tiny")


def real(made: Path, shared: Path) -> str:
    """The first articles of the real data in the folder *made*; the name of a small pretrained backbone."""
    made.mkdir()
    given = shared / "data" / "goorm2-standin"
    for name, articles in (("train.json", 6), ("test.json", 2), ("test_answers.json", 2)):
        content = json.loads((given / name).read_text(encoding="utf-8"))
        content["data"] = content["data"][:articles]
        (made / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    guids = [question.guid for question in kit.load(made / "test.json")]
    rows = "".join(f"{guid},\n" for guid in guids)
    (made / "sample_submission.csv").write_text(f"Id,Predicted\n{rows}", encoding="utf-8")
    return str(shared / "models" / "e5-small-wp")


@pytest.mark.slow
def test_three_submissions_from_download_to_leaderboard(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On real questions with a pretrained backbone where they are at hand, else on invented ones."""
    made, place = tmp_path / "made", tmp_path / "here"
    shared = real_data()
    backbone, rate = (invented(made), "1e-3") if shared is None else (real(made, shared), "2e-4")
    truth = kit.load(made / "test_answers.json")
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
                line = line.replace("klue-bert --data", f"{backbone} --data").replace(
                    "--folds 5", f"--folds 2 {SHORT} --lr {rate}"
                )
            printed[verb] = run(line)
        assert "questions" in printed["check"]
        # A tuned backbone this small may leave every answer blank; these two always answer, long and short.
        (place / "short.yaml").write_text("members: [{run: runs/klue-bert}]\nlength_cap: 2\n")
        others = {"second": "runs/klue-bert --plain", "third": "short.yaml"}
        for name, recipe in others.items():
            run(f"kit ensemble {recipe} --data data/goorm-2/test.json --out submissions/{name}.csv")
            run(f"kit submit submissions/{name}.csv --message '{name} try'")
        again = run("kit submit submissions/first.csv --message again")
        assert "already, " in again
        standing = json.loads(run("kit leaderboard --refresh --pick 2 --json"))

    paths = [place / "submissions" / f"{name}.csv" for name in ("first", "second", "third")]
    assert len({path.read_bytes() for path in paths}) == 3
    shown = standing["submissions"]
    assert [one["csv"] for one in shown] == [path.relative_to(place).as_posix() for path in paths]
    assert [one["public"] for one in shown] == [judge(path.read_bytes()) for path in paths]
    assert [one["status"] for one in shown] == ["complete"] * 3
    assert len(serving_submissions.records(kaggle)) == 3
    # Every submission had its estimate before it was sent, out of fold on the training file.
    assert all(one["low"] < one["estimate"] < one["high"] for one in shown)
    assert standing["tracking"]["submissions"] == 3
    assert len(standing["picks"]) == 2
