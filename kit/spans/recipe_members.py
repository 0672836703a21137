"""What a recipe's members stand for: span files (one a fold) and files of answers, in a fixed order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kit.data.records import Dataset, Question
from kit.hints import command
from kit.settings.recipe import Member, Recipe
from kit.settings.runs import RunRecord
from kit.spans.answer_spans import AnswerFile, with_free_texts
from kit.spans.out_of_fold import OUT_OF_FOLD, oof_digest
from kit.spans.run_folder import Run, member_scores, open_run, stored, stored_folds
from kit.spans.span_scores import SpanScores, aligned
from kit.spans.store import SpanFile

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class ScoreSource:
    """One span file or file of answers that takes part, with its share of the weight (all shares sum to 1).

    run, opened: "" and None for answers; fold: of a run, or out of fold
    answers: what the file has, None for a run
    digest: stands for what a second stage learned about this member, "" where it cannot know it
    """

    label: str
    run: str
    fold: str
    file: Path
    weight: float
    temperature: float
    opened: Run | None
    answers: AnswerFile | None = None
    digest: str = ""

    @property
    def only_votes(self) -> bool:
        """Whether it has no scores, but one text a question."""
        return self.opened is None and not self.digest

    def voted(self, questions: Sequence[Question]) -> list[str] | None:
        """The text for each of *questions*; None where it has scores."""
        return self.answers.texts(questions) if self.answers is not None and self.only_votes else None

    def scores(self, dataset: Dataset) -> SpanScores:
        """Its scores in the data's order; answers from elsewhere need the data of `with_free_texts_of`.

        Raises SpanFileError naming what is missing and the cure, SubmissionError where an answer is missing.
        """
        if self.opened is None:
            assert self.answers is not None
            return self.answers.scores(dataset)
        guids = tuple(question.guid for question in dataset)
        cure = f"run: {command('predict', self.opened.folder, data=dataset.path, again=True)}"
        return aligned(member_scores(self.opened, self.fold, dataset), guids, self.label, cure)

    def parts(self, dataset: Dataset) -> Callable[[int, int], SpanScores]:
        """A function that reads the scores of the questions [first, last), in the data's order.

        Raises SpanFileError as `scores`.
        """
        if self.opened is None:
            return lambda first, last: self.scores(replace(dataset, questions=dataset.questions[first:last]))
        file = stored(self.opened, self.fold, dataset, SpanFile)
        if file.guids == tuple(question.guid for question in dataset):
            return file.part
        whole = self.scores(dataset)
        return lambda first, last: whole.select(np.arange(first, last))


def sources_of(
    recipe: Recipe, dataset: Dataset, files: Mapping[str, AnswerFile] | None = None
) -> tuple[ScoreSource, ...]:
    """The recipe's members on *dataset*: a run stands for its folds, which share its weight.

    *files*: every file of answers, by the path that the recipe has.  The same file with the same temperature
    is one source with the sum of the weights.  The order depends on the files alone, so that neither the
    order of the members nor the scale of their weights moves a bit of the result.  Members of weight 0 take
    no part.
    """
    total = sum(member.weight for member in recipe.members)
    found: dict[tuple[Path, float], ScoreSource] = {}
    for member in recipe.members:
        if member.weight > 0:
            for source in _expanded(member, dataset, files or {}):
                key = source.file.resolve(), source.temperature
                earlier = found[key].weight if key in found else 0.0
                found[key] = replace(source, weight=earlier + source.weight)
    scaled = (replace(source, weight=round(source.weight / total, _DIGITS)) for source in found.values())
    return tuple(sorted(scaled, key=lambda source: (source.file.name, str(source.file), source.temperature)))


def with_free_texts_of(sources: Sequence[ScoreSource], dataset: Dataset) -> Dataset:
    """*dataset* with a place for every text of *sources*: see `kit.spans.answer_spans.with_free_texts`."""
    files = {source.file: source.answers for source in sources if not source.only_votes}
    return with_free_texts(dataset, [answers for answers in files.values() if answers is not None])


def used_by(recipe: Recipe, dataset: Dataset) -> Dataset:
    """What of *dataset* all members have scores on: its first questions, where one has a ``--limit``."""
    for member in recipe.members:
        dataset = dataset if member.run is None else open_run(member.run).used(dataset)
    return dataset


def answer_lengths_of(records: Iterable[RunRecord | None]) -> Counter[int]:
    """Gold answer length in code points → how often, as runs recorded it; what several share counts once."""
    distinct = {tuple(sorted(record.answer_lengths.items())) for record in records if record is not None}
    counts: Counter[int] = Counter()
    for lengths in distinct:
        counts.update({int(length): count for length, count in lengths})
    return counts


def _expanded(member: Member, dataset: Dataset, files: Mapping[str, AnswerFile]) -> Iterable[ScoreSource]:
    if member.run is None:
        yield _answering(member, dataset, files)
        return
    run = open_run(member.run)
    folds = stored_folds(run, member.fold, dataset)
    for fold in folds:
        # Where there is no file yet, reading it will say so with the command that makes it.
        file = run.find_spans(dataset, fold) or run.span_file(dataset, fold)
        label = member.label if len(folds) == 1 else f"{member.label} fold {fold}"
        yield ScoreSource(
            label, member.run, fold, file, member.weight / len(folds), member.temperature, run,
            digest="" if run.record is None else oof_digest(run.record),
        )  # fmt: skip


def _answering(member: Member, dataset: Dataset, files: Mapping[str, AnswerFile]) -> ScoreSource:
    """A member whose answers came from elsewhere: for its training questions those out of fold."""
    own = files[str(member.answers or member.csv)]
    if member.out_of_fold is None:
        return ScoreSource(member.label, "", "", own.path, member.weight, 1.0, None, own)
    learned = files[member.out_of_fold]
    fold = OUT_OF_FOLD if learned.covers(dataset.questions) else ""
    own = learned if fold else own
    return ScoreSource(
        member.label, "", fold, own.path, member.weight, member.temperature, None, own, learned.sha256
    )
