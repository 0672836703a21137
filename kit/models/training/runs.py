"""Training a run: its record and folds, one model after the other, their out-of-fold scores."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers

from kit.config.folds import FoldPlan, read_plan, write_plan
from kit.config.runs import FULL, DataFile, FoldRecord, RunRecord, add_fold, differences, read_run, write_run
from kit.config.training import TrainingSettings
from kit.data.records import Dataset
from kit.errors import ConfigError
from kit.files import is_temporary, locked
from kit.models.backbones import Backbone, attention_dropout, load_weights, open_backbone
from kit.models.devices import Device, choose_device
from kit.models.guards import clamp_lengths, inspect_tokenizer
from kit.models.processes import Processes, join_processes
from kit.models.training.checkpoints import latest_complete
from kit.models.training.fitting import Job, Listeners, fit
from kit.models.training.held_out import score_out_of_fold
from kit.models.training.parts import Part, fold_part, make_plan, whole
from kit.models.training.tracking import prepare_trackers
from kit.spans.members import Run, open_run
from kit.spans.out_of_fold import assemble, has_share
from kit.version import __version__


@dataclass(frozen=True, slots=True)
class _Training:
    """What the models of one run share."""

    backbone: Backbone
    data: Sequence[Dataset]
    valid: Dataset | None
    settings: TrainingSettings
    plan: FoldPlan | None
    device: Device
    processes: Processes
    folder: Path
    report_to: Sequence[str]
    listeners: Listeners

    def part(self, name: str) -> Part:
        if self.plan is None:
            return whole(self.data, self.valid, self.settings)
        return fold_part(self.data, self.plan, int(name), self.settings)

    def model_folder(self, name: str) -> Path:
        return _model_folder(self.folder, name)


def train_run(
    reference: str,
    data: Sequence[Dataset],
    folder: Path,
    settings: TrainingSettings,
    *,
    valid: Dataset | None = None,
    folds: Sequence[int] | None = None,
    resume: bool = False,
    report_to: Sequence[str] = (),
    trust_remote_code: bool = False,
    listeners: Listeners | None = None,
) -> Run:
    """Train *reference* on *data* into *folder* and return the run.

    With ``settings.folds``, one model a fold (or only those of *folds*), and the out-of-fold scores
    of each fold's own questions as soon as it ends.  Otherwise one model; without *valid*, a seeded tenth of
    the questions is held out, whole groups of related contexts, and chooses the best checkpoint.

    A finished run or fold with the same settings and data is not trained again.  Raises ConfigError
    where the folder holds another run, or an unfinished one and *resume* is not given; LockError
    where another process trains the same model.
    """
    listeners = listeners or Listeners()
    processes = join_processes()
    if not processes.first:
        listeners = Listeners()
    settings = _shared_out(settings, processes)
    prepare_trackers(report_to, folder / "logs")
    device = choose_device(settings.precision)
    backbone = open_backbone(reference, trust_remote_code=trust_remote_code)
    length, stride, said = clamp_lengths(backbone, settings.max_length, settings.stride)
    said += _remarks(backbone, settings, device, processes)
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
    with locked(folder):
        kept = _continue_or_refuse(folder, record) or record
    names = [FULL] if settings.folds is None else [str(fold) for fold in folds or range(settings.folds)]
    wanted = [name for name in names if name not in kept.folds]
    for name in names:
        if name in kept.folds:
            which = "" if name == FULL else f" fold {name}:"
            listeners.say(f"{folder}:{which} already trained with these settings on these data")
    if processes.first:
        for name in kept.folds:  # of a process that was killed when the record was written
            shutil.rmtree(_model_folder(folder, name) / "checkpoints", ignore_errors=True)
    if not resume:
        _refuse_unfinished(folder, wanted, processes)
    plan = _begin(folder, record, data, processes)
    training = _Training(
        backbone, data, valid, settings, plan, device, processes, folder, report_to, listeners
    )
    for line in inspect_tokenizer(backbone, [question for dataset in data for question in dataset]).remarks():
        listeners.say(line)
    for name in names:
        if name in wanted:
            if len(names) > 1:
                listeners.say(f"fold {name} of {settings.folds}:")
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
        training.backbone, training.part(name), training.settings, training.device, training.processes,
        folder, training.report_to, training.listeners,
    )  # fmt: skip
    if not training.processes.first:
        _finish(training, job, name)
        return
    with locked(folder, wait=False):
        record = _finish(training, job, name)
        add_fold(training.folder, name, record)
        # Only now: until the record is written, a killed training goes on from here.
        shutil.rmtree(job.checkpoints, ignore_errors=True)


def _finish(training: _Training, job: Job, name: str) -> FoldRecord:
    """Fit one model and, for a fold, score the questions it did not learn from."""
    model, record = fit(job)
    if not job.part.held_out:
        return record
    metrics = _score_out_of_fold(training, job.part, name, model, record.weights_sha256)
    return record.model_copy(update={"metrics": metrics, "held_out": len(job.part.held_out)})


def _score_out_of_fold(
    training: _Training, part: Part, name: str, model: torch.nn.Module, weights_sha256: str
) -> dict[str, float]:
    return score_out_of_fold(
        model, training.backbone, training.data, part.held_out, training.device, training.settings,
        training.processes, folder=training.folder, fold=name, weights_sha256=weights_sha256,
    )  # fmt: skip


def _mend_out_of_fold(training: _Training, name: str) -> None:
    """Score a finished fold's questions again where their scores were lost."""
    record = read_run(training.folder)
    assert record is not None
    if all(has_share(training.folder, record, dataset, name) for dataset in training.data):
        return
    training.listeners.say(f"fold {name}: its out-of-fold scores are gone; made again by its model")
    kept = open_backbone(str(training.model_folder(name)))
    model = load_weights(kept, head_needed=True).to(training.device.torch)
    _score_out_of_fold(training, training.part(name), name, model, record.folds[name].weights_sha256)


def _assemble(training: _Training, plan: FoldPlan) -> None:
    with locked(training.folder):  # folds may end at the same time on several devices
        record = read_run(training.folder)
        assert record is not None
        for dataset in training.data:
            assemble(training.folder, record, plan, dataset)


def _begin(folder: Path, record: RunRecord, data: Sequence[Dataset], processes: Processes) -> FoldPlan | None:
    """Write the record and the folds of a new run; returns the folds, as the run has them."""
    if processes.first:
        with locked(folder):
            if read_run(folder) is None:
                write_run(folder, record)
            if record.settings.folds is not None and read_plan(folder) is None:
                write_plan(folder, make_plan(data, record.settings))
    processes.wait()
    plan = read_plan(folder)
    if plan is None:
        return None
    for dataset in data:
        own = plan.fold_of(dataset.sha256)
        if own is None or len(own) != len(dataset):
            raise ConfigError(
                f"{folder / 'folds.json'}: does not have the folds of {dataset.path}; choose another --run"
            )
    return plan


def _model_folder(folder: Path, name: str) -> Path:
    return folder / (FULL if name == FULL else f"fold-{name}")


def _continue_or_refuse(folder: Path, record: RunRecord) -> RunRecord | None:
    kept = read_run(folder)
    if kept is None:
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"{folder}: is a file; choose another --run")
        if folder.exists() and not all(map(is_temporary, folder.iterdir())):
            raise ConfigError(f"{folder}: holds other files and no run.json; choose another --run")
        return None
    if mismatch := differences(kept, record):
        raise ConfigError(
            f"{folder}: is another run: {'; '.join(mismatch)}; choose another --run, or the same settings"
        )
    return kept


def _refuse_unfinished(folder: Path, names: Sequence[str], processes: Processes) -> None:
    for name in names:
        below = _model_folder(folder, name) / "checkpoints"
        if (found := latest_complete(below)) is not None:
            if processes.first:
                with locked(below.parent, wait=False):  # one that is being trained is not to be gone on with
                    pass
            raise ConfigError(
                f"{folder}: holds an unfinished training ({found.relative_to(folder)}); go on with --resume, "
                "or delete it"
            )


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
    if processes.size > 1:
        said.append(
            f"{processes.size} processes share each batch of {settings.batch_size} in micro-batches of "
            f"{settings.micro_batch_size}"
        )
    elif torch.cuda.device_count() > 1:
        said.append(f"{torch.cuda.device_count()} GPUs are visible; training uses the first")
    return said


def _data_file(dataset: Dataset) -> DataFile:
    return DataFile(name=dataset.path.name, sha256=dataset.sha256, questions=len(dataset))


def _answer_lengths(data: Sequence[Dataset]) -> dict[str, int]:
    """Gold lengths in characters: what the length prior of later stages is made from."""
    counts = Counter(
        len(answer.text) for dataset in data for question in dataset for answer in question.answers or ()
    )
    return {str(length): counts[length] for length in sorted(counts)}
