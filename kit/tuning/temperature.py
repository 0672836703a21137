"""Temperatures by the likelihood of gold spans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from kit.data.records import Question
from kit.spans.posteriors import mass_of_spans
from kit.spans.span_scores import SpanScores

FLOOR = 1e-5
"""What a gold counts that a member cannot express, or thinks next to impossible."""
LOWEST, HIGHEST = 0.4, 3.0
ENOUGH = 600
"""A temperature is one number: more questions than this move it by less than its use can tell."""
_TOLERANCE = 0.05


def gold_likelihood(
    scores: SpanScores,
    questions: Sequence[Question],
    length_cap: int,
    temperature: float,
    bonus: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Log probability of each question's gold spans, float64 (Q,), at least log FLOOR.

    *scores* are in the order of *questions*; the probabilities are those of `span_posterior`.
    """
    golds = [gold_spans(question) for question in questions]
    found = mass_of_spans(scores, length_cap, golds, temperature=temperature, bonus=bonus)
    likelihood: NDArray[np.float64] = np.log(np.maximum(found, FLOOR))
    return likelihood


def gold_spans(question: Question) -> set[tuple[int, int]]:
    """Where the gold answers begin and end, code points of the context."""
    return {(answer.start, answer.end) for answer in question.answers or ()}


def sample(questions: NDArray[np.intp], most: int, seed: int = 0) -> NDArray[np.intp]:
    """*questions*, ascending, or *most* of them, drawn without replacement."""
    if len(questions) <= most:
        return questions
    return np.sort(np.random.default_rng(seed).choice(questions, most, replace=False))


def fit_temperature(
    scores: SpanScores,
    questions: Sequence[Question],
    length_cap: int,
    bonus: NDArray[np.float64] | None,
) -> float:
    """The temperature under which the gold spans of *questions* are likeliest, to two digits.

    *scores* are in the order of *questions*, of which `ENOUGH` do.  Guo et al., On Calibration of Modern
    Neural Networks (2017), with spans for classes.
    """

    def loss(log_temperature: float) -> float:
        temperature = float(np.exp(log_temperature))
        return -float(gold_likelihood(scores, questions, length_cap, temperature, bonus).mean())

    bounds = (np.log(LOWEST), np.log(HIGHEST))
    best = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": _TOLERANCE})
    return round(float(np.exp(best.x)), 2)
