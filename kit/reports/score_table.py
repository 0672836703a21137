"""The head of a report: its answers' score beside a blank, the course recipe, each member, and a rival."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kit.data.records import Dataset
from kit.decoding.ensembles import answers_of
from kit.metrics.bootstrap import PairedDifference
from kit.metrics.scores import Score, compare, score_answers
from kit.reports.members import Member
from kit.reports.source import Subject
from kit.settings.recipe import Member as RecipeMember
from kit.settings.recipe import Recipe
from kit.submission.csv import read_submission
from kit.text_rules.rules import COURSE_2022

Role = Literal["subject", "versus", "member", "course", "blank"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One set of answers: its texts in the data's order, its score, and how much better the subject's is.

    against: the subject's mean distance minus this one's (negative: the subject is better); None for itself
    """

    role: Role
    texts: tuple[str, ...]
    score: Score
    against: PairedDifference | None


def standings_of(subject: Subject, versus: Path | None) -> tuple[Standing, ...]:
    """The subject, *versus* (a CSV) where given, each of several members, the course recipe, blank."""
    data = subject.dataset
    own = _scored(subject.texts, data, subject.name, None)
    found = [Standing("subject", subject.texts, own, None)]

    def add(role: Role, label: str, texts: Sequence[str]) -> None:
        score = _scored(texts, data, label, own)
        found.append(Standing(role, tuple(texts), score, compare(score, own)))

    if versus is not None:
        rival = read_submission(versus)
        score_answers(rival, data, groups=own.groups, label=str(versus), draws=1)  # says which rows are amiss
        add("versus", versus.stem, _ordered(rival, data))
    if len(subject.members) > 1:
        for member in subject.members:
            add("member", member.label, member.texts)
    heaviest = max(
        (member for member in subject.members if member.posterior is not None),
        key=lambda member: member.weight,
        default=None,
    )
    if heaviest is not None:
        add("course", f"course-2022 on {heaviest.label}", _by_the_course(heaviest, data))
    add("blank", "all blank", [""] * len(data))
    return tuple(found)


def _scored(texts: Sequence[str], data: Dataset, label: str, like: Score | None) -> Score:
    answers = {question.guid: text for question, text in zip(data, texts, strict=True)}
    return score_answers(answers, data, label=label, groups=None if like is None else like.groups)


def _ordered(answers: Mapping[str, str], data: Dataset) -> list[str]:
    return [answers[question.guid] for question in data]


def _by_the_course(member: Member, data: Dataset) -> list[str]:
    """One model, its likeliest spans, 20 characters or more blanked: what most teams hand in."""
    folds = {source.fold for source in member.sources}
    only = folds.pop() if len(folds) == 1 else ""
    recipe_member = RecipeMember(run=member.sources[0].run, fold=int(only) if only.isdecimal() else None)
    recipe = Recipe(members=(recipe_member,), rules=COURSE_2022)
    return _ordered(answers_of(recipe, data).texts, data)
