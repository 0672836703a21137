"""Span posteriors: how likely each span of the context is the answer, for a member or a blend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.spans.candidates import best_spans
from kit.spans.scores import SpanScores, offsets_of, ranges

DEPTH = 12.0
"""Spans whose odds to the best are below exp(-DEPTH) are left out.  On real scores all of them together hold
0.2 % to 0.8 % of the mass, and they would cost twenty times the time."""
_CHUNK_TOKENS = 1 << 16


@dataclass(frozen=True, slots=True)
class Posterior:
    """Probabilities of spans, a sparse row a question (Q questions, S spans in all).

    offsets: int64 (Q + 1,): question ``q`` has the spans ``offsets[q] <= s < offsets[q + 1]``, ordered by
        begin, then end, none of them twice
    begin, end: int32 (S,), code points of the context, end exclusive
    p: float64 (S,); a question's sum is 1 - tail
    tail: float64 (Q, length_cap + 1), the mass of spans that were cut off, by length in code points
    """

    offsets: NDArray[np.int64]
    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    p: NDArray[np.float64]
    tail: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def question(self) -> NDArray[np.int64]:
        """The question of each span, int64 (S,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def likeliest(self, count: int) -> Posterior:
        """Only the *count* likeliest spans of each question; the others' mass goes to the tail.

        Ties go to the earlier, then the shorter span.
        """
        return self.only(likeliest_of(self.p, self.offsets, count))

    def only(self, kept: NDArray[np.bool_]) -> Posterior:
        """Only the spans where *kept* (bool (S,)) is true; the others' mass goes to the tail."""
        question, cut = self.question, ~kept
        tail = self.tail.copy()
        np.add.at(tail, (question[cut], (self.end - self.begin)[cut]), self.p[cut])
        counts = np.bincount(question[kept], minlength=len(self)).astype(np.int64)
        return Posterior(offsets_of(counts), self.begin[kept], self.end[kept], self.p[kept], tail)


def likeliest_of(p: NDArray[np.float64], offsets: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Which of *p*, float64 (S,), are the *count* largest of their question, of equals the first: bool, alike."""
    kept = np.ones(len(p), dtype=np.bool_)
    for number in np.flatnonzero(np.diff(offsets) > count).tolist():
        own = p[offsets[number] : offsets[number + 1]]
        least = np.partition(own, len(own) - count)[len(own) - count]
        chosen = own > least
        chosen[np.flatnonzero(own == least)[: count - chosen.sum()]] = True
        kept[offsets[number] : offsets[number + 1]] = chosen
    return kept


def span_posterior(
    scores: SpanScores,
    length_cap: int,
    *,
    temperature: float = 1.0,
    bonus: NDArray[np.float64] | None = None,
    depth: float = DEPTH,
) -> Posterior:
    """p(b, e) ∝ exp((start + end - null) / temperature + bonus[e - b]) over 0 < e - b <= *length_cap*.

    A span seen by several windows takes its largest score; *bonus* as in `best_spans`.  Every span
    whose odds to its question's best are at least exp(-depth) is there, and no other.
    """
    bonus = np.zeros(length_cap + 1) if bonus is None else bonus
    best = best_spans(scores, length_cap, temperature=temperature, bonus=bonus).score
    token_offsets = scores.tokens[scores.windows]
    parts = []
    first, questions = 0, len(scores)
    while first < questions:
        limit = token_offsets[first] + _CHUNK_TOKENS
        last = max(int(np.searchsorted(token_offsets, limit, side="right")) - 1, first + 1)
        parts.append(_listed(scores, length_cap, temperature, bonus, depth, best, first, last))
        first = last
    question = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in parts)])
    begin = np.concatenate([np.zeros(0, np.int32), *(part[1] for part in parts)])
    end = np.concatenate([np.zeros(0, np.int32), *(part[2] for part in parts)])
    weight = np.exp(np.concatenate([np.zeros(0), *(part[3] for part in parts)]) - best[question])
    total = np.bincount(question, weights=weight, minlength=questions)
    counts = np.bincount(question, minlength=questions).astype(np.int64)
    tail = np.zeros((questions, length_cap + 1))
    return Posterior(offsets_of(counts), begin, end, weight / total[question], tail)


_Spans = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]


def _listed(
    scores: SpanScores,
    length_cap: int,
    temperature: float,
    bonus: NDArray[np.float64],
    depth: float,
    best: NDArray[np.float64],
    first: int,
    last: int,
) -> _Spans:
    """Question, begin, end and score of every span worth listing, of the questions [first, last)."""
    windows = slice(scores.windows[first], scores.windows[last])
    tokens = slice(scores.tokens[windows.start], scores.tokens[windows.stop])
    counts = np.diff(scores.tokens)[windows]
    filled = np.flatnonzero(counts)
    if not len(filled):
        return np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0)
    counts = counts[filled]
    heads = offsets_of(counts)[:-1]
    window = np.repeat(np.arange(len(counts)), counts)
    question_of = np.repeat(np.arange(first, last), np.diff(scores.windows)[first:last])[filled]
    begin, end = scores.char_begin[tokens], scores.char_end[tokens]
    opening = scores.start[tokens] - np.repeat(scores.null[windows][filled].astype(np.float64), counts)
    opening /= temperature
    closing = scores.end[tokens].astype(np.float64) / temperature

    # A span within reach of the best has its start or its end within half of what its window's best start,
    # end and length leave over: only such starts are paired with all ends, and such ends with the rest.
    top_opening, top_closing = np.maximum.reduceat(opening, heads), np.maximum.reduceat(closing, heads)
    room = (top_opening + top_closing + bonus[1:].max() - best[question_of] + depth) / 2
    strong_start = opening >= (top_opening - room)[window]
    strong_end = closing >= (top_closing - room)[window]
    width = int(end.max()) + length_cap + 1
    starts = np.flatnonzero(strong_start)
    last_end = np.searchsorted(
        window * width + end, window[starts] * width + begin[starts] + length_cap, side="right"
    )
    ends = np.flatnonzero(strong_end)
    first_start = np.searchsorted(
        window * width + begin, window[ends] * width + np.maximum(end[ends] - length_cap, 0), side="left"
    )
    last_end, first_start = np.maximum(last_end, starts), np.minimum(first_start, ends + 1)
    from_start = np.repeat(starts, last_end - starts), ranges(starts, last_end)
    to_end = ranges(first_start, ends + 1), np.repeat(ends, ends + 1 - first_start)
    weak = ~strong_start[to_end[0]]
    left = np.concatenate([from_start[0], to_end[0][weak]])
    right = np.concatenate([from_start[1], to_end[1][weak]])
    score = opening[left] + closing[right] + bonus[end[right] - begin[left]]
    question = question_of[window[left]]
    near = score >= best[question] - depth
    left, right, score, question = left[near], right[near], score[near], question[near]

    # Overlapping windows see the same span; the larger score counts.
    spans = ((question - first) * width + begin[left]) * (length_cap + 1) + (end[right] - begin[left])
    order = np.argsort(spans)
    spans = spans[order]
    heads = np.flatnonzero(np.r_[len(spans) > 0, np.diff(spans) != 0])
    place, length = np.divmod(spans[heads], length_cap + 1)
    question, opened = np.divmod(place, width)
    highest = np.maximum.reduceat(score[order], heads) if len(heads) else score
    return question + first, opened.astype(np.int32), (opened + length).astype(np.int32), highest
