"""What a report is about: the answers of a run, a recipe or a CSV, and everything known of how they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kit.data.records import Dataset, Question
from kit.decoding.candidate_list import CandidateList, candidate_lists
from kit.decoding.ensembles import answers_of, blend_of, length_bonus, member_posterior
from kit.decoding.recipes import rules_of
from kit.errors import DataError, SubmissionError
from kit.reports import contamination
from kit.reports.contamination import Caution
from kit.reports.members import Member, members_of
from kit.settings.recipe import Recipe
from kit.spans.blending import BLENDS
from kit.spans.posteriors import Posterior
from kit.spans.recipe_members import sources_of
from kit.submission.build import csv_members
from kit.submission.card import Card
from kit.submission.csv import read_submission
from kit.text_rules.rules import apply_rules


@dataclass(frozen=True, slots=True)
class Subject:
    """Answers to Q questions whose golds are known.

    texts: the answers; decoded: before the rules; unblanked: by all rules but those that blank
    recipe: None for a CSV; members: the recipe's; blend, choices: None and () for a CSV or a vote
    place: where each answer stands in its context, code points; None where it does not
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
    choices: tuple[CandidateList, ...]
    cautions: tuple[Caution, ...]
    card: Card | None

    @property
    def fitted(self) -> bool:
        """Whether something was fitted on these rows, so that the figures are no estimate."""
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
            f"{truth.path}: has no answer to question {missing[0]} of {data.path}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + "; give the answers of that very file"
        )
    for question in data:
        if known[question.guid].context != question.context:
            raise DataError(
                f"{truth.path}: question {question.guid} has another context than in {data.path}; "
                "give the answers of that very file"
            )
    answered = tuple(replace(question, answers=known[question.guid].answers) for question in data)
    return replace(data, questions=answered)


def of_csv(path: Path, data: Dataset) -> Subject:
    """The report's subject for a CSV.  Raises SubmissionError where it misses a question of *data*."""
    answers = read_submission(path)
    missing = [question.guid for question in data if question.guid not in answers]
    if missing:
        raise SubmissionError(
            f"{path}: has no answer to question {missing[0]} of {data.path}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + "; report on the file it was made for"
        )
    texts = tuple(answers[question.guid] for question in data)
    card, cautions = contamination.of_csv(path, data)
    return Subject(
        path.stem, data, texts, texts, texts, places(texts, data.questions, None), None, (), None, (),
        tuple(cautions), card,
    )  # fmt: skip


def of_recipe(
    recipe: Recipe, name: str, data: Dataset, files: Sequence[Dataset], recipe_file: Path | None
) -> Subject:
    """The report's subject for a recipe (or a bare run).

    *data* has the answers; *files* are the data files as they were read, which runs may have been trained
    on.  Raises ModelError where a member was, and what decoding raises.
    """
    sources = sources_of(recipe, data)
    cautions = contamination.of_sources(recipe, sources, files)
    if recipe_file is not None:
        cautions += contamination.of_recipe_file(recipe_file, data)
    csvs: Mapping[str, Mapping[str, str]] = csv_members(recipe)
    rules = rules_of(recipe)
    plain = answers_of(recipe.model_copy(update={"rules": ()}), data, csvs).texts
    decoded = tuple(plain[question.guid] for question in data)
    texts = tuple(apply_rules(text, rules) for text in decoded)
    gentle = [rule for rule in rules if not rule.blanks]
    unblanked = texts if len(gentle) == len(rules) else tuple(apply_rules(text, gentle) for text in decoded)
    bonus = length_bonus(recipe, sources)
    parts = [
        None if source.opened is None else member_posterior(recipe, source, data, bonus) for source in sources
    ]
    members = members_of(recipe, sources, parts, data, rules, csvs)
    blend = None
    choices: tuple[CandidateList, ...] = ()
    if not BLENDS[recipe.blend].votes:
        blend = blend_of(recipe, sources, [part for part in parts if part is not None])
        choices = tuple(candidate_lists(blend, data.questions, decoded, texts))
    return Subject(
        name, data, texts, decoded, unblanked, places(texts, data.questions, blend), recipe, tuple(members),
        blend, choices, tuple(cautions), None,
    )  # fmt: skip


def places(
    texts: Sequence[str], questions: Sequence[Question], blend: Posterior | None
) -> tuple[int | None, ...]:
    """Where each text stands in its context: the likeliest by *blend*, else the one nearest to the gold."""
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
