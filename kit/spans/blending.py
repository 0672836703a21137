"""Several members' posteriors as one: on the characters of the context, where tokenizers never meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kit.spans.posteriors import Posterior
from kit.spans.scores import offsets_of

EPSILON = 0.01
"""What every member of a product gives to all spans alike: one it cannot express is held back, not killed."""


def blended(posteriors: Sequence[Posterior], weights: Sequence[float], how: str) -> Posterior:
    """The blend of *posteriors* over the same questions; *weights* ≥ 0, of any sum.

    "mean": Σ w p.  "product": softmax of Σ w log((1 - ε) p + ε / |U|) over the union U of the members'
    spans.  Weights are scaled to the sum 1.  The members are added up in the order given: the caller
    sorts them, for results that do not depend on it to the last bit.
    """
    scaled = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    if len(posteriors) == 1:
        return posteriors[0]
    questions, cap = len(posteriors[0]), posteriors[0].tail.shape[1] - 1
    union, owner = _union(posteriors, cap)
    question, begin, length = _split(union, cap, max(int(one.begin.max(initial=0)) for one in posteriors))
    if how == "mean":
        p = np.zeros(len(union))
        for one, weight, place in zip(posteriors, scaled, owner, strict=True):
            p[place] += weight * one.p
        tail = np.sum([weight * one.tail for one, weight in zip(posteriors, scaled, strict=True)], axis=0)
    else:
        counts = np.bincount(question, minlength=questions)
        share = EPSILON / counts[question]
        log_p = np.zeros(len(union))
        for one, weight, place in zip(posteriors, scaled, owner, strict=True):
            spread = share.copy()
            spread[place] += (1 - EPSILON) * one.p
            log_p += weight * np.log(spread)
        p = _softmax(log_p, question, questions)
        tail = np.zeros((questions, cap + 1))
    counts = np.bincount(question, minlength=questions).astype(np.int64)
    return Posterior(offsets_of(counts), begin, (begin + length).astype(np.int32), p, tail)


def _union(posteriors: Sequence[Posterior], cap: int) -> tuple[NDArray[np.int64], list[NDArray[np.intp]]]:
    """Sorted keys of all spans of any member, and where each member's spans stand among them."""
    reach = max(int(one.begin.max(initial=0)) for one in posteriors)
    keys = [_key(one, cap, reach) for one in posteriors]
    union = np.unique(np.concatenate(keys))
    return union, [np.searchsorted(union, key) for key in keys]


def _key(one: Posterior, cap: int, reach: int) -> NDArray[np.int64]:
    place = one.question * (reach + 1) + one.begin
    return place * (cap + 1) + (one.end - one.begin)


def _split(
    key: NDArray[np.int64], cap: int, reach: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Question, begin and length of each key."""
    place, length = np.divmod(key, cap + 1)
    question, begin = np.divmod(place, reach + 1)
    return question, begin.astype(np.int32), length.astype(np.int32)


def _softmax(log_p: NDArray[np.float64], question: NDArray[np.int64], questions: int) -> NDArray[np.float64]:
    top = np.full(questions, -np.inf)
    np.maximum.at(top, question, log_p)
    weight = np.exp(log_p - top[question])
    total = np.bincount(question, weights=weight, minlength=questions)
    p: NDArray[np.float64] = weight / total[question]
    return p
