"""Every way to answer one outer fold's questions, fitted on the others; the cache keeps finished folds."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kit.cache import cached, content_key
from kit.data.records import Question
from kit.decoding.decoders import DECODERS
from kit.spans.blending import BLENDS
from kit.spans.minimum_risk import considered
from kit.spans.span_scores import SpanScores, arrays_of
from kit.tuning.fitting import Fitter, decoders_to_try
from kit.tuning.members import OutOfFold
from kit.tuning.parallel import Steps, together
from kit.tuning.second_stage import second_stage_ways
from kit.version import __version__

T = TypeVar("T")
_EQUAL = "equal weights"
_ENTRIES = "tuning"
_FORMAT = 2
"""Raise it when a fold is answered in another way, so that no entry of the cache is taken for it."""


@dataclass(frozen=True, slots=True)
class FoldAnswers:
    """Answers to the R questions of a fold, in the data's order, by settings that the other folds gave.

    texts: by label, R each; risks: R, the distance that the blend's own choice by `edit` expects
    """

    texts: dict[str, list[str]]
    risks: list[float]


def answer_fold(
    fitter: Fitter, members: OutOfFold, questions: Sequence[Question], groups: NDArray[np.int64], fold: int
) -> FoldAnswers:
    """Fit every way to answer on all folds but *fold* and answer the questions of *fold*."""
    rows = members.fold_of != fold
    held_out = np.flatnonzero(~rows)
    texts: dict[str, list[str]] = {}

    def put(label: str, answers: Sequence[str]) -> None:
        texts[label] = [answers[index] for index in held_out.tolist()]

    base = fitter.start(rows)
    for number, label in enumerate(members.labels):
        alone = np.eye(len(members.labels))[number]
        for decoder in decoders_to_try():
            fit = replace(base, blend="mean", decoder=decoder, weights=alone)
            put(f"{label}: {decoder}, prior and temperature", fit.texts())
    ways = fitter.ways(base, rows)
    for (blend, decoder), fit in ways.items():
        if len(members.labels) > 1:
            put(f"{blend}, {decoder}, {_EQUAL}", replace(base, blend=blend, decoder=decoder).texts())
        put(f"{blend}, {decoder}, tuned weights", fit.texts())
    put("tuned", fitter.best(ways.values(), rows).texts())
    first = ways["mean", "edit"]
    own = [questions[index] for index in held_out.tolist()]
    risks = [float(one.risk[0]) for one in considered(first.blended().select(held_out), own)]
    for label, answers in second_stage_ways(first, members, questions, groups, rows).items():
        put(label, answers)
    return FoldAnswers(texts, risks)


def together_with_folds(
    fitter: Fitter,
    members: OutOfFold,
    questions: Sequence[Question],
    groups: NDArray[np.int64],
    other: Callable[[], T],
    say: Callable[[str], object],
    steps: Steps,
) -> tuple[dict[int, FoldAnswers], T]:
    """The answers to every outer fold, and the result of *other*, which takes as long as a fold.

    Folds that an earlier, interrupted call finished are read from the cache.
    """
    finished = FinishedFolds(members, questions)
    numbers: list[int] = np.unique(members.fold_of).tolist()
    known = {fold: found for fold in numbers if (found := finished.read(fold)) is not None}
    say(
        f"{len(numbers)} outer folds, each answered by what is fitted on the others, then a fit on all"
        + (f"; {len(known)} of the folds were finished before" if known else "")
    )

    answers: dict[int, FoldAnswers] = {}
    results: list[T] = []

    def answer(fold: int) -> None:
        if fold in known:
            answers[fold] = known[fold]
            steps(fitter.steps)
        else:
            answers[fold] = answer_fold(fitter, members, questions, groups, fold)
            finished.write(fold, answers[fold])

    together([*(partial(answer, fold) for fold in numbers), lambda: results.append(other())], steps)
    return {fold: answers[fold] for fold in numbers}, results[0]


class FinishedFolds:
    """The finished folds of one tuning, in the user's cache: an interrupted tuning resumes with them.

    An entry is named by everything that its answers depend on: the members' scores, the questions and golds,
    the folds, the version of the kit, and which optional packages take part.
    """

    def __init__(self, members: OutOfFold, questions: Sequence[Question]) -> None:
        about = {
            "format": _FORMAT,
            "kit": __version__,
            "ways": [*DECODERS, *BLENDS],
            "packages": {name: _version(name) for name in ("numpy", "lightgbm", "kiwipiepy")},
            "labels": members.labels,
            "members": [_digest(scores) for scores in members.scores],
            "folds": members.fold_of.tolist(),
            "lengths": sorted(members.lengths.items()),
        }
        golds = (gold for question in questions for gold in (*question.golds, ""))
        texts = (text for question in questions for text in (question.guid, question.text, question.context))
        self._key = content_key(json.dumps(about), texts, golds)

    def read(self, fold: int) -> FoldAnswers | None:
        """The answers to *fold*; None where it is not finished."""
        return cached(_ENTRIES, self._name(fold), _read, lambda path: None, make=False)

    def write(self, fold: int, answers: FoldAnswers) -> None:
        """Keep the answers to *fold*, if the cache can be used."""
        body = json.dumps(asdict(answers))
        text = f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}"
        write = partial(Path.write_text, data=text, encoding="ascii")
        cached(_ENTRIES, self._name(fold), _read, write, size=len(text))

    def _name(self, fold: int) -> str:
        return hashlib.sha256(f"{self._key} {fold}".encode()).hexdigest()


def _read(path: Path) -> FoldAnswers:
    """Raises OSError or ValueError where the file is missing or is not what was written."""
    digest, _, body = path.read_text(encoding="ascii").partition("\n")
    if hashlib.sha256(body.encode()).hexdigest() != digest:
        raise ValueError("the file is not what was written")
    return FoldAnswers(**json.loads(body))


def _digest(scores: SpanScores) -> str:
    digest = hashlib.sha256()
    for name, array in arrays_of(scores).items():
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
