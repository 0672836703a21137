"""Which questions of outside data are about what the data proper ask, and must not be learned before them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kit.data import near_duplicates
from kit.data.folds import groups
from kit.data.leak_report import SPECIFIC
from kit.data.records import Dataset, Question


@dataclass(frozen=True, slots=True)
class Unrelated:
    """What is left of outside data: a data set a file, also where none of its questions is left."""

    kept: tuple[Dataset, ...]
    left_out: int
    """Questions that are related to the data proper."""


def without_related(outside: Sequence[Dataset], data: Sequence[Dataset]) -> Unrelated:
    """Leave out every question of *outside* that a model which is to be judged on *data* must not know.

    These are the questions in one group (`kit.data.folds.groups`: same or nearly the same context, same
    title, also by way of a third) with any question of *data*, and those that ask the same specific thing
    with the same answer about a rewritten article, which `kit.data.leaks` counts as a leak too.
    """
    before = [question for dataset in outside for question in dataset]
    proper = [question for dataset in data for question in dataset]
    labels = groups([*before, *proper])
    related = np.isin(labels[: len(before)], labels[len(before) :]) | _asked_again(before, proper)
    kept, first = [], 0
    for dataset in outside:
        own = related[first : first + len(dataset)].tolist()
        left = tuple(question for question, out in zip(dataset, own, strict=True) if not out)
        kept.append(dataclasses.replace(dataset, questions=left))
        first += len(dataset)
    return Unrelated(tuple(kept), int(related.sum()))


def _asked_again(before: Sequence[Question], proper: Sequence[Question]) -> npt.NDArray[np.bool_]:
    """bool (Q,): the same specific wording, in normal form, and a gold that is the same."""
    texts = [question.text for question in (*before, *proper)]
    forms = near_duplicates.normal_form(texts)
    same, lengths = forms.exact.tolist(), np.diff(forms.offsets).tolist()
    golds: dict[int, set[str]] = {}
    for number, question in enumerate(proper, start=len(before)):
        if lengths[number] >= SPECIFIC:
            golds.setdefault(same[number], set()).update(filter(None, question.golds))
    found = [
        not golds.get(same[number], set()).isdisjoint(question.golds)
        for number, question in enumerate(before)
    ]
    return np.array(found, dtype=np.bool_)
