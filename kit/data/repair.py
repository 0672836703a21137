"""A copy of a faulty data file that loads: answers moved to their text, the rest left out and listed."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kit.data.competition_json import competition_json
from kit.data.readers import FaultKind, RawAnswer, RawFile, RawQuestion, load, read
from kit.data.readers.display import plain, quoted
from kit.data.records import Answer, Question
from kit.data.rules import question_faults
from kit.display import Brief
from kit.errors import DataError, all_of, counted
from kit.files import replacing


@dataclass(frozen=True, slots=True)
class AnswerRepair:
    """An answer moved to ``start``, or left out (None).

    ``own`` is the context's own text there where it differs from ``text``, otherwise "".  ``why``
    is the cause of the mistake where one is known.  ``places`` is how often the context has it.
    """

    guid: str
    text: str
    given: str
    start: int | None
    own: str = ""
    why: str = ""
    places: int = 1

    @property
    def line(self) -> str:
        """The change in words."""
        begin = f"question {self.guid}: "
        if self.start is None:
            has = f"has it {self.places} times" if self.places > 1 else "does not have it"
            return f"{begin}answer {quoted(self.text)} left out, its context {has}"
        written = f", written as in the context: {quoted(self.own)}" if self.own else ""
        chosen = f", one of {self.places} places" if self.places > 1 else ""
        why = f" ({self.why})" if self.why else ""
        return f"{begin}{quoted(self.text)} moved from {self.given} to {self.start}{chosen}{written}{why}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A question that is not in the copy, or a document or paragraph (guid ""), and why.

    ``golds`` are the answers that went with it.
    """

    guid: str
    where: str
    reason: str
    golds: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The loss in words."""
        golds = f"; with it: {', '.join(map(quoted, self.golds))}" if self.golds else ""
        return f"left out: {self.reason}{golds}"


@dataclass(frozen=True, slots=True)
class Unread:
    """A text that the file lists as an answer and that was not read as a gold, with the reason."""

    guid: str
    text: str
    reason: str

    @property
    def line(self) -> str:
        """The loss in words."""
        return f"question {self.guid}: {quoted(self.text)} left out, {self.reason}"


@dataclass(frozen=True, slots=True, repr=False)
class RepairReport(Brief):
    """What `repair` changed.  ``sha256`` is the copy's; ``questions`` counts those in it.

    ``chosen`` counts the answers in the copy whose place is one of several in their context.
    """

    path: Path
    out: Path
    sha256: str
    questions: int
    moved: tuple[AnswerRepair, ...]
    answers_left_out: tuple[AnswerRepair, ...]
    questions_left_out: tuple[LeftOut, ...]
    unread: tuple[Unread, ...] = ()
    chosen: int = 0

    @property
    def headline(self) -> str:
        """The copy, and how much was changed."""
        return f"{self.out}: {counted(self.questions, 'question')}, {counted(len(self.lines()), 'change')}"

    def as_dict(self) -> dict[str, object]:
        """For JSON, complete."""
        return {**asdict(self), "path": str(self.path), "out": str(self.out)}

    def lines(self) -> list[str]:
        """One line for every change; what is lost comes first."""
        lost = [answer.line for answer in self.answers_left_out]
        lost += [question.line for question in self.questions_left_out]
        lost += [text.line for text in self.unread]
        return lost + [answer.line for answer in self.moved]


def repair(path: Path | str, out: Path | str, *, strict: bool = False) -> RepairReport:
    """Write the sound part of a data file to *out*, in the competition's layout.

    A wrong start moves to its place: by the cause that explains the starts of the whole file, else
    to the only occurrence of its text, else to the one whose sentence has most of the question's
    words; *strict* leaves the last out.  An answer that its context writes in other code points
    becomes the context's own text.  An answer whose text is nowhere is left out, with its question
    where it was the only one.  Questions with other faults are left out too, but for those that
    only `check` objects to and whose answers are withheld: a submission needs their row.  No gold
    is lost that the report does not name.  The same file gives the same bytes.

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
    unread: list[Unread] = []
    chosen = 0
    # A fault of all starts together is mended answer by answer.
    left_out = [
        LeftOut("", fault.where, fault.message)
        for fault in raw.faults
        if fault.kind is not FaultKind.ANSWER_START
    ]
    for entry in raw.questions:
        guid = plain(entry.guid)
        question, reason = _mended(entry, strict)
        if question is None:
            golds = tuple(dict.fromkeys((*(a.text for a in entry.answers or ()), *entry.ignored)))
            left_out.append(LeftOut(guid, entry.where, reason, golds))
        else:
            kept.append(question)
            why = (
                "its question is marked unanswerable"
                if entry.answers == ()
                else "it stands under a key that is not read"
            )
            unread.extend(Unread(guid, text, why) for text in entry.ignored)
        for answer in entry.answers or ():
            stays = _stays(answer, strict)
            chosen += stays and answer.places > 1 and question is not None
            if stays and (answer.matches or question is None):
                continue
            start = answer.found if stays else None
            change = AnswerRepair(
                guid, answer.text, answer.given, start, answer.own, answer.reason, answer.places
            )
            (moved if stays else dropped).append(change)
    if not kept:
        raise DataError(
            f"{path}: no sound question would be left of {len(raw.questions):,}; get another copy"
        )
    data = competition_json(kept, "repaired").encode()
    with replacing(out, verify=load) as temporary:
        temporary.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return RepairReport(
        path, out, digest, len(kept), tuple(moved), tuple(dropped), tuple(left_out), tuple(unread), chosen
    )


def repairable(raw: RawFile) -> bool:
    """Whether `repair` would leave any question of a file."""
    return any(_mended(entry, strict=False)[0] is not None for entry in raw.questions)


def _stays(answer: RawAnswer, strict: bool) -> bool:
    return answer.found is not None and not (strict and answer.places > 1)


def _mended(entry: RawQuestion, strict: bool) -> tuple[Question | None, str]:
    """The question as the copy has it, or None and why it is left out."""
    faults = [fault for fault in question_faults(entry) if fault.kind is not FaultKind.ANSWER_START]
    refused = [fault for fault in faults if fault in entry.faults]
    question = entry.question
    if question is None or refused or (faults and entry.answers is not None):
        return None, all_of([fault.message for fault in refused or faults])
    if entry.answers is None:
        return question, ""
    answers = tuple(
        Answer(raw.slice, raw.found) for raw in entry.answers if raw.found is not None and _stays(raw, strict)
    )
    if entry.answers and not answers:
        which = "has none of its answers in one place only" if strict else "has none of its answers"
        return None, f"question {plain(entry.guid)}: its context {which}"
    return replace(question, answers=answers), ""
