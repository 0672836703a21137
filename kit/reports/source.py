"""The answers that a report is about: of a run, a recipe or a CSV, with the members' own answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kit.data.records import Dataset, Question
from kit.decoding.ensembles import answers_of, blend_of
from kit.decoding.explain import member_posteriors, own_answers
from kit.display import Brief
from kit.errors import DataError, SubmissionError, listed
from kit.progress import Progress, no_progress, watched
from kit.reports import contamination
from kit.reports.contamination import Caution
from kit.settings.recipe import Recipe
from kit.settings.runs import RunRecord
from kit.spans.blending import BLENDS, blended
from kit.spans.posteriors import Posterior
from kit.spans.recipe_members import ScoreSource, sources_of, with_free_texts_of
from kit.spans.run_folder import Run
from kit.submission.answer_files import answer_files
from kit.submission.card import Card
from kit.submission.csv import read_submission
from kit.text_rules.rules import RULES, Rule, apply_rules, parse_rules


@dataclass(frozen=True, slots=True, repr=False)
class Member(Brief):
    """A member of the recipe over Q questions; a run counts as one, its folds averaged.

    texts: its own answers, by the recipe's decoder (for ranked: by edit) and rules
    p: the probability of the text before the rules, None where it only votes
    posterior: with more spans than the recipe's candidates
    """

    label: str
    weight: float
    sources: tuple[ScoreSource, ...]
    texts: tuple[str, ...]
    p: tuple[float | None, ...]
    posterior: Posterior | None

    @property
    def headline(self) -> str:
        """Its name and weight."""
        return f"{self.label}, weight {self.weight:.0%}"

    @property
    def temperature(self) -> float:
        """The number that its scores are divided by."""
        return self.sources[0].temperature

    @property
    def run(self) -> Run | None:
        """Its run; None for answers from elsewhere."""
        return self.sources[0].opened

    @property
    def record(self) -> RunRecord | None:
        """The record of its training, if it has one."""
        return None if self.run is None else self.run.record


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report was asked for, so that commands can continue with it.

    subject: the path of the recipe, run or CSV, None for an object; answers: None where the data have them
    """

    subject: Path | None
    data: Path
    answers: Path | None = None


@dataclass(frozen=True, slots=True, repr=False)
class ReportSource(Brief):
    """The answers that a report is about, to Q questions whose golds are known, and how they were made.

    texts: the answers; decoded: before the rules; unblanked: with all rules but those that blank
    recipe: None for a CSV; members: of the recipe; blend: its posterior, None for a CSV or a vote
    place: where each answer begins in its context, code points; None where it is not a part of it
    asked: the paths that were given
    """

    name: str
    dataset: Dataset
    texts: tuple[str, ...]
    decoded: tuple[str, ...]
    unblanked: tuple[str, ...]
    place: tuple[int | None, ...]
    recipe: Recipe | None
    members: tuple[Member, ...]
    blend: Posterior | None
    cautions: tuple[Caution, ...]
    card: Card | None
    asked: Asked

    @property
    def headline(self) -> str:
        """Whose answers, and to what."""
        return f"{self.name} on {self.dataset.path}: {len(self.texts):,} answers"

    @property
    def fitted(self) -> bool:
        """Whether something was fitted on these questions, so that the scores are no estimate."""
        return any(caution.fitted for caution in self.cautions)

    @property
    def golds(self) -> tuple[str, ...]:
        """The first gold of each question: the one that is scored."""
        return tuple(question.golds[0] for question in self.dataset)


def with_answers(data: Dataset, truth: Dataset) -> Dataset:
    """*data* with the answers of *truth*, the same questions in another file, in any order.

    Raises DataError where *truth* lacks a question, or has another context for it.
    """
    known = {question.guid: question for question in truth}
    missing = [question.guid for question in data if question.guid not in known]
    if missing:
        raise DataError(
            f"{truth.path}: has no answer to question {listed(missing, 1)} of {data.path}; give the "
            "answers of exactly that file"
        )
    for question in data:
        if known[question.guid].context != question.context:
            raise DataError(
                f"{truth.path}: question {question.guid} has another context than in {data.path}; "
                "give the answers of exactly that file"
            )
    answered = tuple(replace(question, answers=known[question.guid].answers) for question in data)
    return replace(data, questions=answered)


def of_csv(path: Path, data: Dataset, asked: Asked) -> ReportSource:
    """The answers of a CSV.  Raises SubmissionError where it misses a question of *data*."""
    answers = read_submission(path)
    missing = [question.guid for question in data if question.guid not in answers]
    if missing:
        raise SubmissionError(
            f"{path}: has no answer to question {listed(missing, 1)} of {data.path}; report on "
            "the file it was made for"
        )
    texts = tuple(answers[question.guid] for question in data)
    card, cautions = contamination.of_csv(path, data)
    return ReportSource(
        path.stem, data, texts, texts, texts, places(texts, data.questions, None), None, (), None,
        tuple(cautions), card, asked,
    )  # fmt: skip


def of_recipe(
    recipe: Recipe,
    name: str,
    data: Dataset,
    files: Sequence[Dataset],
    asked: Asked,
    progress: Progress = no_progress,
) -> ReportSource:
    """The answers of a recipe (or a bare run).

    *data* has the answers; *files* are the data files as they were read, which runs may have been trained
    on.  Raises ModelError where a member was, and what decoding raises.
    """
    given = answer_files(recipe)
    sources = sources_of(recipe, data, given)
    cautions = contamination.of_recipe(recipe, name, sources, files)
    rules = parse_rules(recipe.rules)
    plain = answers_of(recipe.model_copy(update={"rules": ()}), data, given, progress).texts
    decoded = tuple(plain[question.guid] for question in data)
    not_blanking = [rule for rule in rules if not RULES[rule.name].blanks]
    texts, unblanked = (tuple(apply_rules(text, some) for text in decoded) for some in (rules, not_blanking))
    longer = with_free_texts_of(sources, data)
    posteriors = member_posteriors(recipe, sources, longer)
    members = _members_of(recipe, sources, posteriors, longer, rules, progress)
    blend = None
    if not BLENDS[recipe.blend].votes:
        blend = blend_of(recipe, sources, [one for one in posteriors if one is not None], longer.questions)
    if longer is not data:
        members = [replace(one, posterior=_within(one.posterior, data)) for one in members]
        blend = _within(blend, data)
    return ReportSource(
        name, data, texts, decoded, unblanked, places(texts, data.questions, blend), recipe, tuple(members),
        blend, tuple(cautions), None, asked,
    )  # fmt: skip


def _members_of(
    recipe: Recipe,
    sources: Sequence[ScoreSource],
    posteriors: Sequence[Posterior | None],
    dataset: Dataset,
    rules: Sequence[Rule],
    progress: Progress,
) -> list[Member]:
    """The members of the recipe; *posteriors*: of each source, None where it only votes."""
    by_member: dict[tuple[str, float], list[tuple[ScoreSource, Posterior | None]]] = {}
    for source, posterior in zip(sources, posteriors, strict=True):
        key = (source.run or str(source.file), source.temperature)
        by_member.setdefault(key, []).append((source, posterior))
    with progress("answers of each member", len(by_member)) as advance:
        return [_member(recipe, own, dataset, rules) for own in watched(by_member.values(), advance)]


def _member(
    recipe: Recipe,
    scored: Sequence[tuple[ScoreSource, Posterior | None]],
    dataset: Dataset,
    rules: Sequence[Rule],
) -> Member:
    """One member of its own sources and their posteriors."""
    own = tuple(source for source, _ in scored)
    label = own[0].label if len(own) == 1 or own[0].opened is None else own[0].opened.name
    parts = [part for _, part in scored if part is not None]
    together = None
    plain: Sequence[str] = own[0].voted(dataset.questions) or ()
    p: tuple[float | None, ...] = (None,) * len(plain)
    if parts:
        together = blended(parts, [source.weight for source in own])
        plain, p = own_answers(recipe, together, dataset.questions)
    tidied = tuple(apply_rules(text, rules) for text in plain)
    return Member(label, sum(source.weight for source in own), own, tidied, p, together)


def _within(posterior: Posterior | None, dataset: Dataset) -> Posterior | None:
    """Without the free texts behind the contexts, whose mass goes to the tail."""
    if posterior is None:
        return None
    ends = np.array([len(question.context) for question in dataset])
    return posterior.only(posterior.end <= ends[posterior.question])


def places(
    texts: Sequence[str], questions: Sequence[Question], blend: Posterior | None
) -> tuple[int | None, ...]:
    """Where each text begins in its context: the likeliest place by *blend*, else the nearest to the gold."""
    return tuple(
        _place(text, question, blend, number)
        for number, (text, question) in enumerate(zip(texts, questions, strict=True))
    )


def _place(text: str, question: Question, blend: Posterior | None, number: int) -> int | None:
    context = question.context
    if not text or text not in context:
        return None
    if blend is not None:
        part = slice(blend.offsets[number], blend.offsets[number + 1])
        spans = zip(blend.p[part].tolist(), blend.begin[part].tolist(), blend.end[part].tolist(), strict=True)
        reading: list[tuple[float, int]] = [(-p, at) for p, at, end in spans if context[at:end] == text]
        if reading:
            return min(reading)[1]
    gold = question.answers[0].start if question.answers else 0
    before, after = context.rfind(text, 0, gold + len(text)), context.find(text, gold)
    found = [at for at in (before, after) if at >= 0]
    return min(found, key=lambda at: abs(at - gold))
