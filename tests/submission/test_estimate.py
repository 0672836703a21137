"""The local estimate: where there is none, the reason names the true cause and what to do about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kit
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.settings.recipe import Member, Recipe
from kit.settings.runs import read_run, write_run
from kit.submission.estimate import local_estimate
from tests.spans.made import letters, make_run, scores_of, words

RUN = Path("runs/words")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A corpus in data/, and two runs with out-of-fold scores on its training file."""
    monkeypatch.chdir(tmp_path)
    files = demo_corpus.write(Path("data"), train_contexts=20, test_contexts=4)
    train = kit.load(files.train)
    make_run(train, "words", scores_of(train, words, 1, 3.0))
    make_run(train, "letters", scores_of(train, letters, 2, 3.0), seed=1)
    return train


def reason(*members: Member) -> str:
    recipe = Recipe(members=members or (Member(run=str(RUN)),), blend="vote" if members else "mean")
    estimate = local_estimate(recipe, kit.load("data/test.json"))
    assert estimate.edit is None
    assert "\n" not in estimate.reason
    return estimate.reason.removeprefix("no estimate: ")


def changed(**fields: object) -> None:
    record = read_run(RUN)
    assert record is not None
    write_run(RUN, record.model_copy(update=fields))


def test_with_all_folds_there_is_an_estimate(data: Dataset) -> None:
    recipe = Recipe(members=(Member(run=str(RUN)),))
    estimate = local_estimate(recipe, kit.load("data/test.json"))
    assert estimate.edit == pytest.approx(kit.score(kit.decode(str(RUN), data, plain=True), data).edit)
    assert estimate.reason.startswith("out of fold on train.json")


def test_a_run_without_folds(data: Dataset) -> None:
    record = read_run(RUN)
    assert record is not None
    changed(settings=record.settings.model_copy(update={"folds": None}), folds={"full": record.folds["0"]})
    assert reason() == (
        "out-of-fold scores are missing: runs/words: was trained without --folds; train it with --folds 5 "
        "under another --run"
    )


@pytest.mark.parametrize(
    ("trained", "which"), [(("0",), "folds 1, 2 of 3 are not"), (("0", "2"), "fold 1 of 3 is not")]
)
def test_a_run_whose_folds_are_unfinished(data: Dataset, trained: tuple[str, ...], which: str) -> None:
    record = read_run(RUN)
    assert record is not None
    changed(folds={name: record.folds[name] for name in trained})
    assert reason() == (
        f"out-of-fold scores are missing: runs/words: {which} trained yet; give the kit train command of "
        "runs/words again, which trains only what is missing"
    )


def test_a_checkpoint_without_a_record(data: Dataset) -> None:
    Path("bare").mkdir()
    Path("bare/config.json").write_text("{}", encoding="utf-8")
    assert reason(Member(run="bare")) == (
        "out-of-fold scores are missing: bare: is a checkpoint without run.json, and what it was trained on "
        "is unknown; train a run with kit train and --folds 5"
    )


def test_training_data_that_are_elsewhere(data: Dataset) -> None:
    Path("data/train.json").rename("elsewhere.json")
    assert reason() == (
        "runs/words: its training data (train.json) are not in . or data; copy the file to data, or "
        "score labelled questions with --answers"
    )


def test_training_data_that_were_changed(data: Dataset) -> None:
    path = Path("data/train.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    content["data"].pop()
    path.write_text(json.dumps(content), encoding="utf-8")
    found = kit.load(path).sha256[:8]
    assert reason() == (
        f"data/train.json: is not the train.json that runs/words was trained on (sha256 {found}, trained on "
        f"{data.sha256[:8]}); bring that file back, or score labelled questions with --answers"
    )


def test_members_of_other_data_and_other_folds(data: Dataset) -> None:
    assert reason(Member(run=str(RUN)), Member(run="runs/letters")) == (
        "runs/letters: its folds are not those of runs/words; train members with the same data, --folds and "
        "--split-seed"
    )
    other = demo_corpus.write(Path("other"), 7, 20)
    make_run(kit.load(other.train), "strange", scores_of(kit.load(other.train), words, 1, 3.0))
    assert reason(Member(run=str(RUN)), Member(run="runs/strange")) == (
        "runs/strange: not trained on data/train.json, so without out-of-fold scores for it; all members "
        "need the same training file"
    )


def test_a_csv_and_one_fold_alone(data: Dataset) -> None:
    kit.write_submission("mine.csv", data, dict.fromkeys((one.guid for one in data), ""))
    assert reason(Member(run=str(RUN), fold=1), Member(csv="mine.csv")) == (
        "out-of-fold scores are missing: runs/words: only fold 1 takes part; leave out fold: in the recipe; "
        "mine.csv: has answers to the test questions alone; give those to the training questions with "
        "answers: and out_of_fold:"
    )


def test_out_of_fold_scores_that_are_gone(data: Dataset) -> None:
    next((RUN / "spans").iterdir()).unlink()
    assert reason() == (
        "runs/words (out of fold): no span scores for data/train.json; give the kit train command of "
        "runs/words again, which trains only what is missing"
    )
