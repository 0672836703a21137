"""The boundary model while tuning: no question is scored by a model that was fitted on its group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kit.data.folds import folds
from kit.data.records import Question
from kit.metrics.edit_distance import edit_distances
from kit.ranking.boundary import BoundaryModel, Refinement, with_forms
from kit.ranking.boundary_fit import PENALTIES, Rows, examples_of, fit_boundary, held_out_loss
from kit.spans.minimum_risk import minimum_risk_answers
from kit.spans.posteriors import Posterior
from kit.text_rules import particles
from kit.tuning.temperature import sample

INNER_FOLDS = 3
WEIGHTS = (0.15, 0.3, 0.45, 0.6, 0.8)
_ENOUGH = 2000
"""Questions that a weight is chosen on: more of them hardly move it."""


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """A blend refined for all questions, and the model of all *rows*.

    A question in *rows* is scored by a model that was fitted on others of *rows*, each other one by *model*.
    """

    refinement: Refinement
    model: BoundaryModel


def cross_fitted(
    blend: Posterior,
    questions: Sequence[Question],
    groups: NDArray[np.int64],
    rows: Rows,
    fitted_on: str = "",
) -> CrossFitted:
    """Fit boundary models on *rows*, bool (Q,), by folds of whole *groups*, int64 (Q,), and refine *blend*.

    The golds of the first inner fold choose the penalty, the Edit Score of `edit` on *rows* the weight.
    """
    spread = with_forms(blend, questions)
    examples = examples_of(questions, blend, morphology=particles.installed())
    fold_of = _inner_folds(questions, groups, rows)
    first = {
        penalty: fit_boundary(examples, rows & (fold_of != 0), fitted_on, penalty) for penalty in PENALTIES
    }
    losses = {penalty: held_out_loss(model, examples, fold_of == 0) for penalty, model in first.items()}
    penalty = min(PENALTIES, key=lambda one: losses[one])
    scores = np.zeros(len(spread.p))
    for fold in np.unique(fold_of[rows]).tolist():
        own = fold_of == fold
        model = first[penalty] if fold == 0 else fit_boundary(examples, rows & ~own, fitted_on, penalty)
        _score(scores, spread, questions, model, own)
    model = fit_boundary(examples, rows, fitted_on, penalty)
    _score(scores, spread, questions, model, ~rows)
    refinement = Refinement(spread, scores, 0.0)
    return CrossFitted(replace(refinement, weight=_weight(refinement, questions, rows)), model)


def _inner_folds(questions: Sequence[Question], groups: NDArray[np.int64], rows: Rows) -> NDArray[np.int64]:
    """The inner fold of each question of *rows*, −1 for the others."""
    found = np.full(len(rows), -1, np.int64)
    chosen = np.flatnonzero(rows)
    count = min(INNER_FOLDS, len(np.unique(groups[chosen])))
    own = [questions[index] for index in chosen.tolist()]
    found[chosen] = folds(own, count, labels=groups[chosen]) if count > 1 else 0
    return found


def _score(
    scores: NDArray[np.float64],
    spread: Posterior,
    questions: Sequence[Question],
    model: BoundaryModel,
    rows: Rows,
) -> None:
    """Put the scores by *model* of the spans of *rows* into *scores*."""
    own = rows[spread.question]
    if own.any():
        scores[own] = model.scores(questions, spread.question[own], spread.begin[own], spread.end[own])


def _weight(refinement: Refinement, questions: Sequence[Question], rows: Rows) -> float:
    chosen = sample(np.flatnonzero(rows), _ENOUGH)
    own = [questions[index] for index in chosen.tolist()]
    golds = [question.golds for question in own]

    def score(weight: float) -> float:
        posterior = replace(refinement, weight=weight).posterior.select(chosen)
        return round(float(edit_distances(minimum_risk_answers(posterior, own), golds).mean()), 6)

    return min(WEIGHTS, key=score)
