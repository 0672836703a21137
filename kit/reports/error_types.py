"""The kind of error of each answer: exactly one, so that shares of the total distance sum to the whole."""

from __future__ import annotations

from enum import StrEnum

from kit.data.records import Answer, Question
from kit.spans.minimum_risk import PARTICLE


class Kind(StrEnum):
    """What is wrong with an answer, by its text and its question's first gold."""

    RIGHT = "right"
    TOO_SHORT = "too short"
    TOO_LONG = "too long"
    PARTICLE_ONLY = "particle only"
    WRONG_PLACE = "wrong place"
    BLANKED = "blanked wrongly"
    NOT_BLANKED = "not blanked"


MEANINGS = {
    Kind.RIGHT: "the gold answer, character by character",
    Kind.TOO_SHORT: "overlaps the gold answer and misses more of it than it adds",
    Kind.TOO_LONG: "overlaps the gold answer and adds at least as much as it misses",
    Kind.PARTICLE_ONLY: "differs from the gold answer by a particle (조사) at the end",
    Kind.WRONG_PLACE: "does not overlap the gold answer",
    Kind.BLANKED: "blank, and there is an answer",
    Kind.NOT_BLANKED: "an answer where the gold is blank",
}
KINDS = tuple(Kind)


def kind_of(prediction: str, question: Question) -> Kind:
    """The kind of error of *prediction*, judged by the question's first gold (the one that is scored).

    It depends on the text alone, so that a CSV and the recipe that made it are judged alike: where the
    text stands in the context several times, the place nearest to the gold counts.
    """
    gold = question.golds[0]
    if prediction == gold:
        return Kind.RIGHT
    if not gold.strip():
        return Kind.NOT_BLANKED
    if not prediction.strip():
        return Kind.BLANKED
    if _by_a_particle(prediction.strip(), gold.strip()):
        return Kind.PARTICLE_ONLY
    assert question.answers
    overlap = _largest_overlap(prediction, question.answers[0], question.context)
    if overlap:
        missed, added = len(gold) - overlap, len(prediction) - overlap
        return Kind.TOO_SHORT if missed > added else Kind.TOO_LONG
    if prediction not in question.context:
        # Rules may have left a text that stands nowhere: spaces taken out, a bracket put in.
        bare_prediction, bare_gold = _without_spaces(prediction), _without_spaces(gold)
        if bare_gold in bare_prediction:
            return Kind.TOO_LONG
        if bare_prediction in bare_gold:
            return Kind.TOO_SHORT
    return Kind.WRONG_PLACE


def _by_a_particle(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if not shorter or not longer.startswith(shorter):
        return False
    # The ending may be cut anywhere after a syllable; PARTICLE itself would take the longest it finds.
    found = PARTICLE.match(longer, len(shorter))
    return found is not None and found.end() == len(longer)


def _largest_overlap(text: str, gold: Answer, context: str) -> int:
    """Characters that *text* and *gold* share where *text* stands nearest to it; 0 where it never touches."""
    best, at = 0, gold.start - len(text)
    while (at := context.find(text, max(at + 1, 0), gold.end + len(text) - 1)) >= 0:
        best = max(best, min(at + len(text), gold.end) - max(at, gold.start))
    return best


def _without_spaces(text: str) -> str:
    return "".join(text.split())
