"""Exact match and character F1 of KorQuAD 1.0, one prediction a question against its gold answers."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kit.metrics.edit_distance import Golds, check_golds

# The two character classes of KorQuAD 1.0's evaluate-v1.0.py: quotes and brackets become a space,
# then ASCII punctuation vanishes.  A middle dot, “ ” or 「 」 is in neither and stays.
_SPACED = re.compile("['\"《》<>〈〉()‘’]")
_DELETED = re.compile(f"[{re.escape(string.punctuation)}]")


def exact_matches(predictions: Sequence[str], golds: Golds) -> NDArray[np.float64]:
    """1 where a prediction equals one of its golds once both are normalised, else 0: float64 (Q,).

    Raw string equality is another thing: there ``edit_distances`` is 0.  As in the official script, a text of
    nothing but punctuation equals a blank.  Args and raises as in `edit_distances`.
    """
    return _best(predictions, golds, lambda one, other: float(one == other))


def character_f1(predictions: Sequence[str], golds: Golds) -> NDArray[np.float64]:
    """F1 over the multisets of characters without white space, the best of the golds: float64 (Q,).

    Compares normalised texts.  As in the official script, two texts that are both empty then have F1 0,
    although they match exactly.  Args and raises as in `edit_distances`.
    """
    return _best(predictions, golds, _character_f1)


def _best(
    predictions: Sequence[str], golds: Golds, compare: Callable[[str, str], float]
) -> NDArray[np.float64]:
    """The best of each question's comparisons of its normalised prediction with its normalised golds."""
    check_golds(predictions, golds)
    # Golds and predictions repeat each other: a cache halves the work, and is gone after the call.
    normal = functools.cache(normalise)
    best = (
        max(compare(normal(prediction), normal(text)) for text in texts)
        for prediction, texts in zip(predictions, golds, strict=True)
    )
    return np.fromiter(best, np.float64, len(predictions))


def normalise(text: str) -> str:
    """The text as KorQuAD 1.0's official script compares it.

    Quotes and brackets become spaces, then lower case, then ASCII punctuation goes, then white
    space is reduced to single spaces.  The order matters: lower-casing looks at neighbours.
    """
    return " ".join(_DELETED.sub("", _SPACED.sub(" ", text).lower()).split())


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
