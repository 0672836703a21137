"""Span scores shaped like a trained model's: noise, and a peak or two in each window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import kit
from kit.data.records import Question
from kit.spans.span_scores import Provenance, SpanScores, offsets_of


def scores_of(questions: int) -> SpanScores:
    """One to three windows of 150 to 400 tokens of two characters for each of so many questions."""
    generator = np.random.default_rng(7)
    windows = generator.integers(1, 4, questions)
    return _scores(windows, generator.integers(150, 400, windows.sum()), generator)


def scores_for(questions: Sequence[Question]) -> SpanScores:
    """One window a question: its context in tokens of two characters."""
    tokens = np.array([max(len(question.context) // 2, 1) for question in questions])
    return _scores(np.ones(len(questions), np.int64), tokens, np.random.default_rng(7))


def _scores(
    windows: NDArray[np.int64], tokens: NDArray[np.int64], generator: np.random.Generator
) -> SpanScores:
    total = int(tokens.sum())
    window_of = np.repeat(np.arange(len(tokens)), tokens)
    place = np.arange(total) - offsets_of(tokens)[:-1][window_of]
    start, end = generator.normal(-6, 1.5, (2, total)).astype(np.float32)
    peaks = offsets_of(tokens)[:-1] + generator.integers(0, tokens)
    start[peaks] += 12
    end[np.minimum(peaks + generator.integers(0, 6, len(peaks)), offsets_of(tokens)[1:] - 1)] += 12
    return SpanScores(
        guids=tuple(map(str, range(len(windows)))),
        windows=offsets_of(windows),
        tokens=offsets_of(tokens),
        char_begin=(place * 2).astype(np.int32),
        char_end=(place * 2 + 2).astype(np.int32),
        start=start,
        end=end,
        null=generator.normal(0, 2, len(tokens)).astype(np.float32),
        provenance=Provenance("", "", "", "", 0, 0, kit.__version__),
    )
