"""Training a run: its record and folds, one model after the other, their out-of-fold scores."""

from __future__ import annotations

import dataclasses
import shutil
import time
from typing import TYPE_CHECKING

import torch
import transformers

from kit.data.records import Dataset
from kit.errors import ConfigError
from kit.files import locked
from kit.modeling.backbones import Backbone, attention_dropout, load_weights, open_backbone
from kit.modeling.devices import Device, choose_device, emulates_bf16
from kit.modeling.distributed import Processes, join_processes
from kit.modeling.probe import batching_of
from kit.modeling.token_cache import known_tokens
from kit.modeling.tokenizer_checks import clamped, inspect_tokenizer
from kit.settings.folds import FoldPlan
from kit.settings.job import Job
from kit.settings.runs import FULL, FoldRecord, RunRecord, add_fold, read_run
from kit.settings.training import TrainingSettings
from kit.spans.lengths import answer_lengths
from kit.spans.out_of_fold import assemble, has_share
from kit.spans.run_folder import Run, open_run
from kit.training.callbacks import Callbacks
from kit.training.checkpoints import CHECKPOINTS
from kit.training.evaluate import score_out_of_fold
from kit.training.fit import fit
from kit.training.mixture import Sources
from kit.training.run_setup import (
    LOGS,
    Training,
    begin,
    continue_or_refuse,
    data_file,
    model_folder,
    refuse_unfinished,
    withdrawn_if_nothing_is_kept,
)
from kit.training.splits import limited
from kit.training.time_limit import TimeLimit, allows_another, left_out
from kit.training.trackers import prepare_trackers
from kit.training.trial import longest_window, try_training
from kit.version import __version__

if TYPE_CHECKING:
    from kit.training.stages import FirstStage


def train_run(job: Job[Dataset], callbacks: Callbacks | None = None, first: FirstStage | None = None) -> Run:
    """Train what *job* asks for and return the run.

    With ``settings.folds``, one model for each fold (or only those of the job), and the out-of-fold scores
    of each fold's own questions as soon as it ends.  Otherwise one model; without a held-out file, a seeded
    tenth of the questions is held out, whole groups of related contexts, and chooses the best checkpoint.

    *first* is what is trained first, only where something is left to train; with ``before_only`` nothing else
    is trained, and its run is returned.

    A finished run or fold with the same settings and data is not trained again.  Raises ConfigError
    where the folder holds another run, or an unfinished one without ``resume``; LockError
    where another process trains the same model.  A training that fails before anything of it is kept leaves
    no run behind.
    """
    callbacks = callbacks or Callbacks()
    processes = join_processes()
    if not processes.first:
        callbacks = Callbacks()
    job, time_limit = limited(job), TimeLimit.of(job.options.hours)
    data, valid, folder, options = job.data, job.valid, job.run, job.options
    settings = _shared_out(job.settings, processes)
    prepare_trackers(options.report_to, folder / LOGS)
    device = choose_device(settings.precision)
    backbone = open_backbone(job.backbone, trust_remote_code=options.trust_remote_code)
    settings = _within(backbone.limits.positions, settings, backbone, callbacks)
    for line in _remarks(backbone, settings, device, processes):
        callbacks.say(line)
    begun = read_run(folder)
    if begun is not None and begun.settings.max_length < settings.max_length:  # perhaps by a trial
        settings = _within(longest_window(backbone, settings.max_length), settings, backbone, callbacks)
    lengths = answer_lengths(question for dataset in data for question in dataset)
    record = RunRecord(
        backbone=backbone.name,
        backbone_version=backbone.version,
        settings=settings,
        data=tuple(data_file(dataset) for dataset in data),
        valid=data_file(valid) if valid else None,
        mixture=job.mixture,
        before=first.record if first else None,
        answer_lengths={str(length): count for length, count in sorted(lengths.items())},
        versions={"kit": __version__, "torch": torch.__version__, "transformers": transformers.__version__},
        device=f"{device.name}, {device.precision}",
    )
    with locked(folder):
        kept = continue_or_refuse(folder, record) or record
    names = [FULL] if settings.folds is None else [str(fold) for fold in job.folds or range(settings.folds)]
    wanted = [name for name in names if name not in kept.folds]
    for name in names:
        if name in kept.folds:
            which = "" if name == FULL else f" fold {name}:"
            callbacks.say(f"{folder}:{which} already trained with these settings on these data")
    if processes.first:
        for name in kept.folds:  # of a process that was killed when the record was written
            shutil.rmtree(model_folder(folder, name) / CHECKPOINTS, ignore_errors=True)
    if not options.resume:
        refuse_unfinished(folder, wanted, processes)
    if wanted:  # before anything is written
        trial = try_training(backbone, settings, device, folder if processes.first else None)
        settings = _within(trial.max_length, settings, backbone, callbacks)
        for line in trial.batching.remarks(backbone.name):
            callbacks.say(line)
        record = record.model_copy(update={"settings": settings})
    with withdrawn_if_nothing_is_kept(folder, processes):
        plan = begin(folder, record, data, processes)
        sources = Sources.of(data, record.mixture, valid)
        sources.refuse_unjudged(plan, data)
        if first is not None and wanted:
            begin_with = first.learn()
            if options.before_only:
                return open_run(begin_with.parent)
            backbone = dataclasses.replace(backbone, location=str(begin_with))
        asked = [question for dataset in data for question in dataset]
        report = inspect_tokenizer(backbone, asked, allow_unknown=settings.allow_unknown)
        for line in report.remarks():
            callbacks.say(line)
        tokens_of = known_tokens(backbone, [*data, valid] if valid else data) if wanted else None
        training = Training(
            job.asking(settings), backbone, sources, record, plan, device, processes, callbacks,
            tokens_of, time_limit,
        )  # fmt: skip
        in_time = True
        for name in names:
            if name in wanted:
                kept = read_run(folder) or record
                if not allows_another(time_limit, kept, model_folder(folder, name), training.agreed):
                    in_time = False
                    continue
                training = dataclasses.replace(training, models_left=len(wanted) - wanted.index(name))
                if len(names) > 1:
                    callbacks.say(f"fold {name} of {settings.folds}:")
                _train_one(training, name)
            elif plan is not None:
                _mend_out_of_fold(training, name)
        if time_limit is not None and not in_time:
            callbacks.say(left_out(time_limit, kept))
        if plan is not None and processes.first:
            _assemble(training, plan)
        processes.wait()
        return open_run(folder)


def _train_one(training: Training, name: str) -> None:
    folder = model_folder(training.job.run, name)
    if not training.processes.first:
        _finish(training, name)
        return
    with locked(folder, wait=False):
        # Another process that failed may have withdrawn the run before this one held its lock.
        begin(training.job.run, training.record, training.job.data, Processes())
        record = _finish(training, name)
        add_fold(training.job.run, name, record)
        # Only now: until the record is written, a killed training resumes from here.
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)


def _finish(training: Training, name: str) -> FoldRecord:
    """Fit one model and, for a fold, score the questions it did not learn from."""
    part = training.part(name)
    model, record = fit(training, part, model_folder(training.job.run, name))
    if not part.test:
        return record
    began = time.monotonic()
    each = score_out_of_fold(training, model, part, record.weights_sha256)
    seconds = round(record.seconds + time.monotonic() - began, 1)
    return record.model_copy(update={**training.sources.recorded(each), "seconds": seconds})


def _mend_out_of_fold(training: Training, name: str) -> None:
    """Score a finished fold's questions again where their scores were lost."""
    record = read_run(training.job.run)
    assert record is not None
    if all(has_share(training.job.run, record, dataset, name) for dataset in training.job.data):
        return
    training.callbacks.say(
        f"fold {name}: out-of-fold scores are missing; recomputing them from the saved model"
    )
    trusted = training.backbone.loading["trust_remote_code"]
    kept = open_backbone(str(model_folder(training.job.run, name)), trust_remote_code=trusted)
    model = load_weights(kept, head_needed=True)
    batching_of(model, kept, training.settings.max_length)  # before a GPU rounds
    model.to(training.device.torch)
    score_out_of_fold(training, model, training.part(name), record.folds[name].weights_sha256)


def _assemble(training: Training, plan: FoldPlan) -> None:
    with locked(training.job.run):  # folds may end at the same time on several devices
        record = read_run(training.job.run)
        assert record is not None
        for dataset in training.job.data:
            assemble(training.job.run, record, plan, dataset)


def _shared_out(settings: TrainingSettings, processes: Processes) -> TrainingSettings:
    """A micro-batch that shares the effective batch evenly between the processes."""
    if settings.batch_size % processes.size:
        raise ConfigError(
            f"--batch-size {settings.batch_size} cannot be shared by {processes.size} processes; choose a "
            f"multiple of {processes.size}"
        )
    a_process = settings.batch_size // processes.size
    fitting = [size for size in range(1, settings.micro_batch_size + 1) if a_process % size == 0]
    return settings.model_copy(update={"micro_batch_size": max(fitting)})


def _within(
    length: int, settings: TrainingSettings, backbone: Backbone, callbacks: Callbacks
) -> TrainingSettings:
    """*settings* with windows of at most *length* tokens, the longest that work."""
    length, stride, said = clamped(backbone.name, length, settings.max_length, settings.stride)
    for line in said:
        callbacks.say(line)
    return settings.model_copy(update={"max_length": length, "stride": stride})


def _remarks(
    backbone: Backbone, settings: TrainingSettings, device: Device, processes: Processes
) -> list[str]:
    """What a user should know about how this device will train this backbone."""
    said = []
    dropout = attention_dropout(backbone.config)
    if settings.attention_dropout is not None and dropout is None:
        said.append(
            f"{backbone.name}: its config has no dropout on attention; --attention-dropout does nothing"
        )
    elif device.torch.type == "cpu" and settings.attention_dropout is None and dropout and dropout[1] > 0:
        said.append(
            f"{backbone.name} drops attention weights ({dropout[0]} {dropout[1]:g}), which keeps a CPU "
            "from its fast attention; --attention-dropout 0 trains about twice as fast here"
        )
    if device.torch.type == "cpu" and device.precision == "bf16" and emulates_bf16():
        said.append(
            "this CPU only emulates bf16 (neither avx512_bf16 nor amx_bf16), several times as slow as fp32; "
            "--precision fp32 trains sooner here"
        )
    if processes.size > 1:
        said.append(
            f"{processes.size} processes share each batch of {settings.batch_size} in {settings.at_once}"
        )
    elif torch.cuda.device_count() > 1:
        said.append(f"{torch.cuda.device_count()} GPUs are visible; training uses the first")
    return said
