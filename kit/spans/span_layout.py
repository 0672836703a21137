"""The layout of a span file: its arrays, and the rules that they keep."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kit.spans.span_scores import ARRAYS, DIVIDED, JOINT, Provenance

_LARGEST = 1e6
"""Beyond any model's logits; sums of far larger ones would round away what decides between two answers."""


def array_names(*, joint: bool) -> tuple[str, ...]:
    """The arrays of a file, in its order."""
    return tuple(name for name in ARRAYS if joint or name not in JOINT)


def fault_of(
    guids: tuple[object, ...], arrays: dict[str, NDArray[Any]], provenance: Provenance, *, joint: bool
) -> str | None:
    """The first broken rule of the layout, or None."""
    for name in array_names(joint=joint):
        dtype = ARRAYS[name]
        if name not in arrays:
            return f"array {name} is missing"
        if arrays[name].dtype != dtype or arrays[name].ndim != 1:
            return f"array {name} is {arrays[name].dtype} {arrays[name].shape}, not flat {dtype.__name__}"
    if not all(isinstance(guid, str) for guid in guids) or len(set(guids)) != len(guids):
        return "question ids are not distinct texts"
    if any(type(getattr(provenance, field.name)).__name__ != field.type for field in fields(Provenance)):
        return "its provenance has values of the wrong type"
    windows, tokens, null = arrays["windows"], arrays["tokens"], arrays["null"]
    for name, offsets, count in (("windows", windows, len(guids)), ("tokens", tokens, len(null))):
        if fault := offsets_fault(name, offsets, count):
            return fault
    total = int(tokens[-1].item())
    if windows[-1] != len(null):
        return "offsets windows do not end at the last window"
    if any(len(arrays[name]) != total for name in DIVIDED["tokens"]):
        return f"token arrays do not all hold {total} tokens"
    begin, end = arrays["char_begin"], arrays["char_end"]
    if (begin < 0).any() or (end <= begin).any():
        return "a token has an empty or negative character range"
    across = tokens[1:-1].astype(np.int64) - 1  # where the next token is another window's
    across = across[(across >= 0) & (across < total - 1)]
    for ranges in (begin, end):
        back = ranges[1:] < ranges[:-1]
        back[across] = False
        if back.any():
            return "the tokens of a window are not in the order of the text"
    if not all((np.abs(arrays[name]) <= _LARGEST).all() for name in ("start", "end", "null")):
        return f"a score is not a number within ±{_LARGEST:,.0f}"
    return _joint_fault(arrays, np.diff(tokens)) if joint else None


def offsets_fault(name: str, offsets: NDArray[np.int64], count: int) -> str | None:
    """The broken rule of offsets over *count* things, or None."""
    if len(offsets) != count + 1 or offsets[0] != 0 or (offsets[1:] < offsets[:-1]).any():
        return f"offsets {name} do not fit {count}"
    return None


def _joint_fault(arrays: dict[str, NDArray[Any]], tokens: NDArray[np.int64]) -> str | None:
    """The first broken rule of joint scores; *tokens*: how many each window has.  None where all hold."""
    offsets, first, last, score = (arrays[name] for name in ("spans", "first", "last", "joint"))
    if fault := offsets_fault("spans", offsets, len(tokens)):
        return fault
    if any(len(array) != offsets[-1] for array in (first, last, score)):
        return f"span arrays do not all hold {offsets[-1]} spans"
    window = np.repeat(np.arange(len(tokens)), np.diff(offsets))
    if (first < 0).any() or (last < first).any() or (last >= tokens[window]).any():
        return "a span is not of tokens of its window"
    after = (first[1:] > first[:-1]) | ((first[1:] == first[:-1]) & (last[1:] > last[:-1]))
    if not (after | (window[1:] > window[:-1])).all():
        return "the spans of a window are not in order, or one is there twice"
    return None if np.isfinite(score).all() else "a joint score is not a finite number"


def digest_of(guids: Iterable[str], hashes: Iterable[str]) -> str:
    """SHA-256 over ids and the arrays' own: safetensors notices a cut file but not a flipped bit."""
    return hashlib.sha256(json.dumps([*guids, *hashes]).encode()).hexdigest()
