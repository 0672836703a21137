"""How sure a mean over questions is: intervals and paired comparisons that respect groups.

Questions on one article rise and fall together, so whole groups are drawn, never questions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kit.phrase import Phrase

# Numbers held at once while drawing (8 bytes each): 16 MB, whatever the data's size.
_BLOCK = 2_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval that covers the true mean in a share *level* of repetitions.

    ``low`` and ``high`` are nan where no interval can be given; then ``reason`` says why.
    """

    # How pydantic reads one inside a card: from an object of these keys, with finite numbers.
    __pydantic_config__: ClassVar = {"strict": False, "extra": "forbid", "allow_inf_nan": False}

    low: float
    high: float
    level: float
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is an interval at all."""
        return not self.reason

    def __str__(self) -> str:
        return f"{self.low:.3f} to {self.high:.3f}" if self.known else f"none: {self.reason}"

    def in_words(self) -> str:
        """The same as its text, which can be shown in Korean."""
        if not self.known:
            return str(self)
        return Phrase("{low} to {high}", low=f"{self.low:.3f}", high=f"{self.high:.3f}")

    def as_dict(self) -> dict[str, object]:
        """For JSON, which has no nan: unknown ends are None and the reason is given."""
        if self.known:
            return {"low": self.low, "high": self.high, "level": self.level}
        return {"low": None, "high": None, "level": self.level, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean of b minus a over the same questions, its interval, and a two-sided p-value."""

    mean: float
    interval: Interval
    p_value: float

    @property
    def proven(self) -> bool:
        """Whether the interval excludes 0: chance alone does not explain the difference."""
        return self.interval.known and (self.interval.high < 0 or self.interval.low > 0)

    def in_words(self, proven: bool | None = None) -> str:
        """``0.120 lower (95 %: -0.190 to -0.050)``, or ``0.120 lower here, which chance explains (95 %: …)``.

        *proven*: what a stricter test says in place of the interval.
        """
        sure = self.proven if proven is None else proven
        values = {
            "by": f"{abs(self.mean):.3f}", "level": f"{self.interval.level * 100:.0f}",
            "interval": self.interval.in_words(),
        }  # fmt: skip
        if not self.mean:
            return Phrase("equal ({level} %: {interval})", **values)
        if proven is None and sure and self.p_value >= 1 - self.interval.level:  # the two tests disagree
            lower = "{by} lower here, at the edge of chance ({level} %: {interval})"
            higher = "{by} higher here, at the edge of chance ({level} %: {interval})"
        elif sure:
            lower, higher = "{by} lower ({level} %: {interval})", "{by} higher ({level} %: {interval})"
        else:
            lower = "{by} lower here, which chance explains ({level} %: {interval})"
            higher = "{by} higher here, which chance explains ({level} %: {interval})"
        return Phrase(lower if self.mean < 0 else higher, **values)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"mean": self.mean, "interval": self.interval.as_dict(), "p_value": self.p_value}


def bootstrap(
    values: ArrayLike, groups: ArrayLike, *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Percentile bootstrap interval of the mean, drawing whole groups with replacement.

    Each draw takes G of the G groups and gives the ratio (sum of values) / (count of values), so
    groups of different sizes weigh as many questions as they hold.  Percentile interval: Efron and
    Tibshirani, An Introduction to the Bootstrap (1993), ch. 13; drawing clusters whole: Field and
    Welsh, Bootstrapping clustered data, JRSS-B 69 (2007).  With few groups (under 20 or so) it is
    too narrow, and with one there is nothing to draw: that interval is unknown, not zero wide.

    Args:
        values: float (Q,), one number a question.
        groups: int (Q,), any labels; questions with the same label are drawn together.
        draws: how often to draw; the same seed gives the same interval.
        level: share in (0, 1).

    Raises:
        ValueError: shapes differ, a value is not finite, or *draws* or *level* is out of range.
    """
    return _interval(Grouped.of(values, groups), draws, np.random.default_rng(seed), level)


def paired(
    a: ArrayLike, b: ArrayLike, groups: ArrayLike, *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> PairedDifference:
    """Mean of b − a with a grouped bootstrap interval and a two-sided p-value.

    The p-value is a sign-flip (paired permutation) test over groups: if the two systems were alike,
    each group's summed difference could as well have had the other sign.  It is the share of sign
    patterns whose absolute total reaches the observed one: over all 2^K patterns where that is at
    most *draws* (K groups with a difference), else over *draws* random ones, counted as
    (1 + hits) / (1 + draws) so that it is never 0.  Sources: Good, Permutation, Parametric and
    Bootstrap Tests of Hypotheses (2005), ch. 3; Phipson and Smyth, SAGMB 9 (2010), for the + 1.

    Args:
        a, b: float (Q,), the same questions in the same order.
        groups, draws, seed, level: as in `bootstrap`, which also says what is raised.
    """
    left, right = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if left.shape != right.shape:
        raise ValueError(f"a has shape {left.shape} and b {right.shape}; pair the same questions")
    grouped = Grouped.of(right - left, groups)
    rng = np.random.default_rng(seed)
    interval = _interval(grouped, draws, rng, level)
    return PairedDifference(grouped.mean, interval, _sign_flip(grouped.sums, draws, rng))


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """Sums and counts of values a group: float64 (G,) each."""

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]

    @classmethod
    def of(cls, values: ArrayLike, groups: ArrayLike) -> Grouped:
        """Values float (Q,) by their group, any label.  Raises ValueError as `bootstrap`."""
        numbers, labels = np.asarray(values, np.float64), np.asarray(groups)
        if numbers.ndim != 1 or numbers.shape != labels.shape:
            raise ValueError(
                f"values have shape {numbers.shape} and groups {labels.shape}; both must be (Q,)"
            )
        if not np.isfinite(numbers).all():
            raise ValueError("values hold nan or infinity; every question needs a finite number")
        names, members = np.unique(labels, return_inverse=True)
        sums = np.bincount(members, weights=numbers, minlength=names.size)
        counts = np.bincount(members, minlength=names.size)
        return cls(sums.astype(np.float64), counts.astype(np.float64))

    @property
    def mean(self) -> float:
        """The mean over all questions, nan without any."""
        return float(self.sums.sum() / self.counts.sum()) if self.counts.size else math.nan

    def means(self, groups: int, draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Means over the questions of *draws* samples of *groups* groups each, drawn with replacement."""
        means = np.empty(draws)
        block = max(1, _BLOCK // groups)
        for begin in range(0, draws, block):
            shape = (min(block, draws - begin), groups)
            drawn = rng.integers(0, self.sums.size, shape, dtype=np.int32)
            means[begin : begin + block] = self.sums[drawn].sum(axis=1) / self.counts[drawn].sum(axis=1)
        return means


def _interval(grouped: Grouped, draws: int, rng: np.random.Generator, level: float) -> Interval:
    if draws < 1:
        raise ValueError(f"draws is {draws}; it must be at least 1")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must lie between 0 and 1")
    size = grouped.sums.size
    if size < 2:
        reason = "all questions form one group" if size else "there are no questions"
        return Interval(math.nan, math.nan, level, f"no interval: {reason}")
    low, high = np.quantile(grouped.means(size, draws, rng), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level)


def _sign_flip(sums: NDArray[np.float64], draws: int, rng: np.random.Generator) -> float:
    """Two-sided p-value of the total of *sums* (G,) under random signs; see `paired`."""
    moved = sums[sums != 0]  # a group without a difference has no sign to flip
    # Fractions (mean over golds) add up differently in another order; equal totals must count.
    observed = abs(float(moved.sum())) - 1e-9 * float(np.abs(moved).sum())
    if moved.size < 63 and 2**moved.size <= draws:
        patterns = np.arange(2**moved.size)[:, None] >> np.arange(moved.size) & 1
        return float((np.abs(_totals(patterns, moved)) >= observed).mean())
    hits = 0
    block = max(1, _BLOCK // moved.size)
    for begin in range(0, draws, block):
        shape = (min(block, draws - begin), moved.size)
        flips = rng.integers(0, 2, shape, dtype=np.int8)
        hits += int((np.abs(_totals(flips, moved)) >= observed).sum())
    return (1 + hits) / (1 + draws)


def _totals(flips: NDArray[np.signedinteger], moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """Totals (B,) of *moved* (K,) where a 1 in *flips* (B, K) keeps a sign and a 0 turns it."""
    kept: NDArray[np.float64] = flips.astype(np.float64) @ moved
    return 2 * kept - float(moved.sum())


def holm(p_values: Sequence[float], level: float = 0.05) -> list[bool]:
    """Which of several comparisons are evidence at *level* together, by Holm's step-down correction.

    Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6 (1979).
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    holds = [False] * len(p_values)
    for rank, index in enumerate(order):
        if p_values[index] > level / (len(p_values) - rank):
            break
        holds[index] = True
    return holds
