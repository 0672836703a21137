"""One model: windows, Trainer, and the kept weights in their folder, whatever interrupts it."""

from __future__ import annotations

import gc
import math
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
import transformers
from transformers import EarlyStoppingCallback, TrainerCallback, set_seed

from kit.decoding.default import default_decoding
from kit.errors import ModelError, counted
from kit.files import refuse_links, replacing_folder
from kit.memory import forget_peak, peak_memory
from kit.modeling.checkpoint_files import weights_sha256
from kit.modeling.distributed import OUT_OF_MEMORY
from kit.modeling.joint_head import BAND
from kit.modeling.probe import batching_of
from kit.modeling.windows import Windows, make_windows
from kit.settings.runs import FoldRecord
from kit.settings.training import TrainingSettings, with_half_at_once
from kit.spans.lengths import answer_lengths
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
from kit.training.collator import SpanCollator
from kit.training.cost_estimate import Forecast, forecast
from kit.training.evaluate import METRICS, evaluate
from kit.training.labels import Labels, label_windows
from kit.training.losses import Loss
from kit.training.run_setup import Training
from kit.training.sampler import LengthGroupedSampler, MicroBatches
from kit.training.splits import Part
from kit.training.time_limit import StopInTime, planned_steps, steps_in_time
from kit.training.trainer import SpanTrainer, steps_of
from kit.training.trial import load_for_training


def fit(training: Training, part: Part, folder: Path) -> tuple[torch.nn.Module, FoldRecord]:
    """Train one model into *folder*, or resume from the last complete checkpoint; returns it and its record.

    A GPU that runs out of memory gets half the micro-batch (or token budget), and the effective batch
    stays.  Raises ModelError where the loss is not finite or even single windows are too large, WriteError
    where the disk is full or the model's folder is a link.
    """
    refuse_links(folder, folder / CHECKPOINTS)
    began = time.monotonic()
    windows = make_windows(
        training.backbone, part.train,
        max_length=training.settings.max_length, stride=training.settings.stride,
        tokens_of=training.tokens_of,
    )  # fmt: skip
    labels = label_windows(windows, part.train, training.settings.targets)
    if windows.cut_questions:
        training.callbacks.say(
            f"cut, since longer than a window allows: {counted(windows.cut_questions, 'question')}"
        )
    if labels.unplaced:
        training.callbacks.say(
            f"nothing but white space, and so without use: {counted(labels.unplaced, 'gold answer')}"
        )
    if training.settings.head == "joint" and (beyond := int((labels.end - labels.start >= BAND).sum())):
        training.callbacks.say(
            f"{beyond} gold answers (in all windows) have more than the {BAND} tokens that the joint head "
            "reaches and teach nothing"
        )
    settings = training.settings
    while True:
        try:
            return _fit(training, part, folder, settings, windows, labels, began)
        except torch.OutOfMemoryError:
            smaller = with_half_at_once(settings, training.processes.size, int(windows.lengths.max()))
        # Outside the handler, so that the error no longer holds on to the model.
        gc.collect()
        torch.cuda.empty_cache()
        if smaller is None:
            raise ModelError(
                f"{training.device.name}: out of memory with single windows of {settings.max_length} tokens; "
                "use --gradient-checkpointing, or a shorter --max-length"
            )
        if training.processes.size > 1:  # the others wait for this one's gradients, and cannot be told
            if note := os.environ.get(OUT_OF_MEMORY):
                Path(note).write_text(f"{smaller.at_once_flag}\n{smaller.at_once}", encoding="utf-8")
            raise ModelError(
                f"{training.device.name}: out of memory with {settings.at_once}; continue with --resume "
                f"{smaller.at_once_flag} (the effective batch does not change)"
            )
        training.callbacks.say(
            f"{training.device.name}: out of memory with {settings.at_once}; continuing with "
            f"{smaller.at_once} (the effective batch stays {settings.batch_size})"
        )
        settings = smaller


def _fit(
    training: Training,
    part: Part,
    folder: Path,
    settings: TrainingSettings,
    windows: Windows,
    labels: Labels,
    began: float,
) -> tuple[torch.nn.Module, FoldRecord]:
    start_from = latest_readable(folder / CHECKPOINTS, training.callbacks.say)
    spent = seconds_spent(start_from)
    began -= spent
    forget_peak()  # what earlier models of this process needed does not count
    cuda = training.device.torch.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    transformers.utils.logging.disable_progress_bar()  # ours is the only one
    set_seed(settings.seed)  # the fresh head and dropout
    model = load_for_training(training.backbone, settings)
    batching = batching_of(model, training.backbone, settings.max_length)
    collator = SpanCollator(
        windows, labels, training.backbone.pad_id, places=settings.soften > 0, batching=batching
    )
    draws = training.sources.draws(part, windows.question, settings.seed)
    order = LengthGroupedSampler(windows.lengths, settings.batch_size, settings.seed, draws)
    sampler = MicroBatches(
        order, settings.micro_batch_size, settings.token_budget, training.processes, batching
    )
    steps_an_epoch = steps_of(order.epoch_size, settings.batch_size, 1)
    choosing = len(part.dev) > 0

    expected = forecast(model, collator, sampler, settings, training.device, training.processes, part, folder)
    training.callbacks.forecast(replace(expected, models=training.models_left))
    expected.refuse_if_disk_is_short()
    steps = planned_steps(start_from) or steps_in_time(
        training.time_limit, expected, settings.epochs, training.agreed, training.callbacks.say
    )

    arguments = training_arguments(
        settings, training.device, training.processes, folder / CHECKPOINTS,
        steps=steps, steps_an_epoch=steps_an_epoch, choosing=choosing, accumulation=sampler.steps,
        unused_weights=expected.unused, report_to=training.job.options.report_to,
    )  # fmt: skip
    average = average_of(
        settings, model, training.processes,
        steps=steps, every=int(arguments.save_steps), checkpoint=start_from,
    )  # fmt: skip

    lengths = answer_lengths(part.train)

    def measured(current: torch.nn.Module) -> dict[str, float]:
        with training.callbacks.scoring("evaluating", len(part.dev)) as advance:
            return training.sources.evaluated(
                part.dev, lambda own: evaluate(training, current, own, lengths, advance)
            )

    trainer = SpanTrainer(
        model,
        arguments,
        collator,
        sampler,
        measured,
        [*([average] if average else []), *_callbacks(training, settings, expected, choosing, spent)],
        loss=Loss.of(settings),
        adversarial=settings.adversarial,
        layer_decay=settings.layer_decay,
    )
    trainer.remove_callback(transformers.ProgressCallback)
    trainer.remove_callback(transformers.PrinterCallback)
    with saying_when_the_disk_is_full(folder):
        trainer.train(resume_from_checkpoint=str(start_from) if start_from else None)

    kept = trainer.accelerator.unwrap_model(trainer.model)
    history = [entry for entry in trainer.state.log_history if "eval_edit" in entry]
    best = min(history, key=lambda entry: entry["eval_edit"], default=None)
    scored = _measured(best) if best else {}
    averaged = 0
    if average is not None and average.count:
        found = average.keep_if_better(kept, scored, measured)
        how = f"the average of {average.count} weights"
        if found is None:
            training.callbacks.say(f"{how} is no better than the best checkpoint, which is kept")
        else:
            scored, averaged = found, average.count
            training.callbacks.say(f"{how} is kept")

    def save(temporary: Path) -> None:
        # not trainer.save_model, which adds a pickle of its arguments
        kept.save_pretrained(temporary)
        training.backbone.tokenizer.save_pretrained(temporary)

    if training.processes.first:
        with saying_when_the_disk_is_full(folder, "the model"):
            replacing_folder(folder, save)
    training.processes.wait()
    judging = training.sources.judging(part.dev)
    return kept, FoldRecord(
        held_out=judging,
        steps=trainer.state.global_step,
        kept_step=int(best["step"]) if best and not averaged else trainer.state.global_step,
        averaged=averaged,
        chosen_on=judging,
        seconds=round(time.monotonic() - began, 1),
        windows=len(windows),
        weights_sha256=weights_sha256(folder) if training.processes.first else "",
        metrics={name: scored[name] for name in METRICS} if scored else {},
        decoding=str(default_decoding(lengths)),
        sources=training.sources.scores_in(scored, part.dev) if scored else {},
        micro_batch_size=settings.micro_batch_size,
        token_budget=settings.token_budget,
        processes=training.processes.size,
        device=f"{training.device.name}, {training.device.precision}",
        peak_bytes=torch.cuda.max_memory_allocated() if cuda else peak_memory(),
        history=tuple({"step": float(entry["step"]), **_measured(entry)} for entry in history),
        losses=tuple(
            {"step": float(entry["step"]), "loss": round(float(entry["loss"]), 5)}
            for entry in trainer.state.log_history
            if math.isfinite(entry.get("loss", math.nan))
        ),
    )


def _measured(entry: Mapping[str, float]) -> dict[str, float]:
    """The metrics of an evaluation that Trainer logged, under their own names."""
    return {
        name.removeprefix("eval_"): float(value) for name, value in entry.items() if name.startswith("eval_")
    }


def _callbacks(
    training: Training, settings: TrainingSettings, expected: Forecast, choosing: bool, spent: float
) -> list[TrainerCallback]:
    found: list[TrainerCallback] = [CheckpointMarks(training.processes, spent)]
    if settings.save_minutes is not None:
        found.append(SaveByTheClock(settings.save_minutes, training.agreed))
    if (limit := training.time_limit) is not None:
        found.append(StopInTime(limit, expected.scoring, training.agreed, choosing=choosing))
    if choosing and settings.early_stopping is not None:
        found.append(EarlyStoppingCallback(early_stopping_patience=settings.early_stopping))
    if training.processes.first:
        found += training.callbacks.trainer_callbacks
    return found
