"""Runs side by side: what differs, and paired scores on questions that none of them learned."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import kit
from kit.cli.runs import runs as runs_command
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.errors import ConfigError, ModelError
from kit.files import write_text
from kit.metrics.scores import compare
from kit.settings.runs import FULL, DataFile, read_run, write_run
from kit.settings.training import TrainingSettings
from kit.spans.run_folder import open_run
from kit.spans.store import write_spans
from kit.training.splits import whole
from tests.spans.made import letters, make_run, scores_of, words


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """data/train.json, and out-of-fold scores of runs/words and runs/letters on it."""
    monkeypatch.chdir(tmp_path)
    found = kit.load(demo_corpus.write(Path("data"), train_contexts=60, test_contexts=3).train)
    make_run(found, "words", scores_of(found, words, 1, 3.0))
    make_run(found, "letters", scores_of(found, letters, 2, 1.0))
    change("letters", settings=TrainingSettings(folds=3, lr=1e-4, soften=0.1), backbone="other")
    return found


def change(name: str, **fields: object) -> None:
    record = read_run(Path("runs") / name)
    assert record is not None
    write_run(Path("runs") / name, record.model_copy(update=fields))


def make_whole(data: Dataset, name: str) -> None:
    """A run without folds, with the scores of its model on the file that it was trained on."""
    make_run(data, name, scores_of(data, words, 3, 3.0))
    record = read_run(Path("runs") / name)
    assert record is not None
    change(name, settings=TrainingSettings(lr=5e-5), folds={FULL: record.folds["0"]})
    run = open_run(Path("runs") / name)
    scores = scores_of(data, words, 3, 3.0)

    write_spans(
        run.span_file(data, FULL),
        replace(scores.provenance, run=name, fold=FULL, model_sha256="0" * 64),
        [scores],
    )


def test_out_of_fold_scores_are_paired(data: Dataset) -> None:
    found = kit.runs(compare=["words", "letters"])
    assert found.names == ("words", "letters")
    assert found.differing == {
        "backbone": ("b", "other"), "lr": ("3e-05", "0.0001"), "soften": ("0", "0.1"),
    }  # fmt: skip
    assert (found.data, found.questions, found.reasons, found.remarks) == (data.path, len(data), {}, ())
    first, second = found.scores
    assert first is not None
    assert second is not None
    for name, score in (("words", first), ("letters", second)):
        alone = kit.score(kit.decode(f"runs/{name}", data), data)
        assert (score.label, score.edit, score.interval) == (name, alone.edit, alone.interval)
    assert first.versus is None
    assert second.versus is not None
    assert second.versus.difference == compare(first, second)
    assert second.versus.difference.mean == pytest.approx(second.edit - first.edit)
    (table,) = found.tables()
    rows = {row[0]: tuple(row[1:]) for row in table.rows}
    assert table.columns == ("", "words", "letters")
    assert rows["Edit Score (characters)"] == (f"{first.edit:.3f}", f"{second.edit:.3f}")
    assert rows["if all blank"] == (f"{first.blank_edit:.3f}",) * 2
    assert rows["against words (paired)"] == ("", second.versus.difference.in_words(True))
    assert len(repr(found)) < 260


def test_a_run_without_folds_is_compared_on_what_it_held_out(data: Dataset) -> None:
    make_whole(data, "whole")
    found = kit.runs(compare=["words", "whole"])
    held_out = whole([data], None, TrainingSettings(lr=5e-5)).dev
    assert 0 < len(held_out) == found.questions < len(data)
    first, second = found.scores
    assert first is not None
    assert second is not None
    assert (first.questions, second.questions) == (len(held_out), len(held_out))
    guids = {question.guid for question in held_out}
    rows = np.array([question.guid in guids for question in data])
    everything = kit.score(kit.decode("runs/words", data), data)
    assert first.distances.tolist() == everything.distances[rows].tolist()
    assert found.differing["folds"] == ("3", "none")
    assert found.remarks == (
        "whole: chose the checkpoint on these questions, so the score is a little too low",
    )


def test_what_cannot_be_scored_is_said_and_recorded_scores_are_shown(data: Dataset) -> None:
    make_whole(data, "whole")
    open_run("runs/whole").span_file(data, FULL).unlink()
    change("words", folds={name: one.model_copy(update={"metrics": {"edit": 2.0, "blank_edit": 6.0}})
                           for name, one in read_run(Path("runs/words")).folds.items()})  # type: ignore[union-attr]  # fmt: skip
    found = kit.runs(compare=["words", "letters", "whole"])
    assert list(found.reasons) == ["whole"]
    assert "kit predict runs/whole --data data/train.json" in found.reasons["whole"]
    assert [score is None for score in found.scores] == [False, False, True]
    rows = {row[0]: tuple(row[1:]) for row in found.tables()[0].rows}
    assert rows["Edit Score (characters), as recorded by its training"] == ("2.000", "", "")
    assert rows["if all blank, as recorded by its training"] == ("6.000", "", "")


def test_any_file_with_answers_can_be_named(data: Dataset) -> None:
    other = kit.load(demo_corpus.write(Path("other"), train_contexts=30, test_contexts=3, seed=3).train)
    with pytest.raises(ConfigError, match="--data names the questions of a comparison; give --compare too"):
        kit.runs(data=other)
    found = kit.runs(compare=["words", "letters"], data=other)
    assert found.scores == (None, None)
    assert found.data is None
    assert all("kit predict runs/" in reason for reason in found.reasons.values())


def test_without_a_common_file_settings_are_compared(data: Dataset) -> None:
    change("letters", data=(DataFile(name="other.json", sha256="f" * 64, questions=3),))
    found = kit.runs(compare=["words", "letters"])
    assert found.differing["data"] == (f"train.json ({data.sha256[:8]})", "other.json (ffffffff)")
    assert set(found.reasons.values()) == {"no file here was used by all of these runs; name one with --data"}
    assert "no questions to score them on together" in found.headline


def test_a_run_that_learned_the_questions_has_no_score(data: Dataset) -> None:
    make_whole(data, "whole")
    change("whole", valid=DataFile(name="valid.json", sha256="e" * 64, questions=3))
    found = kit.runs(compare=["words", "whole"])
    assert found.reasons["whole"].startswith(
        "runs/whole: learned the answers of data/train.json; name another"
    )


def test_what_cannot_be_compared_is_refused(data: Dataset) -> None:
    with pytest.raises(ConfigError, match="--compare: 1 run given; name at least two"):
        kit.runs(compare=["words"])
    with pytest.raises(ConfigError, match="compare: is words; give a list of at least two runs"):
        kit.runs(compare="words")
    write_text(Path("runs/plain/config.json"), "{}")
    with pytest.raises(ModelError, match=r"runs/plain: has no run\.json, so nothing is known"):
        kit.runs(compare=["words", "plain"])
    with pytest.raises(ModelError, match="nowhere"):
        kit.runs(compare=["words", "nowhere"])


def test_runs_of_the_same_name_are_told_apart(data: Dataset) -> None:
    Path("elsewhere").mkdir()
    Path("runs/letters").rename("elsewhere/words")
    found = kit.runs(compare=["words", "elsewhere/words"])
    assert found.names == ("runs/words", "elsewhere/words")
    assert found.questions == len(data)


def test_the_command_prints_one_table(data: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    names = [Path("words"), Path("runs/letters")]
    runs_command(Path("runs"), compare=names)
    shown = capsys.readouterr()
    found = kit.runs(compare=names)
    assert found.headline in shown.out.replace("\n", " ")
    assert "all blank would score" in shown.out
    assert "against words (paired)" in shown.out
    runs_command(Path("runs"), compare=names, as_json=True)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(found.as_dict()))
