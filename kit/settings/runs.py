"""``run.json``: how a run was made and what it scored, readable without any model library."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

from pydantic import Field

from kit.display import BLANK, EDIT, Brief, Displayed, Table, duration, edit, share
from kit.errors import ConfigError, counted
from kit.files import locked
from kit.settings.mixture import Mixture
from kit.settings.training import EXECUTION_ONLY, TrainingSettings
from kit.settings.validation import Settings, Sha256, read_record, write_record

RUN_FILE = "run.json"
FULL = "full"
BEFORE = "before"
"""The run inside a run that learns the outside data first."""
FoldName = Annotated[str, Field(pattern=r"^(full|0|[1-9][0-9]{0,8})$")]
Length = Annotated[str, Field(pattern=r"^[0-9]{1,9}$")]


PLAIN_DECODING = "argmax with no length prior, cap 60"
"""How answers were decoded for records that do not say it: by versions up to 0.1."""


class DataFile(Settings):
    """One training or validation file: its name (never its full path), SHA-256 and questions."""

    name: str
    sha256: Sha256
    questions: Annotated[int, Field(ge=0)]
    """Those that the run used: with ``limit`` the first ones of the file."""


class SourceScore(Settings):
    """What a model scored on the held-out questions of one of several data files."""

    held_out: int
    metrics: dict[str, float]

    @property
    def cells(self) -> tuple[str, ...]:
        """The score, that of empty answers, and what they are of."""
        found = self.metrics
        scores = edit(found.get("edit")), edit(found.get("blank_edit")), share(found.get("exact"))
        return (*scores, f"{self.held_out:,}")


class BeforeRecord(Settings):
    """What was learned before the data: whole files, of which ``questions`` were used, and how."""

    data: Annotated[tuple[DataFile, ...], Field(strict=False)]
    left_out: Annotated[int, Field(ge=0)]
    """Questions about what the data (or --valid) ask too."""
    epochs: float
    lr: float

    def __str__(self) -> str:
        files = " ".join(
            f"{file.name} ({file.sha256[:8]}, {counted(file.questions, 'question')})" for file in self.data
        )
        return f"--before {files} --before-epochs {self.epochs:g} --before-lr {self.lr:g}"


MODEL_COLUMNS = ("model", EDIT, BLANK, "equal to gold", "questions held out", "steps", "time")


class FoldRecord(Brief, Settings):
    """One trained model of the run: ``full``, or fold K of several."""

    held_out: int
    """Questions it was evaluated on: for a fold those of the fold, on which nothing was chosen."""
    steps: int
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    windows: int
    weights_sha256: str
    """Of model.safetensors (and joint.safetensors), hex: ties span files to the model that made them."""
    metrics: dict[str, float]
    """``edit``, ``exact``, ``blank_edit``: on the held-out questions (of --judge), of the kept checkpoint."""
    decoding: str = PLAIN_DECODING
    """How the answers behind the metrics were decoded; by default as versions before this field did."""
    kept_step: int = 0
    """The optimizer step of the kept checkpoint."""
    averaged: int = 0
    """How many weights the kept ones are the average of; 0 where they are a checkpoint's."""
    chosen_on: int = 0
    """Questions the kept checkpoint was chosen on; 0 where the last one is kept, whatever it scores."""
    micro_batch_size: int = 0
    """As it ended: a device short of memory gets smaller ones than were asked for."""
    token_budget: int | None = None
    """As it ended, where it decided the micro-batches in place of their size."""
    processes: int = 1
    device: str = ""
    peak_bytes: int = 0
    """Most memory in use during this training: of the GPU, or of the process on a CPU."""
    history: Annotated[tuple[dict[str, float], ...], Field(strict=False)] = ()
    losses: Annotated[tuple[dict[str, float], ...], Field(strict=False)] = ()
    """``step`` and ``loss``, the mean training loss since the step before."""
    sources: dict[str, SourceScore] = Field(default_factory=dict)
    """The same for each data file, where there are several; whoever judges."""

    @property
    def headline(self) -> str:
        return f"Edit Score {edit(self.metrics.get('edit'))} on {counted(self.held_out, 'question')}"

    @property
    def cells(self) -> tuple[str, ...]:
        """Its cells under `MODEL_COLUMNS`, but for the model's name."""
        scores = SourceScore(held_out=self.held_out, metrics=self.metrics).cells
        return (*scores, f"{self.steps:,}", duration(self.seconds))


class RunRecord(Displayed, Settings):
    """The content of run.json."""

    backbone: str
    """As given: preset, hub id, or the folder's name."""
    backbone_version: str = ""
    """SHA-256 of a local backbone's weights, or the hub's commit: one name can stand for several models."""
    settings: TrainingSettings
    data: Annotated[tuple[DataFile, ...], Field(strict=False)]
    valid: DataFile | None = None
    mixture: Mixture = Mixture()
    before: BeforeRecord | None = None
    answer_lengths: dict[Length, Annotated[int, Field(ge=0, lt=2**53)]] = Field(default_factory=dict)
    """Gold answer length in characters (as text) → how often: the length prior is made from it."""
    versions: dict[str, str] = Field(default_factory=dict)
    device: str = ""
    folds: dict[FoldName, FoldRecord] = Field(default_factory=dict)

    @property
    def limits_learning_alone(self) -> bool:
        """Whether ``limit`` cut only what the models learn from, as in version 0.1; files are whole here."""
        limit, files = self.settings.limit, [*self.data, *([self.valid] if self.valid else [])]
        return limit is not None and any(file.questions > limit for file in files)

    def mean(self, metric: str) -> float:
        """The mean of *metric* over all held-out questions of the models; nan where none has it."""
        models = [fold for fold in self.folds.values() if metric in fold.metrics]
        held_out = sum(fold.held_out for fold in models)
        total = sum(fold.metrics[metric] * fold.held_out for fold in models)
        return total / held_out if held_out else math.nan

    @property
    def headline(self) -> str:
        data = ", ".join(file.name for file in self.data)
        scores = ", ".join(edit(fold.metrics.get("edit")) for _, fold in sorted(self.folds.items()))
        return f"{self.backbone} on {data}: {f'Edit Score {scores}' if scores else 'unfinished'}"

    def tables(self) -> list[Table]:
        """The models; under them their scores on each data file, where there are several."""
        models = sorted(self.folds.items())
        rows = [(name, *fold.cells) for name, fold in models]
        found = [Table(", ".join(filter(None, (self.backbone, self.device))), MODEL_COLUMNS, rows)]
        sources = [
            (name, source, *score.cells) for name, fold in models for source, score in fold.sources.items()
        ]
        if sources:
            judge = self.mixture.judge
            title = f"by data file ({judge} judges)" if judge else "by data file (all of them judge)"
            columns = ("model", "data", EDIT, BLANK, "equal to gold", "questions held out")
            return [*found, Table(title, columns, sources, words=("data",))]
        return found


def read_run(folder: Path) -> RunRecord | None:
    """The record of a run folder; None where there is no run.json.  Raises ConfigError if damaged."""
    return read_record(folder / RUN_FILE, RunRecord)


def write_run(folder: Path, record: RunRecord) -> None:
    """Write run.json, whole or not at all."""
    write_record(folder / RUN_FILE, record)


def add_fold(folder: Path, name: str, fold: FoldRecord) -> None:
    """Put a finished model into run.json, also while another process trains another fold."""
    with locked(folder):
        record = read_run(folder)
        if record is None:
            raise ConfigError(f"{folder}: its {RUN_FILE} is gone; train again under another --run")
        write_run(folder, record.model_copy(update={"folds": record.folds | {name: fold}}))


def differences(old: RunRecord, new: RunRecord) -> list[str]:
    """What separates two runs that want the same folder; empty where the second continues the first."""
    found = []
    if old.backbone != new.backbone:
        found.append(f"backbone is {new.backbone}, the run has {old.backbone}")
    elif old.backbone_version != new.backbone_version:
        wanted, has = (record.backbone_version[:8] or "unknown" for record in (new, old))
        found.append(f"backbone {new.backbone} has other weights ({wanted}, the run began with {has})")
    before, after = old.settings.model_dump(), new.settings.model_dump()
    found += [
        f"{name} is {after[name]}, the run has {before[name]}"
        for name in after
        if after[name] != before[name] and name not in EXECUTION_ONLY
    ]
    if _files(old) != _files(new):
        names = [f"{file.name} ({file.sha256[:8]})" for file in old.data]
        found.append(f"the data differ; the run has {', '.join(names)}")
    if old.mixture != new.mixture:
        found.append(f"the sources are mixed by {new.mixture}, the run has {old.mixture}")
    if old.before != new.before:
        wanted, has = (str(record.before or "no --before") for record in (new, old))
        found.append(f"learned first is {wanted}, the run has {has}")
    return found


def _files(record: RunRecord) -> list[tuple[str, str] | None]:
    """Name and hash of each file; how many questions of it are used is the setting ``limit``."""
    return [None if file is None else (file.name, file.sha256) for file in (*record.data, record.valid)]
