"""A training that is refused leaves nothing behind that stops the next one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import kit
from kit.data import demo_corpus
from kit.errors import ConfigError, ModelError
from kit.files import locked
from kit.modeling.distributed import Processes
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.runs import read_run
from kit.training import run as run_module
from kit.training.checkpoints import CHECKPOINTS
from kit.training.run_setup import withdrawn_if_nothing_is_kept

SHORT = {"epochs": 0.5, "batch_size": 8, "max_length": 160, "stride": 40, "limit": 16, "quiet": True}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beginning")
    files = demo_corpus.write(folder / "data", train_contexts=12, test_contexts=4)
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    make_backbone(folder / "tiny", texts, "wordpiece", Shape(600, 32, 1, 2, 32, 160), seed=1)
    return folder


def spoilt(place: Path, to: Path) -> Path:
    """The backbone with a vocabulary that knows no Korean."""
    shutil.copytree(place / "tiny", to)
    content = json.loads((to / "tokenizer.json").read_text(encoding="utf-8"))
    pieces = content["model"]["vocab"]
    content["model"]["vocab"] = {
        piece if number < 5 else f"w{number}": number for piece, number in pieces.items()
    }
    (to / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return to


@pytest.mark.parametrize("folds", [None, 2])
def test_a_refused_training_leaves_no_run(place: Path, tmp_path: Path, folds: int | None) -> None:
    data, run = place / "data" / "train.json", tmp_path / "r"
    bad = spoilt(place, tmp_path / "bad")
    with pytest.raises(
        ModelError, match=r"are \[UNK\] on this data, more than 20 %: its vocabulary has 0 pieces"
    ):
        kit.train(str(bad), data, run=run, folds=folds, **SHORT)
    assert not run.exists()
    done = kit.train(str(place / "tiny"), data, run=run, **SHORT)  # another backbone, in the same folder
    assert done.record is not None
    assert list(done.record.folds) == ["full"]


def test_the_override_trains_and_predicts(place: Path, tmp_path: Path) -> None:
    data, run = place / "data" / "train.json", tmp_path / "r"
    bad = spoilt(place, tmp_path / "bad")
    done = kit.train(str(bad), data, run=run, allow_unknown=True, **SHORT)
    assert done.record is not None
    assert done.record.settings.allow_unknown
    assert kit.predict(run, place / "data" / "test.json", quiet=True)
    bare = Path(shutil.copytree(run / "full", tmp_path / "bare"))
    with pytest.raises(ModelError, match="more than 20 %"):
        kit.predict(bare, place / "data" / "test.json", quiet=True)
    assert kit.predict(bare, place / "data" / "test.json", allow_unknown=True, quiet=True)


def test_a_failure_in_front_of_the_first_step_leaves_no_run(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(*given: object) -> None:
        raise ModelError("the disk is short")

    monkeypatch.setattr(run_module, "fit", fit)
    with pytest.raises(ModelError, match="the disk is short"):
        kit.train(str(place / "tiny"), place / "data" / "train.json", run=tmp_path / "r", **SHORT)
    assert not (tmp_path / "r").exists()


def begun(place: Path, folder: Path) -> Path:
    """A run in *folder* whose training has not begun."""
    kit.train(str(place / "tiny"), place / "data" / "train.json", run=folder, **SHORT)
    record = read_run(folder)
    assert record is not None
    text = record.model_copy(update={"folds": {}}).model_dump_json()
    (folder / "run.json").write_text(text, encoding="utf-8")
    shutil.rmtree(folder / "full")
    return folder


def test_what_is_kept_keeps_the_record(place: Path, tmp_path: Path) -> None:
    run = begun(place, tmp_path / "r")

    def fails() -> None:
        with pytest.raises(ConfigError, match="no"), withdrawn_if_nothing_is_kept(run, Processes()):
            raise ConfigError("no")

    checkpoint = run / "full" / CHECKPOINTS / "checkpoint-3"
    checkpoint.mkdir(parents=True)
    (checkpoint / "complete").write_text("1.0\n")
    fails()
    assert checkpoint.is_dir()
    (checkpoint / "complete").unlink()  # torn: nothing to go on from
    (run / "notes.txt").write_text("mine")
    fails()
    assert (run / "notes.txt").is_file()
    assert read_run(run) is not None
    (run / "notes.txt").unlink()
    with locked(run / "full"):  # as a process that trains it
        fails()
    assert read_run(run) is not None
    fails()
    assert not run.exists()
