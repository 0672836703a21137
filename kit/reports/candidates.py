"""Why an answer was chosen: the candidates that were weighed, and the reasons in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kit.data.records import Question
from kit.errors import counted
from kit.metrics.metrics import edit_distances
from kit.reports.members import Member
from kit.settings.recipe import Recipe
from kit.spans.minimum_risk import Considered, considered
from kit.spans.posteriors import Posterior

SHOWN = 8
"""Candidates listed of each question, besides the answer and the gold."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that was weighed: its place by expected distance (from 1), probability, and distances.

    risk: expected edit distance in code points; distance: the edit distance to the first gold
    """

    rank: int
    text: str
    p: float
    risk: float
    distance: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What one question's answer was chosen among, best first; the gold and the answer are always listed."""

    candidates: tuple[Candidate, ...]
    weighed: int
    """How many texts there were in all."""
    likeliest: str

    def of(self, text: str) -> Candidate | None:
        """The listed candidate that reads *text*."""
        return next((one for one in self.candidates if one.text == text), None)


def choices_of(
    blend: Posterior, questions: Sequence[Question], decoded: Sequence[str], answers: Sequence[str]
) -> Iterator[Choice]:
    """The choice at each question; *decoded* and *answers* are what was chosen before and after the rules."""
    for question, weighed, before, after in zip(
        questions, considered(blend, questions), decoded, answers, strict=True
    ):
        yield _choice(question, weighed, {before, after, question.golds[0], ""})


def _choice(question: Question, weighed: Considered, wanted: set[str]) -> Choice:
    listed = [n for n, text in enumerate(weighed.texts) if n < SHOWN or text in wanted]
    texts = [weighed.texts[index] for index in listed]
    distances = edit_distances(texts, [question.golds] * len(texts))
    candidates = tuple(
        Candidate(index + 1, text, float(weighed.p[index]), float(weighed.risk[index]), int(distance))
        for index, text, distance in zip(listed, texts, distances.tolist(), strict=True)
    )
    likeliest = weighed.texts[int(np.argmax(weighed.p))] if weighed.p.size and weighed.p.max() > 0 else ""
    return Choice(candidates, len(weighed.texts), likeliest)


def risks_of(choices: Sequence[Choice], answers: Sequence[str]) -> NDArray[np.float64]:
    """Expected edit distance of each answer, float64 (Q,); nan where a rule made a text nobody weighed."""
    found = (choice.of(text) for choice, text in zip(choices, answers, strict=True))
    return np.array([np.nan if one is None else one.risk for one in found])


def reasons(
    recipe: Recipe,
    choice: Choice | None,
    members: Sequence[Member],
    number: int,
    decoded: str,
    answer: str,
    gold: str,
) -> list[str]:
    """In words, why question *number* is answered with *answer*."""
    said = []
    if recipe.blend == "vote":
        backers = [member for member in members if member.texts[number] in {decoded, answer}]
        weight = sum(member.weight for member in backers)
        said.append(
            f"The vote: {len(backers)} of {counted(len(members), 'member')}, {weight:.0%} of the weight, "
            f"say {_quoted(decoded)}."
        )
    elif choice is not None:
        said += _why_decoded(recipe.decoder, choice, decoded)
    if decoded != answer:
        said.append(f"Then the rules made {_quoted(answer)} of {_quoted(decoded)}.")
    if choice is not None and answer != gold:
        said.append(_why_not_gold(choice, answer, gold, recipe.length_cap))
    return said


def _why_decoded(decoder: str, choice: Choice, decoded: str) -> list[str]:
    chosen = choice.of(decoded)
    if chosen is None:
        return ["There is no span to choose from."]
    if decoder == "argmax":
        best = choice.candidates[0]
        said = f"argmax takes the likeliest span; {_quoted(decoded)} holds {chosen.p:.1%} of the probability."
        if best.text != decoded:
            said += (
                f" {_quoted(best.text)} would be nearer, expected {best.risk:.2f} off for {chosen.risk:.2f}."
            )
        return [said]
    if decoder == "ranked":
        return [
            f"The second stage scores {_quoted(decoded)} lowest; by expected distance it is number "
            f"{chosen.rank} ({chosen.risk:.2f} characters)."
        ]
    said = (
        f"edit takes the text of least expected distance: {_quoted(decoded)}, {chosen.risk:.2f} characters."
    )
    if choice.likeliest != decoded and (likeliest := choice.of(choice.likeliest)) is not None:
        said += (
            f" The likeliest text {_quoted(likeliest.text)} ({likeliest.p:.1%}) would be expected "
            f"{likeliest.risk:.2f} off."
        )
    blank = choice.of("")
    if blank is not None and decoded:
        said += f" A blank: {blank.risk:.2f}."
    return [said]


def _why_not_gold(choice: Choice, answer: str, gold: str, length_cap: int) -> str:
    found = choice.of(gold)
    if found is None:
        if len(gold) > length_cap:
            return f"The gold has {counted(len(gold), 'character')}; length_cap allows {length_cap}."
        return "The gold is not among the candidates: no member thinks it likely, or none can express it."
    return (
        f"The gold {_quoted(gold)} is number {found.rank} of {choice.weighed} with {found.p:.1%}, "
        f"expected {found.risk:.2f} off."
    )


def _quoted(text: str) -> str:
    return f"“{text}”" if text else "a blank"
