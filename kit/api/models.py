"""``kit train`` and ``kit predict`` as functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kit.api.arguments import Data, PathLike, dataset_of, path_given, path_of, run_of, several, text_given
from kit.data.records import Dataset
from kit.errors import ConfigError, LeakError
from kit.settings.mixture import before_settings, mixture_of
from kit.settings.runs import BEFORE

if TYPE_CHECKING:
    from kit.settings.training import TrainingSettings
    from kit.spans.run_folder import Run


def train(
    backbone: str,
    data: Data | Sequence[Data],
    *,
    run: PathLike,
    valid: Data | None = None,
    share: Sequence[str] | Mapping[str, float] = (),
    judge: str | None = None,
    before: Data | Sequence[Data] = (),
    before_epochs: float | None = None,
    before_lr: float | None = None,
    before_only: bool = False,
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

    Of several data files, *share* says how much of each an epoch holds (``{"korquad.json": 0.25}``), and the
    held-out questions of *judge* choose the checkpoint and make the score (default: all).  *before* are
    files to learn first, once a run, in *before_epochs* (1) with *before_lr* (that of *settings*), without
    the questions whose articles are in *data*; *before_only* stops after them and returns their run.
    """
    chosen = settings_for(backbone, **settings)  # before any file is read: a typing mistake shows at once
    chosen_folds = _folds(fold, chosen)
    mixture = mixture_of([path_of(given) for given in several(data)], share, judge)
    if judge is not None and valid is not None:
        raise ConfigError(f"--judge {judge} and --valid exclude each other: the file of --valid judges alone")
    first_settings = before_settings(chosen, before_epochs, before_lr)
    if not several(before) and (before_epochs, before_lr, before_only) != (None, None, False):
        raise ConfigError("--before-epochs, -lr and -only are about outside data; name them with --before")
    datasets = [dataset_of(given, answers_needed=True) for given in several(data)]
    outside = [dataset_of(given, answers_needed=True) for given in several(before)]
    _refuse_twice(datasets, outside)
    if valid is not None and chosen.folds is not None:
        raise ConfigError("--valid and --folds exclude each other: every fold is held out in its turn")
    held_out = None if valid is None else dataset_of(valid, answers_needed=True)
    if not allow_leak:
        refuse_leaks([*datasets, *outside], against)

    from kit import terminal
    from kit.training import launch
    from kit.training.progress import spoken
    from kit.training.stages import Before, train_in_stages

    folder, say = path_given(run, "run"), (lambda line: None) if quiet else terminal.say
    first = Before(outside, first_settings.epochs, first_settings.lr) if outside else None

    def train_here(before_only: bool) -> Run:
        return train_in_stages(
            backbone,
            datasets,
            folder,
            chosen,
            valid=held_out,
            mixture=mixture,
            before=first,
            before_only=before_only,
            folds=chosen_folds,
            resume=resume,
            report_to=report_to,
            trust_remote_code=trust_remote_code,
            callbacks=None if quiet else spoken(),
        )

    if not launch.launched():
        words = launch.command_line(
            backbone, datasets, folder, chosen, valid=held_out, mixture=mixture, before=first, resume=resume,
            report_to=report_to, trust_remote_code=trust_remote_code,
        )  # fmt: skip
        gpus, todo = len(launch.visible_gpus()), launch.folds_to_train(folder, chosen, chosen_folds)
        at_once = min(jobs or max(gpus, 1), len(todo))
        if first is not None and (before_only or at_once > 1):
            # Once, before folds stand side by side that all begin with it.
            if gpus > 1:
                learned = launch.train_on_all([*words, "--before-only"], folder / BEFORE, gpus, say)
            else:
                learned = train_here(before_only=True)
            if before_only:
                return learned
        if at_once > 1:
            return launch.train_folds(words, folder, todo, at_once, say)
        if gpus > 1 and (todo or chosen.folds is None):
            fold_words = ["--fold", str(todo[0])] if todo else []
            return launch.train_on_all([*words, *fold_words], folder, gpus, say)
    return train_here(before_only)


def settings_for(backbone: str, **given: object) -> TrainingSettings:
    """Training settings: the preset's published ones, with what was *given* in their place."""
    from kit.modeling.presets import PRESETS
    from kit.settings.training import training_settings

    preset = PRESETS.get(text_given(backbone, "backbone"))
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
    allow_unknown: bool = False,
    trust_remote_code: bool = False,
    quiet: bool = False,
) -> list[Path]:
    """Write the span scores of *run* (a run folder, or any QA checkpoint's) on *data*; returns the files.

    Lengths in tokens, as trained unless given.  A file that is there already, made by the same model
    from the same data, is kept unless *again*.  A tokenizer that reads more than a fifth of common text as
    [UNK] is refused, unless *allow_unknown* or the run was trained so.
    """
    from kit import terminal
    from kit.modeling.prediction import predict_run
    from kit.spans.run_folder import chosen_folds

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
            allow_unknown=allow_unknown,
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
    from kit.settings.training import fold_numbers

    if fold is None:
        return None
    wanted = fold if isinstance(fold, str) else ",".join(map(str, [fold] if isinstance(fold, int) else fold))
    return fold_numbers(wanted, settings.folds)


def _refuse_twice(datasets: Sequence[Dataset], outside: Sequence[Dataset]) -> None:
    """Refuse a file that is given more than once, whatever it is called."""
    seen: dict[str, str] = {}
    for flag, given in (("--data", datasets), ("--before", outside)):
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
        beside = datasets[0].path.parent / "test.json"
        if not beside.is_file() or beside.resolve() in {data.path.resolve() for data in datasets}:
            return
        against = beside
    from kit.data.leaks import leaking

    test = dataset_of(against)
    report = leaking(datasets, test)
    if report is not None:
        raise LeakError(f"{report.message}; --allow-leak trains all the same")
