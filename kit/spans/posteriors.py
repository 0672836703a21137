"""Span posteriors: how likely each span of the context is the answer, for a member or a blend."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kit.spans.candidates import NO_SPANS, SpanOdds, Spans, best_spans, chunks
from kit.spans.span_scores import SpanScores, offsets_of, ranges
from kit.threads import threads_for

Part = TypeVar("Part")
DEPTH = 12.0
"""Spans whose odds to the best are below exp(-DEPTH) are left out.  On real scores all of them together hold
0.2 % to 0.8 % of the mass, and they would cost twenty times the time."""
_CHUNK_TOKENS = 1 << 13
"""Small enough for the caches."""
_THREADS = 8


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

    def spans(self, question: int) -> list[tuple[int, int, float]]:
        """Begin, end and probability of the spans of one question, as Python's own numbers."""
        # Rounding numpy's numbers one by one takes nine times as long.
        own = slice(self.offsets[question], self.offsets[question + 1])
        return list(zip(self.begin[own].tolist(), self.end[own].tolist(), self.p[own].tolist(), strict=True))

    def likeliest(self, count: int) -> Posterior:
        """Only the *count* likeliest spans of each question; the others' mass goes to the tail.

        Ties go to the earlier, then the shorter span.
        """
        return self.only(likeliest_of(self.p, self.offsets, count))

    def select(self, chosen: NDArray[np.intp]) -> Posterior:
        """The questions *chosen*, in that order."""
        spans = ranges(self.offsets[chosen], self.offsets[chosen + 1])
        counts = np.diff(self.offsets)[chosen]
        return Posterior(
            offsets_of(counts), self.begin[spans], self.end[spans], self.p[spans], self.tail[chosen]
        )

    def only(self, kept: NDArray[np.bool_]) -> Posterior:
        """Only the spans where *kept* (bool (S,)) is true; the others' mass goes to the tail."""
        question, cut = self.question, ~kept
        tail = self.tail.copy()
        np.add.at(tail, (question[cut], (self.end - self.begin)[cut]), self.p[cut])
        counts = np.bincount(question[kept], minlength=len(self))
        return Posterior(offsets_of(counts), self.begin[kept], self.end[kept], self.p[kept], tail)


def likeliest_of(p: NDArray[np.float64], offsets: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """bool (S,): which of *p*, float64 (S,), are their question's *count* largest, of equals the first."""
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
    count: int | None = None,
) -> Posterior:
    """p(b, e) ∝ exp((start + end - null) / temperature + bonus[e - b]) over 0 < e - b <= *length_cap*.

    A span seen by several windows takes its largest score; *bonus* as in `best_spans`.  Every span
    whose odds to its question's best are at least exp(-depth) is weighed, and no other; with joint scores,
    every kept span, whose score stands for start + end.  With *count*
    only that many of each question are listed, as `Posterior.likeliest` chooses them, in flat memory.
    """

    def part(spans: Spans, best: NDArray[np.float64], first: int) -> Posterior:
        return _weighed(spans, best, length_cap, depth, count)

    nothing = Posterior(np.zeros(1, np.int64), *NO_SPANS[1:], np.zeros((0, length_cap + 1)))
    parts = [nothing, *_by_chunk(part, scores, length_cap, temperature, bonus, depth)]
    return Posterior(
        offsets_of(np.concatenate([np.diff(part.offsets) for part in parts])),
        np.concatenate([part.begin for part in parts]),
        np.concatenate([part.end for part in parts]),
        np.concatenate([part.p for part in parts]),
        np.concatenate([part.tail for part in parts]),
    )


def mass_of_spans(
    scores: SpanScores,
    length_cap: int,
    wanted: Sequence[Collection[tuple[int, int]]],
    *,
    temperature: float = 1.0,
    bonus: NDArray[np.float64] | None = None,
    depth: float = DEPTH,
) -> NDArray[np.float64]:
    """The probability that `span_posterior` gives all *wanted* spans of each question, float64 (Q,).

    *wanted*: for each question begin and end, none twice.  Several times as fast as the posterior, which puts
    all spans in order.
    """
    most = max(map(len, wanted), default=0)
    golds = np.full((most, 2, len(wanted)), -1, np.int64)
    for number, spans in enumerate(wanted):
        for place, span in enumerate(spans):
            golds[place, :, number] = span

    def part(spans: Spans, best: NDArray[np.float64], first: int) -> NDArray[np.float64]:
        question, begin, end, score = spans
        weight = np.exp(score - best[question])
        total = np.bincount(question, weights=weight, minlength=len(best))
        found = np.zeros(len(best))
        for begins, ends in golds[:, :, first : first + len(best)]:
            same = (begin == begins[question]) & (end == ends[question])
            found += np.bincount(question[same], weights=weight[same], minlength=len(best))
        return np.divide(found, total, out=found, where=total > 0)

    return np.concatenate([np.zeros(0), *_by_chunk(part, scores, length_cap, temperature, bonus, depth)])


def _by_chunk(
    work: Callable[[Spans, NDArray[np.float64], int], Part],
    scores: SpanScores,
    length_cap: int,
    temperature: float,
    bonus: NDArray[np.float64] | None,
    depth: float,
) -> list[Part]:
    """*work* on the spans of some questions at a time, their best log odds and the first one's number."""
    best = best_spans(scores, length_cap, temperature=temperature, bonus=bonus).score
    odds = SpanOdds.of(scores, length_cap, temperature, bonus)

    def part(chunk: tuple[int, int]) -> Part:
        own = best[slice(*chunk)]
        if scores.joint is None:
            spans = _listed(odds, depth, own, *chunk)
        else:
            spans = _within(odds.kept(*chunk), own - depth, length_cap)
        return work(spans, own, chunk[0])

    pieces = list(chunks(scores, _CHUNK_TOKENS))
    if len(pieces) == 1:
        return [part(pieces[0])]
    with ThreadPoolExecutor(threads_for(min(len(pieces), _THREADS))) as pool:
        return list(pool.map(part, pieces))


_BINS = 4
"""Steps a unit of log odds is divided into, to find quickly what cannot be among the likeliest."""


def _weighed(
    spans: Spans, best: NDArray[np.float64], length_cap: int, depth: float, count: int | None
) -> Posterior:
    """The posterior of one chunk, from all its spans in any order."""
    question, begin, end, score = spans
    questions = len(best)
    below = best[question] - score
    weight = np.exp(-below)
    total = np.bincount(question, weights=weight, minlength=questions)
    p = weight / total[question]
    listed = np.arange(len(p))
    if count is not None:
        # Spans are counted by how far below the best they are; beyond the step that fills *count* is none.
        steps = int(depth * _BINS) + 2
        step = np.clip((below * _BINS).astype(np.int64), 0, steps - 1)
        reached = np.bincount(question * steps + step, minlength=questions * steps).reshape(questions, steps)
        last_step = (reached.cumsum(axis=1) < count).sum(axis=1)
        listed = np.flatnonzero(step <= last_step[question])
    listed = listed[np.lexsort((end[listed], begin[listed], question[listed]))]
    if count is not None:
        offsets = offsets_of(np.bincount(question[listed], minlength=questions))
        listed = listed[likeliest_of(p[listed], offsets, count)]
    cut = np.ones(len(p), dtype=np.bool_)
    cut[listed] = False
    width = length_cap + 1
    cell = question[cut] * width + (end[cut] - begin[cut])
    tail: NDArray[np.float64] = np.zeros((questions, width))
    tail += np.bincount(cell, weights=p[cut], minlength=questions * width).reshape(questions, width)
    counts = np.bincount(question[listed], minlength=questions)
    return Posterior(offsets_of(counts), begin[listed], end[listed], p[listed], tail)


def _listed(odds: SpanOdds, depth: float, best: NDArray[np.float64], first: int, last: int) -> Spans:
    """Every span worth weighing of the questions [first, last), none twice, in any order."""
    tokens, length_cap, bonus = odds.tokens(first, last), odds.length_cap, odds.bonus
    if not len(tokens.heads):
        return NO_SPANS
    begin, end, opening, closing = tokens.begin, tokens.end, tokens.opening, tokens.closing
    window, question_of, heads = tokens.window, tokens.question, tokens.heads

    # A span within reach of the best has its start or its end within half of what its window's best start,
    # end and length leave over: only such starts are paired with all ends, and such ends with the rest.
    top_opening, top_closing = np.maximum.reduceat(opening, heads), np.maximum.reduceat(closing, heads)
    room = (top_opening + top_closing + bonus[1:].max() - best[question_of] + depth) / 2
    strong_start = opening >= (top_opening - room)[window]
    strong_end = closing >= (top_closing - room)[window]
    starts = np.flatnonzero(strong_start)
    last_end = np.maximum(tokens.last_ends(starts, length_cap), starts)
    ends = np.flatnonzero(strong_end)
    width = int(end.max()) + length_cap + 1
    first_start = np.searchsorted(
        window * width + begin, window[ends] * width + np.maximum(end[ends] - length_cap, 0), side="left"
    )
    first_start = np.minimum(first_start, ends + 1)
    from_start = np.repeat(starts, last_end - starts), ranges(starts, last_end)
    to_end = ranges(first_start, ends + 1), np.repeat(ends, ends + 1 - first_start)
    weak = ~strong_start[to_end[0]]
    left = np.concatenate([from_start[0], to_end[0][weak]])
    right = np.concatenate([from_start[1], to_end[1][weak]])
    score = opening[left] + closing[right] + bonus[end[right] - begin[left]]
    question = question_of[window][left]
    near = score >= (best - depth)[question]

    # Overlapping windows see the same span, and so do tokens on the same characters; the larger score counts.
    again = (window[1:] == window[:-1]) & ((begin[1:] == begin[:-1]) | (end[1:] == end[:-1]))
    shared = np.bincount(question_of, minlength=last - first) > 1
    shared[question_of[window[1:][again]]] = True
    several = np.flatnonzero(near & shared[question])
    spans = (question[several] * width + begin[left[several]]) * width + end[right[several]]
    near[several[_outdone(spans, score[several])]] = False
    left, right = left[near], right[near]
    return question[near], begin[left], end[right], score[near]


def _within(spans: Spans, least: NDArray[np.float64], length_cap: int) -> Spans:
    """Those of *spans* with at least their question's *least* score, none twice: its largest score counts."""
    question, begin, end, score = spans
    width = int(end.max(initial=0)) + length_cap + 1
    near = np.flatnonzero(score >= least[question])
    number = (question[near] * width + begin[near]) * width + end[near]
    chosen = near[~_outdone(number, score[near])]
    return question[chosen], begin[chosen], end[chosen], score[chosen]


def _outdone(spans: NDArray[np.int64], score: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where the same number stands again in *spans* with a larger score, or as large and earlier."""
    order = np.argsort(spans, kind="stable")
    heads = np.flatnonzero(np.r_[len(spans) > 0, np.diff(spans[order]) != 0])
    outdone = np.ones(len(spans), dtype=np.bool_)
    if len(heads):
        sizes = np.diff(np.r_[heads, len(spans)])
        highest = np.flatnonzero(score[order] == np.repeat(np.maximum.reduceat(score[order], heads), sizes))
        group = np.repeat(np.arange(len(heads)), sizes)[highest]
        outdone[order[highest[np.r_[True, np.diff(group) != 0]]]] = False
    return outdone
