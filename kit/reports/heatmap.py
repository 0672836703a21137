"""Heatmaps: where in the context a posterior sees starts and ends, packed into a few bytes a question."""

from __future__ import annotations

import base64
from collections.abc import Iterable
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
        return bytes([len(words)]) + words.tobytes()


def heatmap_of(posterior: Posterior) -> tuple[Marginal, Marginal]:
    """Probability by position: that an answer begins there, and that its last character is there."""
    return _marginal(posterior, posterior.begin), _marginal(posterior, posterior.end - 1)


def packed(marginals: Iterable[Marginal], number: int) -> str:
    """One question's *marginals*, one after the other, in base64."""
    return base64.b64encode(b"".join(one.packed(number) for one in marginals)).decode()


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
