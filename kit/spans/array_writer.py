"""A safetensors file written piece by piece, so that memory does not grow with what it holds.

The library's writer wants all arrays at once, and orders metadata at random, while the same arrays must give
the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import struct
import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray


class ArrayWriter(contextlib.ExitStack):
    """Flat arrays on their way to a file: their bytes so far, on disk in *folder*, and their hashes.

    Arrays of eight-byte values come first in *types*, so that every array begins where its type may.
    """

    def __init__(self, folder: Path, types: Mapping[str, type[np.generic]]) -> None:
        super().__init__()
        self._folder, self._types = folder, types
        self._files: dict[str, IO[bytes]] = {}
        self._hashes = {name: hashlib.sha256() for name in types}

    def __enter__(self) -> Self:
        for name in self._types:
            self._files[name] = self.enter_context(tempfile.TemporaryFile(dir=self._folder))
        return self

    def add(self, name: str, values: NDArray[np.generic]) -> None:
        """Put *values*, flat and of the array's type, at its end."""
        data = np.ascontiguousarray(values).data
        self._files[name].write(data)
        self._hashes[name].update(data)

    def hashes(self, names: Iterable[str]) -> dict[str, str]:
        """SHA-256 of the bytes of each array so far, hex."""
        return {name: self._hashes[name].hexdigest() for name in names}

    def write(self, path: Path, names: Collection[str], metadata: Mapping[str, str]) -> None:
        """Write the arrays called *names* in this order, with the file's *metadata*."""
        header: dict[str, object] = {"__metadata__": dict(metadata)}
        files, begin = [self._files[name] for name in names], 0
        for name, file in zip(names, files, strict=True):
            dtype, end = np.dtype(self._types[name]), begin + file.tell()
            shape = [(end - begin) // dtype.itemsize]
            header[name] = {"dtype": type_code(dtype), "shape": shape, "data_offsets": [begin, end]}
            begin = end
        text = json.dumps(header, ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        with path.open("wb") as target:
            target.write(struct.pack("<Q", len(text)) + text)
            for file in files:
                file.seek(0)
                shutil.copyfileobj(file, target, 1 << 20)


def type_code(values: type[np.generic] | np.dtype[Any]) -> str:
    """What safetensors calls a type of numbers: I64, F32."""
    dtype = np.dtype(values)
    return f"{dtype.kind.upper()}{8 * dtype.itemsize}"
