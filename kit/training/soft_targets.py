"""Targets softened by distance in characters: a boundary one off is punished less than one ten off."""

from __future__ import annotations

import torch

SOFT_SCALE = 3.0
"""Characters by which a boundary must be off to get 1/e of the right one's share of the softened mass."""


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
