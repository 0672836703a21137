"""Exact match and character F1 of KorQuAD 1.0, one prediction a question against its gold answers."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.metrics.edit_distance import Golds, check_golds

# The two character classes of KorQuAD 1.0's evaluate-v1.0.py: quotes and brackets become a space,
# then ASCII punctuation vanishes.  A middle dot, “ ” or 「 」 is in neither and stays.
_SPACED = re.compile("['\"《》<>〈〉()‘’]")
_DELETED = re.compile(f"[{re.escape(string.punctuation)}]")


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """KorQuAD 1.0's two numbers a question: exact bool (Q,) and f1 float64 (Q,) in [0, 1]."""

    exact: NDArray[np.bool_]
    f1: NDArray[np.float64]


def matches(predictions: Sequence[str], golds: Golds) -> Matches:
    """Exact match and character-level F1 as KorQuAD 1.0's official script counts them.

    Both compare *normalised* texts (see `normalise`) and take the best over a question's golds.
    Raw string equality is another thing: there ``edit_distances`` is 0.  F1 is over the multiset of
    characters without white space.  Two quirks of the official result are kept: a text of nothing
    but punctuation equals a blank, and two texts that are both empty once normalised match exactly
    but have F1 0.

    Args and raises as in `edit_distances`.
    """
    check_golds(predictions, golds)
    # Golds and predictions repeat each other, so one dictionary a call halves the work and, unlike
    # a cache, is gone afterwards.
    normal: dict[str, str] = {}
    exact = np.zeros(len(predictions), np.bool_)
    f1 = np.zeros(len(predictions))
    for row, (prediction, texts) in enumerate(zip(predictions, golds, strict=True)):
        left = _remembered(prediction, normal)
        rights = [_remembered(text, normal) for text in texts]
        exact[row] = left in rights
        f1[row] = max(_character_f1(left, right) for right in rights)
    return Matches(exact, f1)


def normalise(text: str) -> str:
    """The text as KorQuAD 1.0's official script compares it.

    Quotes and brackets become spaces, then lower case, then ASCII punctuation goes, then white
    space is reduced to single spaces.  The order matters: lower-casing looks at neighbours.
    """
    return " ".join(_DELETED.sub("", _SPACED.sub(" ", text).lower()).split())


def _remembered(text: str, normal: dict[str, str]) -> str:
    result = normal.get(text)
    if result is None:
        result = normal[text] = normalise(text)
    return result


def _character_f1(prediction: str, gold: str) -> float:
    """Harmonic mean of precision and recall over two normalised texts' characters."""
    left, right = prediction.replace(" ", ""), gold.replace(" ", "")
    if left == right:
        return 1.0 if left else 0.0
    same = sum(min(left.count(character), right.count(character)) for character in set(left))
    if not same:
        return 0.0
    precision, recall = same / len(left), same / len(right)
    # Written as the official script rounds it, so that sums agree to the last bit.
    return (2 * precision * recall) / (precision + recall)
