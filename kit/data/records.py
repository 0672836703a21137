"""The records that travel through the kit: parsed once at the edge, frozen ever after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

from kit.display import Displayed, Table, quoted, shortened
from kit.errors import counted

_NEAR = 80
"""The least likeness of two guids, of 100, for one to be proposed in place of the other."""
_ROWS, _CELL = 10, 60
"""Questions that a notebook shows of a data set, and columns of a terminal for each text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A gold answer: ``context[start:start + len(text)] == text``, in Unicode code points."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the answer ends, exclusive, in code points."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True, repr=False)
class Question(Displayed):
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

    @property
    def headline(self) -> str:
        """The guid, the question and its answer."""
        return f"{self.guid}: {shortened(self.text, _CELL)} → {shortened(self._answer(), _CELL)}"

    def _answer(self) -> str:
        return "withheld" if self.answers is None else ", ".join(map(quoted, self.golds))

    def tables(self) -> list[Table]:
        """All of it."""
        rows = [
            ("question", self.text), ("answers", self._answer()), ("title", self.title),
            ("category", self.category), ("source", self.source), ("context", self.context),
        ]  # fmt: skip
        return [Table(self.guid, (), [row for row in rows if row[1]])]


@dataclass(frozen=True, slots=True, repr=False)
class Dataset(Displayed):
    """All questions of one file, in file order, with the SHA-256 (hex) of the file's bytes.

    ``data[0]`` is a question, ``data[:10]`` a tuple of them, ``data[guid]`` the one with this guid.
    """

    path: Path
    sha256: str
    format: str
    questions: tuple[Question, ...]

    def __len__(self) -> int:
        return len(self.questions)

    def __iter__(self) -> Iterator[Question]:
        return iter(self.questions)

    @overload
    def __getitem__(self, which: int | str) -> Question: ...

    @overload
    def __getitem__(self, which: slice) -> tuple[Question, ...]: ...

    def __getitem__(self, which: int | str | slice) -> Question | tuple[Question, ...]:
        """By place in the file, slice, or guid.  Raises IndexError or KeyError, which name the file."""
        if isinstance(which, str):
            found = next((question for question in self.questions if question.guid == which), None)
            if found is None:
                raise KeyError(self.unknown(which))
            return found
        try:
            return self.questions[which]
        except IndexError:
            raise IndexError(
                f"{self.path}: has no question number {which}; it has {len(self)}, from 0"
            ) from None

    def unknown(self, guid: str) -> str:
        """The message for a guid that no question has: it names the nearest one, if any is near."""
        from rapidfuzz import process

        near = process.extractOne(guid, [question.guid for question in self.questions], score_cutoff=_NEAR)
        cure = f"did you mean {near[0]}?" if near else "check the guid"
        return f"{self.path}: has no question {guid}; {cure}"

    @property
    def headline(self) -> str:
        """The file, and how many questions it has."""
        known = "with answers" if self.has_answers else "without answers"
        contexts = counted(len({question.context for question in self.questions}), "context")
        return f"{self.path}: {counted(len(self), 'question')} {known} on {contexts} ({self.format})"

    def tables(self) -> list[Table]:
        """The first questions."""
        columns = ("guid", "title", "question", "answer", "context")
        rows = [
            [shortened(text, _CELL) for text in (one.guid, one.title, one.text, one._answer(), one.context)]
            for one in self.questions[:_ROWS]
        ]
        more = f"; the first {_ROWS}" if len(self) > _ROWS else ""
        return [Table(self.headline + more, columns, rows, words=columns)]

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
