"""The span store: one safetensors file a member and data set, written once and read many times.

Writing takes the scores piece by piece and holds none of them, so that the memory of a prediction does
not grow with its data; reading is the library's.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from kit.errors import SpanFileError
from kit.files import replacing
from kit.spans.array_writer import ArrayWriter, type_code
from kit.spans.span_layout import array_names, digest_of, fault_of, offsets_fault
from kit.spans.span_scores import ARRAYS, DIVIDED, MIXED, Provenance, SpanScores, arrays_of, scores_from

FORMAT = 1
JOINT_FORMAT = 2
"""With joint scores: a version of the kit without them must refuse the file, not ignore them."""
_BLOCK = 1 << 20
_CHANGED = "its checksum does not match"
_PROVENANCE = tuple(field.name for field in fields(Provenance))


def write_spans(path: Path, provenance: Provenance, parts: Iterable[SpanScores]) -> None:
    """Write *parts*, the scores of consecutive questions, as one file: whole or not at all.

    Each piece is checked against the rules of the layout, and what was written is read back, block by
    block, before it counts.  Raises SpanFileError where the scores are at fault, WriteError where the
    disk is.
    """
    with replacing(path, verify=_verify) as temporary, ArrayWriter(path.parent, ARRAYS) as writer:
        guids: list[str] = []
        counts = dict.fromkeys(DIVIDED, 0)
        joint: bool | None = None
        for name in DIVIDED:
            writer.add(name, np.zeros(1, np.int64))
        for part in parts:
            arrays = arrays_of(part)
            if fault := fault_of(part.guids, arrays, provenance, joint=part.joint is not None):
                raise SpanFileError(f"{path}: not written: {fault}")
            if len(part):
                if joint not in (None, part.joint is not None):
                    raise SpanFileError(f"{path}: not written: {MIXED}")
                joint = part.joint is not None
            guids += part.guids
            for name, array in arrays.items():
                if name in DIVIDED:
                    writer.add(name, array[1:] + counts[name])
                    counts[name] += len(arrays[DIVIDED[name][0]])
                else:
                    writer.add(name, array)
        if len(set(guids)) != len(guids):
            raise SpanFileError(f"{path}: not written: question ids are not distinct texts")
        names = array_names(joint=bool(joint))
        about = {
            "format": JOINT_FORMAT if joint else FORMAT,
            **asdict(provenance),
            "sha256": digest_of(guids, writer.hashes(names).values()),
            "guids": guids,
        }
        metadata = {key: json.dumps(value, ensure_ascii=False) for key, value in about.items()}
        writer.write(temporary, names, metadata)


def _verify(path: Path) -> None:
    """Check that the file's bytes are those that were hashed while they were written."""
    with path.open("rb") as file:
        header, data = _header(file)
    places = [header[name]["data_offsets"] for name in ARRAYS if name in header]
    hashes = [_hash(path, data + begin, end - begin) for begin, end in places]
    about = header["__metadata__"]
    if json.loads(about["sha256"]) != digest_of(json.loads(about["guids"]), hashes):
        raise _damaged(path, "what was written reads back otherwise")


def read_spans(path: Path, cure: str = "make it with kit predict") -> SpanScores:
    """Read and verify a span file.

    Raises SpanFileError where it is missing, damaged or foreign, with *cure*.
    """
    about = _about(path, cure)
    try:
        with safe_open(path, framework="numpy") as file:
            names = set(file.keys())
            arrays = {name: file.get_tensor(name) for name in array_names(joint=about.joint) if name in names}
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise _damaged(path, str(error), cure) from error
    if fault := fault_of(about.guids, arrays, about.provenance, joint=about.joint):
        raise _damaged(path, fault, cure)
    hashes = [hashlib.sha256(array.data).hexdigest() for array in arrays.values()]
    if about.sha256 != digest_of(about.guids, hashes):
        raise _damaged(path, _CHANGED, cure)
    return scores_from(about.guids, arrays, about.provenance)


class SpanFile:
    """A span file whose scores are read some questions at a time: memory does not grow with the file.

    Opening it verifies its checksum.  Raises SpanFileError as `read_spans`; `part` does where what it reads
    breaks a rule of the layout.
    """

    def __init__(self, path: Path, cure: str = "make it with kit predict") -> None:
        self.path, self._cure = path, cure
        about = _about(path, cure)
        self.guids, self.provenance, self._joint = about.guids, about.provenance, about.joint
        names = array_names(joint=about.joint)
        try:
            with path.open("rb") as file:
                header, self._data = _header(file)
            self._places = {name: (header[name]["dtype"], *header[name]["data_offsets"]) for name in names}
            for name in names:
                if (found := self._places[name][0]) != type_code(ARRAYS[name]):
                    raise ValueError(f"array {name} is {found}, not {type_code(ARRAYS[name])}")
            hashes = [_hash(path, self._data + begin, end - begin) for _, begin, end in self._places.values()]
            if about.sha256 != digest_of(self.guids, hashes):
                raise ValueError(_CHANGED)
            offsets = {name: self._read(name) for name in DIVIDED if name in names}
        except KeyError as error:
            raise _damaged(path, f"array {error.args[0]} is missing", cure) from error
        except (OSError, ValueError, TypeError) as error:
            raise _damaged(path, str(error), cure) from error
        self._offsets = offsets
        counts = {"windows": len(self.guids), "tokens": self._size("null"), "spans": self._size("null")}
        for name, array in offsets.items():
            if fault := offsets_fault(name, array, counts[name]):
                raise _damaged(path, fault, cure)
            divided = DIVIDED[name][0]
            if array[-1] != self._size(divided):
                raise _damaged(path, f"offsets {name} do not end at the last of {divided}", cure)

    def part(self, first: int, last: int) -> SpanScores:
        """The scores of the questions [first, last)."""
        windows = self._offsets["windows"][first : last + 1]
        ranges_of = {"windows": (first, last), "tokens": (windows[0], windows[-1])}
        ranges_of["spans"] = ranges_of["tokens"]
        arrays: dict[str, NDArray[Any]] = {}
        for name, offsets in self._offsets.items():
            begin, end = ranges_of[name]
            own = offsets[begin : end + 1]
            arrays[name] = own - own[0]
            for other in DIVIDED[name]:
                arrays[other] = self._read(other, int(own[0]), int(own[-1]))
        arrays = {name: arrays[name] for name in array_names(joint=self._joint)}
        guids = self.guids[first:last]
        if fault := fault_of(guids, arrays, self.provenance, joint=self._joint):
            raise _damaged(self.path, fault, self._cure)
        return scores_from(guids, arrays, self.provenance)

    def _size(self, name: str) -> int:
        _, begin, end = self._places[name]
        return int(end - begin) // np.dtype(ARRAYS[name]).itemsize

    def _read(self, name: str, first: int = 0, last: int | None = None) -> NDArray[Any]:
        """The values [first, last) of an array."""
        dtype = np.dtype(ARRAYS[name])
        count = (self._size(name) if last is None else last) - first
        begin = self._data + self._places[name][1] + first * dtype.itemsize
        return np.fromfile(self.path, dtype, count, offset=begin)


@dataclass(frozen=True, slots=True)
class _About:
    """The metadata of a span file."""

    guids: tuple[str, ...]
    provenance: Provenance
    joint: bool
    sha256: str


def _about(path: Path, cure: str) -> _About:
    """Raises SpanFileError where the file is missing, damaged or foreign."""
    if not path.is_file():
        raise SpanFileError(f"{path}: no such span file; {cure}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        if "guids" not in metadata or "format" not in metadata:
            raise SpanFileError(f"{path}: is not a span file of this kit; {cure}")
        if (found := json.loads(metadata["format"])) not in (FORMAT, JOINT_FORMAT):
            raise ValueError(f"format {found!r}, this version reads {FORMAT} and {JOINT_FORMAT}")
        provenance = Provenance(**{name: json.loads(metadata[name]) for name in _PROVENANCE})
        guids, sha256 = tuple(json.loads(metadata["guids"])), json.loads(metadata["sha256"])
        return _About(guids, provenance, found == JOINT_FORMAT, sha256)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, str(error), cure) from error


def _header(file: IO[bytes]) -> tuple[dict[str, Any], int]:
    """The header of an open safetensors file, and where its data begin."""
    size = struct.unpack("<Q", file.read(8))[0]
    return json.loads(file.read(size)), 8 + size


def _hash(path: Path, begin: int, size: int) -> str:
    """SHA-256 of *size* bytes of a file, hex, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(begin)
        while size and (block := file.read(min(size, _BLOCK))):
            digest.update(block)
            size -= len(block)
    return digest.hexdigest()


def read_provenance(path: Path) -> Provenance | None:
    """Who made a span file, without reading its scores; None where the file is absent or unreadable."""
    try:
        return _about(path, "").provenance
    except SpanFileError:
        return None


def _damaged(path: Path, reason: str, cure: str = "write it again") -> SpanFileError:
    first = (reason.splitlines() or ["unreadable"])[0]
    return SpanFileError(f"{path}: span file is damaged ({first}); {cure}")
