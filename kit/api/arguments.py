"""What the functions take, paths or objects, as objects."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kit.data.readers import load as load_file
from kit.data.records import Dataset
from kit.errors import ConfigError, DataError, SubmissionError, all_of
from kit.kaggle.slugs import source_of
from kit.settings.paths import LEDGER, RECIPE_SUFFIXES
from kit.settings.recipe import Recipe

if TYPE_CHECKING:
    from kit.spans.run_folder import Run
    from kit.submission.ledger import Ledger

PathLike = str | Path
Data = Dataset | PathLike


def text_given(value: object, name: str) -> str:
    """*value* where it is a text.  Raises ConfigError that calls it *name*."""
    if isinstance(value, str):
        return value
    raise ConfigError(f"{name}: is {_kind(value)}; a text is wanted")


def path_given(value: object, name: str, *endings: str) -> Path:
    """*value* as a path.

    Raises ConfigError that calls it *name* for another object, and for a name with none of the *endings*
    (default: any), which are those of the format that is written.
    """
    if not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str):
        raise ConfigError(f"{name}: is {_kind(value)}; one path is wanted")
    path = Path(value)
    if endings and path.suffix.lower() not in endings and not path.is_dir():
        raise ConfigError(f"{name} {path}: the file is written as {endings[0]}; name it {path}{endings[0]}")
    return path


def answers_given(value: object, name: str) -> Mapping[str, str]:
    """*value* where it is a mapping guid → text.  Raises SubmissionError that calls it *name*."""
    if not isinstance(value, Mapping):
        raise SubmissionError(
            f"{name}: is {_kind(value)}; a mapping guid → text is wanted, such as dict(zip(guids, texts))"
        )
    wrong = [f"the guid {guid!r} is {_kind(guid)}, not a text" for guid in value if not isinstance(guid, str)]
    wrong += [
        f"the answer of {guid!r} is {_kind(text)}, not a text (a blank is '')"
        for guid, text in value.items()
        if isinstance(guid, str) and not isinstance(text, str)
    ]
    if wrong:
        raise SubmissionError(f"{name}: {all_of(wrong)}")
    return value


def _kind(value: object) -> str:
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def several(data: Data | Sequence[Data]) -> Sequence[Data]:
    if isinstance(data, (Dataset, str, os.PathLike)):
        return [data]
    if isinstance(data, Iterable) and not isinstance(data, (bytes, Mapping)):
        return list(data)
    raise DataError(f"data: is {_kind(data)}; a path, a Dataset, or a list of these is wanted")


def dataset_of(data: Data, *, answers_needed: bool = False) -> Dataset:
    file = file_of(data)
    if isinstance(file, Path):
        return load_file(file, answers_needed=answers_needed)
    if answers_needed and not file.has_answers:
        return load_file(file.path, answers_needed=True)  # says what is wrong
    return file


def file_of(data: Data) -> Dataset | Path:
    """*data* as it is, a text as a path."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, (str, os.PathLike)):
        return path_given(data, "data")
    raise DataError(f"data: is {_kind(data)}; one path or Dataset is wanted")


def run_of(run: Run | PathLike) -> Run:
    from kit.spans.run_folder import Run, open_run

    return run if isinstance(run, Run) else open_run(path_given(run, "run"))


def is_recipe(recipe: object) -> bool:
    """Whether *recipe* is a recipe or names the file of one, and is not a run."""
    named = isinstance(recipe, (str, os.PathLike)) and Path(recipe).suffix in RECIPE_SUFFIXES
    return named or isinstance(recipe, Recipe)


def source_path(source: Run | PathLike, name: str = "recipe") -> Path:
    """The file or folder that a submission or page is made from."""
    return path_given(getattr(source, "folder", source), name)


def name_of(recipe: Recipe | Run | PathLike | None) -> str:
    """The name of a submission made from *recipe*: the YAML file's stem, or the run folder's name."""
    if isinstance(recipe, Recipe):
        raise ConfigError("a recipe that is not a file has no name; give out=, the CSV to write")
    path = source_path(recipe)  # type: ignore[arg-type]  # None is refused
    return path.stem if path.suffix in RECIPE_SUFFIXES else path.resolve().name


def recipe_of(recipe: Recipe | Run | PathLike | None, *, plain: bool = False) -> Recipe:
    """A recipe, or the one that a run has on its own (`kit.decoding.default`); *plain* is for runs."""
    from kit.decoding.default import recipe_of_runs
    from kit.decoding.recipes import load_recipe
    from kit.spans.run_folder import Run

    if is_recipe(recipe):
        if plain:
            raise ConfigError("--plain is for runs; a recipe says itself how to decode (decoder: argmax)")
        return recipe if isinstance(recipe, Recipe) else load_recipe(path_given(recipe, "recipe"))
    run = recipe if isinstance(recipe, Run) else run_of(path_given(recipe, "recipe"))
    return recipe_of_runs([run], plain=plain)


def ledger_of(given: PathLike | None) -> Ledger:
    from kit.submission.ledger import Ledger

    return Ledger(LEDGER if given is None else path_given(given, "ledger"))


def competition_of(given: str | None, ledger: Ledger) -> str:
    """The slug of *given*, or of the ledger's last submission."""
    from kit.submission.card import DEFAULT_COMPETITION

    if given:
        return source_of(text_given(given, "competition")).slug
    entries = ledger.entries()
    return entries[-1].competition if entries else DEFAULT_COMPETITION
