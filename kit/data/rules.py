"""The rules a question must keep beyond those its reader enforces."""

from __future__ import annotations

from kit.data.characters import FAULTY, character_name
from kit.data.readers import Fault, FaultKind, RawQuestion
from kit.data.readers.display import plain
from kit.data.records import Question

_FAULTY = tuple(sorted(FAULTY))


def question_faults(entry: RawQuestion) -> list[Fault]:
    """The reader's faults of a question, and those that only a check objects to."""
    faults = list(entry.faults)
    question = entry.question
    if question is None:
        return faults
    for kind, field, text in (
        (FaultKind.CONTEXT_EMPTY, "context", question.context),
        (FaultKind.QUESTION_EMPTY, "question", question.text),
    ):
        if not text.strip():
            faults.append(_fault(kind, question, entry.where, f"{field} is empty; give its text"))
        for character in _FAULTY:
            place = text.find(character)
            if place >= 0:
                message = (
                    f"{field} has U+{ord(character):04X} {character_name(character)} at {place}; "
                    "restore the character that was lost there"
                )
                faults.append(_fault(FaultKind.CHARACTER, question, entry.where, message))
    return faults


def _fault(kind: FaultKind, question: Question, where: str, text: str) -> Fault:
    guid = plain(question.guid)
    return Fault(kind, guid, where, f"question {guid}: {text}")
