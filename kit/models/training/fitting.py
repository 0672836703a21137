"""One model: windows, Trainer, and the kept weights in their folder, whatever interrupts it."""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import EarlyStoppingCallback, TrainerCallback, set_seed

from kit.config.runs import FoldRecord
from kit.config.training import TrainingSettings, smaller_micro_batch
from kit.errors import ModelError
from kit.files import replacing_folder, sha256_file
from kit.models.backbones import Backbone, load_weights, weights_file
from kit.models.devices import Device
from kit.models.processes import OUT_OF_MEMORY, Processes
from kit.models.training.arguments import training_arguments
from kit.models.training.batches import LengthGroupedSampler, SpanCollator, WindowDataset
from kit.models.training.checkpoints import (
    CheckpointMarks,
    SaveByTheClock,
    latest_complete,
    saying_when_the_disk_is_full,
    seconds_spent,
)
from kit.models.training.forecast import Forecast, forecast
from kit.models.training.held_out import METRICS, evaluate
from kit.models.training.labels import Labels, label_windows
from kit.models.training.parts import Part
from kit.models.training.trainer import SpanTrainer, steps_of
from kit.models.windows import Windows, make_windows


@dataclass(frozen=True, slots=True)
class Listeners:
    """How a training speaks: lines for people, the forecast before it starts, Trainer callbacks."""

    say: Callable[[str], object] = lambda line: None
    forecast: Callable[[Forecast], object] = lambda expected: None
    callbacks: tuple[TrainerCallback, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """All that one model's training needs to know."""

    backbone: Backbone
    part: Part
    settings: TrainingSettings
    device: Device
    processes: Processes
    folder: Path
    """Where the kept model goes."""
    report_to: Sequence[str]
    listeners: Listeners

    @property
    def checkpoints(self) -> Path:
        """Trainer's own state, until the model's record is written."""
        return self.folder / "checkpoints"


def fit(job: Job) -> tuple[torch.nn.Module, FoldRecord]:
    """Train, or go on from the last complete checkpoint; returns the kept model and its record.

    A GPU that runs out of memory gets half the micro-batch, and the effective batch stays.  Raises
    ModelError where the loss is not finite or even single windows are too large, WriteError where the
    disk is full.
    """
    windows = make_windows(
        job.backbone, job.part.train, max_length=job.settings.max_length, stride=job.settings.stride
    )
    labels = label_windows(windows, job.part.train, job.settings.targets)
    if windows.cut_questions:
        job.listeners.say(f"{windows.cut_questions} questions are longer than a window allows and were cut")
    if labels.unplaced:
        job.listeners.say(f"{labels.unplaced} gold answers are nothing but white space and teach nothing")
    settings = job.settings
    while True:
        try:
            return _fit(job, settings, windows, labels)
        except torch.OutOfMemoryError:
            smaller = smaller_micro_batch(settings, job.processes.size)
        # Outside the handler, so that the error no longer holds on to the model.
        gc.collect()
        if job.device.torch.type == "cuda":
            torch.cuda.empty_cache()
        if smaller is None:
            raise ModelError(
                f"{job.device.name}: out of memory with single windows of {settings.max_length} tokens; "
                "use --gradient-checkpointing, or a shorter --max-length"
            )
        if job.processes.size > 1:  # the others wait for this one's gradients, and cannot be told
            if note := os.environ.get(OUT_OF_MEMORY):
                Path(note).write_text(str(smaller), encoding="utf-8")
            raise ModelError(
                f"{job.device.name}: out of memory with micro-batches of {settings.micro_batch_size}; go "
                f"on with --resume --micro-batch-size {smaller} (the effective batch stays as it is)"
            )
        job.listeners.say(
            f"{job.device.name}: out of memory with micro-batches of {settings.micro_batch_size}; going on "
            f"with {smaller} (the effective batch stays {settings.batch_size})"
        )
        settings = settings.model_copy(update={"micro_batch_size": smaller})


def _fit(
    job: Job, settings: TrainingSettings, windows: Windows, labels: Labels
) -> tuple[torch.nn.Module, FoldRecord]:
    start_from = latest_complete(job.checkpoints)
    spent = seconds_spent(start_from)
    began = time.monotonic() - spent
    transformers.utils.logging.disable_progress_bar()  # ours is the only one
    set_seed(settings.seed)  # the fresh head and dropout
    model = load_weights(job.backbone, head_needed=False, dropout_on_attention=settings.attention_dropout)
    if settings.gradient_checkpointing:
        # Its name is about to change, for Trainer's argument too.
        names = ("activation_checkpointing_enable", "gradient_checkpointing_enable")
        enable: Any = next(getattr(model, name) for name in names if hasattr(model, name))
        enable({"use_reentrant": False})
    collator = SpanCollator(windows, labels, job.backbone.pad_id)
    sampler = LengthGroupedSampler(
        windows.lengths,
        settings.batch_size,
        settings.seed,
        micro_batch_size=settings.micro_batch_size,
        processes=job.processes,
    )
    steps = steps_of(len(windows), settings.batch_size, settings.epochs)
    steps_an_epoch = steps_of(len(windows), settings.batch_size, 1)
    choosing = len(job.part.chosen_on) > 0

    expected = forecast(model, collator, sampler, settings, job.device, job.processes, job.part, job.folder)
    job.listeners.forecast(expected)
    expected.refuse_if_disk_is_short()

    arguments = training_arguments(
        settings, job.device, job.processes, job.checkpoints,
        steps=steps, steps_an_epoch=steps_an_epoch, choosing=choosing, unused_weights=expected.unused,
        report_to=job.report_to,
    )  # fmt: skip
    trainer = SpanTrainer(
        model,
        arguments,
        WindowDataset(windows),
        collator,
        sampler,
        lambda current: evaluate(
            current, job.backbone, job.part.chosen_on, job.device, settings, job.processes
        ),
        _callbacks(job, settings, choosing, spent),
    )
    trainer.remove_callback(transformers.ProgressCallback)
    trainer.remove_callback(transformers.PrinterCallback)
    with saying_when_the_disk_is_full(job.folder):
        trainer.train(resume_from_checkpoint=str(start_from) if start_from else None)

    kept = trainer.accelerator.unwrap_model(trainer.model)

    def save(temporary: Path) -> None:
        # not trainer.save_model, which adds a pickle of its arguments
        kept.save_pretrained(temporary)
        job.backbone.tokenizer.save_pretrained(temporary)

    if job.processes.first:
        with saying_when_the_disk_is_full(job.folder, "the model"):
            replacing_folder(job.folder, save)
    job.processes.wait()
    history = [entry for entry in trainer.state.log_history if "eval_edit" in entry]
    best = min(history, key=lambda entry: entry["eval_edit"], default=None)
    return kept, FoldRecord(
        held_out=len(job.part.chosen_on),
        steps=trainer.state.global_step,
        kept_step=int(best["step"]) if best else trainer.state.global_step,
        chosen_on=len(job.part.chosen_on),
        seconds=round(time.monotonic() - began, 1),
        windows=len(windows),
        weights_sha256=sha256_file(weights_file(job.folder)) if job.processes.first else "",
        metrics={name: float(best[f"eval_{name}"]) for name in METRICS} if best else {},
        micro_batch_size=settings.micro_batch_size,
        processes=job.processes.size,
        device=f"{job.device.name}, {job.device.precision}",
        peak_bytes=_peak_bytes(job.device),
        history=tuple(
            {"step": float(entry["step"]), **{name: float(entry[f"eval_{name}"]) for name in METRICS}}
            for entry in history
        ),
    )


def _callbacks(job: Job, settings: TrainingSettings, choosing: bool, spent: float) -> list[TrainerCallback]:
    found: list[TrainerCallback] = [CheckpointMarks(job.processes, spent)]
    if settings.save_minutes is not None:
        found.append(SaveByTheClock(settings.save_minutes, job.processes, job.device))
    if choosing and settings.early_stopping is not None:
        found.append(EarlyStoppingCallback(early_stopping_patience=settings.early_stopping))
    if job.processes.first:
        found += job.listeners.callbacks
    return found


def _peak_bytes(device: Device) -> int:
    if device.torch.type == "cuda":
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
