"""``kit tune`` as a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kit import terminal
from kit.api.arguments import Data, PathLike, dataset_of, path_given
from kit.decoding.recipes import load_recipe, write_recipe
from kit.display import Displayed, Table
from kit.files import locked
from kit.ranking.boundary_file import write_boundary_beside
from kit.ranking.model import write_ranker_beside
from kit.settings.paths import tuned_recipe, unused
from kit.settings.recipe import NestedScore
from kit.spans.recipe_members import used_by
from kit.submission.answer_files import answer_files
from kit.tuning.members import find_training_data
from kit.tuning.nested import Tuned
from kit.tuning.nested import tune as fit
from kit.version import __version__


@dataclass(frozen=True, slots=True, repr=False)
class TunedRecipe(Displayed):
    """A tuned recipe that was written, the data it was fitted on, and the table of nested scores."""

    path: Path
    data: Path
    tuned: Tuned

    @property
    def headline(self) -> str:
        return f"{self.path}: {self.tuned.headline}"

    def tables(self) -> list[Table]:
        first, *others = self.tuned.tables()
        return [replace(first, title=f"{self.path.name} on {self.data}"), *others]


def tune(
    recipe: PathLike,
    data: Data | None = None,
    *,
    out: PathLike | None = None,
    say: Callable[[str], object] = lambda line: None,
) -> TunedRecipe:
    """Fit a recipe file on its members' out-of-fold scores and write the tuned one, with its nested score.

    A call that was interrupted resumes with the outer folds that it finished.  *data* is the members'
    training file, by default the one below this folder that has its hash; *out*
    defaults to ``tuned/NAME.yaml`` beside the recipe.  Raises ConfigError where a member has no
    out-of-fold scores, LockError where another process tunes into the same file.
    """
    path = path_given(recipe, "recipe")
    target = None if out is None else path_given(out, "out", ".yaml", ".yml")
    given = load_recipe(path)
    dataset = dataset_of(find_training_data(given, Path()) if data is None else data, answers_needed=True)
    dataset = used_by(given, dataset)
    if target is None:
        target = unused(tuned_recipe(path), path, partial(_tuned_from, path), say)
    with locked(target, wait=False):
        tuned = fit(given, dataset, say, terminal.progress, answer_files(given))
        comment = (
            f"Tuned by kit {__version__} from {path.name} on the out-of-fold scores of {dataset.path.name} "
            f"({dataset.sha256[:8]}); nested Edit Score {tuned.distances.mean():.3f}."
        )
        chosen = tuned.recipe
        if tuned.stage is not None:
            boundary = write_boundary_beside(target, tuned.stage.boundary)
            chosen = chosen.model_copy(update={"boundary": str(boundary)})
            if tuned.stage.ranker is not None:
                ranker = write_ranker_beside(target, tuned.stage.ranker)
                chosen = chosen.model_copy(update={"ranker": str(ranker)})
        nested = NestedScore(
            data=dataset.sha256, edit=round(float(tuned.distances.mean()), 6), of=chosen.settings_digest
        )
        write_recipe(target, chosen.model_copy(update={"nested": nested}), comment)
    return TunedRecipe(target, dataset.path, tuned)


def _tuned_from(recipe: Path, tuned: Path) -> bool:
    """Whether *tuned* is what an earlier `tune` made from *recipe*."""
    with tuned.open(encoding="utf-8", errors="replace") as file:
        head = file.readline()
    return head.startswith("# Tuned by kit ") and f" from {recipe.name} on " in head
