"""A probe of a loaded model: whether its scores depend on padding, on neighbours or on earlier batches.

A few forward passes over short synthetic windows show it, whatever the architecture is called.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from kit.errors import ModelError
from kit.models.backbones import Backbone
from kit.models.batching import Batching, pad_batch
from kit.models.checkpoint_files import weights_file
from kit.models.joint import reader_of
from kit.models.synthetic_windows import synthetic_windows
from kit.models.tokens import template_of

_SHORT, _LONG = 13, 38
"""Tokens of the windows: one odd, one even, neither a multiple of 4, so that demands on lengths show."""
_LEAST = 16
"""Tokens that every model must take; the shortest --max-length."""
_BLOCKS = (2, 4, 8, 16, 32, 64, 128)
"""Architectures that compute in blocks take multiples of one of these."""
_LONGEST_DEMAND = 4096
"""Tokens: a longer window takes too long to try only because a config names its length."""
_TOLERANCE = 1e-4
"""Of the spread of hidden states.  Rounding moves them by about 1e-6 of it; padding that matters by 3e-4 and
more in random models of two layers, by 1e-2 and more in trained ones."""
_TOLERANCE_LOGITS = 1e-3
"""Two numbers a token are rounded less evenly than hundreds."""

_Scores = dict[str, torch.Tensor]
"""What a model says about CLS and context of one window: logits, and hidden states where they are found."""

_found: dict[tuple[object, ...], Batching] = {}


def batching_of(model: torch.nn.Module, backbone: Backbone, longest: int) -> Batching:
    """How windows of up to *longest* tokens must be batched for *model*, *backbone*'s with any weights.

    The forward passes run once in a process for each model and length, where the model is; its weights, its
    mode and all random states stay as they were.  A model that would switch its attention is fixed to one.
    Raises ModelError where no batching makes scores repeatable, or no forward pass works.
    """
    reader = reader_of(model)
    key = (*identity(backbone), longest)
    if key not in _found:
        with undisturbed(reader):
            _found[key] = _probe(reader, backbone, longest)
    batching = _found[key]
    if batching.attention is not None:
        with undisturbed(reader):  # the attention that it switches to begins with random weights
            _switch_of(reader).set_attention_type(batching.attention)
    return batching


def longest_that_works(model: torch.nn.Module, backbone: Backbone, wanted: int) -> int:
    """The longest window that *model* takes, at most *wanted* tokens: found by forward passes.

    Run it on the CPU: a position beyond a table would end a GPU's process.  Where no length works at all, it
    is *wanted*: then positions are not the cause.
    """
    reader = reader_of(model)
    with undisturbed(reader):
        if _fitting(reader, backbone, wanted) or not _fitting(reader, backbone, _LEAST):
            return wanted
        works, fails = _LEAST, wanted
        while fails - works > 1:
            middle = (works + fails) // 2
            if _fitting(reader, backbone, middle):
                works = middle
            else:
                fails = middle
    return works


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


def reason(error: BaseException) -> str:
    """What an exception says, in part of a line."""
    first = (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def identity(backbone: Backbone) -> tuple[object, ...]:
    """What tells a model from all others in this process, without reading its weights."""
    folder = Path(backbone.location)
    if not folder.is_dir():
        return backbone.location, getattr(backbone.config, "_commit_hash", None)
    files = [path.stat() for path in (folder / "config.json", weights_file(folder)) if path.exists()]
    return str(folder.resolve()), *((file.st_mtime_ns, file.st_size, file.st_ino) for file in files)


def _probe(reader: Any, backbone: Backbone, longest: int) -> Batching:
    _refuse_ids_beyond_tables(reader, backbone)
    attention = fixed = None
    if (switch := _switch_of(reader)) is not None and switch.attention_type != "original_full":
        attention, fixed = _settled_attention(reader, switch, backbone, longest)
    passes = _Passes(reader, backbone, (_SHORT, min(_LONG, longest), _SHORT))
    try:
        if fixed is None:
            alone, beside = passes([0]), passes([0, 1])
            padded, again = passes([0], passes.width(1)), passes([0])
            passes.trained([1])  # Reformer demands more of lengths then
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # of any kind: what a model says to a length that it does not take
        fixed = _fitting(reader, backbone, longest, training=True)
        if fixed is None:
            raise ModelError(f"{backbone.reference}: {_cause(error, reader)}") from error
    if fixed is not None:
        alone, beside, again = (passes(rows, fixed) for rows in ([0], [0, 1], [0]))
        whole = _Passes(reader, backbone, (longest,))  # Reformer draws at random where it has several chunks
    _refuse_what_is_not_finite(reader, backbone, alone)
    if _differ(alone, again) or (fixed is not None and _differ(whole([0], fixed), whole([0], fixed))):
        raise ModelError(
            f"{backbone.reference}: gives the same window other scores in a second forward pass (it keeps a "
            "state, or draws at random), so that its Edit Score means nothing; choose another backbone"
        )
    if fixed is not None:
        return Batching("fixed", fixed, _differ(alone, beside), attention)
    if not _differ(alone, beside) and not _differ(alone, padded):
        return Batching(attention=attention)
    return Batching("harmful", alone=_differ(alone, passes([0, 2])), attention=attention)


def _refuse_ids_beyond_tables(reader: Any, backbone: Backbone) -> None:
    """Raises ModelError for token and segment ids of the tokenizer that the model has no embedding of."""
    cure = "use the tokenizer that the model was published with"
    with contextlib.suppress(NotImplementedError, AttributeError):  # it has no table of words
        rows = reader.get_input_embeddings().num_embeddings
        highest = max(backbone.engine.get_vocab().values(), default=0)
        if highest >= rows:
            raise ModelError(
                f"{backbone.reference}: its tokenizer has token ids up to {highest}, its embeddings end at "
                f"{rows - 1}; {cure}"
            )
    kinds = template_of(backbone).segments
    for name, table in reader.named_modules():
        known = getattr(table, "num_embeddings", 0) if name.endswith("token_type_embeddings") else 0
        if backbone.limits.segments and 0 < known <= max(kinds):
            raise ModelError(
                f"{backbone.reference}: its tokenizer's template gives segment {max(kinds)}, the model knows "
                f"segments 0 to {known - 1}; {cure}"
            )


def _refuse_what_is_not_finite(reader: Any, backbone: Backbone, scores: _Scores) -> None:
    if all(bool(torch.isfinite(values).all()) for values in scores.values()):
        return
    damaged = [name for name, weight in reader.named_parameters() if not bool(torch.isfinite(weight).all())]
    what = f"{damaged[0]} is not of finite numbers" if damaged else "with weights that are"
    raise ModelError(
        f"{backbone.reference}: its scores are not finite ({what}); copy the model again from where it comes "
        "from, or choose another backbone"
    )


def _settled_attention(reader: Any, switch: Any, backbone: Backbone, longest: int) -> tuple[str, int | None]:
    """The attention that windows of *longest* tokens get, and the length that keeps the model at it.

    BigBird has full attention for short batches, and stays with it.  Where the longest window gets it,
    all do.  Where not, every window is padded to the longest: a shorter batch would switch.
    """
    _Passes(reader, backbone, (longest,))([0])
    attention = str(switch.attention_type)
    return attention, None if attention == "original_full" else longest


def _switch_of(reader: Any) -> Any:
    """The part of a model that chooses between several kinds of attention, or None."""
    return next((module for module in reader.modules() if hasattr(module, "set_attention_type")), None)


def _fitting(reader: Any, backbone: Backbone, tokens: int, *, training: bool = False) -> int | None:
    """The least length that a window of *tokens* tokens can be padded to; None where all fail."""
    every = _Passes(reader, backbone, (tokens,))
    passes = every.trained if training else every
    blocks = {-(-tokens // block) * block for block in _BLOCKS}
    named = {length for length in _lengths_named_in(reader.config) if length > tokens}
    for length in sorted({tokens, *blocks, *named}):
        try:
            passes([0], length)
        except torch.OutOfMemoryError:
            return tokens
        except Exception:  # noqa: S112  of any kind, as above; the next length may do
            continue
        return length
    return None


def _lengths_named_in(config: Any) -> set[int]:
    """Lengths of which an architecture may demand one exactly, as the config has them."""
    named = {
        value
        for name, value in config.to_dict().items()
        if ("len" in name or "position" in name) and isinstance(value, int)
    }
    return {length for length in named if _LEAST <= length <= _LONGEST_DEMAND}


class _Passes:
    """Forward passes over windows of given lengths."""

    def __init__(self, reader: Any, backbone: Backbone, lengths: Sequence[int]) -> None:
        self._reader, self._pad_id = reader, backbone.pad_id
        self._windows, _ = synthetic_windows(backbone, lengths)
        self._device = next(reader.parameters()).device

    def width(self, row: int) -> int:
        """Tokens of window *row*."""
        return int(self._windows.lengths[row])

    def trained(self, rows: list[int], length: int | None = None) -> _Scores:
        """The same as in training, with dropout; what the model measures on the way is forgotten."""
        measured = [(buffer, buffer.clone()) for buffer in self._reader.buffers()]
        self._reader.train()
        try:
            return self(rows, length)
        finally:
            self._reader.eval()
            for buffer, before in measured:
                buffer.copy_(before)

    def __call__(self, rows: list[int], length: int | None = None) -> _Scores:
        """What the model says about the first of *rows*: logits and hidden states of CLS and context."""
        windows, hidden = self._windows, []
        inputs = pad_batch(windows, np.array(rows), self._pad_id, length)
        base = getattr(self._reader, "base_model", self._reader)
        handle = base.register_forward_hook(lambda module, arguments, output: hidden.append(output))
        try:
            output = self._reader(**{name: value.to(self._device) for name, value in inputs.items()})
        finally:
            handle.remove()
        first, count = int(windows.context_at[rows[0]]), int(windows.tokens[rows[0]])
        places = [windows.cls, *range(first, first + count)]
        found = {"logits": torch.stack([output.start_logits[0, places], output.end_logits[0, places]])}
        states = None if base is self._reader else hidden[0][0]
        if states is not None and states.shape[:2] == inputs["input_ids"].shape:
            found["hidden"] = states[0, places]
        return {name: values.float() for name, values in found.items()}


def _differ(one: _Scores, other: _Scores) -> bool:
    for name, values in one.items():
        spread = values.std().clamp(min=1e-3 * values.abs().mean())
        tolerance = _TOLERANCE_LOGITS if name == "logits" and "hidden" in one else _TOLERANCE
        if not bool((values - other[name]).abs().max() <= tolerance * spread):  # a NaN is a difference
            return True
    return False


def _cause(error: Exception, reader: Any) -> str:
    """Why no forward pass works, with the cure."""
    said = reason(error)
    if "language" in said and (languages := getattr(reader.config, "languages", None)):
        return (
            f"its config has no default language; add one to its config.json, as in "
            f'"default_language": "{languages[0]}" (it knows {", ".join(languages)})'
        )
    if "separator" in said:
        return (
            f"its tokenizer joins a pair with other special tokens than the model needs ({said}); use the "
            "tokenizer that the model was published with"
        )
    return (
        f"no forward pass over a window succeeds ({said}); compare its config and tokenizer with those that "
        "it was published with, or choose another backbone"
    )
