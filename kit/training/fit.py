"""One model: windows, Trainer, and the kept weights in their folder, whatever interrupts it."""

from __future__ import annotations

import gc
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from transformers import EarlyStoppingCallback, TrainerCallback, set_seed

from kit.errors import ModelError, counted
from kit.files import refuse_links, replacing_folder
from kit.memory import forget_peak, peak_memory
from kit.modeling.backbones import Backbone
from kit.modeling.checkpoint_files import weights_sha256
from kit.modeling.devices import Device
from kit.modeling.distributed import OUT_OF_MEMORY, Processes
from kit.modeling.joint_head import BAND
from kit.modeling.probe import batching_of
from kit.modeling.tokens import TokensOf
from kit.modeling.windows import Windows, make_windows
from kit.settings.runs import FoldRecord
from kit.settings.training import TrainingSettings, with_half_at_once
from kit.training.arguments import training_arguments
from kit.training.averages import average_of
from kit.training.checkpoints import (
    CHECKPOINTS,
    CheckpointMarks,
    SaveByTheClock,
    latest_readable,
    saying_when_the_disk_is_full,
    seconds_spent,
)
from kit.training.collator import SpanCollator, WindowDataset
from kit.training.cost_estimate import Forecast, forecast
from kit.training.evaluate import METRICS, evaluate
from kit.training.labels import Labels, label_windows
from kit.training.losses import Loss
from kit.training.mixture import Sources
from kit.training.sampler import BudgetBatches, LengthGroupedSampler
from kit.training.splits import Part
from kit.training.trainer import SpanTrainer, steps_of
from kit.training.trial import load_for_training


@dataclass(frozen=True, slots=True)
class Callbacks:
    """How a training speaks: lines for people, the forecast before it starts, Trainer callbacks."""

    say: Callable[[str], object] = lambda line: None
    forecast: Callable[[Forecast], object] = lambda expected: None
    trainer_callbacks: tuple[TrainerCallback, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """All that one model's training needs to know."""

    backbone: Backbone
    part: Part
    sources: Sources
    settings: TrainingSettings
    device: Device
    processes: Processes
    folder: Path
    """Where the kept model goes."""
    report_to: Sequence[str]
    callbacks: Callbacks
    tokens_of: TokensOf | None = None
    """Where the texts' tokens come from, if not from the tokenizer."""

    @property
    def checkpoints(self) -> Path:
        """Trainer's own state, until the model's record is written."""
        return self.folder / CHECKPOINTS


def fit(job: Job) -> tuple[torch.nn.Module, FoldRecord]:
    """Train, or go on from the last complete checkpoint; returns the kept model and its record.

    A GPU that runs out of memory gets half the micro-batch (or token budget), and the effective batch
    stays.  Raises ModelError where the loss is not finite or even single windows are too large, WriteError
    where the disk is full or the model's folder is a link.
    """
    refuse_links(job.folder, job.checkpoints)
    windows = make_windows(
        job.backbone, job.part.train, max_length=job.settings.max_length, stride=job.settings.stride,
        tokens_of=job.tokens_of,
    )  # fmt: skip
    labels = label_windows(windows, job.part.train, job.settings.targets)
    if windows.cut_questions:
        job.callbacks.say(
            f"cut, since longer than a window allows: {counted(windows.cut_questions, 'question')}"
        )
    if labels.unplaced:
        job.callbacks.say(
            f"nothing but white space, and so without use: {counted(labels.unplaced, 'gold answer')}"
        )
    if job.settings.head == "joint" and (beyond := int((labels.end - labels.start >= BAND).sum())):
        job.callbacks.say(
            f"{beyond} gold answers (in all windows) have more than the {BAND} tokens that the joint head "
            "reaches and teach nothing"
        )
    settings = job.settings
    while True:
        try:
            return _fit(job, settings, windows, labels)
        except torch.OutOfMemoryError:
            smaller = with_half_at_once(settings, job.processes.size, int(windows.lengths.max()))
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
                Path(note).write_text(f"{smaller.at_once_flag}\n{smaller.at_once}", encoding="utf-8")
            raise ModelError(
                f"{job.device.name}: out of memory with {settings.at_once}; go on with --resume "
                f"{smaller.at_once_flag} (the effective batch stays as it is)"
            )
        job.callbacks.say(
            f"{job.device.name}: out of memory with {settings.at_once}; going on with {smaller.at_once} "
            f"(the effective batch stays {settings.batch_size})"
        )
        settings = smaller


def _fit(
    job: Job, settings: TrainingSettings, windows: Windows, labels: Labels
) -> tuple[torch.nn.Module, FoldRecord]:
    start_from = latest_readable(job.checkpoints, job.callbacks.say)
    spent = seconds_spent(start_from)
    began = time.monotonic() - spent
    _forget_peak(job.device)
    transformers.utils.logging.disable_progress_bar()  # ours is the only one
    set_seed(settings.seed)  # the fresh head and dropout
    model = load_for_training(job.backbone, settings)
    batching = batching_of(model, job.backbone, settings.max_length)
    collator = SpanCollator(
        windows, labels, job.backbone.pad_id, places=settings.soften > 0, batching=batching
    )
    order = LengthGroupedSampler(
        windows.lengths,
        settings.batch_size,
        settings.seed,
        micro_batch_size=settings.micro_batch_size,
        processes=job.processes,
        draws=job.sources.draws(job.part, windows.question, settings.seed),
    )
    sampler: LengthGroupedSampler | BudgetBatches = order
    accumulation = None
    if settings.token_budget is not None or batching.keeps_apart:
        sampler = BudgetBatches(
            order, windows.lengths, settings.batch_size, settings.token_budget, job.processes,
            most=settings.micro_batch_size if settings.token_budget is None else None, batching=batching,
        )  # fmt: skip
        accumulation = sampler.steps
    steps = steps_of(order.epoch_size, settings.batch_size, settings.epochs)
    steps_an_epoch = steps_of(order.epoch_size, settings.batch_size, 1)
    choosing = len(job.part.dev) > 0

    expected = forecast(model, collator, sampler, settings, job.device, job.processes, job.part, job.folder)
    job.callbacks.forecast(expected)
    expected.refuse_if_disk_is_short()

    arguments = training_arguments(
        settings, job.device, job.processes, job.checkpoints,
        steps=steps, steps_an_epoch=steps_an_epoch, choosing=choosing, accumulation=accumulation,
        unused_weights=expected.unused, report_to=job.report_to,
    )  # fmt: skip
    average = average_of(
        settings, model, job.processes,
        steps=steps, every=int(arguments.save_steps), checkpoint=start_from,
    )  # fmt: skip

    def measured(current: torch.nn.Module) -> dict[str, float]:
        return job.sources.evaluated(
            job.part.dev,
            lambda own: evaluate(
                current, job.backbone, own, job.device, settings, job.processes, job.tokens_of
            ),
        )

    trainer = SpanTrainer(
        model,
        arguments,
        WindowDataset(windows),
        collator,
        sampler,
        measured,
        [*([average] if average else []), *_callbacks(job, settings, choosing, spent)],
        loss=Loss.of(settings),
        adversarial=settings.adversarial,
        layer_decay=settings.layer_decay,
    )
    trainer.remove_callback(transformers.ProgressCallback)
    trainer.remove_callback(transformers.PrinterCallback)
    with saying_when_the_disk_is_full(job.folder):
        trainer.train(resume_from_checkpoint=str(start_from) if start_from else None)

    kept = trainer.accelerator.unwrap_model(trainer.model)
    history = [entry for entry in trainer.state.log_history if "eval_edit" in entry]
    best = min(history, key=lambda entry: entry["eval_edit"], default=None)
    scored = _measured(best) if best else {}
    averaged = 0
    if average is not None:
        found = average.keep_if_better(kept, scored, measured)
        how = f"the average of {average.count} weights"
        if found is None:
            job.callbacks.say(f"{how} is no better than the best checkpoint, which is kept")
        else:
            scored, averaged = found, average.count
            job.callbacks.say(f"{how} is kept")

    def save(temporary: Path) -> None:
        # not trainer.save_model, which adds a pickle of its arguments
        kept.save_pretrained(temporary)
        job.backbone.tokenizer.save_pretrained(temporary)

    if job.processes.first:
        with saying_when_the_disk_is_full(job.folder, "the model"):
            replacing_folder(job.folder, save)
    job.processes.wait()
    judging = job.sources.judging(job.part.dev)
    return kept, FoldRecord(
        held_out=judging,
        steps=trainer.state.global_step,
        kept_step=int(best["step"]) if best and not averaged else trainer.state.global_step,
        averaged=averaged,
        chosen_on=judging,
        seconds=round(time.monotonic() - began, 1),
        windows=len(windows),
        weights_sha256=weights_sha256(job.folder) if job.processes.first else "",
        metrics={name: scored[name] for name in METRICS} if scored else {},
        sources=job.sources.scores_in(scored, job.part.dev) if scored else {},
        micro_batch_size=settings.micro_batch_size,
        token_budget=settings.token_budget,
        processes=job.processes.size,
        device=f"{job.device.name}, {job.device.precision}",
        peak_bytes=_peak_bytes(job.device),
        history=tuple({"step": float(entry["step"]), **_measured(entry)} for entry in history),
        losses=tuple(
            {"step": float(entry["step"]), "loss": round(float(entry["loss"]), 5)}
            for entry in trainer.state.log_history
            if math.isfinite(entry.get("loss", math.nan))
        ),
    )


def _measured(entry: Mapping[str, float]) -> dict[str, float]:
    """The metrics of an evaluation that Trainer logged, under their own names."""
    own = {name: float(value) for name, value in entry.items() if name.startswith("eval_")}
    return {name.removeprefix("eval_"): value for name, value in own.items()}


def _callbacks(job: Job, settings: TrainingSettings, choosing: bool, spent: float) -> list[TrainerCallback]:
    found: list[TrainerCallback] = [CheckpointMarks(job.processes, spent)]
    if settings.save_minutes is not None:
        found.append(SaveByTheClock(settings.save_minutes, job.processes, job.device))
    if choosing and settings.early_stopping is not None:
        found.append(EarlyStoppingCallback(early_stopping_patience=settings.early_stopping))
    if job.processes.first:
        found += job.callbacks.trainer_callbacks
    return found


def _forget_peak(device: Device) -> None:
    """What earlier models of this process needed does not count."""
    if device.torch.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    forget_peak()


def _peak_bytes(device: Device) -> int:
    return torch.cuda.max_memory_allocated() if device.torch.type == "cuda" else peak_memory()
