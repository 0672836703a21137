"""Where the answers are that their file misplaces: by the cause of the whole file, else one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kit.data.readers.builder import QuestionBuilder, Unplaced, fault_of, matching
from kit.data.readers.causes import IN_PLACE, Finding, Start, difference, findings, places
from kit.data.readers.display import plain, quoted
from kit.data.readers.raw import Fault, FaultKind, Mistake, RawAnswer
from kit.data.readers.spelling import EQUIVALENCES, LOOSE
from kit.errors import SHOWN

LOCATED = "answer given as a text alone, located in its context"
CHOSEN = "answer whose text stands several times in its context, placed by the question's words"

# A start this near to a place means it, whatever the question's words are.
_NEAR = 3
_HALF = 10
"""At this distance, in characters, a word of the question counts half."""
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"[.!?。]\s|\n")


@dataclass(frozen=True, slots=True)
class _Faulty:
    """An answer that does not match: its question's place in the file, its row's path, and its field."""

    index: int
    where: str
    field: str
    answer: RawAnswer


def place_answers(builder: QuestionBuilder) -> None:
    """Place the answers that do not stand where the file says, and record their faults.

    One fault stands for all answers that one cause explains, where they are many.  Nothing happens,
    and no time is lost, where every answer is at its place.
    """
    if not builder.unplaced:
        return
    found = findings(list(_starts(builder)))
    faulty: list[_Faulty] = []
    for index, entry in enumerate(builder.questions):
        place = builder.unplaced.get(index)
        if place is None:
            if not (entry.answers and entry.question is not None and found and found[0].whole):
                continue
            paths = tuple((entry.where, f"answers[{number}]") for number in range(len(entry.answers)))
            place = Unplaced(entry.question.context, entry.question.text, paths)
        answers = tuple(_placed(answer, place, found) for answer in entry.answers or ())
        if answers == entry.answers and index not in builder.unplaced:
            continue
        question = entry.question
        if question is not None:
            question = replace(question, answers=matching(answers))
        builder.questions[index] = replace(entry, answers=answers, question=question)
        for path, answer in zip(place.paths, answers, strict=True):
            if answer.alone and answer.matches:
                builder.remark(LOCATED)
            if answer.places > 1:
                builder.remark(CHOSEN)
            if not answer.matches:
                faulty.append(_Faulty(index, *path, answer))
    _record(builder, faulty)


def _starts(builder: QuestionBuilder) -> Iterator[Start]:
    for index, entry in enumerate(builder.questions):
        place = entry.question or builder.unplaced.get(index)
        context = place.context if place is not None else ""
        for answer in entry.answers or ():
            if context and answer.start is not None:
                yield Start(context, answer.text, answer.start, answer.matches)


def _placed(answer: RawAnswer, place: Unplaced, found: Sequence[Finding]) -> RawAnswer:
    """The answer with its place, and with the reason where that is not what the file says."""
    context, start = place.context, answer.start
    if start is not None:
        causes = [finding.cause for finding in found if finding.whole or not answer.matches]
        if not answer.matches:
            causes += IN_PLACE
        for cause in causes:
            span = cause.span(context, answer.text, start)
            if span is not None:
                return _at(answer, context, span, why="" if cause.in_place else cause.name)
    if answer.matches and not answer.alone:
        return answer
    spans = _occurrences(context, answer.text)
    if not spans:
        return answer
    span = _nearest_to_words(context, spans, place.question, start) if len(spans) > 1 else spans[0]
    return _at(answer, context, span, places=len(spans))


def _at(answer: RawAnswer, context: str, span: tuple[int, int], why: str = "", places: int = 1) -> RawAnswer:
    begin, end = span
    own = context[begin:end]
    if own == answer.text:
        return replace(answer, found=begin, why="" if answer.start == begin else why, places=places)
    equal = [form for form in EQUIVALENCES if form.of(own) == form.of(answer.text)]
    differs = difference(equal[0] if equal else LOOSE)
    return replace(answer, found=begin, own=own, why=why, differs=differs, places=places)


def _occurrences(context: str, text: str) -> list[tuple[int, int]]:
    """Every slice of *context* that is *text*, or equal to it in the closest form that has any."""
    spans = [(place, place + len(text)) for place in places(context, text)]
    if spans:
        return spans
    for form in EQUIVALENCES:
        spelled, wanted = form.spell(context), form.of(text)
        for place in places(spelled.text, wanted) if wanted else ():
            begin, end = spelled.begin(place), spelled.end(place + len(wanted))
            if begin is not None and end is not None and begin < end:
                spans.append((begin, end))
        if spans:
            return spans
    return []


def _nearest_to_words(
    context: str, spans: Sequence[tuple[int, int]], question: str, start: int | None
) -> tuple[int, int]:
    """The slice whose sentence has most of the question's words near it; the start decides a draw.

    Words are compared by pairs of letters, since particles change their ends; a pair that stands
    everywhere in the context counts little.
    """
    given = 0 if start is None else min(max(start, 0), len(context))
    if start is not None:
        near = min(spans, key=lambda span: abs(span[0] - given))
        if abs(near[0] - start) <= _NEAR:
            return near
    standing_at = {pair: list(places(context, pair)) for pair in _pairs(question)}
    ends = [found.start() for found in _SENTENCE_END.finditer(context)]
    best = (-1.0, 0)
    chosen = spans[0]
    for begin, end in spans:
        first = max((place for place in ends if place < begin), default=0)
        last = min((place for place in ends if place >= end), default=len(context))
        words = 0.0
        for pair, standing in standing_at.items():
            gaps = [
                begin - place - len(pair) if place < begin else place - end
                for place in standing
                if first <= place and place + len(pair) <= last and not begin - len(pair) < place < end
            ]
            if gaps:
                words += 1 / len(standing) / (1 + min(gaps) / _HALF)
        # Rounded, since the same words at the same distances must weigh the same.
        score = (round(words, 9), -abs(begin - given))
        if score > best:
            best, chosen = score, (begin, end)
    return chosen


def _pairs(question: str) -> dict[str, None]:
    """The pairs of letters of the question's words, and its words of one letter."""
    return dict.fromkeys(
        word[place : place + 2] for word in _WORD.findall(question) for place in range(max(1, len(word) - 1))
    )


def _record(builder: QuestionBuilder, faulty: Sequence[_Faulty]) -> None:
    """A fault for each answer; one for all of a cause where they are more than a message shows."""
    by_cause: dict[str, list[_Faulty]] = {}
    for each in faulty:
        by_cause.setdefault(_cause(each.answer), []).append(each)
    together = {why: listed for why, listed in by_cause.items() if why and len(listed) > SHOWN}
    total = sum(len(entry.answers or ()) for entry in builder.questions)
    for why, listed in together.items():
        guid, answer = builder.questions[listed[0].index].guid, listed[0].answer
        example = (
            f"first: question {plain(guid)}: {answer.given} for {quoted(answer.text)} is {answer.found} for "
            f"{quoted(answer.slice)}"
        )
        if answer.start is None:
            chosen = sum(each.answer.places > 1 for each in listed)
            how = f"their texts are located ({example})"
            if chosen:
                how += f"; the question's words chose among several places for {chosen:,}"
            message = f"{why} for {len(listed):,} of {total:,} answers; {how}"
        else:
            message = f"{why}: this explains {len(listed):,} wrong ones of {total:,} exactly ({example})"
        builder.faults.append(Fault(FaultKind.ANSWER_START, "", "", message))
    for each in faulty:
        if _cause(each.answer) not in together:
            entry = builder.questions[each.index]
            mistake = Mistake(FaultKind.ANSWER_START, each.field, each.answer.complaint)
            fault = fault_of(mistake, each.where, entry.guid)
            builder.questions[each.index] = replace(entry, faults=(*entry.faults, fault))


def _cause(answer: RawAnswer) -> str:
    """What one fault may say of many answers; "" for those that must be named, one by one."""
    if answer.found is None:
        return ""
    if answer.start is None:
        return f"answer_start is {answer.given}"
    return "" if answer.places > 1 else answer.why or answer.differs
