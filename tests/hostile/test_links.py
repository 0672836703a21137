"""Symbolic links in a run folder: people link to larger disks, so links are read; nothing is changed by them.

A link of one file is replaced by a file.  One in the place of a model's folder is refused before a training.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import kit.modeling.prediction  # noqa: F401  (torch once, before any fork)
from kit.errors import WriteError
from kit.files import fresh_beside, replacing_folder
from kit.kaggle.kernels.runner import Session
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.runs import read_run, write_run
from kit.spans.span_scores import Provenance
from kit.spans.store import write_spans
from kit.training.checkpoints import complete_checkpoints
from tests.hostile.refusals import refused, run
from tests.spans import made


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the run's, with a file that must not change."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious").write_text("as it was")
    return folder


def untouched(outside: Path) -> bool:
    return [path.name for path in outside.iterdir()] == ["precious"] and (
        outside / "precious"
    ).read_text() == "as it was"


def test_a_linked_run_and_linked_scores_are_read(here: Path, tmp_path: Path) -> None:
    (here / "runs" / "a" / "spans").rename(tmp_path / "elsewhere")
    (here / "runs" / "a" / "spans").symlink_to(tmp_path / "elsewhere")
    (here / "b").symlink_to(here / "runs" / "a")
    code, _, error = run("ensemble", "b", "--data", "t.json", cwd=here)
    assert code == 0, error


def test_a_linked_file_is_replaced_and_its_target_left(here: Path, outside: Path) -> None:
    folder = here / "runs" / "a"
    record = read_run(folder)
    assert record is not None
    target = outside / "precious"
    for name in ("run.json", "spans/b.safetensors"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)
    write_run(folder, record)
    scores = made.scores([[(0.0, [(0, 1, 0.0, 0.0)])]])
    write_spans(folder / "spans" / "b.safetensors", Provenance("a", "b", "c", "d", 1, 1, "e"), [scores])
    assert not (folder / "run.json").is_symlink()
    assert not (folder / "spans" / "b.safetensors").is_symlink()
    assert untouched(outside)


def test_a_linked_csv_and_card_are_replaced(here: Path, outside: Path) -> None:
    (here / "a.csv").symlink_to(outside / "precious")
    (here / "a.json").symlink_to(outside / "precious")
    code, _, error = run("ensemble", "runs/a", "--data", "t.json", "--out", "a.csv", cwd=here)
    assert code == 0, error
    assert untouched(outside)


@pytest.mark.parametrize("name", ["full", "full/checkpoints"])
def test_no_training_into_a_linked_folder(here: Path, outside: Path, name: str) -> None:
    texts = ["서울 부산 대구 인천 광주 대전 무엇?"] * 3
    make_backbone(here / "m", texts, "wordpiece", Shape(60, 16, 1, 2, 32, 64), seed=1)
    train = ("train", "m", "--data", "t.json", "--run", "runs/new", "--allow-unknown")
    code, _, error = run(*train, cwd=here)
    assert code == 0, error
    record = read_run(here / "runs" / "new")
    assert record is not None
    # as it is before the first checkpoint
    write_run(here / "runs" / "new", record.model_copy(update={"folds": {}}))
    shutil.rmtree(here / "runs" / "new" / "full")
    link = here / "runs" / "new" / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)
    said = refused(*train, "--resume", cwd=here, notes=True, made="runs/new")
    assert said == (
        f"runs/new/{name}: is a link, and its target is not overwritten; remove it, or choose another folder"
    )
    assert untouched(outside)


def test_leftovers_that_are_links(tmp_path: Path, outside: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".1.part").symlink_to(outside)
    with pytest.raises(WriteError):
        replacing_folder(folder, lambda temporary: None)
    (tmp_path / ".folder.x.part").symlink_to(outside)
    with fresh_beside(folder):
        pass
    assert untouched(outside)


def test_a_checkpoint_that_is_a_link_is_not_emptied(tmp_path: Path, outside: Path) -> None:
    import shutil

    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "checkpoint-1").symlink_to(outside)
    (outside / "complete").touch()
    (folder / "checkpoint-²").mkdir()  # a digit that is no number
    (folder / "checkpoint-²" / "complete").touch()
    (linked,) = complete_checkpoints(folder)
    shutil.rmtree(linked, ignore_errors=True)  # as checkpoints are deleted
    (outside / "complete").unlink()
    assert untouched(outside)


def test_a_kernel_packs_no_link(tmp_path: Path, outside: Path) -> None:
    """Its output may be public, and a link leads to anything that this machine can read."""
    plan = {"run": "r", "backbone": "b", "competition": "c", "kit": "k", "revision": "", "with_weights": True}
    folders = [tmp_path / name for name in ("input", "working", "scratch")]
    for folder in folders:
        folder.mkdir()
    session = Session(plan, *folders)
    session.run.mkdir(parents=True)
    (session.run / "run.json").write_text("{}")
    (session.run / "secret.json").symlink_to(outside / "precious")
    (session.run / "spans").symlink_to(outside)
    session.pack("finished", "", 1.0)
    packed = sorted(path.name for path in folders[1].rglob("*") if path.is_file())
    assert packed == ["kit-kernel.json", "run.json"]
