"""Verbs that train models and let them read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kit.data.records import Dataset
from kit.errors import ConfigError, LeakError
from kit.verbs.arguments import Data, PathLike, dataset_of, run_of, several

if TYPE_CHECKING:
    from kit.config.training import TrainingSettings
    from kit.spans.members import Run


def train(
    backbone: str,
    data: Data | Sequence[Data],
    *,
    run: PathLike,
    valid: Data | None = None,
    against: Data | None = None,
    allow_leak: bool = False,
    fold: int | str | Sequence[int] | None = None,
    jobs: int | None = None,
    resume: bool = False,
    report_to: Sequence[str] = (),
    trust_remote_code: bool = False,
    quiet: bool = False,
    **settings: object,
) -> Run:
    """Train a backbone (preset, hub id or folder) into the folder *run*.

    *against* is a test file: training refuses data that occur in it, unless *allow_leak*.  Without it,
    a ``test.json`` beside the first data file is used.  *settings* are those of TrainingSettings
    (epochs, lr, batch_size, micro_batch_size, max_length, stride, seed, folds, …); what is not given
    comes from the backbone's preset.  With ``folds=5`` one model a fold is trained, or only *fold*, and
    the run gets out-of-fold scores on its own data.  *jobs*: folds trained at the same time; default: one
    a GPU.  *quiet*: no lines and no progress bar on standard
    error.  Raises DataError, LeakError, ConfigError, ModelError.
    """
    chosen = settings_for(backbone, **settings)  # before any file is read: a typing mistake shows at once
    chosen_folds = _folds(fold, chosen)
    datasets = [dataset_of(given, answers_needed=True) for given in several(data)]
    if valid is not None and chosen.folds is not None:
        raise ConfigError("--valid and --folds exclude each other: every fold is held out in its turn")
    held_out = None if valid is None else dataset_of(valid, answers_needed=True)
    if not allow_leak:
        _refuse_leaks(datasets, against)

    from kit import terminal
    from kit.models.training import launch
    from kit.models.training.progress import spoken
    from kit.models.training.runs import train_run

    folder, say = Path(run), (lambda line: None) if quiet else terminal.say
    if not launch.launched():
        words = launch.command_line(
            backbone, datasets, folder, chosen, valid=held_out, resume=resume, report_to=report_to,
            trust_remote_code=trust_remote_code,
        )  # fmt: skip
        gpus, todo = len(launch.visible_gpus()), launch.folds_to_train(folder, chosen, chosen_folds)
        at_once = min(jobs or max(gpus, 1), len(todo))
        if at_once > 1:
            return launch.train_folds(words, folder, todo, at_once, say)
        if gpus > 1 and (todo or chosen.folds is None):
            fold_words = ["--fold", str(todo[0])] if todo else []
            return launch.train_on_all([*words, *fold_words], folder, gpus, say)
    return train_run(
        backbone,
        datasets,
        folder,
        chosen,
        valid=held_out,
        folds=chosen_folds,
        resume=resume,
        report_to=report_to,
        trust_remote_code=trust_remote_code,
        listeners=None if quiet else spoken(),
    )


def settings_for(backbone: str, **given: object) -> TrainingSettings:
    """Training settings: the preset's published ones, with what was *given* in their place."""
    from kit.config.training import training_settings
    from kit.models.presets import PRESETS

    preset = PRESETS.get(backbone)
    defaults: dict[str, object] = {}
    if preset is not None:
        defaults = {
            "epochs": float(preset.epochs),
            "lr": preset.lr,
            "batch_size": preset.batch_size,
            "max_length": preset.max_length,
            "stride": preset.stride,
            "warmup": preset.warmup,
            "weight_decay": preset.weight_decay,
        }
    return training_settings(
        **(defaults | {name: value for name, value in given.items() if value is not None})
    )


def predict(
    run: Run | PathLike,
    data: Data,
    *,
    fold: int | None = None,
    max_length: int | None = None,
    stride: int | None = None,
    precision: str = "auto",
    again: bool = False,
    trust_remote_code: bool = False,
    quiet: bool = False,
) -> list[Path]:
    """Write the span scores of *run* (a run folder, or any QA checkpoint's) on *data*; returns the files.

    Lengths in tokens, as trained unless given.  A file that is there already, made by the same model
    from the same data, is kept unless *again*.
    """
    from kit import terminal
    from kit.models.prediction import predict_run
    from kit.spans.members import chosen_folds

    opened, dataset = run_of(run), dataset_of(data)
    total = len(dataset) * len(chosen_folds(opened, fold))
    with terminal.progress(f"predicting {opened.name}", 0 if quiet else total) as advance:
        return predict_run(
            opened,
            dataset,
            fold=fold,
            max_length=max_length,
            stride=stride,
            precision=precision,
            again=again,
            trust_remote_code=trust_remote_code,
            say=(lambda line: None) if quiet else terminal.say,
            advance=advance,
        )


def fold_words(fold: int | str | Sequence[int] | None, settings: TrainingSettings) -> str | None:
    """A notebook's fold number or list, or the shell's ``0,2``, as ``--fold`` takes it; checked."""
    folds = _folds(fold, settings)
    return None if folds is None else ",".join(map(str, folds))


def _folds(fold: int | str | Sequence[int] | None, settings: TrainingSettings) -> Sequence[int] | None:
    """Fold numbers from a notebook's number or list, or the shell's ``0,2``."""
    from kit.config.training import fold_numbers

    if fold is None:
        return None
    wanted = fold if isinstance(fold, str) else ",".join(map(str, [fold] if isinstance(fold, int) else fold))
    return fold_numbers(wanted, settings.folds)


def _refuse_leaks(datasets: Sequence[Dataset], against: Data | None) -> None:
    if against is None:
        beside = datasets[0].path.parent / "test.json"
        if not beside.is_file() or beside.resolve() in {data.path.resolve() for data in datasets}:
            return
        against = beside
    from kit.data.leaks import leaking

    test = dataset_of(against)
    report = leaking(datasets, test)
    if report is not None:
        raise LeakError(f"{report.message}; --allow-leak trains all the same")
