"""The loss of the joint head: one softmax over all spans of a window."""

from __future__ import annotations

import torch

from kit.modeling.joint_head import ahead, span_scores
from kit.training.batches import PADDING
from kit.training.soft_targets import near_targets


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
