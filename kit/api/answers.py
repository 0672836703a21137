"""Verbs from span scores to a scored submission."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kit.api.arguments import (
    Data,
    PathLike,
    answers_given,
    dataset_of,
    name_of,
    path_given,
    recipe_of,
    run_of,
    several,
)
from kit.settings.recipe import Recipe
from kit.version import __version__

if TYPE_CHECKING:
    from kit.decoding.explain import Explanation
    from kit.metrics.scores import Score
    from kit.spans.run_folder import Run
    from kit.submission.card import Card
    from kit.tuning.nested import Tuned


@dataclass(frozen=True, slots=True)
class Submission:
    """A written submission: its CSV, the answers in it, its card, and its score where answers were given."""

    path: Path
    answers: Mapping[str, str]
    card: Card
    score: Score | None


def decode(recipe: Recipe | Run | PathLike, data: Data) -> dict[str, str]:
    """guid → answer for every question of *data*, in file order, as the recipe says.

    *recipe* is a recipe, the path of one, or a run whose span scores exist.  Raises SpanFileError naming
    the command to run where they do not.
    """
    from kit.submission.build import answer

    return answer(recipe_of(recipe), dataset_of(data)).texts


def explain(recipe: Recipe | Run | PathLike, data: Data, guid: str) -> Explanation:
    """How the recipe comes to its answer to one question: candidates, expected distances, members."""
    from kit.decoding.explain import explain as explain_question
    from kit.submission.build import csv_members

    chosen = recipe_of(recipe)
    return explain_question(chosen, dataset_of(data), guid, csv_members(chosen))


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
    from kit.submission.build import make_submission

    target = path_given(out, "out") if out is not None else Path("submissions") / f"{name_of(recipe)}.csv"
    truth = None if answers is None else dataset_of(answers, answers_needed=True)
    path, texts, card, result = make_submission(recipe_of(recipe), dataset_of(data), target, truth)
    return Submission(path, texts, card, result)


@dataclass(frozen=True, slots=True)
class TunedRecipe:
    """A tuned recipe that was written, the data it was fitted on, and the table of nested scores."""

    path: Path
    data: Path
    tuned: Tuned


def tune(
    recipe: PathLike,
    data: Data | None = None,
    *,
    out: PathLike | None = None,
    say: Callable[[str], object] = lambda line: None,
) -> TunedRecipe:
    """Fit a recipe file on its members' out-of-fold scores and write the tuned one.

    *data* is the members' training file, by default the one below this folder that has its hash; *out*
    defaults to ``tuned/NAME.yaml`` beside the recipe.  Raises ConfigError where a member has no
    out-of-fold scores, LockError where another process tunes into the same file.
    """
    from kit.decoding.recipes import load_recipe, write_recipe
    from kit.files import locked
    from kit.ranking.model import write_ranker_beside
    from kit.tuning.members import find_training_data
    from kit.tuning.nested import tune as fit

    path = path_given(recipe, "recipe")
    given = load_recipe(path)
    dataset = dataset_of(find_training_data(given, Path()) if data is None else data, answers_needed=True)
    target = path_given(out, "out") if out is not None else path.parent / "tuned" / path.name
    with locked(target, wait=False):
        tuned = fit(given, dataset, say)
        comment = (
            f"Tuned by kit {__version__} from {path.name} on the out-of-fold scores of {dataset.path.name} "
            f"({dataset.sha256[:8]}); nested Edit Score {tuned.distances.mean():.3f}."
        )
        chosen = tuned.recipe
        if tuned.ranker is not None:
            ranker = write_ranker_beside(target, tuned.ranker)
            chosen = chosen.model_copy(update={"ranker": str(ranker)})
        write_recipe(target, chosen, comment)
    return TunedRecipe(target, dataset.path, tuned)


def score(predictions: Mapping[str, str] | PathLike, answers: Data, *, reference: str = "first") -> Score:
    """Edit Score, exact match, character F1 and blanks of a CSV, or of a mapping guid → text."""
    from kit.metrics.scores import score_answers
    from kit.submission.csv import read_submission

    truth = dataset_of(answers, answers_needed=True)
    if not isinstance(predictions, (str, os.PathLike)):
        return score_answers(answers_given(predictions, "predictions"), truth, reference=reference)
    path = Path(predictions)
    return score_answers(read_submission(path), truth, reference=reference, label=str(path))


def write_submission(path: PathLike, data: Data, answers: Mapping[str, str]) -> Path:
    """Write *answers* (guid → text) as a submission CSV for *data*, checked, in the data's order."""
    from kit.submission.csv import check_submission
    from kit.submission.csv import write_submission as write

    answers, path = answers_given(answers, "answers"), path_given(path, "path")
    guids = tuple(question.guid for question in dataset_of(data))
    ordered = {guid: answers[guid] for guid in guids if guid in answers} | dict(answers)
    check_submission(ordered, guids, path)
    write(path, guids, [answers[guid] for guid in guids])
    return path


def out_of_fold(run: Run | PathLike, data: Data | Sequence[Data]) -> dict[Path, Score]:
    """How a run with folds answers each file it trained on, out of fold; {} before the last fold is trained.

    Answers are the likeliest spans, without rules: `decode` with a recipe gives others.
    """
    from kit.spans.out_of_fold import missing_folds

    opened = run_of(run)
    if opened.record is None or opened.record.settings.folds is None or missing_folds(opened.record):
        return {}
    datasets = [dataset_of(given, answers_needed=True) for given in several(data)]
    return {dataset.path: score(decode(opened, dataset), dataset) for dataset in datasets}
