"""The collator: from window numbers to a padded batch with its labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from kit.modeling.batching import HARMLESS, Batching, pad_batch
from kit.modeling.windows import Windows
from kit.spans.span_scores import ranges
from kit.training.labels import Labels

PADDING = -1
"""Marks the unused places of a row of golds, and window numbers that stand for no window."""
IGNORED = -100
"""Trainer counts the labels that differ from this; a row with it takes no part in the loss."""


class WindowDataset(Dataset[int]):
    """The windows by number, PADDING too (a range would take -1 for its last); the collator does the work."""

    def __init__(self, count: int) -> None:
        self._count = count

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
