"""The data files of a run as sources: the file of each question, its share of an epoch, its own scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Dataset, Question
from kit.errors import DataError, counted
from kit.settings.folds import FoldPlan
from kit.settings.mixture import Mixture, names_of
from kit.settings.runs import SourceScore
from kit.training.splits import Part

_TAG = 0x5A4E
"""Keeps these draws apart from the batches', which come from the same seed."""
Evaluate = Callable[[Sequence[Question]], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Sources:
    """What the models of one run know about where their questions come from."""

    names: tuple[str, ...]
    """Of the data files, then of the file of --valid, where there is one."""
    mixture: Mixture
    _of: Mapping[int, int]
    """A question's identity (guids of two files may be the same) → its place in ``names``."""

    @classmethod
    def of(cls, data: Sequence[Dataset], mixture: Mixture, valid: Dataset | None = None) -> Sources:
        """The sources of *data*, and of *valid*, which is never trained on."""
        files = [*data, valid] if valid is not None else list(data)
        owners: dict[int, int] = {}
        for number, dataset in enumerate(files):
            for question in dataset:
                owners.setdefault(id(question), number)
        # As the mixture has them, whatever *valid* is called.
        names = names_of([dataset.path for dataset in data])
        return cls((*names, *(dataset.path.name for dataset in files[len(data) :])), mixture, owners)

    def draws(self, part: Part, windows: NDArray[np.int64], seed: int) -> SourceSampler | None:
        """What each epoch takes of the part's windows; None where that is all of them.

        *windows*: int64 (W,), the question of each window, a place in ``part.train``.
        """
        if not self.mixture.shares:
            return None
        numbers = np.fromiter((self._of[id(question)] for question in part.train), np.int64, len(part.train))
        return SourceSampler(
            numbers[windows], [self.mixture.shares.get(name, 1.0) for name in self.names], seed
        )

    def split(self, questions: Sequence[Question]) -> dict[str, list[Question]]:
        """The questions of each source that has any, in the sources' order."""
        found: dict[str, list[Question]] = {name: [] for name in self.names}
        for question in questions:
            found[self.names[self._of[id(question)]]].append(question)
        return {name: own for name, own in found.items() if own}

    def judging(self, questions: Sequence[Question]) -> int:
        """How many of *questions* make the score: all, or those of the judge."""
        judge = self.mixture.judge
        return len(questions) if judge is None else len(self.split(questions).get(judge, ()))

    def refuse_unjudged(self, plan: FoldPlan | None, data: Sequence[Dataset]) -> None:
        """Raises DataError naming the folds in which the judge has no question."""
        if plan is None or self.mixture.judge is None:
            return
        judge = data[self.names.index(self.mixture.judge)]
        missing = sorted(set(range(plan.folds)) - set(plan.fold_of(judge.sha256) or ()))
        if missing:
            raise DataError(
                f"--judge {self.mixture.judge}: fold {', '.join(map(str, missing))} holds none of its "
                f"{counted(len(judge), 'question')}; ask for fewer --folds, or leave --judge out"
            )

    def evaluated(self, questions: Sequence[Question], evaluate: Evaluate) -> dict[str, float]:
        """Metrics on *questions*: the judge's, or of all; of several sources also each one's, ``edit/NAME``.

        *evaluate* gives the metrics, which are means over the questions it gets.  Each source is evaluated
        alone.  Raises DataError where the judge has no question among them.
        """
        parts = self.split(questions)
        if (judge := self.mixture.judge) is not None and judge not in parts:
            raise DataError(
                f"--judge {judge}: none of its questions is held out to choose the checkpoint; give more of "
                "them, or leave --judge out"
            )
        scores = {name: SourceScore(held_out=len(own), metrics=evaluate(own)) for name, own in parts.items()}
        every = {
            f"{metric}/{name}": value
            for name, score in scores.items()
            for metric, value in score.metrics.items()
            if len(scores) > 1
        }
        return self.headline(scores) | every

    def headline(self, scores: Mapping[str, SourceScore]) -> dict[str, float]:
        """The judge's metrics, or the means over the questions of all sources."""
        judge = self.mixture.judge
        judging = [score for name, score in scores.items() if judge in {None, name}]
        if len(judging) == 1:
            return judging[0].metrics
        total = sum(score.held_out for score in judging)
        return {
            metric: sum(score.metrics[metric] * score.held_out for score in judging) / total
            for metric in judging[0].metrics
        }

    def recorded(self, each: Sequence[SourceScore]) -> dict[str, object]:
        """What a fold's record says: ``metrics``, ``held_out``, ``sources``; *each* is of each data file."""
        scores = {name: score for name, score in zip(self.names, each, strict=True) if score.held_out}
        judging = [score.held_out for name, score in scores.items() if self.mixture.judge in {None, name}]
        return {
            "metrics": self.headline(scores),
            "held_out": sum(judging),
            "sources": scores if len(scores) > 1 else {},
        }

    def scores_in(
        self, metrics: Mapping[str, float], questions: Sequence[Question]
    ) -> dict[str, SourceScore]:
        """Each source's scores on *questions*, out of what `evaluated` gave; empty for a single source."""
        parts = self.split(questions)
        if len(parts) < 2:
            return {}
        return {
            name: SourceScore(
                held_out=len(own),
                metrics={
                    key.partition("/")[0]: value
                    for key, value in metrics.items()
                    if key.partition("/")[2] == name
                },
            )
            for name, own in parts.items()
        }


class SourceSampler:
    """The windows of each epoch: of every source its share, drawn without replacement across epochs.

    A source's windows are dealt out in cycles.  A cycle is all of them once, in its own order, and
    an epoch takes the next ⌈share · windows⌉: with a share of 0.25 four epochs show every window.  An epoch
    in which one cycle ends and the next begins takes from the next first what it does not have yet, so
    that a share up to 1 shows no window twice in an epoch, and one of 1.5 each once or twice.

    Draws depend on the sources, the seed and the epoch alone: not on the process, the micro-batch or what was
    asked before.
    """

    def __init__(self, source: NDArray[np.int64], shares: Sequence[float], seed: int) -> None:
        """*source*: int64 (W,), the source of each window, a place in *shares*."""
        self._windows = [np.flatnonzero(source == number) for number in range(len(shares))]
        self._seed = seed
        self._counts = [
            # The share as it was written: 0.07 of 100 windows are 7, in binary fractions they would be 8.
            math.ceil(Fraction(str(share)) * len(windows))
            for share, windows in zip(shares, self._windows, strict=True)
        ]

    @property
    def count(self) -> int:
        """Windows of an epoch, the same for each."""
        return sum(self._counts)

    def __call__(self, epoch: int) -> NDArray[np.int64]:
        """The window numbers of *epoch*, int64 (count,), source by source; those drawn twice stand twice."""
        return np.concatenate([self._of(number, epoch) for number in range(len(self._windows))])

    def _of(self, number: int, epoch: int) -> NDArray[np.int64]:
        windows, count = self._windows[number], self._counts[number]
        if count == len(windows):
            return windows
        # What is left of a cycle depends on the epochs before: they are gone through, which is quick.
        cycle, left = 0, np.empty(0, np.int64)
        taken = left
        for _ in range(epoch + 1):
            taken, left = left[:count], left[count:]
            while len(taken) < count:
                fresh = np.random.default_rng([self._seed, number, cycle, _TAG]).permutation(len(windows))
                cycle += 1
                missing = count - len(taken)
                if missing < len(windows):  # the epoch's last: first what it has least often
                    often = np.bincount(taken, minlength=len(windows))
                    fresh = fresh[np.argsort(often[fresh], kind="stable")]
                taken, left = np.concatenate([taken, fresh[:missing]]), fresh[missing:]
        return windows[taken]
