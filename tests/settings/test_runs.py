"""run.json: what an older kit wrote is read, and what separates two runs is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kit.settings.mixture import Mixture
from kit.settings.runs import BeforeRecord, DataFile, RunRecord, differences, read_run, write_run
from kit.settings.training import TrainingSettings

FILE = DataFile(name="train.json", sha256="a" * 64, questions=9)
OUTSIDE = DataFile(name="korquad.json", sha256="b" * 64, questions=60407)
BEFORE = BeforeRecord(data=(OUTSIDE,), left_out=3, epochs=1.0, lr=5e-5)
PLAIN = RunRecord(backbone="tiny", settings=TrainingSettings(), data=(FILE,))


def test_a_run_of_an_older_kit_is_read(tmp_path: Path) -> None:
    """It has neither mixture nor outside data, and its models no scores by file."""
    write_run(tmp_path, PLAIN)
    text = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    del text["mixture"], text["before"]
    fold = {"held_out": 1, "steps": 2, "seconds": 3.0, "windows": 4, "weights_sha256": "", "metrics": {}}
    text["folds"] = {"full": fold}
    (tmp_path / "run.json").write_text(json.dumps(text), encoding="utf-8")
    record = read_run(tmp_path)
    assert record is not None
    assert differences(record, PLAIN) == []
    assert record.folds["full"].sources == {}


def test_a_run_with_all_of_it_is_read_as_written(tmp_path: Path) -> None:
    mixture = Mixture(shares={"korquad.json": 0.25}, judge="train.json")
    record = PLAIN.model_copy(update={"mixture": mixture, "before": BEFORE})
    write_run(tmp_path, record)
    assert read_run(tmp_path) == record


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            {},
            {"mixture": Mixture(shares={"a.json": 0.5})},
            "the sources are mixed by --share a.json=0.5, the run has no --share and no --judge",
        ),
        (
            {"before": BEFORE},
            {},
            "learned first is no --before, the run has --before korquad.json (bbbbbbbb, 60,407 questions) "
            "--before-epochs 1 --before-lr 5e-05",
        ),
        (
            {"before": BEFORE},
            {"before": BEFORE.model_copy(update={"epochs": 2.0})},
            "--before-epochs 2 --before-lr 5e-05, the run has",
        ),
    ],
)
def test_other_sources_are_another_run(old: dict[str, Any], new: dict[str, Any], says: str) -> None:
    (found,) = differences(PLAIN.model_copy(update=old), PLAIN.model_copy(update=new))
    assert says in found
