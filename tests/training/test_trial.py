"""The trial before the first step, and trainings of architectures whose windows need care."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

import kit
from kit.api.train import training_job
from kit.data import demo_corpus
from kit.data.records import Dataset
from kit.decoding.decoders import argmax_answers
from kit.errors import ModelError
from kit.metrics.edit_distance import edit_distances
from kit.modeling.backbones import load_weights, open_backbone
from kit.modeling.batching import HARMLESS, Batching
from kit.modeling.devices import choose_device
from kit.modeling.distributed import Processes
from kit.modeling.inference import score_questions
from kit.settings.runs import RunRecord, read_run
from kit.spans.span_scores import Provenance, joined
from kit.spans.store import read_spans
from kit.training import run as run_module
from kit.training import trial
from kit.training.callbacks import Callbacks
from kit.training.run import train_run
from kit.training.sampler import LengthGroupedSampler, MicroBatches
from kit.training.trial import Trial, try_training
from tools.families.tiny_models import make_family, train_pad_row

SETTINGS: dict[str, Any] = {
    "epochs": 2.0,
    "batch_size": 8,
    "micro_batch_size": 4,
    "max_length": 96,
    "stride": 24,
    "lr": 1e-3,
    "limit": 8,
}
SHORT = {**SETTINGS, "epochs": 0.5}
Family = Callable[[str], str]
NOWHERE = Provenance("", "", "", "", 0, 0, "")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trials")
    demo_corpus.write(folder / "data", train_contexts=12, test_contexts=4)
    demo_corpus.write(folder / "other", train_contexts=5, test_contexts=2)
    return folder


@pytest.fixture(scope="module")
def data(place: Path) -> Dataset:
    return kit.load(place / "data" / "train.json")


@pytest.fixture(scope="module")
def valid(place: Path) -> Dataset:
    return kit.load(place / "other" / "train.json").first(SETTINGS["limit"])


@pytest.fixture(scope="module")
def backbone(place: Path, data: Dataset) -> Family:
    """A tiny random model of a family, by name; its tokenizer is made from the data."""
    texts = [text for question in data for text in (question.context, question.text)]

    def made(name: str) -> str:
        folder = place / name
        if not folder.exists():
            change = train_pad_row if name == "mobilebert" else None
            make_family(folder, name, texts, change=change, **CHANGED.get(name, {}))
        return str(folder)

    return made


CHANGED: dict[str, dict[str, Any]] = {
    "led": {"max_decoder_position_embeddings": 64},
    "xmod": {"default_language": None},
}


def record_of(folder: Path) -> RunRecord:
    record = read_run(folder)
    assert record is not None
    return record


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


# ---- one line, with flag and cure, and no run folder


@pytest.mark.parametrize(
    ("name", "flags", "said"),
    [
        (
            "albert",
            {"gradient_checkpointing": True},
            "does not train with --gradient-checkpointing (ValueError: AlbertForQuestionAnswering does not "
            "support activation checkpointing); leave it out; a smaller --micro-batch-size saves memory, too",
        ),
        ("funnel", {"gradient_checkpointing": True}, "leave it out; a smaller --micro-batch-size"),
        ("albert", {"gradient_checkpointing": True, "head": "joint"}, "with --gradient-checkpointing ("),
        (
            "bart",
            {"adversarial": 0.5},
            "with --adversarial (ValueError: its embedded words cannot be moved); leave it out",
        ),
        ("ibert", {"adversarial": 0.5}, "(ValueError: its embedded words cannot be moved); leave it out"),
        ("deberta", {"precision": "bf16"}, "does not train with --precision bf16 ("),
        ("xmod", {}, "its config has no default language; add one to its config.json"),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_leaves_nothing(
    backbone: Family, data: Dataset, tmp_path: Path, name: str, flags: dict[str, Any], said: str
) -> None:
    with pytest.raises(ModelError) as caught:
        kit.train(backbone(name), data, run=tmp_path / "run", quiet=True, **SETTINGS, **flags)
    # older transformers say gradient
    line = str(caught.value).replace("support gradient checkpointing", "support activation checkpointing")
    assert said in line
    assert line.startswith(f"{backbone(name)}: ")
    assert "\n" not in line
    assert list(tmp_path.iterdir()) == []


def test_the_cure_works(backbone: Family, data: Dataset, tmp_path: Path) -> None:
    settings = {**SHORT, "precision": "fp32"}
    kit.train(backbone("deberta"), data, run=tmp_path / "run", quiet=True, **settings)
    assert record_of(tmp_path / "run").device.endswith(", fp32")
    assert record_of(tmp_path / "run").folds["full"].metrics["edit"] > 0


class _Odd(torch.nn.Module):
    """A model that fails in a way of its own."""

    def __init__(self, fails: Callable[[], bool]) -> None:
        super().__init__()
        self.fails = fails

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        if self.fails():
            raise RuntimeError("no kernel for this\nand many lines more")
        return hidden


@pytest.mark.parametrize(
    ("fails", "flags", "said"),
    [
        (
            lambda settings: settings.r_drop > 0,
            {"r_drop": 1.0, "soften": 0.2},
            "does not train with --r-drop (RuntimeError: no kernel for this); leave it out",
        ),
        (
            lambda settings: settings.soften > 0 or settings.adversarial > 0,
            {"soften": 0.2, "adversarial": 0.5},
            "does not train with --adversarial and --soften (RuntimeError: no kernel for this); leave them "
            "out, one after the other",
        ),
        (
            lambda settings: True,
            {"soften": 0.2},
            "cannot be trained here (RuntimeError: no kernel for this); choose another backbone",
        ),
    ],
)
def test_the_guilty_flag_is_found_by_leaving_it_out(
    backbone: Family,
    monkeypatch: pytest.MonkeyPatch,
    fails: Callable[[Any], bool],
    flags: dict[str, Any],
    said: str,
) -> None:
    plain = trial.load_for_training

    def load(opened: Any, settings: Any) -> torch.nn.Module:
        model = plain(opened, settings)
        odd = _Odd(lambda: model.training and fails(settings))
        model.bert.embeddings.register_forward_hook(lambda module, _, output: odd(output))
        return model

    monkeypatch.setattr(trial, "load_for_training", load)
    monkeypatch.setattr(trial, "_tried", {})
    settings = kit.settings_for(backbone("bert"), **SETTINGS, **flags)
    with pytest.raises(ModelError) as caught:
        try_training(open_backbone(backbone("bert")), settings, choose_device())
    assert str(caught.value) == f"{backbone('bert')}: {said}"


def test_too_little_memory_is_left_to_the_training(backbone: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(trial, "_tried", {})
    monkeypatch.setattr(trial, "_learn", full)
    settings = kit.settings_for(backbone("bert"), **SETTINGS)
    assert try_training(open_backbone(backbone("bert")), settings, choose_device()) == Trial(96, HARMLESS)


def test_weights_that_come_back_otherwise(
    backbone: Family, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain = trial.load_weights

    def load(opened: Any, *, head_needed: bool, **more: Any) -> torch.nn.Module:
        model = plain(opened, head_needed=head_needed, **more)
        if head_needed:
            torch.nn.init.zeros_(model.qa_outputs.bias)
        return model

    monkeypatch.setattr(trial, "_tried", {})
    monkeypatch.setattr(trial, "load_weights", load)
    settings = kit.settings_for(backbone("bert"), **SETTINGS)
    with pytest.raises(ModelError, match=r"saved and loaded again, qa_outputs.bias is not what it was"):
        try_training(open_backbone(backbone("bert")), settings, choose_device(), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_holds_the_trial_itself(
    backbone: Family, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it lies in may not be writable, as around a mounted disk."""
    looked: list[Path] = []
    plain = trial.load_weights

    def load(opened: Any, *, head_needed: bool, **more: Any) -> torch.nn.Module:
        if head_needed:
            looked.append(Path(opened.location).parent)
        return plain(opened, head_needed=head_needed, **more)

    monkeypatch.setattr(trial, "_tried", {})
    monkeypatch.setattr(trial, "load_weights", load)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".trial.killed.part").mkdir()
    settings = kit.settings_for(backbone("bert"), **SETTINGS)
    try_training(open_backbone(backbone("bert")), settings, choose_device(), tmp_path / "run")
    assert looked == [tmp_path / "run"]
    assert list((tmp_path / "run").iterdir()) == []


# ---- the training after it


def test_the_trial_changes_no_weight(
    backbone: Family, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for head in ("independent", "joint"):
        kit.train(backbone("bert"), data, run=tmp_path / f"{head}-with", quiet=True, head=head, **SETTINGS)
    monkeypatch.setattr(run_module, "try_training", lambda *_: Trial(96, HARMLESS))
    for head in ("independent", "joint"):
        kit.train(backbone("bert"), data, run=tmp_path / f"{head}-no", quiet=True, head=head, **SETTINGS)
        assert weights(tmp_path / f"{head}-with/full") == weights(tmp_path / f"{head}-no/full")


def test_it_is_done_once_a_process(
    backbone: Family, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    plain = trial._step
    monkeypatch.setattr(trial, "_tried", {})
    monkeypatch.setattr(trial, "_step", lambda *given: [steps.append(given), plain(*given)])
    for run in ("one", "two"):
        kit.train(backbone("bert"), data, run=tmp_path / run, folds=2, jobs=1, quiet=True, **SHORT)
    assert len(steps) == 1
    kit.train(backbone("bert"), data, run=tmp_path / "three", quiet=True, soften=0.1, **SHORT)
    assert len(steps) == 2
    # a finished run needs none
    kit.train(backbone("bert"), data, run=tmp_path / "three", quiet=True, soften=0.1, **SHORT)
    assert len(steps) == 2


def test_a_length_beyond_the_positions_is_found_and_recorded(
    backbone: Family, data: Dataset, tmp_path: Path
) -> None:
    lines: list[str] = []
    job = training_job(backbone("led"), data, {**SHORT, "stride": 40, "run": tmp_path / "run"})
    for _ in range(2):  # the second time the folder has it
        train_run(job, Callbacks(lines.append))
    assert record_of(tmp_path / "run").settings.max_length == 64
    assert record_of(tmp_path / "run").settings.stride == 32
    assert [line for line in lines if "led" in line and "max length" in line] == [
        "max length 96 is more than led has positions; using 64"
    ] * 2
    assert "already trained with these settings" in lines[-1]
    kit.predict(tmp_path / "run", data, quiet=True)


def test_a_bare_checkpoint_is_not_asked_for_more_than_it_takes(
    backbone: Family, data: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "led"
    shutil.copytree(backbone("led"), folder)
    load_weights(open_backbone(str(folder)), head_needed=False).save_pretrained(folder)
    (path,) = kit.predict(folder, data, quiet=True)
    assert read_spans(path).provenance.max_length == 64


@pytest.mark.parametrize("name", ["bart", pytest.param("led", marks=pytest.mark.slow)])
def test_shared_weights_under_a_joint_head(
    backbone: Family, data: Dataset, valid: Dataset, tmp_path: Path, name: str
) -> None:
    settings: dict[str, Any] = {**SETTINGS, "head": "joint", "max_length": 64, "evaluations": 2}
    _train(backbone(name), data, tmp_path / "whole", settings, valid=valid)
    with pytest.raises(KeyboardInterrupt):
        _train(backbone(name), data, tmp_path / "killed", settings, _Gone(), valid=valid)
    _train(backbone(name), data, tmp_path / "killed", settings, valid=valid, resume=True)
    for file in ("model.safetensors", "joint.safetensors"):
        assert (tmp_path / "whole/full" / file).read_bytes() == (tmp_path / "killed/full" / file).read_bytes()
    edit = record_of(tmp_path / "whole").folds["full"].metrics["edit"]
    answers = _answers(tmp_path / "whole", valid)
    assert edit == float(edit_distances(answers, [question.golds for question in valid]).mean())


class _Gone(TrainerCallback):
    """Ends the process when the second epoch has begun."""

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.epoch >= 1:
            raise KeyboardInterrupt


def _train(
    reference: str,
    data: Dataset,
    run: Path,
    settings: dict[str, Any],
    *trainer_callbacks: TrainerCallback,
    valid: Dataset | None = None,
    resume: bool = False,
) -> list[str]:
    lines: list[str] = []
    callbacks = Callbacks(lines.append, trainer_callbacks=trainer_callbacks)
    options = {**settings, "run": run, "valid": valid, "resume": resume}
    train_run(training_job(reference, data, options), callbacks)
    return lines


def _answers(run: Path, data: Dataset, fold: int | None = None) -> list[str]:
    kit.predict(run, data, fold=fold, again=True, quiet=True)
    return list(kit.decode(run, data).values())  # with the lengths that the run recorded, as the training did


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("fnet", "fnet: padding changes its scores; batches hold windows of equal length only"),
        pytest.param(
            "convbert",
            "convbert: padding changes its scores; batches hold windows of equal length only",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "mobilebert",
            "mobilebert: padding changes its scores; batches hold windows of equal length only",
            marks=pytest.mark.slow,
        ),
        ("big_bird", "big_bird does not take windows of every length; all are padded to 96 tokens"),
    ],
)
def test_training_predicting_and_resuming_give_the_same_scores(
    backbone: Family, data: Dataset, valid: Dataset, tmp_path: Path, name: str, line: str
) -> None:
    settings: dict[str, Any] = {**SETTINGS, "lr": 3e-3, "evaluations": 2}
    lines = _train(backbone(name), data, tmp_path / "whole", settings, valid=valid)
    assert lines.count(line) == 1
    with pytest.raises(KeyboardInterrupt):
        _train(backbone(name), data, tmp_path / "killed", settings, _Gone(), valid=valid)
    _train(backbone(name), data, tmp_path / "killed", settings, valid=valid, resume=True)
    assert weights(tmp_path / "whole/full") == weights(tmp_path / "killed/full")
    whole, killed = (record_of(tmp_path / run).folds["full"] for run in ("whole", "killed"))
    assert whole.history == killed.history
    # predicted again, and each question asked alone
    answers = _answers(tmp_path / "whole", valid)
    distances = edit_distances(answers, [question.golds for question in valid])
    assert whole.metrics["edit"] == float(distances.mean())
    opened = open_backbone(str(tmp_path / "whole/full"))
    model = load_weights(opened, head_needed=True)
    plain = kit.decode(tmp_path / "whole", valid, plain=True).values()
    for question, answer in zip(valid, plain, strict=True):
        parts = score_questions(
            model, opened, [question], choose_device(), max_length=96, stride=24, provenance=NOWHERE
        )
        assert argmax_answers(joined(list(parts), NOWHERE), [question]) == (answer,)


# ---- micro-batches of windows that may share one


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("batching", [Batching("harmful"), Batching("harmful", alone=True)])
def test_micro_batches_hold_windows_of_equal_length(batching: Batching, processes: int) -> None:
    lengths = np.random.default_rng(0).integers(20, 28, 70)
    order = LengthGroupedSampler(lengths, 8, seed=3)
    seen: list[int] = []
    for rank in range(processes):
        batches = MicroBatches(order, 3, None, Processes(rank, processes), batching)
        pieces = list(batches)
        assert len(pieces) == len(batches) == 9 * batches.steps
        assert batches.steps == 8 // processes
        for piece in pieces:
            real = [number for number in piece if number >= 0]
            assert len({int(lengths[number]) for number in real}) <= 1
            assert len(piece) <= (1 if batching.alone else 3)
            seen += real
    assert sorted(seen) == list(range(70))
    assert max(map(len, MicroBatches(order, 3, batching=batching))) == (1 if batching.alone else 3)
