"""The records that travel through the kit: parsed once at the edge, frozen ever after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Answer:
    """A gold answer: ``context[start:start + len(text)] == text``, in Unicode code points."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the answer ends, exclusive, in code points."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Question:
    """One guid with its context and gold answers.

    ``answers`` is None where the file withholds them (a test file) and empty where the question
    is unanswerable.  Questions of one paragraph share one ``context`` string object.
    """

    guid: str
    text: str
    context: str
    answers: tuple[Answer, ...] | None
    title: str = ""
    category: str = ""
    source: str = ""

    @property
    def golds(self) -> tuple[str, ...]:
        """The gold texts, in file order; ``("",)`` for an unanswerable question, () when withheld."""
        if self.answers is None:
            return ()
        return tuple(answer.text for answer in self.answers) or ("",)


@dataclass(frozen=True, slots=True)
class Dataset:
    """All questions of one file, in file order, with the SHA-256 (hex) of the file's bytes."""

    path: Path
    sha256: str
    format: str
    questions: tuple[Question, ...]

    def __len__(self) -> int:
        return len(self.questions)

    def __iter__(self) -> Iterator[Question]:
        return iter(self.questions)

    @property
    def key(self) -> str:
        """``STEM-HASH8``: how files made from this one are named."""
        return f"{self.path.stem}-{self.sha256[:8]}"

    def first(self, count: int) -> Dataset:
        """Its first *count* questions alone, as of the same file."""
        return self if len(self) <= count else replace(self, questions=self.questions[:count])

    @property
    def has_answers(self) -> bool:
        """Whether any question carries answers (a test file's are withheld)."""
        return any(question.answers is not None for question in self.questions)
