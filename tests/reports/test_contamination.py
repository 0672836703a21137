"""Figures for rows that something was fitted on are refused, or called a fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kit
from kit.api.report import overview
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.errors import ModelError
from kit.reports.source import ReportSource
from kit.settings.runs import DataFile, FoldRecord, RunRecord, read_run, write_run
from kit.settings.training import TrainingSettings
from kit.spans.run_folder import open_run
from kit.spans.store import write_spans
from tests.spans.made import make_run, scores_of, words
from tests.tuning.test_nested import one_start

__all__ = ["one_start"]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.chdir(tmp_path)
    demo_corpus.write(Path("data"), train_contexts=6, test_contexts=3)
    return kit.load("data/train.json")


def full_run(name: str, on: Dataset, *, valid: Dataset | None = None, trained: Dataset | None = None) -> str:
    """A run of one model with scores on *on*, that learned from *trained*."""
    folder = Path("runs") / name
    fold = FoldRecord(held_out=1, steps=1, seconds=1.0, windows=1, weights_sha256="0" * 64, metrics={})
    name_of = {"name": "train.json", "questions": 1}
    record = RunRecord(
        backbone="b",
        settings=TrainingSettings(),
        data=(DataFile(**name_of, sha256="1" * 64 if trained is None else trained.sha256),),
        valid=None if valid is None else DataFile(**name_of, sha256=valid.sha256),
        folds={"full": fold},
    )
    write_run(folder, record)
    scores = scores_of(on if trained is None else trained, words, 1, 4.0)
    write_spans(open_run(folder).span_file(on, "full"), scores.provenance, [scores])
    return str(folder)


def cautions(source: ReportSource) -> list[tuple[bool, str]]:
    return [(one.fitted, one.text) for one in source.cautions]


def test_rows_that_a_model_was_trained_on_are_refused(data: Dataset) -> None:
    run = full_run("full", data, trained=data)
    with pytest.raises(
        ModelError,
        match=r"runs/full: was trained on data/train\.json, so its scores there .* --folds 5",
    ):
        kit.report(run, data)
    assert not Path("reports").exists()


def test_the_answers_file_counts_as_data_too(data: Dataset) -> None:
    asked, truth = kit.load("data/test.json"), kit.load("data/test_answers.json")
    run = full_run("full", asked, trained=truth)
    with pytest.raises(ModelError, match=r"was trained on data/test_answers\.json"):
        overview(run, asked, answers=truth)


def test_out_of_fold_is_an_estimate_and_says_so(data: Dataset) -> None:
    source = overview(make_run(data, "oof", scores_of(data, words, 1, 4.0)), data).source
    assert not source.fitted
    assert cautions(source) == [
        (
            False,
            "oof: out of fold; each answer comes from the one of 3 models that did not train on its article",
        )
    ]


def test_a_checkpoint_chosen_on_these_rows_is_a_fit(data: Dataset) -> None:
    source = overview(full_run("full", data, valid=data), data).source
    assert cautions(source) == [(True, "full: its checkpoint was chosen by its score on these questions")]


def test_articles_of_the_training_file_are_found_beside_the_data(data: Dataset) -> None:
    other = Path("data/part.json")
    other.write_bytes(Path("data/train.json").read_bytes() + b"\n")  # another file, the same articles
    part = kit.load(other)
    run = full_run("full", part, trained=data)
    scores = scores_of(part, words, 1, 4.0)
    write_spans(open_run(run).span_file(part, "full"), scores.provenance, [scores])
    source = overview(run, part).source
    assert cautions(source) == [
        (True, f"full: {len(data)} of these questions are about articles of its train.json")
    ]


def test_a_tuned_recipe_on_its_own_rows_is_a_fit(data: Dataset, one_start: None) -> None:
    make_run(data, "oof", scores_of(data, words, 1, 4.0))
    Path("one.yaml").write_text("members: [{run: runs/oof}]\n", encoding="utf-8")
    made = kit.tune("one.yaml", data)
    source = overview(made.path, data).source
    nested = f"{made.tuned.distances.mean():.3f}"
    assert source.fitted
    assert any(
        fitted and f"that nothing was fitted on, was {nested}" in text for fitted, text in cautions(source)
    )
    assert "fitted" not in Path("one.yaml").read_text(encoding="utf-8")
    assert not overview("one.yaml", data).source.fitted
    page = kit.report(made.path, data).path.read_text(encoding="utf-8")
    assert '"fitted":true' in page


def test_a_plain_checkpoint_is_of_unknown_training(data: Dataset) -> None:
    run = open_run(make_run(data, "plain", scores_of(data, words, 1, 4.0))).folder
    scores = scores_of(data, words, 1, 4.0)
    (run / "run.json").unlink()
    (run / "config.json").write_text("{}", encoding="utf-8")
    write_spans(open_run(run).span_file(data, "full"), scores.provenance, [scores])
    source = overview(run, data).source
    assert cautions(source) == [(False, "plain: a plain checkpoint; its training data are unknown")]


def test_a_csv_by_a_model_that_learned_these_rows_is_a_fit(data: Dataset) -> None:
    run = full_run("full", data)
    made = kit.ensemble(run, data, out="full.csv")
    assert not overview(made.path, data).source.fitted
    record = read_run(Path(run))
    assert record is not None
    file = DataFile(name="train.json", sha256=data.sha256, questions=len(data))
    write_run(Path(run), record.model_copy(update={"data": (file,)}))
    source = overview(made.path, data).source
    assert cautions(source) == [(True, "full: was trained on these questions")]
    made.path.write_bytes(made.path.read_bytes() + b"")
    Path("full.json").unlink()
    assert cautions(overview(made.path, data).source) == [
        (False, "full.csv: has no card; the training data are unknown")
    ]


def test_a_card_of_other_bytes_is_not_believed(data: Dataset) -> None:
    made = kit.ensemble(full_run("full", data), data, out="full.csv")
    texts = dict.fromkeys((question.guid for question in data), "")
    card = Path("full.json").read_bytes()
    kit.write_submission(made.path, data, texts)
    assert Path("full.json").read_bytes() == card
    source = overview(made.path, data).source
    assert source.card is None
    assert cautions(source) == [(False, "full.csv: its card describes another version of the file")]
    assert np.all(np.array([text == "" for text in source.texts]))
