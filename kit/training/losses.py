"""The loss of a batch of windows: exact cross-entropy, and what may be asked for on top of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch

from kit.settings.training import TrainingSettings
from kit.training.batches import PADDING
from kit.training.joint_loss import joint_loss, span_log_p
from kit.training.soft_targets import near_targets

_OF_THE_LOSS = frozenset({"golds", "places", "labels"})
_Scored = tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]
"""Start and end logits of one pass, and the joint scores where the model has them."""


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
        inputs = {name: value for name, value in batch.items() if name not in _OF_THE_LOSS}
        mask, golds = batch["attention_mask"], batch["golds"]
        if not self.r_drop:
            output = model(**inputs)
            return self._of_pass(_scored(output, slice(None)), batch), output
        output = model(**{name: torch.cat([value, value]) for name, value in inputs.items()})
        rows = len(golds)
        first, second = _scored(output, slice(rows)), _scored(output, slice(rows, None))
        mean = (self._of_pass(first, batch) + self._of_pass(second, batch)) / 2
        tables = list(zip(_tables(first, mask), _tables(second, mask), strict=True))
        return mean + self.r_drop * divergence(tables, golds), output

    def _of_pass(self, scored: _Scored, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        start, end, joint = scored
        rest = batch["attention_mask"], batch["golds"]
        if joint is None:
            return span_loss(start, end, *rest, soften=self.soften, places=batch.get("places"))
        return joint_loss(start, end, joint, *rest, soften=self.soften, places=batch.get("places"))


def _scored(output: Any, rows: slice) -> _Scored:
    joint = getattr(output, "joint", None)
    return output.start_logits[rows], output.end_logits[rows], None if joint is None else joint[rows]


def _tables(scored: _Scored, mask: torch.Tensor) -> list[torch.Tensor]:
    """The log-probabilities a pass gives: of starts and of ends, or of spans."""
    start, end, joint = scored
    if joint is not None:
        return [span_log_p(start, end, joint, mask)]
    return [torch.log_softmax(_masked(logits, mask), dim=1) for logits in (start, end)]


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


def divergence(tables: Sequence[tuple[torch.Tensor, torch.Tensor]], golds: torch.Tensor) -> torch.Tensor:
    """Symmetric KL divergence between two passes, summed over windows: a scalar.

    *tables*: log-probabilities of one pass and the other, float (batch, choices): of starts and of ends,
    whose mean is taken, or of spans, half of which is taken, as in the loss.  golds: int64
    (batch, golds, 2); rows without any take no part.  R-Drop (Liang et al., 2021): dropout must not change
    what a model says.
    """
    takes_part = golds[:, :1, 0] != PADDING
    total = golds.new_zeros((), dtype=torch.float32)
    for p, q in tables:
        both = (p.exp() - q.exp()) * (p - q)  # KL(p, q) + KL(q, p), choice by choice
        total = total + (both * takes_part).sum() / 4
    return total


def _masked(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return logits.float().masked_fill(mask == 0, torch.finfo(torch.float32).min)
