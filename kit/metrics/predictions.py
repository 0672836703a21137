"""What a score on known questions lets expect of a test set: sampling included, public and private parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kit.metrics.bootstrap import Interval


@dataclass(frozen=True, slots=True)
class Expected:
    """The mean to expect of *size* other questions like these.

    ``interval`` holds both what is not known about the true mean and the luck of drawing the
    test set, so that it is wider than a bootstrap interval of the mean.
    """

    mean: float
    interval: Interval
    size: int


def expect(
    values: ArrayLike, groups: ArrayLike, size: int, *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> Expected:
    """The mean of *size* new questions, given *values* float (Q,) in *groups* int (Q,).

    Every draw takes a bootstrap mean of all groups (the true mean may be that) and, apart from it,
    as many whole groups as hold about *size* questions (the test set may be these).  Percentiles of
    the sum of both deviations: a prediction interval by the bootstrap, Davison and Hinkley,
    Bootstrap Methods and their Application (1997), ch. 6.3.3.
    """
    sums, counts = _sums(values, groups)
    mean = float(sums.sum() / counts.sum())
    if len(sums) < 2:
        reason = "no interval: all questions form one group"
        return Expected(mean, Interval(float("nan"), float("nan"), level, reason), size)
    rng = np.random.default_rng(seed)
    known = _means(sums, counts, len(sums), draws, rng) - mean
    drawn = _means(sums, counts, _groups_for(size, counts), draws, rng) - mean
    low, high = np.quantile(mean + known + drawn, [(1 - level) / 2, (1 + level) / 2])
    return Expected(mean, Interval(float(max(low, 0.0)), float(high), level), size)


def public_private_spread(
    values: ArrayLike, groups: ArrayLike, public: int, private: int, *, draws: int = 2000, seed: int = 0
) -> float:
    """Standard deviation of (private - public) score for one submission on parts of these sizes.

    Two scores that lie within twice this of each other on the public part are not to be told apart
    by it.
    """
    sums, counts = _sums(values, groups)
    rng = np.random.default_rng(seed)
    parts = [_means(sums, counts, _groups_for(size, counts), draws, rng) for size in (public, private)]
    return float(np.std(parts[1] - parts[0]))


@dataclass(frozen=True, slots=True)
class Decile:
    """Questions of like expected distance: how many, what was expected, and what it was."""

    questions: int
    expected: float
    actual: float


def calibration(expected: ArrayLike, actual: ArrayLike, parts: int = 10) -> tuple[Decile, ...]:
    """Questions in *parts* of equal size by *expected* distance, beside the *actual*; both float (Q,)."""
    thought, found = np.asarray(expected, np.float64), np.asarray(actual, np.float64)
    order = np.argsort(thought, kind="stable")
    return tuple(
        Decile(len(part), float(thought[part].mean()), float(found[part].mean()))
        for part in np.array_split(order, parts)
        if len(part)
    )


def _sums(values: ArrayLike, groups: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    numbers, labels = np.asarray(values, np.float64), np.asarray(groups)
    if numbers.ndim != 1 or numbers.shape != labels.shape or not len(numbers):
        raise ValueError(f"values have shape {numbers.shape} and groups {labels.shape}; both must be (Q,)")
    _, members = np.unique(labels, return_inverse=True)
    counts = np.bincount(members).astype(np.float64)
    return np.bincount(members, weights=numbers).astype(np.float64), counts


def _groups_for(size: int, counts: NDArray[np.float64]) -> int:
    return max(round(size / float(counts.mean())), 1)


def _means(
    sums: NDArray[np.float64],
    counts: NDArray[np.float64],
    groups: int,
    draws: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Means of *draws* samples of *groups* groups, with replacement."""
    means = np.empty(draws)
    for number in range(draws):
        drawn = rng.integers(0, len(sums), groups)
        means[number] = sums[drawn].sum() / counts[drawn].sum()
    return means
