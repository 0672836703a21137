"""From token scores to spans: all windows of a question together, the cap in characters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.spans.joint import kept_candidates
from kit.spans.span_scores import SpanScores, offsets_of, ranges

_CHUNK_TOKENS = 1 << 16
"""Tokens looked at together: bounds memory where flat scores leave nothing to prune."""
_ROUNDING = 1e-9
"""Share of its terms by which the bound is lowered: it moves them to the other side, which may round."""


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
    could not lift it to a span already seen.  With joint scores only the kept spans are candidates, and
    their score stands for start + end.
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
        if scores.joint is None:
            _search(scores, length_cap, temperature, bonus, first, last, found)
        else:
            spans = kept_candidates(scores, scores.joint, length_cap, temperature, bonus, first, last)
            question, begin, end, score = spans
            best = np.full(last - first, -np.inf)
            np.maximum.at(best, question, score)
            tied = np.flatnonzero(score == best[question])
            tied = tied[np.lexsort((end[tied], begin[tied], question[tied]))]
            winner = tied[np.diff(question[tied], prepend=-1) > 0]
            _put(found, first + question[winner], begin[winner], end[winner], score[winner])
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
    tokens = slice(scores.tokens[windows.start], scores.tokens[windows.stop])
    if tokens.start == tokens.stop:
        return
    # Windows without tokens take no part; the others are numbered anew.
    counts = np.diff(scores.tokens)[windows]
    filled = np.flatnonzero(counts)
    counts = counts[filled]
    heads = offsets_of(counts)[:-1]
    window_of = np.repeat(np.arange(len(counts)), counts)
    question_of_window = np.repeat(np.arange(last - first), np.diff(scores.windows)[first:last])[filled]
    begin, end = scores.char_begin[tokens], scores.char_end[tokens]
    # float64, so that the order of the three terms cannot decide a tie
    opening = scores.start[tokens] - np.repeat(scores.null[windows][filled].astype(np.float64), counts)
    opening /= temperature
    closing = scores.end[tokens].astype(np.float64) / temperature

    # A floor for each question from single-token spans, a ceiling for each start from its window's best end.
    length = end - begin
    fits = length <= length_cap
    single = np.where(fits, opening + closing + bonus[np.minimum(length, length_cap)], -np.inf)
    floor = np.full(last - first, -np.inf)
    np.maximum.at(floor, question_of_window, np.maximum.reduceat(single, heads))
    reached = np.maximum.reduceat(closing, heads)
    needed = floor[question_of_window] - reached - bonus[1:].max()
    needed -= _ROUNDING * (1 + np.abs(floor[question_of_window]) + np.abs(reached))
    kept = np.flatnonzero(fits & (opening >= needed[window_of]))
    if not len(kept):
        return

    # The last token an answer from here may end with: the key grows with the window, then the text.
    width = int(end.max()) + length_cap + 1
    key = window_of * width + end
    spans = np.searchsorted(key, window_of[kept] * width + begin[kept] + length_cap, side="right") - kept
    starts = np.repeat(kept, spans)
    ends = ranges(kept, kept + spans)
    score = opening[starts] + closing[ends] + bonus[end[ends] - begin[starts]]

    # `kept` is in question order, so each question's spans lie together.
    question = question_of_window[window_of[kept]]
    firsts = np.flatnonzero(np.r_[True, question[1:] != question[:-1]])
    best = np.maximum.reduceat(score, offsets_of(spans)[firsts])
    spans_per_question = np.add.reduceat(spans, firsts)
    tied = np.flatnonzero(score == np.repeat(best, spans_per_question))
    owner = question_of_window[window_of[starts[tied]]]
    order = np.lexsort((end[ends[tied]], begin[starts[tied]], owner))
    winner = order[np.r_[True, owner[order][1:] != owner[order][:-1]]]
    chosen = tied[winner]
    _put(found, first + owner[winner], begin[starts[chosen]], end[ends[chosen]], score[chosen])


def _put(
    found: BestSpans,
    question: NDArray[np.int64],
    begin: NDArray[np.int32],
    end: NDArray[np.int32],
    score: NDArray[np.float64],
) -> None:
    found.begin[question], found.end[question], found.score[question] = begin, end, score
