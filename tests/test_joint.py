"""A member with a joint head on the whole road: trained, killed, resumed, predicted, blended, trained on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import kit
from kit.api.train import training_job
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.modeling.joint_head import JOINT_FILE
from kit.modeling.tiny import Shape, make_backbone
from kit.settings.runs import read_run
from kit.spans.run_folder import member_scores, open_run
from kit.spans.store import read_spans
from kit.training import fit
from kit.training.callbacks import Callbacks
from kit.training.run import train_run
from tests.commands import run_program

SETTINGS: dict[str, Any] = {
    "head": "joint",
    "epochs": 2.0,
    "batch_size": 8,
    "micro_batch_size": 4,
    "max_length": 160,
    "stride": 40,
    "lr": 1e-3,
    "limit": 40,
}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """As the processes below: then the same training gives the same bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("joint")
    files = demo_corpus.write(folder / "data", train_contexts=24, test_contexts=8)
    texts = [text for question in kit.load(files.train) for text in (question.context, question.text)]
    shape = Shape(600, 32, 2, 2, 64, 160, dropout=0.1)
    make_backbone(folder / "tiny", texts, "wordpiece", shape, seed=1)
    return folder


@pytest.fixture(scope="module")
def data(place: Path) -> Dataset:
    return kit.load(place / "data/train.json")


@pytest.fixture(scope="module")
def test(place: Path) -> Dataset:
    return kit.load(place / "data/test.json")


@pytest.fixture(scope="module")
def trained(place: Path, data: Dataset) -> Path:
    """An undisturbed run."""
    kit.train(str(place / "tiny"), data, run=place / "whole", quiet=True, evaluations=3, **SETTINGS)
    return place / "whole"


def head_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / JOINT_FILE)


def test_the_run_says_so_and_its_head_has_learned(trained: Path) -> None:
    record = read_run(trained)
    assert record is not None
    assert record.settings.head == "joint"
    assert head_of(trained / "full")["end.weight"].any()


def test_a_killed_training_ends_in_the_same_weights(place: Path, trained: Path, data: Dataset) -> None:
    run, settings = place / "killed", SETTINGS | {"evaluations": 3}
    words = ("at", 7, place / "tiny", place / "data/train.json", run, json.dumps(settings))
    died = run_program("tests.killed", *words, cwd=place, OMP_NUM_THREADS="1")
    assert died.returncode == -9, died.stderr
    assert list(run.glob("full/checkpoints/checkpoint-*/complete"))
    kit.train(str(place / "tiny"), data, run=run, resume=True, quiet=True, **settings)
    for name in ("model.safetensors", JOINT_FILE):
        assert (run / "full" / name).read_bytes() == (trained / "full" / name).read_bytes(), name
    ended, whole = read_run(run), read_run(trained)
    assert ended is not None
    assert whole is not None
    assert ended.folds["full"].history == whole.folds["full"].history


def test_predicted_and_decoded_and_blended(place: Path, trained: Path, data: Dataset, test: Dataset) -> None:
    plain = kit.train(
        str(place / "tiny"), data, run=place / "plain", quiet=True, **SETTINGS | {"head": "independent"}
    )
    (path,) = kit.predict(trained, test, quiet=True)
    kit.predict(plain, test, quiet=True)
    assert read_spans(path).joint is not None
    before = path.stat().st_mtime_ns
    kit.predict(trained, test, quiet=True)
    assert path.stat().st_mtime_ns == before
    recipe = place / "both.yaml"
    for decoder in ("argmax", "edit"):
        recipe.write_text(
            f"members:\n  - run: {trained}\n    temperature: 1.5\n  - run: {plain.folder}\n"
            f"decoder: {decoder}\nlength_prior: 0.5\n",
            encoding="utf-8",
        )
        for chosen in (trained, recipe):
            made = kit.ensemble(
                chosen, test, out=place / "both.csv", answers=place / "data/test_answers.json"
            )
            assert made.score is not None
            assert list(made.answers) == [question.guid for question in test]
            assert all(made.answers[question.guid] in question.context for question in test)
            assert any(made.answers.values())
    # another head under the same model makes the scores out of date
    head = trained / "full" / JOINT_FILE
    kept = head.read_bytes()
    head.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    kit.predict(trained, test, quiet=True)
    assert path.stat().st_mtime_ns != before
    head.write_bytes(kept)


def test_folds_have_joint_scores_out_of_fold(place: Path, data: Dataset) -> None:
    run = kit.train(
        str(place / "tiny"), data, run=place / "folds", folds=2, quiet=True, **SETTINGS | {"epochs": 1.0}
    )
    scored = run.used(data)
    together = member_scores(run, "oof", scored)
    assert together.joint is not None
    assert together.guids == tuple(question.guid for question in scored)
    assert len(together.joint.offsets) == len(together.null) + 1
    assert np.diff(together.joint.offsets).min() > 0


def test_a_training_goes_on_from_a_folder_with_its_head_or_without(
    place: Path, trained: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(fit, "BAND", 1)  # so that there are golds beyond it
    for head, how in (("joint", {"gradient_checkpointing": True, "precision": "bf16"}), ("independent", {})):
        asked = SETTINGS | {"head": head, "lr": 1e-7, "limit": 12, "epochs": 1.0} | how
        job = training_job(str(trained / "full"), data, asked | {"run": place / f"on-{head}"})
        run = train_run(job, Callbacks(said.append))
        assert (run.model_folder("full") / JOINT_FILE).is_file() == (head == "joint")
    beyond = [line for line in said if "that the joint head reaches and teach nothing" in line]
    assert len(beyond) == 1
    before, after = head_of(trained / "full"), head_of(place / "on-joint/full")
    for name in before:
        assert torch.allclose(before[name], after[name], atol=1e-5), name
    assert open_run(place / "on-independent").record is not None
