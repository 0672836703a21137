"""The table of the metrics beside the Edit Score; every score, table and report shows those in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.display import share
from kit.metrics.edit_distance import Golds
from kit.metrics.f1 import character_f1, exact_matches


@dataclass(frozen=True, slots=True)
class Metric:
    """A mean over questions.

    title: what tables call it
    values: from predictions and golds to float64 (Q,)
    in_words: how the mean is shown
    """

    title: str
    values: Callable[[Sequence[str], Golds], NDArray[np.float64]]
    in_words: Callable[[float], str] = share


def blanks(predictions: Sequence[str], golds: Golds) -> NDArray[np.float64]:
    """1 where a prediction is empty, else 0: float64 (Q,)."""
    return np.array([float(not text) for text in predictions])


METRICS = {
    "exact": Metric("exact match", exact_matches),
    "f1": Metric("character F1", character_f1),
    "blanks": Metric("blank", blanks),
}
"""By their name in ``--json``.  To add one, add it here."""
