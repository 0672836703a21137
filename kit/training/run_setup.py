"""How a run begins: its record and folds, or those that its folder has already; what its models share."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kit.data.records import Dataset
from kit.errors import ConfigError, LockError
from kit.files import is_temporary, locked
from kit.modeling.backbones import Backbone
from kit.modeling.devices import Device
from kit.modeling.distributed import Processes
from kit.modeling.tokens import TokensOf
from kit.settings.folds import FOLDS_FILE, FoldPlan, read_plan, write_plan
from kit.settings.job import Job
from kit.settings.runs import FULL, RUN_FILE, DataFile, RunRecord, differences, read_run, write_run
from kit.settings.training import TrainingSettings
from kit.training.callbacks import Callbacks
from kit.training.checkpoints import CHECKPOINTS, latest_complete
from kit.training.mixture import Sources
from kit.training.splits import Part, fold_part, make_plan, whole
from kit.training.time_limit import TimeLimit

LOGS = "logs"
"""Where TensorBoard's are in a run's folder."""


@dataclass(frozen=True, slots=True)
class Training:
    """What the models of one run share."""

    job: Job[Dataset]
    backbone: Backbone
    """As opened; with outside data, the weights that they left."""
    sources: Sources
    record: RunRecord
    plan: FoldPlan | None
    device: Device
    processes: Processes
    callbacks: Callbacks
    tokens_of: TokensOf | None = None
    """Where the texts' tokens come from, if not from the tokenizer."""
    time_limit: TimeLimit | None = None
    models_left: int = 1
    """How many are still to be trained, this one included."""

    @property
    def settings(self) -> TrainingSettings:
        """With what this device and backbone allow."""
        return self.job.settings

    def part(self, name: str) -> Part:
        """The questions of the model *name*: "full", or a fold's number."""
        if self.plan is None:
            return whole(self.job.data, self.job.valid, self.settings)
        return fold_part(self.job.data, self.plan, int(name), self.settings)

    def agreed(self, value: float) -> float:
        """The first process's *value*, in all of them: what stops or saves must do so at the same step."""
        return float(self.processes.agree(np.array([value], dtype=float), self.device)[0])


def begin(folder: Path, record: RunRecord, data: Sequence[Dataset], processes: Processes) -> FoldPlan | None:
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


@contextlib.contextmanager
def withdrawn_if_nothing_is_kept(folder: Path, processes: Processes) -> Iterator[None]:
    """Remove the record of a run that fails with nothing to resume: the next try may be another run.

    A run with a finished model, a complete checkpoint, a first stage in ``before/``, or a model that another
    process trains is kept.
    """
    try:
        yield
    except Exception:  # whatever ended it: it is raised again below
        if processes.first:
            with contextlib.suppress(LockError, ConfigError, OSError):
                _withdraw(folder)
        raise


def _withdraw(folder: Path) -> None:
    with contextlib.ExitStack() as held:
        held.enter_context(locked(folder))
        record = read_run(folder)
        if record is None or record.folds:
            return
        names = [FULL] if record.settings.folds is None else map(str, range(record.settings.folds))
        models = [model_folder(folder, name) for name in names]
        for model in models:  # raises LockError where another process trains it
            held.enter_context(locked(model, wait=False))
        own = {folder / RUN_FILE, folder / FOLDS_FILE, folder / LOGS, *models}
        kept = any(
            latest_complete(model / CHECKPOINTS) or model.is_symlink() or (model / CHECKPOINTS).is_symlink()
            for model in models
        )
        if kept or not all(path in own or is_temporary(path) for path in folder.iterdir()):
            return
        for path in (*models, folder / LOGS):
            shutil.rmtree(path, ignore_errors=True)
        # The record last: as long as it is there, the folder is a run's.
        (folder / FOLDS_FILE).unlink(missing_ok=True)
        (folder / RUN_FILE).unlink()
        folder.rmdir()


def model_folder(folder: Path, name: str) -> Path:
    """Where a run's model *name* ("full", or a fold's number) is trained."""
    return folder / (FULL if name == FULL else f"fold-{name}")


def continue_or_refuse(folder: Path, record: RunRecord) -> RunRecord | None:
    """The record that the folder has of the same run; None for a new one.  Raises ConfigError otherwise."""
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


def refuse_unfinished(folder: Path, names: Sequence[str], processes: Processes) -> None:
    """Raises ConfigError where one of the models *names* has a checkpoint to resume from.

    LockError where another process trains it.
    """
    for name in names:
        below = model_folder(folder, name) / CHECKPOINTS
        if (found := latest_complete(below)) is not None:
            if processes.first:
                with locked(below.parent, wait=False):
                    pass
            raise ConfigError(
                f"{folder}: holds an unfinished training ({found.relative_to(folder)}); continue with "
                "--resume, or delete it"
            )


def data_file(dataset: Dataset) -> DataFile:
    """How run.json names a data file."""
    return DataFile(name=dataset.path.name, sha256=dataset.sha256, questions=len(dataset))
