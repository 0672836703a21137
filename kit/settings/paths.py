"""Where files go, and are looked for, unless the user says otherwise: all default paths of the kit."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

DATA = Path("data")
RUNS = Path("runs")
SUBMISSIONS = Path("submissions")
REPORTS = Path("reports")
LEDGER = SUBMISSIONS / "ledger.jsonl"
COMPETITION_DATA = DATA / "goorm-2"
"""Where ``kit download goorm-2`` puts its files."""
TRAIN, TEST, SAMPLE = "train.json", "test.json", "sample_submission.csv"
"""The files of a competition, by name."""
RECIPE_SUFFIXES = frozenset({".yaml", ".yml"})
MOUNTED = "/kaggle/input/"
"""Where Kaggle puts data sets; a folder there is not on this machine."""
SWEEP_FILE = "sweep.json"
"""In the folder of a sweep: where its study is."""
TUNED = "tuned"
"""The folder of tuned recipes, beside the recipe."""
_SUFFIXES = {".json", ".jsonl", ".csv", ".tsv", ".parquet", ".zip", ".gz"}


def submission_csv(name: str) -> Path:
    """``submissions/NAME.csv``."""
    return SUBMISSIONS / f"{name}.csv"


def report_page(name: str) -> Path:
    """``reports/NAME.html``."""
    return REPORTS / f"{name}.html"


def tuned_recipe(recipe: Path) -> Path:
    """``tuned/NAME.yaml`` beside the recipe."""
    return recipe.parent / TUNED / recipe.name


def repaired_copy(data: Path) -> Path:
    """Where ``--repair`` may write a sound copy of *data*: ``train-repaired.json`` beside it."""
    stem = data.name
    while Path(stem).suffix.lower() in _SUFFIXES:
        stem = Path(stem).stem
    return data.with_name(f"{stem}-repaired.json")


def own_test_file(data: Path) -> Path | None:
    """The test file that belongs to the training file *data*, or the competition's; None where neither is."""
    places = (data.parent / TEST, COMPETITION_DATA / TEST)
    return next((path for path in places if path.is_file() and path != data), None)


def unused(
    target: Path, source: Path, made_from_it: Callable[[Path], bool], say: Callable[[str], object]
) -> Path:
    """*target*, or where that file was made from something else, the first free name like it; *say* is told.

    ``e5.csv`` becomes ``e5-tuned.csv`` for the source ``tuned/e5.yaml``, then ``e5-2.csv``, ``e5-3.csv``, ….
    *made_from_it* says whether an existing file was made from *source*, and so may be replaced.
    """
    folder = source.parent.name
    parted = [f"{target.stem}-{folder}"] if folder and folder != RUNS.name else []
    names = itertools.chain(
        [target.stem], parted, (f"{target.stem}-{number}" for number in itertools.count(2))
    )
    paths = (target.with_name(f"{name}{target.suffix}") for name in names)
    chosen = next(path for path in paths if not path.exists() or made_from_it(path))
    if chosen != target:
        say(f"{target} was made from something else and stays; this one is {chosen}")
    return chosen
