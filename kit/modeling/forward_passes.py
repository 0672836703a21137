"""Forward passes over synthetic windows that leave a model as it was, and what they say about each window."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import transformers

from kit.modeling.backbones import Backbone
from kit.modeling.batching import pad_batch
from kit.modeling.synthetic_windows import synthetic_windows

_TOLERANCE = 1e-4
"""Of the spread of hidden states.  Rounding moves them by about 1e-6 of it; padding that matters by 3e-4 and
more in random models of two layers, by 1e-2 and more in trained ones."""
_TOLERANCE_LOGITS = 1e-3
"""Two numbers a token are rounded less evenly than hundreds."""

Scores = dict[str, torch.Tensor]
"""What a model says about CLS and context of one window: logits, and hidden states where they are found."""


@contextlib.contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients and warnings; modes and random states are as before afterwards."""
    modes = {id(module): module.training for module in model.modules()}
    whole = model.training
    verbosity = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()
    try:
        with unchanged_random_state(), torch.no_grad():
            model.eval()
            yield
    finally:
        transformers.utils.logging.set_verbosity(verbosity)
        for module in model.modules():
            module.training = modes.get(id(module), whole)


@contextlib.contextmanager
def unchanged_random_state() -> Iterator[None]:
    """Leaves the generators of torch, numpy and Python as they were: some models seed them themselves."""
    of_python, of_numpy = random.getstate(), np.random.get_state()
    cuda = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    try:
        with torch.random.fork_rng(devices=cuda):
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)


class Passes:
    """Forward passes over windows of given lengths."""

    def __init__(self, reader: Any, backbone: Backbone, lengths: Sequence[int]) -> None:
        self._reader, self._pad_id = reader, backbone.pad_id
        self._windows, _ = synthetic_windows(backbone, lengths)
        self._device = next(reader.parameters()).device

    def trained(self, rows: list[int], length: int | None = None) -> list[Scores]:
        """The same as in training, with dropout; what the model measures on the way is forgotten."""
        measured = [(buffer, buffer.clone()) for buffer in self._reader.buffers()]
        self._reader.train()
        try:
            return self(rows, length)
        finally:
            self._reader.eval()
            for buffer, before in measured:
                buffer.copy_(before)

    def __call__(self, rows: list[int], length: int | None = None) -> list[Scores]:
        """What the model says about CLS and context of each of the windows *rows*, in one batch."""
        windows, hidden = self._windows, []
        inputs = pad_batch(windows, np.array(rows), self._pad_id, length)
        base = getattr(self._reader, "base_model", self._reader)
        handle = base.register_forward_hook(lambda module, arguments, output: hidden.append(output))
        try:
            output = self._reader(**{name: value.to(self._device) for name, value in inputs.items()})
        finally:
            handle.remove()
        states = None if base is self._reader else hidden[0][0]
        if states is not None and states.shape[:2] != inputs["input_ids"].shape:
            states = None
        found = []
        for number, row in enumerate(rows):
            first, count = int(windows.context_at[row]), int(windows.tokens[row])
            places = [windows.cls, *range(first, first + count)]
            logits = torch.stack([output.start_logits[number, places], output.end_logits[number, places]])
            found.append({"logits": logits.float()})
            if states is not None:
                found[-1]["hidden"] = states[number, places].float()
        return found


def differ(one: Scores, other: Scores) -> bool:
    for name, values in one.items():
        spread = values.std().clamp(min=1e-3 * values.abs().mean())
        tolerance = _TOLERANCE_LOGITS if name == "logits" and "hidden" in one else _TOLERANCE
        if not bool((values - other[name]).abs().max() <= tolerance * spread):  # a NaN is a difference
            return True
    return False
