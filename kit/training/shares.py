"""Which windows take part in an epoch, where it holds only a share of a source, or more than all of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_TAG = 0x5A4E
"""Keeps these draws apart from the batches', which come from the same seed."""


class SourceSampler:
    """The windows of each epoch: of every source its share, drawn without replacement across epochs.

    A source's windows are dealt out in cycles.  A cycle is all of them once, in an order of its own, and
    an epoch takes the next ⌈share · windows⌉: with a share of 0.25 four epochs show every window.  An epoch
    in which one cycle ends and the next begins takes from the next first what it does not have yet, so
    that a share up to 1 shows no window twice in an epoch, and one of 1.5 each once or twice.

    Draws depend on the sources, the seed and the epoch alone: not on the process, the micro-batch or what was
    asked before.
    """

    def __init__(self, source: NDArray[np.int64], shares: Sequence[float], seed: int) -> None:
        """*source*: int64 (W,), the source of each window, a place in *shares*."""
        self._windows = [np.flatnonzero(source == number) for number in range(len(shares))]
        self._seed = seed
        self._counts = [
            # The share as it was written: 0.07 of 100 windows are 7, in binary fractions they would be 8.
            math.ceil(Fraction(str(share)) * len(windows))
            for share, windows in zip(shares, self._windows, strict=True)
        ]

    @property
    def count(self) -> int:
        """Windows of an epoch, the same for each."""
        return sum(self._counts)

    def __call__(self, epoch: int) -> NDArray[np.int64]:
        """The window numbers of *epoch*, int64 (count,), source by source; those drawn twice stand twice."""
        return np.concatenate([self._of(number, epoch) for number in range(len(self._windows))])

    def _of(self, number: int, epoch: int) -> NDArray[np.int64]:
        windows, count = self._windows[number], self._counts[number]
        if count == len(windows):
            return windows
        # What is left of a cycle depends on the epochs before: they are gone through, which is quick.
        cycle, left = 0, np.empty(0, np.int64)
        taken = left
        for _ in range(epoch + 1):
            taken, left = left[:count], left[count:]
            while len(taken) < count:
                fresh = np.random.default_rng([self._seed, number, cycle, _TAG]).permutation(len(windows))
                cycle += 1
                missing = count - len(taken)
                if missing < len(windows):  # the epoch's last: first what it has least often
                    often = np.bincount(taken, minlength=len(windows))
                    fresh = fresh[np.argsort(often[fresh], kind="stable")]
                taken, left = np.concatenate([taken, fresh[:missing]]), fresh[missing:]
        return windows[taken]
