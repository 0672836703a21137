"""Runs on disk: which models one holds, and where the scores on some data are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.data.records import Dataset
from kit.errors import ModelError
from kit.settings.runs import DataFile, FoldRecord, RunRecord
from kit.settings.training import TrainingSettings
from kit.spans.run_folder import Run, chosen_folds, open_run, stored_folds

SHA = "0123456789abcdef" * 4
DATA = Dataset(Path("some") / "test.json", SHA, "klue-flat", ())


def run(folder: Path, folds: int | None = None, *trained: str, taught: str = "1" * 64) -> Run:
    fold = FoldRecord(held_out=1, steps=1, seconds=1.0, windows=1, weights_sha256="0" * 64, metrics={})
    data = (DataFile(name="train.json", sha256=taught, questions=1),)
    settings = TrainingSettings(folds=folds)
    return Run(
        folder, RunRecord(backbone="b", settings=settings, data=data, folds=dict.fromkeys(trained, fold))
    )


def test_folds_in_order(tmp_path: Path) -> None:
    several = run(tmp_path, 12, "10", "2", "0", "full")
    assert several.folds == ("full", "0", "2", "10")
    assert Run(tmp_path, None).folds == ("full",)
    assert several.model_folder("full") == tmp_path / "full"
    assert several.model_folder("2") == tmp_path / "fold-2"
    assert Run(tmp_path, None).model_folder("full") == tmp_path
    assert chosen_folds(several, None) == several.folds
    assert chosen_folds(several, 2) == ("2",)
    with pytest.raises(ModelError, match="has no fold 3; it has full, 0, 2, 10"):
        chosen_folds(several, 3)


def test_scores_are_found_by_the_datas_content(tmp_path: Path) -> None:
    one = run(tmp_path, None, "full")
    spans = tmp_path / "spans"
    assert one.find_spans(DATA, "full") is None
    spans.mkdir()
    assert one.span_file(DATA, "full") == spans / "test-01234567.safetensors"
    assert one.span_file(DATA, "3") == spans / "test-01234567.fold-3.safetensors"
    for name in ("oof-01234567.safetensors", "old-01234568.safetensors", "old-01234567.fold-3.safetensors"):
        (spans / name).touch()
        assert one.find_spans(DATA, "full") is None
    (spans / "older-01234567.safetensors").touch()
    assert one.find_spans(DATA, "full") == spans / "older-01234567.safetensors"
    assert one.find_spans(DATA, "3") == spans / "old-01234567.fold-3.safetensors"
    one.span_file(DATA, "full").touch()
    assert one.find_spans(DATA, "full") == one.span_file(DATA, "full")
    assert one.find_spans(DATA, "oof") == spans / "oof-01234567.safetensors"


def test_data_that_taught_a_run_are_answered_out_of_fold(tmp_path: Path) -> None:
    taught = run(tmp_path, 2, "0", "1", taught=SHA)
    assert taught.trained_on(DATA)
    assert stored_folds(taught, None, DATA) == ("oof",)
    with pytest.raises(ModelError, match=r"fold 1 trained on most of some/test\.json; leave the fold out"):
        stored_folds(taught, 1, DATA)
    assert stored_folds(run(tmp_path, 2, "0", "1"), 1, DATA) == ("1",)
    assert stored_folds(run(tmp_path, None, "full", taught=SHA), None, DATA) == ("full",)
    assert stored_folds(Run(tmp_path, None), None, DATA) == ("full",)


def test_scores_of_a_checkpoint_that_may_not_be_written_lie_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / "config.json").write_text("{}")
    assert open_run(mounted).span_file(DATA, "full").parent == mounted / "spans"
    mounted.chmod(0o555)
    place = open_run(mounted).span_file(DATA, "full").parent
    assert place.parts[0] == "runs"
    assert place.parts[1].startswith("mounted-")
    assert len(place.parts[1]) == len("mounted-") + 8
    assert place.parts[2] == "spans"
    mounted.chmod(0o755)
    (mounted / "spans").mkdir()
    mounted.chmod(0o555)
    assert open_run(mounted).span_file(DATA, "full").parent == mounted / "spans"
    mounted.chmod(0o755)
