"""A copy of a faulty data file that loads: answers moved to their text, the rest left out and listed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path

from kit.data.faults import question_faults
from kit.data.formats import FaultKind, RawFile, RawQuestion, load, read
from kit.data.formats.wording import plain, quoted
from kit.data.records import Answer, Question
from kit.errors import DataError
from kit.files import replacing

_VERSION = "repaired"


@dataclass(frozen=True, slots=True)
class AnswerRepair:
    """An answer moved to ``start``, or left out where its text is nowhere in the context (None)."""

    guid: str
    text: str
    given: str
    start: int | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A question that is not in the copy, or a document or paragraph (guid ""), and why."""

    guid: str
    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What `repair` changed.  ``sha256`` is the copy's; ``questions`` counts those in it."""

    path: Path
    out: Path
    sha256: str
    questions: int
    moved: tuple[AnswerRepair, ...]
    answers_left_out: tuple[AnswerRepair, ...]
    questions_left_out: tuple[LeftOut, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON, complete."""
        return {
            "path": str(self.path),
            "out": str(self.out),
            "sha256": self.sha256,
            "questions": self.questions,
            "moved": [asdict(answer) for answer in self.moved],
            "answers_left_out": [asdict(answer) for answer in self.answers_left_out],
            "questions_left_out": [asdict(question) for question in self.questions_left_out],
        }

    def lines(self) -> list[str]:
        """One line for every change."""
        moved = [f"question {a.guid}: {quoted(a.text)} moved from {a.given} to {a.start}" for a in self.moved]
        answers = [
            f"question {a.guid}: answer {quoted(a.text)} left out, its context does not have it"
            for a in self.answers_left_out
        ]
        questions = [f"left out: {question.reason}" for question in self.questions_left_out]
        return moved + answers + questions


def repair(path: Path | str, out: Path | str) -> RepairReport:
    """Write the sound part of a data file to *out*, in the competition's layout.

    A wrong start moves to the nearest occurrence of its text; an answer whose text is nowhere is
    left out, with its question where it was the only one.  Questions with other faults are left
    out too, but for those that only `check` objects to and whose answers are withheld: a
    submission needs their row.  The same file gives the same bytes.

    Raises DataError where nothing would be left or *out* is the file itself, WriteError where *out*
    cannot be written.
    """
    path, out = Path(path), Path(out)
    if out.exists() and path.exists() and out.samefile(path):
        raise DataError(f"{out}: is the file to be repaired; give another name to --repair")
    raw = read(path)
    kept: list[Question] = []
    moved: list[AnswerRepair] = []
    dropped: list[AnswerRepair] = []
    left_out = [LeftOut("", fault.where, fault.message) for fault in raw.faults]
    for entry in raw.questions:
        question, reason = _mended(entry)
        for answer in entry.answers or ():
            if not answer.matches and (question is not None or answer.found is None):
                change = AnswerRepair(plain(entry.guid), answer.text, answer.given, answer.found)
                (dropped if answer.found is None else moved).append(change)
        if question is None:
            left_out.append(LeftOut(plain(entry.guid), entry.where, reason))
        else:
            kept.append(question)
    if not kept:
        raise DataError(
            f"{path}: no sound question would be left of {len(raw.questions):,}; get another copy"
        )
    text = json.dumps(_layout(kept), ensure_ascii=False, indent=1) + "\n"
    data = text.encode()
    with replacing(out, verify=load) as temporary:
        temporary.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return RepairReport(path, out, digest, len(kept), tuple(moved), tuple(dropped), tuple(left_out))


def repairable(raw: RawFile) -> bool:
    """Whether `repair` would leave any question of a file."""
    return any(_mended(entry)[0] is not None for entry in raw.questions)


def _mended(entry: RawQuestion) -> tuple[Question | None, str]:
    """The question as the copy has it, or None and why it is left out."""
    faults = [fault for fault in question_faults(entry) if fault.kind is not FaultKind.ANSWER_START]
    refused = [fault for fault in faults if fault in entry.faults]
    question = entry.question
    if question is None or refused or (faults and entry.answers is not None):
        return None, (refused or faults)[0].message
    if entry.answers is None:
        return question, ""
    answers = tuple(Answer(raw.text, raw.found) for raw in entry.answers if raw.found is not None)
    if entry.answers and not answers:
        return None, f"question {plain(entry.guid)}: its context has none of its answers"
    return replace(question, answers=answers), ""


def _layout(questions: Sequence[Question]) -> dict[str, object]:
    """The competition's layout; neighbours of one document and paragraph stay together, in order."""
    documents = [
        {
            "title": title,
            "news_category": category,
            "source": source,
            "paragraphs": [
                {"context": context, "qas": [_row(question) for question in paragraph]}
                for context, paragraph in groupby(document, key=lambda question: question.context)
            ],
        }
        for (title, category, source), document in groupby(
            questions, key=lambda question: (question.title, question.category, question.source)
        )
    ]
    return {"version": _VERSION, "data": documents}


def _row(question: Question) -> dict[str, object]:
    answers = question.answers
    listed = None if answers is None else [{"text": a.text, "answer_start": a.start} for a in answers]
    return {"guid": question.guid, "question": question.text, "answers": listed}
