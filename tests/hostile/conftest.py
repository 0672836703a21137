"""A folder with sound data and a sound run, for tests that then spoil one thing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import kit
from kit.data.records import Dataset
from kit.settings.folds import FileFolds, FoldPlan, write_plan
from kit.settings.runs import DataFile, FoldRecord, RunRecord, write_run
from kit.settings.training import TrainingSettings
from kit.spans.run_folder import open_run
from kit.spans.span_scores import Provenance
from kit.spans.store import write_spans
from tests.spans.made import scores_of, words

CONTEXTS = ["서울 =1+1 부산", "대구 @SUM(A1) 인천", "광주 -2+3 대전", 'a =HYPERLINK("x") b', "가 +82-2 나"]
FORMULAS = ["=1+1", "@SUM(A1)", "-2+3", '=HYPERLINK("x")', "+82-2"]


@pytest.fixture(scope="session")
def _sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sound") / "here"
    place.mkdir()
    before = Path.cwd()
    os.chdir(place)
    rows = [
        {"guid": f"g{number}", "context": context, "question": "무엇?",
         "answers": [{"text": answer, "answer_start": context.index(answer)}]}
        for number, (context, answer) in enumerate(zip(CONTEXTS, FORMULAS, strict=True))
    ]  # fmt: skip
    Path("t.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    make_run(Path("runs/a"), kit.load("t.json"))
    os.chdir(before)
    return place


@pytest.fixture
def here(_sound: Path, tmp_path: Path) -> Path:
    """A folder of its own with ``t.json``, and ``runs/a`` that answers it with its formulas."""
    place = tmp_path / "here"
    shutil.copytree(_sound, place)
    return place


def make_run(folder: Path, data: Dataset) -> None:
    """A finished run with span scores on *data* and no weights, which answering needs none of."""
    fold = FoldRecord(
        held_out=3, steps=1, seconds=1.0, windows=5, weights_sha256="0" * 64,
        metrics={"edit": 1.0, "exact": 0.5, "blank_edit": 4.0},
    )  # fmt: skip
    files = (DataFile(name="train.json", sha256="1" * 64, questions=9),)
    record = RunRecord(
        backbone="b", settings=TrainingSettings(), data=files, answer_lengths={"4": 3}, folds={"full": fold}
    )
    write_run(folder, record)
    folds = FileFolds(name="train.json", sha256="1" * 64, fold_of=(0, 1, 0))
    write_plan(folder, FoldPlan(folds=2, split_seed=1, files=(folds,)))
    provenance = Provenance(data.sha256, folder.name, "full", "0" * 64, 384, 128, "0.1.0")
    write_spans(open_run(folder).span_file(data, "full"), provenance, [scores_of(data, words, 1, 20.0)])


@pytest.fixture
def spoil(here: Path) -> Callable[..., None]:
    """Change one value of ``runs/a/run.json``, by its keys."""

    def change(*keys: str, value: object) -> None:
        path = here / "runs" / "a" / "run.json"
        record = json.loads(path.read_text(encoding="utf-8"))
        inner = record
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        path.write_text(json.dumps(record), encoding="utf-8")

    return change
