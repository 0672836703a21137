"""Batches of windows: which windows may share a forward pass, and how they are padded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from kit.modeling.windows import Windows
from kit.spans.span_scores import ranges


@dataclass(frozen=True, slots=True)
class Batching:
    """How windows are batched so that a window's scores do not depend on the other windows of its batch.

    padding: "harmless": any windows share a batch; "harmful": only windows of equal length; "fixed": any, but
        all are padded to *length*, the only one that the architecture takes
    length: tokens that every window is padded to, None where the longest of a batch decides
    alone: windows of equal length still change each other, so a batch has one window
    attention: the attention that a model with several is fixed to, None for all other models
    """

    padding: Literal["harmless", "harmful", "fixed"] = "harmless"
    length: int | None = None
    alone: bool = False
    attention: str | None = None

    @property
    def keeps_apart(self) -> bool:
        """Whether some windows may not share a batch."""
        return self.alone or self.padding == "harmful"

    def padded(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Tokens of each window before a batch pads it further, int64 (W,)."""
        return lengths if self.length is None else np.full_like(lengths, self.length)

    def together(self, lengths: NDArray[np.int64], most: int) -> int:
        """How many of the first windows share a batch of at most *most*; *lengths*: longest first."""
        if self.alone:
            most = 1
        if self.padding == "harmful":
            most = min(most, int((lengths[:most] == lengths[0]).sum()))
        return most

    def remarks(self, name: str) -> list[str]:
        """What a user should know about it, one line each; *name*: the backbone's."""
        found = []
        if self.attention is not None:
            found.append(
                f"{name} changes its attention with the length of a batch and keeps the change; it is fixed "
                f"to {self.attention}"
            )
        if self.padding == "harmful":
            where = "one window a batch" if self.alone else "batches hold windows of equal length only"
            found.append(f"{name}: padding changes its scores; {where}")
        elif self.padding == "fixed":
            where = ", one window a batch" if self.alone else ""
            found.append(
                f"{name} does not take windows of every length; all are padded to {self.length} tokens{where}"
            )
        return found


HARMLESS = Batching()


def budget_batches(
    lengths: NDArray[np.int64], budget: int, batching: Batching = HARMLESS
) -> Iterator[NDArray[np.int64]]:
    """Indices of windows, longest first, in batches of at most *budget* padded tokens (or one window)."""
    lengths = batching.padded(lengths)
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        most = max(int(budget // max(lengths[order[first]], 1)), 1)
        size = batching.together(lengths[order[first : first + most]], most)
        yield order[first : first + size]
        first += size


def pad_batch(
    windows: Windows, chosen: NDArray[np.int64], pad_id: int, length: int | None = None
) -> dict[str, torch.Tensor]:
    """Model inputs of the windows *chosen*, padded to the longest or to *length*: int64 (batch, tokens).

    The attention mask comes from the lengths, never from the pad id: some vocabularies use that id
    for a token of their own.
    """
    lengths = windows.lengths[chosen]
    shape = (len(chosen), int(lengths.max(initial=1)) if length is None else length)
    rows = np.repeat(np.arange(len(chosen)), lengths)
    columns = ranges(np.zeros_like(lengths), lengths)
    source = ranges(windows.offsets[chosen], windows.offsets[chosen + 1])

    def padded(values: NDArray[np.integer] | int, padding: int = 0) -> torch.Tensor:
        whole = np.full(shape, padding, dtype=np.int64)
        whole[rows, columns] = values
        return torch.from_numpy(whole)

    inputs = {"input_ids": padded(windows.ids[source], pad_id), "attention_mask": padded(1)}
    if windows.segments is not None:
        inputs["token_type_ids"] = padded(windows.segments[source])
    return inputs
