"""Tokens of texts with their character ranges, and the special tokens around a pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

import numpy as np
from numpy.typing import NDArray

from kit.errors import ModelError
from kit.modeling.backbones import Backbone
from kit.spans.span_scores import offsets_of, ranges

_BATCH = 512
_SPACES = np.array([code for code in range(0x3001) if chr(code).isspace()], dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Template:
    """The special tokens around a pair: ids and segment ids, int32, as the tokenizer itself puts them.

    prefix question middle context suffix; ``cls`` is where in the prefix the CLS token stands.
    """

    prefix: NDArray[np.int32]
    middle: NDArray[np.int32]
    suffix: NDArray[np.int32]
    segments: tuple[int, int, int, int, int]
    cls: int

    @property
    def specials(self) -> int:
        """How many special tokens a window has."""
        return len(self.prefix) + len(self.middle) + len(self.suffix)


@dataclass(frozen=True, slots=True)
class Texts:
    """Tokens of N texts, flat: text ``n`` has tokens ``offsets[n] <= t < offsets[n + 1]``.

    ids: int32 (T,); begin, end: int32 (T,), code points, white space at the edges left out, so that
    a token of nothing but white space has begin == end; offsets: int64 (N + 1,)
    """

    ids: NDArray[np.int32]
    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def select(self, rows: NDArray[np.int64]) -> Texts:
        """The texts at *rows*, int64 (N,), in that order; consecutive ones are not copied."""
        offsets = offsets_of(np.diff(self.offsets)[rows])
        if len(rows) and (np.diff(rows) == 1).all():
            part = slice(self.offsets[rows[0]], self.offsets[rows[-1] + 1])
            return Texts(self.ids[part], self.begin[part], self.end[part], offsets)
        token = ranges(self.offsets[rows], self.offsets[rows + 1])
        return Texts(self.ids[token], self.begin[token], self.end[token], offsets)


TokensOf = Callable[[Sequence[str]], Texts]
"""Where windows get their texts' tokens from: the tokenizer, or what it said earlier."""


def template_of(backbone: Backbone) -> Template:
    """Read the pair template off the tokenizer.  Raises ModelError where it is of an unknown shape."""
    probe = backbone.engine.encode("가", "나", add_special_tokens=True)
    owner = probe.sequence_ids
    runs = [run for run, _ in groupby(owner)]
    if runs != [None, 0, None, 1, None]:
        shown = ", ".join({None: "special", 0: "question", 1: "context"}[run] for run in runs)
        raise ModelError(
            f"{backbone.reference}: its tokenizer joins question and context as {shown}, not as "
            "special, question, special, context, special; give its tokenizer.json such a template "
            "(post_processor), or use another backbone"
        )
    ids = np.array(probe.ids, dtype=np.int32)
    q0, c0 = owner.index(0), owner.index(1)
    q1, c1 = q0 + owner.count(0), c0 + owner.count(1)
    prefix = ids[:q0]
    at = np.flatnonzero(prefix == backbone.cls_id)
    if not len(at):
        raise ModelError(f"{backbone.reference}: its tokenizer puts no CLS token first; not supported")
    types = probe.type_ids
    if "token_type_ids" not in backbone.tokenizer.model_input_names:
        types = [0] * len(types)
    segments = (types[0], types[q0], types[q1], types[c0], types[c1])
    return Template(prefix, ids[q1:c0], ids[c1:], segments, int(at[0]))


def tokenize(backbone: Backbone, texts: Sequence[str]) -> Texts:
    """Tokens and trimmed character ranges of *texts*, without special tokens."""
    ids, begin, end = (np.empty(0, dtype=np.int32) for _ in range(3))
    counts = [np.zeros(0, dtype=np.int64)]
    for part in tokenized(backbone, texts):
        counts.append(np.diff(part.offsets))
        held = len(ids)
        for whole, values in zip((ids, begin, end), (part.ids, part.begin, part.end), strict=True):
            # Grown where it lies: pieces put together at the end would be held twice.
            whole.resize(held + len(values), refcheck=False)
            whole[held:] = values
    return Texts(ids, begin, end, offsets_of(np.concatenate(counts)))


def tokenized(backbone: Backbone, texts: Sequence[str]) -> Iterator[Texts]:
    """As `tokenize`, some hundred texts at a time."""
    for first in range(0, len(texts), _BATCH):
        # Copies: the engine's UTF-8 form of a text stays with the object, longer than it is wanted here.
        batch = [(text + " ")[:-1] for text in texts[first : first + _BATCH]]
        encodings = backbone.engine.encode_batch(batch, add_special_tokens=False)
        count = np.array([len(encoding) for encoding in encodings], dtype=np.int64)
        total = int(count.sum())
        ids = np.fromiter(chain.from_iterable(encoding.ids for encoding in encodings), np.int32, total)
        pairs = chain.from_iterable(encoding.offsets for encoding in encodings)
        begin, end = np.fromiter(chain.from_iterable(pairs), np.int32, 2 * total).reshape(-1, 2).T
        end = np.where(np.isin(ids, backbone.blank_ids), begin, end)
        begin, end = _without_edges(batch, count, begin, end)
        yield Texts(ids, begin, end, offsets_of(count))


def _without_edges(
    texts: Sequence[str], counts: NDArray[np.int64], begin: NDArray[np.int32], end: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Move token edges inwards over white space; white-space-only tokens end up as begin == end."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
    visible = ~np.isin(codes, _SPACES, kind="table")
    places = np.arange(len(codes) + 1)
    following = np.where(np.append(visible, True), places, len(codes))
    following = np.minimum.accumulate(following[::-1])[::-1]
    preceding = np.maximum.accumulate(np.where(np.append(True, visible), places, 0))
    base = np.repeat(offsets_of(np.array([len(text) for text in texts], dtype=np.int64))[:-1], counts)
    tight_begin = np.minimum(following[begin + base], end + base)
    tight_end = np.maximum(preceding[end + base], tight_begin)
    return (tight_begin - base).astype(np.int32), (tight_end - base).astype(np.int32)
