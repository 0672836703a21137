"""The samplers: which windows share an effective batch, and how it is cut into micro-batches.

Windows of similar length are grouped; the order depends on seed and epoch alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from kit.modeling.batching import HARMLESS, Batching
from kit.modeling.distributed import Processes
from kit.training.collator import PADDING
from kit.training.mixture import SourceSampler

_POOL = 50
"""Effective batches sorted by length together: enough to group lengths, few enough to stay random."""


class LengthGroupedSampler:
    """An order of all windows that depends on lengths, effective batch, seed and epoch alone.

    With *draws*, of the windows that they give the epoch.

    Windows are shuffled, pools of 50 effective batches are sorted by length, and the batches
    cut from them are shuffled again.  Inside a batch they stand longest first, so that micro-batches pad
    little.  The epoch's first batch is the one with the longest window: too little memory shows at once.  The
    short last batch stays last.
    """

    def __init__(
        self, lengths: NDArray[np.int64], batch_size: int, seed: int, draws: SourceSampler | None = None
    ) -> None:
        self.lengths, self.batch_size, self._seed, self._draws = lengths, batch_size, seed, draws
        self.epoch_size = len(lengths) if draws is None else draws.count
        self.epoch = 0
        """The epoch that was begun last."""

    def set_epoch(self, epoch: int) -> None:
        """Called by accelerate when an epoch begins; a resumed run gets the same number."""
        self.epoch = epoch

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The window numbers of *epoch*, int64 (epoch_size,), in its order: all of them, or those drawn."""
        generator = np.random.default_rng([self._seed, epoch])
        taking_part = np.arange(self.epoch_size) if self._draws is None else self._draws(epoch)
        shuffled = generator.permutation(taking_part)
        pool = self.batch_size * _POOL
        for first in range(0, len(shuffled), pool):
            part = shuffled[first : first + pool]
            shuffled[first : first + pool] = part[np.argsort(-self.lengths[part], kind="stable")]
        whole = len(shuffled) // self.batch_size * self.batch_size
        batches = shuffled[:whole].reshape(-1, self.batch_size)
        batches = batches[generator.permutation(len(batches))]
        if len(batches):
            longest = int(self.lengths[batches].max(axis=1).argmax())
            batches[[0, longest]] = batches[[longest, 0]]
        return np.concatenate([batches.ravel(), shuffled[whole:]])


class MicroBatches(Sampler[list[int]]):
    """Cuts each effective batch of *sampler* into micro-batches.

    They have *micro_batch_size* windows, or, where it is given, at most *budget* padded tokens; windows that
    *batching* keeps apart never share one.

    Which windows share an effective batch stays as the sampler says, and so does the gradient.  Trainer wants
    the same number of micro-batches in all of them: ``steps``, what an effective batch of longest windows
    needs.  The others begin with empty ones, which cost nothing; the last one is never empty, since
    several processes meet there.  A window longer than the budget is a micro-batch alone.

    With several *processes*, the windows of an effective batch are dealt out in turn, longest first, so that
    all shares have similar lengths; a share that is short of one gets -1, a row that takes no part.
    """

    batch_size = 1
    """For accelerate, which asks every batch sampler."""

    def __init__(
        self,
        sampler: LengthGroupedSampler,
        micro_batch_size: int,
        budget: int | None = None,
        processes: Processes | None = None,
        batching: Batching = HARMLESS,
    ) -> None:
        self.sampler = sampler
        """Accelerate tells it which epoch begins."""
        self._micro, self._budget, self._batching = micro_batch_size, budget, batching
        self._processes, self._lengths = processes or Processes(), batching.padded(sampler.lengths)
        rows = -(-min(sampler.batch_size, sampler.epoch_size) // self._processes.size)
        # where windows are kept apart, at worst no two are of equal length
        together = 1 if batching.keeps_apart else self._rows(int(self._lengths.max()))
        self.steps = -(-rows // together)

    def __len__(self) -> int:
        return -(-self.sampler.epoch_size // self.sampler.batch_size) * self.steps

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self._batches(self.sampler.epoch):
            pieces = self._cut(self._share(batch, self._processes.rank))
            yield from [[]] * (self.steps - len(pieces))
            yield from (piece.tolist() for piece in pieces)

    def micro_batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """The windows of every micro-batch of *epoch*, of all processes together; no empty ones."""
        return [
            piece[piece != PADDING]
            for batch in self._batches(epoch)
            for rank in range(self._processes.size)
            for piece in self._cut(self._share(batch, rank))
            if (piece != PADDING).any()
        ]

    def _batches(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        order = self.sampler.order(epoch)
        for first in range(0, len(order), self.sampler.batch_size):
            yield order[first : first + self.sampler.batch_size]

    def _share(self, batch: NDArray[np.int64], rank: int) -> NDArray[np.int64]:
        """The windows of *batch* that are process *rank*'s, longest first."""
        size = self._processes.size
        full = np.full(-(-len(batch) // size) * size, PADDING, dtype=np.int64)
        full[: len(batch)] = batch[np.argsort(-self._lengths[batch], kind="stable")]
        return full[rank::size]

    def _cut(self, share: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        pieces = []
        while len(share):
            longest = 1 if share[0] == PADDING else int(self._lengths[share[0]])
            rows = self._batching.together(self._lengths[share], self._rows(longest))
            pieces.append(share[:rows])
            share = share[rows:]
        return pieces

    def _rows(self, longest: int) -> int:
        """How many windows of *longest* tokens a micro-batch may have."""
        if self._budget is None:
            return self._micro
        return max(min(self._budget // longest, self.sampler.batch_size), 1)
