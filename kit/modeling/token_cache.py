"""Tokens kept from one command to the next: a tokenizer reads a data file once.

The entry of a data file and a tokenizer is a safetensors file that is mapped into memory, so that the folds
of a run, side by side or one after another, and later commands share one copy.  It is written piece by
piece: the memory of the first reading does not grow with the data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tokenizers

from kit.cache import cached, content_key
from kit.data.records import Dataset
from kit.modeling.backbones import Backbone
from kit.modeling.tokens import Texts, tokenize, tokenized
from kit.spans.array_writer import ArrayWriter
from kit.spans.span_scores import offsets_of, ranges

WORTH_KEEPING = 1_000_000
"""Characters below which reading again (under a second) is no worse than looking for an entry."""
_VERSION = 1
"""Raise it when `kit.modeling.tokens` makes other tokens of the same text, or the file's layout changes."""
_ARRAYS: dict[str, type[np.generic]] = {
    # the eight-byte array first, so that every array begins where its type may
    "offsets": np.int64,
    "ids": np.int32,
    "begin": np.int32,
    "end": np.int32,
}
_BYTES_A_TOKEN = 12


@dataclass(frozen=True, slots=True)
class TokenTable:
    """The tokens of distinct texts, and which row of ``texts`` each of them has."""

    texts: Texts
    row_of: Mapping[str, int]


class KnownTokens:
    """The tokens of texts that one of several tables knows; others are read by the tokenizer."""

    def __init__(self, backbone: Backbone, tables: Sequence[TokenTable]) -> None:
        self._backbone, self._tables = backbone, tables

    def __call__(self, wanted: Sequence[str]) -> Texts:
        """The tokens of *wanted*, in that order: what `tokenize` gives."""
        for table in self._tables:  # nearly always the first has all of them
            rows = np.fromiter((table.row_of.get(text, -1) for text in wanted), np.int64, len(wanted))
            if (rows >= 0).all():
                return table.texts.select(rows)
        return self._gathered(wanted)

    def _gathered(self, wanted: Sequence[str]) -> Texts:
        """From several tables: each fills its own texts' places."""
        unknown = [
            text for text in dict.fromkeys(wanted) if not any(text in table.row_of for table in self._tables)
        ]
        tables = [*self._tables, TokenTable(tokenize(self._backbone, unknown), _numbered(unknown))]
        first = (next(n for n, table in enumerate(tables) if text in table.row_of) for text in wanted)
        owner = np.fromiter(first, np.int64, len(wanted))
        shares = []
        counts = np.zeros(len(wanted), dtype=np.int64)
        for number, table in enumerate(tables):
            place = np.flatnonzero(owner == number)
            rows = np.array([table.row_of[wanted[index]] for index in place.tolist()], dtype=np.int64)
            share = table.texts.select(rows)
            counts[place] = np.diff(share.offsets)
            shares.append((place, share))
        offsets = offsets_of(counts)
        ids, begin, end = np.empty((3, offsets[-1]), dtype=np.int32)
        for place, share in shares:
            target = ranges(offsets[place], offsets[place + 1])
            ids[target], begin[target], end[target] = share.ids, share.begin, share.end
        return Texts(ids, begin, end, offsets)


def known_tokens(backbone: Backbone, data: Sequence[Dataset], *, make: bool = True) -> KnownTokens | None:
    """The tokens of all texts of *data*, from the cache or read now and kept for later.

    None where that is not worth it: for little data, and without *make* where the cache has none of them.
    Where the cache cannot be used the tokens are kept in memory, so that at least this process reads once.
    """
    tables = []
    for dataset in data:
        texts = texts_of(dataset)
        if sum(map(len, texts)) >= WORTH_KEEPING and (found := _tokens(backbone, texts, make)) is not None:
            tables.append(TokenTable(found, _numbered(texts)))
    return KnownTokens(backbone, tables) if tables else None


def _tokens(backbone: Backbone, texts: Sequence[str], make: bool) -> Texts | None:
    recipe = f"{_VERSION} {tokenizers.__version__} {backbone.engine.to_str()}"
    found = cached(
        "tokens",
        content_key(recipe, texts),
        lambda path: _read(path, len(texts)),
        lambda path: _write(path, backbone, texts),
        size=sum(map(len, texts)) * _BYTES_A_TOKEN,
        make=make,
    )
    return tokenize(backbone, texts) if found is None and make else found


def texts_of(dataset: Dataset) -> list[str]:
    """What a tokenizer reads of a data file: its distinct contexts, in order, then its questions."""
    contexts = dict.fromkeys(question.context for question in dataset)
    return list(contexts | dict.fromkeys(question.text for question in dataset))


def _numbered(texts: Sequence[str]) -> dict[str, int]:
    return {text: row for row, text in enumerate(texts)}


def _write(path: Path, backbone: Backbone, texts: Sequence[str]) -> None:
    """Read *texts* and write their tokens, a few hundred texts at a time."""
    with ArrayWriter(path.parent, _ARRAYS) as writer:
        tokens = 0
        writer.add("offsets", np.zeros(1, dtype=np.int64))
        for part in tokenized(backbone, texts):
            writer.add("offsets", part.offsets[1:] + tokens)
            tokens += len(part.ids)
            for name in ("ids", "begin", "end"):
                writer.add(name, getattr(part, name))
        writer.write(path, _ARRAYS, writer.hashes(_ARRAYS))


def _read(path: Path, count: int) -> Texts:
    """Map the tokens of *count* texts; raises ValueError or OSError for a damaged file."""
    whole = np.memmap(path, dtype=np.uint8, mode="r")
    try:
        size = int.from_bytes(whole[:8].tobytes(), "little")
        header = json.loads(whole[8 : 8 + size].tobytes())
        arrays = {}
        for name, dtype in _ARRAYS.items():
            begin, end = header[name]["data_offsets"]
            data = np.asarray(whole[8 + size + begin : 8 + size + end])
            if hashlib.sha256(data.data).hexdigest() != header["__metadata__"][name]:
                raise ValueError(f"{path}: {name} is not what was written")
            arrays[name] = data.view(dtype)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error
    texts = Texts(arrays["ids"], arrays["begin"], arrays["end"], arrays["offsets"])
    if len(texts.offsets) != count + 1:
        raise ValueError(f"{path}: holds {len(texts.offsets) - 1} texts, not {count}")
    return texts
