"""The golds of one question, in every form that the field's files give them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kit.data.readers import gold_keys
from kit.data.readers.display import MISSING, described, found, plain
from kit.data.readers.gold_keys import Form, is_null
from kit.data.readers.raw import FaultKind, Mistake, RawAnswer, surrogate_mistake
from kit.data.records import Answer
from kit.errors import counted

_INTEGER = re.compile(r"\s*([-+]?[0-9]{1,18})(\.0*)?\s*", re.ASCII)

START_AS_TEXT = "answer_start given as text or as a decimal number"
ONE_OBJECT = "answers given as one object instead of a list"
IMPOSSIBLE_WITH_ANSWERS = "unanswerable question whose listed answers are ignored"
KEYLESS = "question without any key for answers, read like answers that are withheld"
EMPTY = "empty answer without a place, read as an unanswerable question"


@dataclass(frozen=True, slots=True)
class _Listed:
    """One answer as listed: where it and its text stand, and whether its form may do without a start."""

    field: str
    text_field: str
    text: object
    start: object
    startless: bool = False

    @property
    def empty(self) -> bool:
        """Whether it says that there is no answer: an empty text, and a start that is no place."""
        return self.text == "" and gold_keys.is_no_place(self.start)


def plain_answers(row: Mapping[str, object], context: str) -> list[Answer] | None:
    """The answers of a row whose golds are a list or columns under ``answers``, each at its place.

    None for all others, which `AnswerReader` takes apart; nearly all rows of nearly all files are
    plain, and this takes half its time.  *context* must be a text that can be encoded.
    """
    if not gold_keys.in_answers_only(tuple(row)) or row.get("is_impossible"):
        return None
    given = row["answers"]
    if type(given) is list:
        pairs = [(each.get("text"), each.get(gold_keys.START)) for each in given if type(each) is dict]
        if len(pairs) != len(given):
            return None
    elif type(given) is dict and len(given) == 2:
        texts, starts = given.get("text"), given.get(gold_keys.START)
        if type(texts) is not list or type(starts) is not list or len(texts) != len(starts):
            return None
        pairs = list(zip(texts, starts, strict=True))
    else:
        return None
    answers = []
    for text, start in pairs:
        if type(text) is not str or type(start) is not int or start < 0 or not text:
            return None
        if not context.startswith(text, start):
            return None
        answers.append(Answer(text, start))
    return answers


class AnswerReader:
    """Reads one question's answers and keeps its mistakes; remarks are counted into *remarks*.

    ``fields`` are the paths of the answers read, ``ignored`` the gold texts that were not read as
    golds; ``keyless``: the question has no key for answers; ``one_text``: its gold is a text under a
    key of its own, which can hold no second one.
    """

    def __init__(self, context: str, remarks: Counter[str], *, one_answer_is_usual: bool) -> None:
        self.mistakes: list[Mistake] = []
        self.fields: list[str] = []
        self.ignored: list[str] = []
        self.keyless = self.one_text = False
        self._context = context
        self._remarks = remarks
        self._one_answer_is_usual = one_answer_is_usual

    def read(self, row: Mapping[str, object]) -> tuple[RawAnswer, ...] | None:
        """The answers of a question's row: None where withheld, () where it is unanswerable."""
        forms = gold_keys.forms(row)
        if self._impossible(row):
            # Such a row may list its plausible answers as answers; teaching those would be wrong.
            self.ignored = gold_keys.texts_of(forms)
            if self.ignored:
                self._remarks[IMPOSSIBLE_WITH_ANSWERS] += 1
            return ()
        if not forms:
            self._withheld(row)
            return None
        self.one_text = isinstance(forms[0].value, str)
        answers = self._answers(forms[0])
        self._others(row, forms)
        if self.mistakes or len(forms) > 1:
            read = {answer.text for answer in answers}
            self.ignored = [text for text in gold_keys.texts_of(forms) if text not in read]
        return tuple(answers)

    def _withheld(self, row: Mapping[str, object]) -> None:
        """A row that gives no golds: by null, by having no key, or under a key that is not known."""
        self._unread(row)
        start = row.get(gold_keys.START)
        if not gold_keys.is_no_place(start):
            self._wrong(
                gold_keys.START, f"is {described(start)}, but there is no text; answer_text is wanted"
            )
        if not self.mistakes and not gold_keys.has_key(row):
            self.keyless = True
            self._remarks[KEYLESS] += 1

    def _unread(self, row: Mapping[str, object]) -> None:
        for key in gold_keys.unread(row):
            self._wrong(
                plain(key),
                f"is {described(row[key])} and looks like an answer, but this key is not read; write it as "
                "answers: a list of objects with text and answer_start",
            )

    def _others(self, row: Mapping[str, object], forms: list[Form]) -> None:
        """Golds under further keys: none of them is passed over in silence."""
        first = forms[0]
        read = set(gold_keys.texts_in(first.value))
        if not read:
            self._unread(row)
            return
        for form in forms[1:]:
            if not read.issuperset(gold_keys.texts_in(form.value)):
                self._remarks[f"{form.key} with other answers than {first.key}, which alone is read"] += 1
        for key in gold_keys.unread(row):
            self._remarks[f"{plain(key)} is not read, since the answers are in {first.key}"] += 1

    def _impossible(self, row: Mapping[str, object]) -> bool:
        flag = row.get("is_impossible")
        if isinstance(flag, str):
            flag = {"true": True, "false": False}.get(flag.strip().lower(), flag)
        if not is_null(flag) and flag not in (0, 1):  # as true and false are, too
            self._wrong("is_impossible", f"is {described(flag)}; true or false is wanted")
        return flag == 1

    def _answers(self, form: Form) -> list[RawAnswer]:
        answers: list[RawAnswer] = []
        empty: list[_Listed] = []
        for listed in self._listed(form):
            if listed.empty:
                empty.append(listed)
                continue
            answer = self._answer(listed)
            if answer is not None:
                answers.append(answer)
                self.fields.append(listed.field)
        if empty and not answers and not self.mistakes:
            self._remarks[EMPTY] += 1
        else:
            for listed in empty:
                self._empty(listed)
        return answers

    def _listed(self, form: Form) -> Iterator[_Listed]:
        """Every answer of a form, whatever its shape."""
        key, given = form.key, form.value
        if isinstance(given, str) and key != "answers":
            start = form.start
            if isinstance(start, list) and len(start) == 1:
                start = start[0]
            yield _Listed(key, key, given, start, startless=True)
        elif gold_keys.lists_texts(given):
            yield from self._columns(key, given, form.start, startless=True)
        elif isinstance(given, list):
            for index, answer in enumerate(given):
                field = f"{key}[{index}]"
                if isinstance(answer, dict):
                    yield _Listed(
                        field, f"{field}.text", gold_keys.text_of(answer), gold_keys.start_of(answer)
                    )
                else:
                    self._wrong(
                        field, f"is {described(answer)}; an object with text and answer_start is wanted"
                    )
        elif not isinstance(given, dict):
            wanted = "a list of objects" if key == "answers" else "a text"
            self._wrong(key, f"is {described(given)}; {wanted} is wanted")
        elif isinstance(texts := gold_keys.text_of(given), list):
            yield from self._columns(key, texts, gold_keys.start_of(given))
        else:
            if key == "answers" and not self._one_answer_is_usual:
                self._remarks[ONE_OBJECT] += 1
            yield _Listed(key, f"{key}.text", texts, gold_keys.start_of(given))

    def _columns(
        self, key: str, texts: list[object], starts: object, *, startless: bool = False
    ) -> Iterator[_Listed]:
        if is_null(starts):
            starts = [starts] * len(texts)
        elif not isinstance(starts, list) and len(texts) == 1:
            starts = [starts]
        if not isinstance(starts, list) or len(starts) != len(texts):
            given = f"has {counted(len(starts), 'value')}" if isinstance(starts, list) else found(starts)
            field = gold_keys.START if startless else f"{key}.answer_start"
            self._wrong(field, f"{given}; a list of {len(texts)}, one a text, is wanted")
            return
        for index, (text, start) in enumerate(zip(texts, starts, strict=True)):
            field = f"{key}[{index}]"
            yield _Listed(field, field if startless else f"{field}.text", text, start, startless)

    def _answer(self, listed: _Listed) -> RawAnswer | None:
        text, start = listed.text, listed.start
        if not isinstance(text, str):
            self._wrong(listed.text_field, f"{found(text)}; a text is wanted")
            return None
        if not text:
            self._empty(listed)
            return None
        mistake = surrogate_mistake(text, listed.text_field)
        if mistake is not None:
            self.mistakes.append(mistake)
            return None
        number = _number(start)
        at_start = number is not None and number >= 0 and self._context.startswith(text, number)
        if at_start and type(start) is not int:
            self._remarks[START_AS_TEXT] += 1
        # Where else the text is, `answer_places` finds when the starts of the whole file are known.
        alone = listed.startless and is_null(start)
        return RawAnswer(text, _as_given(start), number, number if at_start else None, alone)

    def _empty(self, listed: _Listed) -> None:
        message = "is an empty text; remove it, or give answers: [] for an unanswerable question"
        self.mistakes.append(Mistake(FaultKind.ANSWER_EMPTY, listed.text_field, message))

    def _wrong(self, field: str, text: str) -> None:
        self.mistakes.append(Mistake(FaultKind.STRUCTURE, field, text))


def _number(start: object) -> int | None:
    """The start that was given as a whole number, or as a text of one."""
    if isinstance(start, str):
        integer = _INTEGER.fullmatch(start)
        return int(integer[1]) if integer else None
    if isinstance(start, float):
        return int(start) if start.is_integer() else None
    return start if type(start) is int else None


def _as_given(start: object) -> str:
    if start is MISSING:
        return "missing"
    return described(start).removeprefix("the text ").removeprefix("a number (").removesuffix(")")
