"""Two stages: outside data are learned first, once a run, and every model of the run begins from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kit.data.overlap import Unrelated, without_related
from kit.data.records import Dataset
from kit.errors import DataError, counted
from kit.modeling.distributed import join_processes
from kit.settings.mixture import Mixture
from kit.settings.runs import BEFORE, FULL, BeforeRecord, DataFile, read_run
from kit.settings.training import TrainingSettings
from kit.spans.run_folder import Run
from kit.training.fit import Callbacks
from kit.training.run import train_run


@dataclass(frozen=True, slots=True)
class Before:
    """What is to be learned first; the other settings are the run's."""

    data: Sequence[Dataset]
    epochs: float
    lr: float


def train_in_stages(
    reference: str,
    data: Sequence[Dataset],
    folder: Path,
    settings: TrainingSettings,
    *,
    valid: Dataset | None = None,
    mixture: Mixture | None = None,
    before: Before | None = None,
    before_only: bool = False,
    folds: Sequence[int] | None = None,
    resume: bool = False,
    report_to: Sequence[str] = (),
    trust_remote_code: bool = False,
    callbacks: Callbacks | None = None,
) -> Run:
    """`train_run`, with *before* learned first; *before_only*: that alone, and its run is returned.

    Raises also DataError where all of *before* is related to the data.
    """
    first = None
    if before is not None:
        first = FirstStage(
            reference, data, valid, folder, settings, before, resume, report_to, trust_remote_code,
            callbacks or Callbacks(),
        )  # fmt: skip
        assert first.record  # as run.json is now; all processes look before one of them writes
        join_processes().wait()
    return train_run(
        reference,
        data,
        folder,
        settings,
        valid=valid,
        mixture=mixture,
        before=first.record if first else None,
        learn_before=first.learn if first else None,
        before_only=before_only,
        folds=folds,
        resume=resume,
        report_to=report_to,
        trust_remote_code=trust_remote_code,
        callbacks=callbacks,
    )


@dataclass(frozen=True)
class FirstStage:
    """The first stage of the run in *folder*: a run of its own in ``before/``, with its own held-out tenth.

    It learns nothing that is related to *data* or *valid* (`kit.data.overlap`), so that neither the
    out-of-fold scores nor the choice of a checkpoint knows more than without it.
    """

    reference: str
    data: Sequence[Dataset]
    valid: Dataset | None
    folder: Path
    settings: TrainingSettings
    before: Before
    resume: bool
    report_to: Sequence[str]
    trust_remote_code: bool
    callbacks: Callbacks

    @property
    def target(self) -> Path:
        """The folder of the first stage's own run."""
        return self.folder / BEFORE

    @cached_property
    def record(self) -> BeforeRecord:
        """What run.json has about it; a run that goes on knows it, others must compare the articles."""
        how = {"epochs": self.before.epochs, "lr": self.before.lr}
        if self._known is not None:
            return self._known.model_copy(update=how)
        # A run that was begun without it, or with other files, is about to be refused, whatever is related.
        begun = read_run(self.folder) is not None
        left = Unrelated(tuple(self.before.data), 0) if begun else self._unrelated
        files = [
            DataFile(name=dataset.path.name, sha256=dataset.sha256, questions=len(dataset))
            for dataset in left.kept
        ]
        return BeforeRecord(data=tuple(files), left_out=left.left_out, **how)

    def learn(self) -> Path:
        """Train it, unless that is done, and return the folder of its weights."""
        done = read_run(self.target)
        if self._known is None or done is None or FULL not in done.folds:
            self._say(f"{self.target}: the outside data first")
            train_run(
                self.reference,
                [dataset for dataset in self._unrelated.kept if len(dataset)],
                self.target,
                self.settings.model_copy(
                    update={"epochs": self.before.epochs, "lr": self.before.lr, "folds": None}
                ),
                resume=self.resume,
                report_to=self.report_to,
                trust_remote_code=self.trust_remote_code,
                callbacks=self.callbacks,
            )
            self._say(f"{self.target}: learned; the models of {self.folder} begin with its weights")
        return self.target / FULL

    @cached_property
    def _known(self) -> BeforeRecord | None:
        """As the run that goes on recorded it, where that is about these files."""
        kept = read_run(self.folder)
        if kept is None or kept.before is None:
            return None
        wanted = [dataset.sha256 for dataset in self.before.data]
        return kept.before if [file.sha256 for file in kept.before.data] == wanted else None

    @cached_property
    def _unrelated(self) -> Unrelated:
        judged = [*self.data, *([self.valid] if self.valid is not None else [])]
        found = without_related(self.before.data, judged)
        names = " ".join(str(dataset.path) for dataset in self.before.data)
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
