"""Which joint scores of a window are kept for the span store."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from kit.modeling.joint_head import ahead
from kit.spans.posteriors import DEPTH
from kit.spans.span_scores import JointScores, offsets_of

MOST = 200
"""Spans kept a window, beside the best of every width."""

Kept = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]
"""Row of the batch, first and last column, score: (S,) each, ordered by the first three."""


def kept_spans(scores: torch.Tensor, valid: torch.Tensor) -> Kept:
    """The likeliest MOST spans of each row within the posterior's DEPTH of its best, and of every width in
    tokens the best.

    scores: float32 (batch, tokens, band) as `span_scores` gives them; valid: bool (batch, tokens), where a
    span may begin and end.  The best of every width are kept whatever they score, so that a cap shorter than
    the likeliest spans, or a strong length prior, still finds some.
    """
    band = scores.shape[2]
    allowed = valid[:, :, None] & ahead(valid, band)
    scores = scores.masked_fill(~allowed, -torch.inf)
    flat = scores.flatten(1)
    best, most = flat.topk(min(MOST, flat.shape[1]), dim=1)
    near = best >= best[:, :1] - DEPTH
    kept = torch.zeros_like(flat, dtype=torch.bool).scatter(1, most, near).view_as(scores)
    widths = scores.argmax(dim=1, keepdim=True)
    kept = kept.scatter(1, widths, True) & allowed
    row, first, width = (index.cpu().numpy() for index in kept.nonzero(as_tuple=True))
    return row, first.astype(np.int32), (first + width).astype(np.int32), scores[kept].cpu().numpy()


def in_order(pieces: list[Kept], windows: int) -> JointScores:
    """The kept spans of batches, whose rows are window numbers by now, by window."""
    window, first, last, score = (np.concatenate(column) for column in zip(*pieces, strict=True))
    order = np.argsort(window, kind="stable")
    offsets = offsets_of(np.bincount(window, minlength=windows).astype(np.int64))
    return JointScores(offsets, first[order], last[order], score[order])
