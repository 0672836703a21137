"""Adversarial training: a second pass on embeddings moved to where the loss grows fastest.

The fast gradient method (Miyato et al., 2017), which moves each example's embedded words by a fixed
length along its own gradient.  Common QA scripts move the embedding table by the gradient of the whole batch
instead; by example, what a window learns does not depend on the micro-batch it stands in.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from kit.modeling.joint_head import reader_of

_UNREACHABLE = "its embedded words cannot be moved"


class Embedded:
    """The embedded words of one pass, and afterwards the gradient of the loss there."""

    gradient: torch.Tensor | None = None

    def shift(self, length: float) -> torch.Tensor:
        """Each window's gradient scaled to L2 norm *length*, float (batch, tokens, hidden).

        0 for windows without a gradient, and where it is not finite: fp16 before its loss scale has settled.
        Raises ValueError where the pass did not go through the table of words.
        """
        if self.gradient is None:
            raise ValueError(_UNREACHABLE)
        norm = self.gradient.float().flatten(1).norm(dim=1)
        scale = torch.where(torch.isfinite(norm) & (norm > 0), length / norm, 0.0)
        finite = torch.nan_to_num(self.gradient.float(), 0.0, 0.0, 0.0)
        return (scale[:, None, None] * finite).to(self.gradient.dtype)


@contextlib.contextmanager
def watched(model: torch.nn.Module) -> Iterator[Embedded]:
    """The pass inside leaves its gradient with respect to the embedded words."""
    found = Embedded()

    def keep(gradient: torch.Tensor) -> None:
        found.gradient = gradient.detach()

    def hook(module: torch.nn.Module, arguments: Any, output: Any) -> None:
        if not isinstance(output, torch.Tensor):
            raise ValueError(_UNREACHABLE)
        output.register_hook(keep)

    handle = words_of(model).register_forward_hook(hook)
    try:
        yield found
    finally:
        handle.remove()


@contextlib.contextmanager
def moved(model: torch.nn.Module, shift: torch.Tensor) -> Iterator[None]:
    """The pass inside sees embedded words moved by *shift*, float (batch, tokens, hidden)."""
    handle = words_of(model).register_forward_hook(lambda module, arguments, output: output + shift)
    try:
        yield
    finally:
        handle.remove()


def words_of(model: torch.nn.Module) -> torch.nn.Module:
    """The embedding table of the words, under whatever several devices wrap around the model."""
    words: torch.nn.Module = reader_of(getattr(model, "module", model)).get_input_embeddings()
    return words
