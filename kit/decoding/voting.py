"""The vote: every member's own answer counts with its weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.data.records import Question
from kit.spans.posteriors import Posterior

_DIGITS = 9
"""Decimals to which sums of weights are compared: the order of the members must not decide."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """One voter's answers to all questions, and what else it thought likely (None for somebody's CSV)."""

    texts: Sequence[str]
    weight: float
    posterior: Posterior | None = None


def elected(ballots: Sequence[Ballot], questions: Sequence[Question]) -> tuple[str, ...]:
    """The text with the largest summed weight for each question.

    Ties go to the larger posterior mass, summed over the voters by weight, then to the text that
    stands earlier in the context, then to the shorter one.
    """
    answers = []
    for number, question in enumerate(questions):
        votes: dict[str, float] = {}
        for ballot in ballots:
            text = ballot.texts[number]
            votes[text] = votes.get(text, 0.0) + ballot.weight
        most = max(round(count, _DIGITS) for count in votes.values())
        tied = {text: 0.0 for text, count in votes.items() if round(count, _DIGITS) == most}
        if len(tied) > 1:
            _add_posteriors(tied, ballots, number, question)
        answers.append(min(tied, key=lambda text: _rank(text, tied, question)))
    return tuple(answers)


def _rank(text: str, mass: Mapping[str, float], question: Question) -> tuple[float, int, int, str]:
    place = question.context.find(text) if text else len(question.context)
    return -round(mass[text], _DIGITS), place if place >= 0 else len(question.context), len(text), text


def _add_posteriors(
    mass: dict[str, float], ballots: Sequence[Ballot], number: int, question: Question
) -> None:
    for ballot in ballots:
        if ballot.posterior is None:
            continue
        for begin, end, p in ballot.posterior.spans(number):
            text = question.context[begin:end]
            if text in mass:
                mass[text] += ballot.weight * p
