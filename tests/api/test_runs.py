"""``kit.runs`` and ``kit runs``: the runs of a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kit
from kit.cli.runs import runs
from kit.errors import ConfigError
from kit.settings.runs import DataFile, FoldRecord, RunRecord, write_run
from kit.settings.training import TrainingSettings

RECORD = RunRecord(
    backbone="klue-bert",
    settings=TrainingSettings(),
    data=(DataFile(name="train.json", sha256="1" * 64, questions=1),),
    answer_lengths={"3": 1},
    folds={
        "full": FoldRecord(
            held_out=1200, steps=1, seconds=61.0, windows=1, weights_sha256="0" * 64,
            metrics={"edit": 1.5, "exact": 0.625},
        )
    },
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_run(tmp_path / "done", RECORD)
    write_run(tmp_path / "begun", RECORD.model_copy(update={"folds": {}}))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{", encoding="utf-8")
    (tmp_path / "other").mkdir()
    return tmp_path


def test_records_and_reasons(folder: Path) -> None:
    found = kit.runs(folder)
    assert list(found.records) == ["begun", "done"]
    assert found.records["done"] == RECORD
    (reason,) = found.unreadable.values()
    assert "broken/run.json" in reason
    with pytest.raises(
        ConfigError, match=r"no such folder; kit train with --run .*/apart/NAME.* makes the first"
    ):
        kit.runs(folder / "apart")


def test_the_command_prints_what_the_function_returns(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs(folder)
    output = capsys.readouterr()
    rows = [line.split() for line in output.out.splitlines()]
    assert ["done", "klue-bert", "full", "1.500", "62.5", "%", "1,200"] in [row[:7] for row in rows]
    assert ["begun", "klue-bert", "unfinished"] in rows
    assert "broken/run.json" in "".join(output.err.split())
    runs(folder, as_json=True)
    assert json.loads(capsys.readouterr().out) == kit.runs(folder).as_dict()


def test_scores_of_answers_that_were_decoded_otherwise_are_told_apart(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fold = RECORD.folds["full"]
    assert fold.decoding == "argmax with no length prior, cap 60"  # of a version that does not record it
    runs(folder)
    assert "decoded" not in capsys.readouterr().err
    newer = fold.model_copy(update={"decoding": "edit with length_prior 0.5, cap 30"})
    write_run(folder / "newer", RECORD.model_copy(update={"folds": {"full": newer}}))
    runs(folder)
    said = capsys.readouterr().err.splitlines()
    assert "these Edit Scores compare only among runs whose answers were decoded alike" in said
    assert "decoded by argmax with no length prior, cap 60: done" in said
    assert "decoded by edit with length_prior 0.5, cap 30: newer" in said


def test_runs_beside_what_blank_answers_score(folder: Path) -> None:
    fold = RECORD.folds["full"]
    better = fold.model_copy(update={"metrics": {**fold.metrics, "blank_edit": 5.25}})
    write_run(folder / "done", RECORD.model_copy(update={"folds": {"full": better}}))
    (table,) = kit.runs(folder).tables()
    row = next(row for row in table.rows if row[0] == "done")
    cells = dict(zip(table.columns, row, strict=True))
    assert (cells["Edit Score (characters)"], cells["if all blank"]) == ("1.500", "5.250")
    assert repr(kit.runs(folder)) == f"<Runs: 2 runs in {folder}>"
    assert "done" in str(kit.runs(folder))
    assert "<td" in kit.runs(folder)._repr_html_()
    assert repr(RECORD) == "<RunRecord: klue-bert on train.json: Edit Score 1.500>"


def test_a_sweep_is_one_line(folder: Path) -> None:
    pytest.importorskip("optuna")
    pytest.importorskip("matplotlib")
    from tests.sweeps.test_results import made

    made(folder / "sweep-1", finished=3)
    (folder / "sweep-2").mkdir()
    (folder / "sweep-2" / "sweep.json").write_text("{", encoding="utf-8")
    found = kit.runs(folder)
    assert list(found.sweeps) == ["sweep-1"]
    best = found.sweeps["sweep-1"].best
    assert best is not None
    assert not (folder / "sweep-1" / "sweep.png").exists()
    rows = [row for row in found.tables()[0].rows if row[0].startswith("sweep")]
    assert rows[0] == (
        "sweep-1", "tiny", f"sweep of 5 trials, best {best.name}", f"{best.edit:.3f}", "5.700", "",
        "120", "15 min",
    )  # fmt: skip
    assert rows[1][:3] == ("sweep-2", "", "cannot be read")
    assert repr(found) == f"<Runs: 2 runs and 1 sweep in {folder}>"
    assert len(repr(found.sweeps["sweep-1"])) < 260
    assert found.as_dict()["sweep-1"] == found.sweeps["sweep-1"].as_dict()
