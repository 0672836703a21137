"""Folds and holdouts of whole groups, so that no article stands on both sides of a split."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kit.cache import cached, content_key
from kit.data import near_duplicates, titles
from kit.data.near_duplicates import WORTH_KEEPING
from kit.data.records import Question
from kit.errors import ConfigError, DataError, counted

Labels = npt.NDArray[np.int64]

_RECIPE = f"groups 2 {near_duplicates.RECIPE}"
"""Raise the number when `groups` or `kit.data.near_duplicates` come to group the same questions otherwise."""


def groups(questions: Iterable[Question]) -> Labels:
    """Number the connected components of: same context, near-duplicate context, same title.

    Contexts are near where `kit.data.near_duplicates.Overlap.near` says so.  A title that names no article
    (`kit.data.titles`) joins nothing.  Of much data the groups are kept in the user's cache.

    Returns: int64 (Q,), group ids from 0 in order of first appearance.
    """
    questions = list(questions)
    contexts = [question.context for question in questions]
    if sum(map(len, contexts)) < WORTH_KEEPING:
        return _groups(questions)
    find = functools.cache(lambda: _groups(questions))

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, find())

    key = content_key(_RECIPE, contexts, [question.title for question in questions])
    labels = cached("groups", key, lambda path: _read(path, len(questions)), write, size=8 * len(questions))
    return find() if labels is None else labels


def _read(path: Path, count: int) -> Labels:
    labels: Labels = np.load(path, allow_pickle=False)
    if labels.dtype != np.int64 or labels.shape != (count,):
        raise ValueError(f"{path}: {labels.dtype} {labels.shape}, not int64 ({count},)")
    return labels


def _groups(questions: Sequence[Question]) -> Labels:
    index: dict[str, int] = {}
    nodes = [index.setdefault(question.context, len(index)) for question in questions]
    joined = _Joined(len(index))
    texts = near_duplicates.normal_form(list(index))
    for articles in titles.articles(questions).values():
        first, *others = (index[context] for context in articles)
        for other in others:
            joined.join(first, other)
    for one, other in enumerate(texts.exact.tolist()):
        joined.join(one, other)
    for one, other in zip(*(side.tolist() for side in texts.candidates()), strict=True):
        # Measuring is the dear part, and pointless for texts that are together anyway.
        if joined.root(one) != joined.root(other) and texts.overlap(one, other).near:
            joined.join(one, other)
    numbers: dict[int, int] = {}
    labels = [numbers.setdefault(joined.root(node), len(numbers)) for node in nodes]
    return np.array(labels, dtype=np.int64)


def holdout(
    questions: Sequence[Question], share: float = 0.1, seed: int = 0, *, labels: Labels | None = None
) -> npt.NDArray[np.bool_]:
    """Choose whole groups that hold about *share* of the questions.

    The choice depends on the guids and *seed* alone: not on the questions' order, nor on the
    version of any library.  *labels* are ``groups(questions)`` where those are at hand.

    Returns: bool (Q,), True for questions held out; some are held out and some are not.
    Raises ConfigError for a share outside (0, 1), DataError where all questions are one group.
    """
    if not 0 < share < 1:
        raise ConfigError(f"holdout: share is {share}; it must lie between 0 and 1")
    labels, sizes, order = _arranged(questions, labels, seed)
    if len(sizes) < 2:
        everything = (
            f"all {len(questions):,} questions belong" if len(questions) != 1 else "the only question belongs"
        )
        raise DataError(
            f"holdout: {everything} to one group "
            "(same or nearly the same article); give more questions, or a file of their own for validation"
        )
    wanted = share * len(questions)
    total = 0
    chosen: list[int] = []
    for group in order:
        size = int(sizes[group])
        closer = abs(total + size - wanted) < abs(total - wanted)
        if closer and len(chosen) + 1 < len(sizes):
            chosen.append(group)
            total += size
    if not chosen:  # every group is larger than twice the share
        chosen = [min(order, key=lambda group: int(sizes[group]))]
    return np.isin(labels, chosen)


def folds(questions: Sequence[Question], k: int, seed: int = 0, *, labels: Labels | None = None) -> Labels:
    """Deal whole groups into *k* folds of about equally many questions.

    The assignment depends on the guids and *seed* alone: not on the questions' order, nor on the
    version of any library.  *labels* are ``groups(questions)`` where those are at hand.

    Returns: int64 (Q,), the fold of each question, 0 to k - 1; no fold is empty.
    Raises ConfigError for k below 2, DataError where there are fewer groups than folds.
    """
    if k < 2:
        raise ConfigError(f"folds: {k} asked for; at least 2 are needed")
    labels, sizes, order = _arranged(questions, labels, seed)
    if k > len(sizes):
        fewer = f"ask for {len(sizes)} or fewer, or " if len(sizes) > 1 else ""
        raise DataError(
            f"folds: {k} asked for, but the questions form only {counted(len(sizes), 'group')} "
            f"(same or nearly the same article); {fewer}give more questions"
        )
    loads = [0] * k
    fold_of = np.zeros(len(sizes), dtype=np.int64)
    # The largest first, each to the emptiest fold: what is left to even out is small.
    for group in sorted(order, key=lambda group: -int(sizes[group])):
        fold = loads.index(min(loads))
        fold_of[group] = fold
        loads[fold] += int(sizes[group])
    assigned: Labels = fold_of[labels]
    return assigned


def _arranged(
    questions: Sequence[Question], labels: Labels | None, seed: int
) -> tuple[Labels, Labels, list[int]]:
    """Labels numbered from 0 without gaps, questions a group, and the groups in shuffled order."""
    if labels is None:
        labels = groups(questions)
    if len(labels) != len(questions):
        raise DataError(f"splits: {len(labels):,} group ids were given for {len(questions):,} questions")
    _, dense = np.unique(labels, return_inverse=True)
    dense = dense.astype(np.int64)
    sizes = np.bincount(dense).astype(np.int64)
    first = [""] * len(sizes)
    for group, question in zip(dense.tolist(), questions, strict=True):
        first[group] = min(first[group] or question.guid, question.guid)
    keys = [hashlib.sha256(f"{seed}\n{guid}".encode("utf-8", "surrogatepass")).digest() for guid in first]
    return dense, sizes, sorted(range(len(sizes)), key=keys.__getitem__)


class _Joined:
    """Disjoint sets of 0 … n - 1."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, node: int) -> int:
        parents = self._parents
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    def join(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        self._parents[max(one, other)] = min(one, other)
