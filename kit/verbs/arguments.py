"""What a verb may be given, paths or objects, as objects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kit.config.recipe import Recipe, bare
from kit.data.formats import load as load_file
from kit.data.records import Dataset
from kit.errors import ConfigError

if TYPE_CHECKING:
    from kit.spans.members import Run


RECIPE_SUFFIXES = frozenset({".yaml", ".yml"})
PathLike = str | Path
Data = Dataset | PathLike


def several(data: Data | Sequence[Data]) -> Sequence[Data]:
    return [data] if isinstance(data, (Dataset, str, Path)) else data


def dataset_of(data: Data, *, answers_needed: bool = False) -> Dataset:
    if not isinstance(data, Dataset):
        return load_file(data, answers_needed=answers_needed)
    if answers_needed and not data.has_answers:
        return load_file(data.path, answers_needed=True)  # says what is wrong
    return data


def path_of(data: Data) -> Path:
    return data.path if isinstance(data, Dataset) else Path(data)


def run_of(run: Run | PathLike) -> Run:
    from kit.spans.members import open_run

    return open_run(run) if isinstance(run, (str, Path)) else run


def name_of(recipe: Recipe | Run | PathLike) -> str:
    """What a submission made from *recipe* is called: the YAML file's stem, or the run folder's name."""
    if isinstance(recipe, Recipe):
        raise ConfigError("a recipe that is not a file has no name; give out=, the CSV to write")
    path = Path(recipe) if isinstance(recipe, (str, Path)) else recipe.folder
    return path.stem if path.suffix in RECIPE_SUFFIXES else path.resolve().name


def recipe_of(recipe: Recipe | Run | PathLike) -> Recipe:
    from kit.spans.recipes import load_recipe

    if isinstance(recipe, Recipe):
        return recipe
    if not isinstance(recipe, (str, Path)):
        return bare(str(recipe.folder))
    if Path(recipe).suffix in RECIPE_SUFFIXES:
        return load_recipe(recipe)
    return bare(str(run_of(recipe).folder))
