"""How the boundary model is fitted: a softmax over a question's gold and other spans of its context."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from kit.data.records import Question
from kit.ranking.boundary import BoundaryModel
from kit.ranking.boundary_features import span_features
from kit.ranking.model import softmax
from kit.spans.posteriors import Posterior
from kit.spans.span_scores import offsets_of

BITS = 18
PENALTIES = (2.0, 4.0, 8.0)
"""Of squared weights; held-out golds choose."""
_LISTED, _MOVED, _WORDS = 20, 12, 12
"""Spans of each question beside its gold: the likeliest by the members, moved golds, random words."""
_REACH = 5
"""Code points that an end is moved by at most."""
_ITERATIONS = 20
"""More of them learn the golds by heart."""
_CORRECTIONS = 8
Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Examples:
    """The spans that Q questions are learned from, none of a question whose gold is not known or blank.

    features: int32 (S, features); offsets: int64 (Q + 1,); gold: bool (S,)
    """

    features: NDArray[np.int32]
    offsets: NDArray[np.int64]
    gold: NDArray[np.bool_]
    morphology: bool

    def only(self, rows: Rows) -> Examples:
        """Those of the questions in *rows*, bool (Q,), without questions that have none."""
        counts = np.diff(self.offsets)
        rows = rows & (counts > 0)
        kept = np.repeat(rows, counts)
        return Examples(self.features[kept], offsets_of(counts[rows]), self.gold[kept], self.morphology)


def examples_of(questions: Sequence[Question], members: Posterior, *, morphology: bool) -> Examples:
    """The gold of each question and other spans: those likeliest by *members*, moved golds, random words.

    Which spans are drawn depends on the question alone.  No other span reads like a gold.
    """
    listed = members.likeliest(_LISTED)
    begins: list[int] = []
    ends: list[int] = []
    golds: list[bool] = []
    counts = []
    for number, question in enumerate(questions):
        answers = sorted({(answer.start, answer.end) for answer in question.answers or () if answer.text})
        texts = {answer.text for answer in question.answers or ()}
        candidates = ((begin, end) for begin, end, _ in listed.spans(number))
        others = dict.fromkeys([*candidates, *_drawn(question, answers)] if answers else ())
        spans = [*answers, *(one for one in others if question.context[slice(*one)] not in texts)]
        if len(spans) == len(answers):
            spans = []
        begins += [begin for begin, _ in spans]
        ends += [end for _, end in spans]
        golds += [place < len(answers) for place in range(len(spans))]
        counts.append(len(spans))
    question_of = np.repeat(np.arange(len(questions)), counts)
    features = span_features(
        questions, question_of, np.array(begins, np.int64), np.array(ends, np.int64), bits=BITS,
        morphology=morphology,
    )  # fmt: skip
    return Examples(features, offsets_of(counts), np.array(golds, np.bool_), morphology)


def _drawn(question: Question, answers: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Golds with one end or both moved, and whole words, some without their last characters."""
    context = question.context
    rng = random.Random(question.guid)
    found = []
    for _ in range(_MOVED):
        begin, end = rng.choice(answers)
        which = rng.randrange(3)
        if which != 1:
            begin += rng.randint(-_REACH, _REACH)
        if which != 0:
            end += rng.randint(-_REACH, _REACH)
        if 0 <= begin < end <= len(context):
            found.append((begin, end))
    starts = [0, *(place + 1 for place, letter in enumerate(context[:-1]) if letter.isspace())]
    for _ in range(_WORDS):
        first = rng.randrange(len(starts))
        last = min(first + rng.choice((1, 1, 1, 2, 2, 3, 4)), len(starts))
        end = starts[last] - 1 if last < len(starts) else len(context)
        end -= rng.choice((0, 0, 1, 1, 1, 2, 2, 3))
        if end > starts[first]:
            found.append((starts[first], end))
    return found


def fit_boundary(examples: Examples, rows: Rows, fitted_on: str, l2: float) -> BoundaryModel:
    """The weights under which the golds of *rows* are likeliest, less *l2* / 2 times the squared weights.

    The same examples give the same bytes.
    """
    own = examples.only(rows)
    count, width = own.features.shape
    # Features that no example has keep the weight 0, and cost nothing.
    seen = np.zeros(1 << BITS, np.bool_)
    seen[own.features] = True
    column = np.cumsum(seen) - 1
    matrix = csr_matrix(
        (np.ones(count * width, np.float32), column[own.features.ravel()], np.arange(count + 1) * width),
        shape=(count, int(seen.sum())),
    )
    transposed = matrix.T

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        score = (matrix @ weights.astype(np.float32)).astype(np.float64)
        p, log_all = softmax(score, own.offsets)
        p_gold, log_gold = softmax(np.where(own.gold, score, -np.inf), own.offsets)
        gradient = transposed @ (p - p_gold).astype(np.float32)
        value = (log_all - log_gold).sum() + l2 / 2 * float(weights @ weights)
        return float(value), gradient.astype(np.float64) + l2 * weights

    weights = np.zeros(1 << BITS, np.float32)
    if count:
        options = {"maxiter": _ITERATIONS, "maxcor": _CORRECTIONS}
        found = minimize(loss, np.zeros(matrix.shape[1]), jac=True, method="L-BFGS-B", options=options)
        weights[seen] = found.x
    return BoundaryModel(weights, examples.morphology, fitted_on, l2)


def held_out_loss(model: BoundaryModel, examples: Examples, rows: Rows) -> float:
    """The mean of −log p of the golds of *rows* among their examples; 0 where there are none."""
    own = examples.only(rows)
    if not len(own.gold):
        return 0.0
    score = model.weights[own.features].sum(axis=1, dtype=np.float64)
    _, log_all = softmax(score, own.offsets)
    _, log_gold = softmax(np.where(own.gold, score, -np.inf), own.offsets)
    return float((log_all - log_gold).mean())
