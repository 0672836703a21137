"""A probe of a loaded model: whether its scores depend on padding, on neighbours or on earlier batches.

A few forward passes over short synthetic windows show it, whatever the architecture is called.
"""

from __future__ import annotations

import contextlib
from bisect import bisect
from pathlib import Path
from typing import Any

import torch

from kit.errors import ModelError
from kit.modeling.backbones import Backbone
from kit.modeling.batching import Batching
from kit.modeling.checkpoint_files import weights_file
from kit.modeling.forward_passes import Passes, Scores, differ, undisturbed
from kit.modeling.joint_head import reader_of
from kit.modeling.tokens import template_of

_SHORT, _LONG = 13, 38
"""Tokens of the windows: one odd, one even, neither a multiple of 4, so that demands on lengths show."""
_LEAST = 16
"""Tokens that every model must take; the shortest --max-length."""
_BLOCKS = (2, 4, 8, 16, 32, 64, 128)
"""Architectures that compute in blocks take multiples of one of these."""
_LONGEST_DEMAND = 4096
"""Tokens: a longer window takes too long to try only because a config names its length."""
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
    is *wanted*: then positions are not the cause.  Raises ModelError for a model that draws at random.
    """
    reader = reader_of(model)
    with undisturbed(reader):
        before = torch.get_rng_state()
        length = _fitting(reader, backbone, wanted)
        drawn = not torch.equal(before, torch.get_rng_state())
        if drawn and length is not None and _draws(reader, backbone, wanted, length):
            raise _unrepeatable(backbone)
        if length is not None or not _fitting(reader, backbone, _LEAST):
            return wanted
        longer = range(_LEAST + 1, wanted)
        return _LEAST + bisect(longer, False, key=lambda tokens: not _fitting(reader, backbone, tokens))


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
    passes = Passes(reader, backbone, (_SHORT, min(_LONG, longest), _SHORT))
    try:
        if fixed is None:
            again_otherwise, beside_otherwise = _seen(passes)
            passes.trained([1])  # Reformer demands more of lengths then
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # of any kind: what a model says to a length that it does not take
        fixed = _fitting(reader, backbone, longest, training=True)
        if fixed is None:
            raise ModelError(f"{backbone.reference}: {_cause(error, reader)}") from error
    if fixed is not None:
        again_otherwise, beside_otherwise = _seen(passes, fixed)
    if again_otherwise or (fixed is not None and _draws(reader, backbone, longest, fixed)):
        _refuse_what_is_not_finite(reader, backbone, passes([0], fixed)[0])
        raise _unrepeatable(backbone)
    if fixed is not None:
        return Batching("fixed", fixed, beside_otherwise, attention)
    if not beside_otherwise:
        return Batching(attention=attention)
    return Batching("harmful", alone=differ(passes([0])[0], passes([0, 2])[0]), attention=attention)


def _seen(passes: Passes, length: int | None = None) -> tuple[bool, bool]:
    """Whether a short and a longer window have other scores in a second pass, and beside each other.

    *length*: what both are padded to.
    """
    (short,), beside = passes([0], length), passes([0, 1], length)
    (longer,), (again,) = passes([1], length), passes([0], length)
    otherwise = differ(longer, beside[1])
    again_otherwise = differ(short, again) or (otherwise and differ(longer, passes([1], length)[0]))
    return again_otherwise, differ(short, beside[0]) or otherwise


def _draws(reader: Any, backbone: Backbone, tokens: int, length: int) -> bool:
    """Whether a window of *tokens* tokens, padded to *length*, has scores that are drawn at random.

    Reformer hashes windows of several chunks so.
    """
    passes = Passes(reader, backbone, (tokens,))
    before = torch.get_rng_state()
    (one,) = passes([0], length)
    return not torch.equal(before, torch.get_rng_state()) and differ(one, passes([0], length)[0])


def _unrepeatable(backbone: Backbone) -> ModelError:
    return ModelError(
        f"{backbone.reference}: gives the same window other scores in a second forward pass (it keeps a "
        "state, or draws at random), so that its Edit Score means nothing; choose another backbone"
    )


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


def _refuse_what_is_not_finite(reader: Any, backbone: Backbone, scores: Scores) -> None:
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
    Passes(reader, backbone, (longest,))([0])
    attention = str(switch.attention_type)
    return attention, None if attention == "original_full" else longest


def _switch_of(reader: Any) -> Any:
    """The part of a model that chooses between several kinds of attention, or None."""
    return next((module for module in reader.modules() if hasattr(module, "set_attention_type")), None)


def _fitting(reader: Any, backbone: Backbone, tokens: int, *, training: bool = False) -> int | None:
    """The least length that a window of *tokens* tokens can be padded to; None where all fail."""
    every = Passes(reader, backbone, (tokens,))
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
