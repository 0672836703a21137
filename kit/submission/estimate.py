"""The local estimate of a submission: out of fold, for a test set of this size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kit.data.folds import groups
from kit.data.readers import load
from kit.data.records import Dataset
from kit.errors import KitError, counted
from kit.metrics.edit_distance import edit_distances
from kit.metrics.predictions import expect, public_private_spread
from kit.progress import Progress, no_progress
from kit.settings.recipe import Recipe
from kit.spans.recipe_members import used_by
from kit.submission.answer_files import answer, answer_files
from kit.submission.card import Estimate
from kit.tuning.figures import figure_of
from kit.tuning.members import find_training_data, out_of_fold_members, with_out_of_fold_texts

_CURE = "score labelled questions with --answers"


def local_estimate(recipe: Recipe, dataset: Dataset, progress: Progress = no_progress) -> Estimate:
    """The Edit Score to expect of *recipe* on *dataset*, from its members' out-of-fold scores.

    Where settings were fitted on these scores it is the nested score that `kit tune` measured, and none if
    that is not known: see `kit.tuning.figures`.  The interval covers the uncertainty of the true mean and the
    sampling of a test set of this size.
    The members' training file is looked for in the working folder, its data/ and beside the test file.  Where
    there is no estimate, its reason names the cause and what to do.
    """
    try:
        path = find_training_data(recipe, Path(), dataset.path.parent, cure=_CURE)
        training = used_by(recipe, load(path, answers_needed=True))
        files = answer_files(recipe)
        out_of_fold_members(recipe, with_out_of_fold_texts(recipe, training, files), files)
        texts = answer(recipe, training, progress).texts
    except KitError as error:
        return Estimate(reason=f"no estimate: {error}")
    distances = edit_distances(list(texts.values()), [question.golds for question in training])
    figure = figure_of(recipe, training)
    if figure.kind == "fit":
        return Estimate(reason=f"no estimate: {distances.mean():.3f} is a fit: {figure.why}")
    labels = groups(training.questions)
    found = expect(distances, labels, len(dataset))
    # The nested answers themselves are not kept; theirs are as spread as these.
    shift = 0.0 if figure.edit is None else figure.edit - found.mean
    half = max(len(dataset) // 2, 1)
    spread = public_private_spread(distances, labels, half, half)
    how = "out of fold" if figure.edit is None else "nested (each question by settings fitted without it)"
    note = (
        f"{how} on {training.path.name}, interval for {counted(len(dataset), 'new question')}; folds "
        "averaged at test time usually do a little better; public and private halves may differ by "
        f"{2 * spread:.2f}"
    )
    interval = found.interval
    if interval.known:
        interval = replace(interval, low=max(interval.low + shift, 0.0), high=interval.high + shift)
    return Estimate(edit=found.mean + shift, interval=interval, kind=figure.kind, reason=note)
