"""Weights on the simplex by Edit Score: coordinate search, and greedy selection with replacement."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]
_FACTORS = (0.0, 0.5, 0.8, 1.25, 2.0)
_ROUNDS = 4
_PICKS = 12
_WORTH = 1e-3
"""An Edit Score must fall by more than this to count: far less than chance moves it by."""


def search(score: Callable[[Weights], float], members: int) -> Weights:
    """The better of both searches, float64 (members,), summing to 1.  *score*: lower is better."""
    if members == 1:
        return np.ones(1)
    found = [coordinate_search(score, members), greedy_selection(score, members)]
    best = min(found, key=lambda weights: (round(score(weights), 6), np.count_nonzero(weights)))
    return normalised(best)


def coordinate_search(score: Callable[[Weights], float], members: int) -> Weights:
    """From equal weights, one member's weight at a time is scaled or set to 0 while that helps."""
    weights = np.full(members, 1 / members)
    lowest = score(weights)
    for _ in range(_ROUNDS):
        before = lowest
        for member in range(members):
            for factor in _FACTORS:
                tried = weights.copy()
                tried[member] *= factor
                if tried.sum() == 0:
                    continue
                tried /= tried.sum()
                if (value := score(tried)) < lowest - _WORTH:
                    lowest, weights = value, tried
        if lowest >= before - _WORTH:
            break
    return weights


def greedy_selection(score: Callable[[Weights], float], members: int) -> Weights:
    """Members are picked one after the other, some of them again and again, while that helps.

    Caruana et al., Ensemble Selection from Libraries of Models (2004).
    """
    picks = np.zeros(members)
    lowest, best = np.inf, picks
    for _ in range(_PICKS):
        values = [score((picks + pick) / (picks.sum() + 1)) for pick in np.eye(members)]
        picks = picks + np.eye(members)[int(np.argmin(values))]
        if min(values) < lowest - _WORTH:
            lowest, best = min(values), picks
    return normalised(best)


def normalised(weights: Weights) -> Weights:
    """*weights* scaled to the sum 1."""
    scaled: Weights = weights / weights.sum()
    return scaled
