"""Forward passes over synthetic windows, before there are data: they leave the model unchanged."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import transformers

from kit.data.records import Answer, Question
from kit.modeling.backbones import Backbone
from kit.modeling.batching import pad_batch
from kit.modeling.tokens import Texts, template_of
from kit.modeling.windows import Windows, make_windows
from kit.spans.span_scores import offsets_of

_TOLERANCE = 1e-4
"""Of the spread of hidden states.  Rounding moves them by about 1e-6 of it; padding that matters by 3e-4 and
more in random models of two layers, by 1e-2 and more in trained ones."""
_TOLERANCE_LOGITS = 1e-3
"""Two numbers a token are rounded less evenly than hundreds."""

_ASKED = 3
"""Tokens of every synthetic question."""
Scores = dict[str, torch.Tensor]
"""What a model says about CLS and context of one window: logits, and hidden states where they are found."""


def synthetic_windows(backbone: Backbone, lengths: Sequence[int]) -> tuple[Windows, list[Question]]:
    """One window for each of *lengths* (tokens, special ones included), and its question with an answer.

    Every character is one token, drawn from the vocabulary without its special tokens; the same call gives
    the same windows.  Windows of equal length have different tokens.  Raises ModelError for a length that
    leaves no room for a context, or a tokenizer whose pairs are not supported.
    """
    around = template_of(backbone).specials + _ASKED
    questions = []
    for number, length in enumerate(lengths):
        syllable = chr(ord("가") + number)
        context = syllable * max(length - around, 1)
        questions.append(Question(f"synthetic-{number}", "?" * _ASKED, context, (Answer(syllable, 0),)))
    special = {backbone.pad_id, *backbone.tokenizer.all_special_ids}
    vocabulary = np.setdiff1d(np.arange(backbone.engine.get_vocab_size()), sorted(special))

    def tokens_of(texts: Sequence[str]) -> Texts:
        counts = np.array([len(text) for text in texts], dtype=np.int64)
        ids = [np.random.default_rng([ord(text[0]), 0]).choice(vocabulary, len(text)) for text in texts]
        begin = np.concatenate([np.arange(count) for count in counts]).astype(np.int32)
        return Texts(np.concatenate(ids).astype(np.int32), begin, begin + 1, offsets_of(counts))

    least = around + _ASKED  # below it, the question itself would be cut
    windows = make_windows(
        backbone, questions, max_length=max(*lengths, least), stride=0, tokens_of=tokens_of
    )
    return windows, questions


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
