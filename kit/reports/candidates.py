"""Why an answer was chosen: the candidates of each question, and the reasons as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kit.data.records import Question
from kit.errors import counted
from kit.metrics.metrics import edit_distances
from kit.reports.source import ReportSource
from kit.spans.minimum_risk import Considered, considered

SHOWN = 8
"""Candidates listed of each question, besides the answer and the gold."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate: its rank by expected distance (from 1), probability, and distances.

    risk: expected edit distance in code points; distance: the edit distance to the first gold
    """

    rank: int
    text: str
    p: float
    risk: float
    distance: int


@dataclass(frozen=True, slots=True)
class CandidateList:
    """The candidates of one question, best first; the gold and the answer are always listed."""

    candidates: tuple[Candidate, ...]
    weighed: int
    """How many candidates there were in all."""
    likeliest: str

    def of(self, text: str) -> Candidate | None:
        """The listed candidate with this *text*."""
        return next((one for one in self.candidates if one.text == text), None)


def candidates_of(source: ReportSource) -> tuple[CandidateList, ...]:
    """The candidates of each question; () for a CSV or a vote, which have none."""
    if source.blend is None:
        return ()
    questions = source.dataset.questions
    return tuple(
        _candidates(question, weighed, {decoded, answer, question.golds[0], ""})
        for question, weighed, decoded, answer in zip(
            questions, considered(source.blend, questions), source.decoded, source.texts, strict=True
        )
    )


def _candidates(question: Question, weighed: Considered, wanted: set[str]) -> CandidateList:
    listed = [n for n, text in enumerate(weighed.texts) if n < SHOWN or text in wanted]
    texts = [weighed.texts[index] for index in listed]
    distances = edit_distances(texts, [question.golds] * len(texts))
    candidates = tuple(
        Candidate(index + 1, text, float(weighed.p[index]), float(weighed.risk[index]), int(distance))
        for index, text, distance in zip(listed, texts, distances.tolist(), strict=True)
    )
    likeliest = weighed.texts[int(np.argmax(weighed.p))] if weighed.p.size and weighed.p.max() > 0 else ""
    return CandidateList(candidates, len(weighed.texts), likeliest)


def risks_of(candidates: Sequence[CandidateList], answers: Sequence[str]) -> tuple[float | None, ...]:
    """Expected edit distance of each answer; None where a rule made a text that was no candidate."""
    found = (one.of(text) for one, text in zip(candidates, answers, strict=True))
    return tuple(None if one is None else one.risk for one in found)


def reasons(source: ReportSource, candidates: CandidateList | None, number: int) -> list[str]:
    """Why question *number* has its answer, one sentence or two each; *candidates*: None for a vote."""
    recipe, decoded, answer, gold = (
        source.recipe,
        source.decoded[number],
        source.texts[number],
        source.golds[number],
    )
    if recipe is None:
        return []
    found = []
    if candidates is not None:
        found.append(_why_decoded(recipe.decoder, candidates, decoded))
    else:
        backers = [member for member in source.members if member.texts[number] in {decoded, answer}]
        weight = sum(member.weight for member in backers)
        found.append(
            f"The vote: {len(backers)} of {counted(len(source.members), 'member')} with {weight:.0%} of the "
            f"weight answer {_quoted(decoded)}."
        )
    if decoded != answer:
        found.append(f"Then the rules changed {_quoted(decoded)} to {_quoted(answer)}.")
    if candidates is not None and answer != gold:
        found.append(_why_not_gold(candidates, answer, gold, recipe.length_cap))
    return found


def _why_decoded(decoder: str, candidates: CandidateList, decoded: str) -> str:
    chosen = candidates.of(decoded)
    if chosen is None:
        return "There is no span to choose from."
    if decoder == "argmax":
        best = candidates.candidates[0]
        reason = f"argmax takes the likeliest span; {_quoted(decoded)} has a probability of {chosen.p:.1%}."
        if best.text != decoded:
            reason += f" {_quoted(best.text)} is expected nearer: {best.risk:.2f}, not {chosen.risk:.2f}."
        return reason
    if decoder == "ranked":
        return (
            f"The second stage scores {_quoted(decoded)} lowest; by expected distance it is number "
            f"{chosen.rank} ({chosen.risk:.2f} characters)."
        )
    reason = (
        f"edit takes the text of least expected distance: {_quoted(decoded)}, {chosen.risk:.2f} characters."
    )
    likeliest, blank = candidates.of(candidates.likeliest), candidates.of("")
    if likeliest is not None and likeliest.text != decoded:
        reason += (
            f" The likeliest text {_quoted(likeliest.text)} ({likeliest.p:.1%}) has an expected distance of "
            f"{likeliest.risk:.2f}."
        )
    if blank is not None and decoded:
        reason += f" A blank has {blank.risk:.2f}."
    return reason


def _why_not_gold(candidates: CandidateList, answer: str, gold: str, length_cap: int) -> str:
    found = candidates.of(gold)
    if found is None:
        if len(gold) > length_cap:
            return f"The gold has {counted(len(gold), 'character')}; length_cap allows {length_cap}."
        return "The gold is not among the candidates: every member finds it unlikely or has no span for it."
    return (
        f"The gold {_quoted(gold)} is number {found.rank} of {candidates.weighed}: probability "
        f"{found.p:.1%}, expected distance {found.risk:.2f}."
    )


def _quoted(text: str) -> str:
    return f"“{text}”" if text else "a blank"
