"""Distances and matches of one prediction a question against its gold answers."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from Levenshtein import distance
from numpy.typing import NDArray

from kit.errors import ConfigError

REFERENCES = ("first", "min", "mean")

Golds = Sequence[Sequence[str]]

# The two character classes of KorQuAD 1.0's evaluate-v1.0.py: quotes and brackets become a space,
# then ASCII punctuation vanishes.  A middle dot, “ ” or 「 」 is in neither and stays.
_SPACED = re.compile("['\"《》<>〈〉()‘’]")
_DELETED = re.compile(f"[{re.escape(string.punctuation)}]")


def edit_distances(predictions: Sequence[str], golds: Golds, reference: str = "first") -> NDArray[np.float64]:
    """Levenshtein distance of each prediction to its gold answers, in Unicode code points.

    Strings are compared as given: no normal form, no trimming, so NFD jamo count one by one.

    Args:
        predictions: Q texts; ``""`` is a blank.
        golds: Q sequences of at least one gold text; ``("",)`` for an unanswerable question.
        reference: the distance to the ``first`` gold, the ``min`` or the ``mean`` over all golds.

    Returns:
        float64 (Q,), code points, lower is better.

    Raises:
        ConfigError: *reference* is none of the three.
        ValueError: the lengths differ or a question has no gold.
        TypeError: a question's golds are one string instead of a sequence of strings.
    """
    if reference not in REFERENCES:
        raise ConfigError(f"reference is {reference!r}; it must be one of {', '.join(REFERENCES)}")
    _check(predictions, golds)
    if reference == "first":
        return _distances(predictions, [texts[0] for texts in golds], len(predictions))
    counts = np.fromiter(map(len, golds), np.intp, len(golds))
    if not counts.size:
        return np.zeros(0)
    repeated = (text for text, texts in zip(predictions, golds, strict=True) for _ in texts)
    flat = (gold for texts in golds for gold in texts)
    pairs = _distances(repeated, flat, int(counts.sum()))
    begins = np.cumsum(counts) - counts
    if reference == "min":
        return np.minimum.reduceat(pairs, begins)
    return np.add.reduceat(pairs, begins) / counts


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
    _check(predictions, golds)
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


def exact_matches(predictions: Sequence[str], golds: Golds) -> NDArray[np.bool_]:
    """bool (Q,): official KorQuAD 1.0 exact match; see `matches`, which gives both at one price."""
    return matches(predictions, golds).exact


def f1_scores(predictions: Sequence[str], golds: Golds) -> NDArray[np.float64]:
    """float64 (Q,) in [0, 1]: official KorQuAD 1.0 character-level F1; see `matches`."""
    return matches(predictions, golds).f1


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


def _distances(left: Iterable[str], right: Iterable[str], count: int) -> NDArray[np.float64]:
    return np.fromiter(map(distance, left, right), np.float64, count)


def _check(predictions: Sequence[str], golds: Golds) -> None:
    if len(predictions) != len(golds):
        raise ValueError(f"{len(predictions)} predictions but {len(golds)} questions; give one each")
    for row, texts in enumerate(golds):
        if isinstance(texts, str):
            # A str is a sequence of strings too, and would be scored letter by letter.
            raise TypeError(f"golds[{row}] is the string {texts!r}; give a sequence of gold texts")
        if not texts:
            raise ValueError(f'golds[{row}] is empty; an unanswerable question has the one gold ""')
