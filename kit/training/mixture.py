"""The data files of a run as sources: whose each question is, how much it counts, and its own scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Dataset, Question
from kit.errors import DataError, counted
from kit.settings.folds import FoldPlan
from kit.settings.mixture import Mixture, names_of
from kit.settings.runs import SourceScore
from kit.training.shares import SourceSampler
from kit.training.splits import Part

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
        counted = [score for name, score in scores.items() if judge in {None, name}]
        if len(counted) == 1:
            return counted[0].metrics
        total = sum(score.held_out for score in counted)
        return {
            metric: sum(score.metrics[metric] * score.held_out for score in counted) / total
            for metric in counted[0].metrics
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
