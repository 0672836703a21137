"""What a score on known questions lets expect of a test set: sampling included, public and private parts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kit.metrics.bootstrap import Grouped, Interval


@dataclass(frozen=True, slots=True)
class Expected:
    """The mean to expect of other questions like these.

    ``interval`` holds both what is not known about the true mean and the luck of drawing the
    test set, so that it is wider than a bootstrap interval of the mean.
    """

    mean: float
    interval: Interval


def expect(
    values: ArrayLike, groups: ArrayLike, size: int, *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> Expected:
    """The mean of *size* new questions, given *values* float (Q,) in *groups* int (Q,).

    Every draw takes a bootstrap mean of all groups (the true mean may be that) and, apart from it,
    as many whole groups as hold about *size* questions (the test set may be these).  Percentiles of
    the sum of both deviations: a prediction interval by the bootstrap, Davison and Hinkley,
    Bootstrap Methods and their Application (1997), ch. 6.3.3.
    """
    grouped = Grouped.of(values, groups)
    if not grouped.sums.size:
        raise ValueError("there are no values; values and groups both must be (Q,), with a question")
    mean = grouped.mean
    if grouped.sums.size < 2:
        reason = "no interval: all questions form one group"
        return Expected(mean, Interval(math.nan, math.nan, level, reason))
    rng = np.random.default_rng(seed)
    known = grouped.means(grouped.sums.size, draws, rng) - mean
    drawn = grouped.means(_groups_for(size, grouped), draws, rng) - mean
    low, high = np.quantile(mean + known + drawn, [(1 - level) / 2, (1 + level) / 2])
    return Expected(mean, Interval(float(max(low, 0.0)), float(high), level))


def public_private_spread(
    values: ArrayLike, groups: ArrayLike, public: int, private: int, *, draws: int = 2000, seed: int = 0
) -> float:
    """Standard deviation of (private - public) score for one submission on parts of these sizes.

    Two scores that lie within twice this of each other on the public part are not to be told apart
    by it.
    """
    grouped = Grouped.of(values, groups)
    rng = np.random.default_rng(seed)
    first, second = (grouped.means(_groups_for(size, grouped), draws, rng) for size in (public, private))
    return float(np.std(second - first))


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


def _groups_for(size: int, grouped: Grouped) -> int:
    """How many groups hold about *size* questions."""
    return max(round(size / float(grouped.counts.mean())), 1)
