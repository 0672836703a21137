"""Training one run: held-out questions, windows, Trainer, the best model kept, and the record."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import TrainerCallback, TrainingArguments, set_seed

from kit.config.runs import FULL, DataFile, FoldRecord, RunRecord, differences, read_run, write_run
from kit.config.training import TrainingSettings
from kit.data.records import Dataset, Question
from kit.data.splits import holdout
from kit.errors import ConfigError, DataError
from kit.files import replacing_folder, sha256_file
from kit.models.backbones import Backbone, load_weights, open_backbone, weights_file
from kit.models.batches import LengthGroupedSampler, SpanCollator, WindowDataset
from kit.models.checkpoints import CheckpointMarks, latest_complete, saying_when_the_disk_is_full
from kit.models.devices import Device, choose_device
from kit.models.forecast import Forecast, forecast
from kit.models.guards import clamp_lengths, inspect_tokenizer
from kit.models.inference import score_questions
from kit.models.labels import label_windows
from kit.models.tracking import prepare_trackers
from kit.models.trainer import SpanTrainer, steps_of
from kit.models.windows import make_windows
from kit.scoring.metrics import edit_distances
from kit.spans.decoding import argmax_answers
from kit.spans.members import Run, open_run
from kit.spans.scores import Provenance, joined
from kit.version import __version__

HOLDOUT = 0.1
_CHECKPOINTS = "checkpoints"
_LOGS_AN_EPOCH = 20


@dataclass(frozen=True, slots=True)
class Listeners:
    """How a training speaks: lines for people, the forecast before it starts, Trainer callbacks."""

    say: Callable[[str], object] = lambda line: None
    forecast: Callable[[Forecast], object] = lambda expected: None
    callbacks: tuple[TrainerCallback, ...] = ()


def train_run(
    reference: str,
    data: Sequence[Dataset],
    folder: Path,
    settings: TrainingSettings,
    *,
    valid: Dataset | None = None,
    resume: bool = False,
    report_to: Sequence[str] = (),
    trust_remote_code: bool = False,
    listeners: Listeners | None = None,
) -> Run:
    """Train *reference* on *data* into *folder* and return the run.

    Without *valid*, a seeded tenth of the questions is held out, whole groups of related contexts.
    The best checkpoint by Edit Score on the held-out questions is kept.  A finished run with the same
    settings and data is returned as it is.  Raises ConfigError where the folder holds another run,
    or an unfinished one and *resume* is not given.
    """
    listeners = listeners or Listeners()
    prepare_trackers(report_to, folder / "logs")
    device = choose_device(settings.precision)
    backbone = open_backbone(reference, trust_remote_code=trust_remote_code)
    length, stride, said = clamp_lengths(backbone, settings.max_length, settings.stride)
    if torch.cuda.device_count() > 1:
        said.append(f"{torch.cuda.device_count()} GPUs are visible; training uses the first")
    for line in said:
        listeners.say(line)
    settings = settings.model_copy(update={"max_length": length, "stride": stride})
    record = RunRecord(
        backbone=backbone.name,
        backbone_version=backbone.version,
        settings=settings,
        data=tuple(_data_file(dataset) for dataset in data),
        valid=_data_file(valid) if valid else None,
        answer_lengths=_answer_lengths(data),
        versions={"kit": __version__, "torch": torch.__version__, "transformers": transformers.__version__},
        device=f"{device.name}, {device.precision}",
    )
    kept = _continue_or_refuse(folder, record)
    if kept is not None and FULL in kept.folds:
        listeners.say(f"{folder}: already trained with these settings on these data")
        return open_run(folder)
    checkpoints = folder / FULL / _CHECKPOINTS
    start_from = latest_complete(checkpoints)
    if start_from is not None and not resume:
        raise ConfigError(
            f"{folder}: holds an unfinished training ({start_from.name}); go on with --resume, or delete it"
        )
    train_questions, held_out = _split(data, valid, settings)
    for line in inspect_tokenizer(backbone, train_questions).remarks():
        listeners.say(line)
    if kept is None:
        write_run(folder, record)
    trained = _train(
        backbone, train_questions, held_out, settings, device, folder / FULL, start_from, report_to, listeners
    )
    write_run(folder, record.model_copy(update={"folds": {FULL: trained}}))
    shutil.rmtree(checkpoints, ignore_errors=True)
    return open_run(folder)


def _continue_or_refuse(folder: Path, record: RunRecord) -> RunRecord | None:
    kept = read_run(folder)
    if kept is None:
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"{folder}: is a file; choose another --run")
        if folder.exists() and any(folder.iterdir()):
            raise ConfigError(f"{folder}: holds other files and no run.json; choose another --run")
        return None
    if mismatch := differences(kept, record):
        raise ConfigError(
            f"{folder}: is another run: {'; '.join(mismatch)}; choose another --run, or the same settings"
        )
    return kept


def _split(
    data: Sequence[Dataset], valid: Dataset | None, settings: TrainingSettings
) -> tuple[list[Question], list[Question]]:
    """Training and held-out questions; --limit cuts the training questions after the split."""
    questions = [question for dataset in data for question in dataset if question.answers is not None]
    if valid is not None:
        held_out = [question for question in valid if question.answers is not None]
    else:
        held = holdout(questions, share=HOLDOUT, seed=settings.seed)
        held_out = [question for question, out in zip(questions, held, strict=True) if out]
        questions = [question for question, out in zip(questions, held, strict=True) if not out]
    questions = questions[: settings.limit]
    if not questions or not held_out:
        raise DataError(
            f"{data[0].path}: {len(questions)} questions to train on and {len(held_out)} held out; both are "
            "needed: give more data, or a file of its own with --valid"
        )
    return questions, held_out


def _train(
    backbone: Backbone,
    questions: list[Question],
    held_out: list[Question],
    settings: TrainingSettings,
    device: Device,
    folder: Path,
    start_from: Path | None,
    report_to: Sequence[str],
    listeners: Listeners,
) -> FoldRecord:
    began = time.monotonic()
    transformers.utils.logging.disable_progress_bar()  # ours is the only one
    set_seed(settings.seed)  # the fresh head and dropout
    model = load_weights(backbone, head_needed=False)
    windows = make_windows(backbone, questions, max_length=settings.max_length, stride=settings.stride)
    labels = label_windows(windows, questions, settings.targets)
    if windows.cut_questions:
        listeners.say(f"{windows.cut_questions} questions are longer than a window allows and were cut")
    if labels.unplaced:
        listeners.say(f"{labels.unplaced} gold answers are nothing but white space and teach nothing")
    collator = SpanCollator(windows, labels, backbone.pad_id)
    sampler = LengthGroupedSampler(windows.lengths, settings.batch_size, settings.seed)
    steps = steps_of(len(windows), settings.batch_size, settings.epochs)
    steps_an_epoch = steps_of(len(windows), settings.batch_size, 1)

    expected = forecast(model, collator, sampler, settings, device, folder, len(held_out))
    listeners.forecast(expected)
    expected.refuse_if_disk_is_short()

    trainer = SpanTrainer(
        model,
        _arguments(settings, device, folder / _CHECKPOINTS, steps, steps_an_epoch, report_to),
        WindowDataset(windows),
        collator,
        sampler,
        lambda current: _evaluate(current, backbone, held_out, device, settings),
        [CheckpointMarks(), *listeners.callbacks],
    )
    trainer.remove_callback(transformers.ProgressCallback)
    trainer.remove_callback(transformers.PrinterCallback)
    with saying_when_the_disk_is_full(folder):
        trainer.train(resume_from_checkpoint=str(start_from) if start_from else None)

    def save(temporary: Path) -> None:
        # not trainer.save_model, which adds a pickle of its arguments
        trainer.accelerator.unwrap_model(trainer.model).save_pretrained(temporary)
        backbone.tokenizer.save_pretrained(temporary)

    replacing_folder(folder, save)
    history = [entry for entry in trainer.state.log_history if "eval_edit" in entry]
    best = min(history, key=lambda entry: entry["eval_edit"])
    names = {name: name.removeprefix("eval_") for name in best if name.startswith("eval_")}
    return FoldRecord(
        held_out=len(held_out),
        steps=trainer.state.global_step,
        seconds=round(time.monotonic() - began, 1),
        windows=len(windows),
        weights_sha256=sha256_file(weights_file(folder)),
        metrics={short: float(best[name]) for name, short in names.items()},
        history=tuple(
            {"step": float(entry["step"]), **{short: float(entry[name]) for name, short in names.items()}}
            for entry in history
        ),
    )


def _arguments(
    settings: TrainingSettings,
    device: Device,
    output: Path,
    steps: int,
    steps_an_epoch: int,
    report_to: Sequence[str],
) -> TrainingArguments:
    every = max(steps_an_epoch // settings.evaluations, 1)
    arguments = TrainingArguments(
        output_dir=str(output),
        per_device_train_batch_size=settings.micro_batch_size,
        gradient_accumulation_steps=settings.accumulation_steps,
        max_steps=steps,
        learning_rate=settings.lr,
        lr_scheduler_type=settings.schedule,
        warmup_steps=round(steps * settings.warmup),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        optim="adamw_torch_fused" if device.torch.type == "cuda" else "adamw_torch",
        bf16=device.precision == "bf16",
        fp16=device.precision == "fp16",
        use_cpu=device.torch.type == "cpu",
        seed=settings.seed,
        data_seed=settings.seed,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="edit",
        greater_is_better=False,
        logging_steps=max(steps_an_epoch // _LOGS_AN_EPOCH, 1),
        logging_nan_inf_filter=False,
        report_to=list(report_to) or "none",
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=True,
        dataloader_pin_memory=device.torch.type == "cuda",
        restore_callback_states_from_checkpoint=True,
    )
    if arguments.n_gpu > 1:
        # Trainer would wrap the model in DataParallel, which multiplies the effective batch unasked.
        arguments._n_gpu = 1
    return arguments


def _evaluate(
    model: torch.nn.Module,
    backbone: Backbone,
    held_out: Sequence[Question],
    device: Device,
    settings: TrainingSettings,
) -> dict[str, float]:
    """Edit Score through the real decoder; ``blank_edit`` is what empty answers would get."""
    parts = score_questions(
        model, backbone, held_out, device,
        max_length=settings.max_length, stride=settings.stride, provenance=_NOWHERE,
    )  # fmt: skip
    answers = argmax_answers(joined(list(parts), _NOWHERE), held_out)
    golds = [question.golds for question in held_out]
    distances = edit_distances(answers, golds)
    blanks = edit_distances([""] * len(held_out), golds)
    return {
        "edit": float(distances.mean()),
        "exact": float(np.mean(distances == 0)),
        "blank_edit": float(blanks.mean()),
    }


_NOWHERE = Provenance("", "", "", "", 0, 0, __version__)


def _data_file(dataset: Dataset) -> DataFile:
    return DataFile(name=dataset.path.name, sha256=dataset.sha256, questions=len(dataset))


def _answer_lengths(data: Sequence[Dataset]) -> dict[str, int]:
    """Gold lengths in characters: what the length prior of later stages is made from."""
    counts = Counter(
        len(answer.text) for dataset in data for question in dataset for answer in question.answers or ()
    )
    return {str(length): counts[length] for length in sorted(counts)}
