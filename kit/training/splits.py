"""Which questions teach a model, which choose its best checkpoint, and which it is judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from kit.data.folds import folds, holdout
from kit.data.records import Dataset, Question
from kit.errors import DataError, counted
from kit.settings.folds import FileFolds, FoldPlan
from kit.settings.job import Job
from kit.settings.runs import FULL, read_run
from kit.settings.training import TrainingSettings

HOLDOUT = 0.1


@dataclass(frozen=True, slots=True)
class Part:
    """The questions of one model of a run: ``full``, or one fold."""

    name: str
    train: Sequence[Question]
    dev: Sequence[Question]
    """The best checkpoint is the one with the lowest Edit Score here; empty: the last one is kept."""
    test: Sequence[Question]
    """Scored when the training is done, and nothing is chosen on them; empty for ``full``."""


def limited(job: Job[Dataset]) -> Job[Dataset]:
    """*job* with the first ``limit`` questions of each of its files: nothing else is learned or scored.

    A run that version 0.1 began goes on with all of them: there the limit was on what is learned alone.
    """
    limit = job.settings.limit
    begun = read_run(job.run)
    if limit is None or (begun is not None and begun.limits_learning_alone):
        return job
    return job.read(lambda data: data.first(limit))


def make_plan(data: Sequence[Dataset], settings: TrainingSettings) -> FoldPlan:
    """Deal the questions of all *data* into folds, whole groups of related contexts."""
    assert settings.folds is not None
    fold_of = folds(_all(data), settings.folds, settings.split_seed)
    files, first = [], 0
    for dataset in data:
        own = fold_of[first : first + len(dataset)]
        files.append(FileFolds(name=dataset.path.name, sha256=dataset.sha256, fold_of=tuple(own.tolist())))
        first += len(dataset)
    return FoldPlan(folds=settings.folds, split_seed=settings.split_seed, files=tuple(files))


def whole(data: Sequence[Dataset], valid: Dataset | None, settings: TrainingSettings) -> Part:
    """The part of a run without folds: *valid*, or else a seeded tenth, chooses the best checkpoint."""
    questions = _all(data)
    if valid is not None:
        dev = list(_answered(valid))
    else:
        questions, dev = _inner_split(questions, settings)
    return _checked(Part(FULL, questions, dev, ()), data, settings)


def fold_part(data: Sequence[Dataset], plan: FoldPlan, fold: int, settings: TrainingSettings) -> Part:
    """The part of one fold; with early stopping a tenth of what it trains on chooses the checkpoint."""
    numbers: NDArray[np.int64] = np.concatenate([plan.fold_of(dataset.sha256) for dataset in data])
    train, test = _split(_all(data), numbers == fold)
    dev: list[Question] = []
    if settings.early_stopping is not None:
        train, dev = _inner_split(train, settings)
    return _checked(Part(str(fold), train, dev, test), data, settings)


def _inner_split(
    questions: Sequence[Question], settings: TrainingSettings
) -> tuple[list[Question], list[Question]]:
    return _split(questions, holdout(questions, share=HOLDOUT, seed=settings.split_seed))


def _split(questions: Sequence[Question], out: NDArray[np.bool_]) -> tuple[list[Question], list[Question]]:
    """Those that stay, and those that are *out*, bool (questions,)."""
    return list(compress(questions, ~out)), list(compress(questions, out))


def _checked(part: Part, data: Sequence[Dataset], settings: TrainingSettings) -> Part:
    # Where the limit is on learning alone, the files are whole: see `limited`.
    if settings.limit is not None and any(len(dataset) > settings.limit for dataset in data):
        part = replace(part, train=part.train[: settings.limit])
    judged = len(part.dev) + len(part.test)
    if not part.train or not judged:
        raise DataError(
            f"{data[0].path}: {counted(len(part.train), 'question')} to train on and {judged} held out; both "
            "are needed: give more data, or a file of its own with --valid"
        )
    return part


def _all(data: Sequence[Dataset]) -> list[Question]:
    return [question for dataset in data for question in _answered(dataset)]


def _answered(dataset: Dataset) -> Sequence[Question]:
    if any(question.answers is None for question in dataset):
        raise DataError(f"{dataset.path}: has questions without answers; train on a file that has them all")
    return dataset.questions
