"""The span store: one safetensors file a member and data set, written once and read many times.

Writing takes the scores piece by piece and holds none of them, so that the memory of a prediction does
not grow with its data; reading is the library's.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from kit.errors import SpanFileError
from kit.files import replacing
from kit.spans.array_writer import ArrayWriter
from kit.spans.span_scores import MIXED, Provenance, SpanScores, arrays_of, scores_from

FORMAT = 1
JOINT_FORMAT = 2
"""With joint scores: a version of the kit without them must refuse the file, not ignore them."""
_ARRAYS: dict[str, type[np.generic]] = {
    # the eight-byte arrays first, so that every array begins where its type may
    "windows": np.int64,
    "tokens": np.int64,
    "spans": np.int64,
    "char_begin": np.int32,
    "char_end": np.int32,
    "start": np.float32,
    "end": np.float32,
    "null": np.float32,
    "first": np.int32,
    "last": np.int32,
    "joint": np.float32,
}
_JOINT = frozenset({"spans", "first", "last", "joint"})
"""Only where the member has joint scores."""
_COUNTED = {"windows": "null", "tokens": "start", "spans": "joint"}
"""Offsets, and an array of what they count."""
_BLOCK = 1 << 20
_LARGEST = 1e6
"""Beyond any model's logits; sums of far larger ones would round away what decides between two answers."""
_PROVENANCE = tuple(field.name for field in fields(Provenance))


def write_spans(path: Path, provenance: Provenance, parts: Iterable[SpanScores]) -> None:
    """Write *parts*, the scores of consecutive questions, as one file: whole or not at all.

    Each piece is checked against the rules of the layout, and what was written is read back, block by
    block, before it counts.  Raises SpanFileError where the scores are at fault, WriteError where the
    disk is.
    """
    with replacing(path, verify=_verify) as temporary, ArrayWriter(path.parent, _ARRAYS) as writer:
        guids: list[str] = []
        counts = dict.fromkeys(_COUNTED, 0)
        joint: bool | None = None
        for name in _COUNTED:
            writer.add(name, np.zeros(1, np.int64))
        for part in parts:
            arrays = arrays_of(part)
            if fault := _fault(part.guids, arrays, provenance, joint=part.joint is not None):
                raise SpanFileError(f"{path}: not written: {fault}")
            if len(part):
                if joint not in (None, part.joint is not None):
                    raise SpanFileError(f"{path}: not written: {MIXED}")
                joint = part.joint is not None
            guids += part.guids
            for name, array in arrays.items():
                if name in _COUNTED:
                    writer.add(name, array[1:] + counts[name])
                    counts[name] += len(arrays[_COUNTED[name]])
                else:
                    writer.add(name, array)
        if len(set(guids)) != len(guids):
            raise SpanFileError(f"{path}: not written: question ids are not distinct texts")
        names = _names(joint=bool(joint))
        about = {
            "format": JOINT_FORMAT if joint else FORMAT,
            **asdict(provenance),
            "sha256": _digest(guids, writer.hashes(names).values()),
            "guids": guids,
        }
        metadata = {key: json.dumps(value, ensure_ascii=False) for key, value in about.items()}
        writer.write(temporary, names, metadata)


def _verify(path: Path) -> None:
    """Hold that the file's bytes are those that were hashed while they were written."""
    with safe_open(path, framework="numpy") as file, path.open("rb") as raw:
        metadata = file.metadata()
        raw.seek(8 + struct.unpack("<Q", raw.read(8))[0])
        hashes = []
        names = set(file.keys())
        for name in [name for name in _ARRAYS if name in names]:
            dtype = np.dtype(_ARRAYS[name])
            left = file.get_slice(name).get_shape()[0] * dtype.itemsize
            digest = hashlib.sha256()
            while left and (block := raw.read(min(left, _BLOCK))):
                digest.update(block)
                left -= len(block)
            hashes.append(digest.hexdigest())
    if json.loads(metadata["sha256"]) != _digest(json.loads(metadata["guids"]), hashes):
        raise _damaged(path, "what was written reads back otherwise")


def read_spans(path: Path, cure: str = "make it with kit predict") -> SpanScores:
    """Read and verify a span file.

    Raises SpanFileError where it is missing, damaged or foreign, with *cure*.
    """
    if not path.is_file():
        raise SpanFileError(f"{path}: no such span file; {cure}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if "guids" not in metadata or "format" not in metadata:
                raise SpanFileError(f"{path}: is not a span file of this kit; {cure}")
            names = set(file.keys())
            arrays = {name: file.get_tensor(name) for name in _ARRAYS if name in names}
        guids, provenance = tuple(json.loads(metadata["guids"])), _provenance(metadata)
        joint = json.loads(metadata["format"]) == JOINT_FORMAT
        arrays = {name: arrays[name] for name in _names(joint=joint) if name in arrays}
        digest = json.loads(metadata["sha256"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, str(error), cure) from error
    if fault := _fault(guids, arrays, provenance, joint=joint):
        raise _damaged(path, fault, cure)
    if digest != _digest(guids, [hashlib.sha256(array.data).hexdigest() for array in arrays.values()]):
        raise _damaged(path, "its checksum does not match", cure)
    return scores_from(guids, arrays, provenance)


def read_provenance(path: Path) -> Provenance | None:
    """Who made a span file, without reading its scores; None where the file is absent or unreadable."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            return _provenance(file.metadata() or {})
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _provenance(metadata: dict[str, str]) -> Provenance:
    """From the metadata; raises ValueError for another format, KeyError where something is missing."""
    if (found := json.loads(metadata["format"])) not in (FORMAT, JOINT_FORMAT):
        raise ValueError(f"format {found!r}, this version reads {FORMAT} and {JOINT_FORMAT}")
    return Provenance(**{name: json.loads(metadata[name]) for name in _PROVENANCE})


def _damaged(path: Path, reason: str, cure: str = "write it again") -> SpanFileError:
    first = (reason.splitlines() or ["unreadable"])[0]
    return SpanFileError(f"{path}: span file is damaged ({first}); {cure}")


def _names(*, joint: bool) -> tuple[str, ...]:
    return tuple(name for name in _ARRAYS if joint or name not in _JOINT)


def _fault(
    guids: tuple[object, ...], arrays: dict[str, NDArray[Any]], provenance: Provenance, *, joint: bool
) -> str | None:
    """The first broken rule of the layout, or None."""
    for name in _names(joint=joint):
        dtype = _ARRAYS[name]
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
        if fault := _offsets_fault(name, offsets, count):
            return fault
    total = int(tokens[-1].item())
    if windows[-1] != len(null):
        return "offsets windows do not end at the last window"
    if any(len(arrays[name]) != total for name in ("char_begin", "char_end", "start", "end")):
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


def _offsets_fault(name: str, offsets: NDArray[np.int64], count: int) -> str | None:
    if len(offsets) != count + 1 or offsets[0] != 0 or (offsets[1:] < offsets[:-1]).any():
        return f"offsets {name} do not fit {count}"
    return None


def _joint_fault(arrays: dict[str, NDArray[Any]], tokens: NDArray[np.int64]) -> str | None:
    """The first broken rule of joint scores; *tokens*: how many each window has.  None where all hold."""
    offsets, first, last, score = (arrays[name] for name in ("spans", "first", "last", "joint"))
    if fault := _offsets_fault("spans", offsets, len(tokens)):
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


def _digest(guids: Iterable[str], hashes: Iterable[str]) -> str:
    """SHA-256 over ids and the arrays' own: safetensors notices a cut file but not a flipped bit."""
    return hashlib.sha256(json.dumps([*guids, *hashes]).encode()).hexdigest()
