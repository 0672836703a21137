"""Several members' posteriors as one: on the characters of the context, where tokenizers never meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.spans.posteriors import Posterior, likeliest_of
from kit.spans.span_scores import offsets_of

EPSILON = 0.01
"""What every member of a product gives to all spans alike: one it cannot express is held back, not killed."""
KEPT = 60
"""Spans a question keeps in a blend, unless its recipe has more candidates: beyond them is almost no mass."""
REACH = 4
"""A member brings so many times that: others may raise what it put lower."""


def blended(posteriors: Sequence[Posterior], weights: Sequence[float], how: str) -> Posterior:
    """The blend of *posteriors* over the same questions; *weights* ≥ 0, of any sum.

    "mean": Σ w p.  "product": softmax of Σ w log((1 - ε) p + ε / |U|) over the union U of the members'
    spans.  Weights are scaled to the sum 1.  The members are added up in the order given: the caller
    sorts them, for results that do not depend on it to the last bit.
    """
    scaled = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    if len(posteriors) == 1:
        return posteriors[0]
    union = Union.of(posteriors)
    counts = np.bincount(union.question, minlength=len(posteriors[0])).astype(np.int64)
    if how == "mean":
        p = np.zeros(len(union.begin))
        for one, weight, place in zip(posteriors, scaled, union.places, strict=True):
            p[place] += weight * one.p
        tail = np.sum([weight * one.tail for one, weight in zip(posteriors, scaled, strict=True)], axis=0)
    else:
        share = EPSILON / counts[union.question]
        log_p = np.zeros(len(union.begin))
        for one, weight, place in zip(posteriors, scaled, union.places, strict=True):
            spread = share.copy()
            spread[place] += (1 - EPSILON) * one.p
            log_p += weight * np.log(spread)
        p = _softmax(log_p, union.question, len(counts))
        tail = np.zeros_like(posteriors[0].tail)
    return Posterior(offsets_of(counts), union.begin, union.end, p, tail)


def likeliest_together(posteriors: Sequence[Posterior], count: int) -> list[Posterior]:
    """Each posterior cut to the same *count* spans a question: those that a member finds likeliest.

    No mean of the members holds more of a span than the member that likes it best, so that what is cut
    is little under any weights; it goes to each member's tail.
    """
    union = Union.of(posteriors)
    highest = np.zeros(len(union.begin))
    for one, place in zip(posteriors, union.places, strict=True):
        highest[place] = np.maximum(highest[place], one.p)
    offsets = offsets_of(np.bincount(union.question, minlength=len(posteriors[0])).astype(np.int64))
    kept = likeliest_of(highest, offsets, count)
    return [one.only(kept[place]) for one, place in zip(posteriors, union.places, strict=True)]


@dataclass(frozen=True, slots=True)
class Union:
    """All spans that any of several members lists, ordered by question, begin and end.

    question: int64 (U,); begin, end: int32 (U,); places: for each member the index of its spans, in its order
    """

    question: NDArray[np.int64]
    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    places: tuple[NDArray[np.intp], ...]

    @classmethod
    def of(cls, posteriors: Sequence[Posterior]) -> Union:
        """The union of the members' spans, which are over the same questions."""
        cap = posteriors[0].tail.shape[1] - 1
        reach = max(int(one.begin.max(initial=0)) for one in posteriors) + 1
        keys = [(one.question * reach + one.begin) * (cap + 1) + (one.end - one.begin) for one in posteriors]
        union = np.sort(np.concatenate(keys))
        union = union[np.r_[True, np.diff(union) != 0]] if len(union) else union
        place, length = np.divmod(union, cap + 1)
        question, begin = np.divmod(place, reach)
        places = tuple(np.searchsorted(union, key) for key in keys)
        return cls(question, begin.astype(np.int32), (begin + length).astype(np.int32), places)


def _softmax(log_p: NDArray[np.float64], question: NDArray[np.int64], questions: int) -> NDArray[np.float64]:
    top = np.full(questions, -np.inf)
    np.maximum.at(top, question, log_p)
    weight = np.exp(log_p - top[question])
    total = np.bincount(question, weights=weight, minlength=questions)
    p: NDArray[np.float64] = weight / total[question]
    return p
