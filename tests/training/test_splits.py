"""``--limit``: the first questions of each file are all that a run learns from, is chosen by and scores."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

import kit
from kit.api.train import training_job
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.errors import SpanFileError
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.folds import read_plan
from kit.settings.recipe import Member, Recipe
from kit.settings.runs import RunRecord, read_run, write_run
from kit.spans.recipe_members import used_by
from kit.spans.run_folder import open_run
from kit.spans.store import read_spans
from kit.training.callbacks import Callbacks
from kit.training.run import train_run
from kit.training.splits import limited, whole
from tests.screens import on_terminal

SHORT: dict[str, Any] = {"epochs": 1.0, "batch_size": 8, "max_length": 160, "stride": 40, "lr": 1e-3}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("limited")
    files = demo_corpus.write(folder / "data", train_contexts=24, test_contexts=4)
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    make_backbone(folder / "tiny", texts, "wordpiece", Shape(600, 32, 1, 2, 32, 160), seed=1)
    return folder


@pytest.fixture(scope="module")
def data(place: Path) -> Dataset:
    return kit.load(place / "data" / "train.json")


@pytest.fixture(scope="module")
def folded(place: Path, data: Dataset) -> Path:
    kit.train(str(place / "tiny"), data, run=place / "folded", folds=2, limit=30, quiet=True, **SHORT)
    return place / "folded"


def record_of(folder: Path) -> RunRecord:
    record = read_run(folder)
    assert record is not None
    return record


def test_a_limited_run_learns_and_scores_the_first_questions_alone(folded: Path, data: Dataset) -> None:
    assert len(data) > 30
    record, plan = record_of(folded), read_plan(folded)
    assert record.data[0].questions == 30
    assert not record.limits_learning_alone
    assert plan is not None
    assert len(plan.files[0].fold_of) == 30
    held = [fold.held_out for fold in record.folds.values()]
    assert sum(held) == 30
    (path,) = (folded / "spans").iterdir()
    assert read_spans(path).guids == tuple(question.guid for question in data.questions[:30])
    (score,) = kit.out_of_fold(folded, data).values()
    assert score.questions == 30


def test_the_report_of_a_limited_run_is_about_its_questions(folded: Path, data: Dataset) -> None:
    assert len(kit.overview(folded, data).source.dataset) == 30
    assert len(used_by(Recipe(members=(Member(run=str(folded)),)), data)) == 30


@pytest.mark.slow
def test_tuning_fits_on_the_questions_of_a_limited_run(folded: Path, data: Dataset, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"members: [{{run: {folded}}}]\n", encoding="utf-8")
    assert len(kit.tune(recipe, data).tuned.distances) == 30


def test_other_questions_of_the_file_have_no_scores(folded: Path, data: Dataset) -> None:
    with pytest.raises(
        SpanFileError, match=rf"the first 30 of the {len(data)} questions of .* --run without"
    ):
        kit.decode(Recipe(members=(Member(run=str(folded)),)), data)


def test_the_bar_shows_evaluations_and_scoring_and_the_times_add_up(place: Path, tmp_path: Path) -> None:
    words = ["train", place / "tiny", "--data", place / "data" / "train.json", "--run", "r", "--limit", 40]
    words += ["--epochs", 1, "--batch-size", 8, "--max-length", 160, "--stride", 40]
    folds = [*words, "--folds", 2, "--early-stopping", 2]
    code, said = on_terminal(folds, tmp_path, columns=160, NO_COLOR="1")
    assert code == 0, said
    assert "evaluating" in said
    for fold in (0, 1):
        assert f"scoring fold {fold} out of fold" in said
    assert re.search(r"\(2 models: \d+ s\)", said)
    took = re.search(r"this command took (\d+) s: (\d+) s for the models above, (\d+) s to read", said)
    assert took is not None, said
    whole, models, rest = map(int, took.groups())
    assert abs(whole - models - rest) <= 1
    record = record_of(tmp_path / "r")
    assert sum(fold.seconds for fold in record.folds.values()) == pytest.approx(models, abs=1)


def test_the_same_command_again_trains_nothing_and_another_limit_is_refused(
    folded: Path, place: Path, data: Dataset
) -> None:
    said: list[str] = []
    train_run(
        training_job(str(place / "tiny"), data, {**SHORT, "run": folded, "folds": 2, "limit": 30}),
        Callbacks(said.append),
    )
    assert sum("already trained" in line for line in said) == 2
    with pytest.raises(kit.KitError, match="is another run: limit is 20, the run has 30; choose"):
        kit.train(str(place / "tiny"), data, run=folded, folds=2, limit=20, quiet=True, **SHORT)


def test_the_file_of_valid_is_limited_too(place: Path, data: Dataset) -> None:
    valid = kit.load(place / "data" / "test_answers.json")
    job = training_job(str(place / "tiny"), data, {**SHORT, "run": place / "v", "limit": 5, "valid": valid})
    cut = limited(job)
    assert cut.valid is not None
    assert (len(cut.data[0]), len(cut.valid)) == (5, 5)
    assert limited(cut) == cut
    part = whole(cut.data, cut.valid, cut.settings)
    assert (len(part.train), len(part.dev)) == (5, 5)


def test_each_of_several_files_is_limited(place: Path, data: Dataset) -> None:
    other = dataclasses.replace(
        data, path=place / "other.json", sha256="0" * 64, questions=data.questions[::-1]
    )
    job = training_job(str(place / "tiny"), [data, other], {**SHORT, "run": place / "two", "limit": 20})
    cut = limited(job)
    assert [len(file) for file in cut.data] == [20, 20]
    part = whole(cut.data, None, cut.settings)
    assert len(part.train) + len(part.dev) == 40


def test_a_run_of_version_0_1_keeps_its_meaning_of_the_limit(place: Path, data: Dataset) -> None:
    """There the limit was on learning alone: what such a run has scored, it scores when it goes on."""
    old = place / "old"
    job = training_job(str(place / "tiny"), data, {**SHORT, "run": old, "folds": 2, "fold": 0, "limit": 30})
    train_run(job)
    # As that version wrote it: all questions of the file have a fold, and are counted.
    record = record_of(old)
    write_run(
        old,
        record.model_copy(
            update={
                "data": tuple(file.model_copy(update={"questions": len(data)}) for file in record.data),
                "folds": {},
            }
        ),
    )
    (old / "folds.json").unlink()
    for path in (old / "spans").iterdir():
        path.unlink()
    assert record_of(old).limits_learning_alone
    kit.train(str(place / "tiny"), data, run=old, folds=2, limit=30, quiet=True, resume=True, **SHORT)
    assert sum(fold.held_out for fold in record_of(old).folds.values()) == len(data)
    assert open_run(old).used(data) == data
    plan = json.loads((old / "folds.json").read_text(encoding="utf-8"))
    assert len(plan["files"][0]["fold_of"]) == len(data)
    part = whole((data,), None, record_of(old).settings)
    assert len(part.train) == 30
