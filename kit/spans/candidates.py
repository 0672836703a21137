"""From token or joint scores to spans: all windows of a question together, the cap in characters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.spans.span_scores import SpanScores, offsets_of, ranges

Spans = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]
"""Question (counted from a chunk's first), begin, end, log odds."""
NO_SPANS: Spans = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0)
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
    odds = SpanOdds.of(scores, length_cap, temperature, bonus)
    for first, last in chunks(scores, _CHUNK_TOKENS):
        spans = _promising(odds, first, last) if scores.joint is None else odds.kept(first, last)
        question, begin, end, score = spans
        if not len(question):
            continue
        heads = np.flatnonzero(np.r_[True, question[1:] != question[:-1]])
        best = np.maximum.reduceat(score, heads)
        tied = np.flatnonzero(score == np.repeat(best, np.diff(heads, append=len(question))))
        tied = tied[np.lexsort((end[tied], begin[tied], question[tied]))]
        winner = tied[np.diff(question[tied], prepend=-1) > 0]
        place = first + question[winner]
        found.begin[place], found.end[place], found.score[place] = begin[winner], end[winner], score[winner]
    return found


def chunks(scores: SpanScores, most: int) -> Iterator[tuple[int, int]]:
    """First question, and the one after the last, of pieces of about *most* tokens."""
    token_offsets = scores.tokens[scores.windows]
    first = 0
    while first < len(scores):
        limit = token_offsets[first] + most
        last = max(int(np.searchsorted(token_offsets, limit, side="right")) - 1, first + 1)
        yield first, last
        first = last


@dataclass(frozen=True, slots=True)
class TokenOdds:
    """The T tokens of some questions, in the W windows of theirs that have any.

    heads: int64 (W,), the first token of each window; question: int64 (W,), counted from the first one
    window: int64 (T,); begin, end: int32 (T,), code points
    opening, closing: float64 (T,), what a token adds to the log odds of a span as its first or last one
    """

    heads: NDArray[np.int64]
    question: NDArray[np.int64]
    window: NDArray[np.int64]
    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    opening: NDArray[np.float64]
    closing: NDArray[np.float64]

    def last_ends(self, starts: NDArray[np.intp], length_cap: int) -> NDArray[np.intp]:
        """One past the last token with which a span from each of *starts* may end, int (K,)."""
        # The key grows with the window, then the text.
        width = int(self.end.max()) + length_cap + 1
        longest = self.window[starts] * width + self.begin[starts] + length_cap
        return np.searchsorted(self.window * width + self.end, longest, side="right")


@dataclass(frozen=True, slots=True)
class SpanOdds:
    """A member's log odds of spans, in the terms of `best_spans`; bonus: float64 (length_cap + 1,)."""

    scores: SpanScores
    length_cap: int
    temperature: float
    bonus: NDArray[np.float64]

    @classmethod
    def of(
        cls, scores: SpanScores, length_cap: int, temperature: float, bonus: NDArray[np.float64] | None
    ) -> SpanOdds:
        """Without a *bonus* no length is preferred."""
        return cls(scores, length_cap, temperature, np.zeros(length_cap + 1) if bonus is None else bonus)

    def tokens(self, first: int, last: int) -> TokenOdds:
        """Those of the tokens of the questions [first, last)."""
        scores = self.scores
        windows = slice(scores.windows[first], scores.windows[last])
        tokens = slice(scores.tokens[windows.start], scores.tokens[windows.stop])
        counts = np.diff(scores.tokens)[windows]
        filled = np.flatnonzero(counts)
        counts = counts[filled]
        question = np.repeat(np.arange(last - first), np.diff(scores.windows)[first:last])[filled]
        # float64, so that the order of the three terms cannot decide a tie
        opening = scores.start[tokens].astype(np.float64)
        opening -= np.repeat(scores.null[windows][filled].astype(np.float64), counts)
        opening /= self.temperature
        return TokenOdds(
            offsets_of(counts)[:-1], question, np.repeat(np.arange(len(counts)), counts),
            scores.char_begin[tokens], scores.char_end[tokens], opening,
            scores.end[tokens].astype(np.float64) / self.temperature,
        )  # fmt: skip

    def kept(self, first: int, last: int) -> Spans:
        """Those of the kept spans of the questions [first, last), by question; scores are joint.

        Spans of several windows stand here once for each.
        """
        scores, joint = self.scores, self.scores.joint
        assert joint is not None
        windows = slice(scores.windows[first], scores.windows[last])
        spans = slice(joint.offsets[windows.start], joint.offsets[windows.stop])
        counts = np.diff(joint.offsets)[windows]
        window = np.repeat(np.arange(windows.start, windows.stop), counts)
        question = np.repeat(np.repeat(np.arange(last - first), np.diff(scores.windows)[first:last]), counts)
        head = scores.tokens[window]
        begin, end = scores.char_begin[head + joint.first[spans]], scores.char_end[head + joint.last[spans]]
        fits = np.flatnonzero(end - begin <= self.length_cap)
        question, begin, end = question[fits], begin[fits], end[fits]
        odds = joint.score[spans][fits] - scores.null[window[fits]].astype(np.float64)
        return question, begin, end, odds / self.temperature + self.bonus[end - begin]


def _promising(odds: SpanOdds, first: int, last: int) -> Spans:
    """Spans of the questions [first, last) that may be their best ones, the best ones among them."""
    tokens, length_cap, bonus = odds.tokens(first, last), odds.length_cap, odds.bonus
    if not len(tokens.heads):
        return NO_SPANS
    begin, end, opening, closing = tokens.begin, tokens.end, tokens.opening, tokens.closing
    window_of, question_of_window, heads = tokens.window, tokens.question, tokens.heads

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

    last_ends = tokens.last_ends(kept, length_cap)
    counts, ends = last_ends - kept, ranges(kept, last_ends)
    opens, closes = np.repeat(begin[kept], counts), end[ends]
    score = np.repeat(opening[kept], counts) + closing[ends] + bonus[closes - opens]
    return np.repeat(question_of_window[window_of[kept]], counts), opens, closes, score
