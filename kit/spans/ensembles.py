"""A recipe carried out: members' stored scores in, one answer a question out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kit.config.recipe import Recipe
from kit.data.formats import load
from kit.data.records import Dataset
from kit.errors import ConfigError
from kit.spans.decoding import argmax_answers
from kit.spans.lengths import log_length_prior
from kit.spans.members import Run, member_scores, open_run, stored_folds
from kit.spans.recipes import rules_of
from kit.spans.scores import Provenance


@dataclass(frozen=True, slots=True)
class Source:
    """One span file that took part."""

    label: str
    run: str
    fold: str
    span_file: Path
    weight: float
    temperature: float
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Answers:
    """guid → answer, in the data's order, and the span files they came from."""

    texts: dict[str, str]
    sources: tuple[Source, ...]


def answers_of(recipe: Recipe, dataset: Dataset) -> Answers:
    """Answer every question of *dataset* as *recipe* says.

    Raises SpanFileError where scores are missing (with the command that makes them), ConfigError
    for what this version cannot decode.
    """
    _refuse_what_is_not_here(recipe)
    rules = rules_of(recipe)
    member = recipe.members[0]
    run = open_run(str(member.run))
    fold = _single(stored_folds(run, member.fold, dataset), run.name)
    scores = member_scores(run, fold, dataset)
    path = run.find_spans(dataset, fold)
    assert path is not None
    bonus = None
    if recipe.length_prior > 0:
        bonus = recipe.length_prior * log_length_prior(_lengths(recipe, run), recipe.length_cap)
    texts = argmax_answers(
        scores,
        dataset.questions,
        length_cap=recipe.length_cap,
        temperature=member.temperature,
        bonus=bonus,
        rules=rules,
        label=member.label,
    )
    source = Source(
        member.label, str(member.run), fold, path, member.weight, member.temperature, scores.provenance
    )
    guids = (question.guid for question in dataset)
    return Answers(dict(zip(guids, texts, strict=True)), (source,))


def _lengths(recipe: Recipe, run: Run) -> dict[int, int]:
    """Gold answer lengths: of the recipe's file, else what the run recorded while training."""
    if recipe.lengths is not None:
        questions = load(recipe.lengths, answers_needed=True).questions
        return dict(Counter(len(answer.text) for question in questions for answer in question.answers or ()))
    recorded = run.record.answer_lengths if run.record else {}
    if not recorded:
        raise ConfigError(
            f"length_prior {recipe.length_prior} needs gold answer lengths and {run.folder} recorded none; "
            "name the training file with lengths:"
        )
    return {int(length): count for length, count in recorded.items()}


def _refuse_what_is_not_here(recipe: Recipe) -> None:
    wishes = {
        f"decoder: {recipe.decoder}": recipe.decoder != "argmax",
        f"{len(recipe.members)} members": len(recipe.members) > 1,
    }
    if asked := [wish for wish, wished in wishes.items() if wished]:
        raise ConfigError(
            f"this version decodes one member by argmax; the recipe asks for "
            f"{', '.join(asked)}: take these out"
        )


def _single(folds: Sequence[str], name: str) -> str:
    if len(folds) != 1:
        raise ConfigError(f"{name} has folds {', '.join(folds)}; name one with fold:")
    return folds[0]
