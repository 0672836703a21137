"""Heatmaps: where in the context a posterior sees starts and ends, packed into a few bytes a question."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.spans.posteriors import Posterior, likeliest_of
from kit.spans.span_scores import offsets_of

STRONGEST = 12
"""Positions kept of each heatmap; the others are too weak to be visible."""
_STEPS = 255


@dataclass(frozen=True, slots=True)
class Marginal:
    """The strongest positions of Q questions, question by question, in order of the text.

    offsets: int64 (Q + 1,); position: int64, code points; heat: int64, probability in steps of 1/255, ≥ 1
    """

    offsets: NDArray[np.int64]
    position: NDArray[np.int64]
    heat: NDArray[np.int64]

    def packed(self, number: int) -> bytes:
        """One question's: a byte for the count, then position and heat of each in four bytes."""
        part = slice(self.offsets[number], self.offsets[number + 1])
        words = (self.position[part] << 8 | self.heat[part]).astype("<u4")
        return struct.pack("<B", len(words)) + words.tobytes()


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Probability by position: where answers begin, and where their last characters are."""

    start: Marginal
    end: Marginal


def heatmap_of(posterior: Posterior) -> Heatmap:
    """Both marginals of *posterior*: probability that an answer begins, or has its last character, there."""
    return Heatmap(_marginal(posterior, posterior.begin), _marginal(posterior, posterior.end - 1))


def packed(heatmaps: Sequence[Heatmap], number: int) -> str:
    """One question's heatmaps, start before end, concatenated, in base64."""
    content = b"".join(one.packed(number) for heatmap in heatmaps for one in (heatmap.start, heatmap.end))
    return base64.b64encode(content).decode()


def unpacked(text: str) -> list[list[tuple[int, float]]]:
    """The reverse of `packed`: positions and probabilities of each heatmap and side, as in the page."""
    content, at, sides = base64.b64decode(text), 0, []
    while at < len(content):
        words = struct.unpack_from(f"<{content[at]}I", content, at + 1)
        sides.append([(word >> 8, (word & 0xFF) / _STEPS) for word in words])
        at += 1 + 4 * len(words)
    return sides


def _marginal(posterior: Posterior, place: NDArray[np.int32]) -> Marginal:
    width = int(place.max(initial=0)) + 1
    key = posterior.question * width + place
    cells, inverse = np.unique(key, return_inverse=True)
    p = np.bincount(inverse, weights=posterior.p, minlength=len(cells))
    heat = np.rint(np.minimum(p, 1.0) * _STEPS).astype(np.int64)
    cells, p, heat = cells[heat > 0], p[heat > 0], heat[heat > 0]
    question = cells // width
    offsets = offsets_of(np.bincount(question, minlength=len(posterior)).astype(np.int64))
    kept = likeliest_of(p, offsets, STRONGEST)
    counts = np.bincount(question[kept], minlength=len(posterior)).astype(np.int64)
    return Marginal(offsets_of(counts), (cells % width)[kept], heat[kept])
