"""One training as it travels from the command to the trainer, to other processes and to Kaggle."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from kit.errors import ConfigError
from kit.settings.data_options import DataOptions
from kit.settings.mixture import Mixture, mixture_of
from kit.settings.option import LoadedFile, argument_words, from_given
from kit.settings.run_options import RunOptions
from kit.settings.training import TrainingSettings

File = TypeVar("File", bound=LoadedFile | Path)
Other = TypeVar("Other", bound=LoadedFile | Path)


class JobOptions(RunOptions, DataOptions):
    """The options of ``kit train`` that are no training settings."""


class TrainKeywords(TrainingSettings, JobOptions):
    """All options of ``kit train``: its flags, and the keywords of `kit.train`."""

    quiet: bool = False
    """No lines and no progress bar on standard error; a keyword only."""


@dataclass(frozen=True, slots=True)
class Job(Generic[File]):
    """A backbone, its data and everything that was asked for.

    *File* is a path, or what was read from one.  Raises ConfigError for options that exclude each other.
    """

    backbone: str
    """A preset, a hub id or a folder, as given."""
    data: tuple[File, ...]
    settings: TrainingSettings
    options: JobOptions
    valid: File | None = None
    before: tuple[File, ...] = ()

    def __post_init__(self) -> None:
        options, _, _ = self.options, self.folds, self.mixture  # these raise what is wrong with them
        if options.judge is not None and self.valid is not None:
            raise ConfigError(
                f"--judge {options.judge} and --valid exclude each other: the file of --valid judges alone"
            )
        if self.valid is not None and self.settings.folds is not None:
            raise ConfigError("--valid and --folds exclude each other: every fold is held out in its turn")
        outside = (options.before_epochs, options.before_lr, options.before_only)
        if not self.before and outside != (1, None, False):
            raise ConfigError(
                "--before-epochs, -lr and -only are about outside data; name them with --before"
            )

    @property
    def run(self) -> Path:
        """The run's folder."""
        return Path(self.options.run)

    @property
    def mixture(self) -> Mixture:
        """How the data files are mixed."""
        return mixture_of([path_of(file) for file in self.data], self.options.share, self.options.judge)

    @property
    def folds(self) -> tuple[int, ...] | None:
        """The folds to train, of those that the settings ask for; None: all of them."""
        fold = self.options.fold
        if fold is None:
            return None
        if not isinstance(fold, str):
            fold = ",".join(map(str, [fold] if isinstance(fold, int) else fold))
        return fold_numbers(fold, self.settings.folds)

    @property
    def before_lr(self) -> float:
        """Peak learning rate for the outside data."""
        return self.settings.lr if self.options.before_lr is None else self.options.before_lr

    def asking(self, settings: TrainingSettings | None = None, **options: object) -> Job[File]:
        """This job with other *settings* or *options*."""
        return replace(
            self, settings=settings or self.settings, options=self.options.model_copy(update=options)
        )

    def read(self, load: Callable[[File], Other]) -> Job[Other]:
        """This job with what *load* reads from its files."""
        valid = None if self.valid is None else load(self.valid)
        data, before = tuple(map(load, self.data)), tuple(map(load, self.before))
        return Job(self.backbone, data, self.settings, self.options, valid, before)

    def first_stage(self, data: tuple[File, ...], folder: Path) -> Job[File]:
        """The training on outside *data* into *folder* that comes first."""
        settings = self.settings.model_copy(
            update={"epochs": self.options.before_epochs, "lr": self.before_lr, "folds": None}
        )
        given = self.options.model_dump(include=set(RunOptions.model_fields) - {"fold"})
        if self.options.hours is not None:  # the models after it need time, too
            given["hours"] = self.options.hours / 2
        return Job(self.backbone, data, settings, JobOptions(**{**given, "run": folder}))

    def argv(self, settings: Collection[str] | None = None) -> list[str]:
        """``kit train`` as words that ask for the same; of *settings* only those named, or else all."""
        files = argument_words({"data": self.data, "run": self.run})
        return ["train", self.backbone, *files, *self.further_argv(settings)]

    def further_argv(self, settings: Collection[str] | None = None) -> list[str]:
        """The words of `argv` behind the backbone, its data and the run."""
        files = {"valid": self.valid, "before": self.before, "share": self.mixture.shares}
        folds = None if self.folds is None else ",".join(map(str, self.folds))
        options = {
            name: value
            for name, value in {**dict(self.options), **files, "fold": folds}.items()
            if name != "run" and value != JobOptions.model_fields[name].default
        }
        chosen = self.settings.model_dump(include=None if settings is None else set(settings))
        return argument_words(options) + argument_words(chosen)


def job_options(given: Mapping[str, Any]) -> JobOptions:
    """The options among flags or keywords; None means the default.  Raises ConfigError for all mistakes."""
    own = given.keys() & JobOptions.model_fields.keys()
    return from_given(JobOptions, {name: given[name] for name in own}, "kit train")


def path_of(file: LoadedFile | Path) -> Path:
    """Where *file* was read from, or is to be."""
    return file if isinstance(file, Path) else file.path


def fold_numbers(text: str, folds: int | None) -> tuple[int, ...]:
    """The folds that ``--fold 0,2`` names.  Raises ConfigError for what is no fold of the run."""
    parts = [part.strip() for part in text.split(",")]
    if folds is None:
        raise ConfigError(f"--fold {text}: is only for runs with folds; add --folds 5")
    wrong = [part for part in parts if not part.isdecimal() or int(part) >= folds]
    if wrong:
        raise ConfigError(f"--fold {text}: {wrong[0]!r} is no fold; folds are 0 to {folds - 1}, as in 0,2")
    return tuple(dict.fromkeys(int(part) for part in parts))
