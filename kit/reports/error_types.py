"""The error type of each answer: exactly one, so that the shares of the total distance add up to 1."""

from __future__ import annotations

from enum import StrEnum

from kit.data.records import Answer, Question
from kit.phrase import Phrase
from kit.spans.minimum_risk import PARTICLE


class ErrorType(StrEnum):
    """What is wrong with an answer, by its text and its question's first gold."""

    RIGHT = "right"
    TOO_SHORT = "too short"
    TOO_LONG = "too long"
    PARTICLE_ONLY = "particle only"
    WRONG_PLACE = "wrong place"
    BLANKED = "blanked wrongly"
    NOT_BLANKED = "not blanked"


MEANINGS: dict[ErrorType, str] = {
    ErrorType.RIGHT: Phrase("the gold answer, character by character"),
    ErrorType.TOO_SHORT: Phrase("overlaps the gold answer and misses more of it than it adds"),
    ErrorType.TOO_LONG: Phrase("overlaps the gold answer and adds at least as much as it misses"),
    ErrorType.PARTICLE_ONLY: Phrase("differs from the gold answer by a particle (조사) at the end"),
    ErrorType.WRONG_PLACE: Phrase("does not overlap the gold answer"),
    ErrorType.BLANKED: Phrase("blank, and there is an answer"),
    ErrorType.NOT_BLANKED: Phrase("an answer where the gold is blank"),
}
ERROR_TYPES = tuple(ErrorType)
LABELS = tuple(Phrase(one.value) for one in ERROR_TYPES)


def error_type(prediction: str, question: Question) -> ErrorType:
    """The error type of *prediction* by the question's first gold (the one that is scored).

    It depends on the text alone, so that a CSV and the recipe that made it get the same: where the
    context has the text several times, the place nearest to the gold counts.
    """
    gold = question.golds[0]
    if prediction == gold:
        return ErrorType.RIGHT
    if not gold.strip():
        return ErrorType.NOT_BLANKED
    if not prediction.strip():
        return ErrorType.BLANKED
    if _by_a_particle(prediction.strip(), gold.strip()):
        return ErrorType.PARTICLE_ONLY
    assert question.answers
    overlap = _largest_overlap(prediction, question.answers[0], question.context)
    if overlap:
        missed, added = len(gold) - overlap, len(prediction) - overlap
        return ErrorType.TOO_SHORT if missed > added else ErrorType.TOO_LONG
    if prediction not in question.context:
        # Rules may have made a text that the context does not have: without spaces, with a bracket added.
        bare_prediction, bare_gold = ("".join(text.split()) for text in (prediction, gold))
        if bare_gold in bare_prediction:
            return ErrorType.TOO_LONG
        if bare_prediction in bare_gold:
            return ErrorType.TOO_SHORT
    return ErrorType.WRONG_PLACE


def _by_a_particle(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    # The ending may be cut after any syllable; PARTICLE alone would match the longest one.
    return longer.startswith(shorter) and PARTICLE.match(longer, len(shorter)) is not None


def _largest_overlap(text: str, gold: Answer, context: str) -> int:
    """Characters that *text* and *gold* share at the nearest place of *text*; 0 where they never overlap."""
    best, at = 0, gold.start - len(text)
    while (at := context.find(text, max(at + 1, 0), gold.end + len(text) - 1)) >= 0:
        best = max(best, min(at + len(text), gold.end) - max(at, gold.start))
    return best
