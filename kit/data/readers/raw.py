"""What a reader found: the questions as the file has them, and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kit.data.readers.display import lone_surrogate, quoted
from kit.data.records import Question


class FaultKind(StrEnum):
    """The rules a question can break; ``kit.data.readers.load`` refuses a file for any of these."""

    STRUCTURE = "structure"
    GUID = "guid"
    DUPLICATE = "duplicate"
    SURROGATE = "surrogate"
    ANSWER_START = "answer-start"
    ANSWER_EMPTY = "answer-empty"
    # Only kit.data.checks finds these: such a question can still be answered, if only by a blank.
    CONTEXT_EMPTY = "context-empty"
    QUESTION_EMPTY = "question-empty"
    CHARACTER = "character"


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule.  ``guid`` is "" where the question has none that could name it.

    ``where`` is the path inside the file, such as ``data[3].paragraphs[0].qas[1]``; ``message`` is
    one line that names the question or the path itself.
    """

    kind: FaultKind
    guid: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something unusual that was read all the same, and how often it occurred."""

    text: str
    count: int


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as the file gives it, and its place in the context.  All in code points.

    ``given`` is its start as written (``412``, ``"412"``, ``null``, ``missing``) and ``start`` the
    number read from it, or None.  ``found`` is where the context has the answer, or None; ``slice``
    is the context's own text there, and ``differs`` says how it differs from ``text``.  ``why`` is
    the cause of a wrong start, where one is known.  ``places`` counts the occurrences of which
    ``found`` was chosen by the question's words (1: no choice was needed).
    ``alone``: the file gives the text without any start.
    """

    text: str
    given: str
    start: int | None
    found: int | None
    alone: bool = False
    own: str = ""
    why: str = ""
    differs: str = ""
    places: int = 1

    @property
    def slice(self) -> str:
        """The answer as the context writes it."""
        return self.own or self.text

    @property
    def reason(self) -> str:
        """Why it does not match, as far as that is known."""
        return "; ".join(filter(None, (self.why, self.differs)))

    @property
    def matches(self) -> bool:
        """Whether the context has the text where the file says, or at all where it names no place."""
        if self.own or self.found is None:
            return False
        return self.start == self.found or self.alone

    @property
    def complaint(self) -> str:
        """What is wrong with an answer that does not match, to be read after ``answer_start``."""
        found = "not found in the context" if self.found is None else f"found at {self.found}"
        if self.own:
            found += f" as {quoted(self.own)}"
        if self.places > 1:
            found += f", one of {self.places} places, chosen by the question's words"
        if self.reason:
            found += f": {self.reason}"
        return f"{self.given} does not begin {quoted(self.text)} ({found})"


@dataclass(frozen=True, slots=True)
class RawQuestion:
    """A question of the file with its faults.

    ``question`` is None where its guid, text or context is no text; it carries only the answers
    that match.  ``answers`` has all of them, None where the file withholds them (``keyless``: by
    having no key for them).  ``ignored`` are gold texts of the file that were not read as golds.
    """

    guid: str
    where: str
    question: Question | None
    answers: tuple[RawAnswer, ...] | None
    faults: tuple[Fault, ...]
    keyless: bool = False
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawFile:
    """A parsed file.  ``faults`` has those of documents and paragraphs, which belong to no question.

    ``sha256`` is of the bytes as stored (of the archive, for an archive).
    """

    path: Path
    sha256: str
    format: str
    questions: tuple[RawQuestion, ...]
    faults: tuple[Fault, ...]
    remarks: tuple[Remark, ...]

    def all_faults(self) -> Iterator[Fault]:
        """Every fault: of the file first, then question by question."""
        yield from self.faults
        for question in self.questions:
            yield from question.faults


@dataclass(frozen=True, slots=True)
class Mistake:
    """A broken rule before its question is known; ``field`` is relative to it (``answers[1].text``)."""

    kind: FaultKind
    field: str
    text: str


def surrogate_mistake(text: str, field: str) -> Mistake | None:
    """The mistake of a text that cannot be encoded; None for every other text."""
    found = lone_surrogate(text)
    if found is None:
        return None
    message = f"has a lone surrogate ({found}), which is no character; mend the text"
    return Mistake(FaultKind.SURROGATE, field, message)
