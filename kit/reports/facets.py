"""Facets: properties of questions by which the distance is broken down; one value a question each."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question

_OTHER = "(other)"
_MOST = 12
"""Values that a facet of names shows by themselves; the rest are put together."""
_LENGTHS = (0, 1, 2, 3, 5, 8, 13, 21, 31)
_CONTEXTS = (0, 250, 500, 750, 1000, 1250, 1500, 2000)
_DISTANCES = (0, 1, 2, 3, 5, 10, 20)

QUESTION_WORDS = (
    ("누가", re.compile("누구|누가|누굴")),
    ("언제", re.compile("언제|며칠")),
    ("어디", re.compile("어디|어느 ?(?:곳|나라|도시|지역)")),
    ("무엇", re.compile("무엇|무슨|뭐|뭘|어떤|어느")),
    ("몇", re.compile("몇|얼마")),
    ("왜", re.compile("왜(?![가-힣])")),
    ("어떻게", re.compile("어떻게|어찌")),
)
NO_QUESTION_WORD = "(none)"


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to divide the questions.

    labels: what its values are called, in the order shown; values: int (Q,), an index into them;
    unit: what the labels count, "" for names; reason: why there are no values, "" where there are.
    """

    key: str
    title: str
    unit: str = ""
    labels: tuple[str, ...] = ()
    values: tuple[int, ...] = ()
    reason: str = ""


def missing(key: str, title: str, reason: str) -> Facet:
    """A facet that cannot be known, and why."""
    return Facet(key, title, reason=reason)


def of_questions(questions: Sequence[Question]) -> list[Facet]:
    """The facets that need nothing but the questions and their answers."""
    return [
        binned("gold", "gold length", "characters", [len(one.golds[0]) for one in questions], _LENGTHS),
        _named("word", "question word", [question_word(one.text) for one in questions], _WORDS),
        _names("category", "category", questions, lambda one: one.category),
        _names("source", "source", questions, lambda one: one.source),
        binned("context", "context length", "characters", [len(q.context) for q in questions], _CONTEXTS),
    ]


def of_answers(distances: NDArray[np.float64], golds: Sequence[str]) -> list[Facet]:
    """Facets of the answers: how far off, and whether a blank would have been nearer."""
    nearer = [int(len(gold) < distance) for distance, gold in zip(distances, golds, strict=True)]
    labels = ("the answer is as near", "a blank is nearer")
    return [
        binned("distance", "edit distance", "characters", distances.astype(int).tolist(), _DISTANCES),
        kept(Facet("blank", "answer or blank", labels=labels, values=tuple(nearer))),
    ]


def question_word(text: str) -> str:
    """Which of 누가, 언제, 어디, 무엇, 몇, 왜, 어떻게 a question asks with; NO_QUESTION_WORD for none.

    Korean puts what is asked near the end, so that of several the last one counts.
    """
    last = {
        word: found[-1].start() for word, pattern in QUESTION_WORDS if (found := [*pattern.finditer(text)])
    }
    return max(last, key=lambda word: last[word]) if last else NO_QUESTION_WORD


_WORDS = (*(word for word, _ in QUESTION_WORDS), NO_QUESTION_WORD)


def binned(key: str, title: str, unit: str, numbers: Sequence[int], edges: Sequence[int]) -> Facet:
    """Whole numbers ≥ edges[0] in bins that begin at *edges*; empty bins are left out."""
    labels = [
        f"{low}+" if high is None else f"{low}" if high == low + 1 else f"{low}-{high - 1}"
        for low, high in zip(edges, [*edges[1:], None], strict=True)
    ]
    values = tuple(bisect_right(edges, number) - 1 for number in numbers)
    return kept(Facet(key, title, unit, tuple(labels), values))


def _names(key: str, title: str, questions: Sequence[Question], name: Callable[[Question], str]) -> Facet:
    names = [name(question) for question in questions]
    if not any(names):
        return missing(key, title, f"the data name no {title}")
    counts = Counter(names)
    common = [name for name, _ in counts.most_common(_MOST)]
    if len(counts) > len(common):
        names = [name if name in common else _OTHER for name in names]
        common.append(_OTHER)
    return _named(key, title, [name or "(not given)" for name in names], [c or "(not given)" for c in common])


def _named(key: str, title: str, names: Sequence[str], order: Sequence[str]) -> Facet:
    labels = tuple(dict.fromkeys(order))
    place = {label: index for index, label in enumerate(labels)}
    return kept(Facet(key, title, labels=labels, values=tuple(place[name] for name in names)))


def kept(facet: Facet) -> Facet:
    """Without the labels that no question has."""
    used = sorted(set(facet.values))
    again = {value: index for index, value in enumerate(used)}
    return Facet(
        facet.key,
        facet.title,
        facet.unit,
        tuple(facet.labels[value] for value in used),
        tuple(again[value] for value in facet.values),
    )
