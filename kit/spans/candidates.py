"""From token scores to spans: all windows of a question together, the cap in characters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.spans.scores import SpanScores, offsets_of, ranges

_CHUNK_TOKENS = 1 << 16
"""Tokens looked at together: bounds memory where flat scores leave nothing to prune."""


@dataclass(frozen=True, slots=True)
class BestSpans:
    """The likeliest span of each question, in code points of its context.

    begin, end: int32 (Q,), end exclusive, both 0 where a question has no valid span
    score: float64 (Q,), its log odds as `best_spans` describes; −inf where there is none
    """

    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    score: NDArray[np.float64]


def best_spans(
    scores: SpanScores,
    length_cap: int,
    *,
    temperature: float = 1.0,
    bonus: NDArray[np.float64] | None = None,
) -> BestSpans:
    """The likeliest span (b, e) with 0 < e − b ≤ *length_cap* code points, over all windows.

    Its log odds are (start + end − null) / *temperature* + *bonus* [e − b]; *bonus*, float64
    (length_cap + 1,), is the weighted log prior over answer lengths, none by default.  The null of
    each window is subtracted because every window was trained on its own softmax: only the odds
    against "not in this window" compare between windows.  Ties go to the earlier, then the shorter
    span.  Exact: a start is dropped only when even the best end of its window and the best length
    could not lift it to a span already seen.
    """
    questions = len(scores)
    found = BestSpans(
        np.zeros(questions, np.int32), np.zeros(questions, np.int32), np.full(questions, -np.inf)
    )
    bonus = np.zeros(length_cap + 1) if bonus is None else bonus
    token_offsets = scores.tokens[scores.windows]
    first = 0
    while first < questions:
        limit = token_offsets[first] + _CHUNK_TOKENS
        last = max(int(np.searchsorted(token_offsets, limit, side="right")) - 1, first + 1)
        _search(scores, length_cap, temperature, bonus, first, last, found)
        first = last
    return found


def _search(
    scores: SpanScores,
    length_cap: int,
    temperature: float,
    bonus: NDArray[np.float64],
    first: int,
    last: int,
    found: BestSpans,
) -> None:
    """Fill *found* for the questions [first, last)."""
    windows = slice(scores.windows[first], scores.windows[last])
    counts = np.diff(scores.tokens)[windows]
    low, high = scores.tokens[scores.windows[first]], scores.tokens[scores.windows[last]]
    if low == high:
        return
    window_of = np.repeat(np.arange(len(counts)), counts)
    question_of = np.repeat(np.arange(last - first), np.diff(scores.windows)[first:last])[window_of]
    begin = scores.char_begin[low:high].astype(np.int64)
    end = scores.char_end[low:high].astype(np.int64)
    # float64, so that the order of the three terms cannot decide a tie
    opening = scores.start[low:high].astype(np.float64) - scores.null[windows].astype(np.float64)[window_of]
    opening /= temperature
    closing = scores.end[low:high].astype(np.float64) / temperature

    # The last token an answer from here may end with.  Both keys grow with the window, then the text.
    width = int(end.max()) + length_cap + 1
    reach = np.searchsorted(window_of * width + end, window_of * width + begin + length_cap, side="right")
    own = np.flatnonzero(reach > np.arange(len(begin)))
    if not len(own):
        return

    # A floor for each question from single-token spans; a ceiling for each start from its window's best end.
    floor = np.full(last - first, -np.inf)
    single = opening[own] + closing[own] + bonus[end[own] - begin[own]]
    np.maximum.at(floor, question_of[own], single)
    ceiling = np.full(len(counts), -np.inf)
    np.maximum.at(ceiling, window_of, closing)
    kept = own[opening[own] + ceiling[window_of[own]] + bonus[1:].max() >= floor[question_of[own]]]

    spans = reach[kept] - kept
    starts = np.repeat(kept, spans)
    ends = ranges(kept, reach[kept])
    score = opening[starts] + closing[ends] + bonus[end[ends] - begin[starts]]

    # `kept` is in question order, so each question's spans lie together.
    question = question_of[kept]
    heads = np.flatnonzero(np.r_[True, question[1:] != question[:-1]])
    best = np.maximum.reduceat(score, offsets_of(spans)[heads])
    spans_per_question = np.add.reduceat(spans, heads)
    tied = np.flatnonzero(score == np.repeat(best, spans_per_question))
    owner = question_of[starts[tied]]
    order = np.lexsort((end[ends[tied]], begin[starts[tied]], owner))
    winner = order[np.r_[True, owner[order][1:] != owner[order][:-1]]]
    chosen = tied[winner]
    target = first + owner[winner]
    found.begin[target] = begin[starts[chosen]]
    found.end[target] = end[ends[chosen]]
    found.score[target] = score[chosen]
