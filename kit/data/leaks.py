"""Does a training file hold what the test file asks?

Two articles are the same where their normal forms are equal (``exact``) or where they share enough
of their shingles (``near``); `kit.data.near_duplicates` says how both are measured, and each finding states
its numbers.  A question that is worded alike in two files proves little ("what is the company
called?"), so wording alone is reported but never counts as a leak: it does only where the wording
is specific and the gold answer is the same too.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kit.cache import cached, content_key
from kit.data import near_duplicates
from kit.data.leak_report import (
    QUESTION_NEAR,
    SPECIFIC,
    ContextLeak,
    Kind,
    LeakReport,
    QuestionMatch,
    Standing,
)
from kit.data.near_duplicates import WORTH_KEEPING, Overlap, Texts
from kit.data.records import Dataset, Question

__all__ = ["ContextLeak", "LeakReport", "QuestionMatch", "find_leaks", "leaking"]

_QUESTION_SHINGLE = 4
_RECIPE = f"no leak 1 {near_duplicates.RECIPE} {_QUESTION_SHINGLE} {QUESTION_NEAR} {SPECIFIC}"
"""Raise the number when this module or `kit.data.near_duplicates` come to find other leaks in equal files."""


def find_leaks(train: Sequence[Dataset], test: Dataset) -> LeakReport:
    """Find contexts and questions of the training files that the test file has too.

    Near-duplicates are found for 14,000 contexts of 1,000 characters in a few seconds.
    """
    contexts = _Contexts(train, test)
    return LeakReport(
        test=test.path,
        trains=tuple(dataset.path for dataset in train),
        contexts=tuple(contexts.leaks()),
        questions=tuple(_question_matches(train, test, contexts)),
    )


def leaking(train: Sequence[Dataset], test: Dataset) -> LeakReport | None:
    """The report where anything leaks, else None; that nothing does is kept in the user's cache."""
    find = functools.cache(lambda: find_leaks(train, test))

    def write(path: Path) -> None:
        if find().leaking:
            raise ValueError("only what is clean is kept: a leak needs its report")
        path.write_text(_RECIPE, encoding="utf-8")

    def read(path: Path) -> bool:
        if path.read_text(encoding="utf-8") != _RECIPE:
            raise ValueError(f"{path}: is damaged")
        return True

    both = ([question for dataset in train for question in dataset], list(test))
    if sum(len(question.context) for part in both for question in part) >= WORTH_KEEPING:
        key = content_key(_RECIPE, *(texts for part in both for texts in _decisive(part)))
        if cached("clean", key, read, write, size=len(_RECIPE)):
            return None
    return find() if find().leaking else None


def _decisive(questions: Sequence[Question]) -> Iterator[Iterator[str]]:
    """All that a verdict depends on."""
    yield (question.context for question in questions)
    yield (question.text for question in questions)
    yield (str(question.answers and question.golds) for question in questions)


def _alike(forms: Texts, left: int, near: Callable[[Overlap], bool]) -> dict[tuple[int, int], Overlap | None]:
    """Pairs of one of the first *left* texts with one of the rest that are equal (None) or near, in order."""
    same = forms.exact.tolist()  # empty texts are equal to themselves alone, so they match nothing
    equal: defaultdict[int, list[int]] = defaultdict(list)
    for node in range(left, len(forms)):
        equal[same[node]].append(node)
    pairs: dict[tuple[int, int], Overlap | None] = {
        (node, other): None for node in range(left) for other in equal.get(same[node], ())
    }
    for one, other in zip(*(side.tolist() for side in forms.candidates(left)), strict=True):
        if same[one] != same[other] and near(overlap := forms.overlap(one, other)):
            pairs[one, other] = overlap
    return dict(sorted(pairs.items(), key=lambda item: item[0]))


class _Contexts:
    """The distinct contexts of each training file, then those of the test file, compared once."""

    def __init__(self, train: Sequence[Dataset], test: Dataset) -> None:
        self.files: list[Path] = []
        self.guids: list[list[str]] = []
        self.node_of: dict[tuple[int, str], int] = {}
        texts: list[str] = []
        for number, dataset in enumerate([*train, test]):
            left = len(texts)
            nodes: dict[str, int] = {}
            for question in dataset:
                node = nodes.setdefault(question.context, len(texts))
                if node == len(texts):
                    texts.append(question.context)
                    self.files.append(dataset.path)
                    self.guids.append([])
                self.guids[node].append(question.guid)
                self.node_of[number, question.guid] = node
        self.pairs = _alike(near_duplicates.normal_form(texts), left, lambda overlap: overlap.near)
        self.partners: defaultdict[int, list[int]] = defaultdict(list)
        for one, other in self.pairs:
            self.partners[one].append(other)

    def leaks(self) -> Iterator[ContextLeak]:
        """The pairs that are equal or near, in the order of the training files."""
        for (one, other), overlap in self.pairs.items():
            yield ContextLeak(
                kind="exact" if overlap is None else "near",
                train=self.files[one],
                train_guids=tuple(self.guids[one]),
                test_guids=tuple(self.guids[other]),
                containment=1.0 if overlap is None else overlap.containment,
                jaccard=1.0 if overlap is None else overlap.jaccard,
            )

    def standing(self, one: int, others: frozenset[int]) -> Standing:
        """How a training context relates to test contexts; the closest counts."""
        found = [self.pairs[one, other] for other in self.partners.get(one, ()) if other in others]
        if not found:
            return "different"
        return "exact" if None in found else "near"


@dataclass(frozen=True, slots=True)
class _Asked:
    """The test questions that share a wording; ``golds`` is None where all are withheld."""

    guids: tuple[str, ...]
    contexts: frozenset[int]
    golds: frozenset[str] | None


def _question_matches(
    train: Sequence[Dataset], test: Dataset, contexts: _Contexts
) -> Iterator[QuestionMatch]:
    # A wording that thousands of questions share is compared once.
    left = dict.fromkeys(question.text for dataset in train for question in dataset)
    index = {text: node for node, text in enumerate(left)}
    asked_by: defaultdict[str, list[Question]] = defaultdict(list)
    for question in test:
        asked_by[question.text].append(question)
    texts = [*left, *asked_by]
    forms = near_duplicates.normal_form(texts, _QUESTION_SHINGLE)
    lengths = np.diff(forms.offsets)
    pairs = _alike(forms, len(left), lambda overlap: overlap.jaccard >= QUESTION_NEAR)
    partners: defaultdict[tuple[int, Kind], list[int]] = defaultdict(list)
    for (one, other), overlap in pairs.items():
        partners[one, "exact" if overlap is None else "near"].append(other)

    def asked(nodes: Sequence[int]) -> _Asked:
        found = [question for node in nodes for question in asked_by[texts[node]]]
        known = [question.golds for question in found if question.answers is not None]
        return _Asked(
            tuple(question.guid for question in found),
            frozenset(contexts.node_of[len(train), question.guid] for question in found),
            frozenset(gold for golds in known for gold in golds) if known else None,
        )

    matches: list[list[tuple[Kind, _Asked]]] = [[] for _ in left]
    for (node, kind), nodes in sorted(partners.items()):  # exact before near
        matches[node].append((kind, asked(nodes)))
    for number, dataset in enumerate(train):
        for question in dataset:
            node = index[question.text]
            for kind, others in matches[node]:
                yield QuestionMatch(
                    kind=kind,
                    train=dataset.path,
                    train_guid=question.guid,
                    test_guids=others.guids,
                    text=question.text,
                    contexts=contexts.standing(contexts.node_of[number, question.guid], others.contexts),
                    same_answer=_same_answer(question, others.golds),
                    specific=bool(lengths[node] >= SPECIFIC),
                )


def _same_answer(question: Question, golds: frozenset[str] | None) -> bool | None:
    """Whether a gold is shared; a blank is no answer; None where one side withholds its golds."""
    if question.answers is None or golds is None:
        return None
    return any(gold in golds for gold in question.golds if gold)
