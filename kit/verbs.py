"""The kit's verbs as functions: what the commands call and what ``import kit`` offers to notebooks.

Heavy libraries are imported inside the verbs that need them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kit.config.recipe import Recipe, bare
from kit.data.formats import load as load_file
from kit.data.records import Dataset
from kit.errors import ConfigError, LeakError

if TYPE_CHECKING:
    from kit.competition.card import Card
    from kit.config.training import TrainingSettings
    from kit.data.checks import FileReport
    from kit.data.leaks import LeakReport
    from kit.scoring.scores import Score
    from kit.spans.members import Run

RECIPE_SUFFIXES = frozenset({".yaml", ".yml"})
PathLike = str | Path
Data = Dataset | PathLike


@dataclass(frozen=True, slots=True)
class Submission:
    """A written submission: its CSV, the answers in it, its card, and its score where answers were given."""

    path: Path
    answers: Mapping[str, str]
    card: Card
    score: Score | None


def load(path: PathLike) -> Dataset:
    """Read questions from a file in any of the known formats.  Raises DataError."""
    return load_file(path)


def check(path: PathLike) -> FileReport:
    """Report everything about one data file that could hurt a training or a submission."""
    from kit.data.checks import check as check_file

    return check_file(Path(path))


def leaks(train: Data | Sequence[Data], test: Data) -> LeakReport:
    """Contexts and questions of *train* that also occur, exactly or nearly, in *test*."""
    from kit.data.leaks import find_leaks

    return find_leaks([_dataset(data) for data in _several(train)], _dataset(test))


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
    datasets = [_dataset(given, answers_needed=True) for given in _several(data)]
    if valid is not None and chosen.folds is not None:
        raise ConfigError("--valid and --folds exclude each other: every fold is held out in its turn")
    held_out = None if valid is None else _dataset(valid, answers_needed=True)
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


def out_of_fold(run: Run | PathLike, data: Data | Sequence[Data]) -> dict[Path, Score]:
    """How a run with folds answers each file it trained on, out of fold; {} before the last fold is trained.

    Answers are the likeliest spans, without rules: `decode` with a recipe gives others.
    """
    from kit.spans.out_of_fold import missing_folds

    opened = _run(run)
    if opened.record is None or opened.record.settings.folds is None or missing_folds(opened.record):
        return {}
    datasets = [_dataset(given, answers_needed=True) for given in _several(data)]
    return {dataset.path: score(decode(opened, dataset), dataset) for dataset in datasets}


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

    opened, dataset = _run(run), _dataset(data)
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


def decode(recipe: Recipe | Run | PathLike, data: Data) -> dict[str, str]:
    """guid → answer for every question of *data*, in file order, as the recipe says.

    *recipe* is a recipe, the path of one, or a run whose span scores exist.  Raises SpanFileError naming
    the command to run where they do not.
    """
    from kit.competition.making import answer

    return answer(_recipe(recipe), _dataset(data)).texts


def ensemble(
    recipe: Recipe | Run | PathLike,
    data: Data,
    *,
    out: PathLike | None = None,
    answers: Data | None = None,
) -> Submission:
    """Decode *data* as the recipe says and write CSV and card; with *answers*, score them too.

    *out* defaults to ``submissions/NAME.csv``, NAME being the recipe's or run's.  The CSV is checked
    against the questions, and against ``sample_submission.csv`` where one lies beside the data.
    """
    from kit.competition.making import make_submission

    target = Path(out) if out is not None else Path("submissions") / f"{_name(recipe)}.csv"
    truth = None if answers is None else _dataset(answers, answers_needed=True)
    path, texts, card, result = make_submission(_recipe(recipe), _dataset(data), target, truth)
    return Submission(path, texts, card, result)


def score(predictions: Mapping[str, str] | PathLike, answers: Data, *, reference: str = "first") -> Score:
    """Edit Score, exact match, character F1 and blanks of a CSV, or of a mapping guid → text."""
    from kit.competition.csv import read_submission
    from kit.scoring.scores import score_answers

    truth = _dataset(answers, answers_needed=True)
    if isinstance(predictions, Mapping):
        return score_answers(predictions, truth, reference=reference)
    path = Path(predictions)
    return score_answers(read_submission(path), truth, reference=reference, label=str(path))


def write_submission(path: PathLike, data: Data, answers: Mapping[str, str]) -> Path:
    """Write *answers* (guid → text) as a submission CSV for *data*, checked, in the data's order."""
    from kit.competition.csv import check_submission
    from kit.competition.csv import write_submission as write

    guids = tuple(question.guid for question in _dataset(data))
    ordered = {guid: answers[guid] for guid in guids if guid in answers} | dict(answers)
    check_submission(ordered, guids, path)
    write(Path(path), guids, [answers[guid] for guid in guids])
    return Path(path)


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
    test = _dataset(against)
    report = leaks(datasets, test)
    if report.leaking:
        raise LeakError(f"{report.message}; --allow-leak trains all the same")


def _several(data: Data | Sequence[Data]) -> Sequence[Data]:
    return [data] if isinstance(data, (Dataset, str, Path)) else data


def _dataset(data: Data, *, answers_needed: bool = False) -> Dataset:
    if not isinstance(data, Dataset):
        return load_file(data, answers_needed=answers_needed)
    if answers_needed and not data.has_answers:
        return load_file(data.path, answers_needed=True)  # says what is wrong
    return data


def _run(run: Run | PathLike) -> Run:
    from kit.spans.members import open_run

    return open_run(run) if isinstance(run, (str, Path)) else run


def _name(recipe: Recipe | Run | PathLike) -> str:
    """What a submission made from *recipe* is called: the YAML file's stem, or the run folder's name."""
    if isinstance(recipe, Recipe):
        raise ConfigError("a recipe that is not a file has no name; give out=, the CSV to write")
    path = Path(recipe) if isinstance(recipe, (str, Path)) else recipe.folder
    return path.stem if path.suffix in RECIPE_SUFFIXES else path.resolve().name


def _recipe(recipe: Recipe | Run | PathLike) -> Recipe:
    from kit.spans.recipes import load_recipe

    if isinstance(recipe, Recipe):
        return recipe
    if not isinstance(recipe, (str, Path)):
        return bare(str(recipe.folder))
    if Path(recipe).suffix in RECIPE_SUFFIXES:
        return load_recipe(recipe)
    return bare(str(_run(recipe).folder))
