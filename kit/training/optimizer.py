"""Layer-wise learning rates: the nearer a weight is to the words, the less it moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kit.errors import ModelError
from kit.modeling.heads import head_weights
from kit.modeling.joint_head import reader_of


def depths(model: torch.nn.Module) -> dict[str, int]:
    """How far below the head every weight is, by name: 0 head, 1 last layer, …, layers + 1 embeddings."""
    stacks = {
        name: len(module) for name, module in model.named_modules() if isinstance(module, torch.nn.ModuleList)
    }
    if not stacks:
        raise ModelError("--layer-decay: this backbone has no stack of layers; leave it out")
    stack, layers = max(stacks.items(), key=lambda one: one[1])  # the longest list of modules
    reader = reader_of(model)
    prefix = "" if reader is model else "reader."
    body = {prefix + name for name in set(reader.state_dict()) - head_weights(reader)}
    found = {}
    for name, _ in model.named_parameters():
        if name.startswith(f"{stack}."):
            found[name] = layers - int(name.removeprefix(f"{stack}.").split(".")[0])
        else:
            found[name] = layers + 1 if name in body else 0
    return found


def parameter_groups(
    model: torch.nn.Module, decaying: Sequence[str], *, lr: float, weight_decay: float, layer_decay: float
) -> list[dict[str, Any]]:
    """Groups for an optimizer: learning rate lr · layer_decay^depth, the head's first.

    *decaying*: names of weights that weight decay applies to.  The rates are those of ELECTRA's
    fine-tuning (Clark et al., 2020): one factor a layer.
    """
    grouped: dict[tuple[int, bool], list[torch.nn.Parameter]] = {}
    below = depths(model)
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            grouped.setdefault((below[name], name in decaying), []).append(weight)
    return [
        {"params": weights, "lr": lr * layer_decay**depth, "weight_decay": weight_decay * decays}
        for (depth, decays), weights in sorted(grouped.items(), key=lambda item: item[0])
    ]
