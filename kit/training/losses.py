"""The loss of a batch of windows: exact cross-entropy, and what may be asked for on top of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch

from kit.modeling.joint_head import ahead, span_scores
from kit.settings.training import TrainingSettings
from kit.training.collator import PADDING

SOFT_SCALE = 3.0
"""Characters by which a boundary must be off to get 1/e of the right one's share of the softened mass."""
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

    def __call__(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """The sum over the windows of *batch*, a scalar.

        batch: as SpanCollator makes it; ``golds`` and ``places`` are for the loss, the rest for the model.
        """
        inputs = {name: value for name, value in batch.items() if name not in _OF_THE_LOSS}
        mask, golds = batch["attention_mask"], batch["golds"]
        if not self.r_drop:
            return self._of_pass(_scored(model(**inputs), slice(None)), batch)
        output = model(**{name: torch.cat([value, value]) for name, value in inputs.items()})
        rows = len(golds)
        first, second = _scored(output, slice(rows)), _scored(output, slice(rows, None))
        mean = (self._of_pass(first, batch) + self._of_pass(second, batch)) / 2
        tables = list(zip(_tables(first, mask), _tables(second, mask), strict=True))
        return mean + self.r_drop * divergence(tables, golds)

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


def joint_loss(
    start: torch.Tensor,
    end: torch.Tensor,
    joint: torch.Tensor,
    mask: torch.Tensor,
    golds: torch.Tensor,
    *,
    soften: float = 0.0,
    places: torch.Tensor | None = None,
) -> torch.Tensor:
    """Half the cross-entropy of spans, averaged over a window's golds, summed over windows: a scalar.

    start, end: raw logits, float (batch, tokens); joint: float (batch, tokens, band), raw; mask: int
    (batch, tokens), 0 on padding; golds: int64 (batch, golds, 2), filled up with -1; places as in
    `span_loss`: the share *soften* of a gold goes to the spans around it, by both boundaries' distances.

    The softmax is over every span of at most *band* tokens, of question and context alike; the span of the
    CLS token alone is the null.  Where start and end say all that there is to say, the cross-entropy is the
    sum of theirs: half of it keeps gradients, and so clipping and learning rates, as they are with
    independent ends.  A gold of more than *band* tokens is no span of these and teaches nothing, and so
    does a window that has no other.
    """
    band = joint.shape[2]
    begin, width = golds[..., 0].clamp(min=0), golds[..., 1] - golds[..., 0]
    present = ((golds[..., 0] != PADDING) & (width < band)).float()
    weight = present / present.sum(dim=1, keepdim=True).clamp(min=1)
    log_p = span_log_p(start, end, joint, mask)
    found = log_p.gather(1, begin * band + width.clamp(min=0, max=band - 1))
    if soften:
        assert places is not None
        near_start, softened = near_targets(places[..., 0], begin)
        near_end, _ = near_targets(places[..., 1], golds[..., 1].clamp(min=0))
        near = near_start[..., None] * ahead(near_end, band)
        near = near / near.sum(dim=(2, 3), keepdim=True).clamp(min=1e-12)
        around = (near.flatten(2) * log_p[:, None]).sum(dim=2)
        found = torch.where(softened, (1 - soften) * found + soften * around, found)
    return -(found * weight).sum() / 2


def span_log_p(
    start: torch.Tensor, end: torch.Tensor, joint: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Log-probabilities of all spans (b, b + k), float32 (batch, tokens · band); padding is in none."""
    band = joint.shape[2]
    real = mask != 0
    allowed = real[:, :, None] & ahead(real, band)
    scores = span_scores(start, end, joint).masked_fill(~allowed, torch.finfo(torch.float32).min)
    return torch.log_softmax(scores.flatten(1), dim=1)


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
