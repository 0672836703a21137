"""The joint span head: what a start and an end are worth together, beyond what each is worth alone.

u(b, e) = a(b) · c(e) / √size + length(e − b) for spans of at most *band* tokens, with a and c linear in the
last hidden state (a biaffine scorer as in Dozat and Manning, Deep Biaffine Attention, 2017, inside a band).
A span's score is start(b) + end(e) + u(b, e).  The model's folder stays an ordinary one, with one file more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_model
from torch.nn.functional import pad
from transformers.utils.generic import ModelOutput

from kit.errors import ModelError
from kit.settings.training import Head

JOINT_FILE = "joint.safetensors"
BAND = 64
"""Tokens a span may have: more than the default cap of 60 characters can take."""
_SIZE = 64
_WIDEST = 1024
"""Where a file may ask for more, a batch's scores would no longer fit into memory."""


@dataclass
class JointOutput(ModelOutput):
    """Raw scores, float: start_logits, end_logits (batch, tokens); joint (batch, tokens, band), where
    ``joint[:, b, k]`` is u(b, b + k)."""

    start_logits: torch.Tensor | None = None
    end_logits: torch.Tensor | None = None
    joint: torch.Tensor | None = None


class JointHead(torch.nn.Module):
    """u(b, e) from hidden states.  Fresh, it is 0 everywhere: training begins at the independent head."""

    def __init__(self, hidden: int, size: int = _SIZE, band: int = BAND) -> None:
        super().__init__()
        self.start = torch.nn.Linear(hidden, size)
        self.end = torch.nn.Linear(hidden, size)
        # by its name Trainer knows that it must not decay
        self.length_bias = torch.nn.Parameter(torch.zeros(band))
        torch.nn.init.zeros_(self.end.weight)
        torch.nn.init.zeros_(self.end.bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """From float (batch, tokens, hidden) to float (batch, tokens, band)."""
        tokens, band = hidden.shape[1], len(self.length_bias)
        # Blocks of `band` starts, each against the ends of its own block and the next: time and memory grow
        # with tokens × band, never with tokens².
        blocks = -(-tokens // band)
        scale = 1 / math.sqrt(self.start.out_features)
        opening = pad(self.start(hidden) * scale, (0, 0, 0, blocks * band - tokens))
        closing = pad(self.end(hidden), (0, 0, 0, (blocks + 1) * band - tokens))
        opening = opening.unflatten(1, (blocks, band))
        closing = closing.unflatten(1, (blocks + 1, band))
        pairs = opening @ torch.cat([closing[:, :-1], closing[:, 1:]], dim=2).transpose(2, 3)
        # Row r of a block needs the columns from r on: in rows one longer these stand below each other.
        skewed = pad(pairs.flatten(2), (0, band)).unflatten(2, (band, 2 * band + 1))[..., :band]
        scores: torch.Tensor = skewed.flatten(1, 2)[:, :tokens] + self.length_bias
        return scores


class JointReader(torch.nn.Module):
    """A question-answering model (*reader*) under a joint head; takes the inputs that the model takes."""

    def __init__(self, reader: Any, head: JointHead) -> None:
        super().__init__()
        self.reader, self.head, self.config = reader, head, reader.config
        self._hidden: torch.Tensor | None = None
        # Asked for by name, the hidden states of all layers would be kept, in inference too.
        reader.base_model.register_forward_hook(self._remember)

    def _remember(self, module: torch.nn.Module, inputs: object, output: Any) -> None:
        self._hidden = output[0]

    def forward(self, **inputs: torch.Tensor) -> JointOutput:
        """The reader's logits and the head's joint scores."""
        output = self.reader(**inputs)
        hidden, self._hidden = self._hidden, None
        return JointOutput(output.start_logits, output.end_logits, self.head(hidden))

    def save_pretrained(self, folder: Path) -> None:
        """An ordinary folder of the reader, which any transformers loads, with the head's file beside."""
        self.reader.save_pretrained(folder)
        save_model(self.head, str(folder / JOINT_FILE), metadata={"format": "pt"})


def hidden_size(reader: Any) -> int | None:
    """Numbers a token in the hidden states that a joint head reads; None where these are not found."""
    size = getattr(reader.config, "hidden_size", None)
    return size if isinstance(size, int) and reader.base_model is not reader else None


def with_head(reader: Any, folder: Path, head: Head | None) -> torch.nn.Module:
    """*reader*, loaded from *folder*, under the *head* asked for; None: the one that the folder has.

    A "joint" head that the folder lacks is made from torch's global generator.  Raises ModelError where
    the head's file is damaged or made for another model.
    """
    path = folder / JOINT_FILE
    if head == "independent" or (head is None and not path.exists()):
        return reader  # type: ignore[no-any-return]
    if (hidden := hidden_size(reader)) is None:
        raise ModelError(
            f"{reader.config.model_type}: its hidden states are not to be found, which --head joint needs; "
            "use --head independent"
        )
    return JointReader(reader, _read_head(path, hidden) if path.exists() else JointHead(hidden))


def reader_of(model: torch.nn.Module) -> Any:
    """The transformers model itself, without a joint head."""
    return model.reader if isinstance(model, JointReader) else model


def _read_head(path: Path, hidden: int) -> JointHead:
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise _unusable(path, (str(error).splitlines() or ["unreadable"])[0]) from error
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    size, band = ((shapes.get(name) or (0,))[0] for name in ("start.weight", "length_bias"))
    expected = {
        "start.weight": (size, hidden), "start.bias": (size,),
        "end.weight": (size, hidden), "end.bias": (size,), "length_bias": (band,),
    }  # fmt: skip
    for name in sorted(expected.keys() | shapes.keys()):
        if shapes.get(name) != expected.get(name):
            raise _unusable(path, f"{name} is {shapes.get(name)}, not {expected.get(name)}")
    if not (0 < size <= _WIDEST and 0 < band <= _WIDEST):
        raise _unusable(path, f"size {size} and band {band} are not both from 1 to {_WIDEST}")
    for name, tensor in weights.items():
        if not (tensor.is_floating_point() and bool(torch.isfinite(tensor).all())):
            raise _unusable(path, f"{name} is not of finite numbers")
    head = JointHead(hidden, size, band)
    head.load_state_dict(weights)
    return head


def _unusable(path: Path, reason: str) -> ModelError:
    return ModelError(
        f"{path}: is no joint head of this model ({reason}); copy it again from where it was trained, or "
        "delete it to read start and end independently"
    )


def span_scores(start: torch.Tensor, end: torch.Tensor, joint: torch.Tensor) -> torch.Tensor:
    """start(b) + end(b + k) + u(b, b + k): float32 (batch, tokens, band); ends beyond the last token add 0.

    start, end: float (batch, tokens); joint: float (batch, tokens, band).
    """
    return start.float()[:, :, None] + ahead(end.float(), joint.shape[2]) + joint.float()


def ahead(values: torch.Tensor, band: int) -> torch.Tensor:
    """values[b + k] for 0 <= k < band, 0 beyond the last: (…, tokens) to (…, tokens, band)."""
    return pad(values, (0, band - 1)).unfold(-1, band, 1)
