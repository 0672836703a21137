"""The loss of the joint head: one softmax over all spans of a window."""

from __future__ import annotations

import torch

from kit.models.joint import ahead, span_scores
from kit.models.training.batches import PADDING


def joint_loss(
    start: torch.Tensor, end: torch.Tensor, joint: torch.Tensor, mask: torch.Tensor, golds: torch.Tensor
) -> torch.Tensor:
    """Half the cross-entropy of spans, averaged over a window's golds, summed over windows: a scalar.

    start, end: raw logits, float (batch, tokens); joint: float (batch, tokens, band), raw; mask: int
    (batch, tokens), 0 on padding; golds: int64 (batch, golds, 2), filled up with -1.

    The softmax is over every span of at most *band* tokens, of question and context alike; the span of the
    CLS token alone is the null.  Where start and end say all that there is to say, the cross-entropy is the
    sum of theirs: half of it keeps gradients, and so clipping and learning rates, as they are with
    independent ends.  A gold of more than *band* tokens is no span of these and teaches nothing, and so
    does a window that has no other.
    """
    band = joint.shape[2]
    begin, width = golds[..., 0], golds[..., 1] - golds[..., 0]
    present = ((begin != PADDING) & (width < band)).float()
    weight = present / present.sum(dim=1, keepdim=True).clamp(min=1)
    real = mask != 0
    allowed = real[:, :, None] & ahead(real, band)
    scores = span_scores(start, end, joint).masked_fill(~allowed, torch.finfo(torch.float32).min).flatten(1)
    target = begin.clamp(min=0) * band + width.clamp(min=0, max=band - 1)
    log_p = torch.log_softmax(scores, dim=1).gather(1, target)
    return -(log_p * weight).sum() / 2
