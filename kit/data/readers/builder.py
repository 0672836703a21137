"""From rows to questions, whatever the format; every mistake of a row is recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kit.data.readers import gold_keys
from kit.data.readers.answers import AnswerReader, plain_answers
from kit.data.readers.display import MISSING, found, plain
from kit.data.readers.raw import Fault, FaultKind, Mistake, RawAnswer, RawQuestion, Remark, surrogate_mistake
from kit.data.records import Answer, Question

BYTE_ORDER_MARK = "byte-order mark at the beginning"
INTEGER_IDS = "ids given as integers"
LABEL_NAN = "title, category or source given as NaN and read as none"
PLAUSIBLE = "unanswerable question whose plausible answers are ignored"
ANOTHER_GOLD = "row that gives one more gold of a question above it"


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph and what its document says about it; ``context`` is None where it is no text.

    ``mistake`` is passed on to each of the paragraph's questions.
    """

    context: str | None
    where: str
    title: str
    category: str
    source: str
    mistake: Mistake | None


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A question with answers whose place is not as the file says, or that name none.

    ``paths`` has the path of each answer's row and the field there.
    """

    context: str
    question: str
    paths: tuple[tuple[str, str], ...]


class QuestionBuilder:
    """Collects the questions, faults and remarks of one file (of all members of an archive)."""

    def __init__(self) -> None:
        self.questions: list[RawQuestion] = []
        self.faults: list[Fault] = []
        self.unplaced: dict[int, Unplaced] = {}
        """By their place among ``questions``."""
        self._remarks: Counter[str] = Counter()
        self._contexts: dict[str, str] = {}
        self._places: dict[str, int] = {}
        """Where among ``questions`` each guid stands first."""

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What was counted, in order of first occurrence."""
        return tuple(Remark(text, count) for text, count in self._remarks.items())

    def remark(self, text: str) -> None:
        """Count something unusual that was read all the same."""
        self._remarks[text] += 1

    def wrong(self, mistake: Mistake, where: str) -> None:
        """Record a mistake that belongs to no single question."""
        self.faults.append(fault_of(mistake, where, ""))

    def label(self, row: Mapping[str, object], key: str, where: str) -> str:
        """A title, category or source: a text, "" for null, NaN or a missing key, digits for a number."""
        value = row.get(key)
        if gold_keys.is_null(value):
            if value is not None:
                self.remark(LABEL_NAN)
            return ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        text, mistake = _text(row, key, "a text or null")
        if mistake is not None:
            self.wrong(mistake, where)
            return ""
        return text or ""

    def rows(self, row: Mapping[str, object], key: str, where: str) -> list[tuple[str, Mapping[str, object]]]:
        """The objects of the list ``row[key]`` with their paths; anything else there is a mistake."""
        value = row.get(key, MISSING)
        if not isinstance(value, list):
            self.wrong(Mistake(FaultKind.STRUCTURE, key, f"{found(value)}; a list is wanted"), where)
            return []
        return self.objects(value, f"{where}.{key}")

    def objects(self, values: list[object], where: str) -> list[tuple[str, Mapping[str, object]]]:
        """The objects of *values* with their paths ``where[i]``; anything else there is a mistake."""
        rows: list[tuple[str, Mapping[str, object]]] = []
        for index, value in enumerate(values):
            if isinstance(value, dict):
                rows.append((f"{where}[{index}]", value))
            else:
                mistake = Mistake(FaultKind.STRUCTURE, "", f"{found(value)}; an object is wanted")
                self.wrong(value if isinstance(value, Mistake) else mistake, f"{where}[{index}]")
        return rows

    def passage(
        self, row: Mapping[str, object], where: str, title: str, category: str, source: str
    ) -> Passage:
        """The paragraph that *row* holds under ``context``."""
        context, mistake = _text(row, "context", "a text")
        if context is not None:
            # Equal contexts become one object: flat files repeat theirs for every question.
            context = self._contexts.setdefault(context, context)
        return Passage(context, where, title, category, source, mistake)

    def question(
        self,
        row: Mapping[str, object],
        where: str,
        id_key: str,
        passage: Passage,
        *,
        one_answer_is_usual: bool = False,
    ) -> None:
        """Add one question, sound or not; or its golds to the same question above, where a row holds one."""
        guid, mistakes = _guid(row, id_key)
        if type(row.get(id_key)) is int:
            self._remarks[INTEGER_IDS] += 1
        text, mistake = _text(row, "question", "a text")
        if mistake is not None:
            mistakes.append(mistake)
        answers: tuple[RawAnswer, ...] | None = None
        golds: tuple[Answer, ...] | None = None
        ignored: list[str] = []
        reader: AnswerReader | None = None
        context = passage.context
        if context is None:
            ignored = gold_keys.texts_of(gold_keys.forms(row))
        elif not passage.mistake and (plain := plain_answers(row, context)) is not None:
            golds = tuple(plain)
            answers = tuple([RawAnswer(each.text, str(each.start), each.start, each.start) for each in plain])
        else:
            reader = AnswerReader(context, self._remarks, one_answer_is_usual=one_answer_is_usual)
            answers = reader.read(row)
            golds = matching(answers)
            ignored = reader.ignored
            mistakes.extend(reader.mistakes)
        if answers == () and row.get("plausible_answers"):
            self._remarks[PLAUSIBLE] += 1
        faults = [] if passage.mistake is None else [fault_of(passage.mistake, passage.where, guid)]
        faults.extend(fault_of(mistake, where, guid) for mistake in mistakes)
        question: Question | None = None
        if guid and text is not None and context is not None:
            question = Question(guid, text, context, golds, passage.title, passage.category, passage.source)
        keyless = reader is not None and reader.keyless
        entry = RawQuestion(guid, where, question, answers, tuple(faults), keyless, tuple(ignored))
        paths = () if reader is None else tuple((where, field) for field in reader.fields)
        end = len(self.questions)
        place = self._places.setdefault(guid, end) if guid else end
        if place < end:
            if reader is not None and reader.one_text and self._joined(place, entry, paths):
                return
            message = (
                f"stands twice ({self.questions[place].where} and {where}); every question needs its own"
            )
            duplicate = fault_of(Mistake(FaultKind.DUPLICATE, id_key, message), where, guid)
            entry = replace(entry, faults=(*entry.faults, duplicate))
        if context is not None and answers and not _at_their_places(answers):
            self.unplaced[end] = Unplaced(context, text or "", paths)
        self.questions.append(entry)

    def _joined(self, place: int, entry: RawQuestion, paths: tuple[tuple[str, str], ...]) -> bool:
        """Whether the golds of *entry* now belong to the question at *place*, which is the same question."""
        above = self.questions[place]
        one, other = above.question, entry.question
        if one is None or other is None or not (above.answers and entry.answers):
            return False
        if (one.text, one.context) != (other.text, other.context):
            return False
        self._remarks[ANOTHER_GOLD] += 1
        answers = above.answers + entry.answers
        known = self.unplaced.get(place)
        if known is not None or not _at_their_places(entry.answers):
            before = known.paths if known else ((above.where, paths[0][1]),) * len(above.answers)
            self.unplaced[place] = Unplaced(one.context, one.text, before + paths)
        self.questions[place] = replace(
            above,
            question=replace(one, answers=matching(answers)),
            answers=answers,
            faults=above.faults + entry.faults,
            ignored=above.ignored + entry.ignored,
        )
        return True


def _at_their_places(answers: tuple[RawAnswer, ...]) -> bool:
    return all(answer.matches and not answer.alone for answer in answers)


def _guid(row: Mapping[str, object], key: str) -> tuple[str, list[Mistake]]:
    """The guid as text, "" where there is none, and what is wrong with it."""
    value = row.get(key, MISSING)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value), []
    if not isinstance(value, str):
        return "", [Mistake(FaultKind.GUID, key, f"{found(value)}; a text or an integer is wanted")]
    if not value.strip():
        return "", [Mistake(FaultKind.GUID, key, "is empty; every question needs its own")]
    mistake = surrogate_mistake(value, key)
    return value, [] if mistake is None else [mistake]


def _text(row: Mapping[str, object], key: str, wanted: str) -> tuple[str | None, Mistake | None]:
    """The text at *key*, and what is wrong with it (a lone surrogate leaves it readable)."""
    value = row.get(key, MISSING)
    if not isinstance(value, str):
        return None, Mistake(FaultKind.STRUCTURE, key, f"{found(value)}; {wanted} is wanted")
    return value, surrogate_mistake(value, key)


def fault_of(mistake: Mistake, where: str, guid: str) -> Fault:
    """Say *mistake* by its question's name, or by its path where the file's structure is wrong."""
    path = f"{where}.{mistake.field}" if mistake.field else where
    guid = plain(guid)
    if mistake.kind in (FaultKind.STRUCTURE, FaultKind.GUID) or not guid:
        message = f"{path} {mistake.text}" + (f" (question {guid})" if guid else "")
    else:
        field = "answer_start" if mistake.kind is FaultKind.ANSWER_START else mistake.field
        message = f"question {guid}: {field} {mistake.text}"
    return Fault(mistake.kind, guid, path, message)


def matching(answers: tuple[RawAnswer, ...] | None) -> tuple[Answer, ...] | None:
    """The golds of a question: those of its answers that match; None where they are withheld."""
    if answers is None:
        return None
    return tuple(
        Answer(answer.text, answer.found) for answer in answers if answer.found is not None and answer.matches
    )
