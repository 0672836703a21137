"""The ``answers`` of one question, in every shape the field's files give them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kit.data.formats.raw import FaultKind, RawAnswer
from kit.data.formats.wording import described, lone_surrogate

_INTEGER = re.compile(r"\s*[-+]?[0-9]{1,18}\s*", re.ASCII)
_MISSING = object()

START_AS_TEXT = "answer_start given as text or as a decimal number"
ONE_OBJECT = "answers given as one object instead of a list"
IMPOSSIBLE_WITH_ANSWERS = "unanswerable question whose listed answers are ignored"
EMPTY_NOWHERE = "empty answer that begins nowhere, read as an unanswerable question"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A broken rule; ``field`` is relative to the question (``answers[1].text``)."""

    kind: FaultKind
    field: str
    text: str


class AnswerReader:
    """Reads one question's answers and keeps its mistakes; remarks are counted into *remarks*."""

    def __init__(self, context: str, remarks: Counter[str], *, one_answer_is_usual: bool) -> None:
        self.mistakes: list[Mistake] = []
        self._context = context
        self._remarks = remarks
        self._one_answer_is_usual = one_answer_is_usual

    def read(self, row: Mapping[str, object]) -> tuple[RawAnswer, ...] | None:
        """The answers of a question's row: None where withheld, () where it is unanswerable."""
        given = row.get("answers")
        if self._impossible(row):
            # Such a row may list its plausible answers as answers; teaching those would be wrong.
            if _texts(given):
                self._remarks[IMPOSSIBLE_WITH_ANSWERS] += 1
            return ()
        if given is None:
            return None
        answers: list[RawAnswer] = []
        pairs = list(self._pairs(given))
        if pairs and all(text == "" and self._nowhere(start) for _, text, start in pairs):
            self._remarks[EMPTY_NOWHERE] += 1
            return ()
        for field, text, start in pairs:
            answer = self._answer(field, text, start)
            if answer is not None:
                answers.append(answer)
        return tuple(answers)

    def _impossible(self, row: Mapping[str, object]) -> bool:
        flag = row.get("is_impossible")
        if flag is None or isinstance(flag, bool):
            return bool(flag)
        if flag in (0, 1):
            return flag == 1
        if isinstance(flag, str) and flag.strip().lower() in ("true", "false"):
            return flag.strip().lower() == "true"
        self._wrong("is_impossible", f"is {described(flag)}; true or false is wanted")
        return False

    def _pairs(self, given: object) -> Iterator[tuple[str, object, object]]:
        """(field, text, start) of every answer, whatever the shape."""
        if isinstance(given, list):
            for index, answer in enumerate(given):
                field = f"answers[{index}]"
                if isinstance(answer, dict):
                    yield field, answer.get("text", _MISSING), answer.get("answer_start", _MISSING)
                else:
                    self._wrong(
                        field, f"is {described(answer)}; an object with text and answer_start is wanted"
                    )
        elif not isinstance(given, dict):
            self._wrong("answers", f"is {described(given)}; a list of objects is wanted")
        elif isinstance(given.get("text"), list):
            yield from self._columns(given["text"], given.get("answer_start"))
        else:
            if not self._one_answer_is_usual:
                self._remarks[ONE_OBJECT] += 1
            yield "answers", given.get("text", _MISSING), given.get("answer_start", _MISSING)

    def _columns(self, texts: list[object], starts: object) -> Iterator[tuple[str, object, object]]:
        if not isinstance(starts, list) or len(starts) != len(texts):
            given = f"has {len(starts)} values" if isinstance(starts, list) else f"is {described(starts)}"
            self._wrong("answers.answer_start", f"{given}; a list of {len(texts)}, one a text, is wanted")
            return
        for index, (text, start) in enumerate(zip(texts, starts, strict=True)):
            yield f"answers[{index}]", text, start

    def _answer(self, field: str, text: object, start: object) -> RawAnswer | None:
        if not isinstance(text, str):
            what = "is missing" if text is _MISSING else f"is {described(text)}"
            self._wrong(f"{field}.text", f"{what}; a text is wanted")
            return None
        if not text:
            message = "is an empty text; remove it, or give answers: [] for an unanswerable question"
            self.mistakes.append(Mistake(FaultKind.ANSWER_EMPTY, f"{field}.text", message))
            return None
        mistake = surrogate_mistake(text, f"{field}.text")
        if mistake is not None:
            self.mistakes.append(mistake)
            return None
        number = self._number(start)
        if number is not None and number >= 0 and self._context.startswith(text, number):
            if type(start) is int:
                return RawAnswer(text, str(number), number, number)
            self._remarks[START_AS_TEXT] += 1
        given = "missing" if start is _MISSING else _as_given(start)
        answer = RawAnswer(text, given, number, nearest(self._context, text, number))
        if not answer.matches:
            self.mistakes.append(Mistake(FaultKind.ANSWER_START, field, answer.complaint))
        return answer

    def _number(self, start: object) -> int | None:
        if isinstance(start, bool):
            return None
        if isinstance(start, int):
            return start
        if isinstance(start, float):
            return int(start) if start.is_integer() else None
        if isinstance(start, str) and _INTEGER.fullmatch(start):
            return int(start)
        return None

    def _nowhere(self, start: object) -> bool:
        """Whether a start says that there is no answer: -1, null or left out."""
        return start is None or start is _MISSING or self._number(start) == -1

    def _wrong(self, field: str, text: str) -> None:
        self.mistakes.append(Mistake(FaultKind.STRUCTURE, field, text))


def surrogate_mistake(text: str, field: str) -> Mistake | None:
    """The mistake of a text that cannot be encoded; None for every other text."""
    found = lone_surrogate(text)
    if found is None:
        return None
    return Mistake(
        FaultKind.SURROGATE, field, f"has a lone surrogate ({found}), which is no character; mend the text"
    )


def nearest(context: str, text: str, start: int | None) -> int | None:
    """The occurrence of *text* nearest to *start* (the first where that is None; ties: the earlier)."""
    if start is None:
        first = context.find(text)
        return first if first >= 0 else None
    start = min(max(start, 0), len(context))
    before = context.rfind(text, 0, start + len(text))
    after = context.find(text, start)
    if before < 0 or after < 0:
        only = max(before, after)
        return only if only >= 0 else None
    return before if start - before <= after - start else after


def _texts(given: object) -> bool:
    """Whether any answer text is listed."""
    if isinstance(given, dict):
        return bool(given.get("text"))
    return bool(given)


def _as_given(start: object) -> str:
    if isinstance(start, str | int | float) or start is None:
        return described(start).removeprefix("the text ").removeprefix("a number (").removesuffix(")")
    return described(start)
