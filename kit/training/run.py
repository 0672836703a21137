"""Training a run: its record and folds, one model after the other, their out-of-fold scores."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers

from kit.data.records import Dataset
from kit.errors import ConfigError
from kit.files import locked
from kit.modeling.backbones import Backbone, attention_dropout, load_weights, open_backbone
from kit.modeling.devices import Device, choose_device, emulates_bf16
from kit.modeling.distributed import Processes, join_processes
from kit.modeling.probe import batching_of
from kit.modeling.token_cache import KnownTokens, known_tokens
from kit.modeling.tokenizer_checks import clamp_lengths, clamped, inspect_tokenizer
from kit.settings.folds import FoldPlan
from kit.settings.mixture import Mixture
from kit.settings.runs import (
    FULL,
    BeforeRecord,
    FoldRecord,
    RunRecord,
    SourceScore,
    add_fold,
    read_run,
)
from kit.settings.training import TrainingSettings
from kit.spans.out_of_fold import assemble, has_share
from kit.spans.run_folder import Run, open_run
from kit.training.checkpoints import CHECKPOINTS
from kit.training.evaluate import score_out_of_fold
from kit.training.fit import Callbacks, Job, fit
from kit.training.mixture import Sources
from kit.training.run_setup import (
    LOGS,
    answer_lengths,
    begin,
    continue_or_refuse,
    data_file,
    model_folder,
    refuse_unfinished,
    withdrawn_if_nothing_is_kept,
)
from kit.training.splits import Part, fold_part, whole
from kit.training.trackers import prepare_trackers
from kit.training.trial import longest_window, try_training
from kit.version import __version__


@dataclass(frozen=True, slots=True)
class _Training:
    """What the models of one run share."""

    backbone: Backbone
    data: Sequence[Dataset]
    valid: Dataset | None
    sources: Sources
    settings: TrainingSettings
    record: RunRecord
    plan: FoldPlan | None
    device: Device
    processes: Processes
    folder: Path
    report_to: Sequence[str]
    callbacks: Callbacks
    tokens_of: KnownTokens | None = None

    def part(self, name: str) -> Part:
        if self.plan is None:
            return whole(self.data, self.valid, self.settings)
        return fold_part(self.data, self.plan, int(name), self.settings)

    def model_folder(self, name: str) -> Path:
        return model_folder(self.folder, name)


def train_run(
    reference: str,
    data: Sequence[Dataset],
    folder: Path,
    settings: TrainingSettings,
    *,
    valid: Dataset | None = None,
    mixture: Mixture | None = None,
    before: BeforeRecord | None = None,
    learn_before: Callable[[], Path] | None = None,
    before_only: bool = False,
    folds: Sequence[int] | None = None,
    resume: bool = False,
    report_to: Sequence[str] = (),
    trust_remote_code: bool = False,
    callbacks: Callbacks | None = None,
) -> Run:
    """Train *reference* on *data* into *folder* and return the run.

    With ``settings.folds``, one model a fold (or only those of *folds*), and the out-of-fold scores
    of each fold's own questions as soon as it ends.  Otherwise one model; without *valid*, a seeded tenth of
    the questions is held out, whole groups of related contexts, and chooses the best checkpoint.

    *mixture*: how several data files are mixed.  *before* is what is learned first: *learn_before* does it,
    called only where something is left to train, and returns the folder of the weights to begin with; with
    *before_only* nothing else is trained, and the run that it made is returned.

    A finished run or fold with the same settings and data is not trained again.  Raises ConfigError
    where the folder holds another run, or an unfinished one and *resume* is not given; LockError
    where another process trains the same model.  A training that fails before anything of it is kept leaves
    no run behind.
    """
    callbacks = callbacks or Callbacks()
    processes = join_processes()
    if not processes.first:
        callbacks = Callbacks()
    settings = _shared_out(settings, processes)
    prepare_trackers(report_to, folder / LOGS)
    device = choose_device(settings.precision)
    backbone = open_backbone(reference, trust_remote_code=trust_remote_code)
    length, stride, said = clamp_lengths(backbone, settings.max_length, settings.stride)
    said += _remarks(backbone, settings, device, processes)
    for line in said:
        callbacks.say(line)
    settings = settings.model_copy(update={"max_length": length, "stride": stride})
    begun = read_run(folder)
    if begun is not None and begun.settings.max_length < length:  # perhaps by a trial
        settings = _within(longest_window(backbone, length), settings, backbone, callbacks)
    record = RunRecord(
        backbone=backbone.name,
        backbone_version=backbone.version,
        settings=settings,
        data=tuple(data_file(dataset) for dataset in data),
        valid=data_file(valid) if valid else None,
        mixture=mixture or Mixture(),
        before=before,
        answer_lengths=answer_lengths(data),
        versions={"kit": __version__, "torch": torch.__version__, "transformers": transformers.__version__},
        device=f"{device.name}, {device.precision}",
    )
    with locked(folder):
        kept = continue_or_refuse(folder, record) or record
    names = [FULL] if settings.folds is None else [str(fold) for fold in folds or range(settings.folds)]
    wanted = [name for name in names if name not in kept.folds]
    for name in names:
        if name in kept.folds:
            which = "" if name == FULL else f" fold {name}:"
            callbacks.say(f"{folder}:{which} already trained with these settings on these data")
    if processes.first:
        for name in kept.folds:  # of a process that was killed when the record was written
            shutil.rmtree(model_folder(folder, name) / CHECKPOINTS, ignore_errors=True)
    if not resume:
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
        if learn_before is not None and wanted:
            begin_with = learn_before()
            if before_only:
                return open_run(begin_with.parent)
            backbone = dataclasses.replace(backbone, location=str(begin_with))
        training = _Training(
            backbone, data, valid, sources, settings, record, plan, device, processes, folder, report_to,
            callbacks,
        )  # fmt: skip
        asked = [question for dataset in data for question in dataset]
        report = inspect_tokenizer(backbone, asked, allow_unknown=settings.allow_unknown)
        for line in report.remarks():
            callbacks.say(line)
        if wanted:
            # A training on a few of many questions does not wait for the tokens of the others.
            everything = [*data, valid] if valid else data
            tokens_of = known_tokens(backbone, everything, make=settings.limit is None)
            training = dataclasses.replace(training, tokens_of=tokens_of)
        for name in names:
            if name in wanted:
                if len(names) > 1:
                    callbacks.say(f"fold {name} of {settings.folds}:")
                _train_one(training, name)
            elif plan is not None:
                _mend_out_of_fold(training, name)
        if plan is not None and processes.first:
            _assemble(training, plan)
        processes.wait()
        return open_run(folder)


def _train_one(training: _Training, name: str) -> None:
    folder = training.model_folder(name)
    job = Job(
        training.backbone, training.part(name), training.sources, training.settings, training.device,
        training.processes, folder, training.report_to, training.callbacks, training.tokens_of,
    )  # fmt: skip
    if not training.processes.first:
        _finish(training, job, name)
        return
    with locked(folder, wait=False):
        # Another process that failed may have withdrawn the run before this one held its lock.
        begin(training.folder, training.record, training.data, Processes())
        record = _finish(training, job, name)
        add_fold(training.folder, name, record)
        # Only now: until the record is written, a killed training goes on from here.
        shutil.rmtree(job.checkpoints, ignore_errors=True)


def _finish(training: _Training, job: Job, name: str) -> FoldRecord:
    """Fit one model and, for a fold, score the questions it did not learn from."""
    model, record = fit(job)
    if not job.part.test:
        return record
    each = _score_out_of_fold(training, job.part, name, model, record.weights_sha256)
    return record.model_copy(update=training.sources.recorded(each))


def _score_out_of_fold(
    training: _Training, part: Part, name: str, model: torch.nn.Module, weights_sha256: str
) -> list[SourceScore]:
    return score_out_of_fold(
        model, training.backbone, training.data, part.test, training.device, training.settings,
        training.processes, folder=training.folder, fold=name, weights_sha256=weights_sha256,
        tokens_of=training.tokens_of,
    )  # fmt: skip


def _mend_out_of_fold(training: _Training, name: str) -> None:
    """Score a finished fold's questions again where their scores were lost."""
    record = read_run(training.folder)
    assert record is not None
    if all(has_share(training.folder, record, dataset, name) for dataset in training.data):
        return
    training.callbacks.say(f"fold {name}: its out-of-fold scores are gone; made again by its model")
    trusted = training.backbone.loading["trust_remote_code"]
    kept = open_backbone(str(training.model_folder(name)), trust_remote_code=trusted)
    model = load_weights(kept, head_needed=True)
    batching_of(model, kept, training.settings.max_length)  # before a GPU rounds
    model.to(training.device.torch)
    _score_out_of_fold(training, training.part(name), name, model, record.folds[name].weights_sha256)


def _assemble(training: _Training, plan: FoldPlan) -> None:
    with locked(training.folder):  # folds may end at the same time on several devices
        record = read_run(training.folder)
        assert record is not None
        for dataset in training.data:
            assemble(training.folder, record, plan, dataset)


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
    if length == settings.max_length:
        return settings
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
