"""Out-of-fold scores: every question's from its own fold, and no share is lost or used for another's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kit.data.records import Dataset, Question
from kit.errors import SpanFileError
from kit.settings.folds import FileFolds, FoldPlan
from kit.settings.runs import DataFile, FoldRecord, RunRecord
from kit.settings.training import TrainingSettings
from kit.spans.out_of_fold import (
    assemble,
    has_share,
    missing_folds,
    oof_digest,
    oof_file,
    oof_part,
)
from kit.spans.store import read_spans, write_spans
from tests.spans import made

SHA = "0123456789abcdef" * 4
GUIDS = ["a", "b", "c", "d"]
DATA = Dataset(Path("t.json"), SHA, "klue-flat", tuple(Question(guid, "?", "가나", None) for guid in GUIDS))
PLAN = FoldPlan(folds=2, split_seed=1, files=(FileFolds(name="t", sha256=SHA, fold_of=(1, 0, 1, 0)),))


def record(*folds: str) -> RunRecord:
    """Each fold has weights of its own."""
    trained = {
        name: FoldRecord(held_out=2, steps=1, seconds=1.0, windows=2, weights_sha256=name * 64, metrics={})
        for name in folds
    }
    data = (DataFile(name="t", sha256=SHA, questions=4),)
    return RunRecord(backbone="b", settings=TrainingSettings(folds=2), data=data, folds=trained)


def share(folder: Path, fold: str, guids: str, weights: str | None = None) -> None:
    scores = made.scores([[(float(ord(guid)), [(0, 1, 1.0, 2.0)])] for guid in guids], list(guids))
    provenance = replace(made.PROVENANCE, data_sha256=SHA, fold=fold, model_sha256=(weights or fold) * 64)
    write_spans(oof_part(folder, SHA, fold), provenance, [replace(scores, provenance=provenance)])


def test_shares_become_one_file_in_the_datas_order(tmp_path: Path) -> None:
    both = record("0", "1")
    share(tmp_path, "0", "db")
    share(tmp_path, "1", "ac")
    assert has_share(tmp_path, both, DATA, "0")
    path = assemble(tmp_path, both, PLAN, DATA)
    assert path == oof_file(tmp_path, SHA)
    scores = read_spans(path)
    assert scores.guids == tuple(GUIDS)
    assert scores.null.tolist() == [ord(guid) for guid in GUIDS]
    assert scores.provenance.model_sha256 == oof_digest(both)
    assert scores.provenance.fold == "oof"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]  # the shares are in it
    assert has_share(tmp_path, both, DATA, "0")
    before = path.stat().st_mtime_ns
    assert assemble(tmp_path, both, PLAN, DATA) == path  # again, without shares
    assert path.stat().st_mtime_ns == before


def test_shares_stay_until_all_folds_are_there(tmp_path: Path) -> None:
    share(tmp_path, "1", "ac")
    first = record("1")
    assert read_spans(assemble(tmp_path, first, PLAN, DATA)).guids == ("a", "c")
    assert oof_part(tmp_path, SHA, "1").exists()
    assert has_share(tmp_path, first, DATA, "1")
    both = record("0", "1")
    assert has_share(tmp_path, both, DATA, "1")  # its own file, the joined one is of other models
    assert not has_share(tmp_path, both, DATA, "0")
    with pytest.raises(SpanFileError, match="no such span file"):
        assemble(tmp_path, both, PLAN, DATA)
    share(tmp_path, "0", "bd")
    assert len(read_spans(assemble(tmp_path, both, PLAN, DATA))) == 4
    assert not oof_part(tmp_path, SHA, "1").exists()


def test_shares_of_others_are_refused(tmp_path: Path) -> None:
    both = record("0", "1")
    share(tmp_path, "0", "bd", weights="9")
    share(tmp_path, "1", "ac")
    assert not has_share(tmp_path, both, DATA, "0")
    with pytest.raises(SpanFileError, match="was made by an earlier training of this fold"):
        assemble(tmp_path, both, PLAN, DATA)
    share(tmp_path, "0", "ba")
    with pytest.raises(SpanFileError, match="holds question a, which is not of fold 0; delete it"):
        assemble(tmp_path, both, PLAN, DATA)
    assert not oof_file(tmp_path, SHA).exists()


def test_missing_folds() -> None:
    assert missing_folds(record("1")) == [0]
    assert missing_folds(record("0", "1")) == []
    assert missing_folds(record().model_copy(update={"settings": TrainingSettings()})) == []


def test_the_digest_is_of_all_weights_in_any_order() -> None:
    assert oof_digest(record("0", "1")) == oof_digest(record("1", "0")) != oof_digest(record("0"))
    assert np.unique([len(oof_digest(record(name))) for name in ("0", "1")]).tolist() == [64]
