"""What a report shows at a glance: score table, error types, facets and the worst answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from kit.data.records import Dataset
from kit.decoding.candidate_list import CandidateList, candidate_lists, risks_of
from kit.decoding.ensembles import answers_of
from kit.display import Brief, Displayed, Table
from kit.metrics.bootstrap import PairedDifference
from kit.metrics.scores import SCORE_COLUMNS, Score, compare, score_answers
from kit.phrase import Phrase
from kit.progress import Advance, unwatched, watched
from kit.reports import facets
from kit.reports.error_types import ERROR_TYPES, LABELS, error_type
from kit.reports.facets import Facet
from kit.reports.source import Member, ReportSource
from kit.settings.recipe import Member as RecipeMember
from kit.settings.recipe import Recipe
from kit.submission.csv import read_submission
from kit.text_rules.rules import COURSE_2022

Role = Literal["report", "versus", "member", "course", "blank"]


@dataclass(frozen=True, slots=True, repr=False)
class ScoreRow(Brief):
    """A row of the score table: answers in the data's order, their score, and the difference to the report's.

    against: the report's mean distance minus this one's (negative: the report is better); None for itself
    """

    role: Role
    texts: tuple[str, ...]
    score: Score
    against: PairedDifference | None

    @property
    def headline(self) -> str:
        """The score's."""
        return self.score.headline


@dataclass(frozen=True, slots=True, repr=False)
class Overview(Displayed):
    """Q questions, their answers, and how good they are.

    scores: the table, the report's own row first; error_types: for each question an index into ERROR_TYPES;
    candidates: of each question, () for a CSV or a vote; risks: expected distance of each answer, or None
    """

    source: ReportSource
    scores: tuple[ScoreRow, ...]
    error_types: tuple[int, ...]
    facets: tuple[Facet, ...]
    candidates: tuple[CandidateList, ...]
    risks: tuple[float | None, ...]

    @property
    def headline(self) -> str:
        """What it is about, and its score."""
        text = "{name} on {data}: A FIT, NOT AN ESTIMATE" if self.source.fitted else "{name} on {data}"
        return Phrase(text, name=self.source.name, data=self.source.dataset.path.name)

    def tables(self) -> list[Table]:
        """The scores."""
        rows = [(*row.score.row, row.against.in_words() if row.against else "") for row in self.scores]
        columns = (*SCORE_COLUMNS, "report against it")
        return [Table(self.headline, columns, rows, words=columns[-1:])]

    @property
    def own(self) -> ScoreRow:
        """The row of the report's own answers."""
        return self.scores[0]

    @property
    def versus(self) -> ScoreRow | None:
        """The row of the CSV that is compared with, if there is one."""
        return next((row for row in self.scores if row.role == "versus"), None)


@dataclass(frozen=True, slots=True)
class FacetRow:
    """One value of a facet; distances in code points, shares of all questions and of the total distance.

    The distances of a facet about the CSV compared with are that CSV's.
    """

    label: str
    questions: int
    share_of_questions: float
    distance: int
    share_of_distance: float
    mean: float


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A wrong answer and its gold; error_type: an index into ERROR_TYPES."""

    guid: str
    answer: str
    gold: str
    error_type: int
    distance: int


def overview_of(source: ReportSource, versus: Path | None = None, advance: Advance = unwatched) -> Overview:
    """Score the answers and divide them by facets.

    *versus*: a CSV with answers to the same questions; *advance*: called for each question that is compared.
    """
    scores = score_table(source, versus)
    error_types = _error_types(source.texts, source.dataset)
    candidates: tuple[CandidateList, ...] = ()
    if source.blend is not None:
        questions = source.dataset.questions
        found = candidate_lists(source.blend, questions, source.decoded, source.texts)
        candidates = tuple(watched(found, advance))
    risks = risks_of(candidates, source.texts) if candidates else (None,) * len(source.texts)
    rival = next((row for row in scores if row.role == "versus"), None)
    divided = _facets(source, scores[0], error_types, rival)
    return Overview(source, scores, error_types, tuple(divided), candidates, risks)


def score_table(source: ReportSource, versus: Path | None) -> tuple[ScoreRow, ...]:
    """The report's answers, *versus* (a CSV) if given, each of several members, the course recipe, blank."""
    data = source.dataset
    guids = [question.guid for question in data]
    own = score_answers(dict(zip(guids, source.texts, strict=True)), data, label=source.name)
    found = [ScoreRow("report", source.texts, own, None)]

    def add(role: Role, label: str, answers: Mapping[str, str], file: Path | None = None) -> None:
        # Wrong rows are named by the file that has them.
        score = score_answers(answers, data, groups=own.groups, label=str(file or label))
        score = replace(score, label=label)
        found.append(ScoreRow(role, tuple(answers[guid] for guid in guids), score, compare(score, own)))

    if versus is not None:
        add("versus", versus.stem, read_submission(versus), versus)
    if len(source.members) > 1:
        for member in source.members:
            add("member", member.label, dict(zip(guids, member.texts, strict=True)))
    runs = [member for member in source.members if member.run is not None]
    if runs:
        heaviest = max(runs, key=lambda member: member.weight)
        add("course", Phrase("course-2022 on {run}", run=heaviest.label), _by_the_course(heaviest, data))
    add("blank", Phrase("all blank"), dict.fromkeys(guids, ""))
    return tuple(found)


def _by_the_course(member: Member, data: Dataset) -> Mapping[str, str]:
    """The course recipe on one model: the likeliest spans, blank from 20 characters on."""
    folds = {source.fold for source in member.sources}
    only = folds.pop() if len(folds) == 1 else ""
    recipe_member = RecipeMember(run=member.sources[0].run, fold=int(only) if only.isdecimal() else None)
    recipe = Recipe(members=(recipe_member,), rules=COURSE_2022)
    return answers_of(recipe, data).texts


def _error_types(texts: Sequence[str], data: Dataset) -> tuple[int, ...]:
    return tuple(
        ERROR_TYPES.index(error_type(text, question)) for text, question in zip(texts, data, strict=True)
    )


def _facets(
    source: ReportSource, own: ScoreRow, error_types: tuple[int, ...], rival: ScoreRow | None
) -> list[Facet]:
    found = [facets.without_unused(Facet("error", Phrase("error type"), labels=LABELS, values=error_types))]
    if rival is not None:
        change = np.sign(own.score.distances - rival.score.distances).astype(int) + 1
        labels = (Phrase("better"), Phrase("as near"), Phrase("worse"))
        values = tuple(change.tolist())
        found.append(facets.without_unused(Facet("change", Phrase("change"), labels=labels, values=values)))
        before = _error_types(rival.texts, source.dataset)
        title = Phrase("error type in {csv}", csv=rival.score.label)
        found.append(facets.without_unused(Facet("before", title, labels=LABELS, values=before, rival=True)))
    return [
        *found,
        *facets.of_questions(source.dataset.questions),
        facets.windows(source),
        facets.unk_tokens(source),
        *facets.of_answers(own.score.distances, source.golds),
        facets.disagreement(source),
    ]


def facet_rows(overview: Overview, facet: Facet) -> list[FacetRow]:
    """The values of *facet*, in its order."""
    row = overview.versus if facet.rival and overview.versus is not None else overview.own
    distances = row.score.distances
    values = np.array(facet.values, dtype=np.intp)
    counts = np.bincount(values, minlength=len(facet.labels))
    sums = np.bincount(values, weights=distances, minlength=len(facet.labels))
    total = float(distances.sum())
    return [
        FacetRow(label, count, count / len(values), round(sum_), sum_ / total if total else 0.0, sum_ / count)
        for label, count, sum_ in zip(facet.labels, counts.tolist(), sums.tolist(), strict=True)
    ]


def worst(overview: Overview, count: int) -> list[WrongAnswer]:
    """The *count* wrong answers with the largest distance; of equals the earlier in the file."""
    distances = overview.own.score.distances
    order = np.argsort(-distances, kind="stable")[:count].tolist()
    source, types = overview.source, overview.error_types
    guids, golds = [question.guid for question in source.dataset], source.golds
    return [
        WrongAnswer(guids[number], source.texts[number], golds[number], types[number], int(distances[number]))
        for number in order
        if distances[number] > 0
    ]
