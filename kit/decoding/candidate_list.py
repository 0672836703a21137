"""What an answer was chosen among: the candidates with their probabilities, expected and real distances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kit.data.records import Question
from kit.metrics.edit_distance import edit_distances
from kit.phrase import Phrase
from kit.spans.minimum_risk import considered
from kit.spans.posteriors import Posterior

LISTED = 8
"""Candidates that a choice lists, besides the answer, the gold and the blank."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that was weighed: its place by expected distance (from 1), probability, and distances.

    risk: expected edit distance in code points; distance: edit distance to the first gold, None without gold
    """

    rank: int
    text: str
    p: float
    risk: float
    distance: int | None


@dataclass(frozen=True, slots=True)
class CandidateList:
    """What one question's answer was chosen among, lowest risk first; gold and answer are always listed."""

    candidates: tuple[Candidate, ...]
    weighed: int
    """Number of texts in all."""
    likeliest: str

    def of(self, text: str) -> Candidate | None:
        """The listed candidate that reads *text*."""
        return next((one for one in self.candidates if one.text == text), None)


def candidate_lists(
    blend: Posterior,
    questions: Sequence[Question],
    decoded: Sequence[str],
    answers: Sequence[str],
    listed: int = LISTED,
) -> Iterator[CandidateList]:
    """The choice at each question, with its *listed* best candidates.

    *decoded* and *answers* are the texts before and after the rules, which are listed, too.
    """
    for question, weighed, before, after in zip(
        questions, considered(blend, questions), decoded, answers, strict=True
    ):
        golds = question.golds
        wanted = {before, after, "", *golds[:1]}
        places = [place for place, text in enumerate(weighed.texts) if place < listed or text in wanted]
        texts = [weighed.texts[place] for place in places]
        distances: Sequence[int | None] = [None] * len(texts)
        if golds:
            distances = edit_distances(texts, [golds] * len(texts)).astype(int).tolist()
        candidates = tuple(
            Candidate(place + 1, text, float(weighed.p[place]), float(weighed.risk[place]), distance)
            for place, text, distance in zip(places, texts, distances, strict=True)
        )
        likeliest = weighed.texts[int(np.argmax(weighed.p))] if weighed.p.max() > 0 else ""
        yield CandidateList(candidates, len(weighed.texts), likeliest)


def risks_of(candidates: Sequence[CandidateList], answers: Sequence[str]) -> tuple[float | None, ...]:
    """Expected edit distance of each answer; None where a rule made a text that was no candidate."""
    found = (one.of(text) for one, text in zip(candidates, answers, strict=True))
    return tuple(None if one is None else one.risk for one in found)


def quoted(text: str) -> str:
    """A text in the sentences of an explanation."""
    return f"“{text}”" if text else Phrase("a blank")
