"""The span store: one safetensors file a member and data set, written once and read many times."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from kit.errors import SpanFileError, WriteError
from kit.files import replacing
from kit.spans.scores import Provenance, SpanScores

FORMAT = 1
_KEY = "kit"
_ARRAYS: dict[str, type[np.generic]] = {
    "windows": np.int64,
    "tokens": np.int64,
    "char_begin": np.int32,
    "char_end": np.int32,
    "start": np.float32,
    "end": np.float32,
    "null": np.float32,
}


def write_spans(path: Path, scores: SpanScores) -> None:
    """Write *scores* to *path*, whole or not at all; the written file is read back before it counts.

    Raises SpanFileError where the scores break their own rules, WriteError where the disk does.
    """
    arrays = {name: np.ascontiguousarray(getattr(scores, name), dtype) for name, dtype in _ARRAYS.items()}
    about = {
        "format": FORMAT,
        **asdict(scores.provenance),
        "sha256": _digest(scores.guids, arrays),
        "guids": scores.guids,
    }
    # One entry: the library writes several in no fixed order, and the same scores must give the same bytes.
    metadata = {_KEY: json.dumps(about, ensure_ascii=False)}
    with replacing(path, verify=read_spans) as temporary:
        try:
            save_file(arrays, temporary, metadata=metadata)
        except SafetensorError as error:  # how the library reports a full disk
            raise WriteError(f"{path}: cannot be written ({error}); free space and run it again") from error


def read_spans(path: Path) -> SpanScores:
    """Read and verify a span file.  Raises SpanFileError where it is missing, damaged or foreign."""
    if not path.is_file():
        raise SpanFileError(f"{path}: no such span file; make it with kit predict")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if _KEY not in metadata:
                raise SpanFileError(f"{path}: is not a span file of this kit; make it with kit predict")
            names = set(file.keys())
            arrays = {name: file.get_tensor(name) for name in _ARRAYS if name in names}
        about = json.loads(metadata[_KEY])
        guids, provenance, digest = tuple(about["guids"]), _provenance(about), about["sha256"]
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if fault := _fault(guids, arrays, provenance):
        raise _damaged(path, fault)
    if _digest(guids, arrays) != digest:
        raise _damaged(path, "its checksum does not match")
    return SpanScores(guids=guids, provenance=provenance, **arrays)


def read_provenance(path: Path) -> Provenance | None:
    """Who made a span file, without reading its scores; None where the file is absent or unreadable."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            return _provenance(json.loads((file.metadata() or {})[_KEY]))
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        return None


def _provenance(about: dict[str, object]) -> Provenance:
    """From the metadata; raises ValueError for another format, KeyError where something is missing."""
    if about["format"] != FORMAT:
        raise ValueError(f"format {about['format']!r}, this version reads {FORMAT}")
    return Provenance(**{field.name: about[field.name] for field in fields(Provenance)})  # type: ignore[arg-type]


def _damaged(path: Path, reason: str) -> SpanFileError:
    first = (reason.splitlines() or ["unreadable"])[0]
    return SpanFileError(f"{path}: span file is damaged ({first}); delete it and run kit predict again")


def _fault(
    guids: tuple[object, ...], arrays: dict[str, NDArray[np.generic]], provenance: Provenance
) -> str | None:
    """The first broken rule of the layout, or None."""
    for name, dtype in _ARRAYS.items():
        if name not in arrays:
            return f"array {name} is missing"
        if arrays[name].dtype != dtype or arrays[name].ndim != 1:
            return f"array {name} is {arrays[name].dtype} {arrays[name].shape}, not flat {dtype.__name__}"
    if not all(isinstance(guid, str) for guid in guids) or len(set(guids)) != len(guids):
        return "question ids are not distinct texts"
    if any(type(getattr(provenance, field.name)).__name__ != field.type for field in fields(Provenance)):
        return "its provenance has values of the wrong type"
    for offsets, count, what in (
        ("windows", len(guids), "questions"),
        ("tokens", len(arrays["null"]), "windows"),
    ):
        values = arrays[offsets].astype(np.int64)
        if len(values) != count + 1 or values[0] != 0 or (np.diff(values) < 0).any():
            return f"offsets {offsets} do not fit {count} {what}"
    total = int(arrays["tokens"].astype(np.int64)[-1])
    if int(arrays["windows"].astype(np.int64)[-1]) != len(arrays["null"]):
        return "offsets windows do not end at the last window"
    if any(len(arrays[name]) != total for name in ("char_begin", "char_end", "start", "end")):
        return f"token arrays do not all hold {total} tokens"
    begin, end = arrays["char_begin"].astype(np.int64), arrays["char_end"].astype(np.int64)
    if (begin < 0).any() or (end <= begin).any():
        return "a token has an empty or negative character range"
    inside = np.ones(max(total - 1, 0), dtype=bool)
    edges = arrays["tokens"].astype(np.int64)[1:-1] - 1
    inside[edges[(edges >= 0) & (edges < total - 1)]] = False
    if (np.diff(begin)[inside] < 0).any() or (np.diff(end)[inside] < 0).any():
        return "the tokens of a window are not in the order of the text"
    if not all(np.isfinite(arrays[name].astype(np.float32)).all() for name in ("start", "end", "null")):
        return "a score is not a finite number"
    return None


def _digest(guids: tuple[str, ...], arrays: dict[str, NDArray[np.generic]]) -> str:
    """SHA-256 over ids and array bytes: safetensors itself notices a cut file but not a flipped bit."""
    digest = hashlib.sha256(json.dumps(guids).encode())
    for name in _ARRAYS:
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()
