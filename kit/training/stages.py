"""Two stages: outside data are learned first, once a run, and every model of the run begins from there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kit.data.overlap import Unrelated, without_related
from kit.data.records import Dataset
from kit.errors import DataError, counted
from kit.modeling.distributed import join_processes
from kit.settings.job import Job
from kit.settings.runs import BEFORE, FULL, BeforeRecord, read_run
from kit.spans.run_folder import Run
from kit.training.callbacks import Callbacks
from kit.training.run import train_run
from kit.training.run_setup import data_file


def train_in_stages(job: Job[Dataset], callbacks: Callbacks | None = None) -> Run:
    """`train_run`, with the outside data of *job* learned first; with ``before_only`` only these.

    Raises also DataError where all outside data are related to the data.
    """
    callbacks = callbacks or Callbacks()
    if not job.before:
        return train_run(job, callbacks)
    first = FirstStage(job, callbacks)
    assert first.record  # as run.json is now; all processes look before one of them writes
    join_processes().wait()
    return train_run(job, callbacks, first)


@dataclass(frozen=True)
class FirstStage:
    """The first stage of the run of *job*: a run in its folder ``before/``, with another held-out tenth.

    It learns nothing that is related to the job's data or held-out file (`kit.data.overlap`), so that neither
    the out-of-fold scores nor the choice of a checkpoint knows more than without it.
    """

    job: Job[Dataset]
    callbacks: Callbacks

    @property
    def target(self) -> Path:
        """The folder of the first stage's run."""
        return self.job.run / BEFORE

    @cached_property
    def record(self) -> BeforeRecord:
        """What run.json has about it; a run that resumes knows it, others must compare the articles."""
        how = {"epochs": self.job.options.before_epochs, "lr": self.job.before_lr}
        if self._known is not None:
            return self._known.model_copy(update=how)
        # A run that was begun without it, or with other files, is about to be refused, whatever is related.
        begun = read_run(self.job.run) is not None
        left = Unrelated(self.job.before, 0) if begun else self._unrelated
        return BeforeRecord(data=tuple(map(data_file, left.kept)), left_out=left.left_out, **how)

    def learn(self) -> Path:
        """Train it, unless that is done, and return the folder of its weights."""
        done = read_run(self.target)
        if self._known is None or done is None or FULL not in done.folds:
            self._say(f"{self.target}: training on the outside data first")
            data = tuple(dataset for dataset in self._unrelated.kept if len(dataset))
            train_run(self.job.first_stage(data, self.target), self.callbacks)
            self._say(f"{self.target}: done; the models of {self.job.run} begin with its weights")
        return self.target / FULL

    @cached_property
    def _known(self) -> BeforeRecord | None:
        """As the run that resumes recorded it, where that is about these files."""
        kept = read_run(self.job.run)
        if kept is None or kept.before is None:
            return None
        wanted = [dataset.sha256 for dataset in self.job.before]
        return kept.before if [file.sha256 for file in kept.before.data] == wanted else None

    @cached_property
    def _unrelated(self) -> Unrelated:
        judged = [*self.job.data, *([self.job.valid] if self.job.valid is not None else [])]
        found = without_related(self.job.before, judged)
        names = " ".join(str(dataset.path) for dataset in self.job.before)
        left = sum(map(len, found.kept))
        if not left:
            left_out = counted(found.left_out, "question")
            all_of_them = f"the {left_out} is" if found.left_out == 1 else f"all {left_out} are"
            raise DataError(
                f"--before {names}: {all_of_them} about articles of the data, and nothing is left to "
                "learn first; give other files, or train without --before"
            )
        self._say(
            f"--before {names}: {counted(left, 'question')} to learn first; left out, since the data have "
            f"their articles (or themselves) too: {found.left_out:,}"
        )
        return found

    def _say(self, line: str) -> None:
        if join_processes().first:
            self.callbacks.say(line)
