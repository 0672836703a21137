"""``kit.train``: train a backbone into a run's folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol

from kit import terminal
from kit.api.arguments import Data, dataset_of, file_of, path_given, several, text_given
from kit.data.leaks import leaking
from kit.data.records import Dataset
from kit.errors import ConfigError, LeakError
from kit.modeling.presets import PRESETS, settings_of
from kit.modeling.references import refuse_unknown
from kit.settings.job import Job, JobOptions, TrainKeywords, job_options
from kit.settings.option import keywords_of
from kit.settings.paths import TEST
from kit.settings.training import TrainingSettings, training_settings

if TYPE_CHECKING:
    from kit.spans.run_folder import Run

P = ParamSpec("P")
_SHORTEST = 1e-6
"""Hours; ``--hours`` is above 0."""


class _Train(Protocol[P]):
    def __call__(
        self, backbone: str, data: Data | Sequence[Data], *args: P.args, **kwargs: P.kwargs
    ) -> Run: ...


class _SettingsFor(Protocol[P]):
    def __call__(self, backbone: str, *args: P.args, **kwargs: P.kwargs) -> TrainingSettings: ...


def _train(model: Callable[P, object]) -> Callable[[Callable[..., Run]], _Train[P]]:
    """Type checkers and editors take the keywords from the constructor of *model*."""
    return keywords_of(model)  # type: ignore[arg-type]


def _settings_for(model: Callable[P, object]) -> Callable[[Callable[..., TrainingSettings]], _SettingsFor[P]]:
    return keywords_of(model)  # type: ignore[arg-type]


@_train(TrainKeywords)
def train(backbone: str, data: Data | Sequence[Data], **options: Any) -> Run:
    """Train a backbone (preset, hub id or folder) into the folder *run* and return the run.

    The keywords are the options of ``kit train`` (`kit.settings.training`, `.data_options`, `.run_options`),
    and *quiet*: no lines and no progress bar on standard error.  A setting that is not given, or None, is
    the preset's of the backbone.  With ``folds=5`` one model for each fold is trained, or only *fold*, and
    the run gets out-of-fold scores on its data.

    *against* is a test file: training refuses data that occur in it, unless *allow_leak*.  Without it,
    a ``test.json`` beside the first data file is used.  Of several data files, *share* says how much of each
    an epoch holds (``{"korquad.json": 0.25}``), and the held-out questions of *judge* choose the checkpoint
    and make the score (default: all).  *before* are files to train on first, once a run, without the
    questions whose articles are in *data*; *before_only* stops after them and returns their run.

    With *hours* the training ends in time: folds are finished one after another, none is begun that would
    take too long, and the first model gets fewer steps where all of them would.

    Raises DataError, LeakError, ConfigError, ModelError.
    """
    quiet, began = options.pop("quiet", False), time.monotonic()
    job = training_job(backbone, data, options)
    refuse_unknown(backbone)  # in a second, before the data are read and torch is imported
    from kit.training.splits import limited

    job = limited(job.read(partial(dataset_of, answers_needed=True)))
    _refuse_twice(job)
    if not job.options.allow_leak:
        against = job.options.against
        refuse_leaks([*job.data, *job.before], None if against is None else dataset_of(against))  # type: ignore[arg-type]

    from kit.training import launch
    from kit.training.callbacks import Callbacks
    from kit.training.progress import spoken

    if job.options.hours is not None:  # reading and comparing the files took some of them
        left = job.options.hours - (time.monotonic() - began) / 3600
        job = job.asking(hours=max(left, _SHORTEST))
    if quiet:
        return launch.train(job, Callbacks(), lambda line: None)
    return launch.train(job, spoken(), terminal.say)


@_settings_for(TrainingSettings)
def settings_for(backbone: str, **given: Any) -> TrainingSettings:
    """Training settings: the preset's published ones, with what was *given* in their place."""
    preset = PRESETS.get(text_given(backbone, "backbone"))
    defaults = {} if preset is None else settings_of(preset)
    return training_settings(
        **(defaults | {name: value for name, value in given.items() if value is not None})
    )


def training_job(backbone: str, data: Data | Sequence[Data], options: Mapping[str, Any]) -> Job[Any]:
    """The job that *options*, the keywords of `train`, ask for, with files as given.

    Raises ConfigError before any file is read: a typing mistake shows at once.
    """
    asked = job_options(options)
    path_given(asked.run, "run")
    settings: Any = {name: options[name] for name in options.keys() - JobOptions.model_fields.keys()}
    return Job(
        backbone,
        tuple(map(file_of, several(data))),
        settings_for(backbone, **settings),
        asked,
        None if asked.valid is None else file_of(asked.valid),  # type: ignore[arg-type]
        tuple(map(file_of, several(asked.before))),  # type: ignore[arg-type]
    )


def _refuse_twice(job: Job[Dataset]) -> None:
    """Refuse a file that is given more than once, whatever it is called."""
    seen: dict[str, str] = {}
    for flag, given in (("--data", job.data), ("--before", job.before)):
        for dataset in given:
            place = f"{flag} {dataset.path}"
            if (earlier := seen.setdefault(dataset.sha256, place)) is not place:
                cure = (
                    f"give it once; --share {dataset.path.name}=2 shows all of it twice an epoch"
                    if flag == "--data"
                    else "give it once: what is in the data is not learned before them"
                )
                raise ConfigError(f"{place}: is the same file as {earlier}; {cure}")


def refuse_leaks(datasets: Sequence[Dataset], against: Data | None) -> None:
    """Raises LeakError where *datasets* occur in *against*, or else in a ``test.json`` beside the first."""
    if against is None:
        beside = datasets[0].path.parent / TEST
        if not beside.is_file() or beside.resolve() in {data.path.resolve() for data in datasets}:
            return
        against = beside
    report = leaking(datasets, dataset_of(against))
    if report is not None:
        raise LeakError(f"{report.message}; --allow-leak trains all the same")
