"""Making a submission: decode by the recipe, check the answers, write CSV and card."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from kit.data.records import Dataset
from kit.decoding.ensembles import Answers
from kit.errors import SubmissionError
from kit.files import locked, now, sha256_file
from kit.metrics.scores import Score, score_answers
from kit.progress import Progress
from kit.settings.paths import SAMPLE
from kit.settings.recipe import Recipe
from kit.spans.out_of_fold import OUT_OF_FOLD
from kit.spans.recipe_members import ScoreSource
from kit.submission.answer_files import answer
from kit.submission.card import (
    DEFAULT_COMPETITION,
    Card,
    CardData,
    Estimate,
    Member,
    git_revision,
    read_card,
    writing_card,
)
from kit.submission.csv import check_name, check_sample, check_submission, encoded, write_submission
from kit.submission.estimate import local_estimate
from kit.tuning.figures import figure_of
from kit.version import __version__


def make_submission(
    recipe: Recipe, dataset: Dataset, out: Path, truth: Dataset | None, made_from: str, progress: Progress
) -> tuple[Path, dict[str, str], Card, Score | None]:
    """Decode, check, write *out* and its card; score against *truth* where given.

    The CSV has every guid of *dataset* exactly once, in file order; where ``sample_submission.csv``
    lies beside the data, its ids must be the same.  Raises SubmissionError, WriteError, LockError where
    another process makes the same CSV, and what decoding raises; then an earlier CSV and card stay
    unchanged.
    """
    check_name(out)  # before the work
    with locked(out, wait=False):  # a CSV and its card belong together
        found = answer(recipe, dataset, progress)
        guids = tuple(question.guid for question in dataset)
        check_submission(found.texts, guids, out)
        sample = dataset.path.parent / SAMPLE
        if sample.is_file() and not dataset.has_answers:
            check_sample(sample, guids)
        score = None if truth is None else score_answers(found.texts, truth, label=out.stem)
        texts = list(found.texts.values())
        card = Card(
            name=out.stem,
            csv_sha256=hashlib.sha256(encoded(out, guids, texts)).hexdigest(),
            data=CardData(path=str(dataset.path), sha256=dataset.sha256, questions=len(dataset)),
            recipe=_as_run(recipe),
            members=tuple(_member(source) for source in found.sources),
            estimate=_estimate(recipe, dataset, score, found, progress),
            competition=DEFAULT_COMPETITION,
            revision=git_revision(),
            kit_version=__version__,
            made_at=now(),
            made_from=made_from,
        )
        with writing_card(out, card):
            write_submission(out, guids, texts)
    return out, found.texts, card, score


def made_from_same(csv: Path, made_from: str, recipe: Recipe, dataset: Dataset) -> bool:
    """Whether *csv* was made from the same recipe or runs, named by *made_from*, for the same data file."""
    try:
        card = read_card(csv)
    except SubmissionError:  # none, or of a file that the kit did not make
        return False
    if dataset.sha256 != card.data.sha256 and str(dataset.path) != card.data.path:
        return False
    return card.made_from == made_from if card.made_from else card.recipe == _as_run(recipe)


def _as_run(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json", exclude={"nested"})


def _estimate(
    recipe: Recipe, dataset: Dataset, score: Score | None, answers: Answers, progress: Progress
) -> Estimate:
    if score is None:
        return local_estimate(recipe, dataset, progress)
    kind, reason = "scored", ""
    if any(source.fold == OUT_OF_FOLD for source in answers.sources):
        figure = figure_of(recipe, dataset)
        kind, reason = ("fit", figure.why) if figure.why else (figure.kind, "")
    return Estimate(edit=score.edit, interval=score.interval, kind=kind, reason=reason)


def _member(source: ScoreSource) -> Member:
    return Member(
        label=source.label,
        run=source.run,
        fold=int(source.fold) if source.fold.isdecimal() else None,
        span_file=source.file.name,
        span_sha256=sha256_file(source.file),
        weight=source.weight,
        temperature=source.temperature,
    )
