"""Candidates of a member that weighs start and end together: its kept spans, and no others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kit.spans.span_scores import JointScores, SpanScores

Spans = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]
"""Question (counted from a chunk's first), begin, end, log odds."""
NO_SPANS: Spans = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0)


def kept_candidates(
    scores: SpanScores,
    joint: JointScores,
    length_cap: int,
    temperature: float,
    bonus: NDArray[np.float64],
    first: int,
    last: int,
) -> Spans:
    """The kept spans of the questions [first, last) within *length_cap*, by question; those of several
    windows stand here once for each.

    Log odds are (score − null) / *temperature* + *bonus* [e − b], as `best_spans` describes.
    """
    windows = slice(scores.windows[first], scores.windows[last])
    spans = slice(joint.offsets[windows.start], joint.offsets[windows.stop])
    counts = np.diff(joint.offsets)[windows]
    window = np.repeat(np.arange(windows.start, windows.stop), counts)
    question = np.repeat(np.repeat(np.arange(last - first), np.diff(scores.windows)[first:last]), counts)
    head = scores.tokens[window]
    begin, end = scores.char_begin[head + joint.first[spans]], scores.char_end[head + joint.last[spans]]
    fits = np.flatnonzero(end - begin <= length_cap)
    question, begin, end = question[fits], begin[fits], end[fits]
    odds = joint.score[spans][fits] - scores.null[window[fits]].astype(np.float64)
    return question, begin, end, odds / temperature + bonus[end - begin]
