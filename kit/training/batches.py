"""Training batches: windows of like length together, the same order for the same seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset, Sampler

from kit.modeling.batching import HARMLESS, Batching, pad_batch
from kit.modeling.distributed import Processes
from kit.modeling.windows import Windows
from kit.spans.span_scores import ranges
from kit.training.labels import Labels
from kit.training.shares import SourceSampler

_POOL = 50
"""Effective batches sorted by length together: enough to group lengths, few enough to stay random."""
PADDING = -1
"""Marks the unused places of a row of golds."""
IGNORED = -100
"""Trainer counts the labels that differ from this; a row with it takes no part in the loss."""


class WindowDataset(Dataset[int]):
    """The windows by number; the collator below does the work on whole batches."""

    def __init__(self, windows: Windows) -> None:
        self._count = len(windows)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> int:
        return index


class SpanCollator:
    """Batches of windows with their labels.

    Adds to the model's inputs ``golds``, int64 (batch, golds, 2): start and end position of each gold
    that stands in the window, CLS where none does, filled up with -1; and ``labels``, int64
    (batch,), which only lets Trainer count the windows of an accumulated batch.  Window number -1 stands
    for a row that takes no part (the last batch shared by several processes): no golds, label -100.
    With *places* also ``places``, int64 (batch, tokens, 2): the characters where a context token
    begins and ends, -1 on all other tokens and those of white space alone.
    """

    def __init__(
        self,
        windows: Windows,
        labels: Labels,
        pad_id: int,
        *,
        places: bool = False,
        batching: Batching = HARMLESS,
    ) -> None:
        self._windows, self._labels, self._pad_id, self._with_places = windows, labels, pad_id, places
        self._batching = batching
        self._shortest = int(windows.lengths.argmin()) if len(windows) else 0
        self._offsets = np.searchsorted(labels.window, np.arange(len(windows) + 1))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each window, with padding that it always has, int64 (W,)."""
        return self._batching.padded(self._windows.lengths)

    def __call__(self, chosen: Sequence[int]) -> dict[str, torch.Tensor]:
        if not chosen:  # an empty micro-batch; the model never sees it
            nothing = torch.zeros(0, dtype=torch.int64)
            return {"input_ids": nothing, "labels": nothing}
        asked = np.asarray(chosen, dtype=np.int64)
        real = asked != PADDING
        index = np.where(real, asked, self._shortest)
        inputs = pad_batch(self._windows, index, self._pad_id, self._batching.length)
        first, last = self._offsets[index], self._offsets[index + 1]
        golds = np.full((len(index), int((last - first).max()), 2), PADDING, dtype=np.int64)
        for column in range(golds.shape[1]):
            has = first + column < last
            at = first[has] + column
            golds[has, column, 0], golds[has, column, 1] = self._labels.start[at], self._labels.end[at]
        golds[~real] = PADDING
        inputs["golds"] = torch.from_numpy(golds)
        inputs["labels"] = torch.from_numpy(np.where(real, index, IGNORED))
        if self._with_places:
            inputs["places"] = torch.from_numpy(self._places(index, inputs["input_ids"].shape[1]))
        return inputs

    def _places(self, index: NDArray[np.int64], width: int) -> NDArray[np.int64]:
        windows = self._windows
        tokens, at = windows.tokens[index], windows.context_at[index]
        first = windows.contexts.offsets[windows.context[windows.question[index]]] + windows.token_at[index]
        token = ranges(first, first + tokens)
        begin, end = windows.contexts.begin[token], windows.contexts.end[token]
        places = np.full((len(index), width, 2), PADDING, dtype=np.int64)
        rows, columns = np.repeat(np.arange(len(index)), tokens), ranges(at, at + tokens)
        spoken = end > begin
        places[rows[spoken], columns[spoken]] = np.stack([begin, end], axis=1)[spoken]
        return places


class LengthGroupedSampler(Sampler[int]):
    """An order of all windows that depends on lengths, effective batch, seed and epoch alone.

    With *draws*, of the windows that they give the epoch.

    Windows are shuffled, pools of 50 effective batches are sorted by length, and the batches
    cut from them are shuffled again.  Which windows share an effective batch does not depend on the
    micro-batch; inside it they stand longest first, so that micro-batches pad little.  The epoch's
    first batch is the one with the longest window: too little memory shows at once.  The short last
    batch stays last.

    With several *processes*, each iterates over its own share: one micro-batch in turn, so that all
    of them make the same steps; the last batch is filled up with -1, rows that take no part.
    """

    def __init__(
        self,
        lengths: NDArray[np.int64],
        batch_size: int,
        seed: int,
        *,
        micro_batch_size: int = 1,
        processes: Processes | None = None,
        draws: SourceSampler | None = None,
    ) -> None:
        self._lengths, self._batch_size, self._seed = lengths, batch_size, seed
        self._draws, self.epoch_size = draws, len(lengths) if draws is None else draws.count
        self._micro, self._processes = micro_batch_size, processes or Processes()
        self._epoch = 0

    def __len__(self) -> int:
        if self._processes.size == 1:
            return self.epoch_size
        turn = self._micro * self._processes.size
        return -(-self.epoch_size // turn) * self._micro

    @property
    def epoch(self) -> int:
        """The epoch that was begun last."""
        return self._epoch

    def micro_batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """The windows of every micro-batch of *epoch*, of all processes together."""
        order = self.order(epoch)
        return [order[first : first + self._micro] for first in range(0, len(order), self._micro)]

    def set_epoch(self, epoch: int) -> None:
        """Trainer says which epoch begins; a resumed run hears the same number."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        order = self.order(self._epoch)
        if self._processes.size == 1:
            return iter(order.tolist())
        turns = np.full((len(self) // self._micro, self._processes.size, self._micro), PADDING)
        turns.ravel()[: len(order)] = order
        return iter(turns[:, self._processes.rank].ravel().tolist())

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The window numbers of *epoch*, int64 (epoch_size,), in its order: all of them, or those drawn."""
        generator = np.random.default_rng([self._seed, epoch])
        taking_part = np.arange(self.epoch_size) if self._draws is None else self._draws(epoch)
        shuffled = generator.permutation(taking_part)
        pool = self._batch_size * _POOL
        for first in range(0, len(shuffled), pool):
            part = shuffled[first : first + pool]
            shuffled[first : first + pool] = part[np.argsort(-self._lengths[part], kind="stable")]
        whole = len(shuffled) // self._batch_size * self._batch_size
        batches = shuffled[:whole].reshape(-1, self._batch_size)
        batches = batches[generator.permutation(len(batches))]
        if len(batches):
            longest = int(self._lengths[batches].max(axis=1).argmax())
            batches[[0, longest]] = batches[[longest, 0]]
        return np.concatenate([batches.ravel(), shuffled[whole:]])
