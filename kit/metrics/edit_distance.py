"""Edit distance of one prediction a question to its gold answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from Levenshtein import distance
from numpy.typing import NDArray

from kit.errors import entry_of

Golds = Sequence[Sequence[str]]


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
        ConfigError: *reference* is not in `REFERENCES`.
        ValueError: the lengths differ or a question has no gold.
        TypeError: a question's golds are one string instead of a sequence of strings.
    """
    combined = entry_of(REFERENCES, reference, "reference")
    check_golds(predictions, golds)
    return combined(predictions, golds)


def _to_first(predictions: Sequence[str], golds: Golds) -> NDArray[np.float64]:
    first = [texts[0] for texts in golds]
    return np.fromiter(map(distance, predictions, first), np.float64, len(first))


def _to_nearest(predictions: Sequence[str], golds: Golds) -> NDArray[np.float64]:
    return np.array([min(found) for found in _to_each(predictions, golds)], np.float64)


def _to_all(predictions: Sequence[str], golds: Golds) -> NDArray[np.float64]:
    return np.array([sum(found) / len(found) for found in _to_each(predictions, golds)], np.float64)


def _to_each(predictions: Sequence[str], golds: Golds) -> Iterator[list[int]]:
    """A question's distances to all of its golds, question after question."""
    for prediction, texts in zip(predictions, golds, strict=True):
        yield [distance(prediction, text) for text in texts]


REFERENCES: Mapping[str, Callable[[Sequence[str], Golds], NDArray[np.float64]]] = {
    "first": _to_first,
    "min": _to_nearest,
    "mean": _to_all,
}
"""Which golds count where a question has several: each by the name that ``--reference`` takes."""


def check_golds(predictions: Sequence[str], golds: Golds) -> None:
    """Raises ValueError or TypeError, as `edit_distances`, where *golds* do not belong to *predictions*."""
    if len(predictions) != len(golds):
        raise ValueError(f"{len(predictions)} predictions but {len(golds)} questions; give one each")
    for row, texts in enumerate(golds):
        if isinstance(texts, str):
            # A str is a sequence of strings too, and would be scored letter by letter.
            raise TypeError(f"golds[{row}] is the string {texts!r}; give a sequence of gold texts")
        if not texts:
            raise ValueError(f'golds[{row}] is empty; an unanswerable question has the one gold ""')
