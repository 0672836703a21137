"""The loss of a batch of windows: exact cross-entropy, and what may be asked for on top of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch

from kit.config.training import TrainingSettings
from kit.models.training.batches import PADDING

SOFT_SCALE = 3.0
"""Characters by which a boundary must be off to get 1/e of the right one's share of the softened mass."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a batch is trained on.

    soften: share of each target that is spread over the tokens around it, by distance in characters
    r_drop: weight of the divergence between two passes with different dropout; 0: one pass
    """

    soften: float = 0.0
    r_drop: float = 0.0

    @classmethod
    def of(cls, settings: TrainingSettings) -> Self:
        """The loss that the settings ask for."""
        return cls(settings.soften, settings.r_drop)

    def __call__(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, Any]:
        """The sum over the windows of *batch*, a scalar, and the model's output.

        batch: as SpanCollator makes it; ``golds`` and ``places`` are for the loss, the rest for the model.
        """
        inputs = {name: value for name, value in batch.items() if name not in {"golds", "places", "labels"}}
        golds, places, mask = batch["golds"], batch.get("places"), batch["attention_mask"]
        if self.r_drop:
            inputs = {name: torch.cat([value, value]) for name, value in inputs.items()}
        output = model(**inputs)
        start, end = output.start_logits, output.end_logits
        if not self.r_drop:
            return span_loss(start, end, mask, golds, soften=self.soften, places=places), output
        rows = len(golds)
        passes = [(start[:rows], end[:rows]), (start[rows:], end[rows:])]
        losses = [span_loss(*one, mask, golds, soften=self.soften, places=places) for one in passes]
        return (losses[0] + losses[1]) / 2 + self.r_drop * divergence(passes, mask, golds), output


def span_loss(
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
    golds: torch.Tensor,
    *,
    soften: float = 0.0,
    places: torch.Tensor | None = None,
) -> torch.Tensor:
    """Cross-entropy of start and end, averaged over a window's golds, summed over windows: a scalar.

    start, end: raw logits, float (batch, tokens); mask: int (batch, tokens), 0 on padding;
    golds: int64 (batch, golds, 2), filled up with -1; places: int (batch, tokens, 2), the characters
    where a context token begins and ends, -1 on other tokens: needed to *soften*.

    Padding is taken out of the softmax, so that a window's loss does not depend on what it is
    padded to; the sum, divided by the number of windows of the whole effective batch, makes the gradient
    independent of the micro-batch.
    """
    present = (golds[..., 0] != PADDING).float()
    weight = present / present.sum(dim=1, keepdim=True).clamp(min=1)  # rows that take no part have none
    total = start.new_zeros((), dtype=torch.float32)
    for side, logits in enumerate((start, end)):
        target = golds[..., side].clamp(min=0)
        log_p = torch.log_softmax(_masked(logits, mask), dim=1)
        found = log_p.gather(1, target)
        if soften:
            assert places is not None
            near, softened = near_targets(places[..., side], target)
            around = (near * log_p[:, None]).sum(dim=2)
            found = torch.where(softened, (1 - soften) * found + soften * around, found)
        total = total - (found * weight).sum() / 2
    return total


def near_targets(places: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How the softened share of each target is spread, float (batch, golds, tokens), and where it is.

    places: int (batch, tokens), a character a context token, -1 elsewhere; target: int64 (batch, golds).
    A boundary that is d characters off costs d edits, and gets a mass in proportion to
    exp(-d / SOFT_SCALE).  bool (batch, golds): false for targets outside the context (CLS), which nothing
    is near to.
    """
    own = places.gather(1, target)
    distance = (places[:, None] - own[..., None]).abs().float()
    kernel = torch.exp(-distance / SOFT_SCALE) * (places >= 0)[:, None]
    return kernel / kernel.sum(dim=2, keepdim=True).clamp(min=1e-12), own >= 0


def divergence(
    passes: list[tuple[torch.Tensor, torch.Tensor]], mask: torch.Tensor, golds: torch.Tensor
) -> torch.Tensor:
    """Symmetric KL divergence between two passes, mean of start and end, summed over windows: a scalar.

    R-Drop (Liang et al., 2021): dropout must not change what the model says.
    """
    takes_part = golds[:, :1, 0] != PADDING
    total = mask.new_zeros((), dtype=torch.float32)
    for one, other in zip(*passes, strict=True):
        p, q = (torch.log_softmax(_masked(logits, mask), dim=1) for logits in (one, other))
        both = (p.exp() - q.exp()) * (p - q)  # KL(p, q) + KL(q, p), token by token
        total = total + (both * takes_part * mask).sum() / 4
    return total


def _masked(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return logits.float().masked_fill(mask == 0, torch.finfo(torch.float32).min)
