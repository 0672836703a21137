"""Expected distances of many questions' texts at once: arrays padded to one size, for hundreds of weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from kit.spans.minimum_risk import tail_distances

_ROUGH = 1e-3
"""Far more than single precision may be wrong by; what lies so near to the lowest is computed exactly."""
_EQUAL = 1e-9


@dataclass(frozen=True, slots=True)
class QuestionForms:
    """The forms of one question: *texts* distinct texts first, then shorter forms of them and "".

    first: number of the first form in its table; spans: numbers of its spans there, from and up to
    parents: (shorter form, text) as places in *own*
    """

    question: int
    own: Sequence[str]
    texts: int
    first: int
    spans: tuple[int, int]
    parents: Sequence[tuple[int, int]]

    @property
    def size(self) -> tuple[int, int]:
        """Texts and forms, to put questions of similar size together."""
        return self.texts, len(self.own)


@dataclass(frozen=True, slots=True)
class RiskBlock:
    """n questions with at most K spans, T texts and F forms each; shorter rows are padded.

    questions: int64 (n,), their places in the table; first: int64 (n,), the first form of each
    spans: int64 (n, K), places in the table's spans, one past the last where padded
    text, length: int64 (n, K), the text that a span reads, and its code points
    distances: float32 (n, F, T), between forms and texts; lengths: int64 (n, F), code points of forms
    blank: int64 (n,), the place of the form ""
    derived, parent: int64 (D,): cell of (n, F) that is a shorter form of the text in a cell of (n, T)
    """

    questions: NDArray[np.int64]
    first: NDArray[np.int64]
    spans: NDArray[np.int64]
    text: NDArray[np.int64]
    length: NDArray[np.int64]
    distances: NDArray[np.float32]
    lengths: NDArray[np.int64]
    blank: NDArray[np.int64]
    derived: NDArray[np.int64]
    parent: NDArray[np.int64]

    @classmethod
    def of(
        cls, rows: Sequence[QuestionForms], form: NDArray[np.int64], length: NDArray[np.int64]
    ) -> RiskBlock:
        """The block of *rows*; *form* and *length*, int64 (S,), are of all spans of the table."""
        counts = np.array([one.spans[1] - one.spans[0] for one in rows])
        texts, forms = max(one.texts for one in rows), max(len(one.own) for one in rows)
        begins, first = np.array([[one.spans[0], one.first] for one in rows], np.int64).T[:, :, None]
        column = np.arange(counts.max())
        real = column < counts[:, None]
        spans = np.where(real, begins + column, len(form))
        distances = np.zeros((len(rows), forms, texts), np.float32)
        lengths = np.zeros((len(rows), forms), np.int64)
        derived, parent = [], []
        for number, one in enumerate(rows):
            known = one.own[: one.texts]
            between = cdist(one.own, known, scorer=Levenshtein.distance, dtype=np.int16, workers=1)
            distances[number, : len(one.own), : one.texts] = between
            lengths[number, : len(one.own)] = [len(text) for text in one.own]
            derived += [number * forms + short for short, _ in one.parents]
            parent += [number * texts + text for _, text in one.parents]
        return cls(
            questions=np.array([one.question for one in rows], np.int64),
            first=first[:, 0],
            spans=spans,
            text=np.where(real, np.append(form, 0)[spans] - first, 0),
            length=np.append(length, 0)[spans],
            distances=distances,
            lengths=lengths,
            blank=np.array([one.own.index("") for one in rows], np.int64),
            derived=np.array(derived, np.int64),
            parent=np.array(parent, np.int64),
        )

    def least_risk(
        self, p: NDArray[np.float64], tail: NDArray[np.float64], candidates: int
    ) -> NDArray[np.int64]:
        """The form of least expected distance of each question, int64 (n,), counted over the table.

        *p*: float64 (n, K), 0 where padded; *tail*: float64 (n, length_cap + 1)
        """
        count, forms, texts = self.distances.shape
        width = tail.shape[1]
        row = np.arange(count)[:, None]
        kept = _likeliest(p, candidates)
        mass = _sums(row * texts + self.text, np.where(kept, p, 0.0), (count, texts))
        cut = _sums(row * width + self.length, np.where(kept, 0.0, p), (count, width))
        beyond = np.take_along_axis(tail_distances(tail + cut), self.lengths, axis=1)
        risk = (self.distances @ mass.astype(np.float32)[:, :, None])[:, :, 0] + beyond
        # Only texts of the kept candidates, their shorter forms and "" are answers.
        allowed = np.zeros((count, forms), np.bool_)
        allowed[:, :texts] = mass > 0
        allowed.ravel()[self.derived[mass.ravel()[self.parent] > 0]] = True
        allowed[row[:, 0], self.blank] = True
        risk[~allowed] = np.inf
        # Single precision says which forms may be the best; these are computed again in double precision.
        rows, columns = np.nonzero(risk <= risk.min(axis=1, keepdims=True) + _ROUGH)
        exact = np.einsum("ij,ij->i", self.distances[rows, columns], mass[rows]) + beyond[rows, columns]
        heads = np.searchsorted(rows, np.arange(count))
        lowest = np.minimum.reduceat(exact, heads)
        # Of equals the likelier text, then the first.
        likely = np.where(columns < texts, mass[rows, np.minimum(columns, texts - 1)], 0.0)
        order = np.lexsort((columns, -likely, exact > lowest[rows] + _EQUAL, rows))
        found: NDArray[np.int64] = self.first + columns[order[heads]]
        return found


def _likeliest(p: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    """bool (n, K): which of *p* are the *count* largest of their row, of equals the first."""
    if p.shape[1] <= count:
        return np.ones(p.shape, np.bool_)
    rounded = np.round(p, 12)
    place = p.shape[1] - count
    least = np.partition(rounded, place, axis=1)[:, place, None]
    above, ties = rounded > least, rounded == least
    found: NDArray[np.bool_] = above | (
        ties & (ties.cumsum(axis=1) <= count - above.sum(axis=1, keepdims=True))
    )
    return found


def _sums(
    cells: NDArray[np.int64], values: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.float64]:
    """The sum of *values* in each cell of *shape*; *cells* are counted over its rows."""
    found: NDArray[np.float64] = np.zeros(shape)
    found += np.bincount(cells.ravel(), weights=values.ravel(), minlength=found.size).reshape(shape)
    return found
