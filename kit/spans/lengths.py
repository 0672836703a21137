"""The length prior: how long gold answers are, as a distribution over lengths in characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question

_KERNEL = np.array([0.25, 0.5, 0.25])
_PSEUDO_COUNT = 0.5


def answer_lengths(questions: Iterable[Question]) -> Counter[int]:
    """Gold answer length in code points → how often, over all golds of *questions*."""
    return Counter(len(answer.text) for question in questions for answer in question.answers or ())


def length_of_share(counts: Mapping[int, int], share: float) -> int:
    """The length in code points that at least *share* of the answers do not exceed; 0 without answers."""
    within, total = 0, sum(counts.values())
    for length in sorted(counts):
        within += counts[length]
        if within >= share * total:
            return length
    return 0


def log_length_prior(counts: Mapping[int, int], length_cap: int) -> NDArray[np.float64]:
    """Log probability of each answer length, float64 (length_cap + 1,); place 0 is −inf.

    *counts*: length in code points → gold answers of that length.  Neighbouring lengths share their
    counts (weights ¼, ½, ¼) and every length gets half an answer more (Jeffreys' prior), so that a length
    does not occur is unlikely, not impossible.
    """
    observed = np.zeros(length_cap + 2)
    for length, count in counts.items():
        if 0 < length <= length_cap + 1:
            observed[length] = count
    smooth = np.convolve(observed, _KERNEL, mode="same")[: length_cap + 1] + _PSEUDO_COUNT
    smooth[0] = 0.0
    with np.errstate(divide="ignore"):
        prior: NDArray[np.float64] = np.log(smooth / smooth.sum())
    return prior
