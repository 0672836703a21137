"""A report in few numbers: each facet's values with their part of the distance, and the worst answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kit.reports.facets import Facet
from kit.reports.overview import Overview


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a facet; distances in code points, shares of all questions and of the total distance."""

    label: str
    questions: int
    share_of_questions: float
    distance: int
    share_of_distance: float
    mean: float


@dataclass(frozen=True, slots=True)
class Case:
    """One answer and what it should have been; kind: an index into KINDS."""

    guid: str
    answer: str
    gold: str
    kind: int
    distance: int


def facet_lines(overview: Overview, facet: Facet) -> list[Line]:
    """The values of *facet*, in its order."""
    distances = overview.own.score.distances
    values = np.array(facet.values, dtype=np.intp)
    counts = np.bincount(values, minlength=len(facet.labels))
    sums = np.bincount(values, weights=distances, minlength=len(facet.labels))
    total = float(distances.sum())
    return [
        Line(label, count, count / len(values), round(sum_), sum_ / total if total else 0.0, sum_ / count)
        for label, count, sum_ in zip(facet.labels, counts.tolist(), sums.tolist(), strict=True)
    ]


def worst(overview: Overview, count: int) -> list[Case]:
    """The *count* answers furthest off, of equals the earlier in the file; none that is right."""
    distances = overview.own.score.distances
    order = np.argsort(-distances, kind="stable")[:count].tolist()
    subject = overview.subject
    return [
        Case(
            subject.dataset.questions[number].guid,
            subject.texts[number],
            subject.golds[number],
            overview.kinds[number],
            int(distances[number]),
        )
        for number in order
        if distances[number] > 0
    ]
