"""Micro-batches of as many windows as fit: under a token budget, or of windows that may share a batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from kit.modeling.batching import HARMLESS, Batching
from kit.modeling.distributed import Processes
from kit.training.batches import PADDING, LengthGroupedSampler


class BudgetBatches(Sampler[list[int]]):
    """Cuts each effective batch of *sampler* into micro-batches.

    They have at most *budget* padded tokens and at most *most* windows, where these are given, and windows
    that *batching* keeps apart never share one.

    Which windows share an effective batch stays as the sampler says, and so does the gradient.  Trainer wants
    the same number of micro-batches in all of them: ``steps``, what an effective batch of longest windows
    needs.  The others begin with empty ones, which cost nothing; the last one is never empty, since
    several processes meet there.  A window longer than the budget is a micro-batch of its own.

    With several *processes*, the windows of an effective batch are dealt out in turn, longest first, so that
    all shares are of like length; a share that is short of one gets -1, a row that takes no part.
    """

    batch_size = 1
    """For accelerate, which asks every batch sampler."""

    def __init__(
        self,
        sampler: LengthGroupedSampler,
        lengths: NDArray[np.int64],
        batch_size: int,
        budget: int | None,
        processes: Processes | None = None,
        *,
        most: int | None = None,
        batching: Batching = HARMLESS,
    ) -> None:
        self.sampler = sampler
        """Hears from accelerate which epoch begins."""
        self._lengths, self._effective, self._budget = batching.padded(lengths), batch_size, budget
        self._processes, self._most, self._batching = processes or Processes(), most, batching
        rows = -(-min(batch_size, sampler.epoch_size) // self._processes.size)
        if batching.keeps_apart:
            self.steps = rows  # at worst no two are of equal length
        else:
            self.steps = -(-rows // self._rows(int(self._lengths.max())))

    def __len__(self) -> int:
        return -(-self.sampler.epoch_size // self._effective) * self.steps

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
        for first in range(0, len(order), self._effective):
            yield order[first : first + self._effective]

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
        most = self._effective if self._most is None else self._most
        return most if self._budget is None else max(min(self._budget // longest, most), 1)
