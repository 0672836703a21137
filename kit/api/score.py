"""``kit score`` as functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kit.api.arguments import Data, PathLike, answers_given, dataset_of, run_of, several
from kit.metrics.scores import Score, Versus, compare, score_answers
from kit.submission.csv import read_submission

if TYPE_CHECKING:
    from kit.spans.run_folder import Run

Predictions = Mapping[str, str] | PathLike


def score(
    predictions: Predictions,
    answers: Data,
    *,
    reference: str = "first",
    versus: Predictions | None = None,
    say: Callable[[str], object] = lambda line: None,
) -> Score:
    """Edit Score, exact match, character F1 and blanks of a CSV, or of a mapping guid → text.

    *reference*: which gold counts: first, min or mean.  *versus*: other answers to the same questions; the
    result's ``versus`` has their score and the paired difference.  *say* gets a warning where all gold
    answers are empty.  Raises DataError, SubmissionError, ConfigError.
    """
    truth = dataset_of(answers, answers_needed=True)
    texts, label = _texts(predictions, "predictions")
    own = score_answers(texts, truth, reference=reference, label=label)
    if versus is not None:
        texts, label = _texts(versus, "versus")
        other = score_answers(texts, truth, reference=reference, groups=own.groups, label=label)
        own = replace(own, versus=Versus(other, compare(other, own)))
    if not any(any(question.golds) for question in truth):
        say(f"{truth.path}: all its answers are empty, so only blanks are right; is it the right file?")
    return own


def out_of_fold(
    run: Run | PathLike, data: Data | Sequence[Data], *, plain: bool = False
) -> dict[Path, Score]:
    """How a run with folds answers each file it trained on, out of fold; {} before the last fold is trained.

    Answers are those of `decode` for a run without a recipe; *plain*: by argmax alone.
    """
    from kit.api.ensemble import decode
    from kit.spans.out_of_fold import missing_folds

    opened = run_of(run)
    if opened.record is None or opened.record.settings.folds is None or missing_folds(opened.record):
        return {}
    datasets = [opened.used(dataset_of(given, answers_needed=True)) for given in several(data)]
    return {dataset.path: score(decode(opened, dataset, plain=plain), dataset) for dataset in datasets}


def _texts(predictions: Predictions, name: str) -> tuple[Mapping[str, str], str]:
    """guid → text, and the label of the score."""
    if isinstance(predictions, (str, os.PathLike)):
        return read_submission(Path(predictions)), str(predictions)
    return answers_given(predictions, name), "answers" if name == "predictions" else name
