"""Span scores: what a member says about every context token, in characters of the original context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kit.errors import SpanFileError, listed

MIXED = "some questions have joint scores and others have none; make all of them with the same kind of model"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which model made the scores, from which data."""

    data_sha256: str
    """Of the data file's bytes, hex."""
    run: str
    """Name of the run folder or checkpoint folder."""
    fold: str
    """"full", or the fold's number."""
    model_sha256: str
    """Of the weights file, hex."""
    max_length: int
    """Tokens a window."""
    stride: int
    """Tokens shared by neighbouring windows."""
    kit_version: str


@dataclass(frozen=True, slots=True)
class JointScores:
    """Scores of S whole spans, of a member that weighs start and end together: the likeliest of each window.

    offsets: int64 (W + 1,): window ``w`` has the spans ``offsets[w] <= s < offsets[w + 1]``, ordered by
        first, then last token, none of them twice
    first, last: int32 (S,), tokens counted from the window's first
    score: float32 (S,), raw: start + end + what both are worth together, the null not yet subtracted
    """

    offsets: NDArray[np.int64]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    score: NDArray[np.float32]

    def select(self, windows: NDArray[np.int64]) -> JointScores:
        """The scores of *windows* (int (K,), indices), in that order."""
        span = ranges(self.offsets[windows], self.offsets[windows + 1])
        counts = np.diff(self.offsets)[windows]
        return JointScores(offsets_of(counts), self.first[span], self.last[span], self.score[span])


@dataclass(frozen=True, slots=True)
class SpanScores:
    """A member's raw logits for all context tokens of all windows of all questions (Q, W, T of them).

    Flat arrays with offsets: window ``w`` of question ``q`` for ``windows[q] <= w < windows[q + 1]``,
    token ``t`` of window ``w`` for ``tokens[w] <= t < tokens[w + 1]``.

    guids: Q question ids, in file order
    windows: int64 (Q + 1,); tokens: int64 (W + 1,)
    char_begin, char_end: int32 (T,), code points of the original context, end exclusive; a token's
        surrounding white space is not part of it, and white-space-only tokens are not here at all
    start, end: float32 (T,), raw logits
    null: float32 (W,), the score of the CLS token as a span, start + end logit and what a joint head adds:
        "not in this window"
    joint: scores of whole spans, where the member has them: then only these spans are candidates, and start
        and end say no more than where they come from
    """

    guids: tuple[str, ...]
    windows: NDArray[np.int64]
    tokens: NDArray[np.int64]
    char_begin: NDArray[np.int32]
    char_end: NDArray[np.int32]
    start: NDArray[np.float32]
    end: NDArray[np.float32]
    null: NDArray[np.float32]
    provenance: Provenance
    joint: JointScores | None = None

    def __len__(self) -> int:
        return len(self.guids)

    def select(self, chosen: NDArray[np.intp]) -> SpanScores:
        """The scores of the questions at *chosen* (int (K,), indices), in that order."""
        window_index = ranges(self.windows[chosen], self.windows[chosen + 1])
        token_index = ranges(self.tokens[window_index], self.tokens[window_index + 1])
        return SpanScores(
            guids=tuple(self.guids[index] for index in chosen),
            windows=offsets_of(np.diff(self.windows)[chosen]),
            tokens=offsets_of(np.diff(self.tokens)[window_index]),
            char_begin=self.char_begin[token_index],
            char_end=self.char_end[token_index],
            start=self.start[token_index],
            end=self.end[token_index],
            null=self.null[window_index],
            provenance=self.provenance,
            joint=None if self.joint is None else self.joint.select(window_index),
        )


ARRAYS: dict[str, type[np.generic]] = {
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
"""The arrays of a span file, in its order."""
DIVIDED = {
    "windows": ("null",),
    "tokens": ("start", "end", "char_begin", "char_end"),
    "spans": ("joint", "first", "last"),
}
"""Arrays of offsets, and the arrays that each divides."""
JOINT = {"spans": "offsets", "first": "first", "last": "last", "joint": "score"}
"""Only where the member has joint scores, with their fields in `JointScores`."""
_TOKENS = tuple(name for name in ARRAYS if name not in JOINT)
_NO_QUESTION = {name: np.zeros(1 if name in DIVIDED else 0, ARRAYS[name]) for name in _TOKENS}


def arrays_of(scores: SpanScores) -> dict[str, NDArray[Any]]:
    """All arrays of *scores* by their names in files, those of joint scores only where there are any."""
    found = {name: getattr(scores, name) for name in _TOKENS}
    if scores.joint is not None:
        found |= {name: getattr(scores.joint, field) for name, field in JOINT.items()}
    return found


def scores_from(
    guids: tuple[str, ...], arrays: Mapping[str, NDArray[Any]], provenance: Provenance
) -> SpanScores:
    """What `arrays_of` took apart."""
    joint = None
    if "joint" in arrays:
        joint = JointScores(**{field: arrays[name] for name, field in JOINT.items()})
    return SpanScores(
        guids=guids, provenance=provenance, joint=joint, **{name: arrays[name] for name in _TOKENS}
    )


def joined(parts: Sequence[SpanScores], provenance: Provenance) -> SpanScores:
    """The scores of consecutive questions, one after the other.

    Raises SpanFileError where some parts have joint scores and others have none; a part without questions
    goes with both.
    """
    arrays = [arrays_of(part) for part in parts if len(part)] or [_NO_QUESTION]
    if any(one.keys() != arrays[0].keys() for one in arrays):
        raise SpanFileError(MIXED)
    together = {}
    for name in arrays[0]:
        if name in DIVIDED:
            together[name] = offsets_of(np.concatenate([np.diff(one[name]) for one in arrays]))
        else:
            together[name] = np.concatenate([one[name] for one in arrays])
    return scores_from(tuple(guid for part in parts for guid in part.guids), together, provenance)


def offsets_of(counts: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
    """Running offsets of *counts* (N,): int64 (N + 1,), starting with 0."""
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(np.asarray(counts, np.int64), out=offsets[1:])
    return offsets


def ranges(begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """All integers of [begin, end) for each pair, one after the other."""
    lengths = ends - begins
    offsets = offsets_of(lengths)
    return np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], lengths)


def aligned(
    scores: SpanScores, guids: tuple[str, ...], label: str, cure: str = "make its span file again"
) -> SpanScores:
    """*scores* in the order of *guids*.  Raises SpanFileError, with *cure*, where it misses a question."""
    if scores.guids == guids:
        return scores
    position: Mapping[str, int] = {guid: index for index, guid in enumerate(scores.guids)}
    if missing := [guid for guid in guids if guid not in position]:
        raise SpanFileError(f"{label}: has no scores for question {listed(missing, 1)}; {cure}")
    return scores.select(np.array([position[guid] for guid in guids], dtype=np.intp))
